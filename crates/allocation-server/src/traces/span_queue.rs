use allocation_ports::{Span, SpanSink};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The maximum number of spans that wait, some 2 MiB.
const CAPACITY: usize = 8_192;

/// Spans on their way to the collector. A full queue drops further ones.
#[derive(Debug, Default)]
pub(crate) struct SpanQueue {
    waiting: Mutex<VecDeque<Span>>,
    dropped: AtomicU64,
}

impl SpanQueue {
    /// Takes the oldest spans, `count` at most.
    pub(crate) fn take(&self, count: usize) -> Vec<Span> {
        let mut waiting = self.waiting();
        let count = count.min(waiting.len());
        waiting.drain(..count).collect()
    }

    /// Counts spans that were not delivered.
    pub(crate) fn dropped(&self, count: usize) {
        self.dropped.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns the number of spans that were not delivered.
    pub(crate) fn count_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Span>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanSink for SpanQueue {
    fn record(&self, span: Span) {
        let mut waiting = self.waiting();
        if waiting.len() < CAPACITY {
            waiting.push_back(span);
        } else {
            drop(waiting);
            self.dropped(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, SpanQueue};
    use crate::traces::tests::span;
    use allocation_ports::SpanSink;

    #[test]
    fn a_full_queue_drops_and_counts_further_spans() {
        let queue = SpanQueue::default();
        for number in (100..500).cycle().take(CAPACITY + 3) {
            queue.record(span(number));
        }
        assert_eq!(queue.count_dropped(), 3);
        let taken = queue.take(usize::MAX);
        assert_eq!((taken.len(), taken[0].ids.span), (CAPACITY, 100), "the oldest stay");
        queue.record(span(200));
        assert_eq!((queue.take(2).len(), queue.count_dropped()), (1, 3), "there is room again");
    }
}
