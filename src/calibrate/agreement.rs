//! Two runs of a sampler from split seeds must say the same.
//!
//! Each run has its own pilots and candidates. Their means may differ by a tenth of a deviation, their deviations by 7% and their
//! log evidence by 1, and by what chance alone explains: for an effective sample n the mean errs by `sd / sqrt(n)`, the log of the
//! deviation by `1 / sqrt(2 n)`, the log evidence of N candidates by `sqrt((1/n - 1/N))` (Owen 2013, "Monte Carlo theory, methods and
//! examples", 9.3), each taken [`CHANCE`] times.
//!
//! A run is importance sampling (`laplace`); where its weights are too uneven in either run, both are made anew by tempered
//! sequential Monte Carlo (`tempered`).

use nalgebra::DVector;

use crate::calibrate::laplace::{self, Mode, Sample};
use crate::calibrate::sampling::Source;
use crate::calibrate::tempered;

/// Deviations of chance that a difference may have.
const CHANCE: f64 = 4.0;

/// Difference of means in deviations, of log deviations, and of log evidence, that is of no consequence.
const ALLOWED: [f64; 3] = [0.1, 0.07, 1.0];

/// What two runs differ by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Largest difference of means, in deviations; of log deviations; of log evidence.
    pub differences: [f64; 3],
    /// What each may be.
    pub allowed: [f64; 3],
    /// The smaller effective sample.
    pub effective: f64,
}

impl Agreement {
    /// Compares two runs over the same coordinates.
    pub fn of(one: &Sample, other: &Sample) -> Self {
        let (mut means, mut deviations) = (0.0_f64, 0.0_f64);
        for (&(mean, sd), &(other_mean, other_sd)) in one.moments.iter().zip(&other.moments) {
            let both = (0.5 * (sd * sd + other_sd * other_sd)).sqrt().max(1e-300);
            means = means.max((mean - other_mean).abs() / both);
            deviations = deviations.max(libm::log(sd.max(1e-300) / other_sd.max(1e-300)).abs());
        }
        let chance = |of: &dyn Fn(&Sample) -> f64| CHANCE * (of(one) + of(other)).sqrt();
        let number = |sample: &Sample| sample.effective.max(1.0);
        let of_evidence = |sample: &Sample| (1.0 - sample.efficiency).max(0.0) / number(sample);
        Self {
            differences: [means, deviations, (one.log_evidence - other.log_evidence).abs()],
            allowed: [
                ALLOWED[0] + chance(&|sample| 1.0 / number(sample)),
                ALLOWED[1] + chance(&|sample| 0.5 / number(sample)),
                ALLOWED[2] + chance(&of_evidence),
            ],
            effective: one.effective.min(other.effective),
        }
    }

    /// Within what is allowed; a difference that is no number is not.
    pub fn holds(&self) -> bool {
        self.differences.iter().zip(&self.allowed).all(|(difference, allowed)| difference <= allowed)
    }
}

/// Two runs together.
#[derive(Debug, Clone)]
pub struct TwoRuns {
    /// Equally weighted, half of each.
    pub draws: Vec<DVector<f64>>,
    /// Of the worse one.
    pub efficiency: f64,
    pub pareto_k: f64,
    /// Importance sampling would not do: these are draws of tempered sequential Monte Carlo.
    pub tempered: bool,
}

/// Draws of two runs together, half of each, and what the runs differ by.
pub fn two_runs(
    log_density: &(impl Fn(&DVector<f64>) -> f64 + Sync),
    mode: &Mode,
    draws: usize,
    candidates: usize,
    sources: [&mut Source; 2],
) -> (TwoRuns, Agreement) {
    let first = draws.div_ceil(2);
    let [one, other] = sources;
    let mut runs = [
        laplace::sample(log_density, mode, first, candidates, one),
        laplace::sample(log_density, mode, draws - first, candidates, other),
    ];
    let mut is_tempered = false;
    if !runs.iter().all(|run| laplace::even(run.efficiency, run.pareto_k)) {
        let again = [
            tempered::sample(log_density, mode, first, one),
            tempered::sample(log_density, mode, draws - first, other),
        ];
        if let [Some(one), Some(other)] = again {
            (runs, is_tempered) = ([one, other], true);
        }
    }
    let [one, other] = runs;
    let agreement = Agreement::of(&one, &other);
    // Alternately, so that any first part of the draws has half of each.
    let mut those = other.draws.into_iter();
    let mut drawn = Vec::with_capacity(draws);
    for draw in one.draws {
        drawn.push(draw);
        drawn.extend(those.next());
    }
    let sample = TwoRuns {
        draws: drawn,
        efficiency: one.efficiency.min(other.efficiency),
        pareto_k: one.pareto_k.max(other.pareto_k),
        tempered: is_tempered,
    };
    (sample, agreement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;

    fn sources() -> [Source; 2] {
        [0, 1].map(|run| Source::new(1, Purpose::Response, run))
    }

    #[test]
    fn two_runs_of_a_normal_agree_and_know_its_integral() {
        let density = |x: &DVector<f64>| -0.5 * (x[0] * x[0] / 4.0 + x[1] * x[1]);
        let mode = laplace::mode(&density, DVector::from_vec(vec![0.3, 0.1]), &[1.0, 1.0]);
        let [mut one, mut other] = sources();
        let (sample, agreement) = two_runs(&density, &mode, 501, 2_000, [&mut one, &mut other]);
        assert_eq!(sample.draws.len(), 501);
        assert!(agreement.holds() && agreement.effective > 1_500.0, "{agreement:?}");
        // The integral against that of another width: the constant of the dimension falls out.
        let evidence = |density: &(dyn Fn(&DVector<f64>) -> f64 + Sync), mode: &Mode| {
            laplace::sample(&|x: &DVector<f64>| density(x), mode, 10, 2_000, &mut sources()[0]).log_evidence
        };
        let narrow = |x: &DVector<f64>| -0.5 * (x[0] * x[0] + x[1] * x[1]);
        let narrow_mode = laplace::mode(&narrow, DVector::from_vec(vec![0.0, 0.0]), &[1.0, 1.0]);
        assert!((evidence(&density, &mode) - evidence(&narrow, &narrow_mode) - libm::log(2.0)).abs() < 0.05);
    }

    #[test]
    fn runs_that_found_different_modes_do_not_agree() {
        // Two modes far apart: a run that starts at one never sees the other.
        let density = |x: &DVector<f64>| {
            let (a, b) = (-0.5 * (x[0] - 9.0) * (x[0] - 9.0), -0.5 * (x[0] + 9.0) * (x[0] + 9.0));
            a.max(b)
        };
        let run = |start: f64| {
            let mode = laplace::mode(&density, DVector::from_vec(vec![start]), &[1.0]);
            laplace::sample(&density, &mode, 100, 500, &mut Source::new(1, Purpose::Response, 3))
        };
        let agreement = Agreement::of(&run(8.0), &run(-8.0));
        assert!(!agreement.holds() && agreement.differences[0] > 5.0, "{agreement:?}");
        // No number is no agreement.
        let broken = Agreement { differences: [f64::NAN, 0.0, 0.0], allowed: [1.0; 3], effective: 1.0 };
        assert!(!broken.holds());
    }
}
