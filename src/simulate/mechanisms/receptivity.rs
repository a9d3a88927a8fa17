//! Receptivity: how differently customers take contacts, and how too many of them tire.
//!
//! What channel c's contacts add to customer i's goodwill is multiplied by
//! `propensity_i * favour_ic * exp(-fatigue * (excess(load_it) - excess(usual_i)))`.
//!
//! * Propensity: one number for visits and telephone calls (`responsiveness`), one for all else (`digital`); attributes
//!   of the customer, with mean 1, so that the channels' calibrated effects stay those of an average customer.
//! * Fatigue: `load_t = memory * load_{t-1} + (1 - memory) * contacts_t`, an exponentially weighted mean of contacts a
//!   month by all channels together, this month's included; `excess(load) = max(load - comfort, 0)`. A steady x
//!   contacts a month adds `saturate(x) * exp(-fatigue * (x - comfort))`: beyond some x it falls, and ever more
//!   contacts end at nothing; so does a single month of ever more.
//! * Favour: `(1 + preference * prefers_ic) / (1 + preference * mean of prefers_c)`, the mean over the territory's
//!   known customers at the start.
//!
//! Reactance: beyond an ideal volume of communication, the sum over channels, customers respond less and in the end
//! negatively, and less so by the channel that they prefer (Godfrey, Seiders & Voss 2011, "Enough Is Enough! The Fine
//! Line in Executing Multichannel Relational Communication", Journal of Marketing 75(4); the inverted U of contacts
//! also in Venkatesan & Kumar 2004, "A Customer Lifetime Value Framework", Journal of Marketing 68(4)).
//!
//! Assumptions: contacts tire alike by all channels; the effect of a tired customer's contacts falls to zero and not
//! below; the exponential form. Effects were calibrated on customers as tired as their usual load made them: `usual_i`
//! (`Attributes::contacted`) is where the load begins, and only what departs from it acts. Who is contacted less than
//! usual is therefore fresher than calibrated.

use std::ops::Range;

use crate::channel::Channel;
use crate::lanes::{F32x16, Lanes, Simd, U32x16, Words as _};
use crate::simulate::{Agents, Attributes, Here, Mechanism, Month, Now, Stage, Territory};

/// How contacts tire a customer, and how differently customers take them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Receptivity {
    /// Contacts a month, by all channels, up to which nobody tires.
    pub comfort: f64,
    /// Log effect lost by each contact a month beyond it.
    pub fatigue: f64,
    /// Share of last month's load of contacts that is still felt, 0 to 1.
    pub memory: f64,
    /// More effect by the channel that the customer prefers: 0.3 is 30% more.
    pub preference: f64,
}

impl Receptivity {
    /// The load after a month's contacts.
    #[inline(always)]
    pub fn load<V: Lanes>(&self, before: V, contacts: V) -> V {
        V::of(self.memory) * before + V::of(1.0 - self.memory) * contacts
    }

    /// Contacts a month that are too many.
    #[inline(always)]
    pub fn excess<V: Lanes>(&self, load: V) -> V {
        (load - V::of(self.comfort)).max(V::of(0.0))
    }

    /// What is left of the contacts' effect at a load, against that at the usual one.
    #[inline(always)]
    pub fn left<V: Lanes>(&self, load: V, usual: V) -> V {
        (V::of(self.fatigue) * (self.excess(usual) - self.excess(load))).exp()
    }

    /// What divides a channel's effect so that its mean stays, if this share of customers prefers it.
    pub fn centre(&self, share: f64) -> f64 {
        1.0 + self.preference * share
    }
}

/// What stays of 16 customers.
#[derive(Debug, Clone, Copy)]
pub struct Taste {
    responsiveness: F32x16,
    digital: F32x16,
    /// Bit c set: it prefers channel c.
    preferred: U32x16,
    /// Load at the start.
    usual: F32x16,
}

impl Mechanism for Receptivity {
    type Traits = Taste;
    /// Loads.
    type Memory = F32x16;
    /// Share of the known customers that prefer each channel.
    type Ground = [f64; Channel::COUNT];

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> Taste {
        let more = &agents.more;
        Taste {
            responsiveness: Attributes::block(&more.responsiveness, range.clone(), 1.0),
            digital: Attributes::block(&more.digital, range.clone(), 1.0),
            preferred: Attributes::block_of_words(&more.preferred, range.clone()),
            usual: Attributes::block(&more.contacted, range, 0.0),
        }
    }

    fn memory(agents: &Agents, range: Range<usize>) -> F32x16 {
        Attributes::block(&agents.more.contacted, range, 0.0)
    }

    fn ground(&self, agents: &Agents, territory: &Territory) -> Self::Ground {
        let mut share = [0.0; Channel::COUNT];
        let column = &agents.more.preferred;
        if column.is_empty() {
            return share;
        }
        let known = |&i: &usize| matches!(agents.stage[i], Stage::Identified | Stage::Served | Stage::Lapsed);
        let mut count = 0.0;
        for i in territory.agents.clone().filter(known) {
            count += 1.0;
            for (c, share) in share.iter_mut().enumerate() {
                *share += f64::from(column[i] >> c & 1);
            }
        }
        if count > 0.0 {
            share.iter_mut().for_each(|share| *share /= count);
        }
        share
    }

    #[inline(always)]
    fn here(&self, _: &Month<'_>, share: &mut Self::Ground, here: &mut Here) {
        here.receptivity = Some(*self);
        here.preference = self.preference as f32;
        for (effect, &share) in here.channel_effect.iter_mut().zip(share.iter()) {
            *effect = (f64::from(*effect) / self.centre(share)) as f32;
        }
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut Self::Ground,
        taste: &Taste,
        load: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        now.receptive_personal = now.receptive_personal * V::load(&taste.responsiveness);
        now.receptive_digital = now.receptive_digital * V::load(&taste.digital);
        now.preferred = V::Words::load(&taste.preferred);
        // Goodwill takes it from here, when it has made this month's contacts.
        now.load = V::load(load);
        now.usual_load = V::load(&taste.usual);
    }

    #[inline(always)]
    fn close<V: Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut Self::Ground,
        _: &Taste,
        load: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        *load = self.load(now.load, now.contacts).store();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: Receptivity = Receptivity { comfort: 4.0, fatigue: 0.2, memory: 0.5, preference: 0.5 };

    #[test]
    fn hand_computed_fatigue() {
        // From 4 contacts a month, a month of 10 leaves a load of 7, 3 beyond comfort: exp(-0.6).
        let load = MODEL.load(4.0, 10.0);
        assert_eq!(load, 7.0);
        assert!((MODEL.left(load, 4.0) - 0.548_811_636_094_026_4).abs() < 1e-12);
        // Who is used to 6 loses only what is beyond: exp(-0.2). Who is contacted less than usual is fresher: exp(0.4).
        assert!((MODEL.left(load, 6.0) - 0.818_730_753_077_981_8).abs() < 1e-12);
        assert!((MODEL.left(2.0, 6.0) - 1.491_824_697_641_270_3).abs() < 1e-12);
        assert_eq!(MODEL.left(6.0, 6.0), 1.0);
        let endless = Receptivity { comfort: f64::INFINITY, ..MODEL };
        assert_eq!(endless.left(1e6, 0.0), 1.0);
    }

    #[test]
    fn load_is_in_contacts_a_month() {
        let load = (0..60).fold(0.0, |load, _| MODEL.load(load, 3.0));
        assert!((load - 3.0).abs() < 1e-12);
    }

    #[test]
    fn favour_has_mean_one() {
        // 30% prefer it: 0.3 * 1.5 / 1.15 + 0.7 / 1.15 = 1.
        let centre = MODEL.centre(0.3);
        assert!((0.3 * 1.5 / centre + 0.7 / centre - 1.0).abs() < 1e-12);
    }
}
