//! The main job as a user runs it, on a small synthetic market: files, exit codes, equal bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

const SMALL: &str = r#"
schema   = 1
market   = { synthetic = "SMALL" }
seed     = 7
horizon  = 12
baseline = "as-today"

[economics]
gross_margin = 0.5
discount_rate = 0.1

[monte_carlo]
runs = { min = 40, max = 40 }

[[strategy]]
id = "as-today"

[[strategy]]
id = "two-reps"

[[strategy.lever]]
from = "2026-02"
do.headcount = { add = 2, monthly_cost = 5_000, ramp_months = 3 }

[[strategy]]
id = "nothing-in-disguise"

[[strategy.lever]]
from = "2026-02"
do.targeting = { weight = 1.0 }
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn scenario(folder: &Path) -> PathBuf {
    let small = root().join("scenarios/markets/small.toml");
    let path = folder.join("small.toml");
    fs::write(&path, SMALL.replace("SMALL", small.to_str().unwrap())).unwrap();
    path
}

fn ikiz() -> Command {
    let mut command = Command::cargo_bin("ikiz").unwrap();
    command.args(["--draws", "60"]);
    command
}

fn run(scenario: &Path, out: &Path, threads: &str, isa: Option<&str>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut command = ikiz();
    command.arg("run").arg(scenario).arg("--out").arg(out).args(["--threads", threads, "--quiet"]);
    if let Some(isa) = isa {
        command.env("IKIZ_ISA", isa);
    }
    command.assert().success();
    let mut files = BTreeMap::new();
    collect(&out.join("small"), &mut files, &out.join("small"));
    files.remove(Path::new("timings.json"));
    files
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>, root: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files, root);
        } else {
            files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

#[test]
fn bytes_are_equal_on_any_number_of_threads_and_any_instruction_set() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let one = run(&scenario, &folder.path().join("one"), "1", None);
    for file in [
        "potential.csv",
        "posterior.csv",
        "diagnostics.csv",
        "actions_found.csv",
        "forecast.csv",
        "strategies.csv",
        "targets.csv",
        "manifest.json",
        "report.html",
    ] {
        assert!(one.contains_key(Path::new(file)), "{file} is missing");
    }
    let same = |other: BTreeMap<PathBuf, Vec<u8>>, what: &str| {
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (file, bytes) in &one {
            assert!(bytes == &other[file], "{what} changes {}", file.display());
        }
    };
    same(run(&scenario, &folder.path().join("two"), "2", None), "a second thread");
    same(run(&scenario, &folder.path().join("eight"), "8", None), "eight threads");
    same(run(&scenario, &folder.path().join("sse2"), "2", Some("baseline")), "switching AVX off");
}

#[test]
fn a_strategy_without_effect_gains_exactly_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    run(&scenario, folder.path(), "2", None);
    let mut reader = csv::Reader::from_path(folder.path().join("small/strategies.csv")).unwrap();
    let mut seen = 0;
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        if row["strategy"] == "nothing-in-disguise" && row["metric"] == "incremental_sales" {
            assert_eq!((row["mean"].as_str(), row["sd"].as_str()), ("0", "0"), "{row:?}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

const LEVERS: &str = r#"
[[strategy]]
id = "dearer"

[[strategy.lever]]
from = "2026-02"
territories = ["T2"]
do.price = { change = 0.2 }

[[strategy]]
id = "no-supply"

[[strategy.lever]]
from = "2026-02"
territories = ["T1", "T3"]
do.supply_shock = { factor = 0.5 }

[[strategy]]
id = "loaded"

[[strategy.lever]]
from = "2026-03"
to = "2026-03"
do.stock_loading = { depth = 1.0, discount = 0.1 }

[[strategy]]
id = "named"

[[strategy.lever]]
from = "2026-01"
do.referral = { strength = 20.0, reward = 100 }
"#;

#[test]
fn price_supply_loading_and_referral_do_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenario(folder.path());
    let small = fs::read_to_string(&path).unwrap();
    let begin = small.find("[[strategy]]\nid = \"two-reps\"").unwrap();
    fs::write(&path, format!("{}{LEVERS}", &small[..begin])).unwrap();
    run(&path, folder.path(), "2", None);
    let mut reader = csv::Reader::from_path(folder.path().join("small/strategies.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let mean = |strategy: &str, territory: &str, period: &str, metric: &str| -> f64 {
        let is = |row: &&BTreeMap<String, String>| {
            row["strategy"] == strategy
                && row["territory_id"] == territory
                && row["segment"] == "*"
                && row["period"] == period
                && row["metric"] == metric
        };
        let row = rows.iter().find(is).unwrap_or_else(|| panic!("{strategy} {territory} {period} {metric}"));
        row["mean"].parse().unwrap()
    };
    let whole = |strategy: &str, metric: &str| mean(strategy, "*", "*", metric);
    // Dearer in one territory: less is sold there and nothing changes elsewhere; what is still sold brings a fifth more.
    assert!(mean("dearer", "T2", "*", "incremental_sales") < 0.0);
    assert_eq!(mean("dearer", "T4", "*", "incremental_sales"), 0.0);
    // Half of a price of 10 is margin.
    assert!(whole("dearer", "incremental_margin") > 5.0 * whole("dearer", "incremental_sales"));
    assert!(mean("no-supply", "T1", "*", "incremental_sales") < 0.0);
    assert_eq!(mean("no-supply", "T2", "*", "incremental_sales"), 0.0);
    // Sold ahead in March and missing later; the discount is paid on it.
    assert!(mean("loaded", "*", "2026-03", "incremental_sales") > 0.0);
    assert!(mean("loaded", "*", "2026-04", "incremental_sales") < 0.0);
    assert!(whole("loaded", "incremental_margin") < 5.0 * whole("loaded", "incremental_sales"));
    // Every customer that is named is paid for.
    assert!(whole("named", "customers_found") > 0.0 && whole("named", "cost") > 0.0);
}

#[test]
fn bad_input_stops_with_code_2_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let broken = fs::read_to_string(&scenario).unwrap().replace("weight = 1.0", "wieght = 1.0");
    fs::write(&scenario, broken).unwrap();
    let result = ikiz().arg("run").arg(&scenario).arg("--out").arg(folder.path().join("out")).assert().code(2);
    let message = String::from_utf8(result.get_output().stderr.clone()).unwrap();
    assert!(message.contains("did you mean") && message.contains("nothing was written"), "{message}");
    assert!(!folder.path().join("out/small").exists());
}

#[test]
fn a_scenario_without_a_market_says_what_to_add() {
    let result = ikiz().arg("run").arg(root().join("scenarios/minimal.toml")).assert().code(2);
    let message = String::from_utf8(result.get_output().stderr.clone()).unwrap();
    assert!(message.contains("--market DIR"), "{message}");
}

#[test]
fn hidden_customers_are_scored() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario(folder.path());
    let hide = |arguments: &[&str], out: &str, threads: &str| {
        let mut command = ikiz();
        command.arg("hide").arg(&scenario).args(arguments).arg("--out").arg(folder.path().join(out));
        command.args(["--threads", threads]);
        command
    };
    let output = hide(&["--json"], "one", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["by"], "random");
    assert!(summary["hidden"].as_u64().unwrap() > 0);
    hide(&["--quiet"], "two", "2").assert().success();
    for file in ["hide.csv", "hide_scores.csv", "report.html", "plots/dark_customers.png", "manifest.json"] {
        let [one, two] =
            ["one", "two"].map(|out| fs::read(folder.path().join(out).join("small-hide-random").join(file)).unwrap());
        assert!(one == two, "{file} differs between 1 and 2 threads");
    }
    let refused = hide(&["--share", "0.95"], "three", "1").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--share must be above 0 and at most 0.9"), "{said}");
    assert!(!folder.path().join("three").exists());
}

const OPTIMISE: &str = r#"
[optimise]
from = "2026-02"
budget = 400_000
headcount = { most = 1, monthly_cost = 5_000 }
prospecting = [0.3]
channels = [{ channel = "phone", per_month = [1.0], cost_per_contact = 20.0, who = "size > p50" }]

[monte_carlo]"#;

#[test]
fn a_plan_is_found_and_can_be_run_as_a_strategy() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenario(folder.path());
    let text = fs::read_to_string(&path).unwrap().replace("[monte_carlo]", OPTIMISE);
    // The budget would do for six reps.
    let text = text.replace("discount_rate = 0.1", "discount_rate = 0.1\nhiring_pace = 1");
    fs::write(&path, &text).unwrap();
    let search = |out: &str, threads: &str| {
        let out = folder.path().join(out);
        let mut command = ikiz();
        command.arg("optimise").arg(&path).arg("--out").arg(&out).args(["--threads", threads, "--quiet"]);
        command.assert().success();
        let mut files = BTreeMap::new();
        collect(&out.join("small-optimise"), &mut files, &out.join("small-optimise"));
        files.remove(Path::new("timings.json"));
        files
    };
    let files = search("one", "1");
    assert_eq!(files, search("two", "2"));
    let names: Vec<&str> = files.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, ["candidates.csv", "manifest.json", "plan.csv", "plan.toml", "report.html"]);
    let candidates = String::from_utf8(files[Path::new("candidates.csv")].clone()).unwrap();
    assert!(candidates.contains("as today,") && candidates.lines().count() >= 3, "{candidates}");
    // The plan is a strategy of a scenario, and hires no faster than may be.
    let plan = String::from_utf8(files[Path::new("plan.toml")].clone()).unwrap();
    assert!(plan.matches("do.headcount").count() <= 1, "{plan}");
    fs::write(&path, format!("{text}\n{plan}")).unwrap();
    ikiz().arg("check").arg(&path).arg("--out").arg(folder.path().join("check")).assert().success();
}

#[test]
fn without_an_optimise_table_the_error_shows_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenario(folder.path());
    let mut command = ikiz();
    command.arg("optimise").arg(&path).arg("--out").arg(folder.path().join("out")).arg("--quiet");
    let said = String::from_utf8(command.assert().code(2).get_output().stderr.clone()).unwrap();
    assert!(said.contains("[optimise]") && said.contains("headcount"), "{said}");
}

#[test]
fn a_territory_that_goes_to_another_rep_takes_calls_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenario(folder.path());
    let text = fs::read_to_string(&path).unwrap();
    // R001 calls in T2 alone, R002 in T1 and T4: T1 goes to R001.
    let lever = "[[strategy]]\nid = \"moved\"\n[[strategy.lever]]\nfrom = \"2026-02\"\n\
                 do.realign = { moves = [{ rep = \"R001\", territory = \"T1\" }] }\n";
    fs::write(&path, format!("{text}\n{lever}")).unwrap();
    let files = run(&path, &folder.path().join("out"), "2", None);
    let rows = String::from_utf8(files[Path::new("strategies.csv")].clone()).unwrap();
    let gain = |territory: &str| -> f64 {
        let start = format!("moved,{territory},*,*,incremental_sales,");
        let row = rows.lines().find(|row| row.starts_with(&start)).unwrap();
        row.split(',').nth(6).unwrap().parse().unwrap()
    };
    // R002 is left with T4 alone, and R001 halves its time for T2.
    assert!(gain("T4") > 0.0 && gain("T2") < 0.0, "{} {}", gain("T4"), gain("T2"));
    assert_eq!(gain("T3"), 0.0);
}
