//! The tasks with a likelihood in closed form, as their code in sbibm 1.1.0 defines them.

use anyhow::{Result, ensure};
use ikiz::rng::{Stream, normal_cdf};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::Task;

fn log_normal_density(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * (x - mean) * (x - mean) / variance - 0.5 * libm::log(std::f64::consts::TAU * variance)
}

/// Uniform on (-bound, bound) from a standard normal.
fn uniform_within(bound: f64, point: &[f64]) -> Vec<f64> {
    point.iter().map(|z| bound * (2.0 * normal_cdf(*z) - 1.0)).collect()
}

/// Variance of prior and noise 0.1, ten means.
pub struct GaussianLinear {
    pub observed: Vec<f64>,
}

impl Task for GaussianLinear {
    fn dimension(&self) -> usize {
        10
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        point.iter().map(|z| 0.1_f64.sqrt() * z).collect()
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        Some(self.observed.iter().zip(parameters).map(|(x, mean)| log_normal_density(*x, *mean, 0.1)).sum())
    }
}

/// The same noise, means uniform on (-1, 1).
pub struct GaussianLinearUniform {
    pub observed: Vec<f64>,
}

impl Task for GaussianLinearUniform {
    fn dimension(&self) -> usize {
        10
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        uniform_within(1.0, point)
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        Some(self.observed.iter().zip(parameters).map(|(x, mean)| log_normal_density(*x, *mean, 0.1)).sum())
    }
}

/// Two normals around one mean, of standard deviation 1 and 0.1.
pub struct GaussianMixture {
    pub observed: Vec<f64>,
}

impl Task for GaussianMixture {
    fn dimension(&self) -> usize {
        2
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        uniform_within(10.0, point)
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        let part = |variance| -> f64 {
            self.observed.iter().zip(parameters).map(|(x, mean)| log_normal_density(*x, *mean, variance)).sum()
        };
        let (wide, narrow) = (part(1.0), part(0.01));
        let most = wide.max(narrow);
        Some(most + libm::log(0.5 * libm::exp(wide - most) + 0.5 * libm::exp(narrow - most)))
    }
}

/// A half circle, and its mirror image.
pub struct TwoMoons {
    pub observed: Vec<f64>,
}

impl Task for TwoMoons {
    fn dimension(&self) -> usize {
        2
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        uniform_within(1.0, point)
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let across = self.observed[0] + ((parameters[0] + parameters[1]) * half).abs() - 0.25;
        let along = self.observed[1] - (parameters[1] - parameters[0]) * half;
        if across <= 0.0 {
            return None;
        }
        // Radius normal and angle uniform on a half circle: in the plane the density is theirs over the radius.
        let radius = libm::hypot(across, along);
        Some(log_normal_density(radius, 0.1, 1e-4) - libm::log(std::f64::consts::PI * radius))
    }
}

/// Four points of a normal whose five parameters are mean, squares of signed scales and correlation.
pub struct Slcp {
    pub observed: Vec<f64>,
}

impl Task for Slcp {
    fn dimension(&self) -> usize {
        5
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        uniform_within(3.0, point)
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        let &[m0, m1, p2, p3, p4] = parameters else { return None };
        let (s0, s1) = (p2 * p2, p3 * p3);
        let (a, b, c) = (s0 * s0 + 1e-6, libm::tanh(p4) * s0 * s1, s1 * s1 + 1e-6);
        let determinant = a * c - b * b;
        if determinant <= 0.0 {
            return None;
        }
        let squares: f64 = self
            .observed
            .chunks_exact(2)
            .map(|x| {
                let (u, v) = (x[0] - m0, x[1] - m1);
                (c * u * u - 2.0 * b * u * v + a * v * v) / determinant
            })
            .sum();
        Some(-0.5 * squares - 4.0 * libm::log(std::f64::consts::TAU) - 2.0 * libm::log(determinant))
    }
}

/// Spikes of a neuron that follow a stimulus; the observed summaries are the sufficient ones.
pub struct BernoulliGlm {
    observed: Vec<f64>,
    design: Vec<Vec<f64>>,
    precision: DMatrix<f64>,
    factor: Cholesky<f64, Dyn>,
}

impl BernoulliGlm {
    pub fn new(observed: Vec<f64>, design: Vec<Vec<f64>>) -> Result<Self> {
        ensure!(observed.len() == 10 && design.iter().all(|row| row.len() == 10), "bernoulli_glm has ten parameters");
        let m = 9;
        let d = DMatrix::from_fn(m, m, |i, j| if i == j { 1.0 } else { -f64::from(i == j + 1) });
        let f = &d * &d + DMatrix::from_fn(m, m, |i, j| if i == j { (i as f64 / m as f64).sqrt() } else { 0.0 });
        let smooth = f.transpose() * f;
        let precision = DMatrix::from_fn(m + 1, m + 1, |i, j| match (i, j) {
            (0, 0) => 0.5,
            (0, _) | (_, 0) => 0.0,
            (i, j) => smooth[(i - 1, j - 1)],
        });
        let factor = Cholesky::new(precision.clone()).expect("the prior's precision is positive definite");
        Ok(Self { observed, design, precision, factor })
    }
}

impl Task for BernoulliGlm {
    fn dimension(&self) -> usize {
        10
    }
    fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        let z = DVector::from_fn(10, |_, _| stream.normal());
        let x = self.factor.l().transpose().solve_upper_triangular(&z).expect("a factor can be inverted");
        x.iter().copied().collect()
    }
    fn log_prior(&self, point: &[f64]) -> f64 {
        let x = DVector::from_column_slice(point);
        let log_volume: f64 = (0..10).map(|i| libm::log(self.factor.l_dirty()[(i, i)])).sum();
        -0.5 * x.dot(&(&self.precision * &x)) + log_volume - 5.0 * libm::log(std::f64::consts::TAU)
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        point.to_vec()
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        let dot = |row: &[f64]| row.iter().zip(parameters).map(|(a, b)| a * b).sum::<f64>();
        let silence: f64 = self
            .design
            .iter()
            .map(|row| {
                let drive = dot(row);
                drive.max(0.0) + libm::log1p(libm::exp(-drive.abs()))
            })
            .sum();
        Some(dot(&self.observed) - silence)
    }
}
