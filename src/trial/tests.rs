//! Trials on made markets whose truth is known, and on ones that leak.

use rand::RngExt as _;
use rand_distr::{Binomial, Distribution as _, Poisson, StandardNormal};

use super::*;
use crate::potential::{
    DarkHalf, Observed, ObservedCaptures, ObservedCustomer, ObservedTerritory, Settings, estimate_observed,
};
use crate::rng::Stream;
use crate::stats::Summary;

fn served(own_year: f64, first_known: i32) -> ObservedCustomer {
    ObservedCustomer {
        own_year,
        served: own_year > 0.0,
        active: 20,
        exposed: 34,
        silent: 2,
        log_order: Some(libm::log(own_year.max(1.0) / 7.0)),
        first_known: Some(first_known),
        orders: 20,
        ..Default::default()
    }
}

/// Territories with known customers; a third are audited, with as many unknown as known.
fn market(seed: u64, territories: usize) -> Observed {
    let mut rng = Stream::new(seed, "test/hide", 0);
    let mut out = Observed { months: 36, ..Default::default() };
    for j in 0..territories {
        let log_population: f64 = StandardNormal.sample(&mut rng);
        let mean = 40.0 * libm::exp(0.6 * log_population);
        let known = Poisson::new(mean).unwrap().sample(&mut rng) as usize + 1;
        let dark: f64 = Poisson::new(mean).unwrap().sample(&mut rng);
        let first = out.customers.len();
        for _ in 0..known {
            let z: f64 = StandardNormal.sample(&mut rng);
            out.customers.push(served(libm::exp(5.0 + 0.8 * z), rng.random_range(-20..36)));
        }
        out.territories.push(ObservedTerritory {
            id: format!("T{j}"),
            population: Some(libm::exp(10.0 + 0.6 * log_population)),
            outlets: (j % 3 == 0).then_some(known as f64 + dark),
            customers: first..out.customers.len(),
            ..Default::default()
        });
    }
    out
}

fn fitted(observed: &Observed, seed: u64) -> DarkHalf {
    let settings = Settings { seed, draws: 120, effort: 0.12, ..Settings::default() };
    estimate_observed(observed, "boxes", &settings, &|_| ()).unwrap()
}

fn value(scores: &[HideScore], name: &str) -> f64 {
    scores.iter().find(|row| row.score == name && row.measure != "dark_demand").unwrap().value
}

#[test]
fn customers_hidden_at_random_are_found_again() {
    let (mut half, mut ninety, mut count) = (0.0, 0.0, 0.0);
    for seed in 0..4 {
        let observed = market(seed, 18);
        let hidden = choose(&observed, By::Random, 0.3, seed).unwrap();
        let reduced = fitted(&hide(&observed, &hidden, seed), seed + 100);
        let (rows, scores) = score_hidden(&observed, &hidden, &fitted(&observed, seed), &reduced, "boxes").unwrap();
        half += value(&scores, "cover50");
        ninety += value(&scores, "cover90");
        count += 1.0;
        assert_eq!(value(&scores, "floor"), 1.0);
        assert_eq!(rows.iter().filter(|row| row.measure == "dark_customers").count(), 19);
        // Every third is audited.
        assert_eq!(scores[0].territories, 12);
        let total = rows.iter().find(|row| row.territory_id == "*").unwrap();
        let marked = hidden.iter().filter(|&&hide| hide).count() as f64;
        assert!((total.hidden - marked).abs() < 0.5, "{} of {marked}", total.hidden);
        // Hiding must not go unnoticed: without the hidden, more are dark by about as many.
        let more = total.estimate.mean - total.still_dark.unwrap();
        assert!(more > 0.6 * marked && more < 1.5 * marked, "{more} of {marked}");
    }
    let (half, ninety) = (half / count, ninety / count);
    assert!((0.35..0.75).contains(&half) && (0.8..=1.0).contains(&ninety), "{half} {ninety}");
}

#[test]
fn an_estimate_that_misses_the_hidden_is_caught() {
    let observed = market(1, 18);
    let hidden = choose(&observed, By::Random, 0.5, 1).unwrap();
    let full = fitted(&observed, 1);
    // The full fit handed in as the reduced one: it thinks nobody is missing.
    let (_, scores) = score_hidden(&observed, &hidden, &full, &full, "boxes").unwrap();
    assert!(value(&scores, "cover90") < 0.75, "{scores:?}");
    assert!(value(&scores, "pit_of_the_total") > 0.9);
    assert!((value(&scores, "wape") - 1.0).abs() < 0.01);
}

fn with_lists_and_panel(scale: f64, hidden: &[bool]) -> Observed {
    let mut observed = market(3, 6);
    for (customer, &hide) in observed.customers.iter_mut().zip(hidden) {
        if hide {
            customer.own_year *= scale;
            customer.log_order = customer.log_order.map(|log| log + libm::log(scale));
        }
    }
    for j in 0..6 {
        let own = observed.own_sales(j);
        // Half a thousand boxes reach customers that are not in the files.
        observed.territories[j].panel_own = Some(own + 500.0);
        observed.territories[j].demand = Some(1e6);
    }
    observed
}

#[test]
fn what_the_hidden_bought_leaves_no_trace() {
    let hidden = choose(&market(3, 6), By::Random, 0.4, 3).unwrap();
    let [one, other] = [1.0, 0.25].map(|scale| hide(&with_lists_and_panel(scale, &hidden), &hidden, 3));
    assert_eq!(one.customers, other.customers);
    for (j, (a, b)) in one.territories.iter().zip(&other.territories).enumerate() {
        assert_eq!((a.outlets, a.demand, &a.customers), (b.outlets, b.demand, &b.customers));
        assert!((a.panel_own.unwrap() - b.panel_own.unwrap()).abs() < 1e-6);
        // What wholesalers sell beyond the files is what it was: nobody hidden shows up in it.
        assert!((one.indirect(j) - 500.0).abs() < 1e-6, "{}", one.indirect(j));
    }
}

#[test]
fn own_list_goes_from_the_histories() {
    let mut observed = market(4, 2);
    let known = observed.territories[0].customers.len();
    for i in observed.territories[0].customers.clone() {
        observed.customers[i].lists = Some(if i % 2 == 0 { 0b01 } else { 0b11 });
    }
    let even = observed.territories[0].customers.clone().filter(|i| i % 2 == 0).count() as f64;
    let both = known as f64 - even;
    observed.captures = Some(ObservedCaptures {
        lists: vec!["own".into(), "trade".into()],
        own: Some(0),
        counts: vec![Some(vec![0.0, even, 7.0, both]), None],
        by_segment: Vec::new(),
    });
    let mut hidden = vec![false; observed.customers.len()];
    hidden[0] = true;
    hidden[1] = true;
    let counts = hide(&observed, &hidden, 4).captures.unwrap().counts[0].clone().unwrap();
    assert_eq!(counts, [0.0, even - 1.0, 8.0, both - 1.0]);
    // Where the files do not say which lists name a customer, as many go, from histories with our list.
    observed.customers.iter_mut().for_each(|customer| customer.lists = None);
    let counts = hide(&observed, &hidden, 4).captures.unwrap().counts[0].clone().unwrap();
    assert_eq!(counts[0], 0.0);
    assert_eq!(counts[1] + counts[3], known as f64 - 2.0);
    assert_eq!(counts[2] - 7.0, both - counts[3]);
}

#[test]
fn who_is_hidden() {
    let mut observed = market(5, 9);
    observed.customers[0].closed = true;
    let all = observed.customers.len();
    let count = |hidden: &[bool]| hidden.iter().filter(|&&hide| hide).count();
    let random = choose(&observed, By::Random, 0.3, 7).unwrap();
    assert_eq!(random, choose(&observed, By::Random, 0.3, 7).unwrap());
    assert_ne!(random, choose(&observed, By::Random, 0.3, 8).unwrap());
    assert_eq!(count(&random), ((all - 1) as f64 * 0.3).round() as usize);
    assert!(!random[0]);
    let small = choose(&observed, By::Size, 0.3, 7).unwrap();
    let largest_hidden = (0..all).filter(|&i| small[i]).map(|i| observed.customers[i].own_year).fold(0.0, f64::max);
    assert!((0..all).filter(|&i| !small[i]).all(|i| observed.customers[i].own_year >= largest_hidden));
    let places = choose(&observed, By::Territory, 0.3, 7).unwrap();
    let emptied = observed.territories.iter().filter(|t| places[t.customers.clone()].iter().all(|&hide| hide)).count();
    assert_eq!(emptied, 3);
    for share in [0.0, -0.1, 0.91, f64::NAN] {
        assert!(matches!(choose(&observed, By::Random, share, 7), Err(TrialError::Share(_))), "{share}");
    }
    let error = choose(&observed, By::Recent, 0.3, 7).unwrap_err().to_string();
    assert!(error.contains("0 of"), "{error}");
}

/// A dark half of given draws; only the number is filled in.
fn dark_of(observed: &Observed, draws: Vec<Vec<f64>>) -> DarkHalf {
    let mut dark = fitted(observed, 1);
    dark.dark_customers = draws;
    dark
}

/// Dark counts of 60 territories with a log sd by draw of `spread` around `centre`, and the true ones by the same law.
fn found_at_a_common_rate(seed: u64, spread: f64, wander: f64) -> Calibration {
    let mut rng = Stream::new(seed, "test/recent", 0);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let centre: Vec<f64> = (0..60).map(|_| libm::exp(4.0 + 0.7 * normal())).collect();
    let truth: Vec<f64> =
        centre.iter().map(|c| (c * libm::exp(spread * normal() + wander * normal())).round()).collect();
    let draws: Vec<Vec<f64>> =
        (0..200).map(|_| centre.iter().map(|c| c * libm::exp(spread * normal())).collect()).collect();
    let mut then = Observed { months: 36, ..Default::default() };
    let mut marks = Vec::new();
    for (j, &truth) in truth.iter().enumerate() {
        let found = Binomial::new(truth as u64, 0.2).unwrap().sample(&mut rng) as usize;
        let first = then.customers.len();
        then.customers.push(served(1.0, 0));
        then.customers.extend((0..found).map(|_| served(1.0, 40)));
        marks.push(false);
        marks.extend((0..found).map(|_| true));
        let customers = first..then.customers.len();
        then.territories.push(ObservedTerritory {
            id: format!("T{j}"),
            population: Some(1e4),
            customers,
            ..Default::default()
        });
    }
    assert_eq!(choose(&then, By::Recent, 0.0, 1).unwrap(), marks);
    let mut small = market(1, 4);
    small.territories.truncate(4);
    let (rows, scores, calibration) = score_recent(&then, &marks, &dark_of(&small, draws), seed).unwrap();
    assert_eq!(rows.len(), 60);
    assert!((0.12..0.3).contains(&value(&scores, "finding_rate")), "{scores:?}");
    assert!(value(&scores, "rank_correlation") > if wander > 0.0 { 0.2 } else { 0.6 });
    calibration
}

#[test]
fn a_common_finding_rate_needs_no_wider_interval() {
    let right: Vec<Calibration> = (0..6).map(|seed| found_at_a_common_rate(seed, 0.3, 0.0)).collect();
    let mean_square = right.iter().map(|c| c.found * c.found).sum::<f64>() / 6.0;
    assert!((0.75..1.3).contains(&mean_square), "{mean_square}");
    assert!(right.iter().all(|c| c.factor >= 1.0 && c.factor >= c.found));
    // Twice as far off as the estimate says.
    let wrong = found_at_a_common_rate(1, 0.3, 0.8);
    assert!(wrong.factor > 1.5, "{wrong:?}");
}

#[test]
fn the_factor_widens_and_never_narrows() {
    let summary = Summary { mean: 110.0, sd: 30.0, q05: 50.0, q25: 80.0, q50: 100.0, q75: 125.0, q95: 200.0 };
    let by = |factor: f64| Calibration { factor, standard_error: 0.1, found: factor }.widened(&summary);
    assert_eq!(by(1.0).q95, 200.0);
    assert!((by(2.0).q05 - 25.0).abs() < 1e-9 && (by(2.0).q95 - 400.0).abs() < 1e-9);
    assert_eq!(by(2.0).q50, 100.0);
}

#[test]
fn ranks() {
    assert!((score::rank_correlation(&[1.0, 2.0, 3.0], &[10.0, 30.0, 90.0]).unwrap() - 1.0).abs() < 1e-12);
    assert!((score::rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).unwrap() + 1.0).abs() < 1e-12);
    assert_eq!(score::rank_correlation(&[1.0, 1.0], &[3.0, 2.0]), None);
    assert_eq!(score::pit(&[1.0, 2.0, 2.0, 5.0], 2.0), 0.5);
}
