//! Panel less our own sales: what the market buys from others, served customers' other purchases included.

use super::super::dark_half::Evidence;
use super::super::observed::Observed;
use crate::stats::Summary;

pub(super) fn estimate(observed: &Observed, unit: &str) -> Option<Evidence> {
    let territories = 0..observed.territories.len();
    let known: Vec<usize> = territories.clone().filter(|&j| observed.territories[j].demand.is_some()).collect();
    let (total, own, place) = if let Some(total) = observed.market_demand {
        (total, territories.map(|j| observed.own_sales(j)).sum::<f64>(), "of the whole market".to_owned())
    } else if known.is_empty() {
        return None;
    } else {
        let total: f64 = known.iter().filter_map(|&j| observed.territories[j].demand).sum();
        let own = known.iter().map(|&j| observed.own_sales(j)).sum();
        (total, own, format!("of the {} territories with a panel", known.len()))
    };
    let indirect = observed.market_panel_own.map_or(0.0, |panel| (panel - own).max(0.0));
    let through_wholesalers = if indirect > 1e-3 * total {
        format!("; {indirect:.0} {unit} of it are our own sales through wholesalers")
    } else {
        String::new()
    };
    Some(Evidence {
        name: "panel gap".into(),
        measure: "bought_from_others".into(),
        unit: unit.into(),
        estimate: Summary::exact(total - own),
        remark: format!(
            "panel {place} less our own sales, 12 months: an upper bound of the dark half's demand, since it holds what \
             our customers buy from others{through_wholesalers}; fused"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::{ObservedCustomer, ObservedTerritory};
    use super::*;

    #[test]
    fn the_gap_is_panel_less_own() {
        let mut observed = Observed {
            territories: vec![
                ObservedTerritory { customers: 0..1, ..Default::default() },
                ObservedTerritory { customers: 1..1, ..Default::default() },
            ],
            customers: vec![ObservedCustomer { own_year: 30.0, ..Default::default() }],
            ..Default::default()
        };
        assert!(estimate(&observed, "boxes").is_none());
        observed.territories[0].demand = Some(100.0);
        assert_eq!(estimate(&observed, "boxes").unwrap().estimate.q50, 70.0);
        observed.market_demand = Some(500.0);
        assert_eq!(estimate(&observed, "boxes").unwrap().estimate.q50, 470.0);
    }
}
