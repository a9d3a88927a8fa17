//! The months of a run.

use crate::units::Month;

/// The months that a run simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The first month simulated.
    pub first: Month,
    /// Their number.
    pub months: usize,
    /// The month whose level the agents' sizes are (the history's last): growth counts from there, backwards too.
    pub level: Month,
}

impl Horizon {
    /// The `months` after `history_end`.
    pub fn after(history_end: Month, months: usize) -> Self {
        Self { first: history_end.plus(1), months, level: history_end }
    }
}
