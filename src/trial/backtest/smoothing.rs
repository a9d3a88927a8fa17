//! Holt and Winters' exponential smoothing with a damped trend: what a good spreadsheet forecasts.
//!
//! With l the level, b the trend, s the season of twelve months, `m = l + φ b` (Gardner 1985, Journal of Forecasting 4;
//! Hyndman, Koehler, Ord & Snyder 2008, "Forecasting with Exponential Smoothing", ETS(M,Ad,M) and ETS(A,Ad,A)):
//!
//! ```text
//! multiplicative   f = m s     l' = m + α (y / s - m)    b' = φ b + β (y / s - m)    s' = s + γ (y / m - s)
//! additive         f = m + s   l' = m + α (y - s - m)    b' = φ b + β (y - s - m)    s' = s + γ (y - m - s)
//! ```
//!
//! The season is multiplicative where all months are positive and additive otherwise. Start: a line through the means of the first
//! two years, and the months' mean ratios to (differences from) it. α, β, γ and φ minimise the squared errors one month ahead: the best of
//! a grid, then a pattern search. Draws resample those errors (relative ones where the season multiplies) along simulated paths.

use rand::RngExt as _;

use super::Ahead;
use crate::rng::Stream;

const YEAR: usize = 12;

/// A fitted smoother at the end of its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothing {
    pub alpha: f64,
    pub beta: f64,
    pub gamma: f64,
    pub phi: f64,
    pub multiplicative: bool,
    state: State,
    /// One-step errors, relative to the forecast where the season multiplies.
    residuals: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq)]
struct State {
    level: f64,
    trend: f64,
    /// The season of the months to come, the next first.
    season: [f64; YEAR],
}

/// Free numbers in (0, 1) to parameters within their bounds: α free, β below α, γ below 1 - α, φ within 0.8 and 0.98.
fn bounded(free: [f64; 4]) -> (f64, f64, f64, f64) {
    let [a, b, g, f] = free.map(|x| x.clamp(0.0, 1.0));
    let alpha = 0.01 + 0.98 * a;
    (alpha, alpha * b, (1.0 - alpha) * g, 0.8 + 0.18 * f)
}

impl State {
    /// From the first two years.
    fn start(series: &[f64], multiplicative: bool) -> Self {
        let mean = |year: usize| series[year * YEAR..(year + 1) * YEAR].iter().sum::<f64>() / YEAR as f64;
        let trend = (mean(1) - mean(0)) / YEAR as f64;
        // The mean of a year lies between its sixth and its seventh month.
        let line = |t: usize| mean(0) + trend * (t as f64 - 5.5);
        let mut season: [f64; YEAR] = std::array::from_fn(|m| {
            let of = |t: usize| if multiplicative { series[t] / line(t).max(1e-9) } else { series[t] - line(t) };
            0.5 * (of(m) + of(m + YEAR))
        });
        let mean_season = season.iter().sum::<f64>() / YEAR as f64;
        for s in &mut season {
            *s = if multiplicative { *s / mean_season } else { *s - mean_season };
        }
        Self { level: line(0) - trend, trend, season }
    }

    fn forecast(&self, phi: f64, multiplicative: bool) -> f64 {
        let mean = self.level + phi * self.trend;
        if multiplicative { mean * self.season[0] } else { mean + self.season[0] }
    }

    /// Takes in a month.
    fn step(&mut self, actual: f64, (alpha, beta, gamma, phi): (f64, f64, f64, f64), multiplicative: bool) {
        let mean = self.level + phi * self.trend;
        let season = self.season[0];
        let (adjusted, of_season) = if multiplicative {
            (actual / season.max(1e-9), if mean > 1e-9 { actual / mean } else { season })
        } else {
            (actual - season, actual - mean)
        };
        let surprise = adjusted - mean;
        self.level = mean + alpha * surprise;
        self.trend = phi * self.trend + beta * surprise;
        self.season.rotate_left(1);
        self.season[YEAR - 1] = season + gamma * (of_season - season);
    }
}

impl Smoothing {
    /// Fits a series; `None` with less than 24 months.
    pub fn fit(series: &[f64]) -> Option<Self> {
        if series.len() < 2 * YEAR {
            return None;
        }
        let multiplicative = series.iter().all(|&y| y > 0.0);
        let squared = |free: [f64; 4]| -> f64 { Self::run(series, free, multiplicative).1 };
        let mut best = ([0.0; 4], f64::INFINITY);
        for a in [0.03, 0.1, 0.2, 0.4, 0.7, 0.95] {
            for b in [0.0, 0.05, 0.2, 0.5] {
                for g in [0.0, 0.1, 0.3, 0.6] {
                    for f in [0.0, 0.5, 0.85, 1.0] {
                        let free = [a, b, g, f];
                        let error = squared(free);
                        if error < best.1 {
                            best = (free, error);
                        }
                    }
                }
            }
        }
        // Hooke & Jeeves' moves along the axes.
        let mut step = 0.1;
        while step > 0.002 {
            let from = best.1;
            for axis in 0..4 {
                for sign in [1.0, -1.0] {
                    let mut free = best.0;
                    free[axis] = (free[axis] + sign * step).clamp(0.0, 1.0);
                    let error = squared(free);
                    if error < best.1 {
                        best = (free, error);
                    }
                }
            }
            if best.1 >= from {
                step *= 0.5;
            }
        }
        let (mut fitted, error) = Self::run(series, best.0, multiplicative);
        // The relative error of a month after a zero forecast is no error to resample.
        fitted.residuals.retain(|error| error.is_finite());
        (error.is_finite() && !fitted.residuals.is_empty()).then_some(fitted)
    }

    fn run(series: &[f64], free: [f64; 4], multiplicative: bool) -> (Self, f64) {
        let parameters = bounded(free);
        let mut state = State::start(series, multiplicative);
        let (mut squared, mut residuals) = (0.0, Vec::with_capacity(series.len()));
        for &actual in series {
            let forecast = state.forecast(parameters.3, multiplicative);
            let error = actual - forecast;
            squared += error * error;
            residuals.push(if multiplicative { error / forecast } else { error });
            state.step(actual, parameters, multiplicative);
        }
        let (alpha, beta, gamma, phi) = parameters;
        (Self { alpha, beta, gamma, phi, multiplicative, state, residuals }, squared)
    }

    /// Forecasts of the months to come.
    pub fn point(&self, months: usize) -> Vec<f64> {
        self.path(months, || 0.0)
    }

    fn path(&self, months: usize, mut error: impl FnMut() -> f64) -> Vec<f64> {
        let mut state = self.state.clone();
        (0..months)
            .map(|_| {
                let forecast = state.forecast(self.phi, self.multiplicative);
                let actual = if self.multiplicative { forecast * (1.0 + error()) } else { forecast + error() };
                state.step(actual, (self.alpha, self.beta, self.gamma, self.phi), self.multiplicative);
                actual
            })
            .collect()
    }
}

/// Forecasts `months` from a series. `None` with less than 24 months of past.
pub fn smoothing(past: &[f64], months: usize, count: usize, seed: u64, index: u64) -> Option<Ahead> {
    let fitted = Smoothing::fit(past)?;
    let mut rng = Stream::new(seed, "trial/smoothing", index);
    let residuals = &fitted.residuals;
    let draws = (0..count).map(|_| fitted.path(months, || residuals[rng.random_range(0..residuals.len())])).collect();
    Some(Ahead { point: fitted.point(months), draws })
}
