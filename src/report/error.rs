//! Why a report could not be made.

/// An error of this module. Each of them is a fault of the figures handed over or of ikiz itself, never of the disk:
/// rendering touches none.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A figure is infinite or not a number.
    #[error(
        "{file}, row {row}: {column} is {value}, which is no figure; nothing was written. Please report this fault"
    )]
    NotFinite { file: &'static str, row: usize, column: String, value: f64 },
    /// The quantiles of a row do not rise.
    #[error(
        "{file}, row {row}: the quantiles are not in order ({quantiles}); nothing was written. Please report this fault"
    )]
    QuantilesOutOfOrder { file: &'static str, row: usize, quantiles: String },
    /// A row of draws is as long as another header.
    #[error("{file}, row {row}: {values} values for {columns} columns; nothing was written. Please report this fault")]
    RowLength { file: &'static str, row: usize, values: usize, columns: usize },
    #[error("a table could not be written: {0}")]
    Csv(#[from] csv::Error),
    #[error("a bundled font could not be read: {0}")]
    Font(&'static str),
    #[error("the chart \"{chart}\" could not be drawn: {reason}")]
    Chart { chart: String, reason: String },
    #[error("the picture {file} could not be made: {reason}")]
    Picture { file: String, reason: String },
    #[error("the page could not be made: {0}")]
    Template(#[from] minijinja::Error),
}
