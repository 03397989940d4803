//! The broker: events out, commands in.

use crate::config::{BrokerSettings, Settings};
use allocation_adapters_diesel::Store;
use allocation_adapters_rabbitmq::{Broker, CommandConsumer, CommandHandlers, CommandSettings, RabbitPublisher};
use allocation_app::{
    AllocationEngine, EngineCounters, LoadMonitor, Relay, RelayPorts, RelaySettings, UseCases, Vital,
};
use allocation_ports::Clock;
use anyhow::Context;
use std::sync::Arc;
use uuid::Uuid;

/// How many commands are under way at a time. The engine commits as many at once.
const PREFETCH: u16 = 512;
/// How many bytes of commands are under way at a time, but for one message that is larger. It may be sent on
/// as a dead letter, and is in memory twice then.
const BYTES: u64 = 32 << 20;
/// How many commands use a connection to the database of their own at a time.
const BLOCKING: u32 = 2;

/// What runs while there is a broker.
pub(crate) struct Exchange {
    commands: CommandConsumer,
    relay: Relay,
}

impl Exchange {
    /// How many connections to the database it uses at a time: one relays.
    pub(crate) const CONNECTIONS: u32 = 1 + BLOCKING;

    /// Starts to relay events and to consume commands, if there is a broker. Nobody waits for it to
    /// answer.
    pub(crate) fn start(
        settings: &Settings,
        store: &Arc<Store>,
        clock: &Arc<dyn Clock>,
        engine: &AllocationEngine,
        counters: &Arc<EngineCounters>,
        use_cases: &UseCases,
    ) -> anyhow::Result<Option<Self>> {
        let Some(url) = settings.broker.url()? else { return Ok(None) };
        let BrokerSettings { amqp_exchange, amqp_queue, .. } = &settings.broker;
        let broker = Arc::new(Broker::new(url).context("no thread for the broker")?);
        let source = settings.event_source.clone();
        let ports = RelayPorts {
            log: store.clone(),
            store: store.clone(),
            leases: store.clone(),
            publisher: Box::new(RabbitPublisher::new(Arc::clone(&broker), amqp_exchange.clone(), source)),
            clock: Arc::clone(clock),
            rush: LoadMonitor::new(Arc::clone(counters)),
        };
        let relaying = RelaySettings::usual(Uuid::now_v7().to_string());
        let queue = amqp_queue.clone();
        let blocking = usize::try_from(BLOCKING)?;
        let consuming =
            CommandSettings { queue, prefetch: PREFETCH, bytes: BYTES, blocking, backoff: relaying.backoff };
        let handlers = CommandHandlers { engine: engine.clone(), use_cases: use_cases.clone(), effects: store.clone() };
        let relay = Relay::start(ports, relaying).context("the relay cannot be started")?;
        let commands = CommandConsumer::start(broker, handlers, consuming).context("commands cannot be consumed")?;
        Ok(Some(Self { commands, relay }))
    }

    /// Whether its threads live.
    pub(crate) fn vitals(&self) -> Vec<Vital> {
        vec![self.commands.vital(), self.relay.vital()]
    }

    /// Takes no more commands, and finishes those under way. The relay goes on until it is stopped.
    pub(crate) fn stop(self) -> Relay {
        self.commands.stop();
        self.relay
    }
}
