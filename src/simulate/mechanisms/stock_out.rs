//! Stock-outs of ours: what we cannot deliver is bought elsewhere, later or never.
//!
//! With `a` the share of orders to us that can be filled this month, `O s` what a customer would order from us and `b`
//! what it put off last month, it wants `W = O s + b` of us. We fill `a W`. Of what is missing, `M = (1 - a) W`,
//! `delayed M` is ordered from us next month, `dropped M` is never bought, and `(1 - delayed - dropped) M` is bought
//! from rivals in the same month: filled + delayed + dropped + to rivals = wanted. What was put off by a customer that
//! has since left us is ordered from rivals, and by one that has closed never. What was to be sold ahead is cut by `a`
//! too, and is not made up for.
//!
//! Corsten & Gruen 2003, "Desperately seeking shelf availability", International Journal of Retail & Distribution
//! Management (and Gruen, Corsten & Bharadwaj 2002, "Retail Out-of-Stocks"), from 71,000 consumers: 31% buy at another
//! store, 26% another brand, 19% another item of the brand, 15% later and 9% never; Campo, Gijsbrechts & Nisol 2000,
//! "Towards understanding consumer response to stock-outs", Journal of Retailing. Assumed: we are out as a company, so
//! other items of ours are no way out, and a customer that turns to another supplier buys there what is not ours;
//! without the 19%, 0.19 is delayed and 0.11 dropped.

use std::ops::Range;

use crate::lanes::{F32x16, Lanes, Mask as _, Simd};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Parameters of stock-outs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StockOut {
    /// Parts of what we cannot fill that are ordered next month, and never; the rest goes to rivals. Were they more
    /// than all, they are taken in proportion.
    pub delayed: f64,
    pub dropped: f64,
}

/// What becomes of what is wanted of us (demand units).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filled<V> {
    pub filled: V,
    pub to_rivals: V,
    pub delayed: V,
    pub dropped: V,
}

impl StockOut {
    /// Splits what is wanted of us where `available` of it can be filled.
    #[inline(always)]
    pub fn split<V: Lanes>(&self, wanted: V, available: V) -> Filled<V> {
        let all = (self.delayed + self.dropped).max(1.0);
        let filled = wanted * available;
        let missing = wanted - filled;
        let (delayed, dropped) = (missing * V::of(self.delayed / all), missing * V::of(self.dropped / all));
        Filled { filled, to_rivals: (missing - delayed - dropped).max(V::of(0.0)), delayed, dropped }
    }
}

impl Mechanism for StockOut {
    type Traits = ();
    /// What was put off last month (demand units).
    type Memory = F32x16;
    type Ground = ();

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) -> F32x16 {
        F32x16::ZERO
    }
    fn ground(&self, _: &Agents, _: &Territory) {}

    #[inline(always)]
    fn here(&self, month: &Month<'_>, (): &mut (), here: &mut Here) {
        here.availability = month.moves().availability.clamp(0.0, 1.0);
    }

    #[inline(always)]
    fn step<V: Simd>(&self, _: &Month<'_>, here: &Here, _: &mut (), _: &(), memory: &mut F32x16, now: &mut Now<'_, V>) {
        let zero = V::splat(0.0);
        let put_off = V::load(memory);
        let own = now.open * now.share;
        let available = V::splat(here.availability);
        // All that want something of us where not all can be filled, elsewhere those that put something off.
        let touched = put_off.greater(zero).or((own - own * available).greater(zero));
        if !touched.any() {
            return;
        }
        let put_off = V::keep(now.is.living, put_off);
        let Filled { filled, to_rivals, delayed, .. } = self.split(own + V::keep(now.buys, put_off), available);
        let others = (now.open - own) + (V::choose(now.buys, zero, put_off) + to_rivals);
        let open = filled + others;
        now.open = V::choose(touched, open, now.open);
        // The bound matters to nobody who orders anything.
        now.share = V::choose(touched, filled / open.max(V::splat(1e-30)), now.share);
        now.own_loaded = V::choose(touched, now.own_loaded * available, now.own_loaded);
        *memory = V::keep(touched, delayed).store();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_computed_month() {
        // Of 20 wanted 15 can be filled; of 5 missing 1 is put off, 0.5 dropped and 3.5 bought from rivals.
        let model = StockOut { delayed: 0.2, dropped: 0.1 };
        let month = model.split(20.0, 0.75_f64);
        for (x, wanted) in [(month.filled, 15.0), (month.delayed, 1.0), (month.dropped, 0.5), (month.to_rivals, 3.5)] {
            assert!((x - wanted).abs() < 1e-12, "{month:?}");
        }
        assert_eq!(model.split(20.0, 1.0), Filled { filled: 20.0, to_rivals: 0.0, delayed: 0.0, dropped: 0.0 });
    }

    #[test]
    fn nothing_is_lost() {
        for model in [(0.0, 0.0), (0.15, 0.09), (1.0, 0.0), (0.9, 0.6)] {
            let model = StockOut { delayed: model.0, dropped: model.1 };
            for k in 0..=20 {
                let (wanted, available) = (0.7 * f64::from(k), 0.05 * f64::from(k));
                let month = model.split(wanted, available);
                let sum = month.filled + month.to_rivals + month.delayed + month.dropped;
                assert!((sum - wanted).abs() < 1e-12, "{month:?}");
                let lanes = model.split(F32x16::of(wanted), F32x16::of(available));
                for (lanes, double) in [
                    (lanes.filled, month.filled),
                    (lanes.to_rivals, month.to_rivals),
                    (lanes.delayed, month.delayed),
                    (lanes.dropped, month.dropped),
                ] {
                    assert!((f64::from(lanes.0[0]) - double).abs() < 1e-5, "{k}");
                }
            }
        }
    }
}
