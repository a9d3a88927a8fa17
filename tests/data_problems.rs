//! The words of every class of problem that a market directory can have: each test breaks a valid one in one way.

mod common;

use std::fs;
use std::io::Write as _;

use common::MarketFolder;

/// A test for each way to break the valid market; what the user then reads is a snapshot.
macro_rules! reads {
    ($($name:ident: $break_it:expr;)*) => {$(
        #[test]
        fn $name() {
            let folder = MarketFolder::full();
            let break_it: fn(&MarketFolder) = $break_it;
            break_it(&folder);
            insta::assert_snapshot!(folder.messages());
        }
    )*};
}

reads! {
    // The folder and its files.
    nothing_is_wrong: |_| {};
    directory_missing: |f| fs::remove_dir_all(f.path()).unwrap();
    directory_is_a_file: |f| { fs::remove_dir_all(f.path()).unwrap(); fs::write(f.path(), "").unwrap(); };
    required_files_missing: |f| { f.remove("market.toml").remove("territories.csv").remove("customers.csv").remove("sales.csv"); };
    file_name_misspelt: |f| fs::rename(f.path().join("customers.csv"), f.path().join("customer.csv")).unwrap();
    other_files_are_listed: |f| { f.write("notes.txt", "x"); };
    folder_in_place_of_a_file: |f| { f.remove("panel.csv"); fs::create_dir(f.path().join("panel.csv")).unwrap(); };
    empty_file: |f| { f.write("sales.csv", ""); };
    blank_optional_file: |f| { f.write("calls.csv", "\n\n"); };
    endless_line: |f| {
        let mut file = fs::File::create(f.path().join("sales.csv")).unwrap();
        file.write_all(b"period,customer_id,units\n").unwrap();
        file.write_all(&vec![b'x'; (1 << 20) + 1]).unwrap();
    };
    windows_1254: |f| { f.write("territories.csv", b"territory_id,name\n06,Ankara\n34,\xDDstanbul\n35,\xDDzmir\n"); };
    utf16: |f| { f.write("sales.csv", b"\xFF\xFEp\0e\0r\0i\0o\0d\0"); };
    utf16_without_mark: |f| { f.write("sales.csv", "period,customer_id,units\n".bytes().flat_map(|b| [b, 0]).collect::<Vec<_>>()); };
    zero_byte: |f| { f.replace("sales.csv", "C3", "C\0"); };
    workbook: |f| { f.write("sales.csv", b"PK\x03\x04rest"); };
    compressed: |f| { f.write("sales.csv", b"\x1F\x8B\x08rest"); };

    // Headers.
    column_missing: |f| { f.replace("sales.csv", "customer_id", "who"); };
    demand_column_missing: |f| { f.replace("market.toml", "\"units\"", "\"value\"").write("sales.csv", "period,customer_id,units\n2024-01,C1,3\n"); };
    column_misspelt: |f| { f.replace("customers.csv", "territory_id", "teritory_id"); };
    optional_column_misspelt: |f| { f.replace("territories.csv", "population", "Population"); };
    column_near_one_that_is_there: |f| { f.replace("customers.csv", "beds", "size2"); };
    column_twice: |f| { f.replace("territories.csv", "income", "name"); };
    column_without_a_name: |f| { f.write("companies.csv", "company_id,name,\nus,Us,\nrival,Rival,x\n"); };
    tabs: |f| { f.write("companies.csv", "company_id\tname\nus\tUs\n"); };
    sep_line: |f| { f.write("companies.csv", "sep=;\ncompany_id;name\nus;Us\n"); };
    covariate_that_is_not_all_numbers: |f| { f.replace("territories.csv", "377", "about 377"); };

    // Rows.
    too_many_cells: |f| { f.replace("sales.csv", "P1,7,70", "P1,7,5,70"); };
    too_few_cells: |f| { f.replace("companies.csv", "rival,Rival AŞ", "rival"); };
    quote_not_closed: |f| { f.replace("customers.csv", "\"moved, twice\"", "\"moved, twice"); };
    quote_not_closed_at_the_end: |f| { f.replace("companies.csv", "us,Our Company", "us,\"Our Company"); };
    quote_that_swallows_rows: |f| { f.replace("companies.csv", "rival,Rival AŞ", "rival,\"Rival AŞ").append("companies.csv", "third,\"Third, Inc\""); };
    line_numbers_behind_line_breaks: |f| { f.write("companies.csv", "company_id,name\r\n\r\nrival,\"two\r\nlines\"\r\nus,Us\r\nus,Us\r\n"); };
    only_headers: |f| { f.write("customers.csv", "customer_id,territory_id\n").write("sales.csv", "period,customer_id,units\n"); };
    no_territory: |f| { f.write("territories.csv", "territory_id,name\n"); };
    blank_id: |f| { f.replace("customers.csv", "C2,06", ",06"); };
    id_with_a_line_break: |f| { f.replace("companies.csv", "rival,", "\"ri\nval\","); };

    // Numbers.
    not_a_number: |f| { f.replace("sales.csv", "C2,P1,7", "C2,P1,seven"); };
    number_unknown_in_words: |f| { f.replace("customers.csv", "40.5", "n/a"); };
    decimal_comma_in_quotes: |f| { f.replace("sales.csv", "100.5", "\"100,5\""); };
    thousands_in_quotes: |f| { f.replace("sales.csv", "100.5", "\"1,100.5\""); };
    comma_that_is_either: |f| { f.replace("sales.csv", "100.5", "\"1,100\""); };
    currency_sign: |f| { f.replace("sales.csv", "100.5", "₺100.5"); };
    percent: |f| { f.replace("customers.csv", "0.9", "90%"); };
    infinite: |f| { f.replace("sales.csv", "100.5", "inf"); };
    not_a_number_in_ieee: |f| { f.replace("sales.csv", "100.5", "nan"); };
    overflow: |f| { f.replace("sales.csv", "100.5", "1e400"); };
    too_large: |f| { f.replace("sales.csv", "100.5", "1e300"); };
    score_above_one: |f| { f.replace("customers.csv", "0.9", "90"); };
    negative_size: |f| { f.replace("customers.csv", "40.5", "-40.5"); };
    area_of_zero: |f| { f.replace("territories.csv", "24521", "0"); };
    latitude_out_of_range: |f| { f.replace("customers.csv", "41.02", "4102"); };
    longitude_alone: |f| { f.replace("customers.csv", "29.01,41.02", "29.01,"); };
    point_in_a_decimal_comma_file: |f| { f.write("sales.csv", "period;customer_id;units\n2024-01;C1;1.234\n2024-02;C1;1.234,5\n"); };
    hour_with_a_fraction: |f| { f.replace("calls.csv", ",10,ordered", ",10.5,ordered"); };
    sale_without_an_amount: |f| { f.replace("sales.csv", "C2,P1,7", "C2,P1,"); };

    // Months and days.
    period_with_a_slash: |f| { f.replace("sales.csv", "2024-03", "2024/03"); };
    period_month_first: |f| { f.replace("sales.csv", "2024-03", "03.2024"); };
    period_without_a_zero: |f| { f.replace("sales.csv", "2024-03", "2024-3"); };
    period_as_a_serial_number: |f| { f.replace("sales.csv", "2024-03", "45352"); };
    period_as_a_day: |f| { f.replace("sales.csv", "2024-03", "2024-03-15"); };
    period_of_a_thirteenth_month: |f| { f.replace("sales.csv", "2024-03", "2024-13"); };
    day_that_does_not_exist: |f| { f.replace("events.csv", "2024-03-02", "2024-02-30"); };
    day_that_is_either: |f| { f.replace("events.csv", "2024-03-02", "03/02/2024"); };
    day_outside_its_period: |f| { f.write("calls.csv", "period,date,customer_id,channel\n2024-02,2024-01-05,C1,phone\n"); };
    calls_without_a_time: |f| { f.write("calls.csv", "customer_id,channel\nC1,phone\n"); };
    sales_after_the_history: |f| { f.append("sales.csv", "2024-07,C1,P1,1,1,,,\n2025-01,C1,P1,1,1,,,"); };
    sales_before_the_history: |f| { f.replace("market.toml", "period =", "history_start = \"2024-02\"\nperiod ="); };
    panel_before_the_first_sale: |f| { f.append("panel.csv", "2023-11,*,*,90,\n2023-12,*,*,95,"); };
    first_sale_in_another_age: |f| { f.replace("sales.csv", "2024-03", "0204-03"); };
    known_after_the_history: |f| { f.replace("customers.csv", "2024-02-15", "2024-07-15"); };
    closed_before_known: |f| { f.replace("customers.csv", "2024-02-15,2024-06", "2024-02-15,2023-06"); };
    contract_that_ends_before_it_starts: |f| { f.replace("contracts.csv", "2025-12-31", "2023-12-31"); };
    deflator_with_a_gap: |f| { f.replace("deflator.csv", "2024-03,1.2\n", ""); };

    // Keys and references.
    customer_twice: |f| { f.append("customers.csv", "C1,35,,,,,,,,,,,crm,,,,"); };
    territory_twice: |f| { f.append("territories.csv", "06,Ankara,,,,,,TR,"); };
    panel_row_twice: |f| { f.append("panel.csv", "2024-01,34,rival,31,"); };
    zero_eaten: |f| { f.replace("customers.csv", "C2,06", "C2,6"); };
    unknown_territory: |f| { f.replace("customers.csv", "C2,06", "C2,99"); };
    unknown_customer: |f| { f.append("sales.csv", "2024-05,C9,P1,1,1,,,"); };
    customer_in_other_case: |f| { f.append("sales.csv", "2024-05,c1,P1,1,1,,,"); };
    customer_of_an_aggregate: |f| { f.replace("customers.csv", "C2,06", "C2,TR"); };
    unknown_company: |f| { f.append("panel.csv", "2024-03,34,rivals,3,"); };
    unknown_rep: |f| { f.replace("calls.csv", "R2", "R7"); };
    unknown_parent: |f| { f.replace("territories.csv", "TR,410.5", "TRX,410.5"); };
    parents_in_a_circle: |f| { f.replace("territories.csv", "TR,Türkiye,,,,,,,", "TR,Türkiye,,,,,,EU,\nEU,Europe,,,,,,TR,"); };
    reserved_territory: |f| { f.append("territories.csv", "*,All,,,,,,,"); };
    assignments_without_reps: |f| { f.remove("reps.csv"); };
    assignments_overlap: |f| { f.append("assignments.csv", "R1,34,2024-01,2024-02"); };
    fifty_and_more_of_a_kind: |f| { for month in 0..60 { f.append("sales.csv", &format!("2024-05,X{month:03},P1,1,1,,,")); } };

    // Words.
    unknown_channel: |f| { f.replace("calls.csv", "C1,email", "C1,mail"); };
    unknown_consent: |f| { f.replace("customers.csv", "email;sms", "yes"); };
    unknown_flow: |f| { f.replace("sales.csv", "sell_out", "sellout"); };
    unknown_response: |f| { f.replace("calls.csv", "silent", "no answer"); };
    unknown_action: |f| { f.replace("actions.csv", "campaign", "promotion"); };

    // Doubts.
    negative_month: |f| { f.append("sales.csv", "2024-04,C1,P1,-3,-30,,,\n2024-05,C1,P1,-4,-30,,,"); };
    sold_before_known: |f| { f.append("sales.csv", "2024-01,C2,P1,3,30,,,"); };
    sold_after_closed: |f| { f.replace("customers.csv", "2024-02-15,2024-06", "2024-02-15,2024-03").append("sales.csv", "2024-05,C2,P1,3,30,,,"); };
    pasted_twice: |f| { let text = "2024-05,C1,P1,3,30,,,\n".repeat(40); f.append("sales.csv", text.trim_end()); };

    companies_beyond_the_category: |f| { f.append("panel.csv", "2024-02,34,*,5,50"); };

    // Capture histories.
    list_that_is_neither: |f| { f.replace("captures.csv", "1,0,0,1", "1,0,yes,1"); };
    captured_by_no_list: |f| { f.append("captures.csv", "35,,0,0,0,9"); };
    capture_history_twice: |f| { f.append("captures.csv", "34,pharmacy,0,1,1,9"); };
    captures_without_lists: |f| { f.write("captures.csv", "territory_id,count\n34,2\n"); };
    captures_without_our_list: |f| { f.replace("customers.csv", "crm,2024-02-15", "web,2024-02-15"); };
    segment_that_no_customer_has: |f| { f.replace("captures.csv", "34,pharmacy,0", "34,pharmacies,0"); };

    // Polygons.
    polygon_without_a_territory: |f| { f.replace("territories.geojson", "\"35\"", "\"36\""); };
    polygon_that_lost_its_zero: |f| { f.replace("territories.geojson", "\"06\"", "6"); };
    territory_without_a_polygon: |f| { f.append("territories.csv", "01,Adana,,,,,,TR,"); };
    polygon_without_an_id: |f| { f.replace("territories.geojson", "\"territory_id\": \"35\"", "\"TERRITORY_ID\": \"35\""); };
    polygon_that_is_a_point: |f| { f.replace("territories.geojson", "\"Polygon\", \"coordinates\": [[[27, 38], [28, 38], [28, 39], [27, 38]]]", "\"Point\", \"coordinates\": [27, 38]"); };
    polygon_in_metres: |f| { f.replace("territories.geojson", "[27, 38]", "[3005000, 4580000]"); };
    polygon_with_two_points: |f| { f.replace("territories.geojson", ", [28, 38], [28, 39]", ""); };
    not_json: |f| { f.replace("territories.geojson", "]}\n", ""); };
    not_geojson: |f| { f.write("territories.geojson", "{\"type\": \"Topology\"}"); };

    // market.toml.
    not_toml: |f| { f.replace("market.toml", "\"TRY\"", "TRY"); };
    fields_missing: |f| { f.write("market.toml", "name = \"x\"\n"); };
    field_unknown: |f| { f.append("market.toml", "colour = \"red\""); };
    field_misspelt: |f| { f.replace("market.toml", "own_company", "own_compny"); };
    field_of_another_type: |f| { f.replace("market.toml", "\"2024-06\"", "2024"); };
    demand_in_neither: |f| { f.replace("market.toml", "\"units\"", "\"litres\""); };
    period_of_weeks: |f| { f.replace("market.toml", "\"month\"", "\"week\""); };
    history_end_in_another_form: |f| { f.replace("market.toml", "\"2024-06\"", "\"06.2024\""); };
    history_ends_before_it_starts: |f| { f.replace("market.toml", "period =", "history_start = \"2025-02\"\nperiod ="); };
    history_of_ages: |f| { f.replace("market.toml", "period =", "history_start = \"0224-02\"\nperiod ="); };
    region_in_words: |f| { f.replace("market.toml", "\"TR\"", "\"Türkiye\""); };
    no_start_of_the_history: |f| { f.write("sales.csv", "period,customer_id,units\n"); };

    // Several at once.
    all_problems_at_once: |f| {
        f.replace("market.toml", "\"units\"", "\"pieces\"").replace("customers.csv", "C2,06", "C2,6")
            .replace("sales.csv", "2024-03", "2024-00").replace("panel.csv", "34,us,12", "34,us,?");
    };
}
