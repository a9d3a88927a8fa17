//! A CSV file as rows of named cells.
//!
//! The header decides the separator and which cell is which; each cell is read by the method of its kind, which reports
//! what cannot be read and returns `None`. A load with any error is thrown away, so a `None` never becomes a figure.

mod cells;
mod quotes;

use std::borrow::Cow;
use std::ops::Range;

use csv::StringRecord;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use quotes::{Quotes, fields};

use super::log::{Log, counted};
use super::source::Source;
use crate::problem::{Place, Problem};

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
