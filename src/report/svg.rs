//! A small builder of SVG for the maps, whose polygons have holes that plotters cannot draw.

use std::fmt::Write as _;

use super::colour;
use super::font::{FAMILY, Weight};

/// A picture in the making; lengths in pixels.
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
}

/// Where text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    pub size: f64,
    pub weight: Weight,
    pub colour: &'static str,
    pub anchor: Anchor,
    /// White around the letters, to be read on a map.
    pub halo: bool,
}

impl Type {
    /// Dark text without halo that starts at its point.
    pub fn new(size: f64, weight: Weight) -> Self {
        Self { size, weight, colour: colour::INK, anchor: Anchor::Start, halo: false }
    }

    pub fn grey(self) -> Self {
        Self { colour: colour::GREY, ..self }
    }

    pub fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    pub fn with_halo(self) -> Self {
        Self { halo: true, ..self }
    }
}

impl Svg {
    pub fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    /// A filled shape with a thin outline; `data` as in the attribute `d` of a path, holes by the even-odd rule. The
    /// title is what a browser shows under the pointer.
    pub fn shape(&mut self, data: &str, fill: &str, title: &str) {
        let _ = writeln!(
            self.body,
            "<path d=\"{data}\" fill=\"{fill}\" fill-rule=\"evenodd\" stroke=\"#ffffff\" stroke-width=\"0.7\" \
             stroke-linejoin=\"round\"><title>{}</title></path>",
            escaped(title)
        );
    }

    /// What follows is drawn this much lower, until [`Svg::end_shift`].
    pub fn begin_shift(&mut self, down: f64) {
        let _ = writeln!(self.body, "<g transform=\"translate(0 {down:.1})\">");
    }

    pub fn end_shift(&mut self) {
        self.body.push_str("</g>\n");
    }

    pub fn circle(&mut self, (x, y): (f64, f64), radius: f64, fill: &str, title: &str) {
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{fill}\" stroke=\"#ffffff\" \
             stroke-width=\"0.7\"><title>{}</title></circle>",
            escaped(title)
        );
    }

    pub fn rectangle(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
        );
    }

    /// `y` is the line the letters stand on.
    pub fn text(&mut self, (x, y): (f64, f64), text: &str, how: Type) {
        let weight = match how.weight {
            Weight::Regular => 400,
            Weight::Semibold => 600,
        };
        let anchor = match how.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let halo = if how.halo {
            " stroke=\"#ffffff\" stroke-width=\"3.2\" stroke-linejoin=\"round\" \
             paint-order=\"stroke\""
        } else {
            ""
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{}\" font-weight=\"{weight}\" fill=\"{}\" \
             text-anchor=\"{anchor}\"{halo}>{}</text>",
            how.size,
            how.colour,
            escaped(text)
        );
    }

    /// The whole file.
    pub fn finish(self, title: &str) -> String {
        let Self { body, width, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FAMILY}, sans-serif\" role=\"img\" \
             aria-label=\"{}\">\n{body}</svg>\n",
            escaped(title)
        )
    }
}

/// Text for between tags and in attributes. Control characters, which XML does not allow, become spaces.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            other => out.push(printable(other)),
        }
    }
    out
}

/// The character, or a space in the place of one that XML does not allow.
pub fn printable(character: char) -> char {
    if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use super::super::raster;
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut svg = Svg::new(100.0, 50.0);
        let hostile = "<script>\u{0}\u{1b}&\"'\u{ffff} Çankırı";
        svg.text((10.0, 20.0), hostile, Type::new(12.0, Weight::Regular).with_halo());
        svg.shape("M0,0L10,0L10,10Z", colour::ACCENT, hostile);
        let text = svg.finish(hostile);
        assert!(raster::parsed(&text).is_ok(), "{text}");
        assert!(!text.contains("<script>"));
    }
}
