//! Round numbers on axes and between the classes of a map.

use crate::stats::quantile_sorted;

/// A number rounded to `digits` significant digits.
fn significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, about `wanted` of them.
pub fn ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let raw = (high - low) / wanted.max(1) as f64;
    if !raw.is_finite() || raw <= 0.0 {
        return vec![low];
    }
    let text = format!("{raw:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or(("1", "0"));
    let mantissa: f64 = mantissa.parse().unwrap_or(1.0);
    let nice = [1, 2, 5, 10].into_iter().find(|&step| mantissa <= f64::from(step)).unwrap_or(10);
    let step: f64 = format!("{nice}e{exponent}").parse().unwrap_or(raw);
    let first = (low / step).ceil();
    let count = ((high / step).floor() - first) as usize;
    (0..=count.min(4 * wanted)).map(|position| (first + position as f64) * step).collect()
}

/// Multiples 1, 2 and 5 of the powers of ten between two positive numbers, for logarithmic axes.
pub fn logarithmic_ticks(low: f64, high: f64) -> Vec<f64> {
    let exponent = libm::floor(libm::log10(low)) as i32;
    let mut ticks = Vec::new();
    for power in exponent..exponent + 20 {
        for step in [1, 2, 5] {
            let tick: f64 = format!("{step}e{power}").parse().unwrap_or(f64::NAN);
            if tick >= low && tick <= high {
                ticks.push(tick);
            }
        }
    }
    // At most about eight labels fit: then only the powers of ten.
    if ticks.len() > 8 {
        ticks.retain(|tick| format!("{tick:e}").starts_with("1e"));
    }
    ticks
}

/// Breaks between at most `classes` classes that hold about as many values each, rounded to two significant digits.
///
/// A value belongs to the class numbered by how many breaks are not above it. Fewer breaks come back where values are
/// few or the same.
pub fn quantile_breaks(values: &[f64], classes: usize) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (Some(&lowest), Some(&highest)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let mut breaks: Vec<f64> = (1..classes)
        .map(|class| significant(quantile_sorted(&sorted, class as f64 / classes as f64), 2))
        .filter(|value| *value > lowest && *value <= highest)
        .collect();
    breaks.dedup();
    breaks
}

/// Number of the class that a value belongs to.
pub fn class_of(value: f64, breaks: &[f64]) -> usize {
    breaks.iter().filter(|limit| **limit <= value).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 97.0, 5), [0.0, 20.0, 40.0, 60.0, 80.0]);
        assert_eq!(ticks(-0.3, 1.1, 4), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(5.0, 5.0, 4), [5.0]);
        assert_eq!(ticks(0.0, f64::MAX, 4).len(), 4);
        assert_eq!(logarithmic_ticks(150.0, 6_000.0), [200.0, 500.0, 1_000.0, 2_000.0, 5_000.0]);
    }

    #[test]
    fn classes_hold_about_as_many_values_each() {
        let values: Vec<f64> = (1..=60).map(|value| f64::from(value * value)).collect();
        let breaks = quantile_breaks(&values, 6);
        assert_eq!(breaks.len(), 5);
        let mut counts = [0; 6];
        values.iter().for_each(|&value| counts[class_of(value, &breaks)] += 1);
        assert!(counts.iter().all(|count| (7..=13).contains(count)), "{counts:?}");
        assert!(quantile_breaks(&[3.0; 9], 6).is_empty());
        assert!(quantile_breaks(&[], 6).is_empty());
    }
}
