//! Calibration as a whole: what was put into made markets comes back out, and what was not does not.

use std::collections::BTreeMap;

use super::testing::{Recipe, make, run_agents};
use super::*;
use crate::data::CalendarEvent;
use crate::market::Market;
use crate::origin::Origin;
use crate::scenario::Prior;
use crate::stats::{Summary, mean_sd};

/// No customer of a recipe closes, and the calibration is told so: where nobody comes back, silence alone cannot know.
fn settings() -> Settings {
    let priors = BTreeMap::from([(("closure".to_owned(), "hazard".to_owned()), Prior::Fixed(0.0))]);
    Settings { seed: 3, draws: 100, priors, ..Settings::default() }
}

fn calibrate(market: &Market) -> Calibration {
    let calibration = fit(market, &settings(), &mut |_, _| {}).unwrap();
    assert_sane(market, &calibration);
    calibration
}

/// Nothing that is not a number, everything as long as it should be.
fn assert_sane(market: &Market, calibration: &Calibration) {
    let n = market.customer_count();
    for (d, draw) in calibration.draws.iter().enumerate() {
        let p = &draw.parameters;
        let season: f64 = p.season.iter().sum();
        assert!((season - 12.0).abs() < 1e-9);
        assert!(p.order_unit > 0.0 && p.churn >= 0.0 && p.closure >= 0.0 && p.birth >= 0.0 && p.shock_sd >= 0.0);
        assert!((0.0..1.0).contains(&p.goodwill.decay) && p.goodwill.half_saturation > 0.0);
        assert_eq!(draw.finds.len(), market.territory_count());
        let rates = calibration.customer_rates(market, d, 1);
        assert_eq!(rates.own.len(), n);
        assert!(rates.own.iter().chain(&rates.goodwill).all(|x| x.is_finite()));
    }
    let table = calibration.posterior_table();
    assert!(table.rows.iter().all(|row| row.len() == table.header.len() && row.iter().all(|x| x.is_finite())));
    assert!(calibration.customers.active.iter().all(|p| (0.0..=1.0).contains(p)));
    for row in &calibration.diagnostics {
        assert!(row.contraction.is_none_or(|c| (0.0..=1.0).contains(&c)), "{row:?}");
        assert!(!row.source.is_empty(), "{row:?}");
    }
}

fn row<'a>(calibration: &'a Calibration, parameter: &str) -> &'a Diagnostic {
    calibration.diagnostics.iter().find(|row| row.parameter == parameter).unwrap_or_else(|| panic!("{parameter}"))
}

fn check<'a>(calibration: &'a Calibration, name: &str) -> &'a Check {
    calibration.checks.iter().find(|check| check.name.starts_with(name)).unwrap_or_else(|| panic!("{name}"))
}

/// Truth within the draws' central 98%, or within 10% of the nearer end.
fn holds(draws: impl Iterator<Item = f64>, truth: f64) -> bool {
    let mut values: Vec<f64> = draws.collect();
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = (values[values.len() / 100], values[values.len() - 1 - values.len() / 100]);
    let slack = 0.1 * truth.abs();
    low - slack <= truth && truth <= high + slack
}

#[test]
fn what_was_put_in_comes_out() {
    let recipe = Recipe { customers: 600, ..Recipe::default() };
    let market = make(&recipe);
    let calibration = calibrate(&market);
    let of = |get: &dyn Fn(&Draw) -> f64| calibration.draws.iter().map(get).collect::<Vec<f64>>();
    assert!(
        holds(of(&|d| d.parameters.goodwill.decay).into_iter(), recipe.decay),
        "{:?}",
        row(&calibration, "goodwill.decay")
    );
    assert!(holds(of(&|d| d.parameters.growth).into_iter(), recipe.growth), "{:?}", row(&calibration, "demand.growth"));
    for m in 0..12 {
        let (mean, sd) = mean_sd(&of(&|d| d.parameters.season[m]));
        assert!(
            (mean - recipe.season[m]).abs() < 4.0 * sd + 0.02,
            "month {m}: {mean} ± {sd} against {}",
            recipe.season[m]
        );
    }
    let elasticity = row(&calibration, "goodwill.elasticity_face_to_face");
    assert_eq!((elasticity.identified, elasticity.origin), (Identified::Yes, Origin::YourData));
    let truth = elasticity_of(&recipe, &market);
    assert!(holds(of(&|d| d.more[1].1).into_iter(), truth), "{:?} against {truth}", elasticity.summary);
    assert!(holds(of(&|d| d.parameters.churn).into_iter(), recipe.churn), "{:?}", row(&calibration, "churn.hazard"));
    assert!((row(&calibration, "orders.order_unit").summary.mean - recipe.order_unit).abs() < 0.15);
    assert!(
        holds(of(&|d| d.parameters.shock_sd).into_iter(), recipe.shock_sd),
        "{:?}",
        row(&calibration, "demand.shock_sd")
    );
    assert_eq!(check(&calibration, "placebo").verdict, Verdict::Pass, "{:?}", check(&calibration, "placebo"));
    // Only the curve of the logit would speak of the share of wallet: it stays what it was.
    let share = row(&calibration, "choice.share_of_wallet");
    assert_eq!((share.identified, share.origin), (Identified::No, Origin::Assumption));
    assert_eq!(check(&calibration, "sampling of churn").verdict, Verdict::Pass);
    assert_eq!(check(&calibration, "importance").verdict, Verdict::Pass, "{:?}", check(&calibration, "importance"));
    // In a twin of another share the elasticity is the same.
    let draw = &calibration.draws[0];
    let own = draw.more.iter().find(|(name, _)| *name == "choice.share_of_wallet").unwrap().1;
    let room = |share: f64| curve::room(share, draw.value("choice.taste").unwrap());
    assert!((draw.effect_factor(0.6) * room(0.6) - room(own)).abs() < 1e-12);
    assert!((draw.effect_factor(own) - 1.0).abs() < 1e-12);
    // Own rates of the active add up to what was sold of late.
    let totals: Vec<f64> = (0..20)
        .map(|d| {
            let rates = calibration.customer_rates(&market, d, 5);
            rates.own.iter().zip(&rates.active).filter(|(_, active)| **active).map(|(own, _)| own).sum()
        })
        .collect();
    let sold = market.own_last_year().iter().sum::<f64>() / 12.0;
    let made = Summary::of(&totals).unwrap();
    assert!((made.mean / sold - 1.0).abs() < 0.1, "{} a month at the end, {sold} over the last year", made.mean);
}

#[test]
fn what_the_agents_do_the_likelihood_reads() {
    // The same through the engine: its own visits, lapses, shocks and orders.
    let recipe = Recipe { customers: 600, effect: 0.2, conversion: 0.05, churn: 0.01, ..Recipe::default() };
    let market = run_agents(&recipe);
    let calibration = calibrate(&market);
    let of = |get: &dyn Fn(&Draw) -> f64| calibration.draws.iter().map(get).collect::<Vec<f64>>();
    let elasticity = row(&calibration, "goodwill.elasticity_face_to_face");
    assert!(holds(of(&|d| d.more[1].1).into_iter(), elasticity_of(&recipe, &market)), "{:?}", elasticity.summary);
    assert!(
        holds(of(&|d| d.parameters.goodwill.decay).into_iter(), recipe.decay),
        "{:?}",
        row(&calibration, "goodwill.decay")
    );
    assert!(holds(of(&|d| d.parameters.churn).into_iter(), recipe.churn), "{:?}", row(&calibration, "churn.hazard"));
    assert!(holds(of(&|d| d.parameters.growth).into_iter(), recipe.growth), "{:?}", row(&calibration, "demand.growth"));
    assert!(
        holds(of(&|d| d.parameters.shock_sd).into_iter(), recipe.shock_sd),
        "{:?}",
        row(&calibration, "demand.shock_sd")
    );
    let unit = row(&calibration, "orders.order_unit").summary.mean;
    assert!((unit - recipe.order_unit).abs() < 0.15, "{unit}");
}

/// The truth by the same formula, at the same contacts.
fn elasticity_of(recipe: &Recipe, market: &Market) -> f64 {
    let calls = market.data.calls.as_ref().unwrap();
    let at = calls.rows.iter().map(|call| call.calls).sum::<f64>() / calls.rows.len() as f64;
    priors::elasticity(
        &recipe.goodwill(),
        crate::channel::Channel::FaceToFace,
        at,
        curve::room(recipe.share, recipe.taste),
    )
}

#[test]
fn shuffled_visits_show_no_effect() {
    let market = make(&Recipe { customers: 600, shuffled: true, ..Recipe::default() });
    let calibration = calibrate(&market);
    let summary = row(&calibration, "goodwill.elasticity_face_to_face").summary;
    assert!(summary.q05 < 0.0 + 0.02 && summary.q95 < 0.08, "{summary:?}");
}

#[test]
fn calling_on_good_customers_is_no_effect() {
    // Visits go with size, and do nothing.
    let market = make(&Recipe { customers: 600, effect: 0.0, selection: 1.5, ..Recipe::default() });
    let calibration = calibrate(&market);
    let summary = row(&calibration, "goodwill.elasticity_face_to_face").summary;
    assert!(summary.mean.abs() < 0.05 && summary.q05 < 0.02, "{summary:?}");
}

#[test]
fn chasing_sales_trips_the_placebo() {
    // Reps come where last month sold well: the visit follows the sale.
    let market = make(&Recipe { customers: 800, effect: 0.0, chasing: 1.0, size: 60.0, ..Recipe::default() });
    let calibration = calibrate(&market);
    let placebo = check(&calibration, "placebo");
    assert_eq!(placebo.verdict, Verdict::Review, "{placebo:?}");
}

#[test]
fn without_calls_effects_are_the_literatures() {
    let market = make(&Recipe { customers: 60, calls: false, months: 30, ..Recipe::default() });
    let calibration = calibrate(&market);
    let elasticity = row(&calibration, "goodwill.elasticity_face_to_face");
    assert_eq!((elasticity.identified, elasticity.origin), (Identified::No, Origin::Literature));
    assert!((elasticity.summary.mean - 0.2).abs() < 0.05 && (elasticity.summary.sd - 0.1).abs() < 0.03);
    assert!(calibration.notes.iter().any(|note| note.contains("calls.csv")));
}

#[test]
fn small_markets_give_priors_or_say_no() {
    for recipe in [
        Recipe { customers: 1, territories: 1, months: 12, ..Recipe::default() },
        Recipe { customers: 12, territories: 3, months: 12, size: 0.5, ..Recipe::default() },
        Recipe { customers: 5, territories: 5, months: 23, size: 200.0, order_unit: 50.0, ..Recipe::default() },
    ] {
        let calibration = calibrate(&make(&recipe));
        assert_eq!(check(&calibration, "months of history").verdict, Verdict::Review);
    }
    let refused = |recipe: Recipe| fit(&make(&recipe), &settings(), &mut |_, _| {}).unwrap_err();
    assert_eq!(refused(Recipe { customers: 0, ..Recipe::default() }), CalibrateError::NoCustomers);
    assert!(matches!(refused(Recipe { size: 0.0, ..Recipe::default() }), CalibrateError::NoSales { .. }));
    assert_eq!(refused(Recipe { months: 8, ..Recipe::default() }), CalibrateError::ShortHistory { months: 8 });
    let wrong = BTreeMap::from([(("goodwill".to_owned(), "decay".to_owned()), Prior::Fixed(1.2))]);
    let error = fit(&make(&Recipe::default()), &Settings { priors: wrong, ..settings() }, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, CalibrateError::Prior { .. }), "{error}");
}

#[test]
fn threads_and_order_change_nothing() {
    let market = make(&Recipe { customers: 90, months: 24, ..Recipe::default() });
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&market, &Settings { draws: 20, ..settings() }, &mut |_, _| {}).unwrap())
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.posterior_table(), three.posterior_table());
    assert_eq!(one.customers.shape, three.customers.shape);
    assert_eq!(one.customers.active, three.customers.active);
}

#[test]
fn a_fixed_prior_stays() {
    let market = make(&Recipe { customers: 90, months: 24, ..Recipe::default() });
    let priors = BTreeMap::from([
        (("goodwill".to_owned(), "decay".to_owned()), Prior::Fixed(0.55)),
        (("churn".to_owned(), "hazard".to_owned()), Prior::Fixed(0.02)),
    ]);
    let calibration = fit(&market, &Settings { priors, draws: 20, ..settings() }, &mut |_, _| {}).unwrap();
    assert!(calibration.draws.iter().all(|draw| draw.parameters.goodwill.decay == 0.55));
    assert!(calibration.draws.iter().all(|draw| (draw.parameters.churn - 0.02).abs() < 1e-12));
}

fn shared() -> std::path::PathBuf {
    std::env::var_os("IKIZ_SHARED").map_or_else(|| "../shared".into(), std::path::PathBuf::from)
}

/// A market of agents in Türkiye, of a size that lets its feasts be seen.
fn feasted() -> Recipe {
    Recipe {
        customers: 900,
        territories: 3,
        months: 96,
        feasts: Some([0.15, -0.3, -0.05, 0.08]),
        shock_sd: 0.01,
        size: 60.0,
        seed: 12,
        ..Recipe::default()
    }
}

#[test]
fn feasts_of_agents_come_back() {
    // The agents' own demand carries them (simulate::mechanisms::demand::level), the likelihood must find them.
    let recipe = feasted();
    let market = run_agents(&recipe);
    let calibration = fit(&market, &settings(), &mut |_, _| {}).unwrap();
    assert_sane(&market, &calibration);
    let truth = recipe.true_feasts();
    let (mut held, mut far) = (0, 0);
    for (name, effect) in truth.effects() {
        let found = row(&calibration, &format!("feasts.{name}"));
        let s = found.summary;
        println!("{name:24} truth {effect:6.3} mean {:6.3} sd {:.3} 90% {:6.3} to {:6.3}", s.mean, s.sd, s.q05, s.q95);
        held += u32::from(found.summary.q05 < effect && effect < found.summary.q95);
        far += u32::from(found.summary.q05 > 0.0 || found.summary.q95 < 0.0);
        assert!((found.summary.mean - effect).abs() < 3.0 * found.summary.sd, "{name}: {:?}", found.summary);
        assert_eq!(found.origin, Origin::YourData, "{name}");
    }
    assert!(held >= 5, "90% intervals held {held} of 7");
    assert!(far >= 3, "0 lies outside {far} of 7 intervals");
    let table = calibration.posterior_table();
    let column = table.header.iter().position(|name| name == "feasts.ramazan_bayrami.feast").unwrap();
    assert_eq!(table.rows[0][column], calibration.draws[0].parameters.feasts.effects().nth(2).unwrap().1);
    assert!(calibration.notes.iter().any(|note| note.contains("Kurban Bayramı")));

    // Switched off, there are none, and the note says so.
    let off = fit(&market, &Settings { feasts: false, ..settings() }, &mut |_, _| {}).unwrap();
    assert!(off.draws.iter().all(|draw| draw.parameters.feasts.effects().next().is_none()));
    assert!(off.notes.iter().any(|note| note.contains("switched off")));
    assert!(!off.checks.iter().any(|check| check.name == "moving feasts"));
}

#[test]
fn feasts_that_agents_do_not_keep_are_not_found() {
    // Türkiye's calendar, but nobody's demand follows it.
    let market = run_agents(&Recipe { feasts: Some([0.0; 4]), ..feasted() });
    let calibration = fit(&market, &settings(), &mut |_, _| {}).unwrap();
    let feasts: Vec<_> = calibration.diagnostics.iter().filter(|row| row.parameter.starts_with("feasts.")).collect();
    let held = feasts.iter().filter(|row| row.summary.q05 < 0.0 && 0.0 < row.summary.q95).count();
    assert!(feasts.len() == 7 && held >= 5, "90% intervals held 0 in {held} of {}", feasts.len());
}

#[test]
fn the_card_speaks_of_the_calendar() {
    let market = make(&Recipe { feasts: Some([0.0; 4]), ..Recipe::default() });
    let card = |market: &Market| {
        super::readiness(market, true, true).into_iter().find(|check| check.name == "moving feasts").unwrap()
    };
    let official = card(&market);
    assert_eq!(official.verdict, Verdict::Pass);
    assert_eq!(official.finding, "Ramazan, Ramazan Bayramı, Kurban Bayramı (TR), all dates official");
    let mut data = market.data.clone();
    data.calendar = Some(vec![CalendarEvent {
        event: "Fuar".into(),
        start: "2019-03-04".parse().unwrap(),
        end: "2019-03-08".parse().unwrap(),
    }]);
    let with_own = Market::new(data.clone(), None, None);
    assert!(card(&with_own).finding.ends_with("; from calendar.csv: Fuar"), "{}", card(&with_own).finding);
    let calibration = fit(&with_own, &settings(), &mut |_, _| {}).unwrap();
    assert!(calibration.diagnostics.iter().any(|row| row.parameter == "feasts.fuar.feast"));
    data.meta.region = None;
    data.calendar = None;
    let unknown = card(&Market::new(data, None, None));
    assert_eq!(unknown.verdict, Verdict::Review);
    assert!(unknown.finding.contains("names no region") && unknown.advice.contains("calendar.csv"));
    assert!(super::readiness(&market, true, false).iter().all(|check| check.name != "moving feasts"));
}

/// Everything that a calibration found, for reading.
fn print(calibration: &Calibration) {
    for d in &calibration.diagnostics {
        let s = d.summary;
        println!(
            "{:38} {:10.4} sd {:9.4} 90% {:9.4} to {:9.4} contraction {:>5} {:?}, {}: {}",
            d.parameter,
            s.mean,
            s.sd,
            s.q05,
            s.q95,
            d.contraction.map_or(String::new(), |c| format!("{c:.2}")),
            d.identified,
            d.origin,
            d.source
        );
    }
    for c in &calibration.checks {
        println!("{:?} {}: {}. {}", c.verdict, c.name, c.finding, c.advice);
    }
    calibration.notes.iter().for_each(|note| println!("note: {note}"));
    for a in &calibration.actions_found {
        println!(
            "{} {} {} to {} {} {:.2} P {:.2}",
            a.company, a.territory, a.start, a.end, a.kind, a.depth.mean, a.probability
        );
    }
}

#[test]
fn visits_to_physicians() {
    // Manchanda, Rossi & Chintagunta 2004: 1,000 physicians, 23 months of visits and prescriptions. Pooled, the slope of
    // prescriptions on visits is .48; within physician and month .11. The first is mostly the reps' choice.
    let folder = shared().join("data/detailing/market");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let market = Market::new(crate::data::load(&folder).unwrap().market, None, None);
    let calibration = fit(&market, &Settings { seed: 1, ..Settings::default() }, &mut |_, _| {}).unwrap();
    print(&calibration);
    assert_sane(&market, &calibration);
    let elasticity = row(&calibration, "goodwill.elasticity_face_to_face");
    assert_eq!(elasticity.origin, Origin::YourData);
    assert!(elasticity.summary.q05 > 0.0 && elasticity.summary.q95 < 0.35, "{:?}", elasticity.summary);
}

/// Not of the suite: prints what a market folder in `MARKET` gives, and how long it took.
#[test]
#[ignore = "for looking at one market: MARKET=folder cargo test -- --ignored --nocapture"]
fn look_at_a_market() {
    let begin = std::time::Instant::now();
    let market = match std::env::var_os("MARKET") {
        Some(folder) => Market::new(crate::data::load(folder.as_ref()).unwrap().market, None, None),
        None => make(&Recipe { customers: 10_000, territories: 81, months: 96, ..Recipe::default() }),
    };
    println!("read in {:.1} s", begin.elapsed().as_secs_f64());
    let begin = std::time::Instant::now();
    let calibration = fit(&market, &Settings { seed: 1, ..Settings::default() }, &mut |stage, done| {
        println!("{:6.1} s {stage} {:.0}%", begin.elapsed().as_secs_f64(), 100.0 * done);
    })
    .unwrap();
    print(&calibration);
    let rates = calibration.customer_rates(&market, 0, 1);
    let total: f64 = rates.own.iter().zip(&rates.active).filter(|(_, active)| **active).map(|(own, _)| own).sum();
    if std::env::var_os("MARKET").is_none() {
        let recipe = Recipe { customers: 10_000, territories: 81, months: 96, ..Recipe::default() };
        println!("elasticity put in: {:.4}", elasticity_of(&recipe, &market));
    }
    println!("own {total:.1} a month, {} active", rates.active.iter().filter(|active| **active).count());
    println!("sold {:.1} a month over the last year", market.own_last_year().iter().sum::<f64>() / 12.0);
}
