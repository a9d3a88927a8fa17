//! (being built)

/// (being built)
pub struct BoundLever;
/// (being built)
pub struct BoundRule;
/// (being built)
pub struct BoundStrategy;
/// (being built)
pub fn bind() {}
