//! Tempered sequential Monte Carlo (Del Moral, Doucet & Jasra 2006): particles travel from prior to posterior.
//!
//! The stages' targets are `prior(x) likelihood(x)^t`, t from 0 to 1. One stage:
//!
//! 1. **Temperature**: the largest step `s` that leaves a conditional effective sample size of half the particles (Zhou,
//!    Johansen & Aston 2016), by bisection.
//! 2. **Weights** `W_i <- W_i likelihood_i^s`; the log evidence grows by `log sum W_i likelihood_i^s`.
//! 3. **Resampling**, systematic.
//! 4. **Moves** ([`super::moves`]): in each sweep each particle is proposed one point by a kind of move drawn for it, half of the
//!    particles at a time. Sweeps go on until no coordinate, nor the log likelihood, correlates with what it was at the stage's start. Lengths of
//!    steps follow the share accepted, sweep by sweep; chances of the kinds follow the expected squared jump (Pasarica &
//!    Gelman 2010; Fearnhead & Taylor 2013), stage by stage.
//!
//! Adapting from the particles themselves leaves a bias of order 1 / particles (Beskos et al. 2016).
//!
//! A point whose likelihood fails has none: it loses its weight at the first step, which the evidence knows, or is not
//! accepted. When the budget ends before t = 1 the rest of the way is made by weights alone: the result is marked
//! incomplete and its effective sample size says what it is worth.

mod sweeps;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::sweeps::Sweeps;
use super::ellipsoid::Ellipsoid;
use super::mixture::Mixture;
use super::moves::Kind;
use super::particles::{Cloud, conditional_share, effective, systematic};
use super::state::{State, bits, many_bits};
use super::target::{Target, alive};
use crate::rng::Stream;

/// What a run is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub seed: u64,
    pub particles: usize,
    /// Most evaluations of the likelihood.
    pub budget: u64,
    /// Share of the particles that a step of temperature leaves effective.
    pub conditional: f64,
    /// Sweeps of a stage end at this correlation with its start; those at temperature 1 at the second.
    pub correlation: f64,
    pub final_correlation: f64,
    /// Most sweeps of a stage, and of a round at temperature 1.
    pub sweeps: usize,
    pub final_sweeps: usize,
    /// Rounds of sweeps at temperature 1, before each of which the moves learn the cloud anew.
    pub rounds: usize,
    pub moves: Vec<Kind>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            particles: 1_000,
            budget: 1_000_000,
            conditional: 0.5,
            correlation: 0.1,
            final_correlation: 0.05,
            sweeps: 40,
            final_sweeps: 40,
            rounds: 2,
            moves: Kind::ALL.to_vec(),
        }
    }
}

/// What a stage did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    #[serde(with = "bits")]
    pub temperature: f64,
    /// Effective sample size before resampling.
    #[serde(with = "bits")]
    pub effective: f64,
    /// Particles that had descendants.
    pub ancestors: usize,
    /// Effective number of live particles after the moves: those that still sit on one spot count as one.
    #[serde(with = "bits")]
    pub live: f64,
    /// Effective number of the first particles that have descendants.
    #[serde(with = "bits")]
    pub founders: f64,
    pub sweeps: usize,
    /// Largest correlation of a coordinate or the log likelihood with the stage's start.
    #[serde(with = "bits")]
    pub correlation: f64,
    /// Share of proposals accepted, by kind of move; 0 for one without proposals.
    #[serde(with = "many_bits")]
    pub accepted: Vec<f64>,
    /// Components of the fitted mixture.
    pub components: usize,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub stage: usize,
    pub temperature: f64,
    /// Estimated share of the work done, for a time of arrival.
    pub share: f64,
    pub evaluations: u64,
}

/// Who is told of each stage. The sampler does no input or output itself.
pub trait Watch {
    /// After each stage.
    fn progress(&mut self, _progress: &Progress) {}

    /// Whether checkpoints are wanted.
    fn keeps(&self) -> bool {
        false
    }

    /// Keeps where the run stands; [`resume`] goes on from there to the same bytes.
    ///
    /// # Errors
    /// Ends the run.
    fn checkpoint(&mut self, _bytes: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
}

/// Nobody is told.
pub struct Unwatched;

impl Watch for Unwatched {}

/// Weighted draws of the posterior.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    pub points: Cloud,
    /// Sum to 1; all equal when `complete`.
    pub weights: Vec<f64>,
    pub log_likelihood: Vec<f64>,
    pub log_evidence: f64,
    pub evaluations: u64,
    /// Evaluations that failed.
    pub failed: u64,
    /// Whether the budget reached to moves at temperature 1.
    pub complete: bool,
    pub stages: Vec<Stage>,
}

impl Posterior {
    /// Effective sample size: of the weights and, where particles sit on one spot, of the spots.
    pub fn effective(&self) -> f64 {
        let live = self.stages.last().map_or(f64::INFINITY, |stage| stage.live);
        effective(&self.weights).min(live)
    }

    /// Indices of draws of equal weight, systematic.
    pub fn draws(&self, count: usize, seed: u64) -> Vec<usize> {
        systematic(&self.weights, count, Stream::new(seed, "samplers/smc/draws", 0).uniform())
    }
}

/// Why there is no posterior.
#[derive(Debug, thiserror::Error)]
pub enum SmcError {
    /// The settings make no run.
    #[error("{0}")]
    Settings(&'static str),
    /// Nothing drawn from the prior could be evaluated.
    #[error("the likelihood failed at all {particles} draws of the prior: prior and model do not fit together")]
    NothingAlive { particles: usize },
    /// The bytes are no checkpoint.
    #[error("the checkpoint cannot be read: {0}")]
    Checkpoint(String),
    /// The bytes are of another run.
    #[error("the checkpoint is of other settings, another dimension or another version; start anew")]
    OtherCheckpoint,
    /// The checkpoint could not be kept.
    #[error("the checkpoint could not be kept: {0}")]
    Keeping(Box<dyn std::error::Error + Send + Sync>),
}

/// Samples a target.
///
/// # Errors
/// See [`SmcError`].
pub fn run(target: &(impl Target + ?Sized), settings: &Settings, watch: &mut dyn Watch) -> Result<Posterior, SmcError> {
    check(target, settings)?;
    let mut state = State::new(settings, target.dimension());
    start(target, settings, &mut state)?;
    go_on(target, settings, state, watch)
}

/// Goes on from a checkpoint of the same target and settings, to the bytes the uninterrupted run would have given.
///
/// # Errors
/// See [`SmcError`].
pub fn resume(
    target: &(impl Target + ?Sized),
    settings: &Settings,
    checkpoint: &[u8],
    watch: &mut dyn Watch,
) -> Result<Posterior, SmcError> {
    check(target, settings)?;
    let state = State::from_bytes(checkpoint, settings, target.dimension())?;
    go_on(target, settings, state, watch)
}

fn check(target: &(impl Target + ?Sized), settings: &Settings) -> Result<(), SmcError> {
    let wrong = |message| Err(SmcError::Settings(message));
    match settings {
        _ if target.dimension() == 0 => wrong("a target needs a parameter"),
        Settings { moves, .. } if moves.is_empty() => wrong("a run needs a kind of move"),
        Settings { particles, .. } if !(10..1 << 24).contains(particles) => wrong("a run needs 10 to 2^24 particles"),
        Settings { budget, particles, .. } if *budget < *particles as u64 => {
            wrong("the budget must cover one evaluation of each particle")
        }
        Settings { conditional, .. } if !(*conditional > 0.0 && *conditional < 1.0) => {
            wrong("the share left effective lies between 0 and 1")
        }
        Settings { sweeps, final_sweeps, .. } if *sweeps == 0 || *final_sweeps == 0 => wrong("a stage needs a sweep"),
        Settings { sweeps, final_sweeps, .. } if *sweeps.max(final_sweeps) >= 1 << 16 => {
            wrong("a stage has fewer than 2^16 sweeps")
        }
        _ => Ok(()),
    }
}

fn start(target: &(impl Target + ?Sized), settings: &Settings, state: &mut State) -> Result<(), SmcError> {
    let drawn: Vec<(Vec<f64>, f64, f64)> = (0..settings.particles)
        .into_par_iter()
        .map(|particle| {
            let point = target.draw(&mut Stream::new(settings.seed, "samplers/smc/prior", particle as u64));
            let (prior, likelihood) = (target.log_density(&point), alive(target.log_likelihood(&point)));
            (point, prior, likelihood)
        })
        .collect();
    for (point, prior, likelihood) in drawn {
        state.points.extend(point);
        state.log_prior.push(prior);
        state.log_likelihood.push(likelihood);
        state.failed += u64::from(likelihood == f64::NEG_INFINITY);
    }
    state.evaluations = settings.particles as u64;
    if state.failed == state.evaluations {
        return Err(SmcError::NothingAlive { particles: settings.particles });
    }
    Ok(())
}

fn go_on(
    target: &(impl Target + ?Sized),
    settings: &Settings,
    mut state: State,
    watch: &mut dyn Watch,
) -> Result<Posterior, SmcError> {
    while state.complete && state.rounds < settings.rounds.max(1) {
        if state.rounds > 0 && sweeps_left(settings, &state) == 0 {
            // A first round at temperature 1 was made; the further ones are for good measure.
            break;
        }
        let remaining = stage(target, settings, &mut state);
        let done = state.stages.len();
        watch.progress(&Progress {
            stage: done,
            temperature: state.temperature,
            share: done as f64 / (done as f64 + remaining),
            evaluations: state.evaluations,
        });
        if watch.keeps() {
            watch.checkpoint(&state.to_bytes()).map_err(SmcError::Keeping)?;
        }
    }
    Ok(Posterior {
        points: Cloud::new(state.dimension, state.points),
        weights: state.weights,
        log_likelihood: state.log_likelihood,
        log_evidence: state.log_evidence,
        evaluations: state.evaluations,
        failed: state.failed,
        complete: state.complete,
        stages: state.stages,
    })
}

/// Sweeps that the budget still covers.
fn sweeps_left(settings: &Settings, state: &State) -> u64 {
    settings.budget.saturating_sub(state.evaluations) / settings.particles as u64
}

/// The largest step of temperature that leaves the share of particles effective.
fn next_step(state: &State, conditional: f64) -> f64 {
    let rest = 1.0 - state.temperature;
    let share = |step| conditional_share(&state.weights, &state.log_likelihood, step);
    if share(rest) >= conditional {
        return rest;
    }
    // By halves of the logarithm: likelihoods differ by many orders of magnitude.
    let (mut low, mut high) = (rest, rest);
    while share(low) < conditional && low > 1e-300 {
        (low, high) = (low * 1e-3, low);
    }
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        if share(middle) >= conditional { low = middle } else { high = middle }
    }
    low
}

/// Multiplies the weights and returns the growth of the log evidence.
fn reweight(state: &mut State, step: f64) -> f64 {
    let most = state.log_likelihood.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (weight, value) in state.weights.iter_mut().zip(&state.log_likelihood) {
        // A failed point is dropped whatever the step.
        *weight *= if *value == f64::NEG_INFINITY { 0.0 } else { libm::exp(step * (value - most)) };
    }
    let sum: f64 = state.weights.iter().sum();
    state.weights.iter_mut().for_each(|weight| *weight /= sum);
    step * most + libm::log(sum)
}

/// One stage; returns the number of stages that are estimated to follow.
fn stage(target: &(impl Target + ?Sized), settings: &Settings, state: &mut State) -> f64 {
    let left = sweeps_left(settings, state);
    let step = if left == 0 { 1.0 - state.temperature } else { next_step(state, settings.conditional) };
    // A step that rounds to nothing would never arrive.
    let reached = if state.temperature + step >= 1.0 - 1e-9 { 1.0 } else { state.temperature + step };
    let growth = if state.temperature > 0.0 { reached / state.temperature } else { 2.0 };
    let following =
        if reached < 1.0 { (libm::log(1.0 / reached) / libm::log(growth.max(1.000_001))).ceil() } else { 0.0 };
    let last = reached == 1.0;
    if state.temperature < 1.0 {
        state.log_evidence += reweight(state, reached - state.temperature);
        state.temperature = reached;
    }
    state.rounds += usize::from(last);
    let rounds_after = settings.rounds.max(1).saturating_sub(state.rounds) as f64;
    let mut report = Stage {
        temperature: reached,
        effective: effective(&state.weights),
        ancestors: settings.particles,
        live: effective(&state.weights),
        founders: founders(state),
        sweeps: 0,
        correlation: 1.0,
        accepted: Vec::new(),
        components: 0,
    };
    // Rounds at temperature 1 count for more: what they find is kept.
    let most = if last {
        settings.final_sweeps.min((left as f64 / (1.0 + rounds_after)).ceil() as usize)
    } else {
        settings.sweeps.min(((left as f64 / (following + 1.0 + 3.0 * (rounds_after))) as usize).max(1))
    };
    if left == 0 {
        state.complete = false;
        state.stages.push(report);
        return 0.0;
    }
    let cloud = Cloud::new(state.dimension, std::mem::take(&mut state.points));
    let whole = Ellipsoid::new(cloud.mean(&state.weights), &cloud.covariance(&state.weights));
    let mixture = Mixture::fit(&cloud, &state.weights, settings.seed, state.stages.len() as u64);
    report.components = mixture.components();
    let parents = resample(settings, state, &mut report);
    let threshold = if last { settings.final_correlation } else { settings.correlation };
    let mut sweeps = Sweeps::new(cloud.select(&parents), &state.log_likelihood, &whole, &mixture, settings.moves.len());
    while report.sweeps < most && report.correlation > threshold {
        sweeps.once(target, settings, state, report.sweeps);
        report.sweeps += 1;
        report.correlation = sweeps.correlation(&state.log_likelihood);
    }
    report.live = sweeps.live(&parents);
    report.accepted = sweeps.tallies.iter().map(|tally| tally.accepted / tally.proposed.max(1.0)).collect();
    sweeps.learn_shares(&mut state.shares);
    state.points = sweeps.cloud.values().to_vec();
    state.stages.push(report);
    if last && sweeps_left(settings, state) == 0 { 0.0 } else { following + rounds_after }
}

/// Effective number of the first particles, by the weight of their descendants.
fn founders(state: &State) -> f64 {
    let mut lines = vec![0.0; state.weights.len()];
    for (&founder, weight) in state.founders.iter().zip(&state.weights) {
        lines[founder as usize] += weight;
    }
    effective(&lines)
}

/// Resamples everything but the points; returns whom each particle descends from.
fn resample(settings: &Settings, state: &mut State, report: &mut Stage) -> Vec<usize> {
    let count = settings.particles;
    let mut stream = Stream::new(settings.seed, "samplers/smc/resample", state.stages.len() as u64);
    let parents = systematic(&state.weights, count, stream.uniform());
    report.ancestors = 1 + parents.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let at = |values: &[f64]| parents.iter().map(|&parent| values[parent]).collect::<Vec<f64>>();
    state.log_prior = at(&state.log_prior);
    state.log_likelihood = at(&state.log_likelihood);
    state.founders = parents.iter().map(|&parent| state.founders[parent]).collect();
    state.weights = vec![1.0 / count as f64; count];
    report.founders = founders(state);
    parents
}

#[cfg(test)]
mod tests;
