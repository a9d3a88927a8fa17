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

use rayon::prelude::*;

use crate::calibrate::observed::Observed;
use crate::calibrate::response::{GroupFit, Point};

/// Passes in which the order unit learns from itself which months were ours.
const PASSES: usize = 4;

impl Observed {
    /// The order unit at a point, with its standard error on the log scale.
    pub fn order_unit(&self, point: &Point, month_effects: &[Vec<f64>]) -> (f64, f64) {
        let mut found = self.dispersion(point, month_effects, f64::INFINITY);
        for _ in 0..PASSES {
            found = self.dispersion(point, month_effects, found.0);
        }
        found
    }

    /// One pass, told the order unit of the pass before.
    fn dispersion(&self, point: &Point, month_effects: &[Vec<f64>], unit: f64) -> (f64, f64) {
        let appeal = self.appeal(point);
        let parts: Vec<Vec<(f64, f64)>> = self
            .groups
            .par_iter()
            .zip(month_effects)
            .map(|(range, effects)| {
                let fitted = self.fit_group(range.clone(), point, appeal, Some(effects), 1);
                let mut by_month = vec![0.0; self.months];
                range.clone().flat_map(|i| self.sales(i)).for_each(|(t, y)| by_month[t] += y);
                range
                    .clone()
                    .enumerate()
                    .filter_map(|(n, i)| self.dispersion_of(n, i, &fitted, &by_month, unit))
                    .collect()
            })
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

    /// Sales and dispersion of customer `i`, the n-th of its group, which sold so much by month; `None` where it says nothing.
    fn dispersion_of(&self, n: usize, i: usize, fitted: &GroupFit, by_month: &[f64], unit: f64) -> Option<(f64, f64)> {
        let from = self.sales(i).next()?.0 + 1;
        let until = self.sales(i).last()?.0.max(from);
        let mut sales = vec![0.0; until - from];
        self.sales(i).filter(|(t, _)| (from..until).contains(t)).for_each(|(t, y)| sales[t - from] = y);
        let sold: f64 = sales.iter().sum();
        // By month: the response if it was ours, and the probability that it was.
        let responses = &fitted.responses[n * self.months..(n + 1) * self.months];
        let mut months: Vec<(f64, f64)> = (from..until)
            .map(|t| {
                let ours = f64::from(self.weights(i)[t]);
                (if ours > 0.0 { responses[t] / ours * fitted.month_effects[t] } else { 0.0 }, ours)
            })
            .collect();
        let exposure = |months: &[(f64, f64)]| months.iter().map(|(response, ours)| response * ours).sum::<f64>();
        let counted = |months: &[(f64, f64)]| months.iter().map(|(_, ours)| ours).sum::<f64>();
        let (rate, silent): (f64, f64) = {
            let silent = months.iter().zip(&sales).filter(|(_, y)| **y <= 0.0).map(|((_, ours), _)| ours).sum::<f64>();
            (sold / exposure(&months), (silent + 0.5) / (counted(&months) + 1.0))
        };
        if !(sold > 0.0 && rate.is_finite()) {
            return None;
        }
        for ((response, ours), _) in months.iter_mut().zip(&sales).filter(|(_, y)| **y <= 0.0) {
            let none = libm::exp(-rate * *response / unit);
            let odds = *ours * (none / silent).min(1.0);
            *ours = odds / (odds + 1.0 - *ours).max(1e-300);
        }
        let rate = sold / exposure(&months);
        // Months without sales contribute their mean; months with sales (y - m)² / m.
        let pearson: f64 = months
            .iter()
            .zip(&sales)
            .map(|((response, ours), &y)| {
                let mean = rate * response * ours;
                if y > 0.0 { (y - mean) * (y - mean) / mean.max(1e-12) } else { mean }
            })
            .sum();
        let group: f64 = by_month.iter().sum();
        let taken_up: f64 = months
            .iter()
            .zip(&by_month[from..until])
            .map(|((response, ours), &all)| ours * (rate * response * ours / all.max(1e-12)).min(1.0))
            .sum();
        let freedom = counted(&months) - 1.0 - taken_up + sold / group;
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
        let (blind, _) = observed.dispersion(&point, &effects, f64::INFINITY);
        let (unit, error) = observed.order_unit(&point, &effects);
        println!("{unit:.3} ± {error:.3}, {blind:.3} without the amounts");
        assert!((unit / 2.5 - 1.0).abs() < 3.0 * error + 0.01, "{unit} ± {error}");
        assert!(blind > 1.1 * unit, "{blind} {unit}");
    }
}
