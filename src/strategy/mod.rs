//! Strategies: what we might do, compiled to policies and compared on paired runs.

mod results;

pub use results::*;
