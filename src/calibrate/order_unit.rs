//! The order unit: demand units of one order, from how a customer's months scatter.
//!
//! With `y_it / φ ~ Poisson(m_it / φ)` the variance of sales is φ times their mean. Neighbouring months are compared, `ρ_t` being a
//! customer's mean of a month at a rate of 1 and r its rate:
//!
//! `E (y_t / ρ_t - y_t-1 / ρ_t-1)² = φ r (1 / ρ_t + 1 / ρ_t-1)`,
//!
//! so that with the weight `1 / (1 / ρ_t + 1 / ρ_t-1)` each pair of months is worth φ r, and φ is the sum of the squares over that of the rates: a
//! ratio of sums, which few orders of single customers do not bias. Differences, since what moves slowly (a customer's level, a
//! response to contacts unlike others') would be taken for scatter of orders (von Neumann 1941, "Distribution of the ratio of the mean
//! square successive difference to the variance"). The standard error is over customers.
//!
//! Only the months between a customer's first and last order are looked at: there it was ours but for gaps. Before and after, a
//! month too many taken for ours is a month of no sales at its full mean, which a large customer's scatter would grow by a
//! lot. The same holds for gaps: to [`crate::calibrate::alive`] a month without an order is one like any other of a customer that
//! orders in 19 of 20 months, but one of twenty orders a month has none with probability `exp(-20)`. So the probability w that it was ours
//! in a silent month is brought to what the amounts say, by Bayes' rule,
//!
//! `w' = w q / (w q + 1 - w)`, `q = exp(-m_it / φ) / (share of its months that are silent)`, at most 1,
//!
//! with φ from the pass before; a pair counts as often as both its months were ours.
//!
//! The months' effects of a group are fitted: a customer takes a share `h_it = m_it / M_gt` of its month's ups and downs with it, M being what
//! the group buys in that month, and `1 - h` of its scatter is left (the leverage of a two-way fit).
//!
//! Where small territories share their months' effects, each still has ups and downs of its own (shocks, a rival's campaign there), by a
//! relative variance c: each side of a pair adds `c l r²`. What the customers of a territory have in common tells it from the scatter
//! of orders: with `e_jt` the territory's sales over what its customers lead to expect, less 1, and M_jt that expectation,
//!
//! `E (e_jt - e_jt-1)² = sum over both months of φ (1 - π_jt) / M_jt + c l_jt`, `l_jt = 1 - 2 π_jt + sum_k π_kt²`,
//!
//! π being the territories' parts of the group's month (as in [`super::shock`]).

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
    /// What they bought by month.
    by_month: Vec<f64>,
}

/// A month of a customer between its orders, as a pair of months sees it.
#[derive(Debug, Clone, Copy)]
struct Side {
    t: usize,
    /// Mean at a rate of 1.
    response: f64,
    ours: f64,
    sold: f64,
    /// Part of the scatter that the fit of the months' effects leaves.
    left: f64,
}

/// What a customer's months say.
#[derive(Debug, Clone)]
struct Row {
    rate: f64,
    months: Vec<Side>,
}

/// Sums over a customer's pairs of months.
#[derive(Debug, Clone, Copy, Default)]
struct Pairs {
    /// Of squares, of what φ is multiplied by in them, and of what c is.
    squares: f64,
    of_unit: f64,
    of_common: f64,
}

/// What a group says.
#[derive(Debug, Clone, Default)]
struct Part {
    customers: Vec<Pairs>,
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
        let all: f64 = customers().map(|pairs| pairs.of_unit).sum();
        if all <= 0.0 {
            return (1.0, 1.0);
        }
        let squares = |pairs: &Pairs| pairs.squares - common * pairs.of_common;
        let mean = (customers().map(squares).sum::<f64>() / all).max(1e-9);
        // Jackknife (Efron & Stein 1981): how far the estimate goes without each of the customers. A few large ones carry it.
        let spread: f64 = customers()
            .map(|pairs| {
                let off = (squares(pairs) - mean * pairs.of_unit) / (all - pairs.of_unit).max(1e-3 * all);
                off * off
            })
            .sum();
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
        // By territory and month: expected, and sold beyond it.
        let mut sums = vec![vec![(0.0, 0.0); self.months]; places.len()];
        let mut all = vec![0.0; self.months];
        let mut rows = Vec::new();
        for (j, range) in places.iter().enumerate() {
            for i in range.clone() {
                let Some(row) = self.row(i, group, unit) else { continue };
                for month in &row.months {
                    let mean = row.rate * month.response * month.ours;
                    sums[j][month.t].0 += mean;
                    sums[j][month.t].1 += month.sold - mean;
                    all[month.t] += mean;
                }
                rows.push((j, row));
            }
        }
        let share = |j: usize, t: usize| if all[t] > 0.0 { sums[j][t].0 / all[t] } else { 0.0 };
        let squares: Vec<f64> =
            (0..self.months).map(|t| (0..places.len()).map(|j| share(j, t) * share(j, t)).sum()).collect();
        // Nothing is left of a territory that has its months for itself.
        let left = |j: usize, t: usize| 1.0 - 2.0 * share(j, t) + squares[t];
        if unit.is_finite() && places.len() > 1 {
            for (j, months) in sums.iter().enumerate() {
                for (t, pair) in (1..).zip(months.windows(2)) {
                    let [(before, beyond_before), (expected, beyond)] = [pair[0], pair[1]];
                    if before <= 0.0 || expected <= 0.0 {
                        continue;
                    }
                    // Large territories tell more.
                    let weight = before * expected;
                    let change = beyond / expected - beyond_before / before;
                    let of_orders = unit * ((1.0 - share(j, t)) / expected + (1.0 - share(j, t - 1)) / before);
                    part.common.0 += weight * (change * change - of_orders);
                    part.common.1 += weight * (left(j, t) + left(j, t - 1));
                }
            }
        }
        part.customers.extend(rows.iter().map(|(j, row)| row.pairs(|t| left(*j, t))));
        part
    }

    /// A customer's months; `None` where they say nothing.
    fn row(&self, i: usize, group: &Group, unit: f64) -> Option<Row> {
        let from = self.sales(i).next()?.0 + 1;
        let until = self.sales(i).last()?.0.max(from);
        let responses = &group.fitted.responses[(i - group.customers.start) * self.months..][..self.months];
        let mut months: Vec<Side> = (from..until)
            .map(|t| {
                let ours = f64::from(self.weights(i)[t]);
                let response = if ours > 0.0 { responses[t] / ours * group.fitted.month_effects[t] } else { 0.0 };
                Side { t, response, ours, sold: 0.0, left: 1.0 }
            })
            .collect();
        self.sales(i).filter(|(t, _)| (from..until).contains(t)).for_each(|(t, y)| months[t - from].sold = y);
        let sold: f64 = months.iter().map(|month| month.sold).sum();
        let rate = |months: &[Side]| sold / months.iter().map(|month| month.response * month.ours).sum::<f64>();
        let before = rate(&months);
        if !(sold > 0.0 && before.is_finite()) {
            return None;
        }
        let silent = months.iter().filter(|month| month.sold <= 0.0).map(|month| month.ours).sum::<f64>();
        let silent = (silent + 0.5) / (months.iter().map(|month| month.ours).sum::<f64>() + 1.0);
        for month in months.iter_mut().filter(|month| month.sold <= 0.0) {
            let none = libm::exp(-before * month.response / unit);
            let odds = month.ours * (none / silent).min(1.0);
            month.ours = odds / (odds + 1.0 - month.ours).max(1e-300);
        }
        let rate = rate(&months);
        for month in &mut months {
            let all = group.by_month[month.t];
            month.left = 1.0 - (rate * month.response * month.ours / all.max(1e-12)).min(1.0);
        }
        Some(Row { rate, months })
    }
}

impl Row {
    /// Sums over the pairs of neighbouring months; `left`: the part of the territory's own ups and downs that is left in a month.
    fn pairs(&self, left: impl Fn(usize) -> f64) -> Pairs {
        let mut out = Pairs::default();
        for pair in self.months.windows(2) {
            let [one, other] = [&pair[0], &pair[1]];
            let both = one.ours * other.ours;
            if both <= 0.0 || one.response <= 0.0 || other.response <= 0.0 {
                continue;
            }
            let weight = both / (1.0 / one.response + 1.0 / other.response);
            let change = one.sold / one.response - other.sold / other.response;
            out.squares += weight * change * change;
            out.of_unit += weight * self.rate * (one.left / one.response + other.left / other.response);
            out.of_common += weight * self.rate * self.rate * (left(one.t) + left(other.t));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::calibrate::Settings;
    use crate::calibrate::observed::Observed;
    use crate::calibrate::past::observed;
    use crate::calibrate::response::Point;
    use crate::calibrate::testing::{Recipe, run_agents};

    /// What the agents of a recipe leave behind, the point that they lived by and the months' effects there.
    fn at_the_truth(recipe: &Recipe) -> (Observed, Point, Vec<Vec<f64>>) {
        let observed = observed(&run_agents(recipe), &Settings::default()).unwrap();
        let point =
            Point { goodwill: recipe.goodwill(), share: recipe.share, taste: recipe.taste, liking: 0.0, lead: 0.0 };
        let effects = observed.evaluate(&point, None, 30, false).month_effects;
        (observed, point, effects)
    }

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
        let (observed, point, effects) = at_the_truth(&recipe);
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
        let (observed, point, effects) = at_the_truth(&recipe);
        assert!(observed.groups.len() < 30);
        let groups = observed.fitted_groups(&point, &effects);
        let (unit, error) = observed.order_unit(&point, &effects);
        let pairs: Vec<super::Pairs> = groups.iter().flat_map(|group| observed.part(group, unit).customers).collect();
        let blind = pairs.iter().map(|p| p.squares).sum::<f64>() / pairs.iter().map(|p| p.of_unit).sum::<f64>();
        println!("{unit:.3} ± {error:.3}, {blind:.3} with the territories' ups and downs");
        assert!((unit / 3.0 - 1.0).abs() < 3.0 * error + 0.01, "{unit} ± {error}");
        assert!(blind > 1.1 * unit, "{blind} {unit}");
    }
}
