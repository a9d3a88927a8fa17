//! Stress: a competitor's appeal rises (or falls) by `push` log odds in the lever's territories.

use super::{Context, Draft};

pub(super) fn apply(company: usize, push: f64, context: &Context<'_>, draft: &mut Draft) {
    for (pushes, on) in draft.phase.rival_push.iter_mut().zip(&context.lever.territories) {
        if *on && let Some(own) = pushes.get_mut(company - 1) {
            *own += push as f32;
        }
    }
}
