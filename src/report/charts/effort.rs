//! What could be won as the effort rises: a curve with bands for each measure.

use super::super::colour;
use super::super::error::ReportError;
use super::super::figure::Unit;
use super::super::findings::Findings;
use super::super::font::{self, Weight};
use super::super::scale::ticks;
use super::super::svg::{Anchor, Type};
use super::super::words;
use super::pen::{Axis, Pen, heading_height, picture};
use crate::stats::Summary;

const WIDTH: f64 = 720.0;
const PANEL: f64 = 150.0;
/// Room for the figures of an axis.
const LEFT: f64 = 74.0;
/// From the top of one row of panels to that of the next.
const STEP: f64 = PANEL + 62.0;

/// One measure over effort.
struct Panel {
    title: String,
    unit: Unit,
    points: Vec<(f64, Summary)>,
}

/// The curves of the whole market as SVG; `None` when there are none.
///
/// # Errors
/// When the chart cannot be drawn.
pub fn effort(findings: &Findings) -> Result<Option<String>, ReportError> {
    let mut panels = Vec::new();
    for measure in ["attainable_sales", "untapped_share", "p_won", "attainable_share"] {
        let rows: Vec<_> = findings
            .potential_effort
            .iter()
            .filter(|row| row.territory_id == "*" && row.selection == 1.0 && row.measure == measure)
            .collect();
        let Some(first) = rows.first().filter(|_| rows.len() > 1) else { continue };
        let unit = Unit::new(&first.unit, &findings.currency);
        let title = match measure {
            "attainable_sales" => format!("{}, {} a year", words::measure(measure), unit.head()),
            "untapped_share" => "Untapped share of category demand".to_owned(),
            "p_won" => "P(won), by demand".to_owned(),
            _ => "Our share of a customer, once won".to_owned(),
        };
        panels.push(Panel { title, unit, points: rows.iter().map(|row| (row.calls_per_month, row.summary)).collect() });
    }
    if panels.is_empty() {
        return Ok(None);
    }
    let title = "What more or fewer calls would win";
    let subtitle = "Whole market, by calls a month per customer; rivals and the rate at which dark customers are found \
                    stay as they are. Line: median. Dark band: 50% of draws, light band: 90%.";
    let lines = font::wrapped(subtitle, 12.0, Weight::Regular, WIDTH)?.len();
    let top = heading_height(lines);
    let height = top + STEP * panels.len().div_ceil(2) as f64 + 4.0;
    let svg = picture("effort", title, (WIDTH, height), |pen| {
        pen.heading(title, subtitle, WIDTH)?;
        for (position, panel) in panels.iter().enumerate() {
            let left = if position % 2 == 0 { 0.0 } else { WIDTH / 2.0 + 8.0 };
            panel.draw(pen, (left, top + STEP * (position / 2) as f64))?;
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

impl Panel {
    fn draw(&self, pen: &Pen, (left, top): (f64, f64)) -> Result<(), ReportError> {
        let (begin, end) = (left + LEFT, left + WIDTH / 2.0 - 14.0);
        let (from, to) = (top + 28.0 + PANEL, top + 28.0);
        pen.text((left, top + 12.0), &self.title, Type::new(12.0, Weight::Semibold))?;
        let most = self.points.iter().map(|point| point.0).fold(0.0, f64::max);
        let highest = self.points.iter().map(|point| point.1.q95).fold(0.0, f64::max);
        let lowest = self.points.iter().map(|point| point.1.q05).fold(0.0, f64::min);
        let (x, y) = (Axis::new((0.0, most), (begin, end)), Axis::new((lowest, highest), (from, to)));
        let small = Type::new(11.0, Weight::Regular).grey();
        for tick in ticks(y.low, y.high, 4) {
            let line = if tick == 0.0 { colour::GREY } else { colour::RULE };
            pen.line(&[(begin, y.at(tick)), (end, y.at(tick))], line, 1.0)?;
            pen.text((begin - 8.0, y.at(tick)), &self.unit.bare(tick), small.anchored(Anchor::End))?;
        }
        for tick in ticks(x.low, x.high, 4) {
            pen.text((x.at(tick), from + 12.0), &format!("{tick}"), small.anchored(Anchor::Middle))?;
        }
        let band = |low: fn(&Summary) -> f64, high: fn(&Summary) -> f64| -> Vec<(f64, f64)> {
            let upper = self.points.iter().map(|(calls, summary)| (x.at(*calls), y.at(high(summary))));
            let lower = self.points.iter().rev().map(|(calls, summary)| (x.at(*calls), y.at(low(summary))));
            upper.chain(lower).collect()
        };
        pen.polygon(&band(|s| s.q05, |s| s.q95), colour::BAND_WIDE)?;
        pen.polygon(&band(|s| s.q25, |s| s.q75), colour::BAND_NARROW)?;
        let median: Vec<(f64, f64)> =
            self.points.iter().map(|(calls, summary)| (x.at(*calls), y.at(summary.q50))).collect();
        pen.line(&median, colour::ACCENT, 1.8)?;
        median.iter().try_for_each(|&at| pen.dot(at, 2.2, colour::ACCENT))
    }
}
