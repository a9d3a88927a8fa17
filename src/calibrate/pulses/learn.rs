//! Depths, shares, demand and noise, given the moves that are there.

use super::chain::{Chain, Event, OWN_MONTH};
use super::moves::{Books, Move, STEP};

/// Deviation of what is eaten of a month's demand, as a part of it.
pub(super) const UNSURE: f64 = 0.04;

impl Chain<'_> {
    /// Depths, shares, demand and noise anew, given the moves that are there.
    pub(super) fn learn(&mut self) {
        let events: Vec<Event> = self
            .active
            .iter()
            .map(|active| match &active.event {
                Event::Move(step) => {
                    let shifted = step.depth * libm::exp(STEP * self.coefficient(&active.h).0);
                    let depths = step.kind.depths();
                    Event::Move(Move { depth: shifted.clamp(0.5 * depths[0], 1.5 * depths[depths.len() - 1]), ..*step })
                }
                other => other.clone(),
            })
            .collect();
        let mut own_months = vec![[0.0; 12]; self.companies];
        for active in &self.active {
            if let Event::OwnMonth(k, m) = active.event {
                own_months[k][m] = OWN_MONTH.1 * self.coefficient(&active.h).0;
            }
        }
        let nothing = vec![vec![0.0; self.months]; self.companies];
        let entered = |shares: Vec<Vec<f64>>, before: Vec<f64>, all: bool| {
            let mut books = Books::new(shares, before);
            for event in events.iter().filter(|_| all) {
                if let Event::Move(step) = event {
                    books.enter(step, 1.0);
                }
            }
            books
        };
        // What moves do depends on the shares and on demand, which depend on what moves do.
        let mut pulled = vec![0.0; self.months];
        self.q.iter().enumerate().for_each(|(i, q)| pulled[i / self.companies] += q);
        let common = self.noise.expected(&pulled);
        let before: Vec<f64> = (0..self.months)
            .map(|t| if t > 0 { libm::exp((common[t - 1] - common[t]).clamp(-0.7, 0.7)) } else { 1.0 })
            .collect();
        let mut clean = nothing;
        let mut books = self.books.clone();
        for _ in 0..2 {
            for t in 0..self.months {
                let mut m = Vec::new();
                books.month(t, &mut m);
                for ((clean, sales), m) in clean.iter_mut().zip(&self.series.sales).zip(&m) {
                    clean[t] = sales[t] * libm::exp(-m);
                }
            }
            books = entered(shares(&clean), before.clone(), true);
        }
        self.noise.nothing_odd(&self.series.sales);
        for (t, shock) in self.noise.shocks.iter_mut().enumerate() {
            // Where little is left to order, what is left is known badly.
            let eaten = books.eaten(t);
            let unsure = UNSURE * eaten / (1.0 - eaten);
            *shock = unsure * unsure;
        }
        self.count_as_noise(&events, 1.0);
        let mut residuals = self.z.clone();
        for t in 0..self.months {
            let mut m = Vec::new();
            books.month(t, &mut m);
            for ((residuals, own_months), m) in residuals.iter_mut().zip(&own_months).zip(&m) {
                residuals[t] -= m + own_months[self.series.of_year[t]];
            }
        }
        self.noise.climb(&residuals);
        // Odd figures and months are events of the chain again, not variances.
        self.count_as_noise(&events, -1.0);
        self.books = entered(books.shares().to_vec(), books.before().to_vec(), false);
        self.rebuild(events);
    }
}

impl Chain<'_> {
    /// Adds the variances of odd figures and months to the noise (`sign` 1), or takes them off (-1).
    fn count_as_noise(&mut self, events: &[Event], sign: f64) {
        for event in events {
            let variance = event.odd().map_or(0.0, |(_, deviation)| sign * (deviation * deviation));
            match *event {
                Event::Odd(k, t) | Event::Wild(k, t) => self.noise.odd[k][t] += variance,
                Event::Shock(t) => self.noise.shocks[t] += variance,
                Event::Move(_) | Event::OwnMonth(..) => {}
            }
        }
    }
}

/// Shares of the companies, smoothed by a running median of 13 months.
pub(super) fn shares(sales: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let months = sales.first().map_or(0, Vec::len);
    let total: Vec<f64> = (0..months).map(|t| sales.iter().map(|s| s[t]).sum::<f64>().max(1e-300)).collect();
    let mut out: Vec<Vec<f64>> = sales
        .iter()
        .map(|s| {
            let share = |u: usize| s[u] / total[u];
            (0..months)
                .map(|t| median((t.saturating_sub(6)..(t + 7).min(months)).map(share).collect()).max(1e-4))
                .collect()
        })
        .collect();
    for t in 0..months {
        let sum: f64 = out.iter().map(|s: &Vec<f64>| s[t]).sum();
        out.iter_mut().for_each(|s| s[t] /= sum);
    }
    out
}

/// Robust deviation of a company's logs from what it shares with the others (the month's median of all), without drift.
pub(super) fn robust_scatter(z: &[Vec<f64>], company: usize) -> f64 {
    let months = z[company].len();
    let own: Vec<f64> = if z.len() > 2 {
        (0..months).map(|t| z[company][t] - median(z.iter().map(|z| z[t]).collect())).collect()
    } else if z.len() == 2 {
        (0..months).map(|t| 0.7 * (z[company][t] - z[1 - company][t])).collect()
    } else {
        return 0.01;
    };
    let steps: Vec<f64> = own.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    1.4826 * median(steps) / std::f64::consts::SQRT_2
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { 0.5 * (values[middle - 1] + values[middle]) }
}
