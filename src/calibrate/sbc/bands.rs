//! Simultaneous bands for the empirical distribution of ranks (Säilynoja, Bürkner & Vehtari 2022, "Graphical test for
//! discrete uniformity and its applications in goodness-of-fit evaluation and multiple sample comparison").
//!
//! With N ranks that are uniform, the number x_k of ranks below the fraction z_k is binomial(N, z_k). A band at the level γ holds at k
//! the x with `P(X <= x) >= γ / 2` and `P(X >= x) >= γ / 2`. It is simultaneous: γ is such that all k hold
//! together with probability 1 - α. That probability is exact here: x_{k+1} - x_k given x_k is
//! binomial(N - x_k, (z_{k+1} - z_k) / (1 - z_k)), so a sweep over k adds it up (their section 2.2).

/// Points at which ranks are looked at.
pub const POINTS: usize = 20;

/// The band's machinery for N ranks.
#[derive(Debug, Clone)]
pub struct Bands {
    fits: usize,
    log_factorial: Vec<f64>,
}

impl Bands {
    /// For so many ranks.
    pub fn new(fits: usize) -> Self {
        let mut log_factorial = vec![0.0; fits + 1];
        for n in 1..=fits {
            log_factorial[n] = log_factorial[n - 1] + libm::log(n as f64);
        }
        Self { fits, log_factorial }
    }

    fn probability(&self, n: usize, x: usize, p: f64) -> f64 {
        if p >= 1.0 {
            return f64::from(u8::from(x == n));
        }
        let ways = self.log_factorial[n] - self.log_factorial[x] - self.log_factorial[n - x];
        libm::exp(ways + x as f64 * libm::log(p) + (n - x) as f64 * libm::log1p(-p))
    }

    /// Lowest and highest count at each inner point at this level of a point.
    pub fn limits(&self, level: f64) -> Vec<(usize, usize)> {
        (1..POINTS)
            .map(|k| {
                let z = k as f64 / POINTS as f64;
                let half = 0.5 * level;
                let (mut below, mut low) = (0.0, self.fits);
                for x in 0..=self.fits {
                    below += self.probability(self.fits, x, z);
                    if below >= half {
                        low = x;
                        break;
                    }
                }
                let (mut above, mut high) = (0.0, 0);
                for x in (0..=self.fits).rev() {
                    above += self.probability(self.fits, x, z);
                    if above >= half {
                        high = x;
                        break;
                    }
                }
                (low, high)
            })
            .collect()
    }

    /// Probability that uniform ranks stay within these limits at all points.
    pub fn holds(&self, limits: &[(usize, usize)]) -> f64 {
        // By count at the point before.
        let mut now = vec![(0, 1.0)];
        for (k, &(low, high)) in limits.iter().enumerate() {
            let step = 1.0 / (POINTS - k) as f64;
            now = (low..=high)
                .map(|x| {
                    let from = now.iter().filter(|(before, _)| *before <= x);
                    let sum = from.map(|&(before, p)| p * self.probability(self.fits - before, x - before, step)).sum();
                    (x, sum)
                })
                .collect();
        }
        now.iter().map(|(_, p)| p).sum()
    }

    /// The band that uniform ranks leave with probability `alpha` at most.
    pub fn simultaneous(&self, alpha: f64) -> Vec<(usize, usize)> {
        let (mut low, mut high) = (libm::log(alpha) - 7.0, libm::log(alpha).max(-0.7));
        for _ in 0..30 {
            let middle = 0.5 * (low + high);
            if self.holds(&self.limits(libm::exp(middle))) >= 1.0 - alpha { low = middle } else { high = middle }
        }
        self.limits(libm::exp(low))
    }

    /// Probability that uniform ranks leave the narrowest band that these counts stay in.
    pub fn p_value(&self, counts: &[usize]) -> f64 {
        let level = counts.iter().enumerate().map(|(k, &count)| {
            let z = (k + 1) as f64 / POINTS as f64;
            let sum =
                |range: std::ops::RangeInclusive<usize>| range.map(|x| self.probability(self.fits, x, z)).sum::<f64>();
            2.0 * sum(0..=count).min(sum(count..=self.fits))
        });
        let level = level.fold(1.0, f64::min);
        // Just inside: the counts themselves must be limits.
        (1.0 - self.holds(&self.limits(level * (1.0 + 1e-9)))).clamp(0.0, 1.0)
    }
}

/// Number of ranks below each inner point, for ranks out of `draws + 1` possible ones.
pub fn counts(ranks: &[usize], draws: usize) -> Vec<usize> {
    (1..POINTS).map(|k| ranks.iter().filter(|&&rank| rank * POINTS < k * (draws + 1)).count()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use rand::RngExt as _;

    #[test]
    fn the_band_holds_as_often_as_it_says() {
        let bands = Bands::new(60);
        let limits = bands.simultaneous(0.1);
        let exact = bands.holds(&limits);
        // Counts are whole numbers: the band holds a little more often than asked for.
        assert!((0.9..0.94).contains(&exact), "{exact}");
        let mut rng = Stream::new(1, "test/bands", 0);
        let mut kept = 0;
        let tries = 4_000;
        for _ in 0..tries {
            let ranks: Vec<usize> = (0..60).map(|_| rng.random_range(0..200)).collect();
            let within = counts(&ranks, 199).iter().zip(&limits).all(|(x, (low, high))| low <= x && x <= high);
            kept += usize::from(within);
        }
        let share = f64::from(kept as u32) / f64::from(tries);
        assert!((share - exact).abs() < 4.0 * (0.1 * 0.9 / f64::from(tries)).sqrt(), "{share} for {exact}");
    }

    #[test]
    fn ranks_that_lean_or_pile_up_have_small_probabilities() {
        let bands = Bands::new(100);
        let p = |of: &dyn Fn(usize) -> usize| bands.p_value(&counts(&(0..100).map(of).collect::<Vec<_>>(), 199));
        assert!(p(&|i| 2 * i) > 0.9);
        // Truth above the draws too often; in the middle too often; at both ends too often.
        assert!(p(&|i| 100 + i) < 1e-6);
        assert!(p(&|i| 50 + i) < 1e-6);
        assert!(p(&|i| if i < 50 { i } else { 100 + i }) < 1e-6);
        assert!(p(&|i| (2 * i + 8).min(199)) > 0.05);
    }

    #[test]
    fn one_point_alone_is_the_binomial() {
        // P(2 <= X <= 8) of ten tosses, by hand: 1 - 2 (1 + 10) / 1024.
        let bands = Bands::new(10);
        let mut limits = vec![(0, 10); POINTS - 1];
        limits[POINTS / 2 - 1] = (2, 8);
        assert!((bands.holds(&limits) - (1.0 - 22.0 / 1024.0)).abs() < 1e-12);
    }
}
