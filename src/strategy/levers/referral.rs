//! A reward for customers who name others: the rate at which served customers refer the dark ones of their territory is
//! multiplied by `strength` ([`crate::simulate::mechanisms::discovery`]); every customer that is found so is paid for.

use crate::scenario::Referral;
use crate::simulate::Tallies;

use super::{BoundLever, Context, Draft};

pub(super) fn apply(plan: &Referral, context: &Context<'_>, draft: &mut Draft) {
    draft.change_moves(context, |moves| moves.referral *= plan.strength as f32);
}

/// Rewards paid in a month.
pub(super) fn rewards(plan: &Referral, lever: &BoundLever, month: usize, tallies: &Tallies) -> f64 {
    let here = &tallies.referred[month * tallies.territories..][..tallies.territories];
    let named: f64 = here.iter().zip(&lever.territories).map(|(named, on)| if *on { *named } else { 0.0 }).sum();
    plan.reward * named
}
