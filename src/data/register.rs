//! The ids that other files may refer to.

use std::collections::BTreeSet;

use super::log::Log;
use super::table::{Col, Table, canonical, nearest};
use crate::ids::{IdTable, Index};

/// Tables up to this size are searched for an id that is spelt nearly so.
const SEARCHED: usize = 20_000;

/// Ids of one kind, and what is known of those that could not be read.
#[derive(Debug)]
pub(super) struct Register<'a, I> {
    /// `None` when the file could not be read: then nothing can be said about a reference.
    ids: Option<&'a IdTable<I>>,
    /// "customer", "territory", ...
    what: &'static str,
    /// The file that lists them.
    file: &'static str,
    /// Ids whose own row has an error: a reference to one is not a second error.
    lost: Option<&'a BTreeSet<String>>,
    /// Rows of the file are missing whose ids cannot be told: then, too, nothing can be said about a reference.
    rows_lost: bool,
    /// Territories that are parents of others.
    aggregates: Option<&'a BTreeSet<String>>,
}

impl<'a, I: Index> Register<'a, I> {
    pub fn new(what: &'static str, file: &'static str, ids: Option<&'a IdTable<I>>) -> Self {
        Self { ids, what, file, lost: None, rows_lost: false, aggregates: None }
    }

    /// The same register with ids that may be referred to without a second error.
    pub fn with_lost(self, lost: Option<&'a BTreeSet<String>>, rows_lost: bool) -> Self {
        Self { lost, rows_lost, ..self }
    }

    /// The same register with ids that hold nothing themselves.
    pub fn with_aggregates(self, aggregates: Option<&'a BTreeSet<String>>) -> Self {
        Self { aggregates, ..self }
    }

    /// The index that a cell names. `None` where it is blank (reported: a reference must be filled) or unknown.
    pub fn resolve(&self, table: &Table<'_>, col: Col, log: &mut Log) -> Option<I> {
        let id = table.id(col, log)?;
        self.resolve_text(table, col, &id, log)
    }

    /// The index that one of several ids in a cell names.
    pub fn resolve_text(&self, table: &Table<'_>, col: Col, id: &str, log: &mut Log) -> Option<I> {
        let id = canonical(id);
        let found = self.ids?.get(&id);
        if found.is_none() {
            self.refuse(table, col, &id, log);
        }
        found
    }

    /// Like [`Register::resolve`], but a blank cell is not a mistake.
    pub fn resolve_optional(&self, table: &Table<'_>, col: Col, log: &mut Log) -> Option<I> {
        if table.cell(col).is_empty() { None } else { self.resolve(table, col, log) }
    }

    /// Reports an id of a row that names nothing.
    fn refuse(&self, table: &Table<'_>, col: Col, id: &str, log: &mut Log) {
        let Some(ids) = self.ids.filter(|_| !self.rows_lost) else { return };
        if self.lost.is_some_and(|lost| lost.contains(id)) {
            return;
        }
        if self.aggregates.is_some_and(|aggregates| aggregates.contains(id)) {
            table.refuse(col, "a row refers to a parent territory", log, || {
                (
                    format!("territory `{id}` is the parent of others"),
                    "an aggregate, which holds nothing itself".to_owned(),
                    format!(
                        "name the territory below `{id}` instead, or clear `parent_id` in {} where it is named",
                        self.file
                    ),
                )
            });
            return;
        }
        table.refuse(col, "a row refers to something unknown", log, || {
            (format!("{} `{id}` is unknown", self.what), format!("not in {}", self.file), help_for(ids, self.file, id))
        });
    }
}

/// What to write instead of an id that `ids` (listed in `file`) do not have.
pub(super) fn help_for<I: Index>(ids: &IdTable<I>, file: &str, id: &str) -> String {
    if let Some(same) = zero_variant(ids, id) {
        return format!(
            "{file} has `{same}`: a spreadsheet may have eaten or added a zero; format the column as text before saving"
        );
    }
    if ids.len() <= SEARCHED {
        let near = ids.names().find(|name| name.to_lowercase() == id.to_lowercase()).or_else(|| {
            // Short codes are near to all others: only longer ids are worth a guess.
            (id.chars().count() > 4).then(|| nearest(id, ids.names())).flatten()
        });
        if let Some(near) = near {
            return format!("did you mean `{near}`? Otherwise add `{id}` to {file}");
        }
    }
    format!("add `{id}` to {file}, or correct the id")
}

/// The id that differs only by leading zeros or by a decimal ending.
fn zero_variant<I: Index>(ids: &IdTable<I>, id: &str) -> Option<String> {
    let id = [".0", ".00", ",0"].iter().find_map(|ending| id.strip_suffix(ending)).unwrap_or(id);
    let bare = id.trim_start_matches('0');
    (0..=8).map(|zeros| format!("{}{bare}", "0".repeat(zeros))).find(|variant| ids.get(variant).is_some())
}
