//! Priors of every parameter, their sources, and the bijections on which samplers work, so that none sees a bound.
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
use crate::scenario::Prior;
use crate::simulate::mechanisms::goodwill::Goodwill;

/// A parameter that calibration knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    pub mechanism: &'static str,
    pub parameter: &'static str,
    pub unit: &'static str,
    pub prior: Prior,
    pub origin: Origin,
    pub source: &'static str,
}

const fn known(
    mechanism: &'static str,
    parameter: &'static str,
    unit: &'static str,
    prior: Prior,
    origin: Origin,
    source: &'static str,
) -> Known {
    Known { mechanism, parameter, unit, prior, origin, source }
}

use Origin::{Assumption, Literature};

/// Every parameter with a prior, in the order of `diagnostics.csv`.
pub const KNOWN: &[Known] = &[
    known(
        "goodwill",
        "decay",
        "share left a month",
        Prior::Beta { a: 6.5, b: 3.5 },
        Literature,
        "carry-over of monthly marketing effort around .6-.7 (Leone 1995; Sethuraman, Tellis & Briesch 2011)",
    ),
    known(
        "goodwill",
        "half_saturation",
        "contacts a month",
        Prior::Lognormal { median: 3.0, sd: 0.6 },
        Assumption,
        "detailing saturates at a few visits a month; nobody publishes the curve of one's own market",
    ),
    known(
        "goodwill",
        "elasticity_face_to_face",
        "% own sales per 1% visits",
        Prior::Normal { mean: 0.2, sd: 0.1 },
        Literature,
        "physician-level detailing .11-.20 (Sridhar, Mantrala & Albers 2014), personal selling .31-.34 (Albers, Mantrala \
         & Sridhar 2010)",
    ),
    known(
        "goodwill",
        "effect_phone",
        "log odds a contact",
        Prior::Lognormal { median: 0.05, sd: 0.9 },
        Assumption,
        "about half a visit's effect, wide",
    ),
    known(
        "goodwill",
        "effect_sms",
        "log odds a contact",
        Prior::Lognormal { median: 0.01, sd: 1.0 },
        Assumption,
        "about a tenth of a visit's effect, wide",
    ),
    known(
        "goodwill",
        "effect_email",
        "log odds a contact",
        Prior::Lognormal { median: 0.015, sd: 1.0 },
        Assumption,
        "about an eighth of a visit's effect, wide",
    ),
    known(
        "goodwill",
        "effect_whatsapp",
        "log odds a contact",
        Prior::Lognormal { median: 0.015, sd: 1.0 },
        Assumption,
        "about an eighth of a visit's effect, wide",
    ),
    known(
        "goodwill",
        "effect_ivr",
        "log odds a contact",
        Prior::Lognormal { median: 0.005, sd: 1.0 },
        Assumption,
        "about a twentieth of a visit's effect, wide",
    ),
    known(
        "goodwill",
        "effect_digital",
        "log odds a contact",
        Prior::Lognormal { median: 0.01, sd: 1.0 },
        Assumption,
        "advertising elasticities of .12 at once and .24 in the long run (Sethuraman, Tellis & Briesch 2011), spread over \
         many exposures, wide",
    ),
    known(
        "choice",
        "share_of_wallet",
        "share",
        Prior::Beta { a: 2.0, b: 3.0 },
        Assumption,
        "what served customers buy from us of all they buy; a wallets.csv would tell",
    ),
    known(
        "churn",
        "hazard",
        "a month",
        Prior::Lognormal { median: 0.008, sd: 0.8 },
        Assumption,
        "about 10% of customers stop a year, wide",
    ),
    known(
        "conversion",
        "base_hazard",
        "a month",
        Prior::Lognormal { median: 0.04, sd: 0.7 },
        Assumption,
        "an identified customer takes about two years to win without effort, wide",
    ),
    known(
        "conversion",
        "goodwill_effect",
        "log hazard per log odds",
        Prior::Normal { mean: 1.0, sd: 0.3 },
        Assumption,
        "a first order responds to goodwill as a share does",
    ),
    known(
        "closure",
        "hazard",
        "a month",
        Prior::Lognormal { median: 0.0042, sd: 0.5 },
        Literature,
        "about 5% of outlets close a year (Iowa's spirits outlets 2012-2017)",
    ),
    known(
        "birth",
        "hazard",
        "of the living, a month",
        Prior::Lognormal { median: 0.0083, sd: 0.5 },
        Literature,
        "about 10% of outlets a year are new (Iowa's spirits outlets 2012-2017)",
    ),
    known(
        "discovery",
        "referral",
        "a month at a served share of 1",
        Prior::Lognormal { median: 0.005, sd: 0.8 },
        Assumption,
        "far below Bass's q of consumer durables (.38 a year: Sultan, Farley & Lehmann 1990): customers seldom tell us of \
         others",
    ),
    known(
        "discovery",
        "by_prospecting",
        "share of finds",
        Prior::Beta { a: 2.0, b: 3.0 },
        Assumption,
        "what reps find by looking for it, of all customers found",
    ),
    known(
        "choice",
        "selection",
        "log odds",
        Prior::Normal { mean: 0.5, sd: 0.5 },
        Assumption,
        "customers won later like us less than those who came first",
    ),
    known(
        "demand",
        "shock_sd",
        "log",
        Prior::Lognormal { median: 0.05, sd: 0.7 },
        Assumption,
        "territories' months differ by about 5% beyond season and trend, wide",
    ),
    known(
        "feasts",
        "pre",
        "log change of a day",
        Prior::Normal { mean: 0.0, sd: 0.15 },
        Assumption,
        "customers stock up before a feast or put off what can wait: the sign differs by category, wide",
    ),
    known(
        "feasts",
        "feast",
        "log change of a day",
        Prior::Normal { mean: 0.0, sd: 0.3 },
        Assumption,
        "shops close, or sell most of the year: the sign differs by category, wide",
    ),
    known(
        "feasts",
        "post",
        "log change of a day",
        Prior::Normal { mean: 0.0, sd: 0.15 },
        Assumption,
        "customers live on what they bought before a feast, or make up for closed days: the sign differs by category, wide",
    ),
    known(
        "feasts",
        "fast",
        "log change of a day",
        Prior::Normal { mean: 0.0, sd: 0.1 },
        Assumption,
        "Ramazan changes a whole month's days, so each less than a feast does: the sign differs by category, wide",
    ),
];

/// Name of a channel's effect in `[mechanism.goodwill]`.
pub fn effect_name(channel: Channel) -> String {
    format!("effect_{}", channel.name())
}

/// The priors in force: the built-in ones with the scenario's on top.
#[derive(Debug, Clone)]
pub struct Priors {
    overrides: BTreeMap<(String, String), Prior>,
}

impl Priors {
    /// Checks the overrides: a prior must be proper and lie where its parameter can. `Err` is (mechanism, parameter,
    /// what is wrong and what to write).
    pub fn new(overrides: BTreeMap<(String, String), Prior>) -> Result<Self, (String, String, String)> {
        for ((mechanism, parameter), prior) in &overrides {
            let complain = |words: &str| Err((mechanism.clone(), parameter.clone(), words.to_owned()));
            // Parameters that calibration does not fit belong to other parts, whose names the scenario has checked.
            let own = KNOWN.iter().find(|known| known.mechanism == mechanism && known.parameter == parameter);
            let given_only = (mechanism == "goodwill" && parameter == "effect_face_to_face")
                || (mechanism == "orders" && parameter == "order_unit");
            if own.is_none() && !given_only {
                continue;
            }
            if let Some(words) = improper(*prior) {
                return complain(words);
            }
            // They are fitted in closed form, which is why it must be a normal.
            if mechanism == "feasts" && !matches!(prior, Prior::Normal { .. } | Prior::Fixed(_)) {
                return complain("write a normal, for example { normal = { mean = 0, sd = 0.1 } }, or { fixed = 0 }");
            }
            let (low, high) = support(*prior);
            // An effect may be negative, whatever its built-in prior says.
            let effect = parameter.starts_with("effect_");
            let fraction = own.is_some_and(|known| matches!(known.prior, Prior::Beta { .. }));
            let positive =
                !effect && (given_only || own.is_some_and(|known| matches!(known.prior, Prior::Lognormal { .. })));
            if fraction && (low < 0.0 || high > 1.0) {
                return complain("it must lie between 0 and 1: write a beta, or a uniform within 0 and 1");
            }
            if positive && low < 0.0 {
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
        Some((KNOWN.iter().find(|known| known.mechanism == mechanism && known.parameter == parameter)?.prior, false))
    }

    /// As [`Priors::of`] for a parameter of [`KNOWN`].
    pub fn prior(&self, mechanism: &str, parameter: &str) -> Prior {
        self.of(mechanism, parameter).map_or(Prior::Fixed(0.0), |(prior, _)| prior)
    }

    /// Where a parameter comes from when the data are silent: its origin and source.
    pub fn source(&self, mechanism: &str, parameter: &str) -> (Origin, String) {
        if self.overrides.contains_key(&(mechanism.to_owned(), parameter.to_owned())) {
            return (Assumption, "prior given in the scenario".to_owned());
        }
        KNOWN
            .iter()
            .find(|known| known.mechanism == mechanism && known.parameter == parameter)
            .map_or((Assumption, String::new()), |known| (known.origin, known.source.to_owned()))
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

/// Long-run elasticity of our sales at a steady `contacts` a month of a channel, given our `share`.
pub fn elasticity(goodwill: &Goodwill, channel: Channel, contacts: f64, share: f64) -> f64 {
    goodwill.effect[channel.index()] * elasticity_per_effect(goodwill, contacts, share)
}

/// The elasticity that an effect of 1 would have.
pub fn elasticity_per_effect(goodwill: &Goodwill, contacts: f64, share: f64) -> f64 {
    let slope = goodwill.slope;
    let (x, h) = (libm::pow(contacts, slope), libm::pow(goodwill.half_saturation, slope));
    (1.0 - share) * goodwill.saturate(contacts) * slope * h / (x + h) / (1.0 - goodwill.decay)
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
            assert!((elasticity(&goodwill, Channel::FaceToFace, contacts, share) - numeric).abs() < 1e-6);
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
