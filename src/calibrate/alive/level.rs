//! How much customers bought in each month, over what they usually buy: a slow month is no sign that anybody has left.
//!
//! Between its first and last order customer i buys `y_it` of a mean `m_i f_t`, f being everybody's level. The two-way fit is the
//! fixed point of `m_i = sum_t y_it / sum_t f_t` and
//!
//! `f_t = (κ + sum_i c_i y_it / m_i) / (κ + sum_i c_i)`, `c_i = m_i / (m_i + mean m)`,
//!
//! sums over who is between its orders then: a large customer says no more than a few usual ones, and where few are seen, [`KAPPA`]
//! months of a usual customer hold the level at 1. Months before and after all others take the nearest one's.

/// See the module.
const KAPPA: f64 = 3.0;

/// Passes of the fixed point.
const PASSES: usize = 8;

/// The level of each month, of mean 1, from the sales (month, amount) of all customers.
pub(super) fn levels(sales: &[Vec<(usize, f64)>], months: usize) -> Vec<f64> {
    let mut level = vec![1.0; months];
    // Customers between their orders: where that begins and ends, and what they buy there.
    let inner: Vec<&[(usize, f64)]> = sales.iter().filter(|sales| sales.len() > 2).map(Vec::as_slice).collect();
    if inner.is_empty() {
        return level;
    }
    let span = |sales: &[(usize, f64)]| sales[0].0 + 1..sales[sales.len() - 1].0;
    for _ in 0..PASSES {
        let mut upto = vec![0.0; months + 1];
        for (t, level) in level.iter().enumerate() {
            upto[t + 1] = upto[t] + level;
        }
        let mean = |sales: &&[(usize, f64)]| {
            let sold: f64 = sales[1..sales.len() - 1].iter().map(|(_, y)| y).sum();
            sold / (upto[span(sales).end] - upto[span(sales).start]).max(1e-9)
        };
        let means: Vec<f64> = inner.iter().map(mean).collect();
        let usual = means.iter().sum::<f64>() / means.len() as f64;
        let (mut bought, mut expected) = (vec![KAPPA; months], vec![0.0; months + 1]);
        for (sales, &mean) in inner.iter().zip(&means) {
            let counts = mean / (mean + usual);
            for &(t, y) in &sales[1..sales.len() - 1] {
                bought[t] += counts * y / mean;
            }
            expected[span(sales).start] += counts;
            expected[span(sales).end] -= counts;
        }
        let mut running = 0.0;
        let seen: Vec<f64> = expected[..months]
            .iter()
            .map(|change| {
                running += change;
                running
            })
            .collect();
        for t in 0..months {
            level[t] = bought[t] / (KAPPA + seen[t].max(0.0));
        }
        // Few are between their orders at either end.
        let few = |t: &usize| seen[*t] > 0.5;
        if let (Some(first), Some(last)) = ((0..months).find(few), (0..months).rev().find(few)) {
            let (begin, end) = (level[first], level[last]);
            level[..first].fill(begin);
            level[last + 1..].fill(end);
        }
        let mean = level.iter().sum::<f64>() / months as f64;
        level.iter_mut().for_each(|level| *level /= mean);
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_found_whoever_leaves() {
        // Ten of each size; half leave after a year. Demand doubles in June.
        let of = |t: usize| if t % 12 == 5 { 2.0 } else { 1.0 };
        let sales: Vec<Vec<(usize, f64)>> = (0..200)
            .map(|i| (0..if i % 2 == 0 { 13 } else { 36 }).map(|t| (t, f64::from(1 + i % 7) * of(t))).collect())
            .collect();
        let found = levels(&sales, 36);
        let mean = (33.0 + 6.0) / 36.0;
        for (t, level) in found.iter().enumerate() {
            assert!((level * mean / of(t) - 1.0).abs() < 0.03, "{t}: {level}");
        }
    }

    #[test]
    fn nobody_and_few_mean_a_level_of_one() {
        assert_eq!(levels(&[vec![]], 4), vec![1.0; 4]);
        let found = levels(&[vec![(0, 1.0), (1, 8.0), (3, 1.0), (4, 1.0)]], 5);
        assert!(found.iter().all(|level| (0.5..1.7).contains(level)), "{found:?}");
    }
}
