//! A further way to order: part of those whom `who` selects take it up.
//!
//! What a portal or an app does to the orders of trade customers nobody has published. Here it is a touch point: who takes it up has
//! [`TOUCHES`] digital contact a month more, which counts as digital contacts do (`goodwill.effect_digital`: from `calls.csv` where that has
//! some, a wide prior otherwise). Who takes it up is drawn once by customer, the same in all runs and strategies: those of the lowest u of `adoption`, u
//! being a number of the customer's own for this channel. Customers that ordered by it in the last 12 months (`order_channel` of sales.csv) have it
//! already, and change nothing.

use crate::channel::Channel;
use crate::ids::stable_hash;
use crate::market::Market;
use crate::scenario::OrderChannel;

use super::{Context, Draft};

/// Digital contacts a month of a customer that orders so. An assumption.
pub const TOUCHES: f32 = 1.0;

pub(super) fn apply(plan: &OrderChannel, context: &Context<'_>, draft: &mut Draft) {
    let have_it = users(plan, &context.bound.market);
    let takes_it_up = |agent: usize| {
        let hash = context.placed.twin.agents.hash[agent];
        let u = stable_hash(&format!("{hash} {}", plan.channel)) as f64 / u64::MAX as f64;
        let known = context.placed.known[agent];
        let customer = context.placed.customer[agent].filter(|_| known);
        u < plan.adoption && !customer.is_some_and(|customer| have_it[customer as usize]) && context.reaches(agent)
    };
    let chosen: Vec<usize> = (0..context.placed.known.len()).filter(|&agent| takes_it_up(agent)).collect();
    let contacts = draft.contacts_of(Channel::Digital);
    chosen.into_iter().for_each(|agent| contacts[agent] += TOUCHES);
}

/// By customer: whether it ordered by this channel in the last 12 months.
fn users(plan: &OrderChannel, market: &Market) -> Vec<bool> {
    let mut out = vec![false; market.customer_count()];
    let sales = &market.data.sales;
    let Some(channels) = &sales.order_channel else { return out };
    let last = sales.month.iter().copied().max().unwrap_or(0);
    for ((customer, month), channel) in sales.customer.iter().zip(&sales.month).zip(channels) {
        if channel.as_ref() == Some(&plan.channel) && month + 12 > last {
            out[customer.0 as usize] = true;
        }
    }
    out
}

/// What a reader must know of it.
pub fn notes(plan: &OrderChannel, market: &Market) -> Vec<String> {
    let users = users(plan, market).into_iter().filter(|user| *user).count();
    vec![format!(
        "what `{}` does to orders is an assumption: who takes it up counts as having {TOUCHES} digital contact a month more ({users} customers \
         ordered by it in the last 12 months and change nothing)",
        plan.channel
    )]
}
