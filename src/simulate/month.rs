//! The month of a territory as mechanisms see it.

use std::ops::Range;

use super::mechanisms::receptivity::Receptivity;
use super::now::Sums;
use super::{Moves, PRODUCTS, Phase, Policy};
use crate::channel::Channel;
use crate::lanes::{Simd, WIDTH};
use crate::rng::RunKey;

/// One month of one territory, before anything happened in it.
#[derive(Debug, Clone)]
pub struct Month<'a> {
    /// Counted from 0.
    pub index: usize,
    /// Demand over that of an average month: season, feasts and growth.
    pub path: f64,
    pub key: RunKey,
    /// The territory, by its position and by its hash.
    pub territory: usize,
    pub hash: u64,
    /// Rivals' weights, which sum to 1.
    pub rivals: &'a [f64],
    /// Dark customers that it began with.
    pub dark_at_start: f64,
    pub policy: &'a Policy,
    pub phase: &'a Phase,
    /// The phase of the next month.
    pub next: &'a Phase,
    /// Desired visits of this month and of the next one, by agent of the territory.
    pub desired: &'a [f32],
    pub desired_next: &'a [f32],
    /// Positions of its agents in the policy's columns.
    pub agents: Range<usize>,
    /// Sums of the month before; in the first month the customers as they are.
    pub before: &'a Sums<f64>,
}

impl Month<'_> {
    /// What else we do here.
    pub fn moves(&self) -> &Moves {
        self.phase.moves(self.territory)
    }

    /// Log odds added to a rival's appeal (0 = the first).
    pub fn rival_push(&self, rival: usize) -> f32 {
        self.policy.rival_push(self.index, self.phase, self.territory, rival)
    }

    /// Months of demand that a rival (0 = the first) sells ahead.
    pub fn rival_loading(&self, rival: usize) -> f32 {
        self.policy.rival_loading(self.index, self.phase, rival)
    }
}

/// What is the same for all customers of a territory in a month. Mechanisms fill it in their order, in `f64` where it
/// matters, and read it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Here {
    /// Multiplies sizes.
    pub level: f32,
    /// Calls that the territory's reps can make this month; what the policy says before travel and vacancies.
    pub capacity: f64,
    /// Multiplies desired visits.
    pub visit_factor: f32,
    /// Bit k set: the territory's k-th rep has left its customers this month, unplanned; or handed them over.
    pub departed: u32,
    pub handed_over: u32,
    /// More effect by the channel that a customer prefers.
    pub preference: f32,
    /// Multiplies what a contact adds to goodwill, by channel in `Channel::ALL` order.
    pub channel_effect: [f32; Channel::COUNT],
    /// How contacts tire.
    pub receptivity: Option<Receptivity>,
    /// Calls spent prospecting: as planned, and at the month's end as they were made.
    pub prospecting: f64,
    /// Prospecting calls whose finds are made this month.
    pub searching: f64,
    /// Log odds added to our appeal.
    pub own_push: f32,
    /// Share of the orders to us that can be filled.
    pub availability: f32,
    /// The rivals' attraction together.
    pub rivals: f32,
    /// Products of ours in use (1 where we have but one), and each one's share of our orders.
    pub products: u32,
    pub product_shares: [f32; PRODUCTS],
    /// Whether orders have sizes of their own.
    pub sized: bool,
    /// Months of demand that rivals load, and we (of their demand for us).
    pub loading: f32,
    pub own_loading: f32,
    /// Months of demand in stock at the start of a run that rivals sold ahead before it; 0 after its first month.
    pub loaded_before: f32,
    /// Hazard of discovery at visibility 1.
    pub find: f32,
    /// Part of it that is referral.
    pub referred: f32,
    /// Chance of a dark customer to be on a list bought this month.
    pub listed: f32,
}

impl Default for Here {
    fn default() -> Self {
        Self {
            level: 1.0,
            capacity: 0.0,
            visit_factor: 1.0,
            departed: 0,
            handed_over: 0,
            preference: 0.0,
            channel_effect: [1.0; Channel::COUNT],
            receptivity: None,
            prospecting: 0.0,
            searching: 0.0,
            own_push: 0.0,
            availability: 1.0,
            rivals: 1.0,
            products: 1,
            product_shares: [1.0, 0.0, 0.0, 0.0],
            sized: false,
            loading: 0.0,
            own_loading: 0.0,
            loaded_before: 0.0,
            find: 0.0,
            referred: 0.0,
            listed: 0.0,
        }
    }
}

impl Month<'_> {
    /// A block's part of a column by agent of the territory; zeros beyond its end.
    #[inline(always)]
    pub fn block_of<V: Simd>(&self, column: &[f32], block: usize) -> V {
        V::load_part(column.get(block * WIDTH..).unwrap_or(&[]))
    }
}
