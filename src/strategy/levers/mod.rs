//! Levers: each edits the policy of the months in which it is on. One file a lever.
//!
//! A lever's `who` that rests on what cannot change is judged once and edits columns by agent. One that rests on how
//! customers behave becomes a [`Rule`] of the phase, judged anew each month; so does what later levers do to the same visits,
//! since levers work in their order ([`Draft::change_visits`]).
//!
//! To add one: write `levers/<name>.rs` with a function like [`targeting::apply`], give it a variant in
//! `market::BoundAction`, bind its names in `market::bind`, and add a line to [`apply`].

mod call_plan;
mod channel_plan;
mod competitor_move;
mod demand_shock;
mod headcount;
mod list_purchase;
mod order_channel;
mod price;
mod quality;
mod realign;
mod referral;
mod stock_loading;
mod supply_shock;
mod targeting;

pub use channel_plan::{conditional_rules, notes as channel_plan_notes};
pub use order_channel::notes as order_channel_notes;
pub use quality::quality;

use crate::channel::Channel;
use crate::market::{Bound, BoundAction, BoundLever, Expression, Selection};
use crate::simulate::{Comparison, Dimension, ListPurchase, Moves, Op, Phase, Rule, Tallies, VisitChange};

use super::rules::{self, Marks};
use super::twin::Placed;

/// A policy's phase while levers edit it, and what a contact costs in it.
#[derive(Debug, Clone)]
pub struct Draft {
    pub phase: Phase,
    /// Money a contact, by channel, on top of what we pay today.
    pub contact_cost: [f64; Channel::COUNT],
    /// Part of the price that we leave on what is sold ahead, by territory; empty for nothing.
    pub discount: Vec<f64>,
    /// Bought lists; only the phase that begins with the purchase counts.
    pub lists: Vec<ListPurchase>,
    /// What rules of all phases ask about and cannot change.
    pub marks: Marks,
}

impl Draft {
    /// Changes what else we do in the lever's territories.
    pub fn change_moves(&mut self, context: &Context<'_>, change: impl Fn(&mut Moves)) {
        let chosen = &context.lever.territories;
        if chosen.iter().all(|on| *on) {
            return self.change_all_moves(change);
        }
        if self.phase.moves_at.is_empty() {
            self.phase.moves_at = vec![self.phase.moves; chosen.len()];
        }
        self.phase.moves_at.iter_mut().zip(chosen).filter(|(_, on)| **on).for_each(|(moves, _)| change(moves));
    }

    /// Changes what else we do everywhere.
    pub fn change_all_moves(&mut self, change: impl Fn(&mut Moves)) {
        change(&mut self.phase.moves);
        self.phase.moves_at.iter_mut().for_each(change);
    }

    /// Changes the visits of whom the lever (and `who` of one of its rules) selects.
    pub fn change_visits(&mut self, context: &Context<'_>, who: Option<&Selection>, change: VisitChange) {
        if change == VisitChange::Keep {
            return;
        }
        let before = self.phase.rules.iter().any(|rule| rule.visits != VisitChange::Keep);
        if before || context.judged_anew(who) {
            self.add_rule(context, who, change, [0.0; Channel::COUNT]);
            return;
        }
        for (agent, visits) in self.phase.visits.desired.iter_mut().enumerate() {
            if context.reaches(agent) && who.is_none_or(|who| context.fits(who, agent)) {
                *visits = change.of(*visits);
            }
        }
    }

    /// Adds a rule for whom the lever (and `who` of one of its rules) selects, judged anew each month.
    pub fn add_rule(
        &mut self,
        context: &Context<'_>,
        who: Option<&Selection>,
        visits: VisitChange,
        contacts: [f32; Channel::COUNT],
    ) {
        let who = rules::program(context.lever, who, &mut |fixed| self.marks.bit(context, fixed));
        self.phase.rules.push(Rule { who, visits, contacts });
    }

    /// Adds a rule for those whom the lever selects and that ordered last month, or (`ordered` false) did not.
    pub fn add_rule_by_orders(
        &mut self,
        context: &Context<'_>,
        ordered: bool,
        visits: VisitChange,
        contacts: [f32; Channel::COUNT],
    ) {
        let mut who = rules::program(context.lever, None, &mut |fixed| self.marks.bit(context, fixed));
        // Recency is 0 in a month with an order.
        who.push(Op::Compare(Dimension::Recency, Comparison::LessOrEqual, 0.0));
        if !ordered {
            who.push(Op::Not);
        }
        who.push(Op::And);
        self.phase.rules.push(Rule { who, visits, contacts });
    }
}

/// What a lever may look at.
pub struct Context<'a> {
    pub bound: &'a Bound,
    pub placed: &'a Placed,
    pub lever: &'a BoundLever,
    /// Weight of each territory when something is spread over several: its category demand.
    pub weight: &'a [f64],
    /// First month of the phase, counted from 0.
    pub month: usize,
}

impl Context<'_> {
    /// Whether an agent is among the lever's territories and fits its `who`.
    pub fn reaches(&self, agent: usize) -> bool {
        self.lever.territories[self.placed.territory[agent] as usize]
            && self.lever.who.as_ref().is_none_or(|who| self.fits(who, agent))
    }

    /// Whether whom the lever (and `who` of one of its rules) selects is judged anew each month.
    pub fn judged_anew(&self, who: Option<&Selection>) -> bool {
        let on = self.placed.twin.parameters.more.segments.is_some();
        on && self.lever.who.iter().chain(who).map(Selection::expression).any(Expression::changes)
    }

    /// Whether an agent fits an expression.
    pub fn fits(&self, who: &crate::market::Selection, agent: usize) -> bool {
        who.fits(&self.placed.view(agent), &self.bound.market, &self.bound.attributes, &self.placed.percentiles)
    }

    /// Shares of the lever's territories in something that is spread over them by demand; they sum to 1.
    pub fn spread(&self) -> Vec<f64> {
        spread(self.lever, self.weight)
    }
}

/// Shares of a lever's territories in something that is spread over them by `weight`; they sum to 1.
pub fn spread(lever: &BoundLever, weight: &[f64]) -> Vec<f64> {
    let chosen = || lever.territories.iter().zip(weight);
    let total: f64 = chosen().filter(|(on, _)| **on).map(|(_, weight)| weight).sum();
    let count = lever.territories.iter().filter(|on| **on).count().max(1) as f64;
    chosen()
        .map(|(on, weight)| match (on, total > 0.0) {
            (false, _) => 0.0,
            (true, true) => weight / total,
            (true, false) => 1.0 / count,
        })
        .collect()
}

/// Lets a lever edit the phase.
pub fn apply(context: &Context<'_>, draft: &mut Draft) {
    match &context.lever.action {
        BoundAction::Headcount { plan, calls_per_month } => headcount::apply(plan, *calls_per_month, context, draft),
        BoundAction::CallPlan { prospecting, rules } => call_plan::apply(*prospecting, rules, context, draft),
        BoundAction::ChannelPlan(plan) => channel_plan::apply(plan, context, draft),
        BoundAction::Targeting { weight } => targeting::apply(*weight, context, draft),
        BoundAction::ListPurchase(plan) => list_purchase::apply(plan, context, draft),
        BoundAction::CompetitorMove { company, push } => competitor_move::apply(*company, *push, context, draft),
        BoundAction::DemandShock { factor } => demand_shock::apply(*factor, context, draft),
        BoundAction::Price { change } => price::apply(*change, context, draft),
        BoundAction::StockLoading(plan) => stock_loading::apply(plan, context, draft),
        BoundAction::SupplyShock { factor } => supply_shock::apply(*factor, context, draft),
        BoundAction::Referral(plan) => referral::apply(plan, context, draft),
        BoundAction::Realign(plan) => realign::apply(plan, context, draft),
        BoundAction::OrderChannel(plan) => order_channel::apply(plan, context, draft),
    }
}

/// Months of the horizon in which a lever changes what it does, its beginning and end among them.
pub fn changes(lever: &BoundLever) -> Vec<usize> {
    let mut out = vec![lever.from, lever.until];
    match &lever.action {
        BoundAction::Headcount { plan, .. } => out.extend(lever.from..=lever.from + plan.ramp_months as usize),
        // The month after a list was bought is a phase of its own, without the purchase.
        BoundAction::ListPurchase(_) => out.push(lever.from + 1),
        // So is that after customers changed hands.
        BoundAction::Realign(_) => out.push(lever.from + 1),
        BoundAction::StockLoading(plan) => {
            let loads = (lever.from..lever.until).filter(|month| stock_loading::loads(plan, month - lever.from));
            out.extend(loads.flat_map(|month| [month, month + 1]));
        }
        _ => {}
    }
    out
}

/// Reps that a lever hires in a month of the horizon.
pub fn hired(lever: &BoundLever, month: usize) -> f64 {
    let BoundAction::Headcount { plan, .. } = &lever.action else { return 0.0 };
    if !(lever.from..lever.until).contains(&month) || plan.add <= 0.0 {
        return 0.0;
    }
    let at = month - lever.from;
    headcount::in_office(plan, at) - if at > 0 { headcount::in_office(plan, at - 1) } else { 0.0 }
}

/// Money spent in a month that depends on how the market answers, contacts apart.
pub fn earned_by_others(lever: &BoundLever, month: usize, tallies: &Tallies) -> f64 {
    match &lever.action {
        BoundAction::Referral(plan) if (lever.from..lever.until).contains(&month) => {
            referral::rewards(plan, lever, month, tallies)
        }
        _ => 0.0,
    }
}

/// Money spent in a month of the horizon that does not depend on how the market answers.
pub fn fixed_cost(lever: &BoundLever, month: usize) -> f64 {
    if !(lever.from..lever.until).contains(&month) {
        return 0.0;
    }
    let once = if month == lever.from { lever.cost.once } else { 0.0 };
    let own = match &lever.action {
        BoundAction::Headcount { plan, .. } => headcount::in_office(plan, month - lever.from) * plan.monthly_cost,
        BoundAction::ListPurchase(plan) if month == lever.from => plan.records * plan.cost_per_record,
        _ => 0.0,
    };
    once + lever.cost.monthly + own
}
