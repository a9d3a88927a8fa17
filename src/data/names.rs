//! Names without a file of their own: segments, lists, products, contents of calls.

use std::collections::BTreeMap;

use super::table::canonical;

/// Names in the order they were met, to be sorted when all are known.
#[derive(Debug, Default)]
pub(super) struct Names {
    index: BTreeMap<Box<str>, usize>,
}

impl Names {
    /// Index of a name, adding it when new; `None` for a blank.
    pub fn intern(&mut self, name: &str) -> Option<usize> {
        let name = canonical(name);
        if name.is_empty() {
            return None;
        }
        if let Some(&index) = self.index.get(name.as_ref()) {
            return Some(index);
        }
        let index = self.index.len();
        self.index.insert(name.into(), index);
        Some(index)
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// The names in order, and the place of each index among them.
    pub fn sorted(self) -> (Vec<String>, Vec<usize>) {
        let mut rank = vec![0; self.index.len()];
        for (position, &index) in self.index.values().enumerate() {
            rank[index] = position;
        }
        (self.index.into_keys().map(String::from).collect(), rank)
    }
}
