//! How well each customer's own months are foreseen, months that calibration has not seen, on the real visits and prescriptions of
//! 1,000 physicians:
//!
//! ```sh
//! cargo run --release --example physicians -- $IKIZ_SHARED/data/detailing/market [months held out]
//! ```
//!
//! Calibrates on the months before the last five (18 of 23), draws each physician's five months and scores the draws by CRPS against
//! two forecasts that any analyst can make: a negative binomial at the physician's own mean, and one at a mean that weights the
//! past exponentially (0.8 a month) and is shrunk to that of all (gamma). Both have one dispersion, fitted to the past. The contacts of
//! the months held out are taken as they were (`known`: what sales would follow these visits?) or as those of the past six months
//! on average (`usual`: what will be sold?).

use std::error::Error;
use std::path::Path;

use ikiz::calibrate::{self, Calibration, Draw};
use ikiz::channel::Channel;
use ikiz::data;
use ikiz::market::{self, Market, Sparse};
use ikiz::rng::Stream;
use ikiz::simulate::mechanisms::choice;
use ikiz::trial::backtest::crps;
use rand::RngExt as _;
use rand_distr::{Distribution as _, Poisson, StandardNormal};

const DECAY: f64 = 0.8;
const USUAL: usize = 6;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the market directory")?;
    let ahead: usize = arguments.next().map_or(Ok(5), |word| word.parse())?;
    let all = |problems: Vec<ikiz::problem::Problem>| ikiz::problem::render(&problems, false);
    let (scenario, _) =
        ikiz::scenario::parse(Path::new("physicians.toml"), "schema = 1\n[economics]\nstable_prices = true\n", &[])
            .map_err(all)?;
    let loaded = data::load(Path::new(&folder)).map_err(|refused| all(refused.problems))?.market;
    let whole = market::bind(&scenario, loaded).map_err(all)?.0.market;
    let known = whole.months().saturating_sub(ahead);
    let then = whole.as_known(whole.history.at(known.saturating_sub(1)));
    let settings = calibrate::Settings { seed: 1, draws: 400, feasts: false, ..calibrate::Settings::default() };
    let calibration = calibrate::fit(&then, &settings, &mut |_, _| ())?;
    for row in calibration.diagnostics.iter().filter(|row| row.parameter.contains("face_to_face")) {
        let s = &row.summary;
        println!("{}: {:.3} (90% {:.3} to {:.3})", row.parameter, s.mean, s.q05, s.q95);
    }
    let sales = by_month(&whole.sales, &whole);
    let calls = whole.calls.as_ref().ok_or("no calls.csv")?;
    let visits = by_month(&calls[Channel::FaceToFace.index()], &whole);
    let count = sales.len();
    let scored = |forecast: &dyn Fn(usize, usize) -> f64| {
        let sum: f64 = (0..count).flat_map(|i| (0..ahead).map(move |h| (i, h))).map(|(i, h)| forecast(i, h)).sum();
        sum / (count * ahead) as f64
    };
    let own_mean = |i: usize, until: usize| sales[i][..until].iter().sum::<f64>() / until as f64;
    let weighted = Weighted::new(&sales, known);
    let own_size = dispersion(&sales, known, &|i, _| own_mean(i, known));
    let weighted_size = dispersion(&sales, known, &|i, t| weighted.mean(&sales[i][..t]));
    let naive = scored(&|i, h| negative_binomial_crps(own_mean(i, known), own_size, sales[i][known + h]));
    let smooth =
        scored(&|i, h| negative_binomial_crps(weighted.mean(&sales[i][..known]), weighted_size, sales[i][known + h]));
    println!("negative binomial at the own mean: CRPS {naive:.4}");
    println!("weighted and shrunk: CRPS {smooth:.4} ({:+.1}%)", 100.0 * (smooth / naive - 1.0));
    for (name, usual) in [("known", false), ("usual", true)] {
        let plan: Vec<Vec<f64>> = visits
            .iter()
            .map(|row| {
                let mean = row[known - USUAL..known].iter().sum::<f64>() / USUAL as f64;
                if usual { vec![mean; ahead] } else { row[known..].to_vec() }
            })
            .collect();
        let drawn = draws(&then, &calibration, &plan, ahead);
        let sorted = |i: usize, h: usize| {
            let mut draws: Vec<f64> = drawn.iter().map(|run| run[i][h]).collect();
            draws.sort_by(f64::total_cmp);
            draws
        };
        let cells: Vec<Vec<Vec<f64>>> = (0..count).map(|i| (0..ahead).map(|h| sorted(i, h)).collect()).collect();
        let ours = scored(&|i, h| crps(&cells[i][h], sales[i][known + h]));
        let versus = |other: f64| 100.0 * (ours / other - 1.0);
        let held = scored(&|i, h| {
            let within = |level| ikiz::stats::quantile_sorted(&cells[i][h], level);
            f64::from(u8::from(within(0.05) <= sales[i][known + h] && sales[i][known + h] <= within(0.95)))
        });
        let mean = scored(&|i, h| cells[i][h].iter().sum::<f64>() / cells[i][h].len() as f64);
        println!(
            "ikiz, contacts {name}: CRPS {ours:.4} ({:+.1}% to the own mean, {:+.1}% to the weighted), 90% holds {held:.2}, \
             mean {mean:.3} of {:.3}",
            versus(naive),
            versus(smooth),
            scored(&|i, h| sales[i][known + h]),
        );
    }
    Ok(())
}

/// `[customer][month]`.
fn by_month(amounts: &Sparse, market: &Market) -> Vec<Vec<f64>> {
    let mut out = vec![vec![0.0; market.months()]; market.customer_count()];
    for (i, row) in out.iter_mut().enumerate() {
        amounts.of(i).for_each(|(month, amount)| row[month] += amount);
    }
    out
}

/// `[draw][customer][month]` after the history, with these contacts.
fn draws(market: &Market, calibration: &Calibration, plan: &[Vec<f64>], ahead: usize) -> Vec<Vec<Vec<f64>>> {
    let next = market.history.last.plus(1);
    let one = |(d, draw): (usize, &Draw)| {
        let rates = calibration.customer_rates(market, d, 7);
        let mut rng = Stream::new(7, "physicians", d as u64);
        let parameters = &draw.parameters;
        let goodwill = &parameters.goodwill;
        let mean = rates.goodwill.iter().sum::<f64>() / rates.goodwill.len().max(1) as f64;
        let share = draw.value("choice.share_of_wallet").unwrap_or(0.5);
        let appeal = choice::appeal(share, mean);
        let growth = draw.value("own.growth").unwrap_or(0.0);
        let mut walk = 0.0;
        let levels: Vec<f64> = (0..ahead)
            .map(|h| {
                let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
                walk += draw.own_wander.walk * normal();
                let off = walk + draw.own_wander.white * normal();
                let season = parameters.season[next.plus(h as i32).of_year()];
                season * (growth * (h + 1) as f64 + off).exp()
            })
            .collect();
        (0..plan.len())
            .map(|i| {
                let mut now = rates.goodwill[i];
                let today = choice::share(appeal + now, 1.0);
                let mut active = rates.active[i];
                (0..ahead)
                    .map(|h| {
                        now = goodwill.step(now, goodwill.lift(Channel::FaceToFace, plan[i][h]));
                        let chance = if active { parameters.churn } else { parameters.conversion.reactivation };
                        active ^= rng.random::<f64>() < chance;
                        if !active {
                            return 0.0;
                        }
                        let mean = rates.own[i] * levels[h] * choice::share(appeal + now, 1.0) / today;
                        let orders = mean / parameters.order_unit;
                        Poisson::new(orders).map_or(0.0, |poisson| poisson.sample(&mut rng)) * parameters.order_unit
                    })
                    .collect()
            })
            .collect()
    };
    calibration.draws.iter().enumerate().map(one).collect()
}

/// Exponentially weighted means, shrunk by a gamma prior whose moments are those of the physicians.
struct Weighted {
    shape: f64,
    rate: f64,
}

impl Weighted {
    fn sums(past: &[f64]) -> (f64, f64) {
        past.iter().fold((0.0, 0.0), |(sum, weight), y| (DECAY * sum + y, DECAY * weight + 1.0))
    }

    fn new(sales: &[Vec<f64>], known: usize) -> Self {
        let rows: Vec<(f64, f64)> = sales.iter().map(|row| Self::sums(&row[..known])).collect();
        let means: Vec<f64> = rows.iter().map(|(sum, weight)| sum / weight).collect();
        let (mean, sd) = ikiz::stats::mean_sd(&means);
        let noise = means.iter().zip(&rows).map(|(mean, (_, weight))| mean / weight).sum::<f64>() / means.len() as f64;
        let between = (sd * sd - noise).max(0.05 * sd * sd);
        Self { shape: mean * mean / between, rate: mean / between }
    }

    fn mean(&self, past: &[f64]) -> f64 {
        let (sum, weight) = Self::sums(past);
        (self.shape + sum) / (self.rate + weight)
    }
}

/// Size of the negative binomial that makes the second half of the past most likely.
fn dispersion(sales: &[Vec<f64>], known: usize, mean: &dyn Fn(usize, usize) -> f64) -> f64 {
    let likelihood = |size: f64| -> f64 {
        let cells = sales.iter().enumerate().flat_map(|(i, row)| (known / 2..known).map(move |t| (i, t, row[t])));
        cells.map(|(i, t, y)| log_negative_binomial(y, mean(i, t).max(1e-3), size)).sum()
    };
    let sizes = (0..60).map(|k| 0.1 * 1.12_f64.powi(k));
    sizes.map(|size| (likelihood(size), size)).fold((f64::NEG_INFINITY, 1.0), |a, b| if b.0 > a.0 { b } else { a }).1
}

fn log_negative_binomial(y: f64, mean: f64, size: f64) -> f64 {
    let gamma = libm::lgamma;
    gamma(y + size) - gamma(size) - gamma(y + 1.0)
        + size * (size / (size + mean)).ln()
        + y * (mean / (size + mean)).ln()
}

/// `sum over k of (F(k) - 1{y <= k})^2`.
fn negative_binomial_crps(mean: f64, size: f64, y: f64) -> f64 {
    let mean = mean.max(1e-3);
    let most = (mean + 30.0 * (mean + mean * mean / size).sqrt() + y + 20.0) as usize;
    let (mut below, mut sum) = (0.0, 0.0);
    for k in 0..=most {
        below += log_negative_binomial(k as f64, mean, size).exp();
        let step = if y <= k as f64 { 1.0 } else { 0.0 };
        sum += (below - step) * (below - step);
    }
    sum
}
