//! The market as of 24 months ago, and who has been found since; see the module's head.

use rand_distr::{Binomial, Distribution as _};
use serde::Serialize;

use super::TrialError;
use super::score::{HideRow, HideScore, pit, rank_correlation};
use crate::market::Market;
use crate::potential::{DarkHalf, Observed};
use crate::rng::Stream;
use crate::stats::{Summary, mean_sd};
use crate::units::MonthSpan;

/// Months that the trial goes back.
pub const MONTHS_BACK: usize = 24;

/// Months of history that must be left.
const LEAST_LEFT: usize = 24;

/// Territories in which fewer are expected are not scored: z is no standard score there.
const LEAST_EXPECTED: f64 = 1.0;

/// By how much the headline interval is to be widened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Calibration {
    /// Multiplies the log-scale deviation of the interval of dark customers; at least 1.
    pub factor: f64,
    /// Standard error of the factor before it is held at 1.
    pub standard_error: f64,
    /// `sqrt(mean z^2)` as found; below 1 the interval is wider than needed, and stays so.
    pub found: f64,
}

impl Calibration {
    /// A summary of positive draws with its spread on the log scale multiplied by the factor. Moments are left as they are.
    pub fn widened(&self, summary: &Summary) -> Summary {
        let centre = summary.q50;
        let wide = |q: f64| if q > 0.0 && centre > 0.0 { centre * libm::pow(q / centre, self.factor) } else { q };
        Summary {
            q05: wide(summary.q05),
            q25: wide(summary.q25),
            q75: wide(summary.q75),
            q95: wide(summary.q95),
            ..*summary
        }
    }
}

/// The market as it was [`MONTHS_BACK`] months before the end of its history. Customers first known since are still in it.
///
/// # Errors
/// When fewer than 24 months would be left, or most customers have no `first_known`.
pub fn as_of(market: &Market) -> Result<Market, TrialError> {
    let months = market.months();
    if months < MONTHS_BACK + LEAST_LEFT {
        return Err(TrialError::ShortHistory { back: MONTHS_BACK, needed: MONTHS_BACK + LEAST_LEFT, months });
    }
    let dates = &market.data.customers.first_known;
    let missing = dates.iter().filter(|date| date.is_none()).count();
    if 2 * missing >= dates.len().max(1) {
        return Err(TrialError::NoDates { missing, all: dates.len() });
    }
    let first = market.history.first;
    let window = MonthSpan { first, last: market.history.last.plus(-(MONTHS_BACK as i32)) };
    Ok(Market::new(market.data.clone(), Some(window), market.unit_price))
}

/// Scores the dark half of the day against the customers found since (those marked in `found`), by territory.
///
/// # Errors
/// When nothing speaks of the number of dark customers, or fewer than 3 territories have any.
pub fn score_recent(
    then: &Observed,
    found: &[bool],
    dark: &DarkHalf,
    seed: u64,
) -> Result<(Vec<HideRow>, Vec<HideScore>, Calibration), TrialError> {
    if !dark.basis.customers {
        return Err(TrialError::NoBasis);
    }
    let counts = |wanted: bool| -> Vec<f64> {
        let count = |range: std::ops::Range<usize>| range.filter(|&i| found[i] == wanted).count() as f64;
        then.territories.iter().map(|territory| count(territory.customers.clone())).collect()
    };
    let (found, known) = (counts(true), counts(false));
    let compared: Vec<usize> = (0..then.territories.len()).filter(|&j| then.territories[j].outlets.is_none()).collect();
    let all: f64 = compared.iter().map(|&j| found[j]).sum();
    let totals: Vec<f64> =
        dark.dark_customers.iter().map(|draw| compared.iter().map(|&j| draw[j]).sum::<f64>()).collect();
    let (mut rows, mut squares, mut estimated, mut unexpected) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for &j in &compared {
        let draws = || dark.dark_customers.iter().map(|draw| draw[j]);
        let share: Vec<f64> = draws()
            .zip(&totals)
            .map(|(count, total)| if *total > 0.0 { (count / total).clamp(0.0, 1.0) } else { 0.0 })
            .collect();
        let (mean, sd) = mean_sd(&share);
        let thinned = share.iter().map(|s| s * (1.0 - s)).sum::<f64>() / share.len() as f64;
        let variance = all * thinned + all * all * sd * sd;
        let mut rng = Stream::new(seed, "trial/found", j as u64);
        let predicted: Vec<f64> = share
            .iter()
            .map(|&s| Binomial::new(all as u64, s).map_or(0.0, |binomial| binomial.sample(&mut rng) as f64))
            .collect();
        // Chosen by the estimate alone, so that the mean of z^2 is still 1 among those scored.
        let scored = all * mean >= LEAST_EXPECTED && variance > 0.0;
        if scored {
            let z = (found[j] - all * mean) / variance.sqrt();
            squares.push(z * z);
        } else {
            unexpected += found[j];
        }
        estimated.push(mean_sd(&draws().collect::<Vec<_>>()).0);
        rows.push(HideRow {
            territory_id: then.territories[j].id.clone(),
            measure: "found_customers".into(),
            unit: "customers".into(),
            hidden: found[j],
            still_dark: None,
            estimate: Summary::of(&predicted).ok_or(TrialError::NotFinite)?,
            pit: pit(&predicted, found[j]),
            scored,
        });
    }
    let count = squares.len();
    if count < 3 {
        return Err(TrialError::FewTerritories { count, needed: 3 });
    }
    let (mean, sd) = mean_sd(&squares);
    let found_factor = mean.sqrt();
    let calibration = Calibration {
        factor: found_factor.max(1.0),
        standard_error: sd / (count as f64).sqrt() / (2.0 * found_factor.max(1e-9)),
        found: found_factor,
    };
    let scored = || rows.iter().filter(|row: &&HideRow| row.scored);
    let inside = |low: fn(&Summary) -> f64, high: fn(&Summary) -> f64| {
        let within = |row: &&HideRow| low(&row.estimate) <= row.hidden && row.hidden <= high(&row.estimate);
        scored().filter(within).count() as f64 / count as f64
    };
    let missed: f64 = rows.iter().map(|row| (row.hidden - row.estimate.mean).abs()).sum();
    let score = |score: &str, value: f64, expected: Option<f64>| HideScore {
        measure: "found_customers".into(),
        score: score.into(),
        value,
        expected,
        territories: count,
    };
    let mut scores = vec![
        score("cover50", inside(|s| s.q25, |s| s.q75), Some(0.5)),
        score("cover90", inside(|s| s.q05, |s| s.q95), Some(0.9)),
        score("wape", missed / all.max(1.0), None),
        score("root_mean_square_z", found_factor, Some(1.0)),
        score("calibration_factor", calibration.factor, None),
        score("calibration_factor_standard_error", calibration.standard_error, None),
    ];
    if let Some(mean_total) = Some(mean_sd(&totals).0).filter(|&total| total > 0.0) {
        scores.push(score("finding_rate", all / mean_total, None));
    }
    scores.push(score("found_where_less_than_one_was_expected", unexpected, None));
    let of_compared = |values: &[f64]| -> Vec<f64> { compared.iter().map(|&j| values[j]).collect() };
    if let Some(value) = rank_correlation(&estimated, &of_compared(&found)) {
        scores.push(score("rank_correlation", value, None));
    }
    // What a map of known customers alone would have said.
    if let Some(value) = rank_correlation(&of_compared(&known), &of_compared(&found)) {
        scores.push(score("rank_correlation_of_the_known", value, None));
    }
    Ok((rows, scores, calibration))
}
