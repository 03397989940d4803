//! Who may use the server.

use crate::config::Settings;
use crate::database::Database;
use crate::oidc::OidcKeySource;
use allocation_app::{AccessControl, AnonymousAccess, BackgroundTask, ErrorChain, Keys, Tokens};
use anyhow::{Context, bail};
use std::net::SocketAddr;
use std::sync::Arc;

/// The keys of callers, which a background task reloads, as another does those of the issuer of tokens.
pub(crate) struct AccessToServer {
    pub(crate) control: AccessControl,
    pub(crate) keys: Keys,
    pub(crate) reloading: BackgroundTask,
    pub(crate) fetching: Option<BackgroundTask>,
}

impl AccessToServer {
    /// Loads the keys. If the database fails, requests are refused until the keys are loaded.
    ///
    /// # Errors
    ///
    /// Returns an error if there is neither a key nor an issuer of tokens, and other machines may reach the address; or
    /// if the authorities of the issuer cannot be read.
    pub(crate) fn start(settings: &Settings, database: &Database, address: SocketAddr) -> anyhow::Result<Self> {
        let (store, clock) = (Arc::clone(&database.ports), Arc::clone(&database.clock));
        let issuer = settings.oidc.issuer();
        let may_be_open = settings.allow_anonymous || address.ip().to_canonical().is_loopback();
        let is_open = issuer.is_none() && may_be_open;
        let anonymous = if is_open { AnonymousAccess::UntilFirstKey } else { AnonymousAccess::Never };
        let mut control = AccessControl::new(store.clone(), clock.clone(), settings.access(), anonymous);
        let mut fetching = None;
        if let Some(issuer) = &issuer {
            if settings.allow_anonymous {
                tracing::warn!(
                    "--allow-anonymous has no effect: callers need a key or a token of {}",
                    issuer.rules.issuer
                );
            }
            let source = OidcKeySource::new(issuer)?;
            let tokens = Tokens::new(Arc::new(source), issuer.rules.clone(), clock.clone());
            fetching = Some(tokens.start_fetching().context("the keys of the issuer cannot be fetched")?);
            control = control.with_tokens(tokens);
        }
        if let Err(error) = control.reload() {
            tracing::warn!("loading keys failed, responding 503 until they are loaded: {}", ErrorChain(&error));
        }
        match (control.has_had_keys(), anonymous) {
            (Some(false), AnonymousAccess::Never) if issuer.is_none() => {
                bail!("other machines may reach {address}, and there is no key yet; {}", remedy(settings))
            }
            (Some(false), AnonymousAccess::UntilFirstKey) if !address.ip().to_canonical().is_loopback() => {
                tracing::warn!("every caller may do everything: there is no key, and --allow-anonymous is set");
            }
            _ => {}
        }
        let reloading = control.start_reloading().context("the keys cannot be reloaded")?;
        Ok(Self { control, keys: Keys::new(store, clock), reloading, fetching })
    }
}

/// Returns what to do before other machines may reach a service without a key. No command reaches a database in memory.
pub(crate) fn remedy(settings: &Settings) -> &'static str {
    if settings.is_in_memory().unwrap_or(false) {
        "listen on 127.0.0.1 and create one with `POST /keys`, or add --allow-anonymous if everyone may do everything"
    } else {
        "create one with `allocation keys create --name NAME --scope admin`, configure --oidc-issuer, listen on \
         127.0.0.1, or add --allow-anonymous if everyone may do everything"
    }
}
