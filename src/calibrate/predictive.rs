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
use crate::stats::sum_of_differences;

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
    /// Customers found a month.
    pub finds: f64,
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

/// Figures that need a panel or dates of first contact come last.
const NAMES: [&str; FIGURES] = [
    "own sales of the last 12 months",
    "share of customer-months without an order",
    "variation of monthly totals",
    "lag-1 correlation of monthly totals",
    "seasonal amplitude",
    "growth of the last 12 months over those before",
    "Gini index of customers' sales",
    "share of the largest tenth of customers",
    "customers with an order in the last 12 months",
    "share of last year's customers who ordered again",
    "sales of a month with an order",
    "spread of growth between territories",
    "competitors' share of the market",
    "new customers of the last 12 months",
];
const FIGURES: usize = 14;

/// Sales of the window as figures read them.
struct Tally {
    /// By month.
    totals: Vec<f64>,
    /// By customer: the year to the end of the window, and the year before.
    years: Vec<[f64; 2]>,
    /// Customer-months with an order, and those in which we served the customer.
    orders: f64,
    exposed: f64,
}

impl Tally {
    fn new(window: usize, customers: usize) -> Self {
        Self { totals: vec![0.0; window], years: vec![[0.0; 2]; customers], orders: 0.0, exposed: 0.0 }
    }

    /// Sales to a customer in a month of the window.
    fn add(&mut self, customer: usize, month: usize, amount: f64) {
        let back = self.totals.len() - 1 - month;
        self.totals[month] += amount;
        if let Some(year) = self.years[customer].get_mut(back / 12) {
            *year += amount;
        }
    }
}

/// What the figures read beside sales.
struct Setting<'a> {
    territory_of: &'a [usize],
    territories: usize,
    /// The panel's category over the last 12 months.
    category: Option<f64>,
}

/// Compares real and made sales; empty when there is too little to compare.
pub fn compare(
    market: &Market,
    observed: &Observed,
    makers: &[Maker<'_>],
    found: Option<f64>,
    seed: u64,
) -> Vec<Comparison> {
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
    let setting = Setting {
        territory_of: &territory_of,
        territories: market.territory_count(),
        category: (months >= 12).then(|| market.panel_year(None)).flatten(),
    };
    let mut tally = Tally::new(window, observed.customers);
    for i in 0..observed.customers {
        let weights = &observed.weights(i)[from..];
        tally.exposed += weights.iter().map(|&w| f64::from(w)).sum::<f64>();
        for (t, y) in observed.sales(i).filter(|(t, _)| *t >= from) {
            tally.add(i, t - from, y);
            tally.orders += f64::from(weights[t - from]);
        }
    }
    if tally.exposed <= 0.0 {
        return Vec::new();
    }
    let real = figures(&tally, &setting, found);
    let step = makers.len().div_ceil(DRAWS).max(1);
    let made: Vec<[Option<f64>; FIGURES]> = (0..makers.len())
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
            let curve = observed.curve(maker.point);
            let mut tally = Tally::new(window, observed.customers);
            for i in 0..observed.customers {
                if !observed.bought[i] {
                    continue;
                }
                let mut source = Source::new(seed, Purpose::Predictive, (2 << 40) + ((d as u64) << 24) + i as u64);
                let own = source.gamma(f64::from(maker.shape[i])) / f64::from(maker.rate[i]).max(1e-30);
                let means = observed.means_relative_to_today(i, maker.point, &curve, maker.relative);
                // One coin a customer: it is served in all months in which that is likelier than the coin.
                let coin = source.uniform();
                for t in from..months {
                    if coin >= f64::from(observed.weights(i)[t]) {
                        continue;
                    }
                    let mean = own * means[t] * shocks[territory_of[i]][t - from];
                    let count = source.poisson((mean / maker.order_unit).min(1e7));
                    tally.add(i, t - from, maker.order_unit * count);
                    tally.orders += f64::from(u8::from(count > 0.0));
                    tally.exposed += 1.0;
                }
            }
            let mut source = Source::new(seed, Purpose::Predictive, (3 << 40) + d as u64);
            figures(&tally, &setting, found.map(|_| source.poisson(12.0 * maker.finds)))
        })
        .collect();
    (0..FIGURES)
        .filter_map(|k| {
            let made: Vec<f64> = made.iter().filter_map(|figures| figures[k]).collect();
            Some(Comparison { name: NAMES[k], real: real[k]?, made }).filter(|comparison| !comparison.made.is_empty())
        })
        .collect()
}

/// The figures in the order of [`NAMES`]; `None` for one that these sales do not have.
fn figures(tally: &Tally, setting: &Setting<'_>, found: Option<f64>) -> [Option<f64>; FIGURES] {
    let totals = &tally.totals;
    let two_years = totals.len() >= 24;
    let (mean, sd) = crate::stats::mean_sd(totals);
    let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    let square: f64 = totals.iter().map(|x| (x - mean) * (x - mean)).sum();
    let product: f64 = totals.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let last: f64 = tally.years.iter().map(|years| years[0]).sum();
    let before: f64 = tally.years.iter().map(|years| years[1]).sum();
    let mut sizes: Vec<f64> = tally.years.iter().map(|years| years[0]).filter(|&size| size > 0.0).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let number = sizes.len() as f64;
    let ordered = |year: usize| tally.years.iter().filter(move |years| years[year] > 0.0);
    let again = ordered(1).filter(|years| years[0] > 0.0).count() as f64;
    [
        Some(last),
        Some(1.0 - tally.orders / tally.exposed.max(1.0)),
        ratio(sd, mean),
        ratio(product, square),
        two_years.then(|| amplitude(totals)).flatten(),
        two_years.then(|| ratio(last, before)).flatten(),
        Some(gini(&sizes)),
        (number >= 20.0).then(|| sizes[(0.9 * number) as usize..].iter().sum::<f64>() / last),
        Some(number),
        two_years.then(|| ratio(again, ordered(1).count() as f64)).flatten(),
        ratio(totals.iter().sum(), tally.orders),
        two_years.then(|| spread_of_growth(tally, setting)).flatten(),
        setting.category.and_then(|category| ratio(category - last, category)),
        found,
    ]
}

/// Largest less smallest mean of a month of the year, over the mean of all.
fn amplitude(totals: &[f64]) -> Option<f64> {
    let month = |m: usize| {
        let some = totals.iter().skip(m).step_by(12);
        some.clone().sum::<f64>() / some.count() as f64
    };
    let means: Vec<f64> = (0..12).map(month).collect();
    let all = means.iter().sum::<f64>() / 12.0;
    let most = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = means.iter().copied().fold(f64::INFINITY, f64::min);
    (all > 0.0).then(|| (most - least) / all)
}

/// Gini index of sizes in ascending order: what pairs differ by, over what they would if one had everything.
fn gini(sizes: &[f64]) -> f64 {
    let (n, sum) = (sizes.len() as f64, sizes.iter().sum::<f64>());
    if sum > 0.0 { sum_of_differences(sizes) / (n * sum) } else { 0.0 }
}

/// Standard deviation between territories of the log of one year's sales over the other's.
fn spread_of_growth(tally: &Tally, setting: &Setting<'_>) -> Option<f64> {
    let mut sums = vec![[0.0; 2]; setting.territories];
    for (years, &territory) in tally.years.iter().zip(setting.territory_of) {
        sums[territory][0] += years[0];
        sums[territory][1] += years[1];
    }
    let growth: Vec<f64> = sums
        .iter()
        .filter(|years| years[0] > 0.0 && years[1] > 0.0)
        .map(|years| libm::log(years[0] / years[1]))
        .collect();
    (growth.len() >= 5).then(|| crate::stats::mean_sd(&growth).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        assert!((gini(&[1.0, 1.0, 1.0]) - 0.0).abs() < 1e-12);
        // Of two, one has everything: half the sizes are above the line of equality by all of it.
        assert!((gini(&[0.0, 5.0]) - 0.5).abs() < 1e-12);
        let season: Vec<f64> = (0..24).map(|t| if t % 12 == 3 { 16.0 } else { 4.0 }).collect();
        assert!((amplitude(&season).unwrap() - 12.0 / 5.0).abs() < 1e-12);
        let mut tally = Tally::new(24, 3);
        tally.exposed = 72.0;
        for (customer, month, amount) in [(0, 0, 4.0), (0, 23, 6.0), (1, 11, 4.0), (2, 12, 2.0)] {
            tally.add(customer, month, amount);
            tally.orders += 1.0;
        }
        let setting = Setting { territory_of: &[0, 0, 0], territories: 1, category: Some(32.0) };
        let figures = figures(&tally, &setting, None);
        let of = |name: &str| figures[NAMES.iter().position(|known| *known == name).unwrap()];
        assert_eq!(of("own sales of the last 12 months"), Some(8.0));
        assert_eq!(of("growth of the last 12 months over those before"), Some(1.0));
        assert_eq!(of("customers with an order in the last 12 months"), Some(2.0));
        assert_eq!(of("share of last year's customers who ordered again"), Some(0.5));
        assert_eq!(of("sales of a month with an order"), Some(4.0));
        assert_eq!(of("competitors' share of the market"), Some(0.75));
        assert_eq!(of("spread of growth between territories"), None);
        assert_eq!(of("new customers of the last 12 months"), None);
    }
}
