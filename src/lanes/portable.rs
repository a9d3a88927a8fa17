//! Sixteen lanes as plain arrays: for every machine, and how columns are kept in memory.

use std::ops::{Add, Div, Mul, Sub};

use super::{Lanes, Mask, Simd, WIDTH, Words};

/// Sixteen numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct F32x16(pub [f32; WIDTH]);

/// Sixteen words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct U32x16(pub [u32; WIDTH]);

/// Sixteen conditions: all bits set where one holds, none where not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Mask16(pub [u32; WIDTH]);

/// Applies an expression to each lane of `f32` or `u32` arrays.
macro_rules! each {
    ($out:expr, $lane:ident, $value:expr) => {{
        let mut out = [$out; WIDTH];
        for $lane in 0..WIDTH {
            out[$lane] = $value;
        }
        out
    }};
}

macro_rules! operators {
    ($($trait:ident $method:ident $operator:tt),*) => {$(
        impl $trait for F32x16 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(each!(0.0, i, self.0[i] $operator other.0[i]))
            }
        }
    )*};
}
operators!(Add add +, Sub sub -, Mul mul *, Div div /);

impl F32x16 {
    /// Zero in every lane.
    pub const ZERO: Self = Self([0.0; WIDTH]);

    /// Sum in double precision, in a fixed order: halves onto halves.
    #[inline(always)]
    pub fn total(&self) -> f64 {
        let (low, high) = self.0.split_at(WIDTH / 2);
        let mut eight = [0.0; WIDTH / 2];
        for (sum, (&low, &high)) in eight.iter_mut().zip(low.iter().zip(high)) {
            *sum = f64::from(low) + f64::from(high);
        }
        let (low, high) = eight.split_at(WIDTH / 4);
        let mut four = [0.0; WIDTH / 4];
        for (sum, (low, high)) in four.iter_mut().zip(low.iter().zip(high)) {
            *sum = low + high;
        }
        (four[0] + four[2]) + (four[1] + four[3])
    }
}

impl U32x16 {
    /// Zero in every lane.
    pub const ZERO: Self = Self([0; WIDTH]);
}

impl Default for F32x16 {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Default for U32x16 {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Lanes for F32x16 {
    type Mask = Mask16;

    #[inline(always)]
    fn of(x: f64) -> Self {
        Self([x as f32; WIDTH])
    }
    #[inline(always)]
    fn exp(self) -> Self {
        super::exp(self)
    }
    #[inline(always)]
    fn power(self, exponent: f64) -> Self {
        super::power(self, exponent)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(each!(0.0, i, if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(each!(0.0, i, if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
    }
    #[inline(always)]
    fn greater(self, other: Self) -> Mask16 {
        Mask16(each!(0, i, if self.0[i] > other.0[i] { u32::MAX } else { 0 }))
    }
    #[inline(always)]
    fn choose(mask: Mask16, yes: Self, no: Self) -> Self {
        Self(each!(0.0, i, if mask.0[i] != 0 { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    fn keep(mask: Mask16, x: Self) -> Self {
        Self(each!(0.0, i, f32::from_bits(x.0[i].to_bits() & mask.0[i])))
    }
}

impl Simd for F32x16 {
    type Words = U32x16;

    const TOGETHER: usize = 1;

    #[inline(always)]
    fn load(from: &Self) -> Self {
        *from
    }
    #[inline(always)]
    fn store(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; WIDTH])
    }
    #[inline(always)]
    fn bits(self) -> U32x16 {
        U32x16(self.0.map(f32::to_bits))
    }
    #[inline(always)]
    fn from_bits(bits: U32x16) -> Self {
        Self(bits.0.map(f32::from_bits))
    }
    #[inline(always)]
    fn from_whole(words: U32x16) -> Self {
        Self(each!(0.0, i, words.0[i] as i32 as f32))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(each!(0.0, i, self.0[i].sqrt()))
    }
    #[inline(always)]
    fn count_up(counts: U32x16, mask: Mask16) -> U32x16 {
        // All bits set are -1.
        U32x16(each!(0, i, counts.0[i].wrapping_sub(mask.0[i])))
    }
    #[inline(always)]
    fn counted(counts: U32x16) -> Self {
        Self::from_whole(counts)
    }
    #[inline(always)]
    fn load_part(from: &[f32]) -> Self {
        match from.first_chunk() {
            Some(full) => Self(*full),
            None => Self::load_slice(from, 0.0),
        }
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        self.total()
    }
}

impl Mask for Mask16 {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] & other.0[i]))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] | other.0[i]))
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] & !other.0[i]))
    }
    #[inline(always)]
    fn all(self) -> bool {
        self.0.iter().fold(u32::MAX, |all, lane| all & lane) != 0
    }
    #[inline(always)]
    fn any(self) -> bool {
        self.0.iter().fold(0, |any, lane| any | lane) != 0
    }
}

impl Words for U32x16 {
    type Mask = Mask16;

    #[inline(always)]
    fn load(from: &Self) -> Self {
        *from
    }
    #[inline(always)]
    fn store(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat(x: u32) -> Self {
        Self([x; WIDTH])
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i].wrapping_add(other.0[i])))
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i].wrapping_sub(other.0[i])))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] & other.0[i]))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] | other.0[i]))
    }
    #[inline(always)]
    fn up<const BITS: i32>(self) -> Self {
        Self(each!(0, i, self.0[i] << BITS))
    }
    #[inline(always)]
    fn down<const BITS: i32>(self) -> Self {
        Self(each!(0, i, self.0[i] >> BITS))
    }
    #[inline(always)]
    fn down_signed<const BITS: i32>(self) -> Self {
        Self(each!(0, i, (self.0[i] as i32 >> BITS) as u32))
    }
    #[inline(always)]
    fn equals(self, other: Self) -> Mask16 {
        Mask16(each!(0, i, if self.0[i] == other.0[i] { u32::MAX } else { 0 }))
    }
    #[inline(always)]
    fn choose(mask: Mask16, yes: Self, no: Self) -> Self {
        Self(each!(0, i, if mask.0[i] != 0 { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    fn keep(mask: Mask16, word: Self) -> Self {
        Self(each!(0, i, mask.0[i] & word.0[i]))
    }
    #[inline(always)]
    fn multiply_rounds<const PART: usize>(c: &mut [Self; 4], m: [u32; 2], keys: &[[Self; 2]]) {
        for k in keys {
            let mut next = [Self::ZERO; 4];
            for i in 0..WIDTH {
                let first = u64::from(m[0]) * u64::from(c[0].0[i]);
                let second = u64::from(m[1]) * u64::from(c[2].0[i]);
                next[0].0[i] = (second >> 32) as u32 ^ c[1].0[i] ^ k[0].0[i];
                next[1].0[i] = second as u32;
                next[2].0[i] = (first >> 32) as u32 ^ c[3].0[i] ^ k[1].0[i];
                next[3].0[i] = first as u32;
            }
            *c = next;
        }
    }

    const PARTS: usize = 1;
}
