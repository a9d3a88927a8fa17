//! What rivals will do: what they did in one of the years past, drawn anew for every run and the same for all its strategies.
//!
//! For every twelve months ahead one of the blocks of twelve months that end the history is drawn, and its moves are repeated in the
//! same months, each with its probability and a draw of its depth: loads that come every December keep coming, and what came
//! once in eight years comes in an eighth of the runs. Months of one year belong together, so that a campaign which stands in for a
//! load stays one or the other. (A block bootstrap; Künsch 1989, "The jackknife and the bootstrap for general stationary observations".)
//!
//! What was loaded in the last months of the history lies in stock at the start of a run.

use rand::RngExt as _;

use crate::calibrate::{MoveKind, RivalMove};
use crate::rng::Stream;
use crate::simulate::{RivalMonth, RivalsAhead};

/// A load that was made so many months before the end of the history has been used up.
const USED_UP: usize = 6;

/// Draws the moves of a run. `rivals`: their number; `past`: months of the history; `ahead`: months to come; `demand`: demand over that
/// of an average month of the last [`USED_UP`] months of the history and the first month ahead, in time order.
pub fn draw(
    moves: &[RivalMove],
    rivals: usize,
    past: usize,
    ahead: usize,
    demand: &[f64],
    stream: &mut Stream,
) -> RivalsAhead {
    if moves.is_empty() || rivals == 0 {
        return RivalsAhead::default();
    }
    // Which moves were made, and how deep they were, is drawn once: the stock rests on the same past that is repeated.
    let made: Vec<(&RivalMove, f64)> = moves
        .iter()
        .filter(|step| (1..=rivals).contains(&step.company))
        .filter_map(|step| {
            let was = stream.random::<f64>() < step.probability;
            let depth = step.depths.get((stream.random::<f64>() * step.depths.len() as f64) as usize).copied();
            depth.filter(|_| was).map(|depth| (step, depth))
        })
        .collect();
    let none = RivalMonth { push: vec![0.0; rivals], loading: vec![0.0; rivals] };
    let mut months = vec![none; ahead];
    let years = past / 12;
    for begin in (0..ahead).step_by(12) {
        if years == 0 {
            break;
        }
        let block = past - 12 * (1 + (stream.random::<f64>() * years as f64) as usize).min(years);
        for (step, depth) in made.iter().filter(|(step, _)| (block..block + 12).contains(&step.first)) {
            let first = begin + step.first - block;
            let (rival, depth) = (step.company - 1, *depth as f32);
            for month in months.iter_mut().skip(first).take(step.length) {
                match step.kind {
                    MoveKind::Loading => month.loading[rival] += depth,
                    MoveKind::Campaign => month.push[rival] += depth,
                    MoveKind::Stockout => month.push[rival] -= depth,
                }
            }
        }
    }
    RivalsAhead { stock: stock(&made, past, demand) as f32, months }
}

/// Stock at the end of the history, in months of demand of the month after it (`simulate::mechanisms::loading`).
fn stock(made: &[(&RivalMove, f64)], past: usize, demand: &[f64]) -> f64 {
    let Some((&next, before)) = demand.split_last() else { return 0.0 };
    let mut stock: f64 = 0.0;
    for (k, &demand) in before.iter().enumerate() {
        let Some(month) = (past + k).checked_sub(before.len()) else { continue };
        let loads = made.iter().filter(|(step, _)| step.kind == MoveKind::Loading && step.first == month);
        stock = (stock - demand).max(0.0) + demand * loads.map(|(_, depth)| depth).sum::<f64>();
    }
    if next > 0.0 { stock / next } else { 0.0 }
}

/// Months of demand that [`draw`] reads: the last of the history and the first ahead.
pub const DEMAND_MONTHS: usize = USED_UP + 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn load(company: usize, first: usize, depth: f64) -> RivalMove {
        RivalMove { company, kind: MoveKind::Loading, first, length: 1, probability: 1.0, depths: vec![depth] }
    }

    #[test]
    fn a_load_of_every_december_comes_again() {
        // Three years from January on; the second rival loads each December, the first once, in the June of one year.
        let mut moves: Vec<RivalMove> = (0..3).map(|year| load(2, 12 * year + 11, 0.4)).collect();
        moves.push(RivalMove { kind: MoveKind::Campaign, length: 2, ..load(1, 17, 0.3) });
        let mut june = 0.0;
        for run in 0..600 {
            let mut stream = Stream::new(1, "test/rivals", run);
            let ahead = draw(&moves, 2, 36, 24, &[1.0; DEMAND_MONTHS], &mut stream);
            for (t, month) in ahead.months.iter().enumerate() {
                assert_eq!(month.loading, [0.0, if t % 12 == 11 { 0.4 } else { 0.0 }], "{t}");
                assert_eq!(month.push[0] > 0.0, ahead.months[if t % 12 == 6 { t - 1 } else { t }].push[0] > 0.0);
            }
            june += f64::from(ahead.months[5].push[0]) / 0.3;
            // What was loaded in the last December lies in stock.
            assert!((ahead.stock - 0.4).abs() < 1e-6);
        }
        assert!((june / 600.0 - 1.0 / 3.0).abs() < 0.08, "{june}");
    }

    #[test]
    fn stock_is_used_up() {
        let moves = [load(1, 33, 2.5)];
        let made = [(&moves[0], 2.5)];
        // Loaded in the last month but two: a demand of 1 is taken twice; the next month's demand is half of it.
        let demand = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5];
        assert!((stock(&made, 36, &demand) - 1.0).abs() < 1e-12);
        assert_eq!(stock(&[], 36, &demand), 0.0);
    }

    #[test]
    fn what_is_uncertain_is_made_in_its_share_of_runs_and_nothing_without_moves() {
        let unsure = [RivalMove { probability: 0.25, ..load(1, 11, 0.2) }];
        let made = (0..800).filter(|&run| {
            let mut stream = Stream::new(2, "test/rivals", run);
            draw(&unsure, 1, 12, 12, &[1.0; DEMAND_MONTHS], &mut stream).months[11].loading[0] > 0.0
        });
        let share = made.count() as f64 / 800.0;
        assert!((share - 0.25).abs() < 0.06, "{share}");
        let none = draw(&[], 1, 12, 12, &[1.0; DEMAND_MONTHS], &mut Stream::new(1, "test/rivals", 0));
        assert_eq!(none, RivalsAhead::default());
    }
}
