//! Every class of error in a scenario file, as the user reads it.

use std::path::Path;

use ikiz::problem::render;
use ikiz::scenario::{load, parse};

/// The rendered problems of a scenario that must be refused.
fn refused(text: &str, overrides: &[&str]) -> String {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    match parse(Path::new("scenarios/test.toml"), text, &overrides) {
        Ok((scenario, _)) => panic!("this should be refused, not read as {scenario:#?}"),
        Err(problems) => render(&problems, false),
    }
}

/// A test of the messages of one text; the text is added to `schema = 1`.
macro_rules! refused {
    ($($name:ident: $text:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(refused(&format!("schema = 1\n{}", $text), &[]));
        }
    )*};
}

/// A strategy with one lever that says `lines`.
fn lever(lines: &str) -> String {
    format!("[[strategy]]\nid = \"plan\"\n\n[[strategy.lever]]\nfrom = \"2026-03\"\n{lines}\n")
}

/// A strategy whose price lever has this filter, as it stands in TOML.
fn who(filter: &str) -> String {
    lever(&format!("who = {filter}\ndo.price = {{ change = -0.05 }}"))
}

// TOML syntax.
refused! {
    syntax_unclosed_string: "baseline = \"as-today\n";
    syntax_month_without_quotes: "[history]\nfrom = 2018-01\n";
    syntax_decimal_comma: "[economics]\ngross_margin = 0,62\n";
    syntax_text_without_quotes: "baseline = as-today\n";
    syntax_duplicate_key: "seed = 1\nseed = 2\n";
    syntax_unclosed_table: "[potential]\neffort = { months = 12";
    syntax_several: "seed = \nhorizon = 1,5\n[economics\n";
}

// Wrong types.
refused! {
    type_number_in_quotes: "horizon = \"24\"\n[economics]\nbudget = \"30.000.000\"\ngross_margin = \"62%\"\nunit_price = \"12,5\"\n";
    type_fraction_for_whole_number: "horizon = 24.0\nseed = 1.5\n";
    type_text: lever("territories = [34, \"TR-06\"]\ndo.price = { change = -0.05 }");
    type_date_for_month: "[history]\nfrom = 2018-01-01\n";
    type_list: lever("territories = \"TR-34\"\ndo.price = { change = -0.05 }");
    type_single_brackets: "[strategy]\nid = \"plan\"\n";
    type_double_brackets: "[[economics]]\nunit_price = 3\n";
    type_market_as_text: "market = \"markets/turkiye\"\n";
    type_boolean: "[mechanism.churn]\non = \"false\"\n";
    type_too_large_integer: "seed = 99999999999999999999\n";
}

// Unknown fields.
refused! {
    unknown_at_the_top: "horizn = 12\nweather = \"fine\"\nbudget = 5\n";
    unknown_in_a_section: "[economics]\ngros_margin = 0.6\ncurrency = \"TRY\"\nseed = 4\n";
    unknown_in_a_lever: lever("who_ = \"size > 3\"\ndo.headcount = { add = 3, montly_cost = 5, monthly_cost = 5, ramp_months = 3 }");
    unknown_lever: lever("do.headcont = { add = 3 }");
    unknown_lever_far: lever("do.pray = true");
    unknown_channel: lever("do.channel_plan = { contacts_per_month = 3, steps = [{ channel = \"e-mail\" }] }");
    unknown_objective: "[economics]\nobjective = \"profit\"\n";
    unknown_mechanism: "[mechanism.word_of_mouht]\non = false\n";
    unknown_parameter: "[mechanism.goodwill]\nprior.decai = { fixed = 0.5 }\n";
    unknown_switch: "[mechanism.demand]\non = false\n";
    unknown_measure: "[[strategy]]\nid = \"plan\"\n[[strategy.trigger]]\nmeasure = \"sale\"\nbelow = 3\n";
}

// Missing fields, and exactly one lever.
refused! {
    missing_id: "[[strategy]]\n\n[[strategy.lever]]\nfrom = \"2026-01\"\ndo.price = { change = -0.05 }\n";
    missing_in_a_lever: "[[strategy]]\nid = \"plan\"\n[[strategy.lever]]\nterritories = [\"A\"]\n";
    missing_in_an_action: lever("do.list_purchase = { records = 100 }");
    lever_none: lever("do = {}");
    lever_two: lever("do.price = { change = -0.05 }\ndo.targeting = { weight = 2 }");
    call_plan_empty: lever("do.call_plan = {}");
    market_both: "market = { path = \"a\", synthetic = \"b.toml\" }\n";
    prior_two: "[mechanism.churn]\nprior.hazard = { fixed = 0.1, beta = { a = 1, b = 9 } }\n";
}

// Ranges.
refused! {
    range_economics: "[economics]\nunit_price = 0\ngross_margin = 62\ndiscount_rate = -0.1\nbudget = -1\n";
    range_horizon: "horizon = 0\nseed = -1\n";
    range_monte_carlo: "[monte_carlo]\nruns = { min = 0, max = 2_000_000 }\nstop = { p_best_se = 0, incremental_rse = 1.5 }\n";
    range_runs_crossed: "[monte_carlo]\nruns = { min = 500, max = 400 }\n";
    range_effort: "[potential]\neffort = { calls_per_month = -1, months = 601 }\n";
    range_not_finite: "[economics]\nbudget = nan\nunit_price = inf\ndiscount_rate = 1e999\n";
    range_cost: lever("cost = { once = -5, monthly = -5 }\ndo.price = { change = -1 }");
    range_levers: [
        lever("do.headcount = { add = 3, monthly_cost = -1, ramp_months = 200, calls_per_month = 0 }"),
        lever("do.call_plan = { prospecting = 1.5, calls = [{ who = \"size > 3\", per_month = -1 }] }"),
        lever("do.channel_plan = { contacts_per_month = 0, capacity = -1, steps = [{ channel = \"sms\", wait_days = -1, cost_per_contact = -1 }] }"),
        lever("do.targeting = { weight = -1 }"),
        lever("do.order_channel = { channel = \" \", adoption = 30 }"),
        lever("do.list_purchase = { records = 0, accuracy = 85, cost_per_record = -12 }"),
        lever("do.referral = { strength = -1, reward = -1 }"),
        lever("do.stock_loading = { depth = 0, every_months = 0, discount = 5 }"),
        lever("do.competitor_move = { company = \"\", push = 11 }"),
        lever("do.demand_shock = { factor = -1 }"),
        lever("do.supply_shock = { factor = 1.5 }"),
    ].iter().enumerate().map(|(n, text)| text.replace("plan\"\n", &format!("plan-{n}\"\n"))).collect::<String>();
    empty_lists: lever("territories = []\ndo.channel_plan = { contacts_per_month = 3, steps = [] }");
}

// Months.
refused! {
    month_bad_text: "[history]\nfrom = \"2018-13\"\nto = \"January 2020\"\n";
    months_crossed: format!("[history]\nfrom = \"2020-01\"\nto = \"2018-12\"\n{}", lever("to = \"2026-02\"\ndo.price = { change = -0.05 }"));
}

// Strategies.
refused! {
    strategy_twice: "[[strategy]]\nid = \"plan\"\n[[strategy]]\nid = \"plan\"\n";
    strategy_bad_id: "[[strategy]]\nid = \"ten reps\"\n[[strategy]]\nid = \"\"\n";
    baseline_unknown: "baseline = \"as-todai\"\n[[strategy]]\nid = \"as-today\"\n[[strategy]]\nid = \"plan\"\n";
    baseline_not_empty: lever("do.price = { change = -0.05 }").replace("plan", "as-today");
    objective_without_margin: "[economics]\nobjective = \"npv\"\n";
    territory_twice: lever("territories = [\"TR-34\", \" TR-34\"]\ndo.price = { change = -0.05 }");
    realign_twice: lever("do.realign = { moves = [{ rep = \"R1\", territory = \"A\" }, { rep = \"R2\", territory = \"A\" }] }");
    first_step_waits: lever("do.channel_plan = { contacts_per_month = 3, steps = [{ channel = \"sms\", when = \"silent\" }] }");
    trigger_never_fires: "[[strategy]]\nid = \"plan\"\n[[strategy.trigger]]\nmeasure = \"share\"\nthen = \"plam\"\n";
}

// Priors.
refused! {
    prior_shape: "[mechanism.churn]\nprior.hazard = { lognormal = { median = 0, sd = -1 } }\n[mechanism.dark]\nprior.size_cv = { uniform = { low = 3, high = 3 } }\n";
    prior_outside_support: "[mechanism.churn]\nprior.hazard = { normal = { mean = 0.1, sd = 0.1 } }\n[mechanism.goodwill]\nprior.decay = { fixed = 1.5 }\nprior.half_saturation = { uniform = { low = -1, high = 1 } }\n[mechanism.choice]\nprior.share_of_wallet = { lognormal = { median = 0.5, sd = 1 } }\n";
    prior_as_number: "[mechanism.churn]\nprior.hazard = 0.1\n";
}

// Filters.
refused! {
    filter_unclosed_quote: who("\"size > 3 and segment != 'chain\"");
    filter_single_equals: who("\"segment = 'chain'\"");
    filter_dangling_and: who("\"size > p75 and\"");
    filter_percentile: who("\"size > p101\"");
    filter_empty: who("\"\"");
    filter_text_without_quotes: who("'segment == chain'");
    filter_with_escapes: who("\"size >\\t= 3\"");
    filter_in_many_lines: who("\"\"\"\nsize > 3\n  and digital >> 0.5\"\"\"");
    filter_in_a_rule: lever("do.call_plan = { calls = [\n  { who = \"size > p75\", per_month = 2 },\n  { who = \"siz\u{e9} &gt; p75\", per_month = 1 } ] }");
}

/// One bad part hides no other: every problem of a file at once.
#[test]
fn all_at_once() {
    let text = "schema = 1\nhorizn = 12\n[economics]\ngross_margin = 62\n\n[[strategy]]\nid = \"a\"\n\
        [[strategy.lever]]\nfrom = \"2026-3\"\nwho = \"size >\"\ndo.headcont = { add = 3 }\n\
        [[strategy.lever]]\nfrom = 2026\nwho = \"size = 3\"\ndo.price = { change = \"5%\" }\n\
        [[strategy]]\nid = \"a\"\n[[strategy.lever]]\nfrom = \"2026-05\"\nto = \"2026-03\"\ndo.price = { change = 0.1 }\n";
    insta::assert_snapshot!(refused(text, &[]));
}

#[test]
fn schema_version_missing() {
    insta::assert_snapshot!(refused("seed = 1\n", &[]));
}

#[test]
fn schema_version_unsupported() {
    insta::assert_snapshot!(refused("schema = 2\nfield_of_the_future = 1\n", &[]));
}

#[test]
fn overrides() {
    let text = "schema = 1\n[economics]\nbudget = 5\n[[strategy]]\nid = \"ten-reps\"\n";
    let mut all = String::new();
    for setting in [
        "economics.bugdet=1e7",
        "economics.budget=lots",
        "economics.budget",
        "economics..budget=3",
        "economics.budget.amount=3",
        "strategy.ten-rep.lever.0.from=2026-01",
        "strategy.3.id=x",
        "horizon=9999",
        "seed=\"7",
    ] {
        all += &refused(text, &[setting]);
        all += "----------------\n";
    }
    insta::assert_snapshot!(all);
}

#[test]
fn warnings() {
    let text = format!("schema = 1\n{}[[strategy]]\nid = \"idle\"\n", lever("do.targeting = { weight = 2 }"));
    let (_, problems) = parse(Path::new("scenarios/test.toml"), &text, &[]).expect("warnings only");
    insta::assert_snapshot!(render(&problems, false));
}

#[test]
fn files_that_are_no_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut all = String::new();
    for path in [
        folder.path().join("missing.toml"),
        folder.path().to_owned(),
        write("windows-1254.toml", b"schema = 1\n# T\xfcrkiye\n"),
        write("empty.toml", b" \n"),
        write("large.toml", &vec![b'#'; (1 << 20) + 1]),
    ] {
        all += &render(&load(&path, &[]).unwrap_err(), false);
    }
    insta::assert_snapshot!(all.replace(&folder.path().display().to_string(), "FOLDER"));
}

/// Broken files are refused with words; they never panic, and the walk leaves nothing for serde to refuse.
#[test]
fn broken_files_never_panic() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/turkiye.toml")).unwrap();
    let path = Path::new("broken.toml");
    let tokens =
        ["\"", "'", "=", "[", "]", "{", "}", ".", ",", "nan", "-1", "1e400", "true", "\n", "é", "2026-01-01", "[]"];
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).filter(|at| at % 7 == 0).collect();
    for (round, &start) in starts.iter().enumerate() {
        let end = (start + round % 5..).find(|&at| text.is_char_boundary(at.min(text.len()))).unwrap().min(text.len());
        let broken = format!("{}{}{}", &text[..start], tokens[round % tokens.len()], &text[end..]);
        if let Err(problems) = parse(path, &broken, &[]) {
            let rendered = render(&problems, false);
            assert!(
                !rendered.contains("this could not be read"),
                "serde refused what the walk let through:\n{rendered}"
            );
        }
    }
    // A value of every kind in place of every value.
    for line in text.lines().filter(|line| line.contains('=') && !line.starts_with('#')) {
        let (key, _) = line.split_once('=').unwrap();
        for value in ["\"x\"", "1", "-1", "1.5", "nan", "true", "[]", "[1]", "[{}]", "{}", "{ x = 1 }", "2026-01-01"] {
            let broken = text.replacen(line, &format!("{key} = {value}"), 1);
            if let Err(problems) = parse(path, &broken, &[]) {
                let rendered = render(&problems, false);
                assert!(
                    !rendered.contains("this could not be read"),
                    "serde refused what the walk let through:\n{rendered}"
                );
            }
        }
    }
}

/// Files made to hurt: deep, wide, or one long line.
#[test]
fn hostile_files_are_refused_in_words() {
    let unknown: String = (0..60_000).map(|n| format!("k{n} = {n}\n")).collect();
    let one_line: String = (0..60_000).map(|n| format!("k{n} = {n}, ")).collect();
    for text in [
        format!("{} = 1\n", "a.".repeat(200_000) + "a"),
        format!("a = {}{}\n", "[".repeat(100_000), "]".repeat(100_000)),
        format!("[{}]\n", "a.".repeat(200_000) + "a"),
        format!("schema = 1\neconomics = {}1{}\n", "{ a = ".repeat(50_000), " }".repeat(50_000)),
        format!("schema = 1\n{unknown}"),
        format!("schema = 1\neconomics = {{ {one_line} z = 1 }}\n"),
        "schema = 1\n".to_owned() + &"[[strategy]]\n".repeat(40_000),
        who(&format!("\"{}\"", "(".repeat(500_000))),
        who(&format!("\"{}\"", "size > 3 and ".repeat(40_000))),
        "\u{0}".repeat(1000),
    ] {
        let problems = parse(Path::new("hostile.toml"), &text, &[]).map(|_| ()).unwrap_err();
        assert!(!problems.is_empty() && problems.len() <= 201, "{}", problems.len());
        assert!(!render(&problems, false).is_empty());
    }
    let deep = format!("{}=1", "a.".repeat(200_000) + "a");
    assert!(parse(Path::new("hostile.toml"), "schema = 1", &[deep]).is_err());
}
