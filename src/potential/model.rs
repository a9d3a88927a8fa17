//! The fusion model: a marked Poisson process of buyers, thinned by being seen.
//!
//! Territory j has X_j = (1, centred log population, standardised covariates) and three effects:
//!
//! ```text
//! universe   theta_j = log L_j                  ~ N(g . X_j, s_N^2)
//! coverage   phi_j   = logit of the known part  ~ N(c . X_j, s_a^2)
//! size       psi_j   = log level of demand      ~ N(m . X_j, s_m^2)
//! ```
//!
//! Thinning a Poisson process leaves two independent ones: open known customers ~ Poisson(L (1 - q)) and dark ones ~
//! Poisson(L q). The sampler works in their logs, alpha = log L (1 - q) and beta = log L q; the map from (theta, phi) has
//! determinant 1. Poisson with a lognormal rate is overdispersed, as counts of outlets are.
//!
//! * **Known**: A_j = sum of the probabilities of being open, with log likelihood `A alpha - exp(alpha)`.
//! * **Outlets** O_j: the dark are O - A, with log likelihood `(O - A) beta - exp(beta)`.
//! * **Lists** (`captures.rs`): those listed but not ours are dark and bound it from below; beside them Poisson(L q rho_0).
//! * **Known demand** W: lognormal with the moments of sum over open known of w_i, `log w_i = psi + kappa z_i + tau e_i`.
//! * **Dark demand** D: N dark customers of mean m = (mean of the known) / R and coefficient of variation c; its moments are
//!   those of the compound Poisson sum, with the atom P(N = 0) kept apart: matched where N > 0 by a lognormal (Fenton).
//! * **Crowding** chi in (0, 1): does an outlet bring its own demand (0), or do the outlets of a territory share what its
//!   people need (1)? Where a territory has more outlets than its population lets expect, and where by chance its outlets are
//!   large ones, all are the smaller for it: the size level is `psi_j - chi (theta_j - expected theta_j)`, and the chance of the
//!   sum of sizes enters the total with (1 - chi) of its deviation. logit chi ~ N(0, 1.5); 0 where sizes are known in demand
//!   units.
//! * **Panel**: T = W + D, lognormal with the mean of the sum and its variance times (1 - chi)^2 (Fenton); and W at least our
//!   own sales, D at least what reaches customers not in our files through wholesalers: log W / D is normal, so
//!   `P(W >= own | T) = Phi((mean log W / D - logit own / T) / sd)`. Where only the market's total is known, the T_j of the
//!   rest live on the simplex that sums to it exactly. Without either, only P(W >= own sales) speaks. Our share of wallet is unknown
//!   but much the same everywhere, so the floors of all territories are one piece of evidence and not one each: the log of each
//!   is weighted with the territory's part of our own sales (a composite likelihood; decision 9). A draw is above all of them.
//!
//! Priors (the map of a company's reach is unknown, so they are wide; those of R and of sizes matter and are said so):
//! g1 ~ N(1, 0.1) on log population; c ~ N(-1, 1.5), its slope on log population N(0, 0.3); m1 ~ N(0.1, 0.15); the slopes of covariates
//! (per standard deviation) N(0, s_x^2) with s_x ~ LN(0.05, 0.7) for each regression: most of the columns that a company has say
//! little of its market, and a few audited territories fit any of them (shrinkage with a common scale; Gelman et al., Bayesian Data
//! Analysis, 3rd ed., 14.6); s_N ~ LN(0.3, 0.4), s_a ~ LN(0.5, 0.5), s_m ~ LN(0.25, 0.4); log R ~ N(log 2.5, 0.8); c ~ LN(1.3, 0.3).
//! Outlets per head are centred on the audited ones (sd 0.5), or on the known ones at a coverage of 0.27 (sd 1.2).

use super::Settings;
use super::activity::Activity;
use super::captures::CaptureData;
use super::numeric::{Floors, LogNormal, SplitGrid, fast_exp, fast_log, log_add, log_logistic, log_normal_cdf};
use super::observed::Observed;
use super::sizes::{KnownSizes, NormalPrior, SizeSums};

/// Most covariates used beside log population.
const MOST_COVARIATES: usize = 5;

/// Which regression.
pub(super) const UNIVERSE: usize = 0;
pub(super) const COVERAGE: usize = 1;
pub(super) const SIZE: usize = 2;

/// Coverage assumed where nothing but the known is counted: logistic(-1), the prior's centre.
const GUESSED_COVERAGE: f64 = 0.27;

/// Priors of a regression of a territory effect.
#[derive(Debug, Clone)]
pub(super) struct RegressionPrior {
    /// Of the intercept and the slope of log population.
    pub coefficients: Vec<NormalPrior>,
    /// Number of further slopes, normal around 0 with a deviation that they share.
    pub covariates: usize,
    pub log_slope_sd: NormalPrior,
    pub log_sd: NormalPrior,
}

impl RegressionPrior {
    /// Number of coefficients.
    pub(super) fn width(&self) -> usize {
        self.coefficients.len() + self.covariates
    }

    /// Prior of a coefficient, given the deviation that the slopes of covariates share.
    #[inline(always)]
    pub(super) fn coefficient(&self, d: usize, log_slope_sd: f64) -> NormalPrior {
        self.coefficients.get(d).copied().unwrap_or_else(|| NormalPrior::new(0.0, libm::exp(log_slope_sd)))
    }
}

/// Priors of the size parameters, all on the scale on which they are sampled.
#[derive(Debug, Clone, Copy)]
pub(super) struct SizePriors {
    pub kappa: NormalPrior,
    pub log_tau: NormalPrior,
    pub log_ratio: NormalPrior,
    pub log_variation: NormalPrior,
    /// `None`: no crowding.
    pub logit_crowding: Option<NormalPrior>,
}

impl SizePriors {
    /// Number of parameters.
    pub(super) fn width(&self) -> usize {
        4 + usize::from(self.logit_crowding.is_some())
    }
}

/// What is known of a territory, ready for the likelihood.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Design row.
    pub x: Vec<f64>,
    /// Expected number of open known customers.
    pub open_known: f64,
    /// Dark customers by the audit, `outlets - open_known`, at least 0.
    pub audited_dark: Option<f64>,
    pub demand: Demand,
    /// Our own sales to open customers, and those through wholesalers to customers not in our files.
    pub floors: Floors,
    /// Log of the universe that its population lets expect, a priori.
    pub expected_universe: f64,
}

/// What is known of a territory's category demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Demand {
    /// The log of it, by the panel.
    Known(f64),
    /// A part of the market's rest.
    Shared,
    /// Nothing but our own sales.
    Unknown,
}

impl Demand {
    /// The log of it, where it is known or is this share of the rest.
    #[inline(always)]
    pub(super) fn log_total(self, share: f64) -> Option<f64> {
        match self {
            Self::Known(log_total) => Some(log_total),
            Self::Shared => Some(share),
            Self::Unknown => None,
        }
    }
}

/// Everything that the sampler reads.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub places: Vec<Place>,
    pub regressions: [RegressionPrior; 3],
    pub sizes: SizePriors,
    pub sums: SizeSums,
    pub grid: SplitGrid,
    pub captures: Option<CaptureData>,
    /// Category demand of the territories whose own is not known, together.
    pub rest: Option<f64>,
    /// Territories that share `rest`.
    pub sharing: Vec<usize>,
}

/// Parameters of sizes that all territories share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SizeParameters {
    pub kappa: f64,
    pub log_tau: f64,
    /// log R.
    pub log_ratio: f64,
    /// Log of the coefficient of variation of the dark.
    pub log_variation: f64,
    /// Minus infinity where there is no crowding.
    pub logit_crowding: f64,
}

/// What the demand of every territory needs of [`SizeParameters`], worked out once.
#[derive(Debug, Clone, Default)]
pub(super) struct SizeTerms {
    /// Demand of the open known of each territory at size level 0, and the kappa and tau that it was worked out at.
    known: Vec<Option<LogNormal>>,
    known_at: Option<[f64; 2]>,
    /// Log mean of the dark at psi = 0.
    pub log_dark_mean: f64,
    pub variation2: f64,
    /// chi.
    pub crowding: f64,
}

impl SizeTerms {
    /// Works them out; of terms that hold others already, only what has changed.
    pub(super) fn write(&mut self, model: &Model, p: &SizeParameters) {
        let tau2 = libm::exp(2.0 * p.log_tau);
        if self.known_at != Some([p.kappa, p.log_tau]) {
            self.known_at = Some([p.kappa, p.log_tau]);
            self.known.clear();
            self.known.extend(model.sums.at(p.kappa).map(|sums| {
                sums.map(|[first, second, third]| {
                    let variation2 = fast_exp(second - 2.0 * first + tau2) - fast_exp(third - 2.0 * first);
                    LogNormal::matching(0.5 * tau2 + first, variation2)
                })
            }));
        }
        self.log_dark_mean = model.sums.log_mean(p.kappa) + 0.5 * tau2 - p.log_ratio;
        self.variation2 = libm::exp(2.0 * p.log_variation);
        self.crowding = libm::exp(log_logistic(p.logit_crowding));
    }

    /// Size level of a territory from its effect and its universe.
    #[inline(always)]
    pub(super) fn level(&self, place: &Place, alpha: f64, beta: f64, psi: f64) -> f64 {
        if self.crowding == 0.0 {
            return psi;
        }
        psi - self.crowding * (log_add(alpha, beta) - place.expected_universe)
    }

    /// Demand of the open known of a territory at size level `psi`.
    #[inline(always)]
    pub(super) fn known(&self, territory: usize, psi: f64) -> Option<LogNormal> {
        self.known[territory].map(|known| known.shifted(psi))
    }

    /// Demand of `listed` certain and Poisson(`free`) further dark customers: log P(none) and, where there are some, the
    /// lognormal.
    #[inline(always)]
    pub(super) fn dark(&self, psi: f64, listed: f64, free: f64) -> (f64, LogNormal) {
        let count = (listed + free).max(1e-12);
        let log_mean = psi + self.log_dark_mean + fast_log(count);
        let variation2 = (count * self.variation2 + free) / (count * count);
        if listed > 0.0 {
            return (f64::NEG_INFINITY, LogNormal::matching(log_mean, variation2));
        }
        if free > CERTAIN {
            return (-free, LogNormal::matching(log_mean, variation2));
        }
        let some = -libm::expm1(-free);
        let given_some = (1.0 + variation2) * some - 1.0;
        (-free, LogNormal::matching(log_mean - fast_log(some.max(1e-300)), given_some))
    }

    /// A sum of demand as it enters a total: crowding leaves `1 - chi` of its chance.
    #[inline(always)]
    pub(super) fn alone(&self, part: LogNormal) -> LogNormal {
        if self.crowding == 0.0 {
            return part;
        }
        let uncrowded = 1.0 - self.crowding;
        part.with_variation(uncrowded * uncrowded)
    }

    /// Log density of a total without dark customers, and of one with some above the floors.
    #[inline(always)]
    pub(super) fn none_or_some(
        &self,
        log_none: f64,
        known: LogNormal,
        dark: LogNormal,
        floors: Floors,
        log_total: f64,
    ) -> (f64, f64) {
        let density = |sum: LogNormal| self.alone(sum).log_density(log_total);
        let some = density(known.plus(dark)) + log_above_floors(log_total, known, dark, floors);
        let some = if log_none == f64::NEG_INFINITY { some } else { some + log_some(log_none) };
        if log_none + LogNormal::MOST_DENSE < some - FAR {
            return (f64::NEG_INFINITY, some);
        }
        (log_none + density(known), some)
    }

    /// Demand of exactly `count` dark customers (a real number: an expectation may stand for it).
    #[inline(always)]
    pub(super) fn dark_of(&self, psi: f64, count: f64) -> LogNormal {
        LogNormal::matching(psi + self.log_dark_mean + fast_log(count), self.variation2 / count)
    }
}

impl Model {
    pub(super) fn new(observed: &Observed, activity: &[Activity], sizes: &KnownSizes, settings: &Settings) -> Self {
        let count = observed.territories.len();
        let design = Design::new(observed);
        let open: Vec<f64> = observed
            .territories
            .iter()
            .map(|territory| territory.customers.clone().map(|i| activity[i].open).sum())
            .collect();
        let known_parts: f64 = observed.territories.iter().filter_map(|territory| territory.demand).sum();
        let unknown: Vec<usize> = (0..count).filter(|&j| observed.territories[j].demand.is_none()).collect();
        let own_unknown: f64 = unknown.iter().map(|&j| observed.own_sales(j).max(0.0)).sum();
        // A rest that our own sales fill to the brim is rounding, not information.
        let rest = observed
            .market_demand
            .map(|market| market - known_parts)
            .filter(|&rest| !unknown.is_empty() && rest > own_unknown * 1.001 && rest > 0.0);
        let own: Vec<f64> = (0..count).map(|j| observed.own_of_open(j)).collect();
        let (all_own, all_indirect) = (own.iter().sum::<f64>(), (0..count).map(|j| observed.indirect(j)).sum::<f64>());
        let part = |amount: f64, all: f64| if all > 0.0 { amount.max(0.0) / all } else { 0.0 };
        let log = |amount: f64| if amount > 0.0 { libm::log(amount) } else { f64::NEG_INFINITY };
        let mut places: Vec<Place> = observed
            .territories
            .iter()
            .enumerate()
            .map(|(j, territory)| {
                let demand = match territory.demand {
                    // Rounding may leave the panel a hair below our own sales.
                    Some(demand) if demand > 0.0 => Demand::Known(libm::log(demand.max(own[j]))),
                    Some(_) => Demand::Unknown,
                    None if rest.is_some() => Demand::Shared,
                    None => Demand::Unknown,
                };
                Place {
                    x: design.rows[j].clone(),
                    open_known: open[j],
                    audited_dark: territory.outlets.map(|outlets| (outlets - open[j]).max(0.0)),
                    demand,
                    floors: Floors {
                        known: log(own[j]),
                        dark: log(observed.indirect(j)),
                        known_part: part(own[j], all_own),
                        dark_part: part(observed.indirect(j), all_indirect),
                    },
                    expected_universe: 0.0,
                }
            })
            .collect();
        let width = design.rows.first().map_or(1, Vec::len);
        let priors = |intercept: NormalPrior, population: NormalPrior, log_sd: NormalPrior| RegressionPrior {
            coefficients: if design.has_population { vec![intercept, population] } else { vec![intercept] },
            covariates: width - 1 - usize::from(design.has_population),
            log_slope_sd: NormalPrior::new(libm::log(0.05), 0.7),
            log_sd,
        };
        let universe_sd = if design.has_population {
            NormalPrior::new(libm::log(0.3), 0.4)
        } else {
            NormalPrior::new(libm::log(0.8), 0.5)
        };
        let normal = NormalPrior::new;
        let regressions = [
            priors(universe_centre(observed, &places), normal(1.0, 0.1), universe_sd),
            priors(normal(-1.0, 1.5), normal(0.0, 0.3), normal(libm::log(0.5), 0.5)),
            priors(size_centre(observed, &places, sizes), normal(0.1, 0.15), normal(libm::log(0.25), 0.4)),
        ];
        for place in &mut places {
            let centre = place.x.iter().zip(&regressions[UNIVERSE].coefficients);
            place.expected_universe = centre.map(|(x, prior)| x * prior.mean).sum();
        }
        Self {
            places,
            regressions,
            sizes: SizePriors {
                kappa: sizes.kappa,
                log_tau: sizes.log_tau,
                log_ratio: normal(libm::log(settings.size_ratio.median), settings.size_ratio.log_sd),
                log_variation: normal(libm::log(1.3), 0.3),
                logit_crowding: sizes.level.is_none().then(|| normal(0.0, 1.5)),
            },
            sums: SizeSums::new(observed, activity, sizes),
            grid: SplitGrid::new(),
            captures: CaptureData::new(observed),
            sharing: if rest.is_some() { unknown } else { Vec::new() },
            rest,
        }
    }

    /// Dark demand of a territory that has some, with the log probability that it has none.
    #[inline(always)]
    fn dark(&self, j: usize, terms: &SizeTerms, beta: f64, level: f64, log_rho: f64) -> (f64, Option<LogNormal>) {
        match self.places[j].audited_dark {
            Some(dark) if dark < 0.05 => (0.0, None),
            Some(dark) => (f64::NEG_INFINITY, Some(terms.dark_of(level, dark))),
            None => {
                let listed = self.captures.as_ref().map_or(0.0, |captures| captures.listed_dark[j]);
                let (log_none, dark) = terms.dark(level, listed, fast_exp(beta + log_rho));
                (log_none, Some(dark))
            }
        }
    }

    /// Category demand of a territory of whose demand something is known, if it has dark customers where it may have some.
    pub(super) fn total(&self, j: usize, terms: &SizeTerms, beta: f64, level: f64, log_rho: f64) -> Option<LogNormal> {
        if self.places[j].demand == Demand::Unknown {
            return None;
        }
        let both = match (terms.known(j, level), self.dark(j, terms, beta, level, log_rho).1) {
            (Some(known), Some(dark)) => known.plus(dark),
            (one, other) => one.or(other)?,
        };
        Some(terms.alone(both))
    }

    /// Log density of what the panel and our own sales say of a territory's demand, per unit of log T.
    ///
    /// `level` is the territory's size level, `log_total` is read where the demand is a share of the rest.
    #[inline(always)]
    pub(super) fn demand(
        &self,
        j: usize,
        terms: &SizeTerms,
        beta: f64,
        level: f64,
        log_rho: f64,
        log_total: f64,
    ) -> f64 {
        let place = &self.places[j];
        let known = terms.known(j, level);
        let Some(total) = place.demand.log_total(log_total) else {
            return match known {
                Some(known) if place.floors.known > f64::NEG_INFINITY => {
                    place.floors.known_part * log_normal_cdf((known.mean - place.floors.known) / known.sd)
                }
                _ => 0.0,
            };
        };
        let (log_none, dark) = self.dark(j, terms, beta, level, log_rho);
        let alone = |part: LogNormal| terms.alone(part).log_density(total);
        match (known, dark) {
            (Some(known), Some(dark)) => {
                let (none, some) = terms.none_or_some(log_none, known, dark, place.floors, total);
                if log_none == f64::NEG_INFINITY || place.floors.dark > f64::NEG_INFINITY {
                    some
                } else {
                    log_add(none, some)
                }
            }
            (Some(known), None) => alone(known),
            (None, Some(dark)) => alone(dark) + if log_none == f64::NEG_INFINITY { 0.0 } else { log_some(log_none) },
            (None, None) => 0.0,
        }
    }
}

/// Log of the probability that neither part of a total is below its floor, with the weight that it has among all territories.
#[inline(always)]
fn log_above_floors(total: f64, known: LogNormal, dark: LogNormal, floors: Floors) -> f64 {
    let spread = (known.sd * known.sd + dark.sd * dark.sd).sqrt();
    let ratio = known.mean - dark.mean;
    let above = |floor: f64, weight: f64, ratio: f64| {
        if floor == f64::NEG_INFINITY {
            return 0.0;
        }
        let part = fast_exp(floor - total);
        // All of the total is above the floor's part, or there is no room for the other.
        let log = if part >= 1.0 {
            NO_ROOM
        } else {
            log_normal_cdf((ratio - fast_log(part / (1.0 - part))) / spread).max(NO_ROOM)
        };
        weight * log
    };
    above(floors.known, floors.known_part, ratio) + above(floors.dark, floors.dark_part, -ratio)
}

/// What is smaller than another by this in its log adds nothing to it.
const FAR: f64 = 40.0;

/// Log probability where the floors leave no room.
const NO_ROOM: f64 = -20.0;

/// Expected number from which there are some, beside which none is less than a number can say.
const CERTAIN: f64 = 40.0;

/// Log of the probability that there are some, from that of none.
#[inline(always)]
fn log_some(log_none: f64) -> f64 {
    if log_none < -CERTAIN {
        return 0.0;
    }
    fast_log((-libm::expm1(log_none)).max(1e-300))
}

/// Design rows of the territory regressions.
struct Design {
    rows: Vec<Vec<f64>>,
    has_population: bool,
}

impl Design {
    fn new(observed: &Observed) -> Self {
        let count = observed.territories.len();
        let population: Vec<Option<f64>> =
            observed.territories.iter().map(|territory| territory.population.map(libm::log)).collect();
        let mut rows = vec![vec![1.0]; count];
        let known: Vec<f64> = population.iter().filter_map(|x| *x).collect();
        // One territory, or nothing to compare: there is no regression.
        let has_population = count > 1 && 2 * known.len() > count;
        if has_population {
            let centre = known.iter().sum::<f64>() / known.len() as f64;
            for (row, x) in rows.iter_mut().zip(&population) {
                // An unknown population is taken for an average one.
                row.push(x.map_or(0.0, |x| x - centre));
            }
        }
        let mut used = 0;
        for covariate in 0..observed.covariate_names.len() {
            let values: Vec<Option<f64>> = observed.territories.iter().map(|t| t.covariates[covariate]).collect();
            let seen: Vec<f64> = values.iter().filter_map(|x| *x).collect();
            if used == MOST_COVARIATES || count < 8 || seen.len() * 5 < count * 4 {
                continue;
            }
            let (mean, sd) = crate::stats::mean_sd(&seen);
            if sd <= 1e-9 * mean.abs().max(1e-9) {
                continue;
            }
            for (row, x) in rows.iter_mut().zip(&values) {
                row.push(x.map_or(0.0, |x| ((x - mean) / sd).clamp(-3.0, 3.0)));
            }
            used += 1;
        }
        Self { rows, has_population }
    }
}

/// Prior of the universe's intercept: the audited outlets, or the known at a guessed coverage.
fn universe_centre(observed: &Observed, places: &[Place]) -> NormalPrior {
    let slope = |place: &Place| place.x.get(1).copied().unwrap_or(0.0);
    let audited: Vec<f64> = observed
        .territories
        .iter()
        .zip(places)
        .filter_map(|(territory, place)| Some(libm::log(territory.outlets?.max(0.5)) - slope(place)))
        .collect();
    if !audited.is_empty() {
        return NormalPrior::new(audited.iter().sum::<f64>() / audited.len() as f64, 0.5);
    }
    let open: f64 = places.iter().map(|place| place.open_known).sum();
    let exposure: f64 = places.iter().map(|place| libm::exp(slope(place))).sum();
    NormalPrior::new(libm::log(open.max(0.5) / GUESSED_COVERAGE / exposure), 1.2)
}

/// Prior of the size level's intercept: a survey or the size column; else panel demand per outlet; else our own sales.
fn size_centre(observed: &Observed, places: &[Place], sizes: &KnownSizes) -> NormalPrior {
    if let Some(level) = sizes.level {
        return level;
    }
    let both = observed.territories.iter().filter_map(|territory| Some((territory.demand?, territory.outlets?)));
    let (demand, outlets) = both.fold((0.0, 0.0), |(t, o), (demand, outlets)| (t + demand, o + outlets));
    // -0.7: from the mean of a skewed size to its log median.
    if demand > 0.0 && outlets > 0.0 {
        return NormalPrior::new(libm::log(demand / outlets) - 0.7, 1.0);
    }
    let open: f64 = places.iter().map(|place| place.open_known).sum();
    let guessed = open.max(0.5) / GUESSED_COVERAGE;
    let all: Option<f64> = observed.market_demand.or_else(|| {
        let seen: f64 = observed.territories.iter().filter_map(|territory| territory.demand).sum();
        (seen > 0.0).then_some(seen)
    });
    if let Some(demand) = all.filter(|&demand| demand > 0.0) {
        return NormalPrior::new(libm::log(demand / guessed) - 0.7, 1.2);
    }
    let own: f64 = observed.customers.iter().filter(|c| c.served).map(|c| c.own_year).sum();
    let served = observed.customers.iter().filter(|c| c.served).count().max(1) as f64;
    NormalPrior::new(libm::log((own / served).max(1e-9) / GUESSED_COVERAGE) - 0.7, 1.2)
}
