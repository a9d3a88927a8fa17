//! What the files say that bears on the dark half, laid out for the model. A plain struct, so that the model can be
//! tried on numbers without files.

use std::ops::Range;

use super::PotentialError;
use crate::market::Market;
use crate::units::Month;

/// Months of own orders that are read: older ones say little of who buys today.
const WINDOW: usize = 36;

/// Months that count as a year.
const YEAR: usize = 12;

/// The observed half of a market.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    pub territories: Vec<ObservedTerritory>,
    /// Sorted by territory, as `customers.csv`.
    pub customers: Vec<ObservedCustomer>,
    /// Names of the numeric covariates, in the order of `ObservedTerritory::covariates`.
    pub covariate_names: Vec<String>,
    /// Category demand of the whole market in the 12 months to `history_end`.
    pub market_demand: Option<f64>,
    /// Own sales of the whole market in the panel over those months.
    pub market_panel_own: Option<f64>,
    pub captures: Option<ObservedCaptures>,
    /// Months of history.
    pub months: usize,
    /// Closures that `customers.csv` marks in them, a month and known customer.
    pub closures_marked: f64,
}

/// A territory as the files show it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservedTerritory {
    pub id: String,
    pub population: Option<f64>,
    /// Raw numeric covariates.
    pub covariates: Vec<Option<f64>>,
    /// Audited number of buyers of the category.
    pub outlets: Option<f64>,
    /// Category demand by the panel, the 12 months to `history_end`.
    pub demand: Option<f64>,
    /// Own sales in the panel over the same months.
    pub panel_own: Option<f64>,
    /// Its customers.
    pub customers: Range<usize>,
}

/// A known customer as the files show it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservedCustomer {
    /// Closed for good before the 12 months to `history_end`.
    pub closed: bool,
    /// Closed for good in those 12 months: part of their universe, whether it bought from us or not.
    pub closed_since: bool,
    /// Own sales in the 12 months to `history_end`; may be negative (returns).
    pub own_year: f64,
    /// Bought from us in those 12 months.
    pub served: bool,
    /// Months of them since its first order, 12 for one that bought before; 0 = not known, taken for 12.
    pub months_with_us: u32,
    /// Months of them with an order.
    pub orders_of_year: u32,
    /// Months with an order after entry, up to the last order.
    pub active: u32,
    /// Months at risk of an order after entry, up to and with that of the last order.
    pub exposed: u32,
    /// Months since the last order (or since entry) to `history_end`.
    pub silent: u32,
    /// Mean of the log of what was ordered in a month with an order.
    pub log_order: Option<f64>,
    /// Log of the `size` column, demand units a year.
    pub log_size: Option<f64>,
    /// Category demand a year by `wallets.csv`.
    pub wallet: Option<f64>,
    /// Month of the history (may be negative: before it) in which we first knew it.
    pub first_known: Option<i32>,
    /// Months with an order in the whole history, for counts of repeat purchase.
    pub orders: u32,
    /// Lists that name it, bit by bit in the order of `ObservedCaptures::lists`, or of `sources` where there is no `captures.csv`;
    /// `None` without `sources`.
    pub lists: Option<u32>,
}

/// Capture histories, summed over segments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservedCaptures {
    pub lists: Vec<String>,
    /// The list that is `customers.csv` itself.
    pub own: Option<usize>,
    /// `[territory][history]`: count; `None` for a territory without rows. Entry 0 (on no list) is always 0.
    pub counts: Vec<Option<Vec<f64>>>,
    /// `[segment][history]`: the same counts by segment over all territories; empty where no row has a segment.
    pub by_segment: Vec<Vec<f64>>,
}

impl ObservedCaptures {
    /// Buyers of a territory by whether our own list names them: (not, named). `None` without rows, or without an own list.
    pub(super) fn by_own_list(&self, territory: usize) -> Option<(f64, f64)> {
        let (own, cells) = (self.own?, self.counts[territory].as_ref()?);
        let of = |named: usize| {
            cells.iter().enumerate().filter(|(history, _)| history >> own & 1 == named).map(|(_, count)| count).sum()
        };
        Some((of(0), of(1)))
    }
}

impl Observed {
    /// Reads a market.
    ///
    /// # Errors
    /// When the panel contradicts our own sales.
    pub fn new(market: &Market) -> Result<Self, PotentialError> {
        let data = &market.data;
        let count = market.territory_count();
        if count == 0 {
            return Err(PotentialError::NoTerritory);
        }
        let year = market.last_year();
        let own_year = market.own_last_year();
        let bought = market.bought();
        let months = market.months();
        let begins = months.saturating_sub(WINDOW);
        let mut customers: Vec<ObservedCustomer> = (0..market.customer_count())
            .map(|i| {
                let first_known = data.customers.first_known[i].map(|month| month.since(market.history.first));
                let ordered: Vec<(usize, f64)> = market.sales.of(i).filter(|&(_, amount)| amount > 0.0).collect();
                let (active, exposed, silent, log_order) = orders(&ordered, first_known, begins, months);
                let closed = market.closed_before_last_year(i);
                ObservedCustomer {
                    closed,
                    closed_since: market.closed(i) && !closed,
                    own_year: own_year[i],
                    served: bought[i] && !closed,
                    months_with_us: ordered.first().map_or(0, |&(month, _)| (months - month).min(YEAR) as u32),
                    orders_of_year: ordered.iter().filter(|(month, _)| year.contains(month)).count() as u32,
                    active,
                    exposed,
                    silent,
                    log_order,
                    log_size: data.customers.size[i].filter(|&size| size > 0.0).map(|size| libm::log(12.0 * size)),
                    wallet: None,
                    first_known,
                    orders: ordered.len() as u32,
                    lists: None,
                }
            })
            .collect();
        if let Some(rows) = &data.wallets {
            for row in rows {
                use crate::ids::Index as _;
                let yearly = row.demand * YEAR as f64 / row.span.len() as f64;
                if yearly > 0.0 {
                    customers[row.customer.usize()].wallet = Some(yearly);
                }
            }
        }
        let closures_marked = closures_marked(market);
        let panel_own = |series: &[Vec<f64>]| series.first().map(|own| own[year.clone()].iter().sum::<f64>());
        let territories: Vec<ObservedTerritory> = (0..count)
            .map(|j| {
                let demand = if months >= YEAR { market.panel_year(Some(j)) } else { None };
                ObservedTerritory {
                    id: data.territory_id(j).to_owned(),
                    population: data.territories.population[j].filter(|&population| population > 0.0),
                    covariates: data.territories.covariates.iter().map(|column| column.values[j]).collect(),
                    outlets: data.territories.outlets[j],
                    demand,
                    panel_own: demand
                        .and_then(|_| market.panel.as_ref().and_then(|panel| panel_own(&panel.company[j]))),
                    customers: market.customers_of(j),
                }
            })
            .collect();
        let market_demand = if months >= YEAR { market.panel_year(None) } else { None };
        let market_panel_own =
            market_demand.and_then(|_| market.panel.as_ref().and_then(|panel| panel_own(&panel.market_company)));
        let captures = data.captures.as_ref().map(|captures| {
            use crate::ids::Index as _;
            let mut counts = vec![None; count];
            let segmented = captures.rows.iter().any(|row| row.segment.is_some());
            // Rows without a segment are one more.
            let segments = if segmented { data.customers.segment_names.len() + 1 } else { 0 };
            let mut by_segment = vec![vec![0.0; 1 << captures.lists.len()]; segments];
            for row in &captures.rows {
                let cells: &mut Vec<f64> =
                    counts[row.territory.usize()].get_or_insert_with(|| vec![0.0; 1 << captures.lists.len()]);
                if row.history != 0
                    && let Some(cell) = cells.get_mut(row.history as usize)
                {
                    *cell += f64::from(row.count);
                    let segment = row.segment.map_or(segments.saturating_sub(1), usize::from);
                    if let Some(cells) = by_segment.get_mut(segment) {
                        cells[row.history as usize] += f64::from(row.count);
                    }
                }
            }
            ObservedCaptures { lists: captures.lists.clone(), own: captures.own_list, counts, by_segment }
        });
        if let Some(sources) = &data.customers.sources {
            let names = data.customers.lists.names().enumerate();
            let position: Vec<Option<usize>> = names
                .map(|(at, name)| match &captures {
                    Some(captures) => captures.lists.iter().position(|list| list == name),
                    None => Some(at),
                })
                .collect();
            for (customer, &bits) in customers.iter_mut().zip(sources) {
                let on = position.iter().enumerate().filter(|&(bit, _)| bits >> bit & 1 == 1);
                customer.lists = Some(on.filter_map(|(_, &at)| at).fold(0, |all, at| all | 1 << at));
            }
        }
        let covariate_names = data.territories.covariates.iter().map(|column| column.name.clone()).collect();
        let observed = Self {
            territories,
            customers,
            covariate_names,
            market_demand,
            market_panel_own,
            captures,
            months,
            closures_marked,
        };
        observed.agrees(market.unit())?;
        Ok(observed)
    }

    /// Refuses a panel that contradicts our own sales.
    ///
    /// # Errors
    /// Names the territory, the amounts and what to do.
    pub fn agrees(&self, unit: &str) -> Result<(), PotentialError> {
        // Half a per cent is rounding and the netting of returns; more is a contradiction.
        const SLACK: f64 = 1.005;
        let mut parts = 0.0;
        for (j, territory) in self.territories.iter().enumerate() {
            let own = self.own_sales(j);
            if let Some(panel) = territory.demand
                && own > panel * SLACK
            {
                let (territory, unit) = (territory.id.clone(), unit.to_owned());
                return Err(PotentialError::PanelBelowOwnSales { territory, panel, own, unit });
            }
            parts += territory.demand.unwrap_or(own.max(0.0));
        }
        if let Some(market) = self.market_demand
            && parts > market * SLACK
        {
            return Err(PotentialError::MarketBelowParts { market, parts, unit: unit.to_owned() });
        }
        Ok(())
    }

    /// Our own sales in a territory in the 12 months to `history_end`, customers since closed included.
    pub fn own_sales(&self, territory: usize) -> f64 {
        self.customers[self.territories[territory].customers.clone()].iter().map(|customer| customer.own_year).sum()
    }

    /// Own sales to customers that are not in our files, through wholesalers: panel less `sales.csv`; 0 where the two agree to
    /// half a per cent.
    pub fn indirect(&self, territory: usize) -> f64 {
        let Some(panel) = self.territories[territory].panel_own else { return 0.0 };
        let beyond = panel - self.own_sales(territory);
        if beyond > 0.005 * panel { beyond } else { 0.0 }
    }
}

/// Closures in the history that `customers.csv` marks, over the months that customers were known and open in it.
fn closures_marked(market: &Market) -> f64 {
    let customers = &market.data.customers;
    let (mut closures, mut months) = (0.0, 0.0);
    for i in 0..market.customer_count() {
        let position = |month: Month| month.since(market.history.first);
        let known = customers.first_known[i].map_or(0, position).max(0);
        let all = market.months() as i32;
        let closed = customers.closed[i].map(position).filter(|&month| month < all);
        closures += f64::from(u8::from(closed.is_some_and(|month| month >= 0)));
        months += f64::from((closed.unwrap_or(all) - known).max(0));
    }
    if months > 0.0 { closures / months } else { 0.0 }
}

/// (active months, exposed months, silent months, mean log order) of the months with an order, ascending.
///
/// Who enters by buying is at risk from the month after: its first order is why we see it, and says nothing of its rate.
fn orders(
    ordered: &[(usize, f64)],
    first_known: Option<i32>,
    begins: usize,
    months: usize,
) -> (u32, u32, u32, Option<f64>) {
    let first_order = ordered.first().map(|&(month, _)| month);
    let known = first_known.map(|month| month.max(0) as usize);
    let entered_by_order = match (first_order, known) {
        (Some(order), Some(known)) => order <= known,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let entry = match (known, first_order) {
        (Some(known), Some(order)) => known.min(order),
        (known, order) => known.or(order).unwrap_or(0),
    };
    let entry_in_window = entry >= begins;
    let start = entry.max(begins) + usize::from(entered_by_order && entry_in_window);
    let recent: Vec<&(usize, f64)> = ordered.iter().filter(|&&(month, _)| month >= start).collect();
    let log_order = {
        let seen: Vec<f64> =
            ordered.iter().filter(|&&(month, _)| month >= begins).map(|&(_, amount)| libm::log(amount)).collect();
        (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
    };
    let start = start.min(months);
    let last = recent.last().map_or(start, |&&(month, _)| month + 1);
    (recent.len() as u32, (last - start) as u32, (months - last) as u32, log_order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_order_of_who_enters_by_buying_is_left_out() {
        // Orders in months 10, 12, 15 of 20, first known by the first: at risk from 11 to 15, then silent 16..20.
        let (active, exposed, silent, log_order) = orders(&[(10, 1.0), (12, 1.0), (15, 1.0)], Some(10), 0, 20);
        assert_eq!((active, exposed, silent), (2, 5, 4));
        assert_eq!(log_order, Some(0.0));
        // Known from month 8 by other means: months 8..=15 are at risk.
        assert_eq!(orders(&[(10, 1.0), (12, 1.0), (15, 1.0)], Some(8), 0, 20), (3, 8, 4, Some(0.0)));
        // Known, never bought.
        assert_eq!(orders(&[], Some(5), 0, 20), (0, 0, 15, None));
        // Bought once, long before the window.
        assert_eq!(orders(&[(2, 1.0)], None, 10, 20), (0, 0, 10, None));
    }

    #[test]
    fn a_panel_below_our_own_sales_is_refused() {
        let mut observed = Observed {
            territories: vec![ObservedTerritory { id: "A".into(), customers: 0..1, ..Default::default() }],
            customers: vec![ObservedCustomer { own_year: 100.0, ..Default::default() }],
            ..Default::default()
        };
        observed.territories[0].demand = Some(90.0);
        let error = observed.agrees("boxes").unwrap_err().to_string();
        assert!(error.contains("territory A bought 90 boxes") && error.contains("are 100 boxes"), "{error}");
        observed.territories[0].demand = Some(100.0);
        observed.market_demand = Some(80.0);
        assert!(matches!(observed.agrees("boxes"), Err(PotentialError::MarketBelowParts { .. })));
    }
}
