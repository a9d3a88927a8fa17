//! Travel: what of a rep's time is left for calls.
//!
//! The shortest tour through n points that are scattered over an area A is about `k sqrt(A n)` long, k = 0.7124
//! (Beardwood, Halton & Hammersley 1959, "The shortest path through many points", Mathematical Proceedings of the
//! Cambridge Philosophical Society 55; the constant from Johnson, McGeoch & Rothberg 1996, "Asymptotic experimental
//! analysis for the Held-Karp traveling salesman bound"). Parting the points among several reps or days leaves that sum
//! as it is, as long as each has its own part of the area (Karp 1977, "Probabilistic analysis of partitioning
//! algorithms for the traveling-salesman problem in the plane"). With `b = cost k sqrt(A)`, cost in call lengths a
//! kilometre and A in square kilometres, a month's budget of B call lengths buys the calls n that solve
//!
//! `n + b sqrt(n) = B`, that is `sqrt(n) = 2 B / (b + sqrt(b^2 + 4 B))`.
//!
//! The capacity that a policy states is net of travel at today's calls n0, the sum of what the territory's reps can
//! make ([`Territory::reps`], which therefore must sum to today's capacity; where none are known, capacity in month 0).
//! So today's budget is `B0 = n0 + b sqrt(n0)`, and a capacity of f n0 has the budget f B0: today nothing changes, more
//! reps on the same area win more calls than they are more, fewer lose more. (Since n is convex in B, months of vacant
//! seats gain a little on average; it is of second order.)
//!
//! Assumptions: customers called on lie anywhere in the area; repeated calls count as points; nights away from home and
//! the way to the first call are part of the call's length.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Beardwood, Halton & Hammersley's constant.
pub const TOUR: f64 = 0.7124;

/// Relative difference from today's calls that is none.
const SAME: f64 = 1e-9;

/// Travel: what of a rep's time is left for calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Travel {
    /// Length of a call that is lost by a kilometre of travel (as the crow flies), in calls a kilometre.
    pub cost: f64,
}

/// A priori: at 30 km/h, with roads a fourth longer than the crow flies, and 30 minutes a call. Lognormal, sd of the
/// log 0.5; assumption, wide.
impl Default for Travel {
    fn default() -> Self {
        Self { cost: 0.08 }
    }
}

/// A territory to travel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ways {
    /// Call lengths lost at one call a month; 0 where the area is unknown.
    travel: f64,
    /// Calls a month of today's reps; 0 where unknown.
    today: f64,
}

/// Calls that a budget of call lengths buys where one call a month costs `travel` on the way.
pub fn calls(budget: f64, travel: f64) -> f64 {
    if budget > 0.0 {
        let root = 2.0 * budget / (travel + (travel * travel + 4.0 * budget).sqrt());
        root * root
    } else {
        0.0
    }
}

/// Calls that reps make who would make `capacity` if each call cost as much travel as it does at `today` calls.
pub fn after_travel(capacity: f64, today: f64, travel: f64) -> f64 {
    // The same to the digit where nothing differs from today but for how sums were rounded.
    if travel == 0.0 || today <= 0.0 || (capacity - today).abs() <= SAME * today {
        return capacity;
    }
    calls((today + travel * today.sqrt()) * (capacity / today), travel)
}

impl Mechanism for Travel {
    type Traits = ();
    type Memory = ();
    type Ground = Ways;

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, territory: &Territory) -> Ways {
        Ways { travel: self.cost * TOUR * territory.area_km2.max(0.0).sqrt(), today: territory.reps.iter().sum() }
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, ways: &mut Ways, here: &mut Here) {
        if ways.today <= 0.0 {
            let first = month.policy.phase(0);
            ways.today = first.visits.capacity.get(month.territory).copied().unwrap_or(0.0);
        }
        here.capacity = after_travel(here.capacity, ways.today, ways.travel);
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut Ways, _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_calls() {
        // 100 calls and 2 * 10 lengths of travel make up 120.
        assert!((calls(120.0, 2.0) - 100.0).abs() < 1e-9);
        // Twice that: sqrt(n) = (sqrt(4 + 960) - 2) / 2, n = 210.95...
        let root = (964.0_f64.sqrt() - 2.0) / 2.0;
        assert!((after_travel(200.0, 100.0, 2.0) - root * root).abs() < 1e-9);
        assert!((root * root - 210.951_650_6).abs() < 1e-4);
        // Half of it, 60: fewer than 50 calls.
        let half = after_travel(50.0, 100.0, 2.0);
        assert!((half + 2.0 * half.sqrt() - 60.0).abs() < 1e-9 && half < 50.0, "{half}");
    }

    #[test]
    fn nothing_differs_today_or_where_nothing_is_known() {
        assert_eq!(after_travel(73.21, 73.21, 1.3), 73.21);
        assert_eq!(after_travel(80.0, 73.21, 0.0), 80.0);
        assert_eq!(after_travel(80.0, 0.0, 1.3), 80.0);
        assert_eq!((after_travel(0.0, 73.21, 1.3), calls(0.0, 0.0)), (0.0, 0.0));
    }

    #[test]
    fn a_larger_area_costs_more() {
        let at = |area: f64| calls(120.0, 0.08 * TOUR * area.sqrt());
        assert!(at(100.0) > at(1_000.0) && at(1_000.0) > at(10_000.0));
        // And a call more costs less on the way than the one before: calls are convex in the budget.
        let (less, middle, more) = (calls(60.0, 2.0), calls(120.0, 2.0), calls(180.0, 2.0));
        assert!(more - middle > middle - less);
    }
}
