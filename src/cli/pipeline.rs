//! From a scenario file to findings: the stages in order, each handing draws to the next.

use std::path::{Path, PathBuf};

use super::Stop;
use super::args::Common;
use super::progress::Progress;
use crate::calibrate::{self, Calibration, Check, Verdict};
use crate::data::{self, InputFile};
use crate::market::{self, Bound};
use crate::potential::{self, AttainableInputs, DarkHalf, EffortRow, PotentialRow};
use crate::problem::{Problem, any_error};
use crate::scenario::{self, MarketSource, Prior, Scenario};
use crate::strategy::{self, Comparison};
use crate::synth::{self, Description};

/// A scenario and its market, read and bound.
pub struct Input {
    pub scenario: Scenario,
    pub bound: Bound,
    pub warnings: Vec<Problem>,
    /// Columns and files that nothing reads.
    pub ignored: Vec<String>,
    pub market_directory: PathBuf,
}

/// Reads scenario and market; makes the market first when it is a synthetic one.
pub fn read(path: &Path, common: &Common, progress: &mut Progress) -> Result<Input, Stop> {
    let (mut scenario, mut warnings) = scenario::load(path, &common.overrides).map_err(Stop::Input)?;
    if let Some(seed) = common.seed {
        scenario.seed = seed;
    }
    let directory = match (&common.market, &scenario.market) {
        (Some(directory), _) | (None, MarketSource::Directory(directory)) => directory.clone(),
        (None, MarketSource::Synthetic(description)) => make_market(description, common, progress)?,
        (None, MarketSource::CommandLine) => {
            return Err(Stop::Input(vec![
                Problem::error(format!("{} names no market", path.display()))
                    .help("add --market DIR, or market = { path = \"DIR\" } to the scenario"),
            ]));
        }
    };
    let loaded = progress.stage("reading the market", |_| data::load(&directory));
    let loaded = loaded.map_err(|refused| Stop::Input(refused.problems))?;
    warnings.extend(loaded.warnings);
    let ignored = ignored(&loaded.ignored_columns, &loaded.ignored_files);
    let (bound, found) = market::bind(&scenario, loaded.market).map_err(Stop::Input)?;
    warnings.extend(found);
    let mut unfit = strategy::check_budget(&scenario, &bound);
    unfit.extend(strategy::check_hiring(&scenario, &bound));
    unfit.extend(strategy::check_rules(&scenario, &bound));
    if any_error(&unfit) {
        return Err(Stop::Input(unfit));
    }
    Ok(Input { scenario, bound, warnings, ignored, market_directory: directory })
}

fn make_market(description: &Path, common: &Common, progress: &mut Progress) -> Result<PathBuf, Stop> {
    let name = description.file_stem().unwrap_or_default();
    let directory = common.out.join("markets").join(name);
    let description = Description::read(description).map_err(Stop::Input)?;
    let seed = description.seed;
    progress
        .stage("making the synthetic market", |_| synth::write(&synth::generate(&description, seed), &directory))?;
    Ok(directory.join("market"))
}

/// What calibration and the dark half gave.
pub struct Estimates {
    pub calibration: Calibration,
    pub dark_half: DarkHalf,
    pub potential: Vec<PotentialRow>,
    pub potential_effort: Vec<EffortRow>,
}

/// Calibrates.
pub fn calibrated(input: &Input, common: &Common, progress: &mut Progress) -> Result<Calibration, Stop> {
    let settings = calibration_settings(&input.scenario, &input.bound, common.draws as usize);
    let fitted = progress.stage("calibrating the response", |stage| {
        calibrate::fit(&input.bound.market, &settings, &mut |_, share| stage.done(share))
    });
    Ok(fitted?)
}

/// Settings of the calibration.
pub fn calibration_settings(scenario: &Scenario, bound: &Bound, draws: usize) -> calibrate::Settings {
    let priors = scenario.mechanisms.iter().flat_map(|(mechanism, settings)| {
        let priors = settings.priors.iter();
        priors.map(move |(parameter, prior)| ((mechanism.clone(), parameter.clone()), prior.value))
    });
    calibrate::Settings {
        seed: scenario.seed,
        draws,
        priors: priors.collect(),
        stable_prices: scenario.economics.stable_prices,
        feasts: feasts_on(scenario),
        further: calibrate::switched_on(&bound.market, &scenario.mechanisms, strategy::has_rules(bound)),
        ..calibrate::Settings::default()
    }
}

/// Estimates the dark half and everything that rests on it.
pub fn estimated(
    input: &Input,
    calibration: Calibration,
    common: &Common,
    progress: &mut Progress,
) -> Result<Estimates, Stop> {
    let settings = potential_settings(&input.scenario, common.draws as usize);
    let market = &input.bound.market;
    let dark_half = progress.stage("estimating the dark half", |stage| {
        potential::estimate(market, &settings, &|share| stage.done(share))
    })?;
    let seed = input.scenario.seed;
    let inputs = AttainableInputs {
        effort: input.scenario.effort,
        calibration: &calibration,
        rates: &|draw| calibration.customer_rates(market, draw, seed),
        seed,
    };
    let potential = potential::measures(market, &dark_half, Some(inputs));
    let potential_effort = potential::effort_curves(market, &dark_half, inputs);
    Ok(Estimates { calibration, dark_half, potential, potential_effort })
}

/// Whether the scenario leaves moving feasts on.
pub fn feasts_on(scenario: &Scenario) -> bool {
    !scenario.mechanisms.iter().any(|(name, settings)| name == "feasts" && settings.on == Some(false))
}

/// Settings of the estimate of the dark half.
pub fn potential_settings(scenario: &Scenario, draws: usize) -> potential::Settings {
    let mut settings = potential::Settings {
        seed: scenario.seed,
        draws,
        panel_error: potential::PANEL_ERROR,
        ..potential::Settings::default()
    };
    let prior = scenario.mechanisms.get("dark").and_then(|dark| dark.priors.get("size_ratio"));
    if let Some(Prior::Lognormal { median, sd }) = prior.map(|prior| prior.value) {
        settings.size_ratio = potential::SizeRatioPrior { median, log_sd: sd };
    }
    settings
}

fn ignored(columns: &[data::IgnoredColumn], files: &[String]) -> Vec<String> {
    let columns = columns.iter().map(|ignored| format!("column `{}` of {}", ignored.column, ignored.file));
    columns.chain(files.iter().map(|file| format!("file {file}"))).collect()
}

/// Compares the strategies.
pub fn compared(input: &Input, estimates: &Estimates, progress: &mut Progress) -> Result<Comparison, Stop> {
    progress
        .stage("comparing strategies", |stage| {
            strategy::compare(
                &input.scenario,
                &input.bound,
                &estimates.calibration,
                &estimates.dark_half,
                &|done, expected| stage.done(f64::from(done) / f64::from(expected.max(1))),
            )
        })
        .map_err(Stop::Input)
}

/// The first failed check, if any.
pub fn failed(checks: &[Check]) -> Option<&Check> {
    checks.iter().find(|check| check.verdict == Verdict::Fail)
}

/// Files of the market that were read.
pub fn inputs(input: &Input) -> &[InputFile] {
    &input.bound.market.data.files
}
