//! Made markets for tests: customers generated month by month through the mechanisms themselves.

use std::sync::Arc;

use crate::calendar::{Calendar, Exposures, Feasts};
use crate::calibrate::curve;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::sbc::made::{Made, MarketOf, Setup, history, live, market_of};
use crate::channel::Channel;
use crate::market::Market;
use crate::simulate::mechanisms::{choice, demand, goodwill::Goodwill};
use crate::simulate::{Conversion, Discovery, Parameters};
use crate::units::MonthSpan;

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
    /// Deviation of log odds of us between customers.
    pub taste: f64,
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
            taste: 0.6,
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

    /// Log odds of us of a customer at its usual visits.
    fn appeal(&self, customer: usize) -> f64 {
        let z = Source::new(self.seed, Purpose::Predictive, 2_000_000 + customer as u64).normal();
        curve::centre(self.share, self.taste) + self.taste * z
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
            conversion: Conversion { hazard: self.conversion, goodwill_effect: 0.0, reactivation: 1.0, at_once: 0.0 },
            churn: self.churn,
            closure: 0.0,
            birth: 0.0,
            more: crate::simulate::Further::default(),
        }
    }

    fn more(&self) -> MarketOf<'_> {
        MarketOf { region: self.feasts.map(|_| "TR"), calls: self.calls }
    }

    fn history(&self) -> MonthSpan {
        history(self.months)
    }
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
        let appeal = recipe.appeal(i) - goodwill.steady_of(Channel::FaceToFace, level.min(4.0));
        let mut now = goodwill.steady_of(Channel::FaceToFace, level);
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
    market_of(&made, history, recipe.territories, recipe.more())
}

/// Makes the market with the agents: all customers known and served at first, visits by plan.
pub fn run_agents(recipe: &Recipe) -> Market {
    let goodwill = recipe.goodwill();
    let z: Vec<f64> =
        (0..recipe.customers).map(|i| Source::new(recipe.seed, Purpose::Predictive, i as u64).normal()).collect();
    let visits: Vec<f64> = z.iter().map(|z| 1.2 * libm::exp(recipe.selection * 0.7 * z)).collect();
    let steady: Vec<f64> = visits.iter().map(|&level| goodwill.steady_of(Channel::FaceToFace, level)).collect();
    let setup = Setup {
        parameters: recipe.parameters(),
        history: recipe.history(),
        territories: recipe.territories,
        size: z.iter().map(|z| recipe.size * libm::exp(0.7 * z)).collect(),
        appeal: steady.iter().enumerate().map(|(i, steady)| recipe.appeal(i) - steady).collect(),
        goodwill: steady,
        served: vec![true; recipe.customers],
        visits,
        common: vec![1.0; recipe.months],
    };
    market_of(&live(&setup, recipe.seed), recipe.history(), recipe.territories, recipe.more())
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
