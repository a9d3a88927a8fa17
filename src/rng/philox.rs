//! Philox4x32-10: a bijection of 128-bit counters under a 64-bit key whose outputs pass for random.
//!
//! Salmon, Moraes, Dror & Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC '11. Checked against the
//! known-answer vectors published with Random123.

use crate::lanes::Words;

/// Multipliers of the two halves.
const MULTIPLIER: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// Weyl increments of the key: the golden ratio and the square root of 3, less 1.
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
/// Rounds; the authors found 7 enough for BigCrush and recommend 10.
const ROUNDS: usize = 10;

/// The four words at a counter.
#[inline(always)]
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    for k in keys(key) {
        let low = u64::from(MULTIPLIER[0]) * u64::from(c[0]);
        let high = u64::from(MULTIPLIER[1]) * u64::from(c[2]);
        c = [(high >> 32) as u32 ^ c[1] ^ k[0], high as u32, (low >> 32) as u32 ^ c[3] ^ k[1], low as u32];
    }
    c
}

/// Keys of the rounds.
#[inline(always)]
fn keys(key: [u32; 2]) -> [[u32; 2]; ROUNDS] {
    let mut k = key;
    std::array::from_fn(|round| {
        if round > 0 {
            k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
        }
        k
    })
}

/// Keys of the rounds for 16 counters at a time; made once for many.
#[derive(Debug, Clone, Copy)]
pub struct RoundKeys<W>([[W; 2]; ROUNDS]);

impl<W: Words> RoundKeys<W> {
    /// Those of a key.
    #[inline(always)]
    pub fn new(key: [u32; 2]) -> Self {
        let mut out = [[W::splat(0); 2]; ROUNDS];
        // A loop: a closure would be compiled for the default instruction set.
        for (pair, k) in out.iter_mut().zip(keys(key)) {
            *pair = [W::splat(k[0]), W::splat(k[1])];
        }
        Self(out)
    }

    /// Turns one part of the counters into words; there are at most two parts, see [`Words::PARTS`].
    #[inline(always)]
    pub fn part<const PART: usize>(&self, words: &mut [W; 4]) {
        if PART < W::PARTS {
            W::multiply_rounds::<PART>(words, MULTIPLIER, &self.0);
        }
    }

    /// The words at 16 counters: lane i of the result is `philox4x32` of lane i.
    #[inline(always)]
    pub fn philox4x32(&self, counter: [W; 4]) -> [W; 4] {
        let mut words = counter;
        self.part::<0>(&mut words);
        self.part::<1>(&mut words);
        words
    }
}

/// A 64-bit number as two words, low first.
#[inline(always)]
pub(super) fn words(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // Random123 `kat_vectors`, philox 4 32 10.
        let ones = u32::MAX;
        let answers = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([ones; 4], [ones; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, words) in answers {
            assert_eq!(philox4x32(counter, key), words);
        }
    }
}
