//! The whole calibration, step by step.

use std::collections::BTreeMap;

use nalgebra::DVector;
use rayon::prelude::*;

use crate::calibrate::alive::{Past as CustomerPast, Reading};
use crate::calibrate::curve;
use crate::calibrate::diagnostics::{Evidence, diagnostics};
use crate::calibrate::effects::{self, Rates};
use crate::calibrate::feasts::FeastModel;
use crate::calibrate::field_tests::FieldTests;
use crate::calibrate::further::Drawing;
use crate::calibrate::hazards::{self, Finds, Hazard};
use crate::calibrate::observed::Observed;
use crate::calibrate::past::Past;
use crate::calibrate::posterior_response::{self, ResponsePosterior};
use crate::calibrate::predictive::{self, Maker};
use crate::calibrate::priors;
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::season::{Path, Structural};
use crate::calibrate::series::{category_series, choose_discount, fit_shock, mean_path, own_season_speaks, own_series};
use crate::calibrate::space::Space;
use crate::calibrate::wallet;
use crate::calibrate::{Calibration, CustomerEffects, Draw, Wander, actions, checks};
use crate::channel::Channel;
use crate::market::Market;
use crate::scenario::Prior;
use crate::simulate::{Conversion, Discovery, Parameters};

/// What a calibration is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    pub seed: u64,
    /// Number of posterior draws.
    pub draws: usize,
    /// Overridden priors, by (mechanism, parameter): `[mechanism.goodwill] prior.decay = ...`. The share of wallet is
    /// ("choice", "share_of_wallet").
    pub priors: BTreeMap<(String, String), Prior>,
    /// The user says that prices hardly moved over the history: money needs no deflator.
    pub stable_prices: bool,
    /// Moving feasts and the events of `calendar.csv` are estimated; without, they are part of season and noise.
    pub feasts: bool,
    /// Further mechanisms that are on, see [`super::switched_on`].
    pub further: Vec<&'static str>,
    /// How often the likelihood of the response counts: 1. Anything else is a fault, by which the self-checks are tested.
    pub likelihood_times: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            draws: 400,
            priors: BTreeMap::new(),
            stable_prices: false,
            feasts: true,
            further: Vec::new(),
            likelihood_times: 1.0,
        }
    }
}

/// Why a market cannot be calibrated on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrateError {
    /// The history is too short.
    #[error("the history has {months} months, calibration needs 12: extend sales.csv back, or widen [history]")]
    ShortHistory { months: usize },
    /// There is nobody to learn from.
    #[error("customers.csv has no customers: add at least those you sell to")]
    NoCustomers,
    /// There is nothing to learn from.
    #[error("there are no own sales in {history}: check the periods of sales.csv and [history]")]
    NoSales { history: String },
    /// A prior of the scenario cannot be used.
    #[error("[mechanism.{mechanism}] prior.{parameter}: {reason}")]
    Prior { mechanism: String, parameter: String, reason: String },
    /// A draw has a value that is none. Nothing that rests on it may be written.
    #[error(
        "the calibration found no number for {parameter}: this is a fault of ikiz, not of your data. Please report it with the \
         scenario; until it is mended, try another --seed, or give the parameter a prior of its own"
    )]
    NoNumber { parameter: String },
    /// No draws were asked for.
    #[error("no draws were asked for: ask for at least 20")]
    NoDraws,
}

/// Fewest months that a calibration makes sense of: one full season.
pub(super) const FEWEST_MONTHS: usize = 12;

/// Calibrates a market. `progress` is told the stage and the share done, 0 to 1.
///
/// # Errors
/// [`CalibrateError`] says what is missing and what to do. Whatever the data are silent about is no error: it keeps its
/// prior, and [`Calibration::diagnostics`] says so.
pub fn fit(
    market: &Market,
    settings: &Settings,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<Calibration, CalibrateError> {
    Ok(fit_with_likelihood(market, settings, progress)?.0)
}

/// The likelihood of the response as it was in the end, and the draws that it led to.
pub(crate) struct Likelihood {
    past: Observed,
    space: Space,
    response: ResponsePosterior,
}

impl Likelihood {
    /// Its log (times the order unit) at a point.
    pub fn log(&self, point: &Point) -> f64 {
        self.past.evaluate(point, None, 12, false).value
    }

    /// The draws as they would be if the share of wallet and the spread of tastes were known: both are cut from the likelihood.
    pub fn draws_at(&self, share: f64, taste: f64, seed: u64) -> Vec<Point> {
        let space = self.space.at_share(share).at_taste(taste);
        let point = |(d, x): (usize, &DVector<f64>)| {
            space.draw(x, &self.response.drift, &mut Source::new(seed, Purpose::Hyper, d as u64 + 1)).0
        };
        self.response.draws.iter().enumerate().map(point).collect()
    }
}

/// The same, with the likelihood of the response.
///
/// # Errors
/// As [`fit`].
pub(crate) fn fit_with_likelihood(
    market: &Market,
    settings: &Settings,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<(Calibration, Likelihood), CalibrateError> {
    progress("customers", 0.0);
    let (mut past, mut observed) = Past::new(market, settings)?;
    let (seed, draws) = (settings.seed, settings.draws);

    progress("response", 0.1);
    let share = wallet::share_of_wallet(market, &observed, &past.priors);
    let taste = wallet::taste(market, &observed, &past.priors);
    let space = Space::new(&observed, &past.priors, share.prior, taste.prior);
    let tests = FieldTests::new(market, &observed);
    let mut response = posterior_response::fit(
        &mut observed,
        &mut |observed, point| past.heed(market, observed, point),
        &space,
        &tests,
        settings,
        &mut |done| progress("response", 0.1 + 0.6 * done),
    );
    let Past { priors, timelines, pasts, marked, alive, readings, sales: _ } = past;
    let mut source = Source::new(seed, Purpose::Hazards, 0);
    let marked =
        marked.map(|(events, _)| (events, hazards::living_months(market, &timelines, &pasts, &alive, &readings)));
    let closure = Hazard::closing(priors.prior("closure", "hazard"), marked, &alive, &mut source);
    let finds = Finds::count(market, &timelines);
    let order_unit_prior = priors.of("orders", "order_unit").map(|(prior, _)| prior);
    if let Some(prior) = order_unit_prior {
        response.order_unit = priors::moments(prior).0.max(1e-9);
    }

    progress("season and growth", 0.7);
    let feasts = FeastModel::new(market, &priors, settings.feasts);
    let panel = actions::panel_moves(market, &feasts, seed);
    let own = own_series(market, &observed, &response, &feasts, &panel.own);
    let own_fit = Structural::fit(&own);
    let category = category_series(market, &feasts, &panel.category);
    let category_fit = category.as_ref().map(Structural::fit);
    let own_season = own_season_speaks(market, &own);
    let shock = fit_shock(market, &observed, &response, &priors, &panel.category);

    progress("customers' rates", 0.8);
    let discount = choose_discount(market, &observed, &response, &own_fit, seed);
    let fading = effects::fading(market.months(), discount);
    let sold = effects::discounted_sales(&observed, &fading);
    let centre = mean_path(&own_fit, seed);
    let centre_exposures = observed.exposures(&response.point, &centre.relative, &fading, 0.0);
    let rates = Rates::fit(market, &observed, &sold, &centre_exposures.exposure, response.order_unit);

    progress("draws", 0.85);
    let prospecting_prior = priors.prior("discovery", "by_prospecting");
    let (prospecting_prior, prospecting_seen) =
        hazards::finds_by_prospecting(market, prospecting_prior, calls_a_month(market));
    let mut source = Source::new(seed, Purpose::Further, 0);
    let further = Drawing::new(market, &settings.further, &priors, draws, &mut source);
    let served = active(&pasts, &readings, market);
    let made: Vec<Made> = (0..draws)
        .into_par_iter()
        .map(|d| {
            let word = d as u64 + 1;
            let mut source = Source::new(seed, Purpose::Series, word);
            let own_path = own_fit.draw(&mut source);
            let category_path = category_fit.as_ref().map(|fit| fit.draw(&mut source));
            let shock_sd = if shock.fitted() || market.territory_count() > 2 || own_fit.silent() {
                shock.draw(&mut source)
            } else {
                own_path.white
            };
            let mut source = Source::new(seed, Purpose::Hyper, word);
            let (point, values) = space.draw(&response.draws[d], &response.drift, &mut source);
            let order_unit = match order_unit_prior {
                Some(prior) => priors::draw(prior, &mut source).max(1e-9),
                None => response.order_unit * libm::exp(response.order_unit_sd * source.normal()),
            };
            let prior = rates.draw(&mut source);
            let mut source = Source::new(seed, Purpose::Hazards, word);
            let goodwill_effect = priors::draw(priors.prior("conversion", "goodwill_effect"), &mut source);
            let hazards = source;
            let exposures = observed.exposures(&point, &own_path.relative, &fading, goodwill_effect);
            let n = market.customer_count();
            let (mut shape, mut rate) = (Vec::with_capacity(n), Vec::with_capacity(n));
            for (i, &sold) in sold.iter().enumerate() {
                if observed.bought[i] {
                    let (a, b) = effects::posterior(&prior, i, sold, &exposures, order_unit);
                    shape.push(a as f32);
                    rate.push(b as f32);
                } else {
                    // Never bought: no own rate.
                    shape.push(0.0);
                    rate.push(1.0);
                }
            }
            // What was seen is the hazard at the goodwill of those who could be won; the parameter is that at none.
            let conversion = alive.conversion_draws[d] / exposures.lift_of_conversion();
            let demand = category_path.as_ref().unwrap_or(&own_path);
            // Rivals' pushes swell the panel at period ends: its season is not that of what customers use up.
            let of_use = if own_season { &own_path } else { demand };
            let mut source = Source::new(seed, Purpose::Further, word);
            let reactivation = priors::draw(priors.prior("conversion", "reactivation"), &mut source);
            let prospecting_yield = priors::draw(priors.prior("discovery", "prospecting_yield"), &mut source);
            let drawn = further.draw(d, point.share, &mut source);
            let at_once = finds.draw_at_once(priors.prior("conversion", "at_once"), &mut source);
            let selection_of_known = priors::draw(priors.prior("choice", "selection_of_known"), &mut source);
            let mut source = hazards;
            let draw = Draw {
                parameters: Parameters {
                    season: of_use.season,
                    feasts: of_use.feasts.clone(),
                    growth: demand.growth,
                    shock_sd,
                    goodwill: point.goodwill,
                    order_unit,
                    discovery: Discovery {
                        spontaneous: 0.0,
                        referral: priors::draw(priors.prior("discovery", "referral"), &mut source),
                        prospecting_yield: 0.0,
                    },
                    conversion: Conversion { hazard: conversion, goodwill_effect, reactivation, at_once },
                    churn: alive.churn_draws[d],
                    closure: closure.draws[d],
                    birth: priors::draw(priors.prior("birth", "hazard"), &mut source),
                    more: drawn.further,
                },
                category_season: demand.season,
                own_wander: Wander::ahead(&own_path),
                category_wander: Wander::ahead(demand),
                finds: finds.draw(&mut source),
                finds_by_prospecting: priors::draw(prospecting_prior, &mut source),
                selection: priors::draw(priors.prior("choice", "selection"), &mut source),
                more: [
                    ("choice.share_of_wallet".to_owned(), point.share),
                    ("goodwill.elasticity_face_to_face".to_owned(), visit_elasticity(&observed, &point)),
                    ("own.growth".to_owned(), own_path.growth),
                    ("conversion.reactivation".to_owned(), reactivation),
                    ("discovery.prospecting_yield".to_owned(), prospecting_yield),
                    ("choice.selection_of_known".to_owned(), selection_of_known),
                    ("choice.taste".to_owned(), point.taste),
                    ("choice.calls_follow_taste".to_owned(), point.liking),
                    ("conversion.at_once".to_owned(), at_once),
                ]
                .into_iter()
                .chain(drawn.values)
                .collect(),
            };
            let goodwill = exposures.goodwill.iter().map(|&g| g as f32).collect();
            Made { draw, shape, rate, goodwill, values, own_path, point }
        })
        .collect();

    progress("checks", 0.95);
    let mut customers = CustomerEffects { active: served, ..CustomerEffects::default() };
    let (mut drawn, mut values, mut own_paths, mut points) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for made in made {
        customers.shape.push(made.shape);
        customers.rate.push(made.rate);
        customers.goodwill.push(made.goodwill);
        points.push(made.point);
        drawn.push(made.draw);
        values.push(made.values);
        own_paths.push(made.own_path);
    }
    let evidence = Evidence {
        priors: &priors,
        beforehand: [&share, &taste],
        space: &space,
        response: &response,
        tests: &tests,
        own_fit: &own_fit,
        category: category_fit.as_ref(),
        own_season,
        feasts: &feasts,
        shock_seen: shock.fitted() || (market.territory_count() <= 2 && !own_fit.silent()),
        closure: &closure,
        pasts: &pasts,
        finds: &finds,
        prospecting_seen,
        further: &further,
        seed,
    };
    let diagnostics = diagnostics(&drawn, &values, &evidence)?;
    let mut numbers = customers.shape.iter().chain(&customers.rate).chain(&customers.goodwill).flatten();
    if numbers.any(|number| !number.is_finite()) {
        return Err(CalibrateError::NoNumber { parameter: "a customer's own rate".into() });
    }
    let makers: Vec<Maker<'_>> = (0..draws)
        .map(|d| Maker {
            point: &points[d],
            relative: &own_paths[d].relative,
            order_unit: drawn[d].parameters.order_unit,
            shock_sd: drawn[d].parameters.shock_sd,
            finds: drawn[d].finds.iter().sum(),
            shape: &customers.shape[d],
            rate: &customers.rate[d],
        })
        .collect();
    let comparisons = predictive::compare(market, &observed, &makers, finds.last_year, seed);
    let findings = checks::Findings {
        stable_prices: settings.stable_prices,
        feasts: &feasts,
        feasts_on: settings.feasts,
        comparisons: &comparisons,
        alive: &alive,
        market,
        response: &response,
        draws: &drawn,
        own_paths: &own_paths,
        category: category_fit.is_some(),
        discount,
        finds: &finds,
        regressors: &rates.names,
    };
    let checks = checks::all(&findings);
    let mut notes = checks::notes(&findings);
    notes.extend(tests.unused.iter().cloned());
    let actions_found = if panel.category.is_empty() {
        actions::in_own_sales(market, &observed, &response.point, &feasts, seed)
    } else {
        panel.moves
    };
    progress("done", 1.0);
    let calibration =
        Calibration { draws: drawn, diagnostics, checks, actions_found, rival_moves: panel.past, notes, customers };
    Ok((calibration, Likelihood { past: observed, space, response }))
}

struct Made {
    draw: Draw,
    shape: Vec<f32>,
    rate: Vec<f32>,
    goodwill: Vec<f32>,
    values: Vec<f64>,
    own_path: Path,
    point: Point,
}

fn calls_a_month(market: &Market) -> f64 {
    let year = market.last_year();
    let months = year.len().max(1) as f64;
    let Some(calls) = &market.calls else { return 0.0 };
    let visits = &calls[Channel::FaceToFace.index()];
    let sum: f64 = (0..market.customer_count())
        .map(|i| visits.of(i).filter(|(t, _)| year.contains(t)).map(|(_, x)| x).sum::<f64>())
        .sum();
    sum / months
}

/// The elasticity of visits at the market's own mean, or at one a month where there are none.
fn visit_elasticity(observed: &Observed, point: &Point) -> f64 {
    let contacts = observed.contacts.iter().find(|contacts| contacts.channel == Channel::FaceToFace);
    let at = contacts.map_or(1.0, |contacts| contacts.reference);
    priors::elasticity(&point.goodwill, Channel::FaceToFace, at, curve::room(point.share, point.taste))
}

/// Probability that each customer still buys from us at the end of the history.
fn active(pasts: &[CustomerPast], readings: &[Reading], market: &Market) -> Vec<f64> {
    let of = |(i, past): (usize, &CustomerPast)| match &past.silences {
        Some(_) if !market.closed(i) => readings[i].still_served,
        _ => 0.0,
    };
    pasts.iter().enumerate().map(of).collect()
}
