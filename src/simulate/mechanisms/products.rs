//! Several products of ours, with their own utilities and cross effects.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, PRODUCTS, Territory};

/// Several products of ours, with their own utilities and cross effects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Products {
    /// Products in use, 1 to [`PRODUCTS`].
    pub count: usize,
    /// Shares of our sales today; those in use sum to 1.
    pub shares: [f64; PRODUCTS],
    /// Log odds that product p gains per unit of the share that product q has gained: complements above 0, substitutes
    /// below. `[p][q]`.
    pub cross: [[f64; PRODUCTS]; PRODUCTS],
    /// How much our products compete with each other more than with rivals: 1 not at all, 0 entirely (nested logit).
    pub nest: f64,
}

impl Mechanism for Products {
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
