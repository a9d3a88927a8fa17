//! The whole calibration, step by step.

use std::collections::BTreeMap;

use nalgebra::DVector;
use rayon::prelude::*;

use crate::calibrate::alive::{Alive, End, HazardPriors, Past as CustomerPast, Reading};
use crate::calibrate::curve;
use crate::calibrate::effects::{self, Rates};
use crate::calibrate::feasts::FeastModel;
use crate::calibrate::field_tests::FieldTests;
use crate::calibrate::further::Drawing;
use crate::calibrate::hazards::{self, Finds, Hazard};
use crate::calibrate::observed::{self, Observed, Timeline};
use crate::calibrate::posterior_response::{self, ResponsePosterior};
use crate::calibrate::predictive::{self, Maker};
use crate::calibrate::priors::{self, Priors};
use crate::calibrate::pulses::Shifts;
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::season::{Path, Series, Structural};
use crate::calibrate::shock::{Months, Shock};
use crate::calibrate::space::Space;
use crate::calibrate::wallet::{self, Beforehand};
use crate::calibrate::{
    Calibration, CustomerEffects, CustomerRates, Diagnostic, Draw, Identified, Wander, actions, checks,
};
use crate::channel::Channel;
use crate::ids::{CustomerIx, Index as _, stable_hash};
use crate::market::Market;
use crate::origin::Origin;
use crate::scenario::{Prior, find_parameter};
use crate::simulate::{Conversion, Discovery, Parameters};
use crate::stats::{Summary, mean_sd};

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
const FEWEST_MONTHS: usize = 12;

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
    let share = wallet::share_of_wallet(market, &past.priors);
    let taste = wallet::taste(market, &past.priors);
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

/// Who was ours when: what every later step reads.
struct Past {
    priors: Priors,
    timelines: Vec<Timeline>,
    /// Netted, (month, amount) by customer.
    sales: Vec<Vec<(usize, f64)>>,
    /// What was seen of each customer.
    pasts: Vec<CustomerPast>,
    /// Closings that are marked, and customer-months.
    marked: Option<(f64, f64)>,
    alive: Alive,
    /// What `alive` says of each customer.
    readings: Vec<Reading>,
}

impl Past {
    /// With the past in the layout of the likelihood, contacts not heeded.
    fn new(market: &Market, settings: &Settings) -> Result<(Self, Observed), CalibrateError> {
        if settings.draws == 0 {
            return Err(CalibrateError::NoDraws);
        }
        if market.months() < FEWEST_MONTHS {
            return Err(CalibrateError::ShortHistory { months: market.months() });
        }
        if market.customer_count() == 0 {
            return Err(CalibrateError::NoCustomers);
        }
        let priors = Priors::new(settings.priors.clone())
            .map_err(|(mechanism, parameter, reason)| CalibrateError::Prior { mechanism, parameter, reason })?;
        let (timelines, sales) = observed::timelines(market);
        if sales.iter().all(Vec::is_empty) {
            return Err(CalibrateError::NoSales { history: market.history.to_string() });
        }
        let pasts: Vec<CustomerPast> = timelines
            .iter()
            .zip(&sales)
            .zip(hazards::waits(&timelines, market.months()))
            .enumerate()
            .map(|(i, ((timeline, sales), waiting))| CustomerPast {
                waiting,
                silences: observed::silences(timeline, sales),
                contacted: observed::contacted_since(market, i, timeline),
            })
            .collect();
        let marked = hazards::closures(market, &timelines);
        let hazard_priors = HazardPriors {
            churn: priors.prior("churn", "hazard"),
            conversion: priors.prior("conversion", "base_hazard"),
            closure: priors.prior("closure", "hazard"),
            marked: marked.map_or(0.0, |(events, exposure)| events / exposure),
        };
        let mut source = Source::new(settings.seed, Purpose::Alive, 0);
        let alive = Alive::fit(&pasts, &sales, market.months(), hazard_priors, settings.draws, &mut source);
        let mut out = Self { priors, timelines, sales, pasts, marked, alive, readings: Vec::new() };
        let observed = out.lay_out(market);
        Ok((out, observed))
    }

    /// Who was ours when, once it is known what contacts do: the past in the layout of the likelihood.
    fn heed(&mut self, market: &Market, observed: &Observed, point: &Point) -> Observed {
        self.alive.heed(&self.pasts, observed.relative_responses(point));
        self.lay_out(market)
    }

    /// Reads all customers.
    fn lay_out(&mut self, market: &Market) -> Observed {
        let read = |(i, past): (usize, &CustomerPast)| self.alive.read(i, past);
        self.readings = self.pasts.par_iter().enumerate().map(read).collect();
        Observed::new(market, &self.timelines, &self.sales, &self.pasts, &self.alive, &self.readings)
    }
}

/// The past as [`fit`] lays it out.
#[cfg(test)]
pub(super) fn observed(market: &Market, settings: &Settings) -> Result<Observed, CalibrateError> {
    Ok(Past::new(market, settings)?.1)
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

/// Own sales by month, adjusted for customers gained and lost and for our contacts.
/// `shifts`: what the panel says that moves did to them.
fn own_series(
    market: &Market,
    observed: &Observed,
    response: &ResponsePosterior,
    feasts: &FeastModel,
    shifts: &Shifts,
) -> Series {
    let (total, exposure) = observed.pooled(&response.point);
    let dispersion = response.order_unit * response.inflation;
    let total = total.iter().zip(&exposure).map(|(&y, &e)| (e > 0.0).then_some(y)).collect();
    let (first, feasts) = (market.history.first, feasts.clone());
    Series { total, exposure, dispersion, first, feasts, shifts: shifts.clone() }
}

/// Whether our own series is long enough to carry the season, and free of loading of our own (see
/// `docs/decisions/0004-season-from-own-sales.md`).
fn own_season_speaks(market: &Market, own: &Series) -> bool {
    use crate::data::ActionKind;
    let loads =
        market.data.actions.iter().flatten().any(|action| action.company.0 == 0 && action.kind == ActionKind::Loading);
    let months = own.total.iter().flatten().filter(|&&total| total > 0.0).count();
    !loads && months >= OWN_SEASON_MONTHS
}

/// Months with own sales from which our own season is believed.
const OWN_SEASON_MONTHS: usize = 24;

/// The panel's category: the whole market's, or the sum of the territories that are known throughout. `None` with less
/// than 12 months of it.
fn category_series(market: &Market, feasts: &FeastModel, shifts: &Shifts) -> Option<Series> {
    let panel = market.panel.as_ref()?;
    let months = market.months();
    let usable = |series: &[Option<f64>]| series.iter().flatten().filter(|&&x| x > 0.0).count() >= FEWEST_MONTHS;
    let total = if usable(&panel.market_category) {
        panel.market_category.clone()
    } else {
        let full: Vec<&Vec<Option<f64>>> =
            panel.category.iter().filter(|series| series.iter().all(Option::is_some)).collect();
        (0..months).map(|t| (!full.is_empty()).then(|| full.iter().filter_map(|series| series[t]).sum())).collect()
    };
    usable(&total).then(|| Series {
        total,
        exposure: vec![1.0; months],
        dispersion: 0.0,
        first: market.history.first,
        feasts: feasts.clone(),
        shifts: shifts.clone(),
    })
}

/// Territory-month shocks from the panel's categories and our own sales, or from what of them there is.
///
/// Months in which customers live on what rivals sold ahead are left out: what is left to be ordered is a small difference, in which the
/// shocks of the month before weigh as much as its own.
fn fit_shock(
    market: &Market,
    observed: &Observed,
    response: &ResponsePosterior,
    priors: &Priors,
    moved: &Shifts,
) -> Shock {
    /// Part of the log of the category that may be missing.
    const QUIET: f64 = -0.05;
    let prior = priors.prior("demand", "shock_sd");
    let months = market.months();
    let quiet = |t: usize| moved.mean(t) > QUIET;
    let only_quiet = |all: Vec<f64>| -> Vec<f64> {
        all.into_iter().enumerate().map(|(t, expected)| if quiet(t) { expected } else { 0.0 }).collect()
    };
    let mut own = observed.territory_months(&response.point);
    own.iter_mut().for_each(|months| months.expected = only_quiet(std::mem::take(&mut months.expected)));
    let (places, full): (Vec<usize>, Vec<Vec<f64>>) = market
        .panel
        .iter()
        .flat_map(|panel| panel.category.iter().enumerate())
        .filter_map(|(j, series)| Some((j, series.iter().copied().collect::<Option<Vec<f64>>>()?)))
        .filter(|(_, series)| series.iter().sum::<f64>() > 0.0)
        .unzip();
    if full.len() < 3 {
        return Shock::fit(&own, response.order_unit, prior);
    }
    let by_month: Vec<f64> = (0..months).map(|t| full.iter().map(|series| series[t]).sum()).collect();
    let all: f64 = by_month.iter().sum();
    let panel: Vec<Months> = full
        .into_iter()
        .map(|total| {
            let level = total.iter().sum::<f64>() / all;
            Months { expected: only_quiet(by_month.iter().map(|x| x * level).collect()), total }
        })
        .collect();
    let both = Shock::of_both(&panel, &places, &own, response.order_unit, prior);
    if both.fitted() { both } else { Shock::fit(&panel, response.order_unit, prior) }
}

/// The discount by which customers' pasts fade.
fn choose_discount(
    market: &Market,
    observed: &Observed,
    response: &ResponsePosterior,
    own: &Structural,
    seed: u64,
) -> f64 {
    let path = mean_path(own, seed);
    let months = market.months();
    let flat = effects::fading(months, 1.0);
    let sold = effects::discounted_sales(observed, &flat);
    let exposures = observed.exposures(&response.point, &path.relative, &flat, 0.0);
    let rates = Rates::fit(market, observed, &sold, &exposures.exposure, response.order_unit);
    let prior = rates.centre();
    let curve = observed.curve(&response.point);
    let means = |i: usize| observed.mean_at_unit_rate(i, &response.point, &curve, &path.relative);
    effects::choose_discount(observed, &means, &prior, response.order_unit)
}

/// The mean of some draws of a series' path.
fn mean_path(fit: &Structural, seed: u64) -> Path {
    let mut paths = (0..40).map(|d| fit.draw(&mut Source::new(seed, Purpose::Series, (1 << 32) + d)));
    let mut mean = paths.next().unwrap_or_else(|| unreachable!("the range is not empty"));
    let mut count = 1.0;
    for path in paths {
        count += 1.0;
        for (sum, x) in mean.relative.iter_mut().zip(&path.relative) {
            *sum += x;
        }
    }
    mean.relative.iter_mut().for_each(|x| *x /= count);
    mean
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

/// What the diagnostics are made of.
struct Evidence<'a> {
    priors: &'a Priors,
    /// Of the share of wallet and of tastes: what is known before any model of response.
    beforehand: [&'a Beforehand; 2],
    space: &'a Space,
    response: &'a ResponsePosterior,
    tests: &'a FieldTests,
    own_fit: &'a Structural,
    category: Option<&'a Structural>,
    /// The season is that of own sales.
    own_season: bool,
    feasts: &'a FeastModel,
    shock_seen: bool,
    closure: &'a Hazard,
    pasts: &'a [CustomerPast],
    finds: &'a Finds,
    prospecting_seen: bool,
    further: &'a Drawing,
    seed: u64,
}

/// How well the data speak, by contraction.
fn identified(contraction: Option<f64>) -> Identified {
    match contraction {
        Some(c) if c >= 0.75 => Identified::Yes,
        Some(c) if c >= 0.2 => Identified::Weak,
        _ => Identified::No,
    }
}

///
/// # Errors
/// [`CalibrateError::NoNumber`] of the first parameter with a draw that is not finite.
fn diagnostics(
    draws: &[Draw],
    values: &[Vec<f64>],
    evidence: &Evidence<'_>,
) -> Result<Vec<Diagnostic>, CalibrateError> {
    let mut out = Vec::new();
    let mut lost = None;
    // `prior_sd`: `None` = no proper prior; the estimate is the data's.
    let mut row = |parameter: String,
                   unit: &str,
                   drawn: Vec<f64>,
                   prior_sd: Option<f64>,
                   data: Option<String>,
                   prior: (Origin, String)| {
        let Some(summary) = Summary::of(&drawn) else {
            lost.get_or_insert(parameter);
            return;
        };
        let contraction = match (prior_sd, &data) {
            (Some(sd), Some(_)) if sd > 0.0 => Some((1.0 - (summary.sd / sd) * (summary.sd / sd)).max(0.0)),
            (Some(_), None) => Some(0.0),
            _ => None,
        };
        let known = match (&data, prior_sd) {
            (None, _) => Identified::No,
            (Some(_), None) => Identified::Yes,
            (Some(_), Some(_)) => identified(contraction),
        };
        let (origin, source) = match (data, known) {
            (Some(source), Identified::Yes | Identified::Weak) => (Origin::YourData, source),
            _ => prior,
        };
        out.push(Diagnostic {
            parameter,
            unit: unit.to_owned(),
            summary,
            contraction,
            identified: known,
            origin,
            source,
        });
    };
    let of = |get: &dyn Fn(&Draw) -> f64| draws.iter().map(get).collect::<Vec<f64>>();
    let prior_sd =
        |mechanism: &str, parameter: &str| Some(priors::moments(evidence.priors.prior(mechanism, parameter)).1);

    let series = evidence.category.unwrap_or(evidence.own_fit);
    let series_name = if evidence.category.is_some() {
        "panel.csv: the category's months"
    } else {
        "sales.csv: own sales of the same customers"
    };
    let seen = (!series.silent()).then(|| series_name.to_owned());
    let own = (!evidence.own_fit.silent()).then(|| "sales.csv: own sales of the same customers".to_owned());
    let flat = (Origin::Assumption, "no season until two years of months have shown one".to_owned());
    for m in 0..12 {
        let name = format!("season.{}", m + 1);
        row(
            name,
            "index, mean 1",
            of(&|d| d.parameters.season[m]),
            Some(if evidence.own_season { evidence.own_fit } else { series }.season_prior_sd),
            if evidence.own_season { own.clone() } else { seen.clone() },
            flat.clone(),
        );
    }
    for (k, covariate) in evidence.feasts.exposures.covariates().iter().enumerate() {
        row(
            format!("feasts.{}", covariate.name),
            "log change of a day",
            of(&|d| d.parameters.feasts.effects().nth(k).map_or(0.0, |(_, effect)| effect)),
            Some(evidence.feasts.prior[k].1),
            if evidence.own_season { own.clone() } else { seen.clone() },
            evidence.priors.source("feasts", covariate.phase),
        );
    }
    let steady =
        (Origin::Assumption, "demand neither grows nor shrinks by more than about a quarter a year".to_owned());
    row(
        "demand.growth".into(),
        "log a month",
        of(&|d| d.parameters.growth),
        Some(crate::calibrate::season::GROWTH_SD),
        seen,
        steady.clone(),
    );
    row(
        "own.growth".into(),
        "log a month",
        of(&|d| d.value("own.growth").unwrap_or(0.0)),
        Some(crate::calibrate::season::GROWTH_SD),
        own,
        steady,
    );
    let shock = evidence.shock_seen.then(|| "months of territories beyond season and trend".to_owned());
    row(
        "demand.shock_sd".into(),
        "log",
        of(&|d| d.parameters.shock_sd),
        prior_sd("demand", "shock_sd"),
        shock,
        evidence.priors.source("demand", "shock_sd"),
    );

    // Response: contraction against prior draws of the very same quantities.
    let prior_draws: Vec<Vec<f64>> = (0..2000)
        .map(|d| evidence.space.prior_draw(&mut Source::new(evidence.seed, Purpose::Hyper, (1 << 40) + d)).1)
        .collect();
    for (k, coordinate) in evidence.space.coordinates.iter().enumerate() {
        let name = format!("{}.{}", coordinate.mechanism, coordinate.parameter);
        let data = (coordinate.in_data && evidence.response.fitted && !matches!(coordinate.prior, Prior::Fixed(_)))
            .then(|| match evidence.tests.count() {
                0 => "calls.csv and sales.csv: each customer compared with itself".to_owned(),
                n => format!("calls.csv and sales.csv: each customer compared with itself; {n} of experiments.csv"),
            });
        let sd = mean_sd(&prior_draws.iter().map(|values| values[k]).collect::<Vec<f64>>()).1;
        let unit = find_parameter(coordinate.mechanism, &coordinate.parameter).map_or("", |known| known.unit);
        // What has its own evidence, before the response, is measured against the built-in prior.
        let beforehand = evidence.beforehand.iter().find(|known| known.parameter == coordinate.parameter);
        let (sd, data) = match beforehand.filter(|known| known.origin == Origin::YourData) {
            Some(known) => {
                let sd = priors::moments(evidence.priors.prior("choice", known.parameter)).1;
                (sd, Some(known.source.clone()))
            }
            None => (sd, data),
        };
        let prior = match beforehand {
            Some(known) => (known.origin, known.source.clone()),
            None => evidence.priors.source(coordinate.mechanism, &coordinate.parameter),
        };
        row(name, unit, values.iter().map(|values| values[k]).collect(), Some(sd), data, prior);
    }
    let visits = "goodwill.effect_face_to_face";
    if evidence.space.coordinates.iter().any(|c| c.parameter == "elasticity_face_to_face") {
        let source = evidence.priors.source("goodwill", "elasticity_face_to_face");
        let prior_effects: Vec<f64> = (0..2000)
            .map(|d| {
                evidence
                    .space
                    .prior_draw(&mut Source::new(evidence.seed, Purpose::Hyper, (1 << 40) + d))
                    .0
                    .goodwill
                    .effect[0]
            })
            .collect();
        let in_data = evidence.space.coordinates.iter().any(|c| c.parameter == "elasticity_face_to_face" && c.in_data);
        let data = (in_data && evidence.response.fitted)
            .then(|| "from the elasticity, decay, saturation and share above".to_owned());
        row(
            visits.into(),
            "log odds a contact",
            of(&|d| d.parameters.goodwill.effect[0]),
            Some(mean_sd(&prior_effects).1),
            data,
            source,
        );
    }
    row(
        "orders.order_unit".into(),
        "demand units",
        of(&|d| d.parameters.order_unit),
        None,
        Some("spread of each customer's months, or the prior given in the scenario".to_owned()),
        (Origin::YourData, String::new()),
    );

    let found = (evidence.finds.count.iter().sum::<f64>() > 0.0).then(|| {
        let file =
            if evidence.finds.from_first_known { "first_known in customers.csv" } else { "first orders in sales.csv" };
        format!("{file}, last {} months", evidence.finds.months)
    });
    let none = (Origin::YourData, "nobody was found in the months counted".to_owned());
    row("discovery.finds".into(), "customers a month", of(&|d| d.finds.iter().sum()), None, found, none);
    let by = evidence.prospecting_seen.then(|| "capacity in reps.csv less the calls of calls.csv".to_owned());
    row(
        "discovery.by_prospecting".into(),
        "share of finds",
        of(&|d| d.finds_by_prospecting),
        prior_sd("discovery", "by_prospecting"),
        by,
        evidence.priors.source("discovery", "by_prospecting"),
    );
    row(
        "discovery.referral".into(),
        "a month at a served share of 1",
        of(&|d| d.parameters.discovery.referral),
        prior_sd("discovery", "referral"),
        None,
        evidence.priors.source("discovery", "referral"),
    );
    let events = |hazard: &Hazard, words: &str| hazard.events.map(|events| format!("{words} ({events:.0} events)"));
    let ordered = evidence.pasts.iter().filter(|past| past.silences.is_some()).count();
    let waits = evidence.pasts.iter().filter_map(|past| past.waiting);
    let first_orders = waits.filter(|waiting| waiting.end == End::Ordered).count();
    let won = (ordered > 0).then(|| match first_orders {
        0 => "orders after long silences".to_owned(),
        won => format!("{won} first orders after first_known, and orders after long silences"),
    });
    row(
        "conversion.base_hazard".into(),
        "a month",
        of(&|d| d.parameters.conversion.hazard),
        prior_sd("conversion", "base_hazard"),
        won,
        evidence.priors.source("conversion", "base_hazard"),
    );
    let counted = (evidence.finds.count.iter().sum::<f64>() > 0.0)
        .then(|| format!("{:.0} of those found were found by their first order", evidence.finds.at_once));
    row(
        "conversion.at_once".into(),
        "share of finds",
        of(&|d| d.parameters.conversion.at_once),
        prior_sd("conversion", "at_once"),
        counted,
        evidence.priors.source("conversion", "at_once"),
    );
    row(
        "conversion.goodwill_effect".into(),
        "log hazard per log odds",
        of(&|d| d.parameters.conversion.goodwill_effect),
        prior_sd("conversion", "goodwill_effect"),
        None,
        evidence.priors.source("conversion", "goodwill_effect"),
    );
    let silences = (ordered > 0).then(|| format!("silences of {ordered} customers against their own rhythm"));
    row(
        "churn.hazard".into(),
        "a month",
        of(&|d| d.parameters.churn),
        prior_sd("churn", "hazard"),
        silences,
        evidence.priors.source("churn", "hazard"),
    );
    row(
        "closure.hazard".into(),
        "a month",
        of(&|d| d.parameters.closure),
        prior_sd("closure", "hazard"),
        events(evidence.closure, "closed in customers.csv"),
        evidence.priors.source("closure", "hazard"),
    );
    row(
        "birth.hazard".into(),
        "of the living, a month",
        of(&|d| d.parameters.birth),
        prior_sd("birth", "hazard"),
        None,
        evidence.priors.source("birth", "hazard"),
    );
    row(
        "choice.selection".into(),
        "log odds",
        of(&|d| d.selection),
        prior_sd("choice", "selection"),
        None,
        evidence.priors.source("choice", "selection"),
    );
    let unit_of =
        |mechanism: &str, parameter: &str| find_parameter(mechanism, parameter).map_or("", |known| known.unit);
    let drawn = |name: &str| -> Vec<f64> { draws.iter().map(|draw| draw.value(name).unwrap_or(0.0)).collect() };
    let alone = [("choice", "selection_of_known"), ("conversion", "reactivation"), ("discovery", "prospecting_yield")];
    let alone =
        alone.map(|(mechanism, parameter)| (mechanism, parameter, evidence.priors.prior(mechanism, parameter), None));
    for (mechanism, parameter, prior, counted) in alone.into_iter().chain(evidence.further.rows()) {
        let name = format!("{mechanism}.{parameter}");
        let values = drawn(&name);
        let sd = Some(priors::moments(prior).1);
        row(name, unit_of(mechanism, parameter), values, sd, counted, evidence.priors.source(mechanism, parameter));
    }
    lost.map_or(Ok(out), |parameter| Err(CalibrateError::NoNumber { parameter }))
}

impl Calibration {
    /// Own rates of all customers in a draw: gamma draws keyed by customer, so that adding one moves nobody else's.
    ///
    /// `draw` is a position in [`Calibration::draws`]; an index beyond them gives no customers.
    pub fn customer_rates(&self, market: &Market, draw: usize, seed: u64) -> CustomerRates {
        let effects = &self.customers;
        let (Some(shape), Some(rate), Some(goodwill)) =
            (effects.shape.get(draw), effects.rate.get(draw), effects.goodwill.get(draw))
        else {
            return CustomerRates::default();
        };
        let mut out = CustomerRates::default();
        for i in 0..shape.len() {
            let hash = stable_hash(market.data.customers.ids.name(CustomerIx::from_usize(i)));
            let mut source =
                Source::new(seed ^ (draw as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), Purpose::CustomerRates, hash);
            let own = source.gamma(f64::from(shape[i])) / f64::from(rate[i]).max(1e-30);
            out.active.push(source.uniform() < effects.active[i]);
            out.own.push(own);
            out.goodwill.push(f64::from(goodwill[i]));
        }
        out
    }
}
