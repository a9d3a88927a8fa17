use super::super::figure::Unit;
use super::super::potential_index::Potential;
use super::super::{fixture, raster};
use super::*;
use crate::stats::Summary;

fn chart(values: &[Summary]) -> IntervalChart {
    IntervalChart {
        file: "test".to_owned(),
        title: "Ölçüm \"<&>\"".to_owned(),
        subtitle: "A subtitle that is so long that it has to be broken into several lines, which takes some \
                   words, and then a few more of them until it is long enough."
            .to_owned(),
        unit: Unit::new("boxes", "TRY"),
        columns: vec!["P(best)".to_owned()],
        from_zero: true,
        rows: values
            .iter()
            .map(|&summary| IntervalRow {
                label: "Şanlıurfa\u{1}".to_owned(),
                summary,
                quartiles: true,
                strong: false,
                columns: vec!["1%".to_owned()],
            })
            .collect(),
    }
}

fn well_formed(svg: &str) {
    assert!(raster::parsed(svg).is_ok() && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn intervals_of_any_size_can_be_drawn() {
    let wide = Summary { q05: -1e300, q95: 1e300, ..Summary::exact(0.0) };
    let widest = Summary { q05: f64::MIN, q95: f64::MAX, ..Summary::exact(0.0) };
    for values in [vec![], vec![Summary::exact(0.0); 3], vec![wide], vec![widest], vec![Summary::exact(f64::MAX)]] {
        well_formed(&chart(&values).draw().unwrap());
    }
    assert!(chart(&[wide]).draw().unwrap().contains("Şanlıurfa"));
}

#[test]
fn the_fan_is_drawn_where_there_is_a_forecast() {
    let findings = fixture::market();
    let svg = forecast(&findings).unwrap().unwrap();
    well_formed(&svg);
    assert!(svg.contains("Category demand") && svg.contains("2026"));
    assert_eq!(forecast(&findings).unwrap().unwrap(), svg);
    assert!(forecast(&fixture::only_potential()).unwrap().is_none());
    let mut silent = findings;
    silent.own_sales.clear();
    silent.market_demand.clear();
    well_formed(&forecast(&silent).unwrap().unwrap());
}

#[test]
fn potential_is_set_against_population() {
    let findings = fixture::market();
    let (svg, explained) = against_population(&findings, &Potential::of(&findings)).unwrap().unwrap();
    well_formed(&svg);
    assert!((0.0..=1.0).contains(&explained));
    let without = fixture::only_potential();
    assert!(against_population(&without, &Potential::of(&without)).unwrap().is_none());
}
