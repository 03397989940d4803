//! Commands in.
//!
//! Every replica consumes the same durable queue, many messages at a time, so that the allocation
//! engine has groups to commit. A message is acknowledged after the commit. What cannot be read or is
//! refused by a rule goes to the queue of dead letters, with the problem; what cannot be done now goes
//! back to its queue, and to the dead letters in the end if others are carried out meanwhile.
//!
//! Messages come at least once, and in no order: redelivered ones overtake others, and replicas do not
//! wait for each other. A command that has had its effect is known by the events it has caused, and is
//! not carried out again, however old it is.

mod attempts;
mod command;
mod dead_letters;
mod envelope;
mod execution;
mod problem;
mod session;

use crate::broker::Broker;
use crate::name::BrokerName;
use allocation_app::{Alive, AllocationEngine, Backoff, FailureLog, UseCases, Vital};
use allocation_ports::CommandEffects;
use attempts::Attempts;
use execution::Executor;
use session::Session;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How to consume commands.
#[derive(Debug, Clone)]
pub struct CommandSettings {
    /// The queue; dead letters go to the one of the same name and `.dead`.
    pub queue: BrokerName,
    /// How many messages may be under way at a time.
    pub prefetch: u16,
    /// How many bytes of messages may be under way at a time, but for one message that is larger.
    pub bytes: u64,
    /// How many of them may use a connection to the database of their own at a time.
    pub blocking: usize,
    /// How long to wait after the broker was away.
    pub backoff: Backoff,
}

/// What carries commands out.
#[derive(Clone)]
pub struct CommandHandlers {
    /// Allocates lines.
    pub engine: AllocationEngine,
    /// Does everything else.
    pub use_cases: UseCases,
    /// Knows what has been done already.
    pub effects: Arc<dyn CommandEffects>,
}

/// Consumes commands until it is stopped.
#[derive(Debug)]
pub struct CommandConsumer {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
    vital: Vital,
}

impl CommandConsumer {
    /// Starts to consume, as soon as the broker answers.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(broker: Arc<Broker>, handlers: CommandHandlers, settings: CommandSettings) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let executor = Executor::new(handlers, settings.blocking);
        let alive = Alive::new();
        let vital = alive.vital("commands");
        let consume = move || {
            let _alive = alive;
            broker.block_on(consume(&broker, &Arc::new(executor), &settings, stopped));
        };
        let thread = thread::Builder::new().name("commands".to_owned()).spawn(consume)?;
        Ok(Self { stop, thread, vital })
    }

    /// Whether its thread lives.
    #[must_use]
    pub fn vital(&self) -> Vital {
        self.vital.clone()
    }

    /// Takes no more commands, and stops when those under way are done and acknowledged, or after some
    /// seconds.
    pub fn stop(self) {
        // Nobody is left to tell when the thread has ended.
        let _told = self.stop.send(true);
        if self.thread.join().is_err() {
            tracing::error!("the consumer of commands had panicked");
        }
    }
}

/// Consumes over one connection after the other. A failure that lasts is logged once.
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
            () = told_to_stop(&mut stopped) => return,
        };
        let ended = match opened {
            Ok(session) => {
                tracing::info!(queue = %settings.queue, "commands are consumed");
                log.succeeded();
                let begun = Instant::now();
                let ended = session.consume().await;
                // One that ends soon was no success.
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

/// Waits for some time, or until told to stop.
async fn wait(stopped: &mut watch::Receiver<bool>, time: Duration) {
    let _over = tokio::time::timeout(time, told_to_stop(stopped)).await;
}

async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // Whoever could tell may be gone, which says the same.
    let _told = stopped.wait_for(|stopped| *stopped).await;
}
