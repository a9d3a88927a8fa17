//! The calendar: feasts that wander through the year, the user's own events, public holidays and working days.
//!
//! A month's demand follows the month of the year (the season) and, on top, what falls into that month in that year alone:
//! Ramazan and the two bayrams move about 11 days a year through the months, Easter between March and April. The season
//! cannot carry them, so they are covariates: [`Exposures`] says which share of each month's days lies before, in and
//! after each event, and [`Feasts`] turns that into a factor of demand, in the simulator and in the likelihood alike.
//!
//! | file | what |
//! |---|---|
//! | `turkiye` | official dates of Türkiye, 2000 to 2032, computed ones before and after |
//! | `islamic` | the tabular Islamic calendar, for years without official dates |
//! | `united_states` | Easter, Thanksgiving and the federal holidays |
//! | `exposure` | share of a month's days before, in and after each event |
//! | `feasts` | what that does to demand |
//!
//! Regions that are not known here have no feasts, and whoever asks is told so ([`Calendar::known`]).

mod exposure;
mod feasts;
mod islamic;
mod turkiye;
mod united_states;

pub use exposure::{Covariate, Exposures};
pub use feasts::Feasts;
pub use turkiye::OFFICIAL as OFFICIAL_YEARS_OF_TURKIYE;

use std::collections::BTreeMap;

use crate::units::{Date, Month, days_in};

/// Days before an event in which customers stock up.
pub const DAYS_BEFORE: i64 = 10;
/// Days after an event in which they live on what they have.
pub const DAYS_AFTER: i64 = 7;

/// Where a date comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Announced, or fixed by a rule that is the law (Easter, Thanksgiving).
    Official,
    /// Computed by a rule that may miss the announced date by a day.
    Computed,
    /// From the user's `calendar.csv`.
    Yours,
}

/// The days of an event in one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// The first full day.
    pub first: Date,
    /// The last day, included.
    pub last: Date,
    /// The afternoon before the first day belongs to it (arife).
    pub eve: bool,
    pub status: Status,
}

/// What kind of days an event has, and so which effects on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Days before, in and after it.
    Feast,
    /// The days of the month of fasting alone; what comes after it is a feast of its own.
    Fast,
}

/// An event that demand may follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Plain name for columns, e.g. `ramazan_bayrami`; unique in a calendar.
    pub id: String,
    /// Name for people.
    pub title: String,
    pub kind: Kind,
    /// It is one of the user's.
    pub own: bool,
}

/// A public holiday.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holiday {
    pub date: Date,
    /// Work ends at noon.
    pub half: bool,
    pub title: &'static str,
    pub status: Status,
}

/// The regions whose feasts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Region {
    Turkiye,
    UnitedStates,
}

/// The calendar of a market: its region's feasts and the user's own events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    region: Option<Region>,
    events: Vec<Event>,
    /// Occurrences of the user's events, by position among `events` after the built-in ones.
    own: Vec<Vec<Occurrence>>,
}

impl Calendar {
    /// The calendar of a region ("TR", "US"; `None` and any other name have no feasts) with the user's own events: name,
    /// first and last day. Rows of the same name are one event that took place more than once.
    pub fn new<'a>(region: Option<&str>, own: impl IntoIterator<Item = (&'a str, Date, Date)>) -> Self {
        let region = match region {
            Some("TR") => Some(Region::Turkiye),
            Some("US") => Some(Region::UnitedStates),
            _ => None,
        };
        let built_in: &[(&str, &str, Kind)] = match region {
            Some(Region::Turkiye) => &turkiye::EVENTS,
            Some(Region::UnitedStates) => &united_states::EVENTS,
            None => &[],
        };
        let event = |&(id, title, kind): &(&str, &str, Kind)| Event {
            id: id.to_owned(),
            title: title.to_owned(),
            kind,
            own: false,
        };
        let mut events: Vec<Event> = built_in.iter().map(event).collect();
        let mut by_name: BTreeMap<&str, Vec<Occurrence>> = BTreeMap::new();
        for (name, first, last) in own {
            let occurrence = Occurrence { first, last, eve: false, status: Status::Yours };
            by_name.entry(name).or_default().push(occurrence);
        }
        let mut own = Vec::new();
        for (name, occurrences) in by_name {
            let mut id = plain(name);
            while events.iter().any(|event| event.id == id) {
                id.push_str("_own");
            }
            events.push(Event { id, title: name.to_owned(), kind: Kind::Feast, own: true });
            own.push(occurrences);
        }
        Self { region, events, own }
    }

    /// A calendar without any event.
    pub fn empty() -> Self {
        Self::new(None, [])
    }

    /// The region's feasts are known here.
    pub fn known(&self) -> bool {
        self.region.is_some()
    }

    /// All events, the region's first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The days of an event (position in [`Calendar::events`]) whose first day lies in the years `from..=to`, in time
    /// order for built-in ones. All of the user's are given, whatever the years.
    pub fn occurrences(&self, event: usize, from: i32, to: i32) -> Vec<Occurrence> {
        let built_in = self.events.len() - self.own.len();
        if let Some(own) = event.checked_sub(built_in) {
            return self.own.get(own).cloned().unwrap_or_default();
        }
        let years = from.max(1)..=to.min(9998);
        match self.region {
            Some(Region::Turkiye) => years.flat_map(|year| turkiye::occurrences(event, year)).collect(),
            Some(Region::UnitedStates) => years.flat_map(|year| united_states::occurrences(event, year)).collect(),
            None => Vec::new(),
        }
    }

    /// Public holidays of a year by date; none where the region is not known. The user's events are no holidays.
    pub fn holidays(&self, year: i32) -> Vec<Holiday> {
        let mut out = match self.region {
            Some(Region::Turkiye) => turkiye::holidays(year),
            Some(Region::UnitedStates) => united_states::holidays(year),
            None => Vec::new(),
        };
        out.sort();
        out
    }

    /// Working days of a month: Monday to Friday without public holidays, half ones by half.
    pub fn working_days(&self, month: Month) -> f64 {
        let holidays = self.holidays(month.year());
        (1..=days_in(month))
            .filter_map(|day| Date::new(month.year(), month.of_year() as u32 + 1, day))
            .filter(|date| date.weekday() < 5)
            .map(|date| {
                let off = holidays.iter().filter(|holiday| holiday.date == date);
                1.0 - off.map(|holiday| if holiday.half { 0.5 } else { 1.0 }).fold(0.0, f64::max)
            })
            .sum()
    }
}

/// A name in plain small letters for columns: Turkish letters without their marks, anything else an underscore.
fn plain(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        let c = match c {
            'ı' | 'İ' | 'I' => 'i',
            'ş' | 'Ş' => 's',
            'ğ' | 'Ğ' => 'g',
            'ç' | 'Ç' => 'c',
            'ö' | 'Ö' => 'o',
            'ü' | 'Ü' => 'u',
            c if c.is_alphanumeric() => c.to_lowercase().next().unwrap_or(c),
            _ => '_',
        };
        if c != '_' || !(out.is_empty() || out.ends_with('_')) {
            out.push(c);
        }
    }
    let out = out.trim_end_matches('_');
    if out.is_empty() { "event".to_owned() } else { out.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn own_events_have_names_of_their_own() {
        let rows = [
            ("Kurban Bayramı", date("2024-01-01"), date("2024-01-02")),
            ("Eczacılar Günü", date("2023-05-14"), date("2023-05-14")),
            ("Eczacılar Günü", date("2024-05-14"), date("2024-05-14")),
        ];
        let calendar = Calendar::new(Some("TR"), rows);
        let ids: Vec<&str> = calendar.events().iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, ["ramazan", "ramazan_bayrami", "kurban_bayrami", "eczacilar_gunu", "kurban_bayrami_own"]);
        assert_eq!(calendar.occurrences(3, 2023, 2023).len(), 2);
        assert_eq!(calendar.occurrences(3, 2023, 2023)[0].status, Status::Yours);
    }

    #[test]
    fn an_unknown_region_has_no_feasts() {
        for region in [None, Some("FR")] {
            let calendar = Calendar::new(region, []);
            assert!(!calendar.known() && calendar.events().is_empty() && calendar.holidays(2024).is_empty());
            assert_eq!(calendar.working_days(Month::new(2024, 5).unwrap()), 23.0);
        }
    }

    #[test]
    fn working_days_by_hand() {
        let turkiye = Calendar::new(Some("TR"), []);
        // April 2024: 22 weekdays less the eve's afternoon (Tuesday 9th), the 10th to 12th and the 23rd.
        assert_eq!(turkiye.working_days(Month::new(2024, 4).unwrap()), 17.5);
        // 28 October 2024 is a Monday of half a day, the 29th is off.
        assert_eq!(turkiye.working_days(Month::new(2024, 10).unwrap()), 21.5);
        let states = Calendar::new(Some("US"), []);
        // November 2024: 21 weekdays less Veterans Day and Thanksgiving.
        assert_eq!(states.working_days(Month::new(2024, 11).unwrap()), 19.0);
    }
}
