//! Orders: what is bought of us and of the rivals in a month, in whole orders of `order_unit` demand units.
//!
//! `own = unit * Poisson(demand * share / unit)`, `rivals = unit * Poisson(demand * (1 - share) / unit)`, independent:
//! a Poisson stream of orders of which each comes to us with probability `share` (thinning; Kingman 1993, "Poisson
//! Processes", section 5.1). Variance over mean is `unit`. Of several products of ours each has its own stream, thinned once
//! more by its share of our orders. The rivals' orders of a territory are split among companies by
//! expected shares, in proportion to `rival_k exp(push_k)`: no customer's own rival is drawn.

use std::ops::Range;

use crate::lanes::{Lanes, Simd};
use crate::rng::{Purpose, normal_each, poisson, poisson_each_of_one, uniform};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, PRODUCTS, Territory};

use super::order_sizes::OrderSizes;

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

/// All orders of a month, of us by product and of rivals, where we may have several products and orders sizes of their own;
/// with one product and no sizes it is [`OwnOrders`] and [`RivalOrders`], bit for bit.
///
/// Product p has `Poisson(mean * share_p)` orders, each with its own word: what is done to one product moves no other's luck.
/// When all that changes the month's orders has had its turn (sizes, promotions, credit), what a customer ordered is split
/// among products by its numbers of orders, or by expected shares where it has none, so that products sum to our sales.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orders {
    /// Mean demand units of one order.
    pub unit: f64,
    /// How orders of this mean scatter.
    pub sizes: Option<OrderSizes>,
}

impl Orders {
    /// The numbers of orders from us by product and from rivals, which depend on each other nowhere: worked out in turns.
    #[inline(always)]
    fn numbers<V: Simd>(own: V, others: V, here: &Here, now: &Now<'_, V>) -> ([V; PRODUCTS], V) {
        let [first, second, third, fourth] = now.group(Purpose::Product0.group());
        let rivals = now.uniform(Purpose::RivalOrders);
        let uniforms = [uniform(first), uniform(second), uniform(third), uniform(fourth), rivals];
        let mut means = [others; PRODUCTS + 1];
        // Loops: closures would be compiled for the default instruction set.
        for (mean, share) in means.iter_mut().zip(here.product_shares) {
            *mean = own * V::splat(share);
        }
        let mut numbers = means;
        if V::TOGETHER > 1 {
            numbers = poisson_each_of_one(uniforms, means);
        } else {
            for ((number, uniform), mean) in numbers.iter_mut().zip(uniforms).zip(means) {
                *number = poisson(uniform, mean);
            }
        }
        let [first, second, third, fourth, rivals] = numbers;
        ([first, second, third, fourth], rivals)
    }
}

impl Mechanism for Orders {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    // Words of products are `Products`'.
    const DRAWS: u64 =
        OwnOrders::DRAWS | RivalOrders::DRAWS | 1 << Purpose::OwnOrderSize as u64 | 1 << Purpose::RivalOrderSize as u64;
    const DRAWS_AHEAD: bool = OwnOrders::DRAWS_AHEAD;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, _: &Month<'_>, (): &mut (), here: &mut Here) {
        here.sized = self.sizes.is_some();
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, (): &mut (), (): &(), (): &mut (), now: &mut Now<'_, V>) {
        now.draw_ahead::<0>();
        let (own, others) = means(now.open, now.share, self.unit);
        // With a share of 1 rounding may leave the rivals a mean just below 0.
        let others = others.max(V::splat(0.0));
        let rivals;
        if here.products > 1 {
            (now.product_counts, rivals) = Self::numbers(own, others, here, now);
            let [first, second, third, fourth] = now.product_counts;
            now.own_count = first + second + third + fourth;
        } else {
            now.own_count = poisson(now.uniform(Purpose::OwnOrders), own);
            rivals = poisson(now.uniform(Purpose::RivalOrders), others);
        }
        now.own = V::of(self.unit) * now.own_count;
        now.others = V::of(self.unit) * rivals;
        if let Some(sizes) = &self.sizes {
            let normals = match now.size_normals {
                Some(normals) => normals,
                None => normal_each(now.uniforms_of_sizes()),
            };
            now.own = now.own * sizes.relative(normals[0], now.own_count);
            now.others = now.others * sizes.relative(normals[1], rivals);
        }
    }

    #[inline(always)]
    fn close<V: Simd>(&self, _: &Month<'_>, here: &Here, (): &mut (), (): &(), (): &mut (), now: &mut Now<'_, V>) {
        if here.products <= 1 {
            return;
        }
        let some = now.own_count.greater(V::splat(0.0));
        let each = now.own / now.own_count.max(V::splat(1.0));
        let counts = now.product_counts.iter().zip(here.product_shares).zip(now.product_sums.iter_mut());
        for ((&count, share), sum) in counts {
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
        here.rivals = attraction(month.rivals, |rival| month.rival_push(rival)) as f32;
        here.own_push += month.phase.own_push;
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}

/// The attraction of one rival from its weight and push (log odds).
fn pushed(weight: f64, push: f32) -> f64 {
    if push == 0.0 { weight } else { weight * libm::exp(f64::from(push)) }
}

/// The rivals' attraction together, `push` giving each one's. Without rivals in the data there is one nameless other of attraction 1.
pub fn attraction(weights: &[f64], push: impl Fn(usize) -> f32) -> f64 {
    let sum: f64 = weights.iter().enumerate().map(|(k, &weight)| pushed(weight, push(k))).sum();
    if sum > 0.0 { sum } else { 1.0 }
}

/// Each rival's part of the rivals' orders.
pub fn parts(weights: &[f64], push: impl Fn(usize) -> f32, parts: &mut Vec<f64>) {
    parts.clear();
    parts.extend(weights.iter().enumerate().map(|(k, &weight)| pushed(weight, push(k))));
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
        assert!((attraction(&weights, |k| push[k]) - 1.25).abs() < 1e-7);
        let mut split = Vec::new();
        parts(&weights, |k| push[k], &mut split);
        assert!((split[0] - 0.6).abs() < 1e-7 && (split[1] - 0.4).abs() < 1e-7);
        assert_eq!(attraction(&[], |_| 0.0), 1.0);
        parts(&[], |_| 0.0, &mut split);
        assert!(split.is_empty());
    }
}
