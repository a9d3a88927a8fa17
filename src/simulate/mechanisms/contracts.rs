//! Contracts: nobody leaves under contract, some leave at its end.
//!
//! A contract of `m` months binds in the months `t < m` (counted from 0):
//!
//! ```text
//! churn hazard_t = 0                                  t < m            (but it may close)
//!                + -ln(1 - lost_at_end)               in the contract's last month: served no more from the next on
//! churn hazard_t = churn                              without contract
//! ```
//!
//! so that the customer is lost at the end with probability `lost_at_end` (if it does not close), a hazard that is nothing
//! but for spikes at the ends of commitments (contractual settings in discrete time; Fader & Hardie 2007, "How to Project
//! Customer Retention", Journal of Interactive Marketing 21(1); Fader & Hardie 2010, "Customer-Base Valuation in a
//! Contractual Setting", Marketing Science 29(1)). Who stays renews for `renewed_months`. Who is lost, or won later, buys
//! without contract.
//!
//! The contract that is in force at the start also fixes the price: our price moves since then do not reach the customer
//! until it ends ([`crate::simulate::Now::priced`]). A renewed one is made at the price of its time, which later moves then
//! reach (an assumption that keeps one number a customer less).

use std::ops::Range;

use crate::lanes::{F32x16, Mask as _, Simd};
use crate::simulate::{Agents, Attributes, Here, Mechanism, Month, Now, Territory};

/// Parameters of contracts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contracts {
    /// Probability that a customer is lost when its contract ends.
    pub lost_at_end: f64,
    /// Months of a renewed contract; less than 1 counts as 1.
    pub renewed_months: f64,
}

impl Contracts {
    /// The hazard at a contract's end.
    pub fn hazard_at_end(&self) -> f64 {
        // 80 is as good as certain.
        (-libm::log1p(-self.lost_at_end.clamp(0.0, 1.0))).min(80.0)
    }
}

/// Whether a contract that ends after so many months of the run binds in this month, and whether this is its last.
#[inline(always)]
pub fn binds<V: Simd>(ends: V, month: u32) -> (V::Mask, V::Mask) {
    let month = V::splat(month as f32);
    let binds = ends.greater(month);
    (binds, binds.and_not(ends.greater(month + V::splat(1.0))))
}

impl Mechanism for Contracts {
    /// Months until the contract that is in force at the start ends; 0 for none.
    type Traits = F32x16;
    /// Months from the start until the present one ends; 0 for none.
    type Memory = F32x16;
    /// The hazard at a contract's end.
    type Ground = f32;

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        Attributes::block(&agents.more.contract_months, range, 0.0)
    }

    fn memory(agents: &Agents, range: Range<usize>) -> F32x16 {
        Self::traits(agents, range)
    }

    fn ground(&self, _: &Agents, _: &Territory) -> f32 {
        self.hazard_at_end() as f32
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        at_end: &mut f32,
        first: &F32x16,
        ends: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        let (binds_now, last) = binds(V::load(ends), now.month);
        let (binds_now, last) = (binds_now.and(now.is.served), last.and(now.is.served));
        if binds_now.any() {
            now.churn = V::choose(binds_now, V::splat(0.0), now.churn);
            now.leave = now.leave + V::keep(last, V::splat(*at_end));
            let (fixed, _) = binds(V::load(first), now.month);
            now.priced = V::choose(fixed.and(now.is.served), V::splat(0.0), now.priced);
        }
    }

    #[inline(always)]
    fn close<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut f32,
        _: &F32x16,
        ends: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        let end = V::load(ends);
        let (_, last) = binds(end, now.month);
        if last.any() {
            let renewed = V::keep(now.will_be.served, end + V::of(self.renewed_months.max(1.0)));
            *ends = V::choose(last, renewed, end).store();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_binds_its_months() {
        let ends = F32x16(std::array::from_fn(|i| i as f32 * 0.5));
        // In the third month: those of more than 2 months bind, those of up to 3 for the last time.
        let (bind, last) = binds(ends, 2);
        let lanes = |mask| F32x16::count(mask).0.map(|x| x > 0.0);
        assert_eq!(lanes(bind), std::array::from_fn(|i| i > 4));
        assert_eq!(lanes(last), std::array::from_fn(|i| i == 5 || i == 6));
        assert!(!binds(F32x16::ZERO, 0).0.any());
    }

    #[test]
    fn the_end_costs_its_share() {
        let model = Contracts { lost_at_end: 0.25, renewed_months: 12.0 };
        // ln(4 / 3).
        assert!((model.hazard_at_end() - 0.287_682_072_451_780_9).abs() < 1e-12);
        assert_eq!(Contracts { lost_at_end: 1.0, ..model }.hazard_at_end(), 80.0);
        assert_eq!(Contracts { lost_at_end: 0.0, ..model }.hazard_at_end(), 0.0);
    }
}
