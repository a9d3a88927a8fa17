//! Everything a report shows, gathered from what the stages gave.

use super::pipeline::{Estimates, Input};
use crate::ids::{Index as _, TerritoryIx};
use crate::market::Market;
use crate::problem::Problem;
use crate::report::{Findings, TerritoryOutline};
use crate::scenario::Scenario;
use crate::strategy::Comparison;

/// Gathers the findings. `comparison` is the strategies, or why there are none.
pub fn gather(input: &Input, estimates: &Estimates, comparison: Result<Comparison, String>, forced: bool) -> Findings {
    let market = &input.bound.market;
    let (comparison, withheld) = match comparison {
        Ok(comparison) => (Some(comparison), None),
        Err(why) => (None, Some(why)),
    };
    let posterior = estimates.calibration.posterior_table();
    let scenario = &input.scenario;
    Findings {
        market_name: market.data.meta.name.clone(),
        company_name: company_name(market),
        scenario_name: input.scenario.name.clone(),
        currency: market.data.meta.currency.clone(),
        unit: market.unit().to_owned(),
        history: market.history,
        seed: input.scenario.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        territories: outlines(market),
        missing: missing(market),
        warnings: input.warnings.iter().map(words).collect(),
        checks: estimates.calibration.checks.clone(),
        diagnostics: estimates.calibration.diagnostics.clone(),
        posterior: (posterior.header, posterior.rows),
        actions_found: estimates.calibration.actions_found.clone(),
        potential: estimates.potential.clone(),
        potential_effort: estimates.potential_effort.clone(),
        evidence: estimates.dark_half.evidence.clone(),
        identification: estimates.dark_half.identification.clone(),
        size_ratio_sensitivity: estimates
            .dark_half
            .size_ratio_sensitivity
            .iter()
            .map(|row| (row.prior_median, row.dark_demand.q05, row.dark_demand.q50, row.dark_demand.q95))
            .collect(),
        sampler: estimates.dark_half.diagnostics.clone(),
        own_sales: own_sales(market),
        market_demand: market_demand(market),
        calibration_notes: [estimates.calibration.notes.clone(), estimates.dark_half.notes.clone()].concat(),
        comparison,
        withheld,
        forced,
        objective: Some(scenario.economics.objective),
        baseline: scenario.strategies.get(scenario.baseline).map(|strategy| strategy.id.clone()),
        settings: settings(scenario),
        inputs: market.data.files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect(),
    }
}

/// Our name of companies.csv; without one the report speaks of "your company".
fn company_name(market: &Market) -> String {
    let name = market.data.companies.name.first().filter(|name| **name != market.data.meta.own_company);
    name.cloned().unwrap_or_else(|| "your company".to_owned())
}

/// Settings that the figures depend on, in words.
fn settings(scenario: &Scenario) -> Vec<(String, String)> {
    let economics = &scenario.economics;
    let mut out = vec![
        ("Horizon".to_owned(), format!("{} months", scenario.horizon)),
        (
            "Effort".to_owned(),
            format!("{} calls a month for {} months", scenario.effort.calls_per_month, scenario.effort.months),
        ),
        ("Discount rate".to_owned(), format!("{:.1}% a year, real", 100.0 * economics.discount_rate)),
    ];
    if let Some(margin) = economics.gross_margin {
        out.push(("Gross margin".to_owned(), format!("{:.1}% of net sales", 100.0 * margin)));
    }
    if let Some(budget) = &economics.budget {
        out.push(("Budget".to_owned(), format!("{:.0} over the horizon", budget.value)));
    }
    out
}

fn words(problem: &Problem) -> String {
    let place =
        problem.place.as_ref().map(|place| format!(" ({}, line {})", place.file, place.line)).unwrap_or_default();
    let help = problem.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default();
    format!("{}{place}{help}", problem.title)
}

fn outlines(market: &Market) -> Vec<TerritoryOutline> {
    let territories = &market.data.territories;
    (0..market.territory_count())
        .map(|j| TerritoryOutline {
            id: territories.ids.name(TerritoryIx::from_usize(j)).to_owned(),
            name: territories.name[j].clone(),
            population: territories.population[j],
            customers: market.customers_of(j).len(),
            centroid: territories.lon[j].zip(territories.lat[j]),
            polygon: territories.polygons.as_ref().map(|polygons| polygons[j].clone()),
        })
        .collect()
}

fn own_sales(market: &Market) -> Vec<(crate::units::Month, f64)> {
    let mut totals = vec![0.0; market.months()];
    for customer in 0..market.customer_count() {
        for (month, amount) in market.sales.of(customer) {
            totals[month] += amount;
        }
    }
    market.history.months().zip(totals).collect()
}

/// The whole market's category where the panel gives it (or gives every territory's).
fn market_demand(market: &Market) -> Vec<(crate::units::Month, Option<f64>)> {
    let months = market.history.months();
    let Some(panel) = &market.panel else { return months.map(|month| (month, None)).collect() };
    months
        .enumerate()
        .map(|(t, month)| {
            let sum = || panel.category.iter().map(|series| series[t]).sum::<Option<f64>>();
            (month, panel.market_category[t].or_else(sum))
        })
        .collect()
}

/// What is missing from the market directory, and what that costs.
pub fn missing(market: &Market) -> Vec<String> {
    let data = &market.data;
    let mut out = Vec::new();
    let mut absent = |is_absent: bool, words: &str| {
        if is_absent {
            out.push(words.to_owned());
        }
    };
    absent(
        data.panel.is_none(),
        "panel.csv is missing: what competitors sell is not known, so total demand rests on sizes and priors",
    );
    absent(
        data.territories.outlets.iter().all(Option::is_none),
        "territories.csv has no audited `outlets`: how many customers there are is only weakly known; \
         an audit of even a few territories would help most",
    );
    absent(
        data.captures.is_none() && data.customers.sources.is_none(),
        "captures.csv and customers.csv `sources` are missing: a second and third customer list would bound the number \
         of customers that no list holds",
    );
    absent(
        data.wallets.is_none() && data.customers.size.iter().all(Option::is_none),
        "wallets.csv and customers.csv `size` are missing: what known customers buy from others is not known customer by \
         customer",
    );
    absent(
        data.calls.is_none(),
        "calls.csv is missing: the response to calls is taken from the literature, not from your data",
    );
    absent(
        data.calls.is_some() && (data.reps.is_none() || data.assignments.is_none()),
        "reps.csv or assignments.csv is missing: capacity is taken to be the calls that were made, and nothing is known of \
         prospecting",
    );
    absent(
        data.actions.is_none(),
        "actions.csv is missing: competitors' pushes are only known where they can be read from the panel",
    );
    absent(
        data.territories.population.iter().all(Option::is_none),
        "territories.csv has no `population`: territories cannot be compared per head (BDI, CDI), and the dark half \
         cannot be spread by it",
    );
    absent(
        data.customers.first_known.iter().all(Option::is_none),
        "customers.csv has no `first_known`: how fast customers are found is not known",
    );
    out
}
