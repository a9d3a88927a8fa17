//! How large known customers are: what each kind of evidence says, brought to one scale.
//!
//! Whatever the evidence, the model reads a standardised index z_i (mean 0, deviation 1 over the open known, with its own
//! uncertainty) and a yearly category demand `log w_i = psi_j + kappa z_i + tau e_i`. What differs is the index and how far
//! its scale is known:
//!
//! | evidence | index | level | kappa | tau |
//! |---|---|---|---|---|
//! | `wallets.csv` (8 rows or more) | regression of log wallet on log size, being served, log(1 + own sales) of the served, and activity | known to its standard error | slope of the regression | its residual |
//! | `size` for half of the customers | log size | known to log sd 0.35 | 1 less what is error, in log size | LN(0.35, 0.4) |
//! | orders only | activity (`activity.rs`) | from the panel, or unknown | N(0.9, 0.3) | LN(0.7, 0.3) |
//!
//! A `size` is taken to be the demand times an error of log sd e = 0.35: the log of the demand given the size then moves by
//! `1 - e^2 / sd^2` of the log of the size (regression dilution, Fuller 1987, "Measurement error models", 1.1). Without it the large
//! sizes, which hold most of a total, would be believed to the full and the known would be put e^2 / 2 too high.
//!
//! **Customers that do not buy from us** have no own sales to be read. Where a survey or a size column names some of them they have a
//! level of their own, and what own sales explain of the others is uncertainty of theirs. What is not known of that level moves all of
//! them together: a log deviation with sd [`KnownSizes::unserved_sd`], precision `1 / 0.5^2` before any evidence (an assumption: companies
//! court the large ones, so that who is left may be smaller or larger than its silence says) and `n / variance` from n of them.
//! It enters when the known demand is split between served and identified, not the sampler (a cut).
//!
//! Sums over the customers of a territory are all that the totals need; they are tabulated over kappa once, so that the
//! sampler's work does not depend on the number of customers.

use nalgebra::{DMatrix, DVector};

use super::activity::Activity;
use super::observed::{Observed, ObservedCustomer};

/// Log deviation of a size in the files around the demand.
const SIZE_ERROR: f64 = 0.35;

/// Prior deviation of the log size of all customers that do not buy from us, beside what is read for each.
const UNSERVED_SD: f64 = 0.5;

/// A size column may be off for all of them together by this.
const UNSERVED_COLUMN_SD: f64 = 0.15;

/// Residuals that the prior of a variance counts for.
const PRIOR_RESIDUALS: f64 = 4.0;

/// Least part of a size's scatter that is demand.
const LEAST_TOLD: f64 = 0.3;

/// Where the sizes of known customers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeSource {
    Survey,
    SizeColumn,
    Orders,
}

/// A normal prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NormalPrior {
    pub mean: f64,
    pub sd: f64,
}

impl NormalPrior {
    pub(super) const fn new(mean: f64, sd: f64) -> Self {
        Self { mean, sd }
    }

    #[inline(always)]
    pub(super) fn log_density(self, x: f64) -> f64 {
        let z = (x - self.mean) / self.sd;
        -0.5 * z * z
    }
}

/// Sizes of known customers on one scale.
#[derive(Debug, Clone)]
pub(super) struct KnownSizes {
    pub source: SizeSource,
    /// Mean and variance of the index of each customer.
    pub index: Vec<f64>,
    pub variance: Vec<f64>,
    /// Deviation that the log sizes of all customers that do not buy from us have in common.
    pub unserved_sd: f64,
    pub kappa: NormalPrior,
    /// Of log tau.
    pub log_tau: NormalPrior,
    /// Log demand a year of a customer at index 0; `None` where only the panel can tell.
    pub level: Option<NormalPrior>,
}

impl KnownSizes {
    pub(super) fn new(observed: &Observed, activity: &[Activity]) -> Self {
        let open: Vec<usize> = (0..observed.customers.len()).filter(|&i| !observed.customers[i].closed).collect();
        let surveyed: Vec<usize> = open.iter().copied().filter(|&i| observed.customers[i].wallet.is_some()).collect();
        let sized = open.iter().filter(|&&i| observed.customers[i].log_size.is_some()).count();
        let has_size = sized > 0 && 2 * sized >= open.len();
        let log_size = has_size.then(|| fill_sizes(observed, activity, &open));
        if surveyed.len() >= 8 {
            Self::from_survey(observed, activity, &open, &surveyed, log_size.as_deref())
        } else if let Some(log_size) = log_size {
            let (mean, sd) = moments(&open, &log_size);
            let told = (1.0 - SIZE_ERROR * SIZE_ERROR / (sd * sd)).max(LEAST_TOLD);
            // Errors shrink a size towards those of its own kind, not towards all.
            let centre = |of_served: bool| {
                let of = open.iter().filter(|&&i| observed.customers[i].served == of_served).map(|&i| log_size[i]);
                let (sum, count) = of.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
                if count > 0.0 { sum / count } else { mean }
            };
            let centres = [centre(false), centre(true)];
            let index = |(customer, x): (&ObservedCustomer, &f64)| {
                let own = centres[usize::from(customer.served)];
                (x - own + (own - mean) / told) / sd
            };
            Self {
                source: SizeSource::SizeColumn,
                index: observed.customers.iter().zip(&log_size).map(index).collect(),
                unserved_sd: UNSERVED_COLUMN_SD,
                // A size that was filled in from orders is less sure.
                variance: observed.customers.iter().map(|c| if c.log_size.is_some() { 0.0 } else { 0.5 }).collect(),
                kappa: NormalPrior::new(told * sd, 0.15 * sd),
                log_tau: NormalPrior::new(libm::log(SIZE_ERROR), 0.4),
                level: Some(NormalPrior::new(mean, 0.35)),
            }
        } else {
            Self {
                source: SizeSource::Orders,
                index: activity.iter().map(|a| a.mean).collect(),
                variance: activity.iter().map(|a| a.variance).collect(),
                unserved_sd: UNSERVED_SD,
                kappa: NormalPrior::new(0.9, 0.3),
                log_tau: NormalPrior::new(libm::log(0.7), 0.3),
                level: None,
            }
        }
    }

    fn from_survey(
        observed: &Observed,
        activity: &[Activity],
        open: &[usize],
        surveyed: &[usize],
        log_size: Option<&[f64]>,
    ) -> Self {
        let own = |i: usize| libm::log1p(observed.customers[i].own_year.max(0.0));
        let served: Vec<f64> = open.iter().copied().filter(|&i| observed.customers[i].served).map(own).collect();
        let centre = served.iter().sum::<f64>() / (served.len() as f64).max(1.0);
        let features = |i: usize| {
            let mut row = vec![1.0, 0.0, 0.0, ordered_activity(observed, activity, i)];
            if observed.customers[i].served {
                (row[1], row[2]) = (1.0, own(i) - centre);
            }
            row.extend(log_size.map(|size| size[i]));
            row
        };
        let rows: Vec<Vec<f64>> = surveyed.iter().map(|&i| features(i)).collect();
        let wallet: Vec<f64> =
            surveyed.iter().map(|&i| libm::log(observed.customers[i].wallet.unwrap_or(1.0))).collect();
        let (coefficients, residual) = ridge(&rows, &wallet);
        let fitted: Vec<f64> = (0..observed.customers.len())
            .map(|i| {
                let predicted: f64 = features(i).iter().zip(&coefficients).map(|(x, b)| x * b).sum();
                // A surveyed customer is itself, to the error of a survey.
                observed.customers[i].wallet.map_or(predicted, |wallet| 0.8 * libm::log(wallet) + 0.2 * predicted)
            })
            .collect();
        let (mean, sd) = moments(open, &fitted);
        let error = residual / (surveyed.len() as f64).sqrt();
        // What own sales explain of the served is uncertainty of the others.
        let own_served: Vec<f64> = served.iter().map(|own| coefficients[2] * (own - centre)).collect();
        let explained = if own_served.len() > 1 { crate::stats::mean_sd(&own_served).1 } else { 0.0 };
        let residuals = |of_served: bool| -> (f64, f64) {
            let of = surveyed.iter().zip(&rows).zip(&wallet);
            let of = of.filter(|((i, _), _)| observed.customers[**i].served == of_served).map(|((_, row), wallet)| {
                let residual = wallet - row.iter().zip(&coefficients).map(|(x, b)| x * b).sum::<f64>();
                residual * residual
            });
            of.fold((0.0, 0.0), |(square, count), r| (square + r, count + 1.0))
        };
        let shrunk = |(square, count): (f64, f64), prior: f64| {
            ((PRIOR_RESIDUALS * prior + square) / (PRIOR_RESIDUALS + count)).max(0.01)
        };
        let of_served = shrunk(residuals(true), residual * residual);
        let unserved = residuals(false);
        let of_unserved = shrunk(unserved, residual * residual + explained * explained);
        let more = (of_unserved - of_served).max(0.0) / (sd * sd);
        let residual = of_served.sqrt();
        let unknown = |customer: &ObservedCustomer| !customer.served && customer.wallet.is_none();
        Self {
            source: SizeSource::Survey,
            index: fitted.iter().map(|x| (x - mean) / sd).collect(),
            variance: observed.customers.iter().map(|customer| if unknown(customer) { more } else { 0.0 }).collect(),
            unserved_sd: 1.0 / (1.0 / (UNSERVED_SD * UNSERVED_SD) + unserved.1 / of_unserved).sqrt(),
            kappa: NormalPrior::new(sd, (0.1 * sd).max(error)),
            log_tau: NormalPrior::new(libm::log(residual.max(0.1)), 0.2),
            level: Some(NormalPrior::new(mean, (error * error + 0.01).sqrt())),
        }
    }
}

/// Activity of a customer that has ordered; 0, the mean, for one that never did: its silence is not a small customer's.
fn ordered_activity(observed: &Observed, activity: &[Activity], i: usize) -> f64 {
    if observed.customers[i].log_order.is_some() { activity[i].mean } else { 0.0 }
}

/// Log sizes, the missing ones from the regression on being served and on activity.
fn fill_sizes(observed: &Observed, activity: &[Activity], open: &[usize]) -> Vec<f64> {
    let sized: Vec<usize> = open.iter().copied().filter(|&i| observed.customers[i].log_size.is_some()).collect();
    let served = |i: usize| f64::from(u8::from(observed.customers[i].served));
    let features = |i: usize| vec![1.0, served(i), ordered_activity(observed, activity, i)];
    let rows: Vec<Vec<f64>> = sized.iter().map(|&i| features(i)).collect();
    let size: Vec<f64> = sized.iter().filter_map(|&i| observed.customers[i].log_size).collect();
    let (coefficients, _) = ridge(&rows, &size);
    let predicted = |i: usize| features(i).iter().zip(&coefficients).map(|(x, b)| x * b).sum();
    (0..observed.customers.len()).map(|i| observed.customers[i].log_size.unwrap_or_else(|| predicted(i))).collect()
}

/// Least squares with a little shrinkage of the slopes (never of the intercept); coefficients and residual deviation.
pub(super) fn ridge(rows: &[Vec<f64>], y: &[f64]) -> (Vec<f64>, f64) {
    let width = rows.first().map_or(0, Vec::len);
    let x = DMatrix::from_fn(rows.len(), width, |row, column| rows[row][column]);
    let target = DVector::from_column_slice(y);
    let mut normal = x.transpose() * &x;
    for d in 1..width {
        normal[(d, d)] += 1.0;
    }
    // One pseudo-row's worth on the intercept's diagonal keeps a table of no rows solvable.
    normal[(0, 0)] += 1e-9;
    let solved = normal.cholesky().map(|factor| factor.solve(&(x.transpose() * &target)));
    let coefficients: Vec<f64> = solved.map_or_else(|| vec![0.0; width], |b| b.iter().copied().collect());
    let square: f64 = rows
        .iter()
        .zip(y)
        .map(|(row, y)| y - row.iter().zip(&coefficients).map(|(x, b)| x * b).sum::<f64>())
        .map(|residual| residual * residual)
        .sum();
    let freedom = rows.len().saturating_sub(width).max(1) as f64;
    (coefficients, (square / freedom).sqrt())
}

fn moments(open: &[usize], x: &[f64]) -> (f64, f64) {
    let chosen: Vec<f64> = open.iter().map(|&i| x[i]).collect();
    if chosen.is_empty() {
        return (0.0, 1.0);
    }
    let (mean, sd) = crate::stats::mean_sd(&chosen);
    (mean, sd.max(0.05))
}

/// Sums over the open known of each territory as functions of kappa, tabulated.
///
/// With E_i = exp(kappa z_i + kappa^2 v_i / 2) and p_i the probability of being open:
/// `first = sum p E`, `second = sum p E^2 exp(kappa^2 v)`, `third = sum (p E)^2`.
#[derive(Debug, Clone)]
pub(super) struct SizeSums {
    from: f64,
    step: f64,
    /// `[node][territory]`: logs of the three sums; `None` for a territory without open known customers.
    nodes: Vec<Vec<Option<[f64; 3]>>>,
    /// `[node]`: log of the mean of E over the whole market, weighted with p.
    mean: Vec<f64>,
}

impl SizeSums {
    const NODES: usize = 41;

    pub(super) fn new(observed: &Observed, activity: &[Activity], sizes: &KnownSizes) -> Self {
        let to = (sizes.kappa.mean + 6.0 * sizes.kappa.sd).max(1.0);
        let step = to / (Self::NODES - 1) as f64;
        let mut nodes = Vec::with_capacity(Self::NODES);
        let mut mean = Vec::with_capacity(Self::NODES);
        for node in 0..Self::NODES {
            let kappa = step * node as f64;
            let (mut all, mut weight) = (0.0, 0.0);
            let rows = observed.territories.iter().map(|territory| {
                let mut sums = [0.0; 3];
                for i in territory.customers.clone() {
                    let p = activity[i].open;
                    let e = libm::exp(kappa * sizes.index[i] + 0.5 * kappa * kappa * sizes.variance[i]);
                    sums[0] += p * e;
                    sums[1] += p * e * e * libm::exp(kappa * kappa * sizes.variance[i]);
                    sums[2] += p * p * e * e;
                    weight += p;
                }
                all += sums[0];
                (sums[0] > 0.0).then(|| sums.map(libm::log))
            });
            nodes.push(rows.collect());
            // Nobody known: the dark are sized by the standard normal index itself.
            mean.push(if weight > 0.0 { libm::log(all / weight) } else { 0.5 * kappa * kappa });
        }
        Self { from: 0.0, step, nodes, mean }
    }

    /// Largest kappa of the table.
    pub(super) fn limit(&self) -> f64 {
        self.from + self.step * (Self::NODES - 1) as f64
    }

    fn place(&self, kappa: f64) -> (usize, f64) {
        let position = ((kappa - self.from) / self.step).clamp(0.0, (Self::NODES - 1) as f64 - 1e-9);
        let below = position as usize;
        (below, position - below as f64)
    }

    /// Log of the market's mean of exp(kappa z).
    pub(super) fn log_mean(&self, kappa: f64) -> f64 {
        let (below, part) = self.place(kappa);
        self.mean[below] + part * (self.mean[below + 1] - self.mean[below])
    }

    /// The three log sums of every territory.
    pub(super) fn at(&self, kappa: f64) -> impl Iterator<Item = Option<[f64; 3]>> {
        let (below, part) = self.place(kappa);
        self.nodes[below].iter().zip(&self.nodes[below + 1]).map(move |(low, high)| match (low, high) {
            (Some(low), Some(high)) => Some(std::array::from_fn(|k| low[k] + part * (high[k] - low[k]))),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::potential::activity::LEVELS;
    use crate::potential::observed::{ObservedCustomer, ObservedTerritory};

    fn market(wallets: bool, sizes: bool) -> (Observed, Vec<Activity>) {
        let customers: Vec<ObservedCustomer> = (0..40)
            .map(|i| {
                let log = 2.0 + 0.05 * f64::from(i);
                ObservedCustomer {
                    log_size: sizes.then_some(log),
                    wallet: wallets.then(|| libm::exp(log + 0.5)),
                    own_year: 10.0,
                    ..Default::default()
                }
            })
            .collect();
        let activity = (0..40).map(|i| Activity::new(f64::from(i % 5) - 2.0, 0.1, [1.0; LEVELS])).collect();
        let territories = vec![ObservedTerritory { customers: 0..40, ..Default::default() }];
        (Observed { territories, customers, ..Default::default() }, activity)
    }

    #[test]
    fn a_survey_corrects_the_level_of_sizes() {
        let (observed, activity) = market(true, true);
        let sizes = KnownSizes::new(&observed, &activity);
        assert_eq!(sizes.source, SizeSource::Survey);
        let level = sizes.level.unwrap();
        assert!((level.mean - (2.0 + 0.05 * 19.5 + 0.5)).abs() < 0.05, "{level:?}");
        let (observed, activity) = market(false, true);
        assert_eq!(KnownSizes::new(&observed, &activity).source, SizeSource::SizeColumn);
        let (observed, activity) = market(false, false);
        assert!(KnownSizes::new(&observed, &activity).level.is_none());
    }

    #[test]
    fn the_table_is_the_sum() {
        let (observed, activity) = market(false, false);
        let sizes = KnownSizes::new(&observed, &activity);
        let table = SizeSums::new(&observed, &activity, &sizes);
        let kappa = 0.7345;
        let read: Vec<Option<[f64; 3]>> = table.at(kappa).collect();
        let sum: f64 = activity.iter().map(|a| libm::exp(kappa * a.mean + 0.5 * kappa * kappa * a.variance)).sum();
        assert!((read[0].unwrap()[0] - libm::log(sum)).abs() < 2e-3);
        assert!((table.log_mean(kappa) - libm::log(sum / 40.0)).abs() < 2e-3);
    }
}
