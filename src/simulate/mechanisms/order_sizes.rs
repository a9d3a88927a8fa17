//! Sizes of orders: compound Poisson-gamma money.
//!
//! Without them every order is `order_unit` demand units. With them the n orders of a customer's month are n independent sizes
//! `s ~ Gamma(shape a, mean u)`, whose sum is `u n x`, `x ~ Gamma(n a, mean 1)`: a Poisson number of gamma sizes, zero with
//! a probability of its own (Jørgensen 1987, "Exponential dispersion models", Journal of the Royal Statistical Society B 49,
//! 127-162; of claims Smyth & Jørgensen 2002, "Fitting Tweedie's compound Poisson model to insurance claims data", ASTIN
//! Bulletin 32, 143-157). Money is a Tweedie number of power `(a + 2) / (a + 1)`.
//!
//! Calibration knows `order_unit` as variance over mean of money, which with sizes is `u (1 + 1 / a)`. So that both stay
//! what they were, orders are smaller and more of them: `u = order_unit / (1 + 1 / a)` ([`OrderSizes::unit`]), their number
//! has mean `demand * share / u`. What changes is the shape: money is continuous, and skewer. Where means move, the
//! number of orders moves and their sizes do not (assumption; a Tweedie regression would move both). They are drawn with the
//! orders, [`super::orders::Orders`].

use crate::lanes::{Lanes, Simd};
use crate::rng::{LEAST_SHAPE, gamma_at_normal};

/// Sizes of the orders from us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderSizes {
    /// Shape of the gamma of one order's size: its coefficient of variation is 1 / sqrt(shape). Below [`LEAST_SHAPE`] it
    /// counts as that.
    pub shape: f64,
}

impl OrderSizes {
    fn shape(&self) -> f64 {
        Lanes::max(self.shape, LEAST_SHAPE)
    }

    /// Mean size of an order (demand units) with which variance over mean of money is `order_unit`.
    pub fn unit(&self, order_unit: f64) -> f64 {
        order_unit / (1.0 + 1.0 / self.shape())
    }

    /// Size of so many orders together over their expected size, at a normal number: rises with it (and the size itself with
    /// the number of orders).
    #[inline(always)]
    pub fn relative<V: Simd>(&self, normal: V, orders: V) -> V {
        gamma_at_normal(normal, orders * V::of(self.shape()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{F32x16, U32x16, Words as _};
    use crate::rng::{normal, uniform};

    #[test]
    fn the_unit_keeps_variance_over_mean() {
        // Shape 1 (exponential sizes): mean square is twice the squared mean, so orders are half as large.
        assert_eq!(OrderSizes { shape: 1.0 }.unit(6.0), 3.0);
        // Shape 4: u (1 + 1/4) = 6.
        assert!((OrderSizes { shape: 4.0 }.unit(6.0) - 4.8).abs() < 1e-12);
        assert!((OrderSizes { shape: f64::INFINITY }.unit(6.0) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn three_orders_scatter_by_a_third() {
        // Variance of a mean of three sizes of shape 2 is 1 / 6.
        let cells = 1 << 16;
        let (mut sum, mut square) = (0.0, 0.0);
        for k in 0..cells {
            let u = uniform::<F32x16>(U32x16::splat((k << 16) + (1 << 15)));
            let x = f64::from(OrderSizes { shape: 2.0 }.relative(normal(u), F32x16::splat(3.0)).0[0]) - 1.0;
            sum += x;
            square += x * x;
        }
        let n = f64::from(cells);
        assert!((sum / n).abs() < 1e-3 && (square / n * 6.0 - 1.0).abs() < 1e-2);
    }
}
