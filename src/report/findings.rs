//! Everything a report shows.

use crate::calibrate::{ActionFound, Check, Diagnostic, Verdict};
use crate::potential::{EffortRow, Evidence, Identification, PotentialRow, SamplerDiagnostic};
use crate::scenario::Objective;
use crate::strategy::Comparison;
use crate::units::{Month, MonthSpan};

/// All results of a run. What a run did not produce is `None` or empty, and the report says that it is absent.
#[derive(Debug, Clone)]
pub struct Findings {
    pub market_name: String,
    pub company_name: String,
    pub scenario_name: String,
    pub currency: String,
    /// Word for the demand unit.
    pub unit: String,
    pub history: MonthSpan,
    pub seed: u64,
    /// ikiz's version.
    pub version: String,
    pub territories: Vec<TerritoryOutline>,
    /// Sentences on what is missing from the market directory and what that costs in certainty.
    pub missing: Vec<String>,
    /// Warnings of the loader, rendered in plain words.
    pub warnings: Vec<String>,
    /// Twin-readiness card and the calibration's self-checks.
    pub checks: Vec<Check>,
    pub diagnostics: Vec<Diagnostic>,
    /// Header and rows of `posterior.csv`.
    pub posterior: (Vec<String>, Vec<Vec<f64>>),
    pub actions_found: Vec<ActionFound>,
    pub potential: Vec<PotentialRow>,
    /// Curves over effort, and the sensitivity to selection.
    pub potential_effort: Vec<EffortRow>,
    pub evidence: Vec<Evidence>,
    pub identification: Vec<Identification>,
    /// Headline dark demand (whole market) at other prior centres of the size ratio R: (centre, q05, q50, q95).
    pub size_ratio_sensitivity: Vec<(f64, f64, f64, f64)>,
    /// How well the sampler of the dark half has mixed, by parameter.
    pub sampler: Vec<SamplerDiagnostic>,
    /// Own sales of the whole market by month of the history, for the fan chart.
    pub own_sales: Vec<(Month, f64)>,
    /// Category demand of the whole market by month where the panel gives it.
    pub market_demand: Vec<(Month, Option<f64>)>,
    pub calibration_notes: Vec<String>,
    /// `None` when it was not asked for or was withheld because a check failed.
    pub comparison: Option<Comparison>,
    /// The user asked to see the comparison although a check failed; potential and report stay marked.
    pub forced: bool,
    /// Why the comparison is absent.
    pub withheld: Option<String>,
    /// What P(best) and regret are judged on.
    pub objective: Option<Objective>,
    /// Id of the strategy that the others are measured against.
    pub baseline: Option<String>,
    /// Settings that the figures depend on, in words: (name, value with its unit), e.g. ("Effort", "4 calls a month for
    /// 12 months").
    pub settings: Vec<(String, String)>,
    /// Input files: (name, SHA-256).
    pub inputs: Vec<(String, String)>,
}

impl Findings {
    /// Whether a check has failed, so that everything shown must be marked.
    pub fn failed(&self) -> bool {
        self.checks.iter().any(|check| check.verdict == Verdict::Fail)
    }
}

/// A territory to draw.
#[derive(Debug, Clone)]
pub struct TerritoryOutline {
    pub id: String,
    pub name: String,
    pub population: Option<f64>,
    /// Known customers.
    pub customers: usize,
    /// Longitude, latitude.
    pub centroid: Option<(f64, f64)>,
    /// In longitude and latitude; `None` when the market has no polygons: a cell is then drawn around the centroid.
    pub polygon: Option<geo::MultiPolygon<f64>>,
}
