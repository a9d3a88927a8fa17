//! Which of a few plans is best: rounds of runs, after each of which those that have fallen behind are left out.
//!
//! All plans of a round live the same runs, so that differences are paired. After a round a plan is left out when the upper limit of its
//! difference to the plan that leads is below 0; limits are at `1 - α / (plans x rounds)`, so that the best is left out with a
//! probability of at most α (sequential elimination with common random numbers: Nelson & Matejcik 1995; Even-Dar et al. 2006). What is
//! left at the end is not told apart by so many runs: the flat optimum.

use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::stats::mean_sd;

/// Probability that the best plan is left out.
pub const ALPHA: f64 = 0.05;

/// Rounds: the runs double.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    pub first: u32,
    pub most: u32,
}

impl Rounds {
    fn count(self) -> u32 {
        let mut count = 1;
        let mut runs = self.first;
        while runs < self.most {
            runs = (2 * runs).min(self.most);
            count += 1;
        }
        count
    }
}

/// What is known of a plan in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its value on every run that it lived, from the first.
    pub values: Vec<f64>,
    /// Not told apart from the best.
    pub tied: bool,
    /// Difference to the best on the runs that both lived: mean and upper limit.
    pub behind: (f64, f64),
}

/// The plans after the last round, and the best of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    pub standings: Vec<Standing>,
    pub best: usize,
}

/// Chooses among `count` plans. `live(plans, from, until)` gives the values of these plans on runs from..until, `[run][plan]`.
pub fn select(count: usize, rounds: Rounds, mut live: impl FnMut(&[usize], u32, u32) -> Vec<Vec<f64>>) -> Selected {
    let mut standings = vec![Standing { values: Vec::new(), tied: true, behind: (0.0, 0.0) }; count];
    let limit = Normal::standard().inverse_cdf(1.0 - ALPHA / (count.max(2) as f64 * f64::from(rounds.count())));
    let (mut done, mut until) = (0, rounds.first.min(rounds.most));
    let mut best = 0;
    loop {
        let alive: Vec<usize> = (0..count).filter(|&plan| standings[plan].tied).collect();
        for run in live(&alive, done, until) {
            for (&plan, value) in alive.iter().zip(run) {
                standings[plan].values.push(value);
            }
        }
        done = until;
        let mean = |plan: usize| mean_sd(&standings[plan].values).0;
        best = alive.iter().copied().fold(best, |best, plan| {
            let leads = !standings[best].tied || mean(plan) > mean(best);
            if leads { plan } else { best }
        });
        let leader = standings[best].values.clone();
        for &plan in &alive {
            let differences: Vec<f64> =
                standings[plan].values.iter().zip(&leader).map(|(value, leader)| value - leader).collect();
            let (mean, sd) = mean_sd(&differences);
            let upper = mean + limit * sd / (differences.len() as f64).max(1.0).sqrt();
            standings[plan].behind = (mean, upper);
            standings[plan].tied = plan == best || upper >= 0.0;
        }
        let left = standings.iter().filter(|standing| standing.tied).count();
        if left <= 1 || done >= rounds.most {
            return Selected { standings, best };
        }
        until = (2 * done).min(rounds.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use rand_distr::{Distribution as _, StandardNormal};

    /// Plans with these means and a luck of their own beside one that is common.
    fn found(means: &[f64], seed: u64) -> Selected {
        select(means.len(), Rounds { first: 50, most: 400 }, |plans, from, until| {
            (from..until)
                .map(|run| {
                    let mut stream = Stream::new(seed, "test/select", u64::from(run));
                    let mut normal = || -> f64 { StandardNormal.sample(&mut stream) };
                    let (common, luck): (f64, Vec<f64>) = (10.0 * normal(), means.iter().map(|_| normal()).collect());
                    plans.iter().map(|&plan| means[plan] + common + luck[plan]).collect()
                })
                .collect()
        })
    }

    #[test]
    fn the_best_is_found_and_what_is_far_behind_lives_few_runs() {
        let mut told_apart = 0;
        for seed in 0..40 {
            let selected = found(&[0.0, 1.0, 0.98, -5.0], seed);
            assert!(selected.best == 1 || selected.best == 2);
            let [today, one, other, behind] = &selected.standings[..] else { panic!("four plans") };
            assert!(!today.tied && !behind.tied && behind.values.len() == 50);
            told_apart += usize::from(!one.tied || !other.tied);
        }
        // Two that are as good as the same: one of them is left out in few of many such choices.
        assert!(told_apart <= 6, "{told_apart} of 40");
    }

    #[test]
    fn the_best_is_rarely_left_out() {
        let left_out = (0..200).filter(|&seed| !found(&[0.0, 0.05, 0.1, 0.1], seed).standings[2].tied).count();
        assert!(left_out <= 10, "{left_out} of 200");
    }
}
