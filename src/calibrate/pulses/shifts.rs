//! What rivals' moves did to the months of a series: a normal over all of them, which knows what months are too high or too low together.
//!
//! From samples k of what was done when, and draws of all sizes within each, with covariances W of draws about their sample's mean and B of
//! these means, the covariance is
//!
//! `(1 - 1 / S) W_st + max(0, 1 - |s - t| / R) B_st`
//!
//! with S draws a sample. Sizes are drawn from what they are given the samples, and months far apart may err together: a season that is put too
//! high makes the dip after every load too deep. What was done when is sampled by a chain of which neighbouring samples are alike, so that
//! months far apart seem to go together by chance: of B the neighbourhood of R months alone counts, which a move and its shadow reach
//! (covariance tapering, Furrer, Genton & Nychka 2006; the product of two covariances is one).

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::calibrate::sampling::Source;

/// R.
const REACH: f64 = 4.0;
/// Variance added to every month, so that there is a root where most months were not moved at all.
const LIFT: f64 = 1e-10;

/// Log of sales with rivals' moves over those without (ours are in both), by month.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shifts {
    /// Empty where nothing was moved.
    mean: Vec<f64>,
    covariance: DMatrix<f64>,
    root: DMatrix<f64>,
}

impl Shifts {
    /// From the draws of each sample, of all months.
    pub fn of(samples: &[Vec<Vec<f64>>]) -> Self {
        let months = samples.first().and_then(|draws| draws.first()).map_or(0, Vec::len);
        if months == 0 {
            return Self::default();
        }
        let mean_of = |rows: &[Vec<f64>]| -> Vec<f64> {
            (0..months).map(|t| rows.iter().map(|row| row[t]).sum::<f64>() / rows.len() as f64).collect()
        };
        let means: Vec<Vec<f64>> = samples.iter().map(|draws| mean_of(draws)).collect();
        let mean = mean_of(&means);
        let (mut within, mut between) = (DMatrix::zeros(months, months), DMatrix::zeros(months, months));
        let mut add = |to: bool, row: &[f64], centre: &[f64], weight: f64| {
            let beyond = DVector::from_iterator(months, row.iter().zip(centre).map(|(x, centre)| x - centre));
            let sum = if to { &mut within } else { &mut between };
            sum.ger(weight, &beyond, &beyond, 1.0);
        };
        for (draws, centre) in samples.iter().zip(&means) {
            // (1 - 1 / S) of the unbiased covariance: the sum of squares over S.
            draws.iter().for_each(|draw| add(true, draw, centre, 1.0 / (draws.len() * samples.len()) as f64));
            add(false, centre, &mean, 1.0 / samples.len() as f64);
        }
        let near = DMatrix::from_fn(months, months, |s, t| (1.0 - s.abs_diff(t) as f64 / REACH).max(0.0));
        let covariance = within + between.component_mul(&near);
        let lifted = &covariance + DMatrix::identity(months, months) * LIFT;
        let root = match Cholesky::new(lifted) {
            Some(factor) => factor.l(),
            None => DMatrix::from_diagonal(&covariance.diagonal().map(|variance| variance.max(0.0).sqrt())),
        };
        Self { mean, covariance, root }
    }

    /// Nothing is known to have moved anything.
    pub fn is_empty(&self) -> bool {
        self.mean.is_empty()
    }

    pub fn mean(&self, t: usize) -> f64 {
        self.mean.get(t).copied().unwrap_or(0.0)
    }

    /// Covariance of two months.
    pub fn covariance(&self, s: usize, t: usize) -> f64 {
        self.covariance.get((s, t)).copied().unwrap_or(0.0)
    }

    /// A draw, less the mean, by month; empty where nothing was moved.
    pub fn deviation(&self, source: &mut Source) -> Vec<f64> {
        let normal = DVector::from_fn(self.mean.len(), |_, _| source.normal());
        (&self.root * normal).iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;

    #[test]
    fn months_that_go_together_are_known_to() {
        // Sizes: the first and the last month err together. What was done: the last two do, and the first with them by chance alone.
        let mut source = Source::new(1, Purpose::Pulses, 0);
        let samples: Vec<Vec<Vec<f64>>> = (0..2000)
            .map(|_| {
                let done = source.normal();
                let draw = |source: &mut Source| {
                    let mut draw = vec![0.0; 12];
                    let size = source.normal();
                    draw[0] = -0.3 + 0.1 * size + 0.1 * done;
                    draw[10] = 0.1 * done;
                    draw[11] = 0.2 + 0.1 * size - 0.1 * done;
                    draw
                };
                (0..4).map(|_| draw(&mut source)).collect()
            })
            .collect();
        let shifts = Shifts::of(&samples);
        let close = |s: usize, t: usize, wanted: f64| {
            let found = shifts.covariance(s, t);
            assert!((found - wanted).abs() < 0.001, "{s}, {t}: {found}, not {wanted}");
        };
        assert!((shifts.mean(0) + 0.3).abs() < 0.01 && (shifts.mean(11) - 0.2).abs() < 0.01);
        close(0, 0, 0.02);
        // Of four draws a sample, a quarter of what they share is in their mean.
        close(0, 11, 0.01 * 0.75);
        close(0, 10, 0.0);
        close(10, 11, -0.01 * 0.75);
        let drawn: f64 = (0..4000)
            .map(|_| {
                let row = shifts.deviation(&mut source);
                row[0] * row[11]
            })
            .sum();
        assert!((drawn / 4000.0 - 0.0075).abs() < 0.001);
        // Months that nothing moved, beside some that hardly were.
        let mut still = vec![vec![vec![0.0; 96]; 4]; 120];
        still.iter_mut().flatten().for_each(|draw| draw[40] = 1e-160 * source.normal());
        assert!(Shifts::of(&still).deviation(&mut source).iter().all(|x| x.abs() < 1e-4));
        let nothing = Shifts::default();
        assert!(nothing.deviation(&mut source).is_empty() && nothing.mean(3).abs() < 1e-12);
    }
}
