//! Strategies: what we might do, compiled to policies and compared on paired runs.
//!
//! [`compare`] is the whole path: present effort ([`Today`]), placing of agents per draw (`twin`), levers to policies
//! (`compile`, `levers/*`), paired runs (`runs`), and the rows that a report shows (`compare`, `targets`).

mod accounts;
mod arena;
mod attributes;
mod cells;
mod compare;
mod compile;
mod drivers;
mod economics;
mod evaluate;
mod forecast;
mod levers;
mod parts;
mod pilot;
mod piloted;
mod reaction;
mod results;
mod rivals_ahead;
mod rules;
mod runs;
mod sensitivity;
mod targets;
mod today;
mod triggers;
mod twin;

pub use accounts::Accounts;
pub use arena::Arena;
pub use compare::BELIEVABLE_GAIN;
pub use economics::{Money, Prices};
pub use evaluate::{Cell, by_territory};
pub use forecast::{Forecast, forecast};
pub(crate) use levers::hired;
pub use results::*;
pub use rules::{check_rules, has_rules};
pub use today::Today;

use crate::calibrate::Calibration;
use crate::market::Bound;
use crate::potential::DarkHalf;
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::stats::mean_sd;

/// Compares the strategies of a scenario. `progress` gets (runs done, runs expected at present).
///
/// # Errors
///
/// A strategy that costs more than the budget, or whose filters are too many to be judged anew each month.
pub fn compare(
    scenario: &Scenario,
    bound: &Bound,
    calibration: &Calibration,
    dark_half: &DarkHalf,
    progress: &(dyn Fn(u32, u32) + Sync),
) -> Result<Comparison, Vec<Problem>> {
    let unfit = check_rules(scenario, bound);
    if !unfit.is_empty() {
        return Err(unfit);
    }
    let today = Today::of(&bound.market);
    let (arena, mut warnings) = Arena::new(scenario, bound, &today, calibration, dark_half);
    let Arena { mut placer, prices, objective, weight, supply_ceiling } = arena;
    let plan = runs::Plan {
        bound,
        baseline: scenario.baseline,
        objective,
        prices,
        monte_carlo: &scenario.monte_carlo,
        weight,
        supply_ceiling,
    };
    if let Some(piloted) = piloted::piloted(&placer, &plan) {
        placer.order = piloted.draws;
        warnings.extend(piloted.words);
    }
    let runs = runs::simulate_all(&placer, &plan, progress);
    over_budget(scenario, bound, &runs)?;
    let targets = targets::targets(&placer, &scenario.effort);
    // Where nothing speaks of the demand of the dark, a total would be the prior in disguise.
    let total_known = dark_half.basis.dark_demand();
    let rest = compare::Rest { today: &today, calibration, dark_half, scenario, targets, total_known };
    let mut comparison = compare::write_up(bound, &runs, rest);
    comparison.warnings.splice(0..0, warnings);
    let unit = arena::objective_unit(&bound.market, objective);
    if let Some((row, words)) = reaction::reaction(&placer, &plan, &runs, calibration, unit) {
        comparison.sensitivity.push(row);
        comparison.warnings.extend(words);
    }
    Ok(comparison)
}

/// Strategies whose fixed costs alone exceed the budget: known before anything is simulated.
pub fn check_budget(scenario: &Scenario, bound: &Bound) -> Vec<Problem> {
    let horizon = scenario.horizon as usize;
    let cost = |s: usize| -> f64 {
        let levers = &bound.strategies[s].levers;
        (0..horizon).map(|month| levers.iter().map(|lever| levers::fixed_cost(lever, month)).sum::<f64>()).sum()
    };
    let base = cost(scenario.baseline);
    (0..bound.strategies.len()).filter_map(|s| too_dear(scenario, bound, s, cost(s) - base)).collect()
}

/// Strategies that hire faster than `economics.hiring_pace`.
pub fn check_hiring(scenario: &Scenario, bound: &Bound) -> Vec<Problem> {
    let Some(pace) = &scenario.economics.hiring_pace else { return Vec::new() };
    let first = bound.market.history.last.plus(1);
    let too_fast = |(s, strategy): (usize, &crate::market::BoundStrategy)| {
        let hired = |month: usize| -> f64 { strategy.levers.iter().map(|lever| levers::hired(lever, month)).sum() };
        let month = (0..scenario.horizon as usize).find(|&month| hired(month) > pace.value + 1e-9)?;
        Some(
            Problem::error(format!(
                "strategy `{}` hires {:.1} reps in {}, more than the hiring pace of {}",
                strategy.id,
                hired(month),
                first.plus(month as i32),
                pace.value
            ))
            .at(scenario.source.place(&scenario.strategies[s].span), "this strategy hires too fast")
            .help("lengthen ramp_months, stagger the levers, or raise economics.hiring_pace"),
        )
    };
    bound.strategies.iter().enumerate().take(scenario.strategies.len()).filter_map(too_fast).collect()
}

fn over_budget(scenario: &Scenario, bound: &Bound, runs: &runs::Runs) -> Result<(), Vec<Problem>> {
    let mean = |s: usize| {
        let costs: Vec<f64> = runs.runs.iter().map(|run| run.outcomes[s].cost.iter().sum()).collect();
        mean_sd(&costs).0
    };
    let problems: Vec<Problem> =
        (0..bound.strategies.len()).filter_map(|s| too_dear(scenario, bound, s, mean(s))).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn too_dear(scenario: &Scenario, bound: &Bound, s: usize, cost: f64) -> Option<Problem> {
    let budget = scenario.economics.budget.as_ref()?;
    (cost > budget.value).then(|| {
        let currency = &bound.market.data.meta.currency;
        Problem::error(format!(
            "strategy `{}` costs {:.0} {currency} over the horizon, more than the budget of {:.0}",
            bound.strategies[s].id, cost, budget.value
        ))
        .at(scenario.source.place(&scenario.strategies[s].span), "this strategy is too dear")
        .help("make the strategy smaller, or raise economics.budget")
    })
}
