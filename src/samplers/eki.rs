//! Ensemble Kalman inversion (Iglesias, Law & Stuart 2013) for a simulator: a few ensembles' worth of runs bring a prior
//! ensemble to where the misfit is small. Where the simulator is linear and all is normal the result is the posterior; else it
//! is a screen for misfit and a place to start from, not an answer.
//!
//! One step, for members u with outputs G, observed y of noise covariance Γ, and perturbations ξ ~ N(0, Γ):
//!
//! `u <- u + C_uG (C_GG + a Γ)^-1 (y + sqrt(a) ξ - G)`.
//!
//! The steps' `1 / a` sum to 1, so that the observation is used once. Their size is the data misfit controller of Iglesias &
//! Yang (2021): with misfits `Φ = |Γ^(-1/2) (y - G)|^2 / 2` of the members and M outputs,
//!
//! `1 / a = min(max(M / (2 mean Φ), sqrt(M / (2 var Φ))), 1 - sum so far)`.
//!
//! A member whose run fails is replaced, once the others have moved, by a draw from the normal distribution of the moved others.

use nalgebra::{Cholesky, DMatrix, DVector};
use rayon::prelude::*;

use super::ellipsoid::Ellipsoid;
use super::particles::Cloud;
use super::target::{Simulator, whole};
use crate::rng::Stream;

/// What an inversion is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub seed: u64,
    pub members: usize,
    /// Most runs of the simulator.
    pub budget: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, members: 100, budget: 5_000 }
    }
}

/// What was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub values: Vec<f64>,
    /// Covariance of the noise, row by row.
    pub noise: Vec<f64>,
}

/// An ensemble near the observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    pub members: Cloud,
    /// Misfit of each member's last run, which was made before its last step; infinite where that run failed.
    pub misfit: Vec<f64>,
    /// Mean misfit of the members that ran, step by step.
    pub path: Vec<f64>,
    /// How much of the observation was used: 1 when the budget sufficed.
    pub used: f64,
    pub evaluations: u64,
    pub failed: u64,
}

/// Why there is no ensemble.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EkiError {
    /// The settings or the observation make no inversion.
    #[error("{0}")]
    Settings(&'static str),
    /// Too few members could be run.
    #[error(
        "only {alive} of {members} runs did not fail, too few to learn from: prior and simulator do not fit together"
    )]
    TooFewAlive { alive: usize, members: usize },
}

/// Inverts a simulator.
///
/// # Errors
/// See [`EkiError`].
pub fn run(
    simulator: &(impl Simulator + ?Sized),
    observed: &Observed,
    settings: &Settings,
) -> Result<Ensemble, EkiError> {
    let (members, outputs, d) = (settings.members, observed.values.len(), simulator.dimension());
    if members < 3 || d == 0 || outputs == 0 {
        return Err(EkiError::Settings("an inversion needs 3 members, a parameter and an output"));
    }
    if settings.budget < members as u64 {
        return Err(EkiError::Settings("the budget must cover one run of each member"));
    }
    if observed.noise.len() != outputs * outputs || observed.values.iter().any(|value| !value.is_finite()) {
        return Err(EkiError::Settings("the noise needs a covariance of all outputs, and the observed finite values"));
    }
    let noise = DMatrix::from_row_slice(outputs, outputs, &observed.noise);
    let Some(factor) = Cholesky::new(noise.clone()) else {
        return Err(EkiError::Settings("the covariance of the noise is not positive definite"));
    };
    let y = DVector::from_column_slice(&observed.values);
    let stream = |domain: &str, step: usize, member: usize| {
        Stream::new(settings.seed, domain, ((step as u64) << 32) | member as u64)
    };
    let drawn: Vec<Vec<f64>> = (0..members)
        .into_par_iter()
        .map(|member| simulator.draw(&mut stream("samplers/eki/prior", 0, member)))
        .collect();
    let mut ensemble = Ensemble {
        members: Cloud::new(d, drawn.concat()),
        misfit: vec![f64::INFINITY; members],
        path: Vec::new(),
        used: 0.0,
        evaluations: 0,
        failed: 0,
    };
    while ensemble.used < 1.0 && ensemble.evaluations + members as u64 <= settings.budget {
        let step = ensemble.path.len();
        let ran: Vec<Option<Vec<f64>>> = (0..members)
            .into_par_iter()
            .map(|member| {
                let point = ensemble.members.point(member);
                whole(simulator.simulate(point, &mut stream("samplers/eki/run", step, member)), outputs)
            })
            .collect();
        ensemble.evaluations += members as u64;
        let alive: Vec<usize> = (0..members).filter(|&member| ran[member].is_some()).collect();
        ensemble.failed += (members - alive.len()) as u64;
        if alive.len() < 3 {
            return Err(EkiError::TooFewAlive { alive: alive.len(), members });
        }
        let n = alive.len() as f64;
        let g: Vec<DVector<f64>> = ran.iter().flatten().map(|outputs| DVector::from_column_slice(outputs)).collect();
        ensemble.misfit = vec![f64::INFINITY; members];
        for (&member, g) in alive.iter().zip(&g) {
            let rest = factor.l_dirty().solve_lower_triangular(&(&y - g)).expect("a factor can be inverted");
            ensemble.misfit[member] = 0.5 * rest.norm_squared();
        }
        let mean = alive.iter().map(|&member| ensemble.misfit[member]).sum::<f64>() / n;
        let variance = alive.iter().map(|&member| (ensemble.misfit[member] - mean).powi(2)).sum::<f64>() / n;
        ensemble.path.push(mean);
        let share = controlled(outputs as f64, mean, variance).min(1.0 - ensemble.used);
        let a = 1.0 / share;

        let u = ensemble.members.select(&alive);
        let weights = vec![1.0 / n; alive.len()];
        let u_mean = DVector::from_vec(u.mean(&weights));
        let g_mean = g.iter().fold(DVector::zeros(outputs), |sum, g| sum + g) / n;
        let mut c_ug = DMatrix::zeros(d, outputs);
        let mut c_gg = &noise * a;
        for (u, g) in u.points().zip(&g) {
            let (du, dg) = (DVector::from_column_slice(u) - &u_mean, g - &g_mean);
            c_ug += &du * dg.transpose() / (n - 1.0);
            c_gg += &dg * dg.transpose() / (n - 1.0);
        }
        let Some(gain) = Cholesky::new(c_gg) else {
            return Err(EkiError::Settings("the outputs are too large or too small beside the noise to be compared"));
        };
        for (&member, g) in alive.iter().zip(&g) {
            let mut stream = stream("samplers/eki/noise", step, member);
            let noise = factor.l() * DVector::from_fn(outputs, |_, _| stream.normal());
            let moved = DVector::from_column_slice(ensemble.members.point(member))
                + &c_ug * gain.solve(&(&y + noise * a.sqrt() - g));
            ensemble.members.set(member, moved.as_slice());
        }
        replace(&mut ensemble.members, &alive, |member| stream("samplers/eki/replace", step, member));
        // What is left after a last step is rounding.
        ensemble.used = if ensemble.used + share > 1.0 - 1e-12 { 1.0 } else { ensemble.used + share };
    }
    Ok(ensemble)
}

/// The data misfit controller's `1 / a`.
fn controlled(outputs: f64, mean: f64, variance: f64) -> f64 {
    let by_mean = outputs / (2.0 * mean);
    let by_variance = (outputs / (2.0 * variance)).sqrt();
    let share = by_mean.max(by_variance);
    if share.is_nan() { 1.0 } else { share.clamp(1e-12, 1.0) }
}

/// Draws the members that are not alive from the normal distribution of those that are.
fn replace(members: &mut Cloud, alive: &[usize], stream: impl Fn(usize) -> Stream) {
    if alive.len() == members.len() {
        return;
    }
    let sound = members.select(alive);
    let weights = vec![1.0 / alive.len() as f64; alive.len()];
    let normal = Ellipsoid::new(sound.mean(&weights), &sound.covariance(&weights));
    let mut point = normal.mean.clone();
    for member in (0..members.len()).filter(|member| alive.binary_search(member).is_err()) {
        normal.draw(&normal.mean, 1.0, &mut stream(member), &mut point);
        members.set(member, &point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samplers::testing::{Linear, on_threads};

    fn observed() -> Observed {
        Observed { values: vec![1.0, 2.0, -0.5], noise: vec![0.25, 0.0, 0.0, 0.0, 0.5, 0.1, 0.0, 0.1, 0.5] }
    }

    /// Mean and covariance of the posterior: N(0, I) prior, `G = A u`.
    fn exact(linear: &Linear) -> (DVector<f64>, DMatrix<f64>) {
        let a = DMatrix::from_row_slice(3, 2, &linear.matrix);
        let noise = DMatrix::from_row_slice(3, 3, &observed().noise);
        let precision = DMatrix::identity(2, 2) + a.transpose() * noise.clone().try_inverse().unwrap() * &a;
        let covariance = precision.try_inverse().unwrap();
        let mean = &covariance * a.transpose() * noise.try_inverse().unwrap() * DVector::from_vec(observed().values);
        (mean, covariance)
    }

    fn settings() -> Settings {
        Settings { seed: 1, members: 4_000, budget: 1_000_000 }
    }

    #[test]
    fn a_linear_problem_has_its_posterior() {
        let linear = Linear::default();
        let (mean, covariance) = exact(&linear);
        let ensemble = run(&linear, &observed(), &settings()).unwrap();
        assert_eq!(ensemble.used, 1.0);
        assert!(ensemble.path.len() > 1, "one step would test no controller");
        let weights = vec![1.0 / 4_000.0; 4_000];
        let (found, spread) = (ensemble.members.mean(&weights), ensemble.members.covariance(&weights));
        for i in 0..2 {
            assert!((found[i] - mean[i]).abs() < 0.05, "{found:?}, exactly {mean}");
            for j in 0..2 {
                assert!((spread[2 * i + j] - covariance[(i, j)]).abs() < 0.03, "{spread:?}, exactly {covariance}");
            }
        }
    }

    #[test]
    fn an_observation_used_twice_would_be_seen() {
        let linear = Linear::default();
        let (_, covariance) = exact(&linear);
        let mut twice = observed();
        twice.noise.iter_mut().for_each(|value| *value *= 0.5);
        let ensemble = run(&linear, &twice, &settings()).unwrap();
        let spread = ensemble.members.covariance(&vec![1.0 / 4_000.0; 4_000]);
        assert!((spread[0] - covariance[(0, 0)]).abs() > 0.06, "{spread:?}, exactly {covariance}");
    }

    #[test]
    fn failed_members_are_replaced_and_change_little() {
        // Runs fail for reasons that have nothing to do with the parameters.
        let linear = Linear { failing: 0.3, ..Linear::default() };
        let (mean, _) = exact(&linear);
        let ensemble = run(&linear, &observed(), &settings()).unwrap();
        assert!(ensemble.failed > 1_000);
        let found = ensemble.members.mean(&vec![1.0 / 4_000.0; 4_000]);
        assert!(ensemble.members.values().iter().all(|value| value.is_finite()));
        assert!((found[0] - mean[0]).abs() < 0.07 && (found[1] - mean[1]).abs() < 0.07, "{found:?}, exactly {mean}");
        let all = Linear { failing: 1.1, ..Linear::default() };
        assert_eq!(run(&all, &observed(), &settings()), Err(EkiError::TooFewAlive { alive: 0, members: 4_000 }));
    }

    #[test]
    fn the_misfit_falls_and_the_budget_holds() {
        let linear = Linear::default();
        let mut far = observed();
        far.values = vec![40.0, -60.0, 30.0];
        let ensemble = run(&linear, &far, &settings()).unwrap();
        assert!(ensemble.path.windows(2).all(|pair| pair[1] < pair[0]), "{:?}", ensemble.path);
        let short = run(&linear, &far, &Settings { budget: 8_000, ..settings() }).unwrap();
        assert_eq!(short.evaluations, 8_000);
        assert!(short.used < 1.0);
    }

    #[test]
    fn any_number_of_threads_gives_the_same() {
        let settings = Settings { members: 200, ..settings() };
        let linear = Linear { failing: 0.1, ..Linear::default() };
        let of = |threads| on_threads(threads, || run(&linear, &observed(), &settings).unwrap());
        assert_eq!(of(1), of(4));
    }

    #[test]
    fn the_controller_in_closed_form() {
        assert_eq!(controlled(4.0, 20.0, 1e9), 0.1);
        assert_eq!(controlled(4.0, 1e9, 8.0), 0.5);
        assert_eq!(controlled(4.0, 0.0, 0.0), 1.0);
    }
}
