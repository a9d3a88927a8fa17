//! Looking at single customers while a run goes on.

use std::ops::Range;

use crate::channel::Channel;
use crate::lanes::{Simd, WIDTH, Words as _};

use super::Stage;
use super::now::Now;

/// Sees each territory's customers after each month. `()` looks away and costs nothing.
pub trait Recorder {
    /// Whether the run lays out columns for [`Recorder::month`] at all.
    const RECORDS: bool = true;

    /// Called once a territory and month (counted from 0): territories in order, each with its months in order.
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
    /// In stock after the month, sold ahead by rivals (demand units).
    pub stock: &'a [f32],
    /// Goodwill after the month's contacts.
    pub goodwill: &'a [f32],
    /// Contacts made, in `Channel::ALL` order (visits first); zeros for channels not in use.
    pub contacts: [&'a [f32]; Channel::COUNT],
}

/// The columns that the step writes for a recorder.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    pub(super) before: Vec<[u32; WIDTH]>,
    pub(super) after: Vec<[u32; WIDTH]>,
    pub(super) own: Vec<[f32; WIDTH]>,
    pub(super) rivals: Vec<[f32; WIDTH]>,
    pub(super) loaded: Vec<[f32; WIDTH]>,
    pub(super) demand: Vec<[f32; WIDTH]>,
    pub(super) stock: Vec<[f32; WIDTH]>,
    pub(super) goodwill: Vec<[f32; WIDTH]>,
    pub(super) contacts: [Vec<[f32; WIDTH]>; Channel::COUNT],
    stages: (Vec<Stage>, Vec<Stage>),
}

impl Columns {
    /// Makes room for a territory of so many blocks.
    pub(super) fn fit(&mut self, blocks: usize) {
        if self.before.len() >= blocks {
            return;
        }
        for words in [&mut self.before, &mut self.after] {
            words.resize(blocks, [0; WIDTH]);
        }
        let Self { own, rivals, loaded, demand, stock, goodwill, .. } = self;
        let numbers = [own, rivals, loaded, demand, stock, goodwill];
        for column in numbers.into_iter().chain(&mut self.contacts) {
            column.resize(blocks, [0.0; WIDTH]);
        }
    }

    /// Forgets contacts, so that channels not in use read zero.
    pub(super) fn clear_contacts(&mut self) {
        for column in &mut self.contacts {
            column.fill([0.0; WIDTH]);
        }
    }

    /// The columns of a territory.
    pub(super) fn seen(&mut self, agents: Range<usize>) -> Seen<'_> {
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
            stock: &self.stock.as_flattened()[..n],
            goodwill: &self.goodwill.as_flattened()[..n],
            contacts: std::array::from_fn(|c| &self.contacts[c].as_flattened()[..n]),
        }
    }
}

impl<V: Simd> Now<'_, V> {
    /// Writes the block down.
    #[inline(always)]
    pub(super) fn write(&mut self) {
        let block = self.block;
        let Some(columns) = &mut self.columns else { return };
        columns.before[block] = self.is.stage.store().0;
        columns.after[block] = self.will_be.stage.store().0;
        columns.own[block] = self.own.store().0;
        columns.rivals[block] = self.others.store().0;
        columns.loaded[block] = self.loaded.store().0;
        columns.demand[block] = self.open.store().0;
        columns.stock[block] = self.stock.store().0;
        columns.goodwill[block] = self.goodwill.store().0;
        columns.contacts[Channel::FaceToFace.index()][block] = self.visits.store().0;
    }
}
