//! Complaints: served customers whose goodwill suffers.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Complaints: served customers whose goodwill suffers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complaints {
    /// Hazard a month of a served customer to complain.
    pub hazard: f64,
    /// Log odds of choosing us that a complaint takes away at once (it fades with goodwill).
    pub harm: f64,
}

impl Mechanism for Complaints {
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
