//! The whole market as one model, and a twin made ready to run.

use super::engine::{Engine, Entry, Ledger};
use super::mechanisms::choice::Choice;
use super::mechanisms::contacts::Visits;
use super::mechanisms::demand::Demand;
use super::mechanisms::goodwill::Goodwill;
use super::mechanisms::loading::Loading;
use super::mechanisms::orders::{self, OwnOrders, RivalOrders, Rivals};
use super::mechanisms::reps::Reps;
use super::mechanisms::transition::Life;
use super::recorder::Recorder;
use super::{Discovery, Horizon, Parameters, Policy, Tallies, Twin};
use crate::lanes::Isa;
use crate::rng::RunKey;

/// What every market has, in the order of a month.
pub type Core = (Life, Demand, Reps, Rivals, Visits, Goodwill, Loading, Choice, OwnOrders, RivalOrders, Discovery);

/// The mechanisms of [`Core`] under these parameters.
pub fn core(parameters: &Parameters) -> Core {
    let unit = parameters.order_unit;
    (
        parameters.life(),
        parameters.demand(),
        Reps,
        Rivals,
        Visits,
        parameters.goodwill,
        Loading,
        Choice,
        OwnOrders { unit },
        RivalOrders { unit },
        parameters.discovery,
    )
}

/// One run on the fastest instruction set, without looking at single customers. To run a twin more than once, keep a
/// [`World`].
pub fn run(twin: &Twin, policy: &Policy, horizon: Horizon, key: RunKey) -> Tallies {
    World::new(twin).run(policy, horizon, key, Isa::detect(), &mut ())
}

/// A twin made ready to run, again and again: runs start from the same state and re-use the same memory.
#[derive(Clone)]
pub struct World {
    engine: Engine<Core>,
    parameters: Parameters,
    /// By territory: rivals' weights.
    rivals: Vec<Vec<f64>>,
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
        let mut world = Self { engine: Engine::new(core(&parameters)), parameters, rivals: Vec::new() };
        world.reload(twin);
        world
    }

    /// Lays out another twin in the memory of this one. Panics as [`World::new`].
    pub fn reload(&mut self, twin: &Twin) {
        twin.check();
        self.engine.reset(core(&twin.parameters));
        self.parameters = twin.parameters.clone();
        self.rivals.clear();
        for territory in &twin.territories {
            self.engine.push(territory, &twin.agents);
            self.rivals.push(territory.rivals.clone());
        }
    }

    /// Number of agents, unborn ones included.
    pub fn agents(&self) -> usize {
        self.engine.agents()
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
        self.engine.run(policy, &self.parameters.path(horizon), key, isa, &mut books, recorder);
        books.tallies
    }

    /// As [`World::run`], the territories of the one run side by side, see [`Engine::run_abreast`].
    pub fn run_abreast(&self, policy: &Policy, horizon: Horizon, key: RunKey, isa: Isa) -> Tallies {
        let mut books = Books::new(policy, horizon, &self.rivals);
        self.engine.run_abreast(policy, &self.parameters.path(horizon), key, isa, &mut books);
        books.tallies
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
        for (month, Entry { here, sums, contacts: by_channel }) in months.iter().enumerate() {
            let phase = policy.phase(month);
            let push = phase.rival_push.get(j).map_or(&[][..], Vec::as_slice);
            orders::parts(&rivals[j], push, parts);
            let at = month * tallies.territories + j;
            tallies.own_sales[at] = sums.own;
            tallies.total_demand[at] = sums.own + sums.rivals + sums.loaded;
            let depths = phase.rival_loading.iter().map(|&depth| f64::from(depth));
            let depth: f64 = depths.clone().sum();
            let depths = depths.chain(std::iter::repeat(0.0));
            for ((sales, part), loads) in tallies.rival_sales.iter_mut().zip(parts.iter()).zip(depths) {
                sales[at] = part * sums.rivals + if depth > 0.0 { sums.loaded * loads / depth } else { 0.0 };
            }
            tallies.dark[at] = sums.dark;
            tallies.served[at] = sums.served;
            tallies.found[at] = sums.found;
            tallies.won[at] = sums.won;
            tallies.lost[at] = sums.lost;
            tallies.visits[at] = sums.visits;
            tallies.prospecting[at] = here.prospecting;
            for (contacts, sum) in tallies.contacts.iter_mut().zip(by_channel) {
                contacts[at] = *sum;
            }
        }
    }
}
