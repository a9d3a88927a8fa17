//! `sales.csv`: rows become one figure for each customer, month, product and flow.

use super::Ignored;
use super::history::{LONGEST, Start, Window};
use super::log::{Log, Tally, counted};
use super::names::Names;
use super::number::{ANY, NOT_NEGATIVE};
use super::register::Register;
use super::source::Source;
use super::table::{Column, Table, optional, required};
use super::tables::{Customers, Sales};
use crate::ids::{CustomerIx, IdTable, Index as _, ProductIx};
use crate::problem::{Place, Problem};
use crate::units::{DemandUnit, Month, MonthSpan, days_in};

pub(super) const FILE: &str = "sales.csv";

const BY_UNITS: &[Column] = &[
    required("period"),
    required("customer_id"),
    optional("product_id"),
    required("units"),
    optional("value"),
    optional("flow"),
    optional("order_channel"),
    optional("order_days"),
];

const BY_VALUE: &[Column] = &[
    required("period"),
    required("customer_id"),
    optional("product_id"),
    optional("units"),
    required("value"),
    optional("flow"),
    optional("order_channel"),
    optional("order_days"),
];

/// For a market whose demand unit is not known (an error of `market.toml`).
const BY_EITHER: &[Column] = &[
    required("period"),
    required("customer_id"),
    optional("product_id"),
    optional("units"),
    optional("value"),
    optional("flow"),
    optional("order_channel"),
    optional("order_days"),
];

/// A row of the file.
#[derive(Debug, Clone, Copy)]
struct Row {
    customer: CustomerIx,
    month: Month,
    product: Option<u32>,
    sell_out: bool,
    units: Option<f64>,
    value: Option<f64>,
    order_channel: Option<u32>,
    order_days: Option<f64>,
    offset: usize,
}

impl Row {
    fn key(&self) -> (CustomerIx, Month, Option<u32>, bool) {
        (self.customer, self.month, self.product, self.sell_out)
    }

    /// A total order of rows by content, so that sums do not depend on the order of the file.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let amount = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        self.key()
            .cmp(&other.key())
            .then_with(|| amount(self.units, other.units))
            .then_with(|| amount(self.value, other.value))
            .then_with(|| self.order_channel.cmp(&other.order_channel))
            .then_with(|| amount(self.order_days, other.order_days))
    }
}

/// The rows of the file, not yet netted: the history may begin with the first of them.
pub(super) struct SalesFile {
    rows: Vec<Row>,
    /// Rows met, usable or not.
    met: usize,
    /// First month inside the history, and the byte its row begins at.
    first: Option<(Month, usize)>,
    channels: Names,
    has: Has,
}

/// Optional columns that are there.
#[derive(Debug, Clone, Copy)]
struct Has {
    product: bool,
    units: bool,
    value: bool,
    flow: bool,
    order_channel: bool,
    order_days: bool,
}

/// Reads the rows.
pub(super) fn read(
    source: &Source,
    demand: Option<DemandUnit>,
    window: Window,
    customers: &Register<'_, CustomerIx>,
    products: &mut Names,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<SalesFile> {
    let columns = match demand {
        Some(DemandUnit::Units) => BY_UNITS,
        Some(DemandUnit::Value) => BY_VALUE,
        None => BY_EITHER,
    };
    let mut table = Table::open(source, columns, log)?;
    ignored.note(&table);
    let [period, customer, product, units, value, flow, order_channel, order_days] =
        ["period", "customer_id", "product_id", "units", "value", "flow", "order_channel", "order_days"]
            .map(|name| table.column(name));
    let demanded = match demand {
        Some(DemandUnit::Units) => Some(units),
        Some(DemandUnit::Value) => Some(value),
        None => None,
    };
    let mut channels = Names::default();
    let mut rows = Vec::new();
    let (mut met, mut first) = (0, None::<(Month, usize)>);
    let mut watch = window.watch(FILE);
    while table.advance(log) {
        met += 1;
        let month = table.required_month(period, log);
        let customer = customers.resolve(&table, customer, log);
        if let Some(demanded) = demanded
            && table.cell(demanded).is_empty()
        {
            table.refuse_blank(demanded, log, "write what was sold, 0 if nothing, or delete the row");
        }
        let units = table.number(units, &ANY, log);
        let value = table.number(value, &ANY, log);
        let sell_out = table.word(flow, &[("sell_in", false), ("sell_out", true)], log).unwrap_or(false);
        let order_days = table.number(order_days, &NOT_NEGATIVE, log);
        let product = table.optional_id(product, log).and_then(|id| products.intern(&id));
        let order_channel = channels.intern(table.cell(order_channel));
        let Some(month) = month else { continue };
        if !watch.keeps(month, || table.place(period)) {
            continue;
        }
        if first.is_none_or(|(earliest, _)| month < earliest) {
            first = Some((month, table.offset()));
        }
        let Some(customer) = customer else { continue };
        rows.push(Row {
            customer,
            month,
            product: product.map(|index| index as u32),
            sell_out,
            units,
            value,
            order_channel: order_channel.map(|index| index as u32),
            order_days,
            offset: table.offset(),
        });
    }
    watch.report(log);
    let has = Has {
        product: product.is_present(),
        units: units.is_present(),
        value: value.is_present(),
        flow: flow.is_present(),
        order_channel: order_channel.is_present(),
        order_days: order_days.is_present(),
    };
    Some(SalesFile { rows, met, first, channels, has })
}

impl SalesFile {
    /// The window with the first month of the sales as its start, where `market.toml` gives none.
    pub fn begin(&self, window: Window, source: &Source, log: &mut Log) -> Window {
        let Some(end) = window.end else { return window };
        let Some((start, offset)) = self.first else {
            if self.met == 0 {
                log.push(
                    Problem::error("the start of the history is not known: there are no sales")
                        .help("write history_start = \"YYYY-MM\" in market.toml"),
                );
            }
            return window;
        };
        match MonthSpan::new(start, end) {
            Some(span) if span.len() <= LONGEST => Window { start: Start::FirstSale(start), ..window },
            _ => {
                log.push(
                    Problem::error(format!(
                        "the first sale is of {start}, more than {} years before the last month",
                        LONGEST / 12
                    ))
                    .at(source.line_place(offset), "is the year right?")
                    .help("correct the year, or write history_start in market.toml"),
                );
                window
            }
        }
    }

    /// Nets the rows by customer, month, product and flow. `products` are the final ids, `product_rank` the final index
    /// of each product met.
    pub fn net(
        mut self,
        demand_unit: DemandUnit,
        span: MonthSpan,
        customers: &Customers,
        (products, product_rank): (IdTable<ProductIx>, &[usize]),
        source: &Source,
        log: &mut Log,
    ) -> Sales {
        for row in &mut self.rows {
            row.product = row.product.and_then(|index| product_rank.get(index as usize)).map(|&rank| rank as u32);
        }
        let (channel_names, channel_rank) = std::mem::take(&mut self.channels).sorted();
        for row in &mut self.rows {
            row.order_channel =
                row.order_channel.and_then(|index| channel_rank.get(index as usize)).map(|&rank| rank as u32);
        }
        self.rows.sort_unstable_by(Row::order);
        self.warn_of_copies(source, log);
        let mut sales = Sales {
            customer: Vec::new(),
            month: Vec::new(),
            product: self.has.product.then(Vec::new),
            products,
            units: self.has.units.then(Vec::new),
            value: self.has.value.then(Vec::new),
            sell_out: self.has.flow.then(Vec::new),
            order_channel: self.has.order_channel.then(Vec::new),
            order_days: self.has.order_days.then(Vec::new),
        };
        let mut doubts = Doubts::default();
        for group in self.rows.chunk_by(|a, b| a.key() == b.key()) {
            let Some(first) = group.first() else { continue };
            let Some(month) = span.position(first.month).and_then(|position| u16::try_from(position).ok()) else {
                continue; // outside the history, reported already
            };
            let units = sum(group.iter().map(|row| row.units));
            let value = sum(group.iter().map(|row| row.value));
            let demand = if demand_unit == DemandUnit::Units { units } else { value };
            doubts.look(first, demand.unwrap_or(0.0), customers, source);
            sales.customer.push(first.customer);
            sales.month.push(month);
            push(&mut sales.product, || first.product.map(|index| ProductIx::from_usize(index as usize)));
            push(&mut sales.units, || units);
            push(&mut sales.value, || value);
            push(&mut sales.sell_out, || first.sell_out);
            push(&mut sales.order_channel, || {
                let index = largest(group, demand_unit)?.order_channel?;
                channel_names.get(index as usize).cloned()
            });
            // Several rows may share a day of ordering; there cannot be more than the month has.
            push(&mut sales.order_days, || {
                let days = sum(group.iter().map(|row| row.order_days))?;
                Some(days.min(f64::from(days_in(first.month))))
            });
        }
        doubts.report(log);
        sales
    }

    /// Warns when a file seems to hold everything twice.
    fn warn_of_copies(&self, source: &Source, log: &mut Log) {
        let copies = self.rows.windows(2).filter(|pair| matches!(pair, [a, b] if a.order(b).is_eq()));
        let (count, first) = copies.fold((0, None), |(count, first), pair| (count + 1, first.or(pair.get(1))));
        if let Some(row) = first
            && count >= 10
            && count * 2 >= self.rows.len()
        {
            let (copies, all) = (counted(count, "row"), counted(self.rows.len(), "row"));
            log.push(
                Problem::warning(format!("{copies} of `{FILE}` (of {all}) are exact copies of others"))
                    .at(row_place(source, row), "a copy; copies are added up")
                    .help("was an export pasted twice? delete the copies if they are not sales of their own"),
            );
        }
    }
}

/// Netted months that are possible, but that somebody should look at.
#[derive(Default)]
struct Doubts {
    negative: Tally,
    too_early: Tally,
    too_late: Tally,
}

impl Doubts {
    fn look(&mut self, row: &Row, demand: f64, customers: &Customers, source: &Source) {
        if demand < 0.0 {
            self.negative.note(|| row_place(source, row));
        }
        if demand <= 0.0 {
            return;
        }
        let customer = row.customer.usize();
        if customers.first_known.get(customer).copied().flatten().is_some_and(|known| row.month < known) {
            self.too_early.note(|| row_place(source, row));
        }
        if customers.closed.get(customer).copied().flatten().is_some_and(|closed| row.month > closed) {
            self.too_late.note(|| row_place(source, row));
        }
    }

    fn report(self, log: &mut Log) {
        let doubts = [
            (
                self.negative,
                "in which returns exceed sales",
                "returns of the month are greater",
                "the month stays negative; book returns in the month of the sale where that is known",
            ),
            (
                self.too_early,
                "with sales before the customer's `first_known`",
                "sold before the customer was known",
                "correct `first_known` in customers.csv: it decides when a customer left the dark",
            ),
            (
                self.too_late,
                "with sales after the customer `closed`",
                "sold after the customer closed",
                "correct `closed` in customers.csv, or book late invoices in the month of delivery",
            ),
        ];
        for (tally, title, label, help) in doubts {
            if let Some(place) = tally.first {
                let months = counted(tally.count, "customer-month");
                log.push(Problem::warning(format!("{months} of `{FILE}` {title}")).at(place, label).help(help));
            }
        }
    }
}

fn row_place(source: &Source, row: &Row) -> Place {
    source.line_place(row.offset)
}

/// Sum in the order of the rows; unknown when one of them is.
fn sum(mut amounts: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    amounts.try_fold(0.0, |total, amount| Some(total + amount?))
}

/// The row that sold most.
fn largest(group: &[Row], demand: DemandUnit) -> Option<&Row> {
    let amount = |row: &Row| if demand == DemandUnit::Units { row.units } else { row.value }.unwrap_or(f64::MIN);
    group.iter().max_by(|a, b| amount(a).total_cmp(&amount(b)))
}

fn push<T>(column: &mut Option<Vec<T>>, value: impl FnOnce() -> T) {
    if let Some(column) = column {
        column.push(value());
    }
}
