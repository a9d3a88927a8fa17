//! One month of one territory: the kernel. Mechanisms are called here in the order in which things happen.

use crate::channel::Channel;
use crate::lanes::{F32x16, Isa, Lanes as _, U32x16, WIDTH};
use crate::rng::{Purpose, RunKey, uniform};

use super::Parameters;
use super::mechanisms::choice::share;
use super::mechanisms::contacts::contacts;
use super::mechanisms::demand::demand;
use super::mechanisms::discovery::either;
use super::mechanisms::loading::{eaten, load};
use super::mechanisms::orders::{means, orders};
use super::mechanisms::transition::{self, Chances, Stages, conversion_hazard};
use super::recorder::{BlockSeen, Columns};
use super::world::{State, Traits};

/// What is the same for all customers of a territory in a month; worked out in `f64`, see [`super::run`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Here {
    /// Multiplies sizes.
    pub level: f32,
    /// Multiplies desired visits.
    pub visit_factor: f32,
    /// Log odds added to our appeal.
    pub own_push: f32,
    /// The rivals' attraction together.
    pub rivals: f32,
    /// Months of demand that rivals load.
    pub loading: f32,
    /// Hazard of discovery at visibility 1.
    pub find: f32,
    /// Chance of a dark customer to be on a list bought this month.
    pub listed: f32,
    /// Hazard of an unborn slot to open.
    pub born: f32,
    /// Hazard of a served customer to lapse.
    pub churn: f32,
    /// Chance of a living customer to close.
    pub closes: f32,
}

/// One further channel of a phase: its planned contacts by agent of the territory.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChannelPlan<'a> {
    pub channel: Channel,
    pub rates: &'a [f32],
}

/// Everything that the step of a territory reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Month<'a> {
    pub parameters: &'a Parameters,
    pub here: Here,
    pub key: RunKey,
    /// Counted from 0.
    pub month: u32,
    /// Desired visits of this month and of the next one, by agent of the territory.
    pub desired: &'a [f32],
    pub desired_next: &'a [f32],
    pub channels: &'a [ChannelPlan<'a>],
    pub traits: &'a [Traits],
}

macro_rules! sums {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Sums over the customers of a territory in a month.
        #[derive(Debug, Clone, Copy, PartialEq, Default)]
        pub(super) struct Sums<T> {
            $($(#[$doc])* pub $name: T,)*
            /// Contacts by further channel, in `Channel::ALL` order.
            pub contacts: [T; Channel::COUNT],
        }

        impl Sums<F32x16> {
            const ZERO: Self = Self { $($name: F32x16::ZERO,)* contacts: [F32x16::ZERO; Channel::COUNT] };
        }

        impl Sums<f64> {
            /// Adds up lanes, in a fixed order.
            #[inline(always)]
            fn take(&mut self, lanes: &Sums<F32x16>, channels: &[ChannelPlan<'_>]) {
                $(self.$name += lanes.$name.sum();)*
                for plan in channels {
                    let channel = plan.channel.index();
                    self.contacts[channel] += lanes.contacts[channel].sum();
                }
            }
        }
    };
}

sums! {
    /// Numbers of orders.
    own,
    rivals,
    /// Demand units.
    loaded,
    visits,
    found,
    won,
    lost,
    /// Customers at the month's end.
    dark,
    served,
    living,
    unborn,
    influence,
    influence_served,
    /// Visits that next month's plan wants at the customers known at this month's end.
    wanted,
}

/// Blocks whose sums are kept in lanes before they are added to the doubles: few enough that counts stay exact.
const BLOCKS_A_SUM: usize = 32;

/// Steps a territory by a month, compiled for an instruction set; the result is the same on each. With `columns`, writes
/// what a recorder reads.
pub(super) fn step(isa: Isa, month: &Month<'_>, state: &mut [State], columns: Option<&mut Columns>) -> Sums<f64> {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2(month: &Month<'_>, state: &mut [State], columns: Option<&mut Columns>) -> Sums<f64> {
            kernel(month, state, columns)
        }
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn avx512(month: &Month<'_>, state: &mut [State], columns: Option<&mut Columns>) -> Sums<f64> {
            kernel(month, state, columns)
        }
        match isa {
            // SAFETY: `run` has made sure that this machine has the features.
            Isa::Avx2 => return unsafe { avx2(month, state, columns) },
            // SAFETY: as above.
            Isa::Avx512 => return unsafe { avx512(month, state, columns) },
            Isa::Baseline => {}
        }
    }
    let _ = isa;
    kernel(month, state, columns)
}

#[inline(always)]
fn kernel(month: &Month<'_>, state: &mut [State], mut columns: Option<&mut Columns>) -> Sums<f64> {
    let mut total = Sums::<f64>::default();
    let mut first = 0;
    for (states, traits) in state.chunks_mut(BLOCKS_A_SUM).zip(month.traits.chunks(BLOCKS_A_SUM)) {
        let mut sums = Sums::<F32x16>::ZERO;
        for (offset, (state, traits)) in states.iter_mut().zip(traits).enumerate() {
            block(month, first + offset, traits, state, &mut sums, columns.as_deref_mut());
        }
        total.take(&sums, month.channels);
        first += BLOCKS_A_SUM;
    }
    total
}

/// One month of 16 customers.
#[inline(always)]
fn block(
    month: &Month<'_>,
    at: usize,
    traits: &Traits,
    state: &mut State,
    sums: &mut Sums<F32x16>,
    mut columns: Option<&mut Columns>,
) {
    let Month { parameters, here, .. } = month;
    let agent = at * WIDTH;
    let words = month.key.lanes(traits.hash_low, traits.hash_high, month.month, 0);
    let word = |purpose: Purpose| uniform(words[purpose.word()]);
    let stage = state.stage;
    let is = Stages::of(stage);

    // We call on those we know.
    let desired = F32x16::load(&month.desired[agent..], 0.0);
    let visits = contacts(desired * F32x16::splat(here.visit_factor), word(Purpose::FaceToFace), is.known);
    sums.visits = sums.visits + visits;
    let mut lifts = parameters.goodwill.lift(Channel::FaceToFace, visits);
    if !month.channels.is_empty() {
        lifts = lifts + further(month, at, traits, &is, sums, columns.as_deref_mut());
    }
    let goodwill = parameters.goodwill.step(state.goodwill, lifts).settle();

    // They need, use up what they have in stock, and order the rest from us and others.
    let wants = is.living.keep(demand(traits.size, F32x16::splat(here.level)));
    let from_stock = eaten(state.stock, wants);
    let open = wants - from_stock;
    let mut our_share = F32x16::ZERO;
    if is.served.any() {
        let utility = traits.appeal + goodwill + F32x16::splat(here.own_push);
        our_share = is.served.keep(share(utility, F32x16::splat(here.rivals))).settle();
    }
    let (own, rivals) = orders(
        means(open, our_share, F32x16::of(parameters.order_unit)),
        (word(Purpose::OwnOrders), word(Purpose::RivalOrders)),
    );
    let loaded = load(wants, F32x16::splat(here.loading));
    sums.own = sums.own + own;
    sums.rivals = sums.rivals + rivals;
    sums.loaded = sums.loaded + loaded;

    // At the month's end they are found, won, lost, closed or born.
    let mut hazard = is.dark.keep(traits.visibility * F32x16::splat(here.find));
    if is.open.any() {
        hazard = is.open.select(conversion_hazard(&parameters.conversion, goodwill), hazard);
    }
    let hazard = is.served.select(F32x16::splat(here.churn), hazard);
    let hazard = is.unborn.select(F32x16::splat(here.born), hazard).settle();
    let chances = Chances {
        moves: either(hazard.chance(), is.dark.keep(F32x16::splat(here.listed))),
        closes: F32x16::splat(here.closes),
    };
    let (moves, closes) = transition::draw(chances, is.living, word(Purpose::Transition));
    let after = transition::next(stage, is.lapsed, moves, closes).settle();
    sums.found = sums.found + is.dark.and(moves).count();
    sums.won = sums.won + is.open.and(moves).count();
    sums.lost = sums.lost + is.served.and(moves.or(closes)).count();

    let will_be = Stages::of(after);
    sums.dark = sums.dark + will_be.dark.count();
    sums.served = sums.served + will_be.served.count();
    sums.living = sums.living + will_be.living.count();
    sums.unborn = sums.unborn + will_be.unborn.count();
    sums.influence = sums.influence + will_be.living.keep(traits.influence);
    sums.influence_served = sums.influence_served + will_be.served.keep(traits.influence);
    sums.wanted = sums.wanted + will_be.known.keep(F32x16::load(&month.desired_next[agent..], 0.0));

    state.stage = after;
    state.goodwill = goodwill;
    state.stock = state.stock - from_stock + loaded;
    if let Some(columns) = columns {
        let unit = F32x16::of(parameters.order_unit);
        let seen = BlockSeen {
            before: stage,
            after,
            own: own * unit,
            rivals: rivals * unit,
            loaded,
            demand: open,
            goodwill,
            visits,
        };
        columns.write(at, &seen);
    }
}

/// Contacts by the further channels in use, and what they add to goodwill.
#[inline(always)]
fn further(
    month: &Month<'_>,
    at: usize,
    traits: &Traits,
    is: &Stages,
    sums: &mut Sums<F32x16>,
    mut columns: Option<&mut Columns>,
) -> F32x16 {
    let mut lifts = F32x16::ZERO;
    let mut group = 0;
    let mut words = [U32x16::ZERO; 4];
    for plan in month.channels {
        let purpose = Purpose::FaceToFace as u32 + plan.channel.index() as u32;
        if purpose / 4 != group {
            group = purpose / 4;
            words = month.key.lanes(traits.hash_low, traits.hash_high, month.month, group);
        }
        let allowed = traits.consent.shares_bit(U32x16::splat(1 << plan.channel.index()));
        let rate = F32x16::load(&plan.rates[at * WIDTH..], 0.0);
        let made = contacts(rate, uniform(words[purpose as usize % 4]), is.known.and(allowed));
        let sum = &mut sums.contacts[plan.channel.index()];
        *sum = *sum + made;
        lifts = lifts + month.parameters.goodwill.lift(plan.channel, made);
        if let Some(columns) = columns.as_deref_mut() {
            columns.contacts[plan.channel.index()][at] = made.0;
        }
    }
    lifts
}
