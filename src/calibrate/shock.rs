//! Territory-month shocks: how much a territory's month differs from what season, trend and its customers say.
//!
//! With `e_jt = Y_jt / mu_jt - 1`, changes rather than levels are looked at, so that slow drifts are not taken for shocks:
//!
//! `e_jt - e_j,t-1 ~ N(0, 2 l_j σ² + (1 - π_j) (v_jt + v_j,t-1))`
//!
//! where `v = φ / mu` is the noise of the orders themselves. `mu` has the months of all territories in it, a territory's own
//! among them: of σ² only `l_j = 1 - 2 π_j + sum_k π_k²` is left, of the noise `1 - π_j`, with π the territories' shares of sales.
//!
//! Where a panel gives the category of a territory and we sell there, both are looked at together: a shock of demand moves both, the
//! panel's error of measurement (an audit is a sample) only the one, a rival's campaign in the territory only the other. With ν
//! and ω the deviations of these,
//!
//! `Var = 2 l σ² + 2 ν² + noise` (panel), `2 l' σ² + 2 ω² + noise'` (own), `Cov = 2 l'' σ² + noise`, `l'' = 1 - π_j - π'_j + sum_k π_k π'_k`,
//!
//! since our orders are a part of the category's: what they scatter is in both, `φ own / (own x category) = φ / category`. A large customer
//! that closes moves both at once, and for good: the rare changes that no shock makes are left out. ν and ω are a territory's own, since in a
//! small one customers that open and close move the panel more: taken as common, what they are too small for passes for shocks. How they are
//! distributed over territories is learnt on a grid, the likeliest distribution for each σ (Kiefer & Wolfowitz 1956, by the EM of Laird 1978).
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
    /// 0 in a month that says nothing.
    pub expected: Vec<f64>,
}

/// Least σ of the grid; 1 is its largest.
const LEAST: f64 = 0.002;

/// Points of the grid of ν and of ω.
const OTHER: [f64; 10] = [0.0, 0.004, 0.008, 0.012, 0.018, 0.027, 0.04, 0.06, 0.12, 0.25];

/// Squared distance from which a change is left out: one in a hundred of a bivariate normal.
const FARTHEST: f64 = 9.21;

/// Times that it is looked for them: what is far off hides others at first.
const TRIMS: usize = 4;

/// Months in which both speak that a territory has at least.
const FEWEST: f64 = 12.0;

/// Months whose orders scatter by more than this variance say nothing.
const NOISIEST: f64 = 0.5;

impl Months {
    fn sold(&self) -> f64 {
        self.total.iter().sum()
    }

    /// Noise of the orders of a month; `None` where it says nothing.
    fn noise(&self, t: usize, share: f64, order_unit: f64) -> Option<f64> {
        let noise = order_unit * (1.0 - share).max(0.05) / self.expected[t];
        (self.expected[t] > 0.0 && noise < NOISIEST).then_some(noise)
    }

    /// Change from the month before with the variance of its noise.
    fn change(&self, t: usize, share: f64, order_unit: f64) -> Option<(f64, f64)> {
        let noise = self.noise(t, share, order_unit)? + self.noise(t - 1, share, order_unit)?;
        let excess = |t: usize| self.total[t] / self.expected[t] - 1.0;
        Some((excess(t) - excess(t - 1), noise))
    }
}

/// Deviations.
#[derive(Debug, Clone, Copy)]
struct Deviations {
    shock: f64,
    /// Of the panel's error, and of what only our own sales have.
    others: [f64; 2],
}

/// A territory's changes from month to month, of one series or of two.
trait Changes {
    fn log_likelihood(&self, at: Deviations) -> f64;
}

/// Of one series.
#[derive(Debug, Clone, Default)]
struct Alone {
    /// Squared change, and what its variance is made of: the noise of orders, and a multiple of σ².
    square: Vec<f64>,
    noise: Vec<f64>,
    of_shock: f64,
}

impl Alone {
    fn of(months: &Months, share: f64, squares: f64, order_unit: f64) -> Self {
        let mut out = Self { of_shock: 2.0 * (1.0 - 2.0 * share + squares).max(0.05), ..Self::default() };
        for (change, noise) in (1..months.total.len()).filter_map(|t| months.change(t, share, order_unit)) {
            out.square.push(change * change);
            out.noise.push(noise);
        }
        out
    }
}

impl Changes for Alone {
    fn log_likelihood(&self, at: Deviations) -> f64 {
        let of = |(square, noise): (&f64, &f64)| {
            let variance = noise + self.of_shock * at.shock * at.shock + 1e-12;
            -0.5 * (libm::log(variance) + square / variance)
        };
        self.square.iter().zip(&self.noise).map(of).sum()
    }
}

/// Of the panel and of our own sales in the months in which both speak, summed up: their noise hardly differs from month to month.
#[derive(Debug, Clone, Default)]
struct Both {
    changes: Vec<Pair>,
    number: f64,
    /// Sums of squares and of products, and mean noise.
    squares: [f64; 2],
    products: f64,
    noise: [f64; 2],
    /// Multiples of σ²: of the variances, of the covariance.
    of_shock: [f64; 2],
    together: f64,
}

/// Changes of a month, and the variances of their noise.
#[derive(Debug, Clone, Copy)]
struct Pair {
    change: [f64; 2],
    noise: [f64; 2],
}

/// Of a bivariate normal.
#[derive(Debug, Clone, Copy)]
struct Moments {
    variances: [f64; 2],
    covariance: f64,
}

impl Moments {
    fn determinant(&self) -> f64 {
        (self.variances[0] * self.variances[1] - self.covariance * self.covariance).max(1e-300)
    }

    /// Squared distance of numbers with these squares and this product, or its sum over several with these sums.
    fn distance(&self, squares: [f64; 2], product: f64) -> f64 {
        let [first, second] = self.variances;
        (second * squares[0] + first * squares[1] - 2.0 * self.covariance * product) / self.determinant()
    }
}

impl Both {
    /// Sums up some of the changes.
    fn sum(&mut self, changes: &[Pair]) {
        (self.number, self.squares, self.products, self.noise) = (0.0, [0.0; 2], 0.0, [0.0; 2]);
        for pair in changes {
            self.number += 1.0;
            self.products += pair.change[0] * pair.change[1];
            for k in 0..2 {
                self.squares[k] += pair.change[k] * pair.change[k];
                self.noise[k] += pair.noise[k];
            }
        }
    }

    /// Variances and covariance of a month's changes.
    fn moments(&self, at: Deviations, noise: [f64; 2]) -> Moments {
        let square = at.shock * at.shock;
        let variance = |k: usize| self.of_shock[k] * square + 2.0 * at.others[k] * at.others[k] + noise[k] + 1e-12;
        Moments { variances: [variance(0), variance(1)], covariance: self.together * square + noise[0] }
    }

    /// Leaves out changes that no shock of these deviations makes but once in a hundred months, and makes up for those it does make.
    fn trimmed(&mut self, at: Deviations) {
        let near = |pair: &&Pair| {
            let [x, y] = pair.change;
            self.moments(at, pair.noise).distance([x * x, y * y], x * y) < FARTHEST
        };
        let near: Vec<Pair> = self.changes.iter().filter(near).copied().collect();
        self.sum(&near);
        // Of a bivariate normal cut off at a squared distance d the variance is 1 - d / 2 exp(-d / 2) / (1 - exp(-d / 2)) of its own.
        let beyond = libm::exp(-FARTHEST / 2.0);
        let kept = 1.0 - FARTHEST / 2.0 * beyond / (1.0 - beyond);
        self.squares.iter_mut().chain([&mut self.products]).for_each(|sum| *sum /= kept);
    }
}

impl Changes for Both {
    fn log_likelihood(&self, at: Deviations) -> f64 {
        let moments = self.moments(at, self.noise.map(|noise| noise / self.number));
        -0.5 * (self.number * libm::log(moments.determinant()) + moments.distance(self.squares, self.products))
    }
}

/// How often the composite likelihood counts an observation, at its mode: `at` by territory.
fn counted_too_often<C: Changes>(territories: &[C], at: &[Deviations]) -> f64 {
    /// Of independent months.
    const NEIGHBOURS: f64 = 1.5;
    let step = 0.02;
    let (mut square, mut curvature) = (0.0, 0.0);
    for (territory, at) in territories.iter().zip(at) {
        let moved =
            |by: f64| territory.log_likelihood(Deviations { shock: at.shock * libm::exp(by), others: at.others });
        let (down, here, up) = (moved(-step), moved(0.0), moved(step));
        let score = (up - down) / (2.0 * step);
        square += score * score;
        curvature -= (up - 2.0 * here + down) / (step * step);
    }
    let ratio = square / curvature;
    // At the edge of the grid, where nothing but noise was seen, the curve says nothing.
    let inside = at.first().is_some_and(|at| at.shock > 1.5 * LEAST);
    if ratio.is_finite() && inside { ratio.clamp(NEIGHBOURS, 30.0) } else { NEIGHBOURS }
}

/// Points of the grid of σ.
fn grid() -> Vec<f64> {
    (0..=240).map(|k| libm::exp(libm::log(LEAST) + f64::from(k) / 240.0 * libm::log(1.0 / LEAST))).collect()
}

/// Log likelihoods by σ, territory and the other deviations.
fn logs<C: Changes>(changes: &[C], others: &[[f64; 2]]) -> Vec<Vec<Vec<f64>>> {
    let row = |shock: f64, changes: &C| {
        others.iter().map(|&others| changes.log_likelihood(Deviations { shock, others })).collect()
    };
    grid().into_iter().map(|shock| changes.iter().map(|changes| row(shock, changes)).collect()).collect()
}

/// Log of the likelihood of σ with the likeliest distribution of the other deviations over territories, and that distribution; all logs
/// divided by `counted`.
fn mixture(rows: &[Vec<f64>], counted: f64) -> (f64, Vec<f64>) {
    /// Steps of EM: far from the end of its long way the distribution is smoother, and σ hardly moves any more.
    const STEPS: usize = 20;
    let cells = rows.first().map_or(0, Vec::len);
    let mut shares = vec![1.0 / cells.max(1) as f64; cells];
    let mut top = 0.0;
    let likely: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            top += highest / counted;
            row.iter().map(|log| libm::exp((log - highest) / counted)).collect()
        })
        .collect();
    let of = |shares: &[f64], row: &[f64]| shares.iter().zip(row).map(|(share, x)| share * x).sum::<f64>();
    let steps = if cells > 1 { STEPS } else { 0 };
    for _ in 0..steps {
        let mut next = vec![0.0; cells];
        for row in &likely {
            let all = of(&shares, row) * likely.len() as f64;
            next.iter_mut().zip(&shares).zip(row).for_each(|((next, share), x)| *next += share * x / all);
        }
        shares = next;
    }
    (top + likely.iter().map(|row| libm::log(of(&shares, row))).sum::<f64>(), shares)
}

/// The likeliest deviations by territory, and where on the grid their σ stands.
fn best(logs: &[Vec<Vec<f64>>], others: &[[f64; 2]]) -> Option<(usize, Vec<Deviations>)> {
    let all = logs.iter().map(|rows| mixture(rows, 1.0)).enumerate();
    let (at, (_, shares)) = all.filter(|(_, found)| found.0.is_finite()).max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
    let shock = grid()[at];
    let of = |row: &Vec<f64>| {
        let weights = row.iter().zip(&shares).map(|(log, share)| log + libm::log(share.max(1e-300)));
        let (other, _) = weights.enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Deviations { shock, others: others[other] })
    };
    Some((at, logs[at].iter().map(of).collect::<Option<_>>()?))
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
        let all: f64 = territories.iter().map(Months::sold).sum::<f64>().max(1e-300);
        let share = |months: &Months| months.sold() / all;
        let squares: f64 = territories.iter().map(|months| share(months) * share(months)).sum();
        let changes: Vec<Alone> = territories
            .iter()
            .map(|months| Alone::of(months, share(months), squares, order_unit))
            .filter(|changes| !changes.square.is_empty())
            .collect();
        Self::on_grid(&changes, &[[0.0; 2]], prior)
    }

    /// The same from the panel's category and our own sales in the territories of `places`; `own` are ours of all territories.
    pub fn of_both(panel: &[Months], places: &[usize], own: &[Months], order_unit: f64, prior: Prior) -> Self {
        let sum = |of: &[Months]| of.iter().map(Months::sold).sum::<f64>().max(1e-300);
        let (all_panel, all_own) = (sum(panel), sum(own));
        let shares: Vec<[f64; 2]> = panel
            .iter()
            .zip(places)
            .map(|(months, &place)| [months.sold() / all_panel, own[place].sold() / all_own])
            .collect();
        let squares = [
            shares.iter().map(|share| share[0] * share[0]).sum::<f64>(),
            own.iter().map(|months| (months.sold() / all_own) * (months.sold() / all_own)).sum(),
        ];
        let products: f64 = shares.iter().map(|share| share[0] * share[1]).sum();
        let mut changes: Vec<Both> = panel
            .iter()
            .zip(places)
            .zip(&shares)
            .map(|((panel, &place), share)| {
                let left = |k: usize| 2.0 * (1.0 - 2.0 * share[k] + squares[k]).max(0.05);
                let together = 2.0 * (1.0 - share[0] - share[1] + products).max(0.05);
                let pair = |t: usize| {
                    let (x, noise_x) = panel.change(t, share[0], order_unit)?;
                    let (y, noise_y) = own[place].change(t, share[1], order_unit)?;
                    Some(Pair { change: [x, y], noise: [noise_x, noise_y] })
                };
                let changes: Vec<Pair> = (1..panel.total.len()).filter_map(pair).collect();
                let mut out = Both { of_shock: [left(0), left(1)], together, ..Both::default() };
                out.sum(&changes);
                Both { changes, ..out }
            })
            .filter(|changes| changes.number >= FEWEST)
            .collect();
        let others: Vec<[f64; 2]> = OTHER.iter().flat_map(|&nu| OTHER.map(|omega| [nu, omega])).collect();
        for _ in 0..TRIMS {
            if let Some((_, best)) = best(&logs(&changes, &others), &others) {
                changes.iter_mut().zip(best).for_each(|(changes, at)| changes.trimmed(at));
                changes.retain(|changes| changes.number > 0.0);
            }
        }
        Self::on_grid(&changes, &others, prior)
    }

    fn on_grid<C: Changes>(changes: &[C], others: &[[f64; 2]], prior: Prior) -> Self {
        let mut out = Self { grid: Vec::new(), below: Vec::new(), prior };
        if changes.len() < 3 || matches!(prior, Prior::Fixed(_)) {
            return out;
        }
        let (grid, logs) = (grid(), logs(changes, others));
        let Some((best, at)) = best(&logs, others) else { return out };
        let counted = counted_too_often(changes, &at);
        let logs: Vec<f64> = logs.iter().map(|rows| mixture(rows, counted).0).collect();
        let top = logs.iter().copied().filter(|log| log.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        let mut mass = 0.0;
        for (&sigma, log) in grid.iter().zip(&logs) {
            let log_prior = priors::log_density(prior, priors::unconstrain(prior, sigma));
            let density = libm::exp(log - top + log_prior);
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
    fn the_panels_error_and_campaigns_in_a_territory_are_no_shocks() {
        // Orders scatter by as much as the shocks do.
        let (sigma, error, campaign, level) = (0.03, 0.02, 0.06, 1000.0);
        let mut source = Source::new(9, Purpose::Series, 0);
        let (mut panel, mut own) = (vec![Months::default(); 20], vec![Months::default(); 20]);
        for j in 0..20 {
            for _ in 0..72 {
                let shock = sigma * source.normal();
                let (seen, pushed) = (error * source.normal(), campaign * source.normal());
                let demand = level * libm::exp(shock);
                let ours = source.poisson(0.25 * demand * libm::exp(pushed));
                let others = source.poisson(demand * (1.0 - 0.25 * libm::exp(pushed)));
                panel[j].expected.push(level);
                panel[j].total.push((ours + others) * libm::exp(seen));
                own[j].expected.push(level / 4.0);
                own[j].total.push(ours);
            }
        }
        let places: Vec<usize> = (0..20).collect();
        let of = |shock: &Shock| {
            mean_sd(&(0..500).map(|d| shock.draw(&mut Source::new(1, Purpose::Series, d))).collect::<Vec<f64>>())
        };
        let (mean, sd) = of(&Shock::of_both(&panel, &places, &own, 1.0, PRIOR));
        assert!((mean - sigma).abs() < 2.5 * sd && sd < 0.15 * sigma, "{mean} ± {sd}, truth {sigma}");
        // In every territory two months are missing by half, in both.
        let (mut fewer_panel, mut fewer_own) = (panel.clone(), own.clone());
        for months in fewer_panel.iter_mut().chain(&mut fewer_own) {
            [20, 50].into_iter().for_each(|t| months.total[t] *= 0.5);
        }
        let (mean, sd) = of(&Shock::of_both(&fewer_panel, &places, &fewer_own, 1.0, PRIOR));
        assert!((mean - sigma).abs() < 3.0 * sd && sd < 0.2 * sigma, "{mean} ± {sd}, truth {sigma}");
        // Each series alone takes its own noise for shocks.
        for alone in [&panel, &own] {
            let (mean, sd) = of(&Shock::fit(alone, 1.0, PRIOR));
            assert!(mean > sigma + 3.0 * sd, "{mean} ± {sd}");
        }
    }

    #[test]
    fn one_territory_leaves_the_prior() {
        let shock = Shock::fit(&made(0.1, 400.0)[..1], 1.0, PRIOR);
        assert!(!shock.fitted());
        assert!(shock.draw(&mut Source::new(1, Purpose::Series, 0)) > 0.0);
    }
}
