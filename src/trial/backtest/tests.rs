//! Scores and simple forecasts against known answers.

use super::*;
use crate::rng::normal_f64;
use crate::trial::TrialError;
use crate::units::MonthSpan;

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

#[test]
fn crps_of_a_normal_is_the_closed_form() {
    // Gneiting & Raftery 2007: sd (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)). At z = 0 0.2337, at z = 1 0.6024.
    let draws: Vec<f64> = (0..4000).map(|i| 10.0 + 3.0 * normal_f64((f64::from(i) + 0.5) / 4000.0)).collect();
    assert!((crps(&draws, 10.0) / 3.0 - 0.233_695).abs() < 2e-3, "{}", crps(&draws, 10.0) / 3.0);
    assert!((crps(&draws, 13.0) / 3.0 - 0.602_442).abs() < 2e-3, "{}", crps(&draws, 13.0) / 3.0);
    assert_eq!(crps(&[4.0], 6.5), 2.5);
    // Two draws around the truth: 1 - |3 - 1| / 2.
    assert!((crps(&[1.0, 3.0], 2.0) - 0.0).abs() < 1e-12);
}

fn case(actual: Vec<f64>, twin: Vec<Vec<f64>>, naive: Vec<f64>) -> Case {
    let naive = Ahead { draws: vec![naive.clone()], point: naive };
    Case {
        origin: month("2020-12"),
        territory: None,
        measure: Measure::OwnSales,
        actual,
        forecasts: vec![Ahead::of_draws(twin), naive.clone(), naive],
    }
}

#[test]
fn scores_by_hand() {
    // Errors 1 and 3 of 10 + 20; the naive errs by 2 and 6.
    let case = case(vec![10.0, 20.0], vec![vec![11.0, 17.0]; 3], vec![8.0, 26.0]);
    let rows = score(&[case], &[], "boxes");
    let value = |model: &str, metric: &str| {
        let row = rows.iter().find(|row| row.model == model && row.metric == metric && row.origin.is_none()).unwrap();
        (row.value, row.unit.as_str())
    };
    assert_eq!(value("twin", "wape"), (4.0 / 30.0, "share of actual"));
    assert_eq!(value("twin", "mase"), (0.5, "ratio"));
    assert_eq!(value("seasonal_naive", "mase"), (1.0, "ratio"));
    assert_eq!(value("twin", "crps"), (2.0, "boxes"));
    assert_eq!(value("twin", "cover90"), (0.0, "share"));
    // 28 against 30, and 34 against 30.
    assert_eq!(value("twin", "year_mase"), (0.5, "ratio"));
    assert!((value("twin", "year_wape").0 - 2.0 / 30.0).abs() < 1e-12);
}

#[test]
fn cover_counts_the_months_inside() {
    let draws: Vec<Vec<f64>> = (0..=100).map(|i| vec![f64::from(i); 4]).collect();
    let case = case(vec![50.0, 20.0, 3.0, 96.0], draws, vec![0.0; 4]);
    let rows = score(&[case], &[], "boxes");
    let value = |metric: &str| rows.iter().find(|row| row.model == "twin" && row.metric == metric).unwrap().value;
    assert_eq!((value("cover50"), value("cover90")), (0.25, 0.5));
}

#[test]
fn last_year_is_repeated_with_its_errors() {
    let past: Vec<f64> = (0..36).map(|t| f64::from(t % 12 + t / 12 * 5)).collect();
    let ahead = naive(&past, 12, 50, 1, 1).unwrap();
    assert_eq!(ahead.point, past[24..]);
    // A year is worth 5 more than the one before, always.
    assert!(ahead.draws.iter().flatten().zip(ahead.point.iter().cycle()).all(|(draw, point)| *draw == point + 5.0));
    assert!(naive(&past[..23], 12, 50, 1, 1).is_none());
}

const SEASON: [f64; 12] = [0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.2, 1.1, 1.0, 0.9, 0.8];

#[test]
fn an_exact_season_is_continued() {
    for multiplicative in [true, false] {
        let at = |t: usize| {
            if multiplicative { 200.0 * SEASON[t % 12] } else { 10.0 * (SEASON[t % 12] - 1.0) }
        };
        let past: Vec<f64> = (0..48).map(at).collect();
        let fitted = Smoothing::fit(&past).unwrap();
        assert_eq!(fitted.multiplicative, multiplicative);
        for (h, forecast) in fitted.point(12).into_iter().enumerate() {
            assert!((forecast - at(48 + h)).abs() < 1e-6, "{h}: {forecast} for {}", at(48 + h));
        }
    }
}

#[test]
fn a_trend_is_followed_and_damped() {
    let at = |t: usize| (200.0 + 3.0 * t as f64) * SEASON[t % 12];
    let past: Vec<f64> = (0..72).map(at).collect();
    let forecast = smoothing(&past, 12, 20, 1, 1).unwrap().point;
    // Better than last year, short of the full trend.
    let (sum, last, next) =
        (forecast.iter().sum::<f64>(), past[60..].iter().sum::<f64>(), (72..84).map(at).sum::<f64>());
    assert!(sum > last + 0.6 * (next - last) && sum < next * 1.001, "{last} {sum} {next}");
}

#[test]
fn a_step_moves_the_level() {
    let mut rng = crate::rng::Stream::new(1, "test/smoothing", 0);
    use rand::RngExt as _;
    let mut noise = || rng.random::<f64>() - 0.5;
    let past: Vec<f64> =
        (0..60).map(|t| (if t < 40 { 100.0 } else { 150.0 }) * SEASON[t % 12] * (1.0 + 0.02 * noise())).collect();
    let ahead = smoothing(&past, 12, 400, 1, 1).unwrap();
    let mean = ahead.point.iter().sum::<f64>() / 12.0;
    assert!((mean - 150.0).abs() < 10.0, "{mean}");
    let spread = Summary::of(&ahead.draws.iter().map(|draw| draw[0]).collect::<Vec<_>>()).unwrap();
    assert!(spread.sd > 0.0 && spread.sd < 30.0, "{spread:?}");
}

#[test]
fn origins_lie_a_year_apart() {
    let history = MonthSpan::new(month("2012-01"), month("2016-12")).unwrap();
    let at = origins(history, &Origins::Yearly(3)).unwrap();
    assert_eq!(at, [month("2013-12"), month("2014-12"), month("2015-12")]);
    let at = origins(history, &Origins::At(vec![month("2015-06"), month("2014-03"), month("2015-06")])).unwrap();
    assert_eq!(at, [month("2014-03"), month("2015-06")]);
}

#[test]
fn what_cannot_be_forecast_is_refused() {
    let history = MonthSpan::new(month("2014-01"), month("2017-06")).unwrap();
    let says = |wanted| match origins(history, &wanted) {
        Err(error @ (TrialError::TooFewMonths { .. } | TrialError::Origin { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    };
    insta::assert_snapshot!(says(Origins::Yearly(3)), @"3 origins a year apart need 60 months of history (24 before the first, and 12 after each to compare with), and there are 42; add older sales, or ask for fewer: --origins 1");
    insta::assert_snapshot!(says(Origins::At(vec![month("2017-01")])), @"--at 2017-01 has not 24 months of history behind it and 12 ahead of it to compare with: the history is 2014-01 to 2017-06, so choose a month from 2015-12 to 2016-06");
    assert!(says(Origins::At(vec![month("2014-06")])).contains("from 2015-12 to 2016-06"));
    let short = MonthSpan::new(month("2016-01"), month("2017-06")).unwrap();
    insta::assert_snapshot!(origins(short, &Origins::Yearly(1)).unwrap_err().to_string(), @"one origin needs 36 months of history (24 before the first, and 12 after each to compare with), and there are 18; add older sales");
}
