//! Our own loading: months of a customer's demand sold ahead at a period's end. What goes in is not what goes out
//! (sell-in, sell-out; Blattberg & Neslin 1990, "Sales Promotion", ch. 5; Lee, Padmanabhan & Whang 1997, "Information
//! distortion in a supply chain: the bullwhip effect", Management Science).
//!
//! With `O` what a customer would order of the category this month, `s` our share of it, and `Q` its stock of ours (all
//! in demand units but s):
//!
//! 1. It uses its stock before it orders: `eaten = min(Q, O (s + blocking (1 - s)))`. Of what the stock stands in for,
//!    the part `s / (s + blocking (1 - s))` would have come to us and the rest gone to rivals. With `blocking = 0` a
//!    load only brings our own sales forward; with `blocking = 1` it keeps rivals out as theirs keep us out
//!    ([`super::loading`]). A customer that has left us uses what it has for any of its demand.
//! 2. We sell `acceptance * depth * O' s'` ahead, depth in months of what it still orders from us: who is full takes no
//!    more. What a promotion brings forward is laid in beside it ([`super::promotion`]).
//! 3. `Q' = Q - eaten + sold ahead`. Nothing is lost: sell-in less sell-out is the stock. What a closed customer held
//!    stays in that sum, sold and never used.
//!
//! Assumed: a load comes in after the month's use; a stock of ours is used before a rival's, which may stand in for
//! more. Nothing is in stock at the start: what was loaded in the past is part of the level that `appeal` was
//! calibrated to.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Mask as _, Simd};
use crate::simulate::{Agents, Further, Here, Mechanism, Month, Now, Territory};

/// Parameters of our own loading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnLoading {
    /// Part of the offered load that customers take, 0 to 1.
    pub acceptance: f64,
    /// Part of what a customer would order from rivals that a stock of ours stands in for too, 0 to 1.
    pub blocking: f64,
}

/// A month's orders when a stock of ours has been used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used<V> {
    /// What it still orders of the category, and our share of that.
    pub open: V,
    pub share: V,
    pub eaten: V,
}

/// Uses a stock of ours.
#[inline(always)]
pub fn used<V: Lanes>(stock: V, open: V, share: V, blocking: V) -> Used<V> {
    let (zero, one) = (V::of(0.0), V::of(1.0));
    // Stands for nothing, where one divides by it.
    let tiny = V::of(1e-30);
    let own = open * share;
    let reach = own + (open - own) * blocking;
    let eaten = stock.min(reach);
    let own = own * (one - eaten / reach.max(tiny));
    let open = (open - eaten).max(zero);
    Used { open, share: (own / open.max(tiny)).min(one), eaten }
}

impl OwnLoading {
    /// Who keeps the stock: also a promotion alone fills one, which then only stands in for orders from us.
    pub fn of(more: &Further) -> Option<Self> {
        more.own_loading.or(more.promotion.map(|_| Self { acceptance: 0.0, blocking: 0.0 }))
    }
}

impl Mechanism for OwnLoading {
    type Traits = ();
    /// Demand units in stock that we sold ahead.
    type Memory = F32x16;
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) -> F32x16 {
        F32x16::ZERO
    }
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        here.own_loading = (self.acceptance * f64::from(month.moves().loading)).max(0.0) as f32;
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, _: &mut (), _: &(), stock: &mut F32x16, now: &mut Now<'_, V>) {
        now.own_stock = V::load(stock);
        let has = now.own_stock.greater(V::splat(0.0));
        if has.any() {
            let blocking = V::choose(now.buys, V::of(self.blocking), V::splat(1.0));
            let used = used(now.own_stock, now.open, now.share, blocking);
            now.open = V::choose(has, used.open, now.open);
            now.share = V::choose(has, used.share, now.share);
            now.own_eaten = V::keep(has, used.eaten);
            now.own_stock = now.own_stock - now.own_eaten;
        }
        if here.own_loading > 0.0 {
            now.own_loaded = now.open * now.share * V::splat(here.own_loading);
        }
    }

    #[inline(always)]
    fn close<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), stock: &mut F32x16, now: &mut Now<'_, V>) {
        now.own_stock = now.own_stock + now.own_loaded;
        *stock = now.own_stock.store();
        now.sums.own_loaded = now.sums.own_loaded + now.own_loaded;
        now.sums.own_eaten = now.sums.own_eaten + now.own_eaten;
        now.sums.own_stock = now.sums.own_stock + now.own_stock;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_stands_in_for_our_orders() {
        // 10 a month, 4 from us. 3 in stock: 1 is ordered from us and 6 from rivals.
        let month = used(3.0, 10.0, 0.4, 0.0);
        assert_eq!((month.eaten, month.open), (3.0, 7.0));
        assert!((month.open * month.share - 1.0_f64).abs() < 1e-12);
        // 5 in stock: no more than 4 of it, and only rivals get orders.
        assert_eq!(used(5.0, 10.0, 0.4, 0.0), Used { open: 6.0, share: 0.0, eaten: 4.0 });
    }

    #[test]
    fn and_for_those_of_rivals_as_far_as_it_blocks_them() {
        // 4 from us and half of 6 from rivals are in reach: 3.5 is half of it, so 2 is left to us and 4.5 to rivals.
        let month = used(3.5, 10.0, 0.4, 0.5);
        assert_eq!((month.eaten, month.open), (3.5, 6.5));
        assert!((month.open * month.share - 2.0_f64).abs() < 1e-12);
        // All of it: 12 in stock feed the whole month.
        assert_eq!(used(12.0, 10.0, 0.4, 1.0), Used { open: 0.0, share: 0.0, eaten: 10.0 });
    }

    #[test]
    fn nothing_of_nothing() {
        assert_eq!(used(2.0, 0.0, 0.0, 1.0), Used { open: 0.0, share: 0.0, eaten: 0.0 });
        assert_eq!(used(2.0, 10.0, 0.0, 0.0), Used { open: 10.0, share: 0.0, eaten: 0.0 });
    }

    #[test]
    fn what_is_loaded_is_eaten() {
        // A load of 2.5 months of 4: orders from us are then 0, 0, 2, 4, and rivals keep their 6.
        let (mut stock, mut orders) = (10.0, Vec::new());
        for _ in 0..4 {
            let month = used(stock, 10.0, 0.4, 0.0);
            stock -= month.eaten;
            orders.push(month.open * month.share);
            assert!((month.open * (1.0 - month.share) - 6.0).abs() < 1e-12);
        }
        for (order, wanted) in orders.into_iter().zip([0.0, 0.0, 2.0, 4.0]) {
            assert!((order - wanted).abs() < 1e-12_f64);
        }
        assert!(stock.abs() < 1e-12);
    }

    #[test]
    fn lanes_and_doubles_agree() {
        for k in 0..100 {
            let [stock, open, share, blocking] = [0.11 * f64::from(k), 5.0, 0.01 * f64::from(k), 0.3];
            let lanes = used(F32x16::of(stock), F32x16::of(open), F32x16::of(share), F32x16::of(blocking));
            let double = used(stock, open, share, blocking);
            for (lanes, double) in [(lanes.open, double.open), (lanes.share, double.share), (lanes.eaten, double.eaten)]
            {
                assert!((f64::from(lanes.0[3]) - double).abs() < 1e-5, "{k}: {} {double}", lanes.0[3]);
            }
        }
    }
}
