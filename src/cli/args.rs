//! Arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::trial::By;
use crate::units::Month;

/// A digital twin of your market: rebuilds the half you cannot see, and compares ways to grow before anyone is sent out.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

/// What all commands share.
#[derive(Debug, Args)]
pub struct Common {
    /// Market directory, instead of the scenario's.
    #[arg(long, global = true, value_name = "DIR")]
    pub market: Option<PathBuf>,
    /// Overrides a field of the scenario, e.g. --set economics.budget=5e6 (repeatable).
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Seed, instead of the scenario's.
    #[arg(long, global = true)]
    pub seed: Option<u64>,
    /// Folder that results go under.
    #[arg(long, global = true, value_name = "DIR", default_value = "output")]
    pub out: PathBuf,
    /// Threads (0 = one a core). Results are the same for any number.
    #[arg(long, global = true, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    /// Posterior draws (more are slower and smoother).
    #[arg(long, global = true, default_value_t = 400, value_name = "N", value_parser = clap::value_parser!(u32).range(50..=10_000))]
    pub draws: u32,
    /// No progress, no summary; problems only.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// The summary as one JSON object on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Show strategies and targets even when a self-check failed.
    #[arg(long, global = true)]
    pub force: bool,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Does everything: check, calibrate, estimate the dark half, compare strategies, write the report.
    Run(ScenarioArgument),
    /// Checks scenario and market, and says what the data can and cannot carry.
    Check(ScenarioArgument),
    /// Calibrates and writes posterior.csv and diagnostics.csv.
    Calibrate(CalibrateArguments),
    /// Calibrates, estimates the dark half and writes potential.csv, maps and a report without strategies.
    Potential(ScenarioArgument),
    /// Everything that `run` does; the name says what you came for.
    Compare(ScenarioArgument),
    /// Hides known customers of your own data, estimates them as unknown, and scores the estimate against them.
    Hide(HideArguments),
    /// Forecasts years that are over from what was known before them, and scores the forecasts against what came.
    Backtest(BacktestArguments),
    /// Searches for the plan that brings most within the budget: reps, calls and contacts by territory, as [optimise] of the scenario allows.
    Optimise(ScenarioArgument),
    /// Writes a synthetic market directory, with its truth beside it, from a description.
    Synth {
        /// Description of the market (TOML), e.g. scenarios/markets/turkiye.toml.
        description: PathBuf,
        /// Where to write: DIR/market and DIR/truth.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Prints the JSON Schema of scenario files.
    Schema {
        /// Prints the mechanisms and their parameters with default priors and sources instead, as in docs/model.md.
        #[arg(long)]
        parameters: bool,
    },
}

/// The scenario of a command.
#[derive(Debug, Args)]
pub struct ScenarioArgument {
    /// Scenario file, e.g. scenarios/turkiye.toml.
    pub scenario: PathBuf,
}

/// Arguments of `calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArguments {
    /// Scenario file, e.g. scenarios/turkiye.toml.
    pub scenario: PathBuf,
    /// Tests the calibration itself instead: N small twins with truths from your priors are calibrated, and the truths
    /// ranked among the draws (simulation-based calibration). About a second each; ask for 500.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub sbc: Option<u32>,
}

/// Arguments of `hide`.
#[derive(Debug, Args)]
pub struct HideArguments {
    /// Scenario file, e.g. scenarios/turkiye.toml.
    pub scenario: PathBuf,
    /// Share of the customers (by territory: of the territories) to hide; not read with --by recent.
    #[arg(long, default_value_t = 0.3)]
    pub share: f64,
    /// Who is hidden.
    #[arg(long, value_enum, default_value_t = HideBy::Random)]
    pub by: HideBy,
}

/// Arguments of `backtest`.
#[derive(Debug, Args)]
pub struct BacktestArguments {
    /// Scenario file, e.g. scenarios/turkiye.toml.
    pub scenario: PathBuf,
    /// Origins to forecast from, a year apart; the last lies 12 months before the history ends.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50))]
    pub origins: u32,
    /// Last month that a forecast may know, e.g. --at 2023-12 (repeatable), instead of --origins.
    #[arg(long, value_name = "YYYY-MM", conflicts_with = "origins")]
    pub at: Vec<Month>,
}

/// Who is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HideBy {
    /// The market as of 24 months ago; scored are the customers first known since.
    Recent,
    /// The smallest customers that you serve.
    Size,
    /// Any customers.
    Random,
    /// All customers of some territories.
    Territory,
}

impl From<HideBy> for By {
    fn from(by: HideBy) -> Self {
        match by {
            HideBy::Recent => Self::Recent,
            HideBy::Size => Self::Size,
            HideBy::Random => Self::Random,
            HideBy::Territory => Self::Territory,
        }
    }
}
