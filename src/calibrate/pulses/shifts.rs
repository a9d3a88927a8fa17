//! What rivals' moves did to the months of a series, as draws: how sure each month is, and which months are too high or too low together.

use crate::calibrate::sampling::Source;

/// Log of sales with rivals' moves over those without (ours are in both), by month.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shifts {
    /// Empty where nothing was moved.
    mean: Vec<f64>,
    /// What each draw is beyond the mean.
    deviations: Vec<Vec<f64>>,
    /// Of every month with every month.
    covariance: Vec<f64>,
}

impl Shifts {
    /// From draws of all months.
    pub fn of(draws: &[Vec<f64>]) -> Self {
        let months = draws.first().map_or(0, Vec::len);
        let mean: Vec<f64> =
            (0..months).map(|t| draws.iter().map(|draw| draw[t]).sum::<f64>() / draws.len() as f64).collect();
        let beyond = |draw: &Vec<f64>| draw.iter().zip(&mean).map(|(x, mean)| x - mean).collect();
        let deviations: Vec<Vec<f64>> = if months > 0 { draws.iter().map(beyond).collect() } else { Vec::new() };
        let of = |s: usize, t: usize| {
            deviations.iter().map(|row| row[s] * row[t]).sum::<f64>() / deviations.len().max(1) as f64
        };
        let covariance = (0..months * months).map(|k| of(k / months, k % months)).collect();
        Self { mean, deviations, covariance }
    }

    /// Nothing is known to have moved anything.
    pub fn is_empty(&self) -> bool {
        self.mean.is_empty()
    }

    pub fn mean(&self, t: usize) -> f64 {
        self.mean.get(t).copied().unwrap_or(0.0)
    }

    /// Covariance of two months.
    pub fn covariance(&self, s: usize, t: usize) -> f64 {
        self.covariance.get(s * self.mean.len() + t).copied().unwrap_or(0.0)
    }

    /// What one of the draws is beyond the mean, by month; empty where nothing was moved.
    pub fn deviation(&self, source: &mut Source) -> &[f64] {
        let pick = (source.uniform() * self.deviations.len() as f64) as usize;
        self.deviations.get(pick).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sampling::Purpose;

    #[test]
    fn months_that_go_together_are_known_to() {
        let mut source = Source::new(1, Purpose::Pulses, 0);
        let draws: Vec<Vec<f64>> = (0..4000)
            .map(|_| {
                let (both, own) = (source.normal(), source.normal());
                vec![0.0, -0.3 + 0.1 * both, 0.2 + 0.1 * both + 0.1 * own]
            })
            .collect();
        let shifts = Shifts::of(&draws);
        assert!((shifts.mean(1) + 0.3).abs() < 0.006 && (shifts.mean(2) - 0.2).abs() < 0.008);
        assert!((shifts.covariance(1, 2) - 0.01).abs() < 0.001 && (shifts.covariance(2, 2) - 0.02).abs() < 0.002);
        assert!(shifts.covariance(0, 1).abs() < 1e-12);
        let drawn: f64 = (0..2000)
            .map(|_| {
                let row = shifts.deviation(&mut source);
                row[1] * row[2]
            })
            .sum();
        assert!((drawn / 2000.0 - 0.01).abs() < 0.001);
        let nothing = Shifts::default();
        assert!(nothing.deviation(&mut source).is_empty() && nothing.mean(3).abs() < 1e-12);
    }
}
