//! `report.html`: one file that needs nothing else, neither a network nor a font of the reader's machine.
//!
//! What it says is put together here as plain values; how it looks is in `assets/report.html`.

mod answer;
mod dark_tables;
mod tables;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use super::error::ReportError;
use super::figure::percent;
use super::findings::Findings;
use super::font;
use super::maps::Maps;
use super::plots::Plots;
use super::potential_index::Potential;
use super::strategies::Strategies;

/// All that the template shows.
#[derive(Serialize)]
struct View<'a> {
    market: &'a str,
    company: &'a str,
    scenario: &'a str,
    version: &'a str,
    seed: u64,
    unit: &'a str,
    currency: &'a str,
    history: String,
    months: usize,
    history_end: String,
    failed: bool,
    fonts: Fonts,
    answer: answer::Answer,
    maps: Vec<Picture>,
    maps_absent: &'a [String],
    against_population: Option<String>,
    explained: Option<String>,
    ranking: Option<String>,
    verdict: Option<&'static str>,
    checks: Vec<tables::CheckLine<'a>>,
    identification: Vec<tables::IdentificationLine<'a>>,
    size_ratio_plot: Option<String>,
    effort_plot: Option<String>,
    selection: Option<tables::Table>,
    segments: Option<tables::Table>,
    missing: &'a [String],
    warnings: &'a [String],
    notes: &'a [String],
    potential: Option<tables::Table>,
    forecast: Option<String>,
    strategies: Option<tables::Table>,
    strategies_plot: Option<String>,
    sensitivity: Option<tables::Table>,
    drivers: Option<tables::Table>,
    triggers: Option<tables::Table>,
    pilots: Option<tables::Table>,
    strategy_warnings: &'a [String],
    monte_carlo: Option<&'a str>,
    baseline: Option<&'a str>,
    withheld: Option<&'a str>,
    compared: bool,
    actions: Option<tables::Table>,
    prospects: Option<tables::Table>,
    targets: usize,
    evidence_plots: Vec<String>,
    evidence: Option<tables::Table>,
    assumptions: Option<tables::Table>,
    parameters: Option<tables::Table>,
    found: Option<tables::Table>,
    settings: &'a [(String, String)],
    inputs: &'a [(String, String)],
}

/// The typeface, inlined.
#[derive(Serialize)]
struct Fonts {
    regular: String,
    semibold: String,
}

/// A picture behind a word that chooses it.
#[derive(Serialize)]
struct Picture {
    file: &'static str,
    tab: &'static str,
    svg: String,
}

/// The page.
///
/// # Errors
/// When the template fails, which is a fault of ikiz.
pub fn page(
    findings: &Findings,
    potential: &Potential,
    strategies: &Strategies,
    maps: &Maps,
    plots: &Plots,
) -> Result<String, ReportError> {
    let failed = findings.failed();
    let plot = |file: &str| plots.drawn.get(file).map(|svg| inline(svg));
    let comparison = findings.comparison.as_ref();
    let view = View {
        market: &findings.market_name,
        company: &findings.company_name,
        scenario: &findings.scenario_name,
        version: &findings.version,
        seed: findings.seed,
        unit: &findings.unit,
        currency: &findings.currency,
        history: findings.history.to_string(),
        months: findings.history.len(),
        history_end: findings.history.last.to_string(),
        failed,
        fonts: Fonts {
            regular: BASE64_STANDARD.encode(font::REGULAR_WOFF2),
            semibold: BASE64_STANDARD.encode(font::SEMIBOLD_WOFF2),
        },
        answer: answer::answer(findings, potential, strategies),
        maps: maps.drawn.iter().map(|map| Picture { file: map.file, tab: map.tab, svg: inline(&map.svg) }).collect(),
        maps_absent: &maps.absent,
        against_population: plot("against_population"),
        explained: plots.explained.map(percent),
        ranking: plot("potential_ranking"),
        verdict: findings.checks.iter().map(|check| check.verdict).max().map(tables::verdict),
        checks: tables::checks(findings),
        identification: tables::identification(findings),
        size_ratio_plot: plot("size_ratio"),
        effort_plot: plot("effort"),
        selection: dark_tables::selection(findings),
        segments: dark_tables::segments(findings),
        missing: &findings.missing,
        warnings: &findings.warnings,
        notes: &findings.calibration_notes,
        potential: tables::potential(findings, potential),
        forecast: plot("forecast"),
        strategies: tables::strategies(findings, strategies),
        strategies_plot: plot("strategies"),
        sensitivity: tables::sensitivity(findings),
        drivers: tables::drivers(findings),
        triggers: tables::triggers(findings),
        pilots: tables::pilots(findings),
        strategy_warnings: comparison.map_or(&[], |comparison| &comparison.warnings),
        monte_carlo: comparison.map(|comparison| comparison.monte_carlo.as_str()).filter(|text| !text.is_empty()),
        baseline: findings.baseline.as_deref(),
        withheld: findings.withheld.as_deref(),
        compared: comparison.is_some(),
        actions: tables::next_actions(findings),
        prospects: tables::prospects(findings),
        targets: comparison.map_or(0, |comparison| comparison.targets.len()),
        evidence_plots: plots.evidence.iter().filter_map(|file| plot(file)).collect(),
        evidence: tables::evidence(findings),
        assumptions: tables::assumptions(findings),
        parameters: tables::parameters(findings),
        found: tables::actions_found(findings),
        settings: &findings.settings,
        inputs: &findings.inputs,
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("report.html", include_str!("../../assets/report.html"))?;
    Ok(environment.get_template("report.html")?.render(Value::from(Serde(&view)))?)
}

/// An SVG file as part of a page: without the namespace, which HTML does not need, and as wide as its place allows.
fn inline(svg: &str) -> String {
    svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}

#[cfg(test)]
mod tests;
