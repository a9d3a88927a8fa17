//! Sizes of all that is there, drawn together.
//!
//! Given what is there, the figures are `r = H c + noise` with sizes `c ~ N(0, I)` in deviations of their own ([`STEP`] of log depth for a
//! move), and `P` is the precision of both together: `c | r ~ N(H' P r, I - H' P H)`. What one move is too much another is too little, and
//! a season that is put too high makes every dip after it too deep: depths that are drawn one by one do not know of it.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::chain::{Active, Chain, Event};
use super::moves::{Move, STEP};
use crate::calibrate::sampling::Source;

/// How large everything that is there is, in its deviations.
pub(super) struct Sizes {
    mean: DVector<f64>,
    factor: Option<Cholesky<f64, Dyn>>,
}

impl Sizes {
    pub(super) fn draw(&self, source: &mut Source) -> DVector<f64> {
        let normal = DVector::from_fn(self.mean.len(), |_, _| source.normal());
        match &self.factor {
            Some(factor) => &self.mean + factor.l_dirty().lower_triangle() * normal,
            None => self.mean.clone(),
        }
    }
}

impl Chain<'_> {
    /// Of all events, in their order.
    pub(super) fn sizes(&self) -> Sizes {
        let number = self.active.len();
        let weighted: Vec<Vec<f64>> = self.active.iter().map(|active| self.times(&active.h)).collect();
        let covariance = DMatrix::from_fn(number, number, |a, b| {
            let explained: f64 = self.active[a].h.iter().map(|&(i, x)| x * weighted[b][i]).sum();
            let own = if a == b { 1.0 + 1e-9 } else { 0.0 };
            own - explained
        });
        let mean = DVector::from_iterator(number, self.active.iter().map(|active| self.dot(&active.h)));
        Sizes { mean, factor: Cholesky::new(covariance) }
    }

    /// The moves that are there, at these sizes.
    pub(super) fn sized(&self, sizes: &DVector<f64>) -> Vec<Move> {
        let sized = |(active, size): (&Active, &f64)| match &active.event {
            Event::Move(step) => Some(Move { depth: step.depth * libm::exp(STEP * size), ..*step }),
            _ => None,
        };
        self.active.iter().zip(sizes.iter()).filter_map(sized).collect()
    }
}
