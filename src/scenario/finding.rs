//! A problem before it is given its place: light enough to hold thousands of.

use std::ops::Range;

use super::checked::Source;
use crate::problem::{Problem, Severity};

/// How many problems are handed on with their lines; a file with more is beyond mending one by one.
pub(super) const PLACED: usize = 200;

/// One thing wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub severity: Severity,
    pub span: Range<usize>,
    pub title: String,
    pub label: String,
    pub help: Option<String>,
}

impl Finding {
    pub fn error(span: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Error, span, title: title.into(), label: label.into(), help: None }
    }

    pub fn warning(span: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, title, label) }
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// The problems in the order of the file, each with its place.
pub(super) fn problems(mut findings: Vec<Finding>, source: &Source) -> Vec<Problem> {
    findings.sort_by_key(|finding| (finding.severity, finding.span.start, finding.span.end));
    findings.dedup();
    let beyond = findings.len().saturating_sub(PLACED);
    let mut problems: Vec<Problem> = findings
        .into_iter()
        .take(PLACED)
        .map(|finding| Problem {
            severity: finding.severity,
            title: finding.title,
            place: Some(source.place(&finding.span)),
            label: finding.label,
            help: finding.help,
            more: 0,
        })
        .collect();
    if beyond > 0 {
        problems.push(Problem::error(format!("{} has {beyond} more problems", source.path)));
    }
    problems
}
