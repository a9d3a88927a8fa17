//! `ikiz optimise`: searches for a plan under the budget.

use std::path::Path;

use serde_json::json;

use super::args::Common;
use super::pipeline;
use super::progress::Progress;
use super::{Stop, commands, summary};
use crate::{optimise, report, store};

/// Calibrates, estimates the dark half, searches and writes. A failed check withholds the plan (exit 3) unless it is forced.
pub fn optimise(path: &Path, common: &Common) -> Result<(), Stop> {
    let mut progress = Progress::new(common.quiet, 6);
    let mut input = pipeline::read(path, common, &mut progress)?;
    optimise::checked(&input.scenario, &input.bound).map_err(Stop::Input)?;
    let folder = format!("{}-optimise", input.scenario.name);
    store::may_write(&common.out.join(&folder))?;
    commands::warn(&input, common);
    input.bound = optimise::with_levels(&input.bound);
    let calibration = pipeline::calibrated(&input, common, &mut progress)?;
    if let Some(check) = pipeline::failed(&calibration.checks).filter(|_| !common.force) {
        return Err(Stop::Checks(format!(
            "the check \"{}\" failed: {}. {} No plan is searched for on a twin that failed a check; --force does it all the same",
            check.name, check.finding, check.advice
        )));
    }
    let passed = pipeline::failed(&calibration.checks).is_none();
    let estimates = pipeline::estimated(&input, calibration, common, &mut progress)?;
    let found = progress.stage("searching for a plan", |stage| {
        optimise::optimise(
            &input.scenario,
            &input.bound,
            &estimates.calibration,
            &estimates.dark_half,
            &|done, expected| stage.done(f64::from(done) / f64::from(expected.max(1))),
        )
    });
    let found = found.map_err(Stop::Input)?;
    let strategy = match &input.scenario.optimise {
        Some(plan) => optimise::strategy_file(&input.scenario, plan, &found),
        None => String::new(),
    };
    let files =
        progress.stage("writing the plan", |_| report::render_optimise(&found, &input.scenario.name, &strategy))?;
    let extra = [("optimise_budget", json!(found.budget))];
    let directory = commands::write_to(&input, &folder, files, Some(passed), &extra, common, &progress)?;
    if !common.quiet || common.json {
        commands::print(&summary::optimised(&found, &directory, common.json))?;
    }
    Ok(())
}
