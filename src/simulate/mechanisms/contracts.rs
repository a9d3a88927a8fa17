//! Contracts: nobody leaves under contract, some leave at its end.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Contracts: nobody leaves under contract, some leave at its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contracts {
    /// Probability that a customer is lost when its contract ends.
    pub lost_at_end: f64,
    /// Months of a renewed contract.
    pub renewed_months: f64,
}

impl Mechanism for Contracts {
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
