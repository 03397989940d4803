//! Logging of panics, once a minute for each location: a panicking task is retried and may panic again.

use super::LogWriter;
use allocation_app::LogThrottle;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::thread;

/// Sends panics to the log. The standard library's hook writes to standard error directly, and could block.
pub(crate) fn log_panics(writer: &LogWriter) {
    let (writer, places) = (writer.clone(), LogThrottle::default());
    panic::set_hook(Box::new(move |panic| {
        let (message, place) = (message(panic), panic.location().map(ToString::to_string).unwrap_or_default());
        let Some(unlogged) = places.admit(&place) else { return };
        let thread = thread::current();
        let thread = thread.name().unwrap_or("without a name");
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        if tracing::dispatcher::has_been_set() {
            tracing::error!(thread, place, panic = message, unlogged, backtrace, "a thread panicked");
        } else {
            writer.line(&format!("allocation: thread {thread} panicked at {place}: {message}"));
        }
    }));
}

fn message<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
