//! The agents of one draw laid out for speed, in blocks of 16, and the state that a run changes.

use std::ops::Range;

use crate::lanes::{F32x16, U32x16, WIDTH};

use super::recorder::Columns;
use super::step::Sums;
use super::{Agents, Parameters, Stage, Twin};

/// A twin made ready to run, again and again: runs start from the same state and re-use the same memory.
///
/// Each territory begins a new block; the lanes after its last agent hold nobody (stage `Gone`, size 0). Block layout is no
/// part of any result: draws are keyed by the agents' hashes.
#[derive(Debug, Clone)]
pub struct World {
    pub(super) parameters: Parameters,
    pub(super) territories: Vec<Place>,
    /// What stays.
    pub(super) traits: Vec<Traits>,
    /// What changes: at the start, and now.
    pub(super) start: Vec<State>,
    pub(super) now: Vec<State>,
    /// What the first month needs to know of the month before, by territory.
    pub(super) census: Vec<Census>,
    pub(super) columns: Columns,
    pub(super) agents: usize,
}

/// A territory in blocks.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub hash: u64,
    pub agents: Range<usize>,
    pub blocks: Range<usize>,
    pub rivals: Vec<f64>,
    pub dark_at_start: f64,
}

/// What 16 agents are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    pub hash_low: U32x16,
    pub hash_high: U32x16,
    pub size: F32x16,
    pub appeal: F32x16,
    pub influence: F32x16,
    pub visibility: F32x16,
    pub consent: U32x16,
}

/// How 16 agents are.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub stage: U32x16,
    pub goodwill: F32x16,
    /// Demand units in stock that rivals sold ahead.
    pub stock: F32x16,
}

/// A territory at a month's start.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Census {
    pub dark: f64,
    pub living: f64,
    pub unborn: f64,
    /// Influence of the living, and of those among them that we serve.
    pub influence: f64,
    pub influence_served: f64,
    /// Visits that the plan wants at the customers known.
    pub wanted: f64,
}

impl Census {
    pub fn of(sums: &Sums<f64>) -> Self {
        Self {
            dark: sums.dark,
            living: sums.living,
            unborn: sums.unborn,
            influence: sums.influence,
            influence_served: sums.influence_served,
            wanted: sums.wanted,
        }
    }

    /// Influence-weighted share of the living that we serve.
    pub fn served_share(&self) -> f64 {
        if self.influence > 0.0 { self.influence_served / self.influence } else { 0.0 }
    }
}

impl World {
    /// Lays out a twin.
    ///
    /// # Panics
    ///
    /// When the columns of [`Agents`] differ in length or the territories do not cover them in order: a twin is built by
    /// the program, never read from a file.
    pub fn new(twin: &Twin) -> Self {
        let mut world = Self {
            parameters: twin.parameters.clone(),
            territories: Vec::new(),
            traits: Vec::new(),
            start: Vec::new(),
            now: Vec::new(),
            census: Vec::new(),
            columns: Columns::default(),
            agents: 0,
        };
        world.reload(twin);
        world
    }

    /// Lays out another twin in the memory of this one. Panics as [`World::new`].
    pub fn reload(&mut self, twin: &Twin) {
        let agents = &twin.agents;
        let n = agents.len();
        let lengths = [
            agents.stage.len(),
            agents.size.len(),
            agents.appeal.len(),
            agents.goodwill.len(),
            agents.influence.len(),
            agents.visibility.len(),
            agents.consent.len(),
        ];
        assert!(lengths.iter().all(|&length| length == n), "the agents' columns differ in length: {n}, {lengths:?}");
        self.parameters = twin.parameters.clone();
        self.agents = n;
        self.territories.clear();
        self.traits.clear();
        self.start.clear();
        let mut at = 0;
        for territory in &twin.territories {
            assert!(
                territory.agents.start == at && territory.agents.end <= n,
                "territories must cover the agents in order"
            );
            at = territory.agents.end;
            let first = self.traits.len();
            for begins in territory.agents.clone().step_by(WIDTH) {
                let range = begins..at.min(begins + WIDTH);
                self.traits.push(traits(agents, range.clone()));
                self.start.push(state(agents, range));
            }
            self.territories.push(Place {
                hash: territory.hash,
                agents: territory.agents.clone(),
                blocks: first..self.traits.len(),
                rivals: territory.rivals.clone(),
                dark_at_start: territory.dark_at_start,
            });
        }
        assert!(at == n, "{} agents belong to no territory", n - at);
        self.now.clear();
        self.now.extend_from_slice(&self.start);
    }

    /// Number of agents, unborn ones included.
    pub fn agents(&self) -> usize {
        self.agents
    }

    /// Number of territories.
    pub fn territories(&self) -> usize {
        self.territories.len()
    }

    /// Number of rivals.
    pub fn rivals(&self) -> usize {
        self.territories.iter().map(|territory| territory.rivals.len()).max().unwrap_or(0)
    }

    /// Where each agent is after the last run (at the start before the first).
    pub fn stages(&self) -> Vec<Stage> {
        self.column(|state, lane| Stage::of_word(state.stage.0[lane]))
    }

    /// Each agent's goodwill after the last run.
    pub fn goodwill(&self) -> Vec<f32> {
        self.column(|state, lane| state.goodwill.0[lane])
    }

    /// Demand units that each agent has in stock after the last run, sold ahead by rivals.
    pub fn stock(&self) -> Vec<f32> {
        self.column(|state, lane| state.stock.0[lane])
    }

    fn column<T>(&self, of: impl Fn(&State, usize) -> T) -> Vec<T> {
        let mut out = Vec::with_capacity(self.agents);
        for territory in &self.territories {
            for (position, _) in territory.agents.clone().enumerate() {
                out.push(of(&self.now[territory.blocks.start + position / WIDTH], position % WIDTH));
            }
        }
        out
    }

    /// Counts each territory before the first month; `desired` are the visits that its plan wants, by agent.
    pub(super) fn count(&mut self, desired: &[f32]) {
        self.census.clear();
        for territory in &self.territories {
            let mut census = Census::default();
            for (position, agent) in territory.agents.clone().enumerate() {
                let (block, lane) = (territory.blocks.start + position / WIDTH, position % WIDTH);
                let stage = Stage::of_word(self.start[block].stage.0[lane]);
                let influence = f64::from(self.traits[block].influence.0[lane]);
                match stage {
                    Stage::Unborn => census.unborn += 1.0,
                    Stage::Gone => {}
                    Stage::Dark | Stage::Identified | Stage::Served | Stage::Lapsed => {
                        census.living += 1.0;
                        census.influence += influence;
                        if stage == Stage::Dark {
                            census.dark += 1.0;
                        } else {
                            census.wanted += f64::from(desired[agent]);
                        }
                        if stage == Stage::Served {
                            census.influence_served += influence;
                        }
                    }
                }
            }
            self.census.push(census);
        }
    }
}

fn traits(agents: &Agents, range: Range<usize>) -> Traits {
    let words = |of: &dyn Fn(usize) -> u32| {
        let mut out = U32x16::ZERO;
        for (lane, agent) in out.0.iter_mut().zip(range.clone()) {
            *lane = of(agent);
        }
        out
    };
    Traits {
        hash_low: words(&|agent| agents.hash[agent] as u32),
        hash_high: words(&|agent| (agents.hash[agent] >> 32) as u32),
        size: F32x16::load(&agents.size[range.clone()], 0.0),
        appeal: F32x16::load(&agents.appeal[range.clone()], 0.0),
        influence: F32x16::load(&agents.influence[range.clone()], 0.0),
        visibility: F32x16::load(&agents.visibility[range.clone()], 0.0),
        consent: words(&|agent| u32::from(agents.consent[agent])),
    }
}

fn state(agents: &Agents, range: Range<usize>) -> State {
    let mut stage = U32x16::splat(Stage::Gone as u32);
    for (lane, agent) in stage.0.iter_mut().zip(range.clone()) {
        *lane = agents.stage[agent] as u32;
    }
    State { stage, goodwill: F32x16::load(&agents.goodwill[range], 0.0), stock: F32x16::ZERO }
}
