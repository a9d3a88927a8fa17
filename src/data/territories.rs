//! `territories.csv`.

use std::collections::{BTreeMap, BTreeSet};

use super::Ignored;
use super::covariates::CovariateReader;
use super::log::Log;
use super::number::{NOT_NEGATIVE, POSITIVE};
use super::source::Source;
use super::table::{Column, Table, optional, required};
use super::tables::{ParentTerritory, Territories};
use crate::ids::IdTable;
use crate::problem::Problem;

pub(super) const FILE: &str = "territories.csv";

pub(super) const COLUMNS: &[Column] = &[
    required("territory_id"),
    required("name"),
    optional("lon"),
    optional("lat"),
    optional("area_km2"),
    optional("population"),
    optional("outlets"),
    optional("parent_id"),
];

/// What the file holds.
pub(super) struct TerritoryFile {
    pub territories: Territories,
    /// Ids of rows with errors.
    pub lost: BTreeSet<String>,
    /// Ids of parents.
    pub aggregates: BTreeSet<String>,
    /// Rows are missing whose ids cannot be told.
    pub rows_lost: bool,
}

/// A row as it is in the file.
struct Row {
    id: String,
    name: String,
    lon: Option<f64>,
    lat: Option<f64>,
    area_km2: Option<f64>,
    population: Option<f64>,
    outlets: Option<f64>,
    parent: Option<String>,
    /// Place in the file, to find covariates and lines again.
    position: usize,
    offset: usize,
}

/// Reads the file: territories sorted by id, aggregates apart.
pub(super) fn read(source: &Source, ignored: &mut Ignored, log: &mut Log) -> Option<TerritoryFile> {
    let mut table = Table::open(source, COLUMNS, log)?;
    let [id, name, lon, lat, area, population, outlets, parent] =
        ["territory_id", "name", "lon", "lat", "area_km2", "population", "outlets", "parent_id"]
            .map(|name| table.column(name));
    let mut covariates = CovariateReader::new(&table);
    let mut rows: Vec<Row> = Vec::new();
    let mut first_on: BTreeMap<String, usize> = BTreeMap::new();
    let mut lost = BTreeSet::new();
    while table.advance(log) {
        covariates.row(&table);
        let position = covariates.rows() - 1;
        let parent_id = table.optional_id(parent, log).map(String::from);
        let row = Row {
            id: table.id(id, log).map(String::from).unwrap_or_default(),
            name: table.cell(name).to_owned(),
            lon: table.number(lon, &(-180.0..=180.0), log),
            lat: table.number(lat, &(-90.0..=90.0), log),
            area_km2: table.number(area, &POSITIVE, log),
            population: table.number(population, &NOT_NEGATIVE, log),
            outlets: table.number(outlets, &NOT_NEGATIVE, log),
            parent: parent_id,
            position,
            offset: table.offset(),
        };
        super::places::refuse_half_a_place(&table, lon, lat, log);
        if row.id == "*" {
            table.refuse(id, "an id is reserved", log, || {
                let help = "give the territory an id of its own".to_owned();
                ("`*` is no territory: it stands for the whole market".to_owned(), "reserved".to_owned(), help)
            });
            continue;
        }
        if row.id.is_empty() {
            continue;
        }
        if let Some(&first) = first_on.get(&row.id) {
            table.refuse_duplicate(id, &format!("territory `{}`", row.id), first, log);
            continue;
        }
        first_on.insert(row.id.clone(), row.offset);
        rows.push(row);
    }
    lost.extend(table.lost.iter().cloned());
    if rows.is_empty() && lost.is_empty() {
        log.push(
            Problem::error(format!("`{FILE}` has no territory"))
                .at(source.place(0..source.text().lines().next().map_or(0, str::len)), "a header without rows")
                .help("add a row for each territory; a market that is not divided is one territory"),
        );
        return None;
    }
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    refuse_wrong_parents(&rows, &lost, &table, log);
    let aggregates: BTreeSet<String> = rows.iter().filter_map(|row| row.parent.clone()).collect();
    let covariates = covariates.finish(&table, ignored, log);
    let (parents, leaves): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| aggregates.contains(&row.id));
    let parent_index = |id: &Option<String>| {
        let id = id.as_ref()?;
        parents.binary_search_by(|row| row.id.as_str().cmp(id)).ok()
    };
    let mut ids = IdTable::default();
    for row in &leaves {
        ids.intern(&row.id);
    }
    let territories = Territories {
        ids,
        name: leaves.iter().map(|row| if row.name.is_empty() { row.id.clone() } else { row.name.clone() }).collect(),
        lon: leaves.iter().map(|row| row.lon).collect(),
        lat: leaves.iter().map(|row| row.lat).collect(),
        area_km2: leaves.iter().map(|row| row.area_km2).collect(),
        population: leaves.iter().map(|row| row.population).collect(),
        outlets: leaves.iter().map(|row| row.outlets).collect(),
        parent: leaves.iter().map(|row| parent_index(&row.parent)).collect(),
        parents: parents
            .iter()
            .map(|row| ParentTerritory {
                id: row.id.clone(),
                name: if row.name.is_empty() { row.id.clone() } else { row.name.clone() },
                parent: parent_index(&row.parent),
            })
            .collect(),
        covariates: covariates
            .into_iter()
            .map(|covariate| covariate.reordered(leaves.iter().map(|row| row.position)))
            .collect(),
        polygons: None,
    };
    Some(TerritoryFile { territories, lost, aggregates, rows_lost: table.rows_lost })
}

/// Parents that are not there, and circles of parents.
fn refuse_wrong_parents(rows: &[Row], lost: &BTreeSet<String>, table: &Table<'_>, log: &mut Log) {
    let find = |id: &str| rows.binary_search_by(|row| row.id.as_str().cmp(id)).ok().and_then(|at| rows.get(at));
    for row in rows {
        let Some(parent) = &row.parent else { continue };
        if find(parent).is_none() {
            if !lost.contains(parent) && !table.rows_lost {
                log.push_class((FILE, "a parent is unknown", 0), || {
                    Problem::error(format!("parent territory `{parent}` of `{}` is unknown", row.id))
                        .at(table.place_at(row.offset), format!("`{parent}` has no row of its own"))
                        .help(format!("add a row for `{parent}` (it is reported, never simulated), or clear parent_id"))
                });
            }
            continue;
        }
        let mut above = row.parent.as_deref();
        for _ in 0..rows.len() {
            match above {
                Some(id) if id == row.id => {
                    log.push_class((FILE, "a territory is its own parent", 0), || {
                        Problem::error(format!("territory `{}` is its own parent", row.id))
                            .at(table.place_at(row.offset), "the parents go round in a circle")
                            .help("clear parent_id in the row at the top")
                    });
                    break;
                }
                Some(id) => above = find(id).and_then(|row| row.parent.as_deref()),
                None => break,
            }
        }
    }
}
