//! Who still buys from us: silence measured against a customer's own rhythm of ordering.
//!
//! The beta-geometric / beta-Bernoulli model (Fader, Hardie & Shang 2010, "Customer-base analysis in a discrete-time
//! noncontractual setting") with one hazard of leaving: each month a customer that still buys from us orders with its
//! own probability p ~ Beta(a, b), and before each month it leaves for good with the hazard d. A customer with x months
//! with orders after its first, the last of them t_x months after the first, watched for n months has the likelihood
//!
//! `B(a + x, b + n - x) / B(a, b) (1 - d)^n + sum_{i = 0}^{n - t_x - 1} B(a + x, b + t_x - x + i) / B(a, b) d (1 - d)^(t_x + i)`
//!
//! The first order itself is not counted: it is how the customer got into the data. Customers of equal (x, t_x, n) share
//! one evaluation.
//!
//! Before the first order the same idea runs backwards: a customer known since before the history either bought from us
//! all along and happened to be silent, or was won later.

use std::collections::BTreeMap;

use nalgebra::DVector;

use crate::calibrate::laplace;
use crate::calibrate::priors;
use crate::calibrate::sampling::Source;
use crate::scenario::Prior;

/// What is seen of a customer's orders after its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rhythm {
    /// Months with orders after the first.
    pub orders: u16,
    /// Months from the first order to the last.
    pub last: u16,
    /// Months from the first order to the end of the watch (closing, or the end of the history).
    pub watched: u16,
}

/// The fitted model.
#[derive(Debug, Clone)]
pub struct Alive {
    /// Beta parameters of a month's probability of an order.
    pub a: f64,
    pub b: f64,
    /// Hazard of leaving, at the mode.
    pub churn: f64,
    /// Draws of the hazard.
    pub churn_draws: Vec<f64>,
    /// How well the draws could be made (see [`laplace::Sample`]).
    pub efficiency: f64,
}

/// Log likelihood of a rhythm.
pub fn log_likelihood(rhythm: Rhythm, a: f64, b: f64, churn: f64) -> f64 {
    let (x, last, n) = (f64::from(rhythm.orders), f64::from(rhythm.last), f64::from(rhythm.watched));
    let stay = libm::log1p(-churn);
    // B(a + x, b + last - x) / B(a, b) (1 - d)^last, common to all terms.
    let common = log_beta(a + x, b + last - x) - log_beta(a, b) + last * stay;
    let silence = rhythm.watched - rhythm.last;
    // Ratios B(a + x, b + last - x + i) / B(a + x, b + last - x) by recurrence.
    let (mut ratio, mut sum) = (1.0, 0.0);
    for i in 0..silence {
        sum += ratio * churn;
        let i = f64::from(i);
        ratio *= (b + last - x + i) / (a + b + last + i) * (1.0 - churn);
    }
    let _ = n;
    common + libm::log(sum + ratio)
}

fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

impl Alive {
    /// Fits the model; `draws` draws of the hazard. Without customers the hazard is its prior.
    pub fn fit(rhythms: &[Rhythm], prior: Prior, draws: usize, source: &mut Source) -> Self {
        let mut counted: BTreeMap<Rhythm, f64> = BTreeMap::new();
        for &rhythm in rhythms.iter().filter(|rhythm| rhythm.watched > 0) {
            *counted.entry(rhythm).or_insert(0.0) += 1.0;
        }
        // Coordinates: log odds of the mean order probability, log of a + b, and the hazard on its prior's line.
        let unpack = |x: &DVector<f64>| {
            let p = 1.0 / (1.0 + libm::exp(-x[0]));
            let size = libm::exp(x[1].clamp(-5.0, 8.0));
            (p * size, (1.0 - p) * size, priors::constrain(prior, x[2]).clamp(1e-7, 0.5))
        };
        let density = |x: &DVector<f64>| {
            let (a, b, churn) = unpack(x);
            // p: logistic(0, 1.5)-like; a + b ~ LN(log 4, 1.2): customers differ a lot in every published data set.
            let size = (x[1] - libm::log(4.0)) / 1.2;
            let hyper = -0.5 * (x[0] / 2.0) * (x[0] / 2.0) - 0.5 * size * size;
            let data: f64 = counted.iter().map(|(&rhythm, count)| count * log_likelihood(rhythm, a, b, churn)).sum();
            data + hyper + priors::log_density(prior, x[2])
        };
        let mean = priors::moments(prior).0;
        let start = DVector::from_vec(vec![-0.5, libm::log(4.0), priors::unconstrain(prior, mean)]);
        let enough = (counted.values().sum::<f64>()).max(1.0).sqrt();
        let scale = [2.0 / enough + 0.01, 1.2 / enough + 0.02, 0.8 / enough.sqrt() + 0.02];
        let mut mode = laplace::mode(&density, start, &scale);
        if counted.is_empty() {
            // Nothing to learn: widths of the prior.
            mode = laplace::mode(&density, mode.at, &[2.0, 1.2, 0.8]);
        }
        let sample = laplace::sample(&density, &mode, draws, draws.max(200), source);
        let (a, b, churn) = unpack(&mode.at);
        Self {
            a,
            b,
            churn,
            churn_draws: sample.draws.iter().map(|x| unpack(x).2).collect(),
            efficiency: sample.efficiency,
        }
    }

    /// Probability that a customer still bought from us `0..=silence` months after its last order, given that it stayed
    /// silent to the end of the watch.
    pub fn still_buying(&self, rhythm: Rhythm) -> Vec<f64> {
        let (x, last) = (f64::from(rhythm.orders), f64::from(rhythm.last));
        let silence = rhythm.watched.saturating_sub(rhythm.last);
        // `left[i]`: left right after i silent months; the remainder never left.
        let mut left = Vec::with_capacity(usize::from(silence));
        let mut ratio = 1.0;
        for i in 0..silence {
            left.push(ratio * self.churn);
            let i = f64::from(i);
            ratio *= (self.b + last - x + i) / (self.a + self.b + last + i) * (1.0 - self.churn);
        }
        let total = left.iter().sum::<f64>() + ratio;
        let mut alive = Vec::with_capacity(usize::from(silence) + 1);
        let mut gone = 0.0;
        alive.push(1.0);
        for share in left {
            gone += share;
            alive.push((1.0 - gone / total).clamp(0.0, 1.0));
        }
        alive
    }

    /// Probability that a customer already bought from us in each month before its first order.
    ///
    /// `silent` months lie between the time since which we know the customer and its first order; `from_start`: it was
    /// known before the history began, so it may have bought all along. `conversion` is the hazard of being won.
    pub fn already_buying(&self, rhythm: Rhythm, silent: usize, from_start: bool, conversion: f64) -> Vec<f64> {
        let quiet = 1.0 - (self.a + f64::from(rhythm.orders)) / (self.a + self.b + f64::from(rhythm.last));
        let all_along = if from_start { 0.5 } else { 0.0 };
        // `won[s]`: won at the start of month s, then silent until the first order in month `silent`.
        let mut weights = vec![all_along * libm::pow(quiet, silent as f64)];
        for s in 0..=silent {
            let waited = libm::pow(1.0 - conversion, s as f64) * conversion;
            weights.push((1.0 - all_along) * waited * libm::pow(quiet, (silent - s) as f64));
        }
        let total: f64 = weights.iter().sum();
        let mut sum = weights[0];
        // Entry t counts those won strictly before month t: the month in which one is won is no free observation.
        let mut out = Vec::with_capacity(silent + 1);
        for s in 0..=silent {
            out.push(if total > 0.0 { (sum / total).clamp(0.0, 1.0) } else { 0.0 });
            sum += weights[s + 1];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;
    use crate::stats::mean_sd;

    const PRIOR: Prior = Prior::Lognormal { median: 0.008, sd: 0.8 };

    /// Customers that order with their own probability and leave with a hazard.
    fn customers(n: usize, a: f64, b: f64, churn: f64, watched: u16, seed: u64) -> (Vec<Rhythm>, Vec<bool>) {
        let mut source = Source::new(seed, Purpose::Alive, 0);
        (0..n)
            .map(|_| {
                let p = source.beta(a, b);
                let (mut alive, mut orders, mut last) = (true, 0, 0);
                for t in 1..=watched {
                    alive &= source.uniform() >= churn;
                    if alive && source.uniform() < p {
                        orders += 1;
                        last = t;
                    }
                }
                (Rhythm { orders, last, watched }, alive)
            })
            .unzip()
    }

    #[test]
    fn likelihood_is_the_sum_over_all_histories() {
        // Brute force: numeric integration over p of the probability of one given pattern of orders.
        let (a, b, churn) = (1.3, 2.1, 0.07);
        let rhythm = Rhythm { orders: 2, last: 4, watched: 7 };
        let nodes = 40_000;
        let mut sum = 0.0;
        for i in 0..nodes {
            let p = (i as f64 + 0.5) / nodes as f64;
            let density = libm::exp((a - 1.0) * libm::log(p) + (b - 1.0) * libm::log(1.0 - p) - log_beta(a, b));
            let stay: f64 = 1.0 - churn;
            let mut pattern = 0.0;
            for left_after in 4..=7_i32 {
                let leaves = if left_after < 7 { churn } else { 1.0 };
                pattern += stay.powi(left_after) * leaves * p.powi(2) * (1.0 - p).powi(left_after - 2);
            }
            sum += density * pattern / nodes as f64;
        }
        assert!((log_likelihood(rhythm, a, b, churn) - sum.ln()).abs() < 1e-5);
    }

    #[test]
    fn the_hazard_comes_back_and_silence_is_read_right() {
        let (rhythms, alive) = customers(3000, 1.0, 2.0, 0.015, 60, 5);
        let fit = Alive::fit(&rhythms, PRIOR, 400, &mut Source::new(1, Purpose::Alive, 1));
        let (mean, sd) = mean_sd(&fit.churn_draws);
        assert!((mean - 0.015).abs() < 3.5 * sd && sd < 0.002, "{mean} ± {sd}");
        // Calibration of P(alive): of all customers the expected number is alive.
        let expected: f64 = rhythms.iter().map(|&r| fit.still_buying(r).last().copied().unwrap()).sum();
        let truth = alive.iter().filter(|&&a| a).count() as f64;
        assert!((expected / truth - 1.0).abs() < 0.05, "{expected} of {truth}");
    }

    #[test]
    fn a_slow_customer_is_given_more_time() {
        let model = Alive { a: 1.0, b: 2.0, churn: 0.01, churn_draws: vec![], efficiency: 1.0 };
        let fast = model.still_buying(Rhythm { orders: 45, last: 48, watched: 60 });
        let slow = model.still_buying(Rhythm { orders: 4, last: 48, watched: 60 });
        assert!(fast[12] < 0.05 && slow[12] > 0.6, "{} {}", fast[12], slow[12]);
    }

    #[test]
    fn nobody_means_the_prior() {
        let fit = Alive::fit(&[], PRIOR, 2000, &mut Source::new(1, Purpose::Alive, 1));
        let mut draws = fit.churn_draws;
        draws.sort_unstable_by(f64::total_cmp);
        assert!((draws[1000] / 0.008 - 1.0).abs() < 0.15, "{}", draws[1000]);
    }

    #[test]
    fn before_the_first_order() {
        let model = Alive { a: 1.0, b: 1.0, churn: 0.01, churn_draws: vec![], efficiency: 1.0 };
        // Orders nearly every month: ten silent months before the first order mean that it was won only then.
        let fast = model.already_buying(Rhythm { orders: 40, last: 42, watched: 44 }, 10, true, 0.03);
        assert!(fast[0] < 0.01 && fast.len() == 11);
        // Known since the month of its first order: no free observation.
        assert_eq!(model.already_buying(Rhythm { orders: 4, last: 9, watched: 9 }, 0, false, 0.03), vec![0.0]);
        assert_eq!(model.already_buying(Rhythm { orders: 4, last: 9, watched: 9 }, 0, true, 0.03).len(), 1);
    }
}
