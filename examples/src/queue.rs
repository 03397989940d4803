//! From RabbitMQ.

use crate::picture::Picture;
use anyhow::Context;
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use std::ops::ControlFlow;

/// Consumes a queue that gets all events of an exchange, until `changed` says so. It is told whenever the
/// picture has changed.
///
/// # Errors
///
/// When the broker does not answer.
pub async fn consume_queue(
    url: &str,
    exchange: &str,
    queue: &str,
    mut changed: impl FnMut(&Picture) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    bind(&channel, exchange, queue).await?;
    channel.basic_qos(1_000, BasicQosOptions::default()).await?;
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut messages = channel.basic_consume(queue.into(), "".into(), options, none).await?;
    let mut picture = Picture::default();
    while let Some(message) = messages.next().await {
        let message = message?;
        let event = serde_json::from_slice(&message.data).context("a message is not a CloudEvent")?;
        let news = picture.count(event);
        // Only now: what a program that dies has not acknowledged comes again.
        message.ack(BasicAckOptions::default()).await?;
        if news && changed(&picture).is_break() {
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
