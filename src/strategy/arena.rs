//! What all comparisons of one scenario share: placing, prices, what "best" is judged on, and what is spread by demand.

use super::Today;
use super::economics::Prices;
use super::twin::Placer;
use crate::calibrate::Calibration;
use crate::market::{Bound, Market};
use crate::potential::DarkHalf;
use crate::scenario::{Objective, Scenario};
use crate::stats::mean_sd;

/// See the module.
#[derive(Debug)]
pub struct Arena<'a> {
    pub(super) placer: Placer<'a>,
    pub(super) prices: Option<Prices>,
    pub objective: Objective,
    /// By territory: mean category demand a year, by which what is spread over several is shared out.
    pub weight: Vec<f64>,
    /// Demand units that can be delivered in a month.
    pub supply_ceiling: Option<f64>,
}

impl<'a> Arena<'a> {
    /// Sets it up; the words say what was taken instead of what the scenario asks for.
    pub fn new(
        scenario: &Scenario,
        bound: &'a Bound,
        today: &'a Today,
        calibration: &'a Calibration,
        dark_half: &'a DarkHalf,
    ) -> (Self, Vec<String>) {
        let prices = prices(scenario, bound);
        let mut warnings = Vec::new();
        let objective = match (scenario.economics.objective, prices) {
            (Objective::IncrementalSales, _) | (_, Some(_)) => scenario.economics.objective,
            (wanted, None) => {
                warnings.push(format!(
                    "the objective {} needs a price and a gross margin, which neither the scenario nor the data give; \
                     strategies are judged on incremental sales instead (set economics.unit_price and \
                     economics.gross_margin)",
                    if wanted == Objective::Npv { "npv" } else { "incremental_margin" }
                ));
                Objective::IncrementalSales
            }
        };
        let weight = (0..bound.market.territory_count())
            .map(|j| {
                let totals: Vec<f64> = (0..dark_half.dark_demand.len())
                    .map(|draw| {
                        dark_half.dark_demand[draw][j]
                            + dark_half.served_demand[draw][j]
                            + dark_half.identified_demand[draw][j]
                    })
                    .collect();
                mean_sd(&totals).0
            })
            .collect();
        let placer = Placer::new(bound, today, calibration, dark_half, scenario);
        let supply_ceiling = scenario.economics.supply_ceiling;
        (Self { placer, prices, objective, weight, supply_ceiling }, warnings)
    }

    /// Unit of the objective.
    pub fn objective_unit(&self) -> &str {
        objective_unit(&self.placer.bound.market, self.objective)
    }
}

/// Unit of an objective.
pub(super) fn objective_unit(market: &Market, objective: Objective) -> &str {
    match objective {
        Objective::IncrementalSales => market.unit(),
        Objective::Npv | Objective::IncrementalMargin => &market.data.meta.currency,
    }
}

fn prices(scenario: &Scenario, bound: &Bound) -> Option<Prices> {
    Some(Prices {
        unit_price: bound.market.unit_price?,
        gross_margin: scenario.economics.gross_margin?,
        discount_rate: scenario.economics.discount_rate,
    })
}
