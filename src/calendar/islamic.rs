//! The tabular (arithmetic) Islamic calendar: 30-year cycles of 354 and 355 days, with 11 leap years.
//!
//! Months have 30 and 29 days in turn; year y of the cycle is a leap year when `(11 y + 14) mod 30 < 11` (Reingold &
//! Dershowitz 2018, "Calendrical Calculations", ch. 7). Of its two epochs the astronomical one (Thursday, 15 July 622 of
//! the Julian calendar) is taken: the civil one puts most bayrams of Türkiye a day late. Months that are announced follow
//! the moon, and so the table may miss them by a day; a test beside the official dates says how often.

use crate::units::Date;

/// Day number ([`Date::number`]) of 1 Muharram of year 1.
const EPOCH: i64 = 227_014 - 719_163;

/// Ramazan, the month of fasting.
pub(super) const RAMAZAN: i64 = 9;
/// Şevval, which begins with Ramazan Bayramı.
pub(super) const SEVVAL: i64 = 10;
/// Zilhicce, on whose tenth Kurban Bayramı begins.
pub(super) const ZILHICCE: i64 = 12;

/// The day number of a day of the Islamic calendar.
pub(super) fn number(year: i64, month: i64, day: i64) -> i64 {
    let months = 29 * (month - 1) + month / 2;
    EPOCH + 354 * (year - 1) + (11 * year + 3).div_euclid(30) + months + day - 1
}

/// The dates in a Gregorian year of a day of the Islamic year: one, two or none.
pub(super) fn in_year(year: i32, month: i64, day: i64) -> Vec<Date> {
    let about = (i64::from(year) - 622) * 33 / 32;
    let dates = (about - 1..=about + 2).filter_map(|islamic| Date::from_number(number(islamic, month, day)));
    dates.filter(|date| date.month().year() == year).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_of_the_table() {
        // 15 July 622 of the Julian calendar is 18 July of the Gregorian one. Reingold & Dershowitz's sample day 710347 is 6
        // Zilhicce 1364 by the civil epoch, which is a day later.
        assert_eq!(Date::from_number(number(1, 1, 1)).unwrap().to_string(), "0622-07-18");
        assert_eq!(number(1364, ZILHICCE, 6) + 719_163 + 1, 710_347);
        assert_eq!(number(1444, 1, 1) - number(1443, 1, 1), 354);
    }

    #[test]
    fn a_year_may_hold_a_day_twice() {
        assert_eq!(in_year(2000, SEVVAL, 1).len(), 2);
        let all: usize = (1900..2100).map(|year| in_year(year, RAMAZAN, 1).len()).sum();
        assert!((205..=207).contains(&all), "{all}");
    }
}
