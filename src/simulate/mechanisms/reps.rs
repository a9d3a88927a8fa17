//! Reps: how a plan of visits meets the calls that a territory's reps can make in a month.
//!
//! With `wanted = sum of desired visits over the customers known at the month's start` and `for_visits = (1 - share) *
//! capacity`: a plan that is *spread* scales all desired rates by `for_visits / wanted`; one with a *ceiling* scales by
//! `min(1, for_visits / wanted)`. The rest of capacity is spent prospecting; of a spread plan that is `share *
//! capacity`.
//!
//! This is the plan. [`super::contacts::BoundedVisits`] then makes whole visits of it and gives prospecting what they
//! leave, so that both together are never more than the calls of the month, travel and vacant seats taken off.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, MeetsCapacity, Month, Now, Territory};

/// A territory's month in the field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Multiplies desired visits.
    pub factor: f64,
    /// Calls spent prospecting.
    pub prospecting: f64,
}

/// Meets `wanted` visits with `capacity` calls a month, of which `share` (0 to 1) is meant for prospecting.
pub fn effort(meets: MeetsCapacity, wanted: f64, capacity: f64, share: f64) -> Effort {
    let for_visits = (1.0 - share) * capacity;
    let spread = if wanted > 0.0 { for_visits / wanted } else { 0.0 };
    match meets {
        MeetsCapacity::Spread => Effort { factor: spread, prospecting: share * capacity },
        MeetsCapacity::Ceiling => {
            let factor = spread.min(1.0);
            Effort { factor, prospecting: (capacity - factor * wanted).max(0.0) }
        }
    }
}

/// The reps' month by the phase's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reps;

impl Mechanism for Reps {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        let (visits, j) = (&month.phase.visits, month.territory);
        let effort = effort(visits.meets_capacity[j], month.before.wanted, here.capacity, visits.prospecting[j]);
        here.visit_factor = effort.factor as f32;
        here.prospecting = effort.prospecting;
        here.searching = effort.prospecting;
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_uses_all_calls() {
        // 100 calls, 20% prospecting: 80 visits over 50 wanted.
        let effort = effort(MeetsCapacity::Spread, 50.0, 100.0, 0.2);
        assert!((effort.factor - 1.6).abs() < 1e-12 && (effort.prospecting - 20.0).abs() < 1e-12);
    }

    #[test]
    fn a_ceiling_leaves_the_rest_to_prospecting() {
        let idle = effort(MeetsCapacity::Ceiling, 50.0, 100.0, 0.2);
        assert!((idle.factor - 1.0).abs() < 1e-12 && (idle.prospecting - 50.0).abs() < 1e-12);
        let short = effort(MeetsCapacity::Ceiling, 160.0, 100.0, 0.2);
        assert!((short.factor - 0.5).abs() < 1e-12 && (short.prospecting - 20.0).abs() < 1e-12);
    }

    #[test]
    fn nobody_to_visit() {
        assert_eq!(effort(MeetsCapacity::Spread, 0.0, 100.0, 0.2), Effort { factor: 0.0, prospecting: 20.0 });
        assert_eq!(effort(MeetsCapacity::Ceiling, 0.0, 100.0, 0.2), Effort { factor: 0.0, prospecting: 100.0 });
    }
}
