//! A small made-up market for tests.

use crate::channel::Channel;
use crate::ids::{slot_hash, stable_hash};
use crate::units::Month;

use super::mechanisms::goodwill::Goodwill;
use super::*;

/// Plausible parameters, everything on.
pub fn parameters() -> Parameters {
    let season = std::array::from_fn(|month| 1.0 + 0.2 * libm::sin(std::f64::consts::TAU * month as f64 / 12.0));
    let mut effect = [0.0; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = 0.15;
    effect[Channel::Email.index()] = 0.03;
    Parameters {
        season,
        feasts: crate::calendar::Feasts::none(),
        growth: 0.002,
        shock_sd: 0.05,
        goodwill: Goodwill { decay: 0.7, effect, half_saturation: 3.0, slope: 1.0 },
        order_unit: 2.0,
        discovery: Discovery { spontaneous: 0.002, referral: 0.01, prospecting_yield: 0.1 },
        conversion: Conversion { hazard: 0.02, goodwill_effect: 0.8, reactivation: 1.0, at_once: 0.0 },
        churn: 0.01,
        closure: 0.004,
        birth: 0.006,
        more: crate::simulate::Further::default(),
    }
}

/// `territories` territories with `each` agents: 2/8 dark, 1/8 unborn, 2/8 identified, 2/8 served and 1/8 lapsed.
pub fn twin(territories: usize, each: usize) -> Twin {
    let mut agents = Agents::default();
    let mut places = Vec::new();
    for j in 0..territories {
        let hash = stable_hash(&format!("T{j}"));
        let start = agents.len();
        for i in 0..each {
            let stage = match i % 8 {
                0 | 1 => Stage::Dark,
                2 => Stage::Unborn,
                3 | 4 => Stage::Identified,
                5 | 6 => Stage::Served,
                _ => Stage::Lapsed,
            };
            let known = stage > Stage::Dark;
            agents.hash.push(if known { stable_hash(&format!("T{j}C{i}")) } else { slot_hash(hash, i as u32) });
            agents.stage.push(stage);
            agents.size.push(4.0 + (i * 7 % 23) as f32);
            agents.appeal.push(-1.0 + 0.1 * (i * 5 % 11) as f32);
            agents.goodwill.push(if known { 0.3 } else { 0.0 });
            agents.influence.push(0.5 + 0.1 * (i * 3 % 11) as f32);
            agents.visibility.push(0.6 + 0.1 * (i * 3 % 9) as f32);
            agents.consent.push(if i % 3 == 0 { 0b111_1111 } else { 0b000_0011 });
        }
        let dark = agents.stage[start..].iter().filter(|&&stage| stage == Stage::Dark).count();
        places.push(Territory {
            hash,
            agents: start..agents.len(),
            rivals: vec![0.6, 0.3, 0.1],
            dark_at_start: dark as f64,
            area_km2: 0.0,
            reps: Vec::new(),
        });
    }
    Twin { parameters: parameters(), territories: places, agents }
}

/// One visit a month to all that we know, as far as reps get, some prospecting, and two e-mails.
pub fn policy(twin: &Twin) -> Policy {
    let (agents, territories) = (twin.agents.len(), twin.territories.len());
    let capacity = twin.territories.iter().map(|territory| territory.agents.len() as f64 * 0.7).collect();
    let phase = Phase {
        from: 0,
        visits: VisitPlan {
            desired: vec![1.0; agents],
            meets_capacity: vec![MeetsCapacity::Spread; territories],
            capacity,
            prospecting: vec![0.1; territories],
        },
        channels: vec![Channel::Email],
        contacts: vec![vec![2.0; agents]],
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

/// The `months` from January 2026.
pub fn horizon(months: usize) -> Horizon {
    Horizon::after(Month::new(2025, 12).unwrap(), months)
}
