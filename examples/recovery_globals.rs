//! Are the market-wide parameters of the demonstration market found again? Makes it many times with parameters drawn from the
//! priors of the calibration, calibrates each from its files alone, and counts how often the truth lies within the 90% interval:
//! `cargo run --release --example recovery_globals -- [markets] [customers] [seed] [rows]`; `rows` prints every market's truths and estimates.
//!
//! The market is that of `scenarios/markets/turkiye.toml` (rivals' loading and campaigns, feasts, inflation, visits, calls and
//! e-mails) with fewer customers and as many fewer reps. Season and what the dark half is made of stay as they are there.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use ikiz::calibrate;
use ikiz::channel::Channel;
use ikiz::market;
use ikiz::rng::Stream;
use ikiz::simulate::Parameters;
use ikiz::stats::Summary;
use rand_distr::{Distribution as _, StandardNormal};
use rayon::prelude::*;

/// The demonstration market with so many customers, and parameters of its own.
fn description(seed: u64, number: u64, customers: f64) -> String {
    let mut rng = Stream::new(seed, "recovery/truth", number);
    let mut text = common::demonstration(customers);
    let mut of = |mechanism: &str, parameter: &str| common::registered(&mut rng, mechanism, parameter);
    let response = common::response(&mut of);
    let closure = of("closure", "hazard");
    let year = |hazard: f64| 1.0 - (-12.0 * hazard).exp();
    let values = [
        ("phone_effect", of("goodwill", "effect_phone")),
        ("email_effect", of("goodwill", "effect_email")),
        ("shock_sd", of("demand", "shock_sd")),
        ("conversion", of("conversion", "base_hazard")),
        ("conversion_goodwill", of("conversion", "goodwill_effect").max(0.0)),
        ("churn", of("churn", "hazard")),
        ("closure", year(closure)),
        ("birth", year(closure)),
        ("prospecting_yield", of("discovery", "prospecting_yield")),
    ];
    let feasts = ["pre", "feast", "post", "fast"].map(|phase| (phase, of("feasts", phase)));
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    text += "\n[truth]\n";
    for (name, value) in response.into_iter().chain(values) {
        let _ = writeln!(text, "{name} = {value}");
    }
    // The prior of growth: a hundredth a month.
    let _ = writeln!(text, "growth = {}", (0.12 * normal()).exp_m1());
    let _ = writeln!(text, "order_unit = {}", 6.0 * (0.3 * normal()).exp());
    let _ = writeln!(text, "feasts = {{ {} }}", feasts.map(|(name, value)| format!("{name} = {value}")).join(", "));
    text
}

/// What is compared, by name.
fn globals(p: &Parameters) -> Vec<(String, f64)> {
    let effect = |channel: Channel| p.goodwill.effect[channel.index()];
    let mut out: Vec<(String, f64)> = [
        ("goodwill.decay", p.goodwill.decay),
        ("goodwill.half_saturation", p.goodwill.half_saturation),
        ("goodwill.effect_face_to_face", effect(Channel::FaceToFace)),
        ("goodwill.effect_phone", effect(Channel::Phone)),
        ("goodwill.effect_email", effect(Channel::Email)),
        ("orders.order_unit", p.order_unit),
        ("churn.hazard", p.churn),
        ("closure.hazard", p.closure),
        ("conversion.base_hazard", p.conversion.hazard),
        ("conversion.goodwill_effect", p.conversion.goodwill_effect),
        ("demand.shock_sd", p.shock_sd),
        ("demand.growth", p.growth),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    out.extend(p.season.iter().enumerate().map(|(month, index)| (format!("season.{}", month + 1), *index)));
    out.extend(p.feasts.effects().map(|(name, effect)| (format!("feasts.{name}"), effect)));
    out
}

/// A global of a market.
struct Found {
    name: String,
    truth: f64,
    mean: f64,
    sd: f64,
    /// Whether the truth lies below, in or above the 90% interval: -1, 0, 1.
    side: i32,
}

fn one(seed: u64, number: u64, customers: f64) -> Result<Vec<Found>, common::Stop> {
    let (made, loaded) = common::made(&description(seed, number, customers), "recovery", seed, number)?;
    let (scenario, _) =
        ikiz::scenario::parse(Path::new("recovery.toml"), "schema = 1\n[economics]\nstable_prices = true\n", &[])
            .map_err(common::words)?;
    let market = market::bind(&scenario, loaded).map_err(common::words)?.0.market;
    let further = calibrate::switched_on(&market, &scenario.mechanisms, true);
    let settings = calibrate::Settings { seed: number, further, ..calibrate::Settings::default() };
    let calibration = calibrate::fit(&market, &settings, &mut |_, _| ())?;
    let drawn: Vec<Vec<(String, f64)>> = calibration.draws.iter().map(|draw| globals(&draw.parameters)).collect();
    Ok(globals(&made.parameters)
        .into_iter()
        .filter_map(|(name, truth)| {
            let of = |row: &Vec<(String, f64)>| row.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let summary = Summary::of(&drawn.iter().filter_map(of).collect::<Vec<f64>>())?;
            let side = i32::from(truth > summary.q95) - i32::from(truth < summary.q05);
            Some(Found { name, truth, mean: summary.mean, sd: summary.sd.max(1e-12), side })
        })
        .collect())
}

fn main() -> Result<(), common::Stop> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: f64| arguments.get(at).map_or(Ok(otherwise), |word| word.parse::<f64>());
    let (markets, customers, seed) = (number(0, 100.0)? as u64, number(1, 4_000.0)?, number(2, 1.0)? as u64);
    let found: Vec<Vec<Found>> =
        (0..markets).into_par_iter().map(|market| one(seed, market, customers)).collect::<Result<_, _>>()?;
    println!(
        "| global | truth below | within 90% | above | mean deviations off | mean off by |\n|---|---|---|---|---|---|"
    );
    let (mut within, mut all) = (0, 0);
    for (k, Found { name, .. }) in found.first().into_iter().flatten().enumerate() {
        let rows: Vec<&Found> = found.iter().filter_map(|rows| rows.get(k)).collect();
        let count = |side: i32| rows.iter().filter(|row| row.side == side).count();
        let mean = |of: &dyn Fn(&Found) -> f64| rows.iter().map(|row| of(row)).sum::<f64>() / rows.len() as f64;
        let (deviations, by) =
            (mean(&|row| (row.truth - row.mean) / row.sd), mean(&|row| (row.mean - row.truth) / row.truth.abs()));
        println!("| {name} | {} | {} | {} | {deviations:+.2} | {:+.1}% |", count(-1), count(0), count(1), 100.0 * by);
        (within, all) = (within + count(0), all + rows.len());
    }
    println!("\nall together: {:.3} of {all}", f64::from(within as u32) / all.max(1) as f64);
    if arguments.get(3).is_some_and(|word| word == "rows") {
        println!("\n| market | global | truth | mean | sd |\n|---|---|---|---|---|");
        for (market, rows) in found.iter().enumerate() {
            for Found { name, truth, mean, sd, .. } in rows {
                println!("| {market} | {name} | {truth:.5} | {mean:.5} | {sd:.5} |");
            }
        }
    }
    Ok(())
}
