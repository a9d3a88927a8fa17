//! Accounts that one step at a time does not reach, compared as wholes: the likelier stays.

use std::ops::Range;

use super::chain::{Chain, Event, Slot};
use super::moves::{Kind, Move};

/// Passes over all months for a first set of moves.
const MOST: usize = 15;

impl Chain<'_> {
    /// The best candidate of a company's month for what is free there, if it is likelier than none.
    pub(super) fn best(&mut self, company: usize, t: usize) -> Option<(Event, f64)> {
        let free = self.free(company, t);
        let candidates = self.candidates(company, t, &free, true).into_iter();
        candidates.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, weight)| *weight > 0.0)
    }

    /// A first set of moves: the likeliest first, those that are far enough apart in one go.
    pub(super) fn largest_first(&mut self) {
        for _ in 0..MOST {
            let mut found = Vec::new();
            for t in 0..self.months {
                for company in 0..self.movers() {
                    found.extend(self.best(company, t).map(|(event, weight)| (weight, t, event)));
                }
            }
            if found.is_empty() {
                break;
            }
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut months: Vec<usize> = Vec::new();
            for (_, t, event) in found {
                if months.iter().all(|other| other.abs_diff(t) > 4) {
                    months.push(t);
                    self.insert(event);
                }
            }
        }
    }

    /// Four months with three moves or more, or two in the same month: all of them anew, the likeliest first, by moves alone and by
    /// odd months of the whole category besides? The likeliest set stays.
    pub(super) fn crowds(&mut self) {
        for start in 0..self.months {
            let window = start..(start + 4).min(self.months);
            let firsts: Vec<usize> = self
                .active
                .iter()
                .filter_map(|active| match &active.event {
                    Event::Move(step) if window.contains(&step.first) => Some(step.first),
                    _ => None,
                })
                .collect();
            if firsts.len() < 3 && firsts.iter().filter(|&&t| t == start).count() < 2 {
                continue;
            }
            let (mut best, mut highest) = self.emptied(&window);
            for shocks in [false, true] {
                let value = self.filled(&window, best.len() + 2, shocks);
                let (events, _) = self.emptied(&window);
                if value > highest {
                    (best, highest) = (events, value);
                }
            }
            best.into_iter().rev().for_each(|event| self.insert(event));
        }
    }

    /// Takes everything out of a window of months: what was there, last first, and what it was worth.
    fn emptied(&mut self, window: &Range<usize>) -> (Vec<Event>, f64) {
        let inside = |event: &Event| match event {
            Event::Move(step) => window.contains(&step.first),
            Event::Wild(_, t) | Event::Odd(_, t) | Event::Shock(t) => window.contains(t),
            Event::OwnMonth(..) => false,
        };
        let (mut events, mut worth) = (Vec::new(), 0.0);
        while let Some(at) = self.active.iter().rposition(|active| inside(&active.event)) {
            let (event, value) = self.take_out(at);
            events.push(event);
            worth += value;
        }
        (events, worth)
    }

    /// Fills an empty window with at most so many events, the likeliest first: what they are worth.
    fn filled(&mut self, window: &Range<usize>, most: usize, shocks: bool) -> f64 {
        let mut worth = 0.0;
        for _ in 0..most {
            let mut best: Option<(Event, f64)> = None;
            for t in window.clone() {
                for company in 0..self.movers() {
                    let next = self.best(company, t);
                    if next.as_ref().map(|next| next.1) > best.as_ref().map(|best| best.1) {
                        best = next;
                    }
                }
                let shock = Event::Shock(t);
                if shocks && self.position(|event| *event == shock).is_none() {
                    let value = self.worth_of_odd(&shock);
                    if value > best.as_ref().map_or(0.0, |best| best.1) {
                        best = Some((shock, value));
                    }
                }
            }
            let Some((event, value)) = best else { break };
            worth += value;
            self.insert(event);
        }
        worth
    }

    /// A company's moves in the same month of three years or more, or a season of its own? The likelier stays.
    pub(super) fn regular_or_season(&mut self) {
        for company in 0..self.movers() {
            for m in 0..12 {
                let series = self.series;
                let of_year = |t: usize| series.of_year[t] == m;
                let those = |event: &Event| match event {
                    Event::Move(step) => step.company == company && of_year(step.first),
                    Event::Odd(k, t) | Event::Wild(k, t) => *k == company && of_year(*t),
                    _ => false,
                };
                let season = Event::OwnMonth(company, m);
                let present = self.position(|event| *event == season);
                if present.is_none() && self.active.iter().filter(|active| those(&active.event)).count() < 3 {
                    continue;
                }
                let (mut events, mut value) = (Vec::new(), 0.0);
                while let Some(at) = self.position(those) {
                    let (event, worth) = self.take_out(at);
                    value += worth;
                    events.push(event);
                }
                let of_season = match present {
                    Some(_) => {
                        let at = self.position(|event| *event == season);
                        let worth = at.map_or(0.0, |at| self.take_out(at).1);
                        // The account by moves, which is not there, is made.
                        (events, value) = (Vec::new(), 0.0);
                        for t in (0..self.months).filter(|&t| of_year(t)) {
                            if let Some((event, weight)) = self.best(company, t) {
                                self.insert(event.clone());
                                events.push(event);
                                value += weight;
                            }
                        }
                        while let Some(at) = self.position(those) {
                            self.remove(at);
                        }
                        worth
                    }
                    None => self.worth_of_odd(&season),
                };
                if of_season > value {
                    self.insert(season);
                } else {
                    events.into_iter().for_each(|event| self.insert(event));
                }
            }
        }
    }

    /// A load whose dip an odd month of the category hides, or an odd figure alone? The likelier stays.
    pub(super) fn load_or_odd(&mut self) {
        for t in 0..self.months.saturating_sub(1) {
            for company in 0..self.movers() {
                let load = |event: &Event| {
                    matches!(event, Event::Move(step)
                        if step.kind == Kind::Loading && step.company == company && step.first == t)
                };
                let hidden = Event::Shock(t + 1);
                let (Some(_), Some(at)) = (self.position(load), self.position(|event| *event == hidden)) else {
                    continue;
                };
                let (shock, of_shock) = self.take_out(at);
                let Some(at) = self.position(load) else { continue };
                let (step, of_load) = self.take_out(at);
                let wild = Event::Wild(company, t);
                if self.worth_of_odd(&wild) > of_load + of_shock {
                    self.insert(wild);
                } else {
                    self.insert(step);
                    self.insert(shock);
                }
            }
        }
    }

    /// A campaign that begins or ends in a month, or one that is shorter by it and a load besides, what odd months of the category make up
    /// for left out? The likelier stays. To its company a load looks like one more month of a campaign.
    pub(super) fn load_in_campaign(&mut self) {
        for t in 0..self.months {
            for company in 0..self.movers() {
                let at_its_end = |event: &Event| {
                    matches!(event, Event::Move(step)
                        if step.kind == Kind::Campaign && step.company == company
                            && (step.first == t || step.first + step.length == t + 1))
                };
                if self.beginning(company, t, Slot::Figure).is_some() {
                    continue;
                }
                if let Some(at) = self.position(at_its_end) {
                    self.load_in_this(at, t);
                }
            }
        }
    }

    /// The same of one campaign.
    fn load_in_this(&mut self, at: usize, t: usize) {
        let mut were = Vec::new();
        let (campaign, mut before) = self.take_out(at);
        let Event::Move(step) = campaign else { return };
        were.push(Event::Move(step));
        for month in [t, t + 1] {
            if let Some(at) = self.position(|event| *event == Event::Shock(month)) {
                let (event, worth) = self.take_out(at);
                before += worth;
                were.push(event);
            }
        }
        let shorter = Move { first: step.first + usize::from(step.first == t), length: step.length - 1, ..step };
        let (mut are, mut after) = (Vec::new(), 0.0);
        let mut parts = vec![Move { kind: Kind::Loading, first: t, length: 1, ..step }];
        if shorter.length > 0 {
            parts.push(shorter);
        }
        for part in parts {
            let slot = Slot::of(part.kind);
            let taken = self.beginning(part.company, part.first, slot).is_some();
            let same = |event: &Event| matches!(event, Event::Move(found) if found.kind == part.kind && found.length == part.length);
            let candidates = self.candidates(part.company, part.first, &[slot], false).into_iter();
            let best = candidates.filter(|(event, _)| same(event)).max_by(|a, b| a.1.total_cmp(&b.1));
            match best.filter(|_| !taken) {
                Some((event, worth)) => {
                    self.insert(event.clone());
                    are.push(event);
                    after += worth;
                }
                None => after = f64::NEG_INFINITY,
            }
        }
        if after > before {
            return;
        }
        for event in are {
            if let Some(at) = self.position(|other| *other == event) {
                self.remove(at);
            }
        }
        were.into_iter().for_each(|event| self.insert(event));
    }
}
