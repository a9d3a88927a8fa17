//! Outlets per head: the audited territories' universe, carried to the others by population.
//!
//! log outlets = a + b log population + N(0, s^2), least squares over the audited territories, b held near 1 by a ridge; the
//! others are drawn from the predictive distribution (coefficients and residual both uncertain). Dark = outlets - open
//! known customers.

use rand_distr::{Distribution as _, StandardNormal};

use super::super::dark_half::Evidence;
use super::super::observed::Observed;
use super::DRAWS;
use crate::rng::Stream;
use crate::stats::Summary;

/// Audited territories needed before a line is drawn through them.
const ENOUGH: usize = 3;

pub(super) fn estimate(observed: &Observed, seed: u64) -> Option<Evidence> {
    let rows: Vec<(Option<f64>, Option<f64>, f64)> = observed
        .territories
        .iter()
        .map(|territory| {
            let known = territory.customers.clone().filter(|&i| !observed.customers[i].closed).count() as f64;
            (territory.population.map(libm::log), territory.outlets, known)
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let unaudited = rows.iter().filter(|(_, outlets, _)| outlets.is_none()).count();
    let seen: f64 = rows.iter().filter_map(|(_, outlets, known)| Some((outlets.as_ref()? - known).max(0.0))).sum();
    if unaudited == 0 {
        return Some(Evidence {
            name: "outlets audit".into(),
            measure: "dark_customers".into(),
            unit: "customers".into(),
            estimate: Summary::exact(seen),
            remark: "outlets less open rows of customers.csv, every territory audited; fused".into(),
        });
    }
    let audited: Vec<(f64, f64)> =
        rows.iter().filter_map(|&(population, outlets, _)| Some((population?, libm::log(outlets?.max(0.5))))).collect();
    if audited.len() < ENOUGH {
        return None;
    }
    let line = Line::through(&audited);
    let mut rng = Stream::new(seed, "potential/universe regression", 0);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let draws: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let (level, slope) = (normal(), normal());
            let others = rows.iter().filter(|(_, outlets, _)| outlets.is_none());
            let dark = others.map(|&(population, _, known)| {
                // An unknown population is taken for an average one.
                let x = population.unwrap_or(line.centre);
                let log = line.at(x) + line.level_error * level + line.slope_error * slope * (x - line.centre);
                (libm::exp(log + line.residual * normal()) - known).max(0.0)
            });
            seen + dark.sum::<f64>()
        })
        .collect();
    Some(Evidence {
        name: "universe regression".into(),
        measure: "dark_customers".into(),
        unit: "customers".into(),
        estimate: Summary::of(&draws)?,
        remark: format!(
            "outlets of {} audited territories carried to the others by population (elasticity {:.2}); assumes that audited \
             territories are like the others; fused",
            audited.len(),
            line.slope
        ),
    })
}

/// A least-squares line with the errors of its level (at the centre) and slope.
#[derive(Debug, Clone, Copy)]
struct Line {
    centre: f64,
    level: f64,
    slope: f64,
    residual: f64,
    level_error: f64,
    slope_error: f64,
}

impl Line {
    /// Slope ~ N(1, 0.1) before the data: buyers grow with heads.
    fn through(points: &[(f64, f64)]) -> Self {
        let n = points.len() as f64;
        let centre = points.iter().map(|(x, _)| x).sum::<f64>() / n;
        let level = points.iter().map(|(_, y)| y).sum::<f64>() / n;
        let (mut xx, mut xy) = (0.0, 0.0);
        for (x, y) in points {
            xx += (x - centre) * (x - centre);
            xy += (x - centre) * (y - level);
        }
        // The prior's weight in units of the residual variance, taken at a typical 0.3^2.
        let weight = 0.3 * 0.3 / (0.1 * 0.1);
        let slope = (xy + weight) / (xx + weight);
        let square: f64 = points.iter().map(|(x, y)| y - level - slope * (x - centre)).map(|r| r * r).sum();
        // One prior observation of 0.3 keeps three points in a row from looking certain.
        let residual = ((square + 0.09) / (n - 1.0)).sqrt();
        Self {
            centre,
            level,
            slope,
            residual,
            level_error: residual / n.sqrt(),
            slope_error: residual / (xx + weight).sqrt(),
        }
    }

    fn at(&self, x: f64) -> f64 {
        self.level + self.slope * (x - self.centre)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::{ObservedCustomer, ObservedTerritory};
    use super::*;

    #[test]
    fn one_outlet_a_thousand_heads_is_carried_over() {
        let territory = |population: f64, outlets: Option<f64>| ObservedTerritory {
            population: Some(population),
            outlets,
            ..Default::default()
        };
        let mut territories: Vec<ObservedTerritory> =
            (1..=10).map(|k| territory(10_000.0 * f64::from(k), Some(10.0 * f64::from(k)))).collect();
        territories.push(territory(50_000.0, None));
        territories[10].customers = 0..20;
        let observed = Observed { territories, customers: vec![ObservedCustomer::default(); 20], ..Default::default() };
        let evidence = estimate(&observed, 1).unwrap();
        // 550 outlets seen dark, and 50 less 20 known elsewhere.
        assert!((evidence.estimate.q50 - 580.0).abs() < 3.0, "{:?}", evidence.estimate);
        assert!(evidence.estimate.sd > 1.0 && evidence.estimate.sd < 15.0);
    }
}
