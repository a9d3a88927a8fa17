//! The estimate against markets whose truth is known, and against markets that hardly say anything.

use rand::RngExt as _;
use rand_distr::{Distribution as _, Poisson, StandardNormal};

use super::*;
use crate::rng::Stream;

/// A made-up market and what it hides.
struct Made {
    observed: Observed,
    dark_customers: Vec<f64>,
    dark_demand: Vec<f64>,
    total_demand: Vec<f64>,
}

/// What of a made-up market is shown.
#[derive(Clone, Copy)]
struct Shown {
    territories: usize,
    /// Territories with outlets and a panel of their own.
    audited: usize,
    market_panel: bool,
}

/// Draws a market from the model's own priors (levels held at a plain place, so that markets are neither empty nor huge).
fn made(seed: u64, shown: Shown) -> Made {
    let mut rng = Stream::new(seed, "test/market", 0);
    let mut normal = |mean: f64, sd: f64| -> f64 {
        let z: f64 = StandardNormal.sample(&mut rng);
        mean + sd * z
    };
    let lognormal_sd = |draw: f64| libm::exp(draw);
    let (g0, g1, s_n) = (normal(3.3, 0.3), normal(1.0, 0.1), lognormal_sd(normal(libm::log(0.3), 0.4)));
    let (c0, c1, s_a) = (normal(-0.5, 0.7), normal(0.0, 0.3), lognormal_sd(normal(libm::log(0.5), 0.5)));
    let (m0, m1, s_m) = (6.0, normal(0.1, 0.15), lognormal_sd(normal(libm::log(0.25), 0.4)));
    let kappa = normal(0.9, 0.3).clamp(0.1, 1.6);
    let tau = lognormal_sd(normal(libm::log(0.7), 0.3));
    let ratio = libm::exp(normal(libm::log(2.5), 0.8));
    let variation: f64 = libm::exp(normal(libm::log(1.3), 0.3));
    let (a, s) = (normal(libm::log(0.15), 0.7), lognormal_sd(normal(libm::log(1.2), 0.2)));
    let x: Vec<f64> = (0..shown.territories).map(|_| normal(0.0, 0.9)).collect();
    let centre = x.iter().sum::<f64>() / x.len() as f64;
    let effects: Vec<[f64; 3]> = x
        .iter()
        .map(|x| {
            let x = x - centre;
            [normal(g0 + g1 * x, s_n), normal(c0 + c1 * x, s_a), normal(m0 + m1 * x, s_m)]
        })
        .collect();
    let mut rng = Stream::new(seed, "test/market", 1);
    let count = |mean: f64, rng: &mut Stream| -> usize { Poisson::new(mean).unwrap().sample(rng) as usize };
    let normal = |rng: &mut Stream| -> f64 { StandardNormal.sample(rng) };
    let mut out = Made {
        observed: Observed { months: 36, ..Default::default() },
        dark_customers: Vec::new(),
        dark_demand: Vec::new(),
        total_demand: Vec::new(),
    };
    let dark_log_sd = libm::log1p(variation * variation).sqrt();
    let mean_log = 0.5 * (kappa * kappa + tau * tau) - libm::log(ratio) - 0.5 * dark_log_sd * dark_log_sd;
    for (j, [theta, phi, psi]) in effects.iter().enumerate() {
        let known_share = 1.0 / (1.0 + libm::exp(-phi));
        let known = count(libm::exp(*theta) * known_share, &mut rng);
        let dark = count(libm::exp(*theta) * (1.0 - known_share), &mut rng);
        let first = out.observed.customers.len();
        let mut known_demand = 0.0;
        for _ in 0..known {
            let z = normal(&mut rng);
            known_demand += libm::exp(psi + kappa * z + tau * normal(&mut rng));
            let lambda = libm::exp(a + s * z);
            let months: Vec<u32> = (0..36).filter(|_| rng.random::<f64>() < -libm::expm1(-lambda)).collect();
            let last = months.last().map_or(0, |month| month + 1);
            out.observed.customers.push(ObservedCustomer {
                active: months.len() as u32,
                exposed: last,
                silent: 36 - last,
                log_order: (!months.is_empty())
                    .then(|| 0.4 * z + 0.8 * normal(&mut rng) / (months.len() as f64).sqrt()),
                served: last > 24,
                own_year: if last > 24 { 1e-3 } else { 0.0 },
                orders: months.len() as u32,
                ..Default::default()
            });
        }
        let dark_demand: f64 = (0..dark).map(|_| libm::exp(psi + mean_log + dark_log_sd * normal(&mut rng))).sum();
        let total = known_demand + dark_demand;
        let audited = j < shown.audited;
        out.observed.territories.push(ObservedTerritory {
            id: format!("T{j}"),
            population: Some(libm::exp(10.0 + x[j])),
            outlets: audited.then_some((known + dark) as f64),
            demand: audited.then_some(total).filter(|&total| total > 0.0),
            customers: first..out.observed.customers.len(),
            ..Default::default()
        });
        out.dark_customers.push(dark as f64);
        out.dark_demand.push(dark_demand);
        out.total_demand.push(total);
    }
    out.observed.market_demand = shown.market_panel.then(|| out.total_demand.iter().sum());
    out
}

fn quick(seed: u64) -> Settings {
    Settings { seed, draws: 200, effort: 0.12, ..Settings::default() }
}

fn column(draws: &[Vec<f64>], j: usize) -> Summary {
    Summary::of(&draws.iter().map(|draw| draw[j]).collect::<Vec<_>>()).unwrap()
}

use crate::stats::Summary;

#[test]
fn ninety_per_cent_intervals_hold_about_ninety_per_cent() {
    let shown = Shown { territories: 14, audited: 5, market_panel: true };
    let (mut inside, mut inside_half, mut all) = ([0.0; 3], [0.0; 3], 0.0);
    for seed in 0..18 {
        let made = made(seed, shown);
        let dark = estimate_observed(&made.observed, "boxes", &quick(seed), &|_| ()).unwrap();
        let total: Vec<Vec<f64>> = (0..dark.dark_demand.len())
            .map(|d| {
                (0..14)
                    .map(|j| dark.dark_demand[d][j] + dark.served_demand[d][j] + dark.identified_demand[d][j])
                    .collect()
            })
            .collect();
        for j in shown.audited..shown.territories {
            let truths = [
                (&dark.dark_customers, made.dark_customers[j]),
                (&dark.dark_demand, made.dark_demand[j]),
                (&total, made.total_demand[j]),
            ];
            for (measure, (draws, truth)) in truths.into_iter().enumerate() {
                let s = column(draws, j);
                inside[measure] += f64::from(u8::from(s.q05 <= truth && truth <= s.q95));
                inside_half[measure] += f64::from(u8::from(s.q25 <= truth && truth <= s.q75));
            }
            all += 1.0;
        }
    }
    let share: Vec<f64> = inside.iter().chain(&inside_half).map(|n| n / all).collect();
    println!("90% intervals {:?}, 50% {:?}", &share[..3], &share[3..]);
    // 162 territories in 18 clusters: a standard error of about 0.03.
    assert!(share[..3].iter().all(|share| (0.80..=0.98).contains(share)), "{share:?}");
    assert!(share[3..].iter().all(|share| (0.38..=0.66).contains(share)), "{share:?}");
}

#[test]
fn totals_add_up_and_nothing_falls_below_what_is_observed() {
    let made = made(3, Shown { territories: 12, audited: 4, market_panel: true });
    let observed = &made.observed;
    let dark = estimate_observed(observed, "boxes", &quick(1), &|_| ()).unwrap();
    assert_eq!(dark.dark_demand.len(), 200);
    let market = observed.market_demand.unwrap();
    for d in 0..200 {
        let total = |j: usize| dark.dark_demand[d][j] + dark.served_demand[d][j] + dark.identified_demand[d][j];
        let sum: f64 = (0..12).map(total).sum();
        assert!((sum / market - 1.0).abs() < 1e-6, "{sum} {market}");
        for (j, territory) in observed.territories.iter().enumerate() {
            if let Some(demand) = territory.demand {
                assert!((total(j) / demand - 1.0).abs() < 1e-6);
            }
            assert!(dark.dark_customers[d][j] >= 0.0 && dark.dark_customers[d][j].fract() == 0.0);
            assert_eq!(dark.dark_customers[d][j] > 0.0, dark.dark_demand[d][j] > 0.0, "number and demand agree");
            let wallets: f64 = territory.customers.clone().map(|i| f64::from(dark.wallets[d][i])).sum();
            assert!(
                (wallets - dark.served_demand[d][j] - dark.identified_demand[d][j]).abs() < 1e-6 * wallets.max(1.0)
            );
            for i in territory.customers.clone() {
                assert!(f64::from(dark.wallets[d][i]) >= observed.customers[i].own_year);
            }
        }
    }
    assert!(dark.diagnostics.iter().all(|row| row.r_hat.is_finite()));
    assert!(!dark.evidence.is_empty());
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let made = made(5, Shown { territories: 8, audited: 3, market_panel: true });
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| estimate_observed(&made.observed, "boxes", &quick(9), &|_| ()).unwrap())
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(one.dark_demand, three.dark_demand);
    assert_eq!(one.wallets, three.wallets);
    assert_eq!(one.dark_customers, three.dark_customers);
    let other = estimate_observed(&made.observed, "boxes", &quick(10), &|_| ()).unwrap();
    assert_ne!(one.dark_demand, other.dark_demand);
}

#[test]
fn audited_everywhere_is_counted_not_estimated() {
    let made = made(7, Shown { territories: 10, audited: 10, market_panel: true });
    let dark = estimate_observed(&made.observed, "boxes", &quick(1), &|_| ()).unwrap();
    // All served: the dark are outlets less the known.
    let mut observed = made.observed.clone();
    observed.customers.iter_mut().for_each(|customer| customer.served = true);
    let counted = estimate_observed(&observed, "boxes", &quick(1), &|_| ()).unwrap();
    for j in 0..10 {
        let s = column(&counted.dark_customers, j);
        assert!((s.q05 - made.dark_customers[j]).abs() <= 1.0 && (s.q95 - made.dark_customers[j]).abs() <= 1.0);
    }
    assert!(dark.basis.customers && dark.basis.panel);
}

fn bare(customers: usize) -> Observed {
    let customer = ObservedCustomer {
        own_year: 12.0,
        served: true,
        active: 8,
        exposed: 20,
        silent: 3,
        log_order: Some(0.4),
        orders: 9,
        ..Default::default()
    };
    Observed {
        territories: vec![ObservedTerritory { id: "A".into(), customers: 0..customers, ..Default::default() }],
        customers: vec![customer; customers],
        months: 23,
        ..Default::default()
    }
}

#[test]
fn where_nothing_speaks_of_the_dark_none_is_invented() {
    let dark = estimate_observed(&bare(40), "scripts", &quick(1), &|_| ()).unwrap();
    assert!(!dark.basis.customers && !dark.basis.demand && !dark.basis.dark_demand());
    assert!(dark.dark_customers.iter().flatten().all(|&n| n == 0.0));
    assert!(dark.size_ratio_sensitivity.is_empty());
    assert!(dark.identification[0].finding.contains("no number is given"));
    // Wallets are there to run a twin on, and hold our own sales.
    assert!(dark.wallets.iter().flatten().all(|&wallet| wallet >= 12.0));
}

#[test]
fn degenerate_markets_give_sound_answers() {
    let sound = |observed: &Observed| {
        let dark = estimate_observed(observed, "boxes", &quick(1), &|_| ()).unwrap();
        let finite = |draws: &[Vec<f64>]| draws.iter().flatten().all(|x| x.is_finite() && *x >= 0.0);
        assert!(finite(&dark.dark_customers) && finite(&dark.dark_demand) && finite(&dark.served_demand));
        assert!(finite(&dark.identified_demand));
        dark
    };
    // No customers at all, a panel: all of it is dark, and how many is not said.
    let mut empty = bare(0);
    empty.territories[0].demand = Some(1000.0);
    let dark = sound(&empty);
    assert!(!dark.basis.customers && dark.basis.dark_demand());
    assert!(dark.dark_demand.iter().all(|draw| (draw[0] - 1000.0).abs() < 1e-6));
    // No customers and nothing else.
    sound(&bare(0));
    // One customer.
    sound(&bare(1));
    // Fewer outlets than customers that bought.
    let mut short = bare(10);
    short.territories[0].outlets = Some(6.0);
    short.territories[0].demand = Some(5000.0);
    let dark = sound(&short);
    assert!(dark.notes[0].contains("outlets says 6") && dark.notes[0].contains("10 bought"), "{:?}", dark.notes);
    assert!(dark.dark_customers.iter().all(|draw| draw[0] == 0.0));
    assert!(dark.served_demand.iter().all(|draw| (draw[0] - 5000.0).abs() < 1e-2));
    // The panel is nearly all ours.
    let mut full = bare(10);
    full.territories[0].demand = Some(120.0);
    let dark = sound(&full);
    assert!(dark.served_demand.iter().all(|draw| draw[0] > 119.9));
    // A panel of zero where we sell nothing.
    let mut zero = bare(0);
    zero.territories[0].demand = Some(0.0);
    sound(&zero);
    // Outlets without customers or panel.
    let mut outlets = bare(0);
    outlets.territories[0].outlets = Some(30.0);
    let dark = sound(&outlets);
    assert!(dark.dark_customers.iter().all(|draw| draw[0] == 30.0));
    assert!(dark.basis.customers && !dark.basis.dark_demand());
}

#[test]
fn lists_are_fused_and_bound_the_dark_from_below() {
    let mut observed = bare(60);
    observed.territories[0].demand = Some(20_000.0);
    let captures = |counts: Vec<f64>| {
        Some(ObservedCaptures {
            lists: vec!["own".into(), "chamber".into()],
            own: Some(0),
            counts: vec![Some(counts)],
            by_segment: Vec::new(),
        })
    };
    // 60 ours of which 30 on the other list, 50 others on it: about 50 more on neither if independent.
    observed.captures = captures(vec![0.0, 30.0, 50.0, 30.0]);
    let dark = estimate_observed(&observed, "boxes", &quick(1), &|_| ()).unwrap();
    let s = column(&dark.dark_customers, 0);
    assert!(dark.dark_customers.iter().all(|draw| draw[0] >= 50.0));
    assert!(s.q05 < 100.0 && s.q95 > 100.0, "{s:?}");
    let chapman = dark.evidence.iter().find(|e| e.name == "capture-recapture (Chapman)").unwrap();
    assert!((chapman.estimate.q50 - 99.2).abs() < 3.0, "{chapman:?}");
    // All lists the same.
    observed.captures = captures(vec![0.0, 0.0, 0.0, 60.0]);
    let same = estimate_observed(&observed, "boxes", &quick(1), &|_| ()).unwrap();
    assert!(column(&same.dark_customers, 0).q50 < s.q50);
}

#[test]
fn settings_out_of_range_are_refused() {
    let settings = Settings { draws: 2, ..Settings::default() };
    let error = estimate_observed(&bare(1), "boxes", &settings, &|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the number of draws must be at least 8; it is 2");
    let none = Observed::default();
    assert_eq!(estimate_observed(&none, "boxes", &quick(1), &|_| ()).unwrap_err(), PotentialError::NoTerritory);
}

#[test]
fn three_thousand_territories() {
    let made = made(11, Shown { territories: 3000, audited: 300, market_panel: true });
    let settings = Settings { draws: 40, effort: 0.05, ..Settings::default() };
    let dark = estimate_observed(&made.observed, "boxes", &settings, &|_| ()).unwrap();
    let sum: f64 = (0..3000).map(|j| column(&dark.dark_customers, j).q50).sum();
    let truth: f64 = made.dark_customers.iter().sum();
    assert!((sum / truth - 1.0).abs() < 0.5, "{sum} {truth}");
}
