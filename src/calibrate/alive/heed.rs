//! Hazards once it is known what our contacts do.
//!
//! [`super::Alive::fit`] shares tables among all customers, so it knows everybody's level of a month and nothing of whom we contacted.
//! With ℓ the log likelihood of customers' orders and ℓ' that which heeds contacts ([`super::pace`]), the posterior becomes
//! `log p(x) + D(x)`, `D = ℓ' - ℓ`; with `log p` the normal of mode m and covariance C, its mode is the fixed point of
//!
//! `x = m + C ∇D(x)`
//!
//! (one step is taken from where the last left off), and the draws move with it. D is small: contacts come and go around what is
//! usual of a customer. (Contacts that stop because a customer has closed must be in ℓ and ℓ' alike: with them left out, what stops would
//! explain the silence, and closings would come out too rare.)

use nalgebra::DVector;
use rayon::prelude::*;

use super::pace::PaceOf;
use super::states::Chances;
use super::table::{NODES, node};
use super::{Alive, Laplace, Past, Silences, integrate, of_silences};

/// Nodes of which a customer's orders leave less than this are left out.
const HARDLY: f64 = 1e-7;

/// Most deviations that the mode moves by in one step.
const FURTHEST: f64 = 3.0;

impl Alive {
    /// Heeds what contacts do to orders: `response`, `[customer * months + month]`, of a mean of 1 in the months in which a customer was
    /// ours. `pasts` as given to [`Alive::fit`].
    pub fn heed(&mut self, pasts: &[Past], response: Vec<f32>) {
        self.pace.heed(response);
        let laplace = &self.laplace;
        let n = laplace.at.len();
        let sd: Vec<f64> = (0..n).map(|k| laplace.covariance[(k, k)].max(0.0).sqrt()).collect();
        let steps: Vec<(usize, f64)> = (0..n).flat_map(|k| [(k, 0.5 * sd[k]), (k, -0.5 * sd[k])]).collect();
        let around: Vec<([f64; NODES], Chances)> = steps
            .iter()
            .map(|&(k, step)| {
                let mut x = laplace.at.clone();
                x[k] += step;
                let (weights, hazards) = laplace.priors.unpack(&x);
                (weights, Chances::of(hazards, laplace.priors.marked))
            })
            .collect();
        let all: Vec<usize> = (0..NODES).collect();
        let parts: Vec<Vec<f64>> = pasts
            .par_iter()
            .enumerate()
            .filter_map(|(customer, past)| {
                let silences = past.silences.as_ref()?;
                let contacts = past.contacts_at_the_end();
                let pace = self.pace.of(customer);
                let here = [(self.weights, self.chances)];
                let seen = by_node(silences, &contacts, pace.blind(), &here, &all);
                let (_, believed) = integrate(seen[0], &self.weights);
                let nodes: Vec<usize> = (0..NODES).filter(|&k| believed[k] > HARDLY).collect();
                let log_likelihoods = |pace: PaceOf<'_>| {
                    let logs = by_node(silences, &contacts, pace, &around, &nodes);
                    logs.into_iter().zip(&around).map(|(logs, (weights, _))| integrate(logs, weights).0)
                };
                let (heeding, blind) = (log_likelihoods(pace), log_likelihoods(pace.blind()));
                Some(heeding.zip(blind).map(|(a, b)| a - b).collect())
            })
            .collect();
        let gain = |at: usize| parts.iter().map(|part| part[at]).sum::<f64>();
        let gradient = DVector::from_iterator(n, (0..n).map(|k| (gain(2 * k) - gain(2 * k + 1)) / sd[k].max(1e-12)));
        let goal = &laplace.mode + &laplace.covariance * gradient;
        let mut step = &goal - &laplace.at;
        let furthest = (0..n).map(|k| step[k].abs() / (FURTHEST * sd[k].max(1e-12))).fold(1.0, f64::max);
        step /= furthest;
        if !step.iter().all(|step| step.is_finite()) {
            return;
        }
        let at = &laplace.at + &step;
        let draws = self.draws.iter().map(|draw| draw + &step).collect();
        let laplace = Laplace { at, ..laplace.clone() };
        *self = Self::of(laplace, draws, self.efficiency, std::mem::take(&mut self.pace));
    }
}

/// Log likelihood of a customer's months after its first order at each of these points, by node; minus infinity at nodes that are left out.
fn by_node(
    silences: &Silences,
    contacts: &[(f64, f64)],
    pace: PaceOf<'_>,
    around: &[([f64; NODES], Chances)],
    nodes: &[usize],
) -> Vec<[f64; NODES]> {
    let (from, months) = (silences.first() + 1, silences.open_from() + silences.open());
    let mut none = vec![0.0; months];
    let mut logs = vec![[f64::NEG_INFINITY; NODES]; around.len()];
    for &k in nodes {
        for (month, none) in none.iter_mut().enumerate().skip(from) {
            *none = libm::exp(-node(k) * pace.at(month));
        }
        for (logs, (_, chances)) in logs.iter_mut().zip(around) {
            logs[k] = of_silences(silences, contacts, *chances, |month| none[month]).0;
        }
    }
    logs
}
