//! What a synthetic market is to be like: a small TOML file, checked once.
//!
//! Every part but the name may be left out; what is left out is as in the demonstration market. `scenarios/markets/`
//! has two examples.

use serde::Deserialize;

use crate::units::{DemandUnit, MonthSpan};

/// A synthetic market's description, checked: every number is in its range and every name is used once.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    pub name: String,
    /// Used where the caller gives no other seed.
    pub seed: u64,
    pub history: MonthSpan,
    /// Living customers of the whole market at the end of the history, about.
    pub customers: u32,
    /// Share of them that we do not know at the end, about.
    pub dark_share: f64,
    pub territories: TerritorySource,
    pub demand: DemandUnit,
    pub currency: String,
    /// Calendar region of the market, e.g. "TR".
    pub region: Option<String>,
    /// Price of one unit in money of the end of the history.
    pub unit_price: f64,
    /// Rise of prices in each calendar year of the history; the last holds for all later years.
    pub inflation: Vec<f64>,
    /// Ours first.
    pub companies: Vec<Company>,
    pub segments: Vec<Segment>,
    /// Our log odds in a region (Türkiye) or territory (grid), added to the market's; regions that are not named have 0.
    pub strength: Vec<(String, f64)>,
    /// Log of the field force's density in a region or territory relative to the market's.
    pub coverage: Vec<(String, f64)>,
    /// Our own list (`crm`) is not among them.
    pub lists: Vec<List>,
    pub panel: Panel,
    pub survey: Survey,
    pub records: Records,
    pub field_force: FieldForce,
    pub mail: Mail,
    pub rivals: Rivals,
    pub truth: Truth,
}

/// Where the territories come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerritorySource {
    /// The 81 provinces.
    Turkiye,
    /// This many made-up territories.
    Grid(u32),
}

/// A company of the market.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    pub id: String,
    pub name: String,
    /// Share of what does not come to us, relative to the other rivals'; not used for ourselves.
    #[serde(default = "one")]
    pub weight: f64,
}

/// A segment of customers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub id: String,
    /// Share of all customers, relative to the other segments'.
    pub weight: f64,
    /// Category demand a month of the median customer, demand units.
    pub median_size: f64,
    /// Standard deviation of log demand.
    pub size_sd: f64,
    /// Log odds of us, added to the market's.
    #[serde(default)]
    pub appeal: f64,
    /// Price paid relative to the list price.
    #[serde(default = "one")]
    pub price: f64,
    /// Mean of `digital`, 0 to 1.
    #[serde(default = "half")]
    pub digital: f64,
}

/// A list of customers that somebody keeps: each customer is on it with
/// `logit P = logit(coverage) + visibility * z + territory effect`, z the customer's standardised visibility. The z that
/// all lists share is what makes them depend on each other.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    pub id: String,
    /// Chance of a customer of average visibility to be on it.
    pub coverage: f64,
    pub visibility: f64,
    /// Standard deviation of the territory effect.
    #[serde(default)]
    pub territory_sd: f64,
}

/// The market research panel.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Panel {
    /// Territories with audited outlets and companies' sales by month.
    pub audited: u32,
    /// Whether the whole market's months are known.
    pub whole_market: bool,
    /// Standard deviation of the log of a figure's measurement error.
    pub noise: f64,
}

/// The share-of-wallet survey.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Survey {
    pub customers: u32,
    /// Standard deviation of the log of an answer's error.
    pub noise: f64,
}

/// How well our own files know what is so.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Records {
    /// Share of known customers whose size has been estimated.
    pub size_known: f64,
    /// Standard deviation of the log of that estimate's error.
    pub size_noise: f64,
    /// Share of our known customers' closures that reach `customers.csv`.
    pub closures_known: f64,
    /// Share of rivals' moves that reach `actions.csv`.
    pub moves_known: f64,
}

/// Representatives and their call plan.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldForce {
    /// Seats at the end of the history.
    pub reps: u32,
    /// Seats at its start; the others are added over the first two thirds of it.
    pub reps_at_start: u32,
    /// Calls a month of one rep who need not travel.
    pub calls_per_month: f64,
    /// Of one rep, money of the end of the history.
    pub monthly_cost: f64,
    /// Share of calls spent finding customers.
    pub prospecting: f64,
    /// Hazard a month that a rep leaves; the seat is empty for two months and the successor needs three to ramp up.
    pub leave_hazard: f64,
    /// Log of the wanted call rate per log of the customer's size as we see it: above 0 the large are called more.
    pub favours_size: f64,
    /// Log of the wanted call rate per standard deviation of the customer's taste for us.
    pub favours_taste: f64,
}

/// E-mails and telephone calls, besides visits.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// Months before the end of the history at which e-mailing began.
    pub months: u32,
    /// E-mails a month to a customer that has consented.
    pub emails: f64,
    /// Telephone calls a month to a customer that prefers the telephone.
    pub phone_calls: f64,
}

/// What rivals did.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rivals {
    /// Campaigns of each rival a year, each of one region or of the whole market, for two or three months.
    pub campaigns_per_year: f64,
    /// Log odds that a campaign adds to a rival.
    pub push: f64,
    /// Chance that a rival loads its customers at the end of a quarter (twice that in December).
    pub loading: f64,
    /// Chance that it loads them in any other month.
    pub loading_other: f64,
    /// Months of its customers' category demand that one loading sells ahead.
    pub loading_depth: f64,
}

/// The true parameters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Truth {
    /// Demand by month of the year, January first; scaled to mean 1.
    pub season: [f64; 12],
    /// Effects of the region's moving feasts.
    pub feasts: TrueFeasts,
    /// Growth of category demand a year.
    pub growth: f64,
    /// Standard deviation of the log of a territory-month's demand shock.
    pub shock_sd: f64,
    /// Our share at an average customer that nobody calls on.
    pub share: f64,
    /// Standard deviation among customers of our log odds.
    pub taste_sd: f64,
    /// Standard deviation among territories of our log odds, besides `strength`.
    pub territory_sd: f64,
    /// Share of goodwill that is left a month later.
    pub goodwill_decay: f64,
    /// Log odds added by one visit a month.
    pub visit_effect: f64,
    /// Log odds added by one telephone call a month.
    pub phone_effect: f64,
    /// Log odds added by one e-mail a month.
    pub email_effect: f64,
    /// Contacts a month at which the effect is half its ceiling.
    pub half_saturation: f64,
    /// Demand units of one order.
    pub order_unit: f64,
    /// Share of living customers that we know when the history begins.
    pub known_at_start: f64,
    /// Log of the discovery hazard per log of a customer's size: above 0 the large are found first.
    pub visibility_of_size: f64,
    /// Log of the discovery hazard per standard deviation of taste for us: above 0 those who like us are found first.
    pub visibility_of_taste: f64,
    /// Hazard of discovery at a served share of 1, relative to the spontaneous one.
    pub referral: f64,
    /// Customers found by one prospecting call while the dark half is whole.
    pub prospecting_yield: f64,
    /// Hazard a month that a customer we know begins to buy, at zero goodwill.
    pub conversion: f64,
    /// Log of that hazard per unit of goodwill.
    pub conversion_goodwill: f64,
    /// Hazard a month that a served customer stops buying from us.
    pub churn: f64,
    /// Share of customers that close in a year.
    pub closure: f64,
    /// Customers that open in a year, as a share of the living.
    pub birth: f64,
}

/// Change of a day's demand around the moving feasts of the market's region, the same for all of them; without a region
/// that has some, of no use.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrueFeasts {
    /// In the days before a feast: 0.08 = 8% more.
    pub pre: f64,
    /// On its days.
    pub feast: f64,
    /// In the days after it.
    pub post: f64,
    /// In Ramazan, the month of fasting.
    pub fast: f64,
}

impl Default for TrueFeasts {
    fn default() -> Self {
        Self { pre: 0.08, feast: -0.15, post: -0.03, fast: 0.03 }
    }
}

pub(super) fn one() -> f64 {
    1.0
}

pub(super) fn half() -> f64 {
    0.5
}

impl Default for Panel {
    fn default() -> Self {
        Self { audited: 24, whole_market: true, noise: 0.02 }
    }
}

impl Default for Survey {
    fn default() -> Self {
        Self { customers: 400, noise: 0.15 }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self { size_known: 0.7, size_noise: 0.35, closures_known: 0.8, moves_known: 0.5 }
    }
}

impl Default for FieldForce {
    fn default() -> Self {
        Self {
            reps: 72,
            reps_at_start: 40,
            calls_per_month: 120.0,
            monthly_cost: 145_000.0,
            prospecting: 0.1,
            leave_hazard: 0.012,
            favours_size: 0.6,
            favours_taste: 0.2,
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self { months: 48, emails: 1.0, phone_calls: 0.3 }
    }
}

impl Default for Rivals {
    fn default() -> Self {
        Self { campaigns_per_year: 1.0, push: 0.35, loading: 0.15, loading_other: 0.0, loading_depth: 0.08 }
    }
}

impl Default for Truth {
    fn default() -> Self {
        Self {
            season: [1.18, 1.12, 1.06, 0.98, 0.93, 0.87, 0.82, 0.83, 0.95, 1.05, 1.08, 1.13],
            feasts: TrueFeasts::default(),
            growth: 0.025,
            shock_sd: 0.03,
            share: 0.22,
            taste_sd: 0.6,
            territory_sd: 0.2,
            goodwill_decay: 0.75,
            visit_effect: 0.12,
            phone_effect: 0.05,
            email_effect: 0.02,
            half_saturation: 3.0,
            order_unit: 6.0,
            known_at_start: 0.22,
            visibility_of_size: 0.5,
            visibility_of_taste: 0.0,
            referral: 2.0,
            prospecting_yield: 0.06,
            conversion: 0.05,
            conversion_goodwill: 1.5,
            churn: 0.006,
            closure: 0.04,
            birth: 0.05,
        }
    }
}
