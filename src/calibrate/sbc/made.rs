//! A made market: agents that live a truth, and what a company would have on file of them.

use std::ops::Range;

use crate::channel::Channel;
use crate::data::*;
use crate::ids::{CustomerIx, IdTable, Index as _, TerritoryIx, stable_hash};
use crate::lanes::Isa;
use crate::market::Market;
use crate::rng::RunKey;
use crate::simulate::{
    Agents, Horizon, MeetsCapacity, Moves, Parameters, Phase, Policy, Recorder, RivalsAhead, Seen, Stage, Territory,
    Twin, VisitPlan, World,
};
use crate::units::{DemandUnit, Month, MonthSpan};

/// Customers that are all known at first, in order of territory.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub parameters: Parameters,
    pub history: MonthSpan,
    pub territories: usize,
    /// By customer: category demand a month, log odds of us at zero goodwill, visits a month, goodwill at first.
    pub size: Vec<f64>,
    pub appeal: Vec<f64>,
    pub visits: Vec<f64>,
    pub goodwill: Vec<f64>,
    /// Whether it buys from us at first.
    pub served: Vec<bool>,
    /// By month: what multiplies everybody's demand.
    pub common: Vec<f64>,
}

/// Own sales, visits and who was ours, by customer and month.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    pub own: Vec<Vec<f64>>,
    pub visits: Vec<Vec<f64>>,
    pub served: Vec<Vec<bool>>,
}

/// What a made market's files hold beside sales.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MarketOf<'a> {
    pub region: Option<&'a str>,
    pub calls: bool,
}

/// So many months from January 2018 on.
pub(crate) fn history(months: usize) -> MonthSpan {
    let first = Month::new(2018, 1).unwrap_or_else(|| unreachable!("January 2018 is a month"));
    MonthSpan::new(first, first.plus(months.max(1) as i32 - 1))
        .unwrap_or_else(|| unreachable!("it ends after it begins"))
}

/// Customers of each territory: in order, equally many but in the last.
pub(crate) fn parts(customers: usize, territories: usize) -> Vec<Range<usize>> {
    let each = customers.div_ceil(territories.max(1)).max(1);
    (0..territories).map(|j| (j * each).min(customers)..((j + 1) * each).min(customers)).collect()
}

/// Runs the agents.
pub(crate) fn live(setup: &Setup, seed: u64) -> Made {
    let n = setup.size.len();
    let parts = parts(n, setup.territories);
    let mut agents = Agents::default();
    for i in 0..n {
        agents.hash.push(stable_hash(&format!("C{i:06}")));
        agents.stage.push(if setup.served[i] { Stage::Served } else { Stage::Identified });
        agents.size.push(setup.size[i] as f32);
        agents.appeal.push(setup.appeal[i] as f32);
        agents.goodwill.push(setup.goodwill[i] as f32);
        agents.influence.push(1.0);
        agents.visibility.push(1.0);
        agents.consent.push(u8::MAX >> 1);
    }
    let territories = parts
        .iter()
        .enumerate()
        .map(|(j, part)| Territory {
            hash: stable_hash(&format!("T{j}")),
            agents: part.clone(),
            rivals: vec![1.0],
            dark_at_start: 0.0,
            area_km2: 0.0,
            reps: Vec::new(),
        })
        .collect();
    let desired: Vec<f32> = setup.visits.iter().map(|&visits| visits as f32).collect();
    let capacity: Vec<f64> =
        parts.iter().map(|part| desired[part.clone()].iter().map(|&x| f64::from(x)).sum()).collect();
    let phase = |(month, common): (usize, &f64)| Phase {
        from: month,
        visits: VisitPlan {
            desired: desired.clone(),
            meets_capacity: vec![MeetsCapacity::Spread; setup.territories],
            capacity: capacity.clone(),
            prospecting: vec![0.0; setup.territories],
        },
        channels: Vec::new(),
        contacts: Vec::new(),
        demand: vec![*common as f32; setup.territories],
        rival_push: vec![vec![0.0]; setup.territories],
        rival_loading: vec![0.0],
        own_push: 0.0,
        moves: Moves::default(),
        moves_at: Vec::new(),
        handovers: Vec::new(),
        rules: Vec::new(),
    };
    let phases = setup.common.iter().enumerate().map(phase).collect();
    let policy = Policy { phases, list_purchases: Vec::new(), marks: Vec::new(), rivals: RivalsAhead::default() };
    let twin = Twin { parameters: setup.parameters.clone(), territories, agents };
    let months = setup.history.len();
    let mut made = Made {
        own: vec![vec![0.0; months]; n],
        visits: vec![vec![0.0; months]; n],
        served: vec![vec![false; months]; n],
    };
    let horizon = Horizon { first: setup.history.first, months, level: setup.history.last };
    World::new(&twin).run(&policy, horizon, RunKey { seed, run: 0 }, Isa::detect(), &mut made);
    made
}

impl Recorder for Made {
    fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
        for (at, i) in seen.agents.clone().enumerate() {
            self.own[i][month] = f64::from(seen.own_sales[at]);
            self.served[i][month] = seen.after[at] == Stage::Served;
            self.visits[i][month] = f64::from(seen.contacts[Channel::FaceToFace.index()][at]);
        }
    }
}

/// A market directory of made sales and visits: customers in order, equally many in each territory, all known from the start.
pub(crate) fn market_of(made: &Made, history: MonthSpan, territory_count: usize, more: MarketOf<'_>) -> Market {
    let n = made.own.len();
    let (mut customer, mut month, mut units) = (Vec::new(), Vec::new(), Vec::new());
    for (i, sold) in made.own.iter().enumerate() {
        for (t, &own) in sold.iter().enumerate().filter(|(_, own)| **own > 0.0) {
            customer.push(CustomerIx::from_usize(i));
            month.push(t as u16);
            units.push(Some(own));
        }
    }
    let sales = Sales {
        customer,
        month,
        product: None,
        products: IdTable::default(),
        units: Some(units),
        value: None,
        sell_out: None,
        order_channel: None,
        order_days: None,
    };
    let rows = made
        .visits
        .iter()
        .enumerate()
        .flat_map(|(i, visits)| {
            visits.iter().enumerate().filter(|(_, x)| **x > 0.0).map(move |(t, &calls)| Call {
                customer: CustomerIx::from_usize(i),
                month: t as u16,
                channel: Channel::FaceToFace,
                calls,
                rep: None,
                product: None,
                content: None,
                hour: None,
                response: None,
            })
        })
        .collect();
    let mut territories = IdTable::<TerritoryIx>::default();
    let mut ids = IdTable::<CustomerIx>::default();
    let mut of = Vec::new();
    let range = parts(n, territory_count);
    for (j, part) in range.iter().enumerate() {
        territories.intern(&format!("T{j}"));
        for i in part.clone() {
            ids.intern(&format!("C{i:06}"));
            of.push(TerritoryIx::from_usize(j));
        }
    }
    let t = territory_count;
    let mut companies = IdTable::default();
    companies.intern("us");
    let data = MarketData {
        meta: Meta {
            name: "made".into(),
            own_company: "us".into(),
            currency: "EUR".into(),
            demand: DemandUnit::Units,
            history,
            region: more.region.map(str::to_owned),
        },
        territories: Territories {
            ids: territories,
            name: vec![String::new(); t],
            lon: vec![None; t],
            lat: vec![None; t],
            area_km2: vec![None; t],
            population: vec![None; t],
            outlets: vec![None; t],
            parent: vec![None; t],
            parents: Vec::new(),
            covariates: Vec::new(),
            polygons: None,
        },
        customers: Customers {
            ids,
            territory: of,
            range,
            lon: vec![None; n],
            lat: vec![None; n],
            segment: vec![None; n],
            segment_names: Vec::new(),
            size: vec![None; n],
            affinity: vec![None; n],
            influence: vec![None; n],
            digital: vec![None; n],
            price_sensitivity: vec![None; n],
            preferred_channel: vec![None; n],
            consent: None,
            sources: None,
            lists: IdTable::default(),
            first_known: vec![None; n],
            closed: vec![None; n],
            covariates: Vec::new(),
        },
        sales,
        companies: Companies { ids: companies, name: vec!["us".into()] },
        panel: None,
        calls: more.calls.then_some(Calls { rows, contents: Vec::new() }),
        reps: None,
        assignments: None,
        actions: None,
        captures: None,
        wallets: None,
        experiments: None,
        contacts: None,
        contracts: None,
        receivables: None,
        events: None,
        calendar: None,
        deflator: None,
        files: Vec::new(),
    };
    Market::new(data, None, None)
}
