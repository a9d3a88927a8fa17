//! Complaints: served customers whose goodwill suffers.
//!
//! A customer that we serve complains in a month with the chance `1 - exp(-(hazard + shortage * (1 - availability)))`:
//! hazards a month add up (what always goes wrong, and orders that we could not fill). A complaint takes `harm` log
//! odds off goodwill in the same month, and the loss fades as goodwill does: by `decay` a month.
//!
//! Complaints make customers buy less and leave, and unless another follows soon the relationship returns to what it
//! was (Knox & van Oest 2014, "Customer Complaints and Recovery Effectiveness: A Customer Base Approach", Journal of
//! Marketing 78(5)); unfilled orders are a service failure as any other (Fitzsimons 2000, "Consumer Response to
//! Stockouts", Journal of Consumer Research 27(2)).
//!
//! What customers think of us today holds today's complaints already, so what acts is the departure from the mean:
//! goodwill changes by `-harm * (complained - chance at full availability)`, whose mean is 0 while all orders are
//! filled.
//!
//! Assumptions: large and small customers complain alike; one complaint a month at most; complaints do not follow from
//! one another; a complaint makes a customer buy less and harder to win back, and moves none to stop altogether.

use std::ops::Range;

use crate::lanes::{Lanes, Mask as _, Simd};
use crate::rng::{Purpose, bernoulli};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Complaints: served customers whose goodwill suffers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complaints {
    /// Hazard a month of a served customer to complain while all its orders are filled.
    pub hazard: f64,
    /// Hazard a month on top where no order could be filled.
    pub shortage: f64,
    /// Log odds of choosing us that a complaint takes away at once (it fades with goodwill).
    pub harm: f64,
}

impl Complaints {
    /// Chance of a served customer to complain in a month, given the share of orders that can be filled.
    pub fn chance(&self, availability: f64) -> f64 {
        let hazard = self.hazard + self.shortage * (1.0 - availability).max(0.0);
        -libm::expm1(-hazard)
    }

    /// The same in lanes.
    #[inline(always)]
    pub fn chance_in_lanes<V: Simd>(&self, availability: f32) -> V {
        let short = V::splat((1.0 - availability).max(0.0));
        (V::of(self.hazard) + V::of(self.shortage) * short).chance()
    }

    /// Log odds that a month's complaints (1 or 0) take off goodwill, beyond what they always do.
    #[inline(always)]
    pub fn loss<V: Lanes>(&self, complaints: V, usual: V) -> V {
        V::of(self.harm) * (complaints - usual)
    }
}

impl Mechanism for Complaints {
    type Traits = ();
    type Memory = ();
    /// Chances at full availability, and at this month's.
    type Ground = [f32; 2];

    const DRAWS: u64 = 1 << Purpose::Complaint as u64;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) -> [f32; 2] {
        [self.chance(1.0) as f32; 2]
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        here: &Here,
        chances: &mut [f32; 2],
        _: &(),
        _: &mut (),
        now: &mut Now<'_, V>,
    ) {
        // Here and not in `here`, because availability is settled when all mechanisms have seen the territory.
        if now.block == 0 {
            chances[1] = self.chance_in_lanes::<V>(here.availability).store().0[0];
        }
        let [usual, chance] = *chances;
        let served = now.is.served;
        if !served.any() {
            return;
        }
        let chance = V::keep(served, V::splat(chance));
        let complaints = V::count(bernoulli(now.uniform_of_chance(Purpose::Complaint), chance));
        now.harm = now.harm + V::keep(served, self.loss(complaints, V::splat(usual)));
        now.sums.complaints = now.sums.complaints + complaints;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::F32x16;

    #[test]
    fn hand_computed_complaints() {
        let model = Complaints { hazard: 0.02, shortage: 0.5, harm: 0.4 };
        // Half of the orders filled: 1 - exp(-(0.02 + 0.25)).
        assert!((model.chance(0.5) - 0.236_620_505_663_146_9).abs() < 1e-12);
        assert!((model.chance(1.0) - 0.019_801_326_693_244_7).abs() < 1e-12);
        for availability in [0.0_f32, 0.5, 0.97, 1.0] {
            let lanes: F32x16 = model.chance_in_lanes(availability);
            assert!((f64::from(lanes.0[2]) - model.chance(f64::from(availability))).abs() < 1e-7);
        }
        // No fewer than always, however much there is.
        assert_eq!(model.chance(1.5), model.chance(1.0));
        // A complaint where one in four is usual, and none.
        assert!((model.loss(1.0_f64, 0.25) - 0.3).abs() < 1e-12);
        assert!((model.loss(0.0_f64, 0.25) + 0.1).abs() < 1e-12);
    }

    #[test]
    fn the_mean_loss_is_none_while_all_is_filled() {
        let model = Complaints { hazard: 0.3, shortage: 0.5, harm: 0.4 };
        let chance = model.chance(1.0);
        assert!((chance * model.loss(1.0, chance) + (1.0 - chance) * model.loss(0.0, chance)).abs() < 1e-12);
    }
}
