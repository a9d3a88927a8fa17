//! (being built)

/// (being built)
pub struct Selection;
