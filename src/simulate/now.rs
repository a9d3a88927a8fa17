//! The month of 16 customers while mechanisms work on it, and what is summed over customers.

use super::recorder::Columns;
use super::{PRODUCTS, Stage};
use crate::channel::Channel;
use crate::lanes::{F32x16, Mask as _, Simd, U32x16, Words};
use crate::rng::{Draws, Purpose, uniform};

/// The group of complaints, sizes and frailty.
const CHANCE: u32 = Purpose::Complaint.group();

/// One month of one block of customers; mechanisms read and write it in their order.
#[derive(Debug)]
pub struct Now<'a, V: Simd> {
    /// The block, counted from 0 in its territory.
    pub block: usize,
    /// Who they are to the random numbers: the halves of their hashes.
    pub low: V::Words,
    pub high: V::Words,
    pub draws: &'a Draws<V::Words>,
    /// Month of the run, counted from 0.
    pub month: u32,
    /// The words of the first group (see [`Purpose`]), and those of the next block while they are being drawn.
    pub words: [V::Words; 4],
    pub(super) ahead: [V::Words; 4],
    pub(super) draws_ahead: bool,
    /// The words of [`CHANCE`], once somebody has asked for them.
    pub(super) chance: Option<[V::Words; 4]>,
    /// The normal numbers of order sizes, ours and rivals', where frailty has made them along with its own.
    pub(super) size_normals: Option<[V; 2]>,

    /// Where they are at the month's start, and at its end.
    pub is: Stages<V>,
    pub will_be: Stages<V>,
    /// Those that order from us: the served.
    pub buys: V::Mask,
    /// What they need of the category (demand units), and what of it they order this month.
    pub demand: V,
    pub open: V,
    /// Visits a month that the plan wants, if we know them.
    pub desired: V,
    /// Bit r set: the phase's r-th rule fits.
    pub rule_bits: V::Words,
    /// Visits, and contacts by all channels together.
    pub visits: V,
    pub contacts: V,
    /// Multiplies what contacts add to goodwill (1 = as is): by all channels; by visits and telephone; by the others.
    pub receptive: V,
    pub receptive_personal: V,
    pub receptive_digital: V,
    /// Bit of the channel that each prefers; 0 for none.
    pub preferred: V::Words,
    /// Contacts a month that are still felt, of the months before this one; and of the time before the run.
    pub load: V,
    pub usual_load: V,
    /// Share of last month's goodwill that outlives what happened (1 = all), and log odds that are lost of it at once.
    pub kept: V,
    pub harm: V,
    /// Goodwill after the month's contacts.
    pub goodwill: V,
    /// Log odds of choosing us.
    pub utility: V,
    /// Our share of `open`.
    pub share: V,
    /// Orders from us: their number, and what is ordered from us and from rivals (demand units).
    pub own_count: V,
    /// Their number by product; written and read only where we have several.
    pub product_counts: [V; PRODUCTS],
    pub own: V,
    pub others: V,
    /// Sold ahead by rivals and by us (demand units).
    pub loaded: V,
    pub own_loaded: V,
    /// In stock after the month, sold ahead by rivals and by us (demand units).
    pub stock: V,
    pub own_stock: V,
    /// What was used this month of what we had sold ahead (demand units).
    pub own_eaten: V,
    /// Ordered from us and not filled: goes to rivals this month (demand units).
    pub turned_away: V,
    /// Part of our price moves that reaches it: 0 where a contract fixes its price, else 1.
    pub priced: V,
    /// Multiplies the hazard of moving on to the next stage (1 = as is), and is added to it: who is won, who leaves.
    pub winnable: V,
    pub leave: V,
    /// Hazard of moving on to the next stage.
    pub hazard: V,
    /// Multiplies the hazard that a served customer stops buying from us (1 = as is).
    pub churn: V,

    /// Contacts by further channel, in `Channel::ALL` order; read where the phase uses the channel.
    pub made: &'a mut [V; Channel::COUNT],

    /// Blocks that wait to be worked on together, and how many; and whether this is the last one before sums are read.
    pub(super) due: &'a mut [Due<V>; TOGETHER],
    pub(super) waiting: usize,
    pub(super) last: bool,
    /// Whether somebody of those that wait buys from us.
    pub(super) some: bool,

    /// Sums over the territory so far; of contacts by further channel, in `Channel::ALL` order.
    pub sums: Sums<V>,
    pub channel_sums: &'a mut [F32x16; Channel::COUNT],
    /// Orders from us by product (demand units).
    pub product_sums: &'a mut [F32x16; PRODUCTS],
    /// Where single customers are written down, if somebody looks.
    pub columns: Option<&'a mut Columns>,
}

impl<'a, V: Simd> Now<'a, V> {
    /// Before the first block of a territory's month.
    #[inline(always)]
    pub(super) fn new(
        draws: &'a Draws<V::Words>,
        month: u32,
        channel_sums: &'a mut [F32x16; Channel::COUNT],
        product_sums: &'a mut [F32x16; PRODUCTS],
        made: &'a mut [V; Channel::COUNT],
        due: &'a mut [Due<V>; TOGETHER],
        columns: Option<&'a mut Columns>,
    ) -> Self {
        let zero = V::splat(0.0);
        let (none, nobody) = (V::Words::splat(0), zero.greater(zero));
        let is = Stages {
            stage: none,
            unborn: nobody,
            dark: nobody,
            served: nobody,
            lapsed: nobody,
            open: nobody,
            known: nobody,
            living: nobody,
        };
        Self {
            block: 0,
            low: none,
            high: none,
            draws,
            month,
            words: [none; 4],
            ahead: [none; 4],
            draws_ahead: false,
            chance: None,
            size_normals: None,
            is,
            will_be: is,
            buys: nobody,
            demand: zero,
            open: zero,
            desired: zero,
            rule_bits: none,
            visits: zero,
            contacts: zero,
            receptive: zero,
            receptive_personal: zero,
            receptive_digital: zero,
            preferred: none,
            load: zero,
            usual_load: zero,
            kept: zero,
            harm: zero,
            goodwill: zero,
            utility: zero,
            share: zero,
            own_count: zero,
            product_counts: [zero; PRODUCTS],
            own: zero,
            others: zero,
            loaded: zero,
            own_loaded: zero,
            stock: zero,
            own_stock: zero,
            own_eaten: zero,
            turned_away: zero,
            priced: zero,
            winnable: zero,
            leave: zero,
            hazard: zero,
            churn: zero,
            made,
            due,
            waiting: 0,
            last: false,
            some: false,
            sums: Sums::zero(),
            channel_sums,
            product_sums,
            columns,
        }
    }

    /// Begins a block, with its words.
    #[inline(always)]
    pub(super) fn begin(&mut self, block: usize, low: &U32x16, high: &U32x16, words: [V::Words; 4]) {
        self.block = block;
        (self.low, self.high) = (V::Words::load(low), V::Words::load(high));
        self.words = words;
        self.chance = None;
        self.size_normals = None;
        let (zero, one) = (V::splat(0.0), V::splat(1.0));
        let nobody = zero.greater(zero);
        self.is.known = nobody;
        self.buys = nobody;
        self.demand = zero;
        self.open = zero;
        self.rule_bits = V::Words::splat(0);
        self.visits = zero;
        self.contacts = zero;
        self.receptive = one;
        self.receptive_personal = one;
        self.receptive_digital = one;
        self.preferred = V::Words::splat(0);
        self.load = zero;
        self.usual_load = zero;
        self.kept = one;
        self.harm = zero;
        self.goodwill = zero;
        self.utility = zero;
        self.share = zero;
        self.own_count = zero;
        self.own = zero;
        self.others = zero;
        self.loaded = zero;
        self.own_loaded = zero;
        self.stock = zero;
        self.own_stock = zero;
        self.own_eaten = zero;
        self.turned_away = zero;
        self.priced = one;
        self.winnable = one;
        self.leave = zero;
        self.hazard = zero;
        self.churn = one;
    }

    /// Draws a part of the next block's words: independent work for where a customer's own would leave the processor
    /// waiting. The kernel draws what is left.
    #[inline(always)]
    pub fn draw_ahead<const PART: usize>(&mut self) {
        if self.draws_ahead {
            self.draws.part::<PART>(&mut self.ahead);
        }
    }

    /// A uniform number in (0, 1) for a purpose of the first group.
    #[inline(always)]
    pub fn uniform(&self, purpose: Purpose) -> V {
        uniform(self.words[purpose.word()])
    }

    /// A uniform number in (0, 1) for a purpose of the group of complaints, sizes and frailty, whose words are drawn once a
    /// block, when first asked for.
    #[inline(always)]
    pub fn uniform_of_chance(&mut self, purpose: Purpose) -> V {
        debug_assert!(purpose.group() == CHANCE, "another group's purpose");
        let words = match self.chance {
            Some(words) => words,
            None => self.group(CHANCE),
        };
        self.chance = Some(words);
        uniform(words[purpose.word()])
    }

    /// The uniform numbers of order sizes, ours and rivals'.
    #[inline(always)]
    pub fn uniforms_of_sizes(&mut self) -> [V; 2] {
        [self.uniform_of_chance(Purpose::OwnOrderSize), self.uniform_of_chance(Purpose::RivalOrderSize)]
    }

    /// The words of another group.
    #[inline(always)]
    pub fn group(&self, group: u32) -> [V::Words; 4] {
        self.draws.words(self.low, self.high, self.month, group)
    }
}

/// Most blocks that may wait to be worked on together.
pub(super) const TOGETHER: usize = 4;

/// What is known of 16 customers before they choose, of a block that waits ([`super::mechanisms::sales`]).
#[derive(Debug, Clone, Copy)]
pub(super) struct Due<V> {
    pub utility: V,
    /// What they order of anybody, and the same of those who buy from us, 0 of others (demand units).
    pub open: V,
    pub ours: V,
    /// Of orders from us and from rivals.
    pub uniforms: [V; 2],
}

impl<V: Simd> Due<V> {
    /// Nobody.
    #[inline(always)]
    pub fn nobody() -> Self {
        let zero = V::splat(0.0);
        Self { utility: zero, open: zero, ours: zero, uniforms: [zero; 2] }
    }
}

/// Where 16 customers are.
#[derive(Debug, Clone, Copy)]
pub struct Stages<V: Simd> {
    pub stage: V::Words,
    pub unborn: V::Mask,
    pub dark: V::Mask,
    pub served: V::Mask,
    pub lapsed: V::Mask,
    /// Identified or lapsed: we know it and it may be won.
    pub open: V::Mask,
    /// Identified, served or lapsed.
    pub known: V::Mask,
    /// Known or dark.
    pub living: V::Mask,
}

impl<V: Simd> Stages<V> {
    /// Masks of the stages.
    #[inline(always)]
    pub fn of(stage: V::Words) -> Self {
        let is = |wanted: Stage| stage.equals(V::Words::splat(wanted as u32));
        let (dark, served, lapsed) = (is(Stage::Dark), is(Stage::Served), is(Stage::Lapsed));
        let open = is(Stage::Identified).or(lapsed);
        let known = open.or(served);
        Self { stage, unborn: is(Stage::Unborn), dark, served, lapsed, open, known, living: known.or(dark) }
    }
}

macro_rules! sums {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Sums over the customers of a territory in a month.
        #[derive(Debug, Clone, Copy, PartialEq, Default)]
        pub struct Sums<T> {
            $($(#[$doc])* pub $name: T,)*
        }

        impl<V: Simd> Sums<V> {
            /// Nothing yet.
            #[inline(always)]
            pub fn zero() -> Self {
                Self { $($name: V::splat(0.0),)* }
            }
        }

        impl Sums<f64> {
            /// Adds up lanes, in a fixed order.
            #[inline(always)]
            pub(super) fn take<V: Simd>(&mut self, lanes: &Sums<V>) {
                $(self.$name += lanes.$name.sum();)*
            }
        }
    };
}

sums! {
    /// Orders from us and from rivals, loads not counted (demand units).
    own,
    rivals,
    /// Loaded by rivals and by us (demand units).
    loaded,
    own_loaded,
    /// Of ours sold ahead: what was used of it, and what is left at the month's end (demand units).
    own_eaten,
    own_stock,
    /// What we would sell by choice alone, before chance, and what customers order of anybody (demand units).
    chosen,
    open,
    /// Category demand, that is use (demand units).
    demand,
    visits,
    found,
    won,
    lost,
    complaints,
    /// Customers at the month's end.
    dark,
    served,
    living,
    unborn,
    /// Influence of the living, and of those among them that we serve.
    influence,
    influence_served,
    /// Visits that next month's plan wants at the customers known at this month's end.
    wanted,
}

impl Sums<f64> {
    /// Influence-weighted share of the living that we serve.
    pub fn served_share(&self) -> f64 {
        if self.influence > 0.0 { self.influence_served / self.influence } else { 0.0 }
    }
}
