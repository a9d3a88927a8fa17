//! Whom to turn to on Monday: customers of each territory ranked by what an effort would bring, and the territory's dark
//! half as one row, and by prospect cells ([`super::cells`]).
//!
//! On each draw, with G the steady goodwill of the scenario's effort, g that of the customer's present contacts, w its yearly
//! demand and M the effort's months:
//!
//! ```text
//! served:            value = w * max(share(appeal + G) - share(appeal + g), 0)
//! identified/lapsed: value = w * P(won within M months) * share(appeal + G)
//! prospects:         the sum over dark agents of w * P(found and won within M months) * share(appeal + G)
//! ```
//!
//! `headroom` is the same without the probabilities. Customers are ranked by the mean value.

use rayon::prelude::*;

use super::TargetRow;
use super::cells::Cells;
use super::levers::quality;
use super::twin::{Placed, Placer};
use crate::channel::Channel;
use crate::potential::attainable::{goodwill_at, won_from_the_dark};
use crate::scenario::{ChannelStep, Effort};
use crate::simulate::Stage;
use crate::simulate::mechanisms::choice::share;
use crate::stats::Summary;

/// Draws that the ranking rests on.
const DRAWS: usize = 200;
/// Known customers named in a territory.
const PER_TERRITORY: usize = 25;
/// Prospect cells named in a territory.
const CELLS: usize = 5;
/// A part of the day is named where contacts in it are received better than usual by this factor.
const BETTER: f64 = 1.05;

/// Ranks all territories.
pub fn targets(placer: &Placer<'_>, effort: &Effort) -> Vec<TargetRow> {
    let market = &placer.bound.market;
    let customers = market.customer_count();
    let cells = Cells::of(market);
    let draws: Vec<Values> =
        (0..placer.draws().min(DRAWS) as u32).into_par_iter().map(|run| values(placer, effort, &cells, run)).collect();
    let times = Channel::ALL.map(|channel| best_time(placer, channel));
    let column =
        |pick: &dyn Fn(&Values) -> f32| -> Vec<f64> { draws.iter().map(|draw| f64::from(pick(draw))).collect() };
    let today: Vec<f64> = (0..customers).map(|i| placer.today.contacts[Channel::FaceToFace.index()][i]).collect();
    let mut rows = Vec::new();
    for j in 0..market.territory_count() {
        let mut ranked: Vec<(f64, usize)> = market
            .customers_of(j)
            .filter(|&i| !placer.closed[i])
            .map(|i| (draws.iter().map(|draw| f64::from(draw.value[i])).sum::<f64>(), i))
            .filter(|(value, _)| *value > 0.0)
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let territory_id = market.data.territory_id(j).to_owned();
        for &(_, i) in ranked.iter().take(PER_TERRITORY) {
            let (Some(headroom), Some(expected_value)) =
                (Summary::of(&column(&|draw| draw.headroom[i])), Summary::of(&column(&|draw| draw.value[i])))
            else {
                continue;
            };
            let active = placer.calibration.customers.active.get(i).copied().unwrap_or(0.0);
            let kind = match (placer.last_order[i], active >= 0.5) {
                (None, _) => "identified",
                (Some(_), true) => "served",
                (Some(_), false) => "lapsed",
            };
            rows.push(TargetRow {
                territory_id: territory_id.clone(),
                target: customer_id(placer, i),
                kind: kind.into(),
                lon: market.data.customers.lon[i],
                lat: market.data.customers.lat[i],
                dark_customers: None,
                known_customers: None,
                headroom,
                unit: market.unit().to_owned(),
                best_channel: best_channel(placer, i).name().into(),
                best_time: times[best_channel(placer, i).index()].to_owned(),
                next_action: next_action(kind, active, today[i], effort),
                expected_value,
            });
        }
        let (headroom, value) = (column(&|draw| draw.prospect_headroom[j]), column(&|draw| draw.prospect_value[j]));
        if let (Some(headroom), Some(expected_value)) = (Summary::of(&headroom), Summary::of(&value))
            && headroom.q95 > 0.0
        {
            let dark = Summary::of(&column(&|draw| draw.dark[j])).map_or(0.0, |summary| summary.q50);
            rows.push(TargetRow {
                territory_id: territory_id.clone(),
                target: "prospects".into(),
                kind: "prospects".into(),
                lon: None,
                lat: None,
                dark_customers: Some(dark),
                known_customers: None,
                headroom,
                unit: market.unit().to_owned(),
                best_channel: Channel::FaceToFace.name().into(),
                best_time: times[Channel::FaceToFace.index()].to_owned(),
                next_action: format!("look for the about {dark:.0} customers that we do not know here"),
                expected_value,
            });
        }
        let mut here: Vec<(f64, usize)> = (0..cells.cells.len())
            .filter(|&cell| cells.cells[cell].territory == j)
            .map(|cell| (draws.iter().map(|draw| f64::from(draw.cell_value[cell])).sum::<f64>(), cell))
            .filter(|(value, _)| *value > 0.0)
            .collect();
        here.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for &(_, cell) in here.iter().take(CELLS) {
            let (headroom, value) = (column(&|draw| draw.cell_headroom[cell]), column(&|draw| draw.cell_value[cell]));
            let dark = Summary::of(&column(&|draw| draw.cell_dark[cell])).map_or(0.0, |summary| summary.mean);
            let (Some(headroom), Some(expected_value)) = (Summary::of(&headroom), Summary::of(&value)) else {
                continue;
            };
            let place = cells.cells[cell];
            rows.push(TargetRow {
                territory_id: territory_id.clone(),
                target: place.name(),
                kind: "prospect_cell".into(),
                lon: Some(place.lon),
                lat: Some(place.lat),
                dark_customers: Some(dark),
                known_customers: Some(place.known as f64),
                headroom,
                unit: market.unit().to_owned(),
                best_channel: Channel::FaceToFace.name().into(),
                best_time: times[Channel::FaceToFace.index()].to_owned(),
                next_action: format!("look around its {} known customers", place.known),
                expected_value,
            });
        }
    }
    rows
}

/// The part of the day in which contacts by a channel are received best, where they are received better than usual.
fn best_time(placer: &Placer<'_>, channel: Channel) -> &'static str {
    let step = |hours: &str| ChannelStep {
        channel,
        wait_days: 0.0,
        content: None,
        hours: Some(hours.to_owned()),
        when: None,
        cost_per_contact: 0.0,
    };
    let rated =
        ["morning", "afternoon", "evening"].map(|hours| (quality(&step(hours), placer.bound).unwrap_or(1.0), hours));
    let best = rated.into_iter().fold((BETTER, ""), |best, rated| if rated.0 > best.0 { rated } else { best });
    best.1
}

/// Values of one draw, demand units a year.
struct Values {
    headroom: Vec<f32>,
    value: Vec<f32>,
    prospect_headroom: Vec<f32>,
    prospect_value: Vec<f32>,
    dark: Vec<f32>,
    /// By cell.
    cell_headroom: Vec<f32>,
    cell_value: Vec<f32>,
    cell_dark: Vec<f32>,
}

fn values(placer: &Placer<'_>, effort: &Effort, cells: &Cells, run: u32) -> Values {
    let placed: Placed = placer.place(run);
    let market = &placer.bound.market;
    let parameters = &placed.twin.parameters;
    let goodwill = goodwill_at(parameters, effort.calls_per_month);
    let convert =
        1.0 - libm::exp(-parameters.conversion.hazard * libm::exp(parameters.conversion.goodwill_effect * goodwill));
    let conversion = won_within(convert, effort.months);
    let won = conversion.last().copied().unwrap_or(0.0);
    let (customers, territories) = (market.customer_count(), market.territory_count());
    let mut out = Values {
        headroom: vec![0.0; customers],
        value: vec![0.0; customers],
        prospect_headroom: vec![0.0; territories],
        prospect_value: vec![0.0; territories],
        dark: vec![0.0; territories],
        cell_headroom: vec![0.0; cells.cells.len()],
        cell_value: vec![0.0; cells.cells.len()],
        cell_dark: vec![0.0; cells.cells.len()],
    };
    let agents = &placed.twin.agents;
    for agent in 0..agents.len() {
        let (appeal, year) = (f64::from(agents.appeal[agent]), 12.0 * f64::from(agents.size[agent]));
        let at_effort = year * share(appeal + goodwill, 1.0);
        match (agents.stage[agent], placed.customer[agent]) {
            (Stage::Served, Some(customer)) => {
                let customer = customer as usize;
                let mut present = [0.0; Channel::COUNT];
                for (present, contacts) in present.iter_mut().zip(&placer.today.contacts) {
                    *present = contacts[customer];
                }
                let now = year * share(appeal + parameters.goodwill.steady(&present), 1.0);
                out.headroom[customer] = (at_effort - now).max(0.0) as f32;
                out.value[customer] = out.headroom[customer];
            }
            (Stage::Identified | Stage::Lapsed, Some(customer)) => {
                out.headroom[customer as usize] = at_effort as f32;
                out.value[customer as usize] = (won * at_effort) as f32;
            }
            (Stage::Dark, _) => {
                let j = placed.territory[agent] as usize;
                let territory = &placed.twin.territories[j];
                let calls = placer.today.capacity[j] * placer.today.prospecting[j];
                let discovery = &parameters.discovery;
                let at_once = parameters.conversion.at_once;
                let hazard =
                    discovery.spontaneous + discovery.prospecting_yield * calls / territory.dark_at_start.max(1.0);
                let found = 1.0 - libm::exp(-f64::from(agents.visibility[agent]) * hazard);
                let value = (won_from_the_dark(found, &conversion, at_once) * at_effort) as f32;
                out.prospect_headroom[j] += at_effort as f32;
                out.prospect_value[j] += value;
                out.dark[j] += 1.0;
                if let Some(cell) = placed.customer[agent].and_then(|model| cells.of_customer(model)) {
                    out.cell_headroom[cell] += at_effort as f32;
                    out.cell_value[cell] += value;
                    out.cell_dark[cell] += 1.0;
                }
            }
            _ => {}
        }
    }
    out
}

/// Chance of being won within 0, 1, ..., `months` months, at a steady chance a month.
fn won_within(won: f64, months: u32) -> Vec<f64> {
    (0..=months).map(|month| 1.0 - libm::pow(1.0 - won, f64::from(month))).collect()
}

fn customer_id(placer: &Placer<'_>, customer: usize) -> String {
    use crate::ids::{CustomerIx, Index as _};
    placer.bound.market.data.customers.ids.name(CustomerIx::from_usize(customer)).to_owned()
}

/// The customer's own wish where it may be used; else the channel with the largest mean effect among those we use.
fn best_channel(placer: &Placer<'_>, customer: usize) -> Channel {
    let customers = &placer.bound.market.data.customers;
    let allowed = |channel: Channel| {
        !channel.needs_consent()
            || customers.consent.as_ref().is_some_and(|bits| bits[customer] & 1 << channel.index() != 0)
    };
    if let Some(wish) = customers.preferred_channel[customer].filter(|&channel| allowed(channel)) {
        return wish;
    }
    let effect = |channel: Channel| -> f64 {
        placer.calibration.draws.iter().map(|draw| draw.parameters.goodwill.effect[channel.index()]).sum()
    };
    let used = placer.today.channels();
    used.into_iter()
        .filter(|&channel| allowed(channel))
        .fold(Channel::FaceToFace, |best, channel| if effect(channel) > effect(best) { channel } else { best })
}

/// Served customers below this chance of still buying are asked why.
const SURELY_ACTIVE: f64 = 0.9;

fn next_action(kind: &str, active: f64, today: f64, effort: &Effort) -> String {
    let wanted = effort.calls_per_month;
    match kind {
        "served" if active < SURELY_ACTIVE => "orders have become rare: ask why".into(),
        "served" if today < wanted => format!("call more often: {wanted:.1} times a month"),
        "served" => "keep calling as now".into(),
        "lapsed" => "win back: ask why the orders stopped".into(),
        _ => "first offer: known to us, has never ordered".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{won_from_the_dark, won_within};

    fn found_and_won(found: f64, at_once: f64, won: f64, months: u32) -> f64 {
        won_from_the_dark(found, &won_within(won, months), at_once)
    }

    #[test]
    fn two_months_by_hand() {
        // Found in the first month (1/2), won in the second (1/4).
        assert!((found_and_won(0.5, 0.0, 0.25, 2) - 0.125).abs() < 1e-12);
        assert_eq!(found_and_won(0.5, 0.0, 0.25, 1), 0.0);
        assert!(found_and_won(0.5, 0.0, 0.25, 400) > 0.999);
        // Half of those found order at once: 1/4, and 1/4 x 1/4 a month later, and 1/8.
        assert!((found_and_won(0.5, 0.5, 0.25, 2) - 0.4375).abs() < 1e-12);
    }
}
