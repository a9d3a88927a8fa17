//! The command line: arguments, the pipeline behind each command, progress, exit codes.

mod args;
mod backtest;
mod commands;
mod findings;
mod hide;
mod optimise;
mod pipeline;
mod progress;
mod sbc;
mod summary;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::problem::{self, Problem};

/// Why a command stopped.
#[derive(Debug)]
pub enum Stop {
    /// Bad input: exit code 2.
    Input(Vec<Problem>),
    /// A self-check failed; what may be shown was written: exit code 3.
    Checks(String),
    /// Something else went wrong: exit code 1.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs the command and gives its exit code: 0 done, 1 failed, 2 bad input, 3 checks failed.
pub fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    // What the library has to say beside its results (an old output that could not be deleted, for example).
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN);
    let _ = log.without_time().with_target(false).try_init();
    match commands::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => report(&stop),
    }
}

fn report(stop: &Stop) -> ExitCode {
    use std::io::IsTerminal as _;
    let mut out = std::io::stderr();
    let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A closed pipe is no reason to fail differently.
    let (_, code) = match stop {
        Stop::Input(problems) => (write!(out, "{}", problem::render(problems, colour)), 2),
        Stop::Checks(why) => (writeln!(out, "{why}"), 3),
        Stop::Failed(error) => (writeln!(out, "error: {error:#}"), 1),
    };
    ExitCode::from(code)
}
