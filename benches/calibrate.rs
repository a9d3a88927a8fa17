//! How long a calibration takes, and how that grows with the customers: `cargo bench --bench calibrate` times two small versions of
//! the demonstration market, `cargo bench --bench calibrate -- full` runs 1,000, 10,000 and 100,000 customers over its 96 months once
//! each.

#[path = "../examples/common/mod.rs"]
mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use ikiz::calibrate;
use ikiz::market::{self, Market};

/// The demonstration market with so many customers, as its files tell it.
fn market_of(customers: usize) -> Result<Market, common::Stop> {
    let (_, loaded) = common::made(&common::demonstration(customers as f64), "calibrate", 1, 0)?;
    let (scenario, _) =
        ikiz::scenario::parse(Path::new("calibrate.toml"), "schema = 1\n[economics]\nstable_prices = true\n", &[])
            .map_err(common::words)?;
    Ok(market::bind(&scenario, loaded).map_err(common::words)?.0.market)
}

fn fit(market: &Market) -> usize {
    match calibrate::fit(market, &calibrate::Settings::default(), &mut |_, _| ()) {
        Ok(calibration) => calibration.draws.len(),
        Err(error) => panic!("{error}"),
    }
}

fn main() -> Result<(), common::Stop> {
    if std::env::args().any(|argument| argument == "full") {
        for customers in [1_000, 10_000, 100_000] {
            let market = market_of(customers)?;
            let begin = Instant::now();
            fit(&market);
            let seconds = begin.elapsed().as_secs_f64();
            println!(
                "{customers} customers of whom {} are known, {} months: {seconds:.1} s, {:.2} ms a known customer",
                market.customer_count(),
                market.months(),
                1e3 * seconds / market.customer_count() as f64
            );
        }
        return Ok(());
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("calibration");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(30));
    for customers in [500, 1_000] {
        let market = market_of(customers)?;
        group.throughput(Throughput::Elements(customers as u64));
        group.bench_with_input(BenchmarkId::from_parameter(customers), &market, |bencher, market| {
            bencher.iter(|| fit(market));
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
