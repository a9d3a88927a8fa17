//! Made markets for tests: customers generated month by month through the mechanisms themselves.

use crate::calibrate::sampling::{Purpose, Source};
use crate::channel::Channel;
use crate::data::*;
use crate::ids::{CustomerIx, IdTable, Index as _, TerritoryIx};
use crate::market::Market;
use crate::simulate::mechanisms::{choice, goodwill::Goodwill};
use crate::units::{DemandUnit, Month, MonthSpan};

/// How a market is made.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub customers: usize,
    pub territories: usize,
    pub months: usize,
    pub seed: u64,
    /// Of a visit, log odds.
    pub effect: f64,
    pub decay: f64,
    pub half_saturation: f64,
    pub share: f64,
    pub growth: f64,
    pub season: [f64; 12],
    pub order_unit: f64,
    /// Demand units a month, median customer.
    pub size: f64,
    pub churn: f64,
    pub conversion: f64,
    pub shock_sd: f64,
    /// How strongly larger customers are visited more: visits go with size to this power.
    pub selection: f64,
    /// Reps come after a month of good sales: visits a month later rise by this share of a log sale.
    pub chasing: f64,
    /// Visits are recorded with another customer's name.
    pub shuffled: bool,
    pub calls: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            customers: 400,
            territories: 5,
            months: 48,
            seed: 1,
            effect: 0.15,
            decay: 0.6,
            half_saturation: 3.0,
            share: 0.35,
            growth: 0.003,
            season: std::array::from_fn(|m| 1.0 + 0.2 * libm::sin(m as f64 * std::f64::consts::TAU / 12.0)),
            order_unit: 1.0,
            size: 20.0,
            churn: 0.004,
            conversion: 0.03,
            shock_sd: 0.05,
            selection: 0.5,
            chasing: 0.0,
            shuffled: false,
            calls: true,
        }
    }
}

/// Makes the market.
pub fn make(recipe: &Recipe) -> Market {
    let n = recipe.customers;
    let first = Month::new(2018, 1).expect("a month");
    let history = MonthSpan::new(first, first.plus(recipe.months as i32 - 1)).expect("a span");
    let mut effect = [0.0; Channel::COUNT];
    effect[Channel::FaceToFace.index()] = recipe.effect;
    let goodwill = Goodwill { decay: recipe.decay, effect, half_saturation: recipe.half_saturation };
    let shocks: Vec<Vec<f64>> = (0..recipe.territories)
        .map(|j| {
            let mut source = Source::new(recipe.seed, Purpose::Predictive, 1_000_000 + j as u64);
            (0..recipe.months).map(|_| libm::exp(recipe.shock_sd * source.normal())).collect()
        })
        .collect();
    let mut sales = Sales {
        customer: Vec::new(),
        month: Vec::new(),
        product: None,
        products: IdTable::default(),
        units: Some(Vec::new()),
        value: None,
        sell_out: None,
        order_channel: None,
        order_days: None,
    };
    let mut visits_of: Vec<Vec<f64>> = Vec::new();
    let per = n.div_ceil(recipe.territories.max(1)).max(1);
    for i in 0..n {
        let mut source = Source::new(recipe.seed, Purpose::Predictive, i as u64);
        let z = source.normal();
        let size = recipe.size * libm::exp(0.7 * z);
        let level = 1.2 * libm::exp(recipe.selection * 0.7 * z);
        // Reps plan by quarters: a customer is seen more in some than in others.
        let appeal = choice::appeal(recipe.share, goodwill.steady(&[level.min(4.0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
        let mut now = goodwill.steady(&[level, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let (mut served, mut quarter, mut surprise) = (true, 1.0, 0.0);
        let mut visits = Vec::new();
        for t in 0..recipe.months {
            if t % 3 == 0 {
                quarter = libm::exp(0.6 * source.normal());
            }
            let made = source.poisson(level * quarter * libm::exp(recipe.chasing * surprise));
            visits.push(made);
            now = goodwill.step(now, goodwill.lift(Channel::FaceToFace, made));
            let back = (recipe.months - 1 - t) as f64;
            let demand = size
                * recipe.season[history.at(t).of_year()]
                * libm::exp(-recipe.growth * back)
                * shocks[(i / per).min(recipe.territories - 1)][t];
            let mean = demand * choice::share(appeal + now, 1.0);
            let own = if served { recipe.order_unit * source.poisson(mean / recipe.order_unit) } else { 0.0 };
            surprise = libm::log((own + 1.0) / (mean + 1.0));
            if own > 0.0 {
                sales.customer.push(CustomerIx::from_usize(i));
                sales.month.push(t as u16);
                if let Some(units) = &mut sales.units {
                    units.push(Some(own));
                }
            }
            let moves = source.uniform() < -libm::expm1(-if served { recipe.churn } else { recipe.conversion });
            served ^= moves;
        }
        visits_of.push(visits);
    }
    if recipe.shuffled && n > 0 {
        visits_of.rotate_left(n / 2 + 1);
    }
    let rows = visits_of
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
    let (mut of, mut range) = (Vec::new(), Vec::new());
    for j in 0..recipe.territories {
        territories.intern(&format!("T{j}"));
        let begin = of.len();
        for i in begin..((j + 1) * per).min(n) {
            ids.intern(&format!("C{i:06}"));
            of.push(TerritoryIx::from_usize(j));
        }
        range.push(begin..of.len());
    }
    let t = recipe.territories;
    let mut companies = IdTable::default();
    companies.intern("us");
    let data = MarketData {
        meta: Meta {
            name: "made".into(),
            own_company: "us".into(),
            currency: "EUR".into(),
            demand: DemandUnit::Units,
            history,
            region: None,
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
        calls: recipe.calls.then_some(Calls { rows, contents: Vec::new() }),
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
