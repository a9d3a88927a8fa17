//! The observed past in the layout of the likelihood: own sales with returns netted, contacts, and for every customer
//! and month the probability that it was buying from us.
//!
//! A month counts for as much as it is certain that the customer was ours then: nothing before it was won, all of the
//! months between its orders, and after its last order less and less, as [`crate::calibrate::alive`] reads its silence.
//! Counting a long silence after a customer left as zero demand would bend growth down and every rate with it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::calibrate::alive::{Alive, End, Past, Reading, Silence, Silences};
use crate::calibrate::called::log_call_levels;
use crate::channel::Channel;
use crate::market::Market;

/// Buying customers a group of territories has at least: their months share one set of month effects. Of what n customers say a
/// share 1 / n goes into the months. Territories pooled for less would have their own ups and downs taken for scatter of
/// orders.
const GROUP: usize = 12;

/// One channel's contacts.
#[derive(Debug, Clone)]
pub struct Contacts {
    pub channel: Channel,
    /// `[customer * months + month]`.
    pub by_month: Vec<f32>,
    /// Contacts a month that a customer is taken to have had before the history: its mean over the first year.
    pub before: Vec<f32>,
    /// Distinct numbers of contacts in the last 12 months with the share of sales that customers with them make: the share of wallet is that of customers
    /// by what they buy, and the large ones are called on more.
    pub usual: Vec<(f64, f64)>,
    /// Mean contacts a month in months with a contact: where elasticities are measured.
    pub reference: f64,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Observed {
    pub months: usize,
    pub customers: usize,
    /// Contiguous customers that share month effects.
    pub groups: Vec<Range<usize>>,
    /// Customers of each territory.
    pub territories: Vec<Range<usize>>,
    /// `[customer * months + month]`: probability that the customer was buying from us.
    pub weight: Vec<f32>,
    /// The same: probability that it could have been won (back), in the months that speak of it.
    pub lapsed: Vec<f32>,
    /// Customer i's months with sales are `start[i]..start[i + 1]`.
    pub start: Vec<usize>,
    pub month: Vec<u16>,
    /// Sales times weight, positive.
    pub amount: Vec<f64>,
    /// Month from which a customer's contacts count (it was not known before).
    pub known_from: Vec<u16>,
    /// Ordered at least once.
    pub bought: Vec<bool>,
    /// Channels with contacts.
    pub contacts: Vec<Contacts>,
    /// By customer: log of how often it is called on, over its neighbours ([`super::called`]). Reps choose whom they call on: those who like us too.
    pub called: Vec<f64>,
}

/// Own sales of one customer by month with returns set against the sales before them: nothing is negative.
///
/// What was returned was sold before, so a negative month is taken off the months before it, latest first; a rest that
/// no earlier sale covers (sold before the history) is dropped.
pub fn net_returns(entries: impl Iterator<Item = (usize, f64)>) -> Vec<(usize, f64)> {
    let mut out: Vec<(usize, f64)> = Vec::new();
    for (month, amount) in entries {
        if amount >= 0.0 {
            out.push((month, amount));
            continue;
        }
        let mut owed = -amount;
        for (_, earlier) in out.iter_mut().rev() {
            let taken = earlier.min(owed);
            *earlier -= taken;
            owed -= taken;
            if owed <= 0.0 {
                break;
            }
        }
    }
    out.retain(|&(_, amount)| amount > 0.0);
    out
}

/// What a customer's orders look like in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timeline {
    /// Month from which we know the customer (0 = before or at the start of the history).
    pub known: usize,
    /// First month after the watch: closed, or the end of the history.
    pub end: usize,
    /// A closing that is marked ended the watch.
    pub closing: bool,
    /// Months of the first and the last order.
    pub orders: Option<(usize, usize)>,
}

/// A customer's silences after its first order; `None` for one that never ordered.
pub fn silences(timeline: &Timeline, sales: &[(usize, f64)]) -> Option<Silences> {
    let orders: Vec<usize> = sales.iter().map(|&(month, _)| month).collect();
    Silences::of(&orders, timeline.end, timeline.closing)
}

/// The timelines of all customers, and their netted sales.
pub fn timelines(market: &Market) -> (Vec<Timeline>, Vec<Vec<(usize, f64)>>) {
    let months = market.months();
    (0..market.customer_count())
        .map(|i| {
            let sales = net_returns(market.sales.of(i));
            let position =
                |month: crate::units::Month| month.since(market.history.first).clamp(0, months as i32) as usize;
            let orders = sales.first().zip(sales.last()).map(|(first, last)| (first.0, last.0));
            let known = market.data.customers.first_known[i].map_or(0, position);
            let first_order = orders.map_or(months, |(first, _)| first);
            let end = market.data.customers.closed[i].map_or(months, |month| position(month) + 1).min(months);
            let timeline = Timeline {
                closing: market.data.customers.closed[i].is_some_and(|month| position(month) < months),
                // Whoever orders is known, whatever the file says.
                known: known.min(first_order),
                end: end.max(orders.map_or(0, |(_, last)| last + 1)),
                orders,
            };
            (timeline, sales)
        })
        .unzip()
}

impl Observed {
    /// Lays out the observed past; `readings` by customer.
    pub fn new(
        market: &Market,
        timelines: &[Timeline],
        sales: &[Vec<(usize, f64)>],
        pasts: &[Past],
        alive: &Alive,
        readings: &[Reading],
    ) -> Self {
        let months = market.months();
        let customers = market.customer_count();
        let mut weight = vec![0.0_f32; customers * months];
        let mut lapsed = vec![0.0_f32; customers * months];
        let (mut start, mut month, mut amount) = (vec![0], Vec::new(), Vec::new());
        for (i, ((timeline, sales), reading)) in timelines.iter().zip(sales).zip(readings).enumerate() {
            let row = &mut weight[i * months..(i + 1) * months];
            let lapsed = &mut lapsed[i * months..(i + 1) * months];
            let past = &pasts[i];
            // Waits that speak of conversion: until the first order it was won just before that, if ever it was served.
            if let Some(waiting) = &past.waiting {
                let from = usize::from(waiting.from);
                let silence = Silence { from, months: usize::from(waiting.months), after_order: false };
                let contacted = if timeline.orders.is_none() { past.contacted.get(1..).unwrap_or(&[]) } else { &[] };
                for (slot, state) in lapsed[from.min(months)..].iter_mut().zip(alive.states_during(
                    silence,
                    waiting.end,
                    reading,
                    contacted,
                )) {
                    *slot = state.lapsed as f32;
                }
            }
            if let Some((first, last)) = timeline.orders {
                let before = alive.served_before(reading, timeline.known, first - timeline.known, timeline.known == 0);
                for (t, served) in before.iter().enumerate() {
                    row[timeline.known + t] = *served as f32;
                }
                let mut fill = |from: usize, to: usize, end: End, contacted: &[(bool, f64)]| {
                    let silence = Silence { from, months: to - from, after_order: true };
                    let states = alive.states_during(silence, end, reading, contacted);
                    for ((served, lapsed), state) in row[from..to].iter_mut().zip(&mut lapsed[from..to]).zip(states) {
                        *served = state.served as f32;
                        *lapsed = state.lapsed as f32;
                    }
                };
                for pair in sales.windows(2) {
                    fill(pair[0].0 + 1, pair[1].0, End::Ordered, &[]);
                }
                let end = if timeline.closing { End::Closed } else { End::Waits };
                fill(last + 1, timeline.end.max(last + 1), end, &past.contacted);
                for &(t, _) in &sales[1..] {
                    row[t] = 1.0;
                }
            }
            for &(t, y) in sales {
                let counted = f64::from(row[t]) * y;
                if counted > 0.0 {
                    month.push(t as u16);
                    amount.push(counted);
                }
            }
            start.push(month.len());
        }
        let bought: Vec<bool> = timelines.iter().map(|timeline| timeline.orders.is_some()).collect();
        let known_from: Vec<u16> = timelines.iter().map(|timeline| timeline.known as u16).collect();
        let sold: Vec<f64> = start.windows(2).map(|of| amount[of[0]..of[1]].iter().sum()).collect();
        let ours = weight.chunks(months.max(1)).map(|row| row.iter().map(|&weight| f64::from(weight)).sum::<f64>());
        let pace: Vec<f64> = sold.iter().zip(ours).map(|(sold, ours)| sold / ours.max(1e-9)).collect();
        let contacts = lay_out_contacts(market, &known_from, &weight, &pace);
        let groups = groups(market, &bought);
        let territories = (0..market.territory_count()).map(|j| market.customers_of(j)).collect();
        let mut out = Self {
            months,
            customers,
            groups,
            territories,
            weight,
            lapsed,
            start,
            month,
            amount,
            known_from,
            bought,
            contacts,
            called: Vec::new(),
        };
        out.called = out.log_call_levels(timelines, &sold);
        out
    }

    /// See [`Observed::called`]: of visits, where there are some; weighed by what each customer bought the mean is 0.
    fn log_call_levels(&self, timelines: &[Timeline], sold: &[f64]) -> Vec<f64> {
        let visits = self.contacts.iter().any(|contacts| contacts.channel == Channel::FaceToFace);
        let counted = |contacts: &&Contacts| !visits || contacts.channel == Channel::FaceToFace;
        let channels: Vec<&[f32]> =
            self.contacts.iter().filter(counted).map(|contacts| contacts.by_month.as_slice()).collect();
        let known: Vec<Range<usize>> = timelines.iter().map(|timeline| timeline.known..timeline.end).collect();
        let logs = log_call_levels(&channels, self.months, &known, &self.groups);
        let all: f64 = sold.iter().sum();
        let sum: f64 = logs.iter().zip(sold).map(|(log, sold)| sold * log).sum();
        let mean = if all > 0.0 { sum / all } else { 0.0 };
        logs.into_iter().map(|log| log - mean).collect()
    }

    /// (month, sales times weight) of a customer.
    pub fn sales(&self, customer: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.start[customer]..self.start[customer + 1];
        self.month[range.clone()].iter().zip(&self.amount[range]).map(|(&t, &y)| (usize::from(t), y))
    }

    /// Probability of buying from us, by month, of a customer.
    pub fn weights(&self, customer: usize) -> &[f32] {
        &self.weight[customer * self.months..(customer + 1) * self.months]
    }

    /// Mean contacts a month of a customer, all channels together, while we knew it.
    pub fn call_level(&self, customer: usize) -> f64 {
        let from = usize::from(self.known_from[customer]);
        let known = (self.months - from).max(1) as f64;
        let made = |contacts: &Contacts| {
            let row = &contacts.by_month[customer * self.months..(customer + 1) * self.months];
            row[from.min(self.months)..].iter().map(|&x| f64::from(x)).sum::<f64>()
        };
        self.contacts.iter().map(made).sum::<f64>() / known
    }
}

/// By month after the last order, whether we contacted the customer, with the share of the months before in which we did (and half
/// a month each way). Of one that never ordered: from when we knew it, with the share until the last contact. Empty without calls.
pub(super) fn contacted_since(market: &Market, customer: usize, timeline: &Timeline) -> Vec<(bool, f64)> {
    let Some(calls) = &market.calls else { return Vec::new() };
    let mut contacted = vec![false; market.months()];
    for (t, x) in calls.iter().flat_map(|channel| channel.of(customer)) {
        contacted[t] |= x > 0.0;
    }
    let (seen, from) = match timeline.orders {
        Some((first, last)) => (first..last + 1, last + 1),
        None => {
            let last = (timeline.known..contacted.len()).rev().find(|&t| contacted[t]);
            (timeline.known..last.map_or(timeline.known, |last| last + 1), timeline.known)
        }
    };
    let months = seen.len() as f64;
    let before = contacted[seen].iter().filter(|&&contacted| contacted).count() as f64;
    let often = (before + 0.5) / (months + 1.0);
    contacted[from.min(contacted.len())..].iter().map(|&contacted| (contacted, often)).collect()
}

/// `pace`: what each customer buys a month while it is ours.
fn lay_out_contacts(market: &Market, known_from: &[u16], weight: &[f32], pace: &[f64]) -> Vec<Contacts> {
    let months = market.months();
    let customers = market.customer_count();
    let Some(calls) = &market.calls else { return Vec::new() };
    let mut out = Vec::new();
    for channel in Channel::ALL {
        let mut by_month = vec![0.0_f32; customers * months];
        let (mut contacts, mut with_contact) = (0.0, 0.0);
        for i in 0..customers {
            for (t, x) in calls[channel.index()].of(i) {
                if x > 0.0 {
                    by_month[i * months + t] = x as f32;
                    contacts += x;
                    with_contact += 1.0;
                }
            }
        }
        if contacts <= 0.0 {
            continue;
        }
        let first_year = months.min(12);
        let before = (0..customers)
            .map(|i| {
                let row = &by_month[i * months..i * months + first_year];
                // Not known before the history: nobody called.
                if known_from[i] > 0 { 0.0 } else { row.iter().sum::<f32>() / first_year as f32 }
            })
            .collect();
        let mut usual: BTreeMap<u32, f64> = BTreeMap::new();
        let mut total = 0.0;
        for (i, pace) in pace.iter().enumerate() {
            for t in months.saturating_sub(12)..months {
                let w = pace * f64::from(weight[i * months + t]);
                // Contacts are not negative, so their bits order as they do.
                *usual.entry(by_month[i * months + t].max(0.0).to_bits()).or_insert(0.0) += w;
                total += w;
            }
        }
        let usual = if total > 0.0 {
            usual.into_iter().map(|(bits, w)| (f64::from(f32::from_bits(bits)), w / total)).collect()
        } else {
            Vec::new()
        };
        out.push(Contacts { channel, by_month, before, usual, reference: contacts / with_contact });
    }
    out
}

/// Neighbouring territories together until they have enough buying customers to estimate their months' ups and downs.
fn groups(market: &Market, bought: &[bool]) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let (mut from, mut buyers) = (0, 0);
    for j in 0..market.territory_count() {
        let range = market.customers_of(j);
        buyers += range.clone().filter(|&i| bought[i]).count();
        if buyers >= GROUP {
            out.push(from..range.end);
            (from, buyers) = (range.end, 0);
        }
    }
    if from < bought.len() {
        match out.last_mut() {
            Some(last) if buyers < GROUP => last.end = bought.len(),
            _ => out.push(from..bought.len()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_undo_the_sales_before_them() {
        let net = net_returns([(0, 5.0), (1, 3.0), (2, -4.0), (5, 2.0)].into_iter());
        assert_eq!(net, vec![(0, 4.0), (5, 2.0)]);
        assert!(net_returns([(0, -5.0), (1, 1.0)].into_iter()) == vec![(1, 1.0)]);
    }
}
