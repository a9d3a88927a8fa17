//! Which territories touch.
//!
//! With polygons: those that share two corners or more, corners being alike to a hundred-thousandth of a degree. Without, and for what
//! touches nothing (an island): the Gabriel graph of the centroids, two being neighbours if no third lies within the circle of which they
//! are a diameter (Gabriel & Sokal 1969, "A new statistical approach to geographic variation analysis"); distances in a plane whose x axis is
//! longitude times the cosine of the mean latitude. A territory without either has no neighbours.

use std::collections::BTreeMap;

use geo::CoordsIter as _;

use crate::data::Territories;
use crate::geometry::Plane;

/// By territory: its neighbours, ascending.
pub fn neighbours(territories: &Territories) -> Vec<Vec<usize>> {
    let count = territories.ids.len();
    let mut touch = vec![Vec::new(); count];
    let mut join = |a: usize, b: usize| {
        touch[a].push(b);
        touch[b].push(a);
    };
    let shared = territories.polygons.as_deref().map(shared_corners).unwrap_or_default();
    let mut alone = vec![true; count];
    for ((a, b), corners) in shared {
        if corners >= 2 {
            join(a, b);
            (alone[a], alone[b]) = (false, false);
        }
    }
    let points = plane(territories);
    for a in (0..count).filter(|&a| alone[a]) {
        for b in gabriel(&points, a) {
            join(a, b);
        }
    }
    for list in &mut touch {
        list.sort_unstable();
        list.dedup();
    }
    touch
}

/// Number of corners that two territories have in common, by pair (lower first).
fn shared_corners(polygons: &[geo::MultiPolygon<f64>]) -> BTreeMap<(usize, usize), usize> {
    let key = |x: f64| (x * 1e5).round() as i64;
    let mut owners: BTreeMap<(i64, i64), Vec<usize>> = BTreeMap::new();
    for (j, polygon) in polygons.iter().enumerate() {
        for corner in polygon.coords_iter() {
            let of = owners.entry((key(corner.x), key(corner.y))).or_default();
            // Rings end where they begin.
            if of.last() != Some(&j) {
                of.push(j);
            }
        }
    }
    let mut out = BTreeMap::new();
    for of in owners.values() {
        for (at, &a) in of.iter().enumerate() {
            for &b in &of[at + 1..] {
                *out.entry((a.min(b), a.max(b))).or_insert(0) += 1;
            }
        }
    }
    out
}

/// Centroids in a plane; `None` where they are not known.
fn plane(territories: &Territories) -> Vec<Option<(f64, f64)>> {
    let known = || territories.lon.iter().zip(&territories.lat).map(|(lon, lat)| lon.zip(*lat));
    let plane = Plane::around(known().flatten().map(|(_, lat)| lat));
    known().map(|point| point.map(|point| plane.to_plane(point).x_y())).collect()
}

/// Neighbours of a territory in the Gabriel graph.
fn gabriel(points: &[Option<(f64, f64)>], a: usize) -> Vec<usize> {
    let Some(here) = points[a] else { return Vec::new() };
    let square = |p: (f64, f64), q: (f64, f64)| (p.0 - q.0).powi(2) + (p.1 - q.1).powi(2);
    let others: Vec<(usize, (f64, f64))> =
        points.iter().enumerate().filter(|(b, _)| *b != a).filter_map(|(b, point)| Some((b, (*point)?))).collect();
    let between =
        |b: (f64, f64)| others.iter().any(|&(_, c)| c != b && square(here, c) + square(b, c) < square(here, b));
    others.iter().filter(|(_, b)| !between(*b)).map(|(b, _)| *b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::testing::{Recipe, make};

    fn territories(points: &[(f64, f64)]) -> Territories {
        let recipe = Recipe { customers: 10, territories: points.len(), ..Recipe::default() };
        let mut out = make(&recipe).data.territories;
        out.lon = points.iter().map(|point| Some(point.0)).collect();
        out.lat = points.iter().map(|point| Some(point.1)).collect();
        out
    }

    fn square(x: f64) -> geo::MultiPolygon<f64> {
        geo::Rect::new((x, 40.0), (x + 1.0, 41.0)).to_polygon().into()
    }

    #[test]
    fn who_stands_between_parts_two() {
        let row = territories(&[(30.0, 40.0), (31.0, 40.0), (32.0, 40.0)]);
        assert_eq!(neighbours(&row), vec![vec![1], vec![0, 2], vec![1]]);
    }

    #[test]
    fn borders_touch_and_an_island_reaches_for_the_nearest() {
        // Three squares side by side, and one out at sea; the centroids alone would join the ends otherwise.
        let mut places = territories(&[(30.5, 40.5), (31.5, 40.5), (32.5, 40.5), (38.5, 40.5)]);
        places.polygons = Some([30.0, 31.0, 32.0, 38.0].map(square).to_vec());
        assert_eq!(neighbours(&places), vec![vec![1], vec![0, 2], vec![1, 3], vec![2]]);
    }

    #[test]
    fn without_a_place_there_is_no_neighbour() {
        let mut places = territories(&[(30.0, 40.0), (31.0, 40.0)]);
        places.lon[1] = None;
        assert_eq!(neighbours(&places), vec![Vec::<usize>::new(), Vec::new()]);
    }
}
