//! What the events of the calendar do to demand.

use std::sync::Arc;

use super::Exposures;
use crate::units::Month;

/// The effects of one draw on the exposures of a market's calendar.
///
/// An effect is the log change of a day's demand on such a day; a month's log demand changes by
/// `sum_k effect_k * exposure_k` (to first order in the effects: the log of a mean of days for the mean of their logs).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feasts {
    /// `None` = there are none.
    exposures: Option<Arc<Exposures>>,
    effects: Vec<f64>,
}

impl Feasts {
    /// Effects in the order of [`Exposures::covariates`]; covariates beyond those given have none.
    pub fn new(exposures: Arc<Exposures>, effects: Vec<f64>) -> Self {
        Self { exposures: (!exposures.covariates().is_empty()).then_some(exposures), effects }
    }

    /// No feasts: every month's factor is 1.
    pub fn none() -> Self {
        Self::default()
    }

    /// Log of the factor of a month's demand.
    pub fn log_effect(&self, month: Month) -> f64 {
        self.exposures.as_ref().map_or(0.0, |exposures| exposures.effect(month, &self.effects))
    }

    /// Names (`event.phase`) and effects.
    pub fn effects(&self) -> impl Iterator<Item = (&str, f64)> {
        let covariates = self.exposures.as_ref().map_or(&[][..], |exposures| exposures.covariates());
        covariates.iter().map(|covariate| covariate.name.as_str()).zip(self.effects.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Calendar;
    use crate::units::MonthSpan;

    #[test]
    fn a_month_by_hand() {
        let history = MonthSpan::new("2024-01".parse().unwrap(), "2025-12".parse().unwrap()).unwrap();
        let exposures = Arc::new(Exposures::new(Calendar::new(Some("TR"), []), history));
        // Feast days of Kurban Bayramı alone: 4.5 of June 2024, 4.5 of June 2025 - the same, so nothing is left.
        let feasts = Feasts::new(Arc::clone(&exposures), vec![0.0, 0.0, 0.0, 0.0, 0.0, -0.2, 0.0]);
        assert!(feasts.log_effect("2024-06".parse().unwrap()).abs() < 1e-12);
        // 2026: it is in May (4.5 of 31 days), and June lacks it.
        assert!((feasts.log_effect("2026-05".parse().unwrap()) + 0.2 * 4.5 / 31.0).abs() < 1e-12);
        assert!((feasts.log_effect("2026-06".parse().unwrap()) - 0.2 * 4.5 / 30.0).abs() < 1e-12);
        assert_eq!(feasts.effects().nth(5), Some(("kurban_bayrami.feast", -0.2)));
        assert_eq!(Feasts::none().log_effect("2024-06".parse().unwrap()), 0.0);
        assert_eq!(Feasts::new(Arc::new(Exposures::none(history)), Vec::new()), Feasts::none());
    }
}
