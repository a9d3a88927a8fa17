//! The months that the market is known for, and rows outside them.

use super::log::{Log, Tally, counted};
use crate::problem::{Place, Problem};
use crate::units::{Month, MonthSpan};

/// Longest history; more is a mistyped year.
pub(super) const LONGEST: usize = 1200;

/// Where the history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// `history_start` of `market.toml`: what comes before contradicts it.
    Written(Month),
    /// The first month of `sales.csv`: what other files hold before it is of no use.
    FirstSale(Month),
    /// Not known yet.
    Open,
}

/// The months a file may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub start: Start,
    /// `None` where `market.toml` does not say it (an error): nothing is then too late.
    pub end: Option<Month>,
}

impl Window {
    /// A watch over the rows of a file.
    pub fn watch(self, file: &'static str) -> Watch {
        Watch { window: self, file, before: Tally::default(), after: Tally::default(), first: None, last: None }
    }

    /// The history, where its start is known.
    pub fn span(self) -> Option<MonthSpan> {
        match self.start {
            Start::Written(start) | Start::FirstSale(start) => MonthSpan::new(start, self.end?),
            Start::Open => None,
        }
    }
}

/// Counts the rows of a file that are outside the history.
pub(super) struct Watch {
    window: Window,
    file: &'static str,
    before: Tally,
    after: Tally,
    /// First and last month met.
    first: Option<Month>,
    last: Option<Month>,
}

impl Watch {
    /// Whether a row of that month is kept.
    pub fn keeps(&mut self, month: Month, place: impl FnOnce() -> Place) -> bool {
        let start = match self.window.start {
            Start::Written(start) | Start::FirstSale(start) => start,
            Start::Open => month,
        };
        if self.window.end.is_some_and(|end| month > end) {
            self.last = self.last.max(Some(month));
            self.after.note(place);
            false
        } else if month < start {
            self.first = Some(self.first.map_or(month, |first| first.min(month)));
            self.before.note(place);
            false
        } else {
            true
        }
    }

    /// Position in the history of the month of a row, where it is kept.
    pub fn position(&mut self, month: Month, place: impl FnOnce() -> Place) -> Option<u16> {
        if !self.keeps(month, place) {
            return None;
        }
        self.window.span()?.position(month).and_then(|position| u16::try_from(position).ok())
    }

    /// Reports the rows outside.
    pub fn report(self, log: &mut Log) {
        let file = self.file;
        if let (Some(place), Some(end), Some(last)) = (self.after.first, self.window.end, self.last) {
            let rows = counted(self.after.count, "row");
            log.push(
                Problem::error(format!("{rows} of `{file}` after `history_end` {end}"))
                    .at(place, "after the history")
                    .help(format!("write history_end = \"{last}\" in market.toml, or delete these rows")),
            );
        }
        let (Some(place), Some(first)) = (self.before.first, self.first) else { return };
        let rows = counted(self.before.count, "row");
        log.push(match self.window.start {
            Start::Written(start) => Problem::error(format!("{rows} of `{file}` before `history_start` {start}"))
                .at(place, "before the history")
                .help(format!("write history_start = \"{first}\" in market.toml, or delete these rows")),
            Start::FirstSale(_) | Start::Open => {
                Problem::warning(format!("{rows} of `{file}` before the first month of sales.csv: left out"))
                    .at(place, "before the first sale")
                    .help(format!(
                        "if nothing was sold in those months, write history_start = \"{first}\" in market.toml"
                    ))
            }
        });
    }
}
