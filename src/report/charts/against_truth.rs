//! Estimates with their intervals against what was hidden from them.

use super::super::colour;
use super::super::error::ReportError;
use super::super::figure::Unit;
use super::super::font::{self, Weight};
use super::super::scale::ticks;
use super::super::svg::{Anchor, Type};
use super::pen::{Axis, heading_height, picture};
use crate::stats::Summary;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 84.0;

/// A territory in the chart.
pub struct TruthPoint {
    pub truth: f64,
    pub estimate: Summary,
    /// Whether the scores count it; the others are grey.
    pub scored: bool,
}

/// What the chart says in words.
pub struct TruthChart<'a> {
    pub file: &'a str,
    pub title: &'a str,
    pub subtitle: &'a str,
    pub unit: &'a Unit,
    /// Under the horizontal and above the vertical axis.
    pub axes: [&'a str; 2],
}

/// The chart as SVG. Both axes are square roots: counts scatter evenly on them, and zero has a place.
///
/// # Errors
/// When the chart cannot be drawn.
pub fn against_truth(chart: &TruthChart<'_>, points: &[TruthPoint]) -> Result<String, ReportError> {
    let lines = font::wrapped(chart.subtitle, 12.0, Weight::Regular, WIDTH)?.len();
    let top = heading_height(lines) + 26.0;
    let right = WIDTH - 16.0;
    let root = |value: f64| value.max(0.0).sqrt();
    let most_of = |value: fn(&TruthPoint) -> f64| points.iter().map(value).fold(0.0, f64::max);
    let (across, up) = (root(most_of(|point| point.truth)), root(most_of(|point| point.estimate.q95)));
    let x_axis = Axis::new((0.0, 1.04 * across), (LEFT, right));
    let y_axis = Axis::new((0.0, 1.04 * up.max(0.5 * across)), (top + HEIGHT, top));
    let (x, y) = (|value: f64| x_axis.at(root(value)), |value: f64| y_axis.at(root(value)));
    picture(chart.file, chart.title, (WIDTH, top + HEIGHT + 44.0), |pen| {
        pen.heading(chart.title, chart.subtitle, WIDTH)?;
        let small = Type::new(11.0, Weight::Regular).grey();
        pen.text((0.0, top - 14.0), chart.axes[1], small)?;
        for tick in root_ticks(y_axis.high * y_axis.high) {
            pen.line(&[(LEFT, y(tick)), (right, y(tick))], colour::RULE, 1.0)?;
            pen.text((LEFT - 8.0, y(tick)), &chart.unit.bare(tick), small.anchored(Anchor::End))?;
        }
        for tick in root_ticks(x_axis.high * x_axis.high) {
            pen.line(&[(x(tick), top + HEIGHT), (x(tick), top + HEIGHT + 4.0)], colour::GREY, 1.0)?;
            pen.text((x(tick), top + HEIGHT + 13.0), &chart.unit.bare(tick), small.anchored(Anchor::Middle))?;
        }
        pen.text(((LEFT + right) / 2.0, top + HEIGHT + 31.0), chart.axes[0], small.anchored(Anchor::Middle))?;
        let end = x_axis.high.min(y_axis.high);
        pen.line(&[(x(0.0), y(0.0)), (x_axis.at(end), y_axis.at(end))], colour::GREY, 1.2)?;
        for point in points.iter().filter(|point| !point.scored).chain(points.iter().filter(|point| point.scored)) {
            let (thin, tone) =
                if point.scored { (colour::BAND_NARROW, colour::ACCENT) } else { (colour::RULE, "#b3bcc4") };
            let at = x(point.truth);
            pen.line(&[(at, y(point.estimate.q05)), (at, y(point.estimate.q95))], thin, 1.6)?;
            pen.line(&[(at, y(point.estimate.q25)), (at, y(point.estimate.q75))], tone, 2.4)?;
            pen.dot((at, y(point.estimate.q50)), 4.2, colour::WHITE)?;
            pen.dot((at, y(point.estimate.q50)), 3.2, tone)?;
        }
        Ok(())
    })
}

/// Round numbers that do not crowd on a square-root axis: halved in steps from the largest.
fn root_ticks(high: f64) -> Vec<f64> {
    let mut out = vec![0.0];
    let largest = ticks(0.0, high, 4);
    let mut finer: Vec<f64> = largest.iter().skip(1).flat_map(|&step| [step, step / 10.0]).collect();
    finer.sort_by(f64::total_cmp);
    for tick in finer {
        let gap = tick.sqrt() - out.last().copied().unwrap_or(0.0_f64).sqrt();
        if gap > 0.09 * high.sqrt() {
            out.push(tick);
        }
    }
    out
}
