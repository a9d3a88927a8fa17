//! Poisson numbers by inversion: one uniform each, rising with it and with the mean.
//!
//! Up to a mean of [`SMALL`] the probabilities are added up until they pass the uniform: in lockstep over the lanes, eight
//! terms without a test, then a test every four. Above it the quantile is that of the normal with corrections to order
//! 1 / mean (Cornish & Fisher 1938; for the Poisson, Giles 2016, "Algorithm 955: approximation of the inverse Poisson
//! cumulative distribution function", ACM Transactions on Mathematical Software 42, equation for Q_N3).
//!
//! Accuracy (tested): up to `SMALL` exact but for uniforms within 2e-6 of a step of the distribution; above it the
//! result is off by one for fewer than 1 in 1,000 uniforms while the mean is below 1,000. The mean is right to 1e-4 of
//! itself and the variance to 1e-3. Beyond that single precision rounds: to about 1e-7 of the mean.

use super::normal::normal;
use crate::lanes::{Mask as _, Simd, Words as _, exp_within, poly};

/// Largest mean for which probabilities are added up.
pub const SMALL: f32 = 12.0;

/// Uniforms count as no more than this when probabilities are added up, so that rounding in the sum (some 3e-7) can never
/// keep it from reaching them. It cuts one draw in a million short by about one order.
const HIGHEST: f32 = 1.0 - 1e-6;

/// More terms are never needed: of a mean of 12, 46 or more have a probability of 4e-14. The first eight are added without
/// a test, which most sets of 16 customers would pass: a wrong guess costs the processor more than terms that add nothing.
const TERMS: usize = 48;

/// `1 / k`, so that no term waits for a division.
const RECIPROCAL: [f32; TERMS] = {
    let mut out = [0.0; TERMS];
    let mut k = 0;
    while k < TERMS {
        out[k] = 1.0 / (k + 1) as f32;
        k += 1;
    }
    out
};

/// Poisson numbers of these means (0 or more) at these uniforms. A mean of 0 gives 0.
///
/// A lane depends on its own uniform and mean alone, never on its neighbours.
#[inline(always)]
pub fn poisson<V: Simd>(uniform: V, mean: V) -> V {
    let large = mean.greater(V::splat(SMALL));
    if large.all() {
        return corrected_normal(uniform, mean);
    }
    if !mean.greater(V::splat(0.0)).any() {
        return V::splat(0.0);
    }
    let [small] = add_up([uniform], [V::choose(large, V::splat(0.0), mean)]);
    if large.any() { V::choose(large, corrected_normal(uniform, mean), small) } else { small }
}

/// As [`poisson`] of several sets: their terms are added in turns, so that a processor need not wait for those of one.
#[inline(always)]
pub fn poisson_each<V: Simd, const SETS: usize>(uniforms: [V; SETS], means: [V; SETS]) -> [V; SETS] {
    let mut most = means[0];
    for mean in &means[1..] {
        most = most.max(*mean);
    }
    let mut numbers = [V::splat(0.0); SETS];
    if most.greater(V::splat(SMALL)).any() {
        // Loops: closures would be compiled for the default instruction set.
        for ((number, uniform), mean) in numbers.iter_mut().zip(uniforms).zip(means) {
            *number = poisson(uniform, mean);
        }
    } else if most.greater(V::splat(0.0)).any() {
        numbers = add_up(uniforms, means);
    }
    numbers
}

/// As [`poisson_each`] for sets of the same customers, whose means are often large in some lanes: also those are worked out
/// together.
#[inline(always)]
pub fn poisson_each_of_one<V: Simd, const SETS: usize>(uniforms: [V; SETS], means: [V; SETS]) -> [V; SETS] {
    let mut most = means[0];
    for mean in &means[1..] {
        most = most.max(*mean);
    }
    if !most.greater(V::splat(0.0)).any() {
        return [V::splat(0.0); SETS];
    }
    if !most.greater(V::splat(SMALL)).any() {
        return add_up(uniforms, means);
    }
    let mut small = means;
    // Loops: closures would be compiled for the default instruction set.
    for mean in &mut small {
        *mean = V::choose(mean.greater(V::splat(SMALL)), V::splat(0.0), *mean);
    }
    let mut numbers = add_up(uniforms, small);
    for ((number, uniform), mean) in numbers.iter_mut().zip(uniforms).zip(means) {
        let large = mean.greater(V::splat(SMALL));
        if large.any() {
            *number = V::choose(large, corrected_normal(uniform, mean), *number);
        }
    }
    numbers
}

/// For means up to [`SMALL`]: the number of steps of the distribution function that lie below the uniform.
#[inline(always)]
fn add_up<V: Simd, const SETS: usize>(uniforms: [V; SETS], means: [V; SETS]) -> [V; SETS] {
    let zero = V::splat(0.0);
    let mut sets = [Steps { mean: zero, term: zero, left: zero, number: V::Words::splat(0) }; SETS];
    // Loops: closures would be compiled for the default instruction set.
    for (set, (uniform, mean)) in sets.iter_mut().zip(uniforms.into_iter().zip(means)) {
        let term = exp_within(zero - mean);
        let left = uniform.min(V::splat(HIGHEST)) - term;
        *set = Steps { mean, term, left, number: V::Words::splat(0) };
    }
    // Written out, so that compilers make no loop of it.
    four(&mut sets, 0);
    four(&mut sets, 4);
    for k in (8..TERMS).step_by(4) {
        let mut going = sets[0].left.greater(zero);
        for set in &sets[1..] {
            going = going.or(set.left.greater(zero));
        }
        if !going.any() {
            break;
        }
        four(&mut sets, k);
    }
    let mut numbers = means;
    for (number, set) in numbers.iter_mut().zip(sets) {
        *number = V::counted(set.number);
    }
    numbers
}

/// Four terms of each set.
#[inline(always)]
fn four<V: Simd, const SETS: usize>(sets: &mut [Steps<V>; SETS], k: usize) {
    for set in sets.iter_mut() {
        set.one(k);
    }
    for set in sets.iter_mut() {
        set.one(k + 1);
    }
    for set in sets.iter_mut() {
        set.one(k + 2);
    }
    for set in sets.iter_mut() {
        set.one(k + 3);
    }
}

/// Probabilities being added up.
#[derive(Clone, Copy)]
struct Steps<V: Simd> {
    mean: V,
    /// The last one added.
    term: V,
    /// What of the uniform lies above their sum.
    left: V,
    number: V::Words,
}

impl<V: Simd> Steps<V> {
    #[inline(always)]
    fn one(&mut self, k: usize) {
        self.number = V::count_up(self.number, self.left.greater(V::splat(0.0)));
        self.term = self.term * (self.mean * V::splat(RECIPROCAL[k]));
        self.left = self.left - self.term;
    }
}

/// For larger means.
#[inline(always)]
fn corrected_normal<V: Simd>(uniform: V, mean: V) -> V {
    let z = normal(uniform);
    // Lanes of small means are not used; they are kept away from zero.
    let mean = mean.max(V::splat(1.0));
    let root = mean.sqrt();
    let inverse = V::splat(1.0) / root;
    let z2 = z * z;
    let first = V::splat(1.0 / 3.0) + z2 * V::splat(1.0 / 6.0);
    let second = z * (V::splat(-1.0 / 36.0) - z2 * V::splat(1.0 / 72.0));
    let third = poly(z2, [-8.0 / 405.0, 7.0 / 810.0, 1.0 / 270.0]);
    let corrections = first + inverse * (second + inverse * third);
    let quantile = mean + root * z + corrections;
    quantile.max(V::splat(0.0)).floor()
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Discrete as _, DiscreteCDF as _, Poisson};

    use super::*;
    use crate::lanes::{F32x16, U32x16};
    use crate::rng::uniform;

    fn at(u: f32, mean: f32) -> f32 {
        poisson(F32x16::splat(u), F32x16::splat(mean)).0[9]
    }

    /// Uniforms of equal weight over (0, 1).
    fn uniforms(cells: u32) -> impl Iterator<Item = f32> {
        (0..cells)
            .map(move |k| uniform::<F32x16>(U32x16::splat((u64::from(k) * (1 << 32) / u64::from(cells)) as u32)).0[0])
    }

    #[test]
    fn small_means_are_the_exact_quantile() {
        for mean in [1e-4_f32, 0.03, 0.5, 1.0, 2.7, 5.0, 8.0, 11.9, 12.0] {
            let exact = Poisson::new(f64::from(mean)).unwrap();
            for u in uniforms(20_011) {
                let got = at(u, mean) as u64;
                // The quantile of every uniform is right, but for those within 2e-6 of a step.
                let low = if got == 0 { 0.0 } else { exact.cdf(got - 1) };
                let (u, high) = (f64::from(u), exact.cdf(got));
                assert!(low - 2e-6 <= u && u <= high + 2e-6, "mean {mean}, u {u}: {got}");
            }
        }
    }

    #[test]
    fn frequencies_are_the_probabilities() {
        let cells = 1 << 20;
        for mean in [0.2_f32, 3.0, 12.0, 12.1, 20.0, 100.0] {
            let exact = Poisson::new(f64::from(mean)).unwrap();
            let mut frequency = vec![0_u32; 400];
            for u in uniforms(cells) {
                frequency[at(u, mean) as usize] += 1;
            }
            for (k, &count) in frequency.iter().enumerate() {
                let got = f64::from(count) / f64::from(cells);
                assert!((got - exact.pmf(k as u64)).abs() < 2e-4, "mean {mean}, k {k}: {got}");
            }
        }
    }

    #[test]
    fn large_means_are_seldom_off_by_one() {
        let cells = 50_021;
        for mean in [12.01_f32, 15.0, 30.0, 100.0, 300.0, 999.0] {
            let exact = Poisson::new(f64::from(mean)).unwrap();
            let mut off = 0;
            for u in uniforms(cells) {
                let got = at(u, mean) as u64;
                let u = f64::from(u);
                let low = if got == 0 { 0.0 } else { exact.cdf(got - 1) };
                if !(low - 1e-7 <= u && u <= exact.cdf(got) + 1e-7) {
                    off += 1;
                    let below = if got < 2 { 0.0 } else { exact.cdf(got - 2) };
                    assert!(below - 1e-6 <= u && u <= exact.cdf(got + 1) + 1e-6, "mean {mean}, u {u}: {got}");
                }
            }
            println!("mean {mean}: {off} of {cells} off by one");
            assert!(f64::from(off) < 1e-3 * f64::from(cells), "mean {mean}: {off}");
        }
    }

    #[test]
    fn moments_hold() {
        let cells = 1 << 20;
        for mean in [0.01_f32, 0.7, 4.0, 11.99, 12.01, 50.0, 900.0, 20_000.0] {
            let wanted = f64::from(mean);
            let (mut sum, mut square) = (0.0, 0.0);
            for u in uniforms(cells) {
                let x = f64::from(at(u, mean)) - wanted;
                sum += x;
                square += x * x;
            }
            let bias = sum / f64::from(cells);
            let variance = square / f64::from(cells) - bias * bias;
            println!("mean {mean}: bias {bias:e}, variance ratio {}", variance / wanted);
            assert!(bias.abs() < 1e-4 * wanted.max(0.1), "mean {mean}: bias {bias}");
            assert!((variance / wanted - 1.0).abs() < 1e-3, "mean {mean}: variance {variance}");
        }
    }

    #[test]
    fn rises_with_uniform_and_mean() {
        for k in 0..300 {
            let mean = 0.1 * k as f32;
            let mut before = 0.0;
            for u in uniforms(997) {
                let now = at(u, mean);
                assert!(now >= before, "mean {mean}, u {u}");
                assert!(at(u, mean + 0.1) >= now, "mean {mean}, u {u}");
                before = now;
            }
        }
    }

    #[test]
    fn zero_gives_zero_and_neighbours_do_not_matter() {
        let u: F32x16 = uniform(U32x16(std::array::from_fn(|i| 0x1234_5678_u32.wrapping_mul(2 * i as u32 + 1))));
        assert_eq!(poisson(u, F32x16::ZERO), F32x16::ZERO);
        let means = F32x16(std::array::from_fn(|i| (i * i) as f32 * 0.3));
        let together = poisson(u, means);
        for i in 0..16 {
            assert_eq!(together.0[i], at(u.0[i], means.0[i]));
        }
        assert_eq!(at(1.0 - 2.0_f32.powi(-24), 1e-9), 1.0 - 1.0);
    }

    #[test]
    fn several_sets_are_as_each_alone() {
        let uniforms: [F32x16; 3] = std::array::from_fn(|set| {
            uniform(U32x16(std::array::from_fn(|i| 0x1234_5678_u32.wrapping_mul((31 * set + 2 * i) as u32 + 1))))
        });
        for most in [0.0, 0.1, 3.0, 11.0, 40.0, 300.0] {
            let means =
                std::array::from_fn(|set| F32x16(std::array::from_fn(|i| most * ((set + i) % 16) as f32 / 15.0)));
            let alone: [F32x16; 3] = std::array::from_fn(|set| poisson(uniforms[set], means[set]));
            assert_eq!(poisson_each(uniforms, means), alone, "{most}");
        }
    }
}
