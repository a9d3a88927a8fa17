//! `manifest.json`: what made an output folder, and `timings.json`: how long it took.
//!
//! The manifest is inside the promise of equal bytes for equal inputs and seed, so it holds no time, no host and no
//! path; timings are outside that promise and in a file of their own.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Name of the manifest in an output folder.
pub const MANIFEST: &str = "manifest.json";

/// Name of the timings in an output folder.
pub const TIMINGS: &str = "timings.json";

/// Version of the output files' columns and meaning; raised when a reader of an older folder would go wrong.
pub const FORMAT_VERSION: u32 = 1;

/// What an output folder was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// ikiz's version.
    pub version: String,
    pub seed: u64,
    pub scenario: String,
    pub market: String,
    /// Name of each input file and its SHA-256 as [`hash`] gives it, in the order to be shown.
    pub inputs: Vec<(String, String)>,
    /// Every setting that a figure depends on, by name.
    pub settings: Map<String, Value>,
    /// Whether the calibration passed its checks, so that a reader of the folder need not open the report; `None`, and null in
    /// the file, where nothing was calibrated.
    pub checks_passed: Option<bool>,
}

impl Manifest {
    /// Bytes of `manifest.json` for a folder that holds `outputs` (name, bytes). Each is listed with its hash, except
    /// for the timings, whose bytes differ from run to run.
    pub fn bytes(&self, outputs: &[(String, Vec<u8>)]) -> Vec<u8> {
        let inputs: Vec<Value> =
            self.inputs.iter().map(|(name, sha256)| json!({ "name": name, "sha256": sha256 })).collect();
        let mut listed: Vec<&(String, Vec<u8>)> =
            outputs.iter().filter(|(name, _)| name != MANIFEST && name != TIMINGS).collect();
        listed.sort_by(|left, right| left.0.cmp(&right.0));
        let outputs: Vec<Value> =
            listed.iter().map(|(name, bytes)| json!({ "name": name, "sha256": hash(bytes) })).collect();
        let manifest = json!({
            "program": "ikiz",
            "version": self.version,
            "format_version": FORMAT_VERSION,
            "seed": self.seed,
            "scenario": self.scenario,
            "market": self.market,
            "checks_passed": self.checks_passed,
            "settings": self.settings,
            "inputs": inputs,
            "outputs": outputs,
        });
        format!("{manifest:#}\n").into_bytes()
    }
}

/// Bytes of `timings.json`: seconds by stage, in the order given.
pub fn timings(stages: &[(String, f64)]) -> Vec<u8> {
    let stages: Map<String, Value> = stages.iter().map(|(name, seconds)| (name.clone(), json!(seconds))).collect();
    format!("{:#}\n", json!({ "seconds": stages })).into_bytes()
}

/// SHA-256 of bytes in lower-case hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// SHA-256 of a file, read in pieces so that a large one needs no memory.
pub fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut state = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(hexadecimal(&state.finalize()));
        }
        state.update(&piece[..length]);
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(2 * digest.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The names that a manifest lists as written by ikiz, itself and the timings included; `None` when the bytes are no
/// manifest of ikiz.
pub(super) fn written_by_ikiz(manifest: &[u8]) -> Option<Vec<String>> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    if manifest.get("program")?.as_str()? != "ikiz" {
        return None;
    }
    let listed = manifest.get("outputs")?.as_array()?;
    let mut names: Vec<String> =
        listed.iter().filter_map(|output| output.get("name")?.as_str()).map(str::to_owned).collect();
    names.extend([MANIFEST.to_owned(), TIMINGS.to_owned()]);
    Some(names)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::store) fn manifest() -> Manifest {
        Manifest {
            version: "0.1.0".into(),
            seed: 7,
            scenario: "türkiye".into(),
            market: "Demo".into(),
            inputs: vec![("market.toml".into(), hash(b"name = \"Demo\""))],
            settings: Map::from_iter([("horizon".to_owned(), json!(24))]),
            checks_passed: Some(true),
        }
    }

    #[test]
    fn the_manifest_is_fixed_by_its_inputs() {
        let outputs = vec![("potential.csv".to_owned(), b"a".to_vec()), (TIMINGS.to_owned(), b"differs".to_vec())];
        insta::assert_snapshot!(String::from_utf8(manifest().bytes(&outputs)).unwrap());
    }

    #[test]
    fn hashes_are_sha_256() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(b"abc"), expected);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(hash_file(&path).unwrap(), expected);
    }

    #[test]
    fn only_a_manifest_of_ikiz_counts() {
        let bytes = manifest().bytes(&[("maps/untapped_share.svg".to_owned(), Vec::new())]);
        let names = written_by_ikiz(&bytes).unwrap();
        assert!(names.contains(&"maps/untapped_share.svg".to_owned()) && names.contains(&MANIFEST.to_owned()));
        assert_eq!(written_by_ikiz(b"{\"manifest_version\": 3}"), None);
        assert_eq!(written_by_ikiz(b"not json"), None);
    }
}
