//! One arithmetic for two users: 16 customers at a time in `f32` (the simulator) and one in `f64` (the likelihood).
//!
//! Mechanisms are written once over [`Lanes`]. Only `+ - * /`, comparisons, square roots and bit operations are used, never
//! a fused multiply-add, so every instruction set gives the same bits; `exp` is our own for lanes and `libm`'s for `f64`.
//!
//! [`F32x16`] is a plain array: there are no intrinsics here. The compiler turns its loops into vector instructions, those
//! of SSE2 by default and wider ones where the caller is compiled for them (see [`Isa`]). Everything is `inline(always)`
//! because a function that is called and not inlined would be compiled for the default instruction set. The compiler finds
//! vectors by following sixteen neighbouring results back through at most a dozen operations; long formulas are therefore
//! cut in pieces by `settle`, which passes the lanes through memory (two loads and stores for 16 customers).

use std::ops::{Add, Div, Mul, Sub};

/// Numbers that a mechanism computes with.
pub trait Lanes: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> {
    /// The same number in every lane.
    fn of(x: f64) -> Self;
    /// Exponential function.
    fn exp(self) -> Self;
    /// The larger of two, lane by lane.
    fn max(self, other: Self) -> Self;
    /// The smaller of two, lane by lane.
    fn min(self, other: Self) -> Self;
}

impl Lanes for f64 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn exp(self) -> Self {
        libm::exp(self)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
}

/// Customers worked on at a time.
pub const WIDTH: usize = 16;

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

macro_rules! comparisons {
    ($($(#[$doc:meta])* $method:ident $operator:tt),*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $method(self, other: Self) -> Mask16 {
            Mask16(each!(0, i, if self.0[i] $operator other.0[i] { u32::MAX } else { 0 }))
        }
    )*};
}

/// 1.5 * 2^23: adding and subtracting it rounds a number below 2^22 in size to the nearest whole one, and leaves that whole
/// number in the low bits of the sum. (`as i32` would saturate, which keeps the compiler from using vectors.)
const ROUNDER: f32 = 12_582_912.0;

impl F32x16 {
    /// Zero in every lane.
    pub const ZERO: Self = Self([0.0; WIDTH]);
    /// One in every lane.
    pub const ONE: Self = Self([1.0; WIDTH]);

    /// The same number in every lane.
    #[inline(always)]
    pub fn splat(x: f32) -> Self {
        Self([x; WIDTH])
    }

    /// The first lanes from a slice, the rest filled.
    #[inline(always)]
    pub fn load(from: &[f32], fill: f32) -> Self {
        if let Some(full) = from.first_chunk::<WIDTH>() {
            return Self(*full);
        }
        let mut out = [fill; WIDTH];
        for (lane, &x) in out.iter_mut().zip(from) {
            *lane = x;
        }
        Self(out)
    }

    /// The same lanes, by way of memory; see the head of this module.
    #[inline(always)]
    pub fn settle(self) -> Self {
        std::hint::black_box(self)
    }

    comparisons! {
        /// Greater than.
        greater >,
        /// Less than.
        less <
    }

    /// Square root, correctly rounded on every machine.
    #[inline(always)]
    pub fn sqrt(self) -> Self {
        Self(each!(0.0, i, self.0[i].sqrt()))
    }

    /// Magnitude.
    #[inline(always)]
    pub fn abs(self) -> Self {
        Self(each!(0.0, i, f32::from_bits(self.0[i].to_bits() & 0x7fff_ffff)))
    }

    /// Largest whole number not above each lane; for lanes from 0 to 2^22.
    #[inline(always)]
    pub fn floor(self) -> Self {
        let nearest = self + Self::splat(ROUNDER) - Self::splat(ROUNDER);
        nearest - nearest.greater(self).select(Self::ONE, Self::ZERO)
    }

    /// Natural logarithm of positive normal numbers; relative error below 2e-7 (absolute near 1).
    ///
    /// The number is split as `2^e * m` with m in [sqrt(1/2), sqrt(2)), and `ln m = 2 artanh((m - 1) / (m + 1))`.
    #[inline(always)]
    pub fn ln(self) -> Self {
        // Subtracting the bits of sqrt(1/2) makes the exponent field count from there.
        const ROOT_HALF: u32 = 0x3f35_04f3;
        let shifted = each!(0, i, self.0[i].to_bits().wrapping_sub(ROOT_HALF));
        let exponent = Self(each!(0.0, i, ((shifted[i] as i32) >> 23) as f32));
        let m = Self(each!(0.0, i, f32::from_bits((shifted[i] & 0x007f_ffff).wrapping_add(ROOT_HALF))));
        let s = (m - Self::ONE) / (m + Self::ONE);
        let s = s.settle();
        let exponent = exponent.settle();
        let z = s * s;
        let series = poly(z, [2.0, 2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0]);
        exponent * Self::splat(LN2_HIGH) + (s * series + exponent * Self::splat(LN2_LOW))
    }

    /// `1 - exp(-h)` for h >= 0, exact to 2e-7 of its value also where h is tiny: the probability of an event with
    /// cumulative hazard h.
    #[inline(always)]
    pub fn chance(self) -> Self {
        let h = self;
        let small = h * poly(h, [1.0, -1.0 / 2.0, 1.0 / 6.0, -1.0 / 24.0, 1.0 / 120.0, -1.0 / 720.0]);
        let large = h.greater(Self::splat(0.25));
        if large.any() { large.select(Self::ONE - (Self::ZERO - h).exp(), small) } else { small }
    }

    /// Sum of the lanes in double precision, in a fixed order: halves onto halves.
    #[inline(always)]
    pub fn sum(self) -> f64 {
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

/// ln 2 in two parts; the first has few enough bits that a whole multiple of it is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// Polynomial by Horner's rule, constant term first.
#[inline(always)]
pub fn poly<const N: usize>(x: F32x16, coefficients: [f32; N]) -> F32x16 {
    let mut sum = F32x16::splat(coefficients[N - 1]);
    for k in (0..N - 1).rev() {
        sum = sum * x + F32x16::splat(coefficients[k]);
        if k % 4 == 3 {
            sum = sum.settle();
        }
    }
    sum
}

impl Lanes for F32x16 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        Self::splat(x as f32)
    }

    /// Relative error below 2e-7 for x in [-87, 88]; beyond that x counts as the nearer end (exp(-87) = 1.6e-38), so the
    /// result is always finite and positive. `exp(0)` is exactly 1.
    ///
    /// `exp x = 2^n exp r` with n the nearest whole number to x / ln 2 and |r| <= ln 2 / 2; the polynomial is that of
    /// Cephes `expf` (Moshier 1992).
    #[inline(always)]
    fn exp(self) -> Self {
        let x = self.max(Self::splat(-87.0)).min(Self::splat(88.0));
        let shifted = (x * Self::splat(std::f32::consts::LOG2_E) + Self::splat(ROUNDER)).settle();
        let n = shifted - Self::splat(ROUNDER);
        let r = (x - n * Self::splat(LN2_HIGH) - n * Self::splat(LN2_LOW)).settle();
        let p = poly(r, [0.5, 0.166_666_65, 4.166_579_6e-2, 8.333_452e-3, 1.398_2e-3, 1.987_569_1e-4]);
        let e = p * (r * r) + r + Self::ONE;
        // The low bits of `shifted` are n; moved into the exponent field they are 2^n.
        Self(each!(0.0, i, e.0[i] * f32::from_bits((shifted.0[i].to_bits() << 23).wrapping_add(0x3f80_0000)))).settle()
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(each!(0.0, i, if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(each!(0.0, i, if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
    }
}

impl U32x16 {
    /// Zero in every lane.
    pub const ZERO: Self = Self([0; WIDTH]);

    /// The same lanes, by way of memory; see the head of this module.
    #[inline(always)]
    pub fn settle(self) -> Self {
        std::hint::black_box(self)
    }

    /// The same word in every lane.
    #[inline(always)]
    pub fn splat(x: u32) -> Self {
        Self([x; WIDTH])
    }

    /// Each word plus one.
    #[inline(always)]
    pub fn plus_one(self) -> Self {
        Self(each!(0, i, self.0[i].wrapping_add(1)))
    }

    /// Where the lanes are equal.
    #[inline(always)]
    pub fn equals(self, other: Self) -> Mask16 {
        Mask16(each!(0, i, if self.0[i] == other.0[i] { u32::MAX } else { 0 }))
    }

    /// Where the lanes have a bit in common.
    #[inline(always)]
    pub fn shares_bit(self, other: Self) -> Mask16 {
        Mask16(each!(0, i, if self.0[i] & other.0[i] != 0 { u32::MAX } else { 0 }))
    }
}

impl Mask16 {
    /// `yes` where the condition holds, `no` elsewhere.
    #[inline(always)]
    pub fn select(self, yes: F32x16, no: F32x16) -> F32x16 {
        F32x16(each!(0.0, i, if self.0[i] != 0 { yes.0[i] } else { no.0[i] }))
    }

    /// `yes` where the condition holds, `no` elsewhere.
    #[inline(always)]
    pub fn select_words(self, yes: U32x16, no: U32x16) -> U32x16 {
        U32x16(each!(0, i, if self.0[i] != 0 { yes.0[i] } else { no.0[i] }))
    }

    /// `x` where the condition holds, 0 elsewhere.
    #[inline(always)]
    pub fn keep(self, x: F32x16) -> F32x16 {
        F32x16(each!(0.0, i, f32::from_bits(x.0[i].to_bits() & self.0[i])))
    }

    /// 1 where the condition holds, 0 elsewhere.
    #[inline(always)]
    pub fn count(self) -> F32x16 {
        self.keep(F32x16::ONE)
    }

    /// Both hold.
    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] & other.0[i]))
    }

    /// One of them holds.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] | other.0[i]))
    }

    /// This one holds and the other does not.
    #[inline(always)]
    pub fn and_not(self, other: Self) -> Self {
        Self(each!(0, i, self.0[i] & !other.0[i]))
    }

    /// It holds everywhere.
    #[inline(always)]
    pub fn all(self) -> bool {
        let mut all = u32::MAX;
        for lane in self.0 {
            all &= lane;
        }
        all != 0
    }

    /// It holds somewhere.
    #[inline(always)]
    pub fn any(self) -> bool {
        let mut any = 0;
        for lane in self.0 {
            any |= lane;
        }
        any != 0
    }
}

/// An instruction set that a run is compiled for. The results are the same on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every machine of the target has: SSE2 on x86-64.
    Baseline,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl Isa {
    /// Name used in the environment variable `IKIZ_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Those that this machine can run, slowest first.
    pub fn available() -> Vec<Self> {
        [Self::Baseline, Self::Avx2, Self::Avx512].into_iter().filter(|isa| isa.runs_here()).collect()
    }

    /// Whether this machine can run it.
    pub fn runs_here(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// The fastest that this machine can run, and that the environment variable `IKIZ_ISA` (`baseline`, `avx2`, `avx512`)
    /// allows: it bounds the choice from above, so that a user can check that the results do not depend on it.
    pub fn detect() -> Self {
        let wanted = std::env::var("IKIZ_ISA").ok();
        let ceiling = [Self::Baseline, Self::Avx2, Self::Avx512]
            .into_iter()
            .find(|isa| wanted.as_deref() == Some(isa.name()))
            .unwrap_or(Self::Avx512);
        Self::available().into_iter().filter(|&isa| isa <= ceiling).max().unwrap_or(Self::Baseline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest relative error of a function of lanes against one of doubles, over a grid.
    fn worst(
        points: impl Iterator<Item = f32>,
        of: impl Fn(F32x16) -> F32x16,
        exact: impl Fn(f64) -> f64,
        scale: impl Fn(f64) -> f64,
    ) -> f64 {
        points
            .map(|x| {
                let wanted = exact(f64::from(x));
                (f64::from(of(F32x16::splat(x)).0[3]) - wanted).abs() / scale(wanted)
            })
            .fold(0.0, f64::max)
    }

    fn grid(from: f64, to: f64) -> impl Iterator<Item = f32> {
        (0..=400_000).map(move |k| (from + (to - from) * f64::from(k) / 400_000.0) as f32)
    }

    #[test]
    fn exp_is_close_to_libm() {
        let error = worst(grid(-87.0, 88.0), Lanes::exp, libm::exp, f64::abs);
        assert!(error < 2e-7, "{error:e}");
        let ends = F32x16::splat(-1e9).exp().0[0];
        assert!(ends > 0.0 && ends < 2e-38);
        assert!(F32x16::splat(1e9).exp().0[0].is_finite());
        assert_eq!(F32x16::ZERO.exp(), F32x16::ONE);
    }

    #[test]
    fn ln_is_close_to_libm() {
        let points = || grid(-87.0, 88.0).map(libm::expf).chain(grid(0.5, 2.0));
        let error = worst(points(), F32x16::ln, libm::log, |y| y.abs().max(0.5));
        assert!(error < 2e-7, "{error:e}");
    }

    #[test]
    fn chance_keeps_small_hazards() {
        let points = grid(-20.0, 4.0).map(libm::expf);
        let error = worst(points, F32x16::chance, |h| -libm::expm1(-h), f64::abs);
        assert!(error < 4e-7, "{error:e}");
        assert_eq!(F32x16::ZERO.chance(), F32x16::ZERO);
        assert_eq!(F32x16::splat(80.0).chance(), F32x16::ONE);
    }

    #[test]
    fn floor_is_floor() {
        for x in [0.0_f32, 0.25, 0.5, 0.999_999_94, 1.0, 1.5, 2.5, 3.999_999_8, 4_000_000.5] {
            assert_eq!(F32x16::splat(x).floor().0[0], x.floor(), "{x}");
        }
    }

    #[test]
    fn masks_choose() {
        let ramp = F32x16(std::array::from_fn(|i| i as f32));
        let high = ramp.greater(F32x16::splat(7.5));
        assert_eq!(high.count().sum(), 8.0);
        assert_eq!(high.select(ramp, F32x16::ZERO), high.keep(ramp));
        assert_eq!(high.keep(ramp).sum(), 92.0);
        assert!(high.any() && !high.and_not(high).any());
        assert_eq!(F32x16::load(&[5.0, 6.0], 9.0).0[..3], [5.0, 6.0, 9.0]);
    }

    #[test]
    fn detected_sets_run_here() {
        assert!(Isa::detect().runs_here());
        assert!(Isa::available().contains(&Isa::Baseline));
    }
}
