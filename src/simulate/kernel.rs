//! The hot loop: all months of a territory, compiled for each instruction set.

use super::PRODUCTS;
use super::engine::{Block, Engine, Entry, Place, Run, Scratch};
use super::mechanism::Mechanism;
use super::month::{Here, Month};
use super::now::{Due, Now, Sums, TOGETHER};
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
        // Words are drawn one block ahead, so that no customer waits for them: in a month's last block, of the next month's
        // first.
        let mut ahead = match blocks.first() {
            Some(block) => draws.words(V::Words::load(&block.low), V::Words::load(&block.high), 0, 0),
            None => [V::Words::splat(0); 4],
        };
        let mut due = [Due::nobody(); TOGETHER];
        for index in 0..run.path.len() {
            let month = place.month(run, j, index, &before);
            let capacity = month.phase.visits.capacity.get(j).copied().unwrap_or(0.0);
            let mut here = Here { capacity, ..Here::default() };
            model.here(&month, ground, &mut here);
            let columns = watch.is_some().then_some(&mut scratch.columns);
            let (memory, spare) = (&mut scratch.memory, &mut scratch.spare);
            // With two months to four words, odd months take what even ones have kept: compiled apart, so that neither carries
            // the other's part.
            let takes = Engine::<M>::TWO_MONTHS && index % 2 == 1;
            let (sums, contacts, products) = if takes {
                step::<M, V, false>(
                    &model, &draws, &month, here, ground, blocks, memory, spare, &mut ahead, &mut due, columns,
                )
            } else {
                step::<M, V, true>(
                    &model, &draws, &month, here, ground, blocks, memory, spare, &mut ahead, &mut due, columns,
                )
            };
            model.settle(&month, ground, &mut here, &sums);
            before = sums;
            scratch.entries.push(Entry { here, sums, contacts, products });
            if let Some(watch) = watch {
                watch(index, &mut scratch.columns);
            }
        }
    }
}

/// One month of all customers.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of a loop, split off for reading")]
fn step<M: Mechanism, V: Simd, const DRAWS: bool>(
    model: &M,
    draws: &Draws<V::Words>,
    month: &Month<'_>,
    here: Here,
    ground: &mut M::Ground,
    blocks: &[Block<M>],
    memory: &mut [M::Memory],
    spare: &mut [[U32x16; 2]],
    ahead: &mut [V::Words; 4],
    due: &mut [Due<V>; TOGETHER],
    mut columns: Option<&mut Columns>,
) -> (Sums<f64>, [f64; Channel::COUNT], [f64; PRODUCTS]) {
    let mut sums = Sums::<f64>::default();
    let mut contacts = [0.0; Channel::COUNT];
    let mut channel_sums = [F32x16::ZERO; Channel::COUNT];
    let mut made = [V::splat(0.0); Channel::COUNT];
    let mut products = [0.0; PRODUCTS];
    let mut product_sums = [F32x16::ZERO; PRODUCTS];
    if let Some(columns) = &mut columns {
        columns.clear_contacts();
    }
    let index = month.index as u32;
    let mut now = Now::<V>::new(draws, index, &mut channel_sums, &mut product_sums, &mut made, due, columns);
    let counter = if Engine::<M>::TWO_MONTHS { index / 2 } else { index };
    now.ahead = *ahead;
    now.draws_ahead = DRAWS;
    let count = blocks.len().min(memory.len());
    for first in (0..count).step_by(BLOCKS_A_SUM) {
        let end = count.min(first + BLOCKS_A_SUM);
        for at in first..end {
            let (block, memory) = (&blocks[at], &mut memory[at]);
            let mut words = now.ahead;
            if Engine::<M>::TWO_MONTHS {
                let spare = &mut spare[at];
                if DRAWS {
                    *spare = [words[0].store(), words[2].store()];
                } else {
                    let [own, visit] = [V::Words::load(&spare[0]), V::Words::load(&spare[1])];
                    words = [own, own, visit, visit];
                }
            }
            now.begin(at, &block.low, &block.high, words);
            now.desired = month.block_of(month.desired, at);
            now.last = at + 1 == end;
            if DRAWS {
                let (next, counter) = if at + 1 < count { (at + 1, counter) } else { (0, counter + 1) };
                let Block { low, high, .. } = &blocks[next];
                now.ahead = draws.counter(V::Words::load(low), V::Words::load(high), counter, 0);
            }
            model.step(month, &here, ground, &block.traits, memory, &mut now);
            if !M::DRAWS_AHEAD {
                now.draw_ahead::<0>();
            }
            now.draw_ahead::<1>();
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
        if here.products > 1 {
            for (sum, lanes) in products.iter_mut().zip(now.product_sums.iter_mut()) {
                *sum += lanes.total();
                *lanes = F32x16::ZERO;
            }
        }
    }
    *ahead = now.ahead;
    products[0] = if here.products > 1 { products[0] } else { sums.own };
    (sums, contacts, products)
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
