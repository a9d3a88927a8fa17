//! Contacts: whole visits, calls and messages in a month from a planned rate.
//!
//! `contacts = floor(rate + u)` with u uniform: the rate rounded up or down at random, right on average and with the least
//! scatter that whole numbers allow (systematic sampling; Madow 1949). A customer is contacted only while we know it, and
//! by text message, e-mail, WhatsApp and recorded voice only with its consent; the agents' `consent` says which channels
//! may be used.

use std::ops::Range;

use crate::lanes::Simd;
use crate::rng::Purpose;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Contacts of a month at these rates, of those who may be contacted.
#[inline(always)]
pub fn contacts<V: Simd>(rate: V, uniform: V, reachable: V::Mask) -> V {
    V::keep(reachable, (rate + uniform).floor())
}

/// Visits of field reps to the customers that we know, by the phase's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visits;

impl Mechanism for Visits {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 1 << Purpose::FaceToFace as u64;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, _: &mut (), _: &(), _: &mut (), now: &mut Now<'_, V>) {
        let rate = now.desired * V::splat(here.visit_factor);
        now.visits = contacts(rate, now.uniform(Purpose::FaceToFace), now.is.known);
        now.contacts = now.contacts + now.visits;
        now.sums.visits = now.sums.visits + now.visits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{F32x16, Mask16, U32x16, Words as _};
    use crate::rng::uniform;

    #[test]
    fn rates_are_rounded_up_or_down() {
        let everyone = Mask16([u32::MAX; 16]);
        let at = |rate, u| contacts(F32x16::splat(rate), F32x16::splat(u), everyone).0[0];
        assert_eq!([at(1.25, 0.5), at(1.25, 0.74), at(1.25, 0.76), at(0.0, 0.999)], [1.0, 1.0, 2.0, 0.0]);
        let cells = 4096;
        let mean =
            (0..cells).map(|k| at(1.3, uniform::<F32x16>(U32x16::splat(k << 20)).0[0])).sum::<f32>() / cells as f32;
        assert!((mean - 1.3).abs() < 1e-3);
    }

    #[test]
    fn the_unreachable_are_left_alone() {
        let nobody = Mask16([0; 16]);
        assert_eq!(contacts(F32x16::splat(3.0), F32x16::splat(0.5), nobody), F32x16::ZERO);
    }
}
