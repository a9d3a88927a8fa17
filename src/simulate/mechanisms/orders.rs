//! Orders: what is bought of us and of the rivals in a month, in whole orders of `order_unit` demand units.
//!
//! `own = unit * Poisson(demand * share / unit)`, `rivals = unit * Poisson(demand * (1 - share) / unit)`, independent:
//! a Poisson stream of orders of which each comes to us with probability `share` (thinning; Kingman 1993, "Poisson
//! Processes", section 5.1). Variance over mean is `unit`. The rivals' orders of a territory are split among companies by
//! expected shares, in proportion to `rival_k exp(push_k)`: no customer's own rival is drawn.

use crate::lanes::{F32x16, Lanes};
use crate::rng::poisson;

/// Means of the numbers of orders that come to us and to the rivals.
#[inline(always)]
pub fn means<V: Lanes>(demand: V, share: V, unit: V) -> (V, V) {
    let all = demand / unit;
    let own = all * share;
    (own, all - own)
}

/// Numbers of orders of us and of the rivals.
#[inline(always)]
pub fn orders(means: (F32x16, F32x16), uniforms: (F32x16, F32x16)) -> (F32x16, F32x16) {
    let uniforms = [uniforms.0, uniforms.1];
    // With a share of 1 rounding may leave the rivals a mean just below 0.
    let means = [means.0, means.1.max(F32x16::ZERO)];
    let mut numbers = [F32x16::ZERO; 2];
    // A loop, so that the sampler is compiled once.
    for (number, (uniform, mean)) in numbers.iter_mut().zip(uniforms.into_iter().zip(means)) {
        *number = poisson(uniform, mean);
    }
    (numbers[0], numbers[1])
}

/// The rivals' attraction together and each one's part of their orders, from their weights and pushes (log odds; those
/// missing count as 0). Without rivals in the data there is one nameless other of attraction 1.
pub fn rivals(weights: &[f64], push: &[f32], parts: &mut Vec<f64>) -> f64 {
    parts.clear();
    parts.extend(weights.iter().enumerate().map(|(k, weight)| match push.get(k) {
        Some(&push) if push != 0.0 => weight * libm::exp(f64::from(push)),
        _ => *weight,
    }));
    let attraction: f64 = parts.iter().sum();
    if attraction > 0.0 {
        for part in parts.iter_mut() {
            *part /= attraction;
        }
        attraction
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_add_up() {
        // 12 units in orders of 4, a quarter of them ours.
        assert_eq!(means(12.0, 0.25, 4.0), (0.75, 2.25));
    }

    #[test]
    fn pushes_shift_the_split() {
        let mut parts = Vec::new();
        let attraction = rivals(&[0.75, 0.25], &[0.0, std::f32::consts::LN_2], &mut parts);
        assert!((attraction - 1.25).abs() < 1e-7);
        assert!((parts[0] - 0.6).abs() < 1e-7 && (parts[1] - 0.4).abs() < 1e-7);
        assert_eq!(rivals(&[], &[], &mut parts), 1.0);
        assert!(parts.is_empty());
    }
}
