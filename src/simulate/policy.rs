//! What we do, month by month: the only thing in which strategies differ.

use super::{ChannelSet, Rule};
use crate::channel::Channel;

/// A policy over the horizon: phases in time order, the first beginning in month 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub phases: Vec<Phase>,
    /// Things that happen once, in month order.
    pub list_purchases: Vec<ListPurchase>,
    /// By agent: what [`super::Op::Mark`] asks about; empty where no rule does.
    pub marks: Vec<u32>,
    /// What rivals do of themselves, whatever we do.
    pub rivals: RivalsAhead,
}

/// Moves of rivals over a run, everywhere, on top of what phases say of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RivalsAhead {
    /// What customers have in stock at the start of what rivals sold ahead, in months of their demand of the first month.
    pub stock: f32,
    /// By month; what is missing is nothing.
    pub months: Vec<RivalMonth>,
}

/// A month of rivals' moves, each by rival in `CompanyIx` order from 1; what is missing counts as 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RivalMonth {
    /// Log odds added to the rival's appeal.
    pub push: Vec<f32>,
    /// Months of customers' category demand that it sells ahead.
    pub loading: Vec<f32>,
}

impl Policy {
    /// The phase that holds in a month.
    ///
    /// # Panics
    ///
    /// Without a phase from month 0.
    pub fn phase(&self, month: usize) -> &Phase {
        &self.phases[self.phase_index(month)]
    }

    /// Its position among the phases. Panics as [`Self::phase`].
    pub fn phase_index(&self, month: usize) -> usize {
        self.phases.partition_point(|phase| phase.from <= month) - 1
    }

    /// Log odds added to a rival's appeal (0 = the first) in a territory's month of a phase.
    pub fn rival_push(&self, month: usize, phase: &Phase, territory: usize, rival: usize) -> f32 {
        let of = |pushes: Option<&Vec<f32>>| pushes.and_then(|pushes| pushes.get(rival)).copied().unwrap_or(0.0);
        of(phase.rival_push.get(territory)) + of(self.rivals.months.get(month).map(|ahead| &ahead.push))
    }

    /// Months of demand that a rival (0 = the first) sells ahead in a month of a phase.
    pub fn rival_loading(&self, month: usize, phase: &Phase, rival: usize) -> f32 {
        let of = |depths: Option<&Vec<f32>>| depths.and_then(|depths| depths.get(rival)).copied().unwrap_or(0.0);
        of(Some(&phase.rival_loading)) + of(self.rivals.months.get(month).map(|ahead| &ahead.loading))
    }

    /// A policy that does not fit would be read at the wrong places.
    pub(super) fn check(&self, agents: usize, territories: usize) {
        assert!(self.phases.first().is_some_and(|phase| phase.from == 0), "a policy's first phase begins in month 0");
        assert!(self.phases.is_sorted_by(|one, next| one.from < next.from), "a policy's phases are in time order");
        for phase in &self.phases {
            let visits = &phase.visits;
            assert!([0, agents].contains(&visits.desired.len()), "desired visits, by agent");
            assert_eq!(visits.meets_capacity.len(), territories, "ways to meet capacity, by territory");
            assert_eq!(visits.capacity.len(), territories, "capacity, by territory");
            assert_eq!(visits.prospecting.len(), territories, "prospecting, by territory");
            assert_eq!(phase.demand.len(), territories, "demand, by territory");
            assert_eq!(phase.channels.len(), phase.contacts.len(), "contacts, by channel");
            assert!(phase.contacts.iter().all(|rates| rates.len() == agents), "contacts, by agent");
            let distinct = (1..phase.channels.len()).all(|k| !phase.channels[..k].contains(&phase.channels[k]));
            assert!(distinct && !phase.channels.contains(&Channel::FaceToFace), "further channels, each once");
            assert!([0, territories].contains(&phase.moves_at.len()), "moves, by territory");
            super::rule::check(&phase.rules, &phase.channels, &self.marks, agents);
            assert!(
                phase.rival_push.is_empty() || phase.rival_push.len() == territories,
                "rivals' pushes, by territory"
            );
        }
        let fits = |list: &ListPurchase| list.usable.len() == territories;
        assert!(self.list_purchases.iter().all(fits), "usable records, by territory");
    }
}

/// What holds from one month on until the next phase begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// First month of the phase, counted from 0 = the first month simulated.
    pub from: usize,
    pub visits: VisitPlan,
    /// Contacts a month by agent for each further channel in use; of agents that we know at the time.
    /// Not bounded by rep capacity. Outer: as `channels`; inner: by agent.
    pub channels: ChannelSet,
    pub contacts: Vec<Vec<f32>>,
    /// Multiplies category demand, by territory (1 = as is).
    pub demand: Vec<f32>,
    /// Log odds added to each rival's appeal, in `CompanyIx` order from 1, by territory (outer); what is missing counts as 0.
    pub rival_push: Vec<Vec<f32>>,
    /// Months of customers' category demand that each rival sells ahead in *every* month of the phase (loading), in
    /// `CompanyIx` order from 1; empty for none. A single load is a phase of one month.
    pub rival_loading: Vec<f32>,
    /// Log odds added to our own appeal everywhere (price, supply).
    pub own_push: f32,
    pub moves: Moves,
    /// Moves in the place of those above, by territory; empty for the same everywhere.
    pub moves_at: Vec<Moves>,
    /// By territory: bit k set where the k-th rep hands its customers over, planned, in the phase's first month; empty for
    /// none.
    pub handovers: Vec<u32>,
    /// Who is called and written to by segment, judged anew each month, in their order.
    pub rules: Vec<Rule>,
}

impl Phase {
    /// What else we do in a territory.
    pub fn moves(&self, territory: usize) -> &Moves {
        self.moves_at.get(territory).unwrap_or(&self.moves)
    }
}

/// Products of ours that a run can tell apart.
pub const PRODUCTS: usize = 4;

/// What else we do in a phase; each is read by the mechanism that it belongs to, and by none where that is off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moves {
    /// Multiplies what a contact adds to goodwill, by channel in `Channel::ALL` order: quality of content and timing.
    pub quality: [f32; Channel::COUNT],
    /// Change of the log of our price against today's.
    pub price: f32,
    /// Depth of a temporary price promotion of ours: cut of the log of the price, 0 or more.
    pub promotion: f32,
    /// Months of customers' demand for us that we sell ahead in every month of the phase.
    pub loading: f32,
    /// Share of the orders to us that can be filled.
    pub availability: f32,
    /// Months since a launch of ours, counted at the phase's start; negative for none.
    pub launched: f32,
    /// By product: log odds added to it (its own price, launch or lack against today).
    pub product_push: [f32; PRODUCTS],
    /// Multiplies the hazard that reps leave (1 = as today).
    pub leaving: f32,
    /// Multiplies the rate at which customers refer others to us (1 = as today).
    pub referral: f32,
}

impl Default for Moves {
    fn default() -> Self {
        Self {
            quality: [1.0; Channel::COUNT],
            price: 0.0,
            promotion: 0.0,
            loading: 0.0,
            availability: 1.0,
            launched: -1.0,
            product_push: [0.0; PRODUCTS],
            leaving: 1.0,
            referral: 1.0,
        }
    }
}

/// Visits of field reps.
///
/// In territory j, with `wanted_j = sum of desired_i over the customers known at the month's start`:
///
/// * `Spread`: all visits are made, in proportion: `rate_i = desired_i * (1 - prospecting_j) * capacity_j / wanted_j`;
///   the rest of capacity, `prospecting_j * capacity_j`, is spent prospecting. (As today: the plan is a set of weights.)
/// * `Ceiling`: `rate_i = desired_i * min(1, (1 - prospecting_j) * capacity_j / wanted_j)`; what is left over is spent
///   prospecting too. (An explicit call plan says how often, and is cut only where capacity lacks.)
#[derive(Debug, Clone, PartialEq)]
pub struct VisitPlan {
    /// Visits a month by agent, if we know it; empty for none.
    pub desired: Vec<f32>,
    /// How the plan meets capacity, by territory.
    pub meets_capacity: Vec<MeetsCapacity>,
    /// Calls a month that the reps of a territory can make, travel taken off.
    pub capacity: Vec<f64>,
    /// Share of capacity spent on finding dark customers, by territory, 0 to 1.
    pub prospecting: Vec<f64>,
}

/// See [`VisitPlan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeetsCapacity {
    Spread,
    Ceiling,
}

/// A bought list: each dark agent of the territories is on it with the same chance.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPurchase {
    /// Month, counted from 0.
    pub month: usize,
    /// Usable records (already times accuracy), by territory.
    pub usable: Vec<f64>,
}
