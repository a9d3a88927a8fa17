//! Finished results to files for people: tables, maps, plots and one self-contained page. Never simulates.
//!
//! Everything here is a function from [`Findings`] to bytes; `store::write_whole` is the one place that writes them.

mod backtest;
mod charts;
mod colour;
mod error;
pub mod export;
mod figure;
mod findings;
mod finite;
#[cfg(test)]
mod fixture;
mod font;
mod hide;
mod maps;
mod optimise;
mod page;
mod plots;
mod potential_index;
mod raster;
mod sbc;
mod scale;
mod small_page;
mod strategies;
mod svg;
mod words;

pub use backtest::{Backtest, Line, failed_words, lines, render_backtest};
pub use error::ReportError;
pub use export::{OutputFile, calibration_tables};
pub use findings::*;
pub use hide::{Trial, headline, render_trial, story};
pub use optimise::{optimise_verdict, render_optimise};
pub use sbc::{render_sbc, sbc_verdict};

use self::potential_index::Potential;
use self::strategies::Strategies;

/// Every file of the output folder but the manifest and the timings: tables, maps, plots and `report.html`.
///
/// When a check has failed the potential is marked, and a comparison is withheld even if there is one, unless it is
/// [`Findings::forced`].
///
/// # Errors
/// When a figure is not finite, quantiles are out of order, or a picture cannot be drawn.
pub fn render(findings: &Findings) -> Result<Vec<OutputFile>, ReportError> {
    let failed = findings.failed();
    if failed && findings.comparison.is_some() && !findings.forced {
        return render(&withheld(findings));
    }
    finite::check(findings)?;
    let mut files = export::tables(findings)?;
    let potential = Potential::of(findings);
    let strategies = Strategies::of(findings);
    let maps = maps::maps(findings, &potential, failed)?;
    let plots = plots::plots(findings, &potential, &strategies)?;
    let page = page::page(findings, &potential, &strategies, &maps, &plots)?;
    for map in maps.drawn {
        let png = raster::png(&map.svg, map.file)?;
        files.push((format!("maps/{}.svg", map.file), map.svg.into_bytes()));
        files.push((format!("maps/{}.png", map.file), png));
    }
    for (file, svg) in plots.drawn {
        files.push((format!("plots/{file}.svg"), svg.into_bytes()));
    }
    files.push(("report.html".to_owned(), page.into_bytes()));
    Ok(files)
}

/// The findings without their comparison: nobody shall choose a strategy on a twin that failed a check.
fn withheld(findings: &Findings) -> Findings {
    let reason =
        "a check failed, so the twin is no ground to choose a strategy on; see \u{201c}Checks\u{201d} for what to do";
    let withheld = findings.withheld.clone().or_else(|| Some(reason.to_owned()));
    Findings { comparison: None, withheld, ..findings.clone() }
}

#[cfg(test)]
mod tests;
