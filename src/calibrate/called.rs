//! Who is called on more than its neighbours: the trace that a rep's taste for customers leaves in the calls.
//!
//! With x_it contacts of customer i in month t and `m_gt` their mean over all customers of its group g of territories that were known then, contacts
//! are taken to come at a rate of the customer's own,
//!
//! `X_i = sum_t x_it ~ Poisson(R_i M_i)`, `M_i = sum_t m_gt` over the months in which i was known, `R_i ~ Gamma(k, k)`,
//!
//! `called_i = E[log R_i | X_i] = digamma(k + X_i) - log(k + M_i)`.
//!
//! How often a customer is called on tells how much a rep wants to go there only beside others whom the rep could have called on in the same months:
//! a territory with more reps, and a customer found when there were more of them, have more contacts whoever they are. And the few contacts of one
//! that was found lately are mostly luck. A level that keeps such differences holds less of what reps know (errors in a regressor pull its slope to 0), and
//! what it does not hold passes for contacts that wear off: see docs/decisions/0019. k follows from the moments
//!
//! `E (X - M)^2 - X = M^2 / k`.

use std::ops::Range;

use statrs::function::gamma::digamma;

/// Bounds of k: customers of which one in three hardly sees us, and ones that are all called on alike.
const SHAPES: (f64, f64) = (0.3, 1e4);

/// The log of how often each customer is called on, over others of its group (see the module); 0 where nobody is.
///
/// `contacts` are `[channel][customer * months + month]`, `known` the months in which each was known, `groups` contiguous customers.
pub fn log_call_levels(
    contacts: &[&[f32]],
    months: usize,
    known: &[Range<usize>],
    groups: &[Range<usize>],
) -> Vec<f64> {
    let contacts_of = |i: usize, t: usize| -> f64 { contacts.iter().map(|all| f64::from(all[i * months + t])).sum() };
    // By customer: contacts, and those of an average neighbour in the same months.
    let mut counts = vec![(0.0, 0.0); known.len()];
    for group in groups {
        let (mut usual, mut there) = (vec![0.0; months], vec![0.0_f64; months]);
        for i in group.clone() {
            for t in known[i].clone() {
                usual[t] += contacts_of(i, t);
                there[t] += 1.0;
            }
        }
        usual.iter_mut().zip(there).for_each(|(usual, there)| *usual /= there.max(1.0));
        for i in group.clone() {
            counts[i] =
                known[i].clone().fold((0.0, 0.0), |(own, others), t| (own + contacts_of(i, t), others + usual[t]));
        }
    }
    let shape = shape(&counts);
    counts.into_iter().map(|count| if count.1 > 0.0 { expected_log(shape, count) } else { 0.0 }).collect()
}

/// The expected log of a customer's rate, given its contacts and those of an average neighbour.
fn expected_log(shape: f64, (own, usual): (f64, f64)) -> f64 {
    digamma(shape + own) - libm::log(shape + usual)
}

/// k by its moments.
fn shape(counts: &[(f64, f64)]) -> f64 {
    let (excess, squares) = counts.iter().fold((0.0, 0.0), |(excess, squares), (own, usual)| {
        (excess + (own - usual) * (own - usual) - own, squares + usual * usual)
    });
    let (low, high) = SHAPES;
    if excess * high <= squares { high } else { (squares / excess).max(low) }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::calibrate::sampling::{Purpose, Source};

    #[test]
    fn more_reps_and_later_months_are_nobodys_taste() {
        // Two territories, the second with three times the contacts, which double half-way everywhere. In each the second customer is called on three
        // times as often as the others, and the last is known from half-way on.
        let (months, each) = (400, 4);
        let mut contacts = Vec::new();
        let mut known = Vec::new();
        for i in 0..2 * each {
            let from = if i % each == each - 1 { months / 2 } else { 0 };
            let often = if i % each == 1 { 3.0 } else { 1.0 } * if i < each { 1.0 } else { 3.0 };
            contacts.extend((0..months).map(|t| match t {
                t if t < from => 0.0,
                t if t < months / 2 => often,
                _ => 2.0 * often,
            }));
            known.push(from..months);
        }
        let found = log_call_levels(&[&contacts], months, &known, &[0..each, each..2 * each]);
        for territory in [&found[..each], &found[each..]] {
            assert!((territory[1] - territory[0] - 3.0_f64.ln()).abs() < 0.01, "{found:?}");
            assert!((territory[2] - territory[0]).abs() < 1e-9, "{found:?}");
            // Beside neighbours of whom one more is about from half-way on: 6 / 4 contacts on average, not 5 / 3.
            assert!((territory[3] - territory[0]).abs() < 0.1, "{found:?}");
        }
        assert!((found[0] - found[each]).abs() < 0.01, "{found:?}");
    }

    /// Counts of customers of whom all have `usual` contacts on average, with rates whose logs scatter as those of Gamma(2, 2).
    fn made(usual: f64, seed: u64) -> (Vec<f64>, Vec<(f64, f64)>) {
        let mut source = Source::new(seed, Purpose::Response, 0);
        (0..4000)
            .map(|_| {
                let rate = 0.5 * -libm::log(source.uniform() * source.uniform());
                // Poisson by the gaps of arrivals.
                let (mut clock, mut count) = (-libm::log(source.uniform()), 0.0);
                while clock < rate * usual {
                    count += 1.0;
                    clock -= libm::log(source.uniform());
                }
                (libm::log(rate), (count, usual))
            })
            .unzip()
    }

    #[test]
    fn few_contacts_say_little_and_slopes_on_them_stay_whole() {
        for usual in [2.0, 40.0] {
            let (rates, counts) = made(usual, 1);
            let shape = shape(&counts);
            assert!((shape - 2.0).abs() < 0.2, "{usual}: {shape}");
            let levels: Vec<f64> = counts.iter().map(|&count| expected_log(shape, count)).collect();
            let n = rates.len() as f64;
            let mean = |of: &[f64]| of.iter().sum::<f64>() / n;
            let (rate, level) = (mean(&rates), mean(&levels));
            let together: f64 = rates.iter().zip(&levels).map(|(r, l)| (r - rate) * (l - level)).sum();
            let alone: f64 = levels.iter().map(|l| (l - level) * (l - level)).sum();
            // What is expected has no error in it: the regression on it has the slope of the regression on the rate.
            assert!((together / alone - 1.0).abs() < 0.05, "{usual}: {}", together / alone);
        }
    }

    #[test]
    fn nobody_is_infinitely_far() {
        let found =
            log_call_levels(&[&[9.0, 9.0, 0.0, 0.0, 0.0, 0.0]], 2, &[0..2, 0..2, 0..0], slice::from_ref(&(0..3)));
        assert!(found[0] > 0.0 && found[1] < 0.0 && found[1].is_finite() && found[2] == 0.0, "{found:?}");
        assert_eq!(log_call_levels(&[&[0.0; 4]], 2, &[0..2, 0..2], slice::from_ref(&(0..2))), [0.0, 0.0]);
        // All alike: contacts that scatter less than chance would.
        let alike = log_call_levels(&[&[3.0; 8]], 2, &vec![0..2; 4], slice::from_ref(&(0..4)));
        assert!(alike.iter().all(|level| level.abs() < 1e-3), "{alike:?}");
    }
}
