//! The state of the sampler: the moves that are there, and what each further one would be worth.
//!
//! The precision `P` of all figures has the depths of the moves that are there integrated: entering a move with the effect
//! `h` of one [`STEP`] of log depth turns the covariance to `Σ + h h'`, so `P' = P - P h h' P / (1 + h' P h)`, and taking it out
//! `P' = P + P h h' P / (1 - h' P h)`. With residuals r and `q = P r` a candidate that changes the mean by o is worth
//! `o'q - o'Po / 2 + (h'q - h'Po)² / (2 (1 + h'Ph)) - log(1 + h'Ph) / 2` more than none, in logs.

use super::learn::{robust_scatter, shares};
use super::moves::{Books, DEPTH_SD, Kind, Move, STEP};
use super::noise::Noise;
use super::rates::{Rates, log_odds};
use super::{Series, Sight};

/// A month whose best candidate is fewer deviations from nothing is left alone.
pub(super) const WORTH_A_LOOK: f64 = 2.2;
/// Chance that a figure is odd, and deviation of its log.
pub(super) const ODD: (f64, f64) = (0.01, 0.12);
/// The same of one that is far off.
pub(super) const WILD: (f64, f64) = (0.002, 0.6);
/// The same of a month of the whole category.
pub(super) const SHOCK: (f64, f64) = (0.006, 0.15);
/// The same of a month of the year in which a company has a season of its own.
pub(super) const OWN_MONTH: (f64, f64) = (0.03, 0.3);

/// Changes of a few figures.
pub(super) type Sparse = Vec<(usize, f64)>;

/// Something that is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
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

/// Of each of these at most one begins in a company's month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A load, or a figure that is far off.
    Figure,
    /// Anything else that a company does.
    Push,
}

impl Slot {
    pub(super) const ALL: [Self; 2] = [Self::Figure, Self::Push];

    pub(super) fn of(kind: Kind) -> Self {
        if kind == Kind::Loading { Self::Figure } else { Self::Push }
    }

    pub(super) fn other(self) -> Self {
        if self == Self::Figure { Self::Push } else { Self::Figure }
    }
}

impl Event {
    /// Company, month and slot in which it begins; `None` of what no company does.
    pub(super) fn begins(&self) -> Option<(usize, usize, Slot)> {
        match self {
            Self::Move(step) => Some((step.company, step.first, Slot::of(step.kind))),
            Self::Wild(company, t) => Some((*company, *t, Slot::Figure)),
            _ => None,
        }
    }

    /// Chance beforehand of one that is no move, and deviation of its log; `None` of a move.
    pub(super) fn odd(&self) -> Option<(f64, f64)> {
        match self {
            Self::Move(_) => None,
            Self::Odd(..) => Some(ODD),
            Self::Wild(..) => Some(WILD),
            Self::Shock(_) => Some(SHOCK),
            Self::OwnMonth(..) => Some(OWN_MONTH),
        }
    }
}

pub(super) struct Active {
    pub(super) event: Event,
    pub(super) h: Sparse,
}

pub(super) struct Chain<'a> {
    pub(super) series: &'a Series,
    /// Logs less their mean by company.
    pub(super) z: Vec<Vec<f64>>,
    pub(super) companies: usize,
    pub(super) months: usize,
    pub(super) n: usize,
    pub(super) precision: Vec<f64>,
    /// Residuals and P times them.
    pub(super) r: Vec<f64>,
    pub(super) q: Vec<f64>,
    pub(super) books: Books,
    pub(super) active: Vec<Active>,
    pub(super) noise: Noise,
    pub(super) rates: Rates,
}

impl<'a> Chain<'a> {
    pub(super) fn new(series: &'a Series) -> Self {
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
        noise.nothing_odd(&series.sales);
        let books = Books::new(shares(&series.sales), vec![1.0; months]);
        let n = companies * months;
        let (r, q) = (vec![0.0; n], vec![0.0; n]);
        let movers = if series.sight == Sight::Panel { companies } else { 1 };
        let (precision, active, rates) = (Vec::new(), Vec::new(), Rates::new(movers, months));
        let mut chain = Self { series, z, companies, months, n, precision, r, q, books, active, noise, rates };
        chain.rebuild(Vec::new());
        chain
    }

    /// Everything anew from the noise, the books and these events.
    pub(super) fn rebuild(&mut self, events: Vec<Event>) {
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

    pub(super) fn multiply(&mut self) {
        for (q, row) in self.q.iter_mut().zip(self.precision.chunks_exact(self.n)) {
            *q = row.iter().zip(&self.r).map(|(p, r)| p * r).sum();
        }
    }

    /// What an event adds to the mean, and one deviation of its size, given all others.
    pub(super) fn effect(&mut self, event: &Event) -> (Sparse, Sparse) {
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
    pub(super) fn offsets(&mut self, step: Move, depths: &[f64]) -> Vec<Sparse> {
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
    pub(super) fn form(&self, a: &Sparse, b: &Sparse) -> f64 {
        a.iter().map(|&(i, x)| x * b.iter().map(|&(j, y)| self.precision[i * self.n + j] * y).sum::<f64>()).sum()
    }

    pub(super) fn dot(&self, a: &Sparse) -> f64 {
        a.iter().map(|&(i, x)| x * self.q[i]).sum()
    }

    /// Log of the evidence for an event over that for none.
    pub(super) fn evidence(&self, offset: &Sparse, h: &Sparse) -> f64 {
        let gain = self.dot(offset) - 0.5 * self.form(offset, offset);
        let pull = self.dot(h) - self.form(h, offset);
        let spread = 1.0 + self.form(h, h);
        gain + 0.5 * pull * pull / spread - 0.5 * libm::log(spread)
    }

    /// `P h`.
    pub(super) fn times(&self, h: &Sparse) -> Vec<f64> {
        let mut ph = vec![0.0; self.n];
        for &(j, x) in h {
            // P is symmetric.
            let row = &self.precision[j * self.n..][..self.n];
            ph.iter_mut().zip(row).for_each(|(sum, p)| *sum += p * x);
        }
        ph
    }

    /// Adds `factor * (P h)(P h)'` to the precision.
    pub(super) fn update(&mut self, h: &Sparse, sign: f64) {
        let ph = self.times(h);
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

    pub(super) fn shift(&mut self, offset: &Sparse, sign: f64) {
        for &(i, x) in offset {
            self.r[i] += sign * x;
            let row = &self.precision[i * self.n..][..self.n];
            self.q.iter_mut().zip(row).for_each(|(q, p)| *q += sign * x * p);
        }
    }

    pub(super) fn insert(&mut self, event: Event) {
        let (offset, h) = self.effect(&event);
        self.shift(&offset, -1.0);
        self.update(&h, 1.0);
        if let Event::Move(step) = &event {
            self.books.enter(step, 1.0);
        }
        self.active.push(Active { event, h });
    }

    pub(super) fn remove(&mut self, at: usize) -> Event {
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
    pub(super) fn coefficient(&self, h: &Sparse) -> (f64, f64) {
        (self.dot(h), 1.0 - self.form(h, h))
    }

    pub(super) fn kinds(&self) -> &'static [Kind] {
        match self.series.sight {
            Sight::Panel => &[Kind::Loading, Kind::Campaign, Kind::Stockout],
            Sight::OwnSales => &[Kind::Dip],
        }
    }

    pub(super) fn movers(&self) -> usize {
        if self.series.sight == Sight::Panel { self.companies } else { 1 }
    }

    pub(super) fn position(&self, of: impl Fn(&Event) -> bool) -> Option<usize> {
        self.active.iter().position(|active| of(&active.event))
    }

    /// Where what begins in a company's month stands.
    pub(super) fn beginning(&self, company: usize, t: usize, slot: Slot) -> Option<usize> {
        self.position(|event| event.begins() == Some((company, t, slot)))
    }

    /// Slots of a company's month in which nothing begins.
    pub(super) fn free(&self, company: usize, t: usize) -> Vec<Slot> {
        Slot::ALL.into_iter().filter(|&slot| self.beginning(company, t, slot).is_none()).collect()
    }

    /// Log of an event's evidence and prior as it is taken out.
    pub(super) fn take_out(&mut self, at: usize) -> (Event, f64) {
        let event = self.remove(at);
        let (offset, h) = self.effect(&event);
        let prior = match &event {
            Event::Move(step) => {
                let density: f64 = step.kind.depths().iter().map(|&depth| depth_density(step.kind, depth)).sum();
                self.prior(step.company, step.first, step.kind) - libm::log(step.kind.lengths().len() as f64)
                    + libm::log(depth_density(step.kind, step.depth) / density)
            }
            other => other.odd().map_or(0.0, |(chance, _)| log_odds(chance)),
        };
        let value = prior + self.evidence(&offset, &h);
        (event, value)
    }

    /// Log of the evidence and prior of an event that is no move and is not there.
    pub(super) fn worth_of_odd(&mut self, event: &Event) -> f64 {
        let (offset, h) = self.effect(event);
        event.odd().map_or(0.0, |(chance, _)| log_odds(chance)) + self.evidence(&offset, &h)
    }

    /// Log prior odds of a kind of move in a company's month, given all that is there.
    pub(super) fn prior(&self, company: usize, t: usize, kind: Kind) -> f64 {
        let others = self.active.iter().filter_map(|active| match &active.event {
            Event::Move(step) if step.kind == kind && (step.company, step.first) != (company, t) => Some(step),
            _ => None,
        });
        if kind != Kind::Loading {
            return self.rates.even(kind, others.count());
        }
        let mut cells = vec![0; 12 * self.companies];
        others.for_each(|step| cells[12 * step.company + self.series.of_year[step.first]] += 1);
        let same = std::mem::take(&mut cells[12 * company + self.series.of_year[t]]);
        cells.retain(|&loads| loads > 0);
        self.rates.loading(same, &cells)
    }

    /// All candidates for some slots of a company's month with their log weights against none; empty where nothing is worth a look.
    pub(super) fn candidates(&mut self, company: usize, t: usize, slots: &[Slot], look: bool) -> Vec<(Event, f64)> {
        let (months, mut out) = (self.months, Vec::new());
        for &kind in self.kinds().iter().filter(|&&kind| slots.contains(&Slot::of(kind))) {
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
        if !out.is_empty() && self.series.sight == Sight::Panel && slots.contains(&Slot::Figure) {
            let wild = Event::Wild(company, t);
            let worth = self.worth_of_odd(&wild);
            out.push((wild, worth));
        }
        out
    }
}

/// Prior density of the log of a depth, not normalised.
pub(super) fn depth_density(kind: Kind, depth: f64) -> f64 {
    let x = libm::log(depth / kind.usual()) / DEPTH_SD;
    libm::exp(-0.5 * x * x)
}

/// `(a - b) * factor` of effects on the same figures.
pub(super) fn differ(a: &Sparse, b: &Sparse, factor: f64) -> Sparse {
    a.iter().zip(b).map(|(&(i, a), &(_, b))| (i, (a - b) * factor)).collect()
}
