//! Summaries of draws: moments and type 7 quantiles.

use serde::Serialize;

/// Mean, standard deviation and five quantiles of a set of draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    pub mean: f64,
    pub sd: f64,
    pub q05: f64,
    pub q25: f64,
    pub q50: f64,
    pub q75: f64,
    pub q95: f64,
}

impl Summary {
    /// Summary of draws; `None` when there are none or one is not finite.
    pub fn of(draws: &[f64]) -> Option<Self> {
        if draws.is_empty() || draws.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let mut sorted = draws.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (mean, sd) = mean_sd(draws);
        let at = |level| quantile_sorted(&sorted, level);
        Some(Self { mean, sd, q05: at(0.05), q25: at(0.25), q50: at(0.5), q75: at(0.75), q95: at(0.95) })
    }

    /// A figure that is known exactly.
    pub fn exact(value: f64) -> Self {
        Self { mean: value, sd: 0.0, q05: value, q25: value, q50: value, q75: value, q95: value }
    }
}

/// Sum of the differences of all pairs of numbers in ascending order: `sum_{i<j} (x_j - x_i) = sum_i (2 i - n + 1) x_i`, i from 0.
pub fn sum_of_differences(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    sorted.iter().enumerate().map(|(i, x)| (2.0 * i as f64 - n + 1.0) * x).sum()
}

/// Mean and sample standard deviation (n - 1); the deviation of one draw is 0.
pub fn mean_sd(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    if draws.len() < 2 {
        return (mean, 0.0);
    }
    (mean, (draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)).sqrt())
}

/// Type 7 quantile (Hyndman & Fan 1996; R's default) of ascending values; `sorted` must not be empty.
pub fn quantile_sorted(sorted: &[f64], level: f64) -> f64 {
    let position = level * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_type_7() {
        // R: quantile(c(1, 2, 4, 8, 16), c(.05, .25, .5, .75, .95))
        let summary = Summary::of(&[16.0, 1.0, 8.0, 2.0, 4.0]).unwrap();
        assert!((summary.q05 - 1.2).abs() < 1e-12);
        assert_eq!((summary.q25, summary.q50, summary.q75), (2.0, 4.0, 8.0));
        assert!((summary.q95 - 14.4).abs() < 1e-12);
        assert!((summary.sd - 6.099_180_272_79).abs() < 1e-9);
    }

    #[test]
    fn no_nan_passes() {
        assert!(Summary::of(&[]).is_none());
        assert!(Summary::of(&[1.0, f64::NAN]).is_none());
    }
}
