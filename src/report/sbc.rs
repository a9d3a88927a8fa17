//! Simulation-based calibration as files: a table, the ranks, a picture and a small page.

use std::fmt::Write as _;

use super::error::ReportError;
use super::export::{OutputFile, Table};
use super::font::Weight;
use super::raster;
use super::small_page::small_page;
use super::svg::{Svg, Type, escaped};
use crate::calibrate::sbc::{ALPHA, Quantity, Sbc};

/// Panels beside each other, and their size.
const COLUMNS: usize = 5;
const PANEL: (f64, f64) = (176.0, 128.0);
/// The plot within a panel: left, top, width, height.
const PLOT: (f64, f64, f64, f64) = (8.0, 26.0, 156.0, 86.0);
const BAND: &str = "#dbe5ee";
const DOT: &str = "#1f5f8b";
const OUTSIDE: &str = "#b3261e";

/// Every file of the folder but the manifest and the timings.
///
/// # Errors
/// When a figure is not finite or the picture cannot be drawn.
pub fn render_sbc(sbc: &Sbc, name: &str) -> Result<Vec<OutputFile>, ReportError> {
    let svg = picture(sbc);
    Ok(vec![
        ("sbc.csv".to_owned(), quantities(sbc)?),
        ("sbc_ranks.csv".to_owned(), ranks(sbc)?),
        ("plots/sbc.png".to_owned(), raster::png(&svg, "sbc")?),
        ("report.html".to_owned(), page(sbc, name, &svg).into_bytes()),
        ("plots/sbc.svg".to_owned(), svg.into_bytes()),
    ])
}

fn quantities(sbc: &Sbc) -> Result<Vec<u8>, ReportError> {
    let mut table = Table::new("sbc.csv", &["quantity", "fits", "mean_rank", "cover90", "p_value", "within_band"])?;
    for quantity in &sbc.quantities {
        table.text(&quantity.name);
        table.number(sbc.fits as f64)?;
        table.number(quantity.mean(sbc.draws))?;
        table.number(quantity.cover90(sbc.draws))?;
        table.number(quantity.p_value)?;
        table.text(if sbc.within(quantity) { "yes" } else { "no" });
        table.end_row()?;
    }
    table.bytes()
}

fn ranks(sbc: &Sbc) -> Result<Vec<u8>, ReportError> {
    let mut table = Table::new("sbc_ranks.csv", &["quantity", "fit", "rank", "of"])?;
    for quantity in &sbc.quantities {
        for (fit, &rank) in quantity.ranks.iter().enumerate() {
            table.text(&quantity.name);
            table.number((fit + 1) as f64)?;
            table.number(rank as f64)?;
            table.number(sbc.draws as f64)?;
            table.end_row()?;
        }
    }
    table.bytes()
}

/// Share of ranks below each point less the share that uniform ranks would have, with the band.
fn picture(sbc: &Sbc) -> String {
    let rows = sbc.quantities.len().div_ceil(COLUMNS);
    let mut svg = Svg::new(PANEL.0 * COLUMNS as f64, PANEL.1 * rows as f64);
    let points = sbc.limits.len();
    let expected = |k: usize| (k + 1) as f64 / (points + 1) as f64;
    let share = |count: usize| count as f64 / sbc.fits.max(1) as f64;
    let furthest = sbc.quantities.iter().flat_map(|quantity| quantity.counts(sbc.draws)).enumerate();
    let furthest = furthest.map(|(n, count)| (share(count) - expected(n % points.max(1))).abs());
    let wide = sbc
        .limits
        .iter()
        .enumerate()
        .flat_map(|(k, limits)| [limits.0, limits.1].map(|limit| (share(limit) - expected(k)).abs()));
    let most = furthest.chain(wide).fold(0.02, f64::max) * 1.08;
    for (n, quantity) in sbc.quantities.iter().enumerate() {
        let (left, top) = (PANEL.0 * (n % COLUMNS) as f64 + PLOT.0, PANEL.1 * (n / COLUMNS) as f64 + PLOT.1);
        let x = |k: usize| left + PLOT.2 * expected(k);
        let y = |difference: f64| top + PLOT.3 * (0.5 - 0.5 * difference / most);
        let outline = |k: usize, limit: usize| format!("{:.1} {:.1}", x(k), y(share(limit) - expected(k)));
        let low = (0..points).map(|k| outline(k, sbc.limits[k].0));
        let high = (0..points).rev().map(|k| outline(k, sbc.limits[k].1));
        let path: Vec<String> = low.chain(high).collect();
        svg.shape(&format!("M{}Z", path.join("L")), BAND, "where all quantities stay in 99 of 100 runs");
        svg.rectangle((left, y(0.0) - 0.5), (PLOT.2, 1.0), "#9aa5af");
        for (k, (count, limits)) in quantity.counts(sbc.draws).into_iter().zip(&sbc.limits).enumerate() {
            let outside = count < limits.0 || count > limits.1;
            let title = format!("{count} of {} truths lie below the {:.0}% quantile", sbc.fits, 100.0 * expected(k));
            let colour = if outside { OUTSIDE } else { DOT };
            svg.circle((x(k), y(share(count) - expected(k))), 2.4, colour, &title);
        }
        let mut how = Type::new(10.5, Weight::Semibold);
        if !sbc.within(quantity) {
            how.colour = OUTSIDE;
        }
        svg.text((left, top - 9.0), &quantity.name, how);
    }
    svg.finish("Ranks of the truths among the posterior draws")
}

/// One sentence on the whole.
pub fn sbc_verdict(sbc: &Sbc) -> String {
    let outside: Vec<&str> = sbc.outside().map(|quantity| quantity.name.as_str()).collect();
    if outside.is_empty() {
        return format!(
            "PASS: the ranks of all {} quantities stay within the simultaneous {:.0}% band",
            sbc.quantities.len(),
            100.0 * (1.0 - ALPHA)
        );
    }
    format!("FAIL: outside the band: {}. Their intervals are not what they say under these priors", outside.join(", "))
}

fn page(sbc: &Sbc, name: &str, plot: &str) -> String {
    let mut rows = String::new();
    let mut sorted: Vec<&Quantity> = sbc.quantities.iter().collect();
    sorted.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    for quantity in sorted {
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td class=\"n\">{:.2}</td><td class=\"n\">{:.2}</td><td class=\"n\">{:.4}</td><td>{}</td></tr>",
            escaped(&quantity.name),
            quantity.mean(sbc.draws),
            quantity.cover90(sbc.draws),
            quantity.p_value,
            if sbc.within(quantity) { "within" } else { "outside" },
        );
    }
    let body = format!(
        "<p><b>{verdict}.</b></p>\n<p>{fits} times a truth was drawn from the \
         priors of the scenario, agents lived it in a small twin, and the result was calibrated like a market of yours. Where the \
         calibration is right, the truth is equally likely to fall anywhere among the draws. Each panel shows the share of truths below \
         the quantiles of their draws, less what it should be: dots above the line on the left and below it on the right are \
         intervals that are too narrow, all above estimates that are too high. The grey band holds all dots of all panels in \
         99 of 100 runs.</p>\n<figure>{plot}</figure>\n<table><tr><th>quantity</th><th class=\"n\">mean rank (0.5)</th><th class=\"n\">in 90% \
         interval</th><th class=\"n\">p</th><th></th></tr>\n{rows}</table>\n<p>The twin has no customers found later, closings, panel or rivals' \
         moves: what those say is not tested here. Rank by rank: sbc_ranks.csv.</p>\n",
        verdict = escaped(&sbc_verdict(sbc)),
        fits = sbc.fits,
    );
    small_page(&format!("{}: is the calibration right?", escaped(name)), 900, &body)
}
