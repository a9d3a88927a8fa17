//! Reps leave, seats stay vacant, successors ramp up, and part of the goodwill goes.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Reps leave, seats stay vacant, successors ramp up, and part of the goodwill goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turnover {
    /// Hazard a month that a rep leaves.
    pub leave: f64,
    /// Mean months that a seat stays vacant.
    pub vacancy_months: f64,
    /// Months until a successor is worth a full rep, and what it is worth in its first.
    pub ramp_months: f64,
    pub ramp_start: f64,
    /// Share of goodwill that goes with the rep, unplanned, and of it what a planned hand-over saves.
    pub knowledge_loss: f64,
    pub handover: f64,
}

impl Mechanism for Turnover {
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
