//! What can stop the estimate.

/// The estimate of the dark half cannot be made from what the files say.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PotentialError {
    /// The panel says that everybody together bought less than we alone sold.
    #[error(
        "the panel says that territory {territory} bought {panel:.0} {unit} of the category in the 12 months to \
         history_end, but our own sales there are {own:.0} {unit}; one of them is wrong. Check that panel.csv and \
         sales.csv measure the same thing (units or value, sell-in, the same products); if the panel does not cover \
         {territory}, leave its rows out"
    )]
    PanelBelowOwnSales { territory: String, panel: f64, own: f64, unit: String },
    /// The panel's whole market is smaller than the territories it is made of.
    #[error(
        "the panel's whole market (territory_id *) bought {market:.0} {unit} in the 12 months to history_end, but what \
         is known of its territories already takes {parts:.0} {unit} (panel where there is one, our own sales \
         elsewhere); * must hold every territory, so mend panel.csv or leave the * rows out"
    )]
    MarketBelowParts { market: f64, parts: f64, unit: String },
    /// A market without territories.
    #[error("the market has no territory; write at least one row in territories.csv")]
    NoTerritory,
    /// A setting out of its range.
    #[error("{setting} must be {range}; it is {value}")]
    Setting { setting: &'static str, range: &'static str, value: f64 },
}
