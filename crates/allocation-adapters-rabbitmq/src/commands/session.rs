//! A session of consuming commands over one connection.

use super::CommandSettings;
use super::attempts::{Attempts, Exhausted};
use super::dead_letters::DeadLetters;
use super::envelope::Envelope;
use super::execution::Executor;
use super::problem::{Kind, NotDone, Problem};
use super::wait;
use crate::broker::Broker;
use crate::meter::{Meter, Weight};
use crate::name::BrokerName;
use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream::ReadyChunks;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

/// The reason why commands are not consumed.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// The longest pause before a deferred command returns to its queue; the shortest is half as long.
const PAUSE: Duration = Duration::from_secs(1);
/// The timeout for the commands under way to end.
const FINISH_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout for closing connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The interval between checks of the meter of a silent connection.
const METER_INTERVAL: Duration = Duration::from_millis(50);

/// A connection that delivers commands.
///
/// Dead letters have a separate connection: a broker short of memory or disk stops reading from a
/// connection that publishes, acknowledgements included.
pub(super) struct Session {
    connection: Connection,
    letters: Connection,
    channel: Channel,
    consumer: Consumer,
    max_commands: usize,
    meter: Meter,
    handler: Handler,
    stopped: watch::Receiver<bool>,
}

/// The resources that every command needs.
#[derive(Clone)]
struct Handler {
    executor: Arc<Executor>,
    dead_letters: DeadLetters,
    attempts: Arc<Attempts>,
    stopped: watch::Receiver<bool>,
}

/// A message with its weight in memory.
struct Message {
    delivery: Delivery,
    _weight: Weight,
}

impl Session {
    pub(super) async fn open(
        broker: &Broker,
        executor: &Arc<Executor>,
        attempts: &Arc<Attempts>,
        settings: &CommandSettings,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, Cause> {
        let meter = Meter::new(settings.bytes);
        let connection = broker.connect_metered("allocation: commands in", meter.clone()).await?;
        let channel = connection.create_channel().await?;
        let dead = settings.queue.dead();
        declare(&channel, &settings.queue).await?;
        declare(&channel, &dead).await?;
        let letters = broker.connect("allocation: dead letters").await?;
        let confirming = letters.create_channel().await?;
        confirming.confirm_select(ConfirmSelectOptions::default()).await?;
        channel.basic_qos(settings.prefetch, BasicQosOptions::default()).await?;
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = channel.basic_consume(settings.queue.short(), "".into(), options, none).await?;
        let dead_letters = DeadLetters::to(&dead, confirming);
        let handler = Handler {
            executor: Arc::clone(executor),
            dead_letters,
            attempts: Arc::clone(attempts),
            stopped: stopped.clone(),
        };
        Ok(Self {
            connection,
            letters,
            channel,
            consumer,
            max_commands: settings.prefetch.into(),
            meter,
            handler,
            stopped,
        })
    }

    /// Consumes until the consumer must stop, or the connection is lost.
    pub(super) async fn consume(self) -> Result<(), Cause> {
        let Self { connection, letters, channel, consumer, max_commands, meter, handler, mut stopped } = self;
        let tag = consumer.tag();
        let mut under_way = JoinSet::new();
        let ended = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
            error = take(consumer.ready_chunks(max_commands.max(1)), &meter, &handler, &mut under_way) => Err(error),
            () = handler.dead_letters.closed() => Err("the dead-letter queue no longer exists".into()),
        };
        if ended.is_ok() {
            // Messages that were not started return to the queue with the connection.
            let cancelled = channel.basic_cancel(tag, BasicCancelOptions::default());
            let _over = tokio::time::timeout(CLOSE_TIMEOUT, cancelled).await;
        }
        // A message redelivered over the next connection would otherwise overtake itself.
        let finished = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(FINISH_TIMEOUT, finished).await.is_err() {
            tracing::error!("the database or the broker does not respond: commands in progress are abandoned");
        }
        if ended.is_ok() {
            // The broker drops the connections in any case.
            let close = |connection: Connection| async move { connection.close(200, "stopping".into()).await };
            let _closed = tokio::time::timeout(CLOSE_TIMEOUT, join(close(connection), close(letters))).await;
        }
        ended
    }
}

async fn declare(channel: &Channel, queue: &BrokerName) -> Result<(), lapin::Error> {
    channel.queue_declare(queue.short(), QueueDeclareOptions::durable(), FieldTable::default()).await.map(drop)
}

/// Handles messages in chunks as they arrive. Returns when the connection is lost.
async fn take(
    mut arriving: ReadyChunks<Consumer>,
    meter: &Meter,
    handler: &Handler,
    under_way: &mut JoinSet<()>,
) -> Cause {
    while let Some(chunk) = next(&mut arriving, meter).await {
        let mut deliveries = Vec::with_capacity(chunk.len());
        let mut lost = None;
        for delivery in chunk {
            match delivery {
                Ok(delivery) => {
                    let weight = meter.weigh(&delivery.data);
                    deliveries.push(Message { delivery, _weight: weight });
                }
                Err(error) => lost = Some(error),
            }
        }
        let handler = handler.clone();
        under_way.spawn(async move { handler.handle_all(deliveries).await });
        if let Some(error) = lost {
            return error.into();
        }
        while under_way.try_join_next().is_some() {}
    }
    "the broker has ended the subscription".into()
}

/// Returns the next messages; resumes an idle meter while there are none.
async fn next(arriving: &mut ReadyChunks<Consumer>, meter: &Meter) -> Option<Vec<lapin::Result<Delivery>>> {
    loop {
        match tokio::time::timeout(METER_INTERVAL, arriving.next()).await {
            Ok(chunk) => return chunk,
            Err(_) => meter.resume_if_idle(),
        }
    }
}

impl Handler {
    /// Handles messages that arrived together concurrently, so that the engine has groups to commit.
    async fn handle_all(self, messages: Vec<Message>) {
        let (mut commands, mut readable, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            let properties = &message.delivery.properties;
            let content_type = properties.content_type().as_ref().map(|name| name.as_str());
            let user = properties.user_id().as_ref().map(|name| name.as_str());
            match Envelope::parse(content_type, user, &message.delivery.data) {
                Ok(command) => {
                    commands.push(command);
                    readable.push(message);
                }
                Err(problem) => unreadable.push(self.refuse(message, problem)),
            }
        }
        join(join_all(unreadable), self.handle_commands(commands, readable)).await;
    }

    async fn handle_commands(&self, commands: Vec<Envelope>, messages: Vec<Message>) {
        if commands.is_empty() {
            return;
        }
        let done = match self.executor.done_before(&commands).await {
            Ok(done) => done.into_iter().map(Ok).collect(),
            Err(reason) => vec![Err(reason); commands.len()],
        };
        let each = commands.into_iter().zip(messages).zip(done);
        join_all(each.map(|((command, message), done)| self.handle(command, message, done))).await;
    }

    async fn handle(&self, command: Envelope, message: Message, done: Result<bool, NotDone>) {
        let (outcome, executed) = match done {
            Ok(true) => (Ok(()), false),
            Ok(false) => {
                let span = tracing::error_span!("command", id = %command.id);
                let outcome = self.executor.execute(command, message.delivery.redelivered).instrument(span).await;
                let executed = outcome.is_ok();
                (outcome, executed)
            }
            Err(reason) => (Err(reason), false),
        };
        match outcome {
            Ok(()) => {
                self.attempts.done(&message.delivery.data, executed);
                log_failure(message.delivery.ack(BasicAckOptions::default()).await);
            }
            Err(NotDone::Refused(problem)) => self.refuse(message, problem).await,
            Err(NotDone::Later(reason)) => self.defer(message, reason, true).await,
            Err(NotDone::TurnedAway(reason)) => self.defer(message, reason, false).await,
        }
    }

    /// Makes a message a dead letter; if the broker does not accept the letter, returns the message to its
    /// queue.
    async fn refuse(&self, mut message: Message, problem: Problem) {
        tracing::debug!(%problem, "a command is refused");
        self.attempts.done(&message.delivery.data, false);
        let confirmed = self.dead_letters.publish(&mut message.delivery, &problem).await;
        log_failure(if confirmed {
            message.delivery.ack(BasicAckOptions::default()).await
        } else {
            self.requeue(&message.delivery).await
        });
    }

    /// Defers a message, or makes it a dead letter when it was deferred too often.
    async fn defer(&self, message: Message, reason: String, counts: bool) {
        if let Some(exhausted) = self.attempts.defer(&message.delivery.data, counts, Instant::now()) {
            let problem = exhausted_problem(&exhausted, &reason);
            tracing::warn!(%problem, "a command was deferred too often: it becomes a dead letter");
            return self.refuse(message, problem).await;
        }
        tracing::debug!(reason, "a command returns to its queue");
        log_failure(self.requeue(&message.delivery).await);
    }

    /// Returns a message to its queue after a pause, or at once when the consumer must stop.
    async fn requeue(&self, delivery: &Delivery) -> lapin::Result<bool> {
        wait(&mut self.stopped.clone(), PAUSE.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        delivery.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
    }
}

/// Logs a failed acknowledgement: the broker will deliver the message again.
fn log_failure(settled: lapin::Result<bool>) {
    if let Err(error) = settled {
        tracing::debug!(%error, "a command will be delivered again");
    }
}

fn exhausted_problem(exhausted: &Exhausted, reason: &str) -> Problem {
    let Exhausted { attempts, within } = exhausted;
    let tried = format!("Abandoned after {attempts} attempts in {} s", within.as_secs());
    Problem::of(Kind::Overloaded, format!("{tried}, while others were executed: {reason}"))
}
