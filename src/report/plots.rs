//! Which charts the findings allow.

use std::collections::BTreeMap;

use super::charts::{IntervalChart, IntervalRow, against_population, effort, forecast};
use super::error::ReportError;
use super::figure::{Unit, percent, range, rounded};
use super::findings::Findings;
use super::potential_index::Potential;
use super::strategies::Strategies;
use super::words;
use crate::stats::Summary;

/// The charts by file name (without extension), and what the page says about them.
pub struct Plots {
    pub drawn: BTreeMap<String, String>,
    /// Files of the evidence charts, in the order of the findings.
    pub evidence: Vec<String>,
    /// Share of the differences between territories that population explains.
    pub explained: Option<f64>,
}

/// Territories in the ranking.
const RANKED: usize = 20;

/// Every chart that the findings allow.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn plots(findings: &Findings, potential: &Potential, strategies: &Strategies) -> Result<Plots, ReportError> {
    let mut plots = Plots { drawn: BTreeMap::new(), evidence: Vec::new(), explained: None };
    if let Some((svg, explained)) = against_population(findings, potential)? {
        plots.drawn.insert("against_population".to_owned(), svg);
        plots.explained = Some(explained);
    }
    if let Some(svg) = forecast(findings)? {
        plots.drawn.insert("forecast".to_owned(), svg);
    }
    if let Some(svg) = effort(findings)? {
        plots.drawn.insert("effort".to_owned(), svg);
    }
    for chart in [ranking(findings, potential), comparison(findings, strategies), size_ratio(findings, potential)] {
        plots.add(chart.as_ref())?;
    }
    let mut measures: Vec<&str> = Vec::new();
    for evidence in &findings.evidence {
        if !measures.contains(&evidence.measure.as_str()) {
            measures.push(&evidence.measure);
        }
    }
    for measure in measures {
        let chart = evidence(findings, measure);
        plots.evidence.push(chart.file.clone());
        plots.add(Some(&chart))?;
    }
    Ok(plots)
}

impl Plots {
    fn add(&mut self, chart: Option<&IntervalChart>) -> Result<(), ReportError> {
        if let Some(chart) = chart.filter(|chart| !chart.rows.is_empty()) {
            self.drawn.insert(chart.file.clone(), chart.draw()?);
        }
        Ok(())
    }
}

/// The territories where most could be won.
fn ranking(findings: &Findings, potential: &Potential) -> Option<IntervalChart> {
    let measure = "attainable_sales";
    let unit = Unit::new(potential.unit(measure)?, &findings.currency);
    let mut rows: Vec<(&str, &str, Summary)> = findings
        .territories
        .iter()
        .filter_map(|t| Some((t.id.as_str(), t.name.as_str(), potential.territory(&t.id, measure)?.summary)))
        .collect();
    rows.sort_by(|left, right| right.2.q50.total_cmp(&left.2.q50));
    let all = rows.len();
    let rows: Vec<IntervalRow> = rows
        .into_iter()
        .take(RANKED)
        .map(|(id, name, summary)| IntervalRow {
            label: name.to_owned(),
            summary,
            quartiles: true,
            strong: false,
            columns: vec![
                unit.bare(summary.q50),
                potential.territory(id, "untapped_share").map_or_else(String::new, |row| percent(row.summary.q50)),
            ],
        })
        .collect();
    let which = if all > rows.len() {
        format!("The {} territories of {all} with the most. ", rows.len())
    } else {
        String::new()
    };
    Some(IntervalChart {
        file: "potential_ranking".to_owned(),
        title: "Where most could be won".to_owned(),
        subtitle: format!(
            "{which}Attainable sales a year. Dot: median; thick line: 50% interval; thin line: 90% interval."
        ),
        columns: vec![format!("median, {}", unit.head()), "untapped share".to_owned()],
        unit,
        from_zero: true,
        rows,
    })
}

/// The strategies on the objective.
fn comparison(findings: &Findings, strategies: &Strategies) -> Option<IntervalChart> {
    let metric = strategies.judged_on.as_deref()?;
    let unit = Unit::new(strategies.unit(metric)?, &findings.currency);
    let chance = |name: &str, metric: &str| {
        strategies.of_metric(name, metric).map_or_else(|| "–".to_owned(), |summary| percent(summary.mean))
    };
    let rows = strategies
        .names
        .iter()
        .filter(|name| findings.baseline.as_ref() != Some(*name))
        .filter_map(|name| {
            Some(IntervalRow {
                label: name.clone(),
                summary: strategies.of_metric(name, metric)?,
                quartiles: true,
                strong: strategies.best.as_ref() == Some(name),
                columns: vec![chance(name, "p_best"), chance(name, "p_loss")],
            })
        })
        .collect();
    let baseline = findings.baseline.as_deref().map_or_else(
        || "the baseline".to_owned(),
        |name| format!("the baseline “{name}” (P(best) {})", chance(name, "p_best")),
    );
    Some(IntervalChart {
        file: "strategies".to_owned(),
        title: format!("{} of each strategy", words::metric(metric)),
        subtitle: format!(
            "Over the whole horizon, against {baseline}, on the same random numbers. Dot: median; thick line: 50% \
             interval; thin line: 90% interval."
        ),
        unit,
        columns: vec!["P(best)".to_owned(), "P(loss)".to_owned()],
        from_zero: true,
        rows,
    })
}

/// How much the headline hangs on an assumption that few data can settle.
fn size_ratio(findings: &Findings, potential: &Potential) -> Option<IntervalChart> {
    let unit = Unit::new(potential.unit("dark_demand").unwrap_or(&findings.unit), &findings.currency);
    let rows: Vec<IntervalRow> = findings
        .size_ratio_sensitivity
        .iter()
        .map(|&(centre, q05, q50, q95)| IntervalRow {
            label: if centre == 1.0 { "as large".to_owned() } else { format!("{} times as large", rounded(centre)) },
            summary: Summary { mean: q50, sd: 0.0, q05, q25: q05, q50, q75: q95, q95 },
            quartiles: false,
            strong: false,
            columns: vec![unit.bare(q50), range(&unit.bare(q05), &unit.bare(q95))],
        })
        .collect();
    (!rows.is_empty()).then(|| IntervalChart {
        file: "size_ratio".to_owned(),
        title: "Dark demand if known customers were larger or smaller".to_owned(),
        subtitle: "Dark demand of the whole market when a customer on file is taken beforehand to be, on average, \
                   this many times as large as a dark one. Dot: median; line: 90% interval."
            .to_owned(),
        columns: vec![format!("median, {}", unit.head()), "90% interval".to_owned()],
        unit,
        from_zero: true,
        rows,
    })
}

/// All sources on one measure side by side.
fn evidence(findings: &Findings, measure: &str) -> IntervalChart {
    let of_measure: Vec<_> = findings.evidence.iter().filter(|evidence| evidence.measure == measure).collect();
    let unit = Unit::new(of_measure.first().map_or("", |evidence| evidence.unit.as_str()), &findings.currency);
    let safe: String = measure.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    IntervalChart {
        file: format!("evidence_{safe}"),
        title: format!("{}: what each source says by itself", words::measure(measure)),
        subtitle: "Whole market. Dot: median; thick line: 50% interval; thin line: 90% interval.".to_owned(),
        columns: vec![format!("median, {}", unit.head())],
        rows: of_measure
            .iter()
            .map(|evidence| IntervalRow {
                label: evidence.name.clone(),
                summary: evidence.estimate,
                quartiles: true,
                strong: false,
                columns: vec![unit.bare(evidence.estimate.q50)],
            })
            .collect(),
        unit,
        from_zero: true,
    }
}
