//! The bundled typeface: Inter, regular and semibold (see `assets/fonts/README.md`). No font of the system is used.

use std::sync::{Arc, OnceLock};

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use resvg::usvg::fontdb::Database;

use super::error::ReportError;

/// Name of the family.
pub const FAMILY: &str = "Inter";

/// The family as written into charts: with what a program without Inter shall use.
const STACK: &str = "Inter, sans-serif";

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.ttf");
const SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.ttf");
/// The same glyphs, compressed, to be inlined in the page.
pub const REGULAR_WOFF2: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.woff2");
pub const SEMIBOLD_WOFF2: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.woff2");

/// plotters writes font sizes divided by this into SVG.
const PLOTTERS_SIZE: f64 = 1.24;

/// A weight that is bundled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Semibold,
}

/// The font as plotters wants it; `size` is in the units of the picture.
///
/// # Errors
/// When the bundled font cannot be read.
pub fn font(size: f64, weight: Weight) -> Result<FontDesc<'static>, ReportError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = REGISTERED.get_or_init(|| {
        register_font(STACK, FontStyle::Normal, REGULAR).is_ok()
            && register_font(STACK, FontStyle::Bold, SEMIBOLD).is_ok()
    });
    if !registered {
        return Err(ReportError::Font(FAMILY));
    }
    let style = match weight {
        Weight::Regular => FontStyle::Normal,
        Weight::Semibold => FontStyle::Bold,
    };
    Ok(FontDesc::new(FontFamily::Name(STACK), size * PLOTTERS_SIZE, style))
}

/// Width of a line of text, in the unit of `size`.
///
/// # Errors
/// When the bundled font cannot be read.
pub fn width(text: &str, size: f64, weight: Weight) -> Result<f64, ReportError> {
    // Measured large, because plotters measures in whole pixels.
    let ((left, _), (right, _)) = font(size * 16.0, weight)?.layout_box(text).map_err(|_| ReportError::Font(FAMILY))?;
    Ok(f64::from(right - left) / 16.0)
}

/// Lines of at most `limit` width, broken at spaces; a word that is longer stands alone.
///
/// # Errors
/// When the bundled font cannot be read.
pub fn wrapped(text: &str, size: f64, weight: Weight, limit: f64) -> Result<Vec<String>, ReportError> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size, weight)? <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    Ok(lines)
}

/// Text cut with an ellipsis so that it is no wider than `limit`.
///
/// # Errors
/// When the bundled font cannot be read.
pub fn shortened(text: &str, size: f64, weight: Weight, limit: f64) -> Result<String, ReportError> {
    if width(text, size, weight)? <= limit {
        return Ok(text.to_owned());
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let cut: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&cut, size, weight)? <= limit {
            return Ok(cut);
        }
    }
    Ok(String::new())
}

/// The fonts for resvg.
pub fn database() -> Arc<Database> {
    static DATABASE: OnceLock<Arc<Database>> = OnceLock::new();
    Arc::clone(DATABASE.get_or_init(|| {
        let mut database = Database::new();
        database.load_font_data(REGULAR.to_vec());
        database.load_font_data(SEMIBOLD.to_vec());
        Arc::new(database)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_measured_with_the_bundled_font() {
        let narrow = width("iiii", 12.0, Weight::Regular).unwrap();
        let wide = width("MMMM", 12.0, Weight::Regular).unwrap();
        assert!(narrow > 5.0 && wide > 2.0 * narrow, "{narrow} {wide}");
        assert!(width("İstanbul", 12.0, Weight::Semibold).unwrap() > width("İstanbul", 12.0, Weight::Regular).unwrap());
    }

    #[test]
    fn text_is_wrapped_and_cut() {
        let lines = wrapped("one two three four", 12.0, Weight::Regular, 60.0).unwrap();
        assert!(lines.len() > 1 && lines.join(" ") == "one two three four", "{lines:?}");
        let cut = shortened("Afyonkarahisar ve çevresi", 12.0, Weight::Regular, 70.0).unwrap();
        assert!(cut.ends_with('…') && width(&cut, 12.0, Weight::Regular).unwrap() <= 70.0, "{cut}");
        assert_eq!(shortened("x", 12.0, Weight::Regular, 0.0).unwrap(), "");
    }

    #[test]
    fn fonts_are_small_and_both_weights_are_there() {
        assert!(REGULAR.len() < 150_000 && SEMIBOLD.len() < 150_000);
        let weights: Vec<u16> = database().faces().map(|face| face.weight.0).collect();
        assert_eq!(weights, [400, 600]);
        assert!(database().faces().all(|face| face.families.iter().any(|(name, _)| name == FAMILY)));
    }
}
