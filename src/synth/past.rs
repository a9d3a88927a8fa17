//! The past: the agents of [`crate::simulate`] live through the history under what we and the rivals did in it.

use std::sync::Arc;

use super::description::Description;
use super::draws::Draws;
use super::field::Force;
use super::rivals::Move;
use super::world::{SizeScale, World};
use crate::calendar::{Calendar, Exposures, Feasts};
use crate::channel::Channel;
use crate::data::ActionKind;
use crate::lanes::Isa;
use crate::rng::RunKey;
use crate::simulate::mechanisms::goodwill::Goodwill;
use crate::simulate::mechanisms::reps::effort;
use crate::simulate::{
    self, Agents, Attributes, Conversion, Discovery, Horizon, MeetsCapacity, Moves, Parameters, Phase, Policy,
    Recorder, RivalsAhead, Seen, Stage, Tallies, Territory, Twin, VisitPlan,
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
    /// How easily each is found, 1 on average.
    pub visibility: Vec<f64>,
    /// By territory: the dark when the history began.
    pub dark_at_start: Vec<f64>,
}

/// The past is a run that no forecast reaches, so that the future repeats none of its draws.
pub(super) const RUN: u32 = u32::MAX;

/// The twin of the market as it was when the history began, under given parameters.
pub(super) fn twin(
    description: &Description,
    world: &World,
    parameters: Parameters,
    policy: &Policy,
    seed: u64,
) -> Twin {
    let visibility_sd = SizeScale::of(description).visibility_sd(&description.truth);
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
            area_km2: 0.0,
            reps: Vec::new(),
        })
        .collect();
    let column = |of: &dyn Fn(&super::Person) -> f64| world.people.iter().map(|person| of(person) as f32).collect();
    let agents = Agents {
        hash: world.people.iter().map(|person| person.hash).collect(),
        stage,
        size: column(&|person| person.size),
        appeal: column(&|person| person.appeal),
        goodwill: column(&|_| 0.0),
        influence: column(&|person| 2.0 * person.influence),
        visibility: visibility.iter().map(|&weight| weight as f32).collect(),
        consent: world.people.iter().map(|person| person.consent).collect(),
        more: Attributes::default(),
    };
    let mut twin = Twin { parameters, territories, agents };
    twin.agents.goodwill = goodwill_at_start(&twin, policy);
    twin
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

/// Goodwill when the history begins: that of the visits that the known have had for long. The history begins in the midst of a company's
/// life.
fn goodwill_at_start(twin: &Twin, policy: &Policy) -> Vec<f32> {
    let (visits, agents) = (&policy.phases[0].visits, &twin.agents);
    let known = |person: usize| matches!(agents.stage[person], Stage::Identified | Stage::Served);
    let mut out = vec![0.0; agents.len()];
    for (j, territory) in twin.territories.iter().enumerate() {
        let wanted: f64 = territory.agents.clone().filter(|&i| known(i)).map(|i| f64::from(visits.desired[i])).sum();
        let made = effort(visits.meets_capacity[j], wanted, visits.capacity[j], visits.prospecting[j]).factor;
        for i in territory.agents.clone().filter(|&i| known(i)) {
            let rate = made * f64::from(visits.desired[i]);
            out[i] = twin.parameters.goodwill.steady_of(Channel::FaceToFace, rate) as f32;
        }
    }
    out
}

/// The true parameters, at a rate of spontaneous discovery.
fn parameters(description: &Description, spontaneous: f64) -> Parameters {
    let truth = &description.truth;
    let mean = truth.season.iter().sum::<f64>() / 12.0;
    let mut effect = [0.0; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = truth.visit_effect;
    effect[Channel::Phone.index()] = truth.phone_effect;
    effect[Channel::Email.index()] = truth.email_effect;
    let exposures = Exposures::new(Calendar::new(description.region.as_deref(), []), description.history);
    let of_phase = |phase| {
        libm::log(match phase {
            "pre" => 1.0 + truth.feasts.pre,
            "feast" => 1.0 + truth.feasts.feast,
            "post" => 1.0 + truth.feasts.post,
            _ => 1.0 + truth.feasts.fast,
        })
    };
    let effects = exposures.covariates().iter().map(|covariate| of_phase(covariate.phase)).collect();
    Parameters {
        feasts: Feasts::new(Arc::new(exposures), effects),
        season: truth.season.map(|index| index / mean),
        growth: libm::log(1.0 + truth.growth) / 12.0,
        shock_sd: truth.shock_sd,
        goodwill: Goodwill { decay: truth.goodwill_decay, effect, half_saturation: truth.half_saturation, slope: 1.0 },
        order_unit: truth.order_unit,
        discovery: Discovery {
            spontaneous,
            referral: truth.referral * spontaneous,
            prospecting_yield: truth.prospecting_yield,
        },
        conversion: Conversion {
            hazard: truth.conversion,
            goodwill_effect: truth.conversion_goodwill,
            reactivation: 1.0,
            at_once: 0.0,
        },
        churn: truth.churn,
        closure: truth.closure / 12.0,
        birth: truth.birth / 12.0,
        more: crate::simulate::Further::default(),
    }
}

/// What we and the rivals did, a phase a month.
pub(super) fn policy(description: &Description, world: &World, force: &Force, moves: &[Move]) -> Policy {
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
                moves: Moves::default(),
                moves_at: Vec::new(),
                handovers: Vec::new(),
                rules: Vec::new(),
            }
        })
        .collect();
    Policy { phases, list_purchases: Vec::new(), marks: Vec::new(), rivals: RivalsAhead::default() }
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

/// Lives through the history. The rate at which customers are found by themselves is what makes the described share of
/// them dark at the end (or comes as near as prospecting and referral allow).
pub(super) fn live(
    description: &Description,
    world: &World,
    force: &Force,
    moves: &[Move],
    seed: u64,
) -> (Parameters, Past) {
    let policy = policy(description, world, force, moves);
    let horizon = Horizon {
        first: description.history.first,
        months: description.history.len(),
        level: description.history.last,
    };
    let key = RunKey { seed, run: RUN };
    let isa = Isa::detect();
    let mut twin = twin(description, world, parameters(description, 0.0), &policy, seed);
    let mut agents = simulate::World::new(&twin);
    let mut dark_at_end = |spontaneous: f64| {
        twin.parameters = parameters(description, spontaneous);
        agents.reload(&twin);
        let mut last = LastStages { month: horizon.months - 1, stage: Vec::new() };
        agents.run(&policy, horizon, key, isa, &mut last);
        let count = |wanted: &dyn Fn(&Stage) -> bool| last.stage.iter().filter(|stage| wanted(stage)).count() as f64;
        count(&|&stage| stage == Stage::Dark) / count(&|&stage| !matches!(stage, Stage::Unborn | Stage::Gone)).max(1.0)
    };
    // More discovery leaves fewer dark: bisection on the logarithm of the rate.
    let (mut low, mut high) = (libm::log(1e-6), 0.0);
    for _ in 0..20 {
        let middle = (low + high) / 2.0;
        let dark = dark_at_end(libm::exp(middle));
        if (dark - description.dark_share).abs() < 0.002 {
            (low, high) = (middle, middle);
            break;
        }
        if dark > description.dark_share { low = middle } else { high = middle }
    }
    let parameters = parameters(description, libm::exp((low + high) / 2.0));
    twin.parameters = parameters.clone();
    agents.reload(&twin);
    let mut diary = Diary::new(&twin.agents.stage, horizon.months);
    let tallies = agents.run(&policy, horizon, key, isa, &mut diary);
    let past = Past {
        visibility: twin.agents.visibility.iter().map(|&visibility| f64::from(visibility)).collect(),
        dark_at_start: twin.territories.iter().map(|territory| territory.dark_at_start).collect(),
        ..diary.past(tallies)
    };
    (parameters, past)
}

/// Keeps the stages of the last month.
struct LastStages {
    month: usize,
    stage: Vec<Stage>,
}

impl Recorder for LastStages {
    fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
        if month == self.month {
            self.stage.extend_from_slice(seen.after);
        }
    }
}

/// Keeps everything that files are made of.
struct Diary {
    months: usize,
    past: Past,
}

impl Diary {
    fn new(start: &[Stage], months: usize) -> Self {
        let count = start.len();
        let past = Past {
            tallies: Tallies::default(),
            stage: start.to_vec(),
            known: start
                .iter()
                .map(|stage| matches!(stage, Stage::Identified | Stage::Served | Stage::Lapsed))
                .collect(),
            found: vec![None; count],
            born: vec![None; count],
            closed: vec![None; count],
            sales: Vec::new(),
            contacts: Vec::new(),
            category_year: vec![0.0; count],
            own_year: vec![0.0; count],
            visibility: Vec::new(),
            dark_at_start: Vec::new(),
        };
        Self { months, past }
    }

    fn past(mut self, tallies: Tallies) -> Past {
        // Territories came one after the other.
        self.past.sales.sort_by_key(|sale| sale.month);
        self.past.contacts.sort_by_key(|contact| contact.month);
        Past { tallies, ..self.past }
    }
}

impl Recorder for Diary {
    fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
        let past = &mut self.past;
        let last_year = month + 12 >= self.months;
        for (at, person) in seen.agents.clone().enumerate() {
            let (before, after) = (seen.before[at], seen.after[at]);
            past.stage[person] = after;
            if before != after {
                match (before, after) {
                    (_, Stage::Gone) => past.closed[person] = Some(month),
                    (Stage::Unborn, _) => past.born[person] = Some(month),
                    (Stage::Dark, _) => {
                        past.found[person] = Some(month);
                        past.known[person] = true;
                    }
                    _ => {}
                }
            }
            let own = f64::from(seen.own_sales[at]);
            if own > 0.0 {
                past.sales.push(Sale { person, month, amount: own });
            }
            if last_year {
                past.own_year[person] += own;
                past.category_year[person] += own + f64::from(seen.rival_sales[at]) + f64::from(seen.loaded[at]);
            }
            for channel in Channel::ALL {
                let count = f64::from(seen.contacts[channel.index()][at]);
                if count > 0.0 {
                    past.contacts.push(Contact { person, month, channel, count });
                }
            }
        }
    }
}
