//! What moves do to the sales of every company: the equations of loading and choice, month by month.

/// Deviation of the log of a depth around a point of the grid of depths.
pub const STEP: f64 = 0.15;

/// Kinds of moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Demand sold ahead.
    Loading,
    /// A push of the company's log odds.
    Campaign,
    /// A fall of the company's log odds.
    Stockout,
    /// A part of all series is missing, without the month being a bad one otherwise.
    Dip,
}

impl Kind {
    /// Lengths in months.
    pub fn lengths(self) -> &'static [usize] {
        match self {
            Self::Loading => &[1],
            Self::Campaign | Self::Dip => &[1, 2, 3],
            Self::Stockout => &[1, 2],
        }
    }

    /// Points of the grid of depths.
    pub fn depths(self) -> &'static [f64] {
        match self {
            Self::Loading => &[0.04, 0.054, 0.073, 0.099, 0.134, 0.18, 0.24, 0.33, 0.44, 0.6, 0.81, 1.1],
            Self::Campaign | Self::Stockout => &[0.08, 0.108, 0.146, 0.2, 0.27, 0.36, 0.49, 0.66, 0.9],
            Self::Dip => &[0.04, 0.054, 0.073, 0.099, 0.134, 0.18, 0.24, 0.33, 0.44],
        }
    }

    /// Median of the prior of depths, lognormal with a log deviation of [`DEPTH_SD`].
    pub fn usual(self) -> f64 {
        if self == Self::Dip { 0.1 } else { 0.2 }
    }
}

/// Log deviation of the prior of depths.
pub const DEPTH_SD: f64 = 0.8;

/// A move of one company.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    pub company: usize,
    pub first: usize,
    pub length: usize,
    pub kind: Kind,
    pub depth: f64,
}

/// All moves together, and what they do.
#[derive(Debug, Clone)]
pub struct Books {
    months: usize,
    /// Shares without moves, by company and month.
    shares: Vec<Vec<f64>>,
    /// Demand of the month before over the month's.
    before: Vec<f64>,
    push: Vec<Vec<f64>>,
    load: Vec<Vec<f64>>,
    lost: Vec<f64>,
    /// What is in stock at the start of each month, in months of its demand.
    stock: Vec<f64>,
}

impl Books {
    pub fn new(shares: Vec<Vec<f64>>, before: Vec<f64>) -> Self {
        let months = before.len();
        let none = vec![vec![0.0; months]; shares.len()];
        let (push, load) = (none.clone(), none);
        Self { months, shares, before, push, load, lost: vec![0.0; months], stock: vec![0.0; months + 1] }
    }

    /// Enters a move (`sign` 1), or takes it out (-1).
    pub fn enter(&mut self, step: &Move, sign: f64) {
        let months = step.first..(step.first + step.length).min(self.months);
        match step.kind {
            Kind::Loading => {
                self.load[step.company][step.first] =
                    (self.load[step.company][step.first] + sign * step.depth).max(0.0);
                for t in step.first..(step.first + 4).min(self.months) {
                    let left = (self.stock[t] - 1.0).max(0.0);
                    let loaded: f64 = self.load.iter().map(|load| load[t]).sum();
                    let next = if t + 1 < self.months { self.before[t + 1] } else { 1.0 };
                    self.stock[t + 1] = (left + loaded) * next;
                }
            }
            Kind::Campaign => months.for_each(|t| self.push[step.company][t] += sign * step.depth),
            Kind::Stockout => months.for_each(|t| self.push[step.company][t] -= sign * step.depth),
            Kind::Dip => months.for_each(|t| self.lost[t] += sign * step.depth),
        }
    }

    /// Months that a move changes.
    pub fn reach(&self, step: &Move) -> std::ops::Range<usize> {
        // A month takes what is less than its demand; three take the deepest load of the grid with others' on top.
        let shadow = match step.kind {
            Kind::Loading if self.stock[step.first + 1] + 2.0 * step.depth < 1.0 => 1,
            Kind::Loading => 3,
            _ => 0,
        };
        step.first..(step.first + step.length + shadow).min(self.months)
    }

    /// `m_kt` of all companies in a month.
    pub fn month(&self, t: usize, out: &mut Vec<f64>) {
        let attraction: f64 = self.shares.iter().zip(&self.push).map(|(s, push)| s[t] * libm::exp(push[t])).sum();
        let ordered = (1.0 - self.stock[t]).max(0.02) * (1.0 - self.lost[t]).max(0.02);
        for ((share, push), load) in self.shares.iter().zip(&self.push).zip(&self.load) {
            let odds = if attraction > 0.0 { libm::exp(push[t]) / attraction } else { 1.0 };
            out.push(libm::log(odds * ordered + load[t] / share[t].max(1e-6)));
        }
    }

    pub fn shares(&self) -> &[Vec<f64>] {
        &self.shares
    }

    pub fn before(&self) -> &[f64] {
        &self.before
    }

    /// Part of a month's demand that is taken from stock.
    pub fn eaten(&self, t: usize) -> f64 {
        self.stock[t].min(0.98)
    }

    /// Sales of the whole category with moves over those without.
    pub fn category(&self, t: usize) -> f64 {
        let loaded: f64 = self.load.iter().map(|load| load[t]).sum();
        (1.0 - self.stock[t]).max(0.02) * (1.0 - self.lost[t]).max(0.02) + loaded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_missing_afterwards_from_everybody() {
        let mut books = Books::new(vec![vec![0.5; 6], vec![0.3; 6], vec![0.2; 6]], vec![1.0; 6]);
        let load = Move { company: 1, first: 2, length: 1, kind: Kind::Loading, depth: 0.3 };
        books.enter(&load, 1.0);
        let (mut at, mut after) = (Vec::new(), Vec::new());
        books.month(2, &mut at);
        books.month(3, &mut after);
        // Twice the usual sales, then 30% less of everybody's.
        assert!((at[1] - libm::log(2.0)).abs() < 1e-12 && at[0].abs() < 1e-12);
        assert!(after.iter().all(|m| (m - libm::log(0.7)).abs() < 1e-12), "{after:?}");
        let total: f64 = (0..6).map(|t| books.category(t)).sum();
        assert!((total - 6.0).abs() < 1e-12, "what is sold ahead is missing later: {total}");
        books.enter(&load, -1.0);
        assert!((0..6).all(|t| (books.category(t) - 1.0).abs() < 1e-12));
    }

    #[test]
    fn a_campaign_takes_from_the_others() {
        let mut books = Books::new(vec![vec![0.5; 3], vec![0.5; 3]], vec![1.0; 3]);
        books.enter(&Move { company: 1, first: 1, length: 1, kind: Kind::Campaign, depth: libm::log(3.0) }, 1.0);
        let mut at = Vec::new();
        books.month(1, &mut at);
        assert!((at[1] - libm::log(1.5)).abs() < 1e-12 && (at[0] - libm::log(0.5)).abs() < 1e-12);
        assert!((books.category(1) - 1.0).abs() < 1e-12);
    }
}
