//! Competitors that react to our gains.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Competitors that react to our gains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reaction {
    /// Log odds that rivals add per unit of our share gained since the start.
    pub strength: f64,
    /// Share of last month's perceived gain that is left in this month's: how slowly they notice.
    pub inertia: f64,
}

impl Mechanism for Reaction {
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
