//! Gamma numbers of mean 1 by inversion: one uniform each, rising with it.
//!
//! Wilson & Hilferty (1931), "The distribution of chi-square", Proceedings of the National Academy of Sciences 17, 684-688:
//! the cube root of a gamma number of shape k and mean 1 is nearly normal, `y = 1 - 1 / (9 k) + z / (3 sqrt k)`. Where k is
//! small the line in z crosses zero, though no gamma number does. Here the line is therefore bent: with r = 1 / sqrt(k),
//!
//! `w = c0(r) + c1(r) z + c2(r) z^2`, `y = (w + sqrt(w^2 + D)) / 2`, `x = y^3`,
//!
//! a branch of a hyperbola, positive and rising wherever w rises. The leading terms of c0 and c1 are those of Wilson &
//! Hilferty (`w = y - D / (4 y)` taken at y = 1); D was chosen and the other coefficients were fitted by us, by least
//! squares to the quantiles of shapes from 1/4 up, mean and variance counting most.
//!
//! Accuracy (tested but for the last sentence but one) for shapes of [`LEAST_SHAPE`] or more: the mean is right to 3e-4 and the variance to 2e-3 of itself;
//! the root mean square error is below 0.005 standard deviations, and below 0.003 from a shape of 1/2 up. What is wrong is
//! wrong near zero, where numbers are small: as probabilities, errors stay below 0.004 from a shape of 1 up, 0.02 at a
//! shape of 1/2 and 0.08 at 1/4. The largest numbers of small shapes (beyond 4 standard deviations of z) are up to 8 % too
//! small. n gamma numbers of one shape summed, `n * gamma(u, n shape)`, rise with n.

use super::normal::normal;
use crate::lanes::{Lanes, Simd};

/// Smaller shapes count as this one.
pub const LEAST_SHAPE: f64 = 0.25;

/// D of the hyperbola. With it all steps at z = 0 and r = 0 are exact: without scatter the result is 1, not nearly 1.
const BEND: f64 = 0.375;

/// `w = level + slope z + bend z^2` for gamma numbers of one shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaCurve<V> {
    level: V,
    slope: V,
    bend: V,
}

impl<V: Lanes> GammaCurve<V> {
    /// From r = 1 / sqrt(shape), 0 to 2.
    #[inline(always)]
    fn of_root(r: V) -> Self {
        let [one, r2] = [V::of(1.0), r * r];
        let level = V::of(-0.119_63) + r * (V::of(-0.009_46) + r * V::of(0.001_9));
        let slope = V::of(0.017_42) + r * (V::of(-0.003_29) + r * V::of(0.000_38));
        Self {
            level: V::of(1.0 - BEND / 4.0) + r2 * level,
            slope: r * (V::of(1.0 / 3.0) * (one + V::of(BEND / 4.0)) + r2 * slope),
            bend: r2 * (V::of(-0.009_51) + r * V::of(-0.000_24)),
        }
    }
}

impl GammaCurve<f64> {
    /// For a shape that is the same for all; an infinite one scatters nothing.
    pub fn new(shape: f64) -> Self {
        Self::of_root(1.0 / Lanes::max(shape, LEAST_SHAPE).sqrt())
    }

    /// The same in every lane.
    #[inline(always)]
    pub fn lanes<V: Lanes>(&self) -> GammaCurve<V> {
        GammaCurve { level: V::of(self.level), slope: V::of(self.slope), bend: V::of(self.bend) }
    }
}

impl<V: Simd> GammaCurve<V> {
    /// Gamma numbers of mean 1 at these uniforms.
    #[inline(always)]
    pub fn at(&self, uniform: V) -> V {
        self.at_normal(normal(uniform))
    }

    /// Gamma numbers of mean 1 at the normal numbers of these uniforms.
    #[inline(always)]
    pub fn at_normal(&self, z: V) -> V {
        let w = self.level + z * (self.slope + z * self.bend);
        let y = V::splat(0.5) * (w + (w * w + V::splat(BEND as f32)).sqrt());
        y * y * y
    }
}

/// Gamma numbers of mean 1 and these shapes (variance 1 / shape) at these uniforms; shapes below [`LEAST_SHAPE`] count as
/// that one.
#[inline(always)]
pub fn gamma<V: Simd>(uniform: V, shape: V) -> V {
    gamma_at_normal(normal(uniform), shape)
}

/// As [`gamma`], at the normal numbers of the uniforms.
#[inline(always)]
pub fn gamma_at_normal<V: Simd>(z: V, shape: V) -> V {
    let shape = shape.max(V::of(LEAST_SHAPE));
    GammaCurve::of_root(V::splat(1.0) / shape.sqrt()).at_normal(z)
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF as _, Gamma};

    use super::*;
    use crate::lanes::{F32x16, U32x16, Words as _};
    use crate::rng::uniform;

    const SHAPES: [f64; 13] = [0.25, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0, 8.0, 20.0, 100.0, 3_000.0, 1e6];

    fn at(u: f32, shape: f64) -> f64 {
        f64::from(gamma(F32x16::splat(u), F32x16::splat(shape as f32)).0[3])
    }

    /// Uniforms of equal weight over (0, 1), amid their cells.
    fn uniforms(cells: u32) -> impl Iterator<Item = f32> {
        let middle = move |k| ((2 * u64::from(k) + 1) * (1 << 31) / u64::from(cells)) as u32;
        (0..cells).map(move |k| uniform::<F32x16>(U32x16::splat(middle(k))).0[0])
    }

    #[test]
    fn mean_and_variance_hold() {
        let cells = 1 << 18;
        for shape in SHAPES {
            let (mut sum, mut square) = (0.0, 0.0);
            for u in uniforms(cells) {
                let x = at(u, shape) - 1.0;
                sum += x;
                square += x * x;
            }
            let bias = sum / f64::from(cells);
            let ratio = (square / f64::from(cells) - bias * bias) * shape;
            println!("shape {shape}: bias {bias:e}, variance ratio {ratio}");
            assert!(bias.abs() < 3e-4, "shape {shape}: bias {bias}");
            assert!((ratio - 1.0).abs() < 2e-3, "shape {shape}: variance ratio {ratio}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_gamma() {
        let cells = 2_003;
        for shape in SHAPES {
            let exact = Gamma::new(shape, shape).unwrap();
            let (mut square, mut most) = (0.0, 0.0_f64);
            for u in uniforms(cells) {
                let x = at(u, shape);
                let error = (x - exact.inverse_cdf(f64::from(u))) * shape.sqrt();
                square += error * error;
                most = most.max((exact.cdf(x) - f64::from(u)).abs());
            }
            let error = (square / f64::from(cells)).sqrt();
            println!("shape {shape}: root mean square {error:.2e} standard deviations, probability off by {most:.2e}");
            assert!(error < if shape < 0.5 { 0.005 } else { 0.003 }, "shape {shape}: {error}");
            let bound = if shape >= 1.0 { 0.004 } else { 0.02 * (0.5 / shape).powi(2).max(1.0) };
            assert!(most < bound, "shape {shape}: {most}");
        }
    }

    #[test]
    fn rises_with_the_uniform_and_with_the_number_summed() {
        for shape in [0.25, 0.5, 1.0, 3.0, 50.0] {
            let mut before = 0.0;
            for u in uniforms(4_999).chain([1.0 - 2.0_f32.powi(-24)]) {
                let x = at(u, shape);
                assert!(x > 0.0 && x >= before * (1.0 - 2e-6), "shape {shape}, u {u}: {x}");
                before = x;
            }
            for u in uniforms(401) {
                let sum = |n: u32| f64::from(n) * at(u, f64::from(n) * shape);
                assert!((1..60).all(|n| sum(n + 1) > sum(n) * (1.0 - 2e-6)), "shape {shape}, u {u}");
            }
        }
    }

    #[test]
    fn no_scatter_is_exactly_one_and_one_shape_is_any() {
        let u: F32x16 = uniform(U32x16(std::array::from_fn(|i| 0x1234_5678_u32.wrapping_mul(2 * i as u32 + 1))));
        assert_eq!(GammaCurve::new(f64::INFINITY).lanes().at(u), F32x16::splat(1.0));
        for shape in [0.1, 0.7, 12.0] {
            let (one, any) = (GammaCurve::new(shape).lanes::<F32x16>().at(u), gamma(u, F32x16::splat(shape as f32)));
            for (a, b) in one.0.iter().zip(any.0) {
                assert!((a - b).abs() <= 1e-6 * (1.0 + b), "shape {shape}: {a} {b}");
            }
        }
        // Where nothing is summed the number is finite, so that 0 of it is 0.
        assert!(gamma(u, F32x16::ZERO).0.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn hand_computed_median() {
        // Shape 1, z = 0: w = 0.90625 - 0.12719 = 0.77906, y = (0.77906 + sqrt(0.60693 + 0.375)) / 2 = 0.88500, cubed 0.69315;
        // the median of the exponential is ln 2.
        let median = at(0.5, 1.0);
        assert!((median - std::f64::consts::LN_2).abs() < 2e-4, "{median}");
    }
}
