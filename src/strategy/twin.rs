//! One draw of parameters and dark half, placed as agents.
//!
//! Known customers come first in their territory, in id order, then the dark agents of the draw, then empty slots that
//! births may fill. For every known customer i, with w_i its category demand of the last 12 months and A_i its own rate,
//! both of the same draw:
//!
//! ```text
//! size_i   = w_i / 12 * exp(5.5 growth)                       (level of history_end from the mean of the year before it)
//! appeal_i = logit(A_i / size_i) - goodwill_i                 (so that month 0 reproduces the own rate)
//! ```
//!
//! A dark agent takes its attributes from a random known customer of its territory and its appeal from a random served
//! one there (of the whole market where the territory has fewer than [`ENOUGH_SERVED`]), less the draw's `selection`: who is won
//! later likes us less; of customers whom we know and do not serve a part of it (`selection_of_known`) is taken off. Its size is lognormal with the draw's coefficient of variation, and the sizes of a territory's
//! dark agents sum to the draw's dark demand.
//!
//! Discovery: the finds a month of the draw are spread over hazards so that month 0 reproduces them in expectation. With
//! `F` the finds of the market, `f` the share that prospecting brings, `P` prospecting calls and `N` dark customers today:
//! `prospecting_yield = F f / P`, `spontaneous = (F (1 - f) - referral finds) / N`, and a territory's own rate is carried by
//! the mean `visibility` of its dark agents; within a territory visibility grows with the root of size, since companies
//! find the large ones first.

use rand::RngExt as _;
use rand_distr::{Distribution, StandardNormal};

use super::accounts::Accounts;
use super::attributes::{self, Files, Handover, Model, Seats};
use super::{Today, rivals_ahead, rules};
use crate::calibrate::{Calibration, CustomerRates};
use crate::channel::Channel;
use crate::ids::{self, Index as _, TerritoryIx};
use crate::market::{AgentStage, AgentView, Bound, Market, SizePercentiles};
use crate::potential::{self, DarkHalf};
use crate::rng::Stream;
use crate::scenario::Scenario;
use crate::simulate::mechanisms::choice;
use crate::simulate::{Agents, Attributes, Horizon, Parameters, RivalsAhead, Stage, Territory, Twin};

/// Served customers that a territory needs for its own to stand for its dark half.
pub const ENOUGH_SERVED: usize = 8;

/// Log odds of a customer once won, in a market where nobody buys from us yet: (mean, sd). Nobody has measured it.
pub const APPEAL_PRIOR: (f64, f64) = (-1.5, 1.0);

/// A twin, and what its agents are.
#[derive(Debug, Clone)]
pub struct Placed {
    pub twin: Twin,
    /// By agent: the customer it is, or (for dark and unborn ones) was modelled on.
    pub customer: Vec<Option<u32>>,
    /// By agent: it is a row of `customers.csv`.
    pub known: Vec<bool>,
    /// By agent.
    pub territory: Vec<u32>,
    pub percentiles: SizePercentiles,
    /// Customers that change hands in the months ahead.
    pub handovers: Vec<Handover>,
    /// What rivals will do.
    pub rivals: RivalsAhead,
}

impl Placed {
    /// An agent as filters see it.
    pub fn view(&self, agent: usize) -> AgentView {
        AgentView {
            customer: self.customer[agent].map(|customer| customer as usize),
            territory: self.territory[agent] as usize,
            size: f64::from(self.twin.agents.size[agent]),
            stage: match self.twin.agents.stage[agent] {
                Stage::Served => AgentStage::Served,
                Stage::Lapsed | Stage::Gone => AgentStage::Lapsed,
                Stage::Identified => AgentStage::Identified,
                Stage::Dark | Stage::Unborn => AgentStage::Dark,
            },
        }
    }
}

/// Everything that the placing of a draw needs and that is the same for all draws.
#[derive(Debug)]
pub struct Placer<'a> {
    pub bound: &'a Bound,
    pub today: &'a Today,
    pub calibration: &'a Calibration,
    pub dark_half: &'a DarkHalf,
    pub seed: u64,
    pub horizon: usize,
    /// Mechanisms that the scenario switches off.
    pub off: Vec<String>,
    /// Some strategy's filter is judged anew each month.
    pub segments: bool,
    /// By territory: rivals' shares, see [`Territory::rivals`].
    pub rivals: Vec<Vec<f64>>,
    /// By customer: month position of the last order.
    pub last_order: Vec<Option<usize>>,
    /// By customer: closed.
    pub closed: Vec<bool>,
    /// By customer: bought from us in the last 12 months.
    pub served: Vec<bool>,
    pub seats: Seats,
    pub accounts: Accounts,
    /// Draws that runs cycle through.
    pub order: Vec<usize>,
}

impl<'a> Placer<'a> {
    /// Prepares placing.
    pub fn new(
        bound: &'a Bound,
        today: &'a Today,
        calibration: &'a Calibration,
        dark_half: &'a DarkHalf,
        scenario: &Scenario,
    ) -> Self {
        let market = &bound.market;
        Self {
            bound,
            today,
            calibration,
            dark_half,
            seed: scenario.seed,
            horizon: scenario.horizon as usize,
            off: {
                let mechanisms = scenario.mechanisms.iter();
                mechanisms.filter(|(_, settings)| settings.on == Some(false)).map(|(name, _)| name.clone()).collect()
            },
            segments: rules::has_rules(bound),
            rivals: (0..market.territory_count()).map(|j| rival_shares(market, j)).collect(),
            last_order: market.last_order(),
            closed: (0..market.customer_count()).map(|i| market.closed(i)).collect(),
            served: market.served(),
            seats: Seats::of(market, today),
            accounts: Accounts::of(market, market.unit_price).unwrap_or_default(),
            order: (0..calibration.draws.len().min(dark_half.dark_customers.len())).collect(),
        }
    }

    /// Number of draws to choose from.
    pub fn draws(&self) -> usize {
        self.calibration.draws.len().min(self.dark_half.dark_customers.len())
    }

    /// The draw of a run: runs cycle through them.
    pub fn draw_of(&self, run: u32) -> usize {
        self.order[run as usize % self.order.len()]
    }

    /// Places the agents of a run. Runs cycle through the draws; placing differs from run to run.
    pub fn place(&self, run: u32) -> Placed {
        let draw = self.draw_of(run);
        let mut stream = Stream::new(self.seed, "place", u64::from(run));
        let rates = self.calibration.customer_rates(&self.bound.market, draw, self.seed);
        let wallets = &self.dark_half.wallets[draw];
        let (mut parameters, rates) =
            potential::paired(&self.bound.market, self.calibration, draw, rates, &self.served, wallets)
                .unwrap_or_else(|| unreachable!("a draw below the number of draws"));
        self.switch_off(&mut parameters);
        let level = libm::exp(5.5 * parameters.growth) / 12.0;
        let mut placing = Placing { agents: Agents::default(), customer: vec![], known: vec![], territory: vec![] };
        let territories = self.bound.market.territory_count();
        let mut first_dark = vec![0; territories];
        let mut ranges = Vec::with_capacity(territories);
        let mut known_sizes = Vec::new();
        // Known customers' appeals come first: the dark ones of any territory may borrow them.
        let known = self.known_agents(draw, level, &rates, &mut stream);
        let market_appeals: Vec<f32> =
            known.iter().flatten().filter(|a| a.stage == Stage::Served).map(|a| a.appeal).collect();
        for j in 0..territories {
            let begin = placing.agents.len();
            for agent in &known[j] {
                known_sizes.push(f64::from(agent.size));
                placing.push(j, agent);
            }
            first_dark[j] = placing.agents.len();
            self.dark_agents(j, draw, level, &known[j], &market_appeals, &mut stream, &mut placing);
            let living = placing.agents.len() - begin;
            self.unborn(j, begin, living, parameters.birth, &known[j], &mut stream, &mut placing);
            ranges.push(begin..placing.agents.len());
        }
        let dark_count = |j: usize| {
            (first_dark[j]..ranges[j].end).filter(|&agent| placing.agents.stage[agent] == Stage::Dark).count() as f64
        };
        let dark: Vec<f64> = (0..territories).map(dark_count).collect();
        self.discovery(draw, &dark, &known, &mut parameters, |j, weight| {
            let range = first_dark[j]..ranges[j].end;
            let mean_root = {
                let roots = range.clone().map(|agent| root(placing.agents.size[agent]));
                roots.sum::<f64>() / range.len().max(1) as f64
            };
            for agent in range {
                placing.agents.visibility[agent] =
                    if mean_root > 0.0 { (weight * root(placing.agents.size[agent]) / mean_root) as f32 } else { 0.0 };
            }
        });
        if self.segments {
            parameters.more.segments.get_or_insert_default();
            behaviour(self.bound, &placing.customer, &placing.known, &mut placing.agents.more);
        }
        let ids = &self.bound.market.data.territories.ids;
        let territories = ranges
            .into_iter()
            .enumerate()
            .map(|(j, agents)| Territory {
                hash: ids::stable_hash(ids.name(TerritoryIx::from_usize(j))),
                agents,
                rivals: self.rivals[j].clone(),
                dark_at_start: dark[j],
                area_km2: self.bound.market.data.territories.area_km2[j].unwrap_or(0.0),
                reps: self.seats.calls[j].clone(),
            })
            .collect();
        let Placing { mut agents, customer, known, territory } = placing;
        let models = (0..agents.len()).map(|agent| Model {
            customer: customer[agent],
            known: known[agent],
            territory: territory[agent],
        });
        let files =
            Files { market: &self.bound.market, today: self.today, seats: &self.seats, accounts: &self.accounts };
        attributes::fill(&mut agents, &files, &parameters, models, &mut stream);
        let rivals = self.rivals_ahead(&parameters, run);
        Placed {
            twin: Twin { parameters, territories, agents },
            customer,
            known,
            territory,
            percentiles: SizePercentiles::of(known_sizes),
            handovers: self.seats.handovers.clone(),
            rivals,
        }
    }

    /// What rivals will do in a run.
    fn rivals_ahead(&self, parameters: &Parameters, run: u32) -> RivalsAhead {
        let market = &self.bound.market;
        let level = market.history.last;
        let months = rivals_ahead::DEMAND_MONTHS;
        let demand = parameters.path(Horizon { first: level.plus(2 - months as i32), months, level });
        let rivals = self.rivals.first().map_or(0, Vec::len);
        let mut stream = Stream::new(self.seed, "place/rivals", u64::from(run));
        let moves = &self.calibration.rival_moves;
        rivals_ahead::draw(moves, rivals, market.months(), self.horizon, &demand, &mut stream)
    }

    /// A mechanism that is switched off has its rates at zero.
    fn switch_off(&self, parameters: &mut Parameters) {
        for mechanism in &self.off {
            match mechanism.as_str() {
                "goodwill" => parameters.goodwill.effect = [0.0; Channel::COUNT],
                "feasts" => parameters.feasts = crate::calendar::Feasts::none(),
                "discovery" => parameters.discovery.referral = 0.0,
                "conversion" => parameters.conversion.hazard = 0.0,
                "churn" => parameters.churn = 0.0,
                "closure" => parameters.closure = 0.0,
                "birth" => parameters.birth = 0.0,
                _ => {}
            }
        }
    }

    fn is_off(&self, mechanism: &str) -> bool {
        self.off.iter().any(|off| off == mechanism)
    }

    fn known_agents(&self, draw: usize, level: f64, rates: &CustomerRates, stream: &mut Stream) -> Vec<Vec<Agent>> {
        let market = &self.bound.market;
        let selection = self.calibration.draws[draw].selection_of_known();
        let wallets = &self.dark_half.wallets[draw];
        let customers = &market.data.customers;
        let mut out: Vec<Vec<Agent>> = (0..market.territory_count())
            .map(|j| {
                market
                    .customers_of(j)
                    .filter(|&i| !self.closed[i] && wallets[i] > 0.0)
                    .map(|i| {
                        let (own, goodwill) = (rates.own[i], rates.goodwill[i]);
                        let size = (f64::from(wallets[i]) * level).max(f64::MIN_POSITIVE);
                        let stage = match (self.last_order[i], rates.active[i]) {
                            (None, _) => Stage::Identified,
                            (Some(_), true) => Stage::Served,
                            (Some(_), false) => Stage::Lapsed,
                        };
                        // A lapsed customer comes back on the terms of one won later.
                        let selection = if stage == Stage::Served { 0.0 } else { selection };
                        Agent {
                            hash: ids::stable_hash(customers.ids.name(crate::ids::CustomerIx::from_usize(i))),
                            customer: Some(i as u32),
                            known: true,
                            stage,
                            size: size as f32,
                            appeal: (choice::appeal(own / size, goodwill) - selection) as f32,
                            goodwill: goodwill as f32,
                            influence: self.influence(i),
                            consent: self.consent(i),
                        }
                    })
                    .collect()
            })
            .collect();
        // Identified customers have no sales to learn an appeal from: they borrow one like the dark do.
        let market_appeals: Vec<f32> =
            out.iter().flatten().filter(|agent| agent.stage == Stage::Served).map(|agent| agent.appeal).collect();
        for agents in &mut out {
            let here: Vec<f32> =
                agents.iter().filter(|agent| agent.stage == Stage::Served).map(|agent| agent.appeal).collect();
            for agent in agents.iter_mut().filter(|agent| agent.stage == Stage::Identified) {
                agent.appeal = borrowed_appeal(&here, &market_appeals, stream) - selection as f32;
            }
        }
        out
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `place`, split off for reading")]
    fn dark_agents(
        &self,
        j: usize,
        draw: usize,
        level: f64,
        known: &[Agent],
        market_appeals: &[f32],
        stream: &mut Stream,
        placing: &mut Placing,
    ) {
        let wanted = self.dark_half.dark_customers[draw][j];
        // A count between two whole numbers is rounded at random, so that the mean holds.
        let count = (wanted + stream.random::<f64>()).floor().max(0.0) as usize;
        if count == 0 {
            return;
        }
        let cv = self.dark_half.size_cv[draw];
        let sd = libm::sqrt(libm::log1p(cv * cv));
        let sizes: Vec<f64> = (0..count)
            .map(|_| {
                let z: f64 = StandardNormal.sample(stream);
                libm::exp(sd * z)
            })
            .collect();
        let scale = self.dark_half.dark_demand[draw][j] * level / sizes.iter().sum::<f64>();
        let selection = self.calibration.draws[draw].selection as f32;
        let here: Vec<f32> =
            known.iter().filter(|agent| agent.stage == Stage::Served).map(|agent| agent.appeal).collect();
        let hash = ids::stable_hash(self.bound.market.data.territory_id(j));
        for (slot, size) in sizes.into_iter().enumerate() {
            let donor = (!known.is_empty()).then(|| &known[stream.random_range(0..known.len())]);
            placing.push(
                j,
                &Agent {
                    hash: ids::slot_hash(hash, slot as u32),
                    customer: donor.and_then(|donor| donor.customer),
                    known: false,
                    stage: Stage::Dark,
                    size: (size * scale) as f32,
                    appeal: borrowed_appeal(&here, market_appeals, stream) - selection,
                    goodwill: 0.0,
                    influence: donor.map_or(1.0, |donor| donor.influence),
                    consent: donor.map_or(Self::no_consent(), |donor| donor.consent),
                },
            );
        }
    }

    /// Slots that births may fill over the horizon: new outlets are like the dark ones (or the known, without any).
    #[expect(clippy::too_many_arguments, reason = "one step of `place`, split off for reading")]
    fn unborn(
        &self,
        j: usize,
        begin: usize,
        living: usize,
        birth: f64,
        known: &[Agent],
        stream: &mut Stream,
        placing: &mut Placing,
    ) {
        let expected = birth * living as f64 * self.horizon as f64;
        let slots = (expected + 3.0 * libm::sqrt(expected)).ceil() as usize;
        let hash = ids::stable_hash(self.bound.market.data.territory_id(j));
        let dark = begin + known.len()..begin + living;
        for slot in 0..slots {
            let like = match (dark.is_empty(), living) {
                (false, _) => stream.random_range(dark.clone()),
                (true, 0) => return,
                (true, _) => begin + stream.random_range(0..living),
            };
            let mut agent = placing.agent(like);
            agent.hash = ids::slot_hash(hash, (1 << 24) + slot as u32);
            agent.known = false;
            agent.stage = Stage::Unborn;
            agent.goodwill = 0.0;
            placing.push(j, &agent);
        }
    }

    /// Sets the discovery hazards and hands each territory's mean visibility to `set`.
    fn discovery(
        &self,
        draw: usize,
        dark: &[f64],
        known: &[Vec<Agent>],
        parameters: &mut Parameters,
        mut set: impl FnMut(usize, f64),
    ) {
        let draw = &self.calibration.draws[draw];
        let calls: Vec<f64> =
            self.today.capacity.iter().zip(&self.today.prospecting).map(|(capacity, share)| capacity * share).collect();
        let (all_calls, all_dark) = (calls.iter().sum::<f64>(), dark.iter().sum::<f64>());
        let finds: f64 = if self.is_off("discovery") { 0.0 } else { draw.finds.iter().sum() };
        let by_prospecting = if all_calls > 0.0 { draw.finds_by_prospecting } else { 0.0 };
        parameters.discovery.prospecting_yield = if self.is_off("discovery") {
            0.0
        } else if all_calls > 0.0 {
            finds * by_prospecting / all_calls
        } else {
            draw.prior_yield()
        };
        // Influence averages about 1, so the weighted served share is close to the plain one.
        let served = |j: usize| {
            let count = known[j].iter().filter(|agent| agent.stage == Stage::Served).count() as f64;
            let universe = known[j].len() as f64 + dark[j];
            if universe > 0.0 { count / universe } else { 0.0 }
        };
        let referral = |j: usize| parameters.discovery.referral * served(j);
        let by_referral: f64 = (0..dark.len()).map(|j| referral(j) * dark[j]).sum();
        let spontaneous =
            if all_dark > 0.0 { ((finds * (1.0 - by_prospecting) - by_referral) / all_dark).max(0.0) } else { 0.0 };
        for j in 0..dark.len() {
            let expected = dark[j] * (spontaneous + referral(j)) + parameters.discovery.prospecting_yield * calls[j];
            let weight = if expected > 0.0 { (draw.finds[j] / expected).clamp(0.05, 20.0) } else { 1.0 };
            set(j, weight);
        }
        parameters.discovery.spontaneous = spontaneous;
    }

    fn influence(&self, customer: usize) -> f32 {
        // 0..1 in the file; 0.5 where nothing is said, so that the mean weight is about 1.
        (2.0 * self.bound.market.data.customers.influence[customer].unwrap_or(0.5)) as f32
    }

    fn consent(&self, customer: usize) -> u8 {
        let customers = &self.bound.market.data.customers;
        customers.consent.as_ref().map_or(Self::no_consent(), |column| column[customer])
    }

    /// Only the channels that need no consent.
    fn no_consent() -> u8 {
        let free = Channel::ALL.into_iter().filter(|channel| !channel.needs_consent());
        free.fold(0, |bits, channel| bits | 1 << channel.index())
    }
}

/// What filters need to know of how customers have behaved; dark ones have never ordered.
pub(super) fn behaviour(bound: &Bound, customer: &[Option<u32>], known: &[bool], more: &mut Attributes) {
    let Bound { market, attributes, .. } = bound;
    let of = |value: &dyn Fn(usize) -> Option<f64>, lacking: f32| -> Vec<f32> {
        let values = customer.iter().map(|customer| customer.and_then(|customer| value(customer as usize)));
        values.map(|value| value.map_or(lacking, |value| value as f32)).collect()
    };
    more.recent = of(&|customer| Some(attributes.own_sales[customer] / 12.0), 0.0);
    more.silent = of(&|customer| attributes.recency[customer], 0.0);
    for agent in (0..known.len()).filter(|&agent| !known[agent]) {
        (more.recent[agent], more.silent[agent]) = (0.0, 0.0);
    }
    let affinity = &market.data.customers.affinity;
    if affinity.iter().any(Option::is_some) {
        more.affinity = of(&|customer| affinity[customer], f32::INFINITY);
    }
}

/// Large customers are found first: the chance goes with the root of size (an assumption).
fn root(size: f32) -> f64 {
    f64::from(size).sqrt()
}

fn borrowed_appeal(here: &[f32], market: &[f32], stream: &mut Stream) -> f32 {
    let lenders = if here.len() >= ENOUGH_SERVED { here } else { market };
    if lenders.is_empty() {
        let z: f64 = StandardNormal.sample(stream);
        return (APPEAL_PRIOR.0 + APPEAL_PRIOR.1 * z) as f32;
    }
    lenders[stream.random_range(0..lenders.len())]
}

/// Rivals' shares of what does not come to us: the panel's last 12 months of the territory, else of the market, else
/// equal shares. A market that names no rival has one, "all others".
fn rival_shares(market: &Market, territory: usize) -> Vec<f64> {
    let rivals = market.data.companies.ids.len().saturating_sub(1).max(1);
    let year = market.last_year();
    let shares = |series: &Vec<Vec<f64>>| -> Option<Vec<f64>> {
        let sums: Vec<f64> =
            series.iter().skip(1).map(|months| months[year.clone()].iter().sum::<f64>().max(0.0)).collect();
        let total: f64 = sums.iter().sum();
        (total > 0.0).then(|| sums.iter().map(|sum| sum / total).collect())
    };
    let panel = market.panel.as_ref();
    panel
        .and_then(|panel| shares(&panel.company[territory]).or_else(|| shares(&panel.market_company)))
        .unwrap_or_else(|| vec![1.0 / rivals as f64; rivals])
}

/// One agent, row-wise, while it is being placed.
#[derive(Debug, Clone)]
struct Agent {
    hash: u64,
    customer: Option<u32>,
    known: bool,
    stage: Stage,
    size: f32,
    appeal: f32,
    goodwill: f32,
    influence: f32,
    consent: u8,
}

struct Placing {
    agents: Agents,
    customer: Vec<Option<u32>>,
    known: Vec<bool>,
    territory: Vec<u32>,
}

impl Placing {
    fn push(&mut self, territory: usize, agent: &Agent) {
        self.agents.hash.push(agent.hash);
        self.agents.stage.push(agent.stage);
        self.agents.size.push(agent.size);
        self.agents.appeal.push(agent.appeal);
        self.agents.goodwill.push(agent.goodwill);
        self.agents.influence.push(agent.influence);
        self.agents.visibility.push(1.0);
        self.agents.consent.push(agent.consent);
        self.customer.push(agent.customer);
        self.known.push(agent.known);
        self.territory.push(territory as u32);
    }

    fn agent(&self, index: usize) -> Agent {
        Agent {
            hash: self.agents.hash[index],
            customer: self.customer[index],
            known: self.known[index],
            stage: self.agents.stage[index],
            size: self.agents.size[index],
            appeal: self.agents.appeal[index],
            goodwill: self.agents.goodwill[index],
            influence: self.agents.influence[index],
            consent: self.agents.consent[index],
        }
    }
}
