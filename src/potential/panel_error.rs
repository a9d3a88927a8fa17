//! The panel's own error: no panel is exact, and a total without an interval would claim that it is.
//!
//! The chain takes the panel at its word. Afterwards every draw d is stretched by one factor `f_d = exp(s z_d)`, z_d
//! standard normal: a panel's error is mostly one of scale (coverage, projection weights), common to all territories. What is
//! observed is not stretched, only what lies above it:
//!
//! ```text
//! wallet_i <- own_i + (wallet_i - own_i) f        dark_j <- indirect_j + (dark_j - indirect_j) f
//! ```
//!
//! so totals still add up within a draw, and nothing falls below our own sales.

use rand_distr::{Distribution as _, StandardNormal};

use super::observed::Observed;
use super::predict::Prediction;
use crate::rng::Stream;

/// Log deviation of a panel's scale where the user says nothing: about 1%. An assumption: few panels
/// publish their error.
pub const PANEL_ERROR: f64 = 0.01;

/// Stretches a draw.
pub(super) fn stretch(prediction: &mut Prediction, observed: &Observed, error: f64, stream: &mut Stream) {
    let z: f64 = StandardNormal.sample(stream);
    let factor = libm::exp(error * z);
    let above = |floor: f64, amount: f64| floor + (amount - floor).max(0.0) * factor;
    for (j, territory) in observed.territories.iter().enumerate() {
        let (mut served, mut identified) = (0.0, 0.0);
        for i in territory.customers.clone() {
            if prediction.wallets[i] <= 0.0 {
                continue;
            }
            let customer = &observed.customers[i];
            let wallet = above(customer.own_year.max(0.0), f64::from(prediction.wallets[i])) as f32;
            prediction.wallets[i] = wallet;
            *(if customer.served { &mut served } else { &mut identified }) += f64::from(wallet);
        }
        prediction.served_demand[j] = served;
        prediction.identified_demand[j] = identified;
        let dark = prediction.dark_demand[j];
        prediction.dark_demand[j] = if dark > 0.0 { above(observed.indirect(j).min(dark), dark) } else { dark };
    }
}
