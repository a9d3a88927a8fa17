use std::path::PathBuf;

use super::*;
use crate::calibrate::Verdict;
use crate::stats::Summary;

fn names(findings: &Findings) -> Vec<String> {
    render(findings).unwrap().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_whole_run_gives_every_file() {
    insta::assert_snapshot!(names(&fixture::market()).join("\n"));
}

#[test]
fn a_withheld_comparison_gives_only_the_potential() {
    insta::assert_snapshot!(names(&fixture::only_potential()).join("\n"));
}

#[test]
fn a_failed_check_withholds_a_comparison_that_was_made() {
    let mut findings = fixture::market();
    findings.checks[0].verdict = Verdict::Fail;
    let files = names(&findings);
    for withheld in ["strategies.csv", "targets.csv", "plots/strategies.svg"] {
        assert!(!files.iter().any(|file| file == withheld), "{withheld}");
    }
    assert!(files.iter().any(|file| file == "potential.csv"));
}

#[test]
fn the_same_findings_give_the_same_bytes() {
    let (one, two) = (render(&fixture::market()).unwrap(), render(&fixture::market()).unwrap());
    assert!(one == two);
}

#[test]
fn every_drawing_is_well_formed() {
    for (name, bytes) in render(&fixture::market()).unwrap() {
        if name.ends_with(".svg") {
            let text = String::from_utf8(bytes).unwrap();
            assert!(raster::parsed(&text).is_ok() && !text.contains("NaN"), "{name}");
        }
    }
}

#[test]
fn nothing_zero_and_huge_are_rendered_too() {
    assert!(render(&fixture::empty()).is_ok());
    for value in [0.0, 1e-300, f64::MAX, -1e300] {
        let mut findings = fixture::market();
        let same = Summary::exact(value);
        findings.potential.iter_mut().for_each(|row| row.summary = same);
        findings.evidence.iter_mut().for_each(|row| row.estimate = same);
        findings.own_sales.iter_mut().for_each(|row| row.1 = value);
        findings.market_demand.iter_mut().for_each(|row| row.1 = Some(value));
        findings.size_ratio_sensitivity.iter_mut().for_each(|row| *row = (row.0, value, value, value));
        if let Some(comparison) = &mut findings.comparison {
            comparison.forecast.iter_mut().for_each(|row| row.summary = Some(same));
            comparison.strategies.iter_mut().for_each(|row| row.summary = Some(same));
            comparison.targets.iter_mut().for_each(|row| row.expected_value = same);
        }
        for (name, bytes) in render(&findings).unwrap() {
            if !name.ends_with(".png") {
                let text = String::from_utf8(bytes).unwrap();
                // The inlined fonts are the only lines that hold such words by chance.
                let mut lines = text.lines().filter(|line| !line.contains("base64"));
                assert!(!lines.any(|line| line.contains("NaN") || line.contains(",inf")), "{value}: {name}");
            }
        }
    }
}

#[test]
fn figures_that_are_none_are_refused_wherever_they_are() {
    let spoil: [fn(&mut Findings); 5] = [
        |findings| findings.evidence[0].estimate.q50 = f64::NAN,
        |findings| findings.identification[0].contraction = f64::INFINITY,
        |findings| findings.size_ratio_sensitivity[0].1 = f64::NAN,
        |findings| findings.own_sales[3].1 = f64::NAN,
        |findings| findings.market_demand[90].1 = Some(f64::NEG_INFINITY),
    ];
    for (position, spoil) in spoil.into_iter().enumerate() {
        let mut findings = fixture::market();
        spoil(&mut findings);
        assert!(matches!(render(&findings), Err(ReportError::NotFinite { .. })), "{position}");
    }
}

/// Writes the fixture's reports to `target/report-fixture/`, to be looked at:
/// `cargo test --lib report::tests::write -- --ignored --nocapture`.
#[test]
#[ignore = "writes files for the eye"]
fn write_the_fixtures() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/report-fixture");
    let mut cases =
        vec![("market", fixture::market()), ("only-potential", fixture::only_potential()), ("empty", fixture::empty())];
    if let Some(findings) = all_provinces() {
        cases.push(("provinces", findings));
    }
    for (name, findings) in cases {
        for (file, bytes) in render(&findings).unwrap() {
            let path = root.join(name).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    println!("{}", root.display());
}

/// The fixture on all provinces of Türkiye with their polygons, where the real data are there.
fn all_provinces() -> Option<Findings> {
    let shared = std::env::var("IKIZ_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let folder = PathBuf::from(shared).join("data/turkey");
    let Ok(mut table) = csv::Reader::from_path(folder.join("provinces.csv")) else {
        println!("skipped: no provinces at {}", folder.display());
        return None;
    };
    let places: Vec<fixture::Place> = table
        .records()
        .map(|row| {
            let row = row.unwrap();
            let number = |column: usize| row[column].parse::<f64>().unwrap();
            (row[0].to_owned(), row[1].to_owned(), number(6), number(5), number(3))
        })
        .collect();
    let mut findings = fixture::of(&places);
    let text = std::fs::read_to_string(folder.join("provinces.geojson")).unwrap();
    let collection: serde_json::Value = serde_json::from_str(&text).unwrap();
    for feature in collection["features"].as_array().unwrap() {
        let id = feature["properties"]["number"].to_string();
        let coordinates = feature["geometry"]["coordinates"].clone();
        let coordinates =
            if feature["geometry"]["type"] == "Polygon" { serde_json::json!([coordinates]) } else { coordinates };
        let parts: Vec<Vec<Vec<(f64, f64)>>> = serde_json::from_value(coordinates).unwrap();
        let polygon = parts.into_iter().map(|rings| {
            let mut rings = rings.into_iter().map(geo::LineString::from);
            geo::Polygon::new(rings.next().unwrap(), rings.collect())
        });
        if let Some(territory) = findings.territories.iter_mut().find(|territory| territory.id == id) {
            territory.polygon = Some(polygon.collect());
        }
    }
    Some(findings)
}
