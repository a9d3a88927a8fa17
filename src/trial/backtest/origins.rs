//! Which months the backtest forecasts from.

use crate::trial::TrialError;
use crate::units::{Month, MonthSpan};

/// Months that are forecast from an origin.
pub const AHEAD: usize = 12;

/// Months of history that an origin needs behind it: a season is seen twice.
const LEAST_BEHIND: usize = 24;

/// Origins as they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// So many, a year apart, the last 12 months before the history ends.
    Yearly(usize),
    /// These.
    At(Vec<Month>),
}

/// The origins in a history, ascending.
///
/// # Errors
/// When the history is too short for them, or one has too little behind or ahead of it.
pub fn origins(history: MonthSpan, wanted: &Origins) -> Result<Vec<Month>, TrialError> {
    let mut out = match wanted {
        Origins::Yearly(count) => {
            let needed = LEAST_BEHIND + AHEAD * count;
            let months = history.len();
            if months < needed || *count == 0 {
                let possible = months.saturating_sub(LEAST_BEHIND) / AHEAD;
                return Err(TrialError::TooFewMonths { origins: *count, needed, months, possible });
            }
            (1..=*count).map(|year| history.last.plus(-((AHEAD * year) as i32))).collect()
        }
        Origins::At(months) => months.clone(),
    };
    out.sort_unstable();
    out.dedup();
    let first = history.first.plus(LEAST_BEHIND as i32 - 1);
    let last = history.last.plus(-(AHEAD as i32));
    match out.iter().find(|&&origin| origin < first || origin > last) {
        Some(&origin) if first <= last => Err(TrialError::Origin { origin, first, last, history }),
        Some(_) => Err(TrialError::TooFewMonths {
            origins: out.len(),
            needed: LEAST_BEHIND + AHEAD,
            months: history.len(),
            possible: 0,
        }),
        None => Ok(out),
    }
}
