//! Stress: of the orders to us in the lever's territories a share can be filled. What customers do about the rest is
//! [`crate::simulate::mechanisms::stock_out`].

use super::{Context, Draft};

pub(super) fn apply(factor: f64, context: &Context<'_>, draft: &mut Draft) {
    draft.change_moves(context, |moves| moves.availability *= factor as f32);
}
