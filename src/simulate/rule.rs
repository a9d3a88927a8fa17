//! Rules of who is called and written to, judged anew each month as customers behave.

use crate::channel::Channel;

/// What a rule gives to those whom it fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Who: a program on a stack of yes and no, see [`Op`].
    pub who: Vec<Op>,
    /// Visits a month; `None` leaves them to the next rule. The first rule that fits counts.
    pub visits: Option<f32>,
    /// Contacts a month that are added, in `Channel::ALL` order (that of visits is not read).
    pub contacts: [f32; Channel::COUNT],
}

/// A step of a rule's program, which pushes an answer or works on those on top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Whether the agent has this bit of [`super::Policy::marks`]: what never changes.
    Mark(u32),
    /// A dimension of its segment against a number.
    Compare(Dimension, Comparison, f32),
    /// The stage is this one.
    Stage(super::Stage),
    Not,
    And,
    Or,
}

/// What a customer is segmented by. All are of the month's end, for the next month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Category demand a month at level 1.
    Size,
    /// Share of its demand that it would give us, 0 to 1.
    Affinity,
    Influence,
    Digital,
    PriceSensitivity,
    /// Own sales of the last 12 months, smoothed (demand units a year).
    OwnSales,
    /// Months since its last order.
    Recency,
    Goodwill,
}

/// Of a dimension (left) with a number (right).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}
