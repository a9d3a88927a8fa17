//! Overdispersed orders: negative binomial counts.
//!
//! A customer's month differs from what is expected of it by more than the chance of single orders: staff is away, a ward is
//! closed, a tender came. All that it orders in the month, of us and of rivals alike, is multiplied by its frailty
//!
//! `g ~ Gamma(shape k, mean 1)`, independent by customer and month; `count | g ~ Poisson(g m)`,
//!
//! so that a count of mean m is negative binomial with `variance = m + m^2 / k` (Greenwood & Yule 1920, "An inquiry into the
//! nature of frequency distributions", Journal of the Royal Statistical Society 83, 255-279; of purchases Ehrenberg 1959,
//! "The pattern of consumer purchases", Applied Statistics 8, 26-41; Schmittlein, Bemmaor & Morrison 1985, "Why does the NBD
//! model work?", Marketing Science 4, 255-266). In money, of orders of `unit` demand units: `variance = unit m + m^2 / k`.
//!
//! Lasting differences between customers are in their sizes and appeals; k is what months of *one* customer scatter by, so an
//! order unit must be estimated together with k, or the same scatter is counted twice. That months are independent, and
//! that one frailty serves all suppliers, are assumptions.
//!
//! Frailty comes after what was eaten from stock: it moves orders, not use, and no stock is lost or made by it. Its mean is 1,
//! so expected orders do not change; with an infinite shape nothing changes at all.

use std::ops::Range;

use crate::lanes::Simd;
use crate::rng::{GammaCurve, LEAST_SHAPE, Purpose, normal, normal_each};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Overdispersed orders: negative binomial counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    /// Shape of the gamma that months of a customer scatter by: variance of a count = mean + mean^2 / shape. Infinite for no
    /// scatter; below [`LEAST_SHAPE`] it counts as that.
    pub shape: f64,
}

impl Dispersion {
    /// Variance of a number of orders with this mean.
    pub fn variance(&self, mean: f64) -> f64 {
        mean + mean * mean / self.shape.max(LEAST_SHAPE)
    }
}

/// Shapes beyond are as good as infinite: their log probabilities differ from the Poisson's by less than `(n - m)^2 / 2e8`.
const MOST_SHAPE: f64 = 1e8;

/// Log probability of a negative binomial count of this mean and shape:
/// `ln Γ(n + k) - ln Γ(k) - ln Γ(n + 1) - k ln(1 + m / k) - n ln(1 + k / m)`. Counts may be broken, as money over an order unit.
pub fn log_probability(count: f64, mean: f64, shape: f64) -> f64 {
    if mean <= 0.0 {
        return if count == 0.0 { 0.0 } else { f64::NEG_INFINITY };
    }
    let shape = shape.min(MOST_SHAPE);
    let ways =
        if count == 0.0 { 0.0 } else { libm::lgamma(count + shape) - libm::lgamma(shape) - libm::lgamma(count + 1.0) };
    ways - shape * libm::log1p(mean / shape) - count * libm::log1p(shape / mean)
}

impl Mechanism for Dispersion {
    type Traits = ();
    type Memory = ();
    /// Of the shape; the same everywhere.
    type Ground = GammaCurve<f64>;

    const DRAWS: u64 = 1 << Purpose::Frailty as u64;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) -> GammaCurve<f64> {
        GammaCurve::new(self.shape)
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        here: &Here,
        curve: &mut GammaCurve<f64>,
        (): &(),
        (): &mut (),
        now: &mut Now<'_, V>,
    ) {
        let uniform = now.uniform_of_chance(Purpose::Frailty);
        // With those of order sizes, which would wait for numbers of orders that they do not depend on.
        let normal = if here.sized {
            let [own, rivals] = now.uniforms_of_sizes();
            let [normal, own, rivals] = normal_each([uniform, own, rivals]);
            now.size_normals = Some([own, rivals]);
            normal
        } else {
            normal(uniform)
        };
        now.open = now.open * curve.lanes().at_normal(normal);
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Discrete as _, NegativeBinomial, Poisson};

    use super::*;

    #[test]
    fn hand_computed_probabilities() {
        // Mean 2, shape 1 is geometric: 1/3 (2/3)^n.
        for n in 0..5 {
            let wanted = libm::log(1.0 / 3.0) + f64::from(n) * libm::log(2.0 / 3.0);
            assert!((log_probability(f64::from(n), 2.0, 1.0) - wanted).abs() < 1e-12);
        }
        assert_eq!(Dispersion { shape: 2.0 }.variance(4.0), 12.0);
        assert_eq!(log_probability(0.0, 0.0, 1.0), 0.0);
        assert_eq!(log_probability(1.0, 0.0, 1.0), f64::NEG_INFINITY);
    }

    #[test]
    fn probabilities_are_those_of_the_negative_binomial() {
        for shape in [0.3, 1.0, 4.5, 80.0, 1e4] {
            for mean in [0.02, 1.0, 7.3, 400.0] {
                let exact = NegativeBinomial::new(shape, shape / (shape + mean)).unwrap();
                for n in [0, 1, 2, 5, 17, 300] {
                    let (got, wanted) = (log_probability(n as f64, mean, shape), exact.ln_pmf(n));
                    assert!((got - wanted).abs() < 1e-8 * (1.0 + wanted.abs()), "{shape} {mean} {n}: {got} {wanted}");
                }
            }
        }
    }

    #[test]
    fn without_scatter_it_is_the_poisson() {
        for (n, mean) in [(0, 0.7), (3, 0.7), (40, 31.0)] {
            let wanted = Poisson::new(mean).unwrap().ln_pmf(n);
            assert!((log_probability(n as f64, mean, f64::INFINITY) - wanted).abs() < 2e-6);
        }
    }
}
