//! A further way to order: part of those whom `who` selects take it up.
//!
//! What a portal or an app does to the orders of trade customers nobody has published. Here it is a touch point: who takes it up has
//! [`TOUCHES`] digital contact a month more, which counts as digital contacts do (`goodwill.effect_digital`: from `calls.csv` where that has
//! some, a wide prior otherwise). Who takes it up is drawn once by customer, the same in all runs and strategies: those of the lowest u of `adoption`, u
//! being a number of the customer's own for this channel. Customers that ordered by it in the last 12 months (`order_channel` of sales.csv) have it
//! already, and change nothing.

use crate::channel::Channel;
use crate::ids::stable_hash;
use crate::market::BoundOrderChannel;
use crate::rng::{RunKey, uniform_f64};

use super::{Context, Draft};

/// Digital contacts a month of a customer that orders so. An assumption.
pub const TOUCHES: f32 = 1.0;

pub(super) fn apply(plan: &BoundOrderChannel, context: &Context<'_>, draft: &mut Draft) {
    let key = RunKey { seed: stable_hash(&plan.channel), run: 0 };
    let placed = context.placed;
    let takes_it_up = |agent: usize| {
        let [high, low, ..] = key.words(placed.twin.agents.hash[agent], 0, 0);
        let customer = placed.customer[agent].filter(|_| placed.known[agent]);
        uniform_f64(high, low) < plan.adoption
            && !customer.is_some_and(|customer| plan.users[customer as usize])
            && context.reaches(agent)
    };
    let chosen: Vec<usize> = (0..placed.known.len()).filter(|&agent| takes_it_up(agent)).collect();
    let contacts = draft.contacts_of(Channel::Digital);
    chosen.into_iter().for_each(|agent| contacts[agent] += TOUCHES);
}

/// What a reader must know of it.
pub fn notes(plan: &BoundOrderChannel) -> Vec<String> {
    let users = plan.users.iter().filter(|user| **user).count();
    vec![format!(
        "what `{}` does to orders is an assumption: who takes it up counts as having {TOUCHES} digital contact a month more ({users} customers \
         ordered by it in the last 12 months and change nothing)",
        plan.channel
    )]
}
