//! Charts, drawn with plotters.

mod against_population;
mod against_truth;
mod effort;
mod forecast;
mod intervals;
mod pen;

pub use against_population::against_population;
pub use against_truth::{TruthChart, TruthPoint, against_truth};
pub use effort::effort;
pub use forecast::{Fan, Panel, fans, forecast};
pub use intervals::{IntervalChart, IntervalRow};

#[cfg(test)]
mod tests;
