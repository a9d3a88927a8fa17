//! Moves of particles: proposals that leave the target as it is, one file each.
//!
//! A proposal is accepted with probability `min(1, p(y) q(x | y) / (p(x) q(y | x)))` (Metropolis et al. 1953; Hastings
//! 1970). Moves that look at other particles look at the half of them that stands still, so that each step is an ordinary
//! Metropolis step given that half and the product of all particles' distributions is kept (ter Braak 2006; Goodman & Weare
//! 2010).

mod evolution;
mod independent;
mod leap;
mod local;
mod snooker;
mod walk;

use serde::{Deserialize, Serialize};

use super::ellipsoid::Ellipsoid;
use super::mixture::Mixture;
use super::particles::Cloud;
use crate::rng::Stream;

/// A kind of move. A new one needs a file, a place here, and a line in [`Kind::propose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Along the difference of two others.
    Evolution,
    /// By the whole difference of two others: from mode to mode.
    Leap,
    /// Towards or away from another.
    Snooker,
    /// A normal step by the covariance of all.
    Walk,
    /// A normal step by the covariance of the part of the cloud where the particle is.
    Local,
    /// Anew from a mixture fitted to all.
    Independent,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Evolution, Self::Leap, Self::Snooker, Self::Walk, Self::Local, Self::Independent];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Evolution => "evolution",
            Self::Leap => "leap",
            Self::Snooker => "snooker",
            Self::Walk => "walk",
            Self::Local => "local",
            Self::Independent => "independent",
        }
    }

    /// Whether the length of its steps is adapted to the share accepted.
    pub fn scaled(self) -> bool {
        matches!(self, Self::Evolution | Self::Walk | Self::Local)
    }

    /// Proposes a point into `to`; returns `log q(from | to) - log q(to | from)`.
    pub fn propose(self, from: &[f64], around: &Around, scale: f64, stream: &mut Stream, to: &mut [f64]) -> f64 {
        match self {
            Self::Evolution => evolution::propose(from, around, scale, stream, to),
            Self::Leap => leap::propose(from, around, stream, to),
            Self::Snooker => snooker::propose(from, around, stream, to),
            Self::Walk => walk::propose(from, around, scale, stream, to),
            Self::Local => local::propose(from, around, scale, stream, to),
            Self::Independent => independent::propose(from, around, stream, to),
        }
    }
}

/// What a move may look at: nothing in it depends on the particle that moves.
pub struct Around<'a> {
    /// All particles; only those at every second place from `offset` are looked at.
    pub cloud: &'a Cloud,
    /// 0 or 1: which half stands still.
    pub offset: usize,
    /// Mean and covariance of the stage.
    pub whole: &'a Ellipsoid,
    /// Mixture fitted to the stage.
    pub mixture: &'a Mixture,
}

impl Around<'_> {
    /// Different particles of the half that stands still; `None` when it has too few.
    fn others<const COUNT: usize>(&self, stream: &mut Stream) -> Option<[&[f64]; COUNT]> {
        let half = (self.cloud.len() + 1 - self.offset) / 2;
        if half < COUNT {
            return None;
        }
        let mut chosen = [usize::MAX; COUNT];
        let mut found = 0;
        while found < COUNT {
            let other = 2 * stream.below(half) + self.offset;
            if !chosen[..found].contains(&other) {
                chosen[found] = other;
                found += 1;
            }
        }
        Some(chosen.map(|index| self.cloud.point(index)))
    }
}

/// The share of proposals that steps in `dimension` directions should have accepted: 0.44 in one, towards 0.234 in many
/// (Roberts & Rosenthal 2001).
pub fn wanted_acceptance(dimension: usize) -> f64 {
    0.234 + (0.44 - 0.234) / dimension as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log density of a skewed target of two dimensions whose moments are known: x ~ N(0, 1), y = x^2 / 2 + N(0, 1/4).
    fn banana(point: &[f64]) -> f64 {
        let rest = point[1] - 0.5 * point[0] * point[0];
        -0.5 * point[0] * point[0] - 2.0 * rest * rest
    }

    /// Particles begin in the target; after many sweeps of one move they must still be in it.
    fn moments_after(kind: Kind, broken: bool) -> [f64; 4] {
        let count = 4_000;
        let mut stream = Stream::new(9, "test", 0);
        let mut values = Vec::new();
        for _ in 0..count {
            let x = stream.normal();
            values.extend([x, 0.5 * x * x + 0.5 * stream.normal()]);
        }
        let mut cloud = Cloud::new(2, values);
        let weights = vec![1.0 / count as f64; count];
        let whole = Ellipsoid::new(cloud.mean(&weights), &cloud.covariance(&weights));
        let mixture = Mixture::fit(&cloud, &weights, 1, 0);
        let mut accepted = 0;
        for sweep in 0..40 {
            for half in 0..2 {
                for i in (half..count).step_by(2) {
                    let mut stream = Stream::new(2, "test", (sweep * count + i) as u64);
                    let from = cloud.point(i).to_vec();
                    let mut to = [0.0; 2];
                    let around = Around { cloud: &cloud, offset: 1 - half, whole: &whole, mixture: &mixture };
                    let correction = kind.propose(&from, &around, 1.0, &mut stream, &mut to);
                    let correction = if broken { 0.0 } else { correction };
                    if libm::log(stream.uniform()) < banana(&to) - banana(&from) + correction {
                        cloud.set(i, &to);
                        accepted += 1;
                    }
                }
            }
        }
        assert!(accepted > 40 * count / 50, "{}: {accepted} accepted", kind.name());
        let (mean, covariance) = (cloud.mean(&weights), cloud.covariance(&weights));
        [mean[0], mean[1], covariance[0], covariance[3]]
    }

    fn off(moments: [f64; 4]) -> f64 {
        // Var y = Var(x^2) / 4 + 1/4 = 3/4. Standard errors of 4,000 draws: 0.016, 0.014, 0.022, 0.035.
        let wanted = [(0.0, 0.016), (0.5, 0.014), (1.0, 0.022), (0.75, 0.035)];
        moments.iter().zip(wanted).map(|(found, (value, error))| (found - value).abs() / error).fold(0.0, f64::max)
    }

    #[test]
    fn every_move_leaves_the_target_as_it_is() {
        for kind in Kind::ALL {
            let moments = moments_after(kind, false);
            assert!(off(moments) < 4.0, "{}: {moments:?}", kind.name());
        }
    }

    #[test]
    fn without_its_correction_a_move_does_not() {
        for kind in [Kind::Snooker, Kind::Independent] {
            let moments = moments_after(kind, true);
            assert!(off(moments) > 6.0, "{}: {moments:?}", kind.name());
        }
    }

    #[test]
    fn wanted_shares() {
        assert_eq!(wanted_acceptance(1), 0.44);
        assert!((wanted_acceptance(1_000) - 0.234).abs() < 1e-3);
    }
}
