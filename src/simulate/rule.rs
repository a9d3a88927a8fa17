//! Rules of who is called and written to, judged anew each month as customers behave.

use crate::channel::Channel;

/// Rules of a phase, and bits of [`super::Policy::marks`], at most.
pub const MOST_RULES: usize = 32;
pub const MOST_MARKS: usize = 32;

/// Answers that a rule's program may have waiting at a time.
pub const DEEPEST: usize = 8;

/// What a rule gives to those whom it fits. Rules of a phase are applied one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Who: a program on a stack of yes and no, see [`Op`].
    pub who: Vec<Op>,
    pub visits: VisitChange,
    /// Contacts a month that are added, in `Channel::ALL` order (that of visits is not read); the channels are among the
    /// phase's.
    pub contacts: [f32; Channel::COUNT],
}

/// What a rule does to the visits a month that a customer gets by the column and by the rules before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VisitChange {
    Keep,
    Set(f32),
    Add(f32),
    Multiply(f32),
}

impl VisitChange {
    /// The visits after it.
    pub fn of(self, visits: f32) -> f32 {
        match self {
            Self::Keep => visits,
            Self::Set(rate) => rate,
            Self::Add(rate) => visits + rate,
            Self::Multiply(factor) => visits * factor,
        }
    }
}

/// A step of a rule's program, which pushes an answer or works on those on top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Whether the agent has this bit (counted from 0) of [`super::Policy::marks`]: what never changes.
    Mark(u32),
    /// A dimension of its segment against a number. What a customer lacks is unequal to every number, and fits nothing else.
    Compare(Dimension, Comparison, f32),
    /// The stage is this one.
    Stage(super::Stage),
    Not,
    And,
    Or,
}

/// What changes of a customer's segment as it behaves; what does not is an [`Op::Mark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Its affinity to us, 0 to 1.
    Affinity,
    /// Own sales a month over the last year, smoothed (demand units).
    OwnSales,
    /// Months since its last order; lacking where it never ordered.
    Recency,
    /// Log odds that contacts have left behind.
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

/// Most answers that wait at a time while a program runs; `None` when it lacks an answer somewhere or does not end in one.
pub fn program_depth(program: &[Op]) -> Option<usize> {
    let (mut waiting, mut most) = (0_usize, 0);
    for op in program {
        match op {
            Op::Mark(_) | Op::Compare(..) | Op::Stage(_) => waiting += 1,
            Op::Not => _ = waiting.checked_sub(1)?,
            Op::And | Op::Or => waiting = (waiting >= 2).then(|| waiting - 1)?,
        }
        most = most.max(waiting);
    }
    (waiting == 1).then_some(most)
}

/// Rules that do not fit their phase would be read at the wrong places.
pub(super) fn check(rules: &[Rule], channels: &[Channel], marks: &[u32], agents: usize) {
    assert!([0, agents].contains(&marks.len()), "marks, by agent");
    assert!(rules.len() <= MOST_RULES, "{} rules in a phase", rules.len());
    for rule in rules {
        assert!(program_depth(&rule.who).is_some_and(|depth| depth <= DEEPEST), "a rule's program: {:?}", rule.who);
        let in_use = |channel: &Channel| *channel == Channel::FaceToFace || channels.contains(channel);
        let mut given = Channel::ALL.iter().filter(|channel| rule.contacts[channel.index()] != 0.0);
        assert!(given.all(in_use), "a rule's channels are the phase's");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Stage;

    #[test]
    fn programs_are_counted_out() {
        let served = Op::Stage(Stage::Served);
        assert_eq!(program_depth(&[served]), Some(1));
        assert_eq!(program_depth(&[served, Op::Not, Op::Mark(0), Op::And]), Some(2));
        assert_eq!(program_depth(&[served, served, served, Op::Or, Op::Or]), Some(3));
        for wrong in [&[][..], &[Op::Not], &[served, Op::And], &[served, served]] {
            assert_eq!(program_depth(wrong), None);
        }
    }
}
