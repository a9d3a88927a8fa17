//! The monthly series that `season` and `shock` are fitted to: own sales of the same customers, and the panel's category.

use crate::calibrate::effects::{self, Rates};
use crate::calibrate::feasts::FeastModel;
use crate::calibrate::fit::FEWEST_MONTHS;
use crate::calibrate::observed::Observed;
use crate::calibrate::posterior_response::ResponsePosterior;
use crate::calibrate::priors::Priors;
use crate::calibrate::pulses::Shifts;
use crate::calibrate::sampling::{Purpose, Source};
use crate::calibrate::season::{Path, Series, Structural};
use crate::calibrate::shock::{Months, Shock};
use crate::data::ActionKind;
use crate::market::Market;

/// Own sales by month, adjusted for customers gained and lost and for our contacts.
/// `shifts`: what the panel says that moves did to them.
pub(super) fn own_series(
    market: &Market,
    observed: &Observed,
    response: &ResponsePosterior,
    feasts: &FeastModel,
    shifts: &Shifts,
) -> Series {
    let (total, exposure) = observed.pooled(&response.point);
    let dispersion = response.order_unit * response.inflation;
    let total = total.iter().zip(&exposure).map(|(&y, &e)| (e > 0.0).then_some(y)).collect();
    let (first, feasts) = (market.history.first, feasts.clone());
    Series { total, exposure, dispersion, first, feasts, shifts: shifts.clone() }
}

/// Whether our own series is long enough to carry the season, and free of loading of our own (see
/// `docs/decisions/0004-season-from-own-sales.md`).
pub(super) fn own_season_speaks(market: &Market, own: &Series) -> bool {
    let loads =
        market.data.actions.iter().flatten().any(|action| action.company.0 == 0 && action.kind == ActionKind::Loading);
    let months = own.total.iter().flatten().filter(|&&total| total > 0.0).count();
    !loads && months >= OWN_SEASON_MONTHS
}

/// Months with own sales from which our own season is believed.
pub(super) const OWN_SEASON_MONTHS: usize = 24;

/// The panel's category: the whole market's, or the sum of the territories that are known throughout. `None` with less
/// than 12 months of it.
pub(super) fn category_series(market: &Market, feasts: &FeastModel, shifts: &Shifts) -> Option<Series> {
    let panel = market.panel.as_ref()?;
    let months = market.months();
    let usable = |series: &[Option<f64>]| series.iter().flatten().filter(|&&x| x > 0.0).count() >= FEWEST_MONTHS;
    let total = if usable(&panel.market_category) {
        panel.market_category.clone()
    } else {
        let full: Vec<&Vec<Option<f64>>> =
            panel.category.iter().filter(|series| series.iter().all(Option::is_some)).collect();
        (0..months).map(|t| (!full.is_empty()).then(|| full.iter().filter_map(|series| series[t]).sum())).collect()
    };
    usable(&total).then(|| Series {
        total,
        exposure: vec![1.0; months],
        dispersion: 0.0,
        first: market.history.first,
        feasts: feasts.clone(),
        shifts: shifts.clone(),
    })
}

/// Territory-month shocks from the panel's categories and our own sales, or from what of them there is.
///
/// Months in which customers live on what rivals sold ahead are left out: what is left to be ordered is a small difference, in which the
/// shocks of the month before weigh as much as its own.
pub(super) fn fit_shock(
    market: &Market,
    observed: &Observed,
    response: &ResponsePosterior,
    priors: &Priors,
    moved: &Shifts,
) -> Shock {
    /// Part of the log of the category that may be missing.
    const QUIET: f64 = -0.05;
    let prior = priors.prior("demand", "shock_sd");
    let months = market.months();
    let quiet = |t: usize| moved.mean(t) > QUIET;
    let only_quiet = |all: Vec<f64>| -> Vec<f64> {
        all.into_iter().enumerate().map(|(t, expected)| if quiet(t) { expected } else { 0.0 }).collect()
    };
    let mut own = observed.territory_months(&response.point);
    own.iter_mut().for_each(|months| months.expected = only_quiet(std::mem::take(&mut months.expected)));
    let (places, full): (Vec<usize>, Vec<Vec<f64>>) = market
        .panel
        .iter()
        .flat_map(|panel| panel.category.iter().enumerate())
        .filter_map(|(j, series)| Some((j, series.iter().copied().collect::<Option<Vec<f64>>>()?)))
        .filter(|(_, series)| series.iter().sum::<f64>() > 0.0)
        .unzip();
    if full.len() < 3 {
        return Shock::fit(&own, response.order_unit, prior);
    }
    let by_month: Vec<f64> = (0..months).map(|t| full.iter().map(|series| series[t]).sum()).collect();
    let all: f64 = by_month.iter().sum();
    let panel: Vec<Months> = full
        .into_iter()
        .map(|total| {
            let level = total.iter().sum::<f64>() / all;
            Months { expected: only_quiet(by_month.iter().map(|x| x * level).collect()), total }
        })
        .collect();
    let both = Shock::of_both(&panel, &places, &own, response.order_unit, prior);
    if both.fitted() { both } else { Shock::fit(&panel, response.order_unit, prior) }
}

/// The discount by which customers' pasts fade.
pub(super) fn choose_discount(
    market: &Market,
    observed: &Observed,
    response: &ResponsePosterior,
    own: &Structural,
    seed: u64,
) -> f64 {
    let path = mean_path(own, seed);
    let months = market.months();
    let flat = effects::fading(months, 1.0);
    let sold = effects::discounted_sales(observed, &flat);
    let exposures = observed.exposures(&response.point, &path.relative, &flat, 0.0);
    let rates = Rates::fit(market, observed, &sold, &exposures.exposure, response.order_unit);
    let prior = rates.centre();
    let curve = observed.curve(&response.point);
    let means = |i: usize| observed.mean_at_unit_rate(i, &response.point, &curve, &path.relative);
    effects::choose_discount(observed, &means, &prior, response.order_unit)
}

/// The mean of some draws of a series' path.
pub(super) fn mean_path(fit: &Structural, seed: u64) -> Path {
    let mut paths = (0..40).map(|d| fit.draw(&mut Source::new(seed, Purpose::Series, (1 << 32) + d)));
    let mut mean = paths.next().unwrap_or_else(|| unreachable!("the range is not empty"));
    let mut count = 1.0;
    for path in paths {
        count += 1.0;
        for (sum, x) in mean.relative.iter_mut().zip(&path.relative) {
            *sum += x;
        }
    }
    mean.relative.iter_mut().for_each(|x| *x /= count);
    mean
}
