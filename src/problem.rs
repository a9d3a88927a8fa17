//! Problems found in input files: what is wrong, where, and what to write instead.
//!
//! Readers collect every [`Problem`] of a folder or file before they give up, and [`render`] prints them in the style
//! of rustc. Nothing is ever written when an error is among them.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The input cannot be used.
    Error,
    /// The input can be used, but the user should know.
    Warning,
}

/// The place of a problem in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path as the user gave it, or the name inside the market folder.
    pub file: String,
    /// Line of the file (from 1) at which `text` begins.
    pub line: usize,
    /// The line (CSV) or the whole file (TOML) that is shown.
    pub text: String,
    /// Bytes of `text` that are underlined.
    pub span: Range<usize>,
}

/// One thing wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// What is wrong, in a short plain sentence without a full stop.
    pub title: String,
    /// Where; `None` for a file that is missing altogether (then the title names it).
    pub place: Option<Place>,
    /// The words beside the underline.
    pub label: String,
    /// What to write or do instead.
    pub help: Option<String>,
    /// Further problems of the same kind, which are counted but not kept: one wrong export can hold millions.
    pub more: usize,
}

impl Problem {
    /// An error without a place.
    pub fn error(title: impl Into<String>) -> Self {
        Self { severity: Severity::Error, title: title.into(), place: None, label: String::new(), help: None, more: 0 }
    }

    /// A warning without a place.
    pub fn warning(title: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(title) }
    }

    /// The same problem at a place, with words beside the underline.
    pub fn at(self, place: Place, label: impl Into<String>) -> Self {
        Self { place: Some(place), label: label.into(), ..self }
    }

    /// The same problem with what to do about it.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Whether an error (not only warnings) is among the problems.
pub fn any_error(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// How many problems are printed in full.
pub const SHOWN: usize = 50;

/// The problems as text for a terminal, errors first, the first [`SHOWN`] in full and the rest counted.
pub fn render(problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut ordered: Vec<&Problem> = problems.iter().collect();
    ordered.sort_by_key(|problem| problem.severity);
    let mut out = String::new();
    for problem in ordered.iter().take(SHOWN) {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut groups = Vec::new();
        let title = level.primary_title(problem.title.as_str());
        let mut group = match &problem.place {
            Some(place) => {
                let start = place.span.start.min(place.text.len());
                let end = place.span.end.clamp(start, place.text.len());
                title.element(
                    Snippet::source(place.text.as_str())
                        .line_start(place.line)
                        .path(place.file.as_str())
                        .annotation(AnnotationKind::Primary.span(start..end).label(problem.label.as_str())),
                )
            }
            None => Group::with_title(title),
        };
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        groups.push(group);
        let _ = writeln!(out, "{}\n", renderer.render(&groups));
    }
    let count = |severity: Severity| -> usize {
        problems.iter().filter(|problem| problem.severity == severity).map(|problem| 1 + problem.more).sum()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let hidden = errors + warnings - ordered.len().min(SHOWN);
    if hidden > 0 {
        let _ = writeln!(out, "... and {hidden} more; mend these first and run again\n");
    }
    let plural = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let _ = match (errors, warnings) {
        (0, 0) => Ok(()),
        (0, n) => writeln!(out, "{}", plural(n, "warning")),
        (n, 0) => writeln!(out, "{}; nothing was written", plural(n, "error")),
        (n, m) => writeln!(out, "{} and {}; nothing was written", plural(n, "error"), plural(m, "warning")),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_like_a_compilers() {
        let place = Place { file: "sales.csv".into(), line: 7, text: "2024-13,C1,5".into(), span: 0..7 };
        let problem = Problem::error("\"2024-13\" is not a month")
            .at(place, "there is no month 13")
            .help("write months as YYYY-MM, for example 2024-03");
        insta::assert_snapshot!(render(&[problem], false));
    }
}
