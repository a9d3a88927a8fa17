//! Speed of the agents by mechanism set and size, and the limits beside them: `cargo bench --bench simulate`. One element is
//! one agent-month.
//!
//! `bare` is market-mini by hand over the same lanes; `memory` streams the core set's columns once a month and does nothing
//! with them. Set `IKIZ_ISA=baseline` to see what the instruction set brings. `cargo bench --bench ratios` prints the ratios
//! of `docs/performance.md`.

#[path = "common/bare.rs"]
mod bare;
#[path = "common/market.rs"]
mod market;
#[path = "../examples/market_mini.rs"]
#[expect(dead_code, reason = "an example with a main of its own")]
mod market_mini;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ikiz::channel::Channel;
use ikiz::lanes::Isa;
use ikiz::rng::RunKey;
use ikiz::simulate::{Horizon, Policy, Twin, World};
use ikiz::units::Month;

const MONTHS: usize = 24;
const KEY: RunKey = RunKey { seed: 1, run: 0 };
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

fn mini(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("market-mini/{}", Isa::detect().name()));
    let (season, outside) = (market_mini::season(MONTHS), market_mini::Outside::by_month(MONTHS));
    for customers in SIZES {
        let mut engine = market_mini::engine(customers, 1, &outside);
        let policy = market_mini::policy(customers);
        group.throughput(Throughput::Elements((customers * MONTHS) as u64)).sample_size(10);
        group.bench_function(BenchmarkId::new("composed", customers), |bencher| {
            bencher.iter(|| {
                let mut table = market_mini::Table::new(customers, MONTHS);
                engine.run(&policy, &season, KEY, Isa::detect(), &mut table, &mut ());
                black_box(table.sales)
            });
        });
        let mut blocks = bare::blocks(customers / market_mini::EACH);
        group.bench_function(BenchmarkId::new("bare", customers), |bencher| {
            bencher.iter(|| {
                let (season, outside) = (&season, &outside[..]);
                black_box(bare::run(bare::Bare { blocks: &mut blocks, each: 7, customers: 100.0, season, outside }))
            });
        });
    }
    group.finish();
}

/// Makes a market of so many customers.
type Market = fn(usize) -> Twin;

fn sets(criterion: &mut Criterion) {
    type Policies = fn(&Twin) -> Policy;
    let sets: [(&str, Market, Policies); 3] = [
        ("core/visits", market::twin, |twin| market::policy(twin, &[])),
        ("core/seven channels", market::twin, |twin| market::policy(twin, &Channel::ALL[1..])),
        ("all mechanisms", market::full_twin, market::full_policy),
    ];
    let horizon = Horizon::after(Month::new(2025, 12).expect("a month"), MONTHS);
    let isa = Isa::detect();
    for (name, twin, policy) in sets {
        let mut group = criterion.benchmark_group(format!("{name}/{}", isa.name()));
        for agents in SIZES {
            let twin = twin(agents);
            let policy = policy(&twin);
            let mut world = World::new(&twin);
            group.throughput(Throughput::Elements((twin.agents.len() * MONTHS) as u64)).sample_size(10);
            group.bench_function(BenchmarkId::from_parameter(agents), |bencher| {
                bencher.iter(|| black_box(world.run(&policy, horizon, KEY, isa, &mut ())));
            });
        }
        group.finish();
    }
}

fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory");
    for agents in SIZES {
        // The core set's columns: seven read, three of them written.
        let traits = vec![1.0_f32; 7 * agents];
        let mut state = vec![1.0_f32; 3 * agents];
        group.throughput(Throughput::Elements(agents as u64)).sample_size(10);
        group.bench_function(BenchmarkId::from_parameter(agents), |bencher| {
            bencher.iter(|| {
                let sum = traits.chunks_exact(8).fold([0.0_f32; 8], |mut sum, chunk| {
                    for (sum, x) in sum.iter_mut().zip(chunk) {
                        *sum += x;
                    }
                    sum
                });
                for x in black_box(&mut state).iter_mut() {
                    *x += 1.0;
                }
                black_box(sum)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, mini, sets, memory);
criterion_main!(benches);
