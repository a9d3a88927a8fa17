//! The `who` of a lever: a small typed expression such as `size > p75 and segment != 'chain'`.
//!
//! Grammar (keywords lower case; `and` binds tighter than `or`):
//!
//! ```text
//! filter     = and { "or" and }
//! and        = unary { "and" unary }
//! unary      = "not" unary | "(" filter ")" | comparison
//! comparison = attribute operator value
//! operator   = ">" | ">=" | "<" | "<=" | "==" | "!="
//! value      = number | "p" integer 0..100 | "'" text "'"
//! ```
//!
//! An attribute is letters, digits, `_` and `.`, beginning with a letter or `_`; a quote inside text is doubled (`''`).

mod parser;

use std::ops::Range;

pub(super) use parser::parse;

/// Attributes that are text: they are compared by `==` and `!=` with text in quotes.
pub const TEXT_ATTRIBUTES: [&str; 3] = ["segment", "territory", "stage"];

/// Attributes that are numbers and known by name; numeric covariates of `customers.csv` come on top.
pub const NUMBER_ATTRIBUTES: [&str; 7] =
    ["size", "own_sales", "influence", "affinity", "digital", "price_sensitivity", "recency"];

/// A parsed expression; attributes are names that `market::bind` resolves.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Comparison),
}

impl Filter {
    /// All comparisons of the expression, in the order they are written.
    pub fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            loop {
                match stack.pop()? {
                    Filter::And(parts) | Filter::Or(parts) => stack.extend(parts.iter().rev()),
                    Filter::Not(part) => stack.push(part),
                    Filter::Compare(comparison) => return Some(comparison),
                }
            }
        })
    }
}

/// `attribute operator value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub attribute: String,
    /// Bytes of the scenario file that hold the attribute.
    pub attribute_span: Range<usize>,
    pub operator: Operator,
    pub value: FilterValue,
    /// Bytes of the scenario file that hold the value.
    pub value_span: Range<usize>,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// The right-hand side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterValue {
    Number(f64),
    /// A percentile of the attribute among all customers, fixed at `history_end`.
    Percentile(u8),
    Text(String),
}
