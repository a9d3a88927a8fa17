//! What a run leaves behind: sums by territory and month.

/// Sums by month and territory; index `[month * territories + territory]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tallies {
    pub months: usize,
    pub territories: usize,
    /// Our sales (demand units).
    pub own_sales: Vec<f64>,
    /// Category orders of the living (demand units), known and dark: ours and the rivals'.
    pub total_demand: Vec<f64>,
    /// Rivals' sales, in `CompanyIx` order from 1, each as `own_sales`.
    pub rival_sales: Vec<Vec<f64>>,
    /// Dark customers at the month's end.
    pub dark: Vec<f64>,
    /// Served customers at the month's end.
    pub served: Vec<f64>,
    /// Customers found in the month.
    pub found: Vec<f64>,
    /// Customers that began (or began again) to buy from us in the month.
    pub won: Vec<f64>,
    /// Customers that stopped buying from us in the month.
    pub lost: Vec<f64>,
    /// Visits made.
    pub visits: Vec<f64>,
    /// Calls spent prospecting.
    pub prospecting: Vec<f64>,
    /// Contacts by further channel, `[channel of Channel::ALL][month * territories + territory]`.
    pub contacts: Vec<Vec<f64>>,
}
