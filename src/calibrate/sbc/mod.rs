//! Simulation-based calibration: is the machinery right, whatever the market? (Talts, Betancourt, Simpson, Vehtari & Gelman 2018.)
//!
//! A truth is drawn from the priors, the *agents* live it, and the market that results is calibrated with the *likelihood* as any
//! other. With L draws of the posterior, the rank of the truth among them is uniform on 0..=L if the draws are those of the
//! posterior. It is repeated N times, and the ranks of every quantity are held against simultaneous bands (`bands.rs`).
//!
//! Quantities are the global parameters, the likelihood's own value at the truth and at the draws (a quantity of parameters and data:
//! it also sees a posterior that is nothing but the prior; Modrák et al. 2023), and what the caller derives from a draw. The share of wallet and
//! the spread of tastes are cut from the likelihood, so that draws of them do not know what it would have said: the likelihood is that at the truth's
//! share and tastes, with the draws as they would be there.
//! The band is corrected for their number (Bonferroni): all are within with probability 0.99 where nothing is wrong.
//!
//! **The twin**: [`Settings::customers`] in territories of 30, all known and half of them served at first, over [`Settings::months`]. Sizes lognormal,
//! visits a month that go with size (reps call on the large ones more). Months of the whole market wander as
//! the structural series of `season.rs` supposes, those of territories by `demand.shock_sd`. Visits do not depend on what is sold, so the
//! elasticity's prior, which refers to the mean visits of months with visits, can be drawn for the visits that were made.
//!
//! **What is not tested**: customers found later, closings, panels, rivals' moves and further mechanisms, of which the twin has
//! none; and whether a real market is like any of these.
//!
//! Deliberate faults show what would be noticed: a likelihood that counts several times
//! ([`crate::calibrate::Settings::likelihood_times`]), and draws that are moved by a part of their deviation ([`Settings::shifts`]).

mod bands;
pub(crate) mod made;
mod truth;

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::calibrate::called::log_call_levels;
use crate::calibrate::curve;
use crate::calibrate::posterior::Draw;
use crate::calibrate::priors::{self, Priors};
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::{CalibrateError, Settings as Calibration, fit_with_likelihood};
use crate::channel::Channel;
use crate::market::Market;
use bands::{Bands, counts};
use made::{Made, MarketOf, Setup, history, live, market_of, parts};
use truth::{SIZE, Truth};

/// Posterior draws of each fit: ranks run from 0 to this.
const DRAWS: usize = 199;

/// Customers of a territory.
const PER_TERRITORY: usize = 30;

/// Chance that the bands are left by any quantity where nothing is wrong.
pub const ALPHA: f64 = 0.01;

/// Deviations of log size, and what a deviation of it adds to the log of visits.
const SIZE_SD: f64 = 0.7;
const SELECTION: f64 = 0.5;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    pub fits: usize,
    pub customers: usize,
    pub months: usize,
    /// Priors, seed and fault; draws and feasts are set here.
    pub calibration: Calibration,
    /// Deviations by which draws are moved, for further ranks of the same fits.
    pub shifts: Vec<f64>,
}

impl Settings {
    /// 300 customers over 60 months.
    pub fn new(fits: usize, calibration: Calibration) -> Self {
        Self { fits, customers: 300, months: 60, calibration, shifts: Vec::new() }
    }
}

/// The ranks of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    pub name: String,
    /// By fit: how many of the draws lie below the truth.
    pub ranks: Vec<usize>,
    /// Probability of ranks at least as far from uniform, of this quantity alone.
    pub p_value: f64,
}

/// What simulation-based calibration found.
#[derive(Debug, Clone, PartialEq)]
pub struct Sbc {
    pub quantities: Vec<Quantity>,
    /// By [`Settings::shifts`]: the same with the draws moved.
    pub shifted: Vec<Vec<Quantity>>,
    pub fits: usize,
    /// Ranks run from 0 to this.
    pub draws: usize,
    /// Lowest and highest number of ranks below k / POINTS, k = 1..POINTS, corrected for the number of quantities.
    pub limits: Vec<(usize, usize)>,
}

impl Quantity {
    /// Mean of the ranks as a share of their range: 0.5 where nothing is wrong.
    pub fn mean(&self, draws: usize) -> f64 {
        let sum: f64 = self.ranks.iter().map(|&rank| rank as f64).sum();
        sum / (self.ranks.len().max(1) * draws.max(1)) as f64
    }

    /// Share of the ranks in the central 90% of their range.
    pub fn cover90(&self, draws: usize) -> f64 {
        let within = |rank: &&usize| (0.05..0.95).contains(&((**rank as f64 + 0.5) / (draws + 1) as f64));
        self.ranks.iter().filter(within).count() as f64 / self.ranks.len().max(1) as f64
    }

    /// Number of ranks below k / POINTS of their range.
    pub fn counts(&self, draws: usize) -> Vec<usize> {
        counts(&self.ranks, draws)
    }
}

impl Sbc {
    /// Whether a quantity stays within the band.
    pub fn within(&self, quantity: &Quantity) -> bool {
        quantity.counts(self.draws).iter().zip(&self.limits).all(|(x, (low, high))| low <= x && x <= high)
    }

    /// The quantities that leave the band.
    pub fn outside(&self) -> impl Iterator<Item = &Quantity> {
        self.quantities.iter().filter(|quantity| !self.within(quantity))
    }
}

/// Further quantities of a draw, by name; the same names for every draw.
pub type Derived<'a> = &'a (dyn Fn(&Draw) -> Vec<(String, f64)> + Sync);

/// Runs it; `progress` is told the share done.
///
/// # Errors
/// A prior that cannot be used, or a history too short to calibrate on.
pub fn run(settings: &Settings, derived: Derived<'_>, progress: &(dyn Fn(f64) + Sync)) -> Result<Sbc, CalibrateError> {
    let priors = Priors::new(settings.calibration.priors.clone())
        .map_err(|(mechanism, parameter, reason)| CalibrateError::Prior { mechanism, parameter, reason })?;
    let done = AtomicUsize::new(0);
    let ranked: Vec<Ranks> = (0..settings.fits)
        .into_par_iter()
        .map(|number| {
            let ranks = one(settings, &priors, number as u64, derived);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(done as f64 / settings.fits as f64);
            ranks
        })
        .collect::<Result<_, _>>()?;
    let bands = Bands::new(settings.fits);
    let names: Vec<&str> = ranked.first().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let quantities = |shift: usize| -> Vec<Quantity> {
        let of = |(k, name): (usize, &&str)| {
            let ranks: Vec<usize> = ranked.iter().map(|ranks| ranks[k].1[shift]).collect();
            let p_value = bands.p_value(&counts(&ranks, DRAWS));
            Quantity { name: (*name).to_owned(), ranks, p_value }
        };
        names.iter().enumerate().map(of).collect()
    };
    let limits = bands.simultaneous(ALPHA / names.len().max(1) as f64);
    let shifted = (1..=settings.shifts.len()).map(quantities).collect();
    Ok(Sbc { quantities: quantities(0), shifted, fits: settings.fits, draws: DRAWS, limits })
}

/// By quantity: its name and its rank, as it is and by shift.
type Ranks = Vec<(String, Vec<usize>)>;

/// Ranks of one truth.
fn one(settings: &Settings, priors: &Priors, number: u64, derived: Derived<'_>) -> Result<Ranks, CalibrateError> {
    let seed = settings.calibration.seed;
    let mut source = Source::new(seed, Purpose::Sbc, number);
    let (truth, market) = made_market(settings, Truth::draw(priors, &mut source), &mut source);
    let calibration = Calibration {
        seed: seed.wrapping_add(number),
        draws: DRAWS,
        feasts: false,
        stable_prices: true,
        further: Vec::new(),
        ..settings.calibration.clone()
    };
    let (fitted, likelihood) = fit_with_likelihood(&market, &calibration, &mut |_, _| ())?;
    let true_draw = truth.as_draw();
    let mut draws: Vec<&Draw> = vec![&true_draw];
    draws.extend(&fitted.draws);
    let mut points = vec![Point::of(&true_draw)];
    points.extend(likelihood.draws_at(truth.share, truth.taste, calibration.seed));
    let log_likelihoods: Vec<f64> = points.par_iter().map(|point| likelihood.log(point)).collect();
    let rows: Vec<Vec<(String, f64)>> = draws
        .iter()
        .zip(log_likelihoods)
        .map(|(draw, log_likelihood)| {
            let mut row = globals(draw);
            row.extend(derived(draw));
            row.push(("log_likelihood".to_owned(), log_likelihood));
            row
        })
        .collect();
    let shifts: Vec<f64> = std::iter::once(0.0).chain(settings.shifts.iter().copied()).collect();
    Ok(rows[0]
        .iter()
        .enumerate()
        .map(|(k, (name, truth))| {
            let drawn: Vec<f64> = rows[1..].iter().map(|row| row[k].1).collect();
            let sd = crate::stats::mean_sd(&drawn).1;
            let ranks = shifts.iter().map(|shift| {
                let moved = shift * sd;
                let below = drawn.iter().filter(|&&x| x + moved < *truth).count();
                let ties = drawn.iter().filter(|&&x| x + moved == *truth).count();
                // Among equals any place is as good.
                let place = (source.uniform() * (ties + 1) as f64) as usize;
                below + place.min(ties)
            });
            (name.clone(), ranks.collect())
        })
        .collect())
}

/// The global parameters that the twin has.
fn globals(draw: &Draw) -> Vec<(String, f64)> {
    let p = &draw.parameters;
    let mut out: Vec<(String, f64)> = [
        ("goodwill.decay", p.goodwill.decay),
        ("goodwill.half_saturation", p.goodwill.half_saturation),
        ("goodwill.elasticity_face_to_face", draw.value("goodwill.elasticity_face_to_face").unwrap_or(0.0)),
        ("goodwill.effect_face_to_face", p.goodwill.effect[Channel::FaceToFace.index()]),
        ("choice.share_of_wallet", draw.value("choice.share_of_wallet").unwrap_or(0.0)),
        ("choice.taste", draw.value("choice.taste").unwrap_or(0.0)),
        ("choice.calls_follow_taste", draw.value("choice.calls_follow_taste").unwrap_or(0.0)),
        ("orders.order_unit", p.order_unit),
        ("churn.hazard", p.churn),
        ("closure.hazard", p.closure),
        ("conversion.base_hazard", p.conversion.hazard),
        ("conversion.goodwill_effect", p.conversion.goodwill_effect),
        ("demand.shock_sd", p.shock_sd),
        ("own.growth", draw.value("own.growth").unwrap_or(0.0)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    out.extend(p.season.iter().enumerate().map(|(month, index)| (format!("season.{}", month + 1), *index)));
    out
}

/// Lives a truth. The visits come first (they do not depend on the response), then the effect that gives the truth's
/// elasticity at them, then who is ours (which depends on goodwill, but not on how much is bought), then the appeal that gives those who
/// are ours the truth's share of wallet, then the sales.
fn made_market(settings: &Settings, mut truth: Truth, source: &mut Source) -> (Truth, Market) {
    let z: Vec<f64> = (0..settings.customers).map(|_| source.normal()).collect();
    let months = settings.months;
    let mut walk = vec![0.0; months];
    for t in (0..months.saturating_sub(1)).rev() {
        walk[t] = walk[t + 1] + truth.wander.walk * source.normal();
    }
    let common = walk.iter().map(|walk| libm::exp(walk + truth.wander.white * source.normal())).collect();
    let mut setup = Setup {
        parameters: truth.parameters.clone(),
        history: history(months),
        territories: settings.customers.div_ceil(PER_TERRITORY),
        size: z.iter().map(|z| SIZE * libm::exp(SIZE_SD * z)).collect(),
        appeal: vec![0.0; z.len()],
        visits: z.iter().map(|z| 1.2 * libm::exp(SELECTION * SIZE_SD * z)).collect(),
        goodwill: vec![0.0; z.len()],
        // Of who was known before the history began the likelihood supposes that it bought already, or did not, with equal odds.
        served: z.iter().map(|_| source.uniform() < 0.5).collect(),
        common,
    };
    let seed = (source.uniform() * 9e15) as u64;
    let visits = live(&setup, seed).visits;
    let some: Vec<f64> = visits.iter().flatten().copied().filter(|&x| x > 0.0).collect();
    let reference = some.iter().sum::<f64>() / (some.len() as f64).max(1.0);
    let goodwill = &mut truth.parameters.goodwill;
    let per_effect = priors::elasticity_per_effect(goodwill, reference, curve::room(truth.share, truth.taste));
    goodwill.effect[Channel::FaceToFace.index()] = truth.elasticity / per_effect;
    let goodwill = truth.parameters.goodwill;
    setup.goodwill = setup.visits.iter().map(|&level| goodwill.steady_of(Channel::FaceToFace, level)).collect();
    setup.parameters = truth.parameters.clone();
    let who = live(&setup, seed);
    let called = called(&who, setup.territories, months);
    let tastes: Vec<f64> = z.iter().map(|_| truth.taste * source.normal()).collect();
    // The share of wallet is that of customers with the usual visits, weighed by what they buy (`Observed::called`), which in turn depends on the
    // appeal: once as if all were alike, then as they are.
    let appeal = |made: &Made| -> Vec<f64> {
        let sold: Vec<f64> = made.own.iter().map(|sold| sold.iter().sum::<f64>().max(1e-9)).collect();
        let all: f64 = sold.iter().sum();
        let weighed = |of: &[f64]| of.iter().zip(&sold).map(|(x, sold)| x * sold).sum::<f64>() / all;
        let mean = weighed(&called);
        // The usual visits, those to the served in the last year, weighed by what each buys, lead to the truth's share of wallet.
        let (mut lift, mut all) = (0.0, 0.0);
        for ((served, visits), sold) in made.served.iter().zip(&made.visits).zip(&sold) {
            let pace = sold / (served.iter().filter(|&&served| served).count() as f64).max(1.0);
            for t in (months.saturating_sub(12)..months).filter(|&t| served[t]) {
                lift += pace * goodwill.lift(Channel::FaceToFace, visits[t]);
                all += pace;
            }
        }
        let usual = lift / f64::max(all, 1e-9) / (1.0 - goodwill.decay);
        let centre = curve::centre(truth.share, truth.taste) - usual;
        called.iter().zip(&tastes).map(|(called, taste)| centre + truth.liking * (called - mean) + taste).collect()
    };
    setup.appeal = appeal(&who);
    setup.appeal = appeal(&live(&setup, seed));
    let made: Made = live(&setup, seed);
    let market = market_of(&made, setup.history, setup.territories, MarketOf { region: None, calls: true });
    (truth, market)
}

/// How often each customer was called on, over its territory's others.
fn called(made: &Made, territories: usize, months: usize) -> Vec<f64> {
    let customers = made.visits.len();
    let visits: Vec<f32> = made.visits.iter().flatten().map(|&visits| visits as f32).collect();
    log_call_levels(&[&visits], months, &vec![0..months; customers], &parts(customers, territories))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(fits: usize, likelihood_times: f64, shifts: &[f64]) -> Sbc {
        let calibration = Calibration { seed: 1, likelihood_times, ..Calibration::default() };
        let settings = Settings { shifts: shifts.to_vec(), ..Settings::new(fits, calibration) };
        super::run(&settings, &|_| Vec::new(), &|_| ()).unwrap()
    }

    #[test]
    fn fifty_fits_are_within_the_band_and_a_shift_is_not() {
        let found = run(50, 1.0, &[1.0, -1.0]);
        let outside: Vec<(&str, f64)> = found.outside().map(|q| (q.name.as_str(), q.p_value)).collect();
        assert!(outside.is_empty(), "{outside:?}");
        // One deviation too high or too low is noticed nearly always, and of every quantity on one side at least: 50 fits leave room
        // for a third of a deviation that happens to point the other way.
        let noticed = |shift: usize, k: usize| !found.within(&found.shifted[shift][k]);
        let count = found.quantities.len();
        let both: usize = (0..count).map(|k| usize::from(noticed(0, k)) + usize::from(noticed(1, k))).sum();
        assert!(20 * both >= 19 * 2 * count, "noticed {both} of {}", 2 * count);
        let missed = (0..count).find(|&k| !noticed(0, k) && !noticed(1, k));
        assert_eq!(missed.map(|k| &found.quantities[k].name), None);
    }

    #[test]
    fn a_likelihood_that_counts_four_times_is_noticed() {
        let found = run(50, 4.0, &[]);
        let outside: Vec<&str> = found.outside().map(|quantity| quantity.name.as_str()).collect();
        assert!(outside.iter().any(|name| name.starts_with("goodwill.")), "{outside:?}");
    }

    #[test]
    fn ranks_do_not_depend_on_the_number_of_threads() {
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| run(2, 1.0, &[]));
        let together = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap().install(|| run(2, 1.0, &[]));
        assert_eq!(alone, together);
    }
}
