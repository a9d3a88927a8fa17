//! A generator in sequence for set-up work, keyed so that any draw of any domain can be made alone.

use std::convert::Infallible;

use rand::{Rng as _, TryRng};

use super::philox::{philox4x32, words};
use super::{normal_f64, uniform_f64};
use crate::ids::stable_hash;

/// Random words in sequence from the key (seed, domain, index).
///
/// `domain` names what the numbers are for ("potential/dark sizes"), `index` which one of many like things (the draw, the
/// customer). Streams with different keys are independent, so that draw 7 is the same whether it is made first, last,
/// or on another machine. It implements [`rand::Rng`], so `rand` and `rand_distr` work with it:
///
/// ```
/// use ikiz::rng::Stream;
/// use rand_distr::{Distribution as _, Normal};
///
/// let mut rng = Stream::new(42, "example", 7);
/// let first: f64 = Normal::new(0.0, 1.0).unwrap().sample(&mut rng);
/// assert_eq!(first, Normal::new(0.0, 1.0).unwrap().sample(&mut Stream::new(42, "example", 7)));
/// ```
///
/// The key of the underlying Philox is itself a Philox output at (hash of the domain) under the seed; the counter is
/// (block, index). A stream holds 2^66 words.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    index: [u32; 2],
    block: u64,
    words: [u32; 4],
    /// Words of the block already given; 4 when a new block is due.
    used: usize,
}

impl Stream {
    /// The stream of a key, at its beginning.
    pub fn new(seed: u64, domain: &str, index: u64) -> Self {
        let [low, high] = words(stable_hash(domain));
        // The last two words keep these counters apart from those of runs.
        let [first, second, ..] = philox4x32([low, high, u32::MAX, u32::MAX], words(seed));
        Self { key: [first, second], index: words(index), block: 0, words: [0; 4], used: 4 }
    }

    /// A uniform number strictly between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        uniform_f64(self.next_u32(), self.next_u32())
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        normal_f64(self.uniform())
    }

    /// One of `count` positions, all alike; `count` is above 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count - 1)
    }

    fn word(&mut self) -> u32 {
        if self.used == 4 {
            let [low, high] = words(self.block);
            self.words = philox4x32([low, high, self.index[0], self.index[1]], self.key);
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.word()) | u64::from(self.word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, RngExt as _};

    use super::*;

    #[test]
    fn keys_make_streams() {
        let head = |seed, domain, index| -> [u64; 3] {
            let mut stream = Stream::new(seed, domain, index);
            std::array::from_fn(|_| stream.next_u64())
        };
        assert_eq!(head(1, "a", 0), head(1, "a", 0));
        assert_ne!(head(1, "a", 0), head(2, "a", 0));
        assert_ne!(head(1, "a", 0), head(1, "b", 0));
        assert_ne!(head(1, "a", 0), head(1, "a", 1));
        assert_ne!(head(1, "a", 0), head(1, "a", 1 << 32));
    }

    #[test]
    fn first_words_are_fixed_forever() {
        // Changing these changes every published figure.
        let mut stream = Stream::new(1, "golden", 2);
        let words: [u32; 5] = std::array::from_fn(|_| stream.next_u32());
        assert_eq!(words, [3_252_596_798, 825_091_624, 1_078_659_560, 8_033_539, 155_875_650]);
        let mut bytes = [0; 6];
        Stream::new(1, "golden", 2).fill_bytes(&mut bytes);
        assert_eq!(bytes[..4], words[0].to_le_bytes());
        assert_eq!(bytes[4..], words[1].to_le_bytes()[..2]);
    }

    #[test]
    fn uniform_moments() {
        let mut stream = Stream::new(3, "moments", 0);
        let draws: Vec<f64> = (0..100_000).map(|_| stream.random::<f64>()).collect();
        let (mean, sd) = crate::stats::mean_sd(&draws);
        assert!((mean - 0.5).abs() < 4.0 * 0.2887 / 316.2, "{mean}");
        assert!((sd - 1.0 / 12.0_f64.sqrt()).abs() < 2e-3, "{sd}");
    }
}
