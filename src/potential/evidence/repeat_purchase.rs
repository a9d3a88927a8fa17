//! Repeat purchase: who bought once, against who bought twice (Chao 1984; Good 1953).
//!
//! With f1 and f2 customers that ordered in exactly one and two months, at least `f1 (f1 - 1) / (2 (f2 + 1))` more would have
//! ordered at this rate and did not happen to. It counts people who buy *from us*, rarely: a dark customer who has never heard
//! of us is not among them. A floor, shown and not fused (on the open Iowa data it ranges from 16 to 5,935 where 600 are dark).
//! Interval: lognormal, Chao (1987).
//!
//! Beside it a model of the rates: months with an order of a customer are Poisson with a gamma rate (negative binomial;
//! Ehrenberg 1959), seen only when there is one. Mean m and shape k by maximum likelihood of the counts truncated at zero, with
//! log k ~ N(0, 1) and log m ~ N(0, 2^2) as weak priors, since k runs off to 0 where the counts are a log-series; the zero
//! class is `n p0 / (1 - p0)`, `p0 = (1 + m / k)^-k`. Interval: bootstrap of the customers, negative binomial about each. Newer
//! customers had fewer months to order in, which the gamma takes for rarer buying: of the two the larger, and still only buyers
//! of ours.

use std::collections::BTreeMap;

use rand_distr::{Binomial, Distribution as _, Gamma};

use super::super::dark_half::Evidence;
use super::super::numeric::nelder_mead;
use super::super::observed::Observed;
use super::heterogeneity::poisson;
use super::shifted_lognormal;
use crate::rng::Stream;
use crate::stats::Summary;

/// Customers with an order needed for a model of rates.
const ENOUGH: usize = 20;
/// Bootstrap draws.
const RESAMPLED: usize = 200;

pub(super) fn estimate(observed: &Observed) -> Option<Evidence> {
    let orders: Vec<u32> = observed.customers.iter().map(|customer| customer.orders).collect();
    let count = |k: u32| orders.iter().filter(|&&n| n == k).count() as f64;
    let (once, twice) = (count(1), count(2));
    let all: f64 = orders.iter().map(|&n| f64::from(n)).sum();
    let unseen = chao1(once, twice);
    if all <= 0.0 || unseen <= 0.0 {
        return None;
    }
    let variance = chao1_variance(once, twice);
    let sd = libm::log1p(variance / (unseen * unseen)).sqrt();
    Some(Evidence {
        name: "repeat purchase (Chao1)".into(),
        measure: "dark_customers".into(),
        unit: "customers".into(),
        estimate: shifted_lognormal(0.0, libm::log(unseen) - 0.5 * sd * sd, sd),
        remark: format!(
            "a floor, not fused: it counts rare buyers of ours that we happened to miss, not buyers of the category; our \
             order book covers {:.1}% of such orders (Good-Turing)",
            100.0 * (1.0 - once / all)
        ),
    })
}

/// Bias-corrected Chao1 estimate of the unseen.
fn chao1(once: f64, twice: f64) -> f64 {
    once * (once - 1.0) / (2.0 * (twice + 1.0))
}

/// Its variance (EstimateS, equation for the bias-corrected form).
fn chao1_variance(once: f64, twice: f64) -> f64 {
    let next = twice + 1.0;
    once * (once - 1.0) / (2.0 * next)
        + once * (2.0 * once - 1.0) * (2.0 * once - 1.0) / (4.0 * next * next)
        + once * once * twice * (once - 1.0) * (once - 1.0) / (4.0 * next * next * next * next)
}

/// The zero class of a gamma mixture of Poisson rates.
pub(super) fn rates(observed: &Observed, seed: u64) -> Option<Evidence> {
    let counts: Vec<u32> = observed.customers.iter().map(|customer| customer.orders).filter(|&n| n > 0).collect();
    if counts.len() < ENOUGH || counts.iter().all(|&n| n == counts[0]) {
        return None;
    }
    let n = counts.len() as f64;
    let mut table: BTreeMap<u32, f64> = BTreeMap::new();
    counts.iter().for_each(|&n| *table.entry(n).or_default() += 1.0);
    let table: Vec<(f64, f64)> = table.into_iter().map(|(n, customers)| (f64::from(n), customers)).collect();
    let mean = table.iter().map(|(n, customers)| n * customers).sum::<f64>() / n;
    let start = fit(&table, [libm::log(mean), 0.0], 600);
    let mut rng = Stream::new(seed, "potential/repeat purchase", 0);
    let draws: Vec<f64> = (0..RESAMPLED)
        .map(|_| {
            let again = resampled(&table, counts.len() as u64, &mut rng);
            let none = zero(&fit(&again, start, 150));
            let gamma = Gamma::new(n, 1.0).map_or(n, |gamma| gamma.sample(&mut rng));
            poisson(gamma * none / (1.0 - none).max(1e-9), &mut rng)
        })
        .collect();
    Some(Evidence {
        name: "repeat purchase (Poisson-gamma)".into(),
        measure: "dark_customers".into(),
        unit: "customers".into(),
        estimate: Summary::of(&draws)?,
        remark: format!(
            "a floor, not fused: buyers of ours who by chance ordered in no month, from the months with an order of {n:.0} customers (gamma \
             shape {:.2}); not buyers of the category",
            libm::exp(start[1])
        ),
    })
}

/// As many customers drawn again with replacement: a multinomial, count by count given those before.
fn resampled(table: &[(f64, f64)], customers: u64, rng: &mut Stream) -> Vec<(f64, f64)> {
    let (mut left, mut among) = (customers, customers as f64);
    table
        .iter()
        .map(|&(n, with)| {
            let part = if among > 0.0 { (with / among).min(1.0) } else { 1.0 };
            let drawn = Binomial::new(left, part).map_or(0, |binomial| binomial.sample(rng));
            left -= drawn;
            among -= with;
            (n, drawn as f64)
        })
        .collect()
}

/// Log mean and log shape at the mode, from (count, customers).
fn fit(table: &[(f64, f64)], start: [f64; 2], evaluations: usize) -> [f64; 2] {
    nelder_mead(start, [0.3, 0.3], evaluations, |at| {
        let (mean, shape) = (libm::exp(at[0]), libm::exp(at[1]));
        let (on, off) = (libm::log(mean / (mean + shape)), shape * libm::log(shape / (mean + shape)));
        let seen = libm::log((-libm::expm1(off)).max(1e-300));
        let log: f64 = table
            .iter()
            .map(|(n, customers)| {
                customers
                    * (libm::lgamma(n + shape) - libm::lgamma(shape) - libm::lgamma(n + 1.0) + n * on + off - seen)
            })
            .sum();
        -log + 0.5 * at[1] * at[1] + 0.125 * at[0] * at[0]
    })
}

/// Probability of no order.
fn zero(at: &[f64; 2]) -> f64 {
    let (mean, shape) = (libm::exp(at[0]), libm::exp(at[1]));
    libm::exp(shape * libm::log(shape / (mean + shape)))
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::ObservedCustomer;
    use super::*;

    #[test]
    fn customers_drawn_again_are_a_multinomial() {
        let table = [(1.0, 50.0), (2.0, 30.0), (7.0, 20.0)];
        let mut rng = Stream::new(1, "test/multinomial", 0);
        let draws: Vec<Vec<(f64, f64)>> = (0..20_000).map(|_| resampled(&table, 100, &mut rng)).collect();
        assert!(draws.iter().all(|draw| draw.iter().map(|(_, with)| with).sum::<f64>() == 100.0));
        for (cell, (_, with)) in table.iter().enumerate() {
            let (mean, sd) = crate::stats::mean_sd(&draws.iter().map(|draw| draw[cell].1).collect::<Vec<_>>());
            let wanted = (with * (1.0 - with / 100.0)).sqrt();
            assert!((mean - with).abs() < 0.15 && (sd / wanted - 1.0).abs() < 0.03, "{cell}: {mean} {sd}");
        }
    }

    #[test]
    fn chao1_by_hand() {
        // 10 seen once, 4 twice: 10 * 9 / (2 * 5) = 9.
        assert_eq!(chao1(10.0, 4.0), 9.0);
        let customers = |n: usize, orders: u32| vec![ObservedCustomer { orders, ..Default::default() }; n];
        let observed =
            Observed { customers: [customers(10, 1), customers(4, 2), customers(6, 7)].concat(), ..Default::default() };
        let evidence = estimate(&observed).unwrap();
        assert!((evidence.estimate.mean - 9.0).abs() < 1e-9);
        // Good-Turing: 1 - 10 / (10 + 8 + 42).
        assert!(evidence.remark.contains("83.3%"), "{}", evidence.remark);
        assert!(estimate(&Observed { customers: customers(5, 3), ..Default::default() }).is_none());
    }

    #[test]
    fn the_zero_class_of_a_negative_binomial_is_found() {
        // 2,000 customers, mean 3, shape 0.8: (0.8 / 3.8)^0.8 = 28.8% never order, 575.
        let (mean, shape) = (3.0_f64, 0.8_f64);
        let probability = |n: u32| {
            let n = f64::from(n);
            libm::exp(
                libm::lgamma(n + shape) - libm::lgamma(shape) - libm::lgamma(n + 1.0)
                    + n * (mean / (mean + shape)).ln()
                    + shape * (shape / (mean + shape)).ln(),
            )
        };
        let customers = (1..60)
            .flat_map(|orders| {
                let count = (2000.0 * probability(orders)).round() as usize;
                vec![ObservedCustomer { orders, ..Default::default() }; count]
            })
            .collect();
        let evidence = rates(&Observed { customers, ..Default::default() }, 1).unwrap();
        let truth = 2000.0 * probability(0);
        assert!((truth - 575.0).abs() < 2.0);
        let s = evidence.estimate;
        assert!((s.q50 / truth - 1.0).abs() < 0.15 && s.q05 < truth && s.q95 > truth, "{s:?}");
    }
}
