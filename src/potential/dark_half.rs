//! What the estimate of the dark half hands on.

use serde::Serialize;

use crate::stats::Summary;

/// Posterior draws of (served, identified, dark) x (count, demand), by territory; index `[draw][territory]`.
///
/// Demand is in demand units over the 12 months to `history_end`, predictive for the realised months.
#[derive(Debug, Clone)]
pub struct DarkHalf {
    pub dark_customers: Vec<Vec<f64>>,
    pub dark_demand: Vec<Vec<f64>>,
    /// Category demand of served customers; at least our own sales to them.
    pub served_demand: Vec<Vec<f64>>,
    /// Category demand of identified customers that we do not serve (lapsed ones included).
    pub identified_demand: Vec<Vec<f64>>,
    /// Identified customers still buying the category.
    pub identified_customers: Vec<Vec<f64>>,
    /// Own sales through wholesalers to customers that are not in our files (panel own sales beyond `sales.csv`), a year.
    pub indirect: Vec<f64>,
    /// `[draw][customer]`: category demand of each known customer in the 12 months, 0 for those that closed before; at least our
    /// sales to it.
    pub wallets: Vec<Vec<f32>>,
    /// `[draw]`: coefficient of variation of dark customers' sizes within a territory.
    pub size_cv: Vec<f64>,
    /// `[draw]`: mean demand of a known over that of a dark customer (R).
    pub size_ratio: Vec<f64>,
    /// Estimators side by side, for the report.
    pub evidence: Vec<Evidence>,
    /// How well count, size and their product are identified, and what would help.
    pub identification: Vec<Identification>,
    /// What may be printed: a figure that nothing speaks to is left out, never filled in from the prior.
    pub basis: Basis,
    /// Dark demand of the whole market under other prior centres of R: what the user cannot check with the data at hand.
    pub size_ratio_sensitivity: Vec<SizeRatioSensitivity>,
    /// Convergence of the sampler, one row a parameter.
    pub diagnostics: Vec<SamplerDiagnostic>,
    /// Plain sentences: conflicts in the data, what was assumed, a fit that has not settled.
    pub notes: Vec<String>,
}

/// What the files speak to (`docs/decisions/0003-what-is-left-out.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Outlets, capture histories, or a panel or populations beside known customers: the number of dark customers may be
    /// printed. When false, and there is no panel either, the draws hold no dark customers at all.
    pub customers: bool,
    /// A panel of a territory or of the whole market.
    pub panel: bool,
    /// A panel, sizes or a wallet survey: category demand may be printed. When false, wallets are draws from the prior
    /// above our own sales, good for running a twin on and not for printing.
    pub demand: bool,
}

impl Basis {
    /// Whether the demand of the dark may be printed.
    pub fn dark_demand(self) -> bool {
        self.panel || (self.customers && self.demand)
    }
}

/// Dark demand of the whole market had the prior of R another centre.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SizeRatioSensitivity {
    /// Prior median of R.
    pub prior_median: f64,
    pub dark_demand: Summary,
    /// Draws that the reweighting rests on; below 40 the figure is rough.
    pub effective_draws: f64,
}

/// Convergence of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SamplerDiagnostic {
    pub parameter: String,
    pub summary: Summary,
    /// Split R-hat (Gelman et al., Bayesian Data Analysis, 3rd ed., 11.4); 1 when the chains agree.
    pub r_hat: f64,
    /// Effective number of independent draws among those kept.
    pub effective_draws: f64,
}

/// One source's own estimate for the whole market, shown beside the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// e.g. "capture-recapture", "universe regression", "repeat purchase (Chao1)".
    pub name: String,
    /// e.g. "dark_customers".
    pub measure: String,
    pub unit: String,
    pub estimate: Summary,
    /// What it assumes, and whether the fusion uses it.
    pub remark: String,
}

/// How well the data speak to one aspect of the dark half.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Identification {
    /// "number", "size", "number x size", "wallet".
    pub aspect: String,
    /// 1 - (posterior sd / prior sd)^2 on the log scale.
    pub contraction: f64,
    /// Plain sentence; names the file that would help when it is not identified.
    pub finding: String,
}

/// A row of `potential.csv`. `summary` is of the draws; quantiles of one territory and measure are in order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PotentialRow {
    /// A territory's id, or `*`.
    pub territory_id: String,
    /// `*` = all segments.
    pub segment: String,
    /// See DESIGN "Output files": dark_customers, dark_demand, white_space, ...
    pub measure: String,
    pub unit: String,
    pub summary: Summary,
}
