//! TOML to a checked [`Description`]: wrong shapes are found by serde, wrong numbers and names here, each underlined.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml_edit::{Document, Item};

use super::description::*;
use super::turkiye;
use crate::problem::{Place, Problem};
use crate::units::{DemandUnit, Month, MonthSpan};

/// The demonstration market, as committed in `scenarios/markets/turkiye.toml`.
const DEMONSTRATION: &str = include_str!("../../scenarios/markets/turkiye.toml");
/// A market small enough for tests, as committed in `scenarios/markets/small.toml`.
const SMALL: &str = include_str!("../../scenarios/markets/small.toml");

impl Description {
    /// Reads a description from a file.
    ///
    /// # Errors
    /// Every problem of the file, each with its place in it.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        let shown = path.display();
        let bytes = std::fs::read(path).map_err(|error| {
            let help = "give the path of a TOML file, for example scenarios/markets/turkiye.toml";
            vec![Problem::error(format!("cannot read {shown}: {error}")).help(help)]
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let help = format!("save it as UTF-8, or convert it: iconv -f WINDOWS-1254 -t UTF-8 {shown}");
            vec![Problem::error(format!("{shown} is not UTF-8 text")).help(help)]
        })?;
        Self::parse(&text, &shown.to_string())
    }

    /// Parses a description; `path` is only shown in problems.
    ///
    /// # Errors
    /// Every problem of the text, each with its place in it.
    pub fn parse(text: &str, path: &str) -> Result<Self, Vec<Problem>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let raw: Raw = toml::from_str(text).map_err(|error| vec![shape_problem(&error, text, path)])?;
        let document = Document::parse(text).map_err(|error| {
            vec![Problem::error(error.message()).at(place(text, path, error.span().unwrap_or(0..0)), "here")]
        })?;
        let mut checker = Checker { text, path, root: document.as_item(), problems: Vec::new() };
        let description = checker.check(raw);
        match description {
            Some(description) if checker.problems.is_empty() => Ok(description),
            _ => Err(checker.problems),
        }
    }

    /// The demonstration market: Türkiye's 81 provinces, about 20,000 customers, eight years.
    pub fn turkiye() -> Self {
        Self::parse(DEMONSTRATION, "scenarios/markets/turkiye.toml").expect("a test holds the committed file to this")
    }

    /// A market small enough for tests: six territories, 300 customers, three years.
    pub fn small() -> Self {
        Self::parse(SMALL, "scenarios/markets/small.toml").expect("a test holds the committed file to this")
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    #[serde(default = "defaults::seed")]
    seed: u64,
    #[serde(default = "defaults::months")]
    months: u32,
    #[serde(default = "defaults::history_end")]
    history_end: String,
    #[serde(default = "defaults::customers")]
    customers: u32,
    #[serde(default = "half")]
    dark_share: f64,
    #[serde(default = "defaults::territories")]
    territories: TerritorySource,
    #[serde(default = "defaults::demand")]
    demand: RawDemand,
    #[serde(default = "defaults::currency")]
    currency: String,
    region: Option<String>,
    #[serde(default = "defaults::unit_price")]
    unit_price: f64,
    #[serde(default)]
    inflation: Vec<f64>,
    #[serde(default)]
    strength: std::collections::BTreeMap<String, f64>,
    #[serde(default)]
    coverage: std::collections::BTreeMap<String, f64>,
    #[serde(default = "defaults::companies")]
    company: Vec<Company>,
    #[serde(default = "defaults::segments")]
    segment: Vec<Segment>,
    #[serde(default)]
    list: Vec<List>,
    #[serde(default)]
    panel: Panel,
    #[serde(default)]
    survey: Survey,
    #[serde(default)]
    records: Records,
    #[serde(default)]
    field_force: FieldForce,
    #[serde(default)]
    mail: Mail,
    #[serde(default)]
    rivals: Rivals,
    #[serde(default)]
    truth: Truth,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawDemand {
    Units,
    Value,
}

mod defaults {
    use super::*;

    pub fn seed() -> u64 {
        2026
    }
    pub fn months() -> u32 {
        96
    }
    pub fn history_end() -> String {
        "2025-12".into()
    }
    pub fn customers() -> u32 {
        20_000
    }
    pub fn territories() -> TerritorySource {
        TerritorySource::Turkiye
    }
    pub fn demand() -> RawDemand {
        RawDemand::Units
    }
    pub fn currency() -> String {
        "TRY".into()
    }
    pub fn unit_price() -> f64 {
        240.0
    }
    pub fn companies() -> Vec<Company> {
        let company = |id: &str, name: &str, weight| Company { id: id.into(), name: name.into(), weight };
        vec![company("us", "Our company", 1.0), company("rival", "The others", 1.0)]
    }
    pub fn segments() -> Vec<Segment> {
        let segment = Segment {
            id: "independent".into(),
            weight: 1.0,
            median_size: 60.0,
            size_sd: 0.9,
            appeal: 0.0,
            price: 1.0,
            digital: 0.5,
        };
        vec![segment]
    }
}

/// A problem that serde found: the shape is wrong.
fn shape_problem(error: &toml::de::Error, text: &str, path: &str) -> Problem {
    let message = error.message().lines().collect::<Vec<_>>().join("; ");
    let span = error.span().unwrap_or(0..0);
    let problem = |title: String| Problem::error(title).at(place(text, path, span.clone()), "here");
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, Some((wrong, known))) = (message.starts_with("unknown"), quoted.split_first()) {
        let nearest = known.iter().min_by_key(|name| strsim::damerau_levenshtein(name, wrong));
        let title = format!("there is no field `{wrong}` here");
        return match nearest.filter(|name| strsim::damerau_levenshtein(name, wrong) <= 2) {
            Some(name) => problem(title).help(format!("did you mean `{name}`?")),
            None => problem(title).help(format!("fields are {}", known.join(", "))),
        };
    }
    if let Some(missing) = message.strip_prefix("missing field ") {
        return problem(format!("the field {missing} is missing")).help(format!("write {missing} = ..."));
    }
    problem(message)
}

fn place(text: &str, path: &str, span: Range<usize>) -> Place {
    Place { file: path.into(), line: 1, text: text.into(), span }
}

/// Checks what serde cannot, and collects every problem.
struct Checker<'a> {
    text: &'a str,
    path: &'a str,
    root: &'a Item,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn check(&mut self, raw: Raw) -> Option<Description> {
        self.range("months", f64::from(raw.months), 13.0, 360.0, "the history needs a year and a month at the least");
        let end = raw.history_end.parse::<Month>();
        if end.is_err() {
            self.problem("history_end", "this is not a month", "write months as YYYY-MM, for example 2025-12");
        }
        self.range("customers", f64::from(raw.customers), 10.0, 5e6, "");
        self.range("dark_share", raw.dark_share, 0.05, 0.9, "it is a fraction: 0.5 means that half is dark");
        self.positive("unit_price", raw.unit_price);
        for (position, &rise) in raw.inflation.iter().enumerate() {
            self.range(&format!("inflation.{position}"), rise, -0.5, 10.0, "it is a fraction: 0.36 means 36% a year");
        }
        if let TerritorySource::Grid(count) = raw.territories {
            self.range("territories", f64::from(count), 1.0, 20_000.0, "");
        }
        self.names(&raw);
        self.places("strength", &raw.strength, raw.territories);
        self.places("coverage", &raw.coverage, raw.territories);
        for (position, company) in raw.company.iter().enumerate() {
            self.positive(&format!("company.{position}.weight"), company.weight);
        }
        for (position, segment) in raw.segment.iter().enumerate() {
            let at = |field: &str| format!("segment.{position}.{field}");
            self.positive(&at("weight"), segment.weight);
            self.positive(&at("median_size"), segment.median_size);
            self.range(&at("size_sd"), segment.size_sd, 0.0, 3.0, "");
            self.range(&at("appeal"), segment.appeal, -5.0, 5.0, "");
            self.range(&at("price"), segment.price, 0.1, 10.0, "it is relative to unit_price: 0.97 means 3% less");
            self.fraction(&at("digital"), segment.digital);
        }
        for (position, list) in raw.list.iter().enumerate() {
            let at = |field: &str| format!("list.{position}.{field}");
            self.range(&at("coverage"), list.coverage, 0.001, 0.999, "it is a fraction between 0 and 1");
            self.range(&at("visibility"), list.visibility, -5.0, 5.0, "");
            self.range(&at("territory_sd"), list.territory_sd, 0.0, 3.0, "");
        }
        self.numbers(&raw);

        let months = i32::try_from(raw.months).ok()?;
        let last = end.ok()?;
        let history = MonthSpan::new(last.plus(1 - months), last)?;
        Some(Description {
            name: raw.name,
            seed: raw.seed,
            history,
            customers: raw.customers,
            dark_share: raw.dark_share,
            territories: raw.territories,
            demand: match raw.demand {
                RawDemand::Units => DemandUnit::Units,
                RawDemand::Value => DemandUnit::Value,
            },
            currency: raw.currency,
            region: raw.region.or_else(|| (raw.territories == TerritorySource::Turkiye).then(|| "TR".into())),
            unit_price: raw.unit_price,
            inflation: raw.inflation,
            companies: raw.company,
            segments: raw.segment,
            strength: raw.strength.into_iter().collect(),
            coverage: raw.coverage.into_iter().collect(),
            lists: raw.list,
            panel: raw.panel,
            survey: raw.survey,
            records: raw.records,
            field_force: raw.field_force,
            mail: raw.mail,
            rivals: raw.rivals,
            truth: raw.truth,
        })
    }

    /// The numbers of the tables that are there once.
    fn numbers(&mut self, raw: &Raw) {
        self.range("panel.noise", raw.panel.noise, 0.0, 0.5, "it is the sd of a log error: 0.02 means about 2%");
        self.range("survey.noise", raw.survey.noise, 0.0, 1.0, "");
        for (at, value) in [
            ("records.size_known", raw.records.size_known),
            ("records.closures_known", raw.records.closures_known),
            ("records.moves_known", raw.records.moves_known),
            ("field_force.prospecting", raw.field_force.prospecting),
            ("rivals.loading", raw.rivals.loading),
            ("rivals.loading_other", raw.rivals.loading_other),
        ] {
            self.fraction(at, value);
        }
        self.range("records.size_noise", raw.records.size_noise, 0.0, 2.0, "");

        let field_force = &raw.field_force;
        self.range("field_force.reps", f64::from(field_force.reps), 1.0, 100_000.0, "");
        let at_start = f64::from(field_force.reps_at_start);
        self.range("field_force.reps_at_start", at_start, 0.0, f64::from(field_force.reps), "it is part of `reps`");
        self.positive("field_force.calls_per_month", field_force.calls_per_month);
        self.range("field_force.monthly_cost", field_force.monthly_cost, 0.0, 1e12, "");
        self.range("field_force.leave_hazard", field_force.leave_hazard, 0.0, 0.5, "it is a hazard a month");
        self.range("field_force.favours_size", field_force.favours_size, -2.0, 3.0, "");
        self.range("field_force.favours_taste", field_force.favours_taste, -2.0, 2.0, "");
        self.range("mail.emails", raw.mail.emails, 0.0, 30.0, "");
        self.range("mail.phone_calls", raw.mail.phone_calls, 0.0, 30.0, "");
        self.range("rivals.campaigns_per_year", raw.rivals.campaigns_per_year, 0.0, 12.0, "");
        self.range("rivals.push", raw.rivals.push, -3.0, 3.0, "");
        self.range("rivals.loading_depth", raw.rivals.loading_depth, 0.0, 6.0, "it is counted in months of demand");

        let truth = &raw.truth;
        for (position, &index) in truth.season.iter().enumerate() {
            self.range(&format!("truth.season.{position}"), index, 0.01, 12.0, "a month's index is 1 on average");
        }
        let feasts = &truth.feasts;
        for (at, value) in [
            ("truth.feasts.pre", feasts.pre),
            ("truth.feasts.feast", feasts.feast),
            ("truth.feasts.post", feasts.post),
            ("truth.feasts.fast", feasts.fast),
        ] {
            self.range(at, value, -0.95, 5.0, "it is the change of a day's demand: 0.08 means 8% more");
        }
        self.range("truth.growth", truth.growth, -0.5, 1.0, "it is a fraction a year");
        self.range("truth.shock_sd", truth.shock_sd, 0.0, 1.0, "");
        self.range("truth.share", truth.share, 0.001, 0.95, "it is a fraction between 0 and 1");
        self.range("truth.taste_sd", truth.taste_sd, 0.0, 3.0, "");
        self.range("truth.territory_sd", truth.territory_sd, 0.0, 2.0, "");
        self.range("truth.goodwill_decay", truth.goodwill_decay, 0.0, 0.99, "it is the share left a month later");
        for (at, value) in [
            ("truth.visit_effect", truth.visit_effect),
            ("truth.phone_effect", truth.phone_effect),
            ("truth.email_effect", truth.email_effect),
        ] {
            self.range(at, value, -2.0, 2.0, "it is in log odds for one contact a month");
        }
        self.positive("truth.half_saturation", truth.half_saturation);
        self.positive("truth.order_unit", truth.order_unit);
        self.range("truth.known_at_start", truth.known_at_start, 0.0, 0.9, "it is a fraction between 0 and 1");
        self.range("truth.visibility_of_size", truth.visibility_of_size, -2.0, 3.0, "");
        self.range("truth.visibility_of_taste", truth.visibility_of_taste, -2.0, 3.0, "");
        self.range("truth.referral", truth.referral, 0.0, 100.0, "");
        self.range("truth.prospecting_yield", truth.prospecting_yield, 0.0, 1.0, "");
        self.range("truth.conversion", truth.conversion, 0.0, 1.0, "it is a hazard a month");
        self.range("truth.conversion_goodwill", truth.conversion_goodwill, 0.0, 10.0, "");
        self.range("truth.churn", truth.churn, 0.0, 1.0, "it is a hazard a month");
        self.range("truth.closure", truth.closure, 0.0, 0.5, "it is a share a year");
        self.range("truth.birth", truth.birth, 0.0, 0.5, "it is a share a year");
    }

    /// Names of companies, segments and lists: there, plain, and used once.
    fn names(&mut self, raw: &Raw) {
        if raw.company.len() < 2 {
            let help = "add a [[company]] for us and one for each rival, ours first";
            self.problem("company", "a market needs us and at least one rival", help);
        }
        if raw.segment.is_empty() {
            self.problem("segment", "a market needs at least one segment", "add a [[segment]] table");
        }
        let groups: [(&str, Vec<&str>); 3] = [
            ("company", raw.company.iter().map(|company| company.id.as_str()).collect()),
            ("segment", raw.segment.iter().map(|segment| segment.id.as_str()).collect()),
            ("list", raw.list.iter().map(|list| list.id.as_str()).collect()),
        ];
        for (table, ids) in groups {
            let mut seen = BTreeSet::new();
            for (position, id) in ids.into_iter().enumerate() {
                let at = format!("{table}.{position}.id");
                let plain = !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
                if !plain || id == "*" {
                    self.problem(&at, "an id is made of letters, digits, `_` and `-`", "for example \"anka\"");
                }
                if (table, id) == ("list", "crm") {
                    let title = "`crm` is the name of our own list";
                    self.problem(&at, title, "customers.csv itself is always a list; give the others other names");
                }
                if !seen.insert(id) {
                    self.problem(&at, &format!("`{id}` is named twice"), "give each its own id");
                }
            }
        }
    }

    /// Regions or territories of `[strength]` and `[coverage]`.
    fn places(&mut self, table: &str, values: &std::collections::BTreeMap<String, f64>, source: TerritorySource) {
        let known: BTreeSet<String> = match source {
            TerritorySource::Turkiye => {
                let provinces = turkiye::provinces();
                provinces.iter().flat_map(|province| [province.region.to_owned(), province.id.to_owned()]).collect()
            }
            TerritorySource::Grid(count) => (0..count).map(super::world::grid_id).collect(),
        };
        for (name, &value) in values {
            let at = format!("{table}.{name}");
            self.range(&at, value, -3.0, 3.0, "it is a logarithm: 0 is as everywhere");
            if !known.contains(name) {
                let title = format!("there is no region or territory `{name}`");
                let nearest = known.iter().min_by_key(|other| strsim::damerau_levenshtein(other, name));
                let help = nearest.map_or_else(String::new, |name| format!("did you mean \"{name}\"?"));
                self.problem(&at, &title, &help);
            }
        }
    }

    fn fraction(&mut self, at: &str, value: f64) {
        self.range(at, value, 0.0, 1.0, "it is a fraction between 0 and 1");
    }

    fn positive(&mut self, at: &str, value: f64) {
        if !(value.is_finite() && value > 0.0) {
            self.problem(at, &format!("{value} is not above 0"), "write a number above 0");
        }
    }

    fn range(&mut self, at: &str, value: f64, low: f64, high: f64, meaning: &str) {
        if !(low..=high).contains(&value) {
            let help = format!("write a number from {low} to {high}");
            let help = if meaning.is_empty() { help } else { format!("{help}; {meaning}") };
            self.problem(at, &format!("{value} is out of range"), &help);
        }
    }

    fn problem(&mut self, at: &str, title: &str, help: &str) {
        let label = at.rsplit('.').find(|part| part.parse::<usize>().is_err()).unwrap_or(at);
        let problem = Problem::error(title).at(place(self.text, self.path, self.span(at)), format!("`{label}`"));
        self.problems.push(if help.is_empty() { problem } else { problem.help(help) });
    }

    /// Bytes of the value at a dotted path; numbers are positions in arrays. The nearest table that is there stands for
    /// a value that is not.
    fn span(&self, at: &str) -> Range<usize> {
        let mut span = 0..self.text.find('\n').unwrap_or(self.text.len());
        let mut item = self.root;
        let mut parts = at.split('.');
        for part in parts.by_ref() {
            let next = match part.parse::<usize>() {
                Ok(position) if item.is_array_of_tables() => {
                    // A table in an array is no item of its own: its field is looked up here.
                    let Some(table) = item.as_array_of_tables().and_then(|tables| tables.get(position)) else { break };
                    span = table.span().unwrap_or(span);
                    let field = parts.next().and_then(|field| table.get(field));
                    return field.and_then(Item::span).unwrap_or(span);
                }
                Ok(position) => {
                    let value = item.as_array().and_then(|values| values.get(position));
                    return value.and_then(toml_edit::Value::span).unwrap_or(span);
                }
                Err(_) => item.get(part),
            };
            let Some(next) = next else { break };
            span = next.span().unwrap_or(span);
            item = next;
        }
        span
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::render;

    fn problems_of(text: &str) -> String {
        render(&Description::parse(text, "market.toml").unwrap_err(), false)
    }

    #[test]
    fn the_committed_descriptions_parse() {
        assert_eq!(Description::turkiye().history.len(), 96);
        assert_eq!(Description::small().territories, TerritorySource::Grid(6));
    }

    #[test]
    fn a_name_is_enough() {
        let description = Description::parse("name = \"Anything\"", "market.toml").unwrap();
        assert_eq!(description.customers, 20_000);
        assert_eq!(description.region.as_deref(), Some("TR"));
    }

    #[test]
    fn every_wrong_number_is_underlined() {
        insta::assert_snapshot!(problems_of(
            "name = \"Wrong\"\nmonths = 6\nhistory_end = \"2025-13\"\ndark_share = 50.0\nterritories = { grid = 4 }\n\n\
             [strength]\nT5 = 0.3\n\n[[company]]\nid = \"us\"\nname = \"Us\"\n\n[[company]]\nid = \"us\"\nname = \"Them\"\n\
             weight = -1.0\n\n[[list]]\nid = \"crm\"\ncoverage = 1.5\nvisibility = 0.5\n\n[truth]\nchurn = nan\n"
        ));
    }

    #[test]
    fn an_unknown_field_asks_what_was_meant() {
        insta::assert_snapshot!(problems_of("name = \"Wrong\"\n\n[panel]\nnoize = 0.1\n"));
    }

    #[test]
    fn a_wrong_type_is_underlined() {
        insta::assert_snapshot!(problems_of("name = \"Wrong\"\ncustomers = \"many\"\n"));
    }

    #[test]
    fn a_missing_name_and_broken_toml_are_told() {
        insta::assert_snapshot!(problems_of("customers = 20\n"));
        insta::assert_snapshot!(problems_of("name = \"Wrong\n"));
    }
}
