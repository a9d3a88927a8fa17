//! A search for a plan as files: tables, the plan as a strategy of a scenario, and a small page.

use std::fmt::Write as _;

use super::error::ReportError;
use super::export::{OutputFile, QUANTILES, Table};
use super::figure::rounded as grouped;
use super::small_page::small_page;
use super::svg::escaped;
use crate::optimise::{Candidate, Optimised};

/// Territories of the page's table; the others stand in `plan.csv`.
const SHOWN: usize = 40;

/// Every file of the folder but the manifest and the timings. `strategy`: the plan as a strategy.
///
/// # Errors
/// When a figure is not finite or quantiles are out of order.
pub fn render_optimise(found: &Optimised, name: &str, strategy: &str) -> Result<Vec<OutputFile>, ReportError> {
    let moves = found.moves();
    let mut files = vec![
        ("plan.csv".to_owned(), plan(found)?),
        ("candidates.csv".to_owned(), candidates(found)?),
        ("plan.toml".to_owned(), strategy.as_bytes().to_vec()),
        ("report.html".to_owned(), page(found, name).into_bytes()),
    ];
    if !moves.is_empty() {
        files.insert(1, ("realign.csv".to_owned(), realign(moves)?));
    }
    Ok(files)
}

/// Who takes over what.
fn realign(moves: &[(String, String)]) -> Result<Vec<u8>, ReportError> {
    let mut table = Table::new("realign.csv", &["territory_id", "rep_id"])?;
    for (rep, territory) in moves {
        table.texts(&[territory, rep]);
        table.end_row()?;
    }
    table.bytes()
}

fn plan(found: &Optimised) -> Result<Vec<u8>, ReportError> {
    let mut header = vec!["territory_id"];
    header.extend(found.parts.iter().map(String::as_str));
    header.extend(["metric", "unit", "mean", "sd"]);
    header.extend(QUANTILES);
    let mut table = Table::new("plan.csv", &header)?;
    let objective = super::words::objective(found.objective);
    for row in &found.rows {
        let metrics = [
            (objective, &found.unit, Some(row.value)),
            ("incremental_sales", &found.sales_unit, Some(row.sales)),
            ("cost", &found.currency, None),
        ];
        // Where sales are the objective they are said once.
        let twice = usize::from(objective == "incremental_sales");
        for (metric, unit, summary) in metrics.into_iter().skip(twice) {
            table.text(&row.territory_id);
            row.settings.iter().for_each(|setting| table.text(setting.as_deref().unwrap_or("as today")));
            table.texts(&[metric, unit]);
            match summary {
                Some(summary) => table.moments(&summary)?,
                None => {
                    table.number(row.cost)?;
                    table.text("");
                }
            }
            table.quantiles(summary.as_ref())?;
            table.end_row()?;
        }
    }
    table.bytes()
}

fn candidates(found: &Optimised) -> Result<Vec<u8>, ReportError> {
    let mut header =
        vec!["plan", "recommended", "told_apart_from_it", "runs", "cost", "p_loss", "behind", "behind_at_most"];
    header.extend(["unit", "mean", "sd"]);
    header.extend(QUANTILES);
    let mut table = Table::new("candidates.csv", &header)?;
    for (place, candidate) in found.candidates.iter().enumerate() {
        table.text(&candidate.name);
        table.text(if place == 0 { "yes" } else { "no" });
        table.text(if candidate.tied { "no" } else { "yes" });
        table.number(f64::from(candidate.runs))?;
        table.number(candidate.cost)?;
        table.number(candidate.p_loss)?;
        table.number(-candidate.behind.0)?;
        table.number(-lowest(candidate))?;
        table.text(&found.unit);
        table.moments(&candidate.value)?;
        table.quantiles(Some(&candidate.value))?;
        table.end_row()?;
    }
    table.bytes()
}

/// Its difference to the recommended plan at the lower limit.
fn lowest(candidate: &Candidate) -> f64 {
    2.0 * candidate.behind.0 - candidate.behind.1
}

/// What may be said of the choice.
pub fn optimise_verdict(found: &Optimised) -> String {
    let Some(best) = found.candidates.first() else { return "no plan was compared".to_owned() };
    let tied: Vec<&str> =
        found.candidates[1..].iter().filter(|other| other.tied).map(|other| other.name.as_str()).collect();
    let money = |value: f64| format!("{} {}", grouped(value), found.unit);
    let gain = format!(
        "\"{}\" brings {} (90%: {} to {})",
        best.name,
        money(best.value.mean),
        grouped(best.value.q05),
        grouped(best.value.q95)
    );
    if tied.is_empty() {
        return format!("{gain}, and with 95% confidence no other plan that was compared brings more");
    }
    let more = found.candidates[1..].iter().filter(|other| other.tied).map(|other| other.behind.1).fold(0.0, f64::max);
    format!(
        "{gain}; {} not told apart from it. With 95% confidence none that was compared brings more than {} beyond it, so choose among \
         them by what the twin does not know",
        match tied.as_slice() {
            [one] => format!("\"{one}\" is"),
            many => format!("{} plans (\"{}\") are", many.len(), many.join("\", \"")),
        },
        money(more)
    )
}

fn page(found: &Optimised, name: &str) -> String {
    let mut rows = String::new();
    for (place, candidate) in found.candidates.iter().enumerate() {
        let standing = match (place, candidate.tied) {
            (0, _) => "<b>recommended</b>".to_owned(),
            (_, true) => format!("not told apart ({} behind)", grouped(-candidate.behind.0)),
            (_, false) => format!("{} behind", grouped(-candidate.behind.0)),
        };
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{} to {}</td><td \
             class=\"n\">{:.0}%</td><td class=\"n\">{}</td><td>{standing}</td></tr>",
            escaped(&candidate.name),
            grouped(candidate.cost),
            grouped(candidate.value.mean),
            grouped(candidate.value.q05),
            grouped(candidate.value.q95),
            100.0 * candidate.p_loss,
            candidate.runs,
        );
    }
    let heads: String =
        found.parts.iter().map(|part| format!("<th>{}</th>", escaped(&super::words::of_part(part)))).collect();
    let mut ordered: Vec<_> = found.rows.iter().filter(|row| row.settings.iter().any(Option::is_some)).collect();
    ordered.sort_by(|a, b| b.value.mean.total_cmp(&a.value.mean).then(a.territory_id.cmp(&b.territory_id)));
    let mut places = String::new();
    for row in ordered.iter().take(SHOWN) {
        let settings: String = row
            .settings
            .iter()
            .map(|setting| format!("<td>{}</td>", escaped(setting.as_deref().unwrap_or("as today"))))
            .collect();
        let _ = writeln!(
            places,
            "<tr><td>{}</td>{settings}<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{} to {}</td></tr>",
            escaped(&row.territory_id),
            grouped(row.cost),
            grouped(row.value.mean),
            grouped(row.value.q05),
            grouped(row.value.q95),
        );
    }
    let moves = found.moves();
    let changes = if moves.is_empty() {
        String::new()
    } else {
        let each: Vec<String> =
            moves.iter().map(|(rep, territory)| format!("{} to {}", escaped(territory), escaped(rep))).collect();
        format!("<p>Territories that go to another rep: {}.</p>\n", each.join(", "))
    };
    let hidden = ordered.len().saturating_sub(SHOWN);
    let unchanged = found.rows.len() - ordered.len();
    let rest = match (hidden, unchanged) {
        (0, 0) => String::new(),
        (0, same) => format!("<p>{same} territories go on as today.</p>"),
        (more, same) => format!("<p>{more} more territories stand in plan.csv; {same} go on as today.</p>"),
    };
    let warnings: String =
        found.warnings.iter().map(|warning| format!("<p><b>{}</b></p>\n", escaped(warning))).collect();
    let body = format!(
        "<p><b>{verdict}.</b></p>\n{warnings}<h2>Plans compared</h2>\n<p>Value is {objective} in {unit} over the horizon beyond the \
         baseline, on runs that took no part in the search; cost in {currency}, at most {budget}. Plans live the same runs, \
         and stop when they are told apart from the best.</p>\n<table><tr><th>plan</th><th class=\"n\">cost</th><th \
         class=\"n\">value</th><th class=\"n\">90%</th><th class=\"n\">loses</th><th \
         class=\"n\">runs</th><th></th></tr>\n{rows}</table>\n<h2>The recommended plan</h2>\n{changes}<table><tr><th>territory</th>{heads}<th \
         class=\"n\">cost</th><th class=\"n\">value</th><th class=\"n\">90%</th></tr>\n{places}</table>\n{rest}\n<h2>How far it \
         could go</h2>\n<p>{options} combinations of levels were tried in every territory on {runs} runs. By these runs the allocation \
         brings {value}, and no plan of these levels within the budget brings more than {bound} (levels in between allowed). A level that is not on \
         the menu may still be better.</p>\n<p>plan.toml has the plan as a strategy: put it into the scenario and run it to see \
         months, payback and risks.</p>\n",
        verdict = escaped(&optimise_verdict(found)),
        objective = super::words::objective(found.objective),
        unit = escaped(&found.unit),
        currency = escaped(&found.currency),
        budget = grouped(found.budget),
        options = found.options,
        runs = found.search_runs,
        value = grouped(found.searched.0),
        bound = grouped(found.searched.1),
    );
    small_page(&format!("{}: where to put reps, calls and contacts", escaped(name)), 1000, &body)
}
