//! Prospect cells: where within a territory the dark half is looked for.
//!
//! Cells are a tenth of a degree each way (11 km north to south). No file says where a customer is that nobody knows, so a dark agent is taken
//! to live in the cell of the known customer of its territory that it was modelled on: the dark live where customers live (an assumption).
//! Without `lon` and `lat` of customers there are no cells.

use std::collections::BTreeMap;

use crate::market::Market;

/// Cells a degree.
const PER_DEGREE: f64 = 10.0;

/// Cells of all territories.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    pub cells: Vec<Cell>,
    /// By customer.
    of: Vec<Option<u32>>,
}

/// One cell of one territory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    pub territory: usize,
    /// Of its centre.
    pub lon: f64,
    pub lat: f64,
    /// Known customers in it that are not closed.
    pub known: usize,
}

impl Cells {
    /// The cells in which a market has customers, by territory, south to north and west to east.
    pub fn of(market: &Market) -> Self {
        let customers = &market.data.customers;
        let mut by_place: BTreeMap<(usize, i32, i32), Vec<usize>> = BTreeMap::new();
        for j in 0..market.territory_count() {
            for customer in market.customers_of(j) {
                if let (Some(lon), Some(lat)) = (customers.lon[customer], customers.lat[customer]) {
                    let grid = |degrees: f64| (degrees * PER_DEGREE).floor() as i32;
                    by_place.entry((j, grid(lat), grid(lon))).or_default().push(customer);
                }
            }
        }
        let mut out = Self { cells: Vec::new(), of: vec![None; market.customer_count()] };
        for ((territory, lat, lon), members) in by_place {
            let centre = |grid: i32| (f64::from(grid) + 0.5) / PER_DEGREE;
            let known = members.iter().filter(|&&customer| !market.closed(customer)).count();
            members.iter().for_each(|&customer| out.of[customer] = Some(out.cells.len() as u32));
            out.cells.push(Cell { territory, lon: centre(lon), lat: centre(lat), known });
        }
        out
    }

    /// The cell of a customer.
    pub fn of_customer(&self, customer: u32) -> Option<usize> {
        self.of.get(customer as usize).copied().flatten().map(|cell| cell as usize)
    }
}

impl Cell {
    /// Name in `targets.csv`.
    pub fn name(&self) -> String {
        format!("cell {:.2} {:.2}", self.lat, self.lon)
    }
}
