//! Hazards of being found, won and closed: conjugate gamma-Poisson estimates.
//!
//! `n` events in an exposure of `E` (customer-months, or months) with a Gamma(a, b) prior of the hazard leave
//! Gamma(a + n, b + E). Where a file says nothing of an event its hazard is the prior, and called so. Territories' rates
//! of finds are shrunk towards the market's by a gamma whose spread is learnt from the counts themselves
//! (method of moments; Clayton & Kaldor 1987).

use rayon::prelude::*;

use crate::calibrate::alive::{Alive, End, Past, Reading, Silence, Waiting};
use crate::calibrate::observed::Timeline;
use crate::calibrate::priors;
use crate::calibrate::sampling::Source;
use crate::market::Market;
use crate::scenario::Prior;

/// Months back that finds are counted.
const FINDS_MONTHS: usize = 36;

/// A hazard's draws and whether the data spoke to it.
#[derive(Debug, Clone)]
pub struct Hazard {
    pub draws: Vec<f64>,
    /// Events counted; `None` = the prior.
    pub events: Option<f64>,
}

impl Hazard {
    /// `draws` draws of a prior.
    pub fn of_prior(prior: Prior, draws: usize, source: &mut Source) -> Self {
        Self { draws: (0..draws).map(|_| priors::draw(prior, source)).collect(), events: None }
    }

    /// Posterior of a hazard a month from events and exposure; the prior enters as a gamma of its moments.
    pub fn conjugate(prior: Prior, events: f64, exposure: f64, draws: usize, source: &mut Source) -> Self {
        let (mean, sd) = priors::moments(prior);
        if let Prior::Fixed(_) = prior {
            return Self::of_prior(prior, draws, source);
        }
        let shape = (mean / sd) * (mean / sd);
        let rate = shape / mean;
        let draws = (0..draws).map(|_| (source.gamma(shape + events) / (rate + exposure)).min(1.0)).collect();
        Self { draws, events: Some(events) }
    }

    /// Closing: what is marked, `(events, customer-months)`, and what silence says of the rest.
    pub fn closing(prior: Prior, marked: Option<(f64, f64)>, alive: &Alive, source: &mut Source) -> Self {
        let draws = alive.closing_draws.len();
        if let Prior::Fixed(_) = prior {
            return Self::of_prior(prior, draws, source);
        }
        // The marked are counted: a gamma with the flat prior of rates, 1 / rate^(1/2).
        let mut counted = || marked.map_or(0.0, |(events, exposure)| source.gamma(0.5 + events) / exposure);
        let draws = alive.closing_draws.iter().map(|unmarked| (unmarked + counted()).min(1.0)).collect();
        Self { draws, events: marked.map(|(events, _)| events) }
    }
}

/// Customers' times from becoming known to their first order, by customer.
///
/// The agents are found at a month's close, can be won at the closes of those that follow, and order from the month after that on: the
/// month in which a customer becomes known is not one of waiting, and an order in that or the next is none that was waited for: the
/// customer was found because it ordered.
///
/// All `None` where too few are seen to wait: then `first_known` is the first order itself and says nothing of waiting.
pub fn waits(timelines: &[Timeline], months: usize) -> Vec<Option<Waiting>> {
    let wait = |timeline: &Timeline| {
        // Those known since before the history may have bought before it too; only later ones are watched from the start.
        let watched = timeline.known > 0 && timeline.known < months;
        let (until, end) = match timeline.orders {
            Some((first, _)) if came_by_ordering(timeline.known, first) => return None,
            Some((first, _)) => (first, End::Ordered),
            None if timeline.closing => (timeline.end, End::Closed),
            None => (timeline.end, End::Waits),
        };
        watched.then(|| {
            let from = timeline.known + 1;
            Waiting { from: from as u16, months: until.saturating_sub(from) as u16, end }
        })
    };
    let waits: Vec<Option<Waiting>> = timelines.iter().map(wait).collect();
    let watched = timelines.iter().filter(|timeline| timeline.known > 0 && timeline.known < months).count();
    let waited = waits.iter().flatten().count();
    if waited < 10 || waited * 20 < watched { vec![None; timelines.len()] } else { waits }
}

/// Whether a customer that became known in a month was found because it ordered: see [`waits`].
fn came_by_ordering(known: usize, first_order: usize) -> bool {
    first_order <= known + 1
}

/// Closings and customer-months; `None` where no row has a closing date.
pub fn closures(market: &Market, timelines: &[Timeline]) -> Option<(f64, f64)> {
    let months = market.months();
    let events = (0..market.customer_count()).filter(|&i| market.closed(i)).count();
    let exposure: usize =
        timelines.iter().map(|timeline| timeline.end.min(months).saturating_sub(timeline.known)).sum();
    (events > 0 && exposure > 0).then_some((events as f64, exposure as f64))
}

/// The silence at the end of a customer's watch.
pub fn silence_now(timeline: &Timeline, past: &Past) -> Silence {
    match &past.silences {
        Some(silences) => Silence { from: silences.open_from(), months: silences.open(), after_order: true },
        None => {
            Silence { from: timeline.known, months: timeline.end.saturating_sub(timeline.known), after_order: false }
        }
    }
}

/// Customer-months in which customers lived, as expected: those after a closing that nobody marked are none.
pub fn living_months(
    market: &Market,
    timelines: &[Timeline],
    pasts: &[Past],
    alive: &Alive,
    readings: &[Reading],
) -> f64 {
    let of = |(i, (timeline, past)): (usize, (&Timeline, &Past))| {
        let watched = timeline.end.min(market.months()).saturating_sub(timeline.known) as f64;
        if timeline.closing {
            return watched;
        }
        watched - alive.months_gone(silence_now(timeline, past), &readings[i], &past.contacted)
    };
    // By customer, then summed in their order.
    let months: Vec<f64> = timelines.par_iter().zip(pasts).enumerate().map(of).collect();
    months.iter().sum()
}

/// Customers found of late.
#[derive(Debug, Clone)]
pub struct Finds {
    /// By territory.
    pub count: Vec<f64>,
    /// Months counted.
    pub months: usize,
    /// From `first_known`; otherwise from first orders.
    pub from_first_known: bool,
    /// Customers found in the last 12 months; `None` where fewer are counted.
    pub last_year: Option<f64>,
    /// Customers of `count` found by their first order.
    pub at_once: f64,
    /// Prior expectation of the count by territory, given the whole market's.
    expected: Vec<f64>,
    /// Shape of the gamma of territories' rates around their expectation.
    shape: f64,
}

impl Finds {
    /// Counts the customers found in the last three years.
    pub fn count(market: &Market, timelines: &[Timeline]) -> Self {
        let months = market.months();
        let from_first_known = market.data.customers.first_known.iter().any(Option::is_some);
        // The first month holds all that were known before; without `first_known` the first year does.
        let begins = if from_first_known { 1 } else { 12.min(months / 2) };
        let span = months.saturating_sub(begins).min(FINDS_MONTHS);
        let territories = market.territory_count();
        let (mut count, mut known) = (vec![0.0; territories], vec![0.0; territories]);
        let (mut of_year, mut at_once) = (0.0, 0.0);
        for j in 0..territories {
            for i in market.customers_of(j) {
                known[j] += 1.0;
                let found = if from_first_known {
                    Some(timelines[i].known)
                } else {
                    timelines[i].orders.map(|(first, _)| first)
                };
                let Some(month) = found.filter(|month| (months - span..months).contains(month)) else { continue };
                count[j] += 1.0;
                let by_ordering = timelines[i].orders.is_some_and(|(first, _)| came_by_ordering(month, first));
                at_once += f64::from(u8::from(by_ordering));
                of_year += f64::from(u8::from(month + 12 >= months));
            }
        }
        let last_year = (span >= 12).then_some(of_year);
        let total: f64 = count.iter().sum();
        let weight: f64 = known.iter().map(|k| k + 1.0).sum();
        let expected: Vec<f64> = known.iter().map(|k| (total + 0.5) * (k + 1.0) / weight).collect();
        let spread: f64 = count.iter().zip(&expected).map(|(n, e)| (n - e) * (n - e) - e).sum();
        let squares: f64 = expected.iter().map(|e| e * e).sum();
        let shape = if spread > 0.0 { (squares / spread).clamp(0.3, 100.0) } else { 100.0 };
        Self { count, months: span, from_first_known, last_year, at_once, expected, shape }
    }

    /// A draw of the share found by their first order: beta and binomial; another prior than a beta is taken as it is.
    pub fn draw_at_once(&self, prior: Prior, source: &mut Source) -> f64 {
        let found: f64 = self.count.iter().sum();
        match prior {
            Prior::Beta { a, b } => source.beta(a + self.at_once, b + found - self.at_once),
            other => priors::draw(other, source),
        }
    }

    /// A draw of customers found a month, by territory.
    pub fn draw(&self, source: &mut Source) -> Vec<f64> {
        let months = self.months.max(1) as f64;
        let total: f64 = self.count.iter().sum();
        // The level of the whole market is uncertain too.
        let level = source.gamma(total + 0.5) / (total + 0.5);
        self.count
            .iter()
            .zip(&self.expected)
            .map(|(n, e)| {
                let e = (e * level).max(1e-9);
                source.gamma(self.shape + n) / (self.shape / e + 1.0) / months
            })
            .collect()
    }
}

/// Share of finds that prospecting brings: prior, moved by how much of the reps' capacity the recorded calls leave.
///
/// Calls on customers are in `calls.csv`; capacity beyond them is time that can have gone into prospecting. A quarter of
/// the leftover counts as much as the prior.
pub fn finds_by_prospecting(market: &Market, prior: Prior, calls_a_month: f64) -> (Prior, bool) {
    let (Some(reps), Prior::Beta { a, b }) = (&market.data.reps, prior) else { return (prior, false) };
    let last = market.history.last;
    let capacity: f64 = (0..reps.ids.len())
        .filter(|&r| reps.start[r] <= last && reps.end[r].is_none_or(|end| end >= last))
        .map(|r| reps.calls_per_month[r])
        .sum();
    if capacity <= 0.0 || market.calls.is_none() {
        return (prior, false);
    }
    let left = (1.0 - calls_a_month / capacity).clamp(0.0, 1.0);
    (Prior::Beta { a: a + 4.0 * left, b: b + 4.0 * (1.0 - left) }, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;
    use crate::stats::mean_sd;

    #[test]
    fn many_events_beat_the_prior() {
        let prior = Prior::Lognormal { median: 0.004, sd: 0.5 };
        let hazard = Hazard::conjugate(prior, 400.0, 40_000.0, 2000, &mut Source::new(1, Purpose::Hazards, 0));
        let (mean, sd) = mean_sd(&hazard.draws);
        assert!((mean - 0.01).abs() < 0.0004 && (sd / 0.0005 - 1.0).abs() < 0.15, "{mean} ± {sd}");
    }

    #[test]
    fn waiting_is_read_only_where_somebody_waited() {
        let timeline = |known, orders, closing| Timeline { known, end: 40, closing, orders };
        let at_once = timeline(5, Some((5, 30)), false);
        assert!(waits(&[at_once; 50], 40).iter().all(Option::is_none));
        assert!(waits(&[timeline(5, Some((6, 30)), false); 50], 40).iter().all(Option::is_none));
        let (late, never) = (timeline(5, Some((15, 30)), false), timeline(10, None, false));
        let mixed = [vec![late; 10], vec![never; 10], vec![timeline(12, None, true), at_once]].concat();
        let waits = waits(&mixed, 40);
        assert_eq!(waits[0], Some(Waiting { from: 6, months: 9, end: End::Ordered }));
        assert_eq!(waits[10], Some(Waiting { from: 11, months: 29, end: End::Waits }));
        assert_eq!(waits[20], Some(Waiting { from: 13, months: 27, end: End::Closed }));
        assert_eq!(waits[21], None);
    }

    #[test]
    fn territories_share_strength() {
        // Ten territories of equal size: one found 12, the others 1 each.
        let mut count = vec![1.0; 10];
        count[3] = 12.0;
        let expected = vec![2.15; 10];
        let finds =
            Finds { count, months: 36, from_first_known: true, last_year: None, at_once: 30.0, expected, shape: 1.0 };
        let draws: Vec<Vec<f64>> = (0..2000).map(|d| finds.draw(&mut Source::new(1, Purpose::Hazards, d))).collect();
        let mean = |j: usize| draws.iter().map(|d| d[j]).sum::<f64>() / 2000.0 * 36.0;
        assert!(mean(3) < 12.0 && mean(3) > 7.0, "{}", mean(3));
        assert!(mean(0) > 1.0 && mean(0) < 2.0, "{}", mean(0));
    }

    #[test]
    fn the_share_found_by_a_first_order_is_counted() {
        let (count, expected) = (vec![10.0, 30.0], vec![20.0, 20.0]);
        let finds =
            Finds { count, months: 36, from_first_known: true, last_year: None, at_once: 30.0, expected, shape: 1.0 };
        let draws: Vec<f64> = (0..4000)
            .map(|d| finds.draw_at_once(Prior::Beta { a: 0.5, b: 0.5 }, &mut Source::new(1, Purpose::Hazards, d)))
            .collect();
        let (mean, sd) = crate::stats::mean_sd(&draws);
        // Beta(30.5, 10.5).
        assert!((mean - 30.5 / 41.0).abs() < 0.005 && (sd - 0.0672).abs() < 0.004, "{mean} {sd}");
        assert_eq!(finds.draw_at_once(Prior::Fixed(0.2), &mut Source::new(1, Purpose::Hazards, 0)), 0.2);
    }
}
