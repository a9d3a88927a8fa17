//! A bought list of prospects: `records * accuracy` of them are real, spread over the lever's territories by their dark
//! customers; each dark customer there is on it with the same chance.

use crate::scenario::ListPurchase as Plan;
use crate::simulate::ListPurchase;

use super::{Context, Draft};

pub(super) fn apply(plan: &Plan, context: &Context<'_>, draft: &mut Draft) {
    if context.month != context.lever.from {
        return;
    }
    let dark = |(j, on): (usize, &bool)| if *on { context.placed.twin.territories[j].dark_at_start } else { 0.0 };
    let dark: Vec<f64> = context.lever.territories.iter().enumerate().map(dark).collect();
    let total: f64 = dark.iter().sum();
    if total > 0.0 {
        let usable = plan.records * plan.accuracy;
        draft.lists.push(ListPurchase {
            month: context.month,
            usable: dark.iter().map(|dark| usable * dark / total).collect(),
        });
    }
}
