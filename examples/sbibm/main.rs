//! Draws from the posteriors of eight tasks of sbibm (Lueckmann et al. 2021) with their exact likelihoods, for comparison
//! with the reference draws that come with it; `tests/external/check_sbibm.py` prepares the input and compares.
//!
//! `cargo run --release --example sbibm -- OBSERVATIONS DRAWS [TASK ...]` reads `OBSERVATIONS/TASK/K.csv` (K from 1 to 10; for
//! bernoulli_glm `design.csv` too), writes 10,000 draws each to `DRAWS/TASK/K.csv` and prints a line of each. One setting
//! serves all tasks but for the budget: 10^6 evaluations, 5 x 10^6 for slcp.

mod dynamics;
mod tasks;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use ikiz::rng::Stream;
use ikiz::samplers::smc::{self, Settings, Unwatched};
use ikiz::samplers::{Prior, Target};
use rayon::prelude::*;

const DRAWS: usize = 10_000;
const TASKS: [&str; 8] = [
    "gaussian_linear",
    "gaussian_linear_uniform",
    "gaussian_mixture",
    "two_moons",
    "slcp",
    "bernoulli_glm",
    "sir",
    "lotka_volterra",
];

/// A task on the real line: a standard normal or normal prior, and a bijection to the task's own parameters.
pub trait Task: Sync {
    fn dimension(&self) -> usize;
    /// Draws from the prior; the standard normal unless a task says otherwise.
    fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        (0..self.dimension()).map(|_| stream.normal()).collect()
    }
    fn log_prior(&self, point: &[f64]) -> f64 {
        point.iter().map(|z| -0.5 * z * z - 0.5 * libm::log(std::f64::consts::TAU)).sum()
    }
    /// The task's parameters at a point.
    fn parameters(&self, point: &[f64]) -> Vec<f64>;
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64>;
}

struct OnTheLine(Box<dyn Task>);

impl Prior for OnTheLine {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        self.0.draw(stream)
    }
    fn log_density(&self, point: &[f64]) -> f64 {
        self.0.log_prior(point)
    }
}

impl Target for OnTheLine {
    fn log_likelihood(&self, point: &[f64]) -> Option<f64> {
        self.0.log_likelihood(&self.0.parameters(point))
    }
}

/// Numbers of a CSV file with a header, row by row.
fn numbers(path: &Path) -> Result<Vec<Vec<f64>>> {
    let mut reader = csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    reader
        .deserialize()
        .map(|row| row.with_context(|| format!("{} is not a table of numbers", path.display())))
        .collect()
}

fn task(name: &str, folder: &Path, observation: usize) -> Result<Box<dyn Task>> {
    let path = folder.join(name).join(format!("{observation}.csv"));
    let observed = numbers(&path)?.into_iter().next().with_context(|| format!("{} has no row", path.display()))?;
    Ok(match name {
        "gaussian_linear" => Box::new(tasks::GaussianLinear { observed }),
        "gaussian_linear_uniform" => Box::new(tasks::GaussianLinearUniform { observed }),
        "gaussian_mixture" => Box::new(tasks::GaussianMixture { observed }),
        "two_moons" => Box::new(tasks::TwoMoons { observed }),
        "slcp" => Box::new(tasks::Slcp { observed }),
        "bernoulli_glm" => {
            Box::new(tasks::BernoulliGlm::new(observed, numbers(&folder.join(name).join("design.csv"))?)?)
        }
        "sir" => Box::new(dynamics::Sir::new(observed)),
        "lotka_volterra" => Box::new(dynamics::LotkaVolterra { observed }),
        _ => bail!("there is no task {name}; tasks are {}", TASKS.join(", ")),
    })
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [observations, out, named @ ..] = arguments.as_slice() else {
        bail!("usage: sbibm OBSERVATIONS DRAWS [TASK ...]");
    };
    let named: Vec<&str> = if named.is_empty() { TASKS.to_vec() } else { named.iter().map(String::as_str).collect() };
    println!("| task | observation | evaluations | stages | effective | founders | log evidence | seconds |");
    println!("|---|---|---|---|---|---|---|---|");
    for name in named {
        fs::create_dir_all(Path::new(out).join(name))?;
        for observation in 1..=10 {
            let target = OnTheLine(task(name, Path::new(observations), observation)?);
            let budget = if name == "slcp" { 5_000_000 } else { 1_000_000 };
            let settings = Settings { seed: observation as u64, particles: DRAWS, budget, ..Settings::default() };
            let begun = Instant::now();
            let posterior = smc::run(&target, &settings, &mut Unwatched)?;
            if std::env::var_os("SBIBM_STAGES").is_some() {
                for stage in &posterior.stages {
                    eprintln!("{stage:?}");
                }
            }
            println!(
                "| {name} | {observation} | {} | {} | {:.0} | {:.0} | {:.3} | {:.1} |",
                posterior.evaluations,
                posterior.stages.len(),
                posterior.effective(),
                posterior.stages.last().map_or(0.0, |stage| stage.founders),
                posterior.log_evidence,
                begun.elapsed().as_secs_f64(),
            );
            let draws = posterior.draws(DRAWS, settings.seed);
            let rows: Vec<Vec<f64>> =
                draws.par_iter().map(|&draw| target.0.parameters(posterior.points.point(draw))).collect();
            let mut writer = csv::Writer::from_path(Path::new(out).join(name).join(format!("{observation}.csv")))?;
            writer.write_record((1..=target.dimension()).map(|k| format!("parameter_{k}")))?;
            for row in rows {
                writer.serialize(row)?;
            }
            writer.flush()?;
        }
    }
    Ok(())
}
