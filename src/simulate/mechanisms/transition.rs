//! Transitions: at most one change of stage a month, drawn from one word.
//!
//! | from | to | chance |
//! |---|---|---|
//! | dark | identified | [`super::discovery`], of which a share `at_once` goes on to served in the same month |
//! | identified | served | `1 - exp(-hazard * exp(goodwill_effect * goodwill))` |
//! | lapsed | served | `1 - exp(-reactivation * hazard * exp(goodwill_effect * goodwill))` |
//! | served | lapsed | `1 - exp(-factor * churn)`, factor 1 unless a mechanism says otherwise (contracts) |
//! | any living | gone | `1 - exp(-closure)` |
//! | unborn | dark | `birth * living / unborn`, at most 1, so that `birth * living` open on average |
//!
//! Proportional hazards (Cox 1972, "Regression models and life-tables", Journal of the Royal Statistical Society B).
//! Winning back is a process of its own (Thomas, Blattberg & Fox 2004, "Recapturing lost customers", Journal of
//! Marketing Research); that its hazard is in proportion to that of winning the never won is an assumption.
//!
//! A customer closes where its uniform is above `1 - P(close)`, and moves on where it is below
//! `(1 - P(close)) * P(move)`: the two never meet, and neither moves the other's threshold from its own end, so that a
//! strategy that finds more customers closes the same ones.
//!
//! Other mechanisms may multiply the hazard (a buying centre's coverage) or add to it (a contract that ends).

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Mask as _, Simd, U32x16, Words as _};
use crate::rng::{Purpose, bernoulli};
use crate::simulate::{Agents, Conversion, Here, Mechanism, Month, Now, Stage, Stages, Sums, Territory};

use super::discovery::either;

/// Hazard a month that an identified or lapsed customer of this goodwill begins to buy from us.
#[inline(always)]
pub fn conversion_hazard<V: Lanes>(conversion: &Conversion, goodwill: V) -> V {
    V::of(conversion.hazard) * (V::of(conversion.goodwill_effect) * goodwill).exp()
}

/// Cumulative hazard at which `birth * living` of the unborn slots open on average.
pub fn birth_hazard(birth: f64, living: f64, unborn: f64) -> f64 {
    if unborn > 0.0 {
        let chance = (birth * living / unborn).clamp(0.0, 1.0);
        // 80 is as good as certain.
        (-libm::log1p(-chance)).min(80.0)
    } else {
        0.0
    }
}

/// What may happen to 16 customers this month.
#[derive(Debug, Clone, Copy)]
pub struct Chances<V> {
    /// Of moving on, if it does not close.
    pub moves: V,
    /// Of moving two stages on; a part of `moves`.
    pub at_once: V,
    /// Of closing, where living.
    pub closes: V,
}

/// What happens to 16 customers this month.
#[derive(Debug, Clone, Copy)]
pub struct Changes<M> {
    /// Who moves on.
    pub moves: M,
    /// Who of them moves two stages on.
    pub at_once: M,
    pub closes: M,
}

/// Who moves on and who closes.
#[inline(always)]
pub fn draw<V: Simd>(chances: Chances<V>, living: V::Mask, uniform: V) -> Changes<V::Mask> {
    let stays_open = V::splat(1.0) - V::keep(living, chances.closes);
    let moves = bernoulli(uniform, chances.moves * stays_open);
    let at_once = bernoulli(uniform, chances.at_once * stays_open);
    Changes { moves, at_once, closes: uniform.greater(stays_open).and_not(moves) }
}

/// The stages after it.
#[inline(always)]
pub fn next<V: Simd>(is: &Stages<V>, changes: Changes<V::Mask>) -> V::Words {
    let word = |stage: Stage| V::Words::splat(stage as u32);
    let onwards = V::Words::choose(is.lapsed, word(Stage::Served), is.stage.plus(V::Words::splat(1)));
    let onwards = V::Words::choose(changes.at_once, word(Stage::Served), onwards);
    V::Words::choose(changes.closes, word(Stage::Gone), V::Words::choose(changes.moves, onwards, is.stage))
}

/// The life of customers: found, won, lost, closed and born.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Life {
    pub conversion: Conversion,
    /// Hazard a month that a served customer stops buying from us.
    pub churn: f64,
    /// Hazard a month that any customer closes for good.
    pub closure: f64,
    /// New (dark) customers opening a month, as a share of the living ones.
    pub birth: f64,
}

impl Mechanism for Life {
    /// Influences.
    type Traits = F32x16;
    /// Stages.
    type Memory = U32x16;
    /// Hazard of an unborn slot to open.
    type Ground = f32;

    const DRAWS: u64 = 1 << Purpose::Transition as u64;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        F32x16::load_slice(&agents.influence[range], 0.0)
    }

    fn memory(agents: &Agents, range: Range<usize>) -> U32x16 {
        let mut stage = U32x16([Stage::Gone as u32; 16]);
        for (lane, agent) in stage.0.iter_mut().zip(range) {
            *lane = agents.stage[agent] as u32;
        }
        stage
    }

    fn ground(&self, _: &Agents, _: &Territory) -> f32 {
        0.0
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, born: &mut f32, _: &mut Here) {
        *born = birth_hazard(self.birth, month.before.living, month.before.unborn) as f32;
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut f32,
        _: &F32x16,
        stage: &mut U32x16,
        now: &mut Now<'_, V>,
    ) {
        now.is = Stages::of(V::Words::load(stage));
        now.buys = now.is.served;
    }

    #[inline(always)]
    fn close<V: Simd>(
        &self,
        month: &Month<'_>,
        here: &Here,
        born: &mut f32,
        influence: &F32x16,
        stage: &mut U32x16,
        now: &mut Now<'_, V>,
    ) {
        let is = now.is;
        let mut hazard = V::keep(is.dark, now.hazard);
        if is.open.any() {
            let again = V::choose(is.lapsed, V::of(self.conversion.reactivation), V::splat(1.0));
            hazard = V::choose(is.open, again * conversion_hazard(&self.conversion, now.goodwill), hazard);
        }
        let hazard = V::choose(is.served, V::of(self.churn) * now.churn, hazard);
        let hazard = V::choose(is.unborn, V::splat(*born), hazard);
        let hazard = hazard * now.winnable + now.leave;
        let chance = hazard.chance();
        let chances = Chances {
            moves: either(chance, V::keep(is.dark, V::splat(here.listed))),
            at_once: V::keep(is.dark, chance * V::of(self.conversion.at_once)),
            closes: V::of(self.closure).chance(),
        };
        let changes = draw(chances, is.living, now.uniform(Purpose::Transition));
        let Changes { moves, at_once, closes } = changes;
        let after = next(&is, changes);
        now.will_be = Stages::of(after);
        *stage = after.store();
        now.sums.found = now.sums.found + V::count(is.dark.and(moves));
        now.sums.won = now.sums.won + V::count(is.open.and(moves).or(at_once));
        now.sums.lost = now.sums.lost + V::count(is.served.and(moves.or(closes)));
        count(&now.will_be, V::load(influence), month.block_of(month.desired_next, now.block), &mut now.sums);
    }

    #[inline(always)]
    fn census<V: Simd>(&self, month: &Month<'_>, influence: &F32x16, stage: &U32x16, block: usize, sums: &mut Sums<V>) {
        let is = Stages::of(V::Words::load(stage));
        count(&is, V::load(influence), month.block_of(month.desired_next, block), sums);
    }
}

/// Adds 16 customers to the counts.
#[inline(always)]
fn count<V: Simd>(is: &Stages<V>, influence: V, desired: V, sums: &mut Sums<V>) {
    sums.dark = sums.dark + V::count(is.dark);
    sums.served = sums.served + V::count(is.served);
    sums.living = sums.living + V::count(is.living);
    sums.unborn = sums.unborn + V::count(is.unborn);
    sums.influence = sums.influence + V::keep(is.living, influence);
    sums.influence_served = sums.influence_served + V::keep(is.served, influence);
    sums.wanted = sums.wanted + V::keep(is.known, desired);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_moves_where_it_should() {
        let all = [Stage::Unborn, Stage::Dark, Stage::Identified, Stage::Served, Stage::Lapsed, Stage::Gone];
        let stage = U32x16(std::array::from_fn(|i| all[i % 6] as u32));
        let stages = Stages::<F32x16>::of(stage);
        let at_once = F32x16::keep(stages.dark, F32x16::splat(0.4));
        let chances = Chances { moves: F32x16::splat(1.0), at_once, closes: F32x16::splat(0.25) };
        let after = |uniform: f32| {
            let changes = draw(chances, stages.living, F32x16::splat(uniform));
            let moves = changes.moves.and(stages.living.or(stages.unborn));
            next(&stages, Changes { moves, ..changes }).0
        };
        // Below 0.75 all move, above it the living close and the rest do what they do.
        let wanted = [Stage::Dark, Stage::Identified, Stage::Served, Stage::Lapsed, Stage::Served, Stage::Gone];
        assert_eq!(after(0.5)[..6], wanted.map(|stage| stage as u32));
        // Below 0.75 x 0.4 the dark are served at once.
        let wanted = [Stage::Dark, Stage::Served, Stage::Served, Stage::Lapsed, Stage::Served, Stage::Gone];
        assert_eq!(after(0.29)[..6], wanted.map(|stage| stage as u32));
        let changes = draw(chances, stages.living, F32x16::splat(0.8));
        assert!(!changes.moves.and(stages.living).any());
        assert_eq!(changes.closes, stages.living);
    }

    #[test]
    fn hand_computed_hazards() {
        let conversion = Conversion { hazard: 0.02, goodwill_effect: 0.5, reactivation: 1.0, at_once: 0.0 };
        assert!((conversion_hazard(&conversion, 2.0) - 0.02 * 1.0_f64.exp()).abs() < 1e-15);
        // 3 of 100 slots: ln(1 / 0.97).
        assert!((birth_hazard(0.01, 300.0, 100.0) - 0.030_459_207_484_708_6).abs() < 1e-12);
        assert_eq!((birth_hazard(0.01, 300.0, 2.0), birth_hazard(0.01, 300.0, 0.0)), (80.0, 0.0));
    }
}
