//! A market directory and a scenario, bound together: names resolved, amounts in the demand unit, in money of
//! `history_end`, and laid out as every estimator wants them (by customer, by territory).

mod adjacency;
mod bind;
mod field_force;
mod filter;
mod history;
mod mechanism_data;
mod responses;

pub use adjacency::neighbours;
pub use bind::{
    Bound, BoundAction, BoundLever, BoundOptimise, BoundOrderChannel, BoundPart, BoundRealign, BoundRule,
    BoundStrategy, Realigned, bind,
};
pub use field_force::Posting;
pub use filter::{AgentStage, AgentView, Behaviour, CustomerAttributes, Expression, Selection, Shape, SizePercentiles};
pub use history::{Market, PanelView, Sparse};
pub use responses::{Received, responses};
