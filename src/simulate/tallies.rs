//! What a run leaves behind: sums by territory and month.

use crate::channel::Channel;

/// Sums by month and territory; index `[month * territories + territory]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tallies {
    pub months: usize,
    pub territories: usize,
    /// Our sales, that is sell-in: orders and what we sold ahead (demand units).
    pub own_sales: Vec<f64>,
    /// What we sold ahead of it.
    pub own_loaded: Vec<f64>,
    /// Sell-out: what customers used of ours. `own_sales - own_used` is the change of `own_stock`.
    pub own_used: Vec<f64>,
    /// What customers hold of ours at the month's end.
    pub own_stock: Vec<f64>,
    /// Orders from us by product, each as `own_sales`, without what was sold ahead; all in the first where there is but one.
    pub product_sales: Vec<Vec<f64>>,
    /// Category orders of the living (demand units), known and dark: ours and the rivals', loads included.
    pub total_demand: Vec<f64>,
    /// Rivals' sales, in `CompanyIx` order from 1, each as `own_sales`.
    pub rival_sales: Vec<Vec<f64>>,
    /// Dark customers at the month's end.
    pub dark: Vec<f64>,
    /// Served customers at the month's end.
    pub served: Vec<f64>,
    /// Customers found in the month.
    pub found: Vec<f64>,
    /// Of those, how many were named by others, as expected.
    pub referred: Vec<f64>,
    /// Customers that began (or began again) to buy from us in the month.
    pub won: Vec<f64>,
    /// Customers that stopped buying from us in the month: `served = served before + won - lost`.
    pub lost: Vec<f64>,
    /// Complaints of served customers.
    pub complaints: Vec<f64>,
    /// Visits made.
    pub visits: Vec<f64>,
    /// Calls spent prospecting.
    pub prospecting: Vec<f64>,
    /// Contacts by further channel, `[channel of Channel::ALL][month * territories + territory]`; zeros where not in use.
    pub contacts: Vec<Vec<f64>>,
}

impl Tallies {
    /// Zeros.
    pub fn new(months: usize, territories: usize, rivals: usize) -> Self {
        let series = || vec![0.0; months * territories];
        Self {
            months,
            territories,
            own_sales: series(),
            own_loaded: series(),
            own_used: series(),
            own_stock: series(),
            product_sales: (0..super::PRODUCTS).map(|_| series()).collect(),
            total_demand: series(),
            rival_sales: (0..rivals).map(|_| series()).collect(),
            dark: series(),
            served: series(),
            found: series(),
            referred: series(),
            won: series(),
            lost: series(),
            complaints: series(),
            visits: series(),
            prospecting: series(),
            contacts: Channel::ALL.iter().map(|_| series()).collect(),
        }
    }
}
