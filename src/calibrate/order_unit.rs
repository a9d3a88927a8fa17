//! The order unit: demand units of one order, from how a customer's months scatter.
//!
//! With `y_it / φ ~ Poisson(m_it / φ)` the variance of sales is φ times their mean: φ is Pearson's dispersion within customers
//! (McCullagh & Nelder 1989, 4.5.2), each customer weighted by its sales, with a standard error over customers.
//!
//! Only the months between a customer's first and last order are looked at: there it was ours but for gaps. Before and after, a
//! month too many taken for ours is a month of no sales at its full mean, which a large customer's dispersion would grow by a
//! lot. The same holds for gaps: to [`crate::calibrate::alive`] a month without an order is one like any other of a customer that
//! orders in 19 of 20 months, but one of twenty orders a month has none with probability `exp(-20)`. So the probability w that it was ours
//! in a silent month is brought to what the amounts say, by Bayes' rule,
//!
//! `w' = w r / (w r + 1 - w)`, `r = exp(-m_it / φ) / (share of its months that are silent)`, at most 1,
//!
//! with φ from the pass before.
//!
//! Degrees of freedom: of the squares of customer i a share `h_it = m_it / M_i + m_it / M_gt - m_it / M_g` of each month goes into its own
//! level and into the months' effects of its group, M being sums (the leverage of a two-way fit). What a customer buys counts beside
//! those who bought in the same months, which are fewer than ever bought.

use std::ops::Range;

use rayon::prelude::*;

use crate::calibrate::observed::Observed;
use crate::calibrate::response::{GroupFit, Point};

/// Passes in which the order unit learns from itself which months were ours.
const PASSES: usize = 4;

/// Customers that share their months' effects, fitted at a point.
struct Group {
    customers: Range<usize>,
    fitted: GroupFit,
    /// What they bought by month, and in all.
    by_month: Vec<f64>,
    all: f64,
}

/// A month of a customer.
struct Month {
    /// Response and month effect if it was ours.
    response: f64,
    /// Probability that it was.
    ours: f64,
    sold: f64,
}

impl Observed {
    /// The order unit at a point, with its standard error on the log scale.
    pub fn order_unit(&self, point: &Point, month_effects: &[Vec<f64>]) -> (f64, f64) {
        let groups = self.fitted_groups(point, month_effects);
        let mut found = self.dispersion(&groups, f64::INFINITY);
        for _ in 0..PASSES {
            found = self.dispersion(&groups, found.0);
        }
        found
    }

    fn fitted_groups(&self, point: &Point, month_effects: &[Vec<f64>]) -> Vec<Group> {
        let appeal = self.appeal(point);
        self.groups
            .par_iter()
            .zip(month_effects)
            .map(|(customers, effects)| {
                let mut by_month = vec![0.0; self.months];
                customers.clone().flat_map(|i| self.sales(i)).for_each(|(t, y)| by_month[t] += y);
                Group {
                    customers: customers.clone(),
                    fitted: self.fit_group(customers.clone(), point, appeal, Some(effects), 1),
                    all: by_month.iter().sum(),
                    by_month,
                }
            })
            .collect()
    }

    /// One pass, told the order unit of the pass before.
    fn dispersion(&self, groups: &[Group], unit: f64) -> (f64, f64) {
        let parts: Vec<Vec<(f64, f64)>> = groups
            .par_iter()
            .map(|group| group.customers.clone().filter_map(|i| self.dispersion_of(i, group, unit)).collect())
            .collect();
        let parts: Vec<(f64, f64)> = parts.into_iter().flatten().collect();
        let total: f64 = parts.iter().map(|(sold, _)| sold).sum();
        if total <= 0.0 {
            return (1.0, 1.0);
        }
        let mean = parts.iter().map(|(sold, phi)| sold * phi).sum::<f64>() / total;
        let square = |(sold, phi): &(f64, f64)| (sold / total * (phi - mean)) * (sold / total * (phi - mean));
        let spread: f64 = parts.iter().map(square).sum();
        let mean = mean.max(1e-9);
        (mean, (spread.sqrt() / mean).clamp(0.01, 1.0))
    }

    /// Sales and dispersion of a customer; `None` where it says nothing.
    fn dispersion_of(&self, i: usize, group: &Group, unit: f64) -> Option<(f64, f64)> {
        let from = self.sales(i).next()?.0 + 1;
        let until = self.sales(i).last()?.0.max(from);
        let responses = &group.fitted.responses[(i - group.customers.start) * self.months..][..self.months];
        let mut months: Vec<Month> = (from..until)
            .map(|t| {
                let ours = f64::from(self.weights(i)[t]);
                let response = if ours > 0.0 { responses[t] / ours * group.fitted.month_effects[t] } else { 0.0 };
                Month { response, ours, sold: 0.0 }
            })
            .collect();
        self.sales(i).filter(|(t, _)| (from..until).contains(t)).for_each(|(t, y)| months[t - from].sold = y);
        let sold: f64 = months.iter().map(|month| month.sold).sum();
        let rate = |months: &[Month]| sold / months.iter().map(|month| month.response * month.ours).sum::<f64>();
        let counted = |months: &[Month]| months.iter().map(|month| month.ours).sum::<f64>();
        let rate_before = rate(&months);
        if !(sold > 0.0 && rate_before.is_finite()) {
            return None;
        }
        let silent = months.iter().filter(|month| month.sold <= 0.0).map(|month| month.ours).sum::<f64>();
        let silent = (silent + 0.5) / (counted(&months) + 1.0);
        for month in months.iter_mut().filter(|month| month.sold <= 0.0) {
            let none = libm::exp(-rate_before * month.response / unit);
            let odds = month.ours * (none / silent).min(1.0);
            month.ours = odds / (odds + 1.0 - month.ours).max(1e-300);
        }
        let rate = rate(&months);
        let (mut pearson, mut taken_up) = (0.0, 0.0);
        for (month, all) in months.iter().zip(&group.by_month[from..until]) {
            let (mean, y) = (rate * month.response * month.ours, month.sold);
            // Months without sales contribute their mean; months with sales (y - m)² / m.
            pearson += if y > 0.0 { (y - mean) * (y - mean) / mean.max(1e-12) } else { mean };
            taken_up += month.ours * (mean / all.max(1e-12)).min(1.0);
        }
        let freedom = counted(&months) - 1.0 - taken_up + sold / group.all;
        (freedom >= 1.0).then(|| (sold, pearson / freedom))
    }
}

#[cfg(test)]
mod tests {
    use crate::calibrate::Settings;
    use crate::calibrate::fit::observed;
    use crate::calibrate::response::Point;
    use crate::calibrate::testing::{Recipe, run_agents};

    #[test]
    fn a_month_that_a_large_customer_skipped_was_not_ours() {
        // Some twenty orders a month, which nobody has none of by chance; customers leave often and come back soon.
        let recipe = Recipe {
            customers: 300,
            territories: 10,
            months: 60,
            size: 120.0,
            order_unit: 2.5,
            churn: 0.03,
            conversion: 0.4,
            shock_sd: 0.02,
            ..Recipe::default()
        };
        let market = run_agents(&recipe);
        let observed = observed(&market, &Settings::default()).unwrap();
        let point = Point { goodwill: recipe.goodwill(), share: recipe.share, lead: 0.0 };
        let effects = observed.evaluate(&point, None, 30, false).month_effects;
        let (blind, _) = observed.dispersion(&observed.fitted_groups(&point, &effects), f64::INFINITY);
        let (unit, error) = observed.order_unit(&point, &effects);
        println!("{unit:.3} ± {error:.3}, {blind:.3} without the amounts");
        assert!((unit / 2.5 - 1.0).abs() < 3.0 * error + 0.01, "{unit} ± {error}");
        assert!(blind > 1.1 * unit, "{blind} {unit}");
    }
}
