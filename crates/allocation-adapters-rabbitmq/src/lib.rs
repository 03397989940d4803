//! RabbitMQ adapters of the Allocation Service: publishing events, consuming commands.
#![warn(missing_docs)]

mod amqp_url;
mod asyncapi;
mod broker;
mod commands;
mod meter;
mod name;
mod publisher;

pub use amqp_url::{AmqpUrl, InvalidAmqpUrl};
pub use asyncapi::asyncapi_json;
pub use broker::Broker;
pub use commands::{CommandConsumer, CommandHandlers, CommandSettings};
pub use name::{BrokerName, BrokerNameError};
pub use publisher::RabbitPublisher;
