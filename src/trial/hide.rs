//! Takes customers out of what is observed, with every trace of them.

use rand::RngExt as _;

use crate::potential::{Observed, ObservedCaptures};
use crate::rng::Stream;

/// What would be observed had we never met the customers marked in `hidden`.
///
/// Their rows go (and with them their sales, sizes, wallets and dates). On the lists, their histories lose our own list; who
/// is on no other list is on none. Where the files do not say which lists name a customer, its history is drawn from those of its territory that
/// hold our own list. The panel's own sales lose what we sold to them: what it sees beyond our files through wholesalers stays
/// what it was, since a gap of the size of the hidden sales would give them away. Audited outlets and the
/// category demand of the panel stay: they do not come from us.
pub fn hide(observed: &Observed, hidden: &[bool], seed: u64) -> Observed {
    let mut out = Observed { customers: Vec::new(), ..observed.clone() };
    // Which of the hidden go from a segment is not drawn: no trial reads that.
    if let Some(captures) = &mut out.captures {
        captures.by_segment.clear();
    }
    for (j, territory) in observed.territories.iter().enumerate() {
        let first = out.customers.len();
        let kept = territory.customers.clone().filter(|&i| !hidden[i]);
        out.customers.extend(kept.map(|i| observed.customers[i].clone()));
        out.territories[j].customers = first..out.customers.len();
        let indirect = observed.indirect(j);
        let own = out.own_sales(j);
        out.territories[j].panel_own = territory.panel_own.map(|_| own + indirect);
        if let Some(captures) = &mut out.captures {
            let mut rng = Stream::new(seed, "trial/lists", j as u64);
            // Who had closed is on no list of buyers.
            let buyers = territory.customers.clone().filter(|&i| hidden[i] && !observed.customers[i].closed);
            let gone = buyers.map(|i| observed.customers[i].lists);
            unlist(captures, j, gone, &mut rng);
        }
    }
    let own = |observed: &Observed| observed.customers.iter().map(|customer| customer.own_year).sum::<f64>();
    out.market_panel_own = observed.market_panel_own.map(|panel| {
        let beyond = panel - own(observed);
        own(&out) + if beyond > 0.005 * panel { beyond } else { 0.0 }
    });
    out
}

/// Takes our own list out of the histories of customers of territory `j`.
fn unlist(captures: &mut ObservedCaptures, j: usize, gone: impl Iterator<Item = Option<u32>>, rng: &mut Stream) {
    let (Some(own), Some(cells)) = (captures.own, captures.counts[j].as_mut()) else { return };
    let bit = 1_usize << own;
    // Histories are drawn without replacement from those that were there, not from what this function leaves.
    for lists in gone {
        let history = match lists {
            Some(lists) => Some(lists as usize | bit),
            None => draw(cells, bit, rng),
        };
        let Some(history) = history.filter(|&history| cells.get(history).is_some_and(|&count| count >= 1.0)) else {
            continue;
        };
        cells[history] -= 1.0;
        if history != bit {
            cells[history & !bit] += 1.0;
        }
    }
}

/// A history with our own list, by how often it occurs.
fn draw(cells: &[f64], bit: usize, rng: &mut Stream) -> Option<usize> {
    let ours = || cells.iter().enumerate().filter(|(history, count)| history & bit != 0 && **count > 0.0);
    let uniform: f64 = rng.random();
    let mut left = uniform * ours().map(|(_, count)| count).sum::<f64>();
    ours()
        .find(|(_, count)| {
            left -= **count;
            left < 0.0
        })
        .map(|(history, _)| history)
}
