//! Türkiye as a table of facts: the 81 provinces and a coarse outline, compiled in.
//!
//! Sources and terms are in `assets/turkiye/README.md`.

use geo::{LineString, MultiPolygon, Polygon};

const PROVINCES: &str = include_str!("../../assets/turkiye/provinces.csv");
const OUTLINE: &str = include_str!("../../assets/turkiye/outline.csv");

/// A province of Türkiye.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Province {
    /// `TR-` and the two-digit plate number, e.g. "TR-06".
    pub id: &'static str,
    pub name: &'static str,
    /// One of the seven geographical regions.
    pub region: &'static str,
    /// Degrees east of its centre.
    pub lon: f64,
    /// Degrees north of its centre.
    pub lat: f64,
    pub area_km2: f64,
    pub population: f64,
}

/// The 81 provinces in plate order.
pub fn provinces() -> Vec<Province> {
    PROVINCES.lines().skip(1).filter_map(province).collect()
}

fn province(line: &'static str) -> Option<Province> {
    let mut fields = line.split(',');
    let mut next = || fields.next();
    let (id, name, region) = (next()?, next()?, next()?);
    let mut number = || next()?.parse().ok();
    Some(Province { id, name, region, lon: number()?, lat: number()?, area_km2: number()?, population: number()? })
}

/// Coast and border, drawn by hand: Anatolia, Thrace and one island.
pub fn outline() -> MultiPolygon<f64> {
    let points: Vec<(&str, (f64, f64))> = OUTLINE
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split(',');
            let part = fields.next()?;
            Some((part, (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?)))
        })
        .collect();
    let parts = points.chunk_by(|a, b| a.0 == b.0);
    let polygon = |part: &[(&str, (f64, f64))]| {
        // `Polygon` closes the ring.
        Polygon::new(part.iter().map(|&(_, point)| point).collect::<LineString<f64>>(), Vec::new())
    };
    MultiPolygon::new(parts.map(polygon).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{area_km2, voronoi_cells};
    use geo::{Contains as _, Point};

    #[test]
    fn the_table_is_whole() {
        let provinces = provinces();
        assert_eq!(provinces.len(), 81);
        assert_eq!(PROVINCES.lines().count(), 82, "a line does not parse");
        for (number, province) in provinces.iter().enumerate() {
            assert_eq!(province.id, format!("TR-{:02}", number + 1));
        }
        assert_eq!(provinces[33].name, "İstanbul");
        let population: f64 = provinces.iter().map(|province| province.population).sum();
        assert!((85e6..87e6).contains(&population), "{population}");
        let area: f64 = provinces.iter().map(|province| province.area_km2).sum();
        assert!((770e3..790e3).contains(&area), "{area}");
        let regions: std::collections::BTreeSet<_> = provinces.iter().map(|province| province.region).collect();
        assert_eq!(regions.len(), 7);
    }

    #[test]
    fn the_outline_is_that_of_the_country() {
        let outline = outline();
        let points: usize = outline.0.iter().map(|part| part.exterior().0.len()).sum();
        assert_eq!(points, OUTLINE.lines().count() - 1 + outline.0.len(), "a line does not parse");
        // 783,562 km2 with lakes; a coarse coast may be off by two in a hundred.
        let area = area_km2(&outline);
        assert!((area / 783_562.0 - 1.0).abs() < 0.02, "{area}");
    }

    #[test]
    fn every_province_has_its_centre_in_its_cell() {
        let outline = outline();
        let provinces = provinces();
        let centres: Vec<(f64, f64)> = provinces.iter().map(|province| (province.lon, province.lat)).collect();
        for (cell, province) in voronoi_cells(&centres, &outline).iter().zip(&provinces) {
            let centre = Point::new(province.lon, province.lat);
            assert!(cell.contains(&centre), "{}", province.name);
        }
    }
}
