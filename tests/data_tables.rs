//! What a market directory becomes, and that the ways to write the same market give the same tables.

#[expect(dead_code, reason = "the messages are for the test of problems")]
mod common;

use std::fs;

use common::{FILES, MarketFolder};
use ikiz::data::{MarketData, Response};
use ikiz::ids::{CompanyIx, Index as _, TerritoryIx};
use ikiz::problem::render;

fn market(folder: &MarketFolder) -> MarketData {
    match folder.load() {
        Ok(loaded) => loaded.market,
        Err(refused) => panic!("{}", render(&refused.problems, false)),
    }
}

/// The tables without the sizes and hashes of the files.
fn tables(folder: &MarketFolder) -> String {
    let mut market = market(folder);
    market.files.clear();
    format!("{market:#?}")
}

#[test]
fn every_file_becomes_its_table() {
    let market = market(&MarketFolder::full());
    assert_eq!(market.territories.ids.names().collect::<Vec<_>>(), ["06", "34", "35"]);
    assert_eq!(market.territories.parents.len(), 1);
    assert_eq!(market.territories.parent, [Some(0), Some(0), Some(0)]);
    assert_eq!(market.territories.covariates[0].values, [Some(410.5), None, Some(377.0)]);
    assert_eq!(market.territories.polygons.as_ref().map(Vec::len), Some(3));

    let customers = &market.customers;
    assert_eq!(customers.ids.names().collect::<Vec<_>>(), ["C2", "C1", "C3"], "by territory, then id");
    assert_eq!(customers.range, [0..1, 1..3, 3..3]);
    assert_eq!(customers.segment_names, ["chain", "pharmacy"]);
    assert_eq!(customers.segment, [Some(1), Some(0), Some(1)]);
    assert_eq!(customers.lists.names().collect::<Vec<_>>(), ["crm", "distributor"]);
    assert_eq!(customers.sources, Some(vec![0b01, 0b11, 0b01]));
    let free = 0b100_0011; // face_to_face, phone and digital
    assert_eq!(customers.consent, Some(vec![free, free | 0b000_1100, free | 0b001_0000]));
    assert_eq!(customers.first_known[0].map(|month| month.to_string()).as_deref(), Some("2024-02"));
    assert_eq!(customers.covariates.len(), 1, "beds, not the remark");

    // C1's return is netted; the row with a blank value has an unknown value, not 0.
    let sales = &market.sales;
    assert_eq!(sales.customer.len(), 5);
    assert_eq!(sales.units, Some(vec![Some(7.0), Some(8.0), Some(5.0), Some(1.0), Some(4.0)]));
    assert_eq!(sales.value.as_ref().and_then(|value| value[3]), None);
    assert_eq!(sales.value.as_ref().and_then(|value| value[1]), Some(80.5));
    assert_eq!(sales.order_days.as_ref().and_then(|days| days[1]), Some(3.0));
    assert_eq!(sales.sell_out, Some(vec![false, false, true, false, false]));
    assert_eq!(market.meta.history.to_string(), "2024-01 to 2024-06");

    assert_eq!(market.companies.ids.names().collect::<Vec<_>>(), ["us", "rival"], "our own company is first");
    let panel = market.panel.as_ref().unwrap();
    assert_eq!((panel.rows[0].territory, panel.rows[0].company, panel.rows[0].amount), (None, None, 100.0));
    assert_eq!(panel.rows[1].company, Some(CompanyIx(0)));
    let calls = market.calls.as_ref().unwrap();
    assert_eq!(calls.rows[1].calls, 2.0);
    assert_eq!(calls.rows[1].response, Some(Response::Ordered));
    assert_eq!(calls.rows[0].month, 2);
    let captures = market.captures.as_ref().unwrap();
    assert_eq!(captures.own_list, Some(0));
    assert_eq!(captures.rows.iter().map(|row| row.history).collect::<Vec<_>>(), [0b001, 0b011, 0b110]);
    assert_eq!(market.actions.as_ref().unwrap()[0].end.to_string(), "2024-05-31", "a month as an end is its last day");
    assert_eq!(market.experiments.as_ref().unwrap()[0].territories, [TerritoryIx(0), TerritoryIx(1)]);
    let deflator = market.deflator.as_ref().unwrap();
    assert_eq!((deflator.len(), deflator[0], deflator[5]), (6, 1.0 / 1.5, 1.0));
    assert_eq!(market.files.len(), FILES.len());
    assert_eq!(market.files[0].name, "actions.csv");
    assert!(market.files.iter().all(|file| file.sha256.len() == 64));
}

#[test]
fn four_files_are_enough() {
    let folder = MarketFolder::full();
    for (name, _) in &FILES[4..] {
        folder.remove(name);
    }
    let market = market(&folder);
    assert_eq!(market.companies.ids.names().collect::<Vec<_>>(), ["us"]);
    assert!(market.panel.is_none() && market.calls.is_none() && market.deflator.is_none());
}

#[test]
fn a_market_may_be_wholly_dark() {
    let folder = MarketFolder::full();
    for (name, _) in &FILES[4..] {
        folder.remove(name);
    }
    folder
        .write("customers.csv", "customer_id,territory_id\n")
        .write("sales.csv", "period,customer_id,units\n")
        .replace("market.toml", "period =", "history_start = \"2024-01\"\nperiod =");
    let market = market(&folder);
    assert!(market.customers.is_empty());
    assert_eq!(market.customers.range.len(), market.territory_count());
}

#[test]
fn without_companies_csv_companies_are_those_that_are_named() {
    let folder = MarketFolder::full();
    folder.remove("companies.csv").append("actions.csv", "another,34,2024-02-01,2024-02-10,launch,");
    let market = market(&folder);
    assert_eq!(market.companies.ids.names().collect::<Vec<_>>(), ["us", "another", "rival"]);
    let companies: Vec<u32> = market.actions.unwrap().iter().map(|action| action.company.0).collect();
    assert_eq!(companies, [0, 1, 2]);
    assert!(market.panel.unwrap().rows.iter().any(|row| row.company == Some(CompanyIx(2))));
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let folder = MarketFolder::full();
    folder.append("sales.csv", "2024-03,C1,P1,0.1,1,,,\n2024-03,C1,P1,0.2,,,,\n2024-03,C1,P1,0.3,3,,web,2");
    let plain = tables(&folder);
    for seed in 1..20 {
        for (name, _) in FILES.iter().filter(|(name, _)| name.ends_with(".csv")) {
            let text = folder.read(name);
            let mut lines: Vec<&str> = text.lines().collect();
            let mut state = seed * 2_654_435_761_usize + 12345;
            for at in (2..lines.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                lines.swap(at, 1 + (state >> 33) % at);
            }
            folder.write(name, lines.join("\n") + "\n");
        }
        assert_eq!(tables(&folder), plain, "shuffle {seed}");
    }
}

/// Cells of a file of the builder, which quotes none that hold a separator except in `customers.csv`.
fn cells(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            _ => out.last_mut().unwrap().push(character),
        }
    }
    out
}

#[test]
fn marks_line_ends_and_separators_change_nothing() {
    let folder = MarketFolder::full();
    let plain = tables(&folder);
    for (name, text) in FILES.iter().filter(|(name, _)| name.ends_with(".csv")) {
        let text = text.replace("\"of \"\"note\"\"\"", "of note");
        let rows = text.lines().map(|line| {
            let cells = cells(line).into_iter().map(|cell| {
                let number = cell.contains('.') && cell.parse::<f64>().is_ok();
                let cell = if number { cell.replace('.', ",") } else { cell };
                if cell.contains(';') { format!("\"{cell}\"") } else { cell }
            });
            cells.collect::<Vec<_>>().join(";")
        });
        folder.write(name, format!("\u{feff}{}\r\n\r\n", rows.collect::<Vec<_>>().join("\r\n")));
    }
    let turkish = tables(&folder);
    assert_eq!(turkish, plain);
}

#[test]
fn thousands_points_are_read_where_they_are_certain() {
    let folder = MarketFolder::full();
    folder.write("sales.csv", "period;customer_id;units\n2024-01;C1;1.234,56\n2024-02;C1;1.234.567\n2024-03;C1;12,5\n");
    assert_eq!(market(&folder).sales.units, Some(vec![Some(1234.56), Some(1_234_567.0), Some(12.5)]));
}

#[test]
fn ids_are_composed_and_trimmed() {
    let folder = MarketFolder::full();
    // C with a cedilla: one character in one file, two in the other.
    folder.replace("customers.csv", "C2,", "\u{c7}2,").replace("sales.csv", "C2", " C\u{327}2 ");
    folder.replace("calls.csv", "C2", "C\u{327}2").replace("contacts.csv", "C2", "\u{c7}2");
    assert_eq!(market(&folder).customers.ids.name(ikiz::ids::CustomerIx::from_usize(0)), "\u{c7}2");
}

/// Whatever the bytes are, the loader answers; it never panics.
#[test]
fn corrupted_files_never_panic() {
    let folder = MarketFolder::full();
    let originals: Vec<(&str, Vec<u8>)> =
        FILES.iter().map(|(name, _)| (*name, fs::read(folder.path().join(name)).unwrap())).collect();
    let mut state = 20_240_601_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % below.max(1)
    };
    let nasty: [&[u8]; 14] = [
        b"\"",
        b",",
        b";",
        b"\n",
        b"\r",
        b"\0",
        b"\xFF",
        b"*",
        b"-",
        b"9",
        b"e",
        b"1e308",
        "\u{feff}".as_bytes(),
        b"\n\n,,,\n",
    ];
    for _ in 0..1500 {
        let (name, original) = &originals[next(originals.len())];
        let mut bytes = original.clone();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes.truncate(at),
                1 => bytes[at..].reverse(),
                2 => drop(bytes.splice(at..at, nasty[next(nasty.len())].iter().copied())),
                _ => drop(bytes.splice(at..(at + next(9)).min(bytes.len()), nasty[next(nasty.len())].iter().copied())),
            }
            if bytes.is_empty() {
                break;
            }
        }
        folder.write(name, &bytes);
        if let Err(refused) = folder.load() {
            assert!(!render(&refused.problems, false).is_empty());
        }
        folder.write(name, original);
    }
}

/// A national market: a million customers, three million rows of sales. Slow to write, so only run by hand.
#[test]
#[ignore = "writes 150 MB; run it with --ignored --nocapture to see how long loading takes"]
fn a_national_market_loads_in_seconds() {
    use std::fmt::Write as _;
    let folder = MarketFolder::full();
    for (name, _) in &FILES[4..] {
        folder.remove(name);
    }
    let mut customers = String::from("customer_id,territory_id,lon,lat,segment,size,consent,sources,first_known\n");
    for customer in 0..1_000_000 {
        let territory = ["06", "34", "35"][customer % 3];
        let shuffled = customer * 7_919 % 1_000_000;
        let _ = writeln!(customers, "C{shuffled:07},{territory},29.1,41.2,chain,12.5,email;sms,crm,2024-01");
    }
    folder.write("customers.csv", customers);
    let mut sales = String::from("period,customer_id,product_id,units,value\n");
    for month in 1..=6 {
        for customer in 0..500_000 {
            let shuffled = (customer * 104_729 + month) % 1_000_000;
            let _ = writeln!(
                sales,
                "2024-{month:02},C{shuffled:07},P{},{}.5,{}.25",
                customer % 5,
                customer % 90,
                customer % 900
            );
        }
    }
    folder.write("sales.csv", sales);
    let start = std::time::Instant::now();
    let market = market(&folder);
    println!(
        "loaded {} customers and {} sales in {:?}",
        market.customers.len(),
        market.sales.customer.len(),
        start.elapsed()
    );
}
