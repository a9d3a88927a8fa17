//! Who of the dark is found next: those who are easily seen, and they are the larger ones and those who like us.
//!
//! What made the known known goes on among the dark. Customer i has a visibility `v_i = exp(s z_i)`, z ~ N(0, 1), and is
//! still dark with probability `exp(-k v_i)`: found at a hazard in proportion to its visibility. Log size and appeal lean on z,
//!
//! ```text
//! log w_i = d z_i + rest        a_i = t z_i + rest
//! ```
//!
//! with rests that visibility has nothing to do with. On a draw of the dark half k makes the dark the share q of all, d makes
//! the known R times as large as the dark, and t makes them like us better by the selection:
//!
//! ```text
//! q = E exp(-k v)
//! R = E[exp(d z) | known] / E[exp(d z) | dark]
//! selection = t (E[z | known] - E[z | dark])
//! ```
//!
//! So R and selection, which are parameters already, also say how demand, appeal and the hazard of being found go together among
//! the dark (size-biased discovery; Barouch & Kaufman 1976 for the sizes of what is found first). No file speaks of
//! the log deviation of visibility s: it is drawn from its prior, lognormal with median 1 and log deviation 0.4. At R = 1 and no
//! selection it moves nothing but how soon finds thin out.

use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};

use crate::rng::{Stream, normal_f64};

/// Prior of the log deviation of visibility: its median, and the deviation of its log.
const DEVIATION: (f64, f64) = (1.0, 0.4);

/// A log deviation of visibility, at a standard normal number.
pub(super) fn deviation(z: f64) -> f64 {
    DEVIATION.0 * libm::exp(DEVIATION.1 * z)
}

/// Equal parts of the customers, from the hardest to see.
const PARTS: usize = 24;

/// How much log size may lean on z.
const STEEPEST: f64 = 6.0;

/// Customers of a territory that are drawn one by one; of more, each stands for several.
const MOST: usize = 60;

/// A part of the dark, or one customer drawn from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    /// Share of the number of the dark.
    pub number: f64,
    /// Share of the dark demand.
    pub demand: f64,
    /// Hazard of being found over the mean of the dark.
    pub hazard: f64,
    /// Part of the selection that does not hold for it: 0 for one like the dark on average, 1 for one like the known.
    pub lean: f64,
}

/// The dark on a draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Visibility {
    /// From the hardest to see.
    pub parts: Vec<Part>,
    /// How much log size leans on z.
    lean_of_size: f64,
}

impl Visibility {
    /// The dark in parts, where a share of all customers is dark, the known are so many times as large and log visibility has this
    /// deviation.
    pub(super) fn new(dark_share: f64, size_ratio: f64, deviation: f64) -> Self {
        let dark_share = dark_share.clamp(0.01, 0.99);
        let z: Vec<f64> = (0..PARTS).map(|n| normal_f64((n as f64 + 0.5) / PARTS as f64)).collect();
        let hazard: Vec<f64> = z.iter().map(|z| libm::exp(deviation * z)).collect();
        let dark = |k: f64| -> Vec<f64> { hazard.iter().map(|v| libm::exp(-k * v)).collect() };
        let k = libm::exp(crossing(-12.0, 12.0, |log_k| {
            dark(libm::exp(log_k)).iter().sum::<f64>() < dark_share * PARTS as f64
        }));
        let dark = dark(k);
        let known: Vec<f64> = dark.iter().map(|dark| 1.0 - dark).collect();
        let mean = |weights: &[f64], of: &dyn Fn(usize) -> f64| {
            let (sum, weight) = (0..PARTS).fold((0.0, 0.0), |(s, w), n| (s + weights[n] * of(n), w + weights[n]));
            sum / weight
        };
        let d = crossing(-STEEPEST, STEEPEST, |d| {
            let size = |n: usize| libm::exp(d * z[n]);
            mean(&known, &size) > size_ratio * mean(&dark, &size)
        });
        let demand: Vec<f64> = (0..PARTS).map(|n| dark[n] * libm::exp(d * z[n])).collect();
        let all: f64 = demand.iter().sum();
        let (here, there) = (mean(&dark, &|n| z[n]), mean(&known, &|n| z[n]));
        let usual = mean(&dark, &|n| hazard[n]);
        let hidden: f64 = dark.iter().sum();
        let parts = (0..PARTS)
            .map(|n| Part {
                number: dark[n] / hidden,
                demand: demand[n] / all,
                hazard: hazard[n] / usual,
                lean: (z[n] - here) / (there - here),
            })
            .collect();
        Self { parts, lean_of_size: d }
    }

    /// So many customers drawn one by one, with demands that add up to 1. Sizes scatter around their part's with what the
    /// lean leaves of the coefficient of variation: `log(1 + cv^2) - d^2`, at least a tenth of the first.
    pub(super) fn customers(&self, number: f64, variation: f64, rng: &mut Stream) -> Vec<Part> {
        let count = (number.round() as usize).clamp(1, MOST);
        let all = libm::log1p(variation * variation);
        let rest = (all - self.lean_of_size * self.lean_of_size).max(0.1 * all).sqrt();
        let mut out: Vec<Part> = (0..count)
            .map(|_| {
                let mut left: f64 = rng.random();
                let drawn = self.parts.iter().find(|part| {
                    left -= part.number;
                    left < 0.0
                });
                let part = drawn.unwrap_or(&self.parts[0]);
                let z: f64 = StandardNormal.sample(rng);
                let size = part.demand / part.number * libm::exp(rest * z);
                Part { number: 1.0 / count as f64, demand: size, ..*part }
            })
            .collect();
        let sum: f64 = out.iter().map(|customer| customer.demand).sum();
        out.iter_mut().for_each(|customer| customer.demand /= sum);
        out
    }
}

/// Where a condition that holds from some point on begins to hold, to about 1e-9 of the range.
fn crossing(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..32 {
        let middle = 0.5 * (low + high);
        if holds(middle) { high = middle } else { low = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(parts: &[Part], of: impl Fn(&Part) -> f64) -> f64 {
        parts.iter().map(of).sum()
    }

    #[test]
    fn a_market_of_agents_is_found_as_the_parts_say() {
        // Many agents, found at hazards in proportion to their visibility until 60% are left; log size leans by 0.8.
        let mut rng = Stream::new(1, "test/visibility", 0);
        let (lean, k) = (0.8, 0.337);
        let [mut known, mut dark] = [[0.0; 3]; 2];
        for _ in 0..400_000 {
            let z: f64 = StandardNormal.sample(&mut rng);
            let rest: f64 = StandardNormal.sample(&mut rng);
            let (visibility, size) = (libm::exp(z), libm::exp(lean * z + 0.7 * rest));
            let hidden = rng.random::<f64>() < libm::exp(-k * visibility);
            let sums = if hidden { &mut dark } else { &mut known };
            sums.iter_mut().zip([1.0, size, size * visibility]).for_each(|(sum, x)| *sum += x);
        }
        let share = dark[0] / (dark[0] + known[0]);
        let ratio = (known[1] / known[0]) / (dark[1] / dark[0]);
        let parts = Visibility::new(share, ratio, 1.0).parts;
        assert!((total(&parts, |part| part.demand) - 1.0).abs() < 1e-12);
        // Visibility of the dark, weighted with demand, over that of the whole: with the parts' own scale taken out.
        let weighted = total(&parts, |part| part.demand * part.hazard);
        let plain = {
            let mut rng = Stream::new(2, "test/visibility", 0);
            let (mut sum, mut weight) = (0.0, 0.0);
            for _ in 0..400_000 {
                let z: f64 = StandardNormal.sample(&mut rng);
                let v = libm::exp(z);
                (sum, weight) = (sum + v * libm::exp(-k * v), weight + libm::exp(-k * v));
            }
            sum / weight
        };
        let agents = dark[2] / dark[1] / plain;
        // Two dozen parts have thinner tails than the normal distribution.
        assert!((weighted / agents - 1.0).abs() < 0.06, "{weighted} {agents}, {share} dark, R {ratio}");
        assert!(weighted > 1.2);
    }

    #[test]
    fn nothing_leans_where_known_and_dark_are_alike() {
        for share in [0.1, 0.5, 0.9] {
            let parts = Visibility::new(share, 1.0, 1.0).parts;
            // Demand is then as numbers are, whose mean hazard is 1 and whose mean lean is 0.
            assert!((total(&parts, |part| part.demand * part.hazard) - 1.0).abs() < 1e-6);
            assert!(total(&parts, |part| part.demand * part.lean).abs() < 1e-6);
        }
        // The easily seen hold more of the demand where the known are larger, and less where they are smaller.
        let leaning = |ratio: f64| total(&Visibility::new(0.5, ratio, 1.0).parts, |part| part.demand * part.hazard);
        assert!(leaning(4.0) > leaning(2.0) && leaning(2.0) > 1.05 && leaning(0.5) < 0.95);
    }

    #[test]
    fn customers_drawn_one_by_one_are_the_parts_on_average() {
        let visibility = Visibility::new(0.5, 2.5, 1.0);
        let mut rng = Stream::new(4, "test/visibility", 0);
        let drawn: Vec<Vec<Part>> = (0..4_000).map(|_| visibility.customers(60.0, 0.8, &mut rng)).collect();
        let mean = |of: &dyn Fn(&Part) -> f64| drawn.iter().flatten().map(of).sum::<f64>() / drawn.len() as f64;
        assert!((mean(&|customer| customer.demand) - 1.0).abs() < 1e-9);
        assert!((mean(&|customer| customer.number * customer.hazard) - 1.0).abs() < 0.02);
        let weighted = total(&visibility.parts, |part| part.demand * part.hazard);
        let found = mean(&|customer| customer.demand * customer.hazard);
        assert!((found / weighted - 1.0).abs() < 0.05, "{found} {weighted}");
        // Few differ more between territories than many.
        let spread = |number: f64, rng: &mut Stream| {
            let sums: Vec<f64> = (0..500)
                .map(|_| visibility.customers(number, 1.3, rng).iter().map(|c| c.demand * c.lean).sum())
                .collect();
            crate::stats::mean_sd(&sums).1
        };
        assert!(spread(4.0, &mut rng) > 1.5 * spread(40.0, &mut rng));
        assert_eq!(visibility.customers(0.2, 1.0, &mut rng).len(), 1);
        assert_eq!(visibility.customers(1e7, 1.0, &mut rng).len(), MOST);
    }

    #[test]
    fn nothing_breaks_at_the_ends() {
        for (share, ratio) in [(0.0, 2.5), (1.0, 2.5), (0.5, 1e6), (0.5, 1e-6), (1e-9, 1e9)] {
            let parts = Visibility::new(share, ratio, 1.0).parts;
            assert!(parts.iter().all(|part| part.demand >= 0.0 && part.hazard.is_finite() && part.lean.is_finite()));
            assert!((total(&parts, |part| part.demand) - 1.0).abs() < 1e-9);
        }
    }
}
