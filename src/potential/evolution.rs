//! The evolution index: whether we grow faster than the market.
//!
//! ```text
//! 100 x (100 + our growth %) / (100 + market growth %) = 100 x (own_1 / own_0) / (category_1 / category_0)
//! ```
//!
//! 1: the 12 months to `history_end`; 0: the 12 before. It is exact given the files, with no deviation: the panel's error is
//! taken to be one of scale (`panel_error.rs`), the same in both years, and cancels. An error that changes from one year to the
//! next is not in it. Left out where a panel month is missing, where a territory of a group has no panel, or where we or the market
//! sold nothing in the first year.

use crate::market::Market;

/// Months of a year.
const YEAR: usize = 12;

/// The index of a group of territories; of the whole market by the market's own panel series where there is one.
pub(super) fn index(market: &Market, members: &[usize], whole: bool) -> Option<f64> {
    let panel = market.panel.as_ref()?;
    let end = market.months();
    let middle = end.checked_sub(YEAR)?;
    let begin = middle.checked_sub(YEAR)?;
    let years = |series: &[Option<f64>]| -> Option<[f64; 2]> {
        let sum = |from: usize, to: usize| series.get(from..to)?.iter().copied().sum::<Option<f64>>();
        Some([sum(begin, middle)?, sum(middle, end)?])
    };
    let of_members = || {
        members.iter().try_fold([0.0; 2], |sum, &j| {
            let [before, now] = years(&panel.category[j])?;
            Some([sum[0] + before, sum[1] + now])
        })
    };
    let category = if whole { years(&panel.market_category).or_else(of_members) } else { of_members() }?;
    let mut own = [0.0; 2];
    for &j in members {
        for i in market.customers_of(j) {
            for (month, amount) in market.sales.of(i).filter(|&(month, _)| month >= begin) {
                own[usize::from(month >= middle)] += amount;
            }
        }
    }
    evolution(own, category)
}

/// From amounts of (the year before, the year).
fn evolution(own: [f64; 2], category: [f64; 2]) -> Option<f64> {
    let growth = |[before, now]: [f64; 2]| (before > 0.0).then(|| now / before).filter(|growth| growth.is_finite());
    let market = growth(category).filter(|&growth| growth > 0.0)?;
    Some(100.0 * growth(own)? / market).filter(|index| index.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // We grow by 20%, the market by 50%: 100 x 120 / 150 = 80.
        assert_eq!(evolution([100.0, 120.0], [1000.0, 1500.0]), Some(80.0));
        // We shrink by 10%, the market by 25%: 100 x 90 / 75 = 120.
        assert!((evolution([200.0, 180.0], [400.0, 300.0]).unwrap() - 120.0).abs() < 1e-12);
        // Growth from nothing has no index.
        assert_eq!(evolution([0.0, 10.0], [100.0, 100.0]), None);
        assert_eq!(evolution([10.0, 10.0], [100.0, 0.0]), None);
        assert_eq!(evolution([10.0, 10.0], [0.0, 100.0]), None);
    }
}
