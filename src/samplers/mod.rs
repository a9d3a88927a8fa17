//! Samplers that know nothing of markets: they take any log density, or any simulator, on the real line.
//!
//! * [`target`]: what is sampled: [`Prior`], with a likelihood a [`Target`], with a simulator a [`Simulator`].
//! * [`smc`]: tempered sequential Monte Carlo, the main one: draws, log evidence, several modes, checkpoints.
//! * [`eki`]: ensemble Kalman inversion, cheap and approximate: a screen for misfit and a place to start from.
//! * [`abc`]: approximate Bayesian computation, the baseline where there is no likelihood.
//!
//! Constraints belong into the target: parameters reach a sampler by bijections to the real line, so it never sees a
//! bound. An evaluation that fails is no exception: it has no weight, or is replaced. Budgets count evaluations, never
//! seconds, and results are the same bytes for any number of threads, since every draw is keyed.

pub mod abc;
pub mod eki;
pub mod ellipsoid;
pub mod mixture;
pub mod moves;
pub mod particles;
pub mod smc;
mod state;
pub mod target;
#[cfg(test)]
mod testing;

pub use target::{Prior, Simulator, Target};
