//! What the further mechanisms need to know of a placed agent: its attributes, where it is, and who calls on it.
//!
//! A known customer has the attributes of its row, a dark one those of the known customer that it was modelled on: they are
//! drawn from the same territory, so means hold, and what makes the dark differ is in their size and appeal. Attributes in
//! 0..1 become multipliers of mean about 1 by doubling; a blank counts as 0.5.
//!
//! Places are kilometres east and north of the territory's own centre (equirectangular projection; within a territory its
//! error does not matter). A dark agent is placed about its model: a normal step of [`STEP`] of the territory's radius either
//! way, so that the dark live where customers live. Without `lon` and `lat` of customers nobody has a place, and no
//! neighbours.

use rand_distr::{Distribution, StandardNormal};

use super::{Accounts, Today};
use crate::channel::Channel;
use crate::ids::Index as _;
use crate::market::Market;
use crate::rng::Stream;
use crate::simulate::{Agents, Parameters};

/// Standard deviation of a dark agent's distance from the customer it was modelled on, in radii of the territory.
const STEP: f64 = 0.1;

/// Radius of a territory of unknown area (km).
const RADIUS: f64 = 10.0;

/// Kilometres of a degree of latitude.
const DEGREE: f64 = 111.2;

/// Seats of reps that a territory can tell apart.
const SEATS: usize = 32;

/// Reps by territory, and by customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seats {
    /// By territory: calls a month that each of its reps makes at `history_end`; they sum to today's capacity.
    pub calls: Vec<Vec<f64>>,
    /// By customer: position of its rep among the territory's.
    pub of: Vec<u8>,
    /// Customers that change hands because an assignment ends, or a rep's time, on a date that the files already know.
    pub handovers: Vec<Handover>,
}

/// A planned hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handover {
    /// First month without the old rep, counted from 0 = the first month after `history_end`.
    pub month: usize,
    pub territory: usize,
    /// Position of the rep among the territory's.
    pub seat: usize,
}

impl Seats {
    /// Reads who calls on whom: the rep that made most of the last 12 months' visits, else one by the customer's number.
    pub fn of(market: &Market, today: &Today) -> Self {
        let (customers, territories) = (market.customer_count(), market.territory_count());
        let mut calls = vec![Vec::new(); territories];
        let mut of = vec![0; customers];
        let Some(postings) = market.postings() else {
            return Self { calls, of, handovers: Vec::new() };
        };
        let end = market.history.last;
        // Position of a rep among those of a territory.
        let mut seat = vec![Vec::new(); territories];
        let mut handovers = Vec::new();
        for posting in postings {
            let seats = &mut seat[posting.territory];
            if seats.len() < SEATS {
                if let Some(last) = posting.last.filter(|&last| last > end) {
                    let month = last.since(end) as usize;
                    handovers.push(Handover { month, territory: posting.territory, seat: seats.len() });
                }
                seats.push(posting.rep);
                calls[posting.territory].push(posting.calls);
            }
        }
        // Of what they can make, today's capacity is what travel and office leave.
        for (calls, &capacity) in calls.iter_mut().zip(&today.capacity) {
            let total: f64 = calls.iter().sum();
            if total > 0.0 {
                calls.iter_mut().for_each(|seat| *seat *= capacity / total);
            }
        }
        let mut made = vec![[0.0_f32; SEATS]; customers];
        for row in market.data.calls.iter().flat_map(|calls| &calls.rows) {
            let customer = row.customer.usize();
            let territory = market.data.customers.territory[customer].usize();
            if let (true, Some(rep)) = (market.in_last_year(row.month), row.rep)
                && let Some(position) = seat[territory].iter().position(|&known| known == rep.usize())
            {
                made[customer][position] += row.calls as f32;
            }
        }
        for customer in 0..customers {
            let seats = seat[market.data.customers.territory[customer].usize()].len();
            if seats > 1 {
                let best = (0..seats).max_by(|&a, &b| made[customer][a].total_cmp(&made[customer][b]));
                let most = best.filter(|&position| made[customer][position] > 0.0);
                of[customer] = most.unwrap_or(customer % seats) as u8;
            }
        }
        Self { calls, of, handovers }
    }
}

/// An agent, as its attributes are made of it.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// The customer that it is or was modelled on.
    pub customer: Option<u32>,
    pub known: bool,
    pub territory: u32,
}

/// What attributes are read from.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    pub market: &'a Market,
    pub today: &'a Today,
    pub seats: &'a Seats,
    pub accounts: &'a Accounts,
}

/// Fills the columns that the mechanisms which are on read, and takes complaints of late off goodwill.
///
/// Contracts, balances and complaints are a known customer's own; a dark one has none yet, but the seats and the limit of the
/// customer that it was modelled on.
pub fn fill(
    agents: &mut Agents,
    files: &Files<'_>,
    parameters: &Parameters,
    models: impl ExactSizeIterator<Item = Model> + Clone,
    stream: &mut Stream,
) {
    let Files { market, today, seats, accounts } = *files;
    let (on, customers) = (&parameters.more, &market.data.customers);
    let doubled = |column: &[Option<f64>], model: Model| {
        let value = model.customer.and_then(|customer| column[customer as usize]);
        (2.0 * value.unwrap_or(0.5)) as f32
    };
    let contacts = |channel: Channel, model: Model| -> f64 {
        let of = channel.index();
        match model.customer {
            Some(customer) if model.known => today.contacts[of][customer as usize],
            _ => today.newcomer[of][model.territory as usize],
        }
    };
    let own = |column: &[f32], model: Model, default: f32| match model.customer {
        Some(customer) if model.known => column.get(customer as usize).copied().unwrap_or(default),
        _ => default,
    };
    let shared = |column: &[f32], model: Model, default: f32| {
        model.customer.and_then(|customer| column.get(customer as usize).copied()).unwrap_or(default)
    };
    let out = &mut agents.more;
    if on.receptivity.is_some() {
        out.digital = models.clone().map(|model| doubled(&customers.digital, model)).collect();
        let preferred = |model: Model| {
            let channel = model.customer.and_then(|customer| customers.preferred_channel[customer as usize]);
            channel.map_or(0, |channel| 1 << channel.index())
        };
        out.preferred = models.clone().map(preferred).collect();
        let usual = |model: Model| Channel::ALL.into_iter().map(|channel| contacts(channel, model)).sum::<f64>() as f32;
        out.contacted = models.clone().map(usual).collect();
    }
    if on.price.is_some() {
        out.price_sensitivity = models.clone().map(|model| doubled(&customers.price_sensitivity, model)).collect();
    }
    if on.turnover.is_some() {
        let by_number = |at: usize, model: Model| {
            let seats = seats.calls[model.territory as usize].len().max(1);
            (at % seats) as u8
        };
        let seat = |(at, model): (usize, Model)| match model.customer {
            Some(customer) if model.known => seats.of[customer as usize],
            _ => by_number(at, model),
        };
        out.rep = models.clone().enumerate().map(seat).collect();
    }
    if on.coverage.is_some() {
        let seats = |model: Model| {
            model.customer.and_then(|customer| accounts.seats.get(customer as usize).copied()).unwrap_or(0)
        };
        out.seats = models.clone().map(seats).collect();
        out.covered = models.clone().map(|model| shared(&accounts.covered, model, 1.0)).collect();
        out.visits = models.clone().map(|model| contacts(Channel::FaceToFace, model) as f32).collect();
    }
    if on.credit.is_some() {
        out.credit_limit = models.clone().map(|model| shared(&accounts.credit_limit, model, f32::INFINITY)).collect();
        out.balance = models.clone().map(|model| own(&accounts.balance, model, 0.0)).collect();
    }
    if on.contracts.is_some() {
        out.contract_months = models.clone().map(|model| own(&accounts.contract_months, model, 0.0)).collect();
    }
    if on.word_of_mouth.is_some() {
        (out.x, out.y) = places(market, models.clone(), stream);
    }
    if let Some(complaints) = on.complaints {
        // What is left of those of late, beyond what customers always complain.
        let mut left = vec![0.0; customers.len()];
        for &(customer, months) in &accounts.complaints {
            left[customer as usize] += complaints.harm * libm::pow(parameters.goodwill.decay, f64::from(months) + 1.0);
        }
        for (agent, model) in models.enumerate() {
            if let (true, Some(customer)) = (model.known, model.customer) {
                agents.goodwill[agent] -= left[customer as usize] as f32;
            }
        }
    }
}

/// Places in kilometres about each territory's centre; empty where customers have none.
fn places(market: &Market, agents: impl Iterator<Item = Model>, stream: &mut Stream) -> (Vec<f32>, Vec<f32>) {
    let (customers, territories) = (&market.data.customers, &market.data.territories);
    let at = |customer: usize| customers.lon[customer].zip(customers.lat[customer]);
    if !market.has_data_for("word_of_mouth") {
        return (Vec::new(), Vec::new());
    }
    let centres: Vec<(f64, f64)> = (0..market.territory_count())
        .map(|j| {
            let known: Vec<(f64, f64)> = market.customers_of(j).filter_map(at).collect();
            let count = known.len().max(1) as f64;
            let sum = known.iter().fold((0.0, 0.0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
            match territories.lon[j].zip(territories.lat[j]) {
                Some(centre) => centre,
                None => (sum.0 / count, sum.1 / count),
            }
        })
        .collect();
    let place = |model: Model| {
        let j = model.territory as usize;
        let (lon, lat) = centres[j];
        let radius = territories.area_km2[j].map_or(RADIUS, |area| libm::sqrt(area / std::f64::consts::PI));
        let mut normal = || -> f64 { StandardNormal.sample(&mut *stream) };
        let (east, north) = (normal(), normal());
        let spread = |scale: f64| (scale * radius * east, scale * radius * north);
        let (x, y) = match model.customer.and_then(|customer| at(customer as usize)) {
            Some((own_lon, own_lat)) => {
                let x = (own_lon - lon) * DEGREE * libm::cos(lat.to_radians());
                let y = (own_lat - lat) * DEGREE;
                let (east, north) = if model.known { (0.0, 0.0) } else { spread(STEP) };
                (x + east, y + north)
            }
            // Somewhere in the territory.
            None => spread(0.5),
        };
        (x as f32, y as f32)
    };
    agents.map(place).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::mechanisms::receptivity::Receptivity;
    use crate::simulate::mechanisms::turnover::Turnover;
    use crate::simulate::mechanisms::word_of_mouth::WordOfMouth;
    use crate::simulate::testing;

    /// Three customers in one territory of 314 km2 and two reps, the first of whom leaves after March 2026.
    fn market() -> Market {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "market.toml",
            "name = \"Test\"\nown_company = \"us\"\ncurrency = \"TRY\"\ndemand = \"units\"\nhistory_end = \"2025-12\"\n",
        );
        write("territories.csv", "territory_id,name,lon,lat,area_km2\nT,Town,30,40,314.159\n");
        write(
            "customers.csv",
            "customer_id,territory_id,lon,lat,digital,preferred_channel\n\
             C0,T,30,40,1,email\nC1,T,30.1,40,,\nC2,T,30,40.1,0,phone\n",
        );
        write("sales.csv", "period,customer_id,units\n2024-01,C0,1\n2025-12,C1,1\n2025-12,C2,1\n");
        write("reps.csv", "rep_id,start,end,calls_per_month,monthly_cost\nR0,2020-01,2026-03,10,1\nR1,2020-01,,30,1\n");
        write("assignments.csv", "rep_id,territory_id,valid_from,valid_to\nR0,T,2020-01,\nR1,T,2020-01,\n");
        write(
            "calls.csv",
            "period,customer_id,channel,rep_id,calls\n2025-11,C0,face_to_face,R1,12\n2025-12,C1,face_to_face,R0,12\n",
        );
        let loaded = crate::data::load(folder.path()).unwrap_or_else(|refused| panic!("{:?}", refused.problems));
        Market::new(loaded.market, None, None)
    }

    #[test]
    fn seats_are_those_of_the_files() {
        let market = market();
        let today = Today::of(&market);
        let seats = Seats::of(&market, &today);
        // A quarter and three quarters of today's capacity; who was called by whom; nobody called on C2, the third of two.
        let total: f64 = seats.calls[0].iter().sum();
        assert!((total - today.capacity[0]).abs() < 1e-9 && (seats.calls[0][0] / total - 0.25).abs() < 1e-9);
        assert_eq!(seats.of, [1, 0, 0]);
        // April is the fourth month after December.
        assert_eq!(seats.handovers, [Handover { month: 3, territory: 0, seat: 0 }]);
    }

    #[test]
    fn columns_of_what_is_on() {
        let market = market();
        let today = Today::of(&market);
        let (seats, accounts) = (Seats::of(&market, &today), Accounts::default());
        let files = Files { market: &market, today: &today, seats: &seats, accounts: &accounts };
        let model = |customer, known| Model { customer, known, territory: 0 };
        let models = [model(Some(0), true), model(Some(1), true), model(Some(2), true), model(Some(1), false)];
        let mut agents = Agents { goodwill: vec![0.0; 4], ..Agents::default() };
        let mut parameters = testing::parameters();
        let mut stream = Stream::new(1, "test", 0);
        fill(&mut agents, &files, &parameters, models.iter().copied(), &mut stream);
        assert!(agents.more.digital.is_empty() && agents.more.rep.is_empty() && agents.more.x.is_empty());
        let more = &mut parameters.more;
        more.receptivity = Some(Receptivity { comfort: 6.0, fatigue: 0.05, memory: 0.5, preference: 0.3 });
        more.turnover = Some(Turnover::default());
        more.word_of_mouth = Some(WordOfMouth { strength: 0.1 });
        fill(&mut agents, &files, &parameters, models.iter().copied(), &mut stream);
        let more = &agents.more;
        assert_eq!(more.digital, [2.0, 1.0, 0.0, 1.0]);
        assert_eq!(more.preferred, [1 << Channel::Email.index(), 0, 1 << Channel::Phone.index(), 0]);
        assert_eq!(more.rep, [1, 0, 0, 1]);
        // 12 visits in a year, and the mean customer's two thirds for a newcomer.
        assert!((more.contacted[0] - 1.0).abs() < 1e-6 && (more.contacted[3] - 2.0 / 3.0).abs() < 1e-6);
        // A tenth of a degree: 11.12 km north, and at 40 degrees of latitude 8.52 km east.
        assert_eq!((more.x[0], more.y[0]), (0.0, 0.0));
        assert!((more.x[1] - 8.518).abs() < 0.01 && (more.y[2] - 11.12).abs() < 0.01);
        // The dark one is near the customer that it was modelled on, and not on it.
        let distance = (more.x[3] - more.x[1]).hypot(more.y[3] - more.y[1]);
        assert!(distance > 0.0 && distance < 6.0, "{distance}");
    }
}
