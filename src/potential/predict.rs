//! From a state of the chain to the realised 12 months: counts, demand and the wallet of every known customer.
//!
//! Known customers are open or not by their own probability (served ones are open); the demand of a territory splits into known and
//! dark as the model says; the number of dark customers is drawn given their demand; the known demand is shared out over
//! the open known (`wallets.rs`). Totals add up by construction.

use rand::RngExt as _;
use rand_distr::{Distribution as _, Poisson, StandardNormal};

use super::activity::LEVELS;
use super::chain::State;
use super::model::{Model, SizeTerms};
use super::numeric::{Floors, LogNormal, fast_exp, log_normal_density};
use super::observed::Observed;
use super::sizes::KnownSizes;
use super::wallets::{KnownColumns, OpenSizes, SizesOfDraw, share_out};
use crate::lanes::Isa;
use crate::rng::Stream;

/// One predictive draw; vectors by territory, `wallets` by customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Prediction {
    pub dark_customers: Vec<f64>,
    pub dark_demand: Vec<f64>,
    pub served_demand: Vec<f64>,
    pub identified_demand: Vec<f64>,
    pub identified_customers: Vec<f64>,
    pub wallets: Vec<f32>,
}

/// What a prediction reads beside the state.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub observed: &'a Observed,
    pub known: &'a KnownColumns,
    pub sizes: &'a KnownSizes,
    pub model: &'a Model,
    pub isa: Isa,
    /// False where nothing speaks of a dark half: then there is none in the draws.
    pub dark: bool,
}

pub(super) fn predict(source: Source<'_>, state: &State, rng: &mut Stream) -> Prediction {
    let Source { observed, known: columns, sizes, model, isa, dark } = source;
    let mut terms = SizeTerms::default();
    terms.write(model, &state.size);
    let tau = libm::exp(state.size.log_tau);
    let count = observed.territories.len();
    // How often customers close without a mark is the same everywhere in a draw.
    let closing = rng.random_range(0..LEVELS);
    let taste = columns.taste_deviation(StandardNormal.sample(rng));
    let unserved: f64 = StandardNormal.sample(rng);
    let sizes_of_draw = SizesOfDraw { sizes, kappa: state.size.kappa, tau, unserved: sizes.unserved_sd * unserved };
    let mut open_sizes = OpenSizes::default();
    let mut out = Prediction { wallets: vec![0.0; observed.customers.len()], ..Default::default() };
    for j in 0..count {
        let territory = &observed.territories[j];
        let place = &model.places[j];
        let mut open: Vec<usize> = territory
            .customers
            .clone()
            .filter(|&i| {
                let open = columns.open[i][closing];
                open >= 1.0 || rng.random::<f32>() < open
            })
            .collect();
        let own: f64 = open.iter().map(|&i| columns.own[i]).sum();
        let level = terms.level(place, state.alpha[j], state.beta[j], state.psi[j]);
        open_sizes.write(&open, columns, sizes_of_draw, isa);
        let known = open_sizes.together(level);
        let free = libm::exp(state.beta[j] + state.log_rho[j]);
        let listed = model.captures.as_ref().map_or(0.0, |captures| captures.listed_dark[j]);
        let audited = territory.outlets.map(|outlets| (outlets - open.len() as f64).round().max(0.0));
        let (number, known_amount, dark_amount) = match place.demand.log_total(state.log_total[j]) {
            Some(log_total) => {
                let (number, share) =
                    split(model, &terms, level, log_total, known, place.floors, audited, listed, free, rng);
                let total = libm::exp(log_total);
                // An audit that finds nobody dark outweighs a panel that sees a little of us beyond our files.
                let indirect = if number > 0.0 { observed.indirect(j) } else { 0.0 };
                let most = (total - indirect).max(own);
                let known_amount = if open.is_empty() { 0.0 } else { (total * (1.0 - share)).clamp(own, most) };
                (number, known_amount, (total - known_amount).max(0.0))
            }
            None => {
                let number = if dark { audited.unwrap_or_else(|| listed + poisson(free, rng)) } else { 0.0 };
                let size = |lognormal: LogNormal, rng: &mut Stream| {
                    let z: f64 = StandardNormal.sample(rng);
                    libm::exp(lognormal.mean + lognormal.sd * z)
                };
                let known_amount = known.map_or(0.0, |known| {
                    // Above our own sales: a few tries, then the least that is possible and a little more.
                    let tried = (0..20).map(|_| size(known, rng)).find(|&amount| amount >= own);
                    tried.unwrap_or(own * 1.02)
                });
                let dark_amount = if number > 0.0 { size(terms.dark_of(level, number), rng) } else { 0.0 };
                (number, known_amount, dark_amount)
            }
        };
        if known_amount <= 0.0 {
            open.clear();
        }
        share_out(&open, &mut open_sizes, known_amount, taste, isa, rng, &mut out.wallets);
        let lapsed = open.iter().filter(|&&i| !columns.served[i]);
        let identified: f64 = lapsed.map(|&i| f64::from(out.wallets[i])).sum::<f64>().min(known_amount);
        // Wallets are single precision; the sums are not: what the rounding leaves is the served customers' (or, where
        // nobody is served, the others').
        let any_served = open.iter().any(|&i| columns.served[i]);
        let (served, identified) =
            if any_served { (known_amount - identified, identified) } else { (0.0, known_amount) };
        out.served_demand.push(served);
        out.identified_demand.push(identified);
        out.identified_customers.push(open.iter().filter(|&&i| !columns.served[i]).count() as f64);
        out.dark_demand.push(dark_amount);
        out.dark_customers.push(if dark_amount > 0.0 { number.max(1.0) } else { number });
    }
    out
}

/// Number of dark customers and their share of a known total.
#[expect(clippy::too_many_arguments, reason = "one step of `predict`, cut out to be read alone")]
fn split(
    model: &Model,
    terms: &SizeTerms,
    psi: f64,
    log_total: f64,
    known: Option<LogNormal>,
    floors: Floors,
    audited: Option<f64>,
    listed: f64,
    free: f64,
    rng: &mut Stream,
) -> (f64, f64) {
    let uniform: f64 = rng.random();
    let Some(known) = known else {
        // Nobody known: all of it is dark.
        let number = audited.unwrap_or_else(|| {
            let (_, dark) = terms.dark(psi, listed, free);
            number_given_demand(terms, psi, uncrowded(terms, dark, log_total), listed, free, rng)
        });
        return (number.max(1.0), 1.0);
    };
    let share = |dark: LogNormal| {
        let drawn = uncrowded(terms, known.plus(dark), log_total);
        let floors = floors.scaled(drawn - log_total);
        (drawn, model.grid.draw(drawn, known, dark, floors, uniform))
    };
    match audited {
        Some(number) if number < 0.5 => (0.0, 0.0),
        Some(number) => (number, share(terms.dark_of(psi, number)).1),
        None => {
            let (log_none, dark) = terms.dark(psi, listed, free);
            let chance: f64 = rng.random();
            let (none, some) = terms.none_or_some(log_none, known, dark, floors, log_total);
            if log_none > f64::NEG_INFINITY
                && floors.dark == f64::NEG_INFINITY
                && chance < 1.0 / (1.0 + libm::exp((some - none).clamp(-700.0, 700.0)))
            {
                return (0.0, 0.0);
            }
            let (drawn, share) = share(dark);
            if share <= 0.0 {
                return (listed, 0.0);
            }
            let number = number_given_demand(terms, psi, drawn + libm::log(share), listed, free, rng);
            (number, share)
        }
    }
}

/// The sum of sizes, at the territory's level, of a total that crowding has brought nearer to its mean.
fn uncrowded(terms: &SizeTerms, sum: LogNormal, log_total: f64) -> f64 {
    let total = terms.alone(sum);
    sum.mean + sum.sd * ((log_total - total.mean) / total.sd).clamp(-MOST_OFF, MOST_OFF)
}

/// Deviations by which a total is taken to be off at most.
const MOST_OFF: f64 = 4.0;

/// Draws the number of dark customers, at least one, given their demand:
/// P(n | D) proportional to Poisson(n - listed; free) x lognormal(D; n customers).
fn number_given_demand(terms: &SizeTerms, psi: f64, log_demand: f64, listed: f64, free: f64, rng: &mut Stream) -> f64 {
    let reach = 8.0 * (free + 1.0).sqrt() + 8.0;
    let from = (free - reach).floor().max(if listed > 0.0 { 0.0 } else { 1.0 });
    // Of many, every so many: the density is smooth over them.
    let every = ((free + reach - from) / MOST_CELLS).ceil().max(1.0);
    let cells = ((free + reach - from) / every).ceil().max(1.0) as usize;
    let log_free = libm::log(free.max(1e-300));
    let log: Vec<f64> = (0..=cells)
        .map(|cell| {
            let further = from + every * cell as f64;
            let size = terms.dark_of(psi, listed + further);
            further * log_free - libm::lgamma(further + 1.0) + log_normal_density(log_demand, size.mean, size.sd)
        })
        .collect();
    let top = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = log.iter().map(|x| fast_exp(x - top)).collect();
    let uniform: f64 = rng.random();
    let mut left = uniform * weights.iter().sum::<f64>();
    for (cell, weight) in weights.iter().enumerate() {
        if left <= *weight {
            // Where in its cell: the numbers from half a cell below to half a cell above.
            let place = ((left / weight - 0.5) * every).round();
            return listed + (from + every * cell as f64 + place).max(from);
        }
        left -= weight;
    }
    listed + from + every * cells as f64
}

/// Numbers of dark customers that are tried one by one.
const MOST_CELLS: f64 = 100.0;

fn poisson(mean: f64, rng: &mut Stream) -> f64 {
    if mean > 1e-9 && mean < 1e12 { Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(rng)) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mean_sd;

    #[test]
    fn a_number_drawn_in_steps_is_the_number_given_its_demand() {
        // Sizes of variation 1.3 and mean 1; 900 are expected, their demand is that of 1,000.
        let mut terms = SizeTerms::default();
        terms.variation2 = 1.69;
        let (free, listed, demand) = (900.0_f64, 40.0, libm::log(1_000.0));
        let mut rng = Stream::new(1, "test/number", 0);
        let drawn: Vec<f64> =
            (0..20_000).map(|_| number_given_demand(&terms, 0.0, demand, listed, free, &mut rng)).collect();
        assert!(drawn.iter().all(|number| number.fract() == 0.0));
        let (mut sum, mut weight) = ([0.0; 2], 0.0);
        for further in 0..3_000 {
            let further = f64::from(further);
            let size = terms.dark_of(0.0, listed + further);
            let log = further * libm::log(free) - libm::lgamma(further + 1.0) - free;
            let chance = libm::exp(log + log_normal_density(demand, size.mean, size.sd));
            weight += chance;
            sum[0] += chance * (listed + further);
            sum[1] += chance * (listed + further) * (listed + further);
        }
        let mean = sum[0] / weight;
        let sd = (sum[1] / weight - mean * mean).sqrt();
        let (found, found_sd) = mean_sd(&drawn);
        assert!(
            (found - mean).abs() < 0.05 * sd && (found_sd / sd - 1.0).abs() < 0.03,
            "{found} {mean}, {found_sd} {sd}"
        );
    }
}
