//! Made series, by equations written out here once more.

use super::*;
use crate::calibrate::sampling::{Purpose, Source};

/// What is done to a made market.
#[derive(Clone)]
struct Recipe {
    seed: u64,
    /// Noise of single figures: t with 5 degrees of freedom, or normal.
    heavy: bool,
    noise: f64,
    /// Autocorrelation of that noise.
    correlation: f64,
    /// Company, month and depth.
    loads: Vec<(usize, usize, f64)>,
    /// The months after a load lack what it sold ahead.
    dips: bool,
    /// Company, first month, length and log odds.
    campaigns: Vec<(usize, usize, usize, f64)>,
    /// Log of use in December, of all.
    december: f64,
    /// Log of a company's sales in its own December.
    own_december: (usize, f64),
    /// Log effect of a feast that falls eleven days earlier each year, and whether it is known.
    feast: f64,
    feast_known: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            heavy: false,
            noise: 0.02,
            correlation: 0.0,
            loads: Vec::new(),
            dips: true,
            campaigns: Vec::new(),
            december: 0.0,
            own_december: (1, 0.0),
            feast: 0.0,
            feast_known: true,
        }
    }
}

const MONTHS: usize = 96;
const COMPANIES: usize = 4;

/// Four companies over eight years.
fn made(recipe: &Recipe) -> Series {
    let mut source = Source::new(recipe.seed, Purpose::Series, 77);
    // Share of each month's days in the feast, before centring by month of the year.
    let mut exposure: Vec<f64> = vec![0.0; MONTHS];
    for year in 0..8 {
        let day = (200.0 - 11.0 * year as f64) / 30.44;
        let t = 12 * year + day as usize;
        let part = (day - day.floor()) * 30.44;
        let inside = (30.44 - part).min(9.0);
        exposure[t] += inside / 30.44;
        exposure[t + 1] += (9.0 - inside) / 30.44;
    }
    for m in 0..12 {
        let mean = (0..8).map(|year| exposure[12 * year + m]).sum::<f64>() / 8.0;
        (0..8).for_each(|year| exposure[12 * year + m] -= mean);
    }
    let demand: Vec<f64> = (0..MONTHS)
        .map(|t| {
            let season = 0.15 * libm::sin(t as f64 * std::f64::consts::TAU / 12.0);
            let december = if t % 12 == 11 { recipe.december } else { 0.0 };
            10_000.0
                * libm::exp(season + december + recipe.feast * exposure[t] + 0.002 * t as f64 + 0.01 * source.normal())
        })
        .collect();
    let mut stock = 0.0;
    let mut walks = [0.0; COMPANIES];
    let mut before = [0.0; COMPANIES];
    let mut sales = vec![vec![0.0; MONTHS]; COMPANIES];
    for t in 0..MONTHS {
        let mut odds = [0.0; COMPANIES];
        for k in 0..COMPANIES {
            walks[k] += 0.005 * source.normal();
            let push: f64 =
                recipe.campaigns.iter().filter(|c| c.0 == k && (c.1..c.1 + c.2).contains(&t)).map(|c| c.3).sum();
            let own = if t % 12 == 11 && recipe.own_december.0 == k { recipe.own_december.1 } else { 0.0 };
            odds[k] = (1.0 + 0.3 * k as f64) * libm::exp(walks[k] + push + own);
        }
        let all: f64 = odds.iter().sum();
        let eaten = if recipe.dips { f64::min(stock, demand[t]) } else { 0.0 };
        stock -= eaten;
        for k in 0..COMPANIES {
            let load: f64 = recipe.loads.iter().filter(|l| l.0 == k && l.1 == t).map(|l| l.2 * demand[t]).sum();
            stock += load;
            let chi = if recipe.heavy { (source.gamma(2.5) * 2.0 / 5.0).sqrt() } else { 1.0 };
            before[k] = recipe.correlation * before[k] + recipe.noise * source.normal() / chi;
            sales[k][t] = (odds[k] / all * (demand[t] - eaten) + load) * libm::exp(before[k]);
        }
    }
    let known = recipe.feast_known;
    Series {
        sales,
        of_year: (0..MONTHS).map(|t| t % 12).collect(),
        feasts: exposure.iter().map(|&x| if known { vec![x] } else { Vec::new() }).collect(),
        feast_sd: if known { vec![0.5] } else { Vec::new() },
        sight: Sight::Panel,
        own: None,
    }
}

/// Moves of rivals that are likelier than not.
fn likely(series: &Series) -> Vec<Found> {
    let mut moves = estimate(series, 1).moves;
    moves.retain(|found| found.company > 0 && found.probability >= 0.5);
    moves
}

fn mean(depths: &[f64]) -> f64 {
    depths.iter().sum::<f64>() / depths.len() as f64
}

#[test]
fn a_known_load_comes_back() {
    for seed in 0..3 {
        let found = likely(&made(&Recipe { seed, loads: vec![(2, 40, 0.3)], ..Recipe::default() }));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].company, found[0].first, found[0].kind) == (2, 40, Kind::Loading), "{found:?}");
        let depth = mean(&found[0].depths);
        assert!((depth - 0.3).abs() < 0.03 && found[0].probability > 0.95, "{depth}");
    }
}

#[test]
fn without_the_dip_it_is_no_load() {
    for seed in 0..3 {
        let recipe = Recipe { seed, loads: vec![(2, 40, 0.3)], dips: false, ..Recipe::default() };
        let found = likely(&made(&recipe));
        assert!(found.iter().all(|found| found.kind != Kind::Loading), "{found:?}");
    }
}

#[test]
fn loads_of_every_december_are_no_season() {
    for seed in 0..3 {
        // Depths differ from year to year, as does whether there is one; December is a strong month besides.
        let depths = [0.25, 0.35, 0.2, 0.3, 0.15, 0.4, 0.3];
        let loads: Vec<_> = depths.iter().enumerate().map(|(year, &depth)| (1, 12 * year + 11, depth)).collect();
        let series = made(&Recipe { seed, loads, december: 0.2, ..Recipe::default() });
        let found = likely(&series);
        let hits = found.iter().filter(|f| f.kind == Kind::Loading && f.company == 1 && f.first % 12 == 11).count();
        assert!(hits >= 6 && found.len() <= hits + 1, "{hits} of 7: {found:?}");
    }
}

#[test]
fn a_strong_december_is_no_load() {
    for seed in 0..3 {
        // Of all companies, and of one.
        for (december, own) in [(0.35, 0.0), (0.0, 0.35)] {
            let found = likely(&made(&Recipe { seed, december, own_december: (1, own), ..Recipe::default() }));
            assert!(found.is_empty(), "{december} {own}: {found:?}");
        }
    }
}

#[test]
fn a_feast_is_no_move() {
    let mut unknown = 0;
    for seed in 0..3 {
        let found = likely(&made(&Recipe { seed, feast: 0.8, ..Recipe::default() }));
        assert!(found.is_empty(), "{found:?}");
        // A strong feast that the calendar does not know shakes whole months: hardly anything is made of that.
        unknown += likely(&made(&Recipe { seed, feast: 0.8, feast_known: false, ..Recipe::default() })).len();
    }
    assert!(unknown <= 2, "{unknown} moves of nine rivals");
}

#[test]
fn campaigns_and_loads_are_told_apart() {
    let (mut loads, mut campaigns, mut wrong) = (0, 0, 0);
    for seed in 0..5 {
        let recipe = Recipe {
            seed,
            loads: vec![(2, 40, 0.2), (3, 60, 0.15)],
            campaigns: vec![(1, 70, 2, 0.35), (3, 20, 3, 0.3)],
            ..Recipe::default()
        };
        for found in likely(&made(&recipe)) {
            match (found.company, found.first, found.kind) {
                (2, 40, Kind::Loading) | (3, 60, Kind::Loading) => loads += 1,
                (1, 69..=71, Kind::Campaign) | (3, 19..=21, Kind::Campaign) => campaigns += 1,
                _ => wrong += 1,
            }
        }
    }
    assert!(loads >= 9 && campaigns >= 9 && wrong <= 1, "{loads} loads, {campaigns} campaigns of 10, {wrong} wrong");
}

#[test]
fn noise_is_no_move() {
    for (heavy, most) in [(false, 7), (true, 10)] {
        let alarms: usize = (0..5)
            .map(|seed| {
                let series =
                    made(&Recipe { seed: 50 + seed, heavy, noise: 0.04, correlation: 0.3, ..Recipe::default() });
                likely(&series).len()
            })
            .sum();
        println!("heavy {heavy}: {alarms} false alarms of 15 rivals over eight years");
        assert!(alarms <= most, "heavy {heavy}: {alarms} false alarms");
    }
}

#[test]
fn a_shared_dip_of_our_own_sales_is_found_and_doubted() {
    let mut series = made(&Recipe { noise: 0.01, ..Recipe::default() });
    series.sight = Sight::OwnSales;
    for sales in &mut series.sales {
        sales[50] *= 0.8;
        sales[51] *= 0.8;
    }
    // One group alone is no move of a rival in the whole market.
    series.sales[2][20] *= 0.8;
    let found = estimate(&series, 1).moves;
    let dip = found.iter().find(|f| f.first == 50).expect("the dip");
    assert!(
        dip.kind == Kind::Dip && (0.5..0.7).contains(&dip.probability) && (mean(&dip.depths) - 0.2).abs() < 0.05,
        "{dip:?}"
    );
    assert!(found.iter().all(|f| f.first.abs_diff(20) > 2 || f.probability < 0.5));
}

#[test]
fn the_same_seed_gives_the_same_moves_and_silence_none() {
    let series = made(&Recipe { loads: vec![(2, 40, 0.3)], ..Recipe::default() });
    assert_eq!(estimate(&series, 3).moves, estimate(&series, 3).moves);
    let short = Series {
        sales: series.sales.iter().map(|s| s[..20].to_vec()).collect(),
        of_year: series.of_year[..20].to_vec(),
        feasts: series.feasts[..20].to_vec(),
        ..series.clone()
    };
    assert!(estimate(&short, 1).moves.is_empty());
    let mut holes = series;
    holes.sales[1][30] = 0.0;
    holes.sales[2][41] = 0.0;
    let found = estimate(&holes, 1);
    assert!(
        found.moves.iter().all(|f| f.depths.iter().all(|d| d.is_finite()))
            && (0..found.moves.len())
                .all(|t| found.category.mean(t).is_finite() && found.category.covariance(t, t).is_finite())
    );
}
