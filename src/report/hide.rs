//! A trial of the dark half as files: two tables, plots and a small page.

use std::fmt::Write as _;

use super::charts::{TruthChart, TruthPoint, against_truth};
use super::error::ReportError;
use super::export::{OutputFile, QUANTILES, Table};
use super::figure::Unit;
use super::raster;
use super::small_page::small_page;
use super::svg::escaped;
use crate::potential::PotentialRow;
use crate::stats::Summary;
use crate::trial::{By, Calibration, HideRow, HideScore};

/// What a trial found.
#[derive(Debug, Clone)]
pub struct Trial {
    pub market_name: String,
    pub currency: String,
    pub by: By,
    /// Customers hidden (of `recent`: found since), and known ones in all.
    pub hidden: usize,
    pub customers: usize,
    pub rows: Vec<HideRow>,
    pub scores: Vec<HideScore>,
    /// Of `recent`: the factor, and the dark customers of the whole market by the full fit.
    pub calibration: Option<(Calibration, Summary)>,
}

/// Rows of the headline: the interval as estimated and, beside it, widened by the calibration factor.
pub fn headline(calibration: &Calibration, summary: &Summary) -> [PotentialRow; 2] {
    let row = |measure: &str, summary| PotentialRow {
        territory_id: "*".into(),
        segment: "*".into(),
        measure: measure.into(),
        unit: "customers".into(),
        summary,
    };
    [row("dark_customers", *summary), row("dark_customers_widened", calibration.widened(summary))]
}

/// Every file of the trial's folder but the manifest and the timings.
///
/// # Errors
/// When a figure is not finite, quantiles are out of order, or a picture cannot be drawn.
pub fn render_trial(trial: &Trial) -> Result<Vec<OutputFile>, ReportError> {
    let mut files =
        vec![("hide.csv".to_owned(), rows(&trial.rows)?), ("hide_scores.csv".to_owned(), scores(&trial.scores)?)];
    let mut plots = String::new();
    let mut measures: Vec<&str> = trial.rows.iter().map(|row| row.measure.as_str()).collect();
    measures.dedup();
    for measure in measures {
        let svg = plot(trial, measure)?;
        files.push((format!("plots/{measure}.png"), raster::png(&svg, measure)?));
        let _ = write!(plots, "<figure>{svg}</figure>");
        files.push((format!("plots/{measure}.svg"), svg.into_bytes()));
    }
    files.push(("report.html".to_owned(), page(trial, &plots).into_bytes()));
    Ok(files)
}

fn rows(rows: &[HideRow]) -> Result<Vec<u8>, ReportError> {
    let mut header = vec!["territory_id", "measure", "unit", "hidden", "still_dark", "mean", "sd"];
    header.extend(QUANTILES);
    header.extend(["pit", "scored"]);
    let mut table = Table::new("hide.csv", &header)?;
    for row in rows {
        table.texts(&[&row.territory_id, &row.measure, &row.unit]);
        table.number(row.hidden)?;
        table.optional(row.still_dark)?;
        table.moments(&row.estimate)?;
        table.quantiles(Some(&row.estimate))?;
        table.number(row.pit)?;
        table.text(if row.scored { "yes" } else { "no" });
        table.end_row()?;
    }
    table.bytes()
}

fn scores(rows: &[HideScore]) -> Result<Vec<u8>, ReportError> {
    let mut table = Table::new("hide_scores.csv", &["measure", "score", "value", "expected", "territories"])?;
    for row in rows {
        table.texts(&[&row.measure, &row.score]);
        table.number(row.value)?;
        table.optional(row.expected)?;
        table.text(&row.territories.to_string());
        table.end_row()?;
    }
    table.bytes()
}

fn plot(trial: &Trial, measure: &str) -> Result<String, ReportError> {
    let of_measure: Vec<&HideRow> =
        trial.rows.iter().filter(|row| row.measure == measure && row.territory_id != "*").collect();
    let unit = Unit::new(of_measure.first().map_or("", |row| row.unit.as_str()), &trial.currency);
    let points: Vec<TruthPoint> = of_measure
        .iter()
        .map(|row| TruthPoint {
            truth: row.hidden + row.still_dark.unwrap_or(0.0),
            estimate: row.estimate,
            scored: row.scored,
        })
        .collect();
    let recent = trial.by == By::Recent;
    let (title, subtitle, across) = if recent {
        (
            "Found since, against the estimate of two years ago",
            "Each dot is a territory. Across: customers first known in the last 24 months. Up: how many of those were \
             expected there, by the dark half as estimated on the market of 24 months ago (dot: median; thick line: 50%, \
             thin line: 90%). Right estimates lie around the diagonal. Grey: not scored. Both axes are square roots.",
            "found since",
        )
    } else {
        (
            if measure == "dark_demand" { "Hidden demand, found again" } else { "Hidden customers, found again" },
            "Each dot is a territory. Across: what was hidden, and what is dark by all the data. Up: what the estimate says is \
             dark when the hidden are left out (dot: median; thick line: 50%, thin line: 90%). Right estimates lie around the \
             diagonal. Grey: not scored, since an audit tells the number. Both axes are square roots.",
            "hidden and still dark",
        )
    };
    let across = format!("{across}, {}{}", unit.head(), if measure == "dark_demand" { " a year" } else { "" });
    let up = format!("estimate, {}{}", unit.head(), if measure == "dark_demand" { " a year" } else { "" });
    let chart = TruthChart { file: measure, title, subtitle, unit: &unit, axes: [&across, &up] };
    against_truth(&chart, &points)
}

/// What was done, in one sentence.
pub fn story(trial: &Trial) -> String {
    let (hidden, all) = (trial.hidden, trial.customers);
    match trial.by {
        By::Recent => format!(
            "the dark half was estimated on the market as of 24 months ago; {hidden} of {all} customers have been first known since"
        ),
        By::Random => format!("{hidden} of {all} customers, chosen at random, were hidden and estimated as unknown"),
        By::Size => format!("the {hidden} smallest served of {all} customers were hidden and estimated as unknown"),
        By::Territory => {
            format!(
                "all {hidden} customers of some territories ({all} known in all) were hidden and estimated as unknown"
            )
        }
    }
}

/// What the trial says and does not say.
fn caution(by: By) -> &'static str {
    match by {
        By::Recent => {
            "Tested is how the dark half is spread over territories, not its level: one common finding rate is taken from the \
             totals. Territories that were searched harder than others raise the calibration factor too. Audits, lists and \
             wallets are those of today; audited territories are left out."
        }
        By::Random => {
            "Hidden at random: there is no selection as when a company meets its customers, so this calibrates nothing. It \
             shows whether the evidence finds customers that are certainly there. An error in how many nobody has ever met \
             stays unseen."
        }
        By::Size => {
            "The smallest were hidden, since companies meet large customers first; a sharp cut is harsher than life. An error \
             in how many nobody has ever met stays unseen."
        }
        By::Territory => {
            "Whole territories were hidden: the estimate there rests on the others, on audits and on the panel. An error in \
             how many nobody has ever met stays unseen."
        }
    }
}

fn page(trial: &Trial, plots: &str) -> String {
    let mut scores = String::new();
    for row in &trial.scores {
        let expected = row.expected.map_or_else(String::new, |value| format!("{value}"));
        let _ = writeln!(
            scores,
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{:.2}</td><td class=\"n\">{expected}</td><td class=\"n\">{}</td></tr>",
            escaped(&row.measure.replace('_', " ")),
            escaped(&row.score.replace('_', " ")),
            row.value,
            row.territories
        );
    }
    let calibration = trial.calibration.as_ref().map_or_else(String::new, |(calibration, summary)| {
        let [as_it_was, widened] = headline(calibration, summary);
        let unit = Unit::new("customers", &trial.currency);
        format!(
            "<p>Dark customers of the whole market today: {} (90%: {}). With the spread multiplied by the calibration factor of \
             {:.2} (standard error {:.2}): 90%: {}. The factor is never below 1.</p>",
            escaped(&unit.full(as_it_was.summary.q50)),
            escaped(&unit.bare_interval(&as_it_was.summary)),
            calibration.factor,
            calibration.standard_error,
            escaped(&unit.bare_interval(&widened.summary))
        )
    });
    let body = format!(
        "<p>In this trial {story}.</p>\n<p>{caution}</p>\n{calibration}\n{plots}\n<table><tr>\
         <th>measure</th><th>score</th><th class=\"n\">value</th><th class=\"n\">expected</th><th class=\"n\">territories</th></tr>\n{scores}</table>\n\
         ",
        story = escaped(&story(trial)),
        caution = caution(trial.by),
    );
    small_page(&format!("{}: hide by {}", escaped(&trial.market_name), trial.by), 760, &body)
}
