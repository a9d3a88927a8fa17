//! The market before its history begins: territories with their cells, and every customer that will ever live there.
//!
//! All draws of a territory come from a stream keyed by its id, and all draws of a customer from one keyed by territory
//! and slot, so that nothing depends on the order of the work.

use std::ops::Range;

use geo::{BoundingRect as _, Contains as _, MultiPolygon, Point};
use rayon::prelude::*;

use super::description::{Description, TerritorySource, Truth};
use super::draws::{Draws, logistic, logit};
use super::turkiye;
use crate::channel::Channel;
use crate::geometry;
use crate::ids::{slot_hash, stable_hash};
use crate::simulate::Stage;

/// A territory of the synthetic market.
#[derive(Debug, Clone)]
pub struct Place {
    pub id: String,
    pub name: String,
    pub region: String,
    pub lon: f64,
    pub lat: f64,
    pub area_km2: f64,
    pub population: f64,
    /// Income a head, 1 on average over the territories.
    pub income_index: f64,
    pub cell: MultiPolygon<f64>,
    /// Our log odds here, besides the market's.
    pub strength: f64,
    /// Log density of the field force relative to the market's.
    pub coverage: f64,
    /// Log of how easily its customers are found, relative to the market's.
    pub openness: f64,
    /// Customers living here when the history begins.
    pub living_at_start: usize,
    /// Rivals' shares of what does not come to us; they sum to 1.
    pub rivals: Vec<f64>,
    /// Its customers in [`World::people`].
    pub people: Range<usize>,
    pub(super) hash: u64,
}

/// A customer's lasting traits. Those that do not live yet at the start are slots that births may fill.
#[derive(Debug, Clone)]
pub struct Person {
    pub territory: usize,
    /// Position among the territory's customers; with the territory's hash it keys all draws.
    pub slot: u32,
    pub hash: u64,
    pub lon: f64,
    pub lat: f64,
    /// Index into the description's segments.
    pub segment: usize,
    /// Category demand a month at the end of the history in an average month, demand units.
    pub size: f64,
    /// What we believe of it (lognormal error).
    pub size_seen: f64,
    /// Standardised taste for us.
    pub taste: f64,
    /// Log odds of us at zero goodwill.
    pub appeal: f64,
    /// Standardised log visibility, shared by discovery and all lists.
    pub visibility: f64,
    pub affinity: f64,
    pub influence: f64,
    pub digital: f64,
    pub price_sensitivity: f64,
    pub preferred_channel: Channel,
    /// Bit c set: channel c may be used.
    pub consent: u8,
}

impl Person {
    /// Whether a channel may be used.
    pub fn consents(&self, channel: Channel) -> bool {
        self.consent & (1 << channel.index()) != 0
    }
}

/// Territories and customers.
#[derive(Debug, Clone)]
pub struct World {
    pub places: Vec<Place>,
    pub people: Vec<Person>,
}

/// Standard deviation of the part of log visibility that size does not explain.
const UNEXPLAINED: f64 = 0.6;

/// Moments of log size over all segments.
#[derive(Debug, Clone, Copy)]
pub(super) struct SizeScale {
    mean: f64,
    sd: f64,
}

impl SizeScale {
    pub fn of(description: &Description) -> Self {
        let total: f64 = description.segments.iter().map(|segment| segment.weight).sum();
        let over = |of: &dyn Fn(&super::Segment) -> f64| {
            description.segments.iter().map(|segment| segment.weight / total * of(segment)).sum::<f64>()
        };
        let mean = over(&|segment| libm::log(segment.median_size));
        let variance = over(&|segment| {
            let off = libm::log(segment.median_size) - mean;
            segment.size_sd * segment.size_sd + off * off
        });
        Self { mean, sd: variance.sqrt() }
    }

    /// Mean log size.
    pub fn mean(self) -> f64 {
        self.mean
    }

    /// Standard deviation of log visibility.
    pub fn visibility_sd(self, truth: &Truth) -> f64 {
        let (from_size, from_taste) = (truth.visibility_of_size * self.sd, truth.visibility_of_taste);
        (from_size * from_size + from_taste * from_taste + UNEXPLAINED * UNEXPLAINED).sqrt()
    }
}

/// Name of a stage in `truth/agents.csv`.
pub(super) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Unborn => "unborn",
        Stage::Dark => "dark",
        Stage::Identified => "identified",
        Stage::Served => "served",
        Stage::Lapsed => "lapsed",
        Stage::Gone => "gone",
    }
}

/// Id of a made-up territory.
pub(super) fn grid_id(position: u32) -> String {
    format!("T{}", position + 1)
}

/// Places every territory and customer.
pub(super) fn place(description: &Description, seed: u64) -> World {
    let (mut places, outline) = territories(description, seed);
    let centroids: Vec<(f64, f64)> = places.iter().map(|place| (place.lon, place.lat)).collect();
    let cells = geometry::voronoi_cells(&centroids, &outline);
    let size_floor = 1.0;

    // Customers follow population a little less than one to one, and income.
    let mut shares: Vec<f64> = places
        .iter()
        .map(|place| {
            let mut draws = Draws::new(seed, "synth/outlets", place.hash);
            let income = 0.25 * (place.income_index - 1.0);
            libm::exp(0.95 * libm::log(place.population) + income) * draws.noise(0.2)
        })
        .collect();
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);

    let months = description.history.len() as f64;
    let growth = (description.truth.birth - description.truth.closure) / 12.0 * months;
    let births_each = description.truth.birth / 12.0 * months;
    let mut slots = Vec::with_capacity(places.len());
    for (place, (cell, share)) in places.iter_mut().zip(cells.into_iter().zip(&shares)) {
        if place.area_km2 <= 0.0 {
            place.area_km2 = geometry::area_km2(&cell);
        }
        place.cell = cell;
        let at_end = f64::from(description.customers) * share;
        let at_start = (at_end / libm::exp(growth)).max(size_floor);
        place.living_at_start = at_start.round() as usize;
        // Room for more births than are expected: the mean over the history and four standard deviations.
        let expected = births_each * at_start.max(at_end);
        slots.push(place.living_at_start + (expected + 4.0 * expected.sqrt()).ceil() as usize + 1);
    }
    let mut start = 0;
    for (place, &count) in places.iter_mut().zip(&slots) {
        place.people = start..start + count;
        start += count;
    }
    let scale = SizeScale::of(description);
    let people = places
        .par_iter()
        .enumerate()
        .flat_map_iter(|(territory, place)| {
            (0..place.people.len()).map(move |slot| person(description, scale, seed, territory, place, slot as u32))
        })
        .collect();
    World { places, people }
}

/// The territories (without cells and customers yet) and the outline around them.
fn territories(description: &Description, seed: u64) -> (Vec<Place>, MultiPolygon<f64>) {
    let named = |list: &[(String, f64)], id: &str, region: &str| -> f64 {
        list.iter().filter(|(name, _)| name == id || name == region).map(|&(_, value)| value).sum()
    };
    let make = |id: String, name: String, region: String, (lon, lat): (f64, f64), area_km2: f64, population: f64| {
        let hash = stable_hash(&id);
        let mut draws = Draws::new(seed, "synth/territory", hash);
        // Incomes are made up: our strength follows them a little, as a premium brand's would.
        let strength = named(&description.strength, &id, &region);
        let coverage = named(&description.coverage, &id, &region);
        let income_index = libm::exp(0.6 * strength + 0.12 * draws.normal());
        let rivals: Vec<f64> =
            description.companies.iter().skip(1).map(|company| company.weight * draws.noise(0.3)).collect();
        let total: f64 = rivals.iter().sum();
        Place {
            strength: strength + description.truth.territory_sd * draws.normal(),
            coverage,
            openness: 0.5 * coverage + 0.3 * draws.normal(),
            rivals: rivals.iter().map(|weight| weight / total).collect(),
            id,
            name,
            region,
            lon,
            lat,
            area_km2,
            population,
            income_index,
            cell: MultiPolygon::new(Vec::new()),
            living_at_start: 0,
            people: 0..0,
            hash,
        }
    };
    let (mut places, outline): (Vec<Place>, _) = match description.territories {
        TerritorySource::Turkiye => {
            let places = turkiye::provinces().into_iter().map(|province| {
                let centre = (province.lon, province.lat);
                let (id, name, region) = (province.id.to_owned(), province.name.to_owned(), province.region.to_owned());
                make(id, name, region, centre, province.area_km2, province.population)
            });
            (places.collect(), turkiye::outline())
        }
        TerritorySource::Grid(count) => {
            let columns = f64::from(count).sqrt().ceil() as u32;
            let places: Vec<Place> = (0..count)
                .map(|position| {
                    let id = grid_id(position);
                    let mut draws = Draws::new(seed, "synth/grid", stable_hash(&id));
                    // A grid of half-degree cells with its centres shaken, so that cells differ in size.
                    let lon = 10.0 + 0.5 * (f64::from(position % columns) + 0.3 * (draws.uniform() - 0.5));
                    let lat = 48.0 - 0.4 * (f64::from(position / columns) + 0.3 * (draws.uniform() - 0.5));
                    let population = (100_000.0 * libm::exp(0.6 * draws.normal())).round();
                    let name = format!("Territory {}", position + 1);
                    make(id.clone(), name, id, (lon, lat), 0.0, population)
                })
                .collect();
            let centres: Vec<(f64, f64)> = places.iter().map(|place| (place.lon, place.lat)).collect();
            (places, geometry::hull_outline(&centres))
        }
    };
    let mean = places.iter().map(|place| place.income_index).sum::<f64>() / places.len().max(1) as f64;
    places.iter_mut().for_each(|place| place.income_index /= mean);
    (places, outline)
}

/// One customer.
fn person(
    description: &Description,
    scale: SizeScale,
    seed: u64,
    territory: usize,
    place: &Place,
    slot: u32,
) -> Person {
    let hash = slot_hash(place.hash, slot);
    let mut draws = Draws::new(seed, "synth/person", hash);
    let truth = &description.truth;
    let weights: Vec<f64> = description.segments.iter().map(|segment| segment.weight).collect();
    let index = draws.pick(&weights);
    let segment = &description.segments[index];

    let z_size = draws.normal();
    // Richer territories buy a little more of the category.
    let wealth = 0.3 * libm::log(place.income_index);
    let size = segment.median_size * libm::exp(segment.size_sd * z_size + wealth);
    let size_seen = size * libm::exp(description.records.size_noise * draws.normal());
    let taste = draws.normal();
    let digital = logistic(logit(segment.digital.clamp(0.02, 0.98)) + 1.2 * draws.normal());
    let influence = logistic(0.5 * z_size + draws.normal());
    let visibility = {
        let from_size = truth.visibility_of_size * (libm::log(size) - scale.mean);
        let from_taste = truth.visibility_of_taste * taste;
        (from_size + from_taste + UNEXPLAINED * draws.normal()) / scale.visibility_sd(truth)
    };
    let preferences: [(Channel, f64); 5] = [
        (Channel::FaceToFace, 0.5),
        (Channel::Phone, 0.25),
        (Channel::Email, 0.5 * digital),
        (Channel::Whatsapp, 0.4 * digital),
        (Channel::Sms, 0.1),
    ];
    let preferred_channel = preferences[draws.pick(&preferences.map(|(_, weight)| weight))].0;
    let mut consent = 0_u8;
    for channel in Channel::ALL {
        let chance = match channel {
            Channel::Email => 0.15 + 0.5 * digital,
            Channel::Sms => 0.30,
            Channel::Whatsapp => 0.10 + 0.3 * digital,
            Channel::Ivr => 0.05,
            Channel::FaceToFace | Channel::Phone | Channel::Digital => 1.0,
        };
        consent |= u8::from(draws.chance(chance)) << channel.index();
    }
    let affinity = logistic(taste + 0.6 * draws.normal());
    let price_sensitivity = logistic(-0.4 * z_size + draws.normal());
    let (lon, lat) = location(place, &mut draws);
    Person {
        territory,
        slot,
        hash,
        lon,
        lat,
        segment: index,
        size,
        size_seen,
        taste,
        appeal: logit(truth.share) + segment.appeal + place.strength + truth.taste_sd * taste,
        visibility,
        affinity,
        influence,
        digital,
        price_sensitivity,
        preferred_channel,
        consent,
    }
}

/// A point inside the territory's cell: two thirds live about its centre, the others anywhere.
fn location(place: &Place, draws: &mut Draws) -> (f64, f64) {
    /// Kilometres of one degree of latitude.
    const DEGREE: f64 = 111.2;
    let centre = (place.lon, place.lat);
    let Some(bounds) = place.cell.bounding_rect() else { return centre };
    let stretch = libm::cos(place.lat.to_radians()).max(0.05);
    let about_centre = draws.chance(0.67);
    // A town is a tenth of its territory across.
    let spread = 0.1 * place.area_km2.max(1.0).sqrt() / DEGREE;
    for _ in 0..200 {
        let (lon, lat) = if about_centre {
            (place.lon + spread * draws.normal() / stretch, place.lat + spread * draws.normal())
        } else {
            let (low, high) = (bounds.min(), bounds.max());
            (low.x + draws.uniform() * (high.x - low.x), low.y + draws.uniform() * (high.y - low.y))
        };
        if place.cell.contains(&Point::new(lon, lat)) {
            return (lon, lat);
        }
    }
    centre
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_live_in_their_cells_and_large_ones_are_seen() {
        let description = Description::small();
        let world = place(&description, 1);
        assert_eq!(world.places.len(), 6);
        for person in &world.people {
            let place = &world.places[person.territory];
            assert!(place.cell.contains(&Point::new(person.lon, person.lat)));
            assert!(person.size > 0.0 && person.consents(Channel::Phone));
        }
        let living: usize = world.places.iter().map(|place| place.living_at_start).sum();
        assert!((250..320).contains(&living), "{living}");
        let count = world.people.len() as f64;
        let mean = |of: &dyn Fn(&Person) -> f64| world.people.iter().map(of).sum::<f64>() / count;
        let together = mean(&|person| person.visibility * libm::log(person.size))
            - mean(&|person| person.visibility) * mean(&|person| libm::log(person.size));
        assert!(together > 0.1, "{together}");
    }

    #[test]
    fn a_territory_does_not_move_with_the_others() {
        let six = place(&Description::small(), 1);
        let description = Description { territories: TerritorySource::Grid(5), ..Description::small() };
        let five = place(&description, 1);
        // Same columns of the grid, so the same first territories; their people have the same sizes.
        assert_eq!(five.places[0].lon, six.places[0].lon);
        assert_eq!(five.people[0].taste, six.people[0].taste);
    }
}
