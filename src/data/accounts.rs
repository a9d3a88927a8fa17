//! Files of business customers: `contacts.csv`, `contracts.csv`, `receivables.csv` and `events.csv`.

use std::collections::BTreeMap;

use super::Ignored;
use super::history::Window;
use super::log::Log;
use super::number::{ANY, NOT_NEGATIVE};
use super::register::Register;
use super::source::Source;
use super::table::{Column, Table, optional, required};
use super::tables::{Contact, Contract, CustomerEvent, Receivable};
use crate::ids::CustomerIx;

pub(super) const CONTACTS: &str = "contacts.csv";
pub(super) const CONTRACTS: &str = "contracts.csv";
pub(super) const RECEIVABLES: &str = "receivables.csv";
pub(super) const EVENTS: &str = "events.csv";

const CONTACT_COLUMNS: &[Column] = &[required("customer_id"), required("seat"), optional("view")];
const CONTRACT_COLUMNS: &[Column] = &[required("customer_id"), required("start"), required("end"), optional("price")];
const RECEIVABLE_COLUMNS: &[Column] =
    &[required("period"), required("customer_id"), required("balance"), required("limit"), required("overdue")];
const EVENT_COLUMNS: &[Column] = &[required("date"), required("customer_id"), required("kind")];

/// Reads `contacts.csv`, sorted by customer and seat.
pub(super) fn read_contacts(
    source: &Source,
    customers: &Register<'_, CustomerIx>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<Contact>> {
    let mut table = Table::open(source, CONTACT_COLUMNS, log)?;
    ignored.note(&table);
    let [customer, seat, view] = ["customer_id", "seat", "view"].map(|name| table.column(name));
    let mut found: BTreeMap<(CustomerIx, String), (Option<f64>, usize)> = BTreeMap::new();
    while table.advance(log) {
        let who = customers.resolve(&table, customer, log);
        let name = table.id(seat, log).map(String::from);
        let view = table.number(view, &(-1.0..=1.0), log);
        let (Some(customer), Some(name)) = (who, name) else { continue };
        if let Some((_, first)) = found.get(&(customer, name.clone())) {
            table.refuse_duplicate(seat, &format!("seat `{name}` of this customer"), *first, log);
            continue;
        }
        found.insert((customer, name), (view, table.offset()));
    }
    Some(found.into_iter().map(|((customer, seat), (view, _))| Contact { customer, seat, view }).collect())
}

/// Reads `contracts.csv`, sorted by customer and days. Contracts may outlast the history.
pub(super) fn read_contracts(
    source: &Source,
    customers: &Register<'_, CustomerIx>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<Contract>> {
    let mut table = Table::open(source, CONTRACT_COLUMNS, log)?;
    ignored.note(&table);
    let [customer, start, end, price] = ["customer_id", "start", "end", "price"].map(|name| table.column(name));
    let mut rows = Vec::new();
    while table.advance(log) {
        let who = customers.resolve(&table, customer, log);
        let (first, last) = (table.first_day(start, log), table.last_day(end, log));
        let price = table.number(price, &NOT_NEGATIVE, log);
        let (Some(customer), Some(first), Some(last)) = (who, first, last) else { continue };
        if last < first {
            table.refuse_order(start, end, log);
            continue;
        }
        rows.push(Contract { customer, start: first, end: last, price });
    }
    rows.sort_by(|a, b| {
        let key = |row: &Contract| (row.customer, row.start, row.end);
        key(a).cmp(&key(b)).then_with(|| a.price.unwrap_or(-1.0).total_cmp(&b.price.unwrap_or(-1.0)))
    });
    Some(rows)
}

/// Reads `receivables.csv`, sorted by customer and month.
pub(super) fn read_receivables(
    source: &Source,
    window: Window,
    customers: &Register<'_, CustomerIx>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<Receivable>> {
    let mut table = Table::open(source, RECEIVABLE_COLUMNS, log)?;
    ignored.note(&table);
    let [period, customer, balance, limit, overdue] =
        ["period", "customer_id", "balance", "limit", "overdue"].map(|name| table.column(name));
    let mut watch = window.watch(RECEIVABLES);
    let mut found: BTreeMap<(CustomerIx, u16), (Receivable, usize)> = BTreeMap::new();
    while table.advance(log) {
        let month = table.required_month(period, log);
        let who = customers.resolve(&table, customer, log);
        let balance = table.required_number(balance, &ANY, log);
        let limit = table.required_number(limit, &NOT_NEGATIVE, log);
        let overdue = table.required_number(overdue, &NOT_NEGATIVE, log);
        let Some(month) = month.and_then(|month| watch.position(month, || table.place(period))) else { continue };
        let (Some(who), Some(balance), Some(limit), Some(overdue)) = (who, balance, limit, overdue) else { continue };
        if let Some((_, first)) = found.get(&(who, month)) {
            let what = format!("customer `{}` in {}", table.cell(customer), table.cell(period));
            table.refuse_duplicate(customer, &what, *first, log);
            continue;
        }
        found.insert((who, month), (Receivable { month, customer: who, balance, limit, overdue }, table.offset()));
    }
    watch.report(log);
    Some(found.into_values().map(|(row, _)| row).collect())
}

/// Reads `events.csv`, sorted by customer, day and kind.
pub(super) fn read_events(
    source: &Source,
    window: Window,
    customers: &Register<'_, CustomerIx>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<CustomerEvent>> {
    let mut table = Table::open(source, EVENT_COLUMNS, log)?;
    ignored.note(&table);
    let [date, customer, kind] = ["date", "customer_id", "kind"].map(|name| table.column(name));
    let mut watch = window.watch(EVENTS);
    let mut rows = Vec::new();
    while table.advance(log) {
        let day = table.first_day(date, log);
        let who = customers.resolve(&table, customer, log);
        let what = table.id(kind, log).map(String::from);
        let (Some(day), Some(customer), Some(kind)) = (day, who, what) else { continue };
        if watch.keeps(day.month(), || table.place(date)) {
            rows.push(CustomerEvent { date: day, customer, kind });
        }
    }
    watch.report(log);
    rows.sort_by(|a, b| (a.customer, a.date, &a.kind).cmp(&(b.customer, b.date, &b.kind)));
    Some(rows)
}
