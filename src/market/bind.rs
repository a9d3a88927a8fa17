//! A scenario's names resolved against a market: territories, attributes, companies, months of the horizon.

use std::collections::BTreeMap;

use super::filter::suggestion;
use super::{CustomerAttributes, Market, Received, Selection, responses};
use crate::channel::Channel;
use crate::data::MarketData;
use crate::ids::Index as _;
use crate::problem::{Problem, any_error};
use crate::scenario::{
    CallPlan, ChannelPlan, Cost, Headcount, Lever, LeverPlan, ListPurchase, Located, MECHANISMS, Optimise,
    OptimisePart, OptimiseRealign, Realign, Referral, Scenario, StockLoading, Usual,
};
use crate::units::{Month, MonthSpan};

/// A market and the strategies to compare on it.
#[derive(Debug, Clone)]
pub struct Bound {
    pub market: Market,
    pub attributes: CustomerAttributes,
    /// How contacts were received.
    pub responses: BTreeMap<Received, f64>,
    pub strategies: Vec<BoundStrategy>,
    /// What `optimise` may change.
    pub optimise: Option<BoundOptimise>,
}

/// `[optimise]`, bound to a market.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundOptimise {
    /// Over the horizon, beyond the baseline.
    pub budget: f64,
    pub parts: Vec<BoundPart>,
    pub realign: Option<BoundRealign>,
}

/// Which territories may go to other reps.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundRealign {
    /// Most that change hands.
    pub most: usize,
    pub locked: Vec<usize>,
    /// Without a change; the search fills in its own.
    pub lever: BoundLever,
}

/// A part of it: today's way and the levels beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundPart {
    pub name: String,
    /// In words, with a lever that has all territories.
    pub levels: Vec<(String, BoundLever)>,
}

/// A strategy of a scenario, bound to a market.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundStrategy {
    pub id: String,
    pub levers: Vec<BoundLever>,
}

/// A lever, bound to a market.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundLever {
    /// First month, counted from 0 = the month after `history_end`.
    pub from: usize,
    /// The month after the last one, at most the horizon.
    pub until: usize,
    /// By territory.
    pub territories: Vec<bool>,
    pub who: Option<Selection>,
    pub cost: Cost,
    pub action: BoundAction,
}

/// What a lever does.
#[derive(Debug, Clone, PartialEq)]
pub enum BoundAction {
    /// The calls a month of one new rep are resolved.
    Headcount {
        plan: Headcount,
        calls_per_month: f64,
    },
    CallPlan {
        prospecting: Option<f64>,
        rules: Vec<BoundRule>,
    },
    ChannelPlan(ChannelPlan),
    Targeting {
        weight: f64,
    },
    ListPurchase(ListPurchase),
    /// Company index from 1.
    CompetitorMove {
        company: usize,
        push: f64,
    },
    DemandShock {
        factor: f64,
    },
    /// Change of the log of our price.
    Price {
        change: f64,
    },
    StockLoading(StockLoading),
    /// Share of our orders that can be delivered.
    SupplyShock {
        factor: f64,
    },
    Referral(Referral),
    Realign(Realigned),
    OrderChannel(BoundOrderChannel),
}

/// A further way to order.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundOrderChannel {
    pub channel: String,
    /// Share of whom `who` selects that takes it up.
    pub adoption: f64,
    /// By customer: whether it ordered by it in the last 12 months.
    pub users: Vec<bool>,
}

/// Who calls where before and after territories went to other reps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Realigned {
    /// By territory: calls a month that its reps can make.
    pub before: Vec<f64>,
    pub after: Vec<f64>,
    /// Territories that had a rep and went to another.
    pub given: Vec<usize>,
}

impl BoundAction {
    /// Whether a lever with this action can be kept to whom its `who` selects.
    fn heeds_who(&self) -> bool {
        matches!(self, Self::CallPlan { .. } | Self::ChannelPlan(_) | Self::Targeting { .. } | Self::OrderChannel(_))
    }
}

/// One rule of a call plan.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundRule {
    pub who: Selection,
    pub per_month: f64,
}

/// Binds a scenario to a market directory.
///
/// # Errors
///
/// All names that do not resolve and all dates outside the market, each underlined in the scenario.
pub fn bind(scenario: &Scenario, data: MarketData) -> Result<(Bound, Vec<Problem>), Vec<Problem>> {
    let mut problems = Vec::new();
    let window = bind_history(scenario, data.meta.history, &mut problems);
    if any_error(&problems) {
        return Err(problems);
    }
    let market = Market::new(data, window, scenario.economics.unit_price);
    let attributes = CustomerAttributes::of(&market);
    let binder = Binder { scenario, market: &market, attributes: &attributes };
    problems.extend(mechanism_problems(scenario, &market));
    let strategies = scenario
        .strategies
        .iter()
        .map(|strategy| BoundStrategy {
            id: strategy.id.clone(),
            levers: strategy.levers.iter().filter_map(|plan| binder.lever(plan, &mut problems)).collect(),
        })
        .collect();
    let strategies: Vec<BoundStrategy> = strategies;
    problems.extend(overlaps(scenario, &strategies));
    let optimise = scenario.optimise.as_ref().map(|optimise| BoundOptimise {
        budget: optimise.budget,
        parts: optimise.parts.iter().map(|part| binder.part(optimise, part, &mut problems)).collect(),
        realign: optimise.realign.as_ref().and_then(|realign| binder.realign_search(optimise, realign, &mut problems)),
    });
    if any_error(&problems) {
        return Err(problems);
    }
    let responses = responses(&market);
    Ok((Bound { attributes, responses, strategies, optimise, market }, problems))
}

/// Levers of one strategy that do the same thing to the same customers at the same time: it may be meant, and is said.
fn overlaps(scenario: &Scenario, strategies: &[BoundStrategy]) -> Vec<Problem> {
    let mut out = Vec::new();
    for (plan, strategy) in scenario.strategies.iter().zip(strategies) {
        for (at, later) in strategy.levers.iter().enumerate() {
            let same = |earlier: &&BoundLever| {
                std::mem::discriminant(&earlier.action) == std::mem::discriminant(&later.action)
                    && earlier.from < later.until
                    && later.from < earlier.until
                    && earlier.who == later.who
                    && earlier.territories.iter().zip(&later.territories).any(|(a, b)| *a && *b)
            };
            // Lists are bought one by one, and moves of different rivals are different.
            let apart = |earlier: &&BoundLever| match (&earlier.action, &later.action) {
                (BoundAction::ListPurchase(_), _) => true,
                (BoundAction::CompetitorMove { company: a, .. }, BoundAction::CompetitorMove { company: b, .. }) => {
                    a != b
                }
                _ => false,
            };
            if strategy.levers[..at].iter().any(|earlier| same(&earlier) && !apart(&earlier)) {
                // Levers that did not bind are errors already, so positions agree.
                let Some(lever) = plan.levers.get(at) else { continue };
                out.push(
                    Problem::warning(format!("strategy `{}` does this twice at the same time", strategy.id))
                        .at(scenario.source.place(&lever.span), "overlaps with a lever above")
                        .help("what adds up (reps, contacts, prices) counts twice, of what is set (calls, prospecting) the later lever holds; give them other dates or territories if that is not meant"),
                );
            }
        }
    }
    out
}

fn mechanism_problems(scenario: &Scenario, market: &Market) -> Vec<Problem> {
    let mut out = Vec::new();
    for (name, settings) in &scenario.mechanisms {
        let Some(mechanism) = MECHANISMS.iter().find(|known| known.name == name) else { continue };
        let place = scenario.source.place(&settings.span);
        match (settings.on, mechanism.usual) {
            (Some(true), Usual::WithData(needed)) if !market.has_data_for(name) => out.push(
                Problem::warning(format!("`{name}` has nothing to act on in this market"))
                    .at(place, "stays off")
                    .help(format!("it needs {needed}")),
            ),
            (None, Usual::Off(why)) => out.push(
                Problem::warning(format!("`{name}` is off, so its priors have no effect"))
                    .at(place, "off unless switched on")
                    .help(format!("write on = true to use it; it is off because {why}")),
            ),
            _ => {}
        }
    }
    out
}

fn bind_history(scenario: &Scenario, full: MonthSpan, problems: &mut Vec<Problem>) -> Option<MonthSpan> {
    let window = scenario.history.as_ref()?;
    let mut end = |month: &Option<Located<Month>>, fallback: Month| match month {
        Some(located) if full.position(located.value).is_none() => {
            problems.push(
                Problem::error(format!("{} lies outside the market's history", located.value))
                    .at(scenario.source.place(&located.span), format!("the market has {full}"))
                    .help(format!("choose a month within {full}, or leave the field out to use all of it")),
            );
            fallback
        }
        Some(located) => located.value,
        None => fallback,
    };
    let (first, last) = (end(&window.from, full.first), end(&window.to, full.last));
    MonthSpan::new(first, last)
}

struct Binder<'a> {
    scenario: &'a Scenario,
    market: &'a Market,
    attributes: &'a CustomerAttributes,
}

impl Binder<'_> {
    fn problem(&self, title: impl Into<String>, span: &std::ops::Range<usize>, label: &str, help: String) -> Problem {
        Problem::error(title).at(self.scenario.source.place(span), label).help(help)
    }

    fn lever(&self, plan: &LeverPlan, problems: &mut Vec<Problem>) -> Option<BoundLever> {
        let before = problems.len();
        let first = self.market.history.last.plus(1);
        let horizon = self.scenario.horizon as usize;
        let last = first.plus(horizon as i32 - 1);
        let span = MonthSpan { first, last };
        let mut month = |located: &Located<Month>| {
            span.position(located.value).or_else(|| {
                problems.push(self.problem(
                    format!("{} lies outside the horizon", located.value),
                    &located.span,
                    &format!("the horizon is {span}"),
                    format!(
                        "the history ends in {} and `horizon = {horizon}` months follow; choose a month within {span}",
                        self.market.history.last
                    ),
                ));
                None
            })
        };
        let from = month(&plan.from);
        let until = plan.to.as_ref().map_or(Some(horizon), |to| month(to).map(|position| position + 1));
        let territories = self.territories(plan, problems);
        let who = plan.who.as_ref().and_then(|filter| self.selection(filter, problems));
        let action = self.action(plan, problems);
        if let (Some(filter), Some(action)) = (&plan.who, &action)
            && !action.heeds_who()
        {
            problems.push(self.problem(
                "this lever cannot be kept to some customers",
                &filter.span,
                "has no effect on this lever",
                "it acts on all customers of its territories: remove `who`, or name territories".into(),
            ));
        }
        if any_error(&problems[before..]) {
            return None;
        }
        Some(BoundLever { from: from?, until: until?, territories, who, cost: plan.cost, action: action? })
    }

    fn realign_search(
        &self,
        optimise: &Optimise,
        realign: &OptimiseRealign,
        problems: &mut Vec<Problem>,
    ) -> Option<BoundRealign> {
        let plan = LeverPlan {
            from: optimise.from.clone(),
            to: None,
            territories: None,
            who: None,
            cost: Cost::default(),
            lever: Lever::Realign(Realign { moves: Vec::new() }),
            span: realign.span.clone(),
        };
        let locked = realign.locked.iter().filter_map(|id| self.territory(id, problems)).collect();
        Some(BoundRealign { most: realign.most, locked, lever: self.lever(&plan, problems)? })
    }

    fn part(&self, optimise: &Optimise, part: &OptimisePart, problems: &mut Vec<Problem>) -> BoundPart {
        let mut levels = Vec::new();
        for level in &part.levels {
            let plan = LeverPlan {
                from: optimise.from.clone(),
                to: None,
                territories: None,
                who: part.who.clone(),
                cost: Cost::default(),
                lever: level.lever.clone(),
                span: optimise.span.clone(),
            };
            // What is wrong with one level is wrong with all.
            match self.lever(&plan, problems) {
                Some(lever) => levels.push((level.label.clone(), lever)),
                None => break,
            }
        }
        BoundPart { name: part.name.clone(), levels }
    }

    fn realign(&self, realign: &Realign, plan: &LeverPlan, problems: &mut Vec<Problem>) -> Option<Realigned> {
        let Some(reps) = self.market.data.reps.as_ref().filter(|_| self.market.postings().is_some()) else {
            problems.push(self.problem(
                "it is not known who calls where",
                &plan.span,
                "the market has no reps.csv and assignments.csv",
                "add both, or move capacity by headcount levers".into(),
            ));
            return None;
        };
        let count = problems.len();
        let mut moves = Vec::new();
        for (rep, territory) in &realign.moves {
            let known: Vec<String> = reps.ids.names().map(str::to_owned).collect();
            let Some(to) = reps.ids.get(&rep.value).map(|index| index.usize()) else {
                let help = suggestion(&rep.value, &known);
                problems.push(self.problem(
                    format!("there is no rep \"{}\"", rep.value),
                    &rep.span,
                    "not in reps.csv",
                    help,
                ));
                continue;
            };
            let Some(place) = self.territory(territory, problems) else { continue };
            let end = self.market.history.last;
            if reps.start[to] > end || reps.end[to].is_some_and(|last| last < end) {
                problems.push(self.problem(
                    format!("rep \"{}\" is not in office in {end}", rep.value),
                    &rep.span,
                    "has left, or has not begun",
                    "name a rep who is".into(),
                ));
                continue;
            }
            moves.push((to, place));
        }
        if any_error(&problems[count..]) {
            return None;
        }
        self.market.realigned(&moves)
    }

    /// Channels of a plan to which none of the known customers of its territories consents.
    fn nobody_consents(&self, channels: &ChannelPlan, plan: &LeverPlan) -> Option<Problem> {
        let consent = self.market.data.customers.consent.as_ref()?;
        let chosen = self.territories(plan, &mut Vec::new());
        let reached = |channel: Channel| {
            (0..chosen.len())
                .filter(|&j| chosen[j])
                .flat_map(|j| self.market.customers_of(j))
                .any(|customer| !self.market.closed(customer) && consent[customer] & 1 << channel.index() != 0)
        };
        let mut closed: Vec<&str> = channels
            .steps
            .iter()
            .map(|step| step.channel)
            .filter(|&channel| channel.needs_consent() && !reached(channel))
            .map(Channel::name)
            .collect();
        closed.dedup();
        (!closed.is_empty()).then(|| {
            Problem::warning(format!("nobody in these territories consents to {}", closed.join(" or ")))
                .at(self.scenario.source.place(&plan.span), "these steps reach nobody")
                .help("the `consent` column of customers.csv says whom they may reach; use another channel, or other territories")
        })
    }

    fn territories(&self, plan: &LeverPlan, problems: &mut Vec<Problem>) -> Vec<bool> {
        let count = self.market.territory_count();
        let Some(named) = &plan.territories else { return vec![true; count] };
        let mut chosen = vec![false; count];
        for place in named.iter().filter_map(|name| self.territory(name, problems)) {
            chosen[place] = true;
        }
        chosen
    }

    /// A territory that is named.
    fn territory(&self, name: &Located<String>, problems: &mut Vec<Problem>) -> Option<usize> {
        let territories = &self.market.data.territories;
        let found = territories.ids.get(&name.value).map(|index| index.usize());
        if found.is_none() {
            let parent = territories.parents.iter().any(|parent| parent.id == name.value);
            let help = if parent {
                "it is a parent of other territories; name those".to_owned()
            } else {
                suggestion(&name.value, &territories.ids.names().map(str::to_owned).collect::<Vec<String>>())
            };
            problems.push(self.problem(
                format!("this market has no territory \"{}\"", name.value),
                &name.span,
                "not in territories.csv",
                help,
            ));
        }
        found
    }

    /// Binds a filter, and warns when it selects none of the known customers.
    fn selection(
        &self,
        filter: &Located<crate::scenario::filter::Filter>,
        problems: &mut Vec<Problem>,
    ) -> Option<Selection> {
        match Selection::bind(filter, self.market, self.attributes, &self.scenario.source) {
            Ok(selection) => Some(selection),
            Err(found) => {
                problems.extend(found);
                None
            }
        }
    }

    fn action(&self, plan: &LeverPlan, problems: &mut Vec<Problem>) -> Option<BoundAction> {
        match &plan.lever {
            Lever::Headcount(headcount) => {
                let reps = self.market.data.reps.as_ref().filter(|reps| !reps.calls_per_month.is_empty());
                let mean =
                    reps.map(|reps| reps.calls_per_month.iter().sum::<f64>() / reps.calls_per_month.len() as f64);
                let calls_per_month = headcount.calls_per_month.or(mean).or_else(|| {
                    problems.push(self.problem(
                        "it is not known how many calls a new rep makes",
                        &plan.span,
                        "no calls_per_month here, and the market has no reps.csv",
                        "add calls_per_month = ... to this lever".into(),
                    ));
                    None
                })?;
                Some(BoundAction::Headcount { plan: headcount.clone(), calls_per_month })
            }
            Lever::CallPlan(CallPlan { prospecting, calls }) => {
                let rules = calls
                    .iter()
                    .filter_map(|rule| {
                        let who = self.selection(&rule.who, problems)?;
                        Some(BoundRule { who, per_month: rule.per_month })
                    })
                    .collect();
                Some(BoundAction::CallPlan { prospecting: *prospecting, rules })
            }
            Lever::ChannelPlan(channels) => {
                problems.extend(self.nobody_consents(channels, plan));
                Some(BoundAction::ChannelPlan(channels.clone()))
            }
            Lever::Targeting(targeting) => Some(BoundAction::Targeting { weight: targeting.weight }),
            Lever::ListPurchase(list) => Some(BoundAction::ListPurchase(list.clone())),
            Lever::CompetitorMove(stress) => {
                let companies = &self.market.data.companies.ids;
                let found = companies.get(&stress.company.value).map(|index| index.usize());
                match found {
                    Some(company) if company > 0 => Some(BoundAction::CompetitorMove { company, push: stress.push }),
                    _ => {
                        let rivals: Vec<String> = companies.names().skip(1).map(str::to_owned).collect();
                        problems.push(self.problem(
                            format!("\"{}\" is no competitor of this market", stress.company.value),
                            &stress.company.span,
                            "not a competitor",
                            suggestion(&stress.company.value, &rivals),
                        ));
                        None
                    }
                }
            }
            Lever::DemandShock(shock) => Some(BoundAction::DemandShock { factor: shock.factor }),
            Lever::Price(price) => Some(BoundAction::Price { change: libm::log1p(price.change) }),
            Lever::StockLoading(loading) => Some(BoundAction::StockLoading(loading.clone())),
            Lever::SupplyShock(shock) => Some(BoundAction::SupplyShock { factor: shock.factor }),
            Lever::Referral(referral) => Some(BoundAction::Referral(referral.clone())),
            Lever::Realign(realign) => self.realign(realign, plan, problems).map(BoundAction::Realign),
            Lever::OrderChannel(plan) => Some(BoundAction::OrderChannel(BoundOrderChannel {
                channel: plan.channel.clone(),
                adoption: plan.adoption,
                users: self.market.ordered_by(&plan.channel),
            })),
        }
    }
}
