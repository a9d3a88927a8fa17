//! Where a run stands between two stages, as bytes that give back the same numbers to the last bit.

use serde::{Deserialize, Serialize};

use super::smc::{Settings, SmcError, Stage};
use crate::ids::stable_hash;

/// Raised when the bytes change their meaning.
const VERSION: u32 = 1;

/// All that a further stage depends on, apart from target and settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    /// Hash of what the run was started with.
    fingerprint: u64,
    pub dimension: usize,
    /// Rounds done at temperature 1.
    pub rounds: usize,
    #[serde(with = "bits")]
    pub temperature: f64,
    #[serde(with = "bits")]
    pub log_evidence: f64,
    pub evaluations: u64,
    pub failed: u64,
    /// False once the budget ended before the moves at temperature 1 did.
    pub complete: bool,
    #[serde(with = "many_bits")]
    pub points: Vec<f64>,
    #[serde(with = "many_bits")]
    pub log_prior: Vec<f64>,
    #[serde(with = "many_bits")]
    pub log_likelihood: Vec<f64>,
    #[serde(with = "many_bits")]
    pub weights: Vec<f64>,
    /// Which of the first particles each particle descends from.
    pub founders: Vec<u32>,
    /// Length of steps, by kind of move.
    #[serde(with = "many_bits")]
    pub scales: Vec<f64>,
    /// Chance of each kind of move.
    #[serde(with = "many_bits")]
    pub shares: Vec<f64>,
    pub stages: Vec<Stage>,
}

impl State {
    /// Before the first evaluation.
    pub fn new(settings: &Settings, dimension: usize) -> Self {
        let kinds = settings.moves.len();
        Self {
            version: VERSION,
            fingerprint: fingerprint(settings, dimension),
            dimension,
            rounds: 0,
            temperature: 0.0,
            log_evidence: 0.0,
            evaluations: 0,
            failed: 0,
            complete: true,
            points: Vec::new(),
            log_prior: Vec::new(),
            log_likelihood: Vec::new(),
            weights: vec![1.0 / settings.particles as f64; settings.particles],
            founders: (0..settings.particles as u32).collect(),
            scales: vec![1.0; kinds],
            shares: vec![1.0 / kinds as f64; kinds],
            stages: Vec::new(),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and lists can be written")
    }

    /// # Errors
    /// When the bytes are not a checkpoint, or one of other settings or another dimension.
    pub fn from_bytes(bytes: &[u8], settings: &Settings, dimension: usize) -> Result<Self, SmcError> {
        let state: Self = serde_json::from_slice(bytes).map_err(|error| SmcError::Checkpoint(error.to_string()))?;
        if state.version != VERSION || state.fingerprint != fingerprint(settings, dimension) {
            return Err(SmcError::OtherCheckpoint);
        }
        let (n, kinds) = (settings.particles, settings.moves.len());
        let sizes = [&state.log_prior, &state.log_likelihood, &state.weights].map(Vec::len);
        let right = sizes == [n; 3]
            && state.points.len() == n * dimension
            && state.founders.len() == n
            && state.founders.iter().all(|&founder| (founder as usize) < n)
            && [state.scales.len(), state.shares.len()] == [kinds; 2];
        if right { Ok(state) } else { Err(SmcError::Checkpoint("its lists have the wrong lengths".into())) }
    }
}

fn fingerprint(settings: &Settings, dimension: usize) -> u64 {
    stable_hash(&format!("{dimension} {}", serde_json::to_string(settings).expect("settings can be written")))
}

/// One number by its bits: JSON knows no infinity, and not every reader gives back the last digit.
pub(super) mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// Many numbers by their bits.
pub(super) mod many_bits {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let bytes = BASE64_STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        let (words, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(D::Error::custom("half a number"));
        }
        Ok(words.iter().map(|word| f64::from_le_bytes(*word)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_give_back_every_bit() {
        let settings = Settings { particles: 2, ..Settings::default() };
        let mut state = State::new(&settings, 1);
        state.points = vec![0.1 + 0.2, -0.0];
        state.log_prior = vec![-1e-300, 1.0];
        state.log_likelihood = vec![f64::NEG_INFINITY, std::f64::consts::PI];
        state.temperature = 1.0 / 3.0;
        let back = State::from_bytes(&state.to_bytes(), &settings, 1).unwrap();
        assert_eq!(back.to_bytes(), state.to_bytes());
        assert_eq!(back, state);
    }

    #[test]
    fn other_settings_and_broken_bytes_are_refused() {
        let settings = Settings { particles: 2, ..Settings::default() };
        let mut state = State::new(&settings, 1);
        let bytes = state.to_bytes();
        assert!(matches!(State::from_bytes(&bytes, &settings, 1), Err(SmcError::Checkpoint(_))));
        state.points = vec![0.0; 2];
        state.log_prior = vec![0.0; 2];
        state.log_likelihood = vec![0.0; 2];
        let bytes = state.to_bytes();
        assert!(State::from_bytes(&bytes, &settings, 1).is_ok());
        let other = Settings { seed: 1, ..settings.clone() };
        assert!(matches!(State::from_bytes(&bytes, &other, 1), Err(SmcError::OtherCheckpoint)));
        assert!(matches!(State::from_bytes(&bytes, &settings, 2), Err(SmcError::OtherCheckpoint)));
        assert!(matches!(State::from_bytes(&bytes[..20], &settings, 1), Err(SmcError::Checkpoint(_))));
    }
}
