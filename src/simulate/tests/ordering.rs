//! Orders: their dispersion, their sizes and our products.

use super::mechanisms::dispersion::{Dispersion, log_probability};
use super::mechanisms::order_sizes::OrderSizes;
use super::mechanisms::products::Products;
use super::*;

const SIZE: f32 = 6.0;
/// Our share of it: log odds of -ln 2.
const SHARE: f64 = 1.0 / 3.0;

/// A market in which every customer is served, alike, and expected to order the same in every month.
fn even(customers: usize, unit: f64) -> Twin {
    let mut twin = frozen(twin(1, customers));
    let parameters = &mut twin.parameters;
    parameters.goodwill.effect = [0.0; Channel::COUNT];
    (parameters.season, parameters.growth, parameters.shock_sd) = ([1.0; 12], 0.0, 0.0);
    parameters.order_unit = unit;
    let agents = &mut twin.agents;
    agents.stage.fill(Stage::Served);
    agents.size.fill(SIZE);
    agents.goodwill.fill(0.0);
    agents.appeal.fill(-std::f32::consts::LN_2);
    twin
}

/// Own and rivals' sales of each customer and month.
#[derive(Default)]
struct Sales(Vec<[f64; 2]>);

impl Recorder for Sales {
    fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
        let pairs = seen.own_sales.iter().zip(seen.rival_sales);
        self.0.extend(pairs.map(|(&own, &others)| [f64::from(own), f64::from(others)]));
    }
}

fn sales(twin: &Twin, months: usize) -> Vec<[f64; 2]> {
    let mut seen = Sales::default();
    World::new(twin).run(&policy(twin), horizon(months), KEY, Isa::detect(), &mut seen);
    seen.0
}

/// Mean, variance and third central moment.
fn moments(numbers: impl Iterator<Item = f64> + Clone) -> [f64; 3] {
    let n = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / n;
    let central = |power| numbers.clone().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
    [mean, central(2), central(3)]
}

#[test]
fn counts_are_negative_binomial() {
    for shape in [0.6, 3.0] {
        let mut twin = even(6_000, 1.0);
        twin.parameters.more.dispersion = Some(Dispersion { shape });
        let sales = sales(&twin, 8);
        let n = sales.len() as f64;
        // Ours, and all together: they share the frailty.
        let all = f64::from(SIZE);
        let own: Vec<f64> = sales.iter().map(|[own, _]| *own).collect();
        let both: Vec<f64> = sales.iter().map(|[own, others]| own + others).collect();
        for (counts, mean) in [(own, all * SHARE), (both, all)] {
            let [got, variance, _] = moments(counts.iter().copied());
            let wanted = Dispersion { shape }.variance(mean);
            assert!((got - mean).abs() < 4.0 * (wanted / n).sqrt(), "shape {shape}: mean {got} {mean}");
            assert!((variance / wanted - 1.0).abs() < 0.05, "shape {shape}: variance {variance} {wanted}");
            // Chi-square over counts that at least 10 are expected of, the rest together.
            let mut seen = vec![0.0; 200];
            counts.iter().for_each(|&count| seen[(count as usize).min(199)] += 1.0);
            let (mut square, mut cells, mut rest) = (0.0, 0.0, [n, n]);
            for (count, &seen) in seen.iter().enumerate() {
                let expected = n * libm::exp(log_probability(count as f64, mean, shape));
                if expected >= 10.0 {
                    square += (seen - expected) * (seen - expected) / expected;
                    cells += 1.0;
                    rest = [rest[0] - seen, rest[1] - expected];
                }
            }
            square += (rest[0] - rest[1]) * (rest[0] - rest[1]) / rest[1];
            let z = (square - cells) / (2.0 * cells).sqrt();
            println!("shape {shape}, mean {mean}: chi-square {square} of {cells}");
            assert!(z.abs() < 3.5, "shape {shape}, mean {mean}: chi-square {square} of {cells}");
        }
    }
}

#[test]
fn scatter_moves_orders_but_no_stock() {
    let mut twin = frozen(twin(2, 200));
    let mut loading = policy(&twin);
    loading.phases[0].rival_loading = vec![0.5, 0.0, 1.0];
    let mut after = loading.phases[0].clone();
    (after.from, after.rival_loading) = (1, Vec::new());
    loading.phases.push(after);
    #[derive(Default)]
    struct Stocks(Vec<f32>, f64);
    impl Recorder for Stocks {
        fn month(&mut self, _: usize, _: usize, seen: Seen<'_>) {
            self.0.extend(seen.stock);
            self.1 += seen.demand.iter().map(|&x| f64::from(x)).sum::<f64>();
        }
    }
    let run = |twin: &Twin| {
        let mut stocks = Stocks::default();
        World::new(twin).run(&loading, horizon(6), KEY, Isa::detect(), &mut stocks);
        stocks
    };
    let even = run(&twin);
    twin.parameters.more.dispersion = Some(Dispersion { shape: 1.0 });
    let scattered = run(&twin);
    assert!(even.0 == scattered.0, "stocks are eaten by use, which does not scatter");
    assert!(even.1 != scattered.1 && (scattered.1 / even.1 - 1.0).abs() < 0.1, "{} {}", even.1, scattered.1);
    // Without scatter it is as if it were off.
    twin.parameters.more.dispersion = Some(Dispersion { shape: f64::INFINITY });
    let without = run(&twin);
    assert!(even.0 == without.0 && even.1 == without.1);
}

#[test]
fn no_scatter_is_off() {
    let mut twin = twin(3, 200);
    let off = run(&twin, &policy(&twin), horizon(12), KEY);
    twin.parameters.more.dispersion = Some(Dispersion { shape: f64::INFINITY });
    assert!(run(&twin, &policy(&twin), horizon(12), KEY) == off);
}

#[test]
fn sizes_keep_the_mean_and_the_variance_of_money_and_skew_it() {
    let (unit, shape) = (3.0, 1.5);
    let mut twin = even(8_000, unit);
    twin.parameters.more.order_sizes = Some(OrderSizes { shape });
    let sales = sales(&twin, 8);
    let n = sales.len() as f64;
    for (at, mean) in [(0, f64::from(SIZE) * SHARE), (1, f64::from(SIZE) * (1.0 - SHARE))] {
        let [got, variance, third] = moments(sales.iter().map(|pair| pair[at]));
        assert!((got - mean).abs() < 4.0 * (unit * mean / n).sqrt(), "mean {got} {mean}");
        assert!((variance / (unit * mean) - 1.0).abs() < 0.03, "variance {variance} {}", unit * mean);
        // Third cumulant of a compound Poisson number: orders * E s^3; whole orders would have unit^2 mean.
        let size = unit / (1.0 + 1.0 / shape);
        let orders = mean / size;
        let wanted = orders * size.powi(3) * (1.0 + 1.0 / shape) * (1.0 + 2.0 / shape);
        assert!((third / wanted - 1.0).abs() < 0.1, "third moment {third} {wanted}");
        let none = sales.iter().filter(|pair| pair[at] == 0.0).count() as f64;
        let wanted = n * libm::exp(-orders);
        assert!((none - wanted).abs() < 4.0 * wanted.sqrt(), "without an order: {none} {wanted}");
    }
}

#[test]
fn sizes_do_not_turn_a_gain_into_a_loss() {
    // Customer by customer and month by month, a push of ours never sells less: draws are shared and sizes rise with orders.
    let mut twin = even(500, 2.0);
    twin.parameters.more.order_sizes = Some(OrderSizes { shape: 0.7 });
    twin.parameters.more.dispersion = Some(Dispersion { shape: 2.0 });
    let of = |push| {
        let mut policy = policy(&twin);
        policy.phases[0].own_push = push;
        let mut seen = Sales::default();
        World::new(&twin).run(&policy, horizon(6), KEY, Isa::detect(), &mut seen);
        seen.0
    };
    let (base, more) = (of(0.0), of(0.3));
    assert!(base.iter().zip(&more).all(|(one, other)| other[0] >= one[0] * (1.0 - 1e-5)));
    assert!(base.iter().zip(&more).all(|(one, other)| other[1] <= one[1] * (1.0 + 1e-5)));
}

fn products(nest: f64) -> Products {
    Products { count: 3, shares: [0.5, 0.3, 0.2, 0.0], cross: [[0.0; PRODUCTS]; PRODUCTS], nest }
}

/// Own sales of all months, and by product, with these pushes.
fn by_product(twin: &Twin, push: [f32; PRODUCTS], months: usize) -> (f64, Vec<f64>) {
    let mut policy = policy(twin);
    policy.phases[0].moves.product_push = push;
    let tallies = run(twin, &policy, horizon(months), KEY);
    for at in 0..tallies.own_sales.len() {
        let sum: f64 = tallies.product_sales.iter().map(|sales| sales[at]).sum();
        let own = tallies.own_sales[at] - tallies.own_loaded[at];
        assert!((sum - own).abs() < 1e-5 * (1.0 + own), "products sum to our sales: {sum} {own}");
    }
    (total(&tallies.own_sales), tallies.product_sales.iter().map(|sales| total(sales)).collect())
}

#[test]
fn a_price_rise_of_one_product_is_partly_regained_by_the_others() {
    let (customers, months, unit) = (4_000, 6, 1.0);
    let nest = 0.4;
    let mut twin = even(customers, unit);
    twin.parameters.more.products = Some(products(nest));
    let (before, parts_before) = by_product(&twin, [0.0; PRODUCTS], months);
    let (after, parts_after) = by_product(&twin, [-0.6, 0.0, 0.0, 0.0], months);
    // By hand: attractions 1/2 against 1 of the rivals; our nest keeps (0.5 e^(-0.6/0.4) + 0.5)^0.4 of its own.
    let inside = 0.5 * libm::exp(-1.5) + 0.5;
    let attraction = 0.5 * libm::pow(inside, nest);
    let demand = customers as f64 * months as f64 * f64::from(SIZE);
    let near = |got: f64, mean: f64| {
        assert!((got - mean).abs() < 4.0 * (unit * mean).sqrt(), "{got} {mean}");
    };
    near(before, demand * SHARE);
    near(after, demand * attraction / (attraction + 1.0));
    for p in 0..3 {
        let share = products(nest).shares[p];
        near(parts_before[p], demand * SHARE * share);
        let kept = if p == 0 { 0.5 * libm::exp(-1.5) } else { share } / inside;
        near(parts_after[p], demand * attraction / (attraction + 1.0) * kept);
    }
    assert!(parts_after[0] < 0.5 * parts_before[0] && parts_after[1] > parts_before[1] && after < before);
    let regained = (parts_after[1] + parts_after[2]) - (parts_before[1] + parts_before[2]);
    assert!(regained > 0.5 * (parts_before[0] - parts_after[0]), "most that A loses within the nest stays with us");
    assert_eq!(parts_after[3], 0.0);
}

#[test]
fn a_complement_is_drawn_along() {
    let mut twin = even(4_000, 1.0);
    let mut model = products(1.0);
    twin.parameters.more.products = Some(model);
    let push = [0.8, 0.0, 0.0, 0.0];
    let (_, alone) = by_product(&twin, push, 6);
    // B is used with A.
    model.cross[1][0] = 3.0;
    twin.parameters.more.products = Some(model);
    let (_, together) = by_product(&twin, push, 6);
    assert!(together[1] > 1.2 * alone[1] && together[2] < alone[2], "{together:?} {alone:?}");
    // Without a change there is nothing to draw.
    let (_, still) = by_product(&twin, [0.0; PRODUCTS], 6);
    twin.parameters.more.products = Some(products(1.0));
    assert_eq!(still, by_product(&twin, [0.0; PRODUCTS], 6).1);
}

#[test]
fn one_product_is_as_none() {
    let mut twin = twin(3, 200);
    let off = run(&twin, &policy(&twin), horizon(12), KEY);
    twin.parameters.more.products = Some(Products { count: 1, shares: [1.0, 0.0, 0.0, 0.0], ..products(0.5) });
    assert!(run(&twin, &policy(&twin), horizon(12), KEY) == off);
    assert!(off.product_sales[0] == off.own_sales && total(&off.product_sales[1]) == 0.0);
}

/// Everything of this file at once.
fn all_on() -> Twin {
    let mut twin = twin(4, 333);
    let more = &mut twin.parameters.more;
    more.dispersion = Some(Dispersion { shape: 1.7 });
    more.order_sizes = Some(OrderSizes { shape: 0.9 });
    more.products = Some(products(0.6));
    twin
}

#[test]
fn sizes_are_split_among_products() {
    let twin = all_on();
    let (own, parts) = by_product(&twin, [0.1, 0.0, -0.1, 0.0], 12);
    assert!(own > 0.0 && parts[..3].iter().all(|&part| part > 0.0) && parts[3] == 0.0);
}

#[test]
fn another_product_keeps_its_luck() {
    // At nest 1 a push on A changes B's share of us and ours of demand, but B's draws are its own: B never gains.
    let mut twin = even(300, 1.0);
    twin.parameters.more.products = Some(products(1.0));
    let (_, base) = by_product(&twin, [0.0; PRODUCTS], 6);
    let (_, pushed) = by_product(&twin, [0.02, 0.0, 0.0, 0.0], 6);
    assert!(pushed[0] > base[0] && pushed[1] <= base[1] && pushed[2] <= base[2], "{base:?} {pushed:?}");
}

#[test]
fn instruction_sets_give_the_same_bytes_of_orders() {
    let twin = all_on();
    let mut policy = policy(&twin);
    policy.phases[0].moves.product_push = [0.2, -0.1, 0.0, 0.3];
    policy.phases[0].rival_loading = vec![0.2, 0.0, 0.1];
    let run = |isa| {
        let mut seen = Everything::default();
        let tallies = World::new(&twin).run(&policy, horizon(12), KEY, isa, &mut seen);
        (tallies, seen)
    };
    let baseline = run(Isa::Baseline);
    for isa in Isa::available() {
        assert!(run(isa) == baseline, "{} differs", isa.name());
    }
    assert!(baseline.0.own_sales.iter().all(|sales| sales.is_finite()));
    let again = World::new(&twin).run(&policy, horizon(12), KEY, Isa::detect(), &mut ());
    assert!(again == baseline.0, "an identical strategy gains exactly nothing");
}
