//! A strategy's levers to a [`Policy`]: today's effort, edited by every lever in the months in which it is on.

use crate::channel::Channel;
use crate::market::{Bound, BoundStrategy};
use crate::simulate::{MeetsCapacity, Moves, Phase, Policy, VisitPlan};

use super::Today;
use super::attributes::Handover;
use super::levers::{self, Context, Draft};
use super::rules::Marks;
use super::twin::Placed;

/// A strategy, ready to run on one placed twin.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub policy: Policy,
    /// By phase: money a contact, by channel.
    pub contact_cost: Vec<[f64; Channel::COUNT]>,
    /// By phase: part of the price left on what is sold ahead, by territory.
    pub discount: Vec<Vec<f64>>,
}

/// Compiles a strategy for a placed twin; `start` is its [`as_today`].
pub fn compile(
    bound: &Bound,
    start: &Phase,
    placed: &Placed,
    strategy: &BoundStrategy,
    weight: &[f64],
    horizon: usize,
) -> Compiled {
    let mut policy =
        Policy { phases: Vec::new(), list_purchases: Vec::new(), marks: Vec::new(), rivals: placed.rivals.clone() };
    let (mut contact_cost, mut discount) = (Vec::new(), Vec::new());
    let mut marks = Marks::default();
    for month in phase_starts(strategy, &placed.handovers, horizon) {
        let mut phase = start.clone();
        phase.from = month;
        for handover in placed.handovers.iter().filter(|handover| handover.month == month) {
            phase.handovers.resize(placed.twin.territories.len(), 0);
            phase.handovers[handover.territory] |= 1 << handover.seat;
        }
        let mut draft =
            Draft { phase, contact_cost: [0.0; Channel::COUNT], discount: Vec::new(), lists: Vec::new(), marks };
        for lever in strategy.levers.iter().filter(|lever| (lever.from..lever.until).contains(&month)) {
            levers::apply(&Context { bound, placed, lever, weight, month }, &mut draft);
        }
        policy.phases.push(draft.phase);
        policy.list_purchases.extend(draft.lists);
        contact_cost.push(draft.contact_cost);
        discount.push(draft.discount);
        marks = draft.marks;
    }
    policy.marks = marks.by_agent();
    Compiled { policy, contact_cost, discount }
}

/// By lever: agents that it reaches and that we know today.
pub fn reached(bound: &Bound, placed: &Placed, strategy: &BoundStrategy, weight: &[f64]) -> Vec<usize> {
    let count = |lever| {
        let context = Context { bound, placed, lever, weight, month: lever.from };
        (0..placed.known.len()).filter(|&agent| placed.known[agent] && context.reaches(agent)).count()
    };
    strategy.levers.iter().map(count).collect()
}

/// Months in which the policy changes, ascending, the first 0.
pub(super) fn phase_starts(strategy: &BoundStrategy, handovers: &[Handover], horizon: usize) -> Vec<usize> {
    let mut starts = vec![0];
    for lever in &strategy.levers {
        starts.extend(levers::changes(lever));
    }
    // Customers change hands in a month of its own.
    starts.extend(handovers.iter().flat_map(|handover| [handover.month, handover.month + 1]));
    starts.retain(|&month| month < horizon);
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Today's effort, for the agents of a placed twin.
pub fn as_today(bound: &Bound, today: &Today, placed: &Placed) -> Phase {
    let territories = bound.market.territory_count();
    let rivals = placed.twin.territories.first().map_or(0, |territory| territory.rivals.len());
    let contacts = |channel: Channel| -> Vec<f32> {
        let (known, newcomer) = (&today.contacts[channel.index()], &today.newcomer[channel.index()]);
        (0..placed.known.len())
            .map(|agent| match (placed.known[agent], placed.customer[agent]) {
                (true, Some(customer)) => known[customer as usize] as f32,
                _ => newcomer[placed.territory[agent] as usize] as f32,
            })
            .collect()
    };
    let channels = today.channels();
    Phase {
        from: 0,
        visits: VisitPlan {
            desired: contacts(Channel::FaceToFace),
            meets_capacity: vec![MeetsCapacity::Spread; territories],
            capacity: today.capacity.clone(),
            prospecting: today.prospecting.clone(),
        },
        contacts: channels.iter().map(|&channel| contacts(channel)).collect(),
        channels,
        demand: vec![1.0; territories],
        rival_push: vec![vec![0.0; rivals]; territories],
        rival_loading: vec![0.0; rivals],
        own_push: 0.0,
        moves: Moves::default(),
        moves_at: Vec::new(),
        handovers: Vec::new(),
        rules: Vec::new(),
    }
}
