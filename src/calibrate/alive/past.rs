//! What is seen of a customer in time: when it ordered, how long it waited before, and how the watch ended.

use super::states::contact;

/// The months of one customer from its first order on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Silences {
    /// Months with orders, ascending, not empty.
    orders: Vec<u16>,
    /// First month after the watch (that of a closing that is marked, or the end of the history).
    end: u16,
    /// The watch ended with a closing that is marked.
    pub closing: bool,
}

impl Silences {
    /// From the months with orders, ascending, the first month after the watch, and whether a closing ended that. `None`
    /// without an order.
    pub fn of(orders: &[usize], end: usize, closing: bool) -> Option<Self> {
        let last = *orders.last()?;
        Some(Self {
            orders: orders.iter().map(|&month| month as u16).collect(),
            end: end.max(last + 1) as u16,
            closing,
        })
    }

    /// Months with orders after the first one: what brought a customer into the data is not counted.
    pub(super) fn later_orders(&self) -> impl Iterator<Item = usize> + '_ {
        self.orders.iter().skip(1).map(|&month| usize::from(month))
    }

    /// Silences between orders, those of no month among them: (first silent month, months).
    pub(super) fn between(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.orders.windows(2).map(|pair| (usize::from(pair[0]) + 1, usize::from(pair[1] - pair[0]) - 1))
    }

    /// Month of the first order.
    pub(super) fn first(&self) -> usize {
        usize::from(self.orders.first().copied().unwrap_or(0))
    }

    /// First month of the silence at the end of the watch.
    pub fn open_from(&self) -> usize {
        usize::from(self.orders.last().copied().unwrap_or(0)) + 1
    }

    /// Months without orders from the last one to the end of the watch.
    pub fn open(&self) -> usize {
        usize::from(self.end).saturating_sub(self.open_from())
    }
}

/// The time from when we knew a customer to its first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// First month in which it could order.
    pub from: u16,
    /// From then to that of its first order, or to the end of the watch.
    pub months: u16,
    pub end: End,
}

/// How a wait or a silence ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Ordered,
    /// With a closing that is marked.
    Closed,
    /// It has not.
    Waits,
}

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    pub waiting: Option<Waiting>,
    /// `None` without an order.
    pub silences: Option<Silences>,
    /// By month of the silence at the end (or, without an order, from when we knew it): whether we contacted it, and how often we do while
    /// it lives. Empty: nothing is known of contacts.
    pub contacted: Vec<(bool, f64)>,
}

impl Past {
    /// By month of an open silence at the end, with the probabilities of its contacts in the living and in the gone; empty where nothing is
    /// known of contacts, or where a closing that is marked says that it lived until then.
    pub(super) fn contacts_at_the_end(&self) -> Vec<(f64, f64)> {
        match &self.silences {
            Some(silences) if !silences.closing && !self.contacted.is_empty() => {
                (0..silences.open()).map(|month| contact(&self.contacted, month)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Months without orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// First of them.
    pub from: usize,
    pub months: usize,
    /// It follows an order; otherwise it is a wait for the first one.
    pub after_order: bool,
}
