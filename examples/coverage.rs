//! Are the intervals of the dark half as wide as they should be? Makes synthetic markets whose parameters are drawn from wide
//! priors, estimates each from its files alone, and counts how often the truth lies within:
//! `cargo run --release --example coverage -- [markets] [independent|correlated] [seed]`.
//!
//! A market is small: 20 to 36 territories of 20 to 50 customers, 3 to 9 of them audited, a panel of those and of the whole
//! market, two bought lists beside the company's own, a survey of wallets in every second. With `independent` neither
//! bought list depends on anything; with `correlated` both favour those who are easily found, as the company itself does.
//! The estimate has its default settings in every market; nothing of the truth reaches it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use ikiz::calibrate;
use ikiz::data;
use ikiz::market;
use ikiz::potential::{self, AttainableInputs, PotentialRow};
use ikiz::rng::Stream;
use ikiz::scenario::Scenario;
use ikiz::synth::{self, Description, SyntheticMarket};
use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};
use rayon::prelude::*;

const MEASURES: [&str; 4] = ["dark_customers", "dark_demand", "total_demand", "untapped_share"];

/// Draws of the description of a market.
struct Prior(Stream);

impl Prior {
    fn uniform(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.random::<f64>()
    }

    fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        let z: f64 = StandardNormal.sample(&mut self.0);
        mean + sd * z
    }

    fn lognormal(&mut self, median: f64, sd: f64) -> f64 {
        median * self.normal(0.0, sd).exp()
    }
}

/// A description, as the file that it would be.
fn description(seed: u64, market: u64, correlated: bool) -> String {
    let mut prior = Prior(Stream::new(seed, "coverage/description", market));
    let territories = prior.uniform(20.0, 37.0).floor();
    let customers = (territories * prior.uniform(20.0, 50.0)).floor();
    let dark = prior.uniform(0.25, 0.75);
    let reps = (customers * (1.0 - dark) / prior.uniform(60.0, 140.0)).ceil();
    let mut text = format!(
        "name = \"coverage {market}\"\nmonths = 60\nhistory_end = \"2025-12\"\ncustomers = {customers}\n\
         dark_share = {dark}\nterritories = {{ grid = {territories} }}\ndemand = \"units\"\ncurrency = \"EUR\"\n\
         unit_price = 10.0\ninflation = [0.0]\n\n[[company]]\nid = \"us\"\nname = \"us\"\n"
    );
    for (id, weight) in [("north", 0.5), ("south", 0.3), ("east", 0.2)] {
        let _ = write!(text, "\n[[company]]\nid = \"{id}\"\nname = \"{id}\"\nweight = {weight}\n");
    }
    let (small, spread) = (prior.lognormal(50.0, 0.3), prior.uniform(0.5, 0.9));
    let chains = prior.uniform(0.05, 0.3);
    for (id, weight, size) in [("shop", 1.0 - chains, small), ("chain", chains, small * prior.lognormal(2.5, 0.3))] {
        let _ =
            write!(text, "\n[[segment]]\nid = \"{id}\"\nweight = {weight}\nmedian_size = {size}\nsize_sd = {spread}\n");
    }
    for list in ["distributor", "chamber"] {
        let (coverage, visibility) = (prior.uniform(0.25, 0.6), prior.uniform(0.5, 1.2));
        let visibility = if correlated { visibility } else { 0.0 };
        let _ = write!(
            text,
            "\n[[list]]\nid = \"{list}\"\ncoverage = {coverage}\nvisibility = {visibility}\nterritory_sd = 0.2\n"
        );
    }
    let audited = prior.uniform(3.0, 10.0).floor();
    let survey = if prior.uniform(0.0, 1.0) < 0.5 { 60 } else { 0 };
    let _ = write!(
        text,
        "\n[panel]\naudited = {audited}\n\n[survey]\ncustomers = {survey}\n\n[records]\nsize_known = {}\n\
         size_noise = {}\n\n[field_force]\nreps = {reps}\nreps_at_start = {}\ncalls_per_month = {}\n\
         monthly_cost = 5_000.0\nprospecting = {}\nfavours_size = {}\nfavours_taste = {}\n\n[mail]\nmonths = 24\n\n",
        if prior.uniform(0.0, 1.0) < 0.5 { 0.7 } else { 0.0 },
        prior.uniform(0.2, 0.5),
        (0.6 * reps).ceil(),
        prior.uniform(60.0, 120.0),
        prior.uniform(0.0, 0.2),
        prior.uniform(0.2, 0.9),
        prior.uniform(0.0, 0.4),
    );
    let closure = prior.uniform(0.02, 0.06);
    for (name, value) in [
        ("share", prior.uniform(0.12, 0.35)),
        ("taste_sd", prior.lognormal(0.6, 0.25)),
        ("territory_sd", prior.lognormal(0.2, 0.3)),
        ("goodwill_decay", prior.uniform(0.6, 0.9)),
        ("visit_effect", prior.lognormal(0.12, 0.35)),
        ("half_saturation", prior.lognormal(3.0, 0.3)),
        ("order_unit", prior.lognormal(6.0, 0.3)),
        ("known_at_start", (1.0 - dark) * prior.uniform(0.3, 0.8)),
        // The larger, the more the known differ from the dark: their mean demand is 1 to 4 times that of the dark.
        ("visibility_of_size", prior.normal(0.6, 0.35).max(0.0)),
        ("prospecting_yield", prior.lognormal(0.06, 0.4)),
        ("conversion", prior.lognormal(0.05, 0.4)),
        ("conversion_goodwill", prior.normal(1.5, 0.4).max(0.0)),
        ("churn", prior.lognormal(0.006, 0.3)),
        ("closure", closure),
        ("birth", closure + prior.uniform(-0.01, 0.02)),
        ("growth", prior.normal(0.02, 0.015)),
    ]
    .iter()
    .enumerate()
    .map(|(position, row)| (if position == 0 { "[truth]\n" } else { "" }, row))
    .map(|(header, (name, value))| (format!("{header}{name} ="), value))
    {
        let _ = writeln!(text, "{name} {value}");
    }
    text
}

/// The truth of a measure by territory, and of the whole market.
fn truth(market: &SyntheticMarket, scenario: &Scenario, measure: &str) -> (Vec<f64>, f64) {
    let total = |totals: &synth::Totals| totals.dark_demand + totals.identified_demand + totals.served_demand;
    let of = |value: &dyn Fn(&synth::Totals) -> f64| {
        let values: Vec<f64> = market.totals.iter().map(value).collect();
        let sum = values.iter().sum();
        (values, sum)
    };
    match measure {
        "dark_customers" => of(&|totals| f64::from(totals.dark_customers)),
        "dark_demand" => of(&|totals| totals.dark_demand),
        "total_demand" => of(&total),
        _ => {
            let won: Vec<f64> = market.attainable(scenario.effort).iter().map(|attainable| attainable.sales).collect();
            let all: f64 = market.totals.iter().map(total).sum();
            let by = won.iter().zip(&market.totals).map(|(won, totals)| won / total(totals).max(1e-9)).collect();
            (by, won.iter().sum::<f64>() / all)
        }
    }
}

/// Whether the truth lies in the 50% and in the 90% interval, the median and the truth.
type Outcome = (bool, bool, f64, f64);

/// What one market adds to a measure's score.
#[derive(Default, Clone)]
struct Score {
    /// By territory; those without an audit are counted.
    territories: Vec<Outcome>,
    whole: Outcome,
    audited: Vec<bool>,
}

fn row(row: &PotentialRow, truth: f64) -> Outcome {
    let s = &row.summary;
    // Half a unit of the last digit: what is known exactly has an interval of no width.
    let slack = 1e-6 * truth.abs();
    let within = |low: f64, high: f64| low - slack <= truth && truth <= high + slack;
    (within(s.q25, s.q75), within(s.q05, s.q95), s.q50, truth)
}

fn one(seed: u64, number: u64, correlated: bool) -> Result<Vec<Score>, Box<dyn Error + Send + Sync>> {
    let text = description(seed, number, correlated);
    let all = |problems: Vec<ikiz::problem::Problem>| ikiz::problem::render(&problems, false);
    let description = Description::parse(&text, "coverage").map_err(all)?;
    let made = synth::generate(&description, seed.wrapping_mul(1_000_003).wrapping_add(number));
    let folder = tempfile::tempdir()?;
    synth::write(&made, folder.path())?;
    let (scenario, _) =
        ikiz::scenario::parse(Path::new("coverage.toml"), "schema = 1\n[economics]\nstable_prices = true\n", &[])
            .map_err(all)?;
    let loaded = data::load(&folder.path().join("market")).map_err(|refused| all(refused.problems))?;
    let (bound, _) = market::bind(&scenario, loaded.market).map_err(all)?;
    let settings = calibrate::Settings {
        seed: number,
        draws: 400,
        priors: Default::default(),
        stable_prices: true,
        feasts: false,
        further: calibrate::switched_on(&bound.market, &scenario.mechanisms, false),
    };
    let calibration = calibrate::fit(&bound.market, &settings, &mut |_, _| ())?;
    let settings = potential::Settings {
        seed: number,
        panel_error: potential::PANEL_ERROR,
        worth_of_files: false,
        ..potential::Settings::default()
    };
    let dark = potential::estimate(&bound.market, &settings, &|_| ())?;
    let rates = |draw| calibration.customer_rates(&bound.market, draw, number);
    let inputs = AttainableInputs { effort: scenario.effort, calibration: &calibration, rates: &rates, seed: number };
    let rows = potential::measures(&bound.market, &dark, Some(inputs));
    let ids: Vec<&str> = made.world.places.iter().map(|place| place.id.as_str()).collect();
    Ok(MEASURES
        .iter()
        .map(|measure| {
            let (by, whole) = truth(&made, &scenario, measure);
            let mut score = Score { audited: made.audited.clone(), ..Score::default() };
            for found in rows.iter().filter(|row| row.measure == *measure && row.segment == "*") {
                match ids.iter().position(|id| *id == found.territory_id) {
                    Some(j) => score.territories.push(row(found, by[j])),
                    None => score.whole = row(found, whole),
                }
            }
            score
        })
        .collect())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| arguments.get(at).map_or(Ok(otherwise), |word| word.parse());
    let (markets, seed) = (number(0, 100)?, number(2, 1)?);
    let correlated = arguments.get(1).is_some_and(|word| word == "correlated");
    if std::env::var_os("COVERAGE_DESCRIBE").is_some() {
        println!("{}", description(seed, 0, correlated));
        return Ok(());
    }
    let scores: Vec<Vec<Score>> =
        (0..markets).into_par_iter().map(|market| one(seed, market, correlated)).collect::<Result<_, _>>()?;
    println!(
        "| measure | cover50 | cover90 | whole market: cover50 | cover90 | median error | of the prior mean | total |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (m, measure) in MEASURES.iter().enumerate() {
        let of = |score: &Vec<Score>| score[m].clone();
        let scores: Vec<Score> = scores.iter().map(of).collect();
        let open: Vec<Outcome> = scores
            .iter()
            .flat_map(|score| score.territories.iter().zip(&score.audited).filter(|(_, audited)| !**audited))
            .map(|(row, _)| *row)
            .collect();
        let whole: Vec<Outcome> = scores.iter().map(|score| score.whole).collect();
        let share = |rows: &[Outcome], wide: bool| {
            rows.iter().filter(|row| if wide { row.1 } else { row.0 }).count() as f64 / rows.len().max(1) as f64
        };
        let error = |estimate: &dyn Fn(&Outcome) -> f64| {
            let some = open.iter().filter(|row| row.3 > 0.0);
            median(some.map(|row| (estimate(row) - row.3).abs() / row.3).collect())
        };
        let mean = open.iter().map(|row| row.3).sum::<f64>() / open.len().max(1) as f64;
        let ratio = open.iter().map(|row| row.2).sum::<f64>() / open.iter().map(|row| row.3).sum::<f64>();
        println!(
            "| {measure} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {ratio:.2} |",
            share(&open, false),
            share(&open, true),
            share(&whole, false),
            share(&whole, true),
            error(&|row| row.2),
            error(&|_| mean),
        );
    }
    Ok(())
}
