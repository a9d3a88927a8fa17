//! `posterior.csv` as a table: a header and rows, for whoever writes files.

use crate::calibrate::Calibration;
use crate::channel::Channel;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A table of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PosteriorTable {
    pub header: Vec<String>,
    /// One row a draw; the first column is the draw's number from 1.
    pub rows: Vec<Vec<f64>>,
}

impl Calibration {
    /// The draws as `posterior.csv` has them: draw, then one column a parameter.
    pub fn posterior_table(&self) -> PosteriorTable {
        let mut header: Vec<String> = vec!["draw".to_owned()];
        header.extend(MONTHS.iter().map(|month| format!("season.{month}")));
        header.extend(
            ["demand.growth", "demand.shock_sd", "goodwill.decay", "goodwill.half_saturation"].map(str::to_owned),
        );
        header.extend(Channel::ALL.iter().map(|channel| format!("goodwill.effect_{channel}")));
        let scalars = [
            "orders.order_unit",
            "discovery.referral",
            "discovery.finds",
            "discovery.by_prospecting",
            "conversion.base_hazard",
            "conversion.goodwill_effect",
            "churn.hazard",
            "closure.hazard",
            "birth.hazard",
            "choice.selection",
        ];
        header.extend(scalars.map(str::to_owned));
        if let Some(draw) = self.draws.first() {
            header.extend(draw.parameters.feasts.effects().map(|(name, _)| format!("feasts.{name}")));
            header.extend(draw.more.iter().map(|(name, _)| name.clone()));
        }
        let rows = self
            .draws
            .iter()
            .enumerate()
            .map(|(d, draw)| {
                let p = &draw.parameters;
                let mut row = vec![(d + 1) as f64];
                row.extend(p.season);
                row.extend([p.growth, p.shock_sd, p.goodwill.decay, p.goodwill.half_saturation]);
                row.extend(p.goodwill.effect);
                row.extend([
                    p.order_unit,
                    p.discovery.referral,
                    draw.finds.iter().sum(),
                    draw.finds_by_prospecting,
                    p.conversion.hazard,
                    p.conversion.goodwill_effect,
                    p.churn,
                    p.closure,
                    p.birth,
                    draw.selection,
                ]);
                row.extend(p.feasts.effects().map(|(_, effect)| effect));
                row.extend(draw.more.iter().map(|(_, value)| *value));
                row
            })
            .collect();
        PosteriorTable { header, rows }
    }
}
