//! Metrics of the process: its build, threads, log and resources.

use super::MetricSources;
use super::writer::{MetricWriter, count, flag};
use std::fmt;

pub(super) fn write(to: &mut MetricWriter<'_>, sources: &MetricSources) -> fmt::Result {
    let build = &sources.build;
    let labels = [("version", build.version), ("commit", build.commit), ("database", build.database)];
    to.gauges("allocation_build_info", "Always 1; the labels tell the build and the database.", [(labels, 1.0)])?;
    to.counter(
        "allocation_log_lines_dropped",
        "Lines that standard error did not take in time.",
        count((sources.dropped_log_lines)()),
    )?;
    to.counter(
        "allocation_spans_dropped",
        "Spans that the collector did not take in time, or rejected.",
        count((sources.dropped_spans)()),
    )?;
    let threads = || sources.threads.iter().map(|thread| [("thread", thread.name().to_owned())]).zip(&sources.threads);
    to.gauges(
        "allocation_thread_up",
        "Whether a background thread runs.",
        threads().map(|(labels, thread)| (labels, flag(!thread.has_ended()))),
    )?;
    let repeating = || threads().filter(|(_, thread)| thread.steps() > 0);
    to.counters(
        "allocation_thread_steps",
        "Steps of a background thread that repeats one, such as the sweeper's.",
        repeating().map(|(labels, thread)| (labels, thread.steps())),
    )?;
    to.counters(
        "allocation_thread_panics",
        "Steps that ended with a panic.",
        repeating().map(|(labels, thread)| (labels, thread.panics())),
    )?;
    write_resources(to)
}

/// Writes the standard metrics of a process, which only Linux tells without a library.
#[cfg(target_os = "linux")]
fn write_resources(to: &mut MetricWriter<'_>) -> fmt::Result {
    let read = |name| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
    let memory = read("status").and_then(|status| kibibytes(&status, "VmRSS:")).map(|kib| count(kib * 1024));
    let files = std::fs::read_dir("/proc/self/fd").ok().and_then(|files| u64::try_from(files.count()).ok());
    if let Some(seconds) = read("stat").and_then(|stat| cpu_seconds(&stat)) {
        to.counter("process_cpu_seconds", "Processor time, user and system.", seconds)?;
    }
    if let Some(bytes) = memory {
        to.gauge("process_resident_memory_bytes", "Resident memory.", bytes)?;
    }
    match files {
        Some(files) => to.gauge("process_open_fds", "Open file descriptors.", count(files)),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn write_resources(_: &mut MetricWriter<'_>) -> fmt::Result {
    Ok(())
}

/// Returns a number of `/proc/self/status`.
#[cfg(any(target_os = "linux", test))]
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Returns the processor time of `/proc/self/stat`. Its fields follow the name of the program, which is in parentheses.
#[cfg(any(target_os = "linux", test))]
fn cpu_seconds(stat: &str) -> Option<f64> {
    /// The ticks a second of this file, on every architecture with a current kernel.
    const TICKS: f64 = 100.0;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(count(ticks()? + ticks()?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        let status = "Name:\tallocation\nVmHWM:\t  9 kB\nVmRSS:\t  17408 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(17_408));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
        let stat = "1 (a) b) S 0 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 1 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("1 (a) S"), None);
    }
}
