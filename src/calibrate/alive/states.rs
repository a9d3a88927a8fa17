//! The three states of a customer, month by month.

/// Probability that something with this hazard happens in a month.
pub(super) fn chance(hazard: f64) -> f64 {
    -libm::expm1(-hazard)
}

/// Hazards a month; closing without a mark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hazards {
    pub churn: f64,
    pub conversion: f64,
    pub closing: f64,
}

/// Chances a month: to leave, to come back, to close without a mark and with one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chances {
    pub leave: f64,
    pub back: f64,
    pub close: f64,
    pub marked: f64,
}

impl Chances {
    pub fn of(hazards: Hazards, marked: f64) -> Self {
        Self {
            leave: chance(hazards.churn),
            back: chance(hazards.conversion),
            close: chance(hazards.closing),
            marked: chance(marked),
        }
    }

    /// The states of the next month from those at the end of a silent one: served and lapsed.
    #[inline(always)]
    pub fn step(self, served: f64, lapsed: f64) -> (f64, f64) {
        let stays = (1.0 - self.close) * (1.0 - self.marked);
        (
            stays * (served * (1.0 - self.leave) + lapsed * self.back),
            stays * (served * self.leave + lapsed * (1.0 - self.back)),
        )
    }
}

/// Joint probability of state and of what was seen, up to a factor.
#[derive(Debug, Clone, Copy)]
pub struct State {
    pub served: f64,
    pub lapsed: f64,
    pub gone: f64,
}

impl State {
    /// In the month after an order, or in that in which a customer became known.
    pub(super) fn start(chances: Chances, after_order: bool) -> Self {
        let (served, lapsed) = if after_order { chances.step(1.0, 0.0) } else { (0.0, 1.0) };
        Self { served, lapsed, gone: if after_order { chances.close } else { 0.0 } }
    }

    /// After a month without an order, of which a served one has `none`, with the probabilities of its contacts if the customer lives and
    /// if it is gone.
    #[inline(always)]
    pub(super) fn after_silence(self, chances: Chances, none: f64, (living, closed): (f64, f64)) -> Self {
        let (quiet, out_of_reach) = (living * self.served * none, living * self.lapsed);
        let gone = closed * self.gone + chances.close * (quiet + out_of_reach);
        let (served, lapsed) = chances.step(quiet, out_of_reach);
        Self { served, lapsed, gone }
    }

    /// The same ratios, away from underflow.
    pub(super) fn scaled(self) -> Self {
        let scale = 1.0 / self.sum().max(1e-300);
        Self { served: self.served * scale, lapsed: self.lapsed * scale, gone: self.gone * scale }
    }

    #[inline(always)]
    pub(super) fn sum(self) -> f64 {
        self.served + self.lapsed + self.gone
    }
}

/// Contacts of which nothing is known.
pub(super) const NO_CONTACTS_KNOWN: (f64, f64) = (1.0, 1.0);

/// Probability of a month's contact, or of none, of the living and of the gone; see [`super::Alive::states_during`].
pub(super) fn contact(contacted: &[(bool, f64)], month: usize) -> (f64, f64) {
    match contacted.get(month) {
        Some(&(true, often)) => (often, 0.0),
        Some(&(false, often)) => (1.0 - often, 1.0),
        None => NO_CONTACTS_KNOWN,
    }
}
