//! Transitions: at most one change of stage a month, drawn from one word.
//!
//! | from | to | chance |
//! |---|---|---|
//! | dark | identified | [`super::discovery`] |
//! | identified, lapsed | served | `1 - exp(-hazard * exp(goodwill_effect * goodwill))` |
//! | served | lapsed | `1 - exp(-churn)` |
//! | any living | gone | `1 - exp(-closure)` |
//! | unborn | dark | `birth * living / unborn`, at most 1, so that `birth * living` open on average |
//!
//! (Proportional hazards; Cox 1972.) A customer closes where its uniform is above `1 - P(close)`, and moves on where it is
//! below `(1 - P(close)) * P(move)`: the two never meet, and neither moves the other's threshold from its own end, so that a
//! strategy that finds more customers closes the same ones.

use crate::lanes::{F32x16, Lanes, Mask16, U32x16};
use crate::rng::bernoulli;
use crate::simulate::{Conversion, Stage};

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

/// Where 16 agents are.
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    pub unborn: Mask16,
    pub dark: Mask16,
    pub served: Mask16,
    pub lapsed: Mask16,
    /// Identified or lapsed: we know it and it may be won.
    pub open: Mask16,
    /// Identified, served or lapsed.
    pub known: Mask16,
    /// Known or dark.
    pub living: Mask16,
}

impl Stages {
    /// Masks of the stages.
    #[inline(always)]
    pub fn of(stage: U32x16) -> Self {
        let is = |wanted: Stage| stage.equals(U32x16::splat(wanted as u32));
        let (dark, served, lapsed) = (is(Stage::Dark), is(Stage::Served), is(Stage::Lapsed));
        let open = is(Stage::Identified).or(lapsed);
        let known = open.or(served);
        Self { unborn: is(Stage::Unborn), dark, served, lapsed, open, known, living: known.or(dark) }
    }
}

/// What may happen to 16 agents this month.
#[derive(Debug, Clone, Copy)]
pub struct Chances {
    /// Of moving on, if it does not close.
    pub moves: F32x16,
    /// Of closing, where living.
    pub closes: F32x16,
}

/// Who moves on and who closes.
#[inline(always)]
pub fn draw(chances: Chances, living: Mask16, uniform: F32x16) -> (Mask16, Mask16) {
    let stays_open = F32x16::ONE - living.keep(chances.closes);
    let moves = bernoulli(uniform, chances.moves * stays_open);
    (moves, uniform.greater(stays_open).and_not(moves))
}

/// The stages after it.
#[inline(always)]
pub fn next(stage: U32x16, lapsed: Mask16, moves: Mask16, closes: Mask16) -> U32x16 {
    let onwards = lapsed.select_words(U32x16::splat(Stage::Served as u32), stage.plus_one());
    closes.select_words(U32x16::splat(Stage::Gone as u32), moves.select_words(onwards, stage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_moves_where_it_should() {
        let all = [Stage::Unborn, Stage::Dark, Stage::Identified, Stage::Served, Stage::Lapsed, Stage::Gone];
        let stage = U32x16(std::array::from_fn(|i| all[i % 6] as u32));
        let stages = Stages::of(stage);
        let chances = Chances { moves: F32x16::ONE, closes: F32x16::splat(0.25) };
        // Below 0.75 all move, above it the living close and the rest do what they do.
        let (moves, closes) = draw(chances, stages.living, F32x16::splat(0.5));
        let after = next(stage, stages.lapsed, moves.and(stages.living.or(stages.unborn)), closes).0;
        let wanted = [Stage::Dark, Stage::Identified, Stage::Served, Stage::Lapsed, Stage::Served, Stage::Gone];
        assert_eq!(after[..6], wanted.map(|stage| stage as u32));
        let (moves, closes) = draw(chances, stages.living, F32x16::splat(0.8));
        assert!(!moves.and(stages.living).any());
        assert_eq!(closes, stages.living);
    }

    #[test]
    fn hand_computed_hazards() {
        let conversion = Conversion { hazard: 0.02, goodwill_effect: 0.5 };
        assert!((conversion_hazard(&conversion, 2.0) - 0.02 * 1.0_f64.exp()).abs() < 1e-15);
        // 3 of 100 slots: ln(1 / 0.97).
        assert!((birth_hazard(0.01, 300.0, 100.0) - 0.030_459_207_484_708_6).abs() < 1e-12);
        assert_eq!((birth_hazard(0.01, 300.0, 2.0), birth_hazard(0.01, 300.0, 0.0)), (80.0, 0.0));
    }
}
