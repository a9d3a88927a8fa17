//! Contacts: whole visits, calls and messages in a month from a planned rate.
//!
//! `contacts = floor(rate + u)` with u uniform: the rate rounded up or down at random, right on average and with the
//! least scatter that whole numbers allow (systematic sampling; Madow 1949). A customer is contacted only while we know
//! it, and by text message, e-mail, WhatsApp and recorded voice only with its consent; the agents' `consent` says which
//! channels may be used.
//!
//! # Visits within the calls of a month
//!
//! Independent rounding meets a territory's calls on average only. [`BoundedVisits`] makes no more visits than its reps
//! have time for, going through the customers once.
//!
//! **Where prospecting takes up the scatter**, that is where a call of prospecting or more is planned, each customer is
//! rounded on its own, and so moves nobody else's visits:
//!
//! * `visits_i = floor(f desired_i + u_i)` with `f = planned / wanted`, the same for all customers and fixed for the month.
//!   Prospecting gets what they leave: `prospecting = capacity - visits`, on average what is planned. Both together make up
//!   the capacity exactly.
//! * Before each block, prospecting expects `spare = capacity - made - f wanted`, with `made` the visits made and `wanted`
//!   the sum of desired over the customers not come to yet. Once `spare` is below two standard deviations of the block's
//!   visits, the rest of the territory is visited as below, by `left = floor(f wanted + v)` visits, v uniform, and so
//!   scatters no more. `made - f (desired so far)` is a martingale, stopped by what is known before the block, so that each
//!   customer is still visited at its planned rate on average.
//! * `left` is at most `floor(capacity - made)`, and so are the visits of any block. This cuts visits only where the block
//!   before scattered by more than two standard deviations, of which there are two visits at most: less than 0.02 visits a
//!   territory and month even if `spare` were always that low.
//! * Discovery has to know the month's prospecting calls at its start. It takes those planned and a twelfth of those made
//!   before that it has not reckoned with (`Here::searching`; below 0 where less was made than planned): each call finds at
//!   its yield, the random part over the year after it. At once, who else is found would follow each visit that moves:
//!   the variance of the difference of two call plans would be a third to two thirds larger.
//!
//! **Where less prospecting is planned**, the number of visits is fixed before they are made, and the customers share it:
//!
//! * The visits of a month are whole: `N_t = floor(planned_t + owed_t)`, and the rest, below one call, is carried as time:
//!   `owed_{t+1} = planned_t + owed_t - N_t`. `Here::capacity` holds it. A month with prospecting uses it up.
//! * List-sequential sampling (Sunter 1977, "List sequential sampling with equal or unequal probabilities without
//!   replacement", Applied Statistics 26): a block's rates are `desired_i * left / wanted`, with `left` the visits not
//!   made yet and `wanted` the sum of desired over the customers not come to yet. `left / wanted` is a martingale, so
//!   each customer is visited at its planned rate on average, wherever it stands in the territory, and what one block
//!   got too much the later ones together get less: a strategy that moves a visit moves about one other, not all.
//! * Where fewer than four visits are planned beyond a block, or its visits would be more than are left, they are made
//!   to sum to the whole number that is due, `left - floor(planned beyond it + v)` with v uniform (nine bits of a word
//!   that rounding does not read). Of the customers whose rates have a fractional part p, those with the least
//!   `(y / (1 - y)) / (p / (1 - p))`, `y = 1 - u`, are rounded up: Pareto sampling (Rosen 1997, "On sampling with
//!   probability proportional to size", Journal of Statistical Planning and Inference 62), which keeps the planned
//!   rates to a good approximation. Independent rounding rounds up where this number is below 1, so few differ from
//!   it.
//!
//! So nothing is cut there. For comparison, a cap on independent rounding cuts about `0.4 sqrt(sum p (1 - p))` visits a
//! month where nothing is planned for prospecting, all at the end of the territory. Measured at 0.35 calls a customer
//! slot and uneven wishes: 19% of visits in a territory of 7 slots, 9% of 33, 5% of 90, 2% of 320; with a tenth of
//! capacity for prospecting to eat into 13%, 5%, 1% and 0.1%.

use std::ops::Range;

use super::segments;
use crate::lanes::{F32x16, Mask as _, Simd, U32x16, Words as _};
use crate::rng::{Purpose, uniform};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Sums, Territory};

/// Contacts of a month at these rates, of those who may be contacted.
#[inline(always)]
pub fn contacts<V: Simd>(rate: V, uniform: V, reachable: V::Mask) -> V {
    V::keep(reachable, (rate + uniform).floor())
}

/// Visits of field reps to the customers that we know, by the phase's plan, each rounded on its own: right on average,
/// and not bounded by anybody's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visits;

impl Mechanism for Visits {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 1 << Purpose::FaceToFace as u64;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, _: &mut (), _: &(), _: &mut (), now: &mut Now<'_, V>) {
        let rate = now.desired * V::splat(here.visit_factor);
        now.visits = contacts(rate, now.uniform(Purpose::FaceToFace), now.is.known);
        now.contacts = now.contacts + now.visits;
        now.sums.visits = now.sums.visits + now.visits;
    }
}

/// Contacts by the phase's further channels of the customers that we know and that consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Messages;

impl Mechanism for Messages {
    /// Bit c set: channel c may be used.
    type Traits = U32x16;
    type Memory = ();
    type Ground = ();

    // Drawn from groups of their own.
    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> U32x16 {
        let mut consent = U32x16::ZERO;
        for (lane, agent) in consent.0.iter_mut().zip(range) {
            *lane = u32::from(agents.consent[agent]);
        }
        consent
    }
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        month: &Month<'_>,
        _: &Here,
        (): &mut (),
        consent: &U32x16,
        (): &mut (),
        now: &mut Now<'_, V>,
    ) {
        if month.phase.channels.is_empty() {
            return;
        }
        let consent = V::Words::load(consent);
        let mut group = 0;
        let mut words = now.words;
        for (channel, rates) in month.phase.channels.iter().zip(&month.phase.contacts) {
            let purpose = Purpose::FaceToFace as u32 + channel.index() as u32;
            if purpose / 4 != group {
                group = purpose / 4;
                words = now.group(group);
            }
            let allowed = consent.shares_bit(V::Words::splat(1 << channel.index()));
            let rate: V = month.block_of(&rates[month.agents.clone()], now.block);
            let rate = segments::rate(&month.phase.rules, now.rule_bits, *channel, rate);
            let made = contacts(rate, uniform(words[purpose as usize % 4]), now.is.known.and(allowed));
            let sum = &mut now.channel_sums[channel.index()];
            *sum = (V::load(sum) + made).store();
            now.contacts = now.contacts + made;
            now.made[channel.index()] = made;
            if let Some(columns) = &mut now.columns {
                columns.contacts[channel.index()][now.block] = made.store().0;
            }
        }
    }
}

/// Visits of field reps to the customers that we know, by the phase's plan, together no more than their calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundedVisits;

/// The calls of a territory's month, while it goes through its customers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calls {
    /// Visits that are not made yet; whole.
    left: f64,
    /// Desired visits of the known customers that it has not come to yet, and what counts as none.
    wanted: f64,
    none: f64,
    /// Time for part of a visit, below one, that the months before have not used.
    owed: f64,
    /// Visits over desired ones while each customer is rounded on its own; `left` is then all calls that are left.
    alone: Option<f64>,
    /// Whether prospecting gets what visits leave.
    takes: bool,
    /// Prospecting calls of the months before, over those that discovery has reckoned with.
    late: f64,
}

/// Desired visits that are left and below this share of all are rounding.
const NOBODY: f64 = 1e-5;

/// With fewer visits planned beyond it, a block's are made to sum to those due: more than a block scatters by.
const LAST: f64 = 4.0;

/// Twice the most that a block scatters by: with as many calls to spare, nobody asks how much it does.
const SPARE: f64 = 4.0;

/// Part of the prospecting calls not reckoned with yet that a month's finds reckon with.
const LATE: f64 = 1.0 / 12.0;

/// Keeps sums that are whole but for rounding.
const NEARLY: f64 = 1e-9;

impl Calls {
    /// Begins a month: `here` holds capacity and prospecting as planned, and then with what months before owe. Gives the
    /// visits planned: those that will be made, where prospecting does not take what they leave.
    pub fn begin(&mut self, wanted: f64, here: &mut Here) -> f64 {
        let visits = self.plan(wanted, here);
        here.searching = (here.prospecting + LATE * self.late).max(0.0);
        self.late -= here.searching - here.prospecting;
        visits
    }

    fn plan(&mut self, wanted: f64, here: &mut Here) -> f64 {
        let planned = if wanted > 0.0 { (here.capacity - here.prospecting).max(0.0) } else { 0.0 };
        (self.wanted, self.none) = (wanted, NOBODY * wanted);
        let planned = planned + self.owed;
        here.capacity += self.owed;
        self.takes = planned > 0.0 && wanted > 0.0 && here.prospecting >= 1.0;
        if self.takes {
            (self.left, self.alone, self.owed) = (here.capacity, Some(planned / wanted), 0.0);
            return planned;
        }
        let visits = (planned + NEARLY).floor();
        (self.left, self.alone, self.owed) = (visits, None, (planned - visits).max(0.0));
        visits
    }

    /// Ends a month of so many visits: prospecting gets what they leave.
    pub fn end(&mut self, visits: f64, here: &mut Here) {
        if self.takes {
            let made = (here.capacity - visits).max(0.0);
            self.late += made - here.prospecting;
            here.prospecting = made;
        }
    }
}

impl Mechanism for BoundedVisits {
    type Traits = ();
    type Memory = ();
    type Ground = Calls;

    const DRAWS: u64 = 1 << Purpose::FaceToFace as u64;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) -> Calls {
        Calls::default()
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, calls: &mut Calls, here: &mut Here) {
        let wanted = month.before.wanted;
        let visits = calls.begin(wanted, here);
        here.visit_factor = if wanted > 0.0 { (visits / wanted) as f32 } else { 0.0 };
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, calls: &mut Calls, _: &(), _: &mut (), now: &mut Now<'_, V>) {
        let want = V::keep(now.is.known, now.desired);
        let here = want.sum();
        // False also for what is not a number.
        if here > 0.0 && here < f64::INFINITY {
            let wanted = calls.wanted.max(here);
            let after = if wanted - here > calls.none { wanted - here } else { 0.0 };
            // The lowest nine bits of a word are not in its uniform number.
            let word = now.words[Purpose::FaceToFace.word()];
            let v = || (f64::from(word.store().0[0] & 511) + 0.5) / 512.0;
            if let Some(factor) = calls.alone {
                let spare = calls.left - factor * wanted;
                if spare < SPARE && spare < 2.0 * scatter(want * V::splat(factor as f32)) {
                    calls.left = (factor * wanted + v()).min(calls.left + NEARLY).floor();
                    calls.alone = None;
                }
            }
            let factor = match calls.alone {
                Some(factor) => factor,
                None => calls.left / wanted,
            };
            let rate = want * V::splat(factor as f32);
            let uniform = now.uniform(Purpose::FaceToFace);
            let mut visits = (rate + uniform).floor();
            let mut made = visits.sum();
            let beyond = factor * after;
            if made > calls.left || (beyond < LAST && calls.alone.is_none()) {
                let due = match calls.alone {
                    Some(_) => (calls.left + NEARLY).floor(),
                    None => calls.left - (beyond + v()).floor(),
                };
                visits = fit(rate, uniform, visits, due);
                made = visits.sum();
            }
            now.visits = visits;
            calls.left -= made;
            calls.wanted = after;
        }
        now.contacts = now.contacts + now.visits;
        now.sums.visits = now.sums.visits + now.visits;
    }

    #[inline(always)]
    fn settle(&self, _: &Month<'_>, calls: &mut Calls, here: &mut Here, sums: &Sums<f64>) {
        calls.end(sums.visits, here);
    }
}

/// Standard deviation of a block's visits, each rounded on its own.
#[inline(always)]
fn scatter<V: Simd>(rate: V) -> f64 {
    let p = rate - rate.floor();
    (p * (V::splat(1.0) - p)).sum().sqrt()
}

/// Makes a block's visits sum to those that are due, where rounding errors do not forbid it; never to more.
#[inline(always)]
fn fit<V: Simd>(rate: V, uniform: V, mut visits: V, due: f64) -> V {
    let mut made = visits.sum();
    if made == due {
        return visits;
    }
    let (zero, one, never) = (V::splat(0.0), V::splat(1.0), V::splat(f32::INFINITY));
    let base = rate.floor();
    let p = rate - base;
    let mut up = visits.greater(base);
    // Infinite where nothing may be rounded up.
    let place = (one - uniform) * (one - p) / (uniform * p);
    while made < due {
        // The first in place of those that may be rounded up and are not.
        let queue = V::choose(up, never, place);
        let first = least(queue.store());
        if first == f32::INFINITY {
            break;
        }
        let others = queue.greater(V::splat(first));
        visits = visits + V::choose(others, zero, one);
        up = up.or(visits.greater(base));
        made = visits.sum();
    }
    while made > due {
        // The last in place of those rounded up; where rounding errors leave none, anybody.
        let queue = V::choose(up, zero - place, V::load(&F32x16(std::array::from_fn(|lane| 1.0 + lane as f32))));
        let queue = V::choose(visits.greater(zero), queue, never);
        let last = least(queue.store());
        if last == f32::INFINITY {
            break;
        }
        let others = queue.greater(V::splat(last));
        visits = visits - V::choose(others, zero, one);
        up = visits.greater(base);
        made = visits.sum();
    }
    visits
}

/// The least of the lanes: halves against halves.
#[inline(always)]
fn least(lanes: F32x16) -> f32 {
    let min = |one: f32, other: f32| if one < other { one } else { other };
    let mut lanes = lanes.0;
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = min(lanes[lane], lanes[lane + half]);
        }
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Mask16, WIDTH};

    #[test]
    fn rates_are_rounded_up_or_down() {
        let everyone = Mask16([u32::MAX; 16]);
        let at = |rate, u| contacts(F32x16::splat(rate), F32x16::splat(u), everyone).0[0];
        assert_eq!([at(1.25, 0.5), at(1.25, 0.74), at(1.25, 0.76), at(0.0, 0.999)], [1.0, 1.0, 2.0, 0.0]);
        let cells = 4096;
        let mean =
            (0..cells).map(|k| at(1.3, uniform::<F32x16>(U32x16::splat(k << 20)).0[0])).sum::<f32>() / cells as f32;
        assert!((mean - 1.3).abs() < 1e-3);
    }

    #[test]
    fn the_unreachable_are_left_alone() {
        let nobody = Mask16([0; 16]);
        assert_eq!(contacts(F32x16::splat(3.0), F32x16::splat(0.5), nobody), F32x16::ZERO);
    }

    fn planned(capacity: f64, prospecting: f64) -> Here {
        Here { capacity, prospecting, ..Here::default() }
    }

    #[test]
    fn hand_computed_months() {
        // 25 calls and half a call of prospecting: 24.5 visits are planned; 24, then 25 with the time that was left.
        let mut calls = Calls::default();
        for (visits, capacity) in [(24.0, 25.0), (25.0, 25.5), (24.0, 25.0)] {
            let mut here = planned(25.0, 0.5);
            assert_eq!((calls.begin(50.0, &mut here), here.prospecting, here.capacity), (visits, 0.5, capacity));
            assert_eq!((calls.alone, here.searching), (None, 0.5));
        }
        // A third of a call a month and no prospecting: a visit every third month, with time carried.
        let mut calls = Calls::default();
        let visits: Vec<f64> = (0..9).map(|_| calls.begin(50.0, &mut planned(1.0 / 3.0, 0.0))).collect();
        assert_eq!(visits, [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        // Nobody to visit: nothing is visited, prospecting stays as planned.
        let mut here = planned(20.0, 4.0);
        assert_eq!((Calls::default().begin(0.0, &mut here), here.prospecting), (0.0, 4.0));
    }

    #[test]
    fn prospecting_gets_what_visits_leave_and_finds_later() {
        // 75 calls, a tenth prospecting: 67.5 visits are planned, and come by chance.
        let mut calls = Calls::default();
        let mut month = |prospecting, visits| {
            let mut here = planned(75.0, prospecting);
            let begun = calls.begin(50.0, &mut here);
            let factor = calls.alone;
            calls.end(visits, &mut here);
            (begun, factor, here.searching, here.prospecting, calls.late)
        };
        assert_eq!(month(7.5, 61.5), (67.5, Some(1.35), 7.5, 13.5, 6.0));
        // A twelfth of the six calls more finds this month.
        assert_eq!(month(7.5, 67.0), (67.5, Some(1.35), 8.0, 8.0, 6.0));
        assert_eq!(month(7.5, 75.0), (67.5, Some(1.35), 8.0, 0.0, -2.0));
        assert_eq!(month(7.5, 103.0 - 75.0), (67.5, Some(1.35), 7.5 - 2.0 / 12.0, 47.0, 47.0 - 9.5 + 2.0 / 12.0));
    }

    #[test]
    fn no_more_is_taken_back_than_is_found() {
        let mut calls = Calls { late: -18.0, ..Calls::default() };
        let mut here = planned(20.0, 1.0);
        calls.begin(50.0, &mut here);
        assert_eq!((here.searching, calls.late), (0.0, -17.0));
    }

    #[test]
    fn time_that_was_carried_is_used_once() {
        let mut calls = Calls::default();
        assert_eq!(calls.begin(50.0, &mut planned(10.5, 0.0)), 10.0);
        let mut here = planned(20.0, 5.0);
        assert_eq!((calls.begin(50.0, &mut here), here.capacity, here.prospecting), (15.5, 20.5, 5.0));
        let mut here = planned(20.5, 0.0);
        assert_eq!((calls.begin(50.0, &mut here), here.capacity), (20.0, 20.5));
    }

    #[test]
    fn a_block_is_made_to_sum_to_what_is_due() {
        // Rates 0.5; up are those of u above 0.5, and places go with (1 - u) / u.
        let mut rate = [0.0; WIDTH];
        rate[..5].fill(0.5);
        rate[5] = 1.25;
        let mut uniform = [0.4; WIDTH];
        uniform[..6].copy_from_slice(&[0.9, 0.6, 0.45, 0.3, 0.1, 0.2]);
        let mut visits = [0.0; WIDTH];
        visits[..6].copy_from_slice(&[1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        let fitted = |due| fit(F32x16(rate), F32x16(uniform), F32x16(visits), due).0[..6].to_vec();
        assert_eq!(fitted(3.0), [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(fitted(4.0), [1.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
        assert_eq!(fitted(2.0), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(fitted(1.0), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        // Below what whole rates ask for the cap holds all the same; above what may be rounded up nothing is made up.
        assert_eq!(fitted(0.0), [0.0; 6]);
        assert_eq!(fitted(20.0), [1.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
    }
}
