//! Draws of the distributions that calibration needs, from keyed streams.
//!
//! Written here rather than taken from a library because the libraries call the platform's `exp` and `log`, whose last
//! digit depends on the instruction set; these use `libm` alone, so the same key gives the same bytes everywhere.
//! Normal: inverse of the distribution function (Wichura 1988, AS 241). Gamma: Marsaglia & Tsang 2000. Poisson:
//! sequential inversion below a mean of 30, above it the transformed rejection PTRS (Hörmann 1993).

use rand::Rng as _;

use crate::rng::Stream;

/// Purposes of streams: each has its own domain, so that no two purposes share a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Series,
    Response,
    Hazards,
    CustomerRates,
    Predictive,
    Alive,
    Hyper,
    Further,
    Pulses,
    Sbc,
    Tempered,
}

impl Purpose {
    fn domain(self) -> &'static str {
        match self {
            Self::Series => "calibrate/series",
            Self::Response => "calibrate/response",
            Self::Hazards => "calibrate/hazards",
            Self::CustomerRates => "calibrate/customer rates",
            Self::Predictive => "calibrate/predictive",
            Self::Alive => "calibrate/alive",
            Self::Hyper => "calibrate/hyper",
            Self::Further => "calibrate/further",
            Self::Pulses => "calibrate/pulses",
            Self::Sbc => "calibrate/sbc",
            Self::Tempered => "calibrate/tempered",
        }
    }
}

/// A keyed source of random variates.
pub struct Source(Stream);

impl Source {
    /// The source of a purpose and an index (a draw, a customer's hash, ...).
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        Self(Stream::new(seed, purpose.domain(), index))
    }

    /// The source that a stream's next word stands for.
    pub fn of(stream: &mut Stream) -> Self {
        Self::new(stream.next_u64(), Purpose::Tempered, 0)
    }

    /// A seed for somebody else's streams.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Puts values in a random order.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            let j = ((i + 1) as f64 * self.uniform()) as usize;
            values.swap(i, j.min(i));
        }
    }

    /// Uniform on the open interval (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64)
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform())
    }

    /// Gamma of this shape and scale 1; 0 for a shape of 0.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape <= 0.0 {
            return 0.0;
        }
        if shape < 1.0 {
            // Gamma(a) = Gamma(a + 1) * U^(1 / a).
            let boost = libm::exp(libm::log(self.uniform()) / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            if libm::log(self.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Beta(a, b).
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let x = self.gamma(a);
        let y = self.gamma(b);
        if x + y > 0.0 { x / (x + y) } else { a / (a + b) }
    }

    /// Poisson of this mean; 0 for a mean of 0 or less.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean < 30.0 {
            let u = self.uniform();
            let mut term = libm::exp(-mean);
            let mut below = term;
            let mut k = 0.0;
            while u > below && k < 1000.0 {
                k += 1.0;
                term *= mean / k;
                below += term;
            }
            return k;
        }
        let log_mean = libm::log(mean);
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = self.uniform() - 0.5;
            let v = self.uniform();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let accept = libm::log(v * inverse_alpha / (a / (us * us) + b));
            if accept <= -mean + k * log_mean - libm::lgamma(k + 1.0) {
                return k;
            }
        }
    }
}

/// Quantile of the standard normal distribution (Wichura 1988, algorithm AS 241, PPND16); relative error about 1e-16.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * horner(r, &CENTRE_ABOVE) / horner(r, &CENTRE_BELOW);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let size = if r <= 5.0 {
        horner(r - 1.6, &MIDDLE_ABOVE) / horner(r - 1.6, &MIDDLE_BELOW)
    } else {
        horner(r - 5.0, &FAR_ABOVE) / horner(r - 5.0, &FAR_BELOW)
    };
    if q < 0.0 { -size } else { size }
}

/// Distribution function of the standard normal.
#[cfg(test)]
fn normal_probability(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

fn horner(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}

const CENTRE_ABOVE: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_545e3,
];
const MIDDLE_ABOVE: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_ABOVE: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BELOW: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_7e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mean_sd;

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.001, -3.090_232_306_167_813),
            (1e-12, -7.034_483_825_301_131),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-9, "{p}: {}", normal_quantile(p));
            assert!((normal_probability(z) - p).abs() < 1e-10);
        }
    }

    #[test]
    fn moments_of_gamma_and_poisson() {
        let mut source = Source::new(7, Purpose::Series, 0);
        for shape in [0.3, 1.0, 4.5, 200.0] {
            let draws: Vec<f64> = (0..20_000).map(|_| source.gamma(shape)).collect();
            let (mean, sd) = mean_sd(&draws);
            assert!((mean / shape - 1.0).abs() < 0.05, "shape {shape}: mean {mean}");
            assert!((sd * sd / shape - 1.0).abs() < 0.1, "shape {shape}: variance {}", sd * sd);
        }
        for mean_wanted in [0.2, 5.0, 29.0, 31.0, 400.0] {
            let draws: Vec<f64> = (0..20_000).map(|_| source.poisson(mean_wanted)).collect();
            let (mean, sd) = mean_sd(&draws);
            assert!((mean / mean_wanted - 1.0).abs() < 0.03, "mean {mean_wanted}: {mean}");
            assert!((sd * sd / mean_wanted - 1.0).abs() < 0.06, "mean {mean_wanted}: variance {}", sd * sd);
        }
    }
}
