//! A mixture fitted to weighted points, from which points can be proposed and under which they have a density.
//!
//! Expectation maximisation for normal components (Dempster, Laird & Rubin 1977), begun from centres that are drawn far
//! apart (k-means++, Arthur & Vassilvitskii 2007). Proposals need heavier tails than what they propose for, so each
//! component is read as a Student t of [`FREEDOM`] degrees of freedom, as in Cappé et al. (2008):
//!
//! `log t(x) = lgamma((f + d) / 2) - lgamma(f / 2) - d/2 log(f pi) - log|L| - (f + d)/2 log(1 + D(x)^2 / f)`.
//!
//! The number of components is doubled as long as points that were not fitted become more likely.

use rayon::prelude::*;

use super::ellipsoid::Ellipsoid;
use super::particles::{Cloud, systematic};
use crate::rng::Stream;

/// Degrees of freedom of a component's tails.
pub const FREEDOM: usize = 8;
/// Points used in a fit; more are thinned.
const POINTS: usize = 4_000;
/// Most components tried.
const MOST: usize = 64;
const ROUNDS: usize = 25;

/// Weighted Student t components.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    components: Vec<Ellipsoid>,
    /// Ascending sums of the components' weights, and the logarithms of the weights.
    cumulated: Vec<f64>,
    log_weights: Vec<f64>,
    /// What the density of a component has in common with all of its dimension.
    log_scale: f64,
}

impl Mixture {
    /// Fits to points with weights that sum to 1.
    pub fn fit(cloud: &Cloud, weights: &[f64], seed: u64, index: u64) -> Self {
        let mut stream = Stream::new(seed, "samplers/mixture", index);
        // Systematic draws of distinct points keep their weights: thinning only drops what would hardly count.
        let kept: Vec<usize> = if cloud.len() <= POINTS {
            (0..cloud.len()).filter(|&i| weights[i] > 0.0).collect()
        } else {
            systematic(weights, POINTS, stream.uniform())
        };
        let thinned = cloud.len() > POINTS;
        let weight = |i: usize| if thinned { 1.0 } else { weights[i] };
        let whole = Ellipsoid::new(cloud.mean(weights), &cloud.covariance(weights));
        // Equal points go to the same side, or the second half would be no test.
        let mut sides = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
        let (mut distinct, mut before) = (0, usize::MAX);
        for &i in &kept {
            if i != before && (before == usize::MAX || cloud.point(i) != cloud.point(before)) {
                distinct += 1;
            }
            before = i;
            let side = &mut sides[distinct % 2];
            side.0.push(i);
            side.1.push(weight(i));
        }
        let [fitted, held] = sides.map(|(indices, mut weights)| {
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
            (cloud.select(&indices), weights)
        });
        let alone = Self::of(vec![(1.0, whole.clone())]);
        if distinct < 4 * (cloud.dimension() + 2) {
            return alone;
        }
        let (mut best, mut score) = (1, alone.score(&held.0, &held.1));
        let mut count = 2;
        while count <= MOST && distinct >= 4 * count * (cloud.dimension() + 2) {
            let candidate = Self::expectation_maximisation(&fitted.0, &fitted.1, count, &whole, &mut stream);
            let scored = candidate.score(&held.0, &held.1);
            if scored > score {
                (best, score) = (count, scored);
            } else if count > 4 * best {
                break;
            }
            count *= 2;
        }
        if best == 1 {
            return alone;
        }
        let all = cloud.select(&kept);
        let mut weights: Vec<f64> = kept.iter().map(|&i| weight(i)).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Self::expectation_maximisation(&all, &weights, best, &whole, &mut stream)
    }

    fn of(components: Vec<(f64, Ellipsoid)>) -> Self {
        let total: f64 = components.iter().map(|(weight, _)| weight).sum();
        let (f, d) = (FREEDOM as f64, components[0].1.dimension() as f64);
        let mut sum = 0.0;
        let mut mixture = Self {
            components: Vec::new(),
            cumulated: Vec::new(),
            log_weights: Vec::new(),
            log_scale: libm::lgamma(0.5 * (f + d))
                - libm::lgamma(0.5 * f)
                - 0.5 * d * libm::log(f * std::f64::consts::PI),
        };
        for (weight, component) in components {
            sum += weight / total;
            mixture.cumulated.push(sum);
            mixture.log_weights.push(libm::log(weight / total));
            mixture.components.push(component);
        }
        mixture
    }

    fn expectation_maximisation(
        cloud: &Cloud,
        weights: &[f64],
        count: usize,
        whole: &Ellipsoid,
        stream: &mut Stream,
    ) -> Self {
        let d = cloud.dimension();
        let spread = cloud.covariance(weights);
        // A component begins with the covariance of the whole, shrunk so that all together fill the same volume.
        let shrink = libm::pow(count as f64, -2.0 / d as f64);
        let start: Vec<f64> = spread.iter().map(|value| value * shrink).collect();
        let mut mixture = Self::of(
            far_apart(cloud, weights, count, whole, stream)
                .into_iter()
                .map(|i| (1.0, Ellipsoid::new(cloud.point(i).to_vec(), &start)))
                .collect(),
        );
        for _ in 0..ROUNDS {
            let shares: Vec<Vec<f64>> =
                (0..cloud.len()).into_par_iter().map(|i| mixture.shares(cloud.point(i), false)).collect();
            let mut components = Vec::with_capacity(count);
            for k in 0..mixture.components.len() {
                let mut of_component: Vec<f64> = shares.iter().zip(weights).map(|(s, w)| s[k] * w).collect();
                let weight: f64 = of_component.iter().sum();
                let points = weight * cloud.len() as f64;
                if points < 2.0 * (d as f64 + 1.0) {
                    continue;
                }
                of_component.iter_mut().for_each(|value| *value /= weight);
                let mut covariance = cloud.covariance(&of_component);
                // One more point's worth of a round component keeps small ones from collapsing.
                for (value, round) in covariance.iter_mut().zip(&start) {
                    *value = (points * *value + 0.1 * round) / (points + 0.1);
                }
                components.push((weight, Ellipsoid::new(cloud.mean(&of_component), &covariance)));
            }
            if components.is_empty() {
                return Self::of(vec![(1.0, whole.clone())]);
            }
            mixture = Self::of(components);
        }
        mixture
    }

    /// Mean log density of weighted points.
    fn score(&self, cloud: &Cloud, weights: &[f64]) -> f64 {
        let scores: Vec<f64> = (0..cloud.len()).into_par_iter().map(|i| self.log_density(cloud.point(i))).collect();
        scores.iter().zip(weights).map(|(score, weight)| score * weight).sum()
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.components.len()
    }

    /// Log weight and log density of each component at a point (tails of t or of normal components).
    fn terms<'a>(&'a self, point: &'a [f64], heavy: bool) -> impl Iterator<Item = f64> + 'a {
        let (f, d) = (FREEDOM as f64, point.len() as f64);
        self.components.iter().zip(&self.log_weights).map(move |(component, log_weight)| {
            let distance = component.distance(&component.mean, point);
            let tail = if heavy { 0.5 * (f + d) * libm::log1p(distance / f) } else { 0.5 * distance };
            log_weight - component.log_volume() - tail
        })
    }

    /// Log density at a point.
    pub fn log_density(&self, point: &[f64]) -> f64 {
        let terms: Vec<f64> = self.terms(point, true).collect();
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.log_scale + most + libm::log(terms.iter().map(|term| libm::exp(term - most)).sum())
    }

    /// How probably a point is of each component.
    pub fn shares(&self, point: &[f64], heavy: bool) -> Vec<f64> {
        let mut terms: Vec<f64> = self.terms(point, heavy).collect();
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        terms.iter_mut().for_each(|term| *term = libm::exp(*term - most));
        let sum: f64 = terms.iter().sum();
        terms.iter_mut().for_each(|term| *term /= sum);
        terms
    }

    /// One component.
    pub fn component(&self, index: usize) -> &Ellipsoid {
        &self.components[index]
    }

    /// Draws a point.
    pub fn draw(&self, stream: &mut Stream, out: &mut [f64]) {
        let u = stream.uniform();
        let k = self.cumulated.iter().position(|sum| u < *sum).unwrap_or(self.components.len() - 1);
        // Chi squared of an even number of degrees of freedom: a sum of exponentials.
        let chi: f64 = (0..FREEDOM / 2).map(|_| -2.0 * libm::log(stream.uniform())).sum();
        self.components[k].draw(&self.components[k].mean, (FREEDOM as f64 / chi).sqrt(), stream, out);
    }
}

/// Points drawn one by one, each by its weight and its squared distance to the nearest of those already drawn.
fn far_apart(cloud: &Cloud, weights: &[f64], count: usize, whole: &Ellipsoid, stream: &mut Stream) -> Vec<usize> {
    let mut centres = systematic(weights, 1, stream.uniform());
    let mut nearest = vec![f64::INFINITY; cloud.len()];
    while centres.len() < count {
        let centre = cloud.point(centres[centres.len() - 1]);
        let distances: Vec<f64> =
            (0..cloud.len()).into_par_iter().map(|i| whole.distance(centre, cloud.point(i))).collect();
        let mut chances = Vec::with_capacity(cloud.len());
        for ((near, distance), weight) in nearest.iter_mut().zip(distances).zip(weights) {
            *near = near.min(distance);
            chances.push(weight * *near);
        }
        let sum: f64 = chances.iter().sum();
        if sum <= 0.0 {
            // All points are centres already.
            break;
        }
        chances.iter_mut().for_each(|chance| *chance /= sum);
        centres.extend(systematic(&chances, 1, stream.uniform()));
    }
    centres
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_groups(count: usize) -> Cloud {
        let mut stream = Stream::new(3, "test", 0);
        let mut values = Vec::new();
        for i in 0..count {
            let centre = if i % 10 < 3 { -5.0 } else { 5.0 };
            values.extend([centre + stream.normal(), 0.5 * stream.normal()]);
        }
        Cloud::new(2, values)
    }

    #[test]
    fn two_groups_are_found_with_their_weights() {
        let cloud = two_groups(3_000);
        let mixture = Mixture::fit(&cloud, &vec![1.0 / 3_000.0; 3_000], 1, 0);
        assert!(mixture.components() >= 2);
        let mut stream = Stream::new(4, "test", 0);
        let mut point = [0.0; 2];
        let left = (0..20_000)
            .filter(|_| {
                mixture.draw(&mut stream, &mut point);
                point[0] < 0.0
            })
            .count();
        assert!((left as f64 / 20_000.0 - 0.3).abs() < 0.02, "{left}");
    }

    #[test]
    fn the_density_integrates_to_one() {
        let cloud = two_groups(600);
        let mixture = Mixture::fit(&cloud, &vec![1.0 / 600.0; 600], 1, 0);
        let step = 0.1;
        let mut sum = 0.0;
        for i in -200..200 {
            for j in -120..120 {
                sum += libm::exp(mixture.log_density(&[f64::from(i) * step, f64::from(j) * step])) * step * step;
            }
        }
        assert!((sum - 1.0).abs() < 0.01, "{sum}");
    }

    #[test]
    fn points_on_one_spot_give_a_mixture() {
        let mixture = Mixture::fit(&Cloud::new(2, vec![1.0; 200]), &[0.01; 100], 1, 0);
        assert!(mixture.log_density(&[1.0, 1.0]).is_finite());
    }
}
