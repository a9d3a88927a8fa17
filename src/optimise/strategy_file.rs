//! The recommended plan as a strategy of a scenario file, to be compared, changed and defended like any other.

use std::fmt::Write as _;

use super::Optimised;
use crate::scenario::{Lever, Optimise, Scenario};

/// Id of the strategy.
pub const ID: &str = "optimised";

/// TOML text with one `[[strategy]]`; empty levers where the plan is to go on as today.
pub fn strategy_file(scenario: &Scenario, plan: &Optimise, found: &Optimised) -> String {
    let mut out = format!("[[strategy]]\nid = \"{ID}\"\n");
    let moves = found.moves();
    if !moves.is_empty() {
        let each = moves
            .iter()
            .map(|(rep, territory)| format!("  {{ rep = {}, territory = {} }}", quoted(rep), quoted(territory)));
        let each: Vec<String> = each.collect();
        let _ = write!(
            out,
            "\n[[strategy.lever]]\nfrom = \"{}\"\ndo.realign = {{ moves = [\n{} ] }}\n",
            plan.from.value,
            each.join(",\n")
        );
    }
    for (at, part) in plan.parts.iter().enumerate() {
        for level in &part.levels {
            let chosen: Vec<&str> = found
                .rows
                .iter()
                .filter(|row| row.settings.get(at).and_then(Option::as_deref) == Some(level.label.as_str()))
                .map(|row| row.territory_id.as_str())
                .collect();
            // Reps of one lever are spread over its territories, so each territory has its own.
            let alone = matches!(level.lever, Lever::Headcount(_));
            let groups: Vec<Vec<&str>> = match (alone, chosen.is_empty()) {
                (_, true) => Vec::new(),
                (true, false) => chosen.into_iter().map(|territory| vec![territory]).collect(),
                (false, false) => vec![chosen],
            };
            for territories in groups {
                let territories: Vec<String> = territories.iter().map(|id| quoted(id)).collect();
                let _ = write!(
                    out,
                    "\n[[strategy.lever]]\nfrom = \"{}\"\nterritories = [{}]\n",
                    plan.from.value,
                    territories.join(", ")
                );
                if let Some(who) = &part.who {
                    // The file's own text, quotes and all.
                    let _ = writeln!(out, "who = {}", scenario.source.slice(&who.span));
                }
                let _ = writeln!(out, "do.{}", action(&level.lever));
            }
        }
    }
    out
}

fn action(lever: &Lever) -> String {
    match lever {
        Lever::Headcount(plan) => {
            let calls = plan.calls_per_month.map_or_else(String::new, |calls| format!(", calls_per_month = {calls}"));
            format!(
                "headcount = {{ add = {}, monthly_cost = {}, ramp_months = {}{calls} }}",
                plan.add, plan.monthly_cost, plan.ramp_months
            )
        }
        Lever::CallPlan(plan) => {
            format!("call_plan = {{ prospecting = {} }}", plan.prospecting.unwrap_or(0.0))
        }
        Lever::Targeting(targeting) => format!("targeting = {{ weight = {} }}", targeting.weight),
        Lever::ChannelPlan(plan) => {
            let steps: Vec<String> = plan
                .steps
                .iter()
                .map(|step| {
                    format!("{{ channel = \"{}\", cost_per_contact = {} }}", step.channel.name(), step.cost_per_contact)
                })
                .collect();
            format!(
                "channel_plan = {{ contacts_per_month = {}, steps = [{}] }}",
                plan.contacts_per_month,
                steps.join(", ")
            )
        }
        other => unreachable!("[optimise] has no levels of {other:?}"),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
