//! Approximate Bayesian computation by sequential Monte Carlo, the baseline where there is no likelihood.
//!
//! Generations of particles whose distance to the observed is at most a tolerance that falls (Toni et al. 2009): a particle of
//! the last generation is drawn by its weight and moved by a normal kernel K with twice the generation's weighted covariance
//! (Beaumont et al. 2009), the model is run, and the point is kept when it is near enough. Its weight is
//!
//! `w = prior(x) / sum_j W_j K(x | x_j)`.
//!
//! The next tolerance is a quantile of the last distances (as in Del Moral, Doucet & Jasra 2012, who fix the share that
//! survives). A run that fails is never near.

use rayon::prelude::*;

use super::ellipsoid::Ellipsoid;
use super::particles::{Cloud, effective, quantile, systematic};
use super::target::Simulator;
use crate::rng::Stream;

/// What a run is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub seed: u64,
    pub particles: usize,
    /// Most runs of the simulator.
    pub budget: u64,
    /// Share of a generation's weight that the next tolerance keeps.
    pub kept: f64,
    /// No further generation once the tolerance is this small.
    pub tolerance: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, particles: 1_000, budget: 100_000, kept: 0.5, tolerance: 0.0 }
    }
}

/// Weighted draws whose distance is at most the tolerance.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    pub points: Cloud,
    /// Sum to 1.
    pub weights: Vec<f64>,
    pub distances: Vec<f64>,
    pub tolerance: f64,
    /// Tolerances reached, one a generation; the first, the prior's, is infinite.
    pub path: Vec<f64>,
    pub evaluations: u64,
    pub failed: u64,
}

impl Generation {
    /// Effective sample size.
    pub fn effective(&self) -> f64 {
        effective(&self.weights)
    }
}

/// Why there are no draws.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AbcError {
    /// The settings make no run.
    #[error("{0}")]
    Settings(&'static str),
    /// The budget ended before every particle had a run that did not fail.
    #[error("of {runs} runs at draws of the prior {failed} failed, so the budget made no first generation")]
    NoFirstGeneration { runs: u64, failed: u64 },
}

/// A slot's proposal that was near enough.
type Near = (Vec<f64>, f64);

/// Samples a simulator; `distance` measures its outputs against the observed (not finite: failed).
///
/// # Errors
/// See [`AbcError`].
pub fn run(
    simulator: &(impl Simulator + ?Sized),
    distance: &(impl Fn(&[f64]) -> f64 + Sync),
    settings: &Settings,
) -> Result<Generation, AbcError> {
    let count = settings.particles;
    if !(10..1 << 24).contains(&count) || simulator.dimension() == 0 {
        return Err(AbcError::Settings("a run needs 10 to 2^24 particles and a parameter"));
    }
    if !(settings.kept > 0.0 && settings.kept < 1.0) {
        return Err(AbcError::Settings("the share kept lies between 0 and 1"));
    }
    let mut runs = Runs { simulator, distance, settings, evaluations: 0, failed: 0 };
    let Some(first) = runs.generation(0, f64::INFINITY, |stream| simulator.draw(stream)) else {
        return Err(AbcError::NoFirstGeneration { runs: runs.evaluations, failed: runs.failed });
    };
    let (points, distances): (Vec<Vec<f64>>, Vec<f64>) = first.into_iter().unzip();
    let mut now = Generation {
        points: Cloud::new(simulator.dimension(), points.concat()),
        weights: vec![1.0 / count as f64; count],
        distances,
        tolerance: f64::INFINITY,
        path: vec![f64::INFINITY],
        evaluations: 0,
        failed: 0,
    };
    while now.tolerance > settings.tolerance {
        let tolerance = quantile(&now.distances, &now.weights, settings.kept).unwrap_or(0.0).max(settings.tolerance);
        if tolerance >= now.tolerance {
            break;
        }
        let spread: Vec<f64> = now.points.covariance(&now.weights).iter().map(|value| 2.0 * value).collect();
        let kernel = Ellipsoid::new(now.points.mean(&now.weights), &spread);
        let propose = |stream: &mut Stream| {
            let parent = systematic(&now.weights, 1, stream.uniform())[0];
            let mut point = vec![0.0; simulator.dimension()];
            kernel.draw(now.points.point(parent), 1.0, stream, &mut point);
            point
        };
        // A generation that the budget cuts short is dropped: its early particles are the easy ones.
        let Some(near) = runs.generation(now.path.len(), tolerance, propose) else { break };
        let (points, distances): (Vec<Vec<f64>>, Vec<f64>) = near.into_iter().unzip();
        let weights: Vec<f64> = points.par_iter().map(|point| weight(simulator, &now, &kernel, point)).collect();
        let sum: f64 = weights.iter().sum();
        now.points = Cloud::new(simulator.dimension(), points.concat());
        now.weights = weights.iter().map(|weight| weight / sum).collect();
        now.distances = distances;
        now.tolerance = tolerance;
        now.path.push(tolerance);
    }
    (now.evaluations, now.failed) = (runs.evaluations, runs.failed);
    Ok(now)
}

/// `prior(x) / sum_j W_j K(x | x_j)`, but for a factor that all particles share.
fn weight(simulator: &(impl Simulator + ?Sized), before: &Generation, kernel: &Ellipsoid, point: &[f64]) -> f64 {
    let reached: f64 = before
        .points
        .points()
        .zip(&before.weights)
        .map(|(from, weight)| weight * libm::exp(-0.5 * kernel.distance(from, point)))
        .sum();
    libm::exp(simulator.log_density(point)) / reached.max(f64::MIN_POSITIVE)
}

struct Runs<'a, S: ?Sized, D> {
    simulator: &'a S,
    distance: &'a D,
    settings: &'a Settings,
    evaluations: u64,
    failed: u64,
}

impl<S: Simulator + ?Sized, D: Fn(&[f64]) -> f64 + Sync> Runs<'_, S, D> {
    /// A near point for each slot; `None` when the budget ends first. Each slot tries until it has one, so that how long a
    /// slot takes says nothing about what it finds.
    fn generation(
        &mut self,
        generation: usize,
        tolerance: f64,
        propose: impl Fn(&mut Stream) -> Vec<f64> + Sync,
    ) -> Option<Vec<Near>> {
        let mut slots: Vec<Option<Near>> = vec![None; self.settings.particles];
        for attempt in 0_u64.. {
            let open: Vec<usize> = (0..slots.len()).filter(|&slot| slots[slot].is_none()).collect();
            if open.is_empty() {
                return slots.into_iter().collect();
            }
            let domain = format!("samplers/abc/{generation}/{attempt}");
            // Points the prior does not know cost no run.
            let proposed: Vec<(usize, Vec<f64>, Stream)> = open
                .into_par_iter()
                .map(|slot| {
                    let mut stream = Stream::new(self.settings.seed, &domain, slot as u64);
                    let mut point = propose(&mut stream);
                    for _ in 0..1_000 {
                        if self.simulator.log_density(&point).is_finite() {
                            break;
                        }
                        point = propose(&mut stream);
                    }
                    (slot, point, stream)
                })
                .collect();
            if self.evaluations + proposed.len() as u64 > self.settings.budget {
                return None;
            }
            self.evaluations += proposed.len() as u64;
            let ran: Vec<(usize, Vec<f64>, Option<f64>)> = proposed
                .into_par_iter()
                .map(|(slot, point, mut stream)| {
                    let outputs = self.simulator.simulate(&point, &mut stream);
                    let far = outputs.map(|outputs| (self.distance)(&outputs)).filter(|far| far.is_finite());
                    (slot, point, far)
                })
                .collect();
            for (slot, point, far) in ran {
                match far {
                    Some(far) if far <= tolerance => slots[slot] = Some((point, far)),
                    Some(_) => {}
                    None => self.failed += 1,
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samplers::testing::{Noisy, on_threads};

    fn distance(outputs: &[f64]) -> f64 {
        (outputs[0] - 1.0).abs()
    }

    fn settings() -> Settings {
        Settings { seed: 1, particles: 2_000, budget: 400_000, kept: 0.5, tolerance: 0.05 }
    }

    fn moments(generation: &Generation) -> (f64, f64) {
        (generation.points.mean(&generation.weights)[0], generation.points.covariance(&generation.weights)[0])
    }

    #[test]
    fn a_conjugate_case_has_its_posterior() {
        // x ~ N(0, 1), y ~ N(x, 1/4), y = 1: N(0.8, 0.2); a window of half width 0.05 adds next to nothing.
        let generation = run(&Noisy::default(), &distance, &settings()).unwrap();
        assert_eq!(generation.tolerance, 0.05);
        assert!(generation.distances.iter().all(|far| *far <= 0.05));
        let (mean, variance) = moments(&generation);
        assert!((mean - 0.8).abs() < 0.04, "{mean}");
        assert!((variance - 0.2).abs() < 0.025, "{variance}");
        // Without the weights the prior is left out: the last generation's centre, 0.8, takes the place of the prior's, 0.
        let equal = vec![1.0 / 2_000.0; 2_000];
        assert!(generation.points.mean(&equal)[0] > 0.88, "{:?}", generation.points.mean(&equal));
    }

    #[test]
    fn failures_are_never_near_and_the_budget_holds() {
        let failing = Noisy { failing: 0.4 };
        let generation = run(&failing, &distance, &settings()).unwrap();
        let (mean, variance) = moments(&generation);
        assert!(generation.failed > 1_000 && (mean - 0.8).abs() < 0.04 && (variance - 0.2).abs() < 0.025);
        let short = run(&failing, &distance, &Settings { budget: 10_000, ..settings() }).unwrap();
        assert!(short.evaluations <= 10_000 && short.tolerance > 0.05);
        let never = Noisy { failing: 1.1 };
        assert!(matches!(run(&never, &distance, &settings()), Err(AbcError::NoFirstGeneration { .. })));
    }

    #[test]
    fn any_number_of_threads_gives_the_same() {
        let settings = Settings { particles: 300, tolerance: 0.1, ..settings() };
        let of = |threads| on_threads(threads, || run(&Noisy::default(), &distance, &settings).unwrap());
        assert_eq!(of(1), of(4));
    }
}
