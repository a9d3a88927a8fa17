//! `actions.csv`: what companies are known to have done.

use super::Ignored;
use super::companies::Roll;
use super::log::Log;
use super::number::ANY;
use super::register::Register;
use super::source::Source;
use super::table::{Column, Table, optional, required};
use super::tables::{Action, ActionKind};
use crate::ids::TerritoryIx;

pub(super) const FILE: &str = "actions.csv";

const COLUMNS: &[Column] = &[
    required("company_id"),
    required("territory_id"),
    required("start"),
    required("end"),
    required("kind"),
    optional("intensity"),
];

const KINDS: [(&str, ActionKind); 5] = [
    ("price", ActionKind::Price),
    ("campaign", ActionKind::Campaign),
    ("loading", ActionKind::Loading),
    ("launch", ActionKind::Launch),
    ("stockout", ActionKind::Stockout),
];

/// Reads the file; companies are those of the roll, to be renumbered when it is finished. Actions may lie outside the
/// history: one that is announced acts on the future.
pub(super) fn read(
    source: &Source,
    territories: &Register<'_, TerritoryIx>,
    companies: &mut Roll,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<Action>> {
    let mut table = Table::open(source, COLUMNS, log)?;
    ignored.note(&table);
    let [company, territory, start, end, kind, intensity] =
        ["company_id", "territory_id", "start", "end", "kind", "intensity"].map(|name| table.column(name));
    let mut rows = Vec::new();
    while table.advance(log) {
        let who = companies.resolve(&table, company, log);
        let everywhere = table.cell(territory) == "*";
        let place = if everywhere { None } else { territories.resolve(&table, territory, log) };
        let first = table.first_day(start, log);
        let last = table.last_day(end, log);
        if table.cell(kind).is_empty() {
            table.refuse_blank(kind, log, "write one of: price, campaign, loading, launch, stockout");
        }
        let what = table.word(kind, &KINDS, log);
        let intensity = table.number(intensity, &ANY, log);
        if let (Some(first), Some(last)) = (first, last)
            && last < first
        {
            table.refuse_order(start, end, log);
            continue;
        }
        if place.is_none() && !everywhere {
            continue;
        }
        if let (Some(company), Some(start), Some(end), Some(kind)) = (who, first, last, what) {
            rows.push(Action { company, territory: place, start, end, kind, intensity });
        }
    }
    Some(rows)
}

/// Sorts by company, territory (`*` first), days and kind.
pub(super) fn sort(rows: &mut [Action]) {
    rows.sort_by(|a, b| {
        let key = |row: &Action| (row.company, row.territory, row.start, row.end, row.kind);
        key(a).cmp(&key(b)).then_with(|| a.intensity.unwrap_or(f64::MIN).total_cmp(&b.intensity.unwrap_or(f64::MIN)))
    });
}
