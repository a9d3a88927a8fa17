//! From words to uniform numbers strictly between 0 and 1.

use crate::lanes::{Simd, Words as _};

/// The middle of the cell that the upper 23 bits of each word name among 2^23 equal cells of (0, 1).
///
/// Exact: every value is `(2k + 1) / 2^24`. The smallest is 6e-8, and mean and symmetry are exactly those of U(0, 1). An
/// event of probability p, drawn as `uniform < p`, happens with p rounded to a multiple of 2^-23 (off by 6e-8 at most).
#[inline(always)]
pub fn uniform<V: Simd>(words: V::Words) -> V {
    // 1 + k / 2^23 in [1, 2), less (1 - 2^-24).
    V::from_bits(words.down::<9>().or(V::Words::splat(0x3f80_0000))) - V::splat(0.999_999_94)
}

/// As [`uniform`], for one number with the upper 52 bits of two words (the first the upper ones).
pub fn uniform_f64(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 12;
    (bits as f64 + 0.5) / (1_u64 << 52) as f64
}

/// Where an event of probability `p` happens. Rises with `p`: what happens at a lower one happens at a higher one too.
#[inline(always)]
pub fn bernoulli<V: Simd>(uniform: V, p: V) -> V::Mask {
    uniform.less(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{F32x16, Mask as _, U32x16};

    #[test]
    fn uniforms_are_strictly_inside_and_symmetric() {
        let at = |word: u32| uniform::<F32x16>(U32x16::splat(word)).0[0];
        assert_eq!(at(0), 2.0_f32.powi(-24));
        assert_eq!(at(u32::MAX), 1.0 - 2.0_f32.powi(-24));
        for word in [0_u32, 1 << 9, 0x1234_5678, 0x8000_0000, 0xffff_0000] {
            assert_eq!(f64::from(at(word)) + f64::from(at(!word)), 1.0);
            let k = f64::from(word >> 9);
            assert_eq!(f64::from(at(word)), (k + 0.5) / 8_388_608.0, "{word:x}");
        }
        assert!(uniform_f64(0, 0) > 0.0 && uniform_f64(u32::MAX, u32::MAX) < 1.0);
    }

    #[test]
    fn events_are_certain_at_one_and_impossible_at_zero() {
        let lowest = uniform::<F32x16>(U32x16::splat(0));
        let highest = uniform::<F32x16>(U32x16::splat(u32::MAX));
        assert!(!bernoulli(lowest, F32x16::ZERO).any());
        assert_eq!(F32x16::count(bernoulli(highest, F32x16::splat(1.0))).sum(), 16.0);
    }
}
