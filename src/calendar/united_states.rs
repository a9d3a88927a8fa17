//! Feasts and federal holidays of the United States.
//!
//! Easter by the Gregorian computus (Meeus 1991, "Astronomical Algorithms", ch. 8, after Butcher 1876). Federal holidays
//! are those of 5 U.S.C. 6103 on their own day: where one falls on a weekend the observed Friday or Monday is counted
//! instead, as public offices do.

use super::{Holiday, Kind, Occurrence, Status};
use crate::units::{Date, Month, days_in};

/// Events by position. Christmas and the other fixed days belong to the season.
pub(super) const EVENTS: [(&str, &str, Kind); 2] =
    [("easter", "Easter", Kind::Feast), ("thanksgiving", "Thanksgiving", Kind::Feast)];

const THURSDAY: u32 = 3;
const MONDAY: u32 = 0;

/// The days of an event that begins in a year.
pub(super) fn occurrences(event: usize, year: i32) -> Vec<Occurrence> {
    let days = match event {
        // Good Friday to Easter Sunday.
        0 => easter(year).and_then(|sunday| Some((sunday.plus(-2)?, sunday))),
        // The Thursday and the Friday after it.
        1 => nth(year, 11, THURSDAY, 4).and_then(|thursday| Some((thursday, thursday.plus(1)?))),
        _ => None,
    };
    let occurrence = |(first, last)| Occurrence { first, last, eve: false, status: Status::Official };
    days.map(occurrence).into_iter().collect()
}

/// Easter Sunday of a year.
fn easter(year: i32) -> Option<Date> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Date::new(year, (n / 31) as u32, (n % 31 + 1) as u32)
}

/// The `n`-th given weekday (0 = Monday) of a month.
fn nth(year: i32, month: u32, weekday: u32, n: u32) -> Option<Date> {
    let first = Date::new(year, month, 1)?.weekday();
    Date::new(year, month, 1 + (weekday + 7 - first) % 7 + 7 * (n - 1))
}

/// The last given weekday of a month.
fn last(year: i32, month: u32, weekday: u32) -> Option<Date> {
    let days = days_in(Month::new(year, month)?);
    let of_last = Date::new(year, month, days)?.weekday();
    Date::new(year, month, days - (of_last + 7 - weekday) % 7)
}

/// The day on which a fixed holiday is kept: the Friday before a Saturday, the Monday after a Sunday.
fn observed(date: Date) -> Option<Date> {
    match date.weekday() {
        5 => date.plus(-1),
        6 => date.plus(1),
        _ => Some(date),
    }
}

/// Federal holidays of a year on the days they are kept.
pub(super) fn holidays(year: i32) -> Vec<Holiday> {
    let fixed = |year: i32, month: u32, day: u32| Date::new(year, month, day).and_then(observed);
    let days = [
        (fixed(year, 1, 1), "New Year's Day"),
        (nth(year, 1, MONDAY, 3).filter(|_| year >= 1986), "Birthday of Martin Luther King, Jr."),
        (nth(year, 2, MONDAY, 3), "Washington's Birthday"),
        (last(year, 5, MONDAY), "Memorial Day"),
        (fixed(year, 6, 19).filter(|_| year >= 2021), "Juneteenth"),
        (fixed(year, 7, 4), "Independence Day"),
        (nth(year, 9, MONDAY, 1), "Labor Day"),
        (nth(year, 10, MONDAY, 2), "Columbus Day"),
        (fixed(year, 11, 11), "Veterans Day"),
        (nth(year, 11, THURSDAY, 4), "Thanksgiving Day"),
        (fixed(year, 12, 25), "Christmas Day"),
        // New Year's Day on a Saturday is kept on 31 December.
        (fixed(year + 1, 1, 1), "New Year's Day"),
    ];
    days.into_iter()
        .filter_map(|(date, title)| Some(Holiday { date: date?, half: false, title, status: Status::Official }))
        .filter(|holiday| holiday.date.month().year() == year)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_of_known_years() {
        for (year, day) in [
            (1818, "1818-03-22"),
            (1943, "1943-04-25"),
            (2000, "2000-04-23"),
            (2016, "2016-03-27"),
            (2025, "2025-04-20"),
        ] {
            assert_eq!(easter(year).unwrap().to_string(), day);
        }
    }

    #[test]
    fn floating_days() {
        assert_eq!(nth(2024, 11, THURSDAY, 4).unwrap().to_string(), "2024-11-28");
        assert_eq!(last(2021, 5, MONDAY).unwrap().to_string(), "2021-05-31");
        let of = |year: i32| -> Vec<String> { holidays(year).iter().map(|holiday| holiday.date.to_string()).collect() };
        // 1 January 2022 was a Saturday.
        assert!(of(2021).contains(&"2021-12-31".to_owned()) && !of(2022).contains(&"2022-01-01".to_owned()));
        assert_eq!(of(2024).len(), 11);
    }
}
