//! Posteriors of few dimensions: mode, Laplace's approximation, and importance sampling from a heavy-tailed version of
//! it, which makes the draws exact where Laplace is not and says how far off it was.
//!
//! Proposal: multivariate Student-t with [`DEGREES`] degrees of freedom at the mode, scale = inverse Hessian. Candidates
//! are weighted by density / proposal and resampled systematically (Carpenter, Clifford & Fearnhead 1999). Diagnosed
//! by the effective sample size and Pareto's k of the largest weights (Vehtari et al. 2024; k > 0.7: do not trust).

use nalgebra::{Cholesky, DMatrix, DVector};
use rayon::prelude::*;

use crate::calibrate::sampling::Source;
use crate::samplers::particles::effective;

/// Degrees of freedom of the proposal.
const DEGREES: f64 = 7.0;

/// Most pilots that correct the proposal.
const PILOTS: usize = 6;

/// The mode of a log density with its curvature.
#[derive(Debug, Clone)]
pub struct Mode {
    pub at: DVector<f64>,
    /// Inverse of the negative Hessian.
    pub covariance: DMatrix<f64>,
    /// The Hessian had to be bent to be positive definite.
    pub bent: bool,
}

/// Weighted candidates, resampled.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Equally weighted.
    pub draws: Vec<DVector<f64>>,
    /// Effective sample size of the candidates as a share of their number.
    pub efficiency: f64,
    /// Shape of the generalised Pareto fitted to the largest weights.
    pub pareto_k: f64,
    /// Log of the integral of the density, up to a constant that depends on the dimension alone.
    pub log_evidence: f64,
    /// Effective number of candidates.
    pub effective: f64,
    /// Weighted mean and deviation of each coordinate.
    pub moments: Vec<(f64, f64)>,
}

/// Whether weights are even enough to stand for the density; with most candidates in use one heavy tail more or less does no harm.
pub fn even(efficiency: f64, pareto_k: f64) -> bool {
    (efficiency >= 0.3 && pareto_k < 0.7) || efficiency >= 0.6
}

/// Finds the mode of `log_density` by BFGS with central differences; `scale` is a first guess at each coordinate's
/// posterior deviation. `log_density` may be minus infinity away from the start, never at it.
pub fn mode(log_density: &(impl Fn(&DVector<f64>) -> f64 + Sync), start: DVector<f64>, scale: &[f64]) -> Mode {
    let n = start.len();
    if n == 0 {
        return Mode { at: start, covariance: DMatrix::zeros(0, 0), bent: false };
    }
    let gradient = |at: &DVector<f64>| {
        let slopes: Vec<f64> = (0..n)
            .map(|i| {
                let step = 0.02 * scale[i];
                let (mut up, mut down) = (at.clone(), at.clone());
                up[i] += step;
                down[i] -= step;
                (log_density(&up) - log_density(&down)) / (2.0 * step)
            })
            .collect();
        DVector::from_vec(slopes)
    };
    let mut inverse = DMatrix::from_diagonal(&DVector::from_iterator(n, scale.iter().map(|s| s * s)));
    let mut at = start;
    let mut value = log_density(&at);
    let mut slope = gradient(&at);
    for _ in 0..300 {
        let mut direction = &inverse * &slope;
        // No coordinate moves by more than three of its guessed deviations at once.
        let reach = (0..n).map(|i| direction[i].abs() / (3.0 * scale[i])).fold(1.0, f64::max);
        direction /= reach;
        let gain = direction.dot(&slope);
        if !gain.is_finite() || gain < 1e-4 {
            break;
        }
        let mut length = 1.0;
        let (mut next, mut reached) = (&at + &direction, f64::NEG_INFINITY);
        for _ in 0..12 {
            next = &at + &direction * length;
            reached = log_density(&next);
            if reached >= value + 1e-4 * length * gain {
                break;
            }
            length *= 0.5;
        }
        if reached <= value || reached.is_nan() {
            break;
        }
        let next_slope = gradient(&next);
        let moved = &next - &at;
        let turned = &slope - &next_slope;
        let curvature = moved.dot(&turned);
        if curvature > 1e-12 {
            let rho = 1.0 / curvature;
            let identity = DMatrix::identity(n, n);
            let left = &identity - rho * &moved * turned.transpose();
            let right = &identity - rho * &turned * moved.transpose();
            inverse = left * inverse * right + rho * &moved * moved.transpose();
        }
        let change = reached - value;
        (at, value, slope) = (next, reached, next_slope);
        if change < 1e-5 {
            break;
        }
    }
    let widths: Vec<f64> = (0..n).map(|i| inverse[(i, i)].max(0.0).sqrt().clamp(0.02 * scale[i], scale[i])).collect();
    let information = negative_hessian(log_density, &at, value, &widths);
    let (covariance, bent) = invert(&information, scale);
    // One step of Newton's with the Hessian that is there now.
    let step = &covariance * gradient(&at);
    let within = (0..n).all(|i| step[i].abs() <= 3.0 * scale[i]);
    if within {
        let polished = &at + step;
        if log_density(&polished) >= value {
            at = polished;
        }
    }
    Mode { at, covariance, bent }
}

/// Minus the matrix of second derivatives, by central differences with steps of half the `widths`.
pub fn negative_hessian(
    log_density: &(impl Fn(&DVector<f64>) -> f64 + Sync),
    at: &DVector<f64>,
    value: f64,
    widths: &[f64],
) -> DMatrix<f64> {
    let n = at.len();
    let moved = |moves: &[(usize, f64)]| {
        let mut point = at.clone();
        for &(i, sign) in moves {
            point[i] += sign * 0.5 * widths[i];
        }
        log_density(&point)
    };
    let mut out = DMatrix::zeros(n, n);
    for i in 0..n {
        for j in 0..=i {
            let (hi, hj) = (0.5 * widths[i], 0.5 * widths[j]);
            let second = if i == j {
                (moved(&[(i, 1.0)]) - 2.0 * value + moved(&[(i, -1.0)])) / (hi * hi)
            } else {
                let straight = moved(&[(i, 1.0), (j, 1.0)]) + moved(&[(i, -1.0), (j, -1.0)]);
                let crossed = moved(&[(i, 1.0), (j, -1.0)]) + moved(&[(i, -1.0), (j, 1.0)]);
                (straight - crossed) / (4.0 * hi * hj)
            };
            out[(i, j)] = -second;
            out[(j, i)] = -second;
        }
    }
    out
}

/// Inverse of an information matrix; where it is not positive definite, directions without information get the
/// deviations of `scale` (the prior's) instead. The flag says that this was needed.
fn invert(information: &DMatrix<f64>, scale: &[f64]) -> (DMatrix<f64>, bool) {
    let n = information.nrows();
    let unit = DMatrix::from_diagonal(&DVector::from_column_slice(scale));
    // In units of the scale the prior alone would give eigenvalues of about 1.
    let scaled = &unit * information * &unit;
    let finite = scaled.iter().all(|x| x.is_finite());
    let symmetric = if finite { scaled } else { DMatrix::identity(n, n) };
    let eigen = symmetric.symmetric_eigen();
    let floor = 0.25;
    let bent = !finite || eigen.eigenvalues.iter().any(|&value| value < floor);
    let inverse = DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| 1.0 / value.max(floor)));
    (&unit * &eigen.eigenvectors * inverse * eigen.eigenvectors.transpose() * &unit, bent)
}

/// Draws from the density whose mode is given: `candidates` proposals, `draws` kept. Pilots of a quarter as many
/// candidates first correct centre and spread of the proposal, until a fifth of one counts (adaptive importance
/// sampling; Cappé et al. 2008).
/// Candidates are evaluated in parallel; the result does not depend on the number of threads.
pub fn sample(
    log_density: &(impl Fn(&DVector<f64>) -> f64 + Sync),
    mode: &Mode,
    draws: usize,
    candidates: usize,
    source: &mut Source,
) -> Sample {
    let n = mode.at.len();
    if n == 0 {
        return Sample {
            draws: vec![mode.at.clone(); draws],
            efficiency: 1.0,
            pareto_k: f64::NEG_INFINITY,
            log_evidence: 0.0,
            effective: candidates as f64,
            moments: Vec::new(),
        };
    }
    let (mut centre, mut covariance) = (mode.at.clone(), mode.covariance.clone());
    let pilot = (candidates / 4).max(60);
    for _ in 0..PILOTS {
        let (points, log_weights) = propose(log_density, &centre, &covariance, pilot, source);
        let (tempered, power) = temper(&log_weights);
        (centre, covariance) = corrected(&points, &tempered, &centre, &covariance);
        if power >= 1.0 {
            break;
        }
    }
    let (proposals, log_weights) = propose(log_density, &centre, &covariance, candidates, source);
    let highest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut weights: Vec<f64> = log_weights.iter().map(|w| libm::exp(w - highest)).collect();
    if !highest.is_finite() {
        weights = vec![1.0; candidates];
    }
    let pareto_k = pareto_k(&weights);
    let total: f64 = weights.iter().sum();
    let effective = if highest.is_finite() { effective(&weights) } else { 0.0 };
    let efficiency = effective / candidates as f64;
    let scale = Cholesky::new(covariance).map_or(0.0, |root| root.l().diagonal().map(libm::log).sum());
    let log_evidence = highest + libm::log(total / candidates as f64) + scale;
    let moments = (0..n)
        .map(|k| {
            let sum = |of: &dyn Fn(f64) -> f64| {
                proposals.iter().zip(&weights).map(|(point, weight)| weight * of(point[k])).sum::<f64>() / total
            };
            let mean = sum(&|x| x);
            (mean, sum(&|x| (x - mean) * (x - mean)).sqrt())
        })
        .collect();
    // Systematic resampling: one uniform, equally spaced pointers. Then a keyed shuffle, so that a draw's number says
    // nothing about its place.
    let mut chosen = Vec::with_capacity(draws);
    let offset = source.uniform();
    let (mut below, mut next) = (0.0, 0);
    for (i, weight) in weights.iter().enumerate() {
        below += weight / total * draws as f64;
        while next < draws && (next as f64 + offset) < below {
            chosen.push(i);
            next += 1;
        }
    }
    while chosen.len() < draws {
        chosen.push(candidates - 1);
    }
    source.shuffle(&mut chosen);
    let draws = chosen.into_iter().map(|i| proposals[i].clone()).collect();
    Sample { draws, efficiency, pareto_k, log_evidence, effective, moments }
}

/// A draw of the proposal in its own coordinates.
pub(super) fn student_t(dimension: usize, source: &mut Source) -> DVector<f64> {
    let z = DVector::from_fn(dimension, |_, _| source.normal());
    let chi_square = 2.0 * source.gamma(0.5 * DEGREES);
    &z * (DEGREES / chi_square).sqrt()
}

/// Its log density there, but for a constant that depends on the dimension alone.
pub(super) fn log_student_t(t: &DVector<f64>) -> f64 {
    -0.5 * (DEGREES + t.len() as f64) * libm::log1p(t.norm_squared() / DEGREES)
}

/// Proposals around a centre with the logs of their weights.
fn propose(
    log_density: &(impl Fn(&DVector<f64>) -> f64 + Sync),
    centre: &DVector<f64>,
    covariance: &DMatrix<f64>,
    candidates: usize,
    source: &mut Source,
) -> (Vec<DVector<f64>>, Vec<f64>) {
    let n = centre.len();
    let root = Cholesky::new(covariance.clone())
        .map_or_else(|| DMatrix::from_diagonal(&covariance.diagonal().map(|v| v.max(1e-12).sqrt())), |c| c.l());
    let proposals: Vec<(DVector<f64>, f64)> = (0..candidates)
        .map(|_| {
            let t = student_t(n, source);
            let log_proposal = log_student_t(&t);
            (centre + &root * t, log_proposal)
        })
        .collect();
    let log_weights = proposals
        .par_iter()
        .map(|(point, log_proposal)| {
            let value = log_density(point) - log_proposal;
            if value.is_nan() { f64::NEG_INFINITY } else { value }
        })
        .collect();
    (proposals.into_iter().map(|(point, _)| point).collect(), log_weights)
}

/// Weights from their logs, raised to the power (at most 1) at which a fifth of them count: a pilot that is far off still
/// says where to go next.
fn temper(log_weights: &[f64]) -> (Vec<f64>, f64) {
    let highest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !highest.is_finite() {
        return (vec![1.0; log_weights.len()], 0.0);
    }
    let raised = |power: f64| -> Vec<f64> { log_weights.iter().map(|w| libm::exp(power * (w - highest))).collect() };
    let wanted = 0.2 * log_weights.len() as f64;
    let whole = raised(1.0);
    if effective(&whole) >= wanted {
        return (whole, 1.0);
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if effective(&raised(middle)) >= wanted { low = middle } else { high = middle }
    }
    (raised(low), low)
}

/// Centre and covariance from a weighted pilot, partly the earlier ones where the pilot is poor.
fn corrected(
    points: &[DVector<f64>],
    weights: &[f64],
    earlier: &DVector<f64>,
    covariance: &DMatrix<f64>,
) -> (DVector<f64>, DMatrix<f64>) {
    let total: f64 = weights.iter().sum();
    let effective = effective(weights);
    let n = earlier.len();
    // As many pseudo-points of the earlier proposal as five for every dimension.
    let trust = effective / (effective + 5.0 * n as f64);
    let mut mean = DVector::zeros(n);
    for (point, weight) in points.iter().zip(weights) {
        mean += point * (weight / total);
    }
    let centre = &mean * trust + earlier * (1.0 - trust);
    let mut spread = DMatrix::zeros(n, n);
    for (point, weight) in points.iter().zip(weights) {
        let away = point - &centre;
        spread += &away * away.transpose() * (weight / total);
    }
    (centre, spread * trust + covariance * (1.0 - trust))
}

/// Shape of a generalised Pareto distribution fitted to the largest weights by Zhang & Stephens' (2009) estimator, as
/// in Pareto-smoothed importance sampling.
fn pareto_k(weights: &[f64]) -> f64 {
    let mut sorted = weights.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let tail = ((0.2 * n as f64) as usize).min((3.0 * (n as f64).sqrt()) as usize);
    if tail < 5 {
        return f64::NEG_INFINITY;
    }
    let cut = sorted[n - tail - 1];
    let excess: Vec<f64> = sorted[n - tail..].iter().map(|w| w - cut).filter(|&x| x > 0.0).collect();
    if excess.len() < 5 {
        return f64::NEG_INFINITY;
    }
    let m = excess.len();
    let quarter = excess[(m as f64 / 4.0 + 0.5) as usize - 1];
    let largest = excess[m - 1];
    let grid = 30 + (m as f64).sqrt() as usize;
    let theta: Vec<f64> =
        (1..=grid).map(|j| 1.0 / largest + (1.0 - (grid as f64 / (j as f64 - 0.5)).sqrt()) / (3.0 * quarter)).collect();
    let shape = |theta: f64| excess.iter().map(|x| libm::log1p(-theta * x)).sum::<f64>() / m as f64;
    let profile: Vec<f64> = theta
        .iter()
        .map(|&theta| {
            let k = shape(theta);
            m as f64 * (libm::log(-theta / k) - k - 1.0)
        })
        .collect();
    let mean_theta = theta
        .iter()
        .zip(&profile)
        .map(|(theta, here)| theta / profile.iter().map(|other| libm::exp(other - here)).sum::<f64>())
        .sum::<f64>();
    let k = shape(mean_theta);
    // Weakly informative prior of k at 0.5, as in the paper on Pareto-smoothed importance sampling.
    (m as f64 * k + 5.0) / (m as f64 + 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;
    use crate::stats::{mean_sd, quantile_sorted};

    #[test]
    fn a_gaussian_is_found_and_sampled() {
        let precision = DMatrix::from_row_slice(2, 2, &[4.0, 1.5, 1.5, 2.0]);
        let centre = DVector::from_vec(vec![1.0, -2.0]);
        let density = |x: &DVector<f64>| {
            let d = x - &centre;
            -0.5 * (d.transpose() * &precision * &d)[(0, 0)]
        };
        let mode = mode(&density, DVector::from_vec(vec![0.0, 0.0]), &[1.0, 1.0]);
        assert!((&mode.at - &centre).norm() < 1e-3, "{}", mode.at);
        let truth = precision.clone().try_inverse().unwrap();
        assert!((&mode.covariance - &truth).norm() < 1e-3, "{}", mode.covariance);
        assert!(!mode.bent);
        let sample = sample(&density, &mode, 4000, 4000, &mut Source::new(3, Purpose::Response, 0));
        assert!(sample.efficiency > 0.8, "{}", sample.efficiency);
        assert!(sample.pareto_k < 0.5, "{}", sample.pareto_k);
        let first: Vec<f64> = sample.draws.iter().map(|d| d[0]).collect();
        let (mean, sd) = mean_sd(&first);
        assert!((mean - 1.0).abs() < 0.03);
        assert!((sd / truth[(0, 0)].sqrt() - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_skewed_density_is_sampled_as_it_is() {
        // Gamma(3) on the log scale: x = log y, density 3x - exp(x). Laplace alone would miss the skew.
        let density = |x: &DVector<f64>| 3.0 * x[0] - libm::exp(x[0]);
        let mode = mode(&density, DVector::from_vec(vec![0.0]), &[1.0]);
        assert!((mode.at[0] - libm::log(3.0)).abs() < 1e-3);
        let sample = sample(&density, &mode, 8000, 16000, &mut Source::new(5, Purpose::Response, 0));
        let mut values: Vec<f64> = sample.draws.iter().map(|d| libm::exp(d[0])).collect();
        values.sort_unstable_by(f64::total_cmp);
        // qgamma(c(.05, .5, .95), 3)
        for (level, wanted) in [(0.05, 0.8177), (0.5, 2.6741), (0.95, 6.2958)] {
            assert!((quantile_sorted(&values, level) / wanted - 1.0).abs() < 0.06, "{level}");
        }
    }

    #[test]
    fn a_proposal_that_is_far_off_is_mended() {
        // The mode is half a deviation off and its spread a tenth of the truth.
        let density = |x: &DVector<f64>| -0.5 * (x[0] * x[0] + x[1] * x[1]);
        let wrong = Mode {
            at: DVector::from_vec(vec![0.5, 0.0]),
            covariance: DMatrix::from_diagonal_element(2, 2, 0.01),
            bent: false,
        };
        let sample = sample(&density, &wrong, 2000, 2000, &mut Source::new(9, Purpose::Response, 0));
        let (mean, sd) = mean_sd(&sample.draws.iter().map(|d| d[0]).collect::<Vec<f64>>());
        assert!(sample.efficiency > 0.5 && mean.abs() < 0.1 && (sd - 1.0).abs() < 0.1, "{mean} ± {sd}");
    }

    #[test]
    fn a_flat_direction_keeps_the_priors_width() {
        let density = |x: &DVector<f64>| -0.5 * x[0] * x[0];
        let mode = mode(&density, DVector::from_vec(vec![0.5, 0.5]), &[1.0, 2.0]);
        assert!(mode.bent);
        assert!((mode.covariance[(1, 1)] - 16.0).abs() < 1e-3);
    }
}
