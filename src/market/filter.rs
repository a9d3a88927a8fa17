//! A `who` expression bound to a market: attributes resolved to columns, percentiles and names to numbers.
//!
//! Attributes are those of `history_end`. A missing value fits no comparison except `!=`. Percentiles are type 7, among
//! the customers of `customers.csv`. `size` is the twin's own estimate of a customer's category demand (it differs from
//! draw to draw, so its percentiles are taken within the draw), and dark agents have one too; every other attribute of a
//! dark agent is that of the known customer it was modelled on, except that it has no sales and no stage but `dark`.
//!
//! [`Selection::fits`] judges an agent as it is at the start. What changes as customers behave (stage, own sales, recency,
//! affinity) is judged anew each month where a strategy is simulated; for that an expression can be walked ([`Expression`]).

use crate::data::Customers;
use crate::problem::Problem;
use crate::scenario::filter::{Comparison, Filter, FilterValue, Operator};
use crate::scenario::suggest::nearest;
use crate::scenario::{Located, Source};
use crate::stats::quantile_sorted;

use super::Market;

/// A bound expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// The twin's size against a number or a percentile of the draw's known customers.
    Size(Operator, Bound),
    /// A column of the customer modelled on, as 64-bit numbers with `None` for missing.
    Number(Column, Operator, f64),
    Text(TextColumn, bool, u32),
    Stage(bool, AgentStage),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    Number(f64),
    Percentile(u8),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    OwnSales,
    Recency,
    Affinity,
    Influence,
    Digital,
    PriceSensitivity,
    Covariate(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TextColumn {
    Segment,
    Territory,
}

/// What of a customer changes as it behaves, besides its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Own sales of the last 12 months, demand units.
    OwnSales,
    /// Months since the last order.
    Recency,
    /// 0 to 1.
    Affinity,
}

/// A bound expression or a part of it, for whoever compiles it.
#[derive(Debug, Clone, Copy)]
pub struct Expression<'a>(&'a Node);

/// What an expression is made of.
#[derive(Debug, Clone)]
pub enum Shape<'a> {
    And(Vec<Expression<'a>>),
    Or(Vec<Expression<'a>>),
    Not(Expression<'a>),
    /// Against a number, in the unit of the attribute; what is missing fits `!=` alone.
    Behaviour(Behaviour, Operator, f64),
    /// Whether the stage is (or is not) this one.
    Stage(bool, AgentStage),
    /// What cannot change: see [`Expression::fits`].
    Fixed,
}

impl<'a> Expression<'a> {
    /// Whether its answer can change as customers behave.
    pub fn changes(self) -> bool {
        match self.shape() {
            Shape::And(parts) | Shape::Or(parts) => parts.into_iter().any(Self::changes),
            Shape::Not(part) => part.changes(),
            Shape::Behaviour(..) | Shape::Stage(..) => true,
            Shape::Fixed => false,
        }
    }

    /// Its parts.
    pub fn shape(self) -> Shape<'a> {
        let all = |parts: &'a [Node]| parts.iter().map(Self).collect();
        match self.0 {
            Node::And(parts) => Shape::And(all(parts)),
            Node::Or(parts) => Shape::Or(all(parts)),
            Node::Not(part) => Shape::Not(Self(part)),
            Node::Stage(equal, stage) => Shape::Stage(*equal, *stage),
            Node::Number(Column::OwnSales, operator, right) => Shape::Behaviour(Behaviour::OwnSales, *operator, *right),
            Node::Number(Column::Recency, operator, right) => Shape::Behaviour(Behaviour::Recency, *operator, *right),
            Node::Number(Column::Affinity, operator, right) => Shape::Behaviour(Behaviour::Affinity, *operator, *right),
            Node::Size(..) | Node::Number(..) | Node::Text(..) => Shape::Fixed,
        }
    }

    /// As [`Selection::fits`].
    pub fn fits(
        self,
        agent: &AgentView,
        market: &Market,
        attributes: &CustomerAttributes,
        size_percentiles: &SizePercentiles,
    ) -> bool {
        fits(self.0, agent, market, attributes, size_percentiles)
    }

    /// Where it lies: the same for the same part of the same selection.
    pub fn address(self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

/// What a filter can ask about an agent's relation to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStage {
    Dark,
    Identified,
    Served,
    Lapsed,
}

/// An agent as a filter sees it.
#[derive(Debug, Clone, Copy)]
pub struct AgentView {
    /// The customer itself, or the known one that a dark agent was modelled on; `None` in a market without customers.
    pub customer: Option<usize>,
    pub territory: usize,
    /// Category demand a month.
    pub size: f64,
    pub stage: AgentStage,
}

/// Per-customer attributes that filters use and that need computing.
#[derive(Debug, Clone)]
pub struct CustomerAttributes {
    /// Own sales in the 12 months to `history_end`.
    pub own_sales: Vec<f64>,
    /// Months since the last order; `None` = never ordered.
    pub recency: Vec<Option<f64>>,
}

impl CustomerAttributes {
    /// Computes them for a market.
    pub fn of(market: &Market) -> Self {
        let last = market.months() as f64 - 1.0;
        Self {
            own_sales: market.own_last_year(),
            recency: market.last_order().iter().map(|month| month.map(|month| last - month as f64)).collect(),
        }
    }
}

impl Column {
    fn value(self, customers: &Customers, attributes: &CustomerAttributes, customer: usize) -> Option<f64> {
        match self {
            Self::OwnSales => Some(attributes.own_sales[customer]),
            Self::Recency => attributes.recency[customer],
            Self::Affinity => customers.affinity[customer],
            Self::Influence => customers.influence[customer],
            Self::Digital => customers.digital[customer],
            Self::PriceSensitivity => customers.price_sensitivity[customer],
            Self::Covariate(index) => customers.covariates[index].values[customer],
        }
    }
}

fn holds(operator: Operator, left: f64, right: f64) -> bool {
    match operator {
        Operator::Greater => left > right,
        Operator::GreaterOrEqual => left >= right,
        Operator::Less => left < right,
        Operator::LessOrEqual => left <= right,
        Operator::Equal => left == right,
        Operator::NotEqual => left != right,
    }
}

impl Selection {
    /// Binds an expression; every name that the market does not know becomes a problem.
    pub fn bind(
        filter: &Located<Filter>,
        market: &Market,
        attributes: &CustomerAttributes,
        source: &Source,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let node = bind_node(&filter.value, market, attributes, source, &mut problems);
        match node {
            Some(node) if problems.is_empty() => Ok(Self(node)),
            _ => Err(problems),
        }
    }

    /// The expression, to walk.
    pub fn expression(&self) -> Expression<'_> {
        Expression(&self.0)
    }

    /// Whether an agent fits. `size_percentiles` gives the draw's percentile of known customers' sizes.
    pub fn fits(
        &self,
        agent: &AgentView,
        market: &Market,
        attributes: &CustomerAttributes,
        size_percentiles: &SizePercentiles,
    ) -> bool {
        fits(&self.0, agent, market, attributes, size_percentiles)
    }
}

/// Percentiles of known customers' sizes in one draw.
#[derive(Debug, Clone, PartialEq)]
pub struct SizePercentiles(Vec<f64>);

impl SizePercentiles {
    /// From the sizes of the known customers.
    pub fn of(mut sizes: Vec<f64>) -> Self {
        sizes.sort_unstable_by(f64::total_cmp);
        Self(sizes)
    }

    /// The percentile; 0 in a market without customers.
    pub fn at(&self, percentile: u8) -> f64 {
        if self.0.is_empty() { 0.0 } else { quantile_sorted(&self.0, f64::from(percentile) / 100.0) }
    }
}

fn fits(
    node: &Node,
    agent: &AgentView,
    market: &Market,
    attributes: &CustomerAttributes,
    sizes: &SizePercentiles,
) -> bool {
    let customers = &market.data.customers;
    match node {
        Node::And(parts) => parts.iter().all(|part| fits(part, agent, market, attributes, sizes)),
        Node::Or(parts) => parts.iter().any(|part| fits(part, agent, market, attributes, sizes)),
        Node::Not(part) => !fits(part, agent, market, attributes, sizes),
        Node::Size(operator, bound) => {
            let right = match *bound {
                Bound::Number(number) => number,
                Bound::Percentile(percentile) => sizes.at(percentile),
            };
            holds(*operator, agent.size, right)
        }
        Node::Number(column, operator, right) => {
            let left = match (column, agent.stage) {
                (Column::OwnSales, AgentStage::Dark) => Some(0.0),
                (Column::Recency, AgentStage::Dark) => None,
                _ => agent.customer.and_then(|customer| column.value(customers, attributes, customer)),
            };
            left.map_or(*operator == Operator::NotEqual, |left| holds(*operator, left, *right))
        }
        Node::Text(column, equal, index) => {
            let found = match column {
                TextColumn::Territory => Some(agent.territory as u32),
                TextColumn::Segment => agent.customer.and_then(|customer| customers.segment[customer]).map(u32::from),
            };
            (found == Some(*index)) == *equal
        }
        Node::Stage(equal, stage) => (agent.stage == *stage) == *equal,
    }
}

/// Attribute names that every market offers, and its numeric covariates.
fn attribute_names(market: &Market) -> Vec<String> {
    let customers = &market.data.customers;
    let mut names: Vec<String> = ["size", "own_sales", "recency", "stage", "territory"].map(String::from).to_vec();
    let optional = [
        ("segment", !customers.segment_names.is_empty()),
        ("affinity", customers.affinity.iter().any(Option::is_some)),
        ("influence", customers.influence.iter().any(Option::is_some)),
        ("digital", customers.digital.iter().any(Option::is_some)),
        ("price_sensitivity", customers.price_sensitivity.iter().any(Option::is_some)),
    ];
    names.extend(optional.iter().filter(|(_, there)| *there).map(|(name, _)| (*name).to_owned()));
    names.extend(customers.covariates.iter().map(|covariate| covariate.name.clone()));
    names
}

fn bind_node(
    filter: &Filter,
    market: &Market,
    attributes: &CustomerAttributes,
    source: &Source,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let mut all = |parts: &[Filter]| -> Vec<Node> {
        parts.iter().filter_map(|part| bind_node(part, market, attributes, source, problems)).collect()
    };
    match filter {
        Filter::And(parts) => Some(Node::And(all(parts))),
        Filter::Or(parts) => Some(Node::Or(all(parts))),
        Filter::Not(part) => Some(Node::Not(Box::new(bind_node(part, market, attributes, source, problems)?))),
        Filter::Compare(comparison) => match bind_comparison(comparison, market, attributes, source) {
            Ok(node) => Some(node),
            Err(problem) => {
                problems.push(*problem);
                None
            }
        },
    }
}

fn bind_comparison(
    comparison: &Comparison,
    market: &Market,
    attributes: &CustomerAttributes,
    source: &Source,
) -> Result<Node, Box<Problem>> {
    let customers = &market.data.customers;
    let at_attribute = |title: String, label: &str, help: String| {
        Box::new(Problem::error(title).at(source.place(&comparison.attribute_span), label).help(help))
    };
    let at_value = |title: String, label: &str, help: String| {
        Box::new(Problem::error(title).at(source.place(&comparison.value_span), label).help(help))
    };
    let name = comparison.attribute.as_str();
    let names = attribute_names(market);
    if !names.iter().any(|known| known == name) {
        let column_of_the_design = ["segment", "affinity", "influence", "digital", "price_sensitivity"].contains(&name);
        let title = if column_of_the_design {
            format!("customers.csv of this market has no `{name}`")
        } else {
            format!("there is no customer attribute `{name}`")
        };
        return Err(at_attribute(title, "not an attribute of this market", suggestion(name, &names)));
    }
    let named = |known: Vec<&str>| -> Result<(bool, u32), Box<Problem>> {
        let equal = match comparison.operator {
            Operator::Equal => true,
            Operator::NotEqual => false,
            _ => {
                return Err(at_attribute(
                    format!("`{name}` is a name, it has no order"),
                    "only == and != compare names",
                    format!("write {name} == '...' or {name} != '...'"),
                ));
            }
        };
        let FilterValue::Text(wanted) = &comparison.value else {
            return Err(at_value(
                format!("`{name}` is compared with a number"),
                "expected a name in single quotes",
                format!("write {name} == '{}'", known.first().unwrap_or(&"...")),
            ));
        };
        let position = known.iter().position(|candidate| candidate == wanted);
        let index = position.ok_or_else(|| {
            let known: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
            at_value(
                format!("this market has no {name} '{wanted}'"),
                "not found in the data",
                suggestion(wanted, &known),
            )
        })?;
        Ok((equal, index as u32))
    };
    let text = |column: TextColumn, known| named(known).map(|(equal, index)| Node::Text(column, equal, index));
    let column = match name {
        "segment" => return text(TextColumn::Segment, customers.segment_names.iter().map(String::as_str).collect()),
        "territory" => return text(TextColumn::Territory, market.data.territories.ids.names().collect()),
        "stage" => {
            let (equal, index) = named(vec!["dark", "identified", "served", "lapsed"])?;
            let stages = [AgentStage::Dark, AgentStage::Identified, AgentStage::Served, AgentStage::Lapsed];
            return Ok(Node::Stage(equal, stages[index as usize]));
        }
        "size" => {
            let bound = match comparison.value {
                FilterValue::Number(number) => Bound::Number(number),
                FilterValue::Percentile(percentile) => Bound::Percentile(percentile),
                FilterValue::Text(_) => return Err(number_wanted(name, &at_value)),
            };
            return Ok(Node::Size(comparison.operator, bound));
        }
        "own_sales" => Column::OwnSales,
        "recency" => Column::Recency,
        "affinity" => Column::Affinity,
        "influence" => Column::Influence,
        "digital" => Column::Digital,
        "price_sensitivity" => Column::PriceSensitivity,
        _ => Column::Covariate(customers.covariates.iter().position(|c| c.name == name).unwrap_or(0)),
    };
    let right = match comparison.value {
        FilterValue::Number(number) => number,
        FilterValue::Percentile(percentile) => {
            let mut values: Vec<f64> =
                (0..customers.len()).filter_map(|customer| column.value(customers, attributes, customer)).collect();
            values.sort_unstable_by(f64::total_cmp);
            if values.is_empty() { 0.0 } else { quantile_sorted(&values, f64::from(percentile) / 100.0) }
        }
        FilterValue::Text(_) => return Err(number_wanted(name, &at_value)),
    };
    Ok(Node::Number(column, comparison.operator, right))
}

fn number_wanted(name: &str, at_value: &dyn Fn(String, &str, String) -> Box<Problem>) -> Box<Problem> {
    at_value(
        format!("`{name}` is a number and is compared with a name"),
        "expected a number or a percentile",
        format!("write {name} > 0.5 or {name} > p75"),
    )
}

/// "did you mean", or the list of what there is.
pub(super) fn suggestion(wanted: &str, known: &[String]) -> String {
    match nearest(wanted, known.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.len() <= 12 => format!("there is: {}", known.join(", ")),
        None => format!("there are {}, among them: {}", known.len(), known[..8].join(", ")),
    }
}
