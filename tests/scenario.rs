//! Scenarios that must load, and the schema that is committed.

use std::path::{Path, PathBuf};

use ikiz::channel::Channel;
use ikiz::scenario::{
    Lever, Located, MarketSource, Objective, Prior, Scenario, StepCondition, json_schema, load, parse,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn loaded(path: &Path) -> Scenario {
    match load(path, &[]) {
        Ok((scenario, warnings)) => {
            assert!(warnings.is_empty(), "{}", ikiz::problem::render(&warnings, false));
            scenario
        }
        Err(problems) => panic!("{}", ikiz::problem::render(&problems, false)),
    }
}

/// The folder of shared files, where it is there.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("IKIZ_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no folder {} (set IKIZ_SHARED)", folder.display());
    None
}

/// What a scenario says, apart from the bytes it was read from.
fn content(scenario: &Scenario) -> String {
    fn without_spans(value: &impl std::fmt::Debug) -> String {
        let text = format!("{value:#?}");
        text.lines().filter(|line| !line.contains("span: ")).collect::<Vec<_>>().join("\n")
    }
    let Scenario { seed, horizon, baseline, history, economics, monte_carlo, effort, mechanisms, strategies, .. } =
        scenario;
    [
        without_spans(&(seed, horizon, baseline, history, economics)),
        without_spans(&(monte_carlo, effort, mechanisms, strategies)),
    ]
    .join("\n")
}

#[test]
fn the_demo_loads_with_every_part() {
    let scenario = loaded(&root().join("scenarios/turkiye.toml"));
    assert_eq!(scenario.name, "turkiye");
    assert_eq!(scenario.market, MarketSource::Synthetic(root().join("scenarios/markets/turkiye.toml")));
    assert_eq!((scenario.seed, scenario.horizon, scenario.baseline), (2026, 24, 0));
    let history = scenario.history.as_ref().unwrap();
    assert_eq!(history.to.as_ref().unwrap().value.to_string(), "2025-12");
    assert_eq!(scenario.economics.objective, Objective::Npv);
    assert_eq!(scenario.economics.budget.as_ref().unwrap().value, 3e7);
    assert_eq!(scenario.mechanisms["word_of_mouth"].on, Some(false));
    let Located { value, span } = &scenario.mechanisms["rep_turnover"].priors["leave_hazard"];
    assert_eq!(*value, Prior::Lognormal { median: 0.015, sd: 0.4 });
    assert_eq!(scenario.source.slice(span), "{ lognormal = { median = 0.015, sd = 0.4 } }");

    let ids: Vec<&str> = scenario.strategies.iter().map(|strategy| strategy.id.as_str()).collect();
    assert_eq!(ids, ["as-today", "ten-reps-south-east", "visit-then-mail", "chamber-list"]);
    let [reps, calls] = &scenario.strategies[1].levers[..] else { panic!("two levers") };
    assert!(matches!(&reps.lever, Lever::Headcount(headcount) if headcount.add == 10.0 && headcount.ramp_months == 6));
    assert_eq!(scenario.source.slice(&reps.span), "{ add = 10, monthly_cost = 145_000, ramp_months = 6 }");
    let territories = reps.territories.as_ref().unwrap();
    assert_eq!(scenario.source.slice(&territories[2].span), "\"TR-63\"");
    let Lever::CallPlan(plan) = &calls.lever else { panic!("a call plan") };
    let comparison = plan.calls[1].who.value.comparisons().next().unwrap();
    assert_eq!(scenario.source.slice(&comparison.attribute_span), "size");
    assert_eq!(scenario.source.slice(&comparison.value_span), "p75");

    let mail = &scenario.strategies[2].levers[0];
    let who: Vec<&str> = mail.who.as_ref().unwrap().value.comparisons().map(|c| c.attribute.as_str()).collect();
    assert_eq!(who, ["digital", "segment"]);
    let Lever::ChannelPlan(plan) = &mail.lever else { panic!("a channel plan") };
    assert_eq!(plan.steps[1].channel, Channel::Email);
    assert_eq!(plan.steps[1].hours.as_deref(), Some("evening"));
    assert_eq!(plan.steps[2].when, Some(StepCondition::Silent));
}

#[test]
fn the_demo_says_what_the_canonical_scenario_says() {
    let Some(shared) = shared() else { return };
    let canonical = loaded(&shared.join("examples/turkiye.toml"));
    let ours = loaded(&root().join("scenarios/turkiye.toml"));
    assert_eq!(content(&canonical), content(&ours));
}

#[test]
fn every_committed_scenario_loads() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            loaded(&path);
            count += 1;
        }
    }
    assert!(count >= 4);
}

#[test]
fn what_is_silent_has_its_default() {
    let scenario = loaded(&root().join("scenarios/minimal.toml"));
    assert_eq!(scenario.market, MarketSource::CommandLine);
    assert_eq!((scenario.seed, scenario.horizon, scenario.baseline), (1, 24, 0));
    assert_eq!((scenario.monte_carlo.runs_min, scenario.monte_carlo.runs_max), (200, 4000));
    assert_eq!((scenario.monte_carlo.p_best_se, scenario.monte_carlo.incremental_rse), (0.02, 0.05));
    assert_eq!((scenario.effort.calls_per_month, scenario.effort.months), (1.0, 24));
    assert_eq!(scenario.economics.discount_rate, 0.10);
    assert_eq!(scenario.economics.objective, Objective::IncrementalSales);
    assert_eq!(scenario.strategies.len(), 1);
    assert_eq!((scenario.strategies[0].id.as_str(), scenario.strategies[0].levers.len()), ("as-today", 0));
    let with_margin = "schema = 1\n[economics]\ngross_margin = 0.4\n[monte_carlo]\nruns.max = 1000\n";
    let (scenario, _) = parse(Path::new("s.toml"), with_margin, &[]).unwrap();
    assert_eq!(scenario.economics.objective, Objective::Npv);
    assert_eq!((scenario.monte_carlo.runs_min, scenario.monte_carlo.runs_max), (200, 1000));
}

#[test]
fn overrides_reach_every_part() {
    let path = root().join("scenarios/turkiye.toml");
    let overrides = [
        "economics.budget=1e7",
        "seed = 7",
        "monte_carlo.runs.max=500",
        "strategy.ten-reps-south-east.lever.0.do.headcount.add=5",
        "strategy.2.lever.0.who=digital > 0.9",
        "strategy.chamber-list.lever.0.territories=[\"TR-35\"]",
        "mechanism.churn.prior.hazard={ beta = { a = 2, b = 60 } }",
        "potential.effort.months=12",
    ]
    .map(str::to_owned);
    let (scenario, _) = load(&path, &overrides).unwrap_or_else(|problems| {
        panic!("{}", ikiz::problem::render(&problems, false));
    });
    assert_eq!(scenario.economics.budget.as_ref().unwrap().value, 1e7);
    assert_eq!((scenario.seed, scenario.monte_carlo.runs_max, scenario.effort.months), (7, 500, 12));
    assert!(matches!(&scenario.strategies[1].levers[0].lever, Lever::Headcount(headcount) if headcount.add == 5.0));
    let who = scenario.strategies[2].levers[0].who.as_ref().unwrap();
    let comparison = who.value.comparisons().next().unwrap();
    assert_eq!(scenario.source.slice(&comparison.value_span), "0.9");
    let place = scenario.source.place(&comparison.attribute_span);
    assert_eq!(place.file, "--set strategy.2.lever.0.who");
    assert_eq!(&place.text[place.span], "digital");
    assert_eq!(scenario.strategies[3].levers[0].territories.as_ref().unwrap()[0].value, "TR-35");
    assert_eq!(scenario.mechanisms["churn"].priors["hazard"].value, Prior::Beta { a: 2.0, b: 60.0 });
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windows.toml");
    let text = std::fs::read_to_string(root().join("scenarios/turkiye.toml")).unwrap();
    std::fs::write(&path, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    assert_eq!(content(&loaded(&path)), content(&loaded(&root().join("scenarios/turkiye.toml"))));
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let committed = std::fs::read_to_string(root().join("docs/scenario.schema.json")).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == json_schema(),
        "docs/scenario.schema.json is not the schema of the types; write it again by\n\n    \
         cargo run --release -- schema > docs/scenario.schema.json\n"
    );
}

#[test]
fn the_reference_page_names_everything_and_its_examples_load() {
    let page = std::fs::read_to_string(root().join("docs/scenario.md")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    for (definition, fields) in
        definitions.iter().filter_map(|(name, schema)| Some((name, schema["properties"].as_object()?)))
    {
        for field in fields.keys() {
            assert!(page.contains(field.as_str()), "no field {field} of {definition}");
        }
    }
    let levers = definitions["Action"]["oneOf"].as_array().unwrap();
    for lever in levers.iter().flat_map(|lever| lever["properties"].as_object().unwrap().keys()) {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{lever}` |"))).expect("a row for each lever");
        let example = row.split('|').nth(2).unwrap().trim().trim_matches('`');
        let text =
            format!("[[strategy]]\nid = \"a\"\n[[strategy.lever]]\nfrom = \"2026-01\"\ndo.{lever} = {example}\n");
        if let Err(problems) = parse(Path::new("page.toml"), &format!("schema = 1\n{text}"), &[]) {
            panic!("{}", ikiz::problem::render(&problems, false));
        }
    }
    let examples: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 1);
    for example in examples {
        if let Err(problems) = parse(Path::new("page.toml"), &format!("schema = 1\n{example}"), &[]) {
            panic!("{}", ikiz::problem::render(&problems, false));
        }
    }
}
