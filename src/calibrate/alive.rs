//! Who still buys from us: silence measured against a customer's own rhythm of ordering.
//!
//! The agents' own coin tosses (`simulate::mechanisms::transition`), summed out: a customer is served or lapsed; a served
//! one orders in a month with its own probability p ~ Beta(a, b) and lapses at the month's end with 1 - exp(-churn); a
//! lapsed one is silent and comes back with 1 - exp(-conversion). An order shows that the customer is served, so a
//! history falls apart into the silences between orders: with `v_g = (served, lapsed)` the joint probability of state
//! and g silent months after an order,
//!
//! `v_0 = (1 - δ, δ)`, `v_{g+1} = (v_s (1 - p)(1 - δ) + v_l γ, v_s (1 - p) δ + v_l (1 - γ))`,
//!
//! a silence of g months closed by an order has probability `p v_g,s`, an open one `v_g,s + v_g,l`. The likelihood of a
//! customer is the product, integrated over p on a fixed grid. (A hidden Markov version of the beta-Bernoulli models of
//! Fader, Hardie & Shang 2010, which know no way back.) The first order is not counted: it is how the customer got
//! into the data. Customers that waited between `first_known` and their first order add their waiting to what is known of
//! conversion.

use std::collections::BTreeMap;

use nalgebra::DVector;
use rayon::prelude::*;

use crate::calibrate::laplace;
use crate::calibrate::priors;
use crate::calibrate::sampling::Source;
use crate::scenario::Prior;

/// Nodes of the grid over p.
const NODES: usize = 28;

/// The silences of one customer after its first order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Silences {
    /// (months without orders, how often), between orders; ascending.
    pub closed: Vec<(u16, u16)>,
    /// Months without orders from the last one to the end of the watch (closing, or the end of the history).
    pub open: u16,
}

impl Silences {
    /// From the months with orders, ascending, and the first month after the watch. `None` without an order.
    pub fn of(orders: &[usize], end: usize) -> Option<Self> {
        let last = *orders.last()?;
        let mut closed: BTreeMap<u16, u16> = BTreeMap::new();
        for pair in orders.windows(2) {
            *closed.entry((pair[1] - pair[0] - 1) as u16).or_insert(0) += 1;
        }
        Some(Self { closed: closed.into_iter().collect(), open: end.saturating_sub(last + 1) as u16 })
    }

    fn longest(&self) -> usize {
        usize::from(self.closed.last().map_or(0, |(gap, _)| *gap).max(self.open))
    }
}

/// Waiting seen between becoming known and the first order.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Waiting {
    pub won: f64,
    /// Customer-months.
    pub waited: f64,
}

/// Priors of the two hazards.
#[derive(Debug, Clone, Copy)]
pub struct HazardPriors {
    pub churn: Prior,
    pub conversion: Prior,
}

/// The fitted model.
#[derive(Debug, Clone)]
pub struct Alive {
    /// Hazards a month at the mode.
    pub churn: f64,
    pub conversion: f64,
    pub churn_draws: Vec<f64>,
    pub conversion_draws: Vec<f64>,
    /// Share of the candidates that the draws amount to.
    pub efficiency: f64,
    /// Log probabilities of silences by node, at the mode.
    table: Table,
    weights: [f64; NODES],
}

/// Log probabilities of silences.
#[derive(Debug, Clone)]
struct Table {
    /// `[gap * NODES + node]`: closed by an order.
    closed: Vec<f64>,
    /// The same: still open.
    open: Vec<f64>,
    /// Served share at the end of an open silence.
    served: Vec<f64>,
}

/// Probability of an order in a month, at a node: even steps of log odds from .4% to 99.97%.
fn node(k: usize) -> f64 {
    let x = -5.5 + 13.5 * k as f64 / (NODES - 1) as f64;
    1.0 / (1.0 + libm::exp(-x))
}

/// Weights of the nodes under Beta(a, b), adding up to 1.
fn node_weights(a: f64, b: f64) -> [f64; NODES] {
    // On the log odds' line the density is p^a (1 - p)^b.
    let log: [f64; NODES] = std::array::from_fn(|k| a * libm::log(node(k)) + b * libm::log(1.0 - node(k)));
    let highest = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights = log.map(|l| libm::exp(l - highest));
    let total: f64 = weights.iter().sum();
    weights.map(|w| w / total)
}

fn chance(hazard: f64) -> f64 {
    -libm::expm1(-hazard)
}

impl Table {
    fn new(churn: f64, conversion: f64, longest: usize) -> Self {
        let (leave, back) = (chance(churn), chance(conversion));
        let size = (longest + 1) * NODES;
        let mut out = Self { closed: vec![0.0; size], open: vec![0.0; size], served: vec![0.0; size] };
        for k in 0..NODES {
            let p = node(k);
            let (mut served, mut lapsed) = (1.0 - leave, leave);
            for gap in 0..=longest {
                out.closed[gap * NODES + k] = libm::log(p * served);
                out.open[gap * NODES + k] = libm::log(served + lapsed);
                out.served[gap * NODES + k] = served / (served + lapsed);
                let quiet = served * (1.0 - p);
                (served, lapsed) = (quiet * (1.0 - leave) + lapsed * back, quiet * leave + lapsed * (1.0 - back));
            }
        }
        out
    }

    /// Log likelihood of a customer's silences at every node.
    fn by_node(&self, silences: &Silences) -> [f64; NODES] {
        let mut out = [0.0; NODES];
        for &(gap, count) in &silences.closed {
            let row = &self.closed[usize::from(gap) * NODES..][..NODES];
            for (sum, log) in out.iter_mut().zip(row) {
                *sum += f64::from(count) * log;
            }
        }
        let row = &self.open[usize::from(silences.open) * NODES..][..NODES];
        for (sum, log) in out.iter_mut().zip(row) {
            *sum += log;
        }
        out
    }
}

/// `log sum weights exp(logs)`, and the posterior weights.
fn integrate(logs: [f64; NODES], weights: &[f64; NODES]) -> (f64, [f64; NODES]) {
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut posterior = [0.0; NODES];
    for k in 0..NODES {
        posterior[k] = weights[k] * libm::exp(logs[k] - highest);
    }
    let total: f64 = posterior.iter().sum();
    (highest + libm::log(total), posterior.map(|w| w / total))
}

/// Log likelihood of all customers.
fn log_likelihood(silences: &[Silences], a: f64, b: f64, churn: f64, conversion: f64) -> f64 {
    let longest = silences.iter().map(Silences::longest).max().unwrap_or(0);
    let table = Table::new(churn, conversion, longest);
    let weights = node_weights(a, b);
    let parts: Vec<f64> = silences
        .par_chunks(512)
        .map(|chunk| chunk.iter().map(|silences| integrate(table.by_node(silences), &weights).0).sum())
        .collect();
    parts.iter().sum()
}

impl Alive {
    /// Fits the model with `draws` draws of the hazards. Without customers the hazards are their priors.
    pub fn fit(
        silences: &[Silences],
        waiting: Option<Waiting>,
        priors: HazardPriors,
        draws: usize,
        source: &mut Source,
    ) -> Self {
        let unpack = |x: &DVector<f64>| {
            let p = 1.0 / (1.0 + libm::exp(-x[0].clamp(-9.0, 9.0)));
            let size = libm::exp(x[1].clamp(-4.0, 6.0));
            let churn = priors::constrain(priors.churn, x[2]).clamp(1e-7, 2.0);
            let conversion = priors::constrain(priors.conversion, x[3]).clamp(1e-7, 2.0);
            (p * size, (1.0 - p) * size, churn, conversion)
        };
        let density = |x: &DVector<f64>| {
            let (a, b, churn, conversion) = unpack(x);
            // a + b ~ LN(log 3, 1): customers differ a lot in every published data set.
            let size = x[1] - libm::log(3.0);
            let hyper = -0.5 * (x[0] / 2.0) * (x[0] / 2.0) - 0.5 * size * size;
            let data = if silences.is_empty() { 0.0 } else { log_likelihood(silences, a, b, churn, conversion) };
            let waited = waiting.map_or(0.0, |w| w.won * libm::log(conversion) - w.waited * conversion);
            data + waited
                + hyper
                + priors::log_density(priors.churn, x[2])
                + priors::log_density(priors.conversion, x[3])
        };
        let centre = |prior| priors::unconstrain(prior, priors::moments(prior).0);
        // Months with orders among the months between first and last order: most of those were served.
        let (mut orders, mut quiet) = (1.0, 1.0);
        for (gap, count) in silences.iter().flat_map(|silences| &silences.closed) {
            orders += f64::from(*count);
            quiet += f64::from(*count) * f64::from(*gap);
        }
        let often = libm::log(orders / quiet);
        let start = DVector::from_vec(vec![often, libm::log(3.0), centre(priors.churn), centre(priors.conversion)]);
        let n = (silences.len() as f64).max(1.0).sqrt();
        let scale = [2.0 / n + 0.01, 1.0 / n + 0.02, 2.0 / n + 0.03, 2.0 / n + 0.05].map(|s: f64| s.min(0.8));
        // Twice: the second search starts at the first one's mode and steps by its deviations, so that the curvature is taken
        // where and as wide as the posterior is.
        let rough = laplace::mode(&density, start, &scale);
        let widths: Vec<f64> = (0..scale.len()).map(|k| rough.covariance[(k, k)].sqrt().clamp(1e-4, 1.0)).collect();
        let mode = laplace::mode(&density, rough.at, &widths);
        let sample = laplace::sample(&density, &mode, draws, draws.max(200), source);
        let (a, b, churn, conversion) = unpack(&mode.at);
        let longest = silences.iter().map(Silences::longest).max().unwrap_or(0);
        Self {
            churn,
            conversion,
            churn_draws: sample.draws.iter().map(|x| unpack(x).2).collect(),
            conversion_draws: sample.draws.iter().map(|x| unpack(x).3).collect(),
            efficiency: sample.efficiency,
            table: Table::new(churn, conversion, longest),
            weights: node_weights(a, b),
        }
    }

    /// Probability that a customer is still served at the end of its watch.
    pub fn still_served(&self, silences: &Silences) -> f64 {
        let (_, posterior) = integrate(self.table.by_node(silences), &self.weights);
        let row = &self.table.served[usize::from(silences.open) * NODES..][..NODES];
        posterior.iter().zip(row).map(|(w, served)| w * served).sum::<f64>().clamp(0.0, 1.0)
    }

    /// A customer's probability of an order in a month in which it is served.
    pub fn order_probability(&self, silences: &Silences) -> f64 {
        let (_, posterior) = integrate(self.table.by_node(silences), &self.weights);
        posterior.iter().enumerate().map(|(k, w)| w * node(k)).sum()
    }

    /// Probability that a customer was served in each of the months of a silence after an order. `closed`: an order ended
    /// it. `p`: the customer's probability of an order.
    pub fn served_during(&self, months: usize, closed: bool, p: f64) -> Vec<f64> {
        let (leave, back) = (chance(self.churn), chance(self.conversion));
        // Backward: probability of what follows, given the state at the start of each month.
        let mut after = vec![(1.0, 1.0); months + 1];
        if closed {
            after[months] = (p, 0.0);
        }
        for k in (0..months).rev() {
            let (served, lapsed) = after[k + 1];
            after[k] = ((1.0 - p) * ((1.0 - leave) * served + leave * lapsed), back * served + (1.0 - back) * lapsed);
        }
        let (mut served, mut lapsed) = (1.0 - leave, leave);
        let mut out = Vec::with_capacity(months);
        for &(then_served, then_lapsed) in &after[..months] {
            let here = served * then_served;
            let total = here + lapsed * then_lapsed;
            out.push(if total > 0.0 { (here / total).clamp(0.0, 1.0) } else { 1.0 });
            let quiet = served * (1.0 - p);
            (served, lapsed) = (quiet * (1.0 - leave) + lapsed * back, quiet * leave + lapsed * (1.0 - back));
            // Only the ratio matters; keep it away from underflow.
            let scale = 1.0 / (served + lapsed).max(1e-300);
            (served, lapsed) = (served * scale, lapsed * scale);
        }
        out
    }

    /// Probability that a customer was already served in each month before its first order, and in that month itself not
    /// through being won just then.
    ///
    /// `silent` months lie between the time since which we know the customer and its first order; `from_start`: it was
    /// known before the history began, so it may have bought all along.
    pub fn served_before(&self, p: f64, silent: usize, from_start: bool) -> Vec<f64> {
        let quiet = 1.0 - p;
        let won = chance(self.conversion);
        let all_along = if from_start { 0.5 } else { 0.0 };
        // Entry s + 1: won at the start of month s, then silent until the first order in month `silent`.
        let mut weights = vec![all_along * libm::pow(quiet, silent as f64)];
        for s in 0..=silent {
            let waited = libm::pow(1.0 - won, s as f64) * won;
            weights.push((1.0 - all_along) * waited * libm::pow(quiet, (silent - s) as f64));
        }
        let total: f64 = weights.iter().sum();
        let mut sum = weights[0];
        let mut out = Vec::with_capacity(silent + 1);
        for s in 0..=silent {
            // Those won strictly before month s: the month in which one is won is no free observation.
            out.push(if total > 0.0 { (sum / total).clamp(0.0, 1.0) } else { 0.0 });
            sum += weights[s + 1];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;
    use crate::stats::mean_sd;

    const PRIORS: HazardPriors = HazardPriors {
        churn: Prior::Lognormal { median: 0.008, sd: 0.8 },
        conversion: Prior::Lognormal { median: 0.04, sd: 0.7 },
    };

    /// Customers that order with their own probability, lapse and come back.
    fn customers(n: usize, a: f64, b: f64, churn: f64, back: f64, months: usize) -> (Vec<Silences>, Vec<bool>) {
        let mut source = Source::new(5, Purpose::Alive, 0);
        let mut out = (Vec::new(), Vec::new());
        while out.0.len() < n {
            let p = source.beta(a, b);
            let (mut served, mut orders) = (true, Vec::new());
            for t in 0..months {
                if served && source.uniform() < p {
                    orders.push(t);
                }
                let moves = source.uniform() < chance(if served { churn } else { back });
                served ^= moves;
            }
            if let Some(silences) = Silences::of(&orders, months) {
                out.0.push(silences);
                out.1.push(served);
            }
        }
        out
    }

    #[test]
    fn the_likelihood_sums_over_all_hidden_paths() {
        // Orders in months 0, 1 and 5 of 8, one node at a time: every path of states by brute force.
        let silences = Silences::of(&[0, 1, 5], 8).unwrap();
        assert_eq!(silences, Silences { closed: vec![(0, 1), (3, 1)], open: 2 });
        let (churn, conversion) = (0.2, 0.3);
        let logs = Table::new(churn, conversion, 3).by_node(&silences);
        let (leave, back) = (chance(churn), chance(conversion));
        for k in [3, 10, 16] {
            let p = node(k);
            let mut sum = 0.0;
            for path in 0..1_u32 << 7 {
                // Bit t: served in month t + 1. Month 0 is served.
                let served = |t: usize| t == 0 || path >> (t - 1) & 1 == 1;
                let mut product = 1.0;
                for t in 1..8 {
                    product *= match (served(t - 1), served(t)) {
                        (true, true) => 1.0 - leave,
                        (true, false) => leave,
                        (false, true) => back,
                        (false, false) => 1.0 - back,
                    };
                    let ordered = t == 1 || t == 5;
                    product *= match (served(t), ordered) {
                        (true, true) => p,
                        (true, false) => 1.0 - p,
                        (false, true) => 0.0,
                        (false, false) => 1.0,
                    };
                }
                sum += product;
            }
            assert!((logs[k] - libm::log(sum)).abs() < 1e-12);
        }
    }

    #[test]
    fn hazards_come_back_and_silence_is_read_right() {
        let (silences, served) = customers(3000, 1.5, 2.0, 0.015, 0.03, 72);
        let fit = Alive::fit(&silences, None, PRIORS, 400, &mut Source::new(1, Purpose::Alive, 1));
        let (churn, sd) = mean_sd(&fit.churn_draws);
        assert!((churn - 0.015).abs() < 3.5 * sd && sd < 0.002, "churn {churn} ± {sd}");
        let (conversion, sd) = mean_sd(&fit.conversion_draws);
        assert!((conversion - 0.03).abs() < 3.5 * sd && sd < 0.006, "conversion {conversion} ± {sd}");
        let expected: f64 = silences.iter().map(|s| fit.still_served(s)).sum();
        let truth = served.iter().filter(|&&s| s).count() as f64;
        assert!((expected / truth - 1.0).abs() < 0.04, "{expected} of {truth}");
    }

    #[test]
    fn many_customers_that_order_nearly_every_month() {
        // Posterior deviations of a few thousandths, far from where the search begins.
        let (silences, _) = customers(8000, 20.0, 0.6, 0.006, 0.03, 48);
        let fit = Alive::fit(&silences, None, PRIORS, 200, &mut Source::new(1, Purpose::Alive, 1));
        let (churn, sd) = mean_sd(&fit.churn_draws);
        assert!((churn - 0.006).abs() < 4.0 * sd && sd > 0.00005 && sd < 0.0005, "churn {churn} ± {sd}");
        assert!(fit.efficiency > 0.3, "{}", fit.efficiency);
    }

    #[test]
    fn a_slow_customer_is_given_more_time() {
        let (silences, _) = customers(500, 1.5, 2.0, 0.015, 0.03, 72);
        let fit = Alive::fit(&silences, None, PRIORS, 50, &mut Source::new(1, Purpose::Alive, 1));
        let fast = Silences { closed: vec![(0, 40)], open: 8 };
        let slow = Silences { closed: vec![(9, 4)], open: 8 };
        assert!(fit.still_served(&fast) < 0.3 && fit.still_served(&slow) > 0.7);
        // In the middle of a long silence it was probably lapsed, at its ends not.
        let during = fit.served_during(20, true, 0.7);
        assert!(during[0] > during[10] && during[19] > during[10] && during[10] < 0.1, "{during:?}");
        assert!(fit.served_during(2, true, 0.2)[0] > 0.9);
    }

    #[test]
    fn nobody_means_the_prior() {
        let fit = Alive::fit(&[], None, PRIORS, 2000, &mut Source::new(1, Purpose::Alive, 1));
        let mut draws = fit.churn_draws;
        draws.sort_unstable_by(f64::total_cmp);
        assert!((draws[1000] / 0.008 - 1.0).abs() < 0.15, "{}", draws[1000]);
    }

    #[test]
    fn waiting_speaks_of_conversion() {
        let waiting = Some(Waiting { won: 200.0, waited: 20_000.0 });
        let fit = Alive::fit(&[], waiting, PRIORS, 400, &mut Source::new(1, Purpose::Alive, 1));
        let (mean, sd) = mean_sd(&fit.conversion_draws);
        assert!((mean - 0.01).abs() < 3.0 * sd && sd < 0.001, "{mean} ± {sd}");
    }

    #[test]
    fn before_the_first_order() {
        let fit = Alive::fit(&[], None, PRIORS, 20, &mut Source::new(1, Purpose::Alive, 1));
        // Orders nearly every month: ten silent months before the first order mean that it was won only then.
        let fast = fit.served_before(0.9, 10, true);
        assert!(fast[0] < 0.01 && fast.len() == 11);
        // Known since the month of its first order: no free observation.
        assert_eq!(fit.served_before(0.4, 0, false), vec![0.0]);
        assert!(fit.served_before(0.4, 0, true)[0] > 0.9);
    }
}
