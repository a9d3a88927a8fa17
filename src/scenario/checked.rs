//! A scenario after its check: every field has its meaning, every number its range.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use serde::Serialize;

use super::filter::Filter;
use crate::channel::Channel;
use crate::problem::Place;
use crate::units::Month;

/// A value and the bytes of the scenario file it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// The text a scenario was read from, kept so that later errors can underline it.
///
/// Spans count bytes of `text`; those beyond its end are bytes of the `--set` overrides.
#[derive(Debug, Clone, Default)]
pub struct Source {
    pub path: String,
    pub text: String,
    /// The overrides, in the order they were given.
    pub overrides: Vec<Override>,
}

/// One `--set key=value` of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Where its spans begin: beyond the file and the overrides before it.
    pub start: usize,
    /// `key=value` as it was given.
    pub text: String,
}

impl Source {
    /// The source with its overrides laid out behind it.
    pub fn new(path: impl Into<String>, text: impl Into<String>, overrides: &[String]) -> Self {
        let text = text.into();
        let mut start = text.len() + 1;
        let overrides = overrides.iter().map(|text| {
            let laid = Override { start, text: text.clone() };
            start += text.len() + 1;
            laid
        });
        Self { overrides: overrides.collect(), path: path.into(), text }
    }

    /// A place in this file (or override): the lines that the span touches.
    pub fn place(&self, span: &Range<usize>) -> Place {
        if let Some(laid) = self.override_at(span.start) {
            let key = laid.text.split_once('=').map_or(laid.text.as_str(), |(key, _)| key).trim();
            let end = span.end.clamp(span.start, laid.start + laid.text.len());
            let span = span.start - laid.start..end - laid.start;
            return Place { file: format!("--set {key}"), line: 1, text: laid.text.clone(), span };
        }
        let start = floor_boundary(&self.text, span.start);
        let end = floor_boundary(&self.text, span.end.max(start));
        let from = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let to = self.text[end..].find('\n').map_or(self.text.len(), |newline| end + newline);
        let line = 1 + self.text[..from].bytes().filter(|&byte| byte == b'\n').count();
        // Of a line that no screen holds only the surroundings are shown.
        let (from, to) = if to - from > LONGEST_SHOWN {
            let around = LONGEST_SHOWN / 4;
            let from = floor_boundary(&self.text, from.max(start.saturating_sub(around)));
            (from, floor_boundary(&self.text, to.min(end.min(start + around) + around)))
        } else {
            (from, to)
        };
        let end = end.min(to);
        let text = self.text[from..to].trim_end_matches('\r').to_owned();
        Place { file: self.path.clone(), line, text, span: start - from..end - from }
    }

    /// The text that a span covers.
    pub fn slice(&self, span: &Range<usize>) -> &str {
        match self.override_at(span.start) {
            Some(laid) => laid.text.get(span.start - laid.start..span.end.saturating_sub(laid.start)),
            None => self.text.get(span.clone()),
        }
        .unwrap_or("")
    }

    fn override_at(&self, at: usize) -> Option<&Override> {
        self.overrides.iter().rev().find(|laid| laid.start <= at)
    }
}

/// Bytes of a place's lines beyond which they are cut.
const LONGEST_SHOWN: usize = 4000;

/// The nearest character boundary at or before `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// A question put to the twin.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file's stem; names the output folder.
    pub name: String,
    pub source: Source,
    pub market: MarketSource,
    pub seed: u64,
    /// Months after `history_end`.
    pub horizon: u32,
    /// Index into `strategies`.
    pub baseline: usize,
    /// Narrows the history; `None` = the whole of `sales.csv`.
    pub history: Option<HistoryWindow>,
    pub economics: Economics,
    pub monte_carlo: MonteCarlo,
    pub effort: Effort,
    /// By mechanism name.
    pub mechanisms: BTreeMap<String, MechanismSettings>,
    pub strategies: Vec<Strategy>,
    pub triggers: Vec<Trigger>,
    /// What `optimise` may change.
    pub optimise: Option<Optimise>,
}

/// `[optimise]`: in every territory one level of each part is chosen, or today's.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimise {
    pub from: Located<Month>,
    /// Over the horizon, beyond the baseline.
    pub budget: f64,
    /// In the order of the file's fields.
    pub parts: Vec<OptimisePart>,
    /// Territories may go to other reps.
    pub realign: Option<OptimiseRealign>,
    pub span: Range<usize>,
}

/// Which territories may go to other reps.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimiseRealign {
    /// Most that change hands.
    pub most: usize,
    pub locked: Vec<Located<String>>,
    pub span: Range<usize>,
}

/// One thing that may be changed, and how far.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimisePart {
    /// As it stands in `plan.csv`: `headcount`, `prospecting`, `calls`, or the channel.
    pub name: String,
    /// Levels beside today's; each a lever that acts on whom `who` selects in the territories that choose it.
    pub levels: Vec<OptimiseLevel>,
    pub who: Option<Located<Filter>>,
}

/// A level of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimiseLevel {
    /// In words.
    pub label: String,
    pub lever: Lever,
}

/// Where the market comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum MarketSource {
    /// A market directory.
    Directory(PathBuf),
    /// A description from which `synth` makes one.
    Synthetic(PathBuf),
    /// The scenario names none: it must come from `--market`.
    CommandLine,
}

/// `[history]`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryWindow {
    pub from: Option<Located<Month>>,
    pub to: Option<Located<Month>>,
}

/// `[economics]`: money of `history_end`, before tax.
#[derive(Debug, Clone, PartialEq)]
pub struct Economics {
    /// `None` = value / units of the last 12 months.
    pub unit_price: Option<f64>,
    /// Share of net sales. `None` = not given: margins, ROI and NPV are left out of the output.
    pub gross_margin: Option<f64>,
    /// Real, a year.
    pub discount_rate: f64,
    /// Prices hardly moved over the history: money needs no deflator.
    pub stable_prices: bool,
    pub objective: Objective,
    /// Over the horizon; a dearer strategy is an error.
    pub budget: Option<Located<f64>>,
    /// Demand units a month that we can deliver.
    pub supply_ceiling: Option<f64>,
    /// Reps a month.
    pub hiring_pace: Option<Located<f64>>,
    /// Own sales of the horizon's last 12 months.
    pub target: Option<f64>,
}

/// What `p_best` and `regret` are judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    Npv,
    IncrementalSales,
    IncrementalMargin,
}

/// `[monte_carlo]`: how many paired runs, and when they are enough.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonteCarlo {
    pub runs_min: u32,
    pub runs_max: u32,
    /// Stop when the Monte Carlo error of every P(best) is below this...
    pub p_best_se: f64,
    /// ... and that of every mean incremental, relative to it, below this.
    pub incremental_rse: f64,
}

/// `[potential] effort`: what "attainable" stands for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effort {
    pub calls_per_month: f64,
    pub months: u32,
}

/// `[mechanism.<name>]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MechanismSettings {
    pub on: Option<bool>,
    /// Overridden priors, by parameter.
    pub priors: BTreeMap<String, Located<Prior>>,
    pub span: Range<usize>,
}

/// A prior distribution of one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    Lognormal {
        median: f64,
        sd: f64,
    },
    Normal {
        mean: f64,
        sd: f64,
    },
    Beta {
        a: f64,
        b: f64,
    },
    Uniform {
        low: f64,
        high: f64,
    },
    /// Known exactly.
    Fixed(f64),
}

impl std::fmt::Display for Prior {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lognormal { median, sd } => write!(f, "lognormal, median {median}, log sd {sd}"),
            Self::Normal { mean, sd } => write!(f, "normal, mean {mean}, sd {sd}"),
            Self::Beta { a, b } => write!(f, "beta({a}, {b})"),
            Self::Uniform { low, high } => write!(f, "uniform from {low} to {high}"),
            Self::Fixed(value) => write!(f, "{value:.3}"),
        }
    }
}

/// `[[strategy]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    pub id: String,
    /// Empty for the baseline that is added when the scenario names none.
    pub span: Range<usize>,
    pub levers: Vec<LeverPlan>,
}

/// `[[strategy.lever]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LeverPlan {
    pub from: Located<Month>,
    /// Last month, included; `None` = the end of the horizon.
    pub to: Option<Located<Month>>,
    /// `None` = everywhere.
    pub territories: Option<Vec<Located<String>>>,
    /// `None` = everybody.
    pub who: Option<Located<Filter>>,
    pub cost: Cost,
    pub lever: Lever,
    /// The whole `do.<lever>` value.
    pub span: Range<usize>,
}

/// `cost = { once, monthly }`: money of `history_end`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Cost {
    pub once: f64,
    pub monthly: f64,
}

/// Exactly one `do.<lever>`.
#[derive(Debug, Clone, PartialEq)]
pub enum Lever {
    Headcount(Headcount),
    Realign(Realign),
    CallPlan(CallPlan),
    ChannelPlan(ChannelPlan),
    Targeting(Targeting),
    Price(PriceChange),
    OrderChannel(OrderChannel),
    ListPurchase(ListPurchase),
    Referral(Referral),
    StockLoading(StockLoading),
    CompetitorMove(CompetitorMove),
    DemandShock(DemandShock),
    SupplyShock(SupplyShock),
}

/// Adds (or takes away) reps, spread over the lever's territories by potential.
#[derive(Debug, Clone, PartialEq)]
pub struct Headcount {
    pub add: f64,
    /// Of one rep.
    pub monthly_cost: f64,
    pub ramp_months: u32,
    /// Calls a month of one rep; `None` = the mean of our present reps.
    pub calls_per_month: Option<f64>,
}

/// Moves territories between reps' territories.
#[derive(Debug, Clone, PartialEq)]
pub struct Realign {
    /// (rep, territory) pairs.
    pub moves: Vec<(Located<String>, Located<String>)>,
}

/// Calls by segment, and the part of capacity spent prospecting.
#[derive(Debug, Clone, PartialEq)]
pub struct CallPlan {
    /// 0..1; `None` = as today.
    pub prospecting: Option<f64>,
    /// The first rule that fits a customer counts; who fits none is called as today.
    pub calls: Vec<CallRule>,
}

/// One rule of a call plan.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRule {
    pub who: Located<Filter>,
    pub per_month: f64,
}

/// A flow of contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelPlan {
    pub contacts_per_month: f64,
    pub steps: Vec<ChannelStep>,
    /// Contacts a month that the team can send; `None` = no limit.
    pub capacity: Option<f64>,
    /// Contacts a month that a customer gets at most, all together; `None` = no limit.
    pub at_most: Option<f64>,
    /// Messages go by the channel that a customer prefers.
    pub preferred: bool,
}

/// One step of a channel plan.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelStep {
    pub channel: Channel,
    pub wait_days: f64,
    pub content: Option<String>,
    /// `morning`, `afternoon`, `evening`.
    pub hours: Option<String>,
    /// Only when the last contact ended so.
    pub when: Option<StepCondition>,
    pub cost_per_contact: f64,
}

/// Condition on the last response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepCondition {
    Opened,
    Ordered,
    Silent,
}

/// Multiplies the call rate of whom `who` selects.
#[derive(Debug, Clone, PartialEq)]
pub struct Targeting {
    pub weight: f64,
}

/// Changes our price by a share (-0.05 = 5% cheaper).
#[derive(Debug, Clone, PartialEq)]
pub struct PriceChange {
    pub change: f64,
}

/// Opens an ordering channel.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderChannel {
    pub channel: String,
    pub adoption: f64,
}

/// Buys a list of prospects.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPurchase {
    pub records: f64,
    /// Share of records that are real buyers of the category.
    pub accuracy: f64,
    pub cost_per_record: f64,
}

/// Pays customers to name others.
#[derive(Debug, Clone, PartialEq)]
pub struct Referral {
    /// Multiplies the referral hazard.
    pub strength: f64,
    pub reward: f64,
}

/// Sells stock ahead at period ends.
#[derive(Debug, Clone, PartialEq)]
pub struct StockLoading {
    /// Months of demand sold ahead.
    pub depth: f64,
    pub every_months: u32,
    pub discount: f64,
}

/// Stress: a competitor acts.
#[derive(Debug, Clone, PartialEq)]
pub struct CompetitorMove {
    pub company: Located<String>,
    /// Log odds added to the competitor's appeal.
    pub push: f64,
}

/// Stress: category demand is multiplied.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandShock {
    pub factor: f64,
}

/// Stress: we can deliver only this share.
#[derive(Debug, Clone, PartialEq)]
pub struct SupplyShock {
    pub factor: f64,
}

/// `[[strategy.trigger]]`: when a strategy must change; `track` reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    pub strategy: usize,
    pub measure: String,
    pub below: Option<f64>,
    pub above: Option<f64>,
    pub for_months: u32,
    pub then: Option<Located<String>>,
}
