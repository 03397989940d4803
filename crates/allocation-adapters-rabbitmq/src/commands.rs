//! Consuming commands.
//!
//! Every replica consumes the same durable queue, many messages at a time, so that the allocation engine has
//! groups to commit. A message is acknowledged after the commit. An unreadable command, or one that a rule
//! rejects, goes to the dead-letter queue with the problem. A command that cannot be decided now returns to
//! its queue. If it fails repeatedly while other commands succeed, it becomes a dead letter.
//!
//! Messages arrive at least once and in no order: redelivered ones overtake others, and replicas do not
//! wait for each other. A command that has taken effect is recognized by the events it caused. It is never
//! executed again, however old it is.

mod attempts;
mod command;
mod dead_letters;
mod envelope;
mod execution;
mod kinds;
mod problem;
mod session;
mod spans;

use crate::broker::Broker;
use crate::name::BrokerName;
use allocation_app::{AllocationEngine, BackgroundTask, Backoff, FailureLog, Tracer, UseCases, Vital};
use allocation_ports::CommandEffects;
use attempts::Attempts;
use execution::Executor;
pub(crate) use kinds::{COMMANDS, CommandKind};
use session::Session;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The settings of a [`CommandConsumer`].
#[derive(Debug, Clone)]
pub struct CommandSettings {
    /// The queue; its dead letters go to the queue of the same name with the suffix `.dead`.
    pub queue: BrokerName,
    /// The maximum number of unacknowledged messages at a time.
    pub prefetch: u16,
    /// The maximum number of bytes of unacknowledged messages at a time, unless a single message is larger.
    pub bytes: u64,
    /// How many commands may use their own database connection at a time.
    pub blocking: usize,
    /// The pauses after a lost or refused connection to the broker.
    pub backoff: Backoff,
}

/// The handlers of commands.
#[derive(Clone)]
pub struct CommandHandlers {
    /// Allocates lines.
    pub engine: AllocationEngine,
    /// Executes all other commands.
    pub use_cases: UseCases,
    /// Looks up the effects of earlier commands.
    pub effects: Arc<dyn CommandEffects>,
    /// Chooses the commands that have a span; `None` if no command has one.
    pub tracer: Option<Tracer>,
}

/// Consumes commands until it is stopped.
#[derive(Debug)]
pub struct CommandConsumer {
    stop: watch::Sender<bool>,
    task: BackgroundTask,
}

impl CommandConsumer {
    /// Starts to consume once the broker is available.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start(broker: Arc<Broker>, handlers: CommandHandlers, settings: CommandSettings) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let executor = Executor::new(handlers, &settings);
        let task = BackgroundTask::spawn("commands", move |_| {
            broker.block_on(consume(&broker, &Arc::new(executor), &settings, stopped));
        })?;
        Ok(Self { stop, task })
    }

    /// Returns the vital sign of the thread.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.task.vital()
    }

    /// Stops consuming commands.
    ///
    /// Returns once the current ones are executed and acknowledged, or after some seconds.
    pub fn stop(self) {
        // Sending fails only when the thread has ended.
        let _stopped = self.stop.send(true);
        self.task.stop();
    }
}

/// Consumes over one connection after another. Logs a lasting failure only once.
async fn consume(
    broker: &Broker,
    executor: &Arc<Executor>,
    settings: &CommandSettings,
    mut stopped: watch::Receiver<bool>,
) {
    let (mut failures, log) = (0, FailureLog::new("consuming commands", "retrying"));
    let attempts = Arc::new(Attempts::default());
    while !*stopped.borrow() {
        let session = Session::open(broker, executor, &attempts, settings, stopped.clone());
        let opened = tokio::select! {
            opened = session => opened,
            () = stop_requested(&mut stopped) => return,
        };
        let ended = match opened {
            Ok(session) => {
                tracing::info!(queue = %settings.queue, "commands are consumed");
                log.succeeded();
                let begun = Instant::now();
                let ended = session.consume().await;
                // A session that ends soon counts as a failure.
                failures = if begun.elapsed() > settings.backoff.longest { 0 } else { failures };
                ended
            }
            Err(error) => Err(error),
        };
        let Err(error) = ended else { continue };
        failures += 1;
        log.failed(&*error);
        let pause = settings.backoff.after(failures);
        wait(&mut stopped, pause).await;
    }
}

/// Waits for `time`, or until the consumer must stop.
async fn wait(stopped: &mut watch::Receiver<bool>, time: Duration) {
    let _over = tokio::time::timeout(time, stop_requested(stopped)).await;
}

async fn stop_requested(stopped: &mut watch::Receiver<bool>) {
    // A dropped sender also means stop.
    let _stopped = stopped.wait_for(|stopped| *stopped).await;
}
