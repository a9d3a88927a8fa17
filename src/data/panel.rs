//! `panel.csv`: what the market buys, by company, as a panel or audit counts it.

use std::collections::BTreeMap;

use super::Ignored;
use super::companies::Roll;
use super::history::Window;
use super::log::{Log, Tally, counted};
use super::number::ANY;
use super::register::Register;
use super::source::Source;
use super::table::{Column, Table, optional, required};
use super::tables::{Panel, PanelRow};
use crate::ids::{CompanyIx, TerritoryIx};
use crate::problem::Problem;
use crate::units::DemandUnit;

pub(super) const FILE: &str = "panel.csv";

const BY_UNITS: &[Column] =
    &[required("period"), required("territory_id"), required("company_id"), required("units"), optional("value")];

const BY_VALUE: &[Column] =
    &[required("period"), required("territory_id"), required("company_id"), optional("units"), required("value")];

/// For a market whose demand unit is not known (an error of `market.toml`).
const BY_EITHER: &[Column] =
    &[required("period"), required("territory_id"), required("company_id"), optional("units"), optional("value")];

/// Reads the file; companies are those of the roll, to be renumbered when it is finished.
pub(super) fn read(
    source: &Source,
    demand: Option<DemandUnit>,
    window: Window,
    territories: &Register<'_, TerritoryIx>,
    companies: &mut Roll,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<Panel> {
    let columns = match demand {
        Some(DemandUnit::Units) => BY_UNITS,
        Some(DemandUnit::Value) => BY_VALUE,
        None => BY_EITHER,
    };
    let mut table = Table::open(source, columns, log)?;
    ignored.note(&table);
    let [period, territory, company, units, value] =
        ["period", "territory_id", "company_id", "units", "value"].map(|name| table.column(name));
    let (amount, other) = if demand == Some(DemandUnit::Value) { (value, units) } else { (units, value) };
    let mut watch = window.watch(FILE);
    let mut negative = Tally::default();
    let mut rows = Vec::new();
    let mut first_on = BTreeMap::new();
    while table.advance(log) {
        let month = table.required_month(period, log);
        let everywhere = table.cell(territory) == "*";
        let place = if everywhere { None } else { territories.resolve(&table, territory, log) };
        let category = table.cell(company) == "*";
        let who = if category { None } else { companies.resolve(&table, company, log) };
        if demand.is_some() && table.cell(amount).is_empty() {
            let help =
                "write 0 for a company that sold nothing; delete all rows of a territory-month that is not known";
            table.refuse_blank(amount, log, help);
        }
        let amount_sold = table.number(amount, &ANY, log);
        table.number(other, &ANY, log);
        let (Some(month), Some(sold)) = (month, amount_sold) else { continue };
        if (place.is_none() && !everywhere) || (who.is_none() && !category) {
            continue;
        }
        let Some(month) = watch.position(month, || table.place(period)) else { continue };
        if sold < 0.0 {
            negative.note(|| table.place(amount));
        }
        if let Some(&first) = first_on.get(&(month, place, who)) {
            let what = format!(
                "the row of {}, territory `{}`, company `{}`",
                table.cell(period),
                table.cell(territory),
                table.cell(company)
            );
            table.refuse_duplicate(period, &what, first, log);
            continue;
        }
        first_on.insert((month, place, who), table.offset());
        rows.push(PanelRow { month, territory: place, company: who, amount: sold });
    }
    watch.report(log);
    if let Some(place) = negative.first {
        log.push(
            Problem::warning(format!("{} of `{FILE}` with a negative amount", counted(negative.count, "row")))
                .at(place, "returns exceed sales")
                .help("a panel counts what is bought; check how its returns are booked"),
        );
    }
    warn_of_excess(&rows, &first_on, &table, log);
    Some(Panel { rows })
}

/// Warns where the companies sell more than the category holds.
fn warn_of_excess(
    rows: &[PanelRow],
    first_on: &BTreeMap<(u16, Option<TerritoryIx>, Option<CompanyIx>), usize>,
    table: &Table<'_>,
    log: &mut Log,
) {
    let mut sums: BTreeMap<(u16, Option<TerritoryIx>), f64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.company.is_some()) {
        *sums.entry((row.month, row.territory)).or_default() += row.amount;
    }
    let mut tally = Tally::default();
    for row in rows.iter().filter(|row| row.company.is_none()) {
        let companies = sums.get(&(row.month, row.territory)).copied().unwrap_or(0.0);
        // Half a percent is left to rounding.
        if companies > row.amount * 1.005 + 1e-6 {
            let offset = first_on.get(&(row.month, row.territory, None)).copied().unwrap_or(0);
            tally.note(|| table.place_at(offset));
        }
    }
    if let Some(place) = tally.first {
        let cells = counted(tally.count, "territory-month");
        log.push(
            Problem::warning(format!("{cells} of `{FILE}` in which the companies sell more than the category"))
                .at(place, "less than the sum of its companies")
                .help("check the category total (`*`): it should hold every company"),
        );
    }
}

impl Panel {
    /// Sorts the rows by month, territory and company (`*` first).
    pub(super) fn sort(&mut self) {
        self.rows.sort_unstable_by_key(|row| (row.month, row.territory, row.company));
    }
}
