//! Loading: a rival sells months of demand ahead, and the customer's stock eats into later orders (sell-in is not
//! sell-out; Blattberg & Neslin 1990, "Sales Promotion", ch. 5).
//!
//! A load of depth d is `d * D_it` demand units on top of the month's orders (d in months of the customer's *whole* category
//! demand); it is booked as the rival's sale of that month. In later months customers use up what they have before they
//! order: `eaten = min(stock, D_it)`, and only `D_it - eaten` is ordered from anybody. Nothing is lost: what was loaded is
//! either eaten or still in stock.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Simd};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// What is eaten from stock this month.
#[inline(always)]
pub fn eaten<V: Lanes>(stock: V, demand: V) -> V {
    stock.min(demand)
}

/// What rivals load on top of this month's orders, with depths adding up to `depth` months.
#[inline(always)]
pub fn load<V: Lanes>(demand: V, depth: V) -> V {
    demand * depth
}

/// Loading by rivals, as the policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loading;

impl Mechanism for Loading {
    type Traits = ();
    /// Demand units in stock that rivals sold ahead.
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
        let rivals = 0..month.rivals.len().max(month.phase.rival_loading.len());
        here.loading = rivals.map(|rival| f64::from(month.rival_loading(rival))).sum::<f64>() as f32;
        here.loaded_before = if month.index == 0 { month.policy.rivals.stock } else { 0.0 };
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, _: &mut (), _: &(), stock: &mut F32x16, now: &mut Now<'_, V>) {
        let before = V::load(stock) + load(now.demand, V::splat(here.loaded_before));
        let from_stock = eaten(before, now.open);
        now.open = now.open - from_stock;
        now.loaded = load(now.demand, V::splat(here.loading));
        now.stock = before - from_stock + now.loaded;
        *stock = now.stock.store();
        now.sums.loaded = now.sums.loaded + now.loaded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_is_eaten() {
        // A load of 2.5 months at a demand of 10: the next orders are 0, 0, 5, 10.
        let mut stock = load(10.0, 2.5);
        let mut ordered = Vec::new();
        for _ in 0..4 {
            let from_stock = eaten(stock, 10.0);
            stock -= from_stock;
            ordered.push(10.0 - from_stock);
        }
        assert_eq!(ordered, [0.0, 0.0, 5.0, 10.0]);
        assert_eq!(stock, 0.0);
    }
}
