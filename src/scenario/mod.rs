//! Scenario files: TOML to a checked [`Scenario`], in one step.
//!
//! `scenario` keeps spans and knows no market: names that only the data can resolve (territories, segments, attributes)
//! stay [`Located`] strings here, and `market::bind` underlines the ones that do not exist.

mod checked;
pub mod filter;

pub use checked::*;
