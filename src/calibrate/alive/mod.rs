//! Who still buys from us: silence measured against a customer's own rhythm of ordering and everybody's month.
//!
//! The agents' own coin tosses (`simulate::mechanisms::transition`), summed out: a customer is served or lapsed; a served
//! one orders in month t with probability `p_t = 1 - exp(-r f_t)` (`simulate::mechanisms::orders`), `log r ~ N(m, s²)` being its own
//! rate and f_t everybody's [`level`], and lapses at the month's end with δ = 1 - exp(-churn); a
//! lapsed one is silent and comes back with γ = 1 - exp(-conversion); and either closes for good with ω = 1 - exp(-closing)
//! without a mark in our files. An order shows that the customer is served, so a history falls apart into the silences
//! between orders: with `v_g = (served, lapsed, gone)` the joint probability of state and g silent months after an order,
//!
//! `v_0 = ((1 - ω)(1 - δ), (1 - ω) δ, ω)`,
//! `v_{g+1} = ((1 - ω)(q (1 - δ) + v_l γ), (1 - ω)(q δ + v_l (1 - γ)), v_c + ω (q + v_l))`, `q = v_s (1 - p_t)`,
//!
//! a silence of g months closed by an order has probability `p_t v_g,s`, one ended by a closing that is marked
//! `v_g,s + v_g,l`, and an open one `v_g,s + v_g,l + v_g,c`. The likelihood of a customer is the product, integrated over log r on
//! a fixed grid. (A hidden Markov version of the beta-Bernoulli models of Fader, Hardie & Shang 2010, which know no way
//! back. With a chance of an order that is the same in all months, as theirs is, slow months of the whole market are read as
//! customers that leave and come back: churn came out 8% too high in a simulation with the seasons and walks of the self-checks, and
//! the 90% interval of conversion held in 78%.) A customer that we knew before its first order begins lapsed, `v = (0, 1, 0)`, in the
//! month after that in which it became known: how long it waited, or waits still, speaks of conversion. The first order of any
//! other is not counted: it is how the customer got into the data. How much is ordered is not looked at: real orders need not
//! scatter like the agents'.
//!
//! Nobody calls on a customer that has closed, and on one that has lapsed as before: where calls are known, the months of the silence at the end
//! count with the probability of their contacts too, its share of months with contacts until then while it lives, none once it is gone. What
//! contacts do to the orders of those who live comes in once it is known ([`heed`]).
//!
//! Closings that are marked, c a customer-month, are a part of all: given that these are no rarer than c, what is left
//! without a mark is closing = all - c, all being closure's prior. Who lives on has also been spared by them, month for month, and who
//! has closed without a mark needed no sparing: `1 - ω` stands above for `(1 - ω)(1 - c)`. Silence tells it from lapsing only in that nobody comes back, so
//! the prior matters; without it closed customers are taken for lapsed ones who are never won back.

mod heed;
mod level;
mod pace;
mod past;
mod states;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::calibrate::laplace;
use crate::calibrate::priors;
use crate::calibrate::sampling::Source;
use crate::scenario::Prior;

use pace::{Pace, PaceOf};
pub use past::{End, Past, Silence, Silences, Waiting};
pub use states::State;
use states::{Chances, Hazards, NO_CONTACTS_KNOWN, contact};
use table::{Asked, At, NODES, Rows, Table, node, node_weights};

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
    /// Weights of the nodes and hazards at a point of the free coordinates.
    fn unpack(&self, x: &DVector<f64>) -> ([f64; NODES], Hazards) {
        let (mean, sd) = (x[0].clamp(-6.0, 5.0), libm::exp(x[1].clamp(-2.5, 1.5)));
        let churn = priors::constrain(self.churn, x[2]).clamp(1e-7, 2.0);
        let conversion = priors::constrain(self.conversion, x[3]).clamp(1e-7, 2.0);
        (node_weights(mean, sd), Hazards { churn, conversion, closing: self.unmarked(x[4]).0 })
    }

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
    weights: [f64; NODES],
    pace: Pace,
    laplace: Laplace,
    /// Free coordinates.
    draws: Vec<DVector<f64>>,
}

/// The posterior of `(mean, log sd of log rates; churn, conversion, closing)`, free coordinates, without heed to contacts.
#[derive(Debug, Clone)]
struct Laplace {
    mode: DVector<f64>,
    covariance: DMatrix<f64>,
    priors: HazardPriors,
    /// Where it has been moved to since.
    at: DVector<f64>,
}

/// What a customer's orders say, at the mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Its number among those that were fitted.
    pub customer: usize,
    /// Orders a month at a level of 1, with which the probability of an order is the expected one.
    pub rate: f64,
    /// Probability that the customer is still served at the end of its watch.
    pub still_served: f64,
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

/// A customer with orders, in the terms of the tables.
#[derive(Debug, Clone)]
struct Customer {
    /// Log probability of its orders by node, if it was served.
    orders: [f64; NODES],
    /// Months with an order right after a month with one.
    at_once: f64,
    /// Silences between orders.
    between: Vec<At>,
    last: Last,
    waiting: Option<At>,
}

/// The silence at the end.
#[derive(Debug, Clone)]
enum Last {
    /// Nothing is known of contacts, or it does not matter.
    Alike(At),
    /// From a month on, with the probabilities of the contacts of each month of the living and of the gone.
    Contacted(usize, Vec<(f64, f64)>),
}

/// All that the likelihood is made of.
struct Data {
    /// Probability of no order, `[month * NODES + node]`.
    none: Vec<f64>,
    after: Rows,
    before: Rows,
    customers: Vec<Customer>,
    /// Customers that never ordered, counted by their waits, with the log probability of what ended these.
    waits: Vec<(At, f64)>,
    /// Room that is not in use: to ask the system for it anew at each of thousands of evaluations would take longer than to fill it.
    tables: Mutex<Vec<Tables>>,
}

/// Of silences after an order, and of waits for the first one.
#[derive(Debug)]
struct Tables {
    after: Table,
    before: Table,
}

impl Data {
    fn new(pasts: &[Past], level: &[f64]) -> Self {
        let months = level.len();
        let none: Vec<f64> =
            level.iter().flat_map(|level| (0..NODES).map(move |k| libm::exp(-node(k) * level))).collect();
        let some: Vec<f64> = level
            .iter()
            .flat_map(|level| (0..NODES).map(move |k| libm::log(-libm::expm1(-node(k) * level.max(1e-9)))))
            .collect();
        let (mut after, mut before) = (Rows::new(months), Rows::new(months));
        let mut wait = |waiting: &Waiting| {
            let asked = match waiting.end {
                End::Ordered => Asked::Served,
                End::Closed => Asked::Living,
                End::Waits => Asked::Seen,
            };
            before.ask(usize::from(waiting.from), usize::from(waiting.months), asked)
        };
        let mut waits: BTreeMap<Waiting, f64> = BTreeMap::new();
        let mut customers = Vec::with_capacity(pasts.len());
        for past in pasts {
            let Some(silences) = &past.silences else {
                past.waiting.iter().for_each(|waiting| *waits.entry(*waiting).or_insert(0.0) += 1.0);
                continue;
            };
            let mut orders = [0.0; NODES];
            let mut ordered = |month: usize| {
                let row = &some[month.min(months - 1) * NODES..][..NODES];
                orders.iter_mut().zip(row).for_each(|(sum, log)| *sum += log);
            };
            silences.later_orders().for_each(&mut ordered);
            if let Some(waiting) = past.waiting.filter(|waiting| waiting.end == End::Ordered) {
                ordered(usize::from(waiting.from + waiting.months));
            }
            let (mut at_once, mut between) = (0.0, Vec::new());
            for (from, silent) in silences.between() {
                match silent {
                    0 => at_once += 1.0,
                    _ => between.push(after.ask(from, silent, Asked::Served)),
                }
            }
            let contacts = past.contacts_at_the_end();
            let last = match contacts.is_empty() {
                false => Last::Contacted(silences.open_from(), contacts),
                true => {
                    let asked = if silences.closing { Asked::Living } else { Asked::Seen };
                    Last::Alike(after.ask(silences.open_from(), silences.open(), asked))
                }
            };
            customers.push(Customer { orders, at_once, between, last, waiting: past.waiting.as_ref().map(&mut wait) });
        }
        let waits = waits.into_iter().map(|(waiting, count)| (wait(&waiting), count)).collect();
        Self { none, after, before, customers, waits, tables: Mutex::default() }
    }

    /// Log likelihood of a customer at every node.
    fn by_node(&self, customer: &Customer, chances: Chances, Tables { after, before }: &Tables) -> [f64; NODES] {
        let mut out = customer.orders;
        let straight = customer.at_once * libm::log(State::start(chances, true).served.max(1e-300));
        out.iter_mut().for_each(|sum| *sum += straight);
        let last = match &customer.last {
            Last::Alike(at) => Some(after.of(*at)),
            Last::Contacted(from, contacts) => {
                let seen = self.last_seen(*from, contacts, chances);
                out.iter_mut().zip(seen).for_each(|(sum, seen)| *sum += libm::log(seen.max(1e-300)));
                None
            }
        };
        let rows = customer.between.iter().map(|at| after.of(*at)).chain(last);
        for row in rows.chain(customer.waiting.map(|at| before.of(at))) {
            out.iter_mut().zip(row).for_each(|(sum, log)| *sum += log);
        }
        out
    }

    /// Probability of an open silence and its contacts, at every node.
    fn last_seen(&self, from: usize, contacts: &[(f64, f64)], chances: Chances) -> [f64; NODES] {
        let mut states = [State::start(chances, true); NODES];
        let none = self.none[from * NODES..].chunks_exact(NODES);
        for (none, contact) in none.zip(contacts) {
            for (state, none) in states.iter_mut().zip(none) {
                *state = state.after_silence(chances, *none, *contact);
            }
        }
        states.map(State::sum)
    }

    /// Filled; to be given back when they have been read.
    fn tables(&self, chances: Chances) -> Tables {
        let spare = self.tables.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut out =
            spare.unwrap_or_else(|| Tables { after: Table::new(&self.after), before: Table::new(&self.before) });
        out.after.fill(&self.after, chances, &self.none, true);
        out.before.fill(&self.before, chances, &self.none, false);
        out
    }

    /// Log likelihood of all customers: those with orders one by one, those without as often as their like occurs.
    fn log_likelihood(&self, weights: &[f64; NODES], chances: Chances) -> f64 {
        let tables = self.tables(chances);
        let parts: Vec<f64> = self
            .customers
            .par_chunks(512)
            .map(|chunk| chunk.iter().map(|one| integrate(self.by_node(one, chances, &tables), weights).0).sum())
            .collect();
        let never: f64 = self
            .waits
            .iter()
            .map(|&(at, count)| count * integrate(std::array::from_fn(|k| tables.before.of(at)[k]), weights).0)
            .sum();
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).push(tables);
        parts.iter().sum::<f64>() + never
    }
}

impl Alive {
    /// Fits the model with `draws` draws of the hazards; `sales`: (month, amount) of each of these customers, of which only everybody's level
    /// of a month is taken. Without customers the hazards are their priors.
    pub fn fit(
        pasts: &[Past],
        sales: &[Vec<(usize, f64)>],
        months: usize,
        priors: HazardPriors,
        draws: usize,
        source: &mut Source,
    ) -> Self {
        let level = level::levels(sales, months.max(1));
        let data = Data::new(pasts, &level);
        let density = |x: &DVector<f64>| {
            let (weights, hazards) = priors.unpack(x);
            // Customers differ a lot in every published data set.
            let spread = x[1] / 0.7;
            let hyper = -0.5 * (x[0] / 2.0) * (x[0] / 2.0) - 0.5 * spread * spread;
            let data =
                if pasts.is_empty() { 0.0 } else { data.log_likelihood(&weights, Chances::of(hazards, priors.marked)) };
            data + hyper
                + priors::log_density(priors.churn, x[2])
                + priors::log_density(priors.conversion, x[3])
                + priors.unmarked(x[4]).1
        };
        let centre = |prior| priors::unconstrain(prior, priors::moments(prior).0);
        let silences = || pasts.iter().filter_map(|past| past.silences.as_ref());
        // Months with orders among the months between first and last order: most of those were served.
        let (mut orders, mut quiet) = (1.0, 1.0);
        for (_, silent) in silences().flat_map(Silences::between) {
            orders += 1.0;
            quiet += silent as f64;
        }
        let often = libm::log(libm::log1p(orders / quiet));
        let unmarked = libm::log((priors::moments(priors.closure).0 - priors.marked).max(5e-4));
        let start = DVector::from_vec(vec![often, 0.0, centre(priors.churn), centre(priors.conversion), unmarked]);
        let n = (silences().count() as f64).max(1.0).sqrt();
        let scale = [1.0 / n + 0.01, 1.0 / n + 0.02, 2.0 / n + 0.03, 2.0 / n + 0.05, 0.5].map(|s: f64| s.min(0.8));
        // Twice: the second search starts at the first one's mode and steps by its deviations, so that the curvature is taken
        // where and as wide as the posterior is.
        let rough = laplace::mode(&density, start, &scale);
        let widths: Vec<f64> = (0..scale.len()).map(|k| rough.covariance[(k, k)].sqrt().clamp(1e-4, 1.0)).collect();
        let mode = laplace::mode(&density, rough.at, &widths);
        let sample = laplace::sample(&density, &mode, draws, draws.max(200), source);
        let laplace = Laplace { at: mode.at.clone(), mode: mode.at, covariance: mode.covariance, priors };
        Self::of(laplace, sample.draws, sample.efficiency, Pace::new(level))
    }

    /// At the point where the posterior stands.
    fn of(laplace: Laplace, draws: Vec<DVector<f64>>, efficiency: f64, pace: Pace) -> Self {
        let (weights, hazards) = laplace.priors.unpack(&laplace.at);
        let drawn: Vec<Hazards> = draws.iter().map(|x| laplace.priors.unpack(x).1).collect();
        Self {
            conversion: hazards.conversion,
            churn_draws: drawn.iter().map(|hazards| hazards.churn).collect(),
            conversion_draws: drawn.iter().map(|hazards| hazards.conversion).collect(),
            closing_draws: drawn.iter().map(|hazards| hazards.closing).collect(),
            efficiency,
            chances: Chances::of(hazards, laplace.priors.marked),
            weights,
            pace,
            laplace,
            draws,
        }
    }

    /// Reads a customer of those that were fitted; without an order it is a usual one that is not served.
    pub fn read(&self, customer: usize, past: &Past) -> Reading {
        let pace = self.pace.of(customer);
        let contacts = past.contacts_at_the_end();
        let seen: [(f64, f64); NODES] = std::array::from_fn(|k| {
            past.silences
                .as_ref()
                .map_or((0.0, 0.0), |silences| at_rate(self.chances, silences, &contacts, node(k), pace))
        });
        let (_, posterior) = integrate(seen.map(|(log, _)| log), &self.weights);
        let mean = |of: &dyn Fn(usize) -> f64| posterior.iter().enumerate().map(|(k, w)| w * of(k)).sum::<f64>();
        let chance = mean(&|k| -libm::expm1(-node(k)));
        Reading {
            customer,
            rate: -libm::log1p(-chance.min(1.0 - 1e-12)),
            still_served: mean(&|k| seen[k].1).clamp(0.0, 1.0),
        }
    }

    /// Months of a silence that goes on to the end of the watch in which the customer was, as expected, no more; the
    /// others as in [`Self::states_during`].
    pub fn months_gone(&self, silence: Silence, reading: &Reading, contacted: &[(bool, f64)]) -> f64 {
        self.states_during(silence, End::Waits, reading, contacted).into_iter().map(|state| state.gone).sum()
    }

    /// Probabilities of the states of each month of a silence, given how it ended; `reading`: as [`Self::read`] gives it.
    ///
    /// `contacted`: by month, whether we contacted it, and how often we do while it lives. Nobody calls on a customer that has
    /// closed, so that contacts which stop with the orders speak of closing; otherwise they would seem to have held the orders
    /// up. Empty: nothing is known of contacts.
    pub fn states_during(
        &self,
        silence: Silence,
        then: End,
        reading: &Reading,
        contacted: &[(bool, f64)],
    ) -> Vec<State> {
        let Silence { from, months, after_order } = silence;
        let pace = self.pace.of(reading.customer);
        let none = |k: usize| libm::exp(-reading.rate * pace.at(from + k));
        let Chances { leave, back, close, marked } = self.chances;
        let stays = (1.0 - close) * (1.0 - marked);
        // Backward: probability of what follows, given the state at the start of each month: served, lapsed, gone.
        let mut after = vec![(1.0, 1.0, 1.0); months + 1];
        match then {
            End::Ordered => after[months] = (1.0 - none(months), 0.0, 0.0),
            End::Closed => after[months] = (1.0, 1.0, 0.0),
            End::Waits => {}
        }
        for k in (0..months).rev() {
            let (served, lapsed, gone) = after[k + 1];
            let of = |served_next: f64| stays * (served_next * served + (1.0 - served_next) * lapsed) + close * gone;
            let (living, closed) = contact(contacted, k);
            let next = (living * none(k) * of(1.0 - leave), living * of(back), closed * gone);
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
            state = state.after_silence(self.chances, none(k), contact(contacted, k)).scaled();
        }
        out
    }

    /// Probability that a customer was already served in each month before its first order, and in that month itself not
    /// through being won just then.
    ///
    /// `silent` months lie between the month since which we know the customer, `known`, and its first order; `from_start`: it was
    /// known before the history began, so it may have bought all along.
    pub fn served_before(&self, reading: &Reading, known: usize, silent: usize, from_start: bool) -> Vec<f64> {
        let pace = self.pace.of(reading.customer);
        // Probability of no order from a month on until the first one.
        let mut quiet = vec![1.0; silent + 1];
        for s in (0..silent).rev() {
            quiet[s] = quiet[s + 1] * libm::exp(-reading.rate * pace.at(known + s));
        }
        let won = self.chances.back;
        let all_along = if from_start { 0.5 } else { 0.0 };
        // Entry s + 1: won at the start of month s, then silent until the first order in month `silent`.
        let mut weights = vec![all_along * quiet[0]];
        for (s, quiet) in quiet.iter().enumerate() {
            let waited = libm::pow(1.0 - won, s as f64) * won;
            weights.push((1.0 - all_along) * waited * quiet);
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

/// Log likelihood of a customer's silences, and of the contacts of the last of them, if it orders at this rate; and the probability that it is
/// served at their end.
fn at_rate(chances: Chances, silences: &Silences, contacts: &[(f64, f64)], rate: f64, pace: PaceOf<'_>) -> (f64, f64) {
    let (log, state) = of_silences(silences, contacts, chances, |month| libm::exp(-rate * pace.at(month)));
    (log, state.served / state.sum().max(1e-300))
}

/// The same with the probability of no order by month, and the state at their end.
fn of_silences(
    silences: &Silences,
    contacts: &[(f64, f64)],
    chances: Chances,
    none: impl Fn(usize) -> f64,
) -> (f64, State) {
    /// Products are taken apart before they are too small to be held.
    const SMALL: f64 = 1e-200;
    let (mut product, mut log) = (1.0, 0.0);
    let after = |from: usize, silent: usize, contacts: &[(f64, f64)]| {
        (0..silent).fold(State::start(chances, true), |state, month| {
            let contact = contacts.get(month).copied().unwrap_or(NO_CONTACTS_KNOWN);
            state.after_silence(chances, none(from + month), contact)
        })
    };
    for (from, silent) in silences.between() {
        product *= (after(from, silent, &[]).served * (1.0 - none(from + silent))).max(1e-300);
        if product < SMALL {
            log += libm::log(product.max(1e-300));
            product = 1.0;
        }
    }
    let state = after(silences.open_from(), silences.open(), contacts);
    let end = if silences.closing { state.served + state.lapsed } else { state.sum() };
    (log + libm::log(product) + libm::log(end.max(1e-300)), state)
}
