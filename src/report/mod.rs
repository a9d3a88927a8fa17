//! Finished results to files for people: tables, maps, plots and one self-contained page. Never simulates.

mod findings;

pub use findings::*;
