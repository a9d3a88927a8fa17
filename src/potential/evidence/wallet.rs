//! Share of wallet: what served customers buy of the category, from us and from others.
//!
//! Two sources, shown alone and not fused as they stand here (the fusion reads the same survey and sizes in its own way,
//! `sizes.rs`):
//!
//! - **Survey** (`wallets.csv`, 8 served rows or more): log wallet on log(1 + own sales), order rate and, where half have one,
//!   log size, by least squares; the others are predicted with Duan's (1983) smearing, never below our own sales. Uncertainty:
//!   bootstrap of the rows.
//! - **Ceiling**: among customers alike in size (else in order rate), those that buy most from us give us nearly all of their
//!   wallet: the 90% quantile of own sales given size stands for the wallet, forced not to fall with size (pool adjacent
//!   violators), never below own sales. Where even the best give us half, the wallet is twice the ceiling: a floor. Bootstrap
//!   of the customers.
//!
//! What the curvature of response or a competitor's pulses say of a customer's wallet is the calibration's to read, not ours.

use rand::RngExt as _;
use rand_distr::{Beta, Distribution as _};

use super::super::dark_half::Evidence;
use super::super::observed::{Observed, ObservedCustomer};
use super::super::sizes::ridge;
use crate::rng::Stream;
use crate::stats::Summary;

/// Bootstrap draws; each reads every served customer.
const DRAWS: usize = 200;
/// Surveyed customers needed for a regression.
const SURVEYED: usize = 8;
/// Served customers needed for a ceiling, and in each class of it.
const SERVED: usize = 40;
const CLASS: usize = 20;
const MOST_CLASSES: usize = 10;
const CEILING: f64 = 0.9;

pub(super) fn estimate(observed: &Observed, unit: &str, seed: u64) -> Vec<Evidence> {
    let served: Vec<&ObservedCustomer> =
        observed.customers.iter().filter(|c| c.served && !c.closed && c.own_year > 0.0).collect();
    let sized = 2 * served.iter().filter(|customer| customer.log_size.is_some()).count() > served.len();
    let evidence = |name: &str, estimate: Summary, remark: String| Evidence {
        name: name.into(),
        measure: "served_demand".into(),
        unit: unit.into(),
        estimate,
        remark,
    };
    let own: f64 = served.iter().map(|customer| customer.own_year).sum();
    let mut out = Vec::new();
    if let Some((estimate, rows)) = survey(&served, sized, seed) {
        out.push(evidence(
            "wallet survey",
            estimate,
            format!(
                "wallets of {rows} surveyed customers carried to all {} served by own sales, order rate{}; assumes that those surveyed are \
                 like the others; we sell them {own:.0}",
                served.len(),
                if sized { " and size" } else { "" }
            ),
        ));
    }
    if let Some((estimate, classes)) = ceiling(&served, sized, seed) {
        out.push(evidence(
            "wallet ceiling",
            estimate,
            format!(
                "a floor, not fused: the 90% quantile of own sales in {classes} classes of {} taken for the wallet, as if the best in each gave \
                 us everything; we sell them {own:.0}",
                if sized { "size" } else { "order rate" }
            ),
        ));
    }
    out
}

/// Months with an order over months at risk, pulled a little to one in two.
fn order_rate(customer: &ObservedCustomer) -> f64 {
    let months = f64::from(customer.exposed + customer.silent);
    (f64::from(customer.active) + 0.5) / (months + 1.0)
}

/// Regression on the survey; the total and the number of rows used.
fn survey(served: &[&ObservedCustomer], sized: bool, seed: u64) -> Option<(Summary, usize)> {
    let mean_size = {
        let sizes: Vec<f64> = served.iter().filter_map(|customer| customer.log_size).collect();
        sizes.iter().sum::<f64>() / sizes.len().max(1) as f64
    };
    let features = |customer: &ObservedCustomer| -> Vec<f64> {
        let mut row = vec![1.0, libm::log1p(customer.own_year), libm::log(order_rate(customer))];
        if sized {
            row.push(customer.log_size.unwrap_or(mean_size));
        }
        row
    };
    let rows: Vec<(Vec<f64>, f64)> = served
        .iter()
        .filter_map(|customer| {
            let wallet = customer.wallet.filter(|wallet| *wallet > 0.0)?;
            Some((features(customer), libm::log(wallet)))
        })
        .collect();
    if rows.len() < SURVEYED {
        return None;
    }
    let all: Vec<Vec<f64>> = served.iter().map(|customer| features(customer)).collect();
    let mut rng = Stream::new(seed, "potential/wallet survey", 0);
    let draws: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let chosen = resampled(rows.len(), &mut rng);
            let x: Vec<Vec<f64>> = chosen.iter().map(|&i| rows[i].0.clone()).collect();
            let y: Vec<f64> = chosen.iter().map(|&i| rows[i].1).collect();
            let (coefficients, _) = ridge(&x, &y);
            let predict = |row: &[f64]| -> f64 { row.iter().zip(&coefficients).map(|(x, b)| x * b).sum() };
            let smear = x.iter().zip(&y).map(|(row, y)| libm::exp(y - predict(row))).sum::<f64>() / y.len() as f64;
            served
                .iter()
                .zip(&all)
                .map(|(customer, row)| {
                    let wallet = customer.wallet.filter(|wallet| *wallet > 0.0);
                    wallet.unwrap_or_else(|| smear * libm::exp(predict(row).min(700.0))).max(customer.own_year)
                })
                .sum()
        })
        .collect();
    Some((Summary::of(&draws)?, rows.len()))
}

/// The monotone high quantile; the total and the number of classes.
fn ceiling(served: &[&ObservedCustomer], sized: bool, seed: u64) -> Option<(Summary, usize)> {
    let mut placed: Vec<(f64, f64)> = served
        .iter()
        .filter_map(|customer| {
            let by = if sized { customer.log_size? } else { order_rate(customer) };
            by.is_finite().then_some((by, customer.own_year))
        })
        .collect();
    if placed.len() < SERVED {
        return None;
    }
    let unplaced = served.iter().map(|c| c.own_year).sum::<f64>() - placed.iter().map(|(_, own)| own).sum::<f64>();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let classes = (placed.len() / CLASS).clamp(2, MOST_CLASSES);
    let edges: Vec<usize> = (0..=classes).map(|class| class * placed.len() / classes).collect();
    let own_of = |edge: &[usize]| placed[edge[0]..edge[1]].iter().map(|(_, own)| *own);
    let sorted: Vec<Vec<f64>> = edges
        .windows(2)
        .map(|edge| {
            let mut own: Vec<f64> = own_of(edge).collect();
            own.sort_unstable_by(f64::total_cmp);
            own
        })
        .collect();
    let mut rng = Stream::new(seed, "potential/wallet ceiling", 0);
    let draws: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let ceilings: Vec<(f64, f64)> =
                sorted.iter().map(|own| (quantile_again(own, CEILING, &mut rng), own.len() as f64)).collect();
            let wallets = edges
                .windows(2)
                .zip(rising(&ceilings))
                .map(|(edge, ceiling)| own_of(edge).map(|own| own.max(ceiling)).sum::<f64>());
            unplaced + wallets.sum::<f64>()
        })
        .collect();
    Some((Summary::of(&draws)?, classes))
}

/// The quantile of as many numbers drawn again with replacement from `sorted`, without drawing them: of n uniform picks the
/// k-th smallest is Beta(k, n + 1 - k), and the next one is the least of those left above it.
fn quantile_again(sorted: &[f64], level: f64, rng: &mut Stream) -> f64 {
    let n = sorted.len();
    let place = level * (n - 1) as f64;
    let below = place as usize;
    let first = Beta::new((below + 1) as f64, (n - below) as f64).map_or(level, |beta| beta.sample(rng));
    let at = |uniform: f64| sorted[((uniform * n as f64) as usize).min(n - 1)];
    let above = n - below - 1;
    if above == 0 {
        return at(first);
    }
    let uniform: f64 = rng.random();
    let second = 1.0 - (1.0 - first) * libm::pow(uniform, 1.0 / above as f64);
    let part = place - below as f64;
    at(first) + part * (at(second) - at(first))
}

/// Indices drawn with replacement.
fn resampled(count: usize, rng: &mut Stream) -> Vec<usize> {
    (0..count)
        .map(|_| {
            let uniform: f64 = rng.random();
            ((uniform * count as f64) as usize).min(count - 1)
        })
        .collect()
}

/// The nearest sequence that does not fall, of (value, weight): pool adjacent violators (Ayer et al. 1955).
fn rising(values: &[(f64, f64)]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for &(value, weight) in values {
        let mut block = (value, weight, 1);
        while let Some(&(before, mass, count)) = blocks.last().filter(|last| last.0 > block.0) {
            let total = mass + block.1;
            block = ((before * mass + block.0 * block.1) / total, total, count + block.2);
            blocks.pop();
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{mean_sd, quantile_sorted};

    #[test]
    fn quantiles_of_picks_that_are_not_made() {
        let sorted: Vec<f64> = (0..37).map(|k| libm::exp(0.1 * f64::from(k))).collect();
        let mut rng = Stream::new(1, "test/quantile again", 0);
        let made: Vec<f64> = (0..20_000)
            .map(|_| {
                let mut picks: Vec<f64> = resampled(sorted.len(), &mut rng).into_iter().map(|i| sorted[i]).collect();
                picks.sort_by(f64::total_cmp);
                quantile_sorted(&picks, CEILING)
            })
            .collect();
        let short: Vec<f64> = (0..20_000).map(|_| quantile_again(&sorted, CEILING, &mut rng)).collect();
        let ((mean, sd), (other, other_sd)) = (mean_sd(&made), mean_sd(&short));
        assert!(
            (mean - other).abs() < 0.05 * sd && (sd / other_sd - 1.0).abs() < 0.03,
            "{mean} {sd} {other} {other_sd}"
        );
        assert_eq!(quantile_again(&[3.0], CEILING, &mut rng), 3.0);
    }

    #[test]
    fn pooling_by_hand() {
        assert_eq!(rising(&[(1.0, 1.0), (3.0, 1.0), (2.0, 1.0), (5.0, 1.0)]), [1.0, 2.5, 2.5, 5.0]);
        assert_eq!(rising(&[(4.0, 3.0), (0.0, 1.0)]), [3.0, 3.0]);
    }

    /// Wallet = size; the share that we get runs evenly from 0.05 to 1, the same at every size.
    fn market(surveyed: usize) -> (Observed, f64) {
        let customers: Vec<ObservedCustomer> = (0..400)
            .map(|i| {
                let wallet = 20.0 + f64::from(i / 20) * 10.0;
                let share = 0.05 * f64::from(i % 20 + 1);
                ObservedCustomer {
                    own_year: share * wallet,
                    served: true,
                    active: 10,
                    exposed: 20,
                    log_size: Some(libm::log(wallet)),
                    wallet: (surveyed > 0 && (i as usize).is_multiple_of(400 / surveyed.max(1))).then_some(wallet),
                    ..Default::default()
                }
            })
            .collect();
        let total = (0..20).map(|k| 20.0 * (20.0 + 10.0 * f64::from(k))).sum();
        (Observed { customers, months: 36, ..Default::default() }, total)
    }

    #[test]
    fn a_survey_finds_the_wallets_and_the_ceiling_is_a_floor() {
        // Every 8th surveyed: 50 rows.
        let (observed, total) = market(50);
        let rows = estimate(&observed, "boxes", 1);
        assert_eq!(rows.len(), 2);
        let (survey, ceiling) = (rows[0].estimate, rows[1].estimate);
        assert!((survey.q50 / total - 1.0).abs() < 0.05, "{survey:?} {total}");
        assert!(ceiling.q95 < 1.05 * total && ceiling.q05 > 0.8 * total, "{ceiling:?} {total}");
        // When the best customers give us half, the ceiling is half: a floor.
        let mut halved = observed.clone();
        halved.customers.iter_mut().for_each(|customer| customer.own_year *= 0.5);
        let half = estimate(&halved, "boxes", 1)[1].estimate;
        assert!((half.q50 / ceiling.q50 - 0.5).abs() < 1e-9);
    }

    #[test]
    fn few_customers_say_nothing() {
        let (mut observed, _) = market(0);
        observed.customers.truncate(39);
        assert!(estimate(&observed, "boxes", 1).is_empty());
    }
}
