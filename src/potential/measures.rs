//! The measures of `potential.csv`, by territory, by parent and for the whole market.
//!
//! Every measure is worked out on sums over territories *within* a draw and only then summarised: the total's quantiles are
//! those of the sum, not sums of quantiles. What nothing in the files speaks to has no row
//! (`docs/decisions/0003-what-is-left-out.md`). Segments (`segments.rs`) have rows where `customers.csv` names them.

use rayon::prelude::*;

use super::attainable::{self, AttainableDraw, AttainableInputs};
use super::dark_half::{DarkHalf, PotentialRow};
use super::evolution;
use super::segments::{Part, Segmented};
use crate::market::Market;
use crate::rng::Stream;
use crate::stats::Summary;

/// Sums over a group of territories in one draw; amounts a year.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    dark_customers: f64,
    identified_customers: f64,
    served_customers: f64,
    dark_demand: f64,
    identified_demand: f64,
    served_demand: f64,
    own: f64,
    own_served: f64,
    headroom: f64,
    attainable: f64,
    winnable: f64,
    shared: f64,
    won: f64,
    /// Of territories with a known population.
    population: f64,
    populated_own: f64,
    populated_total: f64,
}

impl Sums {
    fn total(&self) -> f64 {
        self.served_demand + self.identified_demand + self.dark_demand
    }

    fn of_segment(part: &Part) -> Self {
        Self {
            dark_customers: part.dark_customers,
            identified_customers: part.identified_customers,
            served_customers: part.served_customers,
            dark_demand: part.dark_demand,
            identified_demand: part.identified_demand,
            served_demand: part.served_demand,
            own: part.own,
            own_served: part.own_served,
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Self) {
        self.dark_customers += other.dark_customers;
        self.identified_customers += other.identified_customers;
        self.served_customers += other.served_customers;
        self.dark_demand += other.dark_demand;
        self.identified_demand += other.identified_demand;
        self.served_demand += other.served_demand;
        self.own += other.own;
        self.own_served += other.own_served;
        self.headroom += other.headroom;
        self.attainable += other.attainable;
        self.winnable += other.winnable;
        self.shared += other.shared;
        self.won += other.won;
        self.population += other.population;
        self.populated_own += other.populated_own;
        self.populated_total += other.populated_total;
    }
}

/// What a measure needs before it may be printed.
#[derive(Clone, Copy)]
struct Allowed {
    customers: bool,
    demand: bool,
    dark_demand: bool,
    attainable: bool,
    population: bool,
}

/// A measure: name, unit, whether it may be printed, and its value given the group's and the market's sums.
struct Measure {
    name: &'static str,
    unit: Unit,
    allowed: fn(Allowed) -> bool,
    value: fn(&Sums, &Sums) -> Option<f64>,
}

#[derive(Clone, Copy)]
enum Unit {
    Customers,
    /// The demand unit, over 12 months.
    Demand,
    Share,
    Index,
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// 100 x per head here / per head in the market.
fn index(part: f64, heads: f64, all_part: f64, all_heads: f64) -> Option<f64> {
    Some(100.0 * ratio(part, heads)? / ratio(all_part, all_heads).filter(|&x| x > 0.0)?)
}

/// Measures that segments have: the first of [`MEASURES`].
const OF_SEGMENTS: usize = 8;

const MEASURES: [Measure; 15] = [
    Measure {
        name: "dark_customers",
        unit: Unit::Customers,
        allowed: |a| a.customers,
        value: |s, _| Some(s.dark_customers),
    },
    Measure { name: "dark_demand", unit: Unit::Demand, allowed: |a| a.dark_demand, value: |s, _| Some(s.dark_demand) },
    Measure {
        name: "white_space",
        unit: Unit::Demand,
        allowed: |a| a.dark_demand,
        value: |s, _| Some(s.dark_demand + s.identified_demand),
    },
    Measure { name: "served_demand", unit: Unit::Demand, allowed: |a| a.demand, value: |s, _| Some(s.served_demand) },
    Measure { name: "total_demand", unit: Unit::Demand, allowed: |a| a.dark_demand, value: |s, _| Some(s.total()) },
    Measure { name: "own_sales", unit: Unit::Demand, allowed: |_| true, value: |s, _| Some(s.own) },
    Measure {
        name: "penetration",
        unit: Unit::Share,
        allowed: |a| a.customers,
        value: |s, _| {
            let universe = s.served_customers + s.identified_customers + s.dark_customers;
            Some(ratio(s.served_customers, universe).unwrap_or(0.0))
        },
    },
    Measure {
        name: "share_of_wallet",
        unit: Unit::Share,
        allowed: |a| a.demand,
        value: |s, _| ratio(s.own_served, s.served_demand),
    },
    Measure {
        name: "headroom",
        unit: Unit::Demand,
        allowed: |a| a.demand && a.attainable,
        value: |s, _| Some(s.headroom),
    },
    Measure {
        name: "attainable_sales",
        unit: Unit::Demand,
        allowed: |a| a.dark_demand && a.attainable,
        value: |s, _| Some(s.attainable),
    },
    Measure {
        name: "untapped_share",
        unit: Unit::Share,
        allowed: |a| a.dark_demand && a.attainable,
        value: |s, _| Some(ratio(s.attainable, s.total()).unwrap_or(0.0)),
    },
    Measure {
        name: "p_won",
        unit: Unit::Share,
        allowed: |a| a.dark_demand && a.attainable,
        value: |s, _| Some(ratio(s.won, s.winnable).unwrap_or(0.0)),
    },
    Measure {
        name: "attainable_share",
        unit: Unit::Share,
        allowed: |a| a.dark_demand && a.attainable,
        value: |s, _| Some(ratio(s.shared, s.winnable).unwrap_or(0.0)),
    },
    Measure {
        name: "bdi",
        unit: Unit::Index,
        allowed: |a| a.population,
        value: |s, all| index(s.populated_own, s.population, all.populated_own, all.population),
    },
    Measure {
        name: "cdi",
        unit: Unit::Index,
        allowed: |a| a.population && a.dark_demand,
        value: |s, all| index(s.populated_total, s.population, all.populated_total, all.population),
    },
];

/// The rows of `potential.csv`: territories in file order, then parents, then `*`; measures in a fixed order.
///
/// Without `attainable` the measures that rest on the calibrated response (headroom, attainable sales, untapped share) have
/// no rows.
pub fn measures(market: &Market, dark: &DarkHalf, attainable: Option<AttainableInputs<'_>>) -> Vec<PotentialRow> {
    let draws = dark.dark_customers.len();
    let count = market.territory_count();
    let served = market.served();
    let seed = attainable.map_or(0, |inputs| inputs.seed);
    let attainable: Option<Vec<AttainableDraw>> = attainable.and_then(|inputs| {
        (0..draws).into_par_iter().map(|d| attainable::draw(market, &served, dark, inputs, d)).collect()
    });
    let fixed = fixed_sums(market);
    let segmented = Segmented::new(market);
    let parts: Vec<Vec<Vec<Part>>> = segmented.as_ref().map_or_else(Vec::new, |segmented| {
        let split = |d: usize| segmented.split(dark, d, &mut Stream::new(seed, "potential/segments", d as u64));
        (0..draws).into_par_iter().map(split).collect()
    });
    let names = segmented.as_ref().map_or(&[][..], |segmented| &segmented.names);
    let by_draw: Vec<Vec<Sums>> = (0..draws)
        .into_par_iter()
        .map(|d| {
            let territory = |j: usize| {
                let mut sums = Sums {
                    dark_customers: dark.dark_customers[d][j],
                    identified_customers: dark.identified_customers[d][j],
                    dark_demand: dark.dark_demand[d][j],
                    identified_demand: dark.identified_demand[d][j],
                    served_demand: dark.served_demand[d][j],
                    ..fixed[j]
                };
                if sums.population > 0.0 {
                    sums.populated_total = sums.total();
                }
                if let Some(attainable) = attainable.as_ref().map(|draws| &draws[d]) {
                    let white = attainable.white[j];
                    sums.headroom = attainable.headroom[j];
                    (sums.attainable, sums.winnable) = (white.sales, white.winnable);
                    (sums.shared, sums.won) = (white.shared, white.won);
                }
                sums
            };
            (0..count).map(territory).collect()
        })
        .collect();
    let sum = |d: usize, members: &[usize]| {
        let mut sums = Sums::default();
        members.iter().for_each(|&j| sums.add(&by_draw[d][j]));
        sums
    };
    let groups = groups(market);
    let everything: Vec<Sums> = (0..draws).map(|d| sum(d, &groups[groups.len() - 1].1)).collect();
    let rows: Vec<Vec<PotentialRow>> = groups
        .par_iter()
        .map(|(id, members)| {
            let sums: Vec<Sums> = (0..draws).map(|d| sum(d, members)).collect();
            let allowed = Allowed {
                customers: dark.basis.customers,
                demand: dark.basis.demand,
                dark_demand: dark.basis.dark_demand(),
                attainable: attainable.is_some(),
                population: sums.first().is_some_and(|sums| sums.population > 0.0),
            };
            let rows_of = |segment: &str, sums: &[Sums], measures: &[Measure]| -> Vec<PotentialRow> {
                let row = |measure: &Measure| {
                    // A share of nothing is left out, not made zero.
                    let values: Option<Vec<f64>> =
                        sums.iter().zip(&everything).map(|(sums, all)| (measure.value)(sums, all)).collect();
                    let unit = match measure.unit {
                        Unit::Customers => "customers",
                        Unit::Demand => market.unit(),
                        Unit::Share => "share",
                        Unit::Index => "index",
                    };
                    Some(PotentialRow {
                        territory_id: id.clone(),
                        segment: segment.into(),
                        measure: measure.name.into(),
                        unit: unit.into(),
                        summary: Summary::of(&values?)?,
                    })
                };
                measures.iter().filter(|measure| (measure.allowed)(allowed)).filter_map(row).collect()
            };
            let mut rows = rows_of("*", &sums, &MEASURES);
            let whole = id == "*";
            rows.extend(evolution::index(market, members, whole).map(|index| PotentialRow {
                territory_id: id.clone(),
                segment: "*".into(),
                measure: "evolution_index".into(),
                unit: "index".into(),
                summary: Summary::exact(index),
            }));
            for (s, name) in names.iter().enumerate() {
                let sums: Vec<Sums> = parts
                    .iter()
                    .map(|parts| {
                        let mut sums = Sums::default();
                        members.iter().for_each(|&j| sums.add(&Sums::of_segment(&parts[j][s])));
                        sums
                    })
                    .collect();
                rows.extend(rows_of(name, &sums, &MEASURES[..OF_SEGMENTS]));
            }
            rows
        })
        .collect();
    rows.into_iter().flatten().collect()
}

/// What is the same in every draw.
fn fixed_sums(market: &Market) -> Vec<Sums> {
    let own = market.own_last_year();
    let bought = market.bought();
    (0..market.territory_count())
        .map(|j| {
            let customers = market.customers_of(j);
            let all: f64 = own[customers.clone()].iter().sum();
            let population = market.data.territories.population[j].filter(|&heads| heads > 0.0);
            Sums {
                served_customers: customers.clone().filter(|&i| bought[i]).count() as f64,
                own: all,
                own_served: customers.filter(|&i| bought[i]).map(|i| own[i]).sum(),
                population: population.unwrap_or(0.0),
                populated_own: population.map_or(0.0, |_| all),
                ..Sums::default()
            }
        })
        .collect()
}

/// (id, member territories) of every territory, every parent and, last, the whole market.
fn groups(market: &Market) -> Vec<(String, Vec<usize>)> {
    let territories = &market.data.territories;
    let count = market.territory_count();
    let mut out: Vec<(String, Vec<usize>)> =
        (0..count).map(|j| (market.data.territory_id(j).to_owned(), vec![j])).collect();
    for (parent, row) in territories.parents.iter().enumerate() {
        let below = |j: usize| {
            let mut at = territories.parent[j];
            // A chain of parents is no longer than their number; the loader refuses circles.
            for _ in 0..territories.parents.len() {
                match at {
                    Some(found) if found == parent => return true,
                    Some(found) => at = territories.parents[found].parent,
                    None => return false,
                }
            }
            false
        };
        out.push((row.id.clone(), (0..count).filter(|&j| below(j)).collect()));
    }
    out.push(("*".into(), (0..count).collect()));
    out
}
