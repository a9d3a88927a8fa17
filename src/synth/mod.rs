//! Synthetic markets: a market whose truth is known, made by running the project's own agents over a past.
//!
//! A [`Description`] (a small TOML file) says what the market is like. [`generate`] places its customers, staffs a field
//! force, lets rivals move, and lets the agents of [`crate::simulate`] live through the history: customers are found,
//! won, called on, lost; they open and close. [`write`] then writes what the company would know into `market/`, read by
//! the same loader as any other, and what it would not into `truth/`, which nothing but scoring ever reads.
//!
//! Half the market stays dark: the rate at which customers are found by themselves is solved so that the described share
//! of them is unknown at the end.

mod attainable;
mod description;
mod draws;
mod evidence;
mod field;
mod files;
mod onward;
mod past;
mod read;
mod rivals;
pub mod turkiye;
mod world;

pub use description::*;
pub use evidence::{Answer, Capture, PanelFigure};
pub use field::{Force, Rep};
pub use files::{WriteError, files, write};
pub use onward::{Knowing, at_end, onward};
pub use past::{Contact, Past, Sale};
pub use rivals::Move;
pub use world::{Person, Place, World};

use crate::simulate::Parameters;

/// A market and everything that is true of it.
#[derive(Debug, Clone)]
pub struct SyntheticMarket {
    pub description: Description,
    pub seed: u64,
    pub world: World,
    pub force: Force,
    pub moves: Vec<Move>,
    /// The true parameters, the solved rate of discovery among them.
    pub parameters: Parameters,
    pub past: Past,
    /// Territories with audited outlets.
    pub audited: Vec<bool>,
    pub panel: Vec<PanelFigure>,
    /// For each person, the lists that name it: bit 0 ours, bit l the description's list l - 1.
    pub listed: Vec<u32>,
    pub captures: Vec<Capture>,
    pub survey: Vec<Answer>,
    /// By month, 1 in the last.
    pub price_index: Vec<f64>,
    /// The truth of each territory over the last 12 months.
    pub totals: Vec<Totals>,
}

/// What is true of a territory over the last 12 months: customers that bought the category in them, and their demand.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    pub served_customers: u32,
    pub identified_customers: u32,
    pub dark_customers: u32,
    pub served_demand: f64,
    pub identified_demand: f64,
    pub dark_demand: f64,
    pub own_sales: f64,
}

impl Totals {
    /// Customers that bought the category.
    pub fn universe(&self) -> u32 {
        self.served_customers + self.identified_customers + self.dark_customers
    }
}

/// Makes a market. The same description and seed give the same market on any machine and number of threads.
pub fn generate(description: &Description, seed: u64) -> SyntheticMarket {
    let world = world::place(description, seed);
    let force = field::staff(description, &world, seed);
    let moves = rivals::moves(description, &world, seed);
    let (parameters, past) = past::live(description, &world, &force, &moves, seed);
    let audited = evidence::audited(description, &world, seed);
    let panel = evidence::panel(description, &world, &past, &audited, seed);
    let listed = evidence::listed(description, &world, &past, seed);
    let captures = evidence::captures(&world, &past, &listed);
    let survey = evidence::survey(description, &world, &past, seed);
    let totals = totals(&world, &past);
    let price_index = evidence::price_index(description);
    let description = description.clone();
    SyntheticMarket {
        description,
        seed,
        world,
        force,
        moves,
        parameters,
        past,
        audited,
        panel,
        listed,
        captures,
        survey,
        price_index,
        totals,
    }
}

fn totals(world: &World, past: &Past) -> Vec<Totals> {
    let mut out = vec![Totals::default(); world.places.len()];
    for (person, traits) in world.people.iter().enumerate() {
        let totals = &mut out[traits.territory];
        let demand = past.category_year[person];
        totals.own_sales += past.own_year[person];
        let (customers, part) = match (past.known[person], past.own_year[person] > 0.0) {
            (false, _) => (&mut totals.dark_customers, &mut totals.dark_demand),
            (true, true) => (&mut totals.served_customers, &mut totals.served_demand),
            (true, false) => (&mut totals.identified_customers, &mut totals.identified_demand),
        };
        if demand > 0.0 {
            *customers += 1;
            *part += demand;
        }
    }
    out
}

#[cfg(test)]
mod tests;
