//! The response's posterior where importance sampling will not do: tempered sequential Monte Carlo from a wide Student-t at the mode.
//!
//! ```text
//! q(x) = Student-t(mode, (2 root)(2 root)', 7 degrees)        target at t: q(x) (density(x) / q(x))^t
//! ```
//!
//! Particles start where Laplace's approximation says, twice as wide, and not at the prior, from which it would be a long way
//! (bridging from an approximation: Neal 2001, "Annealed importance sampling", section 6). Its moves learn from the
//! particles, so a bent or many-peaked posterior is followed where a single Student-t is not. See [`crate::samplers::smc`].

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::calibrate::laplace::{Mode, Sample, log_student_t, student_t};
use crate::calibrate::sampling::Source;
use crate::rng::Stream;
use crate::samplers::smc::{self, Unwatched};
use crate::samplers::{Prior, Target};

/// How much wider than the mode's curvature says.
const WIDENED: f64 = 2.0;
/// Particles, of which as many draws can be told apart.
const PARTICLES: usize = 1_000;
/// Most evaluations of the density: some seconds for a small company, some minutes for a large one.
const BUDGET: u64 = 40_000;

/// From a Student-t to a density.
struct Bridge<'a, F> {
    log_density: &'a F,
    centre: &'a DVector<f64>,
    /// Lower triangular.
    root: DMatrix<f64>,
    log_determinant: f64,
}

impl<F: Fn(&DVector<f64>) -> f64 + Sync> Prior for Bridge<'_, F> {
    fn dimension(&self) -> usize {
        self.centre.len()
    }

    fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        let t = student_t(self.centre.len(), &mut Source::of(stream));
        (self.centre + &self.root * t).as_slice().to_vec()
    }

    /// But for a constant that depends on the dimension alone, as the evidence of `laplace` is.
    fn log_density(&self, point: &[f64]) -> f64 {
        let away = DVector::from_column_slice(point) - self.centre;
        let Some(standard) = self.root.solve_lower_triangular(&away) else { return f64::NEG_INFINITY };
        log_student_t(&standard) - self.log_determinant
    }
}

impl<F: Fn(&DVector<f64>) -> f64 + Sync> Target for Bridge<'_, F> {
    fn log_likelihood(&self, point: &[f64]) -> Option<f64> {
        Some((self.log_density)(&DVector::from_column_slice(point)) - Prior::log_density(self, point))
    }
}

/// Draws from the density whose mode is given; `None` where the mode has no spread to start from or nothing can be evaluated.
pub fn sample(
    log_density: &(impl Fn(&DVector<f64>) -> f64 + Sync),
    mode: &Mode,
    draws: usize,
    source: &mut Source,
) -> Option<Sample> {
    let root = Cholesky::new(mode.covariance.clone())?.l() * WIDENED;
    let log_determinant = root.diagonal().map(libm::log).sum();
    let bridge = Bridge { log_density, centre: &mode.at, root, log_determinant };
    let settings =
        smc::Settings { seed: source.word(), particles: PARTICLES, budget: BUDGET, ..smc::Settings::default() };
    let posterior = smc::run(&bridge, &settings, &mut Unwatched).ok()?;
    let (means, covariance) =
        (posterior.points.mean(&posterior.weights), posterior.points.covariance(&posterior.weights));
    let variances = covariance.iter().step_by(means.len() + 1);
    let effective = posterior.effective();
    let mut chosen = posterior.draws(draws, source.word());
    source.shuffle(&mut chosen);
    Some(Sample {
        draws: chosen.into_iter().map(|p| DVector::from_column_slice(posterior.points.point(p))).collect(),
        efficiency: effective / PARTICLES as f64,
        pareto_k: f64::NEG_INFINITY,
        log_evidence: posterior.log_evidence,
        effective,
        moments: means.iter().zip(variances).map(|(&mean, variance)| (mean, variance.sqrt())).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::laplace;
    use crate::calibrate::sampling::Purpose;
    use crate::stats::mean_sd;

    fn source() -> Source {
        Source::new(4, Purpose::Response, 0)
    }

    #[test]
    fn a_bent_density_is_followed_where_importance_sampling_is_not() {
        // A banana: x ~ N(0, 3^2), y + 0.2 (x^2 - 9) ~ N(0, 0.5^2).
        let density = |at: &DVector<f64>| {
            let (x, y) = (at[0], at[1] + 0.2 * (at[0] * at[0] - 9.0));
            -0.5 * (x * x / 9.0 + y * y / 0.25)
        };
        let mode = laplace::mode(&density, DVector::from_vec(vec![0.5, 1.5]), &[3.0, 1.0]);
        let weighted = laplace::sample(&density, &mode, 200, 500, &mut source());
        let tempered = sample(&density, &mode, 1_000, &mut source()).unwrap();
        assert!(
            weighted.efficiency < 0.3 && tempered.efficiency > 0.5,
            "{} {}",
            weighted.efficiency,
            tempered.efficiency
        );
        let (mean, sd) = mean_sd(&tempered.draws.iter().map(|at| at[0]).collect::<Vec<f64>>());
        assert!(mean.abs() < 0.4 && (sd / 3.0 - 1.0).abs() < 0.1, "{mean} {sd}");
        // y has mean 0 and variance 0.5^2 + 0.2^2 * 2 * 81.
        let (mean, sd) = mean_sd(&tempered.draws.iter().map(|at| at[1]).collect::<Vec<f64>>());
        assert!(mean.abs() < 0.4 && (sd / 2.59 - 1.0).abs() < 0.15, "{mean} {sd}");
    }

    #[test]
    fn the_evidence_is_that_of_importance_sampling() {
        let density = |at: &DVector<f64>| -0.5 * (at[0] * at[0] / 4.0 + at[1] * at[1]) + 1.5;
        let mode = laplace::mode(&density, DVector::from_vec(vec![0.3, 0.1]), &[1.0, 1.0]);
        let weighted = laplace::sample(&density, &mode, 100, 4_000, &mut source());
        let tempered = sample(&density, &mode, 100, &mut source()).unwrap();
        assert!((weighted.log_evidence - tempered.log_evidence).abs() < 0.1);
    }
}
