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

use std::ops::Range;

/// A parsed expression; attributes are names that `market::bind` resolves.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Comparison),
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
