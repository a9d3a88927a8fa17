//! May the result be believed? Each check names a figure and what to do about it.

use crate::calibrate::alive::Alive;
use crate::calibrate::feasts::{self, FeastModel};
use crate::calibrate::hazards::Finds;
use crate::calibrate::posterior_response::ResponsePosterior;
use crate::calibrate::predictive::Comparison;
use crate::calibrate::readiness::readiness;
use crate::calibrate::season::Path;
use crate::calibrate::{Check, Draw, Verdict, laplace};
use crate::market::Market;
use crate::stats::Summary;

/// What the checks look at.
pub struct Findings<'a> {
    pub market: &'a Market,
    pub response: &'a ResponsePosterior,
    pub draws: &'a [Draw],
    pub own_paths: &'a [Path],
    /// Season and growth are the panel's.
    pub category: bool,
    pub comparisons: &'a [Comparison],
    pub alive: &'a Alive,
    /// By which customers' pasts fade a month.
    pub discount: f64,
    /// The user says that prices hardly moved.
    pub stable_prices: bool,
    pub feasts: &'a FeastModel,
    /// The scenario has not switched them off.
    pub feasts_on: bool,
    pub finds: &'a Finds,
    /// What customers' rates are explained by.
    pub regressors: &'a [String],
}

pub fn check(name: &str, verdict: Verdict, finding: String, advice: &str) -> Check {
    let advice = if verdict == Verdict::Pass { String::new() } else { advice.to_owned() };
    Check { name: name.to_owned(), verdict, finding, advice }
}

/// Every check, in the order of the report.
pub fn all(findings: &Findings<'_>) -> Vec<Check> {
    let mut out = readiness(findings.market, findings.stable_prices, findings.feasts_on);
    out.extend(sampling(findings));
    out.extend(agreement(findings));
    out.push(sampling_alive(findings));
    out.extend(placebo(findings));
    out.extend(shuffled(findings));
    out.extend(elasticity(findings));
    out.extend(clustering(findings));
    out.extend(rhythm(findings));
    out.extend(growth(findings));
    out.extend(findings.comparisons.iter().filter_map(predictive));
    out
}

/// A figure of real sales against the same of made ones.
fn predictive(comparison: &Comparison) -> Option<Check> {
    let made = Summary::of(&comparison.made)?;
    let p = comparison.probability();
    let far = (made.mean - comparison.real).abs() / comparison.real.abs().max(0.05);
    // Extreme and also far off: with many customers every model is wrong in the third digit.
    let verdict = if (0.02..=0.98).contains(&p) || far < 0.05 {
        Verdict::Pass
    } else if comparison.name.starts_with("own sales") && far > 0.25 {
        Verdict::Fail
    } else {
        Verdict::Review
    };
    Some(check(
        &format!("made against real: {}", comparison.name),
        verdict,
        format!(
            "real {:.4}, made {:.4} (90% {:.4} to {:.4}), P(made >= real) {p:.2}",
            comparison.real, made.mean, made.q05, made.q95
        ),
        "the fitted market behaves unlike yours in this respect; do not lean on results that hang on it",
    ))
}

/// How far the scores of customers scatter beyond what the likelihood expects.
fn clustering(findings: &Findings<'_>) -> Option<Check> {
    let response = findings.response;
    let verdict = if response.inflation < 5.0 { Verdict::Pass } else { Verdict::Review };
    response.fitted.then(|| {
        check(
            "spread between customers",
            verdict,
            format!("variances of the response were widened {:.1}-fold for customers that differ", response.inflation),
            "customers respond very differently or their orders come in bursts; the average effect hides much",
        )
    })
}

/// Is churn believable?
fn rhythm(findings: &Findings<'_>) -> Option<Check> {
    let drawn: Vec<f64> = findings.draws.iter().map(|draw| draw.parameters.churn).collect();
    let summary = Summary::of(&drawn)?;
    let verdict = if summary.mean < 0.05 { Verdict::Pass } else { Verdict::Review };
    let year = |hazard: f64| 100.0 * -libm::expm1(-12.0 * hazard);
    Some(check(
        "churn",
        verdict,
        format!(
            "{:.1}% of served customers stop a month, {:.0}% within a year (90% interval {:.0}% to {:.0}%); a stopped one comes back with {:.1}% a month",
            100.0 * summary.mean,
            year(summary.mean),
            year(summary.q05),
            year(summary.q95),
            100.0 * findings.alive.conversion
        ),
        "orders come in bursts with long pauses: \"lost\" then often means \"between two campaigns\"",
    ))
}

/// Do our sales to the same customers grow like the category?
fn growth(findings: &Findings<'_>) -> Option<Check> {
    if !findings.category {
        return None;
    }
    let gaps: Vec<f64> = findings
        .draws
        .iter()
        .zip(findings.own_paths)
        .map(|(draw, own)| 12.0 * (own.growth - draw.parameters.growth))
        .collect();
    let summary = Summary::of(&gaps)?;
    let verdict = if summary.q05 > 0.03 || summary.q95 < -0.03 { Verdict::Review } else { Verdict::Pass };
    Some(check(
        "our growth against the category's",
        verdict,
        format!(
            "our sales to the same customers grow {:+.1}% a year beyond the category (90% interval {:+.1}% to {:+.1}%)",
            100.0 * summary.mean,
            100.0 * summary.q05,
            100.0 * summary.q95
        ),
        "our share of the same customers has been moving for reasons other than the contacts on file; the twin holds it where \
         it is today",
    ))
}

/// Could the posterior be sampled?
fn sampling(findings: &Findings<'_>) -> Option<Check> {
    let response = findings.response;
    if !response.fitted {
        return None;
    }
    let flat = if response.flat { "; in one direction at least the data say nothing" } else { "" };
    let verdict = match (response.efficiency, response.pareto_k) {
        (e, _) if response.tempered && e >= 0.2 => Verdict::Pass,
        (e, k) if !response.tempered && laplace::even(e, k) => Verdict::Pass,
        (e, _) if e >= 0.05 => Verdict::Review,
        _ => Verdict::Fail,
    };
    if response.tempered {
        return Some(check(
            "sampling of the response",
            verdict,
            format!(
                "by tempered sequential Monte Carlo, since importance sampling would not do; effective sample {:.0}% of its \
                 particles{flat}",
                100.0 * response.efficiency
            ),
            "the response's posterior was not followed to its end: intervals of decay and effects may be too narrow",
        ));
    }
    Some(check(
        "importance sampling",
        verdict,
        format!(
            "effective sample {:.0}% of the candidates, Pareto k {:.2} (below 0.7 is good){flat}",
            100.0 * response.efficiency,
            response.pareto_k.max(-1.0),
        ),
        "the response's posterior is far from its approximation: intervals of decay and effects may be too narrow",
    ))
}

/// Do two runs of the sampler, from split seeds, say the same?
fn agreement(findings: &Findings<'_>) -> Option<Check> {
    let agreement = findings.response.agreement?;
    let verdict = if agreement.holds() { Verdict::Pass } else { Verdict::Fail };
    let ([means, deviations, evidence], [allowed, _, allowed_evidence]) = (agreement.differences, agreement.allowed);
    Some(check(
        "two runs of the sampler",
        verdict,
        format!(
            "means differ by {means:.2} deviations at most (up to {allowed:.2} is chance or of no consequence), deviations by \
             {:.0}%, log evidence by {evidence:.2} (up to {allowed_evidence:.2}); effective sample {:.0} each",
            100.0 * libm::expm1(deviations),
            agreement.effective
        ),
        "the sampler does not find the same response twice: do not use it; ask for more draws, or give decay and \
         half_saturation narrower priors in the scenario",
    ))
}

/// Could the posterior of churn and conversion be sampled?
fn sampling_alive(findings: &Findings<'_>) -> Check {
    let efficiency = findings.alive.efficiency;
    let verdict = match efficiency {
        e if e >= 0.2 => Verdict::Pass,
        e if e >= 0.03 => Verdict::Review,
        _ => Verdict::Fail,
    };
    check(
        "sampling of churn",
        verdict,
        format!("effective sample {:.0}% of the candidates", 100.0 * efficiency),
        "the intervals of churn and conversion are too narrow; give them a prior in the scenario",
    )
}

/// Next month's contacts must show no effect. A pass needs more than a figure that could be chance: it must also be
/// clear that the placebo is smaller than the effect itself.
fn placebo(findings: &Findings<'_>) -> Option<Check> {
    let placebo = findings.response.placebo?;
    let z = placebo.lead / placebo.se;
    let effect = placebo.effect.abs();
    let negligible = placebo.lead.abs() + 1.64 * placebo.se < 0.25 * effect;
    let (verdict, advice) = if negligible || (z.abs() < 2.5 && placebo.lead.abs() + 1.64 * placebo.se < effect) {
        (Verdict::Pass, "")
    } else if z.abs() < 2.5 {
        (
            Verdict::Review,
            "the data are too few to tell a real effect from reps who go where sales are good; test it in the field before \
             paying for more contacts",
        )
    } else {
        (
            Verdict::Review,
            "contacts seem to follow sales: part of the measured effect is the reps' choice of whom to see; test it in \
             the field before paying for more contacts",
        )
    };
    Some(check(
        "placebo: next month's contacts",
        verdict,
        format!(
            "log odds {:+.4} (standard error {:.4}, z {z:+.1}) for next month's contacts, against {:+.4} for this month's",
            placebo.lead, placebo.se, placebo.effect
        ),
        advice,
    ))
}

/// Contacts of other customers must show no effect.
fn shuffled(findings: &Findings<'_>) -> Option<Check> {
    let (share, se) = findings.response.shuffled?;
    let z = share / se;
    let verdict = if z.abs() < 3.0 || share.abs() + 1.64 * se < 0.25 { Verdict::Pass } else { Verdict::Review };
    Some(check(
        "placebo: other customers' contacts",
        verdict,
        format!("{:+.0}% of the effect (standard error {:.0}%, z {z:+.1})", 100.0 * share, 100.0 * se),
        "contacts of others seem to move a customer's sales: visits and sales follow the same plan or season here; test the \
         effect in the field before paying for more contacts",
    ))
}

/// Is the effect of visits within what has been published?
fn elasticity(findings: &Findings<'_>) -> Option<Check> {
    if !findings.response.fitted {
        return None;
    }
    let of = |draw: &Draw| draw.value("goodwill.elasticity_face_to_face").unwrap_or(0.0);
    let drawn: Vec<f64> = findings.draws.iter().map(of).collect();
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
    if findings.regressors.len() > 1 {
        out.push(format!("Customers' own rates are explained by: {}.", findings.regressors[1..].join(", ")));
    }
    if findings.discount < 1.0 {
        let half_life = libm::log(0.5) / libm::log(findings.discount);
        out.push(format!(
            "Customers' own rates drift: what a month tells about today halves in {half_life:.0} months (chosen by how well \
             it forecasts one month ahead)."
        ));
    }
    out.push(feasts::note(findings.feasts, findings.feasts_on));
    out
}
