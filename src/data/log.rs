//! Collects the problems of a folder: all of them, but only the first of a kind in full.

use std::collections::BTreeMap;

use crate::problem::{Place, Problem, SHOWN};

/// Problems of one class in one column of one file.
type Class = (&'static str, &'static str, usize);

/// Problems found so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    problems: Vec<Problem>,
    /// How many of a class were met, and where the last kept one is.
    seen: BTreeMap<Class, (usize, usize)>,
}

impl Log {
    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds a problem of a class (file, kind, column): beyond the first [`SHOWN`] they are only counted.
    pub fn push_class(&mut self, class: Class, make: impl FnOnce() -> Problem) {
        let (count, last) = self.seen.entry(class).or_default();
        *count += 1;
        if *count <= SHOWN {
            *last = self.problems.len();
            let problem = make();
            self.problems.push(problem);
        } else if let Some(problem) = self.problems.get_mut(*last) {
            problem.more += 1;
        }
    }

    /// All problems: files in the order they were read, lines in order within a file.
    pub fn finish(mut self) -> Vec<Problem> {
        let mut files: Vec<String> = Vec::new();
        for place in self.problems.iter().filter_map(|problem| problem.place.as_ref()) {
            if !files.contains(&place.file) {
                files.push(place.file.clone());
            }
        }
        self.problems.sort_by_key(|problem| match &problem.place {
            Some(place) => (files.iter().position(|file| *file == place.file), place.line),
            None => (None, 0),
        });
        self.problems
    }
}

/// Counts rows that share one problem and remembers the first: one message for all of them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub count: usize,
    pub first: Option<Place>,
}

impl Tally {
    /// Counts a row; `place` is only asked for the first.
    pub fn note(&mut self, place: impl FnOnce() -> Place) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(place());
        }
    }
}

/// "1 row", "2 rows", "12,345 rows".
pub(super) fn counted(count: usize, word: &str) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{out} {word}{}", if count == 1 { "" } else { "s" })
}
