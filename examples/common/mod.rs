//! What the examples share.

use ikiz::rng::Stream;
use ikiz::scenario::{Prior, find_parameter};
use rand::RngExt as _;
use rand_distr::{Beta, Distribution as _, StandardNormal};

/// A draw from the prior that calibration has of a parameter.
pub fn registered(rng: &mut Stream, mechanism: &str, parameter: &str) -> f64 {
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    match find_parameter(mechanism, parameter).and_then(|known| known.prior) {
        Some(Prior::Lognormal { median, sd }) => median * (sd * normal()).exp(),
        Some(Prior::Normal { mean, sd }) => mean + sd * normal(),
        Some(Prior::Uniform { low, high }) => low + (high - low) * rng.random::<f64>(),
        Some(Prior::Fixed(value)) => value,
        Some(Prior::Beta { a, b }) => Beta::new(a, b).map_or(0.5, |beta| beta.sample(rng)),
        None => unreachable!("{mechanism}.{parameter} has a prior"),
    }
}
