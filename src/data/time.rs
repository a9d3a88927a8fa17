//! What to write instead of a month or a day that cannot be read.

use crate::units::{Date, Month, days_in};

/// Help for a text that is not a month: what was probably meant, written the way it is read.
pub(super) fn month_help(text: &str) -> String {
    match guess_month(text) {
        Some(month) => format!("write {month}: months are written YYYY-MM"),
        None => "write months as YYYY-MM, for example 2024-03".to_owned(),
    }
}

/// Help for a text that is not a day.
pub(super) fn date_help(text: &str) -> String {
    match guess_dates(text).as_slice() {
        [date] => format!("write {date}: days are written YYYY-MM-DD"),
        [one, other] => format!("write {one} or {other}, whichever is meant: days are written YYYY-MM-DD"),
        _ => "write days as YYYY-MM-DD, for example 2024-03-15".to_owned(),
    }
}

/// The numbers of a text that holds nothing but them and separators of dates.
fn parts(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ']).filter(|part| !part.is_empty()).collect();
    parts.iter().all(|part| part.len() <= 8 && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(parts)
}

fn guess_month(text: &str) -> Option<Month> {
    let month = |year: &str, month: &str| Month::new(year.parse().ok()?, month.parse().ok()?);
    let date_only = text.split(['T', ' ']).next().unwrap_or(text);
    match parts(date_only)?.as_slice() {
        [year, of_year] if year.len() == 4 => month(year, of_year),
        [of_year, year] if year.len() == 4 => month(year, of_year),
        [packed] if packed.len() == 6 => month(packed.get(..4)?, packed.get(4..)?),
        [_] | [_, _, _] => match guess_dates(date_only).as_slice() {
            [date] => Some(date.month()),
            _ => None,
        },
        _ => None,
    }
}

fn guess_dates(text: &str) -> Vec<Date> {
    let date =
        |year: &str, month: &str, day: &str| Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let date_only = text.split(['T', ' ']).next().unwrap_or(text);
    let mut guesses: Vec<Date> = match parts(date_only).unwrap_or_default().as_slice() {
        [year, month, day] if year.len() == 4 => vec![date(year, month, day)],
        // 15.03.2024 is day first wherever points are used; 03/04/2024 may be either.
        [first, second, year] if year.len() == 4 && date_only.contains('/') => {
            vec![date(year, second, first), date(year, first, second)]
        }
        [day, month, year] if year.len() == 4 => vec![date(year, month, day)],
        [packed] if packed.len() == 8 => {
            vec![packed.get(..4).and_then(|year| date(year, packed.get(4..6)?, packed.get(6..)?))]
        }
        [serial] if serial.len() == 5 => vec![serial.parse().ok().and_then(from_serial)],
        _ => Vec::new(),
    }
    .into_iter()
    .flatten()
    .collect();
    guesses.dedup();
    guesses
}

/// Day of a spreadsheet's serial number (days since 1899-12-30).
fn from_serial(serial: u32) -> Option<Date> {
    if !(20_000..=80_000).contains(&serial) {
        return None;
    }
    // 1954-10-03 is day 20,000.
    let mut month = Month::new(1954, 10)?;
    let mut day = 3 + serial - 20_000;
    while day > days_in(month) {
        day -= days_in(month);
        month = month.plus(1);
    }
    Date::new(month.year(), month.of_year() as u32 + 1, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_mistakes_are_recognised() {
        for text in ["2024/03", "2024.03", "2024-3", "03.2024", "3/2024", "202403", "2024-03-15", "15.03.2024", "45352"]
        {
            assert_eq!(month_help(text), "write 2024-03: months are written YYYY-MM", "{text}");
        }
        for text in ["2024-13", "March", "24-03", "", "1e5", "٢٠٢٤-٠٣"] {
            assert!(month_help(text).contains("for example"), "{text}");
        }
        for text in ["15.03.2024", "2024/03/15", "20240315", "15/03/2024", "45366", "2024-03-15T00:00:00"] {
            assert_eq!(date_help(text), "write 2024-03-15: days are written YYYY-MM-DD", "{text}");
        }
        assert!(date_help("03/04/2024").contains("2024-04-03 or 2024-03-04"));
    }
}
