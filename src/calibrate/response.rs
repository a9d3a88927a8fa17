//! The likelihood of our contacts' effect on own sales, over all customers that ever bought from us.
//!
//! Own sales of customer i in month t, in orders of `order_unit` φ:
//!
//! `y_it / φ ~ Poisson(A_i λ_gt r_it / φ)`, `r_it = w_it share(appeal_i + G_it) / share(appeal_i)`
//!
//! with G the goodwill of [`crate::simulate::mechanisms::goodwill`] driven by the observed contacts, `share` that of
//! [`crate::simulate::mechanisms::choice`] averaged over customers' tastes ([`super::curve`]), w the probability that the customer was buying from us
//! ([`crate::calibrate::observed`]), and λ the months' ups and downs of the customer's group of territories, free of
//! any shape. `appeal_i = appeal + κ_a called_i`, with called_i the log of how often it is called on beside its neighbours ([`super::called`]), `appeal` such that customers with the usual contacts give us the share
//! of wallet: reps call more on those who like us, whom contacts can move less, which would else look as if contacts wore off
//! faster than they do (Mundlak 1978, of the slope as of the level).
//!
//! A_i ~ gamma integrates out in closed form to a negative multinomial, which is exactly
//!
//! `negative binomial(K_i) x multinomial(y_i1, ..., y_iT | K_i)`, `K_i = sum_t y_it`,
//! multinomial shares `λ_t r_it / F_i`, `F_i = sum_t λ_t r_it`.
//!
//! Effects are learnt from the second factor alone, the comparison of a customer with itself (the conditional
//! likelihood of Hausman, Hall & Griliches 1984); the first compares customers with one another. Reps call on good
//! customers more often, so that comparison would count their judgement as their effect. This is the correlated-effects
//! regression of Mundlak (1978) with a regression free enough to take up all differences between customers. The first
//! factor is used, given the effects, for the customers' own rates ([`crate::calibrate::effects`]).
//!
//! λ is profiled out by iterative proportional fitting: `A_i = K_i / F_i`, `λ_gt = Y_gt / sum_i A_i r_it`; two-way Poisson
//! effects cost no bias (Fernández-Val & Weidner 2016). Standard errors are clustered ([`super::clustering`]).

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::calibrate::curve::Curve;
use crate::calibrate::observed::Observed;
use crate::calibrate::posterior::Draw;
use crate::calibrate::shock::Months;
use crate::channel::Channel;
use crate::simulate::mechanisms::goodwill::Goodwill;

/// A point of the parameter space.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub goodwill: Goodwill,
    /// Share of wallet of a served customer with the usual contacts.
    pub share: f64,
    /// Deviation of log odds of us between served customers.
    pub taste: f64,
    /// Change of a customer's log odds of us by the log of how often it is called on, beside its neighbours.
    pub liking: f64,
    /// Placebo: log odds added by next month's contacts. 0 in the model.
    pub lead: f64,
}

impl Point {
    /// Of a draw.
    pub fn of(draw: &Draw) -> Self {
        let share = draw.value("choice.share_of_wallet").unwrap_or(0.5).clamp(1e-4, 0.999);
        let taste = draw.value("choice.taste").unwrap_or(0.0);
        let liking = draw.value("choice.calls_follow_taste").unwrap_or(0.0);
        Self { goodwill: draw.parameters.goodwill, share, taste, liking, lead: 0.0 }
    }
}

/// What an evaluation found.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Sum over customers of `sum_t y_it log(λ_t r_it / F_i)`: the log likelihood times the order unit.
    pub value: f64,
    /// `[group][month]`: λ.
    pub month_effects: Vec<Vec<f64>>,
    /// The same by customer; empty unless asked for.
    pub by_customer: Vec<f64>,
}

impl Observed {
    /// Our share by goodwill, such that the usual contacts lead to the point's share of wallet.
    pub fn curve(&self, point: &Point) -> Curve {
        let lifts: f64 = self
            .contacts
            .iter()
            .map(|contacts| {
                let mean: f64 = contacts.usual.iter().map(|&(x, share)| point.goodwill.saturate(x) * share).sum();
                point.goodwill.effect[contacts.channel.index()] * mean
            })
            .sum();
        Curve::new(point.share, point.taste, lifts / (1.0 - point.goodwill.decay))
    }

    /// Goodwill of a customer by month, from its observed contacts.
    pub fn goodwill(&self, customer: usize, goodwill: &Goodwill, out: &mut [f64]) {
        self.goodwill_of(customer, goodwill, &|_, _| true, out);
    }

    /// The same without the contacts of a channel in these months.
    pub fn goodwill_without(
        &self,
        customer: usize,
        goodwill: &Goodwill,
        channel: Channel,
        months: std::ops::Range<usize>,
        out: &mut [f64],
    ) {
        self.goodwill_of(customer, goodwill, &|of, t| of != channel || !months.contains(&t), out);
    }

    /// Goodwill from the contacts that count.
    fn goodwill_of(
        &self,
        customer: usize,
        goodwill: &Goodwill,
        counts: &impl Fn(Channel, usize) -> bool,
        out: &mut [f64],
    ) {
        let mut steady = [0.0; Channel::COUNT];
        for contacts in &self.contacts {
            steady[contacts.channel.index()] = f64::from(contacts.before[customer]);
        }
        let mut now = goodwill.steady(&steady);
        let from = usize::from(self.known_from[customer]);
        out.fill(0.0);
        for contacts in &self.contacts {
            let row = &contacts.by_month[customer * self.months..(customer + 1) * self.months];
            for (t, &x) in row.iter().enumerate() {
                if x > 0.0 && counts(contacts.channel, t) {
                    out[t] += goodwill.lift(contacts.channel, f64::from(x));
                }
            }
        }
        for (t, slot) in out.iter_mut().enumerate() {
            now = if t < from { 0.0 } else { goodwill.step(now, *slot) };
            *slot = now;
        }
    }

    /// `w_it share(appeal_i + G_it) / share(appeal_i)` of a customer, by month. `scratch` is as long.
    fn response(&self, customer: usize, point: &Point, curve: &Curve, scratch: &mut [f64], out: &mut [f64]) {
        self.goodwill(customer, &point.goodwill, scratch);
        if point.lead != 0.0 {
            for contacts in &self.contacts {
                let row = &contacts.by_month[customer * self.months..(customer + 1) * self.months];
                for t in 0..self.months - 1 {
                    scratch[t] += point.lead * point.goodwill.saturate(f64::from(row[t + 1]));
                }
            }
        }
        let liking = point.liking * self.called[customer];
        let base = curve.share(liking);
        for ((slot, &goodwill), &weight) in out.iter_mut().zip(scratch.iter()).zip(self.weights(customer)) {
            *slot = if weight > 0.0 { f64::from(weight) * curve.share(liking + goodwill) / base } else { 0.0 };
        }
    }

    /// What contacts do to each customer's sales, over its mean in the months in which it was ours: `[customer * months + month]`, 1 for one
    /// that never bought.
    pub fn relative_responses(&self, point: &Point) -> Vec<f32> {
        let curve = self.curve(point);
        let months = self.months;
        let mut out = vec![1.0_f32; self.customers * months];
        out.par_chunks_mut(months.max(1)).enumerate().filter(|(i, _)| self.bought[*i]).for_each(|(i, row)| {
            let mut goodwill = vec![0.0; months];
            self.goodwill(i, &point.goodwill, &mut goodwill);
            let liking = point.liking * self.called[i];
            let shares: Vec<f64> = goodwill.iter().map(|goodwill| curve.share(liking + goodwill)).collect();
            let (mut sum, mut weight) = (0.0, 0.0);
            for (share, served) in shares.iter().zip(self.weights(i)) {
                sum += share * f64::from(*served);
                weight += f64::from(*served);
            }
            if sum > 0.0 {
                row.iter_mut().zip(shares).for_each(|(slot, share)| *slot = (share * weight / sum) as f32);
            }
        });
        out
    }

    /// The log likelihood (times the order unit) at a point, λ profiled out from `start` by `rounds` of fitting.
    pub fn evaluate(&self, point: &Point, start: Option<&[Vec<f64>]>, rounds: usize, by_customer: bool) -> Evaluation {
        let curve = self.curve(point);
        let groups: Vec<(f64, Vec<f64>, Vec<f64>)> = self
            .groups
            .par_iter()
            .enumerate()
            .map(|(g, range)| {
                let fitted =
                    self.fit_group(range.clone(), point, &curve, start.map(|start| start[g].as_slice()), rounds);
                (fitted.by_customer.iter().sum(), fitted.month_effects, fitted.by_customer)
            })
            .collect();
        let mut out =
            Evaluation { value: 0.0, month_effects: Vec::with_capacity(groups.len()), by_customer: Vec::new() };
        for (value, month_effects, customers) in groups {
            out.value += value;
            out.month_effects.push(month_effects);
            if by_customer {
                out.by_customer.extend(customers);
            }
        }
        out
    }

    /// One group's months fitted.
    pub(super) fn fit_group(
        &self,
        range: std::ops::Range<usize>,
        point: &Point,
        curve: &Curve,
        start: Option<&[f64]>,
        rounds: usize,
    ) -> GroupFit {
        let months = self.months;
        let mut scratch = vec![0.0; months];
        let mut responses = vec![0.0; range.len() * months];
        let mut sold = vec![0.0; range.len()];
        let mut by_month = vec![0.0; months];
        for (n, i) in range.clone().enumerate() {
            if !self.bought[i] {
                continue;
            }
            self.response(i, point, curve, &mut scratch, &mut responses[n * months..(n + 1) * months]);
            for (t, y) in self.sales(i) {
                sold[n] += y;
                by_month[t] += y;
            }
        }
        let mut effects = start.map_or_else(|| vec![1.0; months], <[f64]>::to_vec);
        let mut expected = vec![0.0; months];
        for _ in 0..rounds {
            expected.fill(0.0);
            for (n, &total) in sold.iter().enumerate() {
                if total <= 0.0 {
                    continue;
                }
                let row = &responses[n * months..(n + 1) * months];
                let exposure: f64 = row.iter().zip(&effects).map(|(r, effect)| r * effect).sum();
                if exposure > 0.0 {
                    let rate = total / exposure;
                    for (sum, r) in expected.iter_mut().zip(row) {
                        *sum += rate * r;
                    }
                }
            }
            for (effect, (&y, &e)) in effects.iter_mut().zip(by_month.iter().zip(&expected)) {
                // A month without sales has no finite effect; this one is small enough to stay out of every sum.
                *effect = if e > 0.0 { (y / e).max(1e-9) } else { 1.0 };
            }
        }
        let mut by_customer = vec![0.0; range.len()];
        for (n, i) in range.enumerate() {
            if sold[n] <= 0.0 {
                continue;
            }
            let row = &responses[n * months..(n + 1) * months];
            let exposure: f64 = row.iter().zip(&effects).map(|(r, effect)| r * effect).sum();
            if exposure <= 0.0 {
                continue;
            }
            let observed: f64 = self.sales(i).map(|(t, y)| y * libm::log((effects[t] * row[t]).max(1e-300))).sum();
            by_customer[n] = observed - sold[n] * libm::log(exposure);
        }
        GroupFit { month_effects: effects, by_customer, responses, sold }
    }

    /// `sum over months of discounted relative_t r_it` and of discounted sales, for every customer; and goodwill at the
    /// end. `discount[t]` is what month t still tells about today, `conversion` the effect of goodwill on the log hazard of
    /// being won.
    pub fn exposures(&self, point: &Point, relative: &[f64], discount: &[f64], conversion: f64) -> Exposures {
        /// Probability below which a customer-month in which it could be won is left out.
        const HARDLY: f32 = 1e-3;
        let curve = self.curve(point);
        let months = self.months;
        let parts: Vec<Exposures> = self
            .groups
            .par_iter()
            .map(|range| {
                let mut out = Exposures::default();
                let (mut scratch, mut row) = (vec![0.0; months], vec![0.0; months]);
                for i in range.clone() {
                    if self.bought[i] {
                        self.response(i, point, &curve, &mut scratch, &mut row);
                    } else {
                        self.goodwill(i, &point.goodwill, &mut scratch);
                        row.fill(0.0);
                    }
                    let lapsed = &self.lapsed[i * months..(i + 1) * months];
                    for (&lapsed, goodwill) in lapsed.iter().zip(&scratch).filter(|(lapsed, _)| **lapsed > HARDLY) {
                        out.won.0 += f64::from(lapsed) * libm::exp((conversion * goodwill).clamp(-3.0, 3.0));
                        out.won.1 += f64::from(lapsed);
                    }
                    let goodwill = scratch[months - 1];
                    let sum: f64 = row.iter().zip(relative).zip(discount).map(|((r, f), d)| r * f * d).sum();
                    out.exposure.push(sum);
                    out.goodwill.push(goodwill);
                    let liking = point.liking * self.called[i];
                    out.today.push(curve.share(liking + goodwill) / curve.share(liking));
                }
                out
            })
            .collect();
        let mut out = Exposures::default();
        for part in parts {
            out.exposure.extend(part.exposure);
            out.goodwill.extend(part.goodwill);
            out.today.extend(part.today);
            out.won = (out.won.0 + part.won.0, out.won.1 + part.won.1);
        }
        out
    }

    /// Every k-th group, so that about `customers` customers are left; the whole where there are no more, or too few groups.
    pub fn thinned(&self, customers: usize) -> Self {
        let every = self.customers.div_ceil(customers.max(1));
        let groups: Vec<_> = self.groups.iter().step_by(every).cloned().collect();
        if every < 2 || groups.len() < 4 { self.clone() } else { Self { groups, ..self.clone() } }
    }

    /// The same sales beside the contacts of another customer of the group, half of it away.
    pub fn with_neighbours_contacts(&self) -> Self {
        let mut out = self.clone();
        let months = self.months;
        for contacts in &mut out.contacts {
            for range in &self.groups {
                let half = range.len() / 2;
                contacts.by_month[range.start * months..range.end * months].rotate_left(half * months);
                contacts.before[range.clone()].rotate_left(half);
            }
        }
        out
    }

    /// Customers with sales that count, in the groups that are looked at.
    pub fn buyers(&self) -> usize {
        self.groups.iter().flat_map(Clone::clone).filter(|&i| self.start[i + 1] > self.start[i]).count()
    }

    /// Pooled months: own sales by month and what they would be at λ = 1, given customers' rates fitted with months
    /// common to all. The input of [`crate::calibrate::season`].
    pub fn pooled(&self, point: &Point) -> (Vec<f64>, Vec<f64>) {
        let everyone = Self { groups: std::iter::once(0..self.customers).collect(), ..self.clone() };
        let fitted = everyone.fit_group(0..self.customers, point, &self.curve(point), None, 30);
        let mut total = vec![0.0; self.months];
        let mut exposure = vec![0.0; self.months];
        for i in 0..self.customers {
            if fitted.sold[i] <= 0.0 {
                continue;
            }
            let row = &fitted.responses[i * self.months..(i + 1) * self.months];
            let fit: f64 = row.iter().zip(&fitted.month_effects).map(|(r, e)| r * e).sum();
            for (t, y) in self.sales(i) {
                total[t] += y;
            }
            for (sum, r) in exposure.iter_mut().zip(row) {
                *sum += fitted.sold[i] / fit.max(1e-300) * r;
            }
        }
        (total, exposure)
    }

    /// A customer's mean by month at a rate of 1, with the months' path relative to the end of the history.
    /// `curve`: that of the point.
    pub fn mean_at_unit_rate(&self, customer: usize, point: &Point, curve: &Curve, relative: &[f64]) -> Vec<f64> {
        let (mut scratch, mut row) = (vec![0.0; self.months], vec![0.0; self.months]);
        self.response(customer, point, curve, &mut scratch, &mut row);
        row.iter().zip(relative).map(|(r, f)| r * f).collect()
    }

    /// A customer's mean by month while it is served, at a rate of 1 at today's goodwill.
    /// `curve`: that of the point.
    pub fn means_relative_to_today(&self, customer: usize, point: &Point, curve: &Curve, relative: &[f64]) -> Vec<f64> {
        let mut goodwill = vec![0.0; self.months];
        self.goodwill(customer, &point.goodwill, &mut goodwill);
        let share = |goodwill: f64| curve.share(point.liking * self.called[customer] + goodwill);
        let today = share(goodwill[self.months - 1]).max(1e-12);
        goodwill.iter().zip(relative).map(|(&g, f)| f * share(g) / today).collect()
    }

    /// Own sales of each territory by month, and what its customers' rates and the pooled months lead to expect.
    pub fn territory_months(&self, point: &Point) -> Vec<Months> {
        let everyone = Self { groups: std::iter::once(0..self.customers).collect(), ..self.clone() };
        let fitted = everyone.fit_group(0..self.customers, point, &self.curve(point), None, 30);
        let months = self.months;
        self.territories
            .iter()
            .map(|range| {
                let mut out = Months { total: vec![0.0; months], expected: vec![0.0; months] };
                for i in range.clone().filter(|&i| fitted.sold[i] > 0.0) {
                    let row = &fitted.responses[i * months..(i + 1) * months];
                    let fit: f64 = row.iter().zip(&fitted.month_effects).map(|(r, e)| r * e).sum();
                    for (t, y) in self.sales(i) {
                        out.total[t] += y;
                    }
                    for (t, r) in row.iter().enumerate() {
                        out.expected[t] += fitted.sold[i] / fit.max(1e-300) * r * fitted.month_effects[t];
                    }
                }
                out
            })
            .collect()
    }

    /// Scores of the profile likelihood by customer (times the order unit): derivatives of each customer's part with λ
    /// following along, so that the sum of their products is the variance clustered by customer.
    pub fn scores(
        &self,
        at: &DVector<f64>,
        widths: &[f64],
        point: &(dyn Fn(&DVector<f64>) -> Point + Sync),
        effects: &[Vec<f64>],
    ) -> DMatrix<f64> {
        let n = at.len();
        let customers = self.groups.iter().map(ExactSizeIterator::len).sum();
        let mut out = DMatrix::zeros(n, customers);
        for k in 0..n {
            let step = 0.25 * widths[k];
            let (mut up, mut down) = (at.clone(), at.clone());
            up[k] += step;
            down[k] -= step;
            let up = self.evaluate(&point(&up), Some(effects), 6, true);
            let down = self.evaluate(&point(&down), Some(effects), 6, true);
            for (i, (up, down)) in up.by_customer.iter().zip(&down.by_customer).enumerate() {
                out[(k, i)] = (up - down) / (2.0 * step);
            }
        }
        out
    }
}

/// See [`Observed::exposures`]; all by customer.
#[derive(Debug, Clone, Default)]
pub struct Exposures {
    pub exposure: Vec<f64>,
    /// At the end of the history.
    pub goodwill: Vec<f64>,
    /// Response at the end of the history, relative to zero goodwill.
    pub today: Vec<f64>,
    /// Sum of `exp(effect G)` over the customer-months in which customers could be won (back), each with the probability that it could, and of these
    /// probabilities.
    won: (f64, f64),
}

impl Exposures {
    /// What the hazard of conversion was on average, over that at no goodwill. 1 where nobody could be won.
    pub fn lift_of_conversion(&self) -> f64 {
        if self.won.1 > 1e-9 { self.won.0 / self.won.1 } else { 1.0 }
    }
}

pub(super) struct GroupFit {
    pub month_effects: Vec<f64>,
    by_customer: Vec<f64>,
    /// `[customer][month]`.
    pub responses: Vec<f64>,
    sold: Vec<f64>,
}
