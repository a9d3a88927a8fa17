//! A call plan: so many visits a month by rule, and a share of capacity for prospecting.
//!
//! The first rule that fits counts; who fits none is visited as today. Where a territory's capacity does not reach, all
//! visits are cut alike; what is left over is spent prospecting ([`MeetsCapacity::Ceiling`]).

use crate::market::BoundRule;
use crate::simulate::{MeetsCapacity, VisitChange};

use super::{Context, Draft};

pub(super) fn apply(prospecting: Option<f64>, rules: &[BoundRule], context: &Context<'_>, draft: &mut Draft) {
    let visits = &mut draft.phase.visits;
    for (j, on) in context.lever.territories.iter().enumerate() {
        if *on {
            if let Some(share) = prospecting {
                visits.prospecting[j] = share;
            }
            if !rules.is_empty() {
                visits.meets_capacity[j] = MeetsCapacity::Ceiling;
            }
        }
    }
    // What is set last holds, and that is the first rule.
    for rule in rules.iter().rev() {
        draft.change_visits(context, Some(&rule.who), VisitChange::Set(rule.per_month as f32));
    }
}
