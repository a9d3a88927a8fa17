//! What calibration hands on: draws, never point estimates.

use serde::Serialize;

use super::curve;
use super::sampling::{Purpose, Source};
use crate::ids::{CustomerIx, Index as _, stable_hash};
use crate::market::Market;
use crate::origin::Origin;
use crate::simulate::Parameters;
use crate::stats::Summary;
use crate::units::Date;

/// The calibrated response of a market.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// Equally weighted draws of the market-wide parameters.
    pub draws: Vec<Draw>,
    /// One row a parameter.
    pub diagnostics: Vec<Diagnostic>,
    /// Self-checks with their verdicts.
    pub checks: Vec<Check>,
    /// Artificial moves of rivals learnt from the data, apart from season and feasts.
    pub actions_found: Vec<ActionFound>,
    /// All moves of rivals that the panel shows, those that `actions.csv` names among them; empty without companies in it.
    pub rival_moves: Vec<RivalMove>,
    /// Plain sentences on what the data cannot tell, and what would help.
    pub notes: Vec<String>,
    /// What the customers' own rates need to be drawn; see [`CustomerRates`].
    pub customers: CustomerEffects,
}

/// One draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// The parameters of the forward model. `discovery.prospecting_yield` and `.spontaneous` need the dark half: they are
    /// left 0 here and set from `finds` when a twin is built.
    pub parameters: Parameters,
    /// Season of the category as the panel counts it, rivals' pushes included; `parameters.season` is that of use.
    pub category_season: [f64; 12],
    /// How the months of our sales, and of the panel's category, will wander around season and growth.
    pub own_wander: Wander,
    pub category_wander: Wander,
    /// Customers found (first known) a month at present, by territory, all causes together.
    pub finds: Vec<f64>,
    /// Share of those finds that prospecting brings; the rest come by themselves or by referral.
    pub finds_by_prospecting: f64,
    /// Log odds by which the appeal of a customer won later lies below that of one we serve today (selection).
    pub selection: f64,
    /// Further parameters for `posterior.csv` (name, value), the same names in every draw.
    pub more: Vec<(String, f64)>,
}

impl Draw {
    /// Finds by one prospecting call in a market where nobody prospects yet: a draw of its prior.
    pub fn prior_yield(&self) -> f64 {
        self.value("discovery.prospecting_yield").unwrap_or(0.0)
    }

    /// Log odds by which customers whom we know and do not serve like us less than those we do.
    pub fn selection_of_known(&self) -> f64 {
        self.selection * self.value("choice.selection_of_known").unwrap_or(1.0)
    }

    /// A parameter of [`Draw::more`] by its name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.more.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// What the effects of contacts, and the goodwill that they left, must be multiplied by in a twin whose served
    /// customers give us the share `share` of their demand.
    ///
    /// The data speak of the elasticity, `room * effect * ...`, `room` being `1 - share` averaged over tastes ([`curve::room`]); the draw's effect belongs to the draw's own share of
    /// wallet. A twin that draws its wallets from other evidence has another share, and without this factor would
    /// respond more, or less, than was measured. Both shares are kept below 0.98, where a logit has hardly any room left.
    pub fn effect_factor(&self, share: f64) -> f64 {
        let own = self.value("choice.share_of_wallet").unwrap_or(share);
        let taste = self.value("choice.taste").unwrap_or(0.0);
        let room = |share: f64| curve::room(share.clamp(1e-4, 0.98), taste);
        room(own) / room(share)
    }
}

/// A move of a rival in the past.
#[derive(Debug, Clone, PartialEq)]
pub struct RivalMove {
    /// `CompanyIx`, from 1.
    pub company: usize,
    pub kind: MoveKind,
    /// Position of its first month in the history, and how many it lasted.
    pub first: usize,
    pub length: usize,
    /// That it was made.
    pub probability: f64,
    /// Draws of its depth: months of category demand (loading), log odds (campaign, stock-out; above 0).
    pub depths: Vec<f64>,
}

/// What a rival did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveKind {
    /// Demand sold ahead.
    Loading,
    /// A push of its log odds.
    Campaign,
    /// A fall of its log odds.
    Stockout,
}

/// Deviations (log) of the months of the whole market beyond what the agents make: a random walk, which is 0 at the end of the
/// history, and white noise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wander {
    /// Of a step of the walk, a month.
    pub walk: f64,
    pub white: f64,
}

impl Wander {
    /// Of the year ahead of a series.
    pub(super) fn ahead(path: &super::season::Path) -> Self {
        Self { walk: path.walk, white: path.white }
    }
}

/// Sufficient statistics of each known customer's own-sales effect given the draw's globals.
///
/// Own sales of customer i in month t have mean `A_i * season_t * growth_t * response(goodwill_it)`; A_i is gamma with a
/// prior around the regression on attributes, so its posterior is gamma too.
#[derive(Debug, Clone, Default)]
pub struct CustomerEffects {
    /// `[draw][customer]`: shape of the gamma posterior of the own rate.
    pub shape: Vec<Vec<f32>>,
    /// `[draw][customer]`: rate of the gamma posterior, so that mean = shape / rate.
    pub rate: Vec<Vec<f32>>,
    /// `[draw][customer]`: goodwill at `history_end`.
    pub goodwill: Vec<Vec<f32>>,
    /// Probability that a customer who once bought still buys from us at `history_end`, by customer.
    pub active: Vec<f64>,
}

/// Own rates of all known customers in one draw.
#[derive(Debug, Clone, Default)]
pub struct CustomerRates {
    /// Own demand units a month at the level of `history_end`, season 1, *at today's goodwill*; if still active.
    pub own: Vec<f64>,
    /// Goodwill at `history_end`.
    pub goodwill: Vec<f64>,
    /// Drawn: still buys from us.
    pub active: Vec<bool>,
}

/// How well the data speak to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Identified {
    /// The posterior is much narrower than the prior.
    Yes,
    /// It is somewhat narrower.
    Weak,
    /// It is the prior.
    No,
}

/// A row of `diagnostics.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostic {
    pub parameter: String,
    pub unit: String,
    pub summary: Summary,
    /// 1 - (posterior sd / prior sd)^2; `None` where there is no proper prior to compare with.
    pub contraction: Option<f64>,
    pub identified: Identified,
    pub origin: Origin,
    /// Source of the prior, or of the estimate.
    pub source: String,
}

/// Verdict of a self-check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    Pass,
    Review,
    Fail,
}

/// A self-check of the calibration, or a line of the twin-readiness card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    pub name: String,
    pub verdict: Verdict,
    /// What was found, in plain words with the figure.
    pub finding: String,
    /// What to do about it; empty on PASS.
    pub advice: String,
}

/// A row of `actions_found.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActionFound {
    pub company: String,
    /// `*` = the whole market.
    pub territory: String,
    pub start: Date,
    pub end: Date,
    pub kind: String,
    /// What `depth` is measured in, e.g. "months of demand" or "share of sales".
    pub unit: String,
    pub depth: Summary,
    pub probability: f64,
}

impl Calibration {
    /// Own rates of all customers in a draw: gamma draws keyed by customer, so that adding one moves nobody else's.
    ///
    /// `draw` is a position in [`Calibration::draws`]; an index beyond them gives no customers.
    pub fn customer_rates(&self, market: &Market, draw: usize, seed: u64) -> CustomerRates {
        let effects = &self.customers;
        let (Some(shape), Some(rate), Some(goodwill)) =
            (effects.shape.get(draw), effects.rate.get(draw), effects.goodwill.get(draw))
        else {
            return CustomerRates::default();
        };
        let mut out = CustomerRates::default();
        for i in 0..shape.len() {
            let hash = stable_hash(market.data.customers.ids.name(CustomerIx::from_usize(i)));
            let mut source =
                Source::new(seed ^ (draw as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), Purpose::CustomerRates, hash);
            let own = source.gamma(f64::from(shape[i])) / f64::from(rate[i]).max(1e-30);
            out.active.push(source.uniform() < effects.active[i]);
            out.own.push(own);
            out.goodwill.push(f64::from(goodwill[i]));
        }
        out
    }
}
