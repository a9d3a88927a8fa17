//! Goodwill: what our contacts leave behind in a customer's mind.
//!
//! `G_t = decay * G_{t-1} + sum_c effect_c * saturate(contacts_ct)`, the adstock of Broadbent (1979), with contacts
//! saturating as a Hill curve of slope 1, normalised so that one contact counts as one:
//! `saturate(x) = x * (1 + h) / (x + h)` with h the half-saturation in contacts a month.
//!
//! A steady `x` contacts a month leads to `effect * saturate(x) / (1 - decay)`.

use std::ops::Range;

use crate::channel::Channel;
use crate::lanes::{F32x16, Lanes, Mask as _, Simd, U32x16, Words as _};
use crate::rng::{Purpose, uniform};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

use super::contacts::contacts;
use super::segments;

/// Parameters of goodwill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goodwill {
    /// Share of last month's goodwill that is left, 0 to 1.
    pub decay: f64,
    /// Log odds of choosing us added by one contact a month, by channel.
    pub effect: [f64; Channel::COUNT],
    /// Contacts a month at which the effect is half of its ceiling; positive, infinite for none.
    pub half_saturation: f64,
}

impl Goodwill {
    /// The effect of `contacts` in a month relative to that of one.
    #[inline(always)]
    pub fn saturate<V: Lanes>(&self, contacts: V) -> V {
        if self.half_saturation == f64::INFINITY {
            return contacts;
        }
        contacts * V::of(1.0 + self.half_saturation) / (contacts + V::of(self.half_saturation))
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
}

impl Mechanism for Goodwill {
    /// Bit c set: channel c may be used.
    type Traits = U32x16;
    type Memory = F32x16;
    type Ground = ();

    // Further channels draw from groups of their own.
    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> U32x16 {
        let mut consent = U32x16::ZERO;
        for (lane, agent) in consent.0.iter_mut().zip(range) {
            *lane = u32::from(agents.consent[agent]);
        }
        consent
    }
    fn memory(agents: &Agents, range: Range<usize>) -> F32x16 {
        F32x16::load_slice(&agents.goodwill[range], 0.0)
    }
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        month: &Month<'_>,
        _: &Here,
        _: &mut (),
        consent: &U32x16,
        memory: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        let mut lifts = self.lift(Channel::FaceToFace, now.visits);
        if !month.phase.channels.is_empty() {
            lifts = lifts + self.further(month, V::Words::load(consent), now);
        }
        let before = V::load(memory) * now.kept;
        now.goodwill = Self::step(self, before, lifts * now.receptive) - now.harm;
        *memory = now.goodwill.store();
    }
}

impl Goodwill {
    /// Contacts by the further channels in use, and what they add to goodwill.
    #[inline(always)]
    fn further<V: Simd>(&self, month: &Month<'_>, consent: V::Words, now: &mut Now<'_, V>) -> V {
        let mut lifts = V::splat(0.0);
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
            lifts = lifts + self.lift(*channel, made);
            if let Some(columns) = &mut now.columns {
                columns.contacts[channel.index()][now.block] = made.store().0;
            }
        }
        lifts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goodwill() -> Goodwill {
        Goodwill { decay: 0.7, effect: [0.1, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0], half_saturation: 3.0 }
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
