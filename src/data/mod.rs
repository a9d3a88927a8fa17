//! The market directory: every file of it, checked once and held in columns.
//!
//! [`load`] reads a folder and either gives a [`MarketData`] in which every reference resolves and every number is
//! finite, or all the problems of the folder at once. Nothing behind this line validates again.

mod tables;

pub use tables::*;
