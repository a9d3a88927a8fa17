//! How often known customers order from us, what that says of their size, and whether they are still open.
//!
//! For customer i with a standard normal activity z_i:
//!
//! * orders: log lambda_i = a + s z_i; a month at risk has an order with probability 1 - exp(-lambda_i). With K active of n
//!   exposed months, `K ~ Binomial(n, 1 - exp(-lambda_i))`;
//! * amount: the mean log order y_i ~ N(nu + l z_i, v^2), where there is an order;
//! * leaving: while it buys from us a customer leaves us at hazard rho a month, of which delta is closing for good and
//!   chi = rho - delta is only going elsewhere. Silence of h months has probability
//!   `exp(-(rho + lambda) h) + rho / (rho + lambda) (1 - exp(-(rho + lambda) h))`, the Pareto/NBD argument of Schmittlein,
//!   Morrison & Colombo (1987).
//!
//! A customer belongs to the universe of the last 12 months when it was open at their beginning, g = h - 12 months after
//! its last order. Given the silence that has probability
//! `exp(-delta g) [chi / t (1 - exp(-t g)) + exp(-t g) S(h - g)] / S(h)`, t = chi + lambda, S(h) as above: who left us need
//! not have closed. Our orders alone cannot tell closing from going elsewhere, so closing keeps its prior: lognormal with median
//! 0.004 a month (5% of outlets a year close) and log sd 0.5. Closures that `customers.csv` marks, c a customer-month, are a part
//! of them: given that closing is no rarer than c, what is left for customers without a mark is delta = closing - c. delta is the
//! same for all customers of a draw, so being open is worked out at five equally likely levels of it: were customers taken to
//! close at rates of their own, the number of the known, and with it that of the dark, would seem better known than it is.
//!
//! (a, s, nu, l, v, rho) are set to their posterior mode, z_i is integrated over 15 Gauss-Hermite nodes: the customers are
//! many and these six numbers few. The totals of territories do not flow back into them (a cut).
//! Priors: a ~ N(log 0.15, 1.5), s ~ LN(1.2, 0.4), l ~ N(0.4, 0.3), v ~ LN(0.8, 0.3), rho ~ LN(0.02, 1).

use rayon::prelude::*;

use super::numeric::{GAUSS_HERMITE, NODES, nelder_mead};
use super::observed::ObservedCustomer;
use crate::rng::{normal_cdf, normal_f64};

/// Customers beyond this many are thinned evenly for the six market-wide numbers.
const ENOUGH: usize = 2_000;
const CLOSURE_MEDIAN: f64 = 0.004;
const CLOSURE_LOG_SD: f64 = 0.5;

/// What own orders say of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Activity {
    /// Mean and variance of z given its orders.
    pub mean: f64,
    pub variance: f64,
    /// Probability that it belongs to the universe of the last 12 months.
    pub open: f64,
    /// The same at each level of closing.
    pub open_at: [f32; LEVELS],
}

impl Activity {
    pub(super) fn new(mean: f64, variance: f64, open_at: [f64; LEVELS]) -> Self {
        let open = open_at.iter().sum::<f64>() / LEVELS as f64;
        Self { mean, variance, open, open_at: open_at.map(|open| open as f32) }
    }
}

/// Equally likely levels of the hazard of closing without a mark.
pub(super) const LEVELS: usize = 5;

/// The levels, where so many closures a customer-month are marked.
fn closing(marked: f64) -> [f64; LEVELS] {
    let rarer = if marked > 0.0 { normal_cdf(libm::log(marked / CLOSURE_MEDIAN) / CLOSURE_LOG_SD) } else { 0.0 };
    std::array::from_fn(|level| {
        let uniform = rarer + (1.0 - rarer) * (level as f64 + 0.5) / LEVELS as f64;
        let all = CLOSURE_MEDIAN * libm::exp(CLOSURE_LOG_SD * normal_f64(uniform.min(1.0 - 1e-12)));
        (all - marked).max(1e-6)
    })
}

/// The six market-wide numbers, positive ones as logs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rates {
    a: f64,
    s: f64,
    nu: f64,
    l: f64,
    v: f64,
    rho: f64,
}

impl Rates {
    fn of(x: &[f64; 6]) -> Self {
        Self { a: x[0], s: libm::exp(x[1]), nu: x[2], l: x[3], v: libm::exp(x[4]), rho: libm::exp(x[5]) }
    }

    fn log_prior(&self, centre: f64) -> f64 {
        let normal = |x: f64, mean: f64, sd: f64| -0.5 * ((x - mean) / sd) * ((x - mean) / sd);
        normal(self.a, libm::log(0.15), 1.5)
            + normal(libm::log(self.s), libm::log(1.2), 0.4)
            + normal(self.nu, centre, 2.0)
            + normal(self.l, 0.4, 0.3)
            + normal(libm::log(self.v), libm::log(0.8), 0.3)
            + normal(libm::log(self.rho), libm::log(0.02), 1.0)
    }

    /// Log likelihood of a customer at each node of z.
    fn at_nodes(&self, customer: &ObservedCustomer) -> [f64; NODES] {
        let (k, n, h) = (f64::from(customer.active), f64::from(customer.exposed), f64::from(customer.silent));
        std::array::from_fn(|node| {
            let z = GAUSS_HERMITE[node].0;
            let lambda = libm::exp((self.a + self.s * z).clamp(-12.0, 4.0));
            let orders = k * libm::log(-libm::expm1(-lambda)) - (n - k) * lambda;
            let amount = customer.log_order.map_or(0.0, |y| {
                let residual = (y - self.nu - self.l * z) / self.v;
                -0.5 * residual * residual - libm::log(self.v)
            });
            orders + amount + libm::log(silence(self.rho, lambda, h).max(1e-300))
        })
    }
}

/// Probability of no order over `h` months for a customer that leaves at hazard `rho`.
fn silence(rho: f64, lambda: f64, h: f64) -> f64 {
    let t = rho + lambda;
    let stays = libm::exp(-t * h);
    stays + rho / t * (1.0 - stays)
}

/// Probability of being open `g` months after the last order, given `h >= g` silent months.
fn open_after(delta: f64, chi: f64, lambda: f64, g: f64, h: f64) -> f64 {
    let t = chi + lambda;
    let stays = libm::exp(-t * g);
    let silent_and_open =
        libm::exp(-delta * g) * (chi / t * (1.0 - stays) + stays * silence(chi + delta, lambda, h - g));
    (silent_and_open / silence(chi + delta, lambda, h)).clamp(0.0, 1.0)
}

/// Log of the sum of exponentials over the nodes with their weights, and the normalised weights.
fn integrate(log: &[f64; NODES]) -> (f64, [f64; NODES]) {
    let top = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut weights: [f64; NODES] = std::array::from_fn(|node| GAUSS_HERMITE[node].1 * libm::exp(log[node] - top));
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    (top + libm::log(sum), weights)
}

/// Reads the activity of every customer; `marked` closures a customer-month are in the files.
pub(super) fn activities(customers: &[ObservedCustomer], marked: f64) -> Vec<Activity> {
    let orders: Vec<f64> = customers.iter().filter_map(|customer| customer.log_order).collect();
    if orders.is_empty() {
        return customers.iter().map(|_| Activity::new(0.0, 1.0, [1.0; LEVELS])).collect();
    }
    let centre = orders.iter().sum::<f64>() / orders.len() as f64;
    let stride = customers.len().div_ceil(ENOUGH);
    let sample: Vec<&ObservedCustomer> =
        customers.iter().filter(|customer| !customer.closed).step_by(stride.max(1)).collect();
    let start = [libm::log(0.15), libm::log(1.2), centre, 0.4, libm::log(0.8), libm::log(0.02)];
    let best = nelder_mead(start, [0.5, 0.3, 0.3, 0.2, 0.2, 0.5], 350, |x| {
        let rates = Rates::of(x);
        let log: f64 = sample.iter().map(|customer| integrate(&rates.at_nodes(customer)).0).sum();
        -(log + rates.log_prior(centre))
    });
    let rates = Rates::of(&best);
    let closing = closing(marked);
    customers.par_iter().map(|customer| read(&rates, &closing, customer)).collect()
}

fn read(rates: &Rates, closing: &[f64; LEVELS], customer: &ObservedCustomer) -> Activity {
    let (_, weights) = integrate(&rates.at_nodes(customer));
    let mean: f64 = weights.iter().zip(&GAUSS_HERMITE).map(|(weight, (z, _))| weight * z).sum();
    let square: f64 = weights.iter().zip(&GAUSS_HERMITE).map(|(weight, (z, _))| weight * z * z).sum();
    let h = f64::from(customer.silent);
    let open_at = if customer.closed {
        [0.0; LEVELS]
    } else if customer.served || customer.closed_since || h <= 12.0 {
        [1.0; LEVELS]
    } else {
        closing.map(|delta| {
            let delta = delta.min(0.95 * rates.rho);
            let over = |z: f64| {
                let lambda = libm::exp((rates.a + rates.s * z).clamp(-12.0, 4.0));
                open_after(delta, rates.rho - delta, lambda, h - 12.0, h)
            };
            weights.iter().zip(&GAUSS_HERMITE).map(|(weight, (z, _))| weight * over(*z)).sum()
        })
    };
    Activity::new(mean, (square - mean * mean).max(1e-4), open_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_survival_by_hand() {
        // No orders ever expected: silence is certain, and being open is the survival of the outlet.
        assert!((silence(0.02, 1e-12, 10.0) - 1.0).abs() < 1e-9);
        assert!((open_after(0.01, 0.03, 1e-12, 20.0, 30.0) - libm::exp(-0.2)).abs() < 1e-9);
        // No time passed since the last order: open.
        assert!((open_after(0.01, 0.03, 0.5, 0.0, 12.0) - 1.0).abs() < 1e-12);
        // Who ordered every month and has been silent for long has left, by closing with odds delta : chi.
        let open = open_after(0.01, 0.03, 5.0, 1e-9, 40.0);
        assert!((open - 1.0).abs() < 1e-6);
        let open = open_after(0.01, 0.03, 5.0, 5.0, 40.0);
        assert!(open > 0.6 && open < 0.76, "{open}");
    }

    #[test]
    fn marked_closures_leave_less_for_those_without_a_mark() {
        let mean = |levels: [f64; LEVELS]| levels.iter().sum::<f64>() / LEVELS as f64;
        // Quantiles .1, .3, .5, .7, .9 of the prior.
        let none = closing(0.0);
        assert!(
            (none[2] - CLOSURE_MEDIAN).abs() < 1e-12 && (none[4] / none[2] - libm::exp(0.5 * 1.281_551_6)).abs() < 1e-6
        );
        // Half of all are above the median, by their quantiles .55 to .95 less the median.
        let half = closing(CLOSURE_MEDIAN);
        assert!((half[2] - CLOSURE_MEDIAN * libm::expm1(0.5 * 0.674_489_75)).abs() < 1e-9);
        assert!(mean(half) < 0.6 * mean(none));
        assert!(closing(1.0).iter().all(|rate| rate.is_finite() && *rate > 0.0));
    }

    #[test]
    fn who_orders_often_and_much_is_active() {
        let customer = |active, exposed, silent, log_order: Option<f64>| ObservedCustomer {
            active,
            exposed,
            silent,
            log_order,
            served: silent < 12,
            ..Default::default()
        };
        let mut customers: Vec<ObservedCustomer> = (0..200)
            .map(|i| customer(i % 20, 20 + i % 3, 1 + i % 9, (i % 20 > 0).then_some(1.0 + 0.1 * f64::from(i % 20))))
            .collect();
        customers.push(customer(1, 5, 30, Some(0.5)));
        let read = activities(&customers, 0.0);
        assert!(read[19].mean > read[10].mean && read[10].mean > read[1].mean);
        assert!(read[..200].iter().all(|activity| activity.open == 1.0));
        assert!(read[200].open < 1.0 && read[200].open > 0.5, "{:?}", read[200]);
    }
}
