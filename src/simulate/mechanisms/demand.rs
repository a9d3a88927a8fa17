//! Demand: what a customer buys of the category in a month, from anybody (demand units).
//!
//! `D_it = size_i * level_jt`, `level_jt = season[month of year] * exp(growth * t + feasts_t) * shock_jt * policy_j`, with t
//! in months since the month that sizes are levels of and `feasts_t = sum_k effect_k * exposure_tk` what the calendar's
//! moving feasts add ([`crate::calendar::Exposures`]). Calibration runs through the same [`path`]. The shock of a territory and month is lognormal with mean 1, keyed by both, and
//! so the same under every strategy (multiplicative seasonal model with a common disturbance, as in Hanssens, Parsons &
//! Schultz 2001, "Market Response Models", ch. 4). `policy_j` is what a policy says of demand, e.g. a stress test.

use crate::calendar::Feasts;
use crate::lanes::Lanes;
use crate::rng::{Purpose, RunKey, lognormal_mean_one, uniform_f64};
use crate::simulate::Parameters;
use crate::units::Month;

/// Category demand of customers of this size (demand units a month).
#[inline(always)]
pub fn demand<V: Lanes>(size: V, level: V) -> V {
    size * level
}

/// What multiplies sizes in a calendar month; `t` counts months since that of the sizes.
pub fn level(parameters: &Parameters, month: Month, t: f64, shock: f64, policy: f64) -> f64 {
    path(&parameters.season, &parameters.feasts, month, parameters.growth * t) * shock * policy
}

/// Demand of a month over that of an average one: season and feasts, and what else has moved the log of demand since.
pub fn path(season: &[f64; 12], feasts: &Feasts, month: Month, moved: f64) -> f64 {
    season[month.of_year()] * libm::exp(moved + feasts.log_effect(month))
}

/// The shock of a territory in a month (counted from 0).
pub fn shock(parameters: &Parameters, key: RunKey, territory: u64, month: u32) -> f64 {
    let words = key.words(territory, month, Purpose::DemandShock.group());
    let word = Purpose::DemandShock.word();
    lognormal_mean_one(uniform_f64(words[word], words[word + 1]), parameters.shock_sd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::testing;

    #[test]
    fn hand_computed_month() {
        let mut parameters = testing::parameters();
        parameters.season = [1.0; 12];
        parameters.season[2] = 1.5;
        parameters.growth = 0.01;
        // March, 6 months on, demand halved: 1.5 * e^0.06 * 1.1 / 2 = 0.876014...
        let march = Month::new(2026, 3).unwrap();
        let level = level(&parameters, march, 6.0, 1.1, 0.5);
        assert!((level - 0.825 * 1.061_836_546_545_36).abs() < 1e-12, "{level}");
        assert!((demand(20.0, level) - 20.0 * level).abs() < 1e-12);
    }

    #[test]
    fn feasts_move_with_the_moon() {
        use crate::calendar::{Calendar, Exposures};
        use crate::units::MonthSpan;
        let history = MonthSpan::new(Month::new(2024, 1).unwrap(), Month::new(2025, 12).unwrap()).unwrap();
        let exposures = std::sync::Arc::new(Exposures::new(Calendar::new(Some("TR"), []), history));
        let mut parameters = testing::parameters();
        (parameters.season, parameters.growth) = ([1.0; 12], 0.0);
        parameters.feasts = Feasts::new(exposures, vec![0.0, 0.0, 0.0, 0.0, 0.0, -0.2, 0.0]);
        let at = |year, month| level(&parameters, Month::new(year, month).unwrap(), 0.0, 1.0, 1.0);
        // Kurban Bayramı lay in June in both years of the history and lies in May in 2026: 4.5 days less, 4.5 days more.
        assert!((at(2026, 5) - libm::exp(-0.2 * 4.5 / 31.0)).abs() < 1e-12);
        assert!((at(2026, 6) - libm::exp(0.2 * 4.5 / 30.0)).abs() < 1e-12);
        assert!((at(2025, 6) - 1.0).abs() < 1e-12 && at(2026, 2) == 1.0);
    }

    #[test]
    fn shocks_have_mean_one_and_their_own_key() {
        let mut parameters = testing::parameters();
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
