//! A made market for benches.

use ikiz::calendar::Feasts;
use ikiz::channel::Channel;
use ikiz::ids::{slot_hash, stable_hash};
use ikiz::simulate::mechanisms::goodwill::Goodwill;
use ikiz::simulate::{
    Agents, Conversion, Discovery, MeetsCapacity, Moves, Parameters, Phase, Policy, Stage, Territory, Twin, VisitPlan,
};

/// Territories of a market of this size: 250 customers each, 40 at least.
fn territories(agents: usize) -> usize {
    (agents / 250).max(40)
}

/// Half of the market known (the known first).
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
    let mut effect = [0.0; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = 0.15;
    effect[Channel::Email.index()] = 0.03;
    let parameters = Parameters {
        season: [1.0; 12],
        feasts: ikiz::calendar::Feasts::none(),
        growth: 0.002,
        shock_sd: 0.05,
        goodwill: Goodwill { decay: 0.7, effect, half_saturation: 3.0, slope: 1.0 },
        order_unit: 2.0,
        discovery: Discovery { spontaneous: 0.002, referral: 0.01, prospecting_yield: 0.1 },
        conversion: Conversion { hazard: 0.02, goodwill_effect: 0.8, reactivation: 1.0 },
        churn: 0.01,
        closure: 0.004,
        birth: 0.006,
        more: ikiz::simulate::Further::default(),
    };
    Twin { parameters, territories: places, agents: columns }
}

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
        handovers: Vec::new(),
        rules: Vec::new(),
    };
    Policy { phases: vec![phase], list_purchases: Vec::new(), marks: Vec::new() }
}
