//! How contacts tire a customer, and how differently customers take them.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// How contacts tire a customer, and how differently customers take them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Receptivity {
    /// Contacts a month, by all channels, up to which nobody tires.
    pub comfort: f64,
    /// Log effect lost by each contact a month beyond it.
    pub fatigue: f64,
    /// Share of last month's load of contacts that is still felt.
    pub memory: f64,
    /// More effect by the channel that the customer prefers: 0.3 is 30% more.
    pub preference: f64,
}

impl Mechanism for Receptivity {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}
