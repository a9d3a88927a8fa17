//! Who is in the field at `history_end`.

use crate::ids::Index as _;
use crate::units::Month;

use super::{Market, Realigned};

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

/// Calls by territory.
fn calls(postings: &[Posting], territories: usize) -> Vec<f64> {
    let mut out = vec![0.0; territories];
    postings.iter().for_each(|posting| out[posting.territory] += posting.calls);
    out
}

impl Market {
    /// Who calls where once territories have gone to other reps (rep, territory), one after the other; `None` without `reps.csv` and
    /// `assignments.csv`.
    pub fn realigned(&self, moves: &[(usize, usize)]) -> Option<Realigned> {
        let (reps, mut postings) = (self.data.reps.as_ref()?, self.postings()?);
        let territories = self.territory_count();
        let before = calls(&postings, territories);
        let mut given = Vec::new();
        for &(rep, territory) in moves {
            if postings.iter().any(|posting| posting.territory == territory && posting.rep != rep) {
                given.push(territory);
            }
            postings.retain(|posting| posting.territory != territory);
            postings.push(Posting { rep, territory, calls: 0.0, last: None });
        }
        let mut of_rep = vec![0.0; reps.calls_per_month.len()];
        postings.iter().for_each(|posting| of_rep[posting.rep] += 1.0);
        for posting in &mut postings {
            posting.calls = reps.calls_per_month[posting.rep] / of_rep[posting.rep];
        }
        // Sums in another order would differ in their last digits where nothing has changed.
        let after = if moves.is_empty() { before.clone() } else { calls(&postings, territories) };
        Some(Realigned { before, after, given })
    }

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
