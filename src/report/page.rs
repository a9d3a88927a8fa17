//! `report.html`.

use minijinja::{Environment, Value, context};

use super::error::ReportError;
use super::findings::Findings;

/// The page.
pub fn page(findings: &Findings) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.add_template("report.html", include_str!("../../assets/report.html"))?;
    let page = environment.get_template("report.html")?.render(context! {
        market => findings.market_name.as_str(),
        company => findings.company_name.as_str(),
        potential => Value::from(minijinja::value::Serde(&findings.potential)),
        withheld => findings.withheld.as_deref(),
    })?;
    Ok(page)
}
