//! Two lists: Chapman's (1951) estimator `(n1 + 1)(n2 + 1) / (m + 1) - 1` with Seber's (1970) variance.
//!
//! It takes the lists for independent, so lists that favour the same buyers make it a floor. The interval is lognormal on the
//! unseen (Chao 1987): never below those seen, and skewed as the sampling distribution is.

/// The unseen and their variance, from the counts on list 1 only, 2 only and both.
pub(super) fn chapman(first_only: f64, second_only: f64, both: f64) -> (f64, f64) {
    let (n1, n2) = (first_only + both, second_only + both);
    let universe = (n1 + 1.0) * (n2 + 1.0) / (both + 1.0) - 1.0;
    let variance = (n1 + 1.0) * (n2 + 1.0) * (n1 - both) * (n2 - both) / ((both + 1.0) * (both + 1.0) * (both + 2.0));
    (universe - (first_only + second_only + both), variance)
}

/// Mean and deviation of the log of the unseen; `None` when one list holds the other.
pub(super) fn log_unseen(cells: &[f64]) -> Option<(f64, f64)> {
    let (unseen, variance) = chapman(*cells.get(1)?, *cells.get(2)?, *cells.get(3)?);
    let sd = libm::log1p(variance / (unseen * unseen)).sqrt();
    (unseen > 0.0 && unseen.is_finite() && sd.is_finite()).then(|| (libm::log(unseen), sd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapman_on_the_textbook_case() {
        // Seber (1982): n1 = 200, n2 = 150, m = 30 gives (201 x 151 / 31) - 1 = 978.06.
        let (unseen, variance) = chapman(170.0, 120.0, 30.0);
        assert!((unseen + 320.0 - 978.065).abs() < 1e-2, "{unseen}");
        assert!((variance - 201.0 * 151.0 * 170.0 * 120.0 / (31.0 * 31.0 * 32.0)).abs() < 1e-6);
        let (mean, sd) = log_unseen(&[0.0, 170.0, 120.0, 30.0]).unwrap();
        assert!((libm::exp(mean) - unseen).abs() < 1e-9 && sd > 0.1 && sd < 0.3);
        assert!(log_unseen(&[0.0, 0.0, 0.0, 90.0]).is_none());
    }
}
