//! The `keys` command: the keys of callers.

use crate::config::{Expiry, KeysAction, OutputFormat, Settings};
use crate::output;
use allocation_access::{KeyRecord, Scopes};
use allocation_app::{Keys, NewKey};
use allocation_ports::{Clock, DatabaseProbe, SchemaState};
use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;
use std::sync::Arc;

/// Creates, lists, revokes or rotates keys. Only a new secret is printed.
pub(crate) fn keys(settings: &Settings, action: KeysAction) -> anyhow::Result<()> {
    let store = settings.connect_existing()?;
    if store.schema()? != SchemaState::Current {
        bail!("the schema of the database is not that of this program; see `allocation migrate status`");
    }
    let clock = store.clock();
    let keys = Keys::new(Arc::new(store), clock.clone());
    match action {
        KeysAction::Create { name, scopes, expires, rate } => {
            let scopes: Scopes = scopes.into_iter().collect();
            let beyond = "the expiry is beyond the calendar";
            let expires_at = expires.map(|it| Expiry::from(it, clock.now()).context(beyond)).transpose()?;
            let issued = keys.create(NewKey { name, scopes, rate, expires_at })?;
            output::print(&format!("{}\n", issued.key.expose()))
        }
        KeysAction::List { format } => {
            let now = clock.now();
            let listed: Vec<_> = keys.list()?.into_iter().map(|key| Listed::of(key, now)).collect();
            match format {
                OutputFormat::Table => output::print(&table(&listed)),
                OutputFormat::Json => output::print(&format!("{}\n", serde_json::to_string(&listed)?)),
            }
        }
        KeysAction::Revoke { id } => {
            keys.revoke(&id)?;
            output::print(&format!("revoked: {id}\n"))
        }
        KeysAction::Rotate { id, grace } => output::print(&format!("{}\n", keys.rotate(&id, grace)?.key.expose())),
    }
}

#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
    scopes: String,
    /// `active`, `revoked` or `expired`.
    state: &'static str,
    rate: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_on: Option<NaiveDate>,
}

impl Listed {
    fn of(key: KeyRecord, now: DateTime<Utc>) -> Self {
        let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let state = match key.revoked_at {
            Some(_) => "revoked",
            None if key.is_active(now) => "active",
            None => "expired",
        };
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            scopes: key.scopes.to_string(),
            state,
            rate: key.rate.map(|rate| rate.to_string()),
            created_at: written(key.created_at),
            expires_at: key.expires_at.map(written),
            last_used_on: key.last_used_on,
        }
    }
}

fn table(keys: &[Listed]) -> String {
    let mut table = format!(
        "{:11}  {:7}  {:20}  {:10}  {:20}  {:9}  {:24}  scopes\n",
        "id", "state", "created at", "last used", "expires at", "rate", "name"
    );
    for Listed { id, name, scopes, state, rate, created_at, expires_at, last_used_on } in keys {
        let used = last_used_on.map_or_else(|| "-".to_owned(), |day| day.to_string());
        let expires = expires_at.as_deref().unwrap_or("-");
        let rate = rate.as_deref().unwrap_or("-");
        let line =
            format!("{id:11}  {state:7}  {created_at:20}  {used:10}  {expires:20}  {rate:9}  {name:24}  {scopes}\n");
        table.push_str(&line);
    }
    table
}
