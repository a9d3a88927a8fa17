//! Sales: choice, orders and totals in one, where nothing that follows looks at a single customer's.
//!
//! The same equations as [`super::choice`], [`super::orders`] and [`super::totals`] one after the other, and the same bits,
//! but for several blocks together. A share and a number of orders are two exponentials, a division and the terms of a
//! distribution, each of which waits for the last: a processor does those of several blocks in little more time than those
//! of one.

use std::ops::Range;

use super::choice::share;
use super::orders;
use crate::lanes::{F32x16, Mask as _, Simd};
use crate::rng::{Purpose, poisson_each, uniform};
use crate::simulate::now::{Due, TOGETHER};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// The choice of those who buy from us and what they order; with `RIVALS` also what is ordered from the rivals. Orders go to
/// the sums; [`Now`] has them only where single customers are written down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sales<const RIVALS: bool> {
    /// Demand units of one order.
    pub unit: f64,
}

impl<const RIVALS: bool> Sales<RIVALS> {
    /// Chooses and orders for the blocks that wait, and adds up in their order. Gives the last one's orders from us and from
    /// rivals.
    #[inline(always)]
    fn work<V: Simd, const BLOCKS: usize>(self, here: &Here, now: &mut Now<'_, V>) -> [V; 2] {
        let zero = V::splat(0.0);
        let mut due = [Due::nobody(); BLOCKS];
        due.copy_from_slice(&now.due[..BLOCKS]);
        let (mut uniforms, mut means, mut orders) = ([zero; BLOCKS], [zero; BLOCKS], [[zero; 2]; BLOCKS]);
        // Loops: closures would be compiled for the default instruction set.
        if now.some {
            for (mean, block) in means.iter_mut().zip(&due) {
                *mean = orders::means(block.ours, share(block.utility, V::splat(here.rivals)), self.unit).0;
            }
            for (uniform, block) in uniforms.iter_mut().zip(&due) {
                *uniform = block.uniforms[0];
            }
            let numbers = poisson_each(uniforms, means);
            for ([own, _], number) in orders.iter_mut().zip(numbers) {
                *own = V::of(self.unit) * number;
                now.sums.own = now.sums.own + *own;
            }
        }
        if RIVALS {
            for (mean, block) in means.iter_mut().zip(&due) {
                // With a share of 1 rounding may leave the rivals a mean just below 0.
                *mean = (block.open * V::of(1.0 / self.unit) - *mean).max(zero);
            }
            for (uniform, block) in uniforms.iter_mut().zip(&due) {
                *uniform = block.uniforms[1];
            }
            let numbers = poisson_each(uniforms, means);
            for ([_, others], number) in orders.iter_mut().zip(numbers) {
                *others = V::of(self.unit) * number;
                now.sums.rivals = now.sums.rivals + *others;
            }
        }
        orders[BLOCKS - 1]
    }
}

impl<const RIVALS: bool> Mechanism for Sales<RIVALS> {
    /// Appeals.
    type Traits = F32x16;
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 1 << Purpose::OwnOrders as u64 | (RIVALS as u64) << Purpose::RivalOrders as u64;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        F32x16::load_slice(&agents.appeal[range], 0.0)
    }
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        here: &Here,
        (): &mut (),
        appeal: &F32x16,
        (): &mut (),
        now: &mut Now<'_, V>,
    ) {
        // Where somebody looks at single customers after all, each block is the last of the nobodies that wait.
        if now.columns.is_some() {
            now.due[..V::TOGETHER].fill(Due::nobody());
            now.waiting = V::TOGETHER - 1;
        }
        let due = &mut now.due[now.waiting];
        due.utility = V::load(appeal) + now.goodwill + V::splat(here.own_push) + now.utility;
        due.ours = V::keep(now.buys, now.open);
        due.uniforms[0] = uniform(now.words[Purpose::OwnOrders.word()]);
        if RIVALS {
            due.open = now.open;
            due.uniforms[1] = uniform(now.words[Purpose::RivalOrders.word()]);
        }
        now.some |= now.buys.any();
        now.waiting += 1;
        if now.waiting < V::TOGETHER && !now.last && now.columns.is_none() {
            return;
        }
        now.due[now.waiting..V::TOGETHER].fill(Due::nobody());
        [now.own, now.others] = match V::TOGETHER {
            1 => self.work::<V, 1>(here, now),
            2 => self.work::<V, 2>(here, now),
            _ => self.work::<V, TOGETHER>(here, now),
        };
        (now.waiting, now.some) = (0, false);
    }
}

#[cfg(test)]
mod tests {
    use crate::lanes::Isa;
    use crate::rng::RunKey;
    use crate::simulate::mechanisms::choice::Choice;
    use crate::simulate::mechanisms::orders::{OwnOrders, RivalOrders, Rivals};
    use crate::simulate::mechanisms::totals::Totals;
    use crate::simulate::{Engine, Entry, Ledger, testing};

    use super::*;

    struct Months(Vec<Entry>);

    impl Ledger for Months {
        fn territory(&mut self, _: usize, months: &[Entry]) {
            self.0.extend(months);
        }
    }

    /// Months of territories of one block, of two, of seven and of more than sums are kept in lanes for.
    fn months<M: Mechanism>(sales: M, isa: Isa) -> Vec<Entry> {
        let mut twin = testing::twin(1, 800);
        // Some expect more orders than are added up term by term.
        twin.agents.size.iter_mut().step_by(37).for_each(|size| *size *= 4.0);
        let first = twin.territories[0].clone();
        twin.territories.clear();
        for range in [0..5, 5..37, 37..140, 140..800] {
            twin.territories.push(Territory { hash: range.start as u64, agents: range, ..first.clone() });
        }
        let parameters = &twin.parameters;
        let mut engine = Engine::new((parameters.life(), parameters.demand(), Rivals, sales));
        for territory in &twin.territories {
            engine.push(territory, &twin.agents);
        }
        let mut months = Months(Vec::new());
        let path = parameters.path(testing::horizon(12));
        engine.run(&testing::policy(&twin), &path, RunKey { seed: 3, run: 1 }, isa, &mut months, &mut ());
        months.0
    }

    #[test]
    fn sales_are_choice_orders_and_totals_bit_for_bit() {
        let unit = 2.0;
        let apart = months((Choice, OwnOrders { unit }, RivalOrders { unit }, Totals), Isa::Baseline);
        assert!(apart.iter().all(|month| month.sums.rivals > 0.0));
        for isa in Isa::available() {
            assert_eq!(months(Sales::<true> { unit }, isa), apart, "{isa:?}");
        }
        let apart = months((Choice, OwnOrders { unit }, Totals), Isa::Baseline);
        for isa in Isa::available() {
            assert_eq!(months(Sales::<false> { unit }, isa), apart, "{isa:?}");
        }
    }
}
