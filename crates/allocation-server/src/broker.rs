//! The broker: it receives events and delivers commands.

use crate::config::{BrokerSettings, Settings};
use crate::database::Ports;
use crate::tls::read_authorities;
use allocation_adapters_rabbitmq::{
    AmqpUrl, Broker, CommandConsumer, CommandHandlers, CommandSettings, RabbitPublisher,
};
use allocation_app::{EngineCounters, LoadMonitor, Relay, RelayPorts, RelaySettings, Vital};
use allocation_ports::Clock;
use anyhow::Context;
use std::sync::Arc;
use uuid::Uuid;

/// The number of commands in progress, which equals the engine's group size.
const PREFETCH: u16 = 512;
/// The bytes of commands in progress, unless a single message is larger. A dead-lettered message is in memory twice.
const BYTES: u64 = 32 << 20;
/// The number of concurrent commands that use a database connection of their own.
const BLOCKING: u32 = 2;

/// Returns the broker at a URL, without any connection yet.
pub(crate) fn broker_at(url: AmqpUrl, settings: &BrokerSettings) -> anyhow::Result<Broker> {
    let authorities = settings.amqp_ca.as_deref().map(read_authorities).transpose()?;
    Broker::new(url, authorities.map(|it| it.pem)).context("no thread for the broker")
}

/// The relay and the command consumer, which run if a broker is configured.
pub(crate) struct Exchange {
    commands: CommandConsumer,
    relay: Relay,
}

impl Exchange {
    /// The database connections in use at a time; one belongs to the relay.
    pub(crate) const CONNECTIONS: u32 = 1 + BLOCKING;

    /// Starts the relay and the command consumer if a broker is configured. It does not wait for the broker.
    pub(crate) fn start(
        settings: &Settings,
        store: &Arc<dyn Ports>,
        clock: &Arc<dyn Clock>,
        counters: &Arc<EngineCounters>,
        handlers: CommandHandlers,
    ) -> anyhow::Result<Option<Self>> {
        let Some(url) = settings.broker.url()? else { return Ok(None) };
        let BrokerSettings { amqp_exchange, amqp_queue, .. } = &settings.broker;
        let broker = Arc::new(broker_at(url, &settings.broker)?);
        let source = settings.event_source.clone();
        let ports = RelayPorts {
            log: store.clone(),
            store: store.clone(),
            leases: store.clone(),
            publisher: Box::new(RabbitPublisher::new(Arc::clone(&broker), amqp_exchange.clone(), source)),
            clock: Arc::clone(clock),
            load: LoadMonitor::new(Arc::clone(counters)),
        };
        let relaying = RelaySettings::usual(Uuid::now_v7().to_string());
        let queue = amqp_queue.clone();
        let blocking = usize::try_from(BLOCKING)?;
        let consuming =
            CommandSettings { queue, prefetch: PREFETCH, bytes: BYTES, blocking, backoff: relaying.backoff };
        let relay = Relay::start(ports, relaying).context("the relay cannot be started")?;
        let commands = CommandConsumer::start(broker, handlers, consuming).context("commands cannot be consumed")?;
        Ok(Some(Self { commands, relay }))
    }

    /// Returns the liveness of its threads.
    pub(crate) fn vitals(&self) -> Vec<Vital> {
        vec![self.commands.vital(), self.relay.vital()]
    }

    /// Stops the consumer after the commands in progress. The returned relay keeps running until it is stopped.
    pub(crate) fn stop(self) -> Relay {
        self.commands.stop();
        self.relay
    }
}
