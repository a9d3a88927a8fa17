//! Competitors' artificial moves and season, estimated together on monthly series.
//!
//! The logs of the sales `y_kt` of all companies k (0 = us) in month t are one Gaussian system:
//!
//! `log y_kt = m_kt(moves) + c_t + o_kt`
//!
//! * `c_t`, common to all companies, is category use: growth, season by month of the year, moving feasts, a random walk,
//!   white noise, all normal (Harvey 1989, the structural model of [`super::season`]);
//! * `o_kt` is a company's own: level, random walk of its share, a weak season of its own, first-order autocorrelation;
//! * `m_kt` is what moves do, by the simulator's own equations ([`crate::simulate::mechanisms::loading`] and `choice`), `s`
//!   being shares without moves and demand 1: a push β adds to a company's log odds, so with `p_k ∝ s_k exp(β_k)` its
//!   sales are `p_k (1 - e)` and what it loads, `d`, comes on top: `m_k = log((p_k (1 - e) + d_k) / s_k)`. The stock of what
//!   was loaded takes `e = min(stock, 1)` from *everybody's* orders in the next months, until as much is missing as was
//!   sold ahead.
//!
//! Four facts tell a load from season, feast and campaign: season and feasts are common to all companies, a load is one
//! company's; a campaign takes from the others in its months, a load does not; a load is missing afterwards, from all; and
//! loads differ from year to year. Where every year has the same, a season of that company's own is the simpler account:
//! both are compared as wholes ([`compare`]), as are crowds of moves and odd months of the whole category.
//!
//! Dates, kinds and depths are sampled: Bayesian variable selection with a spike at "no move" and a slab over depths
//! (George & McCulloch 1993, JASA 88; additive outliers and interventions by Gibbs sampling: McCulloch & Tsay 1994,
//! "Bayesian inference and prediction for mean and variance shifts", Box & Tiao 1975 for interventions with a transient).
//! Depths are integrated: a grid of depths, around each of which `m` is linear in the log of the depth with a normal weight of
//! [`moves::STEP`], so that adding and taking out a move is a rank-one change of the precision. Single odd figures and odd months
//! of the whole category are allowed for, so that noise with heavy tails does not pass for moves. How often moves are
//! made is learnt ([`rates`]). Deviations of walks, seasons and noise are those of the highest marginal
//! likelihood on a grid given the moves, in turn with them.
//!
//! Where several loads leave hardly anything to order in the next month, what is left is known badly and counts for less.
//!
//! Without a panel the series are our own sales by group of territories; a dip that all of them share is a rival's move, or a bad
//! month of the category, which is why its probability never comes near one.

mod chain;
mod compare;
mod learn;
mod moves;
mod noise;
mod rates;
mod sampler;
mod shifts;
mod sizes;

pub use moves::Kind;
pub use shifts::Shifts;

/// Monthly series of a market.
#[derive(Debug, Clone)]
pub struct Series {
    /// Sales by company, or ours by group of territories, and month; [`NOTHING_KNOWN`] where that is so.
    pub sales: Vec<Vec<f64>>,
    /// Month of the year of each month, 0 to 11.
    pub of_year: Vec<usize>,
    /// Exposure to moving feasts, by month.
    pub feasts: Vec<Vec<f64>>,
    /// Prior standard deviation of each feast's effect.
    pub feast_sd: Vec<f64>,
    /// What the series are.
    pub sight: Sight,
    /// Which of the companies we are, where the series have us.
    pub own: Option<usize>,
}

/// What the series let us see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Sales of every company.
    Panel,
    /// Our own sales alone, by group of territories.
    OwnSales,
}

/// A move that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Index into the series' companies; 0 with [`Sight::OwnSales`].
    pub company: usize,
    pub first: usize,
    /// Months that it lasted, without its shadow.
    pub length: usize,
    pub kind: Kind,
    /// Share of the samples that have it.
    pub probability: f64,
    /// Samples of its depth: months of category demand (loading), log odds (campaign, stock-out), part of our sales (dip).
    pub depths: Vec<f64>,
}

/// What was learnt.
#[derive(Debug, Clone, Default)]
pub struct Estimate {
    pub moves: Vec<Found>,
    /// What rivals' moves do to the whole category by month.
    pub category: Shifts,
    /// What they do to our sales; nothing where the series do not have them.
    pub own: Shifts,
}

/// In the place of sales.
pub const NOTHING_KNOWN: f64 = -1.0;
/// Fewest months from which anything is said.
pub const FEWEST: usize = 24;
/// Moves of a smaller probability are not listed.
const LEAST_LISTED: f64 = 0.2;
/// Chance that a dip which all our series share is a rival's doing, and neither ours (nothing to deliver) nor the category's: an
/// assumption, no source tells.
const RIVALS_DIP: f64 = 0.6;

/// Finds moves. The same series and seed give the same moves.
pub fn estimate(series: &Series, seed: u64) -> Estimate {
    let months = series.of_year.len();
    let known = series.sales.iter().all(|s| s.iter().filter(|x| **x > 0.0).count() * 4 >= months * 3);
    let enough = match series.sight {
        Sight::Panel => series.sales.len() >= 2,
        Sight::OwnSales => !series.sales.is_empty(),
    };
    if months < FEWEST || !known || !enough {
        return Estimate::default();
    }
    sampler::run(series, seed)
}

#[cfg(test)]
mod tests;
