//! Stock-outs of ours: what we cannot deliver is bought elsewhere, later or never.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Stock-outs of ours: what we cannot deliver is bought elsewhere, later or never.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StockOut {
    /// Parts of what we cannot fill that are ordered next month, and never; the rest goes to rivals.
    pub delayed: f64,
    pub dropped: f64,
}

impl Mechanism for StockOut {
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
