//! What somebody who knows everything but luck would have forecast: the generating agents, simulated onward.
//!
//! The past is lived again to a month in the history, and from the stages and goodwill that its customers had then the same
//! agents live on, under the true parameters, with other random numbers. No forecast of this market can be better on
//! average; how near one comes is the measure of a calibration. The run begins a month before the origin, so that what
//! rivals loaded in that month lies in stock (earlier loads have been used up).

use rayon::prelude::*;

use super::SyntheticMarket;
use super::past;
use crate::lanes::Isa;
use crate::rng::RunKey;
use crate::simulate::{self, Horizon, Phase, Policy, Recorder, Seen, Stage, Tallies, Twin};

/// What is known of the months after the origin besides the state of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowing {
    /// What we and the rivals will do.
    Moves,
    /// Nothing: our effort of the origin is carried on, and rivals make no moves, as in a forecast of the baseline.
    Nothing,
}

/// Runs of `ahead` months after the first `known` months of the history.
pub fn onward(market: &SyntheticMarket, known: usize, ahead: usize, knowing: Knowing, runs: u32) -> Vec<Tallies> {
    let SyntheticMarket { description, seed, .. } = market;
    let history = description.history;
    let from = known.saturating_sub(1).max(1);
    let (twin, policy) = lived(market, from);

    let last = policy.phases[known - 1].clone();
    let mut ahead_policy = policy;
    ahead_policy.phases = (from..known + ahead)
        .map(|month| {
            let mut phase = if month < known || knowing == Knowing::Moves {
                ahead_policy.phases[month].clone()
            } else {
                let mut phase = last.clone();
                phase.rival_push.iter_mut().flatten().for_each(|push| *push = 0.0);
                phase.rival_loading.iter_mut().for_each(|depth| *depth = 0.0);
                phase
            };
            phase.from = month - from;
            phase
        })
        .collect();
    let begun = known - from;
    let horizon = Horizon { first: history.first.plus(from as i32), months: begun + ahead, level: history.last };
    (0..runs)
        .into_par_iter()
        .map_init(
            || simulate::World::new(&twin),
            |agents, run| {
                let key = RunKey { seed: *seed, run };
                let mut tallies = agents.run(&ahead_policy, horizon, key, Isa::detect(), &mut ());
                let cut = begun * tallies.territories;
                tallies.own_sales.drain(..cut);
                tallies.total_demand.drain(..cut);
                tallies.months = ahead;
                tallies
            },
        )
        .collect()
}

/// The agents as they are when the history ends, and what we do in its last month, as a phase from month 0: where strategies are tried
/// by who knows everything but luck. What rivals loaded in the last month is not in stock, and they make no moves.
pub fn at_end(market: &SyntheticMarket) -> (Twin, Phase) {
    let months = market.description.history.len();
    let (twin, policy) = lived(market, months);
    let mut phase = policy.phases[months - 1].clone();
    phase.rival_push.iter_mut().flatten().for_each(|push| *push = 0.0);
    phase.rival_loading.iter_mut().for_each(|depth| *depth = 0.0);
    phase.from = 0;
    (twin, phase)
}

/// The agents after so many months of the past, lived again, and the policy of all of it.
fn lived(market: &SyntheticMarket, months: usize) -> (Twin, Policy) {
    let SyntheticMarket { description, world, force, moves, seed, .. } = market;
    let history = description.history;
    let policy = past::policy(description, world, force, moves);
    let mut twin = past::twin(description, world, market.parameters.clone(), &policy, *seed);
    let mut state = State { month: months - 1, stage: Vec::new(), goodwill: Vec::new() };
    let horizon = Horizon { first: history.first, months, level: history.last };
    let key = RunKey { seed: *seed, run: past::RUN };
    simulate::World::new(&twin).run(&policy, horizon, key, Isa::detect(), &mut state);
    (twin.agents.stage, twin.agents.goodwill) = (state.stage, state.goodwill);
    (twin, policy)
}

/// Keeps stage and goodwill at the end of a month. Territories come in order, and so do their agents.
struct State {
    month: usize,
    stage: Vec<Stage>,
    goodwill: Vec<f32>,
}

impl Recorder for State {
    fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
        if month == self.month {
            self.stage.extend_from_slice(seen.after);
            self.goodwill.extend_from_slice(&seen.goodwill[..seen.after.len()]);
        }
    }
}
