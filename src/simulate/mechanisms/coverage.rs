//! Buying centres: an order needs the coverage of its seats.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Buying centres: an order needs the coverage of its seats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Share of last month's coverage that is left without contact.
    pub decay: f64,
    /// Share of an uncovered seat that one contact covers.
    pub per_contact: f64,
    /// Exponent of coverage in the chance that an order passes.
    pub weight: f64,
}

impl Mechanism for Coverage {
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
