//! Metrics of the engine and of units of work.

use super::writer::{Buckets, MetricWriter, count, size};
use allocation_app::{AllocationEngine, Distribution, EngineCounters, EngineSnapshot, UnitCounters, UnitSnapshot};
use std::fmt;
use std::ops::RangeInclusive;

/// The powers of two between which durations in microseconds are reported: 128 µs and 16.8 s.
const MICROS: RangeInclusive<usize> = 7..=24;
/// The powers of two up to which numbers of lines are reported: 4,095 lines.
const LINES: RangeInclusive<usize> = 1..=12;

pub(super) fn write(
    to: &mut MetricWriter<'_>,
    engine: &AllocationEngine,
    counters: &EngineCounters,
    units: &UnitCounters,
) -> fmt::Result {
    write_queues(to, engine)?;
    write_groups(to, &counters.snapshot())?;
    write_units(to, &units.snapshot())
}

fn write_queues(to: &mut MetricWriter<'_>, engine: &AllocationEngine) -> fmt::Result {
    let queues = engine.queued();
    to.gauges(
        "allocation_engine_queued_lines",
        "Lines that wait for the engine.",
        queues.iter().map(|it| ([("queue", it.queue)], size(it.lines))),
    )?;
    to.gauges(
        "allocation_engine_queue_capacity_lines",
        "Lines that may wait for the engine; further ones are rejected.",
        queues.iter().map(|it| ([("queue", it.queue)], size(it.capacity))),
    )
}

fn write_groups(to: &mut MetricWriter<'_>, engine: &EngineSnapshot) -> fmt::Result {
    let counters = [
        ("allocation_engine_lines", "Lines decided by the engine.", engine.lines),
        ("allocation_engine_refused_lines", "Lines that a rule refused.", engine.refused),
        ("allocation_engine_overloads", "Lines and orders rejected as overload.", engine.overloads),
        ("allocation_engine_failed_groups", "Groups that failed as a whole.", engine.failed_groups),
        ("allocation_engine_retries", "Groups, or parts of them, that ran again.", engine.retries),
    ];
    for (name, help, value) in counters {
        to.counter(name, help, count(value))?;
    }
    to.histogram("allocation_engine_group_size_lines", "Lines in a group.", &lines(&engine.group_size))?;
    to.histogram(
        "allocation_engine_group_duration_seconds",
        "Time from the begin of a group's unit of work to its end, retries included.",
        &seconds(&engine.unit_micros),
    )
}

fn write_units(to: &mut MetricWriter<'_>, units: &UnitSnapshot) -> fmt::Result {
    to.histogram(
        "allocation_commit_duration_seconds",
        "Time of a commit, of the engine and of all other units of work.",
        &seconds(&units.commit_micros),
    )?;
    to.counters(
        "allocation_unit_retries",
        "Units of work that ran again, by cause.",
        units.retries.iter().map(|(cause, value)| ([("cause", *cause)], *value)),
    )?;
    to.counters(
        "allocation_refusals",
        "Commands that a rule refused, over all transports, by code.",
        units.refusals.iter().map(|(code, value)| ([("code", code.as_str())], *value)),
    )?;
    to.counter(
        "allocation_sweeper_released_holds",
        "Expired holds that the sweeper released; decisions on a product release its own.",
        count(units.released_holds),
    )?;
    to.counter(
        "allocation_archived_orders",
        "Orders that this process moved to the archive.",
        count(units.archived_orders),
    )?;
    to.counter(
        "allocation_archived_lines",
        "Order lines that this process moved to the archive.",
        count(units.archived_lines),
    )?;
    to.gauge(
        "allocation_archive_lag_seconds",
        "How long the oldest order had been due for the archive when this process last looked.",
        count(units.archive_lag_micros) / 1e6,
    )
}

/// Returns the buckets of durations in seconds. A duration in whole microseconds is below a power of two exactly if
/// the duration itself is.
fn seconds(micros: &Distribution) -> Buckets {
    buckets(micros, MICROS, 1e-6, 0.0)
}

/// Returns the buckets of numbers: a number below a power of two is at most one less.
fn lines(lines: &Distribution) -> Buckets {
    buckets(lines, LINES, 1.0, 1.0)
}

/// Returns the buckets between two powers of two: those below are part of the first, those above of the last.
fn buckets(values: &Distribution, powers: RangeInclusive<usize>, unit: f64, less: f64) -> Buckets {
    let of = |range: &[u64]| range.iter().sum::<u64>();
    let (first, last) = (*powers.start(), *powers.end());
    let mut bounded = vec![(bound(first, unit, less), of(&values.below_power_of_two[..=first]))];
    bounded.extend((first + 1..=last).map(|power| (bound(power, unit, less), values.below_power_of_two[power])));
    bounded.push((f64::INFINITY, of(&values.below_power_of_two[last + 1..])));
    Buckets { sum: count(values.sum) * unit, bounded }
}

fn bound(power: usize, unit: f64, less: f64) -> f64 {
    (2_f64.powi(i32::try_from(power).unwrap_or(i32::MAX)) - less) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(values: &[(usize, u64)]) -> Distribution {
        let mut below_power_of_two = vec![0; 32];
        for (power, count) in values {
            below_power_of_two[*power] = *count;
        }
        Distribution { count: 0, sum: 3_000_000, below_power_of_two }
    }

    #[test]
    fn no_value_is_lost_at_either_end() {
        let buckets = seconds(&distribution(&[(0, 1), (7, 2), (8, 4), (24, 8), (25, 16), (31, 32)]));
        assert_eq!((buckets.bounded[0], buckets.bounded[1]), ((0.000_128, 3), (0.000_256, 4)));
        assert_eq!(buckets.bounded.iter().map(|(_, count)| count).sum::<u64>(), 63);
        assert_eq!(buckets.bounded.last(), Some(&(f64::INFINITY, 48)));
        assert!((buckets.sum - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_bound_of_lines_is_the_largest_number_in_its_bucket() {
        let bounds: Vec<f64> = lines(&distribution(&[])).bounded.iter().map(|(bound, _)| *bound).collect();
        assert_eq!(bounds[..4], [1.0, 3.0, 7.0, 15.0]);
    }
}
