//! Credit: the balance owed against its limit and terms blocks orders.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Credit: the balance owed against its limit and terms blocks orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Credit {
    /// Share of the balance that is paid in a month: 1 / months of the terms.
    pub paid: f64,
    /// Part of what is beyond the limit that is blocked; 1 blocks all.
    pub strictness: f64,
}

impl Mechanism for Credit {
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
