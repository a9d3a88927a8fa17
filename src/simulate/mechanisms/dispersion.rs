//! Overdispersed orders: negative binomial counts.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Overdispersed orders: negative binomial counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    /// Shape of the gamma that months of a customer scatter by: variance of a count = mean + mean^2 / shape.
    pub shape: f64,
}

impl Mechanism for Dispersion {
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
