//! Capture-recapture on the lists of `captures.csv`, or on `sources` of `customers.csv` where that file is missing.
//!
//! Estimators, side by side because they fail in different ways:
//!
//! - "capture-recapture", the headline: Bayesian averaging over equal and unequal visibility (`heterogeneity.rs`). Large buyers
//!   are easier to find by everybody, so one latent visibility behind all lists is the dependence to expect, and its interval
//!   says what two or three lists cannot tell.
//! - Two lists: Chapman (`chapman.rs`), independence, a floor under shared visibility. Three or more: log-linear models
//!   averaged (`log_linear.rs`), any pair of lists may depend on each other, but not all on something common.
//! - By territory, and by segment where `captures.csv` has segments: the second kind in each stratum that its lists allow (7 on two
//!   lists or more: Robson & Regier 1964), the rest pooled, and added up. Lists that are good in the same strata look
//!   dependent in the pool and are not.
//!
//! Dark = those on no list + those on a list that are not ours. With `sources` alone everybody listed is ours: those on no list
//! less our customers without a source.

use rand_distr::{Distribution as _, StandardNormal};

use super::super::dark_half::Evidence;
use super::super::observed::Observed;
use super::heterogeneity::{Tally, unseen};
use super::{DRAWS, chapman, log_linear::Average, open_known, shifted_lognormal};
use crate::rng::Stream;
use crate::stats::Summary;

/// Most lists: 2^8 histories.
const MOST_LISTS: usize = 8;
/// A stratum stands alone when its lists overlap in this many.
const LEAST_OVERLAP: f64 = 7.0;
/// The strata with the largest overlap stand alone, this many at most.
const MOST_STRATA: usize = 100;

/// Lists of one universe.
struct Lists {
    count: usize,
    /// `[stratum][history]`, entry 0 always 0.
    strata: Vec<Vec<f64>>,
    /// `[segment][history]`; empty without segments.
    segments: Vec<Vec<f64>>,
    /// Of all on some list, those that are ours; more than are on lists where customers without a source are known.
    ours: f64,
    told: String,
}

pub(super) fn estimate(observed: &Observed, seed: u64) -> Vec<Evidence> {
    let Some(lists) = Lists::of_captures(observed).or_else(|| Lists::of_sources(observed)) else { return Vec::new() };
    let pooled = added(&lists.strata, lists.count);
    let seen: f64 = pooled.iter().sum();
    if seen <= 0.0 {
        return Vec::new();
    }
    let evidence = |name: &str, estimate: Summary, remark: String| Evidence {
        name: name.into(),
        measure: "dark_customers".into(),
        unit: "customers".into(),
        estimate,
        remark,
    };
    // Those on a list but not ours are dark too; of those on none, customers without a source are not.
    let dark = |unseen: f64| (seen + unseen - lists.ours).max(0.0);
    let mut out = Vec::new();
    let alike = unseen(&Tally::of_histories(&pooled, lists.count), seed, 0);
    if let Some((estimate, alike)) = alike.and_then(|unseen| {
        let draws: Vec<f64> = unseen.draws.iter().map(|&unseen| dark(unseen)).collect();
        Some((Summary::of(&draws)?, unseen.alike))
    }) {
        let doubt = if lists.count == 2 {
            "two lists cannot tell dependence from a small universe: the width is the prior's"
        } else {
            "one visibility behind all lists; buyers that are next to invisible to every list stay out of reach"
        };
        out.push(evidence(
            "capture-recapture",
            estimate,
            format!(
                "latent visibility, averaged over families ({:.0}% for buyers equally easy to see); {doubt}; {}",
                100.0 * alike,
                lists.told
            ),
        ));
    }
    if lists.count == 2 {
        if let Some((mean, sd)) = chapman::log_unseen(&pooled) {
            out.push(evidence(
                "capture-recapture (Chapman)",
                floored(shifted_lognormal(seen - lists.ours, mean, sd)),
                format!("two lists taken as independent: a floor where both favour the same buyers; {}", lists.told),
            ));
        }
    } else if let Some(average) = Average::new(&pooled, lists.count) {
        let mut rng = Stream::new(seed, "potential/log-linear", 0);
        let draws: Vec<f64> = (0..DRAWS).map(|_| dark(average.draw(&mut rng))).collect();
        if let Some(estimate) = Summary::of(&draws) {
            out.push(evidence(
                "capture-recapture (log-linear)",
                estimate,
                format!(
                    "{} models averaged by BIC, {:.0}% for pairs of lists that depend on each other; {}",
                    average.fits.len(),
                    100.0 * average.dependent(),
                    lists.told
                ),
            ));
        }
    }
    for (name, kind, strata, seed) in [
        ("capture-recapture by territory", "territories", &lists.strata, seed),
        ("capture-recapture by segment", "segments", &lists.segments, seed.wrapping_add(1)),
    ] {
        if let Some((unseen, alone)) = by_stratum(strata, lists.count, seed) {
            let draws: Vec<f64> = unseen.iter().map(|&unseen| dark(unseen)).collect();
            if let Some(estimate) = Summary::of(&draws) {
                let how = if lists.count == 2 { "Chapman" } else { "log-linear" };
                out.push(evidence(
                    name,
                    estimate,
                    format!("{how} in each of {alone} {kind} and in the rest together, added up; {}", lists.told),
                ));
            }
        }
    }
    out
}

impl Lists {
    fn of_captures(observed: &Observed) -> Option<Self> {
        let captures = observed.captures.as_ref()?;
        let count = captures.lists.len();
        if !(2..=MOST_LISTS).contains(&count) {
            return None;
        }
        let strata: Vec<Vec<f64>> =
            captures.counts.iter().flatten().filter(|cells| cells.len() == 1 << count).cloned().collect();
        let cells = added(&strata, count);
        let seen: f64 = cells.iter().sum();
        let ours: f64 = match captures.own {
            Some(own) => cells.iter().enumerate().filter(|(history, _)| history >> own & 1 == 1).map(|(_, n)| n).sum(),
            // Which of the listed are ours is not known: at most all of them.
            None => open_known(observed).min(seen),
        };
        let told = format!("{seen:.0} buyers on {count} lists, {ours:.0} of them ours; the lists are fused");
        let segments = captures.by_segment.iter().filter(|cells| cells.len() == 1 << count).cloned().collect();
        Some(Self { count, strata, segments, ours, told })
    }

    fn of_sources(observed: &Observed) -> Option<Self> {
        let named: Vec<(u32, usize)> = observed
            .customers
            .iter()
            .enumerate()
            .filter(|(_, customer)| !customer.closed)
            .filter_map(|(i, customer)| customer.lists.map(|lists| (lists, i)))
            .collect();
        let mut lists: Vec<(usize, u32)> =
            (0..32).map(|bit| (named.iter().filter(|(mask, _)| mask >> bit & 1 == 1).count(), bit)).collect();
        // The list that customers.csv is made from names every customer: that is no news of the others.
        lists.retain(|&(members, _)| members > 0 && members < named.len());
        lists.sort_by_key(|&(members, bit)| (std::cmp::Reverse(members), bit));
        lists.truncate(MOST_LISTS);
        let universal = (0..32).any(|bit| !named.is_empty() && named.iter().all(|(mask, _)| mask >> bit & 1 == 1));
        if observed.captures.is_some() || universal || lists.len() < 2 {
            return None;
        }
        let cell = |mask: u32| -> usize {
            lists.iter().enumerate().map(|(place, (_, bit))| ((mask >> bit & 1) as usize) << place).sum()
        };
        let mut strata = Vec::new();
        for territory in &observed.territories {
            let mut cells = vec![0.0; 1 << lists.len()];
            for customer in &observed.customers[territory.customers.clone()] {
                if let (false, Some(mask)) = (customer.closed, customer.lists) {
                    cells[cell(mask)] += 1.0;
                }
            }
            cells[0] = 0.0;
            strata.push(cells);
        }
        let ours = open_known(observed);
        let told = format!(
            "no captures.csv: `sources` of our {ours:.0} customers as {} lists; everybody listed is ours, so it counts buyers that \
             all lists missed, and takes listed buyers to have become customers whatever the list; not fused",
            lists.len()
        );
        Some(Self { count: lists.len(), strata, segments: Vec::new(), ours, told })
    }
}

/// Histories of all strata together.
fn added(strata: &[Vec<f64>], lists: usize) -> Vec<f64> {
    let mut cells = vec![0.0; 1 << lists];
    for counts in strata {
        cells.iter_mut().zip(counts).for_each(|(cell, count)| *cell += count);
    }
    cells
}

/// Draws of the unseen summed over strata, and how many stood alone; `None` where fewer than two can.
fn by_stratum(strata: &[Vec<f64>], lists: usize, seed: u64) -> Option<(Vec<f64>, usize)> {
    let overlap = |cells: &[f64]| -> f64 {
        cells.iter().enumerate().filter(|(history, _)| history.count_ones() >= 2).map(|(_, n)| n).sum()
    };
    let mut order: Vec<(f64, usize)> =
        strata.iter().enumerate().map(|(stratum, cells)| (overlap(cells), stratum)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut sum = vec![0.0; DRAWS];
    let mut rest = vec![0.0; 1 << lists];
    let mut alone = 0;
    for (rank, &(overlap, stratum)) in order.iter().enumerate() {
        let cells = &strata[stratum];
        let drawn = (overlap >= LEAST_OVERLAP && rank < MOST_STRATA)
            .then(|| drawn(cells, lists, seed, stratum as u64 + 1))
            .flatten();
        match drawn {
            Some(draws) => {
                alone += 1;
                sum.iter_mut().zip(draws).for_each(|(sum, draw)| *sum += draw);
            }
            None => rest.iter_mut().zip(cells).for_each(|(rest, n)| *rest += n),
        }
    }
    if alone < 2 {
        return None;
    }
    if rest.iter().sum::<f64>() > 0.0 {
        let draws = drawn(&rest, lists, seed, 0)?;
        sum.iter_mut().zip(draws).for_each(|(sum, draw)| *sum += draw);
    }
    Some((sum, alone))
}

/// Draws of the unseen of one table; `None` where it has no estimate.
fn drawn(cells: &[f64], lists: usize, seed: u64, index: u64) -> Option<Vec<f64>> {
    let mut rng = Stream::new(seed, "potential/capture-recapture by territory", index);
    if lists == 2 {
        let (mean, sd) = chapman::log_unseen(cells)?;
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        return Some((0..DRAWS).map(|_| libm::exp(mean + sd * normal())).collect());
    }
    let average = Average::new(cells, lists)?;
    Some((0..DRAWS).map(|_| average.draw(&mut rng)).collect())
}

/// No fewer than none.
fn floored(summary: Summary) -> Summary {
    let at = |x: f64| x.max(0.0);
    Summary {
        mean: at(summary.mean),
        sd: summary.sd,
        q05: at(summary.q05),
        q25: at(summary.q25),
        q50: at(summary.q50),
        q75: at(summary.q75),
        q95: at(summary.q95),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::{ObservedCaptures, ObservedCustomer, ObservedTerritory};
    use super::*;

    fn with_captures(counts: Vec<Vec<f64>>, lists: usize) -> Observed {
        Observed {
            territories: vec![ObservedTerritory::default(); counts.len()],
            captures: Some(ObservedCaptures {
                lists: (0..lists).map(|l| format!("list {l}")).collect(),
                own: Some(0),
                counts: counts.into_iter().map(Some).collect(),
                by_segment: Vec::new(),
            }),
            ..Default::default()
        }
    }

    /// Two independent lists that each see a share p.
    fn table(population: f64, p: f64) -> Vec<f64> {
        vec![0.0, population * p * (1.0 - p), population * p * (1.0 - p), population * p * p]
    }

    #[test]
    fn two_lists_side_by_side() {
        // 60 ours, 30 of them on the other list, 50 others on it: 100 dark if independent.
        let rows = estimate(&with_captures(vec![vec![0.0, 30.0, 50.0, 30.0]], 2), 1);
        assert_eq!(rows.len(), 2);
        assert!((rows[1].estimate.q50 - (50.0 + 61.0 * 81.0 / 31.0 - 111.0)).abs() < 1e-6, "{:?}", rows[1]);
        // Shared visibility can only add to the unseen.
        assert!(rows[0].estimate.q95 > rows[1].estimate.q95 && rows[0].estimate.q05 < 100.0, "{:?}", rows[0]);
        assert!(rows[0].remark.contains("prior's"));
    }

    #[test]
    fn territories_that_differ_are_not_taken_for_dependence() {
        // Both lists see 3 in 4 of one territory's 400 and 1 in 10 of the other's 1,000: independent within each.
        let rows = estimate(&with_captures(vec![table(400.0, 0.75), table(1000.0, 0.1)], 2), 1);
        // 1,400 less 300 and 100 ours.
        let (pooled, apart) = (rows[1].estimate, rows[2].estimate);
        assert!(pooled.q95 < 700.0, "{pooled:?}");
        assert!(apart.q05 < 1000.0 && apart.q95 > 1000.0 && apart.q50 > 700.0, "{apart:?}");
    }

    #[test]
    fn segments_that_differ_are_not_taken_for_dependence() {
        // As the territories above, but the two kinds of buyers live in one territory.
        let (shops, chains) = (table(1000.0, 0.1), table(400.0, 0.75));
        let mut observed = with_captures(vec![added(&[shops.clone(), chains.clone()], 2)], 2);
        assert!(!estimate(&observed, 1).iter().any(|row| row.name.contains("by segment")));
        observed.captures.as_mut().unwrap().by_segment = vec![shops, chains, vec![0.0; 4]];
        let rows = estimate(&observed, 1);
        let apart = rows.iter().find(|row| row.name == "capture-recapture by segment").unwrap();
        assert!(apart.estimate.q05 < 1000.0 && apart.estimate.q95 > 1000.0, "{apart:?}");
        assert!(apart.remark.contains("2 segments"), "{apart:?}");
    }

    #[test]
    fn identical_lists_leave_no_one_unseen_and_do_not_panic() {
        for (lists, cells) in [(2, vec![0.0, 0.0, 0.0, 90.0]), (3, vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 90.0])] {
            let rows = estimate(&with_captures(vec![cells], lists), 1);
            assert!(rows.iter().all(|row| row.estimate.q50 < 20.0), "{rows:?}");
        }
    }

    #[test]
    fn sources_stand_in_for_captures() {
        let mut customers = Vec::new();
        for (mask, n) in
            [(0b001, 120), (0b010, 80), (0b100, 60), (0b011, 40), (0b101, 30), (0b110, 20), (0b111, 10), (0, 15)]
        {
            customers.extend(vec![ObservedCustomer { lists: Some(mask), ..Default::default() }; n]);
        }
        let territory = ObservedTerritory { customers: 0..customers.len(), ..Default::default() };
        let mut observed = Observed { territories: vec![territory], customers, ..Default::default() };
        let rows = estimate(&observed, 1);
        assert!(rows[0].remark.contains("no captures.csv") && rows[0].estimate.q50 > 100.0, "{rows:?}");
        // A list that names everybody is customers.csv itself: nothing is said.
        observed.customers.iter_mut().for_each(|customer| customer.lists = customer.lists.map(|mask| mask | 8));
        assert!(estimate(&observed, 1).is_empty());
    }
}
