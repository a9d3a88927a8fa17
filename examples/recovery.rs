//! Are rivals' artificial moves found, and none that are not there? Makes synthetic markets, hides the list of moves, reads the
//! market from its files alone and compares what the calibration finds with what was done:
//! `cargo run --release --example recovery -- [markets] [seed] [panel|silent]`.
//!
//! A market has 96 months, three rivals, 6 to 12 territories of 60 to 120 customers each, feasts that move, and a panel of the whole
//! market with companies. In every second market rivals load: half of these at quarter ends (each with a chance of 0.2 to 0.5, twice
//! that in December), half in any month; depths scatter by a quarter around 0.15 to 0.6 months of the category's demand. All
//! rivals run campaigns of two or three months. A load counts as found when a row of kind `loading` and probability 0.5 or more
//! has its company and its month; loads of less than 0.15 months of demand count neither as found nor as missed. With `silent` the
//! panel is taken away and what is scored is dips in our own sales.

mod common;

use std::fmt::Write as _;

use ikiz::calibrate::{self, ActionFound};
use ikiz::data::ActionKind;
use ikiz::market::Market;
use ikiz::rng::Stream;
use ikiz::synth::{Move, SyntheticMarket};
use rand::RngExt as _;
use rayon::prelude::*;

/// Loads of fewer months of demand are not asked for.
const LEAST: f64 = 0.15;
/// Rows of a lower probability are not believed.
const BELIEVED: f64 = 0.5;

/// A description, as the file that it would be, and whether rivals load.
fn description(seed: u64, market: u64) -> (String, bool) {
    let mut stream = Stream::new(seed, "recovery/description", market);
    let mut uniform = |from: f64, to: f64| from + (to - from) * stream.random::<f64>();
    let loads = market.is_multiple_of(2);
    let regular = uniform(0.0, 1.0) < 0.5;
    let depth = uniform(LEAST, 0.6);
    let (quarter, other) = match (loads, regular) {
        (false, _) => (0.0, 0.0),
        (true, true) => (uniform(0.2, 0.5), 0.0),
        (true, false) => {
            let chance = uniform(0.02, 0.06);
            (0.5 * chance, chance)
        }
    };
    let territories = uniform(6.0, 13.0).floor();
    let customers = (territories * uniform(60.0, 120.0)).floor();
    let (height, peak) = (uniform(0.0, 0.3), uniform(0.0, 12.0));
    let season: Vec<String> = (0..12)
        .map(|m| {
            let wave = (f64::from(m) - peak) * std::f64::consts::TAU / 12.0;
            format!("{:.3}", 1.0 + height * wave.cos() + uniform(-0.06, 0.06))
        })
        .collect();
    let mut text = format!(
        "name = \"recovery {market}\"\nmonths = 96\nhistory_end = \"2025-12\"\ncustomers = {customers}\n\
         dark_share = {}\nterritories = {{ grid = {territories} }}\nregion = \"TR\"\ndemand = \"units\"\n\
         currency = \"EUR\"\nunit_price = 10.0\ninflation = [0.0]\n\n[[company]]\nid = \"us\"\nname = \"us\"\n",
        uniform(0.3, 0.6)
    );
    for id in ["north", "south", "east"] {
        let weight = uniform(0.2, 0.6);
        let _ = write!(text, "\n[[company]]\nid = \"{id}\"\nname = \"{id}\"\nweight = {weight}\n");
    }
    let _ = write!(
        text,
        "\n[[segment]]\nid = \"shop\"\nweight = 1\nmedian_size = {}\nsize_sd = 0.8\n\n[panel]\naudited = 3\n\n\
         [records]\nmoves_known = 0.0\n\n[field_force]\nreps = {}\nreps_at_start = {}\ncalls_per_month = 80.0\n\
         monthly_cost = 5000.0\n\n[mail]\nmonths = 24\n\n[rivals]\ncampaigns_per_year = {}\npush = {}\n\
         loading = {quarter}\nloading_other = {other}\nloading_depth = {depth}\n\n[truth]\nseason = [{}]\nshare = {}\n\
         growth = {}\n",
        uniform(40.0, 80.0),
        (customers / 120.0).ceil(),
        (customers / 180.0).ceil(),
        uniform(0.3, 1.5),
        uniform(0.2, 0.5),
        season.join(", "),
        uniform(0.15, 0.35),
        uniform(-0.02, 0.05),
    );
    (text, loads)
}

/// What one market adds to the score.
#[derive(Debug, Default, Clone)]
struct Score {
    found: usize,
    missed: usize,
    invented: usize,
    /// Invented ones where nobody loads, and rivals there.
    alarms: usize,
    rivals: usize,
    /// Relative errors of the mean depth, and whether the 90% interval has the truth.
    depth_errors: Vec<f64>,
    held: usize,
    campaigns: (usize, usize),
    /// Errors of the category's log season: from the panel as it is, and freed of the moves found.
    season: Option<(f64, f64)>,
}

fn one(seed: u64, number: u64, silent: bool) -> Result<Score, common::Stop> {
    let (text, loads) = description(seed, number);
    let (made, mut loaded) = common::made(&text, "recovery", seed, number)?;
    if silent {
        loaded.panel = None;
        let market = Market::new(loaded, None, None);
        let settings = calibrate::Settings { seed: number, draws: 20, ..calibrate::Settings::default() };
        let calibration = calibrate::fit(&market, &settings, &mut |_, _| ())?;
        return Ok(dips(&made, &calibration.actions_found));
    }
    let market = Market::new(loaded, None, None);
    let found = calibrate::in_panel(&market, true, number);
    let mut score = moves(&made, loads, &found.moves);
    if let Some(panel) = &market.panel {
        let category: Vec<f64> = panel.market_category.iter().map(|x| x.unwrap_or(0.0)).collect();
        let freed: Vec<f64> = category.iter().enumerate().map(|(t, x)| x * (-found.category.mean(t)).exp()).collect();
        let error = |series: &[f64]| season_error(series, &made.parameters.season);
        score.season = loads.then(|| (error(&category), error(&freed)));
    }
    Ok(score)
}

/// Position in the history of a row's first month.
fn first_month(made: &SyntheticMarket, row: &ActionFound) -> usize {
    usize::try_from(row.start.month().since(made.description.history.first)).unwrap_or(usize::MAX)
}

fn moves(made: &SyntheticMarket, loads: bool, rows: &[ActionFound]) -> Score {
    let company = |step: &Move| made.description.companies[step.company].id.as_str();
    let believed = |kind: &'static str| rows.iter().filter(move |row| row.kind == kind && row.probability >= BELIEVED);
    let truth: Vec<&Move> = made.moves.iter().filter(|step| step.kind == ActionKind::Loading).collect();
    let same = |row: &ActionFound, step: &Move| company(step) == row.company && step.first == first_month(made, row);
    let mut score = Score::default();
    for row in believed("loading") {
        match truth.iter().find(|step| same(row, step)) {
            Some(step) if step.depth >= LEAST => {
                score.found += 1;
                score.depth_errors.push((row.depth.mean / step.depth - 1.0).abs());
                score.held += usize::from(row.depth.q05 <= step.depth && step.depth <= row.depth.q95);
            }
            Some(_) => {}
            None => score.invented += 1,
        }
    }
    let asked = truth.iter().filter(|step| step.depth >= LEAST).count();
    score.missed = asked - score.found;
    if !loads {
        (score.alarms, score.rivals) = (score.invented, made.description.companies.len() - 1);
    }
    for row in believed("campaign") {
        let (from, to) = (first_month(made, row), row.end.month().since(made.description.history.first));
        let hit = made.moves.iter().any(|step| {
            step.kind == ActionKind::Campaign
                && company(step) == row.company
                && step.last >= from
                && step.first as i32 <= to
        });
        if hit { score.campaigns.0 += 1 } else { score.campaigns.1 += 1 }
    }
    score
}

/// Dips of our own sales: right in the months of a rival's campaign or in the one after a load.
fn dips(made: &SyntheticMarket, rows: &[ActionFound]) -> Score {
    let mut score = Score::default();
    for row in rows.iter().filter(|row| row.probability >= BELIEVED) {
        let (from, to) = (first_month(made, row), row.end.month().since(made.description.history.first));
        let hit = made.moves.iter().any(|step| {
            let (first, last) = match step.kind {
                ActionKind::Loading => (step.first + 1, step.last + 1),
                _ => (step.first, step.last),
            };
            last >= from && first as i32 <= to
        });
        if hit { score.found += 1 } else { score.invented += 1 }
    }
    score
}

/// Root mean square error of the log season: means by month of the year of logs less a centred year.
fn season_error(series: &[f64], truth: &[f64; 12]) -> f64 {
    let mut sums = [(0.0, 0.0); 12];
    for t in 6..series.len().saturating_sub(6) {
        let year: f64 = series[t - 5..t + 6].iter().sum::<f64>() + 0.5 * (series[t - 6] + series[t + 6]);
        if series[t] > 0.0 && year > 0.0 {
            sums[t % 12].0 += (12.0 * series[t] / year).ln();
            sums[t % 12].1 += 1.0;
        }
    }
    let logs = sums.map(|(sum, count)| sum / f64::max(count, 1.0));
    let true_logs = truth.map(f64::ln);
    let mean = |logs: &[f64; 12]| logs.iter().sum::<f64>() / 12.0;
    let (centre, true_centre) = (mean(&logs), mean(&true_logs));
    let squares = logs.iter().zip(&true_logs).map(|(a, b)| (a - centre - b + true_centre).powi(2));
    (squares.sum::<f64>() / 12.0).sqrt()
}

fn main() -> Result<(), common::Stop> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| arguments.get(at).map_or(Ok(otherwise), |word| word.parse());
    let (markets, seed) = (number(0, 40)?, number(1, 1)?);
    let silent = arguments.get(2).is_some_and(|word| word == "silent");
    let scores: Vec<Score> =
        (0..markets).into_par_iter().map(|market| one(seed, market, silent)).collect::<Result<_, _>>()?;
    let sum = |of: &dyn Fn(&Score) -> usize| scores.iter().map(of).sum::<usize>() as f64;
    let (found, invented) = (sum(&|s| s.found), sum(&|s| s.invented));
    if silent {
        println!("{markets} markets, seed {seed}, no panel: {found} dips are rivals' moves, {invented} are not");
        return Ok(());
    }
    let (precision, recall) = (found / (found + invented), found / (found + sum(&|s| s.missed)));
    println!(
        "{markets} markets, seed {seed}: loads of {LEAST} months of demand or more, probability {BELIEVED} or more"
    );
    println!("precision {precision:.3}, recall {recall:.3}, F1 {:.3}", 2.0 * precision * recall / (precision + recall));
    let errors: Vec<f64> = scores.iter().flat_map(|s| s.depth_errors.clone()).collect();
    println!("depth: median error {:.3}, 90% interval holds {:.3}", common::median(errors), sum(&|s| s.held) / found);
    println!("false alarms a rival over 8 years, where nobody loads: {:.3}", sum(&|s| s.alarms) / sum(&|s| s.rivals));
    println!("campaigns: {} right, {} not", sum(&|s| s.campaigns.0), sum(&|s| s.campaigns.1));
    let seasons: Vec<(f64, f64)> = scores.iter().filter_map(|s| s.season).collect();
    let of = |pick: fn(&(f64, f64)) -> f64| common::median(seasons.iter().map(pick).collect());
    println!(
        "error of the category's log season where rivals load, median: {:.3} as is, {:.3} freed",
        of(|s| s.0),
        of(|s| s.1)
    );
    Ok(())
}
