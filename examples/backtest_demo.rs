//! How near the twin's forecast comes to that of the agents that made the market.
//!
//! ```sh
//! cargo run --release -- backtest scenarios/turkiye.toml
//! cargo run --release --example backtest_demo -- scenarios/markets/turkiye.toml output/turkiye-backtest
//! ```
//!
//! Reads `backtest_months.csv`, simulates the generating agents onward from each of its origins with their true parameters and
//! state, and prints WAPE of both on the same months, for the whole market and by territory. The oracle is shown twice: with
//! what we and the rivals did after the origin known to it, and without, as a forecast of the baseline has it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use ikiz::stats::Summary;
use ikiz::synth::{self, Description, Knowing};
use ikiz::units::Month;

const RUNS: u32 = 200;
const AHEAD: usize = 12;

/// (origin, period, territory, measure) -> (our point, what came).
type Months = BTreeMap<(String, String, String, String), (f64, f64)>;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let description = PathBuf::from(arguments.next().context("name the description of the market")?);
    let folder = PathBuf::from(arguments.next().context("name the folder of the backtest")?);
    let description =
        Description::read(&description).map_err(|problems| anyhow!(ikiz::problem::render(&problems, false)))?;
    let seed = description.seed;
    let market = synth::generate(&description, seed);
    let ours = read(&folder.join("backtest_months.csv"))?;
    let mut origins: Vec<&String> = ours.keys().map(|key| &key.0).collect();
    origins.dedup();
    let ids: Vec<&str> = market.world.places.iter().map(|place| place.id.as_str()).collect();
    // (measure, scope) -> sums of: actual, our error, the oracle's with and without moves.
    let mut sums: BTreeMap<(String, &str), [f64; 4]> = BTreeMap::new();
    for origin in origins {
        let month: Month = origin.parse()?;
        let known = description.history.position(month).context("an origin outside the history")? + 1;
        for (column, knowing) in [(2, Knowing::Moves), (3, Knowing::Nothing)] {
            let runs = synth::onward(&market, known, AHEAD, knowing, RUNS);
            let median = |total: bool, h: usize, place: Option<usize>| {
                let of = |run: &ikiz::simulate::Tallies| {
                    let series = if total { &run.total_demand } else { &run.own_sales };
                    let cells = &series[h * run.territories..(h + 1) * run.territories];
                    place.map_or_else(|| cells.iter().sum(), |j| cells[j])
                };
                Summary::of(&runs.iter().map(of).collect::<Vec<f64>>()).map_or(f64::NAN, |summary| summary.q50)
            };
            for ((_, period, territory, measure), (point, actual)) in ours.iter().filter(|(key, _)| key.0 == *origin) {
                let h = period.parse::<Month>()?.since(month) as usize - 1;
                let place = ids.iter().position(|id| id == territory);
                let oracle = median(measure == "total_demand", h, place);
                let scope = if territory == "*" { "market" } else { "pooled" };
                let sums = sums.entry((measure.clone(), scope)).or_default();
                sums[column] += (actual - oracle).abs();
                if column == 2 {
                    sums[0] += actual;
                    sums[1] += (actual - point).abs();
                }
            }
        }
    }
    println!("measure scope  our WAPE  oracle that knows the moves  ratio  oracle that does not  ratio");
    for ((measure, scope), [actual, ours, knowing, unknowing]) in sums {
        println!(
            "{measure} {scope}  {:.4}  {:.4}  {:.2}  {:.4}  {:.2}",
            ours / actual,
            knowing / actual,
            ours / knowing,
            unknowing / actual,
            ours / unknowing
        );
    }
    Ok(())
}

fn read(path: &std::path::Path) -> anyhow::Result<Months> {
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let mut out = Months::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row?;
        let text = |name: &str| row.get(name).cloned().with_context(|| format!("no column {name}"));
        if text("model")? == "twin" {
            let key = (text("origin")?, text("period")?, text("territory_id")?, text("measure")?);
            out.insert(key, (text("point")?.parse()?, text("actual")?.parse()?));
        }
    }
    Ok(out)
}
