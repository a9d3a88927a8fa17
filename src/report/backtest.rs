//! A backtest as files: two tables, a plot and a small page.

use std::fmt::Write as _;

use super::charts::{Fan, Panel, fans};
use super::error::ReportError;
use super::export::{OutputFile, QUANTILES, Table};
use super::figure::Unit;
use super::raster;
use super::small_page::small_page;
use super::svg::escaped;
use crate::calibrate::Check;
use crate::stats::Summary;
use crate::trial::backtest::{BacktestRow, Case, Measure, Model};
use crate::units::Month;

/// What a backtest found.
#[derive(Debug, Clone)]
pub struct Backtest {
    pub market_name: String,
    pub currency: String,
    pub unit: String,
    pub origins: Vec<Month>,
    pub cases: Vec<Case>,
    pub rows: Vec<BacktestRow>,
    /// Ids of the territories.
    pub names: Vec<String>,
    /// The whole market as observed.
    pub actual: Vec<(Measure, Vec<(Month, f64)>)>,
    /// Checks that the calibration of an origin failed: `run` would have withheld its strategies.
    pub failed: Vec<(Month, Check)>,
}

/// A line of the summary: one scope and measure, by model.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub what: String,
    /// (model in words, WAPE).
    pub wape: Vec<(&'static str, f64)>,
    pub mase: Option<f64>,
    /// Of our 50% and 90% intervals.
    pub cover: Option<(f64, f64)>,
    /// CRPS over that of the seasonal naive forecast.
    pub crps_ratio: Option<f64>,
}

fn words(model: Model) -> &'static str {
    match model {
        Model::Twin => "our error",
        Model::SeasonalNaive => "seasonal naive",
        Model::ExponentialSmoothing => "exponential smoothing",
    }
}

/// The headline figures, all origins together.
pub fn lines(backtest: &Backtest) -> Vec<Line> {
    let mut out = Vec::new();
    for (measure, name) in [(Measure::OwnSales, "our sales"), (Measure::TotalDemand, "category demand")] {
        for (scope, place) in [("market", "whole market"), ("pooled", "by territory")] {
            let value = |model: Model, metric: &str| {
                let of = |row: &&BacktestRow| {
                    row.origin.is_none()
                        && (row.scope, row.measure, row.model, row.metric)
                            == (scope, measure.name(), model.name(), metric)
                };
                backtest.rows.iter().find(of).map(|row| row.value)
            };
            let wape: Vec<(&'static str, f64)> =
                Model::ALL.into_iter().filter_map(|model| Some((words(model), value(model, "wape")?))).collect();
            if wape.is_empty() {
                continue;
            }
            let naive = value(Model::SeasonalNaive, "crps").filter(|crps| *crps > 0.0);
            out.push(Line {
                what: format!("{name}, {place}"),
                wape,
                mase: value(Model::Twin, "mase"),
                cover: value(Model::Twin, "cover50").zip(value(Model::Twin, "cover90")),
                crps_ratio: value(Model::Twin, "crps").zip(naive).map(|(ours, naive)| ours / naive),
            });
        }
    }
    out
}

/// Every file of the folder but the manifest and the timings.
///
/// # Errors
/// When a figure is not finite, quantiles are out of order, or a picture cannot be drawn.
pub fn render_backtest(backtest: &Backtest) -> Result<Vec<OutputFile>, ReportError> {
    let svg = plot(backtest)?;
    let page = page(backtest, &svg).into_bytes();
    Ok(vec![
        ("backtest.csv".to_owned(), scores(&backtest.rows)?),
        ("backtest_months.csv".to_owned(), months(backtest)?),
        ("plots/backtest.png".to_owned(), raster::png(&svg, "backtest")?),
        ("plots/backtest.svg".to_owned(), svg.into_bytes()),
        ("report.html".to_owned(), page),
    ])
}

fn scores(rows: &[BacktestRow]) -> Result<Vec<u8>, ReportError> {
    let header = ["origin", "scope", "territory_id", "measure", "model", "metric", "value", "unit"];
    let mut table = Table::new("backtest.csv", &header)?;
    for row in rows {
        let origin = row.origin.map_or_else(|| "*".to_owned(), |origin| origin.to_string());
        table.texts(&[&origin, row.scope, &row.territory_id, row.measure, row.model, row.metric]);
        table.number(row.value)?;
        table.text(&row.unit);
        table.end_row()?;
    }
    table.bytes()
}

/// Quantiles of a month ahead.
fn of_month(case: &Case, model: usize, month: usize) -> Option<Summary> {
    Summary::of(&case.forecasts[model].draws.iter().map(|draw| draw[month]).collect::<Vec<_>>())
}

fn months(backtest: &Backtest) -> Result<Vec<u8>, ReportError> {
    let mut header = vec!["origin", "period", "territory_id", "measure", "model", "unit", "point", "mean", "sd"];
    header.extend(QUANTILES);
    header.push("actual");
    let mut table = Table::new("backtest_months.csv", &header)?;
    for case in &backtest.cases {
        let place = case.territory.map_or("*", |j| backtest.names[j].as_str());
        for (position, model) in Model::ALL.into_iter().enumerate() {
            for (month, &actual) in case.actual.iter().enumerate() {
                let Some(summary) = of_month(case, position, month) else { continue };
                let period = case.origin.plus(1 + month as i32).to_string();
                let origin = case.origin.to_string();
                table.texts(&[&origin, &period, place, case.measure.name(), model.name(), &backtest.unit]);
                table.number(case.forecasts[position].point[month])?;
                table.moments(&summary)?;
                table.quantiles(Some(&summary))?;
                table.number(actual)?;
                table.end_row()?;
            }
        }
    }
    table.bytes()
}

fn plot(backtest: &Backtest) -> Result<String, ReportError> {
    let mut panels = Vec::new();
    for (measure, title) in
        [(Measure::OwnSales, "Our sales"), (Measure::TotalDemand, "Category demand, ours and the rivals'")]
    {
        let whole = backtest.cases.iter().filter(|case| case.measure == measure && case.territory.is_none());
        let fans: Vec<Fan> = whole
            .map(|case| Fan {
                origin: case.origin,
                months: (0..case.actual.len())
                    .filter_map(|h| Some((case.origin.plus(1 + h as i32), of_month(case, 0, h)?)))
                    .collect(),
            })
            .collect();
        if fans.is_empty() {
            continue;
        }
        let unit = Unit::new(&backtest.unit, &backtest.currency);
        let past = backtest.actual.iter().find(|(of, _)| *of == measure).map(|(_, past)| past.clone());
        panels.push(Panel {
            title: format!("{title}, {} a month", unit.head()),
            unit,
            past: past.unwrap_or_default(),
            fans,
        });
    }
    let subtitle = "Each fan was forecast from what was known at its upright line. Black: what came; blue: the median; dark \
                    band: 50%, light band: 90%.";
    fans("backtest", "What would have been forecast, and what came", subtitle, &panels)
}

fn page(backtest: &Backtest, plot: &str) -> String {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let mut rows = String::new();
    for line in lines(backtest) {
        let wape = |model: Model| {
            line.wape
                .iter()
                .find(|(name, _)| *name == words(model))
                .map_or_else(String::new, |(_, wape)| percent(*wape))
        };
        let two = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            line.what,
            wape(Model::Twin),
            wape(Model::SeasonalNaive),
            wape(Model::ExponentialSmoothing),
            two(line.mase),
            two(line.crps_ratio),
            two(line.cover.map(|cover| cover.0)),
            two(line.cover.map(|cover| cover.1)),
        );
    }
    let origins: Vec<String> = backtest.origins.iter().map(Month::to_string).collect();
    let failed = failed_words(backtest).map_or_else(String::new, |words| format!("<p>{}</p>\n", escaped(&words)));
    let body = format!(
        "<p>The market was cut to what was known at the end of {origins}, calibrated on \
         that alone, and forecast 12 months ahead with the effort of that time carried on. Calls made since are not known to the forecast.</p>\n\
         <p>Errors are shares of what came (WAPE, by month). MASE is our error over that of the seasonal naive forecast, CRPS the same of \
         the whole distribution: below 1 is better than \u{201c}as last year\u{201d}. Intervals should hold 0.50 and 0.90 of the months.</p>\n\
         {failed}<figure>{plot}</figure>\n<table><tr><th></th><th class=\"n\">our error</th><th class=\"n\">seasonal naive</th>\
         <th class=\"n\">exponential smoothing</th><th class=\"n\">MASE</th><th class=\"n\">CRPS</th><th class=\"n\">in 50%</th>\
         <th class=\"n\">in 90%</th></tr>\n{rows}</table>\n<p>By origin and by territory: backtest.csv; month by month: \
         backtest_months.csv. Audited outlets, sizes and covariates are those of today; lists are left out.</p>\n",
        origins = origins.join(", "),
    );
    small_page(&format!("{}: backtest", escaped(&backtest.market_name)), 760, &body)
}

/// Which calibrations failed a check; `None` when all passed.
pub fn failed_words(backtest: &Backtest) -> Option<String> {
    let each: Vec<String> =
        backtest.failed.iter().map(|(origin, check)| format!("{origin}: {}: {}", check.name, check.finding)).collect();
    (!each.is_empty())
        .then(|| format!("Calibrations that failed a check, and are scored all the same: {}", each.join("; ")))
}
