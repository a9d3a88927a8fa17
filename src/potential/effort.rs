//! What could be won as a curve over effort, and how much of it hangs on selection.
//!
//! The measures of `attainable.rs` at [`EFFORTS`] and at the scenario's own, all on the same draws and the same appeals, so that
//! a curve's slope within a draw is the response's and not luck. Only calls change: the months of the effort, the rivals and the rate
//! at which dark customers are found (`finds`, from the history) stay as they are, so that a curve does not start at nothing:
//! some are found and won without a call.
//!
//! **Selection.** Customers that we serve like us more than those we do not: that is part of why we serve them. The white space
//! is given their appeals less `choice.selection` (log odds; prior Normal(0.5, 0.5) in the mechanism table, an assumption that
//! a scenario may replace; the files hardly move it). The measures of the scenario's effort are repeated with none of it and with
//! twice of it in every draw: between those lies what an assumption nobody has measured can do to the headline.

use rayon::prelude::*;
use serde::Serialize;

use super::attainable::{self, Attainable, AttainableInputs};
use super::dark_half::DarkHalf;
use crate::market::Market;
use crate::scenario::Effort;
use crate::stats::Summary;

/// Calls a month per customer at which the curves are worked out, beside the scenario's effort.
pub const EFFORTS: [f64; 7] = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// Multiples of the draw's selection.
const SELECTIONS: [f64; 2] = [0.0, 2.0];

/// A row of `potential_effort.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EffortRow {
    /// A territory's id, or `*`.
    pub territory_id: String,
    /// Calls a month per customer.
    pub calls_per_month: f64,
    /// Multiple of the selection of each draw: 1 as calibrated; 0 and 2 for the sensitivity.
    pub selection: f64,
    /// attainable_sales, untapped_share, p_won or attainable_share.
    pub measure: String,
    pub unit: String,
    pub summary: Summary,
}

/// Where a curve is worked out.
#[derive(Clone, Copy)]
struct Point {
    calls_per_month: f64,
    selection: f64,
}

/// Curves of every territory and, last, of the whole market (`*`), which also has the sensitivity to selection.
///
/// No rows where the demand of the dark may not be printed, or without draws of the calibration.
pub fn effort_curves(market: &Market, dark: &DarkHalf, inputs: AttainableInputs<'_>) -> Vec<EffortRow> {
    if !dark.basis.dark_demand() {
        return Vec::new();
    }
    let served = market.served();
    let count = market.territory_count();
    let own = inputs.effort.calls_per_month;
    let points = points(own);
    // `[draw][point][territory]`
    let yields: Option<Vec<Vec<Vec<Attainable>>>> = (0..dark.dark_customers.len())
        .into_par_iter()
        .map(|d| -> Option<Vec<Vec<Attainable>>> {
            let (parameters, rates) = attainable::response(market, &served, dark, inputs, d)?;
            let white = attainable::white_space(market, &served, dark, inputs, &rates, d);
            let selection = attainable::selection(inputs, d);
            let at = |point: &Point| -> Vec<Attainable> {
                let effort = Effort { calls_per_month: point.calls_per_month, ..inputs.effort };
                attainable::yields(&white, &parameters, effort, selection.times(point.selection))
            };
            Some(points.iter().map(at).collect())
        })
        .collect();
    let Some(yields) = yields else { return Vec::new() };
    let territories = (0..count).map(|j| (market.data.territory_id(j).to_owned(), j..j + 1));
    let groups: Vec<_> = territories.chain([("*".to_owned(), 0..count)]).collect();
    let rows: Vec<Vec<EffortRow>> = groups
        .par_iter()
        .map(|(id, members)| {
            let mut rows = Vec::new();
            for (p, point) in points.iter().enumerate().filter(|(_, point)| point.selection == 1.0 || id == "*") {
                let values: Vec<[Option<f64>; 4]> = yields
                    .iter()
                    .enumerate()
                    .map(|(d, at)| {
                        let demand = |of: &[Vec<f64>]| of[d][members.clone()].iter().sum::<f64>();
                        let total =
                            demand(&dark.served_demand) + demand(&dark.identified_demand) + demand(&dark.dark_demand);
                        let mut sum = Attainable::default();
                        at[p][members.clone()].iter().for_each(|part| sum.add(part));
                        figures(&sum, total)
                    })
                    .collect();
                let units = [market.unit(), "share", "share", "share"];
                let names = ["attainable_sales", "untapped_share", "p_won", "attainable_share"];
                for (k, (name, unit)) in names.into_iter().zip(units).enumerate() {
                    let draws: Option<Vec<f64>> = values.iter().map(|values| values[k]).collect();
                    if let Some(summary) = draws.and_then(|draws| Summary::of(&draws)) {
                        rows.push(EffortRow {
                            territory_id: id.clone(),
                            calls_per_month: point.calls_per_month,
                            selection: point.selection,
                            measure: name.into(),
                            unit: unit.into(),
                            summary,
                        });
                    }
                }
            }
            rows
        })
        .collect();
    rows.into_iter().flatten().collect()
}

/// The curve's efforts in order, the scenario's among them, then the scenario's at other selections.
fn points(own: f64) -> Vec<Point> {
    let mut efforts = EFFORTS.to_vec();
    if !efforts.contains(&own) {
        efforts.push(own);
    }
    efforts.sort_by(f64::total_cmp);
    let curve = efforts.into_iter().map(|calls_per_month| Point { calls_per_month, selection: 1.0 });
    curve.chain(SELECTIONS.map(|selection| Point { calls_per_month: own, selection })).collect()
}

/// Attainable sales, untapped share, P(won), attainable share; as in `measures.rs`, a share of no white space is 0.
fn figures(sum: &Attainable, total: f64) -> [Option<f64>; 4] {
    let share = |part: f64, whole: f64| Some(if whole > 0.0 { part / whole } else { 0.0 });
    [Some(sum.sales), share(sum.sales, total), share(sum.won, sum.winnable), share(sum.shared, sum.winnable)]
}

#[cfg(test)]
mod tests {
    use super::attainable::{Cell, White};
    use super::*;

    #[test]
    fn the_scenarios_effort_is_on_the_curve_once() {
        let calls = |own: f64| -> Vec<f64> {
            points(own).iter().filter(|point| point.selection == 1.0).map(|point| point.calls_per_month).collect()
        };
        assert_eq!(calls(4.0), EFFORTS);
        assert_eq!(calls(3.0), [0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 8.0]);
        let others: Vec<f64> = points(3.0).iter().map(|point| point.selection).filter(|&s| s != 1.0).collect();
        assert_eq!(others, SELECTIONS);
    }

    #[test]
    fn selection_lowers_the_share_by_its_log_odds_and_not_the_chance() {
        let cell = |appeal: f64, lean: f64| Cell { appeal, demand: 50.0, found: 0.1, lean };
        let white =
            White { identified: vec![(0.2, 100.0)], cells: vec![cell(-0.3, 0.0), cell(0.5, 0.4)], indirect: 0.0 };
        let conversion = [0.0, 0.2, 0.36];
        let at = |selection: f64| {
            let selection = attainable::Selection { of_known: 0.5 * selection, of_dark: selection };
            attainable::attainable_sales(&white.prospects(&conversion, 0.0, selection), 0.7, 0.0)
        };
        let share = |appeal: f64| 1.0 / (1.0 + libm::exp(-appeal));
        for selection in [0.0, 0.5, 1.0] {
            let moved = |appeal: f64, lean: f64| share(appeal + 0.7 - selection * (1.0 - lean));
            let dark = 50.0 * (moved(-0.3, 0.0) + moved(0.5, 0.4));
            let shared = 100.0 * moved(0.2, 0.5) + dark;
            // Found in the first month, one month to convert: 0.1 x 0.2. Found in the second: none left.
            let sales = 0.36 * 100.0 * moved(0.2, 0.5) + 0.02 * dark;
            let out = at(selection);
            assert!((out.shared - shared).abs() < 1e-9 && (out.sales - sales).abs() < 1e-9, "{out:?}");
            assert_eq!((out.won, out.winnable), (at(0.0).won, 200.0));
        }
    }

    #[test]
    fn nothing_to_win_is_a_share_of_zero() {
        assert_eq!(figures(&Attainable::default(), 0.0), [Some(0.0); 4]);
        let sum = Attainable { winnable: 50.0, shared: 20.0, won: 10.0, sales: 5.0 };
        assert_eq!(figures(&sum, 100.0), [Some(5.0), Some(0.05), Some(0.2), Some(0.4)]);
    }
}
