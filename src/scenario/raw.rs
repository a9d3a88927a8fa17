//! The scenario file as it is written: these types mirror the TOML, and the JSON Schema and the structural check
//! (`shape`) are made from them. Doc comments of fields are help for the user: they appear in editors and errors.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::mechanisms::mechanisms_schema;
use crate::channel::Channel;

/// The version of the scenario format that this ikiz reads.
pub const SCHEMA_VERSION: u32 = 1;

/// A question put to the twin: a market, what it costs, and the strategies to compare.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "ikiz scenario")]
pub struct Scenario {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "checked before the file is deserialised")]
    pub schema: u32,
    /// Where the market comes from: { path = "DIR" } or { synthetic = "FILE" }, relative to this file. Absent: the
    /// command line must say `--market DIR`.
    pub market: Option<Market>,
    /// Seed of the random numbers; the same seed gives the same figures on every computer.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Months simulated after the end of the history, 1 to 600.
    #[serde(default = "default_horizon")]
    #[schemars(range(min = 1, max = 600))]
    pub horizon: u32,
    /// Id of the strategy that the others are compared with. Absent: an empty strategy `as-today` is added.
    #[schemars(with = "Option<String>")]
    pub baseline: Option<Spanned<String>>,
    /// Narrows the history that is used. Absent: the whole of sales.csv.
    pub history: Option<History>,
    /// Prices, margin and budget, in money of the last month of the history, before tax.
    #[serde(default)]
    pub economics: Economics,
    /// How many runs are made, and when they are enough.
    #[serde(default)]
    pub monte_carlo: MonteCarlo,
    /// What "attainable" potential stands for.
    #[serde(default)]
    pub potential: Potential,
    /// What `ikiz optimise` may change, territory by territory. `ikiz run` does not read it.
    #[schemars(with = "Option<Optimise>")]
    pub optimise: Option<Spanned<Optimise>>,
    /// Switches mechanisms off and overrides their priors: [mechanism.NAME].
    #[serde(default)]
    #[schemars(schema_with = "mechanisms_schema")]
    pub mechanism: BTreeMap<String, Spanned<Mechanism>>,
    /// The strategies to compare, each a [[strategy]] table.
    #[serde(default)]
    #[schemars(with = "Vec<Strategy>")]
    pub strategy: Vec<Spanned<Strategy>>,
}

fn default_seed() -> u64 {
    1
}

fn default_horizon() -> u32 {
    24
}

/// Where the market comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "source of the market")]
pub enum Market {
    /// A market directory.
    Path(String),
    /// A description (TOML) from which a synthetic market is made.
    Synthetic(String),
}

/// Part of the history that is used.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// First month used, "YYYY-MM". Absent: the first of sales.csv.
    #[schemars(with = "Option<String>", extend("format" = "month", "pattern" = MONTH_PATTERN))]
    pub from: Option<Spanned<String>>,
    /// Last month used, "YYYY-MM". Absent: the market's history_end.
    #[schemars(with = "Option<String>", extend("format" = "month", "pattern" = MONTH_PATTERN))]
    pub to: Option<Spanned<String>>,
}

const MONTH_PATTERN: &str = "^[0-9]{4}-(0[1-9]|1[0-2])$";

/// Prices, margin and budget.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Economics {
    /// Our price of one demand unit, in money of the last month of the history. Absent: value / units of the last 12
    /// months.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub unit_price: Option<f64>,
    /// Gross margin as a share of net sales, 0 to 1. Absent: margins, ROI and NPV are left out.
    #[schemars(range(min = 0, max = 1))]
    pub gross_margin: Option<f64>,
    /// Real discount rate a year, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub discount_rate: f64,
    /// Prices hardly moved over the history, so sales in money need no deflator.csv: your word for it, and the report says so.
    pub stable_prices: bool,
    /// What "best" and "regret" are judged on. Absent: npv when gross_margin is given, else incremental_sales.
    #[schemars(with = "Option<Objective>")]
    pub objective: Option<Spanned<Objective>>,
    /// Money that may be spent over the horizon; a dearer strategy is an error. Absent: no limit.
    #[schemars(with = "Option<f64>", range(min = 0))]
    pub budget: Option<Spanned<f64>>,
    /// Demand units that we can deliver in a month, whole market; what is ordered beyond is not sold. Absent: no limit.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub supply_ceiling: Option<f64>,
    /// Reps that can be hired in a month; a strategy that hires faster is an error. Absent: no limit.
    #[schemars(with = "Option<f64>", range(min = 0))]
    pub hiring_pace: Option<Spanned<f64>>,
    /// Our own target: sales of the last 12 months of the horizon, in demand units. The chance to reach it is shown for each strategy.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub target: Option<f64>,
}

impl Default for Economics {
    fn default() -> Self {
        Self {
            unit_price: None,
            gross_margin: None,
            discount_rate: 0.10,
            stable_prices: false,
            objective: None,
            budget: None,
            supply_ceiling: None,
            hiring_pace: None,
            target: None,
        }
    }
}

/// What a strategy is judged on.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Net present value: discounted incremental margin less cost. Needs gross_margin.
    Npv,
    /// Sales over the horizon beyond those of the baseline.
    IncrementalSales,
    /// Margin over the horizon beyond that of the baseline. Needs gross_margin.
    IncrementalMargin,
}

/// How many paired runs are made, and when they are enough.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonteCarlo {
    /// Smallest and largest number of runs. Absent: 200 to 4000.
    #[schemars(with = "Option<Runs>")]
    pub runs: Option<Spanned<Runs>>,
    /// The runs stop early when both errors are below these.
    pub stop: Stop,
}

/// Number of runs.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Runs {
    /// Runs that are always made, 1 to 1,000,000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min: u32,
    /// Runs after which it stops in any case, 1 to 1,000,000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max: u32,
}

impl Default for Runs {
    fn default() -> Self {
        Self { min: 200, max: 4000 }
    }
}

/// When the runs are enough.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// Standard error of every P(best), above 0, at most 0.5.
    #[schemars(range(max = 0.5), extend("exclusiveMinimum" = 0))]
    pub p_best_se: f64,
    /// Standard error of every mean incremental figure relative to it, above 0, at most 1.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub incremental_rse: f64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { p_best_se: 0.02, incremental_rse: 0.05 }
    }
}

/// What "attainable" potential stands for.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Potential {
    /// The sales effort at which attainable share is measured.
    pub effort: Effort,
}

/// A sales effort.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Effort {
    /// Calls a month on each customer, 0 to 1000.
    #[schemars(range(min = 0, max = 1000))]
    pub calls_per_month: f64,
    /// Months that the effort lasts, 1 to 600.
    #[schemars(range(min = 1, max = 600))]
    pub months: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { calls_per_month: 1.0, months: 24 }
    }
}

/// What `ikiz optimise` may change: in every territory it chooses one level of each part, or today's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Optimise {
    /// First month of the plan, "YYYY-MM".
    #[schemars(with = "String", extend("format" = "month", "pattern" = MONTH_PATTERN))]
    pub from: Spanned<String>,
    /// Money that the plan may cost over the horizon. Absent: economics.budget; one of the two must be given.
    #[schemars(with = "Option<f64>", range(min = 0))]
    pub budget: Option<Spanned<f64>>,
    /// Reps added to a territory.
    pub headcount: Option<HeadcountLevels>,
    /// Shares of call capacity spent on prospecting that are tried, each 0 to 1.
    #[serde(default)]
    #[schemars(inner(range(min = 0, max = 1)), length(max = 12))]
    pub prospecting: Vec<f64>,
    /// How often some customers are called on.
    pub calls: Option<CallLevels>,
    /// Further contacts, each { channel, per_month }.
    #[serde(default)]
    #[schemars(length(max = 7))]
    pub channels: Vec<ChannelLevels>,
    /// Territories may go to other reps.
    #[schemars(with = "Option<RealignSearch>")]
    pub realign: Option<Spanned<RealignSearch>>,
}

/// Which territories may go to other reps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RealignSearch {
    /// Most territories that change hands, 1 to 1000.
    #[serde(default = "default_moves")]
    #[schemars(range(min = 1, max = 1000))]
    pub most: u32,
    /// Ids of territories that stay with the reps they have.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub locked: Vec<Spanned<String>>,
}

fn default_moves() -> u32 {
    10
}

/// Reps added to a territory: levels step, 2 step, ... up to most.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadcountLevels {
    /// Most reps added to one territory, above 0, at most 1000.
    #[schemars(range(max = 1000), extend("exclusiveMinimum" = 0))]
    pub most: f64,
    /// From one level to the next, above 0, at most 1000: 0.5 is a rep for two territories.
    #[serde(default = "default_step")]
    #[schemars(range(max = 1000), extend("exclusiveMinimum" = 0))]
    pub step: f64,
    /// Cost of one rep a month, in money of the last month of the history.
    #[schemars(range(min = 0))]
    pub monthly_cost: f64,
    /// Months over which the reps are hired, evenly, 0 to 120.
    #[serde(default)]
    #[schemars(range(min = 0, max = 120))]
    pub ramp_months: u32,
    /// Calls a month of one new rep. Absent: the mean of our present reps.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub calls_per_month: Option<f64>,
}

fn default_step() -> f64 {
    1.0
}

/// How often whom `who` selects is called on; the calls of the others make room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallLevels {
    /// Customers, e.g. "size > p75".
    #[schemars(with = "String", extend("format" = "filter"))]
    pub who: Spanned<String>,
    /// Multiples of today's calls that are tried, each 0 to 100.
    #[schemars(inner(range(min = 0, max = 100)), length(min = 1, max = 12))]
    pub times: Vec<f64>,
}

/// Further contacts by one channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelLevels {
    /// Channel of the contacts; sms, email, whatsapp and ivr reach only customers who consent.
    pub channel: Channel,
    /// Contacts a month on each known customer that are tried, each 0 to 1000.
    #[schemars(inner(range(min = 0, max = 1000)), length(min = 1, max = 12))]
    pub per_month: Vec<f64>,
    /// Customers that get them. Absent: all that we know.
    #[schemars(with = "Option<String>", extend("format" = "filter"))]
    pub who: Option<Spanned<String>>,
    /// Cost of one contact, in money of the last month of the history.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub cost_per_contact: f64,
}

/// Settings of one mechanism; its schema is made from the table of mechanisms.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mechanism {
    pub on: Option<bool>,
    #[serde(default)]
    pub prior: BTreeMap<String, Spanned<Prior>>,
}

/// What is believed about a parameter before the data speak.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "prior distribution")]
pub enum Prior {
    /// Log-normal: { median, sd }.
    Lognormal(Lognormal),
    /// Normal: { mean, sd }.
    Normal(Normal),
    /// Beta, between 0 and 1: { a, b }.
    Beta(Beta),
    /// Uniform: { low, high }.
    Uniform(Uniform),
    /// Known exactly: a number.
    Fixed(f64),
}

/// Log-normal distribution.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Median, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub median: f64,
    /// Standard deviation of the logarithm, above 0: 0.4 is roughly 40 % either way.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub sd: f64,
}

/// Normal distribution.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub sd: f64,
}

/// Beta distribution, with mean a / (a + b).
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Beta {
    /// First shape parameter, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub a: f64,
    /// Second shape parameter, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub b: f64,
}

/// Uniform distribution.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Smallest value.
    pub low: f64,
    /// Largest value, above `low`.
    pub high: f64,
}

/// A course of action: levers, each pulled from a month on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strategy {
    /// Name of the strategy in every output: letters, digits, `-` and `_`.
    #[schemars(with = "String", length(min = 1))]
    pub id: Spanned<String>,
    /// What the strategy does, each a [[strategy.lever]] table. Absent: everything goes on as today.
    #[serde(default)]
    #[schemars(with = "Vec<Lever>")]
    pub lever: Vec<Spanned<Lever>>,
    /// When the strategy must change, each a [[strategy.trigger]] table; `ikiz track` reads them.
    #[serde(default)]
    #[schemars(with = "Vec<Trigger>")]
    pub trigger: Vec<Spanned<Trigger>>,
}

/// One lever of a strategy: from when, where, for whom, at what extra cost, and what is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lever {
    /// First month, "YYYY-MM".
    #[schemars(with = "String", extend("format" = "month", "pattern" = MONTH_PATTERN))]
    pub from: Spanned<String>,
    /// Last month, included, "YYYY-MM". Absent: the end of the horizon.
    #[schemars(with = "Option<String>", extend("format" = "month", "pattern" = MONTH_PATTERN))]
    pub to: Option<Spanned<String>>,
    /// Ids of territories, as in territories.csv. Absent: everywhere.
    #[schemars(with = "Option<Vec<Name>>", length(min = 1))]
    pub territories: Option<Vec<Spanned<String>>>,
    /// Customers it applies to, e.g. "size > p75 and segment != 'chain'". Absent: everybody.
    #[schemars(with = "Option<String>", extend("format" = "filter"))]
    pub who: Option<Spanned<String>>,
    /// Cost beside the lever's own, in money of the last month of the history.
    #[serde(default)]
    pub cost: Cost,
    /// What is done: exactly one lever.
    #[serde(rename = "do")]
    pub action: Action,
}

/// Text that is not blank; stands for `Spanned<String>` in the schema.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Name(#[schemars(length(min = 1))] String);

/// Cost beside the lever's own.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    /// Paid in the first month of the lever.
    #[schemars(range(min = 0))]
    pub once: f64,
    /// Paid in every month of the lever.
    #[schemars(range(min = 0))]
    pub monthly: f64,
}

/// What is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "lever")]
pub enum Action {
    /// Adds or takes away reps.
    Headcount(#[schemars(with = "Headcount")] Spanned<Headcount>),
    /// Gives territories to other reps.
    Realign(#[schemars(with = "Realign")] Spanned<Realign>),
    /// Sets calls by segment, and the part of capacity spent on prospecting.
    CallPlan(#[schemars(with = "CallPlan")] Spanned<CallPlan>),
    /// Sends a flow of contacts over channels.
    ChannelPlan(#[schemars(with = "ChannelPlan")] Spanned<ChannelPlan>),
    /// Shifts calls towards (or away from) whom `who` selects.
    Targeting(#[schemars(with = "Targeting")] Spanned<Targeting>),
    /// Changes our price.
    Price(#[schemars(with = "Price")] Spanned<Price>),
    /// Opens an ordering channel.
    OrderChannel(#[schemars(with = "OrderChannel")] Spanned<OrderChannel>),
    /// Buys a list of prospects.
    ListPurchase(#[schemars(with = "ListPurchase")] Spanned<ListPurchase>),
    /// Rewards customers who name others.
    Referral(#[schemars(with = "Referral")] Spanned<Referral>),
    /// Sells stock ahead at period ends.
    StockLoading(#[schemars(with = "StockLoading")] Spanned<StockLoading>),
    /// Stress test: a competitor acts.
    CompetitorMove(#[schemars(with = "CompetitorMove")] Spanned<CompetitorMove>),
    /// Stress test: the demand of the category changes.
    DemandShock(#[schemars(with = "DemandShock")] Spanned<DemandShock>),
    /// Stress test: we cannot deliver everything.
    SupplyShock(#[schemars(with = "SupplyShock")] Spanned<SupplyShock>),
}

/// Adds (or takes away) reps, spread over the lever's territories by potential.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headcount {
    /// Reps added; negative takes reps away.
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub add: f64,
    /// Cost of one rep a month, in money of the last month of the history.
    #[schemars(range(min = 0))]
    pub monthly_cost: f64,
    /// Months over which the reps are hired, evenly; each is paid and calls from then on. 0 to 120.
    #[schemars(range(min = 0, max = 120))]
    pub ramp_months: u32,
    /// Calls a month of one new rep. Absent: the mean of our present reps.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub calls_per_month: Option<f64>,
}

/// Gives territories to other reps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Realign {
    /// The changes, each { rep, territory }.
    #[schemars(length(min = 1))]
    pub moves: Vec<Move>,
}

/// A territory that a rep takes over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Id of the rep, as in reps.csv.
    #[schemars(with = "String", length(min = 1))]
    pub rep: Spanned<String>,
    /// Id of the territory that the rep takes over, as in territories.csv.
    #[schemars(with = "String", length(min = 1))]
    pub territory: Spanned<String>,
}

/// Calls by segment, and the part of capacity spent on prospecting.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct CallPlan {
    /// Share of call capacity spent on prospecting, 0 to 1. Absent: as today.
    #[schemars(range(min = 0, max = 1))]
    pub prospecting: Option<f64>,
    /// Rules, each { who, per_month }. The first that fits a customer counts; who fits none is called as today.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub calls: Vec<CallRule>,
}

/// One rule of a call plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallRule {
    /// Customers the rule fits, e.g. "size > p75".
    #[schemars(with = "String", extend("format" = "filter"))]
    pub who: Spanned<String>,
    /// Calls a month on each of them, 0 to 1000.
    #[schemars(range(min = 0, max = 1000))]
    pub per_month: f64,
}

/// A flow of contacts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelPlan {
    /// Contacts a month on each selected customer, above 0, at most 1000.
    #[schemars(range(max = 1000), extend("exclusiveMinimum" = 0))]
    pub contacts_per_month: f64,
    /// The steps in order.
    #[schemars(length(min = 1))]
    pub steps: Vec<Step>,
    /// Contacts a month that the team can send in all. Absent: no limit.
    #[schemars(range(min = 0))]
    pub capacity: Option<f64>,
    /// Contacts a month that a customer gets at most, those by all channels that it gets anyway among them. Absent: no limit.
    #[schemars(range(max = 1000), extend("exclusiveMinimum" = 0))]
    pub at_most: Option<f64>,
    /// Messages go by the channel that a customer prefers, where the plan has a step by that.
    #[serde(default)]
    pub preferred: bool,
}

/// One step of a channel plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Channel of the contact; sms, email, whatsapp and ivr reach only customers who consent.
    pub channel: Channel,
    /// Days after the step before, 0 to 365.
    #[serde(default)]
    #[schemars(range(min = 0, max = 365))]
    pub wait_days: f64,
    /// Name of the content.
    #[schemars(length(min = 1))]
    pub content: Option<String>,
    /// Time of the day.
    pub hours: Option<Hours>,
    /// The step is taken only when the contact before it ended so. Absent: always.
    #[schemars(with = "Option<When>")]
    pub when: Option<Spanned<When>>,
    /// Cost of one contact beyond the rep's own, in money of the last month of the history.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub cost_per_contact: f64,
}

/// Time of the day.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// Before noon.
    Morning,
    /// From noon to the end of the working day.
    Afternoon,
    /// After the working day.
    Evening,
}

/// How the contact before ended.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// It was opened or answered.
    Opened,
    /// It led to an order.
    Ordered,
    /// Nothing came back.
    Silent,
}

/// Shifts calls towards whom `who` selects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Targeting {
    /// Multiplies the call rate of whom `who` selects, 0 to 100; the calls of the others make room.
    #[schemars(range(min = 0, max = 100))]
    pub weight: f64,
}

/// Changes our price.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Change as a share, above -1, at most 10: -0.05 is 5 % cheaper.
    #[schemars(range(max = 10), extend("exclusiveMinimum" = -1))]
    pub change: f64,
}

/// Opens an ordering channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderChannel {
    /// Name of the ordering channel.
    #[schemars(length(min = 1))]
    pub channel: String,
    /// Share of selected customers who take it up, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub adoption: f64,
}

/// Buys a list of prospects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPurchase {
    /// Records bought, above 0.
    #[schemars(range(max = 1_000_000_000), extend("exclusiveMinimum" = 0))]
    pub records: f64,
    /// Share of the records that are real buyers of the category, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub accuracy: f64,
    /// Price of one record, in money of the last month of the history.
    #[schemars(range(min = 0))]
    pub cost_per_record: f64,
}

/// Rewards customers who name others.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// Multiplies the rate at which customers refer others, 0 to 100: 1 changes nothing.
    #[schemars(range(min = 0, max = 100))]
    pub strength: f64,
    /// Paid for each new customer, in money of the last month of the history.
    #[schemars(range(min = 0))]
    pub reward: f64,
}

/// Sells stock ahead at period ends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StockLoading {
    /// Months of demand sold ahead, above 0, at most 12.
    #[schemars(range(max = 12), extend("exclusiveMinimum" = 0))]
    pub depth: f64,
    /// Months from one loading to the next, 1 to 120.
    #[serde(default = "default_every_months")]
    #[schemars(range(min = 1, max = 120))]
    pub every_months: u32,
    /// Discount given for it as a share of the price, 0 to 1.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub discount: f64,
}

fn default_every_months() -> u32 {
    3
}

/// A competitor acts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompetitorMove {
    /// Id of the competitor, as in companies.csv.
    #[schemars(with = "String", length(min = 1))]
    pub company: Spanned<String>,
    /// Log odds added to the competitor's appeal, -10 to 10.
    #[schemars(range(min = -10, max = 10))]
    pub push: f64,
}

/// The demand of the category changes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DemandShock {
    /// Multiplies the demand of the category, 0 to 100: 0.8 is 20 % less.
    #[schemars(range(min = 0, max = 100))]
    pub factor: f64,
}

/// We cannot deliver everything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplyShock {
    /// Share of our orders that we can deliver, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub factor: f64,
}

/// When a strategy must change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What is watched, month by month.
    pub measure: Measure,
    /// The trigger fires when the measure is below this.
    pub below: Option<f64>,
    /// The trigger fires when the measure is above this.
    pub above: Option<f64>,
    /// Months in a row that it must hold, 1 to 600.
    #[serde(default = "default_for_months")]
    #[schemars(range(min = 1, max = 600))]
    pub for_months: u32,
    /// Id of the strategy to change to. Absent: it is only reported.
    #[schemars(with = "Option<String>")]
    pub then: Option<Spanned<String>>,
}

fn default_for_months() -> u32 {
    1
}

/// What a trigger watches: figures that arrive with the data each month.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Our sales of the month, in demand units.
    OwnSales,
    /// Category demand of the month, in demand units.
    TotalDemand,
    /// Our share of category demand, 0 to 1.
    Share,
    /// Customers won in the month.
    NewCustomers,
    /// Sales beyond those that the baseline forecast, in demand units.
    IncrementalSales,
    /// Money spent on the strategy in the month.
    Cost,
}
