//! Moves of the parameters that all sizes share: kappa, tau, R, the variation of the dark, crowding, and the size regression.
//!
//! They trade off against each other, so they also move together along the covariance learnt in the warm-up (adaptive Metropolis;
//! Haario, Saksman & Tamminen 2001). And they trade off against the size levels of all territories: the panel ties the totals
//! down, so with levels that stay, R and crowding can move by no more than the panel leaves open. `steady_size` moves them with
//! each level keeping its territory's total where it is in its distribution (interweaving, Yu & Meng 2011): with the location m
//! and the deviation s of a log total at level 0, `psi' = log T - m' - (s' / s) (log T - psi - m)`, whose Jacobian is the product
//! of s' / s; the regression's intercept follows by the mean of m - m'.

use nalgebra::DVector;
use rand::{Rng as _, RngExt as _};

use super::super::model::{SIZE, SizeParameters, SizeTerms};
use super::super::numeric::LogNormal;
use super::{Chain, normal};

/// Moves in a sweep that keep totals where they are.
pub(super) const STEADY_MOVES: usize = 3;

impl Chain<'_> {
    /// The parameters of sizes as one vector: kappa, log tau, log R, log c, logit chi where there is crowding, then the size
    /// regression.
    pub(super) fn size_block(&self) -> Vec<f64> {
        let p = &self.state.size;
        let mut block = vec![p.kappa, p.log_tau, p.log_ratio, p.log_variation];
        if self.model.sizes.logit_crowding.is_some() {
            block.push(p.logit_crowding);
        }
        block.extend(&self.state.regressions[SIZE].coefficients);
        block
    }

    pub(super) fn single_size(&mut self) {
        let mut block = self.size_block();
        // The regression has moves of its own.
        let which = (self.rng.next_u64() % self.model.sizes.width() as u64) as usize;
        block[which] += self.single[which].size() * normal(&mut self.rng);
        let accepted = self.move_sizes(&block);
        self.single[which].learn(accepted, self.gain);
    }

    pub(super) fn joint_size(&mut self) {
        let Some(factor) = &self.learnt.factor else { return };
        let width = factor.nrows();
        let noise = DVector::from_fn(width, |_, _| normal(&mut self.rng));
        // Now and then a long step, for posteriors with tails.
        let reach = if self.rng.random::<f64>() < 0.2 { 3.0 } else { 1.0 };
        let step = factor * noise * (reach * self.joint.size() / (width as f64).sqrt());
        let block: Vec<f64> = self.size_block().iter().zip(step.iter()).map(|(x, d)| x + d).collect();
        let accepted = self.move_sizes(&block);
        self.joint.learn(accepted, self.gain);
    }

    fn log_prior_sizes(&self, block: &[f64]) -> f64 {
        let p = &self.model.sizes;
        if block[0] < 0.0 || block[0] > self.model.sums.limit() {
            return f64::NEG_INFINITY;
        }
        let regression = &self.model.regressions[SIZE];
        let slope_sd = self.state.regressions[SIZE].log_slope_sd;
        p.kappa.log_density(block[0])
            + p.log_tau.log_density(block[1])
            + p.log_ratio.log_density(block[2])
            + p.log_variation.log_density(block[3])
            + p.logit_crowding.map_or(0.0, |prior| prior.log_density(block[4]))
            + (0..)
                .zip(&block[p.width()..])
                .map(|(d, x)| regression.coefficient(d, slope_sd).log_density(*x))
                .sum::<f64>()
    }

    fn sizes_of(&self, block: &[f64]) -> SizeParameters {
        SizeParameters {
            kappa: block[0],
            log_tau: block[1],
            log_ratio: block[2],
            log_variation: block[3],
            logit_crowding: self.model.sizes.logit_crowding.map_or(f64::NEG_INFINITY, |_| block[4]),
        }
    }

    /// Moves parameters of sizes, one or all, while each territory's size level keeps its total where it is in its distribution,
    /// and the regression's intercept makes up for what the levels do on average.
    pub(super) fn steady_size(&mut self) {
        let shared = self.model.sizes.width();
        let now = self.size_block();
        let mut block = now.clone();
        let joint = self.learnt.factor.is_some() && self.rng.random::<f64>() < 0.5;
        let which = (self.rng.next_u64() % shared as u64) as usize;
        if let (true, Some(factor)) = (joint, &self.learnt.factor) {
            let noise = DVector::from_fn(shared, |_, _| normal(&mut self.rng));
            let step = factor.view((0, 0), (shared, shared)) * noise;
            let scale = self.steady_joint.size() / (shared as f64).sqrt();
            block.iter_mut().zip(step.iter()).for_each(|(x, step)| *x += scale * step);
        } else {
            block[which] += self.steady[which].size() * normal(&mut self.rng);
        }
        let accepted = self.move_steadily(&now, block);
        if joint { &mut self.steady_joint } else { &mut self.steady[which] }.learn(accepted, self.gain);
    }

    fn move_steadily(&mut self, now: &[f64], mut block: Vec<f64>) -> bool {
        if !self.log_prior_sizes(&block).is_finite() {
            return false;
        }
        let size = self.sizes_of(&block);
        let mut terms = self.terms.clone();
        terms.write(self.model, &size);
        // Location and deviation of a total at an effect of 0.
        let total = |j: usize, terms: &SizeTerms| {
            let (alpha, beta, log_rho) = (self.state.alpha[j], self.state.beta[j], self.state.log_rho[j]);
            let level = terms.level(&self.model.places[j], alpha, beta, 0.0);
            self.model.total(j, terms, beta, level, log_rho)
        };
        let both = (0..self.model.places.len()).map(|j| Some((total(j, &self.terms)?, total(j, &terms)?)));
        let both: Vec<Option<(LogNormal, LogNormal)>> = both.collect();
        let moved: f64 = both.iter().flatten().map(|(before, after)| before.mean - after.mean).sum();
        let common = moved / both.iter().flatten().count().max(1) as f64;
        block[self.model.sizes.width()] += common;
        let mut ratio = self.log_prior_sizes(&block) - self.log_prior_sizes(now);
        let weight = 0.5 * libm::exp(-2.0 * self.state.regressions[SIZE].log_sd);
        std::mem::swap(&mut terms, &mut self.terms);
        let mut moved = Vec::with_capacity(both.len());
        for (j, both) in both.iter().enumerate() {
            let (alpha, beta, psi) = (self.state.alpha[j], self.state.beta[j], self.state.psi[j]);
            let mut to = psi + common;
            let log_total = self.model.places[j].demand.log_total(self.state.log_total[j]);
            if let (Some((before, after)), Some(log_total)) = (both, log_total) {
                let (off, stretch) = (log_total - psi - before.mean, after.sd / before.sd);
                to = log_total - after.mean - stretch * off;
                ratio += libm::log(stretch);
            }
            let (from, onto) = (psi - self.means[SIZE][j], to - self.means[SIZE][j] - common);
            let demand = self.demand_term(j, alpha, beta, to, self.state.log_rho[j]);
            ratio += weight * (from * from - onto * onto) + demand - self.demand[j];
            moved.push((to, demand));
        }
        let accepted = self.accept(ratio);
        if accepted {
            self.state.size = size;
            self.state.regressions[SIZE].coefficients[0] += common;
            self.means[SIZE].iter_mut().for_each(|mean| *mean += common);
            (self.state.psi, self.demand) = moved.into_iter().unzip();
        } else {
            std::mem::swap(&mut terms, &mut self.terms);
        }
        accepted
    }

    fn move_sizes(&mut self, block: &[f64]) -> bool {
        let mut ratio = self.log_prior_sizes(block) - self.log_prior_sizes(&self.size_block());
        if !ratio.is_finite() {
            return false;
        }
        let shared = self.model.sizes.width();
        let size = self.sizes_of(block);
        let means = self.regression_means(&block[shared..]);
        let kept = self.state.log_total.clone();
        if self.carries() {
            match self.carried(|j| means[j] - self.means[SIZE][j]) {
                Some(moved) => self.state.log_total = moved,
                None => return false,
            }
        }
        let mut terms = self.terms.clone();
        terms.write(self.model, &size);
        std::mem::swap(&mut terms, &mut self.terms);
        let count = self.model.places.len();
        let mut moved = Vec::with_capacity(count);
        for (j, mean) in means.iter().enumerate() {
            let psi = self.state.psi[j] + mean - self.means[SIZE][j];
            let (alpha, beta) = (self.state.alpha[j], self.state.beta[j]);
            let demand = self.demand_term(j, alpha, beta, psi, self.state.log_rho[j]);
            ratio += demand - self.demand[j];
            moved.push((psi, demand));
        }
        let accepted = self.accept(ratio);
        if accepted {
            self.state.size = size;
            self.state.regressions[SIZE].coefficients.copy_from_slice(&block[shared..]);
            self.means[SIZE] = means;
            (self.state.psi, self.demand) = moved.into_iter().unzip();
        } else {
            std::mem::swap(&mut terms, &mut self.terms);
            self.state.log_total = kept;
        }
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Settings;
    use super::super::super::activity::activities;
    use super::super::super::model::Model;
    use super::super::super::sizes::KnownSizes;
    use super::super::super::{Observed, ObservedCustomer, ObservedTerritory};
    use super::super::{Length, State};
    use super::*;
    use crate::rng::Stream;
    use crate::stats::mean_sd;

    /// Eight territories with outlets, and a panel of six and of the market.
    fn market() -> Observed {
        let mut observed = Observed { months: 36, ..Observed::default() };
        for j in 0..8_u32 {
            let first = observed.customers.len();
            observed.customers.extend((0..4 + j % 3).map(|i| ObservedCustomer {
                own_year: 1.0,
                served: true,
                active: 5 + 3 * i,
                exposed: 30,
                silent: 2,
                log_order: Some(0.3 * f64::from(i)),
                orders: 5 + 3 * i,
                ..ObservedCustomer::default()
            }));
            observed.territories.push(ObservedTerritory {
                id: format!("T{j}"),
                population: Some(1000.0 + 300.0 * f64::from(j)),
                outlets: Some(f64::from(12 + 2 * j + 5 * (j % 2))),
                demand: (j < 6).then_some(f64::from(900 + 200 * j + 300 * (j % 2))),
                customers: first..observed.customers.len(),
                ..ObservedTerritory::default()
            });
        }
        observed.market_demand = Some(14_000.0);
        observed
    }

    #[test]
    fn steady_moves_leave_the_posterior_as_it_is() {
        let observed = market();
        let activity = activities(&observed.customers, observed.closures_marked);
        let sizes = KnownSizes::new(&observed, &activity);
        let model = Model::new(&observed, &activity, &sizes, &Settings::default());
        let length = Length { warm_up: 3000, sweeps: 24_000, kept: 4000 };
        let run = |steady_moves: usize| {
            let mut chain = Chain::new(&model, Stream::new(1, "test/steady", steady_moves as u64));
            chain.steady_moves = steady_moves;
            chain.run(length, &|_| ())
        };
        let (with, without) = (run(STEADY_MOVES), run(0));
        type Figure = fn(&State) -> f64;
        let figures: [(&str, Figure); 4] = [
            ("log R", |state| state.size.log_ratio),
            ("logit chi", |state| state.size.logit_crowding),
            ("level", |state| state.regressions[SIZE].coefficients[0]),
            ("deviation", |state| state.regressions[SIZE].log_sd),
        ];
        for (name, of) in figures {
            let moments = |states: &[State]| mean_sd(&states.iter().map(of).collect::<Vec<_>>());
            let ((mean, sd), (other, other_sd)) = (moments(&with), moments(&without));
            println!("{name}: {mean:.3} ({sd:.3}) with, {other:.3} ({other_sd:.3}) without");
            // Without them the chain is worth some hundred draws: a quarter of a deviation is several standard errors.
            assert!((mean - other).abs() < 0.25 * sd, "{name}: {mean} ({sd}), {other} ({other_sd})");
            assert!((sd / other_sd - 1.0).abs() < 0.25, "{name}: {sd} {other_sd}");
        }
    }
}
