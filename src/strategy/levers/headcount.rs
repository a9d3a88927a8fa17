//! More (or fewer) reps, spread over the lever's territories by category demand.
//!
//! A new rep's capacity grows linearly: in month m after hiring (m = 0, 1, ...) it is `min(1, (m + 1) / (ramp + 1))` of
//! a full rep's calls. Without a call plan the added calls go the way of today's, in today's proportions.

use crate::scenario::Headcount;

use super::{Context, Draft};

pub(super) fn apply(plan: &Headcount, calls_per_month: f64, context: &Context<'_>, draft: &mut Draft) {
    let months = (context.month - context.lever.from) as f64;
    let ramp = ((months + 1.0) / (f64::from(plan.ramp_months) + 1.0)).min(1.0);
    // Who is let go is gone at once.
    let ramp = if plan.add < 0.0 { 1.0 } else { ramp };
    for (capacity, share) in draft.phase.visits.capacity.iter_mut().zip(context.spread()) {
        *capacity = (*capacity + plan.add * ramp * calls_per_month * share).max(0.0);
    }
}
