//! Scores of forecasts against what came; see the module's head.

use serde::Serialize;

use super::{Case, Measure, Model};
use crate::stats::{quantile_sorted, sum_of_differences};
use crate::units::Month;

/// A row of `backtest.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BacktestRow {
    /// `None` = all origins.
    pub origin: Option<Month>,
    /// `market`, `territory` or `pooled`.
    pub scope: &'static str,
    /// Of scope `territory`; `*` otherwise.
    pub territory_id: String,
    pub measure: &'static str,
    pub model: &'static str,
    pub metric: &'static str,
    pub value: f64,
    pub unit: String,
}

/// Continuous ranked probability score of draws in ascending order against what came. The second term is over pairs of distinct
/// draws.
pub fn crps(sorted: &[f64], actual: f64) -> f64 {
    let n = sorted.len() as f64;
    let missed = sorted.iter().map(|x| (x - actual).abs()).sum::<f64>() / n;
    missed - if sorted.len() > 1 { sum_of_differences(sorted) / (n * (n - 1.0)) } else { 0.0 }
}

/// Sums over months, from which all scores come; they add up over series and origins.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scored {
    months: f64,
    actual: f64,
    missed: f64,
    naive_missed: f64,
    crps: f64,
    in_half: f64,
    in_ninety: f64,
}

impl Scored {
    /// One month, or one sum of months.
    fn add(&mut self, actual: f64, point: f64, naive: f64, mut draws: Vec<f64>) {
        draws.sort_unstable_by(f64::total_cmp);
        let within = |low: f64, high: f64| {
            let inside = quantile_sorted(&draws, low) <= actual && actual <= quantile_sorted(&draws, high);
            f64::from(u8::from(inside))
        };
        self.months += 1.0;
        self.actual += actual;
        self.missed += (actual - point).abs();
        self.naive_missed += (actual - naive).abs();
        self.crps += crps(&draws, actual);
        self.in_half += within(0.25, 0.75);
        self.in_ninety += within(0.05, 0.95);
    }

    fn plus(self, other: Self) -> Self {
        Self {
            months: self.months + other.months,
            actual: self.actual + other.actual,
            missed: self.missed + other.missed,
            naive_missed: self.naive_missed + other.naive_missed,
            crps: self.crps + other.crps,
            in_half: self.in_half + other.in_half,
            in_ninety: self.in_ninety + other.in_ninety,
        }
    }

    /// Months of a case, and their sum.
    pub fn of(case: &Case, model: Model) -> (Self, Self) {
        let place = |model: Model| Model::ALL.iter().position(|&other| other == model).unwrap_or(0);
        let (ours, naive) = (&case.forecasts[place(model)], &case.forecasts[place(Model::SeasonalNaive)]);
        let (mut months, mut year) = (Self::default(), Self::default());
        for (h, &actual) in case.actual.iter().enumerate() {
            months.add(actual, ours.point[h], naive.point[h], ours.draws.iter().map(|draw| draw[h]).collect());
        }
        let sums: Vec<f64> = ours.draws.iter().map(|draw| draw.iter().sum()).collect();
        // The median of the sum; a forecast without a spread of its own has only its points.
        let point = match model {
            Model::Twin => crate::stats::Summary::of(&sums).map_or(0.0, |summary| summary.q50),
            _ => ours.point.iter().sum(),
        };
        year.add(case.actual.iter().sum(), point, naive.point.iter().sum(), sums);
        (months, year)
    }

    /// (metric, value, unit); what cannot be said is left out. `year`: of sums of 12 months.
    fn metrics(&self, year: bool, unit: &str) -> Vec<(&'static str, f64, String)> {
        let names = if year {
            ["year_wape", "year_mase", "year_crps", "year_cover50", "year_cover90"]
        } else {
            ["wape", "mase", "crps", "cover50", "cover90"]
        };
        let over = |sum: f64, by: f64| (by > 0.0).then(|| sum / by);
        let values = [
            (over(self.missed, self.actual), "share of actual"),
            (over(self.missed, self.naive_missed), "ratio"),
            (over(self.crps, self.months), unit),
            (over(self.in_half, self.months), "share"),
            (over(self.in_ninety, self.months), "share"),
        ];
        let named = names.into_iter().zip(values);
        named.filter_map(|(name, (value, unit))| Some((name, value?, unit.to_owned()))).collect()
    }
}

/// Scores every case and pools them. `names` are the territories' ids.
pub fn score(cases: &[Case], names: &[String], unit: &str) -> Vec<BacktestRow> {
    let mut origins: Vec<Month> = cases.iter().map(|case| case.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let mut rows = Vec::new();
    for measure in [Measure::OwnSales, Measure::TotalDemand] {
        for model in Model::ALL {
            let scored: Vec<(&Case, (Scored, Scored))> = cases
                .iter()
                .filter(|case| case.measure == measure)
                .map(|case| (case, Scored::of(case, model)))
                .collect();
            let whens = std::iter::once(None).chain(origins.iter().copied().map(Some));
            for origin in whens {
                let at = |case: &Case| origin.is_none_or(|origin| case.origin == origin);
                let mut push = |scope: &'static str, territory: &str, chosen: &dyn Fn(&Case) -> bool| {
                    let mut sums = None;
                    for (_, scores) in scored.iter().filter(|(case, _)| at(case) && chosen(case)) {
                        let (months, year) = sums.unwrap_or((Scored::default(), Scored::default()));
                        sums = Some((months.plus(scores.0), year.plus(scores.1)));
                    }
                    let Some((months, year)) = sums else { return };
                    for (metric, value, unit) in months.metrics(false, unit).into_iter().chain(year.metrics(true, unit))
                    {
                        rows.push(BacktestRow {
                            origin,
                            scope,
                            territory_id: territory.to_owned(),
                            measure: measure.name(),
                            model: model.name(),
                            metric,
                            value,
                            unit,
                        });
                    }
                };
                push("market", "*", &|case| case.territory.is_none());
                push("pooled", "*", &|case| case.territory.is_some());
                for (j, name) in names.iter().enumerate() {
                    push("territory", name, &|case| case.territory == Some(j));
                }
            }
        }
    }
    rows
}
