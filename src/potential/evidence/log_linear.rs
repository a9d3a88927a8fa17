//! Three lists or more: log-linear models of the capture histories (Fienberg 1972), averaged.
//!
//! The count of each history is Poisson; its log mean has an intercept, an effect of each list and interactions of chosen pairs
//! of lists (no triples: they are not identified against the unseen). The intercept is the log of the expected unseen. Up to
//! four lists every set of pairs is fitted (8 or 64 models); with more, pairs enter forwards by BIC and every model met counts.
//! Models are averaged by `exp(-BIC / 2)` (Hook & Regal 1997): the uncertainty of which lists depend on each other is part of
//! the interval.

use nalgebra::{DMatrix, DVector};
use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};

use super::heterogeneity::poisson;
use crate::rng::Stream;

/// Lists up to which every set of pairs is fitted.
const ALL_SETS: usize = 4;
/// Pairs that may enter forwards.
const MOST_PAIRS: usize = 6;
/// A model whose log unseen is less sure than this (a factor of 50 at one deviation) has no estimate: it is left out.
const LEAST_SURE: f64 = 4.0;

/// One fitted model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// Bit p: the p-th pair interacts.
    pub pairs: u64,
    /// Log of the expected unseen, and its standard error.
    pub log_unseen: f64,
    pub log_sd: f64,
    pub bic: f64,
}

/// Models and their weights, which add up to 1.
#[derive(Debug, Clone)]
pub(super) struct Average {
    pub fits: Vec<(Fit, f64)>,
}

impl Average {
    /// Fits the models; `None` when no model has an estimate.
    pub(super) fn new(cells: &[f64], lists: usize) -> Option<Self> {
        let pairs = lists * (lists - 1) / 2;
        let mut fits: Vec<Fit> = Vec::new();
        if lists <= ALL_SETS {
            fits.extend((0..1_u64 << pairs).filter_map(|set| fit(cells, lists, set)));
        } else {
            let mut best = fit(cells, lists, 0)?;
            fits.push(best);
            for _ in 0..MOST_PAIRS {
                let open = (0..pairs).map(|pair| 1_u64 << pair).filter(|pair| best.pairs & pair == 0);
                let further: Vec<Fit> = open.filter_map(|pair| fit(cells, lists, best.pairs | pair)).collect();
                fits.extend(&further);
                match further.into_iter().min_by(|a, b| a.bic.total_cmp(&b.bic)) {
                    Some(next) if next.bic < best.bic => best = next,
                    _ => break,
                }
            }
        }
        let least = fits.iter().map(|fit| fit.bic).fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = fits.iter().map(|fit| libm::exp(-0.5 * (fit.bic - least))).collect();
        let total: f64 = weights.iter().sum();
        let weighted: Vec<(Fit, f64)> =
            fits.into_iter().zip(weights).map(|(fit, weight)| (fit, weight / total)).collect();
        (!weighted.is_empty()).then_some(Self { fits: weighted })
    }

    /// Weight of the models in which some pair of lists depends on each other.
    pub(super) fn dependent(&self) -> f64 {
        self.fits.iter().filter(|(fit, _)| fit.pairs != 0).map(|(_, weight)| weight).sum()
    }

    /// A draw of the unseen: a model by its weight, its mean by its error, a Poisson number.
    pub(super) fn draw(&self, rng: &mut Stream) -> f64 {
        let mut left: f64 = rng.random();
        let z: f64 = StandardNormal.sample(rng);
        let mut chosen = self.fits[0].0;
        for (fit, weight) in &self.fits {
            chosen = *fit;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        poisson(libm::exp((chosen.log_unseen + chosen.log_sd * z).min(50.0)), rng)
    }
}

/// Maximum likelihood by iteratively reweighted least squares.
fn fit(cells: &[f64], lists: usize, pairs: u64) -> Option<Fit> {
    let chosen: Vec<(usize, usize)> = (0..lists)
        .flat_map(|a| (0..a).map(move |b| (a, b)))
        .enumerate()
        .filter(|(pair, _)| pairs >> pair & 1 == 1)
        .map(|(_, pair)| pair)
        .collect();
    let on = |history: usize, l: usize| (history >> l & 1) as f64;
    let width = 1 + lists + chosen.len();
    let height = cells.len() - 1;
    if height < width {
        return None;
    }
    let x = DMatrix::from_fn(height, width, |row, column| match column {
        0 => 1.0,
        l if l <= lists => on(row + 1, l - 1),
        pair => {
            let (a, b) = chosen[pair - lists - 1];
            on(row + 1, a) * on(row + 1, b)
        }
    });
    let y = DVector::from_fn(height, |row, _| cells[row + 1]);
    let mut mean = y.map(|n| n + 0.5);
    let mut solved = None;
    let mut last = f64::INFINITY;
    for _ in 0..60 {
        let working = DVector::from_fn(height, |r, _| libm::log(mean[r]) + (y[r] - mean[r]) / mean[r]);
        let weighted = DMatrix::from_fn(width, height, |c, r| x[(r, c)] * mean[r]);
        let mut information = &weighted * &x;
        for d in 0..width {
            information[(d, d)] += 1e-9;
        }
        let factor = information.cholesky()?;
        let coefficients = factor.solve(&(weighted * working));
        mean = (&x * &coefficients).map(|eta| libm::exp(eta.clamp(-20.0, 20.0)));
        let settled = (coefficients[0] - last).abs() < 1e-9;
        last = coefficients[0];
        solved = Some((coefficients, factor));
        if settled {
            break;
        }
    }
    let (coefficients, factor) = solved?;
    let deviance: f64 = y
        .iter()
        .zip(mean.iter())
        .map(|(&n, &m)| 2.0 * (if n > 0.0 { n * libm::log(n / m) } else { 0.0 } - n + m))
        .sum();
    let seen: f64 = y.sum();
    let log_sd = factor.inverse()[(0, 0)].sqrt();
    let bic = deviance + width as f64 * libm::log(seen.max(1.0));
    let fit = Fit { pairs, log_unseen: coefficients[0], log_sd, bic };
    // An intercept at the clamp or with no error to speak of belongs to a table that cannot place the unseen.
    (fit.bic.is_finite() && fit.log_unseen.is_finite() && fit.log_sd < LEAST_SURE).then_some(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_lists_with_pairs_have_a_closed_form() {
        // n000 = n111 n100 n010 n001 / (n110 n101 n011), Fienberg (1972).
        let mut cells = vec![0.0; 8];
        for (history, n) in
            [(0b111, 40.0), (0b001, 60.0), (0b010, 50.0), (0b100, 45.0), (0b011, 30.0), (0b101, 25.0), (0b110, 20.0)]
        {
            cells[history] = n;
        }
        let fit = fit(&cells, 3, 0b111).unwrap();
        let closed = 40.0 * 60.0 * 50.0 * 45.0 / (30.0 * 25.0 * 20.0);
        assert!((libm::exp(fit.log_unseen) - closed).abs() < 1e-4 * closed, "{} {closed}", fit.log_unseen);
        // Its variance on the log scale is the sum of 1 / n (delta method, Poisson cells).
        let variance: f64 = cells[1..].iter().map(|n| 1.0 / n).sum();
        assert!((fit.log_sd * fit.log_sd - variance).abs() < 1e-6);
    }

    #[test]
    fn the_pair_that_depends_is_found_and_weights_add_up() {
        // Lists 0 and 1 overlap twice as much as they should; list 2 is independent of both.
        let (p, q) = ([0.55_f64, 0.2, 0.1, 0.15], 0.4_f64);
        let cells: Vec<f64> = (0..8_usize)
            .map(|history| (2000.0 * p[history & 3] * if history & 4 == 4 { q } else { 1.0 - q }).round())
            .collect();
        let average = Average::new(&cells, 3).unwrap();
        assert!((average.fits.iter().map(|(_, w)| w).sum::<f64>() - 1.0).abs() < 1e-9);
        let best = average.fits.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
        assert_eq!(best.pairs, 0b001);
        assert!(average.dependent() > 0.99);
        // 2000 x 0.55 x 0.6 = 660 on none.
        assert!((libm::exp(best.log_unseen) - 660.0).abs() < 5.0);
    }

    #[test]
    fn five_lists_go_forward() {
        let cells: Vec<f64> = (0..32_usize)
            .map(|history| {
                let times = history.count_ones() as i32;
                (3000.0 * 0.3_f64.powi(times) * 0.7_f64.powi(5 - times)).round()
            })
            .collect();
        let average = Average::new(&cells, 5).unwrap();
        let best = average.fits.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
        assert_eq!(best.pairs, 0);
        assert!((libm::exp(best.log_unseen) / 504.0 - 1.0).abs() < 0.02);
    }
}
