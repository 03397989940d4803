//! From RabbitMQ.

use crate::picture::Picture;
use anyhow::Context;
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use std::ops::ControlFlow;
use std::time::Duration;

/// How long to wait for a broker that is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Consumes a queue that gets all events of an exchange, until `changed` says so. It is told whenever the
/// picture has changed. When the connection is lost, another is opened; what was not acknowledged comes
/// again then.
pub async fn consume_queue(
    url: &str,
    exchange: &str,
    queue: &str,
    mut changed: impl FnMut(&Picture) -> ControlFlow<()>,
) {
    let mut picture = Picture::default();
    loop {
        match consume(url, exchange, queue, &mut picture, &mut changed).await {
            Ok(()) => return,
            Err(error) => eprintln!("{error:#}; trying again"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Consumes over one connection.
async fn consume(
    url: &str,
    exchange: &str,
    queue: &str,
    picture: &mut Picture,
    changed: &mut impl FnMut(&Picture) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.context("no connection")?;
    let channel = connection.create_channel().await?;
    bind(&channel, exchange, queue).await?;
    channel.basic_qos(1_000, BasicQosOptions::default()).await?;
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut messages = channel.basic_consume(queue.into(), "".into(), options, none).await?;
    while let Some(message) = messages.next().await {
        let message = message.context("the connection is lost")?;
        let Ok(event) = serde_json::from_slice(&message.data) else {
            eprintln!("a message is not a CloudEvent, and is thrown away");
            message.reject(BasicRejectOptions { requeue: false }).await?;
            continue;
        };
        let news = picture.count(event);
        // Only now: what a program that dies has not acknowledged comes again.
        message.ack(BasicAckOptions::default()).await?;
        if news && changed(picture).is_break() {
            return Ok(());
        }
    }
    anyhow::bail!("the broker has ended the subscription")
}

/// Makes the queue, which outlives this program, and has the exchange fill it. Whatever is not bound by
/// anybody, the service parks.
async fn bind(channel: &Channel, exchange: &str, queue: &str) -> anyhow::Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let none = FieldTable::default;
    channel.exchange_declare(exchange.into(), ExchangeKind::Topic, durable, none()).await?;
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), none()).await?;
    let all = "allocation.#";
    channel.queue_bind(queue.into(), exchange.into(), all.into(), QueueBindOptions::default(), none()).await?;
    Ok(())
}
