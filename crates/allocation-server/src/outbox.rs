//! The `outbox` command: events on their way to the broker.

use crate::config::{OutboxAction, OutputFormat, Settings};
use crate::output;
use allocation_adapters_diesel::Store;
use allocation_ports::{DatabaseProbe, EventLog, PageSize, ParkedEvent, RelayStore, SchemaState};
use anyhow::bail;
use chrono::SecondsFormat;
use serde::Serialize;

/// The number of parked events that are listed; `parked` counts all of them.
const SHOWN: usize = 1_000;

/// Shows the progress of the relay, or schedules parked events for a retry.
pub(crate) fn outbox(settings: &Settings, action: &OutboxAction) -> anyhow::Result<()> {
    let store = settings.connect_existing()?;
    if store.schema()? != SchemaState::Current {
        bail!("the schema of the database is not that of this program; see `allocation migrate status`");
    }
    match action {
        OutboxAction::Status { format } => {
            let status = Status::of(&store, settings.broker.url()?.is_some())?;
            match format {
                OutputFormat::Table => output::print(&status.table()),
                OutputFormat::Json => output::print(&format!("{}\n", serde_json::to_string(&status)?)),
            }
        }
        OutboxAction::Retry { positions } => {
            let marked = if positions.is_empty() { store.retry_all()? } else { store.retry(positions)? };
            if marked == 0 && !positions.is_empty() {
                bail!("no event is parked there; see `allocation outbox status`");
            }
            output::print(&format!("to be sent again: {marked}\n"))
        }
    }
}

#[derive(Serialize)]
struct Status {
    /// Whether a broker is configured for this command; servers may have other settings.
    broker: bool,
    /// Events without a position in the log.
    unsequenced: u64,
    /// The newest position in the log.
    newest: u64,
    /// The position up to which events are delivered or parked.
    checkpoint: u64,
    /// Events that the relay has not sent yet.
    backlog: u64,
    parked: u64,
    parked_events: Vec<Parked>,
}

#[derive(Serialize)]
struct Parked {
    position: u64,
    parked_at: String,
    /// Whether a retry is scheduled.
    retry: bool,
    reason: String,
}

impl From<ParkedEvent> for Parked {
    fn from(event: ParkedEvent) -> Self {
        let ParkedEvent { position, reason, parked_at, retry } = event;
        Self { position, parked_at: parked_at.to_rfc3339_opts(SecondsFormat::Secs, true), retry, reason }
    }
}

impl Status {
    fn of(store: &Store, broker: bool) -> anyhow::Result<Self> {
        // This order never underestimates the backlog.
        let (checkpoint, newest) = (store.checkpoint()?, store.bounds()?.last);
        let unsequenced = store.unsequenced_count()?;
        let parked_events = store.parked(0, PageSize::LARGEST)?.into_iter().take(SHOWN).map(Parked::from).collect();
        let backlog = newest.saturating_sub(checkpoint) + unsequenced;
        Ok(Self { broker, unsequenced, newest, checkpoint, backlog, parked: store.parked_count()?, parked_events })
    }

    fn table(&self) -> String {
        let Self { broker, unsequenced, newest, checkpoint, backlog, parked, parked_events } = self;
        let note = "no broker is configured here: a server without --amqp-url delivers no events\n\n";
        let mut table = if *broker { String::new() } else { note.to_owned() };
        table += &format!(
            "events without a position  {unsequenced}\nnewest position            {newest}\n\
             delivered or parked up to  {checkpoint}\nto be delivered            {backlog}\n\
             parked                     {parked}\n"
        );
        if !parked_events.is_empty() {
            table.push_str(&format!("\n{:>12}  {:20}  {:5}  reason\n", "position", "parked at", "retry"));
        }
        for Parked { position, parked_at, retry, reason } in parked_events {
            let retry = if *retry { "yes" } else { "no" };
            table.push_str(&format!("{position:>12}  {parked_at:20}  {retry:5}  {reason}\n"));
        }
        table
    }
}
