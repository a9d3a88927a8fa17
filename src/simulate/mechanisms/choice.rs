//! Choice: the share of a customer's category demand that comes to us.
//!
//! Multinomial logit (McFadden 1974) among us and the rivals: with the rivals' attraction scaled to
//! `sum_k rival_k * exp(pulse_k)` (weights `rival_k` sum to 1, pulses are campaigns and prices of the month),
//! `share = exp(appeal + goodwill) / (exp(appeal + goodwill) + rivals)`.
//!
//! `appeal` is therefore the log odds of us against all others together at zero goodwill in a month without pulses.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Mask as _, Simd};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Our share given our utility and the rivals' attraction (1 in a month without pulses).
#[inline(always)]
pub fn share<V: Lanes>(utility: V, rivals: V) -> V {
    let attraction = utility.exp();
    attraction / (attraction + rivals)
}

/// The appeal at which a customer with this goodwill gives us `share`, in a month without pulses.
///
/// `share` is kept within (1e-6, 1 - 1e-3): a customer that buys everything from us today may buy elsewhere tomorrow.
pub fn appeal(share: f64, goodwill: f64) -> f64 {
    let share = share.clamp(1e-6, 1.0 - 1e-3);
    libm::log(share / (1.0 - share)) - goodwill
}

/// The choice of those who buy from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice;

impl Mechanism for Choice {
    /// Appeals.
    type Traits = F32x16;
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        F32x16::load_slice(&agents.appeal[range], 0.0)
    }
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, _: &mut (), appeal: &F32x16, _: &mut (), now: &mut Now<'_, V>) {
        if now.buys.any() {
            let utility = V::load(appeal) + now.goodwill + V::splat(here.own_push) + now.utility;
            now.share = V::keep(now.buys, share(utility, V::splat(here.rivals)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_logit() {
        // ln 3 against 1: 3 / 4. A rival pulse of ln 2 doubles the others: 3 / 5.
        let three = 3.0_f64.ln();
        assert!((share(three, 1.0) - 0.75).abs() < 1e-12);
        assert!((share(three, 2.0) - 0.6).abs() < 1e-12);
    }

    #[test]
    fn appeal_inverts_share() {
        for wanted in [0.01, 0.3, 0.9] {
            assert!((share(appeal(wanted, 0.4) + 0.4, 1.0) - wanted).abs() < 1e-12);
        }
    }
}
