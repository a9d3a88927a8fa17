//! Business customers: buying centres, credit and contracts.

use super::super::mechanisms::contracts::Contracts;
use super::super::mechanisms::coverage::Coverage;
use super::super::mechanisms::credit::Credit;
use super::super::now::{Due, TOGETHER};
use super::*;

const COVERAGE: Coverage = Coverage { decay: 0.9, per_contact: 0.6, weight: 1.0 };
const CREDIT: Credit = Credit { paid: 0.5, strictness: 1.0 };
const CONTRACTS: Contracts = Contracts { lost_at_end: 0.3, renewed_months: 4.0 };

/// Sales, rivals' sales and stages by month and agent, of a market of one territory.
#[derive(Default, PartialEq, Debug)]
struct Diary {
    own: Vec<Vec<f64>>,
    rivals: Vec<Vec<f64>>,
    after: Vec<Vec<Stage>>,
}

impl Recorder for Diary {
    fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
        let wide = |column: &[f32]| column.iter().map(|&x| f64::from(x)).collect();
        self.own.push(wide(seen.own_sales));
        self.rivals.push(wide(seen.rival_sales));
        self.after.push(seen.after.to_vec());
    }
}

impl Diary {
    fn of(twin: &Twin, policy: &Policy, months: usize) -> Self {
        let mut diary = Self::default();
        World::new(twin).run(policy, horizon(months), KEY, Isa::detect(), &mut diary);
        diary
    }

    fn sales(&self, month: usize) -> f64 {
        total(&self.own[month])
    }
}

fn served(twin: &Twin) -> Vec<usize> {
    (0..twin.agents.len()).filter(|&i| twin.agents.stage[i] == Stage::Served).collect()
}

/// A frozen market in which contacts do nothing but cover seats: four each, half of them covered.
fn covered(each: usize) -> Twin {
    let mut twin = frozen(twin(1, each));
    twin.parameters.goodwill.effect = [0.0; Channel::COUNT];
    twin.parameters.more.coverage = Some(COVERAGE);
    twin.agents.goodwill.fill(0.0);
    twin.agents.more.seats = vec![4; each];
    twin.agents.more.covered = vec![0.5; each];
    twin
}

/// All that we know are visited as often as that.
fn visiting(twin: &Twin, visits: f32) -> Policy {
    let mut policy = policy(twin);
    let phase = &mut policy.phases[0];
    phase.visits.desired.fill(visits);
    phase.visits.meets_capacity.fill(MeetsCapacity::Ceiling);
    phase.visits.capacity.fill(1e9);
    phase.channels.clear();
    phase.contacts.clear();
    policy
}

fn without(mut twin: Twin) -> Twin {
    twin.parameters.more = Further::default();
    twin
}

#[test]
fn without_accounts_nothing_changes() {
    let plain = twin(2, 300);
    let policy = policy(&plain);
    let wanted = run(&plain, &policy, horizon(18), KEY);
    let mut on = plain.clone();
    on.parameters.more.coverage = Some(COVERAGE);
    on.parameters.more.credit = Some(CREDIT);
    on.parameters.more.contracts = Some(CONTRACTS);
    assert!(run(&on, &policy, horizon(18), KEY) == wanted);
    // Nor where there is something that does not matter: seats without weight, and balances without limits.
    on.parameters.more.coverage = Some(Coverage { weight: 0.0, ..COVERAGE });
    on.agents.more.seats = vec![3; 600];
    on.agents.more.covered = vec![0.3; 600];
    on.agents.more.balance = vec![50.0; 600];
    assert!(run(&on, &policy, horizon(18), KEY) == wanted);
}

#[test]
fn only_accounts_are_touched() {
    let plain = frozen(twin(1, 320));
    let policy = policy(&plain);
    let mut mixed = plain.clone();
    // Every third customer is an account with much to lose.
    let pick = |yes: f32, no: f32| (0..320).map(|i| if i % 3 == 0 { yes } else { no }).collect::<Vec<f32>>();
    mixed.agents.more.seats = (0..320).map(|i| if i % 3 == 0 { 6 } else { 0 }).collect();
    mixed.agents.more.covered = pick(0.9, 1.0);
    mixed.agents.more.visits = pick(9.0, 0.0);
    mixed.agents.more.credit_limit = pick(1.0, f32::INFINITY);
    mixed.agents.more.contract_months = pick(3.0, 0.0);
    mixed.parameters.more.coverage = Some(COVERAGE);
    mixed.parameters.more.credit = Some(CREDIT);
    mixed.parameters.more.contracts = Some(CONTRACTS);
    let (one, other) = (Diary::of(&plain, &policy, 12), Diary::of(&mixed, &policy, 12));
    let mut moved = 0;
    for month in 0..12 {
        for i in 0..320 {
            let same = one.own[month][i] == other.own[month][i]
                && one.rivals[month][i] == other.rivals[month][i]
                && one.after[month][i] == other.after[month][i];
            assert!(same || i % 3 == 0, "customer {i} in month {month}");
            moved += u32::from(!same);
        }
    }
    assert!(moved > 100, "{moved}");
}

#[test]
fn coverage_fades_as_its_equation_says() {
    // Nobody is visited, and today's half rests on two visits a month: to hold it takes a hazard of ln(0.55 / 0.5) = 0.095,
    // while two visits to four seats bring 0.6 * 2 / 4 = 0.3. So it all goes: 0.9 a month is left.
    let mut twin = covered(4_000);
    twin.agents.more.visits = vec![2.0; 4_000];
    let quiet = visiting(&twin, 0.0);
    let (with, plain) = (Diary::of(&twin, &quiet, 7), Diary::of(&without(twin.clone()), &quiet, 7));
    for month in 0..7 {
        let wanted = 0.9_f64.powi(month as i32 + 1) * plain.sales(month);
        // Poisson in orders of 2 units, of both runs.
        let sd = (2.0 * 2.0 * 2.0 * wanted).sqrt();
        assert!((with.sales(month) - wanted).abs() < 4.0 * sd, "month {month}: {} {wanted}", with.sales(month));
    }
    // What rests on nothing stays.
    twin.agents.more.visits.clear();
    let kept = Diary::of(&twin, &quiet, 7);
    for month in 0..7 {
        assert!((kept.sales(month) / plain.sales(month) - 1.0).abs() < 1e-3);
    }
}

#[test]
fn todays_visits_leave_today_as_it_is_and_more_sell_more() {
    let mut twin = covered(2_000);
    twin.agents.more.visits = vec![1.0; 2_000];
    let year = |visits| {
        let diary = Diary::of(&twin, &visiting(&twin, visits), 12);
        (0..12).map(|month| diary.sales(month)).sum::<f64>()
    };
    let plain = Diary::of(&without(twin.clone()), &visiting(&twin, 1.0), 12);
    let plain: f64 = (0..12).map(|month| plain.sales(month)).sum();
    let (fewer, same, more) = (year(0.5), year(1.0), year(2.0));
    assert!((same / plain - 1.0).abs() < 1e-3, "{same} {plain}");
    assert!(fewer < 0.9 * same && more > 1.1 * same && more < 2.0 * same, "{fewer} {same} {more}");
}

#[test]
fn covered_seats_win_customers() {
    let mut twin = covered(4_000);
    twin.parameters.conversion.hazard = 0.01;
    let won = |twin: &Twin, visits| total(&run(twin, &visiting(twin, visits), horizon(12), KEY).won);
    let (none, some) = (won(&twin, 0.0), won(&twin, 3.0));
    assert_eq!(none, won(&without(twin.clone()), 0.0));
    assert!(some > 1.3 * none, "{none} {some}");
}

#[test]
fn an_order_is_ours_at_most_whole() {
    let mut twin = covered(800);
    twin.agents.more.covered.fill(0.02);
    twin.parameters.more.coverage = Some(Coverage { weight: 3.0, ..COVERAGE });
    let diary = Diary::of(&twin, &visiting(&twin, 6.0), 12);
    let who = served(&twin);
    let of = |column: &[f64]| who.iter().map(|&i| column[i]).sum::<f64>();
    assert!(of(&diary.own[11]) > 0.0 && of(&diary.rivals[11]) == 0.0);
}

#[test]
fn limits_turn_orders_away_to_rivals() {
    let mut twin = frozen(twin(1, 800));
    let policy = policy(&twin);
    twin.parameters.more.credit = Some(CREDIT);
    let mut sales = Vec::new();
    let mut all = Vec::new();
    for limit in [2.0, 4.0, 8.0, f32::INFINITY] {
        twin.agents.more.credit_limit = vec![limit; 800];
        let tallies = run(&twin, &policy, horizon(12), KEY);
        sales.push(total(&tallies.own_sales));
        all.push(total(&tallies.total_demand));
    }
    assert!(sales.is_sorted() && sales[0] < 0.6 * sales[3], "{sales:?}");
    // What the customers buy altogether is the same, draw by draw.
    assert!(all.iter().all(|all_here| (all_here / all[3] - 1.0).abs() < 1e-7), "{all:?}");
}

#[test]
fn balances_add_up_and_stay_within_limits() {
    let mut twin = frozen(twin(1, 400));
    let policy = policy(&twin);
    twin.parameters.more.credit = Some(CREDIT);
    twin.agents.more.credit_limit = (0..400).map(|i| 1.0 + (i % 7) as f32).collect();
    twin.agents.more.balance = (0..400).map(|i| (i % 5) as f32 * 6.0).collect();
    let (cut, free) = (Diary::of(&twin, &policy, 12), Diary::of(&without(twin.clone()), &policy, 12));
    let mut at_limit = 0;
    for i in served(&twin) {
        let limit = f64::from(twin.agents.more.credit_limit[i]);
        let mut balance = f64::from(twin.agents.more.balance[i]);
        let (mut paid, mut bought) = (0.0, 0.0);
        for month in 0..12 {
            let owed = 0.5 * balance;
            paid += balance - owed;
            let (ordered, sold) = (free.own[month][i], cut.own[month][i]);
            let wanted = ordered.min((limit - owed).max(0.0));
            assert!((sold - wanted).abs() < 1e-5, "customer {i} in month {month}: {sold} {wanted}");
            assert!((cut.rivals[month][i] - free.rivals[month][i] - (ordered - sold)).abs() < 1e-5);
            bought += sold;
            balance = owed + sold;
            assert!(sold == 0.0 || balance < limit + 1e-5);
            at_limit += u32::from(sold < ordered);
        }
        let start = f64::from(twin.agents.more.balance[i]);
        assert!((start + bought - paid - balance).abs() < 1e-9);
    }
    assert!(at_limit > 100, "{at_limit}");
}

#[test]
fn nobody_leaves_under_contract_and_some_at_its_end() {
    let mut twin = frozen(twin(1, 8_000));
    twin.parameters.churn = 0.1;
    twin.parameters.more.contracts = Some(CONTRACTS);
    twin.agents.more.contract_months = vec![3.0; 8_000];
    let tallies = run(&twin, &policy(&twin), horizon(12), KEY);
    // Contracts end with the third month, and renewed ones four months after it.
    let mut left = served(&twin).len() as f64;
    for month in 0..12 {
        let chance = if [2, 6, 10].contains(&month) { 0.3 } else { 0.0 };
        let (lost, wanted) = (tallies.lost[month], chance * left);
        assert!((lost - wanted).abs() <= 4.0 * (wanted * (1.0 - chance)).sqrt(), "month {month}: {lost} {wanted}");
        left -= lost;
    }
}

#[test]
fn those_won_later_have_no_contract() {
    let mut twin = frozen(twin(1, 4_000));
    twin.parameters.conversion.hazard = 80.0;
    twin.parameters.more.contracts = Some(Contracts { lost_at_end: 1.0, renewed_months: 12.0 });
    twin.agents.more.contract_months = vec![2.0; 4_000];
    twin.parameters.churn = 0.2;
    let tallies = run(&twin, &policy(&twin), horizon(4), KEY);
    let contracted = served(&twin).len() as f64;
    // All are lost with the second month, and won back in the third; then they leave at the usual rate.
    assert_eq!((tallies.lost[0], tallies.served[1] < 0.01 * contracted), (0.0, true));
    let (before, lost) = (tallies.served[2], tallies.lost[3]);
    let chance = -libm::expm1(-0.2);
    assert!(before > contracted);
    assert!((lost - chance * before).abs() < 4.0 * (chance * (1.0 - chance) * before).sqrt(), "{lost} {before}");
}

#[test]
fn instruction_sets_agree_on_accounts() {
    let mut twin = twin(3, 205);
    twin.parameters.more.coverage = Some(COVERAGE);
    twin.parameters.more.credit = Some(CREDIT);
    twin.parameters.more.contracts = Some(CONTRACTS);
    let n = twin.agents.len();
    let column = |f: &dyn Fn(usize) -> f32| (0..n).map(f).collect::<Vec<f32>>();
    twin.agents.more.seats = (0..n).map(|i| (i % 5) as u8).collect();
    twin.agents.more.covered = column(&|i| (i % 11) as f32 / 10.0);
    twin.agents.more.visits = column(&|i| (i % 3) as f32 * 0.5);
    twin.agents.more.credit_limit = column(&|i| if i % 2 == 0 { 5.0 + (i % 13) as f32 } else { f32::INFINITY });
    twin.agents.more.balance = column(&|i| (i % 4) as f32 * 3.0);
    twin.agents.more.contract_months = column(&|i| (i % 10) as f32);
    let policy = policy(&twin);
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(24), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    assert!(baseline.0.own_sales.iter().all(|sales| sales.is_finite()));
    for isa in Isa::available() {
        assert!(run(isa) == baseline, "{} differs", isa.name());
    }
}

#[test]
fn price_moves_wait_for_the_end_of_a_contract() {
    use crate::lanes::Simd as _;
    use crate::rng::Draws;

    let mut twin = twin(1, 16);
    twin.agents.more.contract_months = (0..16).map(|i| (i % 4) as f32).collect();
    let policy = policy(&twin);
    let phase = &policy.phases[0];
    let before = Sums::default();
    let month = Month {
        index: 0,
        path: 1.0,
        key: KEY,
        territory: 0,
        hash: twin.territories[0].hash,
        rivals: &twin.territories[0].rivals,
        dark_at_start: 4.0,
        policy: &policy,
        phase,
        next: phase,
        desired: &phase.visits.desired,
        desired_next: &phase.visits.desired,
        agents: 0..16,
        before: &before,
    };
    let first = Contracts::traits(&twin.agents, 0..16);
    let mut ends = Contracts::memory(&twin.agents, 0..16);
    let mut at_end = CONTRACTS.ground(&twin.agents, &twin.territories[0]);
    let draws: Draws<_> = KEY.draws();
    for index in 0..5 {
        let (mut channels, mut products) = ([F32x16::ZERO; Channel::COUNT], [F32x16::ZERO; PRODUCTS]);
        let (mut made, mut due) = ([F32x16::ZERO; Channel::COUNT], [Due::nobody(); TOGETHER]);
        let mut now = Now::<F32x16>::new(&draws, index, &mut channels, &mut products, &mut made, &mut due, None);
        now.begin(0, &crate::lanes::U32x16::ZERO, &crate::lanes::U32x16::ZERO, now.words);
        now.is = Stages::of(crate::lanes::U32x16([Stage::Served as u32; 16]));
        now.will_be = now.is;
        CONTRACTS.step(&month, &Here::default(), &mut at_end, &first, &mut ends, &mut now);
        CONTRACTS.close(&month, &Here::default(), &mut at_end, &first, &mut ends, &mut now);
        for i in 0..16 {
            let months = (i % 4) as u32;
            // The first contract fixes the price, renewed ones only keep the customer.
            assert_eq!(now.priced.store().0[i], if index < months { 0.0 } else { 1.0 });
            assert_eq!(now.churn.store().0[i], if months > 0 { 0.0 } else { 1.0 });
            let ends_now = months > 0 && (index + 1 == months || index + 1 == months + 4);
            assert_eq!(now.leave.store().0[i] > 0.0, ends_now, "customer {i} in month {index}");
        }
    }
}

#[test]
fn a_contract_keeps_our_price_away_until_it_ends() {
    let mut twin = frozen(testing::twin(1, 400));
    twin.parameters.more.price = Some(mechanisms::price::Price { effect: 4.0 });
    twin.parameters.more.promotion =
        Some(mechanisms::promotion::Promotion { elasticity: 3.0, switching: 0.3, shifting: 0.3 });
    twin.parameters.more.contracts = Some(mechanisms::contracts::Contracts { lost_at_end: 0.0, renewed_months: 12.0 });
    twin.agents.more.contract_months = vec![3.0; twin.agents.len()];
    let usual = testing::policy(&twin);
    for change in [(0.2, 0.0), (0.0, 0.2)] {
        let mut moved = usual.clone();
        (moved.phases[0].moves.price, moved.phases[0].moves.promotion) = change;
        let sales = |policy: &Policy| run(&twin, policy, testing::horizon(6), KEY).own_sales;
        let (base, moved) = (sales(&usual), sales(&moved));
        assert_eq!(base[..3], moved[..3], "nothing reaches them under contract");
        let ratio = moved[3] / base[3];
        assert!(if change.0 > 0.0 { ratio < 0.8 } else { ratio > 1.2 }, "{change:?}: {ratio}");
    }
}
