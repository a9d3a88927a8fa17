//! What was, and fans of what may be: the future if nothing changes, or the past as it was forecast.

use super::super::colour;
use super::super::error::ReportError;
use super::super::figure::Unit;
use super::super::findings::Findings;
use super::super::font::{self, Weight};
use super::super::scale::ticks;
use super::super::svg::{Anchor, Type};
use super::pen::{Axis, Pen, heading_height, picture};
use crate::stats::Summary;
use crate::strategy::ForecastRow;
use crate::units::Month;

const WIDTH: f64 = 720.0;
const PANEL: f64 = 190.0;
/// Room for the figures of the axis.
const LEFT: f64 = 74.0;
/// Months of the history that are shown.
const PAST: i32 = 60;

/// One measure over time.
pub struct Panel {
    pub title: String,
    pub unit: Unit,
    /// What was observed.
    pub past: Vec<(Month, f64)>,
    pub fans: Vec<Fan>,
}

/// A forecast.
pub struct Fan {
    /// The last month that it knew.
    pub origin: Month,
    pub months: Vec<(Month, Summary)>,
}

/// The forecast of the whole market as SVG; `None` when there is no row of it.
///
/// # Errors
/// When the chart cannot be drawn.
pub fn forecast(findings: &Findings) -> Result<Option<String>, ReportError> {
    let rows = findings.comparison.as_ref().map_or(&[][..], |comparison| &comparison.forecast);
    let since = findings.history.last.plus(1 - PAST);
    let recent = |past: &mut Vec<(Month, f64)>| past.retain(|(month, _)| *month >= since);
    let mut panels = Vec::new();
    for (measure, title) in [("own_sales", "Our sales"), ("total_demand", "Category demand, ours and the rivals'")] {
        let of_measure: Vec<&ForecastRow> =
            rows.iter().filter(|row| row.territory_id == "*" && row.measure == measure).collect();
        let mut future: Vec<(Month, Summary)> =
            of_measure.iter().filter_map(|row| Some((row.period, row.summary?))).collect();
        future.sort_by_key(|(month, _)| *month);
        let Some(unit) = of_measure.first().map(|row| row.unit.as_str()).filter(|_| !future.is_empty()) else {
            continue;
        };
        let mut past: Vec<(Month, f64)> = match measure {
            "own_sales" => findings.own_sales.clone(),
            _ => findings.market_demand.iter().filter_map(|(month, value)| Some((*month, (*value)?))).collect(),
        };
        recent(&mut past);
        panels.push(Panel {
            title: format!("{title}, {} a month", Unit::new(unit, &findings.currency).head()),
            unit: Unit::new(unit, &findings.currency),
            past,
            fans: vec![Fan { origin: findings.history.last, months: future }],
        });
    }
    if panels.is_empty() {
        return Ok(None);
    }
    let title = "Forecast of the whole market";
    let baseline = findings.baseline.as_deref().map_or_else(String::new, |name| format!(" “{name}”"));
    let subtitle = format!(
        "Under the baseline{baseline}. Line: what was sold; after {}, the median. Dark band: 50% of runs, \
         light band: 90%.",
        findings.history.last
    );
    fans("forecast", title, &subtitle, &panels).map(Some)
}

/// Panels under each other over the same months.
///
/// # Errors
/// When the chart cannot be drawn.
pub fn fans(file: &str, title: &str, subtitle: &str, panels: &[Panel]) -> Result<String, ReportError> {
    let months = panels.iter().flat_map(|panel| {
        let ahead = panel.fans.iter().flat_map(|fan| std::iter::once(fan.origin).chain(fan.months.iter().map(|m| m.0)));
        panel.past.iter().map(|point| point.0).chain(ahead)
    });
    let Some((first, last)) = months.fold(None, |span: Option<(Month, Month)>, month| {
        Some(span.map_or((month, month), |(first, last)| (first.min(month), last.max(month))))
    }) else {
        return picture(file, title, (WIDTH, heading_height(1)), |pen| {
            pen.heading(title, "Nothing to show.", WIDTH).map(|_| ())
        });
    };
    let lines = font::wrapped(subtitle, 12.0, Weight::Regular, WIDTH)?.len();
    let top = heading_height(lines);
    let height = top + (PANEL + 34.0) * panels.len() as f64 + 22.0;
    let axis = Axis::new((0.0, f64::from(last.since(first))), (LEFT, WIDTH - 10.0));
    let x = |month: Month| axis.at(f64::from(month.since(first)));
    picture(file, title, (WIDTH, height), |pen| {
        pen.heading(title, subtitle, WIDTH)?;
        for (position, panel) in panels.iter().enumerate() {
            let top = top + (PANEL + 34.0) * position as f64;
            panel.draw(pen, top, &x)?;
        }
        years(pen, first, last, &x, height - 12.0)
    })
}

impl Panel {
    fn draw(&self, pen: &Pen, top: f64, x: &impl Fn(Month) -> f64) -> Result<(), ReportError> {
        pen.text((0.0, top + 12.0), &self.title, Type::new(12.0, Weight::Semibold))?;
        let (from, to) = (top + 28.0 + PANEL, top + 28.0);
        let past = || self.past.iter().map(|point| point.1);
        let ahead = || self.fans.iter().flat_map(|fan| fan.months.iter().map(|month| month.1));
        let highest = past().chain(ahead().map(|summary| summary.q95)).fold(0.0, f64::max);
        let lowest = past().chain(ahead().map(|summary| summary.q05)).fold(0.0, f64::min);
        let y = Axis::new((lowest, highest), (from, to));
        let small = Type::new(11.0, Weight::Regular).grey();
        for tick in ticks(y.low, y.high, 4) {
            let line = if tick == 0.0 { colour::GREY } else { colour::RULE };
            pen.line(&[(LEFT, y.at(tick)), (WIDTH - 10.0, y.at(tick))], line, 1.0)?;
            pen.text((LEFT - 8.0, y.at(tick)), &self.unit.bare(tick), small.anchored(Anchor::End))?;
        }
        for fan in &self.fans {
            self.draw_fan(pen, fan, x, &|value| y.at(value), (from, to))?;
        }
        // Months that are missing break the line.
        for run in self.past.chunk_by(|left, right| right.0.since(left.0) == 1) {
            let points: Vec<(f64, f64)> = run.iter().map(|(month, value)| (x(*month), y.at(*value))).collect();
            pen.line(&points, colour::INK, 1.6)?;
        }
        Ok(())
    }

    fn draw_fan(
        &self,
        pen: &Pen,
        fan: &Fan,
        x: &impl Fn(Month) -> f64,
        y: &impl Fn(f64) -> f64,
        (from, to): (f64, f64),
    ) -> Result<(), ReportError> {
        let end = x(fan.origin);
        pen.line(&[(end, from), (end, to - 6.0)], colour::GREY, 0.8)?;
        pen.text((end + 6.0, to - 4.0), "forecast →", Type::new(11.0, Weight::Regular).grey())?;

        // The fan opens at the last month that was known.
        let joint = self.past.iter().find(|(month, _)| *month == fan.origin).copied();
        let band = |low: fn(&Summary) -> f64, high: fn(&Summary) -> f64| -> Vec<(f64, f64)> {
            let start = joint.map(|(month, value)| (x(month), y(value)));
            let upper = fan.months.iter().map(|(month, summary)| (x(*month), y(high(summary))));
            let lower = fan.months.iter().rev().map(|(month, summary)| (x(*month), y(low(summary))));
            start.into_iter().chain(upper).chain(lower).collect()
        };
        pen.polygon(&band(|s| s.q05, |s| s.q95), colour::BAND_WIDE)?;
        pen.polygon(&band(|s| s.q25, |s| s.q75), colour::BAND_NARROW)?;
        let median = joint
            .map(|(month, value)| (x(month), y(value)))
            .into_iter()
            .chain(fan.months.iter().map(|(month, summary)| (x(*month), y(summary.q50))));
        pen.line(&median.collect::<Vec<_>>(), colour::ACCENT, 1.8)
    }
}

/// The years under the panels, each at its January; every second where they would touch.
fn years(pen: &Pen, first: Month, last: Month, x: &impl Fn(Month) -> f64, y: f64) -> Result<(), ReportError> {
    let how = Type::new(11.0, Weight::Regular).grey().anchored(Anchor::Middle);
    let step = 1 + (last.since(first) / 12) / 14;
    let mut labelled = 0;
    for ahead in 0..=last.since(first) {
        let month = first.plus(ahead);
        if month.of_year() == 0 && (month.year() - first.year()) % step == 0 {
            pen.line(&[(x(month), y - 14.0), (x(month), y - 9.0)], colour::GREY, 1.0)?;
            pen.text((x(month), y), &month.year().to_string(), how)?;
            labelled += 1;
        }
    }
    if labelled == 0 {
        pen.text((x(first).max(30.0), y), &first.to_string(), how)?;
    }
    Ok(())
}
