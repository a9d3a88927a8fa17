use super::*;
use crate::samplers::testing::{Gaussian, HalfFailing, TwoModes, on_threads};
use crate::stats::mean_sd;

fn settings(particles: usize) -> Settings {
    Settings { seed: 1, particles, ..Settings::default() }
}

fn posterior(target: &impl Target, settings: &Settings) -> Posterior {
    run(target, settings, &mut Unwatched).unwrap()
}

/// All that a posterior consists of, bit by bit.
fn bytes(posterior: &Posterior) -> Vec<u64> {
    let numbers = posterior.points.values().iter().chain(&posterior.weights).chain(&posterior.log_likelihood);
    let mut bytes: Vec<u64> = numbers.map(|value| value.to_bits()).collect();
    bytes.extend([posterior.log_evidence.to_bits(), posterior.evaluations, posterior.failed]);
    bytes
}

#[test]
fn a_gaussian_has_its_posterior_and_evidence() {
    let found = posterior(&Gaussian, &settings(2_000));
    assert!(found.complete);
    for (of, y) in Gaussian::OBSERVED.into_iter().enumerate() {
        let (mean, sd) = mean_sd(&found.points.coordinate(of));
        assert!((mean - y / 1.01).abs() < 0.01, "{mean}");
        assert!((sd / (1.0_f64 / 101.0).sqrt() - 1.0).abs() < 0.06, "{sd}");
    }
    let wrong = found.log_evidence - Gaussian::log_evidence();
    assert!(wrong.abs() < 0.2, "{wrong}");
    // It is the increments that make the evidence: its first stage alone is far off.
    assert!(found.stages.len() > 3);
    assert!(found.effective() > 1_900.0, "{}", found.effective());
}

#[test]
fn evidence_without_an_increment_is_wrong() {
    // The same stages, with the increment of one left out, must fail the test above.
    let settings = settings(2_000);
    let mut state = State::new(&settings, 3);
    start(&Gaussian, &settings, &mut state).unwrap();
    let mut increments = Vec::new();
    while state.rounds == 0 {
        let before = state.log_evidence;
        stage(&Gaussian, &settings, &mut state);
        increments.push(state.log_evidence - before);
    }
    let sum: f64 = increments.iter().sum();
    assert!((sum - Gaussian::log_evidence()).abs() < 0.2);
    // Increments run from far below zero to above it, so one of them may be small.
    let seen = increments.iter().filter(|dropped| (sum - **dropped - Gaussian::log_evidence()).abs() > 0.2).count();
    assert!(seen + 1 >= increments.len(), "{increments:?}");
}

#[test]
fn two_modes_keep_their_masses() {
    // Over seeds, because one run could be right by chance.
    let shares: Vec<f64> = (0..6)
        .map(|seed| {
            let found = posterior(&TwoModes, &Settings { seed, ..settings(2_000) });
            assert!(found.log_evidence.abs() < 0.3, "{}", found.log_evidence);
            found.points.coordinate(0).iter().filter(|x| **x < 0.0).count() as f64 / 2_000.0
        })
        .collect();
    let (mean, sd) = mean_sd(&shares);
    assert!((mean - TwoModes::LEFT).abs() < 0.012 && sd < 0.025, "{shares:?}");
}

#[test]
fn moves_between_modes_are_what_keeps_the_masses() {
    // Walks alone cannot cross, and the masses stay those that resampling left; the others repair even a wrong start.
    let after = |moves: Vec<Kind>| {
        let settings = Settings { moves, rounds: 1, final_sweeps: 60, final_correlation: 0.0, ..settings(1_000) };
        let mut state = State::new(&settings, 2);
        start(&TwoModes, &settings, &mut state).unwrap();
        while state.temperature < 1.0 && next_step(&state, settings.conditional) < 1.0 - state.temperature {
            stage(&TwoModes, &settings, &mut state);
        }
        // Half of the left mode's particles are put to the right by hand.
        for (particle, weight) in state.weights.iter_mut().enumerate() {
            *weight = if state.points[2 * particle] < 0.0 { 0.5 } else { 1.0 };
        }
        let sum: f64 = state.weights.iter().sum();
        state.weights.iter_mut().for_each(|weight| *weight /= sum);
        stage(&TwoModes, &settings, &mut state);
        state.points.chunks(2).filter(|point| point[0] < 0.0).count() as f64 / 1_000.0
    };
    let (walk, all) = (after(vec![Kind::Walk]), after(Kind::ALL.to_vec()));
    assert!(walk < 0.16 && (all - TwoModes::LEFT).abs() < 0.045, "walk {walk}, all {all}");
}

#[test]
fn what_fails_has_no_mass() {
    let found = posterior(&HalfFailing, &settings(2_000));
    assert!(found.failed >= 900, "{}", found.failed);
    assert!(found.points.coordinate(0).iter().all(|x| *x >= 0.0));
    // The posterior has nothing below zero to lose, so posterior and evidence are the Gaussian's.
    assert!((found.log_evidence - Gaussian::log_evidence()).abs() < 0.25, "{}", found.log_evidence);

    struct Hopeless;
    impl crate::samplers::Prior for Hopeless {
        fn dimension(&self) -> usize {
            1
        }
        fn draw(&self, stream: &mut Stream) -> Vec<f64> {
            vec![stream.uniform()]
        }
        fn log_density(&self, _: &[f64]) -> f64 {
            0.0
        }
    }
    impl Target for Hopeless {
        fn log_likelihood(&self, _: &[f64]) -> Option<f64> {
            None
        }
    }
    assert!(matches!(run(&Hopeless, &settings(100), &mut Unwatched), Err(SmcError::NothingAlive { .. })));
}

#[test]
fn the_budget_is_honoured_and_its_end_is_said() {
    for budget in [500, 501, 1_700, 6_000, 20_000] {
        let found = posterior(&Gaussian, &Settings { budget, ..settings(500) });
        assert!(found.evaluations <= budget, "{} of {budget}", found.evaluations);
        assert_eq!(found.stages.last().unwrap().temperature, 1.0);
        assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        if budget < 1_700 {
            assert!(!found.complete && found.effective() < 50.0, "{}", found.effective());
        } else if budget == 20_000 {
            assert!(found.complete);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let of = |threads| on_threads(threads, || bytes(&posterior(&TwoModes, &settings(300))));
    assert_eq!(of(1), of(4));
}

/// Keeps every checkpoint and says how far the run is.
#[derive(Default)]
struct Keeper {
    kept: Vec<Vec<u8>>,
    shares: Vec<f64>,
}

impl Watch for Keeper {
    fn progress(&mut self, progress: &Progress) {
        self.shares.push(progress.share);
    }
    fn keeps(&self) -> bool {
        true
    }
    fn checkpoint(&mut self, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.kept.push(bytes.to_vec());
        Ok(())
    }
}

#[test]
fn a_resumed_run_ends_in_the_same_bytes() {
    let settings = settings(300);
    let mut keeper = Keeper::default();
    let whole = run(&TwoModes, &settings, &mut keeper).unwrap();
    assert_eq!(keeper.kept.len(), whole.stages.len());
    for checkpoint in &keeper.kept {
        let mut again = Keeper::default();
        let resumed = resume(&TwoModes, &settings, checkpoint, &mut again).unwrap();
        assert_eq!(bytes(&resumed), bytes(&whole));
        assert!(keeper.kept.ends_with(&again.kept));
    }
    let shares = &keeper.shares;
    assert_eq!(shares.last(), Some(&1.0));
    assert!(shares.iter().all(|share| *share > 0.0 && *share <= 1.0), "{shares:?}");
    assert!(matches!(resume(&Gaussian, &settings, &keeper.kept[0], &mut Unwatched), Err(SmcError::OtherCheckpoint)));
}

#[test]
fn a_checkpoint_that_cannot_be_kept_ends_the_run() {
    struct Full;
    impl Watch for Full {
        fn keeps(&self) -> bool {
            true
        }
        fn checkpoint(&mut self, _: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Err("the disk is full".into())
        }
    }
    let error = run(&Gaussian, &settings(100), &mut Full).unwrap_err();
    assert_eq!(error.to_string(), "the checkpoint could not be kept: the disk is full");
}

#[test]
fn temperatures_leave_half_the_particles_effective() {
    let found = posterior(&Gaussian, &settings(1_000));
    let last = found.stages.iter().position(|stage| stage.temperature == 1.0).unwrap();
    for stage in &found.stages[..last] {
        assert!((stage.effective - 500.0).abs() < 1.0, "{}", stage.effective);
    }
    assert!(found.stages.windows(2).all(|pair| pair[0].founders >= pair[1].founders));
}

#[test]
fn siblings_that_stayed_are_one() {
    let settings = settings(10);
    let whole = Ellipsoid::new(vec![0.0], &[1.0]);
    let mixture = Mixture::fit(&Cloud::new(1, vec![0.0; 4]), &[0.25; 4], 0, 0);
    let mut sweeps = Sweeps::new(Cloud::new(1, vec![0.0; 4]), &[0.0; 4], &whole, &mixture, settings.moves.len());
    sweeps.moved = vec![false, true, false, true];
    // Parents 7 7 7 8: two of 7 stayed together, the third and the child of 8 moved.
    assert_eq!(sweeps.live(&[7, 7, 7, 8]), 16.0 / (4.0 + 1.0 + 1.0));
}

#[test]
fn senseless_settings_are_refused() {
    let refused = |settings: Settings| {
        assert!(matches!(run(&Gaussian, &settings, &mut Unwatched), Err(SmcError::Settings(_))));
    };
    refused(Settings { particles: 1, ..settings(100) });
    refused(Settings { budget: 99, ..settings(100) });
    refused(Settings { moves: Vec::new(), ..settings(100) });
    refused(Settings { conditional: 1.0, ..settings(100) });
    refused(Settings { sweeps: 0, ..settings(100) });
}
