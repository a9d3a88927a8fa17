//! The dark half: who is out there, territory by territory, as draws.
//!
//! [`estimate`] fuses all evidence of a market into a posterior ([`DarkHalf`]); [`measures`] turns it into the rows of
//! `potential.csv`; [`attainable`] says what of it could be won at an effort, [`effort_curves`] at
//! other efforts. Each source of evidence also stands alone in
//! [`evidence`], so that a reader can see which one pulls where. The model is described in `model.rs`.

mod activity;
pub mod attainable;
mod captures;
mod chain;
mod convergence;
mod dark_half;
mod effort;
mod error;
mod estimate;
pub mod evidence;
mod evolution;
mod identification;
mod measures;
mod model;
mod numeric;
mod observed;
mod own_list;
mod pairing;
mod panel_error;
mod predict;
mod segments;
mod sizes;
#[cfg(test)]
mod tests;
mod visibility;
mod wallets;
mod worth;

pub use attainable::AttainableInputs;
pub use dark_half::*;
pub use effort::{EFFORTS, EffortRow, effort_curves};
pub use error::PotentialError;
pub use estimate::{Settings, SizeRatioPrior, estimate, estimate_observed};
pub use measures::measures;
pub use observed::{Observed, ObservedCaptures, ObservedCustomer, ObservedTerritory};
pub use pairing::paired;
pub use panel_error::PANEL_ERROR;
