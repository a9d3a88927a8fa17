//! The field: calls are never more than there are, travel, and reps that leave.

use super::*;
use crate::simulate::mechanisms::choice::Choice;
use crate::simulate::mechanisms::contacts::Visits;
use crate::simulate::mechanisms::demand::Demand;
use crate::simulate::mechanisms::goodwill::Goodwill;
use crate::simulate::mechanisms::orders::{OwnOrders, RivalOrders, Rivals};
use crate::simulate::mechanisms::reps::Reps;
use crate::simulate::mechanisms::totals::Totals;
use crate::simulate::mechanisms::transition::Life;
use crate::simulate::mechanisms::travel::Travel;
use crate::simulate::mechanisms::turnover::Turnover;

/// All months of all territories.
#[derive(Default)]
struct Months(Vec<Vec<Entry>>);

impl Ledger for Months {
    fn territory(&mut self, _: usize, months: &[Entry]) {
        self.0.push(months.to_vec());
    }
}

fn months<M: Mechanism>(model: M, twin: &Twin, policy: &Policy, months: usize) -> Vec<Vec<Entry>> {
    let mut engine = Engine::new(model);
    for territory in &twin.territories {
        engine.push(territory, &twin.agents);
    }
    let mut all = Months::default();
    engine.run(policy, &twin.parameters.path(horizon(months)), KEY, Isa::detect(), &mut all, &mut ());
    all.0
}

/// Territories of several sizes, from a few customers to many, with reps.
fn territories() -> Twin {
    let mut twin = twin(6, 120);
    let ends = [7, 40, 130, 330, 400, 720];
    let mut start = 0;
    for (territory, end) in twin.territories.iter_mut().zip(ends) {
        territory.agents = start..end;
        territory.area_km2 = 40.0 * (end - start) as f64;
        territory.reps = vec![0.3 * (end - start) as f64, 0.4 * (end - start) as f64];
        start = end;
    }
    twin.agents.more.rep = (0..720).map(|i| (i / 3 % 2) as u8).collect();
    twin
}

/// More is wanted of some than of others.
fn uneven(twin: &Twin, capacity: f64, share: f64) -> Policy {
    let mut policy = policy(twin);
    let visits = &mut policy.phases[0].visits;
    for (i, desired) in visits.desired.iter_mut().enumerate() {
        *desired = [0.1, 0.5, 1.0, 2.0, 0.3, 0.75][i / 5 % 6];
    }
    for (calls, territory) in visits.capacity.iter_mut().zip(&twin.territories) {
        *calls = capacity * territory.agents.len() as f64;
    }
    visits.prospecting.fill(share);
    policy
}

fn with(turnover: Turnover, mut twin: Twin) -> Twin {
    twin.parameters.more.turnover = Some(turnover);
    twin
}

#[test]
fn calls_are_never_more_than_there_are() {
    let mut twin = territories();
    let quiet = twin.clone();
    twin.parameters.more.travel = Some(Travel::default());
    twin.parameters.more.turnover = Some(Turnover { leave: 0.1, ..Turnover::default() });
    for twin in [quiet, twin] {
        let plans = [
            (0.7, 0.1),
            (0.7, 0.4),
            (0.437_3, 0.0),
            (0.031, 0.0),
            (0.123, 0.02),
            (0.55, 1.0),
            (0.0, 0.3),
            (0.337, 0.05),
        ];
        for (capacity, share) in plans {
            for meets in [MeetsCapacity::Spread, MeetsCapacity::Ceiling] {
                let mut policy = uneven(&twin, capacity, share);
                policy.phases[0].visits.meets_capacity = vec![meets; 6];
                let all = months(full(&twin.parameters), &twin, &policy, 48);
                for (j, months) in all.iter().enumerate() {
                    let (mut made, mut given, mut nobody) = (0.0, 0.0, false);
                    for (month, Entry { here, sums, .. }) in months.iter().enumerate() {
                        let calls = sums.visits + here.prospecting;
                        let place = format!("{capacity} {share} {meets:?} {j} {month}");
                        assert!(sums.visits <= here.capacity + 1e-6, "{place}: {} {here:?}", sums.visits);
                        assert!(calls <= here.capacity + 1e-6, "{place}: {calls} {here:?}");
                        made += calls;
                        if twin.parameters.more.is_empty() {
                            let planned = policy.phases[0].visits.capacity[j];
                            given += planned;
                            // A call begun before is ended now; never one of a month to come.
                            assert!(made <= given + 1e-6 && here.capacity < planned + 1.0, "{place}: {made} {given}");
                            if share * planned >= 1.0 {
                                assert!((here.capacity - planned).abs() < 1e-9, "{place}");
                            }
                            // And none is wasted.
                            nobody |= sums.wanted == 0.0 || meets == MeetsCapacity::Ceiling;
                            assert!(nobody || made > given - 1.0 - 1e-6, "{place}: {made} {given}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn everybody_is_visited_as_planned_wherever_it_stands() {
    let twin = frozen(territories());
    struct Counts(Vec<f64>);
    impl Recorder for Counts {
        fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
            for (count, visits) in self.0[seen.agents].iter_mut().zip(seen.contacts[0]) {
                *count += f64::from(*visits);
            }
        }
    }
    // Without prospecting; with some that runs out in many months, and with more than visits ever need.
    for share in [0.0, 0.05, 0.1, 0.4] {
        let policy = uneven(&twin, 0.35 / (1.0 - share), share);
        let mut counts = Counts(vec![0.0; 720]);
        let months = 2_000;
        World::new(&twin).run(&policy, horizon(months), KEY, Isa::detect(), &mut counts);
        let known = |i: usize| twin.agents.stage[i] > Stage::Dark;
        let desired = |i: usize| f64::from(policy.phases[0].visits.desired[i]);
        for territory in &twin.territories {
            let wanted: f64 = territory.agents.clone().filter(|&i| known(i)).map(desired).sum();
            let factor = 0.35 * territory.agents.len() as f64 / wanted;
            for i in territory.agents.clone() {
                let (rate, mean) = (if known(i) { factor * desired(i) } else { 0.0 }, counts.0[i] / months as f64);
                // Four standard errors of a rounding, and 2% for fitting the last block.
                let most = 4.0 * 0.5 / 44.7 + 0.02 * rate;
                assert!((mean - rate).abs() <= most, "{share} {territory:?} {i}: {mean} {rate}");
            }
        }
    }
}

#[test]
fn visits_and_prospecting_are_as_planned_on_average() {
    const MONTHS: usize = 20_000;
    let twin = frozen(territories());
    for (capacity, share) in [(0.35, 0.06), (0.35, 0.1), (0.5, 0.1), (0.35, 0.4)] {
        let policy = uneven(&twin, capacity, share);
        let all = months(full(&twin.parameters), &twin, &policy, MONTHS);
        for (j, months) in all.iter().enumerate() {
            let calls = policy.phases[0].visits.capacity[j];
            let planned = (1.0 - share) * calls;
            let mean = |of: &dyn Fn(&Entry) -> f64| months.iter().map(of).sum::<f64>() / MONTHS as f64;
            let visits = mean(&|month| month.sums.visits);
            let sd = mean(&|month| (month.sums.visits - visits).powi(2)).sqrt();
            // What discovery reckons with, but for the last month's rest.
            let (made, reckoned) = (mean(&|month| month.here.prospecting), mean(&|month| month.here.searching));
            let place = format!("{capacity} {share} {}", twin.territories[j].agents.len());
            println!("{place}: planned {planned:.3}, made {visits:.4}, scatter {sd:.2}, {:.1} to spare", share * calls);
            // Four standard errors, and what may be cut.
            assert!((visits - planned).abs() < 4.0 * sd / (MONTHS as f64).sqrt() + 0.002, "{place} {visits} {planned}");
            assert!(share * calls < 1.0 || (visits + made - calls).abs() < 1e-6, "{place}: {made}");
            assert!((made - reckoned).abs() < 0.01, "{place}: {made} {reckoned}");
        }
    }
}

#[test]
fn where_there_is_prospecting_nobody_elses_visits_move() {
    let twin = frozen(twin(2, 400));
    struct Contacts(Vec<f32>);
    impl Recorder for Contacts {
        fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
            self.0.extend(seen.contacts[0]);
        }
    }
    let visits = |policy: &Policy| {
        let mut seen = Contacts(Vec::new());
        World::new(&twin).run(policy, horizon(60), KEY, Isa::detect(), &mut seen);
        seen.0
    };
    for meets in [MeetsCapacity::Spread, MeetsCapacity::Ceiling] {
        let mut base = policy(&twin);
        let plan = &mut base.phases[0].visits;
        plan.meets_capacity.fill(meets);
        plan.prospecting.fill(0.4);
        plan.capacity.fill(200.0);
        let mut ceiling = base.clone();
        ceiling.phases[0].visits.desired.iter_mut().for_each(|desired| *desired = 0.375);
        let base = if meets == MeetsCapacity::Spread { base } else { ceiling };
        // Some are visited more; where all calls are spread, their neighbours less.
        let mut changed = base.clone();
        let known: Vec<usize> = (0..800).filter(|&i| twin.agents.stage[i] > Stage::Dark).collect();
        let mut others = vec![true; 800];
        for pair in known.chunks_exact(2).step_by(10) {
            let desired = &mut changed.phases[0].visits.desired;
            desired[pair[0]] *= 1.25;
            others[pair[0]] = false;
            if meets == MeetsCapacity::Spread {
                desired[pair[1]] *= 0.75;
                others[pair[1]] = false;
            }
        }
        let (before, after) = (visits(&base), visits(&changed));
        let moved = |these: bool| {
            (0..before.len()).filter(|i| before[*i] != after[*i] && others[territory_agent(*i)] == these).count()
        };
        println!("{meets:?}: {} of the changed moved, {} of others", moved(false), moved(true));
        assert!(moved(false) > 50 && moved(true) == 0);
    }
    /// Of the agent behind a position in what was seen: territories one after the other, with 60 months each.
    fn territory_agent(at: usize) -> usize {
        at / (60 * 400) * 400 + at % 400
    }
}

#[test]
fn a_cap_on_independent_visits_would_cut_many() {
    let mut twin = frozen(territories());
    twin.parameters.discovery.prospecting_yield = 0.0;
    for share in [0.0, 0.1] {
        let policy = uneven(&twin, 0.35, share);
        let parameters = &twin.parameters;
        let independent = (
            parameters.life(),
            parameters.demand(),
            (Reps, Rivals, Visits),
            parameters.goodwill,
            (Choice, OwnOrders { unit: 1.0 }, RivalOrders { unit: 1.0 }, Totals),
        );
        let _: &(Life, Demand, (Reps, Rivals, Visits), Goodwill, _) = &independent;
        for (j, months) in months(independent, &twin, &policy, 400).iter().enumerate() {
            let (mut cut, mut made) = (0.0, 0.0);
            for Entry { here, sums, .. } in months {
                cut += (sums.visits - here.capacity.floor()).max(0.0);
                made += sums.visits;
            }
            let each = twin.territories[j].agents.len();
            println!("{each} customers, {share} prospecting: a cap would cut {:.2}%", 100.0 * cut / made);
            assert!(share > 0.0 || cut > 0.01 * made);
        }
        let all = months(full(parameters), &twin, &policy, 400);
        for (months, &capacity) in all.iter().zip(&policy.phases[0].visits.capacity) {
            let made: f64 = months.iter().map(|month| month.sums.visits).sum();
            // Exactly where nothing is left for prospecting; else but for the scatter of four visits a month at most.
            let most = if share * capacity < 1.0 { 1.0 } else { 4.0 * 20.0 * 4.0 };
            assert!((made - 400.0 * capacity * (1.0 - share)).abs() < most, "nothing is cut: {made} {capacity}");
        }
    }
}

#[test]
fn who_else_is_called_moves_few_visits() {
    let twin = frozen(twin(1, 1_600));
    let base = uneven(&twin, 0.35, 0.1);
    let mut changed = base.clone();
    // Twice as much of one customer in twenty, less of its neighbour.
    for i in (0..1_600).step_by(20) {
        changed.phases[0].visits.desired[i + 3] *= 2.0;
        changed.phases[0].visits.desired[i + 4] *= 0.25;
    }
    struct Contacts(Vec<f32>);
    impl Recorder for Contacts {
        fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
            self.0.extend(seen.contacts[0]);
        }
    }
    let visits = |policy: &Policy, run| {
        let mut seen = Contacts(Vec::new());
        World::new(&twin).run(policy, horizon(24), RunKey { run, ..KEY }, Isa::detect(), &mut seen);
        seen.0
    };
    let (before, after, apart) = (visits(&base, 0), visits(&changed, 0), visits(&changed, 1));
    let others = |i: &usize| ![3, 4].contains(&(i % 20));
    let count = |after: &[f32]| (0..before.len()).filter(others).filter(|&i| before[i] != after[i]).count();
    let (paired, apart) = (count(&after), count(&apart));
    println!("visits of others that moved: {paired} of {}, with other luck {apart}", before.len());
    assert!(20 * paired < apart, "{paired} {apart}");
}

#[test]
fn less_is_travelled_where_there_are_more_reps() {
    let mut twin = frozen(territories());
    let policy = uneven(&twin, 0.7, 0.1);
    let calls = |twin: &Twin, factor: f64| {
        let all = months(full(&twin.parameters), twin, &with_capacity(policy.clone(), factor), 12);
        all.iter().flatten().map(|month| month.sums.visits + month.here.prospecting).sum::<f64>()
    };
    let without = run(&twin, &policy, horizon(12), KEY);
    let today = calls(&twin, 1.0);
    twin.parameters.more.travel = Some(Travel { cost: 0.0 });
    assert!(run(&twin, &with_capacity(policy.clone(), 1.4), horizon(12), KEY) != without);
    assert_eq!(calls(&twin, 1.4), {
        let mut off = twin.clone();
        off.parameters.more.travel = None;
        calls(&off, 1.4)
    });
    twin.parameters.more.travel = Some(Travel::default());
    assert_eq!(run(&twin, &policy, horizon(12), KEY), without, "nothing changes today");
    let (fewer, more) = (calls(&twin, 0.5), calls(&twin, 1.5));
    assert!(fewer < 0.48 * today && more > 1.52 * today, "{fewer} {today} {more}");
    assert!(fewer > 0.3 * today && more < 1.8 * today, "{fewer} {today} {more}");
    let mut vast = twin.clone();
    vast.territories.iter_mut().for_each(|territory| territory.area_km2 *= 10.0);
    assert!(calls(&vast, 0.5) < fewer && calls(&vast, 1.0) == calls(&twin, 1.0));
    twin.territories.iter_mut().for_each(|territory| territory.area_km2 = 0.0);
    assert!((calls(&twin, 1.5) - 1.5 * today).abs() < 6.0, "an unknown area changes nothing");
}

#[test]
fn nobody_leaves_nothing_changes() {
    let twin = territories();
    let policy = uneven(&twin, 0.7, 0.1);
    let base = run(&twin, &policy, horizon(24), KEY);
    let quiet = with(Turnover { leave: 0.0, ..Turnover::default() }, twin.clone());
    assert_eq!(run(&quiet, &policy, horizon(24), KEY), base);
    let mut unknown = with(Turnover::default(), twin);
    unknown.territories.iter_mut().for_each(|territory| territory.reps.clear());
    assert_eq!(run(&unknown, &policy, horizon(24), KEY), base);
}

/// Mean sales, visits and calls a month over runs of a year.
fn means(twin: &Twin, policy: &Policy, runs: u32) -> (f64, f64) {
    let mut world = World::new(twin);
    let (mut sales, mut visits) = (0.0, 0.0);
    for run in 0..runs {
        let tallies = world.run(policy, horizon(12), RunKey { run, ..KEY }, Isa::detect(), &mut ());
        sales += total(&tallies.own_sales);
        visits += total(&tallies.visits);
    }
    (sales / f64::from(runs), visits / f64::from(runs))
}

#[test]
fn more_reps_that_leave_sell_less_and_today_is_today() {
    let mut twin = frozen(twin(10, 100));
    twin.agents.more.rep = (0..1_000).map(|i| (i % 2) as u8).collect();
    twin.territories.iter_mut().for_each(|territory| territory.reps = vec![35.0; 2]);
    let policy = policy(&twin);
    let (today, visits) = means(&twin, &policy, 60);
    let leaving = |times: f32| {
        let mut policy = policy.clone();
        policy.phases[0].moves.leaving = times;
        means(&with(Turnover::default(), twin.clone()), &policy, 60)
    };
    let (fewer, as_today, more) = (leaving(0.0), leaving(1.0), leaving(4.0));
    println!("without turnover {today} {visits}, none leaves {fewer:?}, as today {as_today:?}, four times {more:?}");
    assert!((as_today.0 / today - 1.0).abs() < 0.02 && (as_today.1 / visits - 1.0).abs() < 0.02);
    assert!(fewer.0 > 1.005 * as_today.0 && more.0 < 0.97 * as_today.0);
    assert!(fewer.1 > 1.01 * as_today.1 && more.1 < 0.95 * as_today.1);
}

/// Loss of a year's sales, as a share, of customers whose reps are all replaced in the first month.
fn loss(turnover: Turnover) -> f64 {
    let mut twin = frozen(twin(4, 1_000));
    // As under this plan in the long run: 0.9 visits and, for those who consented, two e-mails a month.
    twin.parameters.shock_sd = 0.0;
    let served = |i: usize| twin.agents.stage[i] == Stage::Served;
    let goodwill = (0..4_000).map(|i| if served(i) { 0.55 } else { 0.3 }).collect();
    twin.agents.goodwill = goodwill;
    let twin = with(turnover, twin);
    let policy = policy(&twin);
    let mut handed = policy.clone();
    handed.phases[0].handovers = vec![1; 4];
    let sales = |policy: &Policy| {
        let mut world = World::new(&twin);
        (0..10)
            .map(|run| {
                let key = RunKey { run, ..KEY };
                total(&world.run(policy, horizon(12), key, Isa::detect(), &mut ()).own_sales)
            })
            .sum::<f64>()
    };
    1.0 - sales(&handed) / sales(&policy)
}

#[test]
fn a_rep_that_leaves_takes_as_much_of_a_year_as_was_measured() {
    let defaults = Turnover::default();
    let unplanned = loss(Turnover { handover: 0.0, ..defaults });
    let planned = loss(defaults);
    let goodwill = loss(Turnover { handover: 0.0, relationship: 0.0, knowledge_loss: 1.0, ..defaults });
    println!("a year's sales lost: {unplanned:.3}, handed over {planned:.3}, by all goodwill alone {goodwill:.3}");
    // Shi, Sridhar, Grewal & Lilien (2017): 13.2% to 17.6%; 40% of it can be saved.
    assert!((0.13..0.18).contains(&unplanned), "{unplanned}");
    assert!((planned / unplanned - 0.6).abs() < 0.05, "{planned} {unplanned}");
    assert!(goodwill < 0.12, "{goodwill}");
    assert_eq!(loss(Turnover { handover: 1.0, ..defaults }), 0.0);
}

#[test]
fn those_of_the_rep_that_left_lose_and_recover() {
    let mut twin = frozen(twin(1, 400));
    twin.territories[0].reps = vec![140.0, 140.0];
    twin.agents.more.rep = (0..400).map(|i| (i / 8 % 2) as u8).collect();
    let turnover = Turnover { leave: 0.05, vacancy_months: 3.0, ..Turnover::default() };
    let base = policy(&twin);
    let all = months(full(&with(turnover, twin.clone()).parameters), &twin, &base, 60);
    // One alone leaves, and the capacity of the month shows who works.
    let left = (0..60).find(|&month| all[0][month].here.departed.count_ones() == 1).unwrap();
    let seat = all[0][left].here.departed.trailing_zeros() as u8;
    struct Kept(usize, Vec<f32>, Vec<f32>);
    impl Recorder for Kept {
        fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
            if month + 1 == self.0 {
                self.1 = seen.goodwill.to_vec();
            } else if month == self.0 {
                self.2 = seen.goodwill.to_vec();
            }
        }
    }
    let mut kept = Kept(left, vec![0.3; 400], Vec::new());
    let mut still = base.clone();
    // Nobody is called, so that goodwill only fades.
    still.phases[0].visits.desired.fill(0.0);
    still.phases[0].contacts[0].fill(0.0);
    World::new(&with(turnover, twin.clone())).run(&still, horizon(60), KEY, Isa::detect(), &mut kept);
    let average = 1.0 / (1.0 - turnover.knowledge_loss * turnover.rate());
    for i in (0..400).filter(|&i| twin.agents.stage[i] > Stage::Dark) {
        let lost = if twin.agents.more.rep[i] == seat { turnover.knowledge_loss } else { 0.0 };
        let wanted = 0.7 * average * (1.0 - lost);
        assert!((f64::from(kept.2[i] / kept.1[i]) - wanted).abs() < 1e-5, "{i}: {} {}", kept.1[i], kept.2[i]);
    }
}

#[test]
fn a_successor_ramps_up() {
    let mut twin = frozen(twin(1, 100));
    twin.territories[0].reps = vec![70.0];
    let turnover = Turnover { leave: 0.05, vacancy_months: 1.0, ramp_months: 4.0, ..Turnover::default() };
    let twin = with(turnover, twin);
    let all = months(full(&twin.parameters), &twin, &policy(&twin), 120);
    let worth: Vec<f64> = all[0].iter().map(|month| month.here.capacity / 70.0 * turnover.long_run()).collect();
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let mut ramps = 0;
    for (month, pair) in worth.windows(2).enumerate() {
        let left = all[0][month + 1].here.departed == 1;
        match () {
            () if near(pair[1], 0.0) => assert!(left || near(pair[0], 0.0)),
            () if near(pair[1], 0.5) => assert!(left || near(pair[0], 0.0)),
            () => {
                ramps += usize::from(!near(pair[1], pair[0]));
                assert!(!left && near(pair[1], (pair[0] + 0.125).min(1.0)), "{pair:?}");
            }
        }
    }
    assert!(ramps >= 4 && worth.iter().any(|&worth| near(worth, 1.0)), "{worth:?}");
}

#[test]
fn the_field_is_the_same_on_all_instruction_sets() {
    let mut twin = territories();
    twin.parameters.more.travel = Some(Travel::default());
    twin.parameters.more.turnover = Some(Turnover { leave: 0.1, ..Turnover::default() });
    let mut policy = uneven(&twin, 0.437_3, 0.05);
    let mut second = policy.phases[0].clone();
    second.from = 5;
    second.handovers = vec![0b10; 6];
    second.visits.meets_capacity = vec![MeetsCapacity::Ceiling; 6];
    second.visits.capacity.iter_mut().for_each(|capacity| *capacity *= 1.6);
    policy.phases.push(second);
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(24), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    for isa in Isa::available() {
        assert!(run(isa) == baseline, "{} differs", isa.name());
    }
}
