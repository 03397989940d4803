//! What commands have caused.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::statement::statement;
use allocation_domain::Event;
use allocation_ports::{CausationId, StoreError};
use diesel::prelude::*;
use diesel::sql_types::Text;

statement! {
    /// The events of one type that a command has caused. One statement sees an event in either place,
    /// and in one of them: it moves from one to the other in one transaction.
    CausedBy<'a>(cause: Text => str, kind: Text => str, same_cause: Text => str, same_kind: Text => str)
        on MultiBackend -> Text,
    "SELECT payload FROM events WHERE causation_id = ? AND type = ?
     UNION ALL SELECT payload FROM outbox WHERE causation_id = ? AND type = ?"
}

/// The events that commands have caused, of each those of one type.
pub(crate) fn caused_by(
    connection: &mut AnyConnection,
    commands: &[(CausationId, &'static str)],
) -> Result<Vec<(CausationId, Event)>, StoreError> {
    let mut caused = Vec::new();
    for (id, kind) in commands {
        let statement = CausedBy { cause: id.as_str(), kind, same_cause: id.as_str(), same_kind: kind };
        let payloads: Vec<String> = statement.load(connection).map_err(store_error)?;
        for payload in payloads {
            caused.push((id.clone(), serde_json::from_str(&payload).map_err(corrupt)?));
        }
    }
    Ok(caused)
}
