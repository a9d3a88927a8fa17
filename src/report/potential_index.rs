//! Looking up rows of the potential, of all segments together.

use std::collections::BTreeMap;

use super::findings::{Findings, TerritoryOutline};
use crate::potential::PotentialRow;
use crate::stats::Summary;

/// Rows by territory and measure.
pub struct Potential<'a> {
    rows: BTreeMap<(&'a str, &'a str), &'a PotentialRow>,
}

impl<'a> Potential<'a> {
    pub fn of(findings: &'a Findings) -> Self {
        let rows = findings
            .potential
            .iter()
            .filter(|row| row.segment == "*")
            .map(|row| ((row.territory_id.as_str(), row.measure.as_str()), row))
            .collect();
        Self { rows }
    }

    /// A measure of a territory.
    pub fn territory(&self, id: &str, measure: &str) -> Option<&'a PotentialRow> {
        self.rows.get(&(id, measure)).copied()
    }

    /// A measure of the whole market.
    pub fn whole(&self, measure: &str) -> Option<&'a PotentialRow> {
        self.territory("*", measure)
    }

    /// Unit of a measure, from any row of it.
    pub fn unit(&self, measure: &str) -> Option<&'a str> {
        self.rows.values().find(|row| row.measure == measure).map(|row| row.unit.as_str())
    }
}

/// Inhabitants of a territory where the figure is of use.
pub fn inhabitants(territory: &TerritoryOutline) -> Option<f64> {
    territory.population.filter(|people| people.is_finite() && *people > 0.0)
}

/// Width of the 90% interval over the median: how unsure an estimate is. `None` when the median is not above zero.
pub fn relative_width(summary: &Summary) -> Option<f64> {
    Some((summary.q95 - summary.q05) / summary.q50).filter(|width| summary.q50 > 0.0 && width.is_finite())
}

/// Territories with their value per head as an index, 100 = all territories that have both figures together.
pub fn index_per_head(potential: &Potential, territories: &[TerritoryOutline], measure: &str) -> Vec<Option<f64>> {
    let pairs: Vec<Option<(f64, f64)>> = territories
        .iter()
        .map(|territory| Some((potential.territory(&territory.id, measure)?.summary.q50, inhabitants(territory)?)))
        .collect();
    let (value, people) =
        pairs.iter().flatten().fold((0.0, 0.0), |(value, people), pair| (value + pair.0, people + pair.1));
    let mean = value / people;
    pairs
        .iter()
        .map(|pair| pair.map(|(value, people)| 100.0 * (value / people) / mean).filter(|index| index.is_finite()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_index_per_head_is_100_on_average() {
        let findings = fixture::market();
        let potential = Potential::of(&findings);
        let index = index_per_head(&potential, &findings.territories, "attainable_sales");
        let people: f64 = findings.territories.iter().filter_map(inhabitants).sum();
        let mean: f64 = findings
            .territories
            .iter()
            .zip(&index)
            .map(|(territory, index)| inhabitants(territory).unwrap() * index.unwrap() / people)
            .sum();
        assert!((mean - 100.0).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(relative_width(&Summary::exact(0.0)), None);
        assert_eq!(relative_width(&Summary::exact(2.0)), Some(0.0));
        let mut findings = fixture::market();
        for row in &mut findings.potential {
            row.summary = Summary::exact(0.0);
        }
        let potential = Potential::of(&findings);
        assert!(index_per_head(&potential, &findings.territories, "attainable_sales").iter().all(Option::is_none));
    }
}
