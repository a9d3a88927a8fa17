//! `ikiz optimise`: where to put reps, calls and contacts under a budget.
//!
//! 1. **Response** ([`menu`]): every combination of the scenario's levels is tried in all territories at once, on paired runs; since
//!    territories do not touch each other within a run, one run of an option gives its value in each (`strategy::by_territory`).
//! 2. **Luck off** ([`shrink`]).
//! 3. **Allocation** ([`allocate`]): one option a territory within the budget, along response curves, with a bound on what any plan
//!    of this menu could bring, and no more reps hired in a month than the company can ([`hiring`]).
//! 4. **Realignment** ([`realign`]): where reps may exchange territories, calls go where the demand is.
//! 5. **Selection** ([`select`]): that plan, the present one and others (cheaper, more cautious, the same everywhere, by demand) live fresh
//!    runs, which took no part in the search, until they are told apart. What is not told apart is shown: the flat optimum.

pub mod allocate;
pub mod hiring;
pub mod menu;
pub mod realign;
pub mod select;
pub mod shrink;
mod strategy_file;

pub use strategy_file::strategy_file;

use std::sync::atomic::{AtomicU32, Ordering};

use self::allocate::{Allocation, Point};
use self::hiring::{Hiring, allocate_within};
use self::menu::{Choice, Menu};
use self::realign::{Field, Move};
use self::select::{Rounds, select};
use self::shrink::shrink;
use crate::calibrate::Calibration;
use crate::ids::{Index as _, RepIx};
use crate::market::{Bound, BoundAction, BoundLever, BoundOptimise, BoundRealign, BoundStrategy, neighbours};
use crate::potential::DarkHalf;
use crate::problem::Problem;
use crate::scenario::{Objective, Scenario};
use crate::stats::{Summary, mean_sd};
use crate::strategy::{Arena, BELIEVABLE_GAIN, Cell, Today, by_territory};

/// Simulations of the whole market that the search may take, and runs of an option at least and at most.
const SEARCH: usize = 12_000;
const SEARCH_RUNS: (usize, usize) = (24, 200);

/// Options that can be told apart by so many simulations.
const LARGEST_MENU: usize = 500;

/// Fresh runs: numbered from here, so that none took part in the search.
const FRESH: u32 = 1 << 20;

/// Runs that tell plans apart.
const ROUNDS: Rounds = Rounds { first: 100, most: 800 };

/// A plan that was compared on fresh runs.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub name: String,
    /// By territory.
    pub plan: Vec<Choice>,
    /// Territories that go to another rep: (rep, territory).
    pub moves: Vec<(String, String)>,
    /// The objective over the runs that it lived.
    pub value: Summary,
    pub runs: u32,
    /// Standard error of the mean.
    pub error: f64,
    pub cost: f64,
    /// Share of its runs in which it loses against the baseline.
    pub p_loss: f64,
    /// Mean difference to the best, and its upper limit.
    pub behind: (f64, f64),
    /// Not told apart from the best.
    pub tied: bool,
}

/// The recommended plan in a territory.
#[derive(Debug, Clone)]
pub struct PlanRow {
    pub territory_id: String,
    /// By part: the level in words; `None` = as today.
    pub settings: Vec<Option<String>>,
    pub cost: f64,
    /// Of the objective, and of sales in demand units.
    pub value: Summary,
    pub sales: Summary,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Optimised {
    pub parts: Vec<String>,
    pub options: usize,
    pub search_runs: usize,
    pub budget: f64,
    pub objective: Objective,
    pub unit: String,
    pub currency: String,
    pub sales_unit: String,
    /// The best first.
    pub candidates: Vec<Candidate>,
    pub rows: Vec<PlanRow>,
    /// By the search's own figures: what the chosen allocation brings, and what no plan of the menu exceeds.
    pub searched: (f64, f64),
    pub warnings: Vec<String>,
}

impl Optimised {
    /// Territories that go to another rep in the recommended plan: (rep, territory).
    pub fn moves(&self) -> &[(String, String)] {
        self.candidates.first().map_or(&[], |best| &best.moves)
    }
}

/// A scenario's market as the search needs it: a strategy with every level beside the scenario's own, so that what any of them asks about is
/// there in all runs.
pub fn with_levels(bound: &Bound) -> Bound {
    let mut out = bound.clone();
    if let Some(optimise) = &bound.optimise {
        let levers = optimise.parts.iter().flat_map(|part| part.levels.iter().map(|(_, lever)| lever.clone()));
        let levers = levers.chain(optimise.realign.iter().map(|realign| realign.lever.clone())).collect();
        out.strategies.push(BoundStrategy { id: "every-level".into(), levers });
    }
    out
}

/// What `[optimise]` lacks, underlined.
///
/// # Errors
/// When there is none, or it has too many combinations.
pub fn checked<'a>(scenario: &Scenario, bound: &'a Bound) -> Result<&'a BoundOptimise, Vec<Problem>> {
    let (Some(optimise), Some(plan)) = (&bound.optimise, &scenario.optimise) else {
        return Err(vec![Problem::error(format!("{} does not say what may be changed", scenario.source.path)).help(
            "add a table [optimise], for example: from = \"2026-03\", budget = 20_000_000, \
             headcount = { most = 3, monthly_cost = 145_000 }, prospecting = [0.2, 0.4]",
        )]);
    };
    let size = Menu::size(optimise);
    if size > LARGEST_MENU {
        return Err(vec![
            Problem::error(format!("{size} combinations are too many to be told apart"))
                .at(scenario.source.place(&plan.span), "all levels of all parts, and today's, with one another")
                .help(format!("leave out levels or parts until at most {LARGEST_MENU} remain")),
        ]);
    }
    Ok(optimise)
}

/// Searches. `bound` is that of [`with_levels`]; `progress` gets (runs done, runs expected).
///
/// # Errors
/// As [`checked`].
pub fn optimise(
    scenario: &Scenario,
    bound: &Bound,
    calibration: &Calibration,
    dark_half: &DarkHalf,
    progress: &(dyn Fn(u32, u32) + Sync),
) -> Result<Optimised, Vec<Problem>> {
    let optimise = checked(scenario, bound)?;
    let today = Today::of(&bound.market);
    let (mut arena, mut warnings) = Arena::new(scenario, bound, &today, calibration, dark_half);
    let menu = Menu::new(optimise);
    let pace = scenario.economics.hiring_pace.as_ref().map(|pace| pace.value);
    let hiring = pace.map(|pace| Hiring { pace, hires: menu.hires(scenario.horizon as usize) });
    let territories = bound.market.territory_count();
    let runs = (SEARCH / menu.options.len()).clamp(SEARCH_RUNS.0, SEARCH_RUNS.1);
    let done = AtomicU32::new(0);
    let expected = runs as u32 + ROUNDS.first;
    let tick = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, expected.max(done.load(Ordering::Relaxed)));
    let everywhere: Vec<_> = (0..menu.options.len()).map(|option| menu.levers(&vec![option; territories])).collect();
    // An option that all territories choose meets a ceiling that a plan, in which few do, does not.
    let ceiling = arena.supply_ceiling.take();
    let searched = by_territory(&arena, scenario.baseline, &everywhere, 0..runs as u32, &tick);
    arena.supply_ceiling = ceiling;
    let table = Table::new(&searched, &arena.weight);
    drop(searched);

    let limits = Limits { budget: optimise.budget, hiring: hiring.as_ref() };
    let chosen = limits.allocate(&table.shrunk);
    let mut candidates = candidates(&menu, &table, &chosen, &limits, &arena.weight);
    if let Some(realign) = &optimise.realign {
        candidates.extend(realigned(bound, realign, &arena.weight, &chosen.plan));
    }
    let plans: Vec<_> = candidates.iter().map(|planned| planned.levers(&menu)).collect();
    let mut lived: Vec<Vec<Vec<Cell>>> = vec![Vec::new(); plans.len()];
    let selected = select(plans.len(), ROUNDS, |alive, from, until| {
        let levers: Vec<_> = alive.iter().map(|&plan| plans[plan].clone()).collect();
        let cells = by_territory(&arena, scenario.baseline, &levers, FRESH + from..FRESH + until, &tick);
        let mut out = Vec::with_capacity(cells.len());
        for run in cells {
            out.push(run.iter().map(|territories| territories.iter().map(|cell| cell.value).sum()).collect());
            for (&plan, territories) in alive.iter().zip(run) {
                lived[plan].push(territories);
            }
        }
        out
    });
    let best = selected.best;
    // Levels that do nothing where they are chosen (prospecting without reps) make plans that differ on paper only.
    let twin = |plan: usize| plan != best && selected.standings[plan].values == selected.standings[best].values;
    let mut found: Vec<(usize, Candidate)> = candidates
        .into_iter()
        .zip(&selected.standings)
        .zip(&lived)
        .enumerate()
        .filter(|(at, _)| !twin(*at))
        .filter_map(|(at, ((planned, standing), lived))| {
            let costs: Vec<f64> = lived.iter().map(|run| run.iter().map(|cell| cell.cost).sum()).collect();
            let value = Summary::of(&standing.values)?;
            let losses = standing.values.iter().filter(|value| **value < 0.0).count();
            let candidate = Candidate {
                name: planned.name,
                plan: planned.plan,
                moves: planned.moves,
                value,
                runs: standing.values.len() as u32,
                error: value.sd / (standing.values.len() as f64).sqrt(),
                cost: mean_sd(&costs).0,
                p_loss: losses as f64 / standing.values.len() as f64,
                behind: standing.behind,
                tied: standing.tied,
            };
            Some((at, candidate))
        })
        .collect();
    found.sort_by(|(a, one), (b, other)| {
        (*b == best).cmp(&(*a == best)).then(other.value.mean.total_cmp(&one.value.mean)).then(a.cmp(b))
    });
    let found: Vec<Candidate> = found.into_iter().map(|(_, candidate)| candidate).collect();
    let rows = found.first().map_or_else(Vec::new, |first| rows(bound, &menu, &first.plan, &lived[best]));
    warnings.extend(unbelievable(bound, scenario, &lived[best]));
    warnings.extend(what_hiring_costs(&limits, &table, &chosen));
    if ceiling.is_some() {
        warnings.push(
            "economics.supply_ceiling is heeded where plans are compared, not in the search for where to put reps: if cheaper \
             plans come close to the best, the ceiling is what holds it"
                .to_owned(),
        );
    }
    Ok(Optimised {
        parts: optimise.parts.iter().map(|part| part.name.clone()).collect(),
        options: menu.options.len(),
        search_runs: runs,
        budget: optimise.budget,
        objective: arena.objective,
        unit: arena.objective_unit().to_owned(),
        currency: bound.market.data.meta.currency.clone(),
        sales_unit: bound.market.unit().to_owned(),
        candidates: found,
        rows,
        searched: (chosen.value, chosen.bound),
        warnings,
    })
}

/// What a plan must stay within.
struct Limits<'a> {
    budget: f64,
    hiring: Option<&'a Hiring>,
}

impl Limits<'_> {
    /// The best plan by these values.
    fn allocate(&self, points: &[Vec<Point>]) -> Allocation {
        allocate_within(points, self.budget, self.hiring)
    }

    fn allow_hiring(&self, plan: &[Choice]) -> bool {
        self.hiring.is_none_or(|hiring| hiring.allows(plan))
    }
}

/// Words where the hiring pace holds the plan back.
fn what_hiring_costs(limits: &Limits<'_>, table: &Table, chosen: &Allocation) -> Option<String> {
    let hiring = limits.hiring?;
    let free = Limits { hiring: None, ..*limits }.allocate(&table.shrunk);
    let lost = free.value - chosen.value;
    (!hiring.allows(&free.plan) && lost > 0.0).then(|| {
        format!(
            "the hiring pace of {} a month holds the plan back: without it the search would hire {:.1} a month and expects {:.0}% more",
            hiring.pace,
            hiring.of(&free.plan),
            100.0 * lost / chosen.value.max(1e-9)
        )
    })
}

/// A plan to be compared.
struct Planned {
    name: String,
    plan: Vec<Choice>,
    /// As in [`Candidate`], and the lever that makes them.
    moves: Vec<(String, String)>,
    realign: Option<BoundLever>,
}

impl Planned {
    /// Territories change hands first.
    fn levers(&self, menu: &Menu<'_>) -> Vec<BoundLever> {
        self.realign.iter().cloned().chain(menu.levers(&self.plan)).collect()
    }
}

/// Plans in which territories have gone to other reps: today's otherwise, and the search's, with all changes found and with half of them.
fn realigned(bound: &Bound, realign: &BoundRealign, demand: &[f64], chosen: &[Choice]) -> Vec<Planned> {
    let (Some(postings), Some(reps)) = (bound.market.postings(), &bound.market.data.reps) else { return Vec::new() };
    let neighbours = neighbours(&bound.market.data.territories);
    let found = realign::realign(&Field {
        postings: &postings,
        calls: &reps.calls_per_month,
        demand,
        neighbours: &neighbours,
        locked: &realign.locked,
        most: realign.most,
    });
    let today = vec![0; demand.len()];
    let mut out: Vec<Planned> = Vec::new();
    for (of, moves) in [("all changes", &found[..]), ("half of the changes", &found[..found.len().div_ceil(2)])] {
        let moves = realign::settled(moves);
        let pairs: Vec<(usize, usize)> = moves.iter().map(|change| (change.rep, change.territory)).collect();
        let name = |change: &Move| {
            let rep = reps.ids.name(RepIx::from_usize(change.rep)).to_owned();
            (rep, bound.market.data.territory_id(change.territory).to_owned())
        };
        let names: Vec<(String, String)> = moves.iter().map(name).collect();
        let Some(after) = bound.market.realigned(&pairs).filter(|_| !moves.is_empty()) else { continue };
        if out.iter().any(|planned| planned.moves == names) {
            continue;
        }
        let lever = BoundLever { action: BoundAction::Realign(after), ..realign.lever.clone() };
        for (name, plan) in [("as today", &today[..]), ("by response", chosen)] {
            out.push(Planned {
                name: format!("{name}, realigned ({of})"),
                plan: plan.to_vec(),
                moves: names.clone(),
                realign: Some(lever.clone()),
            });
        }
    }
    out
}

/// What the search knows, `[territory][option]`.
#[derive(Debug, Clone)]
pub struct Table {
    /// Means as they came out.
    pub means: Vec<Vec<Point>>,
    /// With luck taken off.
    pub shrunk: Vec<Vec<Point>>,
    /// Shrunk less half a deviation over draws: what is uncertain counts for less.
    pub cautious: Vec<Vec<Point>>,
}

impl Table {
    /// From `[run][option][territory]` and demand by territory.
    pub fn new(runs: &[Vec<Vec<Cell>>], demand: &[f64]) -> Self {
        let (options, territories) = (runs[0].len(), demand.len());
        let empty = || vec![Vec::with_capacity(options); territories];
        let mut out = Self { means: empty(), shrunk: empty(), cautious: empty() };
        for option in 0..options {
            let of = |j: usize, pick: fn(&Cell) -> f64| -> Vec<f64> {
                runs.iter().map(|run| pick(&run[option][j])).collect()
            };
            let moments: Vec<(f64, f64)> = (0..territories).map(|j| mean_sd(&of(j, |cell| cell.value))).collect();
            let means: Vec<f64> = moments.iter().map(|(mean, _)| *mean).collect();
            let errors: Vec<f64> = moments.iter().map(|(_, sd)| sd / (runs.len() as f64).sqrt()).collect();
            let shrunk = shrink(&means, &errors, demand);
            for j in 0..territories {
                let cost = mean_sd(&of(j, |cell| cell.cost)).0;
                out.means[j].push(Point { cost, value: means[j] });
                out.shrunk[j].push(Point { cost, value: shrunk[j] });
                out.cautious[j].push(Point { cost, value: shrunk[j] - 0.5 * moments[j].1 });
            }
        }
        out
    }
}

/// The plans to compare, each once.
fn candidates(
    menu: &Menu<'_>,
    table: &Table,
    chosen: &Allocation,
    limits: &Limits<'_>,
    demand: &[f64],
) -> Vec<Planned> {
    let today = vec![0; demand.len()];
    let mut out = vec![("as today".to_owned(), today), ("by response".to_owned(), chosen.plan.clone())];
    for share in [0.75, 0.5, 0.25] {
        let plan = Limits { budget: share * chosen.cost, ..*limits }.allocate(&table.shrunk).plan;
        out.push((format!("by response, {:.0}% of its cost", 100.0 * share), plan));
    }
    out.push(("cautious".to_owned(), limits.allocate(&table.cautious).plan));
    out.push(("by response, luck left in".to_owned(), limits.allocate(&table.means).plan));
    let total =
        |option: usize, of: fn(&Point) -> f64| -> f64 { table.shrunk.iter().map(|points| of(&points[option])).sum() };
    let affordable = (0..menu.options.len()).filter(|&option| {
        total(option, |point| point.cost) <= limits.budget && limits.allow_hiring(&vec![option; demand.len()])
    });
    let same = affordable.max_by(|&a, &b| total(a, |p| p.value).total_cmp(&total(b, |p| p.value)).then(b.cmp(&a)));
    if let Some(option) = same {
        out.push(("the same everywhere".to_owned(), vec![option; demand.len()]));
    }
    out.extend(menu.by_demand(&table.shrunk, demand, limits).map(|plan| ("reps by demand".to_owned(), plan)));
    let mut kept: Vec<Planned> = Vec::new();
    for (name, plan) in out {
        if !kept.iter().any(|other| other.plan == plan) {
            kept.push(Planned { name, plan, moves: Vec::new(), realign: None });
        }
    }
    kept
}

fn rows(bound: &Bound, menu: &Menu<'_>, plan: &[Choice], lived: &[Vec<Cell>]) -> Vec<PlanRow> {
    let of = |j: usize, pick: fn(&Cell) -> f64| -> Vec<f64> { lived.iter().map(|run| pick(&run[j])).collect() };
    let row = |(j, &choice): (usize, &Choice)| {
        Some(PlanRow {
            territory_id: bound.market.data.territory_id(j).to_owned(),
            settings: (0..menu.parts()).map(|part| menu.words(choice, part).map(str::to_owned)).collect(),
            cost: mean_sd(&of(j, |cell| cell.cost)).0,
            value: Summary::of(&of(j, |cell| cell.value))?,
            sales: Summary::of(&of(j, |cell| cell.sales))?,
        })
    };
    plan.iter().enumerate().filter_map(row).collect()
}

fn unbelievable(bound: &Bound, scenario: &Scenario, lived: &[Vec<Cell>]) -> Option<String> {
    let today: f64 = bound.market.own_last_year().iter().sum();
    let sales: Vec<f64> = lived.iter().map(|run| run.iter().map(|cell| cell.sales).sum()).collect();
    let gain = mean_sd(&sales).0 * 12.0 / f64::from(scenario.horizon);
    (today > 0.0 && gain / today > BELIEVABLE_GAIN).then(|| {
        format!(
            "the recommended plan gains {:.0}% of today's sales a year on average; field experiments on sales effort have shown at \
             most about {:.0}%. Treat it as too good until a pilot shows it",
            100.0 * gain / today,
            100.0 * BELIEVABLE_GAIN
        )
    })
}

impl Menu<'_> {
    /// As many reps as the limits allow, spread by demand and nothing else; `None` without reps to choose.
    fn by_demand(&self, points: &[Vec<Point>], demand: &[f64], limits: &Limits<'_>) -> Option<Vec<Choice>> {
        let part = self.part(|action| matches!(action, BoundAction::Headcount { .. }))?;
        let only = |level: usize| {
            let alone = |option: &Vec<usize>| {
                option.iter().enumerate().all(|(at, &chosen)| chosen == if at == part { level } else { 0 })
            };
            self.options.iter().position(alone)
        };
        let levels: Vec<Choice> = (0..=self.levels(part)).map_while(only).collect();
        let cost = |plan: &[Choice]| -> f64 { points.iter().zip(plan).map(|(points, &k)| points[k].cost).sum() };
        let mut plan = vec![0; demand.len()];
        let mut given = vec![0; demand.len()];
        // One step after another to who has least for its demand, while the budget lasts.
        loop {
            let next =
                (0..demand.len()).filter(|&j| given[j] + 1 < levels.len() && demand[j] > 0.0).max_by(|&a, &b| {
                    let need = |j: usize| demand[j] / (given[j] as f64 + 1.0);
                    need(a).total_cmp(&need(b)).then(b.cmp(&a))
                });
            let Some(j) = next else { break };
            let before = plan[j];
            plan[j] = levels[given[j] + 1];
            if cost(&plan) > limits.budget || !limits.allow_hiring(&plan) {
                plan[j] = before;
                break;
            }
            given[j] += 1;
        }
        Some(plan)
    }
}
