//! The field force of the past: patches of territories, seats, who sat in them, and the calls they could make.

use super::description::Description;
use super::draws::Draws;
use super::world::World;
use crate::ids::stable_hash;
use crate::units::Month;

/// A representative.
#[derive(Debug, Clone, PartialEq)]
pub struct Rep {
    pub id: String,
    /// Territories covered.
    pub territories: Vec<usize>,
    pub start: Month,
    /// Last month; `None` = still with us.
    pub end: Option<Month>,
}

/// All that ever worked for us.
#[derive(Debug, Clone)]
pub struct Force {
    pub reps: Vec<Rep>,
    /// `[month][territory]`: calls that could be made, travel taken off.
    pub capacity: Vec<Vec<f64>>,
    /// Patch of each territory.
    patch_of: Vec<usize>,
    /// `[patch][seat][month]`: who sits there.
    seated: Vec<Vec<Vec<Option<usize>>>>,
}

impl Force {
    /// Who calls on a customer in a month: the customer's own rep, or the next seat's when that one is empty.
    pub fn rep_of(&self, territory: usize, customer_hash: u64, month: usize) -> Option<usize> {
        let seats = &self.seated[self.patch_of[territory]];
        let home = (customer_hash % seats.len().max(1) as u64) as usize;
        (0..seats.len()).find_map(|step| seats[(home + step) % seats.len()][month])
    }
}

/// Part of a full rep's calls that a new one makes, by months since the start.
const RAMP: [f64; 3] = [0.5, 0.7, 0.85];
/// Months that a seat stays empty.
const VACANT: usize = 2;

/// Staffs the market over its history.
pub(super) fn staff(description: &Description, world: &World, seed: u64) -> Force {
    let plan = &description.field_force;
    let months = description.history.len();
    let weights: Vec<f64> =
        world.places.iter().map(|place| place.living_at_start as f64 * libm::exp(place.coverage)).collect();
    let patches = patches(world, &weights, plan.reps as usize);
    let mut patch_of = vec![0; world.places.len()];
    for (patch, members) in patches.iter().enumerate() {
        members.iter().for_each(|&territory| patch_of[territory] = patch);
    }
    let patch_weight: Vec<f64> =
        patches.iter().map(|members| members.iter().map(|&territory| weights[territory]).sum()).collect();
    let seats = shared_out(&patch_weight, plan.reps as usize);

    // Seats open in an order of their own; a patch's first seat comes before its second.
    let mut opening: Vec<(usize, u64, usize)> = Vec::new();
    for (patch, &count) in seats.iter().enumerate() {
        let id = &world.places[patches[patch][0]].id;
        opening.extend((0..count).map(|seat| (seat.min(1), stable_hash(&format!("{id}/{seat}")), patch)));
    }
    opening.sort_unstable();
    let at_start = plan.reps_at_start as usize;
    let mut seated: Vec<Vec<Vec<Option<usize>>>> = vec![Vec::new(); patches.len()];
    let mut strength: Vec<Vec<f64>> = vec![vec![0.0; months]; patches.len()];
    let mut reps: Vec<Rep> = Vec::new();
    for (order, &(_, hash, patch)) in opening.iter().enumerate() {
        let opens = if order < at_start {
            0
        } else {
            let later = (opening.len() - at_start).max(1);
            (order - at_start + 1) * (2 * months / 3) / later
        };
        let mut draws = Draws::new(seed, "synth/seat", hash);
        let mut sits = vec![None; months];
        // Those of the first day have been there for a while.
        let mut since = if opens == 0 { -1 - draws.below(60) as i32 } else { opens as i32 };
        let mut month = opens;
        while month < months {
            let rep = reps.len();
            reps.push(Rep {
                id: String::new(),
                territories: patches[patch].clone(),
                start: description.history.first.plus(since),
                end: None,
            });
            while month < months {
                sits[month] = Some(rep);
                let ramp = usize::try_from(month as i32 - since).ok().and_then(|age| RAMP.get(age)).copied();
                strength[patch][month] += ramp.unwrap_or(1.0);
                month += 1;
                if draws.chance(plan.leave_hazard) {
                    if month < months {
                        reps[rep].end = Some(description.history.at(month - 1));
                    }
                    break;
                }
            }
            month += VACANT;
            since = month as i32;
        }
        seated[patch].push(sits);
    }

    let capacity = (0..months)
        .map(|month| {
            let calls = |territory: usize| {
                let patch = patch_of[territory];
                let part = weights[territory] / patch_weight[patch].max(f64::MIN_POSITIVE);
                strength[patch][month] * plan.calls_per_month * part * reach(world, territory, patches[patch].len())
            };
            (0..world.places.len()).map(calls).collect()
        })
        .collect();
    numbered(&mut reps, &mut seated);
    Force { reps, capacity, patch_of, seated }
}

/// Share of a rep's calls that travel leaves: the farther outlets lie apart, the less.
fn reach(world: &World, territory: usize, members: usize) -> f64 {
    let place = &world.places[territory];
    let apart_km = (place.area_km2 / place.living_at_start.max(1) as f64).sqrt();
    let between = if members > 1 { 0.92 } else { 1.0 };
    between / (1.0 + 0.015 * apart_km)
}

/// Groups of territories: one that fills a rep's time stands alone, the others join their nearest neighbours.
fn patches(world: &World, weights: &[f64], reps: usize) -> Vec<Vec<usize>> {
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let seats: Vec<f64> = weights.iter().map(|weight| reps as f64 * weight / total).collect();
    let mut fill = 0.75;
    loop {
        let mut groups: Vec<Vec<usize>> =
            (0..seats.len()).filter(|&territory| seats[territory] >= fill).map(|territory| vec![territory]).collect();
        let mut left: Vec<usize> = (0..seats.len()).filter(|&territory| seats[territory] < fill).collect();
        while !left.is_empty() {
            let first = left.remove(0);
            let mut group = vec![first];
            let mut filled = seats[first];
            while filled < fill && !left.is_empty() {
                let apart = |&territory: &usize| {
                    let (a, b) = (&world.places[first], &world.places[territory]);
                    let (x, y) = ((a.lon - b.lon) * 0.77, a.lat - b.lat);
                    x * x + y * y
                };
                let nearest = (0..left.len()).min_by(|&a, &b| apart(&left[a]).total_cmp(&apart(&left[b])));
                let Some(nearest) = nearest else { break };
                let next = left.remove(nearest);
                filled += seats[next];
                group.push(next);
            }
            group.sort_unstable();
            groups.push(group);
        }
        if groups.len() <= reps.max(1) || groups.len() <= 1 {
            groups.sort_unstable();
            return groups;
        }
        fill *= 1.25;
    }
}

/// Whole seats in proportion to weights, one at least each, `seats` together: by largest remainder.
fn shared_out(weights: &[f64], seats: usize) -> Vec<usize> {
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let wanted: Vec<f64> = weights.iter().map(|weight| seats as f64 * weight / total).collect();
    let mut given: Vec<usize> = wanted.iter().map(|&wanted| (wanted.floor() as usize).max(1)).collect();
    while given.iter().sum::<usize>() < seats {
        let short = |k: usize| wanted[k] - given[k] as f64;
        let Some(most) = (0..given.len()).max_by(|&a, &b| short(a).total_cmp(&short(b)).then(b.cmp(&a))) else { break };
        given[most] += 1;
    }
    while given.iter().sum::<usize>() > seats {
        let over = |k: usize| given[k] as f64 - wanted[k];
        let can = (0..given.len()).filter(|&k| given[k] > 1);
        let Some(most) = can.max_by(|&a, &b| over(a).total_cmp(&over(b)).then(b.cmp(&a))) else { break };
        given[most] -= 1;
    }
    given
}

/// Numbers reps by when they came, as a personnel file does.
fn numbered(reps: &mut Vec<Rep>, seated: &mut [Vec<Vec<Option<usize>>>]) {
    let mut order: Vec<usize> = (0..reps.len()).collect();
    order.sort_by_key(|&rep| (reps[rep].start, rep));
    let mut new_place = vec![0; reps.len()];
    for (place, &rep) in order.iter().enumerate() {
        new_place[rep] = place;
    }
    *reps = order.iter().map(|&rep| reps[rep].clone()).collect();
    for (place, rep) in reps.iter_mut().enumerate() {
        rep.id = format!("R{:03}", place + 1);
    }
    for month in seated.iter_mut().flatten().flatten() {
        *month = month.map(|rep| new_place[rep]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::world;

    #[test]
    fn seats_are_shared_out_whole() {
        assert_eq!(shared_out(&[5.0, 3.0, 2.0], 10), [5, 3, 2]);
        assert_eq!(shared_out(&[98.0, 1.0, 1.0], 5), [3, 1, 1]);
        assert_eq!(shared_out(&[1.0, 1.0, 1.0], 4), [2, 1, 1]);
    }

    #[test]
    fn every_territory_is_covered_in_the_end_and_seats_are_never_shared() {
        let description = Description::turkiye();
        let world = world::place(&description, 1);
        let force = staff(&description, &world, 1);
        let last = description.history.len() - 1;
        let working = |month: Month| {
            force.reps.iter().filter(|rep| rep.start <= month && rep.end.is_none_or(|end| end >= month)).count()
        };
        assert!((60..=72).contains(&working(description.history.last)), "{}", working(description.history.last));
        assert!((33..=40).contains(&working(description.history.first)), "{}", working(description.history.first));
        let without = force.capacity[last].iter().filter(|&&calls| calls <= 0.0).count();
        assert!(without < 5, "{without}");
        let calls: f64 = force.capacity[last].iter().sum();
        assert!((6_000.0..8_640.0).contains(&calls), "{calls}");
        let rep = force.rep_of(33, 12_345, last).unwrap();
        assert!(force.reps[rep].territories.contains(&33));
        assert!(force.reps[rep].start <= description.history.last);
    }
}
