//! Who is in the field at `history_end`.

use crate::ids::Index as _;
use crate::units::Month;

use super::Market;

/// A rep in office, in one of its territories.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posting {
    pub rep: usize,
    pub territory: usize,
    /// Calls a month that the rep can make here: its own, spread evenly over its territories.
    pub calls: f64,
    /// Last month of it, where the files know one.
    pub last: Option<Month>,
}

impl Market {
    /// The postings in force at `history_end`, in the order of `assignments.csv`; `None` without `reps.csv` and
    /// `assignments.csv`.
    pub fn postings(&self) -> Option<Vec<Posting>> {
        let (reps, assignments) = (self.data.reps.as_ref()?, self.data.assignments.as_ref()?);
        let end = self.history.last;
        let current = || {
            assignments.iter().filter(|row| {
                let rep = row.rep.usize();
                row.valid_from <= end
                    && row.valid_to.is_none_or(|last| last >= end)
                    && reps.start[rep] <= end
                    && reps.end[rep].is_none_or(|last| last >= end)
            })
        };
        let mut territories_of = vec![0.0; reps.calls_per_month.len()];
        current().for_each(|row| territories_of[row.rep.usize()] += 1.0);
        let posting = |row: &crate::data::Assignment| {
            let rep = row.rep.usize();
            Posting {
                rep,
                territory: row.territory.usize(),
                calls: reps.calls_per_month[rep] / territories_of[rep],
                last: [row.valid_to, reps.end[rep]].into_iter().flatten().min(),
            }
        };
        Some(current().map(posting).collect())
    }
}
