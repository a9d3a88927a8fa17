//! The dark half: who is out there, territory by territory, as draws.

mod dark_half;

pub use dark_half::*;
