//! Each source of evidence alone: one file a source, so that a reader sees which one pulls where.
//!
//! These are the field's plain estimators, not parts of the fusion: they are shown beside it. Where they disagree with it, their
//! remark says why.

mod capture_recapture;
mod chapman;
mod discovery_curve;
mod heterogeneity;
#[cfg(test)]
mod known_answers;
mod log_linear;
mod panel_gap;
mod repeat_purchase;
mod size_selection;
#[cfg(test)]
mod tests;
mod universe_regression;
mod wallet;

use super::dark_half::Evidence;
use super::observed::Observed;
use crate::stats::Summary;

/// Draws by which a single source's uncertainty is simulated.
const DRAWS: usize = 1000;

/// All estimators that the files allow, for the whole market. `unit` is the demand unit.
pub fn all(observed: &Observed, unit: &str, seed: u64) -> Vec<Evidence> {
    let mut out = Vec::new();
    out.extend(universe_regression::estimate(observed, seed));
    out.extend(capture_recapture::estimate(observed, seed));
    out.extend(repeat_purchase::estimate(observed));
    out.extend(repeat_purchase::rates(observed, seed));
    out.extend(discovery_curve::estimate(observed));
    out.extend(panel_gap::estimate(observed, unit));
    out.extend(size_selection::estimate(observed, seed));
    out.extend(wallet::estimate(observed, unit, seed));
    out.retain(|evidence| sound(&evidence.estimate));
    out
}

/// Finite, and quantiles in order: an estimator that its data have driven over the edge says nothing.
fn sound(summary: &Summary) -> bool {
    let levels = [summary.q05, summary.q25, summary.q50, summary.q75, summary.q95];
    levels.iter().chain([&summary.mean, &summary.sd]).all(|x| x.is_finite()) && levels.is_sorted()
}

/// Known customers that had not closed before the 12 months.
fn open_known(observed: &Observed) -> f64 {
    observed.customers.iter().filter(|customer| !customer.closed).count() as f64
}

/// Summary of `offset + exp(N(mean, sd))`.
fn shifted_lognormal(offset: f64, mean: f64, sd: f64) -> Summary {
    let at = |z: f64| offset + libm::exp(mean + sd * z);
    let average = libm::exp(mean + 0.5 * sd * sd);
    Summary {
        mean: offset + average,
        sd: average * libm::expm1(sd * sd).sqrt(),
        q05: at(-1.644_853_626_951_472_7),
        q25: at(-0.674_489_750_196_081_7),
        q50: at(0.0),
        q75: at(0.674_489_750_196_081_7),
        q95: at(1.644_853_626_951_472_7),
    }
}
