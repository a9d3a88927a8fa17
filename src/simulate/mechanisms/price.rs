//! Price: a change of ours against today.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Price: a change of ours against today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Log odds lost by one unit of log price, at a price sensitivity of 1.
    pub effect: f64,
}

impl Mechanism for Price {
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
