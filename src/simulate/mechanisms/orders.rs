//! Orders: what is bought of us and of the rivals in a month, in whole orders of `order_unit` demand units.
//!
//! `own = unit * Poisson(demand * share / unit)`, `rivals = unit * Poisson(demand * (1 - share) / unit)`, independent:
//! a Poisson stream of orders of which each comes to us with probability `share` (thinning; Kingman 1993, "Poisson
//! Processes", section 5.1). Variance over mean is `unit`. Of several products of ours each has its own stream, thinned once
//! more by its share of our orders. The rivals' orders of a territory are split among companies by
//! expected shares, in proportion to `rival_k exp(push_k)`: no customer's own rival is drawn.

use std::ops::Range;

use crate::lanes::{Lanes, Mask as _, Simd};
use crate::rng::{Purpose, poisson, uniform};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, PRODUCTS, Territory};

/// Means of the numbers of orders that come to us and to the rivals.
#[inline(always)]
pub fn means<V: Lanes>(demand: V, share: V, unit: f64) -> (V, V) {
    let all = demand * V::of(1.0 / unit);
    let own = all * share;
    (own, all - own)
}

/// Orders from us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnOrders {
    /// Demand units of one order.
    pub unit: f64,
}

impl Mechanism for OwnOrders {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 1 << Purpose::OwnOrders as u64;
    // Here the processor would wait for the share.
    const DRAWS_AHEAD: bool = true;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), now: &mut Now<'_, V>) {
        now.draw_ahead::<0>();
        let (own, _) = means(now.open, now.share, self.unit);
        now.own_count = poisson(now.uniform(Purpose::OwnOrders), own);
        now.own = V::of(self.unit) * now.own_count;
    }
}

/// Orders from us where we may have several products; with one it is [`OwnOrders`], bit for bit.
///
/// Product p has `Poisson(mean * share_p)` orders, each with its own word: what is done to one product moves no other's luck.
/// When all that changes the month's orders has had its turn (sizes, promotions, credit), what a customer ordered is split
/// among products by its numbers of orders, or by expected shares where it has none, so that products sum to our sales.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProductOrders {
    /// Demand units of one order.
    pub unit: f64,
}

impl Mechanism for ProductOrders {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = OwnOrders::DRAWS;
    const DRAWS_AHEAD: bool = OwnOrders::DRAWS_AHEAD;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, month: &Month<'_>, here: &Here, (): &mut (), (): &(), (): &mut (), now: &mut Now<'_, V>) {
        if here.products <= 1 {
            return OwnOrders { unit: self.unit }.step(month, here, &mut (), &(), &mut (), now);
        }
        now.draw_ahead::<0>();
        let (own, _) = means(now.open, now.share, self.unit);
        now.product_counts = [V::splat(0.0); PRODUCTS];
        now.own_count = V::splat(0.0);
        if own.greater(V::splat(0.0)).any() {
            let words = now.group(Purpose::Product0.group());
            let counts = now.product_counts.iter_mut().zip(words).zip(here.product_shares);
            for ((count, word), share) in counts.take(here.products as usize) {
                *count = poisson(uniform(word), own * V::splat(share));
                now.own_count = now.own_count + *count;
            }
        }
        now.own = V::of(self.unit) * now.own_count;
    }

    #[inline(always)]
    fn close<V: Simd>(&self, _: &Month<'_>, here: &Here, (): &mut (), (): &(), (): &mut (), now: &mut Now<'_, V>) {
        if here.products <= 1 {
            return;
        }
        let some = now.own_count.greater(V::splat(0.0));
        let each = now.own / now.own_count.max(V::splat(1.0));
        let counts = now.product_counts.iter().zip(here.product_shares).zip(now.product_sums.iter_mut());
        for ((&count, share), sum) in counts.take(here.products as usize) {
            let sales = V::choose(some, each * count, now.own * V::splat(share));
            *sum = (V::load(sum) + sales).store();
        }
    }
}

/// Orders from the rivals together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RivalOrders {
    /// Demand units of one order.
    pub unit: f64,
}

impl Mechanism for RivalOrders {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 1 << Purpose::RivalOrders as u64;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), now: &mut Now<'_, V>) {
        let (_, others) = means(now.open, now.share, self.unit);
        // With a share of 1 rounding may leave the rivals a mean just below 0.
        now.others = V::of(self.unit) * poisson(now.uniform(Purpose::RivalOrders), others.max(V::splat(0.0)));
    }
}

/// What rivals do of themselves and by the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rivals;

impl Mechanism for Rivals {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        let push = month.phase.rival_push.get(month.territory).map_or(&[][..], Vec::as_slice);
        here.rivals = attraction(month.rivals, push) as f32;
        here.own_push += month.phase.own_push;
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}

/// The attraction of one rival from its weight and push (log odds; those missing count as 0).
fn pushed(weight: f64, push: Option<&f32>) -> f64 {
    match push {
        Some(&push) if push != 0.0 => weight * libm::exp(f64::from(push)),
        _ => weight,
    }
}

/// The rivals' attraction together. Without rivals in the data there is one nameless other of attraction 1.
pub fn attraction(weights: &[f64], push: &[f32]) -> f64 {
    let sum: f64 = weights.iter().enumerate().map(|(k, &weight)| pushed(weight, push.get(k))).sum();
    if sum > 0.0 { sum } else { 1.0 }
}

/// Each rival's part of the rivals' orders.
pub fn parts(weights: &[f64], push: &[f32], parts: &mut Vec<f64>) {
    parts.clear();
    parts.extend(weights.iter().enumerate().map(|(k, &weight)| pushed(weight, push.get(k))));
    let sum: f64 = parts.iter().sum();
    if sum > 0.0 {
        parts.iter_mut().for_each(|part| *part /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_add_up() {
        // 12 units in orders of 4, a quarter of them ours.
        assert_eq!(means(12.0, 0.25, 4.0), (0.75, 2.25));
    }

    #[test]
    fn pushes_shift_the_split() {
        let (weights, push) = ([0.75, 0.25], [0.0, std::f32::consts::LN_2]);
        assert!((attraction(&weights, &push) - 1.25).abs() < 1e-7);
        let mut split = Vec::new();
        parts(&weights, &push, &mut split);
        assert!((split[0] - 0.6).abs() < 1e-7 && (split[1] - 0.4).abs() < 1e-7);
        assert_eq!(attraction(&[], &[]), 1.0);
        parts(&[], &[], &mut split);
        assert!(split.is_empty());
    }
}
