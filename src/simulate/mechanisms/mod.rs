//! What happens to a customer in a month. One file a mechanism: its equations, their source, and a test of each.

pub mod choice;
pub mod goodwill;
