//! Weighted points: weights from logarithms, effective numbers, resampling, moments and quantiles.
//!
//! * Effective sample size (Kong, Liu & Wong 1994): `(sum w)^2 / sum w^2`.
//! * Conditional effective sample size of a step that multiplies weights `W` by `v` (Zhou, Johansen & Aston 2016, eq. 17):
//!   `N (sum W v)^2 / sum W v^2`, for `W` that sum to 1.
//! * Systematic resampling (Kitagawa 1996): of N draws, point i is taken once for each `(k + u) / N` that falls into its
//!   stretch of the cumulated weights, so `floor(N W_i)` or one more times.

/// Points of one dimension, one after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud {
    dimension: usize,
    values: Vec<f64>,
}

impl Cloud {
    /// From coordinates, point by point.
    ///
    /// # Panics
    /// When they are not a whole number of points.
    pub fn new(dimension: usize, values: Vec<f64>) -> Self {
        assert!(dimension > 0 && values.len().is_multiple_of(dimension), "coordinates make whole points");
        Self { dimension, values }
    }

    /// Number of coordinates of a point.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimension
    }

    /// No points.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All coordinates, point by point.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One point.
    pub fn point(&self, index: usize) -> &[f64] {
        &self.values[index * self.dimension..(index + 1) * self.dimension]
    }

    /// Overwrites one point.
    pub(crate) fn set(&mut self, index: usize, point: &[f64]) {
        self.values[index * self.dimension..(index + 1) * self.dimension].copy_from_slice(point);
    }

    /// Points in order.
    pub fn points(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.dimension)
    }

    /// The points at these indices.
    pub fn select(&self, indices: &[usize]) -> Self {
        let values = indices.iter().flat_map(|&index| self.point(index)).copied().collect();
        Self { dimension: self.dimension, values }
    }

    /// One coordinate of all points.
    pub fn coordinate(&self, of: usize) -> Vec<f64> {
        self.points().map(|point| point[of]).collect()
    }

    /// Weighted mean; weights sum to 1.
    pub fn mean(&self, weights: &[f64]) -> Vec<f64> {
        let mut mean = vec![0.0; self.dimension];
        for (point, weight) in self.points().zip(weights) {
            for (sum, value) in mean.iter_mut().zip(point) {
                *sum += weight * value;
            }
        }
        mean
    }

    /// Weighted covariance around the weighted mean, row by row; weights sum to 1.
    pub fn covariance(&self, weights: &[f64]) -> Vec<f64> {
        let d = self.dimension;
        let mean = self.mean(weights);
        let mut covariance = vec![0.0; d * d];
        for (point, weight) in self.points().zip(weights) {
            for (i, row) in covariance.chunks_exact_mut(d).enumerate() {
                let left = weight * (point[i] - mean[i]);
                for ((sum, value), mean) in row[..=i].iter_mut().zip(point).zip(&mean) {
                    *sum += left * (value - mean);
                }
            }
        }
        for i in 0..d {
            for j in 0..i {
                covariance[j * d + i] = covariance[i * d + j];
            }
        }
        covariance
    }
}

/// Weights that sum to 1 from their logarithms, and the logarithm of their sum; `None` when all are minus infinity.
pub fn normalise(log_weights: &[f64]) -> Option<(Vec<f64>, f64)> {
    let most = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return None;
    }
    let mut weights: Vec<f64> = log_weights.iter().map(|value| libm::exp(value - most)).collect();
    let sum: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    Some((weights, most + libm::log(sum)))
}

/// Effective sample size of weights of any sum; 0 when there is no weight.
pub fn effective(weights: &[f64]) -> f64 {
    let (sum, squares) = weights.iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Conditional effective sample size, as a share of the points that are alive (have weight before and after the step), of
/// raising the likelihood's power by `step`.
pub fn conditional_share(weights: &[f64], log_likelihood: &[f64], step: f64) -> f64 {
    let most = log_likelihood.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut total, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (weight, value) in weights.iter().zip(log_likelihood) {
        if *weight > 0.0 && *value > f64::NEG_INFINITY {
            let factor = libm::exp(step * (value - most));
            total += weight;
            sum += weight * factor;
            squares += weight * factor * factor;
        }
    }
    if squares > 0.0 { sum * sum / (squares * total) } else { 0.0 }
}

/// Systematic resampling: `count` indices, ascending; weights sum to 1.
pub fn systematic(weights: &[f64], count: usize, uniform: f64) -> Vec<usize> {
    let mut indices = Vec::with_capacity(count);
    let mut cumulated = 0.0;
    // Rounding must not end at a point without weight.
    let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
    let mut at = 0;
    for k in 0..count {
        let level = (k as f64 + uniform) / count as f64;
        while at < last && cumulated + weights[at] <= level {
            cumulated += weights[at];
            at += 1;
        }
        indices.push(at);
    }
    indices
}

/// Weighted quantile: the least value up to which a share of `level` of the weight lies; `None` without weight.
pub fn quantile(values: &[f64], weights: &[f64], level: f64) -> Option<f64> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&i| weights[i] > 0.0).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let total: f64 = order.iter().map(|&i| weights[i]).sum();
    let mut cumulated = 0.0;
    for &i in &order {
        cumulated += weights[i];
        if cumulated >= level * total {
            return Some(values[i]);
        }
    }
    order.last().map(|&i| values[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_do_not_overflow_and_failures_have_none() {
        let (weights, log_sum) = normalise(&[-1_000.0, -1_000.0 + libm::log(3.0), f64::NEG_INFINITY]).unwrap();
        assert!((weights[0] - 0.25).abs() < 1e-12 && (weights[1] - 0.75).abs() < 1e-12 && weights[2] == 0.0);
        assert!((log_sum - (-1_000.0 + libm::log(4.0))).abs() < 1e-9);
        assert!(normalise(&[f64::NEG_INFINITY; 2]).is_none());
    }

    #[test]
    fn effective_sizes_in_closed_form() {
        assert!((effective(&[0.25; 4]) - 4.0).abs() < 1e-12);
        assert!((effective(&[3.0, 1.0]) - 16.0 / 10.0).abs() < 1e-12);
        assert_eq!(effective(&[0.0, 0.0]), 0.0);
        // Two points of equal weight, one of which is worth e^-1 of the other after the step.
        let e = libm::exp(-1.0);
        let wanted = (1.0 + e) * (1.0 + e) / (2.0 * (1.0 + e * e));
        assert!((conditional_share(&[0.5, 0.5], &[0.0, -2.0], 0.5) - wanted).abs() < 1e-12);
        // The failed are left out: they are lost at the first step, whatever its size.
        let with_failed = conditional_share(&[0.25, 0.25, 0.5], &[0.0, -2.0, f64::NEG_INFINITY], 0.5);
        assert!((with_failed - wanted).abs() < 1e-12);
        assert!((conditional_share(&[0.5, 0.5], &[0.0, -2.0], 0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn systematic_takes_each_as_often_as_its_weight_says() {
        let weights = [0.0, 0.5, 0.1, 0.4, 0.0];
        for uniform in [1e-9, 0.3, 0.999_999_999] {
            let indices = systematic(&weights, 10, uniform);
            let count = |of| indices.iter().filter(|&&index| index == of).count();
            assert_eq!((count(0), count(1), count(2), count(3), count(4)), (0, 5, 1, 4, 0));
        }
        assert_eq!(systematic(&[0.2; 5], 5, 0.5), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn moments_and_quantiles_of_weights() {
        let cloud = Cloud::new(2, vec![0.0, 0.0, 4.0, 2.0]);
        let weights = [0.75, 0.25];
        assert_eq!(cloud.mean(&weights), [1.0, 0.5]);
        assert_eq!(cloud.covariance(&weights), [3.0, 1.5, 1.5, 0.75]);
        assert_eq!(quantile(&[5.0, 1.0, 3.0], &[0.2, 0.5, 0.3], 0.5), Some(1.0));
        assert_eq!(quantile(&[5.0, 1.0, 3.0], &[0.2, 0.5, 0.3], 0.9), Some(5.0));
        assert_eq!(quantile(&[1.0], &[0.0], 0.5), None);
    }
}
