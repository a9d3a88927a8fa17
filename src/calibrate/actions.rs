//! Artificial moves of rivals, learnt from the panel: loading, campaigns and stock-outs, apart from season and trend.
//!
//! For each rival the log odds of its sales against everybody else's are freed of level shifts (running median of 13
//! months) and of its own season (median by month of the year, from three years on). What is left is compared with
//! templates: some months up (campaign), up and then down by as much (loading: what was sold ahead is missing
//! afterwards), some months down (stock-out). The match is by generalised least squares under first-order
//! autocorrelation with a robust scale (1.4826 x median absolute deviation), largest first; each move found is taken
//! out of the rival's sales before the others are looked at, so that one's campaign is not taken for another's shortage.
//!
//! The threshold of [`THRESHOLD`] deviations keeps false alarms below one a rival in eight years even where the noise has the
//! tails of a t distribution with 5 degrees of freedom (tested). The probability of a move is that of a normal depth of
//! deviation [`TYPICAL_DEPTH`] against none, with one move in four years expected beforehand.

use crate::calibrate::ActionFound;
use crate::calibrate::sampling::normal_quantile;
use crate::ids::{CompanyIx, Index as _};
use crate::market::Market;
use crate::stats::Summary;
use crate::units::{Date, days_in};

const THRESHOLD: f64 = 4.4;
const TYPICAL_DEPTH: f64 = 0.3;
/// Fewest months of company rows.
const FEWEST: usize = 24;
/// Most moves looked for.
const MOST: usize = 40;

const TEMPLATES: [(&str, &[f64]); 8] = [
    ("campaign", &[1.0]),
    ("campaign", &[1.0, 1.0]),
    ("campaign", &[1.0, 1.0, 1.0]),
    ("loading", &[1.0, -1.0]),
    ("loading", &[1.0, -0.5, -0.5]),
    ("loading", &[1.0, 1.0, -1.0, -1.0]),
    ("stockout", &[-1.0]),
    ("stockout", &[-1.0, -1.0]),
];

/// A move of one rival's series.
#[derive(Debug, Clone, PartialEq)]
struct Move {
    company: usize,
    first: usize,
    kind: &'static str,
    shape: &'static [f64],
    /// Log odds.
    depth: f64,
    se: f64,
}

/// Scans the panel's company series. Empty without them, or where `actions.csv` names the rival's months already.
pub fn scan(market: &Market) -> Vec<ActionFound> {
    let Some(panel) = &market.panel else { return Vec::new() };
    let months = market.months();
    let companies = market.data.companies.ids.len();
    let series = if panel.market_company.is_empty() {
        // Territories whose every month has company rows, together.
        let full: Vec<&Vec<Vec<f64>>> = panel
            .company
            .iter()
            .zip(&panel.category)
            .filter(|(company, category)| !company.is_empty() && category.iter().all(Option::is_some))
            .map(|(company, _)| company)
            .collect();
        if full.is_empty() {
            return Vec::new();
        }
        (0..companies).map(|k| (0..months).map(|t| full.iter().map(|company| company[k][t]).sum()).collect()).collect()
    } else {
        panel.market_company.clone()
    };
    let of_year: Vec<usize> = market.history.months().map(crate::units::Month::of_year).collect();
    let mut moves = find(&series, &of_year);
    moves.retain(|found| !known(market, found));
    moves.sort_by_key(|found| (found.first, found.company));
    moves.iter().filter_map(|found| report(market, found)).collect()
}

/// `actions.csv` already has a move of this rival in these months.
fn known(market: &Market, found: &Move) -> bool {
    let span = (market.history.at(found.first), market.history.at(found.first + found.shape.len() - 1));
    market.data.actions.as_ref().is_some_and(|actions| {
        actions.iter().any(|action| {
            action.company.usize() == found.company && action.start.month() <= span.1 && span.0 <= action.end.month()
        })
    })
}

fn report(market: &Market, found: &Move) -> Option<ActionFound> {
    // The months that go up (or, at a stock-out, down) are the move; what follows is its shadow.
    let active = found.shape.iter().take_while(|h| (**h > 0.0) == (found.shape[0] > 0.0)).count();
    let (first, last) = (market.history.at(found.first), market.history.at(found.first + active - 1));
    let sign = found.shape[0];
    let depths: Vec<f64> = (0..200)
        .map(|q| {
            let log = found.depth + found.se * normal_quantile((f64::from(q) + 0.5) / 200.0);
            libm::exp(sign * log) - 1.0
        })
        .collect();
    Some(ActionFound {
        company: market.data.companies.ids.name(CompanyIx::from_usize(found.company)).to_owned(),
        territory: "*".to_owned(),
        start: Date::new(first.year(), first.of_year() as u32 + 1, 1)?,
        end: Date::new(last.year(), last.of_year() as u32 + 1, days_in(last))?,
        kind: found.kind.to_owned(),
        // Loading: what is sold above a month's sales, which is so many months of demand sold ahead.
        unit: if found.kind == "loading" { "months of demand" } else { "share of sales" }.to_owned(),
        depth: Summary::of(&depths)?,
        probability: probability(found.depth, found.se),
    })
}

/// P(move) from its depth: normal depths against none.
fn probability(depth: f64, se: f64) -> f64 {
    let expected = 1.0 / 48.0;
    let ratio = TYPICAL_DEPTH * TYPICAL_DEPTH / (se * se + TYPICAL_DEPTH * TYPICAL_DEPTH);
    let z = depth / se;
    let log_odds = 0.5 * libm::log(1.0 - ratio) + 0.5 * z * z * ratio + libm::log(expected);
    // Nothing learnt from the shape of one series is surer than this.
    (1.0 / (1.0 + libm::exp(-log_odds))).min(0.99)
}

/// All moves, deepest in deviations first.
fn find(series: &[Vec<f64>], of_year: &[usize]) -> Vec<Move> {
    let mut clean: Vec<Vec<f64>> = series.to_vec();
    let mut found: Vec<Move> = Vec::new();
    let months = of_year.len();
    if months < FEWEST {
        return found;
    }
    for _ in 0..MOST {
        let mut best: Option<(f64, Move)> = None;
        for company in 1..clean.len() {
            let Some(residuals) = residuals(&clean, company, of_year) else { continue };
            let Some(noise) = Noise::of(&residuals) else { continue };
            for (kind, shape) in TEMPLATES {
                for first in 0..months.saturating_sub(shape.len() - 1) {
                    let taken = |earlier: &Move| {
                        earlier.company == company
                            && earlier.first < first + shape.len()
                            && first < earlier.first + earlier.shape.len()
                    };
                    if found.iter().any(taken) {
                        continue;
                    }
                    let (depth, se) = noise.fit(&residuals, first, shape);
                    let z = depth / se;
                    if z > THRESHOLD && best.as_ref().is_none_or(|(highest, _)| z > *highest) {
                        best = Some((z, Move { company, first, kind, shape, depth, se }));
                    }
                }
            }
        }
        let Some((_, next)) = best else { break };
        for (offset, h) in next.shape.iter().enumerate() {
            clean[next.company][next.first + offset] *= libm::exp(-next.depth * h);
        }
        found.push(next);
    }
    found
}

/// Log odds of a company's sales against the others', without level shifts and season. `None` for a company that is
/// absent for more than a tenth of the months.
fn residuals(series: &[Vec<f64>], company: usize, of_year: &[usize]) -> Option<Vec<f64>> {
    let months = of_year.len();
    let own = &series[company];
    let mean = own.iter().sum::<f64>() / months as f64;
    if own.iter().filter(|&&x| x > 0.0).count() * 10 < months * 9 {
        return None;
    }
    let odds: Vec<f64> = (0..months)
        .map(|t| {
            let rest: f64 = series.iter().map(|s| s[t]).sum::<f64>() - own[t];
            libm::log((own[t].max(0.0) + 0.01 * mean) / (rest.max(0.0) + 0.01 * mean))
        })
        .collect();
    let detrended = |values: &[f64]| -> Vec<f64> {
        (0..months)
            .map(|t| {
                let window = t.saturating_sub(6)..(t + 7).min(months);
                values[t] - median(values[window].to_vec())
            })
            .collect()
    };
    let mut out = detrended(&odds);
    if months >= 36 {
        let mut season = [0.0; 12];
        for (m, effect) in season.iter_mut().enumerate() {
            let those: Vec<f64> = (0..months).filter(|&t| of_year[t] == m).map(|t| out[t]).collect();
            let n = those.len() as f64;
            *effect = median(those) * n / (n + 1.0);
        }
        let adjusted: Vec<f64> = (0..months).map(|t| odds[t] - season[of_year[t]]).collect();
        out = detrended(&adjusted);
    }
    Some(out)
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { 0.5 * (values[middle - 1] + values[middle]) }
}

/// First-order autoregressive noise with a robust scale.
struct Noise {
    /// Deviation of the innovations.
    scale: f64,
    correlation: f64,
}

impl Noise {
    fn of(residuals: &[f64]) -> Option<Self> {
        let spread = |values: &[f64]| 1.4826 * median(values.iter().map(|x| x.abs()).collect());
        let scale = spread(residuals);
        if !(scale > 1e-9 && scale.is_finite()) {
            return None;
        }
        // Outliers pulled in, so that moves do not pass for noise.
        let tame: Vec<f64> = residuals.iter().map(|x| x.clamp(-2.5 * scale, 2.5 * scale)).collect();
        let square: f64 = tame.iter().map(|x| x * x).sum();
        let product: f64 = tame.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let correlation = (product / square).clamp(-0.5, 0.8);
        let innovations: Vec<f64> = residuals.windows(2).map(|pair| pair[1] - correlation * pair[0]).collect();
        // The running median takes part of the noise with it: a seventh of the window.
        let scale = spread(&innovations) * 1.08;
        (scale > 1e-9).then_some(Self { scale, correlation })
    }

    /// Depth of a template at a month and its standard error.
    fn fit(&self, residuals: &[f64], first: usize, shape: &[f64]) -> (f64, f64) {
        let at = |t: usize| {
            if t >= first && t < first + shape.len() { shape[t - first] } else { 0.0 }
        };
        let (mut cross, mut square) = (0.0, 0.0);
        for t in first..(first + shape.len() + 1).min(residuals.len()) {
            let (h, r) = if t == 0 {
                // The first month has no month before it: its variance is that of the series.
                let whiten = (1.0 - self.correlation * self.correlation).sqrt();
                (whiten * at(0), whiten * residuals[0])
            } else {
                (at(t) - self.correlation * at(t - 1), residuals[t] - self.correlation * residuals[t - 1])
            };
            cross += h * r;
            square += h * h;
        }
        (cross / square, self.scale / square.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::{Purpose, Source};

    /// Four companies over eight years; noise t with 5 degrees of freedom, or normal, with autocorrelation.
    fn market(seed: u64, heavy: bool) -> (Vec<Vec<f64>>, Vec<usize>) {
        let mut source = Source::new(seed, Purpose::Series, 77);
        let months = 96;
        let series = (0..4)
            .map(|k| {
                let mut before = 0.0;
                let mut walk = 0.0;
                (0..months)
                    .map(|t| {
                        let chi = if heavy { (source.gamma(2.5) * 2.0 / 5.0).sqrt() } else { 1.0 };
                        before = 0.3 * before + 0.04 * source.normal() / chi;
                        walk += 0.005 * source.normal();
                        let season = 0.2 * libm::sin((t + 3 * k) as f64 * std::f64::consts::TAU / 12.0);
                        1000.0 * libm::exp(season + walk + before) * (1.0 + k as f64)
                    })
                    .collect()
            })
            .collect();
        (series, (0..months).map(|t| t % 12).collect())
    }

    #[test]
    fn few_false_alarms() {
        for heavy in [false, true] {
            let alarms: usize = (0..20)
                .map(|seed| {
                    let (series, of_year) = market(seed, heavy);
                    find(&series, &of_year).len()
                })
                .sum();
            // Sixty rivals over eight years.
            assert!(alarms <= if heavy { 60 } else { 12 }, "heavy {heavy}: {alarms} false alarms");
        }
    }

    #[test]
    fn loading_and_campaigns_are_found_and_told_apart() {
        let (mut hits, mut right) = (0, 0);
        for seed in 0..20 {
            let (mut series, of_year) = market(100 + seed, false);
            series[2][40] *= 1.5;
            series[2][41] *= 0.6;
            series[1][70] *= 1.4;
            series[1][71] *= 1.4;
            let found = find(&series, &of_year);
            let load = found.iter().find(|m| m.company == 2 && m.first.abs_diff(40) <= 1);
            let campaign = found.iter().find(|m| m.company == 1 && m.first.abs_diff(70) <= 1);
            hits += usize::from(load.is_some()) + usize::from(campaign.is_some());
            right += usize::from(load.is_some_and(|m| m.kind == "loading" && (m.depth - 0.43).abs() < 0.25));
            right += usize::from(campaign.is_some_and(|m| m.kind == "campaign" && (m.depth - 0.34).abs() < 0.15));
        }
        assert!(hits >= 38 && right >= 34, "{hits} found, {right} right, of 40");
    }

    #[test]
    fn probabilities_rise_with_depth() {
        assert!(probability(0.2, 0.05) < probability(0.4, 0.05));
        assert!(probability(0.22, 0.05) > 0.8 && probability(0.05, 0.05) < 0.1);
    }
}
