//! A mean and a covariance, factorised: draws, distances and densities of a normal distribution.

use nalgebra::{Cholesky, DMatrix};

use crate::rng::Stream;

/// A covariance `L L'` around a mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Ellipsoid {
    pub mean: Vec<f64>,
    /// L, row by row.
    lower: Vec<f64>,
    /// Logarithm of the determinant of L.
    log_volume: f64,
}

impl Ellipsoid {
    /// From a covariance, row by row. One that is flat in some direction is filled up by as little as makes it solid, so
    /// that points which all lie on a line, or on one spot, still give a distribution.
    pub fn new(mean: Vec<f64>, covariance: &[f64]) -> Self {
        let d = mean.len();
        let matrix = DMatrix::from_row_slice(d, d, covariance);
        let most = (0..d).map(|i| matrix[(i, i)]).fold(0.0, f64::max);
        let mut fill = 0.0;
        let factor = loop {
            let mut solid = matrix.clone();
            for i in 0..d {
                solid[(i, i)] += fill * (matrix[(i, i)] + 1e-12 * most) + if fill > 0.0 { 1e-280 } else { 0.0 };
            }
            let sound = |factor: &Cholesky<f64, nalgebra::Dyn>| {
                let l = factor.l_dirty();
                (0..d).all(|i| l[(i, i)] * l[(i, i)] > 1e-13 * matrix[(i, i)] && l[(i, i)].is_finite())
            };
            if let Some(factor) = Cholesky::new(solid).filter(sound) {
                break factor.l();
            }
            fill = if fill == 0.0 { 1e-12 } else { fill * 10.0 };
            if fill > 1e6 {
                break DMatrix::identity(d, d) * most.max(1e-280).sqrt();
            }
        };
        let lower: Vec<f64> = (0..d * d).map(|k| factor[(k / d, k % d)]).collect();
        let log_volume = (0..d).map(|i| libm::log(lower[i * d + i])).sum();
        Self { mean, lower, log_volume }
    }

    /// Number of coordinates.
    pub fn dimension(&self) -> usize {
        self.mean.len()
    }

    /// Writes `centre + scale L z` for standard normal z.
    pub fn draw(&self, centre: &[f64], scale: f64, stream: &mut Stream, out: &mut [f64]) {
        let d = self.dimension();
        out.copy_from_slice(centre);
        for j in 0..d {
            let z = scale * stream.normal();
            for (value, row) in out.iter_mut().zip(self.lower.chunks_exact(d)).skip(j) {
                *value += row[j] * z;
            }
        }
    }

    /// Squared distance of two points in units of the covariance (Mahalanobis).
    pub fn distance(&self, from: &[f64], to: &[f64]) -> f64 {
        let d = self.dimension();
        let mut buffer = [0.0; 32];
        let mut heap = Vec::new();
        let solved: &mut [f64] = if d <= buffer.len() {
            &mut buffer[..d]
        } else {
            heap.resize(d, 0.0);
            &mut heap
        };
        let mut sum = 0.0;
        for (i, row) in self.lower.chunks_exact(d).enumerate() {
            let mut rest = to[i] - from[i];
            for (left, right) in row[..i].iter().zip(solved.iter()) {
                rest -= left * right;
            }
            solved[i] = rest / row[i];
            sum += solved[i] * solved[i];
        }
        sum
    }

    /// Logarithm of the determinant of L.
    pub fn log_volume(&self) -> f64 {
        self.log_volume
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_and_volumes_in_closed_form() {
        let ellipsoid = Ellipsoid::new(vec![0.0, 0.0], &[4.0, 2.0, 2.0, 5.0]);
        // The inverse is [5 -2; -2 4] / 16.
        assert!((ellipsoid.distance(&[0.0, 0.0], &[1.0, 2.0]) - (5.0 - 8.0 + 16.0) / 16.0).abs() < 1e-12);
        assert!((ellipsoid.log_volume() - 0.5 * libm::log(16.0)).abs() < 1e-12);
    }

    #[test]
    fn draws_have_the_covariance() {
        let ellipsoid = Ellipsoid::new(vec![1.0, -1.0], &[4.0, 2.0, 2.0, 5.0]);
        let mut stream = Stream::new(1, "test", 0);
        let mut values = vec![0.0; 40_000];
        for point in values.chunks_exact_mut(2) {
            ellipsoid.draw(&ellipsoid.mean, 1.0, &mut stream, point);
        }
        let covariance = crate::samplers::particles::Cloud::new(2, values).covariance(&vec![1.0 / 20_000.0; 20_000]);
        for (found, wanted) in covariance.iter().zip([4.0, 2.0, 2.0, 5.0]) {
            assert!((found - wanted).abs() < 0.15, "{covariance:?}");
        }
    }

    #[test]
    fn flat_covariances_are_filled_up() {
        for covariance in [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]] {
            let ellipsoid = Ellipsoid::new(vec![0.0, 0.0], &covariance);
            let mut out = [0.0; 2];
            ellipsoid.draw(&[0.0, 0.0], 1.0, &mut Stream::new(1, "test", 0), &mut out);
            assert!(out.iter().all(|value| value.is_finite()), "{covariance:?}: {out:?}");
            assert!(ellipsoid.log_volume().is_finite());
        }
    }
}
