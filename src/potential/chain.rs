//! One Markov chain on the fusion model.
//!
//! A sweep visits every territory (random walks on alpha, beta and psi), pairs the territories that share the market's
//! rest and moves demand between the two of a pair (their sum stays, so the market total is exact), draws the three regressions
//! from their conditional normals, and moves the shared parameters non-centred: the territories keep their standardised
//! effects while the regressions move under them. Centred and non-centred moves together mix whether territories say much
//! or little (interweaving, Yu & Meng 2011). The regressions, the sizes and the lists have files of their own below this one. Steps
//! adapt in the warm-up only.

use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, StandardNormal};

use nalgebra::{DMatrix, DVector};

use super::captures::{self, CaptureParameters};
use super::model::{COVERAGE, Demand, Model, SIZE, SizeParameters, SizeTerms, UNIVERSE};
use super::numeric::{fast_log, log_add, log_logistic};
use crate::rng::Stream;

mod list_moves;
mod regression_moves;
mod size_moves;

/// Coefficients of a regression and the log deviation around it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Regression {
    pub coefficients: Vec<f64>,
    pub log_sd: f64,
    /// Log deviation of the slopes of covariates.
    pub log_slope_sd: f64,
}

/// A point of the chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub regressions: [Regression; 3],
    pub size: SizeParameters,
    pub captures: CaptureParameters,
    pub alpha: Vec<f64>,
    pub beta: Vec<f64>,
    pub psi: Vec<f64>,
    /// Log demand, read where it is a share of the rest.
    pub log_total: Vec<f64>,
    /// Log of the part of the dark that no list names.
    pub log_rho: Vec<f64>,
}

/// How long a chain runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    pub warm_up: usize,
    /// Sweeps after the warm-up.
    pub sweeps: usize,
    /// States kept, evenly spread over those sweeps.
    pub kept: usize,
}

/// A step size that finds its acceptance rate by stochastic approximation (Robbins & Monro 1951).
#[derive(Debug, Clone, Copy)]
struct Step {
    log: f64,
    target: f64,
}

impl Step {
    fn new(size: f64, target: f64) -> Self {
        Self { log: libm::log(size), target }
    }

    fn size(self) -> f64 {
        libm::exp(self.log)
    }

    fn learn(&mut self, accepted: bool, gain: f64) {
        self.log = (self.log + gain * (f64::from(u8::from(accepted)) - self.target)).clamp(-12.0, 3.0);
    }
}

/// Mean and covariance of the size block over the warm-up.
struct Learnt {
    count: f64,
    mean: DVector<f64>,
    scatter: DMatrix<f64>,
    factor: Option<DMatrix<f64>>,
}

impl Learnt {
    fn new(width: usize) -> Self {
        Self { count: 0.0, mean: DVector::zeros(width), scatter: DMatrix::zeros(width, width), factor: None }
    }

    fn add(&mut self, x: &[f64]) {
        let x = DVector::from_column_slice(x);
        self.count += 1.0;
        let before = &x - &self.mean;
        self.mean += &before / self.count;
        let after = &x - &self.mean;
        self.scatter += before * after.transpose();
    }

    fn refresh(&mut self) {
        if self.count < 20.0 {
            return;
        }
        let mut covariance = &self.scatter / (self.count - 1.0);
        for d in 0..covariance.nrows() {
            covariance[(d, d)] += 1e-8;
        }
        self.factor = covariance.cholesky().map(|factor| factor.l());
    }
}

pub(super) struct Chain<'a> {
    model: &'a Model,
    rng: Stream,
    state: State,
    /// Regression means by regression and territory.
    means: [Vec<f64>; 3],
    terms: SizeTerms,
    demand: Vec<f64>,
    captures: Vec<f64>,
    /// Steps of alpha, beta, psi, of the two together, and of list effects, by territory.
    local: Vec<[Step; 5]>,
    pair: Step,
    shift: Step,
    single: Vec<Step>,
    joint: Step,
    /// As `single` and `joint`, with the expected totals of territories kept.
    steady: Vec<Step>,
    steady_joint: Step,
    /// How many of those a sweep makes.
    steady_moves: usize,
    /// Non-centred steps of each regression: coefficients, then log deviation.
    regression: [Vec<Step>; 3],
    list: Vec<[Step; 2]>,
    spread: Step,
    learnt: Learnt,
    gain: f64,
}

fn normal(rng: &mut Stream) -> f64 {
    StandardNormal.sample(rng)
}

/// Log of the universe and logit of coverage from the two log rates.
fn universe_and_coverage(alpha: f64, beta: f64) -> (f64, f64) {
    (log_add(alpha, beta), alpha - beta)
}

impl<'a> Chain<'a> {
    /// Starts near the centre of the prior, spread out so that chains that agree have truly met.
    pub(super) fn new(model: &'a Model, mut rng: Stream) -> Self {
        let count = model.places.len();
        let width = model.regressions[0].width();
        let mut draw = |mean: f64, sd: f64| mean + 0.7 * sd * normal(&mut rng);
        let regressions: [Regression; 3] = std::array::from_fn(|r| {
            let prior = &model.regressions[r];
            let log_slope_sd = draw(prior.log_slope_sd.mean, prior.log_slope_sd.sd);
            let coefficients = (0..width).map(|d| prior.coefficient(d, log_slope_sd)).map(|p| draw(p.mean, p.sd));
            Regression {
                coefficients: coefficients.collect(),
                log_sd: draw(prior.log_sd.mean, prior.log_sd.sd),
                log_slope_sd,
            }
        });
        let size = SizeParameters {
            kappa: draw(model.sizes.kappa.mean, model.sizes.kappa.sd).clamp(0.01, 0.99 * model.sums.limit()),
            log_tau: draw(model.sizes.log_tau.mean, model.sizes.log_tau.sd),
            log_ratio: draw(model.sizes.log_ratio.mean, model.sizes.log_ratio.sd),
            log_variation: draw(model.sizes.log_variation.mean, model.sizes.log_variation.sd),
            logit_crowding: model.sizes.logit_crowding.map_or(f64::NEG_INFINITY, |p| draw(p.mean, p.sd)),
        };
        let captures = model.captures.as_ref().map(captures::CaptureData::start).unwrap_or_default();
        let mut alpha = Vec::with_capacity(count);
        let mut beta = Vec::with_capacity(count);
        let mut psi = Vec::with_capacity(count);
        for place in &model.places {
            let mean = |r: usize| -> f64 { place.x.iter().zip(&regressions[r].coefficients).map(|(x, b)| x * b).sum() };
            let (theta, phi) = (mean(UNIVERSE), mean(COVERAGE));
            let known = (place.open_known + 0.3) / (libm::exp(theta + log_logistic(phi)) + 0.3);
            alpha.push(theta + log_logistic(phi) + libm::log(known));
            beta.push(place.audited_dark.map_or(theta + log_logistic(-phi), |dark| libm::log(dark + 0.3)));
            psi.push(mean(SIZE));
        }
        let mut log_total = vec![0.0; count];
        if let Some(rest) = model.rest {
            // In proportion to the universe, and never below our own sales.
            let own: f64 = model.sharing.iter().map(|&j| libm::exp(model.places[j].floors.known)).sum();
            let weight = |j: usize| libm::exp(log_add(alpha[j], beta[j]));
            let all: f64 = model.sharing.iter().map(|&j| weight(j)).sum();
            for &j in &model.sharing {
                let free = (rest - own) * weight(j) / all;
                log_total[j] = libm::log(libm::exp(model.places[j].floors.known) + free);
            }
        }
        let block = width + model.sizes.width();
        let steps = |rates: &f64| 1.0 / (rates + 1.0).sqrt();
        let local = model
            .places
            .iter()
            .map(|place| {
                let dark = place.audited_dark.map_or(0.5, |dark| steps(&dark));
                [
                    Step::new(steps(&place.open_known), 0.44),
                    Step::new(dark, 0.44),
                    Step::new(0.3, 0.44),
                    Step::new(0.4, 0.35),
                    Step::new(0.3, 0.44),
                ]
            })
            .collect();
        let lists = model.captures.as_ref().map_or(0, |captures| captures.lists);
        let mut chain = Self {
            model,
            rng,
            means: std::array::from_fn(|_| vec![0.0; count]),
            terms: SizeTerms::default(),
            demand: vec![0.0; count],
            captures: vec![0.0; count],
            local,
            pair: Step::new(0.5, 0.35),
            shift: Step::new(0.2, 0.4),
            single: vec![Step::new(0.2, 0.44); block],
            joint: Step::new(0.6, 0.28),
            steady: vec![Step::new(0.4, 0.44); model.sizes.width()],
            steady_joint: Step::new(1.0, 0.28),
            steady_moves: size_moves::STEADY_MOVES,
            regression: std::array::from_fn(|_| vec![Step::new(0.1, 0.44); width + 1]),
            list: vec![[Step::new(0.2, 0.44); 2]; lists],
            spread: Step::new(0.2, 0.44),
            learnt: Learnt::new(block),
            gain: 0.0,
            state: State { regressions, size, captures, alpha, beta, psi, log_total, log_rho: vec![0.0; count] },
        };
        chain.terms.write(model, &chain.state.size);
        for r in 0..3 {
            chain.means[r] = chain.regression_means(&chain.state.regressions[r].coefficients);
        }
        for j in 0..count {
            (chain.captures[j], chain.state.log_rho[j]) =
                chain.capture_terms(j, chain.state.alpha[j], chain.state.beta[j]);
            let State { alpha, beta, psi, log_rho, .. } = &chain.state;
            chain.demand[j] = chain.demand_term(j, alpha[j], beta[j], psi[j], log_rho[j]);
        }
        chain
    }

    /// Runs and gives the states kept; `progress` gets the part done, 0 to 1.
    pub(super) fn run(&mut self, length: Length, progress: &dyn Fn(f64)) -> Vec<State> {
        let all = length.warm_up + length.sweeps;
        let mut kept = Vec::with_capacity(length.kept);
        for sweep in 0..all {
            let warming = sweep < length.warm_up;
            self.gain = if warming { 1.0 / (1.0 + sweep as f64).sqrt().min(12.0) } else { 0.0 };
            self.sweep();
            if warming && sweep > length.warm_up / 5 {
                let block = self.size_block();
                self.learnt.add(&block);
                if sweep % 25 == 0 {
                    self.learnt.refresh();
                }
                // What the chain saw before it had settled is forgotten once.
                if sweep == length.warm_up / 2 {
                    let factor = self.learnt.factor.take();
                    self.learnt = Learnt { factor, ..Learnt::new(block.len()) };
                }
            }
            if !warming {
                let done = sweep - length.warm_up + 1;
                if kept.len() < length.kept && done * length.kept >= (kept.len() + 1) * length.sweeps {
                    kept.push(self.state.clone());
                }
            }
            if sweep % 20 == 0 || sweep + 1 == all {
                progress((sweep + 1) as f64 / all as f64);
            }
        }
        kept
    }

    fn sweep(&mut self) {
        for j in 0..self.model.places.len() {
            self.territory(j);
        }
        self.pairs();
        for r in 0..3 {
            self.conditional_regression(r);
        }
        self.single_size();
        for _ in 0..5 {
            self.joint_size();
        }
        for _ in 0..self.steady_moves {
            self.steady_size();
        }
        for r in regression_moves::NON_CENTRED {
            self.non_centred(r);
        }
        self.shift_dark();
        if self.model.captures.is_some() {
            self.lists();
        }
    }

    fn accept(&mut self, log_ratio: f64) -> bool {
        log_ratio.is_finite() && fast_log(self.rng.random::<f64>().max(1e-300)) < log_ratio
    }

    fn regression_means(&self, coefficients: &[f64]) -> Vec<f64> {
        let mean = |x: &[f64]| x.iter().zip(coefficients).map(|(x, b)| x * b).sum();
        self.model.places.iter().map(|place| mean(&place.x)).collect()
    }

    /// Log density of counts of known and audited dark.
    fn counts(&self, j: usize, alpha: f64, beta: f64) -> f64 {
        let place = &self.model.places[j];
        let known = place.open_known * alpha - libm::exp(alpha);
        let listed = self.model.captures.as_ref().is_some_and(|c| c.own.is_some() && c.counts[j].is_some());
        match place.audited_dark {
            Some(dark) if !listed => known + dark * beta - libm::exp(beta),
            _ => known,
        }
    }

    fn capture_terms(&self, j: usize, alpha: f64, beta: f64) -> (f64, f64) {
        self.captures_with(j, &self.state.captures, alpha, beta)
    }

    fn captures_with(&self, j: usize, parameters: &CaptureParameters, alpha: f64, beta: f64) -> (f64, f64) {
        self.model.captures.as_ref().map_or((0.0, 0.0), |captures| {
            captures.log_likelihood(j, parameters, alpha, beta, self.model.places[j].audited_dark)
        })
    }

    fn demand_term(&self, j: usize, alpha: f64, beta: f64, psi: f64, log_rho: f64) -> f64 {
        self.demand_at(j, alpha, beta, psi, log_rho, self.state.log_total[j])
    }

    fn demand_at(&self, j: usize, alpha: f64, beta: f64, psi: f64, log_rho: f64, log_total: f64) -> f64 {
        let level = self.terms.level(&self.model.places[j], alpha, beta, psi);
        self.model.demand(j, &self.terms, beta, level, log_rho, log_total)
    }

    /// Log density of the universe and coverage effects.
    fn effects(&self, j: usize, alpha: f64, beta: f64) -> f64 {
        let (theta, phi) = universe_and_coverage(alpha, beta);
        let z = |r: usize, x: f64| (x - self.means[r][j]) * libm::exp(-self.state.regressions[r].log_sd);
        let (u, a) = (z(UNIVERSE, theta), z(COVERAGE, phi));
        -0.5 * (u * u + a * a)
    }

    fn territory(&mut self, j: usize) {
        let gain = self.gain;
        // alpha: counts of the known.
        let (alpha, beta) = (self.state.alpha[j], self.state.beta[j]);
        let proposal = alpha + self.local[j][0].size() * normal(&mut self.rng);
        self.rates(j, 0, proposal, beta, self.state.psi[j]);
        // beta: the dark.
        let alpha = self.state.alpha[j];
        let proposal = beta + self.local[j][1].size() * normal(&mut self.rng);
        self.rates(j, 1, alpha, proposal, self.state.psi[j]);
        // beta against psi: many small or few large.
        if self.model.places[j].audited_dark.is_none() && self.model.places[j].demand != Demand::Unknown {
            let step = self.local[j][3].size() * normal(&mut self.rng);
            let (beta, psi) = (self.state.beta[j] + step, self.state.psi[j] - 0.5 * step);
            self.rates(j, 3, alpha, beta, psi);
        }
        // psi: sizes.
        let (alpha, psi) = (self.state.alpha[j], self.state.psi[j]);
        let proposal = psi + self.local[j][2].size() * normal(&mut self.rng);
        let sd = libm::exp(self.state.regressions[SIZE].log_sd);
        let z = |psi: f64| (psi - self.means[SIZE][j]) / sd;
        let demand = self.demand_term(j, alpha, self.state.beta[j], proposal, self.state.log_rho[j]);
        let ratio = demand - self.demand[j] + 0.5 * (z(psi) * z(psi) - z(proposal) * z(proposal));
        let accepted = self.accept(ratio);
        if accepted {
            self.state.psi[j] = proposal;
            self.demand[j] = demand;
        }
        self.local[j][2].learn(accepted, gain);
    }

    /// A territory's log rates and size level from an accepted move, with its terms there.
    fn moved_to(&mut self, j: usize, (alpha, beta, psi): (f64, f64, f64), terms: (f64, f64, f64)) {
        self.state.alpha[j] = alpha;
        self.state.beta[j] = beta;
        self.state.psi[j] = psi;
        self.terms_are(j, terms);
    }

    /// A territory's log density of the lists, log part of the dark that no list names, and log density of its demand.
    fn terms_are(&mut self, j: usize, (captures, log_rho, demand): (f64, f64, f64)) {
        self.captures[j] = captures;
        self.state.log_rho[j] = log_rho;
        self.demand[j] = demand;
    }

    /// Moves the two log rates and the size level of a territory.
    fn rates(&mut self, j: usize, step: usize, alpha: f64, beta: f64, psi: f64) {
        let (alpha_now, beta_now, psi_now) = (self.state.alpha[j], self.state.beta[j], self.state.psi[j]);
        let mut ratio = self.effects(j, alpha, beta) - self.effects(j, alpha_now, beta_now);
        ratio += self.counts(j, alpha, beta) - self.counts(j, alpha_now, beta_now);
        if psi != psi_now {
            let sd = libm::exp(self.state.regressions[SIZE].log_sd);
            let z = |psi: f64| (psi - self.means[SIZE][j]) / sd;
            ratio += 0.5 * (z(psi_now) * z(psi_now) - z(psi) * z(psi));
        }
        let (captures, log_rho) = self.capture_terms(j, alpha, beta);
        ratio += captures - self.captures[j];
        // Without crowding a move of alpha alone leaves the demand as it is.
        let touched = beta != beta_now
            || psi != psi_now
            || log_rho != self.state.log_rho[j]
            || (alpha != alpha_now && self.terms.crowding > 0.0);
        let demand = if touched { self.demand_term(j, alpha, beta, psi, log_rho) } else { self.demand[j] };
        ratio += demand - self.demand[j];
        let accepted = self.accept(ratio);
        if accepted {
            self.moved_to(j, (alpha, beta, psi), (captures, log_rho, demand));
        }
        self.local[j][step].learn(accepted, self.gain);
    }

    /// Moves demand between the two of a pair; their sum stays.
    fn pairs(&mut self) {
        let count = self.model.sharing.len();
        if count < 2 {
            return;
        }
        let mut order = self.model.sharing.clone();
        for last in (1..count).rev() {
            let other = (self.rng.next_u64() % (last as u64 + 1)) as usize;
            order.swap(last, other);
        }
        for k in 0..count {
            let (i, j) = (order[k], order[(k + 1) % count]);
            let sum = log_add(self.state.log_total[i], self.state.log_total[j]);
            let logit = self.state.log_total[i] - self.state.log_total[j];
            let proposal = logit + self.pair.size() * normal(&mut self.rng);
            let (first, second) = (sum + log_logistic(proposal), sum + log_logistic(-proposal));
            if first < self.model.places[i].floors.known || second < self.model.places[j].floors.known {
                self.pair.learn(false, self.gain * 0.3);
                continue;
            }
            let at = |chain: &Self, j: usize, log_total: f64| {
                let state = &chain.state;
                chain.demand_at(j, state.alpha[j], state.beta[j], state.psi[j], state.log_rho[j], log_total)
            };
            let (one, two) = (at(self, i, first), at(self, j, second));
            // Densities per unit of log T carry the Jacobian of the logit already.
            let accepted = self.accept(one + two - self.demand[i] - self.demand[j]);
            if accepted {
                (self.state.log_total[i], self.state.log_total[j]) = (first, second);
                (self.demand[i], self.demand[j]) = (one, two);
            }
            self.pair.learn(accepted, self.gain * 0.3);
        }
    }

    /// Moves all dark rates that no audit fixes, with coverage and universe following, and R with them or not: the ridge
    /// along which number and size trade off.
    fn shift_dark(&mut self) {
        let step = self.shift.size() * normal(&mut self.rng);
        let with_ratio = self.rng.random::<f64>() < 0.5;
        let count = self.model.places.len();
        let free: Vec<bool> = self.model.places.iter().map(|place| place.audited_dark.is_none()).collect();
        let freed = free.iter().filter(|&&free| free).count();
        if freed == 0 {
            return;
        }
        let mut universe = 0.0;
        for j in (0..count).filter(|&j| free[j]) {
            let (alpha, beta) = (self.state.alpha[j], self.state.beta[j]);
            universe += log_add(alpha, beta + step) - log_add(alpha, beta);
        }
        // Volume is kept: each intercept moves by a function of the rates, each rate by a constant.
        let shifts = [universe / count as f64, -step * freed as f64 / count as f64];
        let mut ratio = 0.0;
        for (r, shift) in shifts.into_iter().enumerate() {
            let prior = self.model.regressions[r].coefficients[0];
            let now = self.state.regressions[r].coefficients[0];
            ratio += prior.log_density(now + shift) - prior.log_density(now);
        }
        let mut size = self.state.size;
        if with_ratio {
            size.log_ratio += step;
            let prior = self.model.sizes.log_ratio;
            ratio += prior.log_density(size.log_ratio) - prior.log_density(size.log_ratio - step);
        }
        let effects_now: f64 = (0..count).map(|j| self.effects(j, self.state.alpha[j], self.state.beta[j])).sum();
        let mut terms = self.terms.clone();
        terms.write(self.model, &size);
        std::mem::swap(&mut terms, &mut self.terms);
        for (r, shift) in shifts.into_iter().enumerate() {
            self.means[r].iter_mut().for_each(|mean| *mean += shift);
        }
        let mut moved = Vec::with_capacity(count);
        for (j, &free) in free.iter().enumerate() {
            let (alpha, now) = (self.state.alpha[j], self.state.beta[j]);
            let beta = if free { now + step } else { now };
            let (captures, log_rho) = self.capture_terms(j, alpha, beta);
            let demand = self.demand_term(j, alpha, beta, self.state.psi[j], log_rho);
            ratio += self.effects(j, alpha, beta) + captures - self.captures[j] + demand - self.demand[j];
            moved.push((beta, captures, log_rho, demand));
        }
        ratio -= effects_now;
        let accepted = self.accept(ratio);
        if accepted {
            self.state.size = size;
            for (r, shift) in shifts.into_iter().enumerate() {
                self.state.regressions[r].coefficients[0] += shift;
            }
            for (j, (beta, captures, log_rho, demand)) in moved.into_iter().enumerate() {
                self.state.beta[j] = beta;
                self.terms_are(j, (captures, log_rho, demand));
            }
        } else {
            std::mem::swap(&mut terms, &mut self.terms);
            for (r, shift) in shifts.into_iter().enumerate() {
                self.means[r].iter_mut().for_each(|mean| *mean -= shift);
            }
        }
        self.shift.learn(accepted, self.gain);
    }
}
