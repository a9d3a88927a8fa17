//! Field tests as evidence of the response (`experiments.csv`).
//!
//! A row whose lever is a channel says: in these territories and months, the contacts of that channel that `calls.csv` records brought
//! sales a relative lift ℓ over what they would have been without them, with standard error s. The model's own lift at a point, over
//! the customers i of the territories and the months t of the test,
//!
//! `lift = sum_it A_i r_it / sum_it A_i r'_it`,   `A_i = K_i / sum_t r_it`
//!
//! has r' with the goodwill that these contacts left taken away (in the months of the test; what earlier ones left stays, in both). Its
//! log is held against log(1 + ℓ) as a normal with deviation s / (1 + ℓ) (delta method). A randomised test has no selection, so that
//! it corrects what comparing customers with themselves may have wrong; the likelihoods multiply, as independent evidence
//! does (Gordon, Moakler & Zettelmeyer 2023 on how far observational estimates can be off; the priors of a media mix
//! are calibrated on tests in the same way: Jin et al. 2017).
//!
//! The share of wallet is cut from the likelihood, so it stays as uncertain as it was: over its draws the lift of the same contacts varies
//! by more than a sharp test leaves. With the share given it does not.

use rayon::prelude::*;

use crate::calibrate::observed::Observed;
use crate::calibrate::response::Point;
use crate::channel::Channel;
use crate::data::Experiment;
use crate::ids::Index as _;
use crate::market::Market;

/// Customers that a test's lift is worked out from; of more, every k-th.
const ENOUGH: usize = 400;

/// A test that the likelihood reads.
#[derive(Debug, Clone, PartialEq)]
struct FieldTest {
    channel: Channel,
    customers: Vec<usize>,
    /// Months of the history, the last one included.
    from: usize,
    to: usize,
    log_lift: f64,
    se: f64,
}

/// All tests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldTests {
    tests: Vec<FieldTest>,
    /// Why rows are not used, in plain words.
    pub unused: Vec<String>,
}

impl FieldTests {
    /// Reads the market's tests.
    pub fn new(market: &Market, observed: &Observed) -> Self {
        let mut out = Self::default();
        for row in market.data.experiments.iter().flatten() {
            match FieldTest::new(row, market, observed) {
                Ok(test) => out.tests.push(test),
                Err(why) => out.unused.push(format!("experiments.csv, {} of {}: {why}", row.lever, row.span)),
            }
        }
        out
    }

    /// Number of tests that speak.
    pub fn count(&self) -> usize {
        self.tests.len()
    }

    /// Log likelihood of what the tests found.
    pub fn log_likelihood(&self, observed: &Observed, point: &Point) -> f64 {
        let of = |test: &FieldTest| {
            let z = (test.log_lift - test.expected(observed, point)) / test.se;
            -0.5 * z * z
        };
        self.tests.iter().map(of).sum()
    }
}

impl FieldTest {
    fn new(row: &Experiment, market: &Market, observed: &Observed) -> Result<Self, String> {
        let channel = Channel::ALL.into_iter().find(|channel| channel.name() == row.lever);
        let channel = channel.ok_or("the lever is no channel (face_to_face, phone, ...); calibration does not use it, and strategies do if it is the id of one")?;
        let contacts = observed.contacts.iter().find(|contacts| contacts.channel == channel);
        let contacts = contacts.ok_or("calls.csv has no contacts of this channel, and the test is not used")?;
        if row.lift <= -0.95 {
            return Err("a lift of -95% or less is no field test, and is not used".to_owned());
        }
        let position = |month| market.history.position(month);
        let (Some(from), Some(to)) = (position(row.span.first), position(row.span.last)) else {
            return Err("its months lie outside the history, and it is not used".to_owned());
        };
        let months = observed.months;
        let all: Vec<usize> = row
            .territories
            .iter()
            .flat_map(|territory| market.customers_of(territory.usize()))
            .filter(|&i| observed.bought[i])
            .collect();
        let customers: Vec<usize> = all.iter().copied().step_by(all.len().div_ceil(ENOUGH).max(1)).collect();
        let contacted = |&i: &usize| contacts.by_month[i * months + from..=i * months + to].iter().any(|&x| x > 0.0);
        if !customers.iter().any(contacted) {
            return Err("calls.csv has no such contacts in its territories and months, and it is not used".to_owned());
        }
        Ok(Self { channel, customers, from, to, log_lift: libm::log1p(row.lift), se: row.se / (1.0 + row.lift) })
    }

    /// Log of the lift that the model expects.
    fn expected(&self, observed: &Observed, point: &Point) -> f64 {
        let curve = observed.curve(point);
        let months = observed.months;
        let sums: Vec<[f64; 2]> = self
            .customers
            .par_iter()
            .map(|&i| {
                let (mut with, mut without) = (vec![0.0; months], vec![0.0; months]);
                observed.goodwill(i, &point.goodwill, &mut with);
                observed.goodwill_without(i, &point.goodwill, self.channel, self.from..self.to + 1, &mut without);
                let share = |goodwill: f64| curve.share(point.liking * observed.called[i] + goodwill);
                let weights = observed.weights(i);
                let exposure: f64 = with.iter().zip(weights).map(|(&g, &w)| f64::from(w) * share(g)).sum();
                let sold: f64 = observed.sales(i).map(|(_, y)| y).sum();
                let rate = if exposure > 0.0 { sold / exposure } else { 0.0 };
                let over = |goodwill: &[f64]| {
                    (self.from..=self.to).map(|t| rate * f64::from(weights[t]) * share(goodwill[t])).sum::<f64>()
                };
                [over(&with), over(&without)]
            })
            .collect();
        let [with, without] = sums.iter().fold([0.0; 2], |sum, pair| [sum[0] + pair[0], sum[1] + pair[1]]);
        if without > 0.0 && with > 0.0 { libm::log(with / without) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::testing::{Recipe, make};
    use crate::calibrate::{Calibration, Draw, Settings, fit};
    use crate::ids::TerritoryIx;
    use crate::scenario::Prior;

    /// The lift of the first test's contacts that a calibration expects: mean and deviation over its draws.
    fn lift(market: &Market, calibration: &Calibration) -> (f64, f64) {
        let observed = crate::calibrate::past::observed(market, &Settings::default()).unwrap();
        let tests = FieldTests::new(&with_test("face_to_face", 0.1, 0.1), &observed);
        let of = |draw: &Draw| libm::expm1(tests.tests[0].expected(&observed, &Point::of(draw)));
        crate::stats::mean_sd(&calibration.draws.iter().map(of).collect::<Vec<f64>>())
    }

    fn with_test(lever: &str, lift: f64, se: f64) -> Market {
        let mut market = make(&Recipe { customers: 120, ..Recipe::default() });
        let span = crate::units::MonthSpan::new(market.history.at(30), market.history.at(41)).unwrap();
        let territories = (0..2).map(TerritoryIx::from_usize).collect();
        market.data.experiments = Some(vec![Experiment { span, territories, lever: lever.into(), lift, se }]);
        market
    }

    fn fitted(market: &Market) -> Calibration {
        // The share of wallet is cut from the likelihood: at draws of it the same contacts lift more or less, whatever the test says.
        let share = (("choice".to_owned(), "share_of_wallet".to_owned()), Prior::Fixed(0.35));
        let settings = Settings { draws: 100, feasts: false, priors: [share].into(), ..Settings::default() };
        fit(market, &settings, &mut |_, _| ()).unwrap()
    }

    #[test]
    fn a_sharp_test_decides_and_a_vague_one_says_nothing() {
        let of = |lever, found, se| {
            let market = with_test(lever, found, se);
            lift(&market, &fitted(&market))
        };
        let (none, vague) = (of("price", 0.1, 0.01), of("face_to_face", 0.1, 5.0));
        assert!((none.0 - vague.0).abs() < 0.3 * none.1 && (vague.1 / none.1 - 1.0).abs() < 0.3, "{none:?} {vague:?}");
        // Below and above what the customers' own history says, and surer: precisions add up.
        let (low, high) = (of("face_to_face", none.0 - 0.09, 0.01), of("face_to_face", none.0 + 0.09, 0.01));
        for (found, wanted) in [(low, none.0 - 0.09), (high, none.0 + 0.09)] {
            assert!(
                (found.0 - wanted).abs() < 0.03 && found.1 < 0.6 * none.1,
                "{found:?} for {wanted}, alone {none:?}"
            );
        }
    }

    #[test]
    fn the_lift_of_one_contact_by_hand() {
        // A customer that is visited once, in the only month of the test: goodwill `effect x saturate(1)` against none.
        let mut market = with_test("face_to_face", 0.1, 0.01);
        let span = crate::units::MonthSpan::new(market.history.at(30), market.history.at(30)).unwrap();
        if let Some(rows) = &mut market.data.experiments {
            rows[0].span = span;
        }
        let settings = Settings::default();
        let mut observed = crate::calibrate::past::observed(&market, &settings).unwrap();
        for contacts in &mut observed.contacts {
            contacts.by_month.fill(0.0);
            contacts.before.fill(0.0);
            for i in 0..observed.customers {
                contacts.by_month[i * observed.months + 30] = 1.0;
            }
        }
        let tests = FieldTests::new(&market, &observed);
        let point = Point { goodwill: Recipe::default().goodwill(), share: 0.35, taste: 0.5, liking: 0.0, lead: 0.0 };
        let curve = observed.curve(&point);
        let lift: f64 = point.goodwill.lift(Channel::FaceToFace, 1.0);
        let expected = libm::log(curve.share(lift) / curve.share(0.0));
        assert!((tests.tests[0].expected(&observed, &point) - expected).abs() < 1e-9);
    }

    #[test]
    fn tests_that_cannot_be_used_say_why() {
        let market = with_test("price", 0.1, 0.01);
        let observed = crate::calibrate::past::observed(&market, &Settings::default()).unwrap();
        let tests = FieldTests::new(&market, &observed);
        assert!(tests.count() == 0 && tests.unused[0].contains("price") && tests.unused[0].contains("no channel"));
    }
}
