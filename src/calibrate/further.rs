//! The mechanisms that a market may do without: which are on, and a draw of each one's parameters.
//!
//! The history's likelihood does not speak to them yet, so each keeps its prior (the registry's or the scenario's), except
//! where a file tells directly: complaints are counted in `events.csv`, the shares of products in `sales.csv`. They act
//! through changes from today (`crate::simulate::mechanisms`), so a prior here widens what a strategy brings, and leaves
//! today's level to the data.

use std::collections::BTreeMap;

use crate::calibrate::hazards::Hazard;
use crate::calibrate::priors::{self, Priors};
use crate::calibrate::sampling::Source;
use crate::market::Market;
use crate::scenario::{MECHANISMS, MechanismSettings, Prior, Usual};
use crate::simulate::mechanisms::complaints::Complaints;
use crate::simulate::mechanisms::contracts::Contracts;
use crate::simulate::mechanisms::coverage::Coverage;
use crate::simulate::mechanisms::credit::Credit;
use crate::simulate::mechanisms::dispersion::Dispersion;
use crate::simulate::mechanisms::habit::Habit;
use crate::simulate::mechanisms::launch::Launch;
use crate::simulate::mechanisms::order_sizes::OrderSizes;
use crate::simulate::mechanisms::own_loading::OwnLoading;
use crate::simulate::mechanisms::price::Price;
use crate::simulate::mechanisms::products::Products;
use crate::simulate::mechanisms::promotion::Promotion;
use crate::simulate::mechanisms::reaction::Reaction;
use crate::simulate::mechanisms::receptivity::Receptivity;
use crate::simulate::mechanisms::segments::Segments;
use crate::simulate::mechanisms::stock_out::StockOut;
use crate::simulate::mechanisms::travel::Travel;
use crate::simulate::mechanisms::turnover::Turnover;
use crate::simulate::mechanisms::word_of_mouth::WordOfMouth;
use crate::simulate::{Further, PRODUCTS};

/// Names in the registry of what this module draws.
const DRAWN: &[&str] = &[
    "receptivity",
    "complaints",
    "habit",
    "price",
    "promotion",
    "launch",
    "word_of_mouth",
    "dispersion",
    "order_sizes",
    "products",
    "loading",
    "stock_out",
    "reaction",
    "travel",
    "rep_turnover",
    "coverage",
    "credit",
    "contracts",
    "segments",
];

/// The mechanisms of this module that are on: as the scenario says, else as the registry says and the market's files allow.
///
/// One that the market has no files for is never on: it would have nothing to act on. `rules` says whether some strategy has
/// rules that are judged anew each month: only they need segments.
pub fn switched_on(market: &Market, settings: &BTreeMap<String, MechanismSettings>, rules: bool) -> Vec<&'static str> {
    let drawn = MECHANISMS.iter().filter(|mechanism| DRAWN.contains(&mechanism.name));
    drawn
        .filter(|mechanism| {
            if mechanism.name == "segments" {
                return rules;
            }
            let said = settings.get(mechanism.name).and_then(|settings| settings.on);
            match (said, mechanism.usual) {
                (Some(on), Usual::WithData(_)) => on && market.has_data_for(mechanism.name),
                (None, Usual::WithData(_)) => market.has_data_for(mechanism.name),
                (Some(on), _) => on,
                (None, Usual::Always) => true,
                (None, Usual::Off(_)) => false,
            }
        })
        .map(|mechanism| mechanism.name)
        .collect()
}

/// Everything that the draws of these mechanisms need.
pub(super) struct Drawing {
    on: Vec<&'static str>,
    /// By parameter in the order of the registry: mechanism, parameter, prior.
    priors: Vec<(&'static str, &'static str, Prior)>,
    /// Complaints a month of a served customer, by draw; the prior's where nothing was counted.
    complaints: Hazard,
    products: Option<(usize, [f64; PRODUCTS])>,
}

/// A draw: the mechanisms, and the parameters by the registry's names.
pub(super) struct Drawn {
    pub further: Further,
    pub values: Vec<(String, f64)>,
}

impl Drawing {
    pub(super) fn new(
        market: &Market,
        on: &[&'static str],
        priors: &Priors,
        draws: usize,
        source: &mut Source,
    ) -> Self {
        let listed = MECHANISMS.iter().filter(|mechanism| on.contains(&mechanism.name)).flat_map(|mechanism| {
            let with_prior = mechanism.parameters.iter().filter(|parameter| parameter.prior.is_some());
            with_prior.map(|parameter| (mechanism.name, parameter.name, priors.prior(mechanism.name, parameter.name)))
        });
        let prior = priors.prior("complaints", "hazard");
        let complaints = match complaints(market) {
            Some((events, exposure)) => Hazard::conjugate(prior, events, exposure, draws, source),
            None => Hazard::of_prior(prior, draws, source),
        };
        Self { on: on.to_vec(), priors: listed.collect(), complaints, products: product_shares(market) }
    }

    /// The rows of `diagnostics.csv`: mechanism, parameter, prior, and what the data have counted.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static str, &'static str, Prior, Option<String>)> + '_ {
        self.priors.iter().map(|&(mechanism, parameter, prior)| {
            let counted = self.complaints.events.filter(|_| (mechanism, parameter) == ("complaints", "hazard"));
            (mechanism, parameter, prior, counted.map(|events| format!("{events:.0} complaints in events.csv")))
        })
    }

    /// Draw `d`. `share` is our share of served customers' demand in it, on which the price's log odds rest.
    pub(super) fn draw(&self, d: usize, share: f64, source: &mut Source) -> Drawn {
        let mut values = Vec::with_capacity(self.priors.len());
        for &(mechanism, parameter, prior) in &self.priors {
            let drawn = priors::draw(prior, source);
            let value =
                if (mechanism, parameter) == ("complaints", "hazard") { self.complaints.draws[d] } else { drawn };
            values.push((format!("{mechanism}.{parameter}"), value));
        }
        let on = |name: &str| self.on.contains(&name);
        let of = |name: &str| values.iter().find(|(known, _)| known == name).map_or(0.0, |(_, value)| *value);
        let further = Further {
            segments: on("segments").then(|| Segments { memory: of("segments.memory"), band: of("segments.band") }),
            travel: on("travel").then(|| Travel { cost: of("travel.cost") }),
            turnover: on("rep_turnover").then(|| Turnover {
                leave: of("rep_turnover.leave_hazard"),
                vacancy_months: of("rep_turnover.vacancy_months"),
                ramp_months: of("rep_turnover.ramp_months"),
                ramp_start: of("rep_turnover.ramp_start"),
                knowledge_loss: of("rep_turnover.knowledge_loss"),
                relationship: of("rep_turnover.relationship"),
                relationship_decay: of("rep_turnover.relationship_decay"),
                handover: of("rep_turnover.handover"),
            }),
            reaction: on("reaction")
                .then(|| Reaction { strength: of("reaction.strength"), inertia: of("reaction.inertia") }),
            receptivity: on("receptivity").then(|| Receptivity {
                comfort: of("receptivity.comfort"),
                fatigue: of("receptivity.fatigue"),
                memory: of("receptivity.memory"),
                preference: of("receptivity.preference"),
            }),
            complaints: on("complaints").then(|| Complaints {
                hazard: of("complaints.hazard"),
                shortage: of("complaints.shortage"),
                harm: of("complaints.harm"),
            }),
            habit: on("habit").then(|| Habit { strength: of("habit.strength"), decay: of("habit.decay") }),
            price: on("price").then(|| Price { effect: -of("price.elasticity") / (1.0 - share.clamp(0.0, 0.95)) }),
            launch: on("launch").then(|| Launch {
                lift: of("launch.lift"),
                innovation: of("launch.innovation"),
                imitation: of("launch.imitation"),
            }),
            word_of_mouth: on("word_of_mouth").then(|| WordOfMouth { strength: of("word_of_mouth.strength") }),
            contracts: on("contracts").then(|| Contracts {
                lost_at_end: of("contracts.lost_at_end"),
                renewed_months: of("contracts.renewed_months"),
            }),
            products: self.products.filter(|_| on("products")).map(|(count, shares)| Products {
                count,
                shares,
                cross: std::array::from_fn(|p| {
                    std::array::from_fn(|q| if p != q && p.max(q) < count { of("products.cross") } else { 0.0 })
                }),
                nest: of("products.nest").max(0.05),
            }),
            coverage: on("coverage").then(|| Coverage {
                decay: of("coverage.decay"),
                per_contact: of("coverage.per_contact"),
                weight: of("coverage.weight"),
            }),
            stock_out: on("stock_out").then(|| {
                // The two parts of what is lacking cannot be more than all of it.
                let (delayed, dropped) = (of("stock_out.delayed"), of("stock_out.dropped"));
                let all = (delayed + dropped).max(1.0);
                StockOut { delayed: delayed / all, dropped: dropped / all }
            }),
            promotion: on("promotion").then(|| {
                let (switching, shifting) = (of("promotion.switching"), of("promotion.shifting"));
                let all = (switching + shifting).max(1.0);
                Promotion {
                    elasticity: of("promotion.elasticity"),
                    switching: switching / all,
                    shifting: shifting / all,
                }
            }),
            own_loading: on("loading")
                .then(|| OwnLoading { acceptance: of("loading.acceptance"), blocking: of("loading.blocking") }),
            dispersion: on("dispersion").then(|| Dispersion { shape: of("dispersion.shape") }),
            order_sizes: on("order_sizes").then(|| OrderSizes { shape: of("order_sizes.shape") }),
            credit: on("credit").then(|| Credit {
                paid: 1.0 / of("credit.terms_months").max(1.0),
                strictness: of("credit.strictness"),
            }),
        };
        Drawn { further, values }
    }
}

/// Complaints counted and customer-months of served customers in the months that `events.csv` spans.
fn complaints(market: &Market) -> Option<(f64, f64)> {
    let history = market.history;
    let months: Vec<usize> = (market.data.events.as_ref()?.iter())
        .filter(|event| event.is_complaint())
        .filter_map(|event| history.position(event.date.month()))
        .collect();
    let first = *months.iter().min()?;
    let served = market.served().iter().filter(|served| **served).count() as f64;
    let exposure = served * (market.months() - first) as f64;
    (exposure > 0.0).then_some((months.len() as f64, exposure))
}

/// Products of the last 12 months by their share of our sales, the largest first; the least of many are counted with the last.
/// `None` with fewer than two.
fn product_shares(market: &Market) -> Option<(usize, [f64; PRODUCTS])> {
    let mut sold: Vec<f64> = market.product_sales()?.into_iter().filter(|&sold| sold > 0.0).collect();
    sold.sort_unstable_by(|a, b| b.total_cmp(a));
    let total: f64 = sold.iter().sum();
    if sold.len() < 2 || total <= 0.0 {
        return None;
    }
    let mut shares = [0.0; PRODUCTS];
    for (rank, sold) in sold.iter().enumerate() {
        shares[rank.min(PRODUCTS - 1)] += sold / total;
    }
    Some((sold.len().min(PRODUCTS), shares))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;
    use crate::calibrate::testing::{Recipe, make};

    fn settings(name: &str, on: bool) -> BTreeMap<String, MechanismSettings> {
        BTreeMap::from([(name.to_owned(), MechanismSettings { on: Some(on), ..MechanismSettings::default() })])
    }

    #[test]
    fn what_is_on() {
        let market = make(&Recipe { customers: 30, months: 24, ..Recipe::default() });
        let usual = switched_on(&market, &BTreeMap::new(), false);
        assert!(usual.contains(&"price") && usual.contains(&"reaction"));
        // Off by default; without files; without rules.
        assert!(!["habit", "dispersion", "credit", "contracts", "segments"].iter().any(|name| usual.contains(name)));
        assert!(switched_on(&market, &settings("habit", true), true).contains(&"habit"));
        assert!(switched_on(&market, &BTreeMap::new(), true).contains(&"segments"));
        assert!(!switched_on(&market, &settings("price", false), false).contains(&"price"));
        assert!(
            !switched_on(&market, &settings("credit", true), false).contains(&"credit"),
            "there is nothing to act on"
        );
    }

    #[test]
    fn every_mechanism_of_the_registry_can_be_drawn() {
        let market = make(&Recipe { customers: 30, months: 24, ..Recipe::default() });
        let priors = Priors::new(BTreeMap::from([
            (("price".to_owned(), "elasticity".to_owned()), Prior::Fixed(-2.0)),
            (("promotion".to_owned(), "switching".to_owned()), Prior::Fixed(0.9)),
            (("promotion".to_owned(), "shifting".to_owned()), Prior::Fixed(0.6)),
        ]))
        .unwrap();
        let mut source = Source::new(1, Purpose::Further, 0);
        let drawing = Drawing::new(&market, DRAWN, &priors, 3, &mut source);
        let drawn = drawing.draw(0, 0.2, &mut source);
        let further = drawn.further;
        // Elasticity -2 at a share of 0.2: log odds of 2.5.
        assert!((further.price.unwrap().effect - 2.5).abs() < 1e-12);
        // What is more than all of it is scaled down.
        let promotion = further.promotion.unwrap();
        assert!((promotion.switching - 0.6).abs() < 1e-12 && (promotion.shifting - 0.4).abs() < 1e-12);
        // There is but one product in this market; all else is on, and each parameter has its value.
        assert!(further.products.is_none() && further.credit.is_some() && further.segments.is_some());
        assert_eq!(drawn.values.len(), drawing.rows().count());
        assert!(drawn.values.iter().all(|(_, value)| value.is_finite()));
        let nothing = Drawing::new(&market, &[], &priors, 3, &mut source).draw(0, 0.2, &mut source);
        assert!(nothing.further.is_empty() && nothing.values.is_empty());
    }
}
