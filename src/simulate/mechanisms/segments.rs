//! Segments of several dimensions, recomputed as customers behave: a policy's rules say who is visited and written to, and
//! whom they fit is judged anew at the end of every month, for the next one.
//!
//! What cannot change within a run (territory, segment, size, influence, digital affinity, price sensitivity, covariates)
//! comes as bits of [`crate::simulate::Policy::marks`]. What a customer's behaviour moves is worked out here:
//!
//! * **own sales** `S_t` (demand units a month) stand for the sum of the last 12 months over 12. They are smoothed,
//!   `S_t = m S_{t-1} + (1 - m) own_t` (Brown 1963, "Smoothing, Forecasting and Prediction of Discrete Time Series"), with
//!   `m = 11/13`, at which the mean age of what is smoothed is that of a 12-month mean: `m / (1 - m) = 5.5` months. Of a
//!   season of relative amplitude a, `0.31 a` stays as a ripple. After 12 months without an order they are 0, as the sum is.
//! * **recency** `r_t` (months): 0 in a month with an order, else one more; lacking where there never was one.
//! * **stage**: that of the month's end.
//! * **affinity** `A_t` (0 to 1): that of the start, moved along the logit of choice (McFadden 1974) by as much as the log
//!   odds of choosing us have moved since. With `d = G_t - G_start + push_t + utility_t - ln rivals_t`,
//!
//! ```text
//! logit A_t = logit A_start + sign(d) max(|d| - band, 0)
//! ```
//!
//! `band` (log odds; an assumption) is what a customer's mood swings without anybody calling it another customer: without
//! it, everyone whose score equals a threshold would change sides at the first visit. Within it, A is *exactly* the score
//! that a file gave. Scores of 0 and 1 are infinite log odds and never move.
//!
//! A rule is a program over these, see [`crate::simulate::Rule`]. Rules are applied in their order to the visits of the
//! column, so that a policy without rules is the column itself. The start counts as the end of the month before the first.

use std::ops::Range;

use crate::channel::Channel;
use crate::lanes::{F32x16, Lanes, Mask as _, Simd, U32x16, WIDTH, Words as _};
use crate::simulate::{
    Agents, Attributes, Comparison, DEEPEST, Dimension, Here, Mechanism, Month, Now, Op, Rule, Stage, Stages, Sums,
    Territory, VisitChange,
};

use super::choice::share;

/// Months without an order after which nothing of the own sales of the last 12 is left.
const YEAR: f32 = 12.0;

/// What a customer lacks is this: it is less than no number, and equal to none.
const LACKING: f32 = f32::INFINITY;

/// Segments of several dimensions, recomputed as customers behave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segments {
    /// Share of last month's smoothed own sales that is left, 0 to 1.
    pub memory: f64,
    /// Log odds that may come and go before affinity is another; 0 or more.
    pub band: f64,
}

impl Default for Segments {
    fn default() -> Self {
        Self { memory: 11.0 / 13.0, band: 0.25 }
    }
}

impl Segments {
    /// Own sales a month, smoothed, after a month with orders of `ordered`, `silent` months after the last one.
    #[inline(always)]
    pub fn own_sales<V: Lanes>(&self, before: V, ordered: V, silent: V) -> V {
        let smoothed = V::of(self.memory) * before + V::of(1.0 - self.memory) * ordered;
        V::keep(silent.less(V::of(f64::from(YEAR))), smoothed)
    }

    /// Affinity when the log odds of choosing us have moved since the start.
    #[inline(always)]
    pub fn affinity<V: Lanes>(&self, start: V, moved: V) -> V {
        let (zero, one, band) = (V::of(0.0), V::of(1.0), V::of(self.band));
        let scored = start.less(V::of(f64::from(LACKING)));
        let known = V::keep(scored, start);
        let beyond = (moved - band).max(zero) + (moved + band).min(zero);
        // The odds grow by this share; written so that no growth leaves the start as it is, to the last bit.
        let growth = beyond.exp() - one;
        let least = V::of(1e-9);
        let now = known + known * (one - known) * growth / (one + known * growth).max(least);
        V::choose(scored, now, start)
    }
}

/// 16 customers as rules see them.
#[derive(Debug, Clone, Copy)]
pub struct Standing<V: Simd> {
    pub stage: V::Words,
    pub marks: V::Words,
    pub affinity: V,
    pub own_sales: V,
    pub recency: V,
    pub goodwill: V,
}

impl<V: Simd> Standing<V> {
    /// Whom a program fits.
    #[inline(always)]
    pub fn fits(&self, program: &[Op]) -> V::Mask {
        let nobody = V::splat(0.0).greater(V::splat(0.0));
        let mut waiting = [nobody; DEEPEST];
        let mut count = 0_usize;
        for &op in program {
            // Programs are checked to stay within the stack; the remainder spares looking again.
            let top = count.wrapping_sub(1) % DEEPEST;
            let below = count.wrapping_sub(2) % DEEPEST;
            let answer = match op {
                Op::Mark(bit) => self.marks.shares_bit(V::Words::splat(1 << (bit % 32))),
                Op::Compare(dimension, comparison, right) => self.compare(dimension, comparison, right),
                Op::Stage(stage) => self.stage.equals(V::Words::splat(stage as u32)),
                Op::Not => Self::not(waiting[top]),
                Op::And => waiting[below].and(waiting[top]),
                Op::Or => waiting[below].or(waiting[top]),
            };
            count = match op {
                Op::Mark(_) | Op::Compare(..) | Op::Stage(_) => count.wrapping_add(1),
                Op::Not => count,
                Op::And | Op::Or => count.wrapping_sub(1),
            };
            waiting[count.wrapping_sub(1) % DEEPEST] = answer;
        }
        waiting[0]
    }

    /// Bit r set where rule r fits.
    #[inline(always)]
    pub fn judge(&self, rules: &[Rule]) -> V::Words {
        let mut bits = V::Words::splat(0);
        for (r, rule) in rules.iter().enumerate() {
            bits = bits.or(V::Words::keep(self.fits(&rule.who), V::Words::splat(1 << (r % 32))));
        }
        bits
    }

    #[inline(always)]
    fn not(mask: V::Mask) -> V::Mask {
        let none = V::Words::splat(0);
        none.equals(none).and_not(mask)
    }

    #[inline(always)]
    fn compare(&self, dimension: Dimension, comparison: Comparison, right: f32) -> V::Mask {
        let left = match dimension {
            Dimension::Affinity => self.affinity,
            Dimension::OwnSales => self.own_sales,
            Dimension::Recency => self.recency,
            Dimension::Goodwill => self.goodwill,
        };
        let right = V::splat(right);
        let there = left.less(V::splat(LACKING));
        let (greater, less) = (left.greater(right).and(there), left.less(right));
        match comparison {
            Comparison::Greater => greater,
            Comparison::GreaterOrEqual => there.and_not(less),
            Comparison::Less => less,
            Comparison::LessOrEqual => there.and_not(greater),
            Comparison::Equal => there.and_not(greater.or(less)),
            Comparison::NotEqual => Self::not(there.and_not(greater.or(less))),
        }
    }
}

/// Visits a month by rules, of customers with these bits and this column.
#[inline(always)]
pub fn visits<V: Simd>(rules: &[Rule], bits: V::Words, column: V) -> V {
    let mut visits = column;
    for (r, rule) in rules.iter().enumerate() {
        let changed = match rule.visits {
            VisitChange::Keep => continue,
            VisitChange::Set(rate) => V::splat(rate),
            VisitChange::Add(rate) => visits + V::splat(rate),
            VisitChange::Multiply(factor) => visits * V::splat(factor),
        };
        visits = V::choose(bits.shares_bit(V::Words::splat(1 << (r % 32))), changed, visits);
    }
    visits
}

/// Contacts a month by a further channel: those of the column and of rules.
#[inline(always)]
pub fn rate<V: Simd>(rules: &[Rule], bits: V::Words, channel: Channel, column: V) -> V {
    let mut rate = column;
    for (r, rule) in rules.iter().enumerate() {
        let more = rule.contacts[channel.index()];
        if more != 0.0 {
            let fits = bits.shares_bit(V::Words::splat(1 << (r % 32)));
            rate = rate + V::keep(fits, V::splat(more));
        }
    }
    rate
}

/// How 16 customers stood at the start.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub affinity: F32x16,
    pub goodwill: F32x16,
}

/// How 16 customers have behaved.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// Bits of this month's rules that fit; before the first month stages, which the census has no other way to know.
    pub word: U32x16,
    /// Own sales a month, smoothed (demand units).
    pub own: F32x16,
    /// Months since the last order.
    pub silent: F32x16,
}

impl Behaviour {
    #[inline(always)]
    fn standing<V: Simd>(&self, month: &Month<'_>, block: usize, affinity: V, goodwill: V) -> Standing<V> {
        Standing {
            stage: V::Words::splat(0),
            marks: marks::<V>(month, block),
            affinity,
            own_sales: V::load(&self.own),
            recency: V::load(&self.silent),
            goodwill,
        }
    }
}

/// A block's marks; none beyond the territory's end.
#[inline(always)]
fn marks<V: Simd>(month: &Month<'_>, block: usize) -> V::Words {
    let ours = month.policy.marks.get(month.agents.clone()).unwrap_or(&[]);
    let ours = ours.get(block * WIDTH..).unwrap_or(&[]);
    let mut words = U32x16::ZERO;
    match ours.first_chunk::<WIDTH>() {
        Some(full) => words.0 = *full,
        None => words.0.iter_mut().zip(ours).for_each(|(word, &mark)| *word = mark),
    }
    V::Words::load(&words)
}

/// What the rules ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Whether the policy has rules at all, and whether those of the next month look at affinity.
    rules: bool,
    affinity: bool,
}

impl Mechanism for Segments {
    type Traits = Start;
    type Memory = Behaviour;
    /// Which rules there are.
    type Ground = Asked;

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> Start {
        let goodwill = F32x16::load_slice(&agents.goodwill[range.clone()], 0.0);
        // Without a score of the file, the share of its demand that it would give us.
        let affinity = if agents.more.affinity.is_empty() {
            share(F32x16::load_slice(&agents.appeal[range], 0.0) + goodwill, F32x16::of(1.0))
        } else {
            F32x16::load_slice(&agents.more.affinity[range], LACKING)
        };
        Start { affinity, goodwill }
    }

    fn memory(agents: &Agents, range: Range<usize>) -> Behaviour {
        let mut word = U32x16([Stage::Gone as u32; WIDTH]);
        let mut silent = Attributes::block(&agents.more.silent, range.clone(), 0.0);
        let mut own = Attributes::block(&agents.more.recent, range.clone(), 0.0);
        for (lane, agent) in range.enumerate() {
            let stage = agents.stage[agent];
            word.0[lane] = stage as u32;
            // Who has never ordered has no last order.
            if stage < Stage::Served {
                (silent.0[lane], own.0[lane]) = (LACKING, 0.0);
            }
        }
        Behaviour { word, own, silent }
    }

    fn ground(&self, _: &Agents, _: &Territory) -> Asked {
        Asked::default()
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, asked: &mut Asked, _: &mut Here) {
        asked.rules = month.policy.phases.iter().any(|phase| !phase.rules.is_empty());
        let mut tests = month.next.rules.iter().flat_map(|rule| &rule.who);
        asked.affinity = tests.any(|op| matches!(op, Op::Compare(Dimension::Affinity, ..)));
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        month: &Month<'_>,
        _: &Here,
        asked: &mut Asked,
        start: &Start,
        memory: &mut Behaviour,
        now: &mut Now<'_, V>,
    ) {
        if !asked.rules {
            return;
        }
        if month.index == 0 {
            let (affinity, goodwill) = (V::load(&start.affinity), V::load(&start.goodwill));
            let standing = Standing { stage: now.is.stage, ..memory.standing(month, now.block, affinity, goodwill) };
            memory.word = standing.judge(&month.phase.rules).store();
        }
        now.rule_bits = V::Words::load(&memory.word);
        now.desired = visits(&month.phase.rules, now.rule_bits, now.desired);
    }

    #[inline(always)]
    fn close<V: Simd>(
        &self,
        month: &Month<'_>,
        here: &Here,
        asked: &mut Asked,
        start: &Start,
        memory: &mut Behaviour,
        now: &mut Now<'_, V>,
    ) {
        if !asked.rules {
            return;
        }
        let (zero, ordered) = (V::splat(0.0), now.own + now.own_loaded);
        let silent = V::choose(ordered.greater(zero), zero, V::load(&memory.silent) + V::splat(1.0));
        memory.silent = silent.store();
        memory.own = self.own_sales(V::load(&memory.own), ordered, silent).store();
        let next = &month.next.rules;
        if next.is_empty() {
            memory.word = U32x16::ZERO;
            return;
        }
        let mut affinity = V::load(&start.affinity);
        if asked.affinity {
            let moved = now.goodwill - V::load(&start.goodwill) + V::splat(here.own_push) + now.utility
                - V::splat(here.rivals).ln();
            affinity = self.affinity(affinity, moved);
        }
        let standing =
            Standing { stage: now.will_be.stage, ..memory.standing(month, now.block, affinity, now.goodwill) };
        let bits = standing.judge(next);
        memory.word = bits.store();
        want(month, now.block, next, bits, now.will_be.known, &mut now.sums);
    }

    #[inline(always)]
    fn census<V: Simd>(&self, month: &Month<'_>, start: &Start, memory: &Behaviour, block: usize, sums: &mut Sums<V>) {
        let rules = &month.phase.rules;
        if rules.is_empty() {
            return;
        }
        let is = Stages::<V>::of(V::Words::load(&memory.word));
        let (affinity, goodwill) = (V::load(&start.affinity), V::load(&start.goodwill));
        let standing = Standing { stage: is.stage, ..memory.standing(month, block, affinity, goodwill) };
        want(month, block, rules, standing.judge(rules), is.known, sums);
    }
}

/// Corrects the visits that a plan wants, which are counted by its column, to those that its rules want.
#[inline(always)]
fn want<V: Simd>(month: &Month<'_>, block: usize, rules: &[Rule], bits: V::Words, known: V::Mask, sums: &mut Sums<V>) {
    let column: V = month.block_of(month.desired_next, block);
    sums.wanted = sums.wanted + V::keep(known, visits(rules, bits, column) - column);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_own_sales() {
        // 26 a month, then 13: 22 + 2 = 24; then nothing: 24 * 11 / 13; gone after a year of silence.
        let model = Segments::default();
        let after = model.own_sales(26.0, 13.0, 0.0);
        assert!((after - 24.0).abs() < 1e-12);
        assert!((model.own_sales(after, 0.0, 1.0) - 24.0 * 11.0 / 13.0).abs() < 1e-12);
        assert!(model.own_sales(24.0, 0.0, 11.0) > 0.0);
        assert_eq!(model.own_sales(24.0, 0.0, 12.0), 0.0);
    }

    #[test]
    fn hand_computed_affinity() {
        let model = Segments { band: 0.25, ..Segments::default() };
        // Odds of 1, moved by ln 3 beyond the band: 3 / 4; as far down: 1 / 4.
        let far = 3.0_f64.ln() + 0.25;
        assert!((model.affinity(0.5, far) - 0.75).abs() < 1e-12);
        assert!((model.affinity(0.5, -far) - 0.25).abs() < 1e-12);
        // Odds of 1/4, times 2: 1/2 to 1, a third.
        assert!((model.affinity(0.2, 2.0_f64.ln() + 0.25) - 1.0 / 3.0).abs() < 1e-12);
        // Within the band a score stays as it was, also in lanes, and no end of the scale breaks.
        for score in [0.0, 0.1, 0.3, 0.7, 1.0_f32] {
            assert_eq!(model.affinity(F32x16::splat(score), F32x16::splat(0.2)).0[0], score);
            for moved in [-1e4, -30.0, 30.0, 1e4] {
                let affinity = model.affinity(F32x16::splat(score), F32x16::splat(moved)).0[0];
                assert!((0.0..=1.0 + 1e-6).contains(&affinity), "{score} {moved} {affinity}");
            }
        }
        assert_eq!(model.affinity(F32x16::splat(LACKING), F32x16::splat(3.0)).0[0], LACKING);
    }

    fn standing() -> Standing<F32x16> {
        let by_lane = |of: fn(usize) -> f32| F32x16(std::array::from_fn(of));
        Standing {
            stage: U32x16(std::array::from_fn(|i| i as u32 % 6)),
            marks: U32x16(std::array::from_fn(|i| i as u32)),
            affinity: by_lane(|i| if i == 3 { LACKING } else { i as f32 / 16.0 }),
            own_sales: by_lane(|i| i as f32),
            recency: by_lane(|i| if i % 2 == 0 { LACKING } else { i as f32 }),
            goodwill: by_lane(|i| i as f32 - 8.0),
        }
    }

    fn lanes(program: &[Op]) -> Vec<usize> {
        let mask = standing().fits(program);
        (0..16).filter(|&i| mask.0[i] != 0).collect()
    }

    #[test]
    fn programs_fit_whom_they_should() {
        let own = |comparison, right| Op::Compare(Dimension::OwnSales, comparison, right);
        assert_eq!(lanes(&[own(Comparison::Greater, 13.0)]), [14, 15]);
        assert_eq!(lanes(&[own(Comparison::GreaterOrEqual, 13.0)]), [13, 14, 15]);
        assert_eq!(lanes(&[own(Comparison::Less, 2.0)]), [0, 1]);
        assert_eq!(lanes(&[own(Comparison::LessOrEqual, 2.0)]), [0, 1, 2]);
        assert_eq!(lanes(&[own(Comparison::Equal, 2.0)]), [2]);
        assert_eq!(lanes(&[own(Comparison::NotEqual, 2.0), Op::Not]), [2]);
        assert_eq!(lanes(&[Op::Stage(Stage::Served)]), [3, 9, 15]);
        assert_eq!(lanes(&[Op::Mark(3), Op::Mark(0), Op::And]), [9, 11, 13, 15]);
        let late = Op::Compare(Dimension::Goodwill, Comparison::GreaterOrEqual, 6.0);
        assert_eq!(lanes(&[Op::Stage(Stage::Dark), late, Op::Or]), [1, 7, 13, 14, 15]);
        // served and not (marked 0 or own sales at least 10): of 3, 9, 15 none, as all are odd; of bit 2: 3 and 9.
        let either = [Op::Stage(Stage::Served), Op::Mark(0), own(Comparison::GreaterOrEqual, 10.0), Op::Or, Op::Not];
        assert!(lanes(&[&either[..], &[Op::And]].concat()).is_empty());
        let other = [Op::Stage(Stage::Served), Op::Mark(2), own(Comparison::GreaterOrEqual, 10.0), Op::Or, Op::Not];
        assert_eq!(lanes(&[&other[..], &[Op::And]].concat()), [3, 9]);
    }

    #[test]
    fn what_is_lacking_is_unequal_and_nothing_else() {
        let recency = |comparison| lanes(&[Op::Compare(Dimension::Recency, comparison, 5.0)]);
        assert_eq!(recency(Comparison::Greater), [7, 9, 11, 13, 15]);
        assert_eq!(recency(Comparison::GreaterOrEqual), [5, 7, 9, 11, 13, 15]);
        assert_eq!(recency(Comparison::Less), [1, 3]);
        assert_eq!(recency(Comparison::LessOrEqual), [1, 3, 5]);
        assert_eq!(recency(Comparison::Equal), [5]);
        assert_eq!(recency(Comparison::NotEqual), [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        let affinity = lanes(&[Op::Compare(Dimension::Affinity, Comparison::LessOrEqual, 0.25)]);
        assert_eq!(affinity, [0, 1, 2, 4]);
    }

    #[test]
    fn rules_are_applied_in_order() {
        let rule = |visits, email| {
            let mut contacts = [0.0; Channel::COUNT];
            contacts[Channel::Email.index()] = email;
            Rule { who: vec![Op::Mark(0)], visits, contacts }
        };
        let rules = [
            rule(VisitChange::Set(3.0), 1.0),
            rule(VisitChange::Add(1.0), 0.0),
            rule(VisitChange::Multiply(0.5), 0.5),
            rule(VisitChange::Keep, 0.0),
        ];
        let bits = U32x16(std::array::from_fn(|i| i as u32));
        let visits = visits(&rules, bits, F32x16::splat(2.0)).0;
        // (None, set, add, set and add, halved, ...)
        assert_eq!(visits[..9], [2.0, 3.0, 3.0, 4.0, 1.0, 1.5, 1.5, 2.0, 2.0]);
        let rates = rate(&rules, bits, Channel::Email, F32x16::splat(0.25)).0;
        assert_eq!(rates[..6], [0.25, 1.25, 0.25, 1.25, 0.75, 1.75]);
        assert_eq!(rate(&rules, bits, Channel::Sms, F32x16::splat(0.25)), F32x16::splat(0.25));
    }
}
