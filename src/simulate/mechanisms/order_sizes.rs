//! Sizes of orders: compound Poisson-gamma money.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Sizes of orders: compound Poisson-gamma money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderSizes {
    /// Shape of the gamma of one order's size (mean is the order unit).
    pub shape: f64,
}

impl Mechanism for OrderSizes {
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
