//! How much wider than the likelihood says, where months err together.
//!
//! With scores `s_i` of the clusters i at the mode, `J = sum_i s_i s_i'` their variance and H the information, the likelihood is divided by
//!
//! `max(1, tr(P^-1 J) / tr(P^-1 H))`, `P = H + the prior's precision`,
//!
//! the ratio of observed to expected variance over the directions in which the data speak, as generalised posteriors are (Holmes & Walker
//! 2017; Lyddon, Holmes & Walker 2019).
//!
//! Clusters are customers (habits, stocks, contracts) and, where there are enough of them, territories: small territories share their months'
//! effects with neighbours, so that a rival's campaign or a slow month in one of them makes all its customers err at once. The larger of
//! both ratios counts, as is usual where it is not known at what level errors go together (Cameron & Miller 2015, section IV).

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use crate::calibrate::laplace;

/// Territories with customers that speak, from which their scores' variance is believed: with fewer, it is itself off by more than a quarter.
const FEWEST: usize = 30;

/// Scores of the response's likelihood by customer, times the order unit.
pub struct Clusters<'a> {
    /// Customers of each territory, and those that share months' effects.
    pub territories: &'a [Range<usize>],
    pub groups: &'a [Range<usize>],
    /// `[coordinate, customer]`, customers in the order of the groups.
    pub scores: &'a DMatrix<f64>,
    /// Lifts sums over these customers to all.
    pub raise: f64,
    /// The order unit.
    pub unit: f64,
}

impl Clusters<'_> {
    /// What the likelihood is to be divided by. `mode` was found with it divided by `before`; `widths` are the deviations of the prior.
    pub fn inflation(&self, mode: &laplace::Mode, widths: &[f64], before: f64) -> f64 {
        let precision =
            DMatrix::from_diagonal(&DVector::from_iterator(widths.len(), widths.iter().map(|w| 1.0 / (w * w))));
        let Some(curvature) = mode.covariance.clone().try_inverse() else { return 1.0 };
        let information = (curvature - &precision) * before;
        let Some(inverse) = (&information + precision).try_inverse() else { return 1.0 };
        let expected = (&inverse * information).trace();
        let ratio = |scores: &DMatrix<f64>| {
            let clustered = scores * scores.transpose() * (self.raise / (self.unit * self.unit));
            let ratio = (&inverse * clustered).trace() / expected;
            if ratio.is_finite() { ratio.clamp(1.0, 100.0) } else { 1.0 }
        };
        let by_territory = self.by_territory().map_or(1.0, |scores| ratio(&scores));
        ratio(self.scores).max(by_territory)
    }

    /// Scores by territory; `None` where too few speak.
    fn by_territory(&self) -> Option<DMatrix<f64>> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut first = 0;
        for group in self.groups {
            for territory in self.territories {
                let (from, until) = (territory.start.max(group.start), territory.end.min(group.end));
                if from < until {
                    parts.push(first + from - group.start..first + until - group.start);
                }
            }
            first += group.len();
        }
        let sums = parts.into_iter().map(|part| self.scores.columns_range(part).column_sum());
        let speaking: Vec<DVector<f64>> = sums.filter(|sum| sum.iter().any(|&score| score != 0.0)).collect();
        (speaking.len() >= FEWEST).then(|| DMatrix::from_columns(&speaking))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::{Purpose, Source};

    /// Customers of a territory, and territories.
    const EACH: usize = 10;
    const TERRITORIES: usize = 80;

    /// The ratio where scores of two coordinates have variance 4 by customer, as the likelihood expects, and `common` more by territory.
    fn inflation(common: f64, territories: usize, seed: u64) -> f64 {
        let mut source = Source::new(seed, Purpose::Response, 0);
        let mut scores = DMatrix::zeros(2, EACH * territories);
        for j in 0..territories {
            let together = [source.normal(), source.normal()].map(|x| common.sqrt() * x);
            for i in EACH * j..EACH * (j + 1) {
                (0..2).for_each(|k| scores[(k, i)] = 2.0 * source.normal() + together[k]);
            }
        }
        let information = 4.0 * (EACH * territories) as f64;
        let covariance = DMatrix::identity(2, 2) / (information / 3.0 + 1.0);
        let mode = laplace::Mode { at: DVector::zeros(2), covariance, bent: false };
        let ranges = |each: usize| -> Vec<Range<usize>> {
            (0..EACH * territories / each).map(|k| each * k..each * (k + 1)).collect()
        };
        let clusters =
            Clusters { territories: &ranges(EACH), groups: &ranges(2 * EACH), scores: &scores, raise: 1.0, unit: 1.0 };
        clusters.inflation(&mode, &[1.0, 1.0], 3.0)
    }

    #[test]
    fn what_errs_together_widens() {
        let mean = |common: f64, territories: usize| {
            (0..20).map(|seed| inflation(common, territories, seed)).sum::<f64>() / 20.0
        };
        assert!((1.0..1.15).contains(&mean(0.0, TERRITORIES)), "{}", mean(0.0, TERRITORIES));
        // Ten customers that share a variance of 1 beside 4 of their own: (4 + 10) / 4.
        assert!((mean(1.0, TERRITORIES) - 3.5).abs() < 0.35, "{}", mean(1.0, TERRITORIES));
        // With few territories customers alone: (4 + 1) / 4.
        assert!((mean(1.0, 20) - 1.25).abs() < 0.2, "{}", mean(1.0, 20));
    }
}
