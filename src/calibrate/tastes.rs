//! How much customers differ in how they like us, from a survey of what they buy in all.
//!
//! The log odds of us of customers that buy from us are `a_i ~ N(μ, σ_a²)`; the share of its demand `D_i` that our sales `y_i` make up errs by
//! chance and by the answer:
//!
//! `y_i / D_i ~ N(s_i, s_i (1 - s_i) / N_i + s_i² σ_q²)`, `s_i = 1 / (1 + exp(-a_i))`,
//!
//! with N_i all orders that it makes (ours are a binomial part of them; `N_i = n_i D_i / y_i` with n_i ours) and σ_q the deviation of the log of an
//! answer's error.
//! The log odds of `y / D` themselves would err by `1 / (1 - s)` times as much: where four fifths of the wallet are ours, an answer that is a tenth off
//! moves them by a half. Their spread is mostly error there, and tastes taken from it come out up to half too wide.
//!
//! a_i is integrated out over a grid of the standard normal, μ (flat), log σ_a (normal) and σ_q ([`ANSWERS`]: a survey
//! does not tell its own error from tastes) over grids, in two passes of which the second looks closer.

use crate::calibrate::space::log_odds;
use crate::simulate::mechanisms::choice;

/// Customers that buy from us and were surveyed, from which tastes are believed.
const FEWEST: usize = 8;

/// Deviations of the log of an answer's error, with their weights: an assumption; people are off by 15%, more or less.
const ANSWERS: [(f64, f64); 3] = [(0.08, 0.25), (0.15, 0.5), (0.28, 0.25)];

/// Nodes of the standard normal, from minus [`REACH`] to it.
const NODES: usize = 21;
const REACH: f64 = 3.5;

/// Values of μ and of log σ_a.
const CENTRES: usize = 17;
const SPREADS: usize = 25;

/// A customer that buys from us and said what it buys in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// Our sales over its demand, positive.
    pub part: f64,
    /// Our orders, positive.
    pub orders: f64,
}

/// Orders in months of which so many had one, at orders that come by chance: `-n log(1 - m / n)`, with half a month without where there is none.
pub(crate) fn orders(with: f64, months: f64) -> f64 {
    if with >= months + 0.5 { with } else { (-months * libm::log(1.0 - with / (months + 0.5))).max(1.0) }
}

/// Mean and deviation of the log of the deviation of tastes, its prior (mean, deviation) weighed in. `None` with too few answers.
pub(crate) fn spread_of_tastes(prior: (f64, f64), answers: &[Answer]) -> Option<(f64, f64)> {
    if answers.len() < FEWEST {
        return None;
    }
    let mut parts: Vec<f64> = answers.iter().map(|answer| answer.part).collect();
    parts.sort_unstable_by(f64::total_cmp);
    let centre = log_odds(parts[parts.len() / 2].min(0.95));
    let reach = 6.0 / (answers.len() as f64).sqrt();
    let coarse = posterior(prior, answers, (centre, reach), (prior.0, 3.0 * prior.1))?;
    posterior(prior, answers, (centre, reach), (coarse.0, (4.0 * coarse.1).min(3.0 * prior.1)))
}

/// Mean and deviation of log σ_a over grids of μ and log σ_a, each (middle, reach).
fn posterior(prior: (f64, f64), answers: &[Answer], centre: (f64, f64), spread: (f64, f64)) -> Option<(f64, f64)> {
    let at =
        |(middle, reach): (f64, f64), k: usize, of: usize| middle + reach * (2.0 * k as f64 / (of - 1) as f64 - 1.0);
    let cells = (0..SPREADS).flat_map(|t| (0..CENTRES).flat_map(move |m| ANSWERS.map(|answer| (t, m, answer))));
    let judged: Vec<(f64, f64)> = cells
        .map(|(t, m, (error, weight))| {
            let log_spread = at(spread, t, SPREADS);
            let away = (log_spread - prior.0) / prior.1;
            let fit = log_likelihood(answers, at(centre, m, CENTRES), libm::exp(log_spread), error);
            (log_spread, fit - 0.5 * away * away + libm::log(weight))
        })
        .collect();
    let highest = judged.iter().map(|cell| cell.1).fold(f64::NEG_INFINITY, f64::max);
    let weight = |cell: &(f64, f64)| libm::exp(cell.1 - highest);
    let total: f64 = judged.iter().map(weight).sum();
    let mean = judged.iter().map(|cell| weight(cell) * cell.0).sum::<f64>() / total;
    let variance = judged.iter().map(|cell| weight(cell) * (cell.0 - mean) * (cell.0 - mean)).sum::<f64>() / total;
    (mean.is_finite() && variance > 0.0).then(|| (mean, variance.sqrt()))
}

fn log_likelihood(answers: &[Answer], centre: f64, spread: f64, error: f64) -> f64 {
    let step = 2.0 * REACH / (NODES - 1) as f64;
    // Share and the node's weight.
    let nodes: [(f64, f64); NODES] = std::array::from_fn(|k| {
        let z = step * k as f64 - REACH;
        (choice::share(centre + spread * z, 1.0), step * libm::exp(-0.5 * z * z))
    });
    let of = |answer: &Answer| {
        let all = answer.orders / answer.part;
        let density = |(share, weight): &(f64, f64)| {
            let variance = share * (1.0 - share) / all + share * share * error * error;
            let away = answer.part - share;
            weight * libm::exp(-0.5 * away * away / variance) / variance.sqrt()
        };
        libm::log(nodes.iter().map(density).sum::<f64>().max(1e-300))
    };
    answers.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::{Purpose, Source};
    use crate::stats::mean_sd;

    const PRIOR: (f64, f64) = (-0.223, 0.4);

    /// Answers of customers with this spread of tastes around a share, with orders and errors by chance; few order nothing of us, since who
    /// does not is not among those that buy.
    fn made(share: f64, spread: f64, customers: usize, seed: u64) -> Vec<Answer> {
        let mut source = Source::new(seed, Purpose::Response, 0);
        let centre = libm::log(share / (1.0 - share));
        let mut out = Vec::new();
        while out.len() < customers {
            let share = 1.0 / (1.0 + libm::exp(-(centre + spread * source.normal())));
            let [ours, all] = [share, 1.0].map(|part: f64| 60.0 * part);
            let ours_by_chance = (ours + ours.sqrt() * source.normal()).max(0.0);
            let others = (all - ours + (all - ours).sqrt() * source.normal()).max(0.0);
            if ours_by_chance >= 1.0 {
                let said = (ours_by_chance + others) * libm::exp(0.15 * source.normal());
                out.push(Answer { part: ours_by_chance / said, orders: ours_by_chance });
            }
        }
        out
    }

    #[test]
    fn tastes_are_told_from_chance_and_from_wrong_answers() {
        for (share, spread) in [(0.2, 0.5), (0.2, 1.0), (0.6, 0.5), (0.6, 1.0), (0.75, 0.7)] {
            let found: Vec<(f64, f64)> =
                (0..20).map(|seed| spread_of_tastes(PRIOR, &made(share, spread, 300, seed)).unwrap()).collect();
            let (mean, _) = mean_sd(&found.iter().map(|found| found.0).collect::<Vec<f64>>());
            let within = found.iter().filter(|(mean, sd)| (libm::log(spread) - mean).abs() < 1.645 * sd).count();
            assert!((libm::exp(mean) / spread - 1.0).abs() < 0.15, "{share} {spread}: {}", libm::exp(mean));
            assert!(within >= 14, "{share} {spread}: {within} of 20");
        }
    }

    #[test]
    fn few_answers_leave_the_prior() {
        assert_eq!(spread_of_tastes(PRIOR, &made(0.5, 0.5, 7, 1)), None);
        let (mean, sd) = spread_of_tastes(PRIOR, &made(0.5, 0.5, 8, 1)).unwrap();
        assert!((mean - PRIOR.0).abs() < 1.5 * PRIOR.1 && sd > 0.2 && sd < 0.45, "{mean} {sd}");
    }

    #[test]
    fn months_with_orders_tell_orders() {
        assert!((orders(6.0, 12.0) - 7.84).abs() < 0.01);
        assert!(orders(12.0, 12.0) > 30.0);
        assert_eq!(orders(1_000.0, 12.0), 1_000.0);
    }
}
