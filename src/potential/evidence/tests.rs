//! Markets at the edge, through every estimator: sound evidence or none, never NaN, never a panic.

use super::super::observed::{Observed, ObservedCaptures, ObservedCustomer, ObservedTerritory};
use super::*;

fn customer(i: usize) -> ObservedCustomer {
    ObservedCustomer {
        own_year: 5.0 + (i % 13) as f64,
        served: true,
        active: 3 + (i % 9) as u32,
        exposed: 20,
        silent: (i % 4) as u32,
        log_order: Some(0.3),
        log_size: (!i.is_multiple_of(3)).then_some(2.0 + 0.1 * (i % 17) as f64),
        wallet: i.is_multiple_of(5).then_some(30.0 + (i % 11) as f64),
        first_known: Some((i % 40) as i32 - 4),
        orders: 1 + (i % 7) as u32,
        lists: Some(1 + (i % 7) as u32),
        ..Default::default()
    }
}

/// `territories` of `each` customers.
fn market(territories: usize, each: usize) -> Observed {
    Observed {
        territories: (0..territories)
            .map(|j| ObservedTerritory {
                id: format!("T{j}"),
                population: Some(10_000.0 + 100.0 * j as f64),
                outlets: (j % 3 == 0).then_some(2.0 * each as f64 + 5.0),
                demand: (j % 2 == 0).then_some(30.0 * each as f64 + 50.0),
                customers: j * each..(j + 1) * each,
                ..Default::default()
            })
            .collect(),
        customers: (0..territories * each).map(customer).collect(),
        months: 36,
        ..Default::default()
    }
}

fn captures(observed: &mut Observed, lists: usize, own: Option<usize>, cells: &[f64]) {
    observed.captures = Some(ObservedCaptures {
        lists: (0..lists).map(|l| format!("list {l}")).collect(),
        own,
        counts: vec![Some(cells.to_vec()); observed.territories.len()],
        by_segment: Vec::new(),
    });
}

#[test]
fn markets_at_the_edge_give_sound_evidence_or_none() {
    let mut cases: Vec<(String, Observed)> = Vec::new();
    let mut add = |name: &str, observed: Observed| cases.push((name.to_owned(), observed));
    add("nothing at all", Observed::default());
    add("one territory", market(1, 60));
    add("one customer", market(1, 1));
    add("no customer", market(4, 0));
    add("two territories, one customer each", market(2, 1));
    let change = |f: &dyn Fn(&mut Observed)| {
        let mut observed = market(12, 20);
        f(&mut observed);
        observed
    };
    let every_customer =
        |f: &dyn Fn(&mut ObservedCustomer)| change(&|observed| observed.customers.iter_mut().for_each(f));
    let every_territory =
        |f: &dyn Fn(&mut ObservedTerritory)| change(&|observed| observed.territories.iter_mut().for_each(f));
    add("no panel", every_territory(&|t| t.demand = None));
    add("no audit", every_territory(&|t| t.outlets = None));
    add("no population", every_territory(&|t| t.population = None));
    add("no dark half", every_territory(&|t| t.outlets = Some(20.0)));
    add("audits of nothing", every_territory(&|t| t.outlets = Some(0.0)));
    add("nobody buys", every_customer(&|c| *c = ObservedCustomer::default()));
    add("returns only", every_customer(&|c| c.own_year = -3.0));
    add("all closed", every_customer(&|c| c.closed = true));
    add("all the same", every_customer(&|c| *c = customer(1)));
    add("one wallet each", every_customer(&|c| c.wallet = Some(1.0)));
    add("sizes far apart", every_customer(&|c| c.log_size = c.log_size.map(|size| 40.0 * size)));
    add("once each", every_customer(&|c| c.orders = 1));
    add("all on all sources", every_customer(&|c| c.lists = Some(7)));
    add(
        "sources that never meet",
        change(&|observed| {
            observed.customers.iter_mut().enumerate().for_each(|(i, c)| c.lists = Some(1 << (i % 3)));
        }),
    );
    for lists in [0, 1, 2, 3, 4, 5, 8, 9] {
        let size = 1 << lists;
        let mut empty = vec![0.0; size];
        let mut tables = vec![("empty", empty.clone())];
        if lists > 0 {
            empty[size - 1] = 9.0;
            tables.push(("identical", empty.clone()));
            let mut apart = vec![0.0; size];
            (0..lists).for_each(|l| apart[1 << l] = 4.0);
            tables.push(("disjoint", apart));
            let mut nested = vec![0.0; size];
            (0..lists).for_each(|l| nested[(1 << (l + 1)) - 1] = 5.0);
            tables.push(("nested", nested));
            let mut one = vec![0.0; size];
            one[1] = 1.0;
            tables.push(("a single buyer", one));
            tables.push(("huge", (0..size).map(|h| if h == 0 { 0.0 } else { 1e8 }).collect()));
        }
        for (name, cells) in tables {
            for own in [Some(0), None] {
                add(
                    &format!("{lists} lists, {name}, own {own:?}"),
                    change(&|observed| captures(observed, lists, own, &cells)),
                );
            }
        }
    }
    add("3,000 territories", {
        let mut observed = market(3000, 3);
        captures(&mut observed, 3, Some(0), &[0.0, 2.0, 3.0, 2.0, 1.0, 1.0, 1.0, 3.0]);
        observed
    });
    for (name, observed) in &cases {
        for evidence in all(observed, "boxes", 1) {
            assert!(sound(&evidence.estimate), "{name}: {evidence:?}");
            assert!(evidence.measure == "bought_from_others" || evidence.estimate.q05 >= 0.0, "{name}: {evidence:?}");
        }
    }
}

#[test]
fn the_filter_hides_no_broken_estimator_in_an_ordinary_market() {
    let mut observed = market(12, 20);
    captures(&mut observed, 3, Some(0), &[0.0, 8.0, 9.0, 6.0, 10.0, 5.0, 4.0, 3.0]);
    let names: Vec<String> = all(&observed, "boxes", 1).into_iter().map(|evidence| evidence.name).collect();
    for name in [
        "universe regression",
        "capture-recapture",
        "capture-recapture (log-linear)",
        "capture-recapture by territory",
        "repeat purchase (Poisson-gamma)",
        "panel gap",
        "wallet survey",
        "wallet ceiling",
    ] {
        assert!(names.iter().any(|given| given == name), "{name} is missing among {names:?}");
    }
    assert_eq!(all(&observed, "boxes", 1), all(&observed, "boxes", 1));
}
