//! Do the chains agree, and how many independent draws are they worth?
//!
//! Split R-hat and the effective sample size by the initial monotone sequence of autocorrelations (Geyer 1992), as in
//! Gelman et al., "Bayesian Data Analysis" (3rd ed.), sections 11.4 and 11.5.

use super::dark_half::SamplerDiagnostic;
use crate::stats::{Summary, mean_sd};

/// Diagnoses one parameter from its draws by chain; `None` when there are too few or one is not finite.
pub(super) fn diagnose(parameter: &str, chains: &[Vec<f64>]) -> Option<SamplerDiagnostic> {
    let half = chains.iter().map(Vec::len).min()? / 2;
    if half < 4 {
        return None;
    }
    let halves: Vec<&[f64]> = chains.iter().flat_map(|chain| [&chain[..half], &chain[chain.len() - half..]]).collect();
    let all: Vec<f64> = chains.iter().flatten().copied().collect();
    let summary = Summary::of(&all)?;
    let moments: Vec<(f64, f64)> = halves.iter().map(|half| mean_sd(half)).collect();
    let n = half as f64;
    let within = moments.iter().map(|(_, sd)| sd * sd).sum::<f64>() / moments.len() as f64;
    let means: Vec<f64> = moments.iter().map(|(mean, _)| *mean).collect();
    let between = mean_sd(&means).1;
    let total = (n - 1.0) / n * within + between * between;
    if within <= 1e-300 {
        return Some(SamplerDiagnostic {
            parameter: parameter.into(),
            summary,
            r_hat: if between <= 1e-300 { 1.0 } else { f64::MAX },
            effective_draws: 1.0,
        });
    }
    let correlation = |lag: usize| {
        let covariance: f64 = halves
            .iter()
            .zip(&means)
            .map(|(x, mean)| x.iter().zip(&x[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n)
            .sum::<f64>()
            / halves.len() as f64;
        1.0 - (within * (n - 1.0) / n - covariance) / total
    };
    let mut sum = 0.0;
    let mut before = f64::INFINITY;
    let mut lag = 1;
    while lag + 1 < half {
        let pair = (correlation(lag) + correlation(lag + 1)).min(before);
        if pair < 0.0 {
            break;
        }
        sum += pair;
        before = pair;
        lag += 2;
    }
    let draws = (halves.len() * half) as f64;
    let effective_draws = (draws / (1.0 + 2.0 * sum)).min(draws);
    Some(SamplerDiagnostic { parameter: parameter.into(), summary, r_hat: (total / within).sqrt(), effective_draws })
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::rng::Stream;

    #[test]
    fn agreement_and_disagreement_are_told_apart() {
        let chain = |index: u64, shift: f64| -> Vec<f64> {
            let mut rng = Stream::new(1, "convergence", index);
            (0..400).map(|_| rng.random::<f64>() + shift).collect()
        };
        let good = diagnose("x", &[chain(0, 0.0), chain(1, 0.0), chain(2, 0.0)]).unwrap();
        assert!(good.r_hat < 1.02 && good.effective_draws > 700.0, "{good:?}");
        let bad = diagnose("x", &[chain(0, 0.0), chain(1, 1.0)]).unwrap();
        assert!(bad.r_hat > 1.5, "{bad:?}");
        let sticky: Vec<f64> = chain(0, 0.0).iter().flat_map(|x| [*x; 8]).collect();
        let sticky = diagnose("x", &[sticky.clone(), chain(1, 0.0).iter().flat_map(|x| [*x; 8]).collect()]).unwrap();
        assert!(sticky.effective_draws < 6400.0 / 6.0, "{}", sticky.effective_draws);
        assert!(diagnose("x", &[vec![1.0; 3]]).is_none());
    }
}
