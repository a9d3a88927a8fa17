//! market-mini by hand over the same lanes: what composing it of mechanisms costs is the distance to this.

use ikiz::lanes::{F32x16, Isa, Kernel, Mask as _, Simd, U32x16, Words as _};
use ikiz::rng::{RunKey, poisson, uniform};

/// Sixteen customers.
#[derive(Clone, Copy)]
pub struct Block {
    pub id: U32x16,
    pub size: F32x16,
    pub affinity: F32x16,
    pub visits: F32x16,
    pub goodwill: F32x16,
    pub known: U32x16,
    spare: [U32x16; 2],
}

/// Blocks of territories of `blocks` blocks each, `customers` in each; all months of each; total sales.
pub struct Bare<'a> {
    pub blocks: &'a mut [Block],
    pub each: usize,
    pub customers: f32,
    pub season: &'a [f64],
    pub outside: &'a [f32],
}

/// Blocks for so many territories of 100.
pub fn blocks(territories: usize) -> Vec<Block> {
    (0..territories * 7)
        .map(|at| {
            let lane = |of: &dyn Fn(usize) -> f32| F32x16(std::array::from_fn(|i| of(at * 16 + i)));
            Block {
                id: U32x16(std::array::from_fn(|i| (at * 16 + i) as u32)),
                size: lane(&|i| 0.3 + (i * 37 % 101) as f32 / 25.0),
                affinity: lane(&|i| (i * 53 % 200) as f32 / 100.0 - 1.0),
                visits: lane(&|i| [0.8, 0.5, 0.3, 0.1][i % 4]),
                goodwill: F32x16::ZERO,
                known: U32x16(std::array::from_fn(|i| if i % 2 == 0 { u32::MAX } else { 0 })),
                spare: [U32x16::ZERO; 2],
            }
        })
        .collect()
}

pub fn run(bare: Bare<'_>) -> f64 {
    Isa::detect().dispatch(bare)
}

impl Kernel for Bare<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<V: Simd>(self) -> f64 {
        let draws = RunKey { seed: 1, run: 0 }.draws::<V::Words>();
        let none = V::Words::splat(0);
        let mut total = 0.0;
        for territory in self.blocks.chunks_mut(self.each) {
            let mut known_count = self.customers / 2.0;
            for (month, (&season, &outside)) in self.season.iter().zip(self.outside).enumerate() {
                let chance = V::splat(0.002 * (1.0 + 2.0 * known_count / self.customers));
                let (mut sales, mut knows) = (V::splat(0.0), V::splat(0.0));
                for block in territory.iter_mut() {
                    let words = if month % 2 == 0 {
                        let words = draws.words(V::Words::load(&block.id), none, month as u32 / 2, 0);
                        block.spare = [words[2].store(), words[3].store()];
                        [words[0], words[1]]
                    } else {
                        [V::Words::load(&block.spare[0]), V::Words::load(&block.spare[1])]
                    };
                    let known = V::Words::splat(u32::MAX).equals(V::Words::load(&block.known));
                    let event: V = uniform(words[0]);
                    let visit = V::count(known.and(event.less(V::load(&block.visits))));
                    let goodwill = V::splat(0.8) * V::load(&block.goodwill) + visit;
                    block.goodwill = goodwill.store();
                    let attraction = (V::load(&block.affinity) + V::splat(0.5) * goodwill).exp();
                    let share = attraction / (attraction + V::splat(outside));
                    sales = sales + poisson(uniform(words[1]), V::load(&block.size) * V::splat(season as f32) * share);
                    let found = known.or(event.less(chance));
                    block.known = V::Words::keep(found, V::Words::splat(u32::MAX)).store();
                    knows = knows + V::count(found);
                }
                total += sales.sum();
                known_count = knows.sum() as f32;
            }
        }
        total
    }
}
