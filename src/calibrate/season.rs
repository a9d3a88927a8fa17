//! Season, growth and level of a monthly series: a structural time-series model (Harvey 1989), fitted in closed form.
//!
//! `y_t ~ overdispersed Poisson, mean exposure_t * exp(eta_t)`, with
//!
//! `eta_t = level + growth * (t - end) + season[month of year] + walk_t + noise_t`
//!
//! level ~ N(., 10²), growth ~ N(0, [`GROWTH_SD`]²) a month, season ~ N(0, σ_s²), walk a random walk that is 0 at the end
//! of the history with steps σ_w, noise white with σ_n. The counts are linearised as in iteratively reweighted least
//! squares (`z = eta + (y - mu) / mu`, variance `dispersion / mu`), after which everything is Gaussian; σ_s, σ_w and σ_n
//! are integrated over a grid by their marginal likelihood. The random walk is what keeps the uncertainty of season and
//! growth honest under serial correlation; a season seen less than twice is shrunk towards flat.
//!
//! Draws by Matheron's rule: draw from the prior, then correct by what the data say (Journel & Huijbregts 1978).

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use crate::calibrate::sampling::Source;

/// Prior deviation of log growth a month: a year's growth within about ±24% (two deviations).
pub const GROWTH_SD: f64 = 0.01;

/// A monthly series.
#[derive(Debug, Clone)]
pub struct Series {
    /// Totals; `None` where nothing is known of the month.
    pub total: Vec<Option<f64>>,
    /// What the mean is proportional to; positive.
    pub exposure: Vec<f64>,
    /// Variance over mean of a total.
    pub dispersion: f64,
    /// Month of the year (0 = January) of the first month.
    pub first_of_year: usize,
}

/// One draw of a series' components.
#[derive(Debug, Clone)]
pub struct Path {
    /// Indices, mean 1, January first.
    pub season: [f64; 12],
    /// Log growth a month.
    pub growth: f64,
    /// `exp(eta_t)` relative to the level at the end of the history, without the white noise: season, growth and walk relative to the end of the history.
    pub relative: Vec<f64>,
    /// Deviation of the white noise (log).
    pub white: f64,
}

/// A fitted series.
pub struct Structural {
    months: usize,
    first_of_year: usize,
    /// Months that are known, and their linearised observations less the centre of the level.
    known: Vec<usize>,
    z: DVector<f64>,
    noise: Vec<f64>,
    cells: Vec<Cell>,
    /// Prior deviation of a season effect, averaged over the prior of σ_s.
    pub season_prior_sd: f64,
}

/// A point of the grid of (σ_s, σ_w, σ_n), with what draws need.
struct Cell {
    weight: f64,
    season: f64,
    walk: f64,
    white: f64,
    factor: Option<Cholesky<f64, Dyn>>,
}

const WALK: [f64; 5] = [0.0, 0.003, 0.01, 0.025, 0.06];
const WHITE: [f64; 5] = [0.003, 0.015, 0.05, 0.12, 0.3];
const SEASON: [f64; 5] = [0.01, 0.04, 0.1, 0.2, 0.4];
/// With less than two years a season cannot be told from anything else: near flat.
const SEASON_UNSEEN: [f64; 2] = [0.01, 0.03];

impl Structural {
    /// Fits a series. With no known month above zero everything is prior.
    pub fn fit(series: &Series) -> Self {
        let months = series.total.len();
        let first_of_year = series.first_of_year;
        let known: Vec<usize> = (0..months).filter(|&t| series.total[t].is_some()).collect();
        let value = |t: usize| series.total[t].unwrap_or(0.0).max(0.0);
        let sum: f64 = known.iter().map(|&t| value(t)).sum();
        let exposed: f64 = known.iter().map(|&t| series.exposure[t]).sum();
        let seasons: &[f64] = if known.len() >= 24 { &SEASON } else { &SEASON_UNSEEN };
        let season_prior_sd =
            (seasons.iter().map(|s| s * s).sum::<f64>() / seasons.len() as f64 * (11.0 / 12.0)).sqrt();
        let silent = sum <= 0.0 || exposed <= 0.0;
        let centre = if silent { f64::NEG_INFINITY } else { libm::log(sum / exposed) };
        let mut fitted = Self {
            months,
            first_of_year,
            known: if silent { Vec::new() } else { known },
            z: DVector::zeros(0),
            noise: Vec::new(),
            cells: Vec::new(),
            season_prior_sd,
        };
        let mut eta: Vec<f64> = fitted.known.iter().map(|&t| start(value(t), series.exposure[t], centre)).collect();
        for _ in 0..4 {
            let mean: Vec<f64> =
                fitted.known.iter().zip(&eta).map(|(&t, eta)| series.exposure[t] * libm::exp(centre + eta)).collect();
            fitted.z = DVector::from_iterator(
                eta.len(),
                fitted.known.iter().zip(&eta).zip(&mean).map(|((&t, eta), mu)| {
                    // A step beyond ±3 would be linearisation run wild.
                    eta + ((value(t) - mu) / mu).clamp(-3.0, 3.0)
                }),
            );
            fitted.noise = mean.iter().map(|mu| series.dispersion.max(0.0) / mu.max(1e-12)).collect();
            fitted.cells = fitted.grid(seasons);
            eta = fitted.smooth();
        }
        if fitted.known.is_empty() {
            fitted.cells = fitted.grid(seasons);
        }
        fitted
    }

    /// Covariance of the noiseless part at two months.
    fn covariance(&self, cell: &Cell, s: usize, t: usize) -> f64 {
        let end = self.months - 1;
        let (back_s, back_t) = ((end - s) as f64, (end - t) as f64);
        let same_month = f64::from((self.first_of_year + s) % 12 == (self.first_of_year + t) % 12);
        100.0
            + GROWTH_SD * GROWTH_SD * back_s * back_t
            + cell.season * cell.season * same_month
            + cell.walk * cell.walk * back_s.min(back_t)
    }

    /// Evaluates the grid.
    fn grid(&self, seasons: &[f64]) -> Vec<Cell> {
        let n = self.known.len();
        let mut cells = Vec::new();
        let mut log_weights = Vec::new();
        for &season in seasons {
            for &walk in &WALK {
                for &white in &WHITE {
                    let mut cell = Cell { weight: 0.0, season, walk, white, factor: None };
                    let mut matrix =
                        DMatrix::from_fn(n, n, |i, j| self.covariance(&cell, self.known[i], self.known[j]));
                    for i in 0..n {
                        matrix[(i, i)] += white * white + self.noise[i] + 1e-9;
                    }
                    if n > 0 {
                        let Some(factor) = Cholesky::new(matrix) else { continue };
                        let whitened = factor.l_dirty().solve_lower_triangular(&self.z);
                        let Some(whitened) = whitened else { continue };
                        let half_log_determinant: f64 = (0..n).map(|i| libm::log(factor.l_dirty()[(i, i)])).sum();
                        log_weights.push(-0.5 * whitened.norm_squared() - half_log_determinant);
                        cell.factor = Some(factor);
                    } else {
                        log_weights.push(0.0);
                    }
                    cells.push(cell);
                }
            }
        }
        let highest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = log_weights.iter().map(|w| libm::exp(w - highest)).sum();
        for (cell, log_weight) in cells.iter_mut().zip(&log_weights) {
            cell.weight = libm::exp(log_weight - highest) / total;
        }
        cells
    }

    /// Posterior mean of the noiseless part at the known months, under the likeliest grid point.
    fn smooth(&self) -> Vec<f64> {
        let best = self.cells.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
        let Some((cell, factor)) = best.and_then(|cell| Some((cell, cell.factor.as_ref()?))) else {
            return vec![0.0; self.known.len()];
        };
        let solved = factor.solve(&self.z);
        self.known
            .iter()
            .map(|&t| self.known.iter().enumerate().map(|(i, &s)| self.covariance(cell, s, t) * solved[i]).sum::<f64>())
            .collect()
    }

    /// A draw from the posterior.
    pub fn draw(&self, source: &mut Source) -> Path {
        let mut pick = source.uniform();
        let mut cell = &self.cells[self.cells.len() - 1];
        for candidate in &self.cells {
            if pick < candidate.weight {
                cell = candidate;
                break;
            }
            pick -= candidate.weight;
        }
        // Prior draw of every component, and of the observations.
        let end = self.months - 1;
        let level = 10.0 * source.normal();
        let mut growth = GROWTH_SD * source.normal();
        let mut season: Vec<f64> = (0..12).map(|_| cell.season * source.normal()).collect();
        let mut walk = vec![0.0; self.months];
        for t in (0..end).rev() {
            walk[t] = walk[t + 1] + cell.walk * source.normal();
        }
        if let Some(factor) = &cell.factor {
            let gap = DVector::from_iterator(
                self.known.len(),
                self.known.iter().enumerate().map(|(i, &t)| {
                    let noise = (cell.white * cell.white + self.noise[i] + 1e-9).sqrt() * source.normal();
                    let back = (end - t) as f64;
                    let prior = level - growth * back + season[(self.first_of_year + t) % 12] + walk[t] + noise;
                    self.z[i] - prior
                }),
            );
            let solved = factor.solve(&gap);
            for (i, &s) in self.known.iter().enumerate() {
                let back = (end - s) as f64;
                growth -= GROWTH_SD * GROWTH_SD * back * solved[i];
                season[(self.first_of_year + s) % 12] += cell.season * cell.season * solved[i];
                for (t, walk) in walk.iter_mut().enumerate() {
                    *walk += cell.walk * cell.walk * back.min((end - t) as f64) * solved[i];
                }
            }
        }
        let indices: Vec<f64> = season.iter().map(|&s| libm::exp(s)).collect();
        let mean = indices.iter().sum::<f64>() / 12.0;
        let season: [f64; 12] = std::array::from_fn(|m| indices[m] / mean);
        let relative = (0..self.months)
            .map(|t| {
                let back = (end - t) as f64;
                season[(self.first_of_year + t) % 12] * libm::exp(walk[t] - growth * back)
            })
            .collect();
        Path { season, growth, relative, white: cell.white }
    }

    /// Nothing was known of the series: draws are prior.
    pub fn silent(&self) -> bool {
        self.known.is_empty()
    }
}

/// Start of the linearisation: the log of a smoothed ratio.
fn start(total: f64, exposure: f64, centre: f64) -> f64 {
    let expected = exposure * libm::exp(centre);
    libm::log((total + 0.1 * expected) / (1.1 * expected)).max(-3.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;
    use crate::stats::mean_sd;

    /// A Poisson series of known season and growth, level 1 at the end.
    fn made(months: usize, level: f64, growth: f64, seed: u64) -> (Series, [f64; 12]) {
        let mut source = Source::new(seed, Purpose::Series, 1);
        let season: [f64; 12] =
            std::array::from_fn(|m| 1.0 + 0.25 * libm::sin(m as f64 * std::f64::consts::TAU / 12.0));
        let total = (0..months)
            .map(|t| {
                let back = (months - 1 - t) as f64;
                Some(source.poisson(level * season[(3 + t) % 12] * libm::exp(-growth * back)))
            })
            .collect();
        (Series { total, exposure: vec![1.0; months], dispersion: 1.0, first_of_year: 3 }, season)
    }

    #[test]
    fn season_growth_and_level_come_back() {
        let (series, season) = made(96, 2000.0, 0.004, 11);
        let fit = Structural::fit(&series);
        let paths: Vec<Path> = (0..400).map(|d| fit.draw(&mut Source::new(1, Purpose::Series, d))).collect();
        for m in 0..12 {
            let (mean, sd) = mean_sd(&paths.iter().map(|p| p.season[m]).collect::<Vec<_>>());
            assert!((mean - season[m]).abs() < 4.0 * sd && sd < 0.03, "month {m}: {mean} ± {sd}, truth {}", season[m]);
            let total: f64 = paths[m].season.iter().sum();
            assert!((total - 12.0).abs() < 1e-9);
        }
        let (growth, sd) = mean_sd(&paths.iter().map(|p| p.growth).collect::<Vec<_>>());
        assert!((growth - 0.004).abs() < 3.5 * sd && sd < 0.003, "growth {growth} ± {sd}");
        for (t, wanted) in [(0, season[3] * libm::exp(-0.004 * 95.0)), (95, season[2])] {
            let (mean, sd) = mean_sd(&paths.iter().map(|p| p.relative[t]).collect::<Vec<_>>());
            assert!((mean - wanted).abs() < 3.5 * sd && sd < 0.1, "month {t}: {mean} ± {sd} against {wanted}");
        }
    }

    #[test]
    fn intervals_of_growth_cover() {
        // 90% intervals over 40 series with a random walk in them must hold the truth about 36 times.
        let mut held = 0;
        for seed in 0..40 {
            let (mut series, _) = made(72, 500.0, 0.003, 100 + seed);
            let mut source = Source::new(seed, Purpose::Series, 9);
            let mut walk = 0.0;
            for t in (0..72).rev() {
                let kept = series.total[t].unwrap();
                series.total[t] = Some((kept * libm::exp(walk)).round());
                walk += 0.01 * source.normal();
            }
            let fit = Structural::fit(&series);
            let mut growth: Vec<f64> =
                (0..200).map(|d| fit.draw(&mut Source::new(seed, Purpose::Series, d)).growth).collect();
            growth.sort_unstable_by(f64::total_cmp);
            held += u32::from(growth[10] < 0.003 && 0.003 < growth[189]);
        }
        assert!(held >= 31, "90% intervals held {held} of 40");
    }

    #[test]
    fn a_short_history_says_flat() {
        let (series, _) = made(14, 2000.0, 0.0, 3);
        let fit = Structural::fit(&series);
        let path = fit.draw(&mut Source::new(1, Purpose::Series, 0));
        assert!(path.season.iter().all(|s| (s - 1.0).abs() < 0.15), "{:?}", path.season);
    }

    #[test]
    fn silence_and_gaps_are_no_nan() {
        let none = Series { total: vec![Some(0.0); 30], exposure: vec![1.0; 30], dispersion: 1.0, first_of_year: 0 };
        let path = Structural::fit(&none).draw(&mut Source::new(1, Purpose::Series, 0));
        assert!(
            path.growth.is_finite()
                && path.relative.iter().all(|x| x.is_finite())
                && path.season.iter().all(|s| s.is_finite())
        );
        let (mut series, _) = made(40, 3.0, 0.0, 5);
        series.total[5] = None;
        series.total[20] = Some(0.0);
        let path = Structural::fit(&series).draw(&mut Source::new(1, Purpose::Series, 0));
        assert!(path.relative.iter().all(|x| x.is_finite() && *x > 0.0));
    }
}
