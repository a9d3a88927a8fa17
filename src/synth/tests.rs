//! What must be true of any synthetic market, on the small one; and of the demonstration, at a tenth of its size.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;
use crate::ids::Index as _;
use crate::simulate::Stage;

static SMALL: LazyLock<SyntheticMarket> = LazyLock::new(|| generate(&Description::small(), 6));

/// The demonstration with a tenth of its customers and reps.
static TENTH: LazyLock<SyntheticMarket> = LazyLock::new(|| {
    let mut description = Description::turkiye();
    description.customers /= 10;
    description.field_force.reps = 12;
    description.field_force.reps_at_start = 8;
    generate(&description, 2026)
});

fn file(market: &SyntheticMarket, name: &str) -> String {
    files(market).into_iter().find(|(path, _)| *path == name).map(|(_, text)| text).unwrap_or_default()
}

/// Rows of a file as maps from column to field.
fn rows(market: &SyntheticMarket, name: &str) -> Vec<BTreeMap<String, String>> {
    let text = file(market, name);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let description = Description::small();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| files(&generate(&description, 6)))
    };
    let one = on(1);
    assert_eq!(one, on(3));
    assert_eq!(one, files(&SMALL));
    assert_ne!(one, files(&generate(&description, 7)));
}

#[test]
fn about_half_is_dark() {
    for (market, tolerance) in [(&*SMALL, 0.05), (&*TENTH, 0.02)] {
        let living = |stage: &Stage| !matches!(stage, Stage::Unborn | Stage::Gone);
        let all = market.past.stage.iter().filter(|stage| living(stage)).count() as f64;
        let dark = market.past.stage.iter().filter(|&&stage| stage == Stage::Dark).count() as f64;
        assert!((dark / all - 0.5).abs() < tolerance, "{} of {}", dark, all);
        let wanted = f64::from(market.description.customers);
        assert!((all / wanted - 1.0).abs() < 0.12, "{all} of {wanted}");
    }
}

#[test]
fn every_customer_and_every_box_is_accounted_for() {
    for market in [&*SMALL, &*TENTH] {
        let year = market.description.history.last_months(12);
        let mut sold: BTreeMap<String, f64> = BTreeMap::new();
        let home: BTreeMap<String, String> = rows(market, "market/customers.csv")
            .into_iter()
            .map(|row| (row["customer_id"].clone(), row["territory_id"].clone()))
            .collect();
        for row in rows(market, "market/sales.csv") {
            if year.position(row["period"].parse().unwrap()).is_some() {
                *sold.entry(home[&row["customer_id"]].clone()).or_default() += number(&row, "units");
            }
        }
        let months = market.description.history.len();
        for (territory, row) in rows(market, "truth/potential.csv").iter().enumerate() {
            let id = &row["territory_id"];
            let own = number(row, "own_sales");
            assert!((own - sold.get(id).copied().unwrap_or(0.0)).abs() < 0.01, "{id}: {own}");
            let parts = number(row, "served_demand") + number(row, "identified_demand") + number(row, "dark_demand");
            assert!((number(row, "total_demand") - parts).abs() < 0.05);
            // The agents' sum is the engine's own tally.
            let tallies = &market.past.tallies;
            let tally = |series: &[f64]| -> f64 {
                (months - 12..months).map(|month| series[month * market.world.places.len() + territory]).sum()
            };
            assert!((tally(&tallies.own_sales) / own.max(1.0) - 1.0).abs() < 1e-3 || own == 0.0);
            let all = tally(&tallies.total_demand);
            assert!(
                (all / parts.max(1.0) - 1.0).abs() < 1e-3 || (all == 0.0 && parts == 0.0),
                "{id}: {all} against {parts}"
            );
            let universe = market
                .world
                .people
                .iter()
                .zip(&market.past.category_year)
                .filter(|(person, demand)| person.territory == territory && **demand > 0.0)
                .count() as f64;
            let counted = ["served_customers", "identified_customers", "dark_customers"];
            assert_eq!(counted.iter().map(|column| number(row, column)).sum::<f64>(), universe);
        }
    }
}

#[test]
fn the_truth_can_be_scored_against() {
    let header = file(&SMALL, "truth/potential.csv").lines().next().unwrap().to_owned();
    assert!(header.starts_with(
        "territory_id,audited,dark_customers,dark_demand,known_demand,own_sales,total_demand,served_demand,\
         identified_demand"
    ));
    let audited = rows(&SMALL, "truth/potential.csv").iter().filter(|row| row["audited"] == "1").count();
    assert_eq!(audited, 2);
}

#[test]
fn calls_and_discovery_favour_the_large() {
    let market = &*TENTH;
    let mut visits = vec![0.0; market.world.people.len()];
    for contact in market.past.contacts.iter().filter(|contact| contact.channel.name() == "face_to_face") {
        visits[contact.person] += contact.count;
    }
    let mut known: Vec<usize> = (0..visits.len()).filter(|&person| market.past.known[person]).collect();
    let size = |&person: &usize| market.world.people[person].size;
    known.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let mean = |people: &[usize]| people.iter().map(|&person| visits[person]).sum::<f64>() / people.len() as f64;
    let (small, large) = known.split_at(known.len() / 2);
    assert!(mean(large) > 1.5 * mean(small), "{} {}", mean(large), mean(small));
    let average = |of: &dyn Fn(usize) -> bool| {
        let sizes: Vec<f64> = (0..visits.len()).filter(|&person| of(person)).map(|person| size(&person)).collect();
        sizes.iter().sum::<f64>() / sizes.len() as f64
    };
    let dark = average(&|person| market.past.stage[person] == Stage::Dark);
    let served = average(&|person| market.past.stage[person] == Stage::Served);
    assert!(served > 1.4 * dark, "{served} {dark}");
}

#[test]
fn lists_depend_on_each_other() {
    let market = &*TENTH;
    // Odds ratio of two lists over the whole universe, the unlisted included.
    let odds_ratio = |a: u32, b: u32| {
        let mut cells = [[0.5; 2]; 2];
        for (person, lists) in market.listed.iter().enumerate() {
            if market.past.category_year[person] > 0.0 {
                cells[(lists >> a & 1) as usize][(lists >> b & 1) as usize] += 1.0;
            }
        }
        cells[0][0] * cells[1][1] / (cells[0][1] * cells[1][0])
    };
    for (a, b) in [(0, 1), (0, 3), (1, 3)] {
        assert!(odds_ratio(a, b) > 1.2, "{a} {b}: {}", odds_ratio(a, b));
    }
    let count: u32 = market.captures.iter().map(|capture| capture.count).sum();
    let universe: u32 = market.totals.iter().map(Totals::universe).sum();
    assert!(count > universe / 2 && count < universe, "{count} of {universe}");
    let ours = market.captures.iter().filter(|capture| capture.history & 1 == 1).map(|capture| capture.count);
    let known: u32 = market.totals.iter().map(|totals| totals.served_customers + totals.identified_customers).sum();
    assert_eq!(ours.sum::<u32>(), known);
}

#[test]
fn the_panel_measures_what_was_bought() {
    let market = &*TENTH;
    let territories = market.world.places.len();
    for month in [0, 40, 95] {
        let of = |territory: Option<usize>| {
            let rows = market.panel.iter().filter(move |row| row.month == month);
            rows.filter(move |row| row.territory.map(|j| j.usize()) == territory).map(|row| row.amount).sum::<f64>()
        };
        let total: f64 = market.past.tallies.total_demand[month * territories..][..territories].iter().sum();
        // Loading moves rivals' sales in time, and every figure is measured with an error of 2%.
        assert!((of(None) / total - 1.0).abs() < 0.35, "{month}: {} {total}", of(None));
        for territory in 0..territories {
            assert_eq!(market.audited[territory], of(Some(territory)) > 0.0);
        }
    }
    assert_eq!(market.audited.iter().filter(|&&audited| audited).count(), 24);
    assert_eq!(market.panel.len(), 25 * 96 * 4);
}

#[test]
fn demand_has_its_season() {
    let market = &*TENTH;
    let territories = market.world.places.len();
    let month = |of_year: usize| -> f64 {
        (0..8)
            .map(|year| {
                market.past.tallies.total_demand[(12 * year + of_year) * territories..][..territories]
                    .iter()
                    .sum::<f64>()
            })
            .sum()
    };
    // February and August: neither follows the end of a quarter, when rivals load.
    assert!(month(1) > 1.25 * month(7), "{} {}", month(1), month(7));
}

#[test]
fn demand_has_its_feasts() {
    // The same market and luck, without feasts: what is left of the ratio is what the calendar says.
    let mut description = TENTH.description.clone();
    assert_eq!(description.region.as_deref(), Some("TR"));
    description.truth.feasts = TrueFeasts { pre: 0.0, feast: 0.0, post: 0.0, fast: 0.0 };
    let without = generate(&description, TENTH.seed);
    let territories = TENTH.world.places.len();
    let of = |market: &SyntheticMarket, t: usize| -> f64 {
        market.past.tallies.total_demand[t * territories..][..territories].iter().sum()
    };
    let (mut cross, mut square) = (0.0, 0.0);
    for (t, month) in TENTH.description.history.months().enumerate() {
        let wanted = TENTH.parameters.feasts.log_effect(month);
        cross += wanted * libm::log(of(&TENTH, t) / of(&without, t));
        square += wanted * wanted;
    }
    assert!((cross / square - 1.0).abs() < 0.2, "{}", cross / square);
    let truth = file(&TENTH, "truth/parameters.csv");
    assert!(truth.contains("feasts_kurban_bayrami.feast,-0.1625"), "{truth}");
    assert!(!file(&SMALL, "truth/parameters.csv").contains("feasts_"));
}

#[test]
fn a_market_in_money_has_no_units() {
    let description = Description { demand: crate::units::DemandUnit::Value, ..Description::small() };
    let market = generate(&description, 1);
    assert!(file(&market, "market/sales.csv").starts_with("period,customer_id,value\n"));
    assert!(file(&market, "market/panel.csv").starts_with("period,territory_id,company_id,value\n"));
    assert!(file(&market, "market/market.toml").contains("demand = \"value\""));
}

#[test]
fn what_is_written_is_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    write(&SMALL, folder.path()).unwrap();
    for (name, text) in files(&SMALL) {
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), text, "{name}");
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(write(&SMALL, &file).unwrap_err().to_string().starts_with("cannot write"));
}

#[test]
fn the_loader_has_nothing_to_say() {
    let in_money = Description { demand: crate::units::DemandUnit::Value, ..Description::small() };
    for market in [&*SMALL, &*TENTH, &generate(&in_money, 1)] {
        let folder = tempfile::tempdir().unwrap();
        write(market, folder.path()).unwrap();
        let loaded = crate::data::load(&folder.path().join("market")).unwrap_or_else(|refused| {
            panic!("{}", crate::problem::render(&refused.problems, false));
        });
        assert!(loaded.warnings.is_empty(), "{}", crate::problem::render(&loaded.warnings, false));
        assert!(loaded.ignored_columns.is_empty() && loaded.ignored_files.is_empty());
        let data = loaded.market;
        assert_eq!(data.territory_count(), market.world.places.len());
        assert_eq!(data.customers.len(), market.past.known.iter().filter(|&&known| known).count());
        assert_eq!(data.meta.history, market.description.history);
        assert!(data.territories.polygons.is_some() && data.panel.is_some() && data.wallets.is_some());
        let captures = data.captures.as_ref().unwrap();
        assert_eq!(captures.own_list.map(|list| captures.lists[list].as_str()), Some("crm"));
        let market = crate::market::Market::new(data, None, None);
        let sold: f64 = market.own_last_year().iter().sum();
        assert!(sold > 0.0 && market.unit_price.is_some());
    }
}
