//! Paired Monte Carlo: every strategy on the same draw, the same placed dark half and the same random numbers.
//!
//! Run r takes draw r (cycling), places its agents, compiles each strategy for them and simulates all strategies under
//! key (seed, r). Batches are added until the Monte Carlo errors that the scenario asks for are reached:
//!
//! ```text
//! se(P(best)) = sqrt(p (1 - p) / n)        rse(incremental) = sd / (sqrt(n) largest |mean| of all strategies)
//! ```
//!
//! Batch sizes depend on the results alone, never on threads or time.

use std::ops::Range;

use rayon::prelude::*;

use super::compile::{Compiled, as_today, compile, reached};
use super::economics::{Money, Prices};
use super::forecast::Seen;
use super::levers;
use super::parts::{self, Parts, Watched};
use super::twin::Placer;
use crate::channel::Channel;
use crate::lanes::Isa;
use crate::market::{Bound, BoundStrategy};
use crate::rng::RunKey;
use crate::scenario::{MonteCarlo, Objective};
use crate::simulate::mechanisms::reaction::Reaction;
use crate::simulate::{Horizon, Tallies, World};
use crate::stats::mean_sd;

/// One strategy in one run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Own sales less the baseline's, demand units, by month.
    pub sales: Vec<f64>,
    /// The same over the horizon, by territory.
    pub sales_by_territory: Vec<f64>,
    /// By `[month * territories + territory]`; kept with the baseline's.
    pub sales_by_cell: Vec<f32>,
    /// Customers won (or won back) less the baseline's, by month and by territory.
    pub won: Vec<f64>,
    pub won_by_territory: Vec<f64>,
    /// Customers found less the baseline's, by month.
    pub found: Vec<f64>,
    /// Money spent less the baseline's, by month.
    pub cost: Vec<f64>,
    /// Our share of category orders in the last 12 months of the horizon.
    pub share: f64,
    /// Own sales, category orders and customers won by month, not less the baseline's.
    pub own_sales: Vec<f64>,
    pub total_demand: Vec<f64>,
    pub won_in_all: Vec<f64>,
    /// Less the baseline's; in the first [`parts::RUNS`] runs.
    pub parts: Option<Parts>,
    /// `None` where price or margin is not known.
    pub money: Option<Money>,
}

/// One run of all strategies.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its draw of the posterior.
    pub draw: usize,
    pub outcomes: Vec<Outcome>,
    /// Baseline by `[month * territories + territory]`; kept for the first [`FORECAST_RUNS`] runs.
    pub own_sales: Vec<f32>,
    pub total_demand: Vec<f32>,
}

/// All runs.
#[derive(Debug, Clone)]
pub struct Runs {
    pub runs: Vec<Run>,
    pub objective: Objective,
    /// Words on the Monte Carlo errors reached.
    pub monte_carlo: String,
    /// By strategy and lever: known customers that it reaches in the first run.
    pub reached: Vec<Vec<usize>>,
}

/// Runs whose baseline is kept territory by territory for the forecast.
pub const FORECAST_RUNS: usize = 1000;
/// Cells (runs x months x territories) kept at most.
const FORECAST_CELLS: usize = 20_000_000;

/// What [`simulate_all`] needs besides the placer.
#[derive(Debug)]
pub struct Plan<'a> {
    pub bound: &'a Bound,
    pub baseline: usize,
    pub objective: Objective,
    pub prices: Option<Prices>,
    pub monte_carlo: &'a MonteCarlo,
    /// Weight by territory for what is spread over several.
    pub weight: Vec<f64>,
    /// Demand units a month that we can deliver.
    pub supply_ceiling: Option<f64>,
}

/// Runs all strategies until the Monte Carlo errors are small enough. `progress` gets (runs done, runs expected).
pub fn simulate_all(placer: &Placer<'_>, plan: &Plan<'_>, progress: &(dyn Fn(u32, u32) + Sync)) -> Runs {
    let monte_carlo = plan.monte_carlo;
    let cells = placer.horizon * plan.bound.market.territory_count() * (1 + plan.bound.strategies.len());
    let keep = FORECAST_RUNS.min(FORECAST_CELLS / cells.max(1)).max(100);
    let mut runs: Vec<Run> = Vec::new();
    let mut expected = monte_carlo.runs_min;
    let done = std::sync::atomic::AtomicU32::new(0);
    let words = loop {
        let batch = runs.len() as u32..expected;
        let more: Vec<Run> = batch
            .into_par_iter()
            .map(|run| {
                let result = one_run(placer, plan, run, (run as usize) < keep, None);
                let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                progress(count, expected);
                result
            })
            .collect();
        runs.extend(more);
        let errors = Errors::of(&runs, plan);
        if errors.small_enough(monte_carlo) || expected >= monte_carlo.runs_max {
            break errors.words(monte_carlo, runs.len());
        }
        // As many as the errors ask for, at most doubled, so that a wrong first guess costs little.
        let wanted = errors.runs_wanted(monte_carlo, runs.len());
        expected = wanted.clamp(expected + 50, expected * 2).min(monte_carlo.runs_max);
    };
    let placed = placer.place(0);
    let strategies = plan.bound.strategies.iter();
    let reached = strategies.map(|strategy| reached(plan.bound, &placed, strategy, &plan.weight)).collect();
    Runs { objective: plan.objective, monte_carlo: words, reached, runs }
}

/// One run; `keep`: with the figures of territories and months. `reaction`: rivals react so, whatever the draw says.
pub(super) fn one_run(placer: &Placer<'_>, plan: &Plan<'_>, run: u32, keep: bool, reaction: Option<Reaction>) -> Run {
    let mut placed = placer.place(run);
    if reaction.is_some() {
        placed.twin.parameters.more.reaction = reaction;
    }
    let months = placer.horizon;
    let horizon = Horizon::after(plan.bound.market.history.last, months);
    let key = RunKey { seed: placer.seed, run };
    let mut world = World::new(&placed.twin);
    let start = as_today(plan.bound, placer.today, &placed);
    let watched = (run < parts::RUNS).then(|| Watched::of(&placed, &plan.bound.market));
    let mut parts: Vec<Option<Parts>> = Vec::with_capacity(plan.bound.strategies.len());
    let simulated: Vec<(Compiled, Tallies)> = plan
        .bound
        .strategies
        .iter()
        .map(|strategy| {
            let compiled = compile(plan.bound, &start, &placed, strategy, &plan.weight, months);
            let mut watch = watched.as_ref().map(Watched::watch);
            let mut tallies = match &mut watch {
                Some(watch) => world.run(&compiled.policy, horizon, key, Isa::detect(), watch),
                None => world.run(&compiled.policy, horizon, key, Isa::detect(), &mut ()),
            };
            parts.push(watch.map(|watch| watch.parts));
            deliver(&mut tallies, plan.supply_ceiling);
            (compiled, tallies)
        })
        .collect();
    // What is sent today is paid for today: where the baseline is that, a contact costs only beyond it.
    let today = plan.bound.strategies[plan.baseline].levers.is_empty();
    let free = today.then_some(&simulated[plan.baseline].1);
    let moneys: Vec<(Vec<f64>, Vec<f64>)> = plan
        .bound
        .strategies
        .iter()
        .zip(&simulated)
        .map(|(strategy, (compiled, tallies))| {
            let cost = costs(strategy, compiled, tallies, free);
            (cost, plan.prices.map_or_else(Vec::new, |prices| repriced(compiled, tallies, prices.unit_price)))
        })
        .collect();
    let base = &simulated[plan.baseline].1;
    let (base_cost, base_price) = &moneys[plan.baseline];
    let base_parts = parts[plan.baseline].clone();
    let outcomes = simulated
        .iter()
        .zip(&moneys)
        .zip(parts)
        .map(|(((_, tallies), (cost, price)), parts)| {
            let sales = minus(by_month(&tallies.own_sales, tallies), by_month(&base.own_sales, base));
            let cost = minus(cost.clone(), base_cost.clone());
            let last_year = months.saturating_sub(12) * tallies.territories..;
            let ours: f64 = tallies.own_sales[last_year.clone()].iter().sum();
            let all: f64 = tallies.total_demand[last_year].iter().sum();
            Outcome {
                sales_by_territory: minus(
                    by_territory(&tallies.own_sales, tallies),
                    by_territory(&base.own_sales, base),
                ),
                sales_by_cell: if keep {
                    tallies.own_sales.iter().zip(&base.own_sales).map(|(sold, base)| (sold - base) as f32).collect()
                } else {
                    Vec::new()
                },
                won: minus(by_month(&tallies.won, tallies), by_month(&base.won, base)),
                won_by_territory: minus(by_territory(&tallies.won, tallies), by_territory(&base.won, base)),
                found: minus(by_month(&tallies.found, tallies), by_month(&base.found, base)),
                share: if all > 0.0 { ours / all } else { 0.0 },
                own_sales: by_month(&tallies.own_sales, tallies),
                total_demand: by_month(&tallies.total_demand, tallies),
                won_in_all: by_month(&tallies.won, tallies),
                parts: parts.zip(base_parts.as_ref()).map(|(parts, base)| parts.minus(base)),
                money: plan.prices.map(|prices| {
                    let price = minus(price.clone(), base_price.clone());
                    prices.value(&sales, &price, &cost)
                }),
                sales,
                cost,
            }
        })
        .collect();
    let seen = if keep { Seen::of(placer, run, horizon, base) } else { Seen::default() };
    Run { draw: placer.draw_of(run), own_sales: seen.own_sales, total_demand: seen.total_demand, outcomes }
}

/// Takes off what is ordered of us in a month beyond what we can deliver, in all territories alike: it is not sold, then or later.
/// Without a ceiling everything is delivered.
pub(super) fn deliver(tallies: &mut Tallies, ceiling: Option<f64>) {
    let Some(ceiling) = ceiling else { return };
    for month in tallies.own_sales.chunks_mut(tallies.territories.max(1)) {
        let sold: f64 = month.iter().sum();
        if sold > ceiling {
            month.iter_mut().for_each(|sales| *sales *= ceiling / sold);
        }
    }
}

/// Money spent by month: what levers cost as such, what customers are paid, and contacts at their price; `free`: the run whose
/// messages cost nothing more.
fn costs(strategy: &BoundStrategy, compiled: &Compiled, tallies: &Tallies, free: Option<&Tallies>) -> Vec<f64> {
    (0..tallies.months)
        .map(|month| {
            let fixed: f64 = strategy.levers.iter().map(|lever| levers::fixed_cost(lever, month)).sum();
            let paid: f64 = strategy.levers.iter().map(|lever| levers::earned_by_others(lever, month, tallies)).sum();
            fixed + paid + contacts_cost(compiled, tallies, free, month, 0..tallies.territories)
        })
        .collect()
}

/// What the contacts of a month cost in some territories; `free` as in [`costs`].
pub(super) fn contacts_cost(
    compiled: &Compiled,
    tallies: &Tallies,
    free: Option<&Tallies>,
    month: usize,
    territories: Range<usize>,
) -> f64 {
    let phase = compiled.policy.phase_index(month);
    let first = month * tallies.territories;
    let cells = first + territories.start..first + territories.end;
    Channel::ALL
        .iter()
        .map(|channel| {
            let price = compiled.contact_cost[phase][channel.index()];
            if price == 0.0 {
                return 0.0;
            }
            let sum = |series: &[f64]| series[cells.clone()].iter().sum::<f64>();
            let made = match channel {
                Channel::FaceToFace => sum(&tallies.visits),
                _ => {
                    let before = free.map_or(0.0, |free| sum(&free.contacts[channel.index()]));
                    (sum(&tallies.contacts[channel.index()]) - before).max(0.0)
                }
            };
            price * made
        })
        .sum()
}

/// Money by month that a changed price brings on what is sold.
fn repriced(compiled: &Compiled, tallies: &Tallies, unit_price: f64) -> Vec<f64> {
    let of = |month| (0..tallies.territories).map(|j| repriced_in(compiled, tallies, unit_price, month, j)).sum();
    (0..tallies.months).map(of).collect()
}

/// The same of a territory in a month: negative where the price is lower, discounts on what is sold ahead among it.
pub(super) fn repriced_in(compiled: &Compiled, tallies: &Tallies, unit_price: f64, month: usize, j: usize) -> f64 {
    let at = compiled.policy.phase_index(month);
    let cell = month * tallies.territories + j;
    let discount = compiled.discount[at].get(j).copied().unwrap_or(0.0);
    let change = libm::expm1(f64::from(compiled.policy.phases[at].moves(j).price));
    unit_price * (change * tallies.own_sales[cell] - discount * (1.0 + change) * tallies.own_loaded[cell])
}

fn by_month(values: &[f64], tallies: &Tallies) -> Vec<f64> {
    values.chunks(tallies.territories.max(1)).map(|month| month.iter().sum()).collect()
}

fn by_territory(values: &[f64], tallies: &Tallies) -> Vec<f64> {
    let mut out = vec![0.0; tallies.territories];
    for month in values.chunks(tallies.territories.max(1)) {
        for (sum, value) in out.iter_mut().zip(month) {
            *sum += value;
        }
    }
    out
}

fn minus(mut left: Vec<f64>, right: Vec<f64>) -> Vec<f64> {
    for (left, right) in left.iter_mut().zip(right) {
        *left -= right;
    }
    left
}

impl Run {
    /// The objective of each strategy; 0 for the baseline.
    pub fn objective(&self, objective: Objective) -> Vec<f64> {
        let value = |outcome: &Outcome| match (objective, outcome.money) {
            (Objective::Npv, Some(money)) => money.npv,
            (Objective::IncrementalMargin, Some(money)) => money.margin - money.cost,
            _ => outcome.sales.iter().sum(),
        };
        self.outcomes.iter().map(value).collect()
    }
}

impl Runs {
    /// The objective of each strategy, by run.
    pub fn objectives(&self) -> Vec<Vec<f64>> {
        self.runs.iter().map(|run| run.objective(self.objective)).collect()
    }
}

/// The best strategy of a run; the first of equals.
pub fn best(objectives: &[f64]) -> usize {
    objectives.iter().enumerate().fold(0, |best, (index, value)| if *value > objectives[best] { index } else { best })
}

/// Monte Carlo errors reached.
struct Errors {
    /// Largest standard error of a P(best).
    p_best: f64,
    /// Largest standard error of a mean incremental, relative to the largest of these means.
    incremental: f64,
}

impl Errors {
    fn of(runs: &[Run], plan: &Plan<'_>) -> Self {
        let n = runs.len() as f64;
        let strategies = plan.bound.strategies.len();
        let mut wins = vec![0.0; strategies];
        let mut sales = vec![Vec::with_capacity(runs.len()); strategies];
        for run in runs {
            wins[best(&run.objective(plan.objective))] += 1.0;
            for (sales, outcome) in sales.iter_mut().zip(&run.outcomes) {
                sales.push(outcome.sales.iter().sum::<f64>());
            }
        }
        let p_best = wins.iter().map(|wins| (wins / n * (1.0 - wins / n) / n).sqrt()).fold(0.0, f64::max);
        // Against the largest gain or loss of all: a strategy that brings next to nothing need not be known to a part of that.
        let moments: Vec<(f64, f64)> = sales.iter().map(|sales| mean_sd(sales)).collect();
        let largest = moments.iter().map(|(mean, _)| mean.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let incremental = moments.iter().map(|(_, sd)| sd / n.sqrt() / largest).fold(0.0, f64::max);
        Self { p_best, incremental }
    }

    fn small_enough(&self, wanted: &MonteCarlo) -> bool {
        self.p_best <= wanted.p_best_se && self.incremental <= wanted.incremental_rse
    }

    fn runs_wanted(&self, wanted: &MonteCarlo, runs: usize) -> u32 {
        let factor = (self.p_best / wanted.p_best_se).max(self.incremental / wanted.incremental_rse);
        (runs as f64 * factor * factor * 1.05).ceil().min(f64::from(u32::MAX)) as u32
    }

    fn words(&self, wanted: &MonteCarlo, runs: usize) -> String {
        let relative = if self.incremental > 10.0 {
            "above 1,000%".to_owned()
        } else {
            format!("{:.1}%", 100.0 * self.incremental)
        };
        let verdict = if self.small_enough(wanted) {
            "the errors that the scenario asks for are reached"
        } else {
            "the scenario's largest number of runs was reached first"
        };
        format!(
            "{runs} paired runs: standard error of P(best) {:.3} (asked: {:.3}), of the mean incremental sales {relative} \
             (asked: {:.1}%); {verdict}",
            self.p_best,
            wanted.p_best_se,
            100.0 * wanted.incremental_rse,
        )
    }
}
