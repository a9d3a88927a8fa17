//! `ikiz backtest` as a user runs it, and that nothing after an origin reaches its forecast.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use ikiz::data::{self, MarketData};
use ikiz::market::Market;
use ikiz::synth::{self, Description};
use ikiz::units::Month;

fn small() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/markets/small.toml")
}

fn scenario(folder: &Path) -> PathBuf {
    let text = "schema = 1\nmarket = { synthetic = \"SMALL\" }\nseed = 7\nhorizon = 24\n";
    let path = folder.join("small.toml");
    fs::write(&path, text.replace("SMALL", small().to_str().unwrap())).unwrap();
    path
}

fn backtest(folder: &Path, out: &str, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ikiz").unwrap();
    command
        .arg("backtest")
        .arg(scenario(folder))
        .args(["--draws", "60", "--out"])
        .arg(folder.join(out))
        .args(arguments);
    command
}

#[test]
fn a_year_that_is_over_is_forecast_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let output = backtest(folder.path(), "one", &["--origins", "1", "--json", "--threads", "1"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["origins"][0], "2024-12");
    backtest(folder.path(), "two", &["--at", "2024-12", "--quiet", "--threads", "2"]).assert().success();
    for file in ["backtest.csv", "backtest_months.csv", "report.html", "plots/backtest.png", "plots/backtest.svg"] {
        let [one, two] =
            ["one", "two"].map(|out| fs::read(folder.path().join(out).join("small-backtest").join(file)).unwrap());
        assert!(one == two, "{file} differs between 1 and 2 threads");
    }
    let mut reader = csv::Reader::from_path(folder.path().join("one/small-backtest/backtest.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let value = |model: &str, metric: &str| -> f64 {
        let wanted =
            [("origin", "*"), ("scope", "market"), ("measure", "own_sales"), ("model", model), ("metric", metric)];
        let row = rows.iter().find(|row| wanted.iter().all(|(column, value)| row[*column] == *value)).unwrap();
        row["value"].parse().unwrap()
    };
    assert_eq!(value("seasonal_naive", "mase"), 1.0);
    let ours = value("twin", "wape");
    assert!(ours > 0.0 && ours < 0.3, "{ours}");
    assert!((value("twin", "mase") - ours / value("seasonal_naive", "wape")).abs() < 1e-6);
    assert!(value("exponential_smoothing", "crps") > 0.0);
}

#[test]
fn too_short_a_history_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| {
        let output = backtest(folder.path(), "out", arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!folder.path().join("out/small-backtest").exists());
        String::from_utf8(output.stderr).unwrap()
    };
    let few = said(&[]);
    assert!(
        few.contains("there are 36") && few.contains("--origins 1") && few.contains("nothing was written"),
        "{few}"
    );
    let late = said(&["--at", "2025-06"]);
    assert!(late.contains("choose a month from 2024-12 to 2024-12"), "{late}");
}

/// The small market as the loader reads it.
fn market() -> MarketData {
    let folder = tempfile::tempdir().unwrap();
    let description = Description::read(&small()).unwrap();
    synth::write(&synth::generate(&description, description.seed), folder.path()).unwrap();
    data::load(&folder.path().join("market")).unwrap().market
}

#[test]
fn what_came_after_an_origin_leaves_no_trace() {
    let data = market();
    let origin: Month = "2024-08".parse().unwrap();
    let after = |month: u16| data.meta.history.first.plus(i32::from(month)) > origin;
    // The same market with another future.
    let mut other = data.clone();
    let later: Vec<bool> = other.sales.month.iter().map(|&month| after(month)).collect();
    for column in [&mut other.sales.units, &mut other.sales.value].into_iter().flatten() {
        column.iter_mut().zip(&later).filter(|(_, later)| **later).for_each(|(amount, _)| *amount = Some(1e6));
    }
    for row in other.panel.iter_mut().flat_map(|panel| &mut panel.rows).filter(|row| after(row.month)) {
        row.amount *= 7.0;
    }
    for row in other.calls.iter_mut().flat_map(|calls| &mut calls.rows).filter(|row| after(row.month)) {
        row.calls += 5.0;
    }
    other.actions.iter_mut().flatten().filter(|row| row.start.month() > origin).for_each(|row| row.intensity = None);
    other.customers.closed.iter_mut().for_each(|closed| *closed = closed.filter(|&month| month <= origin));
    other.captures = None;
    let (one, two) = (data.as_known(origin), other.as_known(origin));
    assert!(format!("{one:?}") == format!("{two:?}"), "something after the origin is still there");

    assert!(!one.customers.is_empty() && one.customers.len() < data.customers.len());
    assert!(one.customers.first_known.iter().flatten().all(|&month| month <= origin));
    assert_eq!(one.meta.history.last, origin);
    // What is left is what it was: each customer's sales up to the origin.
    let (all, then) = (Market::new(data, None, None), Market::new(one, None, None));
    for i in 0..then.customer_count() {
        use ikiz::ids::{CustomerIx, Index as _};
        let name = then.data.customers.ids.name(CustomerIx::from_usize(i));
        let before = all.data.customers.ids.get(name).unwrap().usize();
        assert_eq!(then.data.customers.territory[i], all.data.customers.territory[before]);
        let kept: Vec<_> = all.sales.of(before).filter(|&(month, _)| month < then.months()).collect();
        assert_eq!(then.sales.of(i).collect::<Vec<_>>(), kept, "{name}");
    }
    for j in 0..then.territory_count() {
        assert!(then.customers_of(j).all(|i| then.data.customers.territory[i].0 as usize == j));
    }
}
