//! Whose orders a strategy changes: by segment, and of customers that bought from us before.
//!
//! A strategy that wins new customers may lose present ones (reps who prospect call less on those we have), so both are shown apart: what
//! present customers buy more or less, and what comes from the rest. Orders alone are counted: what is sold ahead is not.

use std::ops::Range;

use super::twin::Placed;
use crate::market::Market;
use crate::simulate::{Recorder, Seen, Stage};

/// Runs in which single customers are looked at.
pub const RUNS: u32 = 200;

/// Sums over the horizon.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parts {
    /// Orders from us by segment (demand units); the last one is of customers of unknown segment.
    pub sales: Vec<f64>,
    /// Customers won, by segment.
    pub won: Vec<f64>,
    /// Orders of customers that bought from us at the start.
    pub present: f64,
}

impl Parts {
    /// What is more than in another run.
    pub fn minus(mut self, other: &Self) -> Self {
        self.sales.iter_mut().zip(&other.sales).for_each(|(left, right)| *left -= right);
        self.won.iter_mut().zip(&other.won).for_each(|(left, right)| *left -= right);
        self.present -= other.present;
        self
    }
}

/// What is needed to know of the agents of a run.
pub struct Watched {
    /// By agent.
    segment: Vec<u16>,
    present: Vec<bool>,
    segments: usize,
}

impl Watched {
    /// A dark agent has the segment of the customer that it was modelled on.
    pub fn of(placed: &Placed, market: &Market) -> Self {
        let customers = &market.data.customers;
        let unknown = customers.segment_names.len();
        let of = |customer: &Option<u32>| {
            customer.and_then(|customer| customers.segment[customer as usize]).map_or(unknown, usize::from)
        };
        Self {
            segment: placed.customer.iter().map(|customer| of(customer) as u16).collect(),
            present: placed.twin.agents.stage.iter().map(|stage| *stage == Stage::Served).collect(),
            segments: unknown + 1,
        }
    }

    /// Looks at a run.
    pub fn watch(&self) -> Watch<'_> {
        let none = || vec![0.0; self.segments];
        Watch { watched: self, parts: Parts { sales: none(), won: none(), present: 0.0 } }
    }
}

/// A run that is looked at.
pub struct Watch<'a> {
    watched: &'a Watched,
    pub parts: Parts,
}

impl Recorder for Watch<'_> {
    fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
        let agents: Range<usize> = seen.agents.clone();
        for (at, agent) in agents.enumerate() {
            let segment = usize::from(self.watched.segment[agent]);
            let sold = f64::from(seen.own_sales[at]);
            self.parts.sales[segment] += sold;
            if self.watched.present[agent] {
                self.parts.present += sold;
            }
            if seen.after[at] == Stage::Served && seen.before[at] != Stage::Served {
                self.parts.won[segment] += 1.0;
            }
        }
    }
}
