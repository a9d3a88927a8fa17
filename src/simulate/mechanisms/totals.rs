//! Totals: adds a month's orders to the territory's sums, when all that changes them has had its turn. What was ordered
//! from us and not filled is ordered from rivals the same month.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Adds orders up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals;

impl Mechanism for Totals {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), now: &mut Now<'_, V>) {
        now.others = now.others + now.turned_away;
        now.sums.own = now.sums.own + now.own;
        now.sums.rivals = now.sums.rivals + now.others;
    }
}
