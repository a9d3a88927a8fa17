//! A launch of ours, which is adopted over time.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// A launch of ours, which is adopted over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Launch {
    /// Log odds of choosing us when everybody has adopted it.
    pub lift: f64,
    /// Bass's p and q, a month.
    pub innovation: f64,
    pub imitation: f64,
}

impl Mechanism for Launch {
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
