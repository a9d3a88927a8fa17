//! The market directory: every file of it, checked once and held in columns.
//!
//! [`load`] reads a folder and either gives a [`MarketData`] in which every reference resolves and every number is
//! finite, or all the problems of the folder at once. Nothing behind this line validates again.
//!
//! A file goes through three layers: [`source`] (bytes to UTF-8 text of bounded size), [`table`] (text to rows of named
//! cells) and one module a file, which knows its columns and what they mean.

mod calls;
mod companies;
mod covariates;
mod customers;
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
mod table;
mod tables;
mod territories;
mod time;

use std::path::Path;

pub use tables::*;

use crate::ids::IdTable;
use crate::problem::{Problem, any_error};
use companies::Roll;
use history::{Start, Window};
use log::Log;
use names::Names;
use register::Register;
use source::{Shape, Source};
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
#[error("{} in the market directory", log::counted(.problems.len(), "problem"))]
pub struct Refused {
    /// Errors and warnings; at least one is an error.
    pub problems: Vec<Problem>,
}

/// What is left aside while reading.
#[derive(Debug, Default)]
struct Ignored {
    columns: Vec<IgnoredColumn>,
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

/// The folder, and what has been read of it.
struct Folder<'p> {
    path: &'p Path,
    files: Vec<InputFile>,
}

impl Folder<'_> {
    /// A file that may be absent.
    fn optional(&mut self, name: &'static str, shape: Shape, log: &mut Log) -> Option<Source> {
        match Source::read(self.path, name, shape) {
            Ok(source) => {
                self.files.extend(source.as_ref().map(|source| source.input.clone()));
                source
            }
            Err(problem) => {
                log.push(problem);
                None
            }
        }
    }

    /// A file that must be there.
    fn required(&mut self, name: &'static str, shape: Shape, help: &str, log: &mut Log) -> Option<Source> {
        match Source::read(self.path, name, shape) {
            Ok(None) => {
                let title = format!("`{name}` is missing from {}", self.path.display());
                log.push(Problem::error(title).help(help));
                None
            }
            Ok(Some(source)) => {
                self.files.push(source.input.clone());
                Some(source)
            }
            Err(problem) => {
                log.push(problem);
                None
            }
        }
    }
}

/// Reads a market directory.
///
/// # Errors
///
/// All problems of all files, when one of them is an error.
pub fn load(directory: &Path) -> Result<Loaded, Refused> {
    let mut log = Log::default();
    let mut ignored = Ignored::default();
    let market = read_market(directory, &mut ignored, &mut log);
    let problems = log.finish();
    match market {
        Some(market) if !any_error(&problems) => {
            Ok(Loaded { market, warnings: problems, ignored_columns: ignored.columns, ignored_files: Vec::new() })
        }
        _ => Err(Refused { problems }),
    }
}

/// Reads all files, in the order in which they refer to each other. `None` when a file that is needed is not usable;
/// a market that is returned beside errors in the log is not usable either.
fn read_market(directory: &Path, ignored: &mut Ignored, log: &mut Log) -> Option<MarketData> {
    let mut folder = Folder { path: directory, files: Vec::new() };
    let market_file = folder
        .required("market.toml", Shape::Lines, "write name, own_company, currency, demand, period and history_end", log)
        .map(|source| market_file::read(&source, log));
    // Without market.toml the other files are still read, so that all problems are told at once.
    let meta = market_file.unwrap_or_default();

    let territories = folder
        .required(territories::FILE, Shape::Lines, "write a row for each territory: territory_id,name", log)
        .and_then(|source| territories::read(&source, ignored, log));
    let territory_register =
        Register::new("territory", territories::FILE, territories.as_ref().map(|file| &file.territories.ids))
            .with_lost(territories.as_ref().map(|file| &file.lost))
            .with_aggregates(territories.as_ref().map(|file| &file.aggregates));
    let polygons = folder.optional(polygons::FILE, Shape::Document, log).and_then(|source| {
        let known = territories.as_ref()?;
        polygons::read(&source, known, log)
    });

    let territory_count = territories.as_ref().map_or(0, |file| file.territories.ids.len());
    let customers = folder
        .required(customers::FILE, Shape::Lines, "write a row for each customer: customer_id,territory_id", log)
        .and_then(|source| {
            customers::read(&source, &territory_register, territory_count, meta.history_end, ignored, log)
        });
    let customer_register =
        Register::new("customer", customers::FILE, customers.as_ref().map(|(customers, _)| &customers.ids))
            .with_lost(customers.as_ref().map(|(_, lost)| lost));

    let mut products = Names::default();
    let window = Window { start: meta.history_start.map_or(Start::Open, Start::Written), end: meta.history_end };
    let sales_source =
        folder.required(sales::FILE, Shape::Lines, "write a row for each sale: period,customer_id,units", log);
    let sales_file = sales_source
        .as_ref()
        .and_then(|source| sales::read(source, meta.demand, window, &customer_register, &mut products, ignored, log));
    let window = match sales_file.as_ref().and_then(sales::SalesFile::first_month) {
        Some((first, _)) if window.start == Start::Open => Window { start: Start::FirstSale(first), ..window },
        _ => window,
    };

    let mut companies = match folder.optional(companies::FILE, Shape::Lines, log) {
        Some(source) => Roll::read(&source, meta.own_company.as_deref(), ignored, log),
        None => None,
    }
    .unwrap_or_else(|| Roll::open(meta.own_company.as_deref()));
    let mut panel = folder.optional(panel::FILE, Shape::Lines, log).and_then(|source| {
        panel::read(&source, meta.demand, window, &territory_register, &mut companies, ignored, log)
    });
    let mut calls = folder
        .optional(calls::FILE, Shape::Lines, log)
        .and_then(|source| calls::read(&source, window, &customer_register, None, &mut products, ignored, log));

    let span = window.span()?;
    let meta = meta.with_history(span)?;
    let (product_names, product_rank) = products.sorted();
    let mut product_ids = IdTable::default();
    for name in &product_names {
        product_ids.intern(name);
    }
    let (companies, company_rank) = companies.finish();
    if let Some(panel) = &mut panel {
        for row in &mut panel.rows {
            row.company = row.company.map(|company| company_rank[company.0 as usize]);
        }
        panel.sort();
    }
    if let Some(calls) = &mut calls {
        calls.finish(&product_rank);
    }
    let mut territories = territories?.territories;
    territories.polygons = polygons;
    let customers = customers?.0;
    let sales =
        sales_file?.net(meta.demand, span, &customers, &product_ids, &product_rank, sales_source.as_ref()?, log);
    folder.files.sort_by(|a, b| a.name.cmp(&b.name));
    Some(MarketData {
        meta,
        territories,
        customers,
        sales,
        companies,
        panel,
        calls,
        reps: None,
        assignments: None,
        actions: None,
        captures: None,
        wallets: None,
        experiments: None,
        contacts: None,
        contracts: None,
        receivables: None,
        events: None,
        calendar: None,
        deflator: None,
        files: folder.files,
    })
}
