//! Price: a change of ours against today.
//!
//! `utility -= effect * sensitivity * ln(price / today's price)`, the multinomial logit with the log of price (McFadden
//! 1974; Guadagni & Little 1983, Marketing Science). A customer's category demand does not move with our price, so the
//! elasticity of what it buys from us is that of its share: `-effect * sensitivity * (1 - share)` ([`elasticity`]).
//!
//! Published elasticities have a mean of -2.62 (1851 of them in 81 studies of consumer goods; Bijmolt, van Heerde &
//! Pieters 2005, "New empirical generalizations on the determinants of price elasticity", Journal of Marketing
//! Research); one that was found at a share s makes an effect of `-elasticity / (1 - s)` ([`effect`]). That trade
//! customers are as sensitive is an assumption. Who has not bought from us yet does not see the price: winning
//! depends on goodwill alone.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Simd};
use crate::simulate::{Agents, Attributes, Here, Mechanism, Month, Now, Territory};

/// Relative change of what a customer buys from us per relative change of our price, at this share (negative).
pub fn elasticity(effect: f64, share: f64) -> f64 {
    -effect * (1.0 - share)
}

/// The effect behind an elasticity that was found at a share. Shares count as 0.99 at most: who buys everything from us
/// says nothing about prices.
pub fn effect(elasticity: f64, share: f64) -> f64 {
    -elasticity / (1.0 - share.clamp(0.0, 0.99))
}

/// Log odds of choosing us that a price change costs: `effect` times the change of log price, times the sensitivity.
#[inline(always)]
pub fn cost<V: Lanes>(effect_of_change: V, sensitivity: V) -> V {
    effect_of_change * sensitivity
}

/// Price: a change of ours against today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Log odds lost by one unit of log price, at a price sensitivity of 1.
    pub effect: f64,
}

impl Mechanism for Price {
    /// Sensitivities.
    type Traits = F32x16;
    type Memory = ();
    /// Log odds that the month's price costs at a sensitivity of 1.
    type Ground = f32;

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        Attributes::block(&agents.more.price_sensitivity, range, 1.0)
    }
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) -> f32 {
        0.0
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, costs: &mut f32, _: &mut Here) {
        *costs = (self.effect * f64::from(month.moves().price)) as f32;
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        costs: &mut f32,
        sensitivity: &F32x16,
        _: &mut (),
        now: &mut Now<'_, V>,
    ) {
        if *costs != 0.0 {
            now.utility = now.utility - cost(V::splat(*costs), V::load(sensitivity)) * now.priced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::{appeal, share};
    use super::*;

    #[test]
    fn hand_computed_elasticities() {
        // At a share of 0.25 an effect of 4 is an elasticity of -3, and the other way round.
        assert!((elasticity(4.0, 0.25) + 3.0).abs() < 1e-12);
        assert!((effect(-3.0, 0.25) - 4.0).abs() < 1e-12);
        assert!((effect(-2.62, 0.3) - 2.62 / 0.7).abs() < 1e-12);
        assert!(effect(-2.62, 1.0).is_finite());
    }

    #[test]
    fn the_elasticity_is_the_slope_of_the_share() {
        for today in [0.1, 0.5, 0.9] {
            let sales = |log_price: f64| share(appeal(today, 0.0) - cost(3.0 * log_price, 0.8), 1.0);
            let slope = libm::log(sales(1e-4) / sales(-1e-4)) / 2e-4;
            assert!((slope - elasticity(3.0 * 0.8, today)).abs() < 1e-6, "{today}: {slope}");
        }
    }
}
