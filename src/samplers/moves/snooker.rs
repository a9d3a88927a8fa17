//! Snooker (ter Braak & Vrugt 2008): along the line from another particle z through x, by g times the difference of two more
//! particles projected on it, g uniform in 1.2 to 2.2. The volume a step sweeps grows with the distance from z, so
//! `log q(x | y) - log q(y | x) = (d - 1) log(|y - z| / |x - z|)`.

use super::Around;
use crate::rng::Stream;

pub(super) fn propose(from: &[f64], around: &Around, stream: &mut Stream, to: &mut [f64]) -> f64 {
    to.copy_from_slice(from);
    let Some([pivot, a, b]) = around.others(stream) else { return 0.0 };
    let length: f64 = from.iter().zip(pivot).map(|(x, z)| (x - z) * (x - z)).sum();
    let dot: f64 = (0..from.len()).map(|i| (from[i] - pivot[i]) * (a[i] - b[i])).sum();
    if length <= 0.0 {
        return f64::NEG_INFINITY;
    }
    // y - z = (1 + factor) (x - z).
    let factor = (1.2 + stream.uniform()) * dot / length;
    for ((to, x), z) in to.iter_mut().zip(from).zip(pivot) {
        *to = x + factor * (x - z);
    }
    (from.len() as f64 - 1.0) * libm::log((1.0 + factor).abs())
}
