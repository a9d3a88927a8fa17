//! A launch of ours, which is adopted over time.
//!
//! With F(m) the share of customers that have adopted what we launched m months ago,
//! `log odds of choosing us += lift * (F(m) - F(m_0))`, where `F(m_0)` is what had been adopted at the run's start of a
//! launch of before (0 without one): the appeals hold that part.
//!
//! F is the closed form of Bass (1969, "A new product growth for model consumer durables", Management Science) with p
//! the hazard of adopting by oneself and q that of imitating, a month:
//! `F(m) = (1 - exp(-(p + q) m)) / (1 + q / p * exp(-(p + q) m))`. Means over published uses are p = 0.03 and q =
//! 0.38 a year (Sultan, Farley & Lehmann 1990, "A meta-analysis of applications of diffusion models", Journal of
//! Marketing Research); hazards of a month are a twelfth ([`Launch::of_years`]).
//!
//! Assumptions: there is one launch at a time, adopted alike everywhere; every customer is drawn by the average
//! adoption, so F is no source of chance; a phase that names no launch takes back what the last one brought.

use std::ops::Range;

use crate::lanes::Simd;
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Bass's share of adopters `time` after the start, of hazards per unit of that time; 0 before it.
pub fn adopted(innovation: f64, imitation: f64, time: f64) -> f64 {
    if time <= 0.0 || innovation <= 0.0 {
        return 0.0;
    }
    let left = libm::exp(-(innovation + imitation) * time);
    innovation * (1.0 - left) / (innovation + imitation * left)
}

/// A launch of ours, which is adopted over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Launch {
    /// Log odds of choosing us when everybody has adopted it.
    pub lift: f64,
    /// Bass's p and q, a month.
    pub innovation: f64,
    pub imitation: f64,
}

impl Launch {
    /// From Bass's p and q a year.
    pub fn of_years(lift: f64, innovation: f64, imitation: f64) -> Self {
        Self { lift, innovation: innovation / 12.0, imitation: imitation / 12.0 }
    }

    /// Log odds that a launch of `months` ago adds, where `months_at_start` is what it, or one before, was at the
    /// run's start; negative for no launch.
    pub fn push(&self, months: f64, months_at_start: f64) -> f64 {
        let adopted = |months| adopted(self.innovation, self.imitation, months);
        self.lift * (adopted(months) - adopted(months_at_start))
    }
}

impl Mechanism for Launch {
    type Traits = ();
    type Memory = ();
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        let at_start = month.policy.phases.first().map_or(-1.0, |first| first.moves(month.territory).launched);
        let launched = month.moves().launched;
        // Without a launch, now or before, nothing is added, not even 0.
        if launched >= 0.0 || at_start >= 0.0 {
            let since = if launched >= 0.0 { (month.index - month.phase.from) as f64 } else { 0.0 };
            here.own_push += self.push(f64::from(launched) + since, f64::from(at_start)) as f32;
        }
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, _: &Here, _: &mut (), _: &(), _: &mut (), _: &mut Now<'_, V>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_adoption() {
        // p = q = 0.1: with e = exp(-0.2 * 5) = 0.367879, (1 - e) / (1 + e) = 0.462117.
        assert!((adopted(0.1, 0.1, 5.0) - 0.462_117_157_260_009_7).abs() < 1e-12);
        // Without imitation 1 - exp(-p m); without innovation nobody begins.
        assert!((adopted(0.1, 0.0, 5.0) - (1.0 - libm::exp(-0.5))).abs() < 1e-12);
        assert_eq!((adopted(0.0, 0.3, 5.0), adopted(0.1, 0.1, 0.0), adopted(0.1, 0.1, -1.0)), (0.0, 0.0, 0.0));
        assert!(adopted(0.03, 0.38, 1e6) == 1.0);
    }

    #[test]
    fn adoption_solves_the_equation_of_bass() {
        // dF/dm = (p + q F) (1 - F), most adopt at ln(q / p) / (p + q): after 6.19 years.
        let (p, q) = (0.03, 0.38);
        let slope = |m: f64| (adopted(p, q, m + 1e-4) - adopted(p, q, m - 1e-4)) / 2e-4;
        for m in [0.5, 2.0, 6.0, 12.0] {
            let now = adopted(p, q, m);
            assert!((slope(m) - (p + q * now) * (1.0 - now)).abs() < 1e-7, "{m}");
        }
        let peak = libm::log(q / p) / (p + q);
        assert!((peak - 6.19).abs() < 0.01);
        assert!(slope(peak) > slope(peak - 0.5) && slope(peak) > slope(peak + 0.5));
    }

    #[test]
    fn what_was_adopted_before_does_not_count_again() {
        let launch = Launch::of_years(0.5, 0.03, 0.38);
        let wanted = 0.5 * (adopted(0.03, 0.38, 2.0) - adopted(0.03, 0.38, 0.5));
        assert!((launch.push(24.0, 6.0) - wanted).abs() < 1e-12);
        assert_eq!((launch.push(6.0, 6.0), launch.push(-1.0, -1.0)), (0.0, 0.0));
        assert!(launch.push(-1.0, 6.0) < 0.0);
    }
}
