//! Small numerical tools of the estimate: quadrature, a simplex search, the split of a total between two lognormals.

use std::ops::Range;

use crate::rng::normal_cdf;

/// Nodes of the Gauss-Hermite rule.
pub(super) const NODES: usize = 15;

/// Gauss-Hermite rule for the standard normal: (node, weight), weights summing to 1.
pub(super) const GAUSS_HERMITE: [(f64, f64); NODES] = [
    (-6.363947888829838, 8.589649899633349e-10),
    (-5.19009359130478, 5.975419597920656e-07),
    (-4.196207711269016, 5.642146405188979e-05),
    (-3.2890824243987664, 0.0015673575035499577),
    (-2.4324368270097585, 0.017365774492137567),
    (-1.60671006902873, 0.08941779539984439),
    (-0.799129068324548, 0.23246229360973228),
    (0.0, 0.31825951825951826),
    (0.799129068324548, 0.23246229360973228),
    (1.60671006902873, 0.08941779539984439),
    (2.4324368270097585, 0.017365774492137567),
    (3.2890824243987664, 0.0015673575035499577),
    (4.196207711269016, 5.642146405188979e-05),
    (5.19009359130478, 5.975419597920656e-07),
    (6.363947888829838, 8.589649899633349e-10),
];

pub(super) const LOG_2PI: f64 = 1.837_877_066_409_345_3;

/// Exponential without a branch, so that loops of it become vector code; relative error below 1e-13, and the same bits on
/// every machine. Beyond [-700, 700] `x` counts as the nearer end.
///
/// `exp x = 2^n exp r` with n the nearest whole number to x / ln 2, |r| <= ln 2 / 2, and the series of exp r.
#[inline(always)]
pub(super) fn fast_exp(x: f64) -> f64 {
    /// 1.5 * 2^52: adding it rounds to a whole number, which is left in the low bits.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    /// ln 2 in two parts; the first has few enough bits that a whole multiple of it is exact.
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = within(x, -700.0, 700.0);
    let shifted = x * std::f64::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut sum = SERIES[SERIES.len() - 1];
    for &term in SERIES.iter().rev().skip(1) {
        sum = sum * r + term;
    }
    sum * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52))
}

/// `x`, or the nearer end; without a branch.
#[inline(always)]
pub(super) fn within(x: f64, low: f64, high: f64) -> f64 {
    let x = if x > low { x } else { low };
    if x < high { x } else { high }
}

/// `1 / k!`.
const SERIES: [f64; 13] = {
    let mut out = [1.0; 13];
    let mut k = 1;
    while k < 13 {
        out[k] = out[k - 1] / k as f64;
        k += 1;
    }
    out
};

/// Natural logarithm of a positive normal number without a branch, so that loops of it become vector code; error below 1e-13 (relative
/// or absolute, the larger), and the same bits on every machine.
///
/// `x = 2^n m` with m in [sqrt(1/2), sqrt(2)), and `log m = 2 artanh((m - 1) / (m + 1))` by its series.
#[inline(always)]
pub(super) fn fast_log(x: f64) -> f64 {
    /// Bits of sqrt(1/2), from which the exponent is counted.
    const HALF_ROOT: u64 = 0x3FE6_A09E_667F_3BCD;
    const MANTISSA: u64 = (1 << 52) - 1;
    /// 2^52 + 2^51, whose low bits hold a whole number.
    const HOLDER: u64 = 0x4338_0000_0000_0000;
    let above = x.to_bits().wrapping_sub(HALF_ROOT);
    // The exponent may be negative: an arithmetic shift done with a logical one, which all vector units have.
    let exponent = (above.wrapping_add(1 << 62) >> 52).wrapping_sub(1 << 10);
    let n = f64::from_bits(HOLDER.wrapping_add(exponent)) - f64::from_bits(HOLDER);
    let m = f64::from_bits((above & MANTISSA).wrapping_add(HALF_ROOT));
    let t = (m - 1.0) / (m + 1.0);
    let (z, z2) = (t * t, t * t * (t * t));
    let z4 = z2 * z2;
    let odd = |k: usize| 2.0 / (2 * k + 1) as f64;
    let low = (odd(0) + odd(1) * z) + (odd(2) + odd(3) * z) * z2;
    let middle = (odd(4) + odd(5) * z) + (odd(6) + odd(7) * z) * z2;
    let high = (odd(8) + odd(9) * z) + odd(10) * z2;
    n * std::f64::consts::LN_2 + t * (low + (middle + high * z4) * z4)
}

/// Log density of a normal.
#[inline(always)]
pub(super) fn log_normal_density(x: f64, mean: f64, sd: f64) -> f64 {
    let z = (x - mean) / sd;
    -0.5 * (z * z + LOG_2PI) - fast_log(sd)
}

/// Log of the standard normal distribution function.
pub(super) fn log_normal_cdf(x: f64) -> f64 {
    if x > 8.3 {
        // Beside 1 by less than a number can say.
        0.0
    } else if x > -8.0 {
        fast_log(normal_cdf(x))
    } else {
        // Mills ratio.
        -0.5 * (x * x + LOG_2PI) - libm::log(-x) + libm::log1p(-1.0 / (x * x))
    }
}

/// log(exp(a) + exp(b)).
#[inline(always)]
pub(super) fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + fast_log(1.0 + fast_exp(low - high)) }
}

/// Logistic function.
#[inline(always)]
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + fast_exp(-x))
}

/// Log of the logistic function.
#[inline(always)]
pub(super) fn log_logistic(x: f64) -> f64 {
    let beside = fast_log(1.0 + fast_exp(-x.abs()));
    if x > 0.0 { -beside } else { x - beside }
}

/// A lognormal by the mean and standard deviation of its log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LogNormal {
    pub mean: f64,
    pub sd: f64,
    /// Squared coefficient of variation, `exp(sd^2) - 1`: kept, because sums are made of it.
    squared_variation: f64,
}

impl LogNormal {
    /// Least squared coefficient of variation, of a log sd of 0.1: no total of a territory is known better than a panel's own
    /// error.
    const NARROWEST: f64 = 0.010_050_167_084_168_058;

    #[cfg(test)]
    pub(super) fn new(mean: f64, sd: f64) -> Self {
        Self { mean, sd, squared_variation: libm::expm1(sd * sd) }
    }

    /// The lognormal with the moments of a sum, given its log mean and squared coefficient of variation (Fenton 1960).
    #[inline(always)]
    pub(super) fn matching(log_mean: f64, squared_variation: f64) -> Self {
        let squared_variation = squared_variation.max(Self::NARROWEST);
        let variance = fast_log(1.0 + squared_variation);
        Self { mean: log_mean - 0.5 * variance, sd: variance.sqrt(), squared_variation }
    }

    /// Log of the mean.
    #[inline(always)]
    fn log_mean(self) -> f64 {
        self.mean + 0.5 * self.sd * self.sd
    }

    /// The lognormal of `exp(by)` times the amount.
    #[inline(always)]
    pub(super) fn shifted(self, by: f64) -> Self {
        Self { mean: self.mean + by, ..self }
    }

    /// The lognormal with the moments of the sum of two independent ones.
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        let (one, two) = (self.log_mean(), other.log_mean());
        let (low, high) = if one < two { ((one, self), (two, other)) } else { ((two, other), (one, self)) };
        let ratio = fast_exp(low.0 - high.0);
        let all = 1.0 + ratio;
        let squared = (ratio * ratio * low.1.squared_variation + high.1.squared_variation) / (all * all);
        Self::matching(high.0 + fast_log(all), squared)
    }

    /// The lognormal of the same mean with its squared coefficient of variation times `factor`.
    #[inline(always)]
    pub(super) fn with_variation(self, factor: f64) -> Self {
        Self::matching(self.log_mean(), factor * self.squared_variation)
    }

    #[inline(always)]
    pub(super) fn log_density(self, log_x: f64) -> f64 {
        log_normal_density(log_x, self.mean, self.sd)
    }

    /// Log density of the narrowest at its mode: none is higher.
    pub(super) const MOST_DENSE: f64 = 1.39;
}

/// What each part of a total holds at least, as logs; minus infinity for nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Floors {
    /// Our own sales to known customers.
    pub known: f64,
    /// Our own sales through wholesalers to customers that are not in our files.
    pub dark: f64,
    /// The territory's part of all our own sales to known customers: the weight of its floor among all.
    pub known_part: f64,
    /// Its part of all sales through wholesalers.
    pub dark_part: f64,
}

impl Floors {
    /// The same parts of a total whose log is larger by `more`.
    pub(super) fn scaled(self, more: f64) -> Self {
        Self { known: self.known + more, dark: self.dark + more, ..self }
    }
}

/// Grid of the dark share v of a total on the logit scale.
#[derive(Debug, Clone)]
pub(super) struct SplitGrid {
    log_dark: Vec<f64>,
    log_known: Vec<f64>,
}

impl SplitGrid {
    const STEP: f64 = 0.16;
    const FROM: f64 = -9.0;
    const CELLS: usize = 104;

    pub(super) fn new() -> Self {
        let logits: Vec<f64> = (0..Self::CELLS).map(|cell| Self::FROM + Self::STEP * cell as f64).collect();
        Self {
            log_dark: logits.iter().map(|&x| log_logistic(x)).collect(),
            log_known: logits.iter().map(|&x| log_logistic(-x)).collect(),
        }
    }

    /// Writes the log density of logit v, v = D / T, given T = W + D, both lognormal, where neither part is below its floor, and
    /// gives those cells: N(log T (1 - v)) N(log T v), the Jacobians cancelling.
    #[inline(always)]
    fn integrand(
        &self,
        total: f64,
        known: LogNormal,
        dark: LogNormal,
        floors: Floors,
        log: &mut [f64; Self::CELLS],
    ) -> Range<usize> {
        let end = self.log_known.partition_point(|log_known| total + log_known >= floors.known);
        let begin = self.log_dark.partition_point(|log_dark| total + log_dark < floors.dark).min(end);
        let (per_known, per_dark) = (1.0 / known.sd, 1.0 / dark.sd);
        let (from_known, from_dark) = (total - known.mean, total - dark.mean);
        let cells = log[begin..end].iter_mut().zip(&self.log_known[begin..end]).zip(&self.log_dark[begin..end]);
        for ((out, &log_known), &log_dark) in cells {
            let a = (from_known + log_known) * per_known;
            let b = (from_dark + log_dark) * per_dark;
            *out = -0.5 * (a * a + b * b);
        }
        begin..end
    }

    /// Draws the dark share v given the total (0 where the floors leave the dark no room), by inverting `uniform` on the grid
    /// (linear within a cell).
    pub(super) fn draw(&self, total: f64, known: LogNormal, dark: LogNormal, floors: Floors, uniform: f64) -> f64 {
        let mut log = [f64::NEG_INFINITY; Self::CELLS];
        let cells = self.integrand(total, known, dark, floors, &mut log);
        let top = log[cells].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if top == f64::NEG_INFINITY {
            return 0.0;
        }
        let weights: Vec<f64> = log.iter().map(|&x| if x > top - 30.0 { fast_exp(x - top) } else { 0.0 }).collect();
        let mut left = uniform * weights.iter().sum::<f64>();
        for (cell, &weight) in weights.iter().enumerate() {
            if left <= weight && weight > 0.0 {
                let logit = Self::FROM + Self::STEP * (cell as f64 + left / weight - 0.5);
                return libm::exp(log_logistic(logit));
            }
            left -= weight;
        }
        libm::exp(self.log_dark[Self::CELLS - 1])
    }
}

/// Minimum of a function by the simplex search of Nelder & Mead (1965), `evaluations` at most.
pub(super) fn nelder_mead<const N: usize>(
    start: [f64; N],
    step: [f64; N],
    evaluations: usize,
    f: impl Fn(&[f64; N]) -> f64,
) -> [f64; N] {
    let worth = |x: &[f64; N]| {
        let value = f(x);
        if value.is_finite() { value } else { f64::MAX }
    };
    let mut simplex: Vec<([f64; N], f64)> = (0..=N)
        .map(|corner| {
            let mut x = start;
            if corner > 0 {
                x[corner - 1] += step[corner - 1];
            }
            (x, worth(&x))
        })
        .collect();
    let mut used = N + 1;
    while used < evaluations {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        if simplex[N].1 - simplex[0].1 < 1e-7 {
            break;
        }
        let centre: [f64; N] = std::array::from_fn(|d| simplex[..N].iter().map(|(x, _)| x[d]).sum::<f64>() / N as f64);
        let worst = simplex[N].0;
        let along = |factor: f64| -> [f64; N] { std::array::from_fn(|d| centre[d] + factor * (worst[d] - centre[d])) };
        let reflected = along(-1.0);
        let value = worth(&reflected);
        used += 1;
        if value < simplex[0].1 {
            let expanded = along(-2.0);
            let further = worth(&expanded);
            used += 1;
            simplex[N] = if further < value { (expanded, further) } else { (reflected, value) };
        } else if value < simplex[N - 1].1 {
            simplex[N] = (reflected, value);
        } else {
            let contracted = along(if value < simplex[N].1 { -0.5 } else { 0.5 });
            let nearer = worth(&contracted);
            used += 1;
            if nearer < simplex[N].1.min(value) {
                simplex[N] = (contracted, nearer);
            } else {
                let best = simplex[0].0;
                for (x, value) in &mut simplex[1..] {
                    *x = std::array::from_fn(|d| 0.5 * (x[d] + best[d]));
                    *value = worth(x);
                }
                used += N;
            }
        }
    }
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
    simplex[0].0
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution as _, StandardNormal};

    use super::*;
    use crate::rng::Stream;

    const NONE: Floors = Floors { known: f64::NEG_INFINITY, dark: f64::NEG_INFINITY, known_part: 1.0, dark_part: 1.0 };

    #[test]
    fn branchless_exponential_and_logarithm_are_the_exponential_and_the_logarithm() {
        for k in -6990..=6990 {
            let x = 0.1 * f64::from(k) + 0.0371;
            assert!((fast_exp(x) / libm::exp(x) - 1.0).abs() < 1e-13, "{x}");
        }
        assert_eq!(fast_exp(0.0), 1.0);
        assert!(fast_exp(f64::NEG_INFINITY) < 1e-300 && fast_exp(1e9).is_finite());
        let mut x = 1e-300;
        while x < 1e300 {
            let (fast, slow) = (fast_log(x), libm::log(x));
            assert!((fast - slow).abs() < 1e-13 * slow.abs().max(1.0), "{x}: {fast} {slow}");
            x *= 1.0173;
        }
        for k in -1000..=1000 {
            let x = 1.0 + 1e-4 * f64::from(k);
            assert!((fast_log(x) - libm::log(x)).abs() < 1e-15, "{x}");
        }
        assert_eq!(fast_log(1.0), 0.0);
        assert!((logistic(2.0) - 1.0 / (1.0 + libm::exp(-2.0))).abs() < 1e-14);
    }

    #[test]
    fn hermite_integrates_normal_moments() {
        let moment = |power: i32| GAUSS_HERMITE.iter().map(|(z, w)| w * z.powi(power)).sum::<f64>();
        assert!((moment(0) - 1.0).abs() < 1e-12);
        assert!((moment(2) - 1.0).abs() < 1e-12);
        assert!((moment(4) - 3.0).abs() < 1e-11);
    }

    #[test]
    fn the_split_is_that_of_two_sizes_with_this_sum() {
        let grid = SplitGrid::new();
        let (known, dark) = (LogNormal::new(1.0, 0.4), LogNormal::new(0.0, 0.9));
        let draws: Vec<f64> =
            (0..1000).map(|i| grid.draw(1.5, known, dark, NONE, (f64::from(i) + 0.5) / 1000.0)).collect();
        assert!(draws.windows(2).all(|pair| pair[0] <= pair[1]));
        // Those of many pairs that sum to about 1.5 on the log scale.
        let mut rng = Stream::new(1, "test/split", 0);
        let mut size = |of: LogNormal| -> f64 {
            let z: f64 = StandardNormal.sample(&mut rng);
            libm::exp(of.mean + of.sd * z)
        };
        let mut shares: Vec<f64> = (0..400_000)
            .map(|_| (size(known), size(dark)))
            .filter(|(w, d)| (libm::log(w + d) - 1.5).abs() < 0.02)
            .map(|(w, d)| d / (w + d))
            .collect();
        shares.sort_by(f64::total_cmp);
        for quantile in [0.05, 0.25, 0.5, 0.75, 0.95] {
            let (drawn, found) =
                (draws[(quantile * 1000.0) as usize], shares[(quantile * shares.len() as f64) as usize]);
            assert!((drawn - found).abs() < 0.015, "{quantile}: {drawn} {found} of {}", shares.len());
        }
        // The floor holds.
        let floored: Vec<f64> = (0..100)
            .map(|i| grid.draw(1.5, known, dark, Floors { known: 1.4, ..NONE }, (f64::from(i) + 0.5) / 100.0))
            .collect();
        assert!(floored.iter().all(|v| 1.0 - v > libm::exp(1.4 - 1.5) - 0.02));
        let lifted: Vec<f64> = (0..100)
            .map(|i| grid.draw(1.5, known, dark, Floors { dark: 1.0, ..NONE }, (f64::from(i) + 0.5) / 100.0))
            .collect();
        assert!(lifted.iter().all(|&v| v > libm::exp(1.0 - 1.5) - 0.03));
    }

    #[test]
    fn the_simplex_finds_a_valley() {
        let best = nelder_mead([-1.2, 1.0], [0.5, 0.5], 2000, |[x, y]| {
            (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)
        });
        assert!((best[0] - 1.0).abs() < 1e-3 && (best[1] - 1.0).abs() < 1e-3, "{best:?}");
    }

    #[test]
    fn tails_of_the_normal() {
        assert!((log_normal_cdf(0.0) - libm::log(0.5)).abs() < 1e-12);
        assert!((log_normal_cdf(-7.999) - log_normal_cdf(-8.001)).abs() < 0.02);
    }
}
