//! The program with a real RabbitMQ.

mod bounds;
mod commands;
mod examples;
mod relay;
mod tls;

use crate::support::{Server, TestDatabase};
use allocation_test_support::{BrokerClient, Message, TestBroker};
use serde_json::{Value, json};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// The time limit of an expected event.
const SOON: Duration = Duration::from_secs(60);

const CLOUD_EVENT: &str = "application/cloudevents+json";

/// Starts a server with a broker.
fn serve(database: &TestDatabase, broker: &TestBroker) -> Server {
    Server::start_with(database, |command| with_broker(command, broker))
}

pub(crate) fn with_broker<'a>(command: &'a mut Command, broker: &TestBroker) -> &'a mut Command {
    command
        .env("ALLOCATION_AMQP_URL", broker.url())
        .env("ALLOCATION_AMQP_EXCHANGE", broker.name("events"))
        .env("ALLOCATION_AMQP_QUEUE", broker.name("commands"))
}

/// A command, as its sender writes it.
fn command(id: &str, kind: &str, data: &Value) -> String {
    let kind = format!("allocation.command.{kind}.v1");
    json!({"specversion": "1.0", "id": id, "source": "/shop", "type": kind, "data": data}).to_string()
}

fn allocate(id: &str, order_id: &str, sku: &str, qty: u32) -> String {
    command(id, "allocate", &json!({"order_id": order_id, "sku": sku, "qty": qty}))
}

/// Waits for a condition.
#[track_caller]
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Returns all messages of a queue without writers.
fn take_all(client: &BrokerClient, queue: &str) -> Vec<Message> {
    let there = usize::try_from(client.depth(queue)).unwrap();
    let messages = client.take(queue, there, SOON);
    assert_eq!(messages.len(), there);
    messages
}

/// Returns the dead letters: their problems with the messages.
fn dead_letters(client: &BrokerClient, broker: &TestBroker) -> Vec<(Value, Message)> {
    let letters = take_all(client, &broker.name("commands.dead"));
    let problem = |letter: &Message| serde_json::from_str(&letter.header("problem").unwrap()).unwrap();
    letters.into_iter().map(|letter| (problem(&letter), letter)).collect()
}
