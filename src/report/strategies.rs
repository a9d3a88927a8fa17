//! Looking up a comparison: whole market, whole horizon.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::words;
use crate::stats::Summary;
use crate::strategy::StrategyRow;

/// The strategies of a comparison.
pub struct Strategies<'a> {
    rows: BTreeMap<(&'a str, &'a str), &'a StrategyRow>,
    /// Most likely best first; the baseline where it falls.
    pub names: Vec<String>,
    /// The strategy with the highest P(best).
    pub best: Option<String>,
    /// The metric that they are judged on, where there are rows of it.
    pub judged_on: Option<String>,
}

impl<'a> Strategies<'a> {
    pub fn of(findings: &'a Findings) -> Self {
        let all = findings.comparison.as_ref().map_or(&[][..], |comparison| &comparison.strategies);
        let rows: BTreeMap<(&str, &str), &StrategyRow> = all
            .iter()
            .filter(|row| row.territory_id == "*" && row.segment == "*" && row.period == "*")
            .map(|row| ((row.strategy.as_str(), row.metric.as_str()), row))
            .collect();
        let mut names: Vec<String> = Vec::new();
        for row in all {
            if !names.contains(&row.strategy) {
                names.push(row.strategy.clone());
            }
        }
        let mut strategies = Self { rows, names, best: None, judged_on: None };
        let chance = |name: &String| strategies.of_metric(name, "p_best").map_or(-1.0, |summary| summary.mean);
        let mut ordered = strategies.names.clone();
        ordered.sort_by(|left, right| chance(right).total_cmp(&chance(left)));
        let best = ordered.first().filter(|name| chance(name) >= 0.0).cloned();
        let wanted = findings.objective.map(words::objective);
        let judged_on = wanted
            .into_iter()
            .chain(["incremental_margin", "incremental_sales"])
            .find(|metric| strategies.unit(metric).is_some())
            .map(str::to_owned);
        strategies.names = ordered;
        strategies.best = best;
        strategies.judged_on = judged_on;
        strategies
    }

    /// A metric of a strategy; `None` where it does not apply.
    pub fn of_metric(&self, strategy: &str, metric: &str) -> Option<Summary> {
        self.rows.get(&(strategy, metric))?.summary
    }

    /// Unit of a metric, from any row of it.
    pub fn unit(&self, metric: &str) -> Option<&'a str> {
        self.rows.values().find(|row| row.metric == metric).map(|row| row.unit.as_str())
    }

    /// Whether any strategy has the metric.
    pub fn has(&self, metric: &str) -> bool {
        self.rows.values().any(|row| row.metric == metric && row.summary.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_most_likely_best_comes_first() {
        let findings = fixture::market();
        let strategies = Strategies::of(&findings);
        assert_eq!(strategies.names[0], "prospecting");
        assert_eq!(strategies.best.as_deref(), Some("prospecting"));
        assert_eq!(strategies.judged_on.as_deref(), Some("incremental_margin"));
        let without = fixture::only_potential();
        assert!(Strategies::of(&without).best.is_none());
    }
}
