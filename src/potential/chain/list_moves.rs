//! Moves of the parameters of the lists: level and slope of each, their local coverage and its spread, and whether they
//! depend on each other at all.

use super::super::captures::{self, CaptureParameters};
use super::{Chain, normal};

/// Proposals a sweep that the lists depend on each other, or do not.
const FLIPS: usize = 3;

impl Chain<'_> {
    /// Moves the parameters of the lists.
    pub(super) fn lists(&mut self) {
        let Some(captures) = &self.model.captures else { return };
        for _ in 0..FLIPS {
            self.flip_dependence(captures.own);
        }
        for l in 0..captures.lists {
            for which in 0..2 {
                let idle = if which == 0 { captures.own == Some(l) } else { !self.state.captures.dependent };
                if idle {
                    continue;
                }
                let step = self.list[l][which].size() * normal(&mut self.rng);
                let mut moved = self.state.captures.clone();
                let ratio = if which == 0 {
                    moved.level[l] += step;
                    captures::LEVEL.log_density(moved.level[l]) - captures::LEVEL.log_density(moved.level[l] - step)
                } else {
                    // Half-normal: reflected at zero.
                    moved.slope[l] = (moved.slope[l] + step).abs();
                    0.5 * (self.state.captures.slope[l] * self.state.captures.slope[l]
                        - moved.slope[l] * moved.slope[l])
                };
                let accepted = self.move_lists(moved, ratio);
                self.list[l][which].learn(accepted, self.gain);
            }
        }
        // The spread of local coverage, its standardised effects fixed.
        let step = self.spread.size() * normal(&mut self.rng);
        let mut moved = self.state.captures.clone();
        moved.log_spread += step;
        let factor = libm::exp(step);
        moved.local.iter_mut().flatten().for_each(|effect| *effect *= factor);
        let ratio =
            captures::SPREAD.log_density(moved.log_spread) - captures::SPREAD.log_density(moved.log_spread - step);
        let accepted = self.move_lists(moved, ratio);
        self.spread.learn(accepted, self.gain);
        for j in 0..self.model.places.len() {
            if captures.counts[j].is_none() {
                continue;
            }
            for l in (0..captures.lists).filter(|&l| captures.own != Some(l)) {
                let now = self.state.captures.local[j][l];
                let proposal = now + self.local[j][4].size() * normal(&mut self.rng);
                let weight = libm::exp(-2.0 * self.state.captures.log_spread);
                self.state.captures.local[j][l] = proposal;
                let (alpha, beta) = (self.state.alpha[j], self.state.beta[j]);
                let (log, log_rho) = self.capture_terms(j, alpha, beta);
                let demand = self.demand_term(j, alpha, beta, self.state.psi[j], log_rho);
                let ratio =
                    log - self.captures[j] + demand - self.demand[j] + 0.5 * weight * (now * now - proposal * proposal);
                let accepted = self.accept(ratio);
                if accepted {
                    self.terms_are(j, (log, log_rho, demand));
                } else {
                    self.state.captures.local[j][l] = now;
                }
                self.local[j][4].learn(accepted, self.gain);
            }
        }
    }

    /// Proposes that the lists depend on each other where they do not, with slopes from their prior, or the reverse (reversible jump;
    /// Green 1995). Levels move with them, so that what the lists cover stays: the Jacobian is the product of their factors.
    fn flip_dependence(&mut self, own: Option<usize>) {
        let now = &self.state.captures;
        let mut moved = now.clone();
        moved.dependent = !now.dependent;
        let odds = libm::log((1.0 - captures::INDEPENDENT) / captures::INDEPENDENT);
        let mut ratio = if moved.dependent { odds } else { -odds };
        for l in 0..now.slope.len() {
            if moved.dependent {
                moved.slope[l] = normal(&mut self.rng).abs();
            }
            if own == Some(l) {
                continue;
            }
            let factor = captures::conditional(moved.slope[l]);
            let factor = if moved.dependent { factor } else { 1.0 / factor };
            moved.level[l] *= factor;
            ratio += libm::log(factor) + captures::LEVEL.log_density(moved.level[l])
                - captures::LEVEL.log_density(now.level[l]);
        }
        self.move_lists(moved, ratio);
    }

    fn move_lists(&mut self, moved: CaptureParameters, mut ratio: f64) -> bool {
        let count = self.model.places.len();
        let mut terms = Vec::with_capacity(count);
        for j in 0..count {
            let (alpha, beta) = (self.state.alpha[j], self.state.beta[j]);
            let (captures, log_rho) = self.captures_with(j, &moved, alpha, beta);
            let demand = self.demand_term(j, alpha, beta, self.state.psi[j], log_rho);
            ratio += captures - self.captures[j] + demand - self.demand[j];
            terms.push((captures, log_rho, demand));
        }
        let accepted = self.accept(ratio);
        if accepted {
            self.state.captures = moved;
            for (j, terms) in terms.into_iter().enumerate() {
                self.terms_are(j, terms);
            }
        }
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::activity::activities;
    use super::super::super::captures::CaptureData;
    use super::super::super::model::Model;
    use super::super::super::observed::ObservedCaptures;
    use super::super::super::sizes::KnownSizes;
    use super::super::super::{Observed, ObservedCustomer, ObservedTerritory, Settings};
    use super::super::{Length, State};
    use super::*;
    use crate::rng::Stream;
    use crate::stats::mean_sd;

    /// States of a chain on one territory with 200 customers and these histories of their own list and two others, or none.
    fn states(counts: Option<Vec<f64>>) -> Vec<State> {
        let customer =
            ObservedCustomer { own_year: 1.0, served: true, active: 20, exposed: 36, ..ObservedCustomer::default() };
        let observed = Observed {
            months: 36,
            customers: vec![customer; 200],
            territories: vec![ObservedTerritory { customers: 0..200, ..ObservedTerritory::default() }],
            captures: counts.clone().map(|counts| ObservedCaptures {
                lists: ["own", "chamber", "wholesaler"].map(str::to_owned).to_vec(),
                own: Some(0),
                counts: vec![Some(counts)],
                by_segment: Vec::new(),
            }),
            ..Observed::default()
        };
        let activity = activities(&observed.customers, observed.closures_marked);
        let sizes = KnownSizes::new(&observed, &activity);
        let mut model = Model::new(&observed, &activity, &sizes, &Settings::default());
        if counts.is_none() {
            model.captures = Some(CaptureData { lists: 3, own: Some(0), counts: vec![None], listed_dark: vec![0.0] });
        }
        let mut chain = Chain::new(&model, Stream::new(1, "test/lists", 0));
        chain.run(Length { warm_up: 2_000, sweeps: 40_000, kept: 8_000 }, &|_| ())
    }

    fn share_dependent(states: &[State]) -> f64 {
        states.iter().filter(|state| state.captures.dependent).count() as f64 / states.len() as f64
    }

    #[test]
    fn without_data_the_parameters_keep_their_priors() {
        let states = states(None);
        let dependent = share_dependent(&states);
        assert!((dependent - (1.0 - captures::INDEPENDENT)).abs() < 0.02, "{dependent}");
        let of = |value: &dyn Fn(&State) -> f64| mean_sd(&states.iter().map(value).collect::<Vec<f64>>());
        let (mean, sd) = of(&|state| state.captures.level[1]);
        let prior = captures::LEVEL;
        assert!((mean - prior.mean).abs() < 0.15 && (sd / prior.sd - 1.0).abs() < 0.08, "{mean} {sd}");
        // The mean of a half-normal, where there is a slope.
        let slopes: Vec<f64> = states.iter().filter(|s| s.captures.dependent).map(|s| s.captures.slope[2]).collect();
        assert!((mean_sd(&slopes).0 - 0.798).abs() < 0.04, "{}", mean_sd(&slopes).0);
    }

    /// Histories of 500 buyers of whom the own list names 40%, the others 50% and 30%, with this slope of visibility.
    fn histories(slope: f64) -> Vec<f64> {
        use super::super::super::numeric::{GAUSS_HERMITE, logistic};
        let lists = [0.4_f64, 0.5, 0.3].map(|p| libm::log(p / (1.0 - p)) * captures::conditional(slope));
        (0..8_usize)
            .map(|history| {
                let at = |z: f64| -> f64 {
                    let on = |l: usize| logistic(lists[l] + slope * z);
                    (0..3).map(|l| if history >> l & 1 == 1 { on(l) } else { 1.0 - on(l) }).product()
                };
                let chance: f64 = GAUSS_HERMITE.iter().map(|(z, weight)| weight * at(*z)).sum();
                if history == 0 { 0.0 } else { (500.0 * chance).round() }
            })
            .collect()
    }

    #[test]
    fn whether_lists_depend_is_learnt_and_the_dark_are_where_they_should_be() {
        for (slope, low, high) in [(0.0, 0.0, 0.5), (1.2, 0.8, 1.0)] {
            let counts = histories(slope);
            let dark = 500.0 - counts.iter().enumerate().filter(|(h, _)| h & 1 == 1).map(|(_, n)| n).sum::<f64>();
            let states = states(Some(counts));
            let dependent = share_dependent(&states);
            assert!((low..=high).contains(&dependent), "{slope}: {dependent}");
            let (mean, sd) = mean_sd(&states.iter().map(|state| state.beta[0]).collect::<Vec<f64>>());
            let off = (mean - libm::log(dark)) / sd;
            println!("slope {slope}: depend {dependent:.2}, log dark off by {off:.2} deviations of {sd:.2}");
            assert!(off.abs() < 1.2, "{slope}: {off}");
        }
    }
}
