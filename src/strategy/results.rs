//! What a comparison hands on.

use serde::Serialize;

use crate::origin::Origin;
use crate::stats::Summary;
use crate::units::Month;

/// A row of `forecast.csv`: the baseline's future.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForecastRow {
    pub period: Month,
    /// A territory's id, or `*`.
    pub territory_id: String,
    /// `own_sales` or `total_demand`.
    pub measure: String,
    pub unit: String,
    /// `None` for months of the history, which only have an actual.
    pub summary: Option<Summary>,
    pub actual: Option<f64>,
}

/// A row of `strategies.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrategyRow {
    pub strategy: String,
    /// A territory's id, or `*`.
    pub territory_id: String,
    /// `*` = all segments.
    pub segment: String,
    /// A month, or `*` = the whole horizon.
    pub period: String,
    pub metric: String,
    pub unit: String,
    /// Where what drives the figure comes from (`strategy::drivers`).
    pub origin: Origin,
    /// `None` where the metric does not apply (ROI at zero cost).
    pub summary: Option<Summary>,
}

/// A row of `drivers.csv`: a parameter that a strategy's objective hangs on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriverRow {
    pub strategy: String,
    pub parameter: String,
    pub origin: Origin,
    /// Of the objective's variance over draws.
    pub share: f64,
}

/// A row of `pilot.csv`: a trial of a strategy. With `lift` and `se` filled in from the trial it is a row of `experiments.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PilotRow {
    pub strategy: String,
    pub start: Month,
    /// Last month, included.
    pub end: Month,
    /// Treated.
    pub territories: Vec<String>,
    /// Their partners, which go on as today, in the same order.
    pub controls: Vec<String>,
    pub months: usize,
    /// What the twin expects, as a share of sales.
    pub expected_lift: f64,
    /// Standard error of the trial's lift.
    pub se: f64,
    /// Least lift that is noticed in 80% of such trials.
    pub detectable_lift: f64,
    /// Share of runs in which the strategy would be noticed.
    pub power: f64,
}

/// A row of `triggers.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriggerRow {
    pub strategy: String,
    pub measure: String,
    /// In words.
    pub condition: String,
    pub for_months: u32,
    /// The strategy to change to.
    pub then: Option<String>,
    /// That it fires within the horizon.
    pub probability: f64,
    /// Of the months of the horizon, counted from 1, in which it fires first; `None` if it never does.
    pub month: Option<Summary>,
}

/// A row of `targets.csv`, best first within a territory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetRow {
    pub territory_id: String,
    /// A known customer's id, `prospects` for the dark half of the territory, or a cell of it.
    pub target: String,
    /// `served`, `identified`, `lapsed`, `prospects` or `prospect_cell`.
    pub kind: String,
    /// Of the customer or of the cell's centre.
    pub lon: Option<f64>,
    pub lat: Option<f64>,
    /// Expected dark customers of prospects and cells, and the known ones of a cell.
    pub dark_customers: Option<f64>,
    pub known_customers: Option<f64>,
    pub headroom: Summary,
    pub unit: String,
    pub best_channel: String,
    /// Part of the day in which contacts by the channel are received best; blank where calls.csv does not tell.
    pub best_time: String,
    pub next_action: String,
    /// Own sales a year that the action is expected to add.
    pub expected_value: Summary,
}

/// A comparison of strategies on paired runs.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub forecast: Vec<ForecastRow>,
    pub strategies: Vec<StrategyRow>,
    pub targets: Vec<TargetRow>,
    /// Paired runs made, and whether the scenario's Monte Carlo errors were reached.
    pub runs: u32,
    pub monte_carlo: String,
    /// What knowing a parameter before the choice would be worth, most first.
    pub sensitivity: Vec<SensitivityRow>,
    /// What each strategy's objective hangs on, most first.
    pub drivers: Vec<DriverRow>,
    pub triggers: Vec<TriggerRow>,
    /// A trial of each strategy, where one is possible.
    pub pilots: Vec<PilotRow>,
    /// Assumptions that the result rests on, with their origin, for the report.
    pub assumptions: Vec<Assumption>,
    /// Warnings in plain words (a gain beyond what field experiments have shown, a filter that selects nobody, ...).
    pub warnings: Vec<String>,
}

/// A row of `sensitivity.csv`: a parameter that the choice between strategies hangs on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SensitivityRow {
    pub parameter: String,
    /// Of `worth`: the objective's.
    pub unit: String,
    /// Expected gain of the objective if the parameter were known before choosing.
    pub worth: f64,
    /// The best strategy where it is low, and high.
    pub best_if_low: String,
    pub best_if_high: String,
}

/// Something the result rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assumption {
    pub name: String,
    /// Median and 90% range, or the fixed value, in words.
    pub value: String,
    pub origin: Origin,
    pub source: String,
}
