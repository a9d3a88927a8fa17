//! Moves of the parameters of the lists: level and slope of each, their local coverage and its spread.

use super::super::captures::{self, CaptureParameters};
use super::{Chain, normal};

impl Chain<'_> {
    /// Moves the parameters of the lists.
    pub(super) fn lists(&mut self) {
        let Some(captures) = &self.model.captures else { return };
        for l in 0..captures.lists {
            for which in 0..2 {
                if which == 0 && captures.own == Some(l) {
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
