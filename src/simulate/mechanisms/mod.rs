//! What happens to a customer in a month. One file a mechanism: its equations, their source, and a test of each.
//!
//! Formulas that the likelihood needs too are generic over [`crate::lanes::Lanes`]; what is constant over a territory and
//! month is worked out once in `f64`.

pub mod acquaintance;
pub mod choice;
pub mod contacts;
pub mod demand;
pub mod discovery;
pub mod goodwill;
pub mod loading;
pub mod orders;
pub mod reps;
pub mod transition;
