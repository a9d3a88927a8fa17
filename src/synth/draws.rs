//! Random variates for set-up work: one uniform each, the same on every machine.

use crate::rng::{self, Stream};

/// A stream of variates of one thing (an agent, a territory, a list).
pub(super) struct Draws(Stream);

impl Draws {
    pub fn new(seed: u64, domain: &str, index: u64) -> Self {
        Self(Stream::new(seed, domain, index))
    }

    /// Uniform on (0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.uniform()
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// An integer below `count`, which is above 0.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.below(count)
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        self.0.normal()
    }

    /// Lognormal with mean 1.
    pub fn noise(&mut self, sd: f64) -> f64 {
        rng::lognormal_mean_one(self.uniform(), sd)
    }

    /// Position of one of several weights, in proportion to them.
    pub fn pick(&mut self, weights: &[f64]) -> usize {
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        for (position, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return position;
            }
        }
        weights.len() - 1
    }
}

pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

pub(super) fn logit(p: f64) -> f64 {
    libm::log(p / (1.0 - p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let mut draws = Draws::new(1, "test", 0);
        let normals: Vec<f64> = (0..20_000).map(|_| draws.normal()).collect();
        let (mean, sd) = crate::stats::mean_sd(&normals);
        assert!(mean.abs() < 0.03 && (sd - 1.0).abs() < 0.03, "{mean} {sd}");
        let noise: f64 = (0..20_000).map(|_| draws.noise(0.5)).sum::<f64>() / 20_000.0;
        assert!((noise - 1.0).abs() < 0.02, "{noise}");
        let picked = (0..20_000).filter(|_| draws.pick(&[1.0, 3.0]) == 1).count();
        assert!((picked as f64 / 20_000.0 - 0.75).abs() < 0.015);
        assert!((logistic(logit(0.3)) - 0.3).abs() < 1e-12);
    }
}
