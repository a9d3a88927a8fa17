//! Moves of the three regressions of territory effects.
//!
//! Centred: coefficients from their normal conditional on the effects, the deviations by random walks. Non-centred: one of them moves
//! while the territories keep their standardised effects, and so move with it (interweaving, Yu & Meng 2011); the size regression,
//! whose slope mixes slowest, more often. Log totals that share the market's rest may follow the levels.

use nalgebra::{DMatrix, DVector};
use rand::{Rng as _, RngExt as _};

use super::super::model::{COVERAGE, SIZE, UNIVERSE};
use super::super::numeric::{log_add, log_logistic};
use super::{Chain, normal, universe_and_coverage};

/// Regressions that a sweep moves with their effects.
pub(super) const NON_CENTRED: [usize; 5] = [UNIVERSE, COVERAGE, SIZE, SIZE, SIZE];

impl Chain<'_> {
    /// The effect of a territory that a regression explains.
    pub(super) fn effect(&self, r: usize, j: usize) -> f64 {
        match r {
            UNIVERSE => log_add(self.state.alpha[j], self.state.beta[j]),
            COVERAGE => self.state.alpha[j] - self.state.beta[j],
            _ => self.state.psi[j],
        }
    }

    /// Coefficients given the effects (normal), and the deviation given both (random walk).
    pub(super) fn conditional_regression(&mut self, r: usize) {
        let prior = &self.model.regressions[r];
        let width = prior.width();
        let slope_sd = self.state.regressions[r].log_slope_sd;
        let weight = libm::exp(-2.0 * self.state.regressions[r].log_sd);
        let mut precision = DMatrix::zeros(width, width);
        let mut target = DVector::zeros(width);
        for d in 0..width {
            let p = prior.coefficient(d, slope_sd);
            precision[(d, d)] += 1.0 / (p.sd * p.sd);
            target[d] += p.mean / (p.sd * p.sd);
        }
        for (j, place) in self.model.places.iter().enumerate() {
            let y = self.effect(r, j);
            for (a, xa) in place.x.iter().enumerate() {
                target[a] += weight * xa * y;
                for (b, xb) in place.x.iter().enumerate() {
                    precision[(a, b)] += weight * xa * xb;
                }
            }
        }
        let noise = DVector::from_fn(width, |_, _| normal(&mut self.rng));
        if let Some(factor) = precision.cholesky() {
            let mean = factor.solve(&target);
            if let Some(offset) = factor.l().transpose().solve_upper_triangular(&noise) {
                self.state.regressions[r].coefficients = (mean + offset).iter().copied().collect();
                self.means[r] = self.regression_means(&self.state.regressions[r].coefficients);
            }
        }
        let square: f64 = (0..self.model.places.len())
            .map(|j| self.effect(r, j) - self.means[r][j])
            .map(|residual| residual * residual)
            .sum();
        let count = self.model.places.len() as f64;
        let now = self.state.regressions[r].log_sd;
        let worth =
            |log_sd: f64| prior.log_sd.log_density(log_sd) - count * log_sd - 0.5 * square * libm::exp(-2.0 * log_sd);
        let proposal = now + 2.0 / (2.0 * count + 4.0).sqrt() * normal(&mut self.rng);
        if self.accept(worth(proposal) - worth(now)) {
            self.state.regressions[r].log_sd = proposal;
        }
        if prior.covariates > 0 {
            let slopes = &self.state.regressions[r].coefficients[prior.coefficients.len()..];
            let square: f64 = slopes.iter().map(|slope| slope * slope).sum();
            let count = prior.covariates as f64;
            let worth = |log_sd: f64| {
                prior.log_slope_sd.log_density(log_sd) - count * log_sd - 0.5 * square * libm::exp(-2.0 * log_sd)
            };
            let proposal = slope_sd + 0.8 * normal(&mut self.rng);
            if self.accept(worth(proposal) - worth(slope_sd)) {
                self.state.regressions[r].log_slope_sd = proposal;
            }
        }
    }

    /// Log totals that share the rest, each moved by `shift` and all brought back to their sum; `None` where none share.
    ///
    /// A perturbation of the simplex (Aitchison 1986): it keeps the volume in which densities per unit of log T are meant.
    pub(super) fn carried(&self, shift: impl Fn(usize) -> f64) -> Option<Vec<f64>> {
        let rest = self.model.rest?;
        let mut moved = self.state.log_total.clone();
        let mut sum = 0.0;
        for &j in &self.model.sharing {
            moved[j] += shift(j);
            sum += libm::exp(moved[j]);
        }
        let back = libm::log(sum / rest);
        self.model.sharing.iter().for_each(|&j| moved[j] -= back);
        let room = |j: &usize| moved[*j] >= self.model.places[*j].floors.known;
        self.model.sharing.iter().all(room).then_some(moved)
    }

    /// Whether totals follow the size levels in this move: without it, levels wait for totals and totals for levels.
    pub(super) fn carries(&mut self) -> bool {
        self.model.rest.is_some() && self.rng.random::<f64>() < 0.5
    }

    /// Moves one coefficient or the deviation of a regression with the standardised effects fixed.
    pub(super) fn non_centred(&mut self, r: usize) {
        let width = self.state.regressions[r].coefficients.len();
        let which = (self.rng.next_u64() % (width as u64 + 1)) as usize;
        let step = self.regression[r][which].size() * normal(&mut self.rng);
        let mut moved = self.state.regressions[r].clone();
        let prior = &self.model.regressions[r];
        let mut ratio = if which < width {
            let p = prior.coefficient(which, moved.log_slope_sd);
            let now = moved.coefficients[which];
            moved.coefficients[which] += step;
            p.log_density(moved.coefficients[which]) - p.log_density(now)
        } else {
            moved.log_sd += step;
            prior.log_sd.log_density(moved.log_sd) - prior.log_sd.log_density(moved.log_sd - step)
        };
        let means = self.regression_means(&moved.coefficients);
        let scale = libm::exp(moved.log_sd - self.state.regressions[r].log_sd);
        let count = self.model.places.len();
        let kept = self.state.log_total.clone();
        if r == SIZE && self.carries() {
            let shift = |j: usize| means[j] - self.means[r][j] + (scale - 1.0) * (self.effect(r, j) - self.means[r][j]);
            match self.carried(shift) {
                Some(moved) => self.state.log_total = moved,
                None => return,
            }
        }
        let mut effects = Vec::with_capacity(count);
        let mut terms = Vec::with_capacity(count);
        for (j, mean) in means.iter().enumerate() {
            let effect = mean + scale * (self.effect(r, j) - self.means[r][j]);
            let (mut alpha, mut beta, mut psi) = (self.state.alpha[j], self.state.beta[j], self.state.psi[j]);
            let (theta, _) = universe_and_coverage(alpha, beta);
            match r {
                UNIVERSE => (alpha, beta) = (alpha + effect - theta, beta + effect - theta),
                COVERAGE => (alpha, beta) = (theta + log_logistic(effect), theta + log_logistic(-effect)),
                _ => psi = effect,
            }
            let (captures, log_rho, counted) = if r == SIZE {
                (self.captures[j], self.state.log_rho[j], 0.0)
            } else {
                let (captures, log_rho) = self.capture_terms(j, alpha, beta);
                let now = self.counts(j, self.state.alpha[j], self.state.beta[j]);
                (captures, log_rho, self.counts(j, alpha, beta) - now)
            };
            let demand = self.demand_term(j, alpha, beta, psi, log_rho);
            ratio += counted + captures - self.captures[j] + demand - self.demand[j];
            effects.push((alpha, beta, psi));
            terms.push((captures, log_rho, demand));
        }
        let accepted = self.accept(ratio);
        if accepted {
            self.state.regressions[r] = moved;
            self.means[r] = means;
            for (j, (effects, terms)) in effects.into_iter().zip(terms).enumerate() {
                self.moved_to(j, effects, terms);
            }
        } else {
            self.state.log_total = kept;
        }
        self.regression[r][which].learn(accepted, self.gain);
    }
}
