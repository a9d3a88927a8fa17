//! Is the recommended strategy the right one? Makes markets with truths from the priors, lets ikiz choose among six strategies of
//! equal cost from the files alone, and judges the choice by the agents that made the market, on 400 paired runs:
//! `cargo run --release --example decisions -- [markets] [customers] [seed] [rows|table] [least gap]`.
//!
//! Markets whose best and second strategy are less than the least gap (of sales; 0) apart in truth are passed over before anything is estimated, so
//! that as many markets as were asked for have it.
//!
//! The market is the demonstration's with fewer customers (`examples/common`). Strategies are judged on sales beyond going on as today, over
//! 24 months. Beside ikiz's choice stand a random one, and that of the same machine with the data's voice taken away: every strategy's
//! mean over all markets, the best guess of who knows the priors alone.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use ikiz::calibrate;
use ikiz::channel::Channel;
use ikiz::lanes::Isa;
use ikiz::market;
use ikiz::potential;
use ikiz::rng::{RunKey, Stream};
use ikiz::simulate::{Horizon, Phase, Policy, Stage, World};
use ikiz::strategy;
use ikiz::synth::{self, SyntheticMarket};
use rayon::prelude::*;

const MONTHS: usize = 24;
/// Markets looked at together, and at most for each that is wanted.
const BATCH: u64 = 16;
const MOST: u64 = 20;
const RUNS: u32 = 400;
const WEST: [&str; 2] = ["Marmara", "Ege"];
/// Calls a month of a new rep.
const CALLS: f64 = 80.0;
const NAMES: [&str; 6] = ["reps-west", "reps-east", "prospecting", "large", "phone", "email"];

fn description(seed: u64, number: u64, customers: f64) -> String {
    let mut rng = Stream::new(seed, "decisions/truth", number);
    let mut text = common::demonstration(customers);
    let mut of = |mechanism: &str, parameter: &str| common::registered(&mut rng, mechanism, parameter);
    let response = common::response(&mut of);
    let values = [
        ("phone_effect", of("goodwill", "effect_phone")),
        ("email_effect", of("goodwill", "effect_email")),
        ("conversion", of("conversion", "base_hazard")),
        ("conversion_goodwill", of("conversion", "goodwill_effect").max(0.0)),
        ("churn", of("churn", "hazard")),
        ("prospecting_yield", of("discovery", "prospecting_yield")),
    ];
    text += "\n[truth]\n";
    for (name, value) in response.into_iter().chain(values) {
        let _ = writeln!(text, "{name} = {value}");
    }
    text
}

/// Reps that are added by a strategy that adds reps.
fn reps(customers: f64) -> f64 {
    (customers / 400.0).max(1.0)
}

fn scenario(customers: f64, west: &[String], east: &[String]) -> String {
    let list = |ids: &[String]| ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let head = |territories: &[String]| {
        format!(
            "territories = [{}]\ndo.headcount = {{ add = {}, monthly_cost = 0, ramp_months = 0, calls_per_month = {CALLS} }}",
            list(territories),
            reps(customers)
        )
    };
    let levers = [
        head(west),
        head(east),
        "do.call_plan = { prospecting = 0.5 }".to_owned(),
        "who = \"size > p75\"\ndo.targeting = { weight = 3.0 }".to_owned(),
        "do.channel_plan = { contacts_per_month = 0.5, steps = [{ channel = \"phone\" }] }".to_owned(),
        "do.channel_plan = { contacts_per_month = 2.0, steps = [{ channel = \"email\" }] }".to_owned(),
    ];
    let mut text = format!(
        "schema = 1\nhorizon = {MONTHS}\n[economics]\nstable_prices = true\nobjective = \"incremental_sales\"\n[monte_carlo]\nruns = {{ \
         min = 200, max = 400 }}\n"
    );
    for (name, lever) in NAMES.iter().zip(levers) {
        let _ = write!(text, "[[strategy]]\nid = \"{name}\"\n[[strategy.lever]]\nfrom = \"2026-01\"\n{lever}\n");
    }
    text
}

/// What the agents that made the market say: mean sales beyond today's of each strategy, and today's sales.
fn truth(made: &SyntheticMarket, customers: f64, west: &[bool], seed: u64) -> (Vec<f64>, f64) {
    let (twin, today) = synth::at_end(made);
    let living =
        |i: &usize| matches!(twin.agents.stage[*i], Stage::Served | Stage::Lapsed | Stage::Identified | Stage::Dark);
    let known = |i: &usize| matches!(twin.agents.stage[*i], Stage::Served | Stage::Lapsed | Stage::Identified);
    let demand: Vec<f64> = twin
        .territories
        .iter()
        .map(|territory| territory.agents.clone().filter(living).map(|i| f64::from(twin.agents.size[i])).sum())
        .collect();
    let more_reps = |chosen: &dyn Fn(usize) -> bool| {
        let mut phase = today.clone();
        let all: f64 = demand.iter().enumerate().filter(|(j, _)| chosen(*j)).map(|(_, demand)| demand).sum();
        for (j, capacity) in phase.visits.capacity.iter_mut().enumerate().filter(|(j, _)| chosen(*j)) {
            *capacity += reps(customers) * CALLS * demand[j] / all;
        }
        phase
    };
    let mut prospecting = today.clone();
    prospecting.visits.prospecting.iter_mut().for_each(|share| *share = 0.5);
    let mut sizes: Vec<f32> = (0..twin.agents.len()).filter(known).map(|i| twin.agents.size[i]).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let large_from = sizes[sizes.len() * 3 / 4];
    let mut large = today.clone();
    for (i, visits) in large.visits.desired.iter_mut().enumerate() {
        *visits *= if twin.agents.size[i] > large_from { 3.0 } else { 1.0 };
    }
    let contacts = |channel: Channel, rate: f32| {
        let mut phase = today.clone();
        let at = phase.channels.iter().position(|&known| known == channel).unwrap_or_else(|| {
            phase.channels.push(channel);
            phase.contacts.push(vec![0.0; twin.agents.len()]);
            phase.channels.len() - 1
        });
        for (i, contacts) in phase.contacts[at].iter_mut().enumerate() {
            *contacts += if made.world.people[i].consents(channel) { rate } else { 0.0 };
        }
        phase
    };
    let phases = [
        today.clone(),
        more_reps(&|j| west[j]),
        more_reps(&|j| !west[j]),
        prospecting,
        large,
        contacts(Channel::Phone, 0.5),
        contacts(Channel::Email, 2.0),
    ];
    let policies = phases.map(|phase: Phase| Policy {
        phases: vec![phase],
        list_purchases: Vec::new(),
        marks: Vec::new(),
        rivals: ikiz::simulate::RivalsAhead::default(),
    });
    let horizon = Horizon::after(made.description.history.last, MONTHS);
    let sums: Vec<Vec<f64>> = (0..RUNS)
        .into_par_iter()
        .map_init(
            || World::new(&twin),
            |world, run| {
                let key = RunKey { seed: seed ^ 0x7ad6, run };
                let sold = |policy: &Policy| -> f64 {
                    world.run(policy, horizon, key, Isa::detect(), &mut ()).own_sales.iter().sum()
                };
                policies.iter().map(sold).collect()
            },
        )
        .collect();
    let mean = |s: usize| sums.iter().map(|run| run[s]).sum::<f64>() / f64::from(RUNS);
    ((1..policies.len()).map(|s| mean(s) - mean(0)).collect(), mean(0))
}

struct Decision {
    /// By strategy, as shares of today's sales.
    truth: Vec<f64>,
    expected: Vec<f64>,
    p_best: Vec<f64>,
}

/// Best less second.
fn gap(truth: &[f64]) -> f64 {
    let mut sorted = truth.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    sorted[0] - sorted[1]
}

/// `None` where best and second are less than `least` apart.
fn one(seed: u64, number: u64, customers: f64, least: f64) -> Result<Option<Decision>, common::Stop> {
    let (made, loaded) = common::made(&description(seed, number, customers), "decisions", seed, number)?;
    let places = &made.world.places;
    let west: Vec<bool> = places.iter().map(|place| WEST.contains(&place.region.as_str())).collect();
    let ids = |wanted: bool| -> Vec<String> {
        places.iter().zip(&west).filter(|(_, west)| **west == wanted).map(|(place, _)| place.id.clone()).collect()
    };
    let (truth, sales) = truth(&made, customers, &west, number);
    let truth: Vec<f64> = truth.iter().map(|gain| gain / sales).collect();
    if gap(&truth) < least {
        return Ok(None);
    }
    let text = scenario(customers, &ids(true), &ids(false));
    let (scenario, _) = ikiz::scenario::parse(Path::new("decisions.toml"), &text, &[]).map_err(common::words)?;
    let bound = market::bind(&scenario, loaded).map_err(common::words)?.0;
    let further = calibrate::switched_on(&bound.market, &scenario.mechanisms, strategy::has_rules(&bound));
    let settings = calibrate::Settings { seed: number, further, stable_prices: true, ..calibrate::Settings::default() };
    let calibration = calibrate::fit(&bound.market, &settings, &mut |_, _| ())?;
    let settings = potential::Settings { seed: number, worth_of_files: false, ..potential::Settings::default() };
    let dark_half = potential::estimate(&bound.market, &settings, &|_| ())?;
    let found = strategy::compare(&scenario, &bound, &calibration, &dark_half, &|_, _| ()).map_err(common::words)?;
    let figure = |name: &str, metric: &str| {
        let rows = found.strategies.iter().filter(|row| row.strategy == name && row.metric == metric);
        let mut rows = rows.filter(|row| row.territory_id == "*" && row.period == "*" && row.segment == "*");
        rows.next().and_then(|row| row.summary).map_or(0.0, |summary| summary.mean)
    };
    Ok(Some(Decision {
        truth,
        expected: NAMES.iter().map(|name| figure(name, "incremental_sales") / sales).collect(),
        p_best: NAMES.iter().map(|name| figure(name, "p_best")).collect(),
    }))
}

fn best(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, k| if values[k] > values[best] { k } else { best })
}

fn main() -> Result<(), common::Stop> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: f64| arguments.get(at).map_or(Ok(otherwise), |word| word.parse::<f64>());
    let (markets, customers, seed) = (number(0, 60.0)? as u64, number(1, 2_000.0)?, number(2, 1.0)? as u64);
    let least = number(4, 0.0)?;
    let (mut found, mut looked_at): (Vec<Decision>, u64) = (Vec::new(), 0);
    while (found.len() as u64) < markets && looked_at < MOST * markets {
        // Without a gap that is asked for there is no more to look at than is wanted.
        let some = looked_at..looked_at + if least > 0.0 { BATCH } else { markets };
        looked_at = some.end;
        let made: Vec<_> = some.into_par_iter().map(|market| one(seed, market, customers, least)).collect();
        for market in made {
            match market {
                Ok(decision) => found.extend(decision),
                Err(failure) => println!("a market was left out: {failure}"),
            }
        }
        if least <= 0.0 {
            break;
        }
        eprintln!("{looked_at} markets looked at, {} with the gap", found.len());
    }
    found.truncate(markets as usize);
    println!("{looked_at} markets looked at, {} judged\n", found.len());
    // Who knows the priors alone chooses what is best on average over the other markets.
    let by_prior = |market: usize| {
        let mean = |k: usize| (0..found.len()).filter(|&m| m != market).map(|m| found[m].truth[k]).sum::<f64>();
        best(&(0..NAMES.len()).map(mean).collect::<Vec<f64>>())
    };
    println!(
        "| gap of best and second | markets | truly best | regret | of a random choice | of the prior's |\n|---|---|---|---|---|---|"
    );
    let percent = |share: f64| format!("{:.2}%", 100.0 * share);
    for (name, low, high) in
        [("at least 3%", 0.03, f64::INFINITY), ("0.5% to 3%", 0.005, 0.03), ("all", 0.0, f64::INFINITY)]
    {
        let of: Vec<usize> = (0..found.len()).filter(|&m| (low..high).contains(&gap(&found[m].truth))).collect();
        let n = of.len().max(1) as f64;
        let regret = |m: usize, chosen: usize| found[m].truth[best(&found[m].truth)] - found[m].truth[chosen];
        let right = of.iter().filter(|&&m| best(&found[m].p_best) == best(&found[m].truth)).count();
        let mean = |of_market: &dyn Fn(usize) -> f64| of.iter().map(|&m| of_market(m)).sum::<f64>() / n;
        println!(
            "| {name} | {} | {:.0}% | {} | {} | {} |",
            of.len(),
            100.0 * right as f64 / n,
            percent(mean(&|m| regret(m, best(&found[m].p_best)))),
            percent(mean(&|m| (0..NAMES.len()).map(|k| regret(m, k)).sum::<f64>() / NAMES.len() as f64)),
            percent(mean(&|m| regret(m, by_prior(m)))),
        );
    }
    // P(best): how often what is said to be best with this probability is.
    let pairs: Vec<(f64, bool)> = found
        .iter()
        .flat_map(|decision| {
            let truly = best(&decision.truth);
            decision.p_best.iter().enumerate().map(move |(k, &p)| (p, k == truly)).collect::<Vec<_>>()
        })
        .collect();
    let brier =
        pairs.iter().map(|&(p, is)| (p - f64::from(u8::from(is))).powi(2)).sum::<f64>() / pairs.len().max(1) as f64;
    println!("\nBrier score of P(best) {brier:.3} (1/6 for all: {:.3})\n", (5.0 / 6.0) / 6.0);
    println!("| P(best) said | times | said on average | truly best |\n|---|---|---|---|");
    for (low, high) in [(0.0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)] {
        let of: Vec<&(f64, bool)> = pairs.iter().filter(|(p, _)| (low..high).contains(p)).collect();
        let n = of.len().max(1) as f64;
        println!(
            "| {low} to {} | {} | {:.2} | {:.2} |",
            high.min(1.0),
            of.len(),
            of.iter().map(|(p, _)| p).sum::<f64>() / n,
            of.iter().filter(|(_, is)| *is).count() as f64 / n
        );
    }
    println!("\n| strategy | gain in truth | expected |\n|---|---|---|");
    for (k, name) in NAMES.iter().enumerate() {
        let mean = |of: &dyn Fn(&Decision) -> f64| found.iter().map(of).sum::<f64>() / found.len().max(1) as f64;
        println!("| {name} | {} | {} |", percent(mean(&|d| d.truth[k])), percent(mean(&|d| d.expected[k])));
    }
    if arguments.get(3).is_some_and(|word| word == "rows") {
        println!("\n| market | strategy | truth | expected | P(best) |\n|---|---|---|---|---|");
        for (m, decision) in found.iter().enumerate() {
            for (k, name) in NAMES.iter().enumerate() {
                println!(
                    "| {m} | {name} | {} | {} | {:.2} |",
                    percent(decision.truth[k]),
                    percent(decision.expected[k]),
                    decision.p_best[k]
                );
            }
        }
    }
    Ok(())
}
