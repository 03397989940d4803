//! Results of publishing events.

use allocation_ports::{Delivery, LoggedEvent, ParkedEvent, RelayProgress};
use chrono::{DateTime, Utc};

/// How many times in a row the broker may refuse an event, while it accepts events after it, before the
/// event counts as poison. A full queue accepts the first event after a pause.
const MAX_REFUSALS: u32 = 5;

/// The result of a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The progress up to the first event to be published again.
    pub(super) progress: RelayProgress,
    /// The first event to be published again, with all events after it.
    pub(super) refused: Option<u64>,
}

/// The event that was refused last, and how often.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    position: u64,
    times: u32,
}

impl Refusals {
    /// Sums up the results of a page.
    ///
    /// An event that the broker refuses is published again first, with all events after it. This keeps the
    /// order as far as possible.
    pub(super) fn sum_up(&mut self, events: &[LoggedEvent], deliveries: Vec<Delivery>, now: DateTime<Utc>) -> Page {
        let mut page = Page::default();
        let last_taken = deliveries.iter().rposition(|delivery| *delivery == Delivery::Confirmed);
        for (place, (event, delivery)) in events.iter().zip(deliveries).enumerate() {
            let position = event.position;
            let reason = match delivery {
                Delivery::Confirmed => None,
                Delivery::Unroutable(reason) | Delivery::Poison(reason) => Some(reason),
                Delivery::Refused => {
                    let reason = self.poison(position, last_taken.is_some_and(|last| last > place));
                    if reason.is_none() {
                        page.refused = Some(position);
                        return page;
                    }
                    reason
                }
            };
            page.progress.parked.extend(reason.map(|reason| parked(position, reason, now)));
            page.progress.checkpoint = position;
        }
        page
    }

    /// Returns why a refused event is poison, if it is.
    ///
    /// When the broker accepts no event after it either, the fault is not the event's.
    fn poison(&mut self, position: u64, others_are_taken: bool) -> Option<String> {
        if self.position != position {
            *self = Self { position, times: 0 };
        }
        self.times += u32::from(others_are_taken);
        let times = self.times;
        (times >= MAX_REFUSALS)
            .then(|| format!("the broker has refused it {times} times and taken what came behind it"))
    }
}

/// Sums up the results of parked events that were published again.
pub(super) fn sum_up_retried(events: &[LoggedEvent], deliveries: Vec<Delivery>, now: DateTime<Utc>) -> RelayProgress {
    let mut progress = RelayProgress::default();
    for (event, delivery) in events.iter().zip(deliveries) {
        let reason = match delivery {
            Delivery::Confirmed => {
                progress.delivered.push(event.position);
                continue;
            }
            Delivery::Unroutable(reason) | Delivery::Poison(reason) => reason,
            Delivery::Refused => "the broker has refused it".to_owned(),
        };
        progress.parked.push(parked(event.position, reason, now));
    }
    progress
}

pub(super) const fn parked(position: u64, reason: String, now: DateTime<Utc>) -> ParkedEvent {
    ParkedEvent { position, reason, parked_at: now, retry: false }
}
