//! Competitors that react to our gains.
//!
//! With `S_t` our expected share of what a territory's customers order in month t and `S_0` that of the start,
//!
//! `gain_t = inertia * gain_{t-1} + (1 - inertia) * (S_t - S_0)`, `gain` 0 at first,
//! `rivals' attraction in t *= exp(strength * max(gain_{t-1}, 0))`:
//!
//! they see what we have taken in the territory, after a while, and add log odds in proportion, all alike; a loss of
//! ours makes nobody lazy. Most attacks meet no reaction at all, and those that do meet retaliation (Steenkamp, Nijs,
//! Hanssens & Dekimpe 2005, "Competitive reactions to advertising and promotion attacks", Marketing Science):
//! strengths near 0 are the usual ones. The form is an assumption: reaction functions are usually written from one
//! company's instruments to another's (Leeflang & Wittink 1996, "Competitive reaction versus consumer response",
//! International Journal of Research in Marketing); here rivals mind what they lose, by whatever instrument, and
//! adjust to it in part each month.
//!
//! `S_0 = sum of size * share(appeal + goodwill) over the served / sum of size over the living` as they are before
//! the first month, so that it is the same for all strategies and rivals also see what a strategy gains in its first
//! month. Rivals react to any growth of ours, be it that of today's policy.
//!
//! # Stability
//!
//! A gain g that nobody minds is cut to about `g / (1 + k)`,
//! `k = strength * sum of size * s * (1 - s) / sum of size`, s the customers' shares. On the way there it swings to
//! and fro if rivals notice fast and overdo it, and the swings die out where `k < (1 + inertia) / (1 - inertia)`; as
//! k is at most a quarter of `strength`, always where `strength < 4`.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Stage, Sums, Territory};

use super::choice::share;

/// Competitors that react to our gains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reaction {
    /// Log odds that rivals add per unit of our share gained since the start.
    pub strength: f64,
    /// Share of last month's perceived gain that is left in this month's: how slowly they notice; 0 to 1.
    pub inertia: f64,
}

/// What the rivals of a territory see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Our share at the start.
    pub start: f64,
    /// Our gain since, as they see it.
    pub gain: f64,
}

impl Reaction {
    /// The gain that is seen after a month of this share.
    pub fn notice(&self, sight: Sight, share: f64) -> f64 {
        self.inertia * sight.gain + (1.0 - self.inertia) * (share - sight.start)
    }

    /// What multiplies the rivals' attraction.
    pub fn push(&self, gain: f64) -> f64 {
        libm::exp((self.strength * gain.max(0.0)).min(80.0))
    }
}

/// Our share of the demand of a territory's customers as they are at the start; 0 without customers.
fn at_start(agents: &Agents, territory: &Territory) -> f64 {
    let (mut ours, mut all) = (0.0, 0.0);
    for agent in territory.agents.clone() {
        let (size, stage) = (f64::from(agents.size[agent]), agents.stage[agent]);
        if matches!(stage, Stage::Unborn | Stage::Gone) {
            continue;
        }
        all += size;
        if stage == Stage::Served {
            ours += size * share(f64::from(agents.appeal[agent]) + f64::from(agents.goodwill[agent]), 1.0);
        }
    }
    if all > 0.0 { ours / all } else { 0.0 }
}

impl Mechanism for Reaction {
    type Traits = ();
    type Memory = ();
    type Ground = Sight;

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, agents: &Agents, territory: &Territory) -> Sight {
        Sight { start: at_start(agents, territory), gain: 0.0 }
    }

    #[inline(always)]
    fn here(&self, _: &Month<'_>, sight: &mut Sight, here: &mut Here) {
        if sight.gain > 0.0 {
            here.rivals = (f64::from(here.rivals) * self.push(sight.gain)) as f32;
        }
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut Sight, _: &(), _: &mut (), _: &mut Now<'_, V>) {}

    // Summed here and not where customers choose, so that only those who look at it pay for it.
    #[inline(always)]
    fn close<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut Sight, _: &(), _: &mut (), now: &mut Now<'_, V>) {
        now.sums.chosen = now.sums.chosen + now.open * now.share;
        now.sums.open = now.sums.open + now.open;
    }

    #[inline(always)]
    fn settle(&self, _: &Month<'_>, sight: &mut Sight, _: &mut Here, sums: &Sums<f64>) {
        // A month without orders shows nothing.
        if sums.open > 0.0 {
            sight.gain = self.notice(*sight, sums.chosen / sums.open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::testing::twin;

    #[test]
    fn hand_computed_reaction() {
        let reaction = Reaction { strength: 2.0, inertia: 0.75 };
        // From a seen gain of 0.04 at 0.2 + 0.08: 0.75 * 0.04 + 0.25 * 0.08 = 0.05; log odds of 0.1.
        let gain = reaction.notice(Sight { start: 0.2, gain: 0.04 }, 0.28);
        assert!((gain - 0.05).abs() < 1e-15);
        assert!((reaction.push(gain) - libm::exp(0.1)).abs() < 1e-15);
        assert_eq!(reaction.push(-0.3), 1.0);
    }

    #[test]
    fn hand_computed_share_at_the_start() {
        let mut twin = twin(1, 8);
        let agents = &mut twin.agents;
        agents.size = vec![10.0, 10.0, 99.0, 10.0, 10.0, 30.0, 20.0, 10.0];
        agents.goodwill.fill(0.0);
        agents.appeal.fill(std::f32::consts::LN_2);
        // Number 2 is not born; 5 and 6 are served and give us two thirds: 50 * 2 / 3 of 100.
        assert!((at_start(agents, &twin.territories[0]) - 1.0 / 3.0).abs() < 1e-7);
        let nobody = Territory { agents: 0..0, ..twin.territories[0].clone() };
        assert_eq!(at_start(agents, &nobody), 0.0);
    }
}
