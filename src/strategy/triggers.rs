//! When a strategy would have to change: `[[strategy.trigger]]` on the forecast of the strategy itself.
//!
//! On every run the measure is followed month by month as it will arrive with the data (the market's ups and downs included,
//! [`super::forecast`]); the trigger fires in the first month that ends a row of `for_months` in which the condition holds. A trigger that
//! fires in nearly every run says that its strategy is not believed to keep what it promises; one that never fires watches nothing.

use super::TriggerRow;
use super::runs::{Run, Runs};
use crate::market::Bound;
use crate::scenario::Trigger;
use crate::stats::Summary;

/// Rows of `triggers.csv`, in the scenario's order.
pub fn triggers(triggers: &[Trigger], bound: &Bound, runs: &Runs, baseline: usize) -> Vec<TriggerRow> {
    let kept: Vec<&Run> = runs.runs.iter().filter(|run| !run.own_sales.is_empty()).collect();
    let usual = expected(&kept, bound.market.territory_count(), baseline);
    triggers
        .iter()
        .filter_map(|trigger| {
            let strategy = bound.strategies.get(trigger.strategy)?;
            let fired: Vec<Option<usize>> = kept
                .iter()
                .map(|run| {
                    let series = measured(run, trigger, &usual, bound, baseline);
                    first(&series, trigger)
                })
                .collect();
            let months: Vec<f64> = fired.iter().flatten().map(|month| *month as f64 + 1.0).collect();
            let condition = match (trigger.below, trigger.above) {
                (Some(below), Some(above)) => format!("below {below} or above {above}"),
                (Some(below), None) => format!("below {below}"),
                (None, Some(above)) => format!("above {above}"),
                (None, None) => return None,
            };
            Some(TriggerRow {
                strategy: strategy.id.clone(),
                measure: trigger.measure.clone(),
                condition,
                for_months: trigger.for_months,
                then: trigger.then.as_ref().map(|then| then.value.clone()),
                probability: months.len() as f64 / kept.len().max(1) as f64,
                month: Summary::of(&months),
            })
        })
        .collect()
}

/// Mean own sales of the baseline by month, over runs.
fn expected(runs: &[&Run], territories: usize, baseline: usize) -> Vec<f64> {
    let months = runs.first().map_or(0, |run| run.outcomes[baseline].own_sales.len());
    let of = |month: usize| {
        let sum = |run: &&Run| -> f64 {
            run.own_sales[month * territories..(month + 1) * territories].iter().map(|&x| f64::from(x)).sum()
        };
        runs.iter().map(sum).sum::<f64>() / runs.len().max(1) as f64
    };
    (0..months).map(of).collect()
}

fn measured(run: &Run, trigger: &Trigger, usual: &[f64], bound: &Bound, baseline: usize) -> Vec<f64> {
    let territories = bound.market.territory_count();
    let (outcome, today) = (&run.outcomes[trigger.strategy], &run.outcomes[baseline]);
    (0..usual.len())
        .map(|month| {
            let cells = month * territories..(month + 1) * territories;
            let seen = |values: &[f32]| values[cells.clone()].iter().map(|&x| f64::from(x)).sum::<f64>();
            // What the market's ups and downs do to the baseline they do to the strategy.
            let factor = |seen: f64, without: f64| if without > 0.0 { seen / without } else { 1.0 };
            let own = outcome.own_sales[month] * factor(seen(&run.own_sales), today.own_sales[month]);
            let total = outcome.total_demand[month] * factor(seen(&run.total_demand), today.total_demand[month]);
            match trigger.measure.as_str() {
                "own_sales" => own,
                "total_demand" => total,
                "share" => own / total.max(1e-300),
                "new_customers" => outcome.won_in_all[month],
                "incremental_sales" => own - usual[month],
                _ => outcome.cost[month],
            }
        })
        .collect()
}

/// The first month (from 0) in which a trigger fires.
fn first(series: &[f64], trigger: &Trigger) -> Option<usize> {
    let mut row = 0;
    for (month, &value) in series.iter().enumerate() {
        let holds =
            trigger.below.is_some_and(|below| value < below) || trigger.above.is_some_and(|above| value > above);
        row = if holds { row + 1 } else { 0 };
        if row >= trigger.for_months {
            return Some(month);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_months_must_hold() {
        let trigger = Trigger {
            strategy: 0,
            measure: "own_sales".into(),
            below: Some(5.0),
            above: None,
            for_months: 2,
            then: None,
        };
        assert_eq!(first(&[4.0, 6.0, 4.0, 3.0, 9.0], &trigger), Some(3));
        assert_eq!(first(&[4.0, 6.0, 4.0, 6.0], &trigger), None);
        assert_eq!(first(&[4.0], &Trigger { for_months: 1, ..trigger }), Some(0));
    }
}
