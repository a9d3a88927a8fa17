//! Customers' own rates: gamma posteriors around a regression, with the past fading.
//!
//! Given the response and the months, own sales of customer i up to today tell of its rate A_i through two sums,
//! `S_i = sum_t δ^(T - t) y_it` and `E_i = sum_t δ^(T - t) relative_t r_it`, and
//!
//! `A_i | data ~ Gamma(α + S_i / φ, α / μ_i + E_i / φ)`, `log μ_i = x_i b`
//!
//! with x_i the customer's attributes and its own mean call level (Mundlak 1978): good customers are called more often.
//! δ is the discount of Harvey & Fernandes (1989) for rates that drift; it is chosen by how well it forecasts one month
//! ahead. α and b come from the sums' negative binomial regression by weighted least squares, α by its Pearson
//! statistic (Breslow 1984).

use nalgebra::{Cholesky, DMatrix, DVector};
use rayon::prelude::*;

use crate::calibrate::observed::Observed;
use crate::calibrate::response::Exposures;
use crate::calibrate::sampling::Source;
use crate::market::Market;

/// Discounts that are tried: half-lives of for ever, 57, 28, 17, 11, 7, 5 and 3 months.
pub const DISCOUNTS: [f64; 8] = [1.0, 0.988, 0.976, 0.96, 0.94, 0.91, 0.87, 0.8];

/// The regression of customers' rates.
#[derive(Debug, Clone)]
pub struct Rates {
    /// `[customer]`: regressors, the constant first.
    design: DMatrix<f64>,
    coefficients: DVector<f64>,
    /// Lower Cholesky factor of the coefficients' covariance.
    root: DMatrix<f64>,
    log_alpha: f64,
    log_alpha_sd: f64,
    /// Names of the regressors.
    pub names: Vec<String>,
}

/// One draw of the prior of customers' rates.
pub struct RatePrior {
    pub alpha: f64,
    /// Prior mean by customer.
    pub mean: Vec<f64>,
}

/// Regressors of customers' rates, centred: call level, segments, size, further numeric attributes.
fn design(market: &Market, observed: &Observed) -> (DMatrix<f64>, Vec<String>) {
    let n = observed.customers;
    let buyers: Vec<usize> = (0..n).filter(|&i| observed.bought[i]).collect();
    let mut names = vec!["constant".to_owned()];
    let mut columns = vec![vec![1.0; n]];
    // A regressor needs at least ten buyers a coefficient to be worth its noise.
    let room = |columns: &[Vec<f64>]| buyers.len() >= 10 * (columns.len() + 1);
    let mut add = |name: String, values: Vec<Option<f64>>, columns: &mut Vec<Vec<f64>>| {
        let known: Vec<f64> = buyers.iter().filter_map(|&i| values[i]).collect();
        if known.len() * 2 < buyers.len() || known.len() < 2 || !room(columns) {
            return;
        }
        let (mean, sd) = crate::stats::mean_sd(&known);
        if sd > 1e-9 && sd.is_finite() {
            // Unknown values are taken to be average.
            columns.push(values.iter().map(|v| v.map_or(0.0, |v| ((v - mean) / sd).clamp(-6.0, 6.0))).collect());
            names.push(name);
        }
    };
    let customers = &market.data.customers;
    if !observed.contacts.is_empty() {
        let level = (0..n).map(|i| Some(libm::log1p(observed.call_level(i)))).collect();
        add("call level".to_owned(), level, &mut columns);
    }
    for (s, name) in customers.segment_names.iter().enumerate().skip(1) {
        let values = customers.segment.iter().map(|segment| Some(f64::from(*segment == Some(s as u16)))).collect();
        add(format!("segment {name}"), values, &mut columns);
    }
    let size = customers.size.iter().map(|size| size.filter(|&s| s > 0.0).map(libm::log)).collect();
    add("log size".to_owned(), size, &mut columns);
    for (name, values) in
        [("affinity", &customers.affinity), ("influence", &customers.influence), ("digital", &customers.digital)]
    {
        add(name.to_owned(), values.clone(), &mut columns);
    }
    for covariate in &customers.covariates {
        add(covariate.name.clone(), covariate.values.clone(), &mut columns);
    }
    (DMatrix::from_fn(n, columns.len(), |i, k| columns[k][i]), names)
}

impl Rates {
    /// Fits the regression to discounted sums of sales and exposures.
    pub fn fit(market: &Market, observed: &Observed, sold: &[f64], exposure: &[f64], order_unit: f64) -> Self {
        let (design, names) = design(market, observed);
        let p = design.ncols();
        let used: Vec<usize> = (0..observed.customers).filter(|&i| observed.bought[i] && exposure[i] > 0.0).collect();
        let total: f64 = used.iter().map(|&i| sold[i]).sum();
        let exposed: f64 = used.iter().map(|&i| exposure[i]).sum();
        let mut coefficients = DVector::zeros(p);
        if total > 0.0 && exposed > 0.0 {
            coefficients[0] = libm::log(total / exposed);
        } else {
            // Nobody has any free month of sales: rates of the order of one order a month are as good as any.
            coefficients[0] = libm::log(order_unit.max(1e-9));
        }
        let centre = coefficients[0];
        let mut alpha = 1.0;
        let mut covariance = DMatrix::identity(p, p);
        let mean = |coefficients: &DVector<f64>, i: usize| {
            let eta: f64 = (0..p).map(|k| design[(i, k)] * coefficients[k]).sum();
            exposure[i] * libm::exp(eta.clamp(centre - 12.0, centre + 12.0))
        };
        for _ in 0..25 {
            // Ridge: slopes N(0, 1) a standard deviation of the regressor, the constant nearly free.
            let mut information = DMatrix::from_diagonal(&DVector::from_fn(p, |k, _| if k == 0 { 0.01 } else { 1.0 }));
            let mut right = DVector::from_fn(p, |k, _| if k == 0 { 0.01 * centre } else { 0.0 });
            for &i in &used {
                let m = mean(&coefficients, i).max(1e-12);
                let weight = m / (order_unit + m / alpha);
                let eta: f64 = (0..p).map(|k| design[(i, k)] * coefficients[k]).sum();
                let z = eta + ((sold[i] - m) / m).clamp(-4.0, 4.0);
                for a in 0..p {
                    right[a] += weight * design[(i, a)] * z;
                    for b in 0..p {
                        information[(a, b)] += weight * design[(i, a)] * design[(i, b)];
                    }
                }
            }
            let Some(factor) = Cholesky::new(information) else { break };
            let next = factor.solve(&right);
            covariance = factor.inverse();
            let moved = (&next - &coefficients).amax();
            coefficients = next;
            alpha = solve_alpha(&used, sold, &|i| mean(&coefficients, i), order_unit, used.len() as f64 - p as f64);
            if moved < 1e-6 {
                break;
            }
        }
        // The Pearson statistic is about N(f, 2f): the shapes at which it is one deviation off bound the shape's error.
        let freedom = (used.len() as f64 - p as f64).max(1.0);
        let off = (2.0 * freedom).sqrt();
        let at = |target: f64| solve_alpha(&used, sold, &|i| mean(&coefficients, i), order_unit, target);
        let log_alpha_sd = if used.len() > p + 2 {
            (0.5 * (libm::log(at(freedom + off)) - libm::log(at((freedom - off).max(0.5)))).abs()).clamp(0.02, 1.0)
        } else {
            1.0
        };
        let root = Cholesky::new(covariance).map_or_else(|| DMatrix::zeros(p, p), |factor| factor.l());
        Self { design, coefficients, root, log_alpha: libm::log(alpha), log_alpha_sd, names }
    }

    /// A draw of the regression.
    pub fn draw(&self, source: &mut Source) -> RatePrior {
        let p = self.coefficients.len();
        let coefficients = &self.coefficients + &self.root * DVector::from_fn(p, |_, _| source.normal());
        let alpha = libm::exp((self.log_alpha + self.log_alpha_sd * source.normal()).clamp(-4.0, 6.0));
        self.prior(&coefficients, alpha)
    }

    /// The regression's centre.
    pub fn centre(&self) -> RatePrior {
        self.prior(&self.coefficients, libm::exp(self.log_alpha))
    }

    fn prior(&self, coefficients: &DVector<f64>, alpha: f64) -> RatePrior {
        let centre = self.coefficients[0];
        let mean = (0..self.design.nrows())
            .map(|i| {
                let eta: f64 = (0..coefficients.len()).map(|k| self.design[(i, k)] * coefficients[k]).sum();
                libm::exp(eta.clamp(centre - 12.0, centre + 12.0))
            })
            .collect();
        RatePrior { alpha, mean }
    }
}

/// The shape at which the Pearson statistic equals `target`; within 0.02 and 400.
fn solve_alpha(used: &[usize], sold: &[f64], mean: &dyn Fn(usize) -> f64, order_unit: f64, target: f64) -> f64 {
    let means: Vec<f64> = used.iter().map(|&i| mean(i).max(1e-12)).collect();
    let statistic = |log_alpha: f64| {
        let alpha = libm::exp(log_alpha);
        used.iter()
            .zip(&means)
            .map(|(&i, m)| (sold[i] - m) * (sold[i] - m) / (order_unit * m + m * m / alpha))
            .sum::<f64>()
    };
    // The statistic rises with the shape: less spread is allowed for.
    let (mut low, mut high) = (libm::log(0.02), libm::log(400.0));
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if statistic(middle) > target { high = middle } else { low = middle }
    }
    libm::exp(0.5 * (low + high))
}

/// What month t still tells about today, by month.
pub fn fading(months: usize, discount: f64) -> Vec<f64> {
    (0..months).map(|t| libm::pow(discount, (months - 1 - t) as f64)).collect()
}

/// Discounted own sales by customer.
pub fn discounted_sales(observed: &Observed, fading: &[f64]) -> Vec<f64> {
    (0..observed.customers).map(|i| observed.sales(i).map(|(t, y)| fading[t] * y).sum()).collect()
}

/// Chooses the discount: each is scored by the log probability it gave every customer's months, one month ahead, over
/// the last three years (or the second half of a shorter history).
pub fn choose_discount(
    observed: &Observed,
    responses: &(dyn Fn(usize) -> Vec<f64> + Sync),
    prior: &RatePrior,
    order_unit: f64,
) -> f64 {
    let months = observed.months;
    let scored_from = months.saturating_sub(36).max(months / 2);
    let scores: Vec<[f64; DISCOUNTS.len()]> = (0..observed.customers)
        .into_par_iter()
        .filter(|&i| observed.bought[i])
        .map(|i| {
            let means = responses(i);
            let mut y = vec![0.0; months];
            for (t, amount) in observed.sales(i) {
                y[t] = amount;
            }
            std::array::from_fn(|d| {
                let discount = DISCOUNTS[d];
                let (mut sold, mut exposed, mut score) = (0.0, 0.0, 0.0);
                for t in 0..months {
                    let here = means[t] / order_unit;
                    if t >= scored_from && here > 0.0 {
                        let shape = prior.alpha + sold;
                        let rate = prior.alpha / prior.mean[i] + exposed;
                        score += log_negative_binomial(y[t] / order_unit, shape, rate, here);
                    }
                    sold = discount * sold + y[t] / order_unit;
                    exposed = discount * exposed + here;
                }
                score
            })
        })
        .collect();
    let total = |d: usize| scores.iter().map(|score| score[d]).sum::<f64>();
    let best = (0..DISCOUNTS.len()).max_by(|&a, &b| total(a).total_cmp(&total(b)).then(b.cmp(&a)));
    best.map_or(1.0, |d| DISCOUNTS[d])
}

/// Log probability of `count` when its Poisson mean is `exposure` x Gamma(shape, rate); counts need not be whole.
pub fn log_negative_binomial(count: f64, shape: f64, rate: f64, exposure: f64) -> f64 {
    let stays = libm::log(rate / (rate + exposure));
    if count <= 0.0 {
        return shape * stays;
    }
    libm::lgamma(shape + count) - libm::lgamma(shape) - libm::lgamma(count + 1.0)
        + shape * stays
        + count * libm::log(exposure / (rate + exposure))
}

/// Shape and rate of the posterior of a customer's rate *at today's goodwill*.
pub fn posterior(prior: &RatePrior, i: usize, sold: f64, exposures: &Exposures, order_unit: f64) -> (f64, f64) {
    let shape = prior.alpha + sold / order_unit;
    let rate = prior.alpha / prior.mean[i] + exposures.exposure[i] / order_unit;
    (shape, rate / exposures.today[i].max(1e-12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_binomial_is_the_integral() {
        let (shape, rate, exposure) = (1.7, 0.8, 2.5);
        for count in [0.0, 1.0, 4.0] {
            let steps = 400_000;
            let mut sum = 0.0;
            for s in 0..steps {
                let a = (f64::from(s) + 0.5) * 40.0 / f64::from(steps);
                let gamma = shape * libm::log(rate) - libm::lgamma(shape) + (shape - 1.0) * libm::log(a) - rate * a;
                let poisson = count * libm::log(exposure * a) - exposure * a - libm::lgamma(count + 1.0);
                sum += libm::exp(gamma + poisson) * 40.0 / f64::from(steps);
            }
            assert!((log_negative_binomial(count, shape, rate, exposure) - sum.ln()).abs() < 1e-5, "{count}");
        }
    }

    #[test]
    fn the_past_fades() {
        let fading = fading(3, 0.5);
        assert_eq!(fading, vec![0.25, 0.5, 1.0]);
    }
}
