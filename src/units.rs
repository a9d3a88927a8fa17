//! Months, spans of months, dates and the unit that demand is measured in.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A calendar month; ordered, counted in whole months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// `month` is 1..=12; `None` outside it or outside the years 1..=9999.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((1..=9999).contains(&year) && (1..=12).contains(&month)).then(|| Self(year * 12 + month as i32 - 1))
    }

    /// Year, e.g. 2025.
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// Month of the year, 0 (January) to 11 (December).
    pub fn of_year(self) -> usize {
        self.0.rem_euclid(12) as usize
    }

    /// This month moved by `months`.
    pub fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// Months from `earlier` to this one; negative when this one comes first.
    pub fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.of_year() + 1)
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(NotAMonth);
        }
        Self::new(year.parse().map_err(|_| NotAMonth)?, month.parse().map_err(|_| NotAMonth)?).ok_or(NotAMonth)
    }
}

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is not a month written `YYYY-MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month written YYYY-MM")]
pub struct NotAMonth;

/// A calendar day of the proleptic Gregorian calendar, parsed from `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    month: Month,
    day: u8,
}

impl Date {
    /// `None` when that day does not exist.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let of = Month::new(year, month)?;
        (1..=days_in(of)).contains(&day).then_some(Self { month: of, day: day as u8 })
    }

    /// The month the day falls in.
    pub fn month(self) -> Month {
        self.month
    }

    /// Day of the month, from 1.
    pub fn day(self) -> u32 {
        u32::from(self.day)
    }

    /// Days since 1 January 1970, negative before it (Hinnant 2013, "chrono-compatible low-level date algorithms").
    pub fn number(self) -> i64 {
        // Years begin in March, so that a leap day is the last of its year.
        let march = i64::from(self.month.of_year() as u32 + 10) % 12;
        let year = i64::from(self.month.year()) - i64::from(march >= 10);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * march + 2) / 5 + i64::from(self.day) - 1;
        146_097 * era + 365 * of_era + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The date with a [`Date::number`]; `None` outside the years 1..=9999.
    pub fn from_number(number: i64) -> Option<Self> {
        let number = number.checked_add(719_468)?;
        let (era, of_era) = (number.div_euclid(146_097), number.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = year + era.checked_mul(400)? + i64::from(month <= 2);
        Self::new(i32::try_from(year).ok()?, month as u32, day as u32)
    }

    /// The date some days later; `None` outside the years 1..=9999.
    pub fn plus(self, days: i64) -> Option<Self> {
        Self::from_number(self.number().checked_add(days)?)
    }

    /// Day of the week, 0 (Monday) to 6 (Sunday).
    pub fn weekday(self) -> u32 {
        (self.number() + 3).rem_euclid(7) as u32
    }
}

/// Days in a month.
pub fn days_in(month: Month) -> u32 {
    let year = month.year();
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month.of_year() {
        1 => 28 + u32::from(leap),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let (month, day) = text.rsplit_once('-').ok_or(NotADate)?;
        let month: Month = month.parse().map_err(|_| NotADate)?;
        if day.len() != 2 || !day.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotADate);
        }
        Self::new(month.year(), month.of_year() as u32 + 1, day.parse().map_err(|_| NotADate)?).ok_or(NotADate)
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is not a day written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day written YYYY-MM-DD")]
pub struct NotADate;

/// Months from `first` to `last`, both included; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MonthSpan {
    pub first: Month,
    pub last: Month,
}

impl MonthSpan {
    /// `None` when `last` comes before `first`.
    pub fn new(first: Month, last: Month) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Number of months.
    #[expect(clippy::len_without_is_empty, reason = "a span is never empty")]
    pub fn len(self) -> usize {
        (self.last.since(self.first) + 1) as usize
    }

    /// Position of `month` in the span, from 0.
    pub fn position(self, month: Month) -> Option<usize> {
        (self.first <= month && month <= self.last).then(|| month.since(self.first) as usize)
    }

    /// The month at a position.
    pub fn at(self, position: usize) -> Month {
        self.first.plus(position as i32)
    }

    /// All months in order.
    pub fn months(self) -> impl ExactSizeIterator<Item = Month> + Clone {
        (0..self.len()).map(move |position| self.at(position))
    }

    /// The last `n` months of the span (all of it when shorter).
    pub fn last_months(self, n: usize) -> Self {
        Self { first: self.last.plus(1 - n.min(self.len()) as i32), last: self.last }
    }
}

impl fmt::Display for MonthSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// What sales and the panel measure demand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DemandUnit {
    /// Pieces, boxes, prescriptions: the `units` column.
    Units,
    /// Money of `history_end`: the `value` column.
    Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_count_across_years() {
        let december: Month = "2023-12".parse().unwrap();
        assert_eq!(december.plus(1).to_string(), "2024-01");
        assert_eq!(december.plus(1).since(december), 1);
        assert_eq!(december.of_year(), 11);
        for wrong in ["2023-13", "2023-00", "23-01", "2023-1", "2023", "2023-012", "+023-01", ""] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_know_leap_years() {
        assert!("2024-02-29".parse::<Date>().is_ok());
        for wrong in ["2023-02-29", "1900-02-29", "2024-04-31", "2024-4-30", "2024-04-3", "2024-04-00", "04-30"] {
            assert!(wrong.parse::<Date>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_count_from_1970() {
        for (text, number, weekday) in
            [("1970-01-01", 0, 3), ("2000-02-29", 11_016, 1), ("2024-12-31", 20_088, 1), ("0001-01-01", -719_162, 0)]
        {
            let date: Date = text.parse().unwrap();
            assert_eq!((date.number(), date.weekday()), (number, weekday), "{text}");
        }
        let (mut day, mut number): (Date, i64) = ("1895-12-30".parse().unwrap(), 0);
        number += day.number();
        // Day by day over the century that is no leap year and the one that is.
        for _ in 0..60_000 {
            assert_eq!((day.number(), Date::from_number(number)), (number, Some(day)));
            number += 1;
            day = day.plus(1).unwrap();
        }
        assert_eq!(Date::from_number(-719_163), None);
        assert_eq!("9999-12-31".parse::<Date>().unwrap().plus(1), None);
    }

    #[test]
    fn spans_are_inclusive() {
        let span = MonthSpan::new("2020-11".parse().unwrap(), "2021-02".parse().unwrap()).unwrap();
        assert_eq!(span.len(), 4);
        assert_eq!(span.position("2021-01".parse().unwrap()), Some(2));
        assert_eq!(span.position("2021-03".parse().unwrap()), None);
        assert_eq!(span.last_months(2).to_string(), "2021-01 to 2021-02");
        assert_eq!(span.last_months(9), span);
    }
}
