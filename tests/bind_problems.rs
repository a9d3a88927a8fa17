//! The messages of errors that show only when a scenario meets a market: names, months, prices that do not resolve.

use std::fs;
use std::path::Path;

use ikiz::problem::{Problem, render};
use ikiz::{data, market, scenario, strategy};

const MARKET: [(&str, &str); 5] = [
    (
        "market.toml",
        "name = \"M\"\nown_company = \"us\"\ncurrency = \"TRY\"\ndemand = \"units\"\nhistory_end = \"2025-12\"\n",
    ),
    ("territories.csv", "territory_id,name,parent_id\nEGE,Ege,\nTR-35,İzmir,EGE\nTR-45,Manisa,EGE\n"),
    (
        "customers.csv",
        "customer_id,territory_id,segment,digital,beds\nC1,TR-35,chain,0.9,10\nC2,TR-35,shop,0.2,20\nC3,TR-45,shop,0.4,\n",
    ),
    ("sales.csv", "period,customer_id,units\n2024-01,C1,5\n2025-03,C2,7\n2025-12,C1,6\n"),
    ("companies.csv", "company_id,name\nus,Us\nrival,Rival\n"),
];

/// What binding (or the budget) says of a scenario with this text.
fn said(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in MARKET {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let loaded = data::load(folder.path()).expect("the market is sound");
    let text = format!("schema = 1\n{text}");
    let (scenario, _) = scenario::parse(Path::new("question.toml"), &text, &[])
        .unwrap_or_else(|problems| panic!("not refused before binding: {}", render(&problems, false)));
    let problems: Vec<Problem> = match market::bind(&scenario, loaded.market) {
        Ok((bound, mut warnings)) => {
            warnings.extend(strategy::check_budget(&scenario, &bound));
            warnings
        }
        Err(problems) => problems,
    };
    render(&problems, false)
}

fn lever(rest: &str) -> String {
    format!("[[strategy]]\nid = \"s\"\n[[strategy.lever]]\nfrom = \"2026-02\"\n{rest}\n")
}

macro_rules! message {
    ($($name:ident: $text:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(said($text.as_ref()));
        }
    )*};
}

message! {
    unknown_territory: lever("territories = [\"TR-53\"]\ndo.targeting = { weight = 2.0 }");
    territory_that_is_a_parent: lever("territories = [\"EGE\"]\ndo.targeting = { weight = 2.0 }");
    realign_without_reps: lever("do.realign = { moves = [{ rep = \"R1\", territory = \"TR-35\" }] }");
    twice_at_the_same_time: format!("{}[[strategy.lever]]\nfrom = \"2026-03\"\ndo.price = {{ change = 0.02 }}\n", lever("do.price = { change = 0.05 }"));
    unknown_attribute: lever("who = \"digitl > 0.5\"\ndo.targeting = { weight = 2.0 }");
    attribute_without_a_column: lever("who = \"influence > 0.5\"\ndo.targeting = { weight = 2.0 }");
    unknown_segment: lever("who = \"segment == 'chains'\"\ndo.targeting = { weight = 2.0 }");
    covariate_compared_with_a_name: lever("who = \"beds == 'many'\"\ndo.targeting = { weight = 2.0 }");
    unknown_stage: lever("who = \"stage == 'served ' or stage == 'lost'\"\ndo.targeting = { weight = 2.0 }");
    rule_with_unknown_attribute: lever("do.call_plan = { calls = [ { who = \"sise > p75\", per_month = 2.0 } ] }");
    lever_before_the_horizon: "[[strategy]]\nid = \"s\"\n[[strategy.lever]]\nfrom = \"2025-12\"\ndo.targeting = { weight = 2.0 }\n";
    lever_after_the_horizon: lever("to = \"2031-01\"\ndo.targeting = { weight = 2.0 }");
    history_outside_the_market: "[history]\nfrom = \"2020-01\"\n";
    unknown_competitor: lever("do.competitor_move = { company = \"rivals\", push = 0.3 }");
    own_company_as_competitor: lever("do.competitor_move = { company = \"us\", push = 0.3 }");
    calls_of_a_new_rep_unknown: lever("do.headcount = { add = 2, monthly_cost = 5000, ramp_months = 0 }");
    who_on_a_lever_that_reaches_everybody: lever("who = \"size > p75\"\ndo.price = { change = -0.05 }");
    mechanism_without_data: "[mechanism.credit]\non = true\n";
    prior_of_a_mechanism_that_is_off: "[mechanism.habit]\nprior.decay = { beta = { a = 8, b = 2 } }\n";
    strategy_beyond_the_budget:
        format!("[economics]\nbudget = 1000\n{}", lever("cost = { once = 1500 }\ndo.targeting = { weight = 2.0 }"));
    several_at_once: lever("territories = [\"TR-53\"]\nwho = \"digitl > 0.5\"\ndo.order_channel = { channel = \"portal\", adoption = 0.3 }");
}
