//! The events that commands have caused.

use crate::any_connection::AnyConnection;
use crate::error::{corrupt, store_error};
use crate::statement::statement;
use allocation_domain::Event;
use allocation_ports::{CausationId, StoreError};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel::sqlite::Sqlite;

statement! {
    /// The events of one type that a command has caused. A transaction moves an event from one table to the
    /// other, so one statement sees it in exactly one of them.
    OneOnSqlite<'a>(cause: Text => str, kind: Text => str, same_cause: Text => str, same_kind: Text => str)
        on Sqlite -> (Text, Text),
    "SELECT causation_id, payload FROM events WHERE causation_id = ? AND type = ?
     UNION ALL SELECT causation_id, payload FROM outbox WHERE causation_id = ? AND type = ?"
}

statement! {
    /// The same for many commands. LATERAL looks them up one after another.
    AllOnPostgres<'a>(causes: Array<Text> => Vec<&'a str>, kinds: Array<Text> => Vec<&'a str>) on Pg -> (Text, Text),
    "SELECT w.cause, e.payload FROM unnest(?, ?) AS w (cause, kind)
     CROSS JOIN LATERAL (
         SELECT payload FROM events WHERE causation_id = w.cause AND type = w.kind
         UNION ALL SELECT payload FROM outbox WHERE causation_id = w.cause AND type = w.kind
     ) AS e"
}

/// Returns the events that commands have caused, limited to one type per command.
pub(crate) fn caused_by(
    connection: &mut AnyConnection,
    commands: &[(CausationId, &'static str)],
) -> Result<Vec<(CausationId, Event)>, StoreError> {
    let mut rows: Vec<(String, String)> = Vec::new();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for (id, kind) in commands {
                let one = OneOnSqlite { cause: id.as_str(), kind, same_cause: id.as_str(), same_kind: kind };
                rows.extend(one.load::<(String, String)>(connection).map_err(store_error)?);
            }
        }
        AnyConnection::Postgres(connection) => {
            let (causes, kinds) = commands.iter().map(|(id, kind)| (id.as_str(), *kind)).unzip();
            rows = AllOnPostgres { causes: &causes, kinds: &kinds }.load(connection).map_err(store_error)?;
        }
    }
    rows.into_iter().map(|(id, payload)| effect(&id, &payload)).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("the cause of an event is none")]
struct NoCause;

fn effect(id: &str, payload: &str) -> Result<(CausationId, Event), StoreError> {
    let id = CausationId::parse(id).ok_or_else(|| corrupt(NoCause))?;
    Ok((id, serde_json::from_str(payload).map_err(corrupt)?))
}
