//! How long the posterior of the dark half takes, and how that grows with the market:
//! `cargo bench --bench potential` times a tenth and a fortieth of a large market, and
//! `cargo bench --bench potential -- full` one run of the whole, 1,000 territories and a million customers.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use ikiz::potential::{Observed, ObservedCustomer, ObservedTerritory, Settings, estimate_observed};
use ikiz::rng::Stream;
use rand::RngExt as _;

/// Customers of a territory.
const EACH: usize = 1000;

/// A market with a panel of the whole, and audits and a panel in every fifth territory.
fn market(territories: usize) -> Observed {
    let mut rng = Stream::new(1, "bench/potential", territories as u64);
    let mut uniform = |from: f64, to: f64| from + (to - from) * rng.random::<f64>();
    let mut observed = Observed { months: 60, ..Observed::default() };
    let mut all = 0.0;
    for j in 0..territories {
        let first = observed.customers.len();
        for _ in 0..EACH {
            let size = uniform(-1.0, 2.0) + uniform(-1.0, 1.0);
            let silent = if uniform(0.0, 1.0) < 0.8 { uniform(0.0, 12.0) } else { uniform(12.0, 40.0) } as u32;
            let exposed = 36 - silent.min(35);
            let active = ((f64::from(exposed) * uniform(0.1, 0.6) * size.exp().min(1.5)) as u32).clamp(1, exposed);
            let served = silent < 12;
            observed.customers.push(ObservedCustomer {
                own_year: if served { f64::from(active) * size.exp() } else { 0.0 },
                served,
                active,
                exposed,
                silent,
                log_order: Some(size),
                first_known: Some(uniform(0.0, 60.0) as i32),
                orders: active,
                ..ObservedCustomer::default()
            });
        }
        let own: f64 = observed.customers[first..].iter().map(|customer| customer.own_year).sum();
        let demand = own * uniform(3.0, 6.0);
        all += demand;
        let audited = j % 5 == 0;
        observed.territories.push(ObservedTerritory {
            id: format!("T{j}"),
            population: Some(uniform(50_000.0, 200_000.0)),
            outlets: audited.then(|| (EACH as f64 * uniform(1.4, 2.2)).round()),
            demand: audited.then_some(demand),
            customers: first..observed.customers.len(),
            ..ObservedTerritory::default()
        });
    }
    observed.market_demand = Some(all);
    observed
}

fn estimate(observed: &Observed) -> f64 {
    match estimate_observed(observed, "units", &Settings { worth_of_files: false, ..Settings::default() }, &|_| ()) {
        Ok(dark) => dark.dark_customers.iter().flatten().sum(),
        Err(error) => panic!("{error}"),
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "full") {
        let observed = market(1000);
        let begin = Instant::now();
        estimate(&observed);
        println!("1,000 territories, 1,000,000 customers: {:.1} s", begin.elapsed().as_secs_f64());
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("posterior of the dark half");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(20));
    for territories in [25, 100] {
        let observed = market(territories);
        group.throughput(Throughput::Elements((territories * EACH) as u64));
        group.bench_with_input(BenchmarkId::from_parameter(territories), &observed, |bencher, observed| {
            bencher.iter(|| estimate(observed));
        });
    }
    group.finish();
    criterion.final_summary();
}
