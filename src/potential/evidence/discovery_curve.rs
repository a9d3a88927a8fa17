//! Discovery curve: do we find fewer new customers as fewer are left?
//!
//! With n_t customers first known in quarter t and K_t known before it, a constant hazard p finds `n_t = p (N - K_t)` (Leslie & Davis
//! 1939): the line through (K_t, n_t) meets zero at N. It needs a falling curve; new outlets, and reps that search harder, hide the
//! depletion. Shown, not fused.

use super::super::dark_half::Evidence;
use super::super::observed::Observed;
use super::shifted_lognormal;

const MONTHS: usize = 3;
/// Quarters needed before a line is drawn.
const ENOUGH: usize = 8;

pub(super) fn estimate(observed: &Observed) -> Option<Evidence> {
    let quarters = observed.months / MONTHS;
    if quarters < ENOUGH + 1 {
        return None;
    }
    let skipped = observed.months - quarters * MONTHS;
    let mut before = 0.0;
    let mut found = vec![0.0; quarters];
    for customer in &observed.customers {
        let month = customer.first_known?;
        // Who is known from the first quarter on was known before: its date says nothing.
        match usize::try_from(month).ok().and_then(|month| month.checked_sub(skipped)) {
            Some(month) if month >= MONTHS => found[(month / MONTHS).min(quarters - 1)] += 1.0,
            _ => before += 1.0,
        }
    }
    let mut known = before;
    let points: Vec<(f64, f64)> = found[1..]
        .iter()
        .map(|&n| {
            let point = (known, n);
            known += n;
            point
        })
        .collect();
    let (universe, sd) = leslie(&points)?;
    let left = universe - known;
    if left <= 0.0 {
        return None;
    }
    let log_sd = libm::log1p(sd * sd / (left * left)).sqrt();
    Some(Evidence {
        name: "discovery curve (Leslie)".into(),
        measure: "dark_customers".into(),
        unit: "customers".into(),
        estimate: shifted_lognormal(0.0, libm::log(left), log_sd),
        remark: "where the finds of first_known would run dry at a constant search; a floor, since new outlets and harder search \
                 hide depletion; not fused"
            .into(),
    })
}

/// Where the line of finds on those known meets zero, with its standard error; `None` when finds do not fall clearly.
fn leslie(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let (mut xx, mut xy) = (0.0, 0.0);
    for (x, y) in points {
        xx += (x - mean_x) * (x - mean_x);
        xy += (x - mean_x) * (y - mean_y);
    }
    if xx <= 0.0 || xy >= 0.0 {
        return None;
    }
    let slope = xy / xx;
    let square: f64 = points.iter().map(|(x, y)| y - mean_y - slope * (x - mean_x)).map(|r| r * r).sum();
    let variance = square / (n - 2.0);
    let slope_error = (variance / xx).sqrt();
    if slope_error > -0.5 * slope {
        return None;
    }
    let left = -mean_y / slope;
    // Delta method for mean_y / slope.
    let error = left * (variance / n / (mean_y * mean_y) + (slope_error / slope) * (slope_error / slope)).sqrt();
    Some((mean_x + left, error))
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::ObservedCustomer;
    use super::*;

    #[test]
    fn exact_depletion_gives_the_universe_back() {
        // N = 1000, a tenth of the rest found each quarter.
        let mut known = 100.0;
        let points: Vec<(f64, f64)> = (0..10)
            .map(|_| {
                let n = 0.1 * (1000.0 - known);
                let point = (known, n);
                known += n;
                point
            })
            .collect();
        let (universe, error) = leslie(&points).unwrap();
        assert!((universe - 1000.0).abs() < 1e-6 && error < 1e-3);
        assert!(leslie(&[(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]).is_none());
    }

    #[test]
    fn a_flat_curve_says_nothing() {
        let customers: Vec<ObservedCustomer> =
            (0..36).map(|month| ObservedCustomer { first_known: Some(month), ..Default::default() }).collect();
        assert!(estimate(&Observed { customers, months: 36, ..Default::default() }).is_none());
    }
}
