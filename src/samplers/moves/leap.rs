//! Differential evolution with the whole difference (ter Braak 2006, g = 1): `y = x + a - b + e`. Where a and b are in two
//! modes, x in one of them is carried to the other, so the modes' masses are kept right. Symmetric.

use super::Around;
use super::evolution::step;
use crate::rng::Stream;

pub(super) fn propose(from: &[f64], around: &Around, stream: &mut Stream, to: &mut [f64]) -> f64 {
    step(from, around, 1.0, stream, to)
}
