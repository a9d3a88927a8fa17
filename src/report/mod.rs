//! Finished results to files for people: tables, maps, plots and one self-contained page. Never simulates.
//!
//! Everything here is a function from [`Findings`] to bytes; `store::write_whole` is the one place that writes them.

mod colour;
mod error;
pub mod export;
mod figure;
mod findings;
#[cfg(test)]
mod fixture;
mod font;
mod maps;
mod page;
mod potential_index;
mod raster;
mod scale;
mod svg;

pub use error::ReportError;
pub use export::OutputFile;
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
