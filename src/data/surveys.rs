//! `wallets.csv` (share-of-wallet surveys) and `experiments.csv` (field tests).

use super::Ignored;
use super::history::Window;
use super::log::Log;
use super::number::{ANY, NOT_NEGATIVE, POSITIVE};
use super::register::Register;
use super::source::Source;
use super::table::{Col, Column, Table, required};
use super::tables::{Experiment, Wallet};
use crate::ids::{CustomerIx, IdTable, Index as _, TerritoryIx};
use crate::units::MonthSpan;

pub(super) const WALLETS: &str = "wallets.csv";
pub(super) const EXPERIMENTS: &str = "experiments.csv";

const WALLET_COLUMNS: &[Column] = &[required("customer_id"), required("from"), required("to"), required("demand")];

const EXPERIMENT_COLUMNS: &[Column] =
    &[required("start"), required("end"), required("territories"), required("lever"), required("lift"), required("se")];

/// Reads `wallets.csv`, sorted by customer and months.
pub(super) fn read_wallets(
    source: &Source,
    window: Window,
    customers: &Register<'_, CustomerIx>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<Wallet>> {
    let mut table = Table::open(source, WALLET_COLUMNS, log)?;
    ignored.note(&table);
    let [customer, from, to, demand] = ["customer_id", "from", "to", "demand"].map(|name| table.column(name));
    let mut watch = window.watch(WALLETS);
    let mut rows = Vec::new();
    while table.advance(log) {
        let customer = customers.resolve(&table, customer, log);
        let span = read_span(&table, from, to, log);
        let demand = table.required_number(demand, &NOT_NEGATIVE, log);
        let (Some(customer), Some(span), Some(demand)) = (customer, span, demand) else { continue };
        if watch.keeps(span.first, || table.place(from)) && watch.keeps(span.last, || table.place(to)) {
            rows.push(Wallet { customer, span, demand });
        }
    }
    watch.report(log);
    rows.sort_by(|a, b| {
        let key = |row: &Wallet| (row.customer, row.span.first, row.span.last);
        key(a).cmp(&key(b)).then_with(|| a.demand.total_cmp(&b.demand))
    });
    Some(rows)
}

/// Reads `experiments.csv`, sorted by months and lever.
pub(super) fn read_experiments(
    source: &Source,
    window: Window,
    territories: &Register<'_, TerritoryIx>,
    territory_ids: Option<&IdTable<TerritoryIx>>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Vec<Experiment>> {
    let mut table = Table::open(source, EXPERIMENT_COLUMNS, log)?;
    ignored.note(&table);
    let [start, end, places, lever, lift, se] =
        ["start", "end", "territories", "lever", "lift", "se"].map(|name| table.column(name));
    let mut watch = window.watch(EXPERIMENTS);
    let mut rows: Vec<Experiment> = Vec::new();
    while table.advance(log) {
        let span = read_span(&table, start, end, log);
        if table.cell(places).is_empty() {
            table.refuse_blank(places, log, "write territory ids separated by `;`, or `*` for all");
        }
        let mut tested: Vec<TerritoryIx> = if table.cell(places) == "*" {
            territory_ids.map(|ids| ids.indices().collect()).unwrap_or_default()
        } else {
            let ids = table.cell(places).split(';').map(str::trim).filter(|id| !id.is_empty());
            ids.filter_map(|id| territories.resolve_text(&table, places, id, log)).collect()
        };
        tested.sort_by_key(|territory| territory.usize());
        tested.dedup();
        let lever = table.id(lever, log).map(String::from);
        let lift = table.required_number(lift, &ANY, log);
        let se = table.required_number(se, &POSITIVE, log);
        let (Some(span), Some(lever), Some(lift), Some(se)) = (span, lever, lift, se) else { continue };
        if watch.keeps(span.first, || table.place(start)) && watch.keeps(span.last, || table.place(end)) {
            rows.push(Experiment { span, territories: tested, lever, lift, se });
        }
    }
    watch.report(log);
    rows.sort_by(|a, b| {
        let key = |row: &Experiment| (row.span.first, row.span.last, row.lever.clone(), row.territories.clone());
        key(a).cmp(&key(b)).then_with(|| a.lift.total_cmp(&b.lift)).then_with(|| a.se.total_cmp(&b.se))
    });
    Some(rows)
}

fn read_span(table: &Table<'_>, from: Col, to: Col, log: &mut Log) -> Option<MonthSpan> {
    let first = table.required_month_or_day(from, log);
    let last = table.required_month_or_day(to, log);
    let span = MonthSpan::new(first?, last?);
    if span.is_none() {
        table.refuse_order(from, to, log);
    }
    span
}
