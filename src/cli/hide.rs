//! `ikiz hide`: a trial of the dark half on the user's own data.

use serde_json::json;

use super::args::{Common, HideArguments};
use super::pipeline::{self, Input};
use super::progress::Progress;
use super::{Stop, commands, summary};
use crate::potential::{self, DarkHalf, Observed, PotentialError};
use crate::problem::Problem;
use crate::report::{self, Trial};
use crate::stats::Summary;
use crate::store;
use crate::trial::{self, By, TrialError};

/// A trial that cannot be made is a matter of the input, not of the program.
fn refused(error: TrialError) -> Stop {
    Stop::Input(vec![Problem::error(error.to_string())])
}

/// Hides, estimates again, scores and writes.
pub fn hide(arguments: &HideArguments, common: &Common) -> Result<(), Stop> {
    let by = By::from(arguments.by);
    if by != By::Recent && !(arguments.share > 0.0 && arguments.share <= 0.9) {
        return Err(refused(TrialError::Share(arguments.share)));
    }
    let mut progress = Progress::new(common.quiet, 5);
    let input = pipeline::read(&arguments.scenario, common, &mut progress)?;
    let folder = format!("{}-hide-{by}", input.scenario.name);
    store::may_write(&common.out.join(&folder))?;
    commands::warn(&input, common);
    let trial = tried(&input, by, arguments.share, common, &mut progress)?;
    let files = progress.stage("writing the report", |_| report::render_trial(&trial))?;
    let extra = [("by", json!(by.to_string())), ("share", json!((by != By::Recent).then_some(arguments.share)))];
    let directory = commands::write_to(&input, &folder, files, None, &extra, common, &progress)?;
    if !common.quiet || common.json {
        commands::print(&summary::trial(&trial, &directory, common.json))?;
    }
    Ok(())
}

fn tried(input: &Input, by: By, share: f64, common: &Common, progress: &mut Progress) -> Result<Trial, Stop> {
    let market = &input.bound.market;
    let seed = input.scenario.seed;
    // What each file is worth takes as long as the estimate, and no trial reads it.
    let settings = potential::Settings {
        worth_of_files: false,
        ..pipeline::potential_settings(&input.scenario, common.draws as usize)
    };
    // The two estimates must not share their random numbers: the scores treat them as independent.
    let other = potential::Settings { seed: seed.wrapping_add(1), ..settings.clone() };
    let mut estimate =
        |name: &str, observed: &Observed, settings: &potential::Settings| -> Result<DarkHalf, PotentialError> {
            progress.stage(name, |stage| {
                potential::estimate_observed(observed, market.unit(), settings, &|done| stage.done(done))
            })
        };
    let now = Observed::new(market)?;
    let then = if by == By::Recent { Some(Observed::new(&trial::as_of(market).map_err(refused)?)?) } else { None };
    let observed = then.as_ref().unwrap_or(&now);
    let hidden = trial::choose(observed, by, share, seed).map_err(refused)?;
    let full = estimate("estimating with all the data", &now, &settings)?;
    let reduced = estimate("estimating without the hidden", &trial::hide(observed, &hidden, seed), &other)?;
    let (rows, scores, calibration) = if by == By::Recent {
        let (rows, scores, calibration) = trial::score_recent(observed, &hidden, &reduced, seed).map_err(refused)?;
        let totals: Vec<f64> = full.dark_customers.iter().map(|draw| draw.iter().sum()).collect();
        (rows, scores, Summary::of(&totals).map(|summary| (calibration, summary)))
    } else {
        let (rows, scores) = trial::score_hidden(observed, &hidden, &full, &reduced, market.unit()).map_err(refused)?;
        (rows, scores, None)
    };
    Ok(Trial {
        market_name: market.data.meta.name.clone(),
        currency: market.data.meta.currency.clone(),
        by,
        hidden: hidden.iter().filter(|&&hide| hide).count(),
        customers: hidden.len(),
        rows,
        scores,
        calibration,
    })
}
