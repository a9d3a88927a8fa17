//! A model made ready to run: its customers laid out in blocks of 16, and the months one after the other.
//!
//! Territories do not touch each other within a run, so each lives through all its months before the next begins: its
//! customers stay in the nearest memory, and territories can be run side by side.

use std::ops::Range;

use rayon::prelude::*;

use super::kernel::{Live, Watch};
use super::mechanism::Mechanism;
use super::month::{Here, Month};
use super::now::Sums;
use super::recorder::{Columns, Recorder};
use super::{Agents, PRODUCTS, Policy, Territory};
use crate::channel::Channel;
use crate::lanes::{Isa, U32x16, WIDTH};
use crate::rng::{Purpose, RunKey};

/// Takes down what a territory did, month by month.
pub trait Ledger {
    /// Called for each territory in order, with its months in order.
    fn territory(&mut self, territory: usize, months: &[Entry]);
}

/// A territory's month, as sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    pub here: Here,
    pub sums: Sums<f64>,
    /// By further channel, in `Channel::ALL` order.
    pub contacts: [f64; Channel::COUNT],
    /// Orders from us by product (demand units); all in the first where we have but one.
    pub products: [f64; PRODUCTS],
}

/// A model of mechanisms and its customers. Runs start from the same state and re-use the same memory.
///
/// Each territory begins a new block; the lanes after its last agent hold nobody. Block layout is no part of any draw: they
/// are keyed by the agents' hashes. (It is of who gets the last calls of a month: `mechanisms::contacts::BoundedVisits`.)
#[derive(Clone)]
pub struct Engine<M: Mechanism> {
    model: M,
    places: Vec<Place<M>>,
    blocks: Vec<Block<M>>,
    start: Vec<M::Memory>,
    agents: usize,
    scratch: Scratch<M>,
}

/// A territory in blocks.
#[derive(Clone)]
pub(super) struct Place<M: Mechanism> {
    pub(super) hash: u64,
    pub(super) agents: Range<usize>,
    pub(super) blocks: Range<usize>,
    pub(super) rivals: Vec<f64>,
    pub(super) dark_at_start: f64,
    pub(super) ground: M::Ground,
}

/// What stays of 16 customers.
#[derive(Clone, Copy)]
pub(super) struct Block<M: Mechanism> {
    pub(super) low: U32x16,
    pub(super) high: U32x16,
    pub(super) traits: M::Traits,
}

/// What a territory needs while it runs.
#[derive(Clone)]
pub(super) struct Scratch<M: Mechanism> {
    pub(super) memory: Vec<M::Memory>,
    /// Words kept for the next month, see [`Engine::TWO_MONTHS`].
    pub(super) spare: Vec<[U32x16; 2]>,
    pub(super) columns: Columns,
    pub(super) entries: Vec<Entry>,
}

impl<M: Mechanism> Default for Scratch<M> {
    fn default() -> Self {
        Self { memory: Vec::new(), spare: Vec::new(), columns: Columns::default(), entries: Vec::new() }
    }
}

/// A run of an engine: what is the same for all its territories.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) policy: &'a Policy,
    /// Demand of each month over that of an average one; as long as the run.
    pub(super) path: &'a [f64],
    pub(super) key: RunKey,
    pub(super) isa: Isa,
}

impl<M: Mechanism> Engine<M> {
    /// Whether the model draws no more than two words an agent and month, so that four words of the generator serve two
    /// months: the words of [`Purpose::OwnOrders`] and [`Purpose::FaceToFace`] in even months, the others in odd ones.
    pub(super) const TWO_MONTHS: bool =
        M::DRAWS & !(1 << Purpose::OwnOrders as u64 | 1 << Purpose::FaceToFace as u64) == 0;

    /// An engine without customers.
    pub fn new(model: M) -> Self {
        Self {
            model,
            places: Vec::new(),
            blocks: Vec::new(),
            start: Vec::new(),
            agents: 0,
            scratch: Scratch::default(),
        }
    }

    /// Forgets all customers and takes another model.
    pub fn reset(&mut self, model: M) {
        self.model = model;
        self.places.clear();
        self.blocks.clear();
        self.start.clear();
        self.agents = 0;
    }

    /// Makes room for territories of so many agents each.
    pub fn reserve(&mut self, territories: usize, agents: usize) {
        self.places.reserve_exact(territories);
        self.blocks.reserve_exact(territories * agents.div_ceil(WIDTH));
        self.start.reserve_exact(territories * agents.div_ceil(WIDTH));
    }

    /// Adds a territory with its agents, which are `territory.agents` of these columns.
    pub fn push(&mut self, territory: &Territory, agents: &Agents) {
        let first = self.blocks.len();
        for begins in territory.agents.clone().step_by(WIDTH) {
            let range = begins..territory.agents.end.min(begins + WIDTH);
            let words = |of: &dyn Fn(u64) -> u32| {
                let mut out = U32x16::ZERO;
                for (lane, agent) in out.0.iter_mut().zip(range.clone()) {
                    *lane = of(agents.hash[agent]);
                }
                out
            };
            self.blocks.push(Block {
                low: words(&|hash| hash as u32),
                high: words(&|hash| (hash >> 32) as u32),
                traits: M::traits(agents, range.clone()),
            });
            self.start.push(M::memory(agents, range));
        }
        let ours = self.agents..self.agents + territory.agents.len();
        self.agents = ours.end;
        self.places.push(Place {
            hash: territory.hash,
            agents: ours,
            blocks: first..self.blocks.len(),
            rivals: territory.rivals.clone(),
            dark_at_start: territory.dark_at_start,
            ground: self.model.ground(agents, territory),
        });
    }

    /// Number of agents, unborn ones included.
    pub fn agents(&self) -> usize {
        self.agents
    }

    /// Number of territories.
    pub fn territories(&self) -> usize {
        self.places.len()
    }

    /// Number of rivals.
    pub fn rivals(&self) -> usize {
        self.places.iter().map(|place| place.rivals.len()).max().unwrap_or(0)
    }

    /// Bytes that an agent takes in the engine's columns, and bytes that change from month to month among them.
    pub const fn bytes_an_agent() -> (usize, usize) {
        let (fixed, changing) = (size_of::<Block<M>>(), size_of::<M::Memory>());
        ((fixed + changing) / WIDTH, changing / WIDTH)
    }

    /// Runs from the start under a policy, as many months as `path` has, which gives each month's demand over that of an
    /// average one. Pure and on one thread: the same arguments give the same bytes, whatever ran
    /// before, on every instruction set.
    ///
    /// # Panics
    ///
    /// When the policy does not fit the customers (columns of another length, no phase from month 0) or the machine lacks
    /// `isa`: policies are compiled by the program, never read from a file.
    pub fn run<R: Recorder>(
        &mut self,
        policy: &Policy,
        path: &[f64],
        key: RunKey,
        isa: Isa,
        ledger: &mut impl Ledger,
        recorder: &mut R,
    ) {
        policy.check(self.agents, self.places.len());
        let mut scratch = std::mem::take(&mut self.scratch);
        let run = Run { policy, path, key, isa };
        for j in 0..self.places.len() {
            self.territory(&run, j, &mut scratch, recorder);
            ledger.territory(j, &scratch.entries);
        }
        self.scratch = scratch;
    }

    /// As [`Engine::run`], territories side by side on rayon's threads; the same bytes.
    pub fn run_abreast(&self, policy: &Policy, path: &[f64], key: RunKey, isa: Isa, ledger: &mut impl Ledger) {
        policy.check(self.agents, self.places.len());
        let run = Run { policy, path, key, isa };
        // A few batches a thread, so that memory stays bounded and the threads busy.
        let batch = 64 * rayon::current_num_threads();
        for first in (0..self.places.len()).step_by(batch) {
            let all: Vec<Vec<Entry>> = (first..self.places.len().min(first + batch))
                .into_par_iter()
                .map_init(Scratch::default, |scratch, j| {
                    self.territory(&run, j, scratch, &mut ());
                    scratch.entries.clone()
                })
                .collect();
            for (offset, entries) in all.iter().enumerate() {
                ledger.territory(first + offset, entries);
            }
        }
    }

    /// All months of a territory; they are left in `scratch.entries`.
    fn territory<R: Recorder>(&self, run: &Run<'_>, j: usize, scratch: &mut Scratch<M>, recorder: &mut R) {
        let place = &self.places[j];
        let blocks = &self.blocks[place.blocks.clone()];
        scratch.memory.clear();
        scratch.memory.extend_from_slice(&self.start[place.blocks.clone()]);
        if Self::TWO_MONTHS {
            scratch.spare.resize(blocks.len(), [U32x16::ZERO; 2]);
        }
        scratch.entries.clear();
        let mut watch = |month: usize, columns: &mut Columns| {
            recorder.month(month, j, columns.seen(place.agents.clone()));
        };
        let mut watch: Option<Watch<'_>> = if R::RECORDS { Some(&mut watch) } else { None };
        if watch.is_some() {
            scratch.columns.fit(blocks.len());
        }
        let mut ground = place.ground.clone();
        run.isa.dispatch(Live {
            model: self.model,
            run,
            j,
            place,
            blocks,
            ground: &mut ground,
            scratch,
            watch: &mut watch,
        });
    }
}

impl<M: Mechanism> Place<M> {
    /// A month of the territory `j`, before anything happened in it.
    #[inline(always)]
    pub(super) fn month<'a>(&'a self, run: &Run<'a>, j: usize, index: usize, before: &'a Sums<f64>) -> Month<'a> {
        let Run { policy, path, key, .. } = *run;
        let (phase, next) = (policy.phase(index), policy.phase(index + 1));
        Month {
            index,
            path: path.get(index).copied().unwrap_or(1.0),
            key,
            territory: j,
            hash: self.hash,
            rivals: &self.rivals,
            dark_at_start: self.dark_at_start,
            policy,
            phase,
            next,
            desired: of_territory(&phase.visits.desired, &self.agents),
            desired_next: of_territory(&next.visits.desired, &self.agents),
            agents: self.agents.clone(),
            before,
        }
    }
}

/// A territory's part of a column by agent, which may be empty.
#[inline(always)]
fn of_territory<'a>(column: &'a [f32], agents: &Range<usize>) -> &'a [f32] {
    column.get(agents.clone()).unwrap_or(&[])
}
