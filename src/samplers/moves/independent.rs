//! Independent proposals from the fitted mixture q: `log q(x) - log q(y)`. A particle may land in any mode, whatever mode it
//! comes from.

use super::Around;
use crate::rng::Stream;

pub(super) fn propose(from: &[f64], around: &Around, stream: &mut Stream, to: &mut [f64]) -> f64 {
    around.mixture.draw(stream, to);
    around.mixture.log_density(from) - around.mixture.log_density(to)
}
