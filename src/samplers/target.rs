//! What a sampler is given: a prior on the real line, and a likelihood or a simulator.
//!
//! A failed evaluation is a designed case: a solver that does not converge returns `None`, and what is not finite counts
//! as `None`. Such a point has a likelihood of zero.

use crate::rng::Stream;

/// Where parameters lie before anything is observed. All of the real line is allowed; constraints are bijections on it.
pub trait Prior: Sync {
    /// Number of parameters.
    fn dimension(&self) -> usize;

    /// Draws a point.
    fn draw(&self, stream: &mut Stream) -> Vec<f64>;

    /// Log density at a point, normalised if the evidence is to be; minus infinity where there is none.
    fn log_density(&self, point: &[f64]) -> f64;
}

/// A prior and the likelihood of what was observed.
pub trait Target: Prior {
    /// Log likelihood; `None` when it cannot be evaluated there. Called in parallel, and must depend on the point alone.
    fn log_likelihood(&self, point: &[f64]) -> Option<f64>;
}

/// A prior and a model that can be run but not evaluated.
pub trait Simulator: Prior {
    /// Outputs (summaries) of a run at a point, as many as were observed; `None` when the run fails. All randomness is
    /// to come from the stream.
    fn simulate(&self, point: &[f64], stream: &mut Stream) -> Option<Vec<f64>>;
}

/// The log likelihood as samplers use it: minus infinity for whatever failed.
pub(crate) fn alive(log_likelihood: Option<f64>) -> f64 {
    log_likelihood.filter(|value| value.is_finite()).unwrap_or(f64::NEG_INFINITY)
}

/// Outputs as samplers use them: none unless there are `count` and all are finite.
pub(crate) fn whole(outputs: Option<Vec<f64>>, count: usize) -> Option<Vec<f64>> {
    outputs.filter(|outputs| outputs.len() == count && outputs.iter().all(|value| value.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_has_failed() {
        for failed in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
            assert_eq!(alive(failed), f64::NEG_INFINITY);
        }
        assert_eq!(alive(Some(-3.5)), -3.5);
        assert_eq!(whole(Some(vec![1.0, f64::NAN]), 2), None);
        assert_eq!(whole(Some(vec![1.0]), 2), None);
        assert_eq!(whole(Some(vec![1.0, 2.0]), 2), Some(vec![1.0, 2.0]));
    }

    #[test]
    fn picks_stay_inside() {
        let mut stream = Stream::new(1, "test", 0);
        let mut seen = [0; 3];
        for _ in 0..3_000 {
            seen[stream.below(3)] += 1;
        }
        assert!(seen.iter().all(|&count| (900..1_100).contains(&count)), "{seen:?}");
    }
}
