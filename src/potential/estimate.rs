//! The estimate as a whole: read, sample, predict, diagnose.

use std::sync::Mutex;

use rayon::prelude::*;

use super::activity::activities;
use super::chain::{Chain, Length, State};
use super::convergence::diagnose;
use super::dark_half::{Basis, DarkHalf, Identification, SamplerDiagnostic, SizeRatioSensitivity};
use super::model::{COVERAGE, Model, SIZE, UNIVERSE};
use super::observed::Observed;
use super::predict::{Prediction, Source, predict};
use super::sizes::{KnownSizes, SizeSource};
use super::{PotentialError, evidence, panel_error};
use crate::market::Market;
use crate::rng::Stream;
use crate::stats::{Summary, mean_sd};

/// Chains; each on a thread of its own.
const CHAINS: usize = 4;

/// Split R-hat below which chains count as agreeing after their first run.
const SETTLED: f64 = 1.06;

/// Centres of R under which the dark demand is shown again.
const CENTRES: [f64; 3] = [1.0, 2.5, 4.0];

/// Prior of R, the mean demand of a known over that of a dark customer: lognormal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeRatioPrior {
    pub median: f64,
    pub log_sd: f64,
}

/// Settings of the estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub seed: u64,
    /// Posterior draws handed on.
    pub draws: usize,
    /// Companies win the large customers first, so the dark are smaller; by how much the data hardly say.
    pub size_ratio: SizeRatioPrior,
    /// Log deviation of the panel's scale; 0 takes the panel to be exact. See [`super::PANEL_ERROR`].
    pub panel_error: f64,
    /// Multiplies the length of the chains; 1 is enough for a market of the size of a country.
    pub effort: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            draws: 400,
            size_ratio: SizeRatioPrior { median: 2.5, log_sd: 0.8 },
            panel_error: 0.0,
            effort: 1.0,
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), PotentialError> {
        let bad = |setting, range, value| Err(PotentialError::Setting { setting, range, value });
        if self.draws < 8 {
            return bad("the number of draws", "at least 8", self.draws as f64);
        }
        if !(self.size_ratio.median > 0.0 && self.size_ratio.median.is_finite()) {
            return bad("the median of the size ratio", "above 0", self.size_ratio.median);
        }
        if !(self.size_ratio.log_sd > 0.0 && self.size_ratio.log_sd <= 3.0) {
            return bad("the log sd of the size ratio", "above 0 and at most 3", self.size_ratio.log_sd);
        }
        if !(self.effort >= 0.05 && self.effort <= 1000.0) {
            return bad("the effort of the sampler", "0.05 to 1000", self.effort);
        }
        Ok(())
    }

    /// Long enough to mix, bounded in territories x sweeps.
    fn length(&self, territories: usize) -> Length {
        let sweeps = (100_000.0 / (territories as f64).max(60.0)).clamp(600.0, 1_600.0) * self.effort;
        Length {
            warm_up: (0.6 * sweeps).ceil() as usize,
            sweeps: (sweeps.ceil() as usize).max(self.draws.div_ceil(CHAINS)),
            kept: self.draws.div_ceil(CHAINS),
        }
    }
}

/// Estimates the dark half of a market.
///
/// Deterministic for a seed, on any number of threads. `progress` gets the part done, 0 to 1, from several threads.
///
/// # Errors
/// When the panel contradicts our own sales, or a setting is out of range.
pub fn estimate(
    market: &Market,
    settings: &Settings,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<DarkHalf, PotentialError> {
    estimate_observed(&Observed::new(market)?, market.unit(), settings, progress)
}

/// [`estimate`] on the plain struct that it reads a market into.
///
/// # Errors
/// As [`estimate`].
pub fn estimate_observed(
    observed: &Observed,
    unit: &str,
    settings: &Settings,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<DarkHalf, PotentialError> {
    settings.check()?;
    if observed.territories.is_empty() {
        return Err(PotentialError::NoTerritory);
    }
    observed.agrees(unit)?;
    let activity = activities(&observed.customers);
    let sizes = KnownSizes::new(observed, &activity);
    let model = Model::new(observed, &activity, &sizes, settings);
    let basis = basis(observed, &model, &sizes);
    progress(0.05);
    let chains = sample(&model, settings, progress);
    let kept = chains.first().map_or(0, Vec::len);
    let source =
        Source { observed, activity: &activity, sizes: &sizes, model: &model, dark: basis.customers || basis.panel };
    // Draws alternate between the chains, so that any first part of them holds all chains.
    let states: Vec<&State> =
        (0..kept).flat_map(|k| chains.iter().map(move |chain| &chain[k])).take(settings.draws).collect();
    let predictions: Vec<Prediction> = states
        .par_iter()
        .enumerate()
        .map(|(draw, state)| {
            let stream = |domain: &str| Stream::new(settings.seed, domain, draw as u64);
            let mut prediction = predict(source, state, &mut stream("potential/prediction"));
            if basis.panel && settings.panel_error > 0.0 {
                panel_error::stretch(&mut prediction, observed, settings.panel_error, &mut stream("potential/panel"));
            }
            prediction
        })
        .collect();
    progress(0.97);
    let diagnostics = diagnostics(&chains, &predictions);
    let size_ratio: Vec<f64> = states.iter().map(|state| libm::exp(state.size.log_ratio)).collect();
    let dark_total: Vec<f64> = predictions.iter().map(|p| p.dark_demand.iter().sum()).collect();
    let mut notes = conflicts(observed, &activity.iter().map(|a| a.open).collect::<Vec<_>>());
    notes.extend(unsettled(&diagnostics));
    let identification = identification(observed, &model, &sizes, settings, &states, basis);
    let column = |of: fn(&Prediction) -> &Vec<f64>| predictions.iter().map(|p| of(p).clone()).collect::<Vec<_>>();
    let out = DarkHalf {
        dark_customers: column(|p| &p.dark_customers),
        dark_demand: column(|p| &p.dark_demand),
        served_demand: column(|p| &p.served_demand),
        identified_demand: column(|p| &p.identified_demand),
        identified_customers: column(|p| &p.identified_customers),
        indirect: (0..observed.territories.len()).map(|j| observed.indirect(j)).collect(),
        wallets: predictions.iter().map(|p| p.wallets.clone()).collect(),
        size_cv: states.iter().map(|state| libm::exp(state.size.log_variation)).collect(),
        size_ratio_sensitivity: if basis.dark_demand() {
            sensitivity(settings, &size_ratio, &dark_total)
        } else {
            Vec::new()
        },
        size_ratio,
        evidence: evidence::all(observed, unit, settings.seed),
        identification,
        basis,
        diagnostics,
        notes,
    };
    progress(1.0);
    Ok(out)
}

/// What the files speak to; the rule is in `docs/decisions/0003-what-is-left-out.md`.
fn basis(observed: &Observed, model: &Model, sizes: &KnownSizes) -> Basis {
    let known = model.places.iter().any(|place| place.open_known > 0.0);
    let panel = observed.market_demand.is_some_and(|demand| demand > 0.0)
        || observed.territories.iter().any(|territory| territory.demand.is_some_and(|demand| demand > 0.0));
    let audited = observed.territories.iter().any(|territory| territory.outlets.is_some());
    let populated = observed.territories.len() > 1 && observed.territories.iter().any(|t| t.population.is_some());
    Basis {
        customers: audited || model.captures.is_some() || (known && (panel || populated)),
        panel,
        demand: panel || sizes.level.is_some(),
    }
}

fn sample(model: &Model, settings: &Settings, progress: &(dyn Fn(f64) + Sync)) -> Vec<Vec<State>> {
    let length = settings.length(model.places.len());
    let mut chains: Vec<Chain<'_>> = (0..CHAINS)
        .map(|chain| Chain::new(model, Stream::new(settings.seed, "potential/chain", chain as u64)))
        .collect();
    let mut go = |length: Length, from: f64, to: f64| -> Vec<Vec<State>> {
        let done = Mutex::new([0.0; CHAINS]);
        chains
            .par_iter_mut()
            .enumerate()
            .map(|(chain, runner)| {
                let report = |part: f64| {
                    let mean = done.lock().map_or(part, |mut done| {
                        done[chain] = part;
                        done.iter().sum::<f64>() / CHAINS as f64
                    });
                    progress(from + (to - from) * mean);
                };
                runner.run(length, &report)
            })
            .collect()
    };
    let first = go(length, 0.05, 0.6);
    if diagnostics(&first, &[]).iter().all(|row| row.r_hat < SETTLED) {
        return first;
    }
    // Chains that do not agree yet go on once more, longer; what they did until now is forgotten.
    go(Length { warm_up: 0, sweeps: 2 * length.sweeps, ..length }, 0.6, 0.95)
}

fn diagnostics(chains: &[Vec<State>], predictions: &[Prediction]) -> Vec<SamplerDiagnostic> {
    let of = |name: &str, value: &dyn Fn(&State) -> f64| {
        let draws: Vec<Vec<f64>> = chains.iter().map(|chain| chain.iter().map(value).collect()).collect();
        diagnose(name, &draws)
    };
    let mut out = Vec::new();
    for (r, name) in [(UNIVERSE, "universe"), (COVERAGE, "coverage"), (SIZE, "size level")] {
        let width = chains.first().and_then(|c| c.first()).map_or(0, |s| s.regressions[r].coefficients.len());
        for d in 0..width {
            let label = if d == 0 { format!("{name}: intercept") } else { format!("{name}: slope {d}") };
            out.extend(of(&label, &|state: &State| state.regressions[r].coefficients[d]));
        }
        out.extend(of(&format!("{name}: log deviation"), &|state: &State| state.regressions[r].log_sd));
    }
    out.extend(of("kappa", &|state: &State| state.size.kappa));
    out.extend(of("log tau", &|state: &State| state.size.log_tau));
    out.extend(of("log R", &|state: &State| state.size.log_ratio));
    out.extend(of("log variation of the dark", &|state: &State| state.size.log_variation));
    let by_chain = |value: &dyn Fn(&Prediction) -> f64| -> Vec<Vec<f64>> {
        (0..chains.len()).map(|c| predictions.iter().skip(c).step_by(chains.len()).map(value).collect()).collect()
    };
    if predictions.is_empty() {
        return out;
    }
    let log = |x: f64| libm::log(x.max(1e-9));
    out.extend(diagnose("log dark customers", &by_chain(&|p| log(p.dark_customers.iter().sum()))));
    out.extend(diagnose("log dark demand", &by_chain(&|p| log(p.dark_demand.iter().sum()))));
    out
}

fn unsettled(diagnostics: &[SamplerDiagnostic]) -> Option<String> {
    let worst = diagnostics.iter().max_by(|a, b| a.r_hat.total_cmp(&b.r_hat))?;
    (worst.r_hat > 1.1).then(|| {
        format!(
            "the sampler's chains do not agree yet (R-hat {:.2} for {}); treat the dark half as rough and run it longer",
            worst.r_hat, worst.parameter
        )
    })
}

/// Contradictions between files that the estimate can live with.
fn conflicts(observed: &Observed, open: &[f64]) -> Vec<String> {
    let mut notes = Vec::new();
    for territory in &observed.territories {
        let Some(outlets) = territory.outlets else { continue };
        let served = territory.customers.clone().filter(|&i| observed.customers[i].served).count();
        let expected: f64 = territory.customers.clone().map(|i| open[i]).sum();
        if (served as f64) > outlets {
            notes.push(format!(
                "territory {}: outlets says {outlets:.0} buy the category, but {served} bought from us alone in the 12 \
                 months to history_end; taken as no dark customers there. Correct outlets in territories.csv, or mark \
                 closed and double rows in customers.csv",
                territory.id
            ));
        } else if expected > outlets * 1.05 + 1.0 {
            notes.push(format!(
                "territory {}: outlets says {outlets:.0}, but about {expected:.0} rows of customers.csv still buy; taken \
                 as no dark customers there. Mark closed customers (closed) or correct outlets",
                territory.id
            ));
        }
    }
    notes
}

/// Dark demand had the prior of R another centre, by reweighting the draws with the ratio of the priors.
fn sensitivity(settings: &Settings, ratio: &[f64], dark: &[f64]) -> Vec<SizeRatioSensitivity> {
    let SizeRatioPrior { median, log_sd } = settings.size_ratio;
    CENTRES
        .iter()
        .filter_map(|&centre| {
            let log_weight = |r: f64| {
                let at = |centre: f64| (libm::log(r) - libm::log(centre)) / log_sd;
                0.5 * (at(median) * at(median) - at(centre) * at(centre))
            };
            let log: Vec<f64> = ratio.iter().map(|&r| log_weight(r)).collect();
            let top = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = log.iter().map(|x| libm::exp(x - top)).collect();
            let (sum, square) = weights.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
            // Systematic resampling: the summary of the resampled draws is that of the weighted ones.
            let wanted = 20 * dark.len();
            let mut resampled = Vec::with_capacity(wanted);
            let (mut at, mut reached) = (0, weights[0]);
            for k in 0..wanted {
                let level = (k as f64 + 0.5) / wanted as f64 * sum;
                while reached < level && at + 1 < weights.len() {
                    at += 1;
                    reached += weights[at];
                }
                resampled.push(dark[at]);
            }
            let dark_demand = Summary::of(&resampled)?;
            Some(SizeRatioSensitivity { prior_median: centre, dark_demand, effective_draws: sum * sum / square })
        })
        .collect()
}

/// How far the data narrowed the prior of number, size, their product and the wallet, on the log scale.
fn identification(
    observed: &Observed,
    model: &Model,
    sizes: &KnownSizes,
    settings: &Settings,
    states: &[&State],
    basis: Basis,
) -> Vec<Identification> {
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
        "the number is little more than an assumption about how many we already know; outlets in territories.csv for a \
         few territories, or captures.csv, would say it"
            .to_owned()
    };
    let both = basis.panel && audited > 0;
    let size = if both {
        "how much smaller the dark are than the known (R) is told by the audited territories only in part: the prior of \
         R still matters, see its sensitivity; a sample of dark customers' purchases (wallets.csv) would settle it"
    } else {
        "how much smaller the dark are than the known (R) is an assumption here: a panel in territories with audited \
         outlets would say it"
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
    let rows = [
        ("number", number),
        ("size", size.to_owned()),
        ("number x size", product.to_owned()),
        ("wallet", wallet.to_owned()),
    ];
    rows.into_iter()
        .enumerate()
        .map(|(k, (aspect, finding))| Identification { aspect: aspect.into(), contraction: contraction(k), finding })
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
            let coefficients = prior.coefficients.iter().map(|p| draw(p.mean, p.sd)).collect();
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
