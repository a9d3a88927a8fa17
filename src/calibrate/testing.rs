//! Made markets for tests: customers generated month by month through the mechanisms themselves.

use std::sync::Arc;

use crate::calendar::{Calendar, Exposures, Feasts};
use crate::calibrate::sampling::{Purpose, Source};
use crate::channel::Channel;
use crate::data::*;
use crate::ids::{CustomerIx, IdTable, Index as _, TerritoryIx, stable_hash};
use crate::lanes::Isa;
use crate::market::Market;
use crate::rng::RunKey;
use crate::simulate::mechanisms::{choice, demand, goodwill::Goodwill};
use crate::simulate::{
    Agents, Conversion, Discovery, Horizon, MeetsCapacity, Moves, Parameters, Phase, Policy, Recorder, Seen, Stage,
    Territory, Twin, VisitPlan, World,
};
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
    /// Effects of a day before, in and after a feast and of a day of fasting. Given, the market lies in Türkiye.
    pub feasts: Option<[f64; 4]>,
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
            feasts: None,
        }
    }
}

impl Recipe {
    pub fn goodwill(&self) -> Goodwill {
        let mut effect = [0.0; Channel::COUNT];
        effect[Channel::FaceToFace.index()] = self.effect;
        Goodwill { decay: self.decay, effect, half_saturation: self.half_saturation, slope: 1.0 }
    }

    /// The true effects on the region's feasts.
    pub fn true_feasts(&self) -> Feasts {
        let Some([pre, feast, post, fast]) = self.feasts else { return Feasts::none() };
        let exposures = Exposures::new(Calendar::new(Some("TR"), []), self.history());
        let effect = |phase| match phase {
            "pre" => pre,
            "feast" => feast,
            "post" => post,
            _ => fast,
        };
        let effects = exposures.covariates().iter().map(|covariate| effect(covariate.phase)).collect();
        Feasts::new(Arc::new(exposures), effects)
    }

    /// What the agents run on.
    fn parameters(&self) -> Parameters {
        Parameters {
            season: {
                let mean = self.season.iter().sum::<f64>() / 12.0;
                self.season.map(|s| s / mean)
            },
            feasts: self.true_feasts(),
            growth: self.growth,
            shock_sd: self.shock_sd,
            goodwill: self.goodwill(),
            order_unit: self.order_unit,
            discovery: Discovery { spontaneous: 0.0, referral: 0.0, prospecting_yield: 0.0 },
            conversion: Conversion { hazard: self.conversion, goodwill_effect: 0.0, reactivation: 1.0 },
            churn: self.churn,
            closure: 0.0,
            birth: 0.0,
            more: crate::simulate::Further::default(),
        }
    }

    fn history(&self) -> MonthSpan {
        let first = Month::new(2018, 1).expect("a month");
        MonthSpan::new(first, first.plus(self.months as i32 - 1)).expect("a span")
    }
}

/// Own sales and visits by customer and month.
#[derive(Default)]
struct Made {
    own: Vec<Vec<f64>>,
    visits: Vec<Vec<f64>>,
}

/// Makes the market.
pub fn make(recipe: &Recipe) -> Market {
    let n = recipe.customers;
    let history = recipe.history();
    let goodwill = recipe.goodwill();
    let shocks: Vec<Vec<f64>> = (0..recipe.territories)
        .map(|j| {
            let mut source = Source::new(recipe.seed, Purpose::Predictive, 1_000_000 + j as u64);
            (0..recipe.months).map(|_| libm::exp(recipe.shock_sd * source.normal())).collect()
        })
        .collect();
    let feasts = recipe.true_feasts();
    let mut made = Made::default();
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
        let (mut visits, mut sold) = (Vec::new(), Vec::new());
        for (t, shock) in shocks[(i / per).min(recipe.territories - 1)].iter().enumerate() {
            if t % 3 == 0 {
                quarter = libm::exp(0.6 * source.normal());
            }
            let calls = source.poisson(level * quarter * libm::exp(recipe.chasing * surprise));
            visits.push(calls);
            now = goodwill.step(now, goodwill.lift(Channel::FaceToFace, calls));
            let back = (recipe.months - 1 - t) as f64;
            let path = demand::path(&recipe.season, &feasts, history.at(t), -recipe.growth * back);
            let demand = size * path * shock;
            let mean = demand * choice::share(appeal + now, 1.0);
            let own = if served { recipe.order_unit * source.poisson(mean / recipe.order_unit) } else { 0.0 };
            surprise = libm::log((own + 1.0) / (mean + 1.0));
            sold.push(own);
            let moves = source.uniform() < -libm::expm1(-if served { recipe.churn } else { recipe.conversion });
            served ^= moves;
        }
        made.own.push(sold);
        made.visits.push(visits);
    }
    if recipe.shuffled && n > 0 {
        made.visits.rotate_left(n / 2 + 1);
    }
    assemble(recipe, &made)
}

/// Makes the market with the agents: all customers known and served at first, visits by plan.
pub fn run_agents(recipe: &Recipe) -> Market {
    let history = recipe.history();
    let (n, per) = (recipe.customers, recipe.customers.div_ceil(recipe.territories));
    let goodwill = recipe.goodwill();
    let mut agents = Agents::default();
    let mut desired = Vec::new();
    for i in 0..n {
        let z = Source::new(recipe.seed, Purpose::Predictive, i as u64).normal();
        let level = 1.2 * libm::exp(recipe.selection * 0.7 * z);
        let steady = goodwill.steady(&[level, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        desired.push(level as f32);
        agents.hash.push(stable_hash(&format!("C{i:06}")));
        agents.stage.push(Stage::Served);
        agents.size.push((recipe.size * libm::exp(0.7 * z)) as f32);
        agents.appeal.push(choice::appeal(recipe.share, steady) as f32);
        agents.goodwill.push(steady as f32);
        agents.influence.push(1.0);
        agents.visibility.push(1.0);
        agents.consent.push(u8::MAX >> 1);
    }
    let range = |j: usize| (j * per).min(n)..((j + 1) * per).min(n);
    let territories = (0..recipe.territories)
        .map(|j| Territory {
            hash: stable_hash(&format!("T{j}")),
            agents: range(j),
            rivals: vec![1.0],
            dark_at_start: 0.0,
            area_km2: 0.0,
            reps: Vec::new(),
        })
        .collect();
    let parameters = recipe.parameters();
    let capacity = (0..recipe.territories).map(|j| desired[range(j)].iter().map(|&x| f64::from(x)).sum()).collect();
    let phase = Phase {
        from: 0,
        visits: VisitPlan {
            desired,
            meets_capacity: vec![MeetsCapacity::Spread; recipe.territories],
            capacity,
            prospecting: vec![0.0; recipe.territories],
        },
        channels: Vec::new(),
        contacts: Vec::new(),
        demand: vec![1.0; recipe.territories],
        rival_push: vec![vec![0.0]; recipe.territories],
        rival_loading: vec![0.0],
        own_push: 0.0,
        moves: Moves::default(),
        handovers: Vec::new(),
        rules: Vec::new(),
    };
    let policy = Policy { phases: vec![phase], list_purchases: Vec::new(), marks: Vec::new() };
    let twin = Twin { parameters, territories, agents };
    let mut made = Made { own: vec![vec![0.0; recipe.months]; n], visits: vec![vec![0.0; recipe.months]; n] };
    let horizon = Horizon { first: history.first, months: recipe.months, level: history.last };
    World::new(&twin).run(&policy, horizon, RunKey { seed: recipe.seed, run: 0 }, Isa::detect(), &mut made);
    assemble(recipe, &made)
}

impl Recorder for Made {
    fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
        for (at, i) in seen.agents.clone().enumerate() {
            self.own[i][month] = f64::from(seen.own_sales[at]);
            self.visits[i][month] = f64::from(seen.contacts[Channel::FaceToFace.index()][at]);
        }
    }
}

/// The market directory of made sales and visits.
fn assemble(recipe: &Recipe, made: &Made) -> Market {
    let n = recipe.customers;
    let history = recipe.history();
    let per = n.div_ceil(recipe.territories.max(1)).max(1);
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
            region: recipe.feasts.map(|_| "TR".to_owned()),
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

/// A draw of a twin whose served customers give us a share of their demand.
pub fn draw_with_share(share: f64) -> crate::calibrate::Draw {
    crate::calibrate::Draw {
        parameters: Recipe::default().parameters(),
        category_season: [1.0; 12],
        own_wander: crate::calibrate::Wander::default(),
        category_wander: crate::calibrate::Wander::default(),
        finds: Vec::new(),
        finds_by_prospecting: 0.0,
        selection: 0.0,
        more: vec![("choice.share_of_wallet".to_owned(), share)],
    }
}
