//! Preconditioned random walk: `y = x + scale 2.38 / sqrt(d) L z` with the cloud's covariance `L L'` (Roberts & Rosenthal
//! 2001). Symmetric.

use super::Around;
use crate::rng::Stream;

pub(super) fn propose(from: &[f64], around: &Around, scale: f64, stream: &mut Stream, to: &mut [f64]) -> f64 {
    around.whole.draw(from, scale * 2.38 / (from.len() as f64).sqrt(), stream, to);
    0.0
}
