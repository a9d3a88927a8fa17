//! Looking at single customers while a run goes on.

use std::ops::Range;

use crate::channel::Channel;
use crate::lanes::{F32x16, U32x16, WIDTH};

use super::Stage;

/// Sees each territory's customers after each month. `()` looks away and costs nothing.
pub trait Recorder {
    /// Whether the run lays out columns for [`Recorder::month`] at all.
    const RECORDS: bool = true;

    /// Called once a territory and month (counted from 0), territories in order within a month.
    fn month(&mut self, month: usize, territory: usize, seen: Seen<'_>);
}

impl Recorder for () {
    const RECORDS: bool = false;

    fn month(&mut self, _: usize, _: usize, _: Seen<'_>) {}
}

/// One month of a territory's customers: columns as long as `agents`, positions in [`super::Agents`].
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    pub agents: Range<usize>,
    /// At the month's start.
    pub before: &'a [Stage],
    /// At the month's end.
    pub after: &'a [Stage],
    /// Orders from us (demand units).
    pub own_sales: &'a [f32],
    /// Orders from rivals (demand units), without what they loaded.
    pub rival_sales: &'a [f32],
    /// Loaded by rivals (demand units).
    pub loaded: &'a [f32],
    /// Expected category orders of the month before chance and without loads (demand units): `D - eaten`, 0 unless living.
    pub demand: &'a [f32],
    /// Goodwill after the month's contacts.
    pub goodwill: &'a [f32],
    /// Contacts made, in `Channel::ALL` order (visits first); zeros for channels not in use.
    pub contacts: [&'a [f32]; Channel::COUNT],
}

/// The columns that the step writes for a recorder.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub before: Vec<[u32; WIDTH]>,
    pub after: Vec<[u32; WIDTH]>,
    pub own: Vec<[f32; WIDTH]>,
    pub rivals: Vec<[f32; WIDTH]>,
    pub loaded: Vec<[f32; WIDTH]>,
    pub demand: Vec<[f32; WIDTH]>,
    pub goodwill: Vec<[f32; WIDTH]>,
    pub contacts: [Vec<[f32; WIDTH]>; Channel::COUNT],
    stages: (Vec<Stage>, Vec<Stage>),
}

impl Columns {
    /// Columns for territories of up to `blocks` blocks.
    pub fn with_blocks(blocks: usize) -> Self {
        let numbers = || vec![[0.0; WIDTH]; blocks];
        let words = || vec![[0; WIDTH]; blocks];
        let stages = || Vec::with_capacity(blocks * WIDTH);
        Self {
            before: words(),
            after: words(),
            own: numbers(),
            rivals: numbers(),
            loaded: numbers(),
            demand: numbers(),
            goodwill: numbers(),
            contacts: std::array::from_fn(|_| numbers()),
            stages: (stages(), stages()),
        }
    }

    /// Forgets contacts, so that channels not in use read zero.
    pub fn clear_contacts(&mut self) {
        for column in &mut self.contacts {
            column.fill([0.0; WIDTH]);
        }
    }

    /// The columns of a territory.
    pub fn seen(&mut self, agents: Range<usize>) -> Seen<'_> {
        let n = agents.len();
        let name = |from: &[[u32; WIDTH]], to: &mut Vec<Stage>| {
            to.clear();
            to.extend(from.as_flattened()[..n].iter().map(|&word| Stage::of_word(word)));
        };
        name(&self.before, &mut self.stages.0);
        name(&self.after, &mut self.stages.1);
        Seen {
            agents,
            before: &self.stages.0,
            after: &self.stages.1,
            own_sales: &self.own.as_flattened()[..n],
            rival_sales: &self.rivals.as_flattened()[..n],
            loaded: &self.loaded.as_flattened()[..n],
            demand: &self.demand.as_flattened()[..n],
            goodwill: &self.goodwill.as_flattened()[..n],
            contacts: std::array::from_fn(|c| &self.contacts[c].as_flattened()[..n]),
        }
    }
}

/// What one block leaves for the columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockSeen {
    pub before: U32x16,
    pub after: U32x16,
    pub own: F32x16,
    pub rivals: F32x16,
    pub loaded: F32x16,
    pub demand: F32x16,
    pub goodwill: F32x16,
    pub visits: F32x16,
}

impl Columns {
    #[inline(always)]
    pub fn write(&mut self, block: usize, seen: &BlockSeen) {
        self.before[block] = seen.before.0;
        self.after[block] = seen.after.0;
        self.own[block] = seen.own.0;
        self.rivals[block] = seen.rivals.0;
        self.loaded[block] = seen.loaded.0;
        self.demand[block] = seen.demand.0;
        self.goodwill[block] = seen.goodwill.0;
        self.contacts[Channel::FaceToFace.index()][block] = seen.visits.0;
    }
}
