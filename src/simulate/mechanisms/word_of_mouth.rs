//! Word of mouth: what a customer's neighbours buy moves its choice.
//!
//! The neighbours of customer i are the four agents of its territory that are nearest to it ([`neighbours`]). With
//! `s_n(t)` the share that we have of what n uses (0 unless n buys from us) and `v_n` its influence,
//!
//! `S_i(t) = sum_n v_n s_n(t - 1) / sum_n v_n`, `utility_it += strength * (S_i(t) - S_i(0))`,
//!
//! where `S_i(0)` is what the shares of the start lead to: those that the appeal and the goodwill of the served give in
//! a month without pulses ([`choice::share`]). The appeal of a customer was calibrated with its neighbours as they are
//! and holds their level already; only what has changed since moves it. In the first month nothing has.
//!
//! That neighbours are alike is not that they follow each other (Manski 1993, "Identification of endogenous social
//! effects: the reflection problem", Review of Economic Studies), so the sign of `strength` is free; acting on last
//! month's shares breaks the reflection within a month. That word of mouth moves sales for longer than advertising:
//! Trusov, Bucklin & Pauwels 2009, "Effects of word-of-mouth versus traditional marketing", Journal of Marketing; among
//! physicians, with influence: Nair, Manchanda & Bhatia 2010, "Asymmetric social interactions in physician prescription
//! behavior", Journal of Marketing Research. Assumed: neighbours in space stand for those that talk to each other; who
//! closes or is not born yet stays a neighbour of share 0; an agent without a place has no neighbours, and nobody has
//! where places are not known.

use std::ops::Range;
use std::sync::Arc;

use crate::lanes::{F32x16, Lanes, Mask as _, Simd, WIDTH};
use crate::simulate::neighbours::{self, NEAREST};
use crate::simulate::{Agents, Attributes, Here, Mechanism, Month, Now, Stage, Sums, Territory};

use super::choice;

/// Parameters of word of mouth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordOfMouth {
    /// Log odds of choosing us per unit of the neighbours' influence-weighted share above that of the start; its sign
    /// is free.
    pub strength: f64,
}

/// Our share of what a customer uses: of its orders by choice, and all that it takes from a stock of ours.
#[inline(always)]
pub fn share_of_use<V: Lanes>(open: V, share: V, own_eaten: V) -> V {
    // Who uses nothing has no share; the bound is no matter to anybody else.
    (open * share + own_eaten) / (open + own_eaten).max(V::of(1e-30))
}

/// What 16 customers hear from, by territory, so that it costs nothing where it is off.
#[derive(Debug, Clone, Copy)]
struct Circle {
    /// Positions in [`Talk::told`] flattened, by lane; those beyond its end tell nothing.
    neighbours: [[u32; NEAREST]; WIDTH],
    /// 1 / sum of the neighbours' influence; 0 where that is 0.
    inverse: F32x16,
    /// What the neighbours told at the start.
    start: F32x16,
    influence: F32x16,
}

/// What goes round in a territory.
#[derive(Debug, Clone)]
pub struct Talk {
    /// By block; empty where nobody has a place.
    circles: Arc<[Circle]>,
    /// Influence times share, last month's and this one's.
    told: Vec<[f32; WIDTH]>,
    telling: Vec<[f32; WIDTH]>,
}

/// The sum of what its neighbours told, for each of 16 customers.
#[inline(always)]
fn heard(neighbours: &[[u32; NEAREST]; WIDTH], told: &[[f32; WIDTH]]) -> F32x16 {
    let told = told.as_flattened();
    let of = |neighbour: u32| told.get(neighbour as usize).copied().unwrap_or(0.0);
    let mut out = F32x16::ZERO;
    for (sum, &[first, second, third, fourth]) in out.0.iter_mut().zip(neighbours) {
        *sum = (of(first) + of(second)) + (of(third) + of(fourth));
    }
    out
}

impl Talk {
    fn new(agents: &Agents, territory: &Territory) -> Self {
        let range = territory.agents.clone();
        let Attributes { x, y, .. } = &agents.more;
        let (Some(x), Some(y)) = (x.get(range.clone()), y.get(range.clone())) else {
            return Self { circles: Arc::new([]), told: Vec::new(), telling: Vec::new() };
        };
        let lists = neighbours::nearest(x, y);
        let influence = &agents.influence[range.clone()];
        let mut told = vec![[0.0; WIDTH]; lists.len().div_ceil(WIDTH)];
        for ((told, agent), &influence) in told.as_flattened_mut().iter_mut().zip(range).zip(influence) {
            if agents.stage[agent] == Stage::Served {
                let utility = f64::from(agents.appeal[agent]) + f64::from(agents.goodwill[agent]);
                *told = influence * choice::share(utility, 1.0) as f32;
            }
        }
        let circle = |lists: &[[u32; NEAREST]], influences: &[f32]| {
            let mut neighbours = [[neighbours::NOBODY; NEAREST]; WIDTH];
            neighbours[..lists.len()].copy_from_slice(lists);
            let mut inverse = F32x16::ZERO;
            for (inverse, list) in inverse.0.iter_mut().zip(lists) {
                let weights = list.iter().filter_map(|&neighbour| influence.get(neighbour as usize));
                let weight: f64 = weights.map(|&weight| f64::from(weight)).sum();
                *inverse = if weight > 0.0 { (1.0 / weight) as f32 } else { 0.0 };
            }
            let start = heard(&neighbours, &told);
            Circle { neighbours, inverse, start, influence: F32x16::load_slice(influences, 0.0) }
        };
        let circles = lists.chunks(WIDTH).zip(influence.chunks(WIDTH)).map(|(lists, weights)| circle(lists, weights));
        let circles = circles.collect();
        let telling = told.clone();
        Self { circles, told, telling }
    }
}

impl Mechanism for WordOfMouth {
    type Traits = ();
    type Memory = ();
    type Ground = Talk;

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, agents: &Agents, territory: &Territory) -> Talk {
        Talk::new(agents, territory)
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, talk: &mut Talk, _: &(), _: &mut (), now: &mut Now<'_, V>) {
        // Only the choice of those who buy hangs on it.
        if now.buys.any()
            && let Some(circle) = talk.circles.get(now.block)
        {
            let more = V::load(&heard(&circle.neighbours, &talk.told)) - V::load(&circle.start);
            now.utility = now.utility + V::of(self.strength) * (more * V::load(&circle.inverse));
        }
    }

    #[inline(always)]
    fn close<V: Simd>(&self, _: &Month<'_>, _: &Here, talk: &mut Talk, _: &(), _: &mut (), now: &mut Now<'_, V>) {
        let (Some(circle), Some(telling)) = (talk.circles.get(now.block), talk.telling.get_mut(now.block)) else {
            return;
        };
        let eats = now.own_eaten.greater(V::splat(0.0));
        let mut share = now.share;
        if eats.any() {
            share = V::choose(eats, V::keep(now.buys, share_of_use(now.open, share, now.own_eaten)), share);
        }
        *telling = (V::load(&circle.influence) * share).store().0;
    }

    #[inline(always)]
    fn settle(&self, _: &Month<'_>, talk: &mut Talk, _: &mut Here, _: &Sums<f64>) {
        std::mem::swap(&mut talk.told, &mut talk.telling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::testing;

    #[test]
    fn heard_at_the_start() {
        // Four served in a row, 1 km apart, then one that is not: shares of 1/2 and 3/4, influences 1, 2, 1, 2, 5.
        let mut twin = testing::twin(1, 5);
        let agents = &mut twin.agents;
        let three = libm::log(3.0) as f32;
        agents.stage = vec![Stage::Served, Stage::Served, Stage::Served, Stage::Served, Stage::Identified];
        agents.appeal = vec![0.0, three, 0.0, three - 0.5, three];
        agents.goodwill = vec![0.0, 0.0, 0.0, 0.5, 0.0];
        agents.influence = vec![1.0, 2.0, 1.0, 2.0, 5.0];
        agents.more.x = (0..5).map(|i| i as f32).collect();
        agents.more.y = vec![0.0; 5];
        let talk = Talk::new(agents, &twin.territories[0]);
        let circle = &talk.circles[0];
        // The first hears (2 * 3/4 + 1/2 + 2 * 3/4 + 0) / 10 = 0.35, the last (2 * 3/4 + 1/2 + 2 * 3/4 + 1/2) / 6 =
        // 2/3.
        let heard = |lane: usize| circle.start.0[lane] * circle.inverse.0[lane];
        assert!((heard(0) - 0.35).abs() < 1e-6 && (heard(4) - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!((heard(5), circle.neighbours[5]), (0.0, [neighbours::NOBODY; NEAREST]));
    }

    #[test]
    fn without_places_or_influence_nothing_is_heard() {
        let mut twin = testing::twin(1, 40);
        assert!(Talk::new(&twin.agents, &twin.territories[0]).circles.is_empty());
        twin.agents.influence.fill(0.0);
        twin.agents.more.x = vec![1.0; 40];
        twin.agents.more.y = vec![1.0; 40];
        let talk = Talk::new(&twin.agents, &twin.territories[0]);
        assert!(talk.circles.iter().all(|circle| circle.inverse == F32x16::ZERO));
    }

    #[test]
    fn what_is_used_counts_and_not_when_it_was_bought() {
        // Of 10 it would order 3 from us; it has 3 of ours and orders 7 from rivals only.
        assert!((share_of_use(7.0, 0.0, 3.0) - 0.3_f64).abs() < 1e-12);
        assert_eq!(share_of_use(0.0, 0.0, 0.0_f64), 0.0);
    }
}
