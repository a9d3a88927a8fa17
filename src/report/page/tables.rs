//! The tables of the page, as cells that are ready to print.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::figure::{Unit, count, percent, rounded};
use super::super::findings::Findings;
use super::super::potential_index::{Potential, index_per_head, inhabitants, relative_width};
use super::super::strategies::Strategies;
use super::super::words;
use crate::calibrate::{Identified, Verdict};
use crate::stats::Summary;

/// A table with heads.
#[derive(Serialize, Default)]
pub struct Table {
    pub heads: Vec<Head>,
    pub rows: Vec<Vec<Cell>>,
    /// A line under the body, for the whole market.
    pub total: Option<Vec<Cell>>,
    /// Whether it is so long that it should scroll in its own frame.
    pub long: bool,
}

/// The head of a column.
#[derive(Serialize)]
pub struct Head {
    pub name: String,
    pub unit: String,
    pub number: bool,
}

/// What stands in a table.
#[derive(Serialize, Default)]
pub struct Cell {
    pub text: String,
    /// Smaller, beneath: the interval.
    pub below: String,
    /// What the column is sorted by; blank for text.
    pub sort: Option<f64>,
    pub number: bool,
    /// Class of a mark around the text.
    pub mark: &'static str,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn number(text: impl Into<String>, sort: f64) -> Self {
        Self { text: text.into(), sort: Some(sort), number: true, ..Self::default() }
    }

    pub fn none() -> Self {
        Self { text: "–".to_owned(), number: true, ..Self::default() }
    }

    fn marked(text: impl Into<String>, mark: &'static str) -> Self {
        Self { text: text.into(), mark, ..Self::default() }
    }

    /// Median over its 90% interval.
    pub fn estimate(summary: &Summary, unit: &Unit) -> Self {
        let below = if summary.q05 < summary.q95 { unit.bare_interval(summary) } else { String::new() };
        Self { below, ..Self::number(unit.bare(summary.q50), summary.q50) }
    }
}

pub fn text_head(name: &str) -> Head {
    Head { name: name.to_owned(), unit: String::new(), number: false }
}

pub fn number_head(name: &str, unit: &str) -> Head {
    Head { name: name.to_owned(), unit: unit.to_owned(), number: true }
}

/// `Some` when it has rows.
pub fn filled(table: Table) -> Option<Table> {
    (!table.rows.is_empty()).then_some(table)
}

/// A check with its verdict as a word.
#[derive(Serialize)]
pub struct CheckLine<'a> {
    pub name: &'a str,
    pub verdict: &'static str,
    pub finding: &'a str,
    pub advice: &'a str,
}

/// The word for a verdict.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Review => "REVIEW",
        Verdict::Fail => "FAIL",
    }
}

/// Checks, the worst first.
pub fn checks(findings: &Findings) -> Vec<CheckLine<'_>> {
    let mut lines: Vec<_> = findings.checks.iter().collect();
    lines.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    lines
        .into_iter()
        .map(|check| CheckLine {
            name: &check.name,
            verdict: verdict(check.verdict),
            finding: &check.finding,
            advice: &check.advice,
        })
        .collect()
}

/// How much the data say about an aspect of the dark half.
#[derive(Serialize)]
pub struct IdentificationLine<'a> {
    pub aspect: String,
    /// Per cent of the bar that is filled.
    pub bar: f64,
    pub learnt: String,
    pub finding: &'a str,
}

pub fn identification(findings: &Findings) -> Vec<IdentificationLine<'_>> {
    findings
        .identification
        .iter()
        .map(|line| {
            let share = line.contraction.clamp(0.0, 1.0);
            IdentificationLine {
                aspect: words::aspect(&line.aspect),
                bar: (share * 100.0).round(),
                learnt: percent(share),
                finding: &line.finding,
            }
        })
        .collect()
}

/// Measures of the potential table.
const COLUMNS: [&str; 6] =
    ["dark_customers", "dark_demand", "attainable_sales", "untapped_share", "headroom", "share_of_wallet"];

/// Territories beyond which a table scrolls.
const LONG: usize = 30;

/// The potential by territory, most attainable first.
pub fn potential(findings: &Findings, potential: &Potential) -> Option<Table> {
    let measures: Vec<(&str, Unit)> = COLUMNS
        .into_iter()
        .filter_map(|measure| Some((measure, Unit::new(potential.unit(measure)?, &findings.currency))))
        .collect();
    if measures.is_empty() {
        return None;
    }
    let people = findings.territories.iter().any(|territory| inhabitants(territory).is_some());
    let index = index_per_head(potential, &findings.territories, "attainable_sales");
    let mut heads = vec![text_head("Territory")];
    if people {
        heads.push(number_head("Inhabitants", ""));
    }
    heads.push(number_head("Customers on file", ""));
    for (measure, unit) in &measures {
        let name = if unit.head() == "customers" { "" } else { unit.head() };
        heads.push(number_head(&words::measure(measure), name));
    }
    if people {
        heads.push(number_head("Attainable per head", "index"));
    }
    heads.push(number_head("Interval's width", "% of attainable"));

    let estimate = |id: &str, measure: &str, unit: &Unit| {
        potential.territory(id, measure).map_or_else(Cell::none, |row| Cell::estimate(&row.summary, unit))
    };
    let width = |id: &str| {
        potential
            .territory(id, "attainable_sales")
            .and_then(|row| relative_width(&row.summary))
            .map_or_else(Cell::none, |width| Cell::number(percent(width), width))
    };
    let mut order: Vec<usize> = (0..findings.territories.len()).collect();
    let attainable = |position: usize| {
        potential
            .territory(&findings.territories[position].id, "attainable_sales")
            .map_or(f64::NEG_INFINITY, |row| row.summary.q50)
    };
    order.sort_by(|&left, &right| attainable(right).total_cmp(&attainable(left)).then(left.cmp(&right)));
    let rows: Vec<Vec<Cell>> = order
        .into_iter()
        .map(|position| {
            let territory = &findings.territories[position];
            let mut row = vec![Cell::text(territory.name.as_str())];
            if people {
                row.push(
                    inhabitants(territory).map_or_else(Cell::none, |people| Cell::number(rounded(people), people)),
                );
            }
            row.push(Cell::number(count(territory.customers), territory.customers as f64));
            row.extend(measures.iter().map(|(measure, unit)| estimate(&territory.id, measure, unit)));
            if people {
                row.push(index[position].map_or_else(Cell::none, |index| Cell::number(rounded(index.round()), index)));
            }
            row.push(width(&territory.id));
            row
        })
        .collect();
    let total = potential.whole("dark_demand").or_else(|| potential.whole("attainable_sales")).map(|_| {
        let known: usize = findings.territories.iter().map(|territory| territory.customers).sum();
        let mut row = vec![Cell::text("Whole market")];
        if people {
            let all: f64 = findings.territories.iter().filter_map(inhabitants).sum();
            row.push(Cell::number(rounded(all), all));
        }
        row.push(Cell::number(count(known), known as f64));
        row.extend(measures.iter().map(|(measure, unit)| estimate("*", measure, unit)));
        if people {
            row.push(Cell::number("100", 100.0));
        }
        row.push(width("*"));
        row
    });
    let long = rows.len() > LONG;
    filled(Table { heads, rows, total, long })
}

/// Metrics of the comparison, in the order of their rows; what no strategy has gets no row.
const METRICS: [&str; 18] = [
    "p_best",
    "p_best_chance",
    "p_loss",
    "p_target",
    "incremental_sales",
    "incremental_sales_present",
    "incremental_margin",
    "cost",
    "roi",
    "npv",
    "payback_months",
    "cash_low_point",
    "break_even",
    "customers_found",
    "new_customers",
    "share",
    "regret",
    "chance_share",
];

/// One column a strategy, most likely best first; one row a metric.
pub fn strategies(findings: &Findings, strategies: &Strategies) -> Option<Table> {
    let mut heads = vec![text_head("")];
    heads.extend(strategies.names.iter().map(|name| {
        let baseline = findings.baseline.as_ref() == Some(name);
        number_head(name, if baseline { "baseline" } else { "" })
    }));
    let rows = METRICS
        .into_iter()
        .filter(|metric| strategies.has(metric))
        .filter_map(|metric| Some((metric, Unit::new(strategies.unit(metric)?, &findings.currency))))
        .map(|(metric, unit)| {
            let mut row = vec![Cell {
                below: unit.caption().unwrap_or_default().to_owned(),
                ..Cell::text(words::metric(metric))
            }];
            row.extend(strategies.names.iter().map(|name| match (strategies.of_metric(name, metric), metric) {
                (None, _) => Cell::none(),
                (Some(summary), "p_best" | "p_best_chance" | "p_loss" | "p_target" | "chance_share") => {
                    Cell::number(percent(summary.mean), summary.mean)
                }
                (Some(summary), "regret") => Cell {
                    below: format!("95%: {}", unit.bare(summary.q95)),
                    ..Cell::number(unit.bare(summary.mean), summary.mean)
                },
                (Some(summary), _) => Cell::estimate(&summary, &unit),
            }));
            row
        })
        .collect();
    filled(Table { heads, rows, ..Table::default() })
}

/// Parameters shown in the report.
const PARAMETERS: usize = 8;

/// What knowing a parameter before the choice would be worth.
pub fn sensitivity(findings: &Findings) -> Option<Table> {
    let known = &findings.comparison.as_ref()?.sensitivity;
    let unit = Unit::new(&known.first()?.unit, &findings.currency);
    let rows = known
        .iter()
        .take(PARAMETERS)
        .map(|row| {
            vec![
                Cell::text(&row.parameter),
                Cell::number(unit.bare(row.worth), row.worth),
                Cell::text(&row.best_if_low),
                Cell::text(&row.best_if_high),
            ]
        })
        .collect();
    let heads = vec![
        text_head("Parameter"),
        number_head("Worth of knowing it", unit.head()),
        text_head("Best where it is low"),
        text_head("Best where it is high"),
    ];
    filled(Table { heads, rows, ..Table::default() })
}

/// What each strategy hangs on.
pub fn drivers(findings: &Findings) -> Option<Table> {
    let rows = &findings.comparison.as_ref()?.drivers;
    let rows = rows
        .iter()
        .map(|row| {
            vec![
                Cell::text(&row.strategy),
                Cell::text(&row.parameter),
                Cell::number(percent(row.share), row.share),
                Cell::text(row.origin.to_string()),
            ]
        })
        .collect();
    let heads = vec![
        text_head("Strategy"),
        text_head("Hangs on"),
        number_head("Of what is uncertain", ""),
        text_head("Which is from"),
    ];
    filled(Table { heads, rows, ..Table::default() })
}

/// When strategies would have to change.
pub fn triggers(findings: &Findings) -> Option<Table> {
    let rows = &findings.comparison.as_ref()?.triggers;
    let rows = rows
        .iter()
        .map(|row| {
            let months = if row.for_months > 1 { format!(" for {} months", row.for_months) } else { String::new() };
            vec![
                Cell::text(&row.strategy),
                Cell::text(format!("{} {}{months}", row.measure.replace('_', " "), row.condition)),
                Cell::text(row.then.clone().unwrap_or_default()),
                Cell::number(percent(row.probability), row.probability),
                match &row.month {
                    Some(month) => Cell::number(format!("{:.0}", month.q50), month.q50),
                    None => Cell::none(),
                },
            ]
        })
        .collect();
    let heads = vec![
        text_head("Strategy"),
        text_head("Changes when"),
        text_head("To"),
        number_head("Chance", "within the horizon"),
        number_head("Month", "median, of those in which it does"),
    ];
    filled(Table { heads, rows, ..Table::default() })
}

/// Where to try strategies first.
pub fn pilots(findings: &Findings) -> Option<Table> {
    let rows = &findings.comparison.as_ref()?.pilots;
    let rows = rows
        .iter()
        .map(|row| {
            vec![
                Cell::text(&row.strategy),
                Cell::text(row.territories.join(", ")),
                Cell::text(row.controls.join(", ")),
                Cell::text(format!("{} to {}", row.start, row.end)),
                Cell::number(share(row.expected_lift), row.expected_lift),
                Cell::number(share(row.detectable_lift), row.detectable_lift),
                Cell::number(percent(row.power), row.power),
            ]
        })
        .collect();
    let heads = vec![
        text_head("Strategy"),
        text_head("Try it in"),
        text_head("Against"),
        text_head("Months"),
        number_head("Expected lift", ""),
        number_head("Noticed from", "in 80% of trials"),
        number_head("Power", ""),
    ];
    filled(Table { heads, rows, ..Table::default() })
}

fn share(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// The next actions of all targets together; customers are named in `targets.csv` only.
pub fn next_actions(findings: &Findings) -> Option<Table> {
    let targets = &findings.comparison.as_ref()?.targets;
    let mut groups: BTreeMap<(&str, &str, &str), (usize, f64)> = BTreeMap::new();
    for target in targets.iter().filter(|target| !target.kind.starts_with("prospect")) {
        let group = groups.entry((&target.kind, &target.next_action, &target.best_channel)).or_default();
        group.0 += 1;
        group.1 += target.expected_value.mean;
    }
    let unit = Unit::new(&targets.first()?.unit, &findings.currency);
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|left, right| right.1.1.total_cmp(&left.1.1));
    let rows = groups
        .into_iter()
        .map(|((kind, action, channel), (targets, value))| {
            vec![
                Cell::text(kind),
                Cell::text(action),
                Cell::text(channel.replace('_', " ")),
                Cell::number(count(targets), targets as f64),
                Cell::number(unit.bare(value), value),
            ]
        })
        .collect();
    let heads = vec![
        text_head("Customers"),
        text_head("Next action"),
        text_head("Channel"),
        number_head("How many", ""),
        number_head("Expected to add, mean", &format!("{} a year", unit.head())),
    ];
    filled(Table { heads, rows, ..Table::default() })
}

/// Prospect cells shown in the report.
const PROSPECTS: usize = 10;

/// The territories whose dark half promises most.
pub fn prospects(findings: &Findings) -> Option<Table> {
    let targets = &findings.comparison.as_ref()?.targets;
    let mut cells: Vec<_> = targets.iter().filter(|target| target.kind == "prospects").collect();
    cells.sort_by(|left, right| right.expected_value.mean.total_cmp(&left.expected_value.mean));
    let unit = Unit::new(&cells.first()?.unit, &findings.currency);
    let name = |id: &str| {
        findings
            .territories
            .iter()
            .find(|territory| territory.id == id)
            .map_or_else(|| id.to_owned(), |t| t.name.clone())
    };
    let rows = cells
        .into_iter()
        .take(PROSPECTS)
        .map(|target| {
            vec![
                Cell::text(name(&target.territory_id)),
                Cell::text(target.next_action.as_str()),
                Cell::text(target.best_channel.replace('_', " ")),
                Cell::estimate(&target.headroom, &unit),
                Cell::estimate(&target.expected_value, &unit),
            ]
        })
        .collect();
    let heads = vec![
        text_head("Prospects in"),
        text_head("Next action"),
        text_head("Channel"),
        number_head("Headroom", unit.head()),
        number_head("Expected to add", &format!("{} a year", unit.head())),
    ];
    filled(Table { heads, rows, ..Table::default() })
}

pub fn evidence(findings: &Findings) -> Option<Table> {
    let rows = findings
        .evidence
        .iter()
        .map(|evidence| {
            let unit = Unit::new(&evidence.unit, &findings.currency);
            vec![
                Cell::text(words::measure(&evidence.measure)),
                Cell::text(evidence.name.as_str()),
                Cell {
                    below: unit.bare_interval(&evidence.estimate),
                    ..Cell::number(unit.full(evidence.estimate.q50), evidence.estimate.q50)
                },
                Cell::text(evidence.remark.as_str()),
            ]
        })
        .collect();
    let heads =
        vec![text_head("Of"), text_head("Source"), number_head("Its own estimate", ""), text_head("What it assumes")];
    filled(Table { heads, rows, ..Table::default() })
}

/// Class of the mark for an origin.
fn origin_mark(origin: crate::origin::Origin) -> &'static str {
    match origin {
        crate::origin::Origin::YourData => "data",
        crate::origin::Origin::Literature => "literature",
        crate::origin::Origin::Assumption => "assumption",
    }
}

pub fn assumptions(findings: &Findings) -> Option<Table> {
    let rows = findings
        .comparison
        .as_ref()?
        .assumptions
        .iter()
        .map(|assumption| {
            vec![
                Cell::text(assumption.name.as_str()),
                Cell::text(assumption.value.as_str()),
                Cell::marked(assumption.origin.to_string(), origin_mark(assumption.origin)),
                Cell::text(assumption.source.as_str()),
            ]
        })
        .collect();
    let heads =
        vec![text_head("What"), text_head("Median and 90% range"), text_head("Comes from"), text_head("Source")];
    filled(Table { heads, rows, ..Table::default() })
}

pub fn parameters(findings: &Findings) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = findings
        .diagnostics
        .iter()
        .map(|line| {
            let unit = Unit::new(&line.unit, &findings.currency);
            let (identified, mark) = match line.identified {
                Identified::Yes => ("yes", "data"),
                Identified::Weak => ("weak", "literature"),
                Identified::No => ("no", "assumption"),
            };
            vec![
                Cell::text(line.parameter.as_str()),
                Cell::text(line.unit.as_str()),
                Cell::estimate(&line.summary, &unit),
                line.contraction.map_or_else(Cell::none, |c| Cell::number(percent(c.max(0.0)), c)),
                Cell::marked(identified, mark),
                Cell::marked(line.origin.to_string(), origin_mark(line.origin)),
                Cell::text(line.source.as_str()),
            ]
        })
        .collect();
    let heads = vec![
        text_head("Parameter"),
        text_head("Unit"),
        number_head("Median", "90% interval"),
        number_head("Contraction", ""),
        text_head("Identified"),
        text_head("Comes from"),
        text_head("Source"),
    ];
    let long = rows.len() > LONG;
    filled(Table { heads, rows, long, ..Table::default() })
}

pub fn actions_found(findings: &Findings) -> Option<Table> {
    let name = |id: &str| match id {
        "*" => "whole market".to_owned(),
        id => findings
            .territories
            .iter()
            .find(|territory| territory.id == id)
            .map_or_else(|| id.to_owned(), |territory| territory.name.clone()),
    };
    let rows: Vec<Vec<Cell>> = findings
        .actions_found
        .iter()
        .map(|action| {
            let unit = Unit::new(&action.unit, &findings.currency);
            vec![
                Cell::text(action.company.as_str()),
                Cell::text(name(&action.territory)),
                Cell::text(format!("{} to {}", action.start, action.end)),
                Cell::text(action.kind.as_str()),
                Cell {
                    below: unit.bare_interval(&action.depth),
                    ..Cell::number(unit.full(action.depth.q50), action.depth.q50)
                },
                Cell::number(percent(action.probability), action.probability),
            ]
        })
        .collect();
    let heads = vec![
        text_head("Company"),
        text_head("Where"),
        text_head("When"),
        text_head("Kind"),
        number_head("Depth", ""),
        number_head("Probability", ""),
    ];
    let long = rows.len() > LONG;
    filled(Table { heads, rows, long, ..Table::default() })
}
