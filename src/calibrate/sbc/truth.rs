//! A truth: one draw of everything that the likelihood has a prior of.

use crate::calendar::Feasts;
use crate::calibrate::posterior::{Draw, Wander};
use crate::calibrate::priors::{self, Priors};
use crate::calibrate::sampling::Source;
use crate::calibrate::season::{self, GROWTH_SD};
use crate::channel::Channel;
use crate::scenario::Prior;
use crate::simulate::mechanisms::goodwill::Goodwill;
use crate::simulate::{Conversion, Discovery, Further, Parameters};

/// Demand units a month of the median customer.
pub(super) const SIZE: f64 = 20.0;

/// Order units have no prior: they are drawn around this.
const ORDER_UNIT: Prior = Prior::Lognormal { median: 2.0, sd: 0.4 };

/// One truth.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    /// All but the effects of contacts, which need the contacts themselves.
    pub parameters: Parameters,
    pub share: f64,
    /// Deviation of log odds of us between customers.
    pub taste: f64,
    /// Change of log odds of us by the log of a customer's usual visits.
    pub liking: f64,
    /// Elasticity of our sales in visits, at the mean visits of months with visits.
    pub elasticity: f64,
    pub wander: Wander,
    /// Nothing in the twin depends on it: its ranks are those of the prior in itself.
    pub selection: f64,
}

fn one_of(grid: &[f64], source: &mut Source) -> f64 {
    grid[((grid.len() as f64 * source.uniform()) as usize).min(grid.len() - 1)]
}

impl Truth {
    /// Draws one; further mechanisms and everything about customers not yet known are off.
    pub(super) fn draw(priors: &Priors, source: &mut Source) -> Self {
        let mut of = |mechanism: &str, parameter: &str| priors::draw(priors.prior(mechanism, parameter), source);
        let decay = of("goodwill", "decay").clamp(0.0, 0.995);
        let half_saturation = of("goodwill", "half_saturation").clamp(0.05, 1e3);
        let slope = of("goodwill", "slope");
        let share = of("choice", "share_of_wallet").clamp(1e-4, 0.999);
        let taste = of("choice", "taste").clamp(0.0, 3.0);
        let liking = of("choice", "calls_follow_taste").clamp(-3.0, 3.0);
        let elasticity = of("goodwill", "elasticity_face_to_face");
        let churn = of("churn", "hazard");
        let hazard = of("conversion", "base_hazard");
        let goodwill_effect = of("conversion", "goodwill_effect");
        let shock_sd = of("demand", "shock_sd");
        let selection = of("choice", "selection");
        let order_unit = match priors.of("orders", "order_unit") {
            Some((prior, true)) => priors::draw(prior, source),
            _ => priors::draw(ORDER_UNIT, source),
        };
        // No file of a made market marks who closed.
        let closure = priors::draw(priors.prior("closure", "hazard"), source);
        let wander = Wander { walk: one_of(&season::WALK, source), white: one_of(&season::WHITE, source) };
        let deviation = one_of(&season::SEASON, source);
        let indices: [f64; 12] = std::array::from_fn(|_| libm::exp(deviation * source.normal()));
        let mean = indices.iter().sum::<f64>() / 12.0;
        let parameters = Parameters {
            season: indices.map(|index| index / mean),
            feasts: Feasts::none(),
            growth: GROWTH_SD * source.normal(),
            shock_sd,
            goodwill: Goodwill { decay, effect: [0.0; Channel::COUNT], half_saturation, slope },
            order_unit: order_unit.max(1e-9),
            discovery: Discovery { spontaneous: 0.0, referral: 0.0, prospecting_yield: 0.0 },
            conversion: Conversion { hazard, goodwill_effect, reactivation: 1.0, at_once: 0.0 },
            churn,
            closure,
            birth: 0.0,
            more: Further::default(),
        };
        Self { parameters, share, taste, liking, elasticity, wander, selection }
    }

    /// In the form of the draws that it is ranked among.
    pub(super) fn as_draw(&self) -> Draw {
        Draw {
            parameters: self.parameters.clone(),
            category_season: self.parameters.season,
            own_wander: self.wander,
            category_wander: self.wander,
            finds: Vec::new(),
            finds_by_prospecting: 0.0,
            selection: self.selection,
            more: vec![
                ("choice.share_of_wallet".to_owned(), self.share),
                ("goodwill.elasticity_face_to_face".to_owned(), self.elasticity),
                ("own.growth".to_owned(), self.parameters.growth),
                ("choice.taste".to_owned(), self.taste),
                ("choice.calls_follow_taste".to_owned(), self.liking),
            ],
        }
    }
}
