//! The use cases of the Allocation Service.
//!
//! A use case opens a unit of work, lets the domain decide, and has the store save the decision. It depends
//! on ports, never on adapters.
#![warn(missing_docs)]

mod access_control;
mod add_batch;
mod adjust_stock;
mod age_limit;
mod archive_orders;
mod archiver;
mod awaited_units;
mod background;
mod backlog_monitor;
mod cancel_order;
mod change_batch;
mod change_order;
mod close_order;
mod confirm_order;
mod create_shipment;
mod deallocate;
mod engine;
mod error_chain;
mod event_sequencer;
mod event_tail;
mod expected_versions;
mod extend_hold;
mod failure_log;
mod health;
mod histogram;
#[cfg(test)]
mod interleavings;
mod invariant_monitor;
mod keys;
mod locking;
mod log_throttle;
mod make_pick_list;
mod move_lines;
mod overload;
mod pick;
mod pick_list_products;
mod preview_line;
mod preview_order;
mod put_back;
mod receive_batch;
mod refusal;
mod refusal_code;
mod register_product;
mod relay;
mod release_expired;
mod release_pick_line;
mod release_pick_list;
mod remove_batch;
mod retry;
mod saving;
mod ship_pick_list;
mod stock_count;
mod stock_documents;
mod take_back;
#[cfg(test)]
mod testing;
mod tokens;
mod tracer;
mod unit_of_work;
mod use_case_error;
mod vital;

pub use access_control::{AccessControl, AccessError, Admission, AnonymousAccess, Caller};
pub use adjust_stock::RecordedAdjustment;
pub use age_limit::AgeLimit;
pub use archive_orders::Archived;
pub use archiver::ArchiveSettings;
pub use background::{BackgroundTask, StopSignal};
pub use backlog_monitor::BacklogMonitor;
pub use engine::{
    AllocationEngine, EngineCounters, EngineError, EngineSettings, EngineSnapshot, LoadMonitor, OrderPreview,
    QueuedLines,
};
pub use error_chain::ErrorChain;
pub use event_sequencer::{EventSequencer, Retention, SequencerPorts};
pub use event_tail::{EventTail, EventWaiter};
pub use expected_versions::ExpectedVersions;
pub use failure_log::FailureLog;
pub use health::Health;
pub use histogram::Distribution;
pub use invariant_monitor::InvariantMonitor;
pub use keys::{IssuedKey, KeyError, Keys, NewKey};
pub use log_throttle::LogThrottle;
pub use overload::is_overload;
pub use receive_batch::RecordedReceipt;
pub use refusal::{Refusal, RefusalMembers};
pub use refusal_code::RefusalCode;
pub use relay::{Backoff, Relay, RelayPorts, RelaySettings};
pub use remove_batch::RemoveBatchError;
pub use retry::RetryPolicy;
pub use take_back::RecordedReturn;
pub use tokens::Tokens;
pub use tracer::{OpenSpan, SpanEnd, Tracer};
pub use unit_of_work::{UnitCounters, UnitRunner, UnitSnapshot};
pub use use_case_error::UseCaseError;
pub use vital::Vital;

use allocation_ports::{Clock, EventContext, Queries, UnitOfWork};
use std::borrow::Cow;
use std::iter;
use std::sync::Arc;
use unit_of_work::{Attempt, UnitResult};

/// The use cases that run on the caller's thread, each in its own unit of work.
///
/// Each call blocks until the database responds: call them where blocking is allowed.
#[derive(Clone)]
pub struct UseCases {
    units: UnitRunner,
    queries: Arc<dyn Queries>,
    clock: Arc<dyn Clock>,
    context: EventContext,
    age: Option<AgeLimit>,
}

impl UseCases {
    /// Returns the use cases over a store, lock-free queries and a clock.
    #[must_use]
    pub fn new(units: UnitRunner, queries: Arc<dyn Queries>, clock: Arc<dyn Clock>) -> Self {
        Self { units, queries, clock, context: EventContext::default(), age: None }
    }

    /// Returns the same use cases for a command with this context, which its events record.
    #[must_use]
    pub fn with_context(self, context: EventContext) -> Self {
        Self { context, ..self }
    }

    /// Returns the same use cases, which store nothing of what they decide if `is_dry_run`: they return what they would
    /// return now. What is due in any case, such as the release of expired holds, may be stored.
    ///
    /// A dry run takes the same locks. Its result is out of date as soon as they are released.
    #[must_use]
    pub fn as_dry_run(self, is_dry_run: bool) -> Self {
        Self { units: self.units.dry_run(is_dry_run), ..self }
    }

    /// Returns the same use cases with a limit on the age of a command.
    #[must_use]
    pub fn with_age_limit(self, age: AgeLimit) -> Self {
        Self { age: Some(age), ..self }
    }

    /// Returns the same use cases for a command that has just been read.
    ///
    /// A command older than the limit is not started: it fails with
    /// [`StoreError::Busy`](allocation_ports::StoreError::Busy).
    #[must_use]
    pub fn for_command_just_read(self) -> Self {
        match &self.age {
            Some(age) => Self { units: self.units.until(age.clone()), ..self },
            None => self,
        }
    }

    /// Runs a command in a unit of work, and returns its decision.
    fn decide<T, R: Refusal>(
        &self,
        name: &'static str,
        command: impl FnMut(&mut dyn UnitOfWork, Attempt) -> UnitResult<T, R>,
    ) -> Result<T, UseCaseError<R>> {
        self.counted(self.units().run(name, command)?.map_err(UseCaseError::Refused))
    }

    /// Returns the runner of units that carry out this command.
    fn units(&self) -> Cow<'_, UnitRunner> {
        self.units.for_commands(iter::once(&self.context))
    }

    /// Counts the refusal of a command.
    fn counted<T, R: Refusal>(&self, decided: Result<T, UseCaseError<R>>) -> Result<T, UseCaseError<R>> {
        decided.inspect_err(|error| {
            if let UseCaseError::Refused(refusal) = error {
                self.units.counters().refusal(refusal.code());
            }
        })
    }
}
