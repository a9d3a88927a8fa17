//! Columns that ikiz does not know by name: covariates where they are numeric, named to the user where they are not.

use super::log::{Log, counted};
use super::table::{Col, Table};
use super::tables::Covariate;
use super::{Ignored, IgnoredColumn};
use crate::problem::{Place, Problem};

/// Collects the unknown columns of a file while its rows are read.
pub(super) struct CovariateReader {
    columns: Vec<Unknown>,
    rows: usize,
}

struct Unknown {
    name: String,
    col: Col,
    values: Vec<Option<f64>>,
    numbers: usize,
    /// Cells that are not numbers, and the first of them.
    others: usize,
    first_other: Option<Place>,
}

impl CovariateReader {
    pub fn new(table: &Table<'_>) -> Self {
        let unknown = |(position, name): &(usize, String)| Unknown {
            name: name.clone(),
            col: table.other(*position),
            values: Vec::new(),
            numbers: 0,
            others: 0,
            first_other: None,
        };
        Self { columns: table.unknown.iter().map(unknown).collect(), rows: 0 }
    }

    /// Reads the cells of a row.
    pub fn row(&mut self, table: &Table<'_>) {
        self.rows += 1;
        for column in &mut self.columns {
            let blank = table.cell(column.col).is_empty();
            let value = if blank { None } else { table.peek_number(column.col) };
            column.values.push(value);
            match value {
                Some(_) => column.numbers += 1,
                None if blank => {}
                None => {
                    column.others += 1;
                    if column.first_other.is_none() {
                        column.first_other = Some(table.place(column.col));
                    }
                }
            }
        }
    }

    /// Rows read so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The numeric columns, by name; the others are listed as ignored.
    pub fn finish(self, table: &Table<'_>, ignored: &mut Ignored, log: &mut Log) -> Vec<Covariate> {
        let mut covariates = Vec::new();
        for column in self.columns {
            match (column.numbers, column.others) {
                (1.., 0) => covariates.push(Covariate { name: column.name, values: column.values }),
                (1.., others) => {
                    let problem = Problem::warning(format!(
                        "column `{}` of `{}` is not used: it holds numbers, but in {} something else",
                        column.name,
                        table.file(),
                        counted(others, "cell")
                    ));
                    let help = "leave unknown figures blank to have it used as a covariate";
                    log.push(match column.first_other {
                        Some(place) => problem.at(place, "the first of them").help(help),
                        None => problem.help(help),
                    });
                    ignored.columns.push(IgnoredColumn { file: table.file(), column: column.name });
                }
                _ => ignored.columns.push(IgnoredColumn { file: table.file(), column: column.name }),
            }
        }
        covariates.sort_by(|a, b| a.name.cmp(&b.name));
        covariates
    }
}

impl Covariate {
    /// The same column with its rows in another order.
    pub(super) fn reordered(self, order: impl Iterator<Item = usize>) -> Self {
        let values = order.map(|row| self.values.get(row).copied().flatten()).collect();
        Self { name: self.name, values }
    }
}
