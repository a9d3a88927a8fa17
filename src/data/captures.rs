//! `captures.csv`: how many customers of the universe are on which lists.

use std::collections::BTreeMap;

use super::customers::MOST_LISTS;
use super::log::Log;
use super::register::Register;
use super::source::Source;
use super::table::{Col, Column, Table, canonical, optional, required};
use super::tables::{CaptureRow, Captures, Customers};
use crate::ids::TerritoryIx;
use crate::problem::Problem;

pub(super) const FILE: &str = "captures.csv";

const COLUMNS: &[Column] = &[required("territory_id"), optional("segment"), required("count")];

/// Reads the file. Segments that no customer has join those of `customers`.
pub(super) fn read(
    source: &Source,
    territories: &Register<'_, TerritoryIx>,
    customers: Option<&mut Customers>,
    log: &mut Log,
) -> Option<Captures> {
    let mut table = Table::open(source, COLUMNS, log)?;
    let [territory, segment, count] = ["territory_id", "segment", "count"].map(|name| table.column(name));
    let mut lists: Vec<(String, Col)> =
        table.unknown.iter().map(|(position, name)| (name.clone(), table.other(*position))).collect();
    lists.sort_by(|a, b| a.0.cmp(&b.0));
    if lists.is_empty() || lists.len() > MOST_LISTS {
        log.push(
            Problem::error(format!("`{FILE}` has {} columns of lists", lists.len()))
                .at(table.row_place(), format!("1 to {MOST_LISTS} are needed"))
                .help("add a column for each customer list: 1 where the customers counted are on it, 0 where not"),
        );
        return None;
    }
    let mut found: BTreeMap<(TerritoryIx, String, u32), (u32, usize)> = BTreeMap::new();
    while table.advance(log) {
        let place = territories.resolve(&table, territory, log);
        let mut history = Some(0);
        for (bit, (_, list)) in lists.iter().enumerate() {
            let on = read_bit(&table, *list, log);
            history = history.zip(on).map(|(history, on)| history | u32::from(on) << bit);
        }
        if table.cell(count).is_empty() {
            table.refuse_blank(count, log, "write how many customers there are on these lists");
        }
        let number = table.whole(count, &(0.0..=f64::from(u32::MAX)), log);
        let (Some(place), Some(history), Some(number)) = (place, history, number) else { continue };
        if history == 0 && number > 0 {
            table.refuse(count, "customers on no list are counted", log, || {
                (
                    format!("{number} customers that are on no list cannot have been counted"),
                    "every list is 0 in this row".to_owned(),
                    "if an audit counted them, give the audit a column of its own with 1; else delete the row"
                        .to_owned(),
                )
            });
            continue;
        }
        let key = (place, canonical(table.cell(segment)).into_owned(), history);
        if let Some((_, first)) = found.get(&key) {
            let what = format!("this capture history of territory `{}`", table.cell(territory));
            table.refuse_duplicate(territory, &what, *first, log);
            continue;
        }
        found.insert(key, (number, table.offset()));
    }
    let mut names: Vec<String> = lists.into_iter().map(|(name, _)| name).collect();
    let own_list = customers.as_deref().and_then(|customers| own_list(customers, &mut names, log));
    let segment_names = match customers {
        Some(customers) => {
            customers.add_segments(found.keys().map(|(_, segment, _)| segment.as_str()), log);
            customers.segment_names.as_slice()
        }
        None => &[],
    };
    let mut rows: Vec<CaptureRow> = found
        .into_iter()
        .map(|((territory, segment, history), (count, _))| {
            let segment = segment_names.binary_search(&segment).ok().and_then(|index| u16::try_from(index).ok());
            CaptureRow { territory, segment, history, count }
        })
        .collect();
    rows.sort_by_key(|row| (row.territory, row.segment, row.history));
    Some(Captures { lists: names, own_list, rows })
}

fn read_bit(table: &Table<'_>, list: Col, log: &mut Log) -> Option<bool> {
    match table.cell(list) {
        "1" => Some(true),
        "0" => Some(false),
        other => {
            table.refuse(list, "a list is neither 0 nor 1", log, || {
                (
                    format!("`{other}` in column `{}` is neither 0 nor 1", table.name(list)),
                    "must be 0 or 1".to_owned(),
                    "every column beside territory_id, segment and count is a customer list: 1 = on it, 0 = not"
                        .to_owned(),
                )
            });
            None
        }
    }
}

/// The list that is `customers.csv` itself: the one that every row of `sources` names.
fn own_list(customers: &Customers, lists: &mut [String], log: &mut Log) -> Option<usize> {
    let sources = customers.sources.as_ref()?;
    if sources.is_empty() {
        return None;
    }
    let everywhere = sources.iter().fold(u32::MAX, |common, mask| common & mask);
    let names: Vec<&str> = customers
        .lists
        .names()
        .enumerate()
        .filter(|(bit, _)| everywhere >> bit & 1 == 1)
        .map(|(_, name)| name)
        .collect();
    let positions: Vec<usize> =
        lists.iter().enumerate().filter(|(_, list)| names.contains(&list.as_str())).map(|(at, _)| at).collect();
    match positions.as_slice() {
        [only] => Some(*only),
        [] => {
            log.push(
                Problem::warning(format!(
                    "no list of `{FILE}` is customers.csv itself: which of its cells are dark is not known"
                ))
                .help("name the list that customers.csv comes from in every row of its column `sources`"),
            );
            None
        }
        several => {
            let several: Vec<&str> = several.iter().filter_map(|&at| lists.get(at)).map(String::as_str).collect();
            log.push(
                Problem::warning(format!(
                    "every customer is on each of the lists {}: which is customers.csv itself is not known",
                    several.join(", ")
                ))
                .help("name only the list that customers.csv comes from in every row of its column `sources`"),
            );
            None
        }
    }
}

impl Customers {
    /// Adds segments that only a universe count knows, and renumbers those of the customers.
    fn add_segments<'s>(&mut self, names: impl Iterator<Item = &'s str>, log: &mut Log) {
        let mut all = self.segment_names.clone();
        let fresh: std::collections::BTreeSet<&str> =
            names.filter(|name| !name.is_empty() && !all.iter().any(|known| known == name)).collect();
        if fresh.is_empty() {
            return;
        }
        if !all.is_empty() {
            let listed = fresh.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            log.push(
                Problem::warning(format!("no customer has the segment {listed} of `{FILE}`"))
                    .help("write segments as customers.csv does, unless those customers are all dark"),
            );
        }
        all.extend(fresh.into_iter().map(str::to_owned));
        all.sort();
        for segment in self.segment.iter_mut() {
            *segment = segment
                .and_then(|old| self.segment_names.get(usize::from(old)))
                .and_then(|name| all.binary_search(name).ok())
                .and_then(|index| u16::try_from(index).ok());
        }
        self.segment_names = all;
    }
}
