use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind};
use std::time::Duration;
use tokio::runtime::Runtime;

/// A blocking client of a broker, in the role of another program.
pub struct BrokerClient {
    channel: Channel,
    _connection: Connection,
    runtime: Runtime,
}

/// A message that was taken from a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// The routing key.
    pub key: String,
    /// The properties and headers.
    pub properties: BasicProperties,
    /// The body, which is JSON.
    pub json: serde_json::Value,
    /// The body as it was sent.
    pub body: Vec<u8>,
}

impl Message {
    /// Returns a header that is a text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.properties.headers().as_ref()?.inner().get(name)?;
        value.as_long_string().map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned())
    }
}

#[expect(clippy::missing_panics_doc, reason = "each panics when the broker does not do what was asked")]
impl BrokerClient {
    /// Connects to a broker.
    #[must_use]
    pub fn connect(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (connection, channel) = runtime.block_on(async {
            let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
            (connection, channel)
        });
        Self { channel, _connection: connection, runtime }
    }

    /// Declares a durable queue.
    pub fn declare(&self, queue: &str) {
        let declared = self.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default());
        self.runtime.block_on(declared).unwrap();
    }

    /// Declares a durable queue that rejects messages beyond `most`.
    pub fn declare_bounded(&self, queue: &str, most: i32) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(most));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
        let declared = self.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments);
        self.runtime.block_on(declared).unwrap();
    }

    /// Declares a durable queue and binds it to a topic exchange with a pattern of routing keys.
    pub fn bind(&self, queue: &str, exchange: &str, pattern: &str) {
        self.declare(queue);
        self.bind_declared(queue, exchange, pattern);
    }

    /// Binds a queue to a topic exchange with a pattern of routing keys.
    pub fn bind_declared(&self, queue: &str, exchange: &str, pattern: &str) {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let (bind, none) = (QueueBindOptions::default(), FieldTable::default());
        self.runtime.block_on(async {
            let made = self.channel.exchange_declare(exchange.into(), ExchangeKind::Topic, durable, none.clone());
            made.await.unwrap();
            self.channel.queue_bind(queue.into(), exchange.into(), pattern.into(), bind, none).await.unwrap();
        });
    }

    /// Sends persistent messages to a queue, and waits until the broker confirms them.
    pub fn send_all(&self, queue: &str, content_type: &str, bodies: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        self.send(queue, BasicProperties::default().with_content_type(content_type.into()), bodies);
    }

    /// Sends a persistent message with a user id, which the broker checks, to a queue.
    pub fn send_as(&self, user: &str, queue: &str, content_type: &str, body: &str) {
        let properties = BasicProperties::default().with_content_type(content_type.into());
        self.send(queue, properties.with_user_id(user.into()), [body]);
    }

    fn send(&self, queue: &str, properties: BasicProperties, bodies: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        self.runtime.block_on(async {
            let mut confirms = Vec::new();
            for body in bodies {
                let properties = properties.clone().with_delivery_mode(2);
                let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let sent = self.channel.basic_publish("".into(), queue.into(), options, body.as_ref(), properties);
                confirms.push(sent.await.unwrap());
            }
            for confirm in confirms {
                let confirmation = confirm.await.unwrap();
                assert!(confirmation.is_ack() && confirmation.take_message().is_none(), "there is no queue {queue}");
            }
        });
    }

    /// Sends a message to an exchange, and waits until the broker has routed it to a queue.
    pub fn publish(&self, exchange: &str, key: &str, body: &[u8]) {
        self.runtime.block_on(async {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let properties = BasicProperties::default().with_delivery_mode(2);
            let sent = self.channel.basic_publish(exchange.into(), key.into(), options, body, properties);
            let confirmation = sent.await.unwrap().await.unwrap();
            assert!(confirmation.is_ack() && confirmation.take_message().is_none(), "no queue is bound for {key}");
        });
    }

    /// Deletes a queue with its messages.
    pub fn delete(&self, queue: &str) {
        let deleted = self.channel.queue_delete(queue.into(), QueueDeleteOptions::default());
        self.runtime.block_on(deleted).unwrap();
    }

    /// Takes up to `most` messages from a queue; ends early if none arrives within `timeout`.
    #[must_use]
    pub fn take(&self, queue: &str, most: usize, timeout: Duration) -> Vec<Message> {
        let mut taken = Vec::new();
        self.runtime.block_on(async {
            let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
            let consumer = self.channel.basic_consume(queue.into(), "".into(), no_ack, FieldTable::default());
            let mut consumer = consumer.await.unwrap();
            while taken.len() < most {
                match tokio::time::timeout(timeout, consumer.next()).await {
                    Ok(Some(delivery)) => taken.push(message(delivery.unwrap())),
                    Ok(None) | Err(_) => break,
                }
            }
            cancel(&self.channel, &consumer).await;
        });
        taken
    }

    /// Returns the number of messages in a queue that are ready: not delivered to a consumer.
    #[must_use]
    pub fn depth(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = self.channel.queue_declare(queue.into(), passive, FieldTable::default());
        self.runtime.block_on(declared).unwrap().message_count()
    }
}

async fn cancel(channel: &Channel, consumer: &Consumer) {
    channel.basic_cancel(consumer.tag(), lapin::options::BasicCancelOptions::default()).await.unwrap();
}

fn message(delivery: lapin::message::Delivery) -> Message {
    Message {
        key: delivery.routing_key.to_string(),
        json: serde_json::from_slice(&delivery.data).unwrap_or_default(),
        body: delivery.data,
        properties: delivery.properties,
    }
}
