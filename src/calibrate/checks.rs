//! May the result be believed? Each check names a figure and what to do about it.

use crate::calibrate::hazards::Finds;
use crate::calibrate::observed::Observed;
use crate::calibrate::posterior_response::ResponsePosterior;
use crate::calibrate::readiness::readiness;
use crate::calibrate::season::Path;
use crate::calibrate::{Check, Draw, Verdict};
use crate::market::Market;
use crate::stats::Summary;

/// What the checks look at.
pub struct Findings<'a> {
    pub market: &'a Market,
    pub observed: &'a Observed,
    pub response: &'a ResponsePosterior,
    pub draws: &'a [Draw],
    pub own_paths: &'a [Path],
    /// Season and growth are the panel's.
    pub category: bool,
    pub discount: f64,
    /// The user says that prices hardly moved.
    pub stable_prices: bool,
    pub finds: &'a Finds,
}

pub fn check(name: &str, verdict: Verdict, finding: String, advice: &str) -> Check {
    let advice = if verdict == Verdict::Pass { String::new() } else { advice.to_owned() };
    Check { name: name.to_owned(), verdict, finding, advice }
}

/// Every check, in the order of the report.
pub fn all(findings: &Findings<'_>) -> Vec<Check> {
    let mut out = readiness(findings.market, findings.stable_prices);
    out.extend(sampling(findings));
    out.extend(placebo(findings));
    out.extend(elasticity(findings));
    out
}

/// Could the posterior be sampled?
fn sampling(findings: &Findings<'_>) -> Option<Check> {
    let response = findings.response;
    if !response.fitted {
        return None;
    }
    let verdict = match (response.efficiency, response.pareto_k) {
        (e, k) if e >= 0.3 && k < 0.7 => Verdict::Pass,
        (e, _) if e >= 0.05 => Verdict::Review,
        _ => Verdict::Fail,
    };
    Some(check(
        "importance sampling",
        verdict,
        format!(
            "effective sample {:.0}% of the candidates, Pareto k {:.2} (below 0.7 is good)",
            100.0 * response.efficiency,
            response.pareto_k.max(-1.0)
        ),
        "the response's posterior is far from its approximation: intervals of decay and effects may be too narrow",
    ))
}

/// Next month's contacts must show no effect.
fn placebo(findings: &Findings<'_>) -> Option<Check> {
    let placebo = findings.response.placebo?;
    let z = placebo.lead / placebo.se;
    let relative = placebo.lead.abs() / placebo.effect.abs().max(1e-9);
    let verdict = if z.abs() < 2.5 || relative < 0.1 { Verdict::Pass } else { Verdict::Review };
    Some(check(
        "placebo: next month's contacts",
        verdict,
        format!(
            "log odds {:+.4} (standard error {:.4}, z {z:+.1}) for next month's contacts, against {:+.4} for this month's",
            placebo.lead, placebo.se, placebo.effect
        ),
        "contacts seem to follow sales: part of the measured effect is the reps' choice of whom to see; test it in the \
         field before paying for more contacts",
    ))
}

/// Is the effect of visits within what has been published?
fn elasticity(findings: &Findings<'_>) -> Option<Check> {
    if !findings.response.fitted {
        return None;
    }
    let drawn: Vec<f64> = findings.draws.iter().map(|draw| draw.more[1].1).collect();
    let summary = Summary::of(&drawn)?;
    let verdict = if summary.q95 < 0.0 || summary.q05 > 0.5 { Verdict::Review } else { Verdict::Pass };
    Some(check(
        "elasticity of visits",
        verdict,
        format!(
            "{:.3} in the long run (90% interval {:.3} to {:.3}); published: .11 to .34",
            summary.mean, summary.q05, summary.q95
        ),
        "an effect outside every published range is more likely a fault of the data than of the literature",
    ))
}

/// Plain sentences on what the data cannot tell.
pub fn notes(findings: &Findings<'_>) -> Vec<String> {
    let market = findings.market;
    let mut out = Vec::new();
    if market.calls.is_none() {
        out.push(
            "There is no calls.csv: what visits and other contacts do is taken from the literature, not from your market."
                .to_owned(),
        );
    } else if !findings.response.fitted {
        out.push(format!(
            "Only {} customers with both contacts and sales: too few to measure the response; it keeps its priors.",
            findings.response.customers
        ));
    }
    if market.months() < 24 {
        out.push(
            "Less than two years of history: no season can be told from chance, so nearly none is assumed.".to_owned(),
        );
    }
    if market.panel.is_none() {
        out.push(
            "There is no panel.csv: season and growth are those of own sales, and the share of wallet is an assumption."
                .to_owned(),
        );
    }
    if !findings.finds.from_first_known {
        out.push("No first_known in customers.csv: customers are taken to be found when they first order.".to_owned());
    }
    out.push("Moving feasts are not modelled yet: a feast that wanders through the year widens the season.".to_owned());
    out
}
