//! The agents: one month of every customer, composed from mechanisms, and the months one after the other.
//!
//! `simulate` knows nothing of files, scenarios or strategies: it takes a [`Twin`] (one draw of the parameters and of the
//! dark half, placed as agents), a [`Policy`] (what we do, month by month) and a key, and gives [`Tallies`].

pub mod mechanisms;
mod parameters;
mod policy;
mod recorder;
mod run;
mod step;
mod tallies;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod twin;
mod world;

pub use parameters::*;
pub use policy::*;
pub use recorder::{Recorder, Seen};
pub use run::{Horizon, run};
pub use tallies::*;
pub use twin::*;
pub use world::World;
