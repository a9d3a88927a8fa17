//! Stress: category demand of the lever's territories is multiplied by `factor`.

use super::{Context, Draft};

pub(super) fn apply(factor: f64, context: &Context<'_>, draft: &mut Draft) {
    for (demand, on) in draft.phase.demand.iter_mut().zip(&context.lever.territories) {
        if *on {
            *demand *= factor as f32;
        }
    }
}
