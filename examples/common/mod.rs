//! What the examples share.

#![allow(dead_code, reason = "each example uses its part")]

use std::error::Error;

use ikiz::data::{self, MarketData};
use ikiz::problem::{self, Problem};
use ikiz::rng::Stream;
use ikiz::scenario::{Prior, find_parameter};
use ikiz::synth::{self, Description, SyntheticMarket};
use rand::RngExt as _;
use rand_distr::{Beta, Distribution as _, StandardNormal};

/// What stops an example.
pub type Stop = Box<dyn Error + Send + Sync>;

/// Problems as one text.
pub fn words(problems: Vec<Problem>) -> String {
    problem::render(&problems, false)
}

/// Makes market `number` of a description, writes its files and reads them.
pub fn made(text: &str, name: &str, seed: u64, number: u64) -> Result<(SyntheticMarket, MarketData), Stop> {
    let description = Description::parse(text, name).map_err(words)?;
    let made = synth::generate(&description, seed.wrapping_mul(1_000_003).wrapping_add(number));
    let folder = tempfile::tempdir()?;
    synth::write(&made, folder.path())?;
    let loaded = data::load(&folder.path().join("market")).map_err(|refused| words(refused.problems))?;
    Ok((made, loaded.market))
}

/// The description of the demonstration market with so many customers, and reps and a survey in proportion.
pub fn demonstration(customers: f64) -> String {
    let smaller = customers / 20_000.0;
    let at_least = |x: f64| x.ceil().max(1.0);
    let mut text = include_str!("../../scenarios/markets/turkiye.toml").to_owned();
    for (of, to) in [
        ("customers    = 20_000".to_owned(), format!("customers    = {customers}")),
        ("reps            = 72".to_owned(), format!("reps            = {}", at_least(72.0 * smaller))),
        ("reps_at_start   = 40".to_owned(), format!("reps_at_start   = {}", at_least(40.0 * smaller))),
        ("customers = 400".to_owned(), format!("customers = {}", at_least(400.0 * smaller))),
    ] {
        assert!(text.contains(&of), "the demonstration market has no line {of}");
        text = text.replace(&of, &to);
    }
    text
}

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

/// What a visit adds to goodwill where sales have this elasticity at 1.5 visits a month, as in `calibrate::priors`: elasticities are
/// usually quoted at a little above one.
pub fn visit_effect(elasticity: f64, share: f64, decay: f64, half_saturation: f64) -> f64 {
    const VISITS: f64 = 1.5;
    let far = VISITS + half_saturation;
    let per_effect = (1.0 - share) * VISITS * (1.0 + half_saturation) * half_saturation / (far * far) / (1.0 - decay);
    elasticity / per_effect
}

/// How customers respond in a truth from the priors, as lines of a description's `[truth]`: share, decay, half-saturation, and what a visit
/// adds.
pub fn response(mut of: impl FnMut(&str, &str) -> f64) -> [(&'static str, f64); 4] {
    let share = of("choice", "share_of_wallet").clamp(0.05, 0.6);
    let decay = of("goodwill", "decay").clamp(0.2, 0.95);
    let half = of("goodwill", "half_saturation");
    let elasticity = of("goodwill", "elasticity_face_to_face").max(0.0);
    [
        ("share", share),
        ("goodwill_decay", decay),
        ("half_saturation", half),
        ("visit_effect", visit_effect(elasticity, share, decay, half)),
    ]
}

pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
