//! How many known customers still buy, where a capture file counts them.
//!
//! `captures.csv` counts the universe; the histories that hold our own list are the known customers that are part of it, A_j of
//! territory j. Who of the silent has closed our orders do not tell, how many have the lists do: the odds of being open
//! of all customers of the territory that may be either are multiplied by one factor, at which they add up to A_j. Of all
//! distributions with that sum it is the nearest to what the orders say (exponential tilting; Csiszár 1975, "I-divergence
//! geometry of probability distributions and minimization problems").
//!
//! A file whose own list names every customer that is not marked as closed counts rows, not buyers: it is left aside. So is
//! a territory whose count lies outside what its customers allow, but for the nearest that they do.

use super::activity::{Activity, LEVELS};
use super::observed::Observed;

/// Most that a territory's log odds are moved.
const FARTHEST: f64 = 6.0;

/// Brings the probabilities of being open in line with the own list of the capture histories.
pub(super) fn agree_with_own_list(activities: &mut [Activity], observed: &Observed) {
    let Some(captures) = observed.captures.as_ref() else { return };
    let counted = |j: usize| captures.by_own_list(j).map(|(_, ours)| ours);
    let (mut rows, mut buyers) = (0.0, 0.0);
    for (j, territory) in observed.territories.iter().enumerate() {
        if let Some(counted) = counted(j) {
            let open = observed.customers[territory.customers.clone()].iter().filter(|customer| !customer.closed);
            buyers += counted;
            rows += open.count() as f64;
        }
    }
    if buyers >= rows {
        return;
    }
    for (j, territory) in observed.territories.iter().enumerate() {
        if let Some(counted) = counted(j) {
            tilt(&mut activities[territory.customers.clone()], counted);
        }
    }
}

/// Makes the probabilities of a territory's customers add up to `counted` at every level of closing.
fn tilt(activities: &mut [Activity], counted: f64) {
    for level in 0..LEVELS {
        let certain = activities.iter().filter(|activity| activity.open_at[level] >= 1.0).count() as f64;
        let doubtful: Vec<f64> = activities
            .iter()
            .map(|activity| f64::from(activity.open_at[level]))
            .filter(|p| *p > 0.0 && *p < 1.0)
            .collect();
        if doubtful.is_empty() {
            continue;
        }
        let wanted = counted - certain;
        let sum = |log_factor: f64| doubtful.iter().map(|&p| tilted(p, log_factor)).sum::<f64>();
        let (mut low, mut high) = (-FARTHEST, FARTHEST);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if sum(middle) < wanted { low = middle } else { high = middle }
        }
        for activity in &mut *activities {
            let p = f64::from(activity.open_at[level]);
            if p > 0.0 && p < 1.0 {
                activity.open_at[level] = tilted(p, high) as f32;
            }
        }
    }
    for activity in activities {
        *activity = Activity::new(activity.mean, activity.variance, activity.open_at.map(f64::from));
    }
}

/// A probability with its odds multiplied by `exp(log_factor)`.
fn tilted(p: f64, log_factor: f64) -> f64 {
    let odds = p * libm::exp(log_factor);
    odds / (1.0 - p + odds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::potential::observed::{ObservedCaptures, ObservedCustomer, ObservedTerritory};

    /// Six customers, two of them certain; lists "ours" and another, with so many buyers on ours.
    fn market(ours: f64) -> (Observed, Vec<Activity>) {
        let observed = Observed {
            territories: vec![ObservedTerritory { customers: 0..6, ..Default::default() }],
            customers: vec![ObservedCustomer::default(); 6],
            captures: Some(ObservedCaptures {
                lists: vec!["ours".into(), "chamber".into()],
                own: Some(0),
                counts: vec![Some(vec![0.0, ours - 1.0, 7.0, 1.0])],
                by_segment: Vec::new(),
            }),
            ..Default::default()
        };
        let open = [1.0, 1.0, 0.9, 0.9, 0.8, 0.5];
        (observed, open.iter().map(|&open| Activity::new(0.3, 0.2, [open; LEVELS])).collect())
    }

    #[test]
    fn the_open_add_up_to_the_count_of_the_lists() {
        let (observed, mut activities) = market(4.0);
        agree_with_own_list(&mut activities, &observed);
        let open: Vec<f64> = activities.iter().map(|activity| activity.open).collect();
        assert!((open.iter().sum::<f64>() - 4.0).abs() < 1e-5, "{open:?}");
        assert!(open[0] == 1.0 && open[1] == 1.0);
        // One factor for the odds of all.
        let odds = |p: f64| p / (1.0 - p);
        assert!((odds(open[2]) / 9.0 - odds(open[5])).abs() < 1e-4 && (open[2] - open[3]).abs() < 1e-9);
        assert_eq!((activities[2].mean, activities[2].variance), (0.3, 0.2));
    }

    #[test]
    fn a_list_of_rows_says_nothing() {
        let (observed, mut activities) = market(6.0);
        let before = activities.clone();
        agree_with_own_list(&mut activities, &observed);
        assert_eq!(activities, before);
    }

    #[test]
    fn a_count_below_those_who_bought_leaves_nearly_none_of_the_others() {
        let (observed, mut activities) = market(1.0);
        agree_with_own_list(&mut activities, &observed);
        let open: f64 = activities[2..].iter().map(|activity| activity.open).sum();
        assert!(open > 0.0 && open < 0.1 && activities[0].open == 1.0, "{open}");
    }
}
