//! Differential evolution (ter Braak 2006): `y = x + g (a - b) + e` with two others a, b, `g = scale 2.38 / sqrt(2 d)` and e
//! small, so that every point can be reached. Steps have the shape of the cloud. Symmetric.

use super::Around;
use crate::rng::Stream;

/// Standard deviation of e in units of the cloud's.
pub(super) const JITTER: f64 = 1e-4;

pub(super) fn propose(from: &[f64], around: &Around, scale: f64, stream: &mut Stream, to: &mut [f64]) -> f64 {
    step(from, around, scale * 2.38 / (2.0 * from.len() as f64).sqrt(), stream, to)
}

/// `x + factor (a - b) + e`.
pub(super) fn step(from: &[f64], around: &Around, factor: f64, stream: &mut Stream, to: &mut [f64]) -> f64 {
    around.whole.draw(from, JITTER, stream, to);
    if let Some([a, b]) = around.others(stream) {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            *to += factor * (a - b);
        }
    }
    0.0
}
