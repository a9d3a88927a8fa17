//! Accounts that one step at a time does not reach, compared as wholes: the likelier stays.

use super::chain::{Active, Chain, Event, OWN_MONTH, WILD, log_odds};
use super::moves::Kind;

/// Passes over all months for a first set of moves.
const MOST: usize = 15;

impl Chain<'_> {
    /// The best candidate of a company's month, if it is likelier than none.
    pub(super) fn best(&mut self, company: usize, t: usize) -> Option<(Event, f64)> {
        let candidates = self.candidates(company, t, true).into_iter();
        candidates.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, weight)| *weight > 0.0)
    }

    /// A first set of moves: the likeliest first, those that are far enough apart in one go.
    pub(super) fn largest_first(&mut self) {
        for _ in 0..MOST {
            let mut found = Vec::new();
            for t in 0..self.months {
                for company in 0..self.movers() {
                    let taken = |event: &Event| match event {
                        Event::Move(step) => (step.company, step.first) == (company, t),
                        Event::Wild(k, at) => (*k, *at) == (company, t),
                        _ => false,
                    };
                    if self.position(taken).is_none() {
                        found.extend(self.best(company, t).map(|(event, weight)| (weight, t, event)));
                    }
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

    /// Four months with three moves or more: all of them anew, the likeliest first? The likelier set stays.
    pub(super) fn crowds(&mut self) {
        for start in 0..self.months {
            let window = start..(start + 4).min(self.months);
            let inside = |event: &Event| match event {
                Event::Move(step) => window.contains(&step.first),
                Event::Wild(_, t) | Event::Odd(_, t) | Event::Shock(t) => window.contains(t),
                Event::OwnMonth(..) => false,
            };
            let moves = |active: &Active| matches!(active.event, Event::Move(_)) && inside(&active.event);
            if self.active.iter().filter(|active| moves(active)).count() < 3 {
                continue;
            }
            let (mut before, mut old) = (Vec::new(), 0.0);
            while let Some(at) = self.position(inside) {
                let (event, worth) = self.take_out(at);
                old += worth;
                before.push(event);
            }
            let mut new = 0.0;
            for _ in 0..before.len() + 2 {
                let mut best: Option<(Event, f64)> = None;
                for t in window.clone() {
                    for company in 0..self.movers() {
                        let here =
                            |event: &Event| matches!(event, Event::Move(s) if (s.company, s.first) == (company, t));
                        if self.position(here).is_some() {
                            continue;
                        }
                        let next = self.best(company, t);
                        if next.as_ref().map(|next| next.1) > best.as_ref().map(|best| best.1) {
                            best = next;
                        }
                    }
                }
                let Some((event, weight)) = best else { break };
                new += weight;
                self.insert(event);
            }
            if new < old {
                while let Some(at) = self.position(inside) {
                    self.remove(at);
                }
                before.into_iter().rev().for_each(|event| self.insert(event));
            }
        }
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
                let (_, h) = self.effect(&season);
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
                    None => log_odds(OWN_MONTH.0) + self.evidence(&Vec::new(), &h),
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
                let (_, h) = self.effect(&wild);
                if log_odds(WILD.0) + self.evidence(&Vec::new(), &h) > of_load + of_shock {
                    self.insert(wild);
                } else {
                    self.insert(step);
                    self.insert(shock);
                }
            }
        }
    }
}
