//! Word of mouth among neighbours.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Word of mouth among neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordOfMouth {
    /// Log odds of choosing us per unit of the neighbours' influence-weighted share above that of today; its sign is free.
    pub strength: f64,
}

impl Mechanism for WordOfMouth {
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
