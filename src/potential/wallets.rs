//! The wallets of known customers on a draw: what each buys of the category beyond what it buys from us.
//!
//! A customer's wallet is our sales to it in the 12 months and an excess, `w_i = y_i + k e_i`, with the k at which the wallets of a
//! territory add up to its known demand: no wallet can fall below our own sales. For a customer that does not buy from us the
//! excess is its drawn size. For one that does, at a yearly rate `r_i = 12 y_i / months with us`, two things speak of the
//! log odds of its share, `l_i = log(r_i / (w_i - r_i))`, and are weighed by their precisions:
//!
//! * its size (`sizes.rs`), `log w_i ~ N(m_i, v_i)`: log odds `-log(exp(m_i - log r_i) - 1)`, with the deviation
//!   `sqrt(v_i) / (1 - share)` (delta method);
//! * the tastes of customers, which are alike to a degree: `l_i ~ N(mu_j, sigma^2 + 1 / orders_i)`, mu_j the log odds of the
//!   share that our served customers of the territory give us together. sigma is lognormal with median 0.8 and log
//!   deviation 0.4; where `wallets.csv` names customers that we serve, the spread of their own is weighed in (`calibrate::tastes`).
//!
//! Then `e_i = r_i exp(-l_i) + r_i - y_i`. Sizes alone will not do: they are uncertain by half or more, shares would pile up at 0
//! and at 1 where they are far off, and a customer that gives us nearly everything is a poor model of those whom we do not know. With
//! independent normal errors on both sides the weighing is exact (Gelman et al. 2013, "Bayesian Data Analysis", 2.5); the
//! spread of log odds of shares between buyers is that of the Dirichlet model of repeat buying (Goodhardt, Ehrenberg & Chatfield
//! 1984), with the logistic normal in place of the beta.

use rand_distr::{Distribution as _, StandardNormal};

use super::activity::{Activity, LEVELS};
use super::numeric::{LogNormal, fast_exp, fast_log, within};
use super::observed::{Observed, ObservedCustomer};
use super::sizes::KnownSizes;
use crate::calibrate::{Answer, orders, spread_of_tastes};
use crate::lanes::{Isa, Kernel, Simd};
use crate::rng::Stream;

/// Prior of the deviation of log odds of shares between served customers: its median, and the deviation of its log.
const TASTE: (f64, f64) = (0.8, 0.4);

/// A size below our own sales to the customer says no more than that nearly everything is ours: least of `m - log r`.
const CLOSEST: f64 = 0.1;

/// Most that log odds of a share are away from an even split.
const FARTHEST: f64 = 6.0;

/// What draws read of the known customers, close together: every draw goes through all of them.
#[derive(Debug)]
pub(super) struct KnownColumns {
    /// Probability of being open, by level of closing.
    pub open: Vec<[f32; LEVELS]>,
    /// Our sales to it in the 12 months.
    pub own: Vec<f64>,
    pub served: Vec<bool>,
    /// Our sales a year to it while it bought from us, 0 for those who did not, and their log.
    rate: Vec<f64>,
    log_rate: Vec<f64>,
    /// Variance of the log odds of its share by the chance of its orders.
    chance: Vec<f64>,
    /// Of the log of the deviation of tastes: mean and deviation.
    taste: (f64, f64),
}

impl KnownColumns {
    pub(super) fn new(observed: &Observed, activity: &[Activity]) -> Self {
        let customers = &observed.customers;
        let rate: Vec<f64> = customers
            .iter()
            .map(
                |customer| {
                    if customer.served { customer.own_year.max(0.0) * 12.0 / months_with_us(customer) } else { 0.0 }
                },
            )
            .collect();
        let chance: Vec<f64> =
            customers.iter().map(|customer| 1.0 / f64::from(customer.orders_of_year.max(1))).collect();
        Self {
            open: activity.iter().map(|activity| activity.open_at).collect(),
            own: customers.iter().map(|customer| customer.own_year.max(0.0)).collect(),
            served: customers.iter().map(|customer| customer.served).collect(),
            log_rate: rate.iter().map(|rate| libm::log(rate.max(1e-300))).collect(),
            taste: taste(observed, &rate),
            rate,
            chance,
        }
    }

    /// The deviation of tastes at a standard normal number.
    pub(super) fn taste_deviation(&self, z: f64) -> f64 {
        libm::exp(self.taste.0 + self.taste.1 * z)
    }
}

/// Months of the last 12 in which a customer bought from us; where they are not known, all.
fn months_with_us(customer: &ObservedCustomer) -> f64 {
    f64::from(if customer.months_with_us == 0 { 12 } else { customer.months_with_us.min(12) })
}

/// Mean and deviation of the log of the deviation of tastes: the prior, and the survey where there is one.
fn taste(observed: &Observed, rate: &[f64]) -> (f64, f64) {
    let prior = (libm::log(TASTE.0), TASTE.1);
    let answers: Vec<Answer> = observed
        .customers
        .iter()
        .zip(rate)
        .filter_map(|(customer, &rate)| {
            let wallet = customer.wallet.filter(|wallet| customer.served && rate > 0.0 && *wallet > 0.0)?;
            let orders = orders(f64::from(customer.orders_of_year), months_with_us(customer));
            Some(Answer { part: rate / wallet, orders })
        })
        .collect();
    spread_of_tastes(prior, &answers).unwrap_or(prior)
}

/// What the sizes say on a draw.
#[derive(Clone, Copy)]
pub(super) struct SizesOfDraw<'a> {
    pub sizes: &'a KnownSizes,
    pub kappa: f64,
    pub tau: f64,
    /// Log of what multiplies the sizes of all customers that do not buy from us.
    pub unserved: f64,
}

/// What the sizes say of the open known customers of a territory, one after the other and but for the territory's level; kept from
/// territory to territory, because every draw goes through all customers.
#[derive(Debug, Default)]
pub(super) struct OpenSizes {
    /// Log median size, and the variance of the log.
    log_size: Vec<f64>,
    variance: Vec<f64>,
    expected: Vec<f64>,
    /// Mean and variance of their sum.
    sums: [f64; 2],
    /// What each adds to that variance, then standard normal numbers, then the excess of each wallet.
    excess: Vec<f64>,
    /// What they buy from us: columns of [`KnownColumns`].
    own: Vec<f64>,
    rate: Vec<f64>,
    log_rate: Vec<f64>,
    chance: Vec<f64>,
}

impl OpenSizes {
    /// Those of these customers.
    pub(super) fn write(&mut self, open: &[usize], columns: &KnownColumns, draw: SizesOfDraw<'_>, isa: Isa) {
        let SizesOfDraw { sizes, kappa, tau, unserved } = draw;
        gather(&mut self.log_size, open, |i| kappa * sizes.index[i] + if columns.served[i] { 0.0 } else { unserved });
        gather(&mut self.variance, open, |i| kappa * kappa * sizes.variance[i] + tau * tau);
        for (into, of) in [
            (&mut self.own, &columns.own),
            (&mut self.rate, &columns.rate),
            (&mut self.log_rate, &columns.log_rate),
            (&mut self.chance, &columns.chance),
        ] {
            gather(into, open, |i| of[i]);
        }
        self.expected.resize(open.len(), 0.0);
        self.excess.resize(open.len(), 0.0);
        let Self { log_size, variance, expected, excess: spread, .. } = self;
        isa.dispatch(Expected { log_size, variance, expected, spread });
        self.sums = [self.expected.iter().sum(), self.excess.iter().sum()];
    }

    /// The lognormal of their demand together at the level `psi`; `None` where nobody is open.
    pub(super) fn together(&self, psi: f64) -> Option<LogNormal> {
        let [first, variance] = self.sums;
        (first > 0.0).then(|| LogNormal::matching(psi + fast_log(first), variance / (first * first)))
    }
}

/// A value of each of these customers, in the place of what was there.
fn gather(into: &mut Vec<f64>, open: &[usize], of: impl Fn(usize) -> f64) {
    into.clear();
    into.extend(open.iter().map(|&i| of(i)));
}

/// Shares the known demand `amount` of a territory out over its open known customers, whose sizes these are.
pub(super) fn share_out(
    open: &[usize],
    sizes: &mut OpenSizes,
    amount: f64,
    taste: f64,
    isa: Isa,
    rng: &mut Stream,
    wallets: &mut [f32],
) {
    let OpenSizes { log_size, variance, expected, sums: [all_expected, _], excess, own, rate, log_rate, chance } =
        sizes;
    let all_own: f64 = own.iter().sum();
    let (mut expected_served, mut rates) = (0.0, 0.0);
    for (mean, &rate) in expected.iter().zip(&*rate) {
        if rate > 0.0 {
            expected_served += mean;
            rates += rate;
        }
    }
    let log_scale = libm::log((amount / *all_expected).max(1e-300));
    let together = rates / (amount * expected_served / *all_expected).max(1e-300);
    let usual = if together < 1.0 { libm::log(together / (1.0 - together).max(1e-3)) } else { FARTHEST };
    let usual = usual.clamp(-FARTHEST, FARTHEST);
    excess.clear();
    excess.extend(open.iter().map(|_| -> f64 { StandardNormal.sample(rng) }));
    isa.dispatch(Excess { log_scale, usual, taste, excess, log_size, variance, own, rate, log_rate, chance });
    let all: f64 = excess.iter().sum();
    let left = (amount - all_own).max(0.0);
    let scale = if all > 0.0 { left / all } else { 0.0 };
    for ((&i, &own), excess) in open.iter().zip(&*own).zip(&*excess) {
        // Rounding to single precision must not fall below our own sales.
        let rounded = (own + scale * excess) as f32;
        wallets[i] = if f64::from(rounded) < own { rounded.next_up() } else { rounded };
    }
}

/// From standard normal numbers to the excess of each wallet.
struct Excess<'a> {
    /// Log of the territory's demand over what the sizes let expect.
    log_scale: f64,
    /// Log odds of the share that our served customers of the territory give us together.
    usual: f64,
    taste: f64,
    excess: &'a mut [f64],
    log_size: &'a [f64],
    variance: &'a [f64],
    own: &'a [f64],
    rate: &'a [f64],
    log_rate: &'a [f64],
    chance: &'a [f64],
}

impl Kernel for Excess<'_> {
    type Output = ();

    /// No branch and no call in this loop: it becomes vector code.
    #[inline(always)]
    fn run<V: Simd>(self) {
        let Self { log_scale, usual, taste, excess, .. } = self;
        let count = excess.len();
        let (log_size, variance, own) = (&self.log_size[..count], &self.variance[..count], &self.own[..count]);
        let (rate, log_rate, chance) = (&self.rate[..count], &self.log_rate[..count], &self.chance[..count]);
        for k in 0..count {
            let (z, size, rate) = (excess[k], log_scale + log_size[k], rate[k]);
            let room = fast_exp(within(size - log_rate[k], CLOSEST, FARTHEST));
            // 1 - share is (room - 1) / room.
            let known = (room - 1.0) * (room - 1.0) / (room * room * variance[k]);
            let alike = 1.0 / (taste * taste + chance[k]);
            let mean = (alike * usual - known * fast_log(room - 1.0)) / (known + alike);
            let log_odds = within(mean + z / (known + alike).sqrt(), -FARTHEST, FARTHEST);
            // Both kinds of customers go the same way.
            let served = rate > 0.0;
            let amount = fast_exp(if served { -log_odds } else { size + variance[k].sqrt() * z });
            excess[k] = if served { rate * (1.0 + amount) - own[k] } else { amount };
        }
    }
}

/// Expected sizes, and what each adds to the variance of their sum.
struct Expected<'a> {
    log_size: &'a [f64],
    variance: &'a [f64],
    expected: &'a mut [f64],
    spread: &'a mut [f64],
}

impl Kernel for Expected<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Simd>(self) {
        let count = self.expected.len();
        let (log_size, variance) = (&self.log_size[..count], &self.variance[..count]);
        let (expected, spread) = (self.expected, &mut self.spread[..count]);
        for k in 0..count {
            let mean = fast_exp(log_size[k] + 0.5 * variance[k]);
            expected[k] = mean;
            spread[k] = mean * mean * (fast_exp(variance[k]) - 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sizes::{NormalPrior, SizeSource};
    use super::*;
    use crate::stats::mean_sd;

    /// Customers whose shares and sizes scatter as they are told to: their own sales, and the true log odds of their shares.
    fn customers(number: usize, taste: f64, size_error: f64) -> (Observed, KnownSizes, Vec<f64>, f64) {
        let mut rng = Stream::new(3, "test/wallets", 0);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let (mut observed, mut index, mut truth, mut total) = (Observed::default(), Vec::new(), Vec::new(), 0.0);
        for _ in 0..number {
            // The index is what is known, demand scatters around it.
            let known = 5.0 + normal();
            let log_size = known + size_error * normal();
            let log_odds = -0.8 + taste * normal();
            let share = 1.0 / (1.0 + libm::exp(-log_odds));
            let demand = libm::exp(log_size);
            total += demand;
            truth.push(log_odds);
            index.push(known);
            observed.customers.push(ObservedCustomer {
                served: true,
                own_year: share * demand,
                months_with_us: 12,
                orders_of_year: 1_000,
                ..Default::default()
            });
        }
        let sizes = KnownSizes {
            source: SizeSource::SizeColumn,
            variance: vec![0.0; number],
            unserved_sd: 0.0,
            index,
            kappa: NormalPrior::new(1.0, 0.1),
            log_tau: NormalPrior::new(libm::log(size_error), 0.1),
            level: None,
        };
        (observed, sizes, truth, total)
    }

    /// `amount` shared out over these customers; wallets of all.
    fn shared(open: &[usize], amount: f64, columns: &KnownColumns, draw: SizesOfDraw<'_>, stream: u64) -> Vec<f32> {
        let mut wallets = vec![0.0; columns.own.len()];
        let mut rng = Stream::new(1, "test/wallets", stream);
        let mut sizes = OpenSizes::default();
        sizes.write(open, columns, draw, Isa::detect());
        share_out(open, &mut sizes, amount, 0.6, Isa::detect(), &mut rng, &mut wallets);
        wallets
    }

    fn activity(number: usize) -> Vec<Activity> {
        vec![Activity::new(0.0, 0.0, [1.0; LEVELS]); number]
    }

    #[test]
    fn shares_scatter_as_tastes_do_however_uncertain_the_sizes() {
        for size_error in [0.2, 0.5, 1.0] {
            let (observed, sizes, truth, amount) = customers(3_000, 0.6, size_error);
            let columns = KnownColumns::new(&observed, &activity(truth.len()));
            let open: Vec<usize> = (0..truth.len()).collect();
            let draw = SizesOfDraw { sizes: &sizes, kappa: 1.0, tau: size_error, unserved: 0.0 };
            let wallets = shared(&open, amount, &columns, draw, 9);
            let sum: f64 = wallets.iter().map(|&w| f64::from(w)).sum();
            assert!((sum / amount - 1.0).abs() < 1e-5);
            let log_odds: Vec<f64> = (0..truth.len())
                .map(|i| {
                    let share = columns.own[i] / f64::from(wallets[i]);
                    assert!(share <= 1.0);
                    libm::log(share / (1.0 - share))
                })
                .collect();
            let (mean, sd) = mean_sd(&log_odds);
            let (true_mean, true_sd) = mean_sd(&truth);
            // With sizes as shares' only evidence the deviation would be 0.66, 0.92 and 1.5 here.
            assert!((sd / true_sd - 1.0).abs() < 0.15, "{size_error}: {sd:.3} for {true_sd:.3}");
            // The delta method leaves an eighth of a log odd where sizes are wrong by a factor of e, and less where they are better.
            assert!((mean - true_mean).abs() < 0.15, "{size_error}: {mean:.3} for {true_mean:.3}");
        }
    }

    #[test]
    fn no_wallet_falls_below_our_own_sales() {
        let (observed, sizes, _, amount) = customers(50, 1.5, 1.0);
        let columns = KnownColumns::new(&observed, &activity(50));
        let open: Vec<usize> = (0..50).collect();
        let own: f64 = columns.own.iter().sum();
        let draw = SizesOfDraw { sizes: &sizes, kappa: 1.0, tau: 1.0, unserved: 0.0 };
        // Down to nothing but our own sales, and below.
        for amount in [amount, 1.01 * own, own, 0.5 * own] {
            let wallets = shared(&open, amount, &columns, draw, 1);
            assert!(wallets.iter().zip(&columns.own).all(|(&w, &own)| f64::from(w) >= own && w.is_finite()));
        }
        shared(&[], 10.0, &columns, draw, 1);
    }

    #[test]
    fn a_survey_says_how_tastes_differ() {
        let (mut observed, _, truth, _) = customers(200, 0.6, 0.1);
        let wide = KnownColumns::new(&observed, &activity(200)).taste;
        assert!((wide.0 - libm::log(0.8)).abs() < 1e-12);
        let mut rng = Stream::new(4, "test/wallets", 0);
        for (customer, log_odds) in observed.customers.iter_mut().zip(&truth) {
            let error: f64 = StandardNormal.sample(&mut rng);
            customer.wallet = Some(customer.own_year * (1.0 + libm::exp(-log_odds)) * libm::exp(0.15 * error));
        }
        let (centre, deviation) = KnownColumns::new(&observed, &activity(200)).taste;
        // A survey does not tell the error of its answers from tastes: narrower than that it is not.
        assert!((libm::exp(centre) - 0.6).abs() < 0.08 && deviation < 0.15, "{centre} {deviation}");
    }

    #[test]
    fn who_came_late_is_not_taken_for_one_who_buys_elsewhere() {
        // Two like customers, one with us for three months: the same wallet, a quarter of the sales.
        let customer = |months_with_us, own_year| ObservedCustomer {
            served: true,
            own_year,
            months_with_us,
            orders_of_year: 12,
            ..Default::default()
        };
        let observed = Observed { customers: vec![customer(12, 40.0), customer(3, 10.0)], ..Default::default() };
        let sizes = KnownSizes {
            source: SizeSource::Orders,
            index: vec![0.0; 2],
            variance: vec![0.0; 2],
            unserved_sd: 0.0,
            kappa: NormalPrior::new(1.0, 0.1),
            log_tau: NormalPrior::new(-3.0, 0.1),
            level: None,
        };
        let columns = KnownColumns::new(&observed, &activity(2));
        let draw = SizesOfDraw { sizes: &sizes, kappa: 1.0, tau: 0.01, unserved: 0.0 };
        let wallets = shared(&[0, 1], 200.0, &columns, draw, 1);
        assert!((wallets[0] / wallets[1] - 1.0).abs() < 0.05, "{wallets:?}");
    }
}
