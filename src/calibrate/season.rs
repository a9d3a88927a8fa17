//! Season, feasts, growth and level of a monthly series: a structural time-series model (Harvey 1989), fitted in closed form.
//!
//! `y_t ~ overdispersed Poisson, mean exposure_t * exp(eta_t)`, with
//!
//! `eta_t = level + growth * (t - end) + season[month of year] + sum_k effect_k * exposure_tk + walk_t + noise_t`
//!
//! level ~ N(., 10²), growth ~ N(0, [`GROWTH_SD`]²) a month, season ~ N(0, σ_s²), effects of moving feasts
//! ~ their priors ([`super::feasts`]; the exposures are those of the simulator), walk a random walk that is 0 at the end
//! of the history with steps σ_w, noise white with σ_n. What rivals' artificial moves did to a month ([`super::pulses`]) is taken off
//! beforehand, with its variance in the noise: a dip that follows a rival's loading every January is not the season. The
//! counts are linearised as in iteratively reweighted least squares (`z = eta + (y - mu) / mu`, variance `dispersion / mu`),
//! after which everything is Gaussian; σ_s, σ_w and σ_n are integrated over a grid by their marginal likelihood. The random
//! walk is what keeps the uncertainty of season and growth honest under serial correlation; a season seen less than twice is
//! shrunk towards flat.
//!
//! Draws by Matheron's rule: draw from the prior, then correct by what the data say (Journel & Huijbregts 1978).

use std::sync::Arc;

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use crate::calendar::Feasts;
use crate::calibrate::feasts::FeastModel;
use crate::calibrate::pulses::Shifts;
use crate::calibrate::sampling::Source;
use crate::simulate::mechanisms::demand;
use crate::units::Month;

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
    /// The first month.
    pub first: Month,
    /// Feasts that move through the months.
    pub feasts: FeastModel,
    /// What is known to have moved its log, as rivals' artificial moves do.
    pub shifts: Shifts,
}

/// One draw of a series' components.
#[derive(Debug, Clone)]
pub struct Path {
    /// Indices, mean 1, January first.
    pub season: [f64; 12],
    /// Effects of moving feasts.
    pub feasts: Feasts,
    /// Log growth a month.
    pub growth: f64,
    /// `exp(eta_t)` relative to its level at the end of the history at season 1, without the white noise and with what is known to
    /// have moved the months.
    pub relative: Vec<f64>,
    /// Deviation of the white noise (log).
    pub white: f64,
    /// Deviation of the random walk's steps (log, a month).
    pub walk: f64,
}

/// A fitted series.
pub struct Structural {
    months: usize,
    first: Month,
    feasts: FeastModel,
    /// Exposures by month.
    exposures: Vec<Vec<f64>>,
    /// What the feasts add at the means of their priors, and moves at theirs, by month.
    expected: Vec<f64>,
    /// Covariance of what they add, by pairs of months.
    uncertain: DMatrix<f64>,
    /// Months that are known, and their linearised observations less the centre of the level.
    known: Vec<usize>,
    shifts: Shifts,
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

/// Not from 0 on: customers that open and close alone move a market of a few thousand by a thousandth a month, and without it a trend over
/// years would pass for known to a hundredth of a percent.
pub(super) const WALK: [f64; 5] = [0.001, 0.003, 0.01, 0.025, 0.06];
pub(super) const WHITE: [f64; 5] = [0.003, 0.015, 0.05, 0.12, 0.3];
pub(super) const SEASON: [f64; 5] = [0.01, 0.04, 0.1, 0.2, 0.4];
/// With less than two years a season cannot be told from anything else: near flat.
const SEASON_UNSEEN: [f64; 2] = [0.01, 0.03];

impl Structural {
    /// Fits a series. With no known month above zero everything is prior.
    pub fn fit(series: &Series) -> Self {
        let months = series.total.len();
        let feasts = series.feasts.clone();
        let exposures: Vec<Vec<f64>> = (0..months).map(|t| feasts.exposures.row(series.first.plus(t as i32))).collect();
        let expected: Vec<f64> = exposures
            .iter()
            .enumerate()
            .map(|(t, row)| {
                row.iter().zip(&feasts.prior).map(|(x, prior)| x * prior.0).sum::<f64>() + series.shifts.mean(t)
            })
            .collect();
        let uncertain = DMatrix::from_fn(months, months, |s, t| {
            let pairs = exposures[s].iter().zip(&exposures[t]);
            let of_feasts: f64 = pairs.zip(&feasts.prior).map(|((x, y), prior)| x * y * prior.1 * prior.1).sum();
            of_feasts + series.shifts.covariance(s, t)
        });
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
            first: series.first,
            feasts,
            exposures,
            expected,
            uncertain,
            shifts: series.shifts.clone(),
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
                    eta - fitted.expected[t] + ((value(t) - mu) / mu).clamp(-3.0, 3.0)
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
        let same_month = f64::from(self.of_year(s) == self.of_year(t));
        100.0
            + GROWTH_SD * GROWTH_SD * back_s * back_t
            + cell.season * cell.season * same_month
            + cell.walk * cell.walk * back_s.min(back_t)
            + self.uncertain[(s, t)]
    }

    /// Month of the year of month t.
    fn of_year(&self, t: usize) -> usize {
        self.first.plus(t as i32).of_year()
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

    /// Posterior mean of the noiseless part (feasts included) at the known months, under the likeliest grid point.
    fn smooth(&self) -> Vec<f64> {
        let best = self.cells.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
        let Some((cell, factor)) = best.and_then(|cell| Some((cell, cell.factor.as_ref()?))) else {
            return self.known.iter().map(|&t| self.expected[t]).collect();
        };
        let solved = factor.solve(&self.z);
        self.known
            .iter()
            .map(|&t| {
                let known = self.known.iter().enumerate();
                self.expected[t] + known.map(|(i, &s)| self.covariance(cell, s, t) * solved[i]).sum::<f64>()
            })
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
        // Deviations from the means of their priors, which are not in z.
        let mut effects: Vec<f64> = self.feasts.prior.iter().map(|(_, sd)| sd * source.normal()).collect();
        let mut moved = self.shifts.deviation(source);
        moved.resize(self.months, 0.0);
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
                    let feasts: f64 = self.exposures[t].iter().zip(&effects).map(|(x, effect)| x * effect).sum();
                    let prior = level - growth * back + season[self.of_year(t)] + feasts + moved[t] + walk[t] + noise;
                    self.z[i] - prior
                }),
            );
            let solved = factor.solve(&gap);
            for (i, &s) in self.known.iter().enumerate() {
                let back = (end - s) as f64;
                growth -= GROWTH_SD * GROWTH_SD * back * solved[i];
                season[self.of_year(s)] += cell.season * cell.season * solved[i];
                for ((effect, x), (_, sd)) in effects.iter_mut().zip(&self.exposures[s]).zip(&self.feasts.prior) {
                    *effect += sd * sd * x * solved[i];
                }
                for (t, (walk, moved)) in walk.iter_mut().zip(&mut moved).enumerate() {
                    *walk += cell.walk * cell.walk * back.min((end - t) as f64) * solved[i];
                    *moved += self.shifts.covariance(s, t) * solved[i];
                }
            }
        }
        let indices: Vec<f64> = season.iter().map(|&s| libm::exp(s)).collect();
        let mean = indices.iter().sum::<f64>() / 12.0;
        let season: [f64; 12] = std::array::from_fn(|m| indices[m] / mean);
        effects.iter_mut().zip(&self.feasts.prior).for_each(|(effect, (mean, _))| *effect += mean);
        let feasts = Feasts::new(Arc::clone(&self.feasts.exposures), effects);
        let relative = (0..self.months)
            .map(|t| {
                let beside = walk[t] + self.shifts.mean(t) + moved[t] - growth * (end - t) as f64;
                demand::path(&season, &feasts, self.first.plus(t as i32), beside)
            })
            .collect();
        Path { season, feasts, growth, relative, white: cell.white, walk: cell.walk }
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
    use crate::calendar::{Calendar, Exposures};
    use crate::calibrate::sampling::Purpose;
    use crate::stats::mean_sd;
    use crate::units::MonthSpan;

    /// The feasts of a region over months from April 2018, with the built-in priors.
    fn feasts(region: Option<&str>, months: usize) -> FeastModel {
        let first = Month::new(2018, 4).unwrap();
        let history = MonthSpan { first, last: first.plus(months as i32 - 1) };
        let exposures = Arc::new(Exposures::new(Calendar::new(region, []), history));
        let sd = |phase| match phase {
            "feast" => 0.3,
            "fast" => 0.1,
            _ => 0.15,
        };
        let prior = exposures.covariates().iter().map(|covariate| (0.0, sd(covariate.phase))).collect();
        FeastModel { exposures, prior }
    }

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
        let (first, feasts) = (Month::new(2018, 4).unwrap(), feasts(None, months));
        (
            Series { total, exposure: vec![1.0; months], dispersion: 1.0, first, feasts, shifts: Shifts::default() },
            season,
        )
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
    fn a_dip_that_is_known_is_not_the_season() {
        let (mut series, season) = made(96, 20_000.0, 0.0, 17);
        // Every January a fifth is missing; what it was is known to a twentieth. The series begins in April.
        let mut source = Source::new(2, Purpose::Series, 3);
        let januaries = || (9..96).step_by(12);
        for t in januaries() {
            let dip = -0.22 + 0.05 * source.normal();
            series.total[t] = series.total[t].map(|total| (total * libm::exp(dip)).round());
        }
        let draws: Vec<Vec<f64>> = (0..400)
            .map(|_| {
                let mut draw = vec![0.0; 96];
                januaries().for_each(|t| draw[t] = -0.22 + 0.05 * source.normal());
                draw
            })
            .collect();
        series.shifts = Shifts::of(&[draws]);
        let january = |series: &Series| {
            let fit = Structural::fit(series);
            mean_sd(&(0..300).map(|d| fit.draw(&mut Source::new(1, Purpose::Series, d)).season[0]).collect::<Vec<_>>())
        };
        let (mean, sd) = january(&series);
        assert!((mean - season[0]).abs() < 3.0 * sd && sd < 0.04, "{mean} ± {sd}, truth {}", season[0]);
        // Where all of them may be too deep together, eight years say no more than one.
        let together: Vec<Vec<f64>> = (0..400)
            .map(|_| {
                let mut draw = vec![0.0; 96];
                let dip = -0.22 + 0.05 * source.normal();
                januaries().for_each(|t| draw[t] = dip);
                draw
            })
            .collect();
        series.shifts = Shifts::of(&[together]);
        let (_, wide) = january(&series);
        assert!(wide > 1.7 * sd && (0.03..0.06).contains(&wide), "{wide} against {sd}");
        series.shifts = Shifts::default();
        let (blind, _) = january(&series);
        assert!(blind < season[0] - 0.1, "{blind}");
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
        let none = Series {
            total: vec![Some(0.0); 30],
            exposure: vec![1.0; 30],
            dispersion: 1.0,
            first: Month::new(2018, 4).unwrap(),
            feasts: feasts(Some("TR"), 30),
            shifts: Shifts::default(),
        };
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

    /// Effects in the order of the covariates of Türkiye: Ramazan; then before, in and after each bayram.
    const EFFECTS: [f64; 7] = [0.05, 0.10, -0.25, -0.05, 0.10, -0.25, -0.05];

    /// A series of eight years with, or without, feasts in it; the likelihood knows of them, or not.
    fn feasted(seed: u64, in_series: bool, in_likelihood: bool) -> Series {
        let (mut series, _) = made(96, 30_000.0, 0.002, 300 + seed);
        let truth = Feasts::new(feasts(Some("TR"), 96).exposures, EFFECTS.to_vec());
        let mut source = Source::new(seed, Purpose::Series, 5);
        for (t, total) in series.total.iter_mut().enumerate() {
            let feast = if in_series { truth.log_effect(series.first.plus(t as i32)) } else { 0.0 };
            let kept = total.unwrap();
            *total = Some((kept * libm::exp(feast + 0.01 * source.normal())).round());
        }
        series.feasts = feasts(in_likelihood.then_some("TR"), 96);
        series
    }

    /// Draws of the effects.
    fn effects(series: &Series) -> Vec<Vec<f64>> {
        let fit = Structural::fit(series);
        let draws = (0..300).map(|d| fit.draw(&mut Source::new(1, Purpose::Series, d)));
        draws.map(|path| path.feasts.effects().map(|(_, effect)| effect).collect()).collect()
    }

    /// 90% interval of an effect.
    fn interval(draws: &[Vec<f64>], k: usize) -> (f64, f64) {
        let mut of: Vec<f64> = draws.iter().map(|draw| draw[k]).collect();
        of.sort_unstable_by(f64::total_cmp);
        (of[of.len() / 20], of[of.len() - 1 - of.len() / 20])
    }

    #[test]
    fn feasts_come_back_within_their_intervals() {
        // Seven effects in 20 series: 90% intervals must hold the truth about 126 times of 140.
        let mut held = 0;
        let mut before = Vec::new();
        for seed in 0..20 {
            let draws = effects(&feasted(seed, true, true));
            for (k, &truth) in EFFECTS.iter().enumerate() {
                let (low, high) = interval(&draws, k);
                held += u32::from(low < truth && truth < high);
            }
            before.push(mean_sd(&draws.iter().map(|draw| draw[1]).collect::<Vec<_>>()).0);
        }
        println!("90% intervals held {held} of 140");
        assert!((112..=139).contains(&held), "90% intervals held {held} of 140");
        let (mean, _) = mean_sd(&before);
        // Shrinkage takes a part of it.
        assert!((0.05..0.13).contains(&mean), "before a bayram {mean}, truth {}", EFFECTS[1]);
    }

    #[test]
    fn feasts_in_one_place_only_are_seen() {
        // Not in the series: the likelihood must not make them up.
        let (mut zero, mut truth) = (0, 0);
        for seed in 0..10 {
            let draws = effects(&feasted(seed, false, true));
            for (k, &effect) in EFFECTS.iter().enumerate() {
                let (low, high) = interval(&draws, k);
                zero += u32::from(low < 0.0 && 0.0 < high);
                truth += u32::from(low < effect && effect < high);
            }
        }
        assert!(zero >= 56, "90% intervals held 0 in {zero} of 70");
        assert!(truth <= 52, "they held effects that are not there in {truth} of 70");
        // Not in the likelihood: two years ahead it misses them, which one that knows of them does by far less.
        let (mut known, mut unknown) = (0.0, 0.0);
        for seed in 0..10 {
            let series = feasted(seed, true, true);
            let draws = effects(&series);
            let exposures = Arc::clone(&series.feasts.exposures);
            let mean = |k: usize| draws.iter().map(|draw| draw[k]).sum::<f64>() / draws.len() as f64;
            let found = Feasts::new(Arc::clone(&exposures), (0..EFFECTS.len()).map(mean).collect());
            let truth = Feasts::new(exposures, EFFECTS.to_vec());
            for month in (96..120).map(|t| series.first.plus(t)) {
                let wanted = truth.log_effect(month);
                known += (found.log_effect(month) - wanted) * (found.log_effect(month) - wanted);
                unknown += wanted * wanted;
            }
        }
        assert!(known < 0.4 * unknown, "squared error {known:.5} against {unknown:.5}");
    }
}
