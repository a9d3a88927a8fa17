//! What plans bring territory by territory, on the same paired runs as a comparison of strategies.
//!
//! Within a run territories do not touch each other: each has its own customers, reps and rivals, and what is drawn is keyed by
//! customer. So a plan's value is the sum over territories of what its levers bring there, and a territory's value does not depend on
//! what is done in the others. [`by_territory`] gives that value on every run, with
//!
//! `npv_j = sum_t d_t (margin price Δsales_jt + Δrepriced_jt - Δcost_jt)`, d the discount, Δ plan less baseline.

use std::ops::Range;

use rayon::prelude::*;

use super::arena::Arena;
use super::compile::{Compiled, as_today, compile};
use super::levers;
use super::runs::{contacts_cost, deliver, repriced_in};
use crate::lanes::Isa;
use crate::market::{BoundLever, BoundStrategy};
use crate::rng::RunKey;
use crate::scenario::Objective;
use crate::simulate::{Horizon, Tallies, World};

/// A plan in a territory on a run, less the baseline, over the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell {
    /// The objective.
    pub value: f64,
    /// Money spent.
    pub cost: f64,
    /// Demand units sold.
    pub sales: f64,
}

/// `[run][plan][territory]` of plans that are added to the strategy `baseline` of the scenario. `progress` gets the runs done.
pub fn by_territory(
    arena: &Arena<'_>,
    baseline: usize,
    plans: &[Vec<BoundLever>],
    runs: Range<u32>,
    progress: &(dyn Fn() + Sync),
) -> Vec<Vec<Vec<Cell>>> {
    runs.into_par_iter()
        .map(|run| {
            let out = one_run(arena, baseline, plans, run);
            progress();
            out
        })
        .collect()
}

fn one_run(arena: &Arena<'_>, baseline: usize, plans: &[Vec<BoundLever>], run: u32) -> Vec<Vec<Cell>> {
    let placer = &arena.placer;
    let bound = placer.bound;
    let placed = placer.place(run);
    let horizon = Horizon::after(bound.market.history.last, placer.horizon);
    let key = RunKey { seed: placer.seed, run };
    let mut world = World::new(&placed.twin);
    let start = as_today(bound, placer.today, &placed);
    let base = &bound.strategies[baseline];
    let mut live = |strategy: &BoundStrategy| {
        let compiled = compile(bound, &start, &placed, strategy, &arena.weight, placer.horizon);
        let mut tallies = world.run(&compiled.policy, horizon, key, Isa::detect(), &mut ());
        deliver(&mut tallies, arena.supply_ceiling);
        (compiled, tallies)
    };
    let today = live(base);
    let base_levers = shared(&base.levers, &arena.weight);
    plans
        .iter()
        .map(|levers| {
            let all = base.levers.iter().chain(levers).cloned().collect();
            let plan = live(&BoundStrategy { id: base.id.clone(), levers: all });
            let pair =
                Pair { arena, base: &base_levers, levers: &shared(levers, &arena.weight), today: &today, plan: &plan };
            (0..today.1.territories).map(|j| pair.cell(j)).collect()
        })
        .collect()
}

/// Levers, each with its territories' parts of what it costs as such: by demand, as its reps are spread.
type Shared<'a> = Vec<(&'a BoundLever, Vec<f64>)>;

fn shared<'a>(levers: &'a [BoundLever], weight: &[f64]) -> Shared<'a> {
    levers.iter().map(|lever| (lever, levers::spread(lever, weight))).collect()
}

/// A plan and the baseline on one run.
struct Pair<'a> {
    arena: &'a Arena<'a>,
    base: &'a Shared<'a>,
    /// Of the plan, beyond the baseline's.
    levers: &'a Shared<'a>,
    today: &'a (Compiled, Tallies),
    plan: &'a (Compiled, Tallies),
}

impl Pair<'_> {
    fn cell(&self, j: usize) -> Cell {
        let (today, plan) = (&self.today.1, &self.plan.1);
        // What is sent today is paid for today, as in a comparison.
        let free = self.base.is_empty().then_some(today);
        let mut out = Cell::default();
        for month in 0..today.months {
            let at = month * today.territories + j;
            let sales = plan.own_sales[at] - today.own_sales[at];
            let fixed: f64 = self.levers.iter().map(|(lever, parts)| levers::fixed_cost(lever, month) * parts[j]).sum();
            let paid = |tallies: &Tallies| -> f64 {
                let of = |(lever, parts): &(&BoundLever, Vec<f64>)| {
                    levers::earned_by_others(lever, month, tallies) * parts[j]
                };
                self.base.iter().map(of).sum()
            };
            let contacts =
                |(compiled, tallies): &(Compiled, Tallies)| contacts_cost(compiled, tallies, free, month, j..j + 1);
            let cost = fixed + paid(plan) - paid(today) + contacts(self.plan) - contacts(self.today);
            let money = |discount: f64| {
                let Some(prices) = self.arena.prices else { return 0.0 };
                let repriced = |(compiled, tallies): &(Compiled, Tallies)| {
                    repriced_in(compiled, tallies, prices.unit_price, month, j)
                };
                let more = repriced(self.plan) - repriced(self.today);
                discount * (prices.gross_margin * prices.unit_price * sales + more - cost)
            };
            out.value += match self.arena.objective {
                Objective::IncrementalSales => sales,
                Objective::IncrementalMargin => money(1.0),
                Objective::Npv => money(self.arena.prices.map_or(1.0, |prices| prices.discount(month))),
            };
            out.cost += cost;
            out.sales += sales;
        }
        out
    }
}
