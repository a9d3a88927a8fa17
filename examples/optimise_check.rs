//! Is the plan that `optimise` finds as good as it says? Values every option of the demonstration's `[optimise]` in every province on ten times
//! the runs of the search, and sets the plan against the best of 200 random ones that fit the budget, each improved by 50 random
//! swaps on these very values: `cargo run --release --example optimise_check -- [runs]`.
//!
//! Since territories do not touch each other within a run, a plan's value is the sum of its options' values.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use ikiz::optimise::Table;
use ikiz::optimise::allocate::{Point, allocate};
use ikiz::optimise::menu::Menu;
use ikiz::rng::Stream;
use ikiz::strategy::{Arena, Today, by_territory};
use ikiz::{calibrate, data, market, optimise, potential, problem, scenario, synth};
use rand::RngExt as _;

const PLANS: u64 = 200;
const SWAPS: usize = 50;

fn main() -> Result<()> {
    let runs: u32 = std::env::args().nth(1).map_or(Ok(1250), |word| word.parse())?;
    let words = |problems: Vec<problem::Problem>| anyhow!(problem::render(&problems, false));
    let (scenario, _) = scenario::load(Path::new("scenarios/turkiye.toml"), &[]).map_err(words)?;
    let description = synth::Description::read(Path::new("scenarios/markets/turkiye.toml")).map_err(words)?;
    let folder = tempfile::tempdir()?;
    synth::write(&synth::generate(&description, description.seed), folder.path())?;
    let loaded = data::load(&folder.path().join("market")).map_err(|refused| words(refused.problems))?;
    let bound = optimise::with_levels(&market::bind(&scenario, loaded.market).map_err(words)?.0);
    let settings = calibrate::Settings {
        seed: scenario.seed,
        further: calibrate::switched_on(&bound.market, &scenario.mechanisms, ikiz::strategy::has_rules(&bound)),
        stable_prices: scenario.economics.stable_prices,
        ..calibrate::Settings::default()
    };
    let calibration = calibrate::fit(&bound.market, &settings, &mut |_, _| ())?;
    let settings = potential::Settings { seed: scenario.seed, worth_of_files: false, ..potential::Settings::default() };
    let dark_half = potential::estimate(&bound.market, &settings, &|_| ())?;
    let today = Today::of(&bound.market);
    let (arena, _) = Arena::new(&scenario, &bound, &today, &calibration, &dark_half);
    let plan = bound.optimise.as_ref().context("the demonstration has no [optimise]")?;
    let menu = Menu::new(plan);
    let demand = arena.weight.clone();
    let everywhere: Vec<_> = (0..menu.options.len()).map(|option| menu.levers(&vec![option; demand.len()])).collect();
    let evaluate = |from: u32, until: u32| by_territory(&arena, scenario.baseline, &everywhere, from..until, &|| ());
    let searched = Table::new(&evaluate(0, runs / 10), &demand).shrunk;
    let chosen = allocate(&searched, plan.budget);
    let judged = Table::new(&evaluate(1 << 20, (1 << 20) + runs), &demand).means;
    let total = |plan: &[usize], of: fn(&Point) -> f64| -> f64 {
        judged.iter().zip(plan).map(|(points, &option)| of(&points[option])).sum()
    };
    let bound_of_all = allocate(&judged, plan.budget);
    let best = (0..PLANS)
        .map(|number| {
            let mut stream = Stream::new(7, "optimise/random", number);
            let mut random = vec![0; demand.len()];
            // Options at random, in a random order of territories, as long as the budget lasts.
            for _ in 0..4 * demand.len() {
                let j = stream.random_range(0..demand.len());
                let before = random[j];
                random[j] = stream.random_range(0..menu.options.len());
                if total(&random, |point| point.cost) > plan.budget {
                    random[j] = before;
                }
            }
            for _ in 0..SWAPS {
                let before = random.clone();
                let value = total(&random, |point| point.value);
                let (j, l) = (stream.random_range(0..demand.len()), stream.random_range(0..demand.len()));
                random.swap(j, l);
                random[j] = stream.random_range(0..menu.options.len());
                let fits = total(&random, |point| point.cost) <= plan.budget;
                if !fits || total(&random, |point| point.value) <= value {
                    random = before;
                }
            }
            total(&random, |point| point.value)
        })
        .fold(f64::NEG_INFINITY, f64::max);
    let value = total(&chosen.plan, |point| point.value);
    println!(
        "options {}, territories {}, runs of the search {}, runs that judge {runs}",
        menu.options.len(),
        demand.len(),
        runs / 10
    );
    println!("plan found: {value:.0} at a cost of {:.0} (budget {:.0})", total(&chosen.plan, |p| p.cost), plan.budget);
    println!("best of {PLANS} random plans, each improved by {SWAPS} swaps: {best:.0}");
    println!(
        "concave upper bound on the judging runs: {:.0}; the plan reaches {:.2}% of it",
        bound_of_all.bound,
        100.0 * value / bound_of_all.bound
    );
    Ok(())
}
