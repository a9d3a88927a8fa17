//! The ratios of `docs/performance.md`, all measured in one run: `cargo bench --bench ratios [-- --check]`.
//!
//! What a ratio compares is measured in turns, so that a machine that slows down slows both, and stands for the median of
//! its turns. Times are the process's CPU time on one thread, but for the two-thread rows, which are by the wall clock. The
//! first argument that is not a flag keeps only the parts whose name holds it. `--check` fails where a bar is missed.

#[path = "common/bare.rs"]
mod bare;
#[path = "common/market.rs"]
mod market;
#[path = "../examples/market_mini.rs"]
#[expect(dead_code, reason = "an example with a main of its own")]
mod market_mini;

use std::hint::black_box;
use std::process::{Command, ExitCode};

use ikiz::channel::Channel;
use ikiz::lanes::Isa;
use ikiz::rng::RunKey;
use ikiz::simulate::{Core, Engine, Full, Horizon, Policy, Stage, Tallies, Twin, World};
use ikiz::units::Month;
use rayon::prelude::*;

const KEY: RunKey = RunKey { seed: 1, run: 0 };
/// Asks this program, started by itself, for its peak memory.
const PEAK: &str = "--peak-memory-of";

/// Rows of the table.
struct Table {
    missed: bool,
}

/// What a row has to meet.
#[derive(Clone, Copy)]
enum Bar {
    None,
    Most(f64),
    Least(f64),
}

impl Table {
    fn row(&mut self, what: &str, value: f64, unit: &str, bar: Bar) {
        let (bar, met) = match bar {
            Bar::None => (String::new(), true),
            Bar::Most(bar) => (format!("at most {bar}"), value <= bar),
            Bar::Least(bar) => (format!("at least {bar}"), value >= bar),
        };
        self.missed |= !met;
        let value = if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        let verdict = if met { "" } else { " **missed**" };
        println!("| {what} | {value}{unit} | {bar}{verdict} |");
    }
}

/// Measures a part of the table.
type Part = fn(&mut Table);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|word| word == PEAK) {
        return peak_of(&arguments[at + 1]);
    }
    let only = arguments.iter().find(|word| !word.starts_with("--")).map_or("", String::as_str);
    let mut table = Table { missed: false };
    println!("Instruction set: {}. Times are nanoseconds an agent-month.\n", Isa::detect().name());
    println!("| what | measured | bar |\n|---|---|---|");
    let parts: [(&str, Part); 6] = [
        ("sets", sets),
        ("sizes", sizes),
        ("threads", threads),
        ("bytes", bytes),
        ("memory", memory),
        ("pairing", pairing),
    ];
    for (name, part) in parts {
        if name.contains(only) {
            part(&mut table);
        }
    }
    let check = arguments.iter().any(|word| word == "--check");
    if check && table.missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// CPU time of this process so far, in seconds.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// What to measure, and the agent-months of one turn of it.
type Work<'a> = (f64, Box<dyn FnMut() + 'a>);

/// Nanoseconds an agent-month of each, measured in turns: medians of `turns` after one that does not count.
fn in_turns(turns: usize, clock: fn() -> f64, works: &mut [Work<'_>]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(turns); works.len()];
    for turn in 0..=turns {
        for ((agent_months, work), times) in works.iter_mut().zip(&mut times) {
            let begin = clock();
            work();
            if turn > 0 {
                times.push(1e9 * (clock() - begin) / *agent_months);
            }
        }
    }
    times.into_iter().map(median).collect()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    if numbers.len() % 2 == 1 { numbers[half] } else { 0.5 * (numbers[half - 1] + numbers[half]) }
}

fn horizon(months: usize) -> Horizon {
    Horizon::after(Month::new(2025, 12).expect("a month"), months)
}

fn agent_months(twin: &Twin, months: usize) -> f64 {
    (twin.agents.len() * months) as f64
}

/// market-mini by hand, market-mini as composed, the core set, everything.
fn sets(table: &mut Table) {
    const CUSTOMERS: usize = 40_000;
    const MONTHS: usize = 60;
    let (season, outside) = (market_mini::season(MONTHS), market_mini::Outside::by_month(MONTHS));
    let mut engine = market_mini::engine(CUSTOMERS, 1, &outside);
    let mini_policy = market_mini::policy(CUSTOMERS);
    let mut mini_table = market_mini::Table::new(CUSTOMERS, MONTHS);
    let mut blocks = bare::blocks(CUSTOMERS / market_mini::EACH);
    let (core, full) = (market::twin(CUSTOMERS), market::full_twin(CUSTOMERS));
    let policies = [market::policy(&core, &[]), market::policy(&core, &Channel::ALL[1..]), market::full_policy(&full)];
    let mut worlds = [World::new(&core), World::new(&core), World::new(&full)];
    let [core_world, channels_world, full_world] = &mut worlds;
    let isa = Isa::detect();
    let mini = (CUSTOMERS * MONTHS) as f64;
    let mut works: [Work<'_>; 5] = [
        (
            mini,
            Box::new(|| {
                let (season, outside) = (&season[..], &outside[..]);
                black_box(bare::run(bare::Bare { blocks: &mut blocks, each: 7, customers: 100.0, season, outside }));
            }),
        ),
        (mini, Box::new(|| engine.run(&mini_policy, &season, KEY, isa, &mut mini_table, &mut ()))),
        (agent_months(&core, MONTHS), run(core_world, &policies[0], MONTHS)),
        (agent_months(&core, MONTHS), run(channels_world, &policies[1], MONTHS)),
        (agent_months(&full, MONTHS), run(full_world, &policies[2], MONTHS)),
    ];
    let [bare, mini, core, channels, full] = in_turns(15, cpu_seconds, &mut works)[..] else { return };
    table.row("market-mini by hand", bare, " ns", Bar::None);
    table.row("market-mini as composed", mini, " ns", Bar::None);
    table.row("core set, visits alone", core, " ns", Bar::None);
    table.row("core set, seven channels", channels, " ns", Bar::None);
    table.row("all mechanisms, seven channels", full, " ns", Bar::None);
    table.row("market-mini: composed over by hand", mini / bare, "", Bar::None);
    table.row("core set over market-mini", core / mini, "", Bar::None);
    table.row("all mechanisms over market-mini", full / mini, "", Bar::Most(8.0));
}

/// One run of a world.
fn run<'a>(world: &'a mut World, policy: &'a Policy, months: usize) -> Box<dyn FnMut() + 'a> {
    Box::new(move || {
        black_box(world.run(policy, horizon(months), KEY, Isa::detect(), &mut ()));
    })
}

/// Throughput by size.
fn sizes(table: &mut Table) {
    const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
    const MONTHS: usize = 24;
    let (season, outside) = (market_mini::season(MONTHS), market_mini::Outside::by_month(MONTHS));
    let isa = Isa::detect();
    let mut engines = SIZES.map(|customers| {
        let table = market_mini::Table::new(customers, MONTHS);
        (market_mini::engine(customers, 1, &outside), market_mini::policy(customers), table)
    });
    let mut works: Vec<Work<'_>> = Vec::new();
    for (customers, (engine, policy, table)) in SIZES.into_iter().zip(&mut engines) {
        // As much work whatever the size.
        let times = SIZES[2] / customers;
        let season = &season;
        let work = move || {
            for _ in 0..times {
                *table = market_mini::Table::new(customers, MONTHS);
                engine.run(policy, season, KEY, isa, table, &mut ());
            }
        };
        works.push(((SIZES[2] * MONTHS) as f64, Box::new(work)));
    }
    flat(table, "market-mini", &in_turns(7, cpu_seconds, &mut works));
    drop(works);
    drop(engines);
    for (name, all) in [("core set", false), ("all mechanisms", true)] {
        let mut markets = SIZES.map(|agents| {
            let twin = if all { market::full_twin(agents) } else { market::twin(agents) };
            let policy = if all { market::full_policy(&twin) } else { market::policy(&twin, &[]) };
            (World::new(&twin), policy, twin.agents.len())
        });
        let mut works: Vec<Work<'_>> = Vec::new();
        for (size, (world, policy, agents)) in SIZES.into_iter().zip(&mut markets) {
            let times = SIZES[2] / size;
            let agent_months = (times * *agents * MONTHS) as f64;
            let mut run = run(world, policy, MONTHS);
            works.push((agent_months, Box::new(move || (0..times).for_each(|_| run()))));
        }
        flat(table, name, &in_turns(5, cpu_seconds, &mut works));
    }
}

/// Rows of a set by size.
fn flat(table: &mut Table, set: &str, times: &[f64]) {
    let [small, middle, large] = times[..] else { return };
    table.row(&format!("{set}, 10 thousand customers"), small, " ns", Bar::None);
    table.row(&format!("{set}, 100 thousand customers"), middle, " ns", Bar::None);
    table.row(&format!("{set}, 1 million customers"), large, " ns", Bar::None);
    let (least, most) = (small.min(middle).min(large), small.max(middle).max(large));
    table.row(&format!("{set}: dearest size over cheapest"), most / least, "", Bar::Most(1.2));
}

/// Two threads over one, by the wall clock.
fn threads(table: &mut Table) {
    const CUSTOMERS: usize = 100_000;
    const MONTHS: usize = 24;
    const RUNS: u32 = 16;
    let pool = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let (one, two) = (pool(1), pool(2));
    let wall = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
    };
    let twin = market::twin(CUSTOMERS);
    let policy = market::policy(&twin, &[]);
    let isa = Isa::detect();
    let small = World::new(&market::twin(CUSTOMERS / 10));
    let small_policy = market::policy(&market::twin(CUSTOMERS / 10), &[]);
    let side_by_side = || {
        (0..RUNS).into_par_iter().for_each_init(
            || small.clone(),
            |world, run| {
                black_box(world.run(&small_policy, horizon(MONTHS), RunKey { seed: 1, run }, isa, &mut ()));
            },
        );
    };
    let world = World::new(&twin);
    let abreast = || {
        black_box(world.run_abreast(&policy, horizon(MONTHS), KEY, isa));
    };
    let mut works: [Work<'_>; 4] = [
        (1.0, Box::new(|| one.install(side_by_side))),
        (1.0, Box::new(|| two.install(side_by_side))),
        (1.0, Box::new(|| one.install(abreast))),
        (1.0, Box::new(|| two.install(abreast))),
    ];
    let [runs_one, runs_two, abreast_one, abreast_two] = in_turns(15, wall, &mut works)[..] else { return };
    table.row("two threads over one: runs side by side", runs_one / runs_two, "", Bar::Least(1.85));
    table.row("two threads over one: territories of a run", abreast_one / abreast_two, "", Bar::Least(1.85));
}

/// State of an agent.
fn bytes(table: &mut Table) {
    let sets = [
        ("market-mini", Engine::<market_mini::Mini<'_>>::bytes_an_agent(), Bar::None),
        ("core set", Engine::<Core>::bytes_an_agent(), Bar::Most(64.0)),
        ("all mechanisms", Engine::<Full>::bytes_an_agent(), Bar::Most(160.0)),
    ];
    for (name, (all, changing), bar) in sets {
        table.row(&format!("{name}: bytes an agent ({changing} of them change)"), all as f64, "", bar);
    }
}

/// Peak memory of a million customers over ten years, in a process of its own.
fn memory(table: &mut Table) {
    for (name, set, bar) in [
        ("market-mini", "mini", Bar::Most(1024.0)),
        ("core set", "core", Bar::Most(1024.0)),
        ("all mechanisms", "full", Bar::Most(1024.0)),
    ] {
        let this = std::env::current_exe().expect("a program has a path");
        let output = Command::new(this).args([PEAK, set]).output().expect("this program starts again");
        let mebibytes = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(f64::NAN);
        table.row(&format!("{name}: peak memory, 1 million customers, 120 months"), mebibytes, " MiB", bar);
    }
}

/// Runs a million customers and prints this process's peak memory (MiB).
fn peak_of(set: &str) -> ExitCode {
    const CUSTOMERS: usize = 1_000_000;
    const MONTHS: usize = 120;
    if set == "mini" {
        let outside = market_mini::Outside::by_month(MONTHS);
        let mut engine = market_mini::engine(CUSTOMERS, 1, &outside);
        let mut table = market_mini::Table::new(CUSTOMERS, MONTHS);
        let policy = market_mini::policy(CUSTOMERS);
        engine.run(&policy, &market_mini::season(MONTHS), KEY, Isa::detect(), &mut table, &mut ());
        black_box(table.known);
    } else {
        let twin = if set == "full" { market::full_twin(CUSTOMERS) } else { market::twin(CUSTOMERS) };
        let policy = if set == "full" { market::full_policy(&twin) } else { market::policy(&twin, &[]) };
        let mut world = World::new(&twin);
        black_box(world.run(&policy, horizon(MONTHS), KEY, Isa::detect(), &mut ()));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next()).and_then(|word| word.parse::<f64>().ok());
    match kibibytes {
        Some(kibibytes) => {
            println!("{}", kibibytes / 1024.0);
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}

/// Variance of a strategy's difference, independent runs over paired ones.
fn pairing(table: &mut Table) {
    for (name, all) in [("core set", false), ("all mechanisms", true)] {
        let twin = if all { market::full_twin(10_000) } else { market::twin(10_000) };
        let today = if all { market::full_policy(&twin) } else { market::policy(&twin, &[]) };
        let mut more = today.clone();
        more.phases[0].visits.capacity.iter_mut().for_each(|calls| *calls *= 1.02);
        let ratio = variance_ratio(&twin, &today, &more);
        table.row(&format!("pairing, {name}: 2% more visits"), ratio, " times", Bar::Least(300.0));
        // The more goes to others, the more customers live through other months: the ratio falls in proportion.
        for (moved, words, bar) in [
            (0.025, "one call in 40", Bar::None),
            (0.05, "one call in 20", Bar::Least(100.0)),
            (0.1, "one call in 10", Bar::None),
        ] {
            let ratio = variance_ratio(&twin, &plan(&twin, &today, 0, moved), &plan(&twin, &today, 1, moved));
            table.row(&format!("pairing, {name}: {words} goes to other customers"), ratio, " times", bar);
        }
    }
}

/// A call plan that favours every other known customer, the even or the odd ones. From one to the other, `moved` of the calls
/// go to other customers.
fn plan(twin: &Twin, policy: &Policy, favoured: usize, moved: f32) -> Policy {
    let mut policy = policy.clone();
    let desired = policy.phases[0].visits.desired.iter_mut();
    let known = desired.zip(&twin.agents.stage).filter(|(_, stage)| **stage > Stage::Dark);
    for (position, (desired, _)) in known.enumerate() {
        *desired = if position % 2 == favoured { 1.0 + moved } else { 1.0 - moved };
    }
    policy
}

/// Of our sales over two years under two policies.
fn variance_ratio(twin: &Twin, one: &Policy, other: &Policy) -> f64 {
    const RUNS: u32 = 400;
    let isa = Isa::detect();
    let sales = |world: &mut World, policy: &Policy, run: u32| {
        let tallies: Tallies = world.run(policy, horizon(24), RunKey { seed: 7, run }, isa, &mut ());
        tallies.own_sales.iter().sum::<f64>()
    };
    let runs: Vec<(f64, f64)> = (0..RUNS)
        .into_par_iter()
        .map_init(|| World::new(twin), |world, run| (sales(world, one, run), sales(world, other, run)))
        .collect();
    let paired = variance(runs.iter().map(|(one, other)| one - other));
    // The same runs with partners that are not their own.
    let next = runs.iter().cycle().skip(1);
    let independent = variance(runs.iter().zip(next).map(|((one, _), (_, other))| one - other));
    independent / paired
}

fn variance(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / count;
    numbers.map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0)
}
