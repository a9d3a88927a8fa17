//! Coordinates.

use super::log::Log;
use super::table::{Col, Table};

/// A longitude without a latitude, or the reverse.
pub(super) fn refuse_half_a_place(table: &Table<'_>, lon: Col, lat: Col, log: &mut Log) {
    let (has_lon, has_lat) = (!table.cell(lon).is_empty(), !table.cell(lat).is_empty());
    if has_lon != has_lat {
        let blank = if has_lon { lat } else { lon };
        table.refuse(blank, "one of two coordinates is missing", log, || {
            (
                "a place needs both `lon` and `lat`".to_owned(),
                "one of the two is missing".to_owned(),
                "fill both, or leave both blank".to_owned(),
            )
        });
    }
}
