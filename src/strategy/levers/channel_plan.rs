//! A flow of contacts over several channels.
//!
//! A month holds `contacts_per_month / number of steps` cycles of the flow (fewer where the waits of one cycle do not fit
//! into a month), and every step of a cycle is one contact. Visits come out of the reps' capacity; other channels are sent to
//! whom we know and who consents.
//!
//! **Conditions.** A step with `when` is taken customer by customer, by what came of the month before, as far as the twin knows: whether it
//! ordered. With o, f and s the shares of contacts that end with an order, are received well (an order among that), and stay
//! silent,
//!
//! | `when` | of those that ordered | of those that did not |
//! |---|---|---|
//! | `ordered` | all | none |
//! | `opened` | all | `(f - o) / (1 - o)` |
//! | `silent` | none | `s / (1 - o)` |
//!
//! The shares are those of the `response` column of `calls.csv`, or else [`SILENT`], [`OPENED`], [`ORDERED`] (assumptions).
//!
//! **Limits.** The team's capacity cuts all alike, by those whom `who` selects today (where it is judged anew each month, the cut stays that
//! of the first) and the shares above. `at_most` cuts the messages of a customer that would get more contacts in all; steps with a condition and
//! those of a `who` that is judged anew know the flow's own contacts only.
//!
//! **Preferred channels.** With `preferred`, what is sent without a condition goes by the customer's `preferred_channel` where that is one of the
//! plan's messages.
//!
//! Content and hours of a step count by how such contacts were received in the past ([`super::quality`]). Quality is a channel's, so that
//! of the plan's contacts is mixed with the usual one of the contacts that are there without it, in proportion to their numbers
//! today.

use crate::channel::Channel;
use crate::data::Response;
use crate::market::Bound;
use crate::scenario::{ChannelPlan, ChannelStep, StepCondition};
use crate::simulate::VisitChange;

use super::quality::quality;
use super::{Context, Draft};

/// Shares of contacts that end silent, opened (or more) and ordered, where the data do not say. Nobody has measured them.
pub const SILENT: f64 = 0.6;
pub const OPENED: f64 = 0.4;
pub const ORDERED: f64 = 0.1;

/// Days in a month of the flow.
const DAYS: f64 = 30.0;

/// The chance that a contact ends so, and whether the data say it.
pub fn chance(condition: StepCondition, bound: &Bound) -> (f64, bool) {
    let (mut all, mut fit) = (0.0, 0.0);
    for (row, &contacts) in &bound.responses {
        all += contacts;
        let fits = match condition {
            StepCondition::Silent => row.response == Response::Silent,
            StepCondition::Opened => row.response.is_favourable(),
            StepCondition::Ordered => row.response == Response::Ordered,
        };
        fit += if fits { contacts } else { 0.0 };
    }
    if all > 0.0 {
        return (fit / all, true);
    }
    let assumed = match condition {
        StepCondition::Silent => SILENT,
        StepCondition::Opened => OPENED,
        StepCondition::Ordered => ORDERED,
    };
    (assumed, false)
}

/// Part of a flow's cycles in which a step is taken.
fn happens(step: &ChannelStep, bound: &Bound) -> f64 {
    step.when.map_or(1.0, |condition| chance(condition, bound).0)
}

/// What part of the contacts of a step goes to customers that ordered last month, and to those that did not; see the module.
fn by_orders(condition: StepCondition, bound: &Bound) -> [f64; 2] {
    let share = |condition| chance(condition, bound).0;
    let ordered = share(StepCondition::Ordered).min(0.99);
    match condition {
        StepCondition::Ordered => [1.0, 0.0],
        StepCondition::Opened => [1.0, ((share(StepCondition::Opened) - ordered) / (1.0 - ordered)).clamp(0.0, 1.0)],
        StepCondition::Silent => [0.0, (share(StepCondition::Silent) / (1.0 - ordered)).clamp(0.0, 1.0)],
    }
}

/// Rules that the steps with a condition need, at most.
pub fn conditional_rules(plan: &ChannelPlan) -> usize {
    let of = |step: &ChannelStep| match step.when {
        None => 0,
        Some(StepCondition::Ordered | StepCondition::Silent) => 1,
        Some(StepCondition::Opened) => 2,
    };
    plan.steps.iter().map(of).sum()
}

/// Cycles of the flow a month.
fn cycles(plan: &ChannelPlan) -> f64 {
    let days: f64 = plan.steps.iter().map(|step| step.wait_days).sum();
    let fit = if days > 0.0 { DAYS / days } else { f64::INFINITY };
    (plan.contacts_per_month / plan.steps.len().max(1) as f64).min(fit)
}

pub(super) fn apply(plan: &ChannelPlan, context: &Context<'_>, draft: &mut Draft) {
    let cycles = cycles(plan);
    // Expected contacts a month by channel, and those of steps that are always taken.
    let (mut expected, mut always) = ([0.0; Channel::COUNT], [0.0; Channel::COUNT]);
    for step in &plan.steps {
        expected[step.channel.index()] += cycles * happens(step, context.bound);
        always[step.channel.index()] += if step.when.is_none() { cycles } else { 0.0 };
    }
    let reached: Vec<usize> = (0..draft.phase.visits.desired.len()).filter(|&agent| context.reaches(agent)).collect();
    // The team's capacity is shared by the customers that we know today.
    let known = reached.iter().filter(|&&agent| context.placed.known[agent]).count() as f64;
    let wanted: f64 = expected.iter().sum::<f64>() * known;
    let mut cut = plan.capacity.map_or(1.0, |capacity| if wanted > 0.0 { (capacity / wanted).min(1.0) } else { 1.0 });
    let anew = context.judged_anew(None);
    let blind = anew || plan.steps.iter().any(|step| step.when.is_some());
    if let Some(at_most) = plan.at_most.filter(|_| blind) {
        cut = cut.min(at_most / (cycles * plan.steps.len() as f64).max(1e-9));
    }
    for channel in Channel::ALL {
        let added = expected[channel.index()] * cut * known;
        if added > 0.0 {
            let there = draft.contacts_today(channel, context);
            let moved = quality_of(plan, channel, context.bound);
            draft.change_all_moves(|moves| {
                let quality = &mut moves.quality[channel.index()];
                *quality = ((there * f64::from(*quality) + added * moved) / (there + added)) as f32;
            });
        }
    }
    let always = always.map(|rate| (rate * cut) as f32);
    let visits = added_visits(f64::from(always[Channel::FaceToFace.index()]));
    for channel in plan.messages() {
        draft.contacts_of(channel);
    }
    if anew {
        let mut contacts = always;
        contacts[Channel::FaceToFace.index()] = 0.0;
        draft.add_rule(context, None, visits, contacts);
    } else {
        draft.change_visits(context, None, visits);
        draft.send(plan, always, &reached, context);
    }
    for step in &plan.steps {
        let Some(when) = step.when else { continue };
        for (ordered, share) in [true, false].into_iter().zip(by_orders(when, context.bound)) {
            let rate = share * cycles * cut;
            if rate <= 0.0 {
                continue;
            }
            let (mut contacts, mut visits) = ([0.0; Channel::COUNT], VisitChange::Keep);
            match step.channel {
                Channel::FaceToFace => visits = added_visits(rate),
                channel => contacts[channel.index()] = rate as f32,
            }
            draft.add_rule_by_orders(context, ordered, visits, contacts);
        }
    }
    for channel in plan.messages() {
        let steps = plan.steps.iter().filter(|step| step.channel == channel);
        let (cost, weight) = steps.fold((0.0, 0.0), |(cost, weight), step| {
            let happens = happens(step, context.bound);
            (cost + happens * step.cost_per_contact, weight + happens)
        });
        if weight > 0.0 {
            draft.contact_cost[channel.index()] = draft.contact_cost[channel.index()].max(cost / weight);
        }
    }
}

fn added_visits(rate: f64) -> VisitChange {
    if rate > 0.0 { VisitChange::Add(rate as f32) } else { VisitChange::Keep }
}

impl ChannelPlan {
    /// Channels of the steps that are no visits, each once.
    fn messages(&self) -> impl Iterator<Item = Channel> + '_ {
        let has = |channel: &Channel| self.steps.iter().any(|step| step.channel == *channel);
        Channel::ALL.into_iter().filter(|channel| *channel != Channel::FaceToFace).filter(has)
    }
}

/// Mean quality of a plan's contacts by a channel.
fn quality_of(plan: &ChannelPlan, channel: Channel, bound: &Bound) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for step in plan.steps.iter().filter(|step| step.channel == channel) {
        let happens = happens(step, bound);
        sum += happens * quality(step, bound).unwrap_or(1.0);
        weight += happens;
    }
    if weight > 0.0 { sum / weight } else { 1.0 }
}

impl Draft {
    /// Adds messages at these rates a month to those who are reached, by the preferred channel and as far as the plan's limit allows.
    fn send(&mut self, plan: &ChannelPlan, rates: [f32; Channel::COUNT], reached: &[usize], context: &Context<'_>) {
        let messages: Vec<Channel> = plan.messages().collect();
        let all: f32 = messages.iter().map(|channel| rates[channel.index()]).sum();
        if all <= 0.0 {
            return;
        }
        let wish = &context.bound.market.data.customers.preferred_channel;
        for &agent in reached {
            let there: f32 = self.phase.contacts.iter().map(|rates| rates[agent]).sum::<f32>()
                + self.phase.visits.desired.get(agent).copied().unwrap_or(0.0);
            let room = plan.at_most.map_or(1.0, |most| ((most as f32 - there) / all).clamp(0.0, 1.0));
            let preferred = context.placed.customer[agent]
                .filter(|_| plan.preferred)
                .and_then(|customer| wish[customer as usize])
                .filter(|channel| messages.contains(channel));
            for &channel in &messages {
                let rate = match preferred {
                    Some(preferred) if preferred == channel => all,
                    Some(_) => 0.0,
                    None => rates[channel.index()],
                };
                if rate > 0.0 {
                    self.contacts_of(channel)[agent] += room * rate;
                }
            }
        }
    }

    /// Contacts a month by a channel with the customers that we know today.
    fn contacts_today(&self, channel: Channel, context: &Context<'_>) -> f64 {
        let rates = match self.phase.channels.iter().position(|&used| used == channel) {
            Some(position) => &self.phase.contacts[position],
            None if channel == Channel::FaceToFace => &self.phase.visits.desired,
            None => return 0.0,
        };
        let known = rates.iter().zip(&context.placed.known).filter(|(_, known)| **known);
        known.map(|(&rate, _)| f64::from(rate)).sum()
    }

    /// The contacts of a channel, which is put in use when it was not.
    pub(super) fn contacts_of(&mut self, channel: Channel) -> &mut Vec<f32> {
        let position = self.phase.channels.iter().position(|&used| used == channel).unwrap_or_else(|| {
            self.phase.channels.push(channel);
            self.phase.contacts.push(vec![0.0; self.phase.visits.desired.len()]);
            self.phase.channels.len() - 1
        });
        &mut self.phase.contacts[position]
    }
}

/// What a reader must know of a plan's simulation.
pub fn notes(plan: &ChannelPlan, bound: &Bound) -> Vec<String> {
    let mut out = Vec::new();
    for step in plan.steps.iter().filter(|step| step.content.is_some() || step.hours.is_some()) {
        let what =
            [step.content.as_deref(), step.hours.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        out.push(match quality(step, bound) {
            Some(quality) => format!(
                "contacts by {} of `{what}` count {quality:.2} times, as calls.csv has them received against others by it",
                step.channel
            ),
            None => format!(
                "calls.csv does not tell how contacts by {} of `{what}` are received: they count as any others by it",
                step.channel
            ),
        });
    }
    let consent = bound.market.data.customers.consent.is_some();
    let needs: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.channel)
        .filter(|channel| channel.needs_consent())
        .map(Channel::name)
        .collect();
    if !consent && !needs.is_empty() {
        out.push(format!(
            "customers.csv has no `consent` column, so nobody may be reached by {}; add it to see what they bring",
            needs.join(", ")
        ));
    }
    if plan.preferred && bound.market.data.customers.preferred_channel.iter().all(Option::is_none) {
        out.push(
            "customers.csv has no `preferred_channel`, so that `preferred` changes nothing; add the column to route messages by it"
                .to_owned(),
        );
    }
    for condition in plan.steps.iter().filter_map(|step| step.when) {
        let (share, from_data) = chance(condition, bound);
        if !from_data {
            out.push(format!(
                "that {:.0}% of contacts end `{}` is an assumption; a `response` column in calls.csv would tell",
                100.0 * share,
                format!("{condition:?}").to_lowercase()
            ));
        }
    }
    out
}
