//! What charts are drawn with: plotters' elements on an SVG canvas ten times as fine as a pixel, because plotters
//! counts in whole units.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBColor, ShapeStyle, TextStyle};

use super::super::colour;
use super::super::error::ReportError;
use super::super::font::{self, Weight};
use super::super::svg::{Anchor, Type, escaped, printable};

/// Units of the canvas in a pixel.
const FINE: f64 = 10.0;

/// Draws on one chart; lengths in pixels.
pub struct Pen<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    chart: &'a str,
}

/// A chart as SVG: `paint` draws it on white.
///
/// # Errors
/// When plotters fails or the bundled font cannot be read.
pub fn picture(
    chart: &str,
    title: &str,
    (width, height): (f64, f64),
    paint: impl FnOnce(&Pen) -> Result<(), ReportError>,
) -> Result<String, ReportError> {
    let (fine_width, fine_height) = ((width * FINE).ceil() as u32, (height * FINE).ceil() as u32);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (fine_width, fine_height)).into_drawing_area();
        let pen = Pen { area, chart };
        pen.rectangle((0.0, 0.0), (width, height), colour::WHITE)?;
        paint(&pen)?;
        pen.area.present().map_err(|error| pen.fault(&error))?;
    }
    let body = text.find('>').map_or("", |end| &text[end + 1..]);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {fine_width} {fine_height}\" role=\"img\" aria-label=\"{}\">{}",
        escaped(title),
        body.trim_start()
    ))
}

fn paint(colour: &str) -> RGBColor {
    let (red, green, blue) = colour::rgb(colour);
    RGBColor(red, green, blue)
}

/// Pixels to units of the canvas; what is far outside stays near, so that nothing overflows.
fn fine((x, y): (f64, f64)) -> (i32, i32) {
    let unit = |pixels: f64| (pixels.clamp(-1e5, 1e5) * FINE).round() as i32;
    (unit(x), unit(y))
}

impl Pen<'_> {
    fn fault(&self, error: &impl std::fmt::Display) -> ReportError {
        ReportError::Chart { chart: self.chart.to_owned(), reason: error.to_string() }
    }

    /// `y` is the middle of the letters.
    pub fn text(&self, at: (f64, f64), text: &str, how: Type) -> Result<(), ReportError> {
        let horizontal = match how.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let tone = paint(how.colour);
        let style = TextStyle::from(font::font(how.size * FINE, how.weight)?)
            .color(&tone)
            .pos(Pos::new(horizontal, VPos::Center));
        let text: String = text.chars().map(printable).collect();
        self.area.draw(&Text::new(text, fine(at), style)).map_err(|error| self.fault(&error))
    }

    pub fn rectangle(&self, (x, y): (f64, f64), (wide, high): (f64, f64), fill: &str) -> Result<(), ReportError> {
        let corners = [fine((x, y)), fine((x + wide, y + high))];
        self.area.draw(&Rectangle::new(corners, paint(fill))).map_err(|error| self.fault(&error))
    }

    pub fn polygon(&self, points: &[(f64, f64)], fill: &str) -> Result<(), ReportError> {
        let points: Vec<(i32, i32)> = points.iter().copied().map(fine).collect();
        self.area.draw(&Polygon::new(points, paint(fill))).map_err(|error| self.fault(&error))
    }

    pub fn line(&self, points: &[(f64, f64)], colour: &str, width: f64) -> Result<(), ReportError> {
        let points: Vec<(i32, i32)> = points.iter().copied().map(fine).collect();
        let style = ShapeStyle::from(&paint(colour)).stroke_width((width * FINE).round() as u32);
        self.area.draw(&PathElement::new(points, style)).map_err(|error| self.fault(&error))
    }

    pub fn dot(&self, at: (f64, f64), radius: f64, fill: &str) -> Result<(), ReportError> {
        let style = ShapeStyle::from(&paint(fill)).filled();
        self.area
            .draw(&Circle::new(fine(at), (radius * FINE).round() as i32, style))
            .map_err(|error| self.fault(&error))
    }

    /// Title and wrapped subtitle at the top; gives the height they take.
    pub fn heading(&self, title: &str, subtitle: &str, width: f64) -> Result<f64, ReportError> {
        self.text((0.0, 14.0), title, Type::new(15.0, Weight::Semibold))?;
        let lines = font::wrapped(subtitle, 12.0, Weight::Regular, width)?;
        for (line, text) in lines.iter().enumerate() {
            self.text((0.0, 35.0 + 16.0 * line as f64), text, Type::new(12.0, Weight::Regular).grey())?;
        }
        Ok(heading_height(lines.len()))
    }
}

/// Height of title and a subtitle of so many lines.
pub fn heading_height(lines: usize) -> f64 {
    28.0 + 16.0 * lines as f64
}

/// A number range along pixels.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub from: f64,
    pub to: f64,
}

impl Axis {
    /// Widened so that it is never empty.
    pub fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
        // Numbers near the largest there are have no room around them.
        let (low, high) = if high > low { (low, high) } else { (low * 0.5, high * 1.5) };
        Self { low, high, from, to }
    }

    pub fn at(self, value: f64) -> f64 {
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        let pixels = self.from + share * (self.to - self.from);
        if pixels.is_finite() { pixels } else { self.from }
    }
}
