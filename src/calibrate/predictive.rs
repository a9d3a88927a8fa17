//! Posterior predictive checks: would the fitted model have made our sales?
//!
//! For some draws the last two years of every customer's months are made anew (rates, response, season, shocks and orders as
//! the agents would) and a few figures compared with the real ones (Gelman, Meng & Stern 1996). The figures are ones that
//! the likelihood does not fit by construction. A probability near 0 or 1 says that the model cannot make what was
//! seen.

use rayon::prelude::*;

use crate::calibrate::observed::Observed;
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::market::Market;

/// Months that are made anew.
const MONTHS: usize = 24;
/// Draws used.
const DRAWS: usize = 60;

/// What a draw needs to make sales.
pub struct Maker<'a> {
    pub point: &'a Point,
    /// Season, growth and walk by month relative to the end of the history.
    pub relative: &'a [f64],
    pub order_unit: f64,
    pub shock_sd: f64,
    /// Shape and rate of customers' rates at today's goodwill.
    pub shape: &'a [f32],
    pub rate: &'a [f32],
}

/// A figure of real and of made sales.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub name: &'static str,
    pub real: f64,
    pub made: Vec<f64>,
}

impl Comparison {
    /// P(made >= real), ties half.
    pub fn probability(&self) -> f64 {
        let above: f64 = self
            .made
            .iter()
            .map(|&made| {
                if made > self.real {
                    1.0
                } else if made == self.real {
                    0.5
                } else {
                    0.0
                }
            })
            .sum();
        above / self.made.len().max(1) as f64
    }
}

const NAMES: [&str; 4] = [
    "own sales of the last 12 months",
    "share of customer-months without an order",
    "variation of monthly totals",
    "lag-1 correlation of monthly totals",
];

/// Compares real and made sales; empty when there is too little to compare.
pub fn compare(market: &Market, observed: &Observed, makers: &[Maker<'_>], seed: u64) -> Vec<Comparison> {
    let months = observed.months;
    let window = months.min(MONTHS);
    let from = months - window;
    if makers.is_empty() || !observed.bought.iter().any(|&bought| bought) {
        return Vec::new();
    }
    let mut territory_of = vec![0; observed.customers];
    for j in 0..market.territory_count() {
        territory_of[market.customers_of(j)].fill(j);
    }
    let mut totals = vec![0.0; window];
    let (mut orders, mut exposed) = (0.0, 0.0);
    for i in 0..observed.customers {
        let weights = &observed.weights(i)[from..];
        exposed += weights.iter().map(|&w| f64::from(w)).sum::<f64>();
        for (t, y) in observed.sales(i).filter(|(t, _)| *t >= from) {
            totals[t - from] += y;
            orders += f64::from(weights[t - from]);
        }
    }
    if exposed <= 0.0 {
        return Vec::new();
    }
    let real = figures(&totals, orders, exposed);
    let step = makers.len().div_ceil(DRAWS).max(1);
    let made: Vec<[f64; 4]> = (0..makers.len())
        .into_par_iter()
        .step_by(step)
        .map(|d| {
            let maker = &makers[d];
            let shocks: Vec<Vec<f64>> = (0..market.territory_count())
                .map(|j| {
                    let mut source = Source::new(seed, Purpose::Predictive, (1 << 40) + ((d as u64) << 24) + j as u64);
                    let sd = maker.shock_sd;
                    (0..window).map(|_| libm::exp(sd * source.normal() - 0.5 * sd * sd)).collect()
                })
                .collect();
            let mut totals = vec![0.0; window];
            let (mut orders, mut exposed) = (0.0, 0.0);
            for i in 0..observed.customers {
                if !observed.bought[i] {
                    continue;
                }
                let mut source = Source::new(seed, Purpose::Predictive, (2 << 40) + ((d as u64) << 24) + i as u64);
                let own = source.gamma(f64::from(maker.shape[i])) / f64::from(maker.rate[i]).max(1e-30);
                let means = observed.means_relative_to_today(i, maker.point, maker.relative);
                // One coin a customer: it is served in all months in which that is likelier than the coin.
                let coin = source.uniform();
                for t in from..months {
                    if coin >= f64::from(observed.weights(i)[t]) {
                        continue;
                    }
                    let mean = own * means[t] * shocks[territory_of[i]][t - from];
                    let count = source.poisson((mean / maker.order_unit).min(1e7));
                    totals[t - from] += maker.order_unit * count;
                    orders += f64::from(u8::from(count > 0.0));
                    exposed += 1.0;
                }
            }
            figures(&totals, orders, exposed)
        })
        .collect();
    (0..NAMES.len())
        .map(|k| Comparison { name: NAMES[k], real: real[k], made: made.iter().map(|figures| figures[k]).collect() })
        .collect()
}

fn figures(totals: &[f64], orders: f64, exposed: f64) -> [f64; 4] {
    let year = totals.len().saturating_sub(12);
    let (mean, sd) = crate::stats::mean_sd(totals);
    let square: f64 = totals.iter().map(|x| (x - mean) * (x - mean)).sum();
    let product: f64 = totals.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    [
        totals[year..].iter().sum(),
        1.0 - orders / exposed.max(1.0),
        if mean > 0.0 { sd / mean } else { 0.0 },
        if square > 0.0 { product / square } else { 0.0 },
    ]
}
