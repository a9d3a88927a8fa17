//! Are the intervals of the dark half as wide as they should be? Makes synthetic markets whose parameters are drawn from wide
//! priors, estimates each from its files alone, and counts how often the truth lies within:
//! `cargo run --release --example coverage -- [markets] [independent|correlated] [seed] [rows]`.
//!
//! A market is small: 20 to 36 territories of 20 to 50 customers, 3 to 9 of them audited, a panel of those and of the whole
//! market, two bought lists beside the company's own, a survey of wallets in every second. How sizes scatter, how much larger
//! the known are (R) and how much better they like us (selection) are drawn from the priors that the estimate has of them: size
//! and taste make a customer visible by as much as that takes. How customers respond, are won and are lost is drawn from the
//! priors of the calibration. With `independent` neither
//! bought list depends on anything; with `correlated` both favour those who are easily found, as the company itself does.
//! The estimate has its default settings in every market; nothing of the truth reaches it. With a fourth argument, `rows`, the
//! whole markets are listed one by one: the median over the truth, and how far the truth lies from the median in halves of the
//! 90% interval (beyond -1 and 1 it is outside).

mod common;

use std::fmt::Write as _;
use std::path::Path;

use ikiz::calibrate;
use ikiz::market;
use ikiz::potential::{self, AttainableInputs};
use ikiz::rng::Stream;
use ikiz::scenario::Scenario;
use ikiz::stats::Summary;
use ikiz::synth::{self, SyntheticMarket};
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

    /// From the prior that calibration has of a parameter.
    fn registered(&mut self, mechanism: &str, parameter: &str) -> f64 {
        common::registered(&mut self.0, mechanism, parameter)
    }
}

/// How large the customers are: two segments, lognormal in each.
struct Sizes {
    /// Median demand of the small, and of the large ones over that.
    small: f64,
    large: f64,
    /// Share of the large.
    chains: f64,
    /// Standard deviation of log size within a segment.
    spread: f64,
}

impl Sizes {
    /// The spread is that of the estimate's own prior of the coefficient of variation: lognormal, median 1.3, log deviation 0.3.
    fn draw(prior: &mut Prior) -> Self {
        let variation = prior.lognormal(1.3, 0.3);
        Self {
            small: prior.lognormal(50.0, 0.3),
            large: prior.lognormal(2.5, 0.3),
            chains: prior.uniform(0.05, 0.3),
            spread: (variation * variation).ln_1p().sqrt(),
        }
    }

    /// How strongly size and taste make a customer visible, such that the mean demand of a known over that of a dark one, and
    /// the mean appeal of a known less that of a dark one, are these; `None` where these customers cannot give that, however
    /// they are found.
    fn visibility(&self, prior: &mut Prior, dark: f64, taste_sd: f64, wanted: (f64, f64)) -> Option<(f64, f64)> {
        /// Of log visibility: what size and taste do not explain of customers (0.6) and of territories (0.3).
        const UNEXPLAINED: f64 = 0.67;
        /// What a description may say.
        const RANGE: (f64, f64) = (-2.0, 3.0);
        let people: Vec<[f64; 3]> = (0..2000)
            .map(|_| {
                let segment = if prior.uniform(0.0, 1.0) < self.chains { self.large.ln() } else { 0.0 };
                [segment + prior.normal(0.0, self.spread), prior.normal(0.0, 1.0), prior.normal(0.0, UNEXPLAINED)]
            })
            .collect();
        // Ratio of mean demands and difference of mean appeals.
        let differ = |of_size: f64, of_taste: f64| {
            let visible = |p: &[f64; 3]| (of_size * p[0] + of_taste * p[1] + p[2]).exp();
            let visible: Vec<f64> = people.iter().map(visible).collect();
            let unknown = |k: f64| visible.iter().map(|v| (-k * v).exp()).sum::<f64>() / people.len() as f64;
            let k = bisect((0.0, 1e4), |k| unknown(k) < dark);
            let [mut known, mut hidden] = [[0.0; 3]; 2];
            for ([size, taste, _], v) in people.iter().zip(&visible) {
                let chance = (-k * v).exp();
                for (sums, weight) in [(&mut known, 1.0 - chance), (&mut hidden, chance)] {
                    for (sum, x) in sums.iter_mut().zip([1.0, size.exp(), taste_sd * taste]) {
                        *sum += weight * x;
                    }
                }
            }
            let mean = |sums: [f64; 3], which: usize| sums[which] / sums[0];
            (mean(known, 1) / mean(hidden, 1), mean(known, 2) - mean(hidden, 2))
        };
        let (ratio, selection) = wanted;
        let (mut of_size, mut of_taste) = (0.0, 0.0);
        for _ in 0..4 {
            of_size = bisect(RANGE, |of_size| differ(of_size, of_taste).0 > ratio);
            of_taste = bisect(RANGE, |of_taste| differ(of_size, of_taste).1 > selection);
        }
        let (found, chosen) = differ(of_size, of_taste);
        let reached = (found / ratio).ln().abs() < 0.05 && (chosen - selection).abs() < 0.05;
        reached.then_some((of_size, of_taste))
    }
}

/// Customers and how they are found, with a size ratio and a selection that are drawn from the priors that the estimate has of
/// them: R lognormal with median 2.5 and log deviation 0.8, selection normal with mean 0.5 and deviation 0.5. Where customers
/// cannot give them, other customers are drawn, and after some tries other wishes.
fn customers(prior: &mut Prior, dark: f64) -> (Sizes, f64, (f64, f64)) {
    loop {
        let wanted = (prior.lognormal(2.5, 0.8), prior.normal(0.5, 0.5));
        for _ in 0..20 {
            let (sizes, taste_sd) = (Sizes::draw(prior), prior.lognormal(0.6, 0.25));
            if let Some(visibility) = sizes.visibility(prior, dark, taste_sd, wanted) {
                return (sizes, taste_sd, visibility);
            }
        }
    }
}

/// Where a condition that holds from some point on begins to hold.
fn bisect((mut low, mut high): (f64, f64), holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

/// A description, as the file that it would be.
fn description(seed: u64, market: u64, correlated: bool) -> String {
    let mut prior = Prior(Stream::new(seed, "coverage/description", market));
    let territories = prior.uniform(20.0, 37.0).floor();
    let living = (territories * prior.uniform(20.0, 50.0)).floor();
    let dark = prior.uniform(0.25, 0.75);
    let reps = (living * (1.0 - dark) / prior.uniform(60.0, 140.0)).ceil();
    let mut text = format!(
        "name = \"coverage {market}\"\nmonths = 60\nhistory_end = \"2025-12\"\ncustomers = {living}\n\
         dark_share = {dark}\nterritories = {{ grid = {territories} }}\ndemand = \"units\"\ncurrency = \"EUR\"\n\
         unit_price = 10.0\ninflation = [0.0]\n\n[[company]]\nid = \"us\"\nname = \"us\"\n"
    );
    for (id, weight) in [("north", 0.5), ("south", 0.3), ("east", 0.2)] {
        let _ = write!(text, "\n[[company]]\nid = \"{id}\"\nname = \"{id}\"\nweight = {weight}\n");
    }
    let (sizes, taste_sd, (visibility_of_size, visibility_of_taste)) = customers(&mut prior, dark);
    let Sizes { small, large, chains, spread } = sizes;
    for (id, weight, size) in [("shop", 1.0 - chains, small), ("chain", chains, small * large)] {
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
    let share = prior.registered("choice", "share_of_wallet").clamp(0.05, 0.6);
    let decay = prior.registered("goodwill", "decay").clamp(0.2, 0.95);
    let half_saturation = prior.registered("goodwill", "half_saturation");
    let elasticity = prior.registered("goodwill", "elasticity_face_to_face").max(0.0);
    let closure = prior.uniform(0.02, 0.06);
    text += "[truth]\n";
    for (name, value) in [
        ("share", share),
        ("taste_sd", taste_sd),
        ("territory_sd", prior.lognormal(0.2, 0.3)),
        ("goodwill_decay", decay),
        ("visit_effect", common::visit_effect(elasticity, share, decay, half_saturation)),
        ("half_saturation", half_saturation),
        ("order_unit", prior.lognormal(6.0, 0.3)),
        ("known_at_start", (1.0 - dark) * prior.uniform(0.3, 0.8)),
        ("visibility_of_size", visibility_of_size),
        ("visibility_of_taste", visibility_of_taste),
        ("prospecting_yield", prior.registered("discovery", "prospecting_yield")),
        ("conversion", prior.registered("conversion", "base_hazard")),
        ("conversion_goodwill", prior.registered("conversion", "goodwill_effect").max(0.0)),
        ("churn", prior.registered("churn", "hazard")),
        ("closure", closure),
        ("birth", closure + prior.uniform(-0.01, 0.02)),
        ("growth", prior.normal(0.02, 0.015)),
    ] {
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}

/// Gives the known whom we do not serve their part of the selection, drawn from its prior: how much less they like us than those
/// whom we serve, over how much less the dark do. The agents are won whatever they think of us; who has not been won has
/// never chosen, so nothing in the files depends on it.
fn like_us_less(market: &mut SyntheticMarket, prior: &mut Prior) {
    let buys = |p: usize| market.past.category_year[p] > 0.0;
    let served = |p: usize| market.past.own_year[p] > 0.0;
    let mean = |which: &dyn Fn(usize) -> bool| {
        let some: Vec<f64> = (0..market.world.people.len())
            .filter(|&p| buys(p) && which(p))
            .map(|p| market.world.people[p].appeal)
            .collect();
        some.iter().sum::<f64>() / some.len().max(1) as f64
    };
    let idle = |p: usize| market.past.known[p] && !served(p);
    let (ours, theirs, dark) = (mean(&served), mean(&idle), mean(&|p| !market.past.known[p]));
    let part = prior.registered("choice", "selection_of_known");
    let less = theirs - (ours - part * (ours - dark));
    let idle: Vec<usize> = (0..market.world.people.len()).filter(|&p| idle(p)).collect();
    idle.into_iter().for_each(|p| market.world.people[p].appeal -= less);
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

/// Whether the truth lies in the 50% and in the 90% interval, the median and the truth, and how far the truth lies from the
/// median in halves of the 90% interval, above it or below.
type Outcome = (bool, bool, f64, f64, f64);

/// What one market adds to a measure's score.
#[derive(Default, Clone)]
struct Score {
    /// By territory; those without an audit are counted.
    territories: Vec<Outcome>,
    whole: Outcome,
    audited: Vec<bool>,
}

fn outcome(s: &Summary, truth: f64) -> Outcome {
    // Half a unit of the last digit: what is known exactly has an interval of no width.
    let slack = 1e-6 * truth.abs();
    let within = |low: f64, high: f64| low - slack <= truth && truth <= high + slack;
    let half = if truth > s.q50 { s.q95 - s.q50 } else { s.q50 - s.q05 };
    (within(s.q25, s.q75), within(s.q05, s.q95), s.q50, truth, (truth - s.q50) / half.max(1e-12))
}

/// Mean demand of a known over that of a dark customer, in truth.
fn size_ratio(market: &SyntheticMarket) -> f64 {
    let sum = |of: &dyn Fn(&synth::Totals) -> f64| market.totals.iter().map(of).sum::<f64>();
    let known = sum(&|t| t.served_demand + t.identified_demand)
        / sum(&|t| f64::from(t.served_customers) + f64::from(t.identified_customers));
    known / (sum(&|t| t.dark_demand) / sum(&|t| f64::from(t.dark_customers)))
}

/// The scores by measure, and the outcome for R.
type Scores = (Vec<Score>, Outcome);

fn one(seed: u64, number: u64, correlated: bool) -> Result<Scores, common::Stop> {
    let (mut made, loaded) = common::made(&description(seed, number, correlated), "coverage", seed, number)?;
    like_us_less(&mut made, &mut Prior(Stream::new(seed, "coverage/selection", number)));
    let (scenario, _) =
        ikiz::scenario::parse(Path::new("coverage.toml"), "schema = 1\n[economics]\nstable_prices = true\n", &[])
            .map_err(common::words)?;
    let (bound, _) = market::bind(&scenario, loaded).map_err(common::words)?;
    let settings = calibrate::Settings {
        seed: number,
        draws: 400,
        priors: Default::default(),
        stable_prices: true,
        feasts: false,
        further: calibrate::switched_on(&bound.market, &scenario.mechanisms, false),
        ..calibrate::Settings::default()
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
    let ratio = size_ratio(&made);
    let posterior = Summary::of(&dark.size_ratio).ok_or("no draws of R")?;
    let ratio = outcome(&posterior, ratio);
    let ids: Vec<&str> = made.world.places.iter().map(|place| place.id.as_str()).collect();
    let scores = MEASURES
        .iter()
        .map(|measure| {
            let (by, whole) = truth(&made, &scenario, measure);
            let mut score = Score { audited: made.audited.clone(), ..Score::default() };
            for found in rows.iter().filter(|row| row.measure == *measure && row.segment == "*") {
                match ids.iter().position(|id| *id == found.territory_id) {
                    Some(j) => score.territories.push(outcome(&found.summary, by[j])),
                    None => score.whole = outcome(&found.summary, whole),
                }
            }
            score
        })
        .collect();
    Ok((scores, ratio))
}

fn main() -> Result<(), common::Stop> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| arguments.get(at).map_or(Ok(otherwise), |word| word.parse());
    let (markets, seed) = (number(0, 100)?, number(2, 1)?);
    let correlated = arguments.get(1).is_some_and(|word| word == "correlated");
    let (scores, ratios): (Vec<Vec<Score>>, Vec<Outcome>) = (0..markets)
        .into_par_iter()
        .map(|market| one(seed, market, correlated))
        .collect::<Result<Vec<Scores>, _>>()?
        .into_iter()
        .unzip();
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
            common::median(some.map(|row| (estimate(row) - row.3).abs() / row.3).collect())
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
    if arguments.get(3).is_some_and(|word| word == "rows") {
        println!("\n| market | {} |", MEASURES.map(|measure| format!("{measure} | off")).join(" | "));
        println!("|---|{}", "---|".repeat(2 * MEASURES.len()));
        for (market, scores) in scores.iter().enumerate() {
            let cells = scores.iter().map(|s| format!("{:.2} | {:+.2}", s.whole.2 / s.whole.3, s.whole.4));
            println!("| {market} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
    let count = ratios.len().max(1) as f64;
    let share = |wide: bool| ratios.iter().filter(|r| if wide { r.1 } else { r.0 }).count() as f64 / count;
    let log = |of: &dyn Fn(&Outcome) -> f64| ikiz::stats::mean_sd(&ratios.iter().map(of).collect::<Vec<_>>());
    let (centre, spread) = log(&|r| r.3.ln());
    let (off, scatter) = log(&|r| r.2.ln() - r.3.ln());
    println!(
        "\nR: log of the truth {centre:.2} (sd {spread:.2}); 50% and 90% intervals hold it in {:.2} and {:.2}; log of the \
         posterior's median less log of the truth {off:+.2} (sd {scatter:.2})",
        share(false),
        share(true),
    );
    Ok(())
}
