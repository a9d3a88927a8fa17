//! Where each draw of a run lives: its word group and its word.

use super::philox::{RoundKeys, philox4x32, words};
use crate::lanes::Words;

/// What a draw is for. Each purpose is one word of one group, whatever else is drawn: mechanisms that are off cost
/// nothing, and a new one moves nobody's draws. Mutually exclusive events share a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Found, won, lost, closed or born: at most one of them happens to an agent in a month.
    Transition = 0,
    OwnOrders = 1,
    RivalOrders = 2,
    /// Rounds the number of visits up or down.
    FaceToFace = 3,
    /// As `FaceToFace`, one word a further channel.
    Phone = 4,
    Sms = 5,
    Email = 6,
    Whatsapp = 7,
    Ivr = 8,
    Digital = 9,
    /// A complaint.
    Complaint = 12,
    /// Size of what is ordered from us and from rivals.
    OwnOrderSize = 13,
    RivalOrderSize = 14,
    /// What a customer's month differs by from the expected.
    Frailty = 15,
    /// Orders by product, one word each.
    Product0 = 16,
    Product1 = 17,
    Product2 = 18,
    Product3 = 19,
    /// The end of a contract.
    ContractEnd = 20,
    /// Of a rep (keyed by its territory's hash and its position), not of an agent: leaves, or a successor comes.
    RepLeaves = 56,
    RepArrives = 57,
    /// How its seat is before the first month.
    RepAtStart = 58,
    /// Of a territory, not of an agent (and the next word with it): category demand of the month.
    DemandShock = 60,
}

impl Purpose {
    /// The group of four words that it is in, 0 to 15.
    #[inline(always)]
    pub const fn group(self) -> u32 {
        self as u32 / 4
    }

    /// Its word in the group.
    #[inline(always)]
    pub const fn word(self) -> usize {
        self as usize % 4
    }
}

/// Names one simulation run: all its draws follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunKey {
    pub seed: u64,
    pub run: u32,
}

impl RunKey {
    /// The words of a group in a month (counted from 0, below 2^28) for the agent or territory with this hash.
    #[inline(always)]
    pub fn words(self, hash: u64, month: u32, group: u32) -> [u32; 4] {
        let [low, high] = words(hash);
        philox4x32([low, high, self.run, month << 4 | group], words(self.seed))
    }

    /// For 16 agents at a time.
    #[inline(always)]
    pub fn draws<W: Words>(self) -> Draws<W> {
        Draws { keys: RoundKeys::new(words(self.seed)), run: self.run }
    }
}

/// A run's draws, 16 agents at a time.
#[derive(Debug, Clone, Copy)]
pub struct Draws<W> {
    keys: RoundKeys<W>,
    run: u32,
}

impl<W: Words> Draws<W> {
    /// As [`RunKey::words`], for the 16 agents whose hashes have these halves.
    #[inline(always)]
    pub fn words(&self, low: W, high: W, month: u32, group: u32) -> [W; 4] {
        self.keys.philox4x32(self.counter(low, high, month, group))
    }

    /// The counters of these words, for [`Draws::part`].
    #[inline(always)]
    pub fn counter(&self, low: W, high: W, month: u32, group: u32) -> [W; 4] {
        [low, high, W::splat(self.run), W::splat(month << 4 | group)]
    }

    /// Turns part 0 or 1 of counters into words; when both parts are done, all are.
    #[inline(always)]
    pub fn part<const PART: usize>(&self, words: &mut [W; 4]) {
        self.keys.part::<PART>(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::U32x16;

    #[test]
    fn lanes_hold_the_scalar_words() {
        let key = RunKey { seed: 0x0123_4567_89ab_cdef, run: 77 };
        let hashes: [u64; 16] = std::array::from_fn(|i| crate::ids::stable_hash(&format!("C{i}")));
        let low = U32x16(hashes.map(|hash| hash as u32));
        let high = U32x16(hashes.map(|hash| (hash >> 32) as u32));
        let lanes = key.draws().words(low, high, 119, 2);
        for (i, &hash) in hashes.iter().enumerate() {
            assert_eq!(lanes.map(|word| word.0[i]), key.words(hash, 119, 2));
        }
    }

    #[test]
    fn each_part_of_the_address_matters() {
        let key = RunKey { seed: 1, run: 1 };
        let words = key.words(5, 3, 0);
        assert_ne!(words, RunKey { seed: 2, ..key }.words(5, 3, 0));
        assert_ne!(words, RunKey { run: 2, ..key }.words(5, 3, 0));
        assert_ne!(words, key.words(5 << 32, 3, 0));
        assert_ne!(words, key.words(5, 4, 0));
        assert_ne!(words, key.words(5, 3, Purpose::Phone.group()));
    }

    #[test]
    fn channels_have_their_words_in_order() {
        use crate::channel::Channel;
        assert_eq!(Purpose::FaceToFace as usize + Channel::Phone.index(), Purpose::Phone as usize);
        assert_eq!(Purpose::FaceToFace as usize + Channel::Digital.index(), Purpose::Digital as usize);
        assert!(Purpose::DemandShock.group() < 16);
    }
}
