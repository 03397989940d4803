//! The broker: events out, commands in.

use crate::config::{BrokerSettings, Settings};
use allocation_adapters_diesel::Store;
use allocation_adapters_rabbitmq::{Broker, CommandConsumer, CommandHandlers, CommandSettings, RabbitPublisher};
use allocation_app::{AllocationEngine, Relay, RelayPorts, RelaySettings, UseCases};
use allocation_ports::Clock;
use anyhow::Context;
use std::sync::Arc;

/// How many commands are under way at a time. The engine commits as many at once.
const PREFETCH: u16 = 512;
/// How many commands use a connection to the database of their own at a time.
const BLOCKING: usize = 2;

/// What runs while there is a broker.
pub(crate) struct Exchange {
    commands: CommandConsumer,
    relay: Relay,
}

/// What the broker is connected to.
pub(crate) struct Service {
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) engine: AllocationEngine,
    pub(crate) use_cases: UseCases,
    /// A name that no other process has.
    pub(crate) holder: String,
    /// Where events come from.
    pub(crate) source: String,
}

impl Exchange {
    /// Starts to relay events and to consume commands, if there is a broker. Nobody waits for it to
    /// answer.
    pub(crate) fn start(settings: &Settings, service: Service) -> anyhow::Result<Option<Self>> {
        let BrokerSettings { amqp_url, amqp_exchange, amqp_queue } = &settings.broker;
        let Some(url) = amqp_url else { return Ok(None) };
        let broker = Arc::new(Broker::new(url.clone()).context("no thread for the broker")?);
        let Service { store, clock, engine, use_cases, holder, source } = service;
        let relaying = RelaySettings::usual(holder);
        let ports = RelayPorts {
            log: store.clone(),
            store: store.clone(),
            leases: store.clone(),
            publisher: Box::new(RabbitPublisher::new(Arc::clone(&broker), amqp_exchange.clone(), source)),
            clock,
        };
        let consuming = CommandSettings {
            queue: amqp_queue.clone(),
            prefetch: PREFETCH,
            blocking: BLOCKING,
            backoff: relaying.backoff,
        };
        let relay = Relay::start(ports, relaying).context("the relay cannot be started")?;
        let handlers = CommandHandlers { engine, use_cases, effects: store };
        let commands = CommandConsumer::start(broker, handlers, consuming).context("commands cannot be consumed")?;
        Ok(Some(Self { commands, relay }))
    }

    /// Takes no more commands, and finishes those under way.
    pub(crate) fn stop(self) -> Relay {
        self.commands.stop();
        self.relay
    }
}
