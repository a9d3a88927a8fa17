//! Calibration: from a market's history to draws of the model's parameters, with what the data could and could not say.

mod posterior;

pub use posterior::*;
