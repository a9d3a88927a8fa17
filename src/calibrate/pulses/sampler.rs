//! Samples of dates, kinds and depths of moves.
//!
//! The precision `P` of all figures has the depths of the moves that are there integrated: entering a move with the effect
//! `h` of one [`moves::STEP`](super::moves::STEP) of log depth turns the covariance to `Σ + h h'`, so
//! `P' = P - P h h' P / (1 + h' P h)`, and taking it out `P' = P + P h h' P / (1 - h' P h)`. With residuals r and `q = P r` a
//! candidate that changes the mean by o is worth `o'q - o'Po / 2 + (h'q - h'Po)² / (2 (1 + h'Ph)) - log(1 + h'Ph) / 2`
//! more than none, in logs.
//!
//! A sweep visits every company and month (is there a move, of which kind, length and depth?), every window of three months
//! with one move in it (which month?), and single odd figures and months.

use std::collections::BTreeMap;

use super::moves::{Books, DEPTH_SD, Kind, Move, STEP};
use super::noise::{Noise, UNKNOWN};
use super::{Estimate, Found, LEAST_LISTED, RIVALS_DIP, Series, Sight};
use crate::calibrate::sampling::{Purpose, Source};

/// Rounds of sampling and of fitting the noise.
const ROUNDS: usize = 4;
const SWEEPS: usize = 20;
/// Of the last round, after those above.
const KEPT: usize = 120;
/// Passes over all months for a first set of moves.
const MOST: usize = 15;
/// A month whose best candidate is fewer deviations from nothing is left alone.
const WORTH_A_LOOK: f64 = 2.2;
/// Chance that a figure is odd, and deviation of its log.
const ODD: (f64, f64) = (0.01, 0.12);
/// The same of one that is far off.
const WILD: (f64, f64) = (0.002, 0.6);
/// The same of a month of the whole category.
const SHOCK: (f64, f64) = (0.006, 0.15);
/// The same of a month of the year in which a company has a season of its own.
const OWN_MONTH: (f64, f64) = (0.03, 0.3);
/// Deviation of what is eaten of a month's demand, as a part of it.
const UNSURE: f64 = 0.04;
/// Expected moves a month, and how many months' worth of belief that is.
const LOADS: (f64, f64) = (0.008, 12.0);
const CAMPAIGNS: f64 = 1.0 / 48.0;
const STOCKOUTS: f64 = 1.0 / 150.0;
const DIPS: f64 = 1.0 / 48.0;

/// Changes of a few figures.
type Sparse = Vec<(usize, f64)>;

/// Something that is there.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    Move(Move),
    /// Company and month of an odd figure.
    Odd(usize, usize),
    /// The same of one that is far off.
    Wild(usize, usize),
    /// An odd month of the whole category.
    Shock(usize),
    /// Company and month of the year of a season of its own.
    OwnMonth(usize, usize),
}

struct Active {
    event: Event,
    h: Sparse,
}

struct Chain<'a> {
    series: &'a Series,
    /// Logs less their mean by company.
    z: Vec<Vec<f64>>,
    companies: usize,
    months: usize,
    n: usize,
    precision: Vec<f64>,
    /// Residuals and P times them.
    r: Vec<f64>,
    q: Vec<f64>,
    books: Books,
    active: Vec<Active>,
    noise: Noise,
}

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
        if round > 0 {
            chain.regular_or_season();
        }
        chain.learn();
        if round + 1 == ROUNDS {
            (0..SWEEPS).for_each(|_| chain.sweep(&mut source));
        }
    }
    let mut samples: BTreeMap<(usize, usize, Kind, usize), Vec<f64>> = BTreeMap::new();
    let mut category = vec![0.0; chain.months];
    for _ in 0..KEPT {
        chain.sweep(&mut source);
        for active in &chain.active {
            let Event::Move(step) = &active.event else { continue };
            let (mean, variance) = chain.coefficient(&active.h);
            let log = STEP * (mean + variance.max(0.0).sqrt() * source.normal());
            let depth = step.depth * libm::exp(log);
            samples.entry((step.company, step.first, step.kind, step.length)).or_default().push(depth);
        }
        for (t, sum) in category.iter_mut().enumerate() {
            *sum += libm::log(chain.books.category(t)) / KEPT as f64;
        }
    }
    Estimate { moves: gather(samples), category }
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
            let near = kind == Kind::Loading && key.1.abs_diff(first) <= 1 || kind != Kind::Loading;
            key.0 == company && key.2 == kind && near && key.1 < first + length + 1 && first < key.1 + key.3 + 1
        };
        let mut rest = Vec::new();
        let mut of_start: BTreeMap<usize, usize> = BTreeMap::new();
        for (key, depths) in left {
            if overlaps(&key) {
                // Two loads in neighbouring months are two: only what is rarer than half of the samples is the same.
                let same = key.1 == first || depths.len() * 2 < KEPT;
                if !same {
                    rest.push((key, depths));
                    continue;
                }
                *of_start.entry(key.1).or_default() += depths.len();
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

impl<'a> Chain<'a> {
    fn new(series: &'a Series) -> Self {
        let (companies, months) = (series.sales.len(), series.of_year.len());
        let mut z: Vec<Vec<f64>> = Vec::with_capacity(companies);
        for sales in &series.sales {
            let known = sales.iter().filter(|x| **x >= 0.0);
            let mean = known.clone().sum::<f64>() / known.count().max(1) as f64;
            // The same floor as that of what stock leaves to be ordered.
            z.push(sales.iter().map(|&x| if x >= 0.0 { libm::log(x / mean + 0.01) } else { 0.0 }).collect());
        }
        let scatter: Vec<f64> = (0..companies).map(|k| robust_scatter(&z, k)).collect();
        let mut noise = Noise::new(&series.of_year, &series.feasts, &series.feast_sd, &scatter);
        for (odd, sales) in noise.odd.iter_mut().zip(&series.sales) {
            odd.iter_mut().zip(sales).for_each(|(odd, &x)| *odd = if x >= 0.0 { 0.0 } else { UNKNOWN });
        }
        let books = Books::new(shares(&series.sales), vec![1.0; months]);
        let n = companies * months;
        let (r, q) = (vec![0.0; n], vec![0.0; n]);
        let mut chain =
            Self { series, z, companies, months, n, precision: Vec::new(), r, q, books, active: Vec::new(), noise };
        chain.rebuild(Vec::new());
        chain
    }

    /// Everything anew from the noise, the books and these events.
    fn rebuild(&mut self, events: Vec<Event>) {
        self.precision = self.noise.precision();
        for t in 0..self.months {
            for k in 0..self.companies {
                self.r[t * self.companies + k] = self.z[k][t];
            }
        }
        self.multiply();
        self.active.clear();
        for event in events {
            self.insert(event);
        }
    }

    fn multiply(&mut self) {
        for (q, row) in self.q.iter_mut().zip(self.precision.chunks_exact(self.n)) {
            *q = row.iter().zip(&self.r).map(|(p, r)| p * r).sum();
        }
    }

    /// What an event adds to the mean, and one deviation of its size, given all others.
    fn effect(&mut self, event: &Event) -> (Sparse, Sparse) {
        let companies = self.companies;
        match *event {
            Event::Odd(k, t) => (Vec::new(), vec![(t * companies + k, ODD.1)]),
            Event::Wild(k, t) => (Vec::new(), vec![(t * companies + k, WILD.1)]),
            Event::Shock(t) => (Vec::new(), (0..companies).map(|k| (t * companies + k, SHOCK.1)).collect()),
            Event::OwnMonth(k, m) => {
                let those = (0..self.months).filter(|&t| self.series.of_year[t] == m);
                (Vec::new(), those.map(|t| (t * companies + k, OWN_MONTH.1)).collect())
            }
            Event::Move(step) => {
                let deeper = step.depth * libm::exp(STEP);
                let mut effects = self.offsets(step, &[step.depth, deeper]);
                let (further, offset) = (effects.pop().unwrap_or_default(), effects.pop().unwrap_or_default());
                let h = differ(&further, &offset, 1.0);
                (offset, h)
            }
        }
    }

    /// What a move adds to the mean at several depths.
    fn offsets(&mut self, step: Move, depths: &[f64]) -> Vec<Sparse> {
        let deepest = Move { depth: depths.iter().copied().fold(step.depth, f64::max), ..step };
        let reach = self.books.reach(&deepest);
        let base = reach.start * self.companies;
        let mut without = Vec::with_capacity(4 * self.companies);
        reach.clone().for_each(|t| self.books.month(t, &mut without));
        let mut with = Vec::with_capacity(without.len());
        depths
            .iter()
            .map(|&depth| {
                let step = Move { depth, ..step };
                with.clear();
                self.books.enter(&step, 1.0);
                reach.clone().for_each(|t| self.books.month(t, &mut with));
                self.books.enter(&step, -1.0);
                let pairs = with.iter().zip(&without).enumerate();
                pairs.map(|(i, (with, without))| (base + i, with - without)).collect()
            })
            .collect()
    }

    /// `a' P b`.
    fn form(&self, a: &Sparse, b: &Sparse) -> f64 {
        a.iter().map(|&(i, x)| x * b.iter().map(|&(j, y)| self.precision[i * self.n + j] * y).sum::<f64>()).sum()
    }

    fn dot(&self, a: &Sparse) -> f64 {
        a.iter().map(|&(i, x)| x * self.q[i]).sum()
    }

    /// Log of the evidence for an event over that for none.
    fn evidence(&self, offset: &Sparse, h: &Sparse) -> f64 {
        let gain = self.dot(offset) - 0.5 * self.form(offset, offset);
        let pull = self.dot(h) - self.form(h, offset);
        let spread = 1.0 + self.form(h, h);
        gain + 0.5 * pull * pull / spread - 0.5 * libm::log(spread)
    }

    /// Adds `factor * (P h)(P h)'` to the precision.
    fn update(&mut self, h: &Sparse, sign: f64) {
        let mut ph = vec![0.0; self.n];
        for &(j, x) in h {
            // P is symmetric.
            let row = &self.precision[j * self.n..][..self.n];
            ph.iter_mut().zip(row).for_each(|(sum, p)| *sum += p * x);
        }
        let form: f64 = h.iter().map(|&(i, x)| x * ph[i]).sum();
        let factor = -sign / (1.0 + sign * form).max(1e-9);
        for (i, &left) in ph.iter().enumerate() {
            let row = &mut self.precision[i * self.n..][..self.n];
            let scaled = factor * left;
            row.iter_mut().zip(&ph).for_each(|(p, right)| *p += scaled * right);
        }
        let along: f64 = h.iter().map(|&(i, x)| x * self.q[i]).sum();
        self.q.iter_mut().zip(&ph).for_each(|(q, p)| *q += factor * along * p);
    }

    fn shift(&mut self, offset: &Sparse, sign: f64) {
        for &(i, x) in offset {
            self.r[i] += sign * x;
            let row = &self.precision[i * self.n..][..self.n];
            self.q.iter_mut().zip(row).for_each(|(q, p)| *q += sign * x * p);
        }
    }

    fn insert(&mut self, event: Event) {
        let (offset, h) = self.effect(&event);
        self.shift(&offset, -1.0);
        self.update(&h, 1.0);
        if let Event::Move(step) = &event {
            self.books.enter(step, 1.0);
        }
        self.active.push(Active { event, h });
    }

    fn remove(&mut self, at: usize) -> Event {
        let Active { event, h } = self.active.remove(at);
        self.update(&h, -1.0);
        if let Event::Move(step) = &event {
            self.books.enter(step, -1.0);
        }
        let (offset, _) = self.effect(&event);
        self.shift(&offset, 1.0);
        event
    }

    /// Posterior mean and variance of a present event's size, in its deviations.
    fn coefficient(&self, h: &Sparse) -> (f64, f64) {
        (self.dot(h), 1.0 - self.form(h, h))
    }

    fn kinds(&self) -> &'static [Kind] {
        match self.series.sight {
            Sight::Panel => &[Kind::Loading, Kind::Campaign, Kind::Stockout],
            Sight::OwnSales => &[Kind::Dip],
        }
    }

    fn movers(&self) -> usize {
        if self.series.sight == Sight::Panel { self.companies } else { 1 }
    }

    /// Log prior odds of a kind of move in a company's month, given the other months.
    fn prior(&self, company: usize, t: usize, kind: Kind) -> f64 {
        let rate = match kind {
            Kind::Loading => {
                let of_year = self.series.of_year[t];
                let mut same = 0.0;
                for active in &self.active {
                    if let Event::Move(step) = &active.event {
                        let loads = step.kind == Kind::Loading && step.company == company && step.first != t;
                        if loads && self.series.of_year[step.first] == of_year {
                            same += 1.0;
                        }
                    }
                }
                let years = (self.months as f64 / 12.0 - 1.0).max(0.0);
                (LOADS.0 * LOADS.1 + same) / (LOADS.1 + years)
            }
            Kind::Campaign => CAMPAIGNS,
            Kind::Stockout => STOCKOUTS,
            Kind::Dip => DIPS,
        };
        libm::log(rate / (1.0 - rate))
    }

    /// All candidates of a company's month with their log weights against none; empty where nothing is worth a look.
    fn candidates(&mut self, company: usize, t: usize, look: bool) -> Vec<(Event, f64)> {
        let (months, mut out) = (self.months, Vec::new());
        for &kind in self.kinds() {
            let prior = self.prior(company, t, kind) - libm::log(kind.lengths().len() as f64);
            let depths = kind.depths();
            let total: f64 = depths.iter().map(|&depth| depth_density(kind, depth)).sum();
            for &length in kind.lengths().iter().filter(|&&length| t + length <= months) {
                let step = Move { company, first: t, length, kind, depth: kind.usual() };
                if look {
                    let offset = self.offsets(step, &[kind.usual()]).pop().unwrap_or_default();
                    if self.dot(&offset) < WORTH_A_LOOK * self.form(&offset, &offset).max(0.0).sqrt() {
                        continue;
                    }
                }
                // One point more: the effect of a step is taken from the next point of the grid.
                let spacing = libm::log(depths[1] / depths[0]);
                let mut ladder = depths.to_vec();
                ladder.push(depths[depths.len() - 1] * libm::exp(spacing));
                let offsets = self.offsets(step, &ladder);
                for (pair, &depth) in offsets.windows(2).zip(depths) {
                    let h = differ(&pair[1], &pair[0], STEP / spacing);
                    let weight = prior + libm::log(depth_density(kind, depth) / total) + self.evidence(&pair[0], &h);
                    out.push((Event::Move(Move { depth, ..step }), weight));
                }
            }
        }
        if !out.is_empty() && self.series.sight == Sight::Panel {
            let wild = Event::Wild(company, t);
            let (_, h) = self.effect(&wild);
            out.push((wild, log_odds(WILD.0) + self.evidence(&Vec::new(), &h)));
        }
        out
    }

    fn sweep(&mut self, source: &mut Source) {
        for t in 0..self.months {
            for company in 0..self.movers() {
                let present = self.position(|event| match event {
                    Event::Move(step) => step.company == company && step.first == t,
                    Event::Wild(k, at) => (*k, *at) == (company, t),
                    _ => false,
                });
                if let Some(at) = present {
                    self.remove(at);
                }
                let candidates = self.candidates(company, t, present.is_none());
                if let Some(event) = choose(&candidates, source) {
                    self.insert(event);
                }
            }
            for company in 0..self.companies {
                self.toggle(Event::Odd(company, t), ODD.0, source);
            }
            if self.series.sight == Sight::OwnSales || self.companies > 1 {
                self.toggle(Event::Shock(t), SHOCK.0, source);
            }
        }
        self.relocate(source);
    }

    /// The best candidate of a company's month, if it is likelier than none.
    fn best(&mut self, company: usize, t: usize) -> Option<(Event, f64)> {
        let candidates = self.candidates(company, t, true).into_iter();
        candidates.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, weight)| *weight > 0.0)
    }

    /// A first set of moves: the likeliest first, those that are far enough apart in one go.
    fn largest_first(&mut self) {
        for _ in 0..MOST {
            let mut found = Vec::new();
            for t in 0..self.months {
                for company in 0..self.movers() {
                    let taken = |event: &Event| match event {
                        Event::Move(step) => (step.company, step.first) == (company, t),
                        Event::Wild(k, at) => (*k, *at) == (company, t),
                        _ => false,
                    };
                    if self.position(taken).is_none() {
                        found.extend(self.best(company, t).map(|(event, weight)| (weight, t, event)));
                    }
                }
            }
            if found.is_empty() {
                break;
            }
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut months: Vec<usize> = Vec::new();
            for (_, t, event) in found {
                if months.iter().all(|other| other.abs_diff(t) > 4) {
                    months.push(t);
                    self.insert(event);
                }
            }
        }
    }

    /// Four months with three moves or more: all of them anew, the likeliest first? The likelier set stays.
    fn crowds(&mut self) {
        for start in 0..self.months {
            let window = start..(start + 4).min(self.months);
            let inside = |event: &Event| match event {
                Event::Move(step) => window.contains(&step.first),
                Event::Wild(_, t) | Event::Odd(_, t) | Event::Shock(t) => window.contains(t),
                Event::OwnMonth(..) => false,
            };
            let moves = |active: &Active| matches!(active.event, Event::Move(_)) && inside(&active.event);
            if self.active.iter().filter(|active| moves(active)).count() < 3 {
                continue;
            }
            let (mut before, mut old) = (Vec::new(), 0.0);
            while let Some(at) = self.position(inside) {
                let (event, worth) = self.take_out(at);
                old += worth;
                before.push(event);
            }
            let mut new = 0.0;
            for _ in 0..before.len() + 2 {
                let mut best: Option<(Event, f64)> = None;
                for t in window.clone() {
                    for company in 0..self.movers() {
                        let here =
                            |event: &Event| matches!(event, Event::Move(s) if (s.company, s.first) == (company, t));
                        if self.position(here).is_some() {
                            continue;
                        }
                        if let Some(next) = self.best(company, t) {
                            if best.as_ref().is_none_or(|(_, weight)| next.1 > *weight) {
                                best = Some(next);
                            }
                        }
                    }
                }
                let Some((event, weight)) = best else { break };
                new += weight;
                self.insert(event);
            }
            if new < old {
                while let Some(at) = self.position(inside) {
                    self.remove(at);
                }
                before.into_iter().rev().for_each(|event| self.insert(event));
            }
        }
    }

    /// Windows of three months with one move of a company in them: which month, of which kind?
    fn relocate(&mut self, source: &mut Source) {
        let from = (source.uniform() * 3.0) as usize;
        for company in 0..self.movers() {
            let mut start = from;
            while start < self.months {
                let window = start..(start + 3).min(self.months);
                start = window.end;
                let inside = |active: &Active| matches!(&active.event, Event::Move(step) if step.company == company && window.contains(&step.first));
                if self.active.iter().filter(|active| inside(active)).count() != 1 {
                    continue;
                }
                let Some(at) = self.active.iter().position(inside) else { continue };
                self.remove(at);
                let mut candidates = Vec::new();
                for t in window.clone() {
                    candidates.extend(self.candidates(company, t, false));
                }
                if let Some(event) = choose(&candidates, source) {
                    self.insert(event);
                }
            }
        }
    }

    fn position(&self, of: impl Fn(&Event) -> bool) -> Option<usize> {
        self.active.iter().position(|active| of(&active.event))
    }

    /// Decides anew whether something other than a move is there.
    fn toggle(&mut self, event: Event, chance: f64, source: &mut Source) {
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
        let (_, h) = self.effect(&event);
        let log_odds = libm::log(chance / (1.0 - chance)) + self.evidence(&Vec::new(), &h);
        if source.uniform() < 1.0 / (1.0 + libm::exp(-log_odds)) {
            self.insert(event);
        }
    }

    /// Log of an event's evidence and prior as it is taken out.
    fn take_out(&mut self, at: usize) -> (Event, f64) {
        let event = self.remove(at);
        let (offset, h) = self.effect(&event);
        let prior = match &event {
            Event::Move(step) => {
                let density: f64 = step.kind.depths().iter().map(|&depth| depth_density(step.kind, depth)).sum();
                self.prior(step.company, step.first, step.kind) - libm::log(step.kind.lengths().len() as f64)
                    + libm::log(depth_density(step.kind, step.depth) / density)
            }
            Event::Odd(..) => log_odds(ODD.0),
            Event::Wild(..) => log_odds(WILD.0),
            Event::Shock(_) => log_odds(SHOCK.0),
            Event::OwnMonth(..) => log_odds(OWN_MONTH.0),
        };
        let value = prior + self.evidence(&offset, &h);
        (event, value)
    }

    /// A company's moves in the same month of three years or more, or a season of its own? The likelier stays.
    fn regular_or_season(&mut self) {
        for company in 0..self.movers() {
            for m in 0..12 {
                let series = self.series;
                let of_year = |t: usize| series.of_year[t] == m;
                let those = |event: &Event| match event {
                    Event::Move(step) => step.company == company && of_year(step.first),
                    Event::Odd(k, t) | Event::Wild(k, t) => *k == company && of_year(*t),
                    _ => false,
                };
                let season = Event::OwnMonth(company, m);
                let present = self.position(|event| *event == season);
                if present.is_none() && self.active.iter().filter(|active| those(&active.event)).count() < 3 {
                    continue;
                }
                let (mut events, mut value) = (Vec::new(), 0.0);
                while let Some(at) = self.position(&those) {
                    let (event, worth) = self.take_out(at);
                    value += worth;
                    events.push(event);
                }
                let (_, h) = self.effect(&season);
                let of_season = match present {
                    Some(_) => {
                        let at = self.position(|event| *event == season);
                        let worth = at.map_or(0.0, |at| self.take_out(at).1);
                        // The account by moves, which is not there, is made.
                        (events, value) = (Vec::new(), 0.0);
                        for t in (0..self.months).filter(|&t| of_year(t)) {
                            if let Some((event, weight)) = self.best(company, t) {
                                self.insert(event.clone());
                                events.push(event);
                                value += weight;
                            }
                        }
                        while let Some(at) = self.position(&those) {
                            self.remove(at);
                        }
                        worth
                    }
                    None => log_odds(OWN_MONTH.0) + self.evidence(&Vec::new(), &h),
                };
                if of_season > value {
                    self.insert(season);
                } else {
                    events.into_iter().for_each(|event| self.insert(event));
                }
            }
        }
    }

    /// A load whose dip an odd month of the category hides, or an odd figure alone? The likelier stays.
    fn load_or_odd(&mut self) {
        for t in 0..self.months.saturating_sub(1) {
            for company in 0..self.movers() {
                let load = |event: &Event| {
                    matches!(event, Event::Move(step)
                        if step.kind == Kind::Loading && step.company == company && step.first == t)
                };
                let hidden = Event::Shock(t + 1);
                let (Some(_), Some(at)) = (self.position(load), self.position(|event| *event == hidden)) else {
                    continue;
                };
                let (shock, of_shock) = self.take_out(at);
                let Some(at) = self.position(load) else { continue };
                let (step, of_load) = self.take_out(at);
                let wild = Event::Wild(company, t);
                let (_, h) = self.effect(&wild);
                if log_odds(WILD.0) + self.evidence(&Vec::new(), &h) > of_load + of_shock {
                    self.insert(wild);
                } else {
                    self.insert(step);
                    self.insert(shock);
                }
            }
        }
    }

    /// Depths, shares, demand and noise anew, given the moves that are there.
    fn learn(&mut self) {
        let events: Vec<Event> = self
            .active
            .iter()
            .map(|active| match &active.event {
                Event::Move(step) => {
                    let shifted = step.depth * libm::exp(STEP * self.coefficient(&active.h).0);
                    let depths = step.kind.depths();
                    Event::Move(Move { depth: shifted.clamp(0.5 * depths[0], 1.5 * depths[depths.len() - 1]), ..*step })
                }
                other => other.clone(),
            })
            .collect();
        let mut own_months = vec![[0.0; 12]; self.companies];
        for active in &self.active {
            if let Event::OwnMonth(k, m) = active.event {
                own_months[k][m] = OWN_MONTH.1 * self.coefficient(&active.h).0;
            }
        }
        let nothing = vec![vec![0.0; self.months]; self.companies];
        let entered = |shares: Vec<Vec<f64>>, before: Vec<f64>, all: bool| {
            let mut books = Books::new(shares, before);
            for event in events.iter().filter(|_| all) {
                if let Event::Move(step) = event {
                    books.enter(step, 1.0);
                }
            }
            books
        };
        // What moves do depends on the shares and on demand, which depend on what moves do.
        let mut pulled = vec![0.0; self.months];
        self.q.iter().enumerate().for_each(|(i, q)| pulled[i / self.companies] += q);
        let common = self.noise.expected(&pulled);
        let before: Vec<f64> = (0..self.months)
            .map(|t| if t > 0 { libm::exp((common[t - 1] - common[t]).clamp(-0.7, 0.7)) } else { 1.0 })
            .collect();
        let mut clean = nothing;
        let mut books = self.books.clone();
        for _ in 0..2 {
            for t in 0..self.months {
                let mut m = Vec::new();
                books.month(t, &mut m);
                for (k, m) in m.iter().enumerate() {
                    clean[k][t] = self.series.sales[k][t] * libm::exp(-m);
                }
            }
            books = entered(shares(&clean), before.clone(), true);
        }
        for (odd, sales) in self.noise.odd.iter_mut().zip(&self.series.sales) {
            odd.iter_mut().zip(sales).for_each(|(odd, &x)| *odd = if x >= 0.0 { 0.0 } else { UNKNOWN });
        }
        for (t, shock) in self.noise.shocks.iter_mut().enumerate() {
            // Where little is left to order, what is left is known badly.
            let eaten = books.eaten(t);
            let unsure = UNSURE * eaten / (1.0 - eaten);
            *shock = unsure * unsure;
        }
        for event in &events {
            match *event {
                Event::Odd(k, t) => self.noise.odd[k][t] += ODD.1 * ODD.1,
                Event::Wild(k, t) => self.noise.odd[k][t] += WILD.1 * WILD.1,
                Event::Shock(t) => self.noise.shocks[t] += SHOCK.1 * SHOCK.1,
                _ => {}
            }
        }
        let mut residuals = self.z.clone();
        for t in 0..self.months {
            let mut m = Vec::new();
            books.month(t, &mut m);
            for (k, m) in m.iter().enumerate() {
                residuals[k][t] -= m + own_months[k][self.series.of_year[t]];
            }
        }
        self.noise.climb(&residuals);
        // Odd figures and months are events of the chain again, not variances.
        for event in &events {
            match *event {
                Event::Odd(k, t) => self.noise.odd[k][t] -= ODD.1 * ODD.1,
                Event::Wild(k, t) => self.noise.odd[k][t] -= WILD.1 * WILD.1,
                Event::Shock(t) => self.noise.shocks[t] -= SHOCK.1 * SHOCK.1,
                _ => {}
            }
        }
        self.books = entered(books.shares().to_vec(), books.before().to_vec(), false);
        self.rebuild(events);
    }
}

fn log_odds(chance: f64) -> f64 {
    libm::log(chance / (1.0 - chance))
}

/// Prior density of the log of a depth, not normalised.
fn depth_density(kind: Kind, depth: f64) -> f64 {
    let x = libm::log(depth / kind.usual()) / DEPTH_SD;
    libm::exp(-0.5 * x * x)
}

/// `(a - b) * factor` of effects on the same figures.
fn differ(a: &Sparse, b: &Sparse, factor: f64) -> Sparse {
    a.iter().zip(b).map(|(&(i, a), &(_, b))| (i, (a - b) * factor)).collect()
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

/// Shares of the companies, smoothed by a running median of 13 months.
fn shares(sales: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let months = sales.first().map_or(0, Vec::len);
    let total: Vec<f64> = (0..months).map(|t| sales.iter().map(|s| s[t]).sum::<f64>().max(1e-300)).collect();
    let mut out: Vec<Vec<f64>> = sales
        .iter()
        .map(|s| {
            let share = |u: usize| s[u] / total[u];
            (0..months)
                .map(|t| median((t.saturating_sub(6)..(t + 7).min(months)).map(share).collect()).max(1e-4))
                .collect()
        })
        .collect();
    for t in 0..months {
        let sum: f64 = out.iter().map(|s: &Vec<f64>| s[t]).sum();
        out.iter_mut().for_each(|s| s[t] /= sum);
    }
    out
}

/// Robust deviation of a company's logs from what it shares with the others (the month's median of all), without drift.
fn robust_scatter(z: &[Vec<f64>], company: usize) -> f64 {
    let months = z[company].len();
    let own: Vec<f64> = if z.len() > 2 {
        (0..months).map(|t| z[company][t] - median(z.iter().map(|z| z[t]).collect())).collect()
    } else if z.len() == 2 {
        (0..months).map(|t| 0.7 * (z[company][t] - z[1 - company][t])).collect()
    } else {
        return 0.01;
    };
    let steps: Vec<f64> = own.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    1.4826 * median(steps) / std::f64::consts::SQRT_2
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { 0.5 * (values[middle - 1] + values[middle]) }
}
