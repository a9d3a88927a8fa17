//! A filter to a rule of the simulator: what cannot change becomes marks by agent, the rest a program that is run on every
//! customer at every month's end ([`crate::simulate::Rule`]).
//!
//! Of every `and` and `or`, all parts that cannot change become one mark. At the start a program fits exactly whom
//! [`Selection::fits`] fits: thresholds and customers are rounded to single precision alike, which keeps their order.

use crate::channel::Channel;
use crate::market::{AgentStage, Behaviour, Bound, BoundAction, BoundLever, Expression, Selection, Shape};
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::scenario::filter::Operator;
use crate::simulate::{Comparison, DEEPEST, Dimension, MOST_MARKS, MOST_RULES, Op, Stage, program_depth};

use super::compile::phase_starts;
use super::levers::{Context, conditional_rules};

/// Parts of an expression that cannot change, joined.
#[derive(Debug, Clone)]
pub struct Fixed<'a> {
    /// By `and`, else by `or`.
    pub all: bool,
    pub parts: Vec<Expression<'a>>,
    /// Of the lever's territories only.
    pub of_lever: bool,
}

/// The program of whom a lever (and `who` of one of its rules) selects; `mark` gives the bit of what cannot change.
pub fn program<'a>(
    lever: &'a BoundLever,
    who: Option<&'a Selection>,
    mark: &mut dyn FnMut(&Fixed<'a>) -> u32,
) -> Vec<Op> {
    let mut parts = Vec::new();
    for expression in lever.who.iter().chain(who).map(Selection::expression) {
        match expression.shape() {
            Shape::And(several) => parts.extend(several),
            _ => parts.push(expression),
        }
    }
    let everywhere = lever.territories.iter().all(|on| *on);
    let mut ops = Vec::new();
    join(parts, true, !everywhere, mark, &mut ops);
    ops
}

/// Joins parts by `and` or `or`.
fn join<'a>(
    parts: Vec<Expression<'a>>,
    all: bool,
    of_lever: bool,
    mark: &mut dyn FnMut(&Fixed<'a>) -> u32,
    ops: &mut Vec<Op>,
) {
    let (moving, parts): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.changes());
    let mut programs: Vec<Vec<Op>> = Vec::new();
    if of_lever || !parts.is_empty() || moving.is_empty() {
        programs.push(vec![Op::Mark(mark(&Fixed { all, parts, of_lever }))]);
    }
    for part in moving {
        let mut program = Vec::new();
        push(part, mark, &mut program);
        programs.push(program);
    }
    // The deepest first: as few answers wait as can be (Sethi & Ullman 1970).
    programs.sort_by_key(|program| std::cmp::Reverse(program_depth(program)));
    for (at, program) in programs.into_iter().enumerate() {
        ops.extend(program);
        if at > 0 {
            ops.push(if all { Op::And } else { Op::Or });
        }
    }
}

/// Pushes the answer of a part that changes.
fn push<'a>(part: Expression<'a>, mark: &mut dyn FnMut(&Fixed<'a>) -> u32, ops: &mut Vec<Op>) {
    match part.shape() {
        Shape::And(parts) => join(parts, true, false, mark, ops),
        Shape::Or(parts) => join(parts, false, false, mark, ops),
        Shape::Not(part) => {
            push(part, mark, ops);
            ops.push(Op::Not);
        }
        Shape::Behaviour(behaviour, operator, right) => {
            let (dimension, right) = match behaviour {
                // Of a month.
                Behaviour::OwnSales => (Dimension::OwnSales, right / 12.0),
                Behaviour::Recency => (Dimension::Recency, right),
                Behaviour::Affinity => (Dimension::Affinity, right),
            };
            let comparison = match operator {
                Operator::Greater => Comparison::Greater,
                Operator::GreaterOrEqual => Comparison::GreaterOrEqual,
                Operator::Less => Comparison::Less,
                Operator::LessOrEqual => Comparison::LessOrEqual,
                Operator::Equal => Comparison::Equal,
                Operator::NotEqual => Comparison::NotEqual,
            };
            ops.push(Op::Compare(dimension, comparison, right as f32));
        }
        Shape::Stage(equal, stage) => {
            ops.push(Op::Stage(match stage {
                AgentStage::Dark => Stage::Dark,
                AgentStage::Identified => Stage::Identified,
                AgentStage::Served => Stage::Served,
                AgentStage::Lapsed => Stage::Lapsed,
            }));
            if !equal {
                ops.push(Op::Not);
            }
        }
        Shape::Fixed => ops.push(Op::Mark(mark(&Fixed { all: true, parts: vec![part], of_lever: false }))),
    }
}

/// Marks of a policy while it is compiled.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    by_agent: Vec<u32>,
    /// By bit: where its parts lie, so that a lever that is on in many phases asks once.
    parts: Vec<Vec<usize>>,
}

impl Marks {
    /// The bit of what cannot change.
    ///
    /// # Panics
    ///
    /// Beyond [`MOST_MARKS`]: strategies pass [`check_rules`] before they are compiled.
    pub fn bit(&mut self, context: &Context<'_>, fixed: &Fixed<'_>) -> u32 {
        let lever = if fixed.of_lever { std::ptr::from_ref(context.lever).addr() } else { 0 };
        let key: Vec<usize> =
            [usize::from(fixed.all), lever].into_iter().chain(fixed.parts.iter().map(|part| part.address())).collect();
        if let Some(bit) = self.parts.iter().position(|known| *known == key) {
            return bit as u32;
        }
        let bit = self.parts.len() as u32;
        assert!(bit < MOST_MARKS as u32, "more marks than a policy holds");
        self.parts.push(key);
        let placed = context.placed;
        self.by_agent.resize(placed.territory.len(), 0);
        let Bound { market, attributes, .. } = context.bound;
        for (agent, marks) in self.by_agent.iter_mut().enumerate() {
            let view = placed.view(agent);
            let mut parts = fixed.parts.iter().map(|part| part.fits(&view, market, attributes, &placed.percentiles));
            let fits = if fixed.all { parts.all(|fits| fits) } else { parts.any(|fits| fits) };
            let here = !fixed.of_lever || context.lever.territories[view.territory];
            *marks |= u32::from(fits && here) << bit;
        }
        bit
    }

    /// By agent.
    pub fn by_agent(self) -> Vec<u32> {
        self.by_agent
    }
}

/// The filters of a lever beside its own `who`; one that is `None` is its own alone.
fn filters(lever: &BoundLever) -> Vec<Option<&Selection>> {
    match &lever.action {
        BoundAction::CallPlan { rules, .. } => rules.iter().map(|rule| Some(&rule.who)).collect(),
        BoundAction::ChannelPlan(_) | BoundAction::Targeting { .. } => vec![None],
        _ => Vec::new(),
    }
}

/// Rules of a flow's steps that are taken only after some responses: each has a part of its own beside the lever's `who`.
fn of_steps(lever: &BoundLever) -> usize {
    match &lever.action {
        BoundAction::ChannelPlan(plan) => conditional_rules(plan),
        _ => 0,
    }
}

/// Whether whom a lever selects changes as customers behave.
pub fn changes(lever: &BoundLever) -> bool {
    let mut own = lever.who.iter().map(Selection::expression);
    let filters = filters(lever);
    let by_rule = || filters.iter().flatten().map(|who| who.expression()).any(Expression::changes);
    of_steps(lever) > 0 || !filters.is_empty() && (own.any(Expression::changes) || by_rule())
}

/// Whether some strategy has rules that are judged anew each month.
pub fn has_rules(bound: &Bound) -> bool {
    bound.strategies.iter().flat_map(|strategy| &strategy.levers).any(changes)
}

/// Strategies whose filters are too many or too deep for rules that are judged anew each month.
pub fn check_rules(scenario: &Scenario, bound: &Bound) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (strategy, written) in bound.strategies.iter().zip(&scenario.strategies) {
        let mut refuse = |what: String, help: &str| {
            let title = format!("strategy `{}` {what}", strategy.id);
            let place = scenario.source.place(&written.span);
            problems.push(Problem::error(title).at(place, "too much to be judged anew each month").help(help));
        };
        let (mut marks, mut deepest) = (0, 0);
        let mut as_rules = vec![false; strategy.levers.len()];
        let mut most = 0;
        for month in phase_starts(strategy, &[], scenario.horizon as usize) {
            let (mut rules, mut visits) = (0, false);
            for (lever, as_rule) in strategy.levers.iter().zip(&mut as_rules) {
                if (lever.from..lever.until).contains(&month) && (changes(lever) || visits && visits_of(lever)) {
                    *as_rule = true;
                    rules += filters(lever).len() + of_steps(lever);
                    visits |= visits_of(lever);
                }
            }
            most = most.max(rules);
        }
        for (lever, _) in strategy.levers.iter().zip(as_rules).filter(|(_, as_rule)| *as_rule) {
            for who in filters(lever) {
                let mut count = |_: &Fixed<'_>| {
                    marks += 1;
                    0
                };
                let own = program_depth(&program(lever, who, &mut count)).unwrap_or(usize::MAX);
                // The response waits for the others.
                deepest = deepest.max(if of_steps(lever) > 0 { own.max(2) } else { own });
            }
        }
        if most > MOST_RULES {
            let help =
                "join rules that give the same, or use attributes that do not change (size, segment, digital, ...)";
            refuse(
                format!("has {most} rules in a month that rest on how customers behave, more than {MOST_RULES}"),
                help,
            );
        }
        if marks > MOST_MARKS {
            let help = "leave conditions out, or join them with `and` or `or` side by side";
            refuse(format!("has {marks} conditions beside those on behaviour, more than {MOST_MARKS}"), help);
        }
        if deepest > DEEPEST {
            refuse(
                format!("has a filter whose parts wait for more than {DEEPEST} others"),
                "write it with fewer parts",
            );
        }
    }
    problems
}

/// Whether a lever changes visits customer by customer.
fn visits_of(lever: &BoundLever) -> bool {
    match &lever.action {
        BoundAction::ChannelPlan(plan) => plan.steps.iter().any(|step| step.channel == Channel::FaceToFace),
        action => matches!(action, BoundAction::CallPlan { .. } | BoundAction::Targeting { .. }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::calibrate::testing::{Recipe, make};
    use crate::lanes::Isa;
    use crate::market::{AgentView, SizePercentiles, bind};
    use crate::rng::RunKey;
    use crate::scenario;
    use crate::simulate::mechanisms::segments::Segments;
    use crate::simulate::{
        Agents, MeetsCapacity, Moves, Phase, Recorder, Seen, Territory, Twin, VisitPlan, World, testing,
    };
    use crate::strategy::compile::{Compiled, compile};
    use crate::strategy::twin::{Placed, behaviour};

    const TERRITORIES: usize = 3;

    /// A market of 90 customers, some of whom have never ordered.
    fn bound(strategies: &[String]) -> (Scenario, Bound) {
        let strategies: Vec<String> = (strategies.iter().enumerate())
            .map(|(s, levers)| format!("[[strategy]]\nid = \"s{s}\"\n{levers}\n"))
            .collect();
        let text = format!("schema = 1\nhorizon = 6\n{}", strategies.concat());
        let (scenario, _) = scenario::parse(Path::new("test.toml"), &text, &[]).expect("a scenario");
        let recipe = Recipe {
            customers: 90,
            territories: TERRITORIES,
            months: 24,
            size: 4.0,
            churn: 0.1,
            conversion: 0.05,
            calls: false,
            ..Recipe::default()
        };
        let mut data = make(&recipe).data;
        let sales = &mut data.sales;
        let ordered: Vec<usize> = (0..sales.customer.len()).filter(|&row| sales.customer[row].0 % 10 != 9).collect();
        sales.customer = ordered.iter().map(|&row| sales.customer[row]).collect();
        sales.month = ordered.iter().map(|&row| sales.month[row]).collect();
        sales.units = sales.units.as_ref().map(|units| ordered.iter().map(|&row| units[row]).collect());
        let customers = &mut data.customers;
        customers.segment_names = vec!["chain".into(), "shop".into()];
        for i in 0..customers.len() {
            customers.segment[i] = (i % 9 != 4).then_some((i % 2) as u16);
            customers.affinity[i] = (i % 7 != 0).then_some(0.2 * (i % 5) as f64);
            customers.preferred_channel[i] = (i % 4 == 0).then_some(Channel::Email);
            customers.digital[i] = (i % 8 != 0).then_some(0.1 * (i % 11) as f64);
        }
        let (bound, _) = bind(&scenario, data).unwrap_or_else(|problems| panic!("{problems:?}"));
        (scenario, bound)
    }

    /// All customers and as many dark ones, for whom they stand.
    fn placed(bound: &Bound) -> Placed {
        let market = &bound.market;
        let last_order = market.last_order();
        let mut agents = Agents::default();
        let (mut customer, mut known, mut territory) = (Vec::new(), Vec::new(), Vec::new());
        let mut territories = Vec::new();
        for j in 0..TERRITORIES {
            let begin = agents.len();
            for (i, dark) in market.customers_of(j).map(|i| (i, false)).chain(market.customers_of(j).map(|i| (i, true)))
            {
                agents.hash.push(crate::ids::stable_hash(&format!("{i} {dark}")));
                agents.stage.push(match last_order[i] {
                    _ if dark => Stage::Dark,
                    None => Stage::Identified,
                    Some(month) if month < market.months() - 3 => Stage::Lapsed,
                    Some(_) => Stage::Served,
                });
                agents.size.push(1.0 + (i * 7 % 13) as f32);
                agents.appeal.push(0.0);
                agents.goodwill.push(0.2);
                agents.influence.push(1.0);
                agents.visibility.push(1.0);
                agents.consent.push(u8::MAX >> 1);
                customer.push(Some(i as u32));
                known.push(!dark);
                territory.push(j as u32);
            }
            territories.push(Territory {
                hash: j as u64,
                agents: begin..agents.len(),
                rivals: vec![1.0],
                dark_at_start: 30.0,
                area_km2: 0.0,
                reps: Vec::new(),
            });
        }
        let changing = bound.strategies.iter().flat_map(|strategy| &strategy.levers).any(changes);
        let mut parameters = testing::parameters();
        parameters.more.segments = changing.then(Segments::default);
        if changing {
            behaviour(bound, &customer, &known, &mut agents.more);
        }
        let sizes = (0..agents.len()).filter(|&agent| known[agent]).map(|agent| f64::from(agents.size[agent]));
        let percentiles = SizePercentiles::of(sizes.collect());
        Placed {
            twin: Twin { parameters, territories, agents },
            customer,
            known,
            territory,
            percentiles,
            handovers: Vec::new(),
            rivals: crate::simulate::RivalsAhead::default(),
        }
    }

    fn compiled(bound: &Bound, placed: &Placed, strategy: usize) -> Compiled {
        let start = Phase {
            from: 0,
            visits: VisitPlan {
                desired: vec![1.0; placed.known.len()],
                meets_capacity: vec![MeetsCapacity::Ceiling; TERRITORIES],
                capacity: vec![1e4; TERRITORIES],
                prospecting: vec![0.0; TERRITORIES],
            },
            channels: Vec::new(),
            contacts: Vec::new(),
            demand: vec![1.0; TERRITORIES],
            rival_push: Vec::new(),
            rival_loading: Vec::new(),
            own_push: 0.0,
            moves: Moves::default(),
            moves_at: Vec::new(),
            handovers: Vec::new(),
            rules: Vec::new(),
        };
        compile(bound, &start, placed, &bound.strategies[strategy], &[1.0; TERRITORIES], 6)
    }

    /// Visits and e-mails of every agent in the first month.
    #[derive(Default)]
    struct First(Vec<f32>, Vec<f32>);

    impl Recorder for First {
        fn month(&mut self, month: usize, _: usize, seen: Seen<'_>) {
            if month == 0 {
                self.0.extend(seen.contacts[Channel::FaceToFace.index()]);
                self.1.extend(seen.contacts[Channel::Email.index()]);
            }
        }
    }

    fn first_month(placed: &Placed, compiled: &Compiled) -> First {
        let (mut first, key) = (First::default(), RunKey { seed: 1, run: 0 });
        World::new(&placed.twin).run(&compiled.policy, testing::horizon(3), key, Isa::detect(), &mut first);
        first
    }

    fn lever(territories: &str, who: &str, action: &str) -> String {
        format!("[[strategy.lever]]\nfrom = \"2020-01\"\n{territories}\nwho = \"{who}\"\ndo.{action}\n")
    }

    fn selection(bound: &Bound, strategy: usize, lever: usize) -> (&BoundLever, &Selection) {
        let lever = &bound.strategies[strategy].levers[lever];
        (lever, lever.who.as_ref().expect("who"))
    }

    const FILTERS: &[&str] = &[
        "stage == 'identified'",
        "stage != 'served' and segment == 'chain'",
        "own_sales >= p75 or recency > 3",
        "recency != 0",
        "not (recency <= 2) and digital > 0.5",
        "affinity >= 0.4",
        "affinity > p50 and not (segment == 'chain' or stage == 'lapsed')",
        "own_sales == 0 or territory == 'T1' and size > p50",
        "not (own_sales < p25 or (digital < 0.3 and (segment != 'chain' or affinity != 0.4)))",
    ];

    #[test]
    fn rules_begin_with_whom_the_filter_fits() {
        for territories in ["", "territories = [\"T0\", \"T2\"]"] {
            let strategies = FILTERS.iter().map(|who| lever(territories, who, "targeting = { weight = 3.0 }"));
            let (scenario, bound) = bound(&strategies.collect::<Vec<_>>());
            assert!(check_rules(&scenario, &bound).is_empty());
            let placed = placed(&bound);
            for (at, text) in FILTERS.iter().enumerate() {
                let compiled = compiled(&bound, &placed, at);
                assert!(compiled.policy.phases.iter().all(|phase| phase.rules.len() == 1), "{text}");
                let first = first_month(&placed, &compiled);
                let (lever, who) = selection(&bound, at, 0);
                let mut fitting = 0;
                for agent in (0..placed.known.len()).filter(|&agent| placed.known[agent]) {
                    let view: AgentView = placed.view(agent);
                    let fits = who.fits(&view, &bound.market, &bound.attributes, &placed.percentiles)
                        && lever.territories[view.territory];
                    assert_eq!(first.0[agent], if fits { 3.0 } else { 1.0 }, "{text}, {view:?}");
                    fitting += usize::from(fits);
                }
                assert!((1..90).contains(&fitting), "{text}: {fitting}");
            }
        }
    }

    #[test]
    fn what_cannot_change_edits_columns() {
        let who = "digital > 0.5 and segment != 'chain' and size > p25";
        let levers = [
            lever("", who, "call_plan = { calls = [{ who = \"size > p75\", per_month = 4 }] }"),
            lever("", who, "targeting = { weight = 2.0 }"),
        ];
        let (_, bound) = bound(&[levers.concat()]);
        let placed = placed(&bound);
        assert!(placed.twin.parameters.more.is_empty());
        let policy = compiled(&bound, &placed, 0).policy;
        assert!(policy.marks.is_empty() && policy.phases.iter().all(|phase| phase.rules.is_empty()));
        let desired = &policy.phases[0].visits.desired;
        let count = |wanted: f32| desired.iter().filter(|&&visits| visits == wanted).count();
        assert!(count(8.0) > 0 && count(2.0) > 0 && count(1.0) > 0);
        assert_eq!(count(8.0) + count(2.0) + count(1.0), desired.len());
    }

    #[test]
    fn levers_work_in_their_order() {
        let plan = "call_plan = { calls = [{ who = \"recency > 2\", per_month = 4 }, \
                    { who = \"size > p25\", per_month = 3 }] }";
        let channels = "channel_plan = { contacts_per_month = 2, steps = [{ channel = \"face_to_face\" }, \
                        { channel = \"email\" }] }";
        let levers = [
            lever("", "segment == 'chain'", plan),
            lever("", "digital > 0.4", "targeting = { weight = 2.0 }"),
            lever("", "stage == 'lapsed'", channels),
            lever("", "digital > 0.7", channels),
        ];
        let (_, bound) = bound(&[levers.concat()]);
        let placed = placed(&bound);
        let compiled = compiled(&bound, &placed, 0);
        let phase = &compiled.policy.phases[0];
        // The static rule of the plan comes before the one on behaviour, so it stays a column; all after it are rules.
        assert_eq!(phase.rules.len(), 4);
        assert_eq!(phase.channels, [Channel::Email]);
        let first = first_month(&placed, &compiled);
        let mut seen = std::collections::BTreeSet::new();
        for agent in (0..placed.known.len()).filter(|&agent| placed.known[agent]) {
            let view = placed.view(agent);
            let customer = view.customer.expect("a customer");
            let customers = &bound.market.data.customers;
            let digital = customers.digital[customer].unwrap_or(-1.0);
            let (mut visits, mut emails) = (1.0, 0.0);
            if customers.segment[customer] == Some(0) {
                if view.size > placed.percentiles.at(25) {
                    visits = 3.0;
                }
                if bound.attributes.recency[customer].is_some_and(|recency| recency > 2.0) {
                    visits = 4.0;
                }
            }
            if digital > 0.4 {
                visits *= 2.0;
            }
            if view.stage == AgentStage::Lapsed {
                (visits, emails) = (visits + 1.0, emails + 1.0);
            }
            if digital > 0.7 {
                (visits, emails) = (visits + 1.0, emails + 1.0);
            }
            assert_eq!((first.0[agent], first.1[agent]), (visits, emails), "{view:?}");
            seen.insert((visits as u32, emails as u32));
        }
        assert!(seen.len() > 8, "{seen:?}");
    }

    #[test]
    fn steps_heed_what_each_customer_did() {
        let flow = |when: &str| {
            let steps = format!("{{ channel = \"phone\" }}, {{ channel = \"email\", when = \"{when}\" }}");
            lever("", "size > 0", &format!("channel_plan = {{ contacts_per_month = 2, steps = [{steps}] }}"))
        };
        let (scenario, bound) = bound(&["ordered", "silent", "opened"].map(flow));
        assert!(check_rules(&scenario, &bound).is_empty());
        let placed = placed(&bound);
        // E-mails to those that ordered in the last month and to those that did not, each of the first month.
        let emails = |strategy: usize| -> [Vec<f32>; 2] {
            let first = first_month(&placed, &compiled(&bound, &placed, strategy));
            [true, false].map(|ordered| {
                let known = (0..placed.known.len()).filter(|&agent| placed.known[agent]);
                let did = |agent: usize| {
                    let customer = placed.view(agent).customer.expect("a customer");
                    bound.attributes.recency[customer].is_some_and(|recency| recency <= 0.0)
                };
                known.filter(|&agent| did(agent) == ordered).map(|agent| first.1[agent]).collect()
            })
        };
        let mean = |emails: &[f32]| emails.iter().sum::<f32>() / emails.len() as f32;
        let [ordered, others] = emails(0);
        assert!(ordered.len() > 10 && others.len() > 10);
        assert!(ordered.iter().all(|&emails| emails == 1.0) && others.iter().all(|&emails| emails == 0.0));
        // Of those that did not order .6 / .9 stay silent, and .3 / .9 open what they are sent.
        let [ordered, others] = emails(1);
        assert!(mean(&ordered) == 0.0 && (mean(&others) - 0.67).abs() < 0.25, "{others:?}");
        let [ordered, others] = emails(2);
        assert!(mean(&ordered) == 1.0 && (mean(&others) - 0.33).abs() < 0.25, "{others:?}");
    }

    #[test]
    fn messages_go_by_the_preferred_channel_and_no_more_than_allowed() {
        let plan = |more: &str| {
            let steps = "steps = [{ channel = \"phone\" }, { channel = \"email\" }]";
            lever("", "size > 0", &format!("channel_plan = {{ contacts_per_month = 4, {more}, {steps} }}"))
        };
        let (_, bound) = bound(&[plan("preferred = true"), plan("at_most = 3.0")]);
        let placed = placed(&bound);
        let sent = |strategy: usize, agent: usize| -> [f32; 2] {
            let phase = &compiled(&bound, &placed, strategy).policy.phases[0];
            [Channel::Phone, Channel::Email].map(|channel| {
                let position = phase.channels.iter().position(|used| *used == channel).expect("a channel in use");
                phase.contacts[position][agent]
            })
        };
        for agent in [0, 1, 4, 7] {
            let customer = placed.customer[agent].expect("a customer") as usize;
            let wish = bound.market.data.customers.preferred_channel[customer];
            assert_eq!(sent(0, agent), if wish.is_some() { [0.0, 4.0] } else { [2.0, 2.0] });
            // One visit a month is there already: two of four messages are left.
            assert_eq!(sent(1, agent), [1.0, 1.0]);
        }
    }

    #[test]
    fn part_of_whom_it_is_for_takes_up_a_way_to_order() {
        let (_, bound) = bound(&[lever("", "size > 0", "order_channel = { channel = \"portal\", adoption = 0.4 }")]);
        let placed = placed(&bound);
        let policy = compiled(&bound, &placed, 0).policy;
        let phase = &policy.phases[0];
        assert_eq!(phase.channels, [Channel::Digital]);
        let share =
            phase.contacts[0].iter().filter(|rate| **rate == 1.0).count() as f64 / phase.contacts[0].len() as f64;
        assert!(
            (share - 0.4).abs() < 0.12 && phase.contacts[0].iter().all(|rate| [0.0, 1.0].contains(rate)),
            "{share}"
        );
        assert_eq!(compiled(&bound, &placed, 0).policy, policy);
    }

    #[test]
    fn too_many_and_too_deep_are_refused() {
        let many = lever("", "recency > 2", "targeting = { weight = 2.0 }").repeat(33);
        // A full tree of 256 leaves; one that only leans is no trouble.
        let deep = (0..8).fold("recency > 2".to_owned(), |part, level| {
            if level % 2 == 0 { format!("({part} or {part})") } else { format!("({part} and {part})") }
        });
        let leaning = (0..9).fold("stage == 'lapsed'".to_owned(), |inner, k| {
            format!("size > {k} and ({inner} or (own_sales > {k} and recency > 3))")
        });
        let leaning = lever("", &leaning, "targeting = { weight = 2.0 }");
        let deep = lever("", &deep, "targeting = { weight = 2.0 }");
        let (scenario, bound) =
            bound(&[many, deep, leaning, lever("", "size > 3", "targeting = { weight = 2.0 }").repeat(40)]);
        let titles: Vec<String> = check_rules(&scenario, &bound).iter().map(|problem| format!("{problem:?}")).collect();
        assert_eq!(titles.len(), 2, "{titles:?}");
        assert!(titles[0].contains("33 rules") && titles[1].contains("wait for"));
    }
}
