//! Demand: what a customer buys of the category in a month, from anybody (demand units).
//!
//! `D_it = size_i * level_jt`, `level_jt = season[month of year] * exp(growth * t + feasts_t) * shock_jt * policy_j`, with t
//! in months since the month that sizes are levels of and `feasts_t = sum_k effect_k * exposure_tk` what the calendar's
//! moving feasts add ([`crate::calendar::Exposures`]). Calibration runs through the same [`path`]. The shock of a territory
//! and month is lognormal with mean 1, keyed by both, and so the same under every strategy (multiplicative seasonal model with a common disturbance, as in Hanssens, Parsons &
//! Schultz 2001, "Market Response Models", ch. 4). `policy_j` is what a policy says of demand, e.g. a stress test.

use std::ops::Range;

use crate::calendar::Feasts;
use crate::lanes::{F32x16, Lanes, Simd};
use crate::rng::{Purpose, RunKey, lognormal_mean_one, uniform_f64};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};
use crate::units;

/// Category demand of customers of this size (demand units a month).
#[inline(always)]
pub fn demand<V: Lanes>(size: V, level: V) -> V {
    size * level
}

/// Demand of a month over that of an average one: season and feasts, and what else has moved the log of demand since.
pub fn path(season: &[f64; 12], feasts: &Feasts, month: units::Month, moved: f64) -> f64 {
    season[month.of_year()] * libm::exp(moved + feasts.log_effect(month))
}

/// The shock of a territory in a month (counted from 0).
pub fn shock(demand: &Demand, key: RunKey, territory: u64, month: u32) -> f64 {
    if demand.shock_sd == 0.0 {
        return 1.0;
    }
    let words = key.words(territory, month, Purpose::DemandShock.group());
    let word = Purpose::DemandShock.word();
    lognormal_mean_one(uniform_f64(words[word], words[word + 1]), demand.shock_sd)
}

/// Parameters of demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Standard deviation of the log of the territory-month shock (mean of the shock is 1).
    pub shock_sd: f64,
}

impl Mechanism for Demand {
    /// Sizes: category demand a month at level 1.
    type Traits = F32x16;
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> F32x16 {
        F32x16::load_slice(&agents.size[range], 0.0)
    }
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        let shock = shock(self, month.key, month.hash, month.index as u32);
        let policy = f64::from(month.phase.demand[month.territory]);
        here.level = (month.path * shock * policy) as f32;
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, _: &mut (), size: &F32x16, _: &mut (), now: &mut Now<'_, V>) {
        now.demand = V::keep(now.is.living, demand(V::load(size), V::splat(here.level)));
        now.open = now.demand;
        now.sums.demand = now.sums.demand + now.demand;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::testing;

    #[test]
    fn hand_computed_month() {
        let mut season = [1.0; 12];
        season[2] = 1.5;
        // March, 6 months on, demand halved: 1.5 * e^0.06 * 1.1 / 2 = 0.876014...
        let march = units::Month::new(2026, 3).unwrap();
        let level = path(&season, &Feasts::none(), march, 0.06) * 1.1 * 0.5;
        assert!((level - 0.825 * 1.061_836_546_545_36).abs() < 1e-12, "{level}");
        assert!((demand(20.0, level) - 20.0 * level).abs() < 1e-12);
    }

    #[test]
    fn feasts_move_with_the_moon() {
        use crate::calendar::{Calendar, Exposures};
        use crate::units::{Month, MonthSpan};
        let history = MonthSpan::new(Month::new(2024, 1).unwrap(), Month::new(2025, 12).unwrap()).unwrap();
        let exposures = std::sync::Arc::new(Exposures::new(Calendar::new(Some("TR"), []), history));
        let feasts = Feasts::new(exposures, vec![0.0, 0.0, 0.0, 0.0, 0.0, -0.2, 0.0]);
        let at = |year, month| path(&[1.0; 12], &feasts, Month::new(year, month).unwrap(), 0.0);
        // Kurban Bayramı lay in June in both years of the history and lies in May in 2026: 4.5 days less, 4.5 days more.
        assert!((at(2026, 5) - libm::exp(-0.2 * 4.5 / 31.0)).abs() < 1e-12);
        assert!((at(2026, 6) - libm::exp(0.2 * 4.5 / 30.0)).abs() < 1e-12);
        assert!((at(2025, 6) - 1.0).abs() < 1e-12 && at(2026, 2) == 1.0);
    }

    #[test]
    fn shocks_have_mean_one_and_their_own_key() {
        let mut parameters = testing::parameters().demand();
        parameters.shock_sd = 0.2;
        let key = RunKey { seed: 5, run: 0 };
        let shocks: Vec<f64> = (0..200)
            .flat_map(|territory| (0..100).map(move |month| (territory, month)))
            .map(|(territory, month)| shock(&parameters, key, territory, month))
            .collect();
        let (mean, sd) = crate::stats::mean_sd(&shocks);
        assert!((mean - 1.0).abs() < 4.0 * 0.2 / 20_000.0_f64.sqrt(), "{mean}");
        let wanted = (libm::exp(0.04) - 1.0).sqrt();
        assert!((sd / wanted - 1.0).abs() < 0.03, "{sd}");
        parameters.shock_sd = 0.0;
        assert_eq!(shock(&parameters, key, 1, 1), 1.0);
    }
}
