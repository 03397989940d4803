//! Events out.

use crate::broker::Broker;
use crate::name::BrokerName;
use allocation_cloudevents::{MEDIA_TYPE, cloud_event, event_type};
use allocation_ports::{BrokerAway, Delivery, EventPublisher, LoggedEvent, SentEvents};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ExchangeKind, PublisherConfirm};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Messages of this mode are kept over a restart of the broker.
const PERSISTENT: u8 = 2;

/// Publishes events to a durable topic exchange, by their types as routing keys.
///
/// All go through one channel, so that they arrive in the order in which they are sent.
pub struct RabbitPublisher {
    broker: Arc<Broker>,
    exchange: BrokerName,
    source: String,
    open: Option<Open>,
}

/// What is gone with the connection.
struct Open {
    // Ends with the value.
    _connection: Connection,
    channel: Channel,
    returned: Returned,
}

/// Messages that the broker had no queue for, by their ids, with its reasons. They come before they are
/// confirmed, but not always with their own confirmation.
type Returned = Arc<Mutex<HashMap<String, String>>>;

impl RabbitPublisher {
    /// A publisher to an exchange, of events that come from `source`. It is not connected yet.
    #[must_use]
    pub const fn new(broker: Arc<Broker>, exchange: BrokerName, source: String) -> Self {
        Self { broker, exchange, source, open: None }
    }

    async fn open(&self) -> Result<Open, BrokerAway> {
        let connection = self.broker.connect("allocation: events out").await.map_err(away)?;
        let channel = connection.create_channel().await.map_err(away)?;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let exchange = self.exchange.short();
        channel.exchange_declare(exchange, ExchangeKind::Topic, durable, FieldTable::default()).await.map_err(away)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(away)?;
        Ok(Open { _connection: connection, channel, returned: Returned::default() })
    }

    async fn publish(&self, channel: &Channel, event: &LoggedEvent) -> Result<Pending, BrokerAway> {
        let body = match serde_json::to_vec(&cloud_event(event, &self.source)) {
            Ok(body) => body,
            Err(error) => return Ok(Pending::Poison(error.to_string())),
        };
        let (id, key) = (event.position.to_string(), event_type(&event.event));
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type(MEDIA_TYPE.into())
            .with_message_id(id.as_str().into())
            .with_type(key.into());
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let confirm = channel.basic_publish(self.exchange.short(), key.into(), mandatory, &body, properties).await;
        Ok(Pending::Confirm { id, confirm: confirm.map_err(away)? })
    }
}

impl EventPublisher for RabbitPublisher {
    fn connect(&mut self) -> Result<(), BrokerAway> {
        self.open = None;
        self.open = Some(self.broker.block_on(self.open())?);
        Ok(())
    }

    fn send(&mut self, events: &[LoggedEvent]) -> Result<Box<dyn SentEvents>, BrokerAway> {
        let Some(open) = &self.open else { return Err(BrokerAway("there is no connection".into())) };
        let sent = self.broker.block_on(async {
            let mut pending = Vec::with_capacity(events.len());
            for event in events {
                pending.push(self.publish(&open.channel, event).await?);
            }
            Ok(pending)
        });
        let (broker, returned) = (Arc::clone(&self.broker), Arc::clone(&open.returned));
        Ok(Box::new(Sent { broker, pending: sent?, answers: Vec::with_capacity(events.len()), returned }))
    }
}

/// An event that was sent, or could not be.
enum Pending {
    Confirm { id: String, confirm: PublisherConfirm },
    Poison(String),
}

/// What the broker has said of an event.
enum Answer {
    Confirmed(String),
    Refused,
    Poison(String),
}

struct Sent {
    broker: Arc<Broker>,
    pending: Vec<Pending>,
    /// Of the first of those that are pending.
    answers: Vec<Answer>,
    returned: Returned,
}

impl SentEvents for Sent {
    fn wait(&mut self, patience: Duration) -> Result<Option<Vec<Delivery>>, BrokerAway> {
        let broker = Arc::clone(&self.broker);
        match broker.block_on(async { tokio::time::timeout(patience, self.rest()).await }) {
            Ok(all) => all.map(|()| Some(self.deliveries())),
            Err(_) => Ok(None),
        }
    }
}

impl Sent {
    /// Waits for the answers that are lacking. Those that have come are kept when nobody waits any more.
    async fn rest(&mut self) -> Result<(), BrokerAway> {
        while let Some(pending) = self.pending.get_mut(self.answers.len()) {
            let answer = match pending {
                Pending::Poison(reason) => Answer::Poison(std::mem::take(reason)),
                Pending::Confirm { id, confirm } => {
                    let (confirmed, message) = match confirm.await.map_err(away)? {
                        Confirmation::Ack(message) => (true, message),
                        Confirmation::Nack(message) => (false, message),
                        Confirmation::NotRequested => return Err(BrokerAway("it does not confirm".into())),
                    };
                    note(&self.returned, message);
                    if confirmed { Answer::Confirmed(std::mem::take(id)) } else { Answer::Refused }
                }
            };
            self.answers.push(answer);
        }
        Ok(())
    }

    fn deliveries(&mut self) -> Vec<Delivery> {
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        let deliver = |answer| match answer {
            Answer::Confirmed(id) => returned.remove(&id).map_or(Delivery::Confirmed, Delivery::Unroutable),
            Answer::Refused => Delivery::Refused,
            Answer::Poison(reason) => Delivery::Poison(reason),
        };
        self.answers.drain(..).map(deliver).collect()
    }
}

/// Remembers a message that came back.
fn note(returned: &Returned, message: Option<BasicReturnMessage>) {
    let Some(message) = message else { return };
    let Some(id) = message.delivery.properties.message_id() else { return };
    let reason =
        format!("{} {}: no queue is bound for {}", message.reply_code, message.reply_text, message.routing_key);
    returned.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string(), reason);
}

pub(crate) fn away(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BrokerAway {
    BrokerAway(error.into())
}
