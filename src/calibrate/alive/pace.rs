//! How many orders a customer places in a month, over what it usually does: everybody's level, and what our contacts do to it.
//!
//! `p_t = 1 - exp(-r f_t h_it)`, h being the response of the customer's sales to our contacts over its mean in the months in which it was
//! ours. A customer that nobody called on for a while orders less; read without h, its silence is taken for leaving, and the months
//! in which contacts lacked are left out of what tells their effect.

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    level: Vec<f64>,
    /// `[customer * months + month]`; empty: 1.
    response: Vec<f32>,
}

/// Of one customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct PaceOf<'a> {
    level: &'a [f64],
    response: &'a [f32],
}

impl Pace {
    /// Without heed to contacts.
    pub fn new(level: Vec<f64>) -> Self {
        Self { level, response: Vec::new() }
    }

    /// With the response of each customer, `[customer * months + month]`.
    pub fn heed(&mut self, response: Vec<f32>) {
        self.response = response;
    }

    pub fn of(&self, customer: usize) -> PaceOf<'_> {
        let months = self.level.len();
        PaceOf {
            level: &self.level,
            response: self.response.get(customer * months..(customer + 1) * months).unwrap_or(&[]),
        }
    }
}

impl PaceOf<'_> {
    /// Without heed to contacts.
    pub fn blind(self) -> Self {
        Self { response: &[], ..self }
    }

    /// In a month of the history.
    #[inline(always)]
    pub fn at(self, month: usize) -> f64 {
        let level = self.level.get(month).copied().unwrap_or(1.0);
        level * self.response.get(month).copied().map_or(1.0, f64::from)
    }
}
