//! A temporary price promotion of ours: switching, expansion and time shifting.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// A temporary price promotion of ours: switching, expansion and time shifting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promotion {
    /// Elasticity of our sales to the depth of a promotion, positive.
    pub elasticity: f64,
    /// Parts of the extra sales that come from rivals and from later months; the rest is more use of the category.
    pub switching: f64,
    pub shifting: f64,
}

impl Mechanism for Promotion {
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
