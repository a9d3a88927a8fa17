//! `--set key=value`: edits of the parsed file, before it is checked, so that an override is checked like any line.
//!
//! Keys are dotted; a strategy is found by its id, an element of a list by its id or its position from 0:
//! `economics.budget=1e7`, `strategy.ten-reps.lever.0.do.headcount.add=5`. A part with dots is quoted. The value is
//! TOML; what is not TOML is taken as text.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::checked::Source;
use super::finding::Finding;
use super::suggest::did_you_mean;

/// Parts of a key beyond which it is refused; no field lies so deep.
const DEEPEST: usize = 32;

/// One override, split and laid out for parsing.
pub(super) struct Setting {
    /// Parts of the key, each with its bytes in the source.
    path: Vec<(String, Range<usize>)>,
    value_span: Range<usize>,
    /// `v=VALUE` behind so many blanks that the parser's spans are those of the source.
    padded: String,
}

/// Splits the overrides of the source.
pub(super) fn settings(source: &Source) -> Result<Vec<Setting>, Vec<Finding>> {
    let mut settings = Vec::new();
    let mut findings = Vec::new();
    for laid in &source.overrides {
        let whole = laid.start..laid.start + laid.text.len();
        let Some((key, value)) = laid.text.split_once('=') else {
            findings.push(
                Finding::error(whole, format!("--set {} has no `=`", laid.text.escape_debug()), "no value is given")
                    .help("write --set key=value, for example --set economics.budget=1e7"),
            );
            continue;
        };
        let path = split_key(key, laid.start);
        if let Some((_, blank)) = path.iter().find(|(part, _)| part.is_empty()) {
            findings.push(
                Finding::error(
                    blank.clone(),
                    format!("`{}` is not a key", key.escape_debug()),
                    "a name is missing here",
                )
                .help("write names joined by dots, for example --set economics.budget=1e7"),
            );
            continue;
        }
        if path.len() > DEEPEST {
            let title = format!("a key of {} parts leads nowhere", path.len());
            findings.push(Finding::error(whole, title, "no field lies so deep"));
            continue;
        }
        let start = laid.start + key.len() + 1 + (value.len() - value.trim_start().len());
        let value = value.trim();
        // At least "k=" stands before every value, and the byte that parts it from the file.
        let padded = format!("{}v={value}", " ".repeat(start - 2));
        settings.push(Setting { path, value_span: start..start + value.len(), padded });
    }
    if findings.is_empty() { Ok(settings) } else { Err(findings) }
}

/// Parts of a dotted key with their places; quoted parts may hold dots.
fn split_key(key: &str, offset: usize) -> Vec<(String, Range<usize>)> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let ends = key.char_indices().filter_map(|(at, c)| {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '.') => return Some(at),
            _ => {}
        }
        None
    });
    for end in ends.collect::<Vec<_>>().into_iter().chain([key.len()]) {
        let written = &key[start..end];
        let name = written.trim();
        let from = offset + start + (written.len() - written.trim_start().len());
        let bare = ['"', '\''].into_iter().find_map(|quote| name.strip_prefix(quote)?.strip_suffix(quote));
        parts.push((bare.unwrap_or(name).to_owned(), from..from + name.len()));
        start = end + 1;
    }
    parts
}

/// Makes the settings in the parsed file, in order.
pub(super) fn apply<'i>(table: &mut DeTable<'i>, settings: &'i [Setting]) -> Vec<Finding> {
    settings.iter().filter_map(|setting| set(table, &setting.path, setting).err()).collect()
}

/// Sets `path` below a table.
fn set<'i>(table: &mut DeTable<'i>, path: &[(String, Range<usize>)], setting: &'i Setting) -> Result<(), Finding> {
    let Some(((name, span), rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        table.insert(Spanned::new(span.clone(), Cow::Owned(name.clone())), value(setting));
        return Ok(());
    }
    if !table.contains_key(name.as_str()) {
        let empty = Spanned::new(span.clone(), DeValue::Table(DeTable::new()));
        table.insert(Spanned::new(span.clone(), Cow::Owned(name.clone())), empty);
    }
    match table.get_mut(name.as_str()) {
        Some(found) => set_in(found, (name, span), rest, setting),
        None => Ok(()),
    }
}

/// Sets `path` below a value that is named `of`.
fn set_in<'i>(
    found: &mut Spanned<DeValue<'i>>,
    of: (&str, &Range<usize>),
    path: &[(String, Range<usize>)],
    setting: &'i Setting,
) -> Result<(), Finding> {
    let list = match found.get_mut() {
        DeValue::Table(table) => return set(table, path, setting),
        DeValue::Array(list) => list,
        _ => {
            let title = format!("`{}` is no table, so nothing can be set in it", of.0);
            return Err(Finding::error(of.1.clone(), title, "this is a single value"));
        }
    };
    let Some(((name, span), rest)) = path.split_first() else { return Ok(()) };
    let id_of = |item: &Spanned<DeValue<'i>>| match item.get_ref().get("id")?.get_ref() {
        DeValue::String(id) => Some(id.to_string()),
        _ => None,
    };
    let ids: Vec<String> = list.iter().filter_map(id_of).collect();
    let by_id = list.iter().position(|item| id_of(item).as_deref() == Some(name));
    let count = list.len();
    match by_id.or_else(|| name.parse().ok()).and_then(|position: usize| list.get_mut(position)) {
        Some(item) if rest.is_empty() => {
            *item = value(setting);
            Ok(())
        }
        Some(item) => set_in(item, (name, span), rest, setting),
        None => {
            let title = format!("`{}` has no element `{}`", of.0, name.escape_debug());
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let help = match (&ids[..], count) {
                ([], 0) => "the list is empty".to_owned(),
                ([], 1) => "its only element is 0".to_owned(),
                ([], _) => format!("its elements are 0 to {}", count - 1),
                _ => did_you_mean(name, &ids, "its elements are"),
            };
            Err(Finding::error(span.clone(), title, "there is no such element").help(help))
        }
    }
}

/// The value as TOML, or as text where it is no TOML.
fn value(setting: &Setting) -> Spanned<DeValue<'_>> {
    match DeTable::parse(&setting.padded).map(Spanned::into_inner) {
        Ok(mut parsed) if parsed.len() == 1 => parsed.remove("v"),
        _ => None,
    }
    .unwrap_or_else(|| {
        let text = setting.padded.get(setting.value_span.start..).unwrap_or("");
        Spanned::new(setting.value_span.clone(), DeValue::String(Cow::Borrowed(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_dotted_and_quoted() {
        let parts = split_key("strategy.\"a.b\". lever .0", 10);
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["strategy", "a.b", "lever", "0"]);
        assert_eq!(parts[1].1, 19..24);
        assert_eq!(parts[2].1, 26..31);
    }
}
