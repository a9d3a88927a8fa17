//! A CSV file as rows of named cells.
//!
//! The header decides the separator and which cell is which; each cell is read by the method of its kind, which reports
//! what cannot be read and returns `None`. A load with any error is thrown away, so a `None` never becomes a figure.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use csv::StringRecord;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::log::{Log, counted};
use super::number::{self, Fault};
use super::source::Source;
use super::time::{date_help, month_help};
use crate::problem::{Place, Problem};
use crate::units::{Date, Month, days_in};

/// Unknown columns this near to a known one are taken for slips of the pen.
const NEAR: usize = 2;

/// Longest row; longer ones come from a quotation mark that is never closed.
const LONGEST_ROW: usize = 1 << 20;

/// A column that a file may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub name: &'static str,
    pub required: bool,
}

/// A column that must be there.
pub(super) const fn required(name: &'static str) -> Column {
    Column { name, required: true }
}

/// A column that may be absent.
pub(super) const fn optional(name: &'static str) -> Column {
    Column { name, required: false }
}

/// Where a column is, if it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Col {
    name: &'static str,
    position: Option<usize>,
}

impl Col {
    /// Whether the file has the column.
    pub fn is_present(self) -> bool {
        self.position.is_some()
    }
}

/// A file being read, at one of its rows.
pub(super) struct Table<'s> {
    source: &'s Source,
    columns: &'static [Column],
    positions: Vec<Option<usize>>,
    /// Columns that are not in the list, with their position.
    pub unknown: Vec<(usize, String)>,
    /// Columns without a name; spreadsheets leave blank ones behind.
    nameless: Vec<usize>,
    width: usize,
    separator: u8,
    reader: csv::Reader<&'s [u8]>,
    record: StringRecord,
    /// Bytes of the row.
    span: Range<usize>,
    /// Values of the first required column in rows that could not be read: references to them are not reported again.
    pub lost: Vec<String>,
    /// Rows are missing whose keys cannot be told.
    pub rows_lost: bool,
}

impl<'s> Table<'s> {
    /// Reads the header; `None` (and problems in the log) when the file has none that can be used.
    pub fn open(source: &'s Source, columns: &'static [Column], log: &mut Log) -> Option<Self> {
        let names = |columns: &mut dyn Iterator<Item = &Column>| columns.map(|c| c.name).collect::<Vec<_>>().join(",");
        if source.is_blank() {
            log.push(Problem::error(format!("`{}` is empty", source.name)).help(format!(
                "give it a header line, for example: {}",
                names(&mut columns.iter().filter(|column| column.required))
            )));
            return None;
        }
        let separator = separator(source, log)?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(source.text().as_bytes());
        let mut record = StringRecord::new();
        let span = next_record(source, &mut reader, &mut record)?;
        let mut table = Self {
            source,
            columns,
            positions: vec![None; columns.len()],
            unknown: Vec::new(),
            nameless: Vec::new(),
            width: record.len(),
            separator,
            reader,
            record,
            span,
            lost: Vec::new(),
            rows_lost: false,
        };
        table.read_header(log).then_some(table)
    }

    /// Finds the known columns; false when rows cannot be read.
    fn read_header(&mut self, log: &mut Log) -> bool {
        let mut usable = true;
        let mut names: Vec<(usize, String)> = Vec::new();
        for position in 0..self.width {
            let name = canonical(self.record.get(position).unwrap_or_default()).into_owned();
            if name.is_empty() {
                self.nameless.push(position);
                continue;
            }
            if let Some((first, _)) = names.iter().find(|(_, earlier)| *earlier == name) {
                log.push(
                    Problem::error(format!("`{}` has two columns `{name}`", self.source.name))
                        .at(self.field_place(position), format!("also column {}", first + 1))
                        .help("rename or delete one of them"),
                );
                usable = false;
                continue;
            }
            match self.columns.iter().position(|column| column.name == name) {
                Some(known) => self.positions[known] = Some(position),
                None => self.unknown.push((position, name.clone())),
            }
            names.push((position, name));
        }
        usable &= self.refuse_near_misses(log);
        for (column, position) in self.columns.iter().zip(&self.positions) {
            if column.required && position.is_none() && !self.near_miss_reported(column.name) {
                log.push(
                    Problem::error(format!("`{}` has no column `{}`", self.source.name, column.name))
                        .at(self.row_place(), "not in this header")
                        .help(self.header_help(column.name)),
                );
                usable = false;
            }
        }
        usable
    }

    fn header_help(&self, name: &str) -> String {
        let other = match self.separator {
            b',' if self.record.iter().any(|cell| cell.contains('\t')) => "; the columns seem to be separated by tabs",
            _ => "",
        };
        let demand = if matches!(name, "units" | "value") {
            format!("market.toml has demand = \"{name}\": ")
        } else {
            String::new()
        };
        format!("{demand}add the column `{name}`, or rename the one that holds it{other}")
    }

    /// Reports unknown columns that look like slips of the pen; false when there is one.
    fn refuse_near_misses(&mut self, log: &mut Log) -> bool {
        let mut clean = true;
        for (position, name) in &self.unknown {
            if let Some(known) = nearest(name, self.columns.iter().map(|column| column.name)) {
                let taken = self.columns.iter().zip(&self.positions).any(|(c, p)| c.name == known && p.is_some());
                let help = if taken {
                    format!("the file has `{known}` too: delete this column, or give it a name that cannot be mistaken")
                } else {
                    format!("write `{known}`; if it is something else, give it a name that cannot be mistaken")
                };
                log.push(
                    Problem::error(format!("`{}` has an unknown column `{name}`", self.source.name))
                        .at(self.field_place(*position), format!("did you mean `{known}`?"))
                        .help(help),
                );
                clean = false;
            }
        }
        clean
    }

    fn near_miss_reported(&self, known: &str) -> bool {
        self.unknown.iter().any(|(_, name)| nearest(name, self.columns.iter().map(|c| c.name)) == Some(known))
    }

    /// Where a known column is.
    pub fn column(&self, name: &'static str) -> Col {
        let known = self.columns.iter().position(|column| column.name == name);
        debug_assert!(known.is_some(), "{name} is not in the list of columns");
        Col { name, position: known.and_then(|known| self.positions.get(known).copied().flatten()) }
    }

    /// An unknown column as one that can be read.
    pub fn other(&self, position: usize) -> Col {
        Col { name: "", position: Some(position) }
    }

    /// Goes to the next row that has cells; false at the end.
    pub fn advance(&mut self, log: &mut Log) -> bool {
        loop {
            let Some(span) = next_record(self.source, &mut self.reader, &mut self.record) else { return false };
            self.span = span;
            if self.record.iter().all(|cell| cell.trim().is_empty()) {
                continue; // spreadsheets leave rows of bare separators behind
            }
            if !self.check_quotes(log) {
                // Rows may have been swallowed: what refers to them is not reported a second time.
                self.rows_lost = true;
                continue;
            }
            if self.span.len() > LONGEST_ROW {
                self.refuse_long_row(log);
                return false;
            }
            if self.record.len() != self.width {
                self.refuse_width(log);
                continue;
            }
            for &position in &self.nameless {
                self.refuse_nameless(Col { name: "", position: Some(position) }, log);
            }
            return true;
        }
    }

    fn refuse_nameless(&self, col: Col, log: &mut Log) {
        if !self.cell(col).is_empty() {
            self.refuse(col, "a column has no name", log, || {
                (
                    format!("a column of `{}` has cells but no name in the header", self.source.name),
                    "which column is this?".to_owned(),
                    "name the column, or delete it".to_owned(),
                )
            });
        }
    }

    /// Whether the quotation marks of the row pair up; where not, what it swallowed is not known.
    fn check_quotes(&self, log: &mut Log) -> bool {
        let raw = &self.source.text()[self.span.clone()];
        if !raw.contains('"') {
            return true;
        }
        let (mut fields, quotes) = fields(raw, self.separator);
        let field = match quotes {
            Quotes::Paired => return true,
            Quotes::Open => fields.pop().unwrap_or(0..1),
            Quotes::TextBehind(field) => field,
        };
        let place = self.source.place(self.span.start + field.start..self.span.start + field.end);
        log.push_class((self.source.name, "quotation marks do not pair up", 0), || {
            Problem::error(format!("quotation marks in `{}` do not pair up", self.source.name))
                .at(place, "opened here, and not closed at the end of the cell")
                .help("close it, or write it twice (\"\") and quote the whole cell where it is part of the text")
        });
        false
    }

    fn refuse_long_row(&self, log: &mut Log) {
        log.push(
            Problem::error(format!("a row of `{}` is longer than {} MiB", self.source.name, LONGEST_ROW >> 20))
                .at(self.source.line_place(self.span.start), "begins here")
                .help("is a quotation mark not closed?"),
        );
    }

    fn refuse_width(&mut self, log: &mut Log) {
        let first = self.columns.iter().zip(&self.positions).find(|(column, _)| column.required);
        if let Some(key) = first.and_then(|(_, position)| self.record.get((*position)?)) {
            self.lost.push(canonical(key).into_owned());
        }
        let (have, want) = (self.record.len(), self.width);
        let separator = char::from(self.separator);
        let lines = self.source.line(self.span.end.saturating_sub(1)).saturating_sub(self.source.line(self.span.start));
        log.push_class((self.source.name, "the number of cells is wrong", 0), || {
            let help = if lines > 0 {
                format!("the row runs over {} lines: is a quotation mark not closed?", lines + 1)
            } else if have > want && separator == ',' {
                "put quotation marks around text that holds a comma, and write decimals with a point".to_owned()
            } else if have > want {
                format!("put quotation marks around text that holds a `{separator}`")
            } else {
                format!("write a `{separator}` for each cell that is left blank")
            };
            let cells = counted(have, "cell");
            Problem::error(format!("a row of `{}` has {cells}, its header has {want}", self.source.name))
                .at(self.row_place(), cells)
                .help(help)
        });
    }

    /// The place of the row.
    pub fn row_place(&self) -> Place {
        self.source.place(self.span.clone())
    }

    /// The place of a cell of the row.
    pub fn place(&self, col: Col) -> Place {
        match col.position {
            Some(position) => self.field_place(position),
            None => self.row_place(),
        }
    }

    fn field_place(&self, position: usize) -> Place {
        let raw = &self.source.text()[self.span.clone()];
        let field = fields(raw, self.separator).0.get(position).cloned().unwrap_or(0..raw.len());
        self.source.place(self.span.start + field.start..self.span.start + field.end)
    }

    /// Byte at which the row begins, from which [`Table::place_at`] finds it again.
    pub fn offset(&self) -> usize {
        self.span.start
    }

    /// Line of an earlier row.
    pub fn line_at(&self, offset: usize) -> usize {
        self.source.line(offset)
    }

    /// The place of an earlier row.
    pub fn place_at(&self, offset: usize) -> Place {
        self.source.line_place(offset)
    }

    /// Name of the file.
    pub fn file(&self) -> &'static str {
        self.source.name
    }

    /// Name of a column.
    pub fn name(&self, col: Col) -> &str {
        match col.name {
            "" => self.unknown.iter().find(|(at, _)| Some(*at) == col.position).map_or("", |(_, name)| name.as_str()),
            name => name,
        }
    }

    /// A cell without the white space around it; empty when blank or when the column is absent.
    pub fn cell(&self, col: Col) -> &str {
        col.position.and_then(|position| self.record.get(position)).unwrap_or_default().trim()
    }

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

/// Trimmed, in Unicode's composed form (NFC), so that an id typed on a Mac matches one typed elsewhere.
pub(super) fn canonical(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The candidate within [`NEAR`] edits (case aside), if any.
pub(super) fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let lower = text.to_lowercase();
    candidates
        .map(|candidate| (strsim::levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= NEAR && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What the header separates its names with.
fn separator(source: &Source, log: &mut Log) -> Option<u8> {
    let text = source.text();
    let header = text.trim_start().lines().next().unwrap_or_default();
    let bare: String = header.split('"').step_by(2).collect();
    if header.trim().trim_matches('"').to_ascii_lowercase().starts_with("sep=") {
        let start = text.find(header).unwrap_or(0);
        log.push(
            Problem::error(format!("`{}` begins with a line for spreadsheets, not with its header", source.name))
                .at(source.place(start..start + header.len()), "not a header")
                .help("delete this line"),
        );
        return None;
    }
    if bare.contains('\t') && !bare.contains([',', ';']) {
        let start = text.find(header).unwrap_or(0);
        log.push(
            Problem::error(format!("the columns of `{}` are separated by tabs", source.name))
                .at(source.place(start..start + header.len()), "tabs between the names")
                .help("separate them by `,` or `;`: save the sheet as CSV rather than as text"),
        );
        return None;
    }
    Some(if bare.matches(';').count() > bare.matches(',').count() { b';' } else { b',' })
}

/// Reads a record and gives its bytes; `None` at the end.
fn next_record(source: &Source, reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord) -> Option<Range<usize>> {
    let bytes = source.text().as_bytes();
    let from = usize::try_from(reader.position().byte()).ok()?;
    // Reading from memory cannot fail, and the text is UTF-8.
    if !reader.read_record(record).unwrap_or(false) {
        return None;
    }
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = from + bytes.get(from..)?.iter().position(|byte| !is_end(byte)).unwrap_or(0);
    let mut end = usize::try_from(reader.position().byte()).ok()?.min(bytes.len());
    while end > start && bytes.get(end - 1).is_some_and(is_end) {
        end -= 1;
    }
    Some(start..end)
}

/// Whether the quotation marks of a record pair up.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Quotes {
    Paired,
    /// One is opened and never closed.
    Open,
    /// Text follows a closing one: the sign of an earlier one that was never closed and swallowed rows.
    TextBehind(Range<usize>),
}

/// The bytes of each field of a raw record (quotation marks included).
fn fields(raw: &str, separator: u8) -> (Vec<Range<usize>>, Quotes) {
    let bytes = raw.as_bytes();
    let mut out = Vec::new();
    let mut behind = None;
    let (mut start, mut at, mut quoted) = (0, 0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if quoted && bytes.get(at + 1) == Some(&b'"') => at += 1,
            b'"' if quoted => {
                quoted = false;
                let ends = |next: &u8| *next == separator || matches!(next, b'\n' | b'\r');
                if behind.is_none() && !bytes.get(at + 1).is_none_or(ends) {
                    behind = Some(start..at + 1);
                }
            }
            b'"' if at == start => quoted = true,
            _ if byte == separator && !quoted => {
                out.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push(start..bytes.len());
    let quotes = match behind {
        Some(field) => Quotes::TextBehind(field),
        None if quoted => Quotes::Open,
        None => Quotes::Paired,
    };
    (out, quotes)
}
