//! Dead letters: failed commands for an operator.

use super::problem::Problem;
use crate::name::BrokerName;
use lapin::message::Delivery;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, PublisherConfirm};
use tokio::sync::{mpsc, oneshot};

/// The header that carries the problem.
const HEADER: &str = "problem";
/// The delivery mode of messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;
/// The maximum number of letters that are published before their confirmations are awaited.
const MAX_UNCONFIRMED: usize = 256;

/// Publishes dead letters; many are confirmed together.
#[derive(Clone)]
pub(super) struct DeadLetters(mpsc::Sender<Letter>);

struct Letter {
    properties: BasicProperties,
    body: Vec<u8>,
    confirmed: oneshot::Sender<bool>,
}

impl DeadLetters {
    /// Starts to publish to a queue, through a channel with confirms and without other users.
    pub(super) fn to(queue: &BrokerName, channel: Channel) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_UNCONFIRMED);
        tokio::spawn(write(channel, queue.clone(), receiver));
        Self(sender)
    }

    /// Waits until letters can no longer be published over this connection.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }

    /// Publishes a message with its problem; returns whether the broker has it.
    ///
    /// The body moves into the letter, so that it is in memory once.
    pub(super) async fn publish(&self, delivery: &mut Delivery, problem: &Problem) -> bool {
        let (confirmed, answer) = oneshot::channel();
        let properties = with_problem(&delivery.properties, problem);
        let letter = Letter { properties, body: std::mem::take(&mut delivery.data), confirmed };
        self.0.send(letter).await.is_ok() && answer.await.unwrap_or(false)
    }
}

/// Returns the properties of a dead letter: those that describe the message, and the problem.
///
/// The other headers of the message might leave no room for the problem in a frame. A time to live, or the
/// name of the sending user, would make the broker discard or refuse the letter.
fn with_problem(sent: &BasicProperties, problem: &Problem) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(HEADER.into(), AMQPValue::LongString(problem.to_string().into()));
    let mut properties = BasicProperties::default().with_headers(headers).with_delivery_mode(PERSISTENT);
    if let Some(content_type) = sent.content_type() {
        properties = properties.with_content_type(content_type.clone());
    }
    if let Some(content_encoding) = sent.content_encoding() {
        properties = properties.with_content_encoding(content_encoding.clone());
    }
    if let Some(message_id) = sent.message_id() {
        properties = properties.with_message_id(message_id.clone());
    }
    if let Some(correlation_id) = sent.correlation_id() {
        properties = properties.with_correlation_id(correlation_id.clone());
    }
    properties
}

/// Publishes letters until all senders are dropped, or the queue or channel is lost.
async fn write(channel: Channel, queue: BrokerName, mut letters: mpsc::Receiver<Letter>) {
    let mut taken = Vec::with_capacity(MAX_UNCONFIRMED);
    while letters.recv_many(&mut taken, MAX_UNCONFIRMED).await > 0 {
        let written = write_all(&channel, &queue, &taken).await;
        let confirmed = written.clone().unwrap_or_else(|| vec![false; taken.len()]);
        if confirmed.contains(&false) {
            tracing::warn!(%queue, "dead letters are not confirmed: the commands return to their queue");
        }
        for (letter, confirmed) in taken.drain(..).zip(confirmed) {
            // The receiver may have been stopped.
            let _stopped = letter.confirmed.send(confirmed);
        }
        if written.is_none() {
            return;
        }
    }
}

/// Publishes letters; returns whether the broker has each of them, or `None` when the queue or the channel
/// is lost.
///
/// A single returned letter yields `None`: it may have arrived with the confirmation of another.
async fn write_all(channel: &Channel, queue: &BrokerName, letters: &[Letter]) -> Option<Vec<bool>> {
    let mut confirms: Vec<PublisherConfirm> = Vec::with_capacity(letters.len());
    for Letter { properties, body, .. } in letters {
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent = channel.basic_publish("".into(), queue.short(), mandatory, body, properties.clone());
        confirms.push(sent.await.ok()?);
    }
    let mut confirmed = Vec::with_capacity(confirms.len());
    for confirm in confirms {
        let confirmation = confirm.await.ok()?;
        confirmed.push(confirmation.is_ack());
        if confirmation.take_message().is_some() {
            return None;
        }
    }
    Some(confirmed)
}
