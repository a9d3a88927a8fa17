//! Territories go to other reps: their calls go with them, and the customers of what is given away change hands.
//!
//! A rep's calls are spread evenly over its territories, before and after. With `r_j` the calls of territory j's reps today and `r'_j`
//! those after the change, capacity goes from C_j to `C_j r'_j / r_j` (what travel and office take stays the same part of it), and to r'_j where
//! nobody called before. In the month of the change all customers of a territory that is given away are handed over, as planned, which costs
//! part of what their rep meant to them (`mechanisms::turnover`; without that mechanism it costs nothing, and the report says so).

use crate::market::Realigned;

use super::{Context, Draft};

pub(super) fn apply(plan: &Realigned, context: &Context<'_>, draft: &mut Draft) {
    for (j, capacity) in draft.phase.visits.capacity.iter_mut().enumerate() {
        let (before, after) = (plan.before[j], plan.after[j]);
        // Exactly as it was where nothing changes.
        if before != after {
            *capacity = if before > 0.0 { *capacity * after / before } else { *capacity + after };
        }
    }
    if context.month == context.lever.from {
        draft.phase.handovers.resize(plan.before.len(), 0);
        for &j in &plan.given {
            draft.phase.handovers[j] = u32::MAX;
        }
    }
}
