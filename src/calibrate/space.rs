//! The response parameters as coordinates on the real line: which are free, and the way to and fro.

use nalgebra::DVector;

use crate::calibrate::curve;
use crate::calibrate::observed::Observed;
use crate::calibrate::priors::{self, Priors};
use crate::calibrate::response::Point;
use crate::calibrate::sampling::Source;
use crate::channel::Channel;
use crate::scenario::Prior;
use crate::simulate::mechanisms::goodwill::Goodwill;

/// One parameter of the response.
#[derive(Debug, Clone)]
pub struct Coordinate {
    /// Key of the prior: `goodwill` or `choice`, and the parameter.
    pub mechanism: &'static str,
    pub parameter: String,
    pub prior: Prior,
    meaning: Meaning,
    /// The data speak to it.
    pub in_data: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    Decay,
    HalfSaturation,
    Slope,
    Share,
    Taste,
    Liking,
    /// Log odds a contact.
    Effect(Channel),
    /// Elasticity at this many contacts a month.
    Elasticity(Channel, f64),
}

/// All parameters of the response, free ones first in `free`.
#[derive(Debug, Clone)]
pub struct Space {
    pub coordinates: Vec<Coordinate>,
    /// Positions in `coordinates` of those sampled against the data.
    pub free: Vec<usize>,
}

/// How the posterior of the free coordinates moves with what is cut from the likelihood, the share of wallet and the spread of tastes:
/// one after the other.
#[derive(Debug, Clone, Default)]
pub struct Drift {
    pub share: Nodes,
    pub taste: Nodes,
}

/// The mode at several values, straight in between, level beyond.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    /// (value on the real line, mode less the middle's), ascending; empty = no drift.
    pub nodes: Vec<(f64, DVector<f64>)>,
}

impl Nodes {
    /// Adds the move at a value on the real line.
    fn add_to(&self, at: &mut DVector<f64>, x: f64) {
        let (Some(first), Some(last)) = (self.nodes.first(), self.nodes.last()) else { return };
        let x = x.clamp(first.0, last.0);
        let above = self.nodes.partition_point(|node| node.0 < x).clamp(1, self.nodes.len() - 1);
        let (low, high) = (&self.nodes[above - 1], &self.nodes[above]);
        let part = (x - low.0) / (high.0 - low.0);
        *at += &low.1 * (1.0 - part) + &high.1 * part;
    }
}

/// Deviations of the prior at which the mode is looked for.
const NODES: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];

/// Log odds of a share.
pub fn log_odds(share: f64) -> f64 {
    let share = share.clamp(1e-6, 1.0 - 1e-6);
    libm::log(share / (1.0 - share))
}

impl Space {
    /// The parameters of a market's response: channels with contacts are free, the others keep their priors.
    pub fn new(observed: &Observed, priors: &Priors, share: Prior, taste: Prior) -> Self {
        let any = !observed.contacts.is_empty();
        let plain = |mechanism, parameter: &str, meaning, in_data| Coordinate {
            mechanism,
            parameter: parameter.to_owned(),
            prior: priors.prior(mechanism, parameter),
            meaning,
            in_data,
        };
        let mut coordinates = vec![
            plain("goodwill", "decay", Meaning::Decay, any),
            plain("goodwill", "half_saturation", Meaning::HalfSaturation, any),
            // Cut from the likelihood (Plummer 2015): only the curve of the logit would speak of it, and that curve is an
            // assumption. It keeps what the panel, universe counts or wallets.csv say.
            Coordinate { prior: share, ..plain("choice", "share_of_wallet", Meaning::Share, false) },
            Coordinate { prior: taste, ..plain("choice", "taste", Meaning::Taste, false) },
            plain("choice", "calls_follow_taste", Meaning::Liking, any),
        ];
        let slope = plain("goodwill", "slope", Meaning::Slope, any);
        if slope.prior != Prior::Fixed(1.0) {
            coordinates.push(slope);
        }
        for channel in Channel::ALL {
            let contacts = observed.contacts.iter().find(|contacts| contacts.channel == channel);
            let effect = priors::effect_name(channel);
            if channel == Channel::FaceToFace && !priors.of("goodwill", &effect).is_some_and(|(_, given)| given) {
                let at = contacts.map_or(1.0, |contacts| contacts.reference);
                let meaning = Meaning::Elasticity(channel, at);
                coordinates.push(plain("goodwill", "elasticity_face_to_face", meaning, contacts.is_some()));
            } else {
                let prior = priors.of("goodwill", &effect).map_or(Prior::Fixed(0.0), |(prior, _)| prior);
                let meaning = Meaning::Effect(channel);
                coordinates.push(Coordinate { prior, ..plain("goodwill", &effect, meaning, contacts.is_some()) });
            }
        }
        let free = (0..coordinates.len())
            .filter(|&k| coordinates[k].in_data && !matches!(coordinates[k].prior, Prior::Fixed(_)))
            .collect();
        Self { coordinates, free }
    }

    /// Values on the real line at the centre of the priors, of the free coordinates.
    pub fn start(&self) -> DVector<f64> {
        self.vector(|coordinate| {
            let mean = priors::moments(coordinate.prior).0;
            priors::unconstrain(coordinate.prior, mean)
        })
    }

    /// Prior deviations on the real line, of the free coordinates.
    pub fn widths(&self) -> Vec<f64> {
        let width = |coordinate: &Coordinate| match coordinate.prior {
            Prior::Lognormal { sd, .. } | Prior::Normal { sd, .. } => sd,
            Prior::Beta { a, b } => (1.0 / a + 1.0 / b).sqrt(),
            Prior::Uniform { .. } => 1.8,
            Prior::Fixed(_) => 1.0,
        };
        self.free.iter().map(|&k| width(&self.coordinates[k])).collect()
    }

    fn vector(&self, of: impl Fn(&Coordinate) -> f64) -> DVector<f64> {
        DVector::from_iterator(self.free.len(), self.free.iter().map(|&k| of(&self.coordinates[k])))
    }

    /// Log prior density of the free coordinates.
    pub fn log_prior(&self, x: &DVector<f64>) -> f64 {
        self.free.iter().zip(x.iter()).map(|(&k, &x)| priors::log_density(self.coordinates[k].prior, x)).sum()
    }

    /// The values of all coordinates: the free ones from `x`, the others as given.
    fn values(&self, x: &DVector<f64>, others: impl FnMut(&Coordinate) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> = self.coordinates.iter().map(others).collect();
        for (&k, &x) in self.free.iter().zip(x.iter()) {
            values[k] = priors::constrain(self.coordinates[k].prior, x);
        }
        values
    }

    /// The model at a point of the free coordinates; channels without contacts do nothing.
    pub fn point(&self, x: &DVector<f64>) -> Point {
        let values = self.values(x, |coordinate| match coordinate.prior {
            Prior::Fixed(value) => value,
            prior if coordinate.in_data => priors::moments(prior).0,
            prior => match coordinate.meaning {
                Meaning::Effect(_) | Meaning::Elasticity(..) => 0.0,
                _ => priors::moments(prior).0,
            },
        });
        self.assemble(&values)
    }

    /// As [`Space::point`], every coordinate without data drawn from its prior and the free ones moved along with the drawn
    /// share of wallet and spread of tastes. Also gives all the values.
    pub fn draw(&self, x: &DVector<f64>, drift: &Drift, source: &mut Source) -> (Point, Vec<f64>) {
        let others: Vec<f64> =
            self.coordinates.iter().map(|coordinate| priors::draw(coordinate.prior, source)).collect();
        let mut moved = x.clone();
        for (coordinate, &value) in self.coordinates.iter().zip(&others) {
            match coordinate.meaning {
                Meaning::Share => drift.share.add_to(&mut moved, log_odds(value)),
                Meaning::Taste => drift.taste.add_to(&mut moved, libm::log(value.max(1e-9))),
                _ => {}
            }
        }
        let mut given = others.iter();
        let values = self.values(&moved, |_| given.next().copied().unwrap_or_default());
        (self.assemble(&values), values)
    }

    /// The same at a share of wallet.
    pub fn at_share(&self, share: f64) -> Self {
        self.at(Meaning::Share, share)
    }

    /// The same at a spread of tastes.
    pub fn at_taste(&self, taste: f64) -> Self {
        self.at(Meaning::Taste, taste)
    }

    fn at(&self, meaning: Meaning, value: f64) -> Self {
        let mut space = self.clone();
        for coordinate in space.coordinates.iter_mut().filter(|coordinate| coordinate.meaning == meaning) {
            coordinate.prior = Prior::Fixed(value);
        }
        space
    }

    fn prior_of(&self, meaning: Meaning, otherwise: f64) -> Prior {
        let found = self.coordinates.iter().find(|coordinate| coordinate.meaning == meaning);
        found.map_or(Prior::Fixed(otherwise), |coordinate| coordinate.prior)
    }

    /// Shares of wallet from low to high under the prior, the middle one being that of [`Space::point`].
    pub fn shares(&self) -> [f64; 5] {
        let (mean, sd) = priors::moments(self.prior_of(Meaning::Share, 0.5));
        let inside = |share: f64| share.clamp(0.1 * mean, mean + 0.9 * (1.0 - mean)).clamp(1e-4, 0.98);
        NODES.map(|z| if z == 0.0 { mean } else { inside(mean + z * sd) })
    }

    /// The same of the spread of tastes.
    pub fn tastes(&self) -> [f64; 5] {
        let (mean, sd) = priors::moments(self.prior_of(Meaning::Taste, 0.0));
        NODES.map(|z| (mean + z * sd).max((0.3 + 0.1 * z) * mean))
    }

    /// A wholly prior draw's values.
    pub fn prior_draw(&self, source: &mut Source) -> (Point, Vec<f64>) {
        let values: Vec<f64> = self.coordinates.iter().map(|c| priors::draw(c.prior, source)).collect();
        (self.assemble(&values), values)
    }

    /// A prior draw of the free coordinates, on the real line.
    pub fn prior_coordinates(&self, source: &mut Source) -> DVector<f64> {
        let drawn: Vec<f64> = self
            .free
            .iter()
            .map(|&k| {
                let prior = self.coordinates[k].prior;
                priors::unconstrain(prior, priors::draw(prior, source))
            })
            .collect();
        DVector::from_vec(drawn)
    }

    fn assemble(&self, values: &[f64]) -> Point {
        let mut goodwill = Goodwill { decay: 0.0, effect: [0.0; Channel::COUNT], half_saturation: 1.0, slope: 1.0 };
        let (mut share, mut taste, mut liking) = (0.5, 0.0, 0.0);
        for (coordinate, &value) in self.coordinates.iter().zip(values) {
            match coordinate.meaning {
                Meaning::Decay => goodwill.decay = value.clamp(0.0, 0.995),
                Meaning::HalfSaturation => goodwill.half_saturation = value.clamp(0.05, 1e3),
                Meaning::Slope => goodwill.slope = value.clamp(0.1, 10.0),
                Meaning::Share => share = value.clamp(1e-4, 0.999),
                Meaning::Taste => taste = value.clamp(0.0, 3.0),
                Meaning::Liking => liking = value.clamp(-3.0, 3.0),
                Meaning::Effect(_) | Meaning::Elasticity(..) => {}
            }
        }
        let room = curve::room(share, taste);
        for (coordinate, &value) in self.coordinates.iter().zip(values) {
            match coordinate.meaning {
                Meaning::Effect(channel) => goodwill.effect[channel.index()] = value,
                Meaning::Elasticity(channel, at) => {
                    goodwill.effect[channel.index()] = value / priors::elasticity_per_effect(&goodwill, at, room);
                }
                _ => {}
            }
        }
        Point { goodwill, share, taste, liking, lead: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_move_along_the_nodes_and_no_further() {
        let of = |x: f64, moved: f64| (x, DVector::from_vec(vec![moved]));
        let nodes = Nodes { nodes: vec![of(-2.0, 3.0), of(-1.0, 1.0), of(0.0, 0.0), of(2.0, -4.0)] };
        let at = |x: f64| {
            let mut point = DVector::from_vec(vec![10.0]);
            nodes.add_to(&mut point, x);
            point[0]
        };
        assert_eq!([-9.0, -2.0, -1.5, -1.0, 0.0, 1.0, 2.0, 9.0].map(at), [13.0, 13.0, 12.0, 11.0, 10.0, 8.0, 6.0, 6.0]);
        let mut still = DVector::from_vec(vec![10.0]);
        Nodes::default().add_to(&mut still, 1.0);
        assert_eq!(still[0], 10.0);
    }
}
