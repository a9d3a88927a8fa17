//! The seasonal naive forecast: each month as the same month of last year.
//!
//! `f_h = y_{T-12+h}`. Its error is resampled from the past, `y_t - y_{t-12}`, as far as the history reaches, month by month.

use rand::RngExt as _;

use super::Ahead;
use crate::rng::Stream;

/// Forecasts `months` (at most 12) from a series. `None` with less than 24 months of past.
pub fn naive(past: &[f64], months: usize, count: usize, seed: u64, index: u64) -> Option<Ahead> {
    if past.len() < 24 || months > 12 {
        return None;
    }
    let residuals: Vec<f64> = (12..past.len()).map(|t| past[t] - past[t - 12]).collect();
    let point: Vec<f64> = past[past.len() - 12..][..months].to_vec();
    let mut rng = Stream::new(seed, "trial/naive", index);
    let draws = (0..count)
        .map(|_| point.iter().map(|point| point + residuals[rng.random_range(0..residuals.len())]).collect())
        .collect();
    Some(Ahead { point, draws })
}
