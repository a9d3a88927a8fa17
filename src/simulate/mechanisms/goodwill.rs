//! Goodwill: what our contacts leave behind in a customer's mind.
//!
//! `G_t = kept * decay * G_{t-1} + receptive * sum_c quality_c * receptive_c * effect_c * saturate(contacts_ct) -
//! harm`, the adstock of Broadbent (1979), with contacts saturating as a Hill curve of slope s, normalised so that one
//! contact counts as one: `saturate(x) = x^s * (1 + h^s) / (x^s + h^s)` with h the half-saturation in contacts a month.
//! A slope of 1 has diminishing returns throughout; above 1 the curve is S-shaped, as the call-response curves of
//! ADBUDG (Little 1970, "Models and Managers: The Concept of a Decision Calculus", Management Science 16) and CALLPLAN
//! (Lodish 1971, "CALLPLAN: An Interactive Salesman's Call Planning System", Management Science 18).
//!
//! A steady `x` contacts a month leads to `effect * saturate(x) / (1 - decay)`.
//!
//! `quality` (1 as in the past) is that of content and timing, by channel: of the policy. `receptive` is the
//! customer's: of visits and telephone calls, or of all other channels; more by the channel that it prefers; less when
//! it is tired ([`super::receptivity`]). `harm` is that of [`super::complaints`], `kept` what a rep leaves behind
//! ([`super::turnover`]). All are 1, or 0, where their mechanisms are off.

use std::ops::Range;

use crate::channel::Channel;
use crate::lanes::{F32x16, Lanes, Simd, Words as _};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Parameters of goodwill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goodwill {
    /// Share of last month's goodwill that is left, 0 to 1.
    pub decay: f64,
    /// Log odds of choosing us added by one contact a month, by channel.
    pub effect: [f64; Channel::COUNT],
    /// Contacts a month at which the effect is half of its ceiling; positive, infinite for none.
    pub half_saturation: f64,
    /// Slope of the Hill curve; positive, 1 for diminishing returns from the first contact on.
    pub slope: f64,
}

impl Goodwill {
    /// The effect of `contacts` in a month relative to that of one.
    #[inline(always)]
    pub fn saturate<V: Lanes>(&self, contacts: V) -> V {
        if self.slope == 1.0 { self.saturate_evenly(contacts) } else { self.saturate_by(contacts, self.bend()) }
    }

    /// As [`Goodwill::saturate`] at a slope of 1.
    #[inline(always)]
    fn saturate_evenly<V: Lanes>(&self, contacts: V) -> V {
        if self.half_saturation == f64::INFINITY {
            return contacts;
        }
        contacts * V::of(1.0 + self.half_saturation) / (contacts + V::of(self.half_saturation))
    }

    /// As [`Goodwill::saturate`] for any slope: `x^s / (w + (1 - w) * x^s)` with w and 1 - w from [`Goodwill::bend`],
    /// which neither overflows nor is undefined where h is very large.
    #[inline(always)]
    fn saturate_by<V: Lanes>(&self, contacts: V, [weight, rest]: [f64; 2]) -> V {
        let some = contacts.greater(V::of(0.0));
        let powered = V::choose(some, contacts, V::of(1.0)).power(self.slope);
        V::keep(some, powered / (V::of(weight) + V::of(rest) * powered))
    }

    /// `w = h^s / (1 + h^s)`, and 1 - w.
    fn bend(&self) -> [f64; 2] {
        let far = libm::pow(self.half_saturation, -self.slope);
        [1.0 / (1.0 + far), 1.0 / (1.0 + 1.0 / far)]
    }

    /// What one channel's contacts add this month.
    #[inline(always)]
    pub fn lift<V: Lanes>(&self, channel: Channel, contacts: V) -> V {
        V::of(self.effect[channel.index()]) * self.saturate(contacts)
    }

    /// This month's goodwill from last month's and what was added.
    #[inline(always)]
    pub fn step<V: Lanes>(&self, before: V, lifts: V) -> V {
        V::of(self.decay) * before + lifts
    }

    /// Goodwill that a steady number of contacts a month leads to, by channel.
    pub fn steady(&self, contacts: &[f64; Channel::COUNT]) -> f64 {
        let lifts: f64 = Channel::ALL.iter().map(|&channel| self.lift(channel, contacts[channel.index()])).sum();
        lifts / (1.0 - self.decay)
    }

    /// The same of one channel's contacts alone.
    pub fn steady_of(&self, channel: Channel, contacts: f64) -> f64 {
        self.lift(channel, contacts) / (1.0 - self.decay)
    }
}

/// What is worked out once for all customers.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    /// Log odds that one contact adds this month, by channel.
    effect: [f32; Channel::COUNT],
    bend: [f64; 2],
}

impl Mechanism for Goodwill {
    type Traits = ();
    type Memory = F32x16;
    type Ground = Ground;

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(agents: &Agents, range: Range<usize>) -> F32x16 {
        F32x16::load_slice(&agents.goodwill[range], 0.0)
    }
    fn ground(&self, _: &Agents, _: &Territory) -> Ground {
        Ground { effect: [0.0; Channel::COUNT], bend: self.bend() }
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, ground: &mut Ground, here: &mut Here) {
        let mut of = |channel: Channel| {
            let c = channel.index();
            let factor = f64::from(month.moves().quality[c]) * f64::from(here.channel_effect[c]);
            ground.effect[c] = (self.effect[c] * factor) as f32;
        };
        of(Channel::FaceToFace);
        month.phase.channels.iter().for_each(|&channel| of(channel));
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        month: &Month<'_>,
        here: &Here,
        ground: &mut Ground,
        (): &(),
        memory: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        let mut lifts = self.lift_by(Channel::FaceToFace, now.visits, ground, here, now);
        if !month.phase.channels.is_empty() {
            let mut further = V::splat(0.0);
            for &channel in &month.phase.channels {
                further = further + self.lift_by(channel, now.made[channel.index()], ground, here, now);
            }
            lifts = lifts + further;
        }
        // Now that all contacts of the month are known.
        if let Some(receptivity) = &here.receptivity {
            let load = receptivity.load(now.load, now.contacts);
            lifts = lifts * receptivity.left(load, now.usual_load);
        }
        let before = V::load(memory) * now.kept;
        now.goodwill = Self::step(self, before, lifts * now.receptive) - now.harm;
        *memory = now.goodwill.store();
    }
}

impl Goodwill {
    /// What one channel's contacts add to the goodwill of these customers.
    #[inline(always)]
    fn lift_by<V: Simd>(&self, channel: Channel, made: V, ground: &Ground, here: &Here, now: &Now<'_, V>) -> V {
        let even = self.slope == 1.0;
        let saturated = if even { self.saturate_evenly(made) } else { self.saturate_by(made, ground.bend) };
        let personal = matches!(channel, Channel::FaceToFace | Channel::Phone);
        let receptive = if personal { now.receptive_personal } else { now.receptive_digital };
        let lift = V::splat(ground.effect[channel.index()]) * saturated * receptive;
        // The same for all customers, and 0 where nobody asks what they prefer.
        if here.preference == 0.0 {
            return lift;
        }
        let prefers = now.preferred.shares_bit(V::Words::splat(1 << channel.index()));
        lift * V::choose(prefers, V::splat(1.0 + here.preference), V::splat(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goodwill() -> Goodwill {
        Goodwill { decay: 0.7, effect: [0.1, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0], half_saturation: 3.0, slope: 1.0 }
    }

    #[test]
    fn hand_computed_months() {
        let model = goodwill();
        // Two visits: 0.1 * 2 * 4 / 5 = 0.16; then nothing: 0.7 * 0.16 = 0.112.
        let first = model.step(0.0, model.lift(Channel::FaceToFace, 2.0));
        assert!((first - 0.16).abs() < 1e-12);
        assert!((model.step(first, model.lift(Channel::FaceToFace, 0.0)) - 0.112).abs() < 1e-12);
    }

    #[test]
    fn one_contact_counts_as_one_and_more_count_less() {
        let model = goodwill();
        assert!((model.saturate(1.0_f64) - 1.0).abs() < 1e-12);
        assert!(model.saturate(2.0_f64) < 2.0);
        assert!(model.saturate(1e9_f64) < 4.0 + 1e-6);
    }

    #[test]
    fn hand_computed_slopes() {
        // x^2 * (1 + 9) / (x^2 + 9): 0, 1, 40 / 13, 5 (half of the ceiling of 10).
        let model = Goodwill { slope: 2.0, ..goodwill() };
        for (x, wanted) in [(0.0, 0.0), (1.0, 1.0), (2.0, 40.0 / 13.0), (3.0, 5.0)] {
            assert!((model.saturate(x) - wanted).abs() < 1e-12);
            let lanes = model.saturate(F32x16::of(x)).0[3];
            assert!((f64::from(lanes) - wanted).abs() < 2e-6, "{lanes} {wanted}");
        }
        // The general form is the plain one at a slope of 1, and a power without saturation.
        for x in [0.0, 0.3, 1.0, 2.0, 17.0] {
            assert!((goodwill().saturate_by(x, goodwill().bend()) - goodwill().saturate(x)).abs() < 1e-12);
            let endless = Goodwill { half_saturation: f64::INFINITY, slope: 0.5, ..goodwill() };
            assert!((endless.saturate(x) - x.sqrt()).abs() < 1e-12);
        }
        for h in [1e-12, 1e12, 1e200] {
            let extreme = Goodwill { half_saturation: h, slope: 3.0, ..goodwill() };
            for x in [0.0, 1.0, 40.0] {
                assert!(extreme.saturate(x).is_finite() && extreme.saturate(F32x16::of(x)).0[0].is_finite(), "{h} {x}");
            }
        }
    }

    #[test]
    fn half_life_is_that_of_the_decay() {
        let model = goodwill();
        let months = libm::log(0.5) / libm::log(model.decay);
        let left = libm::pow(model.decay, months);
        assert!((left - 0.5).abs() < 1e-12);
    }

    #[test]
    fn steady_contacts_converge() {
        let model = goodwill();
        let mut goodwill = 0.0;
        for _ in 0..200 {
            goodwill = model.step(goodwill, model.lift(Channel::FaceToFace, 1.5) + model.lift(Channel::Phone, 0.5));
        }
        let steady = model.steady(&[1.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!((goodwill - steady).abs() < 1e-12);
    }
}
