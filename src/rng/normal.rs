//! Normal and lognormal numbers by inversion.
#![expect(clippy::excessive_precision, reason = "constants as their authors printed them")]

use crate::lanes::{Mask as _, Simd, poly};

/// Standard normal quantile, lane by lane; absolute error below 2e-6 for uniforms of [`super::uniform`].
///
/// `sqrt(2) erfinv(2u - 1)` with the single-precision polynomials of Giles (2012), "Approximating the erfinv function", GPU
/// Computing Gems Jade Edition, ch. 10: one logarithm and, but for 1 uniform in 300, one polynomial.
#[inline(always)]
pub fn normal<V: Simd>(uniform: V) -> V {
    let [z] = normal_each([uniform]);
    z
}

/// As [`normal`] of several sets, with one branch for all: a processor need not wait for one before it begins the next.
#[inline(always)]
pub fn normal_each<V: Simd, const SETS: usize>(uniforms: [V; SETS]) -> [V; SETS] {
    let one = V::splat(1.0);
    let (mut normals, mut most) = (uniforms, V::splat(0.0));
    let mut logarithms = uniforms;
    // Loops: closures would be compiled for the default instruction set.
    for ((normal, w), uniform) in normals.iter_mut().zip(&mut logarithms).zip(uniforms) {
        // -ln(1 - x^2), with 1 - x^2 = 4 u (1 - u) free of cancellation.
        *w = V::splat(0.0) - (V::splat(4.0) * uniform * (one - uniform)).ln();
        *normal = poly(*w - V::splat(2.5), ERFINV_NEAR);
        most = w.max(most);
    }
    if most.greater(V::splat(5.0)).any() {
        for (normal, w) in normals.iter_mut().zip(logarithms) {
            let far = poly(w.max(one).sqrt() - V::splat(3.0), ERFINV_FAR);
            *normal = V::choose(w.greater(V::splat(5.0)), far, *normal);
        }
    }
    for (normal, uniform) in normals.iter_mut().zip(uniforms) {
        let x = uniform + uniform - one;
        *normal = *normal * x * V::splat(std::f32::consts::SQRT_2);
    }
    normals
}

/// For `w < 5`, in powers of `w - 2.5`.
const ERFINV_NEAR: [f32; 9] = [
    1.501_409_4,
    0.246_640_73,
    -0.004_177_681_6,
    -0.001_253_725,
    0.000_218_580_87,
    -4.391_506_5e-6,
    -3.523_387_7e-6,
    3.432_739_4e-7,
    2.810_226_4e-8,
];

/// Beyond, in powers of `sqrt(w) - 3`.
const ERFINV_FAR: [f32; 9] = [
    2.832_976_8,
    1.001_674_1,
    0.009_438_870_5,
    -0.007_622_461_3,
    0.005_739_507_7,
    -0.003_673_428_4,
    0.001_349_343_2,
    0.000_100_950_56,
    -0.000_200_214_26,
];

/// Standard normal quantile of a number in (0, 1) ; relative error about 1e-16 by its author.
///
/// Wichura (1988), "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37, 477-484
/// (PPND16).
pub fn normal_f64(uniform: f64) -> f64 {
    let q = uniform - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * horner(r, &CENTRE.0) / horner(r, &CENTRE.1);
    }
    let r = (-libm::log(uniform.min(1.0 - uniform))).sqrt();
    let size = if r <= 5.0 {
        horner(r - 1.6, &TAIL.0) / horner(r - 1.6, &TAIL.1)
    } else {
        horner(r - 5.0, &FAR.0) / horner(r - 5.0, &FAR.1)
    };
    if q < 0.0 { -size } else { size }
}

/// Distribution function of the standard normal.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// A lognormal number of mean 1 whose logarithm has standard deviation `sd`.
pub fn lognormal_mean_one(uniform: f64, sd: f64) -> f64 {
    libm::exp(sd * normal_f64(uniform) - 0.5 * sd * sd)
}

fn horner(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Numerator and denominator for |u - 1/2| <= 0.425.
const CENTRE: ([f64; 8], [f64; 8]) = (
    [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ],
);

/// The same for sqrt(-ln u) <= 5.
const TAIL: ([f64; 8], [f64; 8]) = (
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
);

/// The same beyond.
const FAR: ([f64; 8], [f64; 8]) = (
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{F32x16, U32x16, Words as _};
    use crate::rng::uniform;

    #[test]
    fn the_normal_distribution_gives_the_uniform_back() {
        let cdf = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
        for k in 1..2000 {
            let u = f64::from(k) / 2000.0;
            assert!((cdf(normal_f64(u)) - u).abs() < 1e-15, "{u} {:e}", cdf(normal_f64(u)) - u);
        }
        for exponent in 3..300 {
            let u = 10.0_f64.powi(-exponent);
            assert!((cdf(normal_f64(u)) / u - 1.0).abs() < 1e-12, "{u} {:e}", cdf(normal_f64(u)) / u - 1.0);
        }
        assert_eq!(normal_f64(0.5), 0.0);
        assert!((normal_f64(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
    }

    #[test]
    fn lanes_agree_with_doubles() {
        let mut before = f32::NEG_INFINITY;
        for k in 0..(1_u32 << 23) / 61 {
            let u: F32x16 = uniform(U32x16::splat((k * 61) << 9));
            let z = normal(u).0[5];
            let wanted = normal_f64(f64::from(u.0[5]));
            assert!((f64::from(z) - wanted).abs() < 2e-6, "{} {z} {wanted}", u.0[5]);
            assert!(z >= before - 1e-6, "rises with the uniform");
            before = z;
        }
    }

    #[test]
    fn lognormal_has_mean_one() {
        let cells = 200_000;
        let mean = (0..cells).map(|k| lognormal_mean_one((f64::from(k) + 0.5) / f64::from(cells), 0.4)).sum::<f64>();
        assert!((mean / f64::from(cells) - 1.0).abs() < 1e-5);
        assert_eq!(lognormal_mean_one(0.3, 0.0), 1.0);
    }
}
