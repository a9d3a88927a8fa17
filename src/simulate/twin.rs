//! One draw of the whole market, as agents in columns.

use std::ops::Range;

use super::Parameters;
use crate::channel::Channel;

/// What a customer is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// Not open yet: a slot that a birth may fill (as a dark customer).
    Unborn = 0,
    /// Buys the category; we do not know it.
    Dark = 1,
    /// We know it; it has never bought from us.
    Identified = 2,
    /// Buys from us.
    Served = 3,
    /// Bought from us once.
    Lapsed = 4,
    /// Closed for good.
    Gone = 5,
}

impl Stage {
    /// All stages, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Unborn, Self::Dark, Self::Identified, Self::Served, Self::Lapsed, Self::Gone];

    /// The stage of a number; `Gone` beyond the last.
    #[inline(always)]
    pub fn of_word(word: u32) -> Self {
        Self::ALL.get(word as usize).copied().unwrap_or(Self::Gone)
    }
}

/// One draw of parameters and dark half: everything a run needs but the policy and the key.
#[derive(Debug, Clone)]
pub struct Twin {
    pub parameters: Parameters,
    pub territories: Vec<Territory>,
    pub agents: Agents,
}

/// A territory of one draw.
#[derive(Debug, Clone)]
pub struct Territory {
    /// `ids::stable_hash` of its id.
    pub hash: u64,
    /// Its agents; contiguous, in territory order.
    pub agents: Range<usize>,
    /// Rivals' shares of what does not come to us, in `CompanyIx` order from 1; sums to 1.
    pub rivals: Vec<f64>,
    /// Dark agents at the start: prospecting calls are spread over them.
    pub dark_at_start: f64,
}

/// All agents, one column an attribute, in territory order. All columns have the same length.
#[derive(Debug, Clone, Default)]
pub struct Agents {
    /// `ids::stable_hash` of a known customer's id, `ids::slot_hash` of a dark one.
    pub hash: Vec<u64>,
    pub stage: Vec<Stage>,
    /// Category demand a month at `history_end`, season 1.
    pub size: Vec<f32>,
    /// Log odds of us against all others at zero goodwill. For the dark: once won.
    pub appeal: Vec<f32>,
    /// Goodwill at the start.
    pub goodwill: Vec<f32>,
    /// Weight in word of mouth and referral, mean about 1.
    pub influence: Vec<f32>,
    /// Weight of the discovery hazard: mean 1 over a territory's dark agents; the large ones are seen first.
    pub visibility: Vec<f32>,
    /// Bit c set: channel c may be used.
    pub consent: Vec<u8>,
}

impl Agents {
    /// Number of agents (unborn slots included).
    pub fn len(&self) -> usize {
        self.hash.len()
    }

    /// No agents.
    pub fn is_empty(&self) -> bool {
        self.hash.is_empty()
    }
}

/// Channels in use, so that a run pays only for those.
pub type ChannelSet = Vec<Channel>;
