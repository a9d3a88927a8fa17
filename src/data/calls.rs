//! `calls.csv`: contacts with customers.

use super::Ignored;
use super::history::Window;
use super::log::Log;
use super::names::Names;
use super::number::NOT_NEGATIVE;
use super::register::Register;
use super::source::Source;
use super::table::{Column, Table, optional, required};
use super::tables::{Call, Calls, Response};
use crate::channel::Channel;
use crate::ids::{CustomerIx, Index as _, ProductIx, RepIx};
use crate::problem::Problem;

pub(super) const FILE: &str = "calls.csv";

pub(super) const COLUMNS: &[Column] = &[
    required("customer_id"),
    required("channel"),
    optional("period"),
    optional("date"),
    optional("rep_id"),
    optional("calls"),
    optional("product_id"),
    optional("content"),
    optional("hour"),
    optional("response"),
];

const RESPONSES: [(&str, Response); 4] = [
    ("opened", Response::Opened),
    ("ordered", Response::Ordered),
    ("silent", Response::Silent),
    ("refused", Response::Refused),
];

/// Reads the file; products are indices into `products`, to be renumbered when all are known.
pub(super) fn read(
    source: &Source,
    window: Window,
    customers: &Register<'_, CustomerIx>,
    reps: Option<&Register<'_, RepIx>>,
    products: &mut Names,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Calls> {
    let mut table = Table::open(source, COLUMNS, log)?;
    ignored.note(&table);
    let [customer, channel, period, date, rep, calls, product, content, hour, response] =
        ["customer_id", "channel", "period", "date", "rep_id", "calls", "product_id", "content", "hour", "response"]
            .map(|name| table.column(name));
    if !period.is_present() && !date.is_present() {
        log.push(
            Problem::error(format!("`{FILE}` has neither a column `period` nor `date`"))
                .at(table.row_place(), "not in this header")
                .help("add `period` (YYYY-MM) or `date` (YYYY-MM-DD)"),
        );
        return None;
    }
    if reps.is_none() && rep.is_present() {
        ignored.note_column(FILE, "rep_id");
        log.push(
            Problem::warning(format!("`rep_id` of `{FILE}` is not used"))
                .at(table.place(rep), "no reps.csv says who they are")
                .help("add reps.csv (rep_id, start, end, calls_per_month, monthly_cost)"),
        );
    }
    let channels = Channel::ALL.map(|channel| (channel.name(), channel));
    let mut contents = Names::default();
    let mut watch = window.watch(FILE);
    let mut rows = Vec::new();
    while table.advance(log) {
        let customer = customers.resolve(&table, customer, log);
        if table.cell(channel).is_empty() {
            table.refuse_blank(channel, log, &format!("write one of: {}", Channel::ALL.map(Channel::name).join(", ")));
        }
        let channel = table.word(channel, &channels, log);
        let when = if table.cell(date).is_empty() && period.is_present() { period } else { date };
        let month = table.required_month_or_day(when, log);
        if !table.cell(period).is_empty()
            && !table.cell(date).is_empty()
            && let (Some(by_date), Some(by_period)) = (month, table.month_or_day(period, log))
            && by_date != by_period
        {
            table.refuse(date, "day and period disagree", log, || {
                (
                    format!("`date` {} is not in `period` {}", table.cell(date), table.cell(period)),
                    format!("{by_date}, not {by_period}"),
                    "correct one, or leave out the column `period`".to_owned(),
                )
            });
        }
        let rep = reps.and_then(|reps| reps.resolve_optional(&table, rep, log));
        let count = if table.cell(calls).is_empty() { Some(1.0) } else { table.number(calls, &NOT_NEGATIVE, log) };
        let product = table.optional_id(product, log).and_then(|id| products.intern(&id));
        let content = contents.intern(table.cell(content)).and_then(|index| u16::try_from(index).ok());
        let hour = table.whole(hour, &(0.0..=23.0), log).and_then(|hour| u8::try_from(hour).ok());
        let response = table.word(response, &RESPONSES, log);
        let (Some(customer), Some(channel), Some(month), Some(calls)) = (customer, channel, month, count) else {
            continue;
        };
        let Some(month) = watch.position(month, || table.place(when)) else { continue };
        let product = product.map(ProductIx::from_usize);
        rows.push(Call { customer, month, channel, calls, rep, product, content, hour, response });
    }
    watch.report(log);
    if contents.len() > usize::from(u16::MAX) {
        log.push(
            Problem::error(format!("`{FILE}` has {} different contents", contents.len()))
                .help("`content` names a message or campaign; leave the column out when it holds free text"),
        );
    }
    let (contents, rank) = contents.sorted();
    for row in &mut rows {
        row.content =
            row.content.and_then(|index| rank.get(usize::from(index))).and_then(|&rank| u16::try_from(rank).ok());
    }
    Some(Calls { rows, contents })
}

impl Calls {
    /// Gives products their final index and sorts the rows by customer, then month, then everything else.
    pub(super) fn finish(&mut self, product_rank: &[usize]) {
        for row in &mut self.rows {
            row.product =
                row.product.and_then(|product| product_rank.get(product.usize())).map(|&r| ProductIx::from_usize(r));
        }
        self.rows.sort_unstable_by(|a, b| {
            let key = |call: &Call| {
                let response = call.response.map(|response| response as u8);
                (call.customer, call.month, call.channel, call.rep, call.product, call.content, call.hour, response)
            };
            key(a).cmp(&key(b)).then_with(|| a.calls.total_cmp(&b.calls))
        });
    }
}
