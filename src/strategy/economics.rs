//! Money: what a strategy earns and costs against the baseline, in one run.
//!
//! With incremental sales s_t (demand units), price p, gross margin g, what changed prices bring d_t (the change of the price times all that
//! is sold at it, since a unit costs us as much as before), incremental cost c_t and real discount rate r a year:
//!
//! ```text
//! margin_t = g p s_t + d_t            npv = sum_t (margin_t - c_t) (1 + r)^(-(t + 1) / 12)
//! roi = (sum margin - sum c) / sum c, left out where sum c <= 0
//! payback = first month (from 1) from which the running sum of margin - c stays at or above 0 to the horizon
//! cash low point = lowest of these running sums, at most 0
//! break-even = sum_t c_t (1 + r)^(-(t + 1) / 12) / sum_t margin_t (1 + r)^(-(t + 1) / 12): the part of the gain that must come true
//! ```

/// Prices that turn units into money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// Money a demand unit.
    pub unit_price: f64,
    /// Share of net sales.
    pub gross_margin: f64,
    /// Real, a year.
    pub discount_rate: f64,
}

/// Money figures of one strategy in one run, against the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Money {
    pub margin: f64,
    pub cost: f64,
    pub npv: f64,
    pub roi: Option<f64>,
    /// Months; `None` = not within the horizon.
    pub payback: Option<f64>,
    /// Lowest running sum of margin less cost: what has to be advanced; 0 or below.
    pub cash_low: f64,
    /// Part of the margin that would pay for the cost, both discounted: above 1 it loses; `None` without a gain.
    pub break_even: Option<f64>,
}

impl Prices {
    /// What money of a month of the horizon, counted from 0, is worth at its start.
    pub fn discount(&self, month: usize) -> f64 {
        libm::pow(1.0 + self.discount_rate, -(month as f64 + 1.0) / 12.0)
    }

    /// Figures from incremental sales, what changed prices bring (empty for nothing) and cost, by month.
    pub fn value(&self, sales: &[f64], price: &[f64], cost: &[f64]) -> Money {
        let price = price.iter().copied().chain(std::iter::repeat(0.0));
        let margin = |(units, price): (&f64, f64)| self.gross_margin * self.unit_price * units + price;
        let margins: Vec<f64> = sales.iter().zip(price).map(margin).collect();
        let (mut npv, mut running, mut payback) = (0.0, 0.0, None);
        let (mut cash_low, mut gained, mut spent): (f64, f64, f64) = (0.0, 0.0, 0.0);
        for (month, (margin, cost)) in margins.iter().zip(cost).enumerate() {
            let discount = self.discount(month);
            npv += (margin - cost) * discount;
            running += margin - cost;
            cash_low = cash_low.min(running);
            gained += margin * discount;
            spent += cost * discount;
            payback = match (running >= 0.0, payback) {
                (true, None) => Some(month as f64 + 1.0),
                (true, found) => found,
                (false, _) => None,
            };
        }
        let (margin, cost) = (margins.iter().sum::<f64>(), cost.iter().sum::<f64>());
        let roi = (cost > 0.0).then(|| (margin - cost) / cost);
        let break_even = (gained > 0.0 && spent > 0.0).then(|| spent / gained);
        Money { margin, cost, npv, roi, payback, cash_low, break_even }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices { unit_price: 10.0, gross_margin: 0.5, discount_rate: 0.21 };

    #[test]
    fn hand_computed_plan() {
        // Margins 0, 50, 50 against 60 in the first month: pays back in month 3.
        let money = PRICES.value(&[0.0, 10.0, 10.0], &[], &[60.0, 0.0, 0.0]);
        assert_eq!((money.margin, money.cost), (100.0, 60.0));
        assert_eq!(money.payback, Some(3.0));
        assert_eq!(money.cash_low, -60.0);
        assert!((money.roi.unwrap() - 40.0 / 60.0).abs() < 1e-12);
        let month = 1.21_f64.powf(-1.0 / 12.0);
        let npv = -60.0 * month + 50.0 * month.powi(2) + 50.0 * month.powi(3);
        assert!((money.npv - npv).abs() < 1e-9);
        let break_even = 60.0 * month / (50.0 * month.powi(2) + 50.0 * month.powi(3));
        assert!((money.break_even.unwrap() - break_even).abs() < 1e-12);
    }

    #[test]
    fn a_lower_price_costs_on_all_that_is_sold() {
        // Ten more units at a margin of 5 each, and 8 less on what was sold anyway.
        let money = PRICES.value(&[10.0], &[-8.0], &[0.0]);
        assert_eq!(money.margin, 42.0);
    }

    #[test]
    fn a_year_is_discounted_by_the_yearly_rate() {
        let mut sales = [0.0; 12];
        sales[11] = 1.0;
        let money = PRICES.value(&sales, &[], &[0.0; 12]);
        assert!((money.npv - 5.0 / 1.21).abs() < 1e-12);
    }

    #[test]
    fn what_never_pays_back_has_no_payback_and_what_costs_nothing_no_roi() {
        let money = PRICES.value(&[1.0, 0.0], &[], &[3.0, 9.0]);
        assert_eq!(money.payback, None);
        assert_eq!(PRICES.value(&[1.0], &[], &[0.0]).roi, None);
    }
}
