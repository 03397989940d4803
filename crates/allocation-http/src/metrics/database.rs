//! Metrics of the database and its connections.

use super::writer::{MetricWriter, count, flag};
use allocation_app::InvariantMonitor;
use allocation_ports::{FailedCheck, Readiness, ReplicationLag, StoreMonitor};
use std::fmt;

/// The checks of a process that serves.
const CHECKS: [&str; 5] =
    [FailedCheck::DATABASE, FailedCheck::SCHEMA, FailedCheck::SEQUENCER, FailedCheck::THREADS, FailedCheck::CLOCK];

pub(super) fn write(to: &mut MetricWriter<'_>, store: &dyn StoreMonitor, readiness: &dyn Readiness) -> fmt::Result {
    write_connections(to, store)?;
    let failed = readiness.failed_checks();
    let fails = |name: &str| failed.iter().any(|check| check.name == name);
    to.gauge(
        "allocation_database_up",
        "Whether the last probe of the database succeeded.",
        flag(!fails(FailedCheck::DATABASE)),
    )?;
    to.gauges(
        "allocation_readiness_check_failed",
        "Whether a check of readiness fails.",
        CHECKS.into_iter().map(|name| ([("check", name)], flag(fails(name)))),
    )?;
    let lag = match readiness.replication_lag() {
        Some(ReplicationLag::Age(age)) => age.as_seconds_f64(),
        // The alert on the lag fires.
        Some(ReplicationLag::Unknown) => f64::INFINITY,
        None => return Ok(()),
    };
    to.gauge(
        "allocation_replication_lag_seconds",
        "Age of the newest transaction that the standby has replayed; infinite if it has replayed none since its start.",
        lag,
    )
}

fn write_connections(to: &mut MetricWriter<'_>, store: &dyn StoreMonitor) -> fmt::Result {
    let Some(usage) = store.connections() else { return Ok(()) };
    to.gauges(
        "allocation_database_connections",
        "Open connections of the pool.",
        [("used", usage.used), ("idle", usage.idle)].map(|(state, value)| ([("state", state)], f64::from(value))),
    )?;
    to.gauge("allocation_database_connections_max", "Maximum number of connections.", f64::from(usage.max))?;
    let counters = [
        (
            "allocation_database_connection_waits",
            "Waits for a connection that took at least a millisecond.",
            count(usage.waits),
        ),
        (
            "allocation_database_connection_wait_seconds",
            "Duration of the waits for a connection.",
            usage.waited.as_secs_f64(),
        ),
        (
            "allocation_database_connection_timeouts",
            "Waits for a connection that ended without one.",
            count(usage.timeouts),
        ),
    ];
    counters.into_iter().try_for_each(|(name, help, value)| to.counter(name, help, value))
}

/// Writes the result of the last check of invariants, once there was one, and its age.
pub(super) fn write_check(to: &mut MetricWriter<'_>, check: &InvariantMonitor) -> fmt::Result {
    if let Some(rows) = check.broken_rows() {
        to.gauge("allocation_check_broken_rows", "Rows that broke an invariant at the last check.", count(rows))?;
    }
    let ages = [
        ("allocation_check_age_seconds", "Time since the last check of invariants, or the start.", check.age()),
        ("allocation_check_interval_seconds", "Pause between two checks of invariants.", check.interval()),
    ];
    ages.into_iter().try_for_each(|(name, help, time)| to.gauge(name, help, time.as_secs_f64()))
}
