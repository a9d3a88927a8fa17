//! Scenario files: TOML to a checked [`Scenario`], in one step.
//!
//! `scenario` keeps spans and knows no market: names that only the data can resolve (territories, segments, attributes)
//! stay [`Located`] strings here, and `market::bind` underlines the ones that do not exist.
//!
//! The way of a file: [`load`] reads it, `overrides` makes the `--set` edits in its tree, `shape` walks the tree along
//! the JSON Schema that is made from the `raw` types, `check` turns the raw types into the checked ones.

mod check;
mod checked;
pub mod filter;
mod finding;
mod load;
mod mechanisms;
mod overrides;
mod raw;
mod schema;
mod shape;
pub(crate) mod suggest;

pub use checked::*;
pub use load::{load, parse};
pub use mechanisms::{MECHANISMS, Mechanism, Parameter, Support, Usual, find_parameter, parameter_tables};
pub use raw::SCHEMA_VERSION;
pub use schema::json_schema;
