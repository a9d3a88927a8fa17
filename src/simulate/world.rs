//! The whole market as one model, and a twin made ready to run.

use super::engine::{Engine, Entry, Ledger};
use super::mechanisms::choice::Choice;
use super::mechanisms::complaints::Complaints;
use super::mechanisms::contacts::{BoundedVisits, Messages};
use super::mechanisms::contracts::Contracts;
use super::mechanisms::coverage::Coverage;
use super::mechanisms::credit::Credit;
use super::mechanisms::demand::Demand;
use super::mechanisms::dispersion::Dispersion;
use super::mechanisms::goodwill::Goodwill;
use super::mechanisms::habit::Habit;
use super::mechanisms::launch::Launch;
use super::mechanisms::loading::Loading;
use super::mechanisms::orders::{self, Orders, Rivals};
use super::mechanisms::own_loading::OwnLoading;
use super::mechanisms::price::Price;
use super::mechanisms::products::Products;
use super::mechanisms::promotion::Promotion;
use super::mechanisms::reaction::Reaction;
use super::mechanisms::receptivity::Receptivity;
use super::mechanisms::reps::Reps;
use super::mechanisms::sales::Sales;
use super::mechanisms::segments::Segments;
use super::mechanisms::stock_out::StockOut;
use super::mechanisms::totals::Totals;
use super::mechanisms::transition::Life;
use super::mechanisms::travel::Travel;
use super::mechanisms::turnover::Turnover;
use super::mechanisms::word_of_mouth::WordOfMouth;
use super::recorder::Recorder;
use super::{Discovery, Horizon, Parameters, Policy, Tallies, Twin};
use crate::lanes::Isa;
use crate::rng::RunKey;

/// What every market has, in the order of a month.
pub type Core = (Life, Demand, Reps, Rivals, BoundedVisits, Messages, Goodwill, Loading, Sales<true>, Discovery);

/// Everything, in the order of a month: who is where, the field, what reaches a customer, what it thinks, what it needs,
/// whom it chooses, what it orders, who is found.
pub type Full = (
    (Life, Demand, Option<Segments>),
    (Option<Turnover>, Option<Travel>, Reps, Rivals, Option<Reaction>),
    (BoundedVisits, Option<Receptivity>, Option<Complaints>, Messages, Goodwill),
    (Option<Contracts>, Option<Habit>, Option<Price>, Option<Launch>, Option<WordOfMouth>, Option<Products>),
    (Choice, Option<Coverage>, Option<OwnLoading>, Loading, Option<Dispersion>, Option<Promotion>, Option<StockOut>),
    (Orders, Option<Credit>, Totals),
    Discovery,
);

/// The mechanisms of [`Core`] under these parameters.
pub fn core(parameters: &Parameters) -> Core {
    let unit = parameters.order_unit;
    (
        parameters.life(),
        parameters.demand(),
        Reps,
        Rivals,
        BoundedVisits,
        Messages,
        parameters.goodwill,
        Loading,
        Sales { unit },
        parameters.discovery,
    )
}

/// The mechanisms of [`Full`] under these parameters.
pub fn full(parameters: &Parameters) -> Full {
    let more = &parameters.more;
    let unit = more.order_sizes.map_or(parameters.order_unit, |sizes| sizes.unit(parameters.order_unit));
    (
        (parameters.life(), parameters.demand(), more.segments),
        (more.turnover, more.travel, Reps, Rivals, more.reaction),
        (BoundedVisits, more.receptivity, more.complaints, Messages, parameters.goodwill),
        (more.contracts, more.habit, more.price, more.launch, more.word_of_mouth, more.products),
        (Choice, more.coverage, OwnLoading::of(more), Loading, more.dispersion, more.promotion, more.stock_out),
        (Orders { unit, sizes: more.order_sizes }, more.credit, Totals),
        parameters.discovery,
    )
}

/// One run on the fastest instruction set, without looking at single customers. To run a twin more than once, keep a
/// [`World`].
pub fn run(twin: &Twin, policy: &Policy, horizon: Horizon, key: RunKey) -> Tallies {
    World::new(twin).run(policy, horizon, key, Isa::detect(), &mut ())
}

/// A twin made ready to run, again and again: runs start from the same state and re-use the same memory.
///
/// A twin without further mechanisms runs as [`Core`], any other as [`Full`]: two sets are compiled, and both give the same
/// bytes where nothing further is on.
#[derive(Clone)]
pub struct World {
    engine: Set,
    parameters: Parameters,
    /// By territory: rivals' weights.
    rivals: Vec<Vec<f64>>,
}

/// The set of mechanisms that a world runs.
#[derive(Clone)]
enum Set {
    Core(Box<Engine<Core>>),
    Full(Box<Engine<Full>>),
}

impl World {
    /// Lays out a twin.
    ///
    /// # Panics
    ///
    /// When the columns of [`super::Agents`] differ in length or the territories do not cover them in order: a twin is built
    /// by the program, never read from a file.
    pub fn new(twin: &Twin) -> Self {
        let parameters = twin.parameters.clone();
        let engine = Set::Core(Box::new(Engine::new(core(&parameters))));
        let mut world = Self { engine, parameters, rivals: Vec::new() };
        world.reload(twin);
        world
    }

    /// Lays out another twin in the memory of this one. Panics as [`World::new`].
    pub fn reload(&mut self, twin: &Twin) {
        twin.check();
        self.parameters = twin.parameters.clone();
        self.rivals.clear();
        self.rivals.extend(twin.territories.iter().map(|territory| territory.rivals.clone()));
        match (&mut self.engine, twin.parameters.more.is_empty()) {
            (Set::Core(engine), true) => lay_out(engine, core(&twin.parameters), twin),
            (Set::Full(engine), false) => lay_out(engine, full(&twin.parameters), twin),
            (engine, true) => {
                let mut new = Engine::new(core(&twin.parameters));
                lay_out(&mut new, core(&twin.parameters), twin);
                *engine = Set::Core(Box::new(new));
            }
            (engine, false) => {
                let mut new = Engine::new(full(&twin.parameters));
                lay_out(&mut new, full(&twin.parameters), twin);
                *engine = Set::Full(Box::new(new));
            }
        }
    }

    /// Number of agents, unborn ones included.
    pub fn agents(&self) -> usize {
        match &self.engine {
            Set::Core(engine) => engine.agents(),
            Set::Full(engine) => engine.agents(),
        }
    }

    /// Runs the twin from its start under a policy, see [`Engine::run`].
    pub fn run<R: Recorder>(
        &mut self,
        policy: &Policy,
        horizon: Horizon,
        key: RunKey,
        isa: Isa,
        recorder: &mut R,
    ) -> Tallies {
        let mut books = Books::new(policy, horizon, &self.rivals);
        let path = self.parameters.path(horizon);
        match &mut self.engine {
            Set::Core(engine) => engine.run(policy, &path, key, isa, &mut books, recorder),
            Set::Full(engine) => engine.run(policy, &path, key, isa, &mut books, recorder),
        }
        books.tallies
    }

    /// As [`World::run`], the territories of the one run side by side, see [`Engine::run_abreast`].
    pub fn run_abreast(&self, policy: &Policy, horizon: Horizon, key: RunKey, isa: Isa) -> Tallies {
        let mut books = Books::new(policy, horizon, &self.rivals);
        let path = self.parameters.path(horizon);
        match &self.engine {
            Set::Core(engine) => engine.run_abreast(policy, &path, key, isa, &mut books),
            Set::Full(engine) => engine.run_abreast(policy, &path, key, isa, &mut books),
        }
        books.tallies
    }
}

fn lay_out<M: super::Mechanism>(engine: &mut Engine<M>, model: M, twin: &Twin) {
    engine.reset(model);
    for territory in &twin.territories {
        engine.push(territory, &twin.agents);
    }
}

/// Writes tallies down.
struct Books<'a> {
    tallies: Tallies,
    policy: &'a Policy,
    rivals: &'a [Vec<f64>],
    /// Each rival's part of what does not come to us.
    parts: Vec<f64>,
}

impl<'a> Books<'a> {
    fn new(policy: &'a Policy, horizon: Horizon, rivals: &'a [Vec<f64>]) -> Self {
        let most = rivals.iter().map(Vec::len).max().unwrap_or(0);
        Self { tallies: Tallies::new(horizon.months, rivals.len(), most), policy, rivals, parts: Vec::new() }
    }
}

impl Ledger for Books<'_> {
    fn territory(&mut self, j: usize, months: &[Entry]) {
        let Self { tallies, policy, rivals, parts } = self;
        for (month, Entry { here, sums, contacts: by_channel, products }) in months.iter().enumerate() {
            let phase = policy.phase(month);
            orders::parts(&rivals[j], |rival| policy.rival_push(month, phase, j, rival), parts);
            let at = month * tallies.territories + j;
            tallies.own_sales[at] = sums.own + sums.own_loaded;
            tallies.own_loaded[at] = sums.own_loaded;
            tallies.own_used[at] = sums.own + sums.own_eaten;
            tallies.own_stock[at] = sums.own_stock;
            tallies.total_demand[at] = sums.own + sums.own_loaded + sums.rivals + sums.loaded;
            let loads = |rival: usize| f64::from(policy.rival_loading(month, phase, rival));
            let depth: f64 = (0..tallies.rival_sales.len()).map(loads).sum();
            for (rival, (sales, part)) in tallies.rival_sales.iter_mut().zip(parts.iter()).enumerate() {
                let loads = loads(rival);
                sales[at] = part * sums.rivals + if depth > 0.0 { sums.loaded * loads / depth } else { 0.0 };
            }
            tallies.dark[at] = sums.dark;
            tallies.served[at] = sums.served;
            tallies.found[at] = sums.found;
            tallies.referred[at] = sums.found * f64::from(here.referred);
            tallies.won[at] = sums.won;
            tallies.lost[at] = sums.lost;
            tallies.visits[at] = sums.visits;
            for (sales, sum) in tallies.product_sales.iter_mut().zip(products) {
                sales[at] = *sum;
            }
            tallies.complaints[at] = sums.complaints;
            tallies.prospecting[at] = here.prospecting;
            for (contacts, sum) in tallies.contacts.iter_mut().zip(by_channel) {
                contacts[at] = *sum;
            }
        }
    }
}
