//! Reps leave, seats stay vacant, successors ramp up, and part of what they knew goes with them.
//!
//! # Seats
//!
//! A territory's seats are those of its reps at the start ([`Territory::reps`]; where none are known nobody leaves). At
//! the beginning of a month a rep leaves with chance `p = 1 - exp(-leave)`; a seat that is then vacant is filled at
//! once with chance `q = 1 / (1 + vacancy_months)`, so that it stays empty for a geometric number of months of that
//! mean. A successor in its a-th month (a = 0, 1, ...) is worth `ramp_start + (1 - ramp_start) a / ramp_months` of a
//! rep, at most 1.
//!
//! This is a renewal process: a cycle is the months worked, of mean 1 / p, and those of the vacancy. With
//! `D = sum over a < ramp_months of (1 - p)^a (1 - a / ramp_months)` a seat is worth, in the long run (renewal-reward
//! theorem),
//!
//! `L = (1 - p (1 - ramp_start) D) / (1 + p vacancy_months)`, and one rep leaves it in `1 / rate` months,
//! `rate = p / (1 + p vacancy_months)`.
//!
//! Capacity as measured already contains that: it is multiplied by `(sum calls_k worth_k / sum calls_k) / L`, and seats
//! begin as they are in the long run (drawn), so that capacity is on average what the policy says in every month.
//!
//! # Customers
//!
//! Those of a rep that leaves lose, at once, the share `knowledge_loss` of their goodwill, and `relationship` log odds
//! R that come back as the successor wins trust, by `1 - relationship_decay` a month. Of a planned hand-over
//! (`Phase::handovers`) it is `1 - handover` of both. With l the part lost this month (1, `1 - handover` or 0), what is
//! felt in the choice is the deviation x from what is lost on average, which appeals contain:
//! `x' = relationship_decay x + R (l - rate)`, of mean 0; and likewise goodwill is kept by
//! `(1 - knowledge_loss l) / (1 - knowledge_loss rate)`, whose mean is 1, since the decay that was measured contains
//! it.
//!
//! Size: sales to customers of reps that left were 13.2% to 17.6% less a year, in all accounts handed to others (Shi,
//! Sridhar, Grewal & Lilien 2017, "Sales representative departures and customer reassignment strategies in
//! business-to-business markets", Journal of Marketing 81). Goodwill that fades in months cannot carry that: all of a
//! goodwill of 0.55 with decay 0.7 is worth 5% of a year's sales. So most of it is R; a test holds the defaults to that
//! range. Better assignments would have saved 40% of the loss (the authors' summary for the American Marketing
//! Association): `handover`.
//!
//! Assumptions: hazards do not depend on the rep's success or on who else left; a vacant seat's calls are missing to
//! the territory's plan as a whole; more or fewer reps by a policy scale capacity, and the seats stay those of today.

use std::ops::Range;

use crate::lanes::{F32x16, Simd, U32x16, WIDTH, Words as _};
use crate::rng::{Purpose, uniform_f64};
use crate::simulate::{Agents, Attributes, Here, Mechanism, Month, Now, Territory};

/// Seats that a territory tells apart; further reps share them.
pub const SEATS: usize = 32;

/// Reps leave, seats stay vacant, successors ramp up, and part of what they knew goes with them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turnover {
    /// Hazard a month that a rep leaves.
    pub leave: f64,
    /// Mean months that a seat stays vacant.
    pub vacancy_months: f64,
    /// Months until a successor is worth a full rep, and what it is worth in its first.
    pub ramp_months: f64,
    pub ramp_start: f64,
    /// Share of goodwill that goes with the rep, unplanned.
    pub knowledge_loss: f64,
    /// Log odds of choosing us that go with it, and the share of them that is still missing a month later.
    pub relationship: f64,
    pub relationship_decay: f64,
    /// Share of both that a planned hand-over saves.
    pub handover: f64,
}

/// Centres of the priors. 27% of salespeople leave a year (as cited in "How to predict turnover on your sales team",
/// Harvard Business Review, July 2017; Sunder, Kumar, Goreczny & Maurer 2017, "Why do salespeople quit?", Journal of
/// Marketing Research 54, is the study behind it); half of 736 new hires were fully productive within 3 to 6 months,
/// and 42% later (Sales Benchmark Index). Vacancy, the first month's worth, and how the measured loss parts into
/// goodwill and relationship and fades (half in six months) are assumptions.
impl Default for Turnover {
    fn default() -> Self {
        Self {
            leave: 0.026,
            vacancy_months: 2.0,
            ramp_months: 6.0,
            ramp_start: 0.5,
            knowledge_loss: 0.5,
            relationship: 0.45,
            relationship_decay: 0.89,
            handover: 0.4,
        }
    }
}

impl Turnover {
    /// Chance a month that a rep leaves, where the hazard is so many times that of today.
    pub fn leaves(&self, times: f64) -> f64 {
        -libm::expm1(-(self.leave * times).max(0.0))
    }

    /// Chance a month that a vacant seat is filled.
    pub fn arrives(&self) -> f64 {
        1.0 / (1.0 + self.vacancy_months.max(0.0))
    }

    /// What a rep is worth after so many months; one below 0 is a vacant seat.
    pub fn worth(&self, tenure: i32) -> f64 {
        let months = f64::from(tenure);
        if tenure < 0 {
            0.0
        } else if months < self.ramp_months {
            self.ramp_start + (1.0 - self.ramp_start) * (months / self.ramp_months)
        } else {
            1.0
        }
    }

    /// Months after which a rep is worth a full one.
    fn ramped(&self) -> i32 {
        self.ramp_months.clamp(0.0, 1200.0).ceil() as i32
    }

    /// What a seat is worth in the long run.
    pub fn long_run(&self) -> f64 {
        let p = self.leaves(1.0);
        let (mut stays, mut lacking) = (1.0, 0.0);
        for months in 0..self.ramped() {
            lacking += stays * (1.0 - self.worth(months));
            stays *= 1.0 - p;
        }
        // Above 0 even where nobody ever becomes worth anything.
        ((1.0 - p * lacking) / (1.0 + p * self.vacancy_months.max(0.0))).max(1e-3)
    }

    /// Reps that leave a seat a month, in the long run.
    pub fn rate(&self) -> f64 {
        let p = self.leaves(1.0);
        p / (1.0 + p * self.vacancy_months.max(0.0))
    }

    /// A seat in any month of the long run: months that its rep has been there, or -1; rises with `uniform` from vacant
    /// to long there.
    fn at_start(&self, uniform: f64) -> i32 {
        let p = self.leaves(1.0);
        let vacant = self.rate() * self.vacancy_months.max(0.0);
        if uniform < vacant {
            return -1;
        }
        let longer = (1.0 - uniform) / (1.0 - vacant);
        // Longer than a months with chance (1 - p)^a.
        let months = libm::log(longer) / libm::log1p(-p);
        if months < f64::from(self.ramped()) { months.max(0.0) as i32 } else { self.ramped() }
    }

    /// A seat's next month, with whether its rep left: from its tenure, with chance `p` to leave.
    fn next(&self, tenure: i32, p: f64, leaves: f64, arrives: f64) -> (i32, bool) {
        let left = tenure >= 0 && leaves < p;
        let vacant = left || tenure < 0;
        let next = if !vacant {
            (tenure + 1).min(self.ramped())
        } else if arrives < self.arrives() {
            0
        } else {
            -1
        };
        (next, left)
    }
}

/// The seats of a territory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seats {
    count: usize,
    /// Calls a month by seat, and all together.
    calls: [f64; SEATS],
    total: f64,
    /// Months that the rep has been there, no more than the ramp; below 0 where vacant.
    tenure: [i32; SEATS],
    long_run: f64,
    /// Reps that leave a seat a month on average.
    rate: f64,
    /// Whether any customer has ever had anything to lose.
    moved: bool,
}

/// Keys the words of a seat.
fn seat_hash(territory: u64, seat: usize) -> u64 {
    territory ^ (seat as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Mechanism for Turnover {
    /// The seat of each customer's rep, as a bit.
    type Traits = U32x16;
    /// Log odds that are missing against the average.
    type Memory = F32x16;
    type Ground = Seats;

    // Words are those of seats.
    const DRAWS: u64 = 0;

    fn traits(agents: &Agents, range: Range<usize>) -> U32x16 {
        let mut seats = Attributes::block_of_words(&agents.more.rep, range);
        for seat in &mut seats.0 {
            *seat = 1 << (*seat as usize % SEATS);
        }
        seats
    }
    fn memory(_: &Agents, _: Range<usize>) -> F32x16 {
        F32x16([0.0; WIDTH])
    }
    fn ground(&self, _: &Agents, territory: &Territory) -> Seats {
        let mut calls = [0.0; SEATS];
        for (rep, &of_rep) in territory.reps.iter().enumerate() {
            calls[rep % SEATS] += of_rep.max(0.0);
        }
        let total = calls.iter().sum();
        let count = if total > 0.0 { territory.reps.len().min(SEATS) } else { 0 };
        let rate = if count > 0 { self.rate() } else { 0.0 };
        Seats { count, calls, total, tenure: [-1; SEATS], long_run: self.long_run(), rate, moved: rate > 0.0 }
    }

    #[inline(always)]
    fn here(&self, month: &Month<'_>, seats: &mut Seats, here: &mut Here) {
        if seats.count > 0 {
            let p = self.leaves(f64::from(month.moves().leaving));
            let mut worth = 0.0;
            for seat in 0..seats.count {
                let hash = seat_hash(month.hash, seat);
                let words = month.key.words(hash, month.index as u32, Purpose::RepLeaves.group());
                let uniform = |purpose: Purpose| uniform_f64(words[purpose.word()], 0);
                let before =
                    if month.index == 0 { self.at_start(uniform(Purpose::RepAtStart)) } else { seats.tenure[seat] };
                let (tenure, left) = self.next(before, p, uniform(Purpose::RepLeaves), uniform(Purpose::RepArrives));
                seats.tenure[seat] = tenure;
                here.departed |= u32::from(left) << seat;
                worth += seats.calls[seat] * self.worth(tenure);
            }
            here.capacity *= worth / seats.total / seats.long_run;
        }
        if month.index == month.phase.from {
            here.handed_over = month.phase.handovers.get(month.territory).copied().unwrap_or(0);
        }
        seats.moved |= (here.departed | here.handed_over) != 0;
    }

    #[inline(always)]
    fn step<V: Simd>(
        &self,
        _: &Month<'_>,
        here: &Here,
        seats: &mut Seats,
        bits: &U32x16,
        memory: &mut F32x16,
        now: &mut Now<'_, V>,
    ) {
        if !seats.moved {
            return;
        }
        let mut missing = V::load(memory) * V::of(self.relationship_decay) - V::of(self.relationship * seats.rate);
        let mut kept = V::of(1.0 / (1.0 - self.knowledge_loss * seats.rate));
        if (here.departed | here.handed_over) != 0 {
            let bits = V::Words::load(bits);
            let planned = V::keep(bits.shares_bit(V::Words::splat(here.handed_over)), V::of(1.0 - self.handover));
            let lost = V::choose(bits.shares_bit(V::Words::splat(here.departed)), V::splat(1.0), planned);
            missing = missing + V::of(self.relationship) * lost;
            kept = kept * (V::splat(1.0) - V::of(self.knowledge_loss) * lost);
        }
        // Who is not known yet has no rep to lose.
        missing = V::keep(now.is.known, missing);
        now.kept = now.kept * kept;
        now.utility = now.utility - missing;
        *memory = missing.store();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::RunKey;

    const KEY: RunKey = RunKey { seed: 11, run: 5 };

    #[test]
    fn hand_computed_ramp() {
        let turnover = Turnover { ramp_months: 4.0, ramp_start: 0.2, ..Turnover::default() };
        let worth: Vec<f64> = (-1..6).map(|tenure| turnover.worth(tenure)).collect();
        for (worth, wanted) in worth.iter().zip([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.0]) {
            assert!((worth - wanted).abs() < 1e-12, "{worth} {wanted}");
        }
        assert_eq!(Turnover { ramp_months: 0.0, ..turnover }.worth(0), 1.0);
    }

    #[test]
    fn hand_computed_long_run() {
        // p = 0.5; a ramp of 2 months from 0: lacking 1 + 0.5 * 0.5 = 1.25 months of a cycle of 2 worked and 3 vacant.
        let turnover = Turnover {
            leave: core::f64::consts::LN_2,
            vacancy_months: 3.0,
            ramp_months: 2.0,
            ramp_start: 0.0,
            ..Turnover::default()
        };
        assert!((turnover.long_run() - 0.75 / 5.0).abs() < 1e-12);
        assert!((turnover.rate() - 1.0 / 5.0).abs() < 1e-12);
        // Nobody leaves.
        let quiet = Turnover { leave: 0.0, ..turnover };
        assert_eq!((quiet.long_run(), quiet.rate()), (1.0, 0.0));
        assert_eq!((quiet.at_start(1e-9), quiet.worth(quiet.at_start(0.999_999))), (2, 1.0));
    }

    /// Mean worth of a seat and departures a month in a given month, over many seats.
    fn simulated(turnover: &Turnover, month: u32) -> (f64, f64) {
        let seats = 40_000;
        let (mut worth, mut departures) = (0.0, 0.0);
        for seat in 0..seats {
            let hash = seat_hash(77, seat);
            let uniform = |month, purpose: Purpose| {
                uniform_f64(KEY.words(hash, month, Purpose::RepLeaves.group())[purpose.word()], 0)
            };
            let mut tenure = turnover.at_start(uniform(0, Purpose::RepAtStart));
            let mut left = false;
            for month in 0..=month {
                (tenure, left) = turnover.next(
                    tenure,
                    turnover.leaves(1.0),
                    uniform(month, Purpose::RepLeaves),
                    uniform(month, Purpose::RepArrives),
                );
            }
            worth += turnover.worth(tenure);
            departures += f64::from(u8::from(left));
        }
        (worth / seats as f64, departures / seats as f64)
    }

    #[test]
    fn the_long_run_is_that_of_simulated_seats_from_the_first_month_on() {
        for turnover in [
            Turnover::default(),
            Turnover { leave: 0.2, vacancy_months: 3.5, ramp_months: 7.5, ramp_start: 0.1, ..Turnover::default() },
        ] {
            for month in [0, 11] {
                let (worth, rate) = simulated(&turnover, month);
                let (long_run, wanted) = (turnover.long_run(), turnover.rate());
                assert!((worth - long_run).abs() < 4.0 * 0.5 / 200.0, "month {month}: {worth} {long_run}");
                assert!((rate - wanted).abs() < 4.0 * (wanted / 40_000.0).sqrt(), "month {month}: {rate} {wanted}");
            }
        }
    }
}
