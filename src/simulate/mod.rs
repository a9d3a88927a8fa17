//! The agents: one month of every customer, composed from mechanisms, and the months one after the other.
//!
//! `simulate` knows nothing of files, scenarios or strategies: it takes a [`Twin`] (one draw of the parameters and of the
//! dark half, placed as agents), a [`Policy`] (what we do, month by month) and a key, and gives [`Tallies`]. A run is pure
//! and on one thread; callers run many at a time. `docs/model.md` states the model as a whole.
//!
//! # How a month goes
//!
//! For each territory (`run.rs`), from what was true at the month's start:
//!
//! 1. the reps' effort: how far the plan of visits is met, and how many calls are left for prospecting
//!    ([`mechanisms::reps`]);
//! 2. the month's demand level with its shock ([`mechanisms::demand`]), the rivals' attraction ([`mechanisms::orders`]), the
//!    hazard of discovery ([`mechanisms::discovery`]) and of births ([`mechanisms::transition`]).
//!
//! Then for each block of 16 customers (`step.rs`):
//!
//! 3. contacts with those we know ([`mechanisms::contacts`]) and what they add to goodwill ([`mechanisms::goodwill`]);
//! 4. demand, less what is eaten from stock that rivals sold ahead ([`mechanisms::loading`]);
//! 5. the share of it that comes to us, of customers we serve ([`mechanisms::choice`]), and orders
//!    ([`mechanisms::orders`]);
//! 6. at the month's end at most one change of stage: found, won, lost, closed or born ([`mechanisms::transition`]).
//!
//! Sums over the territory go to the tallies and, as a census, to its next month. Territories do not touch each other.
//!
//! # How to add a mechanism
//!
//! 1. A file in `mechanisms/` with its equations, their source and units on top, its formulas (generic over
//!    [`crate::lanes::Lanes`] if the likelihood needs them too), and a test against a case computed by hand.
//! 2. Its parameters in [`Parameters`], what a policy may do to it in [`Phase`]. What is constant over a territory and month
//!    is worked out in `run.rs` in `f64` and handed over in `Here`; what a customer remembers is a column of `State`
//!    (`world.rs`).
//! 3. Its call in `step.rs`, at the place in the month where it happens. Draws take a new [`crate::rng::Purpose`]; never one
//!    that is in use, so that nobody else's draws move. A lane may depend on itself alone: branch on a mask only to skip
//!    work whose result no lane uses.
//! 4. A test of what it does to a market in `tests.rs`.

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
