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
                let (mut events, mut value) = self.take_out_all(those);
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

    /// To its company a load looks like one more month of a campaign, like a campaign of a month, or like an odd figure. So: a campaign that
    /// begins or ends in a month, or an odd figure, or a load there and the campaign shorter by it, without what odd months of the category
    /// make up for? The likelier stays. What campaigns of several companies take from the others looks like an odd month, and dips after
    /// every December like the season: all those of a month are tried together, and all those of a month of the year.
    pub(super) fn load_instead(&mut self) {
        for m in 0..12 {
            let months: Vec<usize> = (0..self.months).filter(|&t| self.series.of_year[t] == m).collect();
            let places: Vec<(usize, usize)> = months
                .iter()
                .flat_map(|&t| (0..self.movers()).map(move |company| (company, t)))
                .filter(|&(company, t)| self.may_be_load(company, t).is_some())
                .collect();
            self.loads_instead(&places);
            for &t in &months {
                let those: Vec<_> = places.iter().copied().filter(|place| place.1 == t).collect();
                if those.len() > 1 {
                    self.loads_instead(&those);
                }
                those.iter().for_each(|place| self.loads_instead(&[*place]));
            }
        }
    }

    /// Where stands what may be a load of a company in a month in which it has none.
    fn may_be_load(&self, company: usize, t: usize) -> Option<usize> {
        let loads = |event: &Event| {
            matches!(event, Event::Move(step)
                if step.kind == Kind::Loading && step.company == company && step.first == t)
        };
        if self.position(loads).is_some() {
            return None;
        }
        self.position(|event| match event {
            Event::Move(step) => {
                let at_an_end = step.first == t || step.first + step.length == t + 1;
                step.kind == Kind::Campaign && step.company == company && at_an_end
            }
            Event::Odd(of, at) | Event::Wild(of, at) => (*of, *at) == (company, t),
            Event::Shock(_) | Event::OwnMonth(..) => false,
        })
    }

    /// Loads in these months of these companies, all or none.
    fn loads_instead(&mut self, places: &[(usize, usize)]) {
        let (mut were, mut before, mut parts): (Vec<Event>, f64, Vec<Move>) = (Vec::new(), 0.0, Vec::new());
        for &(company, t) in places {
            let Some(at) = self.may_be_load(company, t) else { continue };
            let (event, worth) = self.take_out(at);
            before += worth;
            let kind = Kind::Loading;
            parts.push(Move { company, first: t, length: 1, kind, depth: kind.usual() });
            if let Event::Move(step) = &event {
                parts.push(Move { first: step.first + usize::from(step.first == t), length: step.length - 1, ..*step });
            }
            were.push(event);
        }
        if were.is_empty() {
            return;
        }
        // Odd months go, and loads of others in the same months are judged anew: they have been taken for larger than they are.
        let in_one = |t: usize| places.iter().any(|place| place.1 == t);
        let (beside, worth) = self.take_out_all(|event| match event {
            Event::Shock(t) => in_one(*t) || (*t > 0 && in_one(*t - 1)),
            Event::Move(step) => step.kind == Kind::Loading && in_one(step.first),
            _ => false,
        });
        parts.extend(beside.iter().filter_map(|event| if let Event::Move(step) = event { Some(*step) } else { None }));
        were.extend(beside);
        parts.retain(|part| part.length > 0);
        // Loads first: what is left of the campaigns is judged beside them.
        parts.sort_by_key(|part| (part.kind, part.first, part.company));
        let after = self.likeliest_depths(&parts).filter(|(_, after)| *after > before + worth);
        after.map_or(were, |(are, _)| are).into_iter().for_each(|event| self.insert(event));
    }

    /// Takes out all that are meant: they, and what they were worth.
    fn take_out_all(&mut self, meant: impl Fn(&Event) -> bool) -> (Vec<Event>, f64) {
        let (mut events, mut worth) = (Vec::new(), 0.0);
        while let Some(at) = self.position(&meant) {
            let (event, value) = self.take_out(at);
            events.push(event);
            worth += value;
        }
        (events, worth)
    }

    /// Moves of these kinds and lengths, none of which is there, at their likeliest depths: they, and what they are worth together. `None` where
    /// something else begins in a place of theirs.
    fn likeliest_depths(&mut self, parts: &[Move]) -> Option<(Vec<Event>, f64)> {
        let mut events: Vec<Event> = Vec::new();
        for part in parts {
            let Some(event) = self.likeliest_depth(*part) else { break };
            self.insert(event.clone());
            events.push(event);
        }
        let all = events.len() == parts.len();
        if all {
            // The first were judged without the others: once more, given all.
            for (event, part) in events.iter_mut().zip(parts) {
                if let Some(at) = self.position(|other| other == event) {
                    self.remove(at);
                }
                if let Some(anew) = self.likeliest_depth(*part) {
                    self.insert(anew.clone());
                    *event = anew;
                }
            }
        }
        let mut worth = 0.0;
        for event in events.iter().rev() {
            if let Some(at) = self.position(|other| other == event) {
                worth += self.take_out(at).1;
            }
        }
        all.then_some((events, worth))
    }

    /// A move of this kind and length at its likeliest depth; `None` where something else begins there.
    fn likeliest_depth(&mut self, step: Move) -> Option<Event> {
        let slot = Slot::of(step.kind);
        if self.beginning(step.company, step.first, slot).is_some() {
            return None;
        }
        let same = |event: &Event| matches!(event, Event::Move(found) if found.kind == step.kind && found.length == step.length);
        let candidates = self.candidates(step.company, step.first, &[slot], false).into_iter();
        let best = candidates.filter(|(event, _)| same(event)).max_by(|a, b| a.1.total_cmp(&b.1));
        best.map(|(event, _)| event)
    }
}
