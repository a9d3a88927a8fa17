//! What can be done in a territory: one level of each part, or today's.

use crate::market::{BoundAction, BoundLever, BoundOptimise};
use crate::strategy::hired;

/// A choice for one territory: the position of its option in the menu.
pub type Choice = usize;

/// Everything that one territory may choose: every combination of levels. The first is to go on as today.
#[derive(Debug, Clone)]
pub struct Menu<'a> {
    optimise: &'a BoundOptimise,
    /// By option and part: 0 = today's, k = level k - 1.
    pub options: Vec<Vec<usize>>,
}

impl<'a> Menu<'a> {
    /// Number of combinations that a menu would have.
    pub fn size(optimise: &BoundOptimise) -> usize {
        optimise.parts.iter().fold(1, |size: usize, part| size.saturating_mul(part.levels.len() + 1))
    }

    /// All combinations, the first part changing fastest.
    pub fn new(optimise: &'a BoundOptimise) -> Self {
        let options = (0..Self::size(optimise))
            .map(|mut rest| {
                let digit = |part: &crate::market::BoundPart| {
                    let levels = part.levels.len() + 1;
                    let level = rest % levels;
                    rest /= levels;
                    level
                };
                optimise.parts.iter().map(digit).collect()
            })
            .collect();
        Self { optimise, options }
    }

    /// The level that a choice means for a part, in words; `None` = as today.
    pub fn words(&self, choice: Choice, part: usize) -> Option<&'a str> {
        let level = self.options[choice][part].checked_sub(1)?;
        Some(&self.optimise.parts[part].levels[level].0)
    }

    /// Reps that each option hires in its fastest month of the horizon.
    pub fn hires(&self, horizon: usize) -> Vec<f64> {
        let of = |option: &Vec<usize>| {
            let chosen = option.iter().zip(&self.optimise.parts).filter_map(|(level, part)| {
                let (_, lever) = part.levels.get(level.checked_sub(1)?)?;
                Some(lever)
            });
            let levers: Vec<&BoundLever> = chosen.collect();
            let hired = |month: usize| levers.iter().map(|lever| hired(lever, month)).sum::<f64>();
            (0..horizon).map(hired).fold(0.0, f64::max)
        };
        self.options.iter().map(of).collect()
    }

    /// Number of parts.
    pub fn parts(&self) -> usize {
        self.optimise.parts.len()
    }

    /// Levels of a part beside today's.
    pub fn levels(&self, part: usize) -> usize {
        self.optimise.parts[part].levels.len()
    }

    /// The first part whose levers do this.
    pub fn part(&self, does: impl Fn(&BoundAction) -> bool) -> Option<usize> {
        self.optimise.parts.iter().position(|part| part.levels.first().is_some_and(|(_, lever)| does(&lever.action)))
    }

    /// The levers of a plan: what every territory does. Reps are added to one territory by one lever, so that none is spread; of the
    /// other parts a level is one lever for all territories that choose it.
    pub fn levers(&self, plan: &[Choice]) -> Vec<BoundLever> {
        let mut out = Vec::new();
        for (at, part) in self.optimise.parts.iter().enumerate() {
            for (level, (_, lever)) in part.levels.iter().enumerate() {
                let chosen: Vec<bool> = plan.iter().map(|&choice| self.options[choice][at] == level + 1).collect();
                let alone = matches!(lever.action, BoundAction::Headcount { .. });
                let lever_of = |territories: Vec<bool>| BoundLever { territories, ..lever.clone() };
                if alone {
                    let one = |j: usize| (0..chosen.len()).map(|other| other == j).collect();
                    out.extend((0..chosen.len()).filter(|&j| chosen[j]).map(|j| lever_of(one(j))));
                } else if chosen.iter().any(|chosen| *chosen) {
                    out.push(lever_of(chosen));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::BoundPart;
    use crate::scenario::{Cost, Headcount};

    fn lever(action: BoundAction) -> BoundLever {
        BoundLever { from: 2, until: 24, territories: vec![true; 3], who: None, cost: Cost::default(), action }
    }

    fn optimise() -> BoundOptimise {
        let reps = |add: f64| {
            let plan = Headcount { add, monthly_cost: 1.0, ramp_months: 0, calls_per_month: None };
            (format!("{add} reps more"), lever(BoundAction::Headcount { plan, calls_per_month: 80.0 }))
        };
        let share = |share: f64| {
            let action = BoundAction::CallPlan { prospecting: Some(share), rules: Vec::new() };
            (format!("{share}"), lever(action))
        };
        let part = |name: &str, levels| BoundPart { name: name.into(), levels };
        BoundOptimise {
            budget: 1.0,
            realign: None,
            parts: vec![
                part("headcount", vec![reps(1.0), reps(2.0)]),
                part("prospecting", vec![share(0.2), share(0.4), share(0.6)]),
            ],
        }
    }

    #[test]
    fn every_combination_once_and_today_first() {
        let optimise = optimise();
        let menu = Menu::new(&optimise);
        assert_eq!(menu.options.len(), 12);
        assert_eq!(menu.options[0], [0, 0]);
        let mut sorted = menu.options.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 12);
        assert_eq!((menu.words(0, 0), menu.words(5, 0)), (None, Some("2 reps more")));
        assert_eq!(menu.hires(24)[..4], [0.0, 1.0, 2.0, 0.0]);
    }

    #[test]
    fn reps_are_given_to_one_territory_each() {
        let optimise = optimise();
        let menu = Menu::new(&optimise);
        let option = menu.options.iter().position(|option| *option == [2, 1]).unwrap();
        let levers = menu.levers(&[option, 0, option]);
        let territories: Vec<Vec<bool>> = levers.iter().map(|lever| lever.territories.clone()).collect();
        assert_eq!(territories, [vec![true, false, false], vec![false, false, true], vec![true, false, true]]);
        assert!(menu.levers(&[0; 3]).is_empty());
    }
}
