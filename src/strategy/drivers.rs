//! What a strategy's figures hang on, and where that comes from.
//!
//! The share of the variance of a strategy's objective over draws that a parameter explains by a straight line in its ranks (the squared
//! rank correlation, Spearman 1904; a first-order index of a sensitivity analysis, Saltelli et al. 2008, chapter 1). Runs of a draw are
//! averaged first, so that chance counts for less. With n draws a parameter that explains nothing still reaches about 1 / n, so only those
//! beyond [`LUCK`] of that count. The figures of a strategy have the origin of the parameter that explains most of them.

use crate::stats::mean_sd;

/// Beyond so many times 1 / n nothing is luck, whatever the number of parameters.
const LUCK: f64 = 12.0;

/// Shares of variance explained, most first: (parameter, share). `values[draw][parameter]`, `runs`: draw and figure.
pub fn drivers(values: &[Vec<f64>], runs: &[(usize, f64)]) -> Vec<(usize, f64)> {
    let mut sums = vec![(0.0, 0.0); values.len()];
    for &(draw, figure) in runs {
        if let Some(sum) = sums.get_mut(draw) {
            *sum = (sum.0 + figure, sum.1 + 1.0);
        }
    }
    let seen: Vec<usize> = (0..values.len()).filter(|&draw| sums[draw].1 > 0.0).collect();
    let figures = ranks(&seen.iter().map(|&draw| sums[draw].0 / sums[draw].1).collect::<Vec<f64>>());
    let least = LUCK / seen.len().max(1) as f64;
    let mut out: Vec<(usize, f64)> = (0..values.first().map_or(0, Vec::len))
        .map(|parameter| {
            let of = ranks(&seen.iter().map(|&draw| values[draw][parameter]).collect::<Vec<f64>>());
            (parameter, correlation(&of, &figures).powi(2))
        })
        .filter(|(_, share)| *share > least)
        .collect();
    out.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    out
}

/// Ranks, equals sharing theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut out = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let mut last = first;
        while last + 1 < order.len() && values[order[last + 1]] == values[order[first]] {
            last += 1;
        }
        order[first..=last].iter().for_each(|&at| out[at] = (first + last) as f64 / 2.0);
        first = last + 1;
    }
    out
}

/// 0 where one of both does not move.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let ((mx, sx), (my, sy)) = (mean_sd(x), mean_sd(y));
    if sx <= 0.0 || sy <= 0.0 || x.len() < 3 {
        return 0.0;
    }
    let sum: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    sum / (sx * sy * (x.len() - 1) as f64)
}

/// The part of a figure's variance over runs that is chance and no parameter: variance within draws over all variance. `None` where
/// too few draws have several runs.
pub fn chance_share(runs: &[(usize, f64)]) -> Option<f64> {
    let draws = runs.iter().map(|(draw, _)| draw + 1).max()?;
    let mut of: Vec<Vec<f64>> = vec![Vec::new(); draws];
    runs.iter().for_each(|&(draw, figure)| of[draw].push(figure));
    let (squares, freedom) = of.iter().filter(|figures| figures.len() > 1).fold((0.0, 0.0), |(sum, free), figures| {
        let (_, sd) = mean_sd(figures);
        let more = (figures.len() - 1) as f64;
        (sum + sd * sd * more, free + more)
    });
    let (_, sd) = mean_sd(&runs.iter().map(|(_, figure)| *figure).collect::<Vec<f64>>());
    (freedom >= 30.0 && sd > 0.0).then(|| (squares / freedom / (sd * sd)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use rand::RngExt as _;
    use rand_distr::{Distribution as _, StandardNormal};

    #[test]
    fn what_moves_a_figure_is_found() {
        let mut stream = Stream::new(1, "test/drivers", 0);
        let values: Vec<Vec<f64>> = (0..400).map(|_| (0..4).map(|_| stream.random::<f64>()).collect()).collect();
        let runs: Vec<(usize, f64)> = (0..800)
            .map(|run| {
                let draw = run % 400;
                let luck: f64 = StandardNormal.sample(&mut stream);
                (draw, 4.0 * values[draw][2] - 2.0 * values[draw][0] + 0.5 * luck)
            })
            .collect();
        let found = drivers(&values, &runs);
        assert_eq!(found.iter().map(|(parameter, _)| *parameter).collect::<Vec<_>>(), vec![2, 0]);
        assert!((found[0].1 / found[1].1 - 4.0).abs() < 1.5, "{found:?}");
        // Variances: (16 + 4) / 12 of the parameters, 1/4 of luck.
        let chance = chance_share(&runs).unwrap();
        assert!((chance - 0.25 / (20.0 / 12.0 + 0.25)).abs() < 0.03, "{chance}");
        assert_eq!(chance_share(&runs[..400]), None);
    }
}
