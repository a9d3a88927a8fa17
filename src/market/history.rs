//! The observed past of a market, in the layout that estimators read.

use std::ops::Range;

use crate::channel::Channel;
use crate::data::{MarketData, PanelRow};
use crate::ids::{CompanyIx, Index as _};
use crate::units::{DemandUnit, Month, MonthSpan};

/// Rows of (month, amount) by customer, months ascending within a customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sparse {
    /// Customer i owns entries `start[i]..start[i + 1]`.
    pub start: Vec<usize>,
    /// Position in `Market::history`.
    pub month: Vec<u16>,
    pub amount: Vec<f64>,
}

impl Sparse {
    /// Builds from entries sorted by (customer, month); entries of the same customer and month are added up.
    pub fn new(customers: usize, entries: impl IntoIterator<Item = (usize, u16, f64)>) -> Self {
        let mut out = Self { start: Vec::with_capacity(customers + 1), month: Vec::new(), amount: Vec::new() };
        out.start.push(0);
        for (customer, month, amount) in entries {
            while out.start.len() <= customer {
                out.start.push(out.month.len());
            }
            let begins = out.start[customer];
            if out.month.len() > begins && out.month.last() == Some(&month) {
                if let Some(last) = out.amount.last_mut() {
                    *last += amount;
                }
            } else {
                out.month.push(month);
                out.amount.push(amount);
            }
        }
        while out.start.len() <= customers {
            out.start.push(out.month.len());
        }
        out
    }

    /// The (month position, amount) pairs of a customer.
    pub fn of(&self, customer: usize) -> impl DoubleEndedIterator<Item = (usize, f64)> + ExactSizeIterator + '_ {
        let range = self.start[customer]..self.start[customer + 1];
        self.month[range.clone()].iter().zip(&self.amount[range]).map(|(&month, &amount)| (usize::from(month), amount))
    }
}

/// The panel as dense series, demand units a month; `None` where nothing is known of that territory-month.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelView {
    /// `[territory][month]`: the whole category.
    pub category: Vec<Vec<Option<f64>>>,
    /// `[territory][company][month]`; empty for a territory without company rows.
    pub company: Vec<Vec<Vec<f64>>>,
    /// `[month]`: the whole market's category.
    pub market_category: Vec<Option<f64>>,
    /// `[company][month]`: the whole market's companies; empty without such rows.
    pub market_company: Vec<Vec<f64>>,
}

/// A market, ready for estimation. Customers are [`crate::ids::CustomerIx`] order; months are positions in `history`.
#[derive(Debug, Clone)]
pub struct Market {
    pub data: MarketData,
    /// What is calibrated on (the scenario may narrow it).
    pub history: MonthSpan,
    /// Own sell-in in the demand unit; money is in prices of `history_end`; returns netted (may be negative).
    pub sales: Sparse,
    /// Days with an order, where `order_days` is given.
    pub order_days: Option<Sparse>,
    /// Contacts by channel (`Channel::ALL` order); `None` without `calls.csv`.
    pub calls: Option<Vec<Sparse>>,
    pub panel: Option<PanelView>,
    /// Price of a demand unit in money of `history_end`: the scenario's, or value / units of the last 12 months;
    /// 1 when demand is measured in money; `None` when neither is known.
    pub unit_price: Option<f64>,
}

impl Market {
    /// Lays out a market directory. `window` narrows the history (both ends within it), `unit_price` overrides the
    /// price found in the data.
    pub fn new(data: MarketData, window: Option<MonthSpan>, unit_price: Option<f64>) -> Self {
        let full = data.meta.history;
        let history = window.unwrap_or(full);
        let offset = history.first.since(full.first) as usize;
        let months = history.len();
        let customers = data.customers.len();
        let kept = |month: u16| usize::from(month).checked_sub(offset).filter(|&m| m < months).map(|m| m as u16);
        let deflated = |month: u16| data.deflator.as_ref().map_or(1.0, |index| 1.0 / index[usize::from(month)]);
        let amount = |row: usize| match data.meta.demand {
            DemandUnit::Units => data.sales.units.as_ref().and_then(|column| column[row]),
            DemandUnit::Value => {
                let value = data.sales.value.as_ref().and_then(|column| column[row]);
                value.map(|value| value * deflated(data.sales.month[row]))
            }
        };
        // Sell-in is what we sold; sell-out rows only say what became of it.
        let sold = |row: usize| data.sales.sell_out.as_ref().is_none_or(|column| !column[row]);
        let rows = || (0..data.sales.customer.len()).filter(|&row| sold(row));
        let sparse = |of: &dyn Fn(usize) -> Option<f64>| {
            Sparse::new(
                customers,
                rows()
                    .filter_map(|row| Some((data.sales.customer[row].usize(), kept(data.sales.month[row])?, of(row)?))),
            )
        };
        let sales = sparse(&amount);
        let order_days = data.sales.order_days.as_ref().map(|column| sparse(&|row| column[row]));
        let calls = data.calls.as_ref().map(|calls| {
            Channel::ALL
                .into_iter()
                .map(|channel| {
                    let rows = calls.rows.iter().filter(|row| row.channel == channel);
                    Sparse::new(
                        customers,
                        rows.filter_map(|row| Some((row.customer.usize(), kept(row.month)?, row.calls))),
                    )
                })
                .collect()
        });
        let panel = data.panel.as_ref().map(|panel| {
            let money = data.meta.demand == DemandUnit::Value;
            let rows: Vec<PanelRow> = panel
                .rows
                .iter()
                .map(|row| PanelRow {
                    amount: if money { row.amount * deflated(row.month) } else { row.amount },
                    ..*row
                })
                .collect();
            PanelView::new(&rows, data.territory_count(), data.companies.ids.len(), offset, months)
        });
        let found_price = || match (data.meta.demand, &data.sales.units, &data.sales.value) {
            (DemandUnit::Value, _, _) => Some(1.0),
            (DemandUnit::Units, Some(units), Some(value)) => {
                let year = months.saturating_sub(12) + offset..months + offset;
                let (mut sold, mut paid) = (0.0, 0.0);
                for row in rows().filter(|&row| year.contains(&usize::from(data.sales.month[row]))) {
                    if let (Some(units), Some(value)) = (units[row], value[row]) {
                        sold += units;
                        paid += value * deflated(data.sales.month[row]);
                    }
                }
                (sold > 0.0 && paid > 0.0).then(|| paid / sold)
            }
            _ => None,
        };
        let unit_price = unit_price.or_else(found_price);
        Self { history, sales, order_days, calls, panel, unit_price, data }
    }

    /// The market as it was known at the end of `last`, a month of its history ([`MarketData::as_known`]).
    #[must_use]
    pub fn as_known(&self, last: Month) -> Self {
        let window = MonthSpan { first: self.history.first, last };
        Self::new(self.data.as_known(last), Some(window), self.unit_price)
    }

    /// Number of territories.
    pub fn territory_count(&self) -> usize {
        self.data.territory_count()
    }

    /// Number of customers.
    pub fn customer_count(&self) -> usize {
        self.data.customers.len()
    }

    /// Number of months of history.
    pub fn months(&self) -> usize {
        self.history.len()
    }

    /// Positions of the 12 months to `history_end`.
    pub fn last_year(&self) -> Range<usize> {
        self.months().saturating_sub(12)..self.months()
    }

    /// Whether a month of the files (a position in their whole history, which the scenario may have narrowed) is one of the
    /// 12 to `history_end`.
    pub fn in_last_year(&self, month: u16) -> bool {
        let ago = self.history.last.since(self.data.meta.history.first) - i32::from(month);
        (0..12).contains(&ago)
    }

    /// Customers of a territory.
    pub fn customers_of(&self, territory: usize) -> Range<usize> {
        self.data.customers.range[territory].clone()
    }

    /// Whether a customer had closed by the end of the history.
    pub fn closed(&self, customer: usize) -> bool {
        self.data.customers.closed[customer].is_some_and(|month| month <= self.history.last)
    }

    /// Whether a customer had closed before the 12 months to `history_end`: then it is no part of their universe. One that
    /// closed in them is, though nobody will sell to it again.
    pub fn closed_before_last_year(&self, customer: usize) -> bool {
        self.data.customers.closed[customer].is_some_and(|month| self.history.last.since(month) >= 12)
    }

    /// Own sales to each customer in the 12 months to `history_end`, demand units.
    pub fn own_last_year(&self) -> Vec<f64> {
        let year = self.last_year();
        (0..self.customer_count())
            .map(|i| self.sales.of(i).filter(|(month, _)| year.contains(month)).map(|(_, amount)| amount).sum())
            .collect()
    }

    /// Month position of each customer's last order (amount above zero).
    pub fn last_order(&self) -> Vec<Option<usize>> {
        (0..self.customer_count())
            .map(|i| self.sales.of(i).filter(|&(_, amount)| amount > 0.0).map(|(month, _)| month).next_back())
            .collect()
    }

    /// By customer: whether it ordered by this channel (`order_channel` of sales.csv) in the last 12 months of sales.
    pub fn ordered_by(&self, channel: &str) -> Vec<bool> {
        let mut out = vec![false; self.customer_count()];
        let sales = &self.data.sales;
        let Some(channels) = &sales.order_channel else { return out };
        let last = sales.month.iter().copied().max().unwrap_or(0);
        for ((customer, month), used) in sales.customer.iter().zip(&sales.month).zip(channels) {
            if used.as_deref() == Some(channel) && month + 12 > last {
                out[customer.usize()] = true;
            }
        }
        out
    }

    /// Bought from us in the 12 months to `history_end`, since closed or not: the served part of their universe.
    pub fn bought(&self) -> Vec<bool> {
        self.own_last_year().iter().map(|&amount| amount > 0.0).collect()
    }

    /// Bought from us in the 12 months to `history_end` and is still open.
    pub fn served(&self) -> Vec<bool> {
        self.bought().into_iter().enumerate().map(|(i, bought)| bought && !self.closed(i)).collect()
    }

    /// Word for the demand unit in tables.
    pub fn unit(&self) -> &str {
        match self.data.meta.demand {
            DemandUnit::Units => "units",
            DemandUnit::Value => &self.data.meta.currency,
        }
    }

    /// Total of a panel series over the 12 months to `history_end`; `None` when a month of it is unknown.
    pub fn panel_year(&self, territory: Option<usize>) -> Option<f64> {
        let panel = self.panel.as_ref()?;
        let series = territory.map_or(&panel.market_category, |j| &panel.category[j]);
        series[self.last_year()].iter().copied().sum()
    }

    /// Contacts of a customer by a channel, `[month]`.
    pub fn contacts(&self, customer: usize, channel: Channel) -> Vec<f64> {
        let mut out = vec![0.0; self.months()];
        if let Some(calls) = &self.calls {
            for (month, amount) in calls[channel.index()].of(customer) {
                out[month] += amount;
            }
        }
        out
    }
}

impl PanelView {
    /// Lays out `panel.csv`. `offset` is the position in `Meta::history` of the first month kept, `months` their number.
    ///
    /// A territory-month that has company rows but no category row is their sum; with both, the category row counts.
    pub fn new(rows: &[PanelRow], territories: usize, companies: usize, offset: usize, months: usize) -> Self {
        let places = territories + 1;
        let mut category = vec![vec![None; months]; places];
        let mut sums: Vec<Vec<Option<f64>>> = vec![vec![None; months]; places];
        let mut company: Vec<Vec<Vec<f64>>> = vec![Vec::new(); places];
        for row in rows {
            let Some(month) = usize::from(row.month).checked_sub(offset).filter(|&month| month < months) else {
                continue;
            };
            let place = row.territory.map_or(territories, |territory| territory.usize());
            match row.company {
                None => category[place][month] = Some(category[place][month].unwrap_or(0.0) + row.amount),
                Some(index) => {
                    if company[place].is_empty() {
                        company[place] = vec![vec![0.0; months]; companies];
                    }
                    company[place][CompanyIx::usize(index)][month] += row.amount;
                    sums[place][month] = Some(sums[place][month].unwrap_or(0.0) + row.amount);
                }
            }
        }
        for (series, sum) in category.iter_mut().zip(&sums) {
            for (known, sum) in series.iter_mut().zip(sum) {
                *known = known.or(*sum);
            }
        }
        let market_category = category.pop().unwrap_or_default();
        let market_company = company.pop().unwrap_or_default();
        Self { category, company, market_category, market_company }
    }
}
