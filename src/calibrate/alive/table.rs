//! Log probabilities of silences by when they begin, how long they are and how often the customer orders.

use rayon::prelude::*;

use super::states::{Chances, NO_CONTACTS_KNOWN, State};

/// Nodes of the grid over log rates.
pub(super) const NODES: usize = 40;

/// Orders a month at a level of 1, at a node: even steps of the logarithm from .004 to 90.
pub(super) fn node(k: usize) -> f64 {
    libm::exp(-5.5 + 10.0 * k as f64 / (NODES - 1) as f64)
}

/// Weights of the nodes under a normal of the log rate, adding up to 1.
pub(super) fn node_weights(mean: f64, sd: f64) -> [f64; NODES] {
    let log: [f64; NODES] = std::array::from_fn(|k| {
        let z = (libm::log(node(k)) - mean) / sd;
        -0.5 * z * z
    });
    let highest = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights = log.map(|l| libm::exp(l - highest));
    let total: f64 = weights.iter().sum();
    weights.map(|w| w / total)
}

/// What the likelihood asks of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The customer is served at its end.
    Served = 1,
    /// It lives.
    Living = 2,
    /// It was seen.
    Seen = 4,
}

/// Where a silence stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    row: u32,
    asked: Asked,
}

/// The rows that a likelihood needs: of silences that begin in the same month and are of the same length only one.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    months: usize,
    /// By row: the sum of what is asked.
    asked: Vec<u8>,
}

impl Rows {
    /// For silences within so many months.
    pub fn new(months: usize) -> Self {
        Self { months, asked: vec![0; Self::begin(months, months + 1)] }
    }

    /// First row of the silences that begin in a month; they may have 0 months, up to all that are left.
    fn begin(months: usize, start: usize) -> usize {
        start * (months + 1) - start * start.saturating_sub(1) / 2
    }

    /// Notes that a silence will be asked for.
    pub fn ask(&mut self, start: usize, silent: usize, asked: Asked) -> At {
        let start = start.min(self.months);
        let row = Self::begin(self.months, start) + silent.min(self.months - start);
        self.asked[row] |= asked as u8;
        At { row: row as u32, asked }
    }
}

/// Log probabilities, each `[row * NODES + node]`; a row that nobody asks for is nothing.
#[derive(Debug, Clone)]
pub(super) struct Table {
    served: Vec<f64>,
    living: Vec<f64>,
    seen: Vec<f64>,
}

impl Table {
    /// Room for them.
    pub fn new(rows: &Rows) -> Self {
        let size = rows.asked.len() * NODES;
        Self { served: vec![0.0; size], living: vec![0.0; size], seen: vec![0.0; size] }
    }

    /// Of silences after an order, or of waits of customers that have not bought yet; `none[month * NODES + node]`: the
    /// probability of no order.
    pub fn fill(&mut self, rows: &Rows, chances: Chances, none: &[f64], after_order: bool) {
        let mut parts = Vec::with_capacity(rows.months + 1);
        let (mut served, mut living, mut seen) = (&mut self.served[..], &mut self.living[..], &mut self.seen[..]);
        for start in 0..=rows.months {
            let length = (rows.months + 1 - start) * NODES;
            let (a, b, c);
            (a, served) = served.split_at_mut(length);
            (b, living) = living.split_at_mut(length);
            (c, seen) = seen.split_at_mut(length);
            parts.push((start, a, b, c));
        }
        parts.into_par_iter().for_each(|(start, served, living, seen)| {
            let begin = Rows::begin(rows.months, start);
            let asked = &rows.asked[begin..Rows::begin(rows.months, start + 1)];
            let Some(longest) = asked.iter().rposition(|asked| *asked != 0) else { return };
            let mut states = [State::start(chances, after_order); NODES];
            for silent in 0..=longest {
                let at = silent * NODES;
                for (k, state) in states.iter().enumerate() {
                    if asked[silent] & Asked::Served as u8 != 0 {
                        served[at + k] = libm::log(state.served.max(1e-300));
                    }
                    if asked[silent] & Asked::Living as u8 != 0 {
                        living[at + k] = libm::log((state.served + state.lapsed).max(1e-300));
                    }
                    if asked[silent] & Asked::Seen as u8 != 0 {
                        seen[at + k] = libm::log(state.sum().max(1e-300));
                    }
                }
                if silent < longest {
                    let none = &none[(start + silent) * NODES..][..NODES];
                    for (state, none) in states.iter_mut().zip(none) {
                        *state = state.after_silence(chances, *none, NO_CONTACTS_KNOWN);
                    }
                }
            }
        });
    }

    /// Log probabilities of a silence at every node.
    pub fn of(&self, at: At) -> &[f64] {
        let values = match at.asked {
            Asked::Served => &self.served,
            Asked::Living => &self.living,
            Asked::Seen => &self.seen,
        };
        &values[at.row as usize * NODES..][..NODES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_silence_has_its_row() {
        let mut rows = Rows::new(5);
        let mut seen: Vec<u32> = (0..=5)
            .flat_map(|start| (0..=5 - start).map(move |silent| (start, silent)))
            .map(|(start, silent)| rows.ask(start, silent, Asked::Served).row)
            .collect();
        assert_eq!(seen.len(), rows.asked.len());
        seen.dedup();
        assert_eq!(seen, (0..21).collect::<Vec<u32>>());
    }
}
