//! `customers.csv`.

use std::collections::BTreeSet;

use super::Ignored;
use super::covariates::CovariateReader;
use super::log::Log;
use super::names::Names;
use super::number::{NOT_NEGATIVE, UNIT};
use super::register::Register;
use super::source::Source;
use super::table::{Col, Column, Table, canonical, optional, required};
use super::tables::Customers;
use crate::channel::Channel;
use crate::ids::{IdTable, Index as _, ListIx, TerritoryIx};
use crate::problem::Problem;
use crate::units::Month;

pub(super) const FILE: &str = "customers.csv";

pub(super) const COLUMNS: &[Column] = &[
    required("customer_id"),
    required("territory_id"),
    optional("lon"),
    optional("lat"),
    optional("segment"),
    optional("size"),
    optional("affinity"),
    optional("influence"),
    optional("digital"),
    optional("price_sensitivity"),
    optional("preferred_channel"),
    optional("consent"),
    optional("sources"),
    optional("first_known"),
    optional("closed"),
];

/// Lists are bits of a mask.
pub(super) const MOST_LISTS: usize = 32;

/// What the file holds.
pub(super) struct CustomerFile {
    pub customers: Customers,
    /// Ids of rows with errors.
    pub lost: BTreeSet<String>,
    /// Rows are missing whose ids cannot be told.
    pub rows_lost: bool,
}

/// Columns in file order.
#[derive(Default)]
struct Rows {
    id: Vec<Box<str>>,
    offset: Vec<usize>,
    territory: Vec<TerritoryIx>,
    /// Row of the file, for covariates.
    position: Vec<usize>,
    lon: Vec<Option<f64>>,
    lat: Vec<Option<f64>>,
    segment: Vec<Option<u16>>,
    size: Vec<Option<f64>>,
    scores: [Vec<Option<f64>>; 4],
    preferred_channel: Vec<Option<Channel>>,
    consent: Vec<u8>,
    sources: Vec<u32>,
    first_known: Vec<Option<Month>>,
    closed: Vec<Option<Month>>,
}

/// Reads the file: customers sorted by territory, then id.
pub(super) fn read(
    source: &Source,
    territories: &Register<'_, TerritoryIx>,
    territory_count: usize,
    history_end: Option<Month>,
    ignored: &mut Ignored,
    log: &mut Log,
) -> Option<CustomerFile> {
    let mut table = Table::open(source, COLUMNS, log)?;
    let [id, territory, lon, lat, segment, size, preferred, consent, sources, first_known, closed] = [
        "customer_id",
        "territory_id",
        "lon",
        "lat",
        "segment",
        "size",
        "preferred_channel",
        "consent",
        "sources",
        "first_known",
        "closed",
    ]
    .map(|name| table.column(name));
    let scores = ["affinity", "influence", "digital", "price_sensitivity"].map(|name| table.column(name));
    let channels = Channel::ALL.map(|channel| (channel.name(), channel));
    let mut covariates = CovariateReader::new(&table);
    let mut segments = Names::default();
    let mut lists = Names::default();
    let mut rows = Rows::default();
    let mut lost = BTreeSet::new();
    while table.advance(log) {
        covariates.row(&table);
        let found = territories.resolve(&table, territory, log);
        super::places::refuse_half_a_place(&table, lon, lat, log);
        let place = (table.number(lon, &(-180.0..=180.0), log), table.number(lat, &(-90.0..=90.0), log));
        let segment = segments.intern(table.cell(segment)).and_then(|index| u16::try_from(index).ok());
        let size = table.number(size, &NOT_NEGATIVE, log);
        let scores = scores.map(|column| table.number(column, &UNIT, log));
        let preferred = table.word(preferred, &channels, log);
        let consent = read_consent(&table, consent, log);
        let mask = read_sources(&table, sources, &mut lists, log);
        let known = table.month_or_day(first_known, log);
        let until = table.month_or_day(closed, log);
        if let (Some(month), Some(history_end)) = (known, history_end)
            && month > history_end
        {
            table.refuse(first_known, "a customer is known only after the history", log, || {
                (
                    format!("`first_known` {month} comes after `history_end` {history_end}"),
                    "after the history".to_owned(),
                    "leave out customers that were found later, or move `history_end` in market.toml".to_owned(),
                )
            });
        }
        if let (Some(from), Some(to)) = (known, until)
            && to < from
        {
            table.refuse_order(first_known, closed, log);
        }
        let Some(id) = table.id(id, log) else { continue };
        let Some(territory) = found else {
            lost.insert(id.into_owned());
            continue;
        };
        rows.id.push(id.as_ref().into());
        rows.offset.push(table.offset());
        rows.territory.push(territory);
        rows.position.push(covariates.rows() - 1);
        rows.lon.push(place.0);
        rows.lat.push(place.1);
        rows.segment.push(segment);
        rows.size.push(size);
        for (column, score) in rows.scores.iter_mut().zip(scores) {
            column.push(score);
        }
        rows.preferred_channel.push(preferred);
        rows.consent.push(consent);
        rows.sources.push(mask);
        rows.first_known.push(known);
        rows.closed.push(until);
    }
    lost.extend(table.lost.iter().cloned());
    if segments.len() > usize::from(u16::MAX) {
        log.push(
            Problem::error(format!("`{FILE}` has {} segments", segments.len()))
                .help("`segment` is for groups of customers; leave the column out when it holds names or ids"),
        );
    }
    refuse_duplicates(&rows, &table, log);
    let covariates = covariates.finish(&table, ignored, log);

    let mut order: Vec<usize> = (0..rows.id.len()).collect();
    order.sort_unstable_by(|&a, &b| (rows.territory[a], &rows.id[a]).cmp(&(rows.territory[b], &rows.id[b])));
    let mut ids = IdTable::default();
    for &row in &order {
        ids.intern(&rows.id[row]);
    }
    let (segment_names, segment_rank) = segments.sorted();
    let (list_names, list_rank) = lists.sorted();
    let mut list_ids: IdTable<ListIx> = IdTable::default();
    for name in &list_names {
        list_ids.intern(name);
    }
    let remask = |mask: u32| {
        list_rank.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).fold(0, |out, (_, &rank)| out | 1 << rank)
    };
    let [affinity, influence, digital, price_sensitivity] = rows.scores.each_ref().map(|column| pick(column, &order));
    let territory = pick(&rows.territory, &order);
    let range = (0..territory_count)
        .map(|index| {
            let start = territory.partition_point(|at| at.usize() < index);
            start..start + territory[start..].partition_point(|at| at.usize() == index)
        })
        .collect();
    let customers = Customers {
        range,
        territory,
        lon: pick(&rows.lon, &order),
        lat: pick(&rows.lat, &order),
        segment: order
            .iter()
            .map(|&row| rows.segment[row].and_then(|segment| segment_rank.get(usize::from(segment)).copied()))
            .map(|rank| rank.and_then(|rank| u16::try_from(rank).ok()))
            .collect(),
        segment_names,
        size: pick(&rows.size, &order),
        affinity,
        influence,
        digital,
        price_sensitivity,
        preferred_channel: pick(&rows.preferred_channel, &order),
        consent: consent.is_present().then(|| pick(&rows.consent, &order)),
        sources: sources.is_present().then(|| order.iter().map(|&row| remask(rows.sources[row])).collect()),
        lists: list_ids,
        first_known: pick(&rows.first_known, &order),
        closed: pick(&rows.closed, &order),
        covariates: covariates
            .into_iter()
            .map(|covariate| covariate.reordered(order.iter().map(|&row| rows.position[row])))
            .collect(),
        ids,
    };
    Some(CustomerFile { customers, lost, rows_lost: table.rows_lost })
}

fn pick<T: Copy>(column: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|&row| column[row]).collect()
}

/// Two rows of one id, wherever they are.
fn refuse_duplicates(rows: &Rows, table: &Table<'_>, log: &mut Log) {
    let mut by_id: Vec<usize> = (0..rows.id.len()).collect();
    by_id.sort_unstable_by(|&a, &b| (&rows.id[a], a).cmp(&(&rows.id[b], b)));
    for pair in by_id.windows(2) {
        let &[first, second] = pair else { continue };
        if rows.id[first] == rows.id[second] {
            log.push_class((FILE, "a key is there twice", 0), || {
                Problem::error(format!("customer `{}` is there twice in `{FILE}`", rows.id[second]))
                    .at(
                        table.place_at(rows.offset[second]),
                        format!("first on line {}", table.line_at(rows.offset[first])),
                    )
                    .help("keep one of the rows, or correct the id of one")
            });
        }
    }
}

/// Bits of the channels that may be used.
fn read_consent(table: &Table<'_>, col: Col, log: &mut Log) -> u8 {
    let free = Channel::ALL.into_iter().filter(|channel| !channel.needs_consent());
    let mut mask = free.fold(0, |mask, channel| mask | 1 << channel.index());
    for word in table.cell(col).split(';').map(str::trim).filter(|word| !word.is_empty()) {
        match word.parse::<Channel>() {
            Ok(channel) => mask |= 1 << channel.index(),
            Err(_) => table.refuse_word(col, word, &Channel::ALL.map(Channel::name), log),
        }
    }
    mask
}

/// Bits of the lists that name the customer.
fn read_sources(table: &Table<'_>, col: Col, lists: &mut Names, log: &mut Log) -> u32 {
    let mut mask = 0;
    for word in table.cell(col).split(';').map(canonical).filter(|word| !word.is_empty()) {
        match lists.intern(&word) {
            Some(list) if list < MOST_LISTS => mask |= 1 << list,
            _ => table.refuse(col, "there are too many lists", log, || {
                (
                    format!("list `{word}` is one too many: there can be {MOST_LISTS}"),
                    "too many lists".to_owned(),
                    "name the lists of a customer, separated by `;`: crm;distributor".to_owned(),
                )
            }),
        }
    }
    mask
}
