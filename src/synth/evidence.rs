//! What others measured of the market: the panel, the lists, the survey.

use std::collections::BTreeMap;

use super::description::Description;
use super::draws::{Draws, logistic, logit};
use super::past::Past;
use super::world::World;
use crate::ids::{Index as _, TerritoryIx};

/// A row of `panel.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelFigure {
    pub month: usize,
    /// `None` = the whole market.
    pub territory: Option<TerritoryIx>,
    /// Index into the description's companies.
    pub company: usize,
    /// As measured, demand units.
    pub amount: f64,
}

/// An answer to the share-of-wallet survey: category demand in the last 12 months.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    pub person: usize,
    pub demand: f64,
}

/// A cell of the capture histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capture {
    pub territory: usize,
    pub segment: usize,
    /// Bit 0: our own list; bit l: the description's list l - 1.
    pub history: u32,
    pub count: u32,
}

/// Territories with audited outlets.
pub(super) fn audited(description: &Description, world: &World, seed: u64) -> Vec<bool> {
    let mut order: Vec<(f64, usize)> = world
        .places
        .iter()
        .enumerate()
        .map(|(territory, place)| (Draws::new(seed, "synth/audited", place.hash).uniform(), territory))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out = vec![false; world.places.len()];
    order.iter().take(description.panel.audited as usize).for_each(|&(_, territory)| out[territory] = true);
    out
}

/// The panel: every company's sales by month, with a measurement error of each figure, in order of territory (the whole
/// market first), month and company.
pub(super) fn panel(
    description: &Description,
    world: &World,
    past: &Past,
    audited: &[bool],
    seed: u64,
) -> Vec<PanelFigure> {
    let territories = world.places.len();
    let mut out = Vec::new();
    let places = [None].into_iter().filter(|_| description.panel.whole_market);
    let places = places.chain((0..territories).filter(|&territory| audited[territory]).map(Some));
    for territory in places {
        let hash = territory.map_or(0, |territory| world.places[territory].hash);
        let mut draws = Draws::new(seed, "synth/panel", hash);
        for month in 0..description.history.len() {
            for company in 0..description.companies.len() {
                let sales = |territory: usize| {
                    let at = month * territories + territory;
                    match company.checked_sub(1) {
                        None => past.tallies.own_sales[at],
                        Some(rival) => past.tallies.rival_sales[rival][at],
                    }
                };
                let sold: f64 = territory.map_or_else(|| (0..territories).map(sales).sum(), sales);
                let amount = (sold * draws.noise(description.panel.noise)).max(0.0).round();
                let territory = territory.map(TerritoryIx::from_usize);
                out.push(PanelFigure { month, territory, company, amount });
            }
        }
    }
    out
}

/// For each person, the lists that name it: bit 0 is our own list (whom we know), bit l the description's list l - 1.
pub(super) fn listed(description: &Description, world: &World, past: &Past, seed: u64) -> Vec<u32> {
    let mut out: Vec<u32> = past.known.iter().map(|&known| u32::from(known)).collect();
    for (position, list) in description.lists.iter().enumerate() {
        let local = format!("synth/list-territory/{}", list.id);
        let own = format!("synth/list/{}", list.id);
        for place in &world.places {
            let effect = list.territory_sd * Draws::new(seed, &local, place.hash).normal();
            for person in place.people.clone() {
                let traits = &world.people[person];
                let odds = logit(list.coverage) + effect + list.visibility * traits.visibility;
                let on = Draws::new(seed, &own, traits.hash).chance(logistic(odds));
                out[person] |= u32::from(on) << (position + 1);
            }
        }
    }
    out
}

/// Capture histories of the universe; customers that are on no list are missing, as they must be.
pub(super) fn captures(world: &World, past: &Past, listed: &[u32]) -> Vec<Capture> {
    let mut cells: BTreeMap<(usize, usize, u32), u32> = BTreeMap::new();
    for (person, traits) in world.people.iter().enumerate() {
        if past.category_year[person] > 0.0 && listed[person] != 0 {
            *cells.entry((traits.territory, traits.segment, listed[person])).or_default() += 1;
        }
    }
    let capture = |((territory, segment, history), count)| Capture { territory, segment, history, count };
    cells.into_iter().map(capture).collect()
}

/// The survey: a random sample of those that we know and that buy the category.
pub(super) fn survey(description: &Description, world: &World, past: &Past, seed: u64) -> Vec<Answer> {
    let asked = |person: &usize| past.known[*person] && past.category_year[*person] > 0.0;
    let mut order: Vec<(f64, usize, f64)> = (0..world.people.len())
        .filter(asked)
        .map(|person| {
            let mut draws = Draws::new(seed, "synth/survey", world.people[person].hash);
            (draws.uniform(), person, past.category_year[person] * draws.noise(description.survey.noise))
        })
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    order.truncate(description.survey.customers as usize);
    order.sort_by_key(|&(_, person, _)| person);
    order.into_iter().map(|(_, person, demand)| Answer { person, demand: demand.round().max(1.0) }).collect()
}

/// Price index by month, 1 in the last month of the history: each year's inflation spread evenly over its months.
pub(super) fn price_index(description: &Description) -> Vec<f64> {
    let first_year = description.history.first.year();
    let rate = |year: i32| {
        let position = usize::try_from(year - first_year).unwrap_or(0);
        let known = description.inflation.get(position).or(description.inflation.last());
        libm::log(1.0 + known.copied().unwrap_or(0.0)) / 12.0
    };
    let mut log_index = vec![0.0; description.history.len()];
    for month in (1..log_index.len()).rev() {
        log_index[month - 1] = log_index[month] - rate(description.history.at(month).year());
    }
    log_index.into_iter().map(libm::exp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_end_at_one_and_rise_with_inflation() {
        let description = Description::turkiye();
        let index = price_index(&description);
        assert_eq!(index.last(), Some(&1.0));
        // 2024-12 to 2025-12: 31%.
        assert!((index[95] / index[83] - 1.31).abs() < 1e-9);
        assert!((index[11] / index[0] - libm::pow(1.20, 11.0 / 12.0)).abs() < 1e-9);
        let flat = price_index(&Description { inflation: Vec::new(), ..description });
        assert!(flat.iter().all(|&index| index == 1.0));
    }
}
