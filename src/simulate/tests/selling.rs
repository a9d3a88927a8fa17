//! Our own loading, promotions and stock-outs in a market.

use super::mechanisms::own_loading::OwnLoading;
use super::mechanisms::promotion::Promotion;
use super::mechanisms::stock_out::StockOut;
use super::*;

/// A frozen market of steady goodwill and small orders, so that chance is small beside what is looked at.
fn calm(each: usize) -> Twin {
    let mut twin = frozen(twin(2, each));
    twin.parameters.order_unit = 0.002;
    twin
}

fn everything() -> Further {
    Further {
        own_loading: Some(OwnLoading { acceptance: 0.8, blocking: 0.3 }),
        promotion: Some(Promotion { elasticity: 2.0, switching: 1.0 / 3.0, shifting: 1.0 / 3.0 }),
        stock_out: Some(StockOut { delayed: 0.2, dropped: 0.1 }),
        ..Further::default()
    }
}

/// The policy with other moves in the months of `during`.
fn during(policy: &Policy, months: Range<usize>, moves: Moves) -> Policy {
    let usual = policy.phases[0].clone();
    let mut policy = policy.clone();
    policy.phases.push(Phase { from: months.start, moves, ..usual.clone() });
    policy.phases.push(Phase { from: months.end, ..usual });
    policy
}

fn by_month(series: &[f64]) -> Vec<f64> {
    series.chunks(2).map(total).collect()
}

/// Runs with some mechanisms on, at another time and as usual; both on the same draws.
fn both(more: Further, months: usize, at: Range<usize>, moves: Moves) -> (Tallies, Tallies) {
    let mut twin = calm(400);
    twin.parameters.more = more;
    let usual = policy(&twin);
    let moved = during(&usual, at, moves);
    (run(&twin, &usual, horizon(months), KEY), run(&twin, &moved, horizon(months), KEY))
}

#[track_caller]
fn near(x: f64, wanted: f64) {
    assert!((x - wanted).abs() < 0.01 * wanted.abs().max(1.0), "{x}, not {wanted}");
}

#[test]
fn without_moves_nothing_changes() {
    let mut twin = twin(3, 200);
    let mut policy = policy(&twin);
    policy.phases[0].rival_loading = vec![0.2, 0.0, 0.1];
    let without = run(&twin, &policy, horizon(24), KEY);
    twin.parameters.more = everything();
    assert!(run(&twin, &policy, horizon(24), KEY) == without);
    // And with moves, where the mechanisms are off.
    let moves = Moves { promotion: 0.2, loading: 1.0, availability: 0.5, ..Moves::default() };
    twin.parameters.more = Further { own_loading: None, promotion: None, stock_out: None, ..everything() };
    assert!(run(&twin, &during(&policy, 3..9, moves), horizon(24), KEY) == without);
}

#[test]
fn all_of_it_gives_the_same_bytes_on_every_instruction_set() {
    let mut twin = twin(3, 117);
    twin.parameters.more = everything();
    let mut usual = policy(&twin);
    usual.phases[0].rival_loading = vec![0.2, 0.0, 0.1];
    let moves = Moves { promotion: 0.25, loading: 0.5, availability: 0.7, ..Moves::default() };
    let policy = during(&usual, 2..7, moves);
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(24), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    assert!(total(&baseline.0.own_loaded) > 0.0);
    for isa in Isa::available() {
        assert!(run(isa) == baseline, "{} differs", isa.name());
    }
}

#[test]
fn sell_in_less_sell_out_is_the_stock() {
    let mut twin = twin(2, 400);
    twin.parameters.more = everything();
    let moves = Moves { promotion: 0.2, loading: 0.6, availability: 0.9, ..Moves::default() };
    let tallies = run(&twin, &during(&policy(&twin), 1..8, moves), horizon(36), KEY);
    for j in 0..2 {
        let mut stock = 0.0;
        for at in (0..36).map(|month| 2 * month + j) {
            stock += tallies.own_sales[at] - tallies.own_used[at];
            assert!((stock - tallies.own_stock[at]).abs() < 1e-5 * tallies.own_sales[at], "{stock} {at}");
            assert!(tallies.own_sales[at] > 0.0 && tallies.own_used[at] > 0.0);
        }
        assert!(tallies.own_stock[2 * 7 + j] > 50.0, "{}", tallies.own_stock[2 * 7 + j]);
        // Only the closed still hold some of it.
        assert!(tallies.own_stock[2 * 35 + j] < 0.2 * tallies.own_stock[2 * 7 + j]);
    }
}

#[test]
fn a_load_brings_sales_forward_and_adds_none() {
    let more = Further { own_loading: Some(OwnLoading { acceptance: 0.8, blocking: 0.0 }), ..Further::default() };
    let (usual, loaded) = both(more, 12, 2..3, Moves { loading: 1.5, ..Moves::default() });
    let (before, after) = (by_month(&usual.own_sales), by_month(&loaded.own_sales));
    // 0.8 of 1.5 months on top, which feed all of the next month and what is left of the one after.
    let load = 1.2 * before[2];
    near(by_month(&loaded.own_loaded)[2], load);
    near(after[2], before[2] + load);
    assert!(after[3] < 0.05 * before[3] && after[4] < before[4] && after[1] == before[1], "{after:?}");
    near(after[3] + after[4], before[3] + before[4] - load);
    near(total(&after), total(&before));
    // What is used stays as it was, and rivals sell what they sold.
    for (used, usual) in by_month(&loaded.own_used).iter().zip(&before) {
        near(*used, *usual);
    }
    near(total(&loaded.rival_sales[0]), total(&usual.rival_sales[0]));
}

#[test]
fn a_load_that_blocks_rivals_takes_from_them() {
    let more = |blocking| Further { own_loading: Some(OwnLoading { acceptance: 1.0, blocking }), ..Further::default() };
    let moves = Moves { loading: 1.0, ..Moves::default() };
    let gain = |blocking| {
        let (usual, loaded) = both(more(blocking), 12, 2..3, moves);
        near(total(&loaded.total_demand), total(&usual.total_demand));
        total(&loaded.own_sales) - total(&usual.own_sales)
    };
    let (none, half, all) = (gain(0.0), gain(0.5), gain(1.0));
    assert!(none.abs() < 0.1 * half && half < all, "{none} {half} {all}");
}

#[test]
fn a_steady_load_sells_no_more_than_is_used() {
    // Orders settle at B / (1 + 0.5) and loads at half of that: together B again.
    let more = Further { own_loading: Some(OwnLoading { acceptance: 1.0, blocking: 0.0 }), ..Further::default() };
    let (usual, loaded) = both(more, 36, 1..36, Moves { loading: 0.5, ..Moves::default() });
    near(total(&loaded.own_used), total(&usual.own_sales));
    let orders: f64 = loaded.own_sales[24..].iter().zip(&loaded.own_loaded[24..]).map(|(all, load)| all - load).sum();
    near(1.5 * orders, total(&usual.own_sales[24..]));
}

#[test]
fn a_load_and_a_rivals_both_get_used() {
    let mut twin = calm(400);
    twin.parameters.more.own_loading = Some(OwnLoading { acceptance: 1.0, blocking: 0.0 });
    let mut moved = during(&policy(&twin), 2..3, Moves { loading: 1.0, ..Moves::default() });
    moved.phases[1].rival_loading = vec![0.5, 0.0, 0.0];
    let usual = run(&twin, &policy(&twin), horizon(12), KEY);
    let tallies = run(&twin, &moved, horizon(12), KEY);
    near(total(&tallies.total_demand), total(&usual.total_demand));
    // Ours stands in for orders from us, so theirs is left with orders from them; without ours it would cost us some.
    near(total(&tallies.own_sales), total(&usual.own_sales));
    moved.phases[1].moves.loading = 0.0;
    let alone = run(&twin, &moved, horizon(12), KEY);
    assert!(total(&alone.own_sales) < 0.99 * total(&usual.own_sales));
    assert!(by_month(&tallies.own_stock)[5] < 1e-3 * by_month(&tallies.own_stock)[2]);
}

#[test]
fn a_promotion_is_a_third_each() {
    // A cut of ln 1.2 at an elasticity of 2: 1.44 - 1.
    let lift = 0.44;
    let more = Further { own_loading: None, stock_out: None, ..everything() };
    let (usual, promoted) = both(more, 8, 3..4, Moves { promotion: libm::log(1.2) as f32, ..Moves::default() });
    let (before, after) = (by_month(&usual.own_sales), by_month(&promoted.own_sales));
    let third = lift / 3.0 * before[3];
    near(after[3] / before[3] - 1.0, lift);
    near((after[4] - before[4]) / third, -1.0);
    assert_eq!(before[..3], after[..3]);
    near(after[5], before[5]);
    // Rivals lose a third, and the category gains one over all months.
    let rivals = |tallies: &Tallies| -> Vec<f64> {
        let all: Vec<f64> = (0..16).map(|at| tallies.rival_sales.iter().map(|sales| sales[at]).sum()).collect();
        by_month(&all)
    };
    let lost = rivals(&usual)[3] - rivals(&promoted)[3];
    assert!((lost / third - 1.0).abs() < 0.03, "{lost} {third}");
    let expanded = total(&promoted.total_demand) - total(&usual.total_demand);
    assert!((expanded / third - 1.0).abs() < 0.03, "{expanded} {third}");
    // What was brought forward lies in stock for a month, though nobody loads.
    near(by_month(&promoted.own_stock)[3], third);
    assert!(by_month(&promoted.own_stock)[4] < 0.01 * third);
}

#[test]
fn a_deeper_promotion_sells_more() {
    let more = Further { own_loading: None, stock_out: None, ..everything() };
    let sales = |promotion| {
        let (_, promoted) = both(more, 6, 1..2, Moves { promotion, ..Moves::default() });
        total(&promoted.own_sales)
    };
    assert!(sales(0.0) < sales(0.1) && sales(0.1) < sales(0.3));
}

#[test]
fn a_stock_out_sends_customers_elsewhere_or_later() {
    let more = Further { own_loading: None, promotion: None, ..everything() };
    let (usual, short) = both(more, 8, 3..4, Moves { availability: 0.6, ..Moves::default() });
    let (before, after) = (by_month(&usual.own_sales), by_month(&short.own_sales));
    let missing = 0.4 * before[3];
    near(after[3], 0.6 * before[3]);
    near(after[4], before[4] + 0.2 * missing);
    assert!(before[..3] == after[..3] && before[5..] == after[5..]);
    let rivals = by_month(&short.total_demand)[3] - after[3] - (by_month(&usual.total_demand)[3] - before[3]);
    assert!((rivals / (0.7 * missing) - 1.0).abs() < 0.03, "{rivals} {missing}");
    // A tenth of what was missing is bought of nobody.
    let dropped = total(&usual.total_demand) - total(&short.total_demand);
    assert!((dropped / (0.1 * missing) - 1.0).abs() < 0.15, "{dropped} {missing}");
}

#[test]
fn what_is_out_for_good_goes_to_rivals() {
    let more = Further { own_loading: None, promotion: None, ..everything() };
    let (_, short) = both(more, 6, 2..6, Moves { availability: 0.0, loading: 1.0, promotion: 0.2, ..Moves::default() });
    assert!(by_month(&short.own_sales)[2..].iter().all(|&sales| sales == 0.0));
    assert!(by_month(&short.total_demand).iter().all(|&demand| demand > 0.0));
}

#[test]
fn what_cannot_be_delivered_cannot_be_sold_ahead() {
    let (_, full) = both(everything(), 4, 1..2, Moves { loading: 1.0, ..Moves::default() });
    let moves = Moves { loading: 1.0, availability: 0.5, ..Moves::default() };
    let (_, short) = both(everything(), 4, 1..2, moves);
    near(total(&short.own_loaded), 0.5 * total(&full.own_loaded));
}
