//! More (or fewer) reps, spread over the lever's territories by category demand.
//!
//! They are hired evenly over the ramp: in month m of the lever (m = 0, 1, ...) `add * min(1, (m + 1) / ramp_months)` of them
//! are in office, paid and calling; who is let go is gone at once. Without a call plan the added calls go the way of
//! today's, in today's proportions.

use crate::scenario::Headcount;

use super::{Context, Draft};

pub(super) fn apply(plan: &Headcount, calls_per_month: f64, context: &Context<'_>, draft: &mut Draft) {
    let added = in_office(plan, context.month - context.lever.from);
    for (capacity, share) in draft.phase.visits.capacity.iter_mut().zip(context.spread()) {
        *capacity = (*capacity + added * calls_per_month * share).max(0.0);
    }
}

/// Reps added in a month of the lever, counted from 0.
pub(super) fn in_office(plan: &Headcount, month: usize) -> f64 {
    if plan.add < 0.0 || plan.ramp_months == 0 {
        return plan.add;
    }
    plan.add * ((month + 1) as f64 / f64::from(plan.ramp_months)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reps_are_hired_evenly() {
        let plan = Headcount { add: 6.0, monthly_cost: 1.0, ramp_months: 3, calls_per_month: None };
        let hired: Vec<f64> = (0..5).map(|month| in_office(&plan, month)).collect();
        assert_eq!(hired, [2.0, 4.0, 6.0, 6.0, 6.0]);
        assert_eq!(in_office(&Headcount { add: -2.0, ..plan }, 0), -2.0);
    }
}
