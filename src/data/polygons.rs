//! `territories.geojson`: the outlines of the territories.

use std::collections::BTreeMap;

use geo::{Coord, LineString, MultiPolygon, Polygon};
use geojson::{Feature, FeatureCollection, GeoJson, GeometryValue, JsonValue, PolygonType};

use super::log::{Log, counted};
use super::register::help_for;
use super::source::Source;
use super::table::{canonical, nearest};
use super::territories::TerritoryFile;
use crate::ids::Index as _;
use crate::problem::{Place, Problem};

pub(super) const FILE: &str = "territories.geojson";

const PROPERTY: &str = "territory_id";

/// Reads the outlines of all territories; `None` (and problems in the log) when one has none.
pub(super) fn read(source: &Source, known: &TerritoryFile, log: &mut Log) -> Option<Vec<MultiPolygon<f64>>> {
    let collection = parse(source, log)?;
    let mut outlines: Vec<Option<MultiPolygon<f64>>> = vec![None; known.territories.ids.len()];
    let mut clean = true;
    let mut parts: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, feature) in collection.features.iter().enumerate() {
        let Some(id) = territory_id(source, number, feature, log) else {
            clean = false;
            continue;
        };
        if known.aggregates.contains(&id) {
            continue; // parents are the sum of their territories, drawn without an outline of their own
        }
        let place = || place_of_id(source, &id);
        let outline = outline(feature).map_err(|fault| {
            let problem = Problem::error(format!("the polygon of territory `{id}` cannot be used: {}", fault.what));
            log.push_class((FILE, "a polygon cannot be used", 0), || at(problem, place(), "this one").help(fault.help));
        });
        let Ok(outline) = outline else {
            clean = false;
            continue;
        };
        match known.territories.ids.get(&id) {
            Some(territory) => {
                let slot = territory.usize();
                *parts.entry(slot).or_default() += 1;
                if let Some(slot) = outlines.get_mut(slot) {
                    slot.get_or_insert_with(|| MultiPolygon::new(Vec::new())).0.extend(outline.0);
                }
            }
            None if known.lost.contains(&id) || known.rows_lost => {}
            None => {
                clean = false;
                log.push_class((FILE, "a polygon has no territory", 0), || {
                    at(Problem::error(format!("polygon `{id}` has no territory")), place(), "not in territories.csv")
                        .help(help_for(&known.territories.ids, super::territories::FILE, &id))
                });
            }
        }
    }
    for (slot, count) in parts.into_iter().filter(|(_, count)| *count > 1) {
        let id = known.territories.ids.name(crate::ids::TerritoryIx::from_usize(slot));
        log.push(
            Problem::warning(format!("territory `{id}` has {} in `{FILE}`", counted(count, "polygon")))
                .help("they are drawn together; give the territory one MultiPolygon if that is not meant"),
        );
    }
    let without: Vec<&str> = known
        .territories
        .ids
        .names()
        .zip(&outlines)
        .filter(|(_, outline)| outline.is_none())
        .map(|(id, _)| id)
        .collect();
    if !without.is_empty() && clean {
        let shown = without.iter().take(5).map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        let more = if without.len() > 5 { format!(" and {} more", without.len() - 5) } else { String::new() };
        let have = if without.len() == 1 { "territory has" } else { "territories have" };
        log.push(
            Problem::error(format!("{} {have} no polygon in `{FILE}`: {shown}{more}", without.len()))
                .help("add their polygons, or delete the file: cells are then drawn around the centroids"),
        );
    }
    outlines.into_iter().collect()
}

fn parse(source: &Source, log: &mut Log) -> Option<FeatureCollection> {
    let help = "save it as GeoJSON, a FeatureCollection in longitude and latitude (EPSG:4326)";
    if source.is_blank() {
        log.push(Problem::error(format!("`{FILE}` is empty")).help(help));
        return None;
    }
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(source.text()) {
        let start = byte_of(source.text(), error.line(), error.column());
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default().to_owned();
        log.push(Problem::error(format!("`{FILE}` is not JSON")).at(source.place(start..start + 1), words).help(help));
        return None;
    }
    match source.text().parse::<GeoJson>().and_then(FeatureCollection::try_from) {
        Ok(collection) => Some(collection),
        Err(error) => {
            let words = error.to_string();
            let words = words.strip_prefix("Error while deserializing GeoJSON: ").unwrap_or(&words);
            log.push(Problem::error(format!("`{FILE}` is not a GeoJSON FeatureCollection: {words}")).help(help));
            None
        }
    }
}

fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// The id of a feature: text, or a whole number as some tools write it.
fn territory_id(source: &Source, number: usize, feature: &Feature, log: &mut Log) -> Option<String> {
    match feature.property(PROPERTY) {
        Some(JsonValue::String(text)) if !text.trim().is_empty() => Some(canonical(text).into_owned()),
        Some(JsonValue::Number(number)) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Some(other) => {
            let other = other.to_string();
            log.push_class((FILE, "a territory_id is not text", 0), || {
                let problem = Problem::error(format!("`{PROPERTY}` of feature {} in `{FILE}` is {other}", number + 1));
                at(problem, find(source, &other), "not text")
                    .help("write the id in quotation marks, as in territories.csv")
            });
            None
        }
        None => {
            log.push_class((FILE, "a feature has no territory_id", 0), || {
                let names: Vec<&str> = feature.properties_iter().map(|(name, _)| name.as_str()).collect();
                let help = match nearest(PROPERTY, names.iter().copied()) {
                    Some(near) => format!("rename its property `{near}` to `{PROPERTY}`"),
                    None if names.is_empty() => format!("give it a property `{PROPERTY}`, as in territories.csv"),
                    None => format!("add `{PROPERTY}`, as in territories.csv; it has {}", names.join(", ")),
                };
                Problem::error(format!("feature {} of `{FILE}` has no property `{PROPERTY}`", number + 1)).help(help)
            });
            None
        }
    }
}

/// Where an id is written in the file, if that is in one place only.
fn place_of_id(source: &Source, id: &str) -> Option<Place> {
    find(source, &JsonValue::String(id.to_owned()).to_string())
}

fn find(source: &Source, written: &str) -> Option<Place> {
    source.text().find(written).map(|start| source.place(start..start + written.len()))
}

fn at(problem: Problem, place: Option<Place>, label: &str) -> Problem {
    match place {
        Some(place) => problem.at(place, label),
        None => problem,
    }
}

/// Why a geometry cannot be used.
struct Fault {
    what: String,
    help: String,
}

fn outline(feature: &Feature) -> Result<MultiPolygon<f64>, Fault> {
    let polygons: Vec<&PolygonType> = match feature.geometry.as_ref().map(|geometry| &geometry.value) {
        Some(GeometryValue::Polygon { coordinates }) => vec![coordinates],
        Some(GeometryValue::MultiPolygon { coordinates }) => coordinates.iter().collect(),
        Some(other) => {
            return Err(Fault {
                what: format!("it is a {}", other.type_name()),
                help: "only Polygon and MultiPolygon have an inside".to_owned(),
            });
        }
        None => {
            return Err(Fault {
                what: "it has no geometry".to_owned(),
                help: "give it a Polygon or MultiPolygon, or delete the feature".to_owned(),
            });
        }
    };
    if polygons.is_empty() {
        return Err(Fault { what: "it is empty".to_owned(), help: "give it at least one ring".to_owned() });
    }
    polygons.into_iter().map(polygon).collect::<Result<Vec<_>, _>>().map(MultiPolygon::new)
}

fn polygon(rings: &PolygonType) -> Result<Polygon<f64>, Fault> {
    let mut rings = rings.iter().map(|ring| {
        let points = ring
            .iter()
            .map(|position| match *position.as_slice() {
                [x, y, ..] if x.abs() <= 180.0 && y.abs() <= 90.0 => Ok(Coord { x, y }),
                [x, y, ..] => Err(Fault {
                    what: format!("[{x}, {y}] is no longitude and latitude"),
                    help: "save it in WGS84 degrees (EPSG:4326), longitude first".to_owned(),
                }),
                _ => Err(Fault {
                    what: "a point has fewer than two numbers".to_owned(),
                    help: "write [lon, lat]".to_owned(),
                }),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if points.len() < 4 {
            return Err(Fault {
                what: format!("a ring has {}", counted(points.len(), "point")),
                help: "a ring needs at least four points, the last one equal to the first".to_owned(),
            });
        }
        Ok(LineString::new(points))
    });
    let exterior = rings.next().unwrap_or_else(|| {
        Err(Fault { what: "it has no ring".to_owned(), help: "give it a ring of points".to_owned() })
    })?;
    Ok(Polygon::new(exterior, rings.collect::<Result<Vec<_>, _>>()?))
}
