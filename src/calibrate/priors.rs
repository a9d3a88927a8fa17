//! Priors in force (the registry's, [`MECHANISMS`](crate::scenario::MECHANISMS), with the scenario's on top), and the bijections on which samplers
//! work, so that none sees a bound.
//!
//! A scenario may override any of them: `[mechanism.<mechanism>] prior.<parameter> = { ... }`.
//!
//! # From elasticities to effects
//!
//! The literature reports elasticities, the mechanism wants the log odds that one contact adds. At a steady `x`
//! contacts a month, goodwill is `effect * saturate(x) / (1 - decay)`; with a share `s` of the customer's demand coming
//! to us the elasticity of our sales is
//!
//! `(1 - s) * effect * saturate(x) * slope * h^slope / (x^slope + h^slope) / (1 - decay)`
//!
//! (the logit's `d log share / d utility = 1 - s`, times `x * d saturate / dx` of the Hill curve). Sampling is
//! done on the elasticity at the market's own mean contact level: it is nearly independent of decay, saturation and
//! share, about which the data say less.

use std::collections::BTreeMap;

use crate::calibrate::sampling::Source;
use crate::channel::Channel;
use crate::origin::Origin;
use crate::scenario::{Prior, Support, find_parameter};
use crate::simulate::mechanisms::goodwill::Goodwill;

/// Name of a channel's effect in `[mechanism.goodwill]`.
pub fn effect_name(channel: Channel) -> String {
    format!("effect_{}", channel.name())
}

/// The priors in force: the built-in ones with the scenario's on top.
#[derive(Debug, Clone, Default)]
pub struct Priors {
    overrides: BTreeMap<(String, String), Prior>,
}

impl Priors {
    /// Checks the overrides: a prior must be proper and lie where its parameter can. `Err` is (mechanism, parameter,
    /// what is wrong and what to write).
    pub fn new(overrides: BTreeMap<(String, String), Prior>) -> Result<Self, (String, String, String)> {
        for ((mechanism, parameter), prior) in &overrides {
            let complain = |words: &str| Err((mechanism.clone(), parameter.clone(), words.to_owned()));
            // Names the scenario has checked.
            let Some(own) = find_parameter(mechanism, parameter) else { continue };
            if let Some(words) = improper(*prior) {
                return complain(words);
            }
            // They are fitted in closed form, which is why it must be a normal.
            if mechanism == "feasts" && !matches!(prior, Prior::Normal { .. } | Prior::Fixed(_)) {
                return complain("write a normal, for example { normal = { mean = 0, sd = 0.1 } }, or { fixed = 0 }");
            }
            let (low, high) = support(*prior);
            if own.support == Support::Fraction && (low < 0.0 || high > 1.0) {
                return complain("it must lie between 0 and 1: write a beta, or a uniform within 0 and 1");
            }
            if own.support == Support::Positive && low < 0.0 {
                return complain("it cannot be negative: write a lognormal, or a uniform above 0");
            }
            let never_zero = parameter == "half_saturation" || parameter == "order_unit";
            if never_zero && matches!(prior, Prior::Fixed(value) if *value <= 0.0) {
                return complain("it must be above 0");
            }
            if parameter == "decay" && matches!(prior, Prior::Fixed(value) if *value >= 1.0) {
                return complain("it must be below 1, or goodwill would never end");
            }
        }
        Ok(Self { overrides })
    }

    /// The prior in force and whether it is the scenario's.
    pub fn of(&self, mechanism: &str, parameter: &str) -> Option<(Prior, bool)> {
        let key = (mechanism.to_owned(), parameter.to_owned());
        if let Some(&prior) = self.overrides.get(&key) {
            return Some((prior, true));
        }
        Some((find_parameter(mechanism, parameter)?.prior?, false))
    }

    /// As [`Priors::of`] for a parameter that has a prior; 0 for any other.
    pub fn prior(&self, mechanism: &str, parameter: &str) -> Prior {
        self.of(mechanism, parameter).map_or(Prior::Fixed(0.0), |(prior, _)| prior)
    }

    /// Where a parameter comes from when the data are silent: its origin and source.
    pub fn source(&self, mechanism: &str, parameter: &str) -> (Origin, String) {
        if self.overrides.contains_key(&(mechanism.to_owned(), parameter.to_owned())) {
            return (Origin::Assumption, "prior given in the scenario".to_owned());
        }
        find_parameter(mechanism, parameter)
            .map_or((Origin::Assumption, String::new()), |known| (known.origin, known.source.to_owned()))
    }
}

/// What is wrong with a prior as such.
fn improper(prior: Prior) -> Option<&'static str> {
    let good = match prior {
        Prior::Lognormal { median, sd } => median > 0.0 && sd > 0.0 && (median + sd).is_finite(),
        Prior::Normal { mean, sd } => sd > 0.0 && (mean + sd).is_finite(),
        Prior::Beta { a, b } => a > 0.0 && b > 0.0 && (a + b).is_finite(),
        Prior::Uniform { low, high } => low < high && (high - low).is_finite(),
        Prior::Fixed(value) => value.is_finite(),
    };
    (!good)
        .then_some("its numbers make no distribution: medians, deviations and shapes must be above 0, low below high")
}

/// Where a prior has mass.
pub fn support(prior: Prior) -> (f64, f64) {
    match prior {
        Prior::Lognormal { .. } => (0.0, f64::INFINITY),
        Prior::Normal { .. } => (f64::NEG_INFINITY, f64::INFINITY),
        Prior::Beta { .. } => (0.0, 1.0),
        Prior::Uniform { low, high } => (low, high),
        Prior::Fixed(value) => (value, value),
    }
}

/// A draw of a prior.
pub fn draw(prior: Prior, source: &mut Source) -> f64 {
    match prior {
        Prior::Lognormal { median, sd } => median * libm::exp(sd * source.normal()),
        Prior::Normal { mean, sd } => mean + sd * source.normal(),
        Prior::Beta { a, b } => source.beta(a, b).clamp(1e-9, 1.0 - 1e-9),
        Prior::Uniform { low, high } => low + (high - low) * source.uniform(),
        Prior::Fixed(value) => value,
    }
}

/// Mean and standard deviation of a prior.
pub fn moments(prior: Prior) -> (f64, f64) {
    match prior {
        Prior::Lognormal { median, sd } => {
            let mean = median * libm::exp(0.5 * sd * sd);
            (mean, mean * (libm::exp(sd * sd) - 1.0).sqrt())
        }
        Prior::Normal { mean, sd } => (mean, sd),
        Prior::Beta { a, b } => (a / (a + b), (a * b / (a + b + 1.0)).sqrt() / (a + b)),
        Prior::Uniform { low, high } => (0.5 * (low + high), (high - low) / 12.0_f64.sqrt()),
        Prior::Fixed(value) => (value, 0.0),
    }
}

/// From the real line to the parameter: exp, identity or logistic, by the prior's support.
pub fn constrain(prior: Prior, x: f64) -> f64 {
    match prior {
        Prior::Lognormal { .. } => libm::exp(x.clamp(-700.0, 700.0)),
        Prior::Normal { .. } => x,
        Prior::Beta { .. } => logistic(x),
        Prior::Uniform { low, high } => low + (high - low) * logistic(x),
        Prior::Fixed(value) => value,
    }
}

/// From the parameter to the real line.
pub fn unconstrain(prior: Prior, value: f64) -> f64 {
    let logit = |p: f64| {
        let p = p.clamp(1e-9, 1.0 - 1e-9);
        libm::log(p / (1.0 - p))
    };
    match prior {
        Prior::Lognormal { .. } => libm::log(value.max(1e-300)),
        Prior::Normal { .. } => value,
        Prior::Beta { .. } => logit(value),
        Prior::Uniform { low, high } => logit((value - low) / (high - low)),
        Prior::Fixed(_) => 0.0,
    }
}

/// Log density on the real line (the Jacobian of the bijection included), up to a constant; 0 for a fixed parameter.
pub fn log_density(prior: Prior, x: f64) -> f64 {
    // log p(1 - p) of a logistic without cancellation.
    let log_slope = |x: f64| -x.abs() - 2.0 * libm::log1p(libm::exp(-x.abs()));
    match prior {
        Prior::Lognormal { median, sd } => {
            let z = (x - libm::log(median)) / sd;
            -0.5 * z * z
        }
        Prior::Normal { mean, sd } => {
            let z = (x - mean) / sd;
            -0.5 * z * z
        }
        Prior::Beta { a, b } => {
            // a log p + b log(1 - p), the Jacobian p(1 - p) taken in.
            let log_p = -libm::log1p(libm::exp(-x.abs())) + x.min(0.0);
            a * log_p + b * (log_p - x)
        }
        Prior::Uniform { .. } => log_slope(x),
        Prior::Fixed(_) => 0.0,
    }
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let e = libm::exp(x);
        e / (1.0 + e)
    }
}

/// Long-run elasticity of our sales at a steady `contacts` a month of a channel; `room`: by how much log sales move with a unit of
/// goodwill ([`super::curve::room`]).
pub fn elasticity(goodwill: &Goodwill, channel: Channel, contacts: f64, room: f64) -> f64 {
    goodwill.effect[channel.index()] * elasticity_per_effect(goodwill, contacts, room)
}

/// The elasticity that an effect of 1 would have.
pub fn elasticity_per_effect(goodwill: &Goodwill, contacts: f64, room: f64) -> f64 {
    let slope = goodwill.slope;
    let (x, h) = (libm::pow(contacts, slope), libm::pow(goodwill.half_saturation, slope));
    room * goodwill.saturate(contacts) * slope * h / (x + h) / (1.0 - goodwill.decay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::mechanisms::choice;

    #[test]
    fn elasticity_is_the_mechanisms_own() {
        // Numeric derivative through the mechanisms themselves.
        let goodwill =
            Goodwill { decay: 0.6, effect: [0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], half_saturation: 2.0, slope: 1.0 };
        let (contacts, share) = (1.7, 0.35);
        for slope in [1.0, 0.6, 2.5] {
            let goodwill = Goodwill { slope, ..goodwill };
            let steady = |x: f64| goodwill.steady(&[x, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            let appeal = choice::appeal(share, steady(contacts));
            let log_share = |x: f64| choice::share(appeal + steady(x), 1.0_f64).ln();
            let step = 1e-5_f64;
            let numeric = (log_share(contacts * step.exp()) - log_share(contacts * (-step).exp())) / (2.0 * step);
            assert!((elasticity(&goodwill, Channel::FaceToFace, contacts, 1.0 - share) - numeric).abs() < 1e-6);
        }
    }

    #[test]
    fn bijections_invert_and_densities_are_proper() {
        let priors = [
            Prior::Lognormal { median: 3.0, sd: 0.6 },
            Prior::Normal { mean: 0.2, sd: 0.1 },
            Prior::Beta { a: 6.5, b: 3.5 },
            Prior::Uniform { low: 2.0, high: 5.0 },
        ];
        for prior in priors {
            // Mean from the density on the real line, against the closed form.
            let (mut mass, mut first) = (0.0, 0.0);
            for i in -40_000..=40_000 {
                let x = f64::from(i) * 5e-4;
                let density = libm::exp(log_density(prior, x));
                mass += density;
                first += density * constrain(prior, x);
            }
            let (mean, _) = moments(prior);
            assert!((first / mass - mean).abs() < 1e-6 * mean.abs().max(1.0), "{prior:?}: {} {mean}", first / mass);
            let value = constrain(prior, 0.3);
            assert!((unconstrain(prior, value) - 0.3).abs() < 1e-9);
        }
    }

    #[test]
    fn impossible_priors_are_refused() {
        let with = |parameter: &str, prior| {
            Priors::new(BTreeMap::from([(("goodwill".to_owned(), parameter.to_owned()), prior)]))
        };
        assert!(with("decay", Prior::Normal { mean: 0.5, sd: 0.1 }).is_err());
        assert!(with("half_saturation", Prior::Uniform { low: -1.0, high: 2.0 }).is_err());
        assert!(with("decay", Prior::Beta { a: 0.0, b: 1.0 }).is_err());
        let feast = |prior| Priors::new(BTreeMap::from([(("feasts".to_owned(), "pre".to_owned()), prior)]));
        assert!(feast(Prior::Uniform { low: 0.0, high: 0.1 }).unwrap_err().2.contains("normal"));
        assert!(feast(Prior::Normal { mean: 0.1, sd: 0.05 }).is_ok() && feast(Prior::Fixed(0.0)).is_ok());
        assert!(with("decay", Prior::Fixed(0.5)).is_ok());
        assert!(with("effect_face_to_face", Prior::Normal { mean: 0.1, sd: 0.1 }).is_ok());
        assert!(with("effect_email", Prior::Normal { mean: 0.0, sd: 0.1 }).is_ok());
    }
}
