//! One draw of the whole market, as agents in columns.

use std::ops::Range;

use super::Parameters;
use crate::channel::Channel;
use crate::lanes::{F32x16, Simd as _, U32x16};

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
    /// Its area; 0 where unknown.
    pub area_km2: f64,
    /// Its reps at the start: calls a month that each can make, travel taken off; together today's capacity.
    pub reps: Vec<f64>,
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
    pub more: Attributes,
}

/// Attributes that only some mechanisms read; an empty column means its default everywhere.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Multiplies what visits and telephone calls add to goodwill; 1 by default.
    pub responsiveness: Vec<f32>,
    /// The same for SMS, e-mail, WhatsApp, recorded calls and advertisements; 1 by default.
    pub digital: Vec<f32>,
    /// Bit c set: it prefers channel c; none by default.
    pub preferred: Vec<u8>,
    /// Contacts a month of late, by all channels; 0 by default.
    pub contacted: Vec<f32>,
    /// Multiplies the log odds that a price costs; 1 by default.
    pub price_sensitivity: Vec<f32>,
    /// Kilometres east and north of any point; where empty, nobody has neighbours.
    pub x: Vec<f32>,
    pub y: Vec<f32>,
    /// Position of its rep among the territory's; by default all belong to the first.
    pub rep: Vec<u8>,
    /// Seats of its buying centre; 0 by default: no account.
    pub seats: Vec<u8>,
    /// Share of its seats that are covered at the start; 1 by default.
    pub covered: Vec<f32>,
    /// Visits a month today, which its coverage rests on; 0 by default.
    pub visits: Vec<f32>,
    /// Demand units that it may owe us; infinite by default.
    pub credit_limit: Vec<f32>,
    /// Demand units that it owes us at the start; 0 by default.
    pub balance: Vec<f32>,
    /// Months of the run until its contract ends; 0 by default: none.
    pub contract_months: Vec<f32>,
    /// Own sales a month of late (demand units); 0 by default.
    pub recent: Vec<f32>,
    /// Months since its last order; 0 by default. Of those that have ordered, served or lapsed.
    pub silent: Vec<f32>,
    /// Affinity to us as `who` expressions see it, 0 to 1, infinite where nothing is known; by default the share of its
    /// demand that the twin gives us.
    pub affinity: Vec<f32>,
}

impl Attributes {
    /// A block of a column, or its default.
    pub fn block(column: &[f32], range: Range<usize>, default: f32) -> F32x16 {
        if column.is_empty() { F32x16([default; 16]) } else { F32x16::load_slice(&column[range], default) }
    }

    /// The same of whole numbers.
    pub fn block_of_words(column: &[u8], range: Range<usize>) -> U32x16 {
        let mut out = U32x16::ZERO;
        if !column.is_empty() {
            for (lane, agent) in out.0.iter_mut().zip(range) {
                *lane = u32::from(column[agent]);
            }
        }
        out
    }
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

impl Twin {
    /// A twin that does not fit together would be read at the wrong places.
    pub(super) fn check(&self) {
        let agents = &self.agents;
        let n = agents.len();
        let lengths = [
            agents.stage.len(),
            agents.size.len(),
            agents.appeal.len(),
            agents.goodwill.len(),
            agents.influence.len(),
            agents.visibility.len(),
            agents.consent.len(),
        ];
        assert!(lengths.iter().all(|&length| length == n), "the agents' columns differ in length: {n}, {lengths:?}");
        let mut at = 0;
        for territory in &self.territories {
            let range = &territory.agents;
            assert!(range.start == at && range.end <= n, "territories must cover the agents in order");
            at = range.end;
        }
        assert!(at == n, "{} agents belong to no territory", n - at);
    }
}
