//! The few lines that a command prints when it is done.

use std::path::Path;

use serde_json::json;

use super::pipeline::Input;
use crate::calibrate::sbc::{Quantity, Sbc};
use crate::calibrate::{Check, Verdict};
use crate::optimise::Optimised;
use crate::report::{self, Backtest, Findings, Trial};
use crate::stats::Summary;

/// Headline figures of a run.
pub fn of(findings: &Findings, directory: &Path, as_json: bool) -> String {
    let whole = |measure: &str| -> Option<(Summary, String)> {
        let row = findings
            .potential
            .iter()
            .find(|row| row.territory_id == "*" && row.segment == "*" && row.measure == measure);
        row.map(|row| (row.summary, row.unit.clone()))
    };
    let report = directory.join("report.html");
    let metric = |strategy: &str, metric: &str| {
        let rows = findings.comparison.iter().flat_map(|comparison| &comparison.strategies);
        rows.filter(|row| {
            row.strategy == strategy && row.territory_id == "*" && row.segment == "*" && row.period == "*"
        })
        .find(|row| row.metric == metric)
        .and_then(|row| row.summary.map(|summary| (summary, row.unit.clone())))
    };
    let mut strategies: Vec<&str> = findings
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.strategies)
        .map(|row| row.strategy.as_str())
        .collect();
    strategies.dedup();
    if as_json {
        let measures: serde_json::Map<String, serde_json::Value> = findings
            .potential
            .iter()
            .filter(|row| row.territory_id == "*" && row.segment == "*")
            .map(|row| (row.measure.clone(), json!({ "unit": row.unit, "summary": row.summary })))
            .collect();
        let compared: serde_json::Map<String, serde_json::Value> = strategies
            .iter()
            .map(|&strategy| {
                let figure = |name: &str| metric(strategy, name).map(|(summary, _)| summary);
                let value = json!({
                    "incremental_sales": figure("incremental_sales"),
                    "npv": figure("npv"),
                    "p_best": figure("p_best").map(|summary| summary.mean),
                    "p_loss": figure("p_loss").map(|summary| summary.mean),
                });
                (strategy.to_owned(), value)
            })
            .collect();
        return json!({
            "market": findings.market_name,
            "potential": measures,
            "strategies": compared,
            "withheld": findings.withheld,
            "report": report.display().to_string(),
        })
        .to_string();
    }
    let mut out = format!("{}\n", findings.market_name);
    for (measure, label) in [
        ("dark_customers", "customers that you do not know"),
        ("dark_demand", "their demand a year"),
        ("total_demand", "demand of the whole market a year"),
        ("attainable_sales", "attainable sales a year"),
    ] {
        if let Some((summary, unit)) = whole(measure) {
            out += &format!(
                "  {label:<36} {:>12} {unit} (90%: {} to {})\n",
                grouped(summary.q50),
                grouped(summary.q05),
                grouped(summary.q95)
            );
        }
    }
    if let Some((summary, _)) = whole("untapped_share") {
        out += &format!(
            "  {:<36} {:>12} (90%: {} to {})\n",
            "untapped share",
            percent(summary.q50),
            percent(summary.q05),
            percent(summary.q95)
        );
    }
    for strategy in strategies {
        let (Some((p_best, _)), Some((sales, unit))) =
            (metric(strategy, "p_best"), metric(strategy, "incremental_sales"))
        else {
            continue;
        };
        out += &format!(
            "  {strategy:<36} {:>+12} {unit} more (90%: {} to {}), best in {} of runs\n",
            Signed(sales.q50),
            grouped(sales.q05),
            grouped(sales.q95),
            percent(p_best.mean)
        );
    }
    if let Some(why) = &findings.withheld {
        out += &format!("  {why}\n");
    }
    out + &format!("  report: {}", report.display())
}

/// What a trial found.
pub fn trial(trial: &Trial, directory: &Path, as_json: bool) -> String {
    let report = directory.join("report.html");
    let widened = trial.calibration.map(|(calibration, summary)| {
        let [as_it_was, widened] = report::headline(&calibration, &summary).map(|row| row.summary);
        (calibration, as_it_was, widened)
    });
    if as_json {
        return json!({
            "market": trial.market_name,
            "by": trial.by.to_string(),
            "hidden": trial.hidden,
            "customers": trial.customers,
            "scores": trial.scores,
            "calibration": widened.map(|(calibration, as_it_was, widened)| json!({
                "calibration": calibration,
                "dark_customers": as_it_was,
                "dark_customers_widened": widened,
            })),
            "report": report.display().to_string(),
        })
        .to_string();
    }
    let mut out = format!("{}: {}\n", trial.market_name, report::story(trial));
    for row in &trial.scores {
        let label = format!("{}: {}", row.measure.replace('_', " "), row.score.replace('_', " "));
        let expected = row.expected.map_or_else(String::new, |value| format!(" (expected {value})"));
        out += &format!("  {label:<58} {:>8.2}{expected}\n", row.value);
    }
    if let Some((calibration, as_it_was, widened)) = widened {
        out += &format!(
            "  customers that you do not know: {} (90%: {} to {}); widened by the factor {:.2} +- {:.2}: 90%: {} to {}\n",
            grouped(as_it_was.q50),
            grouped(as_it_was.q05),
            grouped(as_it_was.q95),
            calibration.factor,
            calibration.standard_error,
            grouped(widened.q05),
            grouped(widened.q95)
        );
    }
    out + &format!("  report: {}", report.display())
}

/// What a backtest found.
pub fn backtest(backtest: &Backtest, directory: &Path, as_json: bool) -> String {
    let report = directory.join("report.html");
    let lines = report::lines(backtest);
    if as_json {
        return json!({
            "market": backtest.market_name,
            "origins": backtest.origins.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "scores": backtest.rows.iter().filter(|row| row.scope != "territory").collect::<Vec<_>>(),
            "failed": report::failed_words(backtest),
            "report": report.display().to_string(),
        })
        .to_string();
    }
    let count = backtest.origins.len();
    let origins: Vec<String> = backtest.origins.iter().map(ToString::to_string).collect();
    let plural = if count == 1 { "" } else { "s" };
    let mut out = format!(
        "{}: 12 months ahead, {count} origin{plural} ({}); errors as a share of what came\n",
        backtest.market_name,
        origins.join(", ")
    );
    for line in lines {
        let wape: Vec<String> = line.wape.iter().map(|(model, wape)| format!("{model} {:.1}%", 100.0 * wape)).collect();
        out += &format!("  {}: {}", line.what, wape.join("; "));
        if let Some(mase) = line.mase {
            out += &format!("; MASE {mase:.2}");
        }
        if let Some((half, ninety)) = line.cover {
            out += &format!("; our 50% intervals held {}, the 90% ones {}", percent(half), percent(ninety));
        }
        out.push('\n');
    }
    if let Some(words) = report::failed_words(backtest) {
        out += &format!("  {words}\n");
    }
    out + &format!("  report: {}", report.display())
}

/// What simulation-based calibration found.
pub fn sbc(sbc: &Sbc, directory: &Path, as_json: bool) -> String {
    let report = directory.join("report.html");
    if as_json {
        let quantity = |quantity: &Quantity| {
            json!({
                "quantity": quantity.name,
                "mean_rank": quantity.mean(sbc.draws),
                "cover90": quantity.cover90(sbc.draws),
                "p_value": quantity.p_value,
                "within_band": sbc.within(quantity),
            })
        };
        return json!({
            "fits": sbc.fits,
            "passed": sbc.outside().next().is_none(),
            "quantities": sbc.quantities.iter().map(quantity).collect::<Vec<_>>(),
            "report": report.display().to_string(),
        })
        .to_string();
    }
    let mut out = format!("{} twins with known truths, calibrated\n", sbc.fits);
    for quantity in &sbc.quantities {
        let mark = if sbc.within(quantity) { " " } else { "!" };
        out += &format!(
            "{mark} {:<34} mean rank {:.2}, in the 90% interval {}, p {:.3}\n",
            quantity.name,
            quantity.mean(sbc.draws),
            percent(quantity.cover90(sbc.draws)),
            quantity.p_value
        );
    }
    out + &format!("{}\n  report: {}", report::sbc_verdict(sbc), report.display())
}

/// The twin-readiness card.
pub fn readiness(input: &Input, card: &[Check], as_json: bool) -> String {
    let market = &input.bound.market;
    if as_json {
        return json!({
            "market": market.data.meta.name,
            "territories": market.territory_count(),
            "customers": market.customer_count(),
            "months": market.months(),
            "card": card,
        })
        .to_string();
    }
    let mut out = format!(
        "{} ({}): {} territories, {} known customers, {} ({} months)\n",
        market.data.meta.name,
        input.market_directory.display(),
        grouped(market.territory_count() as f64),
        grouped(market.customer_count() as f64),
        market.history,
        market.months()
    );
    for missing in super::findings::missing(market) {
        out += &format!("  missing: {missing}\n");
    }
    for ignored in &input.ignored {
        out += &format!("  not read: {ignored}\n");
    }
    for check in card {
        let word = match check.verdict {
            Verdict::Pass => "PASS  ",
            Verdict::Review => "REVIEW",
            Verdict::Fail => "FAIL  ",
        };
        out += &format!("  {word} {}: {}", check.name, check.finding);
        if !check.advice.is_empty() {
            out += &format!(". {}", check.advice);
        }
        out.push('\n');
    }
    out
}

/// The plan that a search recommends.
pub fn optimised(found: &Optimised, directory: &Path, as_json: bool) -> String {
    let report = directory.join("report.html");
    if as_json {
        let candidates: Vec<serde_json::Value> = found
            .candidates
            .iter()
            .map(|candidate| {
                json!({
                    "plan": candidate.name, "value": candidate.value, "cost": candidate.cost,
                    "tied": candidate.tied, "p_loss": candidate.p_loss, "runs": candidate.runs,
                })
            })
            .collect();
        return json!({
            "unit": found.unit,
            "budget": found.budget,
            "candidates": candidates,
            "allocation": found.searched.0,
            "bound": found.searched.1,
            "warnings": found.warnings,
            "report": report.display().to_string(),
        })
        .to_string();
    }
    let mut out = String::new();
    for candidate in &found.candidates {
        out += &format!(
            "  {:<32} {:>+14} {} (90%: {} to {}), costs {}{}\n",
            candidate.name,
            Signed(candidate.value.mean),
            found.unit,
            grouped(candidate.value.q05),
            grouped(candidate.value.q95),
            grouped(candidate.cost),
            if candidate.tied { "" } else { ", behind" }
        );
    }
    for warning in &found.warnings {
        out += &format!("  warning: {warning}\n");
    }
    format!(
        "{}\n{out}  plan: {}\n  report: {}",
        report::optimise_verdict(found),
        directory.join("plan.csv").display(),
        report.display()
    )
}

struct Signed(f64);

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 >= 0.0 { "+" } else { "" };
        f.pad(&format!("{sign}{}", grouped(self.0)))
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

/// Whole number with thousands separators.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 && digits != "0" { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!(grouped(-999.6), "-1,000");
        assert_eq!(grouped(-0.2), "0");
        assert_eq!(grouped(12.0), "12");
    }
}
