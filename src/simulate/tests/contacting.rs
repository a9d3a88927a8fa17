//! What contacts do: how they add up and fade, how they tire, whom they please; and complaints.

use super::*;
use crate::lanes::Simd;
use crate::simulate::mechanisms::choice::{self, Choice};
use crate::simulate::mechanisms::complaints::Complaints;
use crate::simulate::mechanisms::contacts::Visits;
use crate::simulate::mechanisms::demand::Demand;
use crate::simulate::mechanisms::goodwill::Goodwill;
use crate::simulate::mechanisms::orders::{OwnOrders, Rivals};
use crate::simulate::mechanisms::receptivity::Receptivity;
use crate::simulate::mechanisms::totals::Totals;
use crate::simulate::mechanisms::transition::Life;

const TIRING: Receptivity = Receptivity { comfort: 4.0, fatigue: 0.1, memory: 0.5, preference: 0.0 };

/// One territory where nobody comes or goes, all agree to all channels, and goodwill starts at 0.
fn still(agents: usize) -> Twin {
    let mut twin = frozen(twin(1, agents));
    twin.agents.consent.fill(0b111_1111);
    twin.agents.goodwill.fill(0.0);
    twin.parameters.goodwill.effect[Channel::Email as usize] = 0.05;
    twin.parameters.shock_sd = 0.0;
    twin
}

/// So many visits and e-mails a month to everyone that we know.
fn plan(twin: &Twin, visits: f32, emails: f32) -> Policy {
    let mut policy = policy(twin);
    let phase = &mut policy.phases[0];
    phase.visits.desired.fill(visits);
    phase.visits.meets_capacity.fill(MeetsCapacity::Ceiling);
    phase.visits.capacity.fill(1e9);
    phase.visits.prospecting.fill(0.0);
    phase.contacts[0].fill(emails);
    policy
}

/// The first policy until a month, the second from then on.
fn then(mut first: Policy, from: usize, second: Policy) -> Policy {
    first.phases.extend(second.phases.into_iter().map(|phase| Phase { from, ..phase }));
    first
}

/// Goodwill by month and agent, and what the served would buy of us on average, by month.
#[derive(Default)]
struct Look {
    appeal: Vec<f32>,
    goodwill: Vec<Vec<f32>>,
    sales: Vec<f64>,
}

impl Recorder for Look {
    fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
        let share = |i: usize| choice::share(f64::from(self.appeal[i] + seen.goodwill[i]), 1.0);
        let served = (0..seen.before.len()).filter(|&i| seen.before[i] == Stage::Served);
        self.sales.push(served.map(|i| f64::from(seen.demand[i]) * share(i)).sum());
        self.goodwill.push(seen.goodwill.to_vec());
    }
}

impl Look {
    fn total(&self, month: usize) -> f64 {
        self.goodwill[month].iter().map(|&x| f64::from(x)).sum()
    }
}

fn look(twin: &Twin, policy: &Policy, months: usize) -> (Look, Tallies) {
    let mut look = Look { appeal: twin.agents.appeal.clone(), ..Look::default() };
    let tallies = World::new(twin).run(policy, horizon(months), KEY, Isa::detect(), &mut look);
    (look, tallies)
}

/// Mean sales of month 24, demand taken as in that month in all.
fn sales_of(twin: &Twin, policy: &Policy) -> f64 {
    look(twin, policy, 25).0.sales[24]
}

fn with(mut twin: Twin, receptivity: Receptivity) -> Twin {
    twin.parameters.more.receptivity = Some(receptivity);
    twin
}

#[test]
fn what_a_visit_leaves_halves_in_a_half_life() {
    let mut twin = still(400);
    twin.parameters.goodwill.decay = libm::pow(0.5, 0.25);
    let usual = plan(&twin, 1.0, 2.0);
    let (base, _) = look(&twin, &usual, 13);
    let (pulse, _) = look(&twin, &then(plan(&twin, 4.0, 2.0), 1, usual), 13);
    let gain = |month: usize| pulse.total(month) - base.total(month);
    // 0.15 * (4 * 4 / 7 - 1) each of the 250 that we know.
    assert!((gain(0) - 250.0 * 0.15 * 9.0 / 7.0).abs() < 1e-3, "{}", gain(0));
    for month in [4, 8, 12] {
        assert!((gain(month) - 0.5 * gain(month - 4)).abs() < 1e-3, "{month}: {}", gain(month));
    }
}

#[test]
fn calls_have_diminishing_returns_or_an_s_shape() {
    let mut twin = still(400);
    let known = 250.0;
    let gains = |twin: &Twin| {
        let sales: Vec<f64> = (0..8)
            .map(|calls| {
                let mut policy = plan(twin, 1.0, 0.0);
                policy.phases[0].visits.meets_capacity.fill(MeetsCapacity::Spread);
                policy.phases[0].visits.capacity.fill(known * f64::from(calls));
                sales_of(twin, &policy)
            })
            .collect();
        sales.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<f64>>()
    };
    let concave = gains(&twin);
    assert!(concave.iter().all(|&gain| gain > 0.0), "{concave:?}");
    assert!(concave.windows(2).all(|pair| pair[1] < pair[0]), "{concave:?}");
    twin.parameters.goodwill.slope = 3.0;
    twin.parameters.goodwill.effect[0] = 0.02;
    let s_shaped = gains(&twin);
    assert!(s_shaped.iter().all(|&gain| gain > 0.0), "{s_shaped:?}");
    assert!(s_shaped[1] > 2.0 * s_shaped[0] && s_shaped[6] < 0.5 * s_shaped[2], "{s_shaped:?}");
}

#[test]
fn better_contacts_sell_more() {
    let twin = still(400);
    let at = |channel: Channel, quality: f32| {
        let mut policy = plan(&twin, 1.0, 2.0);
        policy.phases[0].moves.quality[channel as usize] = quality;
        look(&twin, &policy, 12).0.goodwill
    };
    let plain = look(&twin, &plan(&twin, 1.0, 2.0), 12).0.goodwill;
    for channel in [Channel::FaceToFace, Channel::Email] {
        assert_eq!(at(channel, 1.0), plain, "as in the past");
        let total = |quality| at(channel, quality)[11].iter().sum::<f32>();
        assert!(total(0.5) < total(1.0) && total(1.0) < total(1.5));
    }
    assert_eq!(at(Channel::Sms, 3.0), plain, "a channel not in use");
    // Half as good visits are worth what half the effect would be.
    let mut half = twin.clone();
    half.parameters.goodwill.effect[0] *= 0.5;
    assert_eq!(at(Channel::FaceToFace, 0.5), look(&half, &plan(&twin, 1.0, 2.0), 12).0.goodwill);
    let mut better = plan(&twin, 1.0, 2.0);
    better.phases[0].moves.quality[0] = 1.3;
    assert!(sales_of(&twin, &better) > 1.01 * sales_of(&twin, &plan(&twin, 1.0, 2.0)));
}

#[test]
fn too_many_contacts_tire() {
    let fresh = still(400);
    let tired = with(fresh.clone(), TIRING);
    let emails = [0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
    let sales = |twin: &Twin| emails.map(|emails| sales_of(twin, &plan(twin, 0.0, emails)));
    let (without, of) = (sales(&fresh), sales(&tired));
    assert!(without.is_sorted_by(|less, more| less < more), "{without:?}");
    assert_eq!(without[..3], of[..3], "nobody tires up to what is comfortable");
    let best = (0..emails.len()).max_by(|&a, &b| of[a].total_cmp(&of[b])).unwrap();
    assert!((2..=3).contains(&best) && of[best..].is_sorted_by(|more, less| more > less), "{of:?}");
    assert!((of[6] / of[0] - 1.0).abs() < 0.01, "spam is worth nothing: {of:?}");
    // A steady 16: 0.05 * (16 * 4 / 19) * exp(-0.1 * 12) / 0.3.
    let steady = look(&tired, &plan(&tired, 0.0, 16.0), 60).0.total(59) / 250.0;
    let wanted = 0.05 * 64.0 / 19.0 * libm::exp(-1.2) / 0.3;
    assert!((steady - wanted).abs() < 1e-4, "{steady} {wanted}");
}

#[test]
fn one_month_of_spam_tires_at_once_and_wears_off() {
    let twin = with(still(400), TIRING);
    let moderate = plan(&twin, 1.0, 2.0);
    let (base, _) = look(&twin, &moderate, 24);
    let gain = |emails| {
        let (other, _) = look(&twin, &then(plan(&twin, 1.0, emails), 1, moderate.clone()), 24);
        (0..24).map(|month| other.total(month) - base.total(month)).collect::<Vec<f64>>()
    };
    let (more, spam) = (gain(6.0), gain(100.0));
    assert!(more[0] > 0.0 && spam[0] < 0.0, "visits of that month count less too: {} {}", more[0], spam[0]);
    assert!(spam[1] < 0.7 * spam[0], "the month after suffers of its own: {spam:?}");
    assert!(spam[23].abs() < 1e-3 * spam[1].abs(), "{spam:?}");
}

#[test]
fn as_usual_nobody_is_more_or_less_tired_than_calibrated() {
    let mut twin = still(400);
    let policy = |emails| plan(&twin, 0.0, emails);
    let (today, fewer, more) = (policy(8.0), policy(2.0), policy(16.0));
    let without = |policy| look(&twin, policy, 12).0;
    let (calm_today, calm_fewer, calm_more) = (without(&today), without(&fewer), without(&more));
    twin.agents.more.contacted = vec![8.0; 400];
    let twin = with(twin, TIRING);
    assert_eq!(look(&twin, &today, 12).0.goodwill, calm_today.goodwill);
    // Where it was 8 and comfort is 4, a rested customer takes exp(0.4) of what it took.
    assert!(look(&twin, &fewer, 12).0.total(11) > 1.3 * calm_fewer.total(11));
    assert!(look(&twin, &more, 12).0.total(11) < 0.6 * calm_more.total(11));
}

#[test]
fn the_channel_that_is_preferred_works_better() {
    let mut twin = still(400);
    let likes = |i: usize| i % 16 < 8;
    twin.agents.more.preferred = (0..400).map(|i| if likes(i) { 1 << Channel::Email as u8 } else { 0 }).collect();
    let calm = Receptivity { fatigue: 0.0, preference: 0.4, ..TIRING };
    let plain = twin.clone();
    let twin = with(twin, calm);
    let to = |whom: &dyn Fn(usize) -> bool| {
        let mut policy = plan(&twin, 1.0, 0.0);
        for (i, rate) in policy.phases[0].contacts[0].iter_mut().enumerate() {
            *rate = if whom(i) { 4.0 } else { 0.0 };
        }
        policy
    };
    let (liked, other) = (to(&likes), to(&|i| !likes(i)));
    let none = look(&twin, &plan(&twin, 1.0, 0.0), 12).0.total(11);
    let (liked, other) = (look(&twin, &liked, 12).0.total(11) - none, look(&twin, &other, 12).0.total(11) - none);
    assert!((liked / other - 1.4).abs() < 1e-3, "{liked} {other}");
    // Visits are nobody's preference, and the mean effect of e-mails to all is the calibrated one.
    assert_eq!(none, look(&plain, &plan(&plain, 1.0, 0.0), 12).0.total(11));
    let all = look(&twin, &plan(&twin, 1.0, 4.0), 12).0.total(11);
    let calibrated = look(&plain, &plan(&plain, 1.0, 4.0), 12).0.total(11);
    assert!((all / calibrated - 1.0).abs() < 1e-5, "{all} {calibrated}");
}

#[test]
fn propensities_are_those_of_their_channels() {
    let mut twin = still(400);
    let (visits, emails) = (plan(&twin, 1.0, 0.0), plan(&twin, 0.0, 2.0));
    let first = |twin: &Twin, policy: &Policy| look(twin, policy, 1).0.goodwill.remove(0);
    let (by_visits, by_emails) = (first(&twin, &visits), first(&twin, &emails));
    twin.agents.more.responsiveness = (0..400).map(|i| (i % 4) as f32).collect();
    twin.agents.more.digital = (0..400).map(|i| 0.5 * (i % 3) as f32).collect();
    let twin = with(twin, Receptivity { fatigue: 0.0, ..TIRING });
    for (i, (now, before)) in first(&twin, &visits).iter().zip(by_visits).enumerate() {
        assert!((now - before * (i % 4) as f32).abs() < 1e-6, "{i}: {now} {before}");
    }
    for (i, (now, before)) in first(&twin, &emails).iter().zip(by_emails).enumerate() {
        assert!((now - before * 0.5 * (i % 3) as f32).abs() < 1e-6, "{i}: {now} {before}");
    }
}

#[test]
fn without_consent_nothing_reaches_or_tires() {
    let mut twin = still(400);
    twin.agents.consent.fill(0b000_0011);
    twin.agents.more.preferred = vec![1 << Channel::Email as u8; 400];
    let twin = with(twin, Receptivity { preference: 0.4, ..TIRING });
    let mut silent = plan(&twin, 1.0, 0.0);
    silent.phases[0].channels.clear();
    silent.phases[0].contacts.clear();
    let (look_at, tallies) = look(&twin, &plan(&twin, 1.0, 50.0), 12);
    assert_eq!(total(&tallies.contacts[Channel::Email as usize]), 0.0);
    let (base, base_tallies) = look(&twin, &silent, 12);
    assert!(tallies == base_tallies && look_at.goodwill == base.goodwill);
}

#[test]
fn a_complaint_costs_goodwill_that_comes_back() {
    let mut twin = frozen(twin(1, 8_000));
    let on = Complaints { hazard: 0.1, shortage: 0.0, harm: 0.5 };
    let policy = plan(&twin, 1.0, 2.0);
    let (base, _) = look(&twin, &policy, 12);
    twin.parameters.more.complaints = Some(on);
    let (hurt, tallies) = look(&twin, &policy, 12);
    // 2,000 served of whom 1 - exp(-0.1) complain in a month.
    let wanted = 2_000.0 * on.chance(1.0);
    let mean = total(&tallies.complaints) / 12.0;
    assert!((mean - wanted).abs() < 4.0 * (wanted / 12.0).sqrt(), "{mean} {wanted}");
    let change = |month: usize, i: usize| f64::from(hurt.goodwill[month][i] - base.goodwill[month][i]);
    let usual = on.chance(1.0);
    let mut complained = 0.0;
    for i in 0..8_000 {
        let now = change(0, i);
        if twin.agents.stage[i] != Stage::Served {
            assert_eq!(now, 0.0);
            continue;
        }
        let hit = now < 0.0;
        complained += f64::from(u8::from(hit));
        assert!((now - 0.5 * (usual - f64::from(u8::from(hit)))).abs() < 1e-6, "{now}");
        // By the next month 70% of it are left, and whoever does not complain again is a little better off than usual.
        let again = change(1, i) - 0.7 * now;
        assert!((again - 0.5 * usual).abs() < 1e-6 || (again - 0.5 * (usual - 1.0)).abs() < 1e-6, "{again}");
    }
    assert_eq!(complained, tallies.complaints[0]);
    // On the whole goodwill is what it was: today's complaints are in it already.
    let drift = (hurt.total(11) - base.total(11)) / 2_000.0;
    assert!(drift.abs() < 4.0 * 0.5 * (0.09_f64 / 0.51 / 2_000.0).sqrt(), "{drift}");
    // Without harm they are but counted.
    twin.parameters.more.complaints = Some(Complaints { harm: 0.0, ..on });
    let (harmless, counted) = look(&twin, &policy, 12);
    assert!(harmless.goodwill == base.goodwill && counted.complaints == tallies.complaints);
}

/// Part of the orders cannot be filled.
#[derive(Debug, Clone, Copy)]
struct Gap(f32);

impl Mechanism for Gap {
    type Traits = ();
    type Memory = ();
    type Ground = ();
    const DRAWS: u64 = 0;
    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}
    fn here(&self, _: &Month<'_>, (): &mut (), here: &mut Here) {
        here.availability = self.0;
    }
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}

#[test]
fn orders_that_are_not_filled_raise_complaints_and_cost_sales() {
    type Short = (Life, Demand, Rivals, Visits, Complaints, Goodwill, Gap, Choice, OwnOrders, Totals);
    #[derive(Default)]
    struct Sums(f64, f64);
    impl Ledger for Sums {
        fn territory(&mut self, _: usize, months: &[Entry]) {
            self.0 += months.iter().map(|month| month.sums.own).sum::<f64>();
            self.1 += months.iter().map(|month| month.sums.complaints).sum::<f64>();
        }
    }
    let twin = still(4_000);
    let run = |availability: f32, harm: f64| {
        let parameters = &twin.parameters;
        let complaints = Complaints { hazard: 0.02, shortage: 0.5, harm };
        let model: Short = (
            parameters.life(),
            parameters.demand(),
            Rivals,
            Visits,
            complaints,
            parameters.goodwill,
            Gap(availability),
            Choice,
            OwnOrders { unit: 2.0 },
            Totals,
        );
        let mut engine = Engine::new(model);
        engine.push(&twin.territories[0], &twin.agents);
        let mut sums = Sums::default();
        let path = parameters.path(horizon(24));
        engine.run(&plan(&twin, 1.0, 0.0), &path, KEY, Isa::detect(), &mut sums, &mut ());
        sums
    };
    let [fine, short, harmless] = [run(1.0, 0.3), run(0.5, 0.3), run(0.5, 0.0)];
    // 1,000 served in 24 months, at hazards of 0.02 and 0.27.
    for (sums, hazard) in [(&fine, 0.02_f64), (&short, 0.27)] {
        let wanted = 24_000.0 * -libm::expm1(-hazard);
        assert!((sums.1 - wanted).abs() < 4.0 * wanted.sqrt(), "{} {wanted}", sums.1);
    }
    assert_eq!(short.1, harmless.1);
    // In the long run 0.3 * 0.217 / 0.3 log odds at shares about a half: some 10%.
    let lost = 1.0 - short.0 / harmless.0;
    assert!((0.06..0.15).contains(&lost), "{lost}");
    assert!(short.0 < fine.0);
}

/// All of this file on, in a market of several territories.
fn lively() -> (Twin, Policy) {
    let mut twin = twin(3, 333);
    let n = twin.agents.len();
    twin.parameters.goodwill.slope = 1.7;
    twin.parameters.goodwill.effect = [0.15, 0.08, 0.01, 0.03, 0.02, 0.01, 0.02];
    twin.parameters.more.receptivity = Some(Receptivity { preference: 0.3, ..TIRING });
    twin.parameters.more.complaints = Some(Complaints { hazard: 0.05, shortage: 0.5, harm: 0.3 });
    let more = &mut twin.agents.more;
    more.responsiveness = (0..n).map(|i| 0.5 + 0.1 * (i % 11) as f32).collect();
    more.digital = (0..n).map(|i| 0.5 + 0.1 * (i % 9) as f32).collect();
    more.preferred = (0..n).map(|i| 1 << (i % 8) & 0b111_1111).collect();
    more.contacted = (0..n).map(|i| (i % 7) as f32).collect();
    let mut policy = policy(&twin);
    let mut second = policy.phases[0].clone();
    second.from = 5;
    second.channels = vec![Channel::Phone, Channel::Whatsapp, Channel::Digital];
    second.contacts = vec![vec![0.4; n], vec![2.5; n], vec![7.0; n]];
    second.moves.quality = [1.1, 0.9, 1.0, 1.0, 1.3, 1.0, 0.7];
    policy.phases.push(second);
    (twin, policy)
}

#[test]
fn contacting_gives_the_same_bytes_on_all_instruction_sets() {
    let (twin, policy) = lively();
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(18), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    assert!(total(&baseline.0.complaints) > 100.0 && baseline.0.own_sales.iter().all(|sales| sales.is_finite()));
    for isa in Isa::available() {
        assert!(run(isa) == baseline, "{} differs", isa.name());
    }
}

#[test]
fn without_effect_nothing_changes() {
    let (mut on, policy) = lively();
    on.parameters.more.receptivity = Some(Receptivity { fatigue: 0.0, preference: 0.0, ..TIRING });
    on.parameters.more.complaints = None;
    on.agents.more.responsiveness.clear();
    on.agents.more.digital.clear();
    let mut off = on.clone();
    off.parameters.more = Further::default();
    let run = |twin: &Twin| {
        let mut seen = Everything::default();
        let tallies = World::new(twin).run(&policy, horizon(18), KEY, Isa::detect(), &mut seen);
        (tallies, seen)
    };
    assert!(run(&on) == run(&off));
}
