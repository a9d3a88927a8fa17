//! The share of wallet of served customers: what the data say about it before any model of response.
//!
//! Best: `wallets.csv`, a survey of what customers buy in all. It is a share of what they buy in the months in which they are ours: a customer
//! with wallet `D_i` over a span of n months, of which it was ours in `m_i` (a sum of probabilities, [`Observed::weights`]), bought `D_i m_i / n` then, and
//! the share is `sum_i y_i / sum_i D_i m_i / n`. Without that, who came late, left or paused within the span passes for one who gives us little,
//! and contacts for having more room to move sales than they have. Next: territories where the panel gives the category and
//! the universe count the outlets; served customers then hold the part `R n / (R n + N - n)` of the category, with n
//! of them among N outlets and R how much larger a served customer is than another (log R ~ N(log 2.5, 0.8²): companies
//! win the large ones first). Next: the panel alone, which bounds the share from below by our market share. Else the
//! prior.

use crate::calibrate::observed::Observed;
use crate::calibrate::priors::Priors;
use crate::calibrate::sampling::normal_quantile;
use crate::calibrate::tastes::{self, Answer, spread_of_tastes};
use crate::market::Market;
use crate::origin::Origin;
use crate::scenario::Prior;

/// What is known of a parameter of choice before the response: a prior, where it comes from, and in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Beforehand {
    pub parameter: &'static str,
    pub prior: Prior,
    pub origin: Origin,
    pub source: String,
}

impl Beforehand {
    /// The prior that is registered or that the scenario gives, and whether it gives one.
    fn registered(priors: &Priors, parameter: &'static str) -> (Self, bool) {
        let given = priors.of("choice", parameter).is_some_and(|(_, given)| given);
        let (origin, source) = priors.source("choice", parameter);
        (Self { parameter, prior: priors.prior("choice", parameter), origin, source }, given)
    }
}

/// The share of wallet: the best that the data allow.
pub fn share_of_wallet(market: &Market, observed: &Observed, priors: &Priors) -> Beforehand {
    let (registered, given) = Beforehand::registered(priors, SHARE);
    if given {
        return registered;
    }
    from_survey(market, observed).or_else(|| from_universe(market)).or_else(|| from_panel(market)).unwrap_or(registered)
}

/// The deviation of log odds of us between served customers.
pub fn taste(market: &Market, observed: &Observed, priors: &Priors) -> Beforehand {
    let (registered, given) = Beforehand::registered(priors, "taste");
    let Prior::Lognormal { median, sd } = registered.prior else { return registered };
    let answers: Vec<Answer> = surveyed(market, observed)
        .into_iter()
        .map(|survey| Answer { part: survey.own / survey.demand, orders: survey.orders })
        .collect();
    match spread_of_tastes((libm::log(median), sd), &answers) {
        Some((centre, sd)) if !given => Beforehand {
            parameter: "taste",
            prior: Prior::Lognormal { median: libm::exp(centre), sd },
            origin: Origin::YourData,
            source: format!("wallets.csv: how the shares of {} surveyed customers differ", answers.len()),
        },
        _ => registered,
    }
}

/// Months with us from which a surveyed customer is counted.
const FEWEST_MONTHS: f64 = 3.0;

/// What a survey says of a customer that buys from us, in the months of its span in which it was ours.
struct Surveyed {
    own: f64,
    demand: f64,
    /// Our orders, by the months that had one.
    orders: f64,
}

fn surveyed(market: &Market, observed: &Observed) -> Vec<Surveyed> {
    use crate::ids::Index as _;
    let of = |wallet: &crate::data::Wallet| {
        let (first, last) = (market.history.position(wallet.span.first)?, market.history.position(wallet.span.last)?);
        let customer = wallet.customer.usize();
        let months: f64 = observed.weights(customer)[first..=last].iter().map(|&ours| f64::from(ours)).sum();
        let sales = observed.sales(customer).filter(|(month, _)| (first..=last).contains(month));
        let (own, with) = sales.fold((0.0, 0.0), |(own, with), (_, amount)| (own + amount, with + 1.0));
        let demand = wallet.demand * months / (last - first + 1) as f64;
        let counts = own > 0.0 && demand > 0.0 && months >= FEWEST_MONTHS;
        counts.then(|| Surveyed { own, demand, orders: tastes::orders(with, months) })
    };
    market.data.wallets.iter().flatten().filter_map(of).collect()
}

const SHARE: &str = "share_of_wallet";

/// A beta of this mean and deviation, kept proper.
fn beta(mean: f64, sd: f64) -> Prior {
    let mean = mean.clamp(0.001, 0.98);
    let sd = sd.clamp(0.05 * mean.min(1.0 - mean), 0.9 * (mean * (1.0 - mean)).sqrt());
    let size = mean * (1.0 - mean) / (sd * sd) - 1.0;
    Prior::Beta { a: mean * size, b: (1.0 - mean) * size }
}

fn from_survey(market: &Market, observed: &Observed) -> Option<Beforehand> {
    let pairs: Vec<(f64, f64)> =
        surveyed(market, observed).into_iter().map(|survey| (survey.own.min(survey.demand), survey.demand)).collect();
    if pairs.len() < 5 {
        return None;
    }
    let n = pairs.len() as f64;
    let (own, all) = pairs.iter().fold((0.0, 0.0), |(own, all), (o, a)| (own + o, all + a));
    let mean = own / all;
    // Ratio estimator's standard error (Cochran 1977).
    let spread: f64 = pairs.iter().map(|(o, a)| (o - mean * a) * (o - mean * a)).sum();
    let sd = (spread / (n - 1.0) * n).sqrt() / all;
    let source = format!("wallets.csv: {} surveyed customers that buy from us", pairs.len());
    Some(Beforehand { parameter: SHARE, prior: beta(mean, sd.max(0.01)), origin: Origin::YourData, source })
}

fn from_universe(market: &Market) -> Option<Beforehand> {
    let served = market.served();
    let own = market.own_last_year();
    let mut cells = Vec::new();
    for j in 0..market.territory_count() {
        let (Some(category), Some(outlets)) = (market.panel_year(Some(j)), market.data.territories.outlets[j]) else {
            continue;
        };
        let ours: Vec<usize> = market.customers_of(j).filter(|&i| served[i]).collect();
        let sold: f64 = ours.iter().map(|&i| own[i]).sum();
        if category > 0.0 && sold > 0.0 && outlets >= ours.len() as f64 {
            cells.push((sold, category, ours.len() as f64, outlets));
        }
    }
    let sold: f64 = cells.iter().map(|cell| cell.0).sum();
    let customers: f64 = cells.iter().map(|cell| cell.2).sum();
    if customers < 5.0 {
        return None;
    }
    let shares: Vec<f64> = (0..19)
        .map(|q| {
            let ratio = 2.5 * libm::exp(0.8 * normal_quantile((f64::from(q) + 0.5) / 19.0));
            let wallet: f64 =
                cells.iter().map(|&(_, category, n, all)| category * ratio * n / (ratio * n + all - n)).sum();
            (sold / wallet).min(0.99)
        })
        .collect();
    let (mean, sd) = crate::stats::mean_sd(&shares);
    let source = format!(
        "panel and universe counts of {} territories; served customers taken to be about 2.5 times as large as others",
        cells.len()
    );
    Some(Beforehand { parameter: SHARE, prior: beta(mean, sd), origin: Origin::YourData, source })
}

fn from_panel(market: &Market) -> Option<Beforehand> {
    let own = market.own_last_year();
    let sum = |places: &mut dyn Iterator<Item = usize>| -> f64 {
        places.map(|j| market.customers_of(j).map(|i| own[i]).sum::<f64>()).sum()
    };
    let (sold, category) = match market.panel_year(None) {
        Some(category) => (own.iter().sum::<f64>(), category),
        None => {
            let known: Vec<usize> =
                (0..market.territory_count()).filter(|&j| market.panel_year(Some(j)).is_some()).collect();
            (sum(&mut known.iter().copied()), known.iter().filter_map(|&j| market.panel_year(Some(j))).sum())
        }
    };
    let low = sold / category;
    if !(low > 0.0 && low < 0.9) {
        return None;
    }
    // Log-uniform between our market share (all outlets served alike) and nearly all of the wallet.
    let high: f64 = 0.95;
    let span = libm::log(high / low);
    let mean = (high - low) / span;
    let square = (high * high - low * low) / (2.0 * span);
    let source = format!(
        "between our share of the panel ({:.1}%) and 95%, all orders of magnitude alike; universe counts or wallets.csv \
         would narrow it",
        100.0 * low
    );
    Some(Beforehand {
        parameter: SHARE,
        prior: beta(mean, (square - mean * mean).max(0.0).sqrt()),
        origin: Origin::Assumption,
        source,
    })
}
