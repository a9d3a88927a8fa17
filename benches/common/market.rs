//! A made market for benches: with the core set, and with all mechanisms on.

use ikiz::calendar::Feasts;
use ikiz::channel::Channel;
use ikiz::ids::{slot_hash, stable_hash};
use ikiz::simulate::mechanisms::complaints::Complaints;
use ikiz::simulate::mechanisms::contracts::Contracts;
use ikiz::simulate::mechanisms::coverage::Coverage;
use ikiz::simulate::mechanisms::credit::Credit;
use ikiz::simulate::mechanisms::dispersion::Dispersion;
use ikiz::simulate::mechanisms::goodwill::Goodwill;
use ikiz::simulate::mechanisms::habit::Habit;
use ikiz::simulate::mechanisms::launch::Launch;
use ikiz::simulate::mechanisms::order_sizes::OrderSizes;
use ikiz::simulate::mechanisms::own_loading::OwnLoading;
use ikiz::simulate::mechanisms::price::Price;
use ikiz::simulate::mechanisms::products::Products;
use ikiz::simulate::mechanisms::promotion::Promotion;
use ikiz::simulate::mechanisms::reaction::Reaction;
use ikiz::simulate::mechanisms::receptivity::Receptivity;
use ikiz::simulate::mechanisms::segments::Segments;
use ikiz::simulate::mechanisms::stock_out::StockOut;
use ikiz::simulate::mechanisms::travel::Travel;
use ikiz::simulate::mechanisms::turnover::Turnover;
use ikiz::simulate::mechanisms::word_of_mouth::WordOfMouth;
use ikiz::simulate::{
    Agents, Attributes, Comparison, Conversion, Dimension, Discovery, Further, ListPurchase, MeetsCapacity, Moves, Op,
    Parameters, Phase, Policy, RivalsAhead, Rule, Stage, Territory, Twin, VisitChange, VisitPlan,
};

/// Reps of a territory where all mechanisms are on.
const REPS: usize = 3;

/// Territories of a market of this size: 250 customers each, 40 at least.
fn territories(agents: usize) -> usize {
    (agents / 250).max(40)
}

/// Half of the market known (the known first); the core set.
pub fn twin(agents: usize) -> Twin {
    let each = agents / territories(agents);
    let mut columns = Agents::default();
    let mut places = Vec::new();
    for j in 0..territories(agents) {
        let hash = stable_hash(&format!("T{j}"));
        for i in 0..each {
            let stage = match 10 * i / each {
                0..3 => Stage::Served,
                3 => Stage::Lapsed,
                4 => Stage::Identified,
                5..9 => Stage::Dark,
                _ => Stage::Unborn,
            };
            let known = stage > Stage::Dark;
            columns.hash.push(if known { stable_hash(&format!("T{j}C{i}")) } else { slot_hash(hash, i as u32) });
            columns.stage.push(stage);
            // From 1 to 50 units a month, most of them small.
            columns.size.push(50.0 / (1.0 + (i * 37 % 50) as f32));
            columns.appeal.push(-1.0 + 0.1 * (i * 5 % 11) as f32);
            columns.goodwill.push(if known { 0.3 } else { 0.0 });
            columns.influence.push(0.5 + 0.1 * (i * 3 % 11) as f32);
            columns.visibility.push(0.6 + 0.1 * (i * 3 % 9) as f32);
            columns.consent.push(0b111_1111);
        }
        places.push(Territory {
            hash,
            agents: j * each..(j + 1) * each,
            rivals: vec![0.6, 0.3, 0.1],
            dark_at_start: 0.4 * each as f64,
            area_km2: 0.0,
            reps: Vec::new(),
        });
    }
    let mut effect = [0.02; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = 0.15;
    effect[Channel::Email.index()] = 0.03;
    let parameters = Parameters {
        season: [1.0; 12],
        feasts: Feasts::none(),
        growth: 0.002,
        shock_sd: 0.05,
        goodwill: Goodwill { decay: 0.7, effect, half_saturation: 3.0, slope: 1.0 },
        order_unit: 2.0,
        discovery: Discovery { spontaneous: 0.002, referral: 0.01, prospecting_yield: 0.1 },
        conversion: Conversion { hazard: 0.02, goodwill_effect: 0.8, reactivation: 1.0, at_once: 0.0 },
        churn: 0.01,
        closure: 0.004,
        birth: 0.006,
        more: Further::default(),
    };
    Twin { parameters, territories: places, agents: columns }
}

/// The same market with every mechanism on and every column filled.
pub fn full_twin(agents: usize) -> Twin {
    let mut twin = twin(agents);
    twin.parameters.more = further();
    twin.agents.more = attributes(&twin.agents);
    for territory in &mut twin.territories {
        territory.area_km2 = 400.0;
        territory.reps = vec![0.5 * territory.agents.len() as f64 / REPS as f64; REPS];
    }
    twin
}

/// Every further mechanism, on.
fn further() -> Further {
    Further {
        segments: Some(Segments { memory: 0.9, band: 0.25 }),
        travel: Some(Travel { cost: 0.01 }),
        turnover: Some(Turnover {
            leave: 0.02,
            vacancy_months: 2.0,
            ramp_months: 4.0,
            ramp_start: 0.5,
            knowledge_loss: 0.3,
            relationship: 0.4,
            relationship_decay: 0.9,
            handover: 0.7,
        }),
        reaction: Some(Reaction { strength: 0.5, inertia: 0.8 }),
        receptivity: Some(Receptivity { comfort: 4.0, fatigue: 0.1, memory: 0.5, preference: 0.3 }),
        complaints: Some(Complaints { hazard: 0.01, shortage: 0.1, harm: 0.3 }),
        habit: Some(Habit { strength: 0.3, decay: 0.8 }),
        price: Some(Price { effect: 2.0 }),
        launch: Some(Launch { lift: 0.2, innovation: 0.02, imitation: 0.3 }),
        word_of_mouth: Some(WordOfMouth { strength: 0.5 }),
        contracts: Some(Contracts { lost_at_end: 0.2, renewed_months: 12.0 }),
        products: Some(Products {
            count: 4,
            shares: [0.4, 0.3, 0.2, 0.1],
            cross: [[0.0, 0.2, -0.1, 0.0], [0.1, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.1], [0.0, 0.1, 0.0, 0.0]],
            nest: 0.7,
        }),
        coverage: Some(Coverage { decay: 0.8, per_contact: 0.5, weight: 0.5 }),
        stock_out: Some(StockOut { delayed: 0.4, dropped: 0.2 }),
        promotion: Some(Promotion { elasticity: 3.0, switching: 0.4, shifting: 0.3 }),
        own_loading: Some(OwnLoading { acceptance: 0.5, blocking: 0.2 }),
        dispersion: Some(Dispersion { shape: 2.0 }),
        order_sizes: Some(OrderSizes { shape: 1.5 }),
        credit: Some(Credit { paid: 0.5, strictness: 0.8 }),
    }
}

/// Every column, filled.
fn attributes(agents: &Agents) -> Attributes {
    let n = agents.len();
    let column = |of: &dyn Fn(usize) -> f32| (0..n).map(of).collect::<Vec<f32>>();
    Attributes {
        responsiveness: column(&|i| 0.7 + 0.1 * (i % 7) as f32),
        digital: column(&|i| 0.6 + 0.1 * (i * 3 % 9) as f32),
        preferred: (0..n).map(|i| 1 << (i % Channel::COUNT)).collect(),
        price_sensitivity: column(&|i| 0.5 + 0.1 * (i % 11) as f32),
        // A territory is 20 km by 20 km.
        x: column(&|i| (i * 61 % 199) as f32 / 10.0),
        y: column(&|i| (i * 83 % 197) as f32 / 10.0),
        rep: (0..n).map(|i| (i % REPS) as u8).collect(),
        seats: (0..n).map(|i| 1 + (i % 5) as u8).collect(),
        covered: column(&|i| 0.4 + 0.1 * (i % 5) as f32),
        credit_limit: column(&|i| 2.0 * agents.size[i]),
        balance: column(&|i| 0.3 * agents.size[i]),
        contract_months: column(&|i| (i % 25) as f32),
        recent: column(&|i| 0.3 * agents.size[i]),
        silent: column(&|i| (i % 4) as f32),
        contacted: column(&|i| 2.0 + (i % 5) as f32),
        visits: column(&|i| 0.5 + 0.5 * (i % 3) as f32),
        affinity: column(&|i| (i % 10) as f32 / 10.0),
    }
}

/// One visit a month to all that we know, as far as reps get, some prospecting, and contacts by further channels.
pub fn policy(twin: &Twin, channels: &[Channel]) -> Policy {
    let (agents, territories) = (twin.agents.len(), twin.territories.len());
    let phase = Phase {
        from: 0,
        visits: VisitPlan {
            desired: vec![1.0; agents],
            meets_capacity: vec![MeetsCapacity::Spread; territories],
            capacity: vec![0.5 * agents as f64 / territories as f64; territories],
            prospecting: vec![0.1; territories],
        },
        channels: channels.to_vec(),
        contacts: vec![vec![2.0; agents]; channels.len()],
        demand: vec![1.0; territories],
        rival_push: vec![vec![0.0; 3]; territories],
        rival_loading: vec![0.0; 3],
        own_push: 0.0,
        moves: Moves::default(),
        moves_at: Vec::new(),
        handovers: Vec::new(),
        rules: Vec::new(),
    };
    Policy { phases: vec![phase], list_purchases: Vec::new(), marks: Vec::new(), rivals: RivalsAhead::default() }
}

/// A policy that leaves nothing at rest: every channel, rules by segment, rivals that push and load, and every move of ours.
pub fn full_policy(twin: &Twin) -> Policy {
    let territories = twin.territories.len();
    let mut policy = policy(twin, &Channel::ALL[1..]);
    let phase = &mut policy.phases[0];
    phase.contacts.iter_mut().flatten().for_each(|rate| *rate = 0.5);
    phase.rival_push = vec![vec![0.05, 0.02, 0.0]; territories];
    phase.rival_loading = vec![0.02, 0.0, 0.01];
    phase.own_push = 0.05;
    phase.moves = Moves {
        quality: [1.1; Channel::COUNT],
        price: 0.01,
        promotion: 0.05,
        loading: 0.05,
        availability: 0.97,
        launched: 0.0,
        product_push: [0.1, 0.0, -0.05, 0.05],
        leaving: 1.1,
        referral: 1.2,
    };
    phase.handovers = vec![0b10; territories];
    phase.rules = vec![
        Rule {
            who: vec![Op::Compare(Dimension::OwnSales, Comparison::Greater, 5.0), Op::Stage(Stage::Served), Op::And],
            visits: VisitChange::Set(1.5),
            contacts: [0.0, 0.2, 0.0, 0.2, 0.0, 0.0, 0.0],
        },
        Rule {
            who: vec![Op::Compare(Dimension::Recency, Comparison::GreaterOrEqual, 3.0), Op::Mark(0), Op::Not, Op::And],
            visits: VisitChange::Keep,
            contacts: [0.0, 0.0, 0.2, 0.0, 0.2, 0.0, 0.1],
        },
    ];
    policy.marks = (0..twin.agents.len()).map(|i| (i % 2) as u32).collect();
    policy.list_purchases = vec![ListPurchase { month: 3, usable: vec![5.0; territories] }];
    policy
}
