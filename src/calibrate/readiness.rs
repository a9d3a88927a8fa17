//! The twin-readiness card: what a market directory can carry, before anything is fitted.

use super::checks::check;
use super::{Check, Verdict};
use crate::market::Market;
use crate::units::DemandUnit;

/// The twin-readiness card: is there enough to calibrate on?
///
/// `stable_prices`: the user says that prices hardly moved over the history (`[economics] stable_prices`). `feasts`: the
/// scenario has not switched moving feasts off.
pub fn readiness(market: &Market, stable_prices: bool, feasts: bool) -> Vec<Check> {
    let months = market.months();
    let mut out = Vec::new();
    let verdict = if months >= 36 { Verdict::Pass } else { Verdict::Review };
    out.push(check(
        "months of history",
        verdict,
        format!("{months} months of own sales; three years tell season and growth apart"),
        "add older months to sales.csv; until then season and growth lean on their priors",
    ));
    let buyers = market.last_order().iter().flatten().count();
    let verdict = if buyers >= 100 { Verdict::Pass } else { Verdict::Review };
    out.push(check(
        "customers with orders",
        verdict,
        format!("{buyers} customers ever ordered"),
        "with fewer than 100 customers rates and hazards are wide; read intervals, not means",
    ));
    let orders: usize =
        (0..market.customer_count()).map(|i| market.sales.of(i).filter(|(_, y)| *y > 0.0).count()).sum();
    let verdict = if orders >= 1000 { Verdict::Pass } else { Verdict::Review };
    out.push(check(
        "months with orders",
        verdict,
        format!("{orders} customer-months with an order"),
        "fewer than 1,000 carry little about single territories",
    ));
    if feasts {
        out.push(super::feasts::readiness(market));
    }
    if market.data.meta.demand == DemandUnit::Value && months > 24 && market.data.deflator.is_none() {
        let finding =
            format!("sales are in {} of {months} different months, without deflator.csv", market.data.meta.currency);
        out.push(if stable_prices {
            check(
                "prices",
                Verdict::Review,
                format!("{finding}; the scenario says that prices hardly moved (stable_prices = true)"),
                "what prices did rise passes for growth; deflator.csv would take it out",
            )
        } else {
            check(
                "prices",
                Verdict::Fail,
                finding,
                "add deflator.csv (period,index), or measure demand in units; inflation would pass for growth. Where prices \
                 hardly moved, say so in the scenario: [economics] stable_prices = true",
            )
        });
    }
    out
}
