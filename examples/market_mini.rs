//! A small market model that has been written for several simulation engines, so that they can be compared on equal work:
//! `cargo run --release --example market_mini -- [customers] [months] [seed]` prints one line of JSON.
//!
//! `N` customers in territories of 100. Fixed by customer: affinity a ~ U(-1, 1), size s ~ LogNormal(0.5, 0.8), known with
//! probability 1/2, segment. Each month, with f the known share of the customer's territory at the month's start: a visit with
//! the segment's probability, if known; `g = 0.8 g + visit`; `share = e^(a + g / 2) / (e^(a + g / 2) + e^c)`;
//! `orders ~ Poisson(s * season * share)`; an unknown customer becomes known with probability `0.002 (1 + 2 f)`. The whole
//! table of sales by territory and month is kept.
//!
//! It is composed of the mechanisms that the product runs, and one of its own: [`Outside`].

use std::ops::Range;
use std::time::Instant;

use ikiz::channel::Channel;
use ikiz::lanes::{Isa, Simd};
use ikiz::rng::{RunKey, Stream, normal_f64};
use ikiz::simulate::mechanisms::acquaintance::Acquaintance;
use ikiz::simulate::mechanisms::contacts::Visits;
use ikiz::simulate::mechanisms::demand::Demand;
use ikiz::simulate::mechanisms::goodwill::Goodwill;
use ikiz::simulate::mechanisms::sales::Sales;
use ikiz::simulate::{
    Agents, Attributes, Engine, Entry, Here, Ledger, Mechanism, MeetsCapacity, Month, Moves, Now, Phase, Policy,
    RivalsAhead, Stage, Territory, VisitPlan,
};
use rand::RngExt as _;

pub const EACH: usize = 100;
const VISITS: [f32; 4] = [0.8, 0.5, 0.3, 0.1];

/// What the others attract, by month: `e^c` with `c = 0.3 + 0.2 sin(2 pi t / 24) + 0.002 t`.
#[derive(Clone, Copy)]
pub struct Outside<'a>(&'a [f32]);

impl Outside<'_> {
    pub fn by_month(months: usize) -> Vec<f32> {
        let months = (0..months).map(|t| t as f64);
        let c = months.map(|t| 0.3 + 0.2 * libm::sin(std::f64::consts::TAU * t / 24.0) + 0.002 * t);
        c.map(|c| libm::exp(c) as f32).collect()
    }
}

impl Mechanism for Outside<'_> {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        here.rivals = self.0[month.index];
    }

    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}

pub type Mini<'a> = (Acquaintance, Demand, Outside<'a>, Visits, Goodwill, Sales<false>);

/// Sales by territory and month: whole orders of 100 customers, some hundreds.
pub struct Table {
    pub months: usize,
    pub sales: Vec<u16>,
    pub known: f64,
}

impl Table {
    pub fn new(customers: usize, months: usize) -> Self {
        Self { months, sales: vec![0; months * customers / EACH], known: 0.0 }
    }
}

impl Ledger for Table {
    fn territory(&mut self, territory: usize, months: &[Entry]) {
        let row = &mut self.sales[territory * self.months..][..self.months];
        for (cell, month) in row.iter_mut().zip(months) {
            *cell = month.sums.own as u16;
        }
        self.known += months.last().map_or(0.0, |month| month.sums.served);
    }
}

fn model(outside: &[f32]) -> Mini<'_> {
    let mut effect = [0.0; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = 0.5;
    (
        Acquaintance { innovation: 0.002, imitation: 0.004 },
        Demand { shock_sd: 0.0 },
        Outside(outside),
        Visits,
        Goodwill { decay: 0.8, effect, half_saturation: f64::INFINITY, slope: 1.0 },
        Sales { unit: 1.0 },
    )
}

/// Customers of a territory, written over those of the one before.
fn fill(agents: &mut Agents, territory: usize, rng: &mut Stream) {
    for i in 0..EACH {
        agents.hash[i] = (territory * EACH + i) as u64;
        agents.appeal[i] = 2.0 * rng.random::<f32>() - 1.0;
        agents.size[i] = libm::exp(0.5 + 0.8 * normal_f64(rng.random::<f64>().max(1e-300))) as f32;
        agents.stage[i] = if rng.random::<bool>() { Stage::Served } else { Stage::Dark };
    }
}

pub fn policy(customers: usize) -> Policy {
    let territories = customers / EACH;
    let phase = Phase {
        from: 0,
        visits: VisitPlan {
            desired: (0..customers).map(|i| VISITS[i % 4]).collect(),
            meets_capacity: vec![MeetsCapacity::Spread; territories],
            capacity: vec![0.0; territories],
            prospecting: vec![0.0; territories],
        },
        channels: Vec::new(),
        contacts: Vec::new(),
        demand: vec![1.0; territories],
        rival_push: Vec::new(),
        rival_loading: Vec::new(),
        own_push: 0.0,
        moves: Moves::default(),
        moves_at: Vec::new(),
        handovers: Vec::new(),
        rules: Vec::new(),
    };
    Policy { phases: vec![phase], list_purchases: Vec::new(), marks: Vec::new(), rivals: RivalsAhead::default() }
}

/// Customers and model.
pub fn engine(customers: usize, seed: u64, outside: &[f32]) -> Engine<Mini<'_>> {
    let mut agents = Agents {
        hash: vec![0; EACH],
        stage: vec![Stage::Dark; EACH],
        size: vec![0.0; EACH],
        appeal: vec![0.0; EACH],
        goodwill: vec![0.0; EACH],
        influence: vec![1.0; EACH],
        visibility: vec![1.0; EACH],
        consent: vec![0; EACH],
        more: Attributes::default(),
    };
    let mut engine = Engine::new(model(outside));
    engine.reserve(customers / EACH, EACH);
    let mut rng = Stream::new(seed, "market-mini", 0);
    for j in 0..customers / EACH {
        fill(&mut agents, j, &mut rng);
        let territory = Territory {
            hash: j as u64,
            agents: 0..EACH,
            rivals: Vec::new(),
            dark_at_start: 0.0,
            area_km2: 0.0,
            reps: Vec::new(),
        };
        engine.push(&territory, &agents);
    }
    engine
}

/// Demand by month over that of an average one.
pub fn season(months: usize) -> Vec<f64> {
    (0..months).map(|t| 1.0 + 0.3 * libm::sin(std::f64::consts::TAU * t as f64 / 12.0)).collect()
}

fn main() -> Result<(), std::num::ParseIntError> {
    let arguments: Vec<u64> = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let argument = |at: usize, otherwise: u64| arguments.get(at).copied().unwrap_or(otherwise);
    let (customers, months, seed) = (argument(0, 100_000) as usize, argument(1, 120) as usize, argument(2, 1));

    let begin = Instant::now();
    let outside = Outside::by_month(months);
    let mut engine = engine(customers, seed, &outside);
    let policy = policy(customers);
    let setup = begin.elapsed().as_secs_f64();

    let path = season(months);
    let mut table = Table::new(customers, months);
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    engine.run(&policy, &path, RunKey { seed, run: 0 }, Isa::detect(), &mut table, &mut ());
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let sales: f64 = table.sales.iter().map(|&sales| f64::from(sales)).sum();
    println!(
        "{{\"peer\":\"ikiz\",\"n\":{customers},\"months\":{months},\"setup_s\":{setup:.3},\"run_s\":{wall:.4},\
         \"run_cpu_s\":{cpu:.4},\"agent_months_per_s\":{:.0},\"total_sales\":{sales:.0},\"known_final\":{:.4}}}",
        (customers * months) as f64 / cpu,
        table.known / customers as f64,
    );
    Ok(())
}

/// CPU time of this process so far.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}
