//! Who still buys from us: silence measured against a customer's own rhythm of ordering.
//!
//! The agents' own coin tosses (`simulate::mechanisms::transition`), summed out: a customer is served or lapsed; a served
//! one orders in a month with its own probability p ~ Beta(a, b) and lapses at the month's end with δ = 1 - exp(-churn); a
//! lapsed one is silent and comes back with γ = 1 - exp(-conversion); and either closes for good with ω = 1 - exp(-closing)
//! without a mark in our files. An order shows that the customer is served, so a history falls apart into the silences
//! between orders: with `v_g = (served, lapsed, gone)` the joint probability of state and g silent months after an order,
//!
//! `v_0 = ((1 - ω)(1 - δ), (1 - ω) δ, ω)`,
//! `v_{g+1} = ((1 - ω)(q (1 - δ) + v_l γ), (1 - ω)(q δ + v_l (1 - γ)), v_c + ω (q + v_l))`, `q = v_s (1 - p)`,
//!
//! a silence of g months closed by an order has probability `p v_g,s`, one ended by a closing that is marked
//! `v_g,s + v_g,l`, and an open one `v_g,s + v_g,l + v_g,c`. The likelihood of a customer is the product, integrated over p on
//! a fixed grid. (A hidden Markov version of the beta-Bernoulli models of Fader, Hardie & Shang 2010, which know no way
//! back.) A customer that we knew before its first order begins lapsed, `v = (0, 1, 0)`, in the month after that in which it
//! became known: how long it waited, or waits still, speaks of conversion. The first order of any other is not counted: it is how
//! the customer got into the data.
//!
//! Closings that are marked, c a customer-month, are a part of all: given that these are no rarer than c, what is left
//! without a mark is closing = all - c, all being closure's prior. Silence tells it from lapsing only in that nobody comes back, so
//! the prior matters; without it closed customers are taken for lapsed ones who are never won back.

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
    /// Months without orders from the last one to the end of the watch (a closing that is marked, or the end of the history).
    pub open: u16,
    /// The watch ended with a closing that is marked.
    pub closing: bool,
}

/// The time from when we knew a customer to its first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// From the first month in which it could be won to that of its first order, or to the end of the watch.
    pub months: u16,
    pub end: End,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Ordered,
    /// With a closing that is marked.
    Closed,
    /// It has not.
    Waits,
}

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    pub waiting: Option<Waiting>,
    /// `None` without an order.
    pub silences: Option<Silences>,
}

impl Silences {
    /// From the months with orders, ascending, the first month after the watch, and whether a closing ended that. `None`
    /// without an order.
    pub fn of(orders: &[usize], end: usize, closing: bool) -> Option<Self> {
        let last = *orders.last()?;
        let mut closed: BTreeMap<u16, u16> = BTreeMap::new();
        for pair in orders.windows(2) {
            *closed.entry((pair[1] - pair[0] - 1) as u16).or_insert(0) += 1;
        }
        Some(Self { closed: closed.into_iter().collect(), open: end.saturating_sub(last + 1) as u16, closing })
    }

    fn longest(&self) -> usize {
        usize::from(self.closed.last().map_or(0, |(gap, _)| *gap).max(self.open))
    }
}

/// Priors of the hazards.
#[derive(Debug, Clone, Copy)]
pub struct HazardPriors {
    pub churn: Prior,
    pub conversion: Prior,
    /// Of closing, marked or not.
    pub closure: Prior,
    /// Closings a customer-month that are marked.
    pub marked: f64,
}

impl HazardPriors {
    /// The hazard of closing without a mark from a number on the whole line, and the log prior density there.
    fn unmarked(&self, x: f64) -> (f64, f64) {
        if let Prior::Fixed(all) = self.closure {
            return ((all - self.marked).max(0.0), -0.5 * x * x);
        }
        let hazard = libm::exp(x.clamp(-16.0, 0.0));
        // d log(all) / d log(unmarked) = unmarked / all.
        let all = hazard + self.marked;
        let free = priors::unconstrain(self.closure, all);
        let slope = (priors::unconstrain(self.closure, all * 1.0001) - priors::unconstrain(self.closure, all / 1.0001))
            / (2.0 * libm::log(1.0001));
        (hazard, priors::log_density(self.closure, free) + libm::log((slope * hazard / all).abs().max(1e-300)))
    }
}

/// The fitted model.
#[derive(Debug, Clone)]
pub struct Alive {
    /// Hazard of conversion a month, at the mode.
    pub conversion: f64,
    pub churn_draws: Vec<f64>,
    pub conversion_draws: Vec<f64>,
    pub closing_draws: Vec<f64>,
    /// Share of the candidates that the draws amount to.
    pub efficiency: f64,
    /// At the mode.
    chances: Chances,
    /// Log probabilities of silences by node, at the mode.
    table: Table,
    weights: [f64; NODES],
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

/// Log probabilities of silences, each `[months * NODES + node]`.
#[derive(Debug, Clone)]
struct Table {
    /// Closed by an order.
    ordered: Vec<f64>,
    /// Ended by a closing that is marked.
    closed: Vec<f64>,
    /// Still open.
    open: Vec<f64>,
    /// Served share at the end of an open silence.
    served: Vec<f64>,
}

/// Chances a month: to leave, to come back, to close.
#[derive(Debug, Clone, Copy)]
struct Chances {
    leave: f64,
    back: f64,
    close: f64,
}

/// Hazards a month; closing without a mark.
#[derive(Debug, Clone, Copy)]
struct Hazards {
    churn: f64,
    conversion: f64,
    closing: f64,
}

impl Chances {
    fn of(hazards: Hazards) -> Self {
        Self { leave: chance(hazards.churn), back: chance(hazards.conversion), close: chance(hazards.closing) }
    }

    /// The states of the next month from those at the end of a silent one: served and lapsed.
    fn step(self, served: f64, lapsed: f64) -> (f64, f64) {
        let stays = 1.0 - self.close;
        (
            stays * (served * (1.0 - self.leave) + lapsed * self.back),
            stays * (served * self.leave + lapsed * (1.0 - self.back)),
        )
    }
}

/// Joint probability of state and of what was seen, up to a factor.
#[derive(Debug, Clone, Copy)]
struct State {
    served: f64,
    lapsed: f64,
    gone: f64,
}

impl State {
    /// In the month after an order, or in that in which a customer became known.
    fn start(chances: Chances, after_order: bool) -> Self {
        let (served, lapsed) = if after_order { chances.step(1.0, 0.0) } else { (0.0, 1.0) };
        Self { served, lapsed, gone: if after_order { chances.close } else { 0.0 } }
    }

    /// After a month without an order, with the probabilities of its contacts if the customer lives and if it is gone.
    fn after_silence(self, chances: Chances, p: f64, (living, closed): (f64, f64)) -> Self {
        let (quiet, out_of_reach) = (living * self.served * (1.0 - p), living * self.lapsed);
        let gone = closed * self.gone + chances.close * (quiet + out_of_reach);
        let (served, lapsed) = chances.step(quiet, out_of_reach);
        Self { served, lapsed, gone }
    }

    /// The same ratios, away from underflow.
    fn scaled(self) -> Self {
        let scale = 1.0 / self.sum().max(1e-300);
        Self { served: self.served * scale, lapsed: self.lapsed * scale, gone: self.gone * scale }
    }

    fn sum(self) -> f64 {
        self.served + self.lapsed + self.gone
    }
}

/// Contacts of which nothing is known.
const NO_CONTACTS_KNOWN: (f64, f64) = (1.0, 1.0);

/// Probability of a month's contact, or of none, of the living and of the gone; see [`Alive::served_during`].
fn contact(contacted: &[(bool, f64)], month: usize) -> (f64, f64) {
    match contacted.get(month) {
        Some(&(true, often)) => (often, 0.0),
        Some(&(false, often)) => (1.0 - often, 1.0),
        None => NO_CONTACTS_KNOWN,
    }
}

impl Table {
    /// Of silences after an order, or of waits of customers that have not bought yet.
    fn new(chances: Chances, longest: usize, after_order: bool) -> Self {
        let size = (longest + 1) * NODES;
        let none = || vec![0.0; size];
        let mut out = Self { ordered: none(), closed: none(), open: none(), served: none() };
        for k in 0..NODES {
            let p = node(k);
            let mut state = State::start(chances, after_order);
            for gap in 0..=longest {
                let at = gap * NODES + k;
                out.ordered[at] = libm::log(p * state.served);
                out.closed[at] = libm::log(state.served + state.lapsed);
                out.open[at] = libm::log(state.sum());
                out.served[at] = state.served / state.sum();
                state = state.after_silence(chances, p, NO_CONTACTS_KNOWN);
            }
        }
        out
    }

    /// Log likelihood of a customer's silences at every node.
    fn by_node(&self, silences: &Silences) -> [f64; NODES] {
        let mut out = [0.0; NODES];
        for &(gap, count) in &silences.closed {
            let row = &self.ordered[usize::from(gap) * NODES..][..NODES];
            for (sum, log) in out.iter_mut().zip(row) {
                *sum += f64::from(count) * log;
            }
        }
        let last = if silences.closing { &self.closed } else { &self.open };
        for (sum, log) in out.iter_mut().zip(&last[usize::from(silences.open) * NODES..][..NODES]) {
            *sum += log;
        }
        out
    }

    /// Log likelihood of a wait at every node.
    fn wait(&self, waiting: Waiting) -> &[f64] {
        let table = match waiting.end {
            End::Ordered => &self.ordered,
            End::Closed => &self.closed,
            End::Waits => &self.open,
        };
        &table[usize::from(waiting.months) * NODES..][..NODES]
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

/// Log likelihood of all customers: those with orders one by one, those without as often as their like occurs.
fn log_likelihood(pasts: &[Past], waits: &[(Waiting, f64)], a: f64, b: f64, chances: Chances) -> f64 {
    let after = Table::new(chances, longest(pasts), true);
    let before = Table::new(chances, longest_wait(pasts, waits), false);
    let weights = node_weights(a, b);
    let parts: Vec<f64> = pasts
        .par_chunks(512)
        .map(|chunk| {
            let of = |past: &Past| {
                let Some(silences) = &past.silences else { return 0.0 };
                let mut logs = after.by_node(silences);
                if let Some(waiting) = past.waiting {
                    logs.iter_mut().zip(before.wait(waiting)).for_each(|(sum, log)| *sum += log);
                }
                integrate(logs, &weights).0
            };
            chunk.iter().map(of).sum()
        })
        .collect();
    let never: f64 = waits
        .iter()
        .map(|&(waiting, count)| {
            let logs = std::array::from_fn(|k| before.wait(waiting)[k]);
            count * integrate(logs, &weights).0
        })
        .sum();
    parts.iter().sum::<f64>() + never
}

fn longest(pasts: &[Past]) -> usize {
    pasts.iter().filter_map(|past| past.silences.as_ref()).map(Silences::longest).max().unwrap_or(0)
}

fn longest_wait(pasts: &[Past], waits: &[(Waiting, f64)]) -> usize {
    let all = pasts.iter().filter_map(|past| past.waiting).chain(waits.iter().map(|(waiting, _)| *waiting));
    all.map(|waiting| usize::from(waiting.months)).max().unwrap_or(0)
}

/// The waits of customers that never ordered, counted.
fn waits(pasts: &[Past]) -> Vec<(Waiting, f64)> {
    let mut counts: BTreeMap<Waiting, f64> = BTreeMap::new();
    for waiting in pasts.iter().filter(|past| past.silences.is_none()).filter_map(|past| past.waiting) {
        *counts.entry(waiting).or_insert(0.0) += 1.0;
    }
    counts.into_iter().collect()
}

impl Alive {
    /// Fits the model with `draws` draws of the hazards. Without customers the hazards are their priors.
    pub fn fit(pasts: &[Past], priors: HazardPriors, draws: usize, source: &mut Source) -> Self {
        let waits = waits(pasts);
        let unpack = |x: &DVector<f64>| {
            let p = 1.0 / (1.0 + libm::exp(-x[0].clamp(-9.0, 9.0)));
            let size = libm::exp(x[1].clamp(-4.0, 6.0));
            let churn = priors::constrain(priors.churn, x[2]).clamp(1e-7, 2.0);
            let conversion = priors::constrain(priors.conversion, x[3]).clamp(1e-7, 2.0);
            (p * size, (1.0 - p) * size, Hazards { churn, conversion, closing: priors.unmarked(x[4]).0 })
        };
        let density = |x: &DVector<f64>| {
            let (a, b, hazards) = unpack(x);
            // a + b ~ LN(log 3, 1): customers differ a lot in every published data set.
            let size = x[1] - libm::log(3.0);
            let hyper = -0.5 * (x[0] / 2.0) * (x[0] / 2.0) - 0.5 * size * size;
            let data = if pasts.is_empty() { 0.0 } else { log_likelihood(pasts, &waits, a, b, Chances::of(hazards)) };
            data + hyper
                + priors::log_density(priors.churn, x[2])
                + priors::log_density(priors.conversion, x[3])
                + priors.unmarked(x[4]).1
        };
        let centre = |prior| priors::unconstrain(prior, priors::moments(prior).0);
        let silences = || pasts.iter().filter_map(|past| past.silences.as_ref());
        // Months with orders among the months between first and last order: most of those were served.
        let (mut orders, mut quiet) = (1.0, 1.0);
        for (gap, count) in silences().flat_map(|silences| &silences.closed) {
            orders += f64::from(*count);
            quiet += f64::from(*count) * f64::from(*gap);
        }
        let often = libm::log(orders / quiet);
        let unmarked = libm::log((priors::moments(priors.closure).0 - priors.marked).max(5e-4));
        let start =
            DVector::from_vec(vec![often, libm::log(3.0), centre(priors.churn), centre(priors.conversion), unmarked]);
        let n = (silences().count() as f64).max(1.0).sqrt();
        let scale = [2.0 / n + 0.01, 1.0 / n + 0.02, 2.0 / n + 0.03, 2.0 / n + 0.05, 0.5].map(|s: f64| s.min(0.8));
        // Twice: the second search starts at the first one's mode and steps by its deviations, so that the curvature is taken
        // where and as wide as the posterior is.
        let rough = laplace::mode(&density, start, &scale);
        let widths: Vec<f64> = (0..scale.len()).map(|k| rough.covariance[(k, k)].sqrt().clamp(1e-4, 1.0)).collect();
        let mode = laplace::mode(&density, rough.at, &widths);
        let sample = laplace::sample(&density, &mode, draws, draws.max(200), source);
        let (a, b, hazards) = unpack(&mode.at);
        let drawn: Vec<Hazards> = sample.draws.iter().map(|x| unpack(x).2).collect();
        let chances = Chances::of(hazards);
        Self {
            conversion: hazards.conversion,
            churn_draws: drawn.iter().map(|hazards| hazards.churn).collect(),
            conversion_draws: drawn.iter().map(|hazards| hazards.conversion).collect(),
            closing_draws: drawn.iter().map(|hazards| hazards.closing).collect(),
            efficiency: sample.efficiency,
            chances,
            table: Table::new(chances, longest(pasts), true),
            weights: node_weights(a, b),
        }
    }

    /// Probability that a customer is still served at the end of its watch.
    pub fn still_served(&self, silences: &Silences) -> f64 {
        let (_, posterior) = integrate(self.table.by_node(silences), &self.weights);
        let row = &self.table.served[usize::from(silences.open) * NODES..][..NODES];
        posterior.iter().zip(row).map(|(w, served)| w * served).sum::<f64>().clamp(0.0, 1.0)
    }

    /// Probability that a customer can be won (back) after so many silent months: it is neither served nor gone. `after_order`:
    /// the silence began with an order, else with a wait; `p` and `contacted` as in [`Self::served_during`].
    pub fn can_be_won(&self, after_order: bool, months: usize, p: f64, contacted: &[(bool, f64)]) -> f64 {
        let state = (0..months).fold(State::start(self.chances, after_order), |state, k| {
            state.after_silence(self.chances, p, contact(contacted, k)).scaled()
        });
        state.lapsed / state.sum().max(1e-300)
    }

    /// The probability of an order in a month, of customers on average.
    pub fn usual_order_probability(&self) -> f64 {
        self.weights.iter().enumerate().map(|(k, w)| w * node(k)).sum()
    }

    /// A customer's probability of an order in a month in which it is served.
    pub fn order_probability(&self, silences: &Silences) -> f64 {
        let (_, posterior) = integrate(self.table.by_node(silences), &self.weights);
        posterior.iter().enumerate().map(|(k, w)| w * node(k)).sum()
    }

    /// Probability that a customer was served in each of the months of a silence after an order; `p`: the customer's
    /// probability of an order.
    ///
    /// `contacted`: by month, whether we contacted it, and how often we do while it lives. Nobody calls on a customer that has
    /// closed, so that contacts which stop with the orders speak of closing; otherwise they would seem to have held the orders
    /// up. Empty: nothing is known of contacts.
    pub fn served_during(&self, months: usize, then: End, p: f64, contacted: &[(bool, f64)]) -> Vec<f64> {
        self.states_during(true, months, then, p, contacted).into_iter().map(|state| state.served).collect()
    }

    /// Months of a silence that goes on to the end of the watch in which the customer was, as expected, no more; the
    /// others as in [`Self::served_during`] and [`Self::can_be_won`].
    pub fn months_gone(&self, after_order: bool, months: usize, p: f64, contacted: &[(bool, f64)]) -> f64 {
        self.states_during(after_order, months, End::Waits, p, contacted).into_iter().map(|state| state.gone).sum()
    }

    /// Probabilities of the states of each month of a silence, given how it ended.
    fn states_during(
        &self,
        after_order: bool,
        months: usize,
        then: End,
        p: f64,
        contacted: &[(bool, f64)],
    ) -> Vec<State> {
        let Chances { leave, back, close } = self.chances;
        // Backward: probability of what follows, given the state at the start of each month: served, lapsed, gone.
        let mut after = vec![(1.0, 1.0, 1.0); months + 1];
        match then {
            End::Ordered => after[months] = (p, 0.0, 0.0),
            End::Closed => after[months] = (1.0, 1.0, 0.0),
            End::Waits => {}
        }
        for k in (0..months).rev() {
            let (served, lapsed, gone) = after[k + 1];
            let of =
                |served_next: f64| (1.0 - close) * (served_next * served + (1.0 - served_next) * lapsed) + close * gone;
            let (living, closed) = contact(contacted, k);
            let next = (living * (1.0 - p) * of(1.0 - leave), living * of(back), closed * gone);
            // Only ratios matter; keep them away from underflow.
            let scale = 1.0 / next.0.max(next.1).max(next.2).max(1e-300);
            after[k] = (next.0 * scale, next.1 * scale, next.2 * scale);
        }
        let mut state = State::start(self.chances, after_order);
        let mut out = Vec::with_capacity(months);
        for (k, &(then_served, then_lapsed, then_gone)) in after[..months].iter().enumerate() {
            let here = State {
                served: state.served * then_served,
                lapsed: state.lapsed * then_lapsed,
                gone: state.gone * then_gone,
            };
            let total = here.sum();
            out.push(if total > 0.0 { here.scaled() } else { State { served: 1.0, lapsed: 0.0, gone: 0.0 } });
            state = state.after_silence(self.chances, p, contact(contacted, k)).scaled();
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
        let won = self.chances.back;
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
        closure: Prior::Fixed(0.0),
        marked: 0.0,
    };

    /// What customers live by.
    #[derive(Clone, Copy)]
    struct Life {
        /// Of the beta of the chance of an order.
        rhythm: (f64, f64),
        churn: f64,
        back: f64,
        closing: f64,
        months: usize,
    }

    /// Customers that order with their own probability, lapse, come back and close without a mark, bought from the first month or
    /// (`waits`) not yet.
    fn customers(n: usize, life: Life, waits: bool) -> (Vec<Past>, Vec<bool>) {
        let mut source = Source::new(5, Purpose::Alive, 0);
        let mut out = (Vec::new(), Vec::new());
        while out.0.len() < n {
            let p = source.beta(life.rhythm.0, life.rhythm.1);
            let (mut served, mut gone, mut orders) = (!waits, false, Vec::new());
            for t in 0..life.months {
                if served && !gone && source.uniform() < p {
                    orders.push(t);
                }
                gone |= source.uniform() < chance(life.closing);
                let moves = source.uniform() < chance(if served { life.churn } else { life.back });
                served ^= moves;
            }
            let silences = Silences::of(&orders, life.months, false);
            let first = orders.first().map_or(life.months, |first| *first);
            let end = if orders.is_empty() { End::Waits } else { End::Ordered };
            let waiting = waits.then_some(Waiting { months: first as u16, end });
            if waits || silences.is_some() {
                out.0.push(Past { waiting, silences });
                out.1.push(served && !gone);
            }
        }
        out
    }

    const LIFE: Life = Life { rhythm: (1.5, 2.0), churn: 0.015, back: 0.03, closing: 0.0, months: 72 };

    #[test]
    fn the_likelihood_sums_over_all_hidden_paths() {
        // Orders in months 0, 1 and 5 of 8, one node at a time: every path of states by brute force.
        let silences = Silences::of(&[0, 1, 5], 8, false).unwrap();
        assert_eq!(silences, Silences { closed: vec![(0, 1), (3, 1)], open: 2, closing: false });
        let chances = Chances::of(Hazards { churn: 0.2, conversion: 0.3, closing: 0.1 });
        let logs = Table::new(chances, 3, true).by_node(&silences);
        // The same customer, known and not served at first, with its first order in month 2 of 4: the wait.
        let waiting = Table::new(chances, 3, false);
        // States: served, lapsed, gone. `last`: what is seen at the end.
        let sum = |p: f64, start: usize, months: usize, orders: &[usize]| -> f64 {
            let mut total = 0.0;
            for path in 0..3_usize.pow(months as u32 - 1) {
                let state = |t: usize| if t == 0 { start } else { path / 3_usize.pow(t as u32 - 1) % 3 };
                let mut product = 1.0;
                for t in 1..months {
                    let stays = 1.0 - chances.close;
                    product *= match (state(t - 1), state(t)) {
                        (0, 0) => stays * (1.0 - chances.leave),
                        (0, 1) => stays * chances.leave,
                        (1, 0) => stays * chances.back,
                        (1, 1) => stays * (1.0 - chances.back),
                        (0 | 1, 2) => chances.close,
                        (2, 2) => 1.0,
                        _ => 0.0,
                    };
                    product *= match (state(t) == 0, orders.contains(&t)) {
                        (true, true) => p,
                        (true, false) => 1.0 - p,
                        (false, true) => 0.0,
                        (false, false) => 1.0,
                    };
                }
                total += product;
            }
            total
        };
        for k in [3, 10, 16] {
            let p = node(k);
            assert!((logs[k] - libm::log(sum(p, 0, 8, &[1, 5]))).abs() < 1e-12);
            let ordered = waiting.wait(Waiting { months: 2, end: End::Ordered })[k];
            assert!((ordered - libm::log(sum(p, 1, 3, &[2]))).abs() < 1e-12);
            let waits = waiting.wait(Waiting { months: 3, end: End::Waits })[k];
            assert!((waits - libm::log(sum(p, 1, 3, &[]))).abs() < 1e-12, "{waits}");
        }
    }

    #[test]
    fn hazards_come_back_and_silence_is_read_right() {
        let (pasts, served) = customers(3000, LIFE, false);
        let fit = Alive::fit(&pasts, PRIORS, 400, &mut Source::new(1, Purpose::Alive, 1));
        let (churn, sd) = mean_sd(&fit.churn_draws);
        assert!((churn - 0.015).abs() < 3.5 * sd && sd < 0.002, "churn {churn} ± {sd}");
        let (conversion, sd) = mean_sd(&fit.conversion_draws);
        assert!((conversion - 0.03).abs() < 3.5 * sd && sd < 0.006, "conversion {conversion} ± {sd}");
        let expected: f64 = pasts.iter().filter_map(|past| past.silences.as_ref()).map(|s| fit.still_served(s)).sum();
        let truth = served.iter().filter(|&&s| s).count() as f64;
        assert!((expected / truth - 1.0).abs() < 0.04, "{expected} of {truth}");
    }

    #[test]
    fn customers_that_closed_without_a_mark_are_not_waited_for() {
        let life = Life { closing: 0.006, ..LIFE };
        let priors = HazardPriors { closure: Prior::Lognormal { median: 0.004, sd: 0.5 }, ..PRIORS };
        for waits in [false, true] {
            let (pasts, served) = customers(4000, life, waits);
            let fit = Alive::fit(&pasts, priors, 400, &mut Source::new(1, Purpose::Alive, 1));
            for (name, draws, truth) in [
                ("churn", &fit.churn_draws, life.churn),
                ("conversion", &fit.conversion_draws, life.back),
                ("closing", &fit.closing_draws, life.closing),
            ] {
                let (mean, sd) = mean_sd(draws);
                println!("waits {waits}: {name} {mean:.4} ± {sd:.4}, in truth {truth}");
                assert!((mean - truth).abs() < 3.5 * sd && sd < 0.3 * truth, "{name} {mean} ± {sd}");
            }
            let silences =
                || pasts.iter().zip(&served).filter_map(|(past, served)| Some((past.silences.as_ref()?, *served)));
            let expected: f64 = silences().map(|(silences, _)| fit.still_served(silences)).sum();
            let truth = silences().filter(|(_, served)| *served).count() as f64;
            assert!((expected / truth - 1.0).abs() < 0.04, "{expected} of {truth}");
            // Taken for lapsed ones, they make coming back look rarer than it is.
            let blind = Alive::fit(&pasts, PRIORS, 400, &mut Source::new(1, Purpose::Alive, 1));
            let (mean, sd) = mean_sd(&blind.conversion_draws);
            assert!(mean < life.back - 3.0 * sd, "{mean} ± {sd}");
        }
    }

    #[test]
    fn many_customers_that_order_nearly_every_month() {
        // Posterior deviations of a few thousandths, far from where the search begins.
        let (pasts, _) = customers(8000, Life { rhythm: (20.0, 0.6), churn: 0.006, months: 48, ..LIFE }, false);
        let fit = Alive::fit(&pasts, PRIORS, 200, &mut Source::new(1, Purpose::Alive, 1));
        let (churn, sd) = mean_sd(&fit.churn_draws);
        assert!((churn - 0.006).abs() < 4.0 * sd && sd > 0.00005 && sd < 0.0005, "churn {churn} ± {sd}");
        assert!(fit.efficiency > 0.3, "{}", fit.efficiency);
    }

    #[test]
    fn a_slow_customer_is_given_more_time() {
        let (pasts, _) = customers(500, LIFE, false);
        let fit = Alive::fit(&pasts, PRIORS, 50, &mut Source::new(1, Purpose::Alive, 1));
        let fast = Silences { closed: vec![(0, 40)], open: 8, closing: false };
        let slow = Silences { closed: vec![(9, 4)], open: 8, closing: false };
        assert!(fit.still_served(&fast) < 0.3 && fit.still_served(&slow) > 0.7);
        // In the middle of a long silence it was probably lapsed, at its ends not.
        let during = fit.served_during(20, End::Ordered, 0.7, &[]);
        assert!(during[0] > during[10] && during[19] > during[10] && during[10] < 0.1, "{during:?}");
        assert!(fit.served_during(2, End::Ordered, 0.2, &[])[0] > 0.9);
    }

    #[test]
    fn months_gone_are_those_after_the_closing() {
        // Orders every month while it lives, and never lapses: the first silent month is the first gone.
        let priors = HazardPriors {
            churn: Prior::Lognormal { median: 1e-6, sd: 0.01 },
            conversion: Prior::Lognormal { median: 1e-6, sd: 0.01 },
            closure: Prior::Fixed(0.01),
            marked: 0.0,
        };
        let fit = Alive::fit(&[], priors, 20, &mut Source::new(1, Purpose::Alive, 1));
        assert!((fit.months_gone(true, 9, 0.999, &[]) - 9.0).abs() < 0.05);
        assert!(fit.months_gone(true, 9, 0.001, &[]) < 1.0);
        // One that has never ordered and waits: gone in month k with probability 1 - exp(-0.01 k).
        let by_hand: f64 = (0..50).map(|k| 1.0 - libm::exp(-0.01 * f64::from(k))).sum();
        assert!((fit.months_gone(false, 50, 0.5, &[]) / by_hand - 1.0).abs() < 0.01);
    }

    #[test]
    fn contacts_that_stop_with_the_orders_speak_of_closing() {
        let priors = HazardPriors { closure: Prior::Fixed(0.004), ..PRIORS };
        let fit = Alive::fit(&[], priors, 20, &mut Source::new(1, Purpose::Alive, 1));
        let during = |contacted: &[(bool, f64)]| fit.served_during(12, End::Waits, 0.2, contacted);
        let (unknown, stopped, gone_on) = (during(&[]), during(&[(false, 0.8); 12]), during(&[(true, 0.8); 12]));
        assert!(stopped[1] < 0.5 * unknown[1] && gone_on[11] > unknown[11], "{stopped:?} {unknown:?} {gone_on:?}");
        // Of a customer that is hardly ever called on, no contact says nothing.
        let seldom = during(&[(false, 0.001); 12]);
        assert!(seldom.iter().zip(&unknown).all(|(a, b)| (a - b).abs() < 0.01));
    }

    #[test]
    fn nobody_means_the_prior() {
        let fit = Alive::fit(&[], PRIORS, 2000, &mut Source::new(1, Purpose::Alive, 1));
        let mut draws = fit.churn_draws;
        draws.sort_unstable_by(f64::total_cmp);
        assert!((draws[1000] / 0.008 - 1.0).abs() < 0.15, "{}", draws[1000]);
    }

    #[test]
    fn waiting_speaks_of_conversion() {
        // Nobody orders but those who are won: 100 months of 200 customers in which one in a hundred is won a month.
        let (pasts, _) = customers(2000, Life { rhythm: (20.0, 0.6), back: 0.01, ..LIFE }, true);
        let fit = Alive::fit(&pasts, PRIORS, 400, &mut Source::new(1, Purpose::Alive, 1));
        let (mean, sd) = mean_sd(&fit.conversion_draws);
        assert!((mean - 0.01).abs() < 3.0 * sd && sd < 0.001, "{mean} ± {sd}");
        // Customers that order in every third month are not won later for their first order coming later.
        let (pasts, _) = customers(2000, Life { rhythm: (20.0, 40.0), back: 0.05, churn: 0.002, ..LIFE }, true);
        let fit = Alive::fit(&pasts, PRIORS, 400, &mut Source::new(1, Purpose::Alive, 1));
        let (mean, sd) = mean_sd(&fit.conversion_draws);
        assert!((mean - 0.05).abs() < 3.0 * sd && sd < 0.004, "{mean} ± {sd}");
    }

    #[test]
    fn before_the_first_order() {
        let fit = Alive::fit(&[], PRIORS, 20, &mut Source::new(1, Purpose::Alive, 1));
        // Orders nearly every month: ten silent months before the first order mean that it was won only then.
        let fast = fit.served_before(0.9, 10, true);
        assert!(fast[0] < 0.01 && fast.len() == 11);
        // Known since the month of its first order: no free observation.
        assert_eq!(fit.served_before(0.4, 0, false), vec![0.0]);
        assert!(fit.served_before(0.4, 0, true)[0] > 0.9);
    }
}
