//! Word of mouth in a market.

use super::mechanisms::choice;
use super::mechanisms::own_loading::OwnLoading;
use super::mechanisms::word_of_mouth::WordOfMouth;
use super::*;

/// A street of customers; places in each territory begin anew.
fn placed(mut twin: Twin) -> Twin {
    let territories = twin.territories.clone();
    for range in territories.into_iter().map(|territory| territory.agents) {
        twin.agents.more.x.extend((0..range.len()).map(|i| (i * 37 % 101) as f32 * 0.1));
        twin.agents.more.y.extend((0..range.len()).map(|i| (i * 53 % 97) as f32 * 0.1));
    }
    twin
}

fn with_strength(twin: &Twin, strength: f64) -> Twin {
    let mut twin = twin.clone();
    twin.parameters.more.word_of_mouth = Some(WordOfMouth { strength });
    twin
}

/// We please all customers more from a month on.
fn pushed(policy: &Policy, from: usize, own_push: f32) -> Policy {
    let mut policy = policy.clone();
    let usual = policy.phases[0].clone();
    policy.phases.push(Phase { from, own_push, ..usual });
    policy
}

#[test]
fn no_strength_or_no_places_change_nothing() {
    let twin = twin(3, 200);
    let policy = pushed(&policy(&twin), 3, 0.5);
    let without = run(&twin, &policy, horizon(24), KEY);
    assert!(run(&with_strength(&placed(twin.clone()), 0.0), &policy, horizon(24), KEY) == without);
    assert!(run(&with_strength(&twin, 2.0), &policy, horizon(24), KEY) == without);
    assert!(run(&with_strength(&placed(twin), 2.0), &policy, horizon(24), KEY) != without);
}

#[test]
fn the_first_month_is_as_it_was() {
    let twin = placed(twin(2, 300));
    let policy = policy(&twin);
    let without = run(&twin, &policy, horizon(1), KEY);
    assert!(run(&with_strength(&twin, 2.0), &policy, horizon(1), KEY) == without);
}

#[test]
fn instruction_sets_give_the_same_bytes() {
    let mut twin = with_strength(&placed(twin(3, 117)), 1.5);
    twin.parameters.more.own_loading = Some(OwnLoading { acceptance: 0.7, blocking: 0.2 });
    let mut policy = pushed(&policy(&twin), 3, 0.5);
    policy.phases[1].moves.loading = 0.4;
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(24), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    for isa in Isa::available() {
        assert!(run(isa) == baseline, "{} differs", isa.name());
    }
    let mut world = World::new(&twin);
    assert_eq!(world.run(&policy, horizon(24), KEY, Isa::detect(), &mut ()), baseline.0);
    assert_eq!(world.run(&policy, horizon(24), KEY, Isa::detect(), &mut ()), baseline.0, "again");
    assert_eq!(world.run_abreast(&policy, horizon(24), KEY, Isa::detect()), baseline.0, "abreast");
}

#[test]
fn good_news_spreads_and_so_does_bad_news() {
    let twin = placed(twin(2, 400));
    let gain = |strength: f64, push: f32| {
        let twin = with_strength(&twin, strength);
        let policy = policy(&twin);
        let before = total(&run(&twin, &policy, horizon(24), KEY).own_sales);
        total(&run(&twin, &pushed(&policy, 2, push), horizon(24), KEY).own_sales) / before - 1.0
    };
    // A push that neighbours pass on is worth more; one that they take against, less.
    assert!(gain(-1.0, 0.5) < gain(0.0, 0.5) && gain(0.0, 0.5) < gain(1.0, 0.5));
    assert!(gain(1.0, -0.5) < gain(0.0, -0.5) && gain(0.0, -0.5) < gain(-1.0, -0.5));
}

/// A frozen market of served customers that are all alike and whose goodwill stays.
fn alike(each: usize) -> Twin {
    let mut twin = frozen(twin(1, each));
    let agents = &mut twin.agents;
    agents.stage.fill(Stage::Served);
    agents.appeal.fill(-0.6);
    agents.goodwill.fill(0.2);
    twin.parameters.goodwill.decay = 1.0;
    twin.parameters.goodwill.effect = [0.0; Channel::COUNT];
    twin.parameters.order_unit = 0.002;
    placed(twin)
}

#[test]
fn alike_customers_follow_the_recursion() {
    let (strength, push, months) = (1.5, 0.4, 12);
    let twin = with_strength(&alike(200), strength);
    let tallies = run(&twin, &pushed(&policy(&twin), 3, push), horizon(months), KEY);
    let start = choice::share(-0.4_f64, 1.0);
    let mut share = start;
    for month in 0..months {
        let push = if month < 3 { 0.0 } else { f64::from(push) };
        share = choice::share(-0.4 + push + strength * (share - start), 1.0);
        let seen = tallies.own_sales[month] / tallies.total_demand[month];
        assert!((seen - share).abs() < 0.002, "month {month}: {seen} {share}");
    }
    assert!(share > choice::share(0.0, 1.0) + 0.03, "more than the push alone");
}

#[test]
fn only_the_neighbours_of_those_that_we_please_hear_of_it() {
    // Two villages far apart; in one of them the customers that are no one's choice are won at once.
    let mut twin = alike(160);
    let agents = &mut twin.agents;
    for (i, x) in agents.more.x.iter_mut().enumerate() {
        *x += if i < 80 { 0.0 } else { 1_000.0 };
    }
    let talking = with_strength(&twin, 2.0);
    let mut policy = policy(&twin);
    policy.phases[0].channels = Vec::new();
    policy.phases[0].contacts = Vec::new();
    // Visits please, and only the first 40 get any.
    policy.phases[0].visits.meets_capacity = vec![MeetsCapacity::Ceiling];
    policy.phases[0].visits.desired = (0..160).map(|i| f32::from(u8::from(i < 40))).collect();
    struct Sales(Vec<f64>);
    impl Recorder for Sales {
        fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
            self.0.resize(seen.own_sales.len(), 0.0);
            for (sum, &sales) in self.0.iter_mut().zip(seen.own_sales) {
                *sum += f64::from(sales);
            }
        }
    }
    let sales = |twin: &Twin, effect: f64| {
        let mut twin = twin.clone();
        twin.parameters.goodwill.effect[Channel::FaceToFace.index()] = effect;
        let mut seen = Sales(Vec::new());
        World::new(&twin).run(&policy, horizon(12), KEY, Isa::detect(), &mut seen);
        seen.0
    };
    let (plain, pleased) = (sales(&talking, 0.0), sales(&talking, 0.1));
    let gain = |range: Range<usize>| total(&pleased[range.clone()]) / total(&plain[range]) - 1.0;
    assert!(gain(0..40) > 0.1 && gain(40..80) > 0.02, "{} {}", gain(0..40), gain(40..80));
    assert_eq!(pleased[80..], plain[80..], "nobody in the other village");
    assert_eq!(sales(&twin, 0.1)[40..], sales(&twin, 0.0)[40..], "nobody without word of mouth");
}

#[test]
fn a_stock_of_ours_is_no_worse_word() {
    // A load brings orders forward; what is used of ours, and so what is told, stays as it was.
    let mut twin = with_strength(&alike(200), 2.0);
    twin.parameters.more.own_loading = Some(OwnLoading { acceptance: 1.0, blocking: 0.0 });
    let usual = policy(&twin);
    let mut loaded = usual.clone();
    let mut load = usual.phases[0].clone();
    (load.from, load.moves.loading) = (2, 2.0);
    loaded.phases.extend([load, Phase { from: 3, ..usual.phases[0].clone() }]);
    let (before, after) = (run(&twin, &usual, horizon(12), KEY), run(&twin, &loaded, horizon(12), KEY));
    for (used, usual) in after.own_used.iter().zip(&before.own_used) {
        assert!((used / usual - 1.0).abs() < 0.01, "{used} {usual}");
    }
}
