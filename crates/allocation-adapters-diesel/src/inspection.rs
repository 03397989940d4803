//! Inspection of a database for an operator: instants left by a wrong clock, and invariants between rows.

mod blocks;
mod invariants;
mod mending;

pub use mending::Mended;

use crate::any_connection::AnyConnection;
use crate::clock::server_time;
use crate::error::store_error;
use crate::{Store, row};
use allocation_domain::HoldDuration;
use allocation_ports::{BrokenInvariant, Clock, InvariantCheck, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

/// The tolerance for instants in the future: clocks differ a little, and instants of one product are at
/// least a microsecond apart.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);
/// The longest lease that a correct clock takes. A lease that ends later was taken by a wrong clock.
const LONGEST_LEASE: TimeDelta = TimeDelta::seconds(60);

/// A fault in the rows of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A description of the fault.
    pub what: &'static str,
    /// The number of faulty rows.
    pub rows: u64,
    /// The latest of the instants in the future; `None` for a fault that is not an instant.
    pub latest: Option<DateTime<Utc>>,
}

/// Instants that are written with the current time: description, table, column, and how far in the future
/// they may be.
const INSTANTS: [(&str, &str, &str, Later); 12] = [
    ("products decided on in the future (products.last_at)", "products", "last_at", Later::Never),
    ("lines placed in the future (order_lines.placed_at)", "order_lines", "placed_at", Later::Never),
    ("holds longer than any request can ask for (order_lines.expires_at)", "order_lines", "expires_at", Later::Held),
    ("batches added in the future (batches.added_at)", "batches", "added_at", Later::Never),
    ("orders placed in the future (orders.placed_at)", "orders", "placed_at", Later::Never),
    ("pick lists made in the future (pick_lists.created_at)", "pick_lists", "created_at", Later::Never),
    ("shipments made in the future (shipments.shipped_at)", "shipments", "shipped_at", Later::Never),
    (
        "stock documents recorded in the future (stock_documents.recorded_at)",
        "stock_documents",
        "recorded_at",
        Later::Never,
    ),
    ("events of the log from the future (event_blocks.occurred_at)", "event_blocks", "occurred_at", Later::Never),
    (
        "events without a position from the future (outbox_blocks.occurred_at)",
        "outbox_blocks",
        "occurred_at",
        Later::Never,
    ),
    ("events parked in the future (parked_events.parked_at)", "parked_events", "parked_at", Later::Never),
    ("leases taken in the future (leases.expires_at)", "leases", "expires_at", Later::Leased),
];

/// How far in the future an instant may be, beside the tolerance.
#[derive(Clone, Copy)]
enum Later {
    /// Not at all.
    Never,
    /// For the longest hold.
    Held,
    /// For the longest lease.
    Leased,
}

impl Later {
    fn at_most(self, longest_hold: TimeDelta) -> TimeDelta {
        match self {
            Self::Never => TimeDelta::zero(),
            Self::Held => longest_hold,
            Self::Leased => LONGEST_LEASE,
        }
    }
}

/// Returns the time for which a hold lasts.
fn span(hold: HoldDuration) -> TimeDelta {
    TimeDelta::seconds(i64::from(hold.seconds()))
}

/// The result of an inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The faults; none in an intact database.
    pub findings: Vec<Finding>,
    /// The number of products whose rows were compared.
    pub products: u64,
}

impl Store {
    /// Finds instants in the future of the database's clock, counters that are wrong, and rows that contradict each
    /// other.
    ///
    /// Each query reads one state of the database; servers may keep running. Rows are compared for a hundred products
    /// at a time. The searches for instants scan whole tables, and no query has a timeout. A hold that expires later
    /// than `longest_hold` from now counts as set by a wrong clock.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub fn inspect(&self, longest_hold: HoldDuration) -> Result<Inspection, StoreError> {
        let mut connection = self.unlimited()?;
        let mut findings = Vec::new();
        for (what, table, column, later) in INSTANTS {
            let limit = after(self.time(&mut connection)?, later.at_most(span(longest_hold)) + TOLERANCE);
            let table = blocks::dated(&connection, table);
            let latest = format!("SELECT max({column}) FROM {table} WHERE {column} > {limit}");
            let rows = count(&mut connection, &format!("SELECT count(*) FROM {table} WHERE {column} > {limit}"))?;
            if rows > 0 {
                let latest = diesel::dsl::sql::<Nullable<BigInt>>(&latest).get_result::<Option<i64>>(&mut connection);
                findings.push(Finding { what, rows, latest: latest.map_err(store_error)?.and_then(displayed) });
            }
        }
        let (broken, products) = invariants::broken(&mut connection, &mut || true)?.unwrap_or_default();
        findings.extend(broken.into_iter().map(|BrokenInvariant { what, rows }| Finding { what, rows, latest: None }));
        Ok(Inspection { findings, products })
    }

    /// Opens a connection without the timeouts that the store's sessions have.
    fn unlimited(&self) -> Result<AnyConnection, StoreError> {
        self.migrations().connect().map_err(|error| StoreError::Unavailable(error.into()))
    }

    /// Returns the time in microseconds since 1970, by the clock that dates decisions.
    pub(crate) fn time(&self, connection: &mut AnyConnection) -> Result<i64, StoreError> {
        match connection {
            AnyConnection::Sqlite(_) => Ok(self.clock().now().timestamp_micros()),
            AnyConnection::Postgres(_) => server_time(connection).map_err(store_error),
        }
    }
}

impl InvariantCheck for Store {
    fn broken_invariants(
        &self,
        may_continue: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<BrokenInvariant>>, StoreError> {
        let broken = invariants::broken(&mut self.unlimited()?, may_continue)?;
        Ok(broken.map(|(broken, _)| broken))
    }
}

/// Returns the instant after a span of time, in microseconds since 1970.
fn after(instant: i64, time: TimeDelta) -> i64 {
    instant.saturating_add(time.num_microseconds().unwrap_or(i64::MAX))
}

/// Converts an instant for display; `None` if it is outside the calendar.
fn displayed(microseconds: i64) -> Option<DateTime<Utc>> {
    row::instant(microseconds).ok()
}

/// Returns the single number that a query selects.
fn count(connection: &mut AnyConnection, query: &str) -> Result<u64, StoreError> {
    let number: i64 = diesel::dsl::sql::<BigInt>(query).get_result(connection).map_err(store_error)?;
    u64::try_from(number).map_err(crate::error::corrupt)
}
