//! A small made-up market with plausible findings, for the tests of this module.

use std::collections::BTreeMap;

use super::findings::{Findings, TerritoryOutline};
use crate::calibrate::{ActionFound, Check, Diagnostic, Identified, Verdict};
use crate::ids::stable_hash;
use crate::origin::Origin;
use crate::potential::{EffortRow, Evidence, Identification, PotentialRow, SamplerDiagnostic};
use crate::scenario::Objective;
use crate::stats::Summary;
use crate::strategy::{
    Assumption, Comparison, DriverRow, ForecastRow, PilotRow, SensitivityRow, StrategyRow, TargetRow, TriggerRow,
};
use crate::units::{Month, MonthSpan};

/// Id, name, longitude, latitude, inhabitants.
pub type Place = (String, String, f64, f64, f64);

/// Some provinces, names with every Turkish letter among them.
pub fn places() -> Vec<Place> {
    [
        ("34", "İstanbul", 28.98, 41.01, 15_701_602.0),
        ("06", "Ankara", 32.86, 39.93, 5_864_049.0),
        ("35", "İzmir", 27.14, 38.42, 4_493_242.0),
        ("16", "Bursa", 29.06, 40.18, 3_238_618.0),
        ("07", "Antalya", 30.71, 36.90, 2_722_103.0),
        ("42", "Konya", 32.48, 37.87, 2_330_024.0),
        ("01", "Adana", 35.33, 37.00, 2_280_484.0),
        ("63", "Şanlıurfa", 38.79, 37.16, 2_237_745.0),
        ("27", "Gaziantep", 37.38, 37.07, 2_193_363.0),
        ("21", "Diyarbakır", 40.23, 37.91, 1_833_684.0),
        ("55", "Samsun", 36.33, 41.29, 1_382_376.0),
        ("65", "Van", 43.38, 38.49, 1_118_087.0),
        ("48", "Muğla", 28.36, 37.22, 1_081_867.0),
        ("61", "Trabzon", 39.72, 41.00, 822_270.0),
        ("25", "Erzurum", 41.27, 39.90, 745_005.0),
        ("64", "Uşak", 29.41, 38.68, 376_000.0),
        ("18", "Çankırı", 33.61, 40.60, 199_981.0),
        ("76", "Iğdır", 44.04, 39.92, 206_857.0),
    ]
    .map(|(id, name, longitude, latitude, people)| (id.to_owned(), name.to_owned(), longitude, latitude, people))
    .to_vec()
}

/// The usual fixture: a whole run.
pub fn market() -> Findings {
    of(&places())
}

/// A run whose comparison was withheld, on the four required files: no panel, no coordinates.
pub fn only_potential() -> Findings {
    let mut findings = market();
    for territory in &mut findings.territories {
        territory.centroid = None;
        territory.population = None;
    }
    findings.market_demand.clear();
    findings.comparison = None;
    findings.objective = None;
    findings.baseline = None;
    findings.withheld = Some(
        "the calibration failed a check, so strategies are not compared; see \"Checks\" for what to do about it"
            .to_owned(),
    );
    findings.checks.push(Check {
        name: "Hidden known customers".to_owned(),
        verdict: Verdict::Fail,
        finding: "41% of the hidden customers' sales fell into their 90% intervals (90% expected)".to_owned(),
        advice: "Look for customers that were merged or renumbered in customers.csv.".to_owned(),
    });
    findings
}

/// Nothing at all was found.
pub fn empty() -> Findings {
    let span = MonthSpan::new(month(2024, 1), month(2025, 12)).unwrap();
    Findings {
        market_name: "Nowhere".to_owned(),
        company_name: "Nobody".to_owned(),
        scenario_name: "empty".to_owned(),
        currency: "EUR".to_owned(),
        unit: "units".to_owned(),
        history: span,
        seed: 0,
        version: "0.1.0".to_owned(),
        territories: Vec::new(),
        missing: Vec::new(),
        warnings: Vec::new(),
        checks: Vec::new(),
        diagnostics: Vec::new(),
        posterior: (Vec::new(), Vec::new()),
        actions_found: Vec::new(),
        potential: Vec::new(),
        potential_effort: Vec::new(),
        evidence: Vec::new(),
        identification: Vec::new(),
        size_ratio_sensitivity: Vec::new(),
        sampler: Vec::new(),
        own_sales: Vec::new(),
        market_demand: Vec::new(),
        calibration_notes: Vec::new(),
        comparison: None,
        withheld: None,
        forced: false,
        objective: None,
        baseline: None,
        settings: Vec::new(),
        inputs: Vec::new(),
    }
}

fn month(year: i32, month: u32) -> Month {
    Month::new(year, month).unwrap()
}

/// A lognormal-looking summary.
fn about(median: f64, spread: f64) -> Summary {
    let at = |z: f64| median * libm::exp(z * spread);
    Summary {
        mean: median * libm::exp(0.5 * spread * spread),
        sd: median * spread,
        q05: at(-1.645),
        q25: at(-0.674),
        q50: median,
        q75: at(0.674),
        q95: at(1.645),
    }
}

/// A normal-looking summary.
fn around(mean: f64, sd: f64) -> Summary {
    let at = |z: f64| mean + z * sd;
    Summary { mean, sd, q05: at(-1.645), q25: at(-0.674), q50: mean, q75: at(0.674), q95: at(1.645) }
}

/// A fixed number in 0..1 for a name.
fn wobble(name: &str) -> f64 {
    (stable_hash(name) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Findings of a made-up market with these territories.
pub fn of(places: &[Place]) -> Findings {
    let history = MonthSpan::new(month(2018, 1), month(2025, 12)).unwrap();
    let mut potential = Vec::new();
    let mut targets = Vec::new();
    let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
    let whole = "*".to_owned();
    for (id, name, _, _, people) in places {
        let demand = people * 0.045 * (0.6 + 0.8 * wobble(name));
        let dark_share = 0.25 + 0.35 * wobble(&format!("{name} dark"));
        let dark = demand * dark_share;
        let own = demand * (1.0 - dark_share) * (0.15 + 0.3 * wobble(&format!("{name} own")));
        let spread = 0.12 + 0.25 * wobble(&format!("{name} spread"));
        let attainable = dark * 0.28;
        for (measure, unit, value) in [
            ("dark_customers", "customers", dark / 260.0),
            ("dark_demand", "boxes", dark),
            ("white_space", "boxes", dark * 1.25),
            ("served_demand", "boxes", demand - dark * 1.25),
            ("total_demand", "boxes", demand),
            ("own_sales", "boxes", own),
            ("headroom", "boxes", own * 0.18),
            ("attainable_sales", "boxes", attainable),
        ] {
            *totals.entry(measure).or_default() += value;
            let spread = if measure == "own_sales" { 0.0 } else { spread };
            potential.push(row(id, measure, unit, about(value, spread)));
        }
        for (measure, unit, value) in [
            ("penetration", "share", 0.3 + 0.3 * wobble(&format!("{name} penetration"))),
            ("share_of_wallet", "share", own / (demand - dark * 1.25)),
            ("untapped_share", "share", attainable / demand),
            ("bdi", "index", 60.0 + 80.0 * wobble(&format!("{name} bdi"))),
            ("cdi", "index", 70.0 + 60.0 * wobble(name)),
        ] {
            potential.push(row(id, measure, unit, about(value, spread * 0.8)));
        }
        for rank in 0..3 {
            targets.push(target(id, &format!("C{id}{rank:03}"), rank));
        }
        targets.push(target(id, "prospects", 3));
    }
    for (measure, unit) in [
        ("dark_customers", "customers"),
        ("dark_demand", "boxes"),
        ("white_space", "boxes"),
        ("served_demand", "boxes"),
        ("total_demand", "boxes"),
        ("own_sales", "boxes"),
        ("headroom", "boxes"),
        ("attainable_sales", "boxes"),
    ] {
        let total = totals.get(measure).copied().unwrap_or_default();
        potential.push(row(&whole, measure, unit, about(total, if measure == "own_sales" { 0.0 } else { 0.14 })));
    }
    let total = |measure: &str| totals.get(measure).copied().unwrap_or_default();
    let share = |part: f64, of: f64| if of > 0.0 { part / of } else { 0.0 };
    for (measure, value) in [
        ("penetration", 0.44),
        ("share_of_wallet", share(total("own_sales"), total("served_demand"))),
        ("untapped_share", share(total("attainable_sales"), total("total_demand"))),
    ] {
        potential.push(row(&whole, measure, "share", about(value, 0.11)));
    }
    let own_sales: Vec<(Month, f64)> =
        history.months().map(|month| (month, seasonal(month, history.last) * total("own_sales") / 12.0)).collect();
    let market_demand = history
        .months()
        .map(|m| (m, (m.year() >= 2021).then(|| seasonal(m, history.last) * total("total_demand") / 12.0)))
        .collect();
    Findings {
        market_name: "Türkiye, demo".to_owned(),
        company_name: "Yıldız İlaç".to_owned(),
        scenario_name: "turkiye".to_owned(),
        currency: "TRY".to_owned(),
        unit: "boxes".to_owned(),
        history,
        seed: 20_260_101,
        version: "0.1.0".to_owned(),
        territories: places
            .iter()
            .map(|(id, name, longitude, latitude, people)| TerritoryOutline {
                id: id.clone(),
                name: name.clone(),
                population: Some(*people),
                customers: (people / 1_500.0) as usize,
                centroid: Some((*longitude, *latitude)),
                polygon: None,
            })
            .collect(),
        missing: vec![
            "captures.csv is not there: the number of dark customers rests on outlet counts alone; two lists that \
             were made apart from each other would narrow it by about a third."
                .to_owned(),
            "wallets.csv is not there: served customers' demand with rivals is inferred from the panel.".to_owned(),
        ],
        warnings: vec!["sales.csv: 12 customer-months are negative after returns and are taken as zero.".to_owned()],
        checks: vec![
            check("Length of history", Verdict::Pass, "96 months of sales", ""),
            check(
                "Audited territories",
                Verdict::Review,
                "6 of 18 territories have an audited outlet count",
                "Count the outlets of two small eastern provinces: the model extrapolates there.",
            ),
            check("Posterior predictive: monthly totals", Verdict::Pass, "88% of months inside their 90% interval", ""),
            check("Agreement of two seeds", Verdict::Pass, "largest difference 0.06 posterior sd", ""),
        ],
        diagnostics: vec![
            diagnostic("goodwill.effect.face_to_face", "log odds a call", 0.042, 0.2, Some(0.81), Origin::YourData),
            diagnostic("goodwill.decay", "share a month", 0.78, 0.05, Some(0.22), Origin::Literature),
            diagnostic("dark.size_ratio", "ratio", 2.1, 0.3, Some(0.04), Origin::Assumption),
        ],
        posterior: (
            vec!["goodwill.effect.face_to_face".to_owned(), "goodwill.decay".to_owned()],
            vec![vec![0.0421, 0.781], vec![0.0387, 0.779]],
        ),
        actions_found: vec![ActionFound {
            company: "Rakip A.Ş.".to_owned(),
            territory: whole.clone(),
            start: "2023-12-01".parse().unwrap(),
            end: "2023-12-31".parse().unwrap(),
            kind: "loading".to_owned(),
            unit: "months of demand".to_owned(),
            depth: about(0.6, 0.3),
            probability: 0.93,
        }],
        evidence: [
            ("Audited outlet counts", 0.30, 1.08, "used in the fusion; 6 provinces, scaled by population and outlets"),
            ("Capture-recapture", 0.22, 0.93, "used; assumes that the lists were made apart from each other"),
            ("Repeat purchase (Chao1)", 0.16, 0.71, "a lower bound, shown only"),
            ("All evidence together", 0.14, 1.0, "the posterior of this report"),
        ]
        .map(|(name, spread, factor, remark)| Evidence {
            name: name.to_owned(),
            measure: "dark_customers".to_owned(),
            unit: "customers".to_owned(),
            estimate: about(total("dark_customers") * factor, spread),
            remark: remark.to_owned(),
        })
        .to_vec(),
        identification: vec![
            Identification {
                aspect: "number x size".to_owned(),
                contraction: 0.86,
                finding: "The panel tells how much dark customers buy together, but not how many share it.".to_owned(),
            },
            Identification {
                aspect: "number".to_owned(),
                contraction: 0.35,
                finding: "The number of dark customers is weakly identified; captures.csv would help most.".to_owned(),
            },
            Identification {
                aspect: "wallet".to_owned(),
                contraction: 0.02,
                finding: "What served customers buy from rivals is not identified: it is the prior. A survey of 200 \
                          customers in wallets.csv would settle it."
                    .to_owned(),
            },
        ],
        size_ratio_sensitivity: [1.0, 1.5, 2.0, 3.0, 4.0]
            .map(|ratio| {
                let median = total("dark_demand") * (1.5 - 0.16 * ratio);
                (ratio, median * 0.78, median, median * 1.27)
            })
            .to_vec(),
        sampler: vec![SamplerDiagnostic {
            parameter: "log R".to_owned(),
            summary: about(0.8, 0.3),
            r_hat: 1.02,
            effective_draws: 160.0,
        }],
        own_sales,
        market_demand,
        calibration_notes: vec!["Price response is not identified: our price moved with inflation only.".to_owned()],
        comparison: Some(comparison(places, history, total("own_sales"), total("total_demand"), targets)),
        withheld: None,
        forced: false,
        objective: Some(Objective::IncrementalMargin),
        baseline: Some("as-today".to_owned()),
        settings: vec![
            ("Effort that \"attainable\" stands for".to_owned(), "4 calls a month for 12 months".to_owned()),
            ("Horizon".to_owned(), "24 months".to_owned()),
            ("Gross margin".to_owned(), "62% of net sales".to_owned()),
            ("Discount rate".to_owned(), "8% a year, real".to_owned()),
        ],
        inputs: vec![
            ("turkiye.toml".to_owned(), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned()),
            ("sales.csv".to_owned(), "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".to_owned()),
        ],
        potential_effort: curves(total("attainable_sales"), total("total_demand")),
        potential,
    }
}

/// Curves over effort of the whole market, and the sensitivity to selection at 4 calls a month.
fn curves(sales: f64, demand: f64) -> Vec<EffortRow> {
    let row = |calls: f64, selection: f64, measure: &str, unit: &str, value: f64| EffortRow {
        territory_id: "*".to_owned(),
        calls_per_month: calls,
        selection,
        measure: measure.to_owned(),
        unit: unit.to_owned(),
        summary: about(value, 0.2),
    };
    let curve = crate::potential::EFFORTS.map(|calls| (calls, 1.0));
    let share = if demand > 0.0 { sales / demand } else { 0.0 };
    let at = |(calls, selection): (f64, f64)| {
        let part = (0.3 + calls / (calls + 2.0)) / 0.967 * (1.25 - 0.25 * selection);
        [
            row(calls, selection, "attainable_sales", "boxes", sales * part),
            row(calls, selection, "untapped_share", "share", share * part),
            row(calls, selection, "p_won", "share", 0.5 * part),
            row(calls, selection, "attainable_share", "share", 0.4 * part),
        ]
    };
    curve.into_iter().chain([(4.0, 0.0), (4.0, 2.0)]).flat_map(at).collect()
}

/// Seasonal growth that ends near 1 over the last 12 months.
fn seasonal(month: Month, last: Month) -> f64 {
    let season = [1.12, 1.05, 1.02, 0.98, 0.95, 0.9, 0.86, 0.88, 0.96, 1.04, 1.1, 1.14][month.of_year()];
    season * libm::exp(0.004 * f64::from(month.since(last))) * (0.97 + 0.06 * wobble(&month.to_string()))
}

fn row(territory: &str, measure: &str, unit: &str, summary: Summary) -> PotentialRow {
    PotentialRow {
        territory_id: territory.to_owned(),
        segment: "*".to_owned(),
        measure: measure.to_owned(),
        unit: unit.to_owned(),
        summary,
    }
}

fn check(name: &str, verdict: Verdict, finding: &str, advice: &str) -> Check {
    Check { name: name.to_owned(), verdict, finding: finding.to_owned(), advice: advice.to_owned() }
}

fn diagnostic(
    parameter: &str,
    unit: &str,
    median: f64,
    spread: f64,
    contraction: Option<f64>,
    origin: Origin,
) -> Diagnostic {
    Diagnostic {
        parameter: parameter.to_owned(),
        unit: unit.to_owned(),
        summary: about(median, spread),
        contraction,
        identified: match contraction {
            Some(c) if c > 0.5 => Identified::Yes,
            Some(c) if c > 0.1 => Identified::Weak,
            _ => Identified::No,
        },
        origin,
        source: match origin {
            Origin::YourData => "calls.csv, sales.csv".to_owned(),
            Origin::Literature => "Albers, Mantrala & Sridhar (2010)".to_owned(),
            Origin::Assumption => "nobody has measured it".to_owned(),
        },
    }
}

fn target(territory: &str, name: &str, rank: i32) -> TargetRow {
    let prospects = name == "prospects";
    TargetRow {
        territory_id: territory.to_owned(),
        target: name.to_owned(),
        kind: if prospects { "prospects" } else { ["served", "identified", "lapsed"][rank as usize % 3] }.to_owned(),
        lon: None,
        lat: None,
        dark_customers: prospects.then_some(31.0),
        known_customers: None,
        headroom: about(if prospects { 5_200.0 } else { 160.0 / f64::from(rank + 1) }, 0.3),
        unit: "boxes".to_owned(),
        best_channel: if rank == 1 { "phone" } else { "face_to_face" }.to_owned(),
        best_time: String::new(),
        next_action: if prospects { "prospect with two days a month" } else { "visit this month" }.to_owned(),
        expected_value: about(if prospects { 1_450.0 } else { 60.0 / f64::from(rank + 1) }, 0.5),
    }
}

fn comparison(places: &[Place], history: MonthSpan, own: f64, demand: f64, targets: Vec<TargetRow>) -> Comparison {
    let whole = "*";
    let mut forecast = Vec::new();
    for ahead in 1..=24 {
        let period = history.last.plus(ahead);
        for (measure, level) in [("own_sales", own), ("total_demand", demand)] {
            forecast.push(ForecastRow {
                period,
                territory_id: whole.to_owned(),
                measure: measure.to_owned(),
                unit: "boxes".to_owned(),
                summary: Some(about(
                    level / 12.0 * seasonal(period, history.last),
                    0.03 + 0.01 * f64::from(ahead).sqrt(),
                )),
                actual: None,
            });
        }
    }
    let mut strategies = Vec::new();
    let mut add = |strategy: &str, territory: &str, metric: &str, unit: &str, summary: Option<Summary>| {
        strategies.push(StrategyRow {
            strategy: strategy.to_owned(),
            territory_id: territory.to_owned(),
            segment: "*".to_owned(),
            period: "*".to_owned(),
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            origin: Origin::YourData,
            summary,
        });
    };
    for (name, gain, sd, cost, best) in [
        ("as-today", 0.0, 0.0, 0.0, 0.07),
        ("more-reps", 0.034, 0.019, 9.6e6, 0.31),
        ("prospecting", 0.029, 0.011, 2.4e6, 0.55),
        ("fiyat-indirimi", 0.021, 0.024, 7.1e6, 0.07),
    ] {
        let sales = around(own * gain * 2.0, own * sd * 2.0);
        let margin = around(own * gain * 2.0 * 180.0 - cost, own * sd * 360.0);
        add(name, whole, "incremental_sales", "boxes", Some(sales));
        add(name, whole, "incremental_margin", "TRY", Some(margin));
        add(name, whole, "cost", "TRY", Some(Summary::exact(cost)));
        add(name, whole, "roi", "ratio", (cost > 0.0).then(|| around(margin.mean / cost, margin.sd / cost)));
        add(name, whole, "npv", "TRY", Some(around(margin.mean * 0.92, margin.sd)));
        add(name, whole, "payback_months", "months", (cost > 0.0).then(|| about(11.0, 0.3)));
        add(name, whole, "new_customers", "customers", Some(around(gain * 9_000.0, sd * 5_000.0)));
        add(name, whole, "p_best", "probability", Some(Summary::exact(best)));
        add(name, whole, "p_loss", "probability", (cost > 0.0).then(|| Summary::exact(0.31 - best * 0.4)));
        add(name, whole, "regret", "TRY", Some(about(3.1e6 * (1.0 - best), 0.4)));
        for place in places.iter().take(3) {
            add(name, &place.0, "incremental_sales", "boxes", Some(around(sales.mean / 9.0, sales.sd / 6.0)));
        }
    }
    Comparison {
        forecast,
        strategies,
        targets,
        runs: 512,
        monte_carlo: "512 paired runs; the Monte Carlo error of every P(best) is below 0.02".to_owned(),
        sensitivity: vec![SensitivityRow {
            parameter: "discovery.prospecting_yield".to_owned(),
            unit: "TRY".to_owned(),
            worth: 1_250_000.0,
            best_if_low: "ten-reps".to_owned(),
            best_if_high: "prospecting".to_owned(),
        }],
        drivers: vec![DriverRow {
            strategy: "prospecting".to_owned(),
            parameter: "discovery.prospecting_yield".to_owned(),
            origin: Origin::Assumption,
            share: 0.62,
        }],
        triggers: vec![TriggerRow {
            strategy: "prospecting".to_owned(),
            measure: "new_customers".to_owned(),
            condition: "below 40".to_owned(),
            for_months: 3,
            then: Some("more-reps".to_owned()),
            probability: 0.22,
            month: Summary::of(&[4.0, 6.0, 9.0]),
        }],
        pilots: vec![PilotRow {
            strategy: "prospecting".to_owned(),
            start: Month::new(2026, 3).unwrap(),
            end: Month::new(2026, 8).unwrap(),
            territories: vec!["TR-06".to_owned(), "TR-35".to_owned()],
            controls: vec!["TR-07".to_owned(), "TR-16".to_owned()],
            months: 6,
            expected_lift: 0.041,
            se: 0.013,
            detectable_lift: 0.033,
            power: 0.86,
        }],
        assumptions: vec![
            Assumption {
                name: "Effect of a face-to-face call".to_owned(),
                value: "0.042 log odds (0.030–0.058)".to_owned(),
                origin: Origin::YourData,
                source: "calls.csv and sales.csv, 96 months".to_owned(),
            },
            Assumption {
                name: "Decay of goodwill".to_owned(),
                value: "0.78 a month (0.70–0.86)".to_owned(),
                origin: Origin::Literature,
                source: "Albers, Mantrala & Sridhar (2010), meta-analysis".to_owned(),
            },
            Assumption {
                name: "Known customers' size over dark ones'".to_owned(),
                value: "2.1 (1.3–3.4)".to_owned(),
                origin: Origin::Assumption,
                source: "nobody has measured it; see the table of size ratios".to_owned(),
            },
        ],
        warnings: vec!["more-reps: the filter \"segment = A\" selects nobody in 2 territories.".to_owned()],
    }
}
