//! Moving feasts as covariates of a market's monthly series.
//!
//! The effects are estimated with season, growth and level in one Gaussian model ([`super::season`]); here is what it needs
//! of the market: the exposures of its months and the prior of each effect. All feasts of a kind share a prior, centred at
//! 0 where the scenario says nothing else, so that what eight years cannot tell stays near nothing.

use std::sync::Arc;

use crate::calendar::{Calendar, Exposures};
use crate::calibrate::priors::{self, Priors};
use crate::calibrate::{Check, Verdict, checks::check};
use crate::market::Market;

/// Months after the history of which the card speaks.
const AHEAD: i32 = 36;

/// Covariates of a series with the prior of their effects.
#[derive(Debug, Clone)]
pub struct FeastModel {
    pub exposures: Arc<Exposures>,
    /// Mean and standard deviation of each effect.
    pub prior: Vec<(f64, f64)>,
}

impl FeastModel {
    /// The feasts of a market, or none where they are switched off.
    pub fn new(market: &Market, priors: &Priors, on: bool) -> Self {
        let calendar = if on { calendar(market) } else { Calendar::empty() };
        let exposures = Arc::new(Exposures::new(calendar, market.history));
        let covariates = exposures.covariates().iter();
        let prior = covariates.map(|covariate| priors::moments(priors.prior("feasts", covariate.phase))).collect();
        Self { exposures, prior }
    }
}

/// The calendar of a market: its region's feasts and the events of `calendar.csv`.
fn calendar(market: &Market) -> Calendar {
    let own = market.data.calendar.iter().flatten();
    Calendar::new(market.data.meta.region.as_deref(), own.map(|event| (event.event.as_str(), event.start, event.end)))
}

/// Line of the readiness card: which events there are and how sure their dates.
pub fn readiness(market: &Market) -> Check {
    let calendar = calendar(market);
    let region = market.data.meta.region.as_deref();
    let titles = |own: bool| -> Vec<&str> {
        calendar.events().iter().filter(|event| event.own == own).map(|event| event.title.as_str()).collect()
    };
    let (built_in, own) = (titles(false), titles(true));
    let computed = Exposures::new(calendar.clone(), market.history).computed_years(AHEAD);
    let mut finding = match region {
        Some(region) if calendar.known() => format!("{} ({region})", built_in.join(", ")),
        Some(region) => format!("no feasts of region {region} are known"),
        None => "market.toml names no region, so no feasts are known".to_owned(),
    };
    if calendar.known() {
        finding += &match computed.as_slice() {
            [] => ", all dates official".to_owned(),
            years => format!(
                ", dates of {} computed, which may miss by a day",
                years.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
            ),
        };
    }
    if !own.is_empty() {
        finding += &format!("; from calendar.csv: {}", own.join(", "));
    }
    let mut advice = Vec::new();
    if !calendar.known() {
        advice.push(
            "say region = \"TR\" or \"US\" in market.toml, or list feasts in calendar.csv (event,start,end); until then a \
             feast that wanders through the year widens the season"
                .to_owned(),
        );
    }
    let twice = calendar.events().iter().filter(|event| event.own && event.id.ends_with("_own"));
    advice.extend(twice.map(|event| {
        format!("calendar.csv repeats `{}`, which is built in: take it out, or it is counted twice", event.title)
    }));
    // An event that came back every year and then is not listed any more would lower the forecast.
    let ended: Vec<&str> = (0..calendar.events().len())
        .filter(|&event| calendar.events()[event].own)
        .filter(|&event| {
            let days = calendar.occurrences(event, 1, 9998);
            days.len() > 1 && days.iter().all(|days| days.first.month() <= market.history.last)
        })
        .map(|event| calendar.events()[event].title.as_str())
        .collect();
    if !ended.is_empty() {
        advice.push(format!(
            "calendar.csv lists no future date of {}: the forecast takes it that there will be none",
            ended.join(", ")
        ));
    }
    if !computed.is_empty() {
        advice.push("where a computed date matters, wait for the announced one".to_owned());
    }
    let verdict = if advice.is_empty() { Verdict::Pass } else { Verdict::Review };
    check("moving feasts", verdict, finding, &advice.join("; "))
}

/// What the notes say of feasts.
pub fn note(model: &FeastModel, on: bool) -> String {
    let calendar = model.exposures.calendar();
    if !on {
        return "Moving feasts are switched off: a feast that wanders through the year widens the season.".to_owned();
    }
    if calendar.events().is_empty() {
        return "No moving feasts are known of this market (region in market.toml, calendar.csv): a feast that wanders \
                through the year widens the season."
            .to_owned();
    }
    let names = |own: bool| {
        let those = calendar.events().iter().filter(|event| event.own == own);
        those.map(|event| event.title.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (built_in, own) = (names(false), names(true));
    let mut out = match (built_in.is_empty(), own.is_empty()) {
        (false, true) => format!("Demand follows {built_in}"),
        (false, false) => format!("Demand follows {built_in} and, from calendar.csv, {own}"),
        _ => format!("Demand follows, from calendar.csv, {own}"),
    };
    out += ", each by the share of a month's days before, in and after it, beyond the season.";
    let computed = model.exposures.computed_years(AHEAD);
    if !computed.is_empty() {
        let years: Vec<String> = computed.iter().map(i32::to_string).collect();
        out += &format!(" Dates of {} are computed and may miss the announced ones by a day.", years.join(", "));
    }
    out
}
