use geo::{MultiPolygon, polygon};
use resvg::tiny_skia::Pixmap;

use super::super::{fixture, raster};
use super::*;

fn drawn(findings: &Findings) -> Maps {
    maps(findings, &Potential::of(findings), false).unwrap()
}

/// Colours of a PNG.
fn colours(png: &[u8]) -> usize {
    let picture = Pixmap::decode_png(png).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for pixel in picture.pixels() {
        seen.insert((pixel.red(), pixel.green(), pixel.blue()));
    }
    seen.len()
}

#[test]
fn every_map_is_well_formed_and_not_blank() {
    let maps = drawn(&fixture::market());
    let files: Vec<&str> = maps.drawn.iter().map(|map| map.file).collect();
    assert_eq!(files, ["untapped_share", "dark_demand", "attainable_sales", "attainable_per_head", "uncertainty"]);
    assert!(maps.absent.is_empty(), "{:?}", maps.absent);
    for map in &maps.drawn {
        assert!(raster::parsed(&map.svg).is_ok(), "{}", map.file);
        assert!(map.svg.contains("İstanbul") && map.svg.contains("Iğdır"), "{}", map.file);
        assert!(colours(&raster::png(&map.svg, map.file).unwrap()) > 50, "{}", map.file);
    }
}

#[test]
fn the_same_findings_give_the_same_bytes() {
    let (one, two) = (drawn(&fixture::market()), drawn(&fixture::market()));
    for (one, two) in one.drawn.iter().zip(&two.drawn) {
        assert!(one.svg == two.svg, "{}", one.file);
    }
}

#[test]
fn the_markets_own_polygons_are_drawn_and_the_rest_as_dots() {
    let mut findings = fixture::market();
    findings.territories[0].polygon = Some(MultiPolygon::new(vec![polygon![
        exterior: [(x: 28.0, y: 40.8), (x: 29.9, y: 40.8), (x: 29.9, y: 41.4), (x: 28.0, y: 41.4)],
        interiors: [[(x: 28.5, y: 41.0), (x: 28.9, y: 41.0), (x: 28.9, y: 41.2)]],
    ]]));
    findings.territories[1].centroid = None;
    let maps = drawn(&findings);
    let svg = &maps.drawn[0].svg;
    assert_eq!(svg.matches("<path").count(), 1);
    assert_eq!(svg.matches("<circle").count(), findings.territories.len() - 2);
    assert!(maps.absent.iter().any(|sentence| sentence.contains("Ankara")), "{:?}", maps.absent);
}

#[test]
fn without_places_there_is_no_map_and_the_reader_is_told() {
    let maps = drawn(&fixture::only_potential());
    assert!(maps.drawn.is_empty());
    assert!(maps.absent[0].contains("territories.geojson"));
    assert!(drawn(&fixture::empty()).drawn.is_empty());
}

#[test]
fn odd_figures_do_no_harm() {
    for value in [0.0, 1e300, -5.0] {
        let mut findings = fixture::market();
        for row in &mut findings.potential {
            row.summary = crate::stats::Summary::exact(value);
        }
        findings.territories[0].centroid = Some((f64::NAN, 41.0));
        findings.territories[1].population = Some(0.0);
        findings.territories[2].name = "<b>&\u{7}".repeat(30);
        for map in drawn(&findings).drawn {
            assert!(raster::parsed(&map.svg).is_ok() && !map.svg.contains("NaN"), "{}", map.file);
        }
    }
}

#[test]
fn one_territory_is_a_map_too() {
    let findings = fixture::of(&fixture::places()[..1]);
    assert!(drawn(&findings).drawn.len() >= 4);
}
