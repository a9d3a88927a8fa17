//! Acquaintance: the shortest life of a customer, for models without dark demand: it is unknown, then known.
//!
//! An unknown customer becomes known in a month with probability `innovation + imitation * F`, F the known share of its
//! territory at the month's start: the discrete form of Bass (1969). Everybody buys from us, known or not.

use std::ops::Range;

use crate::lanes::{Mask as _, Simd, U32x16, Words as _};
use crate::rng::{Purpose, bernoulli};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Stage, Sums, Territory};

/// Parameters of acquaintance: probabilities a month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Acquaintance {
    /// Of becoming known by itself (Bass's p).
    pub innovation: f64,
    /// More of it where all the others are known (Bass's q).
    pub imitation: f64,
}

/// What a lane holds.
const UNKNOWN: u32 = 1;
const KNOWN: u32 = 2;

impl Mechanism for Acquaintance {
    type Traits = ();
    /// 0 for a lane without a customer, else [`UNKNOWN`] or [`KNOWN`].
    type Memory = U32x16;
    /// Probability of the month.
    type Ground = f32;

    // The word of visits: those go to the known alone, and what is drawn here to the unknown.
    const DRAWS: u64 = 1 << Purpose::FaceToFace as u64;

    fn traits(_: &Agents, _: Range<usize>) {}

    fn memory(agents: &Agents, range: Range<usize>) -> U32x16 {
        let mut out = U32x16::ZERO;
        for (lane, agent) in out.0.iter_mut().zip(range) {
            *lane = if agents.stage[agent] > Stage::Dark { KNOWN } else { UNKNOWN };
        }
        out
    }

    fn ground(&self, _: &Agents, _: &Territory) -> f32 {
        0.0
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, chance: &mut f32, _: &mut Here) {
        let known = if month.before.living > 0.0 { month.before.served / month.before.living } else { 0.0 };
        *chance = (self.innovation + self.imitation * known) as f32;
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut f32, _: &(), lane: &mut U32x16, now: &mut Now<'_, V>) {
        let lane = V::Words::load(lane);
        now.is.known = lane.equals(V::Words::splat(KNOWN));
        now.is.dark = lane.equals(V::Words::splat(UNKNOWN));
        now.is.living = now.is.known.or(now.is.dark);
        now.buys = now.is.living;
    }

    #[inline(always)]
    fn close<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        chance: &mut f32,
        _: &(),
        lane: &mut U32x16,
        now: &mut Now<'_, V>,
    ) {
        let found = now.is.dark.and(bernoulli(now.uniform(Purpose::FaceToFace), V::splat(*chance)));
        *lane = V::Words::load(lane).plus(V::Words::keep(found, V::Words::splat(KNOWN - UNKNOWN))).store();
        now.sums.found = now.sums.found + V::count(found);
        now.sums.served = now.sums.served + V::count(now.is.known.or(found));
        now.sums.living = now.sums.living + V::count(now.is.living);
    }

    #[inline(always)]
    fn census<V: Simd>(&self, _: &Month<'_>, _: &(), lane: &U32x16, _: usize, sums: &mut Sums<V>) {
        let lane = V::Words::load(lane);
        let known = lane.equals(V::Words::splat(KNOWN));
        sums.served = sums.served + V::count(known);
        sums.living = sums.living + V::count(known.or(lane.equals(V::Words::splat(UNKNOWN))));
    }
}
