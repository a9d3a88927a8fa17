//! No figure that is infinite or not a number gets past this point.
//!
//! The tables check their own rows; what only charts and page show is checked here.

use super::error::ReportError;
use super::findings::Findings;
use crate::stats::Summary;

/// # Errors
/// [`ReportError::NotFinite`] for the first figure that is none.
pub fn check(findings: &Findings) -> Result<(), ReportError> {
    for (row, evidence) in findings.evidence.iter().enumerate() {
        summary(&evidence.estimate, row, &format!("evidence \"{}\"", evidence.name))?;
    }
    for (row, identification) in findings.identification.iter().enumerate() {
        number(identification.contraction, row, "contraction")?;
    }
    for (row, (centre, low, middle, high)) in findings.size_ratio_sensitivity.iter().enumerate() {
        for value in [*centre, *low, *middle, *high] {
            number(value, row, "size ratio")?;
        }
        if !(low <= middle && middle <= high) {
            return Err(ReportError::QuantilesOutOfOrder {
                file: PAGE,
                row,
                quantiles: format!("[{low}, {middle}, {high}]"),
            });
        }
    }
    for (row, (_, value)) in findings.own_sales.iter().enumerate() {
        number(*value, row, "own sales")?;
    }
    for (row, (_, value)) in findings.market_demand.iter().enumerate() {
        value.map_or(Ok(()), |value| number(value, row, "category demand"))?;
    }
    Ok(())
}

const PAGE: &str = "report.html";

fn number(value: f64, row: usize, column: &str) -> Result<(), ReportError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(ReportError::NotFinite { file: PAGE, row, column: column.to_owned(), value })
}

fn summary(of: &Summary, row: usize, column: &str) -> Result<(), ReportError> {
    for value in [of.mean, of.sd, of.q05, of.q25, of.q50, of.q75, of.q95] {
        number(value, row, column)?;
    }
    if [of.q05, of.q25, of.q50, of.q75, of.q95].is_sorted() {
        return Ok(());
    }
    Err(ReportError::QuantilesOutOfOrder { file: PAGE, row, quantiles: format!("{of:?}") })
}
