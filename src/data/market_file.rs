//! `market.toml`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::history::LONGEST;
use super::log::Log;
use super::source::Source;
use super::table::nearest;
use super::tables::Meta;
use super::time::month_help;
use crate::problem::{Place, Problem};
use crate::units::{DemandUnit, Month, MonthSpan};

pub(super) const FILE: &str = "market.toml";
const FIELDS: [&str; 8] =
    ["name", "own_company", "currency", "demand", "period", "history_start", "history_end", "region"];

/// What `market.toml` says, as far as it can be read; the other files are checked against that much.
#[derive(Debug, Clone, Default)]
pub(super) struct MarketFile {
    name: Option<String>,
    pub own_company: Option<String>,
    currency: Option<String>,
    pub demand: Option<DemandUnit>,
    pub history_start: Option<Month>,
    pub history_end: Option<Month>,
    region: Option<String>,
}

impl MarketFile {
    /// The facts of the market, once its history is known; `None` where one is missing.
    pub fn with_history(self, history: MonthSpan) -> Option<Meta> {
        Some(Meta {
            name: self.name?,
            own_company: self.own_company?,
            currency: self.currency?,
            demand: self.demand?,
            history,
            region: self.region,
        })
    }
}

/// Reads the file; what is wrong with it is in the log.
pub(super) fn read(source: &Source, log: &mut Log) -> MarketFile {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    if !errors.is_empty() {
        for error in errors {
            let place = whole_text_place(source, error.span().unwrap_or(0..0));
            log.push(
                Problem::error(format!("`{FILE}` is not TOML"))
                    .at(place, error.message().to_owned())
                    .help("write one field a line, with text in quotation marks: currency = \"TRY\""),
            );
        }
        return MarketFile::default();
    }
    let mut fields = Fields { source, table: table.get_ref(), log };
    fields.refuse_unknown();
    let name = fields.required_text("name", "name = \"Spirits, Iowa\"");
    let own_company = fields.required_text("own_company", "own_company = \"us\"");
    let currency = fields.required_text("currency", "currency = \"TRY\"");
    let demand = fields.demand();
    fields.period();
    let start = fields.month("history_start");
    let end = fields.required_month("history_end");
    let region = fields.region();
    let mut history_start = start.as_ref().map(|(month, _)| *month);
    let history_end = end.map(|(month, _)| month);
    if let (Some((first, span)), Some(last)) = (start, history_end) {
        if first > last {
            history_start = None;
            fields.refuse(
                span,
                format!("`history_start` {first} comes after `history_end` {last}"),
                "after the end".to_owned(),
                "swap the two, or leave `history_start` out: the first month of sales.csv is then the start".to_owned(),
            );
        } else if (MonthSpan { first, last }).len() > LONGEST {
            history_start = None;
            fields.refuse(
                span,
                format!("the history from {first} to {last} is longer than {} years", LONGEST / 12),
                "is the year right?".to_owned(),
                "correct the year".to_owned(),
            );
        }
    }
    MarketFile { name, own_company, currency, demand, history_start, history_end, region }
}

struct Fields<'a, 'l> {
    source: &'a Source,
    table: &'a DeTable<'a>,
    log: &'l mut Log,
}

impl<'a> Fields<'a, '_> {
    fn refuse(&mut self, span: Range<usize>, title: String, label: String, help: String) {
        self.log.push(Problem::error(title).at(whole_text_place(self.source, span), label).help(help));
    }

    fn refuse_unknown(&mut self) {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if FIELDS.contains(&name) {
                continue;
            }
            let label = match nearest(name, FIELDS.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "unknown field".to_owned(),
            };
            let help = format!("the fields are {}", FIELDS.join(", "));
            self.refuse(key.span(), format!("`{FILE}` has an unknown field `{name}`"), label, help);
        }
    }

    fn refuse_missing(&mut self, name: &str, example: &str) {
        // A misspelt field has been reported already.
        let misspelt = self.table.keys().any(|key| nearest(key.get_ref(), FIELDS.into_iter()) == Some(name));
        if !misspelt {
            self.log.push(Problem::error(format!("`{FILE}` has no `{name}`")).help(format!("add a line: {example}")));
        }
    }

    fn text(&mut self, name: &'static str) -> Option<(String, Range<usize>)> {
        let value: &Spanned<DeValue<'a>> = self.table.get(name)?;
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() && !text.chars().any(char::is_control) => {
                Some((super::table::canonical(text).into_owned(), value.span()))
            }
            DeValue::String(_) => {
                let title = format!("`{name}` is blank or holds a line break");
                self.refuse(value.span(), title, "needs text".to_owned(), "write plain text on one line".to_owned());
                None
            }
            other => {
                let help = format!("write it in quotation marks: {name} = \"...\"");
                let title = format!("`{name}` is not text but a TOML {}", other.type_str());
                self.refuse(value.span(), title, "must be text".to_owned(), help);
                None
            }
        }
    }

    fn required_text(&mut self, name: &'static str, example: &str) -> Option<String> {
        if self.table.get(name).is_none() {
            self.refuse_missing(name, example);
        }
        self.text(name).map(|(text, _)| text)
    }

    fn month(&mut self, name: &'static str) -> Option<(Month, Range<usize>)> {
        let (text, span) = self.text(name)?;
        match text.parse() {
            Ok(month) => Some((month, span)),
            Err(_) => {
                self.refuse(span, format!("`{text}` is not a month"), "not a month".to_owned(), month_help(&text));
                None
            }
        }
    }

    fn required_month(&mut self, name: &'static str) -> Option<(Month, Range<usize>)> {
        if self.table.get(name).is_none() {
            self.refuse_missing(name, &format!("{name} = \"2025-12\", the last month of the history"));
        }
        self.month(name)
    }

    fn demand(&mut self) -> Option<DemandUnit> {
        if self.table.get("demand").is_none() {
            self.refuse_missing("demand", "demand = \"units\", or \"value\" when sales and panel are in money");
        }
        let (text, span) = self.text("demand")?;
        match text.as_str() {
            "units" => Some(DemandUnit::Units),
            "value" => Some(DemandUnit::Value),
            _ => {
                self.refuse(
                    span,
                    format!("`{text}` is no unit of demand"),
                    "must be \"units\" or \"value\"".to_owned(),
                    "write \"units\" (pieces, boxes) or \"value\" (money): what sales and the panel measure".to_owned(),
                );
                None
            }
        }
    }

    fn period(&mut self) {
        if let Some((text, span)) = self.text("period")
            && text != "month"
        {
            let help = "write \"month\" and sum the files by month".to_owned();
            self.refuse(span, format!("`{text}` is no period"), "only \"month\" is".to_owned(), help);
        }
    }

    fn region(&mut self) -> Option<String> {
        let (text, span) = self.text("region")?;
        if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(text);
        }
        let help = "write the country's two letters (ISO 3166), for example \"TR\" or \"US\"".to_owned();
        self.refuse(span, format!("`{text}` is no region"), "not two capital letters".to_owned(), help);
        None
    }
}

/// A place in the whole file, as TOML problems are shown.
fn whole_text_place(source: &Source, span: Range<usize>) -> Place {
    Place { file: source.name.to_owned(), line: 1, text: source.text().to_owned(), span }
}
