//! Maps of the territories: what could be won, where it is dark, and how sure that is.

mod atlas;
mod draw;

use self::atlas::Atlas;
use self::draw::{Classes, Map};
use super::colour;
use super::error::ReportError;
use super::figure::{Unit, percent, rounded};
use super::findings::Findings;
use super::potential_index::{Potential, index_per_head, inhabitants, relative_width};

/// A map that was drawn.
pub struct DrawnMap {
    /// File name without extension.
    pub file: &'static str,
    /// Word for choosing it.
    pub tab: &'static str,
    pub svg: String,
}

/// The maps, and why others are absent.
pub struct Maps {
    pub drawn: Vec<DrawnMap>,
    /// Sentences.
    pub absent: Vec<String>,
}

/// Classes of an index around 100.
const INDEX_BREAKS: [f64; 6] = [50.0, 75.0, 91.0, 110.0, 133.0, 200.0];

/// Every map that the findings allow.
///
/// # Errors
/// When a picture cannot be drawn.
pub fn maps(findings: &Findings, potential: &Potential, failed: bool) -> Result<Maps, ReportError> {
    let mut maps = Maps { drawn: Vec::new(), absent: Vec::new() };
    let Some(atlas) = Atlas::of(&findings.territories) else {
        maps.absent.push(
            "No map: territories.csv has no lon and lat and there is no territories.geojson. Either of them would \
             draw it."
                .to_owned(),
        );
        return Ok(maps);
    };
    let medians = |measure: &str| -> Vec<Option<f64>> {
        findings.territories.iter().map(|t| Some(potential.territory(&t.id, measure)?.summary.q50)).collect()
    };
    let unit_of = |measure: &str| Unit::new(potential.unit(measure).unwrap_or_default(), &findings.currency);
    let total = |measure: &str| {
        potential.whole(measure).map_or_else(String::new, |row| {
            let unit = unit_of(measure);
            format!(
                " Whole market: {} (90% interval {}).",
                unit.full(row.summary.q50),
                unit.bare_interval(&row.summary)
            )
        })
    };
    let year = format!("12 months to {}", findings.history.last);
    let mark = if failed { " A check failed: do not rely on this map." } else { "" };

    let mut wanted = Vec::new();
    wanted.push((
        "untapped_share",
        "Untapped share",
        Map {
            title: "Untapped share of category demand".to_owned(),
            subtitle: format!(
                "Sales that could be won over all that is bought, {year}.{}{mark}",
                total("untapped_share")
            ),
            legend: "attainable sales, % of category demand (median)".to_owned(),
            values: medians("untapped_share"),
            scale: &colour::AMOUNT,
            classes: Classes::Quantiles,
            print: Box::new(percent),
        },
    ));
    for (measure, tab, title, what) in [
        ("dark_demand", "Dark demand", "Dark demand", "What customers who are not in our files buy"),
        ("attainable_sales", "Attainable sales", "Attainable sales", "What could be won a year under the effort"),
    ] {
        let unit = unit_of(measure);
        wanted.push((
            measure,
            tab,
            Map {
                title: title.to_owned(),
                subtitle: format!("{what}, {year}.{}{mark}", total(measure)),
                legend: format!("{} (median)", unit.head()),
                values: medians(measure),
                scale: &colour::AMOUNT,
                classes: Classes::Quantiles,
                print: Box::new(move |value| unit.bare(value)),
            },
        ));
    }
    if findings.territories.iter().any(|territory| inhabitants(territory).is_some()) {
        wanted.push((
            "attainable_per_head",
            "Against population",
            Map {
                title: "Attainable sales per head".to_owned(),
                subtitle: format!(
                    "Where more or less could be won than the number of inhabitants explains; 100 = the whole \
                     market's attainable sales per head.{mark}"
                ),
                legend: "index, 100 = whole market (median)".to_owned(),
                values: index_per_head(potential, &findings.territories, "attainable_sales"),
                scale: &colour::AROUND,
                classes: Classes::Fixed(&INDEX_BREAKS),
                print: Box::new(|value| rounded(value.round())),
            },
        ));
    } else {
        maps.absent.push("No map against population: territories.csv has no population.".to_owned());
    }
    wanted.push((
        "uncertainty",
        "How sure",
        Map {
            title: "How sure the attainable sales are".to_owned(),
            subtitle: format!(
                "Width of the 90% interval over the median: at 100% the interval is as wide as the estimate is \
                 large. Darker is less sure.{mark}"
            ),
            legend: "width of the 90% interval, % of the median".to_owned(),
            values: findings
                .territories
                .iter()
                .map(|t| relative_width(&potential.territory(&t.id, "attainable_sales")?.summary))
                .collect(),
            scale: &colour::DOUBT,
            classes: Classes::Quantiles,
            print: Box::new(percent),
        },
    ));

    for (file, tab, map) in wanted {
        if map.values.iter().all(Option::is_none) {
            maps.absent.push(format!("No map \"{}\": no territory has an estimate of it.", map.title));
            continue;
        }
        let svg = map.draw(&atlas, &findings.territories)?;
        maps.drawn.push(DrawnMap { file, tab, svg });
    }
    let off: Vec<&str> = atlas.without_place().map(|position| findings.territories[position].name.as_str()).collect();
    if !off.is_empty() {
        maps.absent.push(format!(
            "Not on the maps, because they have neither a polygon nor lon and lat: {}.",
            super::figure::listed(&off, 8)
        ));
    }
    Ok(maps)
}

#[cfg(test)]
mod tests;
