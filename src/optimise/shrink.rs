//! Values of options by territory, with what luck has done to them taken off.
//!
//! A territory's mean over few runs is uncertain, and a search picks the lucky ones (the optimiser's curse; Smith & Winkler 2006,
//! Management Science 52). With `m_jk` the mean of option k in territory j, `s²_jk` its squared error and `w_j` the territory's demand,
//!
//! `m_jk ~ N(w_j a_k + u_jk, s²_jk)`, `u_jk ~ N(0, τ²_k w_j²)`:
//!
//! what an option brings goes with demand, give or take. `a_k` is the weighted mean of `m / w`, `τ²_k` follows from moments
//! (DerSimonian & Laird 1986), and the value is the mean of u's posterior added to `w_j a_k`.

/// Shrinks one option: means, their standard errors and demand by territory.
pub fn shrink(means: &[f64], errors: &[f64], demand: &[f64]) -> Vec<f64> {
    let rows: Vec<(f64, f64)> = (0..means.len())
        .filter(|&j| demand[j] > 0.0)
        .map(|j| (means[j] / demand[j], (errors[j] / demand[j]).max(1e-12 * (1.0 + (means[j] / demand[j]).abs()))))
        .collect();
    if rows.len() < 3 {
        return means.to_vec();
    }
    let weighted = |between: f64| {
        let weights = rows.iter().map(|(_, error)| 1.0 / (error * error + between));
        let (sum, weight) =
            rows.iter().zip(weights).fold((0.0, 0.0), |(sum, all), ((mean, _), w)| (sum + w * mean, all + w));
        (sum / weight, weight)
    };
    let (fixed, all) = weighted(0.0);
    let q: f64 = rows.iter().map(|(mean, error)| ((mean - fixed) / error).powi(2)).sum();
    let squares: f64 = rows.iter().map(|(_, error)| error.powi(-4)).sum();
    let between = ((q - (rows.len() - 1) as f64) / (all - squares / all)).max(0.0);
    let common = weighted(between).0;
    (0..means.len())
        .map(|j| {
            if demand[j] <= 0.0 {
                return means[j];
            }
            let (own, noise) = (between * demand[j] * demand[j], errors[j] * errors[j]);
            let kept = if own + noise > 0.0 { own / (own + noise) } else { 1.0 };
            demand[j] * common + kept * (means[j] - demand[j] * common)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use rand_distr::{Distribution as _, StandardNormal};

    #[test]
    fn errors_shrink_and_certain_means_stay() {
        let mut stream = Stream::new(3, "test/shrink", 0);
        let mut normal = || -> f64 { StandardNormal.sample(&mut stream) };
        let demand: Vec<f64> = (0..200).map(|j| 1.0 + f64::from(j % 5)).collect();
        let truth: Vec<f64> = demand.iter().map(|w| w * (2.0 + 0.5 * normal())).collect();
        let errors: Vec<f64> = demand.iter().map(|w| 1.5 * w).collect();
        let seen: Vec<f64> = truth.iter().zip(&errors).map(|(truth, error)| truth + error * normal()).collect();
        let off = |values: &[f64]| -> f64 {
            values.iter().zip(&truth).zip(&demand).map(|((v, t), w)| ((v - t) / w).powi(2)).sum::<f64>() / 200.0
        };
        // Posterior variance is 1 / (1 / .25 + 1 / 2.25) = .225 against 2.25.
        let shrunk = off(&shrink(&seen, &errors, &demand));
        assert!((shrunk / 0.225 - 1.0).abs() < 0.3 && off(&seen) > 1.7, "{shrunk}");
        let certain = shrink(&truth, &[1e-9; 200], &demand);
        assert!(certain.iter().zip(&truth).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
