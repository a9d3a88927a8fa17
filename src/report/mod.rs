//! Finished results to files for people: tables, maps, plots and one self-contained page. Never simulates.
//!
//! Everything here is a function from [`Findings`] to bytes; `store::write_whole` is the one place that writes them.

mod error;
pub mod export;
mod findings;
#[cfg(test)]
mod fixture;
mod page;

pub use error::ReportError;
pub use export::{OutputFile, calibration_tables};
pub use findings::*;

/// Every file of the output folder but the manifest and the timings: tables, maps, plots and `report.html`.
///
/// # Errors
/// When a figure is not finite, quantiles are out of order, or a picture cannot be drawn.
pub fn render(findings: &Findings) -> Result<Vec<OutputFile>, ReportError> {
    let mut files = export::tables(findings)?;
    files.push(("report.html".to_owned(), page::page(findings)?.into_bytes()));
    Ok(files)
}
