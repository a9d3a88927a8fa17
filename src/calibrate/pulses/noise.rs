//! Covariance of the logs of sales without moves: what all companies share, and what is a company's own.
//!
//! With own parts `C_k` (months by months) and the common part `C_0` the precision of all is, by Woodbury's identity,
//! `P_kl = δ_kl A_k - A_k W A_l`, `A_k = C_k^-1`, `W = (C_0^-1 + sum_k A_k)^-1`: the cost is that of months cubed for each
//! company.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Prior variance of a company's level around the mean of its logs.
const LEVEL: f64 = 25.0;
/// Prior deviation of the category's log growth a month.
const GROWTH: f64 = 0.01;
/// Variance of a figure of which nothing is known.
const UNKNOWN: f64 = 25.0;

const SEASON: [f64; 5] = [0.01, 0.04, 0.1, 0.2, 0.4];
const WALK: [f64; 5] = [0.001, 0.003, 0.008, 0.02, 0.05];
const WHITE: [f64; 7] = [0.002, 0.005, 0.01, 0.018, 0.03, 0.06, 0.12];
const OWN_SEASON: [f64; 4] = [0.003, 0.015, 0.05, 0.15];
const SCATTER: [f64; 9] = [0.004, 0.007, 0.012, 0.02, 0.03, 0.045, 0.07, 0.11, 0.2];
const CORRELATION: [f64; 3] = [0.0, 0.35, 0.7];

/// Positions on the grids.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Common {
    season: usize,
    walk: usize,
    white: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Own {
    season: usize,
    walk: usize,
    scatter: usize,
    correlation: usize,
}

/// Deviations of all parts, as positions on their grids.
#[derive(Debug, Clone)]
pub struct Noise {
    of_year: Vec<usize>,
    feasts: DMatrix<f64>,
    common: Common,
    own: Vec<Own>,
    /// Further variance of single figures, by company and month: what is not known, or odd.
    pub odd: Vec<Vec<f64>>,
    /// Further variance of the category's months.
    pub shocks: Vec<f64>,
}

/// Inverse and log determinant; the determinant of a matrix that is not positive definite is infinite.
fn invert(matrix: DMatrix<f64>) -> (DMatrix<f64>, f64) {
    let n = matrix.nrows();
    match matrix.cholesky() {
        Some(factor) => {
            let log_determinant = log_determinant(&factor);
            (factor.inverse(), log_determinant)
        }
        None => (DMatrix::zeros(n, n), f64::INFINITY),
    }
}

fn log_determinant(factor: &Cholesky<f64, Dyn>) -> f64 {
    let lower = factor.l_dirty();
    2.0 * (0..lower.nrows()).map(|i| libm::log(lower[(i, i)])).sum::<f64>()
}

impl Noise {
    /// `scatter` is a robust first guess of each company's own.
    pub fn new(of_year: &[usize], feasts: &[Vec<f64>], feast_sd: &[f64], scatter: &[f64]) -> Self {
        let months = of_year.len();
        let feasts = DMatrix::from_fn(months, months, |s, t| {
            (0..feast_sd.len()).map(|e| feasts[s][e] * feasts[t][e] * feast_sd[e] * feast_sd[e]).sum()
        });
        let nearest = |x: f64| SCATTER.iter().position(|&g| g >= x).unwrap_or(SCATTER.len() - 1);
        Self {
            of_year: of_year.to_vec(),
            feasts,
            common: Common { season: 2, walk: 1, white: 2 },
            own: scatter.iter().map(|&x| Own { season: 0, walk: 1, scatter: nearest(x), correlation: 0 }).collect(),
            odd: vec![vec![0.0; months]; scatter.len()],
            shocks: vec![0.0; months],
        }
    }

    fn common(&self, at: Common) -> DMatrix<f64> {
        let months = self.of_year.len();
        let (season, walk, white) = (SEASON[at.season], WALK[at.walk], WHITE[at.white]);
        DMatrix::from_fn(months, months, |s, t| {
            let mut c = self.feasts[(s, t)] + GROWTH * GROWTH * (s as f64 * t as f64) + walk * walk * s.min(t) as f64;
            if self.of_year[s] == self.of_year[t] {
                c += season * season;
            }
            if s == t {
                c += white * white + self.shocks[t];
            }
            c
        })
    }

    fn own(&self, company: usize, at: Own) -> DMatrix<f64> {
        let months = self.of_year.len();
        let (season, walk) = (OWN_SEASON[at.season], WALK[at.walk]);
        let (scatter, correlation) = (SCATTER[at.scatter], CORRELATION[at.correlation]);
        DMatrix::from_fn(months, months, |s, t| {
            let mut c = LEVEL + walk * walk * s.min(t) as f64;
            if self.of_year[s] == self.of_year[t] {
                c += season * season;
            }
            if s == t {
                c += scatter * scatter + self.odd[company][t];
            } else if correlation > 0.0 {
                c += scatter * scatter * libm::pow(correlation, s.abs_diff(t) as f64);
            }
            c
        })
    }

    /// No figure is odd, but nothing is known of those that are negative (by company and month).
    pub fn nothing_odd(&mut self, sales: &[Vec<f64>]) {
        for (odd, sales) in self.odd.iter_mut().zip(sales) {
            odd.iter_mut().zip(sales).for_each(|(odd, &x)| *odd = if x >= 0.0 { 0.0 } else { UNKNOWN });
        }
    }

    /// Expected common part, from `P r` summed over the companies of a month.
    pub fn expected(&self, pulled: &[f64]) -> Vec<f64> {
        (self.common(self.common) * DVector::from_column_slice(pulled)).iter().copied().collect()
    }

    /// Precision of all figures, position `month * companies + company`.
    pub fn precision(&self) -> Vec<f64> {
        let (months, companies) = (self.of_year.len(), self.own.len());
        let inverses: Vec<DMatrix<f64>> =
            self.own.iter().enumerate().map(|(k, &own)| invert(self.own(k, own)).0).collect();
        let mut sum = invert(self.common(self.common)).0;
        inverses.iter().for_each(|inverse| sum += inverse);
        let shared = invert(sum).0;
        let n = months * companies;
        let mut out = vec![0.0; n * n];
        for (k, of_k) in inverses.iter().enumerate() {
            let half = of_k * &shared;
            for (l, of_l) in inverses.iter().enumerate().skip(k) {
                let block = &half * of_l;
                for s in 0..months {
                    for t in 0..months {
                        let value = if k == l { of_k[(s, t)] } else { 0.0 } - block[(s, t)];
                        out[(s * companies + k) * n + t * companies + l] = value;
                        out[(t * companies + l) * n + s * companies + k] = value;
                    }
                }
            }
        }
        out
    }

    /// Climbs to the deviations under which the residuals (by company) are likeliest.
    pub fn climb(&mut self, residuals: &[Vec<f64>]) {
        let residuals: Vec<DVector<f64>> = residuals.iter().map(|r| DVector::from_column_slice(r)).collect();
        let mut fit = Fit::new(self, residuals);
        for _ in 0..4 {
            let mut moved = false;
            for field in 0..3 {
                moved |= fit.climb_common(self, field);
            }
            for k in 0..self.own.len() {
                for field in 0..4 {
                    moved |= fit.climb_own(self, k, field);
                }
            }
            if !moved {
                break;
            }
        }
    }
}

/// The parts of the likelihood at the present positions.
struct Fit {
    residuals: Vec<DVector<f64>>,
    /// Inverse and log determinant of each company's part.
    own: Vec<(DMatrix<f64>, f64)>,
    common: (DMatrix<f64>, f64),
    value: f64,
}

impl Fit {
    fn new(noise: &Noise, residuals: Vec<DVector<f64>>) -> Self {
        let own = noise.own.iter().enumerate().map(|(k, &own)| invert(noise.own(k, own))).collect();
        let mut fit = Self { residuals, own, common: invert(noise.common(noise.common)), value: 0.0 };
        fit.value = fit.likelihood();
        fit
    }

    fn likelihood(&self) -> f64 {
        let mut sum = self.common.0.clone();
        let mut pulled = DVector::zeros(sum.nrows());
        let mut value = self.common.1;
        for ((inverse, log_determinant), r) in self.own.iter().zip(&self.residuals) {
            sum += inverse;
            let solved = inverse * r;
            value += log_determinant + r.dot(&solved);
            pulled += solved;
        }
        let Some(factor) = sum.cholesky() else { return f64::NEG_INFINITY };
        value += log_determinant(&factor);
        value -= pulled.dot(&factor.solve(&pulled));
        if value.is_finite() { -0.5 * value } else { f64::NEG_INFINITY }
    }

    fn climb_common(&mut self, noise: &mut Noise, field: usize) -> bool {
        let mut moved = false;
        for up in [true, false] {
            loop {
                let mut next = noise.common;
                let (position, length) = match field {
                    0 => (&mut next.season, SEASON.len()),
                    1 => (&mut next.walk, WALK.len()),
                    _ => (&mut next.white, WHITE.len()),
                };
                if !step(position, length, up) {
                    break;
                }
                let before = std::mem::replace(&mut self.common, invert(noise.common(next)));
                let value = self.likelihood();
                if value > self.value {
                    (self.value, noise.common, moved) = (value, next, true);
                } else {
                    self.common = before;
                    break;
                }
            }
        }
        moved
    }

    fn climb_own(&mut self, noise: &mut Noise, k: usize, field: usize) -> bool {
        let mut moved = false;
        for up in [true, false] {
            loop {
                let mut next = noise.own[k];
                let (position, length) = match field {
                    0 => (&mut next.scatter, SCATTER.len()),
                    1 => (&mut next.season, OWN_SEASON.len()),
                    2 => (&mut next.walk, WALK.len()),
                    _ => (&mut next.correlation, CORRELATION.len()),
                };
                if !step(position, length, up) {
                    break;
                }
                let before = std::mem::replace(&mut self.own[k], invert(noise.own(k, next)));
                let value = self.likelihood();
                if value > self.value {
                    (self.value, noise.own[k], moved) = (value, next, true);
                } else {
                    self.own[k] = before;
                    break;
                }
            }
        }
        moved
    }
}

fn step(position: &mut usize, length: usize, up: bool) -> bool {
    if up && *position + 1 < length {
        *position += 1;
        true
    } else if !up && *position > 0 {
        *position -= 1;
        true
    } else {
        false
    }
}
