//! Loading: a rival sells months of demand ahead, and the customer's stock eats into later orders (sell-in is not
//! sell-out; Blattberg & Neslin 1990, "Sales Promotion", ch. 5).
//!
//! A load of depth d is `d * D_it` demand units on top of the month's orders (d in months of the customer's *whole* category
//! demand); it is booked as the rival's sale of that month. In later months customers use up what they have before they
//! order: `eaten = min(stock, D_it)`, and only `D_it - eaten` is ordered from anybody. Nothing is lost: what was loaded is
//! either eaten or still in stock.

use crate::lanes::Lanes;

/// What is eaten from stock this month.
#[inline(always)]
pub fn eaten<V: Lanes>(stock: V, demand: V) -> V {
    stock.min(demand)
}

/// What rivals load on top of this month's orders, with depths adding up to `depth` months.
#[inline(always)]
pub fn load<V: Lanes>(demand: V, depth: V) -> V {
    demand * depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_is_eaten() {
        // A load of 2.5 months at a demand of 10: the next orders are 0, 0, 5, 10.
        let mut stock = load(10.0, 2.5);
        let mut ordered = Vec::new();
        for _ in 0..4 {
            let from_stock = eaten(stock, 10.0);
            stock -= from_stock;
            ordered.push(10.0 - from_stock);
        }
        assert_eq!(ordered, [0.0, 0.0, 5.0, 10.0]);
        assert_eq!(stock, 0.0);
    }
}
