//! Feasts and public holidays of Türkiye.
//!
//! The dates of 2000 to 2032 are those of the religious calendar of the Diyanet (Presidency of Religious Affairs, "Dini
//! Günler"), by which the state's holidays go. `tests/external/check_calendar.py` compares every year with the PyPI
//! package `holidays`. Which days are free is law 2429 of 1981 with its amendments: Ramazan Bayramı three and a half days,
//! Kurban Bayramı four and a half, each from 13:00 of the eve; 1 May since 2009, 15 July since 2017. Days that the
//! government adds by decree from year to year ("köprü") are not in it.
//!
//! Outside those years dates are computed ([`super::islamic`]) and marked [`Status::Computed`].

use std::ops::RangeInclusive;

use super::{Holiday, Kind, Occurrence, Status, islamic};
use crate::units::Date;

/// Years whose dates are official.
pub const OFFICIAL: RangeInclusive<i32> = 2000..=2032;

/// Events by position.
pub(super) const EVENTS: [(&str, &str, Kind); 3] = [
    ("ramazan", "Ramazan", Kind::Fast),
    ("ramazan_bayrami", "Ramazan Bayramı", Kind::Feast),
    ("kurban_bayrami", "Kurban Bayramı", Kind::Feast),
];

/// Month and day of a year.
type Day = (i32, u32, u32);

/// First day of fasting.
const RAMAZAN: &[Day] = &[
    (2000, 11, 27),
    (2001, 11, 16),
    (2002, 11, 6),
    (2003, 10, 27),
    (2004, 10, 15),
    (2005, 10, 4),
    (2006, 9, 24),
    (2007, 9, 13),
    (2008, 9, 1),
    (2009, 8, 21),
    (2010, 8, 11),
    (2011, 8, 1),
    (2012, 7, 20),
    (2013, 7, 9),
    (2014, 6, 28),
    (2015, 6, 18),
    (2016, 6, 6),
    (2017, 5, 27),
    (2018, 5, 16),
    (2019, 5, 6),
    (2020, 4, 24),
    (2021, 4, 13),
    (2022, 4, 2),
    (2023, 3, 23),
    (2024, 3, 11),
    (2025, 3, 1),
    (2026, 2, 19),
    (2027, 2, 8),
    (2028, 1, 28),
    (2029, 1, 16),
    (2030, 1, 5),
    (2030, 12, 26),
    (2031, 12, 15),
    (2032, 12, 4),
];

/// First full day of Ramazan Bayramı.
const RAMAZAN_BAYRAMI: &[Day] = &[
    (2000, 1, 8),
    (2000, 12, 27),
    (2001, 12, 16),
    (2002, 12, 5),
    (2003, 11, 25),
    (2004, 11, 14),
    (2005, 11, 3),
    (2006, 10, 23),
    (2007, 10, 12),
    (2008, 9, 30),
    (2009, 9, 20),
    (2010, 9, 9),
    (2011, 8, 30),
    (2012, 8, 19),
    (2013, 8, 8),
    (2014, 7, 28),
    (2015, 7, 17),
    (2016, 7, 5),
    (2017, 6, 25),
    (2018, 6, 15),
    (2019, 6, 4),
    (2020, 5, 24),
    (2021, 5, 13),
    (2022, 5, 2),
    (2023, 4, 21),
    (2024, 4, 10),
    (2025, 3, 30),
    (2026, 3, 20),
    (2027, 3, 9),
    (2028, 2, 26),
    (2029, 2, 14),
    (2030, 2, 4),
    (2031, 1, 24),
    (2032, 1, 14),
];

/// First full day of Kurban Bayramı.
const KURBAN_BAYRAMI: &[Day] = &[
    (2000, 3, 16),
    (2001, 3, 5),
    (2002, 2, 22),
    (2003, 2, 11),
    (2004, 2, 1),
    (2005, 1, 20),
    (2006, 1, 10),
    (2006, 12, 31),
    (2007, 12, 20),
    (2008, 12, 8),
    (2009, 11, 27),
    (2010, 11, 16),
    (2011, 11, 6),
    (2012, 10, 25),
    (2013, 10, 15),
    (2014, 10, 4),
    (2015, 9, 24),
    (2016, 9, 12),
    (2017, 9, 1),
    (2018, 8, 21),
    (2019, 8, 11),
    (2020, 7, 31),
    (2021, 7, 20),
    (2022, 7, 9),
    (2023, 6, 28),
    (2024, 6, 16),
    (2025, 6, 6),
    (2026, 5, 27),
    (2027, 5, 16),
    (2028, 5, 5),
    (2029, 4, 24),
    (2030, 4, 13),
    (2031, 4, 2),
    (2032, 3, 22),
];

/// The day of the tabular Ramazan with which fasting mostly begins: the table gives Ramazan 30 days in every year, the moon
/// in half of them, and it is the end that the table has right.
const FIRST_FAST: i64 = 2;

/// Days of a bayram.
const RAMAZAN_BAYRAMI_DAYS: i64 = 3;
const KURBAN_BAYRAMI_DAYS: i64 = 4;

/// The days of an event that begins in a year.
pub(super) fn occurrences(event: usize, year: i32) -> Vec<Occurrence> {
    match event {
        0 => starts(RAMAZAN, islamic::RAMAZAN, FIRST_FAST, year)
            .into_iter()
            .filter_map(|(first, status)| {
                // It lasts until the day before the bayram, 29 or 30 days later.
                let bayram = |year| starts(RAMAZAN_BAYRAMI, islamic::SEVVAL, 1, year);
                let feasts = bayram(year).into_iter().chain(bayram(year + 1));
                let (feast, of_feast) = feasts.into_iter().find(|(feast, _)| *feast > first)?;
                // Where one of the two is computed and the other not, the pair is no better than the computed one.
                Some(Occurrence { first, last: feast.plus(-1)?, eve: false, status: status.max(of_feast) })
            })
            .collect(),
        1 => feasts(starts(RAMAZAN_BAYRAMI, islamic::SEVVAL, 1, year), RAMAZAN_BAYRAMI_DAYS),
        2 => feasts(starts(KURBAN_BAYRAMI, islamic::ZILHICCE, 10, year), KURBAN_BAYRAMI_DAYS),
        _ => Vec::new(),
    }
}

/// First days in a year: of the table, else computed.
fn starts(table: &[Day], month: i64, day: i64, year: i32) -> Vec<(Date, Status)> {
    if OFFICIAL.contains(&year) {
        let those = table.iter().filter(|day| day.0 == year);
        return those.filter_map(|&(y, m, d)| Some((Date::new(y, m, d)?, Status::Official))).collect();
    }
    islamic::in_year(year, month, day).into_iter().map(|date| (date, Status::Computed)).collect()
}

fn feasts(starts: Vec<(Date, Status)>, days: i64) -> Vec<Occurrence> {
    let occurrence =
        |(first, status): (Date, Status)| Some(Occurrence { first, last: first.plus(days - 1)?, eve: true, status });
    starts.into_iter().filter_map(occurrence).collect()
}

/// Public holidays of a year (law 2429 of 1981 and its amendments; earlier years as if it had held).
pub(super) fn holidays(year: i32) -> Vec<Holiday> {
    let fixed: &[(i32, u32, u32, bool, &str)] = &[
        (0, 1, 1, false, "Yılbaşı"),
        (0, 4, 23, false, "Ulusal Egemenlik ve Çocuk Bayramı"),
        (2009, 5, 1, false, "Emek ve Dayanışma Günü"),
        (0, 5, 19, false, "Atatürk'ü Anma, Gençlik ve Spor Bayramı"),
        (2017, 7, 15, false, "Demokrasi ve Millî Birlik Günü"),
        (0, 8, 30, false, "Zafer Bayramı"),
        (0, 10, 28, true, "Cumhuriyet Bayramı arifesi"),
        (0, 10, 29, false, "Cumhuriyet Bayramı"),
    ];
    let mut out: Vec<Holiday> = fixed
        .iter()
        .filter(|&&(since, ..)| since <= year)
        .filter_map(|&(_, month, day, half, title)| {
            Some(Holiday { date: Date::new(year, month, day)?, half, title, status: Status::Official })
        })
        .collect();
    for (event, title, eve) in
        [(1, "Ramazan Bayramı", "Ramazan Bayramı arifesi"), (2, "Kurban Bayramı", "Kurban Bayramı arifesi")]
    {
        // A feast at the turn of the year has days in two years.
        for feast in (year - 1..=year + 1).flat_map(|near| occurrences(event, near)) {
            let Occurrence { first, last, status, .. } = feast;
            out.extend(first.plus(-1).map(|date| Holiday { date, half: true, title: eve, status }));
            let days = (first.number()..=last.number()).filter_map(Date::from_number);
            out.extend(days.map(|date| Holiday { date, half: false, title, status }));
        }
    }
    out.retain(|holiday| holiday.date.month().year() == year);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for table in [RAMAZAN, RAMAZAN_BAYRAMI, KURBAN_BAYRAMI] {
            let days: Vec<i64> = table.iter().map(|&(y, m, d)| Date::new(y, m, d).unwrap().number()).collect();
            // A lunar year has 353 to 356 days by the moon.
            assert!(days.windows(2).all(|pair| (353..=356).contains(&(pair[1] - pair[0]))), "{table:?}");
            assert!(OFFICIAL.into_iter().all(|year| table.iter().any(|day| day.0 == year)));
        }
        for year in OFFICIAL {
            for fast in occurrences(0, year) {
                let days = fast.last.number() - fast.first.number() + 1;
                assert!((29..=30).contains(&days), "{} has {days} days", fast.first);
            }
            // Kurban Bayramı lies 68 to 70 days after Ramazan Bayramı.
            for feast in occurrences(1, year) {
                let kurban = (year..=year + 1)
                    .flat_map(|year| occurrences(2, year))
                    .find(|kurban| kurban.first > feast.first)
                    .unwrap();
                let gap = kurban.first.number() - feast.first.number();
                assert!((67..=71).contains(&gap), "{} to {}: {gap}", feast.first, kurban.first);
            }
        }
    }

    #[test]
    fn computed_dates_are_marked_and_miss_by_a_day_at_most() {
        let (mut same, mut off) = (0, 0);
        for (table, month, day) in [
            (RAMAZAN, islamic::RAMAZAN, FIRST_FAST),
            (RAMAZAN_BAYRAMI, islamic::SEVVAL, 1),
            (KURBAN_BAYRAMI, islamic::ZILHICCE, 10),
        ] {
            for &(y, m, d) in table {
                let official = Date::new(y, m, d).unwrap().number();
                let years = (y - 1..=y + 1).flat_map(|year| islamic::in_year(year, month, day));
                let nearest = years.map(|date| (date.number() - official).abs()).min().unwrap();
                assert!(nearest <= 1, "{y}-{m}-{d}: {nearest} days off");
                if nearest == 0 { same += 1 } else { off += 1 }
            }
        }
        // docs/market.md states this count.
        assert_eq!((same, off), (68, 34), "of {}", same + off);
        assert!(occurrences(1, 2033).iter().all(|feast| feast.status == Status::Computed));
        assert!(occurrences(1, 2032).iter().all(|feast| feast.status == Status::Official));
        // The last official fast ends before a computed feast.
        assert_eq!(occurrences(0, 2032)[0].status, Status::Computed);
    }

    #[test]
    fn holidays_of_a_year() {
        let of = |year| {
            let mut days: Vec<(String, bool)> =
                holidays(year).into_iter().map(|holiday| (holiday.date.to_string(), holiday.half)).collect();
            days.sort();
            days
        };
        let days = of(2007);
        // The four days of Kurban Bayramı of 31 December 2006 reach into 2007.
        assert!(days.contains(&("2007-01-03".to_owned(), false)) && days.contains(&("2007-12-19".to_owned(), true)));
        assert!(!days.iter().any(|(day, _)| day == "2007-05-01" || day == "2007-07-15"));
        assert_eq!(of(2024).iter().map(|(_, half)| if *half { 0.5 } else { 1.0 }).sum::<f64>(), 15.5);
    }
}
