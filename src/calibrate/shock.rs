//! Territory-month shocks: how much a territory's month differs from what season, trend and its customers say.
//!
//! With `e_jt = Y_jt / mu_jt - 1`, changes rather than levels are looked at, so that slow drifts are not taken for shocks:
//!
//! `e_jt - e_j,t-1 ~ N(0, 2 l_j σ² + (1 - π_j) (v_jt + v_j,t-1))`
//!
//! where `v = φ / mu` is the noise of the orders themselves. `mu` has the months of all territories in it, a territory's own
//! among them: of σ² only `l_j = 1 - 2 π_j + sum_k π_k²` is left, of the noise `1 - π_j`, with π the territories' shares of sales.
//!
//! The product over months is a pairwise composite likelihood (Varin, Reid & Firth 2011): neighbouring changes share a month, so that
//! it counts each observation too often. Its log is divided by the ratio of the scores' variance to what it expects: 1.5 for
//! independent months (a moving average with correlation -1/2: `1 + 2 / 4`), more where territories differ more than that. The
//! posterior is on a grid of σ under the prior.

use crate::calibrate::priors;
use crate::calibrate::sampling::Source;
use crate::scenario::Prior;

/// A territory's months: observed and expected totals.
#[derive(Debug, Clone, Default)]
pub struct Months {
    pub total: Vec<f64>,
    pub expected: Vec<f64>,
}

/// Least σ of the grid; 1 is its largest.
const LEAST: f64 = 0.002;

/// A territory's changes from month to month.
#[derive(Debug, Clone, Default)]
struct Changes {
    /// Squared change, and what its variance is made of: the noise of orders, and a multiple of σ².
    square: Vec<f64>,
    noise: Vec<f64>,
    of_shock: f64,
}

impl Changes {
    fn of(months: &Months, share: f64, squares: f64, order_unit: f64) -> Self {
        let noise = |t: usize| order_unit * (1.0 - share).max(0.05) / months.expected[t];
        let excess = |t: usize| months.total[t] / months.expected[t] - 1.0;
        let usable = |t: usize| months.expected[t] > 0.0 && noise(t) < 0.5;
        let mut out = Self { of_shock: 2.0 * (1.0 - 2.0 * share + squares).max(0.05), ..Self::default() };
        for t in 1..months.total.len() {
            if usable(t) && usable(t - 1) {
                let change = excess(t) - excess(t - 1);
                out.square.push(change * change);
                out.noise.push(noise(t) + noise(t - 1));
            }
        }
        out
    }

    fn log_likelihood(&self, sigma: f64) -> f64 {
        let of = |(square, noise): (&f64, &f64)| {
            let variance = noise + self.of_shock * sigma * sigma + 1e-12;
            -0.5 * (libm::log(variance) + square / variance)
        };
        self.square.iter().zip(&self.noise).map(of).sum()
    }
}

/// How often the composite likelihood counts an observation, at its mode.
fn counted_too_often(territories: &[Changes], sigma: f64) -> f64 {
    /// Of independent months.
    const NEIGHBOURS: f64 = 1.5;
    let step = 0.02;
    let (mut square, mut curvature) = (0.0, 0.0);
    for territory in territories {
        let at = |by: f64| territory.log_likelihood(sigma * libm::exp(by));
        let (down, here, up) = (at(-step), at(0.0), at(step));
        let score = (up - down) / (2.0 * step);
        square += score * score;
        curvature -= (up - 2.0 * here + down) / (step * step);
    }
    let ratio = square / curvature;
    // At the edge of the grid, where nothing but noise was seen, the curve says nothing.
    if ratio.is_finite() && sigma > 1.5 * LEAST { ratio.clamp(NEIGHBOURS, 30.0) } else { NEIGHBOURS }
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
        let sold: Vec<f64> = territories.iter().map(|months| months.total.iter().sum()).collect();
        let all: f64 = sold.iter().sum::<f64>().max(1e-300);
        let squares: f64 = sold.iter().map(|y| (y / all) * (y / all)).sum();
        let changes: Vec<Changes> = territories
            .iter()
            .zip(&sold)
            .map(|(months, sold)| Changes::of(months, sold / all, squares, order_unit))
            .filter(|changes| !changes.square.is_empty())
            .collect();
        let mut out = Self { grid: Vec::new(), below: Vec::new(), prior };
        if changes.len() < 3 || matches!(prior, Prior::Fixed(_)) {
            return out;
        }
        let grid: Vec<f64> =
            (0..=240).map(|k| libm::exp(libm::log(LEAST) + f64::from(k) / 240.0 * libm::log(1.0 / LEAST))).collect();
        let log_likelihood = |sigma: f64| changes.iter().map(|changes| changes.log_likelihood(sigma)).sum::<f64>();
        let logs: Vec<f64> = grid.iter().map(|&sigma| log_likelihood(sigma)).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !top.is_finite() {
            return out;
        }
        let best = logs.iter().position(|&log| log >= top).unwrap_or(0);
        let counted = counted_too_often(&changes, grid[best]);
        let mut mass = 0.0;
        for (&sigma, &log) in grid.iter().zip(&logs) {
            let x = priors::unconstrain(prior, sigma);
            let density = libm::exp((log - top) / counted + priors::log_density(prior, x));
            mass += if density.is_finite() { density } else { 0.0 };
            out.grid.push(sigma);
            out.below.push(mass);
        }
        if mass > 1e-300 {
            out.below.iter_mut().for_each(|below| *below /= mass);
        } else {
            // Prior and data contradict each other: the data's own interval.
            out.grid = vec![grid[best]];
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
