//! A temporary price promotion of ours, and where its extra sales come from.
//!
//! A cut of depth d of the log of our price multiplies what a customer would order from us, `B = O s`, by
//! `exp(elasticity d)` (the multiplicative SCAN*PRO model; Wittink, Addona, Hawkes & Porter 1988), so `U =
//! exp(elasticity d) - 1` is the bump over B. It comes from three places (van Heerde, Leeflang & Wittink 2004,
//! "Decomposing the sales promotion bump with store data", Marketing Science 23: about a third from each):
//!
//! * `switching U B` from rivals, as far as they have so much;
//! * `shifting U B` from our own later months: it goes into the customer's stock of ours ([`super::own_loading`]) and
//!   is missing when that is used;
//! * the rest is more use of the category.
//!
//! So orders from us become `B + (switching + rest) U B`, rivals' `O (1 - s) - switching U B`, and `shifting U B` is
//! sold ahead. Mean price elasticities of sales: Bijmolt, van Heerde & Pieters 2005, "New empirical generalizations on
//! the determinants of price elasticity", Journal of Marketing Research (-2.6). Assumed: the same at all customers of
//! ours, and none among others; a second promotion lifts what is still ordered while the first one's stock is used. A
//! lasting change of price is [`super::price`]'s.

use std::ops::Range;

use crate::lanes::{Lanes, Simd};
use crate::simulate::{Agents, Here, Mechanism, Month, Now, Territory};

/// Parameters of promotions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promotion {
    /// Elasticity of our sales to the depth of a promotion, positive.
    pub elasticity: f64,
    /// Parts of the extra sales that come from rivals and from later months; the rest is more use of the category. Were
    /// they more than all, they are taken in proportion.
    pub switching: f64,
    pub shifting: f64,
}

/// Extra sales over the expected ones, by where they come from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bump {
    pub switched: f64,
    pub shifted: f64,
    pub expanded: f64,
}

/// A month's orders under a promotion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promoted<V> {
    /// What is ordered of the category, and our share of that.
    pub open: V,
    pub share: V,
    /// More use of the category, part of `open`.
    pub expanded: V,
    /// Sold ahead, no part of `open`.
    pub shifted: V,
}

impl Promotion {
    /// What a depth adds.
    pub fn bump(&self, depth: f64) -> Bump {
        let all = libm::expm1(self.elasticity * depth.max(0.0));
        let scale = all / (self.switching + self.shifting).max(1.0);
        let (switched, shifted) = (self.switching * scale, self.shifting * scale);
        Bump { switched, shifted, expanded: (all - switched - shifted).max(0.0) }
    }
}

/// Promotes a month's orders, of those whom our price reaches (`reached` 1; 0 for those whose contract fixes it).
#[inline(always)]
pub fn promoted<V: Lanes>(open: V, share: V, reached: V, bump: &Bump) -> Promoted<V> {
    let own = open * share;
    let moved = own * reached;
    let switched = (moved * V::of(bump.switched)).min(open - own);
    let expanded = moved * V::of(bump.expanded);
    let open = open + expanded;
    // The bound matters to nobody who orders anything.
    let share = ((own + switched + expanded) / open.max(V::of(1e-30))).min(V::of(1.0));
    Promoted { open, share, expanded, shifted: moved * V::of(bump.shifted) }
}

impl Mechanism for Promotion {
    type Traits = ();
    type Memory = ();
    /// This month's.
    type Ground = Bump;

    const DRAWS: u64 = 0;

    fn traits(_: &Agents, _: Range<usize>) {}
    fn memory(_: &Agents, _: Range<usize>) {}
    fn ground(&self, _: &Agents, _: &Territory) -> Bump {
        Bump::default()
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, bump: &mut Bump, _: &mut Here) {
        *bump = self.bump(f64::from(month.moves().promotion));
    }

    #[inline(always)]
    fn step<V: Simd>(&self, month: &Month<'_>, _: &Here, bump: &mut Bump, _: &(), _: &mut (), now: &mut Now<'_, V>) {
        if month.moves().promotion > 0.0 {
            let promoted = promoted(now.open, now.share, now.priced, bump);
            now.open = promoted.open;
            now.share = promoted.share;
            now.own_loaded = now.own_loaded + promoted.shifted;
            now.sums.demand = now.sums.demand + promoted.expanded;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_computed_bump() {
        // Elasticity 2 at a cut of ln 1.5: 1.5^2 - 1 = 1.25 times 4 is 5: 2 from rivals, 1 from later months, 2 more
        // use.
        let model = Promotion { elasticity: 2.0, switching: 0.4, shifting: 0.2 };
        let month = promoted(10.0, 0.4, 1.0, &model.bump(libm::log(1.5)));
        let close = |x: f64, wanted: f64| (x - wanted).abs() < 1e-12;
        assert!(close(month.open, 12.0) && close(month.expanded, 2.0) && close(month.shifted, 1.0), "{month:?}");
        assert!(close(month.open * month.share, 8.0) && close(month.open * (1.0 - month.share), 4.0), "{month:?}");
    }

    #[test]
    fn rivals_lose_no_more_than_they_have() {
        let model = Promotion { elasticity: 2.0, switching: 1.0, shifting: 0.0 };
        let month = promoted(10.0, 0.8, 1.0, &model.bump(libm::log(2.0)));
        assert_eq!((month.open, month.share), (10.0, 1.0));
        assert_eq!(promoted(0.0, 0.0, 1.0, &model.bump(1.0)).share, 0.0);
    }

    #[test]
    fn parts_never_pass_the_whole() {
        let model = Promotion { elasticity: 1.0, switching: 0.9, shifting: 0.6 };
        let Bump { switched, shifted, expanded } = model.bump(libm::log(2.0));
        assert!((switched - 0.6).abs() < 1e-12 && (shifted - 0.4).abs() < 1e-12 && expanded < 1e-12);
        assert_eq!(model.bump(-1.0), Bump::default());
    }
}
