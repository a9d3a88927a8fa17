//! The past: the agents of [`crate::simulate`] live through the history under what we and the rivals did in it.

use super::description::Description;
use super::draws::Draws;
use super::field::Force;
use super::rivals::Move;
use super::world::{SizeScale, World};
use crate::channel::Channel;
use crate::data::ActionKind;
use crate::simulate::mechanisms::goodwill::Goodwill;
use crate::simulate::{
    Agents, Conversion, Discovery, MeetsCapacity, Parameters, Phase, Policy, Stage, Tallies, Territory, Twin, VisitPlan,
};

/// Our sales to one customer in one month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sale {
    pub person: usize,
    pub month: usize,
    /// Demand units; money of the end of the history where demand is in money.
    pub amount: f64,
}

/// Contacts with one customer by one channel in one month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    pub person: usize,
    pub month: usize,
    pub channel: Channel,
    pub count: f64,
}

/// What happened, by person of the world and month of the history.
#[derive(Debug, Clone)]
pub struct Past {
    pub tallies: Tallies,
    /// At the end.
    pub stage: Vec<Stage>,
    /// Whether we know the customer at the end (closed ones included): the rows of `customers.csv`.
    pub known: Vec<bool>,
    /// Month of discovery; `None` for the dark and for those known before the history.
    pub found: Vec<Option<usize>>,
    /// Month of opening; `None` for those that lived before the history.
    pub born: Vec<Option<usize>>,
    /// Month of closing for good.
    pub closed: Vec<Option<usize>>,
    /// In order of month, then person.
    pub sales: Vec<Sale>,
    /// In order of month, then person, then channel.
    pub contacts: Vec<Contact>,
    /// Category demand in the last 12 months.
    pub category_year: Vec<f64>,
    /// Our part of it.
    pub own_year: Vec<f64>,
}

/// The twin of the market as it was when the history began, under given parameters.
fn twin(description: &Description, world: &World, parameters: Parameters, seed: u64) -> Twin {
    let months = description.history.len() as f64;
    // Sizes are those of the end; the agents begin at the start.
    let shrink = libm::exp(-parameters.growth * (months - 1.0));
    let visibility_sd = SizeScale::of(description).visibility_sd(description.truth.visibility_of_size);
    let mut visibility: Vec<f64> = world
        .people
        .iter()
        .map(|person| libm::exp(world.places[person.territory].openness + visibility_sd * person.visibility))
        .collect();
    let mean = visibility.iter().sum::<f64>() / visibility.len().max(1) as f64;
    visibility.iter_mut().for_each(|weight| *weight /= mean);
    let stage = first_stages(description, world, &visibility, seed);
    let territories = world
        .places
        .iter()
        .map(|place| Territory {
            hash: place.hash,
            agents: place.people.clone(),
            rivals: place.rivals.clone(),
            dark_at_start: place.people.clone().filter(|&person| stage[person] == Stage::Dark).count() as f64,
        })
        .collect();
    let column = |of: &dyn Fn(&super::Person) -> f64| world.people.iter().map(|person| of(person) as f32).collect();
    let agents = Agents {
        hash: world.people.iter().map(|person| person.hash).collect(),
        stage,
        size: column(&|person| person.size * shrink),
        appeal: column(&|person| person.appeal),
        goodwill: column(&|_| 0.0),
        influence: column(&|person| 2.0 * person.influence),
        visibility: visibility.iter().map(|&weight| weight as f32).collect(),
        consent: world.people.iter().map(|person| person.consent).collect(),
    };
    Twin { parameters, territories, agents }
}

/// Stages when the history begins: the visible are known, two thirds of the known buy from us.
fn first_stages(description: &Description, world: &World, visibility: &[f64], seed: u64) -> Vec<Stage> {
    let living = |person: &usize| {
        let place = &world.places[world.people[*person].territory];
        (*person - place.people.start) < place.living_at_start
    };
    let weights: Vec<f64> = (0..world.people.len()).filter(living).map(|person| visibility[person]).collect();
    // Chance 1 - exp(-k v) of being known, k such that the mean is as described.
    let known = |k: f64| weights.iter().map(|v| 1.0 - libm::exp(-k * v)).sum::<f64>() / weights.len().max(1) as f64;
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if known(middle) < description.truth.known_at_start { low = middle } else { high = middle }
    }
    (0..world.people.len())
        .map(|person| {
            let mut draws = Draws::new(seed, "synth/start", world.people[person].hash);
            let (first, second) = (draws.uniform(), draws.uniform());
            if !living(&person) {
                Stage::Unborn
            } else if first >= 1.0 - libm::exp(-low * visibility[person]) {
                Stage::Dark
            } else if second < 0.65 {
                Stage::Served
            } else {
                Stage::Identified
            }
        })
        .collect()
}

/// The true parameters, at a rate of spontaneous discovery.
fn parameters(description: &Description, spontaneous: f64) -> Parameters {
    let truth = &description.truth;
    let mean = truth.season.iter().sum::<f64>() / 12.0;
    let mut effect = [0.0; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = truth.visit_effect;
    effect[Channel::Phone.index()] = truth.phone_effect;
    effect[Channel::Email.index()] = truth.email_effect;
    Parameters {
        season: truth.season.map(|index| index / mean),
        growth: libm::log(1.0 + truth.growth) / 12.0,
        shock_sd: truth.shock_sd,
        goodwill: Goodwill { decay: truth.goodwill_decay, effect, half_saturation: truth.half_saturation },
        order_unit: truth.order_unit,
        discovery: Discovery {
            spontaneous,
            referral: truth.referral * spontaneous,
            prospecting_yield: truth.prospecting_yield,
        },
        conversion: Conversion { hazard: truth.conversion, goodwill_effect: truth.conversion_goodwill },
        churn: truth.churn,
        closure: truth.closure / 12.0,
        birth: truth.birth / 12.0,
    }
}

/// What we and the rivals did, a phase a month.
fn policy(description: &Description, world: &World, force: &Force, moves: &[Move]) -> Policy {
    let months = description.history.len();
    let territories = world.places.len();
    let rivals = description.companies.len() - 1;
    let desired = desired_visits(description, world);
    let contacts_on = |channel: Channel, count: f64, to: &dyn Fn(&super::Person) -> bool| -> Vec<f32> {
        let of = |person: &super::Person| if to(person) && person.consents(channel) { count as f32 } else { 0.0 };
        world.people.iter().map(of).collect()
    };
    let phone =
        contacts_on(Channel::Phone, description.mail.phone_calls, &|person| person.preferred_channel == Channel::Phone);
    let email = contacts_on(Channel::Email, description.mail.emails, &|_| true);
    let phases = (0..months)
        .map(|month| {
            let mut rival_push = vec![vec![0.0; rivals]; territories];
            let mut rival_loading = vec![0.0; rivals];
            for step in moves.iter().filter(|step| (step.first..=step.last).contains(&month)) {
                let rival = step.company - 1;
                match (step.kind, &step.territories) {
                    (ActionKind::Loading, _) => rival_loading[rival] += step.depth as f32,
                    (_, None) => rival_push.iter_mut().for_each(|push| push[rival] += step.depth as f32),
                    (_, Some(places)) => places.iter().for_each(|&j| rival_push[j][rival] += step.depth as f32),
                }
            }
            let mailing = months - month <= description.mail.months as usize;
            let (channels, contacts) = if mailing {
                (vec![Channel::Phone, Channel::Email], vec![phone.clone(), email.clone()])
            } else {
                (Vec::new(), Vec::new())
            };
            Phase {
                from: month,
                visits: VisitPlan {
                    desired: desired.clone(),
                    meets_capacity: vec![MeetsCapacity::Ceiling; territories],
                    capacity: force.capacity[month].clone(),
                    prospecting: vec![description.field_force.prospecting; territories],
                },
                channels,
                contacts,
                demand: vec![1.0; territories],
                rival_push,
                rival_loading,
                own_push: 0.0,
            }
        })
        .collect();
    Policy { phases, list_purchases: Vec::new() }
}

/// Visits a month that the plan wants for each customer once it is known: more for those who look large, and for those
/// who like us. This is the selection that an estimate of what visits do must undo.
fn desired_visits(description: &Description, world: &World) -> Vec<f32> {
    /// Of a customer of average looks.
    const AVERAGE: f64 = 0.9;
    let plan = &description.field_force;
    let scale = SizeScale::of(description);
    world
        .people
        .iter()
        .map(|person| {
            let looks = plan.favours_size * (libm::log(person.size_seen) - scale.mean());
            (AVERAGE * libm::exp(looks + plan.favours_taste * person.taste)).clamp(0.1, 4.0) as f32
        })
        .collect()
}

pub(super) fn live(
    description: &Description,
    world: &World,
    force: &Force,
    moves: &[Move],
    seed: u64,
) -> (Parameters, Past) {
    let _ = (twin(description, world, parameters(description, 0.01), seed), policy(description, world, force, moves));
    todo!()
}
