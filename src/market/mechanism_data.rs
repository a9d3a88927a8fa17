//! What a market's files let the mechanisms act on.

use crate::data::CustomerEvent;
use crate::ids::Index as _;
use crate::units::DemandUnit;

use super::Market;

impl Market {
    /// Whether the market has the files that a mechanism of the registry acts on; true for those that need none.
    pub fn has_data_for(&self, mechanism: &str) -> bool {
        let data = &self.data;
        let reps = data.reps.is_some() && data.assignments.is_some();
        match mechanism {
            "complaints" => data.events.as_ref().is_some_and(|events| events.iter().any(CustomerEvent::is_complaint)),
            "word_of_mouth" => {
                let customers = &data.customers;
                customers.lon.iter().zip(&customers.lat).any(|at| matches!(at, (Some(_), Some(_))))
            }
            "order_sizes" => data.meta.demand == DemandUnit::Value,
            "products" => {
                let sold = self.product_sales().unwrap_or_default();
                sold.iter().filter(|&&sold| sold > 0.0).count() > 1
            }
            "travel" => reps && data.territories.area_km2.iter().any(Option::is_some),
            "rep_turnover" => reps,
            "coverage" => data.contacts.is_some(),
            "credit" => data.receivables.is_some() && self.unit_price.is_some(),
            "contracts" => data.contracts.is_some(),
            _ => true,
        }
    }

    /// Our sales of the last 12 months by product, in the order of the file's ids, in money where it is given; `None`
    /// without a column of products.
    pub fn product_sales(&self) -> Option<Vec<f64>> {
        let sales = &self.data.sales;
        let products = sales.product.as_ref()?;
        let amounts = sales.value.as_ref().or(sales.units.as_ref())?;
        let mut sold = vec![0.0; sales.products.len()];
        for row in 0..sales.customer.len() {
            let recent = self.in_last_year(sales.month[row]);
            if let (true, Some(product), Some(amount)) = (recent, products[row], amounts[row]) {
                sold[product.usize()] += amount;
            }
        }
        Some(sold)
    }
}

impl CustomerEvent {
    /// Whether it is a complaint.
    pub fn is_complaint(&self) -> bool {
        self.kind.trim().eq_ignore_ascii_case("complaint")
    }
}
