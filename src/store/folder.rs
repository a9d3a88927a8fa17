//! An output folder appears whole or not at all.
//!
//! All files go to a temporary folder beside the output; only when every byte is on the disk is it exchanged with the
//! old output, in one step where the system offers one (Linux, macOS). The old output is deleted after that. An error
//! or a crash before the exchange leaves the old output as it was.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::manifest::{MANIFEST, written_by_ikiz};

/// Why an output folder could not be written. Nothing of the old output is lost.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder holds something and no manifest of ikiz: it may be somebody's work.
    #[error(
        "{} holds files that ikiz did not write (it has no manifest.json of ikiz), so it is left as it is; \
         choose another folder with --out, or empty this one yourself",
        .path.display()
    )]
    Foreign { path: PathBuf },
    /// There is a file where the folder should be.
    #[error("{} is a file, but the output goes to a folder; choose another place with --out", .path.display())]
    NotAFolder { path: PathBuf },
    /// A name that would leave the folder, is empty, or comes twice.
    #[error("\"{name}\" cannot be the name of an output file: {reason}")]
    Name { name: String, reason: &'static str },
    /// The files lack `manifest.json`, without which the folder could never be replaced again.
    #[error("the output has no manifest.json")]
    NoManifest,
    /// The system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// An [`io::Error`] with what was being done to which path.
fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}

/// Whether [`write_whole`] would accept the folder; asked before a long run rather than after it.
///
/// # Errors
/// [`StoreError::Foreign`] or [`StoreError::NotAFolder`] when the folder is not ours to replace.
pub fn may_write(directory: &Path) -> Result<(), StoreError> {
    foreign_files(directory).map(|_| ())
}

/// Writes `files` (path relative to the folder, bytes) as the whole content of `directory`.
///
/// An old output there is replaced; files in it that its manifest does not list are somebody's own and are carried over.
/// `manifest.json` must be among the files.
///
/// # Errors
/// See [`StoreError`]; the folder is then as it was before.
pub fn write_whole(directory: &Path, files: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
    let names = checked_names(files)?;
    let carried = foreign_files(directory)?;
    // A link to a folder stays a link: what it points at is exchanged.
    let directory = if directory.exists() {
        directory.canonicalize().map_err(refused("resolve", directory))?
    } else {
        std::path::absolute(directory).map_err(refused("resolve", directory))?
    };
    let parent = directory.parent().ok_or_else(|| StoreError::NotAFolder { path: directory.clone() })?;
    fs::create_dir_all(parent).map_err(refused("create", parent))?;
    let temporary =
        tempfile::Builder::new().prefix(".ikiz-").tempdir_in(parent).map_err(refused("create a folder in", parent))?;
    // The temporary folder is readable by its owner only; the folder inside it has the permissions of any other.
    let fresh = temporary.path().join("output");
    fs::create_dir(&fresh).map_err(refused("create", &fresh))?;
    for (name, bytes) in files {
        write_file(&fresh.join(name), bytes)?;
    }
    for name in carried.iter().filter(|name| !names.contains(name.as_path())) {
        let (from, to) = (directory.join(name), fresh.join(name));
        make_parent(&to)?;
        fs::copy(&from, &to).map_err(refused("copy", &from))?;
    }
    sync_folders(&fresh)?;
    let old = temporary.path().join("old");
    if let Err(error) = exchange(&fresh, &directory, &old) {
        if old.exists() {
            // The old output could not be put back: it must not go with the temporary folder.
            let _kept = temporary.keep();
        }
        return Err(error);
    }
    sync_folder(parent)?;
    if let Err(error) = temporary.close() {
        // The new output is in place; an old copy that cannot be deleted is no reason to call the run failed.
        tracing::warn!("the old output could not be deleted: {error}");
    }
    Ok(())
}

/// The names as paths, each inside the folder and there once.
fn checked_names(files: &[(String, Vec<u8>)]) -> Result<BTreeSet<&Path>, StoreError> {
    let mut names = BTreeSet::new();
    for (name, _) in files {
        let path = Path::new(name);
        let wrong = |reason| StoreError::Name { name: name.clone(), reason };
        if name.is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(wrong("it must be a path inside the output folder"));
        }
        if !names.insert(path) {
            return Err(wrong("it is there twice"));
        }
    }
    if names.contains(Path::new(MANIFEST)) { Ok(names) } else { Err(StoreError::NoManifest) }
}

/// Files of an existing folder that ikiz did not write, relative to it; empty when there is no folder yet.
fn foreign_files(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refused("read", directory)(error)),
        Ok(about) if !about.is_dir() => return Err(StoreError::NotAFolder { path: directory.to_owned() }),
        Ok(_) => {}
    }
    let mut found = Vec::new();
    files_under(directory, Path::new(""), &mut found)?;
    if found.is_empty() {
        return Ok(found);
    }
    let foreign = || StoreError::Foreign { path: directory.to_owned() };
    let manifest = directory.join(MANIFEST);
    let manifest = match fs::read(&manifest) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(foreign()),
        Err(error) => return Err(refused("read", &manifest)(error)),
    };
    let ours: BTreeSet<PathBuf> =
        written_by_ikiz(&manifest).ok_or_else(foreign)?.into_iter().map(PathBuf::from).collect();
    found.retain(|name| !ours.contains(name));
    Ok(found)
}

fn files_under(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let folder = root.join(below);
    for entry in fs::read_dir(&folder).map_err(refused("read", &folder))? {
        let entry = entry.map_err(refused("read", &folder))?;
        let name = below.join(entry.file_name());
        if entry.file_type().map_err(refused("read", &folder))?.is_dir() {
            files_under(root, &name, found)?;
        } else {
            found.push(name);
        }
    }
    found.sort();
    Ok(())
}

fn make_parent(path: &Path) -> Result<(), StoreError> {
    path.parent().map_or(Ok(()), |parent| fs::create_dir_all(parent).map_err(refused("create", parent)))
}

/// Writes a file through to the disk.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    make_parent(path)?;
    let mut file = File::create_new(path).map_err(refused("write", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(refused("write", path))
}

/// Puts the fresh folder in the place of the old one, which ends up at `fresh` or at `old` (if there was one).
fn exchange(fresh: &Path, directory: &Path, old: &Path) -> Result<(), StoreError> {
    if !directory.exists() {
        return fs::rename(fresh, directory).map_err(refused("write", directory));
    }
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, fresh, CWD, directory, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
        // Some file systems (network folders, overlays) cannot exchange: two steps then.
    }
    fs::rename(directory, old).map_err(refused("replace", directory))?;
    fs::rename(fresh, directory).map_err(|source| match fs::rename(old, directory) {
        Ok(()) => StoreError::Io { action: "replace", path: directory.to_owned(), source },
        Err(source) => {
            StoreError::Io { action: "put back the old output, which is now at", path: old.to_owned(), source }
        }
    })
}

/// Makes the names in a folder and its subfolders survive a power cut.
fn sync_folders(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(refused("read", folder))? {
        let path = entry.map_err(refused("read", folder))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    sync_folder(folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|handle| handle.sync_all()).map_err(refused("write", folder))
}

/// Folders cannot be opened for this elsewhere.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature on every system")]
fn sync_folder(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::manifest;
    use super::*;

    /// Output files with their manifest.
    fn output(files: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> =
            files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        files.push((MANIFEST.to_owned(), manifest().bytes(&files)));
        files
    }

    fn read(folder: &Path, name: &str) -> Option<String> {
        fs::read_to_string(folder.join(name)).ok()
    }

    /// Names beside the output folder, to see that nothing temporary stays.
    fn beside(parent: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(parent).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_new_output_replaces_the_old_one_whole() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("output").join("türkiye");
        write_whole(&folder, &output(&[("a.csv", "1"), ("maps/old.svg", "old")])).unwrap();
        write_whole(&folder, &output(&[("a.csv", "2"), ("maps/new.svg", "new")])).unwrap();
        assert_eq!(read(&folder, "a.csv").as_deref(), Some("2"));
        assert_eq!(read(&folder, "maps/new.svg").as_deref(), Some("new"));
        assert_eq!(read(&folder, "maps/old.svg"), None);
        assert_eq!(beside(folder.parent().unwrap()), ["türkiye"]);
    }

    #[test]
    fn a_write_that_fails_half_way_leaves_the_old_output() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        write_whole(&folder, &output(&[("a.csv", "old")])).unwrap();
        // "b" is a file by the time "b/c" needs it to be a folder.
        let failing = output(&[("a.csv", "new"), ("b", ""), ("b/c", "")]);
        assert!(matches!(write_whole(&folder, &failing), Err(StoreError::Io { .. })));
        assert_eq!(read(&folder, "a.csv").as_deref(), Some("old"));
        assert_eq!(beside(root.path()), ["out"]);
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("thesis");
        fs::create_dir(&folder).unwrap();
        assert!(may_write(&folder).is_ok(), "an empty folder is anybody's");
        fs::write(folder.join("chapter1.txt"), "years of work").unwrap();
        let error = write_whole(&folder, &output(&[("a.csv", "1")])).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("--out"), "{error}");
        fs::write(folder.join(MANIFEST), "{\"manifest_version\": 3}").unwrap();
        assert!(matches!(may_write(&folder), Err(StoreError::Foreign { .. })));
        assert_eq!(read(&folder, "chapter1.txt").as_deref(), Some("years of work"));
    }

    #[test]
    fn own_files_beside_the_output_are_carried_over() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        write_whole(&folder, &output(&[("a.csv", "1"), ("maps/m.svg", "")])).unwrap();
        fs::create_dir(folder.join("notes")).unwrap();
        fs::write(folder.join("notes/board.txt"), "mine").unwrap();
        write_whole(&folder, &output(&[("a.csv", "2")])).unwrap();
        assert_eq!(read(&folder, "notes/board.txt").as_deref(), Some("mine"));
        assert_eq!(read(&folder, "a.csv").as_deref(), Some("2"));
        assert_eq!(read(&folder, "maps/m.svg"), None);
    }

    #[test]
    fn a_file_in_the_way_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("out");
        fs::write(&path, "").unwrap();
        assert!(matches!(write_whole(&path, &output(&[])), Err(StoreError::NotAFolder { .. })));
    }

    #[test]
    fn names_stay_inside_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        for name in ["../escape", "/etc/passwd", "", "a/../../b"] {
            let error = write_whole(&folder, &output(&[(name, "")])).unwrap_err();
            assert!(matches!(error, StoreError::Name { .. }), "{name}: {error}");
        }
        assert!(matches!(
            write_whole(&folder, &output(&[("a", ""), ("a", "")])),
            Err(StoreError::Name { reason: "it is there twice", .. })
        ));
        assert!(matches!(write_whole(&folder, &[]), Err(StoreError::NoManifest)));
        assert!(!folder.exists());
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_the_output() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("out");
        let usual = root.path().join("usual");
        fs::create_dir(&usual).unwrap();
        write_whole(&folder, &output(&[])).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&folder), mode(&usual));
    }
}
