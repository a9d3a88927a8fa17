//! How much of each month lies before, in and after each event.
//!
//! A day is a *feast* day of an event when it lies in it (half a one when only its afternoon does), a *pre* day in the
//! [`DAYS_BEFORE`] days before its first full day and a *post* day in the [`DAYS_AFTER`] days after its last; what is a
//! feast is neither. The month of fasting has *fast* days alone. The exposure of month t is the share of its days,
//!
//! `x_tk = days of kind k in month t / days of month t`,
//!
//! less its mean over the months of the same name in the history:
//!
//! `exposure_tk = x_tk - mean { x_sk : s in the history, month of year of s = that of t }`
//!
//! # Why centred by month of the year
//!
//! The season is free in its twelve months, so an event's mean over all Aprils and the season's April cannot be told
//! apart: only how this April differs from other Aprils can. Centring states just that. The season then is the mean of the
//! history, feasts and all, and keeps its mean of 1 whatever the effects; an event that never moves (or a history that is
//! too short to see it move) has exposures near 0 and leaves the season alone; and switching feasts off gives back the
//! season that one would have estimated without them. The price: a season is that of its own history's feasts.

use super::{Calendar, DAYS_AFTER, DAYS_BEFORE, Kind, Occurrence, Status};
use crate::units::{Date, Month, MonthSpan, days_in};

/// Months after the history for which exposures are kept: as far as a scenario can look.
const AHEAD: i32 = 600;

/// A covariate of demand: one event's days of one phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covariate {
    /// Position among [`Calendar::events`].
    pub event: usize,
    /// `pre`, `feast`, `post` or `fast`.
    pub phase: &'static str,
    /// `event.phase`, unique.
    pub name: String,
}

/// Exposures of every month to every covariate.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposures {
    calendar: Calendar,
    covariates: Vec<Covariate>,
    history: MonthSpan,
    first: Month,
    /// By month from `first`, then covariate; centred.
    centred: Vec<f64>,
    /// Means by month of the year, then covariate.
    usual: Vec<f64>,
}

impl Exposures {
    /// Exposures to a calendar's events, centred over a history.
    pub fn new(calendar: Calendar, history: MonthSpan) -> Self {
        let mut covariates = Vec::new();
        for (event, of) in calendar.events().iter().enumerate() {
            let phases: &[&'static str] = match of.kind {
                Kind::Feast => &["pre", "feast", "post"],
                Kind::Fast => &["fast"],
            };
            covariates.extend(phases.iter().map(|&phase| Covariate {
                event,
                phase,
                name: format!("{}.{phase}", of.id),
            }));
        }
        let width = covariates.len();
        let all = MonthSpan { first: history.first, last: history.last.plus(AHEAD) };
        let mut raw = shares(&calendar, all, width);
        let mut usual = vec![0.0; 12 * width];
        for of_year in 0..12 {
            let months: Vec<usize> = (0..history.len()).filter(|&t| history.at(t).of_year() == of_year).collect();
            // A history of less than a year has no month of some names: its mean stands for them.
            let months = if months.is_empty() { (0..history.len()).collect() } else { months };
            for k in 0..width {
                let sum: f64 = months.iter().map(|&t| raw[t * width + k]).sum();
                usual[of_year * width + k] = sum / months.len() as f64;
            }
        }
        if width > 0 {
            for (row, month) in raw.chunks_exact_mut(width).zip(all.months()) {
                let of_year = &usual[month.of_year() * width..][..width];
                row.iter_mut().zip(of_year).for_each(|(x, mean)| *x -= mean);
            }
        }
        Self { calendar, covariates, history, first: all.first, centred: raw, usual }
    }

    /// No events, no covariates.
    pub fn none(history: MonthSpan) -> Self {
        Self::new(Calendar::empty(), history)
    }

    /// The covariates, in the order of a row.
    pub fn covariates(&self) -> &[Covariate] {
        &self.covariates
    }

    /// The calendar they come from.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The months over which they are centred.
    pub fn history(&self) -> MonthSpan {
        self.history
    }

    /// The centred exposures of a month, and `sum_k effect_k * exposure_k` of it.
    pub(super) fn effect(&self, month: Month, effects: &[f64]) -> f64 {
        let width = self.covariates.len();
        let dot = |row: &[f64]| row.iter().zip(effects).map(|(x, effect)| x * effect).sum::<f64>();
        let at =
            usize::try_from(month.since(self.first)).ok().and_then(|t| self.centred.get(t * width..)?.get(..width));
        match at {
            Some(row) => dot(row),
            None => dot(&self.row(month)),
        }
    }

    /// The centred exposures of any month.
    pub fn row(&self, month: Month) -> Vec<f64> {
        let width = self.covariates.len();
        let raw = shares(&self.calendar, MonthSpan { first: month, last: month }, width);
        raw.iter().zip(&self.usual[month.of_year() * width..]).map(|(x, mean)| x - mean).collect()
    }

    /// Years from the first of the history to `months` after it in which a date is computed, not announced.
    pub fn computed_years(&self, months: i32) -> Vec<i32> {
        let (from, to) = (self.history.first.year(), self.history.last.plus(months).year());
        (from..=to)
            .filter(|&year| {
                (0..self.calendar.events().len())
                    .flat_map(|event| self.calendar.occurrences(event, year, year))
                    .any(|occurrence| occurrence.status == Status::Computed)
            })
            .collect()
    }
}

/// Share of each month's days by covariate, in the order of `Exposures::new`.
fn shares(calendar: &Calendar, span: MonthSpan, width: usize) -> Vec<f64> {
    let mut out = vec![0.0; span.len() * width];
    let mut k = 0;
    for (event, of) in calendar.events().iter().enumerate() {
        let occurrences = calendar.occurrences(event, span.first.year() - 1, span.last.year() + 1);
        for (t, month) in span.months().enumerate() {
            let row = &mut out[t * width..][..width];
            let near: Vec<&Occurrence> = occurrences.iter().filter(|days| touches(days, month)).collect();
            if near.is_empty() {
                continue;
            }
            let days = days_in(month);
            for day in (1..=days).filter_map(|day| Date::new(month.year(), month.of_year() as u32 + 1, day)) {
                let day = Phases::of(day, &near);
                let share = 1.0 / f64::from(days);
                row[k] += share * if of.kind == Kind::Fast { day.feast } else { day.pre };
                if of.kind == Kind::Feast {
                    row[k + 1] += share * day.feast;
                    row[k + 2] += share * day.post;
                }
            }
        }
        k += if of.kind == Kind::Fast { 1 } else { 3 };
    }
    out
}

/// Whether an event, with the days around it, reaches into a month.
fn touches(days: &Occurrence, month: Month) -> bool {
    // The days before and after span at most one further month.
    days.first.month() <= month.plus(1) && month <= days.last.month().plus(1)
}

/// How much of a day belongs to each phase of one event.
struct Phases {
    pre: f64,
    feast: f64,
    post: f64,
}

impl Phases {
    fn of(day: Date, occurrences: &[&Occurrence]) -> Self {
        let day = day.number();
        let (mut before, mut feast, mut after) = (false, 0.0_f64, false);
        for occurrence in occurrences {
            let (first, last) = (occurrence.first.number(), occurrence.last.number());
            if (first..=last).contains(&day) {
                feast = 1.0;
            } else if occurrence.eve && day == first - 1 {
                feast = feast.max(0.5);
            }
            before |= (first - DAYS_BEFORE..first).contains(&day);
            after |= (last + 1..=last + DAYS_AFTER).contains(&day);
        }
        let rest = 1.0 - feast;
        Self { pre: if before { rest } else { 0.0 }, feast, post: if after { rest } else { 0.0 } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn raw(calendar: &Calendar, at: &str, covariates: usize) -> Vec<f64> {
        let at = month(at);
        shares(calendar, MonthSpan { first: at, last: at }, covariates)
    }

    #[test]
    fn months_by_hand() {
        let calendar = Calendar::new(Some("TR"), []);
        // April 2024: Ramazan until the 9th, the bayram from noon of the 9th to the 12th; before it 31 March to 8 April
        // and the morning of the 9th, after it the 13th to the 19th.
        let x = raw(&calendar, "2024-04", 7);
        for (k, days) in [9.0, 8.5, 3.5, 7.0, 0.0, 0.0, 0.0].iter().enumerate() {
            assert!((x[k] - days / 30.0).abs() < 1e-12, "{k}: {} days", 30.0 * x[k]);
        }
        // March 2024: Ramazan from the 11th; one day before the bayram.
        let x = raw(&calendar, "2024-03", 7);
        assert!((31.0 * x[0] - 21.0).abs() < 1e-9 && (31.0 * x[1] - 1.0).abs() < 1e-9 && x[2] == 0.0);
        // 1 to 3 January 2007 are the last days of the Kurban Bayramı of 31 December 2006.
        let x = raw(&calendar, "2007-01", 7);
        assert!((31.0 * x[5] - 3.0).abs() < 1e-9 && (31.0 * x[6] - 7.0).abs() < 1e-9, "{x:?}");
    }

    #[test]
    fn every_feast_has_all_its_days() {
        let calendar = Calendar::new(Some("TR"), []);
        let span = MonthSpan { first: month("2006-01"), last: month("2025-12") };
        let x = shares(&calendar, span, 7);
        let days = |k: usize| -> f64 {
            span.months().enumerate().map(|(t, month)| x[t * 7 + k] * f64::from(days_in(month))).sum()
        };
        // 20 Ramazan Bayramı and 21 Kurban Bayramı, of which the last of 2006 and none at the borders are cut.
        assert!((days(2) - 20.0 * 3.5).abs() < 1e-6 && (days(1) - 20.0 * 9.5).abs() < 1e-6, "{} {}", days(2), days(1));
        assert!((days(5) - 21.0 * 4.5).abs() < 1e-6, "{}", days(5));
    }

    #[test]
    fn centred_by_month_of_the_year() {
        let history = MonthSpan { first: month("2018-01"), last: month("2025-12") };
        let exposures = Exposures::new(Calendar::new(Some("TR"), []), history);
        for of_year in 0..12 {
            for k in 0..exposures.covariates().len() {
                let those = history.months().filter(|month| month.of_year() == of_year);
                let sum: f64 = those.map(|month| exposures.row(month)[k]).sum();
                assert!(sum.abs() < 1e-12, "{of_year} {k}: {sum}");
            }
        }
        // The table and the rule agree, within it and beyond.
        let effects = [0.1, 0.2, -0.3, 0.05, 0.1, -0.2, 0.0];
        for at in ["2018-06", "2025-12", "2031-01", "2090-05", "1999-12"] {
            let row: f64 = exposures.row(month(at)).iter().zip(&effects).map(|(x, effect)| x * effect).sum();
            assert!((exposures.effect(month(at), &effects) - row).abs() < 1e-14, "{at}");
        }
    }

    #[test]
    fn what_never_moves_is_the_seasons() {
        let own: Vec<(&str, Date, Date)> = (2018..=2025)
            .map(|year| ("fair", Date::new(year, 3, 15).unwrap(), Date::new(year, 3, 17).unwrap()))
            .collect();
        let history = MonthSpan { first: month("2018-01"), last: month("2025-12") };
        let exposures = Exposures::new(Calendar::new(None, own), history);
        assert!(history.months().all(|month| exposures.row(month).iter().all(|x| x.abs() < 1e-12)));
        // A year that is not listed lacks the fair.
        assert!(exposures.row(month("2026-03"))[1] < -0.09);
    }

    #[test]
    fn computed_years_are_named() {
        let history = MonthSpan { first: month("1998-01"), last: month("2031-12") };
        let exposures = Exposures::new(Calendar::new(Some("TR"), []), history);
        assert_eq!(exposures.computed_years(24), [1998, 1999, 2032, 2033]);
        assert!(Exposures::new(Calendar::new(Some("US"), []), history).computed_years(24).is_empty());
    }
}
