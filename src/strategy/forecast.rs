//! The future if effort stays as it is: what `forecast.csv` shows of the baseline, and what a backtest scores.

use rayon::prelude::*;

use super::compile::{as_today, compile};
use super::twin::Placer;
use super::{Today, check_rules};
use crate::calibrate::{Calibration, Wander};
use crate::lanes::Isa;
use crate::market::{Bound, BoundStrategy};
use crate::potential::DarkHalf;
use crate::problem::Problem;
use crate::rng::{RunKey, Stream};
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
///
/// Agents' luck evens out over a market, and what is left of its months' ups and downs is what no agent has of its own: the
/// weather, a competitor's push, a price of ours. The history shows how much ([`Wander`]); month t ahead is multiplied by
///
/// ```text
/// exp(walk * sum_{s <= t} z_s + white * e_t - white^2 / 2),    z, e ~ N(0, 1)
/// ```
///
/// with the same z and e for our sales and for the category. The noise has mean 1, since customers' rates are read off sums of months that
/// have it in them; the walk starts from the level of the last month. Strategies are compared without it: it moves all of them alike.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub own_sales: Vec<f32>,
    pub total_demand: Vec<f32>,
}

impl Seen {
    /// Reads it off a simulated run.
    pub fn of(placer: &Placer<'_>, run: u32, horizon: Horizon, tallies: &Tallies) -> Self {
        let draw = &placer.calibration.draws[placer.draw_of(run)];
        // What a panel will show has the panel's season, rivals' pushes included.
        let panel_season = |month: usize| {
            let of_year = horizon.first.plus(month as i32).of_year();
            draw.category_season[of_year] / draw.parameters.season[of_year].max(1e-9)
        };
        let mut stream = Stream::new(placer.seed, "forecast/months", u64::from(run));
        let normals: Vec<[f64; 2]> = (0..tallies.months).map(|_| std::array::from_fn(|_| stream.normal())).collect();
        let own = wandering(draw.own_wander, &normals);
        let category = wandering(draw.category_wander, &normals);
        let seen = |values: &[f64], factor: &dyn Fn(usize) -> f64| -> Vec<f32> {
            let cells = values.iter().enumerate();
            cells.map(|(cell, x)| (x * factor(cell / tallies.territories.max(1))) as f32).collect()
        };
        Self {
            own_sales: seen(&tallies.own_sales, &|month| own[month]),
            total_demand: seen(&tallies.total_demand, &|month| category[month] * panel_season(month)),
        }
    }
}

/// Factors by month from standard normals (of the walk's step, of the noise).
fn wandering(wander: Wander, normals: &[[f64; 2]]) -> Vec<f64> {
    let mut walk = 0.0;
    normals
        .iter()
        .map(|[step, noise]| {
            walk += wander.walk * step;
            libm::exp(walk + wander.white * (noise - 0.5 * wander.white))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mean_sd;

    #[test]
    fn months_wander_as_far_as_the_history_did() {
        let wander = Wander { walk: 0.02, white: 0.05 };
        let logs: Vec<Vec<f64>> = (0..4000)
            .map(|run| {
                let mut stream = Stream::new(1, "test/forecast", run);
                let normals: Vec<[f64; 2]> = (0..12).map(|_| std::array::from_fn(|_| stream.normal())).collect();
                wandering(wander, &normals).into_iter().map(libm::log).collect()
            })
            .collect();
        for month in [0, 11] {
            let (mean, sd) = mean_sd(&logs.iter().map(|path| path[month]).collect::<Vec<_>>());
            let wanted = (0.02_f64 * 0.02 * (month + 1) as f64 + 0.05 * 0.05).sqrt();
            assert!((mean + 0.5 * 0.05 * 0.05).abs() < 4.0 * wanted / 4000.0_f64.sqrt(), "{mean}");
            assert!((sd / wanted - 1.0).abs() < 0.05, "{sd} for {wanted}");
        }
        assert_eq!(wandering(Wander::default(), &[[1.0, 2.0]]), [1.0]);
    }
}
