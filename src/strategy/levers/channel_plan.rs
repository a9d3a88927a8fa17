//! A flow of contacts over several channels.
//!
//! A month holds `contacts_per_month / number of steps` cycles of the flow (fewer where the waits of one cycle do not fit
//! into a month), and every step of a cycle is one contact, except that a step with a condition happens only when the
//! last contact ended so, with the chance that contacts end so in `calls.csv` (its `response` column), or else
//! [`SILENT`], [`OPENED`], [`ORDERED`] (assumptions). Visits come out of the reps' capacity; other channels are sent to
//! whom we know and who consents, cut alike when the team's capacity does not reach those whom `who` selects today (where
//! it is judged anew each month, the cut stays that of the first). Content and hours of a step count by how such
//! contacts were received in the past ([`super::quality`]). Quality is a channel's, so that of the plan's contacts is mixed with
//! the usual one of the contacts that are there without it, in proportion to their numbers today.

use crate::channel::Channel;
use crate::data::Response;
use crate::market::Bound;
use crate::scenario::{ChannelPlan, StepCondition};
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
    let rows = bound.market.data.calls.iter().flat_map(|calls| &calls.rows);
    let (mut all, mut fit) = (0.0, 0.0);
    for (row, response) in rows.filter_map(|row| row.response.map(|response| (row, response))) {
        all += row.calls;
        let fits = match condition {
            StepCondition::Silent => response == Response::Silent,
            StepCondition::Opened => response.is_favourable(),
            StepCondition::Ordered => response == Response::Ordered,
        };
        fit += if fits { row.calls } else { 0.0 };
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

pub(super) fn apply(plan: &ChannelPlan, context: &Context<'_>, draft: &mut Draft) {
    let days: f64 = plan.steps.iter().map(|step| step.wait_days).sum();
    let fit = if days > 0.0 { DAYS / days } else { f64::INFINITY };
    let cycles = (plan.contacts_per_month / plan.steps.len().max(1) as f64).min(fit);
    let mut rates = [0.0; Channel::COUNT];
    for step in &plan.steps {
        let happens = step.when.map_or(1.0, |condition| chance(condition, context.bound).0);
        rates[step.channel.index()] += cycles * happens;
    }
    let reached: Vec<usize> = (0..draft.phase.visits.desired.len()).filter(|&agent| context.reaches(agent)).collect();
    // The team's capacity is shared by the customers that we know today.
    let known = reached.iter().filter(|&&agent| context.placed.known[agent]).count() as f64;
    let wanted: f64 = rates.iter().sum::<f64>() * known;
    let cut = plan.capacity.map_or(1.0, |capacity| if wanted > 0.0 { (capacity / wanted).min(1.0) } else { 1.0 });
    let rates = rates.map(|rate| (rate * cut) as f32);
    for channel in Channel::ALL {
        let added = f64::from(rates[channel.index()]) * known;
        if added > 0.0 {
            let there = draft.contacts_today(channel, context);
            let moved = quality_of(plan, channel, context.bound);
            draft.change_all_moves(|moves| {
                let quality = &mut moves.quality[channel.index()];
                *quality = ((there * f64::from(*quality) + added * moved) / (there + added)) as f32;
            });
        }
    }
    let visits = rates[Channel::FaceToFace.index()];
    let visits = if visits > 0.0 { VisitChange::Add(visits) } else { VisitChange::Keep };
    let anew = context.judged_anew(None);
    if anew {
        let mut contacts = rates;
        contacts[Channel::FaceToFace.index()] = 0.0;
        draft.add_rule(context, None, visits, contacts);
    } else {
        draft.change_visits(context, None, visits);
    }
    for channel in Channel::ALL {
        let rate = rates[channel.index()];
        if rate <= 0.0 || channel == Channel::FaceToFace {
            continue;
        }
        // A rule adds its contacts to what the column of the channel says.
        let contacts = draft.contacts_of(channel);
        if !anew {
            for &agent in &reached {
                contacts[agent] += rate;
            }
        }
        let steps = plan.steps.iter().filter(|step| step.channel == channel);
        let (cost, weight) = steps.fold((0.0, 0.0), |(cost, weight), step| {
            let happens = step.when.map_or(1.0, |condition| chance(condition, context.bound).0);
            (cost + happens * step.cost_per_contact, weight + happens)
        });
        if weight > 0.0 {
            draft.contact_cost[channel.index()] = draft.contact_cost[channel.index()].max(cost / weight);
        }
    }
}

/// Mean quality of a plan's contacts by a channel.
fn quality_of(plan: &ChannelPlan, channel: Channel, bound: &Bound) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for step in plan.steps.iter().filter(|step| step.channel == channel) {
        let happens = step.when.map_or(1.0, |condition| chance(condition, bound).0);
        sum += happens * quality(step, bound).unwrap_or(1.0);
        weight += happens;
    }
    if weight > 0.0 { sum / weight } else { 1.0 }
}

impl Draft {
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
    fn contacts_of(&mut self, channel: Channel) -> &mut Vec<f32> {
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
