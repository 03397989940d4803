//! The events that commands have caused.

use super::blocks::blocks_caused;
use crate::any_connection::AnyConnection;
use crate::error::{corrupt, store_error};
use crate::event_block::cause_key;
use allocation_domain::Event;
use allocation_ports::{CausationId, StoreError};
use std::collections::{BTreeSet, HashMap};

/// Returns the events that commands have caused, limited to one type per command.
pub(crate) fn caused_by(
    connection: &mut AnyConnection,
    commands: &[(CausationId, &'static str)],
) -> Result<Vec<(CausationId, Event)>, StoreError> {
    let keys: BTreeSet<_> = commands.iter().map(|(id, _)| cause_key(id.as_str())).collect();
    let blocks = blocks_caused(connection, &keys.into_iter().collect()).map_err(store_error)?;
    let mut wanted: HashMap<(&str, &str), &CausationId> = HashMap::with_capacity(commands.len());
    wanted.extend(commands.iter().map(|(id, kind)| ((id.as_str(), *kind), id)));
    let mut effects = Vec::new();
    for block in &blocks {
        for event in block.events()? {
            let Some(cause) = event.causation_id.as_deref() else { continue };
            if let Some(id) = wanted.get(&(cause, event.name.as_str())) {
                effects.push(((*id).clone(), serde_json::from_str(event.json).map_err(corrupt)?));
            }
        }
    }
    Ok(effects)
}
