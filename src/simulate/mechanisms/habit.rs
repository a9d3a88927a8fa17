//! Habit: what a customer is used to buy from us draws it to us.
//!
//! With `s_t` our share of what the customer orders in month t (by choice, before chance), `H_t` the habitual share and
//! `H_0` the share at which its appeal was measured,
//!
//! `H_t = decay * H_{t-1} + (1 - decay) * s_t`, `utility_t += strength * (H_{t-1} - H_0)`:
//!
//! the loyalty of Guadagni & Little (1983, "A logit model of brand choice calibrated on scanner data", Marketing
//! Science), an exponentially smoothed past, by months instead of purchases and on the expected share instead of the
//! chosen brand, so that it is no source of chance. `H_0 = share(appeal + goodwill)` at the start: the calibrated
//! appeal holds today's habit.
//!
//! * Those we serve at the start have `H = H_0`: nothing happens until their share moves.
//! * All others have `H = 0`. Their appeal is that of a customer who is used to us, so a new one first gives us less,
//!   and more month by month: up to `share(appeal + goodwill)` if nothing else moves.
//! * Who leaves us forgets us by `decay` a month.
//!
//! Assumptions: all customers share `strength` and `decay`; what is eaten from stock does not count. Guadagni &
//! Little's loyalty also holds the differences between customers (Fader & Lattin 1993, Marketing Science), which
//! `appeal` holds here: their coefficient is an upper bound of `strength`.
//!
//! # Stability
//!
//! Near a share s the log odds that a month adds come back `decay + (1 - decay) * strength * s * (1 - s)` times as
//! large in the next one ([`Habit::returns`]): a push that lasts moves the log odds
//! `1 / (1 - strength * s * (1 - s))` times as far ([`Habit::multiplier`]), and one that ends is forgotten, where
//! `strength * s * (1 - s) < 1`. With `strength < 4` that holds at every share. Beyond it a customer may have two
//! lasting shares, a low and a high one, and a push may carry it from one to the other for good. Shares stay within 0
//! and 1 in any case.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Simd, WIDTH};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Stage, Territory};

use super::choice::share;

/// Habit: what a customer is used to buy from us draws it to us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habit {
    /// Log odds of choosing us per unit of the habitual share above that of today; 0 or more, below 4 for one lasting
    /// share.
    pub strength: f64,
    /// Share of last month's habit that is left, 0 to 1.
    pub decay: f64,
}

impl Habit {
    /// This month's habit from last month's and this month's share.
    #[inline(always)]
    pub fn keep_up<V: Lanes>(&self, before: V, share: V) -> V {
        V::of(self.decay) * before + V::of(1.0 - self.decay) * share
    }

    /// Log odds of choosing us that a habit adds.
    #[inline(always)]
    pub fn pull<V: Lanes>(&self, habit: V, today: V) -> V {
        V::of(self.strength) * (habit - today)
    }

    /// How much of a small deviation of habit is left a month later, near this share; below 1 where it dies out.
    pub fn returns(&self, share: f64) -> f64 {
        self.decay + (1.0 - self.decay) * self.strength * share * (1.0 - share)
    }

    /// Log odds that come of one that is pushed for good, near this share; infinite where habit runs away from it.
    pub fn multiplier(&self, share: f64) -> f64 {
        let slope = self.strength * share * (1.0 - share);
        if slope < 1.0 { 1.0 / (1.0 - slope) } else { f64::INFINITY }
    }
}

/// The share at which an agent's appeal was measured.
fn today(agents: &Agents, agent: usize) -> f32 {
    share(f64::from(agents.appeal[agent]) + f64::from(agents.goodwill[agent]), 1.0) as f32
}

impl Mechanism for Habit {
    /// Habitual shares that the appeals hold.
    type Traits = F32x16;
    /// Habitual shares.
    type Memory = F32x16;
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        let mut out = [0.0; WIDTH];
        for (lane, agent) in out.iter_mut().zip(range) {
            *lane = today(agents, agent);
        }
        F32x16(out)
    }

    fn memory(agents: &Agents, range: Range<usize>) -> F32x16 {
        let mut out = [0.0; WIDTH];
        for (lane, agent) in out.iter_mut().zip(range) {
            *lane = if agents.stage[agent] == Stage::Served { today(agents, agent) } else { 0.0 };
        }
        F32x16(out)
    }

    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut (),
        today: &F32x16,
        habit: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        now.utility = now.utility + self.pull(V::load(habit), V::load(today));
    }

    // When the share is known.
    #[inline(always)]
    fn close<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut (),
        _: &F32x16,
        habit: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        *habit = self.keep_up(V::load(habit), now.share).store();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_months() {
        let habit = Habit { strength: 2.0, decay: 0.75 };
        // Used to 0.4, a month of 0.8: 0.75 * 0.4 + 0.25 * 0.8 = 0.5, which is 2 * 0.1 above today.
        let after = habit.keep_up(0.4, 0.8);
        assert!((after - 0.5).abs() < 1e-15);
        assert!((habit.pull(after, 0.4) - 0.2).abs() < 1e-15);
        assert_eq!(habit.pull(0.4, 0.4), 0.0);
        // 0.75 + 0.25 * 2 * 0.25, and 1 / (1 - 0.5).
        assert!((habit.returns(0.5) - 0.875).abs() < 1e-15);
        assert!((habit.multiplier(0.5) - 2.0).abs() < 1e-15);
    }

    /// The share after 600 months of a customer with `today`'s share and this habit at the start.
    fn lasting(model: &Habit, today: f64, start: f64, push: f64) -> f64 {
        let appeal = super::super::choice::appeal(today, 0.0);
        let (mut habit, mut now) = (start, today);
        for _ in 0..600 {
            now = share(appeal + push + model.pull(habit, today), 1.0);
            habit = model.keep_up(habit, now);
        }
        now
    }

    #[test]
    fn weak_habits_return_and_strong_ones_do_not() {
        let weak = Habit { strength: 3.5, decay: 0.8 };
        for today in [0.05, 0.3, 0.5, 0.8] {
            for start in [0.0, 1.0] {
                assert!((lasting(&weak, today, start, 0.0) - today).abs() < 1e-6, "{today} {start}");
            }
        }
        let strong = Habit { strength: 6.0, decay: 0.8 };
        assert!(strong.returns(0.5) > 1.0 && strong.multiplier(0.5).is_infinite());
        let (low, high) = (lasting(&strong, 0.5, 0.45, 0.0), lasting(&strong, 0.5, 0.55, 0.0));
        assert!(low > 0.0 && low < 0.1 && high > 0.9 && high < 1.0, "{low} {high}");
    }

    #[test]
    fn the_multiplier_is_that_of_a_small_push() {
        let model = Habit { strength: 2.0, decay: 0.8 };
        let moved = lasting(&model, 0.3, 0.3, 1e-4) - 0.3;
        let log_odds = moved / (0.3 * 0.7);
        assert!((log_odds / 1e-4 - model.multiplier(0.3)).abs() < 1e-3, "{log_odds}");
    }
}
