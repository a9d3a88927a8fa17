//! Our own loading at a period's end: sell-in apart from sell-out.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Our own loading at a period's end: sell-in apart from sell-out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnLoading {
    /// Part of the offered load that customers take.
    pub acceptance: f64,
}

impl Mechanism for OwnLoading {
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
