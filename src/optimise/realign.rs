//! Territories for other reps: calls where the demand is, contiguous, with as few changes as that takes.
//!
//! A rep's calls are spread evenly over its territories, so that who has what decides how many calls c_j a territory gets. With w_j its category
//! demand and C all calls, an alignment is as uneven as
//!
//! `U = sum_j (c_j - C w_j / W)² / (C w_j / W)`,
//!
//! summed over the territories that have a rep. From today's alignment on, the change that lowers U the most is made: a territory goes to a rep
//! who has a neighbouring one, or two reps exchange territories (the basic moves of political and sales districting; Zoltners & Sinha 2005,
//! "Sales territory design: thirty years of modeling and implementation", Marketing Science; Ricca & Simeone 2008). What a rep has must not
//! fall into more pieces than before, a territory with several reps stays with them, and so does what is locked. It ends when no
//! change takes off [`WORTH`] of today's U, or with as many changes as are allowed. What it is worth is not read off U: the alignments live the
//! same paired runs as all other plans, hand-over of customers included.

use std::collections::BTreeSet;

use crate::market::Posting;

/// Least part of today's unevenness that a change must take off.
const WORTH: f64 = 0.005;

/// A territory that goes to a rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub rep: usize,
    pub territory: usize,
}

/// Who has which territory.
#[derive(Debug, Clone)]
struct Alignment<'a> {
    /// By rep: its territories.
    of_rep: Vec<BTreeSet<usize>>,
    /// By rep: calls a month.
    calls: &'a [f64],
    /// By territory: calls that it should have.
    wanted: &'a [f64],
    neighbours: &'a [Vec<usize>],
}

impl Alignment<'_> {
    /// Calls by territory.
    fn covered(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.wanted.len()];
        for (of, calls) in self.of_rep.iter().zip(self.calls) {
            of.iter().for_each(|&j| out[j] += calls / of.len() as f64);
        }
        out
    }

    fn unevenness(&self) -> f64 {
        let each = |(calls, wanted): (f64, &f64)| if *wanted > 0.0 { (calls - wanted).powi(2) / wanted } else { 0.0 };
        self.covered().into_iter().zip(self.wanted).map(each).sum()
    }

    /// Pieces into which territories fall.
    fn pieces(&self, of: &BTreeSet<usize>) -> usize {
        let (mut left, mut pieces) = (of.clone(), 0);
        while let Some(first) = left.pop_first() {
            pieces += 1;
            let mut open = vec![first];
            while let Some(j) = open.pop() {
                for next in &self.neighbours[j] {
                    if left.remove(next) {
                        open.push(*next);
                    }
                }
            }
        }
        pieces
    }

    fn owner(&self, territory: usize) -> Option<usize> {
        self.of_rep.iter().position(|of| of.contains(&territory))
    }

    /// With these changes; `None` where a rep is left without a territory or with more pieces than before.
    fn after(&self, moves: &[Move]) -> Option<Self> {
        let mut out = self.clone();
        let mut touched = Vec::new();
        for &Move { rep, territory } in moves {
            let from = out.owner(territory)?;
            out.of_rep[from].remove(&territory);
            out.of_rep[rep].insert(territory);
            touched.extend([from, rep]);
        }
        let whole = |&rep: &usize| {
            let of = &out.of_rep[rep];
            !of.is_empty() && self.pieces(of) <= self.pieces(&self.of_rep[rep]).max(1)
        };
        touched.iter().all(whole).then_some(out)
    }
}

/// What is aligned.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub postings: &'a [Posting],
    /// By rep: calls a month.
    pub calls: &'a [f64],
    /// By territory: category demand.
    pub demand: &'a [f64],
    pub neighbours: &'a [Vec<usize>],
    /// Territories that stay with whom they have.
    pub locked: &'a [usize],
    /// Most territories that change hands.
    pub most: usize,
}

/// Changes in the order in which they are made; empty where none is worth while.
pub fn realign(field: &Field<'_>) -> Vec<Move> {
    let mut reps_of = vec![0; field.demand.len()];
    field.postings.iter().for_each(|posting| reps_of[posting.territory] += 1);
    let mut of_rep = vec![BTreeSet::new(); field.calls.len()];
    for posting in field.postings {
        of_rep[posting.rep].insert(posting.territory);
    }
    let with_rep = |j: usize| if reps_of[j] > 0 { field.demand[j].max(0.0) } else { 0.0 };
    let demand: f64 = (0..reps_of.len()).map(with_rep).sum();
    let calls: f64 = field.postings.iter().map(|posting| posting.calls).sum();
    if demand <= 0.0 || calls <= 0.0 {
        return Vec::new();
    }
    let wanted: Vec<f64> = (0..reps_of.len()).map(|j| calls * with_rep(j) / demand).collect();
    let mut now = Alignment { of_rep, calls: field.calls, wanted: &wanted, neighbours: field.neighbours };
    let free: Vec<usize> = (0..reps_of.len()).filter(|j| reps_of[*j] == 1 && !field.locked.contains(j)).collect();
    let begin = now.unevenness();
    let (mut at, mut out) = (begin, Vec::new());
    loop {
        let mut best: Option<(f64, Vec<Move>)> = None;
        let mut try_moves = |now: &Alignment<'_>, moves: Vec<Move>| {
            // Territories may go on to a third rep; each counts once.
            let changed: BTreeSet<usize> = out.iter().chain(&moves).map(|change: &Move| change.territory).collect();
            if changed.len() > field.most {
                return;
            }
            let Some(next) = now.after(&moves) else { return };
            let reached = next.unevenness();
            // A change of two must be worth twice as much.
            let enough = at - WORTH * begin * moves.len() as f64;
            if reached < enough && best.as_ref().is_none_or(|(best, _)| reached < *best) {
                best = Some((reached, moves));
            }
        };
        for &a in &free {
            let Some(from) = now.owner(a) else { continue };
            let beside: BTreeSet<usize> = now.neighbours[a]
                .iter()
                .flat_map(|b| (0..now.of_rep.len()).filter(|rep| now.of_rep[*rep].contains(b)))
                .filter(|&rep| rep != from)
                .collect();
            for rep in beside {
                let give = Move { rep, territory: a };
                try_moves(&now, vec![give]);
                for &b in now.of_rep[rep].iter().filter(|b| free.contains(*b)) {
                    try_moves(&now, vec![give, Move { rep: from, territory: b }]);
                }
            }
        }
        let Some((reached, moves)) = best else { break };
        let Some(next) = now.after(&moves) else { break };
        (now, at) = (next, reached);
        out.extend(moves);
    }
    out
}

/// The last word on each territory.
pub fn settled(moves: &[Move]) -> Vec<Move> {
    let mut out: Vec<Move> = Vec::new();
    for change in moves {
        match out.iter_mut().find(|earlier| earlier.territory == change.territory) {
            Some(earlier) => earlier.rep = change.rep,
            None => out.push(*change),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postings(of: &[&[usize]]) -> Vec<Posting> {
        of.iter()
            .enumerate()
            .flat_map(|(rep, of)| {
                let calls = 100.0 / of.len() as f64;
                of.iter().map(move |&territory| Posting { rep, territory, calls, last: None })
            })
            .collect()
    }

    /// Territories in a row.
    fn row(count: usize) -> Vec<Vec<usize>> {
        (0..count)
            .map(|j| [j.checked_sub(1), (j + 1 < count).then_some(j + 1)].into_iter().flatten().collect())
            .collect()
    }

    fn found(of: &[&[usize]], demand: &[f64], locked: &[usize], most: usize) -> Vec<Move> {
        let (postings, neighbours, calls) = (postings(of), row(demand.len()), vec![100.0; of.len()]);
        realign(&Field { postings: &postings, calls: &calls, demand, neighbours: &neighbours, locked, most })
    }

    #[test]
    fn a_territory_goes_to_the_rep_next_door_who_has_time() {
        // One rep has five alike, the other one: two or three change hands, those next door.
        let demand = [1.0; 6];
        let moves = found(&[&[0, 1, 2, 3, 4], &[5]], &demand, &[], 9);
        assert_eq!(moves, vec![Move { rep: 1, territory: 4 }, Move { rep: 1, territory: 3 }]);
        // Nothing crosses what is locked, and nothing is worth while where all is even.
        assert_eq!(found(&[&[0, 1, 2, 3, 4], &[5]], &demand, &[4], 9), vec![]);
        assert_eq!(found(&[&[0, 1, 2], &[3, 4, 5]], &demand, &[], 9), vec![]);
        assert_eq!(found(&[&[0, 1, 2, 3, 4], &[5]], &demand, &[], 1), vec![Move { rep: 1, territory: 4 }]);
    }

    #[test]
    fn no_alignment_of_three_reps_is_better_by_a_single_change() {
        // Brute force: from what was found, no territory given to the rep next door lowers U.
        let demand = [4.0, 1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0];
        let of: [&[usize]; 3] = [&[0], &[1, 2, 3, 4, 5, 6], &[7]];
        let moves = settled(&found(&of, &demand, &[], 9));
        assert!(!moves.is_empty());
        let (neighbours, calls) = (row(8), [100.0; 3]);
        let wanted: Vec<f64> = demand.iter().map(|demand| 300.0 * demand / 15.0).collect();
        let mut of_rep: Vec<BTreeSet<usize>> = of.iter().map(|of| of.iter().copied().collect()).collect();
        let start = Alignment { of_rep: of_rep.clone(), calls: &calls, wanted: &wanted, neighbours: &neighbours };
        for change in &moves {
            of_rep.iter_mut().for_each(|of| _ = of.remove(&change.territory));
            of_rep[change.rep].insert(change.territory);
        }
        let end = Alignment { of_rep, ..start.clone() };
        assert!(end.of_rep.iter().all(|of| end.pieces(of) == 1), "{:?}", end.of_rep);
        assert!(end.unevenness() < 0.5 * start.unevenness());
        for territory in 0..8 {
            for rep in 0..3 {
                let better = end.after(&[Move { rep, territory }]).map(|after| after.unevenness());
                assert!(better.is_none_or(|u| u > end.unevenness() - WORTH * start.unevenness()), "{territory} {rep}");
            }
        }
    }

    #[test]
    fn the_last_word_counts() {
        let of = |rep, territory| Move { rep, territory };
        assert_eq!(settled(&[of(1, 5), of(2, 3), of(0, 5)]), vec![of(0, 5), of(2, 3)]);
    }
}
