//! Buying centres: an order of a business customer needs the people who decide about it on our side.
//!
//! A buying centre has `S` seats (user, buyer, decider, gatekeeper ...; Webster & Wind 1972, "A General Model for
//! Understanding Organizational Buying Behavior", Journal of Marketing 36(2); Johnston & Bonoma 1981, "The Buying Center:
//! Structure and Interaction Patterns", Journal of Marketing 45(3)). A share `c_t` of them is covered, that is on our side.
//! People leave and forget, and visits win seats that are not covered, each seat as likely as the other:
//!
//! ```text
//! c_t = decay c_{t-1} + (1 - decay c_{t-1}) (1 - exp(-h_t))      = 1 - (1 - decay c_{t-1}) exp(-h_t)
//! h_t = rest + worth per_contact visits_t / S                    (hazard a month that an uncovered seat is won)
//! ```
//!
//! `per_contact` is the hazard at a buying centre of one seat. Today's coverage `c_0` is held by today's effort, which needs
//! the hazard `h_0 = -ln((1 - c_0) / (1 - decay c_0))`. Of it, today's `v_0` visits a month bring
//! `a_0 = per_contact v_0 / S`, and the rest comes by itself: `rest = max(0, h_0 - a_0)`; where the visits should bring more
//! than is there, they are worth less at this customer: `worth = min(1, h_0 / a_0)`. So `E h_t = h_0` while we go on as today,
//! and coverage stays near `c_0` (a little below, since visits come in whole numbers).
//!
//! An order passes with a chance that rises with coverage, relative to today:
//!
//! ```text
//! share_t  = min(1, share_t (c_t / c_0)^weight)          of those who buy from us
//! hazard_t = hazard_t (c_t / c_0)^weight                 of those who may be won
//! ```
//!
//! Assumptions: the power law, equal seats, that only visits (no other contacts) win seats, and that nobody's seats depend on
//! another's. `c_0` is kept within 0.01 and 0.99, where the ratio and the hazard are finite. Without seats nothing happens.

use std::ops::Range;
use std::sync::Arc;

use crate::lanes::{F32x16, Lanes, Mask as _, Simd, WIDTH};
use crate::simulate::{Agents, Attributes, Here, Mechanism, Month, Now, Territory};

/// Coverage at the start is kept within these.
const BOUNDS: (f32, f32) = (0.01, 0.99);

/// Parameters of buying centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Share of last month's coverage that is left without contact, 0 to 1.
    pub decay: f64,
    /// Hazard that one visit wins an uncovered seat, in a buying centre of one seat.
    pub per_contact: f64,
    /// Exponent of coverage in the chance that an order passes.
    pub weight: f64,
}

impl Coverage {
    /// Coverage after a month in which uncovered seats are won at this hazard.
    #[inline(always)]
    pub fn next<V: Lanes>(&self, before: V, hazard: V) -> V {
        let one = V::of(1.0);
        one - (one - V::of(self.decay) * before) * (V::of(0.0) - hazard).exp()
    }

    /// The hazard a month that holds coverage where it is (above 0 and below 1).
    #[inline(always)]
    pub fn holding<V: Simd>(&self, covered: V) -> V {
        let one = V::splat(1.0);
        ((one - V::of(self.decay) * covered) / (one - covered)).ln().max(V::splat(0.0))
    }

    /// This month's hazard, with so many visits a seat today and this month.
    #[inline(always)]
    pub fn hazard<V: Lanes>(&self, holding: V, today: V, visits: V) -> V {
        let (rest, by_visit) = self.parts(holding, today);
        rest + by_visit * visits
    }

    /// The part of the hazard that comes by itself, and what a visit a seat adds to it.
    #[inline(always)]
    pub fn parts<V: Lanes>(&self, holding: V, today: V) -> (V, V) {
        let (per_contact, zero) = (V::of(self.per_contact), V::of(0.0));
        let by_visits = per_contact * today;
        // Without visits today the quotient is infinite or no number; both count as 1.
        let worth = (holding / by_visits).min(V::of(1.0));
        ((holding - by_visits).max(zero), worth * per_contact)
    }

    /// The chance that an order passes, over today's.
    #[inline(always)]
    pub fn passes<V: Simd>(&self, covered: V, start: V) -> V {
        // A buying centre that nobody looks after fades away; its logarithm must not.
        let ratio = covered.max(V::splat(1e-6)) / start;
        (V::of(self.weight) * ratio.ln()).exp()
    }
}

impl Mechanism for Coverage {
    /// One over the number of seats, 0 for no account; coverage at the start.
    type Traits = [F32x16; 2];
    /// Coverage.
    type Memory = F32x16;
    /// By block: the parts of the hazard ([`Coverage::parts`]), which stay.
    type Ground = Arc<[[F32x16; 2]]>;

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> [F32x16; 2] {
        let mut per_seat = F32x16::ZERO;
        for (lane, seats) in per_seat.0.iter_mut().zip(Attributes::block_of_words(&agents.more.seats, range.clone()).0)
        {
            *lane = if seats > 0 { 1.0 / seats as f32 } else { 0.0 };
        }
        [per_seat, Self::memory(agents, range)]
    }

    fn memory(agents: &Agents, range: Range<usize>) -> F32x16 {
        let covered = Attributes::block(&agents.more.covered, range, 1.0);
        F32x16(covered.0.map(|covered| covered.clamp(BOUNDS.0, BOUNDS.1)))
    }

    fn ground(&self, agents: &Agents, territory: &Territory) -> Self::Ground {
        let end = territory.agents.end;
        let parts = |begins: usize| {
            let range = begins..end.min(begins + WIDTH);
            let [per_seat, start] = Self::traits(agents, range.clone());
            let today: F32x16 = Attributes::block(&agents.more.visits, range, 0.0);
            let (rest, by_visit) = self.parts(self.holding(start), today * per_seat);
            [rest, by_visit]
        };
        territory.agents.clone().step_by(WIDTH).map(parts).collect()
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        parts: &mut Self::Ground,
        traits: &[F32x16; 2],
        memory: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        let (per_seat, start) = (V::load(&traits[0]), V::load(&traits[1]));
        let account = per_seat.greater(V::splat(0.0));
        let Some([rest, by_visit]) = parts.get(now.block) else { return };
        if !account.any() {
            return;
        }
        let hazard = V::load(rest) + V::load(by_visit) * (now.visits * per_seat);
        let covered = self.next(V::load(memory), hazard);
        *memory = covered.store();
        let passes = V::choose(account, self.passes(covered, start), V::splat(1.0));
        now.share = (now.share * passes).min(V::splat(1.0));
        now.winnable = V::choose(now.is.open, now.winnable * passes, now.winnable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: Coverage = Coverage { decay: 0.9, per_contact: 0.5, weight: 2.0 };

    fn close(lanes: F32x16, wanted: f64) {
        assert!((f64::from(lanes.0[3]) - wanted).abs() < 2e-6 * wanted.abs().max(1.0), "{lanes:?} {wanted}");
    }

    #[test]
    fn hand_computed_months() {
        // Half is covered; two visits to four seats are a hazard of 0.25, which wins 1 - e^-0.25 of the other 0.55.
        let hazard = MODEL.hazard(0.0, 0.0, 0.5);
        assert!((hazard - 0.25).abs() < 1e-15);
        let covered = MODEL.next(0.5, hazard);
        assert!((covered - (0.45 + 0.55 * 0.221_199_216_928_595)).abs() < 1e-12, "{covered}");
        // Nobody comes: a tenth is lost.
        assert!((MODEL.next(covered, 0.0) - 0.9 * covered).abs() < 1e-12);
    }

    #[test]
    fn the_holding_hazard_holds() {
        // 1 - (1 - 0.9 * 0.6) * e^-h = 0.6 at h = ln(0.46 / 0.4).
        let hold = MODEL.holding(F32x16::of(0.6));
        close(hold, libm::log(1.15));
        let mut covered = F32x16::of(0.6);
        for _ in 0..50 {
            covered = MODEL.next(covered, hold);
        }
        close(covered, 0.6);
    }

    #[test]
    fn todays_visits_bring_todays_hazard() {
        let hold = 0.14;
        // Much, little and nothing of it comes by visits.
        for today in [0.5, 0.1, 0.0] {
            assert!((MODEL.hazard(hold, today, today) - hold).abs() < 1e-12);
        }
        // 0.5 visits a seat should bring 0.25, but 0.14 is there: each visit brings 0.28 a seat. The rest is nothing.
        assert!((MODEL.hazard(hold, 0.5, 1.0) - 0.28).abs() < 1e-12);
        assert_eq!(MODEL.hazard(hold, 0.5, 0.0), 0.0);
        // 0.1 bring 0.05, the rest 0.09.
        assert!((MODEL.hazard(hold, 0.1, 0.0) - 0.09).abs() < 1e-12);
        assert!((MODEL.hazard(hold, 0.0, 0.2) - 0.24).abs() < 1e-12);
        // Lanes and doubles agree.
        for (today, visits) in [(0.5, 1.0), (0.1, 0.0), (0.0, 0.2), (0.0, 0.0)] {
            let lanes = MODEL.hazard(F32x16::of(hold), F32x16::of(today), F32x16::of(visits));
            close(lanes, MODEL.hazard(hold, today, visits));
        }
    }

    #[test]
    fn orders_pass_by_a_power_of_coverage() {
        let at = |covered, start| MODEL.passes(F32x16::of(covered), F32x16::of(start));
        close(at(0.4, 0.8), 0.25);
        close(at(0.75, 0.5), 2.25);
        assert_eq!(at(0.3, 0.3).0, [1.0; 16]);
        assert!(at(0.0, 0.5).0[0] > 0.0);
    }
}
