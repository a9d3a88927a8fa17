//! Cells and outlines on the map: Voronoi cells for markets that come without polygons.
//!
//! Distances are measured in a plane whose x axis is longitude times the cosine of the mean latitude; that is close
//! enough for cells a few hundred kilometres wide. Results are in degrees again.

use geo::{Area as _, BooleanOps as _, BoundingRect as _, Coord, LineString, MultiPolygon, Polygon};

/// The Voronoi cell of each centroid, cut to the outline; a centroid outside the outline gets what of its cell lies inside.
///
/// `centroids` are (longitude, latitude) in degrees, as are the outline and the cells. The cells do not overlap and
/// together cover the outline. Identical centroids share one cell in sectors of about the same angle. A centroid that is
/// not finite has an empty cell.
pub fn voronoi_cells(centroids: &[(f64, f64)], outline: &MultiPolygon<f64>) -> Vec<MultiPolygon<f64>> {
    let finite: Vec<usize> =
        (0..centroids.len()).filter(|&i| centroids[i].0.is_finite() && centroids[i].1.is_finite()).collect();
    let mut cells = vec![MultiPolygon::new(Vec::new()); centroids.len()];
    let Some(bounds) = outline.bounding_rect().filter(|_| !finite.is_empty()) else { return cells };
    let plane = Plane::around(centroids.iter().filter(|point| point.1.is_finite()).map(|point| point.1));
    let points: Vec<Coord<f64>> = finite.iter().map(|&i| plane.to_plane(centroids[i])).collect();

    // A frame wide enough that it never shapes a cell inside the outline.
    let corners = [plane.to_plane(bounds.min().into()), plane.to_plane(bounds.max().into())];
    let (mut low, mut high) = (corners[0], corners[1]);
    for point in &points {
        low = Coord { x: low.x.min(point.x), y: low.y.min(point.y) };
        high = Coord { x: high.x.max(point.x), y: high.y.max(point.y) };
    }
    let extent = (high.x - low.x).max(high.y - low.y).max(1e-6);
    let frame = |low: Coord<f64>, high: Coord<f64>| {
        vec![low, Coord { x: high.x, y: low.y }, high, Coord { x: low.x, y: high.y }]
    };
    let margin = Coord { x: extent, y: extent };
    let frame = frame(low - margin, high + margin);

    let points = separated(&points, extent * 1e-5);
    let flat_outline = plane.map(outline, Plane::to_plane);
    for (&index, &point) in finite.iter().zip(&points) {
        let mut others: Vec<(f64, Coord<f64>)> = points
            .iter()
            .map(|&other| (distance(point, other), other))
            .filter(|&(distance, _)| distance > 0.0)
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut cell = frame.clone();
        for (apart, other) in others {
            let reach = cell.iter().map(|&corner| distance(point, corner)).fold(0.0, f64::max);
            if apart > 2.0 * reach {
                break; // every further bisector misses the cell
            }
            cell = nearer_half(&cell, point, other);
        }
        if cell.len() < 3 {
            continue;
        }
        cell.push(cell[0]);
        let cell = Polygon::new(LineString::new(cell), Vec::new());
        let cut = MultiPolygon::new(vec![cell]).intersection(&flat_outline);
        cells[index] = plane.map(&cut, Plane::to_degrees);
    }
    cells
}

/// An outline for a market without polygons: the convex hull of the points, widened by a sixth of its extent.
///
/// Points are (longitude, latitude) in degrees; those that are not finite are left out. One point alone gets a small
/// polygon around it, none an empty outline.
pub fn hull_outline(points: &[(f64, f64)]) -> MultiPolygon<f64> {
    let plane = Plane::around(points.iter().filter(|point| point.1.is_finite()).map(|point| point.1));
    let flat: Vec<Coord<f64>> =
        points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()).map(|&point| plane.to_plane(point)).collect();
    let Some(&first) = flat.first() else { return MultiPolygon::new(Vec::new()) };
    let (mut low, mut high) = (first, first);
    for point in &flat {
        low = Coord { x: low.x.min(point.x), y: low.y.min(point.y) };
        high = Coord { x: high.x.max(point.x), y: high.y.max(point.y) };
    }
    let extent = (high.x - low.x).max(high.y - low.y);
    let buffer = if extent > 0.0 { extent / 6.0 } else { 0.25 };
    // The hull of circles around the points is the buffered hull of the points.
    const SIDES: usize = 32;
    let around = flat.iter().flat_map(|&point| {
        (0..SIDES).map(move |side| {
            let angle = std::f64::consts::TAU * side as f64 / SIDES as f64;
            Coord { x: point.x + buffer * libm::cos(angle), y: point.y + buffer * libm::sin(angle) }
        })
    });
    let hull = convex_hull(around.collect());
    let outline = MultiPolygon::new(vec![Polygon::new(LineString::new(hull), Vec::new())]);
    plane.map(&outline, Plane::to_degrees)
}

/// Square kilometres of a shape in degrees, on a sphere flattened around the shape's own latitude.
pub fn area_km2(shape: &MultiPolygon<f64>) -> f64 {
    /// Kilometres of one degree of latitude.
    const DEGREE: f64 = 111.195;
    let Some(bounds) = shape.bounding_rect() else { return 0.0 };
    let plane = Plane::around([bounds.min().y, bounds.max().y].into_iter());
    plane.map(shape, Plane::to_plane).unsigned_area() * DEGREE * DEGREE
}

/// A plane in which both axes have the same scale near the mean latitude.
#[derive(Clone, Copy)]
pub struct Plane {
    stretch: f64,
}

impl Plane {
    /// Around the mean of some latitudes.
    pub fn around(latitudes: impl Iterator<Item = f64>) -> Self {
        let (sum, count) = latitudes.fold((0.0, 0.0), |(sum, count), latitude| (sum + latitude, count + 1.0));
        let mean = if count > 0.0 { sum / count } else { 0.0 };
        // Near the poles the plane would collapse; a twentieth is the cosine of 87 degrees.
        Self { stretch: libm::cos(mean.to_radians()).abs().max(0.05) }
    }

    /// From degrees.
    pub fn to_plane(self, (lon, lat): (f64, f64)) -> Coord<f64> {
        Coord { x: lon * self.stretch, y: lat }
    }

    fn to_degrees(self, (x, y): (f64, f64)) -> Coord<f64> {
        Coord { x: x / self.stretch, y }
    }

    fn map(self, shape: &MultiPolygon<f64>, by: impl Fn(Self, (f64, f64)) -> Coord<f64>) -> MultiPolygon<f64> {
        let ring = |ring: &LineString<f64>| LineString::new(ring.coords().map(|at| by(self, (at.x, at.y))).collect());
        let polygon = |polygon: &Polygon<f64>| {
            Polygon::new(ring(polygon.exterior()), polygon.interiors().iter().map(ring).collect())
        };
        MultiPolygon::new(shape.0.iter().map(polygon).collect())
    }
}

fn distance(a: Coord<f64>, b: Coord<f64>) -> f64 {
    let d = b - a;
    (d.x * d.x + d.y * d.y).sqrt()
}

/// The points with identical ones moved apart on a small circle, so that bisectors between them exist.
fn separated(points: &[Coord<f64>], radius: f64) -> Vec<Coord<f64>> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| {
        points[a].x.total_cmp(&points[b].x).then(points[a].y.total_cmp(&points[b].y)).then(a.cmp(&b))
    });
    let mut out = points.to_vec();
    for same in order.chunk_by(|&a, &b| points[a] == points[b]).filter(|same| same.len() > 1) {
        for (position, &index) in same.iter().enumerate() {
            let angle = std::f64::consts::TAU * position as f64 / same.len() as f64;
            out[index] = points[index] + Coord { x: radius * libm::cos(angle), y: radius * libm::sin(angle) };
        }
    }
    out
}

/// The part of a convex ring (not closed) that is nearer to `own` than to `other`: Sutherland & Hodgman's clipping.
fn nearer_half(ring: &[Coord<f64>], own: Coord<f64>, other: Coord<f64>) -> Vec<Coord<f64>> {
    let normal = other - own;
    let middle = Coord { x: (own.x + other.x) / 2.0, y: (own.y + other.y) / 2.0 };
    let side = |at: Coord<f64>| (at.x - middle.x) * normal.x + (at.y - middle.y) * normal.y;
    let mut out = Vec::with_capacity(ring.len() + 1);
    for (position, &from) in ring.iter().enumerate() {
        let to = ring[(position + 1) % ring.len()];
        let (a, b) = (side(from), side(to));
        if a <= 0.0 {
            out.push(from);
        }
        if (a < 0.0 && b > 0.0) || (a > 0.0 && b < 0.0) {
            let share = a / (a - b);
            out.push(Coord { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) });
        }
    }
    out
}

/// Convex hull, counter-clockwise and closed, by Andrew's monotone chain (1979).
fn convex_hull(mut points: Vec<Coord<f64>>) -> Vec<Coord<f64>> {
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    points.dedup();
    let turn = |a: Coord<f64>, b: Coord<f64>, c: Coord<f64>| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    let mut hull: Vec<Coord<f64>> = Vec::new();
    let chain = |points: &mut dyn Iterator<Item = Coord<f64>>, hull: &mut Vec<Coord<f64>>| {
        let start = hull.len();
        for point in points {
            while hull.len() >= start + 2 && turn(hull[hull.len() - 2], hull[hull.len() - 1], point) <= 0.0 {
                hull.pop();
            }
            hull.push(point);
        }
        hull.pop(); // the last of one chain is the first of the next
    };
    chain(&mut points.iter().copied(), &mut hull);
    chain(&mut points.iter().rev().copied(), &mut hull);
    if let Some(&first) = hull.first() {
        hull.push(first);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Contains as _, Intersects as _, Point};

    fn square(low: f64, high: f64) -> MultiPolygon<f64> {
        let ring = LineString::from(vec![(low, low), (high, low), (high, high), (low, high), (low, low)]);
        MultiPolygon::new(vec![Polygon::new(ring, Vec::new())])
    }

    /// Points spread without a pattern (additive recurrence with the plastic number, Roberts 2018).
    fn spread(count: usize, low: f64, high: f64) -> Vec<(f64, f64)> {
        let at = |step: f64, n: usize| low + (high - low) * (0.5 + step * n as f64).fract();
        (1..=count).map(|n| (at(0.754_877_666, n), at(0.569_840_290, n))).collect()
    }

    #[test]
    fn two_centroids_split_a_square_in_the_middle() {
        // On the equator the plane is square; the bisector of (2, 5) and (6, 5) is x = 4.
        let outline = square(-10.0, 10.0);
        let cells = voronoi_cells(&[(2.0, 0.0), (6.0, 0.0)], &outline);
        assert!((cells[0].unsigned_area() - 14.0 * 20.0).abs() < 1e-4);
        assert!((cells[1].unsigned_area() - 6.0 * 20.0).abs() < 1e-4);
    }

    #[test]
    fn cells_partition_the_outline_and_hold_their_centroid() {
        // An L with an island: 100 - 25 + 4.
        let ring = LineString::from(vec![
            (30.0, 30.0),
            (40.0, 30.0),
            (40.0, 35.0),
            (35.0, 35.0),
            (35.0, 40.0),
            (30.0, 40.0),
            (30.0, 30.0),
        ]);
        let mut outline = MultiPolygon::new(vec![Polygon::new(ring, Vec::new())]);
        outline.0.extend(square(36.0, 38.0).0);
        let centroids: Vec<(f64, f64)> =
            spread(90, 30.0, 40.0).into_iter().filter(|&point| outline.contains(&Point::from(point))).collect();
        assert!(centroids.len() > 50);
        let cells = voronoi_cells(&centroids, &outline);
        let total: f64 = cells.iter().map(|cell| cell.unsigned_area()).sum();
        assert!((total - 79.0).abs() < 1e-4, "{total}");
        for (cell, &centroid) in cells.iter().zip(&centroids) {
            assert!(cell.contains(&Point::from(centroid)), "{centroid:?}");
        }
        // No overlap either: what is in one is in no other.
        for probe in spread(200, 30.0, 40.0) {
            let holders = cells.iter().filter(|cell| cell.contains(&Point::from(probe))).count();
            assert!(holders <= 1);
            assert_eq!(holders == 1, outline.contains(&Point::from(probe)), "{probe:?}");
        }
    }

    #[test]
    fn identical_centroids_share_a_cell() {
        let outline = square(0.0, 6.0);
        let cells = voronoi_cells(&[(3.0, 3.0), (3.0, 3.0), (3.0, 3.0), (f64::NAN, 1.0)], &outline);
        let total: f64 = cells.iter().map(|cell| cell.unsigned_area()).sum();
        assert!((total - 36.0).abs() < 1e-3);
        assert!(cells[..3].iter().all(|cell| cell.unsigned_area() > 6.0));
        assert!(cells[3].0.is_empty());
    }

    #[test]
    fn degenerate_input_gives_empty_or_whole_cells() {
        assert!(voronoi_cells(&[], &square(0.0, 1.0)).is_empty());
        assert!(voronoi_cells(&[(0.5, 0.5)], &MultiPolygon::new(Vec::new()))[0].0.is_empty());
        let alone = voronoi_cells(&[(0.5, 0.5)], &square(0.0, 1.0));
        assert!((alone[0].unsigned_area() - 1.0).abs() < 1e-6);
        let outside = voronoi_cells(&[(0.5, 0.5), (90.0, 0.5)], &square(0.0, 1.0));
        assert!(outside[1].0.is_empty());
    }

    #[test]
    fn hulls_hold_every_point() {
        let points = spread(40, 36.0, 42.0);
        let outline = hull_outline(&points);
        assert!(points.iter().all(|&point| outline.contains(&Point::from(point))));
        assert!(hull_outline(&[]).0.is_empty());
        assert!(hull_outline(&[(29.0, 41.0)]).intersects(&Point::new(29.0, 41.0)));
        assert!(hull_outline(&[(29.0, 41.0), (33.0, 41.0)]).unsigned_area() > 1.0);
    }

    #[test]
    fn areas_are_those_of_the_earth() {
        // One degree square at the equator: 111.195^2.
        assert!((area_km2(&square(-0.5, 0.5)) - 12_364.0).abs() < 10.0);
    }
}
