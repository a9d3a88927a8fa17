//! The agents: one month of every customer, composed from mechanisms, and the months one after the other.
//!
//! `simulate` knows nothing of files, scenarios or strategies: it takes a [`Twin`] (one draw of the parameters and of the
//! dark half, placed as agents), a [`Policy`] (what we do, month by month) and a key, and gives [`Tallies`]. A run is pure
//! and on one thread; callers run many at a time. `docs/model.md` states the model as a whole.
//!
//! # How a month goes
//!
//! Each territory lives through all its months before the next begins (`engine.rs`, `kernel.rs`). In a month, from what was
//! true at its start, every mechanism first works out what is the same for all customers of the territory
//! ([`Mechanism::here`], in `f64`): seats of reps, travel and effort, the level of demand, the rivals' attraction, hazards. Then,
//! for each block of 16 customers, all mechanisms take their step, in the order of the tuple that composes them
//! ([`Core`], [`Full`]): who they are, contacts, goodwill, what they think, choice, orders; and all close the month: what is
//! remembered, and at most one change of stage. What mechanisms tell each other passes through [`Here`] and [`Now`]. Sums over
//! the territory go to the tallies and, as a census, to its next month. Territories do not touch each other.
//!
//! # How to add a mechanism
//!
//! 1. A file in `mechanisms/` with its equations, their source and units on top, its formulas (generic over
//!    [`crate::lanes::Lanes`] if the likelihood needs them too), its [`Mechanism`], and a test against a case computed by hand.
//!    `price.rs` is a short one to look at. What a customer remembers is its `Memory`, what stays of it its `Traits`, what a
//!    territory carries its `Ground`; attributes of agents are columns of [`Attributes`].
//! 2. A field of [`Further`] and its place in [`Full`], where it happens in the month; what a policy may do to it in [`Moves`]
//!    or [`Phase`]. Draws take a new [`crate::rng::Purpose`]; never one that is in use, so that nobody else's draws move. A lane
//!    may depend on itself alone: branch on a mask only to skip work whose result no lane uses.
//! 3. A row of the registry (`scenario/mechanisms/table.rs`) for each parameter, its draw in `calibrate/further.rs`, the columns that
//!    it reads in `strategy/attributes.rs`.
//! 4. A test of what it does to a market in `tests/`: its sign and size, and that it does nothing where it should not.

mod engine;
mod horizon;
mod kernel;
mod mechanism;
pub mod mechanisms;
mod month;
mod neighbours;
mod now;
mod parameters;
mod policy;
mod recorder;
mod rule;
mod tallies;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod twin;
mod world;

pub use engine::{Engine, Entry, Ledger};
pub use horizon::Horizon;
pub use mechanism::Mechanism;
pub use month::{Here, Month};
pub use now::{Now, Stages, Sums};
pub use parameters::*;
pub use policy::*;
pub use recorder::{Columns, Recorder, Seen};
pub use rule::*;
pub use tallies::*;
pub use twin::*;
pub use world::{Core, Full, World, core, full, run};
