//! A draw of the response beside a draw of the dark half: the same elasticity in both.
//!
//! Calibration measures by how many per cent our sales move with our contacts, `(1 - s) effect ...` at the share of wallet s of the
//! draw. The dark half draws wallets from other evidence, with a share s' of their own. Log odds that were
//! measured at s would move sales by (1 - s') / (1 - s) times as much as they were seen to move, so what contacts add, and the goodwill
//! that they left, are multiplied by (1 - s) / (1 - s') ([`Draw::effect_factor`]). Only channels that the data have contacts of: the others'
//! effects are priors in log odds already. The hazard of conversion was seen at the goodwill on file and stays what it
//! is: its effect of goodwill is divided by the same factor.

use crate::calibrate::{Calibration, CustomerRates, Draw};
use crate::channel::Channel;
use crate::market::Market;
use crate::simulate::Parameters;

/// Share of their wallets that the served customers with a wallet give us together, at their rates; `None` without any.
pub fn served_share(served: &[bool], wallets: &[f32], rates: &CustomerRates) -> Option<f64> {
    let (mut own, mut all) = (0.0, 0.0);
    for ((&served, &wallet), &rate) in served.iter().zip(wallets).zip(&rates.own) {
        if served && wallet > 0.0 && rate.is_finite() {
            // Rates and wallets are drawn apart: nobody buys more from us than from all.
            own += (12.0 * rate).min(f64::from(wallet));
            all += f64::from(wallet);
        }
    }
    (all > 0.0).then(|| own / all)
}

/// Parameters and customers' rates of a calibration's draw for a twin with these wallets; `None` without draws.
pub fn paired(
    market: &Market,
    calibration: &Calibration,
    draw: usize,
    mut rates: CustomerRates,
    served: &[bool],
    wallets: &[f32],
) -> Option<(Parameters, CustomerRates)> {
    let draw: &Draw = calibration.draws.get(draw)?;
    let mut parameters = draw.parameters.clone();
    let Some(calls) = &market.calls else { return Some((parameters, rates)) };
    let factor = served_share(served, wallets, &rates).map_or(1.0, |share| draw.effect_factor(share));
    for channel in Channel::ALL {
        if !calls[channel.index()].amount.is_empty() {
            parameters.goodwill.effect[channel.index()] *= factor;
        }
    }
    parameters.conversion.goodwill_effect /= factor;
    rates.goodwill.iter_mut().for_each(|goodwill| *goodwill *= factor);
    Some((parameters, rates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::mechanisms::choice;

    #[test]
    fn the_share_of_all_served_together() {
        let rates = CustomerRates { own: vec![1.0, 2.0, 50.0, 4.0], ..Default::default() };
        let share = served_share(&[true, true, true, false], &[24.0, 48.0, 0.0, 48.0], &rates);
        assert_eq!(share, Some(36.0 / 72.0));
        assert_eq!(served_share(&[false], &[10.0], &rates), None);
        // A rate above the wallet counts as all of it.
        assert_eq!(served_share(&[true], &[6.0], &rates), Some(1.0));
    }

    #[test]
    fn sales_move_as_they_were_seen_to_at_any_share() {
        // A small change of goodwill moves log sales by (1 - s) times it: the factor must keep the product.
        let draw = crate::calibrate::testing::draw_with_share(0.3);
        let slope = |share: f64, effect: f64| {
            let appeal = choice::appeal(share, 0.0);
            let log = |goodwill: f64| choice::share(appeal + goodwill, 1.0).ln();
            (log(1e-4 * effect) - log(-1e-4 * effect)) / 2e-4
        };
        for share in [0.1, 0.3, 0.7, 0.9] {
            let moved = slope(share, draw.effect_factor(share));
            assert!((moved / slope(0.3, 1.0) - 1.0).abs() < 1e-3, "{share}: {moved}");
        }
    }
}
