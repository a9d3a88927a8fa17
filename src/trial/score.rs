//! The estimate on reduced data against the hidden and those still dark; see the module's head.

use serde::Serialize;

use super::TrialError;
use crate::potential::{DarkHalf, Observed};
use crate::stats::{Summary, mean_sd, quantile_sorted};

/// A row of `hide.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HideRow {
    /// A territory's id, or `*`.
    pub territory_id: String,
    /// `dark_customers`, `dark_demand` or, of `recent`, `found_customers`.
    pub measure: String,
    pub unit: String,
    /// The truth: customers hidden or found since; for those whose activity or wallet is uncertain, the mean of the full fit.
    pub hidden: f64,
    /// Mean of what even the full fit takes as dark; the estimate is of both together. `None` for `recent`.
    pub still_dark: Option<f64>,
    /// The estimate without the hidden.
    pub estimate: Summary,
    /// Where the truth lies in the estimate, 0 to 1.
    pub pit: f64,
    /// Whether the scores count it.
    pub scored: bool,
}

/// A row of `hide_scores.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HideScore {
    pub measure: String,
    pub score: String,
    pub value: f64,
    /// What a right estimate would have, where that is known.
    pub expected: Option<f64>,
    /// Territories that it rests on.
    pub territories: usize,
}

/// One measure in one territory (or the whole market), as draws.
struct Cell {
    hidden: Vec<f64>,
    still: Vec<f64>,
    reduced: Vec<f64>,
    /// What is certainly there.
    floor: f64,
    scored: bool,
}

/// Scores the estimate on the reduced data. `full` and `reduced` are the estimates with and without the hidden.
///
/// # Errors
/// When nothing speaks of the number of dark customers, or fewer than 3 territories can be scored.
pub fn score_hidden(
    observed: &Observed,
    hidden: &[bool],
    full: &DarkHalf,
    reduced: &DarkHalf,
    unit: &str,
) -> Result<(Vec<HideRow>, Vec<HideScore>), TrialError> {
    if !(full.basis.customers && reduced.basis.customers) {
        return Err(TrialError::NoBasis);
    }
    let demand = full.basis.dark_demand() && reduced.basis.dark_demand() && full.basis.demand;
    let (mut rows, mut scores) = (Vec::new(), Vec::new());
    for (measure, unit, of_demand) in [("dark_customers", "customers", false), ("dark_demand", unit, true)] {
        if of_demand && !demand {
            continue;
        }
        let cells = cells(observed, hidden, full, reduced, of_demand);
        let names = observed.territories.iter().map(|territory| territory.id.as_str()).chain(std::iter::once("*"));
        for (name, cell) in names.zip(&cells) {
            rows.push(cell.row(name, measure, unit).ok_or(TrialError::NotFinite)?);
        }
        scores.extend(of_measure(measure, &cells[..cells.len() - 1])?);
        let total = rows.last().map_or(0.5, |row: &HideRow| row.pit);
        scores.push(HideScore {
            measure: measure.into(),
            score: "pit_of_the_total".into(),
            value: total,
            expected: Some(0.5),
            territories: observed.territories.len(),
        });
    }
    Ok((rows, scores))
}

/// Territories in order, then the whole market.
fn cells(observed: &Observed, hidden: &[bool], full: &DarkHalf, reduced: &DarkHalf, of_demand: bool) -> Vec<Cell> {
    let dark = |fit: &DarkHalf, j: usize| -> Vec<f64> {
        let draws = if of_demand { &fit.dark_demand } else { &fit.dark_customers };
        draws.iter().map(|draw| draw[j]).collect()
    };
    let mut cells: Vec<Cell> = observed
        .territories
        .iter()
        .enumerate()
        .map(|(j, territory)| {
            let gone: Vec<usize> = territory.customers.clone().filter(|&i| hidden[i]).collect();
            let in_draw = |wallets: &Vec<f32>| -> f64 {
                let wallet = gone.iter().map(|&i| f64::from(wallets[i]));
                if of_demand { wallet.sum() } else { wallet.filter(|&wallet| wallet > 0.0).count() as f64 }
            };
            let served = gone.iter().map(|&i| &observed.customers[i]).filter(|customer| customer.served);
            Cell {
                hidden: full.wallets.iter().map(in_draw).collect(),
                still: dark(full, j),
                reduced: dark(reduced, j),
                floor: if of_demand { served.map(|customer| customer.own_year).sum() } else { served.count() as f64 },
                scored: of_demand || territory.outlets.is_none(),
            }
        })
        .collect();
    let total = |of: fn(&Cell) -> &Vec<f64>| -> Vec<f64> {
        let draws = cells.first().map_or(0, |cell| of(cell).len());
        (0..draws).map(|d| cells.iter().map(|cell| of(cell)[d]).sum()).collect()
    };
    let whole = Cell {
        hidden: total(|cell| &cell.hidden),
        still: total(|cell| &cell.still),
        reduced: total(|cell| &cell.reduced),
        floor: cells.iter().map(|cell| cell.floor).sum(),
        scored: true,
    };
    cells.push(whole);
    cells
}

impl Cell {
    /// The hidden and those still dark, draw by draw.
    fn together(&self) -> Vec<f64> {
        self.hidden.iter().zip(&self.still).map(|(hidden, still)| hidden + still).collect()
    }

    fn row(&self, name: &str, measure: &str, unit: &str) -> Option<HideRow> {
        let together = self.together();
        Some(HideRow {
            territory_id: name.to_owned(),
            measure: measure.to_owned(),
            unit: unit.to_owned(),
            hidden: mean_sd(&self.hidden).0,
            still_dark: Some(mean_sd(&self.still).0),
            estimate: Summary::of(&self.reduced)?,
            pit: together.iter().map(|&t| pit(&self.reduced, t)).sum::<f64>() / together.len() as f64,
            scored: self.scored,
        })
    }
}

/// Share of draws below `truth`, those equal to it counted half.
pub(super) fn pit(draws: &[f64], truth: f64) -> f64 {
    let below = draws.iter().filter(|&&draw| draw < truth).count() as f64;
    let equal = draws.iter().filter(|&&draw| draw == truth).count() as f64;
    (below + 0.5 * equal) / draws.len() as f64
}

fn of_measure(measure: &str, cells: &[Cell]) -> Result<Vec<HideScore>, TrialError> {
    let scored: Vec<&Cell> = cells.iter().filter(|cell| cell.scored).collect();
    let count = scored.len();
    if count < 3 {
        return Err(TrialError::FewTerritories { count, needed: 3 });
    }
    let (mut in_half, mut in_ninety, mut floor) = (0.0, 0.0, 0.0);
    let (mut missed, mut hidden_sum) = (0.0, 0.0);
    let (mut estimated, mut true_hidden) = (Vec::new(), Vec::new());
    for cell in &scored {
        let mut sorted = cell.reduced.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |level| quantile_sorted(&sorted, level);
        let together = cell.together();
        let inside = |low: f64, high: f64| {
            together.iter().filter(|&&t| low <= t && t <= high).count() as f64 / together.len() as f64
        };
        in_half += inside(at(0.25), at(0.75));
        in_ninety += inside(at(0.05), at(0.95));
        floor += f64::from(u8::from(at(0.95) >= cell.floor * (1.0 - 1e-9)));
        let (reduced, still, hidden) = (mean_sd(&cell.reduced).0, mean_sd(&cell.still).0, mean_sd(&cell.hidden).0);
        missed += (reduced - still - hidden).abs();
        hidden_sum += hidden;
        estimated.push(reduced - still);
        true_hidden.push(hidden);
    }
    let share = |sum: f64| sum / count as f64;
    let row = |score: &str, value: f64, expected: Option<f64>| HideScore {
        measure: measure.into(),
        score: score.into(),
        value,
        expected,
        territories: count,
    };
    let mut out = vec![
        row("cover50", share(in_half), Some(0.5)),
        row("cover90", share(in_ninety), Some(0.9)),
        row("floor", share(floor), Some(1.0)),
    ];
    if hidden_sum > 0.0 {
        out.push(row("wape", missed / hidden_sum, None));
    }
    if let Some(correlation) = rank_correlation(&estimated, &true_hidden) {
        out.push(row("rank_correlation", correlation, None));
    }
    Ok(out)
}

/// Spearman's rank correlation, ties at their mean rank; `None` where all values of one side are equal.
pub(super) fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let ranks = |values: &[f64]| -> Vec<f64> { values.iter().map(|&value| pit(values, value)).collect() };
    let (a, b) = (ranks(a), ranks(b));
    let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_sd(&a), mean_sd(&b));
    let sum: f64 = a.iter().zip(&b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let correlation = sum / (a.len() as f64 - 1.0) / (sd_a * sd_b);
    (sd_a > 1e-12 && sd_b > 1e-12).then_some(correlation).filter(|value| value.is_finite())
}
