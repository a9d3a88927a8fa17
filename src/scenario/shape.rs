//! The structural check: walks the parsed file along the JSON Schema of the raw types and finds every unknown field,
//! wrong type, missing field, bad month, bad filter and number out of range at once, where serde would stop at the first.
//!
//! What cannot be used is cut out of the tree, so that the rest can still be deserialised and checked further.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::checked::Source;
use super::filter::{self, Filter};
use super::finding::{Finding, PLACED};
use super::suggest::{did_you_mean, listed, nearest};
use crate::units::Month;

/// What the walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub findings: Vec<Finding>,
    /// The filters, by the first byte of their TOML strings.
    pub filters: BTreeMap<usize, Filter>,
}

/// Walks the whole file; afterwards `table` holds nothing that the raw types cannot hold, or is good for nothing
/// (`false`).
pub(super) fn walk(table: &mut Spanned<DeTable>, schema: &Value, source: &Source) -> (bool, Walked) {
    let mut walker = Walker { root: schema, source, path: Vec::new(), walked: Walked::default() };
    // The span of a document is empty: its first line stands for it.
    let first_line = source.text.find('\n').unwrap_or(source.text.len());
    let usable = walker.table(schema, table.get_mut(), 0..first_line);
    (usable, walker.walked)
}

struct Walker<'s> {
    root: &'s Value,
    source: &'s Source,
    /// Names of the tables and fields down to here, without positions in lists.
    path: Vec<String>,
    walked: Walked,
}

/// What a schema asks for.
enum Shape<'s> {
    Table,
    /// Exactly one of these fields, each with its schema.
    OneOf(Vec<(&'s str, &'s Value)>),
    List(&'s Value),
    /// One of these words.
    Word(Vec<&'s str>),
    Text,
    Whole,
    Number,
    Boolean,
}

impl<'s> Walker<'s> {
    /// Checks a value; `false` when it cannot be deserialised.
    fn value(&mut self, schema: &'s Value, value: &mut Spanned<DeValue>) -> bool {
        let Some(shape) = self.shape(schema) else { return true };
        let target = self.resolve(schema);
        let span = value.span();
        match (&shape, value.get_mut()) {
            (Shape::Table, DeValue::Table(table)) => self.table(target, table, span),
            (Shape::OneOf(choices), DeValue::Table(table)) => self.one_of(target, choices, table, span),
            (Shape::List(items), DeValue::Array(list)) => {
                if list.is_empty() && target["minItems"].as_u64().unwrap_or(0) > 0 {
                    let title = format!("{} is an empty list", self.here());
                    self.report(Finding::error(span, title, "write at least one"), schema);
                }
                // Tables that cannot be used are left out one by one; a list of anything else is used whole or not.
                let tables = matches!(self.shape(items), Some(Shape::Table));
                let count = list.len();
                let kept: Vec<_> = std::mem::replace(list, DeArray::new())
                    .into_iter()
                    .filter_map(|mut item| self.value(items, &mut item).then_some(item))
                    .collect();
                let all_kept = kept.len() == count;
                *list = kept.into_iter().collect();
                all_kept || tables
            }
            (Shape::Word(words), DeValue::String(text)) => {
                let known = words.contains(&text.as_ref());
                if !known {
                    let title = format!("unknown {} `{}`", self.noun(), text.escape_debug());
                    let help = did_you_mean(text, words, "it is one of");
                    self.walked.findings.push(Finding::error(span, title, "not known").help(help));
                }
                known
            }
            (Shape::Text, DeValue::String(text)) => {
                self.text(schema, target, text, span);
                true
            }
            (Shape::Whole | Shape::Number, DeValue::Integer(integer)) => self.integer(schema, target, integer, span),
            (Shape::Number, DeValue::Float(float)) => match float.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    self.range(schema, target, number, span);
                    true
                }
                _ => {
                    let title = format!("{} is `{}`, it must be a finite number", self.here(), self.written(&span));
                    self.report(Finding::error(span, title, "not a finite number"), schema);
                    false
                }
            },
            (Shape::Boolean, DeValue::Boolean(_)) => true,
            (_, found) => {
                let finding = self.wrong_type(&shape, found, span, schema);
                self.walked.findings.push(finding);
                false
            }
        }
    }

    fn table(&mut self, schema: &'s Value, table: &mut DeTable, span: Range<usize>) -> bool {
        let Some(fields) = schema["properties"].as_object() else { return true };
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut usable = true;
        if table.is_empty() && schema["minProperties"].as_u64().unwrap_or(0) > 0 {
            let title = format!("{} is empty", self.here());
            let names = listed(fields.keys().map(String::as_str));
            let finding = Finding::error(span.clone(), title, "write at least one field");
            self.walked.findings.push(finding.help(format!("the fields here are {names}")));
        }
        for &name in &required {
            if !table.contains_key(name) {
                let title = format!("missing field `{name}`{}", self.inside());
                let label = format!("`{name}` is missing here");
                let help = format!("add `{name}`: {}", self.description(&fields[name]));
                self.walked
                    .findings
                    .push(Finding::error(first_line(self.source, span.clone()), title, label).help(help));
                usable = false;
            }
        }
        for (key, mut value) in std::mem::replace(table, DeTable::new()) {
            let name = key.get_ref().as_ref();
            let Some((_, field)) = fields.iter().find(|(known, _)| *known == name) else {
                let finding = self.unknown_field(name, key.span(), fields.keys().map(String::as_str).collect());
                self.walked.findings.push(finding);
                continue;
            };
            self.path.push(name.to_owned());
            let field_usable = self.value(field, &mut value);
            self.path.pop();
            usable &= field_usable || !required.contains(&name);
            if field_usable {
                table.insert(key, value);
            }
        }
        usable
    }

    /// A table that holds exactly one of several fields: a lever, a prior, the source of the market.
    fn one_of(
        &mut self,
        schema: &'s Value,
        choices: &[(&'s str, &'s Value)],
        table: &mut DeTable,
        span: Range<usize>,
    ) -> bool {
        let noun = schema["title"].as_str().unwrap_or("field");
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let mut keys: Vec<(Range<usize>, String)> =
            table.keys().map(|key| (key.span(), key.get_ref().to_string())).collect();
        keys.sort_by_key(|(span, _)| span.start);
        let mut usable = true;
        match &keys[..] {
            [] => {
                let title = format!("{} names no {noun}", self.here());
                let help = format!("write exactly one of {}", listed(names.iter().copied()));
                self.walked.findings.push(Finding::error(span, title, format!("a {noun} is missing here")).help(help));
                usable = false;
            }
            [_] => {}
            [(_, first), (second, _), ..] => {
                let found = listed(keys.iter().map(|(_, name)| name.as_str()));
                let title = format!("{} must hold exactly one {noun}, not {}: {found}", self.here(), keys.len());
                let help = match noun {
                    "lever" => "give each its own [[strategy.lever]] table".to_owned(),
                    _ => format!("keep one of {found}"),
                };
                let label = format!("`{first}` is there already");
                self.walked.findings.push(Finding::error(second.clone(), title, label).help(help));
                usable = false;
            }
        }
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().as_ref();
            let Some((_, field)) = choices.iter().find(|(known, _)| *known == name) else {
                let title = format!("unknown {noun} `{}`", name.escape_debug());
                let help = did_you_mean(name, &names, "it is one of");
                self.walked.findings.push(Finding::error(key.span(), title, "not known").help(help));
                usable = false;
                continue;
            };
            self.path.push(name.to_owned());
            usable &= self.value(field, value);
            self.path.pop();
        }
        usable
    }

    fn unknown_field(&self, name: &str, span: Range<usize>, known: Vec<&str>) -> Finding {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let shown = name.escape_debug();
        let title = match path[..] {
            ["mechanism"] => format!("unknown mechanism `{shown}`"),
            ["mechanism", mechanism, "prior"] => format!("`{mechanism}` has no parameter `{shown}`"),
            ["mechanism", mechanism] if name == "on" => {
                return Finding::error(span, format!("`{mechanism}` cannot be switched off"), "not possible here")
                    .help("the market cannot be simulated without it; its priors can be changed");
            }
            _ => format!("unknown field `{shown}`{}", self.inside()),
        };
        let finding = Finding::error(span, title, "not known here");
        if self.walked.findings.len() > PLACED {
            // It will only be counted.
            return finding;
        }
        if nearest(name, known.iter().copied()).is_none() {
            let top = self.root["properties"].as_object();
            if !self.path.is_empty() && top.is_some_and(|top| top.contains_key(name)) {
                return finding.help(format!("`{name}` belongs to the top of the file, before the first [section]"));
            }
            let section = top.into_iter().flatten().find(|(_, section)| {
                let fields = &self.resolve(section)["properties"];
                fields.get(name).is_some()
            });
            if let Some((section, _)) = section {
                return finding.help(format!("`{name}` belongs to [{section}]"));
            }
        }
        let sentence = match path[..] {
            ["mechanism"] => "the mechanisms are",
            ["mechanism", _, "prior"] => "its parameters are",
            _ => "the fields here are",
        };
        finding.help(match known.is_empty() {
            true => "nothing can be written here".to_owned(),
            false => did_you_mean(name, &known, sentence),
        })
    }

    fn text(&mut self, schema: &'s Value, target: &'s Value, text: &str, span: Range<usize>) {
        match schema["format"].as_str() {
            Some("month") if text.parse::<Month>().is_err() => {
                let title = format!("\"{}\" is not a month", text.escape_debug());
                let help = "write months as YYYY-MM, for example \"2026-03\"";
                self.walked.findings.push(Finding::error(span, title, month_label(text)).help(help));
            }
            Some("filter") => match filter::parse(text, self.offset_of(text, &span), span.clone()) {
                Ok(filter) => {
                    self.walked.filters.insert(span.start, filter);
                }
                Err(error) => {
                    self.walked.findings.push(Finding::error(error.span, error.title, error.label).help(error.help));
                }
            },
            _ if text.trim().is_empty() && target["minLength"].as_u64().unwrap_or(0) > 0 => {
                let title = format!("{} is blank", self.here());
                self.report(Finding::error(span, title, "write something here"), schema);
            }
            _ => {}
        }
    }

    /// Where the characters of a TOML string begin in the file; `None` when it has escapes, so that they are not there
    /// as they are.
    fn offset_of(&self, text: &str, span: &Range<usize>) -> Option<usize> {
        let written = self.source.slice(span);
        let inside = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find_map(|quote| Some((quote.len(), written.strip_prefix(quote)?.strip_suffix(quote)?)));
        // A value of `--set` may stand without quotes.
        let (start, inside) = inside.filter(|_| written != text).unwrap_or((0, written));
        // The newline after an opening """ is no part of the text.
        let newline =
            [(2, "\r\n"), (1, "\n")].into_iter().find(|(_, newline)| start == 3 && inside.starts_with(newline));
        let skipped = newline.map_or(0, |(length, _)| length);
        (&inside[skipped..] == text).then_some(span.start + start + skipped)
    }

    fn integer(&mut self, schema: &'s Value, target: &'s Value, integer: &DeInteger, span: Range<usize>) -> bool {
        // i64 is what TOML promises; beyond it a number cannot be deserialised.
        let Ok(number) = i64::from_str_radix(integer.as_str(), integer.radix()) else {
            let title = format!("{} is {}, which is too large", self.here(), self.written(&span));
            self.report(Finding::error(span, title, "too large a whole number"), schema);
            return false;
        };
        self.range(schema, target, number as f64, span)
    }

    /// Whether the number is in the range of its type; what is out of the range that the schema allows is reported.
    fn range(&mut self, schema: &'s Value, target: &'s Value, number: f64, span: Range<usize>) -> bool {
        let bound = |name: &str| target[name].as_f64();
        let unsigned = target["format"].as_str().is_some_and(|format| format.starts_with("uint"));
        let low = bound("minimum").or(unsigned.then_some(0.0));
        let (above, high) = (bound("exclusiveMinimum"), bound("maximum"));
        let inside = low.is_none_or(|low| number >= low)
            && above.is_none_or(|above| number > above)
            && high.is_none_or(|high| number <= high);
        if inside {
            return true;
        }
        let allowed = match (low, above, high) {
            (Some(low), _, Some(high)) => format!("between {low} and {high}"),
            (_, Some(above), Some(high)) => format!("above {above} and at most {high}"),
            (Some(low), ..) => format!("at least {low}"),
            (_, Some(above), _) => format!("above {above}"),
            (.., Some(high)) => format!("at most {high}"),
            (None, None, None) => "in range".to_owned(),
        };
        let title = format!("{} is {}, it must be {allowed}", self.here(), self.written(&span));
        let finding = Finding::error(span, title, format!("must be {allowed}"));
        match high == Some(1.0) && (2.0..=100.0).contains(&number) && !target["type"].eq("integer") {
            true => self
                .walked
                .findings
                .push(finding.help(format!("it is a share: write {} for {number} %", number / 100.0))),
            false => self.report(finding, schema),
        }
        // Only what does not fit the type is cut out.
        target["type"] != "integer" || (number >= 0.0 && number <= high.unwrap_or(f64::INFINITY))
    }

    fn wrong_type(&self, shape: &Shape, found: &DeValue, span: Range<usize>, schema: &Value) -> Finding {
        let needed = match shape {
            Shape::Table | Shape::OneOf(_) => "a table",
            Shape::List(_) => "a list",
            Shape::Word(_) | Shape::Text => "text",
            Shape::Whole => "a whole number",
            Shape::Number => "a number",
            Shape::Boolean => "true or false",
        };
        let is = match found {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let written = self.written(&span).to_owned();
        let header = self.path.join(".");
        let is_header = written.starts_with('[') && written.ends_with(']');
        let help = match (shape, found) {
            (Shape::List(_), DeValue::Table(_)) if is_header => format!("write [[{header}]], with double brackets"),
            (Shape::List(_), _) => format!("put it in square brackets: [{written}]"),
            (Shape::Table | Shape::OneOf(_), DeValue::Array(_)) if is_header => {
                format!("write [{header}], with single brackets")
            }
            (Shape::OneOf(choices), _) => {
                // The choices that hold a value of the kind that is written, or else the first few.
                let holds = |choice: &Value| match found {
                    DeValue::String(_) => matches!(choice["type"].as_str(), Some("string")),
                    DeValue::Integer(_) | DeValue::Float(_) => matches!(choice["type"].as_str(), Some("number")),
                    _ => false,
                };
                let mut forms: Vec<String> = choices
                    .iter()
                    .filter(|(_, choice)| holds(choice))
                    .map(|(name, _)| format!("{{ {name} = {written} }}"))
                    .collect();
                if forms.is_empty() {
                    forms = choices.iter().take(3).map(|(name, _)| format!("{{ {name} = ... }}")).collect();
                }
                format!("write for example {}", forms.join(" or "))
            }
            (Shape::Text, DeValue::Datetime(_)) if schema["format"] == "month" => {
                format!("write the month in quotes: \"{}\"", written.get(..7).unwrap_or("2026-03"))
            }
            (Shape::Text, _) if schema["format"] == "month" => {
                "write the month in quotes, for example \"2026-03\"".to_owned()
            }
            (Shape::Text, DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_)) => {
                format!("write it in quotes: \"{written}\"")
            }
            (Shape::Whole | Shape::Number, DeValue::String(text)) => {
                number_without_quotes(text).unwrap_or_else(|| self.description(schema))
            }
            (Shape::Whole, DeValue::Float(float)) => match float.as_str().parse::<f64>() {
                Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("write {number:.0}"),
                _ => self.description(schema),
            },
            (Shape::Boolean, DeValue::String(text)) if matches!(text.as_ref(), "true" | "false") => {
                format!("write {text}, without quotes")
            }
            (Shape::Word(words), _) => format!("it is one of {}, in quotes", listed(words.iter().copied())),
            _ => self.description(schema),
        };
        let finding = Finding::error(
            first_line(self.source, span),
            format!("{} must be {needed}, not {is}", self.here()),
            format!("{needed} is needed here"),
        );
        if help.is_empty() { finding } else { finding.help(help) }
    }

    /// Adds a finding with the field's own description as help.
    fn report(&mut self, finding: Finding, schema: &Value) {
        let description = self.description(schema);
        let finding = if description.is_empty() {
            finding
        } else {
            let field = self.path.last().map_or("this field", String::as_str);
            finding.help(format!("{field}: {description}"))
        };
        self.walked.findings.push(finding);
    }

    fn resolve(&self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        // References of the generated schema are to definitions at its top; none leads to another in a circle.
        while let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            match self.root.pointer(pointer) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    fn shape(&self, schema: &'s Value) -> Option<Shape<'s>> {
        let schema = self.resolve(schema);
        if let Some(variants) = schema["oneOf"].as_array() {
            let words: Option<Vec<&str>> = variants.iter().map(|variant| variant["const"].as_str()).collect();
            if let Some(words) = words {
                return Some(Shape::Word(words));
            }
            let fields = variants.iter().filter_map(|variant| variant["properties"].as_object()).flatten();
            return Some(Shape::OneOf(fields.map(|(name, schema)| (name.as_str(), schema)).collect()));
        }
        if let Some(words) = schema["enum"].as_array() {
            return Some(Shape::Word(words.iter().filter_map(Value::as_str).collect()));
        }
        match schema["type"].as_str()? {
            "object" => Some(Shape::Table),
            "array" => Some(Shape::List(&schema["items"])),
            "string" => Some(Shape::Text),
            "integer" => Some(Shape::Whole),
            "number" => Some(Shape::Number),
            "boolean" => Some(Shape::Boolean),
            _ => None,
        }
    }

    /// The field's doc comment in one line.
    fn description(&self, schema: &Value) -> String {
        let own = schema["description"].as_str();
        let target = schema["$ref"].as_str().and_then(|reference| self.root.pointer(reference.strip_prefix('#')?));
        own.or_else(|| target?["description"].as_str()).unwrap_or_default().to_owned()
    }

    /// The name of the field for a title.
    fn here(&self) -> String {
        format!("`{}`", self.path.join(".").escape_debug())
    }

    /// What the field is, for a list of words: its own name.
    fn noun(&self) -> String {
        self.path.last().cloned().unwrap_or_default()
    }

    /// " in `economics`", or nothing at the top of the file.
    fn inside(&self) -> String {
        if self.path.is_empty() { " at the top of the file".to_owned() } else { format!(" in {}", self.here()) }
    }

    fn written(&self, span: &Range<usize>) -> &'s str {
        self.source.slice(span)
    }
}

/// The part of a span that lies in its first line: a table of many lines is not underlined whole.
fn first_line(source: &Source, span: Range<usize>) -> Range<usize> {
    let length = source.slice(&span).find(['\n', '\r']);
    length.map_or(span.clone(), |length| span.start..span.start + length)
}

/// What is wrong with a month, for the underline.
fn month_label(text: &str) -> String {
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        Some((year, month)) if digits(year, 4) && digits(month, 2) => match year {
            "0000" => "there is no year 0".to_owned(),
            _ => format!("there is no month {month}"),
        },
        _ => "not a month".to_owned(),
    }
}

/// How to write a number that stands in quotes.
fn number_without_quotes(text: &str) -> Option<String> {
    let finite = |text: &str| text.trim().replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(number) = finite(text) {
        return Some(format!("write {number}, without quotes"));
    }
    if let Some(number) = text.trim().strip_suffix('%').and_then(finite) {
        return Some(format!("write {} for {number} %, without quotes", number / 100.0));
    }
    // 30.000.000 or 30,000,000: what parts thousands has no place in TOML but `_`.
    let groups: Vec<&str> = text.trim().split([',', '.', ' ']).collect();
    if groups.len() > 2 && groups[1..].iter().all(|group| group.len() == 3) && finite(&groups.concat()).is_some() {
        return Some(format!("write {}, without quotes", groups.join("_")));
    }
    let point = finite(&text.replace(',', "."))?;
    Some(format!("write {point}, with a decimal point and without quotes"))
}
