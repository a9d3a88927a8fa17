//! Numbers as people read them: rounded to what an estimate deserves, with thousands separators and units.
//!
//! Estimates get three significant digits. Anything more would claim a precision that no interval here has.

use crate::stats::Summary;

/// How the figures of one unit are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The unit as it stands in the tables.
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// A fraction, shown in per cent.
    Share,
    /// Heads: never a part of one.
    Count,
    /// Money with a sign before the figure.
    Money(&'static str),
    /// A figure with its unit behind it.
    Plain,
}

impl Unit {
    /// `name` as in the `unit` column; `currency` is the market's, shown by its sign where it has a common one.
    pub fn new(name: &str, currency: &str) -> Self {
        let kind = match name {
            "share" | "probability" | "fraction" => Kind::Share,
            "customers" => Kind::Count,
            _ if name == currency => match currency {
                "TRY" => Kind::Money("₺"),
                "EUR" => Kind::Money("€"),
                "USD" => Kind::Money("$"),
                "GBP" => Kind::Money("£"),
                _ => Kind::Plain,
            },
            _ => Kind::Plain,
        };
        Self { name: name.to_owned(), kind }
    }

    /// A figure for a column whose head names the unit.
    pub fn bare(&self, value: f64) -> String {
        match self.kind {
            Kind::Share => percent(value),
            Kind::Money(sign) => format!("{}{sign}{}", minus(value), rounded(value.abs())),
            Kind::Count => rounded(value.round()),
            Kind::Plain => rounded(value),
        }
    }

    /// A figure with its unit.
    pub fn full(&self, value: f64) -> String {
        self.with_name(self.bare(value))
    }

    /// The 90% interval for a column whose head names the unit.
    pub fn bare_interval(&self, summary: &Summary) -> String {
        let (low, high) = (self.bare(summary.q05), self.bare(summary.q95));
        // Sign and per cent once are enough, where the range is read as one.
        match &self.kind {
            _ if summary.q05 < 0.0 => range(&low, &high),
            Kind::Share => range(low.trim_end_matches('%'), &high),
            Kind::Money(sign) => range(&low, high.trim_start_matches(sign)),
            Kind::Count | Kind::Plain => range(&low, &high),
        }
    }

    /// The unit for a column's head: "%", "₺", "boxes".
    pub fn head(&self) -> &str {
        match self.kind {
            Kind::Share => "%",
            Kind::Money(sign) => sign,
            Kind::Count | Kind::Plain => &self.name,
        }
    }

    /// What an axis must say besides its figures; `None` where they carry their unit.
    pub fn caption(&self) -> Option<&str> {
        match self.kind {
            Kind::Count | Kind::Plain if !self.name.is_empty() => Some(&self.name),
            _ => None,
        }
    }

    fn with_name(&self, figure: String) -> String {
        match self.kind {
            Kind::Count | Kind::Plain if !self.name.is_empty() => format!("{figure} {}", self.name),
            _ => figure,
        }
    }
}

/// "3–5", or "−2 to 5" where a dash would be read as a sign.
pub fn range(low: &str, high: &str) -> String {
    if low.starts_with('−') || high.starts_with('−') {
        format!("{low} to {high}")
    } else {
        format!("{low}–{high}")
    }
}

/// A fraction in per cent: whole above ten, one digit behind the point below.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let size = percent.abs();
    if size >= 1e15 {
        format!("{}%", rounded(percent))
    } else if size > 0.0 && size < 0.05 {
        format!("{}<0.1%", minus(percent))
    } else if size < 9.95 {
        format!("{}{size:.1}%", minus(percent))
    } else {
        format!("{}{}%", minus(percent), thousands(&format!("{size:.0}")))
    }
}

/// Three significant digits with thousands separators.
pub fn rounded(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    let sign = minus(value);
    if !(1e-4..1e15).contains(&size) {
        return format!("{sign}{size:.2e}");
    }
    // Through the text, so that rounding is the decimal one: 1.005e6 is what is printed, not what is stored.
    let three: f64 = format!("{size:.2e}").parse().unwrap_or(size);
    let places = if three >= 100.0 {
        0
    } else if three >= 10.0 {
        1
    } else if three >= 1.0 {
        2
    } else {
        return format!("{sign}{three}");
    };
    let text = format!("{three:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{sign}{}", thousands(text))
}

/// A count in full.
pub fn count(value: usize) -> String {
    thousands(&value.to_string())
}

/// "a, b, c and 4 more", at most `limit` by name.
pub fn listed(names: &[&str], limit: usize) -> String {
    let shown = names.iter().take(limit).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(limit) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A minus sign (not a hyphen) for figures below zero.
fn minus(value: f64) -> &'static str {
    if value < 0.0 { "−" } else { "" }
}

/// Commas between thousands of a number without sign; what follows a point is left alone.
fn thousands(digits: &str) -> String {
    let (whole, rest) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let mut out = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_separators() {
        let cases = [
            (0.0, "0"),
            (1_234_567.0, "1,230,000"),
            (-999.6, "−1,000"),
            (123.4, "123"),
            (12.34, "12.3"),
            (12.0, "12"),
            (1.004, "1"),
            (9.999, "10"),
            (0.012_34, "0.0123"),
            (1e300, "1.00e300"),
            (-1e-9, "−1.00e-9"),
        ];
        for (value, text) in cases {
            assert_eq!(rounded(value), text, "{value}");
        }
        assert_eq!(count(20_134), "20,134");
    }

    #[test]
    fn shares_are_in_per_cent() {
        let cases =
            [(0.0, "0.0%"), (0.0996, "10%"), (0.094, "9.4%"), (0.0001, "<0.1%"), (-0.25, "−25%"), (12.0, "1,200%")];
        for (value, text) in cases {
            assert_eq!(percent(value), text, "{value}");
        }
    }

    #[test]
    fn units_go_where_they_belong() {
        let money = Unit::new("TRY", "TRY");
        assert_eq!(money.full(-1_234_567.0), "−₺1,230,000");
        assert_eq!(money.head(), "₺");
        assert_eq!(Unit::new("boxes", "TRY").full(1_234.0), "1,230 boxes");
        assert_eq!(Unit::new("CHF", "CHF").full(5.0), "5 CHF");
        assert_eq!(Unit::new("share", "TRY").full(0.31), "31%");
        let summary = Summary { q05: 0.087, q95: 0.14, ..Summary::exact(0.1) };
        assert_eq!(Unit::new("share", "TRY").bare_interval(&summary), "8.7–14%");
        let summary = Summary { q05: 10.6, q95: 2_000.4, ..Summary::exact(1.0) };
        assert_eq!(money.bare_interval(&summary), "₺10.6–2,000");
        assert_eq!(Unit::new("customers", "TRY").bare_interval(&summary), "11–2,000");
        let summary = Summary { q05: -3.0, q95: 5.0, ..Summary::exact(1.0) };
        assert_eq!(Unit::new("boxes", "TRY").bare_interval(&summary), "−3 to 5");
    }
}
