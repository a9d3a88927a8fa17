//! One row a parameter: what the draws say, how far the data moved it from its prior, and whose voice that is.

use crate::calibrate::alive::{End, Past as CustomerPast};
use crate::calibrate::feasts::FeastModel;
use crate::calibrate::field_tests::FieldTests;
use crate::calibrate::fit::CalibrateError;
use crate::calibrate::further::Drawing;
use crate::calibrate::hazards::{Finds, Hazard};
use crate::calibrate::posterior_response::ResponsePosterior;
use crate::calibrate::priors::{self, Priors};
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::season::Structural;
use crate::calibrate::space::Space;
use crate::calibrate::wallet::Beforehand;
use crate::calibrate::{Diagnostic, Draw, Identified};
use crate::origin::Origin;
use crate::scenario::{Prior, find_parameter};
use crate::stats::{Summary, mean_sd};

/// What the diagnostics are made of.
pub(super) struct Evidence<'a> {
    pub priors: &'a Priors,
    /// Of the share of wallet and of tastes: what is known before any model of response.
    pub beforehand: [&'a Beforehand; 2],
    pub space: &'a Space,
    pub response: &'a ResponsePosterior,
    pub tests: &'a FieldTests,
    pub own_fit: &'a Structural,
    pub category: Option<&'a Structural>,
    /// The season is that of own sales.
    pub own_season: bool,
    pub feasts: &'a FeastModel,
    pub shock_seen: bool,
    pub closure: &'a Hazard,
    pub pasts: &'a [CustomerPast],
    pub finds: &'a Finds,
    pub prospecting_seen: bool,
    pub further: &'a Drawing,
    pub seed: u64,
}

/// How well the data speak, by contraction.
fn identified(contraction: Option<f64>) -> Identified {
    match contraction {
        Some(c) if c >= 0.75 => Identified::Yes,
        Some(c) if c >= 0.2 => Identified::Weak,
        _ => Identified::No,
    }
}

/// The registry's unit of a parameter.
fn unit_of(mechanism: &str, parameter: &str) -> &'static str {
    find_parameter(mechanism, parameter).map_or("", |known| known.unit)
}

/// The rows so far.
struct Rows<'a> {
    priors: &'a Priors,
    rows: Vec<Diagnostic>,
    /// The first parameter with a draw that is no number.
    lost: Option<String>,
}

impl Rows<'_> {
    /// Adds a parameter with a prior in the registry; `data`: the files that speak of it.
    fn known(&mut self, mechanism: &str, parameter: &str, unit: &str, drawn: Vec<f64>, data: Option<String>) {
        let sd = priors::moments(self.priors.prior(mechanism, parameter)).1;
        let source = self.priors.source(mechanism, parameter);
        self.add(format!("{mechanism}.{parameter}"), unit, drawn, Some(sd), data, source);
    }

    /// Adds a row. `prior_sd`: `None` = no proper prior; the estimate is the data's.
    fn add(
        &mut self,
        parameter: String,
        unit: &str,
        drawn: Vec<f64>,
        prior_sd: Option<f64>,
        data: Option<String>,
        prior: (Origin, String),
    ) {
        let Some(summary) = Summary::of(&drawn) else {
            self.lost.get_or_insert(parameter);
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
        let unit = unit.to_owned();
        self.rows.push(Diagnostic { parameter, unit, summary, contraction, identified: known, origin, source });
    }
}

/// All rows, in the order of the model.
///
/// # Errors
/// [`CalibrateError::NoNumber`] of the first parameter with a draw that is not finite.
pub(super) fn diagnostics(
    draws: &[Draw],
    values: &[Vec<f64>],
    evidence: &Evidence<'_>,
) -> Result<Vec<Diagnostic>, CalibrateError> {
    let mut rows = Rows { priors: evidence.priors, rows: Vec::new(), lost: None };
    let of = |get: &dyn Fn(&Draw) -> f64| draws.iter().map(get).collect::<Vec<f64>>();

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
        rows.add(
            name,
            "index, mean 1",
            of(&|d| d.parameters.season[m]),
            Some(if evidence.own_season { evidence.own_fit } else { series }.season_prior_sd),
            if evidence.own_season { own.clone() } else { seen.clone() },
            flat.clone(),
        );
    }
    for (k, covariate) in evidence.feasts.exposures.covariates().iter().enumerate() {
        rows.add(
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
    rows.add(
        "demand.growth".into(),
        "log a month",
        of(&|d| d.parameters.growth),
        Some(crate::calibrate::season::GROWTH_SD),
        seen,
        steady.clone(),
    );
    rows.add(
        "own.growth".into(),
        "log a month",
        of(&|d| d.value("own.growth").unwrap_or(0.0)),
        Some(crate::calibrate::season::GROWTH_SD),
        own,
        steady,
    );
    let shock = evidence.shock_seen.then(|| "months of territories beyond season and trend".to_owned());
    rows.known("demand", "shock_sd", "log", of(&|d| d.parameters.shock_sd), shock);

    // Response: contraction against prior draws of the very same quantities.
    let prior_draws: Vec<(Point, Vec<f64>)> = (0..2000)
        .map(|d| evidence.space.prior_draw(&mut Source::new(evidence.seed, Purpose::Hyper, (1 << 40) + d)))
        .collect();
    for (k, coordinate) in evidence.space.coordinates.iter().enumerate() {
        let name = format!("{}.{}", coordinate.mechanism, coordinate.parameter);
        let data = (coordinate.in_data && evidence.response.fitted && !matches!(coordinate.prior, Prior::Fixed(_)))
            .then(|| match evidence.tests.count() {
                0 => "calls.csv and sales.csv: each customer compared with itself".to_owned(),
                n => format!("calls.csv and sales.csv: each customer compared with itself; {n} of experiments.csv"),
            });
        let sd = mean_sd(&prior_draws.iter().map(|(_, values)| values[k]).collect::<Vec<f64>>()).1;
        let unit = unit_of(coordinate.mechanism, &coordinate.parameter);
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
        rows.add(name, unit, values.iter().map(|values| values[k]).collect(), Some(sd), data, prior);
    }
    let visits = "goodwill.effect_face_to_face";
    if evidence.space.coordinates.iter().any(|c| c.parameter == "elasticity_face_to_face") {
        let source = evidence.priors.source("goodwill", "elasticity_face_to_face");
        let prior_effects: Vec<f64> = prior_draws.iter().map(|(point, _)| point.goodwill.effect[0]).collect();
        let in_data = evidence.space.coordinates.iter().any(|c| c.parameter == "elasticity_face_to_face" && c.in_data);
        let data = (in_data && evidence.response.fitted)
            .then(|| "from the elasticity, decay, saturation and share above".to_owned());
        rows.add(
            visits.into(),
            "log odds a contact",
            of(&|d| d.parameters.goodwill.effect[0]),
            Some(mean_sd(&prior_effects).1),
            data,
            source,
        );
    }
    rows.add(
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
    rows.add("discovery.finds".into(), "customers a month", of(&|d| d.finds.iter().sum()), None, found, none);
    let by = evidence.prospecting_seen.then(|| "capacity in reps.csv less the calls of calls.csv".to_owned());
    rows.known("discovery", "by_prospecting", "share of finds", of(&|d| d.finds_by_prospecting), by);
    rows.known(
        "discovery",
        "referral",
        "a month at a served share of 1",
        of(&|d| d.parameters.discovery.referral),
        None,
    );
    let ordered = evidence.pasts.iter().filter(|past| past.silences.is_some()).count();
    let waits = evidence.pasts.iter().filter_map(|past| past.waiting);
    let first_orders = waits.filter(|waiting| waiting.end == End::Ordered).count();
    let won = (ordered > 0).then(|| match first_orders {
        0 => "orders after long silences".to_owned(),
        won => format!("{won} first orders after first_known, and orders after long silences"),
    });
    rows.known("conversion", "base_hazard", "a month", of(&|d| d.parameters.conversion.hazard), won);
    let counted = (evidence.finds.count.iter().sum::<f64>() > 0.0)
        .then(|| format!("{:.0} of those found were found by their first order", evidence.finds.at_once));
    rows.known("conversion", "at_once", "share of finds", of(&|d| d.parameters.conversion.at_once), counted);
    rows.known(
        "conversion",
        "goodwill_effect",
        "log hazard per log odds",
        of(&|d| d.parameters.conversion.goodwill_effect),
        None,
    );
    let silences = (ordered > 0).then(|| format!("silences of {ordered} customers against their own rhythm"));
    rows.known("churn", "hazard", "a month", of(&|d| d.parameters.churn), silences);
    let closed = evidence.closure.events.map(|events| format!("closed in customers.csv ({events:.0} events)"));
    rows.known("closure", "hazard", "a month", of(&|d| d.parameters.closure), closed);
    rows.known("birth", "hazard", "of the living, a month", of(&|d| d.parameters.birth), None);
    rows.known("choice", "selection", "log odds", of(&|d| d.selection), None);
    let drawn = |name: &str| -> Vec<f64> { draws.iter().map(|draw| draw.value(name).unwrap_or(0.0)).collect() };
    let alone = [("choice", "selection_of_known"), ("conversion", "reactivation"), ("discovery", "prospecting_yield")];
    let alone =
        alone.map(|(mechanism, parameter)| (mechanism, parameter, evidence.priors.prior(mechanism, parameter), None));
    for (mechanism, parameter, prior, counted) in alone.into_iter().chain(evidence.further.rows()) {
        let name = format!("{mechanism}.{parameter}");
        let values = drawn(&name);
        let sd = Some(priors::moments(prior).1);
        let source = evidence.priors.source(mechanism, parameter);
        rows.add(name, unit_of(mechanism, parameter), values, sd, counted, source);
    }
    rows.lost.map_or(Ok(rows.rows), |parameter| Err(CalibrateError::NoNumber { parameter }))
}
