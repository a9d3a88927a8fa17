//! A model made ready to run: its customers laid out in blocks of 16, and the months one after the other.
//!
//! Territories do not touch each other within a run, so each lives through all its months before the next begins: its
//! customers stay in the nearest memory, and territories can be run side by side.

use std::ops::Range;

use rayon::prelude::*;

use super::mechanism::Mechanism;
use super::month::{Here, Month};
use super::now::{Now, Sums};
use super::recorder::{Columns, Recorder};
use super::{Agents, Phase, Policy, Territory};
use crate::channel::Channel;
use crate::lanes::{F32x16, Isa, Kernel, Simd, U32x16, WIDTH, Words as _};
use crate::rng::{Purpose, RunKey};
use crate::units::Month as CalendarMonth;

/// The months that a run simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The first month simulated.
    pub first: CalendarMonth,
    /// Their number.
    pub months: usize,
    /// The month whose level the agents' sizes are (the history's last): growth counts from there, backwards too.
    pub level: CalendarMonth,
}

impl Horizon {
    /// The `months` after `history_end`.
    pub fn after(history_end: CalendarMonth, months: usize) -> Self {
        Self { first: history_end.plus(1), months, level: history_end }
    }
}

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
}

/// A model of mechanisms and its customers. Runs start from the same state and re-use the same memory.
///
/// Each territory begins a new block; the lanes after its last agent hold nobody. Block layout is no part of any result:
/// draws are keyed by the agents' hashes.
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
struct Place<M: Mechanism> {
    hash: u64,
    agents: Range<usize>,
    blocks: Range<usize>,
    rivals: Vec<f64>,
    dark_at_start: f64,
    ground: M::Ground,
}

/// What stays of 16 customers.
#[derive(Clone, Copy)]
struct Block<M: Mechanism> {
    low: U32x16,
    high: U32x16,
    traits: M::Traits,
}

/// The words of a block in a month; zeros beyond the last block. With [`Engine::TWO_MONTHS`] half of them are kept in
/// `spare` in even months and taken from there in odd ones.
#[inline(always)]
fn words_at<M: Mechanism, V: Simd>(
    month: &Month<'_>,
    blocks: &[Block<M>],
    spare: &mut [[U32x16; 2]],
    at: usize,
) -> [V::Words; 4] {
    let Some(block) = blocks.get(at) else { return [V::Words::splat(0); 4] };
    let (low, high) = (V::Words::load(&block.low), V::Words::load(&block.high));
    let index = month.index as u32;
    match (Engine::<M>::TWO_MONTHS, index % 2) {
        (false, _) => month.key.lanes(low, high, index, 0),
        (true, 0) => {
            let words: [V::Words; 4] = month.key.lanes(low, high, index / 2, 0);
            spare[at] = [words[0].store(), words[2].store()];
            words
        }
        (true, _) => {
            let [own, visit] = [V::Words::load(&spare[at][0]), V::Words::load(&spare[at][1])];
            [own, own, visit, visit]
        }
    }
}

/// What a territory needs while it runs.
#[derive(Clone)]
struct Scratch<M: Mechanism> {
    memory: Vec<M::Memory>,
    /// Words kept for the next month, see [`Engine::TWO_MONTHS`].
    spare: Vec<[U32x16; 2]>,
    columns: Columns,
    entries: Vec<Entry>,
}

impl<M: Mechanism> Default for Scratch<M> {
    fn default() -> Self {
        Self { memory: Vec::new(), spare: Vec::new(), columns: Columns::default(), entries: Vec::new() }
    }
}

/// A run of an engine: what is the same for all its territories.
#[derive(Debug, Clone, Copy)]
struct Run<'a> {
    policy: &'a Policy,
    horizon: Horizon,
    key: RunKey,
    isa: Isa,
}

impl<M: Mechanism> Engine<M> {
    /// Whether the model draws no more than two words an agent and month, so that four words of the generator serve two
    /// months: the words of [`Purpose::OwnOrders`] and [`Purpose::FaceToFace`] in even months, the others in odd ones.
    const TWO_MONTHS: bool =
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

    /// Runs from the start under a policy. Pure and on one thread: the same arguments give the same bytes, whatever ran
    /// before, on every instruction set.
    ///
    /// # Panics
    ///
    /// When the policy does not fit the customers (columns of another length, no phase from month 0) or the machine lacks
    /// `isa`: policies are compiled by the program, never read from a file.
    pub fn run<R: Recorder>(
        &mut self,
        policy: &Policy,
        horizon: Horizon,
        key: RunKey,
        isa: Isa,
        ledger: &mut impl Ledger,
        recorder: &mut R,
    ) {
        policy.check(self.agents, self.places.len());
        let mut scratch = std::mem::take(&mut self.scratch);
        let run = Run { policy, horizon, key, isa };
        for j in 0..self.places.len() {
            self.territory(&run, j, &mut scratch, recorder);
            ledger.territory(j, &scratch.entries);
        }
        self.scratch = scratch;
    }

    /// As [`Engine::run`], territories side by side on rayon's threads; the same bytes.
    pub fn run_abreast(
        &self,
        policy: &Policy,
        horizon: Horizon,
        key: RunKey,
        isa: Isa,
        ledger: &mut impl Ledger,
    ) {
        policy.check(self.agents, self.places.len());
        let run = Run { policy, horizon, key, isa };
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

    /// All months of a territory.
    fn territory<R: Recorder>(&self, run: &Run<'_>, j: usize, scratch: &mut Scratch<M>, recorder: &mut R) {
        let Run { policy, horizon, key, isa } = *run;
        let place = &self.places[j];
        let blocks = place.blocks.clone();
        scratch.memory.clear();
        scratch.memory.extend_from_slice(&self.start[blocks.clone()]);
        scratch.spare.clear();
        if Self::TWO_MONTHS {
            scratch.spare.resize(blocks.len(), [U32x16::ZERO; 2]);
        }
        if R::RECORDS {
            scratch.columns.fit(blocks.len());
        }
        scratch.entries.clear();
        let mut ground = place.ground.clone();
        let mut before = Sums::default();
        for index in 0..horizon.months {
            let (phase, next) = (policy.phase(index), policy.phase(index + 1));
            let calendar = horizon.first.plus(index as i32);
            let desired = |phase: &'_ Phase| -> Range<usize> {
                if phase.visits.desired.is_empty() { 0..0 } else { place.agents.clone() }
            };
            let mut rates: [&[f32]; Channel::COUNT] = [&[]; Channel::COUNT];
            for (rates, all) in rates.iter_mut().zip(&phase.contacts) {
                *rates = &all[place.agents.clone()];
            }
            let nothing = Sums::default();
            let month = Month {
                index,
                of_year: calendar.of_year(),
                since_level: f64::from(calendar.since(horizon.level)),
                key,
                territory: j,
                hash: place.hash,
                rivals: &place.rivals,
                dark_at_start: place.dark_at_start,
                policy,
                phase,
                desired: &phase.visits.desired[desired(phase)],
                desired_next: &next.visits.desired[desired(next)],
                channels: &phase.channels,
                rates,
                before: &nothing,
            };
            let blocks = &self.blocks[blocks.clone()];
            if index == 0 {
                let start = Month { desired_next: month.desired, ..month };
                let counted = isa.dispatch(Count { model: &self.model, month: &start, blocks, memory: &scratch.memory });
                before = counted;
            }
            let month = Month { before: &before, ..month };
            let mut here = Here::default();
            self.model.here(&month, &mut ground, &mut here);
            if R::RECORDS {
                scratch.columns.clear_contacts();
            }
            let (sums, contacts) = isa.dispatch(Step {
                model: self.model,
                month: &month,
                here: &here,
                ground: &mut ground,
                blocks,
                memory: &mut scratch.memory,
                spare: &mut scratch.spare,
                columns: if R::RECORDS { Some(&mut scratch.columns) } else { None },
            });
            self.model.settle(&month, &mut ground, &sums);
            before = sums;
            scratch.entries.push(Entry { here, sums, contacts });
            if R::RECORDS {
                recorder.month(index, j, scratch.columns.seen(place.agents.clone()));
            }
        }
    }
}

/// Blocks whose sums are kept in lanes before they are added to the doubles: few enough that counts stay exact.
const BLOCKS_A_SUM: usize = 32;

/// One month of a territory: the kernel.
struct Step<'a, M: Mechanism> {
    model: M,
    month: &'a Month<'a>,
    here: &'a Here,
    ground: &'a mut M::Ground,
    blocks: &'a [Block<M>],
    memory: &'a mut [M::Memory],
    spare: &'a mut [[U32x16; 2]],
    columns: Option<&'a mut Columns>,
}

impl<M: Mechanism> Kernel for Step<'_, M> {
    type Output = (Sums<f64>, [f64; Channel::COUNT]);

    #[inline(always)]
    fn run<V: Simd>(self) -> Self::Output {
        let Self { model, month, here, ground, blocks, memory, spare, columns } = self;
        let here = *here;
        let mut sums = Sums::<f64>::default();
        let mut contacts = [0.0; Channel::COUNT];
        let mut channel_sums = [F32x16::ZERO; Channel::COUNT];
        let mut now = Now::<V>::new(month.key, month.index as u32, &mut channel_sums, columns);
        // Words are drawn one block ahead, so that no customer waits for them.
        let mut ahead = words_at::<M, V>(month, blocks, spare, 0);
        for (chunk, memory) in memory.chunks_mut(BLOCKS_A_SUM).enumerate() {
            for (offset, memory) in memory.iter_mut().enumerate() {
                let at = chunk * BLOCKS_A_SUM + offset;
                let block = &blocks[at];
                now.begin(at, &block.low, &block.high, ahead);
                ahead = words_at::<M, V>(month, blocks, spare, at + 1);
                model.step(month, &here, ground, &block.traits, memory, &mut now);
                model.close(month, &here, ground, &block.traits, memory, &mut now);
                if now.columns.is_some() {
                    now.write();
                }
            }
            sums.take(&now.sums);
            now.sums = Sums::zero();
            for channel in month.channels {
                let channel = channel.index();
                contacts[channel] += now.channel_sums[channel].total();
                now.channel_sums[channel] = F32x16::ZERO;
            }
        }
        (sums, contacts)
    }
}

/// Counts a territory's customers before the first month.
struct Count<'a, M: Mechanism> {
    model: &'a M,
    month: &'a Month<'a>,
    blocks: &'a [Block<M>],
    memory: &'a [M::Memory],
}

impl<M: Mechanism> Kernel for Count<'_, M> {
    type Output = Sums<f64>;

    #[inline(always)]
    fn run<V: Simd>(self) -> Sums<f64> {
        let mut total = Sums::<f64>::default();
        let mut first = 0;
        for (blocks, memory) in self.blocks.chunks(BLOCKS_A_SUM).zip(self.memory.chunks(BLOCKS_A_SUM)) {
            let mut sums = Sums::<V>::zero();
            for (offset, (block, memory)) in blocks.iter().zip(memory).enumerate() {
                self.model.census(self.month, &block.traits, memory, first + offset, &mut sums);
            }
            total.take(&sums);
            first += BLOCKS_A_SUM;
        }
        total
    }
}
