//! Expired holds that are not released yet.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::planner::LIMIT;
use crate::row;
use crate::statement::statement;
use allocation_domain::Sku;
use allocation_ports::StoreError;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeSet;

/// The number of expired lines in a page.
const PAGE: i64 = 1_000;

/// The maximum number of pages scanned per call. A product with very many expired lines must not hide other
/// products, and must not be read repeatedly while its lines are released.
const MAX_PAGES: usize = 10;

statement! {
    /// Expired lines after a cursor, earliest expiry first. Lines of one product that expired at the same
    /// instant share a cursor, and one of them is enough.
    ExpiredLines<'a>(now: BigInt => i64, expires_at: BigInt => i64, sku: Text => str, limit: BigInt => i64)
        on MultiBackend -> (BigInt, Text),
    "SELECT expires_at, sku FROM order_lines
     WHERE expires_at <= ? AND (expires_at, sku) > (?, ?) ORDER BY expires_at, sku", LIMIT
}

statement! {
    /// Products whose lines may wait although units are free.
    Unserved<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> Text,
    "SELECT sku FROM products WHERE unserved AND sku > ? ORDER BY sku", LIMIT
}

/// Returns products with expired lines, earliest expiry first, then products whose lines may wait although
/// units are free; `most` in total.
pub(crate) fn products(connection: &mut AnyConnection, now: DateTime<Utc>, most: u16) -> Result<Vec<Sku>, StoreError> {
    let (now, most) = (now.timestamp_micros(), usize::from(most));
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    let mut place = (i64::MIN, String::new());
    for _ in 0..MAX_PAGES {
        let page = ExpiredLines { now: &now, expires_at: &place.0, sku: &place.1, limit: &PAGE };
        let page: Vec<(i64, String)> = page.load(connection).map_err(store_error)?;
        let Some(last) = page.last().cloned() else { break };
        found.extend(page.into_iter().map(|(_, sku)| sku).filter(|sku| known.insert(sku.clone())));
        if found.len() >= most {
            break;
        }
        place = last;
    }
    if found.len() < most {
        let unserved: Vec<String> = Unserved { after: "", limit: &PAGE }.load(connection).map_err(store_error)?;
        found.extend(unserved.into_iter().filter(|sku| known.insert(sku.clone())));
    }
    found.truncate(most);
    found.into_iter().map(row::sku).collect()
}
