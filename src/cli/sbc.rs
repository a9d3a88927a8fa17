//! `ikiz calibrate --sbc N`: is the calibration itself right, under the scenario's priors?

use std::path::Path;
use std::sync::Mutex;

use serde_json::json;

use super::args::Common;
use super::pipeline;
use super::progress::Progress;
use super::{Stop, commands, summary};
use crate::calibrate::{Settings, sbc};
use crate::potential::attainable::standard_prospect;
use crate::report;
use crate::store;

/// Makes twins, calibrates, ranks and writes. Quantities outside their band are a failed check (exit 3).
pub fn sbc(path: &Path, fits: usize, common: &Common) -> Result<(), Stop> {
    let mut progress = Progress::new(common.quiet, 3);
    let input = pipeline::read(path, common, &mut progress)?;
    let folder = format!("{}-sbc", input.scenario.name);
    store::may_write(&common.out.join(&folder))?;
    commands::warn(&input, common);
    let priors = pipeline::calibration_settings(&input.scenario, &input.bound, common.draws as usize).priors;
    let calibration = Settings { seed: input.scenario.seed, priors, ..Settings::default() };
    let settings = sbc::Settings::new(fits, calibration);
    let effort = input.scenario.effort;
    let untapped = |draw: &crate::calibrate::Draw| vec![("untapped_share".to_owned(), standard_prospect(draw, effort))];
    let found = progress.stage("calibrating small twins with known truths", |stage| {
        let stage = Mutex::new(stage);
        sbc::run(&settings, &untapped, &|share| {
            if let Ok(stage) = stage.lock() {
                stage.done(share);
            }
        })
    })?;
    let files = progress.stage("writing the report", |_| report::render_sbc(&found, &input.scenario.name))?;
    let extra = [("sbc", json!(fits))];
    let passed = found.outside().next().is_none();
    let directory = commands::write_to(&input, &folder, files, Some(passed), &extra, common, &progress)?;
    if !common.quiet || common.json {
        commands::print(&summary::sbc(&found, &directory, common.json))?;
    }
    if passed { Ok(()) } else { Err(Stop::Checks(report::sbc_verdict(&found))) }
}
