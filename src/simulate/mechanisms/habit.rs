//! Habit: what a customer is used to buy from us draws it to us.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Habit: what a customer is used to buy from us draws it to us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habit {
    /// Log odds of choosing us per unit of the habitual share above that of today.
    pub strength: f64,
    /// Share of last month's habit that is left.
    pub decay: f64,
}

impl Mechanism for Habit {
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
