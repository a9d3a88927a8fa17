//! Rows of estimates with their intervals: a dot for the median, a thick line for 50%, a thin one for 90%.

use super::super::colour;
use super::super::error::ReportError;
use super::super::figure::Unit;
use super::super::font::{self, Weight};
use super::super::scale::ticks;
use super::super::svg::{Anchor, Type};
use super::pen::{Axis, heading_height, picture};
use crate::stats::Summary;

const WIDTH: f64 = 720.0;
const ROW: f64 = 24.0;
/// Space between the columns on the right.
const GAP: f64 = 22.0;
const SIZE: f64 = 12.0;

/// One estimate.
pub struct IntervalRow {
    pub label: String,
    pub summary: Summary,
    /// Whether the quartiles are known; otherwise there is no thick line.
    pub quartiles: bool,
    /// Set apart from the others.
    pub strong: bool,
    /// Figures in the columns on the right.
    pub columns: Vec<String>,
}

/// A chart of estimates side by side.
pub struct IntervalChart {
    pub file: String,
    pub title: String,
    pub subtitle: String,
    pub unit: Unit,
    /// Heads of the columns on the right.
    pub columns: Vec<String>,
    /// Whether the axis must show zero.
    pub from_zero: bool,
    pub rows: Vec<IntervalRow>,
}

impl IntervalChart {
    /// The chart as SVG.
    pub fn draw(&self) -> Result<String, ReportError> {
        let lines = font::wrapped(&self.subtitle, SIZE, Weight::Regular, WIDTH)?.len();
        let top = heading_height(lines) + if self.columns.is_empty() { 6.0 } else { 24.0 };
        let bottom = top + ROW * self.rows.len() as f64;
        let mut label_width: f64 = 60.0;
        for row in &self.rows {
            label_width = label_width.max(font::width(&row.label, SIZE, Weight::Semibold)?);
        }
        let label_width = label_width.min(220.0);
        // Right edge of each column, from the widest text in it.
        let mut edges = Vec::new();
        let mut right = WIDTH;
        for column in (0..self.columns.len()).rev() {
            let mut wide = font::width(&self.columns[column], 11.0, Weight::Regular)?;
            for text in self.rows.iter().filter_map(|row| row.columns.get(column)) {
                wide = wide.max(font::width(text, SIZE, Weight::Semibold)?);
            }
            edges.insert(0, right);
            right -= wide + GAP;
        }
        let right = right.max(label_width + 160.0);
        let axis = Axis::new(self.range(), (label_width + 22.0, right));

        picture(&self.file, &self.title, (WIDTH, bottom + 40.0), |pen| {
            pen.heading(&self.title, &self.subtitle, WIDTH)?;
            let small = Type::new(11.0, Weight::Regular).grey();
            for (head, &x) in self.columns.iter().zip(&edges) {
                pen.text((x, top - 12.0), head, small.anchored(Anchor::End))?;
            }
            let mut last_label = f64::NEG_INFINITY;
            for tick in ticks(axis.low, axis.high, 5) {
                let x = axis.at(tick);
                let zero = tick == 0.0;
                pen.line(&[(x, top), (x, bottom)], if zero { colour::GREY } else { colour::RULE }, 1.0)?;
                let text = self.unit.bare(tick);
                let half = font::width(&text, 11.0, Weight::Regular)? / 2.0;
                if x - half > last_label + 8.0 && x + half < right + GAP {
                    pen.text((x, bottom + 12.0), &text, small.anchored(Anchor::Middle))?;
                    last_label = x + half;
                }
            }
            if let Some(caption) = self.unit.caption() {
                let middle = (axis.from + axis.to) / 2.0;
                pen.text((middle, bottom + 29.0), caption, small.anchored(Anchor::Middle))?;
            }
            for (position, row) in self.rows.iter().enumerate() {
                let y = top + ROW * (position as f64 + 0.5);
                let weight = if row.strong { Weight::Semibold } else { Weight::Regular };
                let label = font::shortened(&row.label, SIZE, weight, label_width)?;
                pen.text((0.0, y), &label, Type::new(SIZE, weight))?;
                let tone = if row.strong { colour::ACCENT } else { colour::GREY };
                let thin = if row.strong { colour::BAND_NARROW } else { "#b3bcc4" };
                pen.line(&[(axis.at(row.summary.q05), y), (axis.at(row.summary.q95), y)], thin, 2.0)?;
                if row.quartiles {
                    pen.line(&[(axis.at(row.summary.q25), y), (axis.at(row.summary.q75), y)], tone, 4.5)?;
                }
                pen.dot((axis.at(row.summary.q50), y), 5.4, colour::WHITE)?;
                pen.dot((axis.at(row.summary.q50), y), 4.2, tone)?;
                for (text, &x) in row.columns.iter().zip(&edges) {
                    pen.text((x, y), text, Type::new(SIZE, weight).anchored(Anchor::End))?;
                }
            }
            Ok(())
        })
    }

    fn range(&self) -> (f64, f64) {
        let start = if self.from_zero { (0.0, 0.0) } else { (f64::INFINITY, f64::NEG_INFINITY) };
        self.rows.iter().fold(start, |(low, high), row| (low.min(row.summary.q05), high.max(row.summary.q95)))
    }
}
