//! Speed of the agents: `cargo bench --bench simulate`. One element is one agent-month.
//!
//! `memory` streams the same state once a month and does nothing with it: what no engine over this layout can beat.
//! Set `IKIZ_ISA=baseline` to see what the instruction set brings.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ikiz::channel::Channel;
use ikiz::ids::{slot_hash, stable_hash};
use ikiz::lanes::Isa;
use ikiz::rng::RunKey;
use ikiz::simulate::mechanisms::goodwill::Goodwill;
use ikiz::simulate::{
    Agents, Conversion, Discovery, Horizon, MeetsCapacity, Moves, Parameters, Phase, Policy, Stage, Territory, Twin,
    VisitPlan, World,
};
use ikiz::units::Month;

const MONTHS: usize = 24;

/// Half of the market known (the known first), 40 territories, everything on.
fn twin(agents: usize) -> Twin {
    const TERRITORIES: usize = 40;
    let each = agents / TERRITORIES;
    let mut columns = Agents::default();
    let mut territories = Vec::new();
    for j in 0..TERRITORIES {
        let hash = stable_hash(&format!("T{j}"));
        for i in 0..each {
            let stage = match 10 * i / each {
                0..3 => Stage::Served,
                3 => Stage::Lapsed,
                4 => Stage::Identified,
                5..9 => Stage::Dark,
                _ => Stage::Unborn,
            };
            let known = stage > Stage::Dark;
            columns.hash.push(if known { stable_hash(&format!("T{j}C{i}")) } else { slot_hash(hash, i as u32) });
            columns.stage.push(stage);
            // From 1 to 50 units a month, most of them small.
            columns.size.push(50.0 / (1.0 + (i * 37 % 50) as f32));
            columns.appeal.push(-1.0 + 0.1 * (i * 5 % 11) as f32);
            columns.goodwill.push(if known { 0.3 } else { 0.0 });
            columns.influence.push(0.5 + 0.1 * (i * 3 % 11) as f32);
            columns.visibility.push(0.6 + 0.1 * (i * 3 % 9) as f32);
            columns.consent.push(0b111_1111);
        }
        territories.push(Territory {
            hash,
            agents: j * each..(j + 1) * each,
            rivals: vec![0.6, 0.3, 0.1],
            dark_at_start: 0.4 * each as f64,
            area_km2: 0.0,
            reps: Vec::new(),
        });
    }
    let mut effect = [0.0; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = 0.15;
    effect[Channel::Email.index()] = 0.03;
    let parameters = Parameters {
        season: [1.0; 12],
        feasts: ikiz::calendar::Feasts::none(),
        growth: 0.002,
        shock_sd: 0.05,
        goodwill: Goodwill { decay: 0.7, effect, half_saturation: 3.0 },
        order_unit: 2.0,
        discovery: Discovery { spontaneous: 0.002, referral: 0.01, prospecting_yield: 0.1 },
        conversion: Conversion { hazard: 0.02, goodwill_effect: 0.8 },
        churn: 0.01,
        closure: 0.004,
        birth: 0.006,
    };
    Twin { parameters, territories, agents: columns }
}

fn policy(twin: &Twin, channels: &[Channel]) -> Policy {
    let (agents, territories) = (twin.agents.len(), twin.territories.len());
    let phase = Phase {
        from: 0,
        visits: VisitPlan {
            desired: vec![1.0; agents],
            meets_capacity: vec![MeetsCapacity::Spread; territories],
            capacity: vec![0.5 * agents as f64 / territories as f64; territories],
            prospecting: vec![0.1; territories],
        },
        channels: channels.to_vec(),
        contacts: vec![vec![2.0; agents]; channels.len()],
        demand: vec![1.0; territories],
        rival_push: vec![vec![0.0; 3]; territories],
        rival_loading: vec![0.0; 3],
        own_push: 0.0,
        moves: Moves::default(),
    };
    Policy { phases: vec![phase], list_purchases: Vec::new() }
}

fn engine(criterion: &mut Criterion) {
    let horizon = Horizon::after(Month::new(2025, 12).expect("a month"), MONTHS);
    let isa = Isa::detect();
    for (name, channels) in [("visits", &[][..]), ("visits and e-mail", &[Channel::Email][..])] {
        let mut group = criterion.benchmark_group(format!("simulate/{name}/{}", isa.name()));
        for agents in [1_000, 10_000, 100_000] {
            let twin = twin(agents);
            let policy = policy(&twin, channels);
            let mut world = World::new(&twin);
            group.throughput(Throughput::Elements((twin.agents.len() * MONTHS) as u64));
            group.sample_size(20);
            group.bench_function(BenchmarkId::from_parameter(agents), |bencher| {
                bencher.iter(|| black_box(world.run(&policy, horizon, RunKey { seed: 1, run: 0 }, isa, &mut ())));
            });
        }
        group.finish();
    }
}

fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory");
    for agents in [1_000, 10_000, 100_000] {
        // Ten columns read, three of them written.
        let traits = vec![1.0_f32; 7 * agents];
        let mut state = vec![1.0_f32; 3 * agents];
        group.throughput(Throughput::Elements(agents as u64));
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

criterion_group!(benches, engine, memory);
criterion_main!(benches);
