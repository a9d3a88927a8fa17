//! The answer in plain words, and the headline figures.

use serde::Serialize;

use super::super::figure::{Unit, count, percent, rounded};
use super::super::findings::Findings;
use super::super::potential_index::Potential;
use super::super::strategies::Strategies;
use super::super::words;
use crate::potential::PotentialRow;

/// What the first page says.
#[derive(Serialize)]
pub struct Answer {
    pub sentences: Vec<String>,
    pub cards: Vec<Card>,
}

/// A headline figure.
#[derive(Serialize)]
pub struct Card {
    pub label: String,
    pub value: String,
    pub unit: String,
    /// The interval, or what else must be known.
    pub note: String,
}

/// From the whole-market rows of the potential and the comparison; what is not there is left out.
pub fn answer(findings: &Findings, potential: &Potential, strategies: &Strategies) -> Answer {
    let unit = |row: &PotentialRow| Unit::new(&row.unit, &findings.currency);
    let full = |row: &PotentialRow| {
        format!("{} (90% interval {})", unit(row).full(row.summary.q50), unit(row).bare_interval(&row.summary))
    };
    let mut sentences = Vec::new();
    let known: usize = findings.territories.iter().map(|territory| territory.customers).sum();
    if let Some(row) = potential.whole("dark_customers") {
        sentences.push(format!(
            "Besides the {} customers that {} has on file, an estimated {} buy the category without being in its files.",
            count(known),
            findings.company_name,
            full(row)
        ));
    }
    if let Some(row) = potential.whole("dark_demand") {
        let of_all =
            potential.whole("total_demand").filter(|total| total.summary.q50 > 0.0).map_or_else(String::new, |total| {
                format!(", about {} of all that is bought", percent(row.summary.q50 / total.summary.q50))
            });
        sentences.push(format!("They bought {} in the 12 months to {}{of_all}.", full(row), findings.history.last));
    }
    sentences.extend(size_ratio(findings, potential));
    if let Some(row) = potential.whole("attainable_sales") {
        let share = potential.whole("untapped_share").map_or_else(String::new, |share| {
            format!(
                ": {} of category demand ({})",
                percent(share.summary.q50),
                unit(share).bare_interval(&share.summary)
            )
        });
        sentences.push(format!(
            "With the scenario's effort and the rivals carrying on, {} a year could be won from customers that we do \
             not serve{share}.",
            full(row)
        ));
    }
    sentences.extend(best_strategy(findings, strategies));

    let mut cards: Vec<Card> = ["dark_customers", "dark_demand", "attainable_sales", "untapped_share"]
        .into_iter()
        .filter_map(|measure| {
            let row = potential.whole(measure)?;
            let value = unit(row).bare(row.summary.q50);
            let unit = unit(row);
            let name = if value.contains(unit.head()) { String::new() } else { unit.head().to_owned() };
            Some(Card {
                label: words::measure(measure),
                value,
                unit: match measure {
                    "dark_customers" => String::new(),
                    "attainable_sales" => format!("{name} a year").trim_start().to_owned(),
                    "untapped_share" => "of category demand".to_owned(),
                    _ => name,
                },
                note: format!("90% interval {}", unit.bare_interval(&row.summary)),
            })
        })
        .collect();
    if let Some(best) = &strategies.best {
        let chance = |metric: &str| strategies.of_metric(best, metric).map(|summary| percent(summary.mean));
        let best_of_all = chance("p_best").map(|text| format!("P(best) {text}"));
        let loses = chance("p_loss").map(|text| format!("P(loss) {text}"));
        cards.push(Card {
            label: "Likely best strategy".to_owned(),
            value: best.clone(),
            unit: String::new(),
            note: [best_of_all, loses].into_iter().flatten().collect::<Vec<_>>().join(", "),
        });
    }
    // A range is not broken between its ends (U+2060 joins words).
    let unbroken = |text: &mut String| *text = text.replace('–', "\u{2060}–\u{2060}");
    sentences.iter_mut().for_each(unbroken);
    cards.iter_mut().for_each(|card| unbroken(&mut card.note));
    Answer { sentences, cards }
}

/// How far the headline moves with the assumption on size, on the first page because few data settle it.
fn size_ratio(findings: &Findings, potential: &Potential) -> Option<String> {
    let unit = Unit::new(&potential.whole("dark_demand")?.unit, &findings.currency);
    let (first, last) = (findings.size_ratio_sensitivity.first()?, findings.size_ratio_sensitivity.last()?);
    (first.0 < last.0).then(|| {
        let smaller = |centre: f64| {
            if centre == 1.0 {
                "as large as those on file".to_owned()
            } else {
                format!("{} times smaller", rounded(centre))
            }
        };
        format!(
            "That rests on how large they are: taken beforehand to be {}, they would have bought {}; {}, {} (see \
             “If the size of dark customers is not what was assumed”).",
            smaller(first.0),
            unit.full(first.2),
            smaller(last.0),
            unit.full(last.2)
        )
    })
}

/// What the comparison says, with its doubts.
fn best_strategy(findings: &Findings, strategies: &Strategies) -> Vec<String> {
    let Some(best) = &strategies.best else { return Vec::new() };
    let chance = |name: &str, metric: &str| strategies.of_metric(name, metric).map(|summary| summary.mean);
    let Some(first) = chance(best, "p_best") else { return Vec::new() };
    let compared = strategies.names.len();
    let mut sentences = Vec::new();
    let judged = strategies.judged_on.as_deref();
    let on = judged.map_or_else(String::new, |metric| {
        format!(", judged on {}", words::metric(metric).to_lowercase().replace("npv", "NPV"))
    });
    if findings.baseline.as_ref() == Some(best) {
        sentences.push(format!(
            "Of {compared} strategies, carrying on as in the baseline “{best}” is most likely the best: it wins {} of \
             paired runs{on}.",
            percent(first)
        ));
    } else {
        let gain = judged
            .and_then(|metric| {
                let unit = Unit::new(strategies.unit(metric)?, &findings.currency);
                let summary = strategies.of_metric(best, metric)?;
                Some(format!(
                    " Against the baseline it brings {} ({}: median, 90% interval {}).",
                    unit.full(summary.q50),
                    words::metric(metric).to_lowercase().replace("npv", "NPV"),
                    unit.bare_interval(&summary)
                ))
            })
            .unwrap_or_default();
        let loss = chance(best, "p_loss")
            .map_or_else(String::new, |loss| format!(" It loses money in {} of runs.", percent(loss)));
        sentences.push(format!(
            "Of {compared} strategies, “{best}” is most likely the best: it wins {} of paired runs{on}.{gain}{loss}",
            percent(first)
        ));
    }
    let second = strategies.names.get(1).and_then(|name| Some((name, chance(name, "p_best")?)));
    if let Some((name, share)) = second.filter(|(_, share)| first - share < 0.2) {
        sentences.push(format!(
            "That is no clear decision: “{name}” wins {} of runs. See the regret in the comparison before choosing.",
            percent(share)
        ));
    }
    sentences
}
