//! Publishing events.

use crate::broker::Broker;
use crate::name::BrokerName;
use allocation_cloudevents::{MEDIA_TYPE, cloud_event};
use allocation_ports::{BrokerUnavailable, Delivery, EventPublisher, LoggedEvent, PendingConfirms, PublishStatus};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, poll_immediate, ready};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionStatus, ExchangeKind, PublisherConfirm};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The delivery mode of messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;
/// The timeout for opening a connection and declaring the exchange.
const OPEN_TIMEOUT: Duration = Duration::from_secs(15);

/// Publishes events to a durable topic exchange, with their types as routing keys.
///
/// All events go through one channel, so that they arrive in the order in which they are sent.
pub struct RabbitPublisher {
    broker: Arc<Broker>,
    exchange: BrokerName,
    source: String,
    open: Option<Open>,
}

/// The state that is lost with the connection.
struct Open {
    connection: Connection,
    channel: Channel,
}

impl RabbitPublisher {
    /// Returns a publisher of events from `source` to an exchange, not connected yet.
    #[must_use]
    pub const fn new(broker: Arc<Broker>, exchange: BrokerName, source: String) -> Self {
        Self { broker, exchange, source, open: None }
    }

    async fn open(&self) -> Result<Open, BrokerUnavailable> {
        let connection = self.broker.connect("allocation: events out").await.map_err(away)?;
        let channel = connection.create_channel().await.map_err(away)?;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let exchange = self.exchange.short();
        channel.exchange_declare(exchange, ExchangeKind::Topic, durable, FieldTable::default()).await.map_err(away)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(away)?;
        Ok(Open { connection, channel })
    }

    /// Returns the message of an event, or the reason why there is none.
    fn message(&self, event: &LoggedEvent) -> Result<Message, String> {
        let event = cloud_event(event, &self.source).map_err(|error| error.to_string())?;
        let body = serde_json::to_vec(&event).map_err(|error| error.to_string())?;
        Ok(Message { id: event.position().to_string(), key: event.event_type(), body })
    }
}

impl EventPublisher for RabbitPublisher {
    fn connect(&mut self) -> Result<(), BrokerUnavailable> {
        self.open = None;
        let opened = async { tokio::time::timeout(OPEN_TIMEOUT, self.open()).await };
        self.open = Some(self.broker.block_on(opened).map_err(away)??);
        Ok(())
    }

    fn send(&mut self, events: &[LoggedEvent]) -> Result<Box<dyn PendingConfirms>, BrokerUnavailable> {
        let Some(open) = &self.open else { return Err(BrokerUnavailable("no connection is open".into())) };
        let messages = events.iter().map(|event| self.message(event)).collect();
        let mut answers = Box::pin(publish(open.channel.clone(), self.exchange.short(), messages));
        // One poll hands all messages to the connection, in order, as far as it goes without the broker.
        let told = self.broker.block_on(poll_immediate(&mut answers));
        let (broker, status) = (Arc::clone(&self.broker), open.connection.status().clone());
        let answers = match told {
            Some(told) => async move { told }.boxed(),
            None => answers,
        };
        Ok(Box::new(Page { broker, status, answers }))
    }
}

/// The message of an event.
struct Message {
    id: String,
    key: &'static str,
    body: Vec<u8>,
}

/// Events that were published together.
struct Page {
    broker: Arc<Broker>,
    status: ConnectionStatus,
    answers: BoxFuture<'static, Result<Vec<Delivery>, BrokerUnavailable>>,
}

impl PendingConfirms for Page {
    fn wait(&mut self, timeout: Duration) -> Result<PublishStatus, BrokerUnavailable> {
        let answers = &mut self.answers;
        match self.broker.block_on(async { tokio::time::timeout(timeout, answers).await }) {
            Ok(answers) => answers.map(PublishStatus::Answered),
            Err(_) if self.status.blocked() => Ok(PublishStatus::Blocked),
            Err(_) => Ok(PublishStatus::Waiting),
        }
    }
}

/// Publishes all messages before it waits for the first confirmation; returns the result of each.
///
/// Returned messages are identified by their ids: each arrives with a confirmation, but not always its own.
/// It arrives with one of these, as the channel carries nothing else. A message that is not returned once
/// all are confirmed has reached a queue.
async fn publish(
    channel: Channel,
    exchange: ShortString,
    messages: Vec<Result<Message, String>>,
) -> Result<Vec<Delivery>, BrokerUnavailable> {
    let mut writing = Vec::with_capacity(messages.len());
    for message in messages.iter().flatten() {
        writing.push(begin(&channel, &exchange, message).await?);
    }
    let (mut acknowledged, mut returned) = (Vec::with_capacity(writing.len()), HashMap::new());
    for written in writing {
        match written.await.map_err(away)?.await.map_err(away)? {
            Confirmation::NotRequested => return Err(BrokerUnavailable("it does not confirm".into())),
            confirmation => {
                acknowledged.push(confirmation.is_ack());
                returned.extend(confirmation.take_message().and_then(reason));
            }
        }
    }
    let mut acknowledged = acknowledged.into_iter();
    let delivery = |message| match message {
        Err(reason) => Delivery::Poison(reason),
        Ok(Message { id, .. }) => match acknowledged.next() {
            Some(true) => returned.remove(&id).map_or(Delivery::Confirmed, Delivery::Unroutable),
            Some(false) | None => Delivery::Refused,
        },
    };
    Ok(messages.into_iter().map(delivery).collect())
}

/// Hands a message to the connection; returns a future that completes when it is written.
async fn begin<'a>(
    channel: &'a Channel,
    exchange: &ShortString,
    Message { id, key, body }: &'a Message,
) -> Result<BoxFuture<'a, lapin::Result<PublisherConfirm>>, BrokerUnavailable> {
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type(MEDIA_TYPE.into())
        .with_message_id(id.as_str().into())
        .with_type((*key).into());
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut written = channel.basic_publish(exchange.clone(), (*key).into(), mandatory, body, properties).boxed();
    match poll_immediate(&mut written).await {
        Some(confirm) => Ok(ready(Ok(confirm.map_err(away)?)).boxed()),
        None => Ok(written),
    }
}

/// Returns the id of a returned message and the reason for its return.
fn reason(message: BasicReturnMessage) -> Option<(String, String)> {
    let id = message.delivery.properties.message_id().as_ref()?.to_string();
    let (code, text, key) = (message.reply_code, &message.reply_text, &message.routing_key);
    Some((id, format!("{code} {text}: no queue is bound for {key}")))
}

fn away(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BrokerUnavailable {
    BrokerUnavailable(error.into())
}
