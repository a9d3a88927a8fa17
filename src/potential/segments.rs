//! A draw of the dark half by territory and segment.
//!
//! The fusion of the evidence knows no segments, so each draw is split afterwards. What is known is split by customer, exactly.
//! The dark are split by an assumption with its doubt. With s a segment, j a territory, k_js the open known customers in a
//! draw, pi_s their composition over the whole market (half a customer added to each) and M how strongly territories
//! are shrunk to it:
//!
//! ```text
//! p_j  ~ Dirichlet(M pi + k_j)                      composition of the buyers of a territory, as the known show it
//! w_js ~ p_js exp(-lambda l_s + delta_s)            composition of its dark; l_s: mean log wallet of segment s
//! n_j  = listed_j + Multinomial(N_j - listed_j, w_j)
//! D_js = D_j n_js m_s e_js / sum_s(...)             m_s: mean wallet; e_js ~ Gamma, mean 1, variance cv^2 / n_js
//! ```
//!
//! **Selection by size.** Large customers are found first, so segments of large customers are less dark. Of the draw's log R a part
//! g ~ U(0, 1) is due to which segments the dark belong to, the rest to smaller size within a segment: `lambda` makes the mean
//! wallet under pi over that under `pi exp(-lambda l)` equal to R^g. Where segments differ too little in size for that, lambda
//! stops at [`STEEPEST`] standard deviations of l, and the rest of R is within segments. Nothing in the files tells g: its
//! whole range is taken.
//!
//! **What size does not explain.** `delta_s ~ N(0, 0.5^2)`, one for the whole market in each draw: a segment may be harder to find
//! for reasons of its own. Without it the doubt of 81 territories would average out, and the sum would look known. 0.5 is an
//! assumption: the odds of a segment are right to a factor of about 2.3 either way (90%).
//!
//! Customers that are listed in `captures.csv` without being ours are dark, so they bound the dark of their segment from below
//! (in proportion, where an audit leaves room for fewer). Segments sum to the territory within every draw. Customers without
//! a segment are one more, with a blank name.

use rand::RngExt as _;
use rand_distr::{Binomial, Distribution as _, Gamma, StandardNormal};

use super::dark_half::DarkHalf;
use crate::ids::Index as _;
use crate::market::Market;
use crate::rng::Stream;

/// Log deviation of a segment's darkness that its size does not explain.
const UNEXPLAINED: f64 = 0.5;

/// How far composition may be tilted, in standard deviations of the segments' log sizes.
const STEEPEST: f64 = 3.0;

/// Known customers that the market's composition counts for in a territory. With half a dozen known customers of its own a
/// territory speaks as loud as the market.
const SHRINKAGE: f64 = 6.0;

/// Wallets of the market's mean that are added to those of a segment, so that one customer does not decide its size.
const STEADIED: f64 = 2.0;

/// The known customers, as segments need them.
#[derive(Debug, Clone, Default)]
pub(super) struct Segmented {
    /// Names; blank for customers without one.
    pub names: Vec<String>,
    /// Segment of each customer.
    segment: Vec<usize>,
    served: Vec<bool>,
    own: Vec<f64>,
    /// First customer of each territory, and one past the last.
    starts: Vec<(usize, usize)>,
    /// `[territory][segment]`: on a list and not ours.
    listed: Vec<Vec<f64>>,
}

/// A territory's segment in one draw.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Part {
    pub dark_customers: f64,
    pub identified_customers: f64,
    pub served_customers: f64,
    pub dark_demand: f64,
    pub identified_demand: f64,
    pub served_demand: f64,
    pub own: f64,
    pub own_served: f64,
}

impl Segmented {
    /// `None` when no customer has a segment.
    pub(super) fn new(market: &Market) -> Option<Self> {
        let customers = &market.data.customers;
        if customers.segment.iter().all(Option::is_none) {
            return None;
        }
        let mut names = customers.segment_names.clone();
        let blank = names.len();
        let captures = market.data.captures.as_ref().filter(|captures| captures.own_list.is_some());
        let rows = captures.map_or(&[][..], |captures| &captures.rows);
        if customers.segment.iter().any(Option::is_none) || rows.iter().any(|row| row.segment.is_none()) {
            names.push(String::new());
        }
        let at = |segment: Option<u16>| segment.map_or(blank, usize::from);
        let mut listed = vec![vec![0.0; names.len()]; market.territory_count()];
        let own_list = captures.and_then(|captures| captures.own_list);
        // Without segments in captures.csv its rows say nothing of them.
        let by_segment = rows.iter().any(|row| row.segment.is_some());
        for row in rows.iter().filter(|_| by_segment) {
            if own_list.is_some_and(|own| row.history != 0 && row.history >> own & 1 == 0) {
                listed[row.territory.usize()][at(row.segment)] += f64::from(row.count);
            }
        }
        Some(Self {
            segment: customers.segment.iter().map(|&segment| at(segment)).collect(),
            served: market.bought(),
            own: market.own_last_year(),
            starts: (0..market.territory_count())
                .map(|j| {
                    let range = market.customers_of(j);
                    (range.start, range.end)
                })
                .collect(),
            listed,
            names,
        })
    }

    /// Splits draw `d`: `[territory][segment]`.
    pub(super) fn split(&self, dark: &DarkHalf, d: usize, rng: &mut Stream) -> Vec<Vec<Part>> {
        let wallets = &dark.wallets[d];
        let sizes = SegmentSizes::new(self.names.len(), &self.segment, wallets);
        let part: f64 = rng.random();
        let lambda = sizes.tilt(part * libm::log(dark.size_ratio[d].max(1e-6)));
        let tilt: Vec<f64> = sizes
            .log_size
            .iter()
            .map(|size| {
                let z: f64 = StandardNormal.sample(rng);
                libm::exp(-lambda * (size - sizes.centre) + UNEXPLAINED * z)
            })
            .collect();
        (0..self.starts.len())
            .map(|j| {
                let mut parts = self.known(dark, d, j);
                let open: Vec<f64> =
                    parts.iter().map(|part| part.served_customers + part.identified_customers).collect();
                let weights: Vec<f64> = open
                    .iter()
                    .zip(&sizes.composition)
                    .zip(&tilt)
                    .map(|((known, share), tilt)| gamma(SHRINKAGE * share + known, rng) * tilt)
                    .collect();
                let counts = counts(dark.dark_customers[d][j], &self.listed[j], &weights, rng);
                let cv = dark.size_cv[d].max(1e-3);
                let demand: Vec<f64> = counts
                    .iter()
                    .zip(&sizes.mean)
                    .map(|(&n, mean)| if n > 0.0 { mean * gamma(n / (cv * cv), rng) } else { 0.0 })
                    .collect();
                let demand = shared_out(dark.dark_demand[d][j], &demand, &counts);
                for (part, (count, demand)) in parts.iter_mut().zip(counts.iter().zip(demand)) {
                    (part.dark_customers, part.dark_demand) = (*count, demand);
                }
                parts
            })
            .collect()
    }

    /// What is known, by customer; rounding of single-precision wallets is spread so that the territory's sums are kept.
    fn known(&self, dark: &DarkHalf, d: usize, j: usize) -> Vec<Part> {
        let mut parts = vec![Part::default(); self.names.len()];
        let (from, to) = self.starts[j];
        for i in from..to {
            let part = &mut parts[self.segment[i]];
            let wallet = f64::from(dark.wallets[d][i]);
            part.own += self.own[i];
            if self.served[i] {
                part.served_customers += 1.0;
                part.served_demand += wallet;
                part.own_served += self.own[i];
            } else if wallet > 0.0 {
                part.identified_customers += 1.0;
                part.identified_demand += wallet;
            }
        }
        let scale = |total: f64, of: f64| if of > 0.0 { total / of } else { 0.0 };
        let served = scale(dark.served_demand[d][j], parts.iter().map(|part| part.served_demand).sum());
        let identified = scale(dark.identified_demand[d][j], parts.iter().map(|part| part.identified_demand).sum());
        for part in &mut parts {
            part.served_demand *= served;
            part.identified_demand *= identified;
        }
        parts
    }
}

/// Size and number of the known by segment, whole market, in one draw.
struct SegmentSizes {
    /// Mean log wallet.
    log_size: Vec<f64>,
    /// Mean wallet.
    mean: Vec<f64>,
    composition: Vec<f64>,
    /// Mean and standard deviation of `log_size` under the composition.
    centre: f64,
    spread: f64,
}

impl SegmentSizes {
    fn new(segments: usize, segment: &[usize], wallets: &[f32]) -> Self {
        let (mut number, mut sum, mut log) = (vec![0.0; segments], vec![0.0; segments], vec![0.0; segments]);
        for (&s, &wallet) in segment.iter().zip(wallets) {
            if wallet > 0.0 {
                number[s] += 1.0;
                sum[s] += f64::from(wallet);
                log[s] += libm::log(f64::from(wallet));
            }
        }
        let all: f64 = number.iter().sum();
        let mean = if all > 0.0 { sum.iter().sum::<f64>() / all } else { 1.0 };
        let mean_log = if all > 0.0 { log.iter().sum::<f64>() / all } else { 0.0 };
        let steadied = |of: &[f64], towards: f64| -> Vec<f64> {
            of.iter().zip(&number).map(|(sum, n)| (sum + STEADIED * towards) / (n + STEADIED)).collect()
        };
        let (log_size, mean) = (steadied(&log, mean_log), steadied(&sum, mean));
        let composition: Vec<f64> = number.iter().map(|n| (n + 0.5) / (all + 0.5 * segments as f64)).collect();
        let centre: f64 = composition.iter().zip(&log_size).map(|(p, l)| p * l).sum();
        let variance: f64 = composition.iter().zip(&log_size).map(|(p, l)| p * (l - centre) * (l - centre)).sum();
        Self { log_size, mean, composition, centre, spread: variance.sqrt() }
    }

    /// Log of the mean wallet of the known over that of the composition tilted by `lambda`.
    fn log_ratio(&self, lambda: f64) -> f64 {
        let (mut plain, mut weights, mut tilted) = (0.0, 0.0, 0.0);
        for ((p, l), mean) in self.composition.iter().zip(&self.log_size).zip(&self.mean) {
            let weight = p * libm::exp(-lambda * (l - self.centre));
            plain += p * mean;
            weights += weight;
            tilted += weight * mean;
        }
        libm::log(plain * weights / tilted)
    }

    /// The tilt that explains `log_ratio`, or the steepest one.
    fn tilt(&self, log_ratio: f64) -> f64 {
        if self.spread < 1e-6 {
            return 0.0;
        }
        let most = STEEPEST / self.spread;
        let (mut low, mut high) = (-most, most);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if self.log_ratio(middle) < log_ratio { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

/// A gamma draw of scale 1; a shape of nothing gives nothing.
fn gamma(shape: f64, rng: &mut Stream) -> f64 {
    Gamma::new(shape, 1.0).map_or(0.0, |gamma| gamma.sample(rng))
}

/// `number` over segments: those listed, and the others by weight. A fraction of a customer goes by weight, too.
fn counts(number: f64, listed: &[f64], weights: &[f64], rng: &mut Stream) -> Vec<f64> {
    let bound: f64 = listed.iter().sum();
    if bound >= number {
        return listed.iter().map(|n| if bound > 0.0 { n * (number / bound) } else { 0.0 }).collect();
    }
    let even = vec![1.0; weights.len()];
    let total: f64 = weights.iter().sum();
    let (weights, total) = if total > 0.0 { (weights, total) } else { (&even[..], even.len() as f64) };
    let free = number - bound;
    let (mut left, fraction) = (free.floor(), free.fract());
    let mut remaining = total;
    let last = weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0);
    (0..weights.len())
        .map(|s| {
            let chance = (weights[s] / remaining).clamp(0.0, 1.0);
            let here = match Binomial::new(left as u64, chance) {
                Ok(binomial) if s < last => binomial.sample(rng) as f64,
                _ if s == last => left,
                _ => 0.0,
            };
            left -= here;
            remaining = (remaining - weights[s]).max(f64::MIN_POSITIVE);
            listed[s] + here + fraction * weights[s] / total
        })
        .collect()
}

/// `amount` in proportion to `weights`, or to `otherwise` where those are all nothing.
fn shared_out(amount: f64, weights: &[f64], otherwise: &[f64]) -> Vec<f64> {
    let by = if weights.iter().sum::<f64>() > 0.0 { weights } else { otherwise };
    let sum: f64 = by.iter().sum();
    by.iter().map(|weight| if sum > 0.0 { amount * weight / sum } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests;
