//! How the agents behave as a whole; one file a family of mechanisms, the common ones here.

mod accounts;
mod choosing;
mod contacting;
mod field;
mod ordering;
mod segmenting;
mod selling;
mod talking;

use std::ops::Range;

use crate::channel::Channel;
use crate::ids::stable_hash;
use crate::lanes::{F32x16, Isa, Lanes as _};
use crate::rng::RunKey;
use crate::stats::mean_sd;

use super::testing::{horizon, parameters, policy, twin};
use super::*;

const KEY: RunKey = RunKey { seed: 20_260_101, run: 3 };

fn total(series: &[f64]) -> f64 {
    series.iter().sum()
}

/// The same twin in which nobody is found, won, lost, born or closed.
fn frozen(mut twin: Twin) -> Twin {
    let parameters = &mut twin.parameters;
    parameters.discovery = Discovery { spontaneous: 0.0, referral: 0.0, prospecting_yield: 0.0 };
    parameters.conversion.hazard = 0.0;
    (parameters.churn, parameters.closure, parameters.birth) = (0.0, 0.0, 0.0);
    twin
}

fn with_capacity(mut policy: Policy, factor: f64) -> Policy {
    for phase in &mut policy.phases {
        for capacity in &mut phase.visits.capacity {
            *capacity *= factor;
        }
    }
    policy
}

/// Everything a recorder can see, in one column.
#[derive(Default, PartialEq, Debug)]
struct Everything(Vec<(usize, usize, Vec<u32>)>);

impl Recorder for Everything {
    fn month(&mut self, month: usize, territory: usize, seen: Seen<'_>) {
        let numbers = [seen.own_sales, seen.rival_sales, seen.loaded, seen.demand, seen.goodwill];
        let numbers = numbers.into_iter().chain(seen.contacts).flatten().map(|x| x.to_bits());
        let stages = seen.before.iter().chain(seen.after).map(|&stage| stage as u32);
        self.0.push((month, territory, numbers.chain(stages).collect()));
    }
}

#[test]
fn instruction_sets_give_the_same_bytes() {
    let twin = twin(5, 333);
    let mut policy = policy(&twin);
    policy.phases[0].rival_loading = vec![0.2, 0.0, 0.1];
    let mut second = policy.phases[0].clone();
    second.from = 7;
    second.channels = vec![Channel::Whatsapp, Channel::Digital];
    second.contacts = vec![vec![0.7; twin.agents.len()], vec![3.0; twin.agents.len()]];
    second.visits.meets_capacity = vec![MeetsCapacity::Ceiling; 5];
    policy.phases.push(second);
    policy.list_purchases.push(ListPurchase { month: 4, usable: vec![20.0; 5] });
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(24), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    for isa in Isa::available() {
        let other = run(isa);
        assert!(other == baseline, "{} differs", isa.name());
        println!("{}: same bytes", isa.name());
    }
    let unseen = World::new(&twin).run(&policy, horizon(24), KEY, Isa::detect(), &mut ());
    assert_eq!(unseen, baseline.0, "looking does not change what is seen");
}

#[test]
fn a_world_can_be_run_again() {
    let (one, other) = (twin(3, 100), twin(2, 250));
    let mut world = World::new(&one);
    let first = world.run(&policy(&one), horizon(12), KEY, Isa::detect(), &mut ());
    assert_eq!(world.run(&policy(&one), horizon(12), KEY, Isa::detect(), &mut ()), first);
    world.reload(&other);
    let second = world.run(&policy(&other), horizon(12), KEY, Isa::detect(), &mut ());
    assert_eq!(second, run(&other, &policy(&other), horizon(12), KEY));
    assert_ne!(first, run(&one, &policy(&one), horizon(12), RunKey { run: 4, ..KEY }));
}

#[test]
fn more_calls_sell_more() {
    let twin = twin(4, 500);
    let sales = |factor| total(&run(&twin, &with_capacity(policy(&twin), factor), horizon(24), KEY).own_sales);
    let (none, some, more) = (sales(0.0), sales(1.0), sales(2.0));
    assert!(none < some && some < more, "{none} {some} {more}");
}

#[test]
fn calls_without_effect_change_nothing_but_the_calls() {
    let mut twin = twin(4, 300);
    twin.parameters.goodwill.effect = [0.0; Channel::COUNT];
    let mut without = policy(&twin);
    without.phases[0].visits.prospecting = vec![0.0; 4];
    let run = |policy: &Policy| {
        let mut tallies = run(&twin, policy, horizon(24), KEY);
        let visits = std::mem::take(&mut tallies.visits);
        (tallies, total(&visits))
    };
    let (one, visits) = run(&without);
    let (other, more_visits) = run(&with_capacity(without, 3.0));
    assert!(one == other);
    assert!(more_visits > 2.0 * visits);
}

#[test]
fn another_customer_moves_nobody_elses_draws() {
    let twin = frozen(twin(2, 60));
    let mut larger = twin.clone();
    // A new dark customer at the front: every other one moves to another lane.
    larger.agents.hash.insert(0, stable_hash("newcomer"));
    larger.agents.stage.insert(0, Stage::Dark);
    larger.agents.consent.insert(0, 0);
    for column in [
        &mut larger.agents.size,
        &mut larger.agents.appeal,
        &mut larger.agents.goodwill,
        &mut larger.agents.influence,
        &mut larger.agents.visibility,
    ] {
        column.insert(0, 1.0);
    }
    larger.territories[0].agents = 0..61;
    larger.territories[1].agents = 61..121;

    struct Sales(Vec<Vec<f32>>);
    impl Recorder for Sales {
        fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
            let Range { start, .. } = seen.agents;
            self.0.push(if start == 0 && seen.own_sales.len() == 61 {
                seen.own_sales[1..].iter().chain(&seen.rival_sales[1..]).copied().collect()
            } else {
                seen.own_sales.iter().chain(seen.rival_sales).copied().collect()
            });
        }
    }
    let sales = |twin: &Twin| {
        let mut policy = policy(twin);
        // Calls enough: where they are short, customers take them from each other.
        policy.phases[0].visits.capacity = vec![90.0; 2];
        policy.phases[0].visits.meets_capacity = vec![MeetsCapacity::Ceiling; 2];
        let mut seen = Sales(Vec::new());
        World::new(twin).run(&policy, horizon(12), KEY, Isa::detect(), &mut seen);
        seen.0
    };
    assert_eq!(sales(&twin), sales(&larger));
}

#[test]
fn the_dark_half_is_found_or_remains() {
    let mut twin = twin(3, 400);
    (twin.parameters.closure, twin.parameters.birth) = (0.0, 0.0);
    let dark: f64 = twin.territories.iter().map(|territory| territory.dark_at_start).sum();
    let mut policy = policy(&twin);
    policy.list_purchases.push(ListPurchase { month: 10, usable: vec![30.0; 3] });
    let tallies = run(&twin, &policy, horizon(36), KEY);
    let at_end: f64 = tallies.dark[35 * 3..].iter().sum();
    assert_eq!(total(&tallies.found) + at_end, dark);
    let found_in_month = |month: usize| total(&tallies.found[month * 3..month * 3 + 3]);
    assert!(found_in_month(10) > 50.0 + 3.0 * found_in_month(9), "{}", found_in_month(10));
}

#[test]
fn the_served_are_accounted_for() {
    let twin = twin(1, 2_000);
    let mut before = twin.agents.stage.iter().filter(|&&stage| stage == Stage::Served).count() as f64;
    let tallies = run(&twin, &policy(&twin), horizon(36), KEY);
    for month in 0..36 {
        assert_eq!(tallies.served[month], before + tallies.won[month] - tallies.lost[month]);
        before = tallies.served[month];
    }
}

#[test]
fn births_and_closures_meet_their_rates() {
    let mut twin = twin(1, 40_000);
    twin.parameters.closure = 0.01;
    twin.parameters.birth = 0.004;
    struct Counts(f64, f64, f64);
    impl Recorder for Counts {
        fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
            for (before, after) in seen.before.iter().zip(seen.after) {
                let living = !matches!(before, Stage::Unborn | Stage::Gone);
                self.0 += f64::from(u8::from(living));
                self.1 += f64::from(u8::from(*before == Stage::Unborn && *after == Stage::Dark));
                self.2 += f64::from(u8::from(living && *after == Stage::Gone));
            }
        }
    }
    let mut counts = Counts(0.0, 0.0, 0.0);
    World::new(&twin).run(&policy(&twin), horizon(12), KEY, Isa::detect(), &mut counts);
    let Counts(living, born, closed) = counts;
    let near = |count: f64, wanted: f64| (count - wanted).abs() < 4.0 * wanted.sqrt();
    assert!(near(born, 0.004 * living), "{born} of {living}");
    assert!(near(closed, -libm::expm1(-0.01) * living), "{closed} of {living}");
}

#[test]
fn referral_alone_saturates_as_bass_says() {
    // All are dark or served, the found are won at once and then found others.
    let mut twin = frozen(twin(1, 40_000));
    let agents = &mut twin.agents;
    for (i, stage) in agents.stage.iter_mut().enumerate() {
        *stage = if i % 50 == 0 { Stage::Served } else { Stage::Dark };
    }
    agents.visibility.fill(1.0);
    agents.influence.fill(1.0);
    twin.parameters.discovery.referral = 0.15;
    twin.parameters.conversion = Conversion { hazard: 20.0, goodwill_effect: 0.0, reactivation: 1.0, at_once: 0.0 };
    let months = 80;
    let tallies = run(&twin, &policy(&twin), horizon(months), KEY);
    // The same recursion in expectation; the found of a month are won in the next.
    let (mut dark, mut found, mut served) = (0.98, 0.0, 0.02);
    let mut peak = (0, 0.0);
    for month in 0..months {
        let now = -libm::expm1(-0.15 * served) * dark;
        (dark, served, found) = (dark - now, served + found, now);
        if tallies.found[month] > peak.1 {
            peak = (month, tallies.found[month]);
        }
        let share = tallies.served[month] / 40_000.0;
        assert!((share - served).abs() < 0.02, "month {month}: {share} {served}");
    }
    assert!(served > 0.9 && (20..60).contains(&peak.0), "an S-shaped curve: {served}, peak in {}", peak.0);
}

#[test]
fn means_match_the_closed_form() {
    let mut twin = frozen(twin(1, 800));
    twin.parameters.goodwill.effect = [0.0; Channel::COUNT];
    twin.agents.goodwill.fill(0.0);
    let (months, runs) = (6, 400);
    let mut world = World::new(&twin);
    let policy = policy(&twin);
    let mut draws = (Vec::new(), Vec::new());
    for run in 0..runs {
        let tallies = world.run(&policy, horizon(months), RunKey { seed: 9, run }, Isa::detect(), &mut ());
        draws.0.push(tallies.own_sales[5]);
        draws.1.push(tallies.total_demand[5]);
    }
    // June: six months of growth; living customers only, own sales of the served.
    let parameters = parameters();
    let level = parameters.season[5] * libm::exp(0.002 * 6.0);
    let (mut own, mut all) = (0.0, 0.0);
    for i in 0..twin.agents.len() {
        let size = f64::from(twin.agents.size[i]) * level;
        if !matches!(twin.agents.stage[i], Stage::Unborn | Stage::Gone) {
            all += size;
        }
        if twin.agents.stage[i] == Stage::Served {
            own += size * mechanisms::choice::share(f64::from(twin.agents.appeal[i]), 1.0);
        }
    }
    for (draws, wanted) in [(draws.0, own), (draws.1, all)] {
        let (mean, sd) = mean_sd(&draws);
        assert!((mean - wanted).abs() < 4.0 * sd / f64::from(runs).sqrt(), "{mean} {wanted} {sd}");
    }
}

#[test]
fn twice_the_market_sells_twice_as_much() {
    let sales = |twin: &Twin| {
        let mut world = World::new(twin);
        let policy = policy(twin);
        let draws: Vec<f64> = (0..60)
            .map(|run| {
                let key = RunKey { seed: 4, run };
                total(&world.run(&policy, horizon(12), key, Isa::detect(), &mut ()).own_sales)
            })
            .collect();
        mean_sd(&draws)
    };
    let (one, sd_one) = sales(&twin(3, 400));
    let (two, sd_two) = sales(&twin(6, 400));
    let error = ((2.0 * sd_one).powi(2) + sd_two.powi(2)).sqrt() / 60.0_f64.sqrt();
    assert!((two - 2.0 * one).abs() < 4.0 * error, "{two} {one} {error}");
}

#[test]
fn paired_runs_tell_strategies_apart() {
    let twin = twin(3, 600);
    let mut world = World::new(&twin);
    let base = policy(&twin);
    let more = with_capacity(policy(&twin), 1.3);
    let mut sales = |policy: &Policy, run| {
        total(&world.run(policy, horizon(12), RunKey { seed: 8, run }, Isa::detect(), &mut ()).own_sales)
    };
    let paired: Vec<f64> = (0..60).map(|run| sales(&more, run) - sales(&base, run)).collect();
    let apart: Vec<f64> = (0..60).map(|run| sales(&more, run) - sales(&base, run + 1000)).collect();
    let ((mean, paired), (_, apart)) = (mean_sd(&paired), mean_sd(&apart));
    println!("gain {mean}, sd paired {paired}, independent {apart}");
    assert!(mean > 0.0 && apart * apart > 20.0 * paired * paired, "{apart} {paired}");
}

#[test]
fn what_rivals_load_is_eaten_later() {
    let twin = frozen(twin(2, 300));
    let quiet = policy(&twin);
    let mut loading = quiet.clone();
    let mut load = quiet.phases[0].clone();
    load.from = 2;
    load.rival_loading = vec![0.5, 0.0, 1.0];
    let mut after = quiet.phases[0].clone();
    after.from = 3;
    loading.phases.extend([load, after]);

    #[derive(Default)]
    struct Books(Vec<[f64; 3]>);
    impl Recorder for Books {
        fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
            self.0.resize(self.0.len().max(month + 1), [0.0; 3]);
            for (sum, column) in self.0[month].iter_mut().zip([seen.demand, seen.loaded, seen.stock]) {
                *sum += column.iter().map(|&x| f64::from(x)).sum::<f64>();
            }
        }
    }
    let months = 12;
    let run = |policy: &Policy| {
        let mut books = Books::default();
        let mut world = World::new(&twin);
        let tallies = world.run(policy, horizon(months), KEY, Isa::detect(), &mut books);
        let left = books.0[months - 1][2];
        (tallies, books.0, left)
    };
    let (base, open, _) = run(&quiet);
    let (loaded, open_loaded, left) = run(&loading);
    // What is ordered openly and what is loaded cover the same demand, but for what is left in stock.
    let demand: f64 = open.iter().map(|month| month[0]).sum();
    let covered: f64 = open_loaded.iter().map(|month| month[0] + month[1]).sum();
    assert!((covered - left - demand).abs() < 1e-5 * demand, "{covered} {left} {demand}");
    assert!((open_loaded[2][1] - 1.5 * open[2][0]).abs() < 1e-5 * demand);
    assert_eq!(open_loaded[3][0], 0.0, "a load of 1.5 months feeds the whole next one");
    // The third rival sold twice what the first did on top of the usual.
    let gain = |rival: usize| {
        let month = 2 * 2..2 * 2 + 2;
        total(&loaded.rival_sales[rival][month.clone()]) - total(&base.rival_sales[rival][month])
    };
    assert!((gain(2) - 2.0 * gain(0)).abs() < 1e-6 * gain(2) && gain(1).abs() < 1e-9);
    assert!(total(&loaded.own_sales[6..8]) < total(&base.own_sales[6..8]));
}

#[test]
fn rivals_sales_add_up() {
    let twin = twin(3, 200);
    let mut policy = policy(&twin);
    policy.phases[0].rival_push = vec![vec![0.5, 0.0, -0.2]; 3];
    policy.phases[0].rival_loading = vec![0.1, 0.0, 0.0];
    let tallies = run(&twin, &policy, horizon(6), KEY);
    for at in 0..18 {
        let rivals: f64 = tallies.rival_sales.iter().map(|sales| sales[at]).sum();
        let all = tallies.total_demand[at];
        assert!((tallies.own_sales[at] + rivals - all).abs() < 1e-9 * all);
    }
}

#[test]
fn a_market_without_known_rivals_runs() {
    let mut twin = twin(1, 200);
    twin.territories[0].rivals.clear();
    let mut policy = policy(&twin);
    policy.phases[0].rival_push.clear();
    policy.phases[0].rival_loading.clear();
    let tallies = run(&twin, &policy, horizon(6), KEY);
    assert!(tallies.rival_sales.is_empty());
    assert!(total(&tallies.own_sales) < 0.9 * total(&tallies.total_demand));
}

#[test]
fn visits_meet_capacity_on_average() {
    let twin = twin(2, 4_000);
    for (meets, wanted) in [(MeetsCapacity::Spread, 0.9 * 2_800.0), (MeetsCapacity::Ceiling, 2_500.0)] {
        let mut policy = policy(&twin);
        policy.phases[0].visits.meets_capacity = vec![meets; 2];
        let tallies = run(&twin, &policy, horizon(1), KEY);
        for j in 0..2 {
            assert!((tallies.visits[j] - wanted).abs() < 4.0 * 25.0, "{} {wanted}", tallies.visits[j]);
            let capacity = policy.phases[0].visits.capacity[j];
            assert_eq!(tallies.prospecting[j] + tallies.visits[j], capacity, "prospecting gets what visits leave");
        }
    }
}

#[test]
fn channels_need_consent_and_acquaintance() {
    let twin = frozen(twin(1, 800));
    let mut policy = policy(&twin);
    policy.phases[0].channels = vec![Channel::Phone, Channel::Email];
    policy.phases[0].contacts = vec![vec![1.0; 800]; 2];
    let tallies = run(&twin, &policy, horizon(1), KEY);
    let known = |i: usize| twin.agents.stage[i] > Stage::Dark;
    let phone = (0..800).filter(|&i| known(i)).count() as f64;
    let email = (0..800).filter(|&i| known(i) && i % 3 == 0).count() as f64;
    assert_eq!(tallies.contacts[Channel::Phone.index()], [phone]);
    assert_eq!(tallies.contacts[Channel::Email.index()], [email]);
    assert_eq!(tallies.contacts[Channel::Sms.index()], [0.0]);
}

#[test]
fn lanes_and_doubles_agree() {
    let parameters = parameters();
    let goodwill = &parameters.goodwill;
    for k in 0..200 {
        let x = 0.05 * f64::from(k);
        let same = |lanes: F32x16, double: f64| {
            let error = (f64::from(lanes.0[7]) - double).abs();
            assert!(error <= 1e-5 * double.abs().max(1e-6), "at {x}: {lanes:?} {double}");
        };
        let v = F32x16::of(x);
        same(goodwill.saturate(v), goodwill.saturate(x));
        let lift = goodwill.lift(Channel::FaceToFace, x);
        same(goodwill.step(v, goodwill.lift(Channel::FaceToFace, v)), goodwill.step(x, lift));
        same(mechanisms::choice::share(v - F32x16::of(5.0), F32x16::of(1.3)), mechanisms::choice::share(x - 5.0, 1.3));
        same(mechanisms::demand::demand(v, F32x16::of(0.83)), mechanisms::demand::demand(x, 0.83));
        let share = F32x16::of(0.37);
        let (own, rivals) = mechanisms::orders::means(v, share, 2.0);
        let (own_double, rivals_double) = mechanisms::orders::means(x, 0.37, 2.0);
        same(own, own_double);
        same(rivals, rivals_double);
        same(mechanisms::loading::eaten(v, share), mechanisms::loading::eaten(x, 0.37));
        let conversion = &parameters.conversion;
        let hazard = mechanisms::transition::conversion_hazard(conversion, v);
        same(hazard, mechanisms::transition::conversion_hazard(conversion, x));
    }
}
