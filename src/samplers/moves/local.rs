//! Local random walk: a component k of the fitted mixture is drawn by its share r_k(x) at the particle, and
//! `y = x + scale 2.38 / sqrt(d) L_k z`. Steps follow a bent or broken cloud where the whole covariance does not. Given k the
//! step is symmetric, so `log q(x | y) - log q(y | x) = log r_k(y) - log r_k(x)`.

use super::Around;
use crate::rng::Stream;

pub(super) fn propose(from: &[f64], around: &Around, scale: f64, stream: &mut Stream, to: &mut [f64]) -> f64 {
    let shares = around.mixture.shares(from, true);
    let level = stream.uniform();
    let mut sum = 0.0;
    let component = shares
        .iter()
        .position(|share| {
            sum += share;
            level < sum
        })
        .unwrap_or(shares.len() - 1);
    around.mixture.component(component).draw(from, scale * 2.38 / (from.len() as f64).sqrt(), stream, to);
    libm::log(around.mixture.shares(to, true)[component]) - libm::log(shares[component])
}
