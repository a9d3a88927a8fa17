//! `companies.csv`, and the companies named elsewhere when it is not there.

use std::collections::{BTreeMap, BTreeSet};

use super::Ignored;
use super::log::Log;
use super::register::help_for;
use super::source::Source;
use super::table::{Col, Column, Table, required};
use super::tables::Companies;
use crate::ids::{CompanyIx, IdTable};

pub(super) const FILE: &str = "companies.csv";

pub(super) const COLUMNS: &[Column] = &[required("company_id"), required("name")];

/// The companies known so far.
pub(super) struct Roll {
    companies: Companies,
    /// Whether `companies.csv` lists all of them.
    closed: bool,
    lost: BTreeSet<String>,
}

impl Roll {
    /// Our own company alone: without `companies.csv` others join as they are named.
    pub fn open(own: Option<&str>) -> Self {
        // Without our own id (an error of market.toml) nothing of what is read here is used.
        let own = own.unwrap_or_default();
        let mut ids = IdTable::default();
        ids.intern(own);
        Self { companies: Companies { ids, name: vec![own.to_owned()] }, closed: false, lost: BTreeSet::new() }
    }

    /// Reads the file: our own company first, the others by id.
    pub fn read(source: &Source, own: Option<&str>, ignored: &mut Ignored, log: &mut Log) -> Option<Self> {
        let mut table = Table::open(source, COLUMNS, log)?;
        ignored.note(&table);
        let [id, name] = ["company_id", "name"].map(|name| table.column(name));
        let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
        while table.advance(log) {
            let name = table.cell(name).to_owned();
            let offset = table.offset();
            let Some(company) = table.id(id, log).map(String::from) else { continue };
            if company == "*" {
                table.refuse(id, "an id is reserved", log, || {
                    let help = "give the company an id of its own".to_owned();
                    ("`*` is no company: it stands for the category".to_owned(), "reserved".to_owned(), help)
                });
                continue;
            }
            if let Some((_, first)) = found.get(&company) {
                table.refuse_duplicate(id, &format!("company `{company}`"), *first, log);
                continue;
            }
            found.insert(company.clone(), (if name.is_empty() { company } else { name }, offset));
        }
        let mut roll = Self::open(own);
        if let Some((name, _)) = own.and_then(|own| found.remove(own)) {
            roll.companies.name = vec![name];
        }
        for (id, (name, _)) in found {
            roll.companies.ids.intern(&id);
            roll.companies.name.push(name);
        }
        // Where rows are lost, whether an id is unknown cannot be told.
        roll.closed = own.is_some() && !table.rows_lost;
        roll.lost.extend(table.lost.iter().cloned());
        Some(roll)
    }

    /// The company that a cell names.
    pub fn resolve(&mut self, table: &Table<'_>, col: Col, log: &mut Log) -> Option<CompanyIx> {
        let id = table.id(col, log)?;
        if let Some(found) = self.companies.ids.get(&id) {
            return Some(found);
        }
        if !self.closed {
            self.companies.name.push(id.to_string());
            return Some(self.companies.ids.intern(&id));
        }
        if !self.lost.contains(id.as_ref()) {
            table.refuse(col, "a row refers to something unknown", log, || {
                let help = help_for(&self.companies.ids, FILE, &id);
                (format!("company `{id}` is unknown"), format!("not in {FILE}"), help)
            });
        }
        None
    }

    /// The companies in their final order, and the final index of each index given out.
    pub fn finish(self) -> (Companies, Vec<CompanyIx>) {
        let names: Vec<&str> = self.companies.ids.names().collect();
        let mut order: Vec<usize> = (0..names.len()).collect();
        // Our own company stays first.
        order.sort_by_key(|&index| (index > 0, names.get(index).copied()));
        let mut rank = vec![CompanyIx(0); order.len()];
        let mut sorted = Companies { ids: IdTable::default(), name: Vec::new() };
        for index in order {
            let (Some(id), Some(name)) = (names.get(index), self.companies.name.get(index)) else { continue };
            rank[index] = sorted.ids.intern(id);
            sorted.name.push(name.clone());
        }
        (sorted, rank)
    }
}
