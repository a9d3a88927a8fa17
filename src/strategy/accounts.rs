//! Business accounts as the market's files know them, by customer: `contacts.csv`, `contracts.csv`, `receivables.csv` and
//! `events.csv`, as they are at `history_end`.
//!
//! **Coverage.** A seat is on our side where its `view` is above 0. With few seats, and views of some of them only, the plain
//! share would be 0 or 1 too often; so each seat without a view, and one further seat for everybody, counts as the market's
//! mean seat (a beta prior worth one seat around the mean of all views; Efron & Morris 1975, "Data Analysis Using Stein's
//! Estimator and its Generalizations", JASA 70): `covered = (favourable + m (without view + 1)) / (seats + 1)` with
//! `m = (all favourable + 1/2) / (all views + 1)`.
//!
//! **Credit.** Balances are those of the last month with any, limits those of each customer's last row; both in demand units
//! of `history_end`. Who is not in the last month owes nothing. A limit of 0 is none agreed: it has no effect, for who buys
//! for cash is not blocked by it. The share of a balance that is paid in a month is that which explains the balances by the
//! sales between them: `paid = sum (B_{t-1} + sales_t - B_t) / sum B_{t-1}` over all customers with a row in two months
//! running (a ratio estimator; Cochran 1977, "Sampling Techniques", ch. 6). Balances hold value added tax and sales do not: the
//! share is smaller by it, so that steady orders lead to the balances that the file has.
//!
//! **Contracts.** One in force at `history_end` (or that begins with the first month after it), and those that follow without
//! a month between, count as one.

use crate::ids::Index as _;
use crate::market::Market;
use crate::units::DemandUnit;

/// Complaints older than this are forgotten (months).
pub const COMPLAINT_MONTHS: i32 = 12;

/// Pairs of balances that it takes to say how fast customers pay.
const ENOUGH_BALANCES: usize = 24;

/// Accounts by customer; a column whose file is missing is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Accounts {
    /// Seats of the buying centre; 0 where none is named.
    pub seats: Vec<u8>,
    /// Share of them on our side, above 0 and below 1; 1 where none is named.
    pub covered: Vec<f32>,
    /// Demand units that may be owed; infinite without limit. Empty too where money cannot be turned into demand units.
    pub credit_limit: Vec<f32>,
    /// Demand units owed; negative where paid ahead.
    pub balance: Vec<f32>,
    /// Share of a balance that is paid in a month, where there is enough to tell.
    pub paid: Option<f64>,
    /// Whole months after `history_end` that a contract binds; 0 for none.
    pub contract_months: Vec<f32>,
    /// Complaints of the last [`COMPLAINT_MONTHS`]: customer, and months before `history_end`; in customer order, the
    /// latest last.
    pub complaints: Vec<(u32, u32)>,
}

impl Accounts {
    /// Reads them; `None` for a market without such files. `unit_price` turns money of `history_end` into demand units where
    /// demand is not money itself.
    pub fn of(market: &Market, unit_price: Option<f64>) -> Option<Self> {
        let data = &market.data;
        let any = data.contacts.is_some()
            || data.contracts.is_some()
            || data.receivables.is_some()
            || data.events.as_ref().is_some_and(|events| events.iter().any(|event| event.is_complaint()));
        if !any {
            return None;
        }
        let mut accounts = Self::default();
        accounts.read_contacts(market);
        accounts.read_contracts(market);
        accounts.read_receivables(market, unit_price);
        accounts.read_complaints(market);
        Some(accounts)
    }

    fn read_contacts(&mut self, market: &Market) {
        let Some(contacts) = &market.data.contacts else { return };
        let customers = market.customer_count();
        // By customer: seats, of them with a view, and with a favourable one.
        let mut counts = vec![[0.0_f64; 3]; customers];
        let mut all = [0.0; 3];
        for contact in contacts {
            let viewed = contact.view.map_or([1.0, 0.0, 0.0], |view| [1.0, 1.0, if view > 0.0 { 1.0 } else { 0.0 }]);
            for (k, one) in viewed.into_iter().enumerate() {
                counts[contact.customer.usize()][k] += one;
                all[k] += one;
            }
        }
        let mean = (all[2] + 0.5) / (all[1] + 1.0);
        let covered = |[seats, viewed, favourable]: [f64; 3]| {
            if seats > 0.0 { (favourable + mean * (seats - viewed + 1.0)) / (seats + 1.0) } else { 1.0 }
        };
        self.seats = counts.iter().map(|[seats, ..]| seats.min(255.0) as u8).collect();
        self.covered = counts.into_iter().map(|counts| covered(counts) as f32).collect();
    }

    fn read_contracts(&mut self, market: &Market) {
        let Some(contracts) = &market.data.contracts else { return };
        let end = market.history.last;
        let mut ends = vec![end; market.customer_count()];
        // Sorted by customer and start: each may carry on the one before.
        for contract in contracts {
            let last = &mut ends[contract.customer.usize()];
            if contract.start.month() <= last.plus(1) {
                *last = (*last).max(contract.end.month());
            }
        }
        self.contract_months = ends.into_iter().map(|last| last.since(end) as f32).collect();
    }

    fn read_receivables(&mut self, market: &Market, unit_price: Option<f64>) {
        let data = &market.data;
        let price = match data.meta.demand {
            DemandUnit::Value => Some(1.0),
            DemandUnit::Units => unit_price.filter(|&price| price > 0.0 && price.is_finite()),
        };
        let (Some(rows), Some(price)) = (&data.receivables, price) else { return };
        let full = data.meta.history;
        let last = market.history.last.since(full.first);
        let kept = || rows.iter().filter(|row| i32::from(row.month) <= last);
        let Some(latest) = kept().map(|row| row.month).max() else { return };
        let index =
            |month: u16| data.deflator.as_ref().and_then(|index| index.get(usize::from(month))).copied().unwrap_or(1.0);
        let demand = |money: f64, month: u16| money / (index(month) * price);
        let mut limit = vec![f32::INFINITY; market.customer_count()];
        let mut balance = vec![0.0; market.customer_count()];
        // Sorted by customer and month: the last row is the one that stays.
        for row in kept() {
            let at = row.customer.usize();
            limit[at] = if row.limit > 0.0 { demand(row.limit, row.month) as f32 } else { f32::INFINITY };
            balance[at] = if row.month == latest { demand(row.balance, row.month) as f32 } else { 0.0 };
        }
        (self.credit_limit, self.balance) = (limit, balance);

        let offset = market.history.first.since(full.first);
        let (mut owed, mut paid, mut pairs) = (0.0, 0.0, 0);
        let rows: Vec<_> = kept().collect();
        for pair in rows.windows(2) {
            let [before, after] = [pair[0], pair[1]];
            let position = i32::from(after.month) - offset;
            let running = before.customer == after.customer && before.month + 1 == after.month;
            let start = demand(before.balance, before.month);
            // What was paid ahead is no debt that anybody pays, and sales before the history are not known.
            if !running || position < 0 || start <= 0.0 {
                continue;
            }
            let sold = market.sales.of(after.customer.usize()).find(|&(month, _)| month as i32 == position);
            owed += start;
            paid += start + sold.map_or(0.0, |(_, amount)| amount) - demand(after.balance, after.month);
            pairs += 1;
        }
        if pairs >= ENOUGH_BALANCES && owed > 0.0 {
            self.paid = Some((paid / owed).clamp(0.02, 1.0));
        }
    }

    fn read_complaints(&mut self, market: &Market) {
        let Some(events) = &market.data.events else { return };
        let end = market.history.last;
        let complaints = events.iter().filter(|event| event.is_complaint());
        let ago = complaints.map(|event| (event.customer.usize() as u32, end.since(event.date.month())));
        let recent = ago.filter(|(_, ago)| (0..COMPLAINT_MONTHS).contains(ago));
        self.complaints = recent.map(|(customer, ago)| (customer, ago as u32)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// A market of customers C0, C1 ... in one territory, 2024 and 2025, with these files too.
    fn market(customers: usize, demand: &str, files: &[(&str, &str)]) -> Market {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "market.toml",
            &format!(
                "name = \"Test\"\nown_company = \"us\"\ncurrency = \"TRY\"\ndemand = \"{demand}\"\nperiod = \"month\"\n\
                 history_end = \"2025-12\"\n"
            ),
        );
        write("territories.csv", "territory_id,name\nT,Town\n");
        let mut rows = "customer_id,territory_id\n".to_owned();
        for i in 0..customers {
            writeln!(rows, "C{i},T").unwrap();
        }
        write("customers.csv", &rows);
        let mut sales = "period,customer_id,units,value\n".to_owned();
        for month in 0..24 {
            for i in 0..customers {
                writeln!(sales, "{}-{:02},C{i},10,100", 2024 + month / 12, month % 12 + 1).unwrap();
            }
        }
        write("sales.csv", &sales);
        for (name, text) in files {
            write(name, text);
        }
        let loaded = crate::data::load(folder.path()).unwrap_or_else(|refused| panic!("{:?}", refused.problems));
        Market::new(loaded.market, None, None)
    }

    #[test]
    fn a_market_without_accounts_has_none() {
        assert_eq!(Accounts::of(&market(1, "units", &[]), Some(10.0)), None);
    }

    #[test]
    fn seats_and_views() {
        let contacts = "customer_id,seat,view\nC0,buyer,0.5\nC0,finance,-1\nC0,user,\nC1,buyer,\n";
        let accounts = Accounts::of(&market(3, "units", &[("contacts.csv", contacts)]), None).unwrap();
        assert_eq!(accounts.seats, [3, 1, 0]);
        // One of two views is favourable: the mean seat is at 1.5 / 3; (1 + 0.5 * 2) / 4 and (0 + 0.5 * 2) / 2.
        assert_eq!(accounts.covered, [0.5, 0.5, 1.0]);
        assert!(accounts.contract_months.is_empty() && accounts.balance.is_empty());
        // Only bad views: the mean seat is at 0.5 / 3, and so (0 + 1 / 6) / 3 is left, never nothing.
        let contacts = "customer_id,seat,view\nC0,buyer,-0.5\nC0,finance,0\n";
        let accounts = Accounts::of(&market(1, "units", &[("contacts.csv", contacts)]), None).unwrap();
        assert!((accounts.covered[0] - 1.0 / 18.0).abs() < 1e-6);
    }

    #[test]
    fn contracts_in_force() {
        let contracts = "customer_id,start,end\n\
                         C0,2025-01-01,2026-03-15\n\
                         C1,2024-01-01,2025-12-31\n\
                         C2,2025-01-01,2026-02-28\nC2,2026-03-01,2027-02-28\n\
                         C3,2026-02-01,2026-12-31\n\
                         C4,2026-01-01,2026-06-30\n";
        let accounts = Accounts::of(&market(6, "units", &[("contracts.csv", contracts)]), None).unwrap();
        // In force, over, followed by another, not yet in force, in force from the first month, none.
        assert_eq!(accounts.contract_months, [3.0, 0.0, 14.0, 0.0, 6.0, 0.0]);
    }

    #[test]
    fn balances_and_limits() {
        let rows = "period,customer_id,balance,limit,overdue\n\
                    2025-10,C0,900,400,0\n2025-12,C0,300,500,0\n\
                    2025-11,C1,200,600,0\n\
                    2025-12,C2,-50,0,0\n";
        let files = [("receivables.csv", rows)];
        let units = Accounts::of(&market(4, "units", &files), Some(10.0)).unwrap();
        assert_eq!(units.credit_limit, [50.0, 60.0, f32::INFINITY, f32::INFINITY]);
        assert_eq!(units.balance, [30.0, 0.0, -5.0, 0.0]);
        assert_eq!(units.paid, None);
        // Money that nothing turns into units; demand in money needs no price.
        assert!(Accounts::of(&market(4, "units", &files), None).unwrap().credit_limit.is_empty());
        let money = Accounts::of(&market(4, "value", &files), None).unwrap();
        assert_eq!(money.balance, [300.0, 0.0, -50.0, 0.0]);
    }

    #[test]
    fn limits_are_in_money_of_the_end() {
        // Prices double in the last month: 400 of November are 800 of December, and so 80 units at 10.
        let mut deflator = "period,index\n".to_owned();
        for month in 0..24 {
            let index = if month < 23 { 0.5 } else { 1.0 };
            writeln!(deflator, "{}-{:02},{index}", 2024 + month / 12, month % 12 + 1).unwrap();
        }
        let rows = "period,customer_id,balance,limit,overdue\n2025-11,C0,200,400,0\n";
        let files = [("receivables.csv", rows), ("deflator.csv", &deflator)];
        let accounts = Accounts::of(&market(1, "units", &files), Some(10.0)).unwrap();
        assert_eq!((accounts.credit_limit, accounts.balance), (vec![80.0], vec![40.0]));
    }

    #[test]
    fn balances_tell_how_fast_customers_pay() {
        // Three customers buy 100 a month and pay 40 % of what they owe.
        let mut rows = "period,customer_id,balance,limit,overdue\n".to_owned();
        for i in 0..3 {
            let mut balance = 50.0 * f64::from(i);
            for month in 0..24 {
                balance = 0.6 * balance + 100.0;
                writeln!(rows, "{}-{:02},C{i},{balance},1000,0", 2024 + month / 12, month % 12 + 1).unwrap();
            }
        }
        let accounts = Accounts::of(&market(3, "units", &[("receivables.csv", &rows)]), Some(10.0)).unwrap();
        assert!((accounts.paid.unwrap() - 0.4).abs() < 1e-9, "{:?}", accounts.paid);
    }

    #[test]
    fn complaints_of_the_last_year() {
        let events = "date,customer_id,kind\n\
                      2024-12-31,C0,complaint\n2025-01-01,C0,complaint\n2025-12-30,C0,Complaint\n\
                      2025-11-02,C1,visit\n2025-10-02,C1,complaint\n";
        let accounts = Accounts::of(&market(2, "units", &[("events.csv", events)]), None).unwrap();
        assert_eq!(accounts.complaints, [(0, 11), (0, 0), (1, 2)]);
        let visits = "date,customer_id,kind\n2025-11-02,C1,visit\n";
        assert_eq!(Accounts::of(&market(2, "units", &[("events.csv", visits)]), None), None);
    }
}
