//! Segments against a made market whose dark half has a known composition.

use super::*;
use crate::potential::dark_half::Basis;
use crate::stats::Summary;

const TERRITORIES: usize = 12;
const DRAWS: usize = 200;

/// Small, middling and large customers, found with probabilities that rise with size; known wallets as they are, the dark
/// counted. Gives what is known, the draws, and the dark customers and demand by segment.
fn made(seed: u64) -> (Segmented, DarkHalf, [f64; 3], [f64; 3]) {
    let mut rng = Stream::new(seed, "test/segments", 0);
    let (size, share) = ([40.0, 100.0, 250.0], [0.5, 0.3, 0.2]);
    // How strongly finding goes by size, and what size does not explain.
    let steep: f64 = rng.random();
    let found: Vec<f64> = size
        .iter()
        .map(|size: &f64| {
            let z: f64 = StandardNormal.sample(&mut rng);
            1.0 / (1.0 + libm::exp(0.4 - steep * libm::log(size / 100.0) + 0.3 * z))
        })
        .collect();
    let mut known = Segmented {
        names: vec!["a".into(), "b".into(), "c".into()],
        listed: vec![vec![0.0; 3]; TERRITORIES],
        ..Default::default()
    };
    let (mut wallets, mut count, mut demand) = (Vec::new(), [0.0; 3], [0.0; 3]);
    let mut dark = [[0.0; 2]; TERRITORIES];
    let mut served = vec![0.0; TERRITORIES];
    for j in 0..TERRITORIES {
        let from = wallets.len();
        for _ in 0..150 {
            let uniform: f64 = rng.random();
            let s = usize::from(uniform > share[0]) + usize::from(uniform > share[0] + share[1]);
            let z: f64 = StandardNormal.sample(&mut rng);
            let wallet = (size[s] * libm::exp(0.5 * z)) as f32;
            if rng.random::<f64>() < found[s] {
                wallets.push(wallet);
                known.segment.push(s);
                known.served.push(true);
                known.own.push(0.5 * f64::from(wallet));
                served[j] += f64::from(wallet);
            } else {
                count[s] += 1.0;
                demand[s] += f64::from(wallet);
                dark[j][0] += 1.0;
                dark[j][1] += f64::from(wallet);
            }
        }
        known.starts.push((from, wallets.len()));
    }
    let mean_known = served.iter().sum::<f64>() / wallets.len() as f64;
    let mean_dark = demand.iter().sum::<f64>() / count.iter().sum::<f64>();
    let half = DarkHalf {
        dark_customers: vec![dark.iter().map(|d| d[0]).collect(); DRAWS],
        dark_demand: vec![dark.iter().map(|d| d[1]).collect(); DRAWS],
        served_demand: vec![served; DRAWS],
        identified_demand: vec![vec![0.0; TERRITORIES]; DRAWS],
        identified_customers: vec![vec![0.0; TERRITORIES]; DRAWS],
        indirect: vec![0.0; TERRITORIES],
        wallets: vec![wallets; DRAWS],
        size_cv: vec![1.0; DRAWS],
        size_ratio: vec![mean_known / mean_dark; DRAWS],
        evidence: Vec::new(),
        identification: Vec::new(),
        basis: Basis { customers: true, panel: true, demand: true },
        size_ratio_sensitivity: Vec::new(),
        diagnostics: Vec::new(),
        notes: Vec::new(),
    };
    (known, half, count, demand)
}

#[test]
fn intervals_hold_a_known_composition() {
    let (mut held, mut all) = (0, 0);
    for seed in 0..20 {
        let (known, half, count, demand) = made(seed);
        let draws: Vec<Vec<Vec<Part>>> =
            (0..DRAWS).map(|d| known.split(&half, d, &mut Stream::new(seed, "test/split", d as u64))).collect();
        for s in 0..3 {
            let sum = |of: fn(&Part) -> f64| -> Vec<f64> {
                draws.iter().map(|draw| draw.iter().map(|parts| of(&parts[s])).sum()).collect()
            };
            for (of, truth) in [(sum(|part| part.dark_customers), count[s]), (sum(|part| part.dark_demand), demand[s])]
            {
                let summary = Summary::of(&of).unwrap();
                held += usize::from(summary.q05 <= truth && truth <= summary.q95);
                all += 1;
            }
        }
    }
    assert!(held as f64 >= 0.85 * f64::from(all), "{held} of {all}");
}

#[test]
fn segments_sum_to_the_territory_in_every_draw() {
    let (mut known, mut half, _, _) = made(3);
    known.listed[0] = vec![5.0, 0.0, 7.0];
    known.listed[1] = vec![1e6, 0.0, 0.0];
    half.dark_customers[0][2] = 10.75;
    half.dark_customers[0][3] = 0.0;
    half.dark_demand[0][3] = 0.0;
    let parts = known.split(&half, 0, &mut Stream::new(1, "test/split", 0));
    for (j, parts) in parts.iter().enumerate() {
        let sum = |of: fn(&Part) -> f64| parts.iter().map(of).sum::<f64>();
        let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "territory {j}: {a} and {b}");
        near(sum(|part| part.dark_customers), half.dark_customers[0][j]);
        near(sum(|part| part.dark_demand), half.dark_demand[0][j]);
        near(sum(|part| part.served_demand), half.served_demand[0][j]);
        assert!(parts.iter().all(|part| part.dark_customers >= 0.0 && part.dark_demand >= 0.0));
    }
    assert!(parts[0][0].dark_customers >= 5.0 && parts[0][2].dark_customers >= 7.0);
}

#[test]
fn the_tilt_explains_its_part_of_the_size_ratio() {
    let segment: Vec<usize> = (0..400).map(|i| i % 2).collect();
    let wallets: Vec<f32> = segment.iter().map(|&s| [10.0, 90.0][s]).collect();
    let sizes = SegmentSizes::new(2, &segment, &wallets);
    // Half of each: mean 50. A mean of 25 needs about 81% small ones.
    let lambda = sizes.tilt(libm::log(2.0));
    assert!((sizes.log_ratio(lambda) - libm::log(2.0)).abs() < 1e-6);
    assert!(lambda > 0.0 && sizes.tilt(-0.3) < 0.0);
    // No composition of these makes the dark a hundred times smaller: the steepest tilt, and no more.
    assert!((sizes.tilt(libm::log(100.0)) * sizes.spread - STEEPEST).abs() < 1e-6);
    // Segments of one size explain nothing.
    assert_eq!(SegmentSizes::new(2, &segment, &[5.0; 400]).tilt(1.0), 0.0);
}
