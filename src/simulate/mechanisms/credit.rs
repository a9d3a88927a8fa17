//! Credit: what a customer owes us against its limit blocks orders.
//!
//! ```text
//! owed_t    = (1 - paid) balance_{t-1}
//! room_t    = max(0, limit - owed_t - loads_t)
//! blocked_t = strictness max(0, ordered_t - room_t)
//! balance_t = owed_t + ordered_t - blocked_t + loads_t
//! ```
//!
//! all in demand units. `paid` is the share of the balance that comes in a month: one over the months from delivery to
//! payment, the days sales outstanding in months (first-order collection; a geometric form of the payment proportions of
//! Lewellen & Johnson 1972, "Better Way to Monitor Accounts Receivable", Harvard Business Review 50(3)). Steady orders of `x`
//! a month lead to a balance of `x / paid`.
//!
//! What we sell ahead is booked before orders and takes room first. What is blocked is turned away: rivals, who give credit
//! of their own, deliver it the same month ([`super::totals`]), so that what the customer buys altogether stays what it is
//! without limits, draw by draw. The number of orders stays too; they become smaller.
//!
//! A balance above the limit at the start (overdue, say) blocks orders until enough is paid. Without a limit (infinite)
//! nothing changes. Assumptions: that all pay at one pace, that payment does not depend on what is blocked, that rivals
//! always step in, and a limit that stays.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Simd};
use crate::simulate::{Agents, Attributes, Here, Mechanism, Month, Now, Territory};

/// Parameters of credit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Credit {
    /// Share of the balance that is paid in a month, 0 to 1: 1 / months of the terms.
    pub paid: f64,
    /// Part of what is beyond the limit that is blocked, 0 to 1; 1 blocks all.
    pub strictness: f64,
}

impl Credit {
    /// What is still owed of a balance after a month's payment.
    #[inline(always)]
    pub fn owed<V: Lanes>(&self, balance: V) -> V {
        V::of(1.0 - self.paid) * balance
    }

    /// What is blocked of an order.
    #[inline(always)]
    pub fn blocked<V: Lanes>(&self, ordered: V, limit: V, owed: V) -> V {
        let zero = V::of(0.0);
        let room = (limit - owed).max(zero);
        V::of(self.strictness) * (ordered - room).max(zero)
    }
}

impl Mechanism for Credit {
    /// Limits.
    type Traits = F32x16;
    /// Balances.
    type Memory = F32x16;
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        Attributes::block(&agents.more.credit_limit, range, f32::INFINITY)
    }

    fn memory(agents: &Agents, range: Range<usize>) -> F32x16 {
        Attributes::block(&agents.more.balance, range, 0.0)
    }

    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut (),
        limit: &F32x16,
        balance: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        let owed = self.owed(V::load(balance)) + now.own_loaded;
        let blocked = self.blocked(now.own, V::load(limit), owed);
        now.own = now.own - blocked;
        now.turned_away = now.turned_away + blocked;
        *balance = (owed + now.own).store();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: Credit = Credit { paid: 0.5, strictness: 1.0 };

    /// Balances and sales of a customer that orders so much every month.
    fn months(model: Credit, mut balance: f64, limit: f64, orders: &[f64]) -> Vec<(f64, f64)> {
        let month = |&ordered: &f64| {
            let owed = model.owed(balance);
            let sold = ordered - model.blocked(ordered, limit, owed);
            balance = owed + sold;
            (balance, sold)
        };
        orders.iter().map(month).collect()
    }

    #[test]
    fn hand_computed_months() {
        // Half is paid; the limit of 16 leaves 10, 16 - 5 = 11, 16 - 7.5 = 8.5 and 8 (of 10 that are ordered).
        let seen = months(MODEL, 0.0, 16.0, &[10.0; 4]);
        assert_eq!(seen, [(10.0, 10.0), (15.0, 10.0), (16.0, 8.5), (16.0, 8.0)]);
        // Half as strict: a half of what is beyond passes, and the balance rises above the limit.
        let lenient = Credit { strictness: 0.5, ..MODEL };
        assert_eq!(months(lenient, 0.0, 16.0, &[10.0; 3]), [(10.0, 10.0), (15.0, 10.0), (16.75, 9.25)]);
    }

    #[test]
    fn what_is_overdue_blocks_until_it_is_paid() {
        // 40 owed against 8: nothing at 20 and 10, then 8 - 5 = 3, 8 - 4 = 4.
        let seen = months(MODEL, 40.0, 8.0, &[6.0; 4]);
        assert_eq!(seen, [(20.0, 0.0), (10.0, 0.0), (8.0, 3.0), (8.0, 4.0)]);
    }

    #[test]
    fn a_steady_balance_is_orders_over_what_is_paid() {
        let model = Credit { paid: 0.4, strictness: 1.0 };
        let (balance, sold) = months(model, 3.0, f64::INFINITY, &[10.0; 80])[79];
        assert!((balance - 25.0).abs() < 1e-12 && sold == 10.0);
        // At a limit below it, what is sold is what is paid of the limit.
        let (balance, sold) = months(model, 3.0, 20.0, &[10.0; 80])[79];
        assert!((balance - 20.0).abs() < 1e-12 && (sold - 8.0).abs() < 1e-12);
    }
}
