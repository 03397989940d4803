//! Metrics of the event log and the relay.

use super::writer::{MetricWriter, count};
use allocation_ports::EventBacklog;
use chrono::{DateTime, Utc};
use std::fmt;

/// Writes the backlog. Nothing is written if it is unknown, so that an old value does not pass for a current one.
pub(super) fn write(
    to: &mut MetricWriter<'_>,
    backlog: Option<EventBacklog>,
    has_relay: bool,
    now: DateTime<Utc>,
) -> fmt::Result {
    let Some(backlog) = backlog else { return Ok(()) };
    let age = |since: Option<DateTime<Utc>>| since.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0));
    let gauges = [
        ("allocation_events_last_position", "Newest position of the event log.", count(backlog.last)),
        (
            "allocation_events_unsequenced",
            "Committed events without a position, as far as 1,000 blocks hold them.",
            count(backlog.unsequenced),
        ),
        (
            "allocation_events_oldest_unsequenced_age_seconds",
            "Age of the oldest event without a position; 0 if there is none.",
            age(backlog.oldest_unsequenced),
        ),
    ];
    for (name, help, value) in gauges {
        to.gauge(name, help, value)?;
    }
    if !has_relay {
        return Ok(());
    }
    let gauges = [
        (
            "allocation_relay_backlog_events",
            "Events with a position that the relay has neither delivered nor parked.",
            count(backlog.unrelayed()),
        ),
        (
            "allocation_relay_oldest_age_seconds",
            "Age of the oldest of them; 0 if there is none.",
            age(backlog.oldest_unrelayed),
        ),
        ("allocation_relay_parked_events", "Parked events, counted up to 10,000.", count(backlog.parked)),
    ];
    gauges.into_iter().try_for_each(|(name, help, value)| to.gauge(name, help, value))
}
