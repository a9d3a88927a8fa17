//! `reps.csv` and `assignments.csv`.

use std::collections::{BTreeMap, BTreeSet};

use super::Ignored;
use super::log::Log;
use super::number::NOT_NEGATIVE;
use super::register::Register;
use super::source::Source;
use super::table::{Column, Table, optional, required};
use super::tables::{Assignment, Reps};
use crate::ids::{IdTable, RepIx, TerritoryIx};
use crate::problem::Problem;
use crate::units::Month;

pub(super) const REPS: &str = "reps.csv";
pub(super) const ASSIGNMENTS: &str = "assignments.csv";

const REP_COLUMNS: &[Column] =
    &[required("rep_id"), required("start"), optional("end"), required("calls_per_month"), required("monthly_cost")];

const ASSIGNMENT_COLUMNS: &[Column] =
    &[required("rep_id"), required("territory_id"), required("valid_from"), optional("valid_to")];

/// What `reps.csv` holds.
pub(super) struct RepFile {
    pub reps: Reps,
    /// Ids of rows with errors.
    pub lost: BTreeSet<String>,
    /// Rows are missing whose ids cannot be told.
    pub rows_lost: bool,
}

/// A row of `reps.csv`.
struct Rep {
    start: Month,
    end: Option<Month>,
    calls_per_month: f64,
    monthly_cost: f64,
}

/// Reads `reps.csv`, sorted by id.
pub(super) fn read_reps(source: &Source, ignored: &mut Ignored, log: &mut Log) -> Option<RepFile> {
    let mut table = Table::open(source, REP_COLUMNS, log)?;
    ignored.note(&table);
    let [id, start, end, calls, cost] =
        ["rep_id", "start", "end", "calls_per_month", "monthly_cost"].map(|name| table.column(name));
    let mut found: BTreeMap<String, Rep> = BTreeMap::new();
    let mut first_on: BTreeMap<String, usize> = BTreeMap::new();
    let mut lost = BTreeSet::new();
    while table.advance(log) {
        let from = table.required_month_or_day(start, log);
        let until = table.month_or_day(end, log);
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            table.refuse_order(start, end, log);
        }
        let calls_per_month = table.required_number(calls, &NOT_NEGATIVE, log);
        let monthly_cost = table.required_number(cost, &NOT_NEGATIVE, log);
        let Some(rep) = table.id(id, log).map(String::from) else { continue };
        if let Some(&first) = first_on.get(&rep) {
            table.refuse_duplicate(id, &format!("rep `{rep}`"), first, log);
            continue;
        }
        first_on.insert(rep.clone(), table.offset());
        match (from, calls_per_month, monthly_cost) {
            (Some(start), Some(calls_per_month), Some(monthly_cost)) => {
                found.insert(rep, Rep { start, end: until, calls_per_month, monthly_cost });
            }
            _ => {
                lost.insert(rep);
            }
        }
    }
    lost.extend(table.lost.iter().cloned());
    let mut ids = IdTable::default();
    for id in found.keys() {
        ids.intern(id);
    }
    let reps = Reps {
        ids,
        start: found.values().map(|rep| rep.start).collect(),
        end: found.values().map(|rep| rep.end).collect(),
        calls_per_month: found.values().map(|rep| rep.calls_per_month).collect(),
        monthly_cost: found.values().map(|rep| rep.monthly_cost).collect(),
    };
    Some(RepFile { reps, lost, rows_lost: table.rows_lost })
}

/// Reads `assignments.csv`, sorted by rep, territory and first month.
pub(super) fn read_assignments(
    source: &Source,
    reps: Option<&Register<'_, RepIx>>,
    territories: &Register<'_, TerritoryIx>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<Assignment>> {
    let mut table = Table::open(source, ASSIGNMENT_COLUMNS, log)?;
    ignored.note(&table);
    let Some(reps) = reps else {
        log.push(Problem::error(format!("`{ASSIGNMENTS}` needs `{REPS}`, which is not there")).help(format!(
            "add {REPS} (rep_id, start, end, calls_per_month, monthly_cost), or take {ASSIGNMENTS} away"
        )));
        return None;
    };
    let [rep, territory, from, to] =
        ["rep_id", "territory_id", "valid_from", "valid_to"].map(|name| table.column(name));
    let mut rows: Vec<(Assignment, usize)> = Vec::new();
    while table.advance(log) {
        let who = reps.resolve(&table, rep, log);
        let place = territories.resolve(&table, territory, log);
        let valid_from = table.required_month_or_day(from, log);
        let valid_to = table.month_or_day(to, log);
        if let (Some(first), Some(last)) = (valid_from, valid_to)
            && last < first
        {
            table.refuse_order(from, to, log);
            continue;
        }
        if let (Some(rep), Some(territory), Some(valid_from)) = (who, place, valid_from) {
            rows.push((Assignment { rep, territory, valid_from, valid_to }, table.offset()));
        }
    }
    rows.sort_by_key(|(row, offset)| (row.rep, row.territory, row.valid_from, row.valid_to, *offset));
    for pair in rows.windows(2) {
        let [(earlier, first), (later, second)] = pair else { continue };
        let same = earlier.rep == later.rep && earlier.territory == later.territory;
        if same && earlier.valid_to.is_none_or(|last| last >= later.valid_from) {
            log.push_class((ASSIGNMENTS, "two assignments overlap", 0), || {
                Problem::error("a rep is assigned to a territory twice at the same time")
                    .at(table.place_at(*second), format!("overlaps with line {}", table.line_at(*first)))
                    .help("end the earlier assignment with `valid_to` before the later one begins, or delete one")
            });
        }
    }
    Some(rows.into_iter().map(|(row, _)| row).collect())
}
