//! The two tasks whose likelihood needs a differential equation, solved by the pair of Dormand & Prince (1980).

use super::Task;

/// Relative tolerance of a step.
const TOLERANCE: f64 = 1e-7;
const MOST_STEPS: usize = 20_000;

/// States at ascending times from 0; `None` when steps become too many or a state is not finite.
fn solve<const N: usize>(
    slope: impl Fn(&[f64; N]) -> [f64; N],
    start: [f64; N],
    times: impl IntoIterator<Item = f64>,
) -> Option<Vec<[f64; N]>> {
    const A: [&[f64]; 6] = [
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19_372.0 / 6_561.0, -25_360.0 / 2_187.0, 64_448.0 / 6_561.0, -212.0 / 729.0],
        &[9_017.0 / 3_168.0, -355.0 / 33.0, 46_732.0 / 5_247.0, 49.0 / 176.0, -5_103.0 / 18_656.0],
        &[35.0 / 384.0, 0.0, 500.0 / 1_113.0, 125.0 / 192.0, -2_187.0 / 6_784.0, 11.0 / 84.0],
    ];
    /// Fifth order less fourth.
    const ERROR: [f64; 7] =
        [71.0 / 57_600.0, 0.0, -71.0 / 16_695.0, 71.0 / 1_920.0, -17_253.0 / 339_200.0, 22.0 / 525.0, -1.0 / 40.0];
    let (mut state, mut now, mut step, mut steps) = (start, 0.0, 1e-2, 0);
    let mut first = slope(&state);
    let mut states = Vec::new();
    for time in times {
        while now < time {
            steps += 1;
            if steps > MOST_STEPS {
                return None;
            }
            let (taken, lands) = if now + step >= time { (time - now, true) } else { (step, false) };
            let mut slopes = [first; 7];
            let mut next = state;
            for (stage, row) in A.iter().enumerate() {
                next = std::array::from_fn(|i| {
                    state[i] + taken * row.iter().zip(&slopes).map(|(a, k)| a * k[i]).sum::<f64>()
                });
                slopes[stage + 1] = slope(&next);
            }
            let error = (0..N)
                .map(|i| {
                    let error = taken * ERROR.iter().zip(&slopes).map(|(e, k)| e * k[i]).sum::<f64>();
                    error.abs() / (TOLERANCE * (1e-2 + state[i].abs().max(next[i].abs())))
                })
                .fold(0.0, f64::max);
            if !error.is_finite() {
                return None;
            }
            let factor = (0.9 * libm::pow(error.max(1e-10), -0.2)).clamp(0.2, 5.0);
            if error <= 1.0 {
                now = if lands { time } else { now + taken };
                (state, first) = (next, slopes[6]);
                // A step cut short at a time says nothing against the longer one.
                step = if lands { step.max(taken * factor) } else { taken * factor };
            } else {
                step = taken * factor;
            }
        }
        states.push(state);
    }
    Some(states)
}

/// An epidemic in a million people; of 1,000 tested every 17 days, how many are infected.
pub struct Sir {
    observed: Vec<f64>,
    /// Logarithms of the binomial coefficients, summed.
    ways: f64,
}

impl Sir {
    pub fn new(observed: Vec<f64>) -> Self {
        let log_factorial = |n: f64| libm::lgamma(n + 1.0);
        let ways = observed.iter().map(|k| log_factorial(1e3) - log_factorial(*k) - log_factorial(1e3 - k)).sum();
        Self { observed, ways }
    }
}

impl Task for Sir {
    fn dimension(&self) -> usize {
        2
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        vec![0.4 * libm::exp(0.5 * point[0]), 0.125 * libm::exp(0.2 * point[1])]
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        let &[contact, recovery] = parameters else { return None };
        let people = 1e6;
        let slope = |&[susceptible, infected]: &[f64; 2]| {
            let caught = contact * susceptible * infected / people;
            [-caught, caught - recovery * infected]
        };
        let states = solve(slope, [people - 1.0, 1.0], (0..10).map(|k| 17.0 * f64::from(k)))?;
        let mut sum = self.ways;
        for (&[_, infected], positive) in states.iter().zip(&self.observed) {
            // Probabilities end where those of the task's single precision do.
            let p = (infected / people).clamp(1.192_092_9e-7, 1.0 - 1.192_092_9e-7);
            sum += positive * libm::log(p) + (1e3 - positive) * libm::log1p(-p);
        }
        Some(sum)
    }
}

/// Prey and predators at ten times, with lognormal errors of 0.1.
pub struct LotkaVolterra {
    pub observed: Vec<f64>,
}

impl Task for LotkaVolterra {
    fn dimension(&self) -> usize {
        4
    }
    fn parameters(&self, point: &[f64]) -> Vec<f64> {
        point.iter().zip([-0.125, -3.0, -0.125, -3.0]).map(|(z, mean)| libm::exp(mean + 0.5 * z)).collect()
    }
    fn log_likelihood(&self, parameters: &[f64]) -> Option<f64> {
        let &[growth, eaten, death, fed] = parameters else { return None };
        let slope = |&[prey, predators]: &[f64; 2]| {
            [growth * prey - eaten * prey * predators, -death * predators + fed * prey * predators]
        };
        let states = solve(slope, [30.0, 1.0], (0..10).map(|k| 2.1 * f64::from(k)))?;
        let mut sum = 0.0;
        for species in 0..2 {
            for (state, observed) in states.iter().zip(&self.observed[10 * species..]) {
                let log = libm::log(*observed);
                let error = (log - libm::log(state[species].clamp(1e-10, 1e4))) / 0.1;
                sum -= 0.5 * error * error + log + libm::log(0.1) + 0.5 * libm::log(std::f64::consts::TAU);
            }
        }
        Some(sum)
    }
}
