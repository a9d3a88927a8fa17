//! What if competitors hit back: the choice between strategies under a strong reaction.
//!
//! [`RUNS`] of the paired runs are made again, from the same draws and random numbers, with rivals that react
//! ([`crate::simulate::mechanisms::reaction`]) at the upper end of what is thought possible: the 95% quantile of the draws' strengths, or of the
//! registry's prior where the mechanism is off. With O_s the objectives there and c the strategy that is best without it, what the
//! reaction would cost whoever does not foresee it is
//!
//! `max_s E O_s - E O_c`.

use rayon::prelude::*;

use super::SensitivityRow;
use super::runs::{Plan, Runs, best, one_run};
use super::twin::Placer;
use crate::calibrate::Calibration;
use crate::scenario::{Prior, find_parameter};
use crate::simulate::mechanisms::reaction::Reaction;
use crate::stats::quantile_sorted;

/// Paired runs that are made again.
const RUNS: u32 = 80;

/// How strong a strong reaction is: log odds per unit of share gained.
const STRONG: f64 = 0.95;

/// The 95% point of the standard normal.
const Z: f64 = 1.645;

/// The row of `sensitivity.csv`, and words for whom it changes much.
pub fn reaction(
    placer: &Placer<'_>,
    plan: &Plan<'_>,
    runs: &Runs,
    calibration: &Calibration,
    unit: &str,
) -> Option<(SensitivityRow, Option<String>)> {
    if plan.bound.strategies.len() < 2 {
        return None;
    }
    let strong = strong(calibration)?;
    let number = RUNS.min(runs.runs.len() as u32);
    let hit: Vec<Vec<f64>> = (0..number)
        .into_par_iter()
        .map(|run| one_run(placer, plan, run, false, Some(strong)).objective(runs.objective))
        .collect();
    let usual: Vec<Vec<f64>> = runs.runs[..number as usize].iter().map(|run| run.objective(runs.objective)).collect();
    let ids: Vec<&str> = plan.bound.strategies.iter().map(|strategy| strategy.id.as_str()).collect();
    Some(row(&usual, &hit, &ids, strong, unit))
}

/// Strength of a strong reaction, with the inertia that goes with it.
fn strong(calibration: &Calibration) -> Option<Reaction> {
    let drawn: Vec<Reaction> = calibration.draws.iter().filter_map(|draw| draw.parameters.more.reaction).collect();
    if drawn.is_empty() {
        let of = |name: &str| find_parameter("reaction", name)?.prior;
        let Some(Prior::Lognormal { median, sd }) = of("strength") else { return None };
        let Some(Prior::Beta { a, b }) = of("inertia") else { return None };
        return Some(Reaction { strength: median * libm::exp(Z * sd), inertia: a / (a + b) });
    }
    let mut strengths: Vec<f64> = drawn.iter().map(|reaction| reaction.strength).collect();
    strengths.sort_unstable_by(f64::total_cmp);
    let inertia = drawn.iter().map(|reaction| reaction.inertia).sum::<f64>() / drawn.len() as f64;
    Some(Reaction { strength: quantile_sorted(&strengths, STRONG), inertia })
}

/// Objectives by run and strategy, without and with it.
fn row(
    usual: &[Vec<f64>],
    hit: &[Vec<f64>],
    ids: &[&str],
    strong: Reaction,
    unit: &str,
) -> (SensitivityRow, Option<String>) {
    let means = |runs: &[Vec<f64>]| -> Vec<f64> {
        let mean = |s: usize| runs.iter().map(|run| run[s]).sum::<f64>() / runs.len().max(1) as f64;
        (0..ids.len()).map(mean).collect()
    };
    let (usual, hit) = (means(usual), means(hit));
    let (chosen, then) = (best(&usual), best(&hit));
    let row = SensitivityRow {
        parameter: format!("competitors hit back ({:.1} log odds per unit of share)", strong.strength),
        unit: unit.to_owned(),
        worth: (hit[then] - hit[chosen]).max(0.0),
        best_if_low: ids[chosen].to_owned(),
        best_if_high: ids[then].to_owned(),
    };
    let words = if chosen == then {
        None
    } else {
        Some(format!(
            "{}: were competitors to hit back hard ({:.1} log odds per unit of share that we gain), {} would be better",
            ids[chosen], strong.strength, ids[then]
        ))
    };
    (row, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_without_it_is_held_against_the_best_with_it() {
        let strong = Reaction { strength: 1.9, inertia: 0.8 };
        let usual = [vec![0.0, 5.0, 4.0], vec![0.0, 7.0, 4.0]];
        let hit = [vec![0.0, 1.0, 3.0], vec![0.0, 2.0, 3.0]];
        let (found, words) = row(&usual, &hit, &["as-today", "attack", "quiet"], strong, "TRY");
        assert_eq!((found.best_if_low.as_str(), found.best_if_high.as_str(), found.worth), ("attack", "quiet", 1.5));
        assert!(words.is_some_and(|words| words.starts_with("attack:") && words.contains("quiet would be better")));
        let (found, words) = row(&usual, &usual, &["as-today", "attack", "quiet"], strong, "TRY");
        assert_eq!((found.best_if_high.as_str(), found.worth, words), ("attack", 0.0, None));
    }
}
