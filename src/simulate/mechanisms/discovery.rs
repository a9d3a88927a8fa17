//! Discovery: how dark customers become identified.
//!
//! Hazard a month of one dark agent: `visibility * (spontaneous + referral * S + yield * calls / dark_at_start)`. The first
//! two terms are Bass (1969): innovation, and imitation of the influence-weighted share S of the territory's living
//! customers that we served at the month's start. The third makes each prospecting call find `yield` customers while the
//! dark half is what it was, and fewer as fewer remain. An event of hazard h has probability `1 - exp(-h)`.
//!
//! A reward for naming others multiplies the referral's rate ([`crate::simulate::Moves::referral`]).
//!
//! How many calls prospecting gets is known only when the month's visits are made. `calls` is what is planned for the
//! month; what the months before made more or less than planned is added over a year (`Here::searching`), so that every
//! call finds at its yield, some of them later.
//!
//! A bought list with `usable` records names each dark agent of the territory with the same chance
//! `min(1, usable / dark now)`.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Simd};
use crate::simulate::{Agents, Discovery, Here, Mechanism, Month, Now, Territory};

/// Hazard a month of a dark agent of visibility 1. `served` is S, `calls` the prospecting calls of the month.
pub fn hazard(discovery: &Discovery, served: f64, calls: f64, dark_at_start: f64) -> f64 {
    let prospecting = if dark_at_start > 0.0 { discovery.prospecting_yield * calls / dark_at_start } else { 0.0 };
    discovery.spontaneous + discovery.referral * served + prospecting
}

/// Chance of each dark agent to be on a list.
pub fn listed(usable: f64, dark: f64) -> f64 {
    if dark > 0.0 { (usable / dark).clamp(0.0, 1.0) } else { 0.0 }
}

/// Probability of either of two independent events.
#[inline(always)]
pub fn either<V: Lanes>(one: V, other: V) -> V {
    one + other * (V::of(1.0) - one)
}

impl Mechanism for Discovery {
    /// Visibilities.
    type Traits = F32x16;
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        F32x16::load_slice(&agents.visibility[range], 0.0)
    }
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        let served = month.before.served_share() * f64::from(month.moves().referral);
        here.find = hazard(self, served, here.searching, month.dark_at_start) as f32;
        here.referred = if here.find > 0.0 { (self.referral * served) as f32 / here.find } else { 0.0 };
        let lists = month.policy.list_purchases.iter().filter(|purchase| purchase.month == month.index);
        here.listed = lists
            .fold(0.0, |all, purchase| either(all, listed(purchase.usable[month.territory], month.before.dark)))
            as f32;
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        here: &Here,
        _: &mut (),
        visibility: &F32x16,
        _: &mut (),
        now: &mut Now<'_, V>,
    ) {
        now.hazard = V::load(visibility) * V::splat(here.find);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_hazard() {
        let discovery = Discovery { spontaneous: 0.001, referral: 0.02, prospecting_yield: 0.1 };
        // 0.001 + 0.02 * 0.25 + 0.1 * 30 / 600 = 0.011
        assert!((hazard(&discovery, 0.25, 30.0, 600.0) - 0.011).abs() < 1e-15);
        assert!((hazard(&discovery, 0.0, 30.0, 0.0) - 0.001).abs() < 1e-15);
    }

    #[test]
    fn lists_end_with_the_dark() {
        assert!((listed(50.0, 200.0) - 0.25).abs() < 1e-15);
        assert_eq!((listed(500.0, 200.0), listed(5.0, 0.0)), (1.0, 0.0));
        assert!((either(0.5, 0.5) - 0.75_f64).abs() < 1e-15);
    }
}
