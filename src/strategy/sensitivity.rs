//! Which uncertainty would change the choice: the expected value of knowing a parameter.
//!
//! With O_s the objective of strategy s, and θ a parameter of the draws,
//!
//! `EVPPI(θ) = E_θ max_s E[O_s | θ] - max_s E O_s`
//!
//! is what it would be worth, on average, to know θ before choosing (Raiffa & Schlaifer 1961; Strong, Oakley & Brennan 2014, "Estimating
//! multiparameter partial expected value of perfect information from a probabilistic sensitivity analysis sample", for estimates from the runs
//! that are there). `E[O_s | θ]` is the mean over a tenth of the draws with much the same θ. Means of few runs scatter, which the
//! maximum would take for worth: one half of the draws chooses, and the other half says what the choice brings (both ways). What does not
//! exceed the largest of twenty such figures with the draws shuffled, which then know nothing, is not listed.

use rand::seq::SliceRandom as _;

use super::SensitivityRow;
use super::runs::best;
use crate::rng::Stream;

/// Groups of draws with much the same value.
const GROUPS: usize = 10;
/// Fewest draws of a group.
const FEWEST: usize = 8;
/// Shuffles.
const SHUFFLES: u64 = 20;

/// What the runs say of the parameters. `names` and `values` (`[draw][parameter]`) are those of the draws, `runs` the draw and the objective of
/// every strategy in each run, `ids` the strategies. Parameters that are worth nothing are left out; the most worth comes first.
pub fn sensitivity(
    names: &[String],
    values: &[Vec<f64>],
    runs: &[(usize, Vec<f64>)],
    ids: &[String],
    unit: &str,
    seed: u64,
) -> Vec<SensitivityRow> {
    // By draw: sums of the objectives and runs.
    let mut sums = vec![(vec![0.0; ids.len()], 0.0); values.len()];
    for (draw, objectives) in runs {
        let Some((sum, count)) = sums.get_mut(*draw) else { continue };
        sum.iter_mut().zip(objectives).for_each(|(sum, objective)| *sum += objective);
        *count += 1.0;
    }
    let seen: Vec<usize> = (0..values.len()).filter(|&draw| sums[draw].1 > 0.0).collect();
    let groups = GROUPS.min(seen.len() / FEWEST);
    if groups < 2 || ids.len() < 2 {
        return Vec::new();
    }
    let of_all = |order: &[usize]| grouped(order, groups, &sums);
    let mut shuffled = seen.clone();
    let by_luck = (0..SHUFFLES).map(|shuffle| {
        shuffled.shuffle(&mut Stream::new(seed, "strategy/sensitivity", shuffle));
        of_all(&shuffled).0
    });
    // Sums of large numbers are off by their last digits.
    let rounding =
        1e-9 * runs.iter().flat_map(|(_, objectives)| objectives).fold(0.0, |most: f64, x| most.max(x.abs()));
    let by_luck = by_luck.fold(rounding, f64::max);
    let mut rows: Vec<SensitivityRow> = names
        .iter()
        .enumerate()
        .filter_map(|(k, name)| {
            let value = |draw: usize| values[draw].get(k).copied().unwrap_or(0.0);
            let mut order = seen.clone();
            order.sort_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
            // One value for all draws says nothing.
            let (first, last) = (value(*order.first()?), value(*order.last()?));
            let (worth, low, high) = of_all(&order);
            (last > first && worth > by_luck).then(|| SensitivityRow {
                parameter: name.clone(),
                unit: unit.to_owned(),
                worth,
                best_if_low: ids[low].clone(),
                best_if_high: ids[high].clone(),
            })
        })
        .collect();
    rows.sort_by(|a, b| b.worth.total_cmp(&a.worth).then(a.parameter.cmp(&b.parameter)));
    rows
}

/// The gain of choosing in each group of this order for itself, and the best strategies of the first and the last one.
fn grouped(order: &[usize], groups: usize, sums: &[(Vec<f64>, f64)]) -> (f64, usize, usize) {
    // What one half of the draws chooses, on the other half, both ways: (objective of the choice, runs).
    let chosen = |draws: &[usize]| -> (f64, f64) {
        let half = |odd: usize| means(draws.iter().skip(odd).step_by(2), sums);
        let ([(first, count), (second, other)], mut out) = ([half(0), half(1)], (0.0, 0.0));
        for (choosing, judging, runs) in [(&first, &second, other), (&second, &first, count)] {
            if runs > 0.0 {
                out = (out.0 + runs * judging[best(choosing)], out.1 + runs);
            }
        }
        out
    };
    let group = |k: usize| &order[order.len() * k / groups..order.len() * (k + 1) / groups];
    let (each, runs) = (0..groups).map(|k| chosen(group(k))).fold((0.0, 0.0), |sum, x| (sum.0 + x.0, sum.1 + x.1));
    let (all, of_all) = chosen(order);
    let best_of = |k: usize| best(&means(group(k).iter(), sums).0);
    (each / runs.max(1.0) - all / of_all.max(1.0), best_of(0), best_of(groups - 1))
}

/// Mean objectives of draws, and their runs.
fn means<'a>(draws: impl Iterator<Item = &'a usize>, sums: &[(Vec<f64>, f64)]) -> (Vec<f64>, f64) {
    let mut out = (vec![0.0; sums[0].0.len()], 0.0);
    for &draw in draws {
        out.0.iter_mut().zip(&sums[draw].0).for_each(|(out, sum)| *out += sum);
        out.1 += sums[draw].1;
    }
    let runs = out.1;
    out.0.iter_mut().for_each(|sum| *sum /= f64::max(runs, 1.0));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    #[test]
    fn what_changes_the_choice_is_worth_knowing_and_what_does_not_is_left_out() {
        // One strategy brings 1 for sure, another a standard uniform times 2; a third parameter moves both alike.
        let mut stream = Stream::new(1, "test/sensitivity", 0);
        let values: Vec<Vec<f64>> = (0..400).map(|_| (0..3).map(|_| stream.random::<f64>()).collect()).collect();
        let runs: Vec<(usize, Vec<f64>)> = (0..1200)
            .map(|run| {
                let draw = run % 400;
                let both = 5.0 * values[draw][2];
                let luck = stream.random::<f64>() - 0.5;
                (draw, vec![both, both + 1.0, both + 2.0 * values[draw][0] + luck])
            })
            .collect();
        let names = ["effect", "nothing", "both"].map(str::to_owned);
        let ids = ["as-today", "sure", "unsure"].map(str::to_owned);
        let rows = sensitivity(&names, &values, &runs, &ids, "TRY", 1);
        let effect = &rows[0];
        // E max(1, 2 u) - 1 = 1/4.
        assert!(effect.parameter == "effect" && (effect.worth - 0.25).abs() < 0.04, "{effect:?}");
        assert_eq!((effect.best_if_low.as_str(), effect.best_if_high.as_str()), ("sure", "unsure"));
        // One in twenty is listed by luck, at little worth.
        assert!(rows.len() <= 2 && rows.iter().skip(1).all(|row| row.worth < 0.05), "{rows:?}");
    }

    #[test]
    fn few_draws_say_nothing() {
        let ids = ["a", "b"].map(str::to_owned);
        let runs = vec![(0, vec![1.0, 2.0]); 50];
        assert!(sensitivity(&["x".to_owned()], &[vec![1.0]], &runs, &ids, "TRY", 1).is_empty());
    }
}
