//! The port for monitoring, implemented by the store.

use super::Store;
use crate::any_connection::AnyConnection;
use crate::error::store_error;
use crate::{reads, relaying, row};
use allocation_ports::{ConnectionUsage, EventBacklog, StoreError, StoreMonitor};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts how the pool hands out connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Checkouts(Arc<CheckoutCounts>);

#[derive(Debug, Default)]
struct CheckoutCounts {
    waits: AtomicU64,
    waited_micros: AtomicU64,
    timeouts: AtomicU64,
}

impl r2d2::HandleEvent for Checkouts {
    fn handle_checkout(&self, event: r2d2::event::CheckoutEvent) {
        if event.duration() >= ConnectionUsage::WAIT {
            self.0.waits.fetch_add(1, Ordering::Relaxed);
            let micros = u64::try_from(event.duration().as_micros()).unwrap_or(u64::MAX);
            self.0.waited_micros.fetch_add(micros, Ordering::Relaxed);
        }
    }

    fn handle_timeout(&self, _: r2d2::event::TimeoutEvent) {
        self.0.timeouts.fetch_add(1, Ordering::Relaxed);
    }
}

impl StoreMonitor for Store {
    fn connections(&self) -> Option<ConnectionUsage> {
        let (state, counts) = (self.0.pool.state(), &self.0.checkouts.0);
        Some(ConnectionUsage {
            used: state.connections.saturating_sub(state.idle_connections),
            idle: state.idle_connections,
            max: self.0.pool.max_size(),
            waits: counts.waits.load(Ordering::Relaxed),
            waited: Duration::from_micros(counts.waited_micros.load(Ordering::Relaxed)),
            timeouts: counts.timeouts.load(Ordering::Relaxed),
        })
    }

    fn backlog(&self) -> Result<EventBacklog, StoreError> {
        self.read_snapshot(backlog)
    }
}

fn backlog(connection: &mut AnyConnection) -> Result<EventBacklog, StoreError> {
    let (blocks, parked) = (EventBacklog::MAX_BLOCKS, EventBacklog::MAX_PARKED);
    let (last, checkpoint) = (reads::log_bounds(connection)?.last, relaying::checkpoint(connection)?);
    let unsequenced = format!(
        "SELECT coalesce(sum(event_count), 0) \
         FROM (SELECT event_count FROM outbox_blocks ORDER BY id LIMIT {blocks}) AS oldest"
    );
    let parked = format!("SELECT count(*) FROM (SELECT 1 FROM parked_events LIMIT {parked}) AS parked");
    let oldest_unrelayed = if last > checkpoint {
        let block = format!(
            "SELECT occurred_at FROM event_blocks WHERE first_position <= {} ORDER BY first_position DESC LIMIT 1",
            checkpoint + 1
        );
        instant(connection, &block)?
    } else {
        None
    };
    Ok(EventBacklog {
        last,
        unsequenced: relaying::count(connection, &unsequenced)?,
        oldest_unsequenced: instant(connection, "SELECT occurred_at FROM outbox_blocks ORDER BY id LIMIT 1")?,
        checkpoint,
        oldest_unrelayed,
        parked: relaying::count(connection, &parked)?,
    })
}

/// Returns the instant that a query selects, if there is a row.
fn instant(connection: &mut AnyConnection, query: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
    let micros: Option<i64> = sql::<BigInt>(query).get_result(connection).optional().map_err(store_error)?;
    micros.map(row::instant).transpose()
}
