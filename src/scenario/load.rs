//! Reading a scenario file: bytes to text, text to a tree, the tree to a checked [`Scenario`].

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};

use super::check::check;
use super::checked::{Scenario, Source};
use super::finding::{Finding, problems};
use super::overrides;
use super::raw::{self, SCHEMA_VERSION};
use super::schema::schema;
use super::shape::walk;
use crate::problem::{Problem, any_error};

/// Scenarios are written by hand; what is larger is some other file.
const LARGEST: u64 = 1 << 20;

/// Reads and checks a scenario file, with the `--set` overrides (`key=value`) made in it.
///
/// On success the problems are warnings; otherwise they are everything that is wrong with the file.
pub fn load(path: &Path, overrides: &[String]) -> Result<(Scenario, Vec<Problem>), Vec<Problem>> {
    let text = read(path)?;
    parse(path, &text, overrides)
}

/// Checks the text of a scenario file that lies at `path` (which names the scenario, and to whose folder the market's
/// path is relative); reads nothing.
pub fn parse(path: &Path, text: &str, overrides: &[String]) -> Result<(Scenario, Vec<Problem>), Vec<Problem>> {
    let source = Source::new(path.to_string_lossy(), text, overrides);
    let failed = |findings| Err(problems(findings, &source));
    let settings = match overrides::settings(&source) {
        Ok(settings) => settings,
        Err(findings) => return failed(findings),
    };
    let (mut table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        return failed(errors.iter().map(|error| syntax(error, &source)).collect());
    }
    let findings = overrides::apply(table.get_mut(), &settings);
    if !findings.is_empty() {
        return failed(findings);
    }
    if let Some(finding) = other_version(table.get_ref()) {
        return failed(vec![finding]);
    }
    let (usable, mut walked) = walk(&mut table, schema(), &source);
    if !usable {
        return failed(walked.findings);
    }
    let raw = match raw::Scenario::deserialize(toml::de::Deserializer::from(table)) {
        Ok(raw) => raw,
        Err(error) => {
            // The walk refuses what serde would; should they ever differ, serde's word stands.
            let span = error.span().unwrap_or(0..0);
            walked.findings.push(Finding::error(span, error.message(), "this could not be read"));
            return failed(walked.findings);
        }
    };
    let found = walked.findings.len();
    let scenario = check(raw, source.clone(), &mut walked);
    // What the check says of a table in which the walk found something amiss only follows from that.
    let mut findings = walked.findings;
    let mut checked = findings.split_off(found);
    checked.retain(|outer| {
        !findings.iter().any(|inner| outer.span.start <= inner.span.start && inner.span.end <= outer.span.end)
    });
    findings.extend(checked);
    let problems = problems(findings, &source);
    if any_error(&problems) { Err(problems) } else { Ok((scenario, problems)) }
}

/// The text of the file, without a byte-order mark.
fn read(path: &Path) -> Result<String, Vec<Problem>> {
    let shown = path.display();
    let refused = |title: String, help: &str| vec![Problem::error(title).help(help)];
    let folder = || {
        let help = "name a TOML file; a market directory is given by --market";
        refused(format!("{shown} is a folder, not a scenario file"), help)
    };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => {
            let help = "check the path; scenarios/ holds examples to begin from";
            refused(format!("there is no scenario file {shown}"), help)
        }
        ErrorKind::IsADirectory => folder(),
        _ => vec![Problem::error(format!("{shown} cannot be read: {error}"))],
    };
    if std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(folder());
    }
    let mut bytes = Vec::new();
    // A pipe has no length, so the limit is held while reading.
    File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        let help = "a scenario is a short TOML file; was another file meant?";
        return Err(refused(format!("{shown} is larger than a scenario can be (1 MiB)"), help));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(valid).filter(|&&byte| byte == b'\n').count();
        let help = "save it as UTF-8, or convert it: iconv -f WINDOWS-1254 -t UTF-8 OLD.toml > NEW.toml";
        refused(format!("{shown} is not UTF-8 text: line {line} has a byte that UTF-8 does not know"), help)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        let help = "begin from scenarios/minimal.toml: at the least it must say `schema = 1`";
        return Err(refused(format!("{shown} is empty"), help));
    }
    Ok(text.to_owned())
}

/// The version in the file, where it is a number that this ikiz does not read; nothing else is then looked at.
fn other_version(table: &DeTable) -> Option<Finding> {
    let version = table.get("schema")?;
    let DeValue::Integer(number) = version.get_ref() else { return None };
    (number.to_string() != SCHEMA_VERSION.to_string()).then(|| {
        let title = format!("scenario format {number} is not known to this ikiz");
        Finding::error(version.span(), title, format!("this ikiz reads format {SCHEMA_VERSION}"))
            .help(format!("write schema = {SCHEMA_VERSION}, or use the ikiz that the file was written for"))
    })
}

/// A syntax error in our words.
fn syntax(error: &toml::de::Error, source: &Source) -> Finding {
    let text = &source.text;
    let mut span = error.span().unwrap_or(0..0);
    // At the end of the file there is nothing to underline; its last line is shown.
    if span.start >= text.trim_end().len() {
        let end = text.trim_end().len();
        span = end..end;
    }
    let line_start = text.get(..span.start).map_or(0, |before| before.rfind('\n').map_or(0, |newline| newline + 1));
    let line = text.get(line_start..).unwrap_or("").lines().next().unwrap_or("");
    let value = line.split_once('=').map_or("", |(_, value)| value).trim();
    let message = error.message();
    let help = if value.len() >= 7 && value.as_bytes()[..4].iter().all(u8::is_ascii_digit) && message.contains("date") {
        "write months in quotes: \"2026-03\""
    } else if message.contains("duplicate key") {
        "each name can be written once in a table; a table once in a file"
    } else if line.contains('=') && value.is_empty() {
        "write a value after the `=`"
    } else if message.starts_with("invalid") && message.contains("string") {
        "text ends with the quote it begins with; a backslash in text is doubled, or the text in single quotes"
    } else if message.contains("quoted") {
        "text needs quotes: key = \"value\""
    } else if value.contains(',') && !value.contains(['[', '{', '"', '\'']) {
        "decimal fractions have a point: 0.5"
    } else {
        "the file must be TOML: key = value lines under [section] headers"
    };
    Finding::error(span, format!("this is not TOML: {message}"), message).help(help)
}
