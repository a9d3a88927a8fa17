//! One arithmetic for two users: 16 customers at a time in `f32` (the simulator) and one in `f64` (the likelihood).
//!
//! Mechanisms are written once over [`Lanes`], or over [`Simd`] where they draw random numbers. Only `+ - * /`, comparisons,
//! square roots and bit operations are used, never a fused multiply-add, so every instruction set gives the same bits; `exp`
//! is our own for lanes and `libm`'s for `f64`.
//!
//! Four kinds of sixteen lanes: [`F32x16`] is a plain array, runs everywhere and is how columns are kept in memory; on
//! x86-64 the kernel is compiled for four vectors of four ([`Isa::Baseline`]), two of eight ([`Isa::Avx2`]) and one of
//! sixteen ([`Isa::Avx512`]).
//! Intrinsics are in `x86.rs` and nowhere else. Everything is `inline(always)`, because a function that is called and not
//! inlined would be compiled for the default instruction set.
//!
//! # How to add an instruction set
//!
//! Implement [`Lanes`], [`Simd`], [`Mask`] and [`Words`] for its types (the provided methods follow), add it to [`Isa`] and
//! to [`Isa::dispatch`]. The tests of this module and `instruction_sets_give_the_same_bytes` hold it to the others.

use std::ops::{Add, Div, Mul, Sub};

mod isa;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use isa::{Isa, Kernel};
pub use portable::{F32x16, Mask16, U32x16};

/// Customers worked on at a time.
pub const WIDTH: usize = 16;

/// Numbers that a mechanism computes with.
pub trait Lanes: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> {
    /// One condition a lane.
    type Mask: Mask;

    /// The same number in every lane.
    fn of(x: f64) -> Self;
    /// Exponential function.
    fn exp(self) -> Self;
    /// Raised to a power; for positive normal numbers.
    fn power(self, exponent: f64) -> Self;
    /// The larger of two, lane by lane; the second where one is not a number.
    fn max(self, other: Self) -> Self;
    /// The smaller of two, lane by lane; the second where one is not a number.
    fn min(self, other: Self) -> Self;
    /// Greater than.
    fn greater(self, other: Self) -> Self::Mask;
    /// `yes` where the condition holds, `no` elsewhere.
    fn choose(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// Less than.
    #[inline(always)]
    fn less(self, other: Self) -> Self::Mask {
        other.greater(self)
    }

    /// `x` where the condition holds, 0 elsewhere.
    #[inline(always)]
    fn keep(mask: Self::Mask, x: Self) -> Self {
        Self::choose(mask, x, Self::of(0.0))
    }
}

/// Conditions, one a lane.
pub trait Mask: Copy {
    /// Both hold.
    fn and(self, other: Self) -> Self;
    /// One of them holds.
    fn or(self, other: Self) -> Self;
    /// This one holds and the other does not.
    fn and_not(self, other: Self) -> Self;
    /// It holds everywhere.
    fn all(self) -> bool;
    /// It holds somewhere.
    fn any(self) -> bool;
}

/// Sixteen words of 32 bits.
pub trait Words: Copy {
    type Mask: Mask;

    /// From memory.
    fn load(from: &U32x16) -> Self;
    /// Into memory.
    fn store(self) -> U32x16;
    /// The same word in every lane.
    fn splat(x: u32) -> Self;
    /// Sum, wrapping.
    fn plus(self, other: Self) -> Self;
    /// Difference, wrapping.
    fn minus(self, other: Self) -> Self;
    /// Bits that both have.
    fn and(self, other: Self) -> Self;
    /// Bits that one has.
    fn or(self, other: Self) -> Self;
    /// Shifted towards the upper bits.
    fn up<const BITS: i32>(self) -> Self;
    /// Shifted towards the lower bits, zeros moving in.
    fn down<const BITS: i32>(self) -> Self;
    /// Shifted towards the lower bits, copies of the sign moving in.
    fn down_signed<const BITS: i32>(self) -> Self;
    /// Where the words are equal.
    fn equals(self, other: Self) -> Self::Mask;
    /// `yes` where the condition holds, `no` elsewhere.
    fn choose(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// The word where the condition holds, 0 elsewhere.
    fn keep(mask: Self::Mask, word: Self) -> Self;
    /// One round for each pair of keys, which are the same in every lane: with `(h, l)` the upper and lower word of a product,
    /// `(h0, l0) = m0 * c0`, `(h1, l1) = m1 * c2`, `c' = (h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0)`. What
    /// `rng::philox4x32_lanes` is made of; it is here because it is vector units' own way to multiply.
    ///
    /// Works on one part of the lanes, counted from 0, of [`Words::PARTS`], so that other work can go on between.
    fn multiply_rounds<const PART: usize>(c: &mut [Self; 4], m: [u32; 2], k: &[[Self; 2]]);

    /// Parts that vector units work on one after the other: 1 or 2.
    const PARTS: usize;

    /// Where the words have a bit in common.
    #[inline(always)]
    fn shares_bit(self, other: Self) -> Self::Mask {
        let shared = self.and(other);
        // Equal to 0 where nothing is shared.
        let none = shared.equals(Self::splat(0));
        Self::splat(0).equals(Self::splat(0)).and_not(none)
    }
}

/// 1.5 * 2^23: adding and subtracting it rounds a number below 2^22 in size to the nearest whole one, and leaves that whole
/// number in the low bits of the sum.
const ROUNDER: f32 = 12_582_912.0;

/// ln 2 in two parts; the first has few enough bits that a whole multiple of it is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// Sixteen numbers in single precision.
pub trait Simd: Lanes {
    type Words: Words<Mask = Self::Mask>;

    /// Sets of sixteen numbers on which long chains of operations are best done together, 1 to 4: each operation of a chain
    /// waits for the last, and those of other sets fill the wait, as long as the registers hold them.
    const TOGETHER: usize;

    /// From memory.
    fn load(from: &F32x16) -> Self;
    /// Into memory.
    fn store(self) -> F32x16;
    /// The same number in every lane.
    fn splat(x: f32) -> Self;
    /// The bits of each lane.
    fn bits(self) -> Self::Words;
    /// The numbers with these bits.
    fn from_bits(bits: Self::Words) -> Self;
    /// Signed whole numbers as numbers.
    fn from_whole(words: Self::Words) -> Self;
    /// Square root, correctly rounded on every machine.
    fn sqrt(self) -> Self;
    /// One more where the condition holds, for counts of steps that begin at words of 0. What the words hold is the
    /// instruction set's own; [`Simd::counted`] reads them.
    fn count_up(counts: Self::Words, mask: Self::Mask) -> Self::Words;
    /// The number of steps counted.
    fn counted(counts: Self::Words) -> Self;
    /// The first lanes from a slice, the rest 0.
    fn load_part(from: &[f32]) -> Self;
    /// Sum of the lanes in double precision, in a fixed order: halves onto halves.
    fn sum(self) -> f64;

    /// The first lanes from a slice, the rest filled.
    #[inline(always)]
    fn load_slice(from: &[f32], fill: f32) -> Self {
        let mut out = [fill; WIDTH];
        for (lane, &x) in out.iter_mut().zip(from) {
            *lane = x;
        }
        Self::load(&F32x16(out))
    }

    /// 1 where the condition holds, 0 elsewhere.
    #[inline(always)]
    fn count(mask: Self::Mask) -> Self {
        Self::keep(mask, Self::splat(1.0))
    }

    /// Magnitude.
    #[inline(always)]
    fn abs(self) -> Self {
        Self::from_bits(self.bits().and(Self::Words::splat(0x7fff_ffff)))
    }

    /// Largest whole number not above each lane; for lanes from 0 to 2^22.
    #[inline(always)]
    fn floor(self) -> Self {
        let nearest = self + Self::splat(ROUNDER) - Self::splat(ROUNDER);
        nearest - Self::count(nearest.greater(self))
    }

    /// Natural logarithm of positive normal numbers; relative error below 2e-7 (absolute near 1).
    ///
    /// The number is split as `2^e * m` with m in [sqrt(1/2), sqrt(2)), and `ln m = 2 artanh((m - 1) / (m + 1))`.
    #[inline(always)]
    fn ln(self) -> Self {
        // Subtracting the bits of sqrt(1/2) makes the exponent field count from there.
        let root_half = Self::Words::splat(0x3f35_04f3);
        let one = Self::splat(1.0);
        let shifted = self.bits().minus(root_half);
        let exponent = Self::from_whole(shifted.down_signed::<23>());
        let m = Self::from_bits(shifted.and(Self::Words::splat(0x007f_ffff)).plus(root_half));
        let s = (m - one) / (m + one);
        let series = poly(s * s, [2.0, 2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0]);
        exponent * Self::splat(LN2_HIGH) + (s * series + exponent * Self::splat(LN2_LOW))
    }

    /// `1 - exp(-h)` for h >= 0, exact to 2e-7 of its value also where h is tiny: the probability of an event with
    /// cumulative hazard h.
    #[inline(always)]
    fn chance(self) -> Self {
        let h = self;
        let small = h * poly(h, [1.0, -1.0 / 2.0, 1.0 / 6.0, -1.0 / 24.0, 1.0 / 120.0, -1.0 / 720.0]);
        let large = h.greater(Self::splat(0.25));
        if large.any() { Self::choose(large, Self::splat(1.0) - (Self::splat(0.0) - h).exp(), small) } else { small }
    }
}

/// Polynomial by Horner's rule, constant term first.
#[inline(always)]
pub fn poly<V: Simd, const N: usize>(x: V, coefficients: [f32; N]) -> V {
    let mut sum = V::splat(coefficients[N - 1]);
    for k in (0..N - 1).rev() {
        sum = sum * x + V::splat(coefficients[k]);
    }
    sum
}

/// Relative error below 2e-7 for x in [-87, 88]; beyond that x counts as the nearer end (exp(-87) = 1.6e-38), so the result
/// is always finite and positive. `exp(0)` is exactly 1.
#[inline(always)]
fn exp<V: Simd>(x: V) -> V {
    exp_within(x.max(V::splat(-87.0)).min(V::splat(88.0)))
}

/// As [`Lanes::exp`], for numbers that are known to be within [-87, 88].
///
/// `exp x = 2^n exp r` with n the nearest whole number to x / ln 2 and |r| <= ln 2 / 2; the polynomial is that of Cephes
/// `expf` (Moshier 1992), its terms in pairs (Estrin's scheme), so that fewer wait for each other.
#[inline(always)]
pub fn exp_within<V: Simd>(x: V) -> V {
    let shifted = x * V::splat(std::f32::consts::LOG2_E) + V::splat(ROUNDER);
    let n = shifted - V::splat(ROUNDER);
    let r = x - n * V::splat(LN2_HIGH) - n * V::splat(LN2_LOW);
    let r2 = r * r;
    let low = V::splat(0.5) + V::splat(0.166_666_65) * r;
    let middle = V::splat(4.166_579_6e-2) + V::splat(8.333_452e-3) * r;
    let high = V::splat(1.398_2e-3) + V::splat(1.987_569_1e-4) * r;
    let p = (low + middle * r2) + high * (r2 * r2);
    let e = p * r2 + (r + V::splat(1.0));
    // The low bits of `shifted` are n; moved into the exponent field they are 2^n.
    e * V::from_bits(shifted.bits().up::<23>().plus(V::Words::splat(0x3f80_0000)))
}

/// As [`Lanes::power`].
#[inline(always)]
fn power<V: Simd>(x: V, exponent: f64) -> V {
    (V::of(exponent) * x.ln()).exp()
}

impl Lanes for f64 {
    type Mask = bool;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn exp(self) -> Self {
        libm::exp(self)
    }
    #[inline(always)]
    fn power(self, exponent: f64) -> Self {
        libm::pow(self, exponent)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn greater(self, other: Self) -> bool {
        self > other
    }
    #[inline(always)]
    fn choose(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
}

impl Mask for bool {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self && other
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self || other
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self && !other
    }
    #[inline(always)]
    fn all(self) -> bool {
        self
    }
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
}
