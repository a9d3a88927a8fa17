//! One arithmetic for two users: 16 customers at a time in `f32` (the simulator) and one in `f64` (the likelihood).
//!
//! Mechanisms are written once over [`Lanes`]. Only `+ - * /`, comparisons and square roots are used, never a fused
//! multiply-add, so every instruction set gives the same bits; `exp` is our own for lanes and `libm`'s for `f64`.

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
