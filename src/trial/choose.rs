//! Who is hidden.

use std::fmt;

use rand::RngExt as _;

use super::TrialError;
use crate::potential::Observed;
use crate::rng::Stream;

/// How the hidden customers are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Those first known in the last 24 months, on the market as of before.
    Recent,
    /// The smallest of the customers served, by our sales to them in the last 12 months.
    Size,
    /// A random share of all open customers.
    Random,
    /// Every customer of a random share of the territories that have any.
    Territory,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recent => "recent",
            Self::Size => "size",
            Self::Random => "random",
            Self::Territory => "territory",
        })
    }
}

/// Marks the customers to hide. Deterministic for a seed. `recent` ignores `share`: who was met after the end of the
/// history of `observed` is hidden.
///
/// # Errors
/// A share out of its range; nobody hidden, or nobody left.
pub fn choose(observed: &Observed, by: By, share: f64, seed: u64) -> Result<Vec<bool>, TrialError> {
    let customers = &observed.customers;
    let all = customers.len();
    if by != By::Recent && !(share > 0.0 && share <= 0.9) {
        return Err(TrialError::Share(share));
    }
    let mut hidden = vec![false; all];
    match by {
        By::Recent => {
            for (hide, customer) in hidden.iter_mut().zip(customers) {
                *hide = customer.first_known.is_some_and(|month| month >= observed.months as i32);
            }
        }
        By::Size => {
            // Who buys nothing from us has no size that we know of. Customers of equal size come in random order.
            let mut served = shuffled((0..all).filter(|&i| customers[i].served).collect(), seed);
            served.sort_by(|&a, &b| customers[a].own_year.total_cmp(&customers[b].own_year));
            let count = part(served.len(), share);
            served[..count].iter().for_each(|&i| hidden[i] = true);
        }
        By::Random => {
            let open = shuffled((0..all).filter(|&i| !customers[i].closed).collect(), seed);
            open[..part(open.len(), share)].iter().for_each(|&i| hidden[i] = true);
        }
        By::Territory => {
            let territories = &observed.territories;
            let peopled =
                shuffled((0..territories.len()).filter(|&j| !territories[j].customers.is_empty()).collect(), seed);
            for &j in &peopled[..part(peopled.len(), share)] {
                hidden[territories[j].customers.clone()].fill(true);
            }
        }
    }
    let count = hidden.iter().filter(|&&hide| hide).count();
    if count == 0 || count == all {
        return Err(TrialError::Nobody { by, hidden: count, all });
    }
    Ok(hidden)
}

fn part(count: usize, share: f64) -> usize {
    ((count as f64 * share).round() as usize).min(count)
}

/// Fisher and Yates.
fn shuffled(mut items: Vec<usize>, seed: u64) -> Vec<usize> {
    let mut rng = Stream::new(seed, "trial/choose", 0);
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
    items
}
