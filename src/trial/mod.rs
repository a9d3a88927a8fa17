//! Trials on the user's own data: known customers are hidden, and the estimate must find them again; years that are over are
//! forecast ([`backtest`]).
//!
//! # Hidden customers (`random`, `size`, `territory`)
//!
//! Let y be all data and y' the data without the hidden customers H. In territory j the dark half of y' is
//! `D'_j = h_j + D_j`: the hidden who still buy and those whom even y does not know. D_j is never observed, so the
//! estimate on y' is compared with draws of the estimate on y,
//!
//! ```text
//! t_j(k) = (hidden customers of j that are open in draw k) + (dark customers of j in draw k),    k = 1..K
//! ```
//!
//! and the same with wallets and dark demand. Both addends come from the same draw, so that their dependence is kept.
//! Since y contains y', averaging the posterior given y over what y adds gives the posterior given y' back (the tower
//! rule). A draw `t_j(k)` is therefore distributed as a draw of the reduced estimate: it falls in the reduced 90%
//! interval with probability 0.90 exactly, whatever the uncertainty of D_j. The scores rest on that:
//!
//! * `cover50`, `cover90`: share of (territory, draw) pairs in the reduced 50% and 90% interval; expected 0.5 and 0.9.
//! * `pit` of a row: `P(D'_j < t_j) + P(D'_j = t_j) / 2` over all pairs of draws, which treats the two posteriors as
//!   independent. It lies nearer 1/2 than a uniform number where D_j is itself uncertain: near 0 the estimate
//!   is too high, near 1 too low.
//! * `wape`: sum of |mean D'_j - mean t_j| over the sum of mean h_j.
//! * `rank_correlation`: Spearman's, of mean D'_j - mean D_j with mean h_j.
//! * `floor`: share of territories in which the 95% quantile of D'_j is at least what is certain: hidden customers who
//!   bought from us in the last 12 months (number), our own sales to them (demand). It should be 1.
//!
//! An audited territory's number is told by the audit and is not scored.
//!
//! **What is tested**: whether customers that the files know to be there are found again from the rest of the evidence,
//! and whether the intervals are as wide as they should be. **What is not**: an error that both estimates share, such as
//! a wrong prior of R for customers that nobody has met. Demand of a hidden customer is
//! known from our own sales only as far as we supply it; its wallet is itself an estimate (draws of the full fit), so the
//! test of demand is one of consistency, and only its floor is hard. `random` hides customers like those that stay:
//! there is no selection in it. `size` hides the smallest of the customers we serve, since large ones are met first; a sharp
//! cut is harsher than life. `territory` hides every customer of some territories.
//!
//! # Found since (`recent`)
//!
//! The market is taken as of 24 months before `history_end`; customers first known since were dark then (or did not exist yet).
//! One common finding rate scales the dark half of that day to the number F found since; given F, the number found in j
//! is multinomial with the share `s_j(k) = D_j(k) / sum_i D_i(k)` of the estimated dark half:
//!
//! ```text
//! E f_j = F E s_j      Var f_j = F E[s_j (1 - s_j)] + F^2 Var s_j      z_j = (f_j - E f_j) / sd f_j
//! ```
//!
//! The common rate is `F / sum_i D_i(k)` in each draw, so an error in the level of the dark half cancels: **the
//! level is not tested**, its distribution over territories is. E z_j^2 = 1 where the estimate is right and the rate common;
//! rates that differ (more reps, a list bought here and not there) raise it. The calibration factor is
//! `c = max(1, sqrt(mean z^2))`, with standard error `sd(z^2) / sqrt(J) / (2 sqrt(mean z^2))` (delta method). The interval of
//! the dark customers of the whole market, q -> median (q / median)^c, is reported beside the estimate's own. It never
//! narrows. Carrying a factor found between territories over to the total is a convention, not a theorem. No other way of hiding feeds it:
//! what is hidden at random tells nothing of how customers come to be met.
//!
//! Audited outlets, lists, wallets and covariates are those of today. An audit of today counts who came since, so audited
//! territories are left out of F, of the shares and of the scores; they still tell the others how many to expect. Territories in
//! which fewer than one is expected are not scored either; who was found there all the same is counted apart.

pub mod backtest;
mod choose;
mod hide;
mod recent;
mod score;
#[cfg(test)]
mod tests;

pub use choose::{By, choose};
pub use hide::hide;
pub use recent::{Calibration, MONTHS_BACK, as_of, score_recent};
pub use score::{HideRow, HideScore, score_hidden};

use crate::units::{Month, MonthSpan};

fn too_few_months(origins: usize, needed: usize, months: usize, possible: usize) -> String {
    let wanted =
        if origins == 1 { "one origin needs".to_owned() } else { format!("{origins} origins a year apart need") };
    let next = match possible {
        0 => "add older sales".to_owned(),
        possible => format!("add older sales, or ask for fewer: --origins {possible}"),
    };
    format!(
        "{wanted} {needed} months of history (24 before the first, and 12 after each to compare with), and there are \
         {months}; {next}"
    )
}

/// Why a trial cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrialError {
    /// The share is out of its range.
    #[error("--share must be above 0 and at most 0.9 (0.3 hides three customers in ten); it is {0}")]
    Share(f64),
    /// Nobody to hide, or nobody left.
    #[error(
        "hiding by {by} would hide {hidden} of {all} customers; at least one must be hidden and one must stay. Choose another \
         --share or --by"
    )]
    Nobody { by: By, hidden: usize, all: usize },
    /// Too short a history to go back.
    #[error(
        "--by recent goes back {back} months and needs as many before that: {needed} months of history, and there are {months}. \
         Add older sales, or use --by random"
    )]
    ShortHistory { back: usize, needed: usize, months: usize },
    /// Most customers have no date.
    #[error(
        "--by recent needs first_known (the month in which you first knew a customer) in customers.csv; {missing} of {all} \
         customers have none. Fill it in for more than half, or use --by random"
    )]
    NoDates { missing: usize, all: usize },
    /// Nothing says how many are dark once the customers are hidden.
    #[error(
        "without the hidden customers nothing in the files speaks of how many customers are unknown; outlets in territories.csv (even for \
         a few territories), captures.csv or panel.csv would"
    )]
    NoBasis,
    /// A score needs territories.
    #[error(
        "{count} territories can be scored and at least {needed} are needed (audited ones are not scored: the audit tells \
         their number)"
    )]
    FewTerritories { count: usize, needed: usize },
    /// Too short a history for the origins asked for.
    #[error("{}", too_few_months(*.origins, *.needed, *.months, *.possible))]
    TooFewMonths { origins: usize, needed: usize, months: usize, possible: usize },
    /// An origin with too little behind or ahead of it.
    #[error(
        "--at {origin} has not 24 months of history behind it and 12 ahead of it to compare with: the history is {history}, so \
         choose a month from {first} to {last}"
    )]
    Origin { origin: Month, first: Month, last: Month, history: MonthSpan },
    /// A figure that is not one.
    #[error("the estimate gave a figure that is not finite; please report this fault")]
    NotFinite,
}
