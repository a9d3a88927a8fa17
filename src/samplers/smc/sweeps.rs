//! The sweeps of one stage: each gives each particle one proposal, half of the particles at a time.

use rayon::prelude::*;

use super::Settings;
use crate::rng::Stream;
use crate::samplers::ellipsoid::Ellipsoid;
use crate::samplers::mixture::Mixture;
use crate::samplers::moves::{Around, wanted_acceptance};
use crate::samplers::particles::Cloud;
use crate::samplers::state::State;
use crate::samplers::target::{Target, alive};

/// Key of a particle's draws in a sweep.
fn key(stage: usize, sweep: usize, particle: usize) -> u64 {
    ((stage as u64) << 40) | ((sweep as u64) << 24) | particle as u64
}

/// What became of the proposals of a kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub proposed: f64,
    pub accepted: f64,
    /// Squared jumps, each times its probability of being accepted.
    jumped: f64,
}

/// The result of one proposal.
struct Tried {
    kind: usize,
    probability: f64,
    jump: f64,
    evaluated: bool,
    failed: bool,
    /// Point, log prior and log likelihood when accepted.
    moved: Option<(Vec<f64>, f64, f64)>,
}

/// The sweeps of one stage.
pub(super) struct Sweeps<'a> {
    pub cloud: Cloud,
    begin: Cloud,
    /// Log likelihoods at the stage's start.
    heights: Vec<f64>,
    pub moved: Vec<bool>,
    whole: &'a Ellipsoid,
    mixture: &'a Mixture,
    pub tallies: Vec<Tally>,
}

impl<'a> Sweeps<'a> {
    pub fn new(cloud: Cloud, log_likelihood: &[f64], whole: &'a Ellipsoid, mixture: &'a Mixture, kinds: usize) -> Self {
        let begin = cloud.clone();
        let moved = vec![false; cloud.len()];
        Self {
            cloud,
            begin,
            heights: log_likelihood.to_vec(),
            moved,
            whole,
            mixture,
            tallies: vec![Tally::default(); kinds],
        }
    }

    /// Proposes one point to each particle.
    pub fn once(&mut self, target: &(impl Target + ?Sized), settings: &Settings, state: &mut State, sweep: usize) {
        let mut tallies = vec![Tally::default(); settings.moves.len()];
        for half in 0..2 {
            let tried: Vec<Tried> = (half..self.cloud.len())
                .into_par_iter()
                .step_by(2)
                .map(|particle| self.propose(target, settings, state, sweep, particle, 1 - half))
                .collect();
            for (particle, tried) in (half..self.cloud.len()).step_by(2).zip(tried) {
                let tally = &mut tallies[tried.kind];
                tally.proposed += 1.0;
                tally.accepted += tried.probability;
                tally.jumped += tried.probability * tried.jump;
                state.evaluations += u64::from(tried.evaluated);
                state.failed += u64::from(tried.failed);
                if let Some((point, log_prior, log_likelihood)) = tried.moved {
                    self.cloud.set(particle, &point);
                    self.moved[particle] = true;
                    state.log_prior[particle] = log_prior;
                    state.log_likelihood[particle] = log_likelihood;
                }
            }
        }
        let wanted = wanted_acceptance(self.cloud.dimension());
        for (kind, tally) in tallies.iter().enumerate() {
            if settings.moves[kind].scaled() && tally.proposed > 0.0 {
                let grown = state.scales[kind] * libm::exp(1.5 * (tally.accepted / tally.proposed - wanted));
                state.scales[kind] = grown.clamp(1e-4, 10.0);
            }
            let all = &mut self.tallies[kind];
            all.proposed += tally.proposed;
            all.accepted += tally.accepted;
            all.jumped += tally.jumped;
        }
    }

    fn propose(
        &self,
        target: &(impl Target + ?Sized),
        settings: &Settings,
        state: &State,
        sweep: usize,
        particle: usize,
        still: usize,
    ) -> Tried {
        let mut stream = Stream::new(settings.seed, "samplers/smc/move", key(state.stages.len(), sweep, particle));
        let level = stream.uniform();
        let mut sum = 0.0;
        let kind = state.shares.iter().position(|share| {
            sum += share;
            level < sum
        });
        let kind = kind.unwrap_or(settings.moves.len() - 1);
        let from = self.cloud.point(particle);
        let mut to = vec![0.0; from.len()];
        let around = Around { cloud: &self.cloud, offset: still, whole: self.whole, mixture: self.mixture };
        let correction = settings.moves[kind].propose(from, &around, state.scales[kind], &mut stream, &mut to);
        let mut tried = Tried { kind, probability: 0.0, jump: 0.0, evaluated: false, failed: false, moved: None };
        let sound = correction > f64::NEG_INFINITY && to.iter().all(|value| value.is_finite());
        let log_prior = if sound { target.log_density(&to) } else { f64::NEG_INFINITY };
        if !log_prior.is_finite() {
            return tried;
        }
        let log_likelihood = alive(target.log_likelihood(&to));
        tried.evaluated = true;
        tried.failed = log_likelihood == f64::NEG_INFINITY;
        let gain = log_prior - state.log_prior[particle]
            + state.temperature * (log_likelihood - state.log_likelihood[particle])
            + correction;
        tried.probability = if gain.is_nan() { 0.0 } else { libm::exp(gain.min(0.0)) };
        tried.jump = self.whole.distance(from, &to);
        if stream.uniform() < tried.probability {
            tried.moved = Some((to, log_prior, log_likelihood));
        }
        tried
    }

    /// Largest correlation, over the coordinates and the log likelihood, of where particles are with where they began. Where
    /// the likelihood has a spike the coordinates forget long before particles have found it; the log likelihood does not.
    pub fn correlation(&self, log_likelihood: &[f64]) -> f64 {
        (0..self.cloud.dimension())
            .map(|of| correlation(&self.begin.coordinate(of), &self.cloud.coordinate(of)))
            .fold(correlation(&self.heights, log_likelihood), f64::max)
    }

    /// Effective number of spots: particles that never moved share one with their siblings that did not.
    pub fn live(&self, parents: &[usize]) -> f64 {
        let mut spots = Vec::with_capacity(parents.len());
        let mut before = usize::MAX;
        for (parent, moved) in parents.iter().zip(&self.moved) {
            if *moved {
                spots.push(1.0);
            } else if *parent == before {
                // Siblings stand side by side; the spot of the last that stayed is theirs.
                *spots.iter_mut().rev().find(|spot| **spot < 0.0).expect("a sibling stayed") -= 1.0;
            } else {
                spots.push(-1.0);
                before = *parent;
            }
        }
        parents.len() as f64 * parents.len() as f64 / spots.iter().map(|spot| spot * spot).sum::<f64>()
    }

    /// Chances of the kinds by what a proposal of each was worth in this stage, half old and half new.
    pub fn learn_shares(&self, shares: &mut [f64]) {
        const LEAST: f64 = 0.04;
        let worth: Vec<f64> = self.tallies.iter().map(|tally| tally.jumped / tally.proposed.max(1.0)).collect();
        let sum: f64 = worth.iter().sum();
        if sum > 0.0 && sum.is_finite() {
            let free = 1.0 - LEAST * shares.len() as f64;
            for (share, worth) in shares.iter_mut().zip(&worth) {
                *share = 0.5 * *share + 0.5 * (LEAST + free * worth / sum);
            }
        }
    }
}

/// Size of the correlation of two equally long series; 0 when one does not vary.
fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let n = left.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (left_mean, right_mean) = (mean(left), mean(right));
    let (mut both, mut lefts, mut rights) = (0.0, 0.0, 0.0);
    for (l, r) in left.iter().zip(right) {
        let (l, r) = (l - left_mean, r - right_mean);
        both += l * r;
        lefts += l * l;
        rights += r * r;
    }
    if lefts > 0.0 && rights > 0.0 { (both / (lefts * rights).sqrt()).abs() } else { 0.0 }
}
