//! `ikiz backtest`: the forecast made in years that are over, against what came.

use serde_json::json;

use super::args::{BacktestArguments, Common};
use super::pipeline::{self, Input};
use super::progress::Progress;
use super::{Stop, commands, summary};
use crate::market::{Bound, BoundStrategy, CustomerAttributes, Market, responses};
use crate::potential;
use crate::problem::Problem;
use crate::report::{self, Backtest};
use crate::scenario::Scenario;
use crate::store;
use crate::strategy::{self, Forecast};
use crate::trial::backtest::{self, AHEAD, Case, Measure, Origins};
use crate::units::Month;

/// Forecasts from every origin, scores and writes.
pub fn backtest(arguments: &BacktestArguments, common: &Common) -> Result<(), Stop> {
    let wanted = match arguments.at.as_slice() {
        [] => Origins::Yearly(arguments.origins as usize),
        months => Origins::At(months.to_vec()),
    };
    let count = if let Origins::At(months) = &wanted { months.len() } else { arguments.origins as usize };
    let mut progress = Progress::new(common.quiet, 2 + 3 * count);
    let input = pipeline::read(&arguments.scenario, common, &mut progress)?;
    let folder = format!("{}-backtest", input.scenario.name);
    store::may_write(&common.out.join(&folder))?;
    commands::warn(&input, common);
    let market = &input.bound.market;
    let origins = backtest::origins(market.history, &wanted)
        .map_err(|error| Stop::Input(vec![Problem::error(error.to_string())]))?;
    let tested = tested(&input, &origins, common, &mut progress)?;
    let files = progress.stage("writing the report", |_| report::render_backtest(&tested))?;
    let extra = [("origins", json!(origins.iter().map(Month::to_string).collect::<Vec<_>>()))];
    let directory = commands::write_to(&input, &folder, files, None, &extra, common, &progress)?;
    if !common.quiet || common.json {
        commands::print(&summary::backtest(&tested, &directory, common.json))?;
    }
    Ok(())
}

fn tested(input: &Input, origins: &[Month], common: &Common, progress: &mut Progress) -> Result<Backtest, Stop> {
    let market = &input.bound.market;
    let scenario = Scenario { horizon: AHEAD as u32, ..input.scenario.clone() };
    let (mut cases, mut failed) = (Vec::new(), Vec::new());
    for &origin in origins {
        let then = market.as_known(origin);
        let bound = Bound {
            attributes: CustomerAttributes::of(&then),
            responses: responses(&then),
            strategies: vec![BoundStrategy { id: "as-today".into(), levers: Vec::new() }],
            optimise: None,
            market: then,
        };
        let settings = pipeline::calibration_settings(&scenario, &bound, common.draws as usize);
        let calibration = progress.stage(&format!("{origin}: calibrating"), |stage| {
            crate::calibrate::fit(&bound.market, &settings, &mut |_, share| stage.done(share))
        })?;
        failed.extend(pipeline::failed(&calibration.checks).map(|check| (origin, check.clone())));
        let settings = potential::Settings {
            worth_of_files: false,
            ..pipeline::potential_settings(&scenario, common.draws as usize)
        };
        let dark_half = progress.stage(&format!("{origin}: estimating the dark half"), |stage| {
            potential::estimate(&bound.market, &settings, &|share| stage.done(share))
        })?;
        let forecast = progress
            .stage(&format!("{origin}: forecasting"), |_| {
                strategy::forecast(&scenario, &bound, &calibration, &dark_half, common.draws.max(LEAST_RUNS))
            })
            .map_err(Stop::Input)?;
        cases.extend(cases_of(market, origin, &forecast, scenario.seed));
    }
    let names: Vec<String> = (0..market.territory_count()).map(|j| market.data.territory_id(j).to_owned()).collect();
    let since = origins.first().map_or(0, |first| market.history.position(first.plus(-23)).unwrap_or(0));
    Ok(Backtest {
        market_name: market.data.meta.name.clone(),
        currency: market.data.meta.currency.clone(),
        unit: market.unit().to_owned(),
        origins: origins.to_vec(),
        rows: backtest::score(&cases, &names, market.unit()),
        actual: [Measure::OwnSales, Measure::TotalDemand]
            .map(|measure| {
                let months = market.history.months().zip(series(market, measure, None)).skip(since);
                (measure, months.filter_map(|(month, value)| Some((month, value?))).collect())
            })
            .to_vec(),
        cases,
        names,
        failed,
    })
}

/// Runs of a forecast at least: quantiles at 5% and 95% rest on few of them.
const LEAST_RUNS: u32 = 400;

/// Every series that can be scored.
fn cases_of(market: &Market, origin: Month, forecast: &Forecast, seed: u64) -> Vec<Case> {
    let Some(end) = market.history.position(origin) else { return Vec::new() };
    let places = std::iter::once(None).chain((0..forecast.territories).map(Some));
    let mut out = Vec::new();
    for place in places {
        for (measure, runs) in
            [(Measure::OwnSales, Some(&forecast.own_sales)), (Measure::TotalDemand, forecast.total_demand.as_ref())]
        {
            let Some(runs) = runs else { continue };
            let series = series(market, measure, place);
            let known = |range: std::ops::Range<usize>| series[range].iter().copied().collect::<Option<Vec<f64>>>();
            // The simple forecasts need an unbroken past; it is the same for all models.
            let from = (0..=end).rev().find(|&t| series[t].is_none()).map_or(0, |gap| gap + 1);
            let (Some(past), Some(actual)) = (known(from..end + 1), known(end + 1..end + 1 + AHEAD)) else { continue };
            // Nothing was sold here and nothing is.
            if past.iter().chain(&actual).all(|&y| y == 0.0) {
                continue;
            }
            let twin = runs.iter().map(|run| {
                run.chunks(forecast.territories)
                    .map(|month| match place {
                        Some(j) => f64::from(month[j]),
                        None => month.iter().map(|&x| f64::from(x)).sum(),
                    })
                    .collect()
            });
            out.extend(Case::new(origin, place, measure, &past, actual, twin.collect(), seed));
        }
    }
    out
}

/// What was observed by month: of a territory, or (`None`) of the whole market.
fn series(market: &Market, measure: Measure, place: Option<usize>) -> Vec<Option<f64>> {
    match measure {
        Measure::OwnSales => {
            let customers = place.map_or(0..market.customer_count(), |j| market.customers_of(j));
            let mut out = vec![0.0; market.months()];
            for customer in customers {
                for (month, amount) in market.sales.of(customer) {
                    out[month] += amount;
                }
            }
            out.into_iter().map(Some).collect()
        }
        Measure::TotalDemand => match (&market.panel, place) {
            (None, _) => vec![None; market.months()],
            (Some(panel), Some(j)) => panel.category[j].clone(),
            (Some(panel), None) => (0..market.months())
                .map(|t| {
                    let sum = || panel.category.iter().map(|series| series[t]).sum::<Option<f64>>();
                    panel.market_category[t].or_else(sum)
                })
                .collect(),
        },
    }
}
