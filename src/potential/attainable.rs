//! What could be won at an effort: from goodwill at the effort to shares, chances and sales.
//!
//! With G(e) the goodwill that the effort's steady visits lead to and a_i the appeal of a customer (the log odds of us against all
//! others at zero goodwill), competitors carrying on:
//!
//! ```text
//! attainable share   s_i = logistic(a_i + G(e))
//! headroom           sum over served of max(s_i - share today, 0) x category demand
//! attainable sales   sum over the white space of P(won) x s_i x category demand, a year at equilibrium
//! ```
//!
//! P(won within n months) of an identified customer is `1 - prod_t (1 - p_t)`, `p_t = 1 - exp(-hazard exp(effect G_t))`, with G_t
//! building up from nothing by the month: `G_t = decay G_{t-1} + lift(e)`. A dark one must first be found, with probability f a month:
//! `sum_m f (1 - f)^(m-1) (o + (1 - o) P(won within n - m))`, where a share o of those found is found because it orders. The appeal of a served customer is what makes today's share of its wallet come out at
//! today's goodwill; the white space is given the appeals of served customers, less the selection (`choice.selection`: who
//! was won first liked us more), of which a part (`choice.selection_of_known`) holds for customers whom we know already. The dark of a territory are drawn one by one: they differ
//! in size, in appeal and in how soon they are found (`visibility.rs`), and where they are few, chance decides much. Sales that already reach the white space through
//! wholesalers are not there to be won.
//!
//! The functions take plain numbers, so that the truth of a synthetic market goes through the same ones.

use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};

use super::dark_half::DarkHalf;
use super::pairing::paired;
use super::visibility;
use crate::calibrate::{Calibration, CustomerRates, Draw};
use crate::channel::Channel;
use crate::market::Market;
use crate::rng::Stream;
use crate::scenario::Effort;
use crate::simulate::Parameters;
use crate::simulate::mechanisms::choice;

/// Share of the dark found a month at most: where fewer are left than were found, nearly all are.
const MOST_FOUND: f64 = 0.999;

/// Served customers a territory must have for its own appeals to speak for its white space.
const ENOUGH_SERVED: usize = 5;

/// What the attainable measures read beside the dark half.
#[derive(Clone, Copy)]
pub struct AttainableInputs<'a> {
    pub effort: Effort,
    pub calibration: &'a Calibration,
    /// Own rates of all known customers, by draw of the calibration.
    pub rates: &'a (dyn Fn(usize) -> CustomerRates + Sync),
    pub seed: u64,
}

/// Goodwill under a steady effort of visits.
pub fn goodwill_at(parameters: &Parameters, calls_per_month: f64) -> f64 {
    parameters.goodwill.steady_of(Channel::FaceToFace, calls_per_month)
}

/// Probability that an identified customer begins to buy from us within 0, 1, ..., `effort.months` months of the effort.
pub fn conversion_within(parameters: &Parameters, effort: Effort) -> Vec<f64> {
    let conversion = &parameters.conversion;
    let lift: f64 = parameters.goodwill.lift(Channel::FaceToFace, effort.calls_per_month);
    let mut goodwill = 0.0;
    let mut log_not = 0.0;
    let mut out = vec![0.0];
    for _ in 0..effort.months {
        goodwill = parameters.goodwill.step(goodwill, lift);
        log_not -= conversion.hazard * libm::exp(conversion.goodwill_effect * goodwill);
        out.push(-libm::expm1(log_not));
    }
    out
}

/// Probability that a dark customer is found and then won within the months of `conversion` (as [`conversion_within`] gives
/// it), when each month a share `found` of the dark is found, and of those found a share `at_once` because they order.
pub fn won_from_the_dark(found: f64, conversion: &[f64], at_once: f64) -> f64 {
    let months = conversion.len().saturating_sub(1);
    let found = found.clamp(0.0, 1.0);
    let mut hidden = 1.0;
    let mut won = 0.0;
    for month in 1..=months {
        won += hidden * found * (at_once + (1.0 - at_once) * conversion[months - month]);
        hidden *= 1.0 - found;
    }
    won
}

/// What a prospect of the usual appeal gives us in the end: P(won) x share, its demand being 1. The appeal is that of a customer which
/// at the effort's visits gives us the draw's share of wallet. The untapped share of a white space of which all but the
/// draw's parameters is known is in proportion to it.
pub fn standard_prospect(draw: &Draw, effort: Effort) -> f64 {
    let goodwill = goodwill_at(&draw.parameters, effort.calls_per_month);
    let share = draw.value("choice.share_of_wallet").unwrap_or(0.0);
    let won = conversion_within(&draw.parameters, effort).last().copied().unwrap_or(0.0);
    won * choice::share(choice::appeal(share, goodwill) - draw.selection + goodwill, 1.0)
}

/// One customer or cell of the white space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prospect {
    /// Log odds of us against all others at zero goodwill, once won.
    pub appeal: f64,
    /// Category demand a year.
    pub demand: f64,
    /// Probability of being won within the effort's months.
    pub won: f64,
}

/// What the white space of a territory yields.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Attainable {
    /// Demand that is there to be won: category demand less what already reaches it indirectly.
    pub winnable: f64,
    /// Sum of share x winnable demand.
    pub shared: f64,
    /// Sum of P(won) x winnable demand.
    pub won: f64,
    /// Sum of P(won) x share x winnable demand: attainable sales a year.
    pub sales: f64,
}

/// Attainable sales of a territory's white space at the goodwill of the effort.
///
/// `indirect` is what of its demand we already supply through wholesalers, a year; it is taken off in proportion.
pub fn attainable_sales(white_space: &[Prospect], goodwill: f64, indirect: f64) -> Attainable {
    let demand: f64 = white_space.iter().map(|prospect| prospect.demand).sum();
    if demand <= 0.0 {
        return Attainable::default();
    }
    let left = (1.0 - indirect / demand).clamp(0.0, 1.0);
    let mut out = Attainable::default();
    for prospect in white_space {
        let share = choice::share(prospect.appeal + goodwill, 1.0);
        let winnable = left * prospect.demand;
        out.winnable += winnable;
        out.shared += share * winnable;
        out.won += prospect.won * winnable;
        out.sales += prospect.won * share * winnable;
    }
    out
}

/// What a served customer would give us more at the effort, a year: never negative.
pub fn headroom(appeal: f64, goodwill_today: f64, goodwill_effort: f64, demand: f64) -> f64 {
    let more = choice::share(appeal + goodwill_effort, 1.0) - choice::share(appeal + goodwill_today, 1.0);
    more.max(0.0) * demand
}

impl Attainable {
    pub(super) fn add(&mut self, other: &Self) {
        self.winnable += other.winnable;
        self.shared += other.shared;
        self.won += other.won;
        self.sales += other.sales;
    }
}

/// A part of a territory's dark customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// Appeal of a served customer that stands for it.
    pub appeal: f64,
    /// Category demand a year.
    pub demand: f64,
    /// Share found a month.
    pub found: f64,
    /// Part of the selection that does not hold for it.
    pub lean: f64,
}

/// White space of a territory on one draw, before effort and selection are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct White {
    /// Appeal of a served customer that stands for it, and category demand a year.
    pub identified: Vec<(f64, f64)>,
    /// Parts of the dark.
    pub cells: Vec<Cell>,
    /// What of its demand already reaches it through wholesalers, a year.
    pub indirect: f64,
}

/// What the white space of each territory yields at an effort, with these log odds taken off for selection.
pub(super) fn yields(
    white: &[White],
    parameters: &Parameters,
    effort: Effort,
    selection: Selection,
) -> Vec<Attainable> {
    let goodwill = goodwill_at(parameters, effort.calls_per_month);
    let conversion = conversion_within(parameters, effort);
    let of = |white: &White| {
        attainable_sales(
            &white.prospects(&conversion, parameters.conversion.at_once, selection),
            goodwill,
            white.indirect,
        )
    };
    white.iter().map(of).collect()
}

impl White {
    /// Prospects, given the chance of conversion by month and the log odds that selection takes off.
    pub(super) fn prospects(&self, conversion: &[f64], at_once: f64, selection: Selection) -> Vec<Prospect> {
        let converted = conversion.last().copied().unwrap_or(0.0);
        let identified = self.identified.iter().map(|&(appeal, demand)| Prospect {
            appeal: appeal - selection.of_known,
            demand,
            won: converted,
        });
        let dark = self.cells.iter().map(|cell| Prospect {
            appeal: cell.appeal - selection.of_dark * (1.0 - cell.lean),
            demand: cell.demand,
            won: won_from_the_dark(cell.found, conversion, at_once),
        });
        identified.chain(dark).collect()
    }
}

/// Headroom and white space by territory, on one draw of the dark half.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct AttainableDraw {
    pub headroom: Vec<f64>,
    pub white: Vec<Attainable>,
}

pub(super) fn draw(
    market: &Market,
    served: &[bool],
    dark: &DarkHalf,
    inputs: AttainableInputs<'_>,
    index: usize,
) -> Option<AttainableDraw> {
    let (parameters, rates) = response(market, served, dark, inputs, index)?;
    let effort = goodwill_at(&parameters, inputs.effort.calls_per_month);
    let wallets = &dark.wallets[index];
    let appeal = appeals(served, wallets, &rates);
    let more = |j: usize| {
        let of = |i: usize| Some(headroom(appeal[i]?, rates.goodwill[i], effort, f64::from(wallets[i])));
        market.customers_of(j).filter_map(of).sum::<f64>()
    };
    let white = white(market, served, dark, inputs, &appeal, index);
    Some(AttainableDraw {
        headroom: (0..market.territory_count()).map(more).collect(),
        white: yields(&white, &parameters, inputs.effort, selection(inputs, index)),
    })
}

/// The response and the customers' rates that go with a draw of the dark half; `None` without draws of the calibration.
pub(super) fn response(
    market: &Market,
    served: &[bool],
    dark: &DarkHalf,
    inputs: AttainableInputs<'_>,
    index: usize,
) -> Option<(Parameters, CustomerRates)> {
    let draw = index % inputs.calibration.draws.len().max(1);
    let rates = (draw < inputs.calibration.draws.len()).then(|| (inputs.rates)(draw))?;
    paired(market, inputs.calibration, draw, rates, served, &dark.wallets[index])
}

/// Log odds by which the white space likes us less than those we serve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Selection {
    /// Customers whom we know.
    pub of_known: f64,
    pub of_dark: f64,
}

impl Selection {
    /// So many times it.
    pub(super) fn times(self, times: f64) -> Self {
        Self { of_known: times * self.of_known, of_dark: times * self.of_dark }
    }
}

/// What selection takes off on a draw.
pub(super) fn selection(inputs: AttainableInputs<'_>, index: usize) -> Selection {
    let draws = &inputs.calibration.draws;
    let none = Selection { of_known: 0.0, of_dark: 0.0 };
    draws
        .get(index % draws.len().max(1))
        .map_or(none, |draw| Selection { of_known: draw.selection_of_known(), of_dark: draw.selection })
}

/// The white space by territory on one draw, at the customers' rates that go with it.
pub(super) fn white_space(
    market: &Market,
    served: &[bool],
    dark: &DarkHalf,
    inputs: AttainableInputs<'_>,
    rates: &CustomerRates,
    index: usize,
) -> Vec<White> {
    let appeal = appeals(served, &dark.wallets[index], rates);
    white(market, served, dark, inputs, &appeal, index)
}

/// Appeals of the customers that we serve.
fn appeals(served: &[bool], wallets: &[f32], rates: &CustomerRates) -> Vec<Option<f64>> {
    (0..wallets.len())
        .map(|i| {
            let wallet = f64::from(wallets[i]);
            let own = rates.own.get(i).copied().filter(|own| own.is_finite())?;
            (served[i] && wallet > 0.0).then(|| choice::appeal(12.0 * own / wallet, rates.goodwill[i]))
        })
        .collect()
}

/// The white space by territory, with appeals drawn among those of the served.
fn white(
    market: &Market,
    served: &[bool],
    dark: &DarkHalf,
    inputs: AttainableInputs<'_>,
    appeal: &[Option<f64>],
    index: usize,
) -> Vec<White> {
    let draws = &inputs.calibration.draws;
    let finds = draws.get(index % draws.len().max(1)).map_or(&[][..], |calibrated| &calibrated.finds);
    let wallets = &dark.wallets[index];
    let everywhere: Vec<f64> = appeal.iter().filter_map(|appeal| *appeal).collect();
    let mut rng = Stream::new(inputs.seed, "potential/appeal", index as u64);
    let known = wallets.iter().filter(|&&wallet| wallet > 0.0).count() as f64;
    let hidden: f64 = dark.dark_customers[index].iter().sum();
    let ratio = dark.size_ratio.get(index).copied().unwrap_or(1.0);
    let deviation = visibility::deviation(StandardNormal.sample(&mut rng));
    let visibility = visibility::Visibility::new(hidden / (hidden + known).max(1.0), ratio, deviation);
    let variation = dark.size_cv.get(index).copied().unwrap_or(1.0);
    let mut out = Vec::new();
    for j in 0..market.territory_count() {
        let customers = market.customers_of(j);
        let here: Vec<f64> = appeal[customers.clone()].iter().filter_map(|appeal| *appeal).collect();
        let pool = if here.len() >= ENOUGH_SERVED { &here } else { &everywhere };
        let drawn = |rng: &mut Stream| {
            let uniform: f64 = rng.random();
            pool.get((uniform * pool.len() as f64) as usize).or(pool.last()).copied()
        };
        let indirect = dark.indirect.get(j).copied().unwrap_or(0.0);
        let mut white = White { indirect, ..White::default() };
        for i in customers.filter(|&i| !served[i] && !market.closed(i) && wallets[i] > 0.0) {
            white.identified.extend(drawn(&mut rng).map(|appeal| (appeal, f64::from(wallets[i]))));
        }
        let (number, demand) = (dark.dark_customers[index][j], dark.dark_demand[index][j]);
        if demand > 0.0 && number > 0.0 {
            let found = (finds.get(j).copied().unwrap_or(0.0) / number).clamp(0.0, MOST_FOUND);
            let hazard = -libm::log1p(-found);
            white.cells.extend(visibility.customers(number, variation, &mut rng).into_iter().filter_map(|customer| {
                Some(Cell {
                    appeal: drawn(&mut rng)?,
                    demand: demand * customer.demand,
                    found: -libm::expm1(-hazard * customer.hazard),
                    lean: customer.lean,
                })
            }));
        }
        out.push(white);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::mechanisms::goodwill::Goodwill;
    use crate::simulate::{Conversion, Discovery};

    pub(crate) fn parameters(hazard: f64, effect: f64) -> Parameters {
        Parameters {
            season: [1.0; 12],
            feasts: crate::calendar::Feasts::none(),
            growth: 0.0,
            shock_sd: 0.1,
            goodwill: Goodwill {
                decay: 0.5,
                effect: [0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                half_saturation: 1e9,
                slope: 1.0,
            },
            order_unit: 1.0,
            discovery: Discovery { spontaneous: 0.0, referral: 0.0, prospecting_yield: 0.0 },
            conversion: Conversion { hazard, goodwill_effect: effect, reactivation: 1.0, at_once: 0.0 },
            churn: 0.0,
            closure: 0.0,
            birth: 0.0,
            more: crate::simulate::Further::default(),
        }
    }

    #[test]
    fn chances_by_hand() {
        let effort = Effort { calls_per_month: 1.0, months: 3 };
        // No effect of goodwill: 1 - exp(-0.1 t).
        let plain = conversion_within(&parameters(0.1, 0.0), effort);
        for (t, p) in plain.iter().enumerate() {
            assert!((p - (1.0 - (-0.1 * t as f64).exp())).abs() < 1e-12);
        }
        // Goodwill 0.2, 0.3, 0.35.
        let warm = conversion_within(&parameters(0.1, 1.0), effort);
        let sum: f64 = [0.2_f64, 0.3, 0.35].iter().map(|g| 0.1 * g.exp()).sum();
        assert!((warm[3] - (1.0 - (-sum).exp())).abs() < 1e-6);
        // Found for certain in the first month leaves two months to convert.
        assert!((won_from_the_dark(1.0, &plain, 0.0) - plain[2]).abs() < 1e-12);
        assert_eq!(won_from_the_dark(0.0, &plain, 0.3), 0.0);
        let half = 0.5 * plain[2] + 0.25 * plain[1];
        assert!((won_from_the_dark(0.5, &plain, 0.0) - half).abs() < 1e-12);
    }

    #[test]
    fn what_reaches_the_white_space_already_is_not_won_again() {
        let white =
            [Prospect { appeal: 0.0, demand: 100.0, won: 0.5 }, Prospect { appeal: -1e9, demand: 100.0, won: 1.0 }];
        let all = attainable_sales(&white, 0.0, 0.0);
        assert!((all.sales - 25.0).abs() < 1e-9 && all.winnable == 200.0 && (all.won - 150.0).abs() < 1e-9);
        let less = attainable_sales(&white, 0.0, 50.0);
        assert!((less.sales - 0.75 * 25.0).abs() < 1e-9);
        assert_eq!(attainable_sales(&white, 0.0, 1e9).sales, 0.0);
        assert_eq!(attainable_sales(&[], 0.0, 0.0), Attainable::default());
    }

    #[test]
    fn headroom_is_never_negative() {
        assert_eq!(headroom(0.0, 1.0, 0.5, 100.0), 0.0);
        let share = |x: f64| 1.0 / (1.0 + (-x).exp());
        assert!((headroom(-1.0, 0.0, 1.0, 100.0) - 100.0 * (share(0.0) - share(-1.0))).abs() < 1e-9);
    }
}
