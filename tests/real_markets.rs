//! Real markets load with the counts they are known to have. Skipped, and said so, where the data is not there.

use std::path::{Path, PathBuf};
use std::process::Command;

use ikiz::data::load;
use ikiz::problem::render;

/// The folder of shared data, if it is there.
fn shared(test: &str) -> Option<PathBuf> {
    let given = std::env::var_os("IKIZ_SHARED").map(PathBuf::from);
    let path = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    if path.join("data").is_dir() {
        return Some(path);
    }
    println!("{test}: skipped, there is no data at {} (set IKIZ_SHARED)", path.display());
    None
}

#[test]
fn detailing_loads() {
    let Some(shared) = shared("detailing_loads") else { return };
    let loaded = load(&shared.join("data/detailing/market"))
        .unwrap_or_else(|refused| panic!("{}", render(&refused.problems, false)));
    assert_eq!(render(&loaded.warnings, false), "");
    let market = loaded.market;
    assert_eq!(market.customers.len(), 1000);
    assert_eq!(market.sales.customer.len(), 23_000);
    assert_eq!(market.meta.history.to_string(), "2000-01 to 2001-11");
    assert_eq!(market.calls.map(|calls| calls.rows.len()), Some(17_279));
    assert_eq!(market.customers.covariates.len(), 1);
    assert!(market.panel.is_none() && market.territories.polygons.is_none());
}

#[test]
fn iowa_loads() {
    let Some(shared) = shared("iowa_loads") else { return };
    let folder = tempfile::tempdir().unwrap();
    let made =
        Command::new("python3").arg(shared.join("tools/iowa_market.py")).arg("--out").arg(folder.path()).output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("iowa_loads: skipped, python3 could not build the market");
        return;
    }
    let loaded =
        load(&folder.path().join("market")).unwrap_or_else(|refused| panic!("{}", render(&refused.problems, false)));
    assert_eq!(render(&loaded.warnings, false), "");
    let market = loaded.market;
    assert_eq!(market.territory_count(), 50);
    assert_eq!(market.customers.len(), 176);
    assert_eq!(market.sales.customer.len(), 2416);
    assert_eq!(market.meta.history.to_string(), "2012-01 to 2016-12");
    assert_eq!(market.panel.map(|panel| panel.rows.len()), Some(7191));
    assert_eq!(market.companies.ids.names().next(), Some("us"));
    assert_eq!(market.territories.polygons.map(|polygons| polygons.len()), Some(50));
    assert_eq!(market.territories.covariates.len(), 3);
    assert_eq!(market.territories.outlets.iter().flatten().count(), 15);
}
