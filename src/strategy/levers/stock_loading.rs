//! Stock sold ahead to our customers in the lever's territories: `depth` months of their demand for us in its first month and every
//! `every_months` from there, at a discount on what is sold ahead. What they take and when they order again is
//! [`crate::simulate::mechanisms::own_loading`].

use crate::scenario::StockLoading;

use super::{Context, Draft};

pub(super) fn apply(plan: &StockLoading, context: &Context<'_>, draft: &mut Draft) {
    if !loads(plan, context.month - context.lever.from) {
        return;
    }
    draft.change_moves(context, |moves| moves.loading += plan.depth as f32);
    draft.discount.resize(context.lever.territories.len(), 0.0);
    for (discount, on) in draft.discount.iter_mut().zip(&context.lever.territories) {
        if *on {
            *discount = plan.discount.max(*discount);
        }
    }
}

/// Whether a month of the lever, counted from 0, is one of loading.
pub(super) fn loads(plan: &StockLoading, month: usize) -> bool {
    month.is_multiple_of(plan.every_months.max(1) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_month_from_the_first() {
        let plan = StockLoading { depth: 0.5, every_months: 3, discount: 0.02 };
        let months: Vec<usize> = (0..9).filter(|&month| loads(&plan, month)).collect();
        assert_eq!(months, [0, 3, 6]);
    }
}
