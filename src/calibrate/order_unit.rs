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
//!
//! Where small territories share their months' effects, each still has ups and downs of its own (shocks, a rival's campaign there), by a
//! relative variance c: `Var y_it = φ m_it + c l_jt m_it²`, which large customers' squares would grow by. What the customers of a territory
//! have in common tells it from the scatter of orders: their sum of a month differs by
//!
//! `E R_jt² = φ (1 - π_jt) M_jt + c l_jt M_jt²`, `l_jt = 1 - 2 π_jt + sum_k π_kt²`,
//!
//! π being the territories' parts of the group's month (as in [`super::shock`]); c is what the sums of both sides give.

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

/// What a customer's months say.
#[derive(Debug, Clone, Copy)]
struct Dispersion {
    sold: f64,
    /// Sum of `(y - m)² / m`.
    pearson: f64,
    freedom: f64,
    /// Sum of `l m`: by how much a relative variance of 1 that the territory has in common would raise the sum above.
    common: f64,
}

/// What a group says.
#[derive(Debug, Clone, Default)]
struct Part {
    customers: Vec<Dispersion>,
    /// Both sides of the equation of c.
    common: (f64, f64),
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
        let curve = self.curve(point);
        self.groups
            .par_iter()
            .zip(month_effects)
            .map(|(customers, effects)| {
                let mut by_month = vec![0.0; self.months];
                customers.clone().flat_map(|i| self.sales(i)).for_each(|(t, y)| by_month[t] += y);
                Group {
                    customers: customers.clone(),
                    fitted: self.fit_group(customers.clone(), point, &curve, Some(effects), 1),
                    all: by_month.iter().sum(),
                    by_month,
                }
            })
            .collect()
    }

    /// One pass, told the order unit of the pass before.
    fn dispersion(&self, groups: &[Group], unit: f64) -> (f64, f64) {
        let parts: Vec<Part> = groups.par_iter().map(|group| self.part(group, unit)).collect();
        let (above, below) = parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.common.0, sum.1 + part.common.1));
        let common = if below > 0.0 { (above / below).max(0.0) } else { 0.0 };
        let customers = || parts.iter().flat_map(|part| &part.customers);
        let total: f64 = customers().map(|customer| customer.sold).sum();
        if total <= 0.0 {
            return (1.0, 1.0);
        }
        let of = |customer: &Dispersion| (customer.pearson - common * customer.common) / customer.freedom;
        let mean = customers().map(|customer| customer.sold * of(customer)).sum::<f64>() / total;
        let square = |customer: &Dispersion| {
            let off = customer.sold / total * (of(customer) - mean);
            off * off
        };
        let spread: f64 = customers().map(square).sum();
        let mean = mean.max(1e-9);
        (mean, (spread.sqrt() / mean).clamp(0.01, 1.0))
    }

    /// What a group's customers say.
    fn part(&self, group: &Group, unit: f64) -> Part {
        let mut part = Part::default();
        let places: Vec<Range<usize>> = self
            .territories
            .iter()
            .map(|range| range.start.max(group.customers.start)..range.end.min(group.customers.end))
            .filter(|range| !range.is_empty())
            .collect();
        if places.len() < 2 {
            part.customers.extend(group.customers.clone().filter_map(|i| Some(self.dispersion_of(i, group, unit)?.0)));
            return part;
        }
        // By territory and month: expected, and sold beyond it.
        let mut sums = vec![vec![(0.0, 0.0); self.months]; places.len()];
        let mut all = vec![0.0; self.months];
        let mut rows = Vec::new();
        for (j, range) in places.iter().enumerate() {
            for i in range.clone() {
                let Some((dispersion, row)) = self.dispersion_of(i, group, unit) else { continue };
                for &(t, mean, sold) in &row {
                    sums[j][t].0 += mean;
                    sums[j][t].1 += sold - mean;
                    all[t] += mean;
                }
                rows.push((j, dispersion, row));
            }
        }
        let share = |j: usize, t: usize| if all[t] > 0.0 { sums[j][t].0 / all[t] } else { 0.0 };
        let left = |j: usize, t: usize| {
            let squares: f64 = (0..places.len()).map(|k| share(k, t) * share(k, t)).sum();
            1.0 - 2.0 * share(j, t) + squares
        };
        if unit.is_finite() {
            for (j, months) in sums.iter().enumerate() {
                for (t, &(expected, beyond)) in months.iter().enumerate() {
                    part.common.0 += beyond * beyond - unit * (1.0 - share(j, t)) * expected;
                    part.common.1 += left(j, t) * expected * expected;
                }
            }
        }
        for (j, dispersion, row) in rows {
            let common = row.iter().map(|&(t, mean, _)| left(j, t) * mean).sum();
            part.customers.push(Dispersion { common, ..dispersion });
        }
        part
    }

    /// Dispersion of a customer, and its months: which, expected, sold; `None` where it says nothing.
    fn dispersion_of(&self, i: usize, group: &Group, unit: f64) -> Option<(Dispersion, Vec<(usize, f64, f64)>)> {
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
        let mut row = Vec::with_capacity(months.len());
        for (t, (month, all)) in (from..).zip(months.iter().zip(&group.by_month[from..until])) {
            let (mean, y) = (rate * month.response * month.ours, month.sold);
            // Months without sales contribute their mean; months with sales (y - m)² / m.
            pearson += if y > 0.0 { (y - mean) * (y - mean) / mean.max(1e-12) } else { mean };
            taken_up += month.ours * (mean / all.max(1e-12)).min(1.0);
            row.push((t, mean, y));
        }
        let freedom = counted(&months) - 1.0 - taken_up + sold / group.all;
        (freedom >= 1.0).then_some((Dispersion { sold, pearson, freedom, common: 0.0 }, row))
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
        let point = Point { goodwill: recipe.goodwill(), share: recipe.share, taste: recipe.taste, liking: 0.0, lead: 0.0 };
        let effects = observed.evaluate(&point, None, 30, false).month_effects;
        let (blind, _) = observed.dispersion(&observed.fitted_groups(&point, &effects), f64::INFINITY);
        let (unit, error) = observed.order_unit(&point, &effects);
        println!("{unit:.3} ± {error:.3}, {blind:.3} without the amounts");
        assert!((unit / 2.5 - 1.0).abs() < 3.0 * error + 0.01, "{unit} ± {error}");
        assert!(blind > 1.1 * unit, "{blind} {unit}");
    }

    #[test]
    fn ups_and_downs_of_territories_that_were_pooled_are_no_scatter_of_orders() {
        // Four large customers a territory, so that three territories share their months, each with shocks of its own.
        let recipe = Recipe {
            customers: 240,
            territories: 60,
            months: 60,
            size: 60.0,
            order_unit: 3.0,
            shock_sd: 0.15,
            churn: 0.0005,
            effect: 0.0,
            ..Recipe::default()
        };
        let market = run_agents(&recipe);
        let observed = observed(&market, &Settings::default()).unwrap();
        let point = Point { goodwill: recipe.goodwill(), share: recipe.share, taste: recipe.taste, liking: 0.0, lead: 0.0 };
        let effects = observed.evaluate(&point, None, 30, false).month_effects;
        assert!(observed.groups.len() < 30);
        let groups = observed.fitted_groups(&point, &effects);
        let (unit, error) = observed.order_unit(&point, &effects);
        let part = |group| observed.part(group, unit);
        let blind: Vec<(f64, f64)> =
            groups.iter().flat_map(|group| part(group).customers).map(|c| (c.sold, c.pearson / c.freedom)).collect();
        let blind = blind.iter().map(|(sold, phi)| sold * phi).sum::<f64>() / blind.iter().map(|c| c.0).sum::<f64>();
        println!("{unit:.3} ± {error:.3}, {blind:.3} with the territories' ups and downs");
        assert!((unit / 3.0 - 1.0).abs() < 3.0 * error + 0.01, "{unit} ± {error}");
        assert!(blind > 1.1 * unit, "{blind} {unit}");
    }
}
