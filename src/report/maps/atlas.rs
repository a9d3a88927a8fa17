//! Shapes of the territories in pixels.
//!
//! The projection is equirectangular with longitudes shrunk by the cosine of the mean latitude: shapes of a country look
//! right, and no library of projections is needed.

use std::fmt::Write as _;

use geo::{Area as _, Centroid as _, Coord, LineString, MapCoords as _, MultiPolygon};

use super::super::findings::TerritoryOutline;
use crate::geometry::{hull_outline, voronoi_cells};

/// Width of the drawing, in pixels.
pub const WIDTH: f64 = 760.0;
/// A drawing is never higher than this.
const HEIGHT_LIMIT: f64 = 560.0;
const MARGIN: f64 = 14.0;
/// Points of an outline that are nearer to each other are left out.
const DETAIL: f64 = 0.45;

/// Where a territory is on the map.
pub struct Place {
    /// Path data; empty for a territory that is drawn as a dot.
    pub path: String,
    /// Where its name goes, and the dot.
    pub middle: (f64, f64),
}

/// All territories of a market, projected.
pub struct Atlas {
    places: Vec<Option<Place>>,
    pub height: f64,
}

impl Atlas {
    /// `None` when no territory has a polygon or a centroid.
    pub fn of(territories: &[TerritoryOutline]) -> Option<Self> {
        let centroids: Vec<Option<(f64, f64)>> = territories.iter().map(usable_centroid).collect();
        let polygons = shapes(territories, &centroids);
        let corners = || {
            let drawn = polygons.iter().flatten().flat_map(|polygon| {
                polygon.iter().flat_map(|part| part.exterior().coords().map(|point| (point.x, point.y)))
            });
            drawn.chain(centroids.iter().flatten().copied())
        };
        let projection = Projection::around(corners)?;
        let places = polygons
            .iter()
            .zip(&centroids)
            .map(|(polygon, centroid)| match polygon {
                Some(polygon) => Some(projection.shape(polygon)),
                None => centroid.map(|point| Place { path: String::new(), middle: projection.point(point) }),
            })
            .collect();
        Some(Self { places, height: projection.height })
    }

    /// Where each territory is, in their order; `None` for one that nothing is known of.
    pub fn places(&self) -> &[Option<Place>] {
        &self.places
    }

    /// Positions of the territories that cannot be drawn.
    pub fn without_place(&self) -> impl Iterator<Item = usize> {
        self.places.iter().enumerate().filter(|(_, place)| place.is_none()).map(|(position, _)| position)
    }
}

fn usable_centroid(territory: &TerritoryOutline) -> Option<(f64, f64)> {
    territory.centroid.filter(|(longitude, latitude)| longitude.abs() <= 360.0 && latitude.abs() <= 90.0)
}

fn usable_polygon(territory: &TerritoryOutline) -> Option<MultiPolygon<f64>> {
    territory.polygon.clone().filter(|polygon| {
        polygon.iter().flat_map(|part| part.exterior().coords()).all(|p| p.x.abs() <= 360.0 && p.y.abs() <= 90.0)
            && polygon.unsigned_area() > 0.0
    })
}

/// The market's own polygons, or cells around the centroids when it has none at all.
fn shapes(territories: &[TerritoryOutline], centroids: &[Option<(f64, f64)>]) -> Vec<Option<MultiPolygon<f64>>> {
    let own: Vec<Option<MultiPolygon<f64>>> = territories.iter().map(usable_polygon).collect();
    if own.iter().any(Option::is_some) {
        return own;
    }
    let points: Vec<(f64, f64)> = centroids.iter().flatten().copied().collect();
    let mut cells = voronoi_cells(&points, &hull_outline(&points)).into_iter();
    centroids
        .iter()
        .map(|centroid| centroid.and_then(|_| cells.next()).filter(|cell| cell.unsigned_area() > 0.0))
        .collect()
}

/// Degrees to pixels.
struct Projection {
    west: f64,
    north: f64,
    shrink: f64,
    scale: f64,
    left: f64,
    height: f64,
}

impl Projection {
    /// Fits all points into the drawing; `None` when there are none.
    fn around<I: Iterator<Item = (f64, f64)>>(points: impl Fn() -> I) -> Option<Self> {
        let mut bounds: Option<(f64, f64, f64, f64)> = None;
        for (x, y) in points() {
            let (west, east, south, north) = bounds.unwrap_or((x, x, y, y));
            bounds = Some((west.min(x), east.max(x), south.min(y), north.max(y)));
        }
        let (west, east, south, north) = bounds?;
        let shrink = libm::cos(((south + north) / 2.0).to_radians()).max(0.05);
        let (wide, high) = (((east - west) * shrink).max(1e-6), (north - south).max(1e-6));
        let scale = ((WIDTH - 2.0 * MARGIN) / wide).min((HEIGHT_LIMIT - 2.0 * MARGIN) / high);
        let left = (WIDTH - wide * scale) / 2.0;
        Some(Self { west, north, shrink, scale, left, height: high * scale + 2.0 * MARGIN })
    }

    fn point(&self, (longitude, latitude): (f64, f64)) -> (f64, f64) {
        (self.left + (longitude - self.west) * self.shrink * self.scale, MARGIN + (self.north - latitude) * self.scale)
    }

    fn shape(&self, polygon: &MultiPolygon<f64>) -> Place {
        let flat = polygon.map_coords(|point| {
            let (x, y) = self.point((point.x, point.y));
            Coord { x, y }
        });
        let mut path = String::new();
        for part in &flat {
            ring(part.exterior(), &mut path);
            part.interiors().iter().for_each(|hole| ring(hole, &mut path));
        }
        let largest = flat.iter().max_by(|left, right| left.unsigned_area().total_cmp(&right.unsigned_area()));
        let middle = largest.and_then(|part| part.centroid()).map_or((0.0, 0.0), |point| (point.x(), point.y()));
        Place { path, middle }
    }
}

/// Adds a closed ring to path data, without points that nobody could tell apart. Rings smaller than that vanish.
fn ring(line: &LineString<f64>, path: &mut String) {
    let mut kept: Vec<Coord<f64>> = Vec::new();
    for &point in line.coords() {
        let near = |last: &Coord<f64>| {
            let (x, y) = (point.x - last.x, point.y - last.y);
            (x * x + y * y).sqrt() < DETAIL
        };
        if !kept.last().is_some_and(near) {
            kept.push(point);
        }
    }
    if kept.len() < 3 {
        return;
    }
    for (position, point) in kept.iter().enumerate() {
        let _ = write!(path, "{}{:.1},{:.1}", if position == 0 { 'M' } else { 'L' }, point.x, point.y);
    }
    path.push('Z');
}
