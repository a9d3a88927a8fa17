//! Spreading a budget over territories along their response curves.
//!
//! Each territory j has options k of value `v_jk` and cost `c_jk`, the first of which (today) is 0 and 0; one is to be chosen in each, at
//! most `B` to be spent: a multiple-choice knapsack. Its relaxation lets a territory stand between two options, so that only the upper
//! concave hull of a territory's (cost, value) points counts, and is solved by taking hull steps in the order of value per money until the
//! budget ends within one of them (Sinha & Zoltners 1979, Operations Research 27, 503-515; as a sales-resource model Lodish 1971): its value is
//! an upper bound of every plan. The plan takes every step that still fits, then trades: as long as changing one territory, or two
//! together, gains and stays within the budget. What could still be better is enumerated as far as the relaxation does not rule it out.

/// One option of one territory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub cost: f64,
    pub value: f64,
}

/// A plan and how good any plan could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// By territory: the option.
    pub plan: Vec<usize>,
    pub value: f64,
    pub cost: f64,
    /// No plan within the budget is worth more.
    pub bound: f64,
}

/// Sweeps of trading.
const SWEEPS: usize = 20;

/// Options of a territory of which none costs as much as another and brings less, cheapest first.
fn frontier(points: &[Point]) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..points.len()).filter(|&k| points[k].cost.is_finite() && points[k].value.is_finite()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = ((points[a], a), (points[b], b));
        a.0.cost.total_cmp(&b.0.cost).then(b.0.value.total_cmp(&a.0.value)).then(a.1.cmp(&b.1))
    });
    let mut kept: Vec<usize> = Vec::new();
    for k in order {
        if kept.last().is_none_or(|&last| points[k].value > points[last].value) {
            kept.push(k);
        }
    }
    kept
}

/// The upper concave hull of a frontier.
fn hull(points: &[Point], frontier: &[usize]) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::new();
    for &k in frontier {
        while let [.., a, b] = out[..] {
            let (a, b, c) = (points[a], points[b], points[k]);
            let below = (b.value - a.value) * (c.cost - a.cost) <= (c.value - a.value) * (b.cost - a.cost);
            if !below {
                break;
            }
            out.pop();
        }
        out.push(k);
    }
    out
}

/// Chooses an option in each territory (`points[territory][option]`, not empty) within a budget.
pub fn allocate(points: &[Vec<Point>], budget: f64) -> Allocation {
    let frontiers: Vec<Vec<usize>> = points.iter().map(|points| frontier(points)).collect();
    let mut plan: Vec<usize> = frontiers.iter().map(|frontier| frontier.first().copied().unwrap_or(0)).collect();
    let total = |plan: &[usize], of: fn(&Point) -> f64| -> f64 {
        points.iter().zip(plan).map(|(points, &k)| of(&points[k])).sum()
    };
    // Hull steps by value per money; a territory's own come in order since its hull is concave.
    let mut steps: Vec<(f64, usize, usize, usize)> = Vec::new();
    for (j, frontier) in frontiers.iter().enumerate() {
        for pair in hull(&points[j], frontier).windows(2) {
            let (from, to) = (points[j][pair[0]], points[j][pair[1]]);
            let rate = (to.value - from.value) / (to.cost - from.cost).max(1e-300);
            steps.push((rate, j, pair[0], pair[1]));
        }
    }
    steps.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let (mut left, mut bound) = (budget - total(&plan, |point| point.cost), total(&plan, |point| point.value));
    let mut relaxed = left;
    for (_, j, from, to) in steps {
        let (cost, value) = (points[j][to].cost - points[j][from].cost, points[j][to].value - points[j][from].value);
        if relaxed > 0.0 {
            let part = if cost > relaxed { relaxed / cost } else { 1.0 };
            bound += part * value;
            relaxed -= part * cost;
        }
        if plan[j] == from && cost <= left {
            plan[j] = to;
            left -= cost;
        }
    }
    trade(points, &frontiers, &mut plan, &mut left);
    if let Some(better) = enumerate(points, &frontiers, budget, total(&plan, |point| point.value)) {
        plan = better;
    }
    let (value, cost) = (total(&plan, |point| point.value), total(&plan, |point| point.cost));
    Allocation { plan, value, cost, bound: bound.max(value) }
}

/// Changes one territory, or two together, as long as that gains.
fn trade(points: &[Vec<Point>], frontiers: &[Vec<usize>], plan: &mut [usize], left: &mut f64) {
    let change = |j: usize, from: usize, to: usize| {
        (points[j][to].cost - points[j][from].cost, points[j][to].value - points[j][from].value)
    };
    for _ in 0..SWEEPS {
        let mut gained = false;
        for j in 0..plan.len() {
            for &mine in &frontiers[j] {
                let (cost, value) = change(j, plan[j], mine);
                if value > 1e-12 && cost <= *left {
                    plan[j] = mine;
                    *left -= cost;
                    gained = true;
                }
            }
            for l in 0..j {
                let mut best = (1e-9, None);
                for &mine in &frontiers[j] {
                    let (cost, value) = change(j, plan[j], mine);
                    // The frontier rises: the dearest that fits is the best.
                    let fits = |theirs: &&usize| cost + change(l, plan[l], **theirs).0 <= *left;
                    if let Some(&theirs) = frontiers[l].iter().rev().find(fits) {
                        let gain = value + change(l, plan[l], theirs).1;
                        if gain > best.0 {
                            best = (gain, Some((mine, theirs)));
                        }
                    }
                }
                if let (_, Some((mine, theirs))) = best {
                    *left -= change(j, plan[j], mine).0 + change(l, plan[l], theirs).0;
                    (plan[j], plan[l]) = (mine, theirs);
                    gained = true;
                }
            }
        }
        if !gained {
            return;
        }
    }
}

/// States kept at a time by [`enumerate`].
const STATES: usize = 20_000;

/// Territory by territory all sums of cost and value that may still lead to more than `known`: a sum is dropped when another is cheaper and
/// worth more, or when the relaxation of the territories to come leaves it behind. Exact unless more than [`STATES`] sums remain, of which the
/// most promising are kept then. `None` when nothing better is found.
fn enumerate(points: &[Vec<Point>], frontiers: &[Vec<usize>], budget: f64, known: f64) -> Option<Vec<usize>> {
    let relaxed: Vec<Relaxed> = (0..=points.len()).map(|from| Relaxed::of(points, frontiers, from)).collect();
    let scale = 1e-9 * known.abs().max(1.0);
    // (cost, value); of each stage: (state before, option).
    let mut states = vec![(0.0, 0.0)];
    let mut history: Vec<Vec<(u32, u32)>> = Vec::with_capacity(points.len());
    for j in 0..points.len() {
        let rest = &relaxed[j + 1];
        let mut next: Vec<(f64, f64, f64, u32, u32)> = Vec::new();
        for (before, &(cost, value)) in states.iter().enumerate() {
            for &k in &frontiers[j] {
                let (cost, value) = (cost + points[j][k].cost, value + points[j][k].value);
                if let Some(more) = rest.value(budget - cost)
                    && value + more > known + scale
                {
                    next.push((cost, value, value + more, before as u32, k as u32));
                }
            }
        }
        if next.len() > STATES {
            next.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.3.cmp(&b.3)).then(a.4.cmp(&b.4)));
            next.truncate(STATES);
        }
        next.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.3.cmp(&b.3)).then(a.4.cmp(&b.4)));
        let mut highest = f64::NEG_INFINITY;
        next.retain(|state| {
            let keeps = state.1 > highest;
            highest = highest.max(state.1);
            keeps
        });
        history.push(next.iter().map(|state| (state.3, state.4)).collect());
        states = next.into_iter().map(|state| (state.0, state.1)).collect();
    }
    // Values rise with cost: the last one is the best.
    let mut at = states.len().checked_sub(1)?;
    let mut plan = vec![0; points.len()];
    for j in (0..points.len()).rev() {
        let (before, option) = history[j][at];
        (plan[j], at) = (option as usize, before as usize);
    }
    Some(plan)
}

/// The relaxation of the territories from one on, for any budget.
struct Relaxed {
    /// Cost and value of the cheapest options, then after each hull step in the order of value per money.
    knots: Vec<(f64, f64)>,
}

impl Relaxed {
    fn of(points: &[Vec<Point>], frontiers: &[Vec<usize>], from: usize) -> Self {
        let mut start = (0.0, 0.0);
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for (points, frontier) in points[from..].iter().zip(&frontiers[from..]) {
            let Some(&first) = frontier.first() else { continue };
            start = (start.0 + points[first].cost, start.1 + points[first].value);
            for pair in hull(points, frontier).windows(2) {
                let (a, b) = (points[pair[0]], points[pair[1]]);
                steps.push((b.cost - a.cost, b.value - a.value));
            }
        }
        steps.sort_by(|a, b| (b.1 * a.0).total_cmp(&(a.1 * b.0)));
        let mut knots = vec![start];
        for (cost, value) in steps {
            let last = knots[knots.len() - 1];
            knots.push((last.0 + cost, last.1 + value));
        }
        Self { knots }
    }

    /// What no choice within the budget exceeds; `None` when not even the cheapest fits.
    fn value(&self, budget: f64) -> Option<f64> {
        let next = self.knots.partition_point(|knot| knot.0 <= budget);
        let at = next.checked_sub(1)?;
        let (cost, value) = self.knots[at];
        Some(match self.knots.get(next) {
            Some(&(further, more)) => value + (more - value) * (budget - cost) / (further - cost),
            None => value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use rand::RngExt as _;

    /// The best of all plans, one by one.
    fn brute_force(points: &[Vec<Point>], budget: f64) -> f64 {
        let size: usize = points.iter().map(Vec::len).product();
        (0..size)
            .filter_map(|mut rest| {
                let (mut cost, mut value) = (0.0, 0.0);
                for points in points {
                    let point = points[rest % points.len()];
                    rest /= points.len();
                    (cost, value) = (cost + point.cost, value + point.value);
                }
                (cost <= budget).then_some(value)
            })
            .fold(f64::NEG_INFINITY, f64::max)
    }

    fn curves(stream: &mut Stream, territories: usize, options: usize) -> Vec<Vec<Point>> {
        (0..territories)
            .map(|_| {
                let (height, half) = (1.0 + 9.0 * stream.random::<f64>(), 0.5 + 4.0 * stream.random::<f64>());
                let price = 0.5 + stream.random::<f64>();
                let point = |k: usize| {
                    let x = k as f64;
                    Point { cost: price * x, value: height * x / (half + x) - 0.3 * x }
                };
                (0..options).map(point).collect()
            })
            .collect()
    }

    #[test]
    fn three_territories_match_brute_force() {
        let mut stream = Stream::new(1, "test/allocate", 0);
        for case in 0..200 {
            let points = curves(&mut stream, 3, 7);
            let budget = 1.0 + 14.0 * stream.random::<f64>();
            let found = allocate(&points, budget);
            let best = brute_force(&points, budget);
            assert!(found.cost <= budget + 1e-9);
            assert!(found.value >= best - 1e-9, "case {case}: {} of {best}", found.value);
            assert!(found.bound >= best - 1e-9, "case {case}");
        }
    }

    #[test]
    fn many_territories_come_close_to_the_bound() {
        let mut stream = Stream::new(2, "test/allocate", 0);
        let points = curves(&mut stream, 81, 12);
        let found = allocate(&points, 60.0);
        assert!(found.value > 0.998 * found.bound, "{} of {}", found.value, found.bound);
    }

    #[test]
    fn nothing_is_bought_that_only_costs() {
        let today = Point { cost: 0.0, value: 0.0 };
        let points = vec![vec![today, Point { cost: 1.0, value: -1.0 }], vec![today, Point { cost: 5.0, value: 9.0 }]];
        assert_eq!(allocate(&points, 3.0).plan, vec![0, 0]);
        assert_eq!(allocate(&points, 6.0), Allocation { plan: vec![0, 1], value: 9.0, cost: 5.0, bound: 9.0 });
        // Cheaper and better than today.
        let saves = vec![vec![today, Point { cost: -2.0, value: 1.0 }]];
        assert_eq!(allocate(&saves, 0.0).plan, vec![1]);
    }
}
