//! Habit, price, launches, rivals' reactions, and how customers are found, lost and won back.

use super::*;
use crate::simulate::mechanisms::choice::{appeal, share};
use crate::simulate::mechanisms::habit::Habit;
use crate::simulate::mechanisms::launch::{Launch, adopted};
use crate::simulate::mechanisms::price::{self, Price};
use crate::simulate::mechanisms::reaction::Reaction;

/// One territory in which nothing but choice goes on: all are served, give us this share, and order in small pieces.
fn steady(today: f64) -> Twin {
    let mut twin = frozen(twin(1, 1_600));
    twin.parameters.goodwill.effect = [0.0; Channel::COUNT];
    twin.parameters.order_unit = 0.01;
    twin.agents.stage.fill(Stage::Served);
    twin.agents.goodwill.fill(0.0);
    twin.agents.appeal.fill(appeal(today, 0.0) as f32);
    twin.territories[0].dark_at_start = 0.0;
    twin
}

/// Changes a phase.
type Edit<'a> = &'a dyn Fn(&mut Phase);

/// The policy with further phases, each changed from the first.
fn then(twin: &Twin, phases: &[(usize, Edit<'_>)]) -> Policy {
    let mut policy = policy(twin);
    for &(from, change) in phases {
        let mut phase = policy.phases[0].clone();
        phase.from = from;
        change(&mut phase);
        if from == 0 {
            policy.phases[0] = phase;
        } else {
            policy.phases.push(phase);
        }
    }
    policy
}

/// Our share of all orders, by month; of one territory.
fn shares(twin: &Twin, policy: &Policy, months: usize) -> Vec<f64> {
    let tallies = run(twin, policy, horizon(months), KEY);
    tallies.own_sales.iter().zip(&tallies.total_demand).map(|(own, all)| own / all).collect()
}

/// Shares by chance and in expectation are as near as so many orders allow.
fn assert_near(shares: &[f64], wanted: &[f64]) {
    assert_eq!(shares.len(), wanted.len());
    for (month, (share, wanted)) in shares.iter().zip(wanted).enumerate() {
        assert!((share - wanted).abs() < 2e-3, "month {month}: {share} {wanted}");
    }
}

/// Everything of this family on.
fn all() -> Further {
    Further {
        habit: Some(Habit { strength: 1.5, decay: 0.8 }),
        price: Some(Price { effect: 3.0 }),
        launch: Some(Launch::of_years(0.4, 0.03, 0.38)),
        reaction: Some(Reaction { strength: 2.0, inertia: 0.7 }),
        ..Further::default()
    }
}

/// A market with customers that differ in how they take a price.
fn priced(territories: usize, each: usize) -> Twin {
    let mut twin = twin(territories, each);
    twin.agents.more.price_sensitivity = (0..twin.agents.len()).map(|i| 0.5 + 0.1 * (i * 7 % 11) as f32).collect();
    twin.parameters.more = all();
    twin.parameters.conversion.reactivation = 1.5;
    twin
}

#[test]
fn all_instruction_sets_choose_alike() {
    let twin = priced(3, 333);
    let policy = then(
        &twin,
        &[(5, &|phase| {
            phase.moves.price = -0.08;
            phase.moves.launched = 0.0;
        })],
    );
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(18), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    for isa in Isa::available() {
        assert!(run(isa) == baseline, "{} differs", isa.name());
    }
}

#[test]
fn without_effect_nothing_moves() {
    let mut twin = priced(2, 300);
    let policy = then(&twin, &[(0, &|phase| phase.moves.price = 0.2), (4, &|phase| phase.moves.launched = 0.0)]);
    twin.parameters.more = Further::default();
    let off = run(&twin, &policy, horizon(12), KEY);
    twin.parameters.more = Further {
        habit: Some(Habit { strength: 0.0, decay: 0.8 }),
        price: Some(Price { effect: 0.0 }),
        launch: Some(Launch::of_years(0.0, 0.03, 0.38)),
        reaction: Some(Reaction { strength: 0.0, inertia: 0.7 }),
        ..Further::default()
    };
    assert!(run(&twin, &policy, horizon(12), KEY) == off, "strengths of 0");
    // Full strengths, but neither a price nor a launch, and habit and reaction have nothing to see in the first month.
    twin.parameters.more = Further { habit: None, reaction: None, ..all() };
    let quiet = super::policy(&twin);
    let none = run(&Twin { parameters: parameters(), ..twin.clone() }, &quiet, horizon(12), KEY);
    twin.parameters.conversion.reactivation = 1.0;
    assert!(run(&twin, &quiet, horizon(12), KEY) == none, "no moves");
    twin.parameters.more = all();
    let first = run(&twin, &quiet, horizon(1), KEY);
    let none = run(&Twin { parameters: parameters(), ..twin.clone() }, &quiet, horizon(1), KEY);
    assert!(first == none, "the first month");
}

#[test]
fn a_phase_that_changes_nothing_changes_nothing() {
    let twin = priced(2, 300);
    let one = then(
        &twin,
        &[(0, &|phase| {
            phase.moves.price = -0.05;
            phase.moves.launched = 3.0;
        })],
    );
    let mut two = one.clone();
    let mut second = one.phases[0].clone();
    second.from = 6;
    second.moves.launched = 9.0;
    two.phases.push(second);
    let (one, two) = (run(&twin, &one, horizon(12), KEY), run(&twin, &two, horizon(12), KEY));
    assert!(one == two);
}

#[test]
fn a_push_outlives_itself_by_habit() {
    let habit = Habit { strength: 2.0, decay: 0.8 };
    let mut twin = steady(0.3);
    let policy = then(&twin, &[(4, &|phase| phase.own_push = 0.8), (10, &|_| {})]);
    let without = shares(&twin, &policy, 24);
    twin.parameters.more.habit = Some(habit);
    let with = shares(&twin, &policy, 24);
    // In expectation every customer does the same.
    let log_odds = appeal(0.3, 0.0);
    let mut used = 0.3;
    let wanted: Vec<f64> = (0..24)
        .map(|month| {
            let push = if (4..10).contains(&month) { 0.8 } else { 0.0 };
            let now = share(log_odds + push + habit.strength * (used - 0.3), 1.0);
            used = habit.decay * used + (1.0 - habit.decay) * now;
            now
        })
        .collect();
    assert_near(&with, &wanted);
    assert!((with[3] - without[3]).abs() < 1e-4, "habit does nothing while nothing moves");
    assert!(with[9] > without[9] + 0.03 && with[10] > without[10] + 0.03, "{} {}", with[10], without[10]);
    assert!(with[23] < with[10] && with[23] > without[23], "and fades");
}

#[test]
fn new_customers_get_used_to_us() {
    let habit = Habit { strength: 2.0, decay: 0.8 };
    let mut twin = steady(0.4);
    twin.agents.stage.fill(Stage::Identified);
    twin.parameters.conversion = Conversion { hazard: 20.0, goodwill_effect: 0.0, reactivation: 1.0, at_once: 0.0 };
    twin.parameters.more.habit = Some(habit);
    let with = shares(&twin, &policy(&twin), 36);
    let mut used = 0.0;
    let mut wanted = vec![0.0];
    for _ in 1..36 {
        let now = share(appeal(0.4, 0.0) + habit.strength * (used - 0.4), 1.0);
        used = habit.decay * used + (1.0 - habit.decay) * now;
        wanted.push(now);
    }
    assert_near(&with, &wanted);
    assert!(with[1] < 0.25 && with[35] > 0.37, "{} {}", with[1], with[35]);
}

#[test]
fn the_elasticity_of_sales_is_that_of_the_formula() {
    let effect = price::effect(-2.62, 0.3);
    let mut twin = steady(0.3);
    twin.parameters.more.price = Some(Price { effect });
    let sales = |twin: &Twin, log_price: f32| {
        let policy = then(twin, &[(0, &|phase| phase.moves.price = log_price)]);
        total(&run(twin, &policy, horizon(12), KEY).own_sales)
    };
    let elasticity = |twin: &Twin| libm::log(sales(twin, 0.02) / sales(twin, -0.02)) / 0.04;
    let found = elasticity(&twin);
    assert!((found + 2.62).abs() < 0.02, "{found}");

    // Customers that differ: the mean of their elasticities, weighted by what they buy.
    let n = twin.agents.len();
    twin.agents.appeal = (0..n).map(|i| -1.5 + 0.25 * (i % 9) as f32).collect();
    twin.agents.more.price_sensitivity = (0..n).map(|i| 0.4 + 0.3 * (i % 5) as f32).collect();
    let (mut weighted, mut bought) = (0.0, 0.0);
    for i in 0..n {
        let today = share(f64::from(twin.agents.appeal[i]), 1.0);
        let buys = f64::from(twin.agents.size[i]) * today;
        weighted += buys * price::elasticity(effect * f64::from(twin.agents.more.price_sensitivity[i]), today);
        bought += buys;
    }
    let found = elasticity(&twin);
    assert!((found - weighted / bought).abs() < 0.02, "{found} {}", weighted / bought);
    assert!(sales(&twin, 0.1) < sales(&twin, 0.0) && sales(&twin, 0.0) < sales(&twin, -0.1));
}

#[test]
fn a_launch_is_adopted_as_bass_says() {
    let mut twin = steady(0.3);
    twin.parameters.more.launch = Some(Launch { lift: 0.9, innovation: 0.02, imitation: 0.3 });
    let policy = then(&twin, &[(3, &|phase| phase.moves.launched = 0.0), (9, &|phase| phase.moves.launched = 6.0)]);
    let with = shares(&twin, &policy, 30);
    let wanted = |month: f64| share(appeal(0.3, 0.0) + 0.9 * adopted(0.02, 0.3, month), 1.0);
    let wanted: Vec<f64> = (0..30).map(|month| wanted(f64::from(month) - 3.0)).collect();
    assert_near(&with, &wanted);
    assert!(with[29] > 0.49, "{}", with[29]);
    // One of half a year ago: what is adopted by now is part of the appeals.
    let old = then(&twin, &[(0, &|phase| phase.moves.launched = 6.0)]);
    let wanted = |month: f64| {
        let more = adopted(0.02, 0.3, month + 6.0) - adopted(0.02, 0.3, 6.0);
        share(appeal(0.3, 0.0) + 0.9 * more, 1.0)
    };
    let wanted: Vec<f64> = (0..12).map(|month| wanted(f64::from(month))).collect();
    assert_near(&shares(&twin, &old, 12), &wanted);
}

#[test]
fn rivals_take_back_part_of_a_gain() {
    let reaction = Reaction { strength: 3.0, inertia: 0.6 };
    let mut twin = steady(0.3);
    let attack = then(&twin, &[(0, &|phase| phase.own_push = 0.6)]);
    let without = shares(&twin, &attack, 18);
    twin.parameters.more.reaction = Some(reaction);
    let with = shares(&twin, &attack, 18);
    let mut gain: f64 = 0.0;
    let wanted: Vec<f64> = (0..18)
        .map(|_| {
            let now = share(appeal(0.3, 0.0) + 0.6 - reaction.strength * gain.max(0.0), 1.0);
            gain = reaction.inertia * gain + (1.0 - reaction.inertia) * (now - 0.3);
            now
        })
        .collect();
    assert_near(&with, &wanted);
    assert!((with[0] - without[0]).abs() < 1e-12, "nobody reacts before there is something to see");
    // They notice the whole gain in the end: a fixed point of share = choice at 3 * (share - 0.3) less.
    let lasting = with[17];
    assert!((lasting - share(appeal(0.3, 0.0) + 0.6 - 3.0 * (lasting - 0.3), 1.0)).abs() < 3e-3, "{lasting}");
    assert!(lasting > 0.35 && lasting < without[17] - 0.03, "{lasting} {}", without[17]);
    // The rivals' split is as before, and a loss of ours moves nobody.
    let retreat = then(&twin, &[(0, &|phase| phase.own_push = -0.6)]);
    let quiet = run(&twin, &retreat, horizon(12), KEY);
    twin.parameters.more.reaction = None;
    assert!(run(&twin, &retreat, horizon(12), KEY) == quiet);
}

#[test]
fn territories_react_apart() {
    let mut twin = twin(2, 400);
    twin.parameters.more.reaction = Some(Reaction { strength: 3.0, inertia: 0.5 });
    let base = run(&twin, &policy(&twin), horizon(12), KEY);
    let mut policy = policy(&twin);
    // Rivals retreat from the second territory: what we gain there is nobody's business in the first.
    policy.phases[0].rival_push[1] = vec![-1.0; 3];
    let there = run(&twin, &policy, horizon(12), KEY);
    for month in 0..12 {
        assert_eq!(there.own_sales[2 * month], base.own_sales[2 * month]);
        assert!(there.own_sales[2 * month + 1] > base.own_sales[2 * month + 1]);
    }
}

/// Stages before and after the first month, counted.
#[derive(Default)]
struct FirstMonth(Vec<(Stage, Stage)>);

impl Recorder for FirstMonth {
    fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
        if month == 0 {
            self.0.extend(seen.before.iter().copied().zip(seen.after.iter().copied()));
        }
    }
}

fn first_month(twin: &Twin) -> FirstMonth {
    let mut moves = FirstMonth::default();
    World::new(twin).run(&policy(twin), horizon(1), KEY, Isa::detect(), &mut moves);
    moves
}

impl FirstMonth {
    /// Share of those in a stage that moved to another, and the size of the error of counting.
    fn chance(&self, from: Stage, to: Stage) -> (f64, f64) {
        let all = self.0.iter().filter(|(before, _)| *before == from).count() as f64;
        let moved = self.0.iter().filter(|&&moved| moved == (from, to)).count() as f64 / all;
        (moved, 4.0 * (moved * (1.0 - moved) / all).sqrt())
    }
}

#[test]
fn the_lost_come_back_at_their_own_hazard() {
    let mut twin = frozen(twin(1, 16_000));
    twin.parameters.goodwill.effect = [0.0; Channel::COUNT];
    twin.agents.goodwill.fill(0.5);
    twin.parameters.conversion = Conversion { hazard: 0.1, goodwill_effect: 0.8, reactivation: 1.0, at_once: 0.0 };
    let before = first_month(&twin);
    twin.parameters.conversion.reactivation = 2.5;
    let moves = first_month(&twin);
    // Goodwill has decayed to 0.35.
    let hazard = 0.1 * libm::exp(0.8 * 0.35);
    for (from, hazard) in [(Stage::Identified, hazard), (Stage::Lapsed, 2.5 * hazard)] {
        let (chance, error) = moves.chance(from, Stage::Served);
        assert!((chance + libm::expm1(-hazard)).abs() < error, "{from:?}: {chance}");
    }
    // The same customers are won as before, and more of the lapsed.
    for (before, after) in before.0.iter().zip(&moves.0) {
        assert!(before == after || before.0 == Stage::Lapsed && after.1 == Stage::Served);
    }
}

/// Multiplies the hazard of leaving: what a mechanism may do to it.
#[derive(Debug, Clone, Copy)]
struct Loyal(f32);

impl Mechanism for Loyal {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn step<V: crate::lanes::Simd>(
        &self,
        _: &Month<'_>,
        _: &Here,
        _: &mut (),
        _: &(),
        _: &mut (),
        now: &mut Now<'_, V>,
    ) {
        now.churn = now.churn * V::splat(self.0);
    }
}

#[derive(Default)]
struct Lost(f64);

impl Ledger for Lost {
    fn territory(&mut self, _: usize, months: &[Entry]) {
        self.0 += months.iter().map(|month| month.sums.lost).sum::<f64>();
    }
}

#[test]
fn mechanisms_can_hold_customers() {
    let mut twin = frozen(twin(1, 16_000));
    twin.parameters.churn = 0.3;
    let lost = |factor: f32| {
        let mut engine = Engine::new((twin.parameters.life(), Loyal(factor)));
        engine.push(&twin.territories[0], &twin.agents);
        let mut lost = Lost::default();
        engine.run(&policy(&twin), &[1.0], KEY, Isa::detect(), &mut lost, &mut ());
        lost.0
    };
    let served = twin.agents.stage.iter().filter(|&&stage| stage == Stage::Served).count() as f64;
    for factor in [1.0, 0.5] {
        let wanted = -libm::expm1(-0.3 * f64::from(factor)) * served;
        assert!((lost(factor) - wanted).abs() < 4.0 * wanted.sqrt(), "{} {wanted}", lost(factor));
    }
    assert_eq!(lost(0.0), 0.0);
    assert_eq!(lost(1.0), total(&run(&twin, &policy(&twin), horizon(1), KEY).lost));
}

#[test]
fn discovery_is_the_curve_of_bass() {
    // All are dark, but for those that a curve of imitation alone needs to begin with; the found are won in the next
    // month.
    let (agents, months) = (10_000, 360);
    let mut empty = frozen(twin(1, agents));
    empty.agents.visibility.fill(1.0);
    empty.agents.influence.fill(1.0);
    empty.agents.stage.fill(Stage::Dark);
    empty.parameters.conversion = Conversion { hazard: 20.0, goodwill_effect: 0.0, reactivation: 1.0, at_once: 0.0 };
    let mut quiet = policy(&empty);
    quiet.phases[0].visits.prospecting = vec![0.0];
    // Slow, so that months are short against the curve.
    for (innovation, imitation, start) in [(0.0008, 0.012, 0.0), (0.0, 0.014, 0.05), (0.004, 0.0, 0.0)] {
        let mut twin = empty.clone();
        let seeds = (start * agents as f64) as usize;
        twin.agents.stage[..seeds].fill(Stage::Served);
        (twin.parameters.discovery.spontaneous, twin.parameters.discovery.referral) = (innovation, imitation);
        let tallies = run(&twin, &quiet, horizon(months), KEY);
        let mut peak = (0.0_f64, 0);
        for month in 0..months {
            let time = (month + 1) as f64;
            let wanted = if start > 0.0 {
                // Imitation alone: the logistic curve.
                1.0 / (1.0 + (1.0 - start) / start * libm::exp(-imitation * time))
            } else {
                adopted(innovation, imitation, time)
            };
            let found = 1.0 - tallies.dark[month] / agents as f64;
            assert!((found - wanted).abs() < 0.025, "{innovation} {imitation}, month {month}: {found} {wanted}");
            if month >= 24 {
                let year = total(&tallies.found[month - 24..month]);
                if year > peak.0 {
                    peak = (year, month - 12);
                }
            }
        }
        // Most are found at ln(q / p) / (p + q), or at once where nobody is imitated.
        if innovation > 0.0 && imitation > 0.0 {
            let wanted = libm::log(imitation / innovation) / (innovation + imitation);
            assert!((peak.1 as f64 - wanted).abs() < 40.0, "{peak:?} {wanted}");
        } else if imitation == 0.0 {
            assert!(peak.1 < 36, "{peak:?}");
        }
    }
}

#[test]
fn the_influential_refer_more() {
    let mut twin = frozen(twin(1, 16_000));
    twin.agents.visibility.fill(1.0);
    for (stage, influence) in twin.agents.stage.iter().zip(&mut twin.agents.influence) {
        *influence = if *stage == Stage::Served { 3.0 } else { 1.0 };
    }
    twin.parameters.discovery.referral = 0.5;
    // 2 of 7 living customers are served: 6 of 11 by influence.
    let (chance, error) = first_month(&twin).chance(Stage::Dark, Stage::Identified);
    assert!((chance + libm::expm1(-0.5 * 6.0 / 11.0)).abs() < error, "{chance}");
    twin.agents.influence.fill(1.0);
    let (chance, error) = first_month(&twin).chance(Stage::Dark, Stage::Identified);
    assert!((chance + libm::expm1(-0.5 * 2.0 / 7.0)).abs() < error, "{chance}");
}
