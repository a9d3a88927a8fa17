//! What happens to a customer in a month. One file a mechanism: its equations, their source, and a test of each.
//!
//! Formulas that the likelihood needs too are generic over [`crate::lanes::Lanes`]; what is constant over a territory and
//! month is worked out once in `f64`.

pub mod acquaintance;
pub mod choice;
pub mod complaints;
pub mod contacts;
pub mod contracts;
pub mod coverage;
pub mod credit;
pub mod demand;
pub mod discovery;
pub mod dispersion;
pub mod goodwill;
pub mod habit;
pub mod launch;
pub mod loading;
pub mod order_sizes;
pub mod orders;
pub mod own_loading;
pub mod price;
pub mod products;
pub mod promotion;
pub mod reaction;
pub mod receptivity;
pub mod reps;
pub mod sales;
pub mod segments;
pub mod stock_out;
pub mod totals;
pub mod transition;
pub mod travel;
pub mod turnover;
pub mod word_of_mouth;
