//! `calendar.csv` (events of the market) and `deflator.csv` (price index).

use std::collections::BTreeMap;

use super::Ignored;
use super::log::{Log, counted};
use super::number::POSITIVE;
use super::source::Source;
use super::table::{Column, Table, required};
use super::tables::CalendarEvent;
use crate::problem::Problem;
use crate::units::{Month, MonthSpan};

pub(super) const CALENDAR: &str = "calendar.csv";
pub(super) const DEFLATOR: &str = "deflator.csv";

const CALENDAR_COLUMNS: &[Column] = &[required("event"), required("start"), required("end")];
const DEFLATOR_COLUMNS: &[Column] = &[required("period"), required("index")];

/// Reads `calendar.csv`, sorted by day and event. Events may lie in the future: they move its season.
pub(super) fn read_calendar(source: &Source, ignored: &mut Ignored, log: &mut Log) -> Option<Vec<CalendarEvent>> {
    let mut table = Table::open(source, CALENDAR_COLUMNS, log)?;
    ignored.note(&table);
    let [event, start, end] = ["event", "start", "end"].map(|name| table.column(name));
    let mut found: BTreeMap<_, usize> = BTreeMap::new();
    while table.advance(log) {
        let name = table.id(event, log).map(String::from);
        let (first, last) = (table.first_day(start, log), table.last_day(end, log));
        let (Some(name), Some(first), Some(last)) = (name, first, last) else { continue };
        if last < first {
            table.refuse_order(start, end, log);
            continue;
        }
        if let Some(&earlier) = found.get(&(first, last, name.clone())) {
            table.refuse_duplicate(event, &format!("event `{name}` on these days"), earlier, log);
            continue;
        }
        found.insert((first, last, name), table.offset());
    }
    Some(found.into_keys().map(|(start, end, event)| CalendarEvent { event, start, end }).collect())
}

/// Prices by month, as they are in `deflator.csv`.
pub(super) type PriceIndex = BTreeMap<Month, f64>;

/// Reads `deflator.csv`.
pub(super) fn read_deflator(source: &Source, ignored: &mut Ignored, log: &mut Log) -> Option<PriceIndex> {
    let mut table = Table::open(source, DEFLATOR_COLUMNS, log)?;
    ignored.note(&table);
    let [period, index] = ["period", "index"].map(|name| table.column(name));
    let mut prices = PriceIndex::new();
    let mut first_on: BTreeMap<Month, usize> = BTreeMap::new();
    let mut clean = true;
    while table.advance(log) {
        let month = table.required_month(period, log);
        let value = table.required_number(index, &POSITIVE, log);
        let (Some(month), Some(value)) = (month, value) else {
            clean = false; // reported; the month is not missing too
            continue;
        };
        if let Some(&first) = first_on.get(&month) {
            table.refuse_duplicate(period, &format!("month {month}"), first, log);
            continue;
        }
        first_on.insert(month, table.offset());
        prices.insert(month, value);
    }
    (clean && table.lost.is_empty()).then_some(prices)
}

/// The index over the history, 1 at its end; `None` (and a problem) where a month has none.
pub(super) fn deflator(prices: &PriceIndex, history: MonthSpan, log: &mut Log) -> Option<Vec<f64>> {
    let missing: Vec<Month> = history.months().filter(|month| !prices.contains_key(month)).collect();
    if let Some(first) = missing.first() {
        log.push(
            Problem::error(format!(
                "`{DEFLATOR}` lacks {} of the history, {first} the first",
                counted(missing.len(), "month")
            ))
            .help(format!("it must have an index for every month from {history}")),
        );
        return None;
    }
    let base = *prices.get(&history.last)?;
    history.months().map(|month| prices.get(&month).map(|price| price / base)).collect()
}
