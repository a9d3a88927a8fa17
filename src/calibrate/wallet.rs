//! The share of wallet of served customers: what the data say about it before any model of response.
//!
//! Best: `wallets.csv`, a survey of what customers buy in all. Next: territories where the panel gives the category and
//! the universe count the outlets; served customers then hold the part `R n / (R n + N - n)` of the category, with n
//! of them among N outlets and R how much larger a served customer is than another (log R ~ N(log 2.5, 0.8²): companies
//! win the large ones first). Next: the panel alone, which bounds the share from below by our market share. Else the
//! prior.

use crate::calibrate::sampling::normal_quantile;
use crate::market::Market;
use crate::origin::Origin;
use crate::scenario::Prior;

/// A prior of the share of wallet, where it comes from, and in words.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareOfWallet {
    pub prior: Prior,
    pub origin: Origin,
    pub source: String,
}

/// The best that the data allow; `fallback` where they are silent.
pub fn share_of_wallet(market: &Market, fallback: ShareOfWallet) -> ShareOfWallet {
    from_survey(market).or_else(|| from_universe(market)).or_else(|| from_panel(market)).unwrap_or(fallback)
}

/// A beta of this mean and deviation, kept proper.
fn beta(mean: f64, sd: f64) -> Prior {
    let mean = mean.clamp(0.001, 0.98);
    let sd = sd.clamp(0.05 * mean.min(1.0 - mean), 0.9 * (mean * (1.0 - mean)).sqrt());
    let size = mean * (1.0 - mean) / (sd * sd) - 1.0;
    Prior::Beta { a: mean * size, b: (1.0 - mean) * size }
}

fn from_survey(market: &Market) -> Option<ShareOfWallet> {
    use crate::ids::Index as _;
    let wallets = market.data.wallets.as_ref()?;
    let mut pairs = Vec::new();
    for wallet in wallets {
        let (first, last) = (market.history.position(wallet.span.first), market.history.position(wallet.span.last));
        let (Some(first), Some(last)) = (first, last) else { continue };
        let own: f64 = market
            .sales
            .of(wallet.customer.usize())
            .filter(|(month, _)| (first..=last).contains(month))
            .map(|(_, amount)| amount)
            .sum();
        if own > 0.0 && wallet.demand > 0.0 {
            pairs.push((own.min(wallet.demand), wallet.demand));
        }
    }
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
    Some(ShareOfWallet { prior: beta(mean, sd.max(0.01)), origin: Origin::YourData, source })
}

fn from_universe(market: &Market) -> Option<ShareOfWallet> {
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
    Some(ShareOfWallet { prior: beta(mean, sd), origin: Origin::YourData, source })
}

fn from_panel(market: &Market) -> Option<ShareOfWallet> {
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
    Some(ShareOfWallet {
        prior: beta(mean, (square - mean * mean).max(0.0).sqrt()),
        origin: Origin::Assumption,
        source,
    })
}
