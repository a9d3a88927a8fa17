//! Each command's story in a few lines.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::args::{Arguments, Command, Common};
use super::findings::gather;
use super::pipeline::{self, Estimates, Input};
use super::progress::Progress;
use super::{Stop, summary};
use crate::calibrate::Check;
use crate::report;
use crate::strategy::Comparison;
use crate::{problem, scenario, store, synth};

/// Runs a command.
pub fn run(arguments: &Arguments) -> Result<(), Stop> {
    let common = &arguments.common;
    rayon::ThreadPoolBuilder::new().num_threads(common.threads).build_global()?;
    match &arguments.command {
        Command::Run(argument) | Command::Compare(argument) => everything(&argument.scenario, common),
        Command::Check(argument) => check(&argument.scenario, common),
        Command::Calibrate(argument) => match argument.sbc {
            None => calibrate(&argument.scenario, common),
            Some(fits) => super::sbc::sbc(&argument.scenario, fits as usize, common),
        },
        Command::Potential(argument) => potential(&argument.scenario, common),
        Command::Hide(argument) => super::hide::hide(argument, common),
        Command::Backtest(argument) => super::backtest::backtest(argument, common),
        Command::Optimise(argument) => super::optimise::optimise(&argument.scenario, common),
        Command::Synth { description, directory } => synthesise(description, directory, common),
        Command::Schema { parameters: false } => print(&scenario::json_schema()),
        Command::Schema { parameters: true } => print(&scenario::parameter_tables()),
    }
}

/// Prints to standard output; a closed pipe is not an error.
pub(super) fn print(text: &str) -> Result<(), Stop> {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn everything(path: &Path, common: &Common) -> Result<(), Stop> {
    let mut progress = Progress::new(common.quiet, 6);
    let (input, estimates) = estimated(path, common, &mut progress)?;
    let failed = pipeline::failed(&estimates.calibration.checks).filter(|_| !common.force).cloned();
    let comparison = match &failed {
        Some(check) => Err(withheld(check)),
        None => Ok(pipeline::compared(&input, &estimates, &mut progress)?),
    };
    finish(&input, &estimates, comparison, common, &mut progress)?;
    failed.map_or(Ok(()), |check| Err(Stop::Checks(withheld(&check))))
}

fn potential(path: &Path, common: &Common) -> Result<(), Stop> {
    let mut progress = Progress::new(common.quiet, 5);
    let (input, estimates) = estimated(path, common, &mut progress)?;
    let asked = "strategies were not asked for: `ikiz run` compares them".to_owned();
    finish(&input, &estimates, Err(asked), common, &mut progress)
}

/// Reads the input, and makes sure before the long work that the output may be written.
fn read(path: &Path, common: &Common, progress: &mut Progress) -> Result<Input, Stop> {
    let input = pipeline::read(path, common, progress)?;
    store::may_write(&output(&input, common))?;
    warn(&input, common);
    Ok(input)
}

/// The folder that results go to.
fn output(input: &Input, common: &Common) -> std::path::PathBuf {
    common.out.join(&input.scenario.name)
}

fn estimated(path: &Path, common: &Common, progress: &mut Progress) -> Result<(Input, Estimates), Stop> {
    let input = read(path, common, progress)?;
    let calibration = pipeline::calibrated(&input, common, progress)?;
    let estimates = pipeline::estimated(&input, calibration, common, progress)?;
    Ok((input, estimates))
}

fn withheld(check: &Check) -> String {
    format!(
        "the check \"{}\" failed: {}. {} Strategies and targets are withheld; potential.csv is written and marked. \
         --force shows them all the same",
        check.name, check.finding, check.advice
    )
}

fn check(path: &Path, common: &Common) -> Result<(), Stop> {
    let mut progress = Progress::new(common.quiet, 2);
    let input = pipeline::read(path, common, &mut progress)?;
    warn(&input, common);
    let card = crate::calibrate::readiness(
        &input.bound.market,
        input.scenario.economics.stable_prices,
        super::pipeline::feasts_on(&input.scenario),
    );
    print(&summary::readiness(&input, &card, common.json))?;
    match pipeline::failed(&card) {
        Some(check) => Err(Stop::Checks(format!("not ready: {}. {}", check.finding, check.advice))),
        None => Ok(()),
    }
}

fn calibrate(path: &Path, common: &Common) -> Result<(), Stop> {
    let mut progress = Progress::new(common.quiet, 3);
    let input = read(path, common, &mut progress)?;
    let calibration = pipeline::calibrated(&input, common, &mut progress)?;
    let posterior = calibration.posterior_table();
    let files = report::calibration_tables(
        &(posterior.header, posterior.rows),
        &calibration.diagnostics,
        &calibration.actions_found,
    )?;
    let passed = pipeline::failed(&calibration.checks).is_none();
    write(&input, files, passed, common, &progress)?;
    match pipeline::failed(&calibration.checks) {
        Some(check) => {
            Err(Stop::Checks(format!("the check \"{}\" failed: {}. {}", check.name, check.finding, check.advice)))
        }
        None => Ok(()),
    }
}

fn synthesise(description: &Path, directory: &Path, common: &Common) -> Result<(), Stop> {
    let description = synth::Description::read(description).map_err(Stop::Input)?;
    let seed = common.seed.unwrap_or(description.seed);
    let mut progress = Progress::new(common.quiet, 1);
    progress.stage("making the synthetic market", |_| synth::write(&synth::generate(&description, seed), directory))?;
    if !common.quiet {
        print(&format!(
            "{}: the market\n{}: its truth, for scoring only",
            directory.join("market").display(),
            directory.join("truth").display()
        ))?;
    }
    Ok(())
}

/// Prints the warnings of the input.
pub(super) fn warn(input: &Input, common: &Common) {
    if !common.quiet && !input.warnings.is_empty() {
        eprintln!("{}", problem::render(&input.warnings, false));
    }
}

fn finish(
    input: &Input,
    estimates: &Estimates,
    comparison: Result<Comparison, String>,
    common: &Common,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let findings = gather(input, estimates, comparison, common.force);
    let files = progress.stage("writing the report", |_| report::render(&findings))?;
    let passed = pipeline::failed(&estimates.calibration.checks).is_none();
    let directory = write(input, files, passed, common, progress)?;
    if !common.quiet || common.json {
        print(&summary::of(&findings, &directory, common.json))?;
    }
    Ok(())
}

/// Writes the output folder, whole or not at all, and gives its path.
fn write(
    input: &Input,
    files: Vec<(String, Vec<u8>)>,
    checks_passed: bool,
    common: &Common,
    progress: &Progress,
) -> Result<std::path::PathBuf, Stop> {
    write_to(input, &input.scenario.name, files, Some(checks_passed), &[], common, progress)
}

/// [`write`] to a folder of this name, with further settings for the manifest.
pub(super) fn write_to(
    input: &Input,
    folder: &str,
    mut files: Vec<(String, Vec<u8>)>,
    checks_passed: Option<bool>,
    further: &[(&'static str, serde_json::Value)],
    common: &Common,
    progress: &Progress,
) -> Result<std::path::PathBuf, Stop> {
    let directory = common.out.join(folder);
    let scenario = &input.scenario;
    let mut settings = BTreeMap::from([
        ("draws", json!(common.draws)),
        ("horizon", json!(scenario.horizon)),
        ("monte_carlo", json!(scenario.monte_carlo)),
        ("effort", json!(scenario.effort)),
        ("overrides", json!(common.overrides)),
    ]);
    settings.extend(further.iter().cloned());
    let inputs = pipeline::inputs(input).iter().map(|file| (file.name.clone(), file.sha256.clone()));
    let scenario_hash = store::hash(scenario.source.text.as_bytes());
    let manifest = store::Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: scenario.seed,
        scenario: scenario.name.clone(),
        market: input.bound.market.data.meta.name.clone(),
        inputs: std::iter::once((format!("{}.toml", scenario.name), scenario_hash)).chain(inputs).collect(),
        settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        checks_passed,
    };
    files.push((store::MANIFEST.into(), manifest.bytes(&files)));
    files.push((store::TIMINGS.into(), store::timings(&progress.timings)));
    store::write_whole(&directory, &files)?;
    Ok(directory)
}
