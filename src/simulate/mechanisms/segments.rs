//! Segments of several dimensions, recomputed as customers behave.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Segments of several dimensions, recomputed as customers behave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segments {
    /// Share of last month's smoothed own sales that is left.
    pub memory: f64,
}

impl Mechanism for Segments {
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
