//! Segments that are judged anew each month.

use super::*;
use crate::simulate::mechanisms::segments::Segments;

/// The test market with segments on: room for every visit, none for prospecting, no e-mails.
fn market(agents: usize) -> (Twin, Policy) {
    let mut twin = twin(3, agents);
    twin.parameters.more.segments = Some(Segments::default());
    twin.agents.more.silent = (0..twin.agents.len()).map(|i| (i % 5) as f32).collect();
    twin.agents.more.recent = (0..twin.agents.len()).map(|i| 0.5 * (i % 9) as f32).collect();
    let mut policy = policy(&twin);
    let phase = &mut policy.phases[0];
    phase.visits.meets_capacity = vec![MeetsCapacity::Ceiling; 3];
    phase.visits.capacity = vec![10.0 * agents as f64; 3];
    phase.contacts = vec![vec![0.0; twin.agents.len()]];
    (twin, policy)
}

fn rule(who: Vec<Op>, visits: VisitChange) -> Rule {
    Rule { who, visits, contacts: [0.0; Channel::COUNT] }
}

fn everything(twin: &Twin, policy: &Policy, months: usize, isa: Isa) -> (Tallies, Everything) {
    let mut seen = Everything::default();
    let tallies = World::new(twin).run(policy, horizon(months), KEY, isa, &mut seen);
    (tallies, seen)
}

/// A month of a territory: stages before, own sales, visits, e-mails and goodwill.
struct Looked {
    month: usize,
    first: usize,
    before: Vec<Stage>,
    own: Vec<f32>,
    visits: Vec<f32>,
    emails: Vec<f32>,
    goodwill: Vec<f32>,
}

impl Looked {
    fn known(&self, i: usize) -> bool {
        matches!(self.before[i], Stage::Identified | Stage::Served | Stage::Lapsed)
    }
}

#[derive(Default)]
struct Looker(Vec<Looked>);

impl Recorder for Looker {
    fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
        self.0.push(Looked {
            month,
            first: seen.agents.start,
            before: seen.before.to_vec(),
            own: seen.own_sales.to_vec(),
            visits: seen.contacts[Channel::FaceToFace.index()].to_vec(),
            emails: seen.contacts[Channel::Email.index()].to_vec(),
            goodwill: seen.goodwill.to_vec(),
        });
    }
}

fn look(twin: &Twin, policy: &Policy, months: usize) -> (Tallies, Vec<Looked>) {
    let mut looker = Looker::default();
    let tallies = World::new(twin).run(policy, horizon(months), KEY, Isa::detect(), &mut looker);
    // Month by month instead of territory by territory.
    looker.0.sort_by_key(|looked| (looked.month, looked.first));
    (tallies, looker.0)
}

#[test]
fn rules_that_give_what_the_column_gives_change_nothing() {
    let (mut twin, policy) = market(150);
    let on = everything(&twin, &policy, 18, Isa::detect());
    let mut same = policy.clone();
    let everyone = || vec![Op::Stage(Stage::Dark), Op::Stage(Stage::Dark), Op::Not, Op::Or];
    let silent = Op::Compare(Dimension::Recency, Comparison::Greater, 2.0);
    same.phases[0].rules = vec![
        rule(everyone(), VisitChange::Set(1.0)),
        rule(vec![silent], VisitChange::Multiply(1.0)),
        rule(vec![silent], VisitChange::Add(0.0)),
    ];
    assert!(everything(&twin, &same, 18, Isa::detect()) == on);
    // E-mails by a rule or by the column.
    let (mut column, mut rules) = (policy.clone(), policy.clone());
    column.phases[0].contacts = vec![vec![2.0; twin.agents.len()]];
    rules.phases[0].rules = vec![rule(everyone(), VisitChange::Keep)];
    rules.phases[0].rules[0].contacts[Channel::Email.index()] = 2.0;
    let by_column = everything(&twin, &column, 18, Isa::detect());
    assert!(everything(&twin, &rules, 18, Isa::detect()) == by_column && by_column != on);
    // Without rules the mechanism is not there, and without the mechanism rules are not.
    twin.parameters.more.segments = None;
    assert!(everything(&twin, &policy, 18, Isa::detect()) == on);
    assert!(everything(&twin, &same, 18, Isa::detect()) == on);
}

#[test]
fn visits_follow_the_stage_and_capacity_is_met() {
    let (twin, mut policy) = market(200);
    policy.phases[0].rules = vec![
        rule(vec![Op::Stage(Stage::Identified)], VisitChange::Set(3.0)),
        rule(vec![Op::Stage(Stage::Lapsed)], VisitChange::Multiply(0.0)),
    ];
    let (tallies, months) = look(&twin, &policy, 12);
    let mut changed = 0;
    for (at, month) in months.iter().enumerate() {
        for i in 0..month.visits.len() {
            let wanted = match month.before[i] {
                Stage::Identified => 3.0,
                Stage::Served => 1.0,
                _ => 0.0,
            };
            assert_eq!(month.visits[i], wanted, "month {} agent {i}", month.month);
            changed += usize::from(at >= 3 && month.before[i] != months[at - 3].before[i]);
        }
        // What the plan wants is known to the last visit before the month begins: the rest is spent prospecting.
        let (j, visits) = (at % 3, month.visits.iter().map(|&visits| f64::from(visits)).sum::<f64>());
        assert_eq!(tallies.prospecting[at / 3 * 3 + j] + visits, 2_000.0);
    }
    assert!(changed > 50, "{changed}");
    // Calls for less than is wanted, a tenth of them kept for prospecting.
    let wanted: Vec<f64> = tallies.visits.clone();
    for capacity in &mut policy.phases[0].visits.capacity {
        *capacity = 50.0;
    }
    let short = run(&twin, &policy, horizon(12), KEY);
    assert!(wanted.iter().all(|&wanted| wanted > 60.0));
    for visits in &short.visits {
        assert!((visits - 45.0).abs() < 4.0 * 6.0, "{visits}");
    }
    assert!((total(&short.visits) / 36.0 - 45.0).abs() < 2.0);
}

#[test]
fn visits_follow_orders() {
    let (twin, mut policy) = market(120);
    policy.phases[0].rules = vec![
        rule(vec![Op::Compare(Dimension::Recency, Comparison::Greater, 2.0)], VisitChange::Set(3.0)),
        rule(vec![Op::Compare(Dimension::OwnSales, Comparison::GreaterOrEqual, 4.0)], VisitChange::Add(4.0)),
    ];
    let (_, months) = look(&twin, &policy, 24);
    let segments = Segments::default();
    let mut own: Vec<f32> = (0..twin.agents.len()).map(|i| twin.agents.more.recent[i]).collect();
    let mut silent: Vec<f32> = twin.agents.more.silent.clone();
    for i in (0..own.len()).filter(|&i| twin.agents.stage[i] < Stage::Served) {
        (own[i], silent[i]) = (0.0, f32::INFINITY);
    }
    let mut seen = [0; 4];
    for month in &months {
        for i in 0..month.visits.len() {
            let agent = month.first + i;
            let (late, large) = (silent[agent] > 2.0 && silent[agent].is_finite(), own[agent] >= 4.0);
            if month.known(i) {
                let wanted = if late { 3.0 } else { 1.0 } + if large { 4.0 } else { 0.0 };
                assert_eq!(month.visits[i], wanted, "month {} agent {agent}", month.month);
                seen[usize::from(late) + 2 * usize::from(large)] += 1;
            }
            silent[agent] = if month.own[i] > 0.0 { 0.0 } else { silent[agent] + 1.0 };
            let lanes = |x: f32| F32x16([x; 16]);
            own[agent] = segments.own_sales(lanes(own[agent]), lanes(month.own[i]), lanes(silent[agent])).0[0];
        }
    }
    assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
}

#[test]
fn affinity_starts_where_the_file_says_and_follows_what_moves_choice() {
    let (mut twin, mut policy) = market(160);
    let scores = [0.2, 0.5, 0.8, f32::INFINITY];
    twin.agents.more.affinity = (0..twin.agents.len()).map(|i| scores[i / 8 % 4]).collect();
    let at_least = vec![Op::Compare(Dimension::Affinity, Comparison::GreaterOrEqual, 0.5)];
    policy.phases[0].rules = vec![rule(at_least, VisitChange::Set(2.0))];
    // A price cut of ours from the fourth month on.
    let mut cut = policy.phases[0].clone();
    (cut.from, cut.own_push) = (3, 3.0);
    policy.phases.push(cut);
    let (_, months) = look(&twin, &policy, 8);
    let visits = |month: usize, score: f32| -> Vec<f32> {
        let months = months.iter().filter(|looked| looked.month == month);
        let known = months.flat_map(|looked| {
            let fits = move |i: usize| looked.known(i) && scores[(looked.first + i) / 8 % 4] == score;
            (0..looked.visits.len()).filter(move |&i| fits(i)).map(|i| looked.visits[i])
        });
        known.collect()
    };
    let all = |month, score, wanted| visits(month, score).iter().all(|&made| made == wanted);
    assert!(all(0, 0.2, 1.0) && all(0, 0.5, 2.0) && all(0, 0.8, 2.0) && all(0, f32::INFINITY, 1.0));
    // What the cut does to odds of 1/4 is seen once it was there: 3 is more than ln 4 and the band.
    assert!(visits(3, 0.2).iter().filter(|&&made| made == 2.0).count() < 5);
    assert!(all(4, 0.2, 2.0) && all(4, 0.8, 2.0) && all(7, f32::INFINITY, 1.0));
    // Without scores: the share that goodwill and appeal make, to the month.
    twin.agents.more.affinity.clear();
    policy.phases.truncate(1);
    let (_, months) = look(&twin, &policy, 8);
    let segments = Segments::default();
    let mut moved = 0;
    for pair in months.windows(4) {
        let (before, now) = (&pair[0], &pair[3]);
        for i in (0..now.visits.len()).filter(|&i| now.known(i)) {
            let (appeal, goodwill) = (twin.agents.appeal[now.first + i], twin.agents.goodwill[now.first + i]);
            let start = mechanisms::choice::share(f64::from(appeal) + f64::from(goodwill), 1.0);
            let affinity = segments.affinity(start, f64::from(before.goodwill[i]) - f64::from(goodwill));
            if (affinity - 0.5).abs() > 1e-4 {
                assert_eq!(now.visits[i], if affinity > 0.5 { 2.0 } else { 1.0 });
                moved += usize::from((affinity > 0.5) != (start > 0.5));
            }
        }
    }
    assert!(moved > 10, "{moved}");
}

#[test]
fn rules_reach_channels_and_begin_with_their_phase() {
    let (mut twin, mut policy) = market(150);
    twin = frozen(twin);
    policy.marks = (0..twin.agents.len()).map(|i| u32::from(i / 8 % 2 == 0) << 31).collect();
    let mut second = policy.phases[0].clone();
    second.from = 2;
    second.rules = vec![rule(vec![Op::Stage(Stage::Lapsed), Op::Mark(31), Op::And], VisitChange::Keep)];
    second.rules[0].contacts[Channel::Email.index()] = 3.0;
    let mut third = policy.phases[0].clone();
    third.from = 4;
    policy.phases.extend([second, third]);
    let (_, months) = look(&twin, &policy, 6);
    for month in &months {
        for i in 0..month.emails.len() {
            let agent = month.first + i;
            let fits = month.before[i] == Stage::Lapsed && (agent / 8).is_multiple_of(2);
            let may = twin.agents.consent[agent] >> Channel::Email.index() & 1 == 1;
            let on = (2..4).contains(&month.month);
            assert_eq!(month.emails[i], if fits && may && on { 3.0 } else { 0.0 }, "month {}", month.month);
        }
    }
    assert!(months.iter().flat_map(|month| &month.emails).sum::<f32>() > 20.0);
}

#[test]
fn instruction_sets_judge_alike() {
    let (twin, mut policy) = market(133);
    policy.marks = (0..twin.agents.len()).map(|i| i as u32).collect();
    let compare = |dimension, right| Op::Compare(dimension, Comparison::GreaterOrEqual, right);
    policy.phases[0].rules = vec![
        rule(vec![compare(Dimension::Affinity, 0.45), Op::Mark(1), Op::Or], VisitChange::Set(1.7)),
        rule(vec![compare(Dimension::OwnSales, 3.0), Op::Stage(Stage::Served), Op::And], VisitChange::Add(0.4)),
        rule(vec![compare(Dimension::Recency, 3.0), Op::Not], VisitChange::Multiply(0.8)),
        rule(vec![compare(Dimension::Goodwill, 0.3)], VisitChange::Multiply(1.3)),
    ];
    policy.phases[0].rules[1].contacts[Channel::Email.index()] = 1.4;
    policy.phases[0].visits.capacity = vec![70.0; 3];
    let baseline = everything(&twin, &policy, 18, Isa::Baseline);
    for isa in Isa::available() {
        assert!(everything(&twin, &policy, 18, isa) == baseline, "{} differs", isa.name());
    }
}
