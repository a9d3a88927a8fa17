//! Calibration: from a market's history to draws of the model's parameters, with what the data could and could not say.
//!
//! [`fit`] runs these in order; each file carries its equations and their sources:
//!
//! | file | question |
//! |---|---|
//! | `alive` | who still buys from us? (silence against own rhythm: a hidden Markov chain) |
//! | `past`, `observed` | who was ours when, and the past in the layout of the likelihood |
//! | `response`, `curve`, `space`, `posterior_response` | what do our contacts do? (conditional Poisson likelihood, draws by importance sampling) |
//! | `called` | who is called on more than its neighbours? |
//! | `clustering` | how much wider are intervals where a customer's or a territory's months err together? |
//! | `field_tests` | what did field tests of contacts show? |
//! | `feasts` | which moving feasts are there, and how sure are their dates? |
//! | `series`, `season` | season, feasts, growth, level (structural time series) |
//! | `shock` | how much do territories' months differ? |
//! | `wallet`, `tastes` | share of wallet, and how it differs between customers, before any model |
//! | `effects` | each customer's own rate (gamma posteriors around a regression) |
//! | `hazards` | being found, won, closed |
//! | `actions`, `pulses` | artificial moves of rivals in the panel, or in dips of our sales, estimated with season and feasts |
//! | `agreement` | do two runs of the sampler say the same? |
//! | `readiness` | is there enough to calibrate on? |
//! | `diagnostics` | how far did the data move each parameter from its prior? |
//! | `checks`, `predictive` | may the result be believed? |
//!
//! The response runs through the very functions of [`crate::simulate::mechanisms`] that the agents use. Everything is
//! deterministic in the seed: streams are keyed, sums have a fixed order, the number of threads changes nothing.

mod actions;
mod agreement;
mod alive;
mod called;
mod checks;
mod clustering;
mod curve;
mod diagnostics;
mod effects;
mod feasts;
mod field_tests;
mod fit;
mod further;
mod hazards;
mod laplace;
mod observed;
mod order_unit;
mod past;
mod posterior;
mod posterior_response;
mod predictive;
mod priors;
mod pulses;
mod readiness;
mod response;
mod sampling;
pub mod sbc;
mod season;
mod series;
mod shock;
mod space;
mod table;
mod tastes;
mod tempered;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod wallet;

pub use actions::{PanelMoves, in_panel};
pub(crate) use fit::fit_with_likelihood;
pub use fit::{CalibrateError, Settings, fit};
pub use further::switched_on;
pub use posterior::*;
pub use readiness::readiness;
pub use table::PosteriorTable;
pub(crate) use tastes::{Answer, orders, spread_of_tastes};
