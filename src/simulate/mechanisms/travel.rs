//! Travel: what of a rep's time is left for calls.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Travel: what of a rep's time is left for calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Travel {
    /// Length of a call that is lost by a kilometre of travel, in calls a kilometre.
    pub cost: f64,
}

impl Mechanism for Travel {
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
