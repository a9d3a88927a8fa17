//! Targets and simulators whose answers are known.

use super::target::{Prior, Simulator, Target};
use crate::rng::Stream;

/// Runs on a pool of this many threads.
pub fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

fn log_normal_density(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * (x - mean) * (x - mean) / variance - 0.5 * libm::log(std::f64::consts::TAU * variance)
}

macro_rules! standard_normal_prior {
    ($name:ty, $dimension:expr) => {
        impl Prior for $name {
            fn dimension(&self) -> usize {
                $dimension
            }
            fn draw(&self, stream: &mut Stream) -> Vec<f64> {
                (0..$dimension).map(|_| stream.normal()).collect()
            }
            fn log_density(&self, point: &[f64]) -> f64 {
                point.iter().map(|x| log_normal_density(*x, 0.0, 1.0)).sum()
            }
        }
    };
}

/// N(0, I) prior of three, observed N(x, 1/100): posterior N(y / 1.01, 1/101), evidence N(y; 0, 1.01).
pub struct Gaussian;

impl Gaussian {
    pub const OBSERVED: [f64; 3] = [1.0, -0.5, 2.0];

    pub fn log_evidence() -> f64 {
        Self::OBSERVED.iter().map(|y| log_normal_density(*y, 0.0, 1.01)).sum()
    }
}

standard_normal_prior!(Gaussian, 3);

impl Target for Gaussian {
    fn log_likelihood(&self, point: &[f64]) -> Option<f64> {
        Some(point.iter().zip(Self::OBSERVED).map(|(x, y)| log_normal_density(y, *x, 0.01)).sum())
    }
}

/// Two narrow modes far apart on a N(0, I) prior of two: 0.2 of the mass at (-1.5, 0), 0.8 at (1.5, 0); log evidence 0.
pub struct TwoModes;

impl TwoModes {
    pub const LEFT: f64 = 0.2;
}

standard_normal_prior!(TwoModes, 2);

impl Target for TwoModes {
    fn log_likelihood(&self, point: &[f64]) -> Option<f64> {
        let at = |centre| log_normal_density(point[0], centre, 0.0025) + log_normal_density(point[1], 0.0, 0.0025);
        let (left, right) = (at(-1.5) + libm::log(Self::LEFT), at(1.5) + libm::log(1.0 - Self::LEFT));
        let most = left.max(right);
        let posterior = most + libm::log(libm::exp(left - most) + libm::exp(right - most));
        Some(posterior - self.log_density(point))
    }
}

/// As [`Gaussian`], but it fails where the first coordinate is negative: the evidence loses that part.
pub struct HalfFailing;

impl Prior for HalfFailing {
    fn dimension(&self) -> usize {
        3
    }
    fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        Gaussian.draw(stream)
    }
    fn log_density(&self, point: &[f64]) -> f64 {
        Gaussian.log_density(point)
    }
}

impl Target for HalfFailing {
    fn log_likelihood(&self, point: &[f64]) -> Option<f64> {
        match point[0] {
            x if x < -1.0 => None,
            x if x < 0.0 => Some(f64::NAN),
            _ => Gaussian.log_likelihood(point),
        }
    }
}

/// `G = A u` of two parameters and three outputs, N(0, I) prior; some runs fail.
pub struct Linear {
    pub matrix: [f64; 6],
    pub failing: f64,
}

impl Default for Linear {
    fn default() -> Self {
        Self { matrix: [1.0, 0.5, -0.3, 2.0, 0.7, -1.0], failing: 0.0 }
    }
}

standard_normal_prior!(Linear, 2);

impl Simulator for Linear {
    fn simulate(&self, point: &[f64], stream: &mut Stream) -> Option<Vec<f64>> {
        if stream.uniform() < self.failing {
            return None;
        }
        Some(self.matrix.chunks_exact(2).map(|row| row[0] * point[0] + row[1] * point[1]).collect())
    }
}

/// `y ~ N(x, 1/4)` with a N(0, 1) prior; some runs fail.
#[derive(Default)]
pub struct Noisy {
    pub failing: f64,
}

standard_normal_prior!(Noisy, 1);

impl Simulator for Noisy {
    fn simulate(&self, point: &[f64], stream: &mut Stream) -> Option<Vec<f64>> {
        if stream.uniform() < self.failing {
            return Some(vec![f64::NAN]);
        }
        Some(vec![point[0] + 0.5 * stream.normal()])
    }
}
