//! A synthetic market as files: the market directory as a company would have it, and beside it the truth.
//!
//! Everything is turned to bytes first and written in one place, so that tests need no disk.

use std::fmt::{Display, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::past::Contact;
use super::world::Person;
use super::{SyntheticMarket, world};
use crate::channel::Channel;
use crate::data::ActionKind;
use crate::ids::Index as _;
use crate::simulate::Stage;
use crate::units::{DemandUnit, Month, days_in};

/// The market could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}; check that the folder exists and can be written to", path.display())]
pub struct WriteError {
    path: PathBuf,
    source: std::io::Error,
}

/// Writes `market/` and `truth/` under a directory, which is made when it is not there. Files of the same names are
/// overwritten, others are left alone.
///
/// # Errors
/// Names the file that could not be written.
pub fn write(market: &SyntheticMarket, directory: &Path) -> Result<(), WriteError> {
    let error = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError { path, source }
    };
    for part in ["market", "truth"] {
        let folder = directory.join(part);
        std::fs::create_dir_all(&folder).map_err(error(&folder))?;
    }
    for (name, text) in files(market) {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(error(&path))?;
    }
    Ok(())
}

/// All files, with their paths under the directory.
pub fn files(market: &SyntheticMarket) -> Vec<(&'static str, String)> {
    type Make = fn(&SyntheticMarket, &Names) -> String;
    let makers: [(&'static str, Make); 20] = [
        ("market/sales.csv", sales),
        ("market/calls.csv", calls),
        ("market/market.toml", |market, _| market_toml(market)),
        ("market/territories.csv", |market, _| territories(market)),
        ("market/territories.geojson", |market, _| polygons(market)),
        ("market/customers.csv", customers),
        ("market/companies.csv", |market, _| companies(market)),
        ("market/panel.csv", |market, _| panel(market)),
        ("market/reps.csv", |market, _| reps(market)),
        ("market/assignments.csv", |market, _| assignments(market)),
        ("market/actions.csv", |market, _| actions(market)),
        ("market/captures.csv", |market, _| captures(market)),
        ("market/wallets.csv", wallets),
        ("market/deflator.csv", |market, _| deflator(market)),
        ("truth/potential.csv", |market, _| true_potential(market)),
        ("truth/parameters.csv", |market, _| true_parameters(market)),
        ("truth/territories.csv", |market, _| true_territories(market)),
        ("truth/agents.csv", true_agents),
        ("truth/actions.csv", |market, _| true_actions(market)),
        ("truth/territory_months.csv", |market, _| true_months(market)),
    ];
    let names = Names::new(market);
    let made: Vec<(&'static str, String)> =
        makers.into_par_iter().map(|(path, make)| (path, make(market, &names))).collect();
    // What nobody has is no file: a list market without other lists has no capture histories.
    made.into_iter().filter(|(_, text)| text.lines().nth(1).is_some()).collect()
}

/// Names of the known customers, numbered in the order in which we met them, as a customer file does.
struct Names {
    /// By person; empty for the dark.
    ids: Vec<String>,
    /// The known, in the order of their ids.
    order: Vec<usize>,
    /// By person.
    first_known: Vec<Option<Month>>,
}

impl Names {
    fn new(market: &SyntheticMarket) -> Self {
        let first = market.description.history.first;
        let first_known: Vec<Option<Month>> = (0..market.world.people.len())
            .map(|person| {
                let found = market.past.found[person].map(|month| first.plus(month as i32));
                // Those that we knew before the history were met in the five years before it.
                let before = || first.plus(-1 - (market.world.people[person].hash % 60) as i32);
                market.past.known[person].then(|| found.unwrap_or_else(before))
            })
            .collect();
        let mut order: Vec<usize> = (0..first_known.len()).filter(|&person| first_known[person].is_some()).collect();
        order.sort_by_key(|&person| (first_known[person], person));
        let width = order.len().to_string().len().max(4);
        let mut ids = vec![String::new(); first_known.len()];
        for (position, &person) in order.iter().enumerate() {
            ids[person] = format!("C{:0width$}", position + 1);
        }
        Self { ids, order, first_known }
    }
}

/// A CSV file under way. Fields are written as they are, so callers quote what may hold commas.
struct Csv(String);

impl Csv {
    fn new(header: &str) -> Self {
        Self(format!("{header}\n"))
    }

    fn row(&mut self, fields: &[&dyn Display]) {
        for (position, field) in fields.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            let _ = write!(self.0, "{comma}{field}");
        }
        self.0.push('\n');
    }
}

/// A text field, quoted where it must be.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}

/// What may be unknown: blank.
struct Known<T>(Option<T>);

impl<T: Display> Display for Known<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |value| value.fmt(f))
    }
}

fn market_toml(market: &SyntheticMarket) -> String {
    let description = &market.description;
    let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let demand = match description.demand {
        DemandUnit::Units => "units",
        DemandUnit::Value => "value",
    };
    let mut out = format!(
        "# A synthetic market, made by `ikiz synth`: nothing in it is anybody's data.\n\
         name = {}\nown_company = {}\ncurrency = {}\ndemand = \"{demand}\"\nperiod = \"month\"\n\
         history_start = \"{}\"\nhistory_end = \"{}\"\n",
        text(&description.name),
        text(&description.companies[0].id),
        text(&description.currency),
        description.history.first,
        description.history.last,
    );
    if let Some(region) = &description.region {
        let _ = writeln!(out, "region = {}", text(region));
    }
    out
}

fn territories(market: &SyntheticMarket) -> String {
    let mut csv = Csv::new("territory_id,name,lon,lat,area_km2,population,outlets,income_index");
    for (territory, place) in market.world.places.iter().enumerate() {
        let outlets = Known(market.audited[territory].then(|| market.totals[territory].universe()));
        let (lon, lat, area) = (fixed(place.lon, 4), fixed(place.lat, 4), fixed(place.area_km2, 0));
        let income = fixed(place.income_index, 3);
        csv.row(&[&place.id, &quoted(&place.name), &lon, &lat, &area, &place.population, &outlets, &income]);
    }
    csv.0
}

fn polygons(market: &SyntheticMarket) -> String {
    let rounded = |at: &geo::Coord<f64>| serde_json::json!([(at.x * 1e5).round() / 1e5, (at.y * 1e5).round() / 1e5]);
    let ring = |ring: &geo::LineString<f64>| ring.coords().map(rounded).collect::<Vec<_>>();
    let polygon = |polygon: &geo::Polygon<f64>| {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(ring).collect::<Vec<_>>()
    };
    let features: Vec<String> = market
        .world
        .places
        .iter()
        .filter(|place| !place.cell.0.is_empty())
        .map(|place| {
            let coordinates: Vec<_> = place.cell.0.iter().map(polygon).collect();
            let properties = serde_json::json!({ "territory_id": place.id, "name": place.name });
            let geometry = serde_json::json!({ "type": "MultiPolygon", "coordinates": coordinates });
            serde_json::json!({ "type": "Feature", "properties": properties, "geometry": geometry }).to_string()
        })
        .collect();
    format!("{{\"type\":\"FeatureCollection\",\"features\":[\n{}\n]}}\n", features.join(",\n"))
}

fn customers(market: &SyntheticMarket, names: &Names) -> String {
    let description = &market.description;
    let mut csv = Csv::new(
        "customer_id,territory_id,lon,lat,segment,size,affinity,influence,digital,price_sensitivity,\
         preferred_channel,consent,sources,first_known,closed",
    );
    for &person in &names.order {
        let traits = &market.world.people[person];
        let mut draws = super::draws::Draws::new(market.seed, "synth/records", traits.hash);
        let size = Known(draws.chance(description.records.size_known).then(|| fixed(traits.size_seen.max(0.1), 1)));
        let closure_known = draws.chance(description.records.closures_known);
        let closed = market.past.closed[person].filter(|_| closure_known);
        let lists = market.listed[person];
        let named = description.lists.iter().enumerate().filter(|(list, _)| lists & (2 << list) != 0);
        let sources =
            std::iter::once("crm").chain(named.map(|(_, list)| list.id.as_str())).collect::<Vec<_>>().join(";");
        csv.row(&[
            &names.ids[person],
            &market.world.places[traits.territory].id,
            &fixed(traits.lon, 5),
            &fixed(traits.lat, 5),
            &description.segments[traits.segment].id,
            &size,
            &fixed(traits.affinity, 3),
            &fixed(traits.influence, 3),
            &fixed(traits.digital, 3),
            &fixed(traits.price_sensitivity, 3),
            &traits.preferred_channel,
            &consent(traits),
            &sources,
            &Known(names.first_known[person]),
            &Known(closed.map(|month| description.history.at(month))),
        ]);
    }
    csv.0
}

fn consent(person: &Person) -> String {
    let needed = Channel::ALL.into_iter().filter(|channel| channel.needs_consent() && person.consents(*channel));
    needed.map(Channel::name).collect::<Vec<_>>().join(";")
}

fn sales(market: &SyntheticMarket, names: &Names) -> String {
    let description = &market.description;
    let units = description.demand == DemandUnit::Units;
    let mut csv = Csv::new(if units { "period,customer_id,units,value" } else { "period,customer_id,value" });
    let periods: Vec<String> = description.history.months().map(|month| month.to_string()).collect();
    for sale in &market.past.sales {
        let person = &market.world.people[sale.person];
        let price = market.price_index[sale.month] * description.segments[person.segment].price;
        let (period, id) = (&periods[sale.month], &names.ids[sale.person]);
        if units {
            csv.row(&[period, id, &sale.amount, &fixed(sale.amount * price * description.unit_price, 2)]);
        } else {
            csv.row(&[period, id, &fixed(sale.amount * market.price_index[sale.month], 2)]);
        }
    }
    csv.0
}

fn calls(market: &SyntheticMarket, names: &Names) -> String {
    let periods: Vec<String> = market.description.history.months().map(|month| month.to_string()).collect();
    let mut csv = Csv::new("period,customer_id,channel,rep_id,calls");
    for &Contact { person, month, channel, count } in &market.past.contacts {
        let traits = &market.world.people[person];
        let rep = (channel == Channel::FaceToFace)
            .then(|| market.force.rep_of(traits.territory, traits.hash, month))
            .flatten()
            .map(|rep| market.force.reps[rep].id.as_str());
        csv.row(&[&periods[month], &names.ids[person], &channel.name(), &Known(rep), &count]);
    }
    csv.0
}

fn companies(market: &SyntheticMarket) -> String {
    let mut csv = Csv::new("company_id,name");
    for company in &market.description.companies {
        csv.row(&[&company.id, &quoted(&company.name)]);
    }
    csv.0
}

fn panel(market: &SyntheticMarket) -> String {
    let description = &market.description;
    let units = description.demand == DemandUnit::Units;
    let column = if units { "units" } else { "value" };
    let mut csv = Csv::new(&format!("period,territory_id,company_id,{column}"));
    for row in &market.panel {
        let territory = row.territory.map_or("*", |territory| market.world.places[territory.usize()].id.as_str());
        let price = if units { 1.0 } else { market.price_index[row.month] };
        let period = description.history.at(row.month);
        csv.row(&[&period, &territory, &description.companies[row.company].id, &fixed(row.amount * price, 0)]);
    }
    csv.0
}

fn reps(market: &SyntheticMarket) -> String {
    let plan = &market.description.field_force;
    let mut csv = Csv::new("rep_id,start,end,calls_per_month,monthly_cost");
    for rep in &market.force.reps {
        csv.row(&[&rep.id, &rep.start, &Known(rep.end), &plan.calls_per_month, &plan.monthly_cost]);
    }
    csv.0
}

fn assignments(market: &SyntheticMarket) -> String {
    let mut csv = Csv::new("rep_id,territory_id,valid_from,valid_to");
    for rep in &market.force.reps {
        for &territory in &rep.territories {
            csv.row(&[&rep.id, &market.world.places[territory].id, &rep.start, &Known(rep.end)]);
        }
    }
    csv.0
}

fn actions(market: &SyntheticMarket) -> String {
    let mut csv = Csv::new("company_id,territory_id,start,end,kind");
    for_each_move(market, |step, company, territory, start, end, kind| {
        if step.known {
            csv.row(&[&company, &territory, &start, &end, &kind]);
        }
    });
    csv.0
}

fn true_actions(market: &SyntheticMarket) -> String {
    let mut csv = Csv::new("company_id,territory_id,start,end,kind,depth,recorded");
    for_each_move(market, |step, company, territory, start, end, kind| {
        csv.row(&[&company, &territory, &start, &end, &kind, &fixed(step.depth, 4), &u8::from(step.known)]);
    });
    csv.0
}

/// Calls back for each move and territory: (move, company, territory or `*`, first day, last day, kind).
fn for_each_move(
    market: &SyntheticMarket,
    mut row: impl FnMut(&super::rivals::Move, &str, &str, String, String, &'static str),
) {
    let description = &market.description;
    for step in &market.moves {
        let company = &description.companies[step.company].id;
        let (first, last) = (description.history.at(step.first), description.history.at(step.last));
        let (start, end) = (format!("{first}-01"), format!("{last}-{:02}", days_in(last)));
        let kind = match step.kind {
            ActionKind::Price => "price",
            ActionKind::Campaign => "campaign",
            ActionKind::Loading => "loading",
            ActionKind::Launch => "launch",
            ActionKind::Stockout => "stockout",
        };
        match &step.territories {
            None => row(step, company, "*", start, end, kind),
            Some(territories) => {
                for &territory in territories {
                    row(step, company, &market.world.places[territory].id, start.clone(), end.clone(), kind);
                }
            }
        }
    }
}

fn captures(market: &SyntheticMarket) -> String {
    let description = &market.description;
    let lists = description.lists.iter().map(|list| list.id.as_str());
    let mut header = vec!["territory_id", "segment", "crm"];
    header.extend(lists);
    header.push("count");
    let mut csv = Csv::new(&header.join(","));
    for capture in &market.captures {
        let histories: Vec<String> =
            (0..=description.lists.len()).map(|list| (capture.history >> list & 1).to_string()).collect();
        let place = &market.world.places[capture.territory].id;
        csv.row(&[place, &description.segments[capture.segment].id, &histories.join(","), &capture.count]);
    }
    csv.0
}

fn wallets(market: &SyntheticMarket, names: &Names) -> String {
    let year = market.description.history.last_months(12);
    let mut csv = Csv::new("customer_id,from,to,demand");
    for answer in &market.survey {
        csv.row(&[&names.ids[answer.person], &year.first, &year.last, &answer.demand]);
    }
    csv.0
}

fn deflator(market: &SyntheticMarket) -> String {
    let mut csv = Csv::new("period,index");
    let first = market.price_index.first().copied().unwrap_or(1.0);
    for (month, index) in market.description.history.months().zip(&market.price_index) {
        csv.row(&[&month, &fixed(100.0 * index / first, 4)]);
    }
    csv.0
}

fn true_potential(market: &SyntheticMarket) -> String {
    let mut csv = Csv::new(
        "territory_id,audited,dark_customers,dark_demand,known_demand,own_sales,total_demand,served_demand,\
         identified_demand,served_customers,identified_customers",
    );
    for (territory, totals) in market.totals.iter().enumerate() {
        csv.row(&[
            &market.world.places[territory].id,
            &u8::from(market.audited[territory]),
            &totals.dark_customers,
            &fixed(totals.dark_demand, 2),
            &fixed(totals.served_demand + totals.identified_demand, 2),
            &fixed(totals.own_sales, 2),
            &fixed(totals.served_demand + totals.identified_demand + totals.dark_demand, 2),
            &fixed(totals.served_demand, 2),
            &fixed(totals.identified_demand, 2),
            &totals.served_customers,
            &totals.identified_customers,
        ]);
    }
    csv.0
}

fn true_parameters(market: &SyntheticMarket) -> String {
    let parameters = &market.parameters;
    let mut csv = Csv::new("parameter,value");
    for (month, index) in parameters.season.iter().enumerate() {
        csv.row(&[&format!("season_{:02}", month + 1), index]);
    }
    for (name, effect) in parameters.feasts.effects() {
        csv.row(&[&format!("feasts_{name}"), &effect]);
    }
    let (goodwill, discovery) = (&parameters.goodwill, &parameters.discovery);
    for (name, value) in [
        ("growth", parameters.growth),
        ("shock_sd", parameters.shock_sd),
        ("goodwill_decay", goodwill.decay),
        ("goodwill_half_saturation", goodwill.half_saturation),
        ("order_unit", parameters.order_unit),
        ("discovery_spontaneous", discovery.spontaneous),
        ("discovery_referral", discovery.referral),
        ("discovery_prospecting_yield", discovery.prospecting_yield),
        ("conversion_hazard", parameters.conversion.hazard),
        ("conversion_goodwill_effect", parameters.conversion.goodwill_effect),
        ("churn", parameters.churn),
        ("closure", parameters.closure),
        ("birth", parameters.birth),
        ("share_at_zero_goodwill", market.description.truth.share),
        ("taste_sd", market.description.truth.taste_sd),
    ] {
        csv.row(&[&name, &value]);
    }
    for channel in Channel::ALL {
        csv.row(&[&format!("goodwill_effect_{channel}"), &goodwill.effect[channel.index()]]);
    }
    csv.0
}

fn true_territories(market: &SyntheticMarket) -> String {
    let rivals = market.description.companies.iter().skip(1).map(|company| format!("rival_share_{}", company.id));
    let mut header: Vec<String> =
        ["territory_id", "name", "region", "strength", "coverage", "openness"].map(str::to_owned).to_vec();
    header.extend(rivals);
    let mut csv = Csv::new(&header.join(","));
    for place in &market.world.places {
        let rivals: Vec<String> = place.rivals.iter().map(|share| fixed(*share, 5)).collect();
        let (strength, coverage, openness) =
            (fixed(place.strength, 5), fixed(place.coverage, 5), fixed(place.openness, 5));
        let (name, region) = (quoted(&place.name), quoted(&place.region));
        csv.row(&[&place.id, &name, &region, &strength, &coverage, &openness, &rivals.join(",")]);
    }
    csv.0
}

fn true_agents(market: &SyntheticMarket, names: &Names) -> String {
    let description = &market.description;
    let mut csv = Csv::new(
        "territory_id,slot,customer_id,stage,segment,lon,lat,size,appeal,influence,visibility,digital,\
         price_sensitivity,born,found,closed,demand_12_months,own_sales_12_months",
    );
    let month = |position: Option<usize>| Known(position.map(|position| description.history.at(position)));
    for (person, traits) in market.world.people.iter().enumerate() {
        let past = &market.past;
        if past.stage[person] == Stage::Unborn {
            continue;
        }
        csv.row(&[
            &market.world.places[traits.territory].id,
            &traits.slot,
            &names.ids[person],
            &world::stage_name(past.stage[person]),
            &description.segments[traits.segment].id,
            &fixed(traits.lon, 5),
            &fixed(traits.lat, 5),
            &fixed(traits.size, 3),
            &fixed(traits.appeal, 4),
            &fixed(traits.influence, 4),
            &fixed(traits.visibility, 4),
            &fixed(traits.digital, 4),
            &fixed(traits.price_sensitivity, 4),
            &month(past.born[person]),
            &month(past.found[person]),
            &month(past.closed[person]),
            &past.category_year[person],
            &past.own_year[person],
        ]);
    }
    csv.0
}

fn true_months(market: &SyntheticMarket) -> String {
    let description = &market.description;
    let rivals = description.companies.iter().skip(1).map(|company| format!(",sales_{}", company.id));
    let header = format!("period,territory_id,own_sales,total_demand,dark,served{}", rivals.collect::<String>());
    let mut csv = Csv::new(&header);
    let tallies = &market.past.tallies;
    for (month, period) in description.history.months().enumerate() {
        for (territory, place) in market.world.places.iter().enumerate() {
            let at = month * market.world.places.len() + territory;
            let rivals: String = tallies.rival_sales.iter().map(|sales| format!(",{}", fixed(sales[at], 2))).collect();
            let (own, total) = (fixed(tallies.own_sales[at], 2), fixed(tallies.total_demand[at], 2));
            let served = format!("{}{rivals}", tallies.served[at]);
            csv.row(&[&period, &place.id, &own, &total, &tallies.dark[at], &served]);
        }
    }
    csv.0
}

/// A number with a fixed number of decimals.
fn fixed(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}
