//! Our price in the lever's territories: the log of it moves by `ln(1 + change)`. What it does to choice is
//! [`crate::simulate::mechanisms::price`]; what it does to money is counted with the margin ([`crate::strategy::Prices`]).

use super::{Context, Draft};

/// `change`: of the log of the price.
pub(super) fn apply(change: f64, context: &Context<'_>, draft: &mut Draft) {
    draft.change_moves(context, |moves| moves.price += change as f32);
}
