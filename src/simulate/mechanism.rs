//! What a mechanism is, and how several make a model.

use std::ops::Range;

use super::month::{Here, Month};
use super::now::{Now, Sums};
use super::{Agents, Territory};
use crate::lanes::Simd;

/// One mechanism of the market; its parameters are `self`. Tuples of mechanisms are mechanisms, worked through in their
/// order; an `Option` is one that may be switched off (a branch that all customers take alike).
///
/// A month of a territory goes: [`here`](Self::here) once, then for every block of 16 customers [`step`](Self::step) of all
/// mechanisms and [`close`](Self::close) of all mechanisms, then [`settle`](Self::settle) once. What mechanisms tell each
/// other passes through [`Here`] (the same for all customers of a territory) and [`Now`] (by customer).
///
/// A lane may depend on itself alone: branch on a mask only to skip work whose result no lane uses.
pub trait Mechanism: Copy + Send + Sync {
    /// What stays of 16 customers.
    type Traits: Copy + Send + Sync;
    /// What changes of them from month to month.
    type Memory: Copy + Send + Sync;
    /// What a territory carries from month to month.
    type Ground: Clone + Send + Sync;

    /// Words that it draws: bit k for the [`crate::rng::Purpose`] of number k.
    const DRAWS: u64;

    /// Whether its step draws half of the next customers' words ([`Now::draw_ahead`]).
    const DRAWS_AHEAD: bool = false;

    /// Lays out the traits of up to 16 agents.
    fn traits(agents: &Agents, range: Range<usize>) -> Self::Traits;
    /// Lays out how up to 16 agents are at the start.
    fn memory(agents: &Agents, range: Range<usize>) -> Self::Memory;
    /// How a territory is at the start.
    fn ground(&self, agents: &Agents, territory: &Territory) -> Self::Ground;

    /// Works out what is the same for all customers of a territory this month.
    #[inline(always)]
    fn here(&self, _month: &Month<'_>, _ground: &mut Self::Ground, _here: &mut Here) {}

    /// The month of 16 customers.
    fn step<V: Simd>(
        &self,
        month: &Month<'_>,
        here: &Here,
        ground: &mut Self::Ground,
        traits: &Self::Traits,
        memory: &mut Self::Memory,
        now: &mut Now<'_, V>,
    );

    /// The end of their month, when all mechanisms have stepped.
    #[inline(always)]
    fn close<V: Simd>(
        &self,
        _month: &Month<'_>,
        _here: &Here,
        _ground: &mut Self::Ground,
        _traits: &Self::Traits,
        _memory: &mut Self::Memory,
        _now: &mut Now<'_, V>,
    ) {
    }

    /// Counts 16 customers as they are, for what next month's [`here`](Self::here) needs to know.
    #[inline(always)]
    fn census<V: Simd>(
        &self,
        _month: &Month<'_>,
        _traits: &Self::Traits,
        _memory: &Self::Memory,
        _block: usize,
        _sums: &mut Sums<V>,
    ) {
    }

    /// The end of a territory's month; `here` may be set to what came of it.
    #[inline(always)]
    fn settle(&self, _month: &Month<'_>, _ground: &mut Self::Ground, _here: &mut Here, _sums: &Sums<f64>) {}
}

impl<M: Mechanism> Mechanism for Option<M> {
    // Kept also where it is off: what is the same for all customers is no part of their columns.
    type Traits = M::Traits;
    type Memory = M::Memory;
    type Ground = Option<M::Ground>;

    const DRAWS: u64 = M::DRAWS;

    fn traits(agents: &Agents, range: Range<usize>) -> Self::Traits {
        M::traits(agents, range)
    }

    fn memory(agents: &Agents, range: Range<usize>) -> Self::Memory {
        M::memory(agents, range)
    }

    fn ground(&self, agents: &Agents, territory: &Territory) -> Self::Ground {
        self.as_ref().map(|on| on.ground(agents, territory))
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, ground: &mut Self::Ground, here: &mut Here) {
        if let (Some(on), Some(ground)) = (self, ground) {
            on.here(month, ground, here);
        }
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        month: &Month<'_>,
        here: &Here,
        ground: &mut Self::Ground,
        traits: &Self::Traits,
        memory: &mut Self::Memory,
        now: &mut Now<'_, V>,
    ) {
        if let (Some(on), Some(ground)) = (self, ground) {
            on.step(month, here, ground, traits, memory, now);
        }
    }

    #[inline(always)]
    fn close<V: Simd>(
        &self,
        month: &Month<'_>,
        here: &Here,
        ground: &mut Self::Ground,
        traits: &Self::Traits,
        memory: &mut Self::Memory,
        now: &mut Now<'_, V>,
    ) {
        if let (Some(on), Some(ground)) = (self, ground) {
            on.close(month, here, ground, traits, memory, now);
        }
    }

    #[inline(always)]
    fn census<V: Simd>(
        &self,
        month: &Month<'_>,
        traits: &Self::Traits,
        memory: &Self::Memory,
        block: usize,
        sums: &mut Sums<V>,
    ) {
        if let Some(on) = self {
            on.census(month, traits, memory, block, sums);
        }
    }

    #[inline(always)]
    fn settle(&self, month: &Month<'_>, ground: &mut Self::Ground, here: &mut Here, sums: &Sums<f64>) {
        if let (Some(on), Some(ground)) = (self, ground) {
            on.settle(month, ground, here, sums);
        }
    }
}

macro_rules! compose {
    ($($name:ident $at:tt)*) => {
        impl<$($name: Mechanism),*> Mechanism for ($($name,)*) {
            type Traits = ($($name::Traits,)*);
            type Memory = ($($name::Memory,)*);
            type Ground = ($($name::Ground,)*);

            const DRAWS: u64 = 0 $(| $name::DRAWS)*;
            const DRAWS_AHEAD: bool = false $(|| $name::DRAWS_AHEAD)*;

            fn traits(agents: &Agents, range: Range<usize>) -> Self::Traits {
                ($($name::traits(agents, range.clone()),)*)
            }

            fn memory(agents: &Agents, range: Range<usize>) -> Self::Memory {
                ($($name::memory(agents, range.clone()),)*)
            }

            fn ground(&self, agents: &Agents, territory: &Territory) -> Self::Ground {
                ($(self.$at.ground(agents, territory),)*)
            }

            #[inline(always)]
            fn here(&self, month: &Month<'_>, ground: &mut Self::Ground, here: &mut Here) {
                $(self.$at.here(month, &mut ground.$at, here);)*
            }

            #[inline(always)]
            fn step<V: Simd>(
                &self,
                month: &Month<'_>,
                here: &Here,
                ground: &mut Self::Ground,
                traits: &Self::Traits,
                memory: &mut Self::Memory,
                now: &mut Now<'_, V>,
            ) {
                $(self.$at.step(month, here, &mut ground.$at, &traits.$at, &mut memory.$at, now);)*
            }

            #[inline(always)]
            fn close<V: Simd>(
                &self,
                month: &Month<'_>,
                here: &Here,
                ground: &mut Self::Ground,
                traits: &Self::Traits,
                memory: &mut Self::Memory,
                now: &mut Now<'_, V>,
            ) {
                $(self.$at.close(month, here, &mut ground.$at, &traits.$at, &mut memory.$at, now);)*
            }

            #[inline(always)]
            fn census<V: Simd>(
                &self,
                month: &Month<'_>,
                traits: &Self::Traits,
                memory: &Self::Memory,
                block: usize,
                sums: &mut Sums<V>,
            ) {
                $(self.$at.census(month, &traits.$at, &memory.$at, block, sums);)*
            }

            #[inline(always)]
            fn settle(&self, month: &Month<'_>, ground: &mut Self::Ground, here: &mut Here, sums: &Sums<f64>) {
                $(self.$at.settle(month, &mut ground.$at, here, sums);)*
            }
        }
    };
}

compose!(A 0);
compose!(A 0 B 1);
compose!(A 0 B 1 C 2);
compose!(A 0 B 1 C 2 D 3);
compose!(A 0 B 1 C 2 D 3 E 4);
compose!(A 0 B 1 C 2 D 3 E 4 F 5);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14);
compose!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15);
