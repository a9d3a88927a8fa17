//! How contacts were received, counted once: `response` of calls.csv by channel, content and part of the day.

use std::collections::BTreeMap;

use crate::channel::Channel;
use crate::data::Response;

use super::Market;

/// Contacts that were made alike and had the same response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Received {
    pub channel: Channel,
    /// Its position among the names of contents.
    pub content: Option<u16>,
    /// `morning`, `afternoon`, `evening`.
    pub part_of_day: Option<&'static str>,
    pub response: Response,
}

/// Number of contacts of each kind whose response is known.
pub fn responses(market: &Market) -> BTreeMap<Received, f64> {
    let mut out = BTreeMap::new();
    for row in market.data.calls.iter().flat_map(|calls| &calls.rows) {
        let Some(response) = row.response else { continue };
        let part_of_day = row.hour.map(part_of_day);
        let kind = Received { channel: row.channel, content: row.content, part_of_day, response };
        *out.entry(kind).or_insert(0.0) += row.calls;
    }
    out
}

/// Part of the day of an hour.
fn part_of_day(hour: u8) -> &'static str {
    match hour {
        0..12 => "morning",
        12..18 => "afternoon",
        _ => "evening",
    }
}
