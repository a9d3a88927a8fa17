//! How our sales move with goodwill where customers differ in taste: the logit of [`choice`], averaged over a spread.
//!
//! The log odds of us of served customers differ, `a_i ~ N(a, τ²)`, whatever their size. What they buy from us together at goodwill G is
//! in proportion to
//!
//! `S(G) = E share(a + τ z + G)`, `z ~ N(0, 1)`,
//!
//! and the response of the likelihood is `S(G) / S(0)`: customers count there by what they buy, and those who like us most, whom contacts
//! can move least, buy most. With one taste for all (`τ = 0`) the elasticity would be taken for `1 - share` times the effect where it is
//! `E share (1 - share) / E share` times it ([`room`]): a tenth less at the tastes that surveys show, so that effects would come out a tenth
//! too small.
//!
//! Gauss-Hermite quadrature with seven nodes (Abramowitz & Stegun 1964, 25.4.46), tabulated, with cubic interpolation in between.

use crate::simulate::mechanisms::choice;

/// Nodes of the standard normal and their weights; the negative ones mirror them.
const NODES: [(f64, f64); 4] = [
    (0.0, 0.457_142_857_142_857_14),
    (1.154_405_394_739_968_1, 0.240_123_178_605_012_7),
    (2.366_759_410_734_541, 0.030_757_123_967_586_5),
    (3.750_439_717_725_742_3, 0.000_548_268_855_972_2),
];

/// Goodwill of the table: from, to, steps of one.
const TABLE: (f64, f64, f64) = (-2.0, 10.0, 16.0);

/// Expected share and its slope at log odds spread by `taste`.
fn mean_share(log_odds: f64, taste: f64) -> (f64, f64) {
    let at = |x: f64| {
        let share = choice::share(log_odds + taste * x, 1.0);
        (share, share * (1.0 - share))
    };
    let mut sum = (0.0, 0.0);
    for (x, weight) in NODES {
        let (up, down) = (at(x), if x > 0.0 { at(-x) } else { (0.0, 0.0) });
        sum = (sum.0 + weight * (up.0 + down.0), sum.1 + weight * (up.1 + down.1));
    }
    sum
}

/// Central log odds at which customers of this spread of tastes give us the share together.
pub fn centre(share: f64, taste: f64) -> f64 {
    let mut x = choice::appeal(share, 0.0) * (1.0 + std::f64::consts::PI / 8.0 * taste * taste).sqrt();
    for _ in 0..8 {
        let (mean, slope) = mean_share(x, taste);
        x += ((share - mean) / slope.max(1e-9)).clamp(-1.0, 1.0);
    }
    x
}

/// By how much log sales move with a unit of goodwill at a share of wallet: `1 - share` where tastes are one.
pub fn room(share: f64, taste: f64) -> f64 {
    if taste <= 0.0 {
        return 1.0 - share;
    }
    let (mean, slope) = mean_share(centre(share, taste), taste);
    slope / mean.max(1e-300)
}

/// The share that customers give us together, by goodwill.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Central log odds at no goodwill.
    appeal: f64,
    taste: f64,
    /// Share and slope by goodwill; empty where tastes are one.
    table: Vec<(f64, f64)>,
}

impl Curve {
    /// Of customers that give us `share` at a goodwill of `lift`.
    pub fn new(share: f64, taste: f64, lift: f64) -> Self {
        if taste <= 0.0 {
            return Self { appeal: choice::appeal(share, lift), taste: 0.0, table: Vec::new() };
        }
        let appeal = centre(share, taste) - lift;
        let (from, to, steps) = TABLE;
        let nodes = ((to - from) * steps) as usize + 1;
        let table = (0..nodes).map(|k| mean_share(appeal + from + k as f64 / steps, taste)).collect();
        Self { appeal, taste, table }
    }

    /// The share at a goodwill.
    #[inline]
    pub fn share(&self, goodwill: f64) -> f64 {
        if self.table.is_empty() {
            return choice::share(self.appeal + goodwill, 1.0);
        }
        let (from, _, steps) = TABLE;
        let x = (goodwill - from) * steps;
        let k = x as usize;
        match self.table.get(k..k + 2) {
            // Hermite's cubic.
            Some(&[(y0, d0), (y1, d1)]) if x >= 0.0 => {
                let t = x - k as f64;
                let (d0, d1, rise) = (d0 / steps, d1 / steps, y1 - y0);
                y0 + t * (d0 + t * (3.0 * rise - 2.0 * d0 - d1 + t * (d0 + d1 - 2.0 * rise)))
            }
            _ => mean_share(self.appeal + goodwill, self.taste).0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By brute force: a fine grid of the normal density.
    fn brute(log_odds: f64, taste: f64) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for k in -4000..=4000 {
            let z = f64::from(k) / 500.0;
            let density = libm::exp(-0.5 * z * z);
            sum += density / (1.0 + libm::exp(-(log_odds + taste * z)));
            weight += density;
        }
        sum / weight
    }

    #[test]
    fn seven_nodes_are_enough() {
        for taste in [0.3, 0.8, 1.5] {
            for log_odds in [-3.0, -0.7, 0.0, 1.2] {
                let (share, exact) = (mean_share(log_odds, taste).0, brute(log_odds, taste));
                assert!((share / exact - 1.0).abs() < 1e-3, "{taste} {log_odds}: {share} {exact}");
            }
        }
    }

    #[test]
    fn the_table_is_the_function() {
        let curve = Curve::new(0.35, 0.8, 0.4);
        assert!((curve.share(0.4) - 0.35).abs() < 1e-8);
        for k in -60..260 {
            let goodwill = f64::from(k) * 0.0501;
            let exact = mean_share(curve.appeal + goodwill, 0.8).0;
            assert!((curve.share(goodwill) / exact - 1.0).abs() < 1e-6, "{goodwill}");
        }
        let alone = Curve::new(0.35, 0.0, 0.4);
        assert_eq!(alone.share(0.4), choice::share(choice::appeal(0.35, 0.4) + 0.4, 1.0));
    }

    #[test]
    fn those_who_like_us_most_have_least_room() {
        assert_eq!(room(0.4, 0.0), 0.6);
        // A numeric derivative of log sales.
        let curve = Curve::new(0.4, 0.7, 0.0);
        let step = 1e-3;
        let numeric = (curve.share(step).ln() - curve.share(-step).ln()) / (2.0 * step);
        assert!((room(0.4, 0.7) - numeric).abs() < 1e-5, "{} {numeric}", room(0.4, 0.7));
        assert!(numeric < 0.56 && numeric > 0.5);
    }
}
