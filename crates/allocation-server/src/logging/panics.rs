//! Logging of panics, once a minute for each location: a panicking task is retried and may panic again.

use super::LogWriter;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::HashMap;
use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time for which a panic at the same location is not logged again.
const SAME_PLACE: Duration = Duration::from_secs(60);
/// The number of remembered locations. Beyond it, all are dropped, and each is logged once more.
const MAX_PLACES: usize = 64;

/// The time each location was logged, and its unlogged panics since.
#[derive(Debug, Default)]
struct Places(HashMap<String, (Instant, u64)>);

impl Places {
    /// Records a panic; returns the number of unlogged panics at its location if it has to be logged.
    fn panicked(&mut self, place: &str, now: Instant) -> Option<u64> {
        if let Some((logged, unlogged)) = self.0.get_mut(place) {
            if now.duration_since(*logged) < SAME_PLACE {
                *unlogged += 1;
                return None;
            }
            *logged = now;
            return Some(std::mem::take(unlogged));
        }
        if self.0.len() >= MAX_PLACES {
            self.0.clear();
        }
        self.0.insert(place.to_owned(), (now, 0));
        Some(0)
    }
}

/// Sends panics to the log. The standard library's hook writes to standard error directly, and could block.
pub(crate) fn log_panics(writer: &LogWriter) {
    let (writer, places) = (writer.clone(), Mutex::new(Places::default()));
    panic::set_hook(Box::new(move |panic| {
        let (message, place) = (message(panic), panic.location().map(ToString::to_string).unwrap_or_default());
        let panicked = places.lock().unwrap_or_else(PoisonError::into_inner).panicked(&place, Instant::now());
        let Some(unlogged) = panicked else { return };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_panics_on_and_on_is_one_line_a_minute() {
        let (mut places, start) = (Places::default(), Instant::now());
        let logged: Vec<_> =
            (0..=120).filter_map(|second| places.panicked("a.rs:1", start + Duration::from_secs(second))).collect();
        assert_eq!(logged, [0, 59, 59]);
        assert_eq!(places.panicked("b.rs:1", start), Some(0));
        for number in 0..10 * MAX_PLACES {
            assert!(places.panicked(&format!("{number}"), start).is_some() && places.0.len() <= MAX_PLACES);
        }
    }
}
