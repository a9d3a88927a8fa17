//! What of the white space could truly be won at an effort: the same functions as the estimate's
//! ([`crate::potential::attainable`]), on the true parameters and agents.
//!
//! Each agent of the white space that bought the category in the last 12 months is a prospect with its own appeal and its own
//! demand. Who is identified is won by the hazard of conversion alone; who is dark must be found first, month for month at the
//! hazard that the agents had at the end of the history ([`discovery::hazard`] at the served share and the prospecting calls of
//! its last 12 months, times the agent's own visibility).

use super::SyntheticMarket;
use crate::potential::attainable::{
    Attainable, Prospect, attainable_sales, conversion_within, goodwill_at, won_from_the_dark,
};
use crate::scenario::Effort;
use crate::simulate::Stage;
use crate::simulate::mechanisms::discovery;

impl SyntheticMarket {
    /// By territory: what its white space yields at an effort, a year at equilibrium.
    pub fn attainable(&self, effort: Effort) -> Vec<Attainable> {
        let goodwill = goodwill_at(&self.parameters, effort.calls_per_month);
        let conversion = conversion_within(&self.parameters, effort);
        let converted = conversion.last().copied().unwrap_or(0.0);
        (0..self.world.places.len())
            .map(|territory| {
                let finding = self.finding_hazard(territory);
                let people = self.world.places[territory].people.clone();
                let white: Vec<Prospect> = people
                    .filter(|&person| self.past.category_year[person] > 0.0 && self.past.own_year[person] <= 0.0)
                    .map(|person| {
                        let found = -libm::expm1(-finding * self.past.visibility[person]);
                        let at_once = self.parameters.conversion.at_once;
                        let from_the_dark = || won_from_the_dark(found, &conversion, at_once);
                        let won = if self.past.known[person] { converted } else { from_the_dark() };
                        let demand = self.past.category_year[person];
                        Prospect { appeal: self.world.people[person].appeal, demand, won }
                    })
                    .collect();
                attainable_sales(&white, goodwill, 0.0)
            })
            .collect()
    }

    /// Hazard a month that a dark agent of visibility 1 is found, at the end of the history.
    fn finding_hazard(&self, territory: usize) -> f64 {
        let tallies = &self.past.tallies;
        let (mut served, mut all) = (0.0, 0.0);
        for person in self.world.places[territory].people.clone() {
            let influence = self.world.people[person].influence;
            match self.past.stage[person] {
                Stage::Unborn | Stage::Gone => continue,
                Stage::Served => served += influence,
                _ => {}
            }
            all += influence;
        }
        let year = tallies.months.saturating_sub(12)..tallies.months;
        let months = year.len().max(1) as f64;
        let calls: f64 = year.map(|month| tallies.prospecting[month * tallies.territories + territory]).sum();
        let share = if all > 0.0 { served / all } else { 0.0 };
        discovery::hazard(&self.parameters.discovery, share, calls / months, self.past.dark_at_start[territory])
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Effort;
    use crate::synth::{Description, generate};

    #[test]
    fn effort_wins_more_and_never_more_than_there_is() {
        let market = generate(&Description::small(), 3);
        let at = |calls_per_month| market.attainable(Effort { calls_per_month, months: 24 });
        let (none, some) = (at(0.0), at(2.0));
        for ((territory, none), some) in none.iter().enumerate().zip(&some) {
            let totals = &market.totals[territory];
            let white = totals.dark_demand + totals.identified_demand;
            assert!((some.winnable - white).abs() < 1e-6 * white.max(1.0), "{territory}");
            assert!(none.sales > 0.0 && none.sales < some.sales && some.sales < white, "{territory}");
        }
    }
}
