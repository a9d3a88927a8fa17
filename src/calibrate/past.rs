//! Who was ours when, read from the files once and again as it is learnt what contacts do: what every later step of a calibration reads.

use rayon::prelude::*;

use crate::calibrate::alive::{Alive, HazardPriors, Past as CustomerPast, Reading};
use crate::calibrate::fit::{CalibrateError, FEWEST_MONTHS, Settings};
use crate::calibrate::hazards;
use crate::calibrate::observed::{self, Observed, Timeline};
use crate::calibrate::priors::Priors;
use crate::calibrate::response::Point;
use crate::calibrate::sampling::{Purpose, Source};
use crate::market::Market;

/// Who was ours when: what every later step reads.
pub(super) struct Past {
    pub priors: Priors,
    pub timelines: Vec<Timeline>,
    /// Netted, (month, amount) by customer.
    pub sales: Vec<Vec<(usize, f64)>>,
    /// What was seen of each customer.
    pub pasts: Vec<CustomerPast>,
    /// Closings that are marked, and customer-months.
    pub marked: Option<(f64, f64)>,
    pub alive: Alive,
    /// What `alive` says of each customer.
    pub readings: Vec<Reading>,
}

impl Past {
    /// With the past in the layout of the likelihood, contacts not heeded.
    pub fn new(market: &Market, settings: &Settings) -> Result<(Self, Observed), CalibrateError> {
        if settings.draws == 0 {
            return Err(CalibrateError::NoDraws);
        }
        if market.months() < FEWEST_MONTHS {
            return Err(CalibrateError::ShortHistory { months: market.months() });
        }
        if market.customer_count() == 0 {
            return Err(CalibrateError::NoCustomers);
        }
        let priors = Priors::new(settings.priors.clone())
            .map_err(|(mechanism, parameter, reason)| CalibrateError::Prior { mechanism, parameter, reason })?;
        let (timelines, sales) = observed::timelines(market);
        if sales.iter().all(Vec::is_empty) {
            return Err(CalibrateError::NoSales { history: market.history.to_string() });
        }
        let pasts: Vec<CustomerPast> = timelines
            .iter()
            .zip(&sales)
            .zip(hazards::waits(&timelines, market.months()))
            .enumerate()
            .map(|(i, ((timeline, sales), waiting))| CustomerPast {
                waiting,
                silences: observed::silences(timeline, sales),
                contacted: observed::contacted_since(market, i, timeline),
            })
            .collect();
        let marked = hazards::closures(market, &timelines);
        let hazard_priors = HazardPriors {
            churn: priors.prior("churn", "hazard"),
            conversion: priors.prior("conversion", "base_hazard"),
            closure: priors.prior("closure", "hazard"),
            marked: marked.map_or(0.0, |(events, exposure)| events / exposure),
        };
        let mut source = Source::new(settings.seed, Purpose::Alive, 0);
        let alive = Alive::fit(&pasts, &sales, market.months(), hazard_priors, settings.draws, &mut source);
        let mut out = Self { priors, timelines, sales, pasts, marked, alive, readings: Vec::new() };
        let observed = out.lay_out(market);
        Ok((out, observed))
    }

    /// Who was ours when, once it is known what contacts do: the past in the layout of the likelihood.
    pub fn heed(&mut self, market: &Market, observed: &Observed, point: &Point) -> Observed {
        self.alive.heed(&self.pasts, observed.relative_responses(point));
        self.lay_out(market)
    }

    /// Reads all customers.
    fn lay_out(&mut self, market: &Market) -> Observed {
        let read = |(i, past): (usize, &CustomerPast)| self.alive.read(i, past);
        self.readings = self.pasts.par_iter().enumerate().map(read).collect();
        Observed::new(market, &self.timelines, &self.sales, &self.pasts, &self.alive, &self.readings)
    }
}

/// The past as [`fit`] lays it out.
#[cfg(test)]
pub(super) fn observed(market: &Market, settings: &Settings) -> Result<Observed, CalibrateError> {
    Ok(Past::new(market, settings)?.1)
}
