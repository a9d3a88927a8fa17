//! The hot loop: all months of a territory, compiled for each instruction set.

use super::engine::{Block, Engine, Entry, Place, Run, Scratch};
use super::mechanism::Mechanism;
use super::month::{Here, Month};
use super::now::{Now, Sums};
use super::recorder::Columns;
use crate::channel::Channel;
use crate::lanes::{F32x16, Kernel, Simd, U32x16, Words as _};
use crate::rng::Draws;

/// Looks at the columns of a month.
pub(super) type Watch<'a> = &'a mut dyn FnMut(usize, &mut Columns);

/// Blocks whose sums are kept in lanes before they are added to the doubles: few enough that counts stay exact.
const BLOCKS_A_SUM: usize = 32;

/// A territory lives through its months; `scratch.memory` is how its customers are at the start.
pub(super) struct Live<'a, 'b, M: Mechanism> {
    pub model: M,
    pub run: &'a Run<'a>,
    pub j: usize,
    pub place: &'a Place<M>,
    pub blocks: &'a [Block<M>],
    pub ground: &'a mut M::Ground,
    pub scratch: &'a mut Scratch<M>,
    pub watch: &'a mut Option<Watch<'b>>,
}

impl<M: Mechanism> Kernel for Live<'_, '_, M> {
    type Output = ();

    #[inline(always)]
    fn run<V: Simd>(self) {
        let Self { model, run, j, place, blocks, ground, scratch, watch } = self;
        let draws = run.key.draws();
        let mut before = {
            let nothing = Sums::default();
            let month = place.month(run, j, 0, &nothing);
            count::<M, V>(&model, &Month { desired_next: month.desired, ..month }, blocks, &scratch.memory)
        };
        for index in 0..run.horizon.months {
            let month = place.month(run, j, index, &before);
            let mut here = Here::default();
            model.here(&month, ground, &mut here);
            let columns = watch.is_some().then_some(&mut scratch.columns);
            let (sums, contacts) =
                step::<M, V>(&model, &draws, &month, here, ground, blocks, &mut scratch.memory, &mut scratch.spare, columns);
            model.settle(&month, ground, &sums);
            before = sums;
            scratch.entries.push(Entry { here, sums, contacts });
            if let Some(watch) = watch {
                watch(index, &mut scratch.columns);
            }
        }
    }
}

/// One month of all customers.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a loop, split off for reading")]
fn step<M: Mechanism, V: Simd>(
    model: &M,
    draws: &Draws<V::Words>,
    month: &Month<'_>,
    here: Here,
    ground: &mut M::Ground,
    blocks: &[Block<M>],
    memory: &mut [M::Memory],
    spare: &mut [[U32x16; 2]],
    mut columns: Option<&mut Columns>,
) -> (Sums<f64>, [f64; Channel::COUNT]) {
    let mut sums = Sums::<f64>::default();
    let mut contacts = [0.0; Channel::COUNT];
    let mut channel_sums = [F32x16::ZERO; Channel::COUNT];
    if let Some(columns) = &mut columns {
        columns.clear_contacts();
    }
    let index = month.index as u32;
    let mut now = Now::<V>::new(draws, index, &mut channel_sums, columns);
    // Words are drawn one block ahead, so that no customer waits for them.
    let mut ahead = words_at::<M, V>(draws, index, blocks, spare, 0);
    let count = blocks.len().min(memory.len());
    for first in (0..count).step_by(BLOCKS_A_SUM) {
        for at in first..count.min(first + BLOCKS_A_SUM) {
            let (block, memory) = (&blocks[at], &mut memory[at]);
            now.begin(at, &block.low, &block.high, ahead);
            ahead = words_at::<M, V>(draws, index, blocks, spare, at + 1);
            model.step(month, &here, ground, &block.traits, memory, &mut now);
            model.close(month, &here, ground, &block.traits, memory, &mut now);
            if now.columns.is_some() {
                now.write();
            }
        }
        sums.take(&now.sums);
        now.sums = Sums::zero();
        for channel in &month.phase.channels {
            let channel = channel.index();
            contacts[channel] += now.channel_sums[channel].total();
            now.channel_sums[channel] = F32x16::ZERO;
        }
    }
    (sums, contacts)
}

/// Counts a territory's customers before the first month.
#[inline(always)]
fn count<M: Mechanism, V: Simd>(model: &M, month: &Month<'_>, blocks: &[Block<M>], memory: &[M::Memory]) -> Sums<f64> {
    let mut total = Sums::<f64>::default();
    for (chunk, (blocks, memory)) in blocks.chunks(BLOCKS_A_SUM).zip(memory.chunks(BLOCKS_A_SUM)).enumerate() {
        let mut sums = Sums::<V>::zero();
        for (offset, (block, memory)) in blocks.iter().zip(memory).enumerate() {
            model.census(month, &block.traits, memory, chunk * BLOCKS_A_SUM + offset, &mut sums);
        }
        total.take(&sums);
    }
    total
}

/// The words of a block in a month; zeros beyond the last block. With [`Engine::TWO_MONTHS`] half of them are kept in
/// `spare` in even months and taken from there in odd ones.
#[inline(always)]
fn words_at<M: Mechanism, V: Simd>(
    draws: &Draws<V::Words>,
    index: u32,
    blocks: &[Block<M>],
    spare: &mut [[U32x16; 2]],
    at: usize,
) -> [V::Words; 4] {
    let Some(block) = blocks.get(at) else { return [V::Words::splat(0); 4] };
    let (low, high) = (V::Words::load(&block.low), V::Words::load(&block.high));
    match (Engine::<M>::TWO_MONTHS, index % 2) {
        (false, _) => draws.words(low, high, index, 0),
        (true, 0) => {
            let words = draws.words(low, high, index / 2, 0);
            spare[at] = [words[0].store(), words[2].store()];
            words
        }
        (true, _) => {
            let [own, visit] = [V::Words::load(&spare[at][0]), V::Words::load(&spare[at][1])];
            [own, own, visit, visit]
        }
    }
}
