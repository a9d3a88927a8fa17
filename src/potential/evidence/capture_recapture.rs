//! Capture-recapture on the lists of `captures.csv`, all territories together.
//!
//! Two lists: Chapman's (1951) estimator `(n1 + 1)(n2 + 1) / (m + 1) - 1` with Seber's (1970) variance; it assumes that the lists are
//! independent, so lists that favour the same (large) buyers make it a floor. Three lists or more: log-linear models (Fienberg
//! 1972) by iteratively reweighted least squares, independence and all pairwise interactions, the one with the lower AIC.

use nalgebra::{DMatrix, DVector};

use super::super::dark_half::Evidence;
use super::super::observed::Observed;
use super::{open_known, shifted_lognormal};

pub(super) fn estimate(observed: &Observed) -> Option<Evidence> {
    let captures = observed.captures.as_ref()?;
    let lists = captures.lists.len();
    if !(2..=8).contains(&lists) {
        return None;
    }
    let mut cells = vec![0.0; 1 << lists];
    for counts in captures.counts.iter().flatten() {
        cells.iter_mut().zip(counts).for_each(|(cell, count)| *cell += count);
    }
    let seen: f64 = cells.iter().sum();
    let ours: f64 = match captures.own {
        Some(own) => cells.iter().enumerate().filter(|(history, _)| history >> own & 1 == 1).map(|(_, n)| n).sum(),
        None => open_known(observed),
    };
    let (unseen, log_sd, how) = if lists == 2 {
        let (unseen, variance) = chapman(cells[1], cells[2], cells[3]);
        let sd = libm::log1p(variance / (unseen * unseen).max(1e-9)).sqrt();
        (unseen, sd, "Chapman, two lists, taken as independent: a floor where both favour the same buyers".to_owned())
    } else {
        let fit = [false, true]
            .into_iter()
            .filter_map(|pairs| log_linear(&cells, lists, pairs))
            .min_by(|a, b| a.aic.total_cmp(&b.aic))?;
        let how = if fit.pairs { "with pairwise dependence" } else { "independent" };
        (fit.unseen, fit.log_sd, format!("log-linear, {lists} lists, {how} (lower AIC)"))
    };
    if !(unseen > 0.0 && log_sd.is_finite() && unseen.is_finite()) {
        return None;
    }
    Some(Evidence {
        name: "capture-recapture".into(),
        measure: "dark_customers".into(),
        unit: "customers".into(),
        estimate: shifted_lognormal((seen - ours).max(0.0), libm::log(unseen), log_sd),
        remark: format!("{how}; {seen:.0} buyers on a list, {ours:.0} of them ours; the lists are fused"),
    })
}

/// The unseen by Chapman and the variance, from the counts on list 1 only, 2 only and both.
fn chapman(first_only: f64, second_only: f64, both: f64) -> (f64, f64) {
    let (n1, n2) = (first_only + both, second_only + both);
    let universe = (n1 + 1.0) * (n2 + 1.0) / (both + 1.0) - 1.0;
    let variance = (n1 + 1.0) * (n2 + 1.0) * (n1 - both) * (n2 - both) / ((both + 1.0) * (both + 1.0) * (both + 2.0));
    (universe - (first_only + second_only + both), variance)
}

struct Fit {
    unseen: f64,
    log_sd: f64,
    aic: f64,
    pairs: bool,
}

/// Poisson log-linear model of the cells other than the empty one.
fn log_linear(cells: &[f64], lists: usize, pairs: bool) -> Option<Fit> {
    let row = |history: usize| {
        let on = |l: usize| (history >> l & 1) as f64;
        let mut row = vec![1.0];
        row.extend((0..lists).map(on));
        if pairs {
            row.extend((0..lists).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| on(a) * on(b)));
        }
        row
    };
    let rows: Vec<Vec<f64>> = (1..cells.len()).map(row).collect();
    let width = rows[0].len();
    if rows.len() < width {
        return None;
    }
    let x = DMatrix::from_fn(rows.len(), width, |r, c| rows[r][c]);
    let y = DVector::from_fn(rows.len(), |r, _| cells[r + 1]);
    let mut mean = y.map(|n| n + 0.5);
    let mut solved = None;
    for _ in 0..60 {
        let working = DVector::from_fn(rows.len(), |r, _| libm::log(mean[r]) + (y[r] - mean[r]) / mean[r]);
        let weighted = DMatrix::from_fn(width, rows.len(), |c, r| x[(r, c)] * mean[r]);
        let mut information = &weighted * &x;
        for d in 0..width {
            information[(d, d)] += 1e-9;
        }
        let factor = information.cholesky()?;
        let coefficients = factor.solve(&(weighted * working));
        mean = (&x * &coefficients).map(|eta| libm::exp(eta.clamp(-20.0, 20.0)));
        solved = Some((coefficients, factor.inverse()));
    }
    let (coefficients, covariance) = solved?;
    let deviance: f64 = y
        .iter()
        .zip(mean.iter())
        .map(|(&n, &m)| 2.0 * (if n > 0.0 { n * libm::log(n / m) } else { 0.0 } - n + m))
        .sum();
    let log_sd = covariance[(0, 0)].sqrt();
    Some(Fit { unseen: libm::exp(coefficients[0]), log_sd, aic: deviance + 2.0 * width as f64, pairs })
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::{ObservedCaptures, ObservedTerritory};
    use super::*;

    #[test]
    fn chapman_on_the_textbook_case() {
        // Seber (1982): n1 = 200, n2 = 150, m = 30 gives (201 x 151 / 31) - 1 = 978.06.
        let (unseen, variance) = chapman(170.0, 120.0, 30.0);
        assert!((unseen + 320.0 - 978.065).abs() < 1e-2, "{unseen}");
        assert!((variance - 201.0 * 151.0 * 170.0 * 120.0 / (31.0 * 31.0 * 32.0)).abs() < 1e-6);
    }

    #[test]
    fn three_lists_with_pairs_have_a_closed_form() {
        // n000 = n111 n100 n010 n001 / (n110 n101 n011), Fienberg (1972).
        let mut cells = vec![0.0; 8];
        for (history, n) in
            [(0b111, 40.0), (0b001, 60.0), (0b010, 50.0), (0b100, 45.0), (0b011, 30.0), (0b101, 25.0), (0b110, 20.0)]
        {
            cells[history] = n;
        }
        let fit = log_linear(&cells, 3, true).unwrap();
        let closed = 40.0 * 60.0 * 50.0 * 45.0 / (30.0 * 25.0 * 20.0);
        assert!((fit.unseen - closed).abs() < 1e-4 * closed, "{} {closed}", fit.unseen);
    }

    #[test]
    fn identical_lists_leave_no_one_unseen_and_do_not_panic() {
        let observed = |counts: Vec<f64>, lists: usize| Observed {
            territories: vec![ObservedTerritory::default()],
            captures: Some(ObservedCaptures {
                lists: (0..lists).map(|l| format!("list {l}")).collect(),
                own: Some(0),
                counts: vec![Some(counts)],
            }),
            ..Default::default()
        };
        assert!(estimate(&observed(vec![0.0, 0.0, 0.0, 90.0], 2)).is_none());
        let _ = estimate(&observed(vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 90.0], 3));
    }
}
