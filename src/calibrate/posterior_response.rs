//! The posterior of the response: mode, dispersion, clustering, draws and the placebo.

use nalgebra::{DMatrix, DVector};

use crate::calibrate::laplace;
use crate::calibrate::observed::Observed;
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::space::Space;

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
    /// Variance of the scores over what the likelihood expects, at least 1.
    pub inflation: f64,
    pub efficiency: f64,
    pub pareto_k: f64,
    pub placebo: Option<Placebo>,
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
pub fn fit(
    observed: &Observed,
    space: &Space,
    draws: usize,
    seed: u64,
    progress: &mut dyn FnMut(f64),
) -> ResponsePosterior {
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
        efficiency: 1.0,
        pareto_k: f64::NEG_INFINITY,
        placebo: None,
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
    let prior_precision =
        DMatrix::from_diagonal(&DVector::from_iterator(widths.len(), widths.iter().map(|w| 1.0 / (w * w))));
    let to_point = |x: &DVector<f64>| space.point(x);
    let mut at = start;
    for round in 0..2 {
        let (effects, unit, inflation) = (out.month_effects.clone(), out.order_unit, out.inflation);
        let density = |x: &DVector<f64>| {
            let value = observed.evaluate(&to_point(x), Some(&effects), 6, false).value;
            value / (unit * inflation) + space.log_prior(x)
        };
        let mode = laplace::mode(&density, at.clone(), &widths);
        at = mode.at.clone();
        out.point = to_point(&at);
        let fine = observed.evaluate(&out.point, Some(&out.month_effects), 30, false);
        out.month_effects = fine.month_effects;
        (out.order_unit, out.order_unit_sd) = observed.order_unit(&out.point, &out.month_effects);
        let steps: Vec<f64> = (0..at.len()).map(|k| mode.covariance[(k, k)].sqrt().min(widths[k])).collect();
        out.inflation =
            inflation_of(observed, &at, &steps, out.order_unit, &prior_precision, &to_point, &out.month_effects);
        progress(0.25 + 0.15 * f64::from(round));
    }
    let (effects, scale) = (out.month_effects.clone(), out.order_unit * out.inflation);
    let density =
        |x: &DVector<f64>| observed.evaluate(&to_point(x), Some(&effects), 3, false).value / scale + space.log_prior(x);
    let mode = laplace::mode(&density, at, &widths);
    out.point = to_point(&mode.at);
    progress(0.5);
    let mut source = Source::new(seed, Purpose::Response, 0);
    let sample = laplace::sample(&density, &mode, draws, (draws * 5 / 4).max(200), &mut source);
    progress(0.85);
    out.placebo = placebo(observed, space, &mode, &effects, scale);
    progress(1.0);
    out.draws = sample.draws;
    out.efficiency = sample.efficiency;
    out.pareto_k = sample.pareto_k;
    out.fitted = true;
    out
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

/// Ratio of the clustered to the expected variance of the scores, averaged over the directions in which the data speak.
fn inflation_of(
    observed: &Observed,
    at: &DVector<f64>,
    steps: &[f64],
    order_unit: f64,
    prior_precision: &DMatrix<f64>,
    point: &(dyn Fn(&DVector<f64>) -> Point + Sync),
    effects: &[Vec<f64>],
) -> f64 {
    let scores = observed.scores(at, steps, point, effects) / order_unit;
    let clustered = &scores * scores.transpose();
    // Information from the likelihood's curvature along the scores' own coordinates.
    let value = |x: &DVector<f64>| observed.evaluate_at(x, point, effects) / order_unit;
    let information = laplace::negative_hessian(&value, at, value(at), steps);
    let Some(inverse) = (&information + prior_precision).try_inverse() else { return 1.0 };
    let ratio = (&inverse * clustered).trace() / (&inverse * information).trace();
    if ratio.is_finite() { ratio.clamp(1.0, 100.0) } else { 1.0 }
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
    let here = space.point(&mode.at);
    // A contact's own effect, the contacts of all channels together.
    let effect = here.goodwill.effect.iter().copied().fold(0.0, f64::max).max(1e-3);
    let density = |x: &DVector<f64>| {
        let free = x.rows(0, n).into_owned();
        let point = Point { lead: x[n], ..space.point(&free) };
        observed.evaluate(&point, Some(effects), 6, false).value / scale + space.log_prior(&free)
    };
    let mut start = mode.at.clone().push(0.0);
    start[n] = 0.0;
    let mut widths: Vec<f64> = (0..n).map(|k| mode.covariance[(k, k)].sqrt()).collect();
    widths.push(effect);
    let found = laplace::mode(&density, start, &widths);
    let se = found.covariance[(n, n)].sqrt();
    (found.at[n].is_finite() && se.is_finite() && se > 0.0).then(|| Placebo {
        lead: found.at[n],
        se,
        effect: here.goodwill.effect.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a }),
    })
}
