//! The tables for other programs: every CSV file of an output folder, as bytes.
//!
//! UTF-8, comma, decimal point, one header line; `*` = all, blank = does not apply. A figure is printed with nine
//! significant digits (draws with all they have), never as infinite or not a number: such a figure is an error, and
//! so are quantiles that do not rise.

use super::error::ReportError;
use super::findings::Findings;
use crate::calibrate::{ActionFound, Diagnostic, Identified};
use crate::potential::{EffortRow, PotentialRow, SamplerDiagnostic};
use crate::stats::Summary;
use crate::strategy::{
    Comparison, DriverRow, ForecastRow, PilotRow, SensitivityRow, StrategyRow, TargetRow, TriggerRow,
};

/// A file of the output folder: its path there, and its bytes.
pub type OutputFile = (String, Vec<u8>);

/// What the last column of `potential.csv` says in every row when a check of the calibration has failed.
pub const MARK: &str = "a check failed: do not rely on this";

/// Every table that the findings allow. Tables of a comparison that was not made are absent, not empty.
///
/// # Errors
/// When a figure is not finite or quantiles are out of order.
pub fn tables(findings: &Findings) -> Result<Vec<OutputFile>, ReportError> {
    let failed = findings.failed();
    let mut files = vec![("potential.csv".to_owned(), potential(&findings.potential, failed)?)];
    if !findings.potential_effort.is_empty() {
        files.push(("potential_effort.csv".to_owned(), effort(&findings.potential_effort, failed)?));
    }
    if !findings.sampler.is_empty() {
        files.push(("dark_half_sampler.csv".to_owned(), sampler(&findings.sampler)?));
    }
    files.extend(calibration_tables(&findings.posterior, &findings.diagnostics, &findings.actions_found)?);
    if let Some(comparison) = &findings.comparison {
        let Comparison { forecast: months, strategies: rows, targets: ranked, sensitivity: known, .. } = comparison;
        let Comparison { drivers: hang_on, triggers: watched, pilots: trials, .. } = comparison;
        files.push(("forecast.csv".to_owned(), forecast(months)?));
        files.push(("strategies.csv".to_owned(), strategies(rows)?));
        files.push(("targets.csv".to_owned(), targets(ranked)?));
        files.push(("sensitivity.csv".to_owned(), sensitivity(known)?));
        files.push(("drivers.csv".to_owned(), drivers(hang_on)?));
        if !trials.is_empty() {
            files.push(("pilot.csv".to_owned(), pilot(trials)?));
        }
        if !watched.is_empty() {
            files.push(("triggers.csv".to_owned(), triggers(watched)?));
        }
    }
    Ok(files)
}

/// The tables of a calibration alone.
///
/// # Errors
/// As [`tables`].
pub fn calibration_tables(
    posterior_table: &(Vec<String>, Vec<Vec<f64>>),
    diagnostic_rows: &[Diagnostic],
    actions: &[ActionFound],
) -> Result<Vec<OutputFile>, ReportError> {
    Ok(vec![
        ("posterior.csv".to_owned(), posterior(&posterior_table.0, &posterior_table.1)?),
        ("diagnostics.csv".to_owned(), diagnostics(diagnostic_rows)?),
        ("actions_found.csv".to_owned(), actions_found(actions)?),
    ])
}

pub(super) const QUANTILES: [&str; 5] = ["q05", "q25", "q50", "q75", "q95"];

fn potential(rows: &[PotentialRow], failed: bool) -> Result<Vec<u8>, ReportError> {
    let header = marked(&["territory_id", "segment", "measure", "unit"], failed);
    let mut table = Table::new("potential.csv", &header)?;
    for row in rows {
        table.texts(&[&row.territory_id, &row.segment, &row.measure, &row.unit]);
        table.end_marked(&row.summary, failed)?;
    }
    table.bytes()
}

/// Columns of an estimate, with the mark of a failed check where there is one.
fn marked<'a>(first: &[&'a str], failed: bool) -> Vec<&'a str> {
    let mut header = first.to_vec();
    header.extend(["mean", "sd"]);
    header.extend(QUANTILES);
    header.extend(failed.then_some("mark"));
    header
}

/// `selection` is a multiple of what was calibrated: 1 on the curves.
fn effort(rows: &[EffortRow], failed: bool) -> Result<Vec<u8>, ReportError> {
    let header = marked(&["territory_id", "calls_per_month", "selection", "measure", "unit"], failed);
    let mut table = Table::new("potential_effort.csv", &header)?;
    for row in rows {
        table.text(&row.territory_id);
        table.number(row.calls_per_month)?;
        table.number(row.selection)?;
        table.texts(&[&row.measure, &row.unit]);
        table.end_marked(&row.summary, failed)?;
    }
    table.bytes()
}

/// `unit` is blank: each parameter has its own, given in `diagnostics.csv`.
fn posterior(parameters: &[String], draws: &[Vec<f64>]) -> Result<Vec<u8>, ReportError> {
    let numbered = parameters.first().is_some_and(|name| name == "draw");
    let mut header: Vec<&str> = if numbered { Vec::new() } else { vec!["draw"] };
    header.extend(parameters.iter().map(String::as_str));
    header.push("unit");
    let mut table = Table::new("posterior.csv", &header)?;
    for (draw, values) in draws.iter().enumerate() {
        if values.len() != parameters.len() {
            return Err(ReportError::RowLength {
                file: "posterior.csv",
                row: draw + 2,
                values: values.len(),
                columns: parameters.len(),
            });
        }
        if !numbered {
            table.text(&draw.to_string());
        }
        for &value in values {
            table.number_with(value, shortest)?;
        }
        table.text("");
        table.end_row()?;
    }
    table.bytes()
}

fn diagnostics(rows: &[Diagnostic]) -> Result<Vec<u8>, ReportError> {
    let mut header = vec!["parameter", "unit", "mean", "sd"];
    header.extend(QUANTILES);
    header.extend(["contraction", "identified", "origin", "source"]);
    let mut table = Table::new("diagnostics.csv", &header)?;
    for row in rows {
        table.texts(&[&row.parameter, &row.unit]);
        table.moments(&row.summary)?;
        table.quantiles(Some(&row.summary))?;
        table.optional(row.contraction)?;
        table.text(match row.identified {
            Identified::Yes => "yes",
            Identified::Weak => "weak",
            Identified::No => "no",
        });
        table.text(&row.origin.to_string());
        table.text(&row.source);
        table.end_row()?;
    }
    table.bytes()
}

/// `unit` is blank: most are logs or log odds. `r_hat` is 1 where the chains agree; `effective_draws` is what the draws are worth.
fn sampler(rows: &[SamplerDiagnostic]) -> Result<Vec<u8>, ReportError> {
    let mut header = vec!["parameter", "unit", "mean", "sd"];
    header.extend(QUANTILES);
    header.extend(["r_hat", "effective_draws"]);
    let mut table = Table::new("dark_half_sampler.csv", &header)?;
    for row in rows {
        table.texts(&[&row.parameter, ""]);
        table.moments(&row.summary)?;
        table.quantiles(Some(&row.summary))?;
        table.number(row.r_hat)?;
        table.number(row.effective_draws)?;
        table.end_row()?;
    }
    table.bytes()
}

fn actions_found(rows: &[ActionFound]) -> Result<Vec<u8>, ReportError> {
    let header = [
        "company_id",
        "territory_id",
        "start",
        "end",
        "kind",
        "unit",
        "depth_mean",
        "depth_q05",
        "depth_q95",
        "probability",
    ];
    let mut table = Table::new("actions_found.csv", &header)?;
    for row in rows {
        table.texts(&[
            &row.company,
            &row.territory,
            &row.start.to_string(),
            &row.end.to_string(),
            &row.kind,
            &row.unit,
        ]);
        table.in_order(&row.depth)?;
        table.number(row.depth.mean)?;
        table.number(row.depth.q05)?;
        table.number(row.depth.q95)?;
        table.number(row.probability)?;
        table.end_row()?;
    }
    table.bytes()
}

fn forecast(rows: &[ForecastRow]) -> Result<Vec<u8>, ReportError> {
    let mut header = vec!["period", "territory_id", "measure", "unit", "mean"];
    header.extend(QUANTILES);
    header.push("actual");
    let mut table = Table::new("forecast.csv", &header)?;
    for row in rows {
        table.texts(&[&row.period.to_string(), &row.territory_id, &row.measure, &row.unit]);
        table.optional(row.summary.map(|summary| summary.mean))?;
        table.quantiles(row.summary.as_ref())?;
        table.optional(row.actual)?;
        table.end_row()?;
    }
    table.bytes()
}

fn strategies(rows: &[StrategyRow]) -> Result<Vec<u8>, ReportError> {
    let mut header = vec!["strategy", "territory_id", "segment", "period", "metric", "unit", "mean", "sd"];
    header.extend(QUANTILES);
    header.push("origin");
    let mut table = Table::new("strategies.csv", &header)?;
    for row in rows {
        table.texts(&[&row.strategy, &row.territory_id, &row.segment, &row.period, &row.metric, &row.unit]);
        match &row.summary {
            Some(summary) => table.moments(summary)?,
            None => table.texts(&["", ""]),
        }
        table.quantiles(row.summary.as_ref())?;
        table.text(&row.origin.to_string());
        table.end_row()?;
    }
    table.bytes()
}

/// What each strategy's objective hangs on.
fn drivers(rows: &[DriverRow]) -> Result<Vec<u8>, ReportError> {
    let mut table = Table::new("drivers.csv", &["strategy", "parameter", "origin", "unit", "share"])?;
    for row in rows {
        table.texts(&[&row.strategy, &row.parameter, &row.origin.to_string(), "share of variance"]);
        table.number(row.share)?;
        table.end_row()?;
    }
    table.bytes()
}

/// Trials: the first columns are those of `experiments.csv`, to be completed by the trial itself.
fn pilot(rows: &[PilotRow]) -> Result<Vec<u8>, ReportError> {
    let header = [
        "start",
        "end",
        "territories",
        "lever",
        "lift",
        "se",
        "strategy",
        "controls",
        "months",
        "unit",
        "expected_lift",
        "detectable_lift",
        "power",
    ];
    let mut table = Table::new("pilot.csv", &header)?;
    for row in rows {
        table.texts(&[&row.start.to_string(), &row.end.to_string(), &row.territories.join(";"), &row.strategy, ""]);
        table.number(row.se)?;
        table.texts(&[&row.strategy, &row.controls.join(";"), &row.months.to_string(), "share of sales"]);
        table.number(row.expected_lift)?;
        table.number(row.detectable_lift)?;
        table.number(row.power)?;
        table.end_row()?;
    }
    table.bytes()
}

/// When strategies would have to change.
fn triggers(rows: &[TriggerRow]) -> Result<Vec<u8>, ReportError> {
    let header = [
        "strategy",
        "measure",
        "condition",
        "for_months",
        "then",
        "unit",
        "probability",
        "month_q05",
        "month_q50",
        "month_q95",
    ];
    let mut table = Table::new("triggers.csv", &header)?;
    for row in rows {
        table.texts(&[&row.strategy, &row.measure, &row.condition, &row.for_months.to_string()]);
        table.texts(&[row.then.as_deref().unwrap_or(""), "months from the start"]);
        table.number(row.probability)?;
        let of = |pick: fn(&Summary) -> f64| row.month.as_ref().map(pick);
        table.optional(of(|month| month.q05))?;
        table.optional(of(|month| month.q50))?;
        table.optional(of(|month| month.q95))?;
        table.end_row()?;
    }
    table.bytes()
}

/// What knowing a parameter would be worth, most first.
fn sensitivity(rows: &[SensitivityRow]) -> Result<Vec<u8>, ReportError> {
    let header = ["parameter", "unit", "worth", "best_if_low", "best_if_high"];
    let mut table = Table::new("sensitivity.csv", &header)?;
    for row in rows {
        table.texts(&[&row.parameter, &row.unit]);
        table.number(row.worth)?;
        table.texts(&[&row.best_if_low, &row.best_if_high]);
        table.end_row()?;
    }
    table.bytes()
}

/// Ranked within each territory, best first, in the order of the findings.
fn targets(rows: &[TargetRow]) -> Result<Vec<u8>, ReportError> {
    let header = [
        "territory_id",
        "rank",
        "target",
        "kind",
        "lon",
        "lat",
        "dark_customers",
        "known_customers",
        "unit",
        "headroom_mean",
        "headroom_q05",
        "headroom_q50",
        "headroom_q95",
        "best_channel",
        "best_time",
        "next_action",
        "expected_value_mean",
        "expected_value_q05",
        "expected_value_q50",
        "expected_value_q95",
    ];
    let mut table = Table::new("targets.csv", &header)?;
    let mut ranks = std::collections::BTreeMap::<&str, usize>::new();
    for row in rows {
        let rank = ranks.entry(&row.territory_id).or_default();
        *rank += 1;
        table.texts(&[&row.territory_id, &rank.to_string(), &row.target, &row.kind]);
        for place in [row.lon, row.lat, row.dark_customers, row.known_customers] {
            table.optional(place)?;
        }
        table.text(&row.unit);
        for (summary, between) in
            [(&row.headroom, Some([&row.best_channel, &row.best_time, &row.next_action])), (&row.expected_value, None)]
        {
            table.in_order(summary)?;
            for value in [summary.mean, summary.q05, summary.q50, summary.q95] {
                table.number(value)?;
            }
            for text in between.into_iter().flatten() {
                table.text(text);
            }
        }
        table.end_row()?;
    }
    table.bytes()
}

/// A CSV file in the making.
pub(super) struct Table {
    file: &'static str,
    header: Vec<String>,
    /// Row of the file that is being filled, from 1; the header is row 1.
    row: usize,
    fields: Vec<String>,
    writer: csv::Writer<Vec<u8>>,
}

impl Table {
    pub(super) fn new(file: &'static str, header: &[&str]) -> Result<Self, ReportError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header)?;
        let header = header.iter().map(|&name| name.to_owned()).collect();
        Ok(Self { file, header, row: 2, fields: Vec::new(), writer })
    }

    pub(super) fn text(&mut self, text: &str) {
        self.fields.push(text.to_owned());
    }

    pub(super) fn texts(&mut self, texts: &[&str]) {
        texts.iter().for_each(|text| self.text(text));
    }

    pub(super) fn number(&mut self, value: f64) -> Result<(), ReportError> {
        self.number_with(value, nine_digits)
    }

    fn number_with(&mut self, value: f64, print: fn(f64) -> String) -> Result<(), ReportError> {
        if !value.is_finite() {
            let column = self.header.get(self.fields.len()).cloned().unwrap_or_default();
            return Err(ReportError::NotFinite { file: self.file, row: self.row, column, value });
        }
        self.fields.push(print(value));
        Ok(())
    }

    pub(super) fn optional(&mut self, value: Option<f64>) -> Result<(), ReportError> {
        match value {
            Some(value) => self.number(value),
            None => {
                self.text("");
                Ok(())
            }
        }
    }

    pub(super) fn moments(&mut self, summary: &Summary) -> Result<(), ReportError> {
        self.number(summary.mean)?;
        self.number(summary.sd)
    }

    pub(super) fn quantiles(&mut self, summary: Option<&Summary>) -> Result<(), ReportError> {
        let Some(summary) = summary else {
            self.texts(&[""; 5]);
            return Ok(());
        };
        for value in [summary.q05, summary.q25, summary.q50, summary.q75, summary.q95] {
            self.number(value)?;
        }
        self.in_order(summary)
    }

    fn in_order(&self, summary: &Summary) -> Result<(), ReportError> {
        let quantiles = [summary.q05, summary.q25, summary.q50, summary.q75, summary.q95];
        if quantiles.is_sorted() {
            return Ok(());
        }
        Err(ReportError::QuantilesOutOfOrder { file: self.file, row: self.row, quantiles: format!("{quantiles:?}") })
    }

    /// An estimate, the mark of a failed check where there is one, and the end of the row.
    fn end_marked(&mut self, summary: &Summary, failed: bool) -> Result<(), ReportError> {
        self.moments(summary)?;
        self.quantiles(Some(summary))?;
        if failed {
            self.text(MARK);
        }
        self.end_row()
    }

    pub(super) fn end_row(&mut self) -> Result<(), ReportError> {
        self.writer.write_record(&self.fields)?;
        self.fields.clear();
        self.row += 1;
        Ok(())
    }

    pub(super) fn bytes(self) -> Result<Vec<u8>, ReportError> {
        self.writer.into_inner().map_err(|error| ReportError::Csv(csv::Error::from(error.into_error())))
    }
}

/// Nine significant digits: more than any draw deserves, few enough to read, and rounding keeps quantiles in order.
fn nine_digits(value: f64) -> String {
    // A finite number printed with an exponent always reads back.
    shortest(format!("{value:.8e}").parse().unwrap_or(value))
}

/// The shortest digits that read back as the same number; an exponent where there would be rows of zeros.
fn shortest(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e15).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::calibrate::Verdict;

    fn texts(findings: &Findings) -> Vec<(String, String)> {
        tables(findings).unwrap().into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
    }

    #[test]
    fn every_table_has_the_agreed_columns() {
        let heads: Vec<String> = texts(&fixture::market())
            .iter()
            .map(|(name, text)| format!("{name}: {}", text.lines().next().unwrap_or_default()))
            .collect();
        insta::assert_snapshot!(heads.join("\n"));
    }

    #[test]
    fn rows_of_a_small_market() {
        let text: Vec<String> = texts(&fixture::market())
            .iter()
            .map(|(name, text)| format!("{name}\n{}", text.lines().take(6).collect::<Vec<_>>().join("\n")))
            .collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }

    #[test]
    fn what_was_not_compared_is_absent() {
        let names: Vec<String> = texts(&fixture::only_potential()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "potential.csv",
                "potential_effort.csv",
                "dark_half_sampler.csv",
                "posterior.csv",
                "diagnostics.csv",
                "actions_found.csv"
            ]
        );
    }

    #[test]
    fn a_failed_check_marks_every_row_of_the_potential() {
        let mut findings = fixture::market();
        findings.checks[0].verdict = Verdict::Fail;
        let text = &texts(&findings)[0].1;
        assert!(text.lines().next().unwrap().ends_with(",mark"));
        assert!(text.lines().skip(1).all(|line| line.ends_with(MARK)));
    }

    #[test]
    fn a_figure_that_is_none_is_an_error() {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut findings = fixture::market();
            findings.potential[1].summary.sd = wrong;
            let error = tables(&findings).unwrap_err();
            assert!(
                matches!(&error, ReportError::NotFinite { file: "potential.csv", row: 3, column, .. } if column == "sd"),
                "{error}"
            );
        }
        let mut findings = fixture::market();
        findings.potential[0].summary.q25 = findings.potential[0].summary.q75 + 1.0;
        assert!(matches!(tables(&findings), Err(ReportError::QuantilesOutOfOrder { row: 2, .. })));
        let mut findings = fixture::market();
        findings.posterior.1[0].pop();
        assert!(matches!(tables(&findings), Err(ReportError::RowLength { row: 2, .. })));
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!(nine_digits(0.1 + 0.2), "0.3");
        assert_eq!(nine_digits(-0.0), "0");
        assert_eq!(nine_digits(123_456_789_012.0), "123456789000");
        assert_eq!(nine_digits(1e300), "1e300");
        assert_eq!(nine_digits(1.5e-9), "1.5e-9");
        assert_eq!(shortest(0.1 + 0.2), "0.30000000000000004");
    }
}
