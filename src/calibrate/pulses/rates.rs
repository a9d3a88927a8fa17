//! How often moves are made, learnt with the moves.
//!
//! A scan looks at some hundreds of months. With a fixed chance of a move the largest of as many deviations of mere noise passes for
//! one; where the chance itself is unknown, months without moves lower it for all others, and the correction for so many looks is
//! part of the posterior (Scott & Berger 2010, Ann. Statist. 38: a beta prior on the chance of inclusion).
//!
//! Campaigns, stock-outs and dips have one chance for all companies and months, beta with mean μ and weight a: with n moves in the N
//! other months the chance is `(a + n) / (a / μ + N)`.
//!
//! Loads keep to months of the year (quarter ends) and companies: each company's month of the year has a chance of its own, beta
//! with mean b and a weight of [`YEARS`] years, and b is the market's, one of [`BASES`], all as likely beforehand. With n_c loads in
//! N_c years, cells c are beta-binomial given b; the chance is the mean over b's posterior of `(YEARS b + n_c) / (YEARS + N_c)`.
//! Both are exchangeable, so that in whatever order moves are taken out and put in, the product of their chances is the same.

use super::moves::Kind;

/// Expected moves a company and month, and how many moves' worth of belief that is: assumptions, of which a market with moves leaves
/// little.
const CAMPAIGNS: (f64, f64) = (1.0 / 48.0, 1.0);
const STOCKOUTS: (f64, f64) = (1.0 / 150.0, 1.0);
const DIPS: (f64, f64) = (1.0 / 48.0, 1.0);
/// Chances of a load in a company's month, over the market's months and companies.
const BASES: [f64; 6] = [0.001, 0.0025, 0.006, 0.016, 0.04, 0.1];
/// Belief in the market's chance for a month of the year, in years.
const YEARS: f64 = 12.0;

/// Counts of loads by cell (company and month of the year) and what was learnt from them.
#[derive(Debug, Clone)]
pub struct Rates {
    /// Company-months.
    looks: f64,
    /// Years of a cell.
    years: usize,
    /// Cells.
    cells: usize,
    /// Log chance of n loads in a cell's years, in one order, given each of the bases.
    cell: Vec<[f64; BASES.len()]>,
}

impl Rates {
    pub fn new(companies: usize, months: usize) -> Self {
        let years = months.div_ceil(12);
        let cell = (0..=years).map(|n| BASES.map(|base| sequence(base, n, years))).collect();
        Self { looks: (companies * months) as f64, years, cells: 12 * companies, cell }
    }

    /// Log odds of a move that falls on all companies and months alike, given `others` of its kind.
    pub fn even(&self, kind: Kind, others: usize) -> f64 {
        let (mean, weight) = match kind {
            Kind::Stockout => STOCKOUTS,
            Kind::Dip => DIPS,
            Kind::Campaign | Kind::Loading => CAMPAIGNS,
        };
        log_odds((weight + others as f64) / (weight / mean + self.looks - 1.0))
    }

    /// Log odds of a load, given the others in its cell and in the other cells that have any.
    pub fn loading(&self, same: usize, elsewhere: &[usize]) -> f64 {
        let empty = self.cells.saturating_sub(1 + elsewhere.len()) as f64;
        let mut logs = [0.0; BASES.len()];
        for (b, log) in logs.iter_mut().enumerate() {
            let of = |n: usize| self.cell[n.min(self.years)][b];
            let here = sequence(BASES[b], same, (self.years - 1).max(same));
            *log = here + empty * of(0) + elsewhere.iter().map(|&n| of(n)).sum::<f64>();
        }
        let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut chance) = (0.0, 0.0);
        for (log, base) in logs.iter().zip(BASES) {
            let weight = libm::exp(log - highest);
            sum += weight;
            chance += weight * (YEARS * base + same as f64) / (YEARS + (self.years - 1).max(same) as f64);
        }
        log_odds(chance / sum)
    }
}

/// Log chance of n loads in a cell's first n years and none in the others.
fn sequence(base: f64, loads: usize, years: usize) -> f64 {
    let mut log = 0.0;
    for year in 0..years {
        let seen = year as f64;
        let chance = (YEARS * base + loads.min(year) as f64) / (YEARS + seen);
        log += libm::log(if year < loads { chance } else { 1.0 - chance });
    }
    log
}

/// Log of a chance over that of the opposite.
pub fn log_odds(chance: f64) -> f64 {
    let chance = chance.clamp(1e-9, 1.0 - 1e-9);
    libm::log(chance / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_moves_elsewhere_make_one_less_likely() {
        let rates = Rates::new(4, 96);
        // (1 + 0) / (48 + 383) and (1 + 10) / (48 + 383).
        assert!((rates.even(Kind::Campaign, 0) - log_odds(1.0 / 431.0)).abs() < 1e-12);
        assert!((rates.even(Kind::Campaign, 10) - log_odds(11.0 / 431.0)).abs() < 1e-12);
    }

    #[test]
    fn loads_in_the_same_month_of_the_year_speak_for_another() {
        let rates = Rates::new(4, 96);
        let none = rates.loading(0, &[]);
        let elsewhere = rates.loading(0, &[4, 4, 4, 4]);
        let same = rates.loading(4, &[4, 4, 4]);
        assert!(
            none < log_odds(0.004) && elsewhere > log_odds(0.01) && same > log_odds(0.2),
            "{none} {elsewhere} {same}"
        );
    }

    #[test]
    fn the_order_of_loads_does_not_matter() {
        // Two in one cell and one in another: whichever is last, the product of the chances' odds is the same but for what the
        // months without loads add, which is the same too.
        let rates = Rates::new(2, 96);
        let first = rates.loading(0, &[]) + rates.loading(1, &[]) + rates.loading(0, &[2]);
        let second = rates.loading(0, &[]) + rates.loading(0, &[1]) + rates.loading(1, &[1]);
        assert!((first - second).abs() < 1e-9, "{first} {second}");
    }
}
