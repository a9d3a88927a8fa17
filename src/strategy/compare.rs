//! Runs to rows: `strategies.csv`, `forecast.csv`, warnings and the assumptions that the figures rest on.

use super::arena::objective_unit;
use super::drivers::{chance_share, drivers};
use super::parts::Parts;
use super::pilot::{ENOUGH, pilot};
use super::runs::{Outcome, Run, Runs, best};
use super::sensitivity::sensitivity;
use super::triggers::triggers;
use super::{Assumption, Comparison, DriverRow, ForecastRow, PilotRow, SensitivityRow, StrategyRow, TargetRow, Today};
use crate::calibrate::{Calibration, Diagnostic, Identified};
use crate::market::{Bound, BoundAction};
use crate::origin::Origin;
use crate::potential::DarkHalf;
use crate::scenario::{Objective, Scenario};
use crate::stats::{Summary, mean_sd, quantile_sorted};

use super::levers::{channel_plan_notes, order_channel_notes};
use super::twin::APPEAL_PRIOR;

/// A gain in sales beyond this share has not been shown by field experiments on sales effort.
pub const BELIEVABLE_GAIN: f64 = 0.10;

/// Return on cost beyond which a strategy is too good to be true.
const BELIEVABLE_ROI: f64 = 10.0;

/// Share of runs that must pay back for a payback time to be shown.
const PAYS_BACK: f64 = 0.95;

/// What [`write_up`] needs beside market and runs.
pub struct Rest<'a> {
    pub today: &'a Today,
    pub calibration: &'a Calibration,
    pub dark_half: &'a DarkHalf,
    pub scenario: &'a Scenario,
    pub targets: Vec<TargetRow>,
    /// The data speak of the demand of the whole market.
    pub total_known: bool,
}

/// Writes up all runs.
pub fn write_up(bound: &Bound, runs: &Runs, rest: Rest<'_>) -> Comparison {
    let Rest { today, calibration, dark_half, scenario, targets, total_known } = rest;
    let baseline = scenario.baseline;
    let known = Known::of(calibration, dark_half);
    let drivers = driver_rows(bound, runs, &known, baseline);
    let pilots: Vec<PilotRow> =
        (0..bound.strategies.len()).flat_map(|s| pilot(bound, runs, s, baseline, scenario.seed)).collect();
    let mut warnings = warnings(bound, runs, baseline);
    warnings.extend(weak_pilots(&pilots));
    Comparison {
        forecast: forecast(bound, &runs.runs, total_known),
        strategies: strategies(bound, runs, total_known, &drivers, scenario.economics.target),
        targets,
        runs: runs.runs.len() as u32,
        monte_carlo: runs.monte_carlo.clone(),
        sensitivity: sensitivity_rows(bound, runs, &known),
        drivers,
        triggers: triggers(&scenario.triggers, bound, runs, baseline),
        pilots,
        assumptions: assumptions(bound, today, calibration),
        warnings,
    }
}

/// Drivers listed for each strategy.
const DRIVERS: usize = 5;

/// What differs between draws: the parameters, and the dark half.
struct Known {
    names: Vec<String>,
    origins: Vec<Origin>,
    /// `[draw][name]`.
    values: Vec<Vec<f64>>,
}

impl Known {
    fn of(calibration: &Calibration, dark_half: &DarkHalf) -> Self {
        let table = calibration.posterior_table();
        // The first column is the draw's number.
        let mut names = table.header.get(1..).unwrap_or_default().to_vec();
        let origin = |name: &String| {
            let row = calibration.diagnostics.iter().find(|row| row.parameter == *name);
            row.map_or(Origin::YourData, shown_origin)
        };
        let mut origins: Vec<Origin> = names.iter().map(origin).collect();
        let dark = if dark_half.basis.dark_demand() { Origin::YourData } else { Origin::Assumption };
        names.extend(["dark half: customers".to_owned(), "dark half: demand".to_owned()]);
        origins.extend([dark, dark]);
        let values = table
            .rows
            .iter()
            .zip(dark_half.dark_customers.iter().zip(&dark_half.dark_demand))
            .map(|(row, (customers, demand))| {
                let mut values = row.get(1..).unwrap_or_default().to_vec();
                values.extend([customers.iter().sum::<f64>(), demand.iter().sum::<f64>()]);
                values
            })
            .collect();
        Self { names, origins, values }
    }
}

/// A parameter of which the data say nothing is an assumption, whatever file was looked at.
fn shown_origin(row: &Diagnostic) -> Origin {
    if row.identified == Identified::No && row.origin == Origin::YourData { Origin::Assumption } else { row.origin }
}

/// Draw and objective of a strategy, by run.
fn by_draw(runs: &Runs, objectives: &[Vec<f64>], s: usize) -> Vec<(usize, f64)> {
    runs.runs.iter().zip(objectives).map(|(run, objectives)| (run.draw, objectives[s])).collect()
}

fn driver_rows(bound: &Bound, runs: &Runs, known: &Known, baseline: usize) -> Vec<DriverRow> {
    let objectives = runs.objectives();
    let mut rows = Vec::new();
    for (s, strategy) in bound.strategies.iter().enumerate().filter(|(s, _)| *s != baseline) {
        let figures = by_draw(runs, &objectives, s);
        rows.extend(drivers(&known.values, &figures).into_iter().take(DRIVERS).map(|(parameter, share)| DriverRow {
            strategy: strategy.id.clone(),
            parameter: known.names[parameter].clone(),
            origin: known.origins[parameter],
            share,
        }));
    }
    rows
}

/// Share of the runs in which a strategy must be at least as good as another for that to be said.
const NEARLY_ALWAYS: f64 = 0.99;

/// Strategies that another one is better than in nearly all runs.
fn dominated(bound: &Bound, runs: &Runs, baseline: usize) -> Vec<String> {
    let objectives = runs.objectives();
    let beats = |one: usize, other: usize| {
        let count = objectives.iter().filter(|objectives| objectives[one] > objectives[other]).count();
        count as f64 >= NEARLY_ALWAYS * objectives.len() as f64
    };
    let count = bound.strategies.len();
    (0..count)
        .filter(|&s| s != baseline)
        .filter_map(|s| {
            let better = (0..count).find(|&other| beats(other, s))?;
            Some(format!(
                "{}: {} is better in at least {:.0}% of the runs, whatever the parameters are",
                bound.strategies[s].id,
                bound.strategies[better].id,
                100.0 * NEARLY_ALWAYS
            ))
        })
        .collect()
}

fn sensitivity_rows(bound: &Bound, runs: &Runs, known: &Known) -> Vec<SensitivityRow> {
    let objectives: Vec<(usize, Vec<f64>)> = runs.runs.iter().map(|run| run.draw).zip(runs.objectives()).collect();
    let ids: Vec<String> = bound.strategies.iter().map(|strategy| strategy.id.clone()).collect();
    let unit = objective_unit(&bound.market, runs.objective);
    sensitivity(&known.names, &known.values, &objectives, &ids, unit, runs.runs.len() as u64)
}

fn strategies(
    bound: &Bound,
    runs: &Runs,
    total_known: bool,
    drivers: &[DriverRow],
    target: Option<f64>,
) -> Vec<StrategyRow> {
    let market = &bound.market;
    let (unit, currency) = (market.unit().to_owned(), market.data.meta.currency.clone());
    let n = runs.runs.len() as f64;
    let objectives = runs.objectives();
    let objective_unit = objective_unit(&bound.market, runs.objective);
    let mut rows = Vec::new();
    for (s, strategy) in bound.strategies.iter().enumerate() {
        // What a strategy brings has the origin of what explains most of it; what it costs is the scenario's.
        let driven = drivers.iter().find(|row| row.strategy == strategy.id).map_or(Origin::YourData, |row| row.origin);
        let mut push_of =
            |territory: &str, segment: &str, period: &str, metric: &str, unit: &str, summary: Option<Summary>| {
                rows.push(StrategyRow {
                    strategy: strategy.id.clone(),
                    territory_id: territory.to_owned(),
                    segment: segment.to_owned(),
                    origin: if metric == "cost" { Origin::YourData } else { driven },
                    period: period.to_owned(),
                    metric: metric.to_owned(),
                    unit: unit.to_owned(),
                    summary,
                });
            };
        for (metric, segment, summary) in by_part(bound, runs, s) {
            let unit = if metric == "new_customers" { "customers" } else { unit.as_str() };
            push_of("*", &segment, "*", metric, unit, summary);
        }
        let mut push = |territory: &str, period: &str, metric: &str, unit: &str, summary: Option<Summary>| {
            push_of(territory, "*", period, metric, unit, summary);
        };
        let of = |pick: &dyn Fn(&Outcome) -> f64| -> Option<Summary> {
            Summary::of(&runs.runs.iter().map(|run| pick(&run.outcomes[s])).collect::<Vec<f64>>())
        };
        push("*", "*", "incremental_sales", &unit, of(&|outcome| outcome.sales.iter().sum()));
        push("*", "*", "cost", &currency, of(&|outcome| outcome.cost.iter().sum()));
        push("*", "*", "new_customers", "customers", of(&|outcome| outcome.won.iter().sum()));
        push("*", "*", "customers_found", "customers", of(&|outcome| outcome.found.iter().sum()));
        if total_known {
            push("*", "*", "share", "share", of(&|outcome| outcome.share));
        }
        let money: Option<Vec<_>> = runs.runs.iter().map(|run| run.outcomes[s].money).collect();
        if let Some(money) = money {
            let summary = |pick: &dyn Fn(&super::economics::Money) -> f64| {
                Summary::of(&money.iter().map(pick).collect::<Vec<f64>>())
            };
            push("*", "*", "incremental_margin", &currency, summary(&|money| money.margin));
            push("*", "*", "npv", &currency, summary(&|money| money.npv));
            let roi: Option<Vec<f64>> = money.iter().map(|money| money.roi).collect();
            push("*", "*", "roi", "ratio", roi.and_then(|roi| Summary::of(&roi)));
            let payback: Vec<f64> = money.iter().filter_map(|money| money.payback).collect();
            // A strategy that spends nothing has nothing to pay back.
            let spends = money.iter().any(|money| money.cost > 0.0);
            let enough = spends && payback.len() as f64 >= PAYS_BACK * n;
            push("*", "*", "payback_months", "months", if enough { Summary::of(&payback) } else { None });
            if spends {
                push("*", "*", "cash_low_point", &currency, summary(&|money| money.cash_low));
                let break_even: Vec<f64> = money.iter().filter_map(|money| money.break_even).collect();
                // Where every run gains something.
                let all = break_even.len() == money.len();
                push("*", "*", "break_even", "share of the gain", if all { Summary::of(&break_even) } else { None });
            }
        }
        let probability = |count: f64| {
            let p = count / n;
            // The deviation is the Monte Carlo error of the probability.
            Summary { sd: (p * (1.0 - p) / n).sqrt(), ..Summary::exact(p) }
        };
        let wins = objectives.iter().filter(|run| best(run) == s).count() as f64;
        let losses = objectives.iter().filter(|run| run[s] < 0.0).count() as f64;
        push("*", "*", "p_best", "probability", Some(probability(wins)));
        if runs.objective != Objective::IncrementalSales {
            push("*", "*", "p_loss", "probability", Some(probability(losses)));
        }
        if let Some(target) = target {
            let year = |outcome: &Outcome| outcome.own_sales.iter().rev().take(12).sum::<f64>();
            let reached = runs.runs.iter().filter(|run| year(&run.outcomes[s]) >= target).count() as f64;
            push("*", "*", "p_target", "probability", Some(probability(reached)));
        }
        if let Some(share) = chance_share(&by_draw(runs, &objectives, s)) {
            push("*", "*", "chance_share", "share of variance", Some(Summary::exact(share)));
        }
        // P(best) is parameters and chance: draws differ in how often it wins, and within a draw luck does the rest.
        let won: Vec<(usize, f64)> = (runs.runs.iter().zip(&objectives))
            .map(|(run, objectives)| (run.draw, f64::from(u8::from(best(objectives) == s))))
            .collect();
        if let Some(share) = chance_share(&won) {
            push("*", "*", "p_best_chance", "share of variance", Some(Summary::exact(share)));
        }
        let regret: Vec<f64> = objectives.iter().map(|run| run[best(run)] - run[s]).collect();
        push("*", "*", "regret", objective_unit, Summary::of(&regret));
        push("*", "*", "regret_cvar95", objective_unit, cvar95(&regret).map(Summary::exact));
        for month in 0..runs.runs.first().map_or(0, |run| run.outcomes[s].sales.len()) {
            let period = market.history.last.plus(1 + month as i32).to_string();
            push("*", &period, "incremental_sales", &unit, of(&|outcome| outcome.sales[month]));
            push("*", &period, "cost", &currency, of(&|outcome| outcome.cost[month]));
            push("*", &period, "new_customers", "customers", of(&|outcome| outcome.won[month]));
        }
        for j in 0..market.territory_count() {
            let id = market.data.territory_id(j);
            push(id, "*", "incremental_sales", &unit, of(&|outcome| outcome.sales_by_territory[j]));
            push(id, "*", "new_customers", "customers", of(&|outcome| outcome.won_by_territory[j]));
        }
    }
    rows
}

/// Metrics by segment, and of present and other customers: (metric, segment, figure).
fn by_part(bound: &Bound, runs: &Runs, s: usize) -> Vec<(&'static str, String, Option<Summary>)> {
    let seen: Vec<&Parts> = runs.runs.iter().filter_map(|run| run.outcomes[s].parts.as_ref()).collect();
    let of = |pick: &dyn Fn(&Parts) -> f64| Summary::of(&seen.iter().map(|parts| pick(parts)).collect::<Vec<f64>>());
    let names = &bound.market.data.customers.segment_names;
    let mut out = vec![
        ("incremental_sales_present", "*".to_owned(), of(&|parts| parts.present)),
        ("incremental_sales_others", "*".to_owned(), of(&|parts| parts.sales.iter().sum::<f64>() - parts.present)),
    ];
    // One segment is all customers.
    if !names.is_empty() {
        for (k, name) in names.iter().map(String::as_str).chain(["unknown"]).enumerate() {
            let name = name.to_owned();
            out.push(("incremental_sales", name.clone(), of(&|parts| parts.sales.get(k).copied().unwrap_or(0.0))));
            out.push(("new_customers", name, of(&|parts| parts.won.get(k).copied().unwrap_or(0.0))));
        }
    }
    out
}

/// Mean of the worst 5% (Rockafellar & Uryasev 2000).
fn cvar95(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let from = (!sorted.is_empty()).then(|| quantile_sorted(&sorted, 0.95))?;
    let tail: Vec<f64> = sorted.into_iter().filter(|value| *value >= from).collect();
    Some(mean_sd(&tail).0)
}

fn forecast(bound: &Bound, runs: &[Run], total_known: bool) -> Vec<ForecastRow> {
    let market = &bound.market;
    let territories = market.territory_count();
    let kept: Vec<&Run> = runs.iter().filter(|run| !run.own_sales.is_empty()).collect();
    let months = kept.first().map_or(0, |run| run.own_sales.len() / territories.max(1));
    let mut rows = Vec::new();
    type Series = fn(&Run) -> &Vec<f32>;
    let series: [(&str, Series); 2] = [("own_sales", |run| &run.own_sales), ("total_demand", |run| &run.total_demand)];
    for (measure, of) in series.into_iter().take(if total_known { 2 } else { 1 }) {
        for month in 0..months {
            let mut push = |id: &str, draws: Vec<f64>| {
                rows.push(ForecastRow {
                    period: market.history.last.plus(1 + month as i32),
                    territory_id: id.to_owned(),
                    measure: measure.to_owned(),
                    unit: market.unit().to_owned(),
                    summary: Summary::of(&draws),
                    actual: None,
                });
            };
            let cells = month * territories..(month + 1) * territories;
            push("*", kept.iter().map(|run| of(run)[cells.clone()].iter().map(|&x| f64::from(x)).sum()).collect());
            for j in 0..territories {
                push(market.data.territory_id(j), kept.iter().map(|run| f64::from(of(run)[cells.start + j])).collect());
            }
        }
    }
    rows
}

fn warnings(bound: &Bound, runs: &Runs, baseline: usize) -> Vec<String> {
    let mut out = Vec::new();
    let n = runs.runs.len() as f64;
    out.extend(dominated(bound, runs, baseline));
    let today: f64 = bound.market.own_last_year().iter().sum();
    for (s, strategy) in bound.strategies.iter().enumerate() {
        for (lever, &reached) in runs.reached[s].iter().enumerate() {
            let plan = &strategy.levers[lever];
            if reached == 0 && plan.who.is_some() {
                out.push(format!(
                    "{}: the `who` of lever {} selects none of the known customers in its territories",
                    strategy.id,
                    lever + 1
                ));
            }
            let notes = match &plan.action {
                BoundAction::ChannelPlan(channels) => channel_plan_notes(channels, bound),
                BoundAction::OrderChannel(channel) => order_channel_notes(channel),
                _ => Vec::new(),
            };
            out.extend(notes.into_iter().map(|note| format!("{}: {note}", strategy.id)));
        }
        if s == baseline {
            continue;
        }
        out.extend(lost_sales(bound, runs, s));
        let roi: Option<Vec<f64>> =
            runs.runs.iter().map(|run| run.outcomes[s].money.and_then(|money| money.roi)).collect();
        if let Some(roi) = roi.and_then(|roi| Summary::of(&roi)).filter(|roi| roi.q50 > BELIEVABLE_ROI) {
            out.push(format!(
                "{}: it seems to bring {:.0} times what it costs. Nothing sold to a company does; look for a cost that is \
                 missing here (who calls on the customers it finds?), and for customers that are not as easy to win as those \
                 found so far",
                strategy.id, roi.q50
            ));
        }
        let months = runs.runs.first().map_or(1, |run| run.outcomes[s].sales.len()).max(1) as f64;
        let gain =
            runs.runs.iter().map(|run| run.outcomes[s].sales.iter().sum::<f64>()).sum::<f64>() / n * 12.0 / months;
        if today > 0.0 && gain / today > BELIEVABLE_GAIN {
            out.push(format!(
                "{}: the mean gain is {:.0}% of today's sales a year; field experiments on sales effort have shown at most about \
                 {:.0}% (call planning and sizing about 8%, realignment 2 to 7%). Treat it as too good until a pilot shows it",
                strategy.id,
                100.0 * gain / today,
                100.0 * BELIEVABLE_GAIN
            ));
        }
    }
    out
}

/// A strategy that takes from the customers that we have.
fn lost_sales(bound: &Bound, runs: &Runs, s: usize) -> Option<String> {
    let present: Vec<f64> =
        runs.runs.iter().filter_map(|run| run.outcomes[s].parts.as_ref().map(|parts| parts.present)).collect();
    let summary = Summary::of(&present).filter(|summary| summary.q95 < 0.0)?;
    Some(format!(
        "{}: present customers buy {} {} less over the horizon (90%: {} to {}); what it brings comes from others",
        bound.strategies[s].id,
        digits(-summary.q50),
        bound.market.unit(),
        digits(-summary.q95),
        digits(-summary.q05)
    ))
}

/// Trials that would show little.
fn weak_pilots(pilots: &[PilotRow]) -> Vec<String> {
    let weak = pilots.iter().filter(|pilot| pilot.power < ENOUGH);
    weak.map(|pilot| {
        format!(
            "{}: even the strongest trial ({} pairs of territories over {} months) would show its lift with a chance of {:.0}% only; \
             it notices lifts from {:.1}% on",
            pilot.strategy,
            pilot.territories.len(),
            pilot.months,
            100.0 * pilot.power,
            100.0 * pilot.detectable_lift
        )
    })
    .collect()
}

fn assumptions(bound: &Bound, today: &Today, calibration: &Calibration) -> Vec<Assumption> {
    let mut out: Vec<Assumption> = calibration
        .diagnostics
        .iter()
        .map(|row| Assumption {
            name: row.parameter.clone(),
            value: format!(
                "{} ({} to {}) {}",
                digits(row.summary.q50),
                digits(row.summary.q05),
                digits(row.summary.q95),
                row.unit
            ),
            origin: shown_origin(row),
            source: row.source.clone(),
        })
        .collect();
    let mut assume = |name: &str, value: String, origin: Origin, source: &str| {
        out.push(Assumption { name: name.into(), value, origin, source: source.into() });
    };
    if !today.calls_known {
        assume(
            "present calls",
            "none known".into(),
            Origin::Assumption,
            "calls.csv is missing: today's effort counts as zero",
        );
    }
    if !calibration.rival_moves.is_empty() {
        assume(
            "rivals' moves ahead",
            format!("those of a past year, drawn for each year of a run ({} seen)", calibration.rival_moves.len()),
            Origin::YourData,
            "moves found in panel.csv (actions_found.csv has those that actions.csv does not name)",
        );
    }
    let prospecting: f64 =
        today.capacity.iter().zip(&today.prospecting).map(|(capacity, share)| capacity * share).sum();
    if prospecting > 0.0 {
        assume(
            "present prospecting",
            format!("{} calls a month", digits(prospecting)),
            Origin::YourData,
            "capacity of reps.csv less the calls of calls.csv",
        );
    } else {
        assume(
            "finds by a prospecting call",
            "discovery.prospecting_yield of diagnostics.csv".into(),
            Origin::Assumption,
            "no record of prospecting in the data",
        );
    }
    if let Some(paid) = super::Accounts::of(&bound.market, bound.market.unit_price).and_then(|accounts| accounts.paid) {
        assume(
            "share of a balance that is paid in a month",
            digits(paid),
            Origin::YourData,
            "balances of receivables.csv and the sales between them; instead of credit.terms_months",
        );
    }
    assume(
        "chance of being found",
        "grows with the root of a customer's size".into(),
        Origin::Assumption,
        "companies find the large ones first; the exponent has not been measured",
    );
    if bound.market.served().iter().all(|served| !served) {
        assume(
            "log odds of a customer once won",
            format!("normal, mean {}, sd {}", APPEAL_PRIOR.0, APPEAL_PRIOR.1),
            Origin::Assumption,
            "nobody buys from us yet",
        );
    }
    out
}

/// Three significant digits.
fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let places = (2 - value.abs().log10().floor() as i32).clamp(0, 9) as usize;
    format!("{value:.places$}")
}
