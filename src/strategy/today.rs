//! What we do today: calls by customer, capacity by territory and what is left of it for prospecting.
//!
//! Means of the 12 months to `history_end`. With `reps.csv` and `assignments.csv`, capacity is the calls a month of the
//! reps in office, split evenly over their territories, and the part not spent on known customers is taken as prospecting
//! (at most [`MOST_PROSPECTING`]; the rest is travel and office). Without them capacity is the calls that were made, and
//! nothing is known of prospecting: it is taken as none.

use crate::channel::Channel;
use crate::market::Market;

/// More than this share of capacity is not believed to be prospecting.
pub const MOST_PROSPECTING: f64 = 0.6;

/// Present effort.
#[derive(Debug, Clone, PartialEq)]
pub struct Today {
    /// `[channel][customer]`: contacts a month.
    pub contacts: Vec<Vec<f64>>,
    /// `[channel][territory]`: contacts a month of the mean known customer, which a newly found one will get.
    pub newcomer: Vec<Vec<f64>>,
    /// Calls a month that the reps of a territory can make.
    pub capacity: Vec<f64>,
    /// Share of capacity spent prospecting, by territory.
    pub prospecting: Vec<f64>,
    /// Whether `calls.csv` was there.
    pub calls_known: bool,
    /// Whether capacity is that of `reps.csv`.
    pub reps_known: bool,
}

impl Today {
    /// Reads present effort from a market.
    pub fn of(market: &Market) -> Self {
        let (customers, territories) = (market.customer_count(), market.territory_count());
        let year = market.last_year();
        let months = year.len() as f64;
        let mean = |channel: Channel, customer: usize| {
            market.calls.as_ref().filter(|_| !market.closed(customer)).map_or(0.0, |calls| {
                let made = calls[channel.index()].of(customer).filter(|(month, _)| year.contains(month));
                made.map(|(_, contacts)| contacts).sum::<f64>() / months
            })
        };
        let contacts: Vec<Vec<f64>> =
            Channel::ALL.iter().map(|&channel| (0..customers).map(|i| mean(channel, i)).collect()).collect();
        let open = |territory: usize| market.customers_of(territory).filter(|&i| !market.closed(i));
        let newcomer = contacts
            .iter()
            .map(|by_customer| {
                (0..territories)
                    .map(|j| open(j).map(|i| by_customer[i]).sum::<f64>() / open(j).count().max(1) as f64)
                    .collect()
            })
            .collect();
        let visits: Vec<f64> =
            (0..territories).map(|j| open(j).map(|i| contacts[Channel::FaceToFace.index()][i]).sum()).collect();
        let reps = rep_capacity(market);
        let (mut capacity, mut prospecting) = (visits.clone(), vec![0.0; territories]);
        if let Some(reps) = &reps {
            for j in 0..territories {
                capacity[j] = reps[j].max(visits[j]);
                if capacity[j] > 0.0 {
                    prospecting[j] = (1.0 - visits[j] / capacity[j]).min(MOST_PROSPECTING);
                    // Travel and office time: what is neither known visits nor believable prospecting.
                    capacity[j] = capacity[j].min(visits[j] / (1.0 - prospecting[j])).max(visits[j]);
                    if visits[j] == 0.0 {
                        capacity[j] = reps[j];
                    }
                }
            }
        }
        Self {
            contacts,
            newcomer,
            capacity,
            prospecting,
            calls_known: market.calls.is_some(),
            reps_known: reps.is_some(),
        }
    }

    /// Channels other than visits that are in use today.
    pub fn channels(&self) -> Vec<Channel> {
        let used = |channel: &Channel| self.contacts[channel.index()].iter().any(|&contacts| contacts > 0.0);
        Channel::ALL.into_iter().filter(|&channel| channel != Channel::FaceToFace).filter(used).collect()
    }
}

/// Calls a month of the reps in office at `history_end`, by territory.
fn rep_capacity(market: &Market) -> Option<Vec<f64>> {
    let mut capacity = vec![0.0; market.territory_count()];
    for posting in market.postings()? {
        capacity[posting.territory] += posting.calls;
    }
    Some(capacity)
}
