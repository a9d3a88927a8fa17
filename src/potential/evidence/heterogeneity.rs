//! How many were caught never, when some are seen more easily than others: M_t, M_h and M_th, averaged.
//!
//! Member i of a population of N is on list l with probability `logistic(a_l + b h_i)`, independently given its visibility h_i,
//! which has mean 0 and variance 1 (Rasch model; Darroch, Fienberg, Glonek & Junker 1993; Coull & Agresti 1999). The shared h
//! is the dependence between lists. Three families of h, each with prior weight 1/3:
//!
//! | family | h | prior |
//! |---|---|---|
//! | alike (M_0, M_t) | none, b = 0 | |
//! | normal | N(0, 1) | b ~ N+(0, 1) |
//! | two classes (Pledger 2000) | a share w of easily seen | w uniform on 0.1, 0.2, .., 0.9; b ~ N+(0, 1) |
//!
//! Levels a_l ~ N(-1, 2^2), each list its own; where only the numbers caught once, twice, .. of K occasions are known, the
//! occasions share one level. `p(N) ~ 1 / N`: then, with n seen and q the probability of being on no list, N cancels from the
//! likelihood of the other parameters (the histories of those seen, given that they were seen), and N - n given q is negative
//! binomial(n, 1 - q). The likelihood depends on the data through list totals T_l and the numbers f_s on exactly s lists alone:
//! `sum T_l a_l + sum f_s log g(s) - n log(1 - g(0))`, `g(s) = E exp(s b h) prod_l (1 - p_l(h))`, `q = g(0)`.
//!
//! Integration: b and w on a grid, the levels by importance sampling about their mode at each grid point; no tuning, no Markov
//! chain.
//!
//! The data alone cannot tell one family from another (Link 2003): families that fit the seen alike may differ in the unseen.
//! The average over families makes the interval admit it; a population with many members that are next to invisible stays out
//! of reach.

use nalgebra::{DMatrix, DVector};
use rand::RngExt as _;
use rand_distr::{Distribution as _, Gamma, Poisson, StandardNormal};

use crate::rng::Stream;

/// Prior of a list's level, on the logit scale.
const LEVEL_MEAN: f64 = -1.0;
const LEVEL_SD: f64 = 2.0;
/// Proposals at each grid point, and how much wider than the normal at the mode they are drawn.
const PROPOSALS: usize = 40;
const WIDENED: f64 = 1.3;
/// Draws of N - n that are handed on.
const DRAWS: usize = 2000;

/// What the lists say that bears on the number of unseen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tally {
    /// Members on each list; one figure, the captures of all occasions, where the occasions are taken to be alike.
    totals: Vec<f64>,
    /// Lists that share a level: 1, or the number of occasions.
    alike: f64,
    /// `[s - 1]`: members on exactly s lists.
    frequencies: Vec<f64>,
}

impl Tally {
    /// From counts by capture history (bit l of the index: on list l); entry 0 is not read.
    pub(super) fn of_histories(cells: &[f64], lists: usize) -> Self {
        let mut totals = vec![0.0; lists];
        let mut frequencies = vec![0.0; lists];
        for (history, &count) in cells.iter().enumerate().skip(1) {
            for (l, total) in totals.iter_mut().enumerate() {
                *total += count * (history >> l & 1) as f64;
            }
            if let Some(cell) = frequencies.get_mut(history.count_ones() as usize - 1) {
                *cell += count;
            }
        }
        Self { totals, alike: 1.0, frequencies }
    }

    /// From `[s - 1]`: caught on exactly s of `occasions` occasions of one kind.
    #[cfg(test)]
    pub(super) fn of_frequencies(frequencies: &[f64], occasions: usize) -> Self {
        let captures = frequencies.iter().zip(1..).map(|(f, s)| f * f64::from(s)).sum();
        Self { totals: vec![captures], alike: occasions as f64, frequencies: frequencies.to_vec() }
    }

    pub(super) fn seen(&self) -> f64 {
        self.frequencies.iter().sum()
    }
}

/// Posterior of the unseen.
#[derive(Debug, Clone)]
pub(super) struct Unseen {
    /// Draws of N - n.
    pub draws: Vec<f64>,
    /// Posterior weight of the family without heterogeneity.
    pub alike: f64,
}

/// A family of visibility at one grid point: nodes (b h, weight), and the log of the prior weight.
struct Shape {
    nodes: Vec<(f64, f64)>,
    log_prior: f64,
    alike: bool,
}

/// Posterior of the number on no list; `None` when nobody was seen or there is one list only.
pub(super) fn unseen(tally: &Tally, seed: u64, index: u64) -> Option<Unseen> {
    let seen = tally.seen();
    if !(seen >= 1.0 && seen.is_finite()) || tally.alike * (tally.totals.len() as f64) < 2.0 {
        return None;
    }
    let mut rng = Stream::new(seed, "potential/capture-recapture", index);
    let mut start = DVector::from_element(tally.totals.len(), LEVEL_MEAN);
    // (log weight, probability of being on no list, family without heterogeneity)
    let mut candidates: Vec<(f64, f64, bool)> = Vec::new();
    for shape in shapes() {
        let mode = mode(tally, &shape.nodes, start)?;
        for _ in 0..PROPOSALS {
            let z = DVector::from_fn(mode.at.len(), |_, _| StandardNormal.sample(&mut rng));
            let levels = &mode.at + WIDENED * (&mode.root * &z);
            let log_proposal = -0.5 * z.norm_squared() - mode.log_determinant;
            let at = density(tally, &shape.nodes, &levels);
            let weight = at.log_posterior + shape.log_prior - log_proposal;
            if weight.is_finite() {
                candidates.push((weight, at.unseen, shape.alike));
            }
        }
        start = mode.at;
    }
    let top = candidates.iter().map(|c| c.0).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = candidates.iter().map(|c| libm::exp(c.0 - top)).collect();
    let total: f64 = weights.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let alike = weights.iter().zip(&candidates).filter(|(_, c)| c.2).map(|(w, _)| w).sum::<f64>() / total;
    let gamma = Gamma::new(seen, 1.0).ok()?;
    let offset: f64 = rng.random();
    let (mut at, mut passed) = (0, weights[0]);
    let draws = (0..DRAWS)
        .map(|draw| {
            // Systematic resampling: the candidates are in order of the grid.
            let level = (draw as f64 + offset) / DRAWS as f64 * total;
            while passed < level && at + 1 < weights.len() {
                at += 1;
                passed += weights[at];
            }
            let none = candidates[at].1;
            poisson(gamma.sample(&mut rng) * none / (1.0 - none).max(1e-9), &mut rng)
        })
        .collect();
    Some(Unseen { draws, alike })
}

/// A Poisson number; beyond any number of customers, its mean.
pub(super) fn poisson(mean: f64, rng: &mut Stream) -> f64 {
    if mean > 1e9 {
        return mean;
    }
    Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(rng))
}

/// The grid of families.
fn shapes() -> Vec<Shape> {
    let third = libm::log(1.0 / 3.0);
    let spreads: Vec<f64> = (0..17).map(|i| 0.1 + 0.2 * f64::from(i)).collect();
    let mass: f64 = spreads.iter().map(|b| libm::exp(-0.5 * b * b)).sum();
    let prior = |b: f64| third - 0.5 * b * b - libm::log(mass);
    let heights: Vec<f64> = (-16..=16).map(|i| 0.25 * f64::from(i)).collect();
    let total: f64 = heights.iter().map(|h| libm::exp(-0.5 * h * h)).sum();
    let mut out = vec![Shape { nodes: vec![(0.0, 1.0)], log_prior: third, alike: true }];
    out.extend(spreads.iter().map(|&b| Shape {
        nodes: heights.iter().map(|&h| (b * h, libm::exp(-0.5 * h * h) / total)).collect(),
        log_prior: prior(b),
        alike: false,
    }));
    for share in (1..10).map(|i| 0.1 * f64::from(i)) {
        out.extend(spreads.iter().map(|&b| {
            let odds = ((1.0 - share) / share).sqrt();
            Shape {
                nodes: vec![(b * odds, share), (-b / odds, 1.0 - share)],
                log_prior: prior(b) - libm::log(9.0),
                alike: false,
            }
        }));
    }
    out
}

/// The log posterior of the levels, its gradient, and the probability of being on no list.
struct Density {
    log_posterior: f64,
    gradient: DVector<f64>,
    unseen: f64,
}

fn density(tally: &Tally, nodes: &[(f64, f64)], levels: &DVector<f64>) -> Density {
    let width = levels.len();
    let seen = tally.seen();
    // At each node: log of weight x probability of no list, and the probabilities by list.
    let mut rows: Vec<(f64, f64, Vec<f64>)> = Vec::with_capacity(nodes.len());
    for &(height, weight) in nodes {
        let mut log_none = libm::log(weight);
        let on: Vec<f64> = levels
            .iter()
            .map(|level| {
                let x = level + height;
                let softplus = if x > 30.0 { x } else { libm::log1p(libm::exp(x)) };
                log_none -= tally.alike * softplus;
                libm::exp(x - softplus)
            })
            .collect();
        rows.push((log_none, height, on));
    }
    let mut mean = DVector::zeros(width);
    // log g(s), and the mean of p_l under its weights.
    let moments = |times: f64, mean: &mut DVector<f64>| -> f64 {
        let top = rows.iter().map(|(none, height, _)| none + times * height).fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        mean.fill(0.0);
        for (none, height, on) in &rows {
            let weight = libm::exp(none + times * height - top);
            sum += weight;
            mean.iter_mut().zip(on).for_each(|(m, p)| *m += weight * p);
        }
        *mean *= tally.alike / sum;
        top + libm::log(sum)
    };
    let log_unseen = moments(0.0, &mut mean);
    let none = libm::exp(log_unseen).min(1.0 - 1e-12);
    let mut log = -seen * libm::log1p(-none);
    let mut gradient = -(seen * none / (1.0 - none)) * &mean;
    for (times, &count) in (1..).zip(&tally.frequencies) {
        if count > 0.0 {
            log += count * moments(f64::from(times), &mut mean);
            gradient -= count * &mean;
        }
    }
    for (l, &level) in levels.iter().enumerate() {
        let z = (level - LEVEL_MEAN) / LEVEL_SD;
        log += tally.totals[l] * level - 0.5 * z * z;
        gradient[l] += tally.totals[l] - z / LEVEL_SD;
    }
    Density { log_posterior: log, gradient, unseen: none }
}

/// The mode of the levels and a root of the inverse of the curvature there, with the log of its determinant.
struct Mode {
    at: DVector<f64>,
    root: DMatrix<f64>,
    log_determinant: f64,
}

fn mode(tally: &Tally, nodes: &[(f64, f64)], start: DVector<f64>) -> Option<Mode> {
    let mut at = start;
    let mut here = density(tally, nodes, &at);
    let mut bend = Curvature::new(tally, nodes, &at)?;
    for _ in 0..60 {
        let step = bend.vectors.clone() * (bend.vectors.transpose() * &here.gradient).component_div(&bend.values);
        let slope = here.gradient.dot(&step);
        let mut factor = (2.0 / step.amax().max(1e-300)).min(1.0);
        let mut moved = false;
        while !moved && factor > 1e-6 {
            let next = &at + factor * &step;
            let there = density(tally, nodes, &next);
            moved = there.log_posterior >= here.log_posterior;
            if moved {
                (at, here) = (next, there);
            }
            factor *= 0.5;
        }
        if !moved || slope < 1e-6 {
            break;
        }
        bend = Curvature::new(tally, nodes, &at)?;
    }
    let root = &bend.vectors * DMatrix::from_diagonal(&bend.values.map(|value| 1.0 / value.sqrt()));
    let log_determinant = -0.5 * bend.values.iter().map(|value| libm::log(*value)).sum::<f64>();
    Some(Mode { at, root, log_determinant })
}

/// Eigenvalues and vectors of the negative second derivative, by central differences of the gradient; every direction is made
/// to bend at least as much as the prior does.
struct Curvature {
    values: DVector<f64>,
    vectors: DMatrix<f64>,
}

impl Curvature {
    fn new(tally: &Tally, nodes: &[(f64, f64)], at: &DVector<f64>) -> Option<Self> {
        const STEP: f64 = 1e-4;
        let width = at.len();
        let mut second = DMatrix::zeros(width, width);
        for l in 0..width {
            let mut shifted = at.clone();
            shifted[l] += STEP;
            let up = density(tally, nodes, &shifted).gradient;
            shifted[l] -= 2.0 * STEP;
            let down = density(tally, nodes, &shifted).gradient;
            second.set_column(l, &((down - up) / (2.0 * STEP)));
        }
        if second.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let eigen = (0.5 * (&second + second.transpose())).symmetric_eigen();
        let values = eigen.eigenvalues.map(|value| value.max(1.0 / (LEVEL_SD * LEVEL_SD)));
        Some(Self { values, vectors: eigen.eigenvectors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Summary;

    #[test]
    fn the_gradient_is_that_of_the_density() {
        let tally = Tally::of_histories(&[0.0, 30.0, 20.0, 10.0, 25.0, 8.0, 7.0, 5.0], 3);
        assert_eq!(tally.totals, [53.0, 42.0, 45.0]);
        assert_eq!(tally.frequencies, [75.0, 25.0, 5.0]);
        for shape in shapes().iter().step_by(25) {
            let at = DVector::from_vec(vec![-0.7, -1.2, -0.9]);
            let gradient = density(&tally, &shape.nodes, &at).gradient;
            for l in 0..3 {
                let (mut up, mut down) = (at.clone(), at.clone());
                up[l] += 1e-5;
                down[l] -= 1e-5;
                let value = |x: &DVector<f64>| density(&tally, &shape.nodes, x).log_posterior;
                let slope = (value(&up) - value(&down)) / 2e-5;
                assert!((slope - gradient[l]).abs() < 1e-4 * (1.0 + slope.abs()), "{slope} {}", gradient[l]);
            }
        }
    }

    #[test]
    fn sampling_agrees_with_quadrature() {
        // Posterior mean of log(1 + N - n) of the rabbits by a fine grid over the level, against the importance sampler's.
        let tally = Tally::of_frequencies(&[43.0, 16.0, 8.0, 6.0, 0.0, 2.0, 1.0], 18);
        let seen = tally.seen();
        let (mut sum, mut mass) = (0.0, 0.0);
        for shape in shapes() {
            for step in 0..400 {
                let at = DVector::from_element(1, -9.0 + 0.03 * f64::from(step));
                let here = density(&tally, &shape.nodes, &at);
                let weight = libm::exp(here.log_posterior + shape.log_prior + 220.0);
                mass += weight;
                sum += weight * seen * here.unseen / (1.0 - here.unseen);
            }
        }
        let drawn = unseen(&tally, 3, 0).unwrap();
        let mean = Summary::of(&drawn.draws).unwrap().mean;
        assert!((mean / (sum / mass) - 1.0).abs() < 0.08, "{mean} {}", sum / mass);
    }

    #[test]
    fn independent_lists_give_back_the_population() {
        // N = 1000 on three independent lists with probabilities 0.5, 0.4, 0.3: expected cells, 210 on none.
        let p = [0.5_f64, 0.4, 0.3];
        let cells: Vec<f64> = (0..8_usize)
            .map(|history| {
                let each = p.iter().enumerate().map(|(l, p)| if history >> l & 1 == 1 { *p } else { 1.0 - p });
                (1000.0 * each.product::<f64>()).round()
            })
            .collect();
        let result = unseen(&Tally::of_histories(&cells, 3), 1, 0).unwrap();
        let summary = Summary::of(&result.draws).unwrap();
        assert!(summary.q05 < 210.0 && summary.q95 > 210.0, "{summary:?}");
        assert!(result.alike > 0.3, "{}", result.alike);
    }

    #[test]
    fn shared_visibility_raises_the_unseen() {
        // h = -1.5 or 1.5 with equal odds, levels -0.5: the easy are on most lists, the others on few.
        let probability = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        let population = 4000.0;
        let cell = |history: usize| -> f64 {
            [-1.5, 1.5]
                .iter()
                .map(|h| {
                    let p = probability(-0.5 + h);
                    let times = history.count_ones() as i32;
                    0.5 * population * p.powi(times) * (1.0 - p).powi(4 - times)
                })
                .sum()
        };
        let cells: Vec<f64> = (0..16).map(|history| cell(history).round()).collect();
        let result = unseen(&Tally::of_histories(&cells, 4), 1, 0).unwrap();
        let summary = Summary::of(&result.draws).unwrap();
        assert!(result.alike < 0.01, "{}", result.alike);
        assert!(summary.q05 < cells[0] && summary.q95 > cells[0], "{} {summary:?}", cells[0]);
    }
}
