//! A rolling-origin backtest: how good the forecast would have been, had it been made in years that are over.
//!
//! At an origin o the market is cut to what was known at its end ([`crate::market::Market::as_known`]), calibrated afresh,
//! and forecast H = 12 months ahead with today's effort carried on: calls made after o are not known to it. With y_h what
//! came, f_h the forecast (the median of its draws) and X, X' two draws (Tashman 2000, International Journal of Forecasting 16):
//!
//! ```text
//! wape  = sum_h |y_h - f_h| / sum_h y_h
//! mase  = sum_h |y_h - f_h| / sum_h |y_h - y_{h-12}|             (Hyndman & Koehler 2006, IJF 22; out of sample)
//! crps  = E |X - y| - E |X - X'| / 2                              (Gneiting & Raftery 2007, JASA 102), mean over months
//! cover = share of months with y_h in the central 50% or 90% interval
//! ```
//!
//! MASE is scaled by the seasonal naive forecast *of the same months*: below 1 is better than "as last year". The
//! original scales by the naive errors in the sample; that compares years of different difficulty. In CRPS the second
//! term is the mean over pairs of distinct draws (Ferro 2014, Quarterly Journal 140), so that few draws are not punished.
//! `year_*` are the same of the sum of the 12 months.
//!
//! **Compared with**: [`naive`], the same month of last year, and [`smoothing`], Holt and Winters' exponential smoothing with a damped trend. Their
//! draws come from their own residuals.
//!
//! **Scopes**: `market` is the sum of all territories (`*`), `territory` one of them, `pooled` the months of all territories together:
//! sums of errors over sums of sales, so that small territories count for little in WAPE and MASE, and shares of all
//! territory-months in the cover. Origin `*` pools the origins in the same way.
//!
//! **What is not tested**: audited outlets, sizes and covariates are those of today, and a market directory that leaves out
//! customers lost long ago makes the early years of every forecast too loyal.

mod naive;
mod origins;
mod scores;
mod smoothing;
#[cfg(test)]
mod tests;

pub use naive::naive;
pub use origins::{AHEAD, Origins, origins};
pub use scores::{BacktestRow, Scored, crps, score};
pub use smoothing::{Smoothing, smoothing};

use crate::stats::Summary;
use crate::units::Month;

/// What is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    OwnSales,
    TotalDemand,
}

impl Measure {
    /// As in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnSales => "own_sales",
            Self::TotalDemand => "total_demand",
        }
    }
}

/// Who forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// The calibrated twin.
    Twin,
    SeasonalNaive,
    ExponentialSmoothing,
}

impl Model {
    /// All, ours first.
    pub const ALL: [Self; 3] = [Self::Twin, Self::SeasonalNaive, Self::ExponentialSmoothing];

    /// As in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Twin => "twin",
            Self::SeasonalNaive => "seasonal_naive",
            Self::ExponentialSmoothing => "exponential_smoothing",
        }
    }
}

/// A forecast of the months ahead.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    /// By month.
    pub point: Vec<f64>,
    /// `[draw][month]`.
    pub draws: Vec<Vec<f64>>,
}

impl Ahead {
    /// A forecast whose point is the median of its draws.
    pub fn of_draws(draws: Vec<Vec<f64>>) -> Self {
        let months = draws.first().map_or(0, Vec::len);
        let point = (0..months).map(|h| {
            let of_month: Vec<f64> = draws.iter().map(|draw| draw[h]).collect();
            Summary::of(&of_month).map_or(f64::NAN, |summary| summary.q50)
        });
        Self { point: point.collect(), draws }
    }
}

/// One series at one origin: its past, the forecasts and what came.
#[derive(Debug, Clone)]
pub struct Case {
    pub origin: Month,
    /// Position of the territory; `None` = the whole market.
    pub territory: Option<usize>,
    pub measure: Measure,
    /// What came, by month ahead.
    pub actual: Vec<f64>,
    /// By [`Model::ALL`].
    pub forecasts: Vec<Ahead>,
}

impl Case {
    /// Puts the twin's draws beside the two simple forecasts from the series' past (up to the origin). `None` when the past has
    /// less than 24 months, or a figure is not finite.
    pub fn new(
        origin: Month,
        territory: Option<usize>,
        measure: Measure,
        past: &[f64],
        actual: Vec<f64>,
        twin: Vec<Vec<f64>>,
        seed: u64,
    ) -> Option<Self> {
        let months = actual.len();
        let count = twin.len();
        // A key of its own for each series.
        let place = territory.map_or(0, |j| j as u64 + 1);
        let index =
            (origin.since(Month::new(1, 1)?) as u64) << 32 | place << 1 | u64::from(measure == Measure::OwnSales);
        let forecasts = vec![
            Ahead::of_draws(twin),
            naive(past, months, count, seed, index)?,
            smoothing(past, months, count, seed, index)?,
        ];
        let finite = |ahead: &Ahead| ahead.point.iter().chain(ahead.draws.iter().flatten()).all(|x| x.is_finite());
        let all = forecasts.iter().all(finite) && actual.iter().all(|x| x.is_finite());
        all.then_some(Self { origin, territory, measure, actual, forecasts })
    }
}
