//! What a pilot has shown of a strategy: rows of `experiments.csv` whose lever is the id of a strategy of the scenario.
//!
//! `pilot.csv` proposes a trial; once it has been made, its lift and standard error are written into `experiments.csv`. With ℓ_d what the
//! twin expects of the strategy in the trial's territories, over as many months from its beginning, with draw d of the posterior, and (ℓ, s) what
//! was found, the draws are weighed by
//!
//! `w_d = exp(-((ℓ_d - ℓ) / s)² / 2)`
//!
//! and drawn again (systematic resampling; importance resampling, Rubin 1988): whatever the strategy hangs on, draws that agree with the trial
//! count. ℓ_d comes from one paired run a draw, so that it holds the run's luck too, as a trial does; the weights are a little flatter for it. All
//! strategies are then compared on these draws. `potential.csv` and the calibration stay what they are.

use rayon::prelude::*;

use super::runs::{Plan, one_run};
use super::twin::Placer;
use crate::data::Experiment;
use crate::ids::Index as _;
use crate::market::Bound;
use crate::rng::Stream;
use crate::samplers::particles::{effective, normalise, systematic};
use rand::RngExt as _;

/// Effective draws below which a trial contradicts the twin.
const FEW: f64 = 20.0;

/// The draws that runs cycle through, and what to say of them.
#[derive(Debug)]
pub struct Piloted {
    pub draws: Vec<usize>,
    pub words: Vec<String>,
}

/// `None` where no strategy has been tried.
pub fn piloted(placer: &Placer<'_>, plan: &Plan<'_>) -> Option<Piloted> {
    let bound = plan.bound;
    let position = |row: &Experiment| bound.strategies.iter().position(|strategy| strategy.id == row.lever);
    let trials: Vec<(usize, &Experiment)> = (bound.market.data.experiments.iter().flatten())
        .filter_map(|row| Some((position(row).filter(|&s| s != plan.baseline)?, row)))
        .collect();
    if trials.is_empty() {
        return None;
    }
    // Only what was tried is simulated, beside the baseline.
    let mut tried: Vec<usize> = trials.iter().map(|(s, _)| *s).collect();
    tried.sort_unstable();
    tried.dedup();
    let strategies =
        std::iter::once(plan.baseline).chain(tried.iter().copied()).map(|s| bound.strategies[s].clone()).collect();
    let small = Bound { strategies, ..bound.clone() };
    let small_plan = Plan { bound: &small, baseline: 0, weight: plan.weight.clone(), ..*plan };
    let expected: Vec<Vec<f64>> = (0..placer.draws())
        .into_par_iter()
        .map(|draw| {
            let run = one_run(placer, &small_plan, draw as u32, true, None);
            let lift = |(s, row): &(usize, &Experiment)| {
                let at = 1 + tried.binary_search(s).unwrap_or_default();
                lift(&small, at, row, &run.own_sales, &run.outcomes[at].sales_by_cell)
            };
            trials.iter().map(lift).collect()
        })
        .collect();
    let mut logs = vec![0.0; expected.len()];
    let mut words = Vec::new();
    for (k, (_, row)) in trials.iter().enumerate() {
        let of: Vec<f64> = expected.iter().map(|lifts| lifts[k]).collect();
        for (log, lift) in logs.iter_mut().zip(&of) {
            let z = (lift - row.lift) / row.se.max(1e-6);
            *log -= 0.5 * z * z;
        }
        let mean = of.iter().sum::<f64>() / of.len().max(1) as f64;
        words.push(format!(
            "{}: its pilot found {:+.1}% (standard error {:.1}%) where the twin expected {:+.1}%; draws count as far as they agree with it",
            row.lever,
            100.0 * row.lift,
            100.0 * row.se,
            100.0 * mean
        ));
    }
    let (weights, _) = normalise(&logs)?;
    let effective = effective(&weights);
    if effective < FEW {
        words.push(format!(
            "the pilots contradict the twin: only {effective:.0} of {} draws agree with what they found. Ask what the twin does not know of these \
             territories before relying on either",
            weights.len()
        ));
    }
    Some(Piloted { draws: resampled(&weights, placer.seed), words })
}

/// Lift of a strategy in the territories of a trial, over as many months from its beginning.
fn lift(bound: &Bound, at: usize, row: &Experiment, own_sales: &[f32], more: &[f32]) -> f64 {
    let territories = bound.market.territory_count();
    let horizon = own_sales.len() / territories.max(1);
    let from = bound.strategies[at].levers.iter().map(|lever| lever.from).min().unwrap_or(0).min(horizon);
    let months = from..(from + row.span.len()).min(horizon);
    let sum = |of: &[f32]| -> f64 {
        let cells =
            months.clone().flat_map(|month| row.territories.iter().map(move |j| month * territories + j.usize()));
        cells.map(|cell| f64::from(of[cell])).sum()
    };
    let base = sum(own_sales);
    if base > 0.0 { sum(more) / base } else { 0.0 }
}

/// As many draws as there are weights, each as often as its weight says.
fn resampled(weights: &[f64], seed: u64) -> Vec<usize> {
    let start: f64 = Stream::new(seed, "strategy/piloted", 0).random();
    let out = systematic(weights, weights.len(), start);
    // The first runs hold all kinds of draws: neighbours in the list are alike.
    let stride = (0..out.len()).find(|step| step * step >= out.len()).unwrap_or(1).max(1);
    (0..stride).flat_map(|from| out.iter().skip(from).step_by(stride).copied().collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_come_back_as_often_as_they_weigh() {
        // Of neighbours together as many as their weights say, to one.
        let raw: Vec<f64> = (0..400).map(|k| [3.0, 1.0, 1.0, 0.0][k / 100]).collect();
        let many: Vec<f64> = raw.iter().map(|w| w / 500.0).collect();
        let mut found = resampled(&many, 1);
        assert_eq!(found.len(), 400);
        let of = |part: usize, found: &[usize]| found.iter().filter(|draw| *draw / 100 == part).count() as i64;
        assert_eq!(of(3, &found), 0);
        assert!((of(0, &found) - 240).abs() <= 1 && (of(1, &found) - 80).abs() <= 1, "{}", of(0, &found));
        // The first of them are no corner of the list.
        assert!(found[..20].iter().any(|draw| *draw > 200) && found[..20].iter().any(|draw| *draw < 100));
        found.sort_unstable();
        assert_eq!(resampled(&[0.25; 4], 1).len(), 4);
    }
}
