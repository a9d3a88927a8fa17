//! (being built)

pub mod turkiye;
