//! The kinds of cells, each read by a method that reports what cannot be read.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::{Col, Table, canonical, nearest};
use crate::data::log::Log;
use crate::data::number::{self, Fault};
use crate::data::time::{date_help, month_help};
use crate::problem::Problem;
use crate::units::{Date, Month, days_in};

impl Table<'_> {
    /// Reports a cell of the row. `words` gives title, label and help.
    pub fn refuse(
        &self,
        col: Col,
        kind: &'static str,
        log: &mut Log,
        words: impl FnOnce() -> (String, String, String),
    ) {
        log.push_class((self.source.name, kind, col.position.unwrap_or(usize::MAX)), || {
            let (title, label, help) = words();
            Problem::error(title).at(self.place(col), label).help(help)
        });
    }

    /// Reports a blank cell that must be filled.
    pub fn refuse_blank(&self, col: Col, log: &mut Log, help: &str) {
        self.refuse(col, "a cell is blank that must be filled", log, || {
            (format!("`{}` is blank", col.name), "nothing here".to_owned(), help.to_owned())
        });
    }

    /// An id: trimmed, in Unicode's composed form. Blank is refused.
    pub fn id<'t>(&'t self, col: Col, log: &mut Log) -> Option<Cow<'t, str>> {
        let id = self.optional_id(col, log);
        if id.is_none() && self.cell(col).is_empty() {
            self.refuse_blank(col, log, "every row needs one");
        }
        id
    }

    /// An id, or `None` where the cell is blank (or, reported, cannot be an id).
    pub fn optional_id<'t>(&'t self, col: Col, log: &mut Log) -> Option<Cow<'t, str>> {
        let cell = self.cell(col);
        if cell.is_empty() {
            return None;
        }
        if cell.chars().any(char::is_control) {
            self.refuse(col, "an id holds a line break or another invisible character", log, || {
                (
                    format!("{cell:?} in column `{}` holds an invisible character", col.name),
                    "a line break, a tab or the like".to_owned(),
                    "write the id without it".to_owned(),
                )
            });
            return None;
        }
        Some(canonical(cell))
    }

    /// A number within bounds; `None` where blank.
    pub fn number(&self, col: Col, bounds: &RangeInclusive<f64>, log: &mut Log) -> Option<f64> {
        let cell = self.cell(col);
        if cell.is_empty() {
            return None;
        }
        match number::parse(cell, self.separator == b';', bounds) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.refuse_number(col, cell, bounds, fault, log);
                None
            }
        }
    }

    /// A number within bounds; blank is refused.
    pub fn required_number(&self, col: Col, bounds: &RangeInclusive<f64>, log: &mut Log) -> Option<f64> {
        if self.cell(col).is_empty() {
            self.refuse_blank(col, log, "write the number; 0 if it is none");
        }
        self.number(col, bounds, log)
    }

    /// A whole number; `None` where blank.
    pub fn whole(&self, col: Col, bounds: &RangeInclusive<f64>, log: &mut Log) -> Option<u32> {
        let value = self.number(col, bounds, log)?;
        if value.fract() != 0.0 {
            self.refuse(col, "a number is not whole", log, || {
                let title = format!("`{}` in column `{}` is not a whole number", self.cell(col), col.name);
                (title, "has a fraction".to_owned(), "write a whole number".to_owned())
            });
            return None;
        }
        Some(value as u32)
    }

    /// A number of a column that ikiz does not know, if it is one.
    pub fn peek_number(&self, col: Col) -> Option<f64> {
        number::parse(self.cell(col), self.separator == b';', &number::ANY).ok()
    }

    fn refuse_number(&self, col: Col, cell: &str, bounds: &RangeInclusive<f64>, fault: Fault, log: &mut Log) {
        let name = col.name;
        match fault {
            Fault::NotANumber { help } => self.refuse(col, "a cell is not a number", log, || {
                (format!("`{cell}` in column `{name}` is not a number"), "not a number".to_owned(), help)
            }),
            Fault::NotFinite => self.refuse(col, "a number is not finite", log, || {
                (
                    format!("`{cell}` in column `{name}` is not a finite number"),
                    "not finite".to_owned(),
                    "write the number itself; where it is not known, see why the export could not compute it"
                        .to_owned(),
                )
            }),
            Fault::TooLarge => self.refuse(col, "a number is too large", log, || {
                (
                    format!("`{cell}` in column `{name}` is too large to be an amount"),
                    format!("beyond {:e}", number::LARGEST),
                    "correct it: no market holds that much".to_owned(),
                )
            }),
            Fault::OutOfBounds => self.refuse(col, "a number is out of bounds", log, || {
                let (low, high) = (*bounds.start(), *bounds.end());
                let range = match (low <= -number::LARGEST, high >= number::LARGEST) {
                    (false, false) => format!("between {low} and {high}"),
                    (false, true) if low == 0.0 => "0 or more".to_owned(),
                    (false, true) => format!("more than {}", if low < 1e-6 { 0.0 } else { low }),
                    _ => format!("at most {high}"),
                };
                let hundred = high == 1.0 && number::parse(cell, self.separator == b';', &(0.0..=100.0)).is_ok();
                let help = if hundred { "; a percentage is written as a fraction: 25% is 0.25" } else { "" };
                (
                    format!("`{cell}` in column `{name}` is out of bounds"),
                    format!("must be {range}"),
                    format!("write a number that is {range}{help}"),
                )
            }),
            Fault::Ambiguous { thousands, decimal } => {
                self.refuse(col, "a number can be read in two ways", log, || {
                    (
                        format!("`{cell}` in column `{name}` can be read in two ways"),
                        format!("{thousands} or {decimal}?"),
                        format!("write {thousands} or {decimal}: with `;` between columns, decimals take a comma"),
                    )
                })
            }
        }
    }

    /// A month, `YYYY-MM`; `None` where blank.
    pub fn month(&self, col: Col, log: &mut Log) -> Option<Month> {
        let cell = self.cell(col);
        if cell.is_empty() {
            return None;
        }
        let month = cell.parse().ok();
        if month.is_none() {
            self.refuse_month(col, log);
        }
        month
    }

    /// A month; blank is refused.
    pub fn required_month(&self, col: Col, log: &mut Log) -> Option<Month> {
        if self.cell(col).is_empty() {
            self.refuse_blank(col, log, "write the month as YYYY-MM");
        }
        self.month(col, log)
    }

    /// A month, or the month of a day.
    pub fn month_or_day(&self, col: Col, log: &mut Log) -> Option<Month> {
        match self.cell(col).parse::<Date>() {
            Ok(date) => Some(date.month()),
            Err(_) => self.month(col, log),
        }
    }

    /// A month, or the month of a day; blank is refused.
    pub fn required_month_or_day(&self, col: Col, log: &mut Log) -> Option<Month> {
        if self.cell(col).is_empty() {
            self.refuse_blank(col, log, "write the month as YYYY-MM, or the day as YYYY-MM-DD");
        }
        self.month_or_day(col, log)
    }

    fn refuse_month(&self, col: Col, log: &mut Log) {
        self.refuse(col, "a cell is not a month", log, || {
            let cell = self.cell(col);
            let title = format!("`{cell}` in column `{}` is not a month", col.name);
            (title, "not a month".to_owned(), month_help(cell))
        });
    }

    /// The first day of a span: a day, or a month that stands for its first day. Blank is refused.
    pub fn first_day(&self, col: Col, log: &mut Log) -> Option<Date> {
        self.day(col, log, |_| 1)
    }

    /// The last day of a span: a day, or a month that stands for its last day. Blank is refused.
    pub fn last_day(&self, col: Col, log: &mut Log) -> Option<Date> {
        self.day(col, log, days_in)
    }

    fn day(&self, col: Col, log: &mut Log, of: fn(Month) -> u32) -> Option<Date> {
        let cell = self.cell(col);
        if cell.is_empty() {
            self.refuse_blank(col, log, "write the day as YYYY-MM-DD");
            return None;
        }
        let of_month = |month: Month| Date::new(month.year(), month.of_year() as u32 + 1, of(month));
        let date = cell.parse().ok().or_else(|| cell.parse().ok().and_then(of_month));
        if date.is_none() {
            self.refuse(col, "a cell is not a day", log, || {
                (format!("`{cell}` in column `{}` is not a day", col.name), "not a day".to_owned(), date_help(cell))
            });
        }
        date
    }

    /// One of a few words; `None` where blank.
    pub fn word<T: Copy>(&self, col: Col, words: &[(&str, T)], log: &mut Log) -> Option<T> {
        let cell = self.cell(col);
        if cell.is_empty() {
            return None;
        }
        let found = words.iter().find(|(word, _)| *word == cell).map(|(_, value)| *value);
        if found.is_none() {
            self.refuse_word(col, cell, &words.iter().map(|(word, _)| *word).collect::<Vec<_>>(), log);
        }
        found
    }

    /// Reports a word that is none of those a column takes.
    pub fn refuse_word(&self, col: Col, found: &str, words: &[&str], log: &mut Log) {
        self.refuse(col, "a word is none of those that the column takes", log, || {
            // Half of a short word is not a slip of the pen.
            let near = nearest(found, words.iter().copied())
                .filter(|near| strsim::levenshtein(found, near) * 2 < near.chars().count());
            let label = near.map_or_else(|| "unknown".to_owned(), |near| format!("did you mean `{near}`?"));
            (
                format!("`{found}` is unknown in column `{}`", col.name),
                label,
                format!("write one of: {}", words.join(", ")),
            )
        });
    }

    /// Reports a span whose end comes before its start.
    pub fn refuse_order(&self, start: Col, end: Col, log: &mut Log) {
        self.refuse(end, "a span ends before it starts", log, || {
            (
                format!("`{}` {} comes before `{}` {}", end.name, self.cell(end), start.name, self.cell(start)),
                "ends before it starts".to_owned(),
                "swap the two, or mend the wrong one".to_owned(),
            )
        });
    }

    /// Reports a row whose key another row has already.
    pub fn refuse_duplicate(&self, col: Col, what: &str, first: usize, log: &mut Log) {
        self.refuse(col, "a key is there twice", log, || {
            (
                format!("{what} is there twice in `{}`", self.source.name),
                format!("first on line {}", self.source.line(first)),
                "keep one of the rows, or correct the key of one".to_owned(),
            )
        });
    }
}
