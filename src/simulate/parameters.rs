//! The parameters of one draw, shared by the simulator and the likelihood.

use super::Horizon;
use super::mechanisms::complaints::Complaints;
use super::mechanisms::contracts::Contracts;
use super::mechanisms::coverage::Coverage;
use super::mechanisms::credit::Credit;
use super::mechanisms::demand::{self, Demand};
use super::mechanisms::dispersion::Dispersion;
use super::mechanisms::goodwill::Goodwill;
use super::mechanisms::habit::Habit;
use super::mechanisms::launch::Launch;
use super::mechanisms::order_sizes::OrderSizes;
use super::mechanisms::own_loading::OwnLoading;
use super::mechanisms::price::Price;
use super::mechanisms::products::Products;
use super::mechanisms::promotion::Promotion;
use super::mechanisms::reaction::Reaction;
use super::mechanisms::receptivity::Receptivity;
use super::mechanisms::segments::Segments;
use super::mechanisms::stock_out::StockOut;
use super::mechanisms::transition::Life;
use super::mechanisms::travel::Travel;
use super::mechanisms::turnover::Turnover;
use super::mechanisms::word_of_mouth::WordOfMouth;
use crate::calendar::Feasts;

/// Market-wide parameters of one draw.
///
/// Levels are those of `history_end`: a customer's `size` is its category demand in an average month of that time, and
/// month t after it is multiplied by `season[month of year] * exp(growth * t)` and the territory's shock.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Demand indices by month of the year (January first), mean 1.
    pub season: [f64; 12],
    /// What moving feasts add to the season.
    pub feasts: Feasts,
    /// Log growth of category demand a month.
    pub growth: f64,
    /// Standard deviation of the log of the territory-month shock (mean of the shock is 1).
    pub shock_sd: f64,
    pub goodwill: Goodwill,
    /// Demand units of one order: `orders = order_unit * Poisson(mean / order_unit)`, so variance / mean = order_unit.
    pub order_unit: f64,
    pub discovery: Discovery,
    pub conversion: Conversion,
    /// Hazard a month that a served customer stops buying from us.
    pub churn: f64,
    /// Hazard a month that any customer closes for good.
    pub closure: f64,
    /// New (dark) customers opening a month, as a share of the living ones.
    pub birth: f64,
    pub more: Further,
}

/// Mechanisms that a market may do without; `None` is off.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Further {
    pub segments: Option<Segments>,
    pub travel: Option<Travel>,
    pub turnover: Option<Turnover>,
    pub reaction: Option<Reaction>,
    pub receptivity: Option<Receptivity>,
    pub complaints: Option<Complaints>,
    pub habit: Option<Habit>,
    pub price: Option<Price>,
    pub launch: Option<Launch>,
    pub word_of_mouth: Option<WordOfMouth>,
    pub contracts: Option<Contracts>,
    pub products: Option<Products>,
    pub coverage: Option<Coverage>,
    pub stock_out: Option<StockOut>,
    pub promotion: Option<Promotion>,
    pub own_loading: Option<OwnLoading>,
    pub dispersion: Option<Dispersion>,
    pub order_sizes: Option<OrderSizes>,
    pub credit: Option<Credit>,
}

impl Further {
    /// Nothing is on.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How dark customers become identified: hazard a month of one dark agent
/// `= visibility * (spontaneous + referral * influence-weighted served share
///                  + prospecting_yield * prospecting calls / dark at start)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discovery {
    /// Hazard a month.
    pub spontaneous: f64,
    /// Hazard a month at a served share of 1 (Bass's q).
    pub referral: f64,
    /// Customers found by one prospecting call while the dark half is what it was at the start.
    pub prospecting_yield: f64,
}

/// How identified (or lapsed) customers become served: hazard a month `= hazard * exp(goodwill_effect * goodwill)`,
/// of the lapsed times `reactivation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    /// At zero goodwill.
    pub hazard: f64,
    pub goodwill_effect: f64,
    /// Multiplies the hazard of customers that we have lost: 1 as others, above it they come back more easily.
    pub reactivation: f64,
    /// Share of those found (by themselves, by referral or by prospecting, not from a bought list) that are found because they
    /// order: they are served at once.
    pub at_once: f64,
}

impl Parameters {
    /// Demand of each month of a horizon over that of an average one: season, feasts and growth.
    pub fn path(&self, horizon: Horizon) -> Vec<f64> {
        let months = (0..horizon.months).map(|month| horizon.first.plus(month as i32));
        months
            .map(|month| {
                let since = f64::from(month.since(horizon.level));
                demand::path(&self.season, &self.feasts, month, self.growth * since)
            })
            .collect()
    }

    /// Those of demand.
    pub fn demand(&self) -> Demand {
        Demand { shock_sd: self.shock_sd }
    }

    /// Those of customers' lives.
    pub fn life(&self) -> Life {
        let Self { conversion, churn, closure, birth, .. } = *self;
        Life { conversion, churn, closure, birth }
    }
}
