//! Numbers as spreadsheets write them.
//!
//! A comma-separated file has decimal points. A semicolon-separated one comes from a spreadsheet with decimal commas, in
//! which points are thousands separators: `1.234,56`. What could be read in two ways is refused, never guessed.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Amounts beyond this are mistakes; the bound also keeps sums and squares finite.
pub(super) const LARGEST: f64 = 1e15;

/// Any amount.
pub(super) const ANY: RangeInclusive<f64> = -LARGEST..=LARGEST;
/// Amounts that cannot be negative.
pub(super) const NOT_NEGATIVE: RangeInclusive<f64> = 0.0..=LARGEST;
/// Amounts that cannot be zero either.
pub(super) const POSITIVE: RangeInclusive<f64> = 1e-9..=LARGEST;
/// A share or score.
pub(super) const UNIT: RangeInclusive<f64> = 0.0..=1.0;

/// Why a text is no number of the column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// Not a number at all; with what to write where that can be told.
    NotANumber { help: String },
    /// Infinite, or not a number in the sense of IEEE 754.
    NotFinite,
    /// Beyond [`LARGEST`].
    TooLarge,
    /// A number, but outside the column's bounds.
    OutOfBounds,
    /// `1.234` in a file with decimal commas: 1234 or 1,234?
    Ambiguous { thousands: String, decimal: String },
}

/// Reads a number; `decimal_comma` as the header decides.
pub(super) fn parse(text: &str, decimal_comma: bool, bounds: &RangeInclusive<f64>) -> Result<f64, Fault> {
    let plain = if decimal_comma { plain_from_decimal_comma(text, bounds)? } else { Cow::Borrowed(text) };
    if !plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E')) {
        return Err(if is_non_finite(text) { Fault::NotFinite } else { not_a_number(text, decimal_comma) });
    }
    let Ok(value) = plain.parse::<f64>() else { return Err(not_a_number(text, decimal_comma)) };
    if !value.is_finite() || value.abs() > LARGEST {
        return Err(Fault::TooLarge);
    }
    if !bounds.contains(&value) {
        return Err(Fault::OutOfBounds);
    }
    Ok(value + 0.0) // -0 becomes 0
}

fn is_non_finite(text: &str) -> bool {
    let word = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
    matches!(word.as_str(), "inf" | "infinity" | "nan" | "∞" | "1.#inf" | "#div/0!" | "#sayı/0!")
}

/// `1.234,56` -> `1234.56`.
fn plain_from_decimal_comma<'t>(text: &'t str, bounds: &RangeInclusive<f64>) -> Result<Cow<'t, str>, Fault> {
    if let Some((whole, fraction)) = text.split_once(',') {
        let whole = if whole.contains('.') {
            if !grouped(whole) {
                return Err(not_a_number(text, true));
            }
            whole.replace('.', "")
        } else {
            whole.to_owned()
        };
        return if fraction.contains([',', '.']) {
            Err(not_a_number(text, true))
        } else {
            Ok(Cow::Owned(format!("{whole}.{fraction}")))
        };
    }
    if !grouped(text) {
        return Ok(Cow::Borrowed(text)); // no point, or one that can only be decimal: 12.5
    }
    let thousands = text.replace('.', "");
    if text.matches('.').count() > 1 {
        return Ok(Cow::Owned(thousands));
    }
    let within = |plain: &str| plain.parse::<f64>().is_ok_and(|value| bounds.contains(&value));
    match (within(&thousands), within(text)) {
        (true, true) => Err(Fault::Ambiguous { decimal: text.replace('.', ","), thousands }),
        (false, true) => Ok(Cow::Borrowed(text)),
        _ => Ok(Cow::Owned(thousands)),
    }
}

/// One to three digits, then groups of three behind points: `1.234`, `12.345.678`, but not `0.123`.
fn grouped(text: &str) -> bool {
    let mut groups = text.trim_start_matches(['-', '+']).split('.');
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let head = groups.next().unwrap_or_default();
    let tail: Vec<&str> = groups.collect();
    (1..=3).contains(&head.len())
        && digits(head)
        && !head.starts_with('0')
        && !tail.is_empty()
        && tail.iter().all(|group| group.len() == 3 && digits(group))
}

fn not_a_number(text: &str, decimal_comma: bool) -> Fault {
    let mark = if decimal_comma { ',' } else { '.' };
    let lower = text.to_lowercase();
    if matches!(lower.as_str(), "n/a" | "na" | "#n/a" | "#yok" | "null" | "none" | "-" | "--" | "?" | "yok" | "x") {
        return Fault::NotANumber { help: "leave the cell blank when the figure is not known".to_owned() };
    }
    let bare: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !"₺$€£%'’".contains(*c))
        .collect::<String>()
        .trim_end_matches("TL")
        .trim_end_matches("TRY")
        .to_owned();
    let help = match bare.split_once(',') {
        // 1234,56 or 1,234.56 between commas as separators.
        Some((whole, fraction)) if !decimal_comma && !fraction.contains(',') => {
            let joined = format!("{whole}{fraction}");
            let decimal = format!("{whole}.{fraction}");
            if fraction.contains('.') && joined.parse::<f64>().is_ok() {
                Some(format!("write {joined}, without thousands separators"))
            } else if fraction.len() == 3 && decimal.parse::<f64>().is_ok() {
                Some(format!(
                    "write {joined} or {decimal}, whichever is meant: a point before decimals, no separator of thousands"
                ))
            } else if decimal.parse::<f64>().is_ok() {
                Some(format!("write {decimal}: this file has `,` between columns, so decimals take a point"))
            } else {
                None
            }
        }
        None if bare.parse::<f64>().is_ok_and(f64::is_finite) && bare != text => Some(if text.contains('%') {
            let share = bare.parse::<f64>().unwrap_or_default() / 100.0;
            format!("write {}: shares are fractions", share.to_string().replace('.', &mark.to_string()))
        } else {
            format!("write {bare}, without units or spaces")
        }),
        _ => None,
    };
    Fault::NotANumber {
        help: help.unwrap_or_else(|| format!("write digits with a `{mark}` before decimals, or leave the cell blank")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_commas() {
        for (text, value) in
            [("12", 12.0), ("-3.5", -3.5), ("1e3", 1000.0), (".5", 0.5), ("1.234", 1.234), ("+7", 7.0), ("-0", 0.0)]
        {
            assert_eq!(parse(text, false, &ANY), Ok(value), "{text}");
        }
        for (text, value) in [
            ("12", 12.0),
            ("-3,5", -3.5),
            ("1.234,56", 1234.56),
            ("1.234.567", 1_234_567.0),
            ("0.123", 0.123),
            ("12.5", 12.5),
            ("1,234", 1.234),
            ("35.2782", 35.2782),
        ] {
            assert_eq!(parse(text, true, &ANY), Ok(value), "{text}");
        }
        assert_eq!(parse("35.278", true, &(-180.0..=180.0)), Ok(35.278));
        assert!(matches!(parse("1.234", true, &ANY), Err(Fault::Ambiguous { .. })));
    }

    #[test]
    fn what_is_no_number_never_becomes_one() {
        for text in ["inf", "-inf", "NaN", "infinity", "#DIV/0!"] {
            assert_eq!(parse(text, false, &ANY), Err(Fault::NotFinite), "{text}");
        }
        for text in ["1e400", "-1e400", "1e16"] {
            assert_eq!(parse(text, false, &ANY), Err(Fault::TooLarge), "{text}");
        }
        for text in ["1,5", "1 234", "12%", "₺5", "n/a", "0x10", "1_000", "--1", "e", "1e", ".", "１", "1.2.3"] {
            assert!(matches!(parse(text, false, &ANY), Err(Fault::NotANumber { .. })), "{text}");
        }
        for text in ["1,2,3", "1.23,4", "12.34.567,0", "1,2.3", ","] {
            assert!(matches!(parse(text, true, &ANY), Err(Fault::NotANumber { .. })), "{text}");
        }
        assert_eq!(parse("2", false, &UNIT), Err(Fault::OutOfBounds));
    }
}
