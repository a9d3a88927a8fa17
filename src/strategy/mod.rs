//! Strategies: what we might do, compiled to policies and compared on paired runs.
//!
//! [`compare`] is the whole path: present effort ([`Today`]), placing of agents per draw (`twin`), levers to policies
//! (`compile`, `levers/*`), paired runs (`runs`), and the rows that a report shows (`compare`, `targets`).

mod accounts;
mod arena;
mod attributes;
mod compare;
mod compile;
mod economics;
mod evaluate;
mod forecast;
mod levers;
mod results;
mod rivals_ahead;
mod rules;
mod runs;
mod sensitivity;
mod targets;
mod today;
mod twin;

pub use accounts::Accounts;
pub use arena::Arena;
pub use economics::{Money, Prices};
pub use evaluate::{Cell, by_territory};
pub use forecast::{Forecast, forecast};
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
    let (arena, warnings) = Arena::new(scenario, bound, &today, calibration, dark_half);
    let Arena { placer, prices, objective, weight } = arena;
    let plan = runs::Plan {
        bound,
        baseline: scenario.baseline,
        objective,
        prices,
        monte_carlo: &scenario.monte_carlo,
        weight,
    };
    let runs = runs::simulate_all(&placer, &plan, progress);
    over_budget(scenario, bound, &runs)?;
    let targets = targets::targets(&placer, &scenario.effort);
    // Where nothing speaks of the demand of the dark, a total would be the prior in disguise.
    let total_known = dark_half.basis.dark_demand();
    let mut comparison = compare::write_up(bound, &today, calibration, &runs, scenario.baseline, targets, total_known);
    comparison.warnings.splice(0..0, warnings);
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
