//! Panics in the log.

use super::LogWriter;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::thread;

/// Sends panics to the log. The standard library would write them to standard error itself, and wait for it.
pub(crate) fn log_panics(writer: &LogWriter) {
    let writer = writer.clone();
    panic::set_hook(Box::new(move |panic| {
        let (message, place) = (message(panic), panic.location().map(ToString::to_string).unwrap_or_default());
        let thread = thread::current();
        let thread = thread.name().unwrap_or("without a name");
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        if tracing::dispatcher::has_been_set() {
            tracing::error!(thread, place, panic = message, backtrace, "a thread panicked");
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
