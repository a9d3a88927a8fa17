//! Raw types to the checked [`Scenario`]: what no field can say alone. Types, ranges, months and filters were checked by
//! the walk (`shape`); here fields meet each other.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use unicode_normalization::UnicodeNormalization as _;

use super::checked::*;
use super::finding::Finding;
use super::mechanisms::{Parameter, Support, find_parameter};
use super::raw;
use super::shape::Walked;
use super::suggest::{did_you_mean, listed};
use crate::units::Month;

/// Id of the baseline that is added when the scenario names none.
const AS_TODAY: &str = "as-today";

/// The probability outside a parameter's range that a prior may have.
const OUTSIDE: f64 = 1e-3;

/// The checked scenario; what is wrong with it is added to `walked.findings`. It is good for use only when no error is
/// among them.
pub(super) fn check(raw: raw::Scenario, source: Source, walked: &mut Walked) -> Scenario {
    let path = Path::new(&source.path).to_owned();
    let clean = walked.findings.is_empty();
    let mut checker = Checker { filters: &walked.filters, findings: &mut walked.findings, clean };
    let mut strategies: Vec<Strategy> = Vec::new();
    let mut triggers: Vec<(usize, Spanned<raw::Trigger>)> = Vec::new();
    for strategy in raw.strategy {
        let span = strategy.span();
        let strategy = strategy.into_inner();
        checker.strategy_id(&strategy.id, &strategies);
        triggers.extend(strategy.trigger.into_iter().map(|trigger| (strategies.len(), trigger)));
        let levers = strategy.lever.into_iter().filter_map(|lever| checker.lever(lever)).collect();
        strategies.push(Strategy { id: strategy.id.into_inner(), span, levers });
    }
    let baseline = checker.baseline(raw.baseline, &mut strategies);
    if clean {
        for (index, strategy) in strategies.iter().enumerate() {
            if strategy.levers.is_empty() && index != baseline {
                let title = format!("strategy `{}` has no levers: it does the same as the baseline", strategy.id);
                checker.findings.push(Finding::warning(strategy.span.clone(), title, "nothing is done here"));
            }
        }
    }
    let triggers = triggers.into_iter().filter_map(|(index, trigger)| checker.trigger(index, trigger, &strategies));
    let triggers = triggers.collect();
    let history = raw.history.map(|history| {
        let (from, to) = (located_month(history.from), located_month(history.to));
        checker.ordered(from.as_ref(), to.as_ref(), "the history");
        HistoryWindow { from, to }
    });
    let folder = path.parent().unwrap_or(Path::new(""));
    let economics = checker.economics(raw.economics);
    let optimise = raw.optimise.and_then(|raw| checker.optimise(raw, economics.budget.as_ref()));
    Scenario {
        name: path.file_stem().map_or_else(|| "scenario".to_owned(), |stem| stem.to_string_lossy().into_owned()),
        market: match raw.market {
            Some(raw::Market::Path(path)) => MarketSource::Directory(folder.join(path)),
            Some(raw::Market::Synthetic(path)) => MarketSource::Synthetic(folder.join(path)),
            None => MarketSource::CommandLine,
        },
        seed: raw.seed,
        horizon: raw.horizon,
        baseline,
        history,
        economics,
        monte_carlo: checker.monte_carlo(raw.monte_carlo),
        effort: Effort { calls_per_month: raw.potential.effort.calls_per_month, months: raw.potential.effort.months },
        mechanisms: raw.mechanism.into_iter().map(|(name, settings)| checker.mechanism(name, settings)).collect(),
        strategies,
        triggers,
        optimise,
        source,
    }
}

struct Checker<'w> {
    filters: &'w BTreeMap<usize, super::filter::Filter>,
    findings: &'w mut Vec<Finding>,
    /// The walk found nothing, so that what is missing is missing from the file.
    clean: bool,
}

impl Checker<'_> {
    fn strategy_id(&mut self, id: &Spanned<String>, earlier: &[Strategy]) {
        let text = id.get_ref();
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        if !text.is_empty() && !text.chars().all(allowed) {
            let slug: String = text.trim().chars().map(|c| if allowed(c) { c } else { '-' }).collect();
            let title = format!("\"{}\" cannot be the id of a strategy", text.escape_debug());
            self.findings.push(
                Finding::error(id.span(), title, "only letters, digits, `-` and `_`")
                    .help(format!("write for example \"{slug}\": the id names the strategy in every output file")),
            );
        }
        if earlier.iter().any(|strategy| strategy.id == *text) {
            let title = format!("strategy `{}` is there twice", text.escape_debug());
            self.findings.push(
                Finding::error(id.span(), title, "this id is taken by a strategy above")
                    .help("give each strategy its own id"),
            );
        }
    }

    /// Index of the baseline, added where the scenario names none.
    fn baseline(&mut self, named: Option<Spanned<String>>, strategies: &mut Vec<Strategy>) -> usize {
        let position = |id: &str| strategies.iter().position(|strategy| strategy.id == id);
        match named {
            Some(id) => position(id.get_ref()).unwrap_or_else(|| {
                let finding = unknown_strategy(&id, strategies, "the baseline");
                self.findings.push(finding);
                0
            }),
            None => match position(AS_TODAY) {
                Some(found) if strategies[found].levers.is_empty() => found,
                Some(found) => {
                    let title = format!("strategy `{AS_TODAY}` has levers, and the scenario names no baseline");
                    self.findings.push(
                        Finding::error(strategies[found].span.clone(), title, "this is not today").help(format!(
                            "write `baseline = \"{AS_TODAY}\"` at the top to compare with it, or give it another id: \
                             without a baseline an empty strategy `{AS_TODAY}` is added"
                        )),
                    );
                    found
                }
                None => {
                    strategies.push(Strategy { id: AS_TODAY.to_owned(), span: 0..0, levers: Vec::new() });
                    strategies.len() - 1
                }
            },
        }
    }

    /// `None` when the walk refused one of its filters.
    fn lever(&mut self, lever: Spanned<raw::Lever>) -> Option<LeverPlan> {
        let raw = lever.into_inner();
        let from = located_month(Some(raw.from));
        let to = located_month(raw.to);
        self.ordered(from.as_ref(), to.as_ref(), "the lever");
        let territories = raw.territories.map(|ids| self.territories(ids));
        if self.clean
            && raw.who.is_none()
            && let raw::Action::Targeting(targeting) = &raw.action
        {
            let title = "targeting without `who` weighs all customers alike, so it changes nothing";
            self.findings.push(
                Finding::warning(targeting.span(), title, "for everybody")
                    .help("say whom it is for, for example who = \"size > p75\""),
            );
        }
        let who = match raw.who {
            Some(who) => Some(self.filter(who)?),
            None => None,
        };
        let (lever, span) = self.action(raw.action)?;
        let cost = Cost { once: raw.cost.once, monthly: raw.cost.monthly };
        Some(LeverPlan { from: from?, to, territories, who, cost, lever, span })
    }

    fn territories(&mut self, ids: Vec<Spanned<String>>) -> Vec<Located<String>> {
        let mut kept: Vec<Located<String>> = Vec::with_capacity(ids.len());
        for id in ids.into_iter().map(located_name) {
            if kept.iter().any(|earlier| earlier.value == id.value) {
                let title = format!("territory \"{}\" is named twice", id.value.escape_debug());
                self.findings.push(Finding::error(id.span.clone(), title, "it is in the list already"));
            }
            kept.push(id);
        }
        kept
    }

    fn filter(&self, who: Spanned<String>) -> Option<Located<super::filter::Filter>> {
        let span = who.span();
        Some(Located { value: self.filters.get(&span.start)?.clone(), span })
    }

    fn action(&mut self, action: raw::Action) -> Option<(Lever, Range<usize>)> {
        Some(match action {
            raw::Action::Headcount(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                let lever = Headcount {
                    add: raw.add,
                    monthly_cost: raw.monthly_cost,
                    ramp_months: raw.ramp_months,
                    calls_per_month: raw.calls_per_month,
                };
                (Lever::Headcount(lever), span)
            }
            raw::Action::Realign(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                (Lever::Realign(Realign { moves: self.moves(raw.moves) }), span)
            }
            raw::Action::CallPlan(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                let rule =
                    |rule: raw::CallRule| Some(CallRule { who: self.filter(rule.who)?, per_month: rule.per_month });
                let calls = raw.calls.into_iter().map(rule).collect::<Option<_>>()?;
                (Lever::CallPlan(CallPlan { prospecting: raw.prospecting, calls }), span)
            }
            raw::Action::ChannelPlan(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                (Lever::ChannelPlan(self.channel_plan(raw)), span)
            }
            raw::Action::Targeting(raw) => (Lever::Targeting(Targeting { weight: raw.get_ref().weight }), raw.span()),
            raw::Action::Price(raw) => (Lever::Price(PriceChange { change: raw.get_ref().change }), raw.span()),
            raw::Action::OrderChannel(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                (Lever::OrderChannel(OrderChannel { channel: raw.channel, adoption: raw.adoption }), span)
            }
            raw::Action::ListPurchase(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                let lever =
                    ListPurchase { records: raw.records, accuracy: raw.accuracy, cost_per_record: raw.cost_per_record };
                (Lever::ListPurchase(lever), span)
            }
            raw::Action::Referral(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                (Lever::Referral(Referral { strength: raw.strength, reward: raw.reward }), span)
            }
            raw::Action::StockLoading(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                let lever = StockLoading { depth: raw.depth, every_months: raw.every_months, discount: raw.discount };
                (Lever::StockLoading(lever), span)
            }
            raw::Action::CompetitorMove(raw) => {
                let (span, raw) = (raw.span(), raw.into_inner());
                (Lever::CompetitorMove(CompetitorMove { company: located_name(raw.company), push: raw.push }), span)
            }
            raw::Action::DemandShock(raw) => {
                (Lever::DemandShock(DemandShock { factor: raw.get_ref().factor }), raw.span())
            }
            raw::Action::SupplyShock(raw) => {
                (Lever::SupplyShock(SupplyShock { factor: raw.get_ref().factor }), raw.span())
            }
        })
    }

    fn moves(&mut self, moves: Vec<raw::Move>) -> Vec<(Located<String>, Located<String>)> {
        let mut kept: Vec<(Located<String>, Located<String>)> = Vec::with_capacity(moves.len());
        for change in moves {
            let (rep, territory) = (located_name(change.rep), located_name(change.territory));
            if kept.iter().any(|(_, earlier)| earlier.value == territory.value) {
                let title = format!("territory \"{}\" is given away twice", territory.value.escape_debug());
                let label = "it has a new rep above";
                self.findings.push(Finding::error(territory.span.clone(), title, label));
            }
            kept.push((rep, territory));
        }
        kept
    }

    fn channel_plan(&mut self, raw: raw::ChannelPlan) -> ChannelPlan {
        if self.clean
            && let Some(when) = raw.steps.first().and_then(|step| step.when.as_ref())
        {
            self.findings.push(
                Finding::error(when.span(), "the first step has no contact before it", "there is nothing to wait for")
                    .help("remove `when` from the first step"),
            );
        }
        let step = |step: raw::Step| ChannelStep {
            channel: step.channel,
            wait_days: step.wait_days,
            content: step.content,
            hours: step.hours.map(|hours| match hours {
                raw::Hours::Morning => "morning".to_owned(),
                raw::Hours::Afternoon => "afternoon".to_owned(),
                raw::Hours::Evening => "evening".to_owned(),
            }),
            when: step.when.map(|when| match when.into_inner() {
                raw::When::Opened => StepCondition::Opened,
                raw::When::Ordered => StepCondition::Ordered,
                raw::When::Silent => StepCondition::Silent,
            }),
            cost_per_contact: step.cost_per_contact,
        };
        ChannelPlan {
            contacts_per_month: raw.contacts_per_month,
            steps: raw.steps.into_iter().map(step).collect(),
            capacity: raw.capacity,
            at_most: raw.at_most,
            preferred: raw.preferred,
        }
    }

    /// `None` when something in it was refused.
    fn optimise(&mut self, raw: Spanned<raw::Optimise>, budget: Option<&Located<f64>>) -> Option<Optimise> {
        let (span, raw) = (raw.span(), raw.into_inner());
        let mut parts = Vec::new();
        let mut part = |name: &str, who: Option<Located<super::filter::Filter>>, levels: Vec<(String, Lever)>| {
            let levels: Vec<OptimiseLevel> =
                levels.into_iter().map(|(label, lever)| OptimiseLevel { label, lever }).collect();
            if !levels.is_empty() {
                parts.push(OptimisePart { name: name.to_owned(), levels, who });
            }
        };
        if let Some(raw) = raw.headcount {
            // At most a hundred levels: more would not be told apart.
            let count = (raw.most / raw.step + 1e-9).floor().clamp(1.0, 100.0) as usize;
            let level = |k: usize| {
                let add = raw.step * k as f64;
                let lever = Headcount {
                    add,
                    monthly_cost: raw.monthly_cost,
                    ramp_months: raw.ramp_months,
                    calls_per_month: raw.calls_per_month,
                };
                (format!("{add} reps more"), Lever::Headcount(lever))
            };
            part("headcount", None, (1..=count).map(level).collect());
        }
        let prospecting = raw.prospecting.iter().map(|&share| {
            let plan = CallPlan { prospecting: Some(share), calls: Vec::new() };
            (format!("{:.0}% of calls", 100.0 * share), Lever::CallPlan(plan))
        });
        part("prospecting", None, prospecting.collect());
        if let Some(raw) = raw.calls {
            let who = self.filter(raw.who)?;
            let level = |&weight: &f64| (format!("{weight} times"), Lever::Targeting(Targeting { weight }));
            part("calls", Some(who), raw.times.iter().map(level).collect());
        }
        for raw in raw.channels {
            let who = match raw.who {
                Some(who) => Some(self.filter(who)?),
                None => None,
            };
            let level = |&per_month: &f64| {
                let step = ChannelStep {
                    channel: raw.channel,
                    wait_days: 0.0,
                    content: None,
                    hours: None,
                    when: None,
                    cost_per_contact: raw.cost_per_contact,
                };
                let plan = ChannelPlan {
                    contacts_per_month: per_month,
                    steps: vec![step],
                    capacity: None,
                    at_most: None,
                    preferred: false,
                };
                (format!("{per_month} a month"), Lever::ChannelPlan(plan))
            };
            part(raw.channel.name(), who, raw.per_month.iter().filter(|x| **x > 0.0).map(level).collect());
        }
        let budget = raw.budget.map(|budget| *budget.get_ref()).or(budget.map(|budget| budget.value));
        let realign = raw.realign.map(|realign| {
            let (span, realign) = (realign.span(), realign.into_inner());
            let locked = realign.locked.into_iter().map(|id| Located { span: id.span(), value: id.into_inner() });
            OptimiseRealign { most: realign.most as usize, locked: locked.collect(), span }
        });
        if parts.is_empty() && realign.is_none() {
            self.findings.push(Finding::error(span, "there is nothing to choose from", "no levels here").help(
                "add headcount = { most = 3, monthly_cost = ... }, prospecting = [0.3], calls, channels or realign",
            ));
            return None;
        }
        let Some(budget) = budget else {
            self.findings.push(
                Finding::error(
                    span,
                    "it is not said what the plan may cost",
                    "no budget here, and none in [economics]",
                )
                .help("add budget = ... (money over the horizon, beyond the baseline)"),
            );
            return None;
        };
        Some(Optimise { from: located_month(Some(raw.from))?, budget, parts, realign, span })
    }

    fn trigger(&mut self, strategy: usize, raw: Spanned<raw::Trigger>, strategies: &[Strategy]) -> Option<Trigger> {
        let span = raw.span();
        let raw = raw.into_inner();
        if self.clean && raw.below.is_none() && raw.above.is_none() {
            self.findings.push(
                Finding::error(span, "the trigger never fires", "`below` or `above` is missing here")
                    .help("say when it fires, for example below = 0.2"),
            );
        }
        let then = raw.then.map(|then| {
            if !strategies.iter().any(|strategy| strategy.id == *then.get_ref()) {
                self.findings.push(unknown_strategy(&then, strategies, "`then`"));
            }
            located(then)
        });
        let measure = match raw.measure {
            raw::Measure::OwnSales => "own_sales",
            raw::Measure::TotalDemand => "total_demand",
            raw::Measure::Share => "share",
            raw::Measure::NewCustomers => "new_customers",
            raw::Measure::IncrementalSales => "incremental_sales",
            raw::Measure::Cost => "cost",
        };
        Some(Trigger {
            strategy,
            measure: measure.to_owned(),
            below: raw.below,
            above: raw.above,
            for_months: raw.for_months,
            then,
        })
    }

    fn economics(&mut self, raw: raw::Economics) -> Economics {
        let objective = match raw.objective {
            Some(objective) => {
                let chosen = match objective.get_ref() {
                    raw::Objective::Npv => Objective::Npv,
                    raw::Objective::IncrementalSales => Objective::IncrementalSales,
                    raw::Objective::IncrementalMargin => Objective::IncrementalMargin,
                };
                if self.clean && raw.gross_margin.is_none() && chosen != Objective::IncrementalSales {
                    self.findings.push(
                        Finding::error(
                            objective.span(),
                            "this objective needs a gross margin",
                            "it is made of margins",
                        )
                        .help("add gross_margin = ... (a share of net sales), or write \"incremental_sales\""),
                    );
                }
                chosen
            }
            None if raw.gross_margin.is_some() => Objective::Npv,
            None => Objective::IncrementalSales,
        };
        Economics {
            unit_price: raw.unit_price,
            gross_margin: raw.gross_margin,
            discount_rate: raw.discount_rate,
            stable_prices: raw.stable_prices,
            objective,
            budget: raw.budget.map(located),
            supply_ceiling: raw.supply_ceiling,
            hiring_pace: raw.hiring_pace.map(located),
            target: raw.target,
        }
    }

    fn monte_carlo(&mut self, raw: raw::MonteCarlo) -> MonteCarlo {
        if self.clean
            && let Some(runs) = &raw.runs
            && runs.get_ref().min > runs.get_ref().max
        {
            let (min, max) = (runs.get_ref().min, runs.get_ref().max);
            let title = format!("runs.min is {min}, above runs.max, which is {max}");
            self.findings.push(
                Finding::error(runs.span(), title, "min must not be above max")
                    .help("where one of the two is absent, min is 200 and max is 4000"),
            );
        }
        let runs = raw.runs.map_or_else(raw::Runs::default, Spanned::into_inner);
        MonteCarlo {
            runs_min: runs.min,
            runs_max: runs.max,
            p_best_se: raw.stop.p_best_se,
            incremental_rse: raw.stop.incremental_rse,
        }
    }

    fn mechanism(&mut self, name: String, raw: Spanned<raw::Mechanism>) -> (String, MechanismSettings) {
        let span = raw.span();
        let raw = raw.into_inner();
        let mut priors = BTreeMap::new();
        for (parameter, prior) in raw.prior {
            let span = prior.span();
            let prior = match *prior.get_ref() {
                raw::Prior::Lognormal(raw) => Prior::Lognormal { median: raw.median, sd: raw.sd },
                raw::Prior::Normal(raw) => Prior::Normal { mean: raw.mean, sd: raw.sd },
                raw::Prior::Beta(raw) => Prior::Beta { a: raw.a, b: raw.b },
                raw::Prior::Uniform(raw) => Prior::Uniform { low: raw.low, high: raw.high },
                raw::Prior::Fixed(value) => Prior::Fixed(value),
            };
            if let Prior::Uniform { low, high } = prior
                && low >= high
            {
                let title = format!("the prior's low, {low}, is not below its high, {high}");
                self.findings.push(Finding::error(span.clone(), title, "low must be below high"));
            } else if let Some(known) = find_parameter(&name, &parameter)
                && let Some(why) = outside_support(prior, known)
            {
                let title = format!("this prior does not fit `{parameter}`: {why}");
                let help = match known.support {
                    Support::Positive => "it takes values from 0: use lognormal, or uniform or fixed from 0",
                    Support::Fraction => "it takes values from 0 to 1: use beta, or uniform or fixed in there",
                    Support::Real => "it takes any value",
                };
                self.findings.push(Finding::error(span.clone(), title, "not a prior for it").help(help));
            }
            priors.insert(parameter, Located { value: prior, span });
        }
        (name, MechanismSettings { on: raw.on, priors, span })
    }

    fn ordered(&mut self, from: Option<&Located<Month>>, to: Option<&Located<Month>>, what: &str) {
        if let (Some(from), Some(to)) = (from, to)
            && from.value > to.value
        {
            let title = format!("{what} ends in {}, before it begins in {}", to.value, from.value);
            self.findings.push(
                Finding::error(to.span.clone(), title, "before `from`").help("write a month that is not before `from`"),
            );
        }
    }
}

/// Why a prior is not one for a parameter; `None` when it is.
fn outside_support(prior: Prior, parameter: &Parameter) -> Option<String> {
    let (Support::Positive | Support::Fraction) = parameter.support else { return None };
    let fraction = parameter.support == Support::Fraction;
    match prior {
        Prior::Normal { .. } => Some("a normal prior goes below 0".to_owned()),
        Prior::Beta { .. } => None,
        Prior::Lognormal { median, sd } if fraction => {
            // P(x > 1) = P(z > -ln(median) / sd) of the standard normal.
            let above = 0.5 * libm::erfc(-libm::log(median) / (sd * std::f64::consts::SQRT_2));
            (above > OUTSIDE).then(|| format!("{:.1} % of it lies above 1", above * 100.0))
        }
        Prior::Lognormal { .. } => None,
        Prior::Uniform { low, .. } if low < 0.0 => Some(format!("it begins at {low}, below 0")),
        Prior::Uniform { high, .. } if fraction && high > 1.0 => Some(format!("it ends at {high}, above 1")),
        Prior::Fixed(value) if value < 0.0 => Some(format!("{value} is below 0")),
        Prior::Fixed(value) if fraction && value > 1.0 => Some(format!("{value} is above 1")),
        Prior::Uniform { .. } | Prior::Fixed(_) => None,
    }
}

fn unknown_strategy(id: &Spanned<String>, strategies: &[Strategy], what: &str) -> Finding {
    let known: Vec<&str> = strategies.iter().map(|strategy| strategy.id.as_str()).collect();
    let title = format!("{what} names strategy \"{}\", which is not there", id.get_ref().escape_debug());
    let help = match &known[..] {
        [] => "the scenario has no [[strategy]]".to_owned(),
        [_] => format!("the only strategy is {}", listed(known)),
        _ => did_you_mean(id.get_ref(), &known, "the strategies are"),
    };
    Finding::error(id.span(), title, "no strategy has this id").help(help)
}

fn located<T>(spanned: Spanned<T>) -> Located<T> {
    Located { span: spanned.span(), value: spanned.into_inner() }
}

/// An id of the data: trimmed and in Unicode form C, as the market's loader reads ids.
fn located_name(spanned: Spanned<String>) -> Located<String> {
    Located { span: spanned.span(), value: spanned.get_ref().trim().nfc().collect() }
}

/// `None` for a month that the walk refused.
fn located_month(spanned: Option<Spanned<String>>) -> Option<Located<Month>> {
    let spanned = spanned?;
    Some(Located { span: spanned.span(), value: spanned.get_ref().parse().ok()? })
}
