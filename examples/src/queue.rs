//! A consumer of events from RabbitMQ.

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

/// The pause before connecting to an unavailable broker again.
const PAUSE: Duration = Duration::from_secs(1);

/// Consumes a queue that receives all events of an exchange.
///
/// Calls `changed` whenever the picture has changed, and ends when it returns `Break`. A lost connection is
/// replaced by a new one, on which the broker delivers unacknowledged messages again.
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
        // Acknowledged only after counting: if the program dies before, the broker delivers the message again.
        message.ack(BasicAckOptions::default()).await?;
        if news && changed(picture).is_break() {
            return Ok(());
        }
    }
    anyhow::bail!("the broker has ended the subscription")
}

/// Declares the queue, which outlives this program, and binds it to the exchange. The service parks events that
/// no queue is bound for.
async fn bind(channel: &Channel, exchange: &str, queue: &str) -> anyhow::Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let none = FieldTable::default;
    channel.exchange_declare(exchange.into(), ExchangeKind::Topic, durable, none()).await?;
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), none()).await?;
    let all = "allocation.#";
    channel.queue_bind(queue.into(), exchange.into(), all.into(), QueueBindOptions::default(), none()).await?;
    Ok(())
}
