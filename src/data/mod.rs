//! The market directory: every file of it, checked once and held in columns.
//!
//! [`load`] reads a folder and either gives a [`MarketData`] in which every reference resolves and every number is
//! finite, or all the problems of the folder at once. Nothing behind this line validates again.
//!
//! A file goes through three layers: [`source`] (bytes to UTF-8 text of bounded size), [`table`] (text to rows of named
//! cells) and one module a file, which knows its columns and what they mean.

mod accounts;
mod actions;
mod as_known;
mod calls;
mod captures;
mod companies;
mod covariates;
mod customers;
mod field_force;
mod folder;
mod history;
mod log;
mod market_file;
mod names;
mod number;
mod panel;
mod places;
mod polygons;
mod register;
mod sales;
mod source;
mod surveys;
mod table;
mod tables;
mod territories;
mod time;
mod times;

use std::path::Path;

pub use tables::*;

use crate::ids::{CompanyIx, IdTable, Index as _};
use crate::problem::{Problem, any_error};
use companies::Roll;
use folder::Folder;
use history::{Start, Window};
use log::Log;
use names::Names;
use register::Register;
use source::Shape;
use table::Table;

/// A market that can be used.
#[derive(Debug)]
pub struct Loaded {
    pub market: MarketData,
    /// What the user should know, such as months in which returns exceed sales.
    pub warnings: Vec<Problem>,
    /// Columns that no part of ikiz reads.
    pub ignored_columns: Vec<IgnoredColumn>,
    /// Files of the folder that no part of ikiz reads.
    pub ignored_files: Vec<String>,
}

/// A column that no part of ikiz reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredColumn {
    pub file: &'static str,
    pub column: String,
}

/// A market directory that cannot be used, with all that is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{} in the market directory", log::counted(.problems.iter().map(|problem| 1 + problem.more).sum(), "problem"))]
pub struct Refused {
    /// Errors and warnings; at least one is an error.
    pub problems: Vec<Problem>,
}

/// What is left aside while reading.
#[derive(Debug, Default)]
struct Ignored {
    columns: Vec<IgnoredColumn>,
    files: Vec<String>,
}

impl Ignored {
    /// Notes the columns of a file that are not read.
    fn note(&mut self, table: &Table<'_>) {
        for (_, name) in &table.unknown {
            self.columns.push(IgnoredColumn { file: table.file(), column: name.clone() });
        }
    }

    /// Notes a column that is known but cannot be used.
    fn note_column(&mut self, file: &'static str, column: &str) {
        self.columns.push(IgnoredColumn { file, column: column.to_owned() });
    }
}

/// Every file that a market directory may hold.
const FILES: [&str; 20] = [
    market_file::FILE,
    territories::FILE,
    customers::FILE,
    sales::FILE,
    polygons::FILE,
    panel::FILE,
    companies::FILE,
    calls::FILE,
    field_force::REPS,
    field_force::ASSIGNMENTS,
    actions::FILE,
    captures::FILE,
    surveys::WALLETS,
    surveys::EXPERIMENTS,
    accounts::CONTACTS,
    accounts::CONTRACTS,
    accounts::RECEIVABLES,
    accounts::EVENTS,
    times::CALENDAR,
    times::DEFLATOR,
];

/// Reads a market directory.
///
/// # Errors
///
/// All problems of all files, when one of them is an error.
pub fn load(directory: &Path) -> Result<Loaded, Refused> {
    let mut log = Log::default();
    let mut ignored = Ignored::default();
    let market = Folder::open(directory, &mut log).and_then(|mut folder| {
        folder.look_around(&mut ignored, &mut log);
        read_market(&mut folder, &mut ignored, &mut log)
    });
    let problems = log.finish();
    match market {
        Some(market) if !any_error(&problems) => {
            Ok(Loaded { market, warnings: problems, ignored_columns: ignored.columns, ignored_files: ignored.files })
        }
        _ => Err(Refused { problems }),
    }
}

/// Reads all files, in the order in which they refer to each other. `None` when a file that is needed is not usable;
/// a market that is returned beside errors in the log is not usable either.
fn read_market(folder: &mut Folder<'_>, ignored: &mut Ignored, log: &mut Log) -> Option<MarketData> {
    // Without market.toml the other files are still read, so that all problems are told at once.
    let help = "write name, own_company, currency, demand, period and history_end";
    let meta =
        folder.required(market_file::FILE, Shape::Lines, help, log).map(|source| market_file::read(&source, log));
    let meta = meta.unwrap_or_default();

    let help = "write a row for each territory, under the header territory_id,name";
    let territories = folder
        .required(territories::FILE, Shape::Lines, help, log)
        .and_then(|source| territories::read(&source, ignored, log));
    let territory_ids = territories.as_ref().map(|file| &file.territories.ids);
    let territory_register = Register::new("territory", territories::FILE, territory_ids)
        .with_lost(territories.as_ref().map(|file| &file.lost), territories.as_ref().is_some_and(|file| file.rows_lost))
        .with_aggregates(territories.as_ref().map(|file| &file.aggregates));
    let polygons = folder.optional(polygons::FILE, Shape::Document, log).and_then(|source| {
        let known = territories.as_ref()?;
        polygons::read(&source, known, log)
    });

    let help = "write a row for each customer, under the header customer_id,territory_id";
    let customers = folder.required(customers::FILE, Shape::Lines, help, log).and_then(|source| {
        let territory_count = territory_ids.map_or(0, IdTable::len);
        customers::read(&source, &territory_register, territory_count, meta.history_end, ignored, log)
    });
    let customer_register =
        Register::new("customer", customers::FILE, customers.as_ref().map(|file| &file.customers.ids)).with_lost(
            customers.as_ref().map(|file| &file.lost),
            customers.as_ref().is_some_and(|file| file.rows_lost),
        );

    let mut products = Names::default();
    let window = Window { start: meta.history_start.map_or(Start::Open, Start::Written), end: meta.history_end };
    let help = "write a row for each sale, under the header period,customer_id,units (or value)";
    let sales_source = folder.required(sales::FILE, Shape::Lines, help, log);
    let sales_file = sales_source
        .as_ref()
        .and_then(|source| sales::read(source, meta.demand, window, &customer_register, &mut products, ignored, log));
    let window = match sales_file.as_ref() {
        Some(file) if window.start == Start::Open => file.begin(window, sales_source.as_ref()?, log),
        _ => window,
    };

    let mut companies = folder
        .optional(companies::FILE, Shape::Lines, log)
        .and_then(|source| Roll::read(&source, meta.own_company.as_deref(), ignored, log))
        .unwrap_or_else(|| Roll::open(meta.own_company.as_deref()));
    let mut panel = folder.optional(panel::FILE, Shape::Lines, log).and_then(|source| {
        panel::read(&source, meta.demand, window, &territory_register, &mut companies, ignored, log)
    });
    let mut actions = folder
        .optional(actions::FILE, Shape::Lines, log)
        .and_then(|source| actions::read(&source, &territory_register, &mut companies, ignored, log));

    let reps_source = folder.optional(field_force::REPS, Shape::Lines, log);
    let reps = reps_source.as_ref().and_then(|source| field_force::read_reps(source, ignored, log));
    let rep_register = (reps_source.is_some() || folder.has(field_force::REPS)).then(|| {
        Register::new("rep", field_force::REPS, reps.as_ref().map(|file| &file.reps.ids))
            .with_lost(reps.as_ref().map(|file| &file.lost), reps.as_ref().is_some_and(|file| file.rows_lost))
    });
    let assignments = folder.optional(field_force::ASSIGNMENTS, Shape::Lines, log).and_then(|source| {
        field_force::read_assignments(&source, rep_register.as_ref(), &territory_register, ignored, log)
    });
    let mut calls = folder.optional(calls::FILE, Shape::Lines, log).and_then(|source| {
        calls::read(&source, window, &customer_register, rep_register.as_ref(), &mut products, ignored, log)
    });

    let wallets = folder
        .optional(surveys::WALLETS, Shape::Lines, log)
        .and_then(|source| surveys::read_wallets(&source, window, &customer_register, ignored, log));
    let experiments = folder.optional(surveys::EXPERIMENTS, Shape::Lines, log).and_then(|source| {
        surveys::read_experiments(&source, window, &territory_register, territory_ids, ignored, log)
    });
    let contacts = folder
        .optional(accounts::CONTACTS, Shape::Lines, log)
        .and_then(|source| accounts::read_contacts(&source, &customer_register, ignored, log));
    let contracts = folder
        .optional(accounts::CONTRACTS, Shape::Lines, log)
        .and_then(|source| accounts::read_contracts(&source, &customer_register, ignored, log));
    let receivables = folder
        .optional(accounts::RECEIVABLES, Shape::Lines, log)
        .and_then(|source| accounts::read_receivables(&source, window, &customer_register, ignored, log));
    let events = folder
        .optional(accounts::EVENTS, Shape::Lines, log)
        .and_then(|source| accounts::read_events(&source, window, &customer_register, ignored, log));
    let calendar = folder
        .optional(times::CALENDAR, Shape::Lines, log)
        .and_then(|source| times::read_calendar(&source, ignored, log));
    let prices = folder
        .optional(times::DEFLATOR, Shape::Lines, log)
        .and_then(|source| times::read_deflator(&source, ignored, log));
    let deflator = match (&prices, window.span()) {
        (Some(prices), Some(history)) => times::deflator(prices, history, log),
        _ => None,
    };

    let mut customers = customers.map(|file| file.customers);
    let captures = folder
        .optional(captures::FILE, Shape::Lines, log)
        .and_then(|source| captures::read(&source, &territory_register, customers.as_mut(), log));

    let history = window.span()?;
    let meta = meta.with_history(history)?;
    let (product_names, product_rank) = products.sorted();
    let mut product_ids = IdTable::default();
    for name in &product_names {
        product_ids.intern(name);
    }
    let (companies, company_rank) = companies.finish();
    let final_company = |company: CompanyIx| company_rank.get(company.usize()).copied().unwrap_or(company);
    if let Some(panel) = &mut panel {
        for row in &mut panel.rows {
            row.company = row.company.map(final_company);
        }
        panel.sort();
    }
    if let Some(actions) = &mut actions {
        for action in actions.iter_mut() {
            action.company = final_company(action.company);
        }
        actions::sort(actions);
    }
    if let Some(calls) = &mut calls {
        calls.finish(&product_rank);
    }
    let mut territories = territories?.territories;
    territories.polygons = polygons;
    let customers = customers?;
    let sales =
        sales_file?.net(meta.demand, history, &customers, (product_ids, &product_rank), sales_source.as_ref()?, log);
    folder.files.sort_by(|a, b| a.name.cmp(&b.name));
    Some(MarketData {
        meta,
        territories,
        customers,
        sales,
        companies,
        panel,
        calls,
        reps: reps.map(|file| file.reps),
        assignments,
        actions,
        captures,
        wallets,
        experiments,
        contacts,
        contracts,
        receivables,
        events,
        calendar,
        deflator,
        files: std::mem::take(&mut folder.files),
    })
}
