//! RabbitMQ behind the ports of the Allocation Service: events out, commands in.
#![warn(missing_docs)]

mod amqp_url;
mod commands;
mod name;

pub use amqp_url::{AmqpUrl, AmqpUrlError};
pub use name::{BrokerName, BrokerNameError};
