//! The columns that a market directory becomes. One struct a file; `None` for a file that is not there.
//!
//! Territories are sorted by id and customers by territory, then id, so that a territory's customers are one range;
//! every other table is sorted by its key. The order of rows in the files therefore never changes a figure.

use std::ops::Range;

use crate::channel::Channel;
use crate::ids::{CompanyIx, CustomerIx, IdTable, Index as _, ListIx, ProductIx, RepIx, TerritoryIx};
use crate::units::{Date, DemandUnit, Month, MonthSpan};

/// A whole market directory, checked.
#[derive(Debug, Clone)]
pub struct MarketData {
    pub meta: Meta,
    pub territories: Territories,
    pub customers: Customers,
    pub sales: Sales,
    pub companies: Companies,
    pub panel: Option<Panel>,
    pub calls: Option<Calls>,
    pub reps: Option<Reps>,
    pub assignments: Option<Vec<Assignment>>,
    pub actions: Option<Vec<Action>>,
    pub captures: Option<Captures>,
    pub wallets: Option<Vec<Wallet>>,
    pub experiments: Option<Vec<Experiment>>,
    pub contacts: Option<Vec<Contact>>,
    pub contracts: Option<Vec<Contract>>,
    pub receivables: Option<Vec<Receivable>>,
    pub events: Option<Vec<CustomerEvent>>,
    pub calendar: Option<Vec<CalendarEvent>>,
    /// Price index by month, 1 at `history_end`; every month of the history is there.
    pub deflator: Option<Vec<f64>>,
    /// Files read, with their SHA-256, in name order: they go into `manifest.json`.
    pub files: Vec<InputFile>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    pub name: String,
    pub bytes: u64,
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
}

/// `market.toml`.
#[derive(Debug, Clone)]
pub struct Meta {
    pub name: String,
    /// Id of our own company; it is [`CompanyIx`] 0.
    pub own_company: String,
    pub currency: String,
    pub demand: DemandUnit,
    /// `history_start` (or the first month of `sales.csv`) to `history_end`.
    pub history: MonthSpan,
    /// Calendar region, e.g. "TR".
    pub region: Option<String>,
}

/// `territories.csv` (rows that are not parents) and `territories.geojson`.
#[derive(Debug, Clone)]
pub struct Territories {
    pub ids: IdTable<TerritoryIx>,
    pub name: Vec<String>,
    pub lon: Vec<Option<f64>>,
    pub lat: Vec<Option<f64>>,
    pub area_km2: Vec<Option<f64>>,
    pub population: Vec<Option<f64>>,
    /// Audited universe count; blank = not audited.
    pub outlets: Vec<Option<f64>>,
    /// Index into `parents`.
    pub parent: Vec<Option<usize>>,
    /// Rows named as parents: reported, never simulated.
    pub parents: Vec<ParentTerritory>,
    /// Numeric columns that ikiz does not know by name.
    pub covariates: Vec<Covariate>,
    /// From `territories.geojson`; `None` where the file is absent (cells are then drawn around the centroids).
    pub polygons: Option<Vec<geo::MultiPolygon<f64>>>,
}

/// A row of `territories.csv` that other rows name as parent.
#[derive(Debug, Clone)]
pub struct ParentTerritory {
    pub id: String,
    pub name: String,
    /// Parent of the parent, an index into the same list.
    pub parent: Option<usize>,
}

/// A numeric column that ikiz does not know by name.
#[derive(Debug, Clone)]
pub struct Covariate {
    pub name: String,
    pub values: Vec<Option<f64>>,
}

/// `customers.csv`, sorted by territory, then id.
#[derive(Debug, Clone)]
pub struct Customers {
    pub ids: IdTable<CustomerIx>,
    pub territory: Vec<TerritoryIx>,
    /// Rows of each territory.
    pub range: Vec<Range<usize>>,
    pub lon: Vec<Option<f64>>,
    pub lat: Vec<Option<f64>>,
    /// Index into `segment_names`.
    pub segment: Vec<Option<u16>>,
    pub segment_names: Vec<String>,
    /// Category demand a month, demand units.
    pub size: Vec<Option<f64>>,
    pub affinity: Vec<Option<f64>>,
    pub influence: Vec<Option<f64>>,
    pub digital: Vec<Option<f64>>,
    pub price_sensitivity: Vec<Option<f64>>,
    pub preferred_channel: Vec<Option<Channel>>,
    /// Bit c set: consent for channel c. `None` = the column is absent. Channels that need no consent are always set.
    pub consent: Option<Vec<u8>>,
    /// Bit l set: list l names the customer; `None` = the column is absent.
    pub sources: Option<Vec<u32>>,
    pub lists: IdTable<ListIx>,
    pub first_known: Vec<Option<Month>>,
    pub closed: Vec<Option<Month>>,
    pub covariates: Vec<Covariate>,
}

impl Customers {
    /// Number of customers.
    pub fn len(&self) -> usize {
        self.territory.len()
    }

    /// No customers.
    pub fn is_empty(&self) -> bool {
        self.territory.is_empty()
    }
}

/// `sales.csv`, netted by customer, month, product and flow; sorted by customer, then month.
#[derive(Debug, Clone)]
pub struct Sales {
    pub customer: Vec<CustomerIx>,
    /// Position in `Meta::history`.
    pub month: Vec<u16>,
    /// `None` = the column is absent.
    pub product: Option<Vec<Option<ProductIx>>>,
    pub products: IdTable<ProductIx>,
    pub units: Option<Vec<Option<f64>>>,
    /// In the money of its month.
    pub value: Option<Vec<Option<f64>>>,
    /// True where the row is sell-out; `None` = the column is absent (all sell-in).
    pub sell_out: Option<Vec<bool>>,
    pub order_channel: Option<Vec<Option<String>>>,
    pub order_days: Option<Vec<Option<f64>>>,
}

/// `companies.csv` and every company named elsewhere; index 0 is our own.
#[derive(Debug, Clone)]
pub struct Companies {
    pub ids: IdTable<CompanyIx>,
    pub name: Vec<String>,
}

/// `panel.csv`.
#[derive(Debug, Clone)]
pub struct Panel {
    pub rows: Vec<PanelRow>,
}

/// One row of `panel.csv`, in the demand unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelRow {
    /// Position in the history.
    pub month: u16,
    /// `None` = `*`, the whole market.
    pub territory: Option<TerritoryIx>,
    /// `None` = `*`, the category.
    pub company: Option<CompanyIx>,
    pub amount: f64,
}

/// `calls.csv`, sorted by customer, then month; several rows of a month stay apart.
#[derive(Debug, Clone)]
pub struct Calls {
    pub rows: Vec<Call>,
    pub contents: Vec<String>,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Response {
    Opened,
    Ordered,
    Silent,
    Refused,
}

impl Response {
    /// Opened or ordered on.
    pub fn is_favourable(self) -> bool {
        matches!(self, Self::Opened | Self::Ordered)
    }
}

/// One row of `calls.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call {
    pub customer: CustomerIx,
    /// Position in the history.
    pub month: u16,
    pub channel: Channel,
    pub calls: f64,
    pub rep: Option<RepIx>,
    pub product: Option<ProductIx>,
    /// Index into `Calls::contents`.
    pub content: Option<u16>,
    pub hour: Option<u8>,
    pub response: Option<Response>,
}

/// `reps.csv`.
#[derive(Debug, Clone)]
pub struct Reps {
    pub ids: IdTable<RepIx>,
    pub start: Vec<Month>,
    pub end: Vec<Option<Month>>,
    pub calls_per_month: Vec<f64>,
    pub monthly_cost: Vec<f64>,
}

/// One row of `assignments.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    pub rep: RepIx,
    pub territory: TerritoryIx,
    pub valid_from: Month,
    pub valid_to: Option<Month>,
}

/// Kinds of company action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionKind {
    Price,
    Campaign,
    Loading,
    Launch,
    Stockout,
}

/// One row of `actions.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Action {
    pub company: CompanyIx,
    /// `None` = everywhere.
    pub territory: Option<TerritoryIx>,
    pub start: Date,
    pub end: Date,
    pub kind: ActionKind,
    pub intensity: Option<f64>,
}

/// `captures.csv`.
#[derive(Debug, Clone)]
pub struct Captures {
    /// Names of the 0/1 columns.
    pub lists: Vec<String>,
    /// The list that is `customers.csv` itself: the one named in every row of `sources`.
    pub own_list: Option<usize>,
    pub rows: Vec<CaptureRow>,
}

/// One capture history of a territory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureRow {
    pub territory: TerritoryIx,
    /// Index into `Customers::segment_names`.
    pub segment: Option<u16>,
    /// Bit l set: on list l.
    pub history: u32,
    pub count: u32,
}

/// One row of `wallets.csv`: category demand of a customer over a span, from a survey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wallet {
    pub customer: CustomerIx,
    pub span: MonthSpan,
    /// Demand units over the whole span.
    pub demand: f64,
}

/// One row of `experiments.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    pub span: MonthSpan,
    pub territories: Vec<TerritoryIx>,
    pub lever: String,
    /// Relative change of sales.
    pub lift: f64,
    pub se: f64,
}

/// One row of `contacts.csv`: a seat of a buying centre.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub customer: CustomerIx,
    pub seat: String,
    /// -1 (against us) to 1 (for us).
    pub view: Option<f64>,
}

/// One row of `contracts.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contract {
    pub customer: CustomerIx,
    pub start: Date,
    pub end: Date,
    pub price: Option<f64>,
}

/// One row of `receivables.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Receivable {
    pub month: u16,
    pub customer: CustomerIx,
    pub balance: f64,
    pub limit: f64,
    pub overdue: f64,
}

/// One row of `events.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerEvent {
    pub date: Date,
    pub customer: CustomerIx,
    pub kind: String,
}

/// One row of `calendar.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarEvent {
    pub event: String,
    pub start: Date,
    pub end: Date,
}

impl MarketData {
    /// Number of territories.
    pub fn territory_count(&self) -> usize {
        self.territories.ids.len()
    }

    /// Id of a territory.
    pub fn territory_id(&self, index: usize) -> &str {
        self.territories.ids.name(TerritoryIx::from_usize(index))
    }
}
