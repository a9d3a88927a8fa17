//! The future if effort stays as it is: what `forecast.csv` shows of the baseline, and what a backtest scores.

use rayon::prelude::*;

use super::compile::{as_today, compile};
use super::twin::Placer;
use super::{Today, check_rules};
use crate::calibrate::Calibration;
use crate::lanes::Isa;
use crate::market::{Bound, BoundStrategy};
use crate::potential::DarkHalf;
use crate::problem::Problem;
use crate::rng::RunKey;
use crate::scenario::Scenario;
use crate::simulate::{Horizon, Tallies, World};
use crate::units::Month;

/// A forecast as runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Months ahead, the first right after `history_end`.
    pub months: Vec<Month>,
    pub territories: usize,
    /// `[run][month * territories + territory]`.
    pub own_sales: Vec<Vec<f32>>,
    /// The same; `None` where nothing speaks of the demand of customers that are not known.
    pub total_demand: Option<Vec<Vec<f32>>>,
}

/// Forecasts a market with today's effort carried on for the scenario's horizon. Strategies are not looked at.
///
/// # Errors
/// As [`super::compare`].
pub fn forecast(
    scenario: &Scenario,
    bound: &Bound,
    calibration: &Calibration,
    dark_half: &DarkHalf,
    runs: u32,
) -> Result<Forecast, Vec<Problem>> {
    let unfit = check_rules(scenario, bound);
    if !unfit.is_empty() {
        return Err(unfit);
    }
    let today = Today::of(&bound.market);
    let placer = Placer::new(bound, &today, calibration, dark_half, scenario);
    let carry_on = BoundStrategy { id: "as-today".into(), levers: Vec::new() };
    let territories = bound.market.territory_count();
    let weight = vec![1.0; territories];
    let horizon = Horizon::after(bound.market.history.last, placer.horizon);
    let seen: Vec<Seen> = (0..runs)
        .into_par_iter()
        .map(|run| {
            let placed = placer.place(run);
            let start = as_today(bound, &today, &placed);
            let policy = compile(bound, &start, &placed, &carry_on, &weight, placer.horizon).policy;
            let key = RunKey { seed: placer.seed, run };
            let tallies = World::new(&placed.twin).run(&policy, horizon, key, Isa::detect(), &mut ());
            Seen::of(&placer, run, horizon, &tallies)
        })
        .collect();
    let (own_sales, total_demand) = seen.into_iter().map(|seen| (seen.own_sales, seen.total_demand)).unzip();
    Ok(Forecast {
        months: (0..placer.horizon).map(|month| bound.market.history.last.plus(1 + month as i32)).collect(),
        territories,
        own_sales,
        total_demand: dark_half.basis.dark_demand().then_some(total_demand),
    })
}

/// What a run will look like in `sales.csv` and `panel.csv`, by `[month * territories + territory]`.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub own_sales: Vec<f32>,
    pub total_demand: Vec<f32>,
}

impl Seen {
    /// Reads it off a simulated run.
    pub fn of(placer: &Placer<'_>, run: u32, horizon: Horizon, tallies: &Tallies) -> Self {
        // What a panel will show has the panel's season, rivals' pushes included.
        let draw = &placer.calibration.draws[placer.draw_of(run)];
        let panel_season = |month: usize| {
            let of_year = horizon.first.plus(month as i32).of_year();
            draw.category_season[of_year] / draw.parameters.season[of_year].max(1e-9)
        };
        let seen = |values: &[f64], factor: &dyn Fn(usize) -> f64| -> Vec<f32> {
            let cells = values.iter().enumerate();
            cells.map(|(cell, x)| (x * factor(cell / tallies.territories.max(1))) as f32).collect()
        };
        Self {
            own_sales: seen(&tallies.own_sales, &|_| 1.0),
            total_demand: seen(&tallies.total_demand, &panel_season),
        }
    }
}
