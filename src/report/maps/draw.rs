//! One map: title, shapes in the colours of their classes, names of the top territories, legend.

use super::super::colour::{self, Scale};
use super::super::error::ReportError;
use super::super::findings::TerritoryOutline;
use super::super::font::{self, Weight};
use super::super::scale::{class_of, quantile_breaks};
use super::super::svg::{Anchor, Svg, Type};
use super::atlas::{Atlas, WIDTH};

/// Names on a map.
const NAMES: usize = 8;
const NAME_SIZE: f64 = 11.5;
const MARGIN: f64 = 14.0;

/// How values fall into classes.
pub enum Classes {
    /// As many territories in each.
    Quantiles,
    /// Between given breaks.
    Fixed(&'static [f64]),
}

/// What a map shows.
pub struct Map {
    pub title: String,
    pub subtitle: String,
    /// What the colours mean, with the unit.
    pub legend: String,
    /// By territory.
    pub values: Vec<Option<f64>>,
    pub scale: &'static Scale,
    pub classes: Classes,
    /// A value in words.
    pub print: Box<dyn Fn(f64) -> String>,
}

impl Map {
    /// The map as SVG.
    pub fn draw(&self, atlas: &Atlas, territories: &[TerritoryOutline]) -> Result<String, ReportError> {
        let shown: Vec<f64> = self.values.iter().flatten().copied().collect();
        let breaks = match self.classes {
            Classes::Quantiles => quantile_breaks(&shown, 6),
            Classes::Fixed(breaks) => breaks.to_vec(),
        };
        let subtitle = font::wrapped(&self.subtitle, 12.5, Weight::Regular, WIDTH - 2.0 * MARGIN)?;
        let top = 34.0 + 17.0 * subtitle.len() as f64;
        let legend_top = top + atlas.height + 10.0;
        let height = legend_top + 58.0;
        let mut svg = Svg::new(WIDTH, height);
        svg.rectangle((0.0, 0.0), (WIDTH, height), colour::WHITE);
        svg.text((MARGIN, 23.0), &self.title, Type::new(17.0, Weight::Semibold));
        for (line, text) in subtitle.iter().enumerate() {
            svg.text((MARGIN, 43.0 + 17.0 * line as f64), text, Type::new(12.5, Weight::Regular).grey());
        }
        self.territories(&mut svg, atlas, territories, top, &breaks);
        self.names(&mut svg, atlas, territories, top)?;
        self.legend(&mut svg, &shown, legend_top, &breaks);
        Ok(svg.finish(&self.title))
    }

    fn territories(&self, svg: &mut Svg, atlas: &Atlas, territories: &[TerritoryOutline], top: f64, breaks: &[f64]) {
        svg.begin_shift(top);
        for ((place, territory), value) in atlas.places().iter().zip(territories).zip(&self.values) {
            let Some(place) = place else { continue };
            let (fill, words) = match value {
                Some(value) => {
                    (colour::of_class(self.scale, class_of(*value, breaks), breaks.len() + 1), (self.print)(*value))
                }
                None => (colour::NO_DATA, "no estimate".to_owned()),
            };
            let title = format!("{}: {words}", territory.name);
            if place.path.is_empty() {
                svg.circle(place.middle, 6.0, fill, &title);
            } else {
                svg.shape(&place.path, fill, &title);
            }
        }
        svg.end_shift();
    }

    /// Names and values of the territories with the highest values, as many as fit without touching.
    fn names(
        &self,
        svg: &mut Svg,
        atlas: &Atlas,
        territories: &[TerritoryOutline],
        top: f64,
    ) -> Result<(), ReportError> {
        let mut ranked: Vec<(usize, f64)> =
            self.values.iter().enumerate().filter_map(|(position, value)| Some((position, (*value)?))).collect();
        ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        let mut taken: Vec<Frame> = Vec::new();
        for (position, value) in ranked.into_iter().take(NAMES) {
            let (Some(Some(place)), Some(territory)) = (atlas.places().get(position), territories.get(position)) else {
                continue;
            };
            let name = font::shortened(&territory.name, NAME_SIZE, Weight::Semibold, 130.0)?;
            let words = (self.print)(value);
            let wide =
                font::width(&name, NAME_SIZE, Weight::Semibold)?.max(font::width(&words, NAME_SIZE, Weight::Regular)?);
            let half = (wide / 2.0 + 2.0, 14.0);
            let (x, y) = (place.middle.0, place.middle.1 + top);
            let candidates = [
                (x, y),
                (x, y - 16.0),
                (x, y + 16.0),
                (x + half.0, y),
                (x - half.0, y),
                (x + half.0, y - 14.0),
                (x - half.0, y + 14.0),
                (x + half.0, y + 14.0),
                (x - half.0, y - 14.0),
            ];
            let inside = |frame: &Frame| {
                frame.left >= 2.0
                    && frame.right <= WIDTH - 2.0
                    && frame.top >= top - 4.0
                    && frame.bottom <= top + atlas.height + 4.0
            };
            let free = candidates
                .into_iter()
                .map(|middle| Frame::around(middle, half))
                .find(|frame| inside(frame) && !taken.iter().any(|other| other.touches(frame)));
            let Some(frame) = free else { continue };
            let middle = (frame.left + frame.right) / 2.0;
            let how = Type::new(NAME_SIZE, Weight::Semibold).anchored(Anchor::Middle).with_halo();
            svg.text((middle, frame.top + 11.5), &name, how);
            svg.text((middle, frame.top + 24.5), &words, Type { weight: Weight::Regular, ..how });
            taken.push(frame);
        }
        Ok(())
    }

    /// A bar of the classes with the breaks under it; lowest and highest value at its ends.
    fn legend(&self, svg: &mut Svg, shown: &[f64], top: f64, breaks: &[f64]) {
        let lowest = shown.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let small = Type::new(11.5, Weight::Regular);
        svg.text((MARGIN, top + 10.0), &self.legend, small.grey());
        let classes = breaks.len() + 1;
        let wide = (480.0 / classes as f64).min(78.0);
        let bar = top + 18.0;
        for class in 0..classes {
            let fill = colour::of_class(self.scale, class, classes);
            svg.rectangle((MARGIN + wide * class as f64, bar), (wide - 1.0, 11.0), fill);
        }
        let labels = bar + 25.0;
        let fixed = matches!(self.classes, Classes::Fixed(_));
        if !fixed && lowest.is_finite() {
            svg.text((MARGIN, labels), &(self.print)(lowest), small.grey());
        }
        for (position, limit) in breaks.iter().enumerate() {
            let x = MARGIN + wide * (position + 1) as f64;
            svg.text((x, labels), &(self.print)(*limit), small.anchored(Anchor::Middle));
        }
        if !fixed && highest.is_finite() && !breaks.is_empty() {
            let x = MARGIN + wide * classes as f64;
            svg.text((x, labels), &(self.print)(highest), small.anchored(Anchor::End).grey());
        }
        if self.values.iter().any(Option::is_none) {
            let x = MARGIN + wide * classes as f64 + 28.0;
            svg.rectangle((x, bar), (22.0, 11.0), colour::NO_DATA);
            svg.text((x + 28.0, bar + 9.5), "no estimate", small.grey());
        }
    }
}

/// A rectangle that text takes up.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame {
    fn around((x, y): (f64, f64), (wide, high): (f64, f64)) -> Self {
        Self { left: x - wide, right: x + wide, top: y - high, bottom: y + high }
    }

    fn touches(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_touch_when_they_overlap() {
        let frame = Frame::around((10.0, 10.0), (5.0, 5.0));
        assert!(frame.touches(&Frame::around((14.0, 14.0), (5.0, 5.0))));
        assert!(!frame.touches(&Frame::around((21.0, 10.0), (5.0, 5.0))));
    }
}
