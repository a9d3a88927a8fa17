//! Where to try a strategy first, for how long, and what such a trial could show.
//!
//! Territories that the strategy touches are paired with their like (touched or not) by sales of the last 12 months and their growth (nearest first; Imai,
//! King & Nall 2009, "The essential role of pair matching in cluster-randomized experiments", Statistical Science 24); of each pair one that
//! it touches, drawn by lot, is treated. The lift is the difference in differences of pairs: with `y` the sales of the trial's months over those of
//! the same months a year before,
//!
//! `lift = mean over pairs of log(y treated) - log(y control)`.
//!
//! What it would be without any effect is seen in the runs of the baseline (territories' own luck, shocks, rivals): its deviation σ over
//! runs makes the standard error of the trial, `(1.645 + 0.842) σ` the least lift that is noticed in 80% of trials at a one-sided level of
//! 5%. What the twin expects is the same estimate with the treated territories living the strategy; the power is the share of runs in
//! which that is above `1.645 σ`. Trials are proposed from the cheapest on (fewest pairs, then fewest months) until one has
//! [`ENOUGH`] power; without one the strongest is proposed and said to be too weak.
//!
//! Once the trial has been made, its row with the lift and standard error that were found goes into `experiments.csv`, the strategy's id being the
//! lever ([`super::piloted`]).

use rand::seq::SliceRandom as _;

use super::PilotRow;
use super::runs::Runs;
use crate::market::Bound;
use crate::rng::Stream;
use crate::stats::mean_sd;

/// Power of a trial that is worth while.
pub const ENOUGH: f64 = 0.8;
/// Quantiles of the standard normal at 95% and 80%.
const NOTICED: (f64, f64) = (1.645, 0.842);
/// Months that a trial may last, and pairs that it may take.
const MONTHS: [usize; 4] = [3, 6, 9, 12];
const PAIRS: [usize; 6] = [2, 4, 6, 8, 12, 16];

/// A pilot of strategy `s`; empty where it touches too few territories or acts on the whole market at once.
pub fn pilot(bound: &Bound, runs: &Runs, s: usize, baseline: usize, seed: u64) -> Vec<PilotRow> {
    let market = &bound.market;
    let territories = market.territory_count();
    let from = bound.strategies[s].levers.iter().map(|lever| lever.from).min().unwrap_or(0);
    let touched: Vec<bool> =
        (0..territories).map(|j| bound.strategies[s].levers.iter().any(|lever| lever.territories[j])).collect();
    let history = yearly(bound);
    let pairs = pair(&touched, &history, seed);
    let kept: Vec<&super::runs::Run> =
        runs.runs.iter().filter(|run| !run.own_sales.is_empty() && !run.outcomes[s].sales_by_cell.is_empty()).collect();
    if pairs.len() < 2 || kept.len() < 50 || s == baseline {
        return Vec::new();
    }
    let horizon = runs.runs[0].outcomes[s].own_sales.len();
    // Of a run: log sales of the treated less those of the control, averaged over pairs.
    let estimate = |run: &super::runs::Run, count: usize, months: usize, lives: bool| -> f64 {
        let sold = |j: usize, strategy: bool| -> f64 {
            let of = |month: usize| {
                let cell = month * territories + j;
                let more = if strategy { f64::from(run.outcomes[s].sales_by_cell[cell]) } else { 0.0 };
                f64::from(run.own_sales[cell]) + more
            };
            (from..from + months).map(of).sum::<f64>().max(1e-9)
        };
        let of_pair = |&(treated, control): &(usize, usize)| {
            libm::log(sold(treated, lives) / history[treated].0) - libm::log(sold(control, false) / history[control].0)
        };
        pairs[..count].iter().map(of_pair).sum::<f64>() / count as f64
    };
    let designs = PAIRS.into_iter().filter(|&count| count <= pairs.len());
    let designs = designs.flat_map(|count| MONTHS.map(|months| (count, months)));
    let judged: Vec<Design> = designs
        .filter(|(_, months)| from + months <= horizon)
        .map(|(count, months)| {
            let without: Vec<f64> = kept.iter().map(|run| estimate(run, count, months, false)).collect();
            let (centre, error) = mean_sd(&without);
            let with: Vec<f64> = kept.iter().map(|run| estimate(run, count, months, true) - centre).collect();
            let noticed = with.iter().filter(|lift| **lift > NOTICED.0 * error).count();
            Design {
                pairs: count,
                months,
                error,
                expected: mean_sd(&with).0,
                power: noticed as f64 / with.len() as f64,
            }
        })
        .collect();
    let chosen = judged
        .iter()
        .find(|design| design.power >= ENOUGH)
        .or_else(|| judged.iter().max_by(|a, b| a.power.total_cmp(&b.power).then(b.pairs.cmp(&a.pairs))));
    let Some(design) = chosen else { return Vec::new() };
    let first = market.history.last.plus(1 + from as i32);
    let ids = |of: &dyn Fn(&(usize, usize)) -> usize| -> Vec<String> {
        pairs[..design.pairs].iter().map(|pair| market.data.territory_id(of(pair)).to_owned()).collect()
    };
    vec![PilotRow {
        strategy: bound.strategies[s].id.clone(),
        start: first,
        end: first.plus(design.months as i32 - 1),
        territories: ids(&|pair| pair.0),
        controls: ids(&|pair| pair.1),
        months: design.months,
        expected_lift: libm::expm1(design.expected),
        se: design.error,
        detectable_lift: libm::expm1((NOTICED.0 + NOTICED.1) * design.error),
        power: design.power,
    }]
}

/// A trial that could be made.
struct Design {
    pairs: usize,
    months: usize,
    error: f64,
    expected: f64,
    power: f64,
}

/// By territory: own sales of the last 12 months and of the 12 before.
fn yearly(bound: &Bound) -> Vec<(f64, f64)> {
    let market = &bound.market;
    let months = market.months();
    let mut out = vec![(0.0, 0.0); market.territory_count()];
    for (j, sums) in out.iter_mut().enumerate() {
        for customer in market.customers_of(j) {
            for (month, sold) in market.sales.of(customer) {
                if month + 12 >= months {
                    sums.0 += sold;
                } else if month + 24 >= months {
                    sums.1 += sold;
                }
            }
        }
    }
    out
}

/// Pairs of like territories (treated, control), the closest first. Treated is who is touched by the strategy; of two such it is drawn by lot.
fn pair(touched: &[bool], history: &[(f64, f64)], seed: u64) -> Vec<(usize, usize)> {
    let known: Vec<usize> = (0..touched.len()).filter(|&j| history[j].0 > 0.0 && history[j].1 > 0.0).collect();
    let traits = |j: usize| (libm::log(history[j].0), libm::log(history[j].0 / history[j].1));
    let spread =
        |of: fn(&(f64, f64)) -> f64| mean_sd(&known.iter().map(|&j| of(&traits(j))).collect::<Vec<f64>>()).1.max(1e-9);
    let (size, growth) = (spread(|traits| traits.0), spread(|traits| traits.1));
    let distance = |a: usize, b: usize| {
        let (a, b) = (traits(a), traits(b));
        ((a.0 - b.0) / size).powi(2) + ((a.1 - b.1) / growth).powi(2)
    };
    let mut all: Vec<(f64, usize, usize)> = Vec::new();
    for (at, &a) in known.iter().enumerate() {
        let others = known[..at].iter().filter(|&&b| touched[a] || touched[b]);
        all.extend(others.map(|&b| (distance(a, b), b, a)));
    }
    all.sort_by(|x, y| x.0.total_cmp(&y.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let (mut taken, mut out) = (Vec::new(), Vec::new());
    let mut stream = Stream::new(seed, "strategy/pilot", 0);
    for (_, a, b) in all {
        if taken.contains(&a) || taken.contains(&b) {
            continue;
        }
        taken.extend([a, b]);
        let mut both = [a, b];
        both.shuffle(&mut stream);
        // Who is not touched goes on as today.
        if !touched[both[0]] {
            both.swap(0, 1);
        }
        out.push((both[0], both[1]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_is_paired_with_like() {
        let history = [(100.0, 100.0), (10.0, 10.0), (11.0, 11.0), (105.0, 104.0), (50.0, 20.0)];
        let pairs = pair(&[true; 5], &history, 1);
        let sorted: Vec<(usize, usize)> = pairs.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
        assert!(sorted.contains(&(0, 3)) && sorted.contains(&(1, 2)) && sorted.len() == 2, "{pairs:?}");
        // Of a strategy for one territory its like is the control.
        assert_eq!(pair(&[false, true, false, false, false], &history, 1), vec![(1, 2)]);
    }
}
