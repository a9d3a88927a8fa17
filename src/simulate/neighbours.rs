//! Who lives near whom: each agent's nearest neighbours in its territory.
//!
//! Found with an R-tree (Guttman 1984, "R-trees: a dynamic index structure for spatial searching", bulk-loaded) over
//! the distinct places. Many agents may share a place, where only a district is known of them. Among equally distant
//! agents those come first that follow in the columns, the first after the last: the same whatever the tree looks like,
//! and no agent is the neighbour of a whole district.

use std::ops::Range;

use rstar::RTree;
use rstar::primitives::GeomWithData;

/// Neighbours of an agent.
pub const NEAREST: usize = 4;

/// Stands for a neighbour that is missing.
pub const NOBODY: u32 = u32::MAX;

/// The nearest neighbours of each agent, nearest first, as positions in these columns (kilometres east and north).
/// Agents whose place is no number have none and are nobody's.
pub fn nearest(x: &[f32], y: &[f32]) -> Vec<[u32; NEAREST]> {
    let n = x.len().min(y.len());
    // By place, and in the order of the columns at each.
    let mut placed: Vec<u32> =
        (0..n as u32).filter(|&i| x[i as usize].is_finite() && y[i as usize].is_finite()).collect();
    // Adding 0 makes one of the two zeros.
    let place = |i: u32| [x[i as usize] + 0.0, y[i as usize] + 0.0];
    let order = |i: u32, other: u32| {
        let ([x, y], [other_x, other_y]) = (place(i), place(other));
        x.total_cmp(&other_x).then(y.total_cmp(&other_y))
    };
    placed.sort_by(|&i, &other| order(i, other).then(i.cmp(&other)));
    let mut places = Vec::new();
    let mut first = 0;
    for group in placed.chunk_by(|&i, &other| place(i) == place(other)) {
        places.push(GeomWithData::new(place(group[0]).map(f64::from), first..first + group.len()));
        first += group.len();
    }
    let tree = RTree::bulk_load(places);
    let mut out = vec![[NOBODY; NEAREST]; n];
    let mut found = Vec::new();
    for &agent in &placed {
        found.clear();
        for (there, distance) in tree.nearest_neighbor_iter_with_distance_2(&place(agent).map(f64::from)) {
            // Distances only grow, so that nobody of this one would be among the nearest.
            if found.len() >= NEAREST && found.iter().filter(|&&(near, _, _)| near < distance).count() >= NEAREST {
                break;
            }
            add(agent, distance, &placed[Range::clone(&there.data)], n as u32, &mut found);
        }
        found.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        for (neighbour, &(_, _, i)) in out[agent as usize].iter_mut().zip(&found) {
            *neighbour = i;
        }
    }
    out
}

/// Adds those at a place that could be among an agent's nearest: their distance, how far they follow it in `n` agents,
/// and their position.
fn add(agent: u32, distance: f64, there: &[u32], n: u32, found: &mut Vec<(f64, u32, u32)>) {
    let after = there.partition_point(|&i| i <= agent);
    let following = there[after..].iter().chain(&there[..after]).filter(|&&i| i != agent);
    found.extend(following.take(NEAREST).map(|&i| (distance, if i > agent { i - agent } else { i + n - agent }, i)));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by looking at all pairs.
    fn all_pairs(x: &[f32], y: &[f32]) -> Vec<[u32; NEAREST]> {
        let n = x.len();
        (0..n)
            .map(|i| {
                let square = |j: usize| {
                    let (east, north) = (f64::from(x[j]) - f64::from(x[i]), f64::from(y[j]) - f64::from(y[i]));
                    east * east + north * north
                };
                let mut others: Vec<usize> = (0..n).filter(|&j| j != i).collect();
                others
                    .sort_by(|&j, &k| square(j).total_cmp(&square(k)).then(((j + n - i) % n).cmp(&((k + n - i) % n))));
                std::array::from_fn(|k| others.get(k).map_or(NOBODY, |&j| j as u32))
            })
            .collect()
    }

    #[test]
    fn a_street() {
        // Houses at 0, 1, 3, 7, 15 and 31 km.
        let x = [0.0, 1.0, 3.0, 7.0, 15.0, 31.0];
        let neighbours = nearest(&x, &[0.0; 6]);
        assert_eq!(neighbours[0], [1, 2, 3, 4]);
        assert_eq!(neighbours[2], [1, 0, 3, 4]);
        assert_eq!(neighbours[5], [4, 3, 2, 1]);
    }

    #[test]
    fn a_village_and_a_hermit() {
        let neighbours = nearest(&[0.0, 0.0, f32::NAN, 3.0], &[0.0, 1.0, 0.0, 0.0]);
        assert_eq!(neighbours[0], [1, 3, NOBODY, NOBODY]);
        assert_eq!(neighbours[2], [NOBODY; 4]);
        assert_eq!(nearest(&[1.0], &[1.0]), [[NOBODY; 4]]);
        assert!(nearest(&[], &[]).is_empty());
    }

    #[test]
    fn at_one_place_those_that_follow_are_near() {
        let n = 20_000;
        let neighbours = nearest(&vec![5.0; n], &vec![-0.0; n]);
        for (i, four) in neighbours.iter().enumerate() {
            assert_eq!(*four, std::array::from_fn(|k| ((i + 1 + k) % n) as u32));
        }
    }

    #[test]
    fn ties_go_by_position() {
        // A lattice with many equal distances, some places twice or five times, some zeros negative.
        let x: Vec<f32> = (0..300).map(|i| -((i * 7 % 11) as f32 - 5.0)).collect();
        let y: Vec<f32> = (0..300).map(|i| (i * i % 13) as f32 - 6.0).collect();
        assert_eq!(nearest(&x, &y), all_pairs(&x, &y));
        let x: Vec<f32> = (0..300).map(|i| (i * 7919 % 1000) as f32 * 0.013).collect();
        let y: Vec<f32> = (0..300).map(|i| (i * 104_729 % 997) as f32 * 0.017).collect();
        assert_eq!(nearest(&x, &y), all_pairs(&x, &y));
    }
}
