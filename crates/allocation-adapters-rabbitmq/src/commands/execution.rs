//! Executing commands.

use super::command::Command;
use super::envelope::Envelope;
use super::problem::{NotDone, Problem};
use super::spans::CommandSpan;
use super::{CommandHandlers, CommandSettings};
use allocation_domain::{BatchChange, Event};
use allocation_ports::{CausationId, StoreError};
use allocation_requests::AddBatch;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Executes commands with the use cases.
pub(super) struct Executor {
    handlers: CommandHandlers,
    /// Limits the commands that use their own database connection.
    blocking: Semaphore,
    /// The name of the queue.
    queue: Arc<str>,
}

impl Executor {
    pub(super) fn new(handlers: CommandHandlers, settings: &CommandSettings) -> Self {
        let blocking = Semaphore::new(settings.blocking.clamp(1, Semaphore::MAX_PERMITS));
        Self { handlers, blocking, queue: settings.queue.to_string().into() }
    }

    /// Returns, for each command, whether it has taken effect before.
    pub(super) async fn done_before(&self, commands: &[Envelope]) -> Result<Vec<bool>, NotDone> {
        let asked: Vec<_> = commands.iter().map(|envelope| (envelope.id.clone(), envelope.command.effect())).collect();
        let effects = self.handlers.effects.clone();
        let caused: Result<Vec<(CausationId, Event)>, StoreError> =
            self.block(move || effects.caused_by(&asked)).await?;
        let caused = caused.map_err(|error| NotDone::from(&error))?;
        let is_done = |envelope: &Envelope| {
            caused.iter().any(|(id, event)| *id == envelope.id && envelope.command.has_effect(event))
        };
        Ok(commands.iter().map(is_done).collect())
    }

    /// Executes a command, with a span if the tracer chooses it.
    pub(super) async fn execute(&self, mut envelope: Envelope, redelivered: bool) -> Result<(), NotDone> {
        let span = CommandSpan::begin(self.handlers.tracer.as_ref(), &mut envelope);
        let outcome = self.execute_once(envelope, redelivered).await;
        if let Some(span) = span {
            span.end(&self.queue, &outcome);
        }
        outcome
    }

    /// Executes a command, unless it has taken effect.
    ///
    /// A redelivered command may be running elsewhere, or may have been until just now: its own effect then
    /// causes the rejection. A sender may also send a command twice at once. Only a repeated deallocation
    /// is then rejected.
    async fn execute_once(&self, envelope: Envelope, redelivered: bool) -> Result<(), NotDone> {
        let may_be_done = redelivered || matches!(envelope.command, Command::Deallocate { .. });
        let again = may_be_done.then(|| envelope.clone());
        match (self.carry_out(envelope).await, again) {
            (Err(NotDone::Refused(problem)), Some(envelope)) => match *self.done_before(&[envelope]).await? {
                [true] => Ok(()),
                _ => Err(problem.into()),
            },
            (outcome, _) => outcome,
        }
    }

    async fn carry_out(&self, envelope: Envelope) -> Result<(), NotDone> {
        let Envelope { command, context, .. } = envelope;
        let use_cases = self.handlers.use_cases.clone().with_context(context.clone());
        match command {
            Command::Allocate(line) => {
                self.handlers.engine.allocate(line, context).await?;
            }
            Command::Deallocate { order_id, reference } => {
                self.block(move || use_cases.deallocate(&order_id, &reference)).await??;
            }
            Command::ChangeBatchQuantity { reference, purchased } => {
                let change = BatchChange { purchased: Some(purchased), ..BatchChange::default() };
                self.block(move || use_cases.change_batch(&reference, &change)).await??;
            }
            Command::AddBatch(AddBatch { sku, batch }) => {
                self.block(move || use_cases.add_batch(&sku, &batch)).await??;
            }
        }
        Ok(())
    }

    /// Runs `work`, which waits for the database, on a thread that may block.
    #[expect(clippy::expect_used, reason = "the semaphore is never closed")]
    async fn block<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, NotDone> {
        let _permit = self.blocking.acquire().await.expect("the semaphore is open");
        // The work panicked: a bug.
        spawn_blocking(work).await.map_err(|error| Problem::internal(&error).into())
    }
}
