//! The estimate as a whole: read, sample, predict, diagnose.

use std::sync::Mutex;

use rayon::prelude::*;

use super::activity::{Activity, activities};
use super::chain::{Chain, Length, State};
use super::convergence::diagnose;
use super::dark_half::{Basis, DarkHalf, SamplerDiagnostic, SizeRatioSensitivity};
use super::identification::identification;
use super::model::{COVERAGE, Model, SIZE, UNIVERSE};
use super::observed::Observed;
use super::own_list::agree_with_own_list;
use super::predict::{Prediction, Source, predict};
use super::sizes::KnownSizes;
use super::wallets::KnownColumns;
use super::{PotentialError, evidence, panel_error, worth};
use crate::lanes::Isa;
use crate::market::Market;
use crate::rng::Stream;
use crate::stats::Summary;

/// Chains; each on a thread of its own.
const CHAINS: usize = 4;

/// Split R-hat below which chains count as agreeing.
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
    /// Whether to say what each file is worth, which makes the estimate take about twice as long.
    pub worth_of_files: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            draws: 400,
            size_ratio: SizeRatioPrior { median: 2.5, log_sd: 0.8 },
            panel_error: 0.0,
            effort: 1.0,
            worth_of_files: true,
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
    let fitted = fit(observed, settings, Patience::UntilSettled, &|part| progress(0.8 * part));
    let diagnostics = diagnostics(&fitted.chains, &fitted.predictions);
    let states = states(&fitted.chains, settings.draws);
    let size_ratio: Vec<f64> = states.iter().map(|state| libm::exp(state.size.log_ratio)).collect();
    let size_cv = states.iter().map(|state| libm::exp(state.size.log_variation)).collect();
    let dark_total: Vec<f64> = fitted.predictions.iter().map(|p| p.dark_demand.iter().sum()).collect();
    let mut notes = conflicts(observed, &fitted.activity.iter().map(|a| a.open).collect::<Vec<_>>());
    notes.extend(unsettled(&diagnostics));
    let worth = match settings.worth_of_files {
        true => worth::of_files(observed, settings, &fitted, &|part| progress(0.8 + 0.19 * part)),
        false => Vec::new(),
    };
    let identification = identification(observed, settings, &fitted, &states, &worth);
    let Fit { basis, predictions, .. } = fitted;
    let column = |of: fn(&Prediction) -> &Vec<f64>| predictions.iter().map(|p| of(p).clone()).collect::<Vec<_>>();
    let out = DarkHalf {
        dark_customers: column(|p| &p.dark_customers),
        dark_demand: column(|p| &p.dark_demand),
        served_demand: column(|p| &p.served_demand),
        identified_demand: column(|p| &p.identified_demand),
        identified_customers: column(|p| &p.identified_customers),
        indirect: (0..observed.territories.len()).map(|j| observed.indirect(j)).collect(),
        size_cv,
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
        // Last, because they are large and handed on as they are.
        wallets: predictions.into_iter().map(|p| p.wallets).collect(),
    };
    progress(1.0);
    Ok(out)
}

/// A posterior and what it was made of.
pub(super) struct Fit {
    pub activity: Vec<Activity>,
    pub sizes: KnownSizes,
    pub model: Model,
    pub basis: Basis,
    pub chains: Vec<Vec<State>>,
    pub predictions: Vec<Prediction>,
}

/// Draws that alternate between the chains, so that any first part of them holds all chains.
pub(super) fn states(chains: &[Vec<State>], draws: usize) -> Vec<&State> {
    let kept = chains.first().map_or(0, Vec::len);
    (0..kept).flat_map(|k| chains.iter().map(move |chain| &chain[k])).take(draws).collect()
}

/// Whether chains that do not agree yet go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    UntilSettled,
    Once,
}

/// Samples and predicts; of files that agree with each other.
pub(super) fn fit(
    observed: &Observed,
    settings: &Settings,
    patience: Patience,
    progress: &(dyn Fn(f64) + Sync),
) -> Fit {
    let mut activity = activities(&observed.customers, observed.closures_marked);
    agree_with_own_list(&mut activity, observed);
    let sizes = KnownSizes::new(observed, &activity);
    let model = Model::new(observed, &activity, &sizes, settings);
    let basis = basis(observed, &model, &sizes);
    progress(0.05);
    let chains = sample(&model, settings, patience, progress);
    let known = KnownColumns::new(observed, &activity);
    let source = Source {
        observed,
        known: &known,
        sizes: &sizes,
        model: &model,
        isa: Isa::detect(),
        dark: basis.customers || basis.panel,
    };
    let predictions: Vec<Prediction> = states(&chains, settings.draws)
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
    progress(1.0);
    Fit { activity, sizes, model, basis, chains, predictions }
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

fn sample(model: &Model, settings: &Settings, patience: Patience, progress: &(dyn Fn(f64) + Sync)) -> Vec<Vec<State>> {
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
    let mut all = go(length, 0.05, 0.6);
    // Chains that do not agree yet go on.
    for (from, to) in [(0.6, 0.8), (0.8, 0.95)] {
        if patience == Patience::Once || diagnostics(&all, &[]).iter().all(|row| row.r_hat < SETTLED) {
            break;
        }
        let more = go(Length { warm_up: 0, ..length }, from, to);
        all.iter_mut().zip(more).for_each(|(chain, more)| chain.extend(more));
    }
    all.into_iter().map(|chain| thinned(chain, length.kept)).collect()
}

/// So many of them, evenly spread, the last one included.
fn thinned(states: Vec<State>, kept: usize) -> Vec<State> {
    let all = states.len();
    let is_kept = |k: usize| (k + 1) * kept / all > k * kept / all;
    states.into_iter().enumerate().filter(|(k, _)| is_kept(*k)).map(|(_, state)| state).collect()
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
    out.extend(of("logit chi", &|state: &State| state.size.logit_crowding));
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
