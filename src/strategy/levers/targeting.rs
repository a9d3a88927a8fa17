//! Targeting: whom `who` selects is visited `weight` times as often; capacity stays what it is.

use crate::simulate::VisitChange;

use super::{Context, Draft};

pub(super) fn apply(weight: f64, context: &Context<'_>, draft: &mut Draft) {
    draft.change_visits(context, None, VisitChange::Multiply(weight as f32));
}
