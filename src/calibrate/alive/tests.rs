//! Cases with known answers.

use super::states::chance;
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
    /// Orders a month: median, and deviation of the logarithm.
    rhythm: (f64, f64),
    /// What everybody's months differ by: deviation of the logarithm over a season.
    season: f64,
    /// What contacts that come for half a year and stay away for the next do to its orders: 1 more and 1 less than this.
    contacts: f64,
    churn: f64,
    back: f64,
    closing: f64,
    months: usize,
}

/// Customers that order with their own probability, lapse, come back and close without a mark, bought from the first month or
/// (`waits`) not yet.
fn customers(n: usize, life: Life, waits: bool) -> Made {
    let mut source = Source::new(5, Purpose::Alive, 0);
    let mut out = Made { months: life.months, ..Made::default() };
    while out.pasts.len() < n {
        let rate = life.rhythm.0 * libm::exp(life.rhythm.1 * source.normal());
        let mut closed = usize::MAX;
        let (mut served, mut gone, mut orders, mut sales) = (!waits, false, Vec::new(), Vec::new());
        // Contacts begin in another month with each customer.
        let begin = if life.contacts > 0.0 { (12.0 * source.uniform()) as usize } else { 0 };
        let response = |t: usize| 1.0 + if (t + begin) % 12 < 6 { life.contacts } else { -life.contacts };
        for t in 0..life.months {
            let level = libm::exp(1.41 * life.season * libm::sin(t as f64 * core::f64::consts::PI / 6.0));
            let mean = rate * level * response(t);
            if served && !gone && source.uniform() < chance(mean) {
                orders.push(t);
                // What is expected of a month with an order.
                sales.push((t, mean / chance(mean)));
            }
            let was_gone = gone;
            gone |= source.uniform() < chance(life.closing);
            if gone && !was_gone {
                closed = t;
            }
            let moves = source.uniform() < chance(if served { life.churn } else { life.back });
            served ^= moves;
        }
        let silences = Silences::of(&orders, life.months, false);
        let first = orders.first().map_or(life.months, |first| *first);
        let end = if orders.is_empty() { End::Waits } else { End::Ordered };
        let waiting = waits.then_some(Waiting { from: 0, months: first as u16, end });
        if waits || silences.is_some() {
            out.pasts.push(Past { waiting, silences, ..Past::default() });
            out.served.push(served && !gone);
            out.sales.push(sales);
            out.closed.push(closed);
            out.response.extend((0..life.months).map(|t| response(t) as f32));
        }
    }
    out
}

/// Customers that were made up.
#[derive(Default)]
struct Made {
    months: usize,
    pasts: Vec<Past>,
    served: Vec<bool>,
    sales: Vec<Vec<(usize, f64)>>,
    response: Vec<f32>,
    /// Month in which each closed.
    closed: Vec<usize>,
}

impl Made {
    fn fit(&self, priors: HazardPriors, draws: usize) -> Alive {
        let mut source = Source::new(1, Purpose::Alive, 1);
        Alive::fit(&self.pasts, &self.sales, self.months, priors, draws, &mut source)
    }

    /// Every customer is contacted in such a share of its months, until it closes.
    fn contact(&mut self, often: f64) {
        let mut source = Source::new(5, Purpose::Alive, 1);
        for (past, &closed) in self.pasts.iter_mut().zip(&self.closed) {
            let from = past.silences.as_ref().map_or(0, Silences::open_from);
            let mut of = |month: usize| source.uniform() < often && month <= closed;
            past.contacted = (from..self.months).map(|month| (of(month), often)).collect();
        }
    }

    /// Expected over true number of those who had ordered and are served at the end.
    fn still_served(&self, fit: &Alive) -> f64 {
        let ordered =
            || self.pasts.iter().enumerate().zip(&self.served).filter(|((_, past), _)| past.silences.is_some());
        let expected: f64 = ordered().map(|((i, past), _)| fit.read(i, past).still_served).sum();
        expected / ordered().filter(|(_, served)| **served).count() as f64
    }
}

/// Of churn, conversion and closing: mean and deviation of the draws, and the truth.
fn hazards(fit: &Alive, life: Life) -> [(&'static str, f64, f64, f64); 3] {
    [
        ("churn", &fit.churn_draws, life.churn),
        ("conversion", &fit.conversion_draws, life.back),
        ("closing", &fit.closing_draws, life.closing),
    ]
    .map(|(name, draws, truth)| {
        let (mean, sd) = mean_sd(draws);
        println!("{name} {mean:.4} ± {sd:.4}, in truth {truth}");
        (name, mean, sd, truth)
    })
}

/// Probability of being served by month.
fn served(states: Vec<State>) -> Vec<f64> {
    states.into_iter().map(|state| state.served).collect()
}

/// A customer that orders so often.
fn rate(orders: f64) -> Reading {
    Reading { customer: 0, rate: orders, still_served: 0.0 }
}

fn nobody(priors: HazardPriors, draws: usize) -> Alive {
    Made { months: 100, ..Made::default() }.fit(priors, draws)
}

const LIFE: Life =
    Life { rhythm: (0.55, 1.0), season: 0.0, contacts: 0.0, churn: 0.015, back: 0.03, closing: 0.0, months: 72 };

/// A slow half year, then a busy one.
fn uneven() -> Vec<f64> {
    vec![0.6, 0.7, 0.8, 1.3, 1.4, 1.2, 0.5, 1.5]
}

#[test]
fn the_likelihood_sums_over_all_hidden_paths() {
    // Orders in months 0, 1 and 5 of 8, one node at a time: every path of states by brute force.
    let silences = Silences::of(&[0, 1, 5], 8, false).unwrap();
    assert_eq!(silences.between().collect::<Vec<_>>(), vec![(1, 0), (2, 3)]);
    assert_eq!((silences.open_from(), silences.open()), (6, 2));
    let level = uneven();
    let chances = Chances::of(Hazards { churn: 0.2, conversion: 0.3, closing: 0.1 }, 0.04);
    // States: served, lapsed, gone.
    let sum = |rate: f64, start: (usize, usize), until: usize, orders: &[usize], open: bool| -> f64 {
        let (mut total, (state_then, from)) = (0.0, start);
        for path in 0..3_usize.pow((until - from) as u32 - 1) {
            let state = |t: usize| if t == from { state_then } else { path / 3_usize.pow((t - from) as u32 - 1) % 3 };
            let mut product = 1.0;
            for (t, level) in level.iter().enumerate().take(until).skip(from) {
                let stays = (1.0 - chances.close) * (1.0 - chances.marked);
                let p = chance(rate * level);
                // What is seen of the first order's month is given.
                if t > from || state_then == 1 {
                    product *= match (state(t) == 0, orders.contains(&t)) {
                        (true, true) => p,
                        (true, false) => 1.0 - p,
                        (false, true) => 0.0,
                        (false, false) => 1.0,
                    };
                }
                // Who lives at the close of the last month has not been marked then either.
                if open && t + 1 == until && state(t) < 2 {
                    product *= (1.0 - chances.close) * (1.0 - chances.marked) + chances.close;
                }
                if t + 1 < until {
                    product *= match (state(t), state(t + 1)) {
                        (0, 0) => stays * (1.0 - chances.leave),
                        (0, 1) => stays * chances.leave,
                        (1, 0) => stays * chances.back,
                        (1, 1) => stays * (1.0 - chances.back),
                        (0 | 1, 2) => chances.close,
                        (2, 2) => 1.0,
                        _ => 0.0,
                    };
                }
            }
            total += product;
        }
        total
    };
    // The same customer, known since month 1 and not served at first, with its first order in month 4; and one that waits.
    let ordered = Waiting { from: 2, months: 2, end: End::Ordered };
    let pasts = [
        Past { waiting: None, silences: Some(silences), ..Past::default() },
        Past { waiting: Some(ordered), silences: Silences::of(&[4], 5, true), ..Past::default() },
        Past { waiting: Some(Waiting { from: 5, months: 3, end: End::Waits }), ..Past::default() },
    ];
    let data = Data::new(&pasts, &level);
    let tables = data.tables(chances);
    let logs: Vec<[f64; NODES]> =
        data.customers.iter().map(|customer| data.by_node(customer, chances, &tables)).collect();
    for k in [8, 20, 24] {
        let rate = node(k);
        assert!((logs[0][k] - libm::log(sum(rate, (0, 0), 8, &[1, 5], true))).abs() < 1e-9);
        // A closing that is marked in the month after: it lives until then.
        let alive = (1.0 - chances.close) * (1.0 - chances.marked);
        assert!((logs[1][k] - libm::log(sum(rate, (1, 2), 5, &[4], false) * alive)).abs() < 1e-9);
        let waits = tables.before.of(data.waits[0].0)[k];
        assert!((waits - libm::log(sum(rate, (1, 5), 8, &[], true))).abs() < 1e-9, "{waits}");
    }
    // What is read of a customer is the same likelihood, month by month.
    let pace = Pace::new(level);
    let (log, served) = at_rate(chances, pasts[0].silences.as_ref().unwrap(), &[], node(20), pace.of(0));
    assert!((log - logs[0][20]).abs() < 1e-9);
    assert!(served > 0.0 && served < 1.0);
}

#[test]
fn hazards_come_back_and_silence_is_read_right() {
    let made = customers(3000, LIFE, false);
    let fit = made.fit(PRIORS, 400);
    let (churn, sd) = mean_sd(&fit.churn_draws);
    assert!((churn - 0.015).abs() < 3.5 * sd && sd < 0.002, "churn {churn} ± {sd}");
    let (conversion, sd) = mean_sd(&fit.conversion_draws);
    assert!((conversion - 0.03).abs() < 3.5 * sd && sd < 0.006, "conversion {conversion} ± {sd}");
    let share = made.still_served(&fit);
    assert!((share - 1.0).abs() < 0.04, "{share}");
}

#[test]
fn a_slow_season_is_not_read_as_leaving() {
    let life = Life { season: 0.5, ..LIFE };
    let made = customers(3000, life, false);
    let fit = made.fit(PRIORS, 400);
    for (name, mean, sd, truth) in &hazards(&fit, life)[..2] {
        assert!((mean - truth).abs() < 3.5 * sd, "{name} {mean} ± {sd}");
    }
    // Without sales nothing is known of the level: churn comes out too high.
    let blind = Made { sales: vec![Vec::new(); made.pasts.len()], ..made }.fit(PRIORS, 400);
    let (mean, sd) = mean_sd(&blind.churn_draws);
    println!("without levels {mean:.4} ± {sd:.4}");
    assert!(mean > life.churn + 3.5 * sd, "{mean} ± {sd}");
}

#[test]
fn a_time_without_contacts_is_not_read_as_leaving() {
    let life = Life { contacts: 0.6, ..LIFE };
    let made = customers(3000, life, false);
    let mut fit = made.fit(PRIORS, 400);
    let of = |fit: &Alive| [mean_sd(&fit.churn_draws), mean_sd(&fit.conversion_draws)];
    // Without heed to contacts customers seem to leave and come back.
    let blind = of(&fit);
    assert!(blind[0].0 > life.churn + 3.5 * blind[0].1, "{blind:?}");
    for _ in 0..3 {
        fit.heed(&made.pasts, made.response.clone());
    }
    for ((mean, sd), truth) in of(&fit).into_iter().zip([life.churn, life.back]) {
        assert!((mean - truth).abs() < 3.0 * sd, "{mean} ± {sd}, in truth {truth}; blind {blind:?}");
    }
    let share = made.still_served(&fit);
    assert!((share - 1.0).abs() < 0.04, "{share}");
}

#[test]
fn contacts_that_do_nothing_change_nothing() {
    let made = customers(300, LIFE, false);
    let mut fit = made.fit(PRIORS, 50);
    let before = (fit.churn_draws.clone(), fit.conversion_draws.clone());
    fit.heed(&made.pasts, vec![1.0; made.response.len()]);
    assert_eq!((fit.churn_draws, fit.conversion_draws), before);
}

#[test]
fn customers_that_closed_without_a_mark_are_not_waited_for() {
    let life = Life { closing: 0.006, ..LIFE };
    let priors = HazardPriors { closure: Prior::Lognormal { median: 0.004, sd: 0.5 }, ..PRIORS };
    for waits in [false, true] {
        let made = customers(4000, life, waits);
        let fit = made.fit(priors, 400);
        for (name, mean, sd, truth) in hazards(&fit, life) {
            assert!((mean - truth).abs() < 3.5 * sd && sd < 0.3 * truth, "{name} {mean} ± {sd}");
        }
        let share = made.still_served(&fit);
        assert!((share - 1.0).abs() < 0.04, "{share}");
        // Taken for lapsed ones, they make coming back look rarer than it is.
        let blind = made.fit(PRIORS, 400);
        let (mean, sd) = mean_sd(&blind.conversion_draws);
        assert!(mean < life.back - 3.0 * sd, "{mean} ± {sd}");
    }
}

#[test]
fn closings_that_are_marked_leave_more_weight_on_those_that_are_not() {
    // Forty silent months in which a living customer would have been marked with some chance, and one that has closed would not.
    let fit = |marked: f64| {
        let closure = Prior::Lognormal { median: 0.004 + marked, sd: 0.01 };
        nobody(HazardPriors { closure, marked, ..PRIORS }, 20)
    };
    let silence = Silence { from: 0, months: 40, after_order: true };
    let gone = |marked: f64| {
        let lapsed = fit(marked).states_during(silence, End::Waits, &rate(5.0), &[])[39].lapsed;
        libm::log((1.0 - lapsed) / lapsed)
    };
    // The odds of being gone grow by the closings that the living escaped since it may have left.
    let more = gone(0.01) - gone(0.0);
    assert!(more > 0.15 && more < 0.4, "{more}");
}

#[test]
fn many_customers_that_order_nearly_every_month() {
    // Posterior deviations of a few thousandths, far from where the search begins.
    let fit = customers(8000, Life { rhythm: (4.0, 0.4), churn: 0.006, months: 48, ..LIFE }, false).fit(PRIORS, 200);
    let (churn, sd) = mean_sd(&fit.churn_draws);
    assert!((churn - 0.006).abs() < 4.0 * sd && sd > 0.00005 && sd < 0.0005, "churn {churn} ± {sd}");
    assert!(fit.efficiency > 0.3, "{}", fit.efficiency);
}

#[test]
fn a_slow_customer_is_given_more_time() {
    let fit = customers(500, LIFE, false).fit(PRIORS, 50);
    let of = |orders: Vec<usize>| {
        let silences = Silences::of(&orders, orders.last().unwrap() + 9, false);
        fit.read(0, &Past { silences, ..Past::default() })
    };
    let (fast, slow) = (of((0..41).collect()), of((0..5).map(|k| 10 * k).collect()));
    assert!(fast.still_served < 0.3 && slow.still_served > 0.7 && fast.rate > 10.0 * slow.rate, "{fast:?} {slow:?}");
    // In the middle of a long silence it was probably lapsed, at its ends not.
    let during = |months: usize, orders: f64| {
        let rate = rate(orders);
        served(fit.states_during(Silence { from: 3, months, after_order: true }, End::Ordered, &rate, &[]))
    };
    let long = during(20, 1.2);
    assert!(long[0] > long[10] && long[19] > long[10] && long[10] < 0.1, "{long:?}");
    assert!(during(2, 0.2)[0] > 0.9);
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
    let fit = nobody(priors, 20);
    let gone = |after_order: bool, months: usize, orders: f64| {
        fit.months_gone(Silence { from: 0, months, after_order }, &rate(orders), &[])
    };
    assert!((gone(true, 9, 7.0) - 9.0).abs() < 0.05);
    assert!(gone(true, 9, 0.001) < 1.0);
    // One that has never ordered and waits: gone in month k with probability 1 - exp(-0.01 k).
    let by_hand: f64 = (0..50).map(|k| 1.0 - libm::exp(-0.01 * f64::from(k))).sum();
    assert!((gone(false, 50, 0.7) / by_hand - 1.0).abs() < 0.01);
}

#[test]
fn contacts_that_stop_with_the_orders_speak_of_closing() {
    let priors = HazardPriors { closure: Prior::Fixed(0.004), ..PRIORS };
    let fit = nobody(priors, 20);
    let silence = Silence { from: 0, months: 12, after_order: true };
    let during = |contacted: &[(bool, f64)]| served(fit.states_during(silence, End::Waits, &rate(0.2), contacted));
    let (unknown, stopped, gone_on) = (during(&[]), during(&[(false, 0.8); 12]), during(&[(true, 0.8); 12]));
    assert!(stopped[1] < 0.5 * unknown[1] && gone_on[11] > unknown[11], "{stopped:?} {unknown:?} {gone_on:?}");
    // Of a customer that is hardly ever called on, no contact says nothing.
    let seldom = during(&[(false, 0.001); 12]);
    assert!(seldom.iter().zip(&unknown).all(|(a, b)| (a - b).abs() < 0.01));
}

#[test]
fn contacts_tell_closing_from_lapsing() {
    let life = Life { closing: 0.006, back: 0.02, ..LIFE };
    let priors = HazardPriors { closure: Prior::Lognormal { median: 0.004, sd: 0.5 }, ..PRIORS };
    let mut made = customers(1500, life, false);
    let blind = made.fit(priors, 400);
    made.contact(0.6);
    let fit = made.fit(priors, 400);
    let sd = |fit: &Alive| mean_sd(&fit.closing_draws).1;
    assert!(sd(&fit) < 0.7 * sd(&blind), "{} {}", sd(&fit), sd(&blind));
    for (name, mean, sd, truth) in hazards(&fit, life) {
        assert!((mean - truth).abs() < 3.0 * sd, "{name} {mean} ± {sd}");
    }
}

#[test]
fn nobody_means_the_prior() {
    let fit = nobody(PRIORS, 2000);
    let mut draws = fit.churn_draws;
    draws.sort_unstable_by(f64::total_cmp);
    assert!((draws[1000] / 0.008 - 1.0).abs() < 0.15, "{}", draws[1000]);
}

#[test]
fn waiting_speaks_of_conversion() {
    // Nobody orders but those who are won: 100 months of 200 customers in which one in a hundred is won a month.
    let fit = customers(2000, Life { rhythm: (4.0, 0.4), back: 0.01, ..LIFE }, true).fit(PRIORS, 400);
    let (mean, sd) = mean_sd(&fit.conversion_draws);
    assert!((mean - 0.01).abs() < 3.0 * sd && sd < 0.001, "{mean} ± {sd}");
    // Customers that order in every third month are not won later for their first order coming later.
    let fit = customers(2000, Life { rhythm: (0.4, 0.2), back: 0.05, churn: 0.002, ..LIFE }, true).fit(PRIORS, 400);
    let (mean, sd) = mean_sd(&fit.conversion_draws);
    assert!((mean - 0.05).abs() < 3.0 * sd && sd < 0.004, "{mean} ± {sd}");
}

#[test]
fn before_the_first_order() {
    let fit = nobody(PRIORS, 20);
    // Orders nearly every month: ten silent months before the first order mean that it was won only then.
    let fast = fit.served_before(&rate(2.3), 0, 10, true);
    assert!(fast[0] < 0.01 && fast.len() == 11);
    // Known since the month of its first order: no free observation.
    assert_eq!(fit.served_before(&rate(0.5), 5, 0, false), vec![0.0]);
    assert!(fit.served_before(&rate(0.5), 0, 0, true)[0] > 0.9);
}
