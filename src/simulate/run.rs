//! A run: the months one after the other, and within a month territory by territory.

use crate::channel::Channel;
use crate::lanes::Isa;
use crate::rng::RunKey;
use crate::units::Month as CalendarMonth;

use super::mechanisms::{demand, discovery, orders, reps, transition};
use super::recorder::{Columns, Recorder};
use super::step::{ChannelPlan, Here, Month, step};
use super::world::{Census, World};
use super::{Phase, Policy, Tallies, Twin};

/// The months that a run simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The first month simulated.
    pub first: CalendarMonth,
    /// Their number.
    pub months: usize,
    /// The month whose level the agents' sizes are (the history's last): growth counts from there, backwards too.
    pub level: CalendarMonth,
}

impl Horizon {
    /// The `months` after `history_end`.
    pub fn after(history_end: CalendarMonth, months: usize) -> Self {
        Self { first: history_end.plus(1), months, level: history_end }
    }
}

/// One run on the fastest instruction set, without looking at single customers. To run a twin more than once, keep a
/// [`World`].
pub fn run(twin: &Twin, policy: &Policy, horizon: Horizon, key: RunKey) -> Tallies {
    World::new(twin).run(policy, horizon, key, Isa::detect(), &mut ())
}

impl World {
    /// Runs the twin from its start under a policy. Pure and on one thread: the same arguments give the same bytes,
    /// whatever ran before in this world, on every instruction set.
    ///
    /// # Panics
    ///
    /// When the policy does not fit the twin (columns of another length, no phase from month 0) or the machine lacks `isa`:
    /// policies are compiled by the program, never read from a file.
    pub fn run<R: Recorder>(
        &mut self,
        policy: &Policy,
        horizon: Horizon,
        key: RunKey,
        isa: Isa,
        recorder: &mut R,
    ) -> Tallies {
        assert!(isa.runs_here(), "this machine lacks {}", isa.name());
        self.check(policy);
        self.now.copy_from_slice(&self.start);
        self.count(&policy.phases[0].visits.desired);
        if R::RECORDS {
            let blocks = self.territories.iter().map(|territory| territory.blocks.len()).max().unwrap_or(0);
            self.columns = Columns::with_blocks(blocks);
        }
        let mut tallies = Tallies::new(horizon.months, self.territories.len(), self.rivals());
        // Each rival's part of what does not come to us; one buffer for all months.
        let mut parts = Vec::with_capacity(self.rivals());
        for month in 0..horizon.months {
            if R::RECORDS {
                self.columns.clear_contacts();
            }
            let now =
                Now { policy, horizon, key, isa, month, phase: policy.phase(month), next: policy.phase(month + 1) };
            for j in 0..self.territories.len() {
                self.month::<R>(&now, j, &mut parts, &mut tallies);
                if R::RECORDS {
                    recorder.month(month, j, self.columns.seen(self.territories[j].agents.clone()));
                }
            }
        }
        tallies
    }

    /// One month of a territory: what is constant in it, the step, and the sums.
    fn month<R: Recorder>(&mut self, now: &Now<'_>, j: usize, parts: &mut Vec<f64>, tallies: &mut Tallies) {
        let place = &self.territories[j];
        let census = self.census[j];
        let Phase { visits, rival_push, .. } = now.phase;
        let effort = reps::effort(visits.meets_capacity[j], census.wanted, visits.capacity[j], visits.prospecting[j]);
        let rivals = orders::rivals(&place.rivals, rival_push.get(j).map_or(&[], Vec::as_slice), parts);
        let here = self.here(now, j, census, effort, rivals);

        let agents = place.agents.clone();
        let mut channels = [ChannelPlan { channel: Channel::FaceToFace, rates: &[] }; Channel::COUNT];
        for ((plan, &channel), rates) in channels.iter_mut().zip(&now.phase.channels).zip(&now.phase.contacts) {
            *plan = ChannelPlan { channel, rates: &rates[agents.clone()] };
        }
        let month = Month {
            parameters: &self.parameters,
            here,
            key: now.key,
            month: now.month as u32,
            desired: &visits.desired[agents.clone()],
            desired_next: &now.next.visits.desired[agents],
            channels: &channels[..now.phase.channels.len()],
            traits: &self.traits[place.blocks.clone()],
        };
        let state = &mut self.now[place.blocks.clone()];
        let columns = if R::RECORDS { Some(&mut self.columns) } else { None };
        let sums = step(now.isa, &month, state, columns);

        let unit = self.parameters.order_unit;
        let at = now.month * tallies.territories + j;
        tallies.own_sales[at] = unit * sums.own;
        tallies.total_demand[at] = unit * (sums.own + sums.rivals) + sums.loaded;
        let depths = now.phase.rival_loading.iter().map(|&depth| f64::from(depth));
        let depth: f64 = depths.clone().sum();
        let depths = depths.chain(std::iter::repeat(0.0));
        for ((sales, part), loads) in tallies.rival_sales.iter_mut().zip(parts.iter()).zip(depths) {
            sales[at] = part * unit * sums.rivals + if depth > 0.0 { sums.loaded * loads / depth } else { 0.0 };
        }
        tallies.dark[at] = sums.dark;
        tallies.served[at] = sums.served;
        tallies.found[at] = sums.found;
        tallies.won[at] = sums.won;
        tallies.lost[at] = sums.lost;
        tallies.visits[at] = sums.visits;
        tallies.prospecting[at] = effort.prospecting;
        for (contacts, sum) in tallies.contacts.iter_mut().zip(sums.contacts) {
            contacts[at] = sum;
        }
        self.census[j] = Census::of(&sums);
    }

    /// The month's constants of a territory.
    fn here(&self, now: &Now<'_>, j: usize, census: Census, effort: reps::Effort, rivals: f64) -> Here {
        let Self { parameters, territories, .. } = self;
        let Now { policy, horizon, key, phase, .. } = *now;
        let place = &territories[j];
        let calendar = horizon.first.plus(now.month as i32);
        let t = f64::from(calendar.since(horizon.level));
        let shock = demand::shock(parameters, key, place.hash, now.month as u32);
        let level = demand::level(parameters, calendar, t, shock, f64::from(phase.demand[j]));
        let find =
            discovery::hazard(&parameters.discovery, census.served_share(), effort.prospecting, place.dark_at_start);
        let lists = policy.list_purchases.iter().filter(|purchase| purchase.month == now.month);
        let listed = lists.fold(0.0, |listed, purchase| {
            discovery::either(listed, discovery::listed(purchase.usable[j], census.dark))
        });
        Here {
            level: level as f32,
            visit_factor: effort.factor as f32,
            own_push: phase.own_push,
            rivals: rivals as f32,
            loading: phase.rival_loading.iter().map(|&depth| f64::from(depth)).sum::<f64>() as f32,
            find: find as f32,
            listed: listed as f32,
            born: transition::birth_hazard(parameters.birth, census.living, census.unborn) as f32,
            churn: parameters.churn as f32,
            closes: -libm::expm1(-parameters.closure) as f32,
        }
    }

    /// A policy that does not fit would be read at the wrong places.
    fn check(&self, policy: &Policy) {
        let (agents, territories) = (self.agents, self.territories.len());
        assert!(policy.phases.first().is_some_and(|phase| phase.from == 0), "a policy's first phase begins in month 0");
        assert!(policy.phases.is_sorted_by(|one, next| one.from < next.from), "a policy's phases are in time order");
        for phase in &policy.phases {
            let visits = &phase.visits;
            assert_eq!(visits.desired.len(), agents, "desired visits, by agent");
            assert_eq!(visits.meets_capacity.len(), territories, "ways to meet capacity, by territory");
            assert_eq!(visits.capacity.len(), territories, "capacity, by territory");
            assert_eq!(visits.prospecting.len(), territories, "prospecting, by territory");
            assert_eq!(phase.demand.len(), territories, "demand, by territory");
            assert_eq!(phase.channels.len(), phase.contacts.len(), "contacts, by channel");
            assert!(phase.contacts.iter().all(|rates| rates.len() == agents), "contacts, by agent");
            let distinct = (1..phase.channels.len()).all(|k| !phase.channels[..k].contains(&phase.channels[k]));
            assert!(distinct && !phase.channels.contains(&Channel::FaceToFace), "further channels, each once");
            assert!(
                phase.rival_push.is_empty() || phase.rival_push.len() == territories,
                "rivals' pushes, by territory"
            );
        }
        assert!(
            policy.list_purchases.iter().all(|list| list.usable.len() == territories),
            "usable records, by territory"
        );
    }
}

/// A month of a run.
struct Now<'a> {
    policy: &'a Policy,
    horizon: Horizon,
    key: RunKey,
    isa: Isa,
    month: usize,
    phase: &'a Phase,
    /// The phase of the month after.
    next: &'a Phase,
}
