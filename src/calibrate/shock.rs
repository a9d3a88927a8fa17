//! Territory-month shocks: how much a territory's month differs from what season, trend and its customers say.
//!
//! With `e_jt = Y_jt / mu_jt - 1` the month-to-month change has variance `2σ² + v_jt + v_j,t-1`, where `v = φ / mu` is the
//! noise of the orders themselves (`mu` has the months of all territories in it, so that of σ² only
//! `1 - 2 π_j + sum_k π_k²` is left, with π the territories' shares of sales); changes rather than levels, so that slow drifts are not taken for shocks. Averaged
//! with weights `1 / (v + σ0²)²` this gives σ² by moments, its error from the spread over territories, and a posterior
//! on a grid of σ under the prior.

use crate::calibrate::priors;
use crate::calibrate::sampling::Source;
use crate::scenario::Prior;

/// A territory's months: observed and expected totals.
#[derive(Debug, Clone, Default)]
pub struct Months {
    pub total: Vec<f64>,
    pub expected: Vec<f64>,
}

/// The posterior of σ on a grid.
#[derive(Debug, Clone)]
pub struct Shock {
    grid: Vec<f64>,
    /// Cumulative probabilities.
    below: Vec<f64>,
    prior: Prior,
}

impl Shock {
    /// Estimates σ; `order_unit` is the variance over the mean of a total's own noise.
    pub fn fit(territories: &[Months], order_unit: f64, prior: Prior) -> Self {
        // A territory's moment estimate of 2σ² with its weight.
        let mut parts: Vec<(f64, f64)> = Vec::new();
        let sold: Vec<f64> = territories.iter().map(|months| months.total.iter().sum()).collect();
        let all: f64 = sold.iter().sum::<f64>().max(1e-300);
        let squares: f64 = sold.iter().map(|y| (y / all) * (y / all)).sum();
        for (months, sold) in territories.iter().zip(&sold) {
            // What all territories have in common was taken out, and with it a part of each one's own shocks.
            let left = (1.0 - 2.0 * sold / all + squares).max(0.05);
            let noise: Vec<f64> =
                months.expected.iter().map(|&mu| if mu > 0.0 { order_unit / mu } else { f64::INFINITY }).collect();
            let excess: Vec<f64> = months
                .total
                .iter()
                .zip(&months.expected)
                .map(|(y, mu)| if *mu > 0.0 { y / mu - 1.0 } else { 0.0 })
                .collect();
            let (mut sum, mut weights) = (0.0, 0.0);
            for t in 1..excess.len() {
                let v = noise[t] + noise[t - 1];
                if v >= 1.0 || v.is_nan() {
                    continue;
                }
                let weight = 1.0 / ((v + 0.005) * (v + 0.005));
                let change = excess[t] - excess[t - 1];
                sum += weight * (change * change - v) / left;
                weights += weight;
            }
            if weights > 0.0 {
                parts.push((sum, weights));
            }
        }
        let weights: f64 = parts.iter().map(|part| part.1).sum();
        let mut out = Self { grid: Vec::new(), below: Vec::new(), prior };
        if parts.len() < 3 || matches!(prior, Prior::Fixed(_)) {
            return out;
        }
        let doubled = parts.iter().map(|part| part.0).sum::<f64>() / weights;
        let n = parts.len() as f64;
        let spread: f64 = parts.iter().map(|(sum, w)| (sum - doubled * w) * (sum - doubled * w)).sum();
        let variance = 0.5 * doubled;
        let se = 0.5 * (spread * n / (n - 1.0)).sqrt() / weights;
        if !(variance.is_finite() && se.is_finite()) {
            return out;
        }
        let mut mass = 0.0;
        for k in 0..=240 {
            let sigma = libm::exp(libm::log(0.002) + f64::from(k) / 240.0 * libm::log(1.0 / 0.002));
            let z = (variance - sigma * sigma) / (se + 1e-5);
            let x = priors::unconstrain(prior, sigma);
            let density = libm::exp(-0.5 * z * z + priors::log_density(prior, x));
            mass += if density.is_finite() { density } else { 0.0 };
            out.grid.push(sigma);
            out.below.push(mass);
        }
        if mass > 1e-300 {
            out.below.iter_mut().for_each(|below| *below /= mass);
        } else {
            // Prior and data contradict each other: the data's own interval.
            out.grid = vec![variance.max(4e-6).sqrt()];
            out.below = vec![1.0];
        }
        out
    }

    /// The data spoke.
    pub fn fitted(&self) -> bool {
        !self.grid.is_empty()
    }

    /// A draw.
    pub fn draw(&self, source: &mut Source) -> f64 {
        if self.grid.is_empty() {
            return priors::draw(self.prior, source).max(0.0);
        }
        let u = source.uniform();
        let k = self.below.partition_point(|&below| below < u).min(self.grid.len() - 1);
        self.grid[k]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;
    use crate::stats::mean_sd;

    const PRIOR: Prior = Prior::Lognormal { median: 0.05, sd: 0.7 };

    fn made(sigma: f64, level: f64) -> Vec<Months> {
        let mut source = Source::new(4, Purpose::Series, 0);
        (0..20)
            .map(|_| {
                let mut months = Months::default();
                let mut drift = 0.0;
                for _ in 0..72 {
                    drift += 0.01 * source.normal();
                    months.expected.push(level);
                    let mean = level * libm::exp(drift + sigma * source.normal());
                    months.total.push(source.poisson(mean));
                }
                months
            })
            .collect()
    }

    #[test]
    fn shocks_come_back_apart_from_drift_and_noise() {
        for (sigma, level) in [(0.1, 400.0), (0.03, 2000.0)] {
            let shock = Shock::fit(&made(sigma, level), 1.0, PRIOR);
            let draws: Vec<f64> = (0..500).map(|d| shock.draw(&mut Source::new(1, Purpose::Series, d))).collect();
            let (mean, sd) = mean_sd(&draws);
            assert!((mean - sigma).abs() < 3.0 * sd + 0.1 * sigma && sd < 0.3 * sigma, "{mean} ± {sd}, truth {sigma}");
        }
    }

    #[test]
    fn one_territory_leaves_the_prior() {
        let shock = Shock::fit(&made(0.1, 400.0)[..1], 1.0, PRIOR);
        assert!(!shock.fitted());
        assert!(shock.draw(&mut Source::new(1, Purpose::Series, 0)) > 0.0);
    }
}
