//! Tables of the dark half: by segment, and under other selections.

use std::collections::BTreeMap;

use super::super::figure::Unit;
use super::super::findings::Findings;
use super::super::words;
use super::tables::{Cell, Table, filled, number_head, text_head};

/// Measures of the table of segments.
const OF_SEGMENTS: [&str; 6] =
    ["dark_customers", "dark_demand", "white_space", "total_demand", "penetration", "share_of_wallet"];

/// The whole market by segment.
pub fn segments(findings: &Findings) -> Option<Table> {
    let mut by_segment: BTreeMap<&str, BTreeMap<&str, Cell>> = BTreeMap::new();
    let mut units: BTreeMap<&str, String> = BTreeMap::new();
    for row in findings.potential.iter().filter(|row| row.territory_id == "*" && row.segment != "*") {
        let unit = Unit::new(&row.unit, &findings.currency);
        let cell = Cell::estimate(&row.summary, &unit);
        by_segment.entry(&row.segment).or_default().insert(&row.measure, cell);
        let head = if unit.head() == "customers" { "" } else { unit.head() };
        units.entry(&row.measure).or_insert_with(|| head.to_owned());
    }
    let measures: Vec<&str> = OF_SEGMENTS.into_iter().filter(|measure| units.contains_key(measure)).collect();
    let mut heads = vec![text_head("Segment")];
    heads.extend(measures.iter().map(|measure| number_head(&words::measure(measure), &units[measure])));
    let rows = by_segment
        .into_iter()
        .map(|(segment, mut cells)| {
            let name = if segment.is_empty() { "without a segment" } else { segment };
            let figures = measures.iter().map(|measure| cells.remove(measure).unwrap_or_else(Cell::none));
            std::iter::once(Cell::text(name)).chain(figures).collect()
        })
        .collect();
    filled(Table { heads, rows, ..Table::default() })
}

/// The headline under no, the assumed and twice the assumed selection.
pub fn selection(findings: &Findings) -> Option<Table> {
    let whole: Vec<_> = findings.potential_effort.iter().filter(|row| row.territory_id == "*").collect();
    // Only the scenario's effort has other selections than the calibrated one.
    let effort = whole.iter().find(|row| row.selection == 0.0)?.calls_per_month;
    let mut heads = vec![text_head("Selection")];
    let measures = ["untapped_share", "attainable_sales", "attainable_share"];
    let find = |measure: &str, selection: f64| {
        whole
            .iter()
            .find(|row| row.measure == measure && row.selection == selection && row.calls_per_month == effort)
            .map(|row| (Unit::new(&row.unit, &findings.currency), row.summary))
    };
    for measure in measures {
        let unit = find(measure, 1.0).map_or_else(String::new, |(unit, _)| unit.head().to_owned());
        heads.push(number_head(&words::measure(measure), &unit));
    }
    let names = [
        (0.0, "none: those we do not serve like us as much as those we do"),
        (1.0, "as assumed (this report)"),
        (2.0, "twice as strong"),
    ];
    let rows = names
        .into_iter()
        .map(|(multiple, name)| {
            let figures = measures.map(|measure| {
                find(measure, multiple).map_or_else(Cell::none, |(unit, summary)| Cell::estimate(&summary, &unit))
            });
            std::iter::once(Cell::text(name)).chain(figures).collect()
        })
        .collect();
    filled(Table { heads, rows, ..Table::default() })
}
