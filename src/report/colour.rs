//! Colours of maps, charts and page, in one place.
//!
//! The scales were computed in OKLCH with even steps of lightness, light to dark, so that they are read the same on
//! paper, on a beamer and by colour-blind readers.

/// Text.
pub const INK: &str = "#16202a";
/// Secondary text.
pub const GREY: &str = "#596672";
/// Grid lines and rules.
pub const RULE: &str = "#d8dde2";
/// Territories without an estimate.
pub const NO_DATA: &str = "#e4e6e8";
/// The one accent.
pub const ACCENT: &str = "#00677f";
/// A wide band of the accent (90%).
pub const BAND_WIDE: &str = "#cfe3e8";
/// A narrow band of the accent (50%).
pub const BAND_NARROW: &str = "#8fc1cc";
pub const WHITE: &str = "#ffffff";

/// Steps of a colour scale, from low to high.
pub type Scale = [&'static str; 9];

/// Amounts and shares: pale to deep blue-green.
pub const AMOUNT: Scale =
    ["#f0f3d8", "#cbdeb9", "#a0caa2", "#6fb696", "#37a090", "#00888c", "#006d84", "#005177", "#003666"];
/// Uncertainty: pale sand to brown, so that nobody takes it for an amount.
pub const DOUBT: Scale =
    ["#fbefd6", "#ebd3ae", "#ddb589", "#ce9868", "#bd7b4d", "#a96039", "#92472b", "#783022", "#601818"];
/// Below and above a middle: brown to blue.
pub const AROUND: Scale =
    ["#7f4413", "#b06f35", "#d1a06c", "#e8d0b0", "#f3f4ef", "#b6e1e1", "#71bdc1", "#2d8b9f", "#03577a"];

/// Colour of class `position` of `classes`, spread over the whole scale.
pub fn of_class(scale: &Scale, position: usize, classes: usize) -> &'static str {
    let last = scale.len() - 1;
    let step = if classes < 2 { last / 2 } else { position * last / (classes - 1) };
    scale[step.min(last)]
}

/// Red, green and blue of a colour written `#rrggbb`.
pub fn rgb(colour: &str) -> (u8, u8, u8) {
    let part = |from: usize| {
        colour.get(from..from + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default()
    };
    (part(1), part(3), part(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.1).
    fn luminance(colour: &str) -> f64 {
        let (red, green, blue) = rgb(colour);
        let linear = |part: u8| {
            let x = f64::from(part) / 255.0;
            if x <= 0.040_45 { x / 12.92 } else { libm::pow((x + 0.055) / 1.055, 2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    #[test]
    fn amounts_and_doubt_darken_step_by_step() {
        for scale in [AMOUNT, DOUBT] {
            assert!(scale.windows(2).all(|pair| luminance(pair[0]) > luminance(pair[1]) + 0.004), "{scale:?}");
        }
    }

    #[test]
    fn text_can_be_read_on_white() {
        for colour in [INK, GREY, ACCENT] {
            let contrast = 1.05 / (luminance(colour) + 0.05);
            assert!(contrast >= 4.5, "{colour}: {contrast}");
        }
    }

    #[test]
    fn classes_use_the_whole_scale() {
        assert_eq!(of_class(&AMOUNT, 0, 6), AMOUNT[0]);
        assert_eq!(of_class(&AMOUNT, 5, 6), AMOUNT[8]);
        assert_eq!(of_class(&AMOUNT, 0, 1), AMOUNT[4]);
    }
}
