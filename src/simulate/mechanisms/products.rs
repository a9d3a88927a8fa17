//! Several products of ours, with their own utilities and cross effects.
//!
//! Nested logit (McFadden 1978, "Modelling the choice of residential location", in Karlqvist et al., "Spatial Interaction
//! Theory and Planning Models", 75-96; Train 2009, "Discrete Choice Methods with Simulation", ch. 4): our products are one
//! nest against the rivals. With s_p the share of product p of our sales today, v_p the log odds that it has gained since
//! and λ the nest,
//!
//! * share of our orders `s'_p = s_p exp(v_p / λ) / sum_q s_q exp(v_q / λ)`;
//! * our utility gains `λ ln sum_q s_q exp(v_q / λ)` ([`Here::own_push`]): the change of the inclusive value.
//!
//! With λ = 1 a product that loses sales loses them to all others by their shares, ours and the rivals' (multinomial logit);
//! the nearer λ is to 0, the more of them stay with us (cannibalisation, where a product gains). A push v on all of them gains
//! exactly v. Levels are today's: without pushes nothing changes.
//!
//! A product that is not sold today (s_p = 0) has attraction `exp(v_p / λ) - 1` instead, 0 for v_p <= 0: launched alone it gains
//! us exactly v_p, of which it takes `1 - exp(-v_p / λ)` of our orders.
//!
//! `v_p = push_p + sum_q cross_pq (s'_q of last month - s_q)`: what the policy does to it ([`Moves::product_push`]), and
//! complements and substitutes beyond the nest: products that are used together draw each other along. *Expected* shares
//! are fed back, not those that chance made: they are the same for all territories that do the same, a territory of few
//! orders does not mistake luck for a trend, and paired runs differ by what strategies do. This feedback is an assumption
//! (state dependence of a market, with a month's delay). It settles as long as `|cross| < 4 λ` for each product's effect on
//! itself; beyond that shares may tip over, but stay shares.
//!
//! All customers see the products alike (assumption). Orders of a product are Poisson numbers of their own
//! ([`super::orders::Orders`]), as a thinned stream has them.

use std::ops::Range;

use crate::lanes::Simd;
use crate::rng::Purpose;
#[cfg(doc)]
use crate::simulate::Moves;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, PRODUCTS, Territory};

/// Several products of ours, with their own utilities and cross effects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Products {
    /// Products in use, 1 to [`PRODUCTS`].
    pub count: usize,
    /// Shares of our sales today; those in use sum to 1, 0 for one that is yet to be launched.
    pub shares: [f64; PRODUCTS],
    /// Log odds that product p gains per unit of the share that product q has gained: complements above 0, substitutes
    /// below. `[p][q]`.
    pub cross: [[f64; PRODUCTS]; PRODUCTS],
    /// How much our products compete with each other more than with rivals: 1 not at all, 0 entirely (nested logit).
    pub nest: f64,
}

/// Smaller nests count as this one.
const LEAST_NEST: f64 = 0.01;

impl Products {
    /// Products in use.
    fn used(&self) -> usize {
        self.count.clamp(1, PRODUCTS)
    }

    /// Shares today: 0 beyond those in use, summing to 1.
    pub fn today(&self) -> [f64; PRODUCTS] {
        let mut shares = [0.0; PRODUCTS];
        let used = self.used();
        shares[..used].copy_from_slice(&self.shares[..used]);
        let sum: f64 = shares.iter().sum();
        if sum > 0.0 { shares.map(|share| share / sum) } else { [1.0, 0.0, 0.0, 0.0] }
    }

    /// What our utility gains and each product's share of our orders, from the log odds that products have gained.
    pub fn choice(&self, gained: &[f64; PRODUCTS]) -> (f64, [f64; PRODUCTS]) {
        let nest = self.nest.clamp(LEAST_NEST, 1.0);
        let today = self.today();
        let used = self.used();
        let sold = |p: usize| today[p] > 0.0 || (p < used && gained[p] > 0.0);
        // The largest is taken out of the sum, so that no push overflows.
        let most = (0..PRODUCTS).filter(|&p| sold(p)).map(|p| gained[p]).fold(f64::NEG_INFINITY, f64::max);
        let mut weights = [0.0; PRODUCTS];
        for p in (0..PRODUCTS).filter(|&p| sold(p)) {
            let attraction = libm::exp((gained[p] - most) / nest);
            weights[p] = if today[p] > 0.0 { today[p] * attraction } else { attraction - libm::exp(-most / nest) };
        }
        let (sum, before): (f64, f64) = (weights.iter().sum(), today.iter().sum());
        // Over the sum of today's shares, which rounding may leave beside 1: without pushes exactly nothing is gained.
        (most + nest * libm::log(sum / before), weights.map(|weight| weight / sum))
    }

    /// What products have gained: by pushes, and by the shares of last month.
    pub fn gained(&self, push: &[f32; PRODUCTS], last: &[f64; PRODUCTS]) -> [f64; PRODUCTS] {
        let today = self.today();
        std::array::from_fn(|p| {
            let drawn: f64 = (0..PRODUCTS).map(|q| self.cross[p][q] * (last[q] - today[q])).sum();
            f64::from(push[p]) + drawn
        })
    }
}

impl Mechanism for Products {
    type Traits = ();
    type Memory = ();
    /// Expected shares of the products last month.
    type Ground = [f64; PRODUCTS];

    // Drawn by `Orders`, which also runs where we have but one product and draws none of them.
    const DRAWS: u64 = 0b1111 << Purpose::Product0 as u64;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) -> [f64; PRODUCTS] {
        self.choice(&[0.0; PRODUCTS]).1
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, last: &mut [f64; PRODUCTS], here: &mut Here) {
        let (gain, shares) = self.choice(&self.gained(&month.moves().product_push, last));
        *last = shares;
        here.products = self.used() as u32;
        here.product_shares = shares.map(|share| share as f32);
        here.own_push += gain as f32;
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut [f64; PRODUCTS],
        (): &(),
        (): &mut (),
        _: &mut Now<'_, V>,
    ) {
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LN2: f64 = std::f64::consts::LN_2;

    fn products(nest: f64) -> Products {
        Products { count: 2, shares: [0.6, 0.4, 0.0, 0.0], cross: [[0.0; PRODUCTS]; PRODUCTS], nest }
    }

    fn near(one: [f64; PRODUCTS], other: [f64; PRODUCTS]) -> bool {
        one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn hand_computed_shares() {
        // A loses ln 2. Nest 1: weights 0.3 and 0.4, we lose ln 0.7. Nest 1/2: 0.15 and 0.4, we lose half of ln 0.55.
        let push = [-LN2, 0.0, 0.0, 0.0];
        let (gain, shares) = products(1.0).choice(&push);
        assert!((gain - libm::log(0.7)).abs() < 1e-12 && near(shares, [3.0 / 7.0, 4.0 / 7.0, 0.0, 0.0]));
        let (gain, shares) = products(0.5).choice(&push);
        assert!((gain - 0.5 * libm::log(0.55)).abs() < 1e-12 && near(shares, [3.0 / 11.0, 8.0 / 11.0, 0.0, 0.0]));
    }

    #[test]
    fn without_pushes_nothing_changes_and_one_push_for_all_is_our_push() {
        let three = Products { count: 3, shares: [0.1, 0.2, 0.7, 0.0], ..products(0.3) };
        for model in [products(0.3), three] {
            let (gain, shares) = model.choice(&[0.0; PRODUCTS]);
            assert_eq!(gain, 0.0);
            assert!(near(shares, model.today()));
            let (gain, shares) = model.choice(&[0.4; PRODUCTS]);
            assert!((gain - 0.4).abs() < 1e-12 && near(shares, model.today()));
        }
    }

    #[test]
    fn a_launch_gains_its_push() {
        // Alone: ln 2 is gained, and at nest 1 half of our orders are the newcomer's; at nest 1/2 three quarters.
        for (nest, share) in [(1.0, 0.5), (0.5, 0.75)] {
            let model = Products { count: 3, ..products(nest) };
            let (gain, shares) = model.choice(&[0.0, 0.0, LN2, 0.0]);
            assert!((gain - LN2).abs() < 1e-12, "{gain}");
            assert!(near(shares, [0.6 * (1.0 - share), 0.4 * (1.0 - share), share, 0.0]), "{shares:?}");
            assert_eq!(model.choice(&[0.0, 0.0, -1.0, 0.0]), model.choice(&[0.0; PRODUCTS]));
        }
        // Not in use: no push launches it.
        assert_eq!(products(1.0).choice(&[0.0, 0.0, LN2, 0.0]).0, 0.0);
    }

    #[test]
    fn extremes_stay_numbers() {
        let model = products(0.0);
        for push in [[1e9; PRODUCTS], [-1e9; PRODUCTS], [1e9, -1e9, 1e9, 0.0]] {
            let (gain, shares) = model.choice(&push);
            assert!(gain.is_finite() && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{gain} {shares:?}");
        }
        let none = Products { count: 0, shares: [0.0; PRODUCTS], ..model };
        assert_eq!(none.choice(&[0.0; PRODUCTS]), (0.0, [1.0, 0.0, 0.0, 0.0]));
    }

    #[test]
    fn complements_draw_each_other_along() {
        let mut model = products(1.0);
        model.cross[0][1] = 2.0;
        // B has gained 0.1 of our orders: A gains 0.2 log odds.
        let gained = model.gained(&[0.0; PRODUCTS], &[0.5, 0.5, 0.0, 0.0]);
        assert!(near(gained, [0.2, 0.0, 0.0, 0.0]));
    }
}
