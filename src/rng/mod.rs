//! Random numbers by key, not in sequence.
//!
//! Every draw has an address, (seed, run, agent, month, purpose), and [`philox4x32`] turns the address into bits. Two
//! strategies that share a seed therefore meet the same luck customer by customer and month by month, however they differ
//! in who is called and who buys; and neither threads nor shards nor the order of customers changes a digit. Samplers
//! invert one uniform each and rise with it, so what differs between strategies differs for a reason.
//!
//! * [`RunKey`] and [`Purpose`] address the draws of a simulation run.
//! * [`Stream`] is a generator in sequence for set-up work (estimation, placing the dark half, synthetic markets), keyed
//!   by (seed, domain, index).

mod gamma;
mod key;
mod normal;
mod philox;
mod poisson;
mod stream;
mod uniform;

pub use gamma::*;
pub use key::*;
pub use normal::*;
pub use philox::*;
pub use poisson::*;
pub use stream::*;
pub use uniform::*;
