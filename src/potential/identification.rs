//! How far the data narrowed what was assumed, and which file would narrow it further.

use super::chain::State;
use super::dark_half::Identification;
use super::estimate::{Fit, Settings};
use super::model::{COVERAGE, Model, SIZE, UNIVERSE};
use super::observed::Observed;
use super::sizes::SizeSource;
use super::worth::FileWorth;
use crate::rng::Stream;
use crate::stats::mean_sd;

/// How far the data narrowed the prior of number, size, their product and the wallet, on the log scale.
pub(super) fn identification(
    observed: &Observed,
    settings: &Settings,
    fit: &Fit,
    states: &[&State],
    worth: &[FileWorth],
) -> Vec<Identification> {
    let Fit { model, sizes, basis, .. } = fit;
    let mut rng = Stream::new(settings.seed, "potential/prior", 0);
    let prior: Vec<[f64; 4]> = (0..400).map(|_| aspects_of_prior(model, &mut rng)).collect();
    let posterior: Vec<[f64; 4]> = states.iter().map(|state| aspects(model, state)).collect();
    let sd = |draws: &[[f64; 4]], k: usize| mean_sd(&draws.iter().map(|d| d[k]).collect::<Vec<_>>()).1;
    let contraction = |k: usize| (1.0 - (sd(&posterior, k) / sd(&prior, k).max(1e-9)).powi(2)).clamp(0.0, 1.0);
    let audited = observed.territories.iter().filter(|territory| territory.outlets.is_some()).count();
    let count = observed.territories.len();
    let number = if !basis.customers {
        "nothing in the files speaks of how many customers we do not know, so no number is given; outlets in \
         territories.csv (even for a few territories), captures.csv or panel.csv would"
            .to_owned()
    } else if audited > 0 {
        format!(
            "the number rests on outlets audited in {audited} of {count} territories; audit more for a narrower one"
        )
    } else if model.captures.is_some() {
        "the number rests on captures.csv; how far the lists overlap by more than chance is known with three lists or \
         more, with two it is an assumption; outlets in territories.csv of a few territories would settle it"
            .to_owned()
    } else {
        "not identified by your data: the number is little more than an assumption about how many we already know; \
         outlets in territories.csv for a few territories, or captures.csv, would say it"
            .to_owned()
    };
    let both = basis.panel && audited > 0;
    let size = if both {
        "how much smaller the dark are than the known (R) is told by the audited territories only in part: the prior of \
         R still matters, see its sensitivity; a sample of dark customers' purchases (wallets.csv) would settle it"
    } else {
        "not identified by your data: how much smaller the dark are than the known (R) is an assumption here; a panel in \
         territories with audited outlets would say it"
    };
    let product = if basis.panel {
        "the panel bounds number x size together better than either alone"
    } else {
        "without panel.csv the demand of the dark is number x size, each with its own uncertainty"
    };
    let wallet = match (sizes.source, basis.panel) {
        (SizeSource::Survey, _) => "wallets of known customers rest on wallets.csv",
        (SizeSource::SizeColumn, _) => "wallets of known customers rest on the size column; wallets.csv would check it",
        (SizeSource::Orders, true) => {
            "wallets of known customers rest on the panel and on how often they order; wallet and share cannot be told \
             apart customer by customer: wallets.csv would"
        }
        (SizeSource::Orders, false) => {
            "the category demand of known customers is not in the files (no panel, sizes or survey), so nothing is said \
             of wallet and share; size in customers.csv, wallets.csv or panel.csv would"
        }
    };
    let rows =
        [("number", number), ("size", size.into()), ("number x size", product.into()), ("wallet", wallet.into())];
    rows.into_iter()
        .enumerate()
        .map(|(k, (aspect, mut finding))| {
            for file in worth.iter().filter(|file| file.aspect == aspect) {
                finding += &format!(". {}", file.finding());
            }
            Identification { aspect: aspect.into(), contraction: contraction(k), finding }
        })
        .collect()
}

/// Logs of: dark customers, R, dark demand at the mean size, mean demand of a known customer.
fn aspects(model: &Model, state: &State) -> [f64; 4] {
    let number = libm::log(state.beta.iter().map(|beta| libm::exp(*beta)).sum::<f64>().max(1e-12));
    let level = state.regressions[SIZE].coefficients[0];
    let spread = libm::exp(2.0 * state.size.log_tau);
    let wallet = level + model.sums.log_mean(state.size.kappa) + 0.5 * spread;
    [number, state.size.log_ratio, number + wallet - state.size.log_ratio, wallet]
}

fn aspects_of_prior(model: &Model, rng: &mut Stream) -> [f64; 4] {
    use rand_distr::{Distribution as _, StandardNormal};
    let mut draw = |mean: f64, sd: f64| {
        let z: f64 = StandardNormal.sample(rng);
        mean + sd * z
    };
    let regression: Vec<(Vec<f64>, f64)> = model
        .regressions
        .iter()
        .map(|prior| {
            let slope_sd = draw(prior.log_slope_sd.mean, prior.log_slope_sd.sd);
            let coefficients = (0..prior.width()).map(|d| prior.coefficient(d, slope_sd));
            let coefficients = coefficients.map(|p| draw(p.mean, p.sd)).collect();
            (coefficients, libm::exp(draw(prior.log_sd.mean, prior.log_sd.sd)))
        })
        .collect();
    let effect = |r: usize, x: &[f64]| -> f64 { x.iter().zip(&regression[r].0).map(|(x, b)| x * b).sum() };
    let number: f64 = model
        .places
        .iter()
        .map(|place| {
            let theta = draw(effect(UNIVERSE, &place.x), regression[UNIVERSE].1);
            let phi = draw(effect(COVERAGE, &place.x), regression[COVERAGE].1);
            libm::exp(theta + super::numeric::log_logistic(-phi))
        })
        .sum();
    let p = &model.sizes;
    let kappa = draw(p.kappa.mean, p.kappa.sd).clamp(0.0, model.sums.limit());
    let tau = libm::exp(draw(p.log_tau.mean, p.log_tau.sd));
    let ratio = draw(p.log_ratio.mean, p.log_ratio.sd);
    let number = libm::log(number.max(1e-12));
    let wallet = regression[SIZE].0[0] + model.sums.log_mean(kappa) + 0.5 * tau * tau;
    [number, ratio, number + wallet - ratio, wallet]
}
