//! Several lists of the same universe: capture histories with dependence between the lists.
//!
//! A buyer with latent visibility z ~ N(0, 1) is on list l with probability `logistic(a_l + t_lj + b_l z)`, independently
//! given z; the shared z is the dependence between lists (the Rasch-type model M_th of Darroch, Fienberg, Glonek & Junker
//! 1993), a_l ~ N(-1, 1.5), t_lj ~ N(0, s_t^2), s_t ~ LN(0.4, 0.5). The probability of a history h is the integral of the
//! product over z, by 15 Gauss-Hermite nodes.
//!
//! Whether the lists share anything at all is asked first: all b_l = 0 with probability 1/3, b_l ~ N+(0, 1) otherwise. Without
//! the first, lists that were made without regard to each other would be the edge of what is possible and the dark be put
//! too high; 1/3 is what `evidence/heterogeneity.rs` gives buyers that are equally easy to see.
//!
//! When one list is `customers.csv` itself, its level is the coverage effect phi_j of the fusion model, made conditional
//! on z by `phi_j sqrt(1 + pi b^2 / 8)`. Histories without it are dark: their counts are Poisson(L q pi_h / pi_dark), and
//! those on no list at all are Poisson(L q rho_0) with rho_0 = pi_0 / pi_dark. Histories with it are multinomial given
//! that they are ours. Without such a list all counts are Poisson(L pi_h), which speaks of the universe alone.
//!
//! With two lists the data cannot tell dependence from a small universe: both keep their prior, and the report says so.

use super::numeric::{GAUSS_HERMITE, NODES, logistic};
use super::observed::Observed;
use super::sizes::NormalPrior;

/// Lists beyond this many are folded away by the loader of the model: 2^6 histories are plenty.
const MOST_LISTS: usize = 6;

pub(super) const LEVEL: NormalPrior = NormalPrior::new(-1.0, 1.5);
/// Prior probability that the lists do not depend on each other.
pub(super) const INDEPENDENT: f64 = 1.0 / 3.0;
pub(super) const SPREAD: NormalPrior = NormalPrior::new(-0.916_290_731_874_155, 0.5); // log 0.4

/// The counts, ready for the likelihood.
#[derive(Debug, Clone)]
pub(super) struct CaptureData {
    pub lists: usize,
    pub own: Option<usize>,
    /// `[territory][history]`.
    pub counts: Vec<Option<Vec<f64>>>,
    /// Customers on a list but not ours, by territory.
    pub listed_dark: Vec<f64>,
}

/// Parameters of the lists.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct CaptureParameters {
    /// By list; that of the own list is not used.
    pub level: Vec<f64>,
    /// Whether they depend on each other.
    pub dependent: bool,
    /// By list, at least 0; not used where they do not.
    pub slope: Vec<f64>,
    pub log_spread: f64,
    /// `[territory][list]`.
    pub local: Vec<Vec<f64>>,
}

impl CaptureParameters {
    /// How strongly visibility acts on a list.
    fn slope(&self, l: usize) -> f64 {
        if self.dependent { self.slope[l] } else { 0.0 }
    }
}

/// The factor between the logit of a list's coverage and that given a visibility of 0, where visibility has this slope (the
/// logistic normal integral; Zeger, Liang & Albert 1988).
pub(super) fn conditional(slope: f64) -> f64 {
    (1.0 + std::f64::consts::PI / 8.0 * slope * slope).sqrt()
}

impl CaptureData {
    pub(super) fn new(observed: &Observed) -> Option<Self> {
        let captures = observed.captures.as_ref()?;
        let lists = captures.lists.len();
        if !(2..=MOST_LISTS).contains(&lists) || captures.counts.iter().all(Option::is_none) {
            return None;
        }
        let dark = |territory| captures.by_own_list(territory).map_or(0.0, |(dark, _)| dark);
        Some(Self {
            lists,
            own: captures.own,
            listed_dark: (0..captures.counts.len()).map(dark).collect(),
            counts: captures.counts.clone(),
        })
    }

    /// Starting values.
    pub(super) fn start(&self) -> CaptureParameters {
        CaptureParameters {
            level: vec![-1.0; self.lists],
            dependent: true,
            slope: vec![0.5; self.lists],
            log_spread: SPREAD.mean,
            local: vec![vec![0.0; self.lists]; self.counts.len()],
        }
    }

    /// Log likelihood of a territory's histories, and log rho_0. (0, 0) for a territory without lists.
    pub(super) fn log_likelihood(
        &self,
        j: usize,
        parameters: &CaptureParameters,
        alpha: f64,
        beta: f64,
        audited_dark: Option<f64>,
    ) -> (f64, f64) {
        let Some(counts) = &self.counts[j] else { return (0.0, 0.0) };
        let probabilities = self.histories(j, parameters, alpha - beta);
        let ours = |history: usize| self.own.is_some_and(|own| history >> own & 1 == 1);
        match self.own {
            None => {
                let universe = libm::exp(alpha) + libm::exp(beta);
                let log = counts.iter().zip(&probabilities).skip(1);
                (log.map(|(n, p)| n * libm::log((universe * p).max(1e-300)) - universe * p).sum(), 0.0)
            }
            Some(_) => {
                let sum = |of_ours: bool| -> f64 {
                    let chosen = probabilities.iter().enumerate().filter(|(history, _)| ours(*history) == of_ours);
                    chosen.map(|(_, p)| p).sum::<f64>().max(1e-300)
                };
                let (known, dark) = (sum(true), sum(false));
                let rate = libm::exp(beta);
                let mut log = 0.0;
                for (history, (&n, &p)) in counts.iter().zip(&probabilities).enumerate().skip(1) {
                    if ours(history) {
                        log += n * libm::log((p / known).max(1e-300));
                    } else {
                        let mean = rate * p / dark;
                        log += n * libm::log(mean.max(1e-300)) - mean;
                    }
                }
                let unlisted = libm::log((probabilities[0] / dark).max(1e-300));
                if let Some(dark) = audited_dark {
                    let left = (dark - self.listed_dark[j]).max(0.0);
                    log += left * (beta + unlisted) - libm::exp(beta + unlisted);
                }
                (log, unlisted)
            }
        }
    }

    /// Probability of each history in a territory.
    fn histories(&self, j: usize, parameters: &CaptureParameters, coverage: f64) -> Vec<f64> {
        // By history of the lists so far: the probability at each node, its weight included.
        let mut at_nodes = Vec::with_capacity(1 << self.lists);
        at_nodes.push(GAUSS_HERMITE.map(|(_, weight)| weight));
        for l in 0..self.lists {
            let slope = parameters.slope(l);
            let level = if self.own == Some(l) {
                coverage * conditional(slope)
            } else {
                parameters.level[l] + parameters.local[j][l]
            };
            let on: [f64; NODES] = std::array::from_fn(|node| logistic(level + slope * GAUSS_HERMITE[node].0));
            for history in 0..1 << l {
                let before: [f64; NODES] = at_nodes[history];
                at_nodes.push(std::array::from_fn(|node| before[node] * on[node]));
                at_nodes[history] = std::array::from_fn(|node| before[node] * (1.0 - on[node]));
            }
        }
        at_nodes.iter().map(|nodes| nodes.iter().sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::potential::observed::{ObservedCaptures, ObservedTerritory};

    #[test]
    fn histories_are_a_distribution_and_dependence_shows() {
        let observed = Observed {
            territories: vec![ObservedTerritory::default()],
            captures: Some(ObservedCaptures {
                lists: vec!["crm".into(), "chamber".into()],
                own: Some(0),
                counts: vec![Some(vec![0.0, 30.0, 20.0, 10.0])],
                by_segment: Vec::new(),
            }),
            ..Default::default()
        };
        let data = CaptureData::new(&observed).unwrap();
        assert_eq!(data.listed_dark, [20.0]);
        let mut parameters = data.start();
        parameters.level = vec![0.0, 0.0];
        parameters.slope = vec![0.0, 0.0];
        let independent = data.histories(0, &parameters, 0.0);
        assert!(independent.iter().all(|p| (p - 0.25).abs() < 1e-9));
        parameters.slope = vec![2.0, 2.0];
        let dependent = data.histories(0, &parameters, 0.0);
        assert!((dependent.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(dependent[3] > 0.3 && (dependent[1] - dependent[2]).abs() < 1e-9);
        parameters.dependent = false;
        assert_eq!(data.histories(0, &parameters, 0.0), independent);
    }
}
