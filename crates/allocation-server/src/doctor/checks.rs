//! The checks, in the order in which they are printed.

use super::{Line, Verdict};
use crate::broker::broker_at;
use crate::config::Settings;
use crate::oidc::OidcKeySource;
use crate::{health, logging, serve, tls};
use allocation_adapters_diesel::Diagnosis;
use allocation_app::ErrorChain;
use allocation_ports::{Access, MAX_CLOCK_DIFFERENCE, SchemaState, TokenKeySource};
use std::net::SocketAddr;

use Verdict::{Bad, Good, Note};

/// Settings are parsed already, except the levels of the log.
pub(super) fn settings(settings: &Settings) -> Vec<Line> {
    let verdict = match logging::filter() {
        Err(error) => Bad(format!("{error:#}")),
        Ok(_) if !settings.unknown.is_empty() => {
            Note(format!("not settings: {}; compare `allocation --help`", settings.unknown.join(", ")))
        }
        Ok(_) if settings.given.is_empty() => Good("all defaults; see `allocation --dump-config`".to_owned()),
        Ok(_) => Good(settings.given.clone()),
    };
    vec![Line { subject: "settings", verdict }]
}

/// An address in use is fine if a server of this service uses it.
pub(super) fn address(settings: &Settings) -> Vec<Line> {
    let line = |subject, address: SocketAddr, setting: &str| {
        let verdict = match serve::open_socket(address) {
            Ok(_) => Good(format!("{address} is free")),
            Err(error) => match health::health(settings) {
                Ok(()) => Good(format!("a server is ready at {address}")),
                Err(_) => Bad(format!("cannot listen on {address}: {error}; choose another with {setting}")),
            },
        };
        Line { subject, verdict }
    };
    let api = line("address", settings.address, "--address or ALLOCATION_ADDRESS");
    // If the server at the address is ready, it also serves the metrics.
    let metrics = settings.metrics_address.map(|address| line("metrics", address, "--metrics-address"));
    let tls = settings.tls.paths().map(|paths| {
        let verdict = match tls::check(&paths) {
            Ok(()) => Good("certificate and key fit".to_owned()),
            Err(error) => Bad(format!("{error:#}")),
        };
        Line { subject: "tls", verdict }
    });
    std::iter::once(api).chain(metrics).chain(tls).collect()
}

/// The database, its schema, the rights to it, its clock, and its keys.
pub(super) fn database(settings: &Settings) -> Vec<Line> {
    let bad = |text| vec![Line { subject: "database", verdict: Bad(text) }];
    match (settings.is_in_memory(), settings.access()) {
        (Ok(true), Access::ReadOnly) => return bad("a read-only server cannot use a database in memory".to_owned()),
        (Ok(true), Access::ReadWrite) => {
            let text = "in memory: what it stores is lost when the server stops; see --database-url".to_owned();
            return vec![Line { subject: "database", verdict: Note(text) }, keys(settings, Some(false))];
        }
        (Ok(false), _) => {}
        (Err(error), _) => return bad(format!("{error:#}")),
    }
    let (url, source) = match settings.database_url() {
        Ok(given) => given,
        Err(error) => return bad(format!("{error:#}")),
    };
    let found = match Diagnosis::of(&url, settings.access(), settings.clock_offset()) {
        Ok(found) => found,
        Err(error) => return bad(format!("{}; check {source}", ErrorChain(&error))),
    };
    let verdict = match &found.software {
        Some(software) => Good(format!("{software} at {url}")),
        None if settings.access() == Access::ReadOnly => Bad(format!("there is no {url}; check {source}")),
        None => Note(format!("{url} is created at the first start")),
    };
    let mut lines = vec![Line { subject: "database", verdict }, schema(settings, found.schema)];
    lines.push(rights(&found.missing_rights));
    lines.extend(found.clock_ahead.map(|ahead| {
        let seconds = ahead.as_seconds_f64();
        let verdict = if ahead.abs() > MAX_CLOCK_DIFFERENCE {
            Bad(format!("this machine's clock is {seconds:+.1} s off the database's; synchronize both with NTP"))
        } else {
            Good(format!("{seconds:+.3} s off the database's"))
        };
        Line { subject: "clock", verdict }
    }));
    lines.push(keys(settings, found.has_had_keys));
    lines
}

fn schema(settings: &Settings, state: Option<SchemaState>) -> Line {
    let is_read_only = settings.access() == Access::ReadOnly;
    let verdict = match state {
        Some(SchemaState::Current) => Good("that of this program".to_owned()),
        Some(SchemaState::Newer) => Bad("newer than this program; upgrade the program".to_owned()),
        Some(SchemaState::Older) | None if is_read_only => {
            Bad("older than this program; run `allocation migrate up` on the primary".to_owned())
        }
        Some(SchemaState::Older) => {
            Note("older than this program; `allocation serve` or `allocation migrate up` migrates it".to_owned())
        }
        None => Note("none yet; `allocation serve` or `allocation migrate up` creates it".to_owned()),
    };
    Line { subject: "schema", verdict }
}

fn rights(missing: &[String]) -> Line {
    let verdict = if missing.is_empty() { Good("sufficient".to_owned()) } else { Bad(missing.join("; ")) };
    Line { subject: "rights", verdict }
}

/// The rule of the start: without a key, only local callers are served, or everybody by request.
fn keys(settings: &Settings, has_had_keys: Option<bool>) -> Line {
    let is_local = settings.address.ip().to_canonical().is_loopback();
    let verdict = match has_had_keys {
        Some(true) => Good("callers need a key".to_owned()),
        Some(false) if settings.oidc.issuer().is_some() => Good("none; callers need a token of the issuer".to_owned()),
        None => Note("known once the schema is current".to_owned()),
        Some(false) if is_local => Good("none yet; only callers on this machine are served".to_owned()),
        Some(false) if settings.allow_anonymous => Note(
            "none yet, and --allow-anonymous: every caller may do everything; see `allocation keys create`".to_owned(),
        ),
        Some(false) => Bad(format!("none yet; {}", crate::access::remedy(settings))),
    };
    Line { subject: "keys", verdict }
}

/// A configured issuer of tokens must publish its keys.
pub(super) fn issuer(settings: &Settings) -> Vec<Line> {
    let line = settings.oidc.issuer().map(|issuer| {
        let name = &issuer.rules.issuer;
        let verdict = match OidcKeySource::new(&issuer) {
            Err(error) => Bad(format!("{error:#}")),
            Ok(source) => match source.fetch() {
                Ok(_) => Good(format!("{name} publishes its keys")),
                Err(error) => Bad(format!("{}; check --oidc-issuer", ErrorChain(&error))),
            },
        };
        Line { subject: "issuer", verdict }
    });
    line.into_iter().collect()
}

/// A configured broker must accept connections.
pub(super) fn broker(settings: &Settings) -> Vec<Line> {
    let verdict = match settings.broker.url() {
        Err(error) => Bad(format!("{error:#}")),
        Ok(None) => Good("none is configured".to_owned()),
        Ok(Some(_)) if settings.access() == Access::ReadOnly => Good("not used by a read-only server".to_owned()),
        Ok(Some(url)) => {
            let shown = url.to_string();
            match broker_at(url, &settings.broker).map(|broker| broker.check()) {
                Ok(Ok(())) => Good(format!("{shown} accepts connections")),
                Ok(Err(error)) => Bad(format!("{}; start it, or check the URL and --amqp-ca", ErrorChain(&error))),
                Err(error) => Bad(format!("{error:#}")),
            }
        }
    };
    vec![Line { subject: "broker", verdict }]
}
