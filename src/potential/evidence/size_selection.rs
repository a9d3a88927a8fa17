//! Size selection: were those found last smaller than those found first?
//!
//! Mean size (the `size` column, else own sales of the last 12 months) of the customers known for more than two years over that of
//! those first known in the last year. Whoever is found in order of size leaves the small for last, and the dark are smaller still:
//! a hint at R from below. Those won lately also buy less from us because they are new, which is why it is shown and not fused.

use rand::RngExt as _;
use rand_distr::{Distribution, StandardNormal};

use super::super::dark_half::Evidence;
use super::super::observed::Observed;
use super::DRAWS;
use crate::rng::Stream;
use crate::stats::{Summary, mean_sd};

/// Beyond as many a mean drawn again is normal, and need not be drawn customer by customer.
const MANY: usize = 5_000;
/// Customers needed on each side.
const ENOUGH: usize = 8;

pub(super) fn estimate(observed: &Observed, seed: u64) -> Option<Evidence> {
    let by_size =
        observed.customers.iter().filter(|customer| customer.log_size.is_some()).count() * 2 > observed.customers.len();
    let last = i32::try_from(observed.months).ok()?;
    let sizes = |from: i32, to: i32| -> Vec<f64> {
        let chosen = observed.customers.iter().filter(|customer| {
            !customer.closed && customer.first_known.is_some_and(|month| (from..to).contains(&month))
        });
        if by_size {
            chosen.filter_map(|customer| customer.log_size.map(libm::exp)).collect()
        } else {
            chosen.map(|customer| customer.own_year).filter(|&own| own > 0.0).collect()
        }
    };
    let (early, late) = (sizes(i32::MIN, last - 24), sizes(last - 12, last));
    if early.len() < ENOUGH || late.len() < ENOUGH {
        return None;
    }
    let mut rng = Stream::new(seed, "potential/size selection", 0);
    let (early, late) = (means(&early, &mut rng), means(&late, &mut rng));
    let draws: Vec<f64> = early.iter().zip(&late).map(|(early, late)| early / late).collect();
    Some(Evidence {
        name: "size selection".into(),
        measure: "size_ratio".into(),
        unit: "ratio".into(),
        estimate: Summary::of(&draws)?,
        remark: format!(
            "mean {} of customers known for over two years over that of those found in the last year; hints at how much smaller \
             the dark are (R), mixed with how long we have served them; not fused",
            if by_size { "size" } else { "own sales" }
        ),
    })
}

/// Means of as many customers, drawn again with replacement.
fn means(x: &[f64], rng: &mut Stream) -> Vec<f64> {
    if x.len() > MANY {
        let (mean, sd) = mean_sd(x);
        let error = sd / (x.len() as f64).sqrt();
        return (0..DRAWS).map(|_| mean + error * Distribution::<f64>::sample(&StandardNormal, rng)).collect();
    }
    let one = |rng: &mut Stream| {
        let again = x.iter().map(|_| {
            let uniform: f64 = rng.random();
            x[((uniform * x.len() as f64) as usize).min(x.len() - 1)]
        });
        again.sum::<f64>() / x.len() as f64
    };
    (0..DRAWS).map(|_| one(rng)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::ObservedCustomer;
    use super::*;

    #[test]
    fn the_late_half_as_large() {
        let customer =
            |month: i32, own_year: f64| ObservedCustomer { first_known: Some(month), own_year, ..Default::default() };
        let customers = (0..20).map(|i| customer(i, 20.0)).chain((0..10).map(|i| customer(50 + i, 10.0))).collect();
        let evidence = estimate(&Observed { customers, months: 60, ..Default::default() }, 1).unwrap();
        assert!((evidence.estimate.q50 - 2.0).abs() < 1e-9);
    }
}
