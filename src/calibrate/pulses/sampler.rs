//! Samples of dates, kinds and depths of moves.
//!
//! A sweep visits every company and month (is there a move, of which kind, length and depth?), every window of three months
//! with one move in it (which month?), and single odd figures and months.

use std::collections::BTreeMap;

use super::chain::{Active, Chain, Event, Slot};
use super::learn::UNSURE;
use super::moves::{Books, Kind, Move};
use super::shifts::Shifts;
use super::{Estimate, Found, LEAST_LISTED, RIVALS_DIP, Series, Sight};
use crate::calibrate::sampling::{Purpose, Source};

/// Rounds of sampling and of fitting the noise.
const ROUNDS: usize = 4;
const SWEEPS: usize = 20;
/// Of the last round, after those above.
const KEPT: usize = 120;
/// Draws of all sizes together from each of these.
const SIZES: usize = 8;

/// Samples a market's moves.
pub fn run(series: &Series, seed: u64) -> Estimate {
    let mut source = Source::new(seed, Purpose::Pulses, 0);
    let mut chain = Chain::new(series);
    for round in 0..ROUNDS {
        if round == 0 {
            chain.largest_first();
        }
        for _ in 0..SWEEPS {
            chain.sweep(&mut source);
        }
        chain.crowds();
        chain.load_or_odd();
        chain.load_instead();
        if round > 0 {
            chain.regular_or_season();
        }
        chain.learn();
        if round + 1 == ROUNDS {
            (0..SWEEPS).for_each(|_| chain.sweep(&mut source));
        }
    }
    let mut samples: BTreeMap<(usize, usize, Kind, usize), Vec<f64>> = BTreeMap::new();
    let (mut category, mut own) = (Vec::new(), Vec::new());
    for _ in 0..KEPT {
        chain.sweep(&mut source);
        let sizes = chain.sizes();
        let (mut of_all, mut of_ours) = (Vec::new(), Vec::new());
        for draw in 0..SIZES {
            let moves = chain.sized(&sizes.draw(&mut source));
            if draw == 0 {
                for step in &moves {
                    samples.entry((step.company, step.first, step.kind, step.length)).or_default().push(step.depth);
                }
            }
            let (all, ours) = chain.shifts(&moves, &mut source);
            of_all.push(all);
            of_ours.push(ours);
        }
        category.push(of_all);
        own.push(of_ours);
    }
    Estimate { moves: gather(samples), category: Shifts::of(&category), own: Shifts::of(&own) }
}

/// Samples of one move differ by a month in their dates and lengths: the most frequent carries what overlaps it.
fn gather(samples: BTreeMap<(usize, usize, Kind, usize), Vec<f64>>) -> Vec<Found> {
    let mut left: Vec<_> = samples.into_iter().collect();
    let mut out = Vec::new();
    loop {
        let best = left.iter().enumerate().max_by_key(|(i, (_, depths))| (depths.len(), std::cmp::Reverse(*i)));
        let Some((_, &((company, first, kind, length), ref depths))) = best else { break };
        let mut found = Found {
            company,
            first,
            length,
            kind,
            probability: depths.len() as f64 / KEPT as f64,
            depths: depths.clone(),
        };
        let overlaps = |key: &(usize, usize, Kind, usize)| {
            let near = kind != Kind::Loading || key.1.abs_diff(first) <= 1;
            key.0 == company && key.2 == kind && near && key.1 < first + length + 1 && first < key.1 + key.3 + 1
        };
        let mut rest = Vec::new();
        for (key, depths) in left {
            if overlaps(&key) {
                // Two loads in neighbouring months are two: only what is rarer than half of the samples is the same.
                let same = key.1 == first || depths.len() * 2 < KEPT;
                if !same {
                    rest.push((key, depths));
                    continue;
                }
                if (key.1, key.3) != (first, length) {
                    found.probability += depths.len() as f64 / KEPT as f64;
                    found.depths.extend(depths);
                }
            } else {
                rest.push((key, depths));
            }
        }
        left = rest;
        found.probability = found.probability.min(1.0) * if kind == Kind::Dip { RIVALS_DIP } else { 1.0 };
        if found.probability >= LEAST_LISTED {
            out.push(found);
        }
    }
    out.sort_by_key(|found| (found.first, found.company, found.kind));
    out
}

impl Chain<'_> {
    /// What rivals' moves do to the whole category and to our sales, in logs, by month; of ours nothing where the series do not have them.
    /// Our own moves are habits of ours, which the season of our sales may have in it.
    fn shifts(&self, moves: &[Move], source: &mut Source) -> (Vec<f64>, Vec<f64>) {
        let mut books = Books::new(self.books.shares().to_vec(), self.books.before().to_vec());
        moves.iter().filter(|step| Some(step.company) != self.series.own).for_each(|step| books.enter(step, 1.0));
        let (mut category, mut own, mut row) = (Vec::new(), Vec::new(), Vec::with_capacity(self.companies));
        for t in 0..self.months {
            let eaten = books.eaten(t);
            let unsure = UNSURE * eaten * source.normal();
            category.push(libm::log(books.category(t)) + unsure / books.category(t));
            if let Some(ours) = self.series.own {
                row.clear();
                books.month(t, &mut row);
                own.push(row[ours] + unsure / (1.0 - eaten));
            }
        }
        (category, own)
    }

    pub(super) fn sweep(&mut self, source: &mut Source) {
        for t in 0..self.months {
            for company in 0..self.movers() {
                // One at most in both slots: anew which. Then what is beside another one, anew.
                if !self.free(company, t).is_empty() {
                    self.choose_anew(company, t, &Slot::ALL, source);
                }
                for slot in Slot::ALL {
                    if self.beginning(company, t, slot.other()).is_some() {
                        self.choose_anew(company, t, &[slot], source);
                    }
                }
            }
            for company in 0..self.companies {
                self.toggle(Event::Odd(company, t), source);
            }
            if self.series.sight == Sight::OwnSales || self.companies > 1 {
                self.toggle(Event::Shock(t), source);
            }
        }
        self.relocate(source);
    }

    /// Takes what is in these slots of a company's month out and chooses anew.
    fn choose_anew(&mut self, company: usize, t: usize, slots: &[Slot], source: &mut Source) {
        let mut look = true;
        for &slot in slots {
            if let Some(at) = self.beginning(company, t, slot) {
                self.remove(at);
                look = false;
            }
        }
        let candidates = self.candidates(company, t, slots, look);
        if let Some(event) = choose(&candidates, source) {
            self.insert(event);
        }
    }

    /// Windows of three months with one move of a company in them: which month, of which kind?
    pub(super) fn relocate(&mut self, source: &mut Source) {
        let from = (source.uniform() * 3.0) as usize;
        for company in 0..self.movers() {
            let mut start = from;
            while start < self.months {
                let window = start..(start + 3).min(self.months);
                start = window.end;
                let inside = |active: &Active| {
                    active.event.begins().is_some_and(|(of, first, _)| of == company && window.contains(&first))
                };
                if self.active.iter().filter(|active| inside(active)).count() != 1 {
                    continue;
                }
                let Some(at) = self.active.iter().position(inside) else { continue };
                self.remove(at);
                let mut candidates = Vec::new();
                for t in window.clone() {
                    candidates.extend(self.candidates(company, t, &Slot::ALL, false));
                }
                if let Some(event) = choose(&candidates, source) {
                    self.insert(event);
                }
            }
        }
    }

    /// Decides anew whether something other than a move is there.
    pub(super) fn toggle(&mut self, event: Event, source: &mut Source) {
        let present = self.position(|other| *other == event);
        if present.is_none() {
            let (_, h) = self.effect(&event);
            let score = self.dot(&h);
            if score * score < 4.0 * self.form(&h, &h) {
                return;
            }
        }
        if let Some(at) = present {
            self.remove(at);
        }
        let log_odds = self.worth_of_odd(&event);
        if source.uniform() < 1.0 / (1.0 + libm::exp(-log_odds)) {
            self.insert(event);
        }
    }
}

/// One of the candidates by their weights, or none (weight 1).
fn choose(candidates: &[(Event, f64)], source: &mut Source) -> Option<Event> {
    if candidates.is_empty() {
        return None;
    }
    let highest = candidates.iter().map(|c| c.1).fold(0.0, f64::max);
    let weights: Vec<f64> = candidates.iter().map(|c| libm::exp(c.1 - highest)).collect();
    let mut left = source.uniform() * (weights.iter().sum::<f64>() + libm::exp(-highest));
    for ((event, _), weight) in candidates.iter().zip(&weights) {
        if left < *weight {
            return Some(event.clone());
        }
        left -= weight;
    }
    None
}
