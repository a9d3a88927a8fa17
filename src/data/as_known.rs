//! A market directory as it would have stood at the end of an earlier month.
//!
//! What came after is taken out: sales, panel, calls, actions, surveys, field tests, accounts' rows, assignments, and
//! customers that were not known yet, with everything that refers to them. What carries no date stays as it is today
//! (audited outlets, covariates, sizes, seats); lists (`captures.csv`, `sources`) go, since they name customers found since.
//! Money stays in prices of today.

use super::tables::*;
use crate::ids::{CustomerIx, IdTable, Index as _};
use crate::units::{Month, MonthSpan};

impl MarketData {
    /// The market as known at the end of `last`, a month of its history.
    ///
    /// A customer was known when `first_known` says so, or when it had ordered or been called by then. One without any date
    /// that never ordered or was called is taken as known all along, as it is everywhere else.
    #[must_use]
    pub fn as_known(&self, last: Month) -> Self {
        let first = self.meta.history.first;
        let before = |month: u16| first.plus(i32::from(month)) <= last;
        let known = self.known(last);
        let mut place = vec![None; known.len()];
        for (position, (i, _)) in known.iter().enumerate().filter(|(_, known)| **known).enumerate() {
            place[i] = Some(CustomerIx::from_usize(position));
        }
        let of = |customer: CustomerIx| place[customer.usize()];
        let mut out = self.clone();
        out.meta.history = MonthSpan { first, last: last.min(self.meta.history.last) };
        out.customers = self.customers.only(&known, last);
        out.sales = self.sales.only(&place, before);
        out.captures = None;
        if let Some(panel) = &mut out.panel {
            panel.rows.retain(|row| before(row.month));
        }
        if let Some(calls) = &mut out.calls {
            calls.rows.retain_mut(|row| before(row.month) && moved(&mut row.customer, of));
        }
        if let Some(reps) = &mut out.reps {
            reps.end.iter_mut().for_each(|end| *end = end.filter(|&end| end <= last));
        }
        if let Some(rows) = &mut out.assignments {
            rows.retain(|row| row.valid_from <= last);
            rows.iter_mut().for_each(|row| row.valid_to = row.valid_to.filter(|&end| end <= last));
        }
        if let Some(rows) = &mut out.actions {
            rows.retain(|row| row.start.month() <= last);
        }
        if let Some(rows) = &mut out.wallets {
            rows.retain_mut(|row| row.span.last <= last && moved(&mut row.customer, of));
        }
        if let Some(rows) = &mut out.experiments {
            rows.retain(|row| row.span.last <= last);
        }
        if let Some(rows) = &mut out.contacts {
            rows.retain_mut(|row| moved(&mut row.customer, of));
        }
        if let Some(rows) = &mut out.contracts {
            rows.retain_mut(|row| row.start.month() <= last && moved(&mut row.customer, of));
        }
        if let Some(rows) = &mut out.receivables {
            rows.retain_mut(|row| before(row.month) && moved(&mut row.customer, of));
        }
        if let Some(rows) = &mut out.events {
            rows.retain_mut(|row| row.date.month() <= last && moved(&mut row.customer, of));
        }
        out
    }

    /// By customer: known by the end of `last`.
    fn known(&self, last: Month) -> Vec<bool> {
        let first = self.meta.history.first;
        // The earliest trace in the files, whatever `first_known` says.
        let mut trace: Vec<Option<Month>> = vec![None; self.customers.len()];
        let calls = self.calls.iter().flat_map(|calls| &calls.rows).map(|row| (row.customer, row.month));
        let sales = self.sales.customer.iter().copied().zip(self.sales.month.iter().copied());
        for (customer, month) in sales.chain(calls) {
            let month = first.plus(i32::from(month));
            let earliest = &mut trace[customer.usize()];
            *earliest = Some(earliest.map_or(month, |earlier| earlier.min(month)));
        }
        let dates = self.customers.first_known.iter().zip(&trace);
        dates
            .map(|(date, trace)| [*date, *trace].into_iter().flatten().min().is_none_or(|since| since <= last))
            .collect()
    }
}

/// Gives the customer its new index; `false` when it is gone.
fn moved(customer: &mut CustomerIx, of: impl Fn(CustomerIx) -> Option<CustomerIx>) -> bool {
    match of(*customer) {
        Some(place) => {
            *customer = place;
            true
        }
        None => false,
    }
}

/// The values that are kept.
fn kept<T: Clone>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| value.clone()).collect()
}

impl Customers {
    fn only(&self, keep: &[bool], last: Month) -> Self {
        let mut ids = IdTable::default();
        for (name, _) in self.ids.names().zip(keep).filter(|(_, keep)| **keep) {
            ids.intern(name);
        }
        let mut from = 0;
        let range = self.range.iter().map(|range| {
            let begin = from;
            from += keep[range.clone()].iter().filter(|keep| **keep).count();
            begin..from
        });
        Self {
            range: range.collect(),
            ids,
            territory: kept(&self.territory, keep),
            lon: kept(&self.lon, keep),
            lat: kept(&self.lat, keep),
            segment: kept(&self.segment, keep),
            segment_names: self.segment_names.clone(),
            size: kept(&self.size, keep),
            affinity: kept(&self.affinity, keep),
            influence: kept(&self.influence, keep),
            digital: kept(&self.digital, keep),
            price_sensitivity: kept(&self.price_sensitivity, keep),
            preferred_channel: kept(&self.preferred_channel, keep),
            consent: self.consent.as_ref().map(|column| kept(column, keep)),
            sources: None,
            lists: IdTable::default(),
            first_known: kept(&self.first_known, keep),
            closed: kept(&self.closed, keep).into_iter().map(|closed| closed.filter(|&month| month <= last)).collect(),
            covariates: self
                .covariates
                .iter()
                .map(|column| Covariate { name: column.name.clone(), values: kept(&column.values, keep) })
                .collect(),
        }
    }
}

impl Sales {
    fn only(&self, place: &[Option<CustomerIx>], before: impl Fn(u16) -> bool) -> Self {
        let rows = self.customer.iter().zip(&self.month);
        let keep: Vec<bool> =
            rows.map(|(customer, &month)| before(month) && place[customer.usize()].is_some()).collect();
        let customers = kept(&self.customer, &keep);
        Self {
            customer: customers.into_iter().filter_map(|customer| place[customer.usize()]).collect(),
            month: kept(&self.month, &keep),
            product: self.product.as_ref().map(|column| kept(column, &keep)),
            products: self.products.clone(),
            units: self.units.as_ref().map(|column| kept(column, &keep)),
            value: self.value.as_ref().map(|column| kept(column, &keep)),
            sell_out: self.sell_out.as_ref().map(|column| kept(column, &keep)),
            order_channel: self.order_channel.as_ref().map(|column| kept(column, &keep)),
            order_days: self.order_days.as_ref().map(|column| kept(column, &keep)),
        }
    }
}
