//! What rivals did in the past: campaigns that win share for a while, and loading that borrows from the months after it.

use super::description::Description;
use super::draws::Draws;
use super::world::World;
use crate::data::ActionKind;
use crate::ids::stable_hash;

/// One move of a rival.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// Index into the description's companies.
    pub company: usize,
    /// Where; `None` = everywhere.
    pub territories: Option<Vec<usize>>,
    /// Position of its first month in the history.
    pub first: usize,
    /// Position of its last month.
    pub last: usize,
    pub kind: ActionKind,
    /// Log odds (campaign) or months of demand (loading).
    pub depth: f64,
    /// Whether our own records know of it.
    pub known: bool,
}

/// Every rival's moves in order of company, then time.
pub(super) fn moves(description: &Description, world: &World, seed: u64) -> Vec<Move> {
    let plan = &description.rivals;
    let months = description.history.len();
    let mut regions: Vec<&str> = world.places.iter().map(|place| place.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    let mut out = Vec::new();
    for (company, rival) in description.companies.iter().enumerate().skip(1) {
        let mut draws = Draws::new(seed, "synth/moves", stable_hash(&rival.id));
        let mut own = Vec::new();
        for year in 0..months.div_ceil(12) {
            let whole = plan.campaigns_per_year.floor();
            let count = whole as usize + usize::from(draws.chance(plan.campaigns_per_year - whole));
            for _ in 0..count {
                let first = 12 * year + draws.below(12);
                let last = first + 1 + draws.below(2);
                let everywhere = draws.chance(0.4);
                let region = regions[draws.below(regions.len())];
                let depth = plan.push * draws.noise(0.25);
                let known = draws.chance(description.records.moves_known);
                let inside = |&territory: &usize| world.places[territory].region == region;
                let territories = (!everywhere).then(|| (0..world.places.len()).filter(inside).collect());
                if first < months {
                    let last = last.min(months - 1);
                    own.push(Move { company, territories, first, last, kind: ActionKind::Campaign, depth, known });
                }
            }
        }
        for month in 0..months {
            let of_year = description.history.at(month).of_year();
            let chance = match of_year {
                11 => 2.0 * plan.loading,
                2 | 5 | 8 => plan.loading,
                _ => plan.loading_other,
            };
            let loads = draws.chance(chance);
            let depth = plan.loading_depth * draws.noise(0.25);
            let known = draws.chance(description.records.moves_known);
            if loads {
                let kind = ActionKind::Loading;
                own.push(Move { company, territories: None, first: month, last: month, kind, depth, known });
            }
        }
        own.sort_by_key(|step| (step.first, step.kind, step.last));
        out.extend(own);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::world;

    #[test]
    fn loading_falls_on_quarter_ends_and_campaigns_in_the_history() {
        let description = Description::turkiye();
        let world = world::place(&description, 3);
        let moves = moves(&description, &world, 3);
        let loading = moves.iter().filter(|step| step.kind == ActionKind::Loading);
        assert!(loading.clone().count() > 10);
        assert!(loading.clone().all(|step| matches!(description.history.at(step.first).of_year(), 2 | 5 | 8 | 11)));
        let campaigns: Vec<_> = moves.iter().filter(|step| step.kind == ActionKind::Campaign).collect();
        assert_eq!(campaigns.len(), 24);
        assert!(campaigns.iter().all(|step| step.company > 0 && step.last < 96 && step.depth > 0.0));
        let known = moves.iter().filter(|step| step.known).count();
        assert!(known > 0 && known < moves.len());
    }

    #[test]
    fn loading_may_fall_in_any_month() {
        let usual = Description::turkiye();
        let mut other = usual.clone();
        other.rivals.loading_other = 0.3;
        let world = world::place(&usual, 3);
        let quarters = |step: &&Move| matches!(usual.history.at(step.first).of_year(), 2 | 5 | 8 | 11);
        let (before, after) = (moves(&usual, &world, 3), moves(&other, &world, 3));
        let loading: Vec<&Move> = after.iter().filter(|step| step.kind == ActionKind::Loading).collect();
        assert!(loading.iter().filter(|step| !quarters(step)).count() > 20);
        // The moves that were there before are the same.
        assert!(before.iter().all(|step| after.contains(step)));
    }
}
