//! Targeting: whom `who` selects is visited `weight` times as often; capacity stays what it is.

use super::{Context, Draft};

pub(super) fn apply(weight: f64, context: &Context<'_>, draft: &mut Draft) {
    for agent in 0..draft.phase.visits.desired.len() {
        if context.reaches(agent) {
            draft.phase.visits.desired[agent] *= weight as f32;
        }
    }
}
