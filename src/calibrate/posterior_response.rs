//! The posterior of the response: mode, dispersion, clustering, draws and the placebo.

use nalgebra::DVector;

use crate::calibrate::Settings;
use crate::calibrate::agreement::{Agreement, two_runs};
use crate::calibrate::clustering::Clusters;
use crate::calibrate::field_tests::FieldTests;
use crate::calibrate::laplace;
use crate::calibrate::observed::Observed;
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::space::{Drift, Nodes, Space, log_odds};

/// Customers from whom the neighbourhood of the mode and the scatter between customers are learnt.
const SOME: usize = 2500;
/// Customers that must have bought and been contacted for a response to be fitted.
const FEWEST: usize = 10;

/// What was learnt about the response.
#[derive(Debug, Clone)]
pub struct ResponsePosterior {
    /// Equally weighted, free coordinates.
    pub draws: Vec<DVector<f64>>,
    /// At the mode (the priors' centre where nothing could be learnt).
    pub point: Point,
    /// `[group][month]` at the mode.
    pub month_effects: Vec<Vec<f64>>,
    pub order_unit: f64,
    /// Standard error of its log.
    pub order_unit_sd: f64,
    /// The data spoke.
    pub fitted: bool,
    /// Customers with contacts and sales.
    pub customers: usize,
    /// Variance of the scores over what the likelihood expects, at least 1; see `clustering`.
    pub inflation: f64,
    /// In some direction the posterior is as flat as the prior or flatter.
    pub flat: bool,
    pub efficiency: f64,
    pub pareto_k: f64,
    /// Drawn by tempered sequential Monte Carlo, since importance sampling would not do.
    pub tempered: bool,
    pub placebo: Option<Placebo>,
    /// Effect of other customers' contacts as a share of the effect, with its standard error: there is none.
    pub shuffled: Option<(f64, f64)>,
    /// What two runs of the sampler differ by.
    pub agreement: Option<Agreement>,
    /// How the draws move with what is cut from the likelihood.
    pub drift: Drift,
}

/// Effect of next month's contacts, which cannot have one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placebo {
    /// Log odds a contact.
    pub lead: f64,
    pub se: f64,
    /// Log odds that a contact of this month adds, for comparison.
    pub effect: f64,
}

/// Fits the response; `progress` takes the share done.
///
/// Who was ours in silent months depends on what contacts do, so `again` lays the past out anew at what has been found of it: the steps of
/// an EM algorithm (Dempster, Laird & Rubin 1977), whose fixed point is the mode of the likelihood that sums over who was ours.
pub fn fit(
    observed: &mut Observed,
    again: &mut dyn FnMut(&Observed, &Point) -> Observed,
    space: &Space,
    tests: &FieldTests,
    settings: &Settings,
    progress: &mut dyn FnMut(f64),
) -> ResponsePosterior {
    let Settings { draws, seed, likelihood_times, .. } = *settings;
    let start = space.start();
    let origin = space.point(&start);
    let first = observed.evaluate(&origin, None, 30, false);
    let (order_unit, order_unit_sd) = observed.order_unit(&origin, &first.month_effects);
    let customers = contacted_buyers(observed);
    let mut out = ResponsePosterior {
        draws: vec![DVector::zeros(0); draws],
        point: origin,
        month_effects: first.month_effects,
        order_unit,
        order_unit_sd,
        fitted: false,
        customers,
        inflation: 1.0,
        flat: false,
        efficiency: 1.0,
        pareto_k: f64::NEG_INFINITY,
        tempered: false,
        placebo: None,
        shuffled: None,
        agreement: None,
        drift: Drift::default(),
    };
    if customers < FEWEST || space.free.is_empty() {
        out.draws = vec![start; draws];
        if !space.free.is_empty() {
            // Too few to learn from: the free coordinates keep their priors as well.
            out.draws = prior_draws(space, draws, seed);
        }
        return out;
    }
    let widths = space.widths();
    let to_point = |x: &DVector<f64>| space.point(x);
    // What is known beside the customers' own history.
    let prior =
        |observed: &Observed, x: &DVector<f64>| space.log_prior(x) + tests.log_likelihood(observed, &to_point(x));
    // Where to look, and how far customers scatter, is learnt well enough from some of them.
    let mut some = observed.thinned(SOME);
    let raise = customers_with_sales(observed) / customers_with_sales(&some);
    let mut effects = some.evaluate(&out.point, None, 30, false).month_effects;
    let (mut at, mut scale) = (start, widths.clone());
    for round in 0..2 {
        let (unit, inflation) = (out.order_unit, out.inflation);
        let density = |x: &DVector<f64>| {
            let value = some.evaluate(&to_point(x), Some(&effects), 6, false).value;
            raise * value / (unit * inflation) + prior(&some, x)
        };
        let mode = laplace::mode(&density, at, &scale);
        at = mode.at.clone();
        scale = (0..at.len()).map(|k| mode.covariance[(k, k)].sqrt().min(widths[k])).collect();
        out.point = to_point(&at);
        effects = some.evaluate(&out.point, Some(&effects), 30, false).month_effects;
        let scores = some.scores(&at, &scale, &to_point, &effects);
        let clusters = Clusters { territories: &some.territories, groups: &some.groups, scores: &scores, raise, unit };
        out.inflation = clusters.inflation(&mode, &widths, inflation);
        *observed = again(observed, &out.point);
        some = observed.thinned(SOME);
        progress(0.1 + 0.1 * f64::from(round));
    }
    let observed = &*observed;
    let fine = observed.evaluate(&out.point, Some(&out.month_effects), 30, false);
    out.month_effects = fine.month_effects;
    (out.order_unit, out.order_unit_sd) = observed.order_unit(&out.point, &out.month_effects);
    let (month_effects, divisor) = (out.month_effects.clone(), out.order_unit * out.inflation / likelihood_times);
    let density = |x: &DVector<f64>| {
        observed.evaluate(&to_point(x), Some(&month_effects), 4, false).value / divisor + prior(observed, x)
    };
    let mode = laplace::mode(&density, at, &scale);
    out.point = to_point(&mode.at);
    progress(0.4);
    let [mut one, mut other] = [0, 1 << 33].map(|run| Source::new(seed, Purpose::Response, run));
    let candidates = (draws * 5 / 4).max(200);
    let (sample, agreement) = two_runs(&density, &mode, draws, candidates, [&mut one, &mut other]);
    progress(0.9);
    out.placebo = placebo(&some, space, &mode, &effects, divisor);
    out.shuffled = shuffled(&some, &out.point, &effects, divisor / raise);
    out.drift = drift(&some, space, tests, &mode, &effects, divisor / raise);
    progress(1.0);
    out.draws = sample.draws;
    out.agreement = Some(agreement);
    out.efficiency = sample.efficiency;
    out.pareto_k = sample.pareto_k;
    out.tempered = sample.tempered;
    out.flat = mode.bent;
    out.fitted = true;
    out
}

fn customers_with_sales(observed: &Observed) -> f64 {
    observed.buyers().max(1) as f64
}

/// Draws of the free coordinates from their priors.
fn prior_draws(space: &Space, draws: usize, seed: u64) -> Vec<DVector<f64>> {
    (0..draws)
        .map(|d| {
            let mut source = Source::new(seed, Purpose::Response, d as u64 + 1);
            space.prior_coordinates(&mut source)
        })
        .collect()
}

fn contacted_buyers(observed: &Observed) -> usize {
    let months = observed.months;
    (0..observed.customers)
        .filter(|&i| {
            observed.start[i + 1] > observed.start[i]
                && observed.contacts.iter().any(|c| c.by_month[i * months..(i + 1) * months].iter().any(|&x| x > 0.0))
        })
        .count()
}

/// Modes at several shares of wallet and spreads of tastes: what the data say of the effect depends on how much room
/// there is.
fn drift(
    observed: &Observed,
    space: &Space,
    tests: &FieldTests,
    mode: &laplace::Mode,
    effects: &[Vec<f64>],
    divisor: f64,
) -> Drift {
    let widths: Vec<f64> = (0..mode.at.len()).map(|k| mode.covariance[(k, k)].sqrt()).collect();
    let mode_of = |there: Space| {
        let density = |x: &DVector<f64>| {
            let point = there.point(x);
            let value = observed.evaluate(&point, Some(effects), 6, false).value / divisor;
            value + space.log_prior(x) + tests.log_likelihood(observed, &point)
        };
        laplace::mode(&density, mode.at.clone(), &widths).at
    };
    let middle = mode_of(space.clone());
    let nodes = |values: [f64; 5], line: &dyn Fn(f64) -> f64, at: &dyn Fn(f64) -> Space| {
        let places = values.map(line);
        // Neither a fixed value nor one that has run into the end of its range.
        if places.windows(2).any(|pair| pair[1] - pair[0] < 0.01) {
            return Nodes::default();
        }
        let of = |(k, &value): (usize, &f64)| {
            let moved = if k == 2 { DVector::zeros(mode.at.len()) } else { mode_of(at(value)) - &middle };
            (places[k], moved)
        };
        Nodes { nodes: values.iter().enumerate().map(of).collect() }
    };
    Drift {
        share: nodes(space.shares(), &log_odds, &|share| space.at_share(share)),
        taste: nodes(space.tastes(), &|taste| libm::log(taste.max(1e-9)), &|taste| space.at_taste(taste)),
    }
}

/// The effect with everybody's contacts exchanged for a neighbour's, as a share m of what was fitted: the months' common ups and
/// downs are the neighbour's too, so that an m away from 0 is one that the model makes up.
fn shuffled(observed: &Observed, point: &Point, effects: &[Vec<f64>], divisor: f64) -> Option<(f64, f64)> {
    let shuffled = observed.with_neighbours_contacts();
    let density = |x: &DVector<f64>| {
        let mut scaled = point.clone();
        scaled.goodwill.effect.iter_mut().for_each(|effect| *effect *= x[0]);
        shuffled.evaluate(&scaled, Some(effects), 6, false).value / divisor
    };
    let found = laplace::mode(&density, DVector::from_vec(vec![0.0]), &[0.3]);
    let (share, se) = (found.at[0], found.covariance[(0, 0)].sqrt());
    (share.is_finite() && se.is_finite() && se > 0.0 && !found.bent).then_some((share, se))
}

/// Next month's contacts as a further regressor.
fn placebo(
    observed: &Observed,
    space: &Space,
    mode: &laplace::Mode,
    effects: &[Vec<f64>],
    scale: f64,
) -> Option<Placebo> {
    if observed.months < 6 {
        return None;
    }
    let n = mode.at.len();
    // The strongest channel's effect of a contact, for comparison.
    let effects_here = space.point(&mode.at).goodwill.effect;
    let effect = effects_here.into_iter().fold(0.0, |most: f64, e| if e.abs() > most.abs() { e } else { most });
    let density = |x: &DVector<f64>| {
        let free = x.rows(0, n).into_owned();
        let point = Point { lead: x[n], ..space.point(&free) };
        observed.evaluate(&point, Some(effects), 6, false).value / scale + space.log_prior(&free)
    };
    let start = mode.at.clone().push(0.0);
    let mut widths: Vec<f64> = (0..n).map(|k| mode.covariance[(k, k)].sqrt()).collect();
    widths.push(effect.abs().max(0.01));
    let found = laplace::mode(&density, start, &widths);
    let se = found.covariance[(n, n)].sqrt();
    (found.at[n].is_finite() && se.is_finite() && se > 0.0).then(|| Placebo { lead: found.at[n], se, effect })
}
